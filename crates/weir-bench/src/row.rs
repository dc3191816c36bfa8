//! What a benchmark came to: rows, the limits that the design sets them, and how they grow from size to size.

use serde::Serialize;

use crate::measure::exponent;

/// What the size of a row counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SizeOf {
    /// Computers of a fleet.
    Computers,
    /// Front ends of a database.
    FrontEnds,
    /// Megabytes of a file or of an entry.
    Megabytes,
    /// Revisions of a catalogue.
    Revisions,
    /// Updates of an index.
    Updates,
}

impl SizeOf {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Computers => "computers",
            Self::FrontEnds => "front ends",
            Self::Megabytes => "megabytes",
            Self::Revisions => "revisions",
            Self::Updates => "updates",
        }
    }
}

/// What kept the data that were measured on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Database {
    /// The embedded database in the data folder.
    Sqlite,
    /// A database of PostgreSQL.
    Postgresql,
}

impl Database {
    /// The word for it in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgresql => "postgresql",
        }
    }
}

/// A figure of a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// [`Row::p50_us`].
    P50Us,
    /// [`Row::p99_us`].
    P99Us,
    /// [`Row::ratio_null`].
    RatioNull,
    /// [`Row::ratio_tokeniser`].
    RatioTokeniser,
    /// [`Row::value`].
    Value,
}

impl Figure {
    /// All of them, that of the row itself first.
    pub const ALL: [Self; 5] = [Self::Value, Self::RatioNull, Self::RatioTokeniser, Self::P50Us, Self::P99Us];

    /// What the figure of a row is; none if the row has no such figure.
    pub fn of(self, row: &Row) -> Option<f64> {
        let figure = match self {
            Self::P50Us => row.p50_us,
            Self::P99Us => row.p99_us,
            Self::RatioNull => row.ratio_null,
            Self::RatioTokeniser => row.ratio_tokeniser,
            Self::Value => Some(row.value),
        };
        figure.filter(|figure| figure.is_finite())
    }

    /// Its unit in a row.
    pub fn unit(self, row: &Row) -> &'static str {
        match self {
            Self::P50Us => "us, p50",
            Self::P99Us => "us, p99",
            Self::RatioNull => "of the baseline",
            Self::RatioTokeniser => "of the tokeniser",
            Self::Value => row.unit,
        }
    }
}

/// How far a figure may go.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The figure is to be this or more.
    AtLeast(f64),
    /// The figure is to be this or less.
    AtMost(f64),
}

impl Bound {
    /// Whether a figure keeps to it.
    pub fn holds(self, figure: f64) -> bool {
        match self {
            Self::AtLeast(least) => figure >= least,
            Self::AtMost(most) => figure <= most,
        }
    }

    /// The number itself.
    pub fn number(self) -> f64 {
        match self {
            Self::AtLeast(number) | Self::AtMost(number) => number,
        }
    }

    /// The sign before the number.
    pub fn sign(self) -> &'static str {
        match self {
            Self::AtLeast(_) => ">=",
            Self::AtMost(_) => "<=",
        }
    }
}

/// What the design asks of a row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Limit {
    /// Of which figure.
    pub of: Figure,
    /// How much.
    #[serde(flatten)]
    pub bound: Bound,
}

impl Limit {
    /// The value is to be this or more.
    pub(crate) fn least(number: f64) -> Self {
        Self::of_at_least(Figure::Value, number)
    }

    /// The value is to be this or less.
    pub(crate) fn most(number: f64) -> Self {
        Self::of_at_most(Figure::Value, number)
    }

    /// A figure is to be this or more.
    pub(crate) fn of_at_least(of: Figure, number: f64) -> Self {
        Self { of, bound: Bound::AtLeast(number) }
    }

    /// A figure is to be this or less.
    pub(crate) fn of_at_most(of: Figure, number: f64) -> Self {
        Self { of, bound: Bound::AtMost(number) }
    }

    /// Whether a row keeps to it; a figure that is not there does not.
    pub fn holds(self, row: &Row) -> bool {
        self.of.of(row).is_some_and(|figure| self.bound.holds(figure))
    }
}

/// One line of a benchmark's result.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Row {
    /// What was measured.
    pub case: String,
    /// The size, under the name that rows of scans have: live revisions in the catalogue there.
    pub revisions: usize,
    /// How many of what [`Row::size_of`] names; 0 where the size says nothing. Set when the suite has ended.
    pub size: usize,
    /// What [`Row::size`] counts; that of the suite if none was given. Set when the suite has ended.
    pub size_of: Option<SizeOf>,
    /// `identity` or `xpress`, where it matters.
    pub coding: Option<&'static str>,
    /// What kept the data; none where nothing is stored. Set when the suite has ended.
    pub database: Option<Database>,
    /// The figure; not a number (JSON: null) where nothing was measured, and the budget then says why.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// What [`Row::ratio_null`] is a ratio to.
    pub baseline: Option<&'static str>,
    /// Rate as a share of the baseline's, median over the pairs.
    pub ratio_null: Option<f64>,
    /// Rate as a multiple of the tokenising handler's, median over the pairs.
    pub ratio_tokeniser: Option<f64>,
    /// How many pairs.
    pub pairs: usize,
    /// Lowest and highest ratio over the baseline.
    pub spread: Option<(f64, f64)>,
    /// Median time in the handler, without waiting for the body.
    pub p50_us: Option<f64>,
    /// 99th percentile of the same.
    pub p99_us: Option<f64>,
    /// Processor time of the server's process for one request, the kernel's included; in microseconds.
    pub cpu_us: Option<f64>,
    /// Processor time of all processes of PostgreSQL for one request, in microseconds; where these are on this machine, and ours.
    pub database_cpu_us: Option<f64>,
    /// Bytes of a request's body, mean.
    pub request_bytes: Option<f64>,
    /// Bytes of an answer's body as sent, mean.
    pub answer_bytes: Option<f64>,
    /// What the design asks for, and what else is to be known about the figure.
    pub budget: String,
    /// The same in numbers.
    pub limits: Vec<Limit>,
    /// Whether the figure is within it; absent where nothing is asked.
    pub met: Option<bool>,
}

impl Row {
    /// Sets limits; [`Row::met`] then says whether all hold, and what else was asked before.
    pub(crate) fn within(mut self, limits: impl Into<Vec<Limit>>) -> Self {
        let limits: Vec<Limit> = limits.into();
        self.limits.extend(limits);
        let all = self.limits.iter().all(|limit| limit.holds(&self));
        self.met = Some(self.met != Some(false) && all);
        self
    }

    /// The same if `asked`: budgets are for one size.
    pub(crate) fn within_if(self, asked: bool, limits: impl Into<Vec<Limit>>) -> Self {
        if asked { self.within(limits) } else { self }
    }

    /// The case with its coding, and with the database if that is not the embedded one.
    pub fn name(&self) -> String {
        name(&self.case, self.coding, self.database)
    }

    /// Whether there is a figure.
    pub fn is_measured(&self) -> bool {
        self.value.is_finite()
    }
}

/// Says of rows what their sizes count, where the suite's own word holds, and what kept the data.
pub(crate) fn settle(rows: &mut [Row], of: SizeOf, database: Option<Database>) {
    for row in rows {
        row.size = row.revisions;
        row.size_of = row.size_of.or(Some(of));
        row.database = database;
    }
}

/// A figure of one case at one size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// The size.
    pub size: usize,
    /// The figure.
    pub value: f64,
    /// What the design asks of it at this size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<Bound>,
}

impl Point {
    /// Whether the figure is within its bound, if there is one.
    pub fn holds(&self) -> bool {
        self.bound.is_none_or(|bound| bound.holds(self.value))
    }
}

/// A figure of one case over its sizes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Growth {
    /// Which case.
    pub case: String,
    /// `identity` or `xpress`, where it matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coding: Option<&'static str>,
    /// What kept the data; none where nothing is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<Database>,
    /// Which figure of its rows.
    pub of: Figure,
    /// The figure's unit.
    pub unit: &'static str,
    /// What sizes count.
    pub size_of: SizeOf,
    /// The figure at each size, ascending.
    pub points: Vec<Point>,
    /// By which power of the size the figure grows: 0 does not, 1 as the size does. Of a rate it is below 0 if the cost grows.
    pub exponent: f64,
}

impl Growth {
    /// The case with its coding, and with the database if that is not the embedded one.
    pub fn name(&self) -> String {
        name(&self.case, self.coding, self.database)
    }
}

fn name(case: &str, coding: Option<&str>, database: Option<Database>) -> String {
    let database = database.filter(|database| *database != Database::Sqlite).map(Database::name);
    [Some(case), coding, database].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// How figures grow: the value of every case that was measured at two sizes or more, and every other figure of it that has a limit.
/// In the order of the rows.
pub(crate) fn growth(rows: &[Row]) -> Vec<Growth> {
    let mut all: Vec<Growth> = Vec::new();
    for row in rows {
        for of in Figure::ALL {
            let limit = row.limits.iter().find(|limit| limit.of == of);
            let Some(value) = of.of(row).filter(|value| *value > 0.0 && row.size > 0) else { continue };
            if of != Figure::Value
                && !rows.iter().any(|other| other.limits.iter().any(|limit| alike(row, other, limit, of)))
            {
                continue;
            }
            let point = Point { size: row.size, value, bound: limit.map(|limit| limit.bound) };
            let known = |growth: &&mut Growth| {
                growth.case == row.case
                    && growth.coding == row.coding
                    && growth.database == row.database
                    && growth.of == of
                    && growth.unit == of.unit(row)
            };
            match all.iter_mut().find(known) {
                Some(growth) => growth.points.push(point),
                None => all.push(Growth {
                    case: row.case.clone(),
                    coding: row.coding,
                    database: row.database,
                    of,
                    unit: of.unit(row),
                    size_of: row.size_of.unwrap_or(SizeOf::Revisions),
                    points: vec![point],
                    exponent: 0.0,
                }),
            }
        }
    }
    for growth in &mut all {
        growth.points.sort_by_key(|point| point.size);
        growth.points.dedup_by_key(|point| point.size);
        let points: Vec<(f64, f64)> = growth.points.iter().map(|point| (point.size as f64, point.value)).collect();
        growth.exponent = exponent(&points);
    }
    all.retain(|growth| growth.points.len() > 1);
    all
}

/// Whether a limit of another row is about the same figure of the same case.
fn alike(row: &Row, other: &Row, limit: &Limit, of: Figure) -> bool {
    limit.of == of && other.case == row.case && other.coding == row.coding
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(size: usize, value: f64) -> Row {
        Row { case: "steady".to_owned(), revisions: size, value, unit: "requests/s", ..Row::default() }
    }

    #[test]
    fn limits_judge_rows() {
        assert_eq!(row(1, 5.0).within([Limit::most(5.0)]).met, Some(true));
        assert_eq!(row(1, 5.1).within([Limit::most(5.0)]).met, Some(false));
        assert_eq!(row(1, 5.1).within([Limit::least(5.0)]).met, Some(true));
        assert_eq!(row(1, 5.1).within_if(false, [Limit::most(5.0)]).met, None);
        // what was missed before stays missed
        let missed = Row { met: Some(false), ..row(1, 5.0) };
        assert_eq!(missed.within([Limit::most(6.0)]).met, Some(false));
        // a figure that is not there keeps to nothing
        assert_eq!(row(1, 5.0).within([Limit::of_at_least(Figure::RatioNull, 0.5)]).met, Some(false));
        assert_eq!(row(1, f64::NAN).within([Limit::most(5.0)]).met, Some(false));
    }

    #[test]
    fn limits_are_told_with_their_sign() {
        let limits = [Limit::of_at_least(Figure::RatioNull, 0.5), Limit::most(40.0)];
        let text = serde_json::to_string(&limits).expect("JSON");
        assert_eq!(text, r#"[{"of":"ratio_null","at_least":0.5},{"of":"value","at_most":40.0}]"#);
    }

    #[test]
    fn figures_with_limits_have_growth_of_their_own() {
        let with = |size, value, p50| {
            let row = Row { p50_us: Some(p50), p99_us: Some(9.0), ..row(size, value) };
            row.within_if(size == 400, [Limit::of_at_most(Figure::P50Us, 30.0)])
        };
        let mut rows = vec![with(100, 400.0, 10.0), with(400, 200.0, 20.0), with(1_600, 100.0, 40.0)];
        settle(&mut rows, SizeOf::Revisions, Some(Database::Sqlite));
        let found = growth(&rows);
        let names: Vec<_> = found.iter().map(|growth| (growth.of, growth.unit)).collect();
        assert_eq!(names, [(Figure::Value, "requests/s"), (Figure::P50Us, "us, p50")]);
        assert!((found[0].exponent + 0.5).abs() < 1e-9 && (found[1].exponent - 0.5).abs() < 1e-9, "{found:?}");
        let bounds: Vec<_> = found[1].points.iter().map(|point| (point.bound, point.holds())).collect();
        assert_eq!(bounds, [(None, true), (Some(Bound::AtMost(30.0)), true), (None, true)]);
    }

    #[test]
    fn databases_grow_apart_and_are_named() {
        let of = |database, values: [f64; 2]| {
            let mut rows: Vec<Row> = [100, 200].into_iter().zip(values).map(|(size, value)| row(size, value)).collect();
            settle(&mut rows, SizeOf::Computers, Some(database));
            rows
        };
        let rows = [of(Database::Sqlite, [4.0, 8.0]), of(Database::Postgresql, [9.0, 9.0])].concat();
        let found = growth(&rows);
        let names: Vec<_> = found.iter().map(|growth| (growth.name(), growth.points.len())).collect();
        assert_eq!(names, [("steady".to_owned(), 2), ("steady, postgresql".to_owned(), 2)]);
        let coded = Row { coding: Some("xpress"), ..rows.last().cloned().expect("a row") };
        assert_eq!(coded.name(), "steady, xpress, postgresql");
        let json = serde_json::to_value(&rows).expect("JSON");
        assert_eq!(json[0]["database"], "sqlite");
        assert_eq!(json[3]["database"], "postgresql");
        assert_eq!(serde_json::to_value(&found).expect("JSON")[1]["database"], "postgresql");
    }

    #[test]
    fn one_size_does_not_grow() {
        let mut rows = vec![row(100, 4.0), row(100, 5.0), Row { case: "other".to_owned(), ..row(200, 1.0) }];
        settle(&mut rows, SizeOf::Computers, None);
        assert!(growth(&rows).is_empty());
        assert!(rows.iter().all(|row| row.size == row.revisions && row.size_of == Some(SizeOf::Computers)));
        // nor does what was not measured
        let mut rows = vec![row(100, f64::NAN), row(200, 5.0)];
        settle(&mut rows, SizeOf::Computers, None);
        assert!(growth(&rows).is_empty());
    }
}
