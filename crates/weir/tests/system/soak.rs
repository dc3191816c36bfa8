//! A site at work for a while: months of updates come, are deployed, scanned for, installed and cleaned up; backups are made, the
//! server is restarted and killed. At the end nothing has grown that should not, nothing is wrong, and nothing is lost.
//!
//! `cargo xtask soak` runs the long form, of this and of whatever else is called `soak_of`. What a backup has is measured, so the
//! database is the embedded one.

use std::{
    env, fs,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::runtime::Runtime;
use weir_model::{ids::UpdateId, update::CategoryKind};
use weir_testkit::{Document, Upstream, WeirProcess, upstream::Served};

use super::{crash::small_catalogue, durability::sound, id, json, reporter::Reporter, sqlite_server as server, store};

/// Updates of a month; each replaces one of the month before.
const EACH: u128 = 8;
/// Of these, so many are deployed.
const DEPLOYED: u128 = 2;
const TEN: &str = "<bar:WindowsVersion Comparison=\"GreaterThanOrEqualTo\" MajorVersion=\"10\" MinorVersion=\"0\" />";

/// What a process may grow from the first third of the time to the last: caches fill, and an allocator keeps what it got.
const MEMORY_SHARE: u64 = 30;
const MEMORY_BYTES: u64 = 48 << 20;
/// Connections that happen to be open.
const DESCRIPTORS: u64 = 24;
/// What the database may grow: what was stored meanwhile is kept for weeks, and is bounded by its number.
const DATABASE_SHARE: u64 = 25;
const UPDATE_BYTES: u64 = 64 << 10;
const EVENT_BYTES: u64 = 2 << 10;

/// How long the long forms take.
pub(super) fn minutes() -> Duration {
    Duration::from_mins(number("SOAK_MINUTES", 1))
}

/// What random moments follow from.
pub(super) fn seed() -> u64 {
    number("SOAK_SEED", 1)
}

fn number(name: &str, otherwise: u64) -> u64 {
    env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// What a server takes, at the end of a month.
#[derive(Clone, Copy, Debug)]
struct Sample {
    resident: u64,
    descriptors: u64,
    /// Bytes of a backup, which are those of the database without its log and what is unused.
    database: u64,
    /// Stored so far.
    updates: u64,
    events: u64,
}

struct Site {
    server: WeirProcess,
    upstream: Upstream,
    /// Modelled computers.
    computers: String,
    /// Months so far.
    months: u128,
    deployments: Vec<String>,
    events: u64,
}

impl Site {
    /// A site with a source and somebody who reports whatever happens.
    fn new(computers: u32, runtime: &Runtime) -> (Self, Reporter) {
        let server = server();
        let (shelf, updates) = small_catalogue(&server, 60);
        let reporter = runtime.block_on(Reporter::known(&server, 1, &shelf, &updates));
        let upstream = Upstream::start(Served::new().with([
            Document::category(id(0xfa01), 1, CategoryKind::Company).title("A company"),
            Document::category(id(0xfa02), 1, CategoryKind::Product).title("A system").in_category(id(0xfa01)),
            Document::category(id(0xfa03), 1, CategoryKind::UpdateClassification).title("Monthly"),
            Document::detectoid(id(0xfa04), 1).title("Windows 10 and later").installed_if(TEN).requires(id(0xfa02)),
        ]));
        for (key, value) in [
            ("source", upstream.url().as_str()),
            ("cleanup.superseded", "immediately"),
            ("cleanup.keep_until_deployed", "false"),
            ("cleanup.declined_days", "1"),
        ] {
            json(&server, &["settings", "set", key, value]);
        }
        json(&server, &["sync", "now", "--wait"]);
        json(&server, &["products", "set", "--id", &id(0xfa02).to_string()]);
        json(&server, &["classifications", "set", "--all"]);
        let computers = computers.to_string();
        (Self { server, upstream, computers, months: 0, deployments: Vec::new(), events: 0 }, reporter)
    }

    /// An update of a month.
    fn update(month: u128, number: u128) -> UpdateId {
        id(0x10_0000 + month * EACH + number)
    }

    /// One month: what is new comes and is deployed, everybody scans and installs, the old is cleaned up, a backup is made.
    fn month(&mut self, runtime: &Runtime, reporter: &mut Reporter) -> Sample {
        let month = self.months;
        self.months += 1;
        self.upstream.change(|served| {
            for number in 0..EACH {
                let document = Document::software(Self::update(month, number), 1)
                    .title(&format!("Month {month}, update {number}"))
                    .requires(id(0xfa04))
                    .in_category(id(0xfa02))
                    .in_category(id(0xfa03));
                let replaces = month.checked_sub(1).map(|before| Self::update(before, number));
                served.add(&replaces.map_or(document.clone(), |before| document.supersedes(before)));
            }
        });
        let server = &self.server;
        json(server, &["sync", "now", "--wait"]);
        for deployment in self.deployments.drain(..) {
            assert_eq!(server.json_with_code(&["deployments", "delete", &deployment]).expect("an answer").0, 0);
        }
        for number in 0..DEPLOYED {
            let update = Self::update(month, number).to_string();
            let create = ["deployments", "create", "--update", &update, "--collection", "All Computers"];
            let made = json(server, &[&create[..], &["--action", "install"]].concat());
            self.deployments.push(made["id"].to_string());
        }
        let url = server.client_url();
        let fleet = ["simulate", "--server", &url, "--computers", &self.computers, "--speed", "full", "--install"];
        let (code, report) = server.json_with_code(&[&fleet[..], &["--connections", "20"]].concat()).expect("a report");
        assert_eq!(code, 0, "month {month}: {report}\n{}", server.log());
        let phases = ["preparation", "measured", "rescan"].iter().filter_map(|phase| report[*phase]["events"].as_u64());
        self.events += phases.sum::<u64>();
        for _ in 0..3 {
            // nothing may be left to report in a long run
            runtime.block_on(reporter.report()).expect("a report");
        }
        let cleaned = json(server, &["cleanup", "run", "--wait"]);
        assert_eq!(cleaned["state"], "done", "month {month}: {cleaned}");
        let made = json(server, &["backup", "create"]);
        let backup = made["path"].as_str().expect("a path");
        json(server, &["backup", "verify", backup]);
        fs::remove_dir_all(backup).expect("one is enough");
        self.sample(made["bytes"].as_u64().expect("bytes"))
    }

    fn sample(&self, database: u64) -> Sample {
        let process = format!("/proc/{}", self.server.id());
        let status = fs::read_to_string(format!("{process}/status")).expect("what the system knows of it");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        let resident: u64 = resident.trim().trim_end_matches(" kB").parse().expect("a number");
        Sample {
            resident: resident << 10,
            descriptors: fs::read_dir(format!("{process}/fd")).expect("its files").count() as u64,
            database,
            updates: (self.months * EACH) as u64,
            events: self.events,
        }
    }

    /// Compliance as the index has it: of all computers, and of each update.
    fn counted(&self) -> (Value, Value) {
        let mut summary = json(&self.server, &["compliance", "summary"]);
        summary["as_of"] = Value::Null;
        let updates = json(&self.server, &["compliance", "updates", "--all"])["items"].take();
        (summary, updates)
    }

    /// Ends the server, in good order or not, and starts it again: what it counts anew is what it had counted.
    fn restart(&mut self, runtime: &Runtime, reporter: &mut Reporter, kill: bool) {
        let before = self.counted();
        if kill {
            self.server.kill().expect("killed");
        } else {
            assert!(self.server.stop().expect("it stops"), "{}", self.server.log());
        }
        self.server.restart().unwrap_or_else(|error| panic!("{error:#}\n{}", self.server.log()));
        assert_eq!(self.counted(), before, "a recount after a restart, killed: {kill}");
        reporter.agent.move_to(&self.server.client_url()).expect("an address");
        runtime.block_on(reporter.settle());
        reporter.check_status(&self.server, "after a restart");
    }

    /// Whatever ran, this holds.
    fn check(mut self, reporter: &Reporter) {
        let log = self.server.log();
        let wrong: Vec<&str> =
            log.lines().filter(|line| line.contains(" ERROR ") || line.contains("panicked at")).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        json(&self.server, &["alerts", "evaluate"]);
        let alerts = json(&self.server, &["alerts", "list", "--state", "open", "--all"]);
        let serious = alerts["items"].as_array().expect("alerts").iter().filter(|alert| {
            let kind = alert["kind"].as_str().expect("a kind");
            // modelled computers begin anew each month, as those do that are installed from an image; the disk is this machine's
            !kind.starts_with("computers.") && kind != "disk.low"
        });
        assert_eq!(serious.collect::<Vec<_>>(), Vec::<&Value>::new());
        let status = json(&self.server, &["status"]);
        assert_eq!(status["counts"]["revisions"], status["snapshot"]["revisions"], "{status}");
        sound(self.server.data(), "at the end");
        assert!(self.server.stop().expect("it stops"), "{}", self.server.log());
        reporter.check_events(&store(self.server.data()));
    }
}

/// The most in the last third against the most in the first.
fn check_growth(samples: &[Sample]) {
    let third = samples.len() / 3;
    let (first, last) = (&samples[..third], &samples[samples.len() - third..]);
    let most =
        |of: fn(&Sample) -> u64| [first, last].map(|third| third.iter().map(of).max().expect("three months at least"));
    let share = |bytes: u64, percent: u64| bytes + bytes * percent / 100;
    let [before, after] = most(|sample| sample.resident);
    assert!(after <= share(before, MEMORY_SHARE) + MEMORY_BYTES, "memory: {samples:#?}");
    let [before, after] = most(|sample| sample.descriptors);
    assert!(after <= before + DESCRIPTORS, "open files: {samples:#?}");
    let [before, after] = most(|sample| sample.database);
    let [updates, more_updates] = most(|sample| sample.updates);
    let [events, more_events] = most(|sample| sample.events);
    let stored = (more_updates - updates) * UPDATE_BYTES + (more_events - events) * EVENT_BYTES;
    assert!(after <= share(before, DATABASE_SHARE) + stored, "the database: {samples:#?}");
}

/// Works for a while, then through restarts.
fn soak(lasts: Duration, computers: u32) {
    let begun = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let (mut site, mut reporter) = Site::new(computers, &runtime);
    let mut samples = Vec::new();
    // one process all the time: what it loses shows
    while samples.len() < 3 || begun.elapsed() < lasts.mul_f64(0.8) {
        samples.push(site.month(&runtime, &mut reporter));
    }
    check_growth(&samples);
    let mut restarts = 0;
    while restarts < 2 || begun.elapsed() < lasts {
        site.restart(&runtime, &mut reporter, restarts % 2 == 0);
        restarts += 1;
        if begun.elapsed() < lasts {
            site.month(&runtime, &mut reporter);
        }
    }
    site.check(&reporter);
}

#[test]
fn a_site_at_work_does_not_grow_and_loses_nothing() {
    soak(Duration::ZERO, 24);
}

/// The same for as long as `cargo xtask soak` says.
#[test]
#[ignore = "takes as long as it is told to: cargo xtask soak"]
fn soak_of_a_site() {
    soak(minutes(), 300);
}
