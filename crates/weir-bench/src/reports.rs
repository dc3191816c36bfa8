//! Status reports: event 156 with 300 updates, a different one each time, durable before the answer.

use std::path::PathBuf;

use anyhow::ensure;
use jiff::Timestamp;
use weir_testkit::{
    Computer, Random, ScriptedAgent,
    agent::event,
    catalogue::{Shape, Sizes},
};
use weir_wire::{
    soap::SoapVersion,
    wusp::{ReportEventBatch, client::Call as _},
};

use crate::{
    fixture,
    load::{Command, ID, TIME, write_bodies},
    measure::{Load, Rounds, Row, exponent, median},
    server::Server,
};

/// Updates that a report lists.
const LISTED: usize = 300;
/// Different reports.
const BODIES: usize = 1_000;

/// Rows, and the exponent by which the cost of a report grows with the number of computers that report.
pub(crate) struct Figures {
    /// One row per number of computers, and one with slow flushes.
    pub(crate) rows: Vec<Row>,
    /// Growth of the time per report.
    pub(crate) exponent: Option<f64>,
}

/// Measures with 100, 500 and 1,000 computers, then with 10 ms added to each flush.
pub(crate) async fn measure(scratch: &std::path::Path, seconds: f64, tell: &dyn Fn(&str)) -> anyhow::Result<Figures> {
    let folder = scratch.join("reports");
    std::fs::create_dir_all(&folder)?;
    tell("reports: generating and importing 5,000 revisions");
    let fixture = fixture::build(&folder, Shape { revisions: 5_000, sizes: Sizes::Small, seed: 3 }).await?;
    let (mut rows, mut growth) = (Vec::new(), Vec::new());
    for (computers, slow) in [(100, false), (500, false), (1_000, false), (1_000, true)] {
        tell(&format!("reports: {computers} computers{}", if slow { ", flushes delayed by 10 ms" } else { "" }));
        let server = match if slow { Server::start_with_slow_flushes(&folder) } else { Server::start(&folder) } {
            Ok(server) => server,
            Err(error) if slow => {
                rows.push(Row {
                    case: "reports_slow_flush".to_owned(),
                    revisions: 5_000,
                    unit: "reports/s",
                    budget: format!(">= 1,500/s with 10 ms added to each flush; not measured: {error:#}"),
                    ..Row::default()
                });
                continue;
            }
            Err(error) => return Err(error),
        };
        let bodies = bodies(&folder, &server, &fixture, computers).await?;
        let head = "POST /ReportingWebService/ReportingWebService.asmx HTTP/1.1\r\nConnection: Keep-Alive\r\n\
                    Content-Type: text/xml; charset=utf-8\r\nSOAPAction: \
                    \"http://www.microsoft.com/SoftwareDistribution/ReportEventBatch\"\r\n";
        let real = Command {
            address: server.client()?,
            head: head.to_owned(),
            bodies,
            connections: 64,
            seconds: seconds.max(2.0),
            requests: None,
            vary: true,
            rate: None,
        };
        let mut load = Load::start()?;
        let probe = load.run(&Command { requests: Some(64), ..real.clone() })?;
        ensure!(probe.errors == 0 && probe.statuses.keys().eq([&200]), "reports: {probe:?}");
        let answer = probe.bytes / probe.requests.max(1);
        let null_head = head.replace("/ReportingWebService/ReportingWebService.asmx", &format!("/bench/null/{answer}"));
        let null = Command { head: null_head, ..real.clone() };
        let rounds = Rounds::measure(&mut load, &[real, null])?;
        let (rate, ratios) = (rounds.rate(0), rounds.ratios_of(0, 1));
        let least = if slow { 1_500.0 } else { 4_000.0 };
        if !slow {
            growth.push((f64::from(computers), 1.0 / rate));
        }
        rows.push(Row {
            case: if slow { "reports_slow_flush".to_owned() } else { format!("reports_{computers}_computers") },
            revisions: 5_000,
            value: rate,
            unit: "reports/s",
            ratio_null: Some(median(ratios.clone())),
            pairs: ratios.len(),
            spread: ratios.first().copied().zip(ratios.last().copied()),
            budget: format!(
                ">= {least}/s durable, 64 connections, {LISTED} updates each; p99 {:.1} ms",
                rounds.figure(0, |outcome| outcome.p99_us) / 1e3
            ),
            met: Some(rate >= least),
            ..Row::default()
        });
    }
    Ok(Figures { rows, exponent: Some(exponent(&growth)) })
}

async fn bodies(
    folder: &std::path::Path,
    server: &Server,
    fixture: &fixture::Fixture,
    computers: u32,
) -> anyhow::Result<PathBuf> {
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
        let mut status = event(client_id, time, 156, None, 0, Vec::new(), misc);
        if let Some(basic) = &mut status.basic_data {
            basic.event_instance_id = ID.parse()?;
        }
        let batch = ReportEventBatch { cookie: cookie.clone(), client_time: Some(time), event_batch: vec![status] };
        let mut text = String::new();
        batch.encode(&mut text, SoapVersion::V11);
        // the encoder leaves out a fraction of zero; the load generator wants a fixed width
        let text = text.replace("2026-01-05T00:00:00Z", TIME);
        bodies.push(text.into_bytes());
    }
    let path = folder.join(format!("reports-{computers}.bodies"));
    write_bodies(&path, &bodies)?;
    Ok(path)
}
