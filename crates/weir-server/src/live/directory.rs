//! The computers that the server knows, in memory: what every call with a cookie needs to know of its sender.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use parking_lot::{Mutex, MutexGuard, RwLock};
use weir_model::ids::{CollectionId, ComputerId};
use weir_store::computer::DirectoryRow;

const SHARDS: usize = 64;

/// A distinct set of collections, shared by all computers that have it.
#[derive(Debug, Eq, Hash, PartialEq)]
pub struct GroupSet(Box<[CollectionId]>);

impl GroupSet {
    /// The collections, ascending; never empty, since a computer without any is in Unassigned Computers.
    pub fn collections(&self) -> &[CollectionId] {
        &self.0
    }
}

/// One computer.
#[derive(Debug)]
pub struct Computer {
    /// Its row number.
    pub no: u32,
    /// It has registered.
    pub registered: bool,
    /// Its collections.
    pub groups: Arc<GroupSet>,
    /// Mark of what it asked for when that was last brought into the database; another mark means to do it again.
    pub applied: u64,
    /// Second since 1970 in which its contact was last handed to the database.
    contacted: AtomicI64,
}

impl Computer {
    /// Whether its contact should be stored now; true once per `interval` seconds.
    pub fn contact_due(&self, now: i64, interval: i64) -> bool {
        let last = self.contacted.load(Ordering::Relaxed);
        now - last >= interval
            && self.contacted.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// All computers by id. Readers take one of many shard locks for the time of a look-up. Writers hold the writer's
/// lock from their database commit (or read) until the change is in memory, so that a reload never brings back what a
/// commit just replaced.
#[derive(Debug)]
pub struct Directory {
    hasher: RandomState,
    shards: Vec<RwLock<HashMap<ComputerId, Arc<Computer>>>>,
    sets: Mutex<HashMap<Box<[CollectionId]>, Arc<GroupSet>>>,
    writer: Mutex<()>,
}

impl Default for Directory {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: std::iter::repeat_with(RwLock::default).take(SHARDS).collect(),
            sets: Mutex::default(),
            writer: Mutex::default(),
        }
    }
}

impl Directory {
    fn shard(&self, id: &ComputerId) -> Option<&RwLock<HashMap<ComputerId, Arc<Computer>>>> {
        self.shards.get(self.hasher.hash_one(id) as usize % SHARDS)
    }

    /// The computer of that id.
    pub fn find(&self, id: &ComputerId) -> Option<Arc<Computer>> {
        self.shard(id)?.read().get(id).cloned()
    }

    /// How many computers are known.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().len()).sum()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keeps other writers out; see [`Directory`].
    pub fn lock(&self) -> MutexGuard<'_, ()> {
        self.writer.lock()
    }

    /// The shared set of these collections; an empty list is Unassigned Computers.
    pub fn group_set(&self, groups: &[CollectionId]) -> Arc<GroupSet> {
        let mut key = groups.to_vec();
        if key.is_empty() {
            key.push(CollectionId::UNASSIGNED_COMPUTERS);
        }
        key.sort_unstable();
        key.dedup();
        let key = key.into_boxed_slice();
        let mut sets = self.sets.lock();
        if let Some(set) = sets.get(&key) {
            return Arc::clone(set);
        }
        let set = Arc::new(GroupSet(key.clone()));
        sets.insert(key, Arc::clone(&set));
        set
    }

    /// Puts a computer in or replaces it. The caller holds [`Directory::lock`].
    pub fn put(
        &self,
        id: &ComputerId,
        no: u32,
        registered: bool,
        groups: &[CollectionId],
        applied: u64,
        contacted: i64,
    ) {
        let computer =
            Computer { no, registered, groups: self.group_set(groups), applied, contacted: AtomicI64::new(contacted) };
        if let Some(shard) = self.shard(id) {
            shard.write().insert(id.clone(), Arc::new(computer));
        }
    }

    /// Takes a computer out. The caller holds [`Directory::lock`].
    pub fn remove(&self, id: &ComputerId) {
        if let Some(shard) = self.shard(id) {
            shard.write().remove(id);
        }
    }

    /// Brings the whole directory in line with the database's. What was applied and contacted stays known for computers
    /// that were known. The caller holds [`Directory::lock`] since before it read `rows`.
    pub fn reload(&self, rows: Vec<DirectoryRow>) {
        let mut fresh: Vec<HashMap<ComputerId, Arc<Computer>>> =
            std::iter::repeat_with(HashMap::new).take(SHARDS).collect();
        for row in rows {
            let groups = self.group_set(&row.groups);
            let old = self.find(&row.id);
            let same = old.as_ref().filter(|old| {
                old.no == row.no && old.registered == row.registered && Arc::ptr_eq(&old.groups, &groups)
            });
            let computer = same.cloned().unwrap_or_else(|| {
                let (applied, contacted) =
                    old.map_or((0, 0), |old| (old.applied, old.contacted.load(Ordering::Relaxed)));
                let contacted = AtomicI64::new(contacted);
                Arc::new(Computer { no: row.no, registered: row.registered, groups, applied, contacted })
            });
            if let Some(shard) = fresh.get_mut(self.hasher.hash_one(&row.id) as usize % SHARDS) {
                shard.insert(row.id, computer);
            }
        }
        for (shard, fresh) in self.shards.iter().zip(fresh) {
            *shard.write() = fresh;
        }
        self.sets.lock().retain(|_, set| Arc::strong_count(set) > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(no: u32, id: &str, groups: &[CollectionId]) -> DirectoryRow {
        DirectoryRow {
            no,
            id: id.parse().expect("id"),
            registered: no.is_multiple_of(2),
            site: 1,
            groups: groups.to_vec(),
        }
    }

    #[test]
    fn a_reload_follows_the_database_and_keeps_what_only_memory_knows() {
        let directory = Directory::default();
        let ring = CollectionId(uuid::Uuid::from_u128(9));
        directory.put(&"a".parse().expect("id"), 1, false, &[], 77, 100);
        directory.put(&"gone".parse().expect("id"), 2, true, &[], 1, 1);
        directory.reload(vec![row(1, "a", &[ring]), row(4, "b", &[])]);
        assert_eq!(directory.len(), 2);
        assert!(directory.find(&"gone".parse().expect("id")).is_none());
        let a = directory.find(&"A".parse().expect("id")).expect("known");
        assert_eq!((a.no, a.applied, a.groups.collections()), (1, 77, &[ring][..]));
        let b = directory.find(&"b".parse().expect("id")).expect("known");
        assert!(b.registered);
        assert_eq!(b.groups.collections(), [CollectionId::UNASSIGNED_COMPUTERS]);
    }

    #[test]
    fn equal_sets_are_one_set() {
        let directory = Directory::default();
        let [x, y] = [1, 2].map(|n| CollectionId(uuid::Uuid::from_u128(n)));
        assert!(Arc::ptr_eq(&directory.group_set(&[y, x, y]), &directory.group_set(&[x, y])));
    }

    #[test]
    fn a_contact_is_due_once_per_interval() {
        let directory = Directory::default();
        let id = "a".parse().expect("id");
        directory.put(&id, 1, false, &[], 0, 0);
        let computer = directory.find(&id).expect("known");
        assert!(computer.contact_due(1_000, 600));
        assert!(!computer.contact_due(1_100, 600));
        assert!(computer.contact_due(1_600, 600));
    }
}
