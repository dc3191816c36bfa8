//! Runs as rows of jobs, and what administrators see of them.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;
use weir_api::sync::{SyncFault, SyncPhase, SyncProgress, SyncRun, SyncState, SyncTrigger};
use weir_store::{
    ReadTx, StoreError, WriteTx,
    job::{JobRow, JobState},
};

use super::progress::{Phase, Position};

/// Kind of the rows.
pub(crate) const KIND: &str = "sync.run";
/// Runs that are kept, and for how long.
const KEEP: u32 = 1_000;
const KEEP_FOR: SignedDuration = SignedDuration::from_hours(24 * 731);

/// What a run was asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) trigger: SyncTrigger,
    #[serde(default)]
    pub(super) full: bool,
    #[serde(default)]
    pub(super) source: String,
    /// The occurrence of the schedule that it stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) due: Option<Timestamp>,
    /// Only these updates, as GUID or GUID@REVISION.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) updates: Vec<String>,
}

/// How a run ended.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Ended {
    /// `done`, `done_with_warnings`, `failed`, `cancelled`, `interrupted`.
    pub(super) result: String,
    #[serde(default)]
    pub(super) added: u64,
    #[serde(default)]
    pub(super) revised: u64,
    #[serde(default)]
    pub(super) expired: u64,
    #[serde(default)]
    pub(super) skipped: u64,
    #[serde(default)]
    pub(super) declined: u64,
    #[serde(default)]
    pub(super) bytes: u64,
    #[serde(default)]
    pub(super) warnings: Vec<String>,
    #[serde(default)]
    pub(super) error: Option<SyncFault>,
    #[serde(default)]
    pub(super) next_step: Option<String>,
    /// What did the run in.
    #[serde(default)]
    pub(super) progress: Option<SyncProgress>,
}

/// What a run whose process is gone has for a result.
pub(super) const INTERRUPTED: &str = "interrupted";

/// How far a run is, as it is shown.
pub(super) fn progress(position: &Position) -> SyncProgress {
    let Position { phase, since, done, total, bytes } = *position;
    let rate = done as f64 / since.elapsed().as_secs_f64().max(0.001);
    let is_known = total > 0;
    SyncProgress {
        phase: match phase {
            Phase::Authorise => SyncPhase::Authorizing,
            Phase::Configuration => SyncPhase::Configuration,
            Phase::Categories => SyncPhase::Categories,
            Phase::Updates => SyncPhase::Updates,
            Phase::Closure => SyncPhase::Members,
            Phase::Store => SyncPhase::Storing,
            Phase::Deployments => SyncPhase::Deployments,
            Phase::Criteria => SyncPhase::Criteria,
            Phase::Publish => SyncPhase::Publishing,
            Phase::RollUp => SyncPhase::RollUp,
            Phase::Announce => SyncPhase::Announcing,
        },
        done,
        total,
        percent: is_known.then(|| (100 * done.min(total) / total.max(1)) as u8),
        per_second: rate as u64,
        seconds_left: (is_known && done > 0)
            .then(|| (total.saturating_sub(done) as f64 / rate.max(0.001)).ceil() as u64),
        bytes,
    }
}

/// What was asked of a row.
pub(super) fn asked(row: &JobRow) -> Asked {
    // a row of another version: as a run by hand
    serde_json::from_value(row.input.clone()).unwrap_or_else(|_| Asked {
        trigger: SyncTrigger::Manual,
        full: false,
        source: String::new(),
        due: None,
        updates: Vec::new(),
    })
}

fn read<T: serde::de::DeserializeOwned>(value: Option<&Value>) -> Option<T> {
    value.and_then(|value| serde_json::from_value(value.clone()).ok())
}

pub(super) fn is_interrupted(row: &JobRow) -> bool {
    read::<Ended>(row.result.as_ref()).is_some_and(|ended| ended.result == INTERRUPTED)
}

/// A row as a run. `position` is where the run of this process is now.
pub(super) fn run(row: JobRow, position: Option<SyncProgress>, now: Timestamp) -> SyncRun {
    let Asked { trigger, full, source, .. } = asked(&row);
    let ended: Option<Ended> = read(row.result.as_ref());
    let state = match row.state {
        JobState::Cancelled => SyncState::Cancelled,
        JobState::Done => SyncState::Done,
        JobState::Failed if is_interrupted(&row) => SyncState::Interrupted,
        JobState::Failed => SyncState::Failed,
        JobState::Running => SyncState::Running,
        JobState::Waiting => SyncState::Waiting,
    };
    let fallback = match state {
        SyncState::Cancelled => "cancelled",
        SyncState::Done => "done",
        SyncState::Failed => "failed",
        SyncState::Interrupted => INTERRUPTED,
        SyncState::Running => "running",
        SyncState::Waiting => "waiting",
    };
    let seconds = row.started_at.map_or(0.0, |started| {
        let took = row.ended_at.unwrap_or(now).duration_since(started);
        (took.as_secs_f64() * 1_000.0).round().max(0.0) / 1_000.0
    });
    let ended = ended.unwrap_or_default();
    let stored = ended.progress.or_else(|| read(row.progress.as_ref()));
    let progress = position.or(stored);
    SyncRun {
        id: row.id,
        state,
        result: if ended.result.is_empty() { fallback.to_owned() } else { ended.result },
        trigger,
        asked_by: row.created_by,
        full,
        source,
        asked_at: row.created_at,
        started_at: row.started_at,
        ended_at: row.ended_at,
        seconds,
        bytes: if ended.bytes > 0 { ended.bytes } else { progress.as_ref().map_or(0, |progress| progress.bytes) },
        progress,
        added: ended.added,
        revised: ended.revised,
        expired: ended.expired,
        skipped: ended.skipped,
        declined: ended.declined,
        warnings: ended.warnings,
        error: ended.error,
        next_step: ended.next_step,
    }
}

/// The run that is under way or waits.
pub(super) fn open(tx: &ReadTx<'_>) -> Result<Option<JobRow>, StoreError> {
    let running = tx.job_last_of(KIND, JobState::Running)?;
    Ok(running.or(tx.job_last_of(KIND, JobState::Waiting)?))
}

/// The run that ended last.
pub(super) fn last(tx: &ReadTx<'_>) -> Result<Option<JobRow>, StoreError> {
    let states = [JobState::Cancelled, JobState::Done, JobState::Failed];
    let rows = states.into_iter().map(|state| tx.job_last_of(KIND, state)).collect::<Result<Vec<_>, _>>()?;
    Ok(rows.into_iter().flatten().max_by_key(|row| row.no))
}

/// When the last run that ended well ended.
pub(crate) fn last_success(tx: &ReadTx<'_>) -> Result<Option<Timestamp>, StoreError> {
    Ok(tx.job_last_of(KIND, JobState::Done)?.and_then(|row| row.ended_at))
}

/// A new row; it waits until the runner takes it.
pub(super) fn create(tx: &WriteTx<'_>, asked: &Asked) -> Result<Uuid, StoreError> {
    let id = Uuid::new_v4();
    tx.job_create(id, KIND, &json!(asked))?;
    tx.job_prune(KIND, tx.actor().at - KEEP_FOR, KEEP)?;
    Ok(id)
}
