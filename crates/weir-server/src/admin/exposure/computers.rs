//! Computers, with vulnerabilities counted.

use std::{cmp::Reverse, sync::Arc};

use jiff::Timestamp;
use weir_api::exposure::{
    Computer, ComputerCve, ComputerCveList, ComputerCveQuery, ComputerList, ComputerQuery, CveComputer,
    CveComputerList, LevelCounts, ServiceLevel, StateCounts,
};
use weir_model::{
    exposure::{Clock, Evidence, KnownVulnerability, Reason, State},
    ids::ComputerId,
    rights::Scope,
};

use super::{
    super::{AdminError, App, computer_roster::Roster, computer_search::checked, index::severity_word, list},
    base::Base,
    classes::Class,
    cves::{find, judge},
    judged::{Cell, Judge, Row, add_levels, add_state, of_level, of_state},
    levels,
    population::{Member, Population},
    spread::OfShape,
    words::{self, Rating},
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
    let classes = &*judge.population.classes;
    let mut sums = vec![Sum::default(); classes.len()];
    for (row, mut shape) in OfShape::all(judge) {
        let all = shape.len();
        for (((cell, class), sum), _) in with_computers(row.iter().zip(classes).zip(&mut sums), weights) {
            add_state(&mut sum.cves, cell.state(), all);
            if cell.state() == State::Exposed {
                let exposed = shape.exposed(class, cell);
                add_levels(&mut sum.levels, &exposed.levels);
                sum.exploited += exposed.exploited;
            }
        }
    }
    sums
}

/// What is of classes with computers.
fn with_computers<T>(of_classes: impl Iterator<Item = T>, weights: &[u64]) -> impl Iterator<Item = (T, u64)> {
    of_classes.zip(weights.iter().copied()).filter(|(_, weight)| *weight > 0)
}

/// How many computers have what.
#[derive(Clone, Copy, Default)]
pub(super) struct Affected {
    pub(super) exposed: u64,
    pub(super) breached: u64,
}

/// Counts computers that are exposed to something, and those with a breach.
pub(super) fn affected(judge: &Judge, weights: &[u64]) -> Affected {
    let classes = &*judge.population.classes;
    let mut found = vec![(false, false); classes.len()];
    for (row, mut shape) in OfShape::all(judge) {
        let of_classes = row.iter().zip(classes).zip(&mut found);
        for (((cell, class), (is_exposed, is_breached)), _) in with_computers(of_classes, weights) {
            if !*is_breached && cell.state() == State::Exposed {
                *is_exposed = true;
                *is_breached = shape.exposed(class, cell).levels.breached > 0;
            }
        }
    }
    let mut affected = Affected::default();
    for ((is_exposed, is_breached), weight) in found.into_iter().zip(weights) {
        affected.exposed += if is_exposed { *weight } else { 0 };
        affected.breached += if is_breached { *weight } else { 0 };
    }
    affected
}

/// What computers are called, as far as a question asks for that.
struct Named {
    /// Those with the text, if there is one.
    matching: Option<Vec<u32>>,
    /// Names, if their order is asked for.
    roster: Option<Arc<Roster>>,
}

impl Named {
    async fn read(app: &App, text: Option<&str>, by_name: bool) -> Result<Self, AdminError> {
        let text = text.map(checked).transpose()?;
        if text.is_none() && !by_name {
            return Ok(Self { matching: None, roster: None });
        }
        let roster = Roster::current(app).await?;
        let matching = text.map(|text| roster.matching(text));
        Ok(Self { matching, roster: by_name.then_some(roster) })
    }

    fn lets(&self, no: u32) -> bool {
        self.matching.as_ref().is_none_or(|matching| matching.binary_search(&no).is_ok())
    }

    /// The place of a computer; after all others if it came since.
    fn place(&self, no: u32) -> usize {
        self.roster.as_ref().and_then(|roster| roster.place(no)).unwrap_or(usize::MAX)
    }
}

/// By what computers are sorted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Sort {
    Breached,
    DueSoon,
    Excepted,
    Exploited,
    Exposed,
    Fixed,
    Name,
    NoData,
}

impl Sort {
    /// Every order with its name, and whether it descends by default.
    const ALL: [(&'static str, Self, bool); 8] = [
        ("breached", Self::Breached, true),
        ("due_soon", Self::DueSoon, true),
        ("excepted", Self::Excepted, true),
        ("exploited", Self::Exploited, true),
        ("exposed", Self::Exposed, true),
        ("fixed", Self::Fixed, true),
        ("name", Self::Name, false),
        ("no_data", Self::NoData, true),
    ];

    fn key(self, sum: &Sum, place: usize) -> u64 {
        match self {
            Self::Breached => sum.levels.breached,
            Self::DueSoon => sum.levels.due_soon,
            Self::Excepted => sum.levels.excepted,
            Self::Exploited => sum.exploited,
            Self::Exposed => sum.cves.exposed,
            Self::Fixed => sum.cves.fixed,
            Self::Name => place as u64,
            Self::NoData => sum.cves.no_data,
        }
    }
}

/// Computers: as asked, else those with most breaches first, then those exposed to most.
pub(crate) async fn list(app: &App, scope: Scope, query: ComputerQuery) -> Result<ComputerList, AdminError> {
    let limit = list::limit(query.limit)?;
    let order = query.sort.as_deref().map(|text| list::order("computers", text, &Sort::ALL)).transpose()?;
    let by_name = order.is_some_and(|(sort, _)| sort == Sort::Name);
    let named = Named::read(app, query.text.as_deref(), by_name).await?;
    let (judge, tree, weights) = judge(app, scope, query.collection.clone()).await?;
    app.try_read(move |tx| {
        let sums = sums(&judge, &weights);
        let sum = |it: &Member| sums.get(it.class as usize).copied().unwrap_or_default();
        let mut rows: Vec<Member> = judge.population.members(&tree, query.collection.as_deref())?.collect();
        rows.retain(|it| {
            let sum = sum(it);
            named.lets(it.no)
                && query.state.is_none_or(|state| of_state(&sum.cves, words::asked(state)) > 0)
                && query.level.is_none_or(|level| of_level(&sum.levels, level) > 0)
        });
        let cursor = query.cursor.as_deref();
        let page = match order {
            None => {
                let key = |sum: Sum| Reverse((sum.levels.breached, sum.cves.exposed, sum.exploited));
                list::page_of_numbers(rows.iter().map(|it| (key(sum(it)), it.no)).collect(), cursor, limit)?
            }
            Some((by, descends)) => {
                let key = |it: &Member| by.key(&sum(it), named.place(it.no));
                let key = |it: &Member| if descends { u64::MAX - key(it) } else { key(it) };
                list::page_of_numbers(rows.iter().map(|it| (key(it), it.no)).collect(), cursor, limit)?
            }
        };
        let total = rows.len() as u64;
        let mut items = Vec::with_capacity(page.items.len());
        for no in page.items {
            let Some(it) = rows.binary_search_by_key(&no, |it| it.no).ok().and_then(|at| rows.get(at)) else {
                continue;
            };
            // it may have left since
            let Some(row) = tx.computer_show(no)? else { continue };
            let Sum { cves, levels, exploited } = sum(it);
            items.push(Computer { id: row.id.to_string(), name: row.dns_name, cves, levels, exploited });
        }
        Ok(ComputerList { items, total, next: page.next })
    })
    .await
}

/// A vulnerability with what holds of a computer, and its service level.
type Held<'b> = (&'b KnownVulnerability, Evidence, Option<(ServiceLevel, Option<Clock>)>);

/// What holds of a class, with its service level; what only the KEV catalogue names is no data.
fn held(
    judge: &Judge,
    it: &KnownVulnerability,
    row: Option<&Arc<Row<Cell>>>,
    at: usize,
    class: &Class,
) -> (Evidence, Option<(ServiceLevel, Option<Clock>)>) {
    match row.and_then(|row| row.get(at)) {
        Some(cell) => (cell.evidence, judge.level(it, class, cell)),
        None => (Evidence { reason: Reason::NoFix, update: None }, None),
    }
}

/// By what the computers of one vulnerability are sorted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum OfCve {
    Due,
    Name,
    State,
}

impl OfCve {
    /// Every order with its name, and whether it descends by default.
    const ALL: [(&'static str, Self, bool); 3] =
        [("due", Self::Due, false), ("name", Self::Name, false), ("state", Self::State, false)];
}

/// Computers, as one vulnerability has them: exposed ones first unless asked otherwise.
pub(crate) async fn of_cve(
    app: &App,
    scope: Scope,
    id: String,
    query: ComputerQuery,
) -> Result<CveComputerList, AdminError> {
    let limit = list::limit(query.limit)?;
    let order = query.sort.as_deref().map(|text| list::order("computers", text, &OfCve::ALL)).transpose()?;
    let (by, descending) = order.unwrap_or((OfCve::State, false));
    let named = Named::read(app, query.text.as_deref(), by == OfCve::Name).await?;
    let (judge, tree, _) = judge(app, scope, query.collection.clone()).await?;
    app.try_read(move |tx| {
        let it = find(&judge.base, &id)?;
        let row = judge.row(it);
        let classes = judge.population.classes.iter().enumerate();
        let classes: Vec<_> = classes.map(|(at, class)| held(&judge, it, row.as_ref(), at, class)).collect();
        let of = |it: &Member| classes.get(it.class as usize).copied();
        let mut rows: Vec<Member> = judge.population.members(&tree, query.collection.as_deref())?.collect();
        rows.retain(|it| {
            let Some((evidence, level)) = of(it) else { return false };
            named.lets(it.no)
                && query.state.is_none_or(|state| evidence.reason.state() == words::asked(state))
                && query.level.is_none_or(|wanted| level.is_some_and(|(level, _)| level == wanted))
        });
        // what is not known comes last, whichever way the rest goes
        let due = |it: &Member| of(it).and_then(|(_, level)| level).and_then(|(_, clock)| clock).map(|clock| clock.due);
        match by {
            OfCve::Due => rows.sort_by_cached_key(|it| (due(it), it.no)),
            OfCve::Name => rows.sort_by_cached_key(|it| (named.place(it.no), it.no)),
            OfCve::State => rows.sort_by_cached_key(|it| {
                let (evidence, level) = of(it).unzip();
                let level = level.flatten().map(|(level, _)| level);
                (evidence.map(|it| it.reason.state()), level, evidence.map(|it| it.reason), it.no)
            }),
        }
        if descending {
            rows.reverse();
        }
        if by == OfCve::Due {
            rows.sort_by_key(|it| due(it).is_none());
        }
        let total = rows.len() as u64;
        let page = list::page(rows, |it| it.no.to_string(), query.cursor.as_deref(), limit)?;
        let mut items = Vec::with_capacity(page.items.len());
        for it in page.items {
            let (Some((evidence, level)), Some(row)) = (of(&it), tx.computer_show(it.no)?) else { continue };
            let standing = words::standing(&judge.base, evidence, level);
            items.push(CveComputer { id: row.id.to_string(), name: row.dns_name, standing });
        }
        Ok(CveComputerList { items, total, next: page.next })
    })
    .await
}

/// By what the vulnerabilities of one computer are sorted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum OfComputer {
    Cve,
    Due,
    Severity,
    State,
    Title,
}

impl OfComputer {
    /// Every order with its name, and whether it descends by default.
    const ALL: [(&'static str, Self, bool); 5] = [
        ("cve", Self::Cve, false),
        ("due", Self::Due, false),
        ("severity", Self::Severity, true),
        ("state", Self::State, false),
        ("title", Self::Title, false),
    ];
}

/// Vulnerabilities, as one computer has them: as asked, else exposures first, those that are over and due first among them.
pub(crate) async fn cves_of(
    app: &App,
    scope: Scope,
    id: String,
    query: ComputerCveQuery,
) -> Result<ComputerCveList, AdminError> {
    let limit = list::limit(query.limit)?;
    let id: ComputerId =
        id.trim().parse().map_err(|error| AdminError::invalid("computer", format!("{id:?}: {error}")))?;
    let text = words::text(query.text.as_deref())?;
    let severity = query.severity.as_deref().map(Rating::parse).transpose()?;
    let order = query.sort.as_deref().map(|text| list::order("vulnerabilities", text, &OfComputer::ALL)).transpose()?;
    let (by, descending) = order.unwrap_or((OfComputer::State, false));
    let base = Base::current(app).await?;
    let population = Arc::new(Population::of_computer(app, &base, scope, id).await?);
    let levels = app.read(levels::current).await?;
    super::super::blocking(move || {
        let judge = Judge { base, population, levels, now: Timestamp::now() };
        let Some(class) = judge.population.classes.first() else { return Ok(ComputerCveList::default()) };
        let lets = |it: &KnownVulnerability| {
            let has =
                |text: &String| it.cve.as_str().to_lowercase().contains(text) || it.title.to_lowercase().contains(text);
            it.shape.is_some()
                && text.as_ref().is_none_or(has)
                && severity.is_none_or(|Rating(severity)| it.severity == severity)
                && query.exploited.is_none_or(|exploited| it.is_exploited() == exploited)
        };
        let all = judge.base.known.vulnerabilities.values().filter(|it| lets(it));
        let held = all.map(|it| {
            let (evidence, level) = held(&judge, it, judge.row(it).as_ref(), 0, class);
            (it, evidence, level)
        });
        let mut rows: Vec<Held<'_>> = held
            .filter(|(_, evidence, level)| {
                query.state.is_none_or(|state| evidence.reason.state() == words::asked(state))
                    && query.level.is_none_or(|wanted| level.is_some_and(|(level, _)| level == wanted))
            })
            .collect();
        let due = |(_, _, level): &Held<'_>| level.and_then(|(_, clock)| clock).map(|clock| clock.due);
        match by {
            OfComputer::Cve => rows.sort_by_cached_key(|(it, ..)| it.cve.clone()),
            OfComputer::Due => rows.sort_by_cached_key(|row| (due(row), row.0.cve.clone())),
            OfComputer::Severity => rows.sort_by_cached_key(|(it, ..)| (it.severity, it.cve.clone())),
            OfComputer::State => rows.sort_by_cached_key(|row| {
                let (it, evidence, level) = row;
                (evidence.reason.state(), level.map(|(level, _)| level), due(row), it.cve.clone())
            }),
            OfComputer::Title => rows.sort_by_cached_key(|(it, ..)| (it.title.to_lowercase(), it.cve.clone())),
        }
        if descending {
            rows.reverse();
        }
        // what is not known comes last, whichever way the rest goes
        match by {
            OfComputer::Due => rows.sort_by_key(|row| due(row).is_none()),
            OfComputer::Severity => rows.sort_by_key(|(it, ..)| it.severity.is_none()),
            _ => {}
        }
        let total = rows.len() as u64;
        let page = list::page(rows, |(it, ..)| it.cve.to_string(), query.cursor.as_deref(), limit)?;
        let items = page.items.into_iter().map(|(it, evidence, level)| ComputerCve {
            cve: it.cve.to_string(),
            title: it.title.clone(),
            severity: it.severity.map(|severity| severity_word(severity).to_owned()),
            exploited: it.is_exploited(),
            standing: words::standing(&judge.base, evidence, level),
        });
        Ok(ComputerCveList { items: items.collect(), total, next: page.next })
    })
    .await
}
