//! `backups`: copies of all that a server keeps, on its own disks.
//!
//! * `GET backups` answers a [`crate::List`] of [`Backup`]: what is in the folder of backups, newest first.
//! * `POST backups` with a [`BackupCreate`] begins one and answers its [`BackupRun`]; one that is under way is answered in its place.
//! * `GET backups/status` answers a [`BackupStatus`]: the schedule, the run under way, the last good and the last failed one.
//! * `GET backups/runs` answers a [`crate::List`] of [`BackupRun`], newest first; `GET backups/runs/{id}` one of them; `DELETE`
//!   stops it, and what it wrote is removed.
//!
//! A backup holds every key of the server. It is written below the folder that the process settings allow (`backup.folder`),
//! never sent over the network, and readable by the server's user alone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Body of `POST backups`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BackupCreate {
    /// A folder below the folder of backups; null: as the setting `backup.folder` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// With content files; null: as the setting `backup.content` says. Their list is always in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<bool>,
}

/// Where a run is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackupState {
    /// Stopped by an administrator.
    Cancelled,
    /// There is a backup.
    Done,
    /// There is none.
    Failed,
    /// Under way.
    Running,
    /// Asked for and not begun.
    Waiting,
}

/// What a run is doing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackupPhase {
    /// Looks whether there is room.
    #[default]
    Preparing,
    /// Copies the database.
    Database,
    /// Checks the copy.
    Checking,
    /// Copies keys, settings and content files.
    Files,
    /// Compares digests.
    Digests,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BackupProgress {
    /// What it is doing.
    pub phase: BackupPhase,
    /// Bytes of this phase that are done.
    pub bytes: u64,
    /// Bytes of this phase; 0 while unknown.
    pub bytes_total: u64,
}

/// Why a backup was not made, is not sound, or was not restored.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BackupFailure {
    /// Stable, for programs.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do.
    pub next_step: Option<String>,
}

/// Content in a backup.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BackupContent {
    /// The files are in it; else their list alone.
    pub included: bool,
    /// Files that the database holds to be sound.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that were to be copied and were not there, or not what they should be: they are not in it.
    pub left_out: u64,
}

/// A backup.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Backup {
    /// Its name: the name of its folder.
    pub name: String,
    /// Where it is, on the server.
    pub path: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// Who asked for it.
    pub asked_by: String,
    /// The schedule did, and takes it away again (`backup.keep`).
    pub scheduled: bool,
    /// Version of the server that made it.
    pub version: String,
    /// Version of its database's schema.
    pub schema_version: u32,
    /// Bytes of all its files.
    pub bytes: u64,
    /// What it holds of content.
    pub content: BackupContent,
    /// Files that the process settings name elsewhere and that are not in it.
    pub elsewhere: Vec<String>,
}

/// A run that makes a backup, or made one.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BackupRun {
    /// Its id.
    pub id: Uuid,
    /// Where it is.
    pub state: BackupState,
    /// Who asked for it: an administrator, or the server itself.
    pub asked_by: String,
    /// The schedule did.
    pub scheduled: bool,
    /// When.
    pub asked_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How far it is.
    pub progress: BackupProgress,
    /// What was made.
    pub backup: Option<Backup>,
    /// Why nothing was.
    pub error: Option<BackupFailure>,
}

/// Answer of `GET backups/status`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BackupStatus {
    /// The folder that backups are written to, or below it.
    pub folder: String,
    /// When they are made by themselves: `off`, or a schedule.
    pub schedule: String,
    /// When the next one is due.
    pub next_at: Option<Timestamp>,
    /// So many scheduled ones are kept.
    pub keep: u32,
    /// Scheduled ones have content files in them.
    pub content: bool,
    /// The run that is under way or waits.
    pub current: Option<BackupRun>,
    /// The last run that made a backup.
    pub last_good: Option<BackupRun>,
    /// The last run that failed.
    pub last_failed: Option<BackupRun>,
    /// What to do next.
    pub next_step: Option<String>,
}
