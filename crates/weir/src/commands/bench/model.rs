//! `weir bench model`: what a fleet takes, by the figures of a report.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use weir_bench::{
    Database,
    model::{Ask, Read, plan},
};

use crate::{Outcome, print::Printer};

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  weir bench all --out figures\n  weir bench model --from figures/bench.json --computers 700000\n  \
                  weir bench model --from figures/bench.json --computers 1000000 --regions 4 --cores 8\n\n\
                  Regions are on PostgreSQL if the report has status reports on that: weir bench all --postgres.\n\
                  What was not measured stays a gap, and so does all that hangs on it."
)]
pub(super) struct ModelArguments {
    /// The JSON that `weir bench all` wrote: bench.json in its folder.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Computers in all.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    computers: u64,
    /// Regions, each with a site, a database and front ends of its own.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    regions: u64,
    /// Live revisions of the catalogue.
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(100..=10_000_000))]
    revisions: u64,
    /// Hours between two scans of a computer, in the mean.
    #[arg(long, value_name = "H", default_value_t = 19.8)]
    scan_hours: f64,
    /// The share of all computers that scans in the peak of a morning.
    #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
    peak_share: f64,
    /// How long that peak is, in minutes.
    #[arg(long, value_name = "MIN", default_value_t = 60.0)]
    peak_minutes: f64,
    /// How much of a machine the plan may use.
    #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
    use_share: f64,
    /// Megabytes of content that a computer takes in a month.
    #[arg(long, value_name = "MB", default_value_t = 1_500.0)]
    content_mb: f64,
    /// Hours in which a month's content goes out.
    #[arg(long, value_name = "H", default_value_t = 72.0)]
    content_hours: f64,
    /// The share of content that computers get from each other.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    content_shared: f64,
    /// Processors of a front end; as many as the measured machine had if not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_024))]
    cores: Option<u32>,
    /// Plan regions on the embedded database, even if PostgreSQL was measured, too.
    #[arg(long)]
    embedded: bool,
}

pub(super) fn run(arguments: &ModelArguments, printer: &Printer) -> Result<Outcome> {
    let ask = ask(arguments)?;
    let path = &arguments.from;
    let json = fs::read(path)
        .with_context(|| format!("cannot read {}; `weir bench all --out DIR` writes DIR/bench.json", path.display()))?;
    let read = Read::of(&json).with_context(|| path.display().to_string())?;
    if read.quick {
        anstream::eprintln!("warning: this report is of a quick run; its figures stand for nothing");
    }
    let plan = plan(&read, ask);
    printer.show(&plan, |page| {
        let machine = &read.machine;
        page.line(format!(
            "by {}: {} of {} cores, {}",
            path.display(),
            machine.processor,
            machine.cores,
            machine.build
        ));
        for line in plan.text() {
            page.line(line);
        }
    })?;
    let whole = plan.lines.iter().all(|line| line.value.is_some());
    Ok(if whole { Outcome::Done } else { Outcome::Partly })
}

/// What was asked, within bounds.
fn ask(arguments: &ModelArguments) -> Result<Ask> {
    let share = |name: &str, value: f64, least: f64| {
        ensure!((least..=1.0).contains(&value), "--{name} takes a share from {least} to 1");
        Ok(value)
    };
    let positive = |name: &str, value: f64, most: f64| {
        ensure!(value > 0.0 && value <= most, "--{name} takes a number above 0, at most {most}");
        Ok(value)
    };
    Ok(Ask {
        computers: arguments.computers,
        regions: arguments.regions,
        revisions: arguments.revisions,
        scan_hours: positive("scan-hours", arguments.scan_hours, 8_760.0)?,
        peak_share: share("peak-share", arguments.peak_share, 0.0)?,
        peak_minutes: positive("peak-minutes", arguments.peak_minutes, 1_440.0)?,
        use_share: share("use-share", arguments.use_share, 0.01)?,
        content_mb: positive("content-mb", arguments.content_mb, 1e6)?,
        content_hours: positive("content-hours", arguments.content_hours, 744.0)?,
        content_shared: share("content-shared", arguments.content_shared, 0.0)?,
        cores: arguments.cores,
        database: arguments.embedded.then_some(Database::Sqlite),
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Alone {
        #[command(flatten)]
        arguments: ModelArguments,
    }

    fn asked(more: &[&str]) -> Result<Ask> {
        let words = ["model", "--from", "bench.json", "--computers", "700000"];
        let alone = Alone::try_parse_from(words.iter().chain(more)).expect("arguments");
        ask(&alone.arguments)
    }

    #[test]
    fn what_is_assumed_is_what_the_model_assumes() {
        assert_eq!(asked(&[]).expect("within bounds"), Ask::new(700_000));
    }

    #[test]
    fn the_database_is_that_of_the_report_unless_another_is_asked_for() {
        assert_eq!(asked(&[]).expect("within bounds").database, None);
        assert_eq!(asked(&["--embedded"]).expect("within bounds").database, Some(Database::Sqlite));
    }

    #[test]
    fn numbers_out_of_bounds_are_refused_by_name() {
        for (name, value) in
            [("--peak-share", "1.5"), ("--scan-hours", "0"), ("--use-share", "0"), ("--content-mb", "nan")]
        {
            let refused = asked(&[name, value]).expect_err("out of bounds");
            assert!(refused.to_string().contains(name), "{refused}");
        }
    }
}
