//! What administrators see of computers that scan and report.

use serde_json::{Value, json};
use weir_testkit::{Computer, Document, Payload, ScriptedAgent};

use crate::harness::{Server, id};

fn payload() -> Payload {
    Payload::random("fix.cab", 50_000, 3)
}

async fn ready() -> (Server, ScriptedAgent) {
    let server = Server::start().await;
    server
        .import_documents(&[
            Document::detectoid(id(1), 1).title("Fact"),
            Document::software(id(2), 1)
                .localized("en", "Fix", None)
                .localized("de", "Reparatur", None)
                .property_child("KBArticleID", "123")
                .requires(id(1))
                .file(&payload()),
        ])
        .await;
    let agent = ScriptedAgent::new(server.client(), Computer::numbered(1)).expect("agent");
    (server, agent)
}

async fn only_computer(server: &Server) -> Value {
    let list = server.get("computers").await.ok();
    let items = list["items"].as_array().expect("items").clone();
    assert_eq!(items.len(), 1, "{list}");
    items.into_iter().next().expect("one")
}

#[tokio::test]
async fn needs_are_seen_before_anything_is_deployed_and_vanish_when_it_is_installed() {
    let (server, mut agent) = ready().await;
    assert_eq!(server.get("compliance/summary").await.ok()["computers"], 0);
    agent.scan().await.expect("scan");
    let computer = only_computer(&server).await;
    assert_eq!(computer["compliant"], false);
    assert_eq!(computer["counts"]["unknown"], 1);
    assert_eq!(server.get("compliance/summary").await.ok()["counts"]["unknown"], 1);

    agent.report_scan().await.expect("reported");
    let path = format!("computers/{}", computer["id"].as_str().expect("id"));
    let shown = server.get(&path).await.ok();
    let needed = &shown["needed"][0];
    assert_eq!(
        (&needed["title"], &needed["state"], &needed["kb"]),
        (&json!("Fix"), &json!("required"), &json!(["123"]))
    );
    assert_eq!(needed["deployment"], Value::Null);
    assert_ne!(needed["why"], "");
    assert_eq!(server.get(&format!("{path}?language=de")).await.ok()["needed"][0]["title"], "Reparatur");
    let summary = server.get("compliance/summary?collection=All%20Computers").await.ok();
    assert_eq!(
        (&summary["computers"], &summary["compliant"], &summary["percent"]),
        (&json!(1), &json!(0), &json!(0.0))
    );
    assert_eq!(summary["counts"]["required"], 1);
    let updates = server.get("compliance/updates").await.ok();
    assert_eq!(updates["items"][0]["counts"]["required"], 1);
    let filtered = server.get("updates?filter=needed%20%3E%200").await.ok();
    assert_eq!(filtered["items"][0]["id"], json!(id(2)));
    assert_eq!(filtered["items"][0]["needed"], 1);

    server.upload("content", &[("x", &payload().bytes)]).await.ok();
    let body = json!({ "update": id(2), "collection": "All Computers", "action": "install" });
    let made = server.post("deployments", body).await.ok();
    agent.scan().await.expect("scan");
    assert_eq!(agent.install_offered().await.expect("installed").len(), 1);
    agent.scan().await.expect("scan");
    agent.report_scan().await.expect("reported");
    let shown = server.get(&path).await.ok();
    assert_eq!(shown["needed"], json!([]), "{shown}");
    assert_eq!(shown["installed"][0]["deployment"], made["id"]);
    assert_eq!(shown["compliant"], true);
    let summary = server.get("compliance/summary").await.ok();
    assert_eq!((&summary["compliant"], &summary["percent"]), (&json!(1), &json!(100.0)));
    let steps = server.get("status").await.ok()["steps"].clone();
    let done =
        |name: &str| steps.as_array().expect("steps").iter().any(|step| step["name"] == name && step["done"] == true);
    assert!(done("import") && done("computers") && done("deploy") && done("content"), "{steps}");
    assert!(!done("collection") && !done("select"), "{steps}");
    server.stop().await;
}

#[tokio::test]
async fn a_collection_counts_its_own_computers() {
    let (server, mut agent) = ready().await;
    agent.scan().await.expect("scan");
    agent.report_scan().await.expect("reported");
    server.post("collections", json!({ "name": "Empty" })).await.ok();
    let summary = server.get("compliance/summary?collection=empty").await.ok();
    assert_eq!((&summary["computers"], &summary["percent"]), (&json!(0), &Value::Null));
    assert_eq!(server.get("compliance/updates?collection=empty").await.ok()["items"], json!([]));
    assert_eq!(server.get("compliance/summary?collection=none").await.refused(404), "not_found");
    server.stop().await;
}

#[tokio::test]
async fn a_changed_setting_reaches_the_next_call_of_a_computer() {
    let (server, mut agent) = ready().await;
    server.post("collections", json!({ "name": "Wanted" })).await.ok();
    agent.computer.target_group = Some("Wanted".to_owned());
    agent.scan().await.expect("scan");
    assert_eq!(only_computer(&server).await["collections"][0]["name"], "Unassigned Computers");
    server.call(reqwest::Method::PUT, "settings/targeting", Some(json!({ "value": "client" }))).await.ok();
    let mut agent = ScriptedAgent::new(server.client(), agent.computer.clone()).expect("agent");
    agent.scan().await.expect("scan");
    assert_eq!(only_computer(&server).await["collections"][0]["name"], "Wanted");
    server.stop().await;
}

#[tokio::test]
async fn the_status_counts_what_there_is_at_once() {
    let (server, mut agent) = ready().await;
    let count = async |name: &str| server.get("status").await.ok()["counts"][name].clone();
    for name in ["deployments", "computers", "computers_plain_http", "content_files", "content_waiting"] {
        assert_eq!(count(name).await, 0, "{name}");
    }
    assert_eq!((count("revisions").await, count("updates").await), (json!(2), json!(2)));
    server.import_documents(&[Document::detectoid(id(1), 2).title("Fact")]).await;
    assert_eq!((count("revisions").await, count("updates").await), (json!(3), json!(2)));
    agent.scan().await.expect("scan");
    assert_eq!((count("computers").await, count("computers_plain_http").await), (json!(1), json!(1)));
    let body = json!({ "update": id(2), "collection": "All Computers", "action": "install" });
    let made = server.post("deployments", body).await.ok();
    assert_eq!((count("deployments").await, count("content_waiting").await), (json!(1), json!(1)), "{made}");
    server.upload("content", &[("x", &payload().bytes)]).await.ok();
    assert_eq!((count("content_files").await, count("content_waiting").await), (json!(1), json!(0)));
    server.stop().await;
}
