//! The question what computers listed, whatever they are asked about.

use super::{
    super::{
        Listed,
        columns::{bit, count_common, set_bit},
    },
    Index,
};
use crate::status::UpdateNumber;

impl Index {
    /// Hands what these computers listed of the updates to `tell`, in their order; those that are not here are left out.
    pub fn listed(
        &self,
        computers: &[u32],
        updates: impl IntoIterator<Item = UpdateNumber>,
        tell: &mut dyn FnMut(&Listed<'_>),
    ) {
        let mut mask = Vec::new();
        for column in updates.into_iter().filter_map(|update| self.columns.find(update)) {
            set_bit(&mut mask, column);
        }
        let mut others = Vec::new();
        for (no, (chunk, lane)) in computers.iter().filter_map(|no| Some((*no, self.lane(*no)?))) {
            let rare = chunk.rare(lane).iter().filter(|entry| bit(&mask, entry.column()));
            others.clear();
            others.extend(rare.filter_map(|entry| Some((self.columns.update(entry.column())?, entry.state()))));
            let installed = count_common(chunk.installed(lane), &mask);
            tell(&Listed { no, reported: chunk.lane(lane).anchor.is_some(), installed, others: &others });
        }
    }
}
