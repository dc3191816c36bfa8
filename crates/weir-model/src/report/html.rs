//! A table as a page to read and to print: one file, without scripts and without anything that is fetched from elsewhere. The
//! head of the table is repeated on each printed page. All that is not ours is escaped; characters that turn text around or
//! steer something become U+FFFD.

use std::fmt::{self, Write};

use super::{Table, harmless};

/// The style of the page, as it stands between the tags of its one `style` element: whoever serves the page can name its hash
/// in a content security policy.
pub const STYLE: &str = "\
body{font:10pt/1.35 system-ui,'Liberation Sans',Arial,sans-serif;margin:1.5em;color:#111;background:#fff}\
h1{font-size:1.5em;margin:0 0 .3em}\
dl{display:grid;grid-template-columns:max-content auto;gap:.1em 1em;margin:0 0 1em}\
dt{color:#555}dd{margin:0;overflow-wrap:anywhere}\
table{border-collapse:collapse;width:100%}\
th,td{border-bottom:1px solid #ccc;padding:.2em .6em .2em 0;text-align:left;vertical-align:top;overflow-wrap:anywhere}\
th{border-bottom:2px solid #444;white-space:nowrap}\
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\
td.t{white-space:nowrap}\
p.cut{font-weight:bold}\
@media print{@page{margin:1.5cm}body{margin:0;font-size:8pt}thead{display:table-header-group}tr{break-inside:avoid}}";

/// Writes the page of a table.
pub fn write(table: &Table, out: &mut impl Write) -> fmt::Result {
    let report = table.report;
    out.write_str("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>")?;
    escape(out, report.title)?;
    write!(out, "</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>")?;
    escape(out, report.title)?;
    out.write_str("</h1>\n<p>")?;
    escape(out, report.description)?;
    out.write_str("</p>\n<dl>\n")?;
    for (name, value) in &table.asked {
        entry(out, name, value)?;
    }
    entry(out, "server", &table.server)?;
    entry(out, "age", &table.age())?;
    for note in &table.notes {
        entry(out, "note", note)?;
    }
    out.write_str("</dl>\n")?;
    let class = if table.is_cut() { " class=\"cut\"" } else { "" };
    write!(out, "<p{class}>")?;
    escape(out, &table.extent())?;
    out.write_str("</p>\n<table>\n<thead>\n<tr>")?;
    let class = |kind: super::ColumnKind| match kind {
        kind if kind.is_number() => " class=\"n\"",
        super::ColumnKind::Time => " class=\"t\"",
        _ => "",
    };
    for column in report.columns {
        write!(out, "<th scope=\"col\"{}>", class(column.kind))?;
        escape(out, column.title)?;
        out.write_str("</th>")?;
    }
    out.write_str("</tr>\n</thead>\n<tbody>\n")?;
    for row in &table.rows {
        out.write_str("<tr>")?;
        for (cell, column) in row.iter().zip(report.columns) {
            write!(out, "<td{}>", class(column.kind))?;
            escape(out, &cell.to_string())?;
            out.write_str("</td>")?;
        }
        out.write_str("</tr>\n")?;
    }
    out.write_str("</tbody>\n</table>\n</body>\n</html>\n")
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
