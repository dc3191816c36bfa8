//! What a scripted upstream serves.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    document::{Limits, UpdateDocument},
    ids::{CollectionId, ContentDigest, UpdateId, UpdateIdentity},
    update::UpdateType,
};
use weir_wire::wsss::{
    ChangedComputer, RollupComputerStatus, RollupComputers, RollupConfiguration, RollupDownstreamServers,
    ServerSyncConfigData, ServerSyncDeployment, ServerSyncLanguageData, ServerSyncTargetGroup,
};

use crate::{Document, Payload};

/// In which form documents are sent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Blobs {
    /// In cabinets from this many bytes of UTF-16 on; Windows has 5,120.
    CabinetFrom(usize),
    /// As text.
    #[default]
    Text,
}

/// One revision.
#[derive(Clone, Debug)]
pub struct ServedRevision {
    /// Its text.
    pub text: String,
    /// What stands in it.
    pub document: UpdateDocument,
    /// The number of the change that brought it.
    pub change: i64,
    /// Whether lists name it. One that is not can still be fetched.
    pub listed: bool,
}

/// A file and what is said of it.
#[derive(Clone, Debug)]
pub struct ServedFile {
    /// Name and bytes.
    pub payload: Payload,
    /// Whether it is here already; if not, 404 until DownloadFiles named it.
    pub here: bool,
}

/// A deployment and the change that brought it.
#[derive(Clone, Debug)]
pub struct ServedDeployment {
    /// As it is sent.
    pub deployment: ServerSyncDeployment,
    /// The number of the change that brought it, or that removed it.
    pub change: i64,
    /// Whether it was removed.
    pub dead: bool,
}

/// What downstream servers rolled up, as received.
#[derive(Clone, Debug, Default)]
pub struct RolledUp {
    /// In order of arrival.
    pub servers: Vec<RollupDownstreamServers>,
    /// In order of arrival.
    pub computers: Vec<RollupComputers>,
    /// In order of arrival; those answered with "busy" are not here.
    pub status: Vec<RollupComputerStatus>,
}

/// Everything that a scripted upstream answers from. Cloning keeps a state to go back to.
#[derive(Clone, Debug)]
pub struct Served {
    /// As GetConfigData gives it, but for anchor and languages.
    pub config: ServerSyncConfigData,
    /// All languages; each call gets those that changed since its anchor.
    pub languages: Vec<(i64, ServerSyncLanguageData)>,
    /// Which database this is. The first call with a cookie of another one is answered with ServerChanged; later calls
    /// with it are served, since the specification lets a downstream server carry on.
    pub incarnation: u32,
    /// Cookies of other incarnations whose holder was told.
    pub told: BTreeSet<Vec<u8>>,
    /// How long a cookie is valid, in seconds.
    pub cookie_seconds: i64,
    /// By identity.
    pub revisions: BTreeMap<UpdateIdentity, ServedRevision>,
    /// By digest. Documents may name others, which are then nowhere.
    pub files: BTreeMap<ContentDigest, ServedFile>,
    /// Groups, the root first.
    pub groups: Vec<ServerSyncTargetGroup>,
    /// All that ever were.
    pub deployments: Vec<ServedDeployment>,
    /// Declined updates.
    pub hidden: BTreeSet<UpdateId>,
    /// Accepted licences.
    pub eulas: BTreeSet<Uuid>,
    /// Most bytes of a GetUpdateData answer; at least one document is sent whatever its size. Fewer than asked for may
    /// come.
    pub answer_bytes: usize,
    /// In which form documents are sent.
    pub blobs: Blobs,
    /// Whether lists hold the members of the bundles that match, as genuine servers do.
    pub lists_members: bool,
    /// Whether an unknown identity makes all of GetUpdateData fail, as with genuine servers.
    pub strict_ids: bool,
    /// Whether the old revisions of an update are listed too.
    pub lists_old_revisions: bool,
    /// What GetRollupConfiguration gives.
    pub rollup: RollupConfiguration,
    /// How many times RollupComputerStatus is answered with "busy" yet.
    pub busy: usize,
    /// What RollupComputers answers.
    pub changed_computers: Vec<ChangedComputer>,
    /// What GetOutOfSyncComputers answers, of those asked about.
    pub out_of_sync: BTreeSet<String>,
    /// What was rolled up.
    pub rolled_up: RolledUp,
    /// The number of the last change.
    pub change: i64,
}

impl Served {
    /// A server that holds nothing: two built-in groups, English, batches of 100, 2,000,000 bytes per answer.
    pub fn new() -> Self {
        let group = |id: CollectionId, parent: CollectionId, name: &str| ServerSyncTargetGroup {
            target_group_id: id,
            parent_group_id: parent,
            name: Some(name.to_owned()),
            is_builtin: true,
        };
        let language = |id: i32, short: &str, long: &str, enabled: bool| ServerSyncLanguageData {
            language_id: id,
            short_language: Some(short.to_owned()),
            long_language: Some(long.to_owned()),
            enabled,
        };
        Self {
            config: ServerSyncConfigData {
                catalog_only_sync: false,
                lazy_sync: true,
                server_hosts_psf_files: false,
                max_number_of_computer_ids_in_request: 0,
                max_number_of_driver_sets_per_request: 0,
                max_number_of_pnp_hardware_ids_in_request: 0,
                max_number_of_updates_per_request: 100,
                new_config_anchor: None.into(),
                protocol_version: Some("1.20".to_owned()),
                language_update_list: Vec::new().into(),
                max_updates_per_decryption_request: 100,
            },
            languages: vec![
                (1, language(0, "all", "all", false)),
                (1, language(1033, "en", "English", true)),
                (1, language(1031, "de", "German", false)),
            ],
            incarnation: 1,
            told: BTreeSet::new(),
            cookie_seconds: 240 * 60,
            revisions: BTreeMap::new(),
            files: BTreeMap::new(),
            groups: vec![
                group(CollectionId::ALL_COMPUTERS, CollectionId(Uuid::nil()), "All Computers"),
                group(CollectionId::UNASSIGNED_COMPUTERS, CollectionId::ALL_COMPUTERS, "Unassigned Computers"),
            ],
            deployments: Vec::new(),
            hidden: BTreeSet::new(),
            eulas: BTreeSet::new(),
            answer_bytes: 2_000_000,
            blobs: Blobs::Text,
            lists_members: true,
            strict_ids: false,
            lists_old_revisions: false,
            rollup: RollupConfiguration {
                do_detailed_rollup: true,
                rollup_reset_guid: Uuid::from_u128(0x0a11),
                server_id: Uuid::from_u128(0x05e7_7e12),
                rollup_downstream_servers_max_batch_size: 5_000,
                rollup_computers_max_batch_size: 1_500,
                get_out_of_sync_computers_max_batch_size: 20_000,
                rollup_computer_status_max_batch_size: 500,
            },
            busy: 0,
            changed_computers: Vec::new(),
            out_of_sync: BTreeSet::new(),
            rolled_up: RolledUp::default(),
            change: 1,
        }
    }

    /// Adds documents and their files.
    pub fn with(mut self, documents: impl IntoIterator<Item = Document>) -> Self {
        for document in documents {
            self.add(&document);
        }
        self
    }

    /// Adds one document and its files, as the next change.
    pub fn add(&mut self, document: &Document) {
        for payload in document.payloads() {
            self.add_file(payload.clone());
        }
        self.add_text(document.to_xml());
    }

    /// Adds one document, as the next change.
    ///
    /// # Panics
    ///
    /// If it is not one.
    pub fn add_text(&mut self, text: String) {
        let document = UpdateDocument::parse(&text, &Limits::default())
            .unwrap_or_else(|error| panic!("not an update document: {error}\n{text}"));
        self.change += 1;
        let revision = ServedRevision { document, text, change: self.change, listed: true };
        self.revisions.insert(revision.document.identity, revision);
    }

    /// Adds a file that is here.
    pub fn add_file(&mut self, payload: Payload) {
        self.files.insert(payload.sha1(), ServedFile { payload, here: true });
    }

    /// Deploys, as the next change.
    pub fn deploy(&mut self, deployment: ServerSyncDeployment) {
        self.change += 1;
        self.deployments.push(ServedDeployment { deployment, change: self.change, dead: false });
    }

    /// Removes a deployment, as the next change.
    pub fn undeploy(&mut self, id: Uuid) {
        self.change += 1;
        for served in &mut self.deployments {
            if served.deployment.deployment_guid == id {
                (served.dead, served.change) = (true, self.change);
            }
        }
    }

    /// Whether GetConfig=true lists a revision.
    pub(super) fn is_configuration(revision: &ServedRevision) -> bool {
        matches!(revision.document.update_type, UpdateType::Category | UpdateType::Detectoid)
    }

    /// The time of a change, which is part of anchors: a second per change from a fixed one on.
    pub fn time_of(change: i64) -> Timestamp {
        // 2026-10-04T16:00:00Z
        Timestamp::from_second(1_791_129_600 + change).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

impl Default for Served {
    fn default() -> Self {
        Self::new()
    }
}
