//! What the tree of sites keeps in memory: who is connected, and that something changed.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::watch;
use uuid::Uuid;
use weir_model::ids::ChangeNumber;
use weir_store::{ReadTx, StoreError};

use super::{drift::Drift, feed};
use crate::{
    client::limit::AddressLimit,
    intent::{self, Digests},
    start::Pin,
};

/// A child that asked for nothing for so long counts as not connected.
const SILENT: Duration = Duration::from_secs(15);
/// A process that has said nothing for so long has ended; one that runs asks for news three times as often.
const GONE: Duration = Duration::from_secs(90);
/// Instances of one identity that are remembered.
const MOST_INSTANCES: usize = 8;

/// One per process.
#[derive(Debug)]
pub(crate) struct Hub {
    /// Moves with everything that children or the parent may want to hear of.
    changed: watch::Sender<u64>,
    /// Moves with every status that is news to the parent.
    status: watch::Sender<u64>,
    children: Mutex<BTreeMap<Uuid, Child>>,
    /// The version of the parent's catalogue that this server was told of, and the one that the run under way began with.
    offered: AtomicU64,
    begun: AtomicU64,
    /// Who speaks with the parent, among those with the same identity: this process, since it began to.
    instance: Mutex<Uuid>,
    /// What those who enrol here recognise this server by.
    pin: Mutex<Option<Pin>>,
    /// Why the parent cannot be reached now.
    trouble: Mutex<Option<String>>,
    /// When the parent answered last.
    answered: Mutex<Option<Timestamp>>,
    /// Whether what is here is what the parent decided.
    drift: Mutex<Drift>,
    /// What this server tells of its own decisions, and as of which change.
    digests: Mutex<Option<(ChangeNumber, Digests)>>,
    /// Attempts to enrol, by address.
    pub(super) attempts: AddressLimit,
}

#[derive(Debug)]
struct Child {
    waiting: u32,
    heard: Instant,
    /// Processes that spoke for it and when, the last that began at the end.
    instances: Vec<(Uuid, Instant)>,
    /// The version whose turn it has, and when the turn began.
    turn: Option<(u64, Instant)>,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            changed: watch::Sender::new(0),
            status: watch::Sender::new(0),
            children: Mutex::default(),
            offered: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            instance: Mutex::new(Uuid::new_v4()),
            pin: Mutex::default(),
            trouble: Mutex::default(),
            answered: Mutex::default(),
            drift: Mutex::default(),
            digests: Mutex::default(),
            attempts: AddressLimit::default(),
        }
    }
}

/// Whether one process speaks for a site.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Voice {
    /// As far as can be seen.
    One,
    /// One again: the other has been silent for a while.
    OneAgain,
    /// Another began later and speaks, too.
    Twins,
}

impl Hub {
    /// Something was written that others may have to hear of. Cheap: whoever listens looks for himself.
    pub(crate) fn nudge(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// What those who enrol here recognise this server by; none while it starts.
    pub(crate) fn pin(&self) -> Option<Pin> {
        self.pin.lock().clone()
    }

    /// Says what those who enrol from now on recognise this server by.
    pub(crate) fn set_pin(&self, pin: Pin) {
        *self.pin.lock() = Some(pin);
    }

    /// Who speaks with the parent, among those with the same identity.
    pub(super) fn instance(&self) -> Uuid {
        *self.instance.lock()
    }

    /// This process begins to speak with the parent. Another front end may have done so in between: that was no copy of this one.
    pub(super) fn begin_to_speak(&self) {
        *self.instance.lock() = Uuid::new_v4();
    }

    /// Tells of [`Hub::nudge`].
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The status of this server, or of one below it, is another.
    pub(crate) fn status_changed(&self) {
        self.status.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(super) fn status_changes(&self) -> watch::Receiver<u64> {
        self.status.subscribe()
    }

    /// A child holds a connection open until the guard is dropped.
    pub(super) fn wait(&self, site: Uuid) -> Waiting<'_> {
        self.child(site, |child| child.waiting += 1);
        self.status_changed();
        Waiting { hub: self, site }
    }

    /// A child asked for something.
    pub(super) fn heard(&self, site: Uuid) {
        self.child(site, |child| child.heard = Instant::now());
    }

    /// A process of a child says who it is. A restart brings another process, and the one before is silent from then on;
    /// when it speaks again, both run.
    pub(super) fn spoke(&self, site: Uuid, instance: Uuid, now: Instant) -> Voice {
        self.child(site, |child| {
            let Some(index) = child.instances.iter().position(|(known, _)| *known == instance) else {
                child.instances.push((instance, now));
                if child.instances.len() > MOST_INSTANCES {
                    child.instances.remove(0);
                }
                return Voice::One;
            };
            let later = child.instances.iter().skip(index + 1);
            if later.clone().any(|(_, at)| now.saturating_duration_since(*at) < GONE) {
                return Voice::Twins;
            }
            let again = later.count() > 0;
            child.instances.remove(index);
            child.instances.push((instance, now));
            if again { Voice::OneAgain } else { Voice::One }
        })
    }

    /// Forgets what is known of a child: it was removed, or another server took its place.
    pub(super) fn forget(&self, site: Uuid) {
        self.children.lock().remove(&site);
        self.nudge();
        self.status_changed();
    }

    /// Whether a child is there.
    pub(super) fn is_connected(&self, site: Uuid) -> bool {
        let children = self.children.lock();
        children.get(&site).is_some_and(|child| child.waiting > 0 || child.heard.elapsed() < SILENT)
    }

    /// Since when a child has had its turn with a version.
    pub(super) fn turn(&self, site: Uuid, version: u64) -> Option<Instant> {
        let children = self.children.lock();
        children.get(&site)?.turn.filter(|(of, _)| *of == version).map(|(_, since)| since)
    }

    /// A child gets its turn.
    pub(super) fn give_turn(&self, site: Uuid, version: u64) {
        self.child(site, |child| {
            if child.turn.is_none_or(|(of, _)| of != version) {
                child.turn = Some((version, Instant::now()));
            }
        });
    }

    fn child<T>(&self, site: Uuid, work: impl FnOnce(&mut Child) -> T) -> T {
        let mut children = self.children.lock();
        let new = || Child { waiting: 0, heard: Instant::now(), instances: Vec::new(), turn: None };
        work(children.entry(site).or_insert_with(new))
    }

    /// The version that the parent offered last.
    pub(super) fn offered(&self) -> u64 {
        self.offered.load(Ordering::Acquire)
    }

    pub(super) fn offer(&self, version: u64) {
        self.offered.store(version, Ordering::Release);
    }

    /// A run begins: it brings what is offered now, at least.
    pub(super) fn begin(&self) {
        self.begun.store(self.offered(), Ordering::Release);
    }

    /// The version that the run under way, or the last one, brings.
    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Acquire)
    }

    /// Why the parent cannot be reached now.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.lock().clone()
    }

    /// When the parent answered this process last.
    pub(super) fn answered(&self) -> Option<Timestamp> {
        *self.answered.lock()
    }

    /// The parent answered; none forgets it.
    pub(super) fn set_answered(&self, at: Option<Timestamp>) {
        *self.answered.lock() = at;
    }

    pub(super) fn drift(&self) -> Drift {
        self.drift.lock().clone()
    }

    /// True if it is news in which kinds this server differs.
    pub(super) fn set_drift(&self, drift: Drift) -> bool {
        let mut held = self.drift.lock();
        let news = held.kinds != drift.kinds;
        *held = drift;
        news
    }

    /// The digests of this server's decisions: children ask for them far more often than they change.
    pub(super) fn digests(&self, tx: &ReadTx<'_>) -> Result<Digests, StoreError> {
        let change = tx.catalogue_version()?;
        if let Some((_, digests)) = self.digests.lock().as_ref().filter(|(known, _)| *known == change) {
            return Ok(digests.clone());
        }
        let digests = intent::digests(tx, &feed::KINDS, None)?;
        *self.digests.lock() = Some((change, digests.clone()));
        Ok(digests)
    }

    /// True if that is news.
    pub(super) fn set_trouble(&self, trouble: Option<String>) -> bool {
        let mut held = self.trouble.lock();
        let news = *held != trouble;
        *held = trouble;
        news
    }
}

/// A child that waits for news.
#[derive(Debug)]
pub(super) struct Waiting<'h> {
    hub: &'h Hub,
    site: Uuid,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        // a child that was forgotten meanwhile is not made known again
        if let Some(child) = self.hub.children.lock().get_mut(&self.site) {
            child.waiting = child.waiting.saturating_sub(1);
            child.heard = Instant::now();
        }
        self.hub.status_changed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    #[test]
    fn a_restart_is_no_twin_and_a_copy_is() {
        let hub = Hub::default();
        let begin = Instant::now();
        let spoke = |site, instance, seconds| hub.spoke(id(site), id(instance), begin + Duration::from_secs(seconds));
        assert_eq!(spoke(1, 10, 0), Voice::One);
        assert_eq!(spoke(1, 10, 1), Voice::One);
        assert_eq!(spoke(1, 11, 2), Voice::One, "it restarted");
        assert_eq!(spoke(2, 10, 2), Voice::One, "another site");
        assert_eq!(spoke(1, 10, 3), Voice::Twins, "the first one still runs");
        assert_eq!(spoke(1, 11, 4), Voice::One);
        assert_eq!(spoke(1, 10, 60), Voice::Twins);
        assert_eq!(spoke(1, 10, 100), Voice::OneAgain, "the copy was stopped");
        assert_eq!(spoke(1, 10, 101), Voice::One);
    }

    #[test]
    fn a_child_is_there_while_it_waits() {
        let hub = Hub::default();
        assert!(!hub.is_connected(id(1)));
        let first = hub.wait(id(1));
        let second = hub.wait(id(1));
        drop(first);
        assert!(hub.is_connected(id(1)));
        hub.forget(id(1));
        assert!(!hub.is_connected(id(1)));
        drop(second);
        assert!(!hub.is_connected(id(1)), "the end of a forgotten child's request makes it known again");
    }

    #[test]
    fn changes_reach_those_who_listen() {
        let hub = Hub::default();
        let mut changes = hub.changes();
        assert!(!changes.has_changed().expect("lives"));
        hub.nudge();
        assert!(changes.has_changed().expect("lives"));
        changes.mark_unchanged();
        assert!(!changes.has_changed().expect("lives"));
    }
}
