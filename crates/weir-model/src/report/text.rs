//! A table as aligned text, for e-mail and terminals: title, what was asked, when; then the rows. Widths are counted in
//! characters, so that scripts with wide ones do not stand in line everywhere.

use std::fmt::{self, Write};

use super::{Cell, ColumnKind, Table, harmless, shown};

/// Characters of a cell; the rest is cut.
const WIDEST: usize = 120;

/// Writes what stands above a table, and how many rows it has.
pub fn write_head(table: &Table, out: &mut impl Write) -> fmt::Result {
    head(table, out)?;
    writeln!(out, "{}", table.extent())
}

/// Writes a table.
pub fn write(table: &Table, out: &mut impl Write) -> fmt::Result {
    head(table, out)?;
    out.write_char('\n')?;
    rows(table, out)
}

fn head(table: &Table, out: &mut impl Write) -> fmt::Result {
    writeln!(out, "{}", table.report.title)?;
    for (name, value) in &table.asked {
        writeln!(out, "{name}: {}", tidy(value))?;
    }
    writeln!(out, "{}: {}", tidy(&table.server), table.age())?;
    for note in &table.notes {
        writeln!(out, "{}", tidy(note))?;
    }
    Ok(())
}

fn rows(table: &Table, out: &mut impl Write) -> fmt::Result {
    let columns = table.report.columns;
    let head: Vec<String> = columns.iter().map(|column| column.title.to_uppercase()).collect();
    let rows: Vec<Vec<String>> =
        table.rows.iter().map(|row| row.iter().map(|cell| tidy(&words(cell))).collect()).collect();
    let width = |at: usize| {
        let cells = rows.iter().chain([&head]).filter_map(|row| row.get(at));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<(usize, ColumnKind)> = columns.iter().enumerate().map(|(at, it)| (width(at), it.kind)).collect();
    if !rows.is_empty() {
        line(out, &head, &widths)?;
        for row in &rows {
            line(out, row, &widths)?;
        }
        out.write_char('\n')?;
    }
    writeln!(out, "{}", table.extent())
}

/// A cell, with the zone of a time.
fn words(cell: &Cell) -> String {
    let zone = if matches!(cell, Cell::Time(_)) { "Z" } else { "" };
    shown::cell(cell) + zone
}

fn line(out: &mut impl Write, cells: &[String], widths: &[(usize, ColumnKind)]) -> fmt::Result {
    let mut text = String::new();
    for (cell, (width, kind)) in cells.iter().zip(widths) {
        let space = " ".repeat(width.saturating_sub(cell.chars().count()));
        if kind.is_number() {
            text.extend([&space, cell.as_str()]);
        } else {
            text.extend([cell.as_str(), &space]);
        }
        text.push_str("  ");
    }
    writeln!(out, "{}", text.trim_end())
}

fn tidy(text: &str) -> String {
    let mut tidied: String = text.chars().take(WIDEST).map(harmless).collect();
    if text.chars().nth(WIDEST).is_some() {
        tidied.pop();
        tidied.push('\u{2026}');
    }
    tidied
}
