//! The budgets of the design (section 9), each with the suite and the cases that answer it. `docs/benchmarks.md` has the same table,
//! held to this one by a test.

use std::fmt::Write as _;

use serde::Serialize;

use crate::{
    report::Measured,
    row::{Database, Figure, Row},
    suite::Suite,
};

/// What the design asks of one thing.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Of what.
    pub what: &'static str,
    /// How much, in words.
    pub asked: &'static str,
    /// The suite that measures it.
    pub suite: Suite,
    /// The database that it is asked of; if none, of whichever the suite was measured on.
    pub database: Option<Database>,
    /// The cases of the suite that answer it. All are needed.
    pub cases: &'static [&'static str],
    /// At these sizes; at any if there are none.
    pub sizes: &'static [usize],
    /// What else it takes to measure it, or why it is not measured; empty if nothing.
    pub needs: &'static str,
}

impl Budget {
    /// The command that measures it.
    pub fn command(&self) -> String {
        let on = if self.database == POSTGRESQL { " --postgres" } else { "" };
        format!("weir bench {}{on}", self.suite.name())
    }
}

const NOTHING: &str = "";
const EITHER: Option<Database> = None;
const SQLITE: Option<Database> = Some(Database::Sqlite);
const POSTGRESQL: Option<Database> = Some(Database::Postgresql);

/// All budgets, in the order of the design. Figures without a budget that the project asks for stand at the end.
pub static BUDGETS: [Budget; 23] = [
    Budget {
        what: "SyncUpdates, steady rescan, 20,000 live revisions",
        asked: ">= 0.5 of null, >= 2.0 of tokeniser, Xpress >= 0.45 of null; p50 < 40 us, p99 < 250 us",
        suite: Suite::Scan,
        database: EITHER,
        cases: &["steady"],
        sizes: &[20_000],
        needs: NOTHING,
    },
    Budget {
        what: "its growth from 2,000 to 100,000 revisions",
        asked: "exponent <= 0.25",
        suite: Suite::Scan,
        database: EITHER,
        cases: &["steady_growth"],
        sizes: &[],
        needs: NOTHING,
    },
    Budget {
        what: "driver pass with no driver in scope",
        asked: ">= 0.3 of null",
        suite: Suite::Scan,
        database: EITHER,
        cases: &["driver"],
        sizes: &[20_000],
        needs: NOTHING,
    },
    Budget {
        what: "page of 30 typical entries",
        asked: "identity >= 0.45 of null, Xpress >= 0.35 at <= 0.4 of the identity size",
        suite: Suite::Scan,
        database: EITHER,
        cases: &["page"],
        sizes: &[20_000],
        needs: NOTHING,
    },
    Budget {
        what: "page with a 47 MB entry",
        asked: "first byte < 20 ms; 64 at once add < 64 MB",
        suite: Suite::Scan,
        database: EITHER,
        cases: &["giant_entry", "giant_entry_memory"],
        sizes: &[47],
        needs: NOTHING,
    },
    Budget {
        what: "first full scan, 5,000 live revisions",
        asked: "<= 60 calls, <= 100 for a computer that is sent everything; none above max(byte budget, one entry)",
        suite: Suite::Scan,
        database: EITHER,
        cases: &["first_scan_plausible", "first_scan_everything"],
        sizes: &[5_000],
        needs: NOTHING,
    },
    Budget {
        what: "memory, 20,000 revisions of real sizes, 64 giant pages in flight",
        asked: "< 350 MB resident",
        suite: Suite::Scan,
        database: EITHER,
        cases: &["memory"],
        sizes: &[20_000],
        needs: NOTHING,
    },
    Budget {
        what: "snapshot rebuild and swap, 20,000 and 100,000 revisions",
        asked: "< 60 and < 300 ms off the request path; no request above 50 ms because of it",
        suite: Suite::Scan,
        database: EITHER,
        cases: &["swap", "swap_slowest"],
        sizes: &[20_000, 100_000],
        needs: NOTHING,
    },
    Budget {
        what: "import of the genuine export",
        asked: "< 0.6 s to committed rows",
        suite: Suite::Import,
        database: SQLITE,
        cases: &["import_package"],
        sizes: &[],
        needs: "`--package FILE`",
    },
    Budget {
        what: "server to server, loopback",
        asked: ">= 4,000 revisions/s of 4 kB, >= 60 MB/s of XML with the real sizes",
        suite: Suite::Sync,
        database: EITHER,
        cases: &["sync_first"],
        sizes: &[],
        needs: NOTHING,
    },
    Budget {
        what: "status reports, durable, 64 connections",
        asked: ">= 4,000/s",
        suite: Suite::Report,
        database: SQLITE,
        cases: &["reports"],
        sizes: &[1_000],
        needs: NOTHING,
    },
    Budget {
        what: "the same with 10 ms added to each flush",
        asked: ">= 1,500/s",
        suite: Suite::Report,
        database: SQLITE,
        cases: &["reports_slow_flush"],
        sizes: &[1_000],
        needs: "strace",
    },
    Budget {
        what: "the same on PostgreSQL on the same machine",
        asked: ">= 3,000/s",
        suite: Suite::Report,
        database: POSTGRESQL,
        cases: &["reports_postgresql"],
        sizes: &[1_000],
        needs: "PostgreSQL 15 or later: Debian's programs, or with `--database URL` an empty database",
    },
    Budget {
        what: "compliance counts, 150,000 computers and 5,000 updates",
        asked: "any collection < 30 ms, up to 1,000 computers < 5 ms, all computers < 1 ms",
        suite: Suite::Compliance,
        database: EITHER,
        cases: &["any collection: whole", "any collection: 20,000", "collection of 1,000", "all computers"],
        sizes: &[150_000],
        needs: NOTHING,
    },
    Budget {
        what: "the compliance index, 150,000 computers and 5,000 updates",
        asked: "< 400 MB; rebuilt in < 3 s; one report in < 250 us without blocking readers",
        suite: Suite::Compliance,
        database: EITHER,
        cases: &["resident", "rebuild", "one report followed", "reader beside reports"],
        sizes: &[150_000],
        needs: NOTHING,
    },
    Budget {
        what: "20,000 first scans arriving within a minute",
        asked: "none fails; < 600 MB; small fragments done in < 5 minutes",
        suite: Suite::Storm,
        database: EITHER,
        cases: &["everybody has scanned", "computers that gave up", "resident at most"],
        sizes: &[20_000],
        needs: NOTHING,
    },
    Budget {
        what: "first scans with giants",
        asked: ">= 0.5 of a null handler that streams the same bytes; none fails; < 600 MB",
        suite: Suite::Storm,
        database: EITHER,
        cases: &["giants", "giants_memory"],
        sizes: &[20_000],
        needs: NOTHING,
    },
    Budget {
        what: "decline and purge of 10,000 revisions while serving",
        asked: "< 60 s; no request above 50 ms because of it",
        suite: Suite::Purge,
        database: EITHER,
        cases: &["purge_total", "purge_scans"],
        sizes: &[10_000],
        needs: NOTHING,
    },
    Budget {
        what: "console page, 150,000 computers: first byte, style and script",
        asked: "first byte < 100 ms; style and script < 60 kB compressed",
        suite: Suite::Console,
        database: EITHER,
        cases: &["first byte, slowest screen", "style and script"],
        sizes: &[150_000],
        needs: NOTHING,
    },
    Budget {
        what: "console page, 150,000 computers: usable",
        asked: "< 400 ms",
        suite: Suite::Console,
        database: EITHER,
        cases: &["usable, slowest screen"],
        sizes: &[150_000],
        needs: "`--browser DIR`, Chromium, node",
    },
    Budget {
        what: "content download",
        asked: ">= 0.9 of nginx on the same files",
        suite: Suite::Content,
        database: EITHER,
        cases: &["whole", "range of 1 MiB"],
        sizes: &[64],
        needs: "nginx; without it the baseline is a null handler, and nothing is judged",
    },
    Budget {
        what: "recovery after kill -9, 150,000 computers",
        asked: "no budget; nothing acknowledged is lost",
        suite: Suite::Recovery,
        database: EITHER,
        cases: &[
            "killed, until a scan is answered",
            "killed, until compliance is answered",
            "acknowledged reports lost",
        ],
        sizes: &[150_000],
        needs: NOTHING,
    },
    Budget {
        what: "three front ends on one PostgreSQL against one",
        asked: "no budget for the speed-up; what one approves another offers within 2 s",
        suite: Suite::FrontEnds,
        database: POSTGRESQL,
        cases: &["steady rescans", "status reports", "approval elsewhere"],
        sizes: &[3],
        needs: "PostgreSQL 15 or later: Debian's programs, or with `--database URL` an empty database",
    },
];

/// How figures stand against a budget.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// All figures that the budget asks for are within it.
    Met,
    /// A figure is not.
    Missed,
    /// Measured, and within the budget as far as it was judged; something was not judged or is missing.
    Told,
    /// Measured at other sizes than those of the budget.
    OtherSizes,
    /// Nothing was measured.
    NotMeasured,
}

impl Standing {
    /// In a word or two.
    pub fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "MISSED",
            Self::Told => "measured",
            Self::OtherSizes => "other sizes",
            Self::NotMeasured => "not measured",
        }
    }
}

/// A budget and what was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// Of what; with the database, if the same was measured on both.
    pub what: String,
    /// How much, in words.
    pub asked: &'static str,
    /// What kept the data; none where nothing is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<Database>,
    /// The command that measures it.
    pub command: String,
    /// How the figures stand.
    pub standing: Standing,
    /// The figures, or what is missing to have them.
    pub figures: Vec<String>,
}

/// How the figures of suites stand against all budgets. One that is asked of any database stands here once more for PostgreSQL, if its
/// suite was measured on that.
pub(crate) fn verdicts(suites: &[Measured]) -> Vec<Verdict> {
    let mut all = Vec::with_capacity(BUDGETS.len());
    for budget in &BUDGETS {
        all.push(verdict(budget, suites, budget.database.unwrap_or(Database::Sqlite)));
        let of_it = |measured: &Measured| measured.suite == budget.suite.name() && measured.database == POSTGRESQL;
        if budget.database.is_none() && suites.iter().any(of_it) {
            let on = verdict(budget, suites, Database::Postgresql);
            all.push(Verdict { what: format!("{}, on PostgreSQL", budget.what), ..on });
        }
    }
    all
}

fn verdict(budget: &Budget, suites: &[Measured], database: Database) -> Verdict {
    let here = |measured: &&Measured| measured.database.is_none_or(|found| found == database);
    let ran = suites.iter().filter(here).find(|measured| measured.suite == budget.suite.name());
    let answers = |row: &&Row| budget.cases.contains(&row.case.as_str());
    let rows: Vec<&Row> = ran.into_iter().flat_map(|ran| &ran.figures.rows).filter(answers).collect();
    let measured: Vec<&Row> = rows.iter().copied().filter(|row| row.is_measured()).collect();
    let of_size = |row: &&Row| budget.sizes.is_empty() || budget.sizes.contains(&row.size);
    let asked: Vec<&Row> = measured.iter().copied().filter(of_size).collect();
    let complete = budget.cases.iter().all(|case| {
        let sizes: Vec<usize> = asked.iter().filter(|row| row.case == **case).map(|row| row.size).collect();
        if budget.sizes.is_empty() { !sizes.is_empty() } else { budget.sizes.iter().all(|size| sizes.contains(size)) }
    });
    let standing = if measured.is_empty() {
        Standing::NotMeasured
    } else if asked.is_empty() {
        Standing::OtherSizes
    } else if asked.iter().any(|row| row.met == Some(false)) {
        Standing::Missed
    } else if complete && asked.iter().all(|row| row.met == Some(true)) {
        Standing::Met
    } else {
        Standing::Told
    };
    let shown = if asked.is_empty() { &measured } else { &asked };
    let mut figures: Vec<String> = shown.iter().map(|row| told(row)).collect();
    if figures.is_empty() {
        figures.extend(rows.iter().map(|row| row.budget.clone()));
        let failed = ran.and_then(|ran| ran.error.as_ref()).map(|error| format!("the suite failed: {error}"));
        figures.extend(failed);
        figures
            .extend(Some(format!("it takes {}", budget.needs)).filter(|_| !budget.needs.is_empty() && rows.is_empty()));
    }
    let database = budget.suite.has_database().then_some(database);
    Verdict {
        what: budget.what.to_owned(),
        asked: budget.asked,
        database,
        command: budget.command(),
        standing,
        figures,
    }
}

/// A row in one line: its figure, and the others that are judged.
fn told(row: &Row) -> String {
    let mut text = row.name();
    if let (true, Some(of)) = (row.size > 0, row.size_of) {
        let _ = write!(text, " at {} {}", row.size, of.name());
    }
    let _ = write!(text, ": {}", [short(row.value).as_str(), row.unit].join(" ").trim_end());
    for of in Figure::ALL.into_iter().skip(1) {
        if let Some(figure) = of.of(row) {
            let _ = write!(text, "; {} {}", short(figure), of.unit(row));
        }
    }
    if row.met == Some(false) {
        text.push_str(" (missed)");
    }
    text
}

/// A number with about three digits that say something.
pub(crate) fn short(number: f64) -> String {
    let size = number.abs();
    match size {
        _ if !number.is_finite() => "-".to_owned(),
        _ if size >= 100.0 || number.fract() == 0.0 => format!("{number:.0}"),
        _ if size >= 10.0 => format!("{number:.1}"),
        _ if size >= 0.1 => format!("{number:.2}"),
        _ if size >= 0.001 => format!("{number:.4}"),
        _ => format!("{number:.2e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        report::tests::{measured, measured_on},
        row::Limit,
    };

    fn row(case: &str, size: usize, value: f64) -> Row {
        Row { case: case.to_owned(), revisions: size, value, unit: "ms", ..Row::default() }
    }

    fn standing(rows: Vec<Row>) -> Standing {
        let budget = BUDGETS.iter().find(|budget| budget.cases.contains(&"swap")).expect("swaps have a budget");
        verdict(budget, &[measured(Suite::Scan, rows)], Database::Sqlite).standing
    }

    #[test]
    fn all_cases_at_all_sizes_are_needed() {
        let all = |slowest: f64| {
            let judged = |case, size, value| row(case, size, value).within([Limit::most(50.0)]);
            vec![
                judged("swap", 20_000, 8.0),
                judged("swap", 100_000, 40.0),
                judged("swap_slowest", 20_000, 9.0),
                judged("swap_slowest", 100_000, slowest),
            ]
        };
        assert_eq!(standing(all(10.0)), Standing::Met);
        assert_eq!(standing(all(60.0)), Standing::Missed);
        assert_eq!(standing(all(10.0).split_off(1)), Standing::Told);
        assert_eq!(standing(vec![row("swap", 2_000, 1.0)]), Standing::OtherSizes);
        assert_eq!(standing(vec![row("swap", 20_000, f64::NAN)]), Standing::NotMeasured);
        assert_eq!(standing(vec![row("steady", 20_000, 1.0)]), Standing::NotMeasured);
    }

    #[test]
    fn what_is_not_measured_says_what_it_takes() {
        let told = verdicts(&[]);
        let of = |what: &str| told.iter().find(|verdict| verdict.what.starts_with(what)).expect("a budget");
        assert_eq!(of("import").figures, ["it takes `--package FILE`"]);
        assert!(of("driver pass").figures.is_empty());
        let failed = Measured { error: Some("no room".to_owned()), ..measured(Suite::Scan, Vec::new()) };
        let told = verdicts(&[failed]);
        assert!(told[0].figures[0].contains("no room"), "{:?}", told[0]);
        assert!(told.iter().all(|verdict| verdict.standing == Standing::NotMeasured));
    }

    #[test]
    fn each_database_has_a_standing_of_its_own() {
        let slowest = |value| vec![row("everybody has scanned", 20_000, value).within([Limit::most(300.0)])];
        let reports = |case, value| vec![row(case, 1_000, value).within([Limit::least(3_000.0)])];
        let told = verdicts(&[
            measured(Suite::Storm, slowest(200.0)),
            measured_on(POSTGRESQL, Suite::Storm, slowest(400.0)),
            measured(Suite::Report, reports("reports", 5_000.0)),
            measured_on(POSTGRESQL, Suite::Report, reports("reports_postgresql", 3_500.0)),
        ]);
        let of = |what: &str| {
            let verdict = told.iter().find(|verdict| verdict.what == what).unwrap_or_else(|| panic!("no {what}"));
            (verdict.standing, verdict.database)
        };
        // two of the three cases are missing
        assert_eq!(of("20,000 first scans arriving within a minute"), (Standing::Told, SQLITE));
        assert_eq!(of("20,000 first scans arriving within a minute, on PostgreSQL"), (Standing::Missed, POSTGRESQL));
        assert_eq!(of("status reports, durable, 64 connections"), (Standing::Met, SQLITE));
        assert_eq!(of("the same on PostgreSQL on the same machine"), (Standing::Met, POSTGRESQL));
        // what the design asks of the one is not asked of the other; first scans with giants are of the storm, too
        assert_eq!(told.len(), BUDGETS.len() + 2);
    }

    #[test]
    fn figures_are_told_in_one_line() {
        let rescan = Row { coding: Some("xpress"), ratio_null: Some(0.561), ..row("steady", 20_000, 45_900.4) };
        let rows = vec![rescan.within([Limit::of_at_least(Figure::RatioNull, 0.6)])];
        let told = verdicts(&[measured(Suite::Scan, rows)]);
        assert_eq!(told[0].figures, ["steady, xpress at 20000 revisions: 45900 ms; 0.56 of the baseline (missed)"]);
        assert_eq!(told[0].standing, Standing::Missed);
    }

    #[test]
    fn numbers_are_short() {
        let cases = [(0.0, "0"), (12_345.6, "12346"), (12.34, "12.3"), (3.0, "3"), (0.567, "0.57"), (0.0123, "0.0123")];
        for (number, text) in cases {
            assert_eq!(short(number), text);
        }
        assert_eq!((short(0.000_012), short(f64::NAN)), ("1.20e-5".to_owned(), "-".to_owned()));
    }

    /// The guide has every budget, with its command and what it takes.
    #[test]
    fn the_guide_has_all_budgets() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/benchmarks.md");
        let guide = std::fs::read_to_string(path).expect("docs/benchmarks.md");
        for budget in &BUDGETS {
            let cases: Vec<String> = budget.cases.iter().map(|case| format!("`{case}`")).collect();
            let line = format!(
                "| {} | {} | `{}` | {} | {} |",
                budget.what,
                budget.asked,
                budget.command(),
                cases.join(", "),
                budget.needs
            );
            assert!(guide.contains(&line), "docs/benchmarks.md lacks this line:\n{line}");
        }
        let lines = guide.lines().filter(|line| line.contains(" | `weir bench ") && line.starts_with("| ")).count();
        assert_eq!(lines, BUDGETS.len(), "docs/benchmarks.md has other lines, too");
    }
}
