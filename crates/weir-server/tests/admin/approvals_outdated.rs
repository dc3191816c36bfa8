//! A request is done to what its requester was shown, or not at all.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    approvals::Person,
    approvals_held::Site,
    harness::{Answer, id},
};

/// Makes a request that waits.
async fn ask(site: &Site, method: Method, path: &str, body: Option<Value>) -> Value {
    let answer = site.server.call(method, path, body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{path}: {}", answer.body);
    answer.body["id"].clone()
}

async fn approve(bob: &Person<'_>, id: &Value) -> Answer {
    bob.call(Method::POST, &format!("approvals/{id}/approve"), Some(json!({}))).await
}

/// It is refused, says what changed, and cannot be approved any more.
async fn outdated(site: &Site, bob: &Person<'_>, asked: &Value, part: &str) {
    let refused = approve(bob, asked).await;
    assert_eq!(refused.refused(409), "outdated", "{}", refused.body);
    let detail = refused.body["detail"].as_str().expect("text");
    assert!(detail.contains(part), "{part:?} is not in {detail:?}");
    let next = refused.body["next_step"].as_str().expect("text");
    assert!(next.contains("ask for it again"), "{next}");
    let shown = site.server.get(&format!("approvals/{asked}")).await.ok();
    assert_eq!((&shown["state"], &shown["status"]), (&json!("failed"), &json!(409)), "{shown}");
    assert_eq!(approve(bob, asked).await.refused(409), "decided");
}

#[tokio::test]
async fn another_collection_of_the_name_is_left_alone() {
    let site = Site::start().await;
    site.server.post("collections", json!({ "name": "Spare" })).await.ok();
    site.require("delete-collection").await;
    let bob = Person::new(&site.server, "bob", "software_update_manager").await;
    let renamed = ask(&site, Method::DELETE, "collections/Ring", None).await;
    let id = site.server.get("collections/Other").await.ok()["id"].clone();
    let by_id = format!("collections/{}", id.as_str().expect("id"));
    let called = ask(&site, Method::DELETE, &by_id, None).await;
    let same = ask(&site, Method::DELETE, "collections/Spare", None).await;
    for (before, after) in [("Ring", "Old"), ("Other", "Different")] {
        site.server.patch(&format!("collections/{before}"), json!({ "name": after })).await.ok();
    }
    site.server.post("collections", json!({ "name": "Ring" })).await.ok();
    outdated(&site, &bob, &renamed, "the collection \"Ring\" is another one now").await;
    outdated(&site, &bob, &called, "is called \"Different\" now").await;
    for name in ["Ring", "Old", "Different"] {
        site.server.get(&format!("collections/{name}")).await.ok();
    }
    assert_eq!(approve(&bob, &same).await.ok()["state"], "done", "what is as it was is done");
    assert_eq!(site.server.get("collections/Spare").await.refused(404), "not_found");
    let audit = site.server.get("audit?action=collection.delete").await.ok();
    assert_eq!(audit["items"].as_array().expect("items").len(), 1, "{audit}");
    site.server.stop().await;
}

#[tokio::test]
async fn what_is_not_there_any_more_is_said() {
    let site = Site::start().await;
    site.require("deploy").await;
    let bob = Person::new(&site.server, "bob", "software_update_manager").await;
    let body = json!({ "update": id(1), "collection": "Ring", "action": "detect" });
    let asked = ask(&site, Method::POST, "deployments", Some(body)).await;
    assert_eq!(site.server.delete("collections/Ring").await.status, StatusCode::NO_CONTENT);
    outdated(&site, &bob, &asked, "there is no collection \"Ring\"").await;
    site.server.stop().await;
}

#[tokio::test]
async fn another_group_or_more_computers_take_another_request() {
    let site = Site::start().await;
    let server = &site.server;
    server.post("groups", json!({ "name": "March", "members": { "updates": [id(1)] } })).await.ok();
    site.require("deploy").await;
    let bob = Person::new(server, "bob", "software_update_manager").await;
    let group = || Some(json!({ "group": "March", "collection": "Ring", "action": "detect" }));
    let grown = ask(&site, Method::POST, "deployments", group()).await;
    // it is not deployed yet, so nobody is asked
    server.post("groups/March/members", json!({ "updates": [id(2)] })).await.ok();
    outdated(&site, &bob, &grown, "the update group \"March\" was changed").await;
    let joined = ask(&site, Method::POST, "deployments", group()).await;
    server.post("collections/Ring/members", json!({ "computers": [site.second] })).await.ok();
    outdated(&site, &bob, &joined, "1 computers came to the 1 that it reached").await;
    assert_eq!(server.get("deployments").await.ok()["items"], json!([]));
    let again = ask(&site, Method::POST, "deployments", group()).await;
    let done = approve(&bob, &again).await.ok();
    assert_eq!((&done["state"], &done["status"]), (&json!("done"), &json!(201)), "{done}");
    // others in place of those that were shown are others
    let other = json!({ "update": id(3), "collection": "Other", "action": "detect" });
    server.post("collections/Other/members", json!({ "computers": [site.first] })).await.ok();
    let swapped = ask(&site, Method::POST, "deployments", Some(other)).await;
    let out = Some(json!({ "computers": [site.first] }));
    server.call(Method::DELETE, "collections/Other/members", out).await.ok();
    server.post("collections/Other/members", json!({ "computers": [site.second] })).await.ok();
    outdated(&site, &bob, &swapped, "1 computers came to the 1 that it reached").await;
    server.get("collections/Ring").await.ok();
    site.server.stop().await;
}

#[tokio::test]
async fn a_choice_by_filter_is_the_one_that_was_shown() {
    let site = Site::start().await;
    let server = &site.server;
    for number in [1, 2] {
        site.deploy("update", json!(id(number)), "Ring", "install").await;
    }
    site.require("emergency-stop").await;
    let bob = Person::new(server, "bob", "software_update_manager").await;
    let decline = || Some(json!({ "filter": "title ~ \"i\"", "declined": true }));
    let asked = ask(&site, Method::POST, "updates-change", decline()).await;
    site.deploy("update", json!(id(3)), "Ring", "install").await;
    outdated(&site, &bob, &asked, "the choice of updates").await;
    let shown = server.get(&format!("updates/{}", id(1))).await.ok();
    assert_eq!(shown["declined"], false);
    let again = ask(&site, Method::POST, "updates-change", decline()).await;
    assert_eq!(approve(&bob, &again).await.ok()["state"], "done");
    site.server.stop().await;
}

#[tokio::test]
async fn a_setting_is_changed_from_the_value_that_was_shown() {
    let site = Site::start().await;
    site.require("source").await;
    let bob = Person::new(&site.server, "bob", "full_administrator").await;
    let put = |value: &str| Some(json!({ "value": value }));
    let first = ask(&site, Method::PUT, "settings/proxy.url", put("http://one.example:8080")).await;
    let second = ask(&site, Method::PUT, "settings/proxy.url", put("http://two.example:8080")).await;
    assert_eq!(approve(&bob, &first).await.ok()["state"], "done");
    outdated(&site, &bob, &second, "the setting proxy.url was changed").await;
    let shown = site.server.get("settings/proxy.url").await.ok().to_string();
    assert!(shown.contains("one.example") && !shown.contains("two.example"), "{shown}");
    site.server.stop().await;
}
