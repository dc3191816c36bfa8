//! Front ends that are killed while simulated computers scan and report through all of them.
//!
//! `FRONT_END_COMPUTERS` says how many computers there are; without it as many as a build of this kind can serve in the minute in
//! which they arrive.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;
use weir_model::{ids::UpdateId, update::CategoryKind};
use weir_testkit::{Balancer, Computer, Document, Random, WeirProcess, agent::AgentState, engine::Direct};

use super::{
    super::{alone, id, json, soak, write_documents},
    approve,
    site::{PATIENCE, Site, TAKEOVER, all_had, eventually, names},
};

const TEN: &str = "<bar:WindowsVersion Comparison=\"GreaterThanOrEqualTo\" MajorVersion=\"10\" MinorVersion=\"0\" />";

/// Front ends.
pub(super) const COUNT: usize = 3;
/// Of a first scan with few updates; a debug build is slower by so much.
const COMPUTERS: u32 = if cfg!(debug_assertions) { 400 } else { 2_000 };
/// Scans at one time: few, so that each is short and few are cut.
const CONNECTIONS: &str = if cfg!(debug_assertions) { "8" } else { "24" };
/// What is deployed, and installed by the computers.
pub(super) const DEPLOYED: usize = 3;

pub(super) fn computers() -> u32 {
    let named = env::var("FRONT_END_COMPUTERS").ok();
    named.map_or(COMPUTERS, |text| text.parse().unwrap_or_else(|_| panic!("no number of computers: {text}")))
}

/// A process of somebody else's computers; it ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // after a failure; one that has ended is not there any more
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Simulated computers at work.
pub(super) struct Simulation {
    process: Running,
    folder: TempDir,
}

impl Simulation {
    pub(super) fn start(url: &str, computers: u32, seed: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| File::create(folder.path().join(name)).expect("a file");
        let process = Command::new(env!("CARGO_BIN_EXE_weir"))
            .args(["simulate", "--json", "--install", "--pause", "1s", "--connections", CONNECTIONS, "--server", url])
            .args(["--computers", &computers.to_string(), "--seed", &seed.to_string(), "--acknowledged"])
            .arg(folder.path().join("events"))
            .stdin(Stdio::null())
            .stdout(file("report"))
            .stderr(file("progress"))
            .spawn()
            .expect("it starts");
        Self { process: Running(process), folder }
    }

    pub(super) fn is_running(&mut self) -> bool {
        self.process.0.try_wait().expect("a state").is_none()
    }

    /// The file of acknowledged events, once all is done: every computer came through, and agrees with the servers.
    pub(super) fn end(&mut self, computers: u32) -> PathBuf {
        let status = self.process.0.wait().expect("it ends");
        let read = |name: &str| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        let text = read("report");
        let report: Value =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}: {text}{}", read("progress")));
        // nobody gave up, and a second rescan brought nothing
        assert_eq!(status.code(), Some(0), "{report}");
        assert_eq!(report["measured"]["scans"], computers, "{report}");
        for phase in ["measured", "rescan"] {
            // what an agent sees is a connection that is gone, or that it should come again, and that is all
            let kinds = |field: &str| report[phase][field].as_object().expect("counts by kind").keys();
            assert!(kinds("faults").all(|code| code == "ServerBusy"), "{report}");
            assert_eq!(kinds("http_statuses").next(), None, "{report}");
            assert!(kinds("broken_calls").all(|kind| matches!(&**kind, "cut" | "refused" | "timed_out")), "{report}");
        }
        self.folder.path().join("events")
    }
}

/// What computers were told that the servers have.
#[derive(Default)]
pub(super) struct Acknowledged {
    /// Events about updates.
    of_updates: BTreeSet<String>,
    /// The last event of each kind about a computer itself.
    of_computers: BTreeMap<(String, String), String>,
}

impl Acknowledged {
    pub(super) fn add(&mut self, file: &Path) {
        for line in fs::read_to_string(file).expect("the file").lines() {
            let event: Value = serde_json::from_str(line).expect("an event");
            let text = |field: &str| event[field].as_str().expect("a text").to_owned();
            let instance = text("instance").replace('-', "");
            if event["update"].is_null() {
                self.of_computers.insert((text("computer"), event["event"].to_string()), instance);
            } else {
                assert!(self.of_updates.insert(instance), "acknowledged twice: {event}");
            }
        }
    }

    /// Each is stored, once, and nothing else is.
    fn check(&self, database: &Direct) {
        let rows = database.query("SELECT instance_id FROM event", &[]);
        let stored: BTreeSet<String> = rows.iter().map(|row| row[0].to_lowercase()).collect();
        assert_eq!(stored.len(), rows.len(), "an event twice");
        let lost = self.of_updates.difference(&stored).count();
        let more = stored.difference(&self.of_updates).count();
        assert_eq!((lost, more), (0, 0), "lost, and never acknowledged, of {}", stored.len());
        assert!(stored.len() > DEPLOYED, "computers install: {}", stored.len());
        let rows = database.query(
            "SELECT c.computer_id, e.event_id, e.instance_id FROM computer_event e \
             JOIN computer c ON c.computer_no = e.computer_no",
            &[],
        );
        let stored: BTreeMap<(String, String), String> =
            rows.into_iter().map(|row| ((row[0].clone(), row[1].clone()), row[2].to_lowercase())).collect();
        let rows = database.query(
            "SELECT c.computer_id, s.recent_events FROM computer_status s JOIN computer c ON c.computer_no = s.computer_no",
            &[],
        );
        let recent: BTreeMap<String, String> =
            rows.into_iter().map(|row| (row[0].clone(), row[1].to_lowercase())).collect();
        for (key, instance) in &self.of_computers {
            if key.1 == "156" {
                // the status is all that it says, and its id is remembered
                let ids = recent.get(&key.0);
                assert!(ids.is_some_and(|ids| ids.contains(instance)), "{key:?}: not {instance} among {ids:?}");
                continue;
            }
            let there = stored.get(key);
            // a newer scan says all that a failed one said, so that may be the last word without an answer
            let is_scan = key.1 == "147";
            assert!(there.is_some_and(|there| !is_scan || there == instance), "{key:?}: {there:?}, not {instance}");
        }
    }
}

/// Kills and restarts front ends for as long as somebody is at work, and lets an administrator work on those that are there. Gives
/// how often one ended.
fn disturb(
    site: &mut Site,
    balancer: &Balancer,
    simulation: &mut Simulation,
    random: &mut Random,
    made: &mut BTreeSet<String>,
) -> u32 {
    let mut ends = 0;
    let pause = |random: &mut Random, most: f64| thread::sleep(Duration::from_secs_f64(most * random.fraction()));
    while simulation.is_running() {
        pause(random, 3.0);
        let number = random.below(COUNT);
        if random.chance(0.75) {
            site.fronts[number].kill().expect("killed");
            balancer.set(number, None);
        } else {
            // as in an upgrade: nothing comes any more, then it ends
            balancer.set(number, None);
            pause(random, 0.5);
            assert!(site.fronts[number].stop().expect("it stops"), "{}", site.fronts[number].log());
        }
        let name = format!("Group {:04}", made.len());
        json(&site.fronts[(number + 1) % COUNT], &["groups", "create", &name]);
        made.insert(name);
        pause(random, 2.0);
        site.fronts[number].restart().unwrap_or_else(|error| panic!("{error:#}"));
        balancer.set(number, Some(&site.fronts[number].client_url()));
        ends += 1;
    }
    ends
}

/// A catalogue of which computers with Windows 10 and later need everything. Gives its updates.
pub(super) fn import(front: &WeirProcess) -> Vec<UpdateId> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut documents = vec![
        Document::category(id(1), 1, CategoryKind::Company).title("A company"),
        Document::category(id(2), 1, CategoryKind::UpdateClassification).title("A classification"),
        Document::category(id(3), 1, CategoryKind::Product).title("A product").in_category(id(1)),
        Document::detectoid(id(4), 1).title("Windows 10 and later").installed_if(TEN).requires(id(3)),
    ];
    let updates: Vec<UpdateId> = (100..112).map(id).collect();
    for update in &updates {
        let document = Document::software(*update, 1).title("An update").requires(id(4));
        documents.push(document.in_category(id(2)).in_category(id(3)));
    }
    write_documents(folder.path(), &documents);
    json(front, &["import", folder.path().to_str().expect("UTF-8")]);
    updates
}

/// Compliance as a front end counts it.
fn summary(front: &WeirProcess) -> Value {
    let mut summary = json(front, &["compliance", "summary"]);
    summary["as_of"] = Value::Null;
    summary
}

fn killed_under_load(computers: u32, lasts: Duration, seed: u64) {
    let begun = Instant::now();
    let mut random = Random::new(seed);
    let mut site = Site::new(COUNT);
    let updates = import(&site.fronts[0]);
    for update in &updates[..DEPLOYED] {
        approve(&site.fronts[1], &update.to_string());
    }
    let balancer = Balancer::over(COUNT);
    for (number, front) in site.fronts.iter().enumerate() {
        balancer.set(number, Some(&front.client_url()));
    }
    let (mut acknowledged, mut made, mut ends, mut rounds) = (Acknowledged::default(), BTreeSet::new(), 0, 0);
    while rounds == 0 || begun.elapsed() < lasts {
        let mut simulation = Simulation::start(&balancer.url(), computers, seed);
        ends += disturb(&mut site, &balancer, &mut simulation, &mut random, &mut made);
        acknowledged.add(&simulation.end(computers));
        rounds += 1;
    }
    let answered = balancer.answered();
    assert!(ends > 1 && answered.iter().all(|count| *count > 0), "{ends} ends, {answered:?}");
    quiet(&mut site, computers, &acknowledged, &made);
}

/// Nobody is at work any more: all that was acknowledged is there, once, and every front end says the same of it.
pub(super) fn quiet(site: &mut Site, computers: u32, acknowledged: &Acknowledged, made: &BTreeSet<String>) {
    let database = Direct::at(site.database.url());
    acknowledged.check(&database);
    assert_eq!(database.number("SELECT count(*) FROM computer", &[]), i64::from(computers));
    let first = summary(&site.fronts[0]);
    assert_eq!(first["computers"], computers);
    for front in &site.fronts {
        eventually("all count the same", PATIENCE, || summary(front) == summary(&site.fronts[0]));
    }
    let groups = json(&site.fronts[0], &["groups", "list", "--all"]);
    let groups =
        groups["items"].as_array().expect("groups").iter().map(|group| group["name"].as_str().expect("a name"));
    let mut groups: Vec<&str> = groups.collect();
    groups.sort_unstable();
    assert!(groups.iter().copied().eq(made.iter().map(String::as_str)), "each once: {groups:?}");
    eventually("each duty is had once", TAKEOVER, || {
        let health = site.health(&site.fronts[0]);
        names(&health).len() == COUNT && all_had(&health, &names(&health))
    });
    let told = site.same_everywhere(&Computer::numbered(1), &AgentState::default());
    assert_eq!(told.offered.len(), DEPLOYED, "{told:?}");
    let known: BTreeSet<&str> = acknowledged.of_computers.keys().map(|(computer, _)| computer.as_str()).collect();
    for computer in known.iter().step_by(known.len() / 3 + 1) {
        site.same_everywhere(&Computer::new(computer, "simulated.example.test"), &AgentState::default());
    }
    // one that counts all anew counts the same
    let before = summary(&site.fronts[0]);
    assert!(site.fronts[0].stop().expect("it stops"), "{}", site.fronts[0].log());
    site.fronts[0].restart().expect("it starts again");
    assert_eq!(summary(&site.fronts[0]), before);
    site.check_logs();
}

#[test]
fn front_ends_killed_under_load_lose_and_double_nothing() {
    let _turn = alone();
    killed_under_load(computers(), Duration::ZERO, soak::seed());
}

/// The same, again and again, for as long as `cargo xtask soak` says.
#[test]
#[ignore = "takes as long as it is told to: cargo xtask soak"]
fn soak_of_front_ends() {
    killed_under_load(computers(), soak::minutes(), soak::seed());
}
