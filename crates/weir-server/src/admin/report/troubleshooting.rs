//! Group E: errors.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
};

use jiff::Timestamp;
use weir_model::{
    ids::UpdateId,
    report::{Cell, Row},
    status::State,
};
use weir_store::report::ReportComputer;

use super::{
    super::AdminError,
    source::{Scope, Source, name_key, required},
};

/// E1.
pub(super) fn scan_errors(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    struct Seen {
        computers: u64,
        first: Option<Timestamp>,
        last: Option<Timestamp>,
    }
    let mut seen: BTreeMap<Option<i32>, Seen> = BTreeMap::new();
    for scan in source.failed_scans(&source.scope()?)? {
        let one = seen.entry(scan.error).or_insert(Seen { computers: 0, first: None, last: None });
        one.computers += 1;
        one.first = [one.first, Some(scan.at)].into_iter().flatten().min();
        one.last = one.last.max(Some(scan.at));
    }
    let mut best = source.best();
    for (code, seen) in seen {
        best.offer((Reverse(seen.computers), code), || {
            vec![Cell::code(code), Cell::Count(seen.computers), Cell::time(seen.first), Cell::time(seen.last)]
        });
    }
    Ok(source.finish(best))
}

/// Of which computers and updates errors are looked for.
fn scope(source: &Source<'_>) -> Result<(Scope, Option<HashSet<UpdateId>>), AdminError> {
    match source.deployment()? {
        Some(deployment) => Ok((source.targets(&deployment)?, Some(deployment.updates()))),
        None => Ok((source.scope()?, None)),
    }
}

/// E2.
pub(super) fn deployment_errors(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    #[derive(Default)]
    struct Seen {
        computers: u64,
        failures: u64,
        updates: HashSet<UpdateId>,
        last: Option<Timestamp>,
    }
    let (scope, only) = scope(source)?;
    let mut seen: HashMap<Option<i32>, Seen> = HashMap::new();
    // computers ascend: one with several failures of a code counts once
    let mut last: HashMap<Option<i32>, u32> = HashMap::new();
    source.each_failed(&scope, only.as_ref(), &mut |computer, update, entry| {
        let one = seen.entry(entry.error).or_default();
        one.computers += u64::from(last.insert(entry.error, computer) != Some(computer));
        one.failures += 1;
        one.updates.insert(update);
        one.last = one.last.max(Some(entry.changed));
    })?;
    let mut best = source.best();
    for (code, seen) in seen {
        best.offer((Reverse(seen.computers), code), || {
            vec![
                Cell::code(code),
                Cell::Count(seen.computers),
                Cell::Count(seen.updates.len() as u64),
                Cell::Count(seen.failures),
                Cell::time(seen.last),
            ]
        });
    }
    Ok(source.finish(best))
}

/// E3.
pub(super) fn scan_error_computers(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let code = required(source.asked.code("code"), "code")?;
    let scans = source.failed_scans(&source.scope()?)?.into_iter();
    let computers = source.named(scans.filter(|scan| scan.error == Some(code)).map(|scan| scan.no))?;
    let row = |computer: &ReportComputer| -> Row {
        let more = [Cell::time(computer.last_sync_at), Cell::Time(computer.last_contact_at)];
        source.who(computer).into_iter().chain(more).collect()
    };
    Ok(computers.iter().map(row).collect())
}

/// E4.
pub(super) fn deployment_error_computers(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let code = required(source.asked.code("code"), "code")?;
    let (scope, only) = scope(source)?;
    let mut having: HashSet<u32> = HashSet::new();
    source.each_failed(&scope, only.as_ref(), &mut |computer, _, entry| {
        if entry.error == Some(code) {
            having.insert(computer);
        }
    })?;
    let mut best = source.best();
    source.each(&scope, only.as_ref(), &|seen| having.contains(&seen.no), &mut |member| {
        for (asked, state, entry) in member.states() {
            let Some(entry) = entry.filter(|it| state == State::Failed && it.error == Some(code)) else { continue };
            best.offer((name_key(member.computer), asked.update), || {
                let who = source.who(member.computer).into_iter().chain(source.what(asked.update));
                who.chain([Cell::Time(entry.changed), Cell::Time(member.computer.last_contact_at)]).collect()
            });
        }
    })?;
    Ok(source.finish(best))
}
