//! A dense number for every update that some computer ever listed.

use std::collections::HashMap;

use crate::status::UpdateNumber;

/// No column: nobody ever listed the update.
pub(super) const NONE: u32 = u32::MAX;
/// Bits of a word.
pub(super) const WORD: usize = u64::BITS as usize;

/// Numbers below this one are looked up by place; no site names more updates, but a damaged status may.
const BY_PLACE: u32 = 1 << 22;

/// Columns in the order in which updates were first listed. Frequent updates come first when an index is filled from old reports, so that
/// rows stay short.
#[derive(Debug, Default)]
pub(super) struct Columns {
    by_place: Vec<u32>,
    others: HashMap<UpdateNumber, u32>,
    /// The update of each column.
    updates: Vec<UpdateNumber>,
}

impl Columns {
    pub(super) fn find(&self, update: UpdateNumber) -> Option<u32> {
        if update.0 < BY_PLACE {
            return self.by_place.get(update.0 as usize).copied().filter(|column| *column != NONE);
        }
        self.others.get(&update).copied()
    }

    /// The column of an update, and whether it is new.
    pub(super) fn intern(&mut self, update: UpdateNumber) -> (u32, bool) {
        if let Some(column) = self.find(update) {
            return (column, false);
        }
        let column = self.updates.len() as u32;
        self.updates.push(update);
        if update.0 < BY_PLACE {
            let place = update.0 as usize;
            if self.by_place.len() <= place {
                self.by_place.resize((place + 1).next_multiple_of(1_024), NONE);
            }
            if let Some(held) = self.by_place.get_mut(place) {
                *held = column;
            }
        } else {
            self.others.insert(update, column);
        }
        (column, true)
    }

    /// The update of a column.
    pub(super) fn update(&self, column: u32) -> Option<UpdateNumber> {
        self.updates.get(column as usize).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.updates.len()
    }
}

/// Whether a bit is set; bits beyond the end are not.
pub(super) fn bit(words: &[u64], column: u32) -> bool {
    words.get(column as usize / WORD).is_some_and(|word| word >> (column as usize % WORD) & 1 == 1)
}

/// Sets a bit, with more words where they are needed.
pub(super) fn set_bit(words: &mut Vec<u64>, column: u32) {
    let at = column as usize / WORD;
    if words.len() <= at {
        words.resize(at + 1, 0);
    }
    if let Some(word) = words.get_mut(at) {
        *word |= 1 << (column as usize % WORD);
    }
}

/// The columns whose bits both have.
pub(super) fn common<'a>(one: &'a [u64], other: &'a [u64]) -> impl Iterator<Item = u32> + 'a {
    one.iter()
        .zip(other)
        .zip(0_u32..)
        .flat_map(|((one, other), word)| ones(one & other).map(move |bit| word * 64 + bit))
}

/// How many columns both have.
pub(super) fn count_common(one: &[u64], other: &[u64]) -> u64 {
    one.iter().zip(other).map(|(one, other)| u64::from((one & other).count_ones())).sum()
}

/// Whether they have a bit in common.
pub(super) fn intersect(one: &[u64], other: &[u64]) -> bool {
    one.iter().zip(other).any(|(one, other)| one & other != 0)
}

/// The places of the ones of a word.
pub(super) fn ones(mut word: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        (word != 0).then(|| {
            let place = word.trailing_zeros();
            word &= word - 1;
            place
        })
    })
}
