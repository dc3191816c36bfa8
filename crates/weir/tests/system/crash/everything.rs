//! Everything at once, and the power is cut in the middle, again and again: reports, decisions, imports, content,
//! synchronizations.
//!
//! A ledger has what was asked for and what was answered. After each cut what was answered is there, what was not is there whole or
//! not at all, and nothing is there that nobody asked for.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use weir_model::{ids::UpdateId, update::CategoryKind};
use weir_testkit::{Document, Payload, Random, Upstream, WeirProcess, http::Connection, upstream::Served};

use super::{
    super::{Shelf, durability::sound, id, json, reporter::Reporter, server, store, write_documents},
    a_while, cut, restart, small_catalogue,
};

/// Updates that are deployed, files that are brought, in one round at the most.
const EACH: usize = 40;
/// Documents of an import, and of a synchronization.
const BATCH: u128 = 6;

/// What somebody asks for.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Thing {
    Collection(String),
    Content(usize),
    Deployment(UpdateId),
    Import(u128),
    Synchronized(u128),
}

/// What is known of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// It was asked for, and that was not answered.
    Asked,
    There,
    /// It was asked to go, and that was not answered.
    Leaving,
    Gone,
}

type Ledger = BTreeMap<Thing, State>;

/// Documents of an import or a synchronization, by its number.
fn batch(thing: &Thing) -> Range<u128> {
    let first = match thing {
        Thing::Import(number) => 0x10_0000 + number * BATCH,
        Thing::Synchronized(number) => 0x20_0000 + number * BATCH,
        _ => return 0..0,
    };
    first..first + BATCH
}

/// What runs commands one after the other until the cut.
struct Worker<'w> {
    server: &'w WeirProcess,
    is_cut: &'w AtomicBool,
    answers: &'w AtomicUsize,
    asked: Vec<(Thing, State)>,
}

impl Worker<'_> {
    /// Asks for something, which becomes `done`. What is printed; none after the cut, before which nothing may fail.
    fn ask(&mut self, thing: Thing, asked: State, done: State, arguments: &[&str]) -> Option<Value> {
        self.asked.push((thing.clone(), asked));
        let (code, said) = self.server.json_with_code(arguments).expect("an answer");
        if code != 0 {
            let is_cut = self.is_cut.load(Ordering::SeqCst);
            assert!(is_cut, "{arguments:?} ended with {code} before the cut: {said}\n{}", self.server.log());
            return None;
        }
        self.asked.push((thing, done));
        self.answers.fetch_add(1, Ordering::SeqCst);
        Some(said)
    }

    fn ask_for(&mut self, thing: Thing, arguments: &[&str]) -> Option<Value> {
        self.ask(thing, State::Asked, State::There, arguments)
    }

    /// Deploys one update after the other, and takes every third deployment back.
    fn decide(&mut self, updates: &[UpdateId]) -> Option<()> {
        for (at, update) in updates.iter().enumerate() {
            let (thing, text) = (Thing::Deployment(*update), update.to_string());
            let create =
                ["deployments", "create", "--update", &text, "--collection", "All Computers", "--action", "optional"];
            let made = self.ask_for(thing.clone(), &create)?;
            if at % 3 == 2 {
                self.ask(thing, State::Leaving, State::Gone, &["deployments", "delete", &made["id"].to_string()])?;
            }
        }
        Some(())
    }

    fn name(&mut self, round: usize) -> Option<()> {
        for number in 0..EACH {
            let name = format!("Ring {round:03} {number:03}");
            self.ask_for(Thing::Collection(name.clone()), &["collections", "create", &name])?;
        }
        Some(())
    }

    fn import(&mut self, bench: &Bench, first: u128) -> Option<()> {
        for number in first..first + EACH as u128 {
            let thing = Thing::Import(number);
            let folder = bench.folder.path().join(format!("import-{number}"));
            let documents: Vec<Document> = batch(&thing).map(|number| bench.shelved(number)).collect();
            write_documents(&folder, &documents);
            self.ask_for(thing, &["import", folder.to_str().expect("UTF-8"), "--force"])?;
        }
        Some(())
    }

    fn bring(&mut self, bench: &Bench, first: usize) -> Option<()> {
        for (number, file) in bench.files.iter().enumerate().skip(first).take(EACH) {
            self.ask_for(Thing::Content(number), &["content", "add", file.to_str().expect("UTF-8")])?;
        }
        Some(())
    }

    fn synchronize(&mut self, bench: &Bench, first: u128) -> Option<()> {
        for number in first..first + EACH as u128 {
            let thing = Thing::Synchronized(number);
            bench.upstream.change(|served| {
                for number in batch(&thing) {
                    served.add(&synchronized(number));
                }
            });
            self.ask_for(thing, &["sync", "now", "--wait"])?;
        }
        Some(())
    }
}

/// An update of the upstream server.
fn synchronized(number: u128) -> Document {
    Document::software(id(number), 1).title("From above").in_category(id(0xfa02)).in_category(id(0xfa03))
}

struct Bench {
    upstream: Upstream,
    folder: TempDir,
    shelf: Shelf,
    updates: Vec<UpdateId>,
    payloads: Vec<Payload>,
    files: Vec<PathBuf>,
}

impl Bench {
    /// A server with a catalogue, a source that it follows, and files to bring.
    fn new(server: &WeirProcess, rounds: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (shelf, updates) = small_catalogue(server, (rounds * EACH) as u128);
        let payloads: Vec<Payload> = (0..rounds * EACH)
            .map(|number| Payload::random(&format!("file-{number}.cab"), 100_000, number as u64))
            .collect();
        let with_files: Vec<Document> = (0x30_0000..)
            .zip(&payloads)
            .map(|(number, payload)| Document::software(id(number), 1).title("With a file").file(payload))
            .collect();
        write_documents(&folder.path().join("metadata"), &with_files);
        json(server, &["import", folder.path().join("metadata").to_str().expect("UTF-8")]);
        let files = payloads.iter().map(|payload| payload.write_to(folder.path()).expect("a file")).collect();
        let upstream = Upstream::start(Served::new().with([
            Document::category(id(0xfa01), 1, CategoryKind::ProductFamily).title("Family"),
            Document::category(id(0xfa02), 1, CategoryKind::Product).title("From above").in_category(id(0xfa01)),
            Document::category(id(0xfa03), 1, CategoryKind::UpdateClassification).title("Above"),
        ]));
        json(server, &["settings", "set", "source", &upstream.url()]);
        json(server, &["sync", "now", "--wait"]);
        json(server, &["products", "set", "--id", &id(0xfa01).to_string()]);
        json(server, &["classifications", "set", "--all"]);
        Self { upstream, folder, shelf, updates, payloads, files }
    }

    /// An update that is imported.
    fn shelved(&self, number: u128) -> Document {
        let document = Document::software(id(number), 1).title("Imported").in_category(self.shelf.product);
        document.in_category(self.shelf.classification)
    }

    /// Lets everybody work until the power is cut, and gives what was asked and how long that took.
    fn work(&self, server: &WeirProcess, round: usize, random: &mut Random) -> (Vec<(Thing, State)>, Duration) {
        let (is_cut, answers) = (AtomicBool::new(false), AtomicUsize::new(0));
        let worker = || Worker { server, is_cut: &is_cut, answers: &answers, asked: Vec::new() };
        let (first, updates) = (round * EACH, &self.updates[round * EACH..][..EACH]);
        std::thread::scope(|scope| {
            let all = [
                scope.spawn(|| with(worker(), |worker| worker.decide(updates))),
                scope.spawn(|| with(worker(), |worker| worker.name(round))),
                scope.spawn(|| with(worker(), |worker| worker.import(self, first as u128))),
                scope.spawn(|| with(worker(), |worker| worker.bring(self, first))),
                scope.spawn(|| with(worker(), |worker| worker.synchronize(self, first as u128))),
            ];
            // on a slow machine a command alone takes longer than the while
            let patience = Instant::now();
            while answers.load(Ordering::SeqCst) == 0 && patience.elapsed() < Duration::from_secs(60) {
                std::thread::sleep(Duration::from_millis(10));
            }
            let delay = a_while(random, Duration::from_millis(1_500));
            is_cut.store(true, Ordering::SeqCst);
            let killed = Command::new("kill").args(["-KILL", &server.id().to_string()]).status();
            assert!(killed.expect("kill").success());
            (all.into_iter().flat_map(|work| work.join().expect("a worker")).collect(), delay)
        })
    }

    /// What of the ledger's things is there. Fails if one is half there.
    fn seen(&self, server: &WeirProcess, ledger: &Ledger, runtime: &Runtime, when: &str) -> BTreeSet<Thing> {
        // what was interrupted goes on by itself
        server.wait_for(&["sync", "status"], |status| status["current"].is_null()).expect("synchronized");
        let list = |arguments: &[&str]| json(server, arguments)["items"].as_array().expect("items").clone();
        let updates: BTreeSet<UpdateId> = list(&["updates", "list", "--all"])
            .iter()
            .map(|one| one["id"].as_str().expect("an id").parse().expect("a GUID"))
            .collect();
        let deployed: Vec<UpdateId> = list(&["deployments", "list", "--all"])
            .iter()
            .map(|one| one["update"]["id"].as_str().expect("an id").parse().expect("a GUID"))
            .collect();
        let mut seen: BTreeSet<Thing> = deployed.iter().copied().map(Thing::Deployment).collect();
        assert_eq!(seen.len(), deployed.len(), "an update is deployed twice, {when}");
        for collection in list(&["collections", "list", "--all"]) {
            let name = collection["name"].as_str().expect("a name");
            if name.starts_with("Ring ") {
                seen.insert(Thing::Collection(name.to_owned()));
            }
        }
        for thing in ledger.keys() {
            let there = match thing {
                Thing::Import(_) | Thing::Synchronized(_) => {
                    let there = batch(thing).filter(|number| updates.contains(&id(*number))).count() as u128;
                    assert!(there == 0 || there == BATCH, "{there} of {thing:?}, {when}");
                    there > 0
                }
                Thing::Content(number) => runtime.block_on(self.serves(server, &self.payloads[*number])),
                Thing::Collection(_) | Thing::Deployment(_) => continue,
            };
            if there {
                seen.insert(thing.clone());
            }
        }
        seen
    }

    /// Whether a file is served; if it is, as it must be.
    async fn serves(&self, server: &WeirProcess, payload: &Payload) -> bool {
        let mut connection = Connection::to(&server.client_url()).expect("an address");
        let path = format!("/Content/{}", payload.content_path());
        let answer = connection.send("GET", &path, &[], b"").await.expect("an answer");
        assert!(answer.status == 404 || (answer.status == 200 && answer.body == payload.bytes), "{path}: other bytes");
        answer.status == 200
    }
}

fn with<'w>(mut worker: Worker<'w>, work: impl FnOnce(&mut Worker<'w>) -> Option<()>) -> Vec<(Thing, State)> {
    // it ends when everything was asked for, or with the cut
    let _ = work(&mut worker);
    worker.asked
}

/// Compares what is there with what was promised, and notes how it is where nothing was.
fn settle(ledger: &mut Ledger, seen: &BTreeSet<Thing>, when: &str) {
    for thing in seen {
        assert!(ledger.contains_key(thing), "nobody asked for {thing:?}, {when}");
    }
    for (thing, state) in ledger {
        match (*state, seen.contains(thing)) {
            (State::There, there) => assert!(there, "{thing:?} was answered and is gone, {when}"),
            (State::Gone, there) => assert!(!there, "{thing:?} came back, {when}"),
            (State::Asked | State::Leaving, true) => *state = State::There,
            // what is at the upstream server comes with another run
            (State::Asked, false) if matches!(thing, Thing::Synchronized(_)) => {}
            (State::Asked | State::Leaving, false) => *state = State::Gone,
        }
    }
}

/// Works and cuts `rounds` times; the moments follow from `seed`.
fn cuts(rounds: usize, seed: u64) {
    let mut server = server();
    let bench = Bench::new(&server, rounds);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let mut reporters = Vec::new();
    for number in 0..3 {
        reporters.push(runtime.block_on(Reporter::known(&server, number, &bench.shelf, &bench.updates)));
    }
    let (mut random, mut ledger) = (Random::new(seed), Ledger::new());
    for round in 0..rounds {
        let reports: Vec<_> = reporters
            .drain(..)
            .map(|mut reporter| {
                runtime.spawn(async move {
                    reporter.report_until_cut().await;
                    reporter
                })
            })
            .collect();
        let (asked, delay) = bench.work(&server, round, &mut random);
        cut(&mut server);
        for report in reports {
            reporters.push(runtime.block_on(report).expect("a reporter"));
        }
        ledger.extend(asked);
        restart(&mut server);
        let when = format!("seed {seed}, cut {round} after {delay:?}");
        let seen = bench.seen(&server, &ledger, &runtime, &when);
        settle(&mut ledger, &seen, &when);
        for reporter in &mut reporters {
            reporter.check_status(&server, &when);
            reporter.agent.move_to(&server.client_url()).expect("an address");
        }
        let status = json(&server, &["status"]);
        assert_eq!(status["counts"]["revisions"], status["snapshot"]["revisions"], "{when}: {status}");
        sound(server.data(), &when);
    }
    let there = ledger.values().filter(|state| **state == State::There).count();
    assert!(there >= rounds, "little was done: {ledger:?}");
    json(&server, &["sync", "now", "--wait"]);
    let seen = bench.seen(&server, &ledger, &runtime, "at the end");
    settle(&mut ledger, &seen, "at the end");
    assert!(ledger.values().all(|state| *state != State::Asked), "what is at the upstream server came: {ledger:?}");
    let verified = json(&server, &["content", "verify"]);
    assert_eq!(verified["bad"], 0, "{verified}");
    for reporter in &mut reporters {
        runtime.block_on(reporter.settle());
    }
    assert!(server.stop().expect("it stops"), "{}", server.log());
    let store = store(server.data());
    for reporter in &reporters {
        reporter.check_events(&store);
    }
}

#[test]
fn whatever_is_under_way_is_there_whole_or_not_at_all() {
    cuts(5, 12);
}

/// The same for as long as `cargo xtask soak` says, with other moments each time.
#[test]
#[ignore = "takes as long as it is told to: cargo xtask soak"]
fn soak_of_cuts() {
    let until = Instant::now() + super::super::soak::minutes();
    for seed in super::super::soak::seed().. {
        cuts(8, seed);
        if Instant::now() >= until {
            break;
        }
    }
}
