//! Group D: scans.

use std::collections::BTreeMap;

use weir_model::{
    freshness::ScanState,
    report::{Cell, Row},
};
use weir_store::{computer::THIS_SERVER, report::ReportComputer};

use super::{
    super::AdminError,
    compliance::Places,
    source::{Scope, Source, required},
};

fn add(counts: &mut [u64; ScanState::ALL.len()], own: ScanState) {
    for (count, _) in counts.iter_mut().zip(ScanState::ALL).filter(|(_, known)| *known == own) {
        *count += 1;
    }
}

/// A row for each state.
fn rows(head: [Cell; 2], counts: [u64; ScanState::ALL.len()]) -> impl Iterator<Item = Row> {
    let all: u64 = counts.iter().sum();
    ScanState::ALL.into_iter().zip(counts).map(move |(state, count)| {
        let [id, name] = head.clone();
        vec![id, name, Cell::State(state.word()), Cell::Count(count), Cell::share(count, all)]
    })
}

/// D1.
pub(super) fn collections(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let mut places = Places::new(source)?;
    let mut counted = vec![[0_u64; ScanState::ALL.len()]; places.collections.len()];
    let scope = Scope { site: source.site()?, ..Scope::default() };
    source.each_heard(&scope, &mut |heard, groups| {
        for at in places.of(groups) {
            if let Some(counts) = counted.get_mut(*at) {
                add(counts, ScanState::of(heard.facts.detection));
            }
        }
    })?;
    let found = places.collections.iter().zip(counted);
    let found = found.flat_map(|((id, name), counts)| rows([Cell::Id(id.to_string()), Cell::text(name)], counts));
    Ok(source.all(found.collect()))
}

/// D2.
pub(super) fn sites(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let mut counted: BTreeMap<u32, [u64; ScanState::ALL.len()]> = BTreeMap::new();
    let scope = Scope { site: source.site()?, ..Scope::default() };
    // this server is there without any computers, too
    if scope.site.is_none_or(|site| site == THIS_SERVER) {
        counted.insert(THIS_SERVER, Default::default());
    }
    source.each_heard(&scope, &mut |heard, _| {
        add(counted.entry(heard.site).or_default(), ScanState::of(heard.facts.detection));
    })?;
    let found = counted.into_iter().flat_map(|(site, counts)| {
        let id = source.servers.get(&site).map_or(Cell::Absent, |(id, _)| Cell::Id(id.clone()));
        rows([id, source.site_name(site)], counts)
    });
    Ok(source.all(found.collect()))
}

/// D3 and D4.
pub(super) fn computers(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let wanted = required(source.asked.choice("state"), "state")?;
    let mut numbers = Vec::new();
    source.each_heard(&source.scope()?, &mut |heard, _| {
        if ScanState::of(heard.facts.detection).word() == wanted {
            numbers.push(heard.no);
        }
    })?;
    // one that scanned since is another case by now
    let computers = source.named(numbers)?;
    let still = computers.iter().filter(|computer| computer.scan().word() == wanted);
    let row = |computer: &ReportComputer| -> Row {
        let more = [
            Cell::time(computer.last_sync_at),
            Cell::code(computer.last_sync_error),
            Cell::Time(computer.last_contact_at),
            Cell::time(computer.last_report_at),
        ];
        source.who(computer).into_iter().chain(more).collect()
    };
    Ok(still.map(row).collect())
}
