//! Computers by state for many questions at once: the one place where history asks for counts.
//!
//! What it answers is what `compliance/summary` answers ([`super::tally`]) for the same computers and updates.

use std::collections::HashSet;

use weir_model::{
    ids::{CollectionId, UpdateId},
    status::Counts,
};
use weir_store::{ReadTx, StoreError};

use super::{
    collection::Tree,
    tally::{self, Who},
};
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
/// asked about any: nothing is known then, although nobody fails to comply.
pub(crate) fn counts(tx: &ReadTx<'_>, live: &Live, asked: &[CountsOf]) -> Result<Vec<Option<Counts>>, StoreError> {
    let tree = Tree::read(tx)?;
    let mut found = Vec::with_capacity(asked.len());
    for it in asked {
        let only: Option<HashSet<UpdateId>> = it.updates.as_ref().map(|updates| updates.iter().copied().collect());
        // the index is let go between questions, of which there may be thousands: others change it and ask meanwhile
        let tally = tally::count(&live.compliance(tx)?, &Who::of(&tree, it.collection, it.site), only.as_ref());
        let concerns = only.is_none() || tally.updates.iter().any(|update| update.counts.total() > 0);
        found.push(concerns.then_some(tally.states));
    }
    Ok(found)
}
