//! Content from an upstream server (server-server dossier, checklist 31), and of a site below another.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;
use weir_model::update::CategoryKind;
use weir_testkit::{
    Document, Payload,
    upstream::{At, Served, Trouble, Upstream},
};
use weir_wire::wsss::Operation;

use crate::{
    harness::{Server, id, settings},
    publisher::Publisher,
};

fn payload(seed: u64) -> Payload {
    Payload::random(&format!("file{seed}.cab"), 150_000, seed)
}

fn terms() -> Payload {
    Payload::new("terms.txt", "do what you like")
}

/// A product, a classification, and updates in both with a file each; the first one has a licence.
fn documents() -> Vec<Document> {
    let update = |number: u128| {
        let document = Document::software(id(number), 1).in_category(id(92)).in_category(id(93));
        document.file(&payload(number as u64))
    };
    vec![
        Document::category(id(90), 1, CategoryKind::Company),
        Document::category(id(91), 1, CategoryKind::ProductFamily).in_category(id(90)),
        Document::category(id(92), 1, CategoryKind::Product).in_category(id(91)),
        Document::category(id(93), 1, CategoryKind::UpdateClassification),
        update(1).eula(Uuid::from_u128(9), "en", None, &terms()),
        update(2),
    ]
}

async fn until(server: &Server, path: &str, ready: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..1_200 {
        last = server.get(path).await.ok();
        if ready(&last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{path} stays {last}");
}

async fn set(server: &Server, key: &str, value: Value) {
    let path = format!("settings/{key}");
    server.call(reqwest::Method::PUT, &path, Some(json!({ "value": value }))).await.ok();
}

async fn synchronize(server: &Server) {
    let run = server.post("sync", json!({})).await.ok()["run"]["id"].as_str().expect("an id").to_owned();
    let ended = |run: &Value| !matches!(run["state"].as_str(), Some("running" | "waiting"));
    let run = until(server, &format!("sync/runs/{run}"), ended).await;
    assert_eq!(run["state"], "done", "{run}");
}

/// A server that has synchronized everything from there.
async fn below(upstream: &str) -> Server {
    let server = Server::start().await;
    synchronize_from(&server, upstream).await;
    server
}

async fn synchronize_from(server: &Server, upstream: &str) {
    set(server, "source", json!(upstream)).await;
    synchronize(server).await;
    for selection in ["products", "classifications"] {
        server.call(reqwest::Method::PUT, selection, Some(json!({ "all": true }))).await.ok();
    }
    synchronize(server).await;
}

async fn deploy(server: &Server, number: u128) -> String {
    let body = json!({
        "update": id(number), "collection": "All Computers", "action": "install", "accept_eula": true,
    });
    let made = server.post("deployments", body).await.ok();
    format!("deployments/{}", made["id"])
}

async fn until_active(server: &Server, deployment: &str) {
    until(server, deployment, |value| value["state"] == "active").await;
}

/// Paths of files that were asked for, without the addresses of licence files.
fn fetched(upstream: &Upstream, payload: &Payload) -> Vec<String> {
    let hex = payload.sha1().to_hex();
    let paths = upstream.log().into_iter().map(|received| received.path);
    paths.filter(|path| path.to_ascii_uppercase().contains(&hex)).collect()
}

#[tokio::test]
async fn c31_content_comes_from_the_parent_if_it_has_content() {
    let upstream = Upstream::start(Served::new().with(documents()));
    let server = below(&upstream.url()).await;
    // the licence file comes without any deployment
    until(&server, "content", |value| value["files"] == 1).await;
    let deployment = deploy(&server, 1).await;
    until_active(&server, &deployment).await;
    assert_eq!(fetched(&upstream, &payload(1)), [format!("/Content/{}", payload(1).content_path())]);
    assert_eq!(fetched(&upstream, &terms()), [format!("/Content/{}", terms().content_path())]);
    assert_eq!(fetched(&upstream, &payload(2)), Vec::<String>::new(), "nobody needs it");
    let url = format!("{}/Content/{}", server.client(), payload(1).content_path());
    assert_eq!(reqwest::get(url).await.expect("answer").bytes().await.expect("bytes"), payload(1).bytes);
    server.stop().await;
}

#[tokio::test]
async fn c31_content_comes_from_its_publisher_if_the_parent_has_none() {
    let mut served = Served::new().with(documents());
    served.config.catalog_only_sync = true;
    let upstream = Upstream::start(served);
    let server = below(&upstream.url()).await;
    let deployment = deploy(&server, 1).await;
    until_active(&server, &deployment).await;
    let paths = fetched(&upstream, &payload(1));
    assert!(paths.len() == 1 && paths[0].starts_with("/mu/"), "{paths:?}");
    server.stop().await;
}

#[tokio::test]
async fn c31_what_the_parent_lacks_is_asked_for_and_fetched_then() {
    let mut served = Served::new().with(documents());
    for file in served.files.values_mut() {
        file.here = false;
    }
    let upstream = Upstream::start(served);
    let server = below(&upstream.url()).await;
    let deployment = deploy(&server, 1).await;
    until_active(&server, &deployment).await;
    assert!(upstream.operations().contains(&Operation::DownloadFiles), "{:?}", upstream.operations());
    let path = format!("/Content/{}", payload(1).content_path());
    let asked: Vec<Option<u16>> =
        upstream.log().into_iter().filter(|received| received.path == path).map(|received| received.status).collect();
    assert!(asked.starts_with(&[Some(404)]) && asked.ends_with(&[Some(200)]), "{asked:?}");
    assert_eq!(server.get("content/status").await.ok()["resting_files"], 0);
    server.stop().await;
}

#[tokio::test]
async fn c31_wrong_bytes_of_the_parent_are_put_aside_and_the_publisher_is_tried() {
    let upstream = Upstream::start(Served::new().with(documents()));
    let server = below(&upstream.url()).await;
    until(&server, "content", |value| value["files"] == 1).await;
    upstream.clear_log();
    upstream.trouble(At::Content(1), Trouble::WrongContent);
    let deployment = deploy(&server, 1).await;
    until_active(&server, &deployment).await;
    let paths = fetched(&upstream, &payload(1));
    assert!(paths.len() == 2 && paths[0].starts_with("/Content/") && paths[1].starts_with("/mu/"), "{paths:?}");
    let quarantine = std::fs::read_dir(server.data.path().join("content/quarantine")).expect("the folder");
    assert_eq!(quarantine.count(), 1);
    let alerts = server.get("alerts").await.ok();
    let about = |alert: &&Value| alert["key"].as_str().is_some_and(|key| key.starts_with("content.mismatch:"));
    let alert = alerts["items"].as_array().expect("alerts").iter().find(about).expect("it was told");
    assert_ne!(alert["closed_at"], Value::Null, "and is over");
    server.stop().await;
}

#[tokio::test]
async fn c31_a_connection_that_breaks_off_or_an_answer_without_end_costs_nothing_but_time() {
    for trouble in [Trouble::Truncated, Trouble::Close, Trouble::Endless, Trouble::Status(503)] {
        let upstream = Upstream::start(Served::new().with(documents()));
        let server = below(&upstream.url()).await;
        until(&server, "content", |value| value["files"] == 1).await;
        upstream.clear_log();
        let what = format!("{trouble:?}");
        upstream.trouble(At::Content(1), trouble);
        let deployment = deploy(&server, 1).await;
        until_active(&server, &deployment).await;
        let stored = server.data.path().join("content").join(payload(1).content_path());
        assert_eq!(std::fs::read(stored).expect("stored"), payload(1).bytes, "{what}");
        server.stop().await;
    }
}

#[tokio::test]
async fn c31_express_files_are_fetched_only_if_configured() {
    let express = payload(7);
    let digest = format!("Digest=\"{}\"", express.sha1().to_base64());
    let text = Document::software(id(3), 1).in_category(id(92)).in_category(id(93)).file(&payload(3)).file(&express);
    let text = text.to_xml().replacen(&digest, &format!("PatchingType=\"Express\" {digest}"), 1);
    let mut served = Served::new().with(documents());
    served.add_text(text);
    for file in [payload(3), express.clone()] {
        served.add_file(file);
    }
    let upstream = Upstream::start(served);
    let server = below(&upstream.url()).await;
    let deployment = deploy(&server, 3).await;
    until_active(&server, &deployment).await;
    assert_eq!(fetched(&upstream, &express), Vec::<String>::new());
    set(&server, "content.express", json!(true)).await;
    until(&server, "content", |value| value["files"] == 3).await;
    assert_eq!(fetched(&upstream, &express), [format!("/Content/{}", express.content_path())]);
    server.stop().await;
}

/// Export-format, checklist 20: licence files are requested with storage of the catalogue alone.
#[tokio::test]
async fn x20_licence_files_are_requested_even_with_catalogue_only_storage() {
    let upstream = Upstream::start(Served::new().with(documents()));
    let server = Server::start().await;
    set(&server, "content.mode", json!("microsoft")).await;
    synchronize_from(&server, &upstream.url()).await;
    until(&server, "content", |value| value["files"] == 1).await;
    let deployment = deploy(&server, 1).await;
    let active = server.get(&deployment).await.ok();
    assert_eq!((&active["state"], &active["content"]["files_elsewhere"]), (&json!("active"), &json!(1)), "{active}");
    assert_eq!(fetched(&upstream, &payload(1)), Vec::<String>::new());
    assert_eq!(fetched(&upstream, &terms()).len(), 1);
    server.stop().await;
}

/// A whole chain: the site above fetches on approval only, so that it has to be asked; the file comes from its publisher
/// to the site above, from there to the site below, and activates the deployment there.
#[tokio::test]
async fn a_site_serves_its_computers_from_its_own_copy_which_it_asked_its_parent_for() {
    let publisher = Publisher::start().await;
    let data = tempfile::tempdir().expect("folder");
    let mut process = settings(data.path());
    process.downstream = true;
    let parent = Server::start_with(data, process).await;
    set(&parent, "downstream.policy", json!("open")).await;
    let texts: Vec<String> = documents().iter().map(|document| publisher.document(document)).collect();
    let names: Vec<String> = (0..texts.len()).map(|number| format!("{number}.xml")).collect();
    let files: Vec<(&str, &[u8])> =
        names.iter().map(String::as_str).zip(texts.iter().map(|text| text.as_bytes())).collect();
    assert_eq!(parent.import(&files).await["result"]["added"], 6);
    until(&parent, "content", |value| value["files"] == 1).await;
    let before = publisher.log().len();

    let child = below(parent.client()).await;
    let deployment = deploy(&child, 2).await;
    until_active(&child, &deployment).await;
    assert_eq!(publisher.log().len(), before + 1, "the child did not go to the publisher");
    assert_eq!(parent.get("content").await.ok()["files"], 2, "the parent has it for all who come");
    let stored = child.data.path().join("content").join(payload(2).content_path());
    assert_eq!(std::fs::read(stored).expect("stored"), payload(2).bytes);
    let status = parent.get("content/status").await.ok();
    assert_eq!((&status["waiting_files"], &status["resting_files"]), (&json!(0), &json!(0)), "{status}");
    // its own copy outlives the parent
    parent.stop().await;
    let url = format!("{}/Content/{}", child.client(), payload(2).content_path());
    assert_eq!(reqwest::get(url).await.expect("answer").bytes().await.expect("bytes"), payload(2).bytes);
    child.stop().await;
}
