//! Reporting roll-ups (MS-WSUSSS 3.1.4.13 to 3.1.4.17, 3.2.4.5): what a server tells its upstream about itself, the servers
//! below it, their computers and the state of every update on them.
//!
//! The values here are those of the messages, freed of their wire form; times are instants, "never" is `None`.

mod clock;
mod servers;
mod speak;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use uuid::Uuid;

use crate::ids::{CollectionId, ComputerId, UpdateIdentity};

pub use clock::{Clock, effective_for};
pub use servers::{ParentError, Place, ancestors, installation, place, server_batches};
pub use speak::{SETTLED, Standing, Unheard, Verdict, judge};

/// What an upstream answers to GetRollupConfiguration (3.1.4.13.3.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RollupConfiguration {
    /// It takes computers and their status, not only servers.
    pub detailed: bool,
    /// Another value than last time means: what was rolled up before is lost there.
    pub reset: Uuid,
    /// Who it is.
    pub server: Uuid,
    /// [`ClientSummary`] structures per RollupDownstreamServers request, over all its servers.
    pub servers_batch: u32,
    /// Computers per RollupComputers request.
    pub computers_batch: u32,
    /// Numbers per GetOutOfSyncComputers request.
    pub out_of_sync_batch: u32,
    /// Computers per RollupComputerStatus request.
    pub status_batch: u32,
}

/// A server that reports (3.1.4.14.3.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerEntry {
    /// Its GUID.
    pub id: Uuid,
    /// Its host name.
    pub name: String,
    /// Last synchronization from its upstream.
    pub last_sync: Option<Timestamp>,
    /// Its upstream; the zero GUID is the receiver of the request.
    pub parent: Uuid,
    /// One to four numbers with dots between.
    pub version: String,
    /// It mirrors deployments.
    pub replica: bool,
    /// When it reported.
    pub last_rollup: Option<Timestamp>,
    /// Its figures.
    pub summary: ServerSummary,
    /// Its computers by kind of operating system.
    pub clients: Vec<ClientSummary>,
}

/// Figures of one server (3.1.4.14.3.3), of its own computers alone.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct ServerSummary {
    /// Updates.
    pub updates: i32,
    /// Declined.
    pub declined: i32,
    /// Neither declined nor without a deployment to install or uninstall.
    pub approved: i32,
    /// Neither declined nor approved.
    pub not_approved: i32,
    /// Approved in a revision that is not the newest.
    pub stale_approvals: i32,
    /// Expired, without a deployment.
    pub expired: i32,
    /// Critical and security updates not deployed for installation.
    pub critical_or_security_not_approved: i32,
    /// Updates that the service itself needs, not deployed for installation. Off-spec: known by the classification WSUS
    /// Infrastructure, since `IsMandatory` is not kept.
    pub infrastructure_not_approved: i32,
    /// Failed on a computer.
    pub with_client_errors: i32,
    /// A file could not be fetched.
    pub with_server_errors: i32,
    /// Files are not here yet.
    pub needing_files: i32,
    /// Needed by a computer.
    pub needed_by_computers: i32,
    /// Installed wherever they apply.
    pub up_to_date: i32,
    /// Collections besides the built-in ones.
    pub custom_groups: i32,
    /// Computers.
    pub computers: i32,
    /// Computers that need something.
    pub computers_needing: i32,
    /// Computers on which something failed.
    pub computers_with_errors: i32,
    /// Computers that need nothing.
    pub computers_up_to_date: i32,
}

/// What kind of operating system computers have (3.1.4.14.3.5).
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Serialize, serde::Deserialize)]
#[expect(missing_docs, reason = "the names are those of the protocol document")]
pub struct OsFingerprint {
    pub os_major_version: i32,
    pub os_minor_version: i32,
    pub os_build_number: i32,
    pub os_service_pack_major_number: i32,
    pub os_service_pack_minor_number: i32,
    pub os_locale: String,
    pub suite_mask: i16,
    pub old_product_type: u8,
    pub new_product_type: i32,
    pub system_metrics: i32,
    pub processor_architecture: String,
}

/// The computers of one server with one kind of operating system.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClientSummary {
    /// Which kind.
    pub os: OsFingerprint,
    /// How many.
    pub count: i32,
    /// Installations since the last roll-up.
    pub activity: Vec<Activity>,
}

/// Installations of a revision (3.1.4.14.3.7). Counts are increments.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Activity {
    /// Which.
    pub update: UpdateIdentity,
    /// That succeeded.
    pub succeeded: i32,
    /// That failed.
    pub failed: i32,
}

/// How a computer's last synchronization ended (3.1.4.15.3.2).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SyncOutcome {
    /// It never synchronized, or that is not known.
    #[default]
    Unknown,
    /// Succeeded.
    Succeeded,
    /// Failed.
    Failed,
}

/// A computer (3.1.4.15.3.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ComputerEntry {
    /// Which.
    pub id: ComputerId,
    /// Last detection.
    pub last_sync: Option<Timestamp>,
    /// How it ended.
    pub outcome: SyncOutcome,
    /// Last restart.
    pub last_reboot: Option<Timestamp>,
    /// Last report of status.
    pub last_report: Option<Timestamp>,
    /// Last inventory.
    pub last_inventory: Option<Timestamp>,
    /// The server that it scans against.
    pub parent: Uuid,
    /// What it is, if that changed.
    pub details: Option<ComputerDetails>,
}

/// What a computer is (3.1.4.15.3.3).
#[derive(Clone, Debug, Default, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names are those of the protocol document")]
pub struct ComputerDetails {
    pub groups: Vec<CollectionId>,
    pub requested_groups: Vec<String>,
    pub ip_address: String,
    pub name: String,
    pub os: OsFingerprint,
    pub os_family: String,
    pub os_description: String,
    pub make: String,
    pub model: String,
    pub bios_version: String,
    pub bios_name: String,
    pub bios_release_date: Option<Timestamp>,
    pub client_version: String,
}

/// What the receiver answers about a computer (3.1.4.15.4.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ComputerChange {
    /// It was deleted there.
    Deleted,
    /// It is new there, or came from another server: its details are wanted.
    NewParent,
}

/// The number of the last status that a sender sent of a computer (3.1.4.16.3.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LastNumber {
    /// Which computer.
    pub computer: ComputerId,
    /// Its number.
    pub number: i32,
}

/// The status of a computer (3.1.4.17.3.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StatusEntry {
    /// New for every entry that is made.
    pub instance: Uuid,
    /// Which computer.
    pub computer: ComputerId,
    /// What arrived at the servers up to then, the computer has evaluated.
    pub effective: Option<Timestamp>,
    /// One more than the last.
    pub number: i32,
    /// It is all there is to say; else what changed.
    pub full: bool,
    /// States.
    pub states: Vec<UpdateStatus>,
}

/// The state of an update on a computer (3.1.4.17.3.4).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UpdateStatus {
    /// Which update.
    pub update: crate::ids::UpdateId,
    /// `SummarizationState`, 0 to 6 ([`crate::status::State::protocol_number`]).
    pub state: u8,
    /// Since when.
    pub changed: Timestamp,
}
