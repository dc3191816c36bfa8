//! Comma-separated values (RFC 4180): UTF-8 without a byte order mark, a header of column ids, lines that end with CR LF.
//!
//! *Formulas.* A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, whatever quotes are around it, and
//! names come from computers. A cell of words or ids whose first visible character, apostrophes aside, is one of these (or the
//! full-width form of one), or that begins with a tab or a line break, gets an apostrophe in front, which spreadsheets show or
//! hide and never run. Whoever reads the file back takes one apostrophe off a cell that begins with one and is such a cell without
//! it ([`undefused`]). Numbers, times and words of our own are as they are: a number of ours may be negative.
//!
//! Control characters other than tab and line breaks become U+FFFD.

use std::fmt::{self, Write};

use super::Table;

/// Writes a table.
pub fn write(table: &Table, out: &mut impl Write) -> fmt::Result {
    for (at, column) in table.report.columns.iter().enumerate() {
        field(out, at, column.id)?;
    }
    out.write_str("\r\n")?;
    for row in &table.rows {
        for (at, cell) in row.iter().enumerate() {
            let text = cell.to_string();
            if cell.is_foreign() { field(out, at, &defused(&text))? } else { field(out, at, &text)? }
        }
        out.write_str("\r\n")?;
    }
    Ok(())
}

/// Writes a field, the one at place `at` of its record, in quotes where it has to be. Words of somebody else are [`defused`] before;
/// a record ends with CR LF.
pub fn field(out: &mut impl Write, at: usize, text: &str) -> fmt::Result {
    if at > 0 {
        out.write_char(',')?;
    }
    if !text.contains([',', '"', '\r', '\n']) && text.trim() == text {
        return out.write_str(text);
    }
    out.write_char('"')?;
    for character in text.chars() {
        if character == '"' {
            out.write_char('"')?;
        }
        out.write_char(character)?;
    }
    out.write_char('"')
}

/// Whether a spreadsheet could take it for a formula, apostrophes and what cannot be seen in front of it aside.
fn is_formula(text: &str) -> bool {
    let aside = |c: char| {
        c == '\'' || c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{fffd}')
    };
    let signs = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}', '\u{2212}'];
    text.trim_start_matches('\'').starts_with(['\t', '\r', '\n']) || text.trim_start_matches(aside).starts_with(signs)
}

/// A text that no spreadsheet runs.
pub fn defused(text: &str) -> String {
    let text: String =
        text.chars().map(|c| if c.is_control() && !matches!(c, '\t' | '\r' | '\n') { '\u{fffd}' } else { c }).collect();
    if is_formula(&text) { format!("'{text}") } else { text }
}

/// What [`defused`] was given, its control characters aside.
pub fn undefused(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if is_formula(rest) => rest,
        _ => text,
    }
}
