//! Computers that a report is about.

use std::collections::HashMap;

use weir_model::{compliance::Seen, ids::CollectionId};

/// Computers that were picked, with their collections.
#[derive(Default)]
pub(super) struct Picked {
    /// Their numbers, and those of their sets of collections.
    places: Vec<(u32, u32)>,
    sets: HashMap<u32, Vec<CollectionId>>,
}

impl Picked {
    pub(super) fn note(&mut self, seen: &Seen<'_>) {
        self.sets.entry(seen.set).or_insert_with(|| seen.collections.to_vec());
        self.places.push((seen.no, seen.set));
    }

    /// Their numbers, ascending.
    pub(super) fn numbers(&mut self) -> Vec<u32> {
        self.places.sort_unstable();
        self.places.iter().map(|(no, _)| *no).collect()
    }

    /// The collections of one of them, once [`Picked::numbers`] was called.
    pub(super) fn groups(&self, no: u32) -> &[CollectionId] {
        let at = self.places.binary_search_by_key(&no, |(no, _)| *no).ok();
        let set = at.and_then(|at| self.places.get(at)).and_then(|(_, set)| self.sets.get(set));
        set.map(Vec::as_slice).unwrap_or_default()
    }
}
