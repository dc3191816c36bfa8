//! The answer to one question for every computer, in a byte each, with sums by set of collections and server.
//!
//! Lists of update groups and deployments ask the same questions each time they are opened. What a sheet holds follows the index
//! ([`super::Index::refresh`]): only computers that changed since are looked at again.

use super::{
    Standing,
    accumulator::Sign,
    chunk::Lane,
    index::{Followed, Members},
};
use crate::status::{Counts, State, UpdateNumber};

/// Kinds of cells with a computer.
pub(super) const KINDS: usize = 10;

/// How a computer stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Cell(u8);

impl Cell {
    /// Nobody is kept there.
    pub(super) const EMPTY: Self = Self(u8::MAX);

    /// `state` counts for a computer that is asked about something and reported; any other is unknown.
    pub(super) fn new(asked: bool, reported: bool, state: State) -> Self {
        match (asked, reported) {
            (true, true) => Self(state.protocol_number()),
            (true, false) => Self(7),
            (false, true) => Self(8),
            (false, false) => Self(9),
        }
    }

    fn all() -> impl Iterator<Item = Self> {
        (0_u8..).take(KINDS).map(Self)
    }

    /// Which kind it is.
    pub(super) fn kind(self) -> usize {
        usize::from(self.0)
    }

    pub(super) fn state(self) -> State {
        State::ALL.get(usize::from(self.0)).copied().unwrap_or(State::Unknown)
    }

    pub(super) fn is_asked(self) -> bool {
        self.0 < 8
    }

    /// The computer with this answer.
    pub(super) fn standing(self, lane: &Lane) -> Standing {
        Standing {
            no: lane.no,
            site: lane.site,
            reported: lane.anchor.is_some(),
            asked: self.is_asked(),
            state: self.state(),
        }
    }
}

/// Computers of one set of collections by server and kind of cell.
type Sites = Vec<(u32, [u32; KINDS])>;

/// Sums by number of the set of collections.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums(Vec<Sites>);

impl Sums {
    /// Takes a computer in or out; a place is the number of its set of collections and its server.
    pub(super) fn count(&mut self, (set, site): (u32, u32), cell: Cell, sign: Sign) {
        self.add(
            set,
            site,
            cell,
            match sign {
                Sign::Plus => 1,
                // counts wrap around on the way, never in the end
                Sign::Minus => u32::MAX,
            },
        );
    }

    fn add(&mut self, set: u32, site: u32, cell: Cell, computers: u32) {
        let set = set as usize;
        if self.0.len() <= set {
            self.0.resize_with(set + 1, Vec::new);
        }
        let Some(sites) = self.0.get_mut(set) else { return };
        let at = match sites.iter().position(|(known, _)| *known == site) {
            Some(at) => at,
            None => {
                sites.push((site, [0; KINDS]));
                sites.len() - 1
            }
        };
        if let Some(count) = sites.get_mut(at).and_then(|(_, counts)| counts.get_mut(cell.kind())) {
            *count = count.wrapping_add(computers);
        }
    }

    /// Takes many computers of one place in.
    pub(super) fn add_all(&mut self, (set, site): (u32, u32), counts: [u32; KINDS]) {
        for (cell, count) in Cell::all().zip(counts).filter(|(_, count)| *count > 0) {
            self.add(set, site, cell, count);
        }
    }

    /// Adds the sums over other computers.
    pub(super) fn merge(&mut self, other: &Self) {
        for (set, sites) in (0_u32..).zip(&other.0) {
            for (site, counts) in sites {
                self.add_all((set, *site), *counts);
            }
        }
    }

    /// Every set of collections with its server, and how many of its computers have which cell.
    fn each(&self) -> impl Iterator<Item = (u32, u32, Cell, u64)> {
        (0_u32..).zip(&self.0).flat_map(|(set, sites)| {
            sites.iter().flat_map(move |(site, counts)| {
                let counted = Cell::all().zip(counts).filter(|(_, count)| **count > 0);
                counted.map(move |(cell, count)| (set, *site, cell, u64::from(*count)))
            })
        })
    }

    fn bytes(&self) -> usize {
        let sites: usize = self.0.iter().map(Vec::capacity).sum();
        sites * size_of::<(u32, [u32; KINDS])>() + self.0.capacity() * size_of::<Sites>()
    }
}

/// What computers add up to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Sum {
    /// Computers by the one state of each.
    pub states: Counts,
    /// Of these, asked about none of the updates: they are unknown, and in `states` as that.
    pub not_asked: u64,
}

impl Sum {
    fn add(&mut self, cell: Cell, computers: u64) {
        self.states.add_many(cell.state(), computers);
        self.not_asked += if cell.is_asked() { 0 } else { computers };
    }

    /// How many they are.
    pub fn computers(&self) -> u64 {
        self.states.total()
    }

    /// Compliant ones in percent of all, as [`super::Tally::percent`] says it.
    pub fn percent(&self) -> Option<f64> {
        let computers = self.computers();
        if self.not_asked == computers { None } else { super::percent(self.states.compliant(), computers) }
    }
}

/// Where some computers are kept, until the next change of the index ([`super::Index::slots`]).
#[derive(Clone, Debug, Default)]
pub struct Slots(pub(super) Vec<u32>);

/// See the module.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The updates that it is about, ascending, each once; none is all that each computer is asked about.
    pub(super) only: Option<Box<[UpdateNumber]>>,
    /// Up to where it followed; none before it was counted.
    pub(super) followed: Option<Followed>,
    /// By place in the index.
    pub(super) cells: Vec<Cell>,
    pub(super) sums: Sums,
}

impl Sheet {
    /// An empty one about some updates, or about all that each computer is asked about.
    pub fn new(only: Option<impl IntoIterator<Item = UpdateNumber>>) -> Self {
        let only = only.map(|only| {
            let mut only: Vec<UpdateNumber> = only.into_iter().collect();
            only.sort_unstable();
            only.dedup();
            only.into_boxed_slice()
        });
        Self { only, followed: None, cells: Vec::new(), sums: Sums::default() }
    }

    /// What it says of a place.
    pub(super) fn cell(&self, slot: u32) -> Cell {
        self.cells.get(slot as usize).copied().unwrap_or(Cell::EMPTY)
    }

    /// Puts another answer into a place, without counting it.
    pub(super) fn put(&mut self, slot: u32, cell: Cell) {
        let slot = slot as usize;
        if self.cells.len() <= slot {
            self.cells.resize(slot + 1, Cell::EMPTY);
        }
        if let Some(held) = self.cells.get_mut(slot) {
            *held = cell;
        }
    }

    /// Members added up.
    pub(super) fn sum(&self, members: &Members) -> Sum {
        let mut sum = Sum::default();
        for (.., cell, computers) in self.sums.each().filter(|(set, site, ..)| members.has(*set, *site)) {
            sum.add(cell, computers);
        }
        sum
    }

    /// Some computers added up, each with its place.
    pub(super) fn sum_of(&self, members: &Members, computers: impl Iterator<Item = (u32, Lane)>) -> Sum {
        let mut sum = Sum::default();
        for (slot, _) in computers.filter(|(_, lane)| members.has(lane.group, lane.site)) {
            let cell = self.cell(slot);
            if cell != Cell::EMPTY {
                sum.add(cell, 1);
            }
        }
        sum
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        let only = self.only.as_ref().map_or(0, |only| only.len() * size_of::<UpdateNumber>());
        size_of::<Self>() + self.cells.capacity() + self.sums.bytes() + only
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_says_what_it_was_made_of() {
        for state in State::ALL {
            let cell = Cell::new(true, true, state);
            assert_eq!((cell.state(), cell.is_asked()), (state, true));
            for (asked, reported) in [(true, false), (false, true), (false, false)] {
                let cell = Cell::new(asked, reported, state);
                assert_eq!((cell.state(), cell.is_asked()), (State::Unknown, asked));
                assert!(cell.kind() < KINDS && cell != Cell::EMPTY);
            }
        }
    }

    #[test]
    fn sums_forget_who_left() {
        let (failed, unknown) = (Cell::new(true, true, State::Failed), Cell::new(false, true, State::Unknown));
        let mut sums = Sums::default();
        for (place, cell) in [((2, 1), failed), ((2, 7), failed), ((0, 1), unknown), ((2, 1), failed)] {
            sums.count(place, cell, Sign::Plus);
        }
        sums.count((2, 1), failed, Sign::Minus);
        let mut other = Sums::default();
        other.count((3, 1), unknown, Sign::Plus);
        sums.merge(&other);
        let found: Vec<_> = sums.each().collect();
        assert_eq!(found, [(0, 1, unknown, 1), (2, 1, failed, 1), (2, 7, failed, 1), (3, 1, unknown, 1)]);
    }
}
