//! Status reports: event 156 with 300 updates, a different one each time, durable before the answer.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use weir_store::{DATABASE, transfer::into_postgres};
use weir_testkit::{
    Computer, Random, ScriptedAgent,
    catalogue::{Shape, Sizes},
};

use crate::{
    fixture,
    load::{Command, TIME, mean_body, write_bodies},
    measure::{Limit, Load, Rounds, Row, exponent, median},
    requests,
    server::Server,
};

/// Updates that a report lists.
const LISTED: usize = 300;
/// Different reports.
const BODIES: usize = 1_000;

/// Rows, and the exponent by which the cost of a report grows with the number of computers that report.
pub(crate) struct Figures {
    /// One row per number of computers, and the same with slow flushes.
    pub(crate) rows: Vec<Row>,
    /// Growth of the time per report.
    pub(crate) exponent: Option<f64>,
}

/// Computers that report.
const COMPUTERS: [u32; 3] = [100, 500, 1_000];
/// Reports a second that are asked for, with the disk as it is, with slow flushes, and on PostgreSQL.
const RATE: f64 = 4_000.0;
const SLOW_RATE: f64 = 1_500.0;

const POSTGRES_RATE: f64 = 3_000.0;

/// What the reports are made durable by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kept {
    /// The embedded database.
    Embedded,
    /// The same, with 10 ms added to each flush.
    Slowly,
    /// PostgreSQL.
    Postgres,
}

impl Kept {
    fn case(self) -> &'static str {
        match self {
            Self::Embedded => "reports",
            Self::Slowly => "reports_slow_flush",
            Self::Postgres => "reports_postgresql",
        }
    }

    fn least(self) -> f64 {
        match self {
            Self::Embedded => RATE,
            Self::Slowly => SLOW_RATE,
            Self::Postgres => POSTGRES_RATE,
        }
    }

    fn remark(self) -> &'static str {
        match self {
            Self::Embedded => "",
            Self::Slowly => "; 10 ms added to each flush, by strace",
            Self::Postgres => "; on PostgreSQL",
        }
    }
}

/// Measures with several numbers of computers, then the same with 10 ms added to each flush, then on a database of PostgreSQL if an
/// empty one is named.
pub(crate) async fn measure(
    scratch: &Path,
    seconds: f64,
    quick: bool,
    database: Option<&str>,
    tell: &dyn Fn(&str),
) -> anyhow::Result<Figures> {
    let folder = scratch.join("reports");
    std::fs::create_dir_all(&folder)?;
    tell("reports: generating and importing 5,000 revisions");
    let fixture = fixture::build(&folder, Shape { revisions: 5_000, sizes: Sizes::Small, seed: 3 }).await?;
    let on_server = scratch.join("reports-postgresql");
    if let Some(url) = database {
        tell("reports: copying the catalogue into PostgreSQL");
        std::fs::create_dir_all(&on_server)?;
        into_postgres(&folder.join(DATABASE), url, false, &mut |_| ControlFlow::Continue(()))?;
    }
    let (mut rows, mut growth) = (Vec::new(), Vec::new());
    let kept = [Some(Kept::Embedded), Some(Kept::Slowly), database.map(|_| Kept::Postgres)];
    let runs = kept.into_iter().flatten().flat_map(|kept| COMPUTERS.map(|computers| (computers, kept)));
    for (computers, kept) in runs {
        tell(&format!("reports: {computers} computers{}", kept.remark()));
        let folder = if kept == Kept::Postgres { &on_server } else { &folder };
        let started = match (kept, database) {
            (Kept::Postgres, Some(url)) => Server::start_on(url, folder),
            (Kept::Slowly, _) => Server::start_with_slow_flushes(folder),
            _ => Server::start(folder),
        };
        let server = match started {
            Ok(server) => server,
            Err(error) if kept == Kept::Slowly => {
                rows.push(Row {
                    case: kept.case().to_owned(),
                    revisions: computers as usize,
                    value: f64::NAN,
                    unit: "reports/s",
                    budget: format!("with 10 ms added to each flush: {error:#}"),
                    ..Row::default()
                });
                continue;
            }
            Err(error) => return Err(error),
        };
        let bodies = bodies(folder, &server, &fixture, computers).await?;
        let real = Command {
            address: server.client()?,
            head: requests::report_head(requests::REPORTS),
            bodies,
            connections: 64,
            seconds: if quick { seconds } else { seconds.max(2.0) },
            requests: None,
            vary: true,
            rate: None,
            others: Vec::new(),
        };
        let mut load = Load::start()?;
        let probe = load.run(&Command { requests: Some(64), ..real.clone() })?;
        ensure!(probe.errors == 0 && probe.statuses.keys().eq([&200]), "reports: {probe:?}");
        let answer = probe.bytes / probe.requests.max(1);
        let null = Command { head: requests::report_head(&format!("/bench/null/{answer}")), ..real.clone() };
        let cpu_us = server.cost(&mut load, &real)?;
        let request_bytes = mean_body(&real.bodies)?;
        let rounds = Rounds::measure(&mut load, &[real, null])?;
        let (rate, ratios) = (rounds.rate(0), rounds.ratios_of(0, 1));
        if kept == Kept::Embedded {
            growth.push((f64::from(computers), 1.0 / rate));
        }
        let row = Row {
            case: kept.case().to_owned(),
            revisions: computers as usize,
            value: rate,
            unit: "reports/s",
            baseline: Some("a handler that drains the report and returns a stored body of the same size"),
            cpu_us,
            request_bytes: Some(request_bytes),
            answer_bytes: Some(rounds.answer_bytes(0)),
            ratio_null: Some(median(ratios.clone())),
            pairs: ratios.len(),
            spread: ratios.first().copied().zip(ratios.last().copied()),
            budget: format!(
                "durable, 64 connections, {LISTED} updates each; p99 {:.1} ms{}",
                rounds.figure(0, |outcome| outcome.p99_us) / 1e3,
                kept.remark()
            ),
            ..Row::default()
        };
        rows.push(row.within([Limit::least(kept.least())]));
    }
    Ok(Figures { rows, exponent: Some(exponent(&growth)) })
}

async fn bodies(folder: &Path, server: &Server, fixture: &fixture::Fixture, computers: u32) -> anyhow::Result<PathBuf> {
    let mut agents = Vec::new();
    for number in 0..computers {
        let mut agent = ScriptedAgent::new(&server.client_url()?, Computer::numbered(u64::from(number) + 10_000))?;
        agent.handshake().await?;
        agents.push((agent.computer.client_id.clone(), agent.state.cookie.clone()));
    }
    let time: Timestamp = TIME.parse()?;
    let mut random = Random::new(u64::from(computers));
    let mut bodies = Vec::with_capacity(BODIES);
    for turn in 0..BODIES {
        let (client_id, cookie) = &agents[turn % agents.len()];
        let mut updates = fixture.catalogue.deployable.clone();
        random.shuffle(&mut updates);
        let listed: Vec<String> = updates.iter().take(LISTED).map(|id| id.to_string().to_uppercase()).collect();
        let (needed, installed) = listed.split_at(random.between(10, LISTED / 2));
        let misc = vec![
            "G=1507.2601.30012.0".to_owned(),
            format!("U={}", needed.join(";")),
            format!("V={}", installed.join(";")),
        ];
        let cookie = cookie.clone().context("the handshake brought no cookie")?;
        bodies.push(requests::report(client_id, cookie, time, misc)?);
    }
    let path = folder.join(format!("reports-{computers}.bodies"));
    write_bodies(&path, &bodies)?;
    Ok(path)
}
