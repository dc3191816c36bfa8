//! `Properties` of an update document.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use crate::update::Severity;

/// `Properties/@PublicationState`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum PublicationState {
    /// Withdrawn by its publisher; still a prerequisite of others.
    Expired,
    /// Current. The default.
    #[default]
    Published,
}

/// `@Impact` of an installation or its removal.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Impact {
    /// May run beside other work without being noticed.
    Minor,
    /// The schema's default.
    #[default]
    Normal,
    /// Must be installed alone.
    RequiresExclusiveHandling,
}

/// `@RebootBehavior` of an installation or its removal.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum RebootBehavior {
    /// Always needs a restart.
    AlwaysRequiresReboot,
    /// May ask for a restart. What the publishing schema means by an absent attribute.
    CanRequestReboot,
    /// Never needs a restart.
    NeverReboots,
}

/// `Properties/InstallationBehavior` or `Properties/UninstallationBehavior`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Behavior {
    /// `@CanRequestUserInput`, default false: cannot run unattended.
    pub can_request_user_input: bool,
    /// `@RequiresNetworkConnectivity`, default false.
    pub requires_network: bool,
    /// `@Impact`.
    pub impact: Impact,
    /// `@RebootBehavior`, if stated.
    pub reboot: Option<RebootBehavior>,
}

/// `Properties`, apart from the update type.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Properties {
    /// `@DefaultPropertiesLanguage`; empty if absent.
    pub default_language: String,
    /// `@PublicationState`.
    pub publication_state: PublicationState,
    /// `@CreationDate`. Not sent to computers.
    pub creation_date: Option<Timestamp>,
    /// `@PublisherID`.
    pub publisher_id: Option<Uuid>,
    /// `@IsPublic`.
    pub is_public: Option<bool>,
    /// `@ExplicitlyDeployable`, default false: an administrator may deploy it (in bundles: the bundle itself, not its
    /// members).
    pub explicitly_deployable: bool,
    /// `@AutoSelectOnWebSites`, default false.
    pub auto_select: bool,
    /// `@PerUser`, default false.
    pub per_user: bool,
    /// `@IsLocallyPublished`, default false: made by an administrator's tool, not by Microsoft.
    pub locally_published: bool,
    /// `@CanSourceBeRequired`, default false: installation may ask for the original medium.
    pub can_source_be_required: bool,
    /// `@Handler`: namespace of the installer that the files need. Bundles have none.
    pub handler: Option<String>,
    /// `@EulaID`: the licence that must be accepted before installation.
    pub eula_id: Option<Uuid>,
    /// `@OSUpgrade`, as written.
    pub os_upgrade: Option<String>,
    /// `@DetectoidType`, as written.
    pub detectoid_type: Option<String>,
    /// `@LegacyName`, as written.
    pub legacy_name: Option<String>,
    /// `@CompatibleProtocolVersion`, as written.
    pub compatible_protocol_version: Option<String>,
    /// `@MaxDownloadSize` in bytes.
    pub max_download_size: Option<u64>,
    /// `@MinDownloadSize` in bytes.
    pub min_download_size: Option<u64>,
    /// `@MsrcSeverity`; none if absent, unspecified or of another vocabulary.
    pub severity: Option<Severity>,
    /// `InstallationBehavior`.
    pub installation: Option<Behavior>,
    /// `UninstallationBehavior`: present if the update can be removed.
    pub uninstallation: Option<Behavior>,
    /// Each `KBArticleID`, digits without `KB`.
    pub kb_articles: Vec<String>,
    /// Each `SecurityBulletinID`, such as `MS08-067`.
    pub security_bulletins: Vec<String>,
    /// Each `CveID`.
    pub cve_ids: Vec<String>,
    /// `SupportUrl`.
    pub support_url: Option<String>,
    /// Each `MoreInfoUrl`.
    pub more_info_urls: Vec<String>,
    /// Each `Language`: languages that the files are made for, none if they are neutral.
    pub languages: Vec<String>,
    /// Attributes not named above.
    pub other: BTreeMap<String, String>,
}
