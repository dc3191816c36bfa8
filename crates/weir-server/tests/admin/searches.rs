//! The expression language, text search, orders, counts and saved searches, through REST.

use serde_json::{Value, json};
use weir_model::{ids::UpdateIdentity, update::CategoryKind};
use weir_testkit::{Document, Payload};

use crate::harness::{Server, id};

async fn with_updates() -> Server {
    let server = Server::start().await;
    let member = UpdateIdentity::new(id(21), 1);
    server
        .import_documents(&[
            Document::category(id(10), 1, CategoryKind::Company).title("Maker"),
            Document::category(id(11), 1, CategoryKind::ProductFamily).title("Tools").in_category(id(10)),
            Document::category(id(12), 1, CategoryKind::Product).title("Hammer 2000").in_category(id(11)),
            Document::category(id(13), 1, CategoryKind::UpdateClassification).title("Security Updates"),
            Document::software(id(20), 1)
                .localized("en", "Better hammer (KB5005112)", Some("Hits harder. Closes CVE-2021-34527."))
                .localized("de", "Besserer Hammer", None)
                .property("MsrcSeverity", "Critical")
                .property_child("KBArticleID", "5005112")
                .in_category(id(12))
                .in_category(id(13)),
            Document::member(member.update_id, 1).title("Handle").file(&Payload::new("handle.cab", *b"wood")),
            Document::software(id(22), 1).title("Hammer and bölt bundle").in_category(id(12)).bundles([member]),
            Document::software(id(23), 1).title("Hammer of old").in_category(id(12)),
            Document::software(id(24), 1).title("Anvil for x64").supersedes(id(23)),
        ])
        .await;
    server
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |query, byte| format!("{query}%{byte:02X}"))
}

fn numbers(list: &Value) -> Vec<u128> {
    let known = (10..30).map(|number| (json!(id(number)), number)).collect::<Vec<_>>();
    let number = |item: &Value| known.iter().find(|(id, _)| *id == item["id"]).expect("known").1;
    list["items"].as_array().expect("items").iter().map(number).collect()
}

async fn found(server: &Server, query: &str) -> Vec<u128> {
    numbers(&server.get(&format!("updates?{query}")).await.ok())
}

#[tokio::test]
async fn the_whole_language_is_understood_by_lists() {
    let server = with_updates().await;
    for (filter, mut expected) in [
        ("superseded", vec![23]),
        ("supersedes is not empty", vec![24]),
        ("vendor = Maker and type = software and kb is empty", vec![22, 23]),
        ("size >= 4 and size < 1 kB", vec![21, 22]),
        ("detection_only and type = software and not superseded", vec![20, 24]),
        ("cve = CVE-2021-34527 and description ~ harder", vec![20]),
        ("language = de", vec![20]),
        ("architecture = x64", vec![24]),
        ("severity >= important", vec![20]),
        ("revised < 1 hour and type = software and arrived < 1 day and title !~ hammer", vec![21, 24]),
        ("revised > 1 hour", vec![]),
        ("id in (feed0000-0000-4000-8000-000000000014, feed0000-0000-4000-8000-000000000018)", vec![20, 24]),
        ("type = software and classification is empty and run_time = 60 minutes", vec![21, 22, 23, 24]),
    ] {
        let mut found = found(&server, &format!("filter={}", encoded(filter))).await;
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{filter}");
    }
    let wrong = server.get(&format!("updates?filter={}", encoded("size > much"))).await;
    assert_eq!(wrong.refused(400), "filter");
    assert!(wrong.body["detail"].as_str().expect("detail").contains("at character 8"), "{}", wrong.body);
    server.stop().await;
}

#[tokio::test]
async fn texts_orders_pages_and_counts_go_together() {
    let server = with_updates().await;
    assert_eq!(found(&server, "text=kb5005112").await, [20]);
    assert_eq!(found(&server, "text=hammer%20bolt").await, [22], "words in any order, without accents");
    assert_eq!(found(&server, &format!("text={}", id(24))).await, [24]);
    assert_eq!(found(&server, "text=hammer&sort=title&filter=type%20%3D%20software").await, [20, 22, 23]);
    assert_eq!(found(&server, "text=hammer&sort=title:desc&filter=type%20%3D%20software").await, [23, 22, 20]);
    assert_eq!(found(&server, "sort=size&limit=2").await.len(), 2);

    let (mut cursor, mut seen) = (String::new(), Vec::new());
    loop {
        let page = server.get(&format!("updates?sort=title&limit=2{cursor}")).await.ok();
        seen.extend(numbers(&page));
        // rows that come and go do not disturb the rest
        if seen.len() == 2 {
            server.post(&format!("updates/{}/decline", id(24)), json!({})).await.ok();
            server.import_documents(&[Document::software(id(25), 1).title("Aardvark")]).await;
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, [24, 20, 12, 22, 23, 21, 10, 13, 11]);
    assert_eq!(server.get(&format!("updates?sort=title:desc&limit=2{cursor}")).await.refused(400), "cursor");

    let list = server.get("updates?facets=true&facet_values=1&limit=1&filter=type%20%3D%20software").await.ok();
    assert_eq!((&list["updates"], &list["facets"]["kind"]["software"]), (&json!(6), &json!(6)));
    let of = |field: &str| {
        let counts = list["counts"].as_array().expect("counts");
        counts.iter().find(|counted| counted["field"] == field).cloned().expect("counted")
    };
    assert_eq!(of("product")["values"], json!([{ "value": id(12), "name": "Hammer 2000", "updates": 3 }]));
    assert_eq!(
        of("declined"),
        json!({ "field": "declined", "more": 1,
        "values": [{ "value": "true", "name": "true", "updates": 1 }] })
    );
    for (query, code) in [
        ("sort=colour", "sort"),
        ("sort=title:up", "sort"),
        ("facets=true&facet_values=0", "facet_values"),
        ("cursor=x", "cursor"),
        ("colour=red", "query"),
    ] {
        assert_eq!(server.get(&format!("updates?{query}")).await.refused(400), code, "{query}");
    }
    assert_eq!(server.get(&format!("updates?text={}", "x".repeat(257))).await.refused(400), "text");
    server.stop().await;
}

#[tokio::test]
async fn searches_are_saved_by_id_and_run_by_name() {
    let server = with_updates().await;
    let new = json!({ "name": "Hammers", "filter": "product = \"hammer 2000\" and type = software", "sort": "title" });
    let saved = server.post("searches", new.clone()).await.ok();
    assert_eq!(saved["filter"], "product = \"Hammer 2000\" and type = software");
    assert_eq!(saved["filter_by_id"], format!("product = {} and type = software", id(12)));
    assert_eq!(saved["from_parent"], false);
    assert_eq!(found(&server, "saved=hammers").await, [20, 22, 23]);
    assert_eq!(found(&server, &format!("saved={}", saved["id"].as_str().expect("id"))).await, [20, 22, 23]);
    assert_eq!(found(&server, "saved=hammers&filter=superseded").await, [23]);
    assert_eq!(found(&server, "saved=hammers&text=old").await, [23]);
    assert_eq!(found(&server, "saved=hammers&sort=title:desc").await, [23, 22, 20]);

    // the product gets another name, and the search still finds it
    server
        .import_documents(&[Document::category(id(12), 2, CategoryKind::Product).title("Mallet").in_category(id(11))])
        .await;
    assert_eq!(found(&server, "saved=hammers").await, [20, 22, 23]);
    let shown = server.get("searches/HAMMERS").await.ok();
    assert_eq!(shown["filter"], "product = \"Mallet\" and type = software");

    let again = json!({ "name": new["name"], "text": "x" });
    assert_eq!(server.post("searches", again).await.refused(409), "exists");
    for (wrong, code) in [
        (json!({ "name": " ", "text": "x" }), "name"),
        (json!({ "name": "x".repeat(257), "text": "x" }), "name"),
        (json!({ "name": "a\nb", "text": "x" }), "name"),
        (json!({ "name": "x" }), "filter"),
        (json!({ "name": "x", "filter": "product = \"Mallets\"" }), "filter"),
        (json!({ "name": "x", "filter": "titel ~ x" }), "filter"),
        (json!({ "name": "x", "text": "x", "sort": "colour" }), "sort"),
        (json!({ "name": "x", "text": "x".repeat(257) }), "text"),
        (json!({ "name": "x", "text": "!!!" }), "text"),
        (json!({ "name": "x", "text": "x\u{7}" }), "text"),
        (json!({ "name": "\u{200b}", "text": "x" }), "name"),
        (json!({ "name": "x", "text": "x", "description": "x\u{1b}" }), "description"),
        (json!({ "name": "x", "text": "x", "description": "x".repeat(257) }), "description"),
        (json!({ "name": "x", "text": "x", "colour": "red" }), "body"),
    ] {
        assert_eq!(server.post("searches", wrong.clone()).await.refused(400), code, "{wrong}");
    }
    let unknown = server.post("searches", json!({ "name": "x", "filter": "product = Malet" })).await;
    assert!(unknown.body["detail"].as_str().expect("detail").contains("did you mean \"Mallet\"?"), "{}", unknown.body);

    let changed =
        server.patch("searches/hammers", json!({ "name": "Tools", "filter": "", "text": "hammer" })).await.ok();
    assert_eq!(
        (&changed["name"], &changed["filter"], &changed["text"]),
        (&json!("Tools"), &Value::Null, &json!("hammer"))
    );
    assert_eq!(server.patch("searches/tools", json!({ "text": "" })).await.refused(400), "filter");
    assert_eq!(server.get("searches/tools").await.ok()["text"], "hammer", "nothing half applied");
    assert_eq!(server.get("searches").await.ok()["items"].as_array().expect("items").len(), 1);
    assert_eq!(server.delete("searches/tools").await.status, 204);
    assert_eq!(server.delete("searches/tools").await.refused(404), "not_found");
    assert_eq!(server.get("updates?saved=tools").await.refused(404), "not_found");
    let audit = server.get("audit").await.ok();
    let actions: Vec<&str> =
        audit["items"].as_array().expect("items").iter().filter_map(|row| row["action"].as_str()).collect();
    for action in ["search.create", "search.change", "search.delete"] {
        assert_eq!(actions.iter().filter(|done| **done == action).count(), 1, "{action}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_fields_of_filters_are_told() {
    let server = Server::start().await;
    let fields = server.get("searches-fields").await.ok();
    let needed = fields["items"].as_array().expect("items").iter().find(|field| field["name"] == "needed").cloned();
    assert_eq!(needed.expect("there")["aliases"], json!(["required"]));
    let fields = server.get("searches-fields?of=computers").await.ok();
    assert!(fields["items"].as_array().expect("items").iter().any(|field| field["name"] == "os_version"));
    assert_eq!(server.get("searches-fields?of=cats").await.refused(400), "of");
    server.stop().await;
}
