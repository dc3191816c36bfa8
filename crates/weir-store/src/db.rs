//! Transactions: what a unit of work is given, and the few calls through which every statement runs.

use std::ops::{ControlFlow, Deref};

use rusqlite::{CachedStatement, Connection, ErrorCode, params_from_iter};
use weir_model::ids::ChangeNumber;

use crate::{
    Actor, StoreError,
    codec::{Row, Value, args},
    pg::Session,
    sql::{Statement, statements},
};

statements! {
    CHANGE_NEXT: "taking a change number" = "UPDATE counter SET value = value + 1 WHERE name = 'change' RETURNING value";
    CHANGE_SKIP: "leaving change numbers out" = "UPDATE counter SET value = value + ?1 WHERE name = 'change'";
    CHANGE_LAST: "reading the last change number" = "SELECT value FROM counter WHERE name = 'change'";
}

/// Numbers that statements about several of them take, written `IN (?1, ..., ?32)`.
pub(crate) const LISTED: usize = 32;

/// A consistent view of the database.
pub struct ReadTx<'a> {
    engine: Engine<'a>,
}

/// Where statements go. Each engine has a transaction open.
#[derive(Clone, Copy)]
enum Engine<'a> {
    Sqlite(&'a Connection),
    Postgres(&'a Session),
}

/// The write transaction. Reads through it see its own writes.
pub struct WriteTx<'a> {
    read: ReadTx<'a>,
    actor: &'a Actor,
}

impl<'a> Deref for WriteTx<'a> {
    type Target = ReadTx<'a>;

    fn deref(&self) -> &ReadTx<'a> {
        &self.read
    }
}

impl<'a> ReadTx<'a> {
    pub(crate) fn new(connection: &'a Connection) -> Self {
        Self { engine: Engine::Sqlite(connection) }
    }

    pub(crate) fn postgres(session: &'a Session) -> Self {
        Self { engine: Engine::Postgres(session) }
    }

    /// Hands every row to `each` until it breaks off.
    pub(crate) fn each(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let connection = match self.engine {
            Engine::Sqlite(connection) => connection,
            Engine::Postgres(session) => {
                return session.each(statement, values, &mut |row| each(&Row::postgres(row, statement.action)));
            }
        };
        let fail = |error| failed(statement.action, error);
        let mut prepared = prepare(connection, statement)?;
        let mut rows = prepared.query(params_from_iter(values)).map_err(fail)?;
        while let Some(row) = rows.next().map_err(fail)? {
            if each(&Row::sqlite(row, statement.action))?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Hands every row of a statement that takes [`LISTED`] numbers to `each`, for any count of ascending numbers. A statement that
    /// orders its rows by them hands all over in their order.
    pub(crate) fn each_of(
        &self,
        statement: &'static Statement,
        numbers: &[u32],
        mut each: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for some in numbers.chunks(LISTED) {
            // a set takes a number twice
            let fill = some.last().copied().unwrap_or_default();
            let values: [Value<'_>; LISTED] =
                std::array::from_fn(|at| Value::from(some.get(at).copied().unwrap_or(fill)));
            self.each(statement, &values, |row| {
                each(row)?;
                Ok(ControlFlow::Continue(()))
            })?;
        }
        Ok(())
    }

    /// Every row.
    pub(crate) fn all<T>(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        self.each(statement, values, |row| {
            found.push(read(row)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// The first row.
    pub(crate) fn first<T>(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut read = Some(read);
        let mut found = None;
        self.each(statement, values, |row| {
            if let Some(read) = read.take() {
                found = Some(read(row)?);
            }
            // Not broken off: a statement with RETURNING must run to its end.
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// The first row of a statement that always has one.
    pub(crate) fn one<T>(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.first(statement, values, read)?
            .ok_or_else(|| StoreError::Corrupt { what: format!("no row while {}", statement.action) })
    }

    /// The last change number given out: nothing in catalogue, targeting or settings has changed while this is the same.
    pub fn catalogue_version(&self) -> Result<ChangeNumber, StoreError> {
        self.one(&CHANGE_LAST, args![], |row| row.change(0))
    }
}

impl<'a> WriteTx<'a> {
    pub(crate) fn new(connection: &'a Connection, actor: &'a Actor) -> Self {
        Self { read: ReadTx::new(connection), actor }
    }

    pub(crate) fn postgres(session: &'a Session, actor: &'a Actor) -> Self {
        Self { read: ReadTx::postgres(session), actor }
    }

    /// Runs a statement and returns how many rows it changed.
    pub(crate) fn run(&self, statement: &'static Statement, values: &[Value<'_>]) -> Result<usize, StoreError> {
        match self.read.engine {
            Engine::Sqlite(connection) => execute(&mut prepare(connection, statement)?, statement, values),
            Engine::Postgres(session) => Ok(session.run(statement, values)? as usize),
        }
    }

    /// Runs a statement whose count of rows nobody asks for. A server is not waited for: what it refuses fails a later statement of
    /// the unit, at the latest the end, with the words of this one. For many small statements one after the other.
    pub(crate) fn send(&self, statement: &'static Statement, values: &[Value<'_>]) -> Result<(), StoreError> {
        match self.read.engine {
            Engine::Sqlite(connection) => execute(&mut prepare(connection, statement)?, statement, values).map(drop),
            Engine::Postgres(session) => session.send(statement, values),
        }
    }

    /// Runs a statement once for each of these rows of values, in their order, and returns how many rows were changed in all.
    pub(crate) fn run_many<'v, R: AsRef<[Value<'v>]>>(
        &self,
        statement: &'static Statement,
        rows: impl IntoIterator<Item = R>,
    ) -> Result<usize, StoreError> {
        match self.read.engine {
            Engine::Sqlite(connection) => {
                let mut prepared = prepare(connection, statement)?;
                let mut changed = 0;
                for row in rows {
                    changed += execute(&mut prepared, statement, row.as_ref())?;
                }
                Ok(changed)
            }
            Engine::Postgres(session) => {
                let counted = session.count()?;
                for row in rows {
                    session.send(statement, row.as_ref())?;
                }
                Ok(counted.changed()? as usize)
            }
        }
    }

    /// Runs a statement once for each of these rows of values, in their order, and returns of each how many rows it changed. A server
    /// is waited for once.
    pub(crate) fn run_each<'v, R: AsRef<[Value<'v>]>>(
        &self,
        statement: &'static Statement,
        rows: &[R],
    ) -> Result<Vec<u64>, StoreError> {
        match self.read.engine {
            Engine::Sqlite(connection) => {
                let mut prepared = prepare(connection, statement)?;
                rows.iter().map(|row| Ok(execute(&mut prepared, statement, row.as_ref())? as u64)).collect()
            }
            Engine::Postgres(session) => session.run_each(statement, rows),
        }
    }

    /// Does a part of the unit that may fail alone: on `Err` nothing of the part happened, and the unit can go on.
    pub fn part<T, E: From<StoreError>>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        match self.read.engine {
            Engine::Sqlite(connection) => {
                let step = |text| {
                    connection.execute_batch(text).map_err(|error| failed("separating a part of a change", error))
                };
                step("SAVEPOINT part")?;
                let done = work();
                step(if done.is_ok() { "RELEASE part" } else { "ROLLBACK TO part; RELEASE part" })?;
                done
            }
            Engine::Postgres(session) => {
                session.part_begins()?;
                let done = work().and_then(|done| {
                    session.part_ends()?;
                    Ok(done)
                });
                if done.is_err() {
                    session.part_fails();
                }
                done
            }
        }
    }

    /// Who asked for this transaction.
    pub fn actor(&self) -> &Actor {
        self.actor
    }

    /// Leaves so many numbers of the one global order of changes out: others may have been given them by data that are gone.
    pub fn change_skip(&self, numbers: u32) -> Result<(), StoreError> {
        self.run(&CHANGE_SKIP, args![numbers])?;
        Ok(())
    }

    /// Takes the next number of the one global order of changes. It becomes visible with the transaction.
    pub fn change_next(&self) -> Result<ChangeNumber, StoreError> {
        self.one(&CHANGE_NEXT, args![], |row| row.change(0))
    }
}

fn prepare<'c>(connection: &'c Connection, statement: &'static Statement) -> Result<CachedStatement<'c>, StoreError> {
    connection.prepare_cached(statement.text).map_err(|error| failed(statement.action, error))
}

fn execute(
    prepared: &mut CachedStatement<'_>,
    statement: &'static Statement,
    values: &[Value<'_>],
) -> Result<usize, StoreError> {
    prepared.execute(params_from_iter(values)).map_err(|error| failed(statement.action, error))
}

/// Sorts an answer of the embedded engine into the kinds that callers tell apart.
pub(crate) fn failed(action: &'static str, error: rusqlite::Error) -> StoreError {
    let rusqlite::Error::SqliteFailure(code, message) = &error else {
        return StoreError::Query { action, source: error.into() };
    };
    match code.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy { action },
        ErrorCode::DiskFull => StoreError::DiskFull { action },
        ErrorCode::SystemIoFailure | ErrorCode::ReadOnly | ErrorCode::CannotOpen => {
            StoreError::DiskFailed { action, source: error.into() }
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            StoreError::Corrupt { what: message.clone().unwrap_or_else(|| error.to_string()) }
        }
        ErrorCode::ConstraintViolation => {
            let message = message.as_deref().unwrap_or_default();
            StoreError::Constraint { action, rule: rule(message).unwrap_or_else(|| message.to_owned()) }
        }
        _ => StoreError::Query { action, source: error.into() },
    }
}

/// A broken rule in words, found by the table and column in a message of the engine; none for one that has no words here.
pub(crate) fn rule(message: &str) -> Option<String> {
    const KNOWN: &[(&str, &str)] = &[
        ("alert.kind", "one open alert per kind and subject"),
        ("api_token.name_key", "names of tokens are unique without regard to case"),
        ("audit log", "the audit log is append only"),
        ("collection.name_key", "names of collections are unique without regard to case"),
        ("deployment.update_no", "one deployment per update and collection"),
        ("deployment.group_id", "one deployment per update group and collection"),
        ("FOREIGN KEY", "it refers to something that is not there, or something still refers to it"),
        ("job.job_id", "job ids are unique"),
        ("revision.update_no", "a revision of an update is stored once"),
        ("subscription.name_key", "names of subscriptions are unique without regard to case"),
        ("report_schedule.name_key", "names of schedules of reports are unique without regard to case"),
        ("site.", "a site has one identity"),
        ("user_account.name_key", "names of users are unique without regard to case"),
        ("user_certificate.fingerprint", "a certificate is of one user"),
    ];
    KNOWN.iter().find(|(part, _)| message.contains(part)).map(|(_, rule)| (*rule).to_owned())
}
