//! Weir's own benchmarks (design, section 9): figures as ratios against stated baselines of the same run, at several
//! sizes, so that growth shows.
//!
//! Three processes take part: this one prepares and judges, the measured server (`weir bench-server`) has a null and a
//! tokenising handler beside the real ones, and the load generator (`weir bench-load`) fires prepared requests.

mod applicability;
mod browser;
mod budgets;
mod compliance;
mod console;
mod content;
mod engine;
mod entry;
mod estate;
mod first_scan;
mod fixture;
mod fleet;
mod front_ends;
mod giants;
mod handlers;
mod imports;
mod load;
mod machine;
mod measure;
mod membership;
pub mod model;
mod morning;
mod offers;
mod plot;
mod postgres;
mod purge;
mod readers;
mod records;
mod recovery;
mod report;
mod reports;
mod requests;
mod row;
mod rules;
mod scan;
mod screens;
mod search;
mod server;
mod site;
mod storm;
mod suite;
mod sync;
mod text;

use std::path::{Path, PathBuf};

use serde::Serialize;

use engine::Engine;

pub use budgets::{BUDGETS, Budget, Standing, Verdict};
pub use handlers::run as run_server;
pub use load::serve_commands as run_load;
pub use machine::Machine;
pub use plot::svg;
pub use postgres::{PostgresAt, postgres_programs};
pub use report::{Measured, Report, report};
pub use row::{Bound, Database, Figure, Growth, Limit, Point, Row, SizeOf};
pub use suite::Suite;
pub use text::text;

/// Catalogue sizes unless others are asked for.
pub const DEFAULT_SIZES: [usize; 3] = Options::SIZES;
/// Revisions that are removed unless other sizes are asked for.
const PURGED: [usize; 3] = [2_000, 5_000, 10_000];

/// How to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// Catalogue sizes in revisions; of [`Suite::Membership`] fleets in computers, see [`Options::SIZES`].
    pub sizes: Vec<usize>,
    /// Numbers of computers, where these are what grows.
    pub computers: Vec<usize>,
    /// Updates of the largest index that is searched, 100,000 if none; updates that computers report on, 5,000 if none; updates that the
    /// console shows, 100,000 if none; updates of the catalogue of a storm, 2,000 if none.
    pub updates: Option<usize>,
    /// Leave the last server of [`Suite::Console`] running until Ctrl+C.
    pub hold: bool,
    /// Seconds of each single run; every ratio is the median of at least 7 interleaved pairs.
    pub seconds: f64,
    /// A wsusutil package to import.
    pub package: Option<PathBuf>,
    /// Where data folders go; several GB at 100,000 revisions. The system's folder for temporary files if none.
    pub scratch: Option<PathBuf>,
    /// Folder of `tests/console` and folder with the packages that its modules need, to measure the console in a browser, too.
    pub browser: Option<(PathBuf, PathBuf)>,
    /// Where PostgreSQL is, to measure on it: one suite alone on that, of several those in [`Suite::ON_BOTH`] on both. Only the embedded
    /// database is measured on if none.
    pub postgres: Option<PostgresAt>,
    /// Whether it is only to be seen that everything runs: what has sizes of its own takes smaller ones, too.
    pub quick: bool,
}

impl Options {
    /// Sizes where nothing else is asked for. Fleets are of other sizes then.
    pub const SIZES: [usize; 3] = [2_000, 20_000, 100_000];
    /// Numbers of computers where nothing else is asked for. A storm is of others then.
    pub const COMPUTERS: [usize; 3] = [15_000, 50_000, 150_000];
    /// Sizes of a quick run.
    pub const QUICK_SIZES: [usize; 3] = [500, 1_000, 2_000];
    /// Numbers of computers of a quick run.
    pub const QUICK_COMPUTERS: [usize; 3] = [300, 1_000, 3_000];

    /// The same in a quick run: sizes that were not asked for otherwise become small, and runs short.
    #[must_use]
    pub fn quick(self) -> Self {
        let instead = |asked: Vec<usize>, usual: [usize; 3], small: [usize; 3]| {
            if asked == usual { small.to_vec() } else { asked }
        };
        Self {
            sizes: instead(self.sizes, Self::SIZES, Self::QUICK_SIZES),
            computers: instead(self.computers, Self::COMPUTERS, Self::QUICK_COMPUTERS),
            updates: self.updates.or(Some(1_000)),
            seconds: self.seconds.min(0.2),
            quick: true,
            ..self
        }
    }
}

/// What a suite came to.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// The rows.
    pub rows: Vec<Row>,
    /// By which exponent the cost grows with the size, where the suite measures several sizes.
    pub exponent: Option<f64>,
    /// How each of its cases grows.
    pub growth: Vec<Growth>,
    /// Milliseconds for all states of all updates over any collection of the largest fleet; compliance only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection_counts_ms: Option<f64>,
    /// Seconds from a database to the index of the largest fleet; compliance only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rebuild_s: Option<f64>,
    /// Megabytes that this index adds to the process; compliance only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resident_mb: Option<f64>,
}

impl Figures {
    fn new(rows: Vec<Row>, exponent: Option<f64>) -> Self {
        Self { rows, exponent, growth: Vec::new(), collection_counts_ms: None, rebuild_s: None, resident_mb: None }
    }
}

/// Runs a suite on a database; `tell` hears what is being done.
pub(crate) async fn run(
    suite: Suite,
    engine: &Engine,
    options: &Options,
    tell: &dyn Fn(&str),
) -> anyhow::Result<Figures> {
    let mut figures = measure(suite, engine, options, tell).await?;
    // front ends are several on PostgreSQL only, for which they start one where none was given
    let database = match suite {
        Suite::FrontEnds => Some(Database::Postgresql),
        _ => suite.has_database().then(|| engine.database()),
    };
    row::settle(&mut figures.rows, suite.size_of(), database);
    figures.growth = row::growth(&figures.rows);
    Ok(figures)
}

async fn measure(suite: Suite, engine: &Engine, options: &Options, tell: &dyn Fn(&str)) -> anyhow::Result<Figures> {
    let scratch = match &options.scratch {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let folder: &Path = scratch.path();
    match suite {
        Suite::Applicability => {
            let figures = applicability::measure(&options.sizes, options.seconds, tell)?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Compliance => {
            let updates = options.updates.unwrap_or(compliance::UPDATES);
            let figures = compliance::measure(engine, folder, &options.computers, updates, tell).await?;
            Ok(Figures {
                collection_counts_ms: Some(figures.summary.collection_counts_ms),
                rebuild_s: Some(figures.summary.rebuild_s),
                resident_mb: Some(figures.summary.resident_mb),
                ..Figures::new(figures.rows, figures.exponent)
            })
        }
        Suite::Console => {
            let updates = options.updates.unwrap_or(console::UPDATES);
            let figures = console::measure(engine, folder, &options.computers, updates, options, tell).await?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Content => {
            let figures = content::measure(engine, folder, options.seconds, options.quick, tell)?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::FrontEnds => {
            let rows = front_ends::measure(engine, folder, options.seconds, options.quick, tell).await?;
            Ok(Figures::new(rows, None))
        }
        Suite::Import => {
            let figures = imports::measure(engine, folder, options.package.clone(), &options.sizes, tell).await?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Membership => {
            let asked = options.sizes != Options::SIZES;
            let sizes = if asked { options.sizes.as_slice() } else { &membership::SIZES };
            let figures = membership::measure(engine, folder, sizes, tell)?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Morning => {
            let figures = morning::measure(engine, folder, &options.computers, options.quick, tell).await?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Purge => {
            // what is removed, not what is there: the default sizes of catalogues are too large for it
            let sizes: Vec<usize> =
                if options.sizes == DEFAULT_SIZES { PURGED.to_vec() } else { options.sizes.clone() };
            let figures = purge::measure(engine, folder, &sizes, options.seconds, tell).await?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Offers => {
            let figures = offers::measure(engine, folder, &options.computers, tell).await?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Records => {
            let updates = options.updates.unwrap_or(records::UPDATES);
            let figures = records::measure(engine, folder, &options.computers, updates, tell).await?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Recovery => {
            let updates = options.updates.unwrap_or(recovery::UPDATES);
            let figures = recovery::measure(engine, folder, &options.computers, updates, tell).await?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Report => {
            let figures = reports::measure(engine, folder, options.seconds, options.quick, tell).await?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Rules => {
            // of few updates none may match; it is quick with many
            let times = if options.quick { 10 } else { 1 };
            let sizes: Vec<usize> = options.sizes.iter().map(|size| size * times).collect();
            let figures = rules::measure(&sizes, options.seconds, tell)?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Scan => {
            let plan = scan::Plan {
                engine: engine.clone(),
                sizes: options.sizes.clone(),
                seconds: options.seconds,
                scratch: folder.to_owned(),
                quick: options.quick,
            };
            let figures = scan::measure(&plan, tell).await?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Search => {
            let figures = search::measure(options.updates.unwrap_or(100_000), tell)?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Storm => {
            let asked = options.computers != Options::COMPUTERS;
            let sizes = if asked { options.computers.as_slice() } else { &storm::SIZES };
            let mut figures = storm::measure(engine, folder, sizes, options.updates.unwrap_or(storm::UPDATES), tell)?;
            figures.rows.extend(giants::measure(engine, folder, options.quick, tell).await?);
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Sync => {
            let figures = sync::measure(engine, folder, &options.sizes, options.quick, tell).await?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
    }
}
