//! Computers, with vulnerabilities counted.

use std::sync::Arc;

use jiff::Timestamp;
use weir_api::{
    List,
    exposure::{
        Computer, ComputerCve, ComputerCveQuery, ComputerQuery, CveComputer, CveComputerQuery, LevelCounts,
        ServiceLevel, StateCounts,
    },
};
use weir_model::{
    exposure::{Evidence, KnownVulnerability, Reason},
    ids::ComputerId,
};
use weir_store::ReadTx;

use super::{
    super::{AdminError, App, collection::Tree, index::severity_word, list},
    base::Base,
    cves::{find, judge},
    judged::{Cell, Judge, add_level, add_state, of_level, of_state},
    levels,
    population::{Class, Population},
    words,
};

/// Vulnerabilities counted over one class.
#[derive(Clone, Copy, Default)]
struct Sum {
    cves: StateCounts,
    levels: LevelCounts,
    exploited: u64,
}

/// Counts every vulnerability that documents name for each class that has computers.
fn sums(judge: &Judge, weights: &[u64]) -> Vec<Sum> {
    let mut sums = vec![Sum::default(); judge.population.classes.len()];
    for it in judge.base.known.vulnerabilities.values() {
        let Some(row) = judge.row(it) else { continue };
        for (((cell, class), sum), weight) in row.iter().zip(&judge.population.classes).zip(&mut sums).zip(weights) {
            if *weight == 0 {
                continue;
            }
            add_state(&mut sum.cves, cell.state(), 1);
            if let Some((level, _)) = judge.level(it, class, cell) {
                add_level(&mut sum.levels, level, 1);
                sum.exploited += u64::from(it.is_exploited());
            }
        }
    }
    sums
}

/// How many computers have what.
#[derive(Clone, Copy, Default)]
pub(super) struct Affected {
    pub(super) exposed: u64,
    pub(super) breached: u64,
}

/// Counts computers that are exposed to something, and those with a breach.
pub(super) fn affected(judge: &Judge, weights: &[u64]) -> Affected {
    let mut affected = Affected::default();
    for (sum, weight) in sums(judge, weights).iter().zip(weights) {
        affected.exposed += if sum.cves.exposed > 0 { *weight } else { 0 };
        affected.breached += if sum.levels.breached > 0 { *weight } else { 0 };
    }
    affected
}

/// Places of the computers of a collection in [`Population::computers`].
fn members(judge: &Judge, tree: &Tree, collection: Option<&str>) -> Result<Vec<usize>, AdminError> {
    let within = collection.map(|name| tree.find(name)).transpose()?.map(|row| row.id);
    let all = judge.population.computers.iter().enumerate();
    Ok(all.filter(|(_, (row, _))| within.is_none_or(|within| tree.holds(within, row))).map(|(at, _)| at).collect())
}

/// Computers: those with most breaches first, then those exposed to most.
pub(crate) async fn list(app: &App, query: ComputerQuery) -> Result<List<Computer>, AdminError> {
    let limit = list::limit(query.limit)?;
    let (judge, tree, weights) = judge(app, query.collection.clone()).await?;
    app.try_read(move |tx| {
        let sums = sums(&judge, &weights);
        let sum = |at: usize| {
            let class = judge.population.computers.get(at).map(|(_, class)| *class as usize);
            class.and_then(|class| sums.get(class)).copied().unwrap_or_default()
        };
        let mut rows = members(&judge, &tree, query.collection.as_deref())?;
        rows.retain(|at| {
            let sum = sum(*at);
            query.state.is_none_or(|state| of_state(&sum.cves, words::asked(state)) > 0)
                && query.level.is_none_or(|level| of_level(&sum.levels, level) > 0)
        });
        rows.sort_by_cached_key(|at| {
            let sum = sum(*at);
            (std::cmp::Reverse((sum.levels.breached, sum.cves.exposed, sum.exploited)), *at)
        });
        let id =
            |at: &usize| judge.population.computers.get(*at).map(|(row, _)| row.id.to_string()).unwrap_or_default();
        let page = list::page(rows, id, query.cursor.as_deref(), limit)?;
        let mut items = Vec::with_capacity(page.items.len());
        for at in page.items {
            let Sum { cves, levels, exploited } = sum(at);
            items.push(Computer { id: id(&at), name: name(tx, &judge, at)?, cves, levels, exploited });
        }
        Ok(List { items, next: page.next })
    })
    .await
}

fn name(tx: &ReadTx<'_>, judge: &Judge, at: usize) -> Result<String, AdminError> {
    let Some((row, _)) = judge.population.computers.get(at) else { return Ok(String::new()) };
    Ok(tx.computer_show(row.no)?.map(|row| row.dns_name).unwrap_or_default())
}

/// What holds of a class, with its service level; what only the KEV catalogue names is no data.
fn held(
    judge: &Judge,
    it: &KnownVulnerability,
    row: Option<&Arc<[Cell]>>,
    at: usize,
    class: &Class,
) -> (Evidence, Option<(ServiceLevel, Option<weir_model::exposure::Clock>)>) {
    match row.and_then(|row| row.get(at)) {
        Some(cell) => (cell.evidence, judge.level(it, class, cell)),
        None => (Evidence { reason: Reason::NoFix, update: None }, None),
    }
}

/// Computers, as one vulnerability has them: exposed ones first.
pub(crate) async fn of_cve(app: &App, id: String, query: CveComputerQuery) -> Result<List<CveComputer>, AdminError> {
    let limit = list::limit(query.limit)?;
    let (judge, tree, _) = judge(app, query.collection.clone()).await?;
    app.try_read(move |tx| {
        let it = find(&judge.base, &id)?;
        let row = judge.row(it);
        let classes = judge.population.classes.iter().enumerate();
        let classes: Vec<_> = classes.map(|(at, class)| held(&judge, it, row.as_ref(), at, class)).collect();
        let of = |at: usize| {
            let class = judge.population.computers.get(at).map(|(_, class)| *class as usize);
            class.and_then(|class| classes.get(class)).copied()
        };
        let mut rows = members(&judge, &tree, query.collection.as_deref())?;
        rows.retain(|at| {
            let Some((evidence, level)) = of(*at) else { return false };
            query.state.is_none_or(|state| evidence.reason.state() == words::asked(state))
                && query.level.is_none_or(|wanted| level.is_some_and(|(level, _)| level == wanted))
        });
        rows.sort_by_cached_key(|at| {
            let (evidence, level) = of(*at).unzip();
            let level = level.flatten().map(|(level, _)| level);
            (evidence.map(|it| it.reason.state()), level, evidence.map(|it| it.reason), *at)
        });
        let id =
            |at: &usize| judge.population.computers.get(*at).map(|(row, _)| row.id.to_string()).unwrap_or_default();
        let page = list::page(rows, id, query.cursor.as_deref(), limit)?;
        let mut items = Vec::with_capacity(page.items.len());
        for at in page.items {
            let Some((evidence, level)) = of(at) else { continue };
            let standing = words::standing(&judge.base, evidence, level);
            items.push(CveComputer { id: id(&at), name: name(tx, &judge, at)?, standing });
        }
        Ok(List { items, next: page.next })
    })
    .await
}

/// Vulnerabilities, as one computer has them: exposures first, those that are over and due first among them.
pub(crate) async fn cves_of(app: &App, id: String, query: ComputerCveQuery) -> Result<List<ComputerCve>, AdminError> {
    let limit = list::limit(query.limit)?;
    let id: ComputerId =
        id.trim().parse().map_err(|error| AdminError::invalid("computer", format!("{id:?}: {error}")))?;
    let base = Base::current(app).await?;
    let population = Arc::new(Population::of_computer(app, &base, id).await?);
    let levels = app.read(levels::current).await?;
    super::super::blocking(move || {
        let judge = Judge { base, population, levels, now: Timestamp::now() };
        let Some(class) = judge.population.classes.first() else {
            return Ok(List { items: Vec::new(), next: None });
        };
        let all = judge.base.known.vulnerabilities.values().filter(|it| it.shape.is_some());
        let held = all.map(|it| {
            let (evidence, level) = held(&judge, it, judge.row(it).as_ref(), 0, class);
            (it, evidence, level)
        });
        let mut rows: Vec<_> = held
            .filter(|(_, evidence, level)| {
                query.state.is_none_or(|state| evidence.reason.state() == words::asked(state))
                    && query.level.is_none_or(|wanted| level.is_some_and(|(level, _)| level == wanted))
            })
            .collect();
        rows.sort_by_cached_key(|(it, evidence, level)| {
            let due = level.and_then(|(_, clock)| clock).map(|clock| clock.due);
            (evidence.reason.state(), level.map(|(level, _)| level), due, it.cve.clone())
        });
        let page = list::page(rows, |(it, ..)| it.cve.to_string(), query.cursor.as_deref(), limit)?;
        let items = page.items.into_iter().map(|(it, evidence, level)| ComputerCve {
            cve: it.cve.to_string(),
            title: it.title.clone(),
            severity: it.severity.map(|severity| severity_word(severity).to_owned()),
            exploited: it.is_exploited(),
            standing: words::standing(&judge.base, evidence, level),
        });
        Ok(List { items: items.collect(), next: page.next })
    })
    .await
}
