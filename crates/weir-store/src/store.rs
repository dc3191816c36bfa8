//! Opening the database and running units of work.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::{ReadTx, StoreError, WriteTx};

/// How to open a store.
#[derive(Clone, Debug)]
pub struct Options {
    /// Connections for readers; a reader beyond them waits.
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
}

impl Actor {
    /// A part of the server itself.
    pub fn system(part: &str, at: Timestamp) -> Self {
        Self { name: format!("system: {part}"), from: None, at }
    }

    /// A principal, and the address of its request.
    pub fn principal(name: &str, from: Option<&str>, at: Timestamp) -> Self {
        Self { name: name.to_owned(), from: from.map(str::to_owned), at }
    }
}

/// The database of one site. Clones share it.
#[derive(Clone)]
pub struct Store {}

impl Store {
    /// Opens the database of a data folder, creating folder and database if absent, takes the folder's exclusive lock
    /// (held until the last clone is dropped) and brings the schema up to date.
    ///
    /// Fails with [`StoreError::Locked`] while another process has the folder.
    pub fn open(data: &Path, options: &Options) -> Result<Self, StoreError> {
        let _ = (data, options);
        unimplemented!()
    }

    /// Runs `work` on a consistent view of the database. Blocks; never call it from an asynchronous worker thread.
    pub fn read<T>(&self, work: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.try_read(work)
    }

    /// [`Store::read`] for a closure with an error type of its own.
    pub fn try_read<T, E: From<StoreError>>(&self, work: impl FnOnce(&ReadTx<'_>) -> Result<T, E>) -> Result<T, E> {
        let _ = work;
        unimplemented!()
    }

    /// Runs `work` in the one write transaction there is at a time. It is durable when this returns `Ok`; on `Err` or a
    /// panic nothing of it happened. Blocks; never call it from an asynchronous worker thread.
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
        let _ = (actor, work);
        unimplemented!()
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        unimplemented!()
    }

    /// Bytes on disk: the database file and its write-ahead log.
    pub fn size(&self) -> Result<u64, StoreError> {
        unimplemented!()
    }

    /// Takes the lock of a data folder without opening its database, for offline commands.
    pub fn lock(data: &Path) -> Result<FolderLock, StoreError> {
        let _ = data;
        unimplemented!()
    }
}

/// The exclusive lock of a data folder, released on drop.
#[derive(Debug)]
pub struct FolderLock {
    _path: PathBuf,
}
