//! Keeps the catalogue clean: what [`weir_model::cleanup`] plans is carried out in small steps while the server serves.
//!
//! It runs on a timer, after each synchronization, and when somebody asks. A step is one short transaction that notes how
//! far the run is, so that a process that dies loses nothing and does nothing twice. Before each step the run looks whether
//! anything was decided since its plan; then it plans anew.

mod plan;
mod run;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time;
use uuid::Uuid;
use weir_api::cleanup::CleanupCounts;
use weir_store::{
    ReadTx, StoreError,
    alert::AlertSeverity,
    job::{JobRow, JobState},
};

pub(crate) use self::plan::{load, reason, rules};
use self::run::{Ended, Run};
use crate::{
    admin::{AdminError, App, Caller, chain},
    telemetry::{self, Job},
};

/// Kind of the rows of runs.
pub(crate) const KIND: &str = "cleanup.run";
/// Kind and subject of the alert about a failed run.
const FAILED: &str = "cleanup.failed";
const SUBJECT: &str = "clean-up";
/// How often there is something to clean is looked at without a nudge.
const EVERY: Duration = Duration::from_mins(15);
/// A lease is renewed long before this.
const LEASE: SignedDuration = SignedDuration::from_secs(120);
/// Rows of runs that ended are kept for so long, and at most so many.
const KEPT: SignedDuration = SignedDuration::from_hours(365 * 24);
const MOST_KEPT: u32 = 1_000;

/// The task of the job; it ends when it is dropped.
pub(super) async fn serve(app: &App) {
    let owner = app.state.live.duties.owner();
    let caller = Caller::system("cleanup");
    let begun = app.write(&caller, |tx| {
        // the lock of the data folder, or the duty, says that no other process works on it
        tx.job_give_back(KIND)?;
        tx.job_prune(KIND, Timestamp::now() - KEPT, MOST_KEPT)?;
        Ok(())
    });
    if let Err(error) = begun.await {
        tracing::warn!(error = chain(&error), "a clean-up of an earlier process is taken up only when its lease ends");
    }
    loop {
        loop {
            match turn(app, &caller, &owner).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(error = chain(&error), "clean-up could not be done; it is tried again");
                    break;
                }
            }
        }
        tokio::select! {
            () = time::sleep(EVERY) => {}
            () = app.shared().cleanup.notified() => {}
        }
    }
}

/// Works on one run: one that waits, else one of its own if there is something to do. False if there is nothing.
async fn turn(app: &App, caller: &Caller, owner: &str) -> Result<bool, AdminError> {
    // what has arrived by another way than a publish of this process
    crate::admin::run_time::assign(app).await?;
    let until = Timestamp::now() + LEASE;
    let taken = {
        let owner = owner.to_owned();
        app.write(caller, move |tx| Ok(tx.job_take(KIND, &owner, until)?)).await?
    };
    let row = match taken {
        Some(row) => row,
        None => {
            if !run::is_due(app).await? {
                return Ok(false);
            }
            let owner = owner.to_owned();
            let created = app.write(caller, move |tx| {
                tx.job_create(Uuid::new_v4(), KIND, &json!({}))?;
                tx.job_prune(KIND, Timestamp::now() - KEPT, MOST_KEPT)?;
                Ok(tx.job_take(KIND, &owner, until)?)
            });
            let Some(row) = created.await? else { return Ok(false) };
            row
        }
    };
    let by = Caller::named(&row.created_by);
    let mut run = Run::new(app, &by, owner, &row);
    let outcome = telemetry::job(Job::Cleanup, run.work()).await;
    run.settle().await;
    let (state, error) = match outcome {
        Ok(()) => (JobState::Done, None),
        Err(Ended::Cancelled) => return Ok(true),
        Err(Ended::Here(error)) => (JobState::Failed, Some(chain(&error))),
    };
    let counts = run.counts();
    match &error {
        None => tracing::info!(
            run = %row.id, processed = counts.processed, declined = counts.declined, revisions = counts.revisions,
            updates = counts.updates, bytes = counts.bytes, "clean-up is complete"
        ),
        Some(error) => tracing::error!(run = %row.id, error, "clean-up failed"),
    }
    let failed = error.is_some();
    let (id, owner) = (row.id, owner.to_owned());
    app.write(caller, move |tx| {
        tx.job_end(id, &owner, state, &json!({ "counts": counts, "error": error }))?;
        match error {
            Some(error) => {
                let message =
                    format!("Clean-up failed: {error}. It is tried again by itself; see weir cleanup history");
                tx.alert_open(FAILED, SUBJECT, AlertSeverity::Warning, &message)?;
            }
            None => {
                tx.alert_close(FAILED, SUBJECT)?;
            }
        }
        Ok(())
    })
    .await?;
    // a failure is looked at again by the timer
    Ok(!failed)
}

/// The run that is under way or waits.
pub(crate) fn open(tx: &ReadTx<'_>) -> Result<Option<JobRow>, StoreError> {
    let running = tx.job_last_of(KIND, JobState::Running)?;
    Ok(running.or(tx.job_last_of(KIND, JobState::Waiting)?))
}

/// What a run has done, from its row.
pub(crate) fn counts(row: &JobRow) -> CleanupCounts {
    let told = row.result.as_ref().and_then(|result| result.get("counts")).or(row.progress.as_ref());
    told.and_then(|told| serde_json::from_value(told.clone()).ok()).unwrap_or_default()
}
