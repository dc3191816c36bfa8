//! Disks that fail, hang, slow down or fill up while a server runs: each test is a promise of docs/operations.md.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use serde_json::{Value, json as value};
use tokio::runtime::Runtime;
use weir_model::ids::UpdateId;
use weir_testkit::{DiskFault, Document, FaultyDisk, Payload, WeirProcess, agent::fault_code};
use weir_wire::soap::ErrorCode;

use super::{
    agent, computer,
    crash::small_catalogue,
    durability::{sound, weir},
    id, json,
    reporter::Reporter,
    sqlite_server as server, sqlite_server_in, store,
    sync_faults::Small,
    write_documents,
};

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

/// Offers an update to everybody.
fn deploy(data: &Path, update: UpdateId) -> (i32, Value) {
    let update = update.to_string();
    let create =
        ["deployments", "create", "--update", &update, "--collection", "All Computers", "--action", "optional"];
    weir(data, &create)
}

/// What a killed server had acknowledged is there, once, and nothing is damaged.
fn check_after_a_cut(server: &mut WeirProcess, reporter: &Reporter) {
    server.kill().expect("killed");
    server.restart().unwrap_or_else(|error| panic!("{error:#}\n{}", server.log()));
    reporter.check_status(server, "after a cut");
    sound(server.data(), "after a cut");
    assert!(server.stop().expect("it stops"), "{}", server.log());
    reporter.check_events(&store(server.data()));
}

/// The promise: while the disk takes nothing, known computers scan and administrators look; a report is answered when it is on
/// the disk, and not before.
#[test]
fn a_disk_that_hangs_keeps_no_scan_waiting_and_loses_no_report() {
    let mut server = server();
    let (shelf, updates) = small_catalogue(&server, 6);
    assert_eq!(deploy(server.data(), updates[0]).0, 0);
    let runtime = runtime();
    let mut reporter = runtime.block_on(Reporter::known(&server, 1, &shelf, &updates));
    let mut other = agent(&server, computer(2, &shelf));
    runtime.block_on(other.scan()).expect("a scan");

    let disk = FaultyDisk::begin(server.id(), DiskFault::Hangs);
    let told = runtime.spawn(async move {
        let answered = reporter.report().await;
        (reporter, answered)
    });
    for _ in 0..3 {
        let scan = runtime.block_on(other.scan()).expect("a scan while nothing can be stored");
        assert_eq!(scan.offered.len(), 1, "{scan:?}");
    }
    let computers = json(&server, &["computers", "list"]);
    assert_eq!(computers["items"].as_array().expect("items").len(), 2, "{computers}");
    assert!(!told.is_finished(), "a report was answered before it was on the disk");
    disk.end();
    let (reporter, answered) = runtime.block_on(told).expect("a report");
    assert!(answered.expect("it is taken when the disk goes on"));
    check_after_a_cut(&mut server, &reporter);
}

/// The promise: what a failing disk does not take is refused and said to be, what can be read is served, and the same process takes
/// it once the disk is well. Nothing that was answered is lost, nothing counts twice.
#[test]
fn what_a_failing_disk_refuses_is_taken_once_it_is_well() {
    let mut server = server();
    let (shelf, updates) = small_catalogue(&server, 12);
    let runtime = runtime();
    let mut reporter = runtime.block_on(Reporter::known(&server, 1, &shelf, &updates));
    assert!(runtime.block_on(reporter.report()).expect("a report"));
    // a disk that is damaged, and a file system that became read-only
    let database = ["weir.db", "weir.db-wal"].map(|name| server.data().join(name));
    let database: Vec<&Path> = database.iter().map(std::path::PathBuf::as_path).collect();
    for ((error, files), update) in [("EIO", Vec::new()), ("EROFS", database)].into_iter().zip(&updates) {
        let disk = FaultyDisk::of(server.id(), &files, DiskFault::Fails(error));
        let refused = runtime.block_on(reporter.report()).expect_err("nothing can be stored");
        assert_eq!(fault_code(&refused), Some(ErrorCode::InternalServerError), "{error}: {refused:#}");
        let (code, said) = deploy(server.data(), *update);
        assert_eq!((code, &said["problem"]["code"]), (1, &value!("disk_failed")), "{error}: {said}");
        reporter.check_status(&server, error);
        runtime.block_on(reporter.agent.scan()).expect("a scan all the same");
        disk.end();
        assert!(runtime.block_on(reporter.report()).expect("the same report, as agents send it again"));
        let (code, said) = deploy(server.data(), *update);
        assert_eq!(code, 0, "{error}: {said}");
        reporter.check_status(&server, error);
    }
    let scan = runtime.block_on(reporter.agent.scan()).expect("a scan");
    let offered: BTreeSet<UpdateId> = scan.offered.iter().map(|identity| identity.update_id).collect();
    assert_eq!(offered, BTreeSet::from([updates[0], updates[1]]), "what was deployed at last, and once");
    check_after_a_cut(&mut server, &reporter);
}

/// The promise: a slow disk slows what is to be stored, and nothing is refused: what comes together shares a flush.
#[test]
fn reports_share_the_flushes_of_a_slow_disk() {
    const COMPUTERS: u64 = 16;
    let server = server();
    let (shelf, updates) = small_catalogue(&server, 3);
    let runtime = runtime();
    let mut reporters = Vec::new();
    for number in 0..COMPUTERS {
        reporters.push(runtime.block_on(Reporter::known(&server, number, &shelf, &updates)));
    }
    let log = server.data().join("weir.db-wal");
    let disk = FaultyDisk::of(server.id(), &[&log], DiskFault::Slow(Duration::from_millis(300)));
    let tasks: Vec<_> = reporters
        .into_iter()
        .map(|mut reporter| {
            runtime.spawn(async move {
                let answered = reporter.report().await;
                (reporter, answered)
            })
        })
        .collect();
    let told: Vec<_> = tasks.into_iter().map(|task| runtime.block_on(task).expect("a report")).collect();
    let flushes = disk.end();
    assert!((1..COMPUTERS as usize).contains(&flushes), "{flushes} flushes for {COMPUTERS} reports");
    for (reporter, answered) in told {
        assert!(answered.expect("it is answered"), "nothing was to report");
        reporter.check_status(&server, "on a slow disk");
    }
}

/// The promise: on a full disk computers scan, what cannot be kept is refused and said to be, nothing is half there; and when there
/// is room it goes on by itself.
#[test]
fn a_full_disk_refuses_what_cannot_be_kept_and_goes_on_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let small = Small::mount(&folder.path().join("small"));
    let data = small.path().join("data");
    let mut server = sqlite_server_in(Some(&data));
    let (shelf, updates) = small_catalogue(&server, 300);
    let payload = Payload::random("file.cab", 3_000_000, 9);
    let metadata = folder.path().join("metadata");
    write_documents(&metadata, &[Document::software(id(0xf11e), 1).title("With a file").file(&payload)]);
    json(&server, &["import", metadata.to_str().expect("UTF-8")]);
    let file = payload.write_to(folder.path()).expect("a file");
    let add = ["content", "add", file.to_str().expect("UTF-8")];
    let runtime = runtime();
    let mut reporter = runtime.block_on(Reporter::known(&server, 1, &shelf, &updates));

    small.fill(0);
    // what the log of the database has room for is still taken
    let refused = loop {
        match runtime.block_on(reporter.report()) {
            Ok(some) => assert!(some, "every report was taken"),
            Err(error) => break error,
        }
    };
    assert_eq!(fault_code(&refused), Some(ErrorCode::InternalServerError), "{refused:#}");
    let (code, said) = deploy(&data, updates[0]);
    assert_eq!((code, &said["problem"]["code"]), (1, &value!("disk_full")), "{said}");
    let (code, said) = server.json_with_code(&add).expect("a refusal");
    assert_ne!(code, 0, "{said}");
    assert_eq!(fs::read_dir(data.join("content/incoming")).expect("a folder").count(), 0, "nothing half is kept");
    reporter.check_status(&server, "while the disk is full");
    runtime.block_on(reporter.agent.scan()).expect("a scan all the same");

    small.free();
    assert!(runtime.block_on(reporter.report()).expect("the same report, as agents send it again"));
    let (code, said) = deploy(&data, updates[0]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(json(&server, &add)["added"], 1);
    check_after_a_cut(&mut server, &reporter);
}
