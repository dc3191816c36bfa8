//! A run of many suites: the machine, what each suite came to, and how that stands against the budgets.

use std::time::Instant;

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    Figures, Options,
    budgets::{Verdict, verdicts},
    machine::Machine,
    suite::Suite,
};

/// The form of the JSON; a reader refuses another one.
pub(crate) const FORMAT: u32 = 1;

/// What a run came to.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The form of this report: 1.
    pub format: u32,
    /// Where it ran, and what.
    pub machine: Machine,
    /// Whether sizes are small and runs short, so that budgets say nothing.
    pub quick: bool,
    /// When it began.
    pub began: Timestamp,
    /// How long it took.
    pub seconds: f64,
    /// The suites, in the order in which they ran.
    pub suites: Vec<Measured>,
    /// The budgets of the design, and how the figures stand against them.
    pub budgets: Vec<Verdict>,
}

/// What one suite of a run came to.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// Which suite.
    pub suite: &'static str,
    /// How long it took, preparation included.
    pub seconds: f64,
    /// Why it did not end, if it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its figures; none if it did not end.
    #[serde(flatten)]
    pub figures: Figures,
}

impl Report {
    /// Whether every suite ended and no budget was missed.
    pub fn is_whole(&self) -> bool {
        self.suites
            .iter()
            .all(|suite| suite.error.is_none() && suite.figures.rows.iter().all(|row| row.met != Some(false)))
    }
}

/// Runs suites one after the other. One that fails is noted, and the others run: what took an hour is not thrown away. `tell` hears
/// what is being done, `keep` gets the report after each suite.
///
/// # Errors
///
/// The folder for temporary files cannot be written to, or `keep` failed.
pub async fn report(
    suites: &[Suite],
    options: &Options,
    tell: &dyn Fn(&str),
    keep: &mut dyn FnMut(&Report) -> anyhow::Result<()>,
) -> anyhow::Result<Report> {
    let began = Instant::now();
    let scratch = match &options.scratch {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let mut report = Report {
        format: FORMAT,
        machine: Machine::look(scratch.path()),
        quick: options.quick,
        began: Timestamp::now(),
        seconds: 0.0,
        suites: Vec::with_capacity(suites.len()),
        budgets: Vec::new(),
    };
    drop(scratch);
    for (at, suite) in suites.iter().enumerate() {
        let (started, place) = (Instant::now(), format!("[{}/{}]", at + 1, suites.len()));
        let (figures, error) = match crate::run(*suite, options, &|text| tell(&format!("{place} {text}"))).await {
            Ok(figures) => (figures, None),
            Err(error) => (Figures::new(Vec::new(), None), Some(format!("{error:#}"))),
        };
        let seconds = started.elapsed().as_secs_f64();
        let ended = error.as_ref().map_or_else(|| "done".to_owned(), |error| format!("failed: {error}"));
        tell(&format!("{place} {}: {ended}, {seconds:.0} s", suite.name()));
        report.suites.push(Measured { suite: suite.name(), seconds, error, figures });
        report.seconds = began.elapsed().as_secs_f64();
        report.budgets = verdicts(&report.suites);
        keep(&report)?;
    }
    Ok(report)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::row::{Limit, Row, SizeOf, growth, settle};

    /// A suite with these rows.
    pub(crate) fn measured(suite: Suite, mut rows: Vec<Row>) -> Measured {
        settle(&mut rows, suite.size_of());
        let figures = Figures { growth: growth(&rows), ..Figures::new(rows, None) };
        Measured { suite: suite.name(), seconds: 1.0, error: None, figures }
    }

    /// A report with these suites.
    pub(crate) fn told(suites: Vec<Measured>) -> Report {
        let machine = Machine {
            processor: "Example <CPU>".to_owned(),
            cores: 2,
            memory_mb: 24_000,
            system: "Debian".to_owned(),
            kernel: "6.12".to_owned(),
            build: "0.7.0 x86_64 release".to_owned(),
            flush_ms: Some(0.145),
        };
        let budgets = verdicts(&suites);
        Report { format: FORMAT, machine, quick: false, began: Timestamp::UNIX_EPOCH, seconds: 60.0, suites, budgets }
    }

    fn options() -> Options {
        Options {
            sizes: vec![200, 400],
            computers: vec![100, 200],
            updates: Some(1_000),
            hold: false,
            seconds: 0.01,
            package: None,
            scratch: None,
            browser: None,
            database: None,
            quick: false,
        }
    }

    #[tokio::test]
    async fn a_suite_that_fails_does_not_end_the_run() {
        let mut kept = Vec::new();
        let mut keep = |report: &Report| {
            kept.push(report.suites.len());
            Ok(())
        };
        // a catalogue without a match is an error of the suite of rules
        let options = Options { sizes: vec![1], ..options() };
        let suites = [Suite::Rules, Suite::Applicability];
        let report = report(&suites, &options, &|_| {}, &mut keep).await.expect("runs");
        assert_eq!(kept, [1, 2]);
        let errors: Vec<bool> = report.suites.iter().map(|suite| suite.error.is_some()).collect();
        assert_eq!(errors, [true, false]);
        assert!(!report.is_whole() && report.seconds > 0.0);
        let json = serde_json::to_value(&report).expect("JSON");
        assert_eq!(json["suites"][1]["suite"], "applicability");
        assert_eq!(json["suites"][1]["rows"][0]["size_of"], "revisions");
        assert_eq!(json["format"], 1);
    }

    #[tokio::test]
    async fn cases_of_several_sizes_have_their_growth() {
        let figures = crate::run(Suite::Applicability, &options(), &|_| {}).await.expect("runs");
        let names: Vec<_> = figures.growth.iter().map(|growth| (growth.case.as_str(), growth.points.len())).collect();
        assert_eq!(names, [("rules", 2), ("evaluation", 2)]);
        assert!(figures.rows.iter().all(|row| row.size > 0 && row.size_of == Some(SizeOf::Revisions)));
    }

    #[test]
    fn a_missed_budget_is_not_whole() {
        let row = |value| Row { value, ..Row::default() }.within([Limit::most(5.0)]);
        assert!(told(vec![measured(Suite::Scan, vec![row(4.0)])]).is_whole());
        assert!(!told(vec![measured(Suite::Scan, vec![row(4.0), row(6.0)])]).is_whole());
    }

    #[test]
    fn a_quick_run_is_small_where_nothing_was_asked() {
        let asked = Options { sizes: Options::SIZES.to_vec(), updates: None, seconds: 1.0, ..options() };
        let quick = asked.quick();
        assert_eq!((quick.sizes.as_slice(), quick.computers.as_slice()), (&Options::QUICK_SIZES[..], &[100, 200][..]));
        assert!(quick.quick && quick.updates == Some(1_000) && quick.seconds < 1.0);
    }
}
