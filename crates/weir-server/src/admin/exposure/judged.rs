//! Verdicts of classes and shapes, with their clocks.

use std::{ops::Deref, sync::Arc};

use jiff::{Timestamp, tz::TimeZone};
use parking_lot::Mutex;
use weir_api::exposure::{LevelCounts, ServiceLevel, StateCounts};
use weir_model::{
    exposure::{
        Clock, ComputerFacts, Evidence, Known, KnownVulnerability, Levels, Shape, Started, State, Subject, Timing,
        Verdict, combine, judge, of_problem,
    },
    status::State as UpdateState,
};

use super::{base::Base, classes::Class, population::Population};

/// Verdicts that are kept at most, and as many answers about problems; where there are more, each is made when it is asked
/// for.
const MOST_KEPT: usize = 4_000_000;

/// What was judged of a class and a shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    /// Why computers of the class stand where they do.
    pub(super) evidence: Evidence,
    /// When the first update arrived here that fixes it, in seconds; 0 if that is not known.
    pub(super) offered: u32,
}

impl Cell {
    /// Where computers of the class stand.
    pub(super) fn state(&self) -> State {
        self.evidence.reason.state()
    }
}

/// What was judged of the classes, by number; it grows as classes are met.
#[derive(Clone, Debug)]
pub(super) struct Row<T>(Vec<T>);

impl<T> Deref for Row<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

/// A row, once somebody asked for it.
type Kept<T> = Mutex<Option<Arc<Row<T>>>>;

/// The row, with what `make` says of classes that were not judged yet.
fn grown<T: Clone>(kept: &Kept<T>, classes: &[Class], make: impl FnMut((usize, &Class)) -> T) -> Arc<Row<T>> {
    let mut kept = kept.lock();
    let row = kept.get_or_insert_with(|| Arc::new(Row(Vec::new())));
    if row.len() < classes.len() {
        let new = classes.iter().enumerate().skip(row.len()).map(make);
        // others may still read the shorter row
        Arc::make_mut(row).0.extend(new);
    }
    Arc::clone(row)
}

/// Verdicts over all classes, made when they are asked for.
#[derive(Debug)]
pub(super) struct Verdicts {
    /// What is said of problems.
    problems: Vec<Kept<Evidence>>,
    /// What follows for shapes.
    shapes: Vec<Kept<Cell>>,
}

impl Verdicts {
    pub(super) fn new(known: &Known) -> Self {
        fn rows<T>(count: usize) -> Vec<Kept<T>> {
            (0..count).map(|_| Mutex::default()).collect()
        }
        Self { problems: rows(known.problems.len()), shapes: rows(known.shapes.len()) }
    }

    /// Whether verdicts of so many classes are kept.
    fn are_kept(&self, classes: usize) -> bool {
        self.problems.len().max(self.shapes.len()).saturating_mul(classes) <= MOST_KEPT
    }
}

/// A vulnerability counted over computers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    pub(super) states: StateCounts,
    pub(super) levels: LevelCounts,
    /// The earliest end of a clock, exceptions aside.
    pub(super) due: Option<Timestamp>,
}

/// Judges for one request.
pub(super) struct Judge {
    pub(super) base: Arc<Base>,
    pub(super) population: Arc<Population>,
    pub(super) levels: Levels,
    pub(super) now: Timestamp,
}

impl Judge {
    /// What holds of every class for a vulnerability; none if only the KEV catalogue names it.
    pub(super) fn row(&self, vulnerability: &KnownVulnerability) -> Option<Arc<Row<Cell>>> {
        let place = vulnerability.shape? as usize;
        let shape = self.base.known.shapes.get(place)?;
        Some(self.kept_row(place).unwrap_or_else(|| {
            let cells = self.population.classes.iter().map(|class| self.cell(&self.verdict(shape, class)));
            Arc::new(Row(cells.collect()))
        }))
    }

    /// What holds of every class for the shape at this place; none if that is too much to be kept.
    pub(super) fn kept_row(&self, place: usize) -> Option<Arc<Row<Cell>>> {
        let shape = self.base.known.shapes.get(place)?;
        let (classes, verdicts) = (&self.population.classes, self.population.verdicts());
        if !verdicts.are_kept(classes.len()) {
            return None;
        }
        let mut rows: Option<Vec<Arc<Row<Evidence>>>> = None;
        let make = |(at, class): (usize, &Class)| {
            let problems = || shape.problems.iter().map(|problem| self.problem(*problem)).collect();
            let rows = rows.get_or_insert_with(problems);
            let evidence = rows.iter().filter_map(|row| row.get(at)).copied();
            self.cell(&combine(&self.base.known, shape, class.os, evidence))
        };
        verdicts.shapes.get(place).map(|row| grown(row, classes, make))
    }

    /// What holds of one class for the shape at this place.
    pub(super) fn cell_of(&self, place: usize, class: &Class) -> Option<Cell> {
        let shape = self.base.known.shapes.get(place)?;
        Some(self.cell(&self.verdict(shape, class)))
    }

    /// What is said of a problem, by class.
    fn problem(&self, place: u32) -> Arc<Row<Evidence>> {
        let row = self.population.verdicts().problems.get(place as usize);
        let problem = self.base.known.problems.get(place as usize);
        let (Some(row), Some(problem)) = (row, problem) else { return Arc::new(Row(Vec::new())) };
        grown(row, &self.population.classes, |(_, class)| {
            self.asking(class, |facts| of_problem(problem, &self.base.join, facts))
        })
    }

    /// Asks something of a class.
    fn asking<T>(&self, class: &Class, ask: impl FnOnce(&ComputerFacts<'_>) -> T) -> T {
        let relevant = self.base.join.relevant();
        let state = |update| relevant.binary_search(&update).map_or(UpdateState::Unknown, |place| class.state(place));
        ask(&ComputerFacts { reported: class.reported(), os: class.os, state: &state })
    }

    /// The verdict on a class in full.
    fn verdict(&self, shape: &Shape, class: &Class) -> Verdict {
        self.asking(class, |facts| judge(&self.base.known, Some(shape), &self.base.join, facts))
    }

    fn cell(&self, verdict: &Verdict) -> Cell {
        let offered = verdict.needed().filter_map(|update| self.base.offered(update)).min();
        let offered = offered.and_then(|at| u32::try_from(at.as_second()).ok()).unwrap_or_default();
        Cell { evidence: verdict.evidence, offered }
    }

    /// The service level of a class, if it is exposed.
    pub(super) fn level(
        &self,
        vulnerability: &KnownVulnerability,
        class: &Class,
        cell: &Cell,
    ) -> Option<(ServiceLevel, Option<Clock>)> {
        if cell.state() != State::Exposed {
            return None;
        }
        let (level, clock) = self.timed(vulnerability, cell.offered);
        Some((if self.is_excepted(vulnerability, class) { ServiceLevel::Excepted } else { level }, clock))
    }

    /// The service level of an exposure, exceptions aside. `offered` as of [`Cell`].
    pub(super) fn timed(&self, vulnerability: &KnownVulnerability, offered: u32) -> (ServiceLevel, Option<Clock>) {
        let started = Started {
            published: vulnerability.published,
            offered: Timestamp::from_second(offered.into()).ok().filter(|_| offered > 0),
            exploited: exploited_since(vulnerability),
        };
        let clock = self.levels.clock(vulnerability.rating(), started, self.now);
        let level = match clock.map(|clock| clock.timing) {
            None => ServiceLevel::None,
            Some(Timing::Breached) => ServiceLevel::Breached,
            Some(Timing::DueSoon) => ServiceLevel::DueSoon,
            Some(Timing::Within) => ServiceLevel::Within,
        };
        (level, clock)
    }

    /// Whether exceptions at these places hold for a vulnerability; none if that depends on the updates that a class needs.
    pub(super) fn excepts(&self, places: &[u16], vulnerability: &KnownVulnerability) -> Option<bool> {
        let exceptions = places.iter().filter_map(|at| self.population.exceptions.get(usize::from(*at)));
        let mut is_of_updates = false;
        for exception in exceptions {
            match &exception.subject {
                Subject::Cve(cve) if *cve == vulnerability.cve => return Some(true),
                Subject::Cve(_) => {}
                Subject::Update(_) => is_of_updates = true,
            }
        }
        if is_of_updates { None } else { Some(false) }
    }

    /// Whether an exception holds: one about the vulnerability, or, for each part that exposes, one about its update.
    fn is_excepted(&self, vulnerability: &KnownVulnerability, class: &Class) -> bool {
        let exceptions = class.excepted.iter().filter_map(|at| self.population.exceptions.get(usize::from(*at)));
        let mut updates = Vec::new();
        for exception in exceptions {
            match &exception.subject {
                Subject::Cve(cve) if *cve == vulnerability.cve => return true,
                Subject::Cve(_) => {}
                Subject::Update(update) => updates.push(*update),
            }
        }
        let shape = self.base.known.shape_of(vulnerability).filter(|_| !updates.is_empty());
        let Some(shape) = shape else { return false };
        let verdict = self.verdict(shape, class);
        let exposed =
            verdict.parts.iter().filter(|part| !part.left_out && part.evidence.reason.state() == State::Exposed);
        let mut needed = exposed.map(|part| part.evidence.update.and_then(|update| self.base.id(update)));
        needed.all(|update| update.is_some_and(|update| updates.contains(&update)))
    }

    /// Counts a vulnerability over classes with these weights. For many of them see [`super::spread::Counting`].
    pub(super) fn count(&self, vulnerability: &KnownVulnerability, weights: &[u64]) -> Counted {
        let mut counted = Counted::default();
        let Some(row) = self.row(vulnerability) else {
            counted.states.no_data = weights.iter().sum();
            return counted;
        };
        for ((cell, class), weight) in row.iter().zip(&*self.population.classes).zip(weights) {
            if *weight == 0 {
                continue;
            }
            add_state(&mut counted.states, cell.state(), *weight);
            if let Some((level, clock)) = self.level(vulnerability, class, cell) {
                add_level(&mut counted.levels, level, *weight);
                if level != ServiceLevel::Excepted {
                    counted.due = counted.due.into_iter().chain(clock.map(|clock| clock.due)).min();
                }
            }
        }
        counted
    }
}

/// Since when exploitation is known: since publication if the vendor says so, else since it is in the KEV catalogue.
fn exploited_since(vulnerability: &KnownVulnerability) -> Option<Timestamp> {
    let by_vendor = vulnerability.exploited.then(|| vulnerability.published.unwrap_or(Timestamp::MIN));
    let listed = vulnerability.listed.as_ref().and_then(|entry| entry.added.to_zoned(TimeZone::UTC).ok());
    by_vendor.into_iter().chain(listed.map(|zoned| zoned.timestamp())).min()
}

/// Counts some more.
pub(super) fn add_state(counts: &mut StateCounts, state: State, more: u64) {
    *state_mut(counts, state) += more;
}

/// Where a state is counted.
pub(super) fn state_mut(counts: &mut StateCounts, state: State) -> &mut u64 {
    match state {
        State::Exposed => &mut counts.exposed,
        State::NoData => &mut counts.no_data,
        State::Fixed => &mut counts.fixed,
        State::NotAffected => &mut counts.not_affected,
    }
}

/// Adds counts of every level.
pub(super) fn add_levels(counts: &mut LevelCounts, more: &LevelCounts) {
    counts.breached += more.breached;
    counts.due_soon += more.due_soon;
    counts.within += more.within;
    counts.excepted += more.excepted;
    counts.none += more.none;
}

/// Counts some more.
pub(super) fn add_level(counts: &mut LevelCounts, level: ServiceLevel, more: u64) {
    *match level {
        ServiceLevel::Breached => &mut counts.breached,
        ServiceLevel::DueSoon => &mut counts.due_soon,
        ServiceLevel::Within => &mut counts.within,
        ServiceLevel::Excepted => &mut counts.excepted,
        ServiceLevel::None => &mut counts.none,
    } += more;
}

/// How many of a level.
pub(super) fn of_level(counts: &LevelCounts, level: ServiceLevel) -> u64 {
    match level {
        ServiceLevel::Breached => counts.breached,
        ServiceLevel::DueSoon => counts.due_soon,
        ServiceLevel::Within => counts.within,
        ServiceLevel::Excepted => counts.excepted,
        ServiceLevel::None => counts.none,
    }
}

/// How many in a state.
pub(super) fn of_state(counts: &StateCounts, state: State) -> u64 {
    match state {
        State::Exposed => counts.exposed,
        State::NoData => counts.no_data,
        State::Fixed => counts.fixed,
        State::NotAffected => counts.not_affected,
    }
}
