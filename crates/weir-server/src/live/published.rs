//! One compiled state of the catalogue with what is kept beside it for as long as it lives.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    hash::Hash,
    sync::{Arc, OnceLock, Weak},
    time::Instant,
};

use jiff::Timestamp;
use moka::{notification::RemovalCause, sync::Cache};
use parking_lot::Mutex;
use weir_model::{
    catalogue::{Agenda, Related, Scope, Snapshot},
    compliance::Asked,
    fnv::Fnv,
    ids::{ChangeNumber, CollectionId, UpdateId},
    schedule::Zone,
    status::UpdateNumber,
    targeting::{Collection, CollectionKind},
    window::Calendar,
};

use super::{
    GroupSet,
    hours::{Hours, TimedScope},
};
use crate::telemetry::{self, Cache as Kind};

/// Distinct sets of collections, and of filter categories, whose scopes are kept.
const KEPT: u64 = 4_096;

/// The scope of a set of collections.
#[derive(Debug)]
pub struct ScopeOf {
    /// What the computers are sent.
    pub scope: Scope,
    /// Changes when the set, or the place of one of its collections in the tree, changes: then everything may have
    /// changed for the computers, unless [`Scope::decided`] says that it did not.
    pub fingerprint: u64,
    timed: Option<TimedScope>,
}

/// A collection's name as computers ask for it, in lower case, and its id.
type Names = HashMap<String, CollectionId>;

/// A compiled catalogue, its scopes, and the collections it was compiled with.
pub struct Published {
    /// The catalogue.
    pub snapshot: Snapshot,
    /// When it was compiled.
    pub compiled: Instant,
    /// Moves whenever a target group is made, changed or deleted: what computers ask for may mean something else.
    pub collections_mark: u64,
    collections: HashMap<CollectionId, Collection>,
    names: Names,
    numbers: Arc<HashMap<UpdateId, UpdateNumber>>,
    /// Maintenance windows and zones.
    pub hours: Arc<Hours>,
    scopes: Cache<Arc<GroupSet>, Arc<ScopeOf>>,
    /// What computers are asked about for whom deployments make no difference to it.
    asked_by_most: OnceLock<Arc<[Asked]>>,
    /// The same for others, by their collections.
    asked: Cache<Arc<GroupSet>, Arc<[Asked]>>,
    asked_lists: Mutex<Vec<Weak<[Asked]>>>,
    /// The other way round than `numbers`, once somebody needs it.
    updates: OnceLock<HashMap<UpdateNumber, UpdateId>>,
    related: Cache<Box<[UpdateId]>, Arc<Related>>,
    lacking: OnceLock<HashSet<UpdateId>>,
}

impl fmt::Debug for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Published").field("change", &self.change()).finish_non_exhaustive()
    }
}

impl Published {
    pub(super) fn new(
        snapshot: Snapshot,
        collections: Vec<Collection>,
        names: Names,
        numbers: Arc<HashMap<UpdateId, UpdateNumber>>,
        hours: Arc<Hours>,
    ) -> Self {
        let mut mark = Fnv::default();
        for collection in collections.iter().filter(|collection| collection.kind == CollectionKind::TargetGroup) {
            take(&mut mark, collection);
        }
        let mut sorted: Vec<_> = names.iter().collect();
        sorted.sort();
        for (name, id) in sorted {
            mark.bytes(name.as_bytes());
            mark.bytes(id.0.as_bytes());
        }
        Self {
            snapshot,
            compiled: Instant::now(),
            collections_mark: mark.0,
            collections: collections.into_iter().map(|collection| (collection.id, collection)).collect(),
            names,
            numbers,
            hours,
            scopes: kept(Kind::Scopes),
            asked_by_most: OnceLock::new(),
            asked: kept(Kind::Asked),
            asked_lists: Mutex::default(),
            updates: OnceLock::new(),
            related: kept(Kind::Related),
            lacking: OnceLock::new(),
        }
    }

    /// The last change it contains: what scans take away as their anchor.
    pub fn change(&self) -> ChangeNumber {
        self.snapshot.change()
    }

    /// The scope of these collections, compiled once.
    pub fn scope(&self, groups: &Arc<GroupSet>) -> Arc<ScopeOf> {
        let known = self.scopes.get(groups);
        telemetry::looked_up_one(Kind::Scopes, known.is_some());
        if let Some(scope) = known {
            return scope;
        }
        self.scopes.get_with(Arc::clone(groups), || {
            let scope = self.snapshot.scope(groups.collections());
            let timed = TimedScope::new(&self.snapshot, &scope, self.calendar(groups, None));
            Arc::new(ScopeOf { scope, fingerprint: self.fingerprint(groups), timed })
        })
    }

    /// What the deployments of a scope of this state are at `now` to computers with this zone of their own; none if the
    /// time does not matter to them.
    pub fn agenda(&self, scope: &ScopeOf, own: Option<&Zone>, now: Timestamp) -> Option<Arc<Agenda>> {
        scope.timed.as_ref().map(|timed| timed.agenda(&self.snapshot, &scope.scope, own, now))
    }

    /// The windows that count for computers of these collections, in their zone.
    pub fn calendar(&self, groups: &GroupSet, own: Option<&Zone>) -> Calendar {
        self.hours.calendar(&self.snapshot.branches(groups.collections()), own)
    }

    /// Compiles the scopes that another state had in use, so that the first scans after a swap do not wait for it.
    pub(super) fn warm(&self, before: &Self) {
        for (groups, _) in before.scopes.iter().take(64) {
            self.scope(&groups);
        }
    }

    /// The revisions that a filter by these categories lets through, compiled once. The order does not matter.
    pub fn related(&self, categories: &[UpdateId]) -> Arc<Related> {
        let mut key = categories.to_vec();
        key.sort_unstable();
        key.dedup();
        let key = key.into_boxed_slice();
        let known = self.related.get(&key);
        telemetry::looked_up_one(Kind::Related, known.is_some());
        if let Some(related) = known {
            return related;
        }
        let related = Arc::new(self.snapshot.related(&key));
        self.related.insert(key, Arc::clone(&related));
        related
    }

    /// The collection of that name, compared without regard to case. All Computers and Unassigned Computers cannot be
    /// asked for.
    pub fn collection_named(&self, name: &str) -> Option<CollectionId> {
        self.names.get(&name.trim().to_lowercase()).copied()
    }

    /// The number by which an update is known in computers' status; none for unknown ids, categories and detectoids.
    pub fn status_number(&self, update: UpdateId) -> Option<UpdateNumber> {
        use weir_model::update::UpdateType::{Driver, Software};
        let newest = self.snapshot.newest(update)?;
        let kept = matches!(self.snapshot.update_type(newest), Some(Software | Driver));
        if kept { self.numbers.get(&update).copied() } else { None }
    }

    /// Updates of which a present revision lacks something.
    pub(crate) fn lacking(&self) -> &HashSet<UpdateId> {
        self.lacking.get_or_init(|| {
            let unresolved = self.snapshot.unresolved().into_iter();
            let lacking = unresolved.filter_map(|(id, _)| self.snapshot.identity(id));
            lacking.map(|identity| identity.update_id).collect()
        })
    }

    /// The update that a number stands for.
    pub(crate) fn update_of(&self, number: UpdateNumber) -> Option<UpdateId> {
        let turned = || self.numbers.iter().map(|(update, number)| (*number, *update)).collect();
        self.updates.get_or_init(turned).get(&number).copied()
    }

    /// The updates that computers of these collections report on, by number, compiled once; equal lists are one.
    pub(crate) fn asked(&self, groups: &Arc<GroupSet>) -> Arc<[Asked]> {
        if self.snapshot.reports_as_all(groups.collections()) {
            return Arc::clone(self.asked_by_most.get_or_init(|| self.compile_asked(groups).into()));
        }
        let known = self.asked.get(groups);
        telemetry::looked_up_one(Kind::Asked, known.is_some());
        if let Some(asked) = known {
            return asked;
        }
        self.asked.get_with(Arc::clone(groups), || {
            let asked = self.compile_asked(groups);
            let mut lists = self.asked_lists.lock();
            lists.retain(|list| list.strong_count() > 0);
            let known = lists.iter().filter_map(Weak::upgrade).find(|list| **list == *asked);
            known.unwrap_or_else(|| {
                let list: Arc<[Asked]> = asked.into();
                lists.push(Arc::downgrade(&list));
                list
            })
        })
    }

    fn compile_asked(&self, groups: &Arc<GroupSet>) -> Vec<Asked> {
        let offers = self.snapshot.offers(&self.scope(groups).scope).into_iter().filter(|offer| offer.reportable);
        let asked = offers.filter_map(|offer| {
            Some(Asked { update: self.status_number(offer.identity.update_id)?, entered: offer.entered })
        });
        let mut asked: Vec<Asked> = asked.collect();
        // an update of which two revisions are in scope was evaluated once the later one was
        asked.sort_by_key(|it| (it.update, std::cmp::Reverse(it.entered)));
        asked.dedup_by_key(|it| it.update);
        asked
    }

    /// Entries of what is kept beside the catalogue.
    pub(crate) fn entries(&self) -> [(Kind, u64); 3] {
        [
            (Kind::Asked, self.asked.entry_count()),
            (Kind::Related, self.related.entry_count()),
            (Kind::Scopes, self.scopes.entry_count()),
        ]
    }

    /// The number of an update that was ever named, when this state was published.
    pub(crate) fn update_number(&self, update: UpdateId) -> Option<UpdateNumber> {
        self.numbers.get(&update).copied()
    }

    fn fingerprint(&self, groups: &GroupSet) -> u64 {
        let mut hash = Fnv::default();
        for group in groups.collections() {
            let mut next = self.collections.get(group);
            hash.bytes(group.0.as_bytes());
            // parents form a tree; the bound only guards against damaged data
            for _ in 0..64 {
                let Some(collection) = next else { break };
                take(&mut hash, collection);
                next = collection.parent.and_then(|parent| self.collections.get(&parent));
            }
        }
        hash.0
    }
}

/// A cache of a few thousand entries that tells of those that made room for others.
fn kept<K, V>(kind: Kind) -> Cache<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    let told = move |_: Arc<K>, _: V, why: RemovalCause| {
        if why.was_evicted() {
            telemetry::evicted(kind);
        }
    };
    Cache::builder().max_capacity(KEPT).eviction_listener(told).build()
}

fn take(hash: &mut Fnv, collection: &Collection) {
    hash.bytes(collection.id.0.as_bytes());
    hash.bytes(collection.parent.map(|parent| parent.0).unwrap_or_default().as_bytes());
    hash.bytes(&[u8::from(collection.kind == CollectionKind::Rule), u8::from(collection.approved_only)]);
}
