//! Who is in the collections that rules define, always current.
//!
//! What a computer tells is looked at in the transaction that stores it ([`Membership::decide`]). What changes a computer
//! without being told by it (an administrator moves it to another group) is noted by the database and taken up by [`run`], as
//! are moments at which an age is reached. When a definition changes, [`run`] looks at every computer: it reads without
//! keeping others from writing, and writes for those alone whose collections are others, in steps that are short.
//!
//! Of several front ends one finds members; the others do the same for the computers that speak with them, and show the members of
//! before until that one has looked at all ([`follow`]).
//!
//! *Invariant:* until all computers were looked at, scans see the members that the changed collections had before; then they
//! see the new ones.

mod compiled;
mod due;
mod facts;
mod pass;
mod view;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use weir_model::ids::CollectionId;
use weir_store::{ReadTx, StoreError, WriteTx};

use crate::front::Held;

pub(crate) use compiled::definition;
pub use compiled::{Compiled, Found};
use due::Due;
pub(crate) use facts::Told;
pub(super) use pass::{follow, run};
pub use view::StatusView;

/// How far finding members is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Progress {
    /// Collections whose members are being found; empty if none are.
    pub(crate) collections: BTreeSet<CollectionId>,
    /// Computers that were looked at.
    pub(crate) done: u64,
    /// Of so many.
    pub(crate) total: u64,
}

/// What is kept in memory of members and how they are found.
pub(crate) struct Membership {
    compiled: ArcSwapOption<Compiled>,
    view: ArcSwap<StatusView>,
    due: Mutex<Due>,
    progress: Mutex<Progress>,
    /// Version of the definitions for which every computer was looked at by this process, plus one; 0 before that.
    passed: AtomicU64,
    /// These definitions.
    passed_with: ArcSwapOption<Compiled>,
    /// In whose name members are found, where there are several front ends.
    held: Mutex<Option<Held>>,
    /// The change of computers up to which moments of ages are known, of those that other front ends heard.
    fed: Mutex<Option<u64>>,
    wake: Notify,
    /// Requests to look, and how many of them were followed.
    asked: AtomicU64,
    followed: watch::Sender<u64>,
}

impl Default for Membership {
    fn default() -> Self {
        Self {
            compiled: ArcSwapOption::empty(),
            view: ArcSwap::default(),
            due: Mutex::default(),
            progress: Mutex::default(),
            passed: AtomicU64::new(0),
            passed_with: ArcSwapOption::empty(),
            held: Mutex::default(),
            fed: Mutex::default(),
            wake: Notify::new(),
            asked: AtomicU64::new(0),
            followed: watch::channel(0).0,
        }
    }
}

impl Membership {
    /// The definitions as this transaction sees them. Never to be called in one that changed definitions: what is kept for
    /// others must be committed.
    pub(crate) fn compiled(&self, tx: &ReadTx<'_>) -> Result<Arc<Compiled>, StoreError> {
        let (version, _) = tx.membership_version()?;
        if let Some(known) = self.compiled.load_full().filter(|known| known.version == version) {
            return Ok(known);
        }
        let fresh = Arc::new(Compiled::read(tx)?);
        self.compiled.store(Some(Arc::clone(&fresh)));
        Ok(fresh)
    }

    /// What reported states are read with.
    pub(crate) fn view(&self) -> Arc<StatusView> {
        self.view.load_full()
    }

    /// Finds the collections of one computer anew and stores them. True if they are others than before.
    pub(crate) fn decide(
        &self,
        tx: &WriteTx<'_>,
        compiled: &Compiled,
        computer: u32,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(row) = tx.membership_of(computer, compiled.depends.status)? else {
            // it scans elsewhere, or is gone
            tx.membership_todo_done(computer)?;
            self.due.lock().set(computer, None);
            return Ok(false);
        };
        let found = compiled.evaluate(&row, &self.view(), now);
        self.note(computer, &found);
        tx.computer_decide(computer, &row.decided, &found.members)
    }

    fn last_passed(&self) -> Option<Arc<Compiled>> {
        self.passed_with.load_full()
    }

    fn set_passed(&self, compiled: Arc<Compiled>) {
        self.passed.store(compiled.version + 1, Ordering::SeqCst);
        self.passed_with.store(Some(compiled));
    }

    /// Members are found in this name from now on. With another one than before, everybody is looked at anew: what is to come of
    /// computers that other front ends heard is not known here.
    fn begin(&self, held: Option<Held>) {
        let before = std::mem::replace(&mut *self.held.lock(), held);
        if before != held {
            self.passed.store(0, Ordering::SeqCst);
            *self.fed.lock() = None;
        }
    }

    /// The transaction fails if another front end finds members by now.
    fn keep(&self, tx: &WriteTx<'_>) -> Result<(), StoreError> {
        let held = *self.held.lock();
        held.map_or(Ok(()), |held| held.keep(tx))
    }

    fn note(&self, computer: u32, found: &Found) {
        self.due.lock().set(computer, found.next);
    }

    /// Has members found where something changed.
    pub(crate) fn nudge(&self) {
        self.wake.notify_one();
    }

    /// The same, and waits until that is done, though no longer than this. True if it is.
    pub(crate) async fn settle(&self, patience: Duration) -> bool {
        let mut followed = self.followed.subscribe();
        let ticket = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        self.wake.notify_one();
        let waited = tokio::time::timeout(patience, followed.wait_for(|done| *done >= ticket)).await;
        matches!(waited, Ok(Ok(_)))
    }

    /// How far finding members is.
    pub(crate) fn progress(&self) -> Progress {
        self.progress.lock().clone()
    }

    /// How far finding the members of a collection is, in computers; none if they are found. `version` is that of the
    /// definitions.
    pub(crate) fn evaluating(&self, id: CollectionId, version: u64) -> Option<(u64, u64)> {
        let progress = self.progress.lock();
        if progress.collections.contains(&id) {
            return Some((progress.done, progress.total));
        }
        // it was changed a moment ago, and nobody has looked yet
        let passed = self.passed.load(Ordering::SeqCst);
        (progress.collections.is_empty() && passed != version + 1).then_some((0, 0))
    }
}
