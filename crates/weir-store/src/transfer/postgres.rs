//! The database of PostgreSQL: filled as a whole in one transaction, and read as a whole from one view.

use super::{
    shape::{Numbered, Table, gather, quoted},
    tuple::{Contents, HEAD, Splitter, TAIL},
};
use crate::{
    StoreError,
    pg::{Incoming, Plain},
};

/// Bytes of rows that are sent at once.
const PIECE: usize = 256 << 10;
/// Tables in which a database that nobody has used has rows.
const SEEDED: [&str; 3] = ["counter", "rollup_state", "site_here"];
/// And tables in which it has rows that are built in, and no others.
const BUILT_IN: [&str; 2] = ["collection", "user_account"];

const LOOKING: &str = "looking at the tables of the database";
const PREPARING: &str = "preparing the database to be filled";
const FILLING: &str = "filling a table of the database";
const READING: &str = "reading a table of the database";
const FINISHING: &str = "making the database whole";

fn refused(database: &Plain, why: impl Into<String>) -> StoreError {
    StoreError::DatabaseRefused { place: database.place().to_owned(), why: why.into() }
}

/// A text as a literal.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The answers to a question, in words; what is NULL is empty.
fn words<const N: usize>(database: &Plain, action: &'static str, sql: &str) -> Result<Vec<[String; N]>, StoreError> {
    let rows = database.ask(action, sql)?;
    let row = |row: Vec<Option<String>>| {
        let mut fields = row.into_iter().map(Option::unwrap_or_default);
        std::array::from_fn(|_| fields.next().unwrap_or_default())
    };
    Ok(rows.into_iter().map(row).collect())
}

/// A number that a question answers; 0 for nothing.
fn number(database: &Plain, action: &'static str, sql: &str) -> Result<i64, StoreError> {
    let rows = words::<1>(database, action, sql)?;
    let text = rows.first().map_or("", |[text]| text.as_str());
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| StoreError::Corrupt { what: format!("{text:?} instead of a number while {action}") })
}

/// The version of the schema; none where there is none of ours.
pub(super) fn version(database: &Plain) -> Result<Option<u32>, StoreError> {
    if !database.says(LOOKING, "SELECT to_regclass('refinery_schema_history') IS NOT NULL")? {
        return Ok(None);
    }
    let newest = number(database, LOOKING, "SELECT max(version) FROM refinery_schema_history")?;
    Ok(u32::try_from(newest).ok().filter(|version| *version > 0))
}

/// The tables in the order of their names, those of others among them if there are any.
pub(super) fn tables(database: &Plain) -> Result<Vec<Table>, StoreError> {
    const QUERY: &str = "SELECT c.relname, a.attname, format_type(a.atttypid, NULL), CASE WHEN a.attidentity <> '' THEN
            pg_get_serial_sequence(quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.attname) END
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE n.nspname = current_schema() AND c.relkind = 'r'
        ORDER BY c.relname COLLATE \"C\", a.attnum";
    let rows = words::<4>(database, LOOKING, QUERY)?;
    let rows = rows.into_iter().filter(|[_, _, kind, _]| {
        // a table with a column of another type is none of ours, and missing where it should be ours
        matches!(kind.as_str(), "bigint" | "text" | "bytea" | "double precision")
    });
    let rows = rows.map(|[table, column, kind, by]| (table, column, kind, Some(by).filter(|by| !by.is_empty())));
    gather(rows, database.place())
}

/// Refuses a database in which somebody has stored something.
pub(super) fn refuse_data(database: &Plain) -> Result<(), StoreError> {
    let mut asked = Vec::new();
    for table in tables(database)? {
        let name = quoted(&table.name);
        let which = match table.name.as_str() {
            seeded if SEEDED.contains(&seeded) => continue,
            some if BUILT_IN.contains(&some) => format!("{name} WHERE built_in = 0"),
            _ => name,
        };
        asked.push(format!("SELECT {} WHERE EXISTS (SELECT 1 FROM {which})", literal(&table.name)));
    }
    if asked.is_empty() {
        return Ok(());
    }
    let found = words::<1>(database, LOOKING, &asked.join(" UNION ALL "))?;
    match found.first() {
        None => Ok(()),
        Some([table]) => {
            let others = match found.len() {
                ..=1 => String::new(),
                2 => ", and another table has".to_owned(),
                count => format!(", and {} other tables have", count - 1),
            };
            Err(refused(
                database,
                format!(
                    "is not empty: the table {table} has rows{others}; name a database that was made for this alone"
                ),
            ))
        }
    }
}

/// Begins the one transaction in which everything happens, with every table locked and empty.
pub(super) fn begin(database: &Plain, tables: &[&Table]) -> Result<Aside, StoreError> {
    // what has to wait for a server is refused soon
    database.batch(PREPARING, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '5s'")?;
    let in_use = || refused(database, "is in use by a server; stop it first");
    if !database.writes_alone()? {
        return Err(in_use());
    }
    let names: Vec<String> = tables.iter().map(|table| quoted(&table.name)).collect();
    let names = names.join(", ");
    // a table that was emptied by this transaction is written without the log of each row, where the server's settings allow it
    let emptied = database.batch(PREPARING, &format!("TRUNCATE TABLE {names} RESTART IDENTITY"));
    emptied.map_err(|error| if matches!(error, StoreError::Busy { .. }) { in_use() } else { error })?;
    let aside = Aside::take(database)?;
    database.batch(PREPARING, &aside.out)?;
    Ok(aside)
}

/// What is taken out while tables are filled: references, which are looked at once in the end and not for each row, and triggers,
/// which would take what is copied for decisions.
pub(super) struct Aside {
    out: String,
    back: String,
}

impl Aside {
    fn take(database: &Plain) -> Result<Self, StoreError> {
        const REFERENCES: &str =
            "SELECT c.conrelid::regclass::TEXT, quote_ident(c.conname), pg_get_constraintdef(c.oid)
            FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
            WHERE n.nspname = current_schema() AND c.contype = 'f' ORDER BY 1, 2";
        const TRIGGERS: &str = "SELECT DISTINCT t.tgrelid::regclass::TEXT
            FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = current_schema() AND NOT t.tgisinternal ORDER BY 1";
        let (mut out, mut back) = (String::new(), String::new());
        for [table, name, definition] in words::<3>(database, PREPARING, REFERENCES)? {
            out.push_str(&format!("ALTER TABLE {table} DROP CONSTRAINT {name};\n"));
            back.push_str(&format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition};\n"));
        }
        for [table] in words::<1>(database, PREPARING, TRIGGERS)? {
            out.push_str(&format!("ALTER TABLE {table} DISABLE TRIGGER USER;\n"));
            back.push_str(&format!("ALTER TABLE {table} ENABLE TRIGGER USER;\n"));
        }
        Ok(Self { out, back })
    }
}

/// A table that is being filled.
pub(super) struct Filling<'p> {
    incoming: Incoming<'p>,
    piece: Vec<u8>,
}

/// Begins to fill a table; `like` says in which order columns come.
pub(super) fn fill<'p>(database: &'p Plain, like: &Table) -> Result<Filling<'p>, StoreError> {
    let sql = format!("COPY {} ({}) FROM STDIN (FORMAT binary, FREEZE)", quoted(&like.name), like.list());
    Ok(Filling { incoming: database.copy_in(FILLING, &sql)?, piece: HEAD.to_vec() })
}

impl Filling<'_> {
    /// Adds a row.
    pub(super) fn add(&mut self, row: &[u8]) -> Result<(), StoreError> {
        self.piece.extend_from_slice(row);
        if self.piece.len() < PIECE {
            return Ok(());
        }
        self.incoming.send(std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE)))
    }

    /// Ends it, and says how many rows the table has.
    pub(super) fn finish(mut self) -> Result<u64, StoreError> {
        self.piece.extend_from_slice(TAIL);
        self.incoming.send(self.piece)?;
        self.incoming.finish()
    }
}

/// Puts back what was taken out, which looks at every reference, and goes on with the numbers that were given.
pub(super) fn finish(
    database: &Plain,
    aside: &Aside,
    numbers: &[(&Numbered, i64)],
    tables: &[&Table],
) -> Result<(), StoreError> {
    database.batch(FINISHING, &aside.back)?;
    for (numbered, last) in numbers.iter().filter(|(_, last)| *last > 0) {
        database.ask(FINISHING, &format!("SELECT setval({}::regclass, {last}, true)", literal(&numbered.by)))?;
    }
    // plans know from the start what is there
    let names: Vec<String> = tables.iter().map(|table| quoted(&table.name)).collect();
    database.batch(FINISHING, &format!("ANALYZE {}", names.join(", ")))
}

/// Begins to read, of one moment: that of the next question.
pub(super) fn begin_reading(database: &Plain) -> Result<(), StoreError> {
    database.batch(LOOKING, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
}

/// About how many bytes the tables have.
pub(super) fn bytes(database: &Plain) -> Result<u64, StoreError> {
    const QUERY: &str = "SELECT sum(pg_table_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = current_schema() AND c.relkind = 'r'";
    number(database, LOOKING, QUERY).map(i64::unsigned_abs)
}

/// The highest number that was given, even if nobody has it any more; 0 if none was.
pub(super) fn highest(database: &Plain, numbered: &Numbered) -> Result<i64, StoreError> {
    let sql = format!("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {}", numbered.by);
    number(database, LOOKING, &sql)
}

/// Hands every row of a table to `each` until it breaks off; none then, else what is in the table. `like` says in which order columns
/// come.
pub(super) fn read(
    database: &Plain,
    like: &Table,
    each: &mut crate::pg::EachTuple<'_>,
) -> Result<Option<Contents>, StoreError> {
    let sql = format!("COPY {} ({}) TO STDOUT (FORMAT binary)", quoted(&like.name), like.list());
    let (mut splitter, mut contents) = (Splitter::default(), Contents::default());
    let whole = database.copy_out(READING, &sql, &mut |piece| {
        splitter.take(piece, &mut |row| {
            contents.add(row);
            each(row)
        })
    })?;
    if !whole {
        return Ok(None);
    }
    if !splitter.is_whole() {
        return Err(StoreError::Corrupt { what: format!("the rows of table {} broke off", like.name) });
    }
    Ok(Some(contents))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_literals_whatever_they_have() {
        assert_eq!(literal("o'clock"), "'o''clock'");
    }
}
