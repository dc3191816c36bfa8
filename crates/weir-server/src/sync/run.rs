//! The runner: one synchronization at a time, started by hand, by the schedule, by a retry or by the parent.
//!
//! Runs are rows of jobs. Whoever wants one makes a row that waits ([`request`]); the runner, one task per process, takes
//! it, works, and notes how it ended. So a run survives the caller, and its end is known whatever becomes of the process.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::task::{JoinError, JoinSet};
use uuid::Uuid;
use weir_api::sync::{SyncFault, SyncRun, SyncStarted, SyncTrigger};
use weir_model::message::{SYNC_CANCELLED, SYNC_INTERRUPTED, SYNC_STARTED};
use weir_store::{
    ReadTx, StoreError,
    job::{JobRow, JobState},
};

pub(crate) use super::steps::CHOOSE;
use super::{
    due::{Due, Situation, due},
    engine::SyncError,
    history::{self, Asked, Ended, INTERRUPTED, KIND},
    progress::Progress,
    runner::End,
    steps::{self, Report},
};
use crate::{
    admin::{
        AdminError, App, Caller, chain,
        setting::{Current, SOURCE, SYNC_RETRY, SYNC_SCHEDULE},
    },
    front,
    telemetry::{self, Job},
};

/// A lease is renewed long before this.
const LEASE: SignedDuration = SignedDuration::from_secs(120);
/// How often the place of a run is stored.
const TELL: Duration = Duration::from_secs(1);
/// A clock that was set forward must not delay a run for longer than this.
const LONGEST: Duration = Duration::from_secs(30);
/// After a failure of the runner itself.
const PAUSE: Duration = Duration::from_secs(5);
/// A run that was asked to stop is given this long before it is broken off.
const GRACE: Duration = Duration::from_secs(30);
/// Runs in a row that may be interrupted before the next one waits for the time of a retry.
const INTERRUPTIONS: usize = 3;

/// Where updates come from, in words.
pub(crate) fn source(tx: &ReadTx<'_>) -> Result<String, StoreError> {
    match tx.sites_parent()? {
        Some(parent) => Ok(parent.urls.first().cloned().unwrap_or(parent.name)),
        None => Ok(Current::read(tx)?.text(SOURCE)),
    }
}

/// Whether there is something to do for a run: a source, or sites below that are passed what packages brought.
fn has_work(tx: &ReadTx<'_>) -> Result<bool, StoreError> {
    Ok(source(tx)? != "none" || !tx.sites_enrolments()?.is_empty())
}

/// Asks for a run. If one is under way an administrator gets that one, unless it compares less than was asked for; after a
/// [`SyncTrigger::Parent`] another run follows it, because the parent may have got something since it began.
pub async fn request(app: &App, caller: &Caller, trigger: SyncTrigger, full: bool) -> Result<SyncStarted, AdminError> {
    ask(app, caller, trigger, full, Vec::new()).await
}

/// Asks for a run that fetches these updates alone, as GUID or GUID@REVISION; it follows what is under way.
pub(crate) async fn request_named(app: &App, caller: &Caller, updates: Vec<String>) -> Result<SyncStarted, AdminError> {
    ask(app, caller, SyncTrigger::Manual, false, updates).await
}

async fn ask(
    app: &App,
    caller: &Caller,
    trigger: SyncTrigger,
    full: bool,
    updates: Vec<String>,
) -> Result<SyncStarted, AdminError> {
    let unstored = app.shared().runner.unstored();
    let (attached, row) = app
        .write(caller, move |tx| {
            if let Some(end) = unstored {
                end.store(tx)?;
            }
            let source = source(tx)?;
            if !has_work(tx)? {
                return Err(AdminError::Conflict {
                    code: "no_source",
                    detail: "there is nothing to synchronize from: the source of this server is none".to_owned(),
                    next_step: Some(
                        "weir settings set source microsoft (or the URL of an upstream server), then weir sync now"
                            .to_owned(),
                    ),
                });
            }
            let waiting = tx.job_last_of(KIND, JobState::Waiting)?;
            let running = tx.job_last_of(KIND, JobState::Running)?;
            let named = !updates.is_empty();
            // what fetches single updates stands for no other run
            let suffices = |row: &JobRow| {
                let asked = history::asked(row);
                asked.updates == updates && (!full || asked.full)
            };
            let open = running.filter(|row| trigger != SyncTrigger::Parent && suffices(row));
            if let Some(open) = waiting.clone().filter(suffices).or(open) {
                return Ok((true, Some(open)));
            }
            let lesser = waiting.filter(|row| !named && history::asked(row).updates.is_empty());
            if let Some(lesser) = lesser {
                // the full one stands for it
                tx.job_cancel(lesser.id)?;
            }
            let id = history::create(tx, &Asked { trigger, full, source, due: None, updates: updates.clone() })?;
            if trigger == SyncTrigger::Manual {
                tx.audit("sync.start", &id.to_string(), None, Some(&json!({ "full": full })))?;
            }
            Ok((false, tx.job_show(id)?))
        })
        .await?;
    app.shared().runner.nudge();
    let row = row.ok_or_else(|| AdminError::Internal("a run that was asked for is gone".to_owned()))?;
    Ok(SyncStarted { attached, run: shown(app, row) })
}

/// Stops the run that is under way or waits, and returns it once it has ended, or after a while.
pub(crate) async fn cancel(app: &App, caller: &Caller) -> Result<SyncRun, AdminError> {
    let runner = &app.shared().runner;
    let mut ended = runner.ends();
    let (unstored, here) = (runner.unstored(), runner.owner.clone());
    let row = app
        .write(caller, move |tx| {
            if let Some(end) = unstored {
                end.store(tx)?;
            }
            let row = history::open(tx)?.ok_or_else(|| AdminError::Conflict {
                code: "nothing_runs",
                detail: "no synchronization is under way".to_owned(),
                next_step: Some("see the last ones: weir sync history".to_owned()),
            })?;
            // one that waits ends here and now; one that runs ends itself, and hears of it from its row on another front end
            let elsewhere =
                row.state == JobState::Running && row.lease_owner.as_ref().is_some_and(|owner| *owner != here);
            if row.state == JobState::Waiting || elsewhere {
                tx.job_cancel(row.id)?;
            }
            if elsewhere {
                let source = ("source", history::asked(&row).source);
                tx.status_message(&SYNC_CANCELLED, &[source], Some(("run", &row.id.to_string())))?;
            }
            tx.audit("sync.cancel", &row.id.to_string(), None, None)?;
            Ok(row)
        })
        .await?;
    if row.state == JobState::Running && row.lease_owner.as_ref() == Some(&runner.owner) && runner.stop(row.id) {
        let over = async {
            while runner.works_on(row.id) {
                if ended.changed().await.is_err() {
                    return;
                }
            }
        };
        // whoever waits longer than this is told where it is
        let _ = tokio::time::timeout(GRACE + TELL, over).await;
    }
    show(app, row.id).await
}

/// One run.
pub(crate) async fn show(app: &App, id: Uuid) -> Result<SyncRun, AdminError> {
    let row = app.read(move |tx| tx.job_show(id)).await?.filter(|row| row.kind == KIND);
    let row = row.ok_or_else(|| AdminError::missing("synchronization", id, "weir sync history"))?;
    Ok(shown(app, row))
}

/// A row as administrators see it.
pub(crate) fn shown(app: &App, mut row: JobRow) -> SyncRun {
    let position = app.shared().runner.complete(&mut row);
    history::run(row, position, Timestamp::now())
}

/// The run that is under way or waits, and the one that ended last.
pub async fn recent(app: &App) -> Result<(Option<SyncRun>, Option<SyncRun>), AdminError> {
    let (open, last) = app.read(|tx| Ok((history::open(tx)?, history::last(tx)?))).await?;
    let (open, last) = (open.map(|row| shown(app, row)), last.map(|row| shown(app, row)));
    // one that ended, and could not be stored as such, is the last one
    Ok(if open.as_ref().is_some_and(|run| run.ended_at.is_some()) { (None, open) } else { (open, last) })
}

/// The runner's task; it ends when it is dropped.
pub(crate) async fn serve(app: &App) {
    let caller = Caller::system("synchronization");
    while let Err(error) = resume(app, &caller).await {
        tracing::warn!(
            error = chain(&error),
            "synchronizations of the time before could not be read; it is tried again"
        );
        tokio::time::sleep(PAUSE).await;
    }
    loop {
        let wait = match take(app, &caller).await {
            Ok(Ok(row)) => {
                execute(app, &caller, row).await;
                continue;
            }
            Ok(Err(wait)) => wait,
            Err(error) => {
                tracing::warn!(error = chain(&error), "no synchronization could be started; it is tried again");
                PAUSE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = app.shared().runner.nudged.notified() => {}
        }
    }
}

/// Marks runs that a process left behind and asks for another one in their place. The lock of the data folder, or the duty, says
/// that no such process works on them, whatever the lease.
async fn resume(app: &App, caller: &Caller) -> Result<(), AdminError> {
    app.write(caller, |tx| {
        let rows = tx.job_list(KIND, 100)?;
        let mut left = None;
        for row in rows.iter().filter(|row| row.state == JobState::Running) {
            let progress = row.progress.clone().and_then(|value| serde_json::from_value(value).ok());
            let ended = Ended { result: INTERRUPTED.to_owned(), progress, ..Ended::default() };
            tx.job_interrupt(row.id, &json!(ended))?;
            tx.status_message(&SYNC_INTERRUPTED, &[], Some(("run", &row.id.to_string())))?;
            left = Some(row);
        }
        let Some(left) = left else { return Ok(()) };
        let waits = rows.iter().any(|row| row.state == JobState::Waiting);
        let before = rows.iter().filter(|row| row.no < left.no);
        let in_a_row = 1 + before.take_while(|row| history::is_interrupted(row)).count();
        if !waits && in_a_row < INTERRUPTIONS && has_work(tx)? {
            let asked = Asked { trigger: SyncTrigger::Resume, due: None, ..history::asked(left) };
            history::create(tx, &asked)?;
        }
        tracing::info!(run = %left.id, in_a_row, "a synchronization was interrupted when the server stopped");
        Ok(())
    })
    .await
}

/// Takes a run that waits or is due; else says for how long there is nothing to do.
async fn take(app: &App, caller: &Caller) -> Result<Result<JobRow, Duration>, AdminError> {
    let now = Timestamp::now();
    let (waiting, next) = app.read(move |tx| Ok((tx.job_last_of(KIND, JobState::Waiting)?, next(tx, now)?))).await?;
    let due = next.filter(|due| due.at <= now);
    if waiting.is_none() && due.is_none() {
        let wait = next.map_or(LONGEST, |due| Duration::try_from(due.at.duration_since(now)).unwrap_or_default());
        return Ok(Err(wait.min(LONGEST)));
    }
    let owner = app.shared().runner.owner.clone();
    let row = app
        .write(caller, move |tx| {
            if let (None, Some(Due { at, trigger })) = (tx.job_last_of(KIND, JobState::Waiting)?, due) {
                let asked = Asked { trigger, full: false, source: source(tx)?, due: Some(at), updates: Vec::new() };
                history::create(tx, &asked)?;
            }
            let taken = tx.job_take(KIND, &owner, now + LEASE)?;
            if let Some(row) = &taken {
                let Asked { source, trigger, .. } = history::asked(row);
                let trigger = json!(trigger).as_str().unwrap_or_default().to_owned();
                let about = row.id.to_string();
                tx.status_message(&SYNC_STARTED, &[("source", source), ("trigger", trigger)], Some(("run", &about)))?;
            }
            Ok(taken)
        })
        .await?;
    Ok(row.ok_or(PAUSE))
}

/// The run to come, if one comes by itself.
pub(crate) fn next(tx: &ReadTx<'_>, now: Timestamp) -> Result<Option<Due>, StoreError> {
    if !has_work(tx)? {
        return Ok(None);
    }
    let current = Current::read(tx)?;
    let newest = tx.job_list(KIND, 1)?.into_iter().next();
    let schedule_set = tx.setting_show(SYNC_SCHEDULE)?.map(|row| row.changed_at);
    let asked_for =
        newest.as_ref().map(|row| history::asked(row).due.map_or(row.created_at, |due| due.max(row.created_at)));
    // whoever follows a Weir is told when to synchronize
    let schedule = if tx.sites_parent()?.is_some() { None } else { current.schedule() };
    let failed = newest.filter(|row| row.state == JobState::Failed);
    let retry = current.number(SYNC_RETRY);
    let situation = Situation {
        schedule,
        zone: current.zone(),
        since: schedule_set.into_iter().chain(asked_for).max().unwrap_or(now),
        failed_at: failed.and_then(|row| row.ended_at),
        retry: (retry > 0).then(|| SignedDuration::from_mins(retry as i64)),
    };
    Ok(due(&situation, now))
}

/// Works on a run that was taken, to its end.
async fn execute(app: &App, caller: &Caller, row: JobRow) {
    let runner = &app.shared().runner;
    let progress = Progress::new();
    runner.begin(row.id, progress.clone());
    let asked = history::asked(&row);
    tracing::info!(run = %row.id, trigger = ?asked.trigger, source = asked.source, full = asked.full, "a synchronization begins");
    let worked = async {
        match work(app, caller, &row, &asked, &progress).await {
            done @ Ok(Ok(_)) => Ok(done),
            failed => Err(failed),
        }
    };
    let outcome = telemetry::job(Job::Synchronization, worked).await.unwrap_or_else(|failed| failed);
    let (state, ended) = ended(outcome, &progress);
    metrics::counter!("weir_sync_runs_total", "result" => ended.result.clone()).increment(1);
    for (what, count) in [("added", ended.added), ("expired", ended.expired), ("revised", ended.revised)] {
        metrics::counter!("weir_sync_revisions_total", "what" => what).increment(count);
    }
    match &ended.error {
        None => tracing::info!(
            run = %row.id, result = ended.result, added = ended.added, revised = ended.revised, expired = ended.expired,
            "a synchronization is over"
        ),
        Some(fault) => {
            tracing::error!(run = %row.id, code = fault.code, error = fault.message, "a synchronization failed");
        }
    }
    keep(app, caller, &runner.end(row.id, &asked.source, state, &ended)).await;
    // rules may be due after each run that ended well
    app.shared().rules.nudge();
    runner.clear();
}

/// Stores the end of a run, however long that takes: until then no other run begins, and all who ask learn the end from
/// the runner.
async fn keep(app: &App, caller: &Caller, end: &Arc<End>) {
    let mut pause = PAUSE;
    loop {
        let stored = end.clone();
        let Err(error) = app.write(caller, move |tx| Ok(stored.store(tx)?)).await else { return };
        app.shared().runner.hold(end);
        tracing::error!(error = chain(&error), "the end of a synchronization could not be stored; it is tried again");
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST),
            () = app.shared().runner.nudged.notified() => {}
        }
    }
}

/// The work itself, while its place is told; broken off if it does not stop when it is asked to.
async fn work(
    app: &App,
    caller: &Caller,
    row: &JobRow,
    asked: &Asked,
    progress: &Progress,
) -> Result<Result<Report, SyncError>, JoinError> {
    // ends with this function, whatever becomes of it
    let mut task = JoinSet::new();
    task.spawn({
        let (app, caller, progress) = (app.clone(), caller.clone(), progress.clone());
        let (full, named) = (asked.full, steps::names(&asked.updates));
        front::carry(async move { steps::run(&app, &caller, full, named, &progress).await })
    });
    let tell = async {
        let mut asked_to_stop: Option<Instant> = None;
        loop {
            tokio::time::sleep(TELL).await;
            let (id, owner) = (row.id, app.shared().runner.owner.clone());
            let position: Value = json!(history::progress(&progress.position()));
            let until = Timestamp::now() + LEASE;
            match app.write(caller, move |tx| Ok(tx.job_renew(id, &owner, until, &position)?)).await {
                Ok(true) => {}
                Ok(false) => progress.cancel(),
                Err(error) => {
                    tracing::warn!(error = chain(&error), "the place of a synchronization could not be stored");
                }
            }
            if progress.is_cancelled() && asked_to_stop.get_or_insert_with(Instant::now).elapsed() > GRACE {
                return;
            }
        }
    };
    tokio::select! {
        ended = task.join_next() => match ended {
            Some(ended) => ended,
            // there was one task
            None => Ok(Err(SyncError::Cancelled(super::progress::Cancelled))),
        },
        () = tell => Ok(Err(SyncError::Cancelled(super::progress::Cancelled))),
    }
}

/// How it ended, as it is kept.
fn ended(outcome: Result<Result<Report, SyncError>, JoinError>, progress: &Progress) -> (JobState, Ended) {
    let position = history::progress(&progress.position());
    let base = Ended { bytes: position.bytes, progress: Some(position), ..Ended::default() };
    let failed = |error: SyncFault| {
        let next_step = Some(error.next_step.clone());
        (JobState::Failed, Ended { result: "failed".to_owned(), error: Some(error), next_step, ..base.clone() })
    };
    match outcome {
        Ok(Ok(report)) => {
            let Report { outcome, mut warnings, next_step } = report;
            let result = if warnings.is_empty() { "done" } else { "done_with_warnings" };
            warnings.extend(outcome.notes);
            let ended = Ended {
                result: result.to_owned(),
                added: outcome.added,
                revised: outcome.revised,
                expired: outcome.expired,
                skipped: outcome.skipped,
                declined: outcome.declined,
                bytes: outcome.bytes.max(base.bytes),
                warnings,
                next_step,
                ..base.clone()
            };
            (JobState::Done, ended)
        }
        Ok(Err(error)) if progress.is_cancelled() || matches!(error, SyncError::Cancelled(_)) => {
            (JobState::Cancelled, Ended { result: "cancelled".to_owned(), ..base.clone() })
        }
        Ok(Err(error)) => failed(fault(&error)),
        Err(panic) => failed(SyncFault {
            code: "internal".to_owned(),
            message: format!("the synchronization ended unexpectedly: {panic}"),
            explanation: "This is an error of Weir itself. The catalogue is the last good one.".to_owned(),
            next_step: "see the server's log, and report it".to_owned(),
        }),
    }
}

fn fault(error: &SyncError) -> SyncFault {
    let kept = "The catalogue is the last good one; what was fetched is kept, and the next run goes on there.";
    let explanation = if error.is_transient() {
        format!("{kept} The same may succeed later without a change here.")
    } else {
        format!("{kept} It will not succeed before something is changed.")
    };
    SyncFault { code: error.code().to_owned(), message: chain(error), explanation, next_step: error.next_step() }
}
