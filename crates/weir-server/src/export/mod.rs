//! Exports: files that are made here and fetched piece by piece.
//!
//! Each export works on a thread of its own and writes into a folder of its own below `outgoing` in the data folder. Parts
//! are made ahead of those that were fetched, but only a few: a bundle of any size takes little room here. What nobody
//! fetches any more is given up, and nothing survives the process: whoever asks again gets the same parts again, and
//! recognises by their digests what it has.

pub(crate) mod order;
pub(crate) mod package;
mod work;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use uuid::Uuid;
use weir_api::export::Export;

pub(crate) use work::{Stopped, Work};

use crate::admin::{AdminError, mixed};

/// Exports at once.
const MOST: usize = 4;
/// Ended exports that can still be asked about.
const KEPT: usize = 16;
/// Folder of files that are to be fetched, in the data folder.
const OUTGOING: &str = "outgoing";

/// Exports of this process.
#[derive(Debug)]
pub(crate) struct Exports {
    folder: PathBuf,
    known: Mutex<BTreeMap<Uuid, Arc<Work>>>,
}

impl Exports {
    /// None yet. What an earlier process left is removed.
    pub(crate) fn new(data: &Path) -> Self {
        let folder = data.join(OUTGOING);
        if let Err(error) = std::fs::remove_dir_all(&folder)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(path = %folder.display(), %error, "what an earlier export left could not be removed");
        }
        Self { folder, known: Mutex::default() }
    }

    /// Where the next export may write.
    pub(crate) fn folder(&self, id: Uuid) -> std::io::Result<PathBuf> {
        let folder = self.folder.join(id.to_string());
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Takes an export in, if there is room for one more.
    pub(crate) fn add(&self, work: &Arc<Work>) -> Result<(), AdminError> {
        let mut known = self.known.lock();
        if known.values().filter(|work| work.is_running()).count() >= MOST {
            return Err(AdminError::Conflict {
                code: "busy",
                detail: format!("{MOST} exports are under way"),
                next_step: Some("try again when one of them has ended".to_owned()),
            });
        }
        known.insert(work.id(), Arc::clone(work));
        let mut ended: Vec<_> =
            known.values().filter(|work| !work.is_running()).map(|work| (work.started_at(), work.id())).collect();
        ended.sort_unstable();
        for (_, id) in ended.iter().take(ended.len().saturating_sub(KEPT)) {
            known.remove(id);
        }
        Ok(())
    }

    /// One export.
    pub(crate) fn find(&self, id: Uuid) -> Result<Arc<Work>, AdminError> {
        self.known.lock().get(&id).cloned().ok_or_else(|| AdminError::NotFound {
            kind: "export",
            id: id.to_string(),
            next_step: Some(
                "exports are forgotten when they are fetched or the server stops: begin again. Of several front ends the one \
                 that began it has its files: ask that one (GET /api/v1/health-report names them)"
                    .to_owned(),
            ),
        })
    }

    /// All that can still be asked about. Asking so does not count as fetching.
    pub(crate) fn all(&self) -> Vec<Export> {
        self.known.lock().values().map(|work| work.look()).collect()
    }

    /// A number that differs when one of them went on.
    pub(crate) fn pulse(&self) -> u64 {
        let all = self.all();
        let numbers =
            all.iter().flat_map(|it| [it.state as u64, it.phase as u64, it.done, it.total, it.files.len() as u64]);
        mixed(&numbers.collect::<Vec<_>>())
    }

    /// Ends an export and forgets it.
    pub(crate) fn remove(&self, id: Uuid) -> Result<(), AdminError> {
        self.find(id)?.cancel();
        self.known.lock().remove(&id);
        Ok(())
    }
}
