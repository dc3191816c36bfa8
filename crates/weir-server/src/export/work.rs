//! One export: how far it is, its files, and waiting for those who fetch them.

use std::{
    collections::BTreeSet,
    fs::File,
    io,
    path::PathBuf,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use parking_lot::{Condvar, Mutex};
use uuid::Uuid;
use weir_api::export::{Export, ExportFile, ExportFormat, ExportPhase, ExportResult, ExportState};

use crate::admin::AdminError;

/// Files that wait to be fetched before the next one is made.
const AHEAD: usize = 2;
/// An export whose files nobody fetches is given up after this.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// Why an export ends early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    /// Somebody ended it, or nobody fetches.
    #[error("the export was ended")]
    Cancelled,
    /// It cannot be made.
    #[error(transparent)]
    Failed(#[from] AdminError),
    /// The file system.
    #[error("writing the export failed")]
    Io(#[source] io::Error),
}

impl From<weir_store::StoreError> for Stopped {
    fn from(error: weir_store::StoreError) -> Self {
        Self::Failed(error.into())
    }
}

#[derive(Debug)]
struct State {
    export: Export,
    /// Names of files that are on disk.
    present: BTreeSet<String>,
    touched: Instant,
    cancelled: bool,
}

/// One export.
#[derive(Debug)]
pub(crate) struct Work {
    folder: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
}

impl Work {
    pub(crate) fn new(id: Uuid, format: ExportFormat, folder: PathBuf, now: Timestamp) -> Self {
        let export = Export {
            id,
            format,
            state: ExportState::Running,
            phase: ExportPhase::Order,
            done: 0,
            total: 0,
            started_at: now,
            finished_at: None,
            files: Vec::new(),
            result: None,
            problem: None,
        };
        let state = State { export, present: BTreeSet::new(), touched: Instant::now(), cancelled: false };
        Self { folder, state: Mutex::new(state), changed: Condvar::new() }
    }

    pub(crate) fn id(&self) -> Uuid {
        self.state.lock().export.id
    }

    pub(crate) fn started_at(&self) -> Timestamp {
        self.state.lock().export.started_at
    }

    pub(crate) fn is_running(&self) -> bool {
        self.state.lock().export.state == ExportState::Running
    }

    /// How far it is; asking shows that somebody still wants it.
    pub(crate) fn show(&self) -> Export {
        let mut state = self.state.lock();
        state.touched = Instant::now();
        state.export.clone()
    }

    /// How far it is, for one who only looks.
    pub(crate) fn look(&self) -> Export {
        self.state.lock().export.clone()
    }

    /// Opens a file that waits to be fetched.
    pub(crate) fn open(&self, name: &str) -> Result<(File, ExportFile), AdminError> {
        let mut state = self.state.lock();
        state.touched = Instant::now();
        let missing = || AdminError::missing("file of the export", name, "GET /api/v1/exports/ID");
        let known = state.export.files.iter().find(|file| file.name == name).cloned().ok_or_else(missing)?;
        if !state.present.contains(name) {
            return Err(missing());
        }
        let file = File::open(self.folder.join(name))
            .map_err(|error| AdminError::Internal(format!("opening a file of an export: {error}")))?;
        Ok((file, known))
    }

    /// A file has arrived where it was wanted.
    pub(crate) fn fetched(&self, name: &str) -> Result<(), AdminError> {
        let mut state = self.state.lock();
        state.touched = Instant::now();
        if !state.present.remove(name) {
            return Err(AdminError::missing("file of the export", name, "GET /api/v1/exports/ID"));
        }
        self.unlink(name);
        self.changed.notify_all();
        Ok(())
    }

    /// Ends it.
    pub(crate) fn cancel(&self) {
        self.state.lock().cancelled = true;
        self.changed.notify_all();
    }

    /// Fails if somebody ended it. To be asked now and then.
    pub(crate) fn go_on(&self) -> Result<(), Stopped> {
        if self.state.lock().cancelled { Err(Stopped::Cancelled) } else { Ok(()) }
    }

    /// Says how far it is.
    pub(crate) fn progress(&self, phase: ExportPhase, done: u64, total: u64) {
        let mut state = self.state.lock();
        (state.export.phase, state.export.done, state.export.total) = (phase, done, total);
    }

    /// Where a file of that name is to be written.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A file is whole and may be fetched.
    pub(crate) fn offer(&self, file: ExportFile) {
        let mut state = self.state.lock();
        state.present.insert(file.name.clone());
        state.export.files.push(file);
    }

    /// Waits while enough files wait to be fetched.
    pub(crate) fn wait_for_room(&self) -> Result<(), Stopped> {
        let mut state = self.state.lock();
        let phase = state.export.phase;
        while state.present.len() > AHEAD {
            state.export.phase = ExportPhase::Wait;
            if state.cancelled || state.touched.elapsed() > PATIENCE {
                state.cancelled = true;
                return Err(Stopped::Cancelled);
            }
            self.changed.wait_for(&mut state, Duration::from_secs(1));
        }
        state.export.phase = phase;
        if state.cancelled { Err(Stopped::Cancelled) } else { Ok(()) }
    }

    /// It is over. On a failure its files are of no use.
    pub(crate) fn end(&self, outcome: Result<ExportResult, Stopped>) {
        let mut state = self.state.lock();
        state.export.finished_at = Some(Timestamp::now());
        match outcome {
            Ok(result) => {
                state.export.state = ExportState::Done;
                state.export.result = Some(result);
            }
            Err(error) => {
                let error = match error {
                    Stopped::Cancelled => AdminError::Conflict {
                        code: "cancelled",
                        detail: "the export was ended before it was complete".to_owned(),
                        next_step: Some("begin again: what was fetched whole is recognised".to_owned()),
                    },
                    Stopped::Failed(error) => error,
                    Stopped::Io(error) => disk(&error),
                };
                let problem = error.problem();
                if problem.status >= 500 {
                    tracing::error!(error = crate::admin::chain(&error), "an export failed");
                }
                state.export.state = ExportState::Failed;
                state.export.problem = Some(problem);
                for name in std::mem::take(&mut state.present) {
                    self.unlink(&name);
                }
            }
        }
    }

    fn unlink(&self, name: &str) {
        if let Err(error) = std::fs::remove_file(self.folder.join(name)) {
            tracing::warn!(name, %error, "a file of an export could not be removed");
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // what was not fetched goes with it
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A failure to write, in words for whom it stopped.
pub(crate) fn disk(error: &io::Error) -> AdminError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            AdminError::Store(weir_store::StoreError::DiskFull { action: "writing an export" })
        }
        _ => AdminError::Internal(format!("writing an export: {error}")),
    }
}
