//! A server whose database is on PostgreSQL, whatever engine was chosen for other tests: what happens when that is killed or hangs
//! under it, and what is said when it cannot be used.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::Result;
use serde_json::Value;
use tokio::runtime::Runtime;
use weir_store::{Options, Store};
use weir_testkit::{
    Document, Random, WeirProcess,
    agent::fault_code,
    catalogue::{Catalogue, Shape, Sizes},
    postgres::{Cluster, GUARDED, OlderServer},
};
use weir_wire::soap::ErrorCode;

use super::{agent, computer, crash::small_catalogue, json, reporter::Reporter, write_documents};

const PASSWORD: &str = "the-secret-of-the-database";
/// How long a server may take to notice that its database is there again, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
const GLANCE: Duration = Duration::from_millis(50);

fn start(url: &str) -> Result<WeirProcess> {
    WeirProcess::start_with(env!("CARGO_BIN_EXE_weir"), None, &["--database", url])
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

/// A cluster with a database whose owner has to give a password and may do nothing else, and the address of that.
fn guarded() -> (Cluster, String) {
    let cluster = Cluster::start();
    cluster.execute(&format!("CREATE ROLE {GUARDED} LOGIN PASSWORD '{PASSWORD}'"));
    cluster.create("weir", &format!("OWNER {GUARDED}"));
    let url = cluster.url_as(&format!("{GUARDED}:{PASSWORD}"), "weir");
    (cluster, url)
}

/// Waits for something that the server does by itself.
fn wait<T>(server: &WeirProcess, what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match look() {
            Ok(found) => return found,
            Err(said) => assert!(Instant::now() < deadline, "{what} did not come: {said}\n{}", server.log()),
        }
        std::thread::sleep(GLANCE);
    }
}

/// What a command prints, as soon as it succeeds.
fn answered(server: &WeirProcess, arguments: &[&str]) -> Value {
    wait(server, &arguments.join(" "), || match server.json_with_code(arguments).expect("an end") {
        (0, printed) => Ok(printed),
        (code, said) => Err(format!("{code}: {said}")),
    })
}

fn revisions(server: &WeirProcess) -> u64 {
    let list = answered(server, &["updates", "list", "--facets", "--limit", "1"]);
    list["total"].as_u64().expect("a number")
}

/// The promise: what was answered outlives a kill of the database, what was not is there whole or not at all; requests meanwhile are
/// refused in a form that computers come again after, and the same process goes on when the database is there again.
#[test]
fn a_killed_database_loses_nothing_and_the_server_goes_on_by_itself() {
    const COMPUTERS: u64 = 3;
    const ROUNDS: usize = 3;
    let (mut cluster, url) = guarded();
    let mut server = start(&url).expect("a server");
    let id = server.id();
    let (shelf, updates) = small_catalogue(&server, 700);
    let update = updates[0].to_string();
    let create =
        ["deployments", "create", "--update", &update, "--collection", "All Computers", "--action", "optional"];
    json(&server, &create);
    let whole = revisions(&server);
    let runtime = runtime();
    let mut scanning = agent(&server, computer(100, &shelf));
    assert_eq!(runtime.block_on(scanning.scan()).expect("a scan").offered.len(), 1);
    let mut reporters: Vec<Reporter> =
        (0..COMPUTERS).map(|number| runtime.block_on(Reporter::known(&server, number, &shelf, &updates))).collect();

    let mut random = Random::new(21);
    for round in 0..ROUNDS {
        let tasks: Vec<_> = reporters
            .drain(..)
            .map(|mut reporter| {
                runtime.spawn(async move {
                    reporter.report_until_cut(|| ()).await;
                    reporter
                })
            })
            .collect();
        let delay = Duration::from_millis(500).mul_f64(random.fraction());
        std::thread::sleep(delay);
        cluster.stop_immediate();
        let when = format!("kill {round} after {delay:?}");
        for task in tasks {
            reporters.push(runtime.block_on(task).expect("a reporter"));
        }
        for reporter in &mut reporters {
            let refused = runtime.block_on(reporter.report()).expect_err("nothing can be stored");
            let code = fault_code(&refused);
            // agents come again after either
            let comes_again = matches!(code, Some(ErrorCode::ServerBusy | ErrorCode::InternalServerError));
            assert!(comes_again, "{when}: {refused:#}");
        }
        let (code, said) = server.json_with_code(&["collections", "create", "Ring"]).expect("a refusal");
        let said = said.as_str().expect("words");
        assert!(code == 1 && said.contains("database") && !said.contains(PASSWORD), "{when}: {code}: {said}");

        cluster.start_again();
        for reporter in &mut reporters {
            // sent again as it was
            wait(&server, "a report", || match runtime.block_on(reporter.report()) {
                Ok(some) => {
                    assert!(some, "{when}: every report was taken");
                    Ok(())
                }
                Err(error) => Err(format!("{error:#}")),
            });
            reporter.check_status(&server, &when);
        }
        let scan = runtime.block_on(scanning.scan()).expect("a scan");
        assert_eq!((scan.recovered, scan.offered.len()), (vec![], 1), "{when}: its cookie is good");
        assert_eq!(server.id(), id, "it is the same process");
        assert_eq!(revisions(&server), whole, "{when}");
        let named = answered(&server, &["collections", "list"]).to_string();
        assert!(!named.contains("Ring"), "{when}: it was refused: {named}");
    }
    let answered: usize = reporters.iter().map(Reporter::answered).sum();
    assert!(answered > ROUNDS * COMPUTERS as usize, "the tasks did nothing: {answered}");

    // a server that is killed is followed by another at once
    server.kill().expect("killed");
    server.restart().unwrap_or_else(|error| panic!("{error:#}\n{}", server.log()));
    for reporter in &mut reporters {
        reporter.check_status(&server, "after the server was killed");
        reporter.agent.move_to(&server.client_url()).expect("an address");
        runtime.block_on(reporter.settle());
    }
    for shown in [json(&server, &["status"]), json(&server, &["settings", "list"])] {
        assert!(!shown.to_string().contains(PASSWORD), "{shown}");
    }
    assert!(server.stop().expect("it stops"), "{}", server.log());
    assert!(!server.log().contains(PASSWORD), "the password is in the log");
    assert!(!server.data().join("weir.db").exists(), "nothing is kept in the folder");
    let options = Options { database: Some(url), ..Options::default() };
    let store = Store::open(server.data(), &options).expect("the store");
    for reporter in &reporters {
        reporter.check_events(&store);
    }
}

#[test]
fn an_import_is_there_whole_or_not_at_all_when_the_database_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let catalogue = Catalogue::generate(Shape { revisions: 400, sizes: Sizes::Small, seed: 22 });
    let documents: Vec<Document> = catalogue.documents().collect();
    write_documents(folder.path(), &documents);
    let (path, whole) = (folder.path().to_str().expect("UTF-8"), documents.len() as u64);
    let mut cluster = Cluster::start();
    let first = start(&cluster.create("first", "")).expect("a server");
    let begun = Instant::now();
    json(&first, &["import", path]);
    let lasts = begun.elapsed();
    drop(first);

    let mut random = Random::new(23);
    for round in 0..3 {
        let server = start(&cluster.create(&format!("weir{round}"), "")).expect("a server");
        let mut import = server.command(&["import", path, "--json"]);
        let import = import.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("an import");
        let delay = lasts.mul_f64(random.fraction());
        std::thread::sleep(delay);
        cluster.stop_immediate();
        let output = import.wait_with_output().expect("an end");
        cluster.start_again();
        let count = revisions(&server);
        assert!(count == 0 || count == whole, "{count} of {whole} revisions, kill {round} after {delay:?}");
        assert!(count == whole || !output.status.success(), "acknowledged and not there, kill {round} after {delay:?}");
        let told = answered(&server, &["import", path]);
        let told = told["added"].as_u64().zip(told["unchanged"].as_u64()).map(|(added, unchanged)| added + unchanged);
        assert_eq!((told, revisions(&server)), (Some(whole), whole));
        let status = json(&server, &["status"]);
        assert_eq!(status["counts"]["revisions"], status["snapshot"]["revisions"], "{status}");
    }
}

/// The promise: a report is answered when the database has it, and not before, however long that takes.
#[test]
fn a_database_that_hangs_keeps_a_report_waiting_and_loses_none() {
    let (cluster, url) = guarded();
    let server = start(&url).expect("a server");
    let (shelf, updates) = small_catalogue(&server, 6);
    let runtime = runtime();
    let mut reporter = runtime.block_on(Reporter::known(&server, 1, &shelf, &updates));
    cluster.hang();
    let told = runtime.spawn(async move {
        let answered = reporter.report().await;
        (reporter, answered)
    });
    std::thread::sleep(Duration::from_secs(1));
    assert!(!told.is_finished(), "a report was answered before it was stored");
    cluster.go_on();
    let (reporter, answered) = runtime.block_on(told).expect("a report");
    assert!(answered.expect("it is taken when the database goes on"));
    reporter.check_status(&server, "after the database hung");
}

/// What cannot be used is said with where it is and what is wrong, and the password is in no message.
#[test]
fn a_database_that_cannot_be_used_is_refused_clearly_and_without_the_password() {
    let cluster = Cluster::start();
    cluster.execute(&format!("CREATE ROLE {GUARDED} LOGIN PASSWORD 'another'"));
    cluster.create("weir", "");
    cluster.create("latin", "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    let older = OlderServer::before(&cluster);
    let with_password = |url: &str| url.replace("postgres@", &format!("postgres:{PASSWORD}@"));
    let nobody = "postgres://postgres@127.0.0.1:1/weir";
    for (what, url, words) in [
        ("a wrong password", cluster.url_as(&format!("{GUARDED}:{PASSWORD}"), "weir"), ["password", GUARDED]),
        ("no such database", with_password(&cluster.url("nowhere")), ["nowhere", "does not exist"]),
        ("nobody there", with_password(nobody), ["127.0.0.1:1", "cannot be reached"]),
        ("an older release", with_password(&older.url("weir")), ["PostgreSQL 13.", "15 or later"]),
        ("another encoding", with_password(&cluster.url("latin")), ["LATIN1", "ENCODING 'UTF8'"]),
        (
            "no address",
            format!("postgres://postgres:{PASSWORD}@host:port/weir"),
            ["database.url", "postgres://USER@HOST/NAME"],
        ),
    ] {
        let said = format!("{:#}", start(&url).expect_err("it must not start"));
        assert!(words.iter().all(|word| said.contains(word)), "{what}: {said}");
        assert!(!said.contains(PASSWORD), "{what}: the password is in {said}");
        let place = url.replace(&format!(":{PASSWORD}"), "");
        assert!(what == "no address" || said.contains(&place), "{what}: {place} is not in {said}");
    }
}
