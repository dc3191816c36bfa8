//! A storm of first scans over a catalogue with the real sizes, giants included. How long a whole fleet takes is a matter of the bytes,
//! far more than a benchmark can move; so the calls of a few computers are asked for again and again, as fast as answers come, against a
//! handler that streams answers of the same sizes from memory, in the same order.

use std::path::Path;

use weir_testkit::catalogue::{Shape, Sizes};

use crate::{
    engine::Engine,
    fixture,
    handlers::asking,
    load::{Command, write_bodies},
    measure::{Figure, Limit, Load, Rounds, Row, answer_sizes, median},
    requests,
    row::SizeOf,
    server::Server,
};

/// Revisions of the catalogues; the last is that of the budget.
const SIZES: [usize; 3] = [1_000, 5_000, BUDGET];
const BUDGET: usize = 20_000;
/// The same in a quick run.
const QUICK: [usize; 2] = [300, 1_000];
/// Computers whose first scans are asked for.
const COMPUTERS: u64 = 16;
/// Revisions that a settled computer has in its cache, of the size of the budget; not fewer than the second number of any.
const CACHED: (usize, usize) = (1_490, 100);
/// Answers at once.
const CONNECTIONS: usize = 64;
/// How long one run may take at most.
const PATIENCE: f64 = 600.0;
/// Computers of the storm that the design speaks of.
const FLEET: f64 = 20_000.0;
/// Megabytes that the server may take.
const MEGABYTES: f64 = 600.0;

/// Measures every size. What was measured before this is not lost with it: an error is a row.
pub(crate) async fn measure(
    engine: &Engine,
    scratch: &Path,
    quick: bool,
    tell: &dyn Fn(&str),
) -> anyhow::Result<Vec<Row>> {
    let sizes: &[usize] = if quick { &QUICK } else { &SIZES };
    let mut rows = Vec::new();
    for size in sizes {
        match of_size(engine, scratch, *size, tell).await {
            Ok(more) => rows.extend(more),
            Err(error) => rows.push(Row {
                case: "giants".to_owned(),
                revisions: *size,
                size_of: Some(SizeOf::Revisions),
                value: f64::NAN,
                budget: format!("failed: {error:#}"),
                met: Some(false),
                ..Row::default()
            }),
        }
    }
    Ok(rows)
}

async fn of_size(engine: &Engine, scratch: &Path, size: usize, tell: &dyn Fn(&str)) -> anyhow::Result<Vec<Row>> {
    tell(&format!("first scans with giants: {size} revisions, importing"));
    let home = engine.home(scratch.join(format!("giants-{size}")))?;
    let fixture = fixture::build(&home, Shape { revisions: size, sizes: Sizes::Genuine, seed: 9 }).await?;
    let server = Server::start(&home)?;
    let bodies = calls(&fixture, &server, (CACHED.0 * size / BUDGET).max(CACHED.1)).await?;
    let mut rows = Vec::new();
    for xpress in [false, true] {
        let coding = if xpress { "xpress" } else { "identity" };
        tell(&format!("first scans with giants: {size} revisions, {} calls, {coding}", bodies.len()));
        let run = Run { folder: home.data(), server: &server, bodies: &bodies, size, coding, xpress };
        rows.extend(run.rows()?);
    }
    drop(server);
    home.remove()?;
    Ok(rows)
}

/// The calls of all computers, the first ones of all before the second ones, as they come in a storm.
async fn calls(fixture: &fixture::Fixture, server: &Server, cached: usize) -> anyhow::Result<Vec<Vec<u8>>> {
    let (share, base) = (fixture.share_for(cached), server.client_url()?);
    let mut calls: Vec<(usize, Vec<u8>)> = Vec::new();
    for number in 0..COMPUTERS {
        let settled = fixture.settle(share, number + 1);
        let cookie = requests::enlist(&base, number, &settled.installed, &settled.other).await?;
        for (turn, before) in fixture.first_scan(share, number + 1).into_iter().enumerate() {
            let request = requests::software(&cookie, before.installed, before.other, number);
            calls.push((turn, requests::body(&request)));
        }
    }
    calls.sort_by_key(|(turn, _)| *turn);
    Ok(calls.into_iter().map(|(_, body)| body).collect())
}

/// One coding of one catalogue.
struct Run<'a> {
    folder: &'a Path,
    server: &'a Server,
    bodies: &'a [Vec<u8>],
    size: usize,
    coding: &'static str,
    xpress: bool,
}

impl Run<'_> {
    fn rows(&self) -> anyhow::Result<[Row; 2]> {
        let path = |name: &str| self.folder.join(format!("giants-{}-{name}.bodies", self.coding));
        write_bodies(&path("real"), self.bodies)?;
        let real = Command {
            address: self.server.client()?,
            head: requests::head(requests::PATH, self.xpress, false),
            bodies: path("real"),
            connections: CONNECTIONS,
            seconds: PATIENCE,
            // each call once in every run: both handlers send the same bytes
            requests: Some(self.bodies.len() as u64),
            vary: false,
            rate: None,
            others: Vec::new(),
        };
        let mut load = Load::start()?;
        let sizes = answer_sizes(&mut load, &real, self.bodies)?;
        let asked: Vec<Vec<u8>> =
            self.bodies.iter().zip(&sizes).map(|(body, size)| asking(body.clone(), *size)).collect();
        write_bodies(&path("null"), &asked)?;
        let head = requests::head("/bench/stream", self.xpress, false);
        let null = Command { head, bodies: path("null"), ..real.clone() };
        let cpu_us = self.server.cost(&mut load, &real)?;
        let watch = self.server.watch();
        let rounds = Rounds::measure(&mut load, &[real, null])?;
        let peak = watch.peak() as f64 / 1e6;
        let ratios = rounds.ratios_of(0, 1);
        let calls = self.bodies.len() as f64;
        let (bytes, rate) = (sizes.iter().sum::<u64>() as f64, rounds.rate(0));
        let of_one = (calls / COMPUTERS as f64, bytes / COMPUTERS as f64 / 1e6);
        let row = |case: &str, value: f64, unit| Row {
            case: case.to_owned(),
            revisions: self.size,
            size_of: Some(SizeOf::Revisions),
            coding: Some(self.coding),
            value,
            unit,
            ..Row::default()
        };
        let rates = Row {
            baseline: Some("a handler that streams answers of the same sizes from memory"),
            ratio_null: Some(median(ratios.clone())),
            pairs: ratios.len(),
            spread: ratios.first().copied().zip(ratios.last().copied()),
            cpu_us,
            answer_bytes: Some(bytes / calls),
            budget: format!(
                "no call failed; a first scan is {:.0} calls of {:.0} MB in all; {FLEET:.0} of them would take {:.0} minutes",
                of_one.0,
                of_one.1,
                FLEET * of_one.0 / rate / 60.0
            ),
            ..row("giants", rate * bytes / calls / 1e6, "MB/s")
        };
        let memory =
            Row { budget: format!("{CONNECTIONS} calls at once"), ..row("giants_memory", peak, "MB resident") };
        Ok([
            rates.within([Limit::of_at_least(Figure::RatioNull, 0.5)]),
            memory.within([Limit::most(MEGABYTES), Limit::least(1.0)]),
        ])
    }
}
