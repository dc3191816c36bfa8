//! Makes what computers say durable before it is acknowledged: first contacts, registrations and reports.
//!
//! One writer thread takes everything that waits and commits it in one transaction, so that the cost of a flush to disk
//! is shared. The queue is bounded in entries and in bytes; a caller waits for its place, and for the commit.
//!
//! *Invariant:* what was acknowledged is on disk. *Invariant:* an event counts once, however often it is reported.

mod identity;
mod report;
mod work;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use weir_model::{
    exposure::Build,
    identity::Rule,
    ids::{CollectionId, ComputerId},
};
use weir_store::{
    Store, StoreError,
    computer::{Contact, Registration},
};

pub use report::{Report, ReportedEvent};
pub(crate) use work::Chain;
use work::{Outcome, Work, Writer};

use crate::{
    client::limit::HourLimit,
    live::Live,
    telemetry::{self, Reason, meters, note},
};

/// Entries that may wait.
const QUEUE: usize = 4_096;
/// Bytes of reports that may wait.
const QUEUE_BYTES: usize = 64 << 20;
/// How long a caller waits for its place and its commit.
const PATIENCE: Duration = Duration::from_mins(1);

/// Why something was not made durable.
#[derive(Clone, Debug, thiserror::Error)]
pub enum IngestError {
    /// The queue stayed full.
    #[error("too many reports wait to be stored; the computer tries again later")]
    Busy,
    /// The computer was deleted or retired while it called. Its next call makes it known again.
    #[error("the computer was forgotten while it called; it tries again")]
    Gone,
    /// The database.
    #[error("what the computer said cannot be stored")]
    Store(#[source] Arc<StoreError>),
    /// The writer ended.
    #[error("the server is stopping")]
    Stopped,
    /// The limit of new computers per hour is reached.
    #[error("more computers than the setting allows appeared within an hour")]
    TooManyNew,
}

/// A computer that calls for the first time, or asks for other groups than it is known to.
#[derive(Clone, Debug)]
pub struct Admission {
    /// What the call tells.
    pub contact: Contact,
    /// Groups it gets because it asked for them.
    pub groups: Vec<CollectionId>,
    /// Mark of what it asked for, see [`crate::live::Computer::applied`].
    pub applied: u64,
    /// Setting: new computers per hour.
    pub new_per_hour: u32,
    /// When another name counts as another machine's.
    pub identity: Rule,
}

/// How long something waited for its transaction, and what became of it.
type Reply = (Duration, Result<Outcome, IngestError>);

struct Item {
    work: Work,
    queued: Instant,
    reply: Option<oneshot::Sender<Reply>>,
    _bytes: Option<OwnedSemaphorePermit>,
}

impl Item {
    /// Something that nobody waits for.
    fn aside(work: Work) -> Self {
        Self { work, queued: Instant::now(), reply: None, _bytes: None }
    }
}

/// The queue's entrance. Clones share it; the writer ends when the last is dropped.
#[derive(Clone, Debug)]
pub struct Ingest {
    queue: mpsc::Sender<Item>,
    bytes: Arc<Semaphore>,
}

impl Ingest {
    /// Starts the writer thread.
    pub fn start(store: Store, live: Live, new_computers: HourLimit) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let writer = Writer::new(store, live, new_computers);
        let spawned = std::thread::Builder::new().name("ingest".into()).spawn(move || writer.run(waiting));
        if let Err(error) = spawned {
            // the queue's other end is gone: every call answers Stopped
            tracing::error!(%error, "the thread that stores reports cannot be started");
        }
        Self { queue, bytes: Arc::new(Semaphore::new(QUEUE_BYTES)) }
    }

    /// Brings a computer into the database and the directory.
    pub async fn admit(&self, admission: Admission) -> Result<(), IngestError> {
        self.run(Work::Admit(admission), 0).await.map(drop)
    }

    /// Stores what a computer registered.
    pub async fn register(
        &self,
        no: u32,
        id: ComputerId,
        registration: Registration,
        identity: Rule,
    ) -> Result<(), IngestError> {
        self.run(Work::Register { no, id, registration: Box::new(registration), identity }, 4_096).await.map(drop)
    }

    /// Stores a report; `size` is the length of the request. Returns how many of its events were new.
    pub async fn report(&self, report: Report, size: usize) -> Result<usize, IngestError> {
        match self.run(Work::Report(Box::new(report)), size).await? {
            Outcome::Reported(new) => Ok(new),
            Outcome::Done => Ok(0),
        }
    }

    /// Notes a call of a known computer when there is room; it is not waited for.
    pub fn touch(&self, no: u32, contact: Contact) {
        // a full queue means that the computer has more important things to say, or soon will
        if self.queue.try_send(Item::aside(Work::Touch { no, contact })).is_err() {
            meters().ingest_skipped.increment(1);
        }
    }

    /// Notes the exact build of a known computer when there is room; it is not waited for. False if there is none.
    pub fn built(&self, no: u32, id: ComputerId, build: Build) -> bool {
        let queued = self.queue.try_send(Item::aside(Work::Built { no, id, build })).is_ok();
        if !queued {
            meters().ingest_skipped.increment(1);
        }
        queued
    }

    /// Whether so much waits that others who write should wait, too.
    pub fn is_crowded(&self) -> bool {
        self.queue.capacity() < QUEUE / 2 || self.bytes.available_permits() < QUEUE_BYTES / 2
    }

    /// What is not stored yet: entries, and bytes of reports.
    pub fn waiting(&self) -> (usize, usize) {
        let bytes = QUEUE_BYTES.saturating_sub(self.bytes.available_permits());
        (QUEUE.saturating_sub(self.queue.capacity()), bytes)
    }

    /// Waits until everything that was handed over before is stored.
    pub async fn flush(&self) -> Result<(), IngestError> {
        self.run(Work::Flush, 0).await.map(drop)
    }

    async fn run(&self, work: Work, size: usize) -> Result<Outcome, IngestError> {
        let asked = Instant::now();
        let whole = async {
            let bytes = u32::try_from(size.min(QUEUE_BYTES)).unwrap_or(0);
            let permit = Arc::clone(&self.bytes).acquire_many_owned(bytes).await.map_err(|_| IngestError::Stopped)?;
            let (reply, answer) = oneshot::channel();
            let item = Item { work, queued: asked, reply: Some(reply), _bytes: Some(permit) };
            self.queue.send(item).await.map_err(|_| IngestError::Stopped)?;
            let (waited, outcome) = answer.await.map_err(|_| IngestError::Stopped)?;
            note(|seen| seen.waited(waited));
            outcome
        };
        let done = tokio::time::timeout(PATIENCE, whole).await.unwrap_or(Err(IngestError::Busy));
        match &done {
            Err(IngestError::Busy) => {
                note(|seen| seen.waited(asked.elapsed()));
                telemetry::refused(Reason::Queue);
            }
            Err(IngestError::TooManyNew) => telemetry::refused(Reason::NewComputers),
            _ => {}
        }
        done
    }
}
