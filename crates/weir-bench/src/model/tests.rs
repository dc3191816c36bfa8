use super::*;
use crate::{
    report::{
        Measured,
        tests::{measured, measured_on, told},
    },
    row::Row,
    suite::Suite,
};

fn row(case: &str, size: usize, value: f64, unit: &'static str) -> Row {
    Row { case: case.to_owned(), revisions: size, value, unit, ..Row::default() }
}

/// Everything that the model asks for, in round numbers.
fn report() -> Read {
    Read::of(&serde_json::to_vec(&told(suites())).expect("JSON")).expect("a report")
}

/// The same with what a run on PostgreSQL adds, of which some suites failed.
fn report_on_both() -> Read {
    let rate = row("reports_postgresql", 1_000, 4_000.0, "reports/s");
    let reports = Row { cpu_us: Some(140.0), database_cpu_us: Some(250.0), ..rate };
    let reports = Row { request_bytes: Some(12_500.0), answer_bytes: Some(500.0), ..reports };
    let on = |suite, row| measured_on(Some(Database::Postgresql), suite, vec![row]);
    let mut suites = suites();
    suites.extend([
        on(Suite::Report, reports),
        on(Suite::Morning, row("on disk, after 24 months", 15_000, 8_000.0, "bytes/computer")),
        on(Suite::Recovery, row("killed, until a scan is answered", 150_000, 4.5, "s")),
    ]);
    Read::of(&serde_json::to_vec(&told(suites)).expect("JSON")).expect("a report")
}

fn suites() -> Vec<Measured> {
    let costly = |row: Row, cpu: f64, bytes: (f64, f64)| Row {
        cpu_us: Some(cpu),
        request_bytes: Some(bytes.0),
        answer_bytes: Some(bytes.1),
        ..row
    };
    let steady = costly(row("steady", 20_000, 20_000.0, "requests/s"), 40.0, (29_000.0, 1_000.0));
    let scan = vec![
        Row { coding: Some("xpress"), ..steady },
        costly(row("driver", 20_000, 20_000.0, "requests/s"), 60.0, (46_000.0, 1_000.0)),
        row("memory", 20_000, 300.0, "MB resident"),
        row("stored", 20_000, 200.0, "MB on disk"),
    ];
    let reports = costly(row("reports", 1_000, 5_000.0, "reports/s"), 100.0, (12_500.0, 500.0));
    vec![
        measured(Suite::Scan, scan),
        measured(Suite::Report, vec![reports, row("reports_slow_flush", 1_000, 2_500.0, "reports/s")]),
        measured(Suite::Compliance, vec![row("resident", 150_000, 300.0, "MB")]),
        measured(Suite::Morning, vec![row("on disk, after 24 months", 15_000, 5_000.0, "bytes/computer")]),
        measured(Suite::Content, vec![row("whole", 64, 1_000.0, "MB/s")]),
        measured(Suite::Storm, vec![row("everybody has scanned", 20_000, 200.0, "s")]),
        measured(Suite::Recovery, vec![row("killed, until a scan is answered", 150_000, 3.0, "s")]),
        measured(
            Suite::Sync,
            vec![row("sync_first", 20_000, 5_000.0, "revisions/s"), row("sync_first", 20_000, 80.0, "MB/s of XML")],
        ),
    ]
}

fn value(plan: &Plan, what: &str) -> f64 {
    let line = plan.lines.iter().find(|line| line.what.starts_with(what)).unwrap_or_else(|| panic!("no line {what}"));
    line.value.unwrap_or_else(|| panic!("{what}: {:?}", line.missing))
}

fn close(plan: &Plan, what: &str, expected: f64) {
    let found = value(plan, what);
    assert!((found - expected).abs() <= expected.abs() * 1e-9, "{what}: {found} instead of {expected}");
}

#[test]
fn a_fleet_of_700000_is_worked_out() {
    let plan = plan(&report(), Ask { scan_hours: 20.0, ..Ask::new(700_000) });
    close(&plan, "scans a day", 840_000.0);
    close(&plan, "scans a second, at the peak", 700_000.0 * 0.5 / 3_600.0);
    close(&plan, "processor time of a scan", 0.2);
    close(&plan, "processor time a day", 168.0);
    // 97 scans a second of 0.2 ms are far below one machine of two processors
    close(&plan, "front ends for scans", 1.0);
    close(&plan, "content", 700_000.0 * 1_500.0 / (72.0 * 3_600.0));
    // 4051 MB/s over 500 MB/s each
    close(&plan, "front ends for content", 9.0);
    close(&plan, "front ends in all regions", 11.0);
    close(&plan, "memory of a front end", 300.0 + 700_000.0 * 2_000.0 / 1e6);
    close(&plan, "reports at the peak", 700_000.0 * 0.5 / 3_600.0 / 5_000.0);
    close(&plan, "the same, with flushes", 700_000.0 * 0.5 / 3_600.0 / 2_500.0);
    close(&plan, "database on disk", 3.7);
    close(&plan, "bytes of a scan", 90_000.0);
    close(&plan, "network a day", 75.6);
    close(&plan, "first scans of all computers", 700_000.0 / 100.0 / 3_600.0);
    close(&plan, "away after kill -9", 14.0);
    close(&plan, "the catalogue of a new region", 20_000.0 / 5_000.0 / 60.0);
    assert!(plan.units.iter().all(|unit| unit.value.is_some()), "{:#?}", plan.units);
}

#[test]
fn a_region_of_700000_on_postgresql_has_several_front_ends() {
    let ask = Ask { scan_hours: 20.0, content_shared: 0.75, ..Ask::new(700_000) };
    let read = report_on_both();
    let of_postgresql = plan(&read, ask.clone());
    let peak = 700_000.0 * 0.5 / 3_600.0;
    assert_eq!(of_postgresql.database, Database::Postgresql, "it was measured");
    close(&of_postgresql, "processor time of a scan", 0.24);
    close(&of_postgresql, "reports at the peak", peak / 4_000.0);
    close(&of_postgresql, "processors of PostgreSQL", peak * 250.0 / 1e6);
    // one for scans, three for 1013 MB/s of content of 500 each, one to spare
    close(&of_postgresql, "front ends of a region", 5.0);
    close(&of_postgresql, "connections to PostgreSQL", 50.0);
    close(&of_postgresql, "database on disk", 700_000.0 * 8_000.0 / 1e9 + 0.2);
    close(&of_postgresql, "away after kill -9", 21.0);
    assert!(of_postgresql.lines.iter().all(|line| !line.what.contains("flushes")), "they are those of another process");
    let text = of_postgresql.text().join("\n");
    let has = |part: &str| assert!(text.contains(part), "{part} is not in\n{text}");
    has("each region on PostgreSQL with several front ends\n");
    has("report: reports_postgresql, 1000 computers, on PostgreSQL\n");
    has("storm: everybody has scanned, 20000 computers, on SQLite: not measured on PostgreSQL\n");
    has("scan: driver, 20000 revisions\n");
    has("They write in turn");
    // the same report, for a machine that has everything
    let embedded = plan(&read, Ask { database: Some(Database::Sqlite), ..ask });
    close(&embedded, "reports at the peak", peak / 5_000.0);
    close(&embedded, "database on disk", 3.7);
    assert!(embedded.text().join("\n").contains("Several front ends need PostgreSQL"));
}

#[test]
fn regions_share_the_computers_and_not_the_machines() {
    let ask = Ask { regions: 4, content_shared: 0.75, cores: Some(8), ..Ask::new(1_000_000) };
    let plan = plan(&report(), ask);
    close(&plan, "computers of a region", 250_000.0);
    close(&plan, "front ends for scans", 1.0);
    // 362 MB/s of 500
    close(&plan, "front ends for content", 1.0);
    close(&plan, "front ends in all regions", 12.0);
}

#[test]
fn what_was_not_measured_stays_a_gap() {
    let mut report = told(Vec::new());
    report.suites.push(measured(Suite::Scan, vec![row("memory", 20_000, 300.0, "MB resident")]));
    let read = Read::of(&serde_json::to_vec(&report).expect("JSON")).expect("a report");
    let plan = plan(&read, Ask::new(700_000));
    assert!(value(&plan, "scans a day") > 0.0, "loads are no measurements");
    let memory = plan.lines.iter().find(|line| line.what == "memory of a front end").expect("a line");
    assert_eq!((memory.value, memory.missing.as_slice()), (None, &["index for each computer"][..]));
    let text = plan.text().join("\n");
    assert!(text.contains("memory of a front end: not measured\n"), "{text}");
    assert!(text.contains("not measured: weir bench compliance"), "{text}");
}

/// What is printed as arithmetic comes to what is printed as its result.
#[test]
fn the_arithmetic_that_is_shown_holds() {
    let plans = [report(), report_on_both()]
        .map(|report| plan(&report, Ask { regions: 3, content_shared: 0.2, ..Ask::new(1_000_000) }));
    assert!(plans.iter().all(|plan| plan.lines.len() > 20));
    for line in plans.iter().flat_map(|plan| &plan.lines) {
        let numbers = line.numbers.as_deref().unwrap_or_else(|| panic!("{line:?}"));
        let worked = Worked::out(numbers);
        let expected = line.value.expect("there are numbers");
        // numbers are shown with three digits or so, and what is rounded up may differ by one
        let room = expected.abs() * 0.03 + if numbers.starts_with("ceil") { 1.0 } else { 0.0 };
        assert!((worked - expected).abs() <= room, "{}: {numbers} is {worked}, not {expected}", line.what);
    }
}

/// Works out a sum of numbers, `+`, `-`, `x`, `/`, brackets and `ceil`.
struct Worked<'a> {
    words: std::iter::Peekable<std::vec::IntoIter<&'a str>>,
}

impl<'a> Worked<'a> {
    fn out(text: &'a str) -> f64 {
        let mut words = Vec::new();
        for word in text.split(' ') {
            let mut rest = word;
            for opening in ["ceil(", "("] {
                while let Some(after) = rest.strip_prefix(opening) {
                    words.push(opening);
                    rest = after;
                }
            }
            let number = rest.trim_end_matches(')');
            words.push(number);
            words.extend(std::iter::repeat_n(")", rest.len() - number.len()));
        }
        let mut worked = Self { words: words.into_iter().peekable() };
        let sum = worked.sum();
        assert!(worked.words.next().is_none(), "{text} goes on");
        sum
    }

    fn sum(&mut self) -> f64 {
        let mut value = self.product();
        while let Some(sign) = self.words.next_if(|word| ["+", "-"].contains(word)) {
            let next = self.product();
            value += if sign == "+" { next } else { -next };
        }
        value
    }

    fn product(&mut self) -> f64 {
        let mut value = self.factor();
        while let Some(sign) = self.words.next_if(|word| ["x", "/"].contains(word)) {
            let next = self.factor();
            value *= if sign == "x" { next } else { next.recip() };
        }
        value
    }

    fn factor(&mut self) -> f64 {
        let word = self.words.next().expect("a number");
        if !word.ends_with('(') {
            return word.parse().unwrap_or_else(|_| panic!("{word} is no number"));
        }
        let inside = self.sum();
        assert_eq!(self.words.next(), Some(")"));
        if word == "ceil(" { inside.ceil() } else { inside }
    }
}
