//! Declining and removing revisions while computers scan (design, section 9).
//!
//! At each size as many updates are declined as are removed. The same load runs before, while nothing is cleaned: latency
//! is compared within the run.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use weir_model::ids::UpdateId;
use weir_store::Actor;
use weir_testkit::catalogue::{Shape, Sizes};

use crate::{
    engine::{Engine, Home},
    fixture,
    load::{Command, Outcome, write_bodies},
    measure::{Limit, Load, Row, exponent},
    requests,
    site::Site,
};

/// Computers whose requests differ.
const COMPUTERS: u64 = 200;
/// Scans a second, over so many connections.
const RATE: f64 = 200.0;
const CONNECTIONS: usize = 16;
/// Revisions that a settled computer has in its cache.
const CACHED: usize = 1_490;
/// Ids of one command line.
const TOGETHER: usize = 2_000;
/// How long a clean-up may take before the benchmark gives up.
const PATIENCE: Duration = Duration::from_mins(10);

/// Rows, and the exponent by which the time grows with what is removed.
pub(crate) struct Figures {
    pub(crate) rows: Vec<Row>,
    pub(crate) exponent: Option<f64>,
}

/// Latencies of the seconds of a load.
#[derive(Debug, Default)]
struct Latency {
    p50: Vec<f64>,
    p99: Vec<f64>,
    max: f64,
    requests: u64,
    bad: u64,
}

impl Latency {
    fn add(&mut self, outcome: &Outcome) {
        self.p50.push(outcome.p50_us);
        self.p99.push(outcome.p99_us);
        self.max = self.max.max(outcome.max_us);
        self.requests += outcome.requests;
        let good = outcome.statuses.get(&200).copied().unwrap_or_default();
        self.bad += outcome.errors + outcome.requests - good;
    }

    /// The median of the seconds.
    fn middle(of: &[f64]) -> f64 {
        let mut sorted = of.to_vec();
        sorted.sort_by(f64::total_cmp);
        crate::load::quantile(&sorted, 0.5)
    }
}

/// Revisions that leave with a bundle, itself included.
const BUNDLE: usize = 7;

/// Measures at each size: about so many revisions are removed.
pub(crate) async fn measure(
    engine: &Engine,
    scratch: &Path,
    sizes: &[usize],
    seconds: f64,
    tell: &dyn Fn(&str),
) -> anyhow::Result<Figures> {
    let (mut rows, mut growth) = (Vec::new(), Vec::new());
    for size in sizes {
        let (more, took) = one(engine, scratch, *size, seconds, tell).await?;
        rows.extend(more);
        growth.push((*size as f64, took));
    }
    Ok(Figures { rows, exponent: (growth.len() > 1).then(|| exponent(&growth)) })
}

async fn one(
    engine: &Engine,
    scratch: &Path,
    size: usize,
    seconds: f64,
    tell: &dyn Fn(&str),
) -> anyhow::Result<(Vec<Row>, f64)> {
    let home = engine.home(scratch.join(format!("purge-{size}")))?;
    // a bundle takes its members along; bundles are a ninth of a catalogue
    let bundles = size / BUNDLE + 1;
    let revisions = bundles * 2 * 10 + 4_000;
    tell(&format!("purge {size}: generating and importing {revisions} revisions"));
    let fixture = fixture::build(&home, Shape { revisions, sizes: Sizes::Small, seed: 5 }).await?;
    let deployable = &fixture.catalogue.deployable;
    ensure!(deployable.len() >= 2 * bundles, "{} of {revisions} revisions can be deployed", deployable.len());
    let (old, rest) = deployable.split_at(bundles);
    let now: Vec<String> = rest.iter().take(bundles).map(ToString::to_string).collect();
    prepare(&home, old)?;
    let site = Site::start(&home, &[])?;
    let command = load(&home, &site, &fixture).await?;
    let mut generator = Load::start()?;
    let probe = generator.run(&Command { requests: Some(COMPUTERS), ..command.clone() })?;
    ensure!(probe.errors == 0 && probe.statuses.keys().eq([&200]), "purge: {probe:?}");
    tell(&format!("purge {size}: {RATE} scans/s without clean-up"));
    let mut alone = Latency::default();
    for _ in 0..(5.0 * seconds).ceil() as usize {
        alone.add(&generator.run(&command)?);
    }
    tell(&format!("purge {size}: declining and removing under the same load"));
    let done = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&done);
    let loading = std::thread::spawn(move || {
        let mut during = Latency::default();
        while !until.load(Ordering::Relaxed) {
            during.add(&generator.run(&command)?);
        }
        anyhow::Ok(during)
    });
    let begun = Instant::now();
    let worked = clean(&site, &now, begun);
    done.store(true, Ordering::Relaxed);
    let during = loading.join().map_err(|_| anyhow::anyhow!("the load ended unexpectedly"))??;
    let (declined, total, removed) = worked?;
    ensure!(during.bad == 0, "{} of {} scans failed during clean-up", during.bad, during.requests);
    let row = |case: &str, value: f64, unit, latency: &Latency, budget: String| Row {
        case: format!("purge_{case}"),
        revisions: size,
        value,
        unit,
        p50_us: Some(Latency::middle(&latency.p50)),
        p99_us: Some(Latency::middle(&latency.p99)),
        budget,
        ..Row::default()
    };
    let slowest = Row {
        baseline: Some("the slowest scan of the same load without clean-up"),
        ratio_null: Some(alone.max / during.max),
        ..row("scans", during.max / 1e3, "ms max", &during, format!("{} scans", during.requests))
    };
    let text = format!("to decline {bundles} bundles ({declined:.1} s) and remove {removed} revisions");
    let whole = row("total", total, "s", &during, text);
    let rows = vec![
        row("alone", alone.max / 1e3, "ms max", &alone, format!("{} scans without clean-up", alone.requests)),
        // a machine that is slow without clean-up, too, is not slow because of it
        slowest.within([Limit::most((alone.max / 1e3).max(50.0))]),
        whole.within([Limit::most(60.0)]),
    ];
    Ok((rows, total))
}

/// Declines in the past, and lets nothing be removed yet.
fn prepare(home: &Home, updates: &[UpdateId]) -> anyhow::Result<()> {
    let store = home.open()?;
    let then = Timestamp::now() - SignedDuration::from_hours(24 * 40);
    let actor = Actor::system("bench", then);
    for chunk in updates.chunks(TOGETHER) {
        store.write(&actor, |tx| chunk.iter().try_for_each(|id| tx.update_decline(*id).map(drop)))?;
    }
    store.write(&actor, |tx| {
        for key in ["cleanup.declined_days", "cleanup.expired_days", "cleanup.obsolete_days"] {
            tx.setting_put(key, &json!(0))?;
        }
        Ok(())
    })?;
    Ok(())
}

async fn load(home: &Home, site: &Site, fixture: &fixture::Fixture) -> anyhow::Result<Command> {
    // scopes changed by the declines: computers settle against the server itself
    let url = site.url()?.to_owned();
    let share = fixture.share_for(CACHED.min(fixture.catalogue.deployable.len() / 2));
    let mut bodies = Vec::new();
    for number in 0..COMPUTERS {
        let settled = fixture.settle(share, number + 1);
        let cookie = requests::known(&url, number).await?;
        bodies.push(requests::body(&requests::software(&cookie, settled.installed, settled.other, number)));
    }
    let path = home.join("purge.bodies");
    write_bodies(&path, &bodies)?;
    Ok(Command {
        address: url.trim_start_matches("http://").parse()?,
        head: requests::head(requests::PATH, false, false),
        bodies: path,
        connections: CONNECTIONS,
        seconds: 1.0,
        requests: None,
        vary: false,
        rate: Some(RATE),
        others: Vec::new(),
    })
}

/// Declines these, then removes what was declined long ago. Seconds of the one and of both, and revisions removed.
fn clean(site: &Site, now: &[String], begun: Instant) -> anyhow::Result<(f64, f64, u64)> {
    for chunk in now.chunks(TOGETHER) {
        let mut arguments = vec!["updates", "decline"];
        arguments.extend(chunk.iter().map(String::as_str));
        let answer = site.weir(&arguments)?;
        ensure!(answer["changed"] == json!(chunk.len()), "declining: {answer}");
    }
    let declined = begun.elapsed().as_secs_f64();
    site.weir(&["settings", "set", "cleanup.declined_days", "30"])?;
    loop {
        let shown = site.weir(&["cleanup", "show"])?;
        let last = &shown["last"];
        if shown["current"].is_null() && last["counts"]["revisions"].as_u64().is_some_and(|revisions| revisions > 0) {
            ensure!(last["state"] == "done", "clean-up: {last}");
            let removed = last["counts"]["revisions"].as_u64().context("a count")?;
            return Ok((declined, begun.elapsed().as_secs_f64(), removed));
        }
        ensure!(begun.elapsed() < PATIENCE, "clean-up does not end: {}", Value::to_string(&shown));
        std::thread::sleep(Duration::from_millis(200));
    }
}
