//! Whether a backup is what it says.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use serde::Serialize;
use weir_api::backup::{Backup, BackupPhase};
use weir_model::ids::{ContentDigest, Sha256Digest};
use weir_store::{
    DATABASE,
    backup::{Inspection, newest_schema},
    content::ContentStore,
};

use super::{
    BackupError, Manifest, Watch,
    files::{self, failed},
    manifest::{CONTENT, CONTENT_LIST, read_content_line},
    tell,
};

/// A backup that is sound.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Verified {
    /// What it is.
    pub backup: Backup,
    /// Files whose digests were compared, content among them.
    pub files: u64,
    /// This program can restore it; else a later one is needed.
    pub restorable: bool,
}

/// Compares every file of a backup with its digest, and checks its database. Nothing is written. Blocks.
pub fn verify(backup: &Path, watch: &mut Watch<'_>) -> Result<Verified, BackupError> {
    tell(watch, BackupPhase::Preparing, 0, 0)?;
    let manifest = Manifest::read(backup)?;
    let total = manifest.bytes();
    let mut done = 0;
    for entry in &manifest.files {
        let path = backup.join(&entry.path);
        if !files::is_file(&path) {
            return Err(BackupError::Altered { path, what: "is not there".to_owned() });
        }
        let sum = files::sum(&path, &mut |bytes| {
            done += bytes;
            tell(watch, BackupPhase::Digests, done, total)
        })?;
        compare(&path, sum, Some(entry.size), entry.sha256)?;
    }
    let mut content = 0;
    if manifest.content.included {
        each_content(backup, &mut |place, sha256| {
            let path = backup.join(CONTENT).join(&place.path);
            if !files::is_file(&path) {
                return Err(BackupError::Altered { path, what: "is not there".to_owned() });
            }
            let sum = files::sum(&path, &mut |bytes| {
                done += bytes;
                tell(watch, BackupPhase::Digests, done, total)
            })?;
            content += 1;
            compare(&path, sum, None, sha256)
        })?;
        if content != manifest.content.files {
            let path = backup.join(CONTENT_LIST);
            let what = format!("lists {content} files instead of {}", manifest.content.files);
            return Err(BackupError::Altered { path, what });
        }
    }
    let path = backup.join(DATABASE);
    tell(watch, BackupPhase::Checking, 0, total)?;
    let inspection = Inspection::still(&path)?;
    let damage = inspection.damage(true, 3)?;
    if !damage.is_empty() {
        return Err(BackupError::Damaged { path, what: damage.join("; ") });
    }
    let schema = inspection.schema_version()?;
    if schema != Some(manifest.schema_version) {
        let what =
            format!("has version {} of the schema instead of {}", schema.unwrap_or_default(), manifest.schema_version);
        return Err(BackupError::Altered { path, what });
    }
    Ok(Verified {
        backup: manifest.describe(backup),
        files: manifest.files.len() as u64 + content,
        restorable: usable(&manifest).is_ok(),
    })
}

/// Refuses a backup of a database that this program does not know.
pub(super) fn usable(manifest: &Manifest) -> Result<(), BackupError> {
    let known = newest_schema();
    if manifest.schema_version > known {
        let version = manifest.version.chars().take(40).collect();
        return Err(BackupError::Newer { version, backup: manifest.schema_version, known });
    }
    Ok(())
}

/// Refuses what is not as it must be.
pub(super) fn compare(
    path: &Path,
    found: files::Sum,
    size: Option<u64>,
    sha256: Sha256Digest,
) -> Result<(), BackupError> {
    let what = match size {
        Some(size) if size != found.size => format!("has {} bytes instead of {size}", found.size),
        _ if found.sha256 != sha256 => "does not have the SHA-256 that the backup says".to_owned(),
        _ => return Ok(()),
    };
    Err(BackupError::Altered { path: path.to_owned(), what })
}

/// A content file in a backup.
pub(super) struct Place {
    /// Its place below the folder of content.
    pub(super) path: PathBuf,
    /// Its name.
    pub(super) digest: ContentDigest,
    /// The extension of its name.
    pub(super) extension: String,
}

/// Hands every line of the list of content to `each`.
pub(super) fn each_content(
    backup: &Path,
    each: &mut dyn FnMut(Place, Sha256Digest) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let path = backup.join(CONTENT_LIST);
    let file = crate::file::open(&path).map_err(failed("reading", &path))?;
    for line in BufReader::new(file).lines() {
        let line = line.map_err(failed("reading", &path))?;
        let Some((sha256, digest, extension)) = read_content_line(&line) else {
            let what = format!("has a line that is none of a backup: {:?}", line.chars().take(80).collect::<String>());
            return Err(BackupError::Altered { path, what });
        };
        let place = PathBuf::from(ContentStore::relative_path(digest, &extension));
        each(Place { path: place, digest, extension }, sha256)?;
    }
    Ok(())
}
