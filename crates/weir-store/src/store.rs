//! Opening the database and running units of work.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use jiff::Timestamp;
use parking_lot::{Condvar, Mutex};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::{
    Observed, Observer, ReadTx, StoreError, UnitKind, WriteTx, checkpoint::Checkpointer, db::failed, lock::FolderLock,
    migrate,
};

/// The name of the database in the data folder.
pub const DATABASE: &str = "weir.db";
/// How long a statement waits for a lock that only an outside program can hold.
const BUSY: Duration = Duration::from_secs(10);
/// What `auto_vacuum` answers when pages are given back on demand.
const INCREMENTAL: i64 = 2;
/// Above the number of registered statements.
const STATEMENT_CACHE: usize = 1_024;

/// How to open a store.
#[derive(Clone, Debug)]
pub struct Options {
    /// Connections for readers, at least 1; a reader beyond them waits.
    pub readers: usize,
    /// Page cache of each connection in KiB.
    pub cache_kib: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 8, cache_kib: 8 * 1024 }
    }
}

/// Who asks for a write, from where, and when. Every write names one; it is kept with what it changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Actor {
    /// The principal, for example `administrator`, or a part of the server, for example `system: content`.
    pub name: String,
    /// Address that the request came from; none for the server itself.
    pub from: Option<String>,
    /// The instant of the write. The store reads no clock.
    pub at: Timestamp,
    /// How the principal proved who it is.
    pub proof: Option<String>,
    /// Who approved the act, where a second person had to.
    pub approved_by: Option<String>,
}

impl Actor {
    /// A part of the server itself.
    pub fn system(part: &str, at: Timestamp) -> Self {
        Self { name: format!("system: {part}"), from: None, at, proof: None, approved_by: None }
    }

    /// A principal, and the address of its request.
    pub fn principal(name: &str, from: Option<&str>, at: Timestamp) -> Self {
        Self { name: name.to_owned(), from: from.map(str::to_owned), at, proof: None, approved_by: None }
    }
}

/// The database of one site. Clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    // Fields drop in this order: the checkpointer's connection after all others, and the lock when no connection is left.
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    reader_free: Condvar,
    _checkpointer: Checkpointer,
    observer: OnceLock<Arc<dyn Observer>>,
    changes: Changes,
    folder: PathBuf,
    _lock: FolderLock,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("folder", &self.inner.folder).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database of a data folder, creating folder and database if absent, takes the folder's exclusive lock
    /// (held until the last clone is dropped) and brings the schema up to date.
    ///
    /// Fails with [`StoreError::Locked`] while another process has the folder.
    pub fn open(data: &Path, options: &Options) -> Result<Self, StoreError> {
        let lock = FolderLock::take(data)?;
        let path = data.join(DATABASE);
        own(&path).map_err(|source| StoreError::Open { path: path.clone(), source })?;
        let write = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut writer = connect(&path, write, options)?;
        migrate::run(&mut writer, &path)?;
        let checkpointer = Checkpointer::start(&mut writer, connect(&path, write, options)?)?;
        let readers = (0..options.readers.max(1))
            .map(|_| connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY, options))
            .collect::<Result<Vec<_>, _>>()?;
        let inner = Inner {
            writer: Mutex::new(writer),
            readers: Mutex::new(readers),
            reader_free: Condvar::new(),
            _checkpointer: checkpointer,
            observer: OnceLock::new(),
            changes: Changes::default(),
            folder: data.to_owned(),
            _lock: lock,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Tells `observer` of every unit of work from now on. The first one stays.
    pub fn observe(&self, observer: Arc<dyn Observer>) {
        // a second server of the process on the same data has nothing else to say
        let _ = self.inner.observer.set(observer);
    }

    fn observed(&self, kind: UnitKind) -> Option<Box<dyn Observed>> {
        self.inner.observer.get().map(|observer| observer.unit(kind))
    }

    /// Runs `work` on a consistent view of the database. Blocks; never call it from an asynchronous worker thread, and
    /// never from inside another unit of work.
    pub fn read<T>(&self, work: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.try_read(work)
    }

    /// [`Store::read`] for a closure with an error type of its own.
    pub fn try_read<T, E: From<StoreError>>(&self, work: impl FnOnce(&ReadTx<'_>) -> Result<T, E>) -> Result<T, E> {
        let mut observed = self.observed(UnitKind::Read);
        let reader = self.reader();
        let begin = |error| failed("beginning to read", error);
        // Deferred: the view is fixed by the first statement. Nothing is written, so rolling back on drop is right.
        let transaction = Transaction::new_unchecked(&reader, TransactionBehavior::Deferred).map_err(begin)?;
        if let Some(observed) = &mut observed {
            observed.begins();
        }
        let done = work(&ReadTx::new(&transaction));
        if let Some(observed) = &mut observed {
            observed.ends(done.is_ok());
        }
        done
    }

    /// Runs `work` in the one write transaction there is at a time. It is durable when this returns `Ok`; on `Err` or a
    /// panic nothing of it happened. Blocks; never call it from an asynchronous worker thread, and never from inside
    /// another unit of work.
    pub fn write<T>(
        &self,
        actor: &Actor,
        work: impl FnOnce(&WriteTx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.try_write(actor, work)
    }

    /// [`Store::write`] for a closure with an error type of its own.
    pub fn try_write<T, E: From<StoreError>>(
        &self,
        actor: &Actor,
        work: impl FnOnce(&WriteTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut observed = self.observed(UnitKind::Write);
        let mut writer = self.inner.writer.lock();
        let begin = |error| failed("beginning to write", error);
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate).map_err(begin)?;
        if let Some(observed) = &mut observed {
            observed.begins();
        }
        let worked = work(&WriteTx::new(&transaction, actor));
        let done = worked.and_then(|done| {
            transaction.commit().map_err(|error| failed("making a change durable", error))?;
            Ok(done)
        });
        if let Some(observed) = &mut observed {
            observed.ends(done.is_ok());
        }
        if done.is_ok() {
            self.inner.changes.tell();
        }
        done
    }

    /// [`Store::write`] beside the turn of the one writer, where the database lets several write: for the few rows that say who is
    /// there ([`crate::front_end`]) and nothing else, so that a large transaction does not make a server look dead.
    pub fn write_aside<T>(
        &self,
        actor: &Actor,
        work: impl FnOnce(&WriteTx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.write(actor, work)
    }

    /// Whether other processes may write this database, too.
    pub fn is_shared(&self) -> bool {
        false
    }

    /// Waits until something was written since this was asked last, by whomever, though no longer than `timeout`. True if something
    /// was, as far as is known. Blocks; one may wait at a time.
    pub fn wait_for_change(&self, timeout: Duration) -> Result<bool, StoreError> {
        Ok(self.inner.changes.wait(timeout))
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    /// Bytes on disk: the database file and its write-ahead log.
    pub fn size(&self) -> Result<u64, StoreError> {
        let mut bytes = 0;
        for name in [DATABASE, "weir.db-wal"] {
            let path = self.inner.folder.join(name);
            match std::fs::metadata(&path) {
                Ok(metadata) => bytes += metadata.len(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(StoreError::Open { path, source }),
            }
        }
        Ok(bytes)
    }

    /// Bytes of the write-ahead log.
    pub fn log_size(&self) -> Result<u64, StoreError> {
        let path = self.inner.folder.join("weir.db-wal");
        match std::fs::metadata(&path) {
            Ok(metadata) => Ok(metadata.len()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(source) => Err(StoreError::Open { path, source }),
        }
    }

    /// Bytes that this process may still write to the disk that holds the data folder.
    pub fn disk_free(&self) -> Result<u64, StoreError> {
        let path = &self.inner.folder;
        fs4::available_space(path).map_err(|source| StoreError::Open { path: path.clone(), source })
    }

    /// Bytes of the database file that nothing uses, and whether [`Store::reclaim`] can give them back: files made by
    /// releases before this one keep them for what is stored later.
    pub fn free(&self) -> Result<(u64, bool), StoreError> {
        let reader = self.reader();
        let ask = |name: &str| {
            let answer = reader.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
            answer.map_err(|error| failed("looking for unused space", error))
        };
        let bytes = ask("freelist_count")?.saturating_mul(ask("page_size")?);
        Ok((bytes.unsigned_abs(), ask("auto_vacuum")? == INCREMENTAL))
    }

    /// Gives unused pages of the database file back to the disk, at most so many. Returns how many bytes are unused then. The
    /// file shrinks when the log is next moved into it.
    pub fn reclaim(&self, pages: u32) -> Result<u64, StoreError> {
        {
            let writer = self.inner.writer.lock();
            let fail = |error| failed("giving unused space back", error);
            let mut statement = writer.prepare(&format!("PRAGMA incremental_vacuum({pages})")).map_err(fail)?;
            let mut rows = statement.raw_query();
            // each step gives one page back
            while rows.next().map_err(fail)?.is_some() {}
        }
        Ok(self.free()?.0)
    }

    /// Takes the lock of a data folder without opening its database, for offline commands.
    pub fn lock(data: &Path) -> Result<FolderLock, StoreError> {
        FolderLock::take(data)
    }

    /// A number that the engine was told for the writer.
    #[cfg(test)]
    pub(crate) fn pragma(&self, name: &str) -> i64 {
        self.inner.writer.lock().pragma_query_value(None, name, |row| row.get(0)).expect("a pragma")
    }

    fn reader(&self) -> Reader<'_> {
        let mut free = self.inner.readers.lock();
        loop {
            if let Some(connection) = free.pop() {
                return Reader { connection: Some(connection), inner: &self.inner };
            }
            self.inner.reader_free.wait(&mut free);
        }
    }
}

/// How often this process wrote, and how much of that was heard of.
#[derive(Debug, Default)]
struct Changes {
    counts: Mutex<(u64, u64)>,
    changed: Condvar,
}

impl Changes {
    fn tell(&self) {
        self.counts.lock().0 += 1;
        self.changed.notify_all();
    }

    fn wait(&self, timeout: Duration) -> bool {
        let mut counts = self.counts.lock();
        if counts.0 == counts.1 {
            self.changed.wait_for(&mut counts, timeout);
        }
        let news = counts.0 != counts.1;
        counts.1 = counts.0;
        news
    }
}

/// A reader's connection on loan; dropping it, on a panic too, gives it back.
struct Reader<'s> {
    connection: Option<Connection>,
    inner: &'s Inner,
}

impl std::ops::Deref for Reader<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("only drop takes the connection")
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.inner.readers.lock().extend(self.connection.take());
        self.inner.reader_free.notify_one();
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

fn connect(path: &Path, access: OpenFlags, options: &Options) -> Result<Connection, StoreError> {
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
    connection.pragma_update(None, "cache_size", -i64::from(options.cache_kib)).map_err(fail)?;
    Ok(connection)
}
