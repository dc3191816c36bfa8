//! What changes while somebody looks, and long work.

use std::time::Duration;

use reqwest::Response;
use serde_json::{Value, json};
use weir_testkit::Document;

use crate::harness::{Server, id};

/// A bound for what must come; it is waited for, not slept.
const PATIENCE: Duration = Duration::from_secs(60);

async fn follow(server: &Server, topics: &str) -> Response {
    let request = server.http.get(server.admin(&format!("/api/v1/events{topics}"))).bearer_auth(&server.token);
    request.send().await.expect("an answer")
}

/// Reads on until a change with this topic comes.
async fn until(stream: &mut Response, topic: &str) -> Vec<String> {
    let mut text = String::new();
    let found = async {
        loop {
            let chunk = stream.chunk().await.expect("it goes on").expect("it goes on");
            text.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
            for line in text.lines().filter_map(|line| line.strip_prefix("data: ")) {
                // a line may be cut
                let Ok(change) = serde_json::from_str::<Value>(line) else { continue };
                assert!(change["at"].is_string(), "{change}");
                let topics: Vec<String> = serde_json::from_value(change["topics"].clone()).expect("topics");
                if topics.iter().any(|known| known == topic) {
                    return topics;
                }
            }
        }
    };
    tokio::time::timeout(PATIENCE, found).await.expect("the change is told")
}

#[tokio::test]
async fn changes_are_told_while_somebody_follows() {
    let server = Server::start().await;
    let mut all = follow(&server, "").await;
    assert_eq!(all.status(), 200);
    assert_eq!(all.headers()["content-type"], "text/event-stream");
    let mut alerts = follow(&server, "?topics=groups").await;
    server.post("collections", json!({ "name": "Ring" })).await.ok();
    until(&mut all, "collections").await;
    server.import_documents(&[Document::software(id(1), 1).title("Fix")]).await;
    until(&mut all, "updates").await;
    server.post("groups", json!({ "name": "November" })).await.ok();
    assert_eq!(until(&mut alerts, "groups").await, ["groups"], "and nothing that was not asked for");
    // both streams are open, and the server stops all the same
    server.stop().await;
    while let Ok(Some(_)) = all.chunk().await {}
}

#[tokio::test]
async fn streams_are_bounded_and_topics_are_known() {
    let server = Server::start().await;
    assert_eq!(server.get("events?topics=colour").await.refused(400), "topics");
    assert_eq!(server.get("events?colour=red").await.refused(400), "query");
    let topics = server.get("event-topics").await.ok();
    assert_eq!(topics["items"].as_array().expect("items").len(), 15);
    let mut streams = Vec::new();
    for _ in 0..16 {
        let stream = follow(&server, "").await;
        assert_eq!(stream.status(), 200);
        streams.push(stream);
    }
    assert_eq!(server.get("events").await.refused(429), "too_many_streams");
    streams.clear();
    // their places are free as soon as the server knows that they left
    tokio::time::timeout(PATIENCE, async {
        while follow(&server, "").await.status() != 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("a place is free again");
    server.stop().await;
}

#[tokio::test]
async fn long_work_is_in_one_list() {
    let server = Server::start().await;
    server.import_documents(&[Document::software(id(1), 1).title("Fix")]).await;
    server.post("content/verify?wait=true", json!({})).await.ok();
    server.post("cleanup/runs", json!({})).await.ok();
    let jobs = server.get("jobs").await.ok();
    let kinds: Vec<&str> =
        jobs["items"].as_array().expect("items").iter().map(|job| job["kind"].as_str().expect("a kind")).collect();
    for kind in ["cleanup", "content_verify", "import"] {
        assert!(kinds.contains(&kind), "{kind} is not in {kinds:?}");
    }
    let imports = server.get("jobs?kind=import&state=done").await.ok();
    let import = &imports["items"][0];
    assert_eq!((&import["title"], &import["error"]), (&json!("Import"), &Value::Null));
    assert_eq!(import["result"], "1 added, 0 unchanged, 0 rejected, 0 skipped");
    let link = import["link"].as_str().expect("a link");
    assert_eq!(server.get(link.trim_start_matches('/')).await.ok()["state"], "done");
    assert_eq!(server.get("jobs?state=somewhere").await.refused(400), "query");
    server.stop().await;
}
