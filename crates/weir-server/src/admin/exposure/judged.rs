//! Verdicts of classes and shapes, with their clocks.

use std::sync::{Arc, OnceLock};

use jiff::{Timestamp, tz::TimeZone};
use weir_api::exposure::{LevelCounts, ServiceLevel, StateCounts};
use weir_model::{
    exposure::{
        Clock, ComputerFacts, Evidence, Known, KnownVulnerability, Levels, Shape, Started, State, Subject, Timing,
        Verdict, combine, judge, of_problem,
    },
    status::State as UpdateState,
};

use super::{
    base::Base,
    population::{Class, Population},
};

/// Verdicts that are kept at most, and as many answers about problems; where there are more, each is made when it is asked
/// for.
const MOST_KEPT: usize = 4_000_000;

/// What was judged of a class and a shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    /// Why computers of the class stand where they do.
    pub(super) evidence: Evidence,
    /// When the first update arrived here that fixes it, in seconds; 0 if that is not known.
    offered: u32,
}

impl Cell {
    /// Where computers of the class stand.
    pub(super) fn state(&self) -> State {
        self.evidence.reason.state()
    }

    fn offered(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.offered.into()).ok().filter(|_| self.offered > 0)
    }
}

/// Verdicts over all classes, made when they are asked for.
#[derive(Debug)]
pub(super) struct Verdicts {
    /// What is said of problems.
    problems: Vec<OnceLock<Box<[Evidence]>>>,
    /// What follows for shapes.
    shapes: Vec<OnceLock<Arc<[Cell]>>>,
    kept: bool,
}

impl Verdicts {
    pub(super) fn new(known: &Known, classes: usize) -> Self {
        fn rows<T>(count: usize) -> Vec<OnceLock<T>> {
            (0..count).map(|_| OnceLock::new()).collect()
        }
        let (problems, shapes) = (known.problems.len(), known.shapes.len());
        let kept = problems.max(shapes).saturating_mul(classes) <= MOST_KEPT;
        Self { problems: rows(problems), shapes: rows(shapes), kept }
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
    pub(super) fn row(&self, vulnerability: &KnownVulnerability) -> Option<Arc<[Cell]>> {
        let place = vulnerability.shape? as usize;
        let shape = self.base.known.shapes.get(place)?;
        let (classes, verdicts) = (&self.population.classes, &self.population.verdicts);
        if !verdicts.kept {
            return Some(classes.iter().map(|class| self.cell(&self.verdict(shape, class))).collect());
        }
        let make = || {
            let rows: Vec<&[Evidence]> = shape.problems.iter().map(|problem| self.problem(*problem)).collect();
            let of_class = |(at, class): (usize, &Class)| {
                let evidence = rows.iter().filter_map(|row| row.get(at)).copied();
                self.cell(&combine(&self.base.known, shape, class.os, evidence))
            };
            classes.iter().enumerate().map(of_class).collect()
        };
        verdicts.shapes.get(place).map(|row| Arc::clone(row.get_or_init(make)))
    }

    /// What is said of a problem, by class.
    fn problem(&self, place: u32) -> &[Evidence] {
        let row = self.population.verdicts.problems.get(place as usize);
        let problem = self.base.known.problems.get(place as usize);
        let (Some(row), Some(problem)) = (row, problem) else { return &[] };
        row.get_or_init(|| {
            let classes = self.population.classes.iter();
            classes.map(|class| self.asking(class, |facts| of_problem(problem, &self.base.join, facts))).collect()
        })
    }

    /// Asks something of a class.
    fn asking<T>(&self, class: &Class, ask: impl FnOnce(&ComputerFacts<'_>) -> T) -> T {
        let relevant = self.base.join.relevant();
        let state = |update| {
            let at = relevant.binary_search(&update).ok();
            at.and_then(|at| class.states.get(at)).copied().unwrap_or(UpdateState::Unknown)
        };
        ask(&ComputerFacts { reported: class.reported, os: class.os, state: &state })
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
        let started = Started {
            published: vulnerability.published,
            offered: cell.offered(),
            exploited: exploited_since(vulnerability),
        };
        let clock = self.levels.clock(vulnerability.rating(), started, self.now);
        let level = match clock.map(|clock| clock.timing) {
            _ if self.is_excepted(vulnerability, class) => ServiceLevel::Excepted,
            None => ServiceLevel::None,
            Some(Timing::Breached) => ServiceLevel::Breached,
            Some(Timing::DueSoon) => ServiceLevel::DueSoon,
            Some(Timing::Within) => ServiceLevel::Within,
        };
        Some((level, clock))
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

    /// Counts a vulnerability over classes with these weights.
    pub(super) fn count(&self, vulnerability: &KnownVulnerability, weights: &[u64]) -> Counted {
        let mut counted = Counted::default();
        let Some(row) = self.row(vulnerability) else {
            counted.states.no_data = weights.iter().sum();
            return counted;
        };
        for ((cell, class), weight) in row.iter().zip(&self.population.classes).zip(weights) {
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
    *match state {
        State::Exposed => &mut counts.exposed,
        State::NoData => &mut counts.no_data,
        State::Fixed => &mut counts.fixed,
        State::NotAffected => &mut counts.not_affected,
    } += more;
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
