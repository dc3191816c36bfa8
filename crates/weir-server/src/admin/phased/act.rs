//! Doing the steps of phased deployments.

use jiff::{Timestamp, tz::TimeZone};
use uuid::Uuid;
use weir_model::{
    deployment::Terms,
    phase::{self, Deadline, Event, Observation, Phase, Step},
    rule::{Interval, free_name},
    targeting::{DeploymentAction, DeploymentOrigin},
};
use weir_store::{
    ReadTx, StoreError, WriteTx,
    alert::AlertSeverity,
    phased::{PhasedRow, PhasedStart, PhasedStateRow},
};

use super::observe::observe;
use crate::admin::{
    AdminError, App, Caller, chain,
    collection::Tree,
    deployment::{
        create::{Around, NewDeploymentSpec, What, create_in},
        enable_in,
    },
    setting::Current,
};

/// Kind of the alert about one that stopped itself or cannot go on; its subject is the name.
pub(crate) const FAILED: &str = "phased.failed";
/// Characters of the name of a deployment.
const LONGEST_DEPLOYMENT: usize = 240;

/// Looks at what computers say of these, and moves each on as far as that allows.
pub(crate) async fn turn(app: &App, caller: &Caller, rows: Vec<PhasedRow>) -> Result<(), AdminError> {
    let live = app.state.live.clone();
    let (rows, mut observed) = app
        .read(move |tx| {
            let observed = observe(tx, &live, &rows)?;
            Ok((rows, observed))
        })
        .await?;
    let mut changed = false;
    for row in rows {
        let seen = observed.remove(&row.id).unwrap_or_default();
        let (around, name) = (Around::of(app), row.plan.name.clone());
        match app.write(caller, move |tx| advance(tx, &around, &row, Some(seen), false)).await {
            Ok(one) => changed |= one,
            Err(error) => {
                tracing::warn!(name, error = chain(&error), "a phased deployment cannot go on; it is tried again");
                let message = format!(
                    "The phased deployment {name:?} cannot go on: {}. Next: weir phased show {name:?}",
                    chain(&error)
                );
                app.write(caller, move |tx| {
                    tx.alert_open(FAILED, &name, AlertSeverity::Warning, &message)?;
                    Ok(())
                })
                .await?;
            }
        }
    }
    if changed {
        app.publish().await?;
        app.shared().wanted.notify_one();
    }
    Ok(())
}

/// Moves one on with what was seen, or with what was seen last. True if that did something.
pub(super) fn advance(
    tx: &WriteTx<'_>,
    around: &Around,
    row: &PhasedRow,
    seen: Option<Vec<Observation>>,
    accept_eula: bool,
) -> Result<bool, AdminError> {
    // it may have been changed, or deleted, since it was read
    let (Some(row), Some(mut state)) = (tx.phased_show(row.id)?, tx.phased_state(row.id)?) else { return Ok(false) };
    let now = tx.actor().at;
    if let Some(seen) = seen {
        state.observed = seen;
        state.observed_at = Some(now);
    }
    let (next, events) = phase::advance(&row.plan, &state.state, &state.observed, now);
    perform(tx, around, &row, &PhasedStateRow { state: next, ..state }, &events, accept_eula)?;
    Ok(!events.is_empty())
}

/// Does steps, and stores what they lead to.
pub(super) fn perform(
    tx: &WriteTx<'_>,
    around: &Around,
    row: &PhasedRow,
    state: &PhasedStateRow,
    events: &[Event],
    accept_eula: bool,
) -> Result<(), AdminError> {
    let mut state = state.clone();
    for event in events {
        let phase = match event.step {
            Step::Start { phase }
            | Step::Reached { phase }
            | Step::Lost { phase }
            | Step::Complete { phase }
            | Step::ErrorStop { phase }
            | Step::Approve { phase } => Some(phase as u32),
            Step::Pause | Step::Resume | Step::Stop | Step::Finish => None,
        };
        match &event.step {
            Step::Start { phase } => {
                start(tx, around, row, *phase, accept_eula)?;
                // it may have been unable to until now
                tx.alert_close(FAILED, &row.plan.name)?;
            }
            Step::ErrorStop { .. } => {
                switch(tx, row, &mut state, false)?;
                let name = &row.plan.name;
                let message = format!(
                    "The phased deployment {name:?} stopped itself: {}. Next: see what failed with weir phased show \
                     {name:?}, then weir phased resume or weir phased stop",
                    event.reason
                );
                tx.alert_open(FAILED, name, AlertSeverity::Critical, &message)?;
            }
            Step::Pause => switch(tx, row, &mut state, false)?,
            Step::Resume => {
                switch(tx, row, &mut state, true)?;
                tx.alert_close(FAILED, &row.plan.name)?;
            }
            Step::Stop | Step::Finish => {
                tx.alert_close(FAILED, &row.plan.name)?;
            }
            Step::Reached { .. } | Step::Lost { .. } | Step::Complete { .. } | Step::Approve { .. } => {}
        }
        tx.phased_event_put(row.id, word(&event.step), phase, &event.reason)?;
    }
    tx.phased_state_put(row.id, &state)?;
    Ok(())
}

/// A step as the history names it.
pub(super) fn word(step: &Step) -> &'static str {
    match step {
        Step::Start { .. } => "start",
        Step::Reached { .. } => "reached",
        Step::Lost { .. } => "lost",
        Step::Complete { .. } => "complete",
        Step::ErrorStop { .. } => "error_stop",
        Step::Pause => "pause",
        Step::Resume => "resume",
        Step::Approve { .. } => "approve",
        Step::Stop => "stop",
        Step::Finish => "finish",
    }
}

/// Makes the deployment of a phase, and notes who is in its collection now.
fn start(tx: &WriteTx<'_>, around: &Around, row: &PhasedRow, at: usize, accept_eula: bool) -> Result<(), AdminError> {
    let Some(phase) = row.plan.phases.get(at) else { return Ok(()) };
    let tree = Tree::read(tx)?;
    if !tree.rows.iter().any(|one| one.id == phase.collection) {
        return Err(AdminError::Conflict {
            code: "collection",
            detail: format!("the collection of phase {} is gone", phase.name),
            next_step: Some(format!("give it another: weir phased change {:?}", row.plan.name)),
        });
    }
    let plain: String = format!("{} - {}", row.plan.name, phase.name).chars().take(LONGEST_DEPLOYMENT).collect();
    let name = free_name(&plain, |name| Ok::<_, StoreError>(tx.deployment_named(name)?.is_some()))?;
    let made = create_in(tx, around, &spec(row.id, row.group, name, phase, times(tx, phase)?, accept_eula))?;
    let members = tx.computer_directory()?.into_iter().filter(|computer| tree.holds(phase.collection, computer));
    let start = PhasedStart {
        phase: at as u32,
        deployment: weir_model::ids::DeploymentId(made.id),
        founders: members.map(|computer| computer.no).collect(),
    };
    tx.phased_start_put(row.id, &start)?;
    Ok(())
}

/// When a phase that starts now is available, and its deadline; as wall-clock times if it says so.
fn times(tx: &ReadTx<'_>, phase: &Phase) -> Result<(Timestamp, Option<Timestamp>), StoreError> {
    let mut now = Timestamp::now();
    if phase.terms.local_time {
        let here = now.to_zoned(Current::read(tx)?.zone()).datetime();
        now = here.to_zoned(TimeZone::UTC).map_or(now, |zoned| zoned.timestamp());
    }
    let deadline = match (phase.action, phase.deadline) {
        (DeploymentAction::Optional, _) => None,
        (_, Deadline::AsSoonAsPossible) => Some(now),
        (_, Deadline::Days(days)) => Some(Interval::days(days.into()).unwrap_or_default().after(now)),
    };
    Ok((now, deadline))
}

fn spec(
    id: Uuid,
    group: Uuid,
    name: String,
    phase: &Phase,
    (available_at, deadline_at): (Timestamp, Option<Timestamp>),
    accept_eula: bool,
) -> NewDeploymentSpec {
    NewDeploymentSpec {
        what: What::Group(group),
        collection: phase.collection,
        action: phase.action,
        available_at,
        deadline_at,
        terms: Terms {
            name: Some(name),
            description: "Made by a phased deployment".to_owned(),
            source_id: Some(id),
            ..phase.terms.clone()
        },
        origin: DeploymentOrigin::Rule,
        enabled: true,
        accept_eula,
        force: true,
    }
}

/// Switches off the deployments of phases that have started and are not complete, and notes which were on; or switches on
/// again those that this switched off. What somebody else switched off stays off.
fn switch(tx: &WriteTx<'_>, row: &PhasedRow, state: &mut PhasedStateRow, on: bool) -> Result<(), AdminError> {
    for start in tx.phased_starts(row.id)? {
        let Some(progress) = state.state.phases.get_mut(start.phase as usize) else { continue };
        let wanted = if on { progress.switched_off } else { progress.completed_at.is_none() };
        if !wanted {
            continue;
        }
        // somebody may have deleted it
        let changed = match tx.deployment_show(start.deployment)? {
            Some(deployment) => enable_in(tx, &deployment, on)?,
            None => false,
        };
        progress.switched_off = changed && !on;
    }
    Ok(())
}
