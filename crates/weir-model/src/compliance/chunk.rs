//! The reported states of 64 computers, side by side.

use super::columns::{WORD, bit};
use crate::{ids::ChangeNumber, status::State};

/// Computers of a chunk: a set of them is one word.
pub(super) const LANES: usize = 64;
/// Rows grow by so many words, so that one new update does not move everything each time.
const STEP: usize = 8;

/// An update in a listed state other than installed: the column, and the state in the lowest three bits.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Rare(u32);

impl Rare {
    pub(super) fn new(column: u32, state: State) -> Self {
        Self(column << 3 | u32::from(state.protocol_number()))
    }

    pub(super) fn column(self) -> u32 {
        self.0 >> 3
    }

    /// Its place in an array of eight counts per column.
    pub(super) fn packed(self) -> usize {
        self.0 as usize
    }

    pub(super) fn state(self) -> State {
        let state = State::ALL.get((self.0 & 7) as usize);
        state.copied().unwrap_or(State::Unknown)
    }
}

/// What is known of a computer beside its states.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lane {
    pub(super) no: u32,
    pub(super) site: u32,
    /// Number of its set of collections.
    pub(super) group: u32,
    /// The anchor of its last status report; none if it never sent one.
    pub(super) anchor: Option<ChangeNumber>,
}

/// See above.
#[derive(Debug)]
pub(super) struct Chunk {
    /// Lanes with a computer.
    pub(super) occupied: u64,
    /// Lanes of computers with an update in the state failed, or with the error of an earlier failure.
    pub(super) failing: u64,
    lanes: [Lane; LANES],
    /// Words of a row.
    stride: usize,
    installed: Vec<u64>,
    rare: Vec<Rare>,
    /// Where the rare states of each lane end.
    ends: [u32; LANES],
}

impl Default for Chunk {
    fn default() -> Self {
        Self {
            occupied: 0,
            failing: 0,
            lanes: [Lane::default(); LANES],
            stride: 0,
            installed: Vec::new(),
            rare: Vec::new(),
            ends: [0; LANES],
        }
    }
}

impl Chunk {
    pub(super) fn lane(&self, lane: usize) -> Lane {
        self.lanes.get(lane).copied().unwrap_or_default()
    }

    /// The lanes that `keep` holds for.
    pub(super) fn select(&self, keep: impl Fn(&Lane) -> bool) -> u64 {
        let mut selected = 0;
        for (at, lane) in self.lanes.iter().enumerate() {
            selected |= u64::from(keep(lane)) << at;
        }
        selected & self.occupied
    }

    /// What a computer has installed, by column.
    pub(super) fn installed(&self, lane: usize) -> &[u64] {
        self.installed.get(lane * self.stride..(lane + 1) * self.stride).unwrap_or_default()
    }

    fn span(&self, lane: usize) -> std::ops::Range<usize> {
        let end = |lane: usize| self.ends.get(lane).map_or(0, |end| *end as usize);
        let start = lane.checked_sub(1).map_or(0, end);
        start..end(lane)
    }

    /// Its other listed states, ascending by column.
    pub(super) fn rare(&self, lane: usize) -> &[Rare] {
        self.rare.get(self.span(lane)).unwrap_or_default()
    }

    /// Its listed state of the update in a column.
    pub(super) fn state(&self, lane: usize, column: u32) -> Option<State> {
        if bit(self.installed(lane), column) {
            return Some(State::Installed);
        }
        let rare = self.rare(lane);
        let at = rare.binary_search_by_key(&column, |rare| rare.column()).ok()?;
        rare.get(at).map(|rare| rare.state())
    }

    /// Puts a computer into a lane or replaces it. `installed` are columns, `rare` is ascending; `errors`: it tells of a failure that
    /// may be over.
    pub(super) fn put(&mut self, at: usize, lane: Lane, installed: &[u32], rare: &[Rare], errors: bool) {
        let words = installed.iter().max().map_or(0, |column| *column as usize / WORD + 1);
        if words > self.stride {
            self.widen(words.next_multiple_of(STEP));
        }
        let stride = self.stride;
        if let Some(row) = self.installed.get_mut(at * stride..(at + 1) * stride) {
            row.fill(0);
            for column in installed {
                if let Some(word) = row.get_mut(*column as usize / WORD) {
                    *word |= 1 << (*column as usize % WORD);
                }
            }
        }
        self.put_rare(at, rare);
        self.occupied |= 1 << at;
        let is_failing = errors || rare.iter().any(|rare| rare.state() == State::Failed);
        self.failing = self.failing & !(1 << at) | u64::from(is_failing) << at;
        if let Some(held) = self.lanes.get_mut(at) {
            *held = lane;
        }
    }

    /// Moves a computer to another site or set of collections.
    pub(super) fn place(&mut self, at: usize, site: u32, group: u32) {
        if let Some(lane) = self.lanes.get_mut(at) {
            (lane.site, lane.group) = (site, group);
        }
    }

    pub(super) fn clear(&mut self, at: usize) {
        self.put(at, Lane::default(), &[], &[], false);
        self.occupied &= !(1 << at);
    }

    fn put_rare(&mut self, at: usize, rare: &[Rare]) {
        let span = self.span(at);
        let before = span.len();
        self.rare.splice(span, rare.iter().copied());
        for end in self.ends.iter_mut().skip(at) {
            *end = (*end as usize + rare.len() - before) as u32;
        }
    }

    fn widen(&mut self, stride: usize) {
        let mut wider = vec![0; stride * LANES];
        if self.stride > 0 {
            for (row, old) in wider.chunks_exact_mut(stride).zip(self.installed.chunks_exact(self.stride)) {
                for (word, old) in row.iter_mut().zip(old) {
                    *word = *old;
                }
            }
        }
        (self.stride, self.installed) = (stride, wider);
    }

    /// Bytes in memory.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.installed.capacity() * 8 + self.rare.capacity() * size_of::<Rare>()
    }
}
