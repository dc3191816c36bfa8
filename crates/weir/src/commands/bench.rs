//! `weir bench`, and the two processes it starts.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use serde::Serialize;
use weir_bench::{Figures, Options, Row, Suite};

use crate::{Outcome, print::Printer};

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  weir bench import --package wsusutil-export.cab\n  weir bench scan --sizes 2000,20000\n  \
                  weir bench membership\n  weir bench search --updates 100000\n  \
                  weir bench rules --sizes 10000,30000,100000\n  \
                  weir bench compliance --computers 150000 --updates 5000\n  weir bench all --json\n\n\
                  Use a release build. Every ratio is the median of 7 interleaved pairs."
)]
pub(crate) struct BenchArguments {
    /// What to measure.
    suite: BenchSuite,
    /// Catalogue sizes in revisions; 100,000 need about 4 GB of disk. Of membership, fleets in computers: 15000,50000,150000 if
    /// not given.
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_values_t = Options::SIZES)]
    sizes: Vec<usize>,
    /// Numbers of computers, for offers, compliance and morning.
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_values_t = [15_000, 50_000, 150_000])]
    computers: Vec<usize>,
    /// Updates of the largest index for the search figures (a tenth and three tenths of it are measured, too), 100000 if not given;
    /// updates that computers report on for the compliance figures, 5000 if not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    updates: Option<u32>,
    /// Seconds of each single run.
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    seconds: f64,
    /// A wsusutil package for the import figures.
    #[arg(long, value_name = "FILE")]
    package: Option<PathBuf>,
    /// Where temporary data folders go; the system's folder for temporary files if not given.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum BenchSuite {
    /// Everything below.
    All,
    /// Evaluation of applicability rules.
    Applicability,
    /// Counts of compliance over collections of computers.
    Compliance,
    /// Content downloads against nginx.
    Content,
    /// Import of a package and of documents.
    Import,
    /// Members of collections that rules define.
    Membership,
    /// Every computer of a fleet reports once, and what that takes on disk over 24 months.
    Morning,
    /// Declining and removing revisions while computers scan.
    Purge,
    /// From a new deployment to the offers of every set of collections.
    Offers,
    /// Durable status reports.
    Report,
    /// Evaluation of automatic deployment rules.
    Rules,
    /// Rescans, driver passes, pages, giant pages, first scans, swaps, memory.
    Scan,
    /// Lists and searches of updates, in memory.
    Search,
    /// Synchronization between servers, down a tree of sites, and by bundle.
    Sync,
}

impl BenchSuite {
    fn suites(self) -> Vec<Suite> {
        match self {
            Self::All => Suite::ALL.to_vec(),
            Self::Applicability => vec![Suite::Applicability],
            Self::Compliance => vec![Suite::Compliance],
            Self::Content => vec![Suite::Content],
            Self::Import => vec![Suite::Import],
            Self::Membership => vec![Suite::Membership],
            Self::Morning => vec![Suite::Morning],
            Self::Purge => vec![Suite::Purge],
            Self::Offers => vec![Suite::Offers],
            Self::Report => vec![Suite::Report],
            Self::Rules => vec![Suite::Rules],
            Self::Scan => vec![Suite::Scan],
            Self::Search => vec![Suite::Search],
            Self::Sync => vec![Suite::Sync],
        }
    }
}

#[derive(Serialize)]
struct Named {
    suite: &'static str,
    #[serde(flatten)]
    figures: Figures,
}

pub(crate) async fn run(arguments: BenchArguments, printer: &Printer) -> Result<Outcome> {
    if arguments.sizes.iter().any(|size| !(100..=1_000_000).contains(size)) {
        bail!("--sizes takes numbers of revisions from 100 to 1000000");
    }
    if arguments.computers.iter().any(|count| !(100..=1_000_000).contains(count)) {
        bail!("--computers takes numbers from 100 to 1000000");
    }
    if !(0.1..=60.0).contains(&arguments.seconds) {
        bail!("--seconds takes 0.1 to 60");
    }
    if cfg!(debug_assertions) {
        anstream::eprintln!("warning: this is a debug build; its figures mean nothing");
    }
    let options = Options {
        sizes: arguments.sizes,
        computers: arguments.computers,
        updates: arguments.updates.map(|updates| updates as usize),
        seconds: arguments.seconds,
        package: arguments.package,
        scratch: arguments.scratch,
    };
    let mut all = Vec::new();
    for suite in arguments.suite.suites() {
        let name = suite.name();
        let figures = weir_bench::run(suite, &options, &|text| anstream::eprintln!("{text}")).await;
        all.push(Named { suite: name, figures: figures.with_context(|| format!("measuring {name}"))? });
    }
    let print = |page: &mut crate::print::Page| {
        for named in &all {
            let rows = named.figures.rows.iter().map(cells).collect();
            page.table(&HEADER, rows, "Nothing was measured.");
            if let Some(exponent) = named.figures.exponent {
                page.line(format!("{}: cost grows with the size to the power of {exponent:.2}", named.suite));
            }
            page.line("");
        }
    };
    match all.as_slice() {
        [only] => printer.show(&only.figures, print)?,
        all => printer.show(&all, print)?,
    }
    let missed = all.iter().flat_map(|named| &named.figures.rows).any(|row| row.met == Some(false));
    Ok(if missed { Outcome::Partly } else { Outcome::Done })
}

const HEADER: [&str; 10] =
    ["case", "revisions", "coding", "value", "of null", "spread", "of tokeniser", "p50/p99 us", "met", "budget"];

fn cells(row: &Row) -> Vec<String> {
    let ratio = |ratio: Option<f64>| ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
    vec![
        row.case.clone(),
        if row.revisions == 0 { String::new() } else { row.revisions.to_string() },
        row.coding.unwrap_or_default().to_owned(),
        format!("{:.3} {}", row.value, row.unit),
        ratio(row.ratio_null),
        row.spread.map_or_else(String::new, |(low, high)| format!("{low:.2}-{high:.2}")),
        ratio(row.ratio_tokeniser),
        row.p50_us.zip(row.p99_us).map_or_else(String::new, |(p50, p99)| format!("{p50:.0}/{p99:.0}")),
        row.met.map_or("", |met| if met { "yes" } else { "NO" }).to_owned(),
        row.budget.clone(),
    ]
}

pub(crate) async fn run_server(data: Option<PathBuf>) -> Result<Outcome> {
    weir_bench::run_server(&data.context("bench-server needs --data")?).await?;
    Ok(Outcome::Done)
}

pub(crate) fn run_load() -> Result<Outcome> {
    weir_bench::run_load()?;
    Ok(Outcome::Done)
}
