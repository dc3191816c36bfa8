//! Lists with filters and facets, one update in full, decline.

use serde_json::{Value, json};
use weir_model::{ids::UpdateIdentity, update::CategoryKind};
use weir_testkit::{Document, Payload};

use crate::harness::{Server, id};

/// A family with a product, a classification, a plain update, and a bundle with a member that has a file.
async fn with_updates() -> Server {
    let server = Server::start().await;
    let member = UpdateIdentity::new(id(21), 1);
    server
        .import_documents(&[
            Document::category(id(10), 1, CategoryKind::Company).title("Maker"),
            Document::category(id(11), 1, CategoryKind::ProductFamily).title("Tools").in_category(id(10)),
            Document::category(id(12), 1, CategoryKind::Product).title("Hammer 2000").in_category(id(11)),
            Document::category(id(13), 1, CategoryKind::UpdateClassification).title("Security Updates"),
            Document::software(id(20), 1).title("Old hammer").in_category(id(12)).in_category(id(13)),
            Document::software(id(20), 2)
                .localized("en", "Better hammer (KB5005112)", Some("Hits harder."))
                .localized("de", "Besserer Hammer", None)
                .property("MsrcSeverity", "Critical")
                .property_child("KBArticleID", "5005112")
                .in_category(id(12))
                .in_category(id(13)),
            Document::member(member.update_id, 1).title("Handle").file(&Payload::new("handle.cab", *b"handle")),
            Document::software(id(22), 1).title("Hammer set").in_category(id(12)).supersedes(id(20)).bundles([member]),
        ])
        .await;
    server
}

async fn ids(server: &Server, filter: &str) -> Vec<Value> {
    let query = filter.bytes().fold(String::new(), |query, byte| format!("{query}%{byte:02X}"));
    let mut ids: Vec<Value> = server.get(&format!("updates?filter={query}")).await.ok()["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| item["id"].clone())
        .collect();
    ids.sort_by_key(ToString::to_string);
    ids
}

fn all(numbers: &[u128]) -> Vec<Value> {
    numbers.iter().map(|number| json!(id(*number))).collect()
}

#[tokio::test]
async fn filters_decide_on_everything_that_lists_show() {
    let server = with_updates().await;
    for (filter, expected) in [
        ("type = software", &[20, 21, 22][..]),
        ("type = software and is_bundle", &[22]),
        ("title ~ \"better hammer\"", &[20]),
        ("kb = KB5005112 or kb = 1", &[20]),
        ("severity = critical", &[20]),
        ("severity = none and type = software", &[21, 22]),
        ("product = \"Hammer 2000\" and type = software", &[20, 22]),
        ("product = maker and not type = category", &[20, 22]),
        ("classification ~ security and revision >= 2", &[20]),
        ("deployed or declined or expired or unresolved", &[]),
        ("needed > 0", &[]),
    ] {
        assert_eq!(ids(&server, filter).await, all(expected), "{filter}");
    }
    let wrong = server.get("updates?filter=titel%20~%20x").await;
    assert_eq!(wrong.refused(400), "filter");
    assert!(wrong.body["detail"].as_str().expect("detail").contains("did you mean title"));
    server.stop().await;
}

#[tokio::test]
async fn lists_have_a_row_per_update_and_count_revisions() {
    let server = with_updates().await;
    let list = server.get("updates?facets=true&filter=type%20%3D%20software").await.ok();
    assert_eq!((&list["updates"], &list["total"]), (&json!(3), &json!(4)));
    assert_eq!(list["facets"]["kind"], json!({ "category": 0, "detectoid": 0, "driver": 0, "software": 4 }));
    assert_eq!(list["facets"]["product"], json!({ "Hammer 2000": 3 }));
    let mut cursor = String::new();
    let mut seen = Vec::new();
    loop {
        let page = server.get(&format!("updates?limit=3{cursor}")).await.ok();
        seen.extend(page["items"].as_array().expect("items").iter().map(|item| item["id"].clone()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 7);
    let german = server.get("updates?language=de").await.ok();
    let row = german["items"].as_array().expect("items").iter().find(|item| item["id"] == json!(id(20))).cloned();
    let row = row.expect("there");
    assert_eq!(row["title"], "Besserer Hammer");
    assert_eq!(row["revision"], 2);
    assert_eq!(row["classification"]["name"], "Security Updates");
    server.stop().await;
}

#[tokio::test]
async fn one_update_is_shown_with_its_relationships_in_both_directions() {
    let server = with_updates().await;
    let newest = server.get(&format!("updates/{}", id(20))).await.ok();
    assert_eq!(newest["revisions"], json!([2, 1]));
    assert_eq!(newest["description"], "Hits harder.");
    assert_eq!(newest["superseded_by"][0]["name"], "Hammer set");
    assert_eq!(newest["languages"], json!(["en", "de"]));
    let old = server.get(&format!("updates/{}@1", id(20))).await.ok();
    assert_eq!((&old["revision"], &old["title"]), (&json!(1), &json!("Old hammer")));
    let bundle = server.get(&format!("updates/{}", id(22))).await.ok();
    assert_eq!(bundle["bundles"][0][0]["name"], "Handle");
    assert_eq!(bundle["files"][0]["name"], "handle.cab");
    assert_eq!(bundle["files"][0]["present"], false);
    assert_eq!(bundle["supersedes"][0]["id"], json!(id(20)));
    let member = server.get(&format!("updates/{}", id(21))).await.ok();
    assert_eq!(member["bundled_in"][0]["id"], json!(id(22)));
    assert_eq!(server.get(&format!("updates/{}", id(404))).await.refused(404), "not_found");
    assert_eq!(server.get(&format!("updates/{}@9", id(20))).await.refused(404), "not_found");
    assert_eq!(server.get("updates/nonsense").await.refused(400), "update");
    server.stop().await;
}

#[tokio::test]
async fn declined_updates_are_listed_as_such_until_they_are_taken_back() {
    let server = with_updates().await;
    let path = format!("updates/{}", id(20));
    assert_eq!(server.post(&format!("{path}/decline"), json!({})).await.ok()["declined"], true);
    assert_eq!(ids(&server, "declined").await, all(&[20]));
    server.post(&format!("{path}/decline"), json!({})).await.ok();
    assert_eq!(server.post(&format!("{path}/undecline"), json!({})).await.ok()["declined"], false);
    assert_eq!(ids(&server, "declined").await, all(&[]));
    assert_eq!(server.post(&format!("{path}@2/decline"), json!({})).await.refused(400), "revision");
    let audit = server.get("audit").await.ok();
    let declines = audit["items"].as_array().expect("items").iter().filter(|row| row["action"] == "update.decline");
    assert_eq!(declines.count(), 1);
    server.stop().await;
}

#[tokio::test]
async fn an_update_stops_being_unresolved_when_what_it_lacks_arrives() {
    let server = Server::start().await;
    server.import_documents(&[Document::software(id(30), 1).title("Waits").requires(id(31))]).await;
    assert_eq!(ids(&server, "unresolved").await, all(&[30]));
    server.import_documents(&[Document::detectoid(id(31), 1).title("Arrives")]).await;
    assert_eq!(ids(&server, "unresolved").await, all(&[]));
    server.stop().await;
}
