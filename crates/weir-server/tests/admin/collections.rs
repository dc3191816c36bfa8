//! Collections.

use reqwest::Method;
use serde_json::json;
use weir_testkit::{Computer, Document, ScriptedAgent};

use crate::harness::{Server, id};

#[tokio::test]
async fn collections_nest_are_unique_without_regard_to_case_and_can_be_renamed_and_deleted() {
    let server = Server::start().await;
    let ring = server.post("collections", json!({ "name": "Ring" })).await;
    assert_eq!(ring.status, 201);
    assert_eq!(ring.body["name"], "Ring");
    assert_eq!(server.post("collections", json!({ "name": "rING" })).await.refused(409), "exists");
    let inner =
        server.post("collections", json!({ "name": "Inner", "parent": "ring", "approved_only": true })).await.ok();
    let shown = server.get(&format!("collections/{}", inner["id"].as_str().expect("id"))).await.ok();
    assert_eq!(shown["parent"]["name"], "Ring");
    assert_eq!(shown["approved_only"], true);
    for name in ["", " ", ".", "..", "a;b", "All Computers", &"x".repeat(300)] {
        let answer = server.post("collections", json!({ "name": name })).await;
        assert!(answer.status == 400 || answer.status == 409, "{name}: {}", answer.body);
    }
    let below = json!({ "name": "Y", "parent": "Unassigned Computers" });
    assert_eq!(server.post("collections", below).await.refused(409), "parent");
    assert_eq!(server.post("collections", json!({ "name": "Y", "parent": "none" })).await.refused(404), "not_found");

    let change = json!({ "name": "First ring" });
    let renamed = server.call(Method::PATCH, "collections/Ring", Some(change)).await.ok();
    assert_eq!(renamed["name"], "First ring");
    let taken = server.call(Method::PATCH, "collections/Inner", Some(json!({ "name": "FIRST RING" }))).await;
    assert_eq!(taken.refused(409), "exists");
    let built_in = server.call(Method::PATCH, "collections/All%20Computers", Some(json!({ "name": "x" }))).await;
    assert_eq!(built_in.refused(409), "built_in");

    assert_eq!(server.delete("collections/First%20ring").await.refused(409), "in_use");
    assert_eq!(server.delete("collections/Inner").await.status, 204);
    assert_eq!(server.delete("collections/First%20ring").await.status, 204);
    assert_eq!(server.delete("collections/All%20Computers").await.refused(409), "built_in");
    let names: Vec<_> = server.get("collections").await.ok()["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| item["name"].clone())
        .collect();
    assert_eq!(names, [json!("All Computers"), json!("Unassigned Computers")]);
    server.stop().await;
}

/// What is deeper than everything that decides follows the tree is not made.
#[tokio::test]
async fn groups_nest_so_deep_as_they_are_followed() {
    let server = Server::start().await;
    server.post("collections", json!({ "name": "Level 1" })).await.ok();
    for level in 2..=64 {
        let new = json!({ "name": format!("Level {level}"), "parent": format!("Level {}", level - 1) });
        assert_eq!(server.post("collections", new).await.status, 201, "{level}");
    }
    let refused = server.post("collections", json!({ "name": "Level 65", "parent": "Level 64" })).await;
    assert_eq!(refused.refused(409), "parent");
    let detail = refused.body["detail"].as_str().expect("text");
    assert!(detail.contains("parent is \"Level 64\"") && detail.contains("64 levels"), "{detail}");

    // a computer at the bottom gets what is deployed at the top
    let mut agent = ScriptedAgent::new(server.client(), Computer::numbered(1)).expect("agent");
    agent.scan().await.expect("scan");
    let computer = agent.computer.client_id.clone();
    server.post("collections/Level%2064/members", json!({ "computers": [computer] })).await.ok();
    server.import_documents(&[Document::software(id(2), 1).title("Plain")]).await;
    server.post("deployments", json!({ "update": id(2), "collection": "Level 1", "action": "install" })).await.ok();
    let path = format!("deployments/explanation?update={}&computer={computer}", id(2));
    assert_eq!(server.get(&path).await.ok()["sent"], "install");
    assert_eq!(server.get("collections/Level%201").await.ok()["members_below"], 1);
    server.stop().await;
}

#[tokio::test]
async fn members_are_added_and_removed_and_count_in_collections_above() {
    let server = Server::start().await;
    let mut agent = ScriptedAgent::new(server.client(), Computer::numbered(1)).expect("agent");
    agent.scan().await.expect("scan");
    let computers = server.get("computers").await.ok();
    let id = computers["items"][0]["id"].as_str().expect("a computer").to_owned();
    assert_eq!(computers["items"][0]["collections"][0]["name"], "Unassigned Computers");
    server.post("collections", json!({ "name": "Outer" })).await.ok();
    server.post("collections", json!({ "name": "Inner", "parent": "Outer" })).await.ok();

    let body = json!({ "computers": [id] });
    let added = server.post("collections/Inner/members", body.clone()).await.ok();
    assert_eq!(added, json!({ "changed": 1, "unchanged": 0 }));
    assert_eq!(server.post("collections/Inner/members", body.clone()).await.ok()["unchanged"], 1);
    let outer = server.get("collections/Outer").await.ok();
    assert_eq!((&outer["members"], &outer["members_below"]), (&json!(0), &json!(1)));
    let members = server.get("collections/Outer/members").await.ok();
    assert_eq!(members["items"][0]["id"], json!(id));
    assert_eq!(members["items"][0]["collections"][0]["name"], "Inner");
    assert_eq!(server.get("computers?collection=Unassigned%20Computers").await.ok()["items"], json!([]));

    let unknown = json!({ "computers": ["nobody"] });
    assert_eq!(server.post("collections/Inner/members", unknown).await.refused(404), "not_found");
    let into_all = server.post("collections/All%20Computers/members", body.clone()).await;
    assert_eq!(into_all.refused(409), "built_in");
    let removed = server.call(Method::DELETE, "collections/Inner/members", Some(body)).await.ok();
    assert_eq!(removed["changed"], 1);
    assert_eq!(server.get("collections/Outer").await.ok()["members_below"], 0);

    assert_eq!(server.delete(&format!("computers/{id}")).await.status, 204);
    assert_eq!(server.get(&format!("computers/{id}")).await.refused(404), "not_found");
    server.stop().await;
}
