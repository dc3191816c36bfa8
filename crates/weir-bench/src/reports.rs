//! Status reports: event 156 with 300 updates, a different one each time, durable before the answer.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use weir_testkit::{
    Computer, Random, ScriptedAgent,
    catalogue::{Shape, Sizes},
};

use crate::{
    engine::Engine,
    fixture,
    load::{Command, TIME, mean_body, write_bodies},
    measure::{Limit, Load, Rounds, Row, exponent, median},
    requests,
    row::Database,
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
/// Reports a second that are asked for with slow flushes.
const SLOW_RATE: f64 = 1_500.0;

/// Reports a second that are asked for, with the disk as it is.
pub(crate) fn rate(database: Database) -> f64 {
    match database {
        Database::Sqlite => 4_000.0,
        Database::Postgresql => 3_000.0,
    }
}

/// The name of the case; flushes can be slowed down where the server makes them itself.
fn case(database: Database, slow: bool) -> &'static str {
    match database {
        Database::Postgresql => "reports_postgresql",
        Database::Sqlite if slow => "reports_slow_flush",
        Database::Sqlite => "reports",
    }
}

/// Measures with several numbers of computers; then, where the database is embedded, the same with 10 ms added to each flush.
pub(crate) async fn measure(
    engine: &Engine,
    scratch: &Path,
    seconds: f64,
    quick: bool,
    tell: &dyn Fn(&str),
) -> anyhow::Result<Figures> {
    let (home, database) = (engine.home(scratch.join("reports"))?, engine.database());
    tell("reports: generating and importing 5,000 revisions");
    let fixture = fixture::build(&home, Shape { revisions: 5_000, sizes: Sizes::Small, seed: 3 }).await?;
    let (mut rows, mut growth) = (Vec::new(), Vec::new());
    let kinds: &[bool] = if engine.is_embedded() { &[false, true] } else { &[false] };
    for (computers, slow) in kinds.iter().flat_map(|slow| COMPUTERS.map(|computers| (computers, *slow))) {
        tell(&format!("reports: {computers} computers{}", if slow { ", flushes delayed by 10 ms" } else { "" }));
        let server = match if slow { Server::start_with_slow_flushes(&home) } else { Server::start(&home) } {
            Ok(server) => server,
            Err(error) if slow => {
                rows.push(Row {
                    case: case(database, slow).to_owned(),
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
        let bodies = bodies(home.data(), &server, &fixture, computers).await?;
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
        let (cpu_us, database_cpu_us) = server.costs(&mut load, &real, &|| home.cpu_seconds())?;
        let request_bytes = mean_body(&real.bodies)?;
        let rounds = Rounds::measure(&mut load, &[real, null])?;
        let (rate, ratios) = (rounds.rate(0), rounds.ratios_of(0, 1));
        if !slow {
            growth.push((f64::from(computers), 1.0 / rate));
        }
        let row = Row {
            case: case(database, slow).to_owned(),
            revisions: computers as usize,
            value: rate,
            unit: "reports/s",
            baseline: Some("a handler that drains the report and returns a stored body of the same size"),
            cpu_us,
            database_cpu_us,
            request_bytes: Some(request_bytes),
            answer_bytes: Some(rounds.answer_bytes(0)),
            ratio_null: Some(median(ratios.clone())),
            pairs: ratios.len(),
            spread: ratios.first().copied().zip(ratios.last().copied()),
            budget: format!(
                "durable, 64 connections, {LISTED} updates each; p99 {:.1} ms{}{}",
                rounds.figure(0, |outcome| outcome.p99_us) / 1e3,
                if slow { "; 10 ms added to each flush, by strace" } else { "" },
                database_cpu_us
                    .map_or_else(String::new, |us| format!("; PostgreSQL takes {us:.0} us of processors for each"))
            ),
            ..Row::default()
        };
        rows.push(row.within([Limit::least(if slow { SLOW_RATE } else { self::rate(database) })]));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budgets::BUDGETS;

    #[test]
    fn what_is_asked_is_what_the_budgets_say() {
        for (database, slow) in [(Database::Sqlite, false), (Database::Sqlite, true), (Database::Postgresql, false)] {
            let budget = BUDGETS.iter().find(|budget| budget.cases == [case(database, slow)]).expect("a budget");
            let asked = if slow { SLOW_RATE } else { rate(database) } / 1e3;
            assert_eq!(budget.asked, format!(">= {},{:03.0}/s", asked.trunc(), asked.fract() * 1e3));
        }
    }
}
