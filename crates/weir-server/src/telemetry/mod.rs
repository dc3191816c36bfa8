//! What can be watched of this server: metrics, the way of a request through the log, and traces.
//!
//! * The list of metrics says which there are; `meters` has their handles, found once. Nothing is allocated to count.
//! * An observation goes with each request from its head to the last byte of its answer; whoever learns something of it says so
//!   with `note`.
//! * [`trace`] brings spans to a collector (OTLP), if one is set.
//!
//! *Invariant:* a label never has a value that somebody sent. *Invariant:* whoever counts, logs or traces waits for nobody.

mod catalogue;
mod correlation;
mod jobs;
mod meters;
mod observation;
mod process;
mod recorder;
mod routes;
mod scrape;
mod slow;
pub mod trace;
mod units;
mod words;

pub use catalogue::{CATALOGUE, Kind, Label, Measure, Metric, Values};
pub use recorder::install;
pub use words::{Cache, Job, PlaneName, Reason, Unit};

pub(crate) use jobs::{job, job_here};
pub(crate) use meters::meters;
pub(crate) use observation::{Observation, note, refused};
pub(crate) use recorder::render;
pub(crate) use routes::observe;
pub(crate) use scrape::{Counted, measure};
pub(crate) use slow::set_threshold;
pub(crate) use units::Units;
pub(crate) use words::{CONTENT, LINK_OPERATIONS, METHODS, ROLL_UP, SELF_UPDATE, STATUSES, UNREAD};

/// Counts questions to a cache, those that it answered and the others: many at once, since counters are shared by all threads.
pub(crate) fn looked_up(cache: Cache, found: usize, missing: usize) {
    let meters = meters();
    if found > 0 {
        meters.cache_hits.of(cache.word()).increment(found as u64);
    }
    if missing > 0 {
        meters.cache_misses.of(cache.word()).increment(missing as u64);
    }
}

/// Counts one question to a cache.
pub(crate) fn looked_up_one(cache: Cache, found: bool) {
    looked_up(cache, usize::from(found), usize::from(!found));
}

/// Counts an entry of a cache that made room for another.
pub(crate) fn evicted(cache: Cache) {
    meters().cache_evictions.of(cache.word()).increment(1);
}
