//! All that a database has, from one engine to the other.
//!
//! [`into_postgres`] moves a site to PostgreSQL; [`out_of_postgres`] makes the file of an embedded database of one that PostgreSQL has,
//! which is what a backup holds whatever the engine. Rows go as they are, in the binary form of `COPY`: nothing is decided anew, no
//! trigger runs, and numbers that were given stay given. The file and the database have the same version of the schema.
//!
//! *Invariant:* the source is only read, from one view; the target is whole, or has nothing of it.

mod postgres;
mod shape;
mod sqlite;
mod tuple;

use std::{collections::BTreeMap, ops::ControlFlow, path::Path};

use serde::Serialize;

use self::{
    shape::{Table, pair},
    sqlite::{Source, Target},
    tuple::Contents,
};
use crate::{StoreError, migrate, pg::Plain};

/// Rows between two chances to stop.
const ROWS: u64 = 1_000;
/// Bytes between two chances to stop.
const BYTES: u64 = 4 << 20;

/// What is being done.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Rows are read alone, to see whether they can be copied.
    Looking,
    /// Rows are copied.
    Copying,
    /// Indexes, references and numbers are put in order.
    Finishing,
    /// What was copied is read again and compared.
    Comparing,
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'p> {
    /// What is being done.
    pub phase: Phase,
    /// With which table; empty while it is none.
    pub table: &'p str,
    /// Bytes of rows so far, in this phase.
    pub bytes: u64,
    /// Bytes in all, about; 0 if that is not known.
    pub bytes_total: u64,
}

/// Is told how far it is; breaking off ends it, and nothing of it stays.
pub type Watch<'w> = dyn FnMut(Progress<'_>) -> ControlFlow<()> + 'w;

/// A table that was copied.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct MovedTable {
    /// Its name.
    pub name: String,
    /// Rows.
    pub rows: u64,
    /// Their bytes, as they were sent.
    pub bytes: u64,
    /// A sum of the SHA-256 of its rows, which is the same for the same rows in any order.
    pub digest: String,
}

/// Texts that had a character which PostgreSQL cannot keep.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ReplacedText {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// How many rows had it there. Each U+0000 is U+FFFD now.
    pub rows: u64,
}

/// What was copied.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Moved {
    /// Where from: the file.
    pub from: String,
    /// Where to, without the password.
    pub to: String,
    /// Version of the schema.
    pub schema_version: u32,
    /// The tables, in the order of their names.
    pub tables: Vec<MovedTable>,
    /// Texts that are not as they were.
    pub replaced: Vec<ReplacedText>,
    /// Both sides were read and compared; false for a rehearsal.
    pub compared: bool,
}

impl Moved {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    /// Bytes of all tables.
    pub fn bytes(&self) -> u64 {
        self.tables.iter().map(|table| table.bytes).sum()
    }
}

/// Copies all that the embedded database in a file has into an empty database of PostgreSQL, in one transaction of it, and compares both
/// before that is made durable. The caller has the lock of the data folder, so that nobody writes to the file.
///
/// A file of another version of the schema is refused, and so is a database that has anything, or is in use. With `rehearse` the file is
/// read and the database looked at, and nothing is changed. None if `watch` broke off.
pub fn into_postgres(
    source: &Path,
    target: &str,
    rehearse: bool,
    watch: &mut Watch<'_>,
) -> Result<Option<Moved>, StoreError> {
    let source = Source::open(source)?;
    let version = same_version(source.place(), source.version()?)?;
    let mut target = Plain::open(target)?;
    if let Some(theirs) = postgres::version(&target)?
        && theirs > version
    {
        let why = format!("has version {theirs} of the schema, made by a later Weir; this program knows {version}");
        return Err(StoreError::DatabaseRefused { place: target.place().to_owned(), why });
    }
    postgres::refuse_data(&target)?;
    let mut moved = Moved {
        from: source.place().to_owned(),
        to: target.place().to_owned(),
        schema_version: version,
        ..Moved::default()
    };
    let mut told = Told { phase: Phase::Looking, bytes: 0, total: source.bytes()?, rows: 0, unseen: 0, watch };
    if rehearse {
        for table in source.tables()? {
            let mut contents = Contents::default();
            let whole = copy_rows(&source, &table, &mut moved.replaced, |row| {
                contents.add(row);
                Ok(told.row(&table.name, row))
            })?;
            if !whole {
                return Ok(None);
            }
            moved.tables.push(moved_table(&table, &contents));
        }
        return Ok(Some(moved));
    }
    target.migrate()?;
    let tables = pair(source.tables()?, postgres::tables(&target)?, target.place())?;
    let theirs: Vec<&Table> = tables.iter().map(|(_, theirs)| theirs).collect();
    let aside = postgres::begin(&target, &theirs)?;
    let mut copied = Vec::with_capacity(tables.len());
    let total = told.total;
    if told.next(Phase::Copying, total).is_break() {
        return Ok(None);
    }
    for (table, _) in &tables {
        let mut contents = Contents::default();
        let mut filling = postgres::fill(&target, table)?;
        let whole = copy_rows(&source, table, &mut moved.replaced, |row| {
            contents.add(row);
            filling.add(row)?;
            Ok(told.row(&table.name, row))
        })?;
        if !whole {
            return Ok(None);
        }
        filling.finish()?;
        moved.tables.push(moved_table(table, &contents));
        copied.push(contents);
    }
    if told.next(Phase::Finishing, 0).is_break() {
        return Ok(None);
    }
    let mut numbers = Vec::new();
    for (table, theirs) in &tables {
        if let Some(numbered) = &theirs.numbered {
            numbers.push((numbered, source.highest(table, &numbered.column)?));
        }
    }
    postgres::finish(&target, &aside, &numbers, &theirs)?;
    if told.next(Phase::Comparing, moved.bytes()).is_break() {
        return Ok(None);
    }
    for ((table, _), contents) in tables.iter().zip(&copied) {
        let there = postgres::read(&target, table, &mut |row| Ok(told.row(&table.name, row)))?;
        let Some(there) = there else { return Ok(None) };
        if there != *contents {
            let why = format!(
                "does not have in the table {} what was copied ({} rows instead of {}); nothing of it stays",
                table.name, there.rows, contents.rows
            );
            return Err(StoreError::DatabaseRefused { place: target.place().to_owned(), why });
        }
    }
    target.commit("making the copy durable")?;
    moved.compared = true;
    Ok(Some(moved))
}

/// Makes a file that is not there the embedded database with all that a database of PostgreSQL has, of one moment: the one at the
/// beginning. Front ends are not kept waiting. The file is for its owner alone (mode 0600), needs no log beside it, and is durable.
/// Triggers and indexes are those that the embedded database always has.
///
/// False if `watch` broke off; then, and after an error, the file is of no use and to be removed.
pub fn out_of_postgres(source: &str, target: &Path, watch: &mut Watch<'_>) -> Result<bool, StoreError> {
    let source = Plain::open(source)?;
    postgres::begin_reading(&source)?;
    same_version(source.place(), postgres::version(&source)?)?;
    let target = Target::create(target)?;
    let tables = pair(target.tables()?, postgres::tables(&source)?, source.place())?;
    let total = postgres::bytes(&source)?;
    let mut told = Told { phase: Phase::Copying, bytes: 0, total, rows: 0, unseen: 0, watch };
    for (table, theirs) in &tables {
        let mut filling = target.fill(table)?;
        let read = postgres::read(&source, table, &mut |row| {
            filling.add(row)?;
            Ok(told.row(&table.name, row))
        })?;
        if read.is_none() {
            return Ok(false);
        }
        if let Some(numbered) = &theirs.numbered {
            target.given(table, postgres::highest(&source, numbered)?)?;
        }
    }
    // the view is let go before indexes are made
    source.batch("ending the view of the database", "COMMIT")?;
    if told.next(Phase::Finishing, 0).is_break() {
        return Ok(false);
    }
    target.finish()?;
    Ok(true)
}

/// Brings the embedded database in a file that nobody uses up to date, as a server does at its start.
pub fn bring_up_to_date(path: &Path) -> Result<(), StoreError> {
    sqlite::bring_up_to_date(path)
}

/// Whether a database has anything of a site: false for one without tables of Weir, and for one that no server and nobody else has used.
/// Fails if the database cannot be used at all.
pub fn has_data(database: &str) -> Result<bool, StoreError> {
    match postgres::refuse_data(&Plain::open(database)?) {
        Ok(()) => Ok(false),
        Err(StoreError::DatabaseRefused { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// The version, if it is that of this program: both engines have the same tables then.
fn same_version(place: &str, version: Option<u32>) -> Result<u32, StoreError> {
    let known = migrate::newest();
    let why = match version {
        Some(version) if version == known => return Ok(version),
        Some(version) if version < known => format!(
            "has version {version} of the schema, and this program {known}: let its server start once with this version, which brings it \
             up to date"
        ),
        Some(version) => {
            format!("has version {version} of the schema, made by a later Weir; this program knows {known}")
        }
        None => "is none of Weir: it has no history of its schema".to_owned(),
    };
    Err(StoreError::DatabaseRefused { place: place.to_owned(), why })
}

/// Hands every row of a table of the file to `each`, and notes texts that are changed. False if it broke off.
fn copy_rows(
    source: &Source,
    table: &Table,
    replaced: &mut Vec<ReplacedText>,
    mut each: impl FnMut(&[u8]) -> Result<ControlFlow<()>, StoreError>,
) -> Result<bool, StoreError> {
    let mut places: BTreeMap<usize, u64> = BTreeMap::new();
    let whole = source.read(table, &mut |at| *places.entry(at).or_default() += 1, &mut each)?;
    for (at, rows) in places {
        let column = table.columns.get(at).map(|column| column.name.clone()).unwrap_or_default();
        replaced.push(ReplacedText { table: table.name.clone(), column, rows });
    }
    Ok(whole)
}

fn moved_table(table: &Table, contents: &Contents) -> MovedTable {
    MovedTable { name: table.name.clone(), rows: contents.rows, bytes: contents.bytes, digest: contents.digest() }
}

/// How far it is, told now and then.
struct Told<'t, 'w> {
    phase: Phase,
    bytes: u64,
    total: u64,
    /// Rows and bytes that were not told of.
    rows: u64,
    unseen: u64,
    watch: &'t mut Watch<'w>,
}

impl Told<'_, '_> {
    /// One more row.
    fn row(&mut self, table: &str, row: &[u8]) -> ControlFlow<()> {
        self.bytes += row.len() as u64;
        self.rows += 1;
        self.unseen += row.len() as u64;
        if self.rows < ROWS && self.unseen < BYTES {
            return ControlFlow::Continue(());
        }
        (self.rows, self.unseen) = (0, 0);
        self.tell(table)
    }

    /// The next phase, of so many bytes.
    fn next(&mut self, phase: Phase, total: u64) -> ControlFlow<()> {
        (self.phase, self.bytes, self.total) = (phase, 0, total);
        self.tell("")
    }

    fn tell(&mut self, table: &str) -> ControlFlow<()> {
        // what the rows take here may be more than what the file says
        let total = if self.total == 0 { 0 } else { self.total.max(self.bytes) };
        (self.watch)(Progress { phase: self.phase, table, bytes: self.bytes, bytes_total: total })
    }
}
