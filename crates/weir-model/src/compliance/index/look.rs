//! Lists of members, and a look at some computers.

use super::{
    super::{Placed, Seen, accumulator::LateMasks, columns::ones},
    Index, Members,
};

impl Index {
    /// The row numbers of members, ascending.
    pub fn numbers(&self, members: &Members) -> Vec<u32> {
        let mut numbers = Vec::new();
        for chunk in &self.chunks {
            let lanes = ones(chunk.select(|lane| members.holds(lane)));
            numbers.extend(lanes.map(|lane| chunk.lane(lane as usize).no));
        }
        // they are unless places of computers that left were taken again
        if !numbers.is_sorted() {
            numbers.sort_unstable();
        }
        numbers
    }

    /// Members with their collections, ascending by number.
    pub fn placed_all(&self, members: &Members) -> Vec<Placed> {
        let mut all = Vec::new();
        for chunk in &self.chunks {
            let lanes = ones(chunk.select(|lane| members.holds(lane)));
            all.extend(lanes.filter_map(|lane| self.placed(chunk.lane(lane as usize))));
        }
        all.sort_by_key(|placed| placed.no);
        all
    }

    /// Hands those of these computers that are members to `tell`, in their order, with what each says of all that it is asked about.
    /// The cost is that of these computers: about a look at one word for every 64 columns.
    pub fn seen_of(
        &self,
        members: &Members,
        computers: impl IntoIterator<Item = u32>,
        tell: &mut dyn FnMut(&Seen<'_>),
    ) {
        let mut masks: Vec<LateMasks> = self.classes.iter().map(|_| LateMasks::default()).collect();
        for no in computers {
            let Some((class, chunk, lane)) = self.place_of(members, no) else { continue };
            let (Some(of), Some(masks)) = (self.classes.get(class), masks.get_mut(class)) else { continue };
            let Some(group) = self.groups.get(chunk.lane(lane).group as usize) else { continue };
            tell(&Seen::new((of, &self.columns), (chunk, lane), &group.collections, masks));
        }
    }

    /// The members with an update in the state failed, or with the error of an earlier failure, in no order. What they are asked about
    /// does not matter.
    pub fn failing(&self, members: &Members) -> Vec<Placed> {
        let mut by_class = vec![0; self.classes.len()];
        let mut found = Vec::new();
        for chunk in self.chunks.iter().filter(|chunk| chunk.failing != 0) {
            self.lanes(members, chunk, &mut by_class);
            let lanes = by_class.iter().fold(0_u64, |all, lanes| all | *lanes) & chunk.failing;
            found.extend(ones(lanes).filter_map(|lane| self.placed(chunk.lane(lane as usize))));
        }
        found
    }

    /// Those of these computers that are members, in their order.
    pub fn members_of(&self, members: &Members, computers: &[u32]) -> Vec<Placed> {
        let lanes = computers.iter().filter_map(|no| self.lane(*no)).map(|(chunk, lane)| chunk.lane(lane));
        lanes.filter(|lane| members.holds(lane)).filter_map(|lane| self.placed(lane)).collect()
    }
}
