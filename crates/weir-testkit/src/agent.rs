//! A scripted Windows Update Agent: what a computer does on the wire, with a scripted set of installed updates in place
//! of rule evaluation.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use weir_model::ids::{ContentDigest, UpdateId, UpdateIdentity};

/// The computer that the agent plays.
#[derive(Clone, Debug)]
pub struct Computer {
    /// `SusClientId`.
    pub client_id: String,
    /// Fully qualified name.
    pub dns_name: String,
    /// Target group it asks for (client-side targeting), several separated by `;`.
    pub target_group: Option<String>,
    /// Client protocol version, such as `2.90`.
    pub protocol_version: String,
    /// Updates whose IsInstalled rule is true here: categories, detectoids and installed software.
    pub installed: BTreeSet<UpdateId>,
    /// Treat every category and detectoid as installed (evaluated true), beyond `installed`.
    pub everything_applies: bool,
    /// The `SystemSpec` of its driver pass: the children as XML text, empty for no devices.
    pub system_spec: String,
}

/// One revision in the agent's cache.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cached {
    /// Which revision.
    pub identity: UpdateIdentity,
    /// As the server said.
    pub is_leaf: bool,
    /// Came in the driver pass.
    pub is_driver: bool,
    /// `Deployment/Action`.
    pub action: String,
    /// `Deployment/Deadline`.
    pub deadline: Option<String>,
    /// `Deployment/IsAssigned`.
    pub is_assigned: bool,
    /// `Properties/@ExplicitlyDeployable` of the Core fragment.
    pub deployable: bool,
    /// Bundled revisions, one list per clause.
    pub bundled: Vec<Vec<UpdateIdentity>>,
    /// Hidden by DeployedOutOfScopeRevisionIds.
    pub hidden: bool,
}

/// What the agent keeps between scans.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AgentState {
    /// `Config/LastChange` of the last GetConfig, if any.
    pub last_change: Option<String>,
    /// `Expiration` and `EncryptedData` of the current cookie, if any.
    pub cookie: Option<(String, String)>,
    /// The cache by RevisionID.
    pub cache: BTreeMap<i32, Cached>,
}

/// What a scan brought.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ScanOutcome {
    /// SyncUpdates calls of the software pass.
    pub calls: usize,
    /// Entries in NewUpdates over all calls.
    pub new: Vec<UpdateIdentity>,
    /// RevisionIDs in ChangedUpdates over all calls.
    pub changed: Vec<i32>,
    /// RevisionIDs out of scope over all calls.
    pub out_of_scope: Vec<i32>,
    /// RevisionIDs deployed, but outside the filter, over all calls.
    pub deployed_out_of_scope: Vec<i32>,
    /// What the last answer said of drivers.
    pub driver_sync_not_needed: bool,
    /// Drivers offered in the driver pass.
    pub drivers: Vec<UpdateIdentity>,
    /// Updates that the computer would now install or offer: action Install, OptionalInstall or Uninstall.
    pub offered: Vec<UpdateIdentity>,
    /// Bytes of answers as decoded.
    pub bytes: u64,
    /// Largest single answer.
    pub largest: u64,
    /// Fault codes that the agent recovered from.
    pub recovered: Vec<String>,
}

/// One file that an update needs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NeededFile {
    /// `File/@Digest`.
    pub digest: ContentDigest,
    /// `File/@FileName`.
    pub name: String,
    /// `File/@Size`.
    pub size: u64,
    /// SHA-256 as base64.
    pub sha256: String,
    /// `FileLocation/Url`.
    pub url: String,
}

/// The agent.
#[derive(Debug)]
pub struct ScriptedAgent {
    /// Whom it plays.
    pub computer: Computer,
    /// What it remembers.
    pub state: AgentState,
}

impl ScriptedAgent {
    /// An agent of `computer` against the server at `base`, such as `http://127.0.0.1:8530`.
    pub fn new(base: &str, computer: Computer) -> Self {
        let _ = base;
        Self { computer, state: AgentState::default() }
    }

    /// A full scan: handshake where needed, the software loop, one driver pass.
    pub async fn scan(&mut self) -> Result<ScanOutcome> {
        unimplemented!()
    }

    /// A scan filtered to these categories, after StartCategoryScan.
    pub async fn category_scan(&mut self, categories: &[UpdateId]) -> Result<ScanOutcome> {
        let _ = categories;
        unimplemented!()
    }

    /// Extended information and file locations of these revisions, asked for in chunks of 50; the files they need.
    pub async fn files_of(&mut self, revisions: &[i32]) -> Result<Vec<NeededFile>> {
        let _ = revisions;
        unimplemented!()
    }

    /// Downloads in shuffled 1 MiB ranges over up to 7 connections, and verifies size, SHA-1 and SHA-256.
    pub async fn download(&self, file: &NeededFile) -> Result<Vec<u8>> {
        let _ = file;
        unimplemented!()
    }

    /// Downloads and installs everything offered (members of bundles included), reporting events as an agent does.
    pub async fn install_offered(&mut self) -> Result<Vec<UpdateIdentity>> {
        unimplemented!()
    }

    /// Reports what an agent reports after a scan: 147 and a 156 that lists needed and installed updates.
    pub async fn report_scan(&mut self) -> Result<()> {
        unimplemented!()
    }
}
