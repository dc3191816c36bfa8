//! Client settings as the rest of the server asks for them.
//!
//! [`Table`] is what the database has, read in one transaction (a publish reads it with what else it needs). It answers for
//! any set of collections, once each.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use parking_lot::Mutex;
use weir_model::{
    client_settings::{Resultant, Set, definition, resultant},
    ids::CollectionId,
};
use weir_store::{ReadTx, StoreError, client_settings::ClientSettings};

/// All sets, and how collections nest.
#[derive(Debug, Default)]
pub struct Table {
    sets: Vec<Set>,
    parents: BTreeMap<CollectionId, Option<CollectionId>>,
    answered: Mutex<HashMap<Vec<CollectionId>, Arc<Resultant>>>,
}

impl Table {
    /// Reads it.
    pub fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let sets = tx.client_settings_list()?.iter().map(|row| typed(&row.set)).collect();
        let parents = tx.collection_list()?.into_iter().map(|row| (row.id, row.parent)).collect();
        Ok(Self { sets, parents, answered: Mutex::default() })
    }

    /// The sets.
    pub fn sets(&self) -> &[Set] {
        &self.sets
    }

    /// The collections of a computer with all above them: what its sets are looked for by. None of its own is Unassigned
    /// Computers.
    pub fn within(&self, groups: &[CollectionId]) -> BTreeSet<CollectionId> {
        let mut within = BTreeSet::from([CollectionId::ALL_COMPUTERS]);
        let mut open: Vec<CollectionId> = groups.to_vec();
        if open.is_empty() {
            open.push(CollectionId::UNASSIGNED_COMPUTERS);
        }
        while let Some(id) = open.pop() {
            if within.insert(id) {
                open.extend(self.parents.get(&id).copied().flatten());
            }
        }
        within
    }

    /// What holds for a computer in these collections. Scan interval (CS-2) and windows that count (CS-13) are methods of
    /// the answer.
    pub fn resultant(&self, groups: &[CollectionId]) -> Arc<Resultant> {
        let mut key = groups.to_vec();
        key.sort_unstable();
        key.dedup();
        let mut answered = self.answered.lock();
        let known = answered.entry(key).or_insert_with_key(|key| Arc::new(resultant(&self.sets, &self.within(key))));
        Arc::clone(known)
    }
}

/// A stored set with its values read. What this version does not understand is passed over.
pub(crate) fn typed(stored: &ClientSettings) -> Set {
    let read = |(key, text): (&String, &String)| Some((key.clone(), definition(key).ok()?.read(text).ok()?));
    Set {
        id: stored.id,
        name: stored.name.clone(),
        priority: stored.priority,
        settings: stored.settings.iter().filter_map(read).collect(),
        collections: stored.collections.iter().copied().collect(),
    }
}
