//! The index of what all computers reported, brought up to the state of a transaction before each answer.
//!
//! The database numbers every change of a computer; what came since the last answer is read again, usually nothing or a few rows. The
//! index is no part of what is stored: it is filled anew when a server starts.
//!
//! *Invariant:* an answer knows everything that its transaction sees. It may know more, never less.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use weir_model::{
    compliance::{Asked, Computer, Index, Members, Standing, Tally},
    ids::{CollectionId, UpdateId},
    status::{Counts, ListedStates, UpdateNumber},
};
use weir_store::{ReadTx, StoreError};

use super::{Directory, Published, publish::Inner};

/// Computers that are brought up to date under one lock: readers wait for no more than that.
const AT_ONCE: usize = 256;
/// If more than this share of the computers changed, reading all of them again is quicker.
const FULL_SHARE: u64 = 3;
/// Fewer changed computers than that are always followed one by one.
const FEW: u64 = 2_000;
/// How often changes are followed when nobody asks.
const PACE: Duration = Duration::from_secs(5);

/// See above.
#[derive(Debug, Default)]
pub(crate) struct Compliance {
    held: RwLock<Held>,
    following: Mutex<()>,
}

#[derive(Debug, Default)]
struct Held {
    index: Index,
    /// The last change of computers that is in; none before the first fill.
    version: Option<u64>,
    /// The catalogue that computers are asked about.
    published: Weak<Published>,
}

/// The index at one moment. Others can read beside it; nothing changes as long as it is held, so hold it briefly.
pub struct View<'a> {
    held: RwLockReadGuard<'a, Held>,
    published: Arc<Published>,
}

impl View<'_> {
    /// The catalogue that the computers are asked about.
    pub fn published(&self) -> &Arc<Published> {
        &self.published
    }

    /// The change of computers that it knows.
    pub fn version(&self) -> u64 {
        self.held.version.unwrap_or_default()
    }

    /// Which update a number stands for.
    pub fn update(&self, number: UpdateNumber) -> Option<UpdateId> {
        self.published.update_of(number)
    }

    /// How all computers stand.
    pub fn everybody(&self) -> Tally {
        self.held.index.everybody()
    }

    /// The computers of a server, or of all, whose collections `holds` accepts.
    pub fn members(&self, site: Option<u32>, holds: &dyn Fn(&[CollectionId]) -> bool) -> Members {
        self.held.index.members(site, holds)
    }

    /// The servers that members scan against.
    pub fn sites(&self, members: &Members) -> BTreeSet<u32> {
        self.held.index.sites(members)
    }

    /// How members stand with some updates, or with all.
    pub fn count(&self, members: &Members, only: Option<&HashSet<UpdateId>>) -> Tally {
        match only {
            None => self.held.index.count(members),
            Some(only) => self.held.index.count_only(members, &self.numbers(only)),
        }
    }

    /// Each member with its one state, of some updates or of all.
    pub fn standings(&self, members: &Members, only: Option<&HashSet<UpdateId>>) -> Vec<Standing> {
        let only = only.map(|only| self.numbers(only));
        self.held.index.standings(members, only.as_ref())
    }

    /// Each member with how many of these updates it has in each state, of those that it is asked about.
    pub fn counts_each(&self, members: &Members, only: &HashSet<UpdateId>) -> Vec<(Standing, Counts)> {
        self.held.index.counts_each(members, &self.numbers(only))
    }

    /// Each member that is asked about an update, with its state of it.
    pub fn of_update(&self, members: &Members, update: UpdateId) -> Vec<Standing> {
        let number = self.published.status_number(update);
        number.map(|number| self.held.index.of_update(members, number)).unwrap_or_default()
    }

    /// Bytes of memory that the index takes, about.
    pub fn bytes(&self) -> usize {
        self.held.index.bytes()
    }

    fn numbers(&self, updates: &HashSet<UpdateId>) -> HashSet<UpdateNumber> {
        updates.iter().filter_map(|update| self.published.status_number(*update)).collect()
    }
}

/// What computers of these collections are asked about in this catalogue.
fn asker<'a>(published: &'a Published, directory: &'a Directory) -> impl FnMut(&[CollectionId]) -> Arc<[Asked]> + 'a {
    |groups| published.asked(&directory.group_set(groups))
}

/// A status that cannot be read counts as never reported, as everywhere.
fn listed(no: u32, status: &[u8]) -> ListedStates {
    ListedStates::decode(status).unwrap_or_else(|error| {
        tracing::warn!(computer = no, %error, "a stored status cannot be read and counts as never reported");
        ListedStates::default()
    })
}

/// The collections as the index knows them: a computer without any is in Unassigned Computers.
fn placed(mut groups: Vec<CollectionId>) -> Vec<CollectionId> {
    if groups.is_empty() {
        groups.push(CollectionId::UNASSIGNED_COMPUTERS);
    }
    groups
}

impl Inner {
    /// The index with everything that this transaction sees.
    pub fn compliance(&self, tx: &ReadTx<'_>) -> Result<View<'_>, StoreError> {
        let published = self.current();
        let version = tx.feed_version()?;
        let kept = &self.compliance;
        let is_current = |held: &Held| held.version >= Some(version) && is(&held.published, &published);
        {
            let held = kept.held.read();
            if is_current(&held) {
                return Ok(View { held, published });
            }
        }
        let _one_at_a_time = kept.following.lock();
        let published = self.current();
        self.follow(tx, &published, version)?;
        Ok(View { held: kept.held.read(), published })
    }

    /// The caller holds the lock of followers.
    fn follow(&self, tx: &ReadTx<'_>, published: &Arc<Published>, version: u64) -> Result<(), StoreError> {
        let kept = &self.compliance;
        let (known, computers) = {
            let held = kept.held.read();
            (held.version, held.index.len() as u64)
        };
        let behind = match known {
            Some(known) if known >= version => 0,
            Some(known) => tx.feed_count(known)?,
            None => u64::MAX,
        };
        let Some(known) = known.filter(|_| behind <= FEW.max(computers / FULL_SHARE)) else {
            return self.fill(tx, published, version);
        };
        if !is(&kept.held.read().published, published) {
            let mut ask = asker(published, &self.directory);
            // what takes long is done before others have to wait
            let ready: HashMap<Box<[CollectionId]>, Arc<[Asked]>> =
                kept.held.read().index.sets().map(|set| (set.into(), ask(set))).collect();
            let mut held = kept.held.write();
            held.index.ask(&mut |set| ready.get(set).cloned().unwrap_or_else(|| ask(set)));
            held.published = Arc::downgrade(published);
        }
        if behind == 0 {
            return Ok(());
        }
        let mut ask = asker(published, &self.directory);
        for some in tx.feed_since(known)?.chunks(AT_ONCE) {
            let read = |no: &u32| -> Result<_, StoreError> {
                let computer = tx.feed_computer(*no)?;
                Ok((*no, computer.map(|it| (it.site, placed(it.groups), listed(*no, &it.status)))))
            };
            let changed = some.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            let mut held = kept.held.write();
            for (no, computer) in &changed {
                match computer {
                    Some((site, groups, listed)) => {
                        held.index.put(Computer { no: *no, site: *site, groups, listed }, &mut ask);
                    }
                    None => held.index.remove(*no),
                }
            }
        }
        kept.held.write().version = Some(version);
        Ok(())
    }

    /// Reads everything.
    fn fill(&self, tx: &ReadTx<'_>, published: &Arc<Published>, version: u64) -> Result<(), StoreError> {
        let started = Instant::now();
        let mut ask = asker(published, &self.directory);
        let mut index = Index::default();
        let mut rows = tx.computer_directory()?.into_iter().peekable();
        let never = ListedStates::default();
        tx.feed_status_each(&mut |no, status| {
            while let Some(row) = rows.next_if(|row| row.no <= no) {
                let reported = (row.no == no).then(|| listed(no, status));
                let listed = reported.as_ref().unwrap_or(&never);
                index.fill(Computer { no: row.no, site: row.site, groups: &placed(row.groups), listed }, &mut ask);
            }
        })?;
        for row in rows {
            let groups = placed(row.groups);
            index.fill(Computer { no: row.no, site: row.site, groups: &groups, listed: &never }, &mut ask);
        }
        index.ask(&mut ask);
        tracing::debug!(
            computers = index.len(),
            kilobytes = index.bytes() / 1_024,
            milliseconds = started.elapsed().as_millis() as u64,
            "read what all computers reported"
        );
        *self.compliance.held.write() = Held { index, version: Some(version), published: Arc::downgrade(published) };
        Ok(())
    }
}

fn is(held: &Weak<Published>, published: &Arc<Published>) -> bool {
    std::ptr::eq(held.as_ptr(), Arc::as_ptr(published))
}

/// Follows changes at a steady pace, so that no question finds many that nobody asked about before.
pub(super) async fn run(live: Weak<Inner>) {
    loop {
        let Some(inner) = live.upgrade() else { return };
        let followed = tokio::task::spawn_blocking(move || {
            let done = inner.store.read(|tx| inner.compliance(tx).map(|view| (view.version(), view.bytes())));
            if let Ok((_, bytes)) = &done {
                metrics::gauge!("weir_compliance_index_bytes").set(*bytes as f64);
            }
            done.map(drop)
        });
        match followed.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the index of compliance could not be brought up to date"),
            Err(error) => tracing::error!(%error, "bringing the index of compliance up to date failed unexpectedly"),
        }
        tokio::time::sleep(PACE).await;
    }
}
