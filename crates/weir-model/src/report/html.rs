//! A table as a page to read and to print: one file, without scripts and without anything that is fetched from elsewhere. The
//! head of the table is repeated on each printed page. A report of many columns is printed across; its GUIDs, which have a name
//! beside them, are left out on paper and on narrow screens. All that is not ours is escaped; characters that turn text around
//! or steer something become U+FFFD.

use std::fmt::{self, Write};

use uuid::Uuid;

use super::{ColumnKind, Table, harmless, shown};

/// From so many columns on a page is wide.
const WIDE: usize = 8;
/// Characters that are not broken: of an id, and of a text.
const SHORT_ID: usize = 12;
const SHORT_TEXT: usize = 24;
/// Characters from which on a text gets room.
const LONG_TEXT: usize = 40;

/// The style of the page, as it stands between the tags of its one `style` element: whoever serves the page can name its hash
/// in a content security policy. Classes of columns: `n` numbers, `s` what is not broken, `i` long ids, `g` GUIDs, `w` long texts.
pub const STYLE: &str = "\
body{font:10pt/1.4 system-ui,'Liberation Sans',Arial,sans-serif;margin:2em auto;max-width:1500px;padding:0 1.5em;\
color:#16202a;background:#fff}\
h1{font-size:1.7em;line-height:1.2;margin:0 0 .15em}\
p{margin:0 0 .8em;max-width:60em}\
p.made{color:#52606d;margin-bottom:1em}\
p.cut{font-weight:bold;color:#8a2c0d}\
dl{display:grid;grid-template-columns:max-content auto;gap:.15em 1.2em;margin:0 0 1.2em;padding:.6em .8em;\
background:#f3f6f9;border-left:3px solid #6b8299}\
dt{color:#52606d}dd{margin:0;overflow-wrap:anywhere}\
div{overflow-x:auto}\
table{border-collapse:collapse;width:100%}\
th,td{padding:.3em .7em;text-align:left;vertical-align:top;overflow-wrap:anywhere}\
th{border-bottom:2px solid #33475b;vertical-align:bottom;overflow-wrap:normal;font-size:.9em;line-height:1.25;color:#33475b}\
tbody td{border-bottom:1px solid #dde3e9}\
tbody tr:nth-child(even){background:#f6f8fa}\
.n{text-align:right;font-variant-numeric:tabular-nums}\
td.n,td.s,td.i{white-space:nowrap}\
td.i{font-size:.78em;line-height:1.8;color:#52606d}\
.w{min-width:16em}\
tfoot td{border-top:2px solid #33475b;padding-top:.5em;font-weight:bold}\
body.wide{font-size:9pt}\
body.wide th,body.wide td{padding:.3em .5em}\
@media (max-width:1400px){body.wide{font-size:8.5pt}body.wide th,body.wide td{padding:.3em .35em}body.wide .g{display:none}\
body.wide .w{min-width:14em}}\
@page{size:A4;margin:14mm 12mm}\
@page wide{size:A4 landscape;margin:12mm}\
@media print{body{margin:0;padding:0;max-width:none;font-size:8.5pt}body.wide{page:wide;font-size:8pt}\
body.wide .g{display:none}div{overflow:visible}thead{display:table-header-group}tfoot{display:table-row-group}\
tr{break-inside:avoid}h1,dl{break-after:avoid}th,td{padding:.25em .5em}.w,body.wide .w{min-width:13em}\
dl,tbody tr:nth-child(even){print-color-adjust:exact;-webkit-print-color-adjust:exact}}";

/// Writes the page of a table.
pub fn write(table: &Table, out: &mut impl Write) -> fmt::Result {
    let report = table.report;
    let rows: Vec<Vec<String>> = table.rows.iter().map(|row| row.iter().map(shown::cell).collect()).collect();
    let classes = classes(table, &rows);
    let made = format!("{} UTC", shown::time(table.as_of));
    out.write_str("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>")?;
    escape(out, report.title)?;
    out.write_str(" - ")?;
    escape(out, &table.server)?;
    let body = if report.columns.len() >= WIDE { " class=\"wide\"" } else { "" };
    write!(out, " - {made}</title>\n<style>{STYLE}</style>\n</head>\n<body{body}>\n<h1>")?;
    escape(out, report.title)?;
    out.write_str("</h1>\n<p class=\"made\">")?;
    escape(out, &table.server)?;
    write!(out, ", {made}</p>\n<p>")?;
    escape(out, report.description)?;
    out.write_str("</p>\n<dl>\n")?;
    for (name, value) in &table.asked {
        entry(out, name, value)?;
    }
    if table.rolled_up.is_some() {
        entry(out, "age", &table.age())?;
    }
    for note in &table.notes {
        entry(out, "note", note)?;
    }
    entry(out, "times", "UTC")?;
    out.write_str("</dl>\n")?;
    if table.is_cut() {
        out.write_str("<p class=\"cut\">")?;
        escape(out, &table.extent())?;
        out.write_str("</p>\n")?;
    }
    out.write_str("<div><table>\n<thead>\n<tr>")?;
    for (column, class) in report.columns.iter().zip(&classes) {
        write!(out, "<th scope=\"col\"{class}>")?;
        escape(out, column.title)?;
        out.write_str("</th>")?;
    }
    out.write_str("</tr>\n</thead>\n<tbody>\n")?;
    for row in &rows {
        out.write_str("<tr>")?;
        for (cell, class) in row.iter().zip(&classes) {
            write!(out, "<td{class}>")?;
            escape(out, cell)?;
            out.write_str("</td>")?;
        }
        out.write_str("</tr>\n")?;
    }
    write!(out, "</tbody>\n<tfoot>\n<tr><td colspan=\"{}\">", report.columns.len())?;
    escape(out, &table.extent())?;
    out.write_str("</td></tr>\n</tfoot>\n</table></div>\n</body>\n</html>\n")
}

/// The class of each column, by its kind and by what is in it.
fn classes(table: &Table, rows: &[Vec<String>]) -> Vec<&'static str> {
    let class = |(at, column): (usize, &super::Column)| {
        let cells = || rows.iter().filter_map(move |row| row.get(at)).filter(|cell| !cell.is_empty());
        let longest = cells().map(|cell| cell.chars().count()).max().unwrap_or_default();
        match column.kind {
            kind if kind.is_number() => " class=\"n\"",
            ColumnKind::State | ColumnKind::Time => " class=\"s\"",
            ColumnKind::Id if longest <= SHORT_ID => " class=\"s\"",
            // 36 characters: other ways to write one are not as long
            ColumnKind::Id if cells().all(|cell| cell.len() == 36 && Uuid::try_parse(cell).is_ok()) => " class=\"i g\"",
            ColumnKind::Id if longest <= LONG_TEXT => " class=\"i\"",
            ColumnKind::Text if longest <= SHORT_TEXT => " class=\"s\"",
            ColumnKind::Text if longest > LONG_TEXT => " class=\"w\"",
            _ => "",
        }
    };
    table.report.columns.iter().enumerate().map(class).collect()
}

fn entry(out: &mut impl Write, name: &str, value: &str) -> fmt::Result {
    out.write_str("<dt>")?;
    escape(out, name)?;
    out.write_str("</dt><dd>")?;
    escape(out, value)?;
    out.write_str("</dd>\n")
}

/// The same for text of several lines, whose ends stay.
pub fn escape_lines(out: &mut impl Write, text: &str) -> fmt::Result {
    for (at, line) in text.lines().enumerate() {
        if at > 0 {
            out.write_char('\n')?;
        }
        escape(out, line)?;
    }
    Ok(())
}

/// Writes text so that it is text in an element and in a quoted attribute.
pub fn escape(out: &mut impl Write, text: &str) -> fmt::Result {
    for character in text.chars() {
        match character {
            '&' => out.write_str("&amp;")?,
            '<' => out.write_str("&lt;")?,
            '>' => out.write_str("&gt;")?,
            '"' => out.write_str("&quot;")?,
            '\'' => out.write_str("&#39;")?,
            '\t' | '\n' | '\r' => out.write_char(' ')?,
            other => out.write_char(harmless(other))?,
        }
    }
    Ok(())
}
