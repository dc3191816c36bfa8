//! Statements of a test's own, on a database of either engine.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result};
use rusqlite::{Connection, OpenFlags, params_from_iter, types};

use super::database;
use crate::postgres::{Link, hexadecimal};

/// How long a statement waits while somebody else writes.
const BUSY: Duration = Duration::from_secs(30);

/// A value that stands for `?1`, `?2` and so on in a statement.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Value {
    /// A number, a time in microseconds, or 0 and 1 for no and yes.
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(value)
    }
}

impl Value {
    fn for_sqlite(&self) -> types::Value {
        match self {
            Self::Int(value) => types::Value::Integer(*value),
            Self::Text(value) => types::Value::Text(value.clone()),
            Self::Blob(value) => types::Value::Blob(value.clone()),
        }
    }

    /// As it is written in a statement.
    fn for_postgres(&self) -> String {
        match self {
            // two signs in a row would begin a comment
            Self::Int(value) if *value < 0 => format!("({value})"),
            Self::Int(value) => value.to_string(),
            Self::Text(value) => format!("'{}'", value.replace('\'', "''")),
            Self::Blob(value) => format!("'\\x{}'::bytea", hexadecimal(value)),
        }
    }
}

/// A connection of a test's own to the database of a data folder, beside whatever else has it open.
pub struct Direct(Engine);

enum Engine {
    Postgres(Link),
    Sqlite(Connection),
}

impl std::fmt::Debug for Direct {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Direct").finish_non_exhaustive()
    }
}

impl Direct {
    /// Opens that of a data folder, of whichever engine it is.
    ///
    /// # Panics
    ///
    /// If it cannot be opened.
    pub fn of(data: &Path) -> Self {
        let opened = match database(data) {
            Some(url) => Self::postgres(&url),
            None => Self::sqlite(data),
        };
        opened.unwrap_or_else(|error| panic!("the database of {} cannot be opened: {error:#}", data.display()))
    }

    /// Opens the database of PostgreSQL at this address.
    ///
    /// # Panics
    ///
    /// If it cannot be opened.
    pub fn at(url: &str) -> Self {
        Self::postgres(url).unwrap_or_else(|error| panic!("{url} cannot be opened: {error:#}"))
    }

    fn postgres(url: &str) -> Result<Self> {
        Ok(Self(Engine::Postgres(Link::open(url)?)))
    }

    fn sqlite(data: &Path) -> Result<Self> {
        let connection = Connection::open_with_flags(data.join("weir.db"), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.busy_timeout(BUSY)?;
        Ok(Self(Engine::Sqlite(connection)))
    }

    /// Runs one statement with values in the places `?1`, `?2` and so on; gives how many rows it changed.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub fn execute(&self, sql: &str, values: &[Value]) -> u64 {
        self.try_execute(sql, values).unwrap_or_else(|error| panic!("{sql}: {error:#}"))
    }

    /// The same for a statement that may fail.
    ///
    /// # Errors
    ///
    /// What the engine says.
    pub fn try_execute(&self, sql: &str, values: &[Value]) -> Result<u64> {
        match &self.0 {
            Engine::Postgres(link) => link.execute(&written(sql, values)),
            Engine::Sqlite(connection) => {
                let values = params_from_iter(values.iter().map(Value::for_sqlite));
                Ok(connection.execute(sql, values)? as u64)
            }
        }
    }

    /// Runs statements without values, one after the other until one fails.
    ///
    /// # Errors
    ///
    /// What the engine says.
    pub fn try_batch(&self, sql: &str) -> Result<()> {
        match &self.0 {
            Engine::Postgres(link) => link.batch(sql),
            Engine::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
        }
    }

    /// Asks one question, and gives the rows with every value in words: numbers as digits, bytes as hexadecimal digits, nothing as
    /// `NULL`.
    ///
    /// # Panics
    ///
    /// If it cannot be asked.
    pub fn query(&self, sql: &str, values: &[Value]) -> Vec<Vec<String>> {
        self.named(sql, values).1
    }

    /// The same with the names of the columns.
    ///
    /// # Panics
    ///
    /// If it cannot be asked.
    pub fn named(&self, sql: &str, values: &[Value]) -> (Vec<String>, Vec<Vec<String>>) {
        let found = match &self.0 {
            Engine::Postgres(link) => link.query(&written(sql, values)),
            Engine::Sqlite(connection) => query(connection, sql, values),
        };
        found.unwrap_or_else(|error| panic!("{sql}: {error:#}"))
    }

    /// The one number that a question has for an answer.
    ///
    /// # Panics
    ///
    /// If it has another.
    pub fn number(&self, sql: &str, values: &[Value]) -> i64 {
        let rows = self.query(sql, values);
        let number = rows.first().and_then(|row| row.first()).and_then(|text| text.parse().ok());
        number.unwrap_or_else(|| panic!("{sql}: {rows:?} is no number"))
    }

    /// The names of all tables, in order.
    ///
    /// # Panics
    ///
    /// If they cannot be listed.
    pub fn tables(&self) -> Vec<String> {
        let sql = match &self.0 {
            Engine::Postgres(_) => "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
            Engine::Sqlite(_) => "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        };
        let mut names = self.query(sql, &[]).concat();
        names.sort_unstable();
        names
    }
}

fn query(connection: &Connection, sql: &str, values: &[Value]) -> Result<(Vec<String>, Vec<Vec<String>>)> {
    let mut statement = connection.prepare(sql)?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut found = statement.query(params_from_iter(values.iter().map(Value::for_sqlite)))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let shown = (0..columns.len()).map(|at| -> Result<String> {
            Ok(match row.get::<_, types::Value>(at)? {
                types::Value::Null => "NULL".to_owned(),
                types::Value::Integer(value) => value.to_string(),
                types::Value::Real(value) => value.to_string(),
                types::Value::Text(value) => value,
                types::Value::Blob(value) => hexadecimal(&value),
            })
        });
        rows.push(shown.collect::<Result<Vec<_>>>().with_context(|| sql.to_owned())?);
    }
    Ok((columns, rows))
}

/// A statement with its values written into it. In quotes, `?1` is text.
fn written(sql: &str, values: &[Value]) -> String {
    let mut whole = String::with_capacity(sql.len());
    let mut is_quoted = false;
    let mut rest = sql.chars().peekable();
    while let Some(character) = rest.next() {
        if character == '\'' {
            is_quoted = !is_quoted;
        }
        let mut number = 0_usize;
        while !is_quoted && character == '?' && rest.peek().is_some_and(char::is_ascii_digit) {
            let digit = rest.next().and_then(|digit| digit.to_digit(10)).unwrap_or_default();
            number = number * 10 + digit as usize;
        }
        match number.checked_sub(1) {
            None => whole.push(character),
            Some(at) => {
                let value = values.get(at).unwrap_or_else(|| panic!("there is no ?{number} for {sql}"));
                whole.push_str(&value.for_postgres());
            }
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::Database;

    #[test]
    fn values_are_written_in_their_places() {
        let values: [Value; 3] = ["it's ?2".into(), (-7_i64).into(), vec![0_u8, 255].into()];
        assert_eq!(
            written("SELECT ?1, x - ?2, '?1''?2', ?3, a ? b", &values),
            "SELECT 'it''s ?2', x - (-7), '?1''?2', '\\x00ff'::bytea, a ? b"
        );
    }

    #[test]
    fn both_engines_say_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = Connection::open(folder.path().join("weir.db")).expect("a database");
        let database = Database::empty();
        let postgres = Direct::at(database.url());
        let make = |integer: &str, blob: &str, real: &str| {
            format!("CREATE TABLE t (id {integer}, name TEXT, bytes {blob}, share {real}, absent {integer})")
        };
        file.execute_batch(&make("INTEGER", "BLOB", "REAL")).expect("a table");
        postgres.execute(&make("BIGINT", "BYTEA", "DOUBLE PRECISION"), &[]);
        let sqlite = Direct::sqlite(folder.path()).expect("a connection");
        let seen = [sqlite, postgres].map(|direct| {
            let values: [Value; 3] = [(-3_i64).into(), "Ärger's".into(), vec![0_u8, 1, 255].into()];
            let insert = "INSERT INTO t (id, name, bytes, share) VALUES (?1, ?2, ?3, 0.5), (?1 + 1, ?2, ?3, 0.25)";
            assert_eq!(direct.execute(insert, &values), 2);
            assert!(direct.try_execute("INSERT INTO nowhere VALUES (1)", &[]).is_err());
            assert_eq!(direct.number("SELECT max(id) FROM t WHERE id < ?1", &[0_i64.into()]), -2);
            (direct.tables(), direct.named("SELECT * FROM t WHERE name = ?1 ORDER BY id", &values[1..2]))
        });
        assert_eq!(seen[0], seen[1]);
        let (tables, (columns, rows)) = &seen[0];
        assert_eq!((tables.len(), columns.len(), rows.len()), (1, 5, 2));
        assert_eq!(rows[0], ["-3", "Ärger's", "0001ff", "0.5", "NULL"]);
    }
}
