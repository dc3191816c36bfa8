//! Group C: how deployments stand on computers.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use weir_model::{
    ids::{CollectionId, UpdateId},
    report::{
        Cell, Row,
        states::{Enforcement, Evaluation, Standing},
    },
    schedule::Zone,
    targeting::Timing,
    window::Ask,
};
use weir_store::{StoreError, computer::THIS_SERVER, deployment::DeploymentRow};

use super::{
    super::AdminError,
    management::update_state,
    source::{Deployment, Member, Scope, Source, required},
};
use crate::live::Published;

/// What being required means for each update of a deployment, found once for each set of collections and zone.
struct Needs<'n> {
    source: &'n Source<'n>,
    published: std::sync::Arc<Published>,
    parts: HashMap<UpdateId, &'n DeploymentRow>,
    known: HashMap<Kind, Needed>,
}

/// Computers that are told the same: their collections, their own zone, and the update.
type Kind = (Vec<CollectionId>, Option<String>, UpdateId);
/// What being required means to them, and the window that they wait for.
type Needed = (Enforcement, Option<Timestamp>);

impl<'n> Needs<'n> {
    fn new(source: &'n Source<'n>, deployment: &'n Deployment) -> Self {
        Self {
            source,
            published: source.live.current(),
            parts: deployment.parts.iter().map(|(update, row)| (*update, row)).collect(),
            known: HashMap::new(),
        }
    }

    fn of(&mut self, member: &Member<'_>, update: UpdateId) -> Needed {
        let kind = (member.row.groups.clone(), member.row.time_zone.clone(), update);
        if let Some(known) = self.known.get(&kind) {
            return *known;
        }
        let needed = self.find(member, update);
        self.known.insert(kind, needed);
        needed
    }

    fn find(&self, member: &Member<'_>, update: UpdateId) -> Needed {
        let Some(part) = self.parts.get(&update) else { return (Enforcement::BeforeDeadline, None) };
        let slot = self.source.index.search.slot(update);
        let minutes = slot.and_then(|slot| self.source.index.search.state(slot));
        let minutes = minutes.map_or(60, |state| state.flags.run_time_minutes);
        let own: Option<Zone> = member.row.time_zone.as_deref().and_then(|zone| zone.parse().ok());
        let set = self.source.live.directory.group_set(&member.row.groups);
        let calendar = self.published.calendar(&set, own.as_ref());
        let ask = Ask {
            timing: Timing {
                local_time: part.terms.local_time,
                outside_windows: part.terms.outside_windows,
                hold_until_window: part.terms.hold_until_window,
            },
            action: part.action,
            available: part.available_at,
            deadline: part.deadline_at,
            run_time: SignedDuration::from_mins(i64::from(minutes)),
        };
        let resolved = calendar.resolve(&ask, self.source.now);
        Enforcement::needed(part.enabled && part.active, &resolved, self.source.now)
    }

    /// How far a computer is, and the first window that it waits for, if it waits.
    fn computer(&mut self, member: &Member<'_>) -> Needed {
        let mut window: Option<Timestamp> = None;
        let states: Vec<Enforcement> = member
            .states()
            .map(|(asked, state, _)| {
                Enforcement::of(state, || {
                    let (state, own) = self.of(member, asked.update);
                    window = [window, own].into_iter().flatten().min();
                    state
                })
            })
            .collect();
        let state = Enforcement::of_computer(member.status.reported.is_some(), states);
        (state, window.filter(|_| state == Enforcement::WaitingForWindow))
    }
}

fn shares(source: &Source<'_>, counted: &HashMap<Enforcement, u64>) -> Vec<Row> {
    let all: u64 = counted.values().sum();
    let row = |state: Enforcement| {
        let count = counted.get(&state).copied().unwrap_or_default();
        let topic = state.topic_301().map_or(Cell::Absent, Cell::Count);
        vec![Cell::State(state.word()), topic, Cell::Count(count), Cell::share(count, all)]
    };
    source.all(Enforcement::ALL.into_iter().map(row).collect())
}

/// C1.
pub(super) fn enforcement(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let deployment = required(source.deployment()?, "deployment")?;
    let mut needs = Needs::new(source, &deployment);
    let mut counted: HashMap<Enforcement, u64> = HashMap::new();
    source.each(&source.targets(&deployment)?, Some(&deployment.updates()), &mut |member| {
        *counted.entry(needs.computer(member).0).or_default() += 1;
        Ok(())
    })?;
    Ok(shares(source, &counted))
}

/// C2.
pub(super) fn evaluation(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let deployment = required(source.deployment()?, "deployment")?;
    let rows = deployment.parts.iter().map(|(_, row)| row).chain([&deployment.row]);
    let (change, at) = rows.fold((deployment.row.change, deployment.row.changed_at), |(change, at), row| {
        (change.max(row.change), at.max(row.changed_at))
    });
    let mut counted = [0_u64; Evaluation::ALL.len()];
    source.each(&source.targets(&deployment)?, Some(&HashSet::new()), &mut |member| {
        let reported = member.status.reported;
        // an anchor is of the server that gave it
        let covered = match member.row.site {
            THIS_SERVER => reported.is_some() && member.status.anchor >= change,
            _ => reported.is_some_and(|reported| reported >= at),
        };
        let failed = member.computer.last_sync_succeeded == Some(false);
        let own = Evaluation::of(covered, failed, member.computer.last_contact_at >= at);
        for (count, _) in counted.iter_mut().zip(Evaluation::ALL).filter(|(_, known)| *known == own) {
            *count += 1;
        }
        Ok(())
    })?;
    let all: u64 = counted.iter().sum();
    let row = |(state, count): (Evaluation, u64)| {
        vec![Cell::State(state.word()), Cell::Count(state.topic_302()), Cell::Count(count), Cell::share(count, all)]
    };
    Ok(source.all(Evaluation::ALL.into_iter().zip(counted).map(row).collect()))
}

/// C3.
pub(super) fn computer(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let deployment = required(source.deployment()?, "deployment")?;
    let mut needs = Needs::new(source, &deployment);
    let mut best = source.best();
    source.one(None, &mut |member| {
        if !source.tree.holds(deployment.row.collection, member.row) {
            source.note("The computer is not in the collection of this deployment.");
        }
        let updates = deployment.updates();
        let mut known: HashMap<UpdateId, _> = HashMap::new();
        for (asked, state, entry) in member.states().filter(|(asked, ..)| updates.contains(&asked.update)) {
            known.insert(asked.update, (state, entry.copied()));
        }
        for update in updates {
            let (state, entry) = known.get(&update).copied().unwrap_or((weir_model::status::State::Unknown, None));
            let enforcement = Enforcement::of(state, || needs.of(member, update).0);
            best.offer((enforcement, source.index.title(update), update), || {
                let more = [
                    update_state(state),
                    Cell::State(enforcement.word()),
                    Cell::time(entry.map(|entry| entry.changed)),
                    Cell::code(entry.and_then(|entry| entry.error)),
                ];
                source.what(update).into_iter().chain(more).collect()
            });
        }
    })?;
    Ok(source.finish(best))
}

/// C4.
pub(super) fn computers(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let deployment = required(source.deployment()?, "deployment")?;
    let wanted = required(source.asked.choice("state"), "state")?;
    let mut best = source.best();
    source.each(&source.targets(&deployment)?, Some(&deployment.updates()), &mut |member| {
        let counts = member.counts();
        if Standing::of(member.status.reported.is_some(), &counts).word() == wanted {
            best.offer(member.key(), || {
                let more = [
                    Cell::Count(counts.needed()),
                    Cell::Count(counts.failed),
                    Cell::Count(counts.unknown),
                    Cell::Time(member.computer.last_contact_at),
                    Cell::time(member.computer.last_report_at),
                ];
                source.who(member.computer).into_iter().chain(more).collect()
            });
        }
        Ok(())
    })?;
    Ok(source.finish(best))
}

/// C5.
pub(super) fn update(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let deployment = required(source.deployment()?, "deployment")?;
    let update = source.update()?;
    if !deployment.updates().contains(&update) {
        return Err(AdminError::Invalid {
            code: "update",
            detail: format!("the update {update} is not in the deployment {}", deployment.row.id),
            next_step: Some(format!("weir reports run deployment-updates --param deployment={}", deployment.row.id)),
        });
    }
    let mut needs = Needs::new(source, &deployment);
    let mut counted: HashMap<Enforcement, u64> = HashMap::new();
    let mut count = |member: &Member<'_>| -> Result<(), StoreError> {
        *counted.entry(needs.computer(member).0).or_default() += 1;
        Ok(())
    };
    source.each(&source.targets(&deployment)?, Some(&HashSet::from([update])), &mut count)?;
    Ok(shares(source, &counted))
}

/// C6.
pub(super) fn enforcement_computers(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let deployment = required(source.deployment()?, "deployment")?;
    let wanted = required(source.asked.choice("state"), "state")?;
    let scope: Scope = source.targets(&deployment)?;
    let mut needs = Needs::new(source, &deployment);
    let mut best = source.best();
    source.each(&scope, Some(&deployment.updates()), &mut |member| {
        let (state, window) = needs.computer(member);
        if state.word() == wanted {
            best.offer(member.key(), || {
                let counts = member.counts();
                let more = [
                    Cell::Count(counts.needed()),
                    Cell::Count(counts.failed),
                    Cell::time(window),
                    Cell::Time(member.computer.last_contact_at),
                    Cell::time(member.computer.last_report_at),
                ];
                source.who(member.computer).into_iter().chain(more).collect()
            });
        }
        Ok(())
    })?;
    Ok(source.finish(best))
}
