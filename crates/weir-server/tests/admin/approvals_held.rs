//! Whatever way leads to what a second person approves waits, too: members of groups, computers that join, declines, rules.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use weir_testkit::{Computer, Document, ScriptedAgent};

use crate::{
    approvals::{Person, require},
    harness::{Answer, Server, id},
};

/// A server with three updates and two computers, the first of which is in the collection `Ring`.
pub(crate) struct Site {
    pub(crate) server: Server,
    pub(crate) first: String,
    pub(crate) second: String,
}

impl Site {
    pub(crate) async fn start() -> Self {
        let server = Server::start().await;
        let documents = ["First", "Second", "Third"];
        let documents: Vec<Document> =
            (1..).zip(documents).map(|(number, title)| Document::software(id(number), 1).title(title)).collect();
        server.import_documents(&documents).await;
        for number in 1..3 {
            let mut agent = ScriptedAgent::new(server.client(), Computer::numbered(number)).expect("agent");
            agent.scan().await.expect("scan");
        }
        let list = server.get("computers").await.ok();
        let ids: Vec<&str> =
            list["items"].as_array().expect("items").iter().map(|row| row["id"].as_str().expect("id")).collect();
        let [first, second] = [ids[0].to_owned(), ids[1].to_owned()];
        for name in ["Ring", "Other"] {
            server.post("collections", json!({ "name": name })).await.ok();
        }
        server.post("collections/Ring/members", json!({ "computers": [first] })).await.ok();
        Self { server, first, second }
    }

    /// From now on deployments to any computer at all wait, and what these kinds say.
    pub(crate) async fn require(&self, kinds: &str) {
        let none = Some(json!({ "value": 0 }));
        self.server.call(Method::PUT, "settings/approval.computers", none).await.ok();
        require(&self.server, kinds).await;
    }

    pub(crate) async fn deploy(&self, what: &str, value: Value, collection: &str, action: &str) -> Value {
        let body = json!({ what: value, "collection": collection, "action": action });
        self.server.post("deployments", body).await.ok()["id"].clone()
    }

    async fn change(&self, method: Method, path: &str, body: Value) -> Answer {
        self.server.call(method, path, Some(body)).await
    }

    /// Makes a request that waits, and gives what it would do.
    async fn waits(&self, method: Method, path: &str, body: Value) -> String {
        let answer = self.change(method, path, body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{path}: {}", answer.body);
        let shown = self.server.get(&format!("approvals/{}", answer.body["id"])).await.ok();
        assert_eq!(shown["state"], "waiting");
        shown["subject"].as_str().expect("text").to_owned()
    }
}

#[track_caller]
fn says(subject: &str, parts: &[&str]) {
    for part in parts {
        assert!(subject.contains(part), "{part:?} is not in {subject:?}");
    }
}

#[tokio::test]
async fn what_gets_into_a_deployed_group_waits() {
    let site = Site::start().await;
    let server = &site.server;
    for name in ["March", "April"] {
        server.post("groups", json!({ "name": name, "members": { "updates": [id(1)] } })).await.ok();
    }
    site.deploy("group", json!("March"), "Ring", "install").await;
    site.require("deploy").await;
    let bob = Person::new(server, "bob", "software_update_manager").await;
    let members = "groups/March/members";
    let asked = server.post(members, json!({ "updates": [id(2)] })).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.body);
    assert_eq!(asked.body["kind"], "deploy");
    let subject = asked.body["subject"].as_str().expect("text");
    says(subject, &["\"Second\"", "the group \"March\" (1 updates)", "to \"Ring\" (1 computers)"]);
    let filtered = site.waits(Method::POST, members, json!({ "filter": "title ~ third" })).await;
    says(&filtered, &["\"Third\""]);
    assert_eq!(server.get("groups/March").await.ok()["members"], 1, "nothing was added");
    let waiting = bob.call(Method::GET, "approvals?waiting=true", None).await.ok();
    assert_eq!(waiting["items"].as_array().expect("items").len(), 2, "{waiting}");
    // what is there already, what is not deployed, and what is taken out goes on
    server.post(members, json!({ "updates": [id(1)] })).await.ok();
    server.post("groups/April/members", json!({ "updates": [id(2)] })).await.ok();
    let approve = format!("approvals/{}/approve", asked.body["id"]);
    let done = bob.call(Method::POST, &approve, Some(json!({}))).await.ok();
    assert_eq!((&done["state"], &done["status"]), (&json!("done"), &json!(200)), "{done}");
    assert_eq!(server.get("groups/March").await.ok()["members"], 2);
    let removed = site.change(Method::DELETE, members, json!({ "updates": [id(2)] })).await.ok();
    assert_eq!(removed["changed"], 1);
    site.server.stop().await;
}

#[tokio::test]
async fn computers_that_come_to_what_is_deployed_wait() {
    let site = Site::start().await;
    let server = &site.server;
    for body in [
        json!({ "name": "Inner", "parent": "Ring" }),
        json!({ "name": "Wide", "kind": "rule", "includes": ["Other"] }),
        json!({ "name": "Ruled", "kind": "rule", "rule": "ip in 10.9.0.0/16" }),
        json!({ "name": "Without", "kind": "rule", "rule": "ip in 127.0.0.0/8", "excludes": ["Inner"] }),
        json!({ "name": "Free" }),
    ] {
        server.post("collections", body).await.ok();
    }
    for collection in ["Ring", "Wide", "Ruled"] {
        site.deploy("update", json!(id(1)), collection, "install").await;
    }
    site.require("deploy").await;
    let bob = Person::new(server, "bob", "software_update_manager").await;
    let second = || json!({ "computers": [site.second] });
    for (collection, deployed) in [("Ring", "\"Ring\" (2 computers)"), ("Inner", "\"Ring\""), ("Other", "\"Wide\"")] {
        let path = format!("collections/{collection}/members");
        let subject = site.waits(Method::POST, &path, second()).await;
        says(&subject, &["put 1 computers into", "by which 1 computers come to what is deployed", deployed]);
    }
    let many =
        |preview: bool| json!({ "ids": [site.second], "action": "add_to", "collection": "Ring", "preview": preview });
    site.waits(Method::POST, "computers-change", many(false)).await;
    assert_eq!(site.change(Method::POST, "computers-change", many(true)).await.ok()["preview"], true);
    let by_filter = json!({ "filter": {}, "action": "add_to", "collection": "Inner" });
    site.waits(Method::POST, "computers-change", by_filter).await;
    let wider = site.waits(Method::PATCH, "collections/Ruled", json!({ "rule": "ip in 127.0.0.0/8" })).await;
    says(&wider, &["change the collection \"Ruled\"", "2 computers come", "\"Ruled\" (2 computers)"]);
    site.waits(Method::PATCH, "collections/Wide", json!({ "includes": ["Ring"] })).await;
    // where nothing is deployed, where nobody comes, and who leaves
    server.post("collections/Free/members", second()).await.ok();
    server.post("collections/Ring/members", json!({ "computers": [site.first] })).await.ok();
    server.patch("collections/Ruled", json!({ "description": "of the plant" })).await.ok();
    server.patch("collections/Ruled", json!({ "rule": "ip in 10.8.0.0/16" })).await.ok();
    server.patch("collections/Without", json!({ "excludes": ["Free"] })).await.ok();
    site.change(Method::DELETE, "collections/Free/members", second()).await.ok();
    assert_eq!(server.get("collections/Ring").await.ok()["members_below"], 1, "nobody came");
    let list = server.get("approvals?waiting=true").await.ok();
    let last = list["items"].as_array().expect("items").iter().find(|row| row["path"] == "/collections/Inner/members");
    let approve = format!("approvals/{}/approve", last.expect("it waits")["id"]);
    let done = bob.call(Method::POST, &approve, Some(json!({}))).await.ok();
    assert_eq!((&done["state"], &done["status"]), (&json!("done"), &json!(200)), "{done}");
    assert_eq!(server.get("collections/Ring").await.ok()["members_below"], 2);
    site.server.stop().await;
}

#[tokio::test]
async fn who_is_no_longer_excluded_comes_to_what_is_deployed() {
    let site = Site::start().await;
    let server = &site.server;
    let rule = json!({ "name": "Most", "kind": "rule", "rule": "ip in 127.0.0.0/8", "excludes": ["Ring"] });
    server.post("collections", rule).await.ok();
    site.deploy("update", json!(id(1)), "Most", "install").await;
    site.require("deploy").await;
    let members = json!({ "computers": [site.first] });
    let subject = site.waits(Method::DELETE, "collections/Ring/members", members).await;
    says(&subject, &["take 1 computers out of", "\"Most\" (2 computers)"]);
    site.waits(Method::PATCH, "collections/Most", json!({ "excludes": [] })).await;
    site.server.stop().await;
}

#[tokio::test]
async fn to_decline_what_is_deployed_is_to_stop_it() {
    let site = Site::start().await;
    let server = &site.server;
    server.post("groups", json!({ "name": "March", "members": { "updates": [id(1)] } })).await.ok();
    site.deploy("group", json!("March"), "Ring", "install").await;
    site.deploy("update", json!(id(2)), "Ring", "detect").await;
    site.require("deploy,emergency-stop").await;
    let bob = Person::new(server, "bob", "software_update_manager").await;
    let decline = |number: u128| format!("updates/{}/decline", id(number));
    let asked = server.post(&decline(1), json!({})).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.body);
    assert_eq!(asked.body["kind"], "emergency-stop");
    says(asked.body["subject"].as_str().expect("text"), &["decline the update \"First\"", "\"Ring\" (1 computers)"]);
    let many = |filter: &str| json!({ "filter": filter, "declined": true });
    site.waits(Method::POST, "updates-change", many("title ~ first")).await;
    let preview = json!({ "ids": [id(1)], "declined": true, "preview": true });
    assert_eq!(site.change(Method::POST, "updates-change", preview).await.ok()["changed"], 1);
    let rule =
        |name: &str, title: &str| json!({ "name": name, "action": "decline", "condition": { "titles": [title] } });
    let by_rule = site.waits(Method::POST, "criteria", rule("Firsts", "First*")).await;
    says(&by_rule, &["by the rule \"Firsts\" decline the update \"First\""]);
    // what nothing brings to computers is declined at once
    server.post(&decline(2), json!({})).await.ok();
    server.post(&decline(3), json!({})).await.ok();
    server.post("criteria", rule("Thirds", "Third*")).await.ok();
    let approve = |id: &Value| format!("approvals/{id}/approve");
    assert_eq!(bob.call(Method::POST, &approve(&asked.body["id"]), Some(json!({}))).await.ok()["state"], "done");
    let shown = server.get(&format!("updates/{}", id(1))).await.ok();
    assert_eq!(shown["declined"], true);
    // and what it takes back is deployed again
    let back = site.waits(Method::POST, &format!("updates/{}/undecline", id(1)), json!({})).await;
    says(&back, &["take back the decline of the update \"First\"", "\"Ring\" (1 computers)"]);
    site.waits(Method::POST, "updates-change", json!({ "ids": [id(1), id(3)], "declined": false })).await;
    server.post(&format!("updates/{}/undecline", id(3)), json!({})).await.ok();
    let stop = format!("updates/{}/stop", id(1));
    let stopped = site.change(Method::PUT, &stop, json!({ "reason": "it breaks printing" })).await;
    assert_eq!(bob.call(Method::POST, &approve(&stopped.body["id"]), Some(json!({}))).await.ok()["state"], "done");
    let resumed = site.server.delete(&stop).await;
    assert_eq!(resumed.status, StatusCode::ACCEPTED, "{}", resumed.body);
    site.server.stop().await;
}

#[tokio::test]
async fn what_goes_on_by_hand_or_is_freed_waits() {
    let site = Site::start().await;
    let server = &site.server;
    let rule = json!({
        "name": "Fast", "criteria": "title ~ first", "deployments": [{ "collection": "Ring", "action": "install" }],
    });
    server.post("rules", rule).await.ok();
    let block = site.deploy("update", json!(id(2)), "Ring", "block").await;
    let install = site.deploy("update", json!(id(3)), "Ring", "install").await;
    let template = json!({ "collection": "Ring", "action": "detect" });
    let template = site.change(Method::PUT, "deployment-templates/Narrow", template).await.ok();
    site.require("deploy").await;
    let run = site.waits(Method::POST, "rules/Fast/run", json!({})).await;
    says(&run, &["run the rule \"Fast\"", "\"Ring\" (1 computers)"]);
    let many =
        |ids: &[&Value], action: &str, preview: bool| json!({ "ids": ids, "action": action, "preview": preview });
    let freed = server.delete(&format!("deployments/{block}")).await;
    assert_eq!(freed.status, StatusCode::ACCEPTED, "{}", freed.body);
    site.waits(Method::POST, "deployments-change", many(&[&block, &install], "disable", false)).await;
    site.change(Method::POST, "deployments-change", many(&[&block], "disable", true)).await.ok();
    let off = site.change(Method::POST, "deployments-change", many(&[&install], "disable", false)).await.ok();
    assert_eq!(off["changed"], 1);
    assert_eq!(server.delete(&format!("deployments/{install}")).await.status, StatusCode::NO_CONTENT);
    // the id of a template hides no more than its name
    let hidden = json!({ "update": id(1), "template": template["id"] });
    site.waits(Method::POST, "deployments", hidden).await;
    site.server.stop().await;
}

/// Computers above a threshold, not single ones, take a second person.
#[tokio::test]
async fn few_computers_take_nobody_else() {
    let site = Site::start().await;
    site.server.post("groups", json!({ "name": "March", "members": { "updates": [id(1)] } })).await.ok();
    site.deploy("group", json!("March"), "Ring", "install").await;
    site.server.call(Method::PUT, "settings/approval.computers", Some(json!({ "value": 1 }))).await.ok();
    require(&site.server, "deploy").await;
    site.server.post("groups/March/members", json!({ "updates": [id(2)] })).await.ok();
    let second = json!({ "computers": [site.second] });
    let subject = site.waits(Method::POST, "collections/Ring/members", second).await;
    says(&subject, &["\"Ring\" (2 computers)"]);
    site.server.stop().await;
}

/// Who is limited asks, and reads nothing of what lies outside.
#[tokio::test]
async fn who_is_limited_is_told_of_nothing_outside() {
    let site = Site::start().await;
    let server = &site.server;
    let wide = json!({ "name": "Secret", "kind": "rule", "includes": ["Ring"] });
    server.post("collections", wide).await.ok();
    site.deploy("update", json!(id(1)), "Secret", "install").await;
    site.require("deploy").await;
    let token = json!({ "name": "l", "role": "software_update_manager", "collections": ["Ring", "Other"] });
    let secret = server.post("tokens", token).await.ok()["secret"].as_str().expect("secret").to_owned();
    server.post("collections/Other/members", json!({ "computers": [site.second] })).await.ok();
    let body = || Some(json!({ "computers": [site.second] }));
    let asked = server.call_as(&secret, Method::POST, "collections/Ring/members", body()).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.body);
    let told = asked.body["subject"].as_str().expect("text");
    assert!(told.contains("a collection outside the limit") && !told.contains("Secret"), "{told}");
    let whole = server.get(&format!("approvals/{}", asked.body["id"])).await.ok();
    says(whole["subject"].as_str().expect("text"), &["\"Secret\" (2 computers)"]);
    site.server.stop().await;
}
