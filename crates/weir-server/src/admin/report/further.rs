//! Reports that the groups leave out.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
};

use jiff::SignedDuration;
use weir_model::{
    ids::{CollectionId, UpdateId},
    report::{Cell, Row},
    status::{Counts, State},
};

use super::{
    super::{AdminError, exposure::Breaches},
    management::{action, installing},
    shown::counts_of,
    source::Source,
};

/// F1.
pub(super) fn not_installed(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let deployments = installing(source)?;
    // deployments of one collection are counted together
    let mut wanted: HashMap<CollectionId, HashSet<UpdateId>> = HashMap::new();
    for deployment in &deployments {
        let active = deployment.parts.iter().filter(|(_, part)| part.enabled && part.active);
        wanted.entry(deployment.row.collection).or_default().extend(active.map(|(update, _)| *update));
    }
    let mut counted: HashMap<CollectionId, HashMap<UpdateId, Counts>> = HashMap::new();
    for (collection, updates) in wanted.iter().filter(|(_, updates)| !updates.is_empty()) {
        let mut scope = source.scope()?;
        scope.collections[1] = Some(*collection);
        counted.insert(*collection, source.counts(&scope, Some(updates))?.updates);
    }
    let mut best = source.best();
    for deployment in &deployments {
        let Some(counted) = counted.get(&deployment.row.collection) else { continue };
        for (update, part) in deployment.parts.iter().filter(|(_, part)| part.enabled && part.active) {
            let Some(counts) = counted.get(update) else { continue };
            // pending a restart is installed as far as a deployment can go
            let missing = counts.required + counts.downloaded + counts.failed;
            if missing == 0 {
                continue;
            }
            let row = &deployment.row;
            best.offer((Reverse(missing), row.id, *update), || {
                let head = [
                    Cell::Id(row.id.to_string()),
                    Cell::text(&row.collection_name),
                    Cell::State(action(part.action)),
                    Cell::time(part.deadline_at),
                ];
                let more = [Cell::Count(counts.total()), Cell::Count(missing)];
                let states = [
                    State::Required,
                    State::Downloaded,
                    State::PendingRestart,
                    State::Failed,
                    State::Installed,
                    State::Unknown,
                ];
                head.into_iter().chain(source.what(*update)).chain(more).chain(counts_of(counts, &states)).collect()
            });
        }
    }
    Ok(source.finish(best))
}

/// F2.
pub(super) fn silent(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let days = i64::from(source.asked.count("days").unwrap_or(30));
    let before = source.now - SignedDuration::from_hours(24 * days);
    let mut best = source.best();
    source.each_computer(&source.scope()?, &mut |_, computer| {
        // one that never reported is silent since it first came
        let since = computer.last_report_at.unwrap_or(computer.first_contact_at);
        if since < before {
            best.offer((since, computer.id.to_string()), || {
                let more = [
                    Cell::Duration(source.now.duration_since(since)),
                    Cell::Time(computer.last_contact_at),
                    Cell::time(computer.last_report_at),
                    Cell::time(computer.last_sync_at),
                    Cell::Time(computer.first_contact_at),
                ];
                source.who(computer).into_iter().chain(more).collect()
            });
        }
        Ok(())
    })?;
    Ok(source.finish(best))
}

/// F3.
pub(super) fn failing_updates(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    #[derive(Default)]
    struct Seen {
        counts: Counts,
        codes: BTreeMap<Option<i32>, u64>,
    }
    let mut seen: HashMap<UpdateId, Seen> = HashMap::new();
    source.each(&source.scope()?, None, &mut |member| {
        for (asked, state, entry) in member.states().filter(|(_, _, entry)| entry.is_some()) {
            let one = seen.entry(asked.update).or_default();
            one.counts.add(state);
            if state == State::Failed {
                *one.codes.entry(entry.and_then(|entry| entry.error)).or_default() += 1;
            }
        }
        Ok(())
    })?;
    let mut best = source.best();
    for (update, seen) in seen.into_iter().filter(|(_, seen)| seen.counts.failed > 0) {
        best.offer((Reverse(seen.counts.failed), update), || {
            let counts = &seen.counts;
            let frequent = seen.codes.iter().filter(|(code, _)| code.is_some()).max_by_key(|(_, count)| **count);
            let concerned = counts.failed + counts.needed() + counts.installed;
            let more = [
                Cell::Count(counts.failed),
                Cell::Count(counts.needed()),
                Cell::Count(counts.installed),
                Cell::share(counts.failed, concerned),
                Cell::code(frequent.and_then(|(code, _)| *code)),
                Cell::Count(seen.codes.len() as u64),
            ];
            source.what(update).into_iter().chain(more).collect()
        });
    }
    Ok(source.finish(best))
}

/// F4.
pub(super) fn breaches(source: &Source<'_>, breaches: &Breaches) -> Result<Vec<Row>, AdminError> {
    if breaches.is_without_data() {
        source.note("No exposure data; weir exposure import brings documents of vendors.");
    }
    let mut meant = HashMap::new();
    source.each_computer(&source.scope()?, &mut |_, computer| {
        meant.insert(computer.no, source.who(computer));
        Ok(())
    })?;
    let mut best = source.best();
    breaches.each(&|computer| meant.contains_key(&computer), &mut |computer, breach| {
        let Some(who) = meant.get(&computer) else { return };
        best.offer((breach.due, computer, breach.cve), || {
            let what = breach.update.map_or([const { Cell::Absent }; 3], |update| source.what(update));
            let more = [
                Cell::text(breach.level),
                Cell::Time(breach.due),
                Cell::Duration(source.now.duration_since(breach.due)),
            ];
            who.iter().cloned().chain([Cell::Id(breach.cve.to_string())]).chain(what).chain(more).collect()
        });
    });
    Ok(source.finish(best))
}
