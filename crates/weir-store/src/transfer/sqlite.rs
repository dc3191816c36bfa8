//! The embedded database: read as a whole, and made as a whole.

use std::path::{Path, PathBuf};

use rusqlite::{
    Connection, OpenFlags, Statement,
    types::{ToSqlOutput, ValueRef},
};

use super::{
    shape::{Kind, Numbered, Table, gather, quoted},
    tuple,
};
use crate::{StoreError, backup, db::failed, migrate, pg::without_nul};

const READING: &str = "reading the embedded database";
const WRITING: &str = "writing the embedded database";
/// Page cache of a database that is made, in KiB.
const CACHE: i64 = 64 * 1024;
/// Unused pages are given back on demand, as in every new database.
const INCREMENTAL: i64 = 2;

fn reading(error: rusqlite::Error) -> StoreError {
    failed(READING, error)
}

fn writing(error: rusqlite::Error) -> StoreError {
    failed(WRITING, error)
}

/// The tables of a database.
fn tables(connection: &Connection, place: &str) -> Result<Vec<Table>, StoreError> {
    const QUERY: &str = "SELECT m.name, c.name, c.type, CASE WHEN c.pk = 1 AND m.sql LIKE '%AUTOINCREMENT%' THEN m.name END
        FROM sqlite_schema m JOIN pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'refinery_schema_history' ORDER BY m.name, c.cid";
    let mut statement = connection.prepare(QUERY).map_err(reading)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
    let rows = rows.map_err(reading)?.collect::<Result<Vec<_>, _>>().map_err(reading)?;
    gather(rows.into_iter(), place)
}

/// A database that is read, of one moment.
pub(super) struct Source {
    connection: Connection,
    place: String,
}

impl Source {
    /// Opens a database. Nothing is written to it, or runs on it.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = backup::open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.execute_batch("BEGIN").map_err(reading)?;
        // the first look fixes the view
        backup::look(&connection).map_err(reading)?;
        Ok(Self { connection, place: path.display().to_string() })
    }

    /// The file.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The version of its schema.
    pub(super) fn version(&self) -> Result<Option<u32>, StoreError> {
        backup::version(&self.connection)
    }

    /// Bytes of the file.
    pub(super) fn bytes(&self) -> Result<u64, StoreError> {
        let ask = |name| self.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(reading);
        Ok(ask("page_count")?.saturating_mul(ask("page_size")?).unsigned_abs())
    }

    pub(super) fn tables(&self) -> Result<Vec<Table>, StoreError> {
        tables(&self.connection, &self.place)
    }

    /// The highest number that a column has or had; 0 if it had none.
    pub(super) fn highest(&self, table: &Table, column: &str) -> Result<i64, StoreError> {
        let ask = |sql: &str, parameters: &[&str]| {
            let answer = self
                .connection
                .query_row(sql, rusqlite::params_from_iter(parameters), |row| row.get::<_, Option<i64>>(0));
            answer.map(Option::unwrap_or_default).map_err(reading)
        };
        let there = ask(&format!("SELECT max({}) FROM {}", quoted(column), quoted(&table.name)), &[])?;
        let given = match &table.numbered {
            Some(Numbered { by, .. }) => ask("SELECT max(seq) FROM sqlite_sequence WHERE name = ?1", &[by.as_str()])?,
            None => 0,
        };
        Ok(there.max(given))
    }

    /// Hands every row of a table to `each` until it breaks off; true if it did not. `replaced` is told the place of each column in
    /// which a text had a character that PostgreSQL cannot keep (U+0000; U+FFFD stands for it).
    pub(super) fn read(
        &self,
        table: &Table,
        replaced: &mut dyn FnMut(usize),
        each: &mut crate::pg::EachTuple<'_>,
    ) -> Result<bool, StoreError> {
        let sql = format!("SELECT {} FROM {}", table.list(), quoted(&table.name));
        let mut statement = self.connection.prepare(&sql).map_err(reading)?;
        let mut rows = statement.raw_query();
        let mut tuple = Vec::new();
        while let Some(row) = rows.next().map_err(reading)? {
            tuple::begin(&mut tuple, table.columns.len());
            for (at, column) in table.columns.iter().enumerate() {
                let damaged = |what: &str| StoreError::Corrupt {
                    what: format!("{what} in column {} of table {}", column.name, table.name),
                };
                match (column.kind, row.get_ref(at).map_err(reading)?) {
                    (_, ValueRef::Null) => tuple::put(&mut tuple, None),
                    (Kind::Int, ValueRef::Integer(number)) => tuple::put(&mut tuple, Some(&number.to_be_bytes())),
                    (Kind::Real, ValueRef::Real(number)) => tuple::put(&mut tuple, Some(&number.to_be_bytes())),
                    (Kind::Blob, ValueRef::Blob(bytes)) => tuple::put(&mut tuple, Some(bytes)),
                    (Kind::Text, ValueRef::Text(bytes)) => {
                        let text = std::str::from_utf8(bytes).map_err(|_| damaged("a text that is not UTF-8"))?;
                        if bytes.contains(&0) {
                            replaced(at);
                        }
                        tuple::put(&mut tuple, Some(without_nul(text).as_bytes()));
                    }
                    _ => return Err(damaged("a value of another type")),
                }
            }
            if each(&tuple)?.is_break() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// A database that is made. Until it is finished the file is of no use.
pub(super) struct Target {
    connection: Connection,
    path: PathBuf,
    /// What makes the indexes and triggers that were taken out while tables are filled.
    aside: Vec<String>,
}

impl Target {
    /// Makes a file that is not there, with the schema of this program and no rows.
    pub(super) fn create(path: &Path) -> Result<Self, StoreError> {
        backup::create(path)?;
        let mut connection = backup::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.pragma_update(None, "auto_vacuum", INCREMENTAL).map_err(writing)?;
        // one that is not finished is thrown away, and a whole one is made durable at the end
        for name in ["journal_mode", "synchronous"] {
            connection.pragma_update(None, name, "OFF").map_err(writing)?;
        }
        connection.pragma_update(None, "cache_size", -CACHE).map_err(writing)?;
        migrate::make(&mut connection, path)?;
        // tables come in any order
        connection.pragma_update(None, "foreign_keys", false).map_err(writing)?;
        connection.execute_batch("BEGIN").map_err(writing)?;
        let aside = take_out(&connection)?;
        let target = Self { connection, path: path.to_owned(), aside };
        for table in target.tables()? {
            let sql = format!("DELETE FROM {}", quoted(&table.name));
            target.connection.execute_batch(&sql).map_err(writing)?;
        }
        Ok(target)
    }

    pub(super) fn tables(&self) -> Result<Vec<Table>, StoreError> {
        tables(&self.connection, &self.path.display().to_string())
    }

    /// Begins to fill a table.
    pub(super) fn fill<'t>(&'t self, table: &'t Table) -> Result<Filling<'t>, StoreError> {
        let places: Vec<String> = (1..=table.columns.len()).map(|at| format!("?{at}")).collect();
        let sql = format!("INSERT INTO {} ({}) VALUES ({})", quoted(&table.name), table.list(), places.join(", "));
        Ok(Filling { statement: self.connection.prepare(&sql).map_err(writing)?, table })
    }

    /// Notes that the numbers of a table up to this one were given.
    pub(super) fn given(&self, table: &Table, number: i64) -> Result<(), StoreError> {
        let Some(Numbered { by, .. }) = table.numbered.as_ref().filter(|_| number > 0) else { return Ok(()) };
        let known = "SELECT count(*) FROM sqlite_sequence WHERE name = ?1";
        let known: i64 = self.connection.query_row(known, [by], |row| row.get(0)).map_err(writing)?;
        let sql = match known {
            0 => "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)",
            _ => "UPDATE sqlite_sequence SET seq = ?2 WHERE name = ?1 AND seq < ?2",
        };
        self.connection.execute(sql, (by, number)).map(drop).map_err(writing)
    }

    /// Makes the indexes and triggers, and the file one that is whole, durable and needs no log beside it.
    pub(super) fn finish(self) -> Result<(), StoreError> {
        for sql in &self.aside {
            self.connection.execute_batch(sql).map_err(writing)?;
        }
        self.connection.execute_batch("COMMIT").map_err(writing)?;
        self.connection.close().map_err(|(_, error)| writing(error))?;
        backup::alone(&self.path)?;
        backup::durable(&self.path)
    }
}

/// Takes indexes and triggers out, and returns what makes them.
fn take_out(connection: &Connection) -> Result<Vec<String>, StoreError> {
    const QUERY: &str = "SELECT type, name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY rowid";
    let found = {
        let mut statement = connection.prepare(QUERY).map_err(writing)?;
        let rows = statement
            .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)));
        rows.map_err(writing)?.collect::<Result<Vec<_>, _>>().map_err(writing)?
    };
    for (kind, name, _) in &found {
        connection.execute_batch(&format!("DROP {kind} {}", quoted(name))).map_err(writing)?;
    }
    Ok(found.into_iter().map(|(_, _, sql)| sql).collect())
}

/// A table that is being filled.
pub(super) struct Filling<'t> {
    statement: Statement<'t>,
    table: &'t Table,
}

impl Filling<'_> {
    /// Adds a row.
    pub(super) fn add(&mut self, row: &[u8]) -> Result<(), StoreError> {
        let Self { statement, table } = self;
        tuple::fields(row, |at, field| {
            let Some(column) = table.columns.get(at) else { return Ok(()) };
            let number = || field.and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
            let value = match (field, column.kind) {
                (None, _) => ValueRef::Null,
                (Some(_), Kind::Int) => ValueRef::Integer(i64::from_be_bytes(number())),
                (Some(_), Kind::Real) => ValueRef::Real(f64::from_be_bytes(number())),
                (Some(text), Kind::Text) => ValueRef::Text(text),
                (Some(bytes), Kind::Blob) => ValueRef::Blob(bytes),
            };
            statement.raw_bind_parameter(at + 1, ToSqlOutput::Borrowed(value)).map_err(writing)
        })?;
        statement.raw_execute().map(drop).map_err(writing)
    }
}

/// Brings the schema of a file that nobody uses up to date, and leaves it without a log beside it.
pub(super) fn bring_up_to_date(path: &Path) -> Result<(), StoreError> {
    let mut connection = backup::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(writing)?;
    migrate::make(&mut connection, path)?;
    connection.close().map_err(|(_, error)| writing(error))?;
    backup::alone(path)
}
