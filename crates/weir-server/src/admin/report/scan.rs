//! Group D: scans.

use std::collections::BTreeMap;

use weir_model::report::{Cell, Row, states::Scan};
use weir_store::{computer::THIS_SERVER, report::ReportComputer};

use super::{
    super::AdminError,
    compliance::Places,
    source::{Scope, Source, required},
};

fn of(computer: &ReportComputer) -> Scan {
    Scan::of(computer.last_sync_succeeded)
}

fn add(counts: &mut [u64; Scan::ALL.len()], own: Scan) {
    for (count, _) in counts.iter_mut().zip(Scan::ALL).filter(|(_, known)| *known == own) {
        *count += 1;
    }
}

/// A row for each state.
fn rows(head: [Cell; 2], counts: [u64; Scan::ALL.len()]) -> impl Iterator<Item = Row> {
    let all: u64 = counts.iter().sum();
    Scan::ALL.into_iter().zip(counts).map(move |(state, count)| {
        let [id, name] = head.clone();
        vec![id, name, Cell::State(state.word()), Cell::Count(count), Cell::share(count, all)]
    })
}

/// D1.
pub(super) fn collections(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let mut places = Places::new(source)?;
    let mut counted = vec![[0_u64; Scan::ALL.len()]; places.collections.len()];
    let scope = Scope { site: source.site()?, ..Scope::default() };
    source.each_computer(&scope, &mut |row, computer| {
        for at in places.of(row) {
            if let Some(counts) = counted.get_mut(*at) {
                add(counts, of(computer));
            }
        }
        Ok(())
    })?;
    let found = places.collections.iter().zip(counted);
    let found = found.flat_map(|((id, name), counts)| rows([Cell::Id(id.to_string()), Cell::text(name)], counts));
    Ok(source.all(found.collect()))
}

/// D2.
pub(super) fn sites(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let mut counted: BTreeMap<u32, [u64; Scan::ALL.len()]> = BTreeMap::new();
    let scope = Scope { site: source.site()?, ..Scope::default() };
    // this server is there without any computers, too
    if scope.site.is_none_or(|site| site == THIS_SERVER) {
        counted.insert(THIS_SERVER, Default::default());
    }
    source.each_computer(&scope, &mut |row, computer| {
        add(counted.entry(row.site).or_default(), of(computer));
        Ok(())
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
    let mut best = source.best();
    source.each_computer(&source.scope()?, &mut |_, computer| {
        if of(computer).word() == wanted {
            best.offer((computer.dns_name.to_lowercase(), computer.id.to_string()), || {
                let more = [
                    Cell::time(computer.last_sync_at),
                    Cell::code(computer.last_sync_error),
                    Cell::Time(computer.last_contact_at),
                    Cell::time(computer.last_report_at),
                ];
                source.who(computer).into_iter().chain(more).collect()
            });
        }
        Ok(())
    })?;
    Ok(source.finish(best))
}
