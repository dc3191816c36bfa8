//! A scripted Windows Update Agent: what a computer does on the wire (MS-WUSP 3.2 and the recorded exchanges), with a
//! scripted set of installed updates in place of rule evaluation.

mod call;
mod core;
mod download;
mod extended;
mod install;
mod report;
mod scan;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use anyhow::Result;
use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    ids::{UpdateId, UpdateIdentity},
    update::UpdateType,
};
use weir_wire::{
    soap::{ErrorCode, SoapVersion},
    wusp::{Action, Cookie, Device, client::CallError},
};

pub use self::{
    download::download,
    extended::{ExtendedInfo, NeededFile},
    install::Installation,
    report::event,
};
use crate::http::Connection;

/// The computer that the agent plays.
#[derive(Clone, Debug)]
pub struct Computer {
    /// `SusClientId`.
    pub client_id: String,
    /// Fully qualified name.
    pub dns_name: String,
    /// Target groups that it asks for (client-side targeting), several separated by `;`.
    pub target_group: Option<String>,
    /// Client protocol version, such as `2.90`.
    pub protocol_version: String,
    /// SOAP version of its requests.
    pub soap: SoapVersion,
    /// Whether it accepts Xpress.
    pub xpress: bool,
    /// Updates whose IsInstalled rule is true here: categories, detectoids and installed software.
    pub installed: BTreeSet<UpdateId>,
    /// Every category and detectoid evaluates to installed, beyond `installed`.
    pub everything_applies: bool,
    /// Updates whose IsInstallable rule is false here.
    pub not_applicable: BTreeSet<UpdateId>,
    /// How installing goes; success if an update is not named.
    pub outcomes: BTreeMap<UpdateId, Installation>,
    /// Devices of its driver pass.
    pub devices: Vec<Device>,
    /// Computer hardware ids of its driver pass.
    pub hardware_ids: Vec<Uuid>,
    /// Feature score key of its driver pass, such as `AMD64.10.0`.
    pub feature_score_key: Option<String>,
    /// At most this many revisions are named as installed; more are left out, as agents do.
    pub installed_limit: usize,
    /// Clock of its reports; the system's if absent.
    pub clock: Option<Timestamp>,
    /// What it calls its operating system when it registers.
    pub os_description: String,
    /// Build of its operating system, of version 10.0.
    pub os_build: i32,
    /// Revision of that build, which agents of Windows 10 and later tell with each scan; none tells nothing.
    pub os_revision: Option<u32>,
    /// 1 workstation, 2 domain controller, 3 server.
    pub product_type: u8,
}

impl Computer {
    /// A computer with nothing installed, to which every category and detectoid applies.
    pub fn new(client_id: &str, dns_name: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            dns_name: dns_name.to_owned(),
            target_group: None,
            protocol_version: "2.90".to_owned(),
            soap: SoapVersion::V11,
            xpress: true,
            installed: BTreeSet::new(),
            everything_applies: true,
            not_applicable: BTreeSet::new(),
            outcomes: BTreeMap::new(),
            devices: Vec::new(),
            hardware_ids: Vec::new(),
            feature_score_key: None,
            installed_limit: 400,
            clock: None,
            os_description: "Windows 10 Pro".to_owned(),
            os_build: 26_200,
            os_revision: None,
            product_type: 1,
        }
    }

    /// One of many different computers, the same for the same number.
    pub fn numbered(number: u64) -> Self {
        let id = crate::Random::new(number).guid();
        Self::new(&id.to_string(), &format!("pc{number:06}.example.test"))
    }
}

/// One revision in the agent's cache.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cached {
    /// Which revision.
    pub identity: UpdateIdentity,
    /// `Properties/@UpdateType` of the Core fragment.
    pub update_type: UpdateType,
    /// As the server said.
    pub is_leaf: bool,
    /// `Deployment/Action`.
    pub action: Action,
    /// `Deployment/Deadline`.
    pub deadline: Option<Timestamp>,
    /// `Deployment/IsAssigned`.
    pub is_assigned: bool,
    /// `Deployment/HardwareIds`.
    pub hardware_ids: Vec<String>,
    /// `Properties/@ExplicitlyDeployable` of the Core fragment.
    pub deployable: bool,
    /// Bundled revisions, one list per clause.
    pub bundled: Vec<Vec<UpdateIdentity>>,
    /// Out of the filter of the last scan (DeployedOutOfScopeRevisionIds).
    pub hidden: bool,
}

/// What happened to an update since it was offered, besides being installed.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Condition {
    /// Its files are here.
    Downloaded,
    /// Installing it failed.
    Failed,
    /// Installed, waits for a restart.
    PendingRestart,
}

/// What the agent keeps between scans.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentState {
    /// The configuration: its LastChange, and whether registration is required.
    pub config: Option<(Timestamp, bool)>,
    /// Relative address of the authorization service.
    pub service_url: String,
    /// Whether this server knows the computer's data.
    pub registered: bool,
    /// The current cookie.
    pub cookie: Option<Cookie>,
    /// The cache by RevisionID.
    pub cache: BTreeMap<i32, Cached>,
    /// By update.
    pub conditions: BTreeMap<UpdateId, Condition>,
}

/// What a scan brought.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ScanOutcome {
    /// SyncUpdates calls of the software pass.
    pub calls: usize,
    /// Revisions in NewUpdates, by call.
    pub pages: Vec<Vec<UpdateIdentity>>,
    /// RevisionIDs in ChangedUpdates over all calls.
    pub changed: Vec<i32>,
    /// RevisionIDs out of scope over all calls.
    pub out_of_scope: Vec<i32>,
    /// RevisionIDs deployed, but outside the filter, over all calls.
    pub deployed_out_of_scope: Vec<i32>,
    /// What the driver pass said.
    pub driver_sync_not_needed: bool,
    /// Drivers that the driver pass brought.
    pub drivers: Vec<UpdateIdentity>,
    /// What the computer would install or offer now: not installed, applicable, with action Install or OptionalInstall;
    /// installed with action Uninstall.
    pub offered: Vec<UpdateIdentity>,
    /// Bytes of all answers, decoded.
    pub bytes: u64,
    /// Largest single answer, decoded.
    pub largest: u64,
    /// Faults that the agent recovered from.
    pub recovered: Vec<ErrorCode>,
}

impl ScanOutcome {
    /// Everything that came in NewUpdates of the software pass.
    pub fn new_updates(&self) -> impl Iterator<Item = UpdateIdentity> + '_ {
        self.pages.iter().flatten().copied()
    }
}

/// The agent.
#[derive(Debug)]
pub struct ScriptedAgent {
    /// Whom it plays.
    pub computer: Computer,
    /// What it remembers.
    pub state: AgentState,
    /// Every answer is also written into this folder as `NNNNNN.Service.Operation.xml`, for [`crate::wsdl::validate`].
    pub record_to: Option<PathBuf>,
    connection: Connection,
    answers: u32,
    recovered: Vec<ErrorCode>,
    sizes: Vec<u64>,
}

impl ScriptedAgent {
    /// An agent of `computer` against the server at `base`, such as `http://127.0.0.1:8530`.
    ///
    /// # Errors
    ///
    /// `base` is not an `http` address.
    pub fn new(base: &str, computer: Computer) -> Result<Self> {
        Ok(Self {
            computer,
            state: AgentState::default(),
            record_to: None,
            connection: Connection::to(base)?,
            answers: 0,
            recovered: Vec::new(),
            sizes: Vec::new(),
        })
    }

    /// Points it to another server. What it remembers stays, as when a computer's policy changes.
    ///
    /// # Errors
    ///
    /// `base` is not an `http` address.
    pub fn move_to(&mut self, base: &str) -> Result<()> {
        self.connection = Connection::to(base)?;
        Ok(())
    }

    /// The RevisionID of a cached revision.
    pub fn revision_id(&self, identity: UpdateIdentity) -> Option<i32> {
        self.state.cache.iter().find(|(_, cached)| cached.identity == identity).map(|(id, _)| *id)
    }

    /// Whether an update counts as installed here.
    fn is_installed(&self, cached: &Cached) -> bool {
        let pseudo = matches!(cached.update_type, UpdateType::Category | UpdateType::Detectoid);
        self.computer.installed.contains(&cached.identity.update_id)
            || (pseudo
                && self.computer.everything_applies
                && !self.computer.not_applicable.contains(&cached.identity.update_id))
    }

    fn now(&self) -> Timestamp {
        self.computer.clock.unwrap_or_else(Timestamp::now)
    }
}

/// The fault in an error of the agent, if the server answered with one.
pub fn fault_code(error: &anyhow::Error) -> Option<ErrorCode> {
    match error.downcast_ref::<CallError>() {
        Some(CallError::Fault { fault, .. }) => fault.code(),
        _ => None,
    }
}
