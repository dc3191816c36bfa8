//! A storm: every computer of a fleet is new to the server and arrives within one minute, as after a policy that names another
//! server. The server is a process as an administrator runs it, with nothing set; the fleet is `weir simulate` in a process of its
//! own, whose agents evaluate rules, come from many networks, and come again after a refusal. The catalogue has small fragments
//! only: how long it takes with large ones is a matter of their bytes, which is measured as a rate (module `giants`).

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};
use jiff::civil::date;
use serde_json::Value;
use weir_lab::world::{Shape, World};

use crate::{
    engine::{Engine, Home},
    fixture,
    measure::{Limit, Row, exponent},
    site::Site,
};

/// Fleets unless others are asked for.
pub(crate) const SIZES: [usize; 3] = [5_000, 10_000, 20_000];
/// Updates of the catalogue unless others are asked for; twice as many documents.
pub(crate) const UPDATES: usize = 2_000;
/// Connections at one time: those that a server accepts unless it is told otherwise.
const CONNECTIONS: usize = 20_000;
/// How long an agent waits that was refused. Native ones wait longer, and measure nothing meanwhile.
const PAUSE: &str = "10s";
/// Seconds in which everybody is to have scanned and reported.
const SECONDS: f64 = 300.0;
/// Megabytes that the server may take.
const MEGABYTES: f64 = 600.0;

/// Rows, and the exponent by which the time grows with the fleet.
pub(crate) struct Figures {
    pub(crate) rows: Vec<Row>,
    pub(crate) exponent: Option<f64>,
}

/// Measures storms of these sizes, over a catalogue of so many updates.
pub(crate) fn measure(
    engine: &Engine,
    folder: &Path,
    sizes: &[usize],
    updates: usize,
    tell: &dyn Fn(&str),
) -> anyhow::Result<Figures> {
    let base = engine.home(folder.join("storm"))?;
    tell(&format!("storm: importing {updates} updates"));
    let documents = import(&base, updates)?;
    let (mut rows, mut growth) = (Vec::new(), Vec::new());
    for size in sizes {
        let home = base.copy(folder.join(format!("storm-{size}")))?;
        tell(&format!("storm: {size} computers arrive within a minute; {documents} documents"));
        let (more, seconds) = storm(&home, *size)?;
        rows.extend(more);
        growth.push((*size as f64, seconds));
        home.remove()?;
    }
    Ok(Figures { rows, exponent: (growth.len() > 1).then(|| exponent(&growth)) })
}

/// A data folder with a catalogue whose rules ask what they ask in life: how many documents it has.
fn import(home: &Home, updates: usize) -> anyhow::Result<usize> {
    let world = World::generate(Shape { updates, seed: 7, until: date(2026, 11, 10) });
    let store = home.open()?;
    fixture::import(&store, world.documents().cloned())?;
    drop(store);
    home.tidy()?;
    Ok(world.documents().count())
}

fn storm(home: &Home, size: usize) -> anyhow::Result<(Vec<Row>, f64)> {
    let site = Site::start(home, &[])?;
    let memory = site.watch();
    let report = simulate(site.url()?, size)?;
    let peak = memory.peak() as f64 / 1e6;
    let measured = &report["measured"];
    let seconds = measured["seconds"].as_f64().context("the report has no time")?;
    let (scans, gave_up) = (count(&measured["scans"]), count(&report["failed_computers"]));
    ensure!(scans + gave_up >= size as u64, "of {size} computers {scans} scanned: {measured}");
    let refused = count(&measured["faults"]["ServerBusy"]) + count(&measured["http_statuses"]["503"]);
    let broken: u64 = measured["broken_calls"].as_object().into_iter().flatten().map(|(_, calls)| count(calls)).sum();
    let (checked, agree) = (count(&report["convergence"]["checked"]), count(&report["convergence"]["converged"]));
    let row = |case: &str, value: f64, unit, budget: String| Row {
        case: case.to_owned(),
        revisions: size,
        value,
        unit,
        budget,
        ..Row::default()
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = vec![
        row(
            "everybody has scanned",
            seconds,
            "s",
            format!("{:.0} scans/s; held back by {}", scans as f64 / seconds, text(&report["capacity"]["limited_by"])),
        )
        .within([Limit::most(SECONDS)]),
        row(
            "computers that gave up",
            gave_up as f64,
            "",
            format!("{broken} calls got no answer; {}", measured["examples"][0].as_str().unwrap_or("no problems")),
        )
        .within([Limit::most(0.0)]),
        row("resident at most", peak, "MB", String::new()).within([Limit::most(MEGABYTES), Limit::least(1.0)]),
        row(
            "calls that were refused",
            refused as f64,
            "",
            format!("{} attempts came again after {PAUSE}", count(&measured["retries"])),
        ),
        row(
            "calls of a scan",
            measured["calls_per_scan"]["mean"].as_f64().unwrap_or(f64::NAN),
            "",
            format!("over {} connections", count(&report["connections"])),
        ),
        row("computers that agree afterwards", agree as f64, "", format!("of {checked}: a second scan brings nothing"))
            .within([Limit::least(checked.max(1) as f64)]),
    ];
    Ok((rows, seconds))
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

/// Lets a fleet scan; what it tells of it. Computers that give up end the command with an error, and are told all the same.
fn simulate(url: &str, size: usize) -> anyhow::Result<Value> {
    let (computers, connections) = (size.to_string(), size.min(CONNECTIONS).to_string());
    let output = Command::new(std::env::current_exe()?)
        .args(["simulate", "--server", url, "--computers", &computers, "--connections", &connections])
        .args(["--profile", "first-scan", "--speed", "1", "--pause", PAUSE, "--json"])
        .stdin(Stdio::null())
        .output()
        .context("starting the fleet")?;
    serde_json::from_slice(&output.stdout).with_context(|| {
        format!("the fleet told nothing: {}: {}", output.status, String::from_utf8_lossy(&output.stderr))
    })
}
