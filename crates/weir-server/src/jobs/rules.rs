//! Runs automatic deployment rules when they are due: by their schedule, or after a synchronization or an import.
//!
//! What is due follows from what is stored, so that a restart forgets nothing: a start that was missed is made up for once,
//! with the time at which it was to be.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Notify;
use uuid::Uuid;
use weir_model::{
    rule::{Decision, Evaluations, Trigger, due},
    targeting::DeploymentOrigin,
};
use weir_store::{ReadTx, StoreError, job::JobState, rule::RuleRow};

use crate::{
    admin::{AdminError, App, Caller, IMPORT, chain, rule::run, setting::Current},
    sync::history,
    telemetry::{self, Job},
};

/// A clock that was set forward must not delay a run for longer than this.
const LONGEST: Duration = Duration::from_secs(30);
/// After a failure of the job itself.
const PAUSE: Duration = Duration::from_secs(30);
/// Runs of the last day are counted, in whatever zone that is.
const DAY: SignedDuration = SignedDuration::from_hours(25);
/// What is done until further ahead than this was noted by a clock that has been set back since.
const AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// What the job shares with the rest of the server.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// One evaluation goes on at a time.
    pub(crate) running: tokio::sync::Mutex<()>,
    /// When a package or a bundle was imported last: for a site without an upstream that is its synchronization.
    imported_at: Mutex<Option<Timestamp>>,
    nudged: Notify,
}

impl Rules {
    /// Something may be due now.
    pub(crate) fn nudge(&self) {
        self.nudged.notify_one();
    }

    /// Something was imported.
    pub(crate) fn imported(&self, at: Timestamp) {
        // as exactly as the store keeps times: what it has done with must not look newer
        *self.imported_at.lock() = Timestamp::from_microsecond(at.as_microsecond()).ok();
        self.nudge();
    }
}

/// Runs until the process ends.
pub(super) async fn serve(app: &App) {
    loop {
        let wait = match telemetry::job(Job::Rules, turn(app)).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::error!(error = chain(&error), "it could not be seen which rules are due; it is tried again");
                PAUSE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = app.shared().rules.nudged.notified() => {}
        }
    }
}

/// A rule that is to be run, or skipped.
struct Due {
    row: RuleRow,
    trigger: Trigger,
    base: Timestamp,
    skip: Option<String>,
}

/// What was found.
#[derive(Default)]
struct Looked {
    found: Vec<Due>,
    /// When something is due next.
    next: Option<Timestamp>,
    /// Rules that a clock which was set back since left done until far ahead: they would wait for that.
    ahead: Vec<Uuid>,
}

/// Does what is due, and says for how long there is nothing to do.
async fn turn(app: &App) -> Result<Duration, AdminError> {
    let now = Timestamp::now();
    let imported_at = *app.shared().rules.imported_at.lock();
    let Looked { found, next, ahead } = app.read(move |tx| look(tx, imported_at, now)).await?;
    if !ahead.is_empty() {
        let caller = Caller::system("rules");
        app.write(&caller, move |tx| {
            for id in ahead {
                tx.rule_done_until(id, now)?;
            }
            Ok(())
        })
        .await?;
    }
    for Due { row, trigger, base, skip } in found {
        let caller = Caller::system(&format!("rule {}", row.rule.name));
        match skip {
            Some(reason) => {
                tracing::info!(rule = row.rule.name, reason, "a run of a rule is skipped");
                let name = row.rule.name.clone();
                if let Err(error) = run::skip(app, &caller, row, trigger, base, reason).await {
                    // the others are due all the same
                    tracing::warn!(rule = name, error = chain(&error), "a run that is skipped could not be noted");
                }
            }
            None => {
                let name = row.rule.name.clone();
                if let Err(error) = run::execute(app, &caller, row, trigger, base).await {
                    tracing::warn!(rule = name, error = chain(&error), "a run of a rule is not complete");
                }
            }
        }
    }
    let wait = next.and_then(|next| Duration::try_from(next.duration_since(Timestamp::now())).ok());
    Ok(wait.map_or(LONGEST, |wait| wait.min(LONGEST)))
}

fn look(tx: &ReadTx<'_>, imported_at: Option<Timestamp>, now: Timestamp) -> Result<Looked, StoreError> {
    let mut looked = Looked::default();
    if tx.sites_parent()?.is_some() {
        // the top of the tree runs them
        return Ok(looked);
    }
    let zone = Current::read(tx)?.zone();
    let synchronized = tx.job_last_of(history::KIND, JobState::Done)?.and_then(|row| row.ended_at);
    // imports are rows where there are several front ends
    let imported = tx.job_last_of(IMPORT, JobState::Done)?.and_then(|row| row.ended_at);
    let imported_at = imported_at.max(imported);
    for row in tx.rule_list()?.into_iter().filter(|row| row.origin != DeploymentOrigin::Parent) {
        let Some(state) = tx.rule_state(row.id)? else { continue };
        if state.since.duration_since(now) > AHEAD {
            looked.ahead.push(row.id);
            continue;
        }
        let so_far = Evaluations {
            since: state.since,
            automatic: tx.rule_run_automatic(row.id, now - DAY)?,
            synchronized_at: synchronized.max(imported_at),
        };
        match due(&row.rule, &so_far, now, &zone) {
            Decision::Wait { next } => looked.next = [looked.next, next].into_iter().flatten().min(),
            Decision::Run { base, trigger } => looked.found.push(Due { row, trigger, base, skip: None }),
            Decision::Skip { base, trigger, reason } => {
                looked.found.push(Due { row, trigger, base, skip: Some(reason) });
            }
        }
    }
    Ok(looked)
}
