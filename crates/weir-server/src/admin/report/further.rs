//! Reports that the groups leave out.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
};

use jiff::{SignedDuration, Timestamp};
use weir_model::{
    ids::{CollectionId, UpdateId},
    report::{Best, Cell, Row},
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
    // one that never reported is silent since it first came
    let mut found: Vec<(Timestamp, u32)> = Vec::new();
    source.each_heard(&source.scope()?, &mut |heard, _| {
        let since = heard.facts.last_report.unwrap_or(heard.facts.first_contact);
        if since < before {
            found.push((since, heard.no));
        }
    })?;
    let all = found.len();
    // those that are silent as long as the last that is shown come in the order of their ids
    let limit = source.limit as usize;
    if let Some(place) = limit.checked_sub(1).filter(|place| *place < found.len()) {
        let last = found.select_nth_unstable(place).1.0;
        found.retain(|(since, _)| *since <= last);
    }
    let left_out = (all - found.len()) as u64;
    let mut numbers: Vec<u32> = found.into_iter().map(|(_, no)| no).collect();
    numbers.sort_unstable();
    let mut best = source.best();
    source.tx.report_computers_of(&numbers, false, &mut |computer, _| {
        let since = computer.last_report_at.unwrap_or(computer.first_contact_at);
        // it may have reported meanwhile
        if since < before {
            best.offer((since, computer.id.to_string()), || {
                let more = [
                    Cell::Duration(source.now.duration_since(since)),
                    Cell::Time(computer.last_contact_at),
                    Cell::time(computer.last_report_at),
                    Cell::time(computer.last_sync_at),
                    Cell::Time(computer.first_contact_at),
                ];
                source.who(&computer).into_iter().chain(more).collect()
            });
        }
        Ok(())
    })?;
    let rows = source.finish(best);
    source.total.set(source.total.get() + left_out);
    Ok(rows)
}

/// F3.
pub(super) fn failing_updates(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let scope = source.scope()?;
    let counted = source.counts(&scope, None)?;
    let mut codes: HashMap<UpdateId, BTreeMap<Option<i32>, u64>> = HashMap::new();
    source.each_failed(&scope, None, &mut |_, update, entry| {
        *codes.entry(update).or_default().entry(entry.error).or_default() += 1;
    })?;
    let none = BTreeMap::new();
    let mut best = source.best();
    for (update, counts) in counted.updates.iter().filter(|(_, counts)| counts.failed > 0) {
        best.offer((Reverse(counts.failed), *update), || {
            let codes = codes.get(update).unwrap_or(&none);
            let frequent = codes.iter().filter(|(code, _)| code.is_some()).max_by_key(|(_, count)| **count);
            let concerned = counts.failed + counts.needed() + counts.installed;
            let more = [
                Cell::Count(counts.failed),
                Cell::Count(counts.needed()),
                Cell::Count(counts.installed),
                Cell::share(counts.failed, concerned),
                Cell::code(frequent.and_then(|(code, _)| *code)),
                Cell::Count(codes.len() as u64),
            ];
            source.what(*update).into_iter().chain(more).collect()
        });
    }
    Ok(source.finish(best))
}

/// F4.
pub(super) fn breaches(source: &Source<'_>, breaches: &Breaches) -> Result<Vec<Row>, AdminError> {
    if breaches.is_without_data() {
        source.note("No exposure data; weir exposure import brings documents of vendors.");
    }
    let meant = source.numbers(&source.scope()?)?;
    let mut best: Best<_, (u32, Vec<Cell>)> = Best::new(source.limit);
    breaches.each(&|computer| meant.binary_search(&computer).is_ok(), &mut |computer, breach| {
        best.offer((breach.due, computer, breach.cve), || {
            let what = breach.update.map_or([const { Cell::Absent }; 3], |update| source.what(update));
            let more = [
                Cell::text(breach.level),
                Cell::Time(breach.due),
                Cell::Duration(source.now.duration_since(breach.due)),
            ];
            (computer, [Cell::Id(breach.cve.to_string())].into_iter().chain(what).chain(more).collect())
        });
    });
    let (found, total) = best.finish();
    source.total.set(total);
    let who = source.who_of(found.iter().map(|(computer, _)| *computer))?;
    let rows = found.into_iter().filter_map(|(computer, what)| {
        let who = who.get(&computer)?.iter().cloned();
        Some(who.chain(what).collect())
    });
    Ok(rows.collect())
}
