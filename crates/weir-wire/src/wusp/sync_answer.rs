//! The answer of SyncUpdates and SyncPrinterCatalog as a whole (MS-WUSP 2.2.2.2.4).

use jiff::{Timestamp, civil::Date};
use weir_model::ids::{DeploymentId, RevisionId};

use super::Cookie;
use crate::soap::{Content, Cursor, FieldValue, Item, Malformed, Xml, record, write_date};

record! {
    /// What changed for a computer. Small ones; [`super::SyncWriter`] writes the others.
    pub struct SyncInfo {
        /// What the computer does not have yet.
        new_updates: Vec<UpdateInfo> = "NewUpdates",
        /// What it shall forget.
        out_of_scope_revision_ids: Vec<RevisionId> = "OutOfScopeRevisionIDs",
        /// What it has and what got another deployment or IsLeaf. Without Core.
        changed_updates: Vec<UpdateInfo> = "ChangedUpdates",
        /// Whether there is more.
        truncated: bool = "Truncated",
        /// The cookie with the new anchors.
        new_cookie: Option<Cookie> = "NewCookie",
        /// What it shall hide: in scope, but not of this scan.
        deployed_out_of_scope_revision_ids: Vec<RevisionId> = "DeployedOutOfScopeRevisionIds",
        /// `true` if no driver is in scope.
        driver_sync_not_needed: Option<String> = "DriverSyncNotNeeded",
    }
}

record! {
    /// Answer to SyncUpdates.
    pub struct SyncUpdatesAnswer {
        /// What changed.
        result: Option<SyncInfo> = "SyncUpdatesResult",
    }
}

record! {
    /// Answer to SyncPrinterCatalog.
    pub struct SyncPrinterCatalogAnswer {
        /// What changed.
        result: Option<SyncInfo> = "SyncPrinterCatalogResult",
    }
}

record! {
    /// A revision offered to a computer.
    pub struct UpdateInfo {
        /// The revision.
        id: RevisionId = "ID",
        /// Present in every entry: the agent rejects an answer without it (OBS).
        deployment: Option<Deployment> = "Deployment",
        /// Whether nothing depends on it.
        is_leaf: bool = "IsLeaf",
        /// The Core fragment, unescaped.
        xml: Option<String> = "Xml",
    }
}

impl Item for UpdateInfo {
    const NAME: &'static str = "UpdateInfo";
}

record! {
    /// What to do with a revision.
    pub struct Deployment {
        /// The deployment, in a number space of its own.
        id: DeploymentId = "ID",
        /// What to do.
        action: Action = "Action",
        /// Until when, for installations.
        deadline: Option<Timestamp> = "Deadline",
        /// True: automatic. False: offered.
        is_assigned: bool = "IsAssigned",
        /// The day of its last change.
        last_change_time: ChangeDate = "LastChangeTime",
        /// 1 low to 3 high; left out when normal.
        download_priority: Option<i32> = "DownloadPriority",
        /// For drivers: the ids of this computer that the driver is the best for. Clients from 1.6 on.
        hardware_ids: Vec<String> = "HardwareIds",
        /// 0. Clients from 1.8 on.
        auto_select: Option<i32> = "AutoSelect",
        /// 0. Clients from 1.8 on.
        auto_download: Option<i32> = "AutoDownload",
        /// 0. Clients from 1.8 on.
        supersedence_behavior: Option<i32> = "SupersedenceBehavior",
        /// Never seen.
        flag_bitmask: Option<String> = "FlagBitmask",
    }
}

impl Deployment {
    /// A deployment with the four fields that each has.
    pub fn new(id: DeploymentId, action: Action, is_assigned: bool, changed: Date) -> Self {
        Self {
            id,
            action,
            deadline: None,
            is_assigned,
            last_change_time: ChangeDate(changed),
            download_priority: None,
            hardware_ids: Vec::new(),
            auto_select: None,
            auto_download: None,
            supersedence_behavior: None,
            flag_bitmask: None,
        }
    }

    /// Adds the fields that clients from 1.8 on expect: AutoSelect, AutoDownload and SupersedenceBehavior, all 0 (OBS).
    pub fn with_client_defaults(self) -> Self {
        Self { auto_select: Some(0), auto_download: Some(0), supersedence_behavior: Some(0), ..self }
    }
}

/// A day: `yyyy-mm-dd` (OBS). A time of day, which the text of the specification allows too, is read and dropped.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ChangeDate(pub Date);

impl Content for ChangeDate {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        Timestamp::read(cursor).map(|moment| Self(jiff::tz::Offset::UTC.to_datetime(moment).date()))
    }

    fn put(&self, xml: &mut Xml<'_>) {
        write_date(xml.out, self.0);
    }
}

impl FieldValue for ChangeDate {
    fn absent(_strict: bool) -> Option<Self> {
        None
    }

    fn read_field(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        Self::read(cursor)
    }

    fn write_field(&self, name: &str, xml: &mut Xml<'_>) {
        xml.element(name, |xml| self.put(xml));
    }
}

/// What a computer does with a revision (MS-WUSP 2.2.2.2.4, DeploymentAction).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Action {
    /// Not offered, overriding another deployment. This server sends PreDeploymentCheck instead.
    Block,
    /// Installed as a part of a bundle.
    Bundle,
    /// Evaluated only: others depend on the result.
    Evaluate,
    /// Installed.
    Install,
    /// Offered, not installed by itself.
    OptionalInstall,
    /// Evaluated and reported.
    PreDeploymentCheck,
    /// Removed.
    Uninstall,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 7] = [
        Self::Block,
        Self::Bundle,
        Self::Evaluate,
        Self::Install,
        Self::OptionalInstall,
        Self::PreDeploymentCheck,
        Self::Uninstall,
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Block => "Block",
            Self::Bundle => "Bundle",
            Self::Evaluate => "Evaluate",
            Self::Install => "Install",
            Self::OptionalInstall => "OptionalInstall",
            Self::PreDeploymentCheck => "PreDeploymentCheck",
            Self::Uninstall => "Uninstall",
        }
    }
}

impl Content for Action {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        cursor.value(|text| {
            let found = Self::ALL.into_iter().find(|action| action.name() == crate::soap::trim(text));
            found.ok_or("not a deployment action")
        })
    }

    fn put(&self, xml: &mut Xml<'_>) {
        xml.raw(self.name());
    }
}

impl FieldValue for Action {
    fn absent(_strict: bool) -> Option<Self> {
        None
    }

    fn read_field(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        Self::read(cursor)
    }

    fn write_field(&self, name: &str, xml: &mut Xml<'_>) {
        xml.element(name, |xml| self.put(xml));
    }
}
