//! Acts that wait for a second person.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Answer, Server};

const PASSWORD: &str = "words nobody has used";

/// Somebody with a session.
pub(crate) struct Person<'s> {
    server: &'s Server,
    cookie: String,
}

impl<'s> Person<'s> {
    pub(crate) async fn new(server: &'s Server, name: &str, role: &str) -> Self {
        server.post("users", json!({ "name": name, "role": role, "password": PASSWORD })).await.ok();
        let first = Self::signed_in(server, name, PASSWORD).await;
        let other = format!("{PASSWORD} again");
        let change = json!({ "current": PASSWORD, "password": other });
        assert_eq!(first.call(Method::PUT, "session/password", Some(change)).await.status, StatusCode::NO_CONTENT);
        Self::signed_in(server, name, &other).await
    }

    async fn signed_in(server: &'s Server, name: &str, password: &str) -> Self {
        let request = server.http.post(server.admin("/api/v1/session"));
        let answer = request.json(&json!({ "name": name, "password": password })).send().await.expect("answer");
        let cookie = answer.headers()["set-cookie"].to_str().expect("text");
        Self { server, cookie: cookie.split(';').next().expect("pair").to_owned() }
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let url = self.server.admin(&format!("/api/v1/{path}"));
        let request = self.server.http.request(method, url).header("cookie", &self.cookie);
        let mut request = request.header("origin", self.server.admin(""));
        if let Some(body) = body {
            request = request.json(&body);
        }
        Server::answer(request.send().await.expect("answer")).await
    }
}

pub(crate) async fn require(server: &Server, kinds: &str) {
    server.call(Method::PUT, "settings/approval.required", Some(json!({ "value": kinds }))).await.ok();
}

#[tokio::test]
async fn a_second_person_approves_and_both_are_named() {
    let server = Server::start().await;
    let (alice, bob) = (
        Person::new(&server, "alice", "software_update_manager").await,
        Person::new(&server, "bob", "software_update_manager").await,
    );
    let operator = Person::new(&server, "carol", "operator").await;
    for name in ["Ring", "Spare"] {
        server.post("collections", json!({ "name": name })).await.ok();
    }
    require(&server, "delete-collection, emergency-stop").await;
    let asked = alice.call(Method::DELETE, "collections/Ring", None).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.body);
    assert_eq!((&asked.body["state"], &asked.body["requested_by"]), (&json!("waiting"), &json!("alice")));
    assert_eq!(asked.body["subject"], "delete the collection \"Ring\"");
    server.get("collections/Ring").await.ok();
    let id = asked.body["id"].as_i64().expect("number");
    let approve = format!("approvals/{id}/approve");
    let body = || Some(json!({ "note": "agreed" }));
    assert_eq!(alice.call(Method::POST, &approve, body()).await.refused(403), "own_request");
    assert_eq!(operator.call(Method::POST, &approve, body()).await.refused(403), "forbidden");
    let token = bob.call(Method::POST, "tokens", Some(json!({ "name": "t", "role": "software_update_manager" }))).await;
    let token = token.ok()["secret"].as_str().expect("secret").to_owned();
    let by_program = server.call_as(&token, Method::POST, &approve, body()).await;
    assert_eq!(by_program.refused(403), "forbidden", "a person decides");
    let waiting = bob.call(Method::GET, "approvals?waiting=true", None).await.ok();
    assert_eq!(waiting["items"].as_array().expect("items").len(), 1);
    let done = bob.call(Method::POST, &approve, body()).await.ok();
    assert_eq!((&done["state"], &done["decided_by"], &done["status"]), (&json!("done"), &json!("bob"), &json!(204)));
    assert_eq!(server.get("collections/Ring").await.refused(404), "not_found");
    let audit = server.get("audit?action=collection.delete").await.ok();
    let row = &audit["items"][0];
    assert_eq!(
        (&row["actor"], &row["approved_by"], &row["proof"]),
        (&json!("alice"), &json!("bob"), &json!("session"))
    );
    assert_eq!(bob.call(Method::POST, &approve, body()).await.refused(409), "decided");
    // rejected
    let asked = alice.call(Method::DELETE, "collections/Spare", None).await;
    let reject = format!("approvals/{}/reject", asked.body["id"]);
    assert_eq!(bob.call(Method::POST, &reject, body()).await.ok()["state"], "rejected");
    server.get("collections/Spare").await.ok();
    // what is not required goes through
    let dave = Person::new(&server, "dave", "full_administrator").await;
    let off = server.call(Method::PUT, "settings/approval.required", Some(json!({ "value": "" }))).await;
    assert_eq!(off.status, StatusCode::ACCEPTED, "nobody switches it off alone: {}", off.body);
    assert_eq!(off.body["subject"], "set approval.required to \"\"");
    let more = server.call(Method::PUT, "settings/approval.computers", Some(json!({ "value": 5 }))).await;
    assert_eq!(more.status, StatusCode::ACCEPTED, "{}", more.body);
    let approve = format!("approvals/{}/approve", off.body["id"]);
    assert_eq!(bob.call(Method::POST, &approve, body()).await.refused(403), "forbidden", "who could not do it");
    assert_eq!(dave.call(Method::POST, &approve, body()).await.ok()["state"], "done");
    assert_eq!(alice.call(Method::DELETE, "collections/Spare", None).await.status, StatusCode::NO_CONTENT);
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_done_any_more_fails_and_says_why() {
    let server = Server::start().await;
    let alice = Person::new(&server, "alice", "software_update_manager").await;
    let bob = Person::new(&server, "bob", "full_administrator").await;
    server.post("collections", json!({ "name": "Ring" })).await.ok();
    require(&server, "delete-collection,source").await;
    let asked = alice.call(Method::DELETE, "collections/Ring", None).await.body["id"].clone();
    let other = alice.call(Method::DELETE, "collections/Ring", None).await.body["id"].clone();
    server.patch("users/alice", json!({ "role": "operator" })).await.ok();
    let approved = bob.call(Method::POST, &format!("approvals/{asked}/approve"), Some(json!({}))).await.ok();
    assert_eq!((&approved["state"], &approved["status"]), (&json!("failed"), &json!(403)));
    server.get("collections/Ring").await.ok();
    server.delete("collections/Ring").await;
    server.patch("users/alice", json!({ "enabled": false })).await.ok();
    let approved = bob.call(Method::POST, &format!("approvals/{other}/approve"), Some(json!({}))).await.ok();
    assert_eq!((&approved["state"], &approved["status"]), (&json!("failed"), &json!(403)));
    // the built-in administrator is no exception, and who approves must be able to do it
    let source = server.call(Method::PUT, "settings/source", Some(json!({ "value": "none" }))).await;
    assert_eq!(source.status, StatusCode::ACCEPTED, "{}", source.body);
    server.call(Method::PUT, "settings/site.time_zone", Some(json!({ "value": "UTC" }))).await.ok();
    let done = bob.call(Method::POST, &format!("approvals/{}/approve", source.body["id"]), Some(json!({}))).await.ok();
    assert_eq!((&done["state"], &done["status"]), (&json!("done"), &json!(200)), "{done}");
    server.stop().await;
}

#[tokio::test]
async fn deployments_wait_by_how_many_computers_they_reach() {
    let server = Server::start().await;
    server.import_documents(&[weir_testkit::Document::software(crate::harness::id(1), 1)]).await;
    server.post("collections", json!({ "name": "Ring" })).await.ok();
    let wrong =
        server.call(Method::PUT, "settings/approval.required", Some(json!({ "value": "deploy,nonsense" }))).await;
    assert_eq!(wrong.refused(400), "setting_value");
    require(&server, "deploy").await;
    let update = crate::harness::id(1).to_string();
    let deploy = |collection: &str| json!({ "update": update, "collection": collection, "action": "detect" });
    let made = server.post("deployments", deploy("Ring")).await;
    assert_eq!(made.status, StatusCode::CREATED, "few computers: {}", made.body);
    let waits = server.post("deployments", deploy("All Computers")).await;
    assert_eq!(waits.status, StatusCode::ACCEPTED, "{}", waits.body);
    let subject = waits.body["subject"].as_str().expect("text");
    assert!(subject.starts_with("detect the update \"") && subject.contains(&update), "{subject}");
    server.post("collections", json!({ "name": "Other" })).await.ok();
    let limited = json!({ "name": "l", "role": "software_update_manager", "collections": ["Ring"] });
    let made = server.post("tokens", limited).await.ok();
    let secret = made["secret"].as_str().expect("secret");
    let outside = server.call_as(secret, Method::POST, "deployments", Some(deploy("Other"))).await;
    assert_eq!(outside.refused(404), "not_found", "what is outside is not there, nor waits");
    let all = server.call_as(secret, Method::POST, "deployments", Some(deploy("All Computers"))).await;
    assert_eq!(all.refused(403), "forbidden");
    let template = json!({ "collection": "All Computers", "action": "detect" });
    server.call(Method::PUT, "deployment-templates/Wide", Some(template)).await.ok();
    let hidden = server.post("deployments", json!({ "update": update, "template": "Wide" })).await;
    assert_eq!(hidden.status, StatusCode::ACCEPTED, "a template hides nothing: {}", hidden.body);
    assert_eq!(server.get("deployments").await.ok()["items"].as_array().expect("items").len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_session_by_a_sign_in_link_counts_as_its_maker() {
    let server = Server::start().await;
    let alice = Person::new(&server, "alice", "full_administrator").await;
    let bob = Person::new(&server, "bob", "full_administrator").await;
    server.post("collections", json!({ "name": "Ring" })).await.ok();
    require(&server, "delete-collection").await;
    let by_link = async |maker: &Person<'_>| {
        let link = maker.call(Method::POST, "sign-in-links", None).await.ok();
        let url = link["url"].as_str().expect("url");
        let answer = server.http.get(url).send().await.expect("answer");
        let cookie = answer.headers()["set-cookie"].to_str().expect("text");
        cookie.split(';').next().expect("pair").to_owned()
    };
    let built_in = Person { server: &server, cookie: by_link(&alice).await };
    let asked = alice.call(Method::DELETE, "collections/Ring", None).await;
    let approve = format!("approvals/{}/approve", asked.body["id"]);
    assert_eq!(built_in.call(Method::POST, &approve, Some(json!({}))).await.refused(403), "own_request");
    // nor the other way round, nor by a link that was made in such a session
    let again = Person { server: &server, cookie: by_link(&built_in).await };
    assert_eq!(again.call(Method::POST, &approve, Some(json!({}))).await.refused(403), "own_request");
    let asked = again.call(Method::DELETE, "collections/Ring", None).await;
    let approve = format!("approvals/{}/approve", asked.body["id"]);
    assert_eq!(alice.call(Method::POST, &approve, Some(json!({}))).await.refused(403), "own_request");
    assert_eq!(bob.call(Method::POST, &approve, Some(json!({}))).await.ok()["state"], "done");
    server.stop().await;
}

#[tokio::test]
async fn all_that_says_where_updates_come_from_waits() {
    let server = Server::start().await;
    require(&server, "source").await;
    for (key, value) in [
        ("source", json!("none")),
        ("sync.microsoft_url", json!("https://updates.example")),
        ("sync.replica", json!(true)),
        ("proxy.url", json!("http://proxy.example:8080")),
    ] {
        let asked = server.call(Method::PUT, &format!("settings/{key}"), Some(json!({ "value": value }))).await;
        assert_eq!(asked.status, StatusCode::ACCEPTED, "{key}: {}", asked.body);
        assert_eq!(asked.body["subject"], format!("set {key} to {value}"));
    }
    let parent = server.delete("parent").await;
    assert_eq!(parent.status, StatusCode::ACCEPTED, "{}", parent.body);
    server.call(Method::PUT, "settings/site.time_zone", Some(json!({ "value": "UTC" }))).await.ok();
    server.stop().await;
}

#[tokio::test]
async fn not_too_many_wait_at_once() {
    let server = Server::start().await;
    require(&server, "source").await;
    let ask = async || server.call(Method::PUT, "settings/source", Some(json!({ "value": "none" }))).await;
    for _ in 0..100 {
        assert_eq!(ask().await.status, StatusCode::ACCEPTED);
    }
    assert_eq!(ask().await.refused(409), "too_many");
    server.stop().await;
}
