//! Content: adding, fetching from sources, verifying, repairing, collecting.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use weir_testkit::{Document, Payload};

use crate::harness::{Server, id};

fn payload() -> Payload {
    Payload::random("payload.cab", 300_000, 7)
}

async fn deployed(document: Document) -> Server {
    let server = Server::start().await;
    server.import_documents(&[document]).await;
    server
}

async fn deploy(server: &Server) -> String {
    let body = json!({ "update": id(1), "collection": "All Computers", "action": "install" });
    let made = server.post("deployments", body).await.ok();
    format!("deployments/{}", made["id"])
}

async fn until(server: &Server, path: &str, ready: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..200 {
        let value = server.get(path).await.ok();
        if ready(&value) {
            return value;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{path} stays {}", server.get(path).await.ok());
}

#[tokio::test]
async fn only_files_that_an_update_names_are_taken() {
    let server = deployed(Document::software(id(1), 1).title("A").file(&payload())).await;
    let bytes = payload().bytes;
    let answer = server.upload("content", &[("any name", &bytes), ("other", b"nobody names this")]).await.ok();
    assert_eq!((&answer["added"], &answer["rejected"]), (&json!(1), &json!(1)), "{answer}");
    assert_eq!(answer["errors"][0]["file"], "other");
    let again = server.upload("content", &[("x", &bytes)]).await.ok();
    assert_eq!((&again["added"], &again["unchanged"]), (&json!(0), &json!(1)));
    let list = server.get("content").await.ok();
    assert_eq!((&list["files"], &list["bytes"]), (&json!(1), &json!(300_000)));
    assert_eq!(list["items"][0]["state"], "present");
    assert_eq!(list["items"][0]["name"], "payload.cab");
    let url = format!("{}/Content/{}", server.client(), payload().content_path());
    let served = reqwest::get(url).await.expect("answer").bytes().await.expect("bytes");
    assert_eq!(served, bytes);
    server.stop().await;
}

#[tokio::test]
async fn a_file_that_changed_on_disk_is_put_aside_and_not_served() {
    let server = deployed(Document::software(id(1), 1).title("A").file(&payload())).await;
    server.upload("content", &[("x", &payload().bytes)]).await.ok();
    let deployment = deploy(&server).await;
    until(&server, &deployment, |value| value["state"] == "active").await;
    assert_eq!(server.post("content/verify?wait=true", json!({})).await.ok()["verified"]["good"], 1);

    let stored = std::fs::read_dir(server.data.path().join("content"))
        .expect("folder")
        .flat_map(|entry| std::fs::read_dir(entry.expect("entry").path()).into_iter().flatten())
        .map(|entry| entry.expect("entry").path())
        .find(|path| path.extension().is_some_and(|extension| extension == "cab"))
        .expect("the stored file");
    let mut bytes = payload().bytes;
    bytes[5] ^= 1;
    std::fs::write(&stored, bytes).expect("written");
    let job = server.post("content/repair?wait=true", json!({})).await.ok();
    let repaired = &job["repaired"];
    assert_eq!((&repaired["bad"], &repaired["without_source"]), (&json!(1), &json!(1)), "{repaired}");
    assert_eq!(server.get(&deployment).await.ok()["state"], "waiting_for_content");
    let url = format!("{}/Content/{}", server.client(), payload().content_path());
    assert_eq!(reqwest::get(url).await.expect("answer").status(), 404);
    let alerts = server.get("alerts").await.ok();
    assert!(alerts["items"][0]["key"].as_str().expect("key").starts_with("content.mismatch:"), "{alerts}");
    let waiting = server.get("content?state=waiting").await.ok();
    assert_eq!((&waiting["waiting_files"], &waiting["items"][0]["state"]), (&json!(1), &json!("waiting")));

    server.upload("content", &[("x", &payload().bytes)]).await.ok();
    assert_eq!(server.get(&deployment).await.ok()["state"], "active");
    assert_ne!(server.get("alerts").await.ok()["items"][0]["closed_at"], Value::Null);
    server.stop().await;
}

#[tokio::test]
async fn nothing_that_an_update_names_is_collected() {
    let server = deployed(Document::software(id(1), 1).title("A").file(&payload())).await;
    server.upload("content", &[("x", &payload().bytes)]).await.ok();
    for dry_run in [true, false] {
        let answer =
            server.post(&format!("content/gc?dry_run={dry_run}&min_age_hours=0&wait=true"), json!({})).await.ok();
        assert_eq!((&answer["collected"]["files"], &answer["state"]), (&json!(0), &json!("done")), "{answer}");
    }
    assert_eq!(server.get("content").await.ok()["files"], 1);
    server.stop().await;
}

/// A source of content whose first answers break off.
#[derive(Clone)]
struct Source {
    bytes: Arc<[u8]>,
    calls: Arc<AtomicUsize>,
    ranges: Arc<AtomicUsize>,
}

async fn serve(State(source): State<Source>, headers: HeaderMap) -> Response {
    let call = source.calls.fetch_add(1, Ordering::SeqCst);
    let bytes = &source.bytes;
    let from = headers
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok()?.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    if let Some(from) = from {
        source.ranges.fetch_add(1, Ordering::SeqCst);
        let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
        return (StatusCode::PARTIAL_CONTENT, [(header::CONTENT_RANGE, range)], bytes[from..].to_vec()).into_response();
    }
    if call == 0 {
        // announces everything and breaks off in the middle
        let half = bytes[..bytes.len() / 2].to_vec();
        let parts = [Ok(axum::body::Bytes::from(half)), Err(std::io::Error::other("the line is cut"))];
        let stream = futures_util::stream::iter(parts).then(async |part: Result<_, _>| {
            if part.is_err() {
                // what came before must be on its way
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            part
        });
        return axum::body::Body::from_stream(stream).into_response();
    }
    bytes.to_vec().into_response()
}

async fn source(bytes: Vec<u8>) -> (Source, String) {
    let source = Source { bytes: bytes.into(), calls: Arc::default(), ranges: Arc::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("address");
    let router = Router::new().route("/payload.cab", get(serve)).with_state(source.clone());
    tokio::spawn(serve_http(listener, router));
    (source, format!("http://{address}/payload.cab"))
}

async fn serve_http(listener: tokio::net::TcpListener, router: Router) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        let service = hyper_util::service::TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let io = hyper_util::rt::TokioIo::new(stream);
            // the test cuts connections on purpose
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
        });
    }
}

/// A document whose file names its source.
fn with_source(url: &str) -> String {
    let xml = Document::software(id(1), 1).title("A").file(&payload()).to_xml();
    xml.replacen("<upd:File ", &format!("<upd:File OriginUri=\"{url}\" "), 1)
}

#[tokio::test]
async fn deployed_files_are_fetched_from_their_source_and_resumed_when_the_line_breaks() {
    let (source, url) = source(payload().bytes).await;
    let server = Server::start().await;
    let import = server.import(&[("a.xml", with_source(&url).as_bytes())]).await;
    assert_eq!(import["result"]["added"], 1, "{import}");
    assert_eq!(source.calls.load(Ordering::SeqCst), 0);
    let deployment = deploy(&server).await;
    until(&server, &deployment, |value| value["state"] == "active").await;
    assert_eq!(source.ranges.load(Ordering::SeqCst), 1);
    let served =
        reqwest::get(format!("{}/Content/{}", server.client(), payload().content_path())).await.expect("answer");
    assert_eq!(served.bytes().await.expect("bytes"), payload().bytes);
    server.stop().await;
}

#[tokio::test]
async fn a_source_that_sends_another_file_raises_an_alert_and_nothing_is_stored() {
    let mut bytes = payload().bytes;
    bytes[200_000] ^= 1;
    let (source, url) = source(bytes).await;
    source.calls.store(1, Ordering::SeqCst);
    let server = Server::start().await;
    server.import(&[("a.xml", with_source(&url).as_bytes())]).await;
    let deployment = deploy(&server).await;
    let alerts =
        until(&server, "alerts", |value| value["items"].as_array().is_some_and(|items| !items.is_empty())).await;
    assert!(alerts["items"][0]["key"].as_str().expect("key").starts_with("content.mismatch:"), "{alerts}");
    assert_eq!(server.get(&deployment).await.ok()["state"], "waiting_for_content");
    assert_eq!(server.get("content").await.ok()["files"], 0);
    server.stop().await;
}
