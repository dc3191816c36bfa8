//! What commands print: JSON or tables and sentences on standard output, failures on standard error.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::Result;
use comfy_table::{Cell, ContentArrangement, Table, presets};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use serde_json::json;
use weir_model::report::csv;

use crate::connection::Refused;

/// Characters of the longest id that tables show: SHA-256 in hexadecimal.
const LONGEST_ID: usize = 64;
/// Characters of a word in a table, however wide the terminal is: names of computers may have 255.
const LONGEST_WORD: usize = 120;

/// Prints in the form that the administrator asked for.
pub(crate) struct Printer {
    json: bool,
}

impl Printer {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints a value: as JSON, else what `plain` writes.
    pub(crate) fn show<T: Serialize>(&self, value: &T, plain: impl FnOnce(&mut Page)) -> Result<()> {
        self.write(value, plain).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => ReaderGone.into(),
            _ => anyhow::Error::new(error).context("cannot print the answer"),
        })
    }

    fn write<T: Serialize>(&self, value: &T, plain: impl FnOnce(&mut Page)) -> io::Result<()> {
        let mut out = anstream::stdout().lock();
        if self.json {
            serde_json::to_writer_pretty(&mut out, value)?;
            writeln!(out)?;
        } else {
            let mut page = Page::default();
            plain(&mut page);
            out.write_all(page.0.as_bytes())?;
        }
        out.flush()
    }

    /// Refuses `--json` beside `what`, which asks for another form of the same answer.
    pub(crate) fn not_json(&self, what: &str) -> Result<()> {
        if self.json {
            Err(Usage(format!("--json and {what} ask for two forms of one answer; give one of them")).into())
        } else {
            Ok(())
        }
    }

    /// Prints a text of the server as it is.
    pub(crate) fn raw(text: &str) -> Result<()> {
        let mut out = anstream::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => ReaderGone.into(),
            _ => anyhow::Error::new(error).context("cannot print the answer"),
        })
    }

    /// Prints what was done, where the server answers nothing.
    pub(crate) fn done(&self, sentence: &str) -> Result<()> {
        self.show(&json!({ "done": sentence }), |page| page.line(sentence))
    }

    /// Prints a failure: with `--json` also on standard output, as `{"problem": ...}`.
    pub(crate) fn failure(&self, failure: &anyhow::Error) {
        if self.json {
            let problem = failure.chain().find_map(|cause| cause.downcast_ref::<Refused>()).map_or_else(
                || json!({ "code": "failed", "detail": format!("{failure:#}"), "next_step": null }),
                |Refused(problem)| {
                    json!({ "code": problem.code, "detail": problem.detail, "next_step": problem.next_step })
                },
            );
            // nobody may read it; standard error has it, too
            let _ = self.show(&json!({ "problem": problem }), |_| ());
        }
        error(failure);
    }
}

/// Text for a person.
#[derive(Default)]
pub(crate) struct Page(String);

impl Page {
    /// One line.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) {
        for line in text.as_ref().trim_end().split('\n') {
            self.0.extend(line.trim_end().chars().map(harmless));
            self.0.push('\n');
        }
    }

    /// A label and its value, aligned with others of its kind; nothing if the value is empty.
    pub(crate) fn field(&mut self, label: &str, value: impl ToString) {
        let value = value.to_string();
        if !value.is_empty() {
            self.line(format!("{label:<16} {value}"));
        }
    }

    /// A table; `empty` stands in its place if there are no rows and says the next step.
    pub(crate) fn table(&mut self, header: &[&str], rows: Vec<Vec<String>>, empty: &str) {
        if rows.is_empty() {
            self.line(empty);
            return;
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(header.iter().map(|title| Cell::new(title.to_uppercase())));
        if io::stdout().is_terminal() {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        } else {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        // words are broken between; one that is longer than this would make the whole column wide, or high
        let longest = match table.width().filter(|_| io::stdout().is_terminal()) {
            Some(width) => usize::from(width / 2).clamp(LONGEST_ID, LONGEST_WORD),
            None => LONGEST_WORD,
        };
        for row in rows {
            let cell = |cell: String| Cell::new(short(&cell.chars().map(harmless).collect::<String>(), longest));
            table.add_row(row.into_iter().map(cell));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        for row in table.lines() {
            self.line(row);
        }
    }

    /// A record of comma-separated values (RFC 4180). Words that are not ours are to be defused before ([`csv::defused`]).
    pub(crate) fn record<T: AsRef<str>>(&mut self, fields: impl IntoIterator<Item = T>) {
        for (at, text) in fields.into_iter().enumerate() {
            // a string takes everything
            let _ = csv::field(&mut self.0, at, text.as_ref());
        }
        self.0.push_str("\r\n");
    }

    /// Says that a list goes on.
    pub(crate) fn more(&mut self, next: Option<&str>) {
        if next.is_some() {
            self.line("... more: add --limit N, or --all");
        }
    }
}

/// Names come from computers and publishers: they must not steer the terminal, nor turn text around.
fn harmless(character: char) -> char {
    let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if turns || character.is_control() { '\u{fffd}' } else { character }
}

/// Cuts words of more than `longest` characters, with an ellipsis.
fn short(text: &str, longest: usize) -> String {
    let mut cut = String::with_capacity(text.len());
    for (at, word) in text.split(' ').enumerate() {
        if at > 0 {
            cut.push(' ');
        }
        if word.chars().nth(longest).is_some() {
            cut.extend(word.chars().take(longest.saturating_sub(1)));
            cut.push('\u{2026}');
        } else {
            cut.push_str(word);
        }
    }
    cut
}

/// An instant in the zone of this machine, to the minute, with its distance from UTC: schedules and windows are read in other
/// zones, and a clock without its zone could be any of them.
pub(crate) fn time(instant: Timestamp) -> String {
    time_in(instant, TimeZone::system())
}

fn time_in(instant: Timestamp, zone: TimeZone) -> String {
    let zoned = instant.to_zoned(zone);
    let clock = zoned.strftime("%Y-%m-%d %H:%M");
    if zoned.offset().is_zero() { format!("{clock}Z") } else { format!("{clock}{}", zoned.strftime("%:z")) }
}

/// The same, or nothing.
pub(crate) fn time_or(instant: Option<Timestamp>, absent: &str) -> String {
    instant.map_or_else(|| absent.to_owned(), time)
}

/// Bytes in the unit a person would use.
pub(crate) fn bytes(count: u64) -> String {
    indicatif::HumanBytes(count).to_string()
}

/// Whether progress is shown as a bar: on a terminal.
pub(crate) fn wants_bar() -> bool {
    io::stderr().is_terminal()
}

/// Prints a failure with its causes.
fn error(error: &anyhow::Error) {
    anstream::eprintln!("error: {error:#}");
}

/// Arguments that contradict each other in a way that the argument parser does not see.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

/// Whether a failure is one of usage.
pub(crate) fn is_usage(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Usage>().is_some()
}

/// Nobody reads the output any more, as with `weir updates list | head`. A type of its own: a connection to a server that
/// died breaks with the same error of the system, and a command that it cut short has failed.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads the output any more")]
struct ReaderGone;

/// Whether a failure is only that nobody reads the output any more.
pub(crate) fn is_reader_gone(error: &anyhow::Error) -> bool {
    error.downcast_ref::<ReaderGone>().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_steer_the_terminal() {
        let mut page = Page::default();
        page.field("name", "a\u{1b}[2Jb\u{202e}c");
        page.table(&["Name"], vec![vec!["x\ry\u{9b}1m".into()]], "none");
        assert_eq!(page.0, "name             a\u{fffd}[2Jb\u{fffd}c\nNAME\nx\u{fffd}y\u{fffd}1m\n");
    }

    #[test]
    fn a_long_name_does_not_widen_a_table() {
        let mut page = Page::default();
        page.table(&["Name"], vec![vec!["n".repeat(255)], vec!["PC-1".to_owned()]], "none");
        let line = page.0.lines().nth(1).expect("a row");
        assert!(line.chars().count() <= LONGEST_WORD && line.ends_with('\u{2026}'), "{line}");
        let prose = "all words are short, so that nothing is lost however long the text is; ".repeat(5);
        assert_eq!(short(&prose, 20), prose);
        assert_eq!(short("a 12345 b", 4), "a 123\u{2026} b");
    }

    #[test]
    fn records_are_as_rfc_4180_has_them() {
        let mut page = Page::default();
        page.record(["group", "name"]);
        page.record([csv::defused("=cmd|'/c calc'!A1"), csv::defused("a \"b\", c\u{9b}")]);
        assert_eq!(page.0, "group,name\r\n'=cmd|'/c calc'!A1,\"a \"\"b\"\", c\u{fffd}\"\r\n");
    }

    #[test]
    fn a_server_that_died_is_no_reader_that_went_away() {
        let cut = anyhow::Error::new(io::Error::from(io::ErrorKind::BrokenPipe)).context("sending");
        assert!(!is_reader_gone(&cut));
        assert!(is_reader_gone(&ReaderGone.into()));
    }

    #[test]
    fn two_forms_of_one_answer_are_wrong_usage() {
        let refused = Printer::new(true).not_json("--csv").expect_err("two forms");
        assert!(is_usage(&refused) && refused.to_string().contains("--json and --csv"), "{refused}");
        assert!(Printer::new(false).not_json("--csv").is_ok());
    }

    #[test]
    fn a_time_says_its_zone() {
        let instant: Timestamp = "2026-12-01T21:00:00Z".parse().expect("a time");
        assert_eq!(time_in(instant, TimeZone::UTC), "2026-12-01 21:00Z");
        let zone = TimeZone::get("Europe/Amsterdam").expect("a zone");
        assert_eq!(time_in(instant, zone), "2026-12-01 22:00+01:00");
    }

    #[test]
    fn an_empty_table_says_the_next_step() {
        let mut page = Page::default();
        page.table(&["Name"], Vec::new(), "Nothing here. Next: weir import FILE");
        assert_eq!(page.0, "Nothing here. Next: weir import FILE\n");
    }
}
