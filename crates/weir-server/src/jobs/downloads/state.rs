//! What the content job is doing at this moment, for those who ask, and how it is interrupted.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::watch;
use uuid::Uuid;
use weir_model::ids::ContentDigest;

/// The rate is that of so long.
const WINDOW: Duration = Duration::from_secs(15);
/// Points of the window, at most one in this time.
const STEP: Duration = Duration::from_millis(250);

/// What the content job is doing. One value per process.
#[derive(Debug, Default)]
pub(crate) struct Downloads {
    state: Mutex<State>,
    interrupts: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    run: Option<Run>,
    /// Why files that could be fetched are not, for example for want of space.
    held: Option<Held>,
}

/// Why files wait that could be fetched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Held {
    /// In words.
    pub(crate) reason: String,
    /// Files that wait for it.
    pub(crate) files: u64,
    /// Their bytes that are still to come.
    pub(crate) bytes: u64,
}

#[derive(Debug)]
struct Run {
    job: Uuid,
    since: Timestamp,
    fetched: u64,
    failed: u64,
    bytes: u64,
    active: BTreeMap<ContentDigest, Active>,
    points: VecDeque<(Instant, u64)>,
}

/// A file on its way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Active {
    /// Its name.
    pub(crate) name: String,
    /// Its length in bytes.
    pub(crate) size: u64,
    /// Bytes of it that are here.
    pub(crate) got: u64,
    /// Where it comes from.
    pub(crate) host: String,
}

/// A run at one moment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Running {
    /// Its job.
    pub(crate) job: Uuid,
    /// Since when.
    pub(crate) since: Timestamp,
    /// Files fetched.
    pub(crate) fetched: u64,
    /// Attempts that failed.
    pub(crate) failed: u64,
    /// Bytes that came over the wire.
    pub(crate) bytes: u64,
    /// Bytes a second, lately.
    pub(crate) rate: u64,
    /// Files on their way, by digest.
    pub(crate) active: Vec<(ContentDigest, Active)>,
}

impl Downloads {
    /// Ends the run under way; the next one reads settings anew and goes on where this one was.
    pub(crate) fn interrupt(&self) {
        self.interrupts.send_modify(|count| *count += 1);
    }

    /// Hears of interruptions from now on.
    pub(super) fn interruptions(&self) -> watch::Receiver<u64> {
        self.interrupts.subscribe()
    }

    pub(super) fn begin(&self, job: Uuid) {
        let (active, points) = (BTreeMap::new(), VecDeque::new());
        let since = Timestamp::now();
        self.state.lock().run = Some(Run { job, since, fetched: 0, failed: 0, bytes: 0, active, points });
    }

    pub(super) fn end(&self) {
        self.state.lock().run = None;
    }

    pub(super) fn hold(&self, held: Option<Held>) {
        self.state.lock().held = held;
    }

    pub(super) fn start_file(&self, digest: ContentDigest, active: Active) {
        self.change(|run| drop(run.active.insert(digest, active)));
    }

    pub(super) fn comes_from(&self, digest: ContentDigest, host: &str, got: u64) {
        self.change(|run| {
            if let Some(active) = run.active.get_mut(&digest) {
                host.clone_into(&mut active.host);
                active.got = got;
            }
        });
    }

    pub(super) fn received(&self, digest: ContentDigest, bytes: u64, got: u64) {
        metrics::counter!("weir_content_download_bytes_total").increment(bytes);
        self.change(|run| {
            run.bytes += bytes;
            if let Some(active) = run.active.get_mut(&digest) {
                active.got = got;
            }
            let now = Instant::now();
            if run.points.back().is_none_or(|(at, _)| now.duration_since(*at) >= STEP) {
                run.points.push_back((now, run.bytes));
                while run.points.front().is_some_and(|(at, _)| now.duration_since(*at) > WINDOW) {
                    run.points.pop_front();
                }
            }
        });
    }

    pub(super) fn end_file(&self, digest: ContentDigest, good: bool) {
        self.change(|run| {
            run.active.remove(&digest);
            if good { run.fetched += 1 } else { run.failed += 1 }
        });
    }

    /// A file is on its way no longer, neither fetched nor failed.
    pub(super) fn drop_file(&self, digest: ContentDigest) {
        self.change(|run| drop(run.active.remove(&digest)));
    }

    fn change(&self, change: impl FnOnce(&mut Run)) {
        if let Some(run) = &mut self.state.lock().run {
            change(run);
        }
    }

    /// The run under way.
    pub(crate) fn running(&self) -> Option<Running> {
        let state = self.state.lock();
        let run = state.run.as_ref()?;
        let now = Instant::now();
        let first = run.points.iter().find(|(at, _)| now.duration_since(*at) <= WINDOW);
        let rate = first.map_or(0, |(at, bytes)| {
            let seconds = now.duration_since(*at).max(STEP).as_secs_f64();
            ((run.bytes - bytes) as f64 / seconds) as u64
        });
        Some(Running {
            job: run.job,
            since: run.since,
            fetched: run.fetched,
            failed: run.failed,
            bytes: run.bytes,
            rate,
            active: run.active.iter().map(|(digest, active)| (*digest, active.clone())).collect(),
        })
    }

    /// Why files wait that could be fetched.
    pub(crate) fn held(&self) -> Option<Held> {
        self.state.lock().held.clone()
    }
}
