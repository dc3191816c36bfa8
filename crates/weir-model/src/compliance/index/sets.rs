//! Many questions about collections, answered by one pass.

use std::collections::{HashMap, HashSet};

use super::{
    super::{
        SetCounts, Standing,
        accumulator::{LateMasks, standing},
        chunk::Chunk,
    },
    Index, Members, stands,
};
use crate::status::{Counts, UpdateNumber};

impl Index {
    /// How all computers stand, by their collections and servers: one pass for questions about many collections.
    pub fn by_set(&self, only: Option<&HashSet<UpdateNumber>>) -> Vec<SetCounts> {
        let narrowed = only.map(|only| self.narrowed(only));
        let classes = narrowed.as_deref().unwrap_or(&self.classes);
        let mut masks: Vec<LateMasks> = classes.iter().map(|_| LateMasks::default()).collect();
        self.sets_of(|class, chunk, lane| {
            let (of, masks) = (classes.get(class)?, masks.get_mut(class)?);
            Some(stands(chunk.lane(lane), !of.is_outside(), standing(of, chunk, lane, masks)))
        })
    }

    /// The same by their state of one update: those that are not asked about it are unknown.
    pub fn by_set_of_update(&self, update: UpdateNumber) -> Vec<SetCounts> {
        let mut of_update = self.teller(update);
        self.sets_of(|class, chunk, lane| Some(of_update(class, chunk, lane)))
    }

    fn sets_of(&self, mut tell: impl FnMut(usize, &Chunk, usize) -> Option<Standing>) -> Vec<SetCounts> {
        let everybody = Members { groups: vec![true; self.groups.len()], site: None };
        let mut sets: HashMap<(u32, u32), SetCounts> = HashMap::new();
        self.each(&everybody, |class, chunk, lane| {
            let place = chunk.lane(lane);
            let (Some(standing), Some(group)) = (tell(class, chunk, lane), self.groups.get(place.group as usize))
            else {
                return;
            };
            let set = sets.entry((place.group, place.site)).or_insert_with(|| SetCounts {
                collections: group.collections.clone(),
                site: place.site,
                states: Counts::default(),
                not_asked: 0,
            });
            set.states.add(standing.state);
            set.not_asked += u64::from(!standing.asked);
        });
        sets.into_values().collect()
    }
}
