//! Power cuts: everything acknowledged is there afterwards, nothing is half there.
//!
//! The moments are drawn from seeds, spread over the time that the work takes on this machine. A test that fails names
//! its moment.

mod cleanup;
mod everything;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::{Child, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json as value};
use weir_model::{
    ids::{CollectionId, UpdateId},
    targeting::DeploymentAction,
    update::CategoryKind,
};
use weir_store::{deployment::Deployed, deployment::DeploymentFilter};
use weir_testkit::{
    Document, Payload, Random, WeirProcess,
    catalogue::{Catalogue, Shape, Sizes},
};

use super::{
    Shelf, agent, computer, genuine_package, id, json, reporter::Reporter, run, server, sqlite_server, store,
    write_documents,
};

fn revisions(server: &WeirProcess) -> u64 {
    json(server, &["updates", "list", "--facets", "--limit", "1"])["total"].as_u64().expect("a number")
}

/// Waits a while within `range`, as `random` says.
fn a_while(random: &mut Random, range: Duration) -> Duration {
    let delay = range.mul_f64(random.fraction());
    std::thread::sleep(delay);
    delay
}

/// Cuts the power.
fn cut(server: &mut WeirProcess) {
    server.kill().expect("killed");
}

/// Starts the server again; what the last one had been sent and not used is gone.
fn restart(server: &mut WeirProcess) {
    server.restart().expect("it starts again");
    for folder in ["incoming", "content/incoming"] {
        let left: Vec<_> = fs::read_dir(server.data().join(folder)).expect(folder).collect();
        assert!(left.is_empty(), "{folder} keeps {left:?}");
    }
}

/// Waits until the server writes to the log of the embedded database.
fn until_written(data: &Path, import: &mut Child) {
    let size = || fs::metadata(data.join("weir.db-wal")).map_or(0, |file| file.len());
    let before = size();
    while size() == before && import.try_wait().expect("a state").is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Imports `path` into a new server, again and again, each time with a power cut: whole or not at all. Every second cut
/// comes while or after the transaction is written.
fn import_with_cuts(path: &str, whole: u64, cuts: usize, seed: u64) {
    let begun = Instant::now();
    json(&sqlite_server(), &["import", path]);
    let lasts = begun.elapsed();

    let mut random = Random::new(seed);
    let mut server = sqlite_server();
    for round in 0..cuts {
        let mut import = server.command(&["import", path, "--json"]);
        let mut import = import.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("an import");
        let written = round % 2 == 1;
        if written {
            until_written(server.data(), &mut import);
        }
        let delay = a_while(&mut random, if written { lasts / 20 } else { lasts });
        cut(&mut server);
        let output = import.wait_with_output().expect("an end");
        restart(&mut server);
        let count = revisions(&server);
        assert!(count == 0 || count == whole, "{count} of {whole} revisions, cut {round} after {delay:?}");
        if output.status.success() {
            let said = String::from_utf8_lossy(&output.stdout);
            let log = server.log();
            assert_eq!(count, whole, "acknowledged and not there, cut {round} after {delay:?}: {said}\n{log}");
            let told: Value = serde_json::from_slice(&output.stdout).expect("an outcome");
            assert_eq!(told["added"].as_u64().zip(told["unchanged"].as_u64()).map(|(a, b)| a + b), Some(whole));
        }
        let status = json(&server, &["status"]);
        assert_eq!(status["counts"]["revisions"], status["snapshot"]["revisions"], "{status}");
        if count == whole {
            // the next one begins empty again
            drop(std::mem::replace(&mut server, sqlite_server()));
        }
    }
    let told = json(&server, &["import", path]);
    assert_eq!(told["added"], whole, "{told}");
    assert_eq!(revisions(&server), whole);
}

#[test]
fn a_package_is_there_whole_or_not_at_all() {
    import_with_cuts(&genuine_package(), 3690, 4, 1);
}

#[test]
fn a_folder_is_there_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let catalogue = Catalogue::generate(Shape { revisions: 400, sizes: Sizes::Small, seed: 7 });
    let documents: Vec<Document> = catalogue.documents().collect();
    write_documents(folder.path(), &documents);
    import_with_cuts(folder.path().to_str().expect("UTF-8"), documents.len() as u64, 6, 2);
}

/// A small catalogue: one product, and this many updates of it.
pub(super) fn small_catalogue(server: &WeirProcess, updates: u128) -> (Shelf, Vec<UpdateId>) {
    let folder = tempfile::tempdir().expect("a folder");
    let (classification, product) = (id(0xc1a5), id(0xf00d));
    let mut documents = vec![
        Document::category(classification, 1, CategoryKind::UpdateClassification).title("Security Updates"),
        Document::category(product, 1, CategoryKind::Product).title("A product"),
    ];
    let ids: Vec<UpdateId> = (1..=updates).map(id).collect();
    for id in &ids {
        let title = format!("Update {}", &id.to_string()[30..]);
        documents.push(Document::software(*id, 1).title(&title).in_category(product).in_category(classification));
    }
    write_documents(folder.path(), &documents);
    json(server, &["import", folder.path().to_str().expect("UTF-8")]);
    (Shelf { classification, product, chain: BTreeSet::from([classification, product]) }, ids)
}

/// Creates deployments one after the other until the server does not answer any more; gives those it acknowledged.
fn deploy_until_cut(
    server: &WeirProcess,
    collection: &str,
    updates: &[UpdateId],
    made_any: &AtomicBool,
) -> Vec<(i32, UpdateId)> {
    let mut acknowledged = Vec::new();
    for update in updates {
        let update_text = update.to_string();
        let create = ["deployments", "create", "--update", &update_text, "--collection", collection];
        let (code, made) =
            server.json_with_code(&[&create[..], &["--action", "optional"]].concat()).expect("a command");
        match made["id"].as_i64() {
            Some(id) if code == 0 => {
                acknowledged.push((i32::try_from(id).expect("an id"), *update));
                made_any.store(true, Ordering::Relaxed);
            }
            _ => break,
        }
    }
    acknowledged
}

#[test]
fn a_deployment_is_there_once_it_was_answered() {
    const RINGS: [&str; 3] = ["All Computers", "First ring", "Zweiter Ring äöü"];
    const ROUNDS: usize = 4;
    const EACH: usize = 30;
    let mut server = server();
    let (shelf, updates) = small_catalogue(&server, (ROUNDS * EACH) as u128);
    for ring in &RINGS[1..] {
        json(&server, &["collections", "create", ring]);
    }
    let mut random = Random::new(3);
    let mut acknowledged: BTreeMap<i32, (UpdateId, &str)> = BTreeMap::new();
    for round in 0..ROUNDS {
        let updates = &updates[round * EACH..][..EACH];
        let made_any = AtomicBool::new(false);
        let delay = std::thread::scope(|scope| {
            let (server, made_any) = (&server, &made_any);
            let rings =
                RINGS.map(|ring| scope.spawn(move || (ring, deploy_until_cut(server, ring, updates, made_any))));
            // on a slow machine a command alone takes longer than the while
            let patience = Instant::now();
            while !made_any.load(Ordering::Relaxed) && patience.elapsed() < Duration::from_secs(60) {
                std::thread::sleep(Duration::from_millis(10));
            }
            let delay = a_while(&mut random, Duration::from_millis(1_200));
            let killed = std::process::Command::new("kill").args(["-KILL", &server.id().to_string()]).status();
            assert!(killed.expect("kill").success());
            for ring in rings {
                let (ring, made) = ring.join().expect("a loop");
                acknowledged.extend(made.into_iter().map(|(id, update)| (id, (update, ring))));
            }
            delay
        });
        cut(&mut server);
        restart(&mut server);
        let list = json(&server, &["deployments", "list", "--all"]);
        let list = list["items"].as_array().expect("items");
        let there: BTreeMap<i64, &Value> = list.iter().map(|one| (one["id"].as_i64().expect("an id"), one)).collect();
        assert_eq!(there.len(), list.len(), "an id twice");
        for (id, (update, ring)) in &acknowledged {
            let one = there.get(&i64::from(*id));
            let one =
                one.unwrap_or_else(|| panic!("deployment {id} was answered and is gone, cut {round} after {delay:?}"));
            assert_eq!((&one["update"]["id"], &one["collection"]["name"]), (&value!(update), &value!(ring)), "{one}");
            assert_eq!((&one["action"], &one["state"]), (&value!("optional"), &value!("active")), "{one}");
        }
        // at most what was under way in each loop, each time
        assert!(
            list.len() <= acknowledged.len() + (round + 1) * RINGS.len(),
            "{} of {}",
            list.len(),
            acknowledged.len()
        );
        // none is half there: computers are offered exactly what is listed
        let offered = run(async {
            let scanned = agent(&server, computer(round as u64, &shelf)).scan().await.expect("a scan");
            scanned.offered.into_iter().map(|identity| identity.update_id).collect::<BTreeSet<_>>()
        });
        let everywhere = list.iter().filter(|one| one["collection"]["name"] == "All Computers");
        let everywhere: BTreeSet<UpdateId> =
            everywhere.map(|one| one["update"]["id"].as_str().expect("an id").parse().expect("a GUID")).collect();
        assert_eq!(offered, everywhere, "cut {round} after {delay:?}");
    }
    assert!(acknowledged.len() >= ROUNDS, "the loops did nothing: {}", acknowledged.len());

    assert!(server.stop().expect("it stops"), "{}", server.log());
    let store = store(server.data());
    let (deployments, audited) = store
        .read(|tx| Ok((tx.deployment_list(&DeploymentFilter::default(), None, 1_000)?, tx.audit_list(None, 1_000)?)))
        .expect("lists");
    let made: BTreeSet<String> = deployments.items.iter().map(|row| row.id.to_string()).collect();
    let audited = audited.items.into_iter().filter(|row| row.action == "deployment.create");
    assert_eq!(audited.map(|row| row.subject).collect::<BTreeSet<_>>(), made, "the log tells of exactly those");
    assert!(deployments.items.iter().all(|row| {
        row.action == DeploymentAction::Optional && matches!(row.deployed, Deployed::Update { revision: None, .. })
    }));
    assert!(deployments.items.iter().any(|row| row.collection == CollectionId::ALL_COMPUTERS));
}

#[test]
fn a_report_is_there_once_it_was_answered() {
    const COMPUTERS: u64 = 6;
    const ROUNDS: usize = 4;
    let mut server = server();
    let (shelf, updates) = small_catalogue(&server, 400);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let mut reporters: Vec<Reporter> = runtime.block_on(async {
        let mut reporters = Vec::new();
        for number in 0..COMPUTERS {
            reporters.push(Reporter::known(&server, number, &shelf, &updates).await);
        }
        reporters
    });

    let mut random = Random::new(4);
    for round in 0..ROUNDS {
        let tasks: Vec<_> = reporters
            .drain(..)
            .map(|mut reporter| {
                runtime.spawn(async move {
                    reporter.report_until_cut().await;
                    reporter
                })
            })
            .collect();
        let delay = a_while(&mut random, Duration::from_millis(1_000));
        cut(&mut server);
        for task in tasks {
            reporters.push(runtime.block_on(task).expect("a reporter"));
        }
        restart(&mut server);
        for reporter in &mut reporters {
            reporter.check_status(&server, &format!("cut {round} after {delay:?}"));
            reporter.agent.move_to(&server.client_url()).expect("an address");
        }
    }
    let answered: usize = reporters.iter().map(Reporter::answered).sum();
    assert!(answered > ROUNDS, "the tasks did nothing: {answered}");
    // what was not answered is sent again and is there once
    runtime.block_on(async {
        for reporter in &mut reporters {
            reporter.settle().await;
            let scan = reporter.agent.scan().await.expect("a scan with the cookie of before");
            assert_eq!(scan.recovered, [], "the cookie outlives the server");
            assert!(scan.pages.iter().all(Vec::is_empty), "nothing is sent twice: {:?}", scan.pages);
        }
    });
    assert!(server.stop().expect("it stops"), "{}", server.log());
    // opened once: a process that another test starts may hold the lock of a closed one for a moment
    let store = store(server.data());
    for reporter in &reporters {
        reporter.check_events(&store);
    }
}

#[test]
fn content_is_there_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let payloads: Vec<Payload> =
        (0..6).map(|seed| Payload::random(&format!("file-{seed}.cab"), 3_000_000, seed)).collect();
    let updates: Vec<Document> = (1..)
        .zip(&payloads)
        .map(|(number, payload)| Document::software(id(number), 1).title("An update").file(payload))
        .collect();
    write_documents(&folder.path().join("metadata"), &updates);
    let files = folder.path().join("content");
    for payload in &payloads {
        payload.write_to(&files).expect("a file");
    }
    let mut server = server();
    json(&server, &["import", folder.path().join("metadata").to_str().expect("UTF-8")]);
    let mut random = Random::new(5);
    for round in 0..4 {
        let mut add = server.command(&["content", "add", files.to_str().expect("UTF-8"), "--json"]);
        let add = add.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("content add");
        let delay = a_while(&mut random, Duration::from_millis(500));
        cut(&mut server);
        let acknowledged = add.wait_with_output().expect("an end").status.success();
        restart(&mut server);
        let verified = json(&server, &["content", "verify"]);
        assert_eq!(verified["bad"], 0, "cut {round} after {delay:?}: {verified}");
        let count = json(&server, &["status"])["counts"]["content_files"].as_u64().expect("a number");
        assert!(!acknowledged || count == payloads.len() as u64, "{count} files, cut {round} after {delay:?}");
        run(async {
            let mut connection = weir_testkit::http::Connection::to(&server.client_url()).expect("an address");
            let mut served = 0;
            for payload in &payloads {
                let path = format!("/Content/{}", payload.content_path());
                let answer = connection.send("GET", &path, &[], b"").await.expect("an answer");
                match answer.status {
                    200 => assert!(answer.body == payload.bytes, "{path}: other bytes"),
                    404 => continue,
                    other => panic!("{path}: {other}"),
                }
                served += 1;
            }
            assert_eq!(served, count, "served and counted, cut {round} after {delay:?}");
        });
    }
    let added = json(&server, &["content", "add", files.to_str().expect("UTF-8")]);
    assert_eq!(added["added"].as_u64().zip(added["unchanged"].as_u64()).map(|(a, b)| a + b), Some(6), "{added}");
}

#[test]
fn what_a_killed_server_leaves_behind_is_no_obstacle() {
    let mut server = server();
    let (shelf, updates) = small_catalogue(&server, 1);
    json(
        &server,
        &[
            "deployments",
            "create",
            "--update",
            &updates[0].to_string(),
            "--collection",
            "All Computers",
            "--action",
            "install",
        ],
    );
    let mut agent = agent(&server, computer(7, &shelf));
    run(async { agent.scan().await.expect("a scan") });
    let token = server.token().expect("a token");
    cut(&mut server);

    // the address of a server that is not there any more is no server
    let endpoints = server.data().join("endpoints.json");
    assert!(endpoints.is_file());
    let (code, message) = server.json_with_code(&["status"]).expect("a refusal");
    assert_eq!(code, 1);
    let data = server.data().display().to_string();
    let says = |text: &str| message.as_str().is_some_and(|message| message.contains(text));
    assert!(says("no server is running") && says(&format!("weir serve --data {data}")), "{message}");

    for left in ["", "{", "{\"pid\": 1, \"admin\": \"https://127.0.0.1:1\"}"] {
        fs::write(&endpoints, left).expect("written");
        restart(&mut server);
        assert_eq!(json(&server, &["status"])["endpoints"]["pid"], server.id());
        cut(&mut server);
    }
    restart(&mut server);
    assert_eq!(server.token().expect("a token"), token, "the token outlives the server");
    run(async {
        agent.move_to(&server.client_url()).expect("an address");
        let scan = agent.scan().await.expect("a scan with the cookie of before");
        assert_eq!(scan.recovered, []);
        assert!(scan.pages.iter().all(Vec::is_empty), "nothing is sent twice: {:?}", scan.pages);
    });
}
