//! Sums over computers that are asked about the same updates.

use std::collections::HashMap;

use super::{
    Tally, UpdateCounts,
    chunk::Chunk,
    class::Class,
    columns::{bit, common, intersect},
    planes::Planes,
};
use crate::status::{Counts, State};

/// Late masks that are kept at once; computers that were here lately share a few.
const KEPT_MASKS: usize = 512;

/// The columns of what computers cannot have evaluated yet, by the place in the order of entry from which on that is.
#[derive(Debug, Default)]
pub(super) struct LateMasks(HashMap<usize, Vec<u64>>);

impl LateMasks {
    pub(super) fn from(&mut self, class: &Class, start: usize) -> &[u64] {
        if self.0.len() > KEPT_MASKS && !self.0.contains_key(&start) {
            self.0.clear();
        }
        self.0.entry(start).or_insert_with(|| class.columns_from(start))
    }
}

/// Whether a computer comes or goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sign {
    Plus,
    Minus,
}

/// See above. Counts wrap around on the way, never in the end.
#[derive(Debug, Default)]
pub(super) struct Accumulator {
    members: u32,
    /// Computers by their one state.
    states: [u32; 8],
    /// By column.
    installed: Vec<u32>,
    /// Eight for each column, by state.
    rare: Vec<u32>,
    /// Computers that cannot have evaluated what entered from this place on.
    late_from: Vec<u32>,
    /// By column: computers that list it although they cannot have evaluated it.
    listed_late: Vec<u32>,
}

fn bump(counts: &mut Vec<u32>, at: usize, sign: Sign) {
    if counts.len() <= at {
        counts.resize((at + 1).next_multiple_of(64), 0);
    }
    if let Some(count) = counts.get_mut(at) {
        *count = match sign {
            Sign::Plus => count.wrapping_add(1),
            Sign::Minus => count.wrapping_sub(1),
        };
    }
}

fn count(counts: &[u32], at: usize) -> u64 {
    counts.get(at).copied().map_or(0, u64::from)
}

/// The one state of a computer by the rules of [`crate::status::computer_state`] and [`crate::status::narrowed_state`].
pub(super) fn standing(class: &Class, chunk: &Chunk, lane: usize, masks: &mut LateMasks) -> State {
    read(class, chunk, lane, masks, |_| {})
}

/// What is to be counted of a computer.
enum Part {
    /// A place in an array of eight counts a column.
    Rare(usize),
    /// The place in the order of entry from which on it cannot have evaluated anything.
    LateFrom(usize),
    /// A column that it lists although it cannot have evaluated it.
    ListedLate(usize),
}

fn read(class: &Class, chunk: &Chunk, lane: usize, masks: &mut LateMasks, mut tell: impl FnMut(Part)) -> State {
    if class.is_outside() {
        return State::Unknown;
    }
    let (installed, rare) = (chunk.installed(lane), chunk.rare(lane));
    let mut seen = 0_u8;
    for entry in rare {
        if bit(&class.mask, entry.column()) {
            let state = entry.state();
            seen |= 1 << state.protocol_number();
            tell(Part::Rare(entry.packed()));
        }
    }
    let anchor = chunk.lane(lane).anchor;
    let evaluated = class.evaluated(anchor);
    let late = class.asked.len() - evaluated;
    let mut unknown = false;
    if late > 0 {
        tell(Part::LateFrom(evaluated));
        let mask = masks.from(class, evaluated);
        let mut listed = 0;
        for column in common(installed, mask) {
            tell(Part::ListedLate(column as usize));
            listed += 1;
        }
        for entry in rare.iter().filter(|entry| bit(mask, entry.column())) {
            tell(Part::ListedLate(entry.column() as usize));
            listed += 1;
        }
        unknown = listed < late;
    }
    let has = |state: State| seen >> state.protocol_number() & 1 == 1;
    let listed = [State::Failed, State::Required, State::Downloaded, State::PendingRestart];
    if anchor.is_none() {
        State::Unknown
    } else if let Some(worst) = listed.into_iter().find(|state| has(*state)) {
        worst
    } else if unknown {
        State::Unknown
    } else if intersect(installed, &class.mask) {
        State::Installed
    } else {
        State::NotApplicable
    }
}

impl Accumulator {
    /// Adds one computer or takes it out, all but what it has installed.
    fn add_reading(&mut self, class: &Class, chunk: &Chunk, lane: usize, masks: &mut LateMasks, sign: Sign) {
        let state = read(class, chunk, lane, masks, |part| match part {
            Part::Rare(at) => bump(&mut self.rare, at, sign),
            Part::LateFrom(at) => bump(&mut self.late_from, at, sign),
            Part::ListedLate(at) => bump(&mut self.listed_late, at, sign),
        });
        if let Some(count) = self.states.get_mut(usize::from(state.protocol_number())) {
            *count = match sign {
                Sign::Plus => count.wrapping_add(1),
                Sign::Minus => count.wrapping_sub(1),
            };
        }
        self.members = match sign {
            Sign::Plus => self.members.wrapping_add(1),
            Sign::Minus => self.members.wrapping_sub(1),
        };
    }

    /// Adds one computer or takes it out.
    pub(super) fn add(&mut self, class: &Class, chunk: &Chunk, lane: usize, masks: &mut LateMasks, sign: Sign) {
        self.add_reading(class, chunk, lane, masks, sign);
        for column in common(chunk.installed(lane), &class.mask) {
            bump(&mut self.installed, column as usize, sign);
        }
    }

    /// Adds many computers of a chunk; what they have installed goes into `planes`.
    pub(super) fn add_many(
        &mut self,
        class: &Class,
        chunk: &Chunk,
        lanes: u64,
        masks: &mut LateMasks,
        planes: &mut Planes,
    ) {
        for lane in super::columns::ones(lanes) {
            self.add_reading(class, chunk, lane as usize, masks, Sign::Plus);
        }
        let width = class.mask.len();
        let rows = super::columns::ones(lanes).map(|lane| {
            let row = chunk.installed(lane as usize);
            row.get(..width).unwrap_or(row)
        });
        planes.add(&mut rows.filter(|row| !row.is_empty()));
    }

    /// Whether nobody is counted.
    pub(super) fn is_empty(&self) -> bool {
        self.members == 0
    }

    /// Makes room for this number of columns, so that counting never has to.
    pub(super) fn reserve(&mut self, columns: usize) {
        self.rare.resize(self.rare.len().max(columns * 8), 0);
    }

    /// Adds the sums over other computers of the same class.
    pub(super) fn merge(&mut self, other: &Self) {
        let all = [
            (&mut self.installed, &other.installed),
            (&mut self.rare, &other.rare),
            (&mut self.late_from, &other.late_from),
            (&mut self.listed_late, &other.listed_late),
        ];
        for (sums, more) in all {
            if sums.len() < more.len() {
                sums.resize(more.len(), 0);
            }
            for (sum, more) in sums.iter_mut().zip(more) {
                *sum = sum.wrapping_add(*more);
            }
        }
        for (sum, more) in self.states.iter_mut().zip(other.states) {
            *sum = sum.wrapping_add(more);
        }
        self.members = self.members.wrapping_add(other.members);
    }

    /// Takes in what was added up apart.
    pub(super) fn absorb(&mut self, planes: Planes) {
        let counts = planes.finish();
        if self.installed.len() < counts.len() {
            self.installed.resize(counts.len(), 0);
        }
        for (sum, count) in self.installed.iter_mut().zip(counts) {
            *sum = sum.wrapping_add(count);
        }
    }

    /// The counts of everything that was asked.
    pub(super) fn tally(&self, class: &Class) -> Tally {
        let members = u64::from(self.members);
        let mut states = Counts::default();
        for state in State::ALL {
            states.add_many(state, count(&self.states, usize::from(state.protocol_number())));
        }
        let mut counted = vec![Counts::default(); class.asked.len()];
        let mut late = 0;
        for (start, place) in class.in_order_of_entry().iter().enumerate() {
            late += count(&self.late_from, start);
            let Some(counts) = counted.get_mut(*place as usize) else { continue };
            let mut listed_late = 0;
            if let Some(column) = class.column(*place as usize) {
                let column = column as usize;
                listed_late = count(&self.listed_late, column);
                counts.installed = count(&self.installed, column);
                for state in [State::Required, State::Downloaded, State::Failed, State::PendingRestart] {
                    counts.add_many(state, count(&self.rare, column << 3 | usize::from(state.protocol_number())));
                }
            }
            let listed = counts.total();
            counts.unknown = late.saturating_sub(listed_late);
            counts.not_applicable = members.saturating_sub(listed + counts.unknown);
        }
        let update = |(asked, counts): (&super::Asked, Counts)| UpdateCounts { update: asked.update, counts };
        let updates = class.asked.iter().zip(counted).map(update).collect();
        Tally { computers: members, states, not_asked: if class.is_outside() { members } else { 0 }, updates }
    }
}

impl Tally {
    /// Adds another one, over other computers.
    pub(super) fn merge(&mut self, other: Self) {
        self.computers += other.computers;
        self.not_asked += other.not_asked;
        for state in State::ALL {
            self.states.add_many(state, other.states.of(state));
        }
        if self.updates.is_empty() {
            self.updates = other.updates;
            return;
        }
        let mut merged = Vec::with_capacity(self.updates.len().max(other.updates.len()));
        let (mut ours, mut theirs) =
            (std::mem::take(&mut self.updates).into_iter().peekable(), other.updates.into_iter().peekable());
        loop {
            let next = ours.peek().map(|it| it.update).into_iter().chain(theirs.peek().map(|it| it.update)).min();
            let Some(update) = next else { break };
            let mut counts = ours.next_if(|it| it.update == update).map(|it| it.counts).unwrap_or_default();
            if let Some(more) = theirs.next_if(|it| it.update == update) {
                for state in State::ALL {
                    counts.add_many(state, more.counts.of(state));
                }
            }
            merged.push(UpdateCounts { update, counts });
        }
        self.updates = merged;
    }
}
