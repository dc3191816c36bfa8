//! What is said of all runs at the very end.

use super::{Report, reading::Failure};
use crate::ENGINE;

/// Lines in all: less than what is kept of a record that is cut to its end.
const LINES: usize = 85;
/// Names that are listed.
const NAMES: usize = 30;
/// Lines that say why one test failed: at least these, and at most.
const WHY: [usize; 2] = [4, 30];
/// Targets whose time is told: those that took longest.
const SLOWEST: usize = 8;

/// The lines: the slowest targets, then all that failed by name, then why, as far as there is room.
pub(super) fn lines(reports: &[Report]) -> Vec<String> {
    let mut lines: Vec<String> = slowest(reports).into_iter().collect();
    let bad = || reports.iter().filter(|report| !report.well);
    let failures: Vec<(&Report, &Failure)> =
        bad().flat_map(|report| report.reading.failed.iter().map(move |failure| (report, failure))).collect();

    let mut names: Vec<String> = failures.iter().map(|(report, failure)| name(report, failure)).collect();
    for report in bad() {
        names.extend(report.reading.broken.iter().map(|target| format!("xtask: BROKEN: {target}{}", on(report))));
        if report.failed() && report.reading.failed.is_empty() && report.reading.broken.is_empty() {
            let what = if report.began() { "for a reason that is not a test's" } else { "before any test ran" };
            names.push(format!("xtask: FAILED: cargo test{}, {what}", on(report)));
        }
    }
    let more = names.len().saturating_sub(NAMES);
    names.truncate(NAMES);
    if more > 0 {
        names.push(format!("xtask: and {more} more"));
    }

    // a failure that comes alone, too, says most
    let mut told: Vec<_> = failures.iter().filter(|(_, failure)| failure.alone != Some(true)).collect();
    told.extend(failures.iter().filter(|(_, failure)| failure.alone == Some(true)));
    let room = LINES - lines.len() - names.len();
    let [least, most] = WHY;
    // a heading and a command stand around what each printed
    told.truncate(room / (least + 2));
    let each = if told.is_empty() { 0 } else { (room / told.len() - 2).min(most) };
    let mut why = Vec::new();
    for (report, failure) in told {
        why.push(format!("-- {}: {}{}", failure.target.name, failure.test, on(report)));
        why.extend(failure.output.shown(each).into_iter().map(|line| format!("   {line}")));
        why.push(format!("   again: {}", again(report, failure)));
    }
    for report in bad().filter(|report| report.failed() && report.reading.failed.is_empty()) {
        let Report { reading, .. } = report;
        let printed: Vec<&String> =
            if reading.errors.is_empty() { reading.last.iter().collect() } else { reading.errors.iter().collect() };
        let left = room.saturating_sub(why.len());
        why.extend(printed.into_iter().take(left).map(|line| format!("   {line}")));
    }

    lines.extend(why);
    // last, since the last line is what is never cut off
    lines.extend(names);
    lines
}

fn name(report: &Report, failure: &Failure) -> String {
    let (word, alone) = match failure.alone {
        None => ("FAILED", ""),
        Some(false) => ("FAILED", ", alone, too"),
        Some(true) => ("UNSTEADY", ", but passed alone"),
    };
    format!("xtask: {word}: {}: {}{}{alone}", failure.target.name, failure.test, on(report))
}

fn on(report: &Report) -> String {
    report.engine.as_ref().map(|engine| format!(" (on {engine})")).unwrap_or_default()
}

/// The command that runs a test again.
fn again(report: &Report, failure: &Failure) -> String {
    let engine = report.engine.as_ref().map(|engine| format!("{ENGINE}={engine} ")).unwrap_or_default();
    format!("{engine}cargo test {} -- --exact {:?}", failure.target.arguments(), failure.test)
}

/// Which targets took longest, in one line.
fn slowest(reports: &[Report]) -> Option<String> {
    let mut took: Vec<(String, f64)> = Vec::new();
    for report in reports {
        let of = |(target, seconds): &(String, f64)| (format!("{target}{}", on(report)), *seconds);
        took.extend(report.reading.took.iter().map(of));
    }
    took.sort_by(|one, other| other.1.total_cmp(&one.1));
    took.truncate(SLOWEST);
    let took: Vec<String> = took.iter().map(|(target, seconds)| format!("{target} {seconds:.0} s")).collect();
    (!took.is_empty()).then(|| format!("xtask: took longest: {}", took.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::reading::Reading;

    fn report(well: bool, engine: Option<&str>, printed: &str) -> Report {
        let mut reading = Reading::default();
        for line in printed.lines() {
            reading.line(line);
        }
        Report { engine: engine.map(str::to_owned), well, reading }
    }

    /// What a target prints of which so many tests fail, each with that many lines.
    fn failing(target: &str, tests: usize, lines: usize) -> String {
        let mut printed = format!("     Running tests/{target}.rs (target/debug/deps/{target}-1)\n");
        for test in 0..tests {
            printed.push_str(&format!("test t{test} ... FAILED\n"));
        }
        printed.push_str("\nfailures:\n\n");
        for test in 0..tests {
            printed.push_str(&format!("---- t{test} stdout ----\nthread 't{test}' panicked at a.rs:1:1:\n"));
            for line in 1..lines {
                printed.push_str(&format!("why {line}\n"));
            }
        }
        printed + "\nfailures:\n\ntest result: FAILED. finished in 12.40s\n"
    }

    #[test]
    fn what_passed_is_told_by_its_time_alone() {
        let good = "     Running tests/admin.rs (target/debug/deps/admin-1)\ntest result: ok. finished in 3.00s\n";
        let reports = [report(true, None, good), report(true, Some("postgres"), good)];
        assert_eq!(lines(&reports), ["xtask: took longest: admin 3 s, admin (on postgres) 3 s"]);
        assert!(lines(&[]).is_empty());
    }

    #[test]
    fn a_failure_is_told_with_its_target_its_reason_and_its_command() {
        let reports = [report(true, None, ""), report(false, Some("postgres"), &failing("admin", 1, 3))];
        assert_eq!(
            lines(&reports),
            [
                "xtask: took longest: admin (on postgres) 12 s",
                "-- admin: t0 (on postgres)",
                "   thread 't0' panicked at a.rs:1:1:",
                "   why 1",
                "   why 2",
                "   again: WEIR_TEST_ENGINE=postgres cargo test --workspace --test admin -- --exact \"t0\"",
                "xtask: FAILED: admin: t0 (on postgres)",
            ]
        );
    }

    #[test]
    fn many_failures_stay_within_the_end_of_a_record() {
        for (tests, told) in [(1, 1), (3, 3), (12, 12), (100, 30)] {
            let lines = lines(&[report(false, None, &failing("admin", tests, 50))]);
            assert!(lines.len() <= LINES, "{tests} failures take {} lines", lines.len());
            let names = lines.iter().filter(|line| line.starts_with("xtask: FAILED: admin: ")).count();
            assert_eq!(names, told, "{tests} failures");
            let why = lines.iter().filter(|line| line.starts_with("   thread ")).count();
            assert!(why >= tests.min(8), "{why} of {tests} are explained");
        }
    }

    #[test]
    fn what_ran_alone_says_so() {
        let mut one = report(false, None, &failing("system", 2, 2));
        for (failure, alone) in one.reading.failed.iter_mut().zip([true, false]) {
            failure.alone = Some(alone);
        }
        let lines = lines(&[one]);
        let end: Vec<&str> = lines.iter().rev().take(2).map(String::as_str).collect();
        assert_eq!(end, ["xtask: FAILED: system: t1, alone, too", "xtask: UNSTEADY: system: t0, but passed alone"]);
        let first = lines.iter().find(|line| line.starts_with("-- "));
        assert_eq!(first.map(String::as_str), Some("-- system: t1"));
    }

    #[test]
    fn errors_and_crashes_are_told() {
        let error = lines(&[report(false, None, "   Compiling a\nerror[E0433]: failed to resolve\n --> a.rs:1:1\n")]);
        assert_eq!(
            error,
            [
                "   error[E0433]: failed to resolve",
                "    --> a.rs:1:1",
                "xtask: FAILED: cargo test, before any test ran"
            ]
        );
        let crash = "     Running tests/admin.rs (target/debug/deps/admin-1)\nerror: test failed, to rerun pass `--test admin`\n\n\
                     Caused by:\n  process didn't exit successfully: `admin-1` (signal: 6, SIGABRT)\n";
        let crash = lines(&[report(false, None, crash)]);
        let end = crash.last().map(String::as_str);
        assert_eq!(end, Some("xtask: BROKEN: admin: process didn't exit successfully: `admin-1` (signal: 6, SIGABRT)"));
        let unknown = lines(&[report(false, None, "Blocking waiting for file lock\n")]);
        assert_eq!(unknown, ["   Blocking waiting for file lock", "xtask: FAILED: cargo test, before any test ran"]);
    }
}
