//! Why a computer is offered an update, or is not (design, section 6).

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use weir_api::simulation::{Explanation, ExplanationQuery};
use weir_model::{
    catalogue::{Standing, WireAction},
    ids::{ComputerId, DeploymentId, UpdateId},
    rights::Scope,
    schedule::Zone,
    status::State,
    targeting::Timing,
    window::{Ask, Calendar, Resolved},
};
use weir_store::{ReadTx, StoreError, deployment::DeploymentRow};

use super::Describer;
use crate::admin::{
    AdminError, App,
    collection::Tree,
    computer::api_state,
    index::Index,
    tally::{self, Questions},
};

/// Explains what one computer is sent of one update.
pub(crate) async fn explain(app: &App, scope: Scope, query: ExplanationQuery) -> Result<Explanation, AdminError> {
    let id: ComputerId = query
        .computer
        .trim()
        .parse()
        .map_err(|error| AdminError::invalid("computer", format!("{:?}: {error}", query.computer)))?;
    let update = UpdateId(query.update);
    let index = Index::current(app).await?;
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let row = tx.computer_find(&id)?.ok_or_else(|| AdminError::missing("computer", &id, "weir computers list"))?;
        if index.find(update).is_none() {
            return Err(AdminError::missing("update", update, "weir updates list"));
        }
        let tree = Tree::within(tx, &scope)?;
        let groups = tx.computer_collections(row.no)?;
        tree.check_computer(&id, &groups)?;
        let set = live.directory.group_set(&groups);
        let mut questions = Questions::new(&live);
        let asked = questions.of(&groups);
        let mut explanation = questions.published().snapshot.effective(set.collections(), update);
        let mut lines = Vec::new();
        let winner = match explanation.ruling.winner {
            Some(winner) => tx.deployment_show(winner.id)?,
            None => None,
        };
        if let Some(stop) = tx.update_stop_show(update)? {
            lines.push(format!(
                "Stopped since {}: {}. Nothing deploys it until it is resumed.",
                stop.stopped_at, stop.reason
            ));
        }
        if let Some(winner) = &winner {
            if let Some(group) = winner.expanded_from {
                let name = tx.deployment_show(group)?.map(|row| row.title).unwrap_or_default();
                lines.push(format!("Deployment {} follows from deployment {group} of the group {name:?}.", winner.id));
            }
        }
        let waiting: BTreeSet<DeploymentId> =
            explanation.ruling.branches.iter().flat_map(|branch| &branch.waiting).map(|it| it.id).collect();
        let inactive = winner.as_ref().filter(|row| !row.active).map(|row| row.id);
        if inactive.is_some() || !waiting.is_empty() {
            let describer = Describer::new(tx, &live)?;
            for id in inactive.into_iter().chain(waiting) {
                let Some(row) = tx.deployment_show(id)? else { continue };
                lines.push(format!("Deployment {id} is {}.", describer.describe(tx, &row)?.state_text));
            }
        }
        let status = tally::decode(&tx.computer_status(row.no)?.status);
        let state = asked.iter().find(|asked| asked.update == update);
        let state = state.map_or(State::Unknown, |asked| status.state_of(asked.number, Some(asked.entered)));
        let action = match explanation.standing {
            Standing::Sent { action, .. } => Some(action),
            _ => None,
        };
        let own: Option<Zone> = tx.computer_time_zone(row.no)?.and_then(|zone| zone.parse().ok());
        let calendar = questions.published().calendar(&set, own.as_ref());
        // what time and windows make of it, if it is told to do anything
        let acting = matches!(action, Some(WireAction::Install | WireAction::OptionalInstall | WireAction::Uninstall));
        let timed = match winner.as_ref().filter(|winner| acting && winner.active) {
            Some(winner) => in_windows(tx, winner, update, &calendar)?,
            None => None,
        };
        if let Some(timed) = &timed {
            let zone = calendar.zone().iana_name().unwrap_or("UTC");
            let until = timed.next_change.map(|at| format!(" (until {at})")).unwrap_or_default();
            lines.push(format!("At this time, in the zone {zone}: {}{until}.", timed.reason.describe()));
        }
        // what is said to be sent is what the time makes of it
        if let (Some(timed), Standing::Sent { action, .. }) = (&timed, &mut explanation.standing) {
            *action = timed.action;
        }
        lines.insert(0, explanation.describe(|id| tree.shown_name(id)));
        let sent = match timed.map(|timed| timed.action).or(action) {
            Some(WireAction::Install) => "install",
            Some(WireAction::OptionalInstall) => "optional",
            Some(WireAction::Uninstall) => "uninstall",
            Some(_) => "detect",
            None => "nothing",
        };
        let plain = winner.as_ref().filter(|row| row.active).and_then(|row| row.deadline_at);
        Ok(Explanation {
            computer: row.id.to_string(),
            update: index.reference(update),
            sent: sent.to_owned(),
            deployment: winner.as_ref().map(|row| row.id.0),
            group_deployment: winner.as_ref().and_then(|row| row.expanded_from).map(|id| id.0),
            deadline: timed.map_or(plain, |timed| timed.deadline),
            state: api_state(state),
            why: lines.join("\n"),
        })
    })
    .await
}

/// What is sent now of a deployment to a computer with this calendar, if the time matters to it.
fn in_windows(
    tx: &ReadTx<'_>,
    winner: &DeploymentRow,
    update: UpdateId,
    calendar: &Calendar,
) -> Result<Option<Resolved>, StoreError> {
    let run_minutes = tx.update_setting(update)?.run_time_minutes;
    let ask = Ask {
        timing: Timing {
            local_time: winner.terms.local_time,
            outside_windows: winner.terms.outside_windows,
            hold_until_window: winner.terms.hold_until_window,
        },
        action: winner.action,
        available: winner.available_at,
        deadline: winner.deadline_at,
        run_time: SignedDuration::from_mins(i64::from(run_minutes)),
    };
    Ok(ask.is_timed(calendar.is_open()).then(|| calendar.resolve(&ask, Timestamp::now())))
}
