//! Weir's own benchmarks (design, section 9): figures as ratios against stated baselines of the same run, at several
//! sizes, so that growth shows.
//!
//! Three processes take part: this one prepares and judges, the measured server (`weir bench-server`) has a null and a
//! tokenising handler beside the real ones, and the load generator (`weir bench-load`) fires prepared requests.

mod applicability;
mod compliance;
mod content;
mod fixture;
mod handlers;
mod imports;
mod load;
mod measure;
mod membership;
mod morning;
mod offers;
mod purge;
mod reports;
mod requests;
mod rules;
mod scan;
mod search;
mod server;
mod site;
mod sync;

use std::path::{Path, PathBuf};

use serde::Serialize;

pub use handlers::run as run_server;
pub use load::serve_commands as run_load;
pub use measure::Row;

/// Catalogue sizes unless others are asked for.
pub const DEFAULT_SIZES: [usize; 3] = Options::SIZES;
/// Revisions that are removed unless other sizes are asked for.
const PURGED: [usize; 3] = [2_000, 5_000, 10_000];

/// What to measure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Suite {
    /// Evaluation of applicability rules.
    Applicability,
    /// Counts of compliance.
    Compliance,
    /// Content downloads against nginx.
    Content,
    /// Import of packages and documents.
    Import,
    /// Members of collections that rules define.
    Membership,
    /// Every computer of a fleet reports once.
    Morning,
    /// Declining and removing revisions while computers scan.
    Purge,
    /// Resolving offers after a change of a deployment.
    Offers,
    /// Status reports.
    Report,
    /// Automatic deployment rules.
    Rules,
    /// Scans of all kinds.
    Scan,
    /// Lists and searches of updates.
    Search,
    /// Synchronization between servers, down a tree, and by bundle.
    Sync,
}

impl Suite {
    /// All of them, cheapest first.
    pub const ALL: [Self; 13] = [
        Self::Applicability,
        Self::Search,
        Self::Rules,
        Self::Membership,
        Self::Compliance,
        Self::Import,
        Self::Content,
        Self::Offers,
        Self::Report,
        Self::Morning,
        Self::Purge,
        Self::Sync,
        Self::Scan,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Applicability => "applicability",
            Self::Compliance => "compliance",
            Self::Content => "content",
            Self::Import => "import",
            Self::Membership => "membership",
            Self::Morning => "morning",
            Self::Purge => "purge",
            Self::Offers => "offers",
            Self::Report => "report",
            Self::Rules => "rules",
            Self::Scan => "scan",
            Self::Search => "search",
            Self::Sync => "sync",
        }
    }
}

/// How to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// Catalogue sizes in revisions; of [`Suite::Membership`] fleets in computers, see [`Options::SIZES`].
    pub sizes: Vec<usize>,
    /// Numbers of computers, where these are what grows.
    pub computers: Vec<usize>,
    /// Updates of the largest index that is searched, 100,000 if none; updates that computers report on, 5,000 if none.
    pub updates: Option<usize>,
    /// Seconds of each single run; every ratio is the median of at least 7 interleaved pairs.
    pub seconds: f64,
    /// A wsusutil package to import.
    pub package: Option<PathBuf>,
    /// Where data folders go; several GB at 100,000 revisions. The system's folder for temporary files if none.
    pub scratch: Option<PathBuf>,
}

impl Options {
    /// Sizes where nothing else is asked for. Fleets are of other sizes then.
    pub const SIZES: [usize; 3] = [2_000, 20_000, 100_000];
}

/// What a suite came to.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// The rows.
    pub rows: Vec<Row>,
    /// By which exponent the cost grows with the size, where the suite measures several sizes.
    pub exponent: Option<f64>,
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
        Self { rows, exponent, collection_counts_ms: None, rebuild_s: None, resident_mb: None }
    }
}

/// Runs a suite; `tell` hears what is being done.
pub async fn run(suite: Suite, options: &Options, tell: &dyn Fn(&str)) -> anyhow::Result<Figures> {
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
            let figures = compliance::measure(folder, &options.computers, updates, tell).await?;
            Ok(Figures {
                collection_counts_ms: Some(figures.summary.collection_counts_ms),
                rebuild_s: Some(figures.summary.rebuild_s),
                resident_mb: Some(figures.summary.resident_mb),
                ..Figures::new(figures.rows, figures.exponent)
            })
        }
        Suite::Content => Ok(Figures::new(content::measure(folder, options.seconds, tell)?, None)),
        Suite::Import => {
            let figures = imports::measure(folder, options.package.clone(), &options.sizes, tell).await?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Membership => {
            let asked = options.sizes != Options::SIZES;
            let sizes = if asked { options.sizes.as_slice() } else { &membership::SIZES };
            let figures = membership::measure(folder, sizes, tell)?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Morning => {
            let figures = morning::measure(folder, &options.computers, tell).await?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Purge => {
            // what is removed, not what is there: the default sizes of catalogues are too large for it
            let sizes: Vec<usize> =
                if options.sizes == DEFAULT_SIZES { PURGED.to_vec() } else { options.sizes.clone() };
            let figures = purge::measure(folder, &sizes, options.seconds, tell).await?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Offers => {
            let figures = offers::measure(folder, &options.computers, tell).await?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Report => {
            let figures = reports::measure(folder, options.seconds, tell).await?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Rules => {
            let figures = rules::measure(&options.sizes, options.seconds, tell)?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Scan => {
            let plan =
                scan::Plan { sizes: options.sizes.clone(), seconds: options.seconds, scratch: folder.to_owned() };
            let figures = scan::measure(&plan, tell).await?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Search => {
            let figures = search::measure(options.updates.unwrap_or(100_000), tell)?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
        Suite::Sync => {
            let figures = sync::measure(folder, &options.sizes, tell).await?;
            Ok(Figures::new(figures.rows, figures.exponent))
        }
    }
}
