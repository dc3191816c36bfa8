//! Content in an object store: a real server that speaks S3, behind a gate that can be shut.

use std::{collections::BTreeSet, ops::ControlFlow, path::PathBuf, time::Duration};

use jiff::Timestamp;
use reqwest::{Client, Response, header, redirect::Policy};
use serde_json::{Value, json};
use tempfile::TempDir;
use weir_server::{
    Options, backup,
    config::{self, Settings},
    doctor::{self, Wanted},
};
use weir_testkit::{Computer, Document, Payload, S3, ScriptedAgent, engine, s3::SECRET};

use crate::harness::{Server, id};

const LENGTH: usize = 9_000_000;

/// Larger than one part of an upload.
fn payload() -> Payload {
    Payload::random("payload.cab", LENGTH, 11)
}

fn settings(data: &TempDir) -> Settings {
    let free = Some("127.0.0.1:0".to_owned());
    let options = Options {
        data: Some(data.path().to_owned()),
        client_http: free.clone(),
        client_https: free.clone(),
        admin: free,
        database: engine::database(data.path()),
        ..Options::default()
    };
    config::load(&options, &|_| None).expect("settings")
}

/// A server with this store that knows an update with the payload, and has it.
async fn filled(s3: &S3, more: &str) -> Server {
    filled_in(tempfile::tempdir().expect("folder"), s3, more).await
}

/// The same with the embedded database whatever was chosen: backups and the doctor are about its file.
async fn filled_on_sqlite(s3: &S3) -> Server {
    let data = tempfile::tempdir().expect("folder");
    engine::keep_sqlite(data.path());
    filled_in(data, s3, "").await
}

async fn filled_in(data: TempDir, s3: &S3, more: &str) -> Server {
    s3.configure(data.path(), more);
    let settings = settings(&data);
    let server = Server::start_with(data, settings).await;
    server.import_documents(&[Document::software(id(1), 1).title("A").file(&payload())]).await;
    let answer = server.upload("content", &[("x", &payload().bytes)]).await.ok();
    assert_eq!(answer["added"], 1, "{answer}");
    server
}

async fn deploy(server: &Server) -> String {
    let body = json!({ "update": id(1), "collection": "All Computers", "action": "install" });
    format!("deployments/{}", server.post("deployments", body).await.ok()["id"])
}

async fn until(server: &Server, path: &str, ready: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..1_200 {
        let value = server.get(path).await.ok();
        if ready(&value) {
            return value;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{path} stays {}", server.get(path).await.ok());
}

fn url(server: &Server) -> String {
    format!("{}/Content/{}", server.client(), payload().content_path())
}

fn client() -> Client {
    Client::builder().redirect(Policy::none()).no_proxy().build().expect("a client")
}

async fn ask(server: &Server, range: &str) -> Response {
    client().get(url(server)).header(header::RANGE, range).send().await.expect("an answer")
}

fn text(response: &Response, name: header::HeaderName) -> String {
    response.headers().get(name).map(|value| value.to_str().expect("text").to_owned()).unwrap_or_default()
}

/// Names of objects but the marker.
fn names(s3: &S3) -> BTreeSet<String> {
    s3.names().into_iter().filter(|name| name != "weir-content.txt").collect()
}

/// What the health report says of the store; Null if nothing.
fn finding(health: &Value) -> Value {
    let findings = health["findings"].as_array().expect("findings");
    findings.iter().find(|finding| finding["code"] == "object_store").cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_file_is_sent_in_parts_and_passed_through_with_ranges() {
    let s3 = S3::start();
    let server = filled(&s3, "").await;
    let bytes = payload().bytes;
    assert_eq!(names(&s3), BTreeSet::from([payload().content_path()]));
    assert!(s3.object(&payload().content_path()).is_some_and(|object| object == bytes));
    let folder = server.data.path().join("content");
    let left: Vec<_> =
        std::fs::read_dir(&folder).expect("folder").map(|entry| entry.expect("entry").file_name()).collect();
    assert!(left.iter().all(|name| name == "incoming" || name == "quarantine"), "{left:?}");
    assert_eq!(std::fs::read_dir(folder.join("incoming")).expect("folder").count(), 0);

    let whole = client().get(url(&server)).send().await.expect("an answer");
    let tag = text(&whole, header::ETAG);
    assert_eq!((whole.status().as_u16(), whole.content_length()), (200, Some(LENGTH as u64)));
    assert!(whole.bytes().await.expect("bytes") == bytes);
    for (range, from, to) in
        [("bytes=5-9", 5, 10), ("bytes=8388600-8388700", 8_388_600, 8_388_701), ("bytes=-3", LENGTH - 3, LENGTH)]
    {
        let part = ask(&server, range).await;
        assert_eq!(part.status(), 206, "{range}");
        assert_eq!(text(&part, header::CONTENT_RANGE), format!("bytes {from}-{}/{LENGTH}", to - 1));
        assert!(part.bytes().await.expect("bytes") == bytes[from..to], "{range}");
    }
    let parts = ask(&server, "bytes=0-1,4-5").await;
    assert_eq!(parts.status(), 206);
    assert!(text(&parts, header::CONTENT_TYPE).starts_with("multipart/byteranges"));
    let body = parts.bytes().await.expect("bytes");
    for part in [&bytes[0..2], &bytes[4..6]] {
        assert!(body.windows(6).any(|window| window[..4] == *b"\r\n\r\n" && window[4..] == *part), "{part:?}");
    }
    let beyond = ask(&server, &format!("bytes={LENGTH}-")).await;
    assert_eq!((beyond.status().as_u16(), text(&beyond, header::CONTENT_RANGE)), (416, format!("bytes */{LENGTH}")));
    let head = client().head(url(&server)).send().await.expect("an answer");
    assert_eq!((head.status().as_u16(), text(&head, header::CONTENT_LENGTH)), (200, LENGTH.to_string()));
    let known = client().get(url(&server)).header(header::IF_NONE_MATCH, tag).send().await.expect("an answer");
    assert_eq!(known.status(), 304);
    server.stop().await;
}

#[tokio::test]
async fn what_rots_in_the_store_is_put_aside_and_what_nobody_needs_goes() {
    let s3 = S3::start();
    let server = filled(&s3, "").await;
    let deployment = deploy(&server).await;
    until(&server, &deployment, |value| value["state"] == "active").await;
    assert_eq!(server.post("content/verify?wait=true", json!({})).await.ok()["verified"]["good"], 1);

    let mut rotten = payload().bytes;
    rotten[8_500_000] ^= 1;
    s3.put(&payload().content_path(), &rotten);
    let job = server.post("content/verify?wait=true", json!({})).await.ok();
    assert_eq!((&job["state"], &job["verified"]["bad"]), (&json!("failed"), &json!(1)), "{job}");
    assert_eq!(server.get(&deployment).await.ok()["state"], "waiting_for_content");
    assert_eq!(client().get(url(&server)).send().await.expect("an answer").status(), 404);
    let alerts = server.get("alerts?state=open").await.ok();
    assert!(alerts["items"][0]["key"].as_str().expect("key").starts_with("content.mismatch:"), "{alerts}");
    let [aside] = names(&s3).into_iter().collect::<Vec<_>>().try_into().expect("one object");
    assert!(aside.starts_with("quarantine/") && s3.object(&aside).is_some_and(|object| object == rotten), "{aside}");

    // brought again it is good again
    server.upload("content", &[("x", &payload().bytes)]).await.ok();
    assert_eq!(server.get(&deployment).await.ok()["state"], "active");
    // a copy of somebody's folder is taken in, whatever its names
    s3.delete(&payload().content_path());
    s3.put("WsusContent/AA/copy.cab", &payload().bytes);
    let job = server.post("content/repair?wait=true", json!({})).await.ok();
    assert_eq!((&job["repaired"]["bad"], &job["repaired"]["adopted"]), (&json!(1), &json!(1)), "{job}");
    assert_eq!(names(&s3), BTreeSet::from([payload().content_path(), aside.clone()]));
    assert_eq!(server.get(&deployment).await.ok()["state"], "active");

    server.delete(&deployment).await.ok();
    let collect = async || server.post("content/gc?undeployed=true&min_age_hours=0&wait=true", json!({})).await.ok();
    assert_eq!(collect().await["collected"]["files"], 1);
    assert_eq!(names(&s3), BTreeSet::from([aside]), "what was put aside stays for a month");
    assert_eq!(collect().await["collected"]["files"], 0);
    server.stop().await;
}

#[tokio::test]
async fn computers_are_sent_to_the_store_with_signed_addresses() {
    let s3 = S3::start();
    let server = filled(&s3, "serve = \"redirect\"\nsigned_seconds = 600\n").await;
    let sent = ask(&server, "bytes=5-9").await;
    assert_eq!(sent.status(), 302);
    assert_eq!(text(&sent, header::CACHE_CONTROL), "no-store");
    let place = text(&sent, header::LOCATION);
    let file = format!("{}/weir/site/{}?", s3.url(), payload().content_path());
    assert!(place.starts_with(&file) && place.contains("X-Amz-Signature=") && !place.contains(SECRET), "{place}");
    assert!(place.contains("X-Amz-Expires=600"), "{place}");
    let part = client().get(&place).header(header::RANGE, "bytes=5-9").send().await.expect("an answer");
    assert_eq!(part.status(), 206);
    assert!(part.bytes().await.expect("bytes") == payload().bytes[5..10]);
    assert_eq!(text(&ask(&server, "bytes=0-1").await, header::LOCATION), place, "it is given out again");

    // HEAD is signed for itself
    let sent = client().head(url(&server)).send().await.expect("an answer");
    let place = text(&sent, header::LOCATION);
    let head = client().head(&place).send().await.expect("an answer");
    assert_eq!((head.status().as_u16(), text(&head, header::CONTENT_LENGTH)), (200, LENGTH.to_string()));

    let other = Payload::random("other.cab", 10, 3);
    let unknown = client().get(format!("{}/Content/{}", server.client(), other.content_path())).send().await;
    assert_eq!(unknown.expect("an answer").status(), 404, "only what was verified has an address");
    server.stop().await;
}

#[tokio::test]
async fn while_the_store_is_out_of_reach_scans_go_on_and_nothing_counts_as_lost() {
    let s3 = S3::start();
    let server = filled(&s3, "").await;
    let deployment = deploy(&server).await;
    until(&server, &deployment, |value| value["state"] == "active").await;
    s3.shut();
    let refused = client().get(url(&server)).send().await.expect("an answer");
    assert_eq!(refused.status(), 503);
    assert_eq!(text(&refused, header::RETRY_AFTER), "30");
    let mut agent = ScriptedAgent::new(server.client(), Computer::numbered(1)).expect("agent");
    let scan = agent.scan().await.expect("a scan");
    assert!(scan.offered.iter().any(|identity| identity.update_id == id(1)), "{:?}", scan.offered);

    let health = server.get("health-report").await.ok();
    assert_eq!((&health["state"], &finding(&health)["state"]), (&json!("critical"), &json!("critical")), "{health}");
    assert!(!health.to_string().contains(SECRET));
    server.post("alert-evaluation", json!({})).await.ok();
    let open = server.get("alerts?kind=content.unreachable&state=open").await.ok();
    assert_eq!(open["items"][0]["severity"], "critical", "{open}");
    let refused = server.upload("content", &[("x", &payload().bytes)]).await;
    assert_eq!(refused.refused(503), "object_store");

    // a check that is asked for now waits for the store
    let job = server.post("content/verify", json!({})).await.ok();
    let job = format!("content/jobs/{}", job["id"].as_str().expect("an id"));
    until(&server, &job, |job| job["state"] == "running").await;
    s3.pass();
    let done = until(&server, &job, |job| job["state"] != "running").await;
    assert_eq!((&done["state"], &done["verified"]["good"]), (&json!("done"), &json!(1)), "{done}");
    assert_eq!(server.get(&deployment).await.ok()["state"], "active");
    let served = client().get(url(&server)).send().await.expect("an answer");
    assert!(served.bytes().await.expect("bytes") == payload().bytes);
    until(&server, "health-report", |health| finding(health).is_null()).await;
    server.post("alert-evaluation", json!({})).await.ok();
    let open = server.get("alerts?kind=content.unreachable&state=open").await.ok();
    assert!(open["items"].as_array().expect("items").is_empty(), "{open}");
    server.stop().await;
}

#[tokio::test]
async fn a_server_starts_without_its_store_and_refuses_that_of_another() {
    let s3 = S3::start();
    let data = filled(&s3, "").await.stop().await;
    s3.shut();
    let again = settings(&data);
    let server = Server::start_with(data, again).await;
    assert_eq!(client().get(url(&server)).send().await.expect("an answer").status(), 503);
    assert!(!finding(&server.get("health-report").await.ok()).is_null());
    s3.pass();
    until(&server, "health-report", |health| finding(health).is_null()).await;
    assert_eq!(client().get(url(&server)).send().await.expect("an answer").status(), 200);
    server.stop().await;

    let data = tempfile::tempdir().expect("folder");
    s3.configure(data.path(), "");
    let settings = settings(&data);
    let other = Server::start_with(data, settings).await;
    let health = other.get("health-report").await.ok();
    assert!(finding(&health)["detail"].as_str().expect("text").contains("another site"), "{health}");
    other.import_documents(&[Document::software(id(1), 1).title("A").file(&payload())]).await;
    let refused = other.upload("content", &[("x", &payload().bytes)]).await;
    assert_eq!(refused.refused(503), "object_store");
    assert_eq!(names(&s3), BTreeSet::from([payload().content_path()]), "nothing of the first is touched");
    other.stop().await;
}

/// Asks for a backup with files, and waits until the run is over.
async fn backed_up(server: &Server) -> Value {
    let run = server.post("backups", json!({ "content": true })).await.ok();
    let path = format!("backups/runs/{}", run["id"].as_str().expect("an id"));
    until(server, &path, |run| run["ended_at"].is_string()).await
}

#[tokio::test]
async fn a_backup_brings_files_out_of_the_store_and_a_restore_back_into_it() {
    let s3 = S3::start();
    let server = filled_on_sqlite(&s3).await;
    let run = backed_up(&server).await;
    let content = &run["backup"]["content"];
    assert_eq!(
        (&content["files"], &content["left_out"], &content["included"]),
        (&json!(1), &json!(0), &json!(true)),
        "{run}"
    );
    assert!(run["backup"]["elsewhere"].to_string().contains("store.env"), "{run}");
    assert!(!run.to_string().contains(SECRET));
    let made = PathBuf::from(run["backup"]["path"].as_str().expect("a path"));
    assert!(std::fs::read(made.join("content").join(payload().content_path())).expect("the file") == payload().bytes);
    // an outage is no loss
    s3.shut();
    let run = backed_up(&server).await;
    assert_eq!((&run["state"], &run["error"]["code"]), (&json!("failed"), &json!("object_store")), "{run}");
    s3.pass();
    let data = server.stop().await;

    s3.delete(&payload().content_path());
    let target = tempfile::tempdir().expect("folder");
    let elsewhere = target.path().join("data");
    std::fs::create_dir(&elsewhere).expect("folder");
    // what no backup holds is brought before
    std::fs::copy(data.path().join("store.env"), elsewhere.join("store.env")).expect("credentials");
    let options = Options { data: Some(elsewhere.clone()), ..Options::default() };
    let restored = tokio::task::spawn_blocking(move || {
        let restored = backup::restore(&options, &made, false, Timestamp::now(), &mut |_| ControlFlow::Continue(()));
        restored.map_err(|error| error.to_string())
    });
    let restored = restored.await.expect("ends").expect("restored");
    assert_eq!((restored.content_added, restored.content_kept), (1, 0));
    assert!(s3.object(&payload().content_path()).is_some_and(|object| object == payload().bytes));
    assert!(elsewhere.join("store.env").exists());
}

#[tokio::test]
async fn the_doctor_looks_into_the_store() {
    let s3 = S3::start();
    let server = filled_on_sqlite(&s3).await;
    let look = async |content| {
        let settings = settings(&server.data);
        let looked = tokio::task::spawn_blocking(move || {
            doctor::examine(&settings, Wanted { content, repair: false }, &mut |_, _, _| {}).expect("a diagnosis")
        });
        let findings = looked.await.expect("ends").findings;
        findings
            .iter()
            .map(|finding| finding.code)
            .filter(|code| code.starts_with("content") || *code == "object_store")
            .collect::<Vec<_>>()
    };
    assert_eq!(look(true).await, Vec::<&str>::new());
    let mut rotten = payload().bytes;
    rotten[8_500_000] ^= 1;
    s3.put(&payload().content_path(), &rotten);
    s3.put("AA/somebody.txt", b"x");
    assert_eq!(look(false).await, ["content_left_over"], "only reading finds it");
    assert_eq!(look(true).await, ["content_differs", "content_left_over"]);
    assert!(s3.object(&payload().content_path()).is_some(), "nothing is put aside by looking");
    s3.delete(&payload().content_path());
    assert_eq!(look(false).await, ["content_missing", "content_left_over"]);
    s3.shut();
    assert_eq!(look(false).await, ["object_store"]);
    s3.pass();
    server.stop().await;
}
