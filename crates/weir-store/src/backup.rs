//! Copies of the database: made while it is in use, and looked at before anything relies on them.

use std::{
    fs::File,
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};

pub use crate::inspection::Inspection;
use crate::{
    DATABASE, ReadTx, StoreError,
    codec::args,
    content::sync_folder,
    db::failed,
    migrate,
    sql::statements,
    transfer::{self, Progress},
};

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

/// [`copy`] of the database of a site: of the one in the data folder; or, if an address names one, of all that this has, of which the
/// file becomes an embedded database.
pub fn copy_of(
    data: &Path,
    database: Option<&str>,
    target: &Path,
    step: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<bool, StoreError> {
    match database {
        None => copy(&data.join(DATABASE), target, step),
        Some(url) => {
            transfer::out_of_postgres(url, target, &mut |told: Progress<'_>| step(told.bytes, told.bytes_total))
        }
    }
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
pub(crate) fn alone(path: &Path) -> Result<(), StoreError> {
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

pub(crate) fn look(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)).map(drop)
}

pub(crate) fn create(path: &Path) -> Result<(), StoreError> {
    let mut options = File::options();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|source| StoreError::Open { path: path.to_owned(), source })
}

pub(crate) fn durable(path: &Path) -> Result<(), StoreError> {
    let fail = |source| StoreError::Open { path: path.to_owned(), source };
    File::open(path).and_then(|file| file.sync_all()).map_err(fail)?;
    sync_folder(path.parent().unwrap_or(Path::new("."))).map_err(fail)
}

pub(crate) fn open(path: &Path, access: OpenFlags) -> Result<Connection, StoreError> {
    let fail = |error| failed("opening the database", error);
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(fail)?;
    connection.busy_timeout(BUSY).map_err(fail)?;
    connection.pragma_update(None, "trusted_schema", false).map_err(fail)?;
    Ok(connection)
}

/// The version of the schema: the number of the last migration that was run; none if none was.
pub(crate) fn version(connection: &Connection) -> Result<Option<u32>, StoreError> {
    let history = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'refinery_schema_history'";
    let there: i64 = connection
        .query_row(history, [], |row| row.get(0))
        .map_err(|error| failed("reading the version of the schema", error))?;
    if there == 0 {
        return Ok(None);
    }
    let version = ReadTx::new(connection).first(&SCHEMA_VERSION, args![], |row| row.opt_int(0))?;
    Ok(version.flatten())
}

/// The name under which SQLite reads a file as it is, without a log and without locks.
pub(crate) fn uri(path: &Path) -> PathBuf {
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
