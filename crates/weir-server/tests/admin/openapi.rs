//! The description of the REST interface is what the server does.

use std::collections::BTreeSet;

use crate::harness::Server;

/// Every operation, as `METHOD /path`.
fn operations(document: &serde_json::Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().expect("paths");
    paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().expect("methods").keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect()
}

#[tokio::test]
async fn the_document_lists_every_operation() {
    let server = Server::start().await;
    let served = server.get("openapi.json").await.ok();
    assert_eq!(served["openapi"].as_str().expect("version").get(..3), Some("3.1"));
    assert_eq!(served, serde_json::to_value(weir_server::admin::openapi()).expect("document"));
    insta::assert_json_snapshot!("operations", operations(&served));
    // every one of them is a route: a wrong method is told from an unknown path
    for operation in operations(&served) {
        let (method, path) = operation.split_once(' ').expect("two words");
        let url = server.admin(&format!("/api/v1{}", path.replace("{id}", "1").replace(['{', '}'], "")));
        let request = server.http.request(method.parse().expect("method"), url).bearer_auth(&server.token);
        let answer = request.send().await.expect("answer");
        assert_ne!(answer.status(), 405, "{operation}");
        if answer.status() == 404 {
            let text = answer.text().await.expect("text");
            assert!(!text.contains("there is no page"), "{operation}: {text}");
        }
    }
    server.stop().await;
}

/// The references of a document, wherever they stand.
fn references<'d>(value: &'d serde_json::Value, found: &mut BTreeSet<&'d str>) {
    match value {
        serde_json::Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(serde_json::Value::as_str));
            fields.values().for_each(|field| references(field, found));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_reference_of_the_document_resolves() {
    let document = serde_json::to_value(weir_server::admin::openapi()).expect("document");
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 100, "{}", found.len());
    for reference in found {
        let place = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
        assert!(place.is_some(), "{reference}");
    }
}

#[test]
fn the_whole_document_is_known() {
    insta::assert_json_snapshot!("document", weir_server::admin::openapi());
}

#[tokio::test]
async fn unknown_paths_methods_and_fields_are_problems() {
    let server = Server::start().await;
    assert_eq!(server.get("nothing").await.refused(404), "not_found");
    assert_eq!(server.call(reqwest::Method::PUT, "status", None).await.refused(405), "method");
    assert_eq!(server.get("computers?colection=x").await.refused(400), "query");
    assert_eq!(server.get("computers?limit=0").await.refused(400), "limit");
    assert_eq!(server.get("computers?cursor=nonsense").await.refused(400), "cursor");
    let body = serde_json::json!({ "name": "Ring", "colour": "red" });
    assert_eq!(server.post("collections", body).await.refused(400), "body");
    let colour = server.post("collections", serde_json::json!({ "name": ["Ring"] })).await;
    assert_eq!(colour.body["detail"], "name: a string was expected, not an array");
    // an array is no object, at any depth
    let array = server.post("collections", serde_json::json!(["Ring"])).await;
    assert_eq!(array.refused(400), "body");
    assert_eq!(array.body["detail"], "the body does not fit: an object was expected, not an array");
    let nested = serde_json::json!({ "collection": "Ring", "action": "install", "settings": [true, true] });
    let nested = server.post("deployments", nested).await;
    assert_eq!(nested.refused(400), "body");
    assert_eq!(nested.body["detail"], "settings: an object was expected, not an array");
    // what does not fit is named, and repeated in part only
    let mute = server.post("alerts/1/acknowledge", serde_json::json!({ "note": { "x": "y".repeat(200_000) } })).await;
    assert_eq!(mute.refused(400), "body");
    assert_eq!(mute.body["detail"], "note: a string was expected, not an object");
    let long = server.patch("collections/Ring", serde_json::json!({ "approved_only": "y".repeat(200_000) })).await;
    assert!(long.body["detail"].as_str().is_some_and(|detail| detail.len() < 300), "{}", long.body);
    let path = server.get("alerts/abc").await;
    assert_eq!(path.refused(400), "path");
    assert_eq!(path.body["detail"], "id in the address is \"abc\": it must be a whole number");
    let form = server.http.post(server.admin("/api/v1/collections")).bearer_auth(&server.token);
    let form = form.header("content-type", "application/x-www-form-urlencoded").body("name=Ring");
    assert_eq!(form.send().await.expect("answer").status(), 400);
    let large = serde_json::json!({ "name": "x".repeat(5 << 20) });
    assert_eq!(server.post("collections", large).await.refused(413), "too_large");
    server.stop().await;
}
