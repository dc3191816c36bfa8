//! Moving committed pages from the write-ahead log into the database file, on a thread of its own: a commit waits for one
//! flush of the log and not for the database file.

use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::JoinHandle,
};

use rusqlite::{Connection, hooks::Wal};

use crate::{StoreError, db::failed};

/// Pages in the log from which on they are moved (about 4 MB, the engine's own default).
const DUE: i32 = 1_000;
/// Pages in the log from which on a commit moves them itself, so that the log is bounded however fast the writes come
/// (about 64 MB).
const OVERDUE: i32 = 16_000;

/// The thread; dropping it waits for its end, which comes when the watched connection is gone. Its connection is closed then and not
/// before: the last one to close moves the rest of the log into the file, which a reader's cannot.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    thread: Option<JoinHandle<Connection>>,
}

impl Checkpointer {
    /// Watches the commits of `writer` and moves pages over `connection`.
    pub(crate) fn start(writer: &mut Connection, connection: Connection) -> Result<Self, StoreError> {
        // One waiting request is enough: a run moves everything there is.
        let (sender, receiver) = sync_channel(1);
        let hook = move |wal: &mut Wal, pages: i32| {
            committed(wal, pages, &sender);
            Ok(())
        };
        writer.wal_hook(Some(hook)).map_err(|error| failed("watching commits", error))?;
        let thread = std::thread::Builder::new().name("weir-checkpoint".to_owned());
        let thread = thread.spawn(move || run(connection, &receiver));
        let thread = thread.map_err(|source| StoreError::Open { path: "weir-checkpoint".into(), source })?;
        Ok(Self { thread: Some(thread) })
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A panic of that thread was printed there; the log is kept and bounded without it.
            drop(thread.join());
        }
    }
}

/// After a commit, which stands whatever becomes of this: an error here must not make it look failed.
fn committed(wal: &mut Wal, pages: i32, sender: &SyncSender<()>) {
    if pages > OVERDUE {
        if let Err(error) = wal.checkpoint() {
            tracing::warn!(%error, pages, "the write-ahead log could not be moved into the database");
        }
    } else if pages > DUE {
        // Full: a request is waiting already. Disconnected: the commits above bound the log.
        let _ = sender.try_send(());
    }
}

fn run(connection: Connection, receiver: &Receiver<()>) -> Connection {
    while receiver.recv().is_ok() {
        // Passive: waits for nobody and makes nobody wait.
        let moved = connection.pragma_update_and_check(None, "wal_checkpoint", "PASSIVE", |row| {
            Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        });
        match moved {
            Ok((logged, moved)) => tracing::trace!(logged, moved, "moved pages of the log into the database"),
            Err(error) => tracing::warn!(%error, "the write-ahead log could not be moved into the database"),
        }
    }
    connection
}
