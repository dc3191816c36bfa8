//! Unit costs: what a run of `weir bench all` measured, and where each figure is from.

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use crate::{report::FORMAT, row::Database, suite::Suite};

/// A report as it is read again.
#[derive(Clone, Debug, Deserialize)]
pub struct Read {
    format: u32,
    /// Whether it was a quick run.
    #[serde(default)]
    pub quick: bool,
    /// When it began.
    #[serde(default)]
    pub began: String,
    /// Where it ran.
    pub machine: ReadMachine,
    suites: Vec<ReadSuite>,
}

/// The machine of a report.
#[derive(Clone, Debug, Deserialize)]
pub struct ReadMachine {
    /// Model of its processor.
    #[serde(default)]
    pub processor: String,
    /// Its processors.
    pub cores: u32,
    /// The program.
    #[serde(default)]
    pub build: String,
}

#[derive(Clone, Debug, Deserialize)]
struct ReadSuite {
    suite: String,
    #[serde(default)]
    rows: Vec<ReadRow>,
}

/// A row of a report; what the model does not use is left out.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ReadRow {
    case: String,
    #[serde(default)]
    size: usize,
    #[serde(default)]
    size_of: Option<String>,
    #[serde(default)]
    coding: Option<String>,
    /// In the word of [`Database::name`]; none where nothing is stored, and in reports of releases before this one.
    #[serde(default)]
    database: Option<String>,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    value: Option<f64>,
    #[serde(default)]
    cpu_us: Option<f64>,
    #[serde(default)]
    database_cpu_us: Option<f64>,
    #[serde(default)]
    request_bytes: Option<f64>,
    #[serde(default)]
    answer_bytes: Option<f64>,
}

impl Read {
    /// Reads the JSON that `weir bench all` wrote.
    ///
    /// # Errors
    ///
    /// It is no such JSON, or one of another form.
    pub fn of(json: &[u8]) -> anyhow::Result<Self> {
        let read: Self = serde_json::from_slice(json).context(
            "this is no report of `weir bench all`; its JSON is bench.json in the folder that it names at its end",
        )?;
        ensure!(read.format == FORMAT, "this report has the form {}, and this program reads {FORMAT}", read.format);
        Ok(read)
    }

    /// Which database it says most of: PostgreSQL if durable reports were measured on that.
    pub(super) fn database(&self) -> Database {
        let found = self.row(&super::reports_on_postgresql(), Database::Postgresql, None);
        if found.is_some() { Database::Postgresql } else { Database::Sqlite }
    }

    /// The row of a case that a plan for a database takes. Where only the embedded one was measured, its rows stand for both.
    fn row_for(&self, from: &Place, database: Database, near: Option<usize>) -> Option<(&ReadRow, f64)> {
        self.row(from, database, near).or_else(|| self.row(from, Database::Sqlite, near))
    }

    /// The row of a case on a database whose size is nearest to one, or the largest; only rows that have the figure.
    fn row(&self, from: &Place, database: Database, near: Option<usize>) -> Option<(&ReadRow, f64)> {
        let wanted = |row: &&ReadRow| {
            row.case == from.case
                && row.is_of(database)
                && from.coding.is_none_or(|coding| row.coding.as_deref() == Some(coding))
                && from.unit.is_none_or(|unit| row.unit == unit)
        };
        let rows = self.suites.iter().filter(|suite| suite.suite == from.suite).flat_map(|suite| &suite.rows);
        let found = rows.filter(wanted).filter_map(|row| {
            let figure = (from.of)(row).filter(|figure| figure.is_finite() && *figure > 0.0)?;
            Some((row, figure))
        });
        let distance = |row: &ReadRow| {
            let size = (row.size.max(1) as f64).ln();
            near.map_or(-size, |near| (size - (near.max(1) as f64).ln()).abs())
        };
        found.min_by(|(one, _), (other, _)| distance(one).total_cmp(&distance(other)))
    }
}

/// Where a unit cost stands in a report.
pub(super) struct Place {
    suite: &'static str,
    case: &'static str,
    coding: Option<&'static str>,
    unit: Option<&'static str>,
    of: fn(&ReadRow) -> Option<f64>,
}

impl Place {
    pub(super) fn new(suite: &'static str, case: &'static str, of: fn(&ReadRow) -> Option<f64>) -> Self {
        Self { suite, case, coding: None, unit: None, of }
    }

    /// Of rows with this coding.
    pub(super) fn coded(self, coding: &'static str) -> Self {
        Self { coding: Some(coding), ..self }
    }

    /// Whether its suite is one that a run of all suites measures on both databases.
    fn is_on_both(&self) -> bool {
        Suite::ON_BOTH.iter().any(|suite| suite.name() == self.suite)
    }

    /// Of rows with this unit.
    pub(super) fn counted_in(self, unit: &'static str) -> Self {
        Self { unit: Some(unit), ..self }
    }
}

/// Figures of rows.
impl ReadRow {
    /// Whether it was measured on a database; what is stored nowhere is as on the embedded one.
    fn is_of(&self, database: Database) -> bool {
        self.database.as_deref().unwrap_or(Database::Sqlite.name()) == database.name()
    }

    /// Processor time of PostgreSQL for one request, in microseconds.
    pub(super) fn database_cpu_us(&self) -> Option<f64> {
        self.database_cpu_us
    }

    pub(super) fn value(&self) -> Option<f64> {
        self.value
    }

    pub(super) fn cpu_us(&self) -> Option<f64> {
        self.cpu_us
    }

    /// Bytes of a request and of its answer.
    pub(super) fn both_ways(&self) -> Option<f64> {
        Some(self.request_bytes? + self.answer_bytes?)
    }

    /// Bytes for each computer, of a value in megabytes.
    pub(super) fn bytes_each(&self) -> Option<f64> {
        Some(self.value? * 1e6 / self.size as f64)
    }

    /// How many computers there are for each unit of the value.
    pub(super) fn rate(&self) -> Option<f64> {
        Some(self.size as f64 / self.value?)
    }

    /// Seconds for each thousand computers.
    pub(super) fn for_each_thousand(&self) -> Option<f64> {
        Some(self.value? * 1e3 / self.size as f64)
    }
}

/// A measured cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unit {
    /// What it is the cost of.
    pub name: &'static str,
    /// The figure; none if it was not measured.
    pub value: Option<f64>,
    /// Its unit.
    pub unit: &'static str,
    /// The row that it is from, or the command that measures it.
    pub from: String,
}

/// Takes units from a report, for a database, and remembers them.
pub(super) struct Units<'r> {
    report: &'r Read,
    database: Database,
    pub(super) taken: Vec<Unit>,
}

impl<'r> Units<'r> {
    pub(super) fn new(report: &'r Read, database: Database) -> Self {
        Self { report, database, taken: Vec::new() }
    }

    /// The figure at the size nearest to one, or at the largest.
    pub(super) fn take(&mut self, name: &'static str, unit: &'static str, from: &Place, near: Option<usize>) -> Named {
        let found = self.report.row_for(from, self.database, near);
        let source = match found {
            Some((row, _)) => {
                let coding = row.coding.as_deref().map_or_else(String::new, |coding| format!(", {coding}"));
                let of = row.size_of.as_deref().unwrap_or("in size");
                format!("{}: {}{coding}, {} {of}{}", from.suite, row.case, row.size, self.told(from, row))
            }
            None if self.database == Database::Postgresql && from.is_on_both() => {
                format!("not measured: weir bench {} --postgres", from.suite)
            }
            None => format!("not measured: weir bench {}", from.suite),
        };
        let value = found.map(|(_, figure)| figure);
        self.taken.push(Unit { name, value, unit, from: source });
        (name, value)
    }

    /// Which database a row is of, where a plan is for PostgreSQL and that matters.
    fn told(&self, from: &Place, row: &ReadRow) -> &'static str {
        match self.database {
            Database::Postgresql if row.is_of(Database::Postgresql) => ", on PostgreSQL",
            Database::Postgresql if from.is_on_both() => ", on SQLite: not measured on PostgreSQL",
            _ => "",
        }
    }
}

/// A number by its name; none if it is not known.
pub(super) type Named = (&'static str, Option<f64>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        report::tests::{measured, measured_on, told},
        row::Row,
    };

    fn row(case: &str, size: usize, value: f64) -> Row {
        Row { case: case.to_owned(), revisions: size, value, unit: "MB", ..Row::default() }
    }

    #[test]
    fn the_nearest_size_is_taken_and_named() {
        let rows = [2_000, 20_000, 100_000].map(|size| Row { cpu_us: Some(size as f64), ..row("steady", size, 1.0) });
        let report = told(vec![measured(Suite::Scan, rows.to_vec())]);
        let read = Read::of(&serde_json::to_vec(&report).expect("JSON")).expect("a report");
        let mut units = Units::new(&read, Database::Sqlite);
        let from = Place::new("scan", "steady", ReadRow::cpu_us);
        assert_eq!(units.take("a scan", "us", &from, Some(30_000)), ("a scan", Some(20_000.0)));
        assert_eq!(units.take("a scan", "us", &from, None), ("a scan", Some(100_000.0)));
        assert_eq!(units.taken[0].from, "scan: steady, 20000 revisions");
        let from = Place::new("scan", "steady", ReadRow::cpu_us).coded("xpress");
        assert_eq!(units.take("a scan", "us", &from, None), ("a scan", None));
        assert_eq!(units.taken[2].from, "not measured: weir bench scan");
    }

    #[test]
    fn what_was_not_measured_is_not_taken() {
        let report =
            told(vec![measured(Suite::Compliance, vec![row("resident", 1_000, f64::NAN), row("resident", 500, 2.0)])]);
        let read = Read::of(&serde_json::to_vec(&report).expect("JSON")).expect("a report");
        let from = Place::new("compliance", "resident", ReadRow::bytes_each);
        assert_eq!(Units::new(&read, Database::Sqlite).take("index", "bytes", &from, None).1, Some(4_000.0));
    }

    #[test]
    fn each_database_has_its_own_rows() {
        let stored = |size, value| vec![row("on disk", size, value)];
        let on_postgresql = measured_on(Some(Database::Postgresql), Suite::Morning, stored(300, 2.0));
        let suites = vec![
            measured(Suite::Morning, stored(300, 1.0)),
            measured(Suite::Morning, stored(100, 3.0)),
            on_postgresql,
            measured(Suite::Storm, stored(300, 4.0)),
            measured(Suite::Scan, stored(300, 5.0)),
        ];
        let read = Read::of(&serde_json::to_vec(&told(suites)).expect("JSON")).expect("a report");
        assert_eq!(read.database(), Database::Sqlite, "no reports were measured on PostgreSQL");
        let take = |database, suite, case| {
            let mut units = Units::new(&read, database);
            let (_, value) = units.take("disk", "MB", &Place::new(suite, case, ReadRow::value), None);
            (value, units.taken.remove(0).from)
        };
        let found = |value: f64, from: &str| (Some(value), from.to_owned());
        let (sqlite, postgresql) = (Database::Sqlite, Database::Postgresql);
        assert_eq!(take(sqlite, "morning", "on disk"), found(1.0, "morning: on disk, 300 computers"));
        let from = "morning: on disk, 300 computers, on PostgreSQL";
        assert_eq!(take(postgresql, "morning", "on disk"), found(2.0, from));
        let from = "storm: on disk, 300 computers, on SQLite: not measured on PostgreSQL";
        assert_eq!(take(postgresql, "storm", "on disk"), found(4.0, from));
        // what is in memory does not ask where it came from
        assert_eq!(take(postgresql, "scan", "on disk"), found(5.0, "scan: on disk, 300 revisions"));
        let none = (None, "not measured: weir bench morning --postgres".to_owned());
        assert_eq!(take(postgresql, "morning", "nothing"), none);
    }

    #[test]
    fn another_form_is_refused() {
        let mut report = told(Vec::new());
        report.format = 2;
        let refused = Read::of(&serde_json::to_vec(&report).expect("JSON")).expect_err("another form");
        assert!(refused.to_string().contains("form 2"), "{refused}");
        assert!(Read::of(b"{\"rows\": []}").expect_err("no report").to_string().contains("weir bench all"));
    }
}
