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

use super::{
    super::AdminError,
    source::{Scope, Source, required},
};

/// E1.
pub(super) fn scan_errors(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    struct Seen {
        computers: u64,
        first: Option<Timestamp>,
        last: Option<Timestamp>,
    }
    let mut seen: BTreeMap<Option<i32>, Seen> = BTreeMap::new();
    source.each_computer(&source.scope()?, &mut |_, computer| {
        if computer.last_sync_succeeded == Some(false) {
            let one = seen.entry(computer.last_sync_error).or_insert(Seen { computers: 0, first: None, last: None });
            one.computers += 1;
            one.first = [one.first, computer.last_sync_at].into_iter().flatten().min();
            one.last = one.last.max(computer.last_sync_at);
        }
        Ok(())
    })?;
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
    source.each(&scope, only.as_ref(), &mut |member| {
        let mut own: HashSet<Option<i32>> = HashSet::new();
        for (asked, _, entry) in member.states().filter(|(_, state, _)| *state == State::Failed) {
            let code = entry.and_then(|entry| entry.error);
            let one = seen.entry(code).or_default();
            one.computers += u64::from(own.insert(code));
            one.failures += 1;
            one.updates.insert(asked.update);
            one.last = one.last.max(entry.map(|entry| entry.changed));
        }
        Ok(())
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
    let mut best = source.best();
    source.each_computer(&source.scope()?, &mut |_, computer| {
        if computer.last_sync_succeeded == Some(false) && computer.last_sync_error == Some(code) {
            best.offer((computer.dns_name.to_lowercase(), computer.id.to_string()), || {
                let more = [Cell::time(computer.last_sync_at), Cell::Time(computer.last_contact_at)];
                source.who(computer).into_iter().chain(more).collect()
            });
        }
        Ok(())
    })?;
    Ok(source.finish(best))
}

/// E4.
pub(super) fn deployment_error_computers(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let code = required(source.asked.code("code"), "code")?;
    let (scope, only) = scope(source)?;
    let mut best = source.best();
    source.each(&scope, only.as_ref(), &mut |member| {
        for (asked, state, entry) in member.states() {
            let Some(entry) = entry.filter(|it| state == State::Failed && it.error == Some(code)) else { continue };
            best.offer((member.key(), asked.update), || {
                let who = source.who(member.computer).into_iter().chain(source.what(asked.update));
                who.chain([Cell::Time(entry.changed), Cell::Time(member.computer.last_contact_at)]).collect()
            });
        }
        Ok(())
    })?;
    Ok(source.finish(best))
}
