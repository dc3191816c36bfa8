//! An object store that is busy, slow, breaks off, is killed, or comes back without what it had.

use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;
use weir_testkit::{Computer, Document, Payload, S3, ScriptedAgent, WeirProcess, http::Connection};

use super::super::{
    content::{PATIENCE, until},
    id, json, run, write_documents,
};

struct Bench {
    s3: S3,
    server: WeirProcess,
    payload: Payload,
    /// Another file that an update names, and that is not here.
    other: Payload,
    deployment: String,
    agent: ScriptedAgent,
    folder: TempDir,
}

/// A server with a deployed file in the store, and a computer that has scanned.
fn bench() -> Bench {
    let s3 = S3::start();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    s3.configure(&data, "");
    let server = WeirProcess::start_with(env!("CARGO_BIN_EXE_weir"), Some(&data), &[]).expect("a server");
    let (payload, other) = (Payload::random("file.cab", 2_000_000, 21), Payload::random("other.cab", 300_000, 22));
    write_documents(
        &folder.path().join("metadata"),
        &[Document::software(id(1), 1).file(&payload), Document::software(id(2), 1).file(&other)],
    );
    json(&server, &["import", folder.path().join("metadata").to_str().expect("UTF-8")]);
    let file = payload.write_to(folder.path()).expect("a file");
    json(&server, &["content", "add", file.to_str().expect("UTF-8")]);
    let update = id(1).to_string();
    let create = ["deployments", "create", "--update", &update, "--collection", "All Computers", "--action", "install"];
    let deployment = json(&server, &create)["id"].to_string();
    until(&server, &["deployments", "show", &deployment], |value| value["state"] == "active");
    let mut agent = ScriptedAgent::new(&server.client_url(), Computer::numbered(1)).expect("an agent");
    run(agent.scan()).expect("a scan");
    Bench { s3, server, payload, other, deployment, agent, folder }
}

/// What a computer gets that asks for a file: the status, and whether these are its bytes; none if the answer broke off.
async fn fetched(url: &str, payload: &Payload) -> Option<(u16, bool)> {
    let mut connection = Connection::to(url).expect("an address");
    let answer = connection.send("GET", &format!("/Content/{}", payload.content_path()), &[], b"").await.ok()?;
    Some((answer.status, answer.body == payload.bytes))
}

impl Bench {
    fn fetched(&self) -> Option<(u16, bool)> {
        run(fetched(&self.server.client_url(), &self.payload))
    }

    /// Waits until the file is served again, as it must be.
    fn recovered(&self, what: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.fetched() {
                Some((200, same)) => {
                    assert!(same, "{what}: other bytes");
                    break;
                }
                other => assert!(Instant::now() < deadline, "{what}: still {other:?}\n{}", self.server.log()),
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        self.holds(what);
    }

    /// The deployment is as it was: nothing counts as lost.
    fn holds(&self, what: &str) {
        assert_eq!(json(&self.server, &["deployments", "show", &self.deployment])["state"], "active", "{what}");
    }

    /// Scans go on.
    fn scans(&mut self, what: &str) {
        let scan = run(self.agent.scan()).unwrap_or_else(|error| panic!("{what}: {error:#}"));
        assert!(scan.offered.iter().any(|identity| identity.update_id == id(1)), "{what}: {scan:?}");
    }

    /// The newest job on content of a kind.
    fn job(&self, task: &str) -> Value {
        let jobs = json(&self.server, &["content", "jobs"]);
        let mut jobs = jobs["items"].as_array().expect("jobs").iter();
        jobs.find(|job| job["task"] == task).unwrap_or_else(|| panic!("no {task} in {jobs:?}")).clone()
    }

    fn wait_for_job(&self, task: &str, state: &[&str]) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let job = self.job(task);
            if state.iter().any(|state| job["state"] == *state) {
                return job;
            }
            assert!(Instant::now() < deadline, "{job}\n{}", self.server.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// The promise: whatever the store does, computers scan, get the right bytes or none, and nothing counts as lost; what was asked
/// meanwhile is done when the store is well.
#[test]
fn a_store_that_is_busy_or_breaks_off_gives_nobody_wrong_bytes() {
    let mut bench = bench();
    bench.s3.refuse();
    assert_eq!(bench.fetched(), Some((503, false)));
    bench.scans("busy");
    bench.s3.pass();
    bench.recovered("after it was busy");

    // an answer that breaks off is gone on with where it was
    bench.s3.cut_answers(300_000, 1);
    assert_eq!(bench.fetched(), Some((200, true)));
    // and given up when all do
    bench.s3.cut_answers(50_000, usize::MAX);
    let broken = bench.fetched();
    assert!(broken.is_none_or(|(status, _)| status == 503), "{broken:?}");
    let (code, said) = bench.server.json_with_code(&["content", "verify", "--background"]).expect("it is asked for");
    assert_eq!(code, 0, "{said}");
    bench.wait_for_job("verify", &["running"]);
    bench.scans("while answers break off");
    bench.holds("while answers break off");
    bench.s3.pass();
    let job = bench.wait_for_job("verify", &["done", "failed"]);
    assert_eq!((&job["state"], &job["verified"]["bad"]), (&"done".into(), &0.into()), "{job}");
    bench.recovered("after answers broke off");

    // nobody else waits for a slow one
    bench.s3.slow_down(PATIENCE);
    let (url, payload) = (bench.server.client_url(), bench.payload.clone());
    let slow = std::thread::spawn(move || run(fetched(&url, &payload)));
    bench.scans("while it is slow");
    assert!(!slow.is_finished(), "the store was not slow");
    bench.s3.pass();
    assert_eq!(slow.join().expect("a thread"), Some((200, true)));
}

/// The promise: the store may be killed at any time. What it had is served when it is back, without a restart of anything.
#[test]
fn a_store_that_is_killed_is_found_again() {
    let mut bench = bench();
    let file = bench.other.write_to(bench.folder.path()).expect("a file");
    let add = ["content", "add", file.to_str().expect("UTF-8")];
    bench.s3.kill();
    assert_eq!(bench.fetched(), Some((503, false)));
    let (code, said) = bench.server.json_with_code(&add).expect("a refusal");
    assert_ne!(code, 0, "{said}");
    bench.scans("killed");
    bench.holds("killed");
    bench.s3.start_again();
    bench.recovered("started again");
    // it may take some seconds until the server believes it
    let deadline = Instant::now() + PATIENCE;
    while bench.server.json_with_code(&add).expect("an answer").0 != 0 {
        assert!(Instant::now() < deadline, "{}", bench.server.log());
        std::thread::sleep(Duration::from_millis(200));
    }
    let url = bench.server.client_url();
    assert_eq!(run(fetched(&url, &bench.other)), Some((200, true)));
    assert_eq!(fs::read_dir(bench.server.data().join("content/incoming")).expect("a folder").count(), 0);
}

/// The promise: an empty store is not taken for the one it was: nothing is said to be missing. A server that starts on it knows what is
/// missing, and takes it again.
#[test]
fn a_store_that_lost_everything_is_not_believed_before_a_restart() {
    let mut bench = bench();
    bench.s3.kill();
    bench.s3.start_empty();
    assert_eq!(bench.fetched(), Some((503, false)));
    bench.scans("emptied");
    bench.holds("emptied");
    assert!(bench.server.stop().expect("it stops"), "{}", bench.server.log());
    bench.server.restart().expect("it starts");
    let (code, checked) = bench.server.json_with_code(&["content", "verify"]).expect("it answers");
    assert!(code != 0 && checked["bad"] == 1, "{checked}");
    assert_eq!(bench.fetched(), Some((404, false)));
    let shown = json(&bench.server, &["deployments", "show", &bench.deployment]);
    assert_eq!(shown["state"], "waiting_for_content", "{shown}");
    let file = bench.folder.path().join(&bench.payload.name);
    assert_eq!(json(&bench.server, &["content", "add", file.to_str().expect("UTF-8")])["added"], 1);
    bench.recovered("brought again");
}
