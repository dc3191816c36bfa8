//! The morning after a Patch Tuesday: every computer of a fleet reports once, as fast as answers come, over HTTP and durable before
//! the answer; then somebody asks how the fleet stands. And what all that takes on disk, also after 24 such months.
//! How fast reports are against a handler that only drains them is what `weir bench report` says.

use std::{ops::Range, path::Path, sync::Arc, time::Instant};

use anyhow::ensure;
use jiff::Timestamp;
use serde_json::json;
use tokio::{sync::Semaphore, task::JoinSet};
use weir_testkit::{
    Computer, Random, ScriptedAgent,
    catalogue::{Shape, Sizes},
};
use weir_wire::wusp::Cookie;

use crate::{
    engine::{Engine, Home},
    fixture,
    load::{Command, TIME, write_bodies},
    measure::{Limit, Load, Row, exponent},
    reports, requests,
    site::Site,
};

/// Revisions of the catalogue.
const REVISIONS: usize = 12_000;
/// Updates that a report lists.
const LISTED: usize = 300;
/// Computers that introduce themselves at once.
const AT_ONCE: usize = 64;
/// Months of the smallest fleet, but in a quick run.
const MONTHS: u32 = 24;

/// Rows, and the exponent by which the time of a morning grows with the fleet.
pub(crate) struct Figures {
    pub(crate) rows: Vec<Row>,
    pub(crate) exponent: Option<f64>,
}

/// Measures fleets of these sizes.
pub(crate) async fn measure(
    engine: &Engine,
    folder: &Path,
    sizes: &[usize],
    quick: bool,
    tell: &dyn Fn(&str),
) -> anyhow::Result<Figures> {
    let base = engine.home(folder.join("morning"))?;
    let rate = reports::rate(engine.database());
    tell(&format!("morning: importing {REVISIONS} revisions"));
    let fixture = fixture::build(&base, Shape { revisions: REVISIONS, sizes: Sizes::Small, seed: 7 }).await?;
    let (mut rows, mut growth) = (Vec::new(), Vec::new());
    for (at, size) in sizes.iter().enumerate() {
        let home = base.copy(folder.join(format!("morning-{size}")))?;
        let months = match at {
            0 if quick => 2,
            0 => MONTHS,
            _ => 1,
        };
        let (more, seconds) = fleet(&home, &fixture, *size, months, rate, tell).await?;
        rows.extend(more);
        growth.push((*size as f64, seconds));
        home.remove()?;
    }
    Ok(Figures { rows, exponent: (growth.len() > 1).then(|| exponent(&growth)) })
}

async fn fleet(
    home: &Home,
    fixture: &fixture::Fixture,
    size: usize,
    months: u32,
    rate: f64,
    tell: &dyn Fn(&str),
) -> anyhow::Result<(Vec<Row>, f64)> {
    let site = Site::start(home, &[])?;
    site.weir(&["settings", "set", "computers.new_per_hour", "1000000"])?;
    // the whole fleet calls from one address here
    site.weir(&["settings", "set", "calls.anonymous_burst", "1000000"])?;
    let empty = home.stored()?;
    tell(&format!("morning: {size} computers introduce themselves"));
    let computers = introduce(site.url()?, 0..size as u64).await?;
    let path = home.join("morning.bodies");
    write(&path, fixture, &computers, 0)?;
    let command = Command {
        address: site.url()?.trim_start_matches("http://").parse()?,
        head: requests::report_head(requests::REPORTS),
        bodies: path.clone(),
        connections: 64,
        seconds: 3_600.0,
        requests: Some(size as u64),
        vary: true,
        rate: None,
        others: Vec::new(),
    };
    tell(&format!("morning: {size} reports"));
    let memory = site.watch();
    let outcome = Load::start()?.run(&command)?;
    ensure!(outcome.errors == 0 && outcome.statuses.keys().eq([&200]), "reports: {outcome:?}");
    let asked = Instant::now();
    let summary = site.weir(&["compliance", "summary"])?;
    let answered = asked.elapsed().as_secs_f64() * 1e3;
    let peak = memory.peak() as f64 / 1e6;
    ensure!(summary["computers"] == json!(size), "{summary}");
    // nobody scanned, so what is not listed is not known; two thirds list a failure, of which some are of updates that others
    // replace: nobody is asked about those
    let freshness = site.weir(&["compliance", "freshness"])?;
    ensure!(freshness["classes"]["never_reported"] == json!(0), "reports are missing: {freshness}");
    ensure!(
        summary["counts"]["failed"].as_u64().is_some_and(|failed| failed > size as u64 / 3),
        "reports are missing: {summary}"
    );
    let stored = home.stored()?.saturating_sub(empty);
    let row = |case: &str, value: f64, unit, budget: String| Row {
        case: case.to_owned(),
        revisions: size,
        value,
        unit,
        budget,
        ..Row::default()
    };
    let reports = Row {
        p50_us: Some(outcome.p50_us),
        p99_us: Some(outcome.p99_us),
        ..row(
            "every computer reports",
            outcome.seconds,
            "s",
            format!("{:.0} reports/s, at least {rate:.0} wanted; {LISTED} updates each", outcome.rate()),
        )
    };
    let mut rows = vec![
        reports.within([Limit::most(size as f64 / rate)]),
        row("first answer afterwards", answered, "ms", "the command's own start included".to_owned()),
        row("resident at most", peak, "MB", String::new()),
        row("on disk, first month", stored as f64 / size as f64, "bytes/computer", String::new()),
    ];
    for month in 1..months {
        write(&path, fixture, &computers, month)?;
        // another path, so that the generator reads it anew
        let next = home.join(format!("morning-{month}.bodies"));
        std::fs::rename(&path, &next)?;
        let outcome = Load::start()?.run(&Command { bodies: next.clone(), ..command.clone() })?;
        ensure!(outcome.errors == 0 && outcome.statuses.keys().eq([&200]), "reports: {outcome:?}");
        std::fs::remove_file(&next)?;
        if month + 1 == 12 || month + 1 == MONTHS {
            tell(&format!("morning: month {}", month + 1));
            let stored = home.stored()?.saturating_sub(empty);
            rows.push(row(
                &format!("on disk, after {} months", month + 1),
                stored as f64 / size as f64,
                "bytes/computer",
                "one status a month, nothing deleted by age".to_owned(),
            ));
        }
    }
    Ok((rows, outcome.seconds))
}

/// Ids and cookies of the computers with these numbers, which become known to the server.
pub(crate) async fn introduce(url: &str, numbers: Range<u64>) -> anyhow::Result<Vec<(String, Cookie)>> {
    let (permits, mut tasks) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    let mut found = Vec::new();
    for number in numbers {
        let (url, permit) = (url.to_owned(), Arc::clone(&permits).acquire_owned().await?);
        tasks.spawn(async move {
            let mut agent = ScriptedAgent::new(&url, Computer::numbered(number))?;
            agent.handshake().await?;
            drop(permit);
            let cookie = agent.state.cookie.clone();
            anyhow::Ok((agent.computer.client_id.clone(), cookie))
        });
        while let Some(done) = tasks.try_join_next() {
            found.push(done??);
        }
    }
    while let Some(done) = tasks.join_next().await {
        found.push(done??);
    }
    found.into_iter().map(|(id, cookie)| Ok((id, cookie.ok_or_else(|| anyhow::anyhow!("no cookie"))?))).collect()
}

/// A report of each computer: three hundred updates, most of them installed, some needed and failed. From month to month a few
/// updates are other ones.
fn write(path: &Path, fixture: &fixture::Fixture, computers: &[(String, Cookie)], month: u32) -> anyhow::Result<()> {
    let time: Timestamp = TIME.parse()?;
    let time = time + jiff::SignedDuration::from_hours(24 * 7 * i64::from(month));
    let updates: Vec<String> = fixture.catalogue.deployable.iter().map(|id| id.to_string().to_uppercase()).collect();
    let mut bodies = Vec::with_capacity(computers.len());
    for (number, (id, cookie)) in computers.iter().enumerate() {
        let mut random = Random::new(number as u64 ^ u64::from(month) << 32);
        let first = number % 7 * 20 + month as usize * 10;
        let listed: Vec<&str> =
            updates.iter().cycle().skip(first % updates.len()).take(LISTED).map(String::as_str).collect();
        let (needed, rest) = listed.split_at(random.between(3, 30));
        let (failed, installed) = rest.split_at(random.below(3));
        let misc = vec![
            format!("U={}", needed.join(";")),
            format!("g={}", failed.join(";")),
            format!("V={}", installed.join(";")),
        ];
        bodies.push(requests::report(id, cookie.clone(), time, misc)?);
    }
    write_bodies(path, &bodies)
}
