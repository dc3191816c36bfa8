//! A server that is killed while computers report, and starts again: when it listens, when a computer gets an answer, when an
//! administrator does, and whether anything is gone that was acknowledged. In between the same after a stop in good order.
//!
//! The files are in the system's cache, as they are after a process died, and not after the machine did.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use serde_json::Value;
use weir_model::{ids::UpdateId, status::ComputerStatus};
use weir_store::{Options, Store};
use weir_wire::wusp::Cookie;

use crate::{
    fixture,
    fleet::Fleet,
    load::{Command, Outcome, TIME, write_bodies},
    measure::{Limit, Load, Row, exponent, median},
    morning::introduce,
    requests,
    site::Site,
};

/// Updates that computers report on, where nothing else is asked for.
pub(crate) const UPDATES: usize = 5_000;
/// Kills of each fleet.
const KILLS: usize = 5;
/// Computers that report when the server is killed: a tenth of the fleet, within these bounds.
const REPORTING: (u64, u64) = (200, 2_000);
/// Seconds in which they report, unless the kill comes between.
const SECONDS: f64 = 4.0;
/// Reports at once.
const CONNECTIONS: usize = 16;
/// Updates that a report lists.
const LISTED: usize = 300;

/// Rows, and the exponent by which the time to the first answer grows with the fleet.
pub(crate) struct Figures {
    pub(crate) rows: Vec<Row>,
    pub(crate) exponent: Option<f64>,
}

/// Seconds from the start of a process.
#[derive(Clone, Copy, Debug)]
struct Times {
    listens: f64,
    scan: f64,
    compliance: f64,
}

/// Kills and starts servers with fleets of these sizes.
pub(crate) async fn measure(
    folder: &Path,
    sizes: &[usize],
    updates: usize,
    tell: &dyn Fn(&str),
) -> anyhow::Result<Figures> {
    let (mut rows, mut growth) = (Vec::new(), Vec::new());
    for size in sizes {
        let data = folder.join(format!("recovery-{size}"));
        tell(&format!("recovery: storing {size} computers that report on {updates} updates"));
        let fleet = Fleet::fill(&data, *size, updates, 0).await?;
        let listed = fleet.listed(LISTED);
        drop(fleet);
        fixture::released(&data).await?;
        let bench = Bench { data, size: *size, listed };
        let (more, seconds) = bench.rows(tell).await?;
        rows.extend(more);
        growth.push((*size as f64, seconds));
        std::fs::remove_dir_all(&bench.data)?;
    }
    Ok(Figures { rows, exponent: (growth.len() > 1).then(|| exponent(&growth)) })
}

/// A data folder with a fleet.
struct Bench {
    data: PathBuf,
    size: usize,
    listed: Vec<UpdateId>,
}

impl Bench {
    /// The rows, and the median seconds from a kill to the first answer to a scan.
    async fn rows(&self, tell: &dyn Fn(&str)) -> anyhow::Result<(Vec<Row>, f64)> {
        let site = Site::start(&self.data, &[])?;
        for (key, value) in [("computers.new_per_hour", "1000000"), ("calls.anonymous_burst", "1000000")] {
            // all computers call from one address here
            site.weir(&["settings", "set", key, value])?;
        }
        site.stop()?;
        let (mut killed, mut stopped) = (Vec::new(), Vec::new());
        let (mut lost, mut acknowledged) = (0, 0);
        for turn in 0..KILLS {
            tell(&format!("recovery: {} computers, kill {} of {KILLS}", self.size, turn + 1));
            let before = self.reported()?;
            let (cookie, good) = self.kill(turn as u64).await?;
            killed.push(self.start(&cookie)?.0);
            // stopped by force again, so that what is counted is what the first start left
            let stored = self.reported()?.saturating_sub(before);
            tell(&format!("recovery: {good} reports were acknowledged, {stored} are stored"));
            lost += good.saturating_sub(stored);
            acknowledged += good;
            let (_, site) = self.start(&cookie)?;
            site.stop()?;
            let (times, site) = self.start(&cookie)?;
            stopped.push(times);
            site.stop()?;
        }
        let middle = |of: fn(&Times) -> f64, all: &[Times]| median(all.iter().map(of).collect());
        let row = |case: &str, of: fn(&Times) -> f64, budget: &str| {
            let (value, orderly) = (middle(of, &killed), middle(of, &stopped));
            Row {
                case: format!("killed, until {case}"),
                revisions: self.size,
                value,
                unit: "s",
                baseline: Some("the same after a stop in good order"),
                ratio_null: Some(orderly / value),
                pairs: KILLS,
                budget: format!("{budget}{orderly:.3} s after a stop in good order"),
                ..Row::default()
            }
        };
        let rows = vec![
            row("it listens", |times| times.listens, ""),
            row("a scan is answered", |times| times.scan, ""),
            row("compliance is answered", |times| times.compliance, "the command's own start included; "),
            Row {
                case: "acknowledged reports lost".to_owned(),
                revisions: self.size,
                value: lost as f64,
                pairs: KILLS,
                budget: format!("of {acknowledged} that were acknowledged before the kills"),
                ..Row::default()
            }
            .within([Limit::most(0.0)]),
        ];
        let scan = middle(|times| times.scan, &killed);
        Ok((rows, scan))
    }

    /// Starts a server and kills it while computers report. A cookie of one of them, and how many reports were acknowledged.
    async fn kill(&self, turn: u64) -> anyhow::Result<(Cookie, u64)> {
        let site = Site::start(&self.data, &[])?;
        let (first, reporting) = (turn * REPORTING.1, (self.size as u64 / 10).clamp(REPORTING.0, REPORTING.1));
        let computers = introduce(site.url()?, first..first + reporting).await?;
        let cookie = computers.first().context("nobody was introduced")?.1.clone();
        let bodies = self.data.join(format!("recovery-{turn}.bodies"));
        let reports = computers.iter().map(|(id, cookie)| self.report(id, cookie));
        write_bodies(&bodies, &reports.collect::<anyhow::Result<Vec<_>>>()?)?;
        let command = Command {
            address: site.url()?.trim_start_matches("http://").parse()?,
            head: requests::report_head(requests::REPORTS),
            bodies: bodies.clone(),
            connections: CONNECTIONS,
            seconds: SECONDS,
            requests: Some(reporting),
            vary: true,
            rate: Some(reporting as f64 / SECONDS),
            others: Vec::new(),
        };
        let mut load = Load::start()?;
        let running = std::thread::spawn(move || load.run(&command));
        // in the middle of the reports, each time at another place
        let part = 0.4 + 0.05 * (turn % 5) as f64;
        tokio::time::sleep(Duration::from_secs_f64(SECONDS * part)).await;
        drop(site);
        let outcome = running.join().map_err(|_| anyhow::anyhow!("the load ended unexpectedly"))??;
        std::fs::remove_file(&bodies)?;
        Ok((cookie, acknowledged(&outcome, reporting)?))
    }

    fn report(&self, id: &str, cookie: &Cookie) -> anyhow::Result<Vec<u8>> {
        let at: Timestamp = TIME.parse()?;
        let listed: Vec<String> = self.listed.iter().map(|update| update.to_string().to_uppercase()).collect();
        let (needed, installed) = listed.split_at(listed.len() / 10);
        let lists = vec![format!("U={}", needed.join(";")), format!("V={}", installed.join(";"))];
        requests::report(id, cookie.clone(), at, lists)
    }

    /// Starts a server and asks it.
    fn start(&self, cookie: &Cookie) -> anyhow::Result<(Times, Site)> {
        let bodies = self.data.join("recovery-scan.bodies");
        let request = requests::software(cookie, Vec::new(), Vec::new(), 1);
        write_bodies(&bodies, &[requests::body(&request)])?;
        let mut load = Load::start()?;
        let started = Instant::now();
        let site = Site::start(&self.data, &[])?;
        let listens = started.elapsed().as_secs_f64();
        let outcome = load.run(&Command {
            address: site.url()?.trim_start_matches("http://").parse()?,
            head: requests::head(requests::PATH, true, false),
            bodies: bodies.clone(),
            connections: 1,
            seconds: 60.0,
            requests: Some(1),
            vary: false,
            rate: None,
            others: Vec::new(),
        })?;
        let scan = started.elapsed().as_secs_f64();
        ensure!(outcome.statuses.keys().eq([&200]), "the first scan: {outcome:?}");
        let summary: Value = site.weir(&["compliance", "summary"])?;
        let compliance = started.elapsed().as_secs_f64();
        ensure!(summary["computers"].as_u64().is_some_and(|count| count >= self.size as u64), "{summary}");
        std::fs::remove_file(&bodies)?;
        Ok((Times { listens, scan, compliance }, site))
    }

    /// How many computers have reported, by the database of a server that does not run.
    fn reported(&self) -> anyhow::Result<u64> {
        let store = Store::open(&self.data, &Options::default())?;
        let mut count = 0;
        store.read(|tx| {
            tx.feed_status_each(&mut |_, bytes| {
                let status = ComputerStatus::decode(bytes).unwrap_or_default();
                count += u64::from(status.reported.is_some());
            })
        })?;
        Ok(count)
    }
}

/// Reports that were acknowledged; there are some, and not all, or the kill came at the wrong moment.
fn acknowledged(outcome: &Outcome, reporting: u64) -> anyhow::Result<u64> {
    let good = outcome.statuses.get(&200).copied().unwrap_or_default();
    ensure!(good > 0, "no report was acknowledged before the kill: {outcome:?}");
    ensure!(good < reporting, "all reports were acknowledged before the kill: {outcome:?}");
    Ok(good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kill_at_the_wrong_moment_is_an_error() {
        let outcome = |good: u64| Outcome { statuses: [(200, good), (503, 4)].into(), ..Outcome::default() };
        assert_eq!(acknowledged(&outcome(700), 2_000).expect("some"), 700);
        assert!(acknowledged(&outcome(0), 2_000).is_err() && acknowledged(&outcome(2_000), 2_000).is_err());
    }
}
