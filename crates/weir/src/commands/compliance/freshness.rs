//! `weir compliance freshness`.

use anyhow::Result;
use clap::ValueEnum;
use weir_api::freshness::{Freshness, FreshnessQuery, FreshnessSummary};

use super::standing;
use crate::{
    connection::Connection,
    print::{Printer, time},
};

/// A class of freshness, as it is given on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "kebab-case")]
pub(crate) enum Class {
    /// No call for too long.
    Silent,
    /// The last scan failed.
    ScanFailed,
    /// It calls, and never told of a scan.
    NeverScanned,
    /// It scans, and never sent a full report.
    NeverReported,
    /// Its last full report is too old.
    NotReporting,
    /// It calls and reports.
    Current,
}

impl From<Class> for Freshness {
    fn from(class: Class) -> Self {
        match class {
            Class::Silent => Self::Silent,
            Class::ScanFailed => Self::ScanFailed,
            Class::NeverScanned => Self::NeverScanned,
            Class::NeverReported => Self::NeverReported,
            Class::NotReporting => Self::NotReporting,
            Class::Current => Self::Current,
        }
    }
}

/// As it is shown and given.
pub(crate) fn word(class: Freshness) -> &'static str {
    match class {
        Freshness::Silent => "silent",
        Freshness::ScanFailed => "scan-failed",
        Freshness::NeverScanned => "never-scanned",
        Freshness::NeverReported => "never-reported",
        Freshness::NotReporting => "not-reporting",
        Freshness::Current => "current",
    }
}

pub(super) async fn show(query: &FreshnessQuery, connection: &Connection, printer: &Printer) -> Result<()> {
    let summary: FreshnessSummary = connection.read(&["compliance", "freshness"], query).await?;
    printer.show(&summary, |page| {
        if summary.computers == 0 {
            page.line("No computers in it. Next: weir computers list");
            return;
        }
        let classes = &summary.classes;
        let days = summary.silent_days;
        page.field("computers", summary.computers);
        page.field("as of", time(summary.as_of));
        page.line("");
        let row = |class: Freshness, count: u64, means: String| vec![word(class).to_owned(), count.to_string(), means];
        let rows = vec![
            row(
                Freshness::Current,
                classes.current,
                format!("{} %: call, and reported fully", standing::percent(summary.current_percent)),
            ),
            row(Freshness::NotReporting, classes.not_reporting, format!("call, no full report for {days} days")),
            row(Freshness::NeverReported, classes.never_reported, "scan, and never reported fully".to_owned()),
            row(Freshness::NeverScanned, classes.never_scanned, "call, and never told of a scan".to_owned()),
            row(Freshness::ScanFailed, classes.scan_failed, "the last scan failed".to_owned()),
            row(Freshness::Silent, classes.silent, format!("no call for {days} days")),
        ];
        page.table(&["Class", "Computers", "Means"], rows, "");
        let scans = &summary.scans;
        page.line("\nLast scans:");
        page.field("completed", scans.completed);
        if scans.completed_with_errors > 0 {
            page.field("with errors", scans.completed_with_errors);
        }
        page.field("failed", scans.failed);
        page.field("unknown", scans.unknown);
        if !summary.errors.is_empty() {
            page.line("");
            let rows = summary.errors.iter().map(|error| vec![error.code.clone(), error.computers.to_string()]);
            page.table(&["Scan error", "Computers"], rows.collect(), "");
        }
        standing::aged(page, 0, 0, summary.rolled_up);
        page.line("\nWho they are: weir computers list --freshness CLASS");
    })
}
