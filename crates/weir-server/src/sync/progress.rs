//! How far a run of synchronization is, and its cancellation. In memory; whoever runs it keeps what it needs.

use std::{sync::Arc, time::Instant};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// What a run is doing, in the order of a run.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Getting the cookies of the upstream server.
    #[default]
    Authorise,
    /// Reading its configuration.
    Configuration,
    /// Fetching categories, classifications and detectoids.
    Categories,
    /// Fetching updates.
    Updates,
    /// Fetching members of bundles that were not listed.
    Closure,
    /// Making what was fetched part of the catalogue.
    Store,
    /// Mirroring groups, deployments and declines of the parent (replicas only).
    Deployments,
    /// Applying criteria to the catalogue.
    Criteria,
    /// Bringing the catalogue to computers.
    Publish,
    /// Telling the server above about computers and status.
    RollUp,
    /// Telling the servers below.
    Announce,
}

impl Phase {
    /// The stable name, as in the JSON form.
    pub fn name(self) -> &'static str {
        match self {
            Self::Authorise => "authorise",
            Self::Configuration => "configuration",
            Self::Categories => "categories",
            Self::Updates => "updates",
            Self::Closure => "closure",
            Self::Store => "store",
            Self::Deployments => "deployments",
            Self::Criteria => "criteria",
            Self::Publish => "publish",
            Self::RollUp => "roll_up",
            Self::Announce => "announce",
        }
    }
}

/// How far a run is at one moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Position {
    /// What it is doing.
    pub phase: Phase,
    /// When that began.
    pub since: Instant,
    /// Items of the phase that are done: revisions, in the phase `deployments` rows.
    pub done: u64,
    /// Items of the phase, as far as known; 0 while unknown.
    pub total: u64,
    /// Bytes received in the whole run, as they came over the wire.
    pub bytes: u64,
}

/// The run was cancelled.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the synchronization was cancelled")]
pub struct Cancelled;

/// The progress of one run. Clones share it.
#[derive(Clone, Debug)]
pub struct Progress {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    position: Mutex<Position>,
    moved: watch::Sender<u64>,
    cancelled: watch::Sender<bool>,
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress {
    /// At the beginning, not cancelled.
    pub fn new() -> Self {
        let position = Position { phase: Phase::Authorise, since: Instant::now(), done: 0, total: 0, bytes: 0 };
        let inner = Inner {
            position: Mutex::new(position),
            moved: watch::Sender::new(0),
            cancelled: watch::Sender::new(false),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Where the run is now.
    pub fn position(&self) -> Position {
        *self.inner.position.lock()
    }

    /// Tells of every change of the position; changes between two looks count as one.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.inner.moved.subscribe()
    }

    /// Begins a phase of `total` items (0: not known yet).
    pub fn begin(&self, phase: Phase, total: u64) {
        self.change(|position| {
            *position = Position { phase, since: Instant::now(), done: 0, total, bytes: position.bytes };
        });
    }

    /// More items of this phase became known.
    pub fn expect(&self, more: u64) {
        self.change(|position| position.total += more);
    }

    /// Items of this phase are done.
    pub fn advance(&self, items: u64) {
        self.change(|position| position.done += items);
    }

    /// Bytes came over the wire.
    pub fn received(&self, bytes: u64) {
        self.change(|position| position.bytes += bytes);
    }

    /// Asks the run to end. It ends between two calls, with [`Cancelled`]; what it has fetched is kept for the next run.
    pub fn cancel(&self) {
        self.inner.cancelled.send_replace(true);
    }

    /// Whether the run was asked to end.
    pub fn is_cancelled(&self) -> bool {
        *self.inner.cancelled.borrow()
    }

    /// An error once the run was asked to end.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }

    /// Waits until the run is asked to end.
    pub async fn cancelled(&self) {
        let mut cancelled = self.inner.cancelled.subscribe();
        // an error means that nobody is left who could cancel, and we are one of them
        let _ = cancelled.wait_for(|cancelled| *cancelled).await;
    }

    fn change(&self, change: impl FnOnce(&mut Position)) {
        change(&mut self.inner.position.lock());
        self.inner.moved.send_modify(|count| *count = count.wrapping_add(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_add_up_and_a_phase_begins_anew() {
        let progress = Progress::new();
        let mut watch = progress.watch();
        progress.begin(Phase::Categories, 10);
        progress.expect(5);
        progress.advance(3);
        progress.received(100);
        let position = progress.position();
        assert_eq!((position.phase, position.done, position.total, position.bytes), (Phase::Categories, 3, 15, 100));
        assert!(watch.has_changed().expect("sender lives"));
        watch.mark_unchanged();
        progress.begin(Phase::Updates, 0);
        let position = progress.position();
        assert_eq!((position.done, position.total, position.bytes), (0, 0, 100));
        assert!(watch.has_changed().expect("sender lives"));
    }

    #[tokio::test]
    async fn cancelling_wakes_those_who_wait_and_stays() {
        let progress = Progress::new();
        assert_eq!(progress.check(), Ok(()));
        let waiting = tokio::spawn({
            let progress = progress.clone();
            async move { progress.cancelled().await }
        });
        progress.cancel();
        waiting.await.expect("woken");
        assert_eq!(progress.check(), Err(Cancelled));
        progress.cancelled().await;
    }
}
