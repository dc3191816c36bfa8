//! Computers by state for many questions at once: the one place where history asks for counts.
//!
//! What it answers is what `compliance/summary` answers for the same computers and updates, and of one update what
//! `compliance/updates` does. Questions about the same updates share one pass over the computers.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::{
    ids::{CollectionId, UpdateId},
    status::{Counts, State},
};
use weir_store::{ReadTx, StoreError};

use super::collection::Tree;
use crate::live::Live;

/// Which computers, with which updates.
#[derive(Clone, Debug)]
pub(crate) struct CountsOf {
    /// The computers of this collection and of those below it.
    pub(crate) collection: CollectionId,
    /// Only those of this server.
    pub(crate) site: Option<u32>,
    /// Only these updates; none is all that each computer is asked about.
    pub(crate) updates: Option<Vec<UpdateId>>,
}

/// The computers of each question by the one state of each. None for a question about updates of which no computer is
/// asked about any: there is no share of nothing.
pub(crate) fn counts(tx: &ReadTx<'_>, live: &Live, asked: &[CountsOf]) -> Result<Vec<Option<Counts>>, StoreError> {
    let tree = Tree::read(tx)?;
    let mut by_updates: BTreeMap<Option<Vec<UpdateId>>, Vec<usize>> = BTreeMap::new();
    for (at, it) in asked.iter().enumerate() {
        let only: Option<BTreeSet<UpdateId>> = it.updates.as_ref().map(|updates| updates.iter().copied().collect());
        by_updates.entry(only.map(|only| only.into_iter().collect())).or_default().push(at);
    }
    let mut found = vec![None; asked.len()];
    for (only, questions) in by_updates {
        // the index is let go between passes, of which there may be thousands: others change it and ask meanwhile
        let sets = live.compliance(tx)?.by_set(only.as_deref());
        for at in questions {
            let (Some(it), Some(found)) = (asked.get(at), found.get_mut(at)) else { continue };
            let (mut counts, mut not_asked) = (Counts::default(), 0);
            let is_meant = |site: u32, collections: &[CollectionId]| {
                it.site.is_none_or(|wanted| wanted == site) && tree.holds_any(it.collection, collections)
            };
            for set in sets.iter().filter(|set| is_meant(set.site, &set.collections)) {
                for state in State::ALL {
                    counts.add_many(state, set.states.of(state));
                }
                not_asked += set.not_asked;
            }
            *found = (only.is_none() || not_asked < counts.total()).then_some(counts);
        }
    }
    Ok(found)
}
