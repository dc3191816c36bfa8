//! Several front ends on one database: each serves as the others do, none holds what the others need, and any of them may die.
//!
//! These tests need PostgreSQL, whatever engine other tests are on.

mod load;
mod site;
mod upgrade;

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use jiff::Timestamp;
use serde_json::Value;
use weir_model::{ids::UpdateIdentity, update::CategoryKind};
use weir_testkit::{
    Document, Payload, ScanOutcome, Upstream, WeirProcess,
    agent::AgentState,
    postgres::Database,
    upstream::{At, Served, Trouble},
};
use weir_wire::wsss::Operation;

use self::site::{PATIENCE, Site, TAKEOVER, Timely, all_had, duties, eventually, names, program, start_all};
use super::{agent, alone, computer, crash::small_catalogue, id, json, write_documents};

/// Approves an update for everybody.
fn approve(front: &WeirProcess, update: &str) -> Value {
    let create = ["deployments", "create", "--update", update, "--collection", "All Computers", "--action", "install"];
    json(front, &create)["id"].take()
}

fn is_quiet(outcome: &ScanOutcome) -> bool {
    outcome.new_updates().next().is_none() && outcome.changed.is_empty() && outcome.out_of_scope.is_empty()
}

fn revisions(front: &WeirProcess) -> u64 {
    json(front, &["updates", "list", "--facets", "--limit", "1"])["total"].as_u64().expect("a number")
}

/// Ends a front end at once, and gives the others.
fn kill(site: &mut Site, number: usize) -> Vec<usize> {
    site.fronts[number].kill().expect("killed");
    (0..site.fronts.len()).filter(|other| *other != number).collect()
}

#[test]
fn three_that_start_at_once_on_an_empty_database_are_one_site() {
    let (database, folder) = (Database::empty(), tempfile::tempdir().expect("a folder"));
    let folders = ["a", "b", "c"].map(|name| folder.path().join(name));
    let fronts = start_all(program(), &folders, database.url());
    let identities = fronts.iter().map(|front| json(front, &["status"])["server_id"].to_string());
    assert_eq!(identities.collect::<BTreeSet<_>>().len(), 1);

    // each has a folder of its own for files, and certificates that no other one's computers trust: that is said, and refused
    let payload = Payload::random("file.cab", 1_000, 1);
    let file = folder.path().join("file.cab");
    std::fs::write(&file, &payload.bytes).expect("written");
    let add = ["content", "add", file.to_str().expect("UTF-8")];
    eventually("they know each other", PATIENCE, || {
        let (code, said) = fronts[1].json_with_code(&add).expect("an answer");
        code == 1 && said.to_string().contains("object store")
    });
    json(&fronts[2], &["alerts", "evaluate"]);
    let alerts = json(&fronts[2], &["alerts", "list", "--state", "open", "--all"]);
    let differ =
        alerts["items"].as_array().expect("alerts").iter().filter(|alert| alert["kind"] == "front_end.differs");
    assert_eq!(differ.count(), 2, "certificates and files: {alerts}");
}

#[test]
fn what_one_front_end_does_the_others_know() {
    // what is to be seen within seconds is not looked for while others take the machine
    let _turn = alone();
    let (site, mut timely) = (Site::new(3), Timely::default());
    let [a, b, c] = site.fronts.as_slice() else { panic!("three front ends") };
    let health = site.health(b);
    assert!(all_had(&health, &names(&health)), "{health}");
    let findings = health["findings"].as_array().expect("findings");
    assert!(findings.iter().all(|finding| finding["code"] != "front_ends"), "{health}");

    let (shelf, updates) = small_catalogue(a, 12);
    for other in [b, c] {
        timely.wait("a catalogue", || revisions(other) == revisions(a));
    }
    // a cookie of one front end is good at every other one, and so is what it registered
    let player = computer(1, &shelf);
    let mut agent = agent(a, player.clone());
    let first = site.scan(&mut agent);
    assert!(first.recovered.is_empty() && first.new_updates().count() > 0, "{first:?}");
    for other in [b, c, a] {
        agent.move_to(&other.client_url()).expect("an address");
        let again = site.scan(&mut agent);
        assert!(again.recovered.is_empty() && is_quiet(&again), "{again:?}");
    }
    site.same_everywhere(&player, &agent.state);
    site.same_everywhere(&player, &AgentState::default());

    // an approval
    agent.move_to(&b.client_url()).expect("an address");
    approve(a, &updates[0].to_string());
    let wanted = UpdateIdentity::new(updates[0], 1);
    timely.wait("an approval", || site.scan(&mut agent).offered.contains(&wanted));
    // one that the computer heard of elsewhere is known at once, or it would be taken back
    approve(c, &updates[1].to_string());
    agent.move_to(&c.client_url()).expect("an address");
    let heard = site.scan(&mut agent);
    assert!(heard.offered.contains(&UpdateIdentity::new(updates[1], 1)), "{heard:?}");
    for other in [a, b] {
        agent.move_to(&other.client_url()).expect("an address");
        let again = site.scan(&mut agent);
        assert!(again.recovered.is_empty() && is_quiet(&again), "{again:?}");
    }
    // a report
    site.runtime.block_on(agent.report_scan()).expect("a report");
    let summary = |front: &WeirProcess| {
        let mut summary = json(front, &["compliance", "summary"]);
        summary["as_of"] = Value::Null;
        summary
    };
    assert_eq!(summary(a)["computers"], 1);
    for front in [b, c] {
        timely.wait("compliance", || summary(front) == summary(a));
    }
    // a setting, and the right of a program
    json(b, &["settings", "set", "server.name", "updates.example.org"]);
    timely.wait("a setting", || {
        json(c, &["settings", "show", "server.name"]).to_string().contains("updates.example.org")
    });
    let secret = json(a, &["tokens", "create", "robot", "--role", "operator"])["secret"].clone();
    let secret = secret.as_str().expect("a secret");
    assert_eq!(site.get(b, "status", secret).0, 200);
    json(c, &["tokens", "revoke", "robot"]);
    assert_eq!(site.get(b, "status", secret).0, 401);
    timely.check();
    site.check_logs();
}

#[test]
fn duties_move_when_a_front_end_ends_and_none_is_had_twice() {
    let mut site = Site::new(2);
    let holder = site.holder("backup");
    let others = kill(&mut site, holder);
    let other = &site.fronts[others[0]];
    eventually("a lease ends", TAKEOVER, || {
        let health = site.health(other);
        all_had(&health, &own(&health))
    });
    // one that comes back finds them taken, and has them when the other one ends in good order
    site.fronts[holder].restart().expect("it starts again");
    let health = site.health(&site.fronts[holder]);
    assert!(duties(&health).values().all(|name| !own(&health).contains(name)), "{health}");
    assert!(site.fronts[others[0]].stop().expect("it stops"));
    eventually("they are given back", PATIENCE, || {
        let health = site.health(&site.fronts[holder]);
        all_had(&health, &own(&health))
    });
    // and one that was killed and starts again at once has what it had
    site.fronts[holder].kill().expect("killed");
    site.fronts[holder].restart().expect("it starts again");
    let health = site.health(&site.fronts[holder]);
    assert!(all_had(&health, &own(&health)), "{health}");
    site.check_logs();
}

/// The name of the front end that tells.
fn own(health: &Value) -> BTreeSet<String> {
    let here = health["front_ends"].as_array().expect("front ends").iter().find(|row| row["here"] == true);
    BTreeSet::from([here.expect("itself")["name"].as_str().expect("a name").to_owned()])
}

fn signal(front: &WeirProcess, name: &str) {
    let sent = Command::new("kill").args([name, &front.id().to_string()]).status().expect("it runs");
    assert!(sent.success());
}

#[test]
fn one_that_stood_still_works_again_and_leaves_alone_what_is_not_its_own_any_more() {
    let mut site = Site::new(2);
    let holder = site.holder("backup");
    let other = 1 - holder;
    // asked for where it may run or not; a run that is cut by a move is made again
    let works = |site: &Site, asked: usize| {
        eventually("a backup is made", PATIENCE, || {
            site.fronts[asked].json_with_code(&["backup", "create"]).is_ok_and(|(code, _)| code == 0)
        });
    };
    // for longer than it was sure of its duties, and about as long as they were its own: whoever has them then works on them
    signal(&site.fronts[holder], "-STOP");
    thread::sleep(Duration::from_millis(11_500));
    signal(&site.fronts[holder], "-CONT");
    works(&site, other);
    works(&site, holder);
    // for longer than a lease
    let holder = site.holder("backup");
    let other = 1 - holder;
    signal(&site.fronts[holder], "-STOP");
    eventually("they move", TAKEOVER, || {
        let health = site.health(&site.fronts[other]);
        all_had(&health, &own(&health))
    });
    works(&site, other);
    signal(&site.fronts[holder], "-CONT");
    eventually("it is heard of again, and has none of them", PATIENCE, || {
        let health = site.health(&site.fronts[other]);
        names(&health).len() == 2 && all_had(&health, &own(&health))
    });
    works(&site, holder);
    // and it has all of them when the other one ends
    assert!(site.fronts[other].stop().expect("it stops"), "{}", site.fronts[other].log());
    eventually("they are given back", PATIENCE, || {
        let health = site.health(&site.fronts[holder]);
        all_had(&health, &own(&health))
    });
    works(&site, holder);
}

/// A source with updates, few in an answer.
fn served() -> Served {
    let mut served = Served::new().with([
        Document::category(id(1), 1, CategoryKind::Company).title("Company"),
        Document::category(id(2), 1, CategoryKind::Product).title("Product").in_category(id(1)),
        Document::category(id(3), 1, CategoryKind::UpdateClassification).title("Security"),
    ]);
    for number in 100..140 {
        let document = Document::software(id(number), 1).title(&format!("Update {number}"));
        served.add(&document.in_category(id(2)).in_category(id(3)));
    }
    served.config.max_number_of_updates_per_request = 2;
    served
}

#[test]
fn a_synchronization_runs_once_and_outlives_its_front_end() {
    let mut site = Site::new(3);
    let upstream = Upstream::start(served());
    let all = upstream.change(|served| served.revisions.len()) as u64;
    let holder = site.holder("synchronization");
    let asked = (holder + 1) % 3;
    json(&site.fronts[asked], &["settings", "set", "source", &upstream.url()]);
    json(&site.fronts[asked], &["settings", "set", "sync.replica", "true"]);
    // asked for where it does not run, and cut where it does
    upstream.trouble(At::Operation(Operation::GetUpdateData, 8), Trouble::Hang);
    json(&site.fronts[asked], &["sync", "now"]);
    let data = || upstream.operations().into_iter().filter(|operation| *operation == Operation::GetUpdateData).count();
    eventually("it fetches", PATIENCE, || data() >= 8);
    assert_eq!(revisions(&site.fronts[asked]), 0, "nothing half");
    let others = kill(&mut site, holder);
    let runs = |site: &Site, number: usize| json(&site.fronts[number], &["sync", "history"])["items"].take();
    eventually("another one goes on", PATIENCE, || runs(&site, asked)[0]["result"] == "done");
    let told = runs(&site, asked);
    let results: Vec<&Value> = told.as_array().expect("runs").iter().map(|run| &run["result"]).collect();
    assert_eq!(results, ["done", "interrupted"], "{told}");
    assert_eq!(told[0]["trigger"], "resume");
    for other in &others {
        eventually("what came", PATIENCE, || revisions(&site.fronts[*other]) == all);
    }

    // asked for at several front ends at once, there is one run
    upstream.change(|served| served.add(&Document::software(id(900), 1).title("New").in_category(id(2))));
    let begun: Vec<Value> = thread::scope(|scope| {
        let site = &site;
        let asking: Vec<_> = others
            .iter()
            .map(|number| scope.spawn(move || json(&site.fronts[*number], &["sync", "now", "--wait"])))
            .collect();
        asking.into_iter().map(|one| one.join().expect("it is over")).collect()
    });
    let ids: BTreeSet<String> = begun.iter().map(|run| run["id"].to_string()).collect();
    let told = runs(&site, asked);
    let came: u64 = told.as_array().expect("runs")[..ids.len()].iter().filter_map(|run| run["added"].as_u64()).sum();
    assert_eq!(came, 1, "it came once: {told}");
    // whoever asked when the first was over began another one, after it
    let at = |run: &Value, when: &str| run[when].as_str().expect("a time").parse::<Timestamp>().expect("a time");
    for pair in told.as_array().expect("runs").windows(2) {
        assert!(at(&pair[0], "started_at") >= at(&pair[1], "ended_at"), "two at once: {told}");
    }
    site.check_logs();
}

/// Serves one file: half of it to whoever asks first, and then nothing more.
fn half_at_first(bytes: Vec<u8>) -> (String, &'static AtomicUsize) {
    let asked: &'static AtomicUsize = Box::leak(Box::default());
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let url = format!("http://{}/file.cab", listener.local_addr().expect("an address"));
    let answer = move |stream: &TcpStream, bytes: &[u8]| {
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        if !lines.any(|line| line.is_empty()) {
            return;
        }
        let is_first = asked.fetch_add(1, Ordering::SeqCst) == 0;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", bytes.len());
        let sent = if is_first { &bytes[..bytes.len() / 2] } else { bytes };
        let mut stream = stream;
        if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(sent)).is_ok() && is_first {
            thread::sleep(PATIENCE);
        }
    };
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let bytes = bytes.clone();
            thread::spawn(move || answer(&stream, &bytes));
        }
    });
    (url, asked)
}

#[test]
fn a_download_outlives_its_front_end_and_is_served_by_all() {
    let mut site = Site::new(2);
    let payload = Payload::random("file.cab", 400_000, 3);
    let (url, asked) = half_at_first(payload.bytes.clone());
    let folder = tempfile::tempdir().expect("a folder");
    write_documents(folder.path(), &[Document::software(id(1), 1).file(&payload)]);
    let document = folder.path().join(format!("{}.xml", id(1)));
    let xml = std::fs::read_to_string(&document).expect("a document");
    std::fs::write(&document, xml.replacen("<upd:File ", &format!("<upd:File OriginUri=\"{url}\" "), 1))
        .expect("written");
    let holder = site.holder("content");
    let other = 1 - holder;
    json(&site.fronts[other], &["import", document.to_str().expect("UTF-8")]);
    let deployment = approve(&site.fronts[other], &id(1).to_string()).to_string();
    eventually("it is fetched", PATIENCE, || asked.load(Ordering::SeqCst) == 1);
    kill(&mut site, holder);
    let show = ["deployments", "show", &deployment];
    eventually("another one fetches it", PATIENCE, || json(&site.fronts[other], &show)["state"] == "active");
    assert_eq!(asked.load(Ordering::SeqCst), 2, "once each");
    site.fronts[holder].restart().expect("it starts again");
    assert!(site.s3.object(&payload.content_path()).is_some_and(|object| object == payload.bytes));
    for front in &site.fronts {
        let (status, body) = site.file(front, &payload.content_path());
        assert!(status == 200 && body == payload.bytes, "{status}");
    }
    site.check_logs();
}
