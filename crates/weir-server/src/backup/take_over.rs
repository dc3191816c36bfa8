//! What the first start after a restore does: the data are told from those that computers and servers knew.

use std::{fs, path::Path};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;
use weir_store::{Actor, Store, StoreError, job::JobState};

use super::{BackupError, RESTORING, restore::sees};
use crate::{config::Settings, database, start};

/// The note that a restore leaves in the data folder.
pub(super) const NOTE: &str = "restored.json";
/// Kind of the rows that say that the data were restored; the id of the newest is what cookies are of.
pub(crate) const KIND: &str = "restore";

/// More changes than a server makes in a second, and some for one that made many at once.
const CHANGES_A_SECOND: u64 = 1_000;
const CHANGES_AT_ONCE: u64 = 1_000_000;

/// How many numbers of changes are left out: more than were given out between a backup and its restore.
fn skipped(made_at: Timestamp, restored_at: Timestamp) -> u32 {
    let seconds = u64::try_from(restored_at.duration_since(made_at).as_secs()).unwrap_or(0);
    let numbers = seconds.saturating_mul(CHANGES_A_SECOND).saturating_add(CHANGES_AT_ONCE);
    u32::try_from(numbers).unwrap_or(u32::MAX)
}

/// What a restore says to the server that starts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Note {
    /// What cookies are of from now on.
    pub(super) epoch: Uuid,
    /// The backup.
    pub(super) backup: String,
    /// When it was made.
    pub(super) made_at: Timestamp,
    /// When it was restored.
    pub(super) restored_at: Timestamp,
    /// The program that did.
    pub(super) version: String,
}

/// Data that were brought to an earlier state by other means than a backup of this program.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct BroughtBack {
    /// The data folder.
    pub data: String,
    /// The state that the data have now.
    pub state_of: Timestamp,
    /// What computers, other servers and administrators will see, one sentence each.
    pub sees: Vec<String>,
    /// What to do now, one sentence each.
    pub next_steps: Vec<String>,
}

/// Notes for the next start that the data of a folder which no server uses have an earlier state again, by other means than a backup: a
/// snapshot of a disk or a machine, a copy, or recovery to a point in time. Nothing is copied, and the database is not changed.
///
/// Without it computers that know later changes are found out only until this server has made as many of its own.
pub fn brought_back(settings: &Settings, state_of: Timestamp, now: Timestamp) -> Result<BroughtBack, BackupError> {
    let data = &settings.data;
    if !database::is_there(settings) {
        return Err(BackupError::NoDatabase(data.clone()));
    }
    let _lock = Store::lock(data)?;
    if data.join(RESTORING).exists() {
        return Err(BackupError::Unfinished(data.clone()));
    }
    let sees = database::inspect(settings)?.read(|tx| Ok(sees(tx, state_of)))?;
    let note = Note {
        epoch: Uuid::new_v4(),
        backup: format!("brought back by other means, to the state of {state_of}"),
        made_at: state_of,
        restored_at: now,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let path = data.join(NOTE);
    let text = serde_json::to_vec_pretty(&note)
        .map_err(|error| BackupError::Manifest { path: path.clone(), why: error.to_string() })?;
    start::write_private(&path, &text).map_err(|error| match error {
        start::StartError::File { action, path, source } => BackupError::File { action, path, source },
        error => BackupError::Manifest { path, why: error.to_string() },
    })?;
    let next_steps = vec![
        format!("weir serve --data {}", data.display()),
        "weir content repair: it compares content with the database, and fetches what is missing".to_owned(),
    ];
    Ok(BroughtBack { data: data.display().to_string(), state_of, sees, next_steps })
}

/// Makes the data of a restore known as such, once. A computer that was served what came after the backup has numbers that may mean
/// other revisions now, so that every cookie of before has to be answered with ServerChanged.
pub(crate) fn take_over(store: &Store, data: &Path, now: Timestamp) -> Result<(), StoreError> {
    let path = data.join(NOTE);
    let open = |source| StoreError::Open { path: path.clone(), source };
    let text = match crate::file::small(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(open(error)),
    };
    let note: Note = serde_json::from_slice(&text)
        .map_err(|error| open(std::io::Error::new(std::io::ErrorKind::InvalidData, error)))?;
    store.write(&Actor::system("restore", now), |tx| {
        // the note may be there again after a power cut
        if tx.job_show(note.epoch)?.is_some() {
            return Ok(());
        }
        // the run that made the backup is in it, and still under way there
        while let Some(run) = tx.job_last_of(crate::jobs::backup::KIND, JobState::Running)? {
            tx.job_cancel(run.id)?;
        }
        let facts = json!({ "backup": note.backup, "made_at": note.made_at, "restored_at": note.restored_at });
        // servers below ask for what is newer than the last number that they were given
        tx.change_skip(skipped(note.made_at, note.restored_at))?;
        tx.job_create(note.epoch, KIND, &facts)?;
        tx.job_take(KIND, "start", now)?;
        tx.job_end(note.epoch, "start", JobState::Done, &facts)?;
        tx.audit("site.restore", &note.epoch.to_string(), None, Some(&facts))
    })?;
    tracing::warn!(
        backup = note.backup,
        made_at = %note.made_at,
        "the data of this server were restored from a backup: computers and servers are told that it changed"
    );
    fs::remove_file(&path).map_err(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_numbers_are_left_out_than_were_given() {
        let at = |text: &str| -> Timestamp { text.parse().expect("a time") };
        let made = at("2026-11-30T02:00:00Z");
        assert_eq!(skipped(made, at("2026-11-30T02:00:10Z")), 1_010_000);
        assert_eq!(skipped(made, at("2026-11-01T00:00:00Z")), 1_000_000, "whatever the clocks say");
        assert_eq!(skipped(made, at("2027-11-30T02:00:00Z")), u32::MAX);
    }
}
