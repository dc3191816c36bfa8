//! Looking at a database without changing it, whichever engine it is of, and whether somebody uses it or not.

use std::{fs, path::Path};

use rusqlite::{Connection, OpenFlags};

use crate::{
    DATABASE, ReadTx, StoreError,
    backup::{look, open, uri, version},
    codec::args,
    db::failed,
    pg::{self, Plain, Postgres},
    sql::Statement,
};

/// The version of the schema, which is asked for only where there is one.
static VERSION: Statement = Statement {
    action: "reading the version of the schema",
    text: "SELECT max(version) FROM refinery_schema_history",
    postgres: None,
};
const LOOKING: &str = "looking at the structure of the database";
const REFERENCES: &str = "checking references of the database";

/// A database that is looked at and never changed. No migration is run, and no lock is taken.
pub struct Inspection {
    engine: Looked,
}

enum Looked {
    Sqlite {
        connection: Box<Connection>,
        /// What was written and not yet moved into the file is not seen.
        without_log: bool,
    },
    // Fields drop in this order: the connection before what it lives on.
    Postgres {
        plain: Box<Plain>,
        postgres: Box<Postgres>,
    },
}

impl std::fmt::Debug for Inspection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inspection").field("server", &self.server()).finish_non_exhaustive()
    }
}

impl Inspection {
    /// Opens the database of a site: the one that an address names, else the one in the data folder, as [`Inspection::open`] does.
    pub fn of(data: &Path, database: Option<&str>) -> Result<Self, StoreError> {
        let Some(url) = database else { return Self::open(&data.join(DATABASE)) };
        let postgres = Box::new(Postgres::visit(url)?);
        let plain = Box::new(Plain::beside(&postgres)?);
        Ok(Self { engine: Looked::Postgres { plain, postgres } })
    }

    /// Opens a database that may be in use by another process. Where nothing can be written beside it (a read-only disk) the file
    /// alone is read ([`Inspection::is_without_log`]).
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let opened = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
        let readable = opened.and_then(|connection| {
            look(&connection).map_err(|error| failed("reading the database", error))?;
            Ok(connection)
        });
        match readable {
            Ok(connection) => Ok(Self::sqlite(connection, false)),
            Err(StoreError::DiskFailed { .. } | StoreError::Query { .. }) => Ok(Self::sqlite(unmoving(path)?, true)),
            Err(error) => Err(error),
        }
    }

    /// Opens a database that nobody writes to, such as one of a backup. Nothing is made beside it.
    pub fn still(path: &Path) -> Result<Self, StoreError> {
        Ok(Self::sqlite(unmoving(path)?, false))
    }

    fn sqlite(connection: Connection, without_log: bool) -> Self {
        Self { engine: Looked::Sqlite { connection: Box::new(connection), without_log } }
    }

    /// Only the file could be read, without the log beside it.
    pub fn is_without_log(&self) -> bool {
        matches!(self.engine, Looked::Sqlite { without_log: true, .. })
    }

    /// Where the database is, without the password, if it is on a server of PostgreSQL. Its files are there, and are not looked at.
    pub fn server(&self) -> Option<&str> {
        match &self.engine {
            Looked::Sqlite { .. } => None,
            Looked::Postgres { plain, .. } => Some(plain.place()),
        }
    }

    /// The version of the schema: the number of the last migration that was run; none if none was.
    pub fn schema_version(&self) -> Result<Option<u32>, StoreError> {
        match &self.engine {
            Looked::Sqlite { connection, .. } => version(connection),
            Looked::Postgres { plain, .. } => {
                let there = "SELECT to_regclass('refinery_schema_history') IS NOT NULL";
                if !plain.says(VERSION.action, there)? {
                    return Ok(None);
                }
                self.read(|tx| Ok(tx.first(&VERSION, args![], |row| row.opt_int(0))?.flatten()))
            }
        }
    }

    /// Bytes that the database takes; of PostgreSQL, with its indexes and what is not yet cleared away.
    pub fn bytes(&self) -> Result<u64, StoreError> {
        match &self.engine {
            Looked::Sqlite { connection, .. } => {
                let ask = |name| {
                    let answer = connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
                    answer.map_err(|error| failed("looking for the size of the database", error))
                };
                Ok(ask("page_count")?.saturating_mul(ask("page_size")?).unsigned_abs())
            }
            Looked::Postgres { .. } => self.read(|tx| tx.one(&pg::SIZE, args![], |row| row.int(0))),
        }
    }

    /// What is wrong with the structure, at most so many findings; none if nothing is. `thorough` compares every index of the embedded
    /// database with its table, too. Of PostgreSQL it is what the server knows of itself: its files are looked at with its own tools.
    pub fn damage(&self, thorough: bool, most: u32) -> Result<Vec<String>, StoreError> {
        match &self.engine {
            Looked::Sqlite { connection, .. } => damage(connection, thorough, most),
            Looked::Postgres { plain, .. } => {
                let mut found = known_damage(plain)?;
                found.truncate(usize::try_from(most).unwrap_or(usize::MAX));
                Ok(found)
            }
        }
    }

    /// Rows that refer to what is not there, by table and the table that they refer to, with how many.
    pub fn dangling(&self) -> Result<Vec<(String, String, u64)>, StoreError> {
        match &self.engine {
            Looked::Sqlite { connection, .. } => dangling(connection),
            Looked::Postgres { plain, .. } => dangling_there(plain),
        }
    }

    /// Reads it as a server would.
    pub fn read<T>(&self, work: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match &self.engine {
            Looked::Sqlite { connection, .. } => work(&ReadTx::new(connection)),
            Looked::Postgres { postgres, .. } => {
                let session = postgres.readers.lend();
                let _unit = session.begin_read()?;
                work(&ReadTx::postgres(&session))
            }
        }
    }
}

/// Opens a file that nobody writes to.
fn unmoving(path: &Path) -> Result<Connection, StoreError> {
    let missing = |source| StoreError::Open { path: path.to_owned(), source };
    let whole = fs::canonicalize(path).map_err(missing)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let connection = open(&uri(&whole), flags)?;
    look(&connection).map_err(|error| failed("reading the database", error))?;
    Ok(connection)
}

fn damage(connection: &Connection, thorough: bool, most: u32) -> Result<Vec<String>, StoreError> {
    let pragma = if thorough { "integrity_check" } else { "quick_check" };
    let mut found = Vec::new();
    let looked = connection.pragma(None, pragma, most, |row| {
        found.push(row.get::<_, String>(0)?);
        Ok(())
    });
    match looked.map_err(|error| failed("checking the database", error)) {
        Ok(()) => {}
        // pages that cannot be made sense of at all
        Err(StoreError::Corrupt { what }) => found.push(what),
        Err(error) => return Err(error),
    }
    found.retain(|line| line != "ok");
    Ok(found)
}

/// What the server of PostgreSQL knows to be wrong: pages that were not as they were written, and parts of the schema that do not do
/// their work.
fn known_damage(plain: &Plain) -> Result<Vec<String>, StoreError> {
    const QUERY: &str = "SELECT checksum_failures || ' pages did not have their checksum when they were read, the last at '
            || checksum_last_failure
        FROM pg_stat_database WHERE datname = current_database() AND checksum_failures > 0
        UNION ALL
        SELECT 'the index ' || i.indexrelid::regclass || ' is not whole: REINDEX INDEX ' || i.indexrelid::regclass
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = current_schema() AND NOT (i.indisvalid AND i.indisready)
        UNION ALL
        SELECT 'the rule ' || quote_ident(k.conname) || ' of table ' || k.conrelid::regclass
            || ' was not looked at: ALTER TABLE ' || k.conrelid::regclass || ' VALIDATE CONSTRAINT ' || quote_ident(k.conname)
        FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
        WHERE n.nspname = current_schema() AND NOT k.convalidated
        UNION ALL
        SELECT 'the trigger ' || quote_ident(t.tgname) || ' of table ' || t.tgrelid::regclass
            || ' is switched off: ALTER TABLE ' || t.tgrelid::regclass || ' ENABLE TRIGGER USER'
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = current_schema() AND NOT t.tgisinternal AND t.tgenabled = 'D'";
    let rows = plain.ask(LOOKING, QUERY)?;
    Ok(rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
}

fn dangling(connection: &Connection) -> Result<Vec<(String, String, u64)>, StoreError> {
    let mut found: Vec<(String, String, u64)> = Vec::new();
    connection
        .pragma_query(None, "foreign_key_check", |row| {
            let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
            match found.iter_mut().find(|(known, above, _)| *known == table && *above == parent) {
                Some((_, _, count)) => *count += 1,
                None => found.push((table, parent, 1)),
            }
            Ok(())
        })
        .map_err(|error| failed(REFERENCES, error))?;
    Ok(found)
}

/// The same in PostgreSQL, which keeps such rows out, unless somebody has switched that off or its files are damaged.
fn dangling_there(plain: &Plain) -> Result<Vec<(String, String, u64)>, StoreError> {
    const QUERY: &str =
        "SELECT k.conrelid::regclass, k.confrelid::regclass, quote_ident(a.attname), quote_ident(b.attname)
        FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
            JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[1]
        WHERE n.nspname = current_schema() AND k.contype = 'f' AND cardinality(k.conkey) = 1 ORDER BY 1, 2";
    let mut found = Vec::new();
    for row in plain.ask(REFERENCES, QUERY)? {
        let mut words = row.into_iter().map(Option::unwrap_or_default);
        let mut word = || words.next().unwrap_or_default();
        let (table, above, column, key) = (word(), word(), word(), word());
        let sql = format!(
            "SELECT count(*) FROM {table} c WHERE c.{column} IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM {above} p WHERE p.{key} = c.{column})"
        );
        let answer = plain.ask(REFERENCES, &sql)?;
        let count = answer.first().and_then(|row| row.first()?.as_ref()?.parse::<u64>().ok()).unwrap_or_default();
        if count > 0 {
            found.push((table, above, count));
        }
    }
    Ok(found)
}
