//! What computers with the same scope are asked about, as the index compares it.

use std::sync::Arc;

use super::{
    Asked,
    columns::{Columns, NONE, set_bit},
};
use crate::{ids::ChangeNumber, status::UpdateNumber};

/// Updates that some computers are asked about.
#[derive(Debug)]
pub(super) struct Class {
    /// Ascending by number, each once.
    pub(super) asked: Arc<[Asked]>,
    /// Their columns.
    columns: Vec<u32>,
    /// The columns as bits.
    pub(super) mask: Vec<u64>,
    /// Places in `asked` in the order in which the updates entered.
    by_entry: Vec<u32>,
    /// When they entered, ascending.
    entered: Vec<ChangeNumber>,
    /// It holds some updates of a greater class.
    narrowed: bool,
}

impl Class {
    /// `asked` is ascending by number, each once.
    pub(super) fn new(asked: Arc<[Asked]>, columns: &Columns) -> Self {
        let mut by_entry: Vec<u32> = (0..asked.len() as u32).collect();
        let entered_of = |place: &u32| asked.get(*place as usize).map_or(ChangeNumber(0), |it| it.entered);
        by_entry.sort_by_key(entered_of);
        let entered = by_entry.iter().map(entered_of).collect();
        let mut class =
            Self { columns: vec![NONE; asked.len()], mask: Vec::new(), by_entry, entered, narrowed: false, asked };
        for place in 0..class.asked.len() {
            let column = class.asked.get(place).and_then(|it| columns.find(it.update));
            class.set_column(place, column);
        }
        class
    }

    /// The same for some of its updates; `only` is ascending, each once. The cost is that of these updates.
    pub(super) fn narrowed(&self, only: &[UpdateNumber], columns: &Columns) -> Self {
        let asked = only.iter().filter_map(|update| self.asked.get(self.place(*update)?).copied());
        let asked: Vec<Asked> = asked.collect();
        Self { narrowed: true, ..Self::new(asked.into(), columns) }
    }

    /// Whether the question is about updates of which its computers are asked about none: they are unknown to it.
    pub(super) fn is_outside(&self) -> bool {
        self.narrowed && self.asked.is_empty()
    }

    fn set_column(&mut self, place: usize, column: Option<u32>) {
        if let (Some(column), Some(held)) = (column, self.columns.get_mut(place)) {
            *held = column;
            set_bit(&mut self.mask, column);
        }
    }

    /// Somebody listed an update for the first time.
    pub(super) fn learn(&mut self, update: UpdateNumber, column: u32) {
        if let Ok(place) = self.asked.binary_search_by_key(&update, |it| it.update) {
            self.set_column(place, Some(column));
        }
    }

    /// The place of an update.
    pub(super) fn place(&self, update: UpdateNumber) -> Option<usize> {
        self.asked.binary_search_by_key(&update, |it| it.update).ok()
    }

    pub(super) fn column(&self, place: usize) -> Option<u32> {
        self.columns.get(place).copied().filter(|column| *column != NONE)
    }

    /// The columns of those that somebody ever listed, in no order.
    pub(super) fn columns(&self) -> impl Iterator<Item = u32> {
        self.columns.iter().copied().filter(|column| *column != NONE)
    }

    /// How many updates, in the order of entry, a computer can have evaluated: all, save those that entered after the scan which
    /// its last report follows.
    pub(super) fn evaluated(&self, anchor: Option<ChangeNumber>) -> usize {
        match anchor {
            None => 0,
            Some(anchor) if self.entered.last().is_none_or(|last| *last <= anchor) => self.entered.len(),
            Some(anchor) => self.entered.partition_point(|entered| *entered <= anchor),
        }
    }

    /// Whether such a computer cannot have evaluated all of them.
    pub(super) fn is_late(&self, anchor: Option<ChangeNumber>) -> bool {
        self.evaluated(anchor) < self.asked.len()
    }

    /// Places in `asked` in the order of entry.
    pub(super) fn in_order_of_entry(&self) -> &[u32] {
        &self.by_entry
    }

    /// The columns of what entered from a place in the order of entry on.
    pub(super) fn columns_from(&self, start: usize) -> Vec<u64> {
        let mut words = Vec::new();
        for place in self.by_entry.iter().skip(start) {
            if let Some(column) = self.column(*place as usize) {
                set_bit(&mut words, column);
            }
        }
        words
    }
}
