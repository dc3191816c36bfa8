//! PostgreSQL as engine, for sites with several front ends: one database that all of them use.
//!
//! Units of work mean what they mean on the embedded engine. Readers have a view of their own (`REPEATABLE READ`), and one unit at a
//! time writes, of all front ends: it holds an advisory lock until it ends. Connections live on a small runtime of their own, and the
//! threads that ask wait for them, so that a unit can run on any thread.

mod address;
mod dialect;
mod error;
mod link;
mod listen;
mod migrate;
mod plain;
mod session;
mod spare;
mod tls;
mod value;
mod wait;

use std::{
    sync::{
        Arc, OnceLock,
        mpsc::{Receiver, channel},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, Config};

pub use self::spare::DatabaseServer;
use self::{
    address::Address,
    link::{Purpose, Target},
    listen::Listener,
    wait::wait,
};
pub(crate) use self::{
    address::without_password,
    plain::{EachTuple, Incoming, Plain},
    session::Session,
    value::without_nul,
};
use crate::{StoreError, UnitKind, changes::Changes, pool::Pool, sql::Statement};

/// The advisory lock of whoever writes, and of whoever brings the schema up to date ("weir").
const LOCK: i64 = 0x7765_6972;
/// Threads that serve the connections.
const THREADS: usize = 2;
/// The oldest release that is used, as it names itself.
const OLDEST: i64 = 150_000;
/// How long the end of connections is waited for.
const FAREWELL: Duration = Duration::from_secs(1);

/// What the database takes on the server's disk. It is asked of PostgreSQL only, so that no list of statements has it.
pub(crate) static SIZE: Statement = Statement {
    action: "looking for the size of the database",
    text: "SELECT pg_database_size(current_database())",
    postgres: None,
};

/// The connections of one process.
pub(crate) struct Postgres {
    // Fields drop in this order: connections, then what they are made of, then the runtime that they live on.
    pub(crate) readers: Pool<Session>,
    pub(crate) writer: Mutex<Session>,
    /// For what is written beside the one writer.
    pub(crate) aside: Mutex<Session>,
    listener: OnceLock<Listener>,
    target: Arc<Target>,
    _runtime: Closing,
}

/// Where a database is, without the password; or why the address cannot be used.
pub(crate) fn place(url: &str) -> Result<String, StoreError> {
    Ok(Address::read(url)?.place)
}

/// What the driver makes of an address.
pub(crate) fn config(url: &str) -> Result<Config, StoreError> {
    Ok(Address::read(url)?.config)
}

/// All that it takes to connect, and what connections live on. Nothing is asked of the server yet.
fn prepare(url: &str) -> Result<(Arc<Target>, Closing), StoreError> {
    let address = Address::read(url)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("weir-database")
        .enable_all()
        .build()
        .map_err(|source| StoreError::Open { path: "weir-database".into(), source })?;
    let handle = runtime.handle().clone();
    let (alive, ended) = channel();
    // from here on, an error does not drop the runtime where it cannot be waited for
    let runtime = Closing { ended: Mutex::new(ended), runtime: Some(runtime) };
    Ok((Arc::new(Target::new(address, handle, alive)?), runtime))
}

impl Postgres {
    /// Connects, brings the schema up to date, and prepares for so many readers.
    pub(crate) fn open(url: &str, readers: usize) -> Result<Self, StoreError> {
        let (target, runtime) = prepare(url)?;
        let mut client = target.connect(Purpose::Migrating)?;
        look(&client, &target.place)?;
        migrate::run(&mut client, &target.place)?;
        drop(client);
        Ok(Self::on(target, runtime, readers))
    }

    /// Connects to look, with one reader. The schema stays as it is.
    pub(crate) fn visit(url: &str) -> Result<Self, StoreError> {
        let (target, runtime) = prepare(url)?;
        let client = target.connect(Purpose::Migrating)?;
        look(&client, &target.place)?;
        drop(client);
        Ok(Self::on(target, runtime, 1))
    }

    fn on(target: Arc<Target>, runtime: Closing, readers: usize) -> Self {
        let session = |kind| Session::new(Arc::clone(&target), kind);
        Self {
            readers: Pool::new((0..readers.max(1)).map(|_| session(UnitKind::Read)).collect()),
            writer: Mutex::new(session(UnitKind::Write)),
            aside: Mutex::new(session(UnitKind::Write)),
            listener: OnceLock::new(),
            target,
            _runtime: runtime,
        }
    }

    /// Where the database is, without the password.
    pub(crate) fn place(&self) -> &str {
        &self.target.place
    }

    /// Tells of changes from now on.
    pub(crate) fn listen(&self, changes: &Arc<Changes>) {
        self.listener.get_or_init(|| Listener::start(&self.target, changes));
    }
}

/// Whether the server and its database can be used. What is unwise is said.
fn look(client: &Client, place: &str) -> Result<(), StoreError> {
    const QUESTION: &str = "SELECT current_setting('server_version_num')::BIGINT, current_setting('server_version'),
        current_setting('server_encoding'), pg_is_in_recovery(), current_setting('fsync') <> 'on',
        coalesce(inet_client_addr() <> ALL (ARRAY['127.0.0.1'::INET, '::1'::INET]), false)
            AND NOT coalesce((SELECT s.ssl FROM pg_stat_ssl s WHERE s.pid = pg_backend_pid()), false),
        coalesce(has_schema_privilege('public', current_schema(), 'CREATE'), false)";
    let fail = |error| error::failed(place, "looking at the database's server", error);
    let row = wait(client.query_one(QUESTION, &[])).map_err(fail)?;
    let version: i64 = row.try_get(0).map_err(fail)?;
    let text = |column: usize| row.try_get::<_, &str>(column).map_err(fail);
    let is = |column: usize| row.try_get::<_, bool>(column).map_err(fail);
    let refused = |why: String| Err(StoreError::DatabaseRefused { place: place.to_owned(), why });
    if version < OLDEST {
        return refused(format!("is of PostgreSQL {}, and Weir needs 15 or later", text(1)?));
    }
    if text(2)? != "UTF8" {
        return refused(format!(
            "has the encoding {}, and Weir needs UTF8; make it with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0",
            text(2)?
        ));
    }
    if is(3)? {
        return refused("is a standby, which cannot be written to; name its primary".to_owned());
    }
    if is(4)? {
        tracing::warn!(
            place,
            "the database's server does not wait for its disk (fsync): a loss of power may destroy it"
        );
    }
    if is(5)? {
        tracing::warn!(
            place,
            "the database is reached over the network without TLS: keys and passwords can be read on the way; sslmode=verify-full in \
             its address prevents that"
        );
    }
    if is(6)? {
        tracing::warn!(
            place,
            "whoever may connect to the database may make functions in the schema of Weir, which could be run in its name; its owner \
             prevents that: REVOKE CREATE ON SCHEMA public FROM PUBLIC"
        );
    }
    Ok(())
}

/// The runtime of the connections. It is closed from any thread, when they have said goodbye or a moment has passed.
struct Closing {
    /// Ends when no connection lives.
    ended: Mutex<Receiver<()>>,
    runtime: Option<Runtime>,
}

impl Drop for Closing {
    fn drop(&mut self) {
        // nothing is sent: an error is the end of the last one, or too long a wait for it
        let _ = self.ended.get_mut().recv_timeout(FAREWELL);
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
