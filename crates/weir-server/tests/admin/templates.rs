//! Templates of deployments, and the collections that they are for.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;
use weir_model::{deployment::Template, targeting::DeploymentOrigin};
use weir_store::{Actor, Store, StoreError};
use weir_testkit::Document;

use crate::harness::{self, Server, id};

async fn with_ring() -> Server {
    let server = Server::start().await;
    server.import_documents(&[Document::software(id(2), 1).title("Plain")]).await;
    server.post("collections", json!({ "name": "Ring" })).await.ok();
    server
}

/// Stores templates as an older version did, in the folder of a server that was stopped.
async fn store(data: &TempDir) {
    let store = loop {
        match Store::open(data.path(), &harness::store(data.path())) {
            Ok(store) => break store,
            // the server's threads end one after the other
            Err(StoreError::Locked(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(error) => panic!("{error}"),
        }
    };
    let stored = store.write(&Actor::principal("administrator", None, Timestamp::now()), |tx| {
        for (number, name, collection) in [(1, "Ringed", "ring"), (2, "Lost", "Nowhere")] {
            let template = Template { collection: Some(collection.to_owned()), ..Template::default() };
            tx.template_put(Uuid::from_u128(number), name, &template, DeploymentOrigin::Local)?;
        }
        Ok(())
    });
    stored.expect("writes");
}

#[tokio::test]
async fn a_template_keeps_its_collection_by_id() {
    let server = with_ring().await;
    let path = "deployment-templates/Weekly";
    let weekly = json!({ "action": "install", "collection": "ring" });
    let made = server.call(Method::PUT, path, Some(weekly)).await.ok();
    assert_eq!((&made["template"]["collection"], &made["problem"]), (&json!("Ring"), &Value::Null), "{made}");
    server.patch("collections/Ring", json!({ "name": "First ring" })).await.ok();
    server.post("collections", json!({ "name": "Ring" })).await.ok();
    assert_eq!(server.get(path).await.ok()["template"]["collection"], "First ring");
    let listed = server.get("deployment-templates").await.ok();
    assert_eq!(listed["items"][0]["template"]["collection"], "First ring");
    let made = server.post("deployments", json!({ "update": id(2), "template": "weekly" })).await.ok();
    let path = format!("deployments/{}", made["id"]);
    assert_eq!(server.get(&path).await.ok()["collection"]["name"], "First ring");
    assert_eq!(server.delete(&path).await.status, 204);

    let refused = server.delete("collections/First%20ring").await;
    assert_eq!(refused.refused(409), "in_use");
    let detail = refused.body["detail"].as_str().expect("text");
    assert!(detail.contains("templates of deployments \"Weekly\""), "{detail}");
    assert_eq!(server.delete("collections/Ring").await.status, 204);
    assert_eq!(server.delete("deployment-templates/Weekly").await.status, 204);
    assert_eq!(server.delete("collections/First%20ring").await.status, 204);
    server.stop().await;
}

/// Older versions stored the name, and did not look at templates when a collection was deleted.
#[tokio::test]
async fn a_template_of_before_is_found_by_name_and_says_what_is_missing() {
    let server = with_ring().await;
    server.post("collections", json!({ "name": "Gone" })).await.ok();
    let data = server.stop().await;
    store(&data).await;
    let server = Server::start_in(data).await;
    let show = async |name: &str| server.get(&format!("deployment-templates/{name}")).await.ok();
    assert_eq!(show("Ringed").await["template"]["collection"], "Ring");
    assert_eq!(server.delete("collections/Ring").await.refused(409), "in_use");
    server.patch("collections/Ring", json!({ "name": "First ring" })).await.ok();
    assert_eq!(show("Ringed").await["template"]["collection"], "First ring");
    let lost = show("Lost").await;
    assert_eq!(lost["problem"], "the collection \"Nowhere\" is not here", "{lost}");
    let wanted = json!({ "update": id(2), "action": "install", "template": "Lost" });
    assert_eq!(server.post("deployments", wanted.clone()).await.refused(409), "collection");
    let mut elsewhere = wanted;
    elsewhere["collection"] = json!("Gone");
    server.post("deployments", elsewhere).await.ok();
    server.stop().await;
}
