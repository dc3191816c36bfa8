//! The containers of a snapshot: bit sets over dense indexes, lists of lists in two flat arrays, marks that need no
//! clearing, and the table from revision ids to dense indexes.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use crate::ids::RevisionId;

/// No dense index.
pub(super) const NONE: u32 = u32::MAX;

/// A set of dense indexes. Reading beyond its length finds nothing, writing there does nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Bits {
    words: Vec<u64>,
}

impl Bits {
    pub(super) fn new(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)] }
    }

    /// Empties the set and gives it room for `len` indexes, reusing its memory.
    pub(super) fn reset(&mut self, len: usize) {
        self.words.clear();
        self.words.resize(len.div_ceil(64), 0);
    }

    pub(super) fn get(&self, index: u32) -> bool {
        self.words.get(index as usize / 64).is_some_and(|word| word & (1 << (index % 64)) != 0)
    }

    pub(super) fn set(&mut self, index: u32) {
        if let Some(word) = self.words.get_mut(index as usize / 64) {
            *word |= 1 << (index % 64);
        }
    }

    pub(super) fn unset(&mut self, index: u32) {
        if let Some(word) = self.words.get_mut(index as usize / 64) {
            *word &= !(1 << (index % 64));
        }
    }

    /// Sets the bit; true if it was not set before.
    pub(super) fn insert(&mut self, index: u32) -> bool {
        let Some(word) = self.words.get_mut(index as usize / 64) else { return false };
        let bit = 1 << (index % 64);
        let fresh = *word & bit == 0;
        *word |= bit;
        fresh
    }

    pub(super) fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        ones(self.words.iter().copied())
    }

    /// What is in this set and in the other.
    pub(super) fn and<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = u32> + 'a {
        ones(self.words.iter().zip(&other.words).map(|(left, right)| left & right))
    }

    /// What is in this set and not in the other.
    pub(super) fn and_not<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = u32> + 'a {
        ones(self.words.iter().zip(&other.words).map(|(left, right)| left & !right))
    }
}

/// The indexes of the set bits, ascending.
fn ones(words: impl Iterator<Item = u64>) -> impl Iterator<Item = u32> {
    words.enumerate().filter(|(_, word)| *word != 0).flat_map(|(index, mut word)| {
        std::iter::from_fn(move || {
            if word == 0 {
                return None;
            }
            let bit = word.trailing_zeros();
            word &= word - 1;
            Some((index * 64) as u32 + bit)
        })
    })
}

/// Rows of numbers, all in one array.
#[derive(Debug, Default)]
pub(super) struct Lists {
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    /// Groups (row, item) pairs by row; items of a row keep the order of the pairs.
    pub(super) fn from_pairs(rows: usize, pairs: &[(u32, u32)]) -> Self {
        let mut starts = vec![0u32; rows + 1];
        for (row, _) in pairs {
            if let Some(start) = starts.get_mut(*row as usize + 1) {
                *start += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut items = vec![0; sum as usize];
        for (row, item) in pairs {
            if (*row as usize) < rows
                && let Some(at) = next.get_mut(*row as usize)
                && let Some(place) = items.get_mut(*at as usize)
            {
                *place = *item;
                *at += 1;
            }
        }
        Self { starts, items }
    }

    /// Adds a row at the end and returns its number.
    pub(super) fn push(&mut self, row: &[u32]) -> u32 {
        if self.starts.is_empty() {
            self.starts.push(0);
        }
        self.items.extend_from_slice(row);
        self.starts.push(self.items.len() as u32);
        self.starts.len() as u32 - 2
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// The row, empty if there is none.
    pub(super) fn row(&self, row: u32) -> &[u32] {
        let at = row as usize;
        match (self.starts.get(at), self.starts.get(at.wrapping_add(1))) {
            (Some(start), Some(end)) => self.items.get(*start as usize..*end as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    pub(super) fn shrink(&mut self) {
        self.starts.shrink_to_fit();
        self.items.shrink_to_fit();
    }
}

/// Marks that are all taken away by counting one up.
#[derive(Debug, Default)]
pub(super) struct Marks {
    at: Vec<u32>,
    round: u32,
}

impl Marks {
    pub(super) fn reset(&mut self, len: usize) {
        if self.at.len() != len || self.round == u32::MAX {
            self.at.clear();
            self.at.resize(len, 0);
            self.round = 0;
        }
        self.round += 1;
    }

    /// Marks; true if it was not marked before.
    pub(super) fn insert(&mut self, index: u32) -> bool {
        match self.at.get_mut(index as usize) {
            Some(at) if *at != self.round => {
                *at = self.round;
                true
            }
            _ => false,
        }
    }

    pub(super) fn get(&self, index: u32) -> bool {
        self.at.get(index as usize) == Some(&self.round)
    }
}

/// From revision ids to dense indexes: a plain table, for ids are given in sequence; ids far beyond the number of revisions go
/// into a map, so that one of them does not make the table huge.
#[derive(Debug, Default)]
pub(super) struct IdTable {
    table: Vec<u32>,
    far: HashMap<i32, u32>,
}

impl IdTable {
    /// For this many revisions.
    pub(super) fn new(revisions: usize, highest: i32) -> Self {
        let len = (highest.max(0) as usize + 1).min(revisions.saturating_mul(8) + (1 << 16));
        Self { table: vec![NONE; len], far: HashMap::new() }
    }

    pub(super) fn get(&self, id: RevisionId) -> Option<u32> {
        let found = match usize::try_from(id.0) {
            Ok(at) if at < self.table.len() => self.table.get(at).copied(),
            Ok(_) if !self.far.is_empty() => self.far.get(&id.0).copied(),
            _ => None,
        };
        found.filter(|dense| *dense != NONE)
    }

    pub(super) fn put(&mut self, id: RevisionId, dense: u32) {
        match usize::try_from(id.0).ok().and_then(|at| self.table.get_mut(at)) {
            Some(place) => *place = dense,
            None => {
                self.far.insert(id.0, dense);
            }
        }
    }
}

/// The number at an index, or `NONE`.
pub(super) fn at(list: &[u32], index: u32) -> u32 {
    list.get(index as usize).copied().unwrap_or(NONE)
}

/// A map for the keys of a catalogue. Its hash is quick and has no secret: keys come from imported documents, which an
/// administrator or an upstream server answers for, never from computers.
pub(super) type FoldMap<K, V> = HashMap<K, V, BuildHasherDefault<Fold>>;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fold(u64);

impl Fold {
    fn word(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            self.word(chunk.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.word(u64::from(number));
    }

    fn write_usize(&mut self, number: usize) {
        self.word(number as u64);
    }

    fn finish(&self) -> u64 {
        // the product's high bits are the good ones; the map takes some from both ends
        self.0 ^ self.0 >> 32
    }
}
