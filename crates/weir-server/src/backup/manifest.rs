//! What a backup says of itself.

use std::path::{Component, Path};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use weir_api::{
    backup::{Backup, BackupContent},
    status::TOKEN_FILE,
};
use weir_model::ids::{ContentDigest, Sha256Digest};
use weir_store::{DATABASE, content::ContentStore};

use super::BackupError;

/// The manifest.
pub(super) const MANIFEST: &str = "manifest.json";
/// The list of content, as `sha256sum --check` reads it.
pub(super) const CONTENT_LIST: &str = "content.sha256";
/// The folder of content files.
pub(super) const CONTENT: &str = "content";
/// The folder of the authority.
pub(super) const TLS: &str = "tls";
/// The process settings.
pub(super) const SETTINGS: &str = "weir.toml";
/// The form that this program writes and reads.
const FORMAT: u32 = 1;
/// Files of a manifest.
const MOST_FILES: usize = 1_000;

/// A file of a backup.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its place below the folder of the backup, with `/` between.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub sha256: Sha256Digest,
}

/// The manifest of a backup, `manifest.json`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The form of the backup; 1.
    pub format: u32,
    /// The moment that the database is of.
    pub made_at: Timestamp,
    /// Who asked for it.
    pub asked_by: String,
    /// The schedule did.
    pub scheduled: bool,
    /// Version of the program.
    pub version: String,
    /// Version of the database's schema.
    pub schema_version: u32,
    /// The server; none for a database that no server has used.
    pub server_id: Option<Uuid>,
    /// What it holds of content.
    pub content: BackupContent,
    /// Every file but the manifest and content files, which `content.sha256` lists.
    pub files: Vec<Entry>,
    /// Files that the settings name elsewhere, and that are not in it.
    pub elsewhere: Vec<String>,
}

impl Manifest {
    /// The form that is written.
    pub(super) const fn format() -> u32 {
        FORMAT
    }

    /// Reads the manifest of a backup. Its files are not looked at.
    pub fn read(backup: &Path) -> Result<Self, BackupError> {
        let path = backup.join(MANIFEST);
        let wrong = |why: String| BackupError::Manifest { path: backup.to_owned(), why };
        let text = crate::file::small(&path).map_err(|error| wrong(format!("{MANIFEST}: {error}")))?;
        // the form first: another one may have other fields
        let form: serde_json::Value = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if let Some(format) = form.get("format").and_then(serde_json::Value::as_u64)
            && format != u64::from(FORMAT)
        {
            return Err(wrong(format!("it has the form {format}, and this program reads form {FORMAT}")));
        }
        let manifest: Self = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if manifest.files.len() > MOST_FILES {
            return Err(wrong(format!("it lists {} files", manifest.files.len())));
        }
        if let Some(entry) = manifest.files.iter().find(|entry| !is_ours(&entry.path)) {
            return Err(wrong(format!("it lists {:?}, which no backup has", cut(&entry.path))));
        }
        let mut paths: Vec<&str> = manifest.files.iter().map(|entry| entry.path.as_str()).collect();
        paths.sort_unstable();
        if paths.windows(2).any(|two| two.first() == two.last()) {
            return Err(wrong("it lists a file twice".to_owned()));
        }
        for needed in [DATABASE, CONTENT_LIST] {
            if !paths.contains(&needed) {
                return Err(wrong(format!("it does not list {needed}")));
            }
        }
        Ok(manifest)
    }

    /// Bytes of all files, content among them if it is there.
    pub fn bytes(&self) -> u64 {
        let own: u64 = self.files.iter().map(|entry| entry.size).fold(0, u64::saturating_add);
        if self.content.included { own.saturating_add(self.content.bytes) } else { own }
    }

    /// As it is shown.
    pub fn describe(&self, path: &Path) -> Backup {
        Backup {
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            path: path.display().to_string(),
            made_at: self.made_at,
            asked_by: self.asked_by.clone(),
            scheduled: self.scheduled,
            version: self.version.clone(),
            schema_version: self.schema_version,
            bytes: self.bytes(),
            content: self.content.clone(),
            elsewhere: self.elsewhere.clone(),
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Whether a backup may have a file at this place: nothing that an altered manifest says leads anywhere else.
fn is_ours(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    let name = |part: Option<Component<'_>>| match part {
        Some(Component::Normal(name)) => name.to_str().map(str::to_owned),
        _ => None,
    };
    let (Some(first), second, None) = (name(parts.next()), parts.next(), parts.next()) else { return false };
    match second {
        None => [DATABASE, TOKEN_FILE, SETTINGS, CONTENT_LIST].contains(&first.as_str()) && path == first,
        Some(second) => name(Some(second)).is_some_and(|second| first == TLS && path == format!("{TLS}/{second}")),
    }
}

/// A line of the list of content.
pub(super) fn content_line(sha256: Sha256Digest, digest: ContentDigest, extension: &str) -> String {
    let place = ContentStore::relative_path(digest, extension);
    format!("{}  {CONTENT}/{place}\n", sha256.to_hex().to_ascii_lowercase())
}

/// Reads a line of the list of content; none if it is not of the form that is written.
pub(super) fn read_content_line(line: &str) -> Option<(Sha256Digest, ContentDigest, String)> {
    let (sha256, place) = line.split_once("  ")?;
    let sha256 = Sha256Digest::from_hex(sha256).ok()?;
    let place = place.strip_prefix(CONTENT)?.strip_prefix('/')?;
    let (_, name) = place.split_once('/')?;
    let (hex, extension) = name.split_at_checked(40)?;
    let digest = ContentDigest::from_hex(hex).ok()?;
    let fits =
        extension == ContentStore::extension(extension) && place == ContentStore::relative_path(digest, extension);
    fits.then(|| (sha256, digest, extension.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_of_a_backup_are_taken() {
        for path in ["weir.db", "admin.token", "weir.toml", "content.sha256", "tls/ca.key"] {
            assert!(is_ours(path), "{path}");
        }
        for path in [
            "",
            ".",
            "..",
            "/etc/passwd",
            "../weir.db",
            "tls",
            "tls/",
            "tls/../weir.db",
            "tls/a/b",
            "./weir.db",
            "weir.db/",
            "manifest.json",
            "content/00/x",
            "other",
            "tls//ca.key",
        ] {
            assert!(!is_ours(path), "{path}");
        }
    }

    #[test]
    fn lines_of_content_come_back_and_lead_nowhere_else() {
        let (sha256, digest) = (Sha256Digest([0xAB; 32]), ContentDigest([0xCD; 20]));
        let line = content_line(sha256, digest, ".cab");
        assert_eq!(read_content_line(line.trim_end()), Some((sha256, digest, ".cab".to_owned())));
        assert_eq!(
            read_content_line(content_line(sha256, digest, "").trim_end()),
            Some((sha256, digest, String::new()))
        );
        let hex = "CD".repeat(20);
        let sha = "ab".repeat(32);
        for place in [
            format!("content/CD/{hex}.c/../x"),
            format!("content/00/{hex}.cab"),
            format!("content/../{hex}.cab"),
            format!("other/CD/{hex}.cab"),
            format!("content/CD/{hex}.CAB"),
            "content/CD/x".to_owned(),
        ] {
            assert_eq!(read_content_line(&format!("{sha}  {place}")), None, "{place}");
        }
    }
}
