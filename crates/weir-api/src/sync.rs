//! `sync`: synchronization with the source of this server.
//!
//! * `POST sync` takes a [`SyncStart`] and answers the [`SyncRun`] that it started, or the one that was under way.
//! * `GET sync` answers a [`SyncStatus`].
//! * `GET sync/runs` answers a [`crate::List`] of [`SyncRun`], newest first; `GET sync/runs/{id}` one of them.
//! * `DELETE sync` stops the run that is under way and answers it.
//! * `POST sync/roll-up` tells the server above of computers now and answers a [`RolledUp`].
//! * `GET sync/schedule` answers a [`Schedule`]; `PUT` takes a [`ScheduleChange`], `DELETE` switches it off.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Where a run is in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncState {
    /// Stopped by an administrator.
    Cancelled,
    /// Ended well, perhaps with warnings.
    Done,
    /// Ended badly.
    Failed,
    /// The server stopped in the middle of it; the next run went on where it was.
    Interrupted,
    /// Under way.
    Running,
    /// Asked for and not begun.
    Waiting,
}

/// What started a run.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncTrigger {
    /// An administrator.
    Manual,
    /// The parent finished a synchronization of its own.
    Parent,
    /// The server started again after it had stopped in the middle of a run.
    Resume,
    /// The run before failed.
    Retry,
    /// The schedule.
    Schedule,
}

/// What a run is doing.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncPhase {
    /// Waiting for its turn.
    Starting,
    /// Introducing itself to the source.
    Authorizing,
    /// Asking how the source is configured.
    Configuration,
    /// Bringing products, classifications and detectoids.
    Categories,
    /// Bringing updates.
    Updates,
    /// Bringing members of bundles that were not listed.
    Members,
    /// Putting what was brought into the catalogue.
    Storing,
    /// Taking over the parent's groups, deployments and declines.
    Deployments,
    /// Applying criteria to the catalogue.
    Criteria,
    /// Bringing the catalogue to computers.
    Publishing,
    /// Telling the parent about computers and status.
    RollUp,
    /// Telling the servers below.
    Announcing,
}

/// How far a run is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SyncProgress {
    /// What it is doing.
    pub phase: SyncPhase,
    /// Entries of this phase that are done.
    pub done: u64,
    /// Entries of this phase, as far as they are known; 0: not known.
    pub total: u64,
    /// `done` of `total` in percent, if the total is known.
    pub percent: Option<u8>,
    /// Entries per second, over the phase.
    pub per_second: u64,
    /// Seconds until this phase is done at that rate, if the total is known.
    pub seconds_left: Option<u64>,
    /// Bytes received over the whole run.
    pub bytes: u64,
}

/// What went wrong, and what to do.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SyncFault {
    /// Stable, for programs: `unreachable`, `refused`, `tls`, ...
    pub code: String,
    /// The whole error with its causes.
    pub message: String,
    /// What it means.
    pub explanation: String,
    /// What to do.
    pub next_step: String,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SyncRun {
    /// Its id.
    pub id: Uuid,
    /// Where it is.
    pub state: SyncState,
    /// In one word how it ended, `done`, `done_with_warnings`, `failed`, `cancelled`, `interrupted`; before that
    /// `waiting` or `running`.
    pub result: String,
    /// What started it.
    pub trigger: SyncTrigger,
    /// By whom it was asked for.
    pub asked_by: String,
    /// Everything was compared anew instead of what changed.
    pub full: bool,
    /// Where it synchronizes from.
    pub source: String,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Seconds that it took, or takes so far.
    pub seconds: f64,
    /// How far it is, or was last.
    pub progress: Option<SyncProgress>,
    /// Updates that are new here.
    pub added: u64,
    /// Newer revisions of updates that were here.
    pub revised: u64,
    /// Updates that their publisher withdrew.
    pub expired: u64,
    /// Updates that criteria left out.
    pub skipped: u64,
    /// Updates that criteria declined.
    pub declined: u64,
    /// Bytes received.
    pub bytes: u64,
    /// What is worth knowing although it ended well.
    pub warnings: Vec<String>,
    /// Why it failed.
    pub error: Option<SyncFault>,
    /// What to do now, if there is something.
    pub next_step: Option<String>,
}

/// When the next run is due.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SyncNext {
    /// When.
    pub at: Timestamp,
    /// Why: the schedule, or the last run failed.
    pub trigger: SyncTrigger,
}

/// How synchronization stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SyncStatus {
    /// `microsoft`, `none`, or the URL of the upstream server or parent.
    pub source: String,
    /// The name of the parent site, if this server follows one.
    pub parent: Option<String>,
    /// The run that waits or is under way.
    pub current: Option<SyncRun>,
    /// The run that ended last.
    pub last: Option<SyncRun>,
    /// When the last run that ended well ended.
    pub last_success: Option<Timestamp>,
    /// The schedule in words, if there is one.
    pub schedule: Option<String>,
    /// The run to come.
    pub next: Option<SyncNext>,
    /// Products that are synchronized, those below chosen families included.
    pub products: u64,
    /// Classifications that are synchronized.
    pub classifications: u64,
    /// What to do now, if there is something.
    pub next_step: Option<String>,
}

/// Starts a run.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncStart {
    /// Compare everything anew instead of asking for what changed.
    #[serde(default)]
    pub full: bool,
}

/// Answer to [`SyncStart`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SyncStarted {
    /// A run was under way already; this is it.
    pub attached: bool,
    /// The run.
    pub run: SyncRun,
}

/// When synchronization runs by itself.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Schedule {
    /// Its text form, `off` if there is none.
    pub text: String,
    /// In words.
    pub description: String,
    /// The zone that its times are in.
    pub zone: String,
    /// The next times, at most five.
    pub next: Vec<Timestamp>,
}

/// A new schedule.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleChange {
    /// `off`, or a text such as `every 7 days at 02:00` or `monthly second tuesday +1 at 02:00 Europe/Amsterdam`.
    pub text: String,
}

/// What the server above was told.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RolledUp {
    /// Servers, this one included.
    pub servers: u64,
    /// The server above takes computers and their status, too.
    pub detailed: bool,
    /// Times that a computer was told of.
    pub computers: u64,
    /// Computers whose status was told.
    pub statuses: u64,
    /// Computers that the server above deleted and that were deleted here.
    pub deleted: u64,
}
