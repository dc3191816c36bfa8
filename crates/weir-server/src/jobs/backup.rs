//! Makes backups, one at a time: those that somebody asked for, and those of the schedule.
//!
//! What is due follows from the rows of runs ([`weir_model::backup::decide`]), so that a restart forgets nothing. A run that a
//! process did not live to end has failed; a failed one of the schedule opens an alert and is tried again three times. The alert
//! closes with the next backup.

use std::{
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::{sync::Notify, time};
use uuid::Uuid;
use weir_api::backup::{Backup, BackupFailure, BackupProgress};
use weir_model::{
    alert::AlertSeverity,
    backup::{Ended, Run, decide, overdue},
    message::tidy,
    report::schedule::Decision,
};
use weir_store::{
    ReadTx, StoreError,
    job::{JobRow, JobState},
};

use crate::{
    admin::{
        AdminError, App, Caller, blocking, chain,
        setting::{BACKUP_ALERT, BACKUP_CONTENT, BACKUP_FOLDER, BACKUP_KEEP, Current},
    },
    backup::{self, BackupError, Order, Source},
    telemetry::{self, Job},
};

/// Kind of the rows of runs.
pub(crate) const KIND: &str = "backup";
/// A scheduled backup was not made.
const FAILED: &str = "backup.failed";
/// There was no good backup for too long.
pub(crate) const OVERDUE: &str = "backup.overdue";
/// The subject of both.
pub(crate) const SUBJECT: &str = "backup";
/// A clock that was set forward must not delay a backup for longer than this.
const LONGEST: Duration = Duration::from_secs(30);
/// After a failure of the job itself, and while nothing can be stored.
const PAUSE: Duration = Duration::from_secs(5);
/// How often a run tells how far it is, and hears that it was cancelled.
const TELL: Duration = Duration::from_millis(500);
/// A lease is renewed long before this.
const LEASE: SignedDuration = SignedDuration::from_secs(120);
/// Rows of runs that ended are kept for so long, and at most so many.
const KEPT: SignedDuration = SignedDuration::from_hours(365 * 24);
const MOST_KEPT: u32 = 1_000;
/// Runs that are looked at for what is due: far more than are tried again.
const LOOKED_AT: u32 = 50;
/// Characters of a reason in an alert.
const REASON: usize = 1_000;

/// What the requests and the job share.
#[derive(Debug, Default)]
pub(crate) struct Backups {
    /// Tells that one is asked for, or that the schedule changed.
    pub(crate) nudged: Notify,
}

/// What a run is asked.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Input {
    /// A folder below the folder of backups.
    pub(crate) folder: String,
    /// With content files.
    pub(crate) content: bool,
    /// The occurrence of the schedule; none if somebody asked.
    pub(crate) base: Option<Timestamp>,
}

impl Input {
    /// What a row was asked.
    pub(crate) fn of(row: &JobRow) -> Self {
        serde_json::from_value(row.input.clone()).unwrap_or_default()
    }
}

/// How a run ended.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Outcome {
    /// What was made.
    pub(crate) backup: Option<Backup>,
    /// Why nothing was.
    pub(crate) error: Option<BackupFailure>,
}

impl Outcome {
    /// How a row ended.
    pub(crate) fn of(row: &JobRow) -> Self {
        row.result.clone().and_then(|result| serde_json::from_value(result).ok()).unwrap_or_default()
    }
}

fn caller() -> Caller {
    Caller::system("backup")
}

/// The task of the job; it ends when it is dropped, and the backup under way with it.
pub(super) async fn serve(app: &App) {
    let owner = app.state.live.duties.owner();
    while let Err(error) = begin(app).await {
        tracing::warn!(error = chain(&error), "backups of an earlier process cannot be looked at; it is tried again");
        time::sleep(PAUSE).await;
    }
    loop {
        let wait = match turn(app, &owner).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(error = chain(&error), "a backup could not be handled; it is tried again");
                PAUSE
            }
        };
        tokio::select! {
            () = time::sleep(wait) => {}
            () = app.shared().backups.nudged.notified() => {}
        }
    }
}

/// Ends what an earlier process did not live to end. The lock of the data folder, or the duty, says that no other works on it.
async fn begin(app: &App) -> Result<(), AdminError> {
    let open = app.read(|tx| tx.job_last_of(KIND, JobState::Running)).await?;
    if open.is_none() {
        return Ok(());
    }
    app.write(&caller(), |tx| {
        tx.job_prune(KIND, Timestamp::now() - KEPT, MOST_KEPT)?;
        while let Some(row) = tx.job_last_of(KIND, JobState::Running)? {
            let error = BackupError::Interrupted.failure();
            if Input::of(&row).base.is_some() {
                tx.alert_open(FAILED, SUBJECT, AlertSeverity::Warning, &words(&error, None))?;
            }
            if !tx.job_interrupt(row.id, &json!(Outcome { backup: None, error: Some(error) }))? {
                break;
            }
        }
        Ok(())
    })
    .await
}

/// When backups are due.
pub(crate) struct Plan {
    /// They are made by a schedule.
    pub(crate) scheduled: bool,
    /// Whether one is to be made now.
    pub(crate) decision: Decision,
}

/// What the settings and the runs so far say.
pub(crate) fn plan(tx: &ReadTx<'_>, now: Timestamp) -> Result<Plan, StoreError> {
    let current = Current::read(tx)?;
    let Some((recurrence, since)) = current.backups() else {
        return Ok(Plan { scheduled: false, decision: Decision::Wait { until: None } });
    };
    let rows = tx.job_list(KIND, LOOKED_AT)?;
    let runs: Vec<Run> = rows
        .iter()
        .filter_map(|row| {
            let ended = match row.state {
                JobState::Done => Ended::Done,
                JobState::Cancelled => Ended::Cancelled,
                JobState::Failed => Ended::Failed,
                JobState::Running | JobState::Waiting => return None,
            };
            let base = Input::of(row).base?;
            Some(Run { base, at: row.ended_at.unwrap_or(row.created_at), ended })
        })
        .collect();
    let decision = decide(&recurrence, &runs, since, now, &current.zone());
    Ok(Plan { scheduled: true, decision })
}

/// What holds of backups that are too old: for how many hours there was none.
pub(crate) fn too_old(tx: &ReadTx<'_>, now: Timestamp) -> Result<Option<u64>, StoreError> {
    let current = Current::read(tx)?;
    let Some((_, since)) = current.backups() else { return Ok(None) };
    let last = tx.job_last_of(KIND, JobState::Done)?.and_then(|row| row.ended_at);
    Ok(overdue(last, since, current.number(BACKUP_ALERT), now))
}

/// Makes one backup if one waits or is due, and says for how long there is nothing to do.
async fn turn(app: &App, owner: &str) -> Result<Duration, AdminError> {
    let now = Timestamp::now();
    let (waiting, plan) = app.read(move |tx| Ok((tx.job_last_of(KIND, JobState::Waiting)?, plan(tx, now)?))).await?;
    let base = match (&waiting, &plan.decision) {
        (Some(_), _) => None,
        (None, Decision::Run { base }) => Some(*base),
        (None, Decision::Wait { until }) => {
            let wait = until.and_then(|until| Duration::try_from(until.duration_since(now)).ok());
            return Ok(wait.map_or(LONGEST, |wait| wait.min(LONGEST)));
        }
    };
    let (mine, until) = (owner.to_owned(), now + LEASE);
    let caller = caller();
    let taken = app.write(&caller, move |tx| {
        if let Some(base) = base {
            let current = Current::read(tx)?;
            let input =
                Input { folder: current.text(BACKUP_FOLDER), content: current.flag(BACKUP_CONTENT), base: Some(base) };
            tx.job_create(Uuid::new_v4(), KIND, &json!(input))?;
            tx.job_prune(KIND, now - KEPT, MOST_KEPT)?;
        }
        Ok(tx.job_take(KIND, &mine, until)?)
    });
    if let Some(row) = taken.await? {
        work(app, owner, &row).await?;
    }
    Ok(Duration::ZERO)
}

/// Asks work on another thread to end when this is dropped.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Makes the backup of a row, and tells its row how far it is.
async fn make(app: &App, owner: &str, row: &JobRow, input: &Input) -> Result<Backup, BackupError> {
    let stop = StopOnDrop(Arc::new(AtomicBool::new(false)));
    let progress = Arc::new(Mutex::new(BackupProgress::default()));
    let mut making = {
        let source = Source::new(&app.process, Some(app.state.content.clone()));
        let root = app.process.backups.clone();
        let (stop, progress) = (Arc::clone(&stop.0), Arc::clone(&progress));
        let (input, asked_by) = (input.clone(), row.created_by.clone());
        tokio::task::spawn_blocking(move || {
            let folder = input.folder.parse().unwrap_or_default();
            let order = Order { root, folder, content: input.content, asked_by, scheduled: input.base.is_some() };
            backup::make(&source, &order, Timestamp::now(), &mut |told| {
                *progress.lock() = told;
                if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
        })
    };
    let made = loop {
        tokio::select! {
            made = &mut making => break made,
            () = time::sleep(TELL) => {
                let (id, owner, told) = (row.id, owner.to_owned(), json!(*progress.lock()));
                let until = Timestamp::now() + LEASE;
                let ours = app.write(&caller(), move |tx| Ok(tx.job_renew(id, &owner, until, &told)?)).await;
                // a database that takes nothing right now is no reason to give the backup up
                if matches!(ours, Ok(false)) {
                    stop.0.store(true, Ordering::Relaxed);
                }
            }
        }
    };
    made.unwrap_or_else(|error| {
        tracing::error!(%error, "a backup ended unexpectedly");
        Err(BackupError::Interrupted)
    })
}

/// Makes the backup of a row, and notes how it ended.
async fn work(app: &App, owner: &str, row: &JobRow) -> Result<(), AdminError> {
    let input = Input::of(row);
    let made = telemetry::job(Job::Backup, make(app, owner, row, &input)).await;
    let outcome = match made {
        Ok(backup) => {
            metrics::counter!("weir_backups_total", "result" => "done").increment(1);
            tracing::info!(
                path = backup.path,
                bytes = backup.bytes,
                left_out = backup.content.left_out,
                "a backup was made"
            );
            if input.base.is_some() {
                thin_out(app, &backup).await;
            }
            Outcome { backup: Some(backup), error: None }
        }
        Err(BackupError::Cancelled) => {
            metrics::counter!("weir_backups_total", "result" => "cancelled").increment(1);
            tracing::info!("a backup was stopped");
            Outcome { backup: None, error: Some(BackupError::Cancelled.failure()) }
        }
        Err(error) => {
            metrics::counter!("weir_backups_total", "result" => "failed").increment(1);
            let error = error.failure();
            tracing::error!(code = error.code, error = error.message, "a backup failed");
            Outcome { backup: None, error: Some(error) }
        }
    };
    end(app, owner, row, &input, &outcome).await
}

/// Notes how a run ended, as soon as it can be.
async fn end(app: &App, owner: &str, row: &JobRow, input: &Input, outcome: &Outcome) -> Result<(), AdminError> {
    let state = if outcome.backup.is_some() { JobState::Done } else { JobState::Failed };
    let caller = caller();
    loop {
        let (id, owner, outcome, scheduled) = (row.id, owner.to_owned(), outcome.clone(), input.base.is_some());
        let stored = app.write(&caller, move |tx| {
            // stopped by somebody: its row says so
            if !tx.job_end(id, &owner, state, &json!(outcome))? {
                return Ok(());
            }
            match &outcome.error {
                None => {
                    tx.alert_close(FAILED, SUBJECT)?;
                    tx.alert_close(OVERDUE, SUBJECT)?;
                }
                Some(error) if scheduled => {
                    let next = match plan(tx, tx.actor().at)?.decision {
                        Decision::Run { .. } => None,
                        Decision::Wait { until } => until,
                    };
                    tx.alert_open(FAILED, SUBJECT, AlertSeverity::Warning, &words(error, next))?;
                }
                Some(_) => {}
            }
            Ok(())
        });
        match stored.await {
            Err(AdminError::Store(
                StoreError::Busy { .. }
                | StoreError::DiskFailed { .. }
                | StoreError::DiskFull { .. }
                | StoreError::Unconfirmed { .. }
                | StoreError::Unreachable { .. },
            )) => time::sleep(PAUSE).await,
            stored => return stored,
        }
    }
}

/// Takes away scheduled backups beyond those that are kept.
async fn thin_out(app: &App, backup: &Backup) {
    let Some(folder) = Path::new(&backup.path).parent().map(Path::to_owned) else { return };
    let server = app.state.server.0;
    let gone = match app.read(|tx| Ok(Current::read(tx)?.number(BACKUP_KEEP))).await {
        Ok(keep) => {
            let keep = u32::try_from(keep).unwrap_or(u32::MAX);
            blocking(move || Ok(backup::thin_out(&folder, server, keep))).await
        }
        Err(error) => Err(error),
    };
    match gone {
        Ok(Ok(gone)) => {
            for name in gone {
                tracing::info!(name, "an old backup was removed");
            }
        }
        Ok(Err(error)) => {
            tracing::warn!(error = chain(&error), "old backups could not be removed; the next one tries again");
        }
        Err(error) => {
            tracing::warn!(error = chain(&error), "old backups could not be removed; the next one tries again");
        }
    }
}

/// What the alert says.
fn words(error: &BackupFailure, next: Option<Timestamp>) -> String {
    let then = match next {
        Some(at) => format!("It is made next at {}.", at.round(jiff::Unit::Second).unwrap_or(at)),
        None => "It is made again at once.".to_owned(),
    };
    let step = error.next_step.as_deref().map(|step| format!(" Next: {step}.")).unwrap_or_default();
    format!("the scheduled backup was not made: {}. {then}{step}", tidy(&error.message, REASON))
}
