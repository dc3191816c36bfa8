//! The note in a data folder that a restore is under way, and the part of it that the note protects: databases and folders change
//! places, however often that is cut short.

use std::{collections::BTreeSet, fs, path::Path};

use serde::{Deserialize, Serialize};

use super::{
    BackupError,
    files::{self, failed},
};
use crate::start;

/// Says, in a data folder, that a restore is under way.
pub const RESTORING: &str = "restoring.json";
/// Where a restore is prepared.
pub(super) const STAGE: &str = ".restore.partial";
/// What the names of folders begin with that keep what was there before.
pub(super) const ASIDE: &str = "replaced-";

/// How far the change of names is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// What was prepared of the database goes to its server of PostgreSQL.
    Database,
    /// What was there goes aside.
    Aside,
    /// What was prepared comes in.
    In,
}

/// The note in the data folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Marker {
    pub(super) step: Step,
    /// The backup.
    pub(super) backup: String,
    /// The folder that keeps what was there, if anything was.
    pub(super) aside: Option<String>,
    /// Names that stay although they lie in the folder.
    pub(super) stays: BTreeSet<String>,
}

impl Marker {
    /// Of a restore that begins.
    pub(super) fn new(step: Step, backup: &Path, aside: Option<String>, stays: BTreeSet<String>) -> Self {
        Self { step, backup: backup.display().to_string(), aside, stays }
    }
}

pub(super) fn unwritten(data: &Path, error: &serde_json::Error) -> BackupError {
    BackupError::Manifest { path: data.to_owned(), why: error.to_string() }
}

pub(super) fn read_marker(data: &Path) -> Result<Option<Marker>, BackupError> {
    let path = data.join(RESTORING);
    match crate::file::small(&path) {
        Ok(text) => match serde_json::from_slice(&text) {
            Ok(marker) => Ok(Some(marker)),
            Err(error) => Err(unwritten(&path, &error)),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("reading", &path)(error)),
    }
}

pub(super) fn write_marker(data: &Path, marker: &Marker) -> Result<(), BackupError> {
    let text = serde_json::to_vec_pretty(marker).map_err(|error| unwritten(data, &error))?;
    start::write_private(&data.join(RESTORING), &text).map_err(|error| match error {
        start::StartError::File { action, path, source } => BackupError::File { action, path, source },
        _ => BackupError::Unfinished(data.to_owned()),
    })
}

/// Changes the names. What was done before is not done again, however often this is cut short.
pub(super) fn finish(data: &Path, mut marker: Marker) -> Result<(), BackupError> {
    let moved = |from: &Path, to: &Path| fs::rename(from, to).map_err(failed("moving", from));
    write_marker(data, &marker)?;
    if marker.step == Step::Aside {
        if let Some(name) = &marker.aside {
            let aside = data.join(name);
            if !aside.is_dir() {
                files::create_folder(&aside)?;
            }
            for (name, path) in files::entries(data)? {
                if !marker.stays.contains(&name) && !name.starts_with(ASIDE) && name != STAGE {
                    moved(&path, &aside.join(&name))?;
                }
            }
            files::sync_folder(&aside)?;
        }
        files::sync_folder(data)?;
        marker.step = Step::In;
        write_marker(data, &marker)?;
    }
    let stage = data.join(STAGE);
    for (name, path) in files::entries(&stage)? {
        moved(&path, &data.join(name))?;
    }
    files::sync_folder(data)?;
    if stage.is_dir() {
        fs::remove_dir(&stage).map_err(failed("removing", &stage))?;
    }
    let note = data.join(RESTORING);
    fs::remove_file(&note).map_err(failed("removing", &note))?;
    files::sync_folder(data)
}
