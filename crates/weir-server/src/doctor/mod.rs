//! Looks for damage in a data folder, whether its server runs or not, and explains it.
//!
//! Everything is only read: the database as another reader of it, without running migrations. If it is on a server of PostgreSQL, what is
//! in it is looked at in the same way, and its files are left to the tools of that server. What is repaired is what cannot lose
//! anything: permissions that are too wide, and files that nobody will use again. The rest is explained, with the step that helps.

mod content;
mod database;
mod folder;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use serde::Serialize;
use weir_store::{DATABASE, FolderLock, Store, StoreError, backup::Inspection};

use crate::{admin::chain, backup::BackupError, config::Settings};

/// The lock of a data folder.
const LOCK: &str = "weir.lock";
/// Things of a finding that are named; further ones are counted.
const NAMED: usize = 20;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know; nothing has to be done.
    Note,
    /// It needs somebody.
    Warning,
    /// Something is lost or will be.
    Damage,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $severity:ident;)+) => {
        $($(#[$doc])* const $name: Code = Code { code: $code, severity: Severity::$severity };)+

        /// Every code of a finding, by name.
        pub const CODES: &[&str] = &[$($code),+];
    };
}

/// What kind of finding it is.
#[derive(Clone, Copy, Debug)]
struct Code {
    code: &'static str,
    severity: Severity,
}

codes! {
    /// The authority of the data folder is not whole.
    AUTHORITY = "authority", Damage;
    /// A content file is not what it should be.
    CONTENT_DIFFERS = "content_differs", Damage;
    /// Content files that the database does not know.
    CONTENT_LEFT_OVER = "content_left_over", Note;
    /// A content file is not there.
    CONTENT_MISSING = "content_missing", Warning;
    /// Content files that were put aside, or are known to be gone.
    CONTENT_PUT_ASIDE = "content_put_aside", Warning;
    /// The counter of changes is behind.
    COUNTER_BEHIND = "counter_behind", Damage;
    /// Rows that refer to what is not there.
    DANGLING_ROWS = "dangling_rows", Damage;
    /// The structure of the database is damaged.
    DATABASE_DAMAGED = "database_damaged", Damage;
    /// The files of the database are on its server, and were not looked at.
    DATABASE_ELSEWHERE = "database_elsewhere", Note;
    /// The database has no bytes.
    DATABASE_EMPTY = "database_empty", Damage;
    /// There is no database.
    DATABASE_MISSING = "database_missing", Damage;
    /// The server of the database does not answer, or its database cannot be used.
    DATABASE_UNREACHABLE = "database_unreachable", Warning;
    /// The file is no database of Weir, or cannot be read at all.
    DATABASE_UNREADABLE = "database_unreadable", Damage;
    /// A disk has no room.
    DISK_FULL = "disk_full", Damage;
    /// A disk has little room.
    DISK_LOW = "disk_low", Warning;
    /// Files that nobody will use again.
    LEFT_OVER = "left_over", Note;
    /// The log beside the database could not be read.
    LOG_NOT_READ = "log_not_read", Warning;
    /// Names of updates and revisions that are not there.
    MISSING_REFERENCE = "missing_reference", Damage;
    /// There is no backup in the folder of backups.
    NO_BACKUP = "no_backup", Note;
    /// The object store that has the content cannot be looked at.
    OBJECT_STORE = "object_store", Warning;
    /// Files of another user.
    OWNER = "owner", Warning;
    /// Files that others can read or write.
    PERMISSIONS = "permissions", Warning;
    /// The data folder cannot be written.
    READ_ONLY = "read_only", Damage;
    /// A restore was cut short.
    RESTORE_UNFINISHED = "restore_unfinished", Damage;
    /// The text of a revision is not the one that was stored.
    REVISION_TEXT = "revision_text", Damage;
    /// The database is of a later program.
    SCHEMA_NEWER = "schema_newer", Warning;
    /// The database is of an earlier program.
    SCHEMA_OLDER = "schema_older", Note;
    /// The status of a computer cannot be read.
    STATUS_UNREADABLE = "status_unreadable", Damage;
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Stable, for programs; one of [`CODES`].
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is the matter, and what it means.
    pub detail: String,
    /// How many things it is about.
    pub count: u64,
    /// The first of them.
    pub named: Vec<String>,
    /// What to do.
    pub next_step: String,
    /// What `--repair` does about it; none if it leaves it alone.
    pub repair: Option<String>,
    /// It was repaired.
    pub repaired: bool,
    #[serde(skip)]
    fixes: Vec<Fix>,
}

/// Something safe.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Fix {
    /// Takes rights away.
    Restrict(PathBuf, u32),
    /// Removes a file or a folder with all that is in it.
    Remove(PathBuf),
}

/// What a look at a data folder gave.
#[derive(Clone, Debug, Serialize)]
pub struct Diagnosis {
    /// The data folder.
    pub data: String,
    /// A server runs on it.
    pub running: bool,
    /// Version of the database's schema.
    pub schema_version: Option<u32>,
    /// Revisions whose texts were compared.
    pub revisions: u64,
    /// Computers whose status was read.
    pub computers: u64,
    /// Content files that were looked at.
    pub content_files: u64,
    /// Their bytes were read, too.
    pub content_read: bool,
    /// What was found, worst first.
    pub findings: Vec<Finding>,
}

impl Diagnosis {
    /// Whether something was found that needs somebody and was not repaired.
    pub fn needs_somebody(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity > Severity::Note && !finding.repaired)
    }
}

/// How to look.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Wanted {
    /// Read every content file and compare its digest.
    pub content: bool,
    /// Repair what is safe; no server may run.
    pub repair: bool,
}

/// Is told what is looked at, how far that is, and how far it goes (0 if that is not known).
pub type Watch<'w> = dyn FnMut(&'static str, u64, u64) + 'w;

/// What is known while it is looked.
struct Look<'l, 'w> {
    settings: &'l Settings,
    wanted: Wanted,
    watch: &'l mut Watch<'w>,
    diagnosis: Diagnosis,
}

impl Finding {
    /// A finding about things that are named.
    fn new(code: Code, named: Vec<String>, detail: impl Into<String>, next_step: impl Into<String>) -> Self {
        let count = named.len() as u64;
        Self {
            code: code.code,
            severity: code.severity,
            detail: detail.into(),
            count,
            named: named.into_iter().take(NAMED).collect(),
            next_step: next_step.into(),
            repair: None,
            repaired: false,
            fixes: Vec::new(),
        }
    }

    /// The same about more than are named.
    fn of(self, count: u64) -> Self {
        Self { count, ..self }
    }

    /// The same with what repairs it.
    fn mended(self, how: &str, fixes: Vec<Fix>) -> Self {
        Self { repair: Some(how.to_owned()), fixes, ..self }
    }
}

impl Look<'_, '_> {
    fn add(&mut self, finding: Finding) {
        self.diagnosis.findings.push(finding);
    }
}

/// Looks at the data folder of these settings. Blocks; an object store is looked at through the runtime that this is called in. Fails
/// only where nothing can be looked at.
pub fn examine(settings: &Settings, wanted: Wanted, watch: &mut Watch<'_>) -> Result<Diagnosis, BackupError> {
    let data = &settings.data;
    if !data.is_dir() {
        return Err(BackupError::NoDatabase(data.clone()));
    }
    // not made where there is none: it would be of whoever looks
    let held = data.join(LOCK).exists().then(|| Store::lock(data)).transpose();
    let running = matches!(held, Err(StoreError::Locked(_)));
    if running && wanted.repair {
        return Err(StoreError::Locked(data.clone()).into());
    }
    let unwritable = match &held {
        Ok(_) | Err(StoreError::Locked(_)) => None,
        Err(error) => Some(chain(error)),
    };
    // held while something is repaired; a look keeps no server from starting
    let _lock: Option<FolderLock> = held.ok().flatten().filter(|_| wanted.repair);
    let diagnosis = Diagnosis {
        data: data.display().to_string(),
        running,
        schema_version: None,
        revisions: 0,
        computers: 0,
        content_files: 0,
        content_read: wanted.content,
        findings: Vec::new(),
    };
    let mut look = Look { settings, wanted, watch, diagnosis };
    if let Some(why) = unwritable {
        look.add(Finding::new(
            READ_ONLY,
            vec![why],
            "the data folder cannot be written: a server on it takes no reports and stores no decision",
            "mount the disk writable again, after a look at what the system's log says of it; or give the folder to the server's user",
        ));
    }
    look.folder();
    if let Some(inspection) = look.open() {
        look.database(&inspection);
        look.content(&inspection);
    }
    let mut diagnosis = look.diagnosis;
    diagnosis.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    if wanted.repair {
        repair(&mut diagnosis);
    }
    Ok(diagnosis)
}

impl Look<'_, '_> {
    /// Opens the database on its server.
    fn open_there(&mut self, place: String) -> Option<Inspection> {
        match crate::database::look(self.settings) {
            Ok(inspection) => Some(inspection),
            Err(error) => {
                let detail = format!("the database could not be looked at: {}", chain(&error));
                let next_step = "see that its server runs and lets this machine in, with the user and password of the process settings (--config)";
                self.add(Finding::new(DATABASE_UNREACHABLE, vec![place], detail, next_step));
                None
            }
        }
    }

    /// Opens the database, if there is one.
    fn open(&mut self) -> Option<Inspection> {
        if let Some(database) = &self.settings.database {
            return self.open_there(database.place());
        }
        let path = self.settings.data.join(DATABASE);
        let restore = "restore the last backup: weir restore FOLDER --replace";
        match std::fs::metadata(&path) {
            Err(error) => {
                let detail =
                    format!("there is no database ({error}): without it nothing that was decided or reported is known");
                self.add(Finding::new(DATABASE_MISSING, vec![DATABASE.to_owned()], detail, restore));
                return None;
            }
            Ok(file) if file.len() == 0 => {
                let detail = "the database has no bytes: nothing that was decided or reported is known; a server does not start on it";
                self.add(Finding::new(DATABASE_EMPTY, vec![DATABASE.to_owned()], detail, restore));
                return None;
            }
            Ok(_) => {}
        }
        match Inspection::open(&path) {
            Ok(inspection) => Some(inspection),
            Err(error) => {
                let detail = format!("the database cannot be read: {}", chain(&error));
                self.add(Finding::new(DATABASE_UNREADABLE, vec![DATABASE.to_owned()], detail, restore));
                None
            }
        }
    }
}

/// Does what is safe. What fails is said in the finding.
fn repair(diagnosis: &mut Diagnosis) {
    for finding in &mut diagnosis.findings {
        if finding.fixes.is_empty() {
            continue;
        }
        let mut failed = Vec::new();
        for fix in std::mem::take(&mut finding.fixes) {
            if let Err(error) = apply(&fix) {
                let (Fix::Restrict(path, _) | Fix::Remove(path)) = &fix;
                failed.push(format!("{}: {error}", path.display()));
            }
        }
        finding.repaired = failed.is_empty();
        if !failed.is_empty() {
            finding.detail = format!("{}; it could not be repaired: {}", finding.detail, failed.join("; "));
        }
    }
}

fn apply(fix: &Fix) -> std::io::Result<()> {
    match fix {
        Fix::Restrict(path, mode) => restrict(path, *mode),
        Fix::Remove(path) if std::fs::symlink_metadata(path)?.is_dir() => std::fs::remove_dir_all(path),
        Fix::Remove(path) => std::fs::remove_file(path),
    }
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> std::io::Result<()> {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn restrict(_path: &Path, _mode: u32) -> std::io::Result<()> {
    Ok(())
}
