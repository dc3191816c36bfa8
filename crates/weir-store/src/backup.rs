//! Copies of the database: made while it is in use, and looked at before anything relies on them.

use std::{
    fs::{self, File},
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};

use crate::{ReadTx, StoreError, codec::args, content::sync_folder, db::failed, migrate, sql::statements};

/// Pages copied in one step (1 MiB with the pages of this database). Between two steps nothing is held but a view of the source.
const STEP: i32 = 256;
/// Pause before a step that found the source locked is made again.
const PAUSE: Duration = Duration::from_millis(20);
/// So often a step is made again before the copy is given up (a minute).
const ATTEMPTS: u32 = 3_000;
/// How long a statement waits for a lock.
const BUSY: Duration = Duration::from_secs(10);

statements! {
    SCHEMA_VERSION: "reading the version of the schema" = "SELECT max(version) FROM refinery_schema_history";
}

/// The newest version of the schema that this program knows: the number of its last migration.
pub fn newest_schema() -> u32 {
    migrate::newest()
}

impl ReadTx<'_> {
    /// The number of the last migration if a newer program made it, as one may that shares the database during an upgrade; none if
    /// this program knows all of them.
    pub fn schema_of_newer(&self) -> Result<Option<u32>, StoreError> {
        let version: Option<Option<u32>> = self.first(&SCHEMA_VERSION, args![], |row| row.opt_int(0))?;
        Ok(version.flatten().filter(|version| *version > newest_schema()))
    }
}

/// Bytes that this process may still write to the disk that holds a folder.
pub fn free_space(folder: &Path) -> Result<u64, StoreError> {
    fs4::available_space(folder).map_err(|source| StoreError::Open { path: folder.to_owned(), source })
}

/// Copies a database that may be in use into a new file, for its owner alone (mode 0600): one consistent state, the one at the
/// beginning. Writers are not kept waiting; what they write meanwhile stays in the write-ahead log until the copy is done.
///
/// `step` is told bytes copied and bytes in all; breaking off ends the copy. True if the copy is whole and durable; else the file
/// is of no use and to be removed.
pub fn copy(
    source: &Path,
    target: &Path,
    step: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<bool, StoreError> {
    let from = open(source, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // the view is held to the end: a copy of what goes on changing would begin anew with every commit
    let begin = |error| failed("beginning to copy the database", error);
    from.execute_batch("BEGIN").map_err(begin)?;
    look(&from).map_err(begin)?;
    create(target)?;
    let mut to = open(target, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // a copy that breaks off is thrown away, and a whole one is made durable below
    for name in ["journal_mode", "synchronous"] {
        to.pragma_update(None, name, "OFF").map_err(|error| failed("preparing the copy of the database", error))?;
    }
    if !pages(&from, &mut to, step)? {
        return Ok(false);
    }
    drop(to);
    drop(from);
    alone(target)?;
    durable(target)?;
    Ok(true)
}

/// Copies page after page. False if `step` broke off.
fn pages(
    from: &Connection,
    to: &mut Connection,
    step: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<bool, StoreError> {
    let fail = |error| failed("copying the database", error);
    let size: i64 = from.pragma_query_value(None, "page_size", |row| row.get(0)).map_err(fail)?;
    let backup = Backup::new(from, to).map_err(fail)?;
    let mut attempts = 0;
    loop {
        let result = backup.step(STEP).map_err(fail)?;
        let progress = backup.progress();
        let bytes = |pages: i32| i64::from(pages).saturating_mul(size).unsigned_abs();
        let done = bytes(progress.pagecount.saturating_sub(progress.remaining));
        if step(done, bytes(progress.pagecount)).is_break() {
            return Ok(false);
        }
        match result {
            StepResult::Done => return Ok(true),
            StepResult::More => attempts = 0,
            _ => {
                attempts += 1;
                if attempts > ATTEMPTS {
                    return Err(StoreError::Busy { action: "copying the database" });
                }
                std::thread::sleep(PAUSE);
            }
        }
    }
}

/// Makes a copied database one that needs no log beside it, so that it can be read where nothing can be written.
fn alone(path: &Path) -> Result<(), StoreError> {
    let fail = |error| failed("finishing the copy of the database", error);
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    look(&connection).map_err(fail)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0)).map_err(fail)?;
    connection.close().map_err(|(_, error)| fail(error))?;
    if mode.eq_ignore_ascii_case("delete") {
        Ok(())
    } else {
        Err(StoreError::Busy { action: "finishing the copy of the database" })
    }
}

fn look(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)).map(drop)
}

fn create(path: &Path) -> Result<(), StoreError> {
    let mut options = File::options();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|source| StoreError::Open { path: path.to_owned(), source })
}

fn durable(path: &Path) -> Result<(), StoreError> {
    let fail = |source| StoreError::Open { path: path.to_owned(), source };
    File::open(path).and_then(|file| file.sync_all()).map_err(fail)?;
    sync_folder(path.parent().unwrap_or(Path::new("."))).map_err(fail)
}

fn open(path: &Path, access: OpenFlags) -> Result<Connection, StoreError> {
    let fail = |error| failed("opening the database", error);
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(fail)?;
    connection.busy_timeout(BUSY).map_err(fail)?;
    connection.pragma_update(None, "trusted_schema", false).map_err(fail)?;
    Ok(connection)
}

/// A database that is looked at and never changed. No migration is run, and no lock is taken.
#[derive(Debug)]
pub struct Inspection {
    connection: Connection,
    /// What was written and not yet moved into the file is not seen.
    without_log: bool,
}

impl Inspection {
    /// Opens a database that may be in use by another process. Where nothing can be written beside it (a read-only disk) the file
    /// alone is read ([`Inspection::is_without_log`]).
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let opened = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
        let readable = opened.and_then(|connection| {
            look(&connection).map_err(|error| failed("reading the database", error))?;
            Ok(connection)
        });
        match readable {
            Ok(connection) => Ok(Self { connection, without_log: false }),
            Err(StoreError::DiskFailed { .. } | StoreError::Query { .. }) => {
                Ok(Self { without_log: true, ..Self::still(path)? })
            }
            Err(error) => Err(error),
        }
    }

    /// Opens a database that nobody writes to, such as one of a backup. Nothing is made beside it.
    pub fn still(path: &Path) -> Result<Self, StoreError> {
        let missing = |source| StoreError::Open { path: path.to_owned(), source };
        let whole = fs::canonicalize(path).map_err(missing)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let connection = open(&uri(&whole), flags)?;
        look(&connection).map_err(|error| failed("reading the database", error))?;
        Ok(Self { connection, without_log: false })
    }

    /// Only the file could be read, without the log beside it.
    pub fn is_without_log(&self) -> bool {
        self.without_log
    }

    /// The version of the schema: the number of the last migration that was run; none if none was.
    pub fn schema_version(&self) -> Result<Option<u32>, StoreError> {
        let history = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'refinery_schema_history'";
        let there: i64 = self
            .connection
            .query_row(history, [], |row| row.get(0))
            .map_err(|error| failed("reading the version of the schema", error))?;
        if there == 0 {
            return Ok(None);
        }
        let version = self.read(|tx| tx.first(&SCHEMA_VERSION, args![], |row| row.opt_int(0)))?;
        Ok(version.flatten())
    }

    /// What is wrong with the structure of the file, at most so many findings; none if nothing is. `thorough` compares every index
    /// with its table, too.
    pub fn damage(&self, thorough: bool, most: u32) -> Result<Vec<String>, StoreError> {
        let pragma = if thorough { "integrity_check" } else { "quick_check" };
        let mut found = Vec::new();
        let looked = self.connection.pragma(None, pragma, most, |row| {
            found.push(row.get::<_, String>(0)?);
            Ok(())
        });
        match looked.map_err(|error| failed("checking the database", error)) {
            Ok(()) => {}
            // pages that cannot be made sense of at all
            Err(StoreError::Corrupt { what }) => found.push(what),
            Err(error) => return Err(error),
        }
        found.retain(|line| line != "ok");
        Ok(found)
    }

    /// Rows that refer to what is not there, by table and the table that they refer to, with how many.
    pub fn dangling(&self) -> Result<Vec<(String, String, u64)>, StoreError> {
        let mut found: Vec<(String, String, u64)> = Vec::new();
        self.connection
            .pragma_query(None, "foreign_key_check", |row| {
                let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
                match found.iter_mut().find(|(known, above, _)| *known == table && *above == parent) {
                    Some((_, _, count)) => *count += 1,
                    None => found.push((table, parent, 1)),
                }
                Ok(())
            })
            .map_err(|error| failed("checking references of the database", error))?;
        Ok(found)
    }

    /// Reads it as a server would.
    pub fn read<T>(&self, work: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        work(&ReadTx::new(&self.connection))
    }
}

/// The name under which SQLite reads a file as it is, without a log and without locks.
fn uri(path: &Path) -> PathBuf {
    let mut name = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => name.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => name.push(char::from(*byte)),
            byte => name.push_str(&format!("%{byte:02X}")),
        }
    }
    name.push_str("?immutable=1");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_escaped() {
        assert_eq!(uri(Path::new("/a b/c?d#e%.db")), Path::new("file:/a%20b/c%3Fd%23e%25.db?immutable=1"));
    }
}
