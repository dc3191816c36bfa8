//! The computers that the server knows, in memory: what every call with a cookie needs to know of its sender.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use parking_lot::{Mutex, MutexGuard, RwLock};
use weir_model::{
    exposure::Build,
    ids::{CollectionId, ComputerId},
    schedule::Zone,
};
use weir_store::computer::{DirectoryChanges, DirectoryRow};

const SHARDS: usize = 64;
/// Computers that are let go at once.
const LET_GO: usize = 1_000;
/// A set of collections, the zone of computers in it that have one of their own, and how many these are.
pub(crate) type ZonedSet = (Arc<GroupSet>, Option<Arc<Zone>>, usize);

/// Sets whose scopes are compiled ahead of need: half of those that are kept.
const MOST_SETS: usize = 2_048;

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
    /// Its own time zone.
    pub zone: Option<Arc<Zone>>,
    /// Mark of what it asked for when that was last brought into the database; another mark means to do it again.
    pub applied: u64,
    /// Second since 1970 in which its contact was last handed to the database.
    contacted: AtomicI64,
    /// Build and revision that it told last, handed to the database; zero if it told none since it is here.
    built: AtomicU64,
}

impl Computer {
    /// Whether it tells another build than before; true once for each, and once after a start.
    pub fn build_is_new(&self, build: Build) -> bool {
        let Build([.., number, revision]) = build;
        let built = u64::from(number) << 32 | u64::from(revision);
        self.built.swap(built, Ordering::Relaxed) != built
    }

    /// What it told could not be handed over.
    pub fn forget_build(&self) {
        self.built.store(0, Ordering::Relaxed);
    }

    /// Whether its contact should be stored now; true once per `interval` seconds.
    pub fn contact_due(&self, now: i64, interval: i64) -> bool {
        let last = self.contacted.load(Ordering::Relaxed);
        // a clock that was set back does not keep it from being stored
        (now - last).abs() >= interval
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
    /// What of the database is here; none before the first load.
    version: Mutex<Option<Version>>,
    held: Mutex<Held>,
}

/// What of the database's directory is in memory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Version {
    /// Moves whenever the directory changes.
    pub directory: u64,
    /// The change of computers up to which they were read: what the directory has of later ones came otherwise.
    pub feed: u64,
}

/// Collections whose members stay as they were here, whatever the database says, until all of them are found.
#[derive(Debug, Default)]
struct Held {
    collections: BTreeSet<CollectionId>,
    /// Where computers are that are shown elsewhere.
    actual: HashMap<ComputerId, Vec<CollectionId>>,
}

impl Default for Directory {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: std::iter::repeat_with(RwLock::default).take(SHARDS).collect(),
            sets: Mutex::default(),
            writer: Mutex::default(),
            version: Mutex::default(),
            held: Mutex::default(),
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

    /// The distinct sets of collections that computers are in, as many as scopes are kept of.
    pub fn sets(&self) -> Vec<Arc<GroupSet>> {
        let sets = self.sets.lock();
        let used = sets.values().filter(|set| Arc::strong_count(set) > 1);
        used.take(MOST_SETS).cloned().collect()
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
        let (groups, contacted) = (self.shown(id, groups), AtomicI64::new(contacted));
        // who does not know the zone leaves it: administrators set it, and it comes with the row
        let zone = self.find(id).filter(|old| old.no == no).and_then(|old| old.zone.clone());
        let computer = Computer { no, registered, groups, zone, applied, contacted, built: AtomicU64::new(0) };
        if let Some(shard) = self.shard(id) {
            shard.write().insert(id.clone(), Arc::new(computer));
        }
    }

    /// The same with all that the database knows of it: a computer that comes back from another site has its zone again.
    /// The caller holds [`Directory::lock`].
    pub fn put_row(&self, row: &DirectoryRow, applied: u64, contacted: i64) {
        let (groups, contacted) = (self.shown(&row.id, &row.groups), AtomicI64::new(contacted));
        let zone = row.time_zone.as_deref().and_then(|name| name.parse::<Zone>().ok()).map(Arc::new);
        let computer = Computer {
            no: row.no,
            registered: row.registered,
            groups,
            zone,
            applied,
            contacted,
            built: AtomicU64::new(0),
        };
        if let Some(shard) = self.shard(&row.id) {
            shard.write().insert(row.id.clone(), Arc::new(computer));
        }
    }

    /// Puts a computer that is here into other collections. The caller holds [`Directory::lock`].
    pub fn regroup(&self, id: &ComputerId, groups: &[CollectionId]) {
        if let Some(known) = self.find(id) {
            let contacted = known.contacted.load(Ordering::Relaxed);
            self.put(id, known.no, known.registered, groups, known.applied, contacted);
        }
    }

    /// What of the database's directory is here.
    pub fn version(&self) -> Option<Version> {
        *self.version.lock()
    }

    /// Notes what was read of the database's directory. The caller holds [`Directory::lock`].
    pub fn set_version(&self, version: Version) {
        *self.version.lock() = Some(version);
    }

    /// What is here may be half of something: the next publish loads everything.
    pub fn distrust(&self) {
        *self.version.lock() = None;
    }

    /// Notes that everything was put in that a transaction changed between two versions, so that it need not be loaded. The
    /// caller holds [`Directory::lock`] since before the transaction.
    pub fn advance(&self, before: u64, after: u64) {
        let mut version = self.version.lock();
        if let Some(version) = version.as_mut().filter(|version| version.directory == before) {
            version.directory = after;
        }
    }

    /// Shows the members of these collections as they are here now, whatever is put in, until [`Directory::release`].
    pub fn hold(&self, collections: BTreeSet<CollectionId>) {
        self.held.lock().collections = collections;
    }

    /// Shows every computer where it is again. Takes [`Directory::lock`] for parts of the time.
    pub fn release(&self) {
        self.held.lock().collections.clear();
        loop {
            let _lock = self.lock();
            let some: Vec<_> = {
                let mut held = self.held.lock();
                let ids: Vec<_> = held.actual.keys().take(LET_GO).cloned().collect();
                ids.into_iter().filter_map(|id| held.actual.remove_entry(&id)).collect()
            };
            if some.is_empty() {
                return;
            }
            for (id, groups) in some {
                self.regroup(&id, &groups);
            }
        }
    }

    /// The collections in which a computer is shown.
    fn shown(&self, id: &ComputerId, groups: &[CollectionId]) -> Arc<GroupSet> {
        let mut held = self.held.lock();
        if held.collections.is_empty() {
            held.actual.remove(id);
            return self.group_set(groups);
        }
        let Some(known) = self.find(id) else { return self.group_set(groups) };
        let mut shown: Vec<CollectionId> =
            groups.iter().copied().filter(|group| !held.collections.contains(group)).collect();
        if groups.is_empty() {
            shown.push(CollectionId::UNASSIGNED_COMPUTERS);
        }
        shown.extend(known.groups.collections().iter().copied().filter(|group| held.collections.contains(group)));
        let shown = self.group_set(&shown);
        if shown == self.group_set(groups) {
            held.actual.remove(id);
        } else {
            held.actual.insert(id.clone(), groups.to_vec());
        }
        shown
    }

    /// Takes a computer out. The caller holds [`Directory::lock`].
    pub fn remove(&self, id: &ComputerId) {
        self.held.lock().actual.remove(id);
        if let Some(shard) = self.shard(id) {
            shard.write().remove(id);
        }
    }

    /// The distinct sets of collections with the zones of computers in them, and how many computers each has.
    pub(crate) fn sets_by_zone(&self) -> Vec<ZonedSet> {
        let mut found: HashMap<(usize, Option<String>), ZonedSet> = HashMap::new();
        for shard in &self.shards {
            for computer in shard.read().values() {
                let zone = computer.zone.as_ref().map(|zone| zone.name().to_owned());
                // equal sets are one set
                let key = (Arc::as_ptr(&computer.groups) as usize, zone);
                let first = || (Arc::clone(&computer.groups), computer.zone.clone(), 0);
                found.entry(key).or_insert_with(first).2 += 1;
            }
        }
        found.into_values().collect()
    }

    /// Brings what may have changed in line with the database's directory. What was applied and contacted stays known for computers
    /// that were known. The caller holds [`Directory::lock`] since before it read `changes`.
    pub fn follow(&self, changes: DirectoryChanges, site: u32) {
        let mut gone = changes.gone;
        for row in changes.rows {
            if row.site != site {
                gone.push(row.no);
                continue;
            }
            let old = self.find(&row.id);
            let groups = self.shown(&row.id, &row.groups);
            let zone = row.time_zone.as_deref().and_then(|name| name.parse::<Zone>().ok()).map(Arc::new);
            let same = old.as_ref().is_some_and(|old| {
                old.no == row.no
                    && old.registered == row.registered
                    && old.zone == zone
                    && Arc::ptr_eq(&old.groups, &groups)
            });
            if same {
                continue;
            }
            let (applied, contacted, built) = old.map_or((0, 0, 0), |old| {
                (old.applied, old.contacted.load(Ordering::Relaxed), old.built.load(Ordering::Relaxed))
            });
            let (contacted, built) = (AtomicI64::new(contacted), AtomicU64::new(built));
            let computer = Computer { no: row.no, registered: row.registered, groups, zone, applied, contacted, built };
            if let Some(shard) = self.shard(&row.id) {
                shard.write().insert(row.id, Arc::new(computer));
            }
        }
        self.sets.lock().retain(|_, set| Arc::strong_count(set) > 1);
        if gone.is_empty() {
            return;
        }
        // few go, and nothing finds them by their number
        let gone: HashSet<u32> = gone.into_iter().collect();
        for shard in &self.shards {
            let ids: Vec<ComputerId> = {
                let shard = shard.read();
                shard.iter().filter(|(_, known)| gone.contains(&known.no)).map(|(id, _)| id.clone()).collect()
            };
            for id in &ids {
                self.remove(id);
            }
        }
    }

    /// Brings the whole directory in line with the database's. What was applied and contacted stays known for computers
    /// that were known. The caller holds [`Directory::lock`] since before it read `rows`.
    pub fn reload(&self, rows: Vec<DirectoryRow>) {
        let mut fresh: Vec<HashMap<ComputerId, Arc<Computer>>> =
            std::iter::repeat_with(HashMap::new).take(SHARDS).collect();
        let mut zones: HashMap<String, Option<Arc<Zone>>> = HashMap::new();
        for row in rows {
            let groups = self.shown(&row.id, &row.groups);
            let zone = row.time_zone.and_then(|name| {
                let zone = zones.entry(name).or_insert_with_key(|name| name.parse().ok().map(Arc::new));
                zone.clone()
            });
            let old = self.find(&row.id);
            let same = old.as_ref().filter(|old| {
                old.no == row.no
                    && old.registered == row.registered
                    && old.zone == zone
                    && Arc::ptr_eq(&old.groups, &groups)
            });
            let computer = same.cloned().unwrap_or_else(|| {
                let (applied, contacted) =
                    old.map_or((0, 0), |old| (old.applied, old.contacted.load(Ordering::Relaxed)));
                let contacted = AtomicI64::new(contacted);
                Arc::new(Computer {
                    no: row.no,
                    registered: row.registered,
                    groups,
                    zone,
                    applied,
                    contacted,
                    built: AtomicU64::new(0),
                })
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
mod tests;
