//! Principals that are limited to collections see and act on those, and on nothing else.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;
use weir_testkit::{Computer, Document, Payload, ScriptedAgent};

use crate::harness::{Answer, Server, id};

/// A site with two rings of one computer each, and who is limited to the first.
struct Site {
    server: Server,
    secret: String,
    own: String,
    other: String,
}

impl Site {
    async fn start(role: &str) -> Self {
        let server = Server::start().await;
        server.import_documents(&[Document::software(id(1), 1).title("Update")]).await;
        let mut computers = Vec::new();
        for number in 0..2 {
            let mut agent = ScriptedAgent::new(server.client(), Computer::numbered(number)).expect("agent");
            agent.scan().await.expect("scan");
            let needed = agent.event(156, None, 0, Vec::new(), vec![format!("U={}", id(1))]);
            agent.report(vec![needed]).await.expect("reported");
        }
        for row in server.get("computers").await.ok()["items"].as_array().expect("items") {
            computers.push(row["id"].as_str().expect("id").to_owned());
        }
        let [own, other] = [computers[0].clone(), computers[1].clone()];
        for (name, computer) in [("Own", &own), ("Other", &other)] {
            server.post("collections", json!({ "name": name })).await.ok();
            server.post(&format!("collections/{name}/members"), json!({ "computers": [computer] })).await.ok();
        }
        server.post("collections", json!({ "name": "Below", "parent": "Own" })).await.ok();
        let token = json!({ "name": "limited", "role": role, "collections": ["Own"] });
        let secret = server.post("tokens", token).await.ok()["secret"].as_str().expect("secret").to_owned();
        Self { server, secret, own, other }
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.server.call_as(&self.secret, method, path, body).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }
}

fn names(list: &Value, field: &str) -> Vec<String> {
    let items = list["items"].as_array().expect("items").iter();
    items.map(|item| item[field].as_str().expect("text").to_owned()).collect()
}

#[tokio::test]
async fn what_is_read_is_of_the_scope() {
    let site = Site::start("software_update_manager").await;
    assert_eq!(names(&site.get("computers").await.ok(), "id"), std::slice::from_ref(&site.own));
    assert_eq!(
        names(&site.get("computers?collection=All%20Computers").await.ok(), "id"),
        std::slice::from_ref(&site.own)
    );
    assert_eq!(site.get("computers?collection=Other").await.refused(404), "not_found");
    site.get(&format!("computers/{}", site.own)).await.ok();
    assert_eq!(names(&site.get("collections").await.ok(), "name"), ["Below", "Own"]);
    assert_eq!(site.get("collections/All%20Computers").await.ok()["members_below"], 1);
    for path in
        ["compliance/summary", "compliance/summary?collection=Own", "compliance/summary?collection=All%20Computers"]
    {
        assert_eq!(site.get(path).await.ok()["computers"], 1, "{path}");
    }
    assert_eq!(site.server.get("compliance/summary").await.ok()["computers"], 2);
    assert_eq!(names(&site.get("compliance/computers").await.ok(), "id"), std::slice::from_ref(&site.own));
    assert_eq!(site.get("compliance/updates").await.ok()["items"][0]["counts"]["required"], 1);
    assert_eq!(site.get("compliance/servers").await.ok()["items"][0]["computers"], 1);
    assert_eq!(site.get("compliance/freshness").await.ok()["computers"], 1);
    assert_eq!(site.get("updates").await.ok()["items"][0]["needed"], 1);
    assert_eq!(site.get("exposure/summary").await.ok()["computers"], 1);
    assert_eq!(names(&site.get("exposure/computers").await.ok(), "id"), std::slice::from_ref(&site.own));
    let coming = site.get("computers/transport").await.ok();
    assert_eq!((&coming["total"]["computers"], &coming["total"]["http"]), (&json!(1), &json!(1)));
    let shown: Vec<_> = coming["collections"].as_array().expect("a list").iter().collect();
    assert!(shown.iter().all(|it| it["collection"]["name"] == "Own") && shown.len() == 1, "{coming}");
    assert_eq!(site.get("computers/transport?collection=Other").await.refused(404), "not_found");
    assert_eq!(names(&site.get("computers?transport=http").await.ok(), "id"), std::slice::from_ref(&site.own));
    assert_eq!(site.get("computers-counts?transport=http").await.ok()["computers"], 1);
    assert_eq!(site.server.get("computers-counts?transport=http").await.ok()["computers"], 2);
    assert_eq!(site.get("session").await.ok()["collections"][0]["name"], "Own");
    // and computers of others are not there at all
    for path in ["computers/{}", "computers/{}/client-settings", "exposure/computers/{}", "windows-next?computer={}"] {
        let path = path.replace("{}", &site.other);
        assert_eq!(site.get(&path).await.refused(404), "not_found", "{path}");
    }
    let explanation = format!("deployments/explanation?computer={}&update={}", site.other, id(1));
    assert_eq!(site.get(&explanation).await.refused(404), "not_found");
    assert_eq!(site.get(&format!("collections/Own/why?computer={}", site.other)).await.refused(404), "not_found");
    site.server.stop().await;
}

#[tokio::test]
async fn every_report_is_of_the_scope() {
    let site = Site::start("read_only_analyst").await;
    let whole = site.server.get("computers").await.ok();
    let name = |id: &str| {
        let rows = whole["items"].as_array().expect("items");
        let row = rows.iter().find(|row| row["id"] == id).expect("there");
        row["name"].as_str().expect("name").to_owned()
    };
    let (own, other) = (name(&site.own), name(&site.other));
    let mut ran = 0;
    for report in site.server.get("reports").await.ok()["items"].as_array().expect("items") {
        let needs = report["parameters"].as_array().expect("parameters").iter().any(|it| it["required"] == true);
        if needs {
            continue;
        }
        let path = format!("reports/{}", report["id"].as_str().expect("id"));
        let answer = site.get(&path).await.ok().to_string();
        assert!(!answer.contains(&site.other) && !answer.contains(&other), "{path}: {answer}");
        assert!(answer.contains("limited to collections"), "{path}: {answer}");
        ran += 1;
    }
    assert!(ran > 5, "{ran}");
    let asked = format!("reports/compliance-update-computers?update={}&state=required", id(1));
    let answer = site.get(&asked).await.ok().to_string();
    assert!(answer.contains(&own) && !answer.contains(&other), "{answer}");
    let overall = site.get("reports/compliance-overall").await;
    overall.ok();
    assert_eq!(site.get("reports/compliance-overall?collection=Other").await.refused(404), "not_found");
    site.server.stop().await;
}

#[tokio::test]
async fn what_is_done_stays_in_the_scope() {
    let site = Site::start("software_update_manager").await;
    let deploy =
        |collection: &str| json!({ "update": id(1).to_string(), "collection": collection, "action": "detect" });
    let other = site.server.post("deployments", deploy("Other")).await.ok()["id"].clone();
    assert_eq!(site.post("deployments", deploy("All Computers")).await.refused(403), "forbidden");
    assert_eq!(site.post("deployments", deploy("Other")).await.refused(404), "not_found");
    let own = site.post("deployments", deploy("Below")).await.ok()["id"].clone();
    assert_eq!(site.get("deployments").await.ok()["items"].as_array().expect("items").len(), 1);
    assert_eq!(site.get("compliance/deployments").await.ok()["items"].as_array().expect("items").len(), 1);
    let path = |id: &Value| format!("deployments/{id}");
    let off = || Some(json!({ "enabled": false }));
    site.call(Method::PATCH, &path(&own), off()).await.ok();
    assert_eq!(site.call(Method::PATCH, &path(&other), off()).await.refused(404), "not_found");
    assert_eq!(site.call(Method::DELETE, &path(&other), None).await.refused(404), "not_found");
    assert_eq!(site.get(&format!("compliance/{}", path(&other))).await.refused(404), "not_found");
    // collections
    assert_eq!(site.post("collections", json!({ "name": "Top" })).await.refused(403), "forbidden");
    let rule = json!({ "name": "Rule", "rule": "name like \"%\"", "kind": "rule" });
    assert_eq!(site.post("collections", rule).await.refused(403), "forbidden");
    site.post("collections", json!({ "name": "Mine", "parent": "Below" })).await.ok();
    let drawn = site.post("collections/Mine/members", json!({ "computers": [site.other] })).await;
    assert_eq!(drawn.refused(404), "not_found", "nobody draws computers of others into the own scope");
    site.post("collections/Mine/members", json!({ "computers": [site.own] })).await.ok();
    assert_eq!(site.call(Method::DELETE, "collections/Other", None).await.refused(404), "not_found");
    assert_eq!(
        site.call(Method::PATCH, "collections/All%20Computers", Some(json!({ "description": "x" }))).await.refused(403),
        "forbidden"
    );
    // windows and computers
    let window = |collection: &str| json!({ "name": "Night", "collection": collection, "kind": "software_updates" });
    assert_eq!(site.post("windows", window("Other")).await.refused(404), "not_found");
    site.post("windows", window("Own")).await.ok();
    site.server.post("windows", window("Other")).await.ok();
    assert_eq!(site.get("windows").await.ok()["items"].as_array().expect("items").len(), 1);
    site.get("windows-calendar").await.ok();
    let zone = || Some(json!({ "time_zone": "Europe/Amsterdam" }));
    site.call(Method::PATCH, &format!("computers/{}", site.own), zone()).await.ok();
    let path = format!("computers/{}", site.other);
    assert_eq!(site.call(Method::PATCH, &path, zone()).await.refused(404), "not_found");
    assert_eq!(site.call(Method::DELETE, &path, None).await.refused(404), "not_found");
    site.server.get(&path).await.ok();
    site.server.stop().await;
}

#[tokio::test]
async fn a_scope_whose_collection_is_gone_holds_nothing() {
    let site = Site::start("operator").await;
    for name in ["Below", "Own"] {
        let members = json!({ "computers": [site.own] });
        site.server.call(Method::DELETE, &format!("collections/{name}/members"), Some(members)).await;
        assert_eq!(site.server.delete(&format!("collections/{name}")).await.status, 204, "{name}");
    }
    assert_eq!(site.get("computers").await.ok()["items"], json!([]));
    assert_eq!(site.get("collections").await.ok()["items"], json!([]));
    assert_eq!(site.get("compliance/summary").await.ok()["computers"], 0);
    assert_eq!(site.get("settings").await.refused(403), "forbidden", "it is as limited as before");
    site.server.stop().await;
}

#[tokio::test]
async fn who_is_limited_gives_away_no_more() {
    let site = Site::start("full_administrator").await;
    // tokens are not made by tokens, so that a user does it
    let user = json!({
        "name": "alice", "role": "operator", "collections": ["Own"], "password": "some words to begin",
    });
    let made = site.server.post("users", user).await.ok();
    assert_eq!((&made["user"]["limited"], &made["user"]["collections"][0]["name"]), (&json!(true), &json!("Own")));
    assert_eq!(site.get("users").await.refused(403), "forbidden", "users are of the whole site");
    site.server.patch("users/alice", json!({ "collections": [] })).await.ok();
    assert_eq!(site.server.get("users/alice").await.ok()["limited"], false);
    assert_eq!(site.server.patch("users/alice", json!({ "collections": ["Nothing"] })).await.refused(404), "not_found");
    site.server.stop().await;
}

/// Where computers say themselves where they belong, a name draws those that ask for it.
#[tokio::test]
async fn who_is_limited_draws_no_computers_by_a_name() {
    let site = Site::start("software_update_manager").await;
    let target = |value: &str| Some(json!({ "value": value }));
    site.server.call(Method::PUT, "settings/targeting", target("client")).await.ok();
    let new = json!({ "name": "Drawn", "parent": "Own" });
    let refused = site.post("collections", new.clone()).await;
    assert_eq!(refused.refused(409), "targeting");
    assert!(refused.body["detail"].as_str().is_some_and(|detail| detail.contains("targeting is client")));
    let renamed = || Some(json!({ "name": "Drawn" }));
    assert_eq!(site.call(Method::PATCH, "collections/Below", renamed()).await.refused(409), "targeting");
    assert_eq!(site.server.get("collections/Drawn").await.refused(404), "not_found", "nothing was made");
    // what draws nobody goes on
    let same = json!({ "name": "Below", "description": "of the plant" });
    site.call(Method::PATCH, "collections/Below", Some(same)).await.ok();
    // and so does everything for who is not limited, and where administrators decide
    site.server.post("collections", json!({ "name": "Free", "parent": "Own" })).await.ok();
    site.server.call(Method::PUT, "settings/targeting", target("server")).await.ok();
    site.post("collections", new).await.ok();
    site.server.stop().await;
}

/// A licence is accepted for the whole site.
#[tokio::test]
async fn who_is_limited_accepts_no_licence() {
    let site = Site::start("software_update_manager").await;
    let (eula, text) = (Uuid::from_u128(0xe01a), Payload::new("licence.txt", *b"You may."));
    let licensed = Document::software(id(2), 1).title("Licensed").eula(eula, "en", None, &text);
    site.server.import_documents(&[licensed]).await;
    let deploy = |accept: bool| json!({ "update": id(2).to_string(), "collection": "Own", "action": "install", "accept_eula": accept });
    assert_eq!(site.post("deployments", deploy(false)).await.refused(409), "eula_not_accepted");
    assert_eq!(site.post("deployments", deploy(true)).await.refused(403), "forbidden");
    site.server.post("groups", json!({ "name": "Licences", "members": { "updates": [id(2)] } })).await.ok();
    let group = json!({ "group": "Licences", "collection": "Own", "action": "install", "accept_eula": true });
    assert_eq!(site.post("deployments", group).await.refused(403), "forbidden");
    let path = format!("updates/{}", id(2));
    assert_eq!(site.server.get(&path).await.ok()["eula"]["accepted"], false, "nothing was accepted");
    site.server.post(&format!("{path}/eula"), json!({})).await;
    assert_eq!(site.server.get(&path).await.ok()["eula"]["accepted"], true);
    site.post("deployments", deploy(true)).await.ok();
    site.server.stop().await;
}

#[tokio::test]
async fn collections_outside_are_not_named() {
    let site = Site::start("software_update_manager").await;
    site.server.post("collections", json!({ "name": "Above" })).await.ok();
    site.server.post("collections", json!({ "name": "Inner", "parent": "Above" })).await.ok();
    site.server.post("collections/Inner/members", json!({ "computers": [site.own] })).await.ok();
    let token = json!({ "name": "inner", "role": "software_update_manager", "collections": ["Inner"] });
    let secret = site.server.post("tokens", token).await.ok()["secret"].as_str().expect("secret").to_owned();
    let get = |path: String| {
        let (server, secret) = (&site.server, &secret);
        async move { server.call_as(secret, Method::GET, &path, None).await }
    };
    let shown = get("collections/Inner".to_owned()).await;
    assert_eq!(shown.ok()["parent"], Value::Null);
    assert_eq!(site.server.get("collections/Inner").await.ok()["parent"]["name"], "Above");
    for path in ["computers/{}", "computers/{}/client-settings"] {
        let path = path.replace("{}", &site.own);
        let whole = site.server.get(&path).await.ok().to_string();
        let limited = get(path.clone()).await.ok().to_string();
        assert!(whole.contains("Inner") && limited.contains("Inner"), "{path}: {limited}");
        assert!(!limited.contains("Above") && !limited.contains("\"Own\""), "{path}: {limited}");
    }
    site.server.stop().await;
}

/// Explanations and lists say that something outside has a part in it, and not what.
#[tokio::test]
async fn explanations_name_nothing_outside() {
    let site = Site::start("software_update_manager").await;
    let server = &site.server;
    server.post("collections", json!({ "name": "Above", "time_zone": "Asia/Tokyo" })).await.ok();
    server.post("collections", json!({ "name": "Inner", "parent": "Above" })).await.ok();
    server.post("collections/Inner/members", json!({ "computers": [site.own] })).await.ok();
    let ruled = json!({ "name": "Ruled", "kind": "rule", "rule": "collection = Above or collection = Inner" });
    server.post("collections", ruled).await.ok();
    let token = json!({ "name": "inner", "role": "software_update_manager", "collections": ["Inner", "Ruled"] });
    let secret = server.post("tokens", token).await.ok()["secret"].as_str().expect("secret").to_owned();
    let get = async |path: &str| server.call_as(&secret, Method::GET, path, None).await.ok();
    server.post("groups", json!({ "name": "March", "members": { "updates": [id(1)] } })).await.ok();
    let mut deployments = Vec::new();
    for collection in ["Above", "Inner", "All Computers"] {
        let body = json!({ "group": "March", "collection": collection, "action": "detect" });
        deployments.push(server.post("deployments", body).await.ok()["id"].clone());
    }
    let set = |name: &str, minutes: u32, collection: &str| json!({ "name": name, "settings": { "restart.minutes": minutes }, "collections": [collection] });
    for set in [set("Mine", 30, "Inner"), set("Theirs", 60, "Above"), set("Also", 70, "Inner")] {
        server.post("client-settings", set).await.ok();
    }
    server
        .post("windows", json!({ "name": "Night above", "collection": "Above", "kind": "software_updates" }))
        .await
        .ok();
    // where something outside decided, that is said without its name
    let explanation = format!("deployments/explanation?computer={}&update={}", site.own, id(1));
    let computer = format!("computers/{}", site.own);
    let why = format!("collections/Ruled/why?computer={}", site.own);
    for path in [explanation.as_str(), computer.as_str(), why.as_str(), "collections/Ruled"] {
        let (whole, limited) = (server.get(path).await.ok().to_string(), get(path).await.to_string());
        assert!(whole.contains("Above"), "{path}: {whole}");
        assert!(limited.contains("a collection outside the limit") && !limited.contains("Above"), "{path}: {limited}");
    }
    let settings = format!("{computer}/client-settings");
    let whole = server.get(&settings).await.ok().to_string();
    assert!(whole.contains("Theirs") && whole.contains("Also"), "{whole}");
    let limited = get(&settings).await.to_string();
    assert!(limited.contains("Mine") && limited.contains("Also"), "{limited}");
    assert!(!limited.contains("Theirs") && !limited.contains("Above"), "{limited}");
    let next = get(&format!("windows-next?computer={}", site.own)).await.to_string();
    assert!(next.contains("a window outside the limit") && !next.contains("bove"), "{next}");
    // numbers of deployments are those of the scope
    assert_eq!(server.get("groups/March").await.ok()["deployments"].as_array().expect("numbers").len(), 3);
    for list in [get("groups/March").await, get("groups").await["items"][0].clone()] {
        assert_eq!(list["deployments"], json!([deployments[1]]), "{list}");
    }
    assert_eq!(get("collections/All%20Computers").await["deployments"], 0);
    assert_eq!(server.get("collections/All%20Computers").await.ok()["deployments"], 1);
    site.server.stop().await;
}

/// What keeps a collection from being deleted is told without the names of what lies outside.
#[tokio::test]
async fn refusals_name_nothing_outside() {
    let site = Site::start("software_update_manager").await;
    let user = json!({ "name": "Secret", "kind": "rule", "includes": ["Below"] });
    site.server.post("collections", user).await.ok();
    let refused = site.call(Method::DELETE, "collections/Below", None).await;
    assert_eq!(refused.refused(409), "in_use");
    assert!(!refused.body.to_string().contains("Secret"), "{}", refused.body);
    let whole = site.server.delete("collections/Below").await;
    assert!(whole.body.to_string().contains("Secret"), "{}", whole.body);
    site.server.stop().await;
}
