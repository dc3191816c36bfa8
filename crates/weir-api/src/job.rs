//! `jobs`: long work of every kind in one list, for looking at. What can be done about it is at its own resource (`link`).
//!
//! * `GET jobs?kind=&state=&limit=` answers a [`crate::List`] of [`Job`]: what waits or runs first, then what ended, newest first.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What a job does.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Makes a backup.
    Backup,
    /// Applies a bundle.
    Bundle,
    /// Declines what is superseded and removes what nobody needs.
    Cleanup,
    /// Removes files that nothing refers to.
    ContentCollect,
    /// Fetches files.
    ContentDownload,
    /// Looks for files that are damaged or strange, and has them fetched again.
    ContentRepair,
    /// Reads every file and compares it with its digest.
    ContentVerify,
    /// Writes a package or a bundle.
    Export,
    /// Reads update metadata.
    Import,
    /// Finds the members of collections by rule.
    Membership,
    /// Makes a report by its schedule.
    Report,
    /// Runs an automatic deployment rule.
    Rule,
    /// Synchronizes with the server above.
    Synchronization,
}

/// Where a job is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// At work.
    Running,
    /// Not begun.
    Waiting,
    /// Somebody stopped it.
    Cancelled,
    /// Over; perhaps with warnings.
    Done,
    /// Over, and it did not do what it should.
    Failed,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobProgress {
    /// So much of it is done, in what the job counts.
    pub done: u64,
    /// Of so much; 0 while unknown.
    pub total: u64,
    /// `done` of `total` in percent; null while the total is unknown.
    pub percent: Option<u8>,
}

/// A job.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// Its id among the jobs of its kind.
    pub id: String,
    /// What it does.
    pub kind: JobKind,
    /// The same in words, with its subject.
    pub title: String,
    /// Where it is.
    pub state: JobState,
    /// Who asked for it, if that is known.
    pub asked_by: Option<String>,
    /// When it was asked for.
    pub asked_at: Option<Timestamp>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How far it is; null where it does not say.
    pub progress: Option<JobProgress>,
    /// How it ended, in one sentence.
    pub result: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Where it is found itself, below the prefix; null where it has no address.
    pub link: Option<String>,
}

/// Query parameters of `GET jobs`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct JobQuery {
    /// Only jobs of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub kind: Option<JobKind>,
    /// Only jobs in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub state: Option<JobState>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}
