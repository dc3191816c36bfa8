//! What the runner of synchronizations remembers between calls.

use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use uuid::Uuid;
use weir_api::sync::SyncProgress;
use weir_model::message::{Meaning, SYNC_CANCELLED, SYNC_DONE, SYNC_FAILED, SYNC_WARNINGS};
use weir_store::{
    StoreError, WriteTx,
    alert::AlertSeverity,
    job::{JobRow, JobState},
};

use super::{
    history::{self, Ended},
    progress::Progress,
};

/// Kind and subject of the alert about a failed run.
const FAILED: &str = "sync.failed";
const SUBJECT: &str = "synchronization";

/// The runner's memory. One per process.
#[derive(Debug)]
pub struct Runner {
    pub(super) owner: String,
    current: Mutex<Option<Working>>,
    /// A run that was taken, was to be stopped, and had not begun; locked inside `current`.
    early: Mutex<Option<Uuid>>,
    pub(super) nudged: Notify,
    ended: watch::Sender<u64>,
}

#[derive(Clone, Debug)]
struct Working {
    id: Uuid,
    progress: Progress,
    /// How it ended, if that could not be stored at once.
    end: Option<Arc<End>>,
}

/// How a run ended. While the disk is full it cannot be stored, and whoever asks is to learn it nevertheless.
#[derive(Debug)]
pub(super) struct End {
    id: Uuid,
    owner: String,
    state: JobState,
    result: Value,
    at: Timestamp,
    /// What the alert says.
    message: Option<String>,
    /// What the status message says.
    meaning: &'static Meaning,
    parameters: Vec<(&'static str, String)>,
}

impl End {
    /// Stores it, with the alert about it, unless that was done or the row is another's.
    pub(super) fn store(&self, tx: &WriteTx<'_>) -> Result<(), StoreError> {
        if !tx.job_end(self.id, &self.owner, self.state, &self.result)? {
            return Ok(());
        }
        tx.status_message(self.meaning, &self.parameters, Some(("run", &self.id.to_string())))?;
        match (self.state, &self.message) {
            (JobState::Failed, Some(message)) => {
                tx.alert_open(FAILED, SUBJECT, AlertSeverity::Warning, message)?;
            }
            (JobState::Done, _) => {
                tx.alert_close(FAILED, SUBJECT)?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// The status message about the end of a run.
fn said(source: &str, state: JobState, ended: &Ended) -> (&'static Meaning, Vec<(&'static str, String)>) {
    let mut parameters = vec![
        ("source", source.to_owned()),
        ("added", ended.added.to_string()),
        ("revised", ended.revised.to_string()),
        ("expired", ended.expired.to_string()),
    ];
    let meaning = match (state, &ended.error) {
        (JobState::Failed, Some(fault)) => {
            parameters.push(("reason", fault.message.clone()));
            parameters.push(("next_step", fault.next_step.clone()));
            &SYNC_FAILED
        }
        (JobState::Cancelled, _) => &SYNC_CANCELLED,
        _ => match ended.warnings.first() {
            Some(first) => {
                parameters.push(("count", ended.warnings.len().to_string()));
                parameters.push(("first", first.clone()));
                &SYNC_WARNINGS
            }
            None => &SYNC_DONE,
        },
    };
    (meaning, parameters)
}

impl Default for Runner {
    fn default() -> Self {
        Self {
            owner: format!("{}-{}", std::process::id(), Uuid::new_v4()),
            current: Mutex::default(),
            early: Mutex::default(),
            nudged: Notify::new(),
            ended: watch::Sender::new(0),
        }
    }
}

impl Runner {
    /// Something may be due now: a run was asked for, or the schedule changed.
    pub(crate) fn nudge(&self) {
        self.nudged.notify_one();
    }

    /// A run begins.
    pub(super) fn begin(&self, id: Uuid, progress: Progress) {
        let mut current = self.current.lock();
        if self.early.lock().take() == Some(id) {
            progress.cancel();
        }
        *current = Some(Working { id, progress, end: None });
    }

    /// How the run ended, to be stored.
    pub(super) fn end(&self, id: Uuid, source: &str, state: JobState, ended: &Ended) -> Arc<End> {
        let message = ended.error.as_ref().map(|fault| {
            let (message, next_step) = (&fault.message, &fault.next_step);
            format!("The synchronization failed: {message}. Next: {next_step}; or see weir sync status")
        });
        let (meaning, parameters) = said(source, state, ended);
        let (owner, result, at) = (self.owner.clone(), json!(ended), Timestamp::now());
        Arc::new(End { id, owner, state, result, at, message, meaning, parameters })
    }

    /// The end could not be stored yet: whoever asks is to learn it from here.
    pub(super) fn hold(&self, end: &Arc<End>) {
        if let Some(working) = self.current.lock().as_mut() {
            working.end = Some(end.clone());
        }
        self.tell();
    }

    /// Its end is stored.
    pub(super) fn clear(&self) {
        *self.current.lock() = None;
        self.tell();
    }

    fn tell(&self) {
        self.ended.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// An end that is not stored yet.
    pub(super) fn unstored(&self) -> Option<Arc<End>> {
        self.current.lock().as_ref()?.end.clone()
    }

    /// Whether this process works on a run.
    pub(super) fn works_on(&self, id: Uuid) -> bool {
        self.current.lock().as_ref().is_some_and(|working| working.id == id && working.end.is_none())
    }

    /// Stops a run that was taken, also if it is only about to begin. True if it is under way.
    pub(super) fn stop(&self, id: Uuid) -> bool {
        let current = self.current.lock();
        match current.as_ref() {
            Some(working) if working.id == id => {
                working.progress.cancel();
                working.end.is_none()
            }
            _ => {
                *self.early.lock() = Some(id);
                false
            }
        }
    }

    /// Changes whenever a run ends.
    pub(super) fn ends(&self) -> watch::Receiver<u64> {
        self.ended.subscribe()
    }

    /// Adds to a row what this process knows of it: where its run is, or how it ended.
    pub(super) fn complete(&self, row: &mut JobRow) -> Option<SyncProgress> {
        let current = self.current.lock();
        let working = current.as_ref().filter(|working| working.id == row.id && row.state == JobState::Running)?;
        if let Some(end) = &working.end {
            row.state = end.state;
            row.result = Some(end.result.clone());
            row.ended_at = Some(end.at);
            return None;
        }
        Some(history::progress(&working.progress.position()))
    }
}
