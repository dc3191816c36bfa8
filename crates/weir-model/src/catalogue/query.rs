//! Requests to a snapshot and its answers.

use std::fmt;

use jiff::Timestamp;
use uuid::Uuid;

use super::{Related, Timed};
use crate::{
    ids::{ChangeNumber, CollectionId, RevisionId, RevisionNumber, UpdateId, UpdateIdentity},
    targeting::{DeploymentAction, Ruling},
    update::UpdateType,
};

/// How large one answer may get.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PageLimits {
    /// Most new updates in one answer; 0 counts as 1.
    pub entries: usize,
    /// Most bytes of new updates: escaped Core fragments and [`Entry::OVERHEAD`] for each; 0 is no limit. The first
    /// new update is sent whatever its size.
    pub bytes: u64,
    /// Whether to skip an entry that does not fit and go on with smaller ones; otherwise the page ends there, as WSUS's
    /// does.
    pub fill: bool,
}

impl Default for PageLimits {
    /// 100 entries, 5 MiB, filling (calibrated: first scans of 5,000 revisions stay below the agent's 200 calls).
    fn default() -> Self {
        Self { entries: 100, bytes: 5 << 20, fill: true }
    }
}

/// A software pass: the lists of the request and the anchor of its cookie. Ids may be unsorted, repeated or unknown.
#[derive(Clone, Copy, Debug, Default)]
pub struct SoftwareQuery<'a> {
    /// `InstalledNonLeafUpdateIDs`.
    pub installed: &'a [RevisionId],
    /// `OtherCachedUpdateIDs`.
    pub other: &'a [RevisionId],
    /// `FilterCategoryIds`, resolved; none for a full scan.
    pub filter: Option<&'a Related>,
    /// `NeedTwoGroupOutOfScopeUpdates`.
    pub two_groups: bool,
    /// The anchor of the cookie; none if it has none, then everything cached counts as changed.
    pub anchor: Option<ChangeNumber>,
    /// Everything cached counts as changed: the computer moved since the anchor, and something else is decided for it now
    /// ([`super::Decided`]).
    pub everything_changed: bool,
    /// What the time of day makes of deployments.
    pub timed: Timed<'a>,
}

/// A driver pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct DriverQuery<'a> {
    /// `InstalledNonLeafUpdateIDs`.
    pub installed: &'a [RevisionId],
    /// `CachedDriverIDs`.
    pub cached: &'a [RevisionId],
    /// `FilterCategoryIds`, resolved; none for a full scan.
    pub filter: Option<&'a Related>,
    /// `NeedTwoGroupOutOfScopeUpdates`.
    pub two_groups: bool,
    /// The driver anchor of the cookie.
    pub anchor: Option<ChangeNumber>,
    /// Everything cached counts as changed.
    pub everything_changed: bool,
    /// What the time of day makes of deployments.
    pub timed: Timed<'a>,
    /// `SystemSpec`.
    pub devices: &'a [Device],
    /// `ComputerSpec/HardwareIDs`, most specific first.
    pub computer_ids: &'a [Uuid],
    /// `FeatureScoreMatchingKey`, such as `AMD64.10.0`, in any case.
    pub feature_key: Option<&'a str>,
}

/// A printer catalogue pass (SyncPrinterCatalog).
#[derive(Clone, Copy, Debug, Default)]
pub struct PrinterQuery<'a> {
    /// `installedNonLeafUpdateIDs`.
    pub installed: &'a [RevisionId],
    /// `printerUpdateIDs`.
    pub cached: &'a [RevisionId],
    /// The printer anchor of the cookie.
    pub anchor: Option<ChangeNumber>,
    /// Everything cached counts as changed.
    pub everything_changed: bool,
    /// What the time of day makes of deployments.
    pub timed: Timed<'a>,
}

/// One `Device` of SystemSpec (MS-WUSP 2.2.2.2.4).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Device {
    /// `HardwareIDs`, most specific first.
    pub hardware_ids: Vec<String>,
    /// `CompatibleIDs`, less specific than every hardware id.
    pub compatible_ids: Vec<String>,
    /// `installedDriver`.
    pub installed: Option<InstalledDriver>,
    /// `extensionDriver`s.
    pub extensions: Vec<InstalledExtension>,
}

/// `installedDriver` of a device.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct InstalledDriver {
    /// `MatchingID`: the id of the device that the driver matched. Without it there is no driver.
    pub matching_id: Option<String>,
    /// `DriverVerDate` as milliseconds since 1970 UTC.
    pub date_ms: i64,
    /// `DriverVerVersion` as `a << 48 | b << 32 | c << 16 | d`, from the wire's long bit by bit.
    pub version: u64,
    /// `Class`.
    pub class: String,
    /// `Manufacturer`.
    pub manufacturer: String,
    /// `Provider`.
    pub provider: String,
    /// `MatchingComputerHWID`.
    pub matching_computer_id: Option<Uuid>,
    /// `DriverRank`; bits 16 to 23 are the feature score, -1 is unknown.
    pub rank: i32,
}

/// One `extensionDriver` of a device.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct InstalledExtension {
    /// `ExtensionId`, a GUID in any form.
    pub extension_id: String,
    /// `DriverVerDate` as milliseconds since 1970 UTC.
    pub date_ms: i64,
    /// `DriverVerVersion`, as of [`InstalledDriver::version`].
    pub version: u64,
    /// `Class`.
    pub class: String,
    /// `DriverRank`, as of [`InstalledDriver::rank`].
    pub rank: i32,
    /// `MatchingComputerHWID`.
    pub matching_computer_id: Option<Uuid>,
}

/// `DeploymentAction` on the wire (MS-WUSP 2.2.2.2.4). Block is never sent.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum WireAction {
    /// A member of a bundle.
    Bundle,
    /// Not offered, not reported: categories, detectoids and other dependencies.
    Evaluate,
    /// Required installation.
    Install,
    /// Offered, not installed by itself.
    OptionalInstall,
    /// Report only.
    PreDeploymentCheck,
    /// Required removal.
    Uninstall,
}

impl WireAction {
    /// The text on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bundle => "Bundle",
            Self::Evaluate => "Evaluate",
            Self::Install => "Install",
            Self::OptionalInstall => "OptionalInstall",
            Self::PreDeploymentCheck => "PreDeploymentCheck",
            Self::Uninstall => "Uninstall",
        }
    }
}

impl fmt::Display for WireAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The `Deployment` of an entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WireDeployment {
    /// The deployment's own number, or [`WireDeployment::IMPLIED`] + revision id where none was made.
    pub id: i32,
    /// `Action`.
    pub action: WireAction,
    /// `Deadline`.
    pub deadline: Option<Timestamp>,
    /// `IsAssigned`: false for offered updates only.
    pub is_assigned: bool,
    /// `LastChangeTime`.
    pub changed_at: Timestamp,
    /// `HardwareIds` of a driver: those ids of the request for which it is the best, as the request wrote them.
    pub hardware_ids: Vec<String>,
}

impl WireDeployment {
    /// Where the numbers of deployments that nobody made start.
    pub const IMPLIED: i32 = 0x4000_0000;
}

/// One `UpdateInfo` without its text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The revision.
    pub id: RevisionId,
    /// Its deployment.
    pub deployment: WireDeployment,
    /// No present revision has a prerequisite clause that names this update (MS-WUSP 3.1.5.7).
    pub is_leaf: bool,
    /// Length of its escaped Core fragment, in bytes.
    pub core_len: u32,
}

impl Entry {
    /// Bytes of markup around the Core fragment that paging allows for each entry.
    pub const OVERHEAD: u64 = 512;
}

/// The answer to a pass, to be encoded as `SyncInfo`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SyncPlan {
    /// `NewUpdates`: this page of them, non-leaf before leaf, then by id.
    pub new: Vec<Entry>,
    /// `ChangedUpdates`; never cut.
    pub changed: Vec<Entry>,
    /// `OutOfScopeRevisionIDs`, in the order asked, each once.
    pub out_of_scope: Vec<RevisionId>,
    /// `DeployedOutOfScopeRevisionIds`, likewise; empty unless two groups were asked for.
    pub deployed_out_of_scope: Vec<RevisionId>,
    /// More is new than the page holds.
    pub truncated: bool,
    /// The anchor for the new cookie.
    pub anchor: ChangeNumber,
    /// No driver is in scope after the filter.
    pub driver_sync_not_needed: bool,
}

/// One `CategoryRelationship` of StartCategoryScan.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CategoryRelationship {
    /// `IndexOfAndGroup`: entries of the same group are and-ed.
    pub group: i32,
    /// `CategoryId`.
    pub category: UpdateId,
}

/// The answer to StartCategoryScan.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CategoryScan {
    /// `preferredCategoryIds`: products to filter by, in the order asked; empty asks for a full scan.
    pub preferred: Vec<UpdateId>,
    /// `requestedCategoryIdsInError`: unknown categories, in the order asked.
    pub in_error: Vec<UpdateId>,
}

/// Why StartCategoryScan is refused with InvalidParameters.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CategoryScanError {
    /// No category was asked for.
    #[error("requestedCategories is empty; name at least one category")]
    Missing,
    /// 200 or more were asked for (MS-WUSP product behaviour note 52).
    #[error("requestedCategories has {0} entries; the limit is 199")]
    TooMany(usize),
}

/// One thing that a revision lacks to be resolved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Lack {
    /// A bare prerequisite names an update of which no revision is present.
    Prerequisite(UpdateId),
    /// A prerequisite clause none of whose alternatives is present.
    PrerequisiteClause(Vec<UpdateId>),
    /// A clause whose alternatives are here and need this very revision, or each other, in the end: none of them can ever
    /// be installed.
    Circle(Vec<UpdateId>),
    /// A bundle clause none of whose alternatives is present and resolved.
    BundleClause(Vec<UpdateIdentity>),
}

/// An update in a scope.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Offer {
    /// The revision sent.
    pub id: RevisionId,
    /// Its identity.
    pub identity: UpdateIdentity,
    /// Its type.
    pub update_type: UpdateType,
    /// The action on the wire.
    pub action: WireAction,
    /// `Properties/@ExplicitlyDeployable`.
    pub explicitly_deployable: bool,
    /// When it came into the scope, see [`super::Snapshot::entered`].
    pub entered: ChangeNumber,
    /// Reports list it and compliance counts it: a leaf that is software or a driver and neither a bundle member nor a
    /// mere dependency.
    pub reportable: bool,
}

/// How an update stands to the computers of a set of collections.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// No revision is present.
    Unknown,
    /// Declined: never sent.
    Declined,
    /// Its newest revision is expired: not sent.
    Expired,
    /// It lacks something: not sent.
    Unresolved,
    /// The computers get deployed updates only, and nothing deployed needs this one.
    NotDeployed,
    /// Sent.
    Sent {
        /// Which revision.
        revision: RevisionNumber,
        /// With which action.
        action: WireAction,
        /// What was deployed, if anything.
        deployed: Option<DeploymentAction>,
    },
}

/// Why an update is offered to the computers of a set of collections as it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Explanation {
    /// The update.
    pub update_id: UpdateId,
    /// What is sent.
    pub standing: Standing,
    /// Which deployment won, and against what.
    pub ruling: Ruling,
}

impl Explanation {
    /// The explanation in words, one sentence a line; `name` gives the name of a collection.
    pub fn describe(&self, name: impl Fn(CollectionId) -> String) -> String {
        format!("{}\n{}", self.ruling.describe(name), self.standing)
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("Not sent: the update is not in the catalogue."),
            Self::Declined => f.write_str("Not sent: the update is declined."),
            Self::Expired => f.write_str("Not sent: the newest revision of the update is expired."),
            Self::Unresolved => f.write_str("Not sent: the update lacks prerequisites or bundle members."),
            Self::NotDeployed => f.write_str("Not sent: these computers get deployed updates only."),
            Self::Sent { revision, action, .. } => write!(f, "Sent as revision {revision} with action {action}."),
        }
    }
}
