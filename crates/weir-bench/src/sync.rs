//! Synchronization between two servers, down a tree of sites, and by bundle.
//!
//! The baseline of a synchronization is the import of the same documents on the same machine: what parsing and storing
//! cost without a wire in between. Both servers share the processors.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use weir_testkit::catalogue::{Shape, Sizes};

use crate::{
    engine::{Engine, Home},
    fixture,
    measure::{Limit, PAIRS, Row, exponent, median},
    site::Site,
};

/// From this many revisions on a size is run this often; a run takes half a minute and more.
const LARGE: (usize, usize) = (50_000, 3);
/// Revisions of the catalogue with real document sizes: above half a gigabyte of XML.
const GENUINE: usize = 10_000;
/// How long a tree may take to follow.
const PATIENCE: Duration = Duration::from_mins(10);

/// Rows, and the exponent by which the time grows with the number of revisions.
pub(crate) struct Figures {
    /// The rows.
    pub(crate) rows: Vec<Row>,
    /// Growth of the time of a first synchronization.
    pub(crate) exponent: Option<f64>,
}

/// Measures every size with small documents, one with real sizes, a tree, and bundles.
pub(crate) async fn measure(
    engine: &Engine,
    scratch: &Path,
    sizes: &[usize],
    quick: bool,
    tell: &dyn Fn(&str),
) -> anyhow::Result<Figures> {
    let (mut rows, mut growth) = (Vec::new(), Vec::new());
    for size in sizes {
        let seconds = pair(engine, scratch, *size, Sizes::Small, &mut rows, tell).await?;
        growth.push((*size as f64, seconds));
    }
    pair(engine, scratch, if quick { GENUINE / 10 } else { GENUINE }, Sizes::Genuine, &mut rows, tell).await?;
    let size = sizes.iter().copied().filter(|size| *size < LARGE.0).max().unwrap_or(GENUINE);
    // what was measured in an hour is not thrown away with what fails at its end
    if let Err(error) = tree(engine, scratch, size, &mut rows, tell).await {
        rows.push(failed("sync_tree", size, &error));
    }
    if let Err(error) = bundle(engine, scratch, size, &mut rows, tell).await {
        rows.push(failed("bundle", size, &error));
    }
    Ok(Figures { rows, exponent: (growth.len() > 1).then(|| exponent(&growth)) })
}

fn failed(case: &str, revisions: usize, error: &anyhow::Error) -> Row {
    let (case, budget) = (case.to_owned(), format!("failed: {error:#}"));
    Row { case, revisions, value: f64::NAN, budget, met: Some(false), ..Row::default() }
}

/// A folder and a database with a catalogue, and how long its import took.
struct Top {
    home: Home,
    revisions: usize,
    document_bytes: u64,
    import_seconds: f64,
}

impl Top {
    async fn build(
        engine: &Engine,
        scratch: &Path,
        size: usize,
        sizes: Sizes,
        tell: &dyn Fn(&str),
    ) -> anyhow::Result<Self> {
        tell(&format!("sync: building a catalogue of {size} revisions"));
        let home = engine.home(scratch.join(format!("sync-top-{size}")))?;
        let started = Instant::now();
        let fixture = fixture::make(&home, Shape { revisions: size, sizes, seed: 11 }).await?;
        let import_seconds = started.elapsed().as_secs_f64();
        home.tidy()?;
        Ok(Self { home, revisions: fixture.catalogue.len(), document_bytes: fixture.document_bytes, import_seconds })
    }

    fn serve(&self) -> anyhow::Result<Site> {
        let site = Site::start(&self.home, &["--downstream"])?;
        site.weir(&["settings", "set", "downstream.policy", "open"])?;
        Ok(site)
    }
}

/// An empty server that takes everything its upstream has.
fn child(home: &Home, upstream: &str) -> anyhow::Result<Site> {
    let site = Site::start(home, &["--upstream", upstream])?;
    site.weir(&["settings", "set", "sync.replica", "true"])?;
    Ok(site)
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or(0.0)
}

/// First synchronizations into empty servers, then synchronizations without a change. Returns the median seconds of the
/// first kind.
async fn pair(
    engine: &Engine,
    scratch: &Path,
    size: usize,
    sizes: Sizes,
    rows: &mut Vec<Row>,
    tell: &dyn Fn(&str),
) -> anyhow::Result<f64> {
    let top = Top::build(engine, scratch, size, sizes, tell).await?;
    let upstream = top.serve()?;
    let turns = if size >= LARGE.0 || sizes == Sizes::Genuine { LARGE.1 } else { PAIRS };
    let (mut seconds, mut idle, mut bytes) = (Vec::new(), Vec::new(), 0.0);
    let (mut above, mut below) = (0, 0);
    for turn in 0..turns {
        tell(&format!("sync: {size} revisions, run {} of {turns}", turn + 1));
        let data = scratch.join(format!("sync-child-{size}"));
        // what a run that was broken off left
        let _ = std::fs::remove_dir_all(&data);
        let home = engine.home(data)?;
        let site = child(&home, upstream.url()?)?;
        let (upper, lower) = (upstream.watch(), site.watch());
        let run = site.weir(&["sync", "now", "--wait"])?;
        above = above.max(upper.peak());
        below = below.max(lower.peak());
        ensure!(number(&run, "added") as usize >= top.revisions, "not everything arrived: {run}");
        seconds.push(number(&run, "seconds"));
        bytes = number(&run, "bytes");
        idle.push(number(&site.weir(&["sync", "now", "--wait"])?, "seconds"));
        drop(site);
        home.remove()?;
    }
    drop(upstream);
    top.home.remove()?;
    let middle = median(seconds.clone());
    let revisions = top.revisions as f64;
    let megabytes = top.document_bytes as f64 / 1e6;
    let ratios: Vec<f64> = seconds.iter().map(|seconds| top.import_seconds / seconds).collect();
    let (ratio, spread) = (median(ratios.clone()), spread(ratios));
    let (value, unit, wanted) = match sizes {
        Sizes::Small => (revisions / middle, "revisions/s", 4_000.0),
        Sizes::Genuine => (megabytes / middle, "MB/s of XML", 60.0),
    };
    let first = Row {
        case: "sync_first".to_owned(),
        revisions: top.revisions,
        value,
        unit,
        baseline: Some("a local import of the same documents, once"),
        ratio_null: Some(ratio),
        pairs: turns,
        spread,
        budget: format!("{megabytes:.0} MB of XML"),
        ..Row::default()
    };
    rows.push(first.within([Limit::least(wanted)]));
    let plain = |case: &str, value: f64, unit, budget: String| Row {
        case: case.to_owned(),
        revisions: top.revisions,
        value,
        unit,
        pairs: turns,
        budget,
        ..Row::default()
    };
    let per = bytes / revisions;
    rows.push(plain("sync_wire", bytes / 1e6, "MB on the wire", format!("{per:.0} bytes per revision")));
    rows.push(plain("sync_unchanged", median(idle), "s without a change", String::new()));
    let memory = "bounded by configuration, not by the catalogue".to_owned();
    rows.push(plain("sync_memory_upstream", above as f64 / 1e6, "MB resident at most", memory.clone()));
    rows.push(plain("sync_memory_downstream", below as f64 / 1e6, "MB resident at most", memory));
    Ok(middle)
}

fn spread(mut ratios: Vec<f64>) -> Option<(f64, f64)> {
    ratios.sort_by(f64::total_cmp);
    ratios.first().copied().zip(ratios.last().copied())
}

/// A central site, two primaries, a secondary below the first: from the success of the run at the top to the last
/// success below.
async fn tree(
    engine: &Engine,
    scratch: &Path,
    size: usize,
    rows: &mut Vec<Row>,
    tell: &dyn Fn(&str),
) -> anyhow::Result<()> {
    let built = Top::build(engine, scratch, size, Sizes::Small, tell).await?;
    let home = |name: &str| engine.home(scratch.join(format!("sync-tree-{name}")));
    // servers go before these
    let homes = [home("central")?, home("north")?, home("south")?, home("branch")?];
    let [of_top, of_north, of_south, of_branch] = &homes;
    let source = built.serve()?;
    tell("sync: a tree of four sites");
    let top = Site::start(of_top, &["--upstream", source.url()?])?;
    // the top of a tree decides by itself: it chooses everything
    top.weir(&["sync", "now", "--wait"])?;
    top.weir(&["products", "set", "--all"])?;
    top.weir(&["classifications", "set", "--all"])?;
    let sites: [(&str, &str, &[&str]); 3] =
        [("north", "primary", &[]), ("south", "primary", &[]), ("branch", "secondary", &["--under", "north"])];
    for (name, kind, under) in sites {
        top.weir(&[&["sites", "add", name, "--kind", kind][..], under].concat())?;
    }
    let enrolled = |parent: &Site, name: &str, home: &Home| -> anyhow::Result<Site> {
        let code = parent.weir(&["sites", "enrol", name])?;
        let code = code["code"].as_str().context("no enrolment code")?.to_owned();
        Site::start(home, &["--enrol", &code])
    };
    let north = enrolled(&top, "north", of_north)?;
    let south = enrolled(&top, "south", of_south)?;
    // the definition of the secondary reaches its parent over the site link
    let until = Instant::now() + PATIENCE;
    let branch = loop {
        match enrolled(&north, "branch", of_branch) {
            Ok(site) => break site,
            Err(error) => ensure!(Instant::now() < until, "{error:#}"),
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let run = top.weir(&["sync", "now", "--wait"])?;
    let ended = Instant::now();
    for site in [&north, &south, &branch] {
        loop {
            let status = site.weir(&["status"])?;
            if number(&status["counts"], "revisions") as usize >= built.revisions {
                break;
            }
            ensure!(ended.elapsed() < PATIENCE, "a site did not follow: {status}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    rows.push(Row {
        case: "sync_tree".to_owned(),
        revisions: built.revisions,
        value: ended.elapsed().as_secs_f64(),
        unit: "s from the top's success to the last site's",
        pairs: 1,
        budget: format!(
            "three sites, two levels, all on these processors; the run at the top took {:.1} s",
            number(&run, "seconds")
        ),
        ..Row::default()
    });
    drop((source, top, north, south, branch));
    homes.into_iter().try_for_each(Home::remove)?;
    built.home.remove()
}

/// Writes a bundle of everything and reads it elsewhere.
async fn bundle(
    engine: &Engine,
    scratch: &Path,
    size: usize,
    rows: &mut Vec<Row>,
    tell: &dyn Fn(&str),
) -> anyhow::Result<()> {
    let top = Top::build(engine, scratch, size, Sizes::Small, tell).await?;
    let home = engine.home(scratch.join("sync-bundle-child"))?;
    let from = Site::start(&top.home, &[])?;
    tell("sync: bundles");
    let folder = scratch.join("sync-bundle");
    let path = folder.to_str().context("the scratch folder has an odd name")?;
    let started = Instant::now();
    from.weir(&["export", "--bundle", path])?;
    let written = started.elapsed().as_secs_f64();
    let key = from.weir(&["bundle", "key"])?;
    let key = key["fingerprint"].as_str().context("no fingerprint")?.to_owned();
    let to = Site::start(&home, &[])?;
    to.weir(&["bundle", "trust", "add", &key])?;
    let started = Instant::now();
    to.weir(&["import", path])?;
    let read = started.elapsed().as_secs_f64();
    for (case, seconds) in [("bundle_write", written), ("bundle_read", read)] {
        rows.push(Row {
            case: case.to_owned(),
            revisions: top.revisions,
            value: top.revisions as f64 / seconds,
            unit: "revisions/s",
            pairs: 1,
            budget: format!("{:.0} MB/s of XML, by the command line", top.document_bytes as f64 / 1e6 / seconds),
            ..Row::default()
        });
    }
    drop((from, to));
    std::fs::remove_dir_all(&folder)?;
    home.remove()?;
    top.home.remove()
}
