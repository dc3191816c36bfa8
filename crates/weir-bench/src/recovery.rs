//! A server that is killed while computers report, and starts again: when it listens, when a computer gets an answer, when an
//! administrator does, and whether anything is gone that was acknowledged. In between the same after a stop in good order.
//!
//! What is gone is not found by counting: each report that was acknowledged is looked for in the database, with all that it listed.
//! One that was stored and not acknowledged any more would stand for one that was lost.
//!
//! The files are in the system's cache, as they are after a process died, and not after the machine did.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use weir_model::{
    ids::{ComputerId, UpdateId},
    status::ComputerStatus,
};
use weir_wire::wusp::Cookie;

use crate::{
    engine::{Engine, Home},
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
/// On a busy machine the kill may come at a wrong moment; then other computers take so many times as long, up to so many seconds.
const SLOWER: (f64, f64) = (2.0, 64.0);
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

/// What there was when a server was killed.
struct Cut {
    /// Of a computer that the server knows.
    cookie: Cookie,
    /// Computers whose report was acknowledged.
    acknowledged: Vec<ComputerId>,
}

/// Kills and starts servers with fleets of these sizes.
pub(crate) async fn measure(
    engine: &Engine,
    folder: &Path,
    sizes: &[usize],
    updates: usize,
    tell: &dyn Fn(&str),
) -> anyhow::Result<Figures> {
    let (mut rows, mut growth) = (Vec::new(), Vec::new());
    for size in sizes {
        let home = engine.home(folder.join(format!("recovery-{size}")))?;
        tell(&format!("recovery: storing {size} computers that report on {updates} updates"));
        let fleet = Fleet::fill(&home, *size, updates, 0).await?;
        let listed = fleet.listed(LISTED);
        drop(fleet);
        fixture::released(home.data()).await?;
        let bench = Bench { home, size: *size, listed };
        let (more, seconds) = bench.rows(tell).await?;
        rows.extend(more);
        growth.push((*size as f64, seconds));
        bench.home.remove()?;
    }
    Ok(Figures { rows, exponent: (growth.len() > 1).then(|| exponent(&growth)) })
}

/// A data folder and a database with a fleet.
struct Bench {
    home: Home,
    size: usize,
    listed: Vec<UpdateId>,
}

impl Bench {
    /// The rows, and the median seconds from a kill to the first answer to a scan.
    async fn rows(&self, tell: &dyn Fn(&str)) -> anyhow::Result<(Vec<Row>, f64)> {
        let site = Site::start(&self.home, &[])?;
        for (key, value) in [("computers.new_per_hour", "1000000"), ("calls.anonymous_burst", "1000000")] {
            // all computers call from one address here
            site.weir(&["settings", "set", key, value])?;
        }
        site.stop()?;
        let (mut killed, mut stopped) = (Vec::new(), Vec::new());
        let (mut lost, mut acknowledged) = (0, 0);
        // computers that never reported before
        let mut fresh = 0;
        for turn in 0..KILLS {
            tell(&format!("recovery: {} computers, kill {} of {KILLS}", self.size, turn + 1));
            let Cut { cookie, acknowledged: told } = self.kill(turn, &mut fresh, tell).await?;
            killed.push(self.start(&cookie)?.0);
            // stopped by force again, so that what is looked at is what the first start left
            let gone = self.gone(&told)?;
            tell(&format!("recovery: {} reports were acknowledged, {} of them are not stored", told.len(), gone.len()));
            for computer in &gone {
                tell(&format!("recovery: what {computer} reported was acknowledged, and is not stored"));
            }
            lost += gone.len();
            acknowledged += told.len();
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

    /// Starts a server and kills it while computers report, those from number `fresh` on; tried again with others where the
    /// moment was a wrong one.
    async fn kill(&self, turn: usize, fresh: &mut u64, tell: &dyn Fn(&str)) -> anyhow::Result<Cut> {
        let (times, longest) = SLOWER;
        let mut seconds = SECONDS;
        loop {
            let first = *fresh;
            *fresh += REPORTING.1;
            match self.cut(turn, first, seconds).await {
                Err(error) if error.is::<WrongMoment>() && seconds * times <= longest => {
                    seconds *= times;
                    tell(&format!("recovery: {error:#}; again, within {seconds} s"));
                }
                outcome => return outcome,
            }
        }
    }

    /// The same once: computers from number `first` on report within so many seconds.
    async fn cut(&self, turn: usize, first: u64, seconds: f64) -> anyhow::Result<Cut> {
        let site = Site::start(&self.home, &[])?;
        let reporting = (self.size as u64 / 10).clamp(REPORTING.0, REPORTING.1);
        let computers = introduce(site.url()?, first..first + reporting).await?;
        let cookie = computers.first().context("nobody was introduced")?.1.clone();
        let bodies = self.home.join(format!("recovery-{first}.bodies"));
        let reports = computers.iter().map(|(id, cookie)| self.report(id, cookie));
        write_bodies(&bodies, &reports.collect::<anyhow::Result<Vec<_>>>()?)?;
        let command = Command {
            address: site.url()?.trim_start_matches("http://").parse()?,
            head: requests::report_head(requests::REPORTS),
            bodies: bodies.clone(),
            connections: CONNECTIONS,
            seconds,
            requests: Some(reporting),
            vary: true,
            rate: Some(reporting as f64 / seconds),
            others: Vec::new(),
        };
        let mut load = Load::start()?;
        let running = std::thread::spawn(move || load.run(&command));
        // in the middle of the reports, each time at another place
        let part = 0.4 + 0.05 * (turn % 5) as f64;
        tokio::time::sleep(Duration::from_secs_f64(seconds * part)).await;
        drop(site);
        let outcome = running.join().map_err(|_| anyhow::anyhow!("the load ended unexpectedly"))??;
        std::fs::remove_file(&bodies)?;
        amid(&outcome, reporting)?;
        let good = outcome.good.0.iter().filter_map(|place| computers.get(usize::try_from(*place).ok()?));
        let acknowledged = good.map(|(id, _)| Ok(id.parse::<ComputerId>()?)).collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Cut { cookie, acknowledged })
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
        let bodies = self.home.join("recovery-scan.bodies");
        let request = requests::software(cookie, Vec::new(), Vec::new(), 1);
        write_bodies(&bodies, &[requests::body(&request)])?;
        let mut load = Load::start()?;
        let started = Instant::now();
        let site = Site::start(&self.home, &[])?;
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

    /// Those of these computers whose report is not stored, by the database of a server that does not run.
    fn gone<'c>(&self, acknowledged: &'c [ComputerId]) -> anyhow::Result<Vec<&'c ComputerId>> {
        let day: Timestamp = TIME.parse()?;
        let listed = self.listed.len();
        let store = self.home.open()?;
        let gone = store.read(|tx| {
            let mut gone = Vec::new();
            for computer in acknowledged {
                let status = match tx.computer_find(computer)? {
                    Some(row) => ComputerStatus::decode(&tx.computer_status(row.no)?.status).unwrap_or_default(),
                    None => ComputerStatus::default(),
                };
                if !is_stored(&status, day, listed) {
                    gone.push(computer);
                }
            }
            Ok(gone)
        })?;
        Ok(gone)
    }
}

/// Whether a status is that of a report of this day, with all that it listed.
fn is_stored(status: &ComputerStatus, day: Timestamp, listed: usize) -> bool {
    // the load generator gives each report a time of that day
    let is_of_day =
        |at: Timestamp| (SignedDuration::ZERO..SignedDuration::from_hours(24)).contains(&at.duration_since(day));
    status.reported.is_some() && status.as_of.is_some_and(is_of_day) && status.entries().len() == listed
}

/// The server was killed before a report was acknowledged, or after all were.
#[derive(Debug)]
struct WrongMoment {
    acknowledged: usize,
    reports: u64,
}

impl std::fmt::Display for WrongMoment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} reports were acknowledged before the kill", self.acknowledged, self.reports)
    }
}

impl std::error::Error for WrongMoment {}

/// Some reports were acknowledged, and not all.
fn amid(outcome: &Outcome, reports: u64) -> Result<(), WrongMoment> {
    let acknowledged = outcome.good.0.len();
    let is_amid = acknowledged > 0 && (acknowledged as u64) < reports;
    if is_amid { Ok(()) } else { Err(WrongMoment { acknowledged, reports }) }
}

#[cfg(test)]
mod tests {
    use weir_model::status::{State, Told, UpdateNumber};

    use super::*;
    use crate::load::Places;

    #[test]
    fn a_kill_at_the_wrong_moment_is_noticed() {
        let outcome = |good: u64| Outcome { good: Places((0..good).collect()), ..Outcome::default() };
        assert!(amid(&outcome(700), 2_000).is_ok());
        assert!(amid(&outcome(0), 2_000).is_err() && amid(&outcome(2_000), 2_000).is_err());
        let wrong = anyhow::Error::from(amid(&outcome(0), 2_000).expect_err("none"));
        assert!(wrong.is::<WrongMoment>(), "it is tried again");
    }

    #[test]
    fn a_report_is_stored_when_all_that_it_listed_is() {
        let day: Timestamp = TIME.parse().expect("a time");
        let status = |listed: u32, as_of: Timestamp| {
            let mut status = ComputerStatus::default();
            let told = |number| Told { update: UpdateNumber(number), state: State::Installed, changed: day };
            status.merge(true, (0..listed).map(told));
            (status.reported, status.as_of) = (Some(day), Some(as_of));
            status
        };
        let (noon, next) = (day + SignedDuration::from_hours(12), day + SignedDuration::from_hours(24));
        assert!(is_stored(&status(300, noon), day, 300));
        assert!(!is_stored(&status(299, noon), day, 300), "half of a report");
        // what a computer of the fleet had reported before
        assert!(!is_stored(&status(300, next), day, 300), "another report");
        assert!(!is_stored(&ComputerStatus::default(), day, 0), "no report");
    }
}
