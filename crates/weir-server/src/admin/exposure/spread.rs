//! Vulnerabilities counted over computers, by shape.
//!
//! Vulnerabilities with the same fixes differ in their clocks only, and a clock depends on when a fix arrived here, which is the same of
//! most classes. So a shape is counted once over all classes, by that moment, and its vulnerabilities follow from a few numbers. Between
//! questions the counts follow how many computers are in each class.

use std::sync::Arc;

use parking_lot::Mutex;
use weir_api::exposure::{LevelCounts, ServiceLevel, StateCounts};
use weir_model::exposure::{KnownVulnerability, State};

use super::{
    classes::Class,
    judged::{Cell, Counted, Judge, Row, add_level, state_mut},
};

/// Weights of which counts are kept: all computers, and the collections that were asked for last.
const KEPT: usize = 4;
/// If more than this share of the classes has another weight, counting anew is as quick.
const SHARE: usize = 4;

/// Exposed computers that are alike.
#[derive(Clone, Debug)]
struct Alike {
    /// When the first update arrived here that fixes it; 0 if that is not known.
    offered: u32,
    /// The exceptions that hold on them.
    excepted: Arc<[u16]>,
    computers: u64,
}

/// A shape counted over computers.
#[derive(Clone, Debug, Default)]
struct Spread {
    states: StateCounts,
    exposed: Vec<Alike>,
}

impl Spread {
    /// Takes up that a class had `before` computers and has `now`.
    fn put(&mut self, cell: &Cell, excepted: &Arc<[u16]>, (before, now): (u64, u64)) {
        let state = state_mut(&mut self.states, cell.state());
        *state = (*state + now).saturating_sub(before);
        if cell.state() != State::Exposed {
            return;
        }
        let is_alike = |alike: &&mut Alike| alike.offered == cell.offered && alike.excepted == *excepted;
        match self.exposed.iter_mut().find(is_alike) {
            Some(alike) => alike.computers = (alike.computers + now).saturating_sub(before),
            None => self.exposed.push(Alike {
                offered: cell.offered,
                excepted: Arc::clone(excepted),
                computers: now.saturating_sub(before),
            }),
        }
    }
}

/// All shapes counted over classes with these weights.
#[derive(Clone, Debug, Default)]
struct Weighted {
    weights: Vec<u64>,
    spreads: Vec<Spread>,
}

/// A class with another weight than before: which, before and now.
type Changed = (usize, (u64, u64));

impl Weighted {
    fn changed(&self, weights: &[u64]) -> Vec<Changed> {
        let of = |weights: &[u64], at: usize| weights.get(at).copied().unwrap_or_default();
        let all = 0..self.weights.len().max(weights.len());
        all.map(|at| (at, (of(&self.weights, at), of(weights, at))))
            .filter(|(_, (before, now))| before != now)
            .collect()
    }

    /// The same with other weights. `cells` hands the cells of a shape for some classes, with the exceptions that hold on these.
    fn adapted(&self, weights: &[u64], changed: &[Changed], shapes: usize, cells: &Cells<'_>) -> Self {
        let mut spreads = self.spreads.clone();
        spreads.resize_with(shapes, Spread::default);
        for (shape, spread) in spreads.iter_mut().enumerate() {
            cells(shape, changed, &mut |cell, excepted, change| spread.put(cell, excepted, change));
        }
        Self { weights: weights.to_vec(), spreads }
    }
}

/// What is done with a cell of a class, its exceptions, and its weights before and now.
type EachCell<'e> = dyn FnMut(&Cell, &Arc<[u16]>, (u64, u64)) + 'e;
/// Hands the cells of a shape.
type Cells<'c> = dyn Fn(usize, &[Changed], &mut EachCell<'_>) + 'c;

/// What was counted last, as long as classes keep their numbers.
#[derive(Debug, Default)]
pub(super) struct Spreads(Mutex<Vec<Arc<Weighted>>>);

impl Spreads {
    /// The counts for these weights. One question counts, others wait for it.
    fn of(&self, weights: &[u64], shapes: usize, cells: &Cells<'_>) -> Arc<Weighted> {
        let mut kept = self.0.lock();
        // of classes that came after those of this question nothing is known here
        let fitting = kept.iter().enumerate().filter(|(_, known)| known.weights.len() <= weights.len());
        let nearest = fitting.map(|(at, known)| (known.changed(weights), at));
        let nearest = nearest.min_by_key(|(changed, _)| changed.len());
        let weighted = match nearest {
            Some((changed, at)) if changed.len() <= weights.len() / SHARE => {
                let known = kept.remove(at);
                if changed.is_empty() { known } else { Arc::new(known.adapted(weights, &changed, shapes, cells)) }
            }
            _ => {
                let nothing = Weighted::default();
                Arc::new(nothing.adapted(weights, &nothing.changed(weights), shapes, cells))
            }
        };
        kept.insert(0, Arc::clone(&weighted));
        kept.truncate(KEPT);
        weighted
    }
}

/// Counts vulnerabilities over classes with these weights.
pub(super) struct Counting<'j> {
    judge: &'j Judge,
    weights: &'j [u64],
    all: u64,
    weighted: Arc<Weighted>,
}

impl<'j> Counting<'j> {
    pub(super) fn new(judge: &'j Judge, weights: &'j [u64]) -> Self {
        let classes = &judge.population.classes;
        let cells = |shape: usize, changed: &[Changed], each: &mut EachCell<'_>| {
            // where cells are not kept, those of other classes are not made
            let row: Option<Arc<Row<Cell>>> = judge.kept_row(shape);
            for (at, change) in changed {
                let Some(class) = classes.get(*at) else { continue };
                let cell = match &row {
                    Some(row) => row.get(*at).copied(),
                    None => judge.cell_of(shape, class),
                };
                if let Some(cell) = cell {
                    each(&cell, &class.excepted, *change);
                }
            }
        };
        let weighted = judge.population.spreads().of(weights, judge.base.known.shapes.len(), &cells);
        Self { judge, weights, all: weights.iter().sum(), weighted }
    }

    /// A vulnerability; what [`Judge::count`] says of it.
    pub(super) fn of(&self, it: &KnownVulnerability) -> Counted {
        let mut counted = Counted::default();
        let Some(spread) = it.shape.and_then(|shape| self.weighted.spreads.get(shape as usize)) else {
            counted.states.no_data = self.all;
            return counted;
        };
        counted.states = spread.states;
        for alike in spread.exposed.iter().filter(|alike| alike.computers > 0) {
            match self.judge.excepts(&alike.excepted, it) {
                Some(true) => add_level(&mut counted.levels, ServiceLevel::Excepted, alike.computers),
                Some(false) => {
                    let (level, clock) = self.judge.timed(it, alike.offered);
                    add_level(&mut counted.levels, level, alike.computers);
                    counted.due = counted.due.into_iter().chain(clock.map(|clock| clock.due)).min();
                }
                // it depends on the update that each class needs
                None => self.each(it, alike, &mut counted),
            }
        }
        counted
    }

    fn each(&self, it: &KnownVulnerability, alike: &Alike, counted: &mut Counted) {
        let Some(row) = self.judge.row(it) else { return };
        let classes = row.iter().zip(&*self.judge.population.classes).zip(self.weights);
        for ((cell, class), weight) in classes.filter(|(_, weight)| **weight > 0) {
            if cell.offered != alike.offered || class.excepted != alike.excepted {
                continue;
            }
            if let Some((level, clock)) = self.judge.level(it, class, cell) {
                add_level(&mut counted.levels, level, *weight);
                if level != ServiceLevel::Excepted {
                    counted.due = counted.due.into_iter().chain(clock.map(|clock| clock.due)).min();
                }
            }
        }
    }
}

/// What the vulnerabilities of one shape count to for a class that is exposed to them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Exposed {
    pub(super) levels: LevelCounts,
    pub(super) exploited: u64,
}

/// The same for classes that are alike, found once.
pub(super) struct OfShape<'j> {
    judge: &'j Judge,
    vulnerabilities: Vec<&'j KnownVulnerability>,
    known: Vec<(u32, Arc<[u16]>, Option<Exposed>)>,
}

impl<'j> OfShape<'j> {
    /// Every shape that vulnerabilities have, with its row.
    pub(super) fn all(judge: &'j Judge) -> impl Iterator<Item = (Arc<Row<Cell>>, Self)> {
        let mut by_shape: Vec<Vec<&KnownVulnerability>> = vec![Vec::new(); judge.base.known.shapes.len()];
        for it in judge.base.known.vulnerabilities.values() {
            if let Some(shape) = it.shape.and_then(|shape| by_shape.get_mut(shape as usize)) {
                shape.push(it);
            }
        }
        let used = by_shape.into_iter().filter(|vulnerabilities| !vulnerabilities.is_empty());
        used.filter_map(move |vulnerabilities| {
            let row = judge.row(vulnerabilities.first()?)?;
            Some((row, Self { judge, vulnerabilities, known: Vec::new() }))
        })
    }

    /// How many vulnerabilities.
    pub(super) fn len(&self) -> u64 {
        self.vulnerabilities.len() as u64
    }

    /// What they count to for a class that is exposed.
    pub(super) fn exposed(&mut self, class: &Class, cell: &Cell) -> Exposed {
        let is_known = |(offered, excepted, _): &&(u32, Arc<[u16]>, Option<Exposed>)| {
            *offered == cell.offered && *excepted == class.excepted
        };
        let known = match self.known.iter().find(is_known) {
            Some((.., known)) => *known,
            None => {
                let made = self.alike(&class.excepted, cell.offered);
                self.known.push((cell.offered, Arc::clone(&class.excepted), made));
                made
            }
        };
        known.unwrap_or_else(|| {
            let levels = self.vulnerabilities.iter().map(|it| (*it, self.judge.level(it, class, cell)));
            levels.filter_map(|(it, level)| Some((it, level?.0))).collect()
        })
    }

    /// None if each class is to be looked at.
    fn alike(&self, excepted: &[u16], offered: u32) -> Option<Exposed> {
        let level = |it: &'j KnownVulnerability| {
            let is_excepted = self.judge.excepts(excepted, it)?;
            Some((it, if is_excepted { ServiceLevel::Excepted } else { self.judge.timed(it, offered).0 }))
        };
        self.vulnerabilities.iter().copied().map(level).collect()
    }
}

impl<'j> FromIterator<(&'j KnownVulnerability, ServiceLevel)> for Exposed {
    fn from_iter<I: IntoIterator<Item = (&'j KnownVulnerability, ServiceLevel)>>(levels: I) -> Self {
        let mut exposed = Self::default();
        for (it, level) in levels {
            add_level(&mut exposed.levels, level, 1);
            exposed.exploited += u64::from(it.is_exploited());
        }
        exposed
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use weir_model::exposure::{Evidence, Reason};

    use super::*;

    const SHAPES: usize = 3;
    const REASONS: [Reason; 6] =
        [Reason::BuildReached, Reason::Failed, Reason::Installed, Reason::Needed, Reason::NoFix, Reason::NotApplicable];

    /// A class: its cell of each shape, and its exceptions.
    type Told = ([Cell; SHAPES], Arc<[u16]>);
    /// A shape counted: states, and exposed computers that are alike.
    type Plain = (StateCounts, BTreeMap<(u32, Vec<u16>), u64>);

    /// Numbers that look like chance, the same each time.
    fn chance(seed: &mut u64) -> u64 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *seed >> 33
    }

    fn told(seed: &mut u64) -> Told {
        let cells = [(); SHAPES].map(|()| Cell {
            evidence: Evidence { reason: REASONS[chance(seed) as usize % REASONS.len()], update: None },
            offered: chance(seed) as u32 % 3,
        });
        let excepted: Arc<[u16]> = if chance(seed).is_multiple_of(4) { [1, 2].into() } else { Arc::default() };
        (cells, excepted)
    }

    /// Each shape counted without a way that is short.
    fn naive(classes: &[Told], weights: &[u64]) -> Vec<Plain> {
        (0..SHAPES)
            .map(|shape| {
                let (mut states, mut exposed) = (StateCounts::default(), BTreeMap::new());
                for ((cells, excepted), weight) in classes.iter().zip(weights).filter(|(_, weight)| **weight > 0) {
                    let cell = &cells[shape];
                    *state_mut(&mut states, cell.state()) += weight;
                    if cell.state() == State::Exposed {
                        *exposed.entry((cell.offered, excepted.to_vec())).or_default() += weight;
                    }
                }
                (states, exposed)
            })
            .collect()
    }

    #[test]
    fn counts_follow_how_many_computers_are_in_each_class() {
        let mut seed = 7;
        let mut classes: Vec<Told> = (0..40).map(|_| told(&mut seed)).collect();
        let spreads = Spreads::default();
        let mut weights = vec![3; classes.len()];
        for round in 0..200 {
            match round % 10 {
                // many are others
                0 => weights = classes.iter().map(|_| chance(&mut seed) % 5).collect(),
                // a class that was not there before
                5 => {
                    classes.push(told(&mut seed));
                    weights.push(1);
                }
                _ => {
                    let (from, to) = (chance(&mut seed) as usize % weights.len(), chance(&mut seed) as usize);
                    weights[from] = weights[from].saturating_sub(1);
                    let to = to % weights.len();
                    weights[to] += 1;
                }
            }
            let cells = |shape: usize, changed: &[Changed], each: &mut EachCell<'_>| {
                for (at, change) in changed {
                    let (cells, excepted) = &classes[*at];
                    each(&cells[shape], excepted, *change);
                }
            };
            let weighted = spreads.of(&weights, SHAPES, &cells);
            let found: Vec<Plain> = weighted
                .spreads
                .iter()
                .map(|spread| {
                    let exposed = spread.exposed.iter().filter(|alike| alike.computers > 0);
                    let exposed = exposed.map(|alike| ((alike.offered, alike.excepted.to_vec()), alike.computers));
                    (spread.states, exposed.collect())
                })
                .collect();
            assert_eq!(found, naive(&classes, &weights), "round {round}");
            assert!(spreads.0.lock().len() <= KEPT);
        }
    }
}
