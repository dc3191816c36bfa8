//! `Properties` of an update document.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    DocumentError,
    source::{Ns, Sink, Source},
    value::{Value, find},
};
use crate::update::{Severity, UpdateType};

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
    /// `SecuredFragment`: what of the update is only given on request, `FileUrl` or `FileDecryption` (MS-WSUSSS 3.1.1).
    pub secured_fragments: Vec<String>,
    /// Attributes not named above.
    pub other: BTreeMap<String, String>,
}

/// Reads the current element and past its end.
pub(super) fn read<'t, S: Sink<'t>>(source: &mut Source<'t, S>) -> Result<(UpdateType, Properties), DocumentError> {
    let update_type = source.required("UpdateType")?;
    let mut properties = Properties {
        default_language: source.optional("DefaultPropertiesLanguage")?.unwrap_or_default(),
        publication_state: source.optional("PublicationState")?.unwrap_or_default(),
        creation_date: source.optional("CreationDate")?,
        publisher_id: source.optional("PublisherID")?,
        is_public: source.optional("IsPublic")?,
        explicitly_deployable: source.flag("ExplicitlyDeployable")?,
        auto_select: source.flag("AutoSelectOnWebSites")?,
        per_user: source.flag("PerUser")?,
        locally_published: source.flag("IsLocallyPublished")?,
        can_source_be_required: source.flag("CanSourceBeRequired")?,
        handler: source.optional("Handler")?,
        eula_id: source.optional("EulaID")?,
        os_upgrade: source.optional("OSUpgrade")?,
        detectoid_type: source.optional("DetectoidType")?,
        legacy_name: source.optional("LegacyName")?,
        compatible_protocol_version: source.optional("CompatibleProtocolVersion")?,
        max_download_size: source.optional("MaxDownloadSize")?,
        min_download_size: source.optional("MinDownloadSize")?,
        severity: find(source.attributes(), "MsrcSeverity").and_then(severity),
        ..Properties::default()
    };
    for attribute in source.attributes().iter().filter(|attribute| !NAMED.contains(&attribute.local)) {
        properties.other.insert(attribute.local.to_owned(), attribute.value.clone().into_owned());
    }
    source.children(|source| {
        if source.ns() != Ns::UPDATE {
            return Ok(());
        }
        match source.local() {
            "InstallationBehavior" => properties.installation = Some(behavior(source)?),
            "UninstallationBehavior" => properties.uninstallation = Some(behavior(source)?),
            "SupportUrl" => properties.support_url = Some(source.content()?),
            "KBArticleID" => properties.kb_articles.push(source.content()?.trim().to_owned()),
            "SecurityBulletinID" => properties.security_bulletins.push(source.content()?.trim().to_owned()),
            "CveID" => properties.cve_ids.push(source.content()?.trim().to_owned()),
            "MoreInfoUrl" => properties.more_info_urls.push(source.content()?),
            "SecuredFragment" => properties.secured_fragments.push(source.content()?.trim().to_owned()),
            "Language" => properties.languages.push(source.content()?.trim().to_owned()),
            _ => {}
        }
        Ok(())
    })?;
    Ok((update_type, properties))
}

/// Attributes that have a field of their own.
const NAMED: [&str; 20] = [
    "AutoSelectOnWebSites",
    "CanSourceBeRequired",
    "CompatibleProtocolVersion",
    "CreationDate",
    "DefaultPropertiesLanguage",
    "DetectoidType",
    "EulaID",
    "ExplicitlyDeployable",
    "Handler",
    "IsLocallyPublished",
    "IsPublic",
    "LegacyName",
    "MaxDownloadSize",
    "MinDownloadSize",
    "MsrcSeverity",
    "OSUpgrade",
    "PerUser",
    "PublicationState",
    "PublisherID",
    "UpdateType",
];

fn behavior<'t, S: Sink<'t>>(source: &Source<'t, S>) -> Result<Behavior, DocumentError> {
    Ok(Behavior {
        can_request_user_input: source.flag("CanRequestUserInput")?,
        requires_network: source.flag("RequiresNetworkConnectivity")?,
        impact: source.optional("Impact")?.unwrap_or_default(),
        reboot: source.optional("RebootBehavior")?,
    })
}

fn severity(text: &str) -> Option<Severity> {
    match text.trim() {
        "Critical" => Some(Severity::Critical),
        "Important" => Some(Severity::Important),
        "Low" => Some(Severity::Low),
        "Moderate" => Some(Severity::Moderate),
        _ => None,
    }
}

impl Value for UpdateType {
    const EXPECTED: &'static str = "Category, Detectoid, Driver or Software";

    fn read(text: &str) -> Option<Self> {
        match text.trim() {
            "Category" => Some(Self::Category),
            "Detectoid" => Some(Self::Detectoid),
            "Driver" => Some(Self::Driver),
            "Software" => Some(Self::Software),
            _ => None,
        }
    }
}

impl Value for PublicationState {
    const EXPECTED: &'static str = "Published or Expired";

    fn read(text: &str) -> Option<Self> {
        match text.trim() {
            "Expired" => Some(Self::Expired),
            "Published" => Some(Self::Published),
            _ => None,
        }
    }
}

impl Value for Impact {
    const EXPECTED: &'static str = "Minor, Normal or RequiresExclusiveHandling";

    fn read(text: &str) -> Option<Self> {
        match text.trim() {
            "Minor" => Some(Self::Minor),
            "Normal" => Some(Self::Normal),
            "RequiresExclusiveHandling" => Some(Self::RequiresExclusiveHandling),
            _ => None,
        }
    }
}

impl Value for RebootBehavior {
    const EXPECTED: &'static str = "AlwaysRequiresReboot, CanRequestReboot or NeverReboots";

    fn read(text: &str) -> Option<Self> {
        match text.trim() {
            "AlwaysRequiresReboot" => Some(Self::AlwaysRequiresReboot),
            "CanRequestReboot" => Some(Self::CanRequestReboot),
            "NeverReboots" => Some(Self::NeverReboots),
            _ => None,
        }
    }
}
