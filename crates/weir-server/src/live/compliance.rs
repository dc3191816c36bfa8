//! The index of what all computers reported, brought up to the state of a transaction before each answer.
//!
//! The database numbers every change of a computer; what came since the last answer is read again, usually nothing or a few rows. The
//! index is no part of what is stored: it is filled anew when a server starts.
//!
//! *Invariant:* an answer knows everything that its transaction sees. It may know more, never less.

mod fill;
mod sheets;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use weir_model::{
    compliance::{
        Answers, Asked, Computer, Index, Listed, Members, Placed, Seen, SetCounts, Sheet, Slots, Standing, Sum, Tally,
    },
    ids::{CollectionId, UpdateId},
    status::{Counts, ListedStates, State, UpdateNumber},
};
use weir_store::{ReadTx, StoreError};

use self::sheets::{Key, Sheets};
use super::{Directory, Published, publish::Inner};

/// Computers that are brought up to date under one lock: readers wait for no more than that.
const AT_ONCE: usize = 256;
/// If more than this share of the computers changed, reading all of them again is quicker.
const FULL_SHARE: u64 = 3;
/// Fewer changed computers than that are always followed one by one.
const FEW: u64 = 2_000;
/// How often changes are followed when nobody asks.
const PACE: Duration = Duration::from_secs(5);
/// Sheets that are brought up to date in one go: the index waits with changes for no longer than that.
const SHEETS_AT_ONCE: usize = 16;

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
    /// What is asked again and again.
    sheets: Sheets,
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
            Some(only) => self.held.index.count_only(members, &self.numbered(only)),
        }
    }

    /// The answers for every computer to these questions, in their order: about some updates, or about all that each is asked about.
    /// What was asked before is kept, and follows what changed since; all that is new is counted in one pass.
    pub fn sheets(&self, questions: &[Option<&HashSet<UpdateId>>]) -> Vec<Arc<Sheet>> {
        let key = |only: Option<&HashSet<UpdateId>>| -> Key {
            let mut only: Vec<UpdateNumber> = self.numbered(only?).into_iter().collect();
            only.sort_unstable();
            Some(only.into())
        };
        self.held.sheets.of(&self.held.index, &questions.iter().copied().map(key).collect::<Vec<_>>())
    }

    /// How many members are in which one state, by a sheet of this view.
    pub fn add_up(&self, sheet: &Sheet, members: &Members) -> Sum {
        self.held.index.add_up(sheet, members)
    }

    /// Where some computers are kept, of those that are here: for sums over them by several sheets.
    pub fn slots(&self, computers: impl IntoIterator<Item = u32>) -> Slots {
        self.held.index.slots(computers)
    }

    /// The same as [`View::add_up`] of these computers, of those that are members.
    pub fn add_up_of(&self, sheet: &Sheet, members: &Members, computers: &Slots) -> Sum {
        self.held.index.add_up_of(sheet, members, computers)
    }

    /// Each member with its one state, of some updates or of all, in no order.
    pub fn standings(&self, members: &Members, only: Option<&HashSet<UpdateId>>) -> Vec<Standing> {
        self.standings_by_set(members, only).into_iter().map(|(standing, _)| standing).collect()
    }

    /// The same, each with the number of its set of collections, as long as this view is held.
    pub fn standings_by_set(&self, members: &Members, only: Option<&HashSet<UpdateId>>) -> Vec<(Standing, u32)> {
        let sheets = self.sheets(&[only]);
        sheets.first().map(|sheet| self.held.index.standings_of(sheet, members)).unwrap_or_default()
    }

    /// The collections of a set, by its number.
    pub fn collections(&self, set: u32) -> &[CollectionId] {
        self.held.index.collections(set).map(|all| &**all).unwrap_or_default()
    }

    /// How some computers stand, of those that are members, with some updates or with all.
    pub fn count_of(
        &self,
        members: &Members,
        only: Option<&HashSet<UpdateId>>,
        computers: impl IntoIterator<Item = u32>,
    ) -> Tally {
        let only = only.map(|only| self.numbered(only));
        self.held.index.count_of(members, only.as_ref(), computers)
    }

    /// Hands each member to `tell`, in no order, with what it says of some updates or of all. Nothing is to be read meanwhile.
    pub fn survey(&self, members: &Members, only: Option<&HashSet<UpdateId>>, tell: &mut dyn FnMut(&Seen<'_>)) {
        let only = only.map(|only| self.numbered(only));
        self.held.index.survey(members, only.as_ref(), tell);
    }

    /// The sets of collections that computers have, with how many computers have each.
    pub fn sizes(&self) -> Vec<(Box<[CollectionId]>, u64)> {
        self.held.index.sizes().map(|(set, computers)| (set.into(), computers)).collect()
    }

    /// The same by their one state only, which is much cheaper.
    pub fn states_in(
        &self,
        members: &Members,
        only: Option<&HashSet<UpdateId>>,
        computers: impl IntoIterator<Item = u32>,
    ) -> Counts {
        let only = only.map(|only| self.numbered(only));
        self.held.index.states_in(members, only.as_ref(), computers)
    }

    /// Tells of some computers, of those that are members, the state of each of these updates that they are asked about.
    pub fn states_of(
        &self,
        members: &Members,
        only: &HashSet<UpdateId>,
        computers: impl IntoIterator<Item = u32>,
        tell: impl FnMut(Standing, &[(UpdateNumber, State)]),
    ) {
        self.held.index.states_of(members, &self.numbered(only), computers, tell);
    }

    /// Each member with its state of an update: unknown if it is not asked about it. All are unknown if nobody was ever asked about it.
    pub fn of_update(&self, members: &Members, update: UpdateId) -> Vec<Standing> {
        self.held.index.of_update(members, self.number(update))
    }

    /// How all computers stand, by their collections and servers, with some updates or with all: one pass for many questions. Of one
    /// update, by their state of it.
    pub fn by_set(&self, only: Option<&[UpdateId]>) -> Vec<SetCounts> {
        match only {
            None => self.held.index.by_set(None),
            Some([one]) => self.held.index.by_set_of_update(self.number(*one)),
            Some(some) => self.held.index.by_set(Some(&self.numbered(&some.iter().copied().collect()))),
        }
    }

    /// The members with an update in the state failed or with the error of an earlier failure, in no order: those whose stored status
    /// has something to say of failures.
    pub fn failing(&self, members: &Members) -> Vec<Placed> {
        self.held.index.failing(members)
    }

    /// Those of these computers that are members, in their order.
    pub fn members_of(&self, members: &Members, computers: &[u32]) -> Vec<Placed> {
        self.held.index.members_of(members, computers)
    }

    /// The row numbers of members, ascending.
    pub fn numbers(&self, members: &Members) -> Vec<u32> {
        self.held.index.numbers(members)
    }

    /// Members with their collections, ascending by number; one without any is in Unassigned Computers.
    pub fn placed_all(&self, members: &Members) -> Vec<Placed> {
        self.held.index.placed_all(members)
    }

    /// Hands those of these computers that are members to `tell`, in their order, with what each says of all that it is asked about.
    /// Nothing is to be read meanwhile.
    pub fn seen_of(
        &self,
        members: &Members,
        computers: impl IntoIterator<Item = u32>,
        tell: &mut dyn FnMut(&Seen<'_>),
    ) {
        self.held.index.seen_of(members, computers, tell);
    }

    /// Hands what these computers listed of the updates to `tell`, in their order, whatever they are asked about; those that are not
    /// here are left out. Nothing is to be read meanwhile.
    pub fn listed(
        &self,
        computers: &[u32],
        updates: impl IntoIterator<Item = UpdateNumber>,
        tell: &mut dyn FnMut(&Listed<'_>),
    ) {
        self.held.index.listed(computers, updates, tell);
    }

    /// What every computer says of these updates, which are ascending and each named once. Takes a microsecond or so a computer: what
    /// changed since is asked with [`View::answers_of`].
    pub fn answers(&self, updates: &[UpdateNumber]) -> Answers {
        self.held.index.answers(&self.held.index.members(None, &|_| true), updates)
    }

    /// The same of some computers, those that are here.
    pub fn answers_of(&self, computers: &[u32], updates: &[UpdateNumber]) -> Answers {
        self.held.index.answers_of(computers, updates)
    }

    /// Bytes of memory that the index takes, about, with what is kept beside it.
    pub fn bytes(&self) -> usize {
        self.held.index.bytes() + self.held.sheets.bytes()
    }

    /// The number of an update; one that no update has if it has none.
    fn number(&self, update: UpdateId) -> UpdateNumber {
        self.published.status_number(update).unwrap_or(UpdateNumber(u32::MAX))
    }

    fn numbered(&self, updates: &HashSet<UpdateId>) -> HashSet<UpdateNumber> {
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

    /// What is known of computers may be about some that are gone: all of it is read again.
    pub(crate) fn distrust_computers(&self) {
        self.directory.distrust();
        self.compliance.held.write().version = None;
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
            let mut there = tx.feed_computers(some)?;
            let as_it_is = |no: &u32| {
                let computer = there.remove(no);
                (*no, computer.map(|it| (it.site, placed(it.groups), listed(*no, &it.status))))
            };
            let changed: Vec<_> = some.iter().map(as_it_is).collect();
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
        let index = fill::filled(tx, asker(published, &self.directory))?;
        tracing::debug!(
            computers = index.len(),
            kilobytes = index.bytes() / 1_024,
            milliseconds = started.elapsed().as_millis() as u64,
            "read what all computers reported"
        );
        let mut held = self.compliance.held.write();
        let sheets = held.sheets.again();
        *held = Held { index, version: Some(version), published: Arc::downgrade(published), sheets };
        Ok(())
    }

    /// Brings what is asked again and again up to date, so that no question finds much to count.
    fn renew_sheets(&self) -> Result<(), StoreError> {
        let asked = self.compliance.held.read().sheets.asked();
        for some in asked.chunks(SHEETS_AT_ONCE) {
            self.store.read(|tx| {
                let view = self.compliance(tx)?;
                view.held.sheets.renew(&view.held.index, some);
                Ok(())
            })?;
        }
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
            done.map(drop).and_then(|()| inner.renew_sheets()).and_then(|()| inner.renew_heard())
        });
        match followed.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "what is kept of computers could not be brought up to date"),
            Err(error) => tracing::error!(%error, "bringing the index of compliance up to date failed unexpectedly"),
        }
        tokio::time::sleep(PACE).await;
    }
}
