//! A report as text, for a file: columns of equal width, no line too short to read.

use std::fmt::Write as _;

use crate::{
    budgets::short,
    report::{Measured, Report},
    row::{Database, Growth, Limit, Row},
};

/// The whole report.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    line(&mut out, &format!("weir bench, begun {}, {:.0} s", report.began.strftime("%Y-%m-%d %H:%MZ"), report.seconds));
    for fact in report.machine.lines() {
        line(&mut out, &fact);
    }
    if let Some(postgresql) = &report.postgresql {
        line(&mut out, &format!("postgresql  {postgresql}"));
    }
    if report.quick {
        line(&mut out, "a quick run: sizes are small, runs are short, and budgets are for other sizes");
    }
    line(&mut out, "");
    line(&mut out, "BUDGETS");
    for verdict in &report.budgets {
        line(&mut out, &format!("{:<12} {}: {}", verdict.standing.name(), verdict.what, verdict.asked));
        for figure in &verdict.figures {
            line(&mut out, &format!("{:<12}   {figure}", ""));
        }
    }
    for suite in &report.suites {
        of_suite(&mut out, suite);
    }
    out
}

fn of_suite(out: &mut String, suite: &Measured) {
    line(out, "");
    line(out, &format!("{} ({:.0} s)", suite.name().to_uppercase(), suite.seconds));
    if let Some(error) = &suite.error {
        line(out, &format!("failed: {error}"));
        return;
    }
    let header =
        ["case", "size", "value", "of baseline", "spread", "of tokeniser", "p50/p99 us", "database", "met", "asked"];
    let mut rows = vec![header.map(str::to_owned)];
    rows.extend(suite.figures.rows.iter().map(cells));
    columns(out, &rows);
    for growth in &suite.figures.growth {
        line(out, &grows(growth));
    }
}

/// The cells of a row.
fn cells(row: &Row) -> [String; 10] {
    let ratio = |ratio: Option<f64>| ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
    let value =
        if row.is_measured() { format!("{} {}", short(row.value), row.unit) } else { "not measured".to_owned() };
    let mut asked: Vec<String> = row.limits.iter().map(|limit| limited(limit, row)).collect();
    asked.extend(Some(row.budget.clone()).filter(|text| !text.is_empty()));
    asked.extend(row.baseline.filter(|_| row.ratio_null.is_some()).map(|baseline| format!("baseline: {baseline}")));
    [
        row.coding.map_or_else(|| row.case.clone(), |coding| format!("{}, {coding}", row.case)),
        if row.size == 0 { String::new() } else { row.size.to_string() },
        value,
        ratio(row.ratio_null),
        row.spread.map_or_else(String::new, |(low, high)| format!("{low:.2}-{high:.2}")),
        ratio(row.ratio_tokeniser),
        row.p50_us.zip(row.p99_us).map_or_else(String::new, |(p50, p99)| format!("{p50:.0}/{p99:.0}")),
        row.database.map_or("", Database::name).to_owned(),
        row.met.map_or("", |met| if met { "yes" } else { "NO" }).to_owned(),
        asked.join("; "),
    ]
}

/// A limit of a row in words.
pub(crate) fn limited(limit: &Limit, row: &Row) -> String {
    format!("{} {} {}", limit.bound.sign(), short(limit.bound.number()), limit.of.unit(row))
}

/// How a case grows, in a sentence.
pub(crate) fn grows(growth: &Growth) -> String {
    let mut text = format!("{}: {} go with the {} to the power of ", growth.name(), growth.unit, growth.size_of.name());
    let _ = write!(text, "{:.2}:", growth.exponent);
    for (at, point) in growth.points.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(text, "{comma} {} at {}", short(point.value), point.size);
    }
    text
}

/// Rows of cells in columns that are as wide as their widest cell; the last one is as wide as it is.
fn columns<const N: usize>(out: &mut String, rows: &[[String; N]]) {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..N.saturating_sub(1)).map(|column| width(column).unwrap_or(0)).collect();
    for row in rows {
        let mut text = String::new();
        for (at, cell) in row.iter().enumerate() {
            let _ = match widths.get(at) {
                Some(&width) => write!(text, "{cell:<width$}  "),
                None => write!(text, "{cell}"),
            };
        }
        line(out, &text);
    }
}

/// One line, without blanks at its end.
fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        report::tests::{measured, measured_on, told},
        row::Figure,
        suite::Suite,
    };

    #[test]
    fn a_report_has_machine_budgets_rows_and_growth() {
        let row = |size, value, ratio| {
            let row = Row {
                case: "steady".to_owned(),
                revisions: size,
                coding: Some("identity"),
                value,
                unit: "requests/s",
                baseline: Some("a handler that only drains"),
                ratio_null: Some(ratio),
                ..Row::default()
            };
            row.within([Limit::of_at_least(Figure::RatioNull, 0.5)])
        };
        let rows = vec![row(2_000, 50_000.0, 0.6), row(20_000, 40_000.0, 0.4)];
        let failed = Measured { error: Some("no room".to_owned()), ..measured(Suite::Sync, Vec::new()) };
        let text = text(&told(vec![measured(Suite::Scan, rows), failed]));
        let has = |part: &str| assert!(text.contains(part), "{part} is not in\n{text}");
        has("weir bench, begun 1970-01-01 00:00Z, 60 s\n");
        has("disk        a flush takes 0.14 ms\n");
        has("MISSED       SyncUpdates, steady rescan");
        has("not measured import of the genuine export");
        has("\nSCAN ON SQLITE (1 s)\ncase              size   value");
        has("steady, identity  2000   50000 requests/s  0.60");
        has(">= 0.50 of the baseline; baseline: a handler that only drains\n");
        has(
            "steady, identity: requests/s go with the revisions to the power of -0.10: 50000 at 2000, 40000 at 20000\n",
        );
        has("\nSYNC ON SQLITE (1 s)\nfailed: no room\n");
        assert!(text.lines().all(|line| line == line.trim_end()));
    }

    #[test]
    fn each_row_says_where_it_was_measured() {
        let row =
            |value| Row { case: "reports".to_owned(), revisions: 100, value, unit: "reports/s", ..Row::default() };
        let mut report = told(vec![
            measured(Suite::Report, vec![row(4.0)]),
            measured_on(Some(Database::Postgresql), Suite::Report, vec![row(3.0)]),
        ]);
        report.postgresql = Some("PostgreSQL 15.4; fsync on".to_owned());
        let text = text(&report);
        let has = |part: &str| assert!(text.contains(part), "{part} is not in\n{text}");
        has("\npostgresql  PostgreSQL 15.4; fsync on\n");
        has("\nREPORT ON POSTGRESQL (1 s)\n");
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("reports ")).collect();
        assert!(rows.len() == 2 && rows[0].ends_with(" sqlite") && rows[1].ends_with(" postgresql"), "{rows:?}");
    }

    #[test]
    fn what_was_not_measured_says_so() {
        let row = Row { value: f64::NAN, budget: "name one with --package FILE".to_owned(), ..Row::default() };
        let cells = cells(&row);
        assert_eq!((cells[2].as_str(), cells[9].as_str()), ("not measured", "name one with --package FILE"));
    }
}
