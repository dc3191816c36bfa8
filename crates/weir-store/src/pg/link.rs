//! Connections: how they are made, and the statements that each has prepared.

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Sender, sync_channel},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{runtime::Handle, time::timeout};
use tokio_postgres::{
    Client, Config, Connection, Error, SimpleQueryMessage, Socket, Statement as Prepared, tls::MakeTlsConnect,
    types::Type,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    address::Address,
    dialect, tls,
    value::{announced, suits},
};
use crate::{
    StoreError, UnitKind,
    codec::Value,
    error::{Chain, EngineError},
    sql::Statement,
};

/// Time for a connection to be there with all that it says at the beginning.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// Statements that a connection keeps prepared; beyond them it begins anew.
const PREPARED: usize = 2_000;

/// The half of a connection that moves bytes.
pub(super) type Wire = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// A database, and all that it takes to connect to it.
pub(super) struct Target {
    config: Config,
    tls: MakeRustlsConnect,
    /// Where connections live: the threads that ask only wait.
    runtime: Handle,
    /// Where it is, without the password.
    pub(super) place: String,
    /// Each connection has one while it lives.
    alive: Sender<()>,
    /// The last attempt to connect failed: said once.
    down: AtomicBool,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Purpose {
    /// Units of work.
    Unit(UnitKind),
    /// Bringing the schema up to date.
    Migrating,
    /// Hearing of changes.
    Listening,
}

impl Target {
    pub(super) fn new(address: Address, runtime: Handle, alive: Sender<()>) -> Result<Self, StoreError> {
        let Address { config, trust, place } = address;
        match tls::settings(&trust) {
            Ok(settings) => {
                let tls = MakeRustlsConnect::new(settings);
                Ok(Self { config, tls, runtime, place, alive, down: AtomicBool::new(false) })
            }
            Err(why) => Err(StoreError::DatabaseRefused { place, why }),
        }
    }

    /// The runtime of the connections.
    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Makes a connection, waiting for it on a thread of any kind.
    pub(super) fn connect(&self, purpose: Purpose) -> Result<Client, StoreError> {
        let (give, take) = sync_channel(1);
        let opening = self.opening(purpose);
        self.runtime.spawn(async move {
            // there is room for one answer, and whoever asked waits for it
            let _ = give.try_send(opening.await);
        });
        let answer = take.recv().unwrap_or_else(|_| Err("its connections were closed".into()));
        let was_down = self.down.swap(answer.is_err(), Ordering::Relaxed);
        match answer {
            Ok(client) => {
                if was_down {
                    tracing::info!(place = self.place, "the database can be reached again");
                }
                Ok(client)
            }
            Err(source) => {
                if !was_down {
                    tracing::error!(place = self.place, error = %Chain(&*source), "the database cannot be reached");
                }
                Err(StoreError::Unreachable { action: "connecting", place: self.place.clone(), source })
            }
        }
    }

    fn opening(&self, purpose: Purpose) -> impl Future<Output = Result<Client, EngineError>> + Send + use<> {
        let (config, tls, alive) = (self.config.clone(), self.tls.clone(), self.alive.clone());
        async move {
            let opening = async {
                let (client, connection) = config.connect(tls).await?;
                tokio::spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!(error = %error, "a connection to the database ended");
                    }
                    drop(alive);
                });
                let said = client.simple_query(&settings(purpose)).await?;
                // a name may lead to another server than before: what a standby has is of the past, and nothing can be written there
                if matches!(purpose, Purpose::Unit(_)) && is_standby(&said) {
                    return Err("the server that answered is a standby".into());
                }
                Ok::<_, EngineError>(client)
            };
            timeout(PATIENCE, opening).await.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
        }
    }

    /// Makes a connection whose messages the caller reads. It does nothing unless it is polled.
    pub(super) async fn connect_bare(&self) -> Result<(Client, Wire), Error> {
        self.config.connect(self.tls.clone()).await
    }
}

/// What a connection is told first, and is asked last: whether its server is a standby.
///
/// Names are looked for in the schema in which tables are made and in the system's, and nowhere else, so that nobody's temporary tables
/// or schema stand before them. The administrator's choice of `synchronous_commit` stands, unless it is to forget changes.
pub(super) fn settings(purpose: Purpose) -> String {
    let (isolation, patience, idle) = match purpose {
        // another front end that stopped in the middle of its unit would keep all others from writing: it is waited for for less time
        // than they wait for their turn
        Purpose::Unit(UnitKind::Write) => ("read committed", "60s", "30s"),
        // long units stream to slow clients
        Purpose::Unit(UnitKind::Read) | Purpose::Listening => ("repeatable read", "60s", "600s"),
        // waits for another front end that migrates already
        Purpose::Migrating => ("read committed", "0", "600s"),
    };
    format!(
        "SELECT set_config('search_path', concat_ws(', ', quote_ident(current_schema()), 'pg_temp'), false);
         SET TimeZone = 'UTC';
         SET jit = off;
         SET plan_cache_mode = auto;
         SET statement_timeout = 0;
         SET lock_timeout = '{patience}';
         SET idle_in_transaction_session_timeout = '{idle}';
         SET idle_session_timeout = 0;
         SET default_transaction_isolation = '{isolation}';
         SET tcp_keepalives_idle = 30;
         SET tcp_keepalives_interval = 10;
         SET tcp_keepalives_count = 3;
         SET tcp_user_timeout = 30000;
         SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
         SELECT pg_is_in_recovery()"
    )
}

/// The last of these answers.
fn is_standby(said: &[SimpleQueryMessage]) -> bool {
    let row = said.iter().rev().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    row.and_then(|row| row.get(0)) == Some("t")
}

/// A connection and what it has prepared.
pub(super) struct Link {
    pub(super) client: Client,
    prepared: Mutex<Kept>,
}

/// Prepared statements by the address of their declaration, several where values of different types were given.
#[derive(Default)]
struct Kept {
    statements: HashMap<usize, Vec<Prepared>>,
    count: usize,
}

impl Link {
    pub(super) fn new(client: Client) -> Arc<Self> {
        Arc::new(Self { client, prepared: Mutex::default() })
    }

    /// The statement, if it is prepared for values of these types.
    pub(super) fn known(&self, statement: &'static Statement, values: &[Value<'_>]) -> Option<Prepared> {
        let kept = self.prepared.lock();
        let of_it = kept.statements.get(&key(statement))?;
        of_it.iter().find(|prepared| suits(prepared.params(), values)).cloned()
    }

    /// The statement, prepared for values of these types.
    pub(super) async fn prepared(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<Prepared, Error> {
        if let Some(known) = self.known(statement, values) {
            return Ok(known);
        }
        let types: Vec<Type> = values.iter().map(announced).collect();
        let text = dialect::placeholders(statement.for_postgres());
        let prepared = self.client.prepare_typed(&text, &types).await?;
        let mut kept = self.prepared.lock();
        if kept.count >= PREPARED {
            *kept = Kept::default();
        }
        kept.statements.entry(key(statement)).or_default().push(prepared.clone());
        kept.count += 1;
        drop(kept);
        Ok(prepared)
    }
}

fn key(statement: &'static Statement) -> usize {
    std::ptr::from_ref(statement).addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writers_wait_for_others_and_are_not_waited_for_forever() {
        let writer = settings(Purpose::Unit(UnitKind::Write));
        assert!(writer.contains("read committed") && writer.contains("idle_in_transaction_session_timeout = '30s'"));
        assert!(settings(Purpose::Unit(UnitKind::Read)).contains("repeatable read"));
        assert!(settings(Purpose::Migrating).contains("lock_timeout = '0'"));
        assert!(writer.trim_end().ends_with("SELECT pg_is_in_recovery()"), "it is asked last: {writer}");
    }
}
