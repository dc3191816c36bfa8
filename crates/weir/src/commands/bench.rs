//! `weir bench`, and the two processes it starts.

mod model;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use weir_bench::{Database, Growth, Options, PostgresAt, Report, Row, Suite};

use self::model::ModelArguments;
use crate::{
    Outcome,
    print::{Page, Printer},
};

#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:\n  weir bench import --package wsusutil-export.cab\n  weir bench scan --sizes 2000,20000\n  \
                  weir bench membership\n  weir bench search --updates 100000\n  \
                  weir bench rules --sizes 10000,30000,100000\n  \
                  weir bench compliance --computers 150000 --updates 5000\n  \
                  weir bench records --computers 15000,50000,150000\n  weir bench console --computers 150000 --hold\n  \
                  weir bench storm --computers 20000\n  weir bench front-ends\n  weir bench recovery --computers 15000,50000,150000\n  \
                  weir bench scan --sizes 2000,20000 --plot scan.svg\n  weir bench all --quick\n  weir bench all --out figures\n  \
                  weir bench report --postgres\n  weir bench all --postgres --out figures\n  \
                  weir bench model --from figures/bench.json --computers 700000\n\n\
                  Use a release build. Every ratio is the median of 7 interleaved pairs."
)]
pub(crate) struct BenchArguments {
    #[command(subcommand)]
    command: Option<BenchCommand>,
    /// What to measure.
    #[arg(required = true)]
    suite: Option<BenchSuite>,
    /// Catalogue sizes in revisions; 100,000 need about 4 GB of disk. Of membership, fleets in computers: 15000,50000,150000 if
    /// not given.
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_values_t = Options::SIZES)]
    sizes: Vec<usize>,
    /// Numbers of computers, for offers, compliance, records, recovery, console, morning and storm; of a storm 5000,10000,20000 if not
    /// given.
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_values_t = Options::COMPUTERS)]
    computers: Vec<usize>,
    /// Updates of the largest index for the search figures (a tenth and three tenths of it are measured, too), 100000 if not given;
    /// updates that computers report on for the figures of compliance, records and recovery, 5000 if not given; updates that the console
    /// shows, 100000 if not given; updates of the catalogue of a storm, 2000 if not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    updates: Option<u32>,
    /// Seconds of each single run.
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    seconds: f64,
    /// A wsusutil package for the import figures.
    #[arg(long, value_name = "FILE")]
    package: Option<PathBuf>,
    /// Leave the last server of the console's figures running until Ctrl+C, to look at it in a browser.
    #[arg(long)]
    hold: bool,
    /// Where temporary data folders go; the system's folder for temporary files if not given.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// Measure on PostgreSQL, on a server of the run's own that goes with it: with the programs of Debian's package postgresql, run by the
    /// user postgres if this is root. One suite is measured on that alone; of all, compliance, console, import, morning, recovery, report
    /// and storm are measured on both databases.
    #[arg(long)]
    postgres: bool,
    /// The same on a server of your own, by the address of an empty database, postgres://USER@HOST/NAME. Its user makes others beside it
    /// (CREATEDB), one for each store, and removes them.
    #[arg(long, value_name = "URL", conflicts_with = "postgres")]
    database: Option<PostgresAt>,
    /// Small sizes and short runs, to see that everything runs; the figures stand for nothing.
    #[arg(long)]
    quick: bool,
    /// Where to write the report: bench.json, bench.svg and bench.txt, after each suite. weir-bench for all, nowhere for one suite, if
    /// not given.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Draw how the figures grow with the sizes into this SVG.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Open the console in a browser, too: the folder tests/console of the source, and one with the packages that its modules need, as
    /// `cargo xtask test --prepare` makes it.
    #[arg(long, num_args = 2, value_names = ["MODULES", "PACKAGES"])]
    browser: Option<Vec<PathBuf>>,
}

#[derive(Debug, Subcommand)]
enum BenchCommand {
    /// Work out what a fleet takes, from the figures of a report: scans a day, reports at the peak, processors, memory, disk, network.
    Model(ModelArguments),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum BenchSuite {
    /// Everything below.
    All,
    /// Evaluation of applicability rules.
    Applicability,
    /// Counts of compliance over collections of computers.
    Compliance,
    /// Every screen of the console, until its first byte.
    Console,
    /// Content downloads against nginx, or where it is not installed against a handler that streams as many bytes.
    Content,
    /// Three front ends on one PostgreSQL, which has to be here, against one.
    FrontEnds,
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
    /// Failures, exposure, history, freshness, reports and export over the stored status of a fleet.
    Records,
    /// From kill -9 to the first answers, while a fleet reports.
    Recovery,
    /// Durable status reports.
    Report,
    /// Evaluation of automatic deployment rules.
    Rules,
    /// Rescans, driver passes, pages, giant pages, large entries, first scans, swaps, memory.
    Scan,
    /// Lists and searches of updates, in memory.
    Search,
    /// A fleet that is new to the server arrives within a minute and scans.
    Storm,
    /// Synchronization between servers, down a tree of sites, and by bundle.
    Sync,
}

impl BenchSuite {
    fn suites(self) -> Vec<Suite> {
        match self {
            Self::All => Suite::ALL.to_vec(),
            Self::Applicability => vec![Suite::Applicability],
            Self::Compliance => vec![Suite::Compliance],
            Self::Console => vec![Suite::Console],
            Self::Content => vec![Suite::Content],
            Self::FrontEnds => vec![Suite::FrontEnds],
            Self::Import => vec![Suite::Import],
            Self::Membership => vec![Suite::Membership],
            Self::Morning => vec![Suite::Morning],
            Self::Purge => vec![Suite::Purge],
            Self::Offers => vec![Suite::Offers],
            Self::Records => vec![Suite::Records],
            Self::Recovery => vec![Suite::Recovery],
            Self::Report => vec![Suite::Report],
            Self::Rules => vec![Suite::Rules],
            Self::Scan => vec![Suite::Scan],
            Self::Search => vec![Suite::Search],
            Self::Storm => vec![Suite::Storm],
            Self::Sync => vec![Suite::Sync],
        }
    }
}

/// Where the report of all suites goes if nothing else is said.
const OUT: &str = "weir-bench";

pub(crate) async fn run(arguments: BenchArguments, printer: &Printer) -> Result<Outcome> {
    let Some(suite) = arguments.suite else {
        let Some(BenchCommand::Model(model)) = arguments.command else {
            bail!("name what to measure; `weir bench --help` lists it");
        };
        return model::run(&model, printer);
    };
    let whole = matches!(suite, BenchSuite::All);
    let out = arguments.out.clone().or_else(|| whole.then(|| PathBuf::from(OUT)));
    let plot = arguments.plot.clone();
    let options = options(arguments)?;
    if cfg!(debug_assertions) {
        anstream::eprintln!("warning: this is a debug build; its figures mean nothing");
    }
    let mut keep = |report: &Report| out.as_deref().map_or(Ok(()), |folder| write(folder, report));
    let tell = |text: &str| anstream::eprintln!("{text}");
    let report = weir_bench::report(&suite.suites(), &options, &tell, &mut keep).await?;
    if let Some(path) = &plot {
        put(path, weir_bench::svg("weir bench", &report.suites).as_bytes())?;
    }
    if whole {
        printer.show(&report, |page| all(page, &report, out.as_deref()))?;
    } else {
        for measured in &report.suites {
            if let Some(error) = &measured.error {
                bail!("measuring {}: {error}", measured.suite);
            }
            printer.show(&measured.figures, |page| {
                page.table(&HEADER, measured.figures.rows.iter().map(cells).collect(), "Nothing was measured.");
                page.line("");
                let rows = measured.figures.growth.iter().map(grown).collect();
                page.table(&GROWTH, rows, "Give two sizes or more to see how figures grow.");
            })?;
        }
    }
    Ok(if report.is_whole() { Outcome::Done } else { Outcome::Partly })
}

/// What was asked for.
fn options(arguments: BenchArguments) -> Result<Options> {
    if arguments.sizes.iter().any(|size| !(100..=1_000_000).contains(size)) {
        bail!("--sizes takes numbers of revisions from 100 to 1000000");
    }
    if arguments.computers.iter().any(|count| !(100..=1_000_000).contains(count)) {
        bail!("--computers takes numbers from 100 to 1000000");
    }
    if !(0.1..=60.0).contains(&arguments.seconds) {
        bail!("--seconds takes 0.1 to 60");
    }
    let options = Options {
        sizes: arguments.sizes,
        computers: arguments.computers,
        updates: arguments.updates.map(|updates| updates as usize),
        hold: arguments.hold,
        seconds: arguments.seconds,
        package: arguments.package,
        scratch: arguments.scratch,
        browser: arguments
            .browser
            .and_then(|folders| <[PathBuf; 2]>::try_from(folders).ok())
            .map(<(PathBuf, PathBuf)>::from),
        postgres: arguments.database.or_else(|| arguments.postgres.then_some(PostgresAt::Scratch)),
        quick: false,
    };
    Ok(if arguments.quick { options.quick() } else { options })
}

/// The report of all suites on a terminal: the budgets. The rest is in the files.
fn all(page: &mut Page, report: &Report, out: Option<&Path>) {
    for fact in report.machine.lines() {
        page.line(fact);
    }
    if let Some(postgresql) = &report.postgresql {
        page.line(format!("postgresql  {postgresql}"));
    }
    page.line("");
    let rows = report.budgets.iter().map(|verdict| {
        let figures = verdict.figures.join("; ");
        vec![verdict.standing.name().to_owned(), verdict.what.clone(), verdict.asked.to_owned(), figures]
    });
    page.table(&["budget", "of", "asked", "figures"], rows.collect(), "There are no budgets.");
    for measured in &report.suites {
        if let Some(error) = &measured.error {
            page.line(format!("{} failed: {error}", measured.name()));
        }
    }
    if let Some(out) = out {
        page.line("");
        page.line(format!("All figures are in {0}/bench.txt, {0}/bench.json and {0}/bench.svg.", out.display()));
    }
}

/// Writes the three files of a report.
fn write(folder: &Path, report: &Report) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    put(&folder.join("bench.json"), &serde_json::to_vec_pretty(report)?)?;
    put(&folder.join("bench.svg"), weir_bench::svg("weir bench all", &report.suites).as_bytes())?;
    put(&folder.join("bench.txt"), weir_bench::text(report).as_bytes())
}

/// Writes a file as a whole or not at all: a run that is broken off leaves what the suite before it wrote.
fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, bytes)
        .and_then(|()| fs::rename(&new, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

const HEADER: [&str; 11] = [
    "case",
    "size",
    "coding",
    "value",
    "of baseline",
    "spread",
    "of tokeniser",
    "p50/p99 us",
    "database",
    "met",
    "budget",
];
const GROWTH: [&str; 5] = ["grows with", "case", "of", "exponent", "at sizes"];

fn cells(row: &Row) -> Vec<String> {
    let ratio = |ratio: Option<f64>| ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
    let mut asked: Vec<String> = row
        .limits
        .iter()
        .map(|limit| format!("{} {} {}", limit.bound.sign(), limit.bound.number(), limit.of.unit(row)))
        .collect();
    asked.extend(Some(row.budget.clone()).filter(|text| !text.is_empty()));
    asked.extend(row.baseline.map(|baseline| format!("baseline: {baseline}")));
    vec![
        row.case.clone(),
        if row.size == 0 { String::new() } else { row.size.to_string() },
        row.coding.unwrap_or_default().to_owned(),
        if row.is_measured() { format!("{:.3} {}", row.value, row.unit) } else { "not measured".to_owned() },
        ratio(row.ratio_null),
        row.spread.map_or_else(String::new, |(low, high)| format!("{low:.2}-{high:.2}")),
        ratio(row.ratio_tokeniser),
        row.p50_us.zip(row.p99_us).map_or_else(String::new, |(p50, p99)| format!("{p50:.0}/{p99:.0}")),
        row.database.map_or("", Database::name).to_owned(),
        row.met.map_or("", |met| if met { "yes" } else { "NO" }).to_owned(),
        asked.join("; "),
    ]
}

fn grown(growth: &Growth) -> Vec<String> {
    let sizes: Vec<String> = growth.points.iter().map(|point| point.size.to_string()).collect();
    vec![
        growth.size_of.name().to_owned(),
        growth.name(),
        growth.unit.to_owned(),
        format!("{:.2}", growth.exponent),
        sizes.join(", "),
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
