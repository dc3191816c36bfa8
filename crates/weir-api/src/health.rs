//! `health-report`: how the server is.
//!
//! * `GET health-report` answers a [`HealthReport`]. It needs an administrator; `/healthz` and `/readyz` need nobody.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    job::Job,
    status::{Endpoints, SnapshotStatus},
};

/// How something is.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// As it should be.
    #[default]
    Good,
    /// It needs somebody soon.
    Warning,
    /// It needs somebody now.
    Critical,
}

/// Something that somebody should look at.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HealthFinding {
    /// Stable, for programs: `admission`, `alerts`, `backup`, `certificate`, `disk`, `front_ends`, `jobs`,
    /// `object_store`.
    pub code: String,
    /// How bad it is.
    pub state: HealthState,
    /// What is the matter, in one sentence.
    pub detail: String,
    /// What to do.
    pub next_step: String,
}

/// A certificate.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CertificateHealth {
    /// What it is for: `authority` (that signs the certificates made here), `clients` or `administrators` (made elsewhere).
    pub name: String,
    /// The file, below the data folder if it is there.
    pub file: String,
    /// Whose it is.
    pub subject: Option<String>,
    /// When it ends; null if the file cannot be read.
    pub ends_at: Option<Timestamp>,
    /// Whole days until then; negative afterwards.
    pub days_left: Option<i64>,
    /// Why it cannot be read.
    pub error: Option<String>,
}

/// The database.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DatabaseHealth {
    /// Where it is, as `postgres://user@host/name`, if it is on a server of PostgreSQL; null if it is in the data folder.
    pub server: Option<String>,
    /// Bytes of its files on disk; of PostgreSQL, what its server says of the database.
    pub bytes: u64,
    /// Bytes in them that nothing uses; 0 of PostgreSQL, which sees to that by itself.
    pub unused_bytes: u64,
    /// Whether these can be given back to the disk.
    pub can_give_back: bool,
}

/// Backups.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BackupHealth {
    /// They are made by a schedule.
    pub scheduled: bool,
    /// When the last good one was made; null if none was that this server remembers.
    pub last_good_at: Option<Timestamp>,
    /// When the last one failed, if that was after the last good one.
    pub last_failed_at: Option<Timestamp>,
    /// Why.
    pub error: Option<String>,
    /// When the next one is due.
    pub next_at: Option<Timestamp>,
}

/// A disk.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DiskHealth {
    /// What is on it: `data` or `content`.
    pub name: String,
    /// Bytes left.
    pub free_bytes: u64,
    /// Bytes that must stay free (setting `content.reserve_gib`), for content.
    pub reserve_bytes: u64,
}

/// What is kept in memory.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MemoryHealth {
    /// Computers.
    pub computers: u64,
    /// Bytes of metadata fragments.
    pub fragment_bytes: u64,
    /// Bytes of the index of compliance, about.
    pub compliance_bytes: u64,
}

/// A server that shares the database with this one, or this one itself.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FrontEndHealth {
    /// Its machine, and the port where computers come.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where administrators reach it.
    pub admin: Option<String>,
    /// When it started.
    pub started_at: Timestamp,
    /// It is the one that answers.
    pub here: bool,
    /// Whole seconds since it was heard of.
    pub silent_seconds: u64,
    /// What it does for all of them.
    pub duties: Vec<String>,
}

/// How the server is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HealthReport {
    /// The worst of the findings.
    pub state: HealthState,
    /// What somebody should look at, worst first.
    pub findings: Vec<HealthFinding>,
    /// Version of the server.
    pub version: String,
    /// When the process started.
    pub started_at: Timestamp,
    /// When this was looked at.
    pub as_of: Timestamp,
    /// Where it listens.
    pub endpoints: Endpoints,
    /// Certificates that files hold.
    pub certificates: Vec<CertificateHealth>,
    /// The database.
    pub database: DatabaseHealth,
    /// Backups.
    pub backup: BackupHealth,
    /// Disks.
    pub disks: Vec<DiskHealth>,
    /// What is kept in memory.
    pub memory: MemoryHealth,
    /// The catalogue that scans read.
    pub snapshot: SnapshotStatus,
    /// Open alerts.
    pub alerts: u64,
    /// Notices that wait to be delivered.
    pub deliveries_waiting: u64,
    /// Jobs that wait or run, and those that failed last.
    pub jobs: Vec<Job>,
    /// The servers that share the database, by name; none where one has it alone.
    #[serde(default)]
    pub front_ends: Vec<FrontEndHealth>,
}
