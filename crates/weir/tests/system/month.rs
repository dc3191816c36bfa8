//! A month of an administrator: a rule finds what is needed, a pilot tries it, somebody approves, and production installs it
//! in its maintenance window, until everybody is compliant.

mod machine;

use std::{collections::BTreeSet, fs};

use jiff::{SignedDuration, Timestamp, Unit, tz::TimeZone};
use serde_json::{Value, json as value};
use weir_agent::{
    deploy::Due,
    fleet::{Fleet, Kind, Profile},
};
use weir_lab::world::{Shape, World};
use weir_testkit::WeirProcess;

use self::machine::{Day, Machine};
use crate::{json, run, server, write_documents};

const SEED: u64 = 7;
const COMPUTERS: u64 = 12;
const PILOTS: usize = 3;
/// What the month's rule looks for.
const CRITERIA: &str =
    "classification = \"Security Updates\" and released < 2 months and not superseded and needed > 0";
/// Scans in which a computer installs everything: stacks first, then the rest, then restarts.
const ROUNDS: i64 = 8;

#[test]
fn a_month_goes_from_the_rule_over_pilot_and_window_to_compliance() {
    let server = server();
    let world = catalogue(&server);
    run(async {
        let mut story = Story::new(&server);
        story.computers_register().await;
        story.the_rule_finds_what_is_needed(&world);
        story.pilot_and_production();
        story.the_pilot_installs().await;
        story.nothing_happens_until_somebody_approves();
        story.an_update_is_stopped_before_production().await;
        story.production_waits_for_its_window().await;
        story.production_installs_in_its_window().await;
        story.everybody_is_compliant();
    });
}

/// A believable catalogue with all its files and the licence text.
fn catalogue(server: &WeirProcess) -> World {
    let until = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let world = World::generate(Shape { updates: weir_lab::world::FEWEST, seed: SEED, until });
    let folder = tempfile::tempdir().expect("a folder");
    let (documents, content) = (folder.path().join("documents"), folder.path().join("content"));
    write_documents(&documents, world.documents());
    fs::create_dir_all(&content).expect("a folder");
    for payload in world.payloads().chain([&world.licence]) {
        payload.write_to(&content).expect("a file");
    }
    let imported = json(server, &["import", documents.to_str().expect("UTF-8")]);
    assert_eq!(imported["rejected"], 0, "{imported}");
    let added = json(server, &["content", "add", content.to_str().expect("UTF-8")]);
    assert_eq!(added["rejected"], 0, "{added}");
    // twelve new computers come at once, from one address
    json(server, &["settings", "set", "calls.anonymous_burst", "100000"]);
    world
}

/// The server, its computers, and what is known so far.
struct Story<'s> {
    server: &'s WeirProcess,
    machines: Vec<Machine>,
    /// The first so many machines are the pilot.
    pilots: usize,
    /// The update group that the rule made.
    group: String,
    members: BTreeSet<String>,
    /// The maintenance window of production.
    window: (Timestamp, Timestamp),
    /// An update of the group that is stopped for a while, and which machine of production needs it.
    bad: Option<(String, usize)>,
}

impl<'s> Story<'s> {
    fn new(server: &'s WeirProcess) -> Self {
        let fleet = Fleet::new(SEED, COMPUTERS, Profile { failure_rate: 0.0, ..Profile::default() });
        let day = Day::default();
        let machines = (0..COMPUTERS).map(|number| Machine::new(server, fleet.computer(number), &day)).collect();
        Self {
            server,
            machines,
            pilots: 0,
            group: String::new(),
            members: BTreeSet::new(),
            window: (Timestamp::MIN, Timestamp::MIN),
            bad: None,
        }
    }

    fn json(&self, arguments: &[&str]) -> Value {
        json(self.server, arguments)
    }

    fn wait_for(&self, arguments: &[&str], is_it: impl Fn(&Value) -> bool) -> Value {
        self.server.wait_for(arguments, is_it).unwrap_or_else(|error| panic!("{error:#}\n{}", self.server.log()))
    }

    /// Ids of the members of a collection.
    fn members_of(&self, collection: &str) -> BTreeSet<String> {
        texts(&self.json(&["collections", "members", collection, "--all"])["items"], "id")
    }

    /// Updates that a machine needs, as the server shows it.
    fn needs(&self, machine: &Machine) -> BTreeSet<String> {
        texts(&self.json(&["computers", "show", &machine.id()])["needed"], "id")
    }

    fn ids(machines: &[Machine]) -> BTreeSet<String> {
        machines.iter().map(Machine::id).collect()
    }

    fn percent(&self, collection: &str) -> Value {
        self.json(&["compliance", "summary", "--group", &self.group, "--collection", collection])
    }

    fn explained(&self, update: &str, machine: &Machine) -> Value {
        self.json(&["deployments", "explain", "--update", update, "--computer", &machine.id()])
    }

    /// Collections by rule are there before their computers; these fall into place as they register.
    async fn computers_register(&mut self) {
        self.json(&["collections", "create", "Pilot", "--direct"]);
        self.json(&["collections", "create", "Servers", "--rule", "server"]);
        self.json(&["collections", "create", "Production", "--rule", "server or workstation", "--exclude", "Pilot"]);
        for collection in ["Pilot", "Servers", "Production"] {
            assert_eq!(self.members_of(collection), BTreeSet::new(), "{collection}");
        }
        for at in 0..self.machines.len() {
            self.machines[at].detect().await;
            assert!(self.members_of("Production").contains(&self.machines[at].id()), "as soon as it registered");
        }
        let of_kind = |server: bool| {
            let machines = self.machines.iter().filter(|machine| (machine.computer.kind() == Kind::Server) == server);
            machines.map(Machine::id).collect::<BTreeSet<_>>()
        };
        assert!(!of_kind(true).is_empty() && !of_kind(false).is_empty(), "the fleet has both");
        assert_eq!(self.members_of("Servers"), of_kind(true));
        assert_eq!(self.members_of("Production"), Self::ids(&self.machines));
        self.wait_for(&["compliance", "summary"], |summary| {
            summary["computers"] == COMPUTERS && summary["counts"]["unknown"] == 0
        });
    }

    /// What a rule would do.
    fn preview(&self, which: &[&str]) -> Value {
        let preview = self.json(&[&["rules", "preview"], which].concat());
        let matched = preview["matched"].as_u64().expect("a number");
        assert!(matched > 0 && preview["problem"].is_null(), "{preview}");
        let rejected = preview["rejected"].as_array().expect("reasons");
        let left: u64 = rejected.iter().filter_map(|row| row["updates"].as_u64()).sum();
        assert_eq!(left + matched, preview["looked_at"].as_u64().expect("a number"), "{preview}");
        assert!(rejected.len() > 1 && rejected.iter().all(|row| row["reason"] != ""), "{preview}");
        preview
    }

    fn the_rule_finds_what_is_needed(&mut self, world: &World) {
        let careful = self.preview(&["--criteria", CRITERIA]);
        let schedule = "monthly second tuesday +1 at 02:00";
        let made = self.json(&[
            "rules",
            "create",
            "Monthly",
            "--criteria",
            CRITERIA,
            "--schedule",
            schedule,
            "--new-group",
            "{name} {month}",
            "--licences",
            "accept-all",
        ]);
        assert!(made["next_run"].is_string() && made["last_run"].is_null(), "{made}");
        let preview = self.preview(&["Monthly"]);
        let matched = preview["matched"].as_u64().expect("a number");
        let terms = preview["accepts_terms"].as_u64().expect("a number");
        assert!(terms > 0, "{preview}");
        assert_eq!(careful["matched"], matched - terms, "without anybody who accepts terms: {careful}");
        let left: u64 =
            preview["rejected"].as_array().into_iter().flatten().filter_map(|row| row["updates"].as_u64()).sum();
        assert_eq!(self.json(&["groups", "list"])["items"], value!([]), "a preview makes nothing");
        let ran = self.json(&["rules", "run", "Monthly"]);
        assert_eq!((&ran["result"], &ran["matched"]), (&value!("done"), &value!(matched)), "{ran}");
        ran["group"]["name"].as_str().expect("a group").clone_into(&mut self.group);
        assert!(self.group.starts_with("Monthly "), "{}", self.group);

        // what it took is what a careful administrator would have
        let shown = self.json(&["groups", "show", &self.group, "--all"]);
        self.members = texts(&shown["members"]["items"], "id");
        assert_eq!(self.members.len() as u64, matched, "{shown}");
        let current: BTreeSet<_> = world.current().map(|update| update.id.to_string()).collect();
        let odd: Vec<_> = self.members.difference(&current).collect();
        assert!(odd.is_empty(), "superseded, expired, or a preview: {odd:?}");

        let history = self.json(&["rules", "history", "Monthly"]);
        let run = &history["items"][0];
        assert_eq!((&run["trigger"], &run["group"]["name"]), (&value!("manual"), &value!(self.group)), "{history}");
        let number = run["no"].to_string();
        for (which, expected) in [("--matched", matched), ("--rejected", left)] {
            let told = self.json(&["rules", "run-show", &number, which, "--all"]);
            let told = told["items"].as_array().expect("updates");
            assert_eq!(told.len() as u64, expected, "{which}");
            assert!(told.iter().all(|row| row["reason"].as_str().is_some_and(|reason| !reason.is_empty())), "{which}");
        }
    }

    /// Three computers that need something become the pilot, and are in production no more; production gets its window, which
    /// begins in about an hour.
    fn pilot_and_production(&mut self) {
        let needing = |story: &Self, machine: &Machine| !story.needs(machine).is_disjoint(&story.members);
        let mut machines = std::mem::take(&mut self.machines);
        let mut at = 0;
        while self.pilots < PILOTS {
            assert!(at < machines.len(), "too few computers need something of the group");
            if needing(self, &machines[at]) {
                machines.swap(self.pilots, at);
                self.pilots += 1;
            }
            at += 1;
        }
        self.machines = machines;
        assert!(self.machines[self.pilots..].iter().filter(|machine| needing(self, machine)).count() > 2);

        let pilots: Vec<String> = self.machines[..self.pilots].iter().map(Machine::id).collect();
        let mut arguments = vec!["collections", "add", "Pilot", "--computer"];
        arguments.extend(pilots.iter().map(String::as_str));
        self.json(&arguments);
        assert_eq!(self.members_of("Pilot"), Self::ids(&self.machines[..self.pilots]));
        assert_eq!(self.members_of("Production"), Self::ids(&self.machines[self.pilots..]));
        let why = self.json(&["collections", "why", "Production", "--computer", &pilots[0]]);
        assert_eq!(why["member"], false, "{why}");

        let begins = Timestamp::now() + SignedDuration::from_mins(61);
        let begins = begins.to_zoned(TimeZone::UTC).round(Unit::Minute).expect("a minute").timestamp();
        self.window = (begins, begins + SignedDuration::from_hours(4));
        let schedule = format!("daily at {}", begins.to_zoned(TimeZone::UTC).strftime("%H:%M"));
        let arguments = ["--collection", "Production", "--schedule", &schedule, "--utc", "--duration", "4h"];
        let made = self.json(&[&["windows", "create", "Night"], &arguments[..]].concat());
        assert_eq!(made["warnings"], value!([]), "{made}");
        let next = self.json(&["windows", "next", "--collection", "Production"]);
        let next = &next["items"][0];
        assert_eq!((&next["starts_at"], &next["open"]), (&value!(begins.to_string()), &value!(false)), "{next}");
        let shown = self.json(&["computers", "show", &self.machines[self.pilots].id()]);
        assert_eq!(shown["next_window"]["starts_at"], begins.to_string(), "{shown}");
        let shown = self.json(&["computers", "show", &pilots[0]]);
        assert_ne!(shown["next_window"]["starts_at"], begins.to_string(), "the pilot has no window");
    }

    async fn the_pilot_installs(&mut self) {
        let phased = self.json(&[
            "phased",
            "create",
            "November",
            "--group",
            &self.group,
            "--phase",
            "Pilot,success=100%,max-failed=0,deadline-days=0,approval",
            "--phase",
            "Production,after-days=0,success=100%,max-failed=0,deadline-days=0",
        ]);
        assert_eq!(phased["status"], "running", "{phased}");
        let (pilot, production) = (&phased["phases"][0], &phased["phases"][1]);
        assert_eq!(pilot["status"], "active", "{phased}");
        assert_eq!((&production["status"], &production["deployment"]), (&value!("waiting"), &Value::Null), "{phased}");
        self.goes_out(&pilot["deployment"]);

        let mut stands = Value::Null;
        for round in 0..ROUNDS {
            for machine in &mut self.machines[..self.pilots] {
                machine.ahead = SignedDuration::from_mins(round * 3);
                machine.work().await;
            }
            stands = self.json(&["phased", "refresh", "November"]);
            assert_eq!(stands["phases"][0]["computers"]["targeted"], PILOTS, "{stands}");
            if stands["phases"][0]["computers"]["succeeded"] == PILOTS {
                break;
            }
        }
        assert_eq!(stands["phases"][0]["computers"]["succeeded"], PILOTS, "{stands}");
        assert!(self.machines[..self.pilots].iter().all(|machine| !machine.installed.is_empty()));
        assert_eq!(self.percent("Pilot")["percent"], 100.0);
        assert!(self.machines[self.pilots..].iter().all(|machine| machine.installed.is_empty()));
    }

    /// Waits until the deployment goes out with all its updates.
    fn goes_out(&self, deployment: &Value) -> Value {
        let shown = self.wait_for(&["deployments", "show", &deployment.to_string()], |it| {
            it["state"] == "active" && it["members"]["active"] == self.members.len()
        });
        assert_eq!((&shown["origin"], &shown["group"]["name"]), (&value!("rule"), &value!(self.group)), "{shown}");
        shown
    }

    fn nothing_happens_until_somebody_approves(&self) {
        let stands = self.json(&["phased", "refresh", "November"]);
        let (pilot, production) = (&stands["phases"][0], &stands["phases"][1]);
        assert_eq!((&stands["status"], &pilot["status"]), (&value!("running"), &value!("active")), "{stands}");
        let gate = pilot["gate"].as_str().expect("a gate");
        assert!(gate.contains("nobody approved"), "{gate}");
        assert_eq!((&production["status"], &production["deployment"]), (&value!("waiting"), &Value::Null), "{stands}");
        assert_eq!(self.json(&["deployments", "list", "--collection", "Production"])["items"], value!([]));
    }

    async fn an_update_is_stopped_before_production(&mut self) {
        // one that some computer needs beside another
        let found = (self.pilots..self.machines.len()).find_map(|at| {
            let needs: Vec<String> = self.needs(&self.machines[at]).intersection(&self.members).cloned().collect();
            if needs.len() > 1 { Some((needs[0].clone(), at)) } else { None }
        });
        let (bad, at) = found.expect("some computer needs two updates of the group");
        let stop = self.json(&["updates", "stop", &bad, "--reason", "it breaks printing"]);
        assert_eq!(stop["stop"]["reason"], "it breaks printing", "{stop}");

        let approved = self.json(&["phased", "approve", "November", "--note", "the help desk is quiet"]);
        assert_eq!(approved["phases"][0]["approved_by"], "administrator", "{approved}");
        let stands = self.json(&["phased", "refresh", "November"]);
        let states = |stands: &Value| [0, 1].map(|at| stands["phases"][at]["status"].clone());
        assert_eq!(states(&stands), ["completed", "active"], "{stands}");
        let deployment = stands["phases"][1]["deployment"].to_string();
        let shown = self.wait_for(&["deployments", "show", &deployment], |it| {
            it["members"]["active"] == self.members.len() - 1 && it["members"]["not_sent"] == 1
        });
        assert_eq!(shown["members"]["reasons"][0]["updates"], 1, "{shown}");

        self.production_scans().await;
        assert!(self.machines.iter().all(|machine| machine.offered.iter().all(|work| work.update != bad)));
        assert!(!self.machines[at].offered.is_empty(), "it is offered the others");
        assert_eq!(self.explained(&bad, &self.machines[at])["sent"], "detect");
        let production = self.machines.len() - self.pilots;
        let heard = self.wait_for(&["updates", "stop", &bad, "--status"], |it| it["heard"] == production);
        assert_eq!((&heard["computers"], &heard["not_yet_heard"]), (&value!(COMPUTERS), &value!(PILOTS)), "{heard}");
        self.json(&["updates", "resume", &bad]);
        assert_eq!(self.json(&["updates", "stops"])["items"], value!([]));
        self.goes_out(&stands["phases"][1]["deployment"]);
        self.bad = Some((bad, at));
    }

    /// Before the window: everything is known and downloaded, and nothing installed.
    async fn production_waits_for_its_window(&mut self) {
        self.production_scans().await;
        let (bad, at) = self.bad.as_ref().expect("it was stopped");
        assert!(self.machines[*at].offered.iter().any(|work| work.update == *bad), "it is offered again");
        let explained = self.explained(bad, &self.machines[*at]);
        assert_eq!(
            (&explained["sent"], &explained["deadline"]),
            (&value!("install"), &value!(self.window.0.to_string())),
            "what the computer is told: {explained}"
        );
        assert!(explained["why"].as_str().is_some_and(|why| why.contains("maintenance window")), "{explained}");
        let summary = self
            .wait_for(&["compliance", "summary", "--group", &self.group, "--collection", "Production"], |summary| {
                summary["counts"]["downloaded"].as_u64() > Some(0)
            });
        assert!(summary["percent"].as_f64() < Some(100.0), "{summary}");
    }

    /// Production scans while its clocks show what the server's shows. Whatever it is told to install, it is told to install
    /// in the window.
    async fn production_scans(&mut self) {
        // as much of the window must be left as an update may take
        let (begins, ends) = (self.window.0, self.window.1 - SignedDuration::from_hours(1));
        let mut deadlines = 0;
        for machine in &mut self.machines[self.pilots..] {
            machine.work().await;
            assert!(machine.installed.is_empty(), "before the window: {:?}", machine.installed);
            for work in &machine.offered {
                let Due::At(deadline) = work.due else { panic!("it is not due at a time: {work:?}") };
                assert!((begins..=ends).contains(&deadline), "{deadline} is not in the window, {:?}", self.window);
                assert!(work.downloaded, "files come before: {work:?}");
                deadlines += 1;
            }
        }
        assert!(deadlines > 0, "production is offered something");
    }

    async fn production_installs_in_its_window(&mut self) {
        let mut summary = Value::Null;
        for round in 0..ROUNDS {
            let at = self.window.0 + SignedDuration::from_mins(1 + round * 10);
            assert!(at < self.window.1, "it is done within the window");
            for machine in &mut self.machines[self.pilots..] {
                machine.ahead = at.duration_since(Timestamp::now());
                machine.work().await;
            }
            summary = self.percent("Production");
            if summary["percent"] == 100.0 {
                break;
            }
        }
        assert_eq!(summary["percent"], 100.0, "{summary}");
        let (bad, at) = self.bad.as_ref().expect("it was stopped");
        assert!(self.machines[*at].installed.contains(bad), "after all");
    }

    fn everybody_is_compliant(&self) {
        let stands = self.json(&["phased", "refresh", "November"]);
        assert_eq!(stands["status"], "completed", "{stands}");
        let production = &stands["phases"][1];
        let everybody = COMPUTERS - PILOTS as u64;
        assert_eq!(production["status"], "completed", "{stands}");
        assert_eq!(
            production["computers"],
            value!({"targeted": everybody, "succeeded": everybody, "failed": 0, "unknown": 0})
        );
        for (collection, computers) in
            [("Pilot", PILOTS as u64), ("Production", everybody), ("All Computers", COMPUTERS)]
        {
            let summary = self.percent(collection);
            assert_eq!((&summary["percent"], &summary["computers"]), (&value!(100.0), &value!(computers)), "{summary}");
        }
        let history = self.json(&["phased", "history", "November", "--all"]);
        let events = history["items"].as_array().expect("events");
        let steps: Vec<_> =
            events.iter().rev().map(|event| (event["step"].as_str(), event["phase"].as_u64())).collect();
        let expected = [
            ("start", Some(1)),
            ("reached", Some(1)),
            ("approve", Some(1)),
            ("complete", Some(1)),
            ("start", Some(2)),
            ("reached", Some(2)),
            ("complete", Some(2)),
            ("finish", None),
        ];
        assert_eq!(steps, expected.map(|(step, phase)| (Some(step), phase)), "{history}");
        let approval = events.iter().find(|event| event["step"] == "approve").expect("it was approved");
        assert!(approval["reason"].as_str().is_some_and(|why| why.contains("the help desk is quiet")), "{approval}");
        assert_eq!(approval["by"], "administrator", "{approval}");
        let alerts = self.json(&["alerts", "list", "--state", "open"]);
        let open = alerts["items"].as_array().expect("alerts").iter();
        // how full the disk of this machine is does not matter
        let open: Vec<&Value> = open.filter(|alert| alert["kind"] != "disk.low").collect();
        assert!(open.is_empty(), "{open:?}");
    }
}

/// The texts that a list of objects has under a name.
fn texts(list: &Value, name: &str) -> BTreeSet<String> {
    let list = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    list.iter().map(|row| row[name].as_str().expect("a text").to_owned()).collect()
}
