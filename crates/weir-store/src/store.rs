//! Opening the database and running units of work.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Transaction, TransactionBehavior};

use crate::{
    Observed, Observer, ReadTx, StoreError, UnitKind, WriteTx,
    changes::Changes,
    codec::args,
    db::failed,
    lock::FolderLock,
    pg::{self, Postgres},
    sqlite::Sqlite,
};

/// How to open a store.
#[derive(Clone)]
pub struct Options {
    /// Connections for readers, at least 1; a reader beyond them waits.
    pub readers: usize,
    /// Page cache of each connection in KiB, of the embedded database.
    pub cache_kib: u32,
    /// Address of a database of PostgreSQL (`postgres://user:password@host/name`, see [`database_place`]), in place of the embedded
    /// one in the data folder.
    pub database: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 8, cache_kib: 8 * 1024, database: None }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let database = self.database.as_deref().map(pg::without_password);
        f.debug_struct("Options")
            .field("readers", &self.readers)
            .field("cache_kib", &self.cache_kib)
            .field("database", &database)
            .finish()
    }
}

/// Where the database of an address is, without the password: for settings and messages. An error says what is wrong with the
/// address.
///
/// Addresses are those of libpq: `postgres://weir@one,two/weir?sslmode=verify-full&sslrootcert=/etc/weir/ca.pem`, or
/// `postgres://weir@/weir?host=/run/postgresql` for a Unix socket. `sslmode` is `prefer` if nothing is said of it: TLS where the
/// server has it, whoever it is. Only `verify-full` (with the authorities in `sslrootcert`, or those of the system) proves that
/// the server is the one that was meant.
pub fn database_place(url: &str) -> Result<String, StoreError> {
    pg::place(url)
}

/// What keeps the data.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Engine {
    /// The database in the data folder.
    Sqlite,
    /// A database on a server, which several front ends can share.
    Postgres,
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
    // Fields drop in this order: the lock when no connection is left.
    database: Database,
    changes: Arc<Changes>,
    observer: OnceLock<Arc<dyn Observer>>,
    folder: PathBuf,
    _lock: FolderLock,
}

enum Database {
    Sqlite(Box<Sqlite>),
    Postgres(Box<Postgres>),
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("folder", &self.inner.folder)
            .field("place", &self.place())
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database of a data folder, creating the folder, and in it the database, if absent, or the one that the options name.
    /// Takes the folder's exclusive lock (held until the last clone is dropped) and brings the schema up to date.
    ///
    /// Fails with [`StoreError::Locked`] while another process has the folder, with [`StoreError::Unreachable`] if a server does not
    /// answer, and with [`StoreError::DatabaseRefused`] if its database cannot be used.
    pub fn open(data: &Path, options: &Options) -> Result<Self, StoreError> {
        let lock = FolderLock::take(data)?;
        let database = match &options.database {
            None => Database::Sqlite(Box::new(Sqlite::open(data, options.readers, options.cache_kib)?)),
            Some(url) => Database::Postgres(Box::new(Postgres::open(url, options.readers)?)),
        };
        let inner = Inner {
            database,
            changes: Arc::default(),
            observer: OnceLock::new(),
            folder: data.to_owned(),
            _lock: lock,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What keeps the data.
    pub fn engine(&self) -> Engine {
        match &self.inner.database {
            Database::Sqlite(_) => Engine::Sqlite,
            Database::Postgres(_) => Engine::Postgres,
        }
    }

    /// Where the data are, for messages: the file, or `postgres://user@host/name` without the password.
    pub fn place(&self) -> String {
        match &self.inner.database {
            Database::Sqlite(sqlite) => sqlite.path().display().to_string(),
            Database::Postgres(postgres) => postgres.place().to_owned(),
        }
    }

    /// The file of the embedded database. [`StoreError::NotEmbedded`] with another engine; `what` is said there, for example
    /// `copying the database`.
    pub fn embedded(&self, what: &'static str) -> Result<&Path, StoreError> {
        match &self.inner.database {
            Database::Sqlite(sqlite) => Ok(sqlite.path()),
            Database::Postgres(postgres) => Err(StoreError::NotEmbedded { what, place: postgres.place().to_owned() }),
        }
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
        match &self.inner.database {
            Database::Sqlite(sqlite) => {
                let reader = sqlite.readers.lend();
                let begin = |error| failed("beginning to read", error);
                // Deferred: the view is fixed by the first statement. Nothing is written, so rolling back on drop is right.
                let transaction = Transaction::new_unchecked(&reader, TransactionBehavior::Deferred).map_err(begin)?;
                watched::<T, E>(&mut observed, || work(&ReadTx::new(&transaction)))
            }
            Database::Postgres(postgres) => {
                let session = postgres.readers.lend();
                let _unit = session.begin_read()?;
                watched::<T, E>(&mut observed, || work(&ReadTx::postgres(&session)))
            }
        }
    }

    /// Runs `work` in the one write transaction there is at a time. It is durable when this returns `Ok`; on `Err` or a
    /// panic nothing of it happened ([`StoreError::Unconfirmed`] says when that is not known). Blocks; never call it from an
    /// asynchronous worker thread, and never from inside another unit of work.
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
        match &self.inner.database {
            Database::Sqlite(sqlite) => {
                let mut writer = sqlite.writer.lock();
                let begin = |error| failed("beginning to write", error);
                let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate).map_err(begin)?;
                watched::<T, E>(&mut observed, || {
                    let before = transaction.total_changes();
                    let done = work(&WriteTx::new(&transaction, actor))?;
                    let changed = transaction.total_changes() != before;
                    transaction.commit().map_err(|error| failed("making a change durable", error))?;
                    if changed {
                        self.inner.changes.happened();
                    }
                    Ok(done)
                })
            }
            Database::Postgres(postgres) => {
                let session = postgres.writer.lock();
                let unit = session.begin_write()?;
                watched::<T, E>(&mut observed, || {
                    let done = work(&WriteTx::postgres(&session, actor))?;
                    unit.commit()?;
                    Ok(done)
                })
            }
        }
    }

    /// [`Store::write`] beside the turn of the one writer, where the database lets several write: for the few rows that say who is
    /// there ([`crate::front_end`]) and nothing else, so that a large transaction does not make a server look dead. It sees what
    /// others commit meanwhile.
    pub fn write_aside<T>(
        &self,
        actor: &Actor,
        work: impl FnOnce(&WriteTx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Database::Postgres(postgres) = &self.inner.database else { return self.write(actor, work) };
        let session = postgres.aside.lock();
        let unit = session.begin_aside()?;
        let done = work(&WriteTx::postgres(&session, actor))?;
        unit.commit()?;
        Ok(done)
    }

    /// Whether other processes may write this database, too.
    pub fn is_shared(&self) -> bool {
        self.engine() == Engine::Postgres
    }

    /// A number that is another one whenever something has changed in the database, whichever front end changed it. It may be another
    /// one also when nothing has.
    pub fn changes(&self) -> u64 {
        if let Database::Postgres(postgres) = &self.inner.database {
            postgres.listen(&self.inner.changes);
        }
        self.inner.changes.count()
    }

    /// Waits until [`Store::changes`] is no longer `seen`, at most so long, and returns it. Take the number first and look at the
    /// database then, so that no change is missed between the two. Blocks.
    pub fn wait_for_change(&self, seen: u64, at_most: Duration) -> u64 {
        if let Database::Postgres(postgres) = &self.inner.database {
            postgres.listen(&self.inner.changes);
        }
        self.inner.changes.wait(seen, at_most)
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    /// Bytes on disk: the database file and its write-ahead log; what PostgreSQL says of the database, without its log.
    pub fn size(&self) -> Result<u64, StoreError> {
        match &self.inner.database {
            Database::Sqlite(sqlite) => sqlite.size(),
            Database::Postgres(_) => self.read(|tx| tx.one(&pg::SIZE, args![], |row| row.int(0))),
        }
    }

    /// Bytes of the write-ahead log of the embedded database; that of PostgreSQL is a matter of its server.
    pub fn log_size(&self) -> Result<u64, StoreError> {
        match &self.inner.database {
            Database::Sqlite(sqlite) => sqlite.log_size(),
            Database::Postgres(_) => Ok(0),
        }
    }

    /// Bytes that this process may still write to the disk that holds the data folder.
    pub fn disk_free(&self) -> Result<u64, StoreError> {
        let path = &self.inner.folder;
        fs4::available_space(path).map_err(|source| StoreError::Open { path: path.clone(), source })
    }

    /// Bytes of the database file that nothing uses, and whether [`Store::reclaim`] can give them back: files made by
    /// releases before this one keep them for what is stored later. PostgreSQL sees to its space by itself.
    pub fn free(&self) -> Result<(u64, bool), StoreError> {
        match &self.inner.database {
            Database::Sqlite(sqlite) => sqlite.free(),
            Database::Postgres(_) => Ok((0, false)),
        }
    }

    /// Gives unused pages of the database file back to the disk, at most so many. Returns how many bytes are unused then. The
    /// file shrinks when the log is next moved into it.
    pub fn reclaim(&self, pages: u32) -> Result<u64, StoreError> {
        if let Database::Sqlite(sqlite) = &self.inner.database {
            sqlite.reclaim(pages)?;
        }
        Ok(self.free()?.0)
    }

    /// Takes the lock of a data folder without opening its database, for offline commands.
    pub fn lock(data: &Path) -> Result<FolderLock, StoreError> {
        FolderLock::take(data)
    }

    /// A number that the embedded engine was told for the writer.
    #[cfg(test)]
    pub(crate) fn pragma(&self, name: &str) -> i64 {
        let Database::Sqlite(sqlite) = &self.inner.database else { panic!("another engine") };
        sqlite.writer.lock().pragma_query_value(None, name, |row| row.get(0)).expect("a pragma")
    }
}

/// Does the work of a unit that has its transaction, and tells of it.
fn watched<T, E>(observed: &mut Option<Box<dyn Observed>>, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    if let Some(observed) = observed {
        observed.begins();
    }
    let done = work();
    if let Some(observed) = observed {
        observed.ends(done.is_ok());
    }
    done
}
