//! Named reports: what each is asked, what its columns mean, and how a table of results is written.
//!
//! [`REPORTS`] is the registry; [`Arguments::read`] checks what somebody asks against it; a server fills a [`Table`];
//! [`csv`], [`text`], [`html`] and the serialized form of a [`Cell`] write it. [`schedule`] decides when a report is made by
//! itself, [`mod@file`] how its file is called.
//!
//! Ids and columns are an interface: programs and schedules name them. They are added to and never renamed.

mod arguments;
pub mod csv;
pub mod file;
pub mod html;
mod registry;
pub mod schedule;
pub mod shown;
pub mod states;
mod table;
#[cfg(test)]
mod tests;
pub mod text;

pub use arguments::{Argument, Arguments, LONGEST_VALUE, ParameterError};
pub use registry::{REPORTS, named};
pub use table::{Best, Cell, Row, Table};

/// Rows unless asked otherwise.
pub const ROWS: u32 = 1_000;
/// Rows at most: a table is made in memory. Whoever wants every pair of computer and update takes the bulk export.
pub const MOST_ROWS: u32 = 50_000;

/// Which kind of question a report answers (the groups of features.md, section 23.1).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Group {
    /// Who complies with what.
    Compliance,
    /// What is deployed where, and what is missing for it.
    Management,
    /// How deployments stand on computers.
    States,
    /// How computers scan.
    Scan,
    /// What fails.
    Troubleshooting,
    /// What the others leave out.
    Further,
}

impl Group {
    /// Every one, in order.
    pub const ALL: [Self; 6] =
        [Self::Compliance, Self::Management, Self::States, Self::Scan, Self::Troubleshooting, Self::Further];

    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Compliance => "compliance",
            Self::Management => "management",
            Self::States => "states",
            Self::Scan => "scan",
            Self::Troubleshooting => "troubleshooting",
            Self::Further => "further",
        }
    }
}

/// A report that can be asked for.
#[derive(Debug, Eq, PartialEq)]
pub struct Report {
    /// By which it is asked for: lower case words with hyphens.
    pub id: &'static str,
    /// Its number in features.md, section 23.1, such as `A1`; those of [`Group::Further`] are counted on as `F1`.
    pub number: &'static str,
    /// Which kind of question it answers.
    pub group: Group,
    /// What it is called.
    pub title: &'static str,
    /// What it says, and what it cannot say.
    pub description: &'static str,
    /// What it is asked.
    pub parameters: &'static [Parameter],
    /// What its rows hold.
    pub columns: &'static [Column],
    /// Which reports go into detail.
    pub drill: &'static [Drill],
}

impl Report {
    /// The parameter of that name.
    pub fn parameter(&self, name: &str) -> Option<&'static Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }
}

/// Something that a report is asked.
#[derive(Debug, Eq, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub kind: ParameterKind,
    /// It must be given.
    pub required: bool,
    /// What it is if it is not given; none: nothing is narrowed.
    pub default: Option<&'static str>,
    /// What it means.
    pub description: &'static str,
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ParameterKind {
    /// One of these words.
    Choice(&'static [&'static str]),
    /// An error code as agents report it: `0x80240022`, or as a signed number.
    Code,
    /// Name or id of a collection.
    Collection,
    /// Id of a computer.
    Computer,
    /// A whole number from the first to the second.
    Count(u32, u32),
    /// Number or name of a deployment.
    Deployment,
    /// Name or id of an update group.
    Group,
    /// A server by name or id, or `this`: the one that is asked.
    Site,
    /// A text that is compared without regard to case.
    Text,
    /// Id of an update.
    Update,
}

impl ParameterKind {
    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Choice(_) => "choice",
            Self::Code => "code",
            Self::Collection => "collection",
            Self::Computer => "computer",
            Self::Count(..) => "number",
            Self::Deployment => "deployment",
            Self::Group => "update_group",
            Self::Site => "server",
            Self::Text => "text",
            Self::Update => "update",
        }
    }
}

/// A column.
#[derive(Debug, Eq, PartialEq)]
pub struct Column {
    /// By which programs know it.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What its cells are.
    pub kind: ColumnKind,
}

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ColumnKind {
    /// Bytes.
    Bytes,
    /// How many.
    Count,
    /// A span of time, in seconds.
    Duration,
    /// By which something is known.
    Id,
    /// A share of a hundred, with one decimal.
    Percent,
    /// One of a small set of words.
    State,
    /// Words.
    Text,
    /// An instant.
    Time,
}

impl ColumnKind {
    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Count => "count",
            Self::Duration => "duration",
            Self::Id => "id",
            Self::Percent => "percent",
            Self::State => "state",
            Self::Text => "text",
            Self::Time => "time",
        }
    }

    /// In which unit its numbers are, if it has any.
    pub const fn unit(self) -> Option<&'static str> {
        match self {
            Self::Bytes => Some("bytes"),
            Self::Duration => Some("seconds"),
            Self::Percent => Some("percent"),
            Self::Time => Some("RFC 3339, UTC"),
            Self::Count | Self::Id | Self::State | Self::Text => None,
        }
    }

    /// Whether it is read as numbers are: to the right.
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Bytes | Self::Count | Self::Duration | Self::Percent)
    }
}

/// A report that goes into detail about a row of another one.
#[derive(Debug, Eq, PartialEq)]
pub struct Drill {
    /// Its id.
    pub report: &'static str,
    /// Its parameters, with the column of this report that each is taken from. Parameters that both reports have go along.
    pub from: &'static [(&'static str, &'static str)],
}

/// The format of a report's file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// Comma-separated values ([`csv`]).
    Csv,
    /// A page to print ([`html`]).
    Html,
    /// JSON.
    Json,
    /// Aligned text ([`text`]).
    Text,
}

impl Format {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Csv, Self::Html, Self::Json, Self::Text];

    /// As it is written, and what file names end with.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Html => "html",
            Self::Json => "json",
            Self::Text => "txt",
        }
    }

    /// The one of that word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.word().eq_ignore_ascii_case(word.trim()))
    }

    /// Its media type.
    pub const fn media(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Html => "text/html; charset=utf-8",
            Self::Json => "application/json",
            Self::Text => "text/plain; charset=utf-8",
        }
    }
}

/// Names come from computers and publishers: they must not steer a terminal or turn text around.
fn harmless(character: char) -> char {
    let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if turns || character.is_control() { '\u{fffd}' } else { character }
}
