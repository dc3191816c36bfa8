//! A table of results.

use std::fmt;

use jiff::{SignedDuration, Timestamp, Unit};
use serde::{Serialize, Serializer};

use super::Report;

/// What stands in a cell. It serializes as JSON has it: numbers as numbers (durations in seconds), instants as RFC 3339, nothing
/// as null.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Not known, or it does not apply.
    Absent,
    /// Bytes.
    Bytes(u64),
    /// How many.
    Count(u64),
    /// A span of time; whole seconds are shown.
    Duration(SignedDuration),
    /// By which something is known.
    Id(String),
    /// A share of a hundred.
    Percent(f64),
    /// A word of ours.
    State(&'static str),
    /// Words of somebody else.
    Text(String),
    /// An instant.
    Time(Timestamp),
}

impl Cell {
    /// A share in percent with one decimal; there is none of nothing.
    pub fn share(part: u64, whole: u64) -> Self {
        crate::compliance::percent(part, whole).map_or(Self::Absent, Self::Percent)
    }

    /// An instant, if there is one.
    pub fn time(at: Option<Timestamp>) -> Self {
        at.map_or(Self::Absent, Self::Time)
    }

    /// Words, if there are any.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Absent } else { Self::Text(text) }
    }

    /// An error code as it is written in this field: `0x80240022`.
    pub fn code(code: Option<i32>) -> Self {
        code.map_or(Self::Absent, |code| Self::Id(format!("0x{code:08x}")))
    }

    /// What somebody else wrote, and so may hold anything.
    pub(super) fn is_foreign(&self) -> bool {
        matches!(self, Self::Id(_) | Self::Text(_))
    }
}

/// To the second: what is below is of no use to people, and spreadsheets do not read it.
fn rounded(at: Timestamp) -> Timestamp {
    at.round(Unit::Second).unwrap_or(at)
}

impl fmt::Display for Cell {
    /// As people and files get it: nothing is empty.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => Ok(()),
            Self::Bytes(number) | Self::Count(number) => number.fmt(f),
            Self::Duration(span) => span.as_secs().fmt(f),
            Self::Percent(share) if share.is_finite() => write!(f, "{share:.1}"),
            Self::Percent(_) => f.write_str("0.0"),
            Self::Id(text) | Self::Text(text) => f.write_str(text),
            Self::State(word) => f.write_str(word),
            Self::Time(at) => rounded(*at).fmt(f),
        }
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_none(),
            Self::Bytes(number) | Self::Count(number) => serializer.serialize_u64(*number),
            Self::Duration(span) => serializer.serialize_i64(span.as_secs()),
            Self::Percent(share) => {
                let share = if share.is_finite() { (share * 10.0).round() / 10.0 } else { 0.0 };
                serializer.serialize_f64(share)
            }
            Self::Id(text) | Self::Text(text) => serializer.serialize_str(text),
            Self::State(word) => serializer.serialize_str(word),
            Self::Time(at) => rounded(*at).serialize(serializer),
        }
    }
}

/// A row: a cell for each column.
pub type Row = Vec<Cell>;

/// The answer to a report.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Of which report.
    pub report: &'static Report,
    /// What it was asked, in order.
    pub asked: Vec<(&'static str, String)>,
    /// The server that answered.
    pub server: String,
    /// When.
    pub as_of: Timestamp,
    /// When the oldest of what servers below reported, and that is part of it, arrived here; none if nothing is.
    pub rolled_up: Option<Timestamp>,
    /// What a reader should know of this answer, beside what the report's description says.
    pub notes: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
    /// How many rows there would be without a limit.
    pub total: u64,
}

impl Table {
    /// Whether rows are missing.
    pub fn is_cut(&self) -> bool {
        (self.rows.len() as u64) < self.total
    }

    /// How many rows there are, in a sentence.
    pub fn extent(&self) -> String {
        let rows = self.rows.len();
        match (self.total, self.is_cut()) {
            (total, true) => format!("The first {rows} of {total} rows; ask for more with limit."),
            (0, _) => "No rows.".to_owned(),
            (1, _) => "1 row.".to_owned(),
            (total, _) => format!("{total} rows."),
        }
    }

    /// When it was made and how old the data of servers below are, in a sentence.
    pub fn age(&self) -> String {
        let made = format!("As of {}.", rounded(self.as_of));
        match self.rolled_up {
            None => made,
            Some(at) => {
                let minutes = self.as_of.duration_since(at).as_mins().max(0);
                format!("{made} Data of servers below are up to {} old (received {}).", span(minutes), rounded(at))
            }
        }
    }
}

fn span(minutes: i64) -> String {
    match minutes {
        0..120 => format!("{minutes} minutes"),
        120..2_880 => format!("{} hours", minutes / 60),
        _ => format!("{} days", minutes / 1_440),
    }
}

/// The first rows of an order, or what rows are made of, out of any number of them. It holds at most twice the limit, and counts all.
#[derive(Debug)]
pub struct Best<K, R = Row> {
    limit: usize,
    kept: Vec<(K, R)>,
    /// Nothing behind it gets in any more.
    last: Option<K>,
    total: u64,
}

impl<K: Clone + Ord, R> Best<K, R> {
    /// For so many rows.
    pub fn new(limit: u32) -> Self {
        Self { limit: (limit as usize).max(1), kept: Vec::new(), last: None, total: 0 }
    }

    /// Takes a row if it may be among the first. Keys are to be different: rows of equal keys come in any order.
    pub fn offer(&mut self, key: K, row: impl FnOnce() -> R) {
        self.total += 1;
        if self.last.as_ref().is_some_and(|last| key > *last) {
            return;
        }
        self.kept.push((key, row()));
        if self.kept.len() >= self.limit.saturating_mul(2) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.kept.len() > self.limit {
            self.kept.select_nth_unstable_by(self.limit - 1, |one, other| one.0.cmp(&other.0));
            self.kept.truncate(self.limit);
            self.last = self.kept.last().map(|(key, _)| key.clone());
        }
    }

    /// The rows in order, and how many were offered.
    pub fn finish(mut self) -> (Vec<R>, u64) {
        self.cut();
        self.kept.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        (self.kept.into_iter().map(|(_, row)| row).collect(), self.total)
    }
}
