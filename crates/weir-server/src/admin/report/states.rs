//! Group C: how deployments stand on computers.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use weir_model::{
    compliance::deployment::{Enforcement, Terms},
    freshness::ScanState,
    ids::UpdateId,
    report::{Cell, Row, states::Evaluation},
    status::State,
};
use weir_store::computer::THIS_SERVER;

use super::{
    super::{AdminError, enforcement::Enforced},
    management::update_state,
    source::{Deployment, Member, Scope, Source, name_key, required},
};

fn enforced<'e>(source: &'e Source<'_>, deployment: &Deployment) -> Enforced<'e> {
    Enforced::new(source.live, source.index, deployment.row.action, &deployment.parts, source.now)
}

/// How far a computer is, and the first window that it waits for, if it waits.
fn of_computer(enforced: &mut Enforced<'_>, member: &Member<'_>) -> (Enforcement, Option<Timestamp>) {
    let states = member.states().map(|(asked, state, _)| (asked.update, state));
    enforced.computer(member.place(), member.status.reported.is_some(), states)
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
    let mut enforced = enforced(source, &deployment);
    let mut counted: HashMap<Enforcement, u64> = HashMap::new();
    for (_, at) in source.enforced(&mut enforced, &source.targets(&deployment)?)? {
        *counted.entry(at).or_default() += 1;
    }
    Ok(shares(source, &counted))
}

/// C2.
pub(super) fn evaluation(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let deployment = required(source.deployment()?, "deployment")?;
    let rows = deployment.parts.iter().map(|(_, row)| row).chain([&deployment.row]);
    let (change, at) = rows.fold((deployment.row.change, deployment.row.changed_at), |(change, at), row| {
        (change.max(row.change), at.max(row.changed_at))
    });
    // an anchor is of the server that gave it; of the computers of others the time of the report says it
    let mut covered: HashSet<u32> = HashSet::new();
    let (scope, mut below) = (source.targets(&deployment)?, Vec::new());
    source.survey(&scope, Some(&HashSet::new()), &mut |seen| match seen.site {
        THIS_SERVER => {
            if seen.anchor.is_some_and(|anchor| anchor >= change) {
                covered.insert(seen.no);
            }
        }
        _ => below.push(seen.no),
    })?;
    below.sort_unstable();
    let mut counted = [0_u64; Evaluation::ALL.len()];
    let mut count = |covered: bool, scan: ScanState, last_contact: Timestamp| {
        let own = Evaluation::of(covered, scan == ScanState::Failed, last_contact >= at);
        for (count, _) in counted.iter_mut().zip(Evaluation::ALL).filter(|(_, known)| *known == own) {
            *count += 1;
        }
    };
    source.each_heard(&scope, &mut |heard, _| {
        if heard.site == THIS_SERVER {
            let scan = ScanState::of(heard.facts.detection);
            count(covered.contains(&heard.no), scan, heard.facts.last_contact);
        }
    })?;
    source.statuses(&below, &mut |computer, status| {
        let covered = status.reported.is_some_and(|reported| reported >= at);
        count(covered, computer.scan(), computer.last_contact_at);
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
    let mut enforced = enforced(source, &deployment);
    let mut best = source.best();
    source.one(&mut |member| {
        if !source.tree.holds_any(deployment.row.collection, member.groups) {
            source.note("The computer is not in the collection of this deployment.");
        }
        let updates = deployment.updates();
        let mut known: HashMap<UpdateId, _> = HashMap::new();
        for (asked, state, entry) in member.states().filter(|(asked, ..)| updates.contains(&asked.update)) {
            known.insert(asked.update, (state, entry.copied()));
        }
        let reported = member.status.reported.is_some();
        for update in updates {
            let known = known.get(&update).copied();
            let each = known.map(|(state, _)| enforced.of_update(member.place(), update, state));
            let enforcement = Terms::enforcement(reported, each);
            let (state, entry) = known.unwrap_or((State::Unknown, None));
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

/// Those of a scope where `is_meant` holds whose rows a report by name may have, and how many are left out.
fn shown(
    source: &Source<'_>,
    enforced: &mut Enforced<'_>,
    scope: &Scope,
    is_meant: &dyn Fn(Enforcement) -> bool,
) -> Result<(HashSet<u32>, u64), AdminError> {
    let meant = source.enforced(enforced, scope)?.into_iter().filter(|(_, at)| is_meant(*at));
    Ok(source.shown(meant.map(|(standing, _)| standing.no).collect()))
}

/// C4.
pub(super) fn computers(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let deployment = required(source.deployment()?, "deployment")?;
    let wanted = required(source.asked.choice("state"), "state")?;
    let mut enforced = enforced(source, &deployment);
    let scope: Scope = source.targets(&deployment)?;
    let (shown, left_out) = shown(source, &mut enforced, &scope, &|at| at.status().word() == wanted)?;
    let mut best = source.best();
    source.each(&scope, Some(&deployment.updates()), &|seen| shown.contains(&seen.no), &mut |member| {
        if of_computer(&mut enforced, member).0.status().word() == wanted {
            best.offer(name_key(member.computer), || {
                let counts = member.counts();
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
    })?;
    let rows = source.finish(best);
    source.total.set(source.total.get() + left_out);
    Ok(rows)
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
    let scope = source.targets(&deployment)?;
    let (row, parts) = (deployment.row, deployment.parts.into_iter().filter(|(part, _)| *part == update).collect());
    let mut enforced = enforced(source, &Deployment { row, parts });
    let mut counted: HashMap<Enforcement, u64> = HashMap::new();
    for (_, at) in source.enforced(&mut enforced, &scope)? {
        *counted.entry(at).or_default() += 1;
    }
    Ok(shares(source, &counted))
}

/// C6.
pub(super) fn enforcement_computers(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let deployment = required(source.deployment()?, "deployment")?;
    let wanted = required(source.asked.choice("state"), "state")?;
    let scope: Scope = source.targets(&deployment)?;
    let mut enforced = enforced(source, &deployment);
    let (shown, left_out) = shown(source, &mut enforced, &scope, &|at| at.word() == wanted)?;
    let mut best = source.best();
    source.each(&scope, Some(&deployment.updates()), &|seen| shown.contains(&seen.no), &mut |member| {
        let (state, window) = of_computer(&mut enforced, member);
        if state.word() == wanted {
            best.offer(name_key(member.computer), || {
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
    })?;
    let rows = source.finish(best);
    source.total.set(source.total.get() + left_out);
    Ok(rows)
}
