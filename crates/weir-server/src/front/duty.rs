//! Duties: work that one front end does at a time.
//!
//! Who has one is a row of the database ([`weir_store::front_end`]), prolonged by whoever keeps [`super::presence`]. Work runs inside
//! [`Duties::hold`]: from when this front end has the duty until another has it, or until this one can no longer be sure. Everything
//! that is written meanwhile through [`crate::admin::App::write`] and [`crate::state::AppState::write`] looks in its own transaction
//! whether the duty is still held; what writes in another way calls [`keep`] in its transaction. Tasks of their own are made with
//! [`carry`], threads with [`carry_blocking`].

use std::{
    collections::BTreeMap,
    future::Future,
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use parking_lot::Mutex;
use tokio::sync::watch;
use uuid::Uuid;
use weir_store::{StoreError, WriteTx};

/// A front end of which nothing was heard for so long has no duties any more.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_secs(15);
/// How often it says that it is there.
pub(crate) const BEAT: Duration = Duration::from_secs(3);
/// Work stops if nothing could be said for so long: well before another front end takes it over.
const SURE: Duration = Duration::from_secs(10);

tokio::task_local! {
    static HELD: Held;
}

/// Something that one front end does at a time.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Duty {
    /// Makes backups.
    Backup,
    /// Cleans the catalogue up.
    Cleanup,
    /// Fetches, verifies and collects content files.
    Content,
    /// Takes the record of each day.
    History,
    /// Finds the members of collections.
    Membership,
    /// Tells of alerts.
    Notification,
    /// Moves phased deployments on.
    Phases,
    /// Makes scheduled reports.
    Reports,
    /// Deletes what is kept for a while.
    Retention,
    /// Retires computers.
    Retirement,
    /// Runs automatic deployment rules.
    Rules,
    /// Synchronizes, tells the server above, and speaks with the parent site.
    Synchronization,
    /// Looks at conditions of the whole site, for alerts.
    Watch,
    /// Looks for deployments that no window can hold.
    Windows,
}

impl Duty {
    /// All of them.
    pub(crate) const ALL: [Self; 14] = [
        Self::Backup,
        Self::Cleanup,
        Self::Content,
        Self::History,
        Self::Membership,
        Self::Notification,
        Self::Phases,
        Self::Reports,
        Self::Retention,
        Self::Retirement,
        Self::Rules,
        Self::Synchronization,
        Self::Watch,
        Self::Windows,
    ];

    /// Its name in the database.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Cleanup => "cleanup",
            Self::Content => "content",
            Self::History => "history",
            Self::Membership => "membership",
            Self::Notification => "notification",
            Self::Phases => "phases",
            Self::Reports => "reports",
            Self::Retention => "retention",
            Self::Retirement => "retirement",
            Self::Rules => "rules",
            Self::Synchronization => "synchronization",
            Self::Watch => "watch",
            Self::Windows => "windows",
        }
    }
}

/// A duty in whose name something is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Held {
    duty: Duty,
    front: Uuid,
    term: u64,
}

impl Held {
    /// Fails if another front end has the duty by now. If not, nobody takes it over before this transaction is complete.
    pub(crate) fn keep(&self, tx: &WriteTx<'_>) -> Result<(), StoreError> {
        let name = self.duty.name();
        if tx.duty_keep(name, self.front, self.term)? { Ok(()) } else { Err(StoreError::DutyLost(name)) }
    }
}

/// The duty in whose name this task works; none for what anybody may do, and where a server is alone.
pub(crate) fn held() -> Option<Held> {
    HELD.try_with(|held| *held).ok()
}

/// The same work in the name of the same duty, for a task of its own.
pub(crate) fn carry<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let held = held();
    async move {
        match held {
            Some(held) => HELD.scope(held, work).await,
            None => work.await,
        }
    }
}

/// The same for a thread.
pub(crate) fn carry_blocking<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let held = held();
    move || match held {
        Some(held) => HELD.sync_scope(held, work),
        None => work(),
    }
}

/// Fails if this is done in the name of a duty that another front end has by now. If not, nobody takes it over before this
/// transaction is complete.
pub(crate) fn keep(tx: &WriteTx<'_>) -> Result<(), StoreError> {
    held().map_or(Ok(()), |held| held.keep(tx))
}

/// What this front end has.
#[derive(Debug)]
pub(crate) struct Duties {
    /// This process, among the front ends of its database.
    id: Uuid,
    /// Nobody else writes the database.
    alone: bool,
    mine: Mutex<BTreeMap<Duty, u64>>,
    /// Moves when a duty comes or goes.
    changed: watch::Sender<u64>,
    /// Since when nothing was heard of the database; the row was told anew at this moment.
    told: Mutex<Option<Instant>>,
    /// Front ends that are there, this one among them.
    front_ends: watch::Sender<usize>,
}

impl Duties {
    /// None yet; all of them for one that is alone.
    pub(crate) fn new(alone: bool) -> Self {
        Self {
            id: Uuid::new_v4(),
            alone,
            mine: Mutex::default(),
            changed: watch::Sender::new(0),
            told: Mutex::default(),
            front_ends: watch::Sender::new(1),
        }
    }

    /// This process, among the front ends of its database.
    pub(crate) fn id(&self) -> Uuid {
        self.id
    }

    /// Whether nobody else writes the database.
    pub(crate) fn is_alone(&self) -> bool {
        self.alone
    }

    /// How many front ends there are.
    pub(crate) fn front_ends(&self) -> usize {
        *self.front_ends.borrow()
    }

    /// Says how many front ends there are.
    pub(super) fn set_front_ends(&self, count: usize) {
        self.front_ends.send_if_modified(|known| std::mem::replace(known, count) != count);
    }

    /// What somebody works on in the database is named by this and something of its own.
    pub(crate) fn owner(&self) -> String {
        format!("{}/{}", self.id, Uuid::new_v4())
    }

    /// Whether this front end has a duty now.
    pub(crate) fn has(&self, duty: Duty) -> bool {
        self.alone || self.term(duty).is_some()
    }

    /// The duty, for whoever does not run inside [`Duties::hold`]; none where it is not had, or where a server is alone.
    pub(crate) fn mine(&self, duty: Duty) -> Option<Held> {
        self.term(duty).map(|term| Held { duty, front: self.id, term })
    }

    /// Tells that duties came or went.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Whether the database heard lately that this front end is there: without that it has nothing.
    pub(super) fn is_sure(&self) -> bool {
        is_sure(*self.told.lock())
    }

    fn term(&self, duty: Duty) -> Option<u64> {
        if self.is_sure() { self.mine.lock().get(&duty).copied() } else { None }
    }

    /// What this front end does not have.
    pub(super) fn missing(&self) -> Vec<Duty> {
        let mine = self.mine.lock();
        Duty::ALL.into_iter().filter(|duty| !mine.contains_key(duty)).collect()
    }

    /// The row was told anew at `told`, and since then these duties are had.
    pub(super) fn told(&self, told: Instant, mine: BTreeMap<Duty, u64>) {
        // whoever gave work up in doubt hears that the doubt is over, also if all is had as before
        let before = self.told.lock().replace(told);
        let mut known = self.mine.lock();
        let news = !is_sure(before) || *known != mine;
        *known = mine;
        drop(known);
        if news {
            self.tell();
        }
    }

    /// Nothing is had any more.
    pub(super) fn forget(&self) {
        *self.told.lock() = None;
        self.mine.lock().clear();
        self.tell();
    }

    /// What could not be told for so long is not had any more.
    pub(super) fn doubt(&self) {
        if self.told.lock().is_some_and(|told| told.elapsed() >= SURE) {
            self.forget();
        }
    }

    fn tell(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Runs `work` whenever this front end has the duty, and drops it when it has it no more. Work ends by itself only if there is
    /// nothing to do any more.
    pub(crate) async fn hold<W, F>(&self, duty: Duty, work: W)
    where
        W: Fn() -> F + Send,
        F: Future<Output = ()> + Send,
    {
        if self.alone {
            return work().await;
        }
        let mut changed = self.changed.subscribe();
        loop {
            let term = loop {
                changed.mark_unchanged();
                if let Some(term) = self.term(duty) {
                    break term;
                }
                if changed.changed().await.is_err() {
                    return;
                }
            };
            tracing::debug!(duty = duty.name(), term, "this front end has it now");
            let held = Held { duty, front: self.id, term };
            tokio::select! {
                () = HELD.scope(held, work()) => return,
                () = self.lost(duty, term) => tracing::info!(duty = duty.name(), "another front end does it now, or will"),
            }
        }
    }

    /// Ready when this front end does not have the duty any more, or not without a break.
    async fn lost(&self, duty: Duty, term: u64) {
        let mut changed = self.changed.subscribe();
        loop {
            changed.mark_unchanged();
            if self.term(duty) != Some(term) {
                return;
            }
            tokio::select! {
                gone = changed.changed() => if gone.is_err() {
                    return;
                },
                // what cannot be told any more is doubted even if nobody says so
                () = tokio::time::sleep(BEAT) => {}
            }
        }
    }
}

fn is_sure(told: Option<Instant>) -> bool {
    told.is_some_and(|told| told.elapsed() < SURE)
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    struct Running(Arc<AtomicUsize>);

    impl Drop for Running {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn having(duties: &[(Duty, u64)]) -> BTreeMap<Duty, u64> {
        duties.iter().copied().collect()
    }

    #[tokio::test]
    async fn who_is_alone_has_everything_and_works_in_no_name() {
        let duties = Duties::new(true);
        assert!(Duty::ALL.into_iter().all(|duty| duties.has(duty)));
        let seen = Mutex::new(None);
        duties.hold(Duty::Rules, || async { *seen.lock() = Some(held()) }).await;
        assert_eq!(*seen.lock(), Some(None));
    }

    #[tokio::test]
    async fn work_begins_with_the_duty_and_ends_with_it() {
        let duties = Arc::new(Duties::new(false));
        let (begun, running) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let task = {
            let (duties, begun, running) = (Arc::clone(&duties), Arc::clone(&begun), Arc::clone(&running));
            tokio::spawn(async move {
                duties
                    .hold(Duty::Rules, || async {
                        assert_eq!(held().map(|held| held.duty), Some(Duty::Rules));
                        assert!(carry(async { held().is_some() }).await);
                        assert!(tokio::task::spawn_blocking(carry_blocking(|| held().is_some())).await.expect("ends"));
                        assert!(!tokio::spawn(async { held().is_some() }).await.expect("ends"));
                        begun.fetch_add(1, Ordering::SeqCst);
                        running.fetch_add(1, Ordering::SeqCst);
                        let _running = Running(Arc::clone(&running));
                        std::future::pending::<()>().await;
                    })
                    .await;
            })
        };
        let settle = || async { tokio::time::sleep(Duration::from_millis(50)).await };
        let counts = || (begun.load(Ordering::SeqCst), running.load(Ordering::SeqCst));
        settle().await;
        assert_eq!(counts(), (0, 0));
        duties.told(Instant::now(), having(&[(Duty::Backup, 1)]));
        settle().await;
        assert_eq!(counts(), (0, 0), "another duty");
        duties.told(Instant::now(), having(&[(Duty::Rules, 3)]));
        settle().await;
        assert_eq!(counts(), (1, 1));
        duties.told(Instant::now(), having(&[(Duty::Rules, 3), (Duty::Watch, 1)]));
        settle().await;
        assert_eq!(counts(), (1, 1), "it goes on");
        duties.told(Instant::now(), having(&[]));
        settle().await;
        assert_eq!(counts(), (1, 0));
        duties.told(Instant::now(), having(&[(Duty::Rules, 5)]));
        settle().await;
        assert_eq!(counts(), (2, 1));
        duties.told(Instant::now(), having(&[(Duty::Rules, 7)]));
        settle().await;
        assert_eq!(counts(), (3, 1), "another one had it in between");
        duties.forget();
        settle().await;
        assert_eq!(counts(), (3, 0));
        task.abort();
    }

    fn long_ago() -> Instant {
        Instant::now().checked_sub(SURE).expect("the machine is up for longer")
    }

    #[tokio::test]
    async fn work_begins_again_when_a_doubt_is_over_and_nobody_had_the_duty_meanwhile() {
        let (duties, begun) = (Arc::new(Duties::new(false)), Arc::new(AtomicUsize::new(0)));
        let task = {
            let (duties, begun) = (Arc::clone(&duties), Arc::clone(&begun));
            tokio::spawn(async move {
                duties
                    .hold(Duty::Rules, || async {
                        begun.fetch_add(1, Ordering::SeqCst);
                        std::future::pending::<()>().await;
                    })
                    .await;
            })
        };
        let settle = || async { tokio::time::sleep(Duration::from_millis(50)).await };
        // the process stood still since, or the database took its time
        duties.told(long_ago(), having(&[(Duty::Rules, 3)]));
        settle().await;
        assert_eq!(begun.load(Ordering::SeqCst), 0);
        duties.told(Instant::now(), having(&[(Duty::Rules, 3)]));
        settle().await;
        assert_eq!(begun.load(Ordering::SeqCst), 1);
        duties.told(Instant::now(), having(&[(Duty::Rules, 3)]));
        settle().await;
        assert_eq!(begun.load(Ordering::SeqCst), 1, "it goes on");
        task.abort();
    }

    #[test]
    fn what_was_told_long_ago_is_not_sure() {
        let duties = Duties::new(false);
        let long_ago = long_ago();
        duties.told(long_ago, having(&[(Duty::Rules, 3)]));
        assert!(!duties.has(Duty::Rules));
        assert_eq!(duties.missing().len(), Duty::ALL.len() - 1);
        duties.doubt();
        assert_eq!(duties.missing().len(), Duty::ALL.len());
        duties.told(Instant::now(), having(&[(Duty::Rules, 3)]));
        assert!(duties.has(Duty::Rules) && !duties.has(Duty::Watch));
    }

    #[test]
    fn names_are_all_different() {
        let names: std::collections::BTreeSet<_> = Duty::ALL.iter().map(|duty| duty.name()).collect();
        assert_eq!(names.len(), Duty::ALL.len());
    }
}
