//! From the database to what scans read.

use std::{
    collections::{HashMap, HashSet},
    ops::Deref,
    sync::{Arc, OnceLock},
};

use arc_swap::ArcSwapOption;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use weir_model::{
    catalogue::{CatalogueInput, Retired, RevisionFacts, Snapshot},
    ids::{CollectionId, RevisionId, UpdateId},
    status::UpdateNumber,
    targeting::CollectionKind,
    update::Relationships,
};
use weir_store::{
    Actor, ReadTx, Store, StoreError,
    catalogue::RevisionFactsRow,
    computer::{DirectoryChanges, DirectoryRow, THIS_SERVER},
};

use super::{
    Directory, Fragments, Hours, Published, compliance, directory::Version, freshness, membership, reconcile, timer,
    waiting,
};
use crate::front::Duties;

/// Why a publish did not happen; scans go on with the state before.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PublishError {
    /// The database could not be read or written.
    #[error("the catalogue cannot be read from the database")]
    Store(#[source] Arc<StoreError>),
    /// The publisher ended before it came to this request.
    #[error("the server is stopping; start it again to publish")]
    Stopped,
}

impl From<StoreError> for PublishError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

/// How often one publish looks again at deployments after it changed some; more changes wait for the next publish.
const ROUNDS: usize = 4;
/// Clocks of front ends may differ by so much: one that is behind would take back what another one began to offer, again and again.
const SKEW: SignedDuration = SignedDuration::from_mins(1);
/// Deployments that are activated in one transaction.
const TOGETHER: usize = 250;

/// If more than this share of the computers changed, reading all of them again is quicker.
const FULL_SHARE: u64 = 3;
/// Fewer changed computers than that are always followed one by one.
const FEW: u64 = 2_000;

type Reply = oneshot::Sender<Result<Arc<Published>, PublishError>>;

/// The live catalogue and the computers. Clones share it.
#[derive(Clone, Debug)]
pub struct Live(Arc<Inner>);

/// What [`Live`] shares.
pub struct Inner {
    pub(super) store: Store,
    current: ArcSwapOption<Published>,
    /// The computers.
    pub directory: Directory,
    /// Core fragments.
    pub fragments: Fragments,
    /// What computers reported, for counting.
    pub(super) compliance: compliance::Compliance,
    /// Whose reports are not current.
    pub(super) freshness: freshness::Kept,
    /// What deployments wait for.
    pub(super) waiting: waiting::Kept,
    /// Members of collections that rules define.
    pub(crate) membership: Arc<membership::Membership>,
    /// What this front end does for all.
    pub(crate) duties: Arc<Duties>,
    queue: Mutex<Queue>,
    loaded: Mutex<Loaded>,
    next: Mutex<Option<Timestamp>>,
    /// Revisions that are about to be removed: nothing published from now on has them.
    hidden: Mutex<HashSet<RevisionId>>,
    /// Tells the timer that the next available time is another.
    rescheduled: Arc<Notify>,
    empty: OnceLock<Arc<Published>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("current", &self.current.load()).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Queue {
    running: bool,
    waiting: Vec<Reply>,
}

/// What the last publish read, so that the next reads only what changed.
#[derive(Default)]
struct Loaded {
    /// Revisions ascending by number.
    input: CatalogueInput,
    /// The last number that was loaded; numbers are never given again.
    last: RevisionId,
    names: HashMap<String, CollectionId>,
    numbers: Arc<HashMap<UpdateId, UpdateNumber>>,
    last_number: u32,
    hours: Arc<Hours>,
    /// Stored revisions that the input was made without.
    hidden: HashSet<RevisionId>,
}

impl Deref for Live {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Live {
    /// An empty catalogue over this database; [`Live::open`] fills it.
    pub fn new(store: Store) -> Self {
        Self::with(store, Duties::new(true))
    }

    /// The same for one of the front ends that may share this database.
    pub(crate) fn among(store: Store) -> Self {
        let duties = Duties::new(!store.is_shared());
        Self::with(store, duties)
    }

    fn with(store: Store, duties: Duties) -> Self {
        let duties = Arc::new(duties);
        Self(Arc::new(Inner {
            store,
            current: ArcSwapOption::empty(),
            directory: Directory::default(),
            fragments: Fragments::default(),
            compliance: compliance::Compliance::default(),
            freshness: freshness::Kept::default(),
            waiting: waiting::Kept::default(),
            membership: Arc::default(),
            duties,
            queue: Mutex::default(),
            loaded: Mutex::default(),
            next: Mutex::default(),
            hidden: Mutex::default(),
            rescheduled: Arc::default(),
            empty: OnceLock::new(),
        }))
    }

    /// Loads computers and catalogue, and starts the timer that activates deployments when their time comes, and what finds
    /// the members of collections.
    pub async fn open(&self) -> Result<(), PublishError> {
        self.republish().await?;
        tokio::spawn(membership::run(Arc::downgrade(&self.0)));
        tokio::spawn(compliance::run(Arc::downgrade(&self.0)));
        tokio::spawn(timer::run(Arc::downgrade(&self.0), Arc::clone(&self.0.rescheduled)));
        Ok(())
    }

    /// Publishes everything that was committed before the call, and returns when scans see it. Calls that come while a
    /// publish runs share the next one.
    pub async fn republish(&self) -> Result<Arc<Published>, PublishError> {
        self.0.republish().await
    }
}

impl Inner {
    /// What scans read now.
    pub fn current(&self) -> Arc<Published> {
        self.current.load_full().unwrap_or_else(|| {
            Arc::clone(self.empty.get_or_init(|| {
                let snapshot = Snapshot::compile(&CatalogueInput::default());
                Arc::new(Published::new(snapshot, Vec::new(), HashMap::new(), Arc::default(), Arc::default()))
            }))
        })
    }

    /// From the next publish on, nothing has these revisions, and what was hidden before and is stored is there again. True
    /// if that makes a difference.
    pub fn hide(&self, revisions: HashSet<RevisionId>) -> bool {
        let mut hidden = self.hidden.lock();
        let differs = *hidden != revisions;
        *hidden = revisions;
        differs
    }

    /// The next available time of a deployment that lies ahead.
    pub fn next_activation(&self) -> Option<Timestamp> {
        *self.next.lock()
    }

    pub(super) async fn republish(self: &Arc<Self>) -> Result<Arc<Published>, PublishError> {
        let (reply, answer) = oneshot::channel();
        let start = {
            let mut queue = self.queue.lock();
            queue.waiting.push(reply);
            !std::mem::replace(&mut queue.running, true)
        };
        if start {
            let inner = Arc::clone(self);
            tokio::task::spawn_blocking(move || inner.drain());
        }
        answer.await.map_err(|_| PublishError::Stopped)?
    }

    fn drain(&self) {
        loop {
            let waiting = {
                let mut queue = self.queue.lock();
                if queue.waiting.is_empty() {
                    queue.running = false;
                    return;
                }
                std::mem::take(&mut queue.waiting)
            };
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.publish()));
            let result = result.unwrap_or_else(|_| {
                // what was half loaded is not trusted: the next publish reads everything
                *self.loaded.lock() = Loaded::default();
                self.directory.distrust();
                tracing::error!("publishing the catalogue failed unexpectedly; scans go on with the state before");
                Err(PublishError::Stopped)
            });
            for reply in waiting {
                // a caller that went away does not want its answer
                let _ = reply.send(result.clone());
            }
            if let Ok(published) = result {
                self.warm_rest(&published);
            }
        }
    }

    /// Compiles the scopes of all computers' sets of collections, so that no scan has to wait for one; another publish ends
    /// it.
    fn warm_rest(&self, published: &Published) {
        for set in self.directory.sets() {
            if !self.queue.lock().waiting.is_empty() {
                return;
            }
            published.scope(&set);
        }
    }

    fn publish(&self) -> Result<Arc<Published>, PublishError> {
        let started = std::time::Instant::now();
        let mut loaded = self.loaded.lock();
        let hidden = self.hidden.lock().clone();
        let skew = if self.duties.is_alone() { SignedDuration::ZERO } else { SKEW };
        // What is compiled is what was examined: a revision that arrives between the two would go out as deployed before
        // its content is here.
        for round in 0.. {
            let now = Timestamp::now();
            let findings = self.store.read(|tx| {
                let findings = reconcile::examine(tx, now, skew)?;
                if findings.activations.is_empty() || round == ROUNDS {
                    loaded.refresh(tx, &hidden)?;
                }
                Ok(findings)
            })?;
            *self.next.lock() = findings.next;
            self.rescheduled.notify_one();
            if findings.activations.is_empty() || round == ROUNDS {
                break;
            }
            let actor = Actor::system("deployments", now);
            // a group may activate a thousand at once: others get to write in between
            let mut chunks = findings.activations.chunks(TOGETHER);
            let stored = chunks.try_for_each(|chunk| self.store.write(&actor, |tx| reconcile::store(tx, chunk)));
            match stored {
                Ok(()) => {}
                Err(error @ (StoreError::DiskFailed { .. } | StoreError::DiskFull { .. })) => {
                    // deployments stay as they are; what is here goes on being served
                    tracing::error!(%error, "nothing can be stored: deployments are neither activated nor deactivated");
                    self.store.read(|tx| loaded.refresh(tx, &hidden))?;
                    break;
                }
                Err(error) => return Err(error.into()),
            }
            tracing::info!(count = findings.activations.len(), "deployments were activated or deactivated");
        }
        self.follow_computers()?;
        let snapshot = Snapshot::compile(&loaded.input);
        let published = Arc::new(Published::new(
            snapshot,
            loaded.input.collections.clone(),
            loaded.names.clone(),
            Arc::clone(&loaded.numbers),
            Arc::clone(&loaded.hours),
        ));
        if let Some(before) = self.current.load_full() {
            published.warm(&before);
        }
        self.current.store(Some(Arc::clone(&published)));
        // another catalogue may ask for other updates, other definitions may hold for others
        self.membership.nudge();
        tracing::debug!(
            change = published.change().0,
            revisions = published.snapshot.len(),
            milliseconds = started.elapsed().as_millis() as u64,
            "published the catalogue"
        );
        Ok(published)
    }

    /// Follows another front end that finds the members of collections: until all are found, those of before are shown.
    pub(crate) fn follow_members(&self) -> Result<(), StoreError> {
        membership::follow(self).map(drop)
    }

    /// Brings the computers in memory in line with the database: those that changed, or all of them where many did.
    pub(crate) fn follow_computers(&self) -> Result<(), StoreError> {
        let _lock = self.directory.lock();
        let known = self.directory.version();
        let most = FEW.max(self.directory.len() as u64 / FULL_SHARE);
        let (now, read) = self.store.read(|tx| {
            let now = Version { directory: tx.computer_directory_version()?, feed: tx.feed_version()? };
            let read = match known {
                Some(known) if known.directory == now.directory => Computers::Same,
                Some(known) if known.feed <= now.feed && tx.feed_count(known.feed)? <= most => {
                    Computers::Changed(tx.computer_directory_since(known.feed)?)
                }
                _ => Computers::All(tx.computer_directory_of(THIS_SERVER)?),
            };
            Ok((now, read))
        })?;
        match read {
            Computers::Same => {}
            Computers::Changed(changes) => self.directory.follow(changes, THIS_SERVER),
            Computers::All(rows) => self.directory.reload(rows),
        }
        self.directory.set_version(now);
        Ok(())
    }
}

/// What was read of the computers.
enum Computers {
    Same,
    Changed(DirectoryChanges),
    All(Vec<DirectoryRow>),
}

impl Loaded {
    fn refresh(&mut self, tx: &ReadTx<'_>, hidden: &HashSet<RevisionId>) -> Result<(), StoreError> {
        let revisions = &mut self.input.revisions;
        let stored = tx.catalogue_revision_ids()?;
        if !self.hidden.is_subset(hidden) {
            let stored: HashSet<RevisionId> = stored.iter().copied().collect();
            if self.hidden.difference(hidden).any(|id| stored.contains(id)) {
                // what is there again is among older ones
                revisions.clear();
                self.last = RevisionId::default();
            }
        }
        self.hidden.clone_from(hidden);
        // the last one may be hidden, or gone
        revisions.extend(tx.catalogue_revisions(self.last)?.into_iter().map(facts));
        self.last = stored.last().copied().unwrap_or_default().max(self.last);
        if stored.len() != revisions.len() || !hidden.is_empty() {
            let stored: HashSet<RevisionId> = stored.into_iter().collect();
            revisions.retain(|facts| stored.contains(&facts.id) && !hidden.contains(&facts.id));
        }
        let targeting = tx.catalogue_targeting()?;
        let declines = targeting.declines.iter();
        let declined: HashSet<UpdateId> = declines.filter(|row| row.declined).map(|row| row.update_id).collect();
        for facts in revisions {
            facts.declined = declined.contains(&facts.identity.update_id);
        }
        let retired = targeting.retired.iter().map(|row| (row.update_id, Some(row.collection), row.changed));
        let declines = targeting.declines.iter().map(|row| (row.update_id, None, row.changed));
        self.input.retired = retired
            .chain(declines)
            .map(|(update_id, collection, changed)| Retired { update_id, collection, changed })
            .collect();
        self.input.deployments = targeting.deployments;
        self.input.collections = targeting.collections;
        self.input.change = targeting.change;

        let built_in = [CollectionId::ALL_COMPUTERS, CollectionId::UNASSIGNED_COMPUTERS];
        let named = tx.collection_list()?.into_iter().filter(|row| !built_in.contains(&row.id));
        // rules decide who is in their collections, not computers
        let named = named.filter(|row| row.kind == CollectionKind::TargetGroup);
        self.names = named.map(|row| (row.name.to_lowercase(), row.id)).collect();
        self.hours = Arc::new(Hours::read(tx)?);
        let fresh = tx.update_numbers(self.last_number)?;
        if let Some((last, _)) = fresh.last() {
            self.last_number = *last;
            let numbers = Arc::make_mut(&mut self.numbers);
            numbers.extend(fresh.into_iter().map(|(number, update)| (update, UpdateNumber(number))));
        }
        Ok(())
    }
}

fn facts(row: RevisionFactsRow) -> RevisionFacts {
    // what a revision supersedes does not change what is sent: it need not be kept in memory
    let relationships = Relationships { superseded: Vec::new(), ..row.relationships };
    RevisionFacts {
        id: row.id,
        identity: row.identity,
        update_type: row.update_type,
        category: row.category,
        explicitly_deployable: row.explicitly_deployable,
        expired: row.expired,
        declined: false,
        relationships,
        drivers: row.drivers,
        core_len: u32::try_from(row.core_len).unwrap_or(u32::MAX),
        changed: row.changed,
        changed_at: row.changed_at,
    }
}
