//! What every route keeps: tags and conditions, keys of requests, lists as CSV.

use reqwest::{Method, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use weir_testkit::{Computer, Document, ScriptedAgent, engine};

use crate::harness::{Server, id};

/// Sends a request with headers of its own.
async fn send(server: &Server, method: Method, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Response {
    let mut request = server.http.request(method, server.admin(&format!("/api/v1/{path}"))).bearer_auth(&server.token);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    request.send().await.expect("an answer")
}

fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).map(|value| value.to_str().expect("text").to_owned())
}

async fn tag(server: &Server, path: &str) -> String {
    header(&send(server, Method::GET, path, &[], None).await, "etag").expect("a tag")
}

async fn refused(response: Response, status: u16, code: &str) {
    assert_eq!(response.status(), status);
    let problem: Value = response.json().await.expect("JSON");
    assert_eq!(problem["code"], code, "{problem}");
}

#[tokio::test]
async fn a_change_depends_on_what_it_was_made_from() {
    let server = Server::start().await;
    server.post("collections", json!({ "name": "Ring" })).await.ok();
    let first = tag(&server, "collections/Ring").await;
    let known = send(&server, Method::GET, "collections/Ring", &[("if-none-match", &first)], None).await;
    assert_eq!((known.status().as_u16(), header(&known, "etag")), (304, Some(first.clone())));
    assert_eq!(known.text().await.expect("text"), "");

    let change = || Some(json!({ "description": "of one" }));
    let changed = send(&server, Method::PATCH, "collections/Ring", &[("if-match", &first)], change()).await;
    assert_eq!(changed.status(), 200);
    let second = header(&changed, "etag").expect("the tag of what it is now");
    assert_ne!(first, second);
    assert_eq!(second, tag(&server, "collections/Ring").await);

    // somebody else who still has the first one changes nothing
    let other = Some(json!({ "description": "of the other" }));
    let stale = send(&server, Method::PATCH, "collections/Ring", &[("if-match", &first)], other).await;
    assert_eq!(header(&stale, "etag"), Some(second.clone()));
    refused(stale, 412, "precondition").await;
    refused(
        send(&server, Method::DELETE, "collections/Ring", &[("if-match", &first)], None).await,
        412,
        "precondition",
    )
    .await;
    assert_eq!(server.get("collections/Ring").await.ok()["description"], "of one");
    // by its id it is the same thing
    let by_id = format!("collections/{}", server.get("collections/Ring").await.ok()["id"].as_str().expect("an id"));
    refused(send(&server, Method::PATCH, &by_id, &[("if-match", &first)], change()).await, 412, "precondition").await;

    // without a condition it works as ever, and any tag of it will do for *
    server.patch("collections/Ring", json!({ "description": "of all" })).await.ok();
    let any = send(&server, Method::DELETE, "collections/Ring", &[("if-match", "*")], None).await;
    assert_eq!(any.status(), 204);
    let gone = send(&server, Method::DELETE, "collections/Ring", &[("if-match", "*")], None).await;
    refused(gone, 404, "not_found").await;
    let post =
        send(&server, Method::POST, "collections", &[("if-match", &first)], Some(json!({ "name": "New" }))).await;
    refused(post, 400, "if_match").await;
    server.stop().await;
}

#[tokio::test]
async fn what_computers_move_keeps_nobody_from_a_change() {
    let server = Server::start().await;
    server.import_documents(&[Document::software(id(1), 1).title("Fix")]).await;
    server.post("collections", json!({ "name": "Ring" })).await.ok();
    let before = tag(&server, "collections/Ring").await;
    let mut agent = ScriptedAgent::new(server.client(), Computer::numbered(1)).expect("agent");
    agent.scan().await.expect("scan");
    let body = json!({ "computers": [agent.computer.client_id] });
    server.post("collections/Ring/members", body).await.ok();
    let after = tag(&server, "collections/Ring").await;
    assert_ne!(before, after, "it has a member now");
    let fresh = send(&server, Method::GET, "collections/Ring", &[("if-none-match", &before)], None).await;
    assert_eq!(fresh.status(), 200, "the whole answer is another one");
    let change = Some(json!({ "description": "x" }));
    let changed = send(&server, Method::PATCH, "collections/Ring", &[("if-match", &before)], change).await;
    assert_eq!(changed.status(), 200, "nobody changed its definition");
    server.stop().await;
}

#[tokio::test]
async fn changes_with_a_condition_do_not_pass_each_other() {
    let server = Server::start().await;
    server.post("collections", json!({ "name": "Ring" })).await.ok();
    let tag = tag(&server, "collections/Ring").await;
    let headers = [("if-match", tag.as_str())];
    let change =
        |text: &str| send(&server, Method::PATCH, "collections/Ring", &headers, Some(json!({ "description": text })));
    let (a, b, c) = tokio::join!(change("a"), change("b"), change("c"));
    let mut statuses = [a, b, c].map(|response| response.status().as_u16());
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412], "one of them was first");
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_there_yet_can_be_made_without_overwriting() {
    let server = Server::start().await;
    let body = || Some(json!({ "action": "install" }));
    let path = "deployment-templates/Monthly";
    let new = [("if-none-match", "*")];
    let made = send(&server, Method::PUT, path, &new, body()).await;
    assert!(made.status().is_success(), "{}", made.text().await.expect("text"));
    refused(send(&server, Method::PUT, path, &new, body()).await, 412, "precondition").await;
    server.stop().await;
}

#[tokio::test]
async fn a_request_that_is_sent_again_is_carried_out_once() {
    let server = Server::start().await;
    let key = [("idempotency-key", "7f9c-1")];
    let ring = || Some(json!({ "name": "Ring" }));
    let made = send(&server, Method::POST, "collections", &key, ring()).await;
    assert_eq!((made.status().as_u16(), header(&made, "idempotent-replay")), (201, None));
    let made: Value = made.json().await.expect("JSON");
    let again = send(&server, Method::POST, "collections", &key, ring()).await;
    assert_eq!((again.status().as_u16(), header(&again, "idempotent-replay")), (201, Some("true".to_owned())));
    assert_eq!(again.json::<Value>().await.expect("JSON"), made);
    let audit = server.get("audit").await.ok();
    let rows = audit["items"].as_array().expect("items").iter().filter(|row| row["action"] == "collection.create");
    assert_eq!(rows.count(), 1);

    // the key stands for that request
    let other = send(&server, Method::POST, "collections", &key, Some(json!({ "name": "Other" }))).await;
    refused(other, 422, "idempotency_key").await;
    refused(send(&server, Method::POST, "groups", &key, ring()).await, 422, "idempotency_key").await;
    // it outlives the process
    let server = Server::start_in(server.stop().await).await;
    let later = send(&server, Method::POST, "collections", &key, ring()).await;
    assert_eq!(header(&later, "idempotent-replay").as_deref(), Some("true"));

    // a refusal did nothing, and its key is free
    let free = [("idempotency-key", "7f9c-2")];
    refused(send(&server, Method::POST, "collections", &free, ring()).await, 409, "exists").await;
    server.delete("collections/Ring").await;
    assert_eq!(send(&server, Method::POST, "collections", &free, ring()).await.status(), 201);

    // what has a secret is not kept
    let secret = [("idempotency-key", "7f9c-3")];
    assert_eq!(send(&server, Method::POST, "sign-in-links", &secret, None).await.status(), 201);
    refused(send(&server, Method::POST, "sign-in-links", &secret, None).await, 409, "answer_not_kept").await;

    let empty = [("idempotency-key", "")];
    refused(send(&server, Method::POST, "collections", &empty, ring()).await, 400, "idempotency_key").await;
    let form = server.http.post(server.admin("/api/v1/imports")).bearer_auth(&server.token);
    let form = form.header("idempotency-key", "7f9c-4").header("content-type", "multipart/form-data; boundary=x");
    refused(form.body("--x--\r\n").send().await.expect("an answer"), 400, "idempotency_key").await;
    server.stop().await;
}

#[tokio::test]
async fn two_at_once_with_one_key_make_one_thing() {
    let server = Server::start().await;
    let key = [("idempotency-key", "one")];
    let make = || send(&server, Method::POST, "collections", &key, Some(json!({ "name": "Ring" })));
    let (a, b) = tokio::join!(make(), make());
    for response in [a, b] {
        match response.status().as_u16() {
            201 => {}
            409 => {
                assert_eq!(header(&response, "retry-after").as_deref(), Some("1"));
                refused(response, 409, "idempotency_in_progress").await;
            }
            other => panic!("{other}"),
        }
    }
    let names = server.get("collections").await.ok();
    let rings = names["items"].as_array().expect("items").iter().filter(|row| row["name"] == "Ring").count();
    assert_eq!(rings, 1);
    server.stop().await;
}

/// As a process leaves it that is killed in the middle of a request.
#[tokio::test]
async fn it_is_said_when_nobody_knows_how_a_request_ended() {
    let server = Server::start().await;
    let body = json!({ "name": "Ring" });
    let hash = |text: &str| Sha256::digest(text.as_bytes()).to_vec();
    let insert = "INSERT INTO idempotency (principal, key_hash, request, body_hash, created_at)
                  VALUES ('administrator', ?1, 'POST /api/v1/collections', ?2, ?3)";
    let now = jiff::Timestamp::now().as_microsecond();
    server.execute(insert, &[hash("lost").into(), hash(&body.to_string()).into(), now.into()]);
    let key = [("idempotency-key", "lost")];
    if engine::is_postgres() {
        // another front end could have taken it and work on it, but not for that long
        let early = send(&server, Method::POST, "collections", &key, Some(body.clone())).await;
        assert_eq!(header(&early, "retry-after").as_deref(), Some("1"));
        refused(early, 409, "idempotency_in_progress").await;
        server.execute("UPDATE idempotency SET created_at = ?1", &[(now - 6 * 60 * 1_000_000).into()]);
    }
    refused(send(&server, Method::POST, "collections", &key, Some(body.clone())).await, 409, "outcome_unknown").await;
    // a day later it is as if it had never been
    server.execute("UPDATE idempotency SET created_at = ?1", &[(now - 25 * 3_600 * 1_000_000).into()]);
    assert_eq!(send(&server, Method::POST, "collections", &key, Some(body)).await.status(), 201);
    server.stop().await;
}

#[tokio::test]
async fn lists_are_csv_with_their_filters_and_all_rows() {
    let server = Server::start().await;
    let documents: Vec<Document> = (1..=1_001)
        .map(|number| Document::software(id(number), 1).title(&format!("Fix {number}, \"small\"")))
        .collect();
    server.import_documents(&documents).await;
    let csv = send(&server, Method::GET, "updates?format=csv&filter=type%20%3D%20software", &[], None).await;
    assert_eq!(header(&csv, "content-type").as_deref(), Some("text/csv; charset=utf-8"));
    let text = csv.text().await.expect("text");
    let mut lines = text.split("\r\n");
    assert!(lines.next().expect("a header").starts_with("id,revision,revision_id,type,title,"), "{}", &text[..200]);
    assert_eq!(lines.filter(|line| !line.is_empty()).count(), 1_001, "more than a page");
    assert!(text.contains(",software,\"Fix 7, \"\"small\"\"\","));

    let accepted = send(&server, Method::GET, "collections", &[("accept", "text/csv")], None).await;
    let text = accepted.text().await.expect("text");
    assert!(text.starts_with("id,name,built_in,") && text.contains("All Computers"), "{text}");
    // what is refused is a problem, whatever was asked for
    refused(send(&server, Method::GET, "computers?format=csv&collection=Nowhere", &[], None).await, 404, "not_found")
        .await;
    refused(send(&server, Method::GET, "computers?format=xml", &[], None).await, 400, "query").await;
    server.stop().await;
}

#[tokio::test]
async fn conventions_do_not_open_the_door() {
    let server = Server::start().await;
    for (method, path) in
        [(Method::GET, "computers?format=csv"), (Method::PATCH, "collections/Ring"), (Method::GET, "events")]
    {
        let request = server.http.request(method, server.admin(&format!("/api/v1/{path}"))).header("if-match", "*");
        assert_eq!(request.send().await.expect("an answer").status(), 401, "{path}");
    }
    server.stop().await;
}
