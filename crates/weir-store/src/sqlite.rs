//! The embedded engine: one file in the data folder, one connection that writes and some that read.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};

use crate::{StoreError, checkpoint::Checkpointer, db::failed, migrate, pool::Pool};

/// The name of the database in the data folder.
pub const DATABASE: &str = "weir.db";
/// Its write-ahead log, beside it.
const LOG: &str = "weir.db-wal";
/// How long a statement waits for a lock that only an outside program can hold.
const BUSY: Duration = Duration::from_secs(10);
/// What `auto_vacuum` answers when pages are given back on demand.
const INCREMENTAL: i64 = 2;
/// Above the number of registered statements.
const STATEMENT_CACHE: usize = 1_024;

/// The connections to the file.
pub(crate) struct Sqlite {
    // Fields drop in this order: the checkpointer's connection after all others.
    pub(crate) writer: Mutex<Connection>,
    pub(crate) readers: Pool<Connection>,
    _checkpointer: Checkpointer,
    path: PathBuf,
}

impl Sqlite {
    /// Opens the database of a data folder, creating it if absent, and brings the schema up to date.
    pub(crate) fn open(data: &Path, readers: usize, cache_kib: u32) -> Result<Self, StoreError> {
        let path = data.join(DATABASE);
        own(&path).map_err(|source| StoreError::Open { path: path.clone(), source })?;
        let write = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut writer = connect(&path, write, cache_kib)?;
        migrate::run(&mut writer, &path)?;
        let checkpointer = Checkpointer::start(&mut writer, connect(&path, write, cache_kib)?)?;
        let readers = (0..readers.max(1))
            .map(|_| connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY, cache_kib))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { writer: Mutex::new(writer), readers: Pool::new(readers), _checkpointer: checkpointer, path })
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes on disk: the file and its write-ahead log.
    pub(crate) fn size(&self) -> Result<u64, StoreError> {
        Ok(size_of(&self.path)? + self.log_size()?)
    }

    /// Bytes of the write-ahead log.
    pub(crate) fn log_size(&self) -> Result<u64, StoreError> {
        size_of(&self.path.with_file_name(LOG))
    }

    /// Bytes of the file that nothing uses, and whether they can be given back.
    pub(crate) fn free(&self) -> Result<(u64, bool), StoreError> {
        let reader = self.readers.lend();
        let ask = |name: &str| {
            let answer = reader.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
            answer.map_err(|error| failed("looking for unused space", error))
        };
        let bytes = ask("freelist_count")?.saturating_mul(ask("page_size")?);
        Ok((bytes.unsigned_abs(), ask("auto_vacuum")? == INCREMENTAL))
    }

    /// Gives unused pages back to the disk, at most so many.
    pub(crate) fn reclaim(&self, pages: u32) -> Result<(), StoreError> {
        let writer = self.writer.lock();
        let fail = |error| failed("giving unused space back", error);
        let mut statement = writer.prepare(&format!("PRAGMA incremental_vacuum({pages})")).map_err(fail)?;
        let mut rows = statement.raw_query();
        // each step gives one page back
        while rows.next().map_err(fail)?.is_some() {}
        Ok(())
    }
}

fn size_of(path: &Path) -> Result<u64, StoreError> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(source) => Err(StoreError::Open { path: path.to_owned(), source }),
    }
}

/// Creates the database's file for its owner alone: it holds the keys of cookies. Its log gets the same mode.
fn own(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata()?.permissions().mode();
        if mode & 0o077 != 0 {
            file.set_permissions(std::fs::Permissions::from_mode(mode & 0o700))?;
        }
    }
    drop(file);
    Ok(())
}

fn connect(path: &Path, access: OpenFlags, cache_kib: u32) -> Result<Connection, StoreError> {
    let fail = |error| failed("opening the database", error);
    // Each connection is used by one thread at a time, which the pool guarantees.
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(fail)?;
    connection.busy_timeout(BUSY).map_err(fail)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    if access.contains(OpenFlags::SQLITE_OPEN_CREATE) {
        // Without effect once there is a table: unused pages of new files can be given back.
        connection.pragma_update(None, "auto_vacuum", INCREMENTAL).map_err(fail)?;
        // The mode is kept in the file; readers find it there.
        connection.pragma_update(None, "journal_mode", "WAL").map_err(fail)?;
        // The log does not stay large after one large transaction.
        connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024).map_err(fail)?;
    }
    // Durable before acknowledged, also against a loss of power.
    connection.pragma_update(None, "synchronous", "FULL").map_err(fail)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(fail)?;
    connection.pragma_update(None, "trusted_schema", false).map_err(fail)?;
    connection.pragma_update(None, "temp_store", "MEMORY").map_err(fail)?;
    connection.pragma_update(None, "cache_size", -i64::from(cache_kib)).map_err(fail)?;
    Ok(connection)
}
