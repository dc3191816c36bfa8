//! Making a backup.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use weir_api::{
    backup::{Backup, BackupContent, BackupPhase},
    status::TOKEN_FILE,
};
use weir_model::{backup::name, report::file::Folder};
use weir_store::{
    DATABASE,
    backup::{Inspection, copy_of, free_space},
    content::{Content as _, ContentStore},
    content_file::{ContentFileRow, ContentState},
    database::Url,
};

use super::{
    BackupError, Manifest, Source, Watch,
    files::{self, Sum, failed},
    manifest::{CONTENT, CONTENT_LIST, Entry, MANIFEST, SETTINGS, TLS, content_line},
    shelf, tell,
};

/// What stays free beside what a backup takes: its manifest, keys and lists, and what others write meanwhile.
const MARGIN: u64 = 16 << 20;
/// The same on the disk of the database: a server without room there takes no reports, for a backup that it may do without.
const OWN_MARGIN: u64 = 256 << 20;
/// Rows of content read at once.
const PAGE: u32 = 1_000;
/// Settings of the site that name files.
const FILE_SETTINGS: [&str; 3] = ["alerts.ca_file", "mail.ca_file", "sync.ca_file"];

/// A backup that is wanted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Order {
    /// The folder that the process settings allow.
    pub root: PathBuf,
    /// Where below it.
    pub folder: Folder,
    /// With content files.
    pub content: bool,
    /// Who asks for it.
    pub asked_by: String,
    /// The schedule does.
    pub scheduled: bool,
}

/// Makes a backup and says what it is. Blocks. Where it fails or is broken off, nothing of it stays.
pub fn make(source: &Source, order: &Order, now: Timestamp, watch: &mut Watch<'_>) -> Result<Backup, BackupError> {
    tell(watch, BackupPhase::Preparing, 0, 0)?;
    let url = source.url()?;
    let url = url.as_ref().map(Url::expose);
    let size = match url {
        Some(_) => Inspection::of(&source.data, url)?.bytes()?,
        None => sizes(&source.data),
    };
    if size == 0 {
        return Err(BackupError::NoDatabase(source.data.clone()));
    }
    let target = shelf::place(&order.root, &order.folder)?;
    shelf::clear(&target)?;
    let included = order.content && source.content.is_some();
    let content =
        if included { Inspection::of(&source.data, url)?.read(|tx| tx.content_file_totals())?.bytes } else { 0 };
    room(&target, size.saturating_add(content), margin(&target, &source.data))?;
    let name = name(now, |name| target.join(name).exists());
    let partial = Partial::begin(target.join(format!(".{name}.partial")))?;

    let copied = partial.folder.join(DATABASE);
    let whole =
        copy_of(&source.data, url, &copied, &mut |done, total| match tell(watch, BackupPhase::Database, done, total) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        });
    if !whole? {
        return Err(BackupError::Cancelled);
    }
    let size = fs::metadata(&copied).map_err(failed("reading", &copied))?.len();
    tell(watch, BackupPhase::Checking, 0, size)?;
    let inspection = Inspection::still(&copied)?;
    let damaged = |what: String| BackupError::Damaged { path: source.data.join(DATABASE), what };
    let damage = inspection.damage(false, 3)?;
    if !damage.is_empty() {
        return Err(damaged(damage.join("; ")));
    }
    let Some(schema_version) = inspection.schema_version()? else {
        return Err(damaged("it has no schema".to_owned()));
    };
    let site = inspection.read(|tx| tx.site())?;

    let mut work = Work { source, partial: &partial.folder, files: Vec::new(), watch };
    work.keys()?;
    let content = work.content(&inspection, included)?;
    drop(inspection);
    let elsewhere = elsewhere(&copied, source)?;
    let (mut done, watch) = (0, &mut *work.watch);
    let sum = files::sum(&copied, &mut |bytes| {
        done += bytes;
        tell(watch, BackupPhase::Digests, done, size)
    })?;
    work.note(DATABASE, sum);
    let mut listed = work.files;
    listed.sort_by(|a, b| a.path.cmp(&b.path));
    let manifest = Manifest {
        format: Manifest::format(),
        made_at: now,
        asked_by: order.asked_by.clone(),
        scheduled: order.scheduled,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        schema_version,
        server_id: site.map(|site| site.server_id),
        content,
        files: listed,
        elsewhere,
    };
    let text = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| BackupError::Manifest { path: partial.folder.clone(), why: error.to_string() })?;
    files::write(&partial.folder.join(MANIFEST), &text)?;
    let path = partial.finish(&target, &name)?;
    Ok(manifest.describe(&path))
}

/// Bytes of the database and what is not yet moved into it. The file is not opened: closing it would free the locks that a server in
/// this process has.
fn sizes(data: &Path) -> u64 {
    let size = |name: &str| fs::metadata(data.join(name)).map_or(0, |file| file.len());
    match size(DATABASE) {
        0 => 0,
        database => database + size("weir.db-wal"),
    }
}

/// Refuses before anything is written.
fn room(target: &Path, bytes: u64, margin: u64) -> Result<(), BackupError> {
    let (free, need) = (free_space(target)?, bytes.saturating_add(margin));
    if free < need { Err(BackupError::Room { path: target.to_owned(), free, need }) } else { Ok(()) }
}

/// What has to stay free where a backup goes.
fn margin(target: &Path, data: &Path) -> u64 {
    if is_same_disk(target, data) { OWN_MARGIN } else { MARGIN }
}

#[cfg(unix)]
fn is_same_disk(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let disk = |path: &Path| fs::metadata(path).map(|folder| folder.dev());
    matches!((disk(one), disk(other)), (Ok(one), Ok(other)) if one == other)
}

/// What it is not known of counts as the same.
#[cfg(not(unix))]
fn is_same_disk(_one: &Path, _other: &Path) -> bool {
    true
}

/// Files that settings name outside of the data folder.
fn elsewhere(database: &Path, source: &Source) -> Result<Vec<String>, BackupError> {
    let settings = Inspection::still(database)?.read(|tx| tx.setting_list())?;
    let named = settings.iter().filter(|row| FILE_SETTINGS.contains(&row.key.as_str()));
    let named = named.filter_map(|row| row.value.as_str()).filter(|path| !path.is_empty()).map(PathBuf::from);
    let mut all: Vec<String> =
        source.elsewhere.iter().cloned().chain(named).map(|path| path.display().to_string()).collect();
    all.sort();
    all.dedup();
    Ok(all)
}

/// What goes into a backup beside the database.
struct Work<'w, 'f> {
    source: &'w Source,
    partial: &'w Path,
    files: Vec<Entry>,
    watch: &'w mut Watch<'f>,
}

impl Work<'_, '_> {
    fn note(&mut self, path: &str, sum: Sum) {
        self.files.push(Entry { path: path.to_owned(), size: sum.size, sha256: sum.sha256 });
    }

    /// Keys, the token, the process settings.
    fn keys(&mut self) -> Result<(), BackupError> {
        let tls = self.source.data.join(TLS);
        let found = files::entries(&tls)?;
        if !found.is_empty() {
            files::create_folder(&self.partial.join(TLS))?;
        }
        for (name, path) in found {
            // a hidden one is on its way to another name
            if !name.starts_with('.') && files::is_file(&path) {
                self.copy(&path, &format!("{TLS}/{name}"))?;
            }
        }
        if self.partial.join(TLS).is_dir() {
            files::sync_folder(&self.partial.join(TLS))?;
        }
        let token = self.source.data.join(TOKEN_FILE);
        for (path, name) in [(token, TOKEN_FILE), (self.source.settings.clone(), SETTINGS)] {
            if path.is_file() {
                self.copy(&path, name)?;
            }
        }
        Ok(())
    }

    fn copy(&mut self, from: &Path, name: &str) -> Result<(), BackupError> {
        let sum = files::copy(from, &self.partial.join(name), &mut |_| Ok(()))?;
        self.note(name, sum);
        Ok(())
    }

    /// The list of content, and the files if they are wanted.
    fn content(&mut self, inspection: &Inspection, included: bool) -> Result<BackupContent, BackupError> {
        let total = inspection.read(|tx| tx.content_file_totals())?.bytes;
        let list = self.partial.join(CONTENT_LIST);
        let mut out = BufWriter::new(files::create(&list)?);
        let mut content = BackupContent { included, ..BackupContent::default() };
        let (mut cursor, mut folders): (Option<String>, Vec<PathBuf>) = (None, Vec::new());
        let source = self.source;
        let store = source.content.as_ref().filter(|_| included);
        if included {
            files::create_folder(&self.partial.join(CONTENT))?;
        }
        loop {
            let page = inspection.read(|tx| tx.content_file_list(cursor.as_deref(), PAGE))?;
            for row in page.items.iter().filter(|row| row.state == ContentState::Verified) {
                if let Some(store) = store {
                    let place = ContentStore::relative_path(row.digest, &row.extension);
                    let to = self.partial.join(CONTENT).join(&place);
                    let folder = to.parent().unwrap_or(self.partial).to_owned();
                    if !folders.contains(&folder) {
                        files::create_folder(&folder)?;
                        folders.push(folder);
                    }
                    if !self.one(store, row, &to, (content.bytes, total))? {
                        content.left_out += 1;
                        continue;
                    }
                }
                content.files += 1;
                content.bytes += row.size;
                let line = content_line(row.sha256, row.digest, &row.extension);
                out.write_all(line.as_bytes()).map_err(failed("writing", &list))?;
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
            tell(self.watch, BackupPhase::Files, content.bytes, if included { total } else { 0 })?;
        }
        let file = out.into_inner().map_err(|error| failed("writing", &list)(error.into_error()))?;
        file.sync_all().map_err(failed("writing", &list))?;
        for folder in &folders {
            files::sync_folder(folder)?;
        }
        if included {
            files::sync_folder(&self.partial.join(CONTENT))?;
        }
        let sum = files::sum(&list, &mut |_| Ok(()))?;
        self.note(CONTENT_LIST, sum);
        Ok(content)
    }

    /// Copies one content file. False if it is not there, or not what it should be: then nothing of it stays. An object store that
    /// does not answer is an error: nothing is known of the file.
    fn one(
        &mut self,
        store: &ContentStore,
        row: &ContentFileRow,
        to: &Path,
        (before, total): (u64, u64),
    ) -> Result<bool, BackupError> {
        let digest = row.digest;
        let opened = store.open(digest, &row.extension)?.filter(|(_, size)| *size == row.size);
        let Some((mut file, _)) = opened else {
            tracing::warn!(%digest, "a content file is not there, or has another size: it is not in the backup");
            return Ok(false);
        };
        let name = PathBuf::from(ContentStore::relative_path(digest, &row.extension));
        let mut done = before;
        let watch = &mut *self.watch;
        let copied = files::copy_from(&mut file, &name, to, &mut |bytes| {
            done += bytes;
            tell(watch, BackupPhase::Files, done, total)
        });
        match copied {
            Ok(sum) if (sum.size, sum.sha256) == (row.size, row.sha256) => return Ok(true),
            Ok(_) => {}
            // it went, or became another, while it was read
            Err(BackupError::File { source, path, .. }) if path == name && source.kind() == io::ErrorKind::NotFound => {
            }
            Err(error) => return Err(error),
        }
        tracing::warn!(%digest, "a content file is not what it should be: it is not in the backup");
        fs::remove_file(to).map_err(failed("removing", to))?;
        Ok(false)
    }
}

/// A backup on its way: gone when this is dropped before it is finished.
struct Partial {
    folder: PathBuf,
    /// Held while it grows, so that another process does not take it for left behind.
    lock: Option<File>,
    finished: bool,
}

impl Partial {
    fn begin(folder: PathBuf) -> Result<Self, BackupError> {
        files::create_folder(&folder)?;
        let mut partial = Self { folder, lock: None, finished: false };
        let path = partial.folder.join(shelf::WRITING);
        let lock = files::create(&path)?;
        lock.try_lock().map_err(|error| failed("locking", &path)(error.into()))?;
        partial.lock = Some(lock);
        Ok(partial)
    }

    /// Gives it its name.
    fn finish(mut self, target: &Path, name: &str) -> Result<PathBuf, BackupError> {
        let path = target.join(name);
        files::sync_folder(&self.folder)?;
        // a folder with anything in it is not replaced by this call either
        if fs::symlink_metadata(&path).is_ok() {
            let there = io::Error::from(io::ErrorKind::AlreadyExists);
            return Err(failed("naming", &path)(there));
        }
        fs::rename(&self.folder, &path).map_err(failed("naming", &path))?;
        self.finished = true;
        files::sync_folder(target)?;
        // it is whole, whether this is there or not
        self.lock = None;
        if let Err(error) = fs::remove_file(path.join(shelf::WRITING)) {
            tracing::warn!(path = %path.display(), %error, "the lock of a backup could not be removed; it does no harm");
        }
        Ok(path)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::warn!(path = %self.folder.display(), %error, "an unfinished backup could not be removed; the next one removes it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_of_the_database_is_not_filled() {
        let folder = tempfile::tempdir().expect("a folder");
        let (data, backups) = (folder.path().join("data"), folder.path().join("backups"));
        for path in [&data, &backups] {
            fs::create_dir(path).expect("a folder");
        }
        assert_eq!(margin(&backups, &data), OWN_MARGIN);
        let free = free_space(&backups).expect("asked");
        let refused = room(&backups, free.saturating_sub(MARGIN * 2), margin(&backups, &data)).expect_err("too little");
        assert_eq!(refused.code(), "backup_no_room");
    }
}
