//! Update groups and their deployments, settings, templates, simulation, stops, and all of it at a site below.

use reqwest::Method;
use serde_json::{Value, json};
use weir_model::update::CategoryKind;
use weir_testkit::{Computer, Document, Payload, ScriptedAgent};

use crate::{
    harness::{Server, id},
    replicas::child_of,
    sync::{synchronize, until},
};

const UPGRADES: &str = "3689bdc8-b205-4af4-8d4a-a63924c5e9d5";

async fn with_updates() -> Server {
    let server = Server::start().await;
    let upgrades = weir_model::ids::UpdateId(UPGRADES.parse().expect("a guid"));
    server
        .import_documents(&[
            Document::category(upgrades, 1, CategoryKind::UpdateClassification).title("Upgrades"),
            Document::software(id(2), 1).title("Plain"),
            Document::software(id(3), 1).title("Other").file(&Payload::new("other.cab", *b"other")),
            Document::software(id(4), 1).title("Third"),
            Document::software(id(5), 1).title("Feature update").in_category(upgrades),
            Document::software(id(6), 1).title("Withdrawn").expired(),
            Document::member(id(7), 1).title("Part"),
        ])
        .await;
    server.post("collections", json!({ "name": "Ring" })).await.ok();
    server
}

fn deploy_group(action: &str) -> Value {
    json!({ "group": "March", "collection": "Ring", "action": action })
}

async fn state(server: &Server, deployment: &Value) -> Value {
    server.get(&format!("deployments/{deployment}")).await.ok()
}

/// What a computer of the ring would be sent, by update, as explanations and lists of members give it.
async fn active(server: &Server, deployment: &Value) -> Vec<(String, String)> {
    let list = server.get(&format!("deployments/{deployment}/members")).await.ok();
    let row = |row: &Value| {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        (text(&row["update"]["name"]), text(&row["state"]))
    };
    list["items"].as_array().expect("rows").iter().map(row).collect()
}

#[tokio::test]
async fn a_group_is_made_filled_deployed_and_deleted() {
    let server = with_updates().await;
    let made = json!({ "name": "March", "description": "of the spring", "members": { "filter": "title ~ plain" } });
    let made = server.post("groups", made).await;
    assert_eq!((made.status.as_u16(), &made.body["members"]), (201, &json!(1)));
    for (body, status, code) in [
        (json!({ "name": "MARCH" }), 409, "exists"),
        (json!({ "name": " " }), 400, "name"),
        (json!({ "name": "\u{202e}\u{200b}" }), 400, "name"),
        (json!({ "name": "x".repeat(256) }), 400, "name"),
        (json!({ "name": "A", "description": "x".repeat(257) }), 400, "description"),
        (json!({ "name": "A", "members": { "updates": [id(404)] } }), 404, "not_found"),
        (json!({ "name": "A", "members": { "filter": "title >" } }), 400, "filter"),
        (json!({ "name": "A", "colour": 1 }), 400, "body"),
    ] {
        assert_eq!(server.post("groups", body.clone()).await.refused(status), code, "{body}");
    }
    for (number, code) in [(5, "not_for_groups"), (7, "not_for_groups")] {
        let refused = server.post("groups/March/members", json!({ "updates": [id(3), id(number)] })).await;
        assert_eq!(refused.refused(409), code);
        assert!(refused.body["detail"].as_str().expect("text").contains(&id(number).to_string()), "{}", refused.body);
    }
    assert_eq!(server.get("groups/March").await.ok()["members"], 1, "nothing is half applied");
    let saved = json!({ "name": "Titles", "filter": "title ~ plain" });
    server.post("searches", saved).await.ok();
    server.post("searches", json!({ "name": "Words", "text": "plain" })).await.ok();
    let again = server.post("groups/March/members", json!({ "saved": "titles" })).await.ok();
    assert_eq!((&again["changed"], &again["unchanged"]), (&json!(0), &json!(1)), "{again}");
    let words = server.post("groups/March/members", json!({ "saved": "Words" })).await;
    assert_eq!(words.refused(400), "saved");
    let both = json!({ "saved": "Titles", "filter": "title ~ plain" });
    assert_eq!(server.post("groups/March/members", both).await.refused(400), "saved");
    // a filter leaves out what no group can have
    let all = server.post("groups/March/members", json!({ "filter": "type = software" })).await.ok();
    assert_eq!((&all["changed"], &all["members"]), (&json!(2), &json!(3)), "{all}");
    // what a filter finds and no group has is not counted
    let removal = json!({ "updates": [id(5)], "filter": "title ~ other or title ~ withdrawn" });
    let removed = server.call(Method::DELETE, "groups/March/members", Some(removal)).await.ok();
    assert_eq!((&removed["changed"], &removed["unchanged"]), (&json!(1), &json!(1)), "{removed}");
    server.post("groups/March/members", json!({ "updates": [id(3)] })).await.ok();
    let members = server.get("groups/march/members?limit=2").await.ok();
    assert_eq!(members["items"].as_array().expect("rows").len(), 2);
    assert!(members["next"].is_string());

    let deployed = server.post("deployments", deploy_group("install")).await.ok()["id"].clone();
    assert_eq!(server.post("deployments", deploy_group("optional")).await.refused(409), "exists");
    let shown = state(&server, &deployed).await;
    assert_eq!((&shown["update"], &shown["group"]["name"]), (&Value::Null, &json!("March")));
    assert_eq!(shown["members"]["active"], 2, "{shown}");
    assert_eq!((&shown["members"]["waiting_for_content"], &shown["content"]["files"]), (&json!(1), &json!(1)));
    assert!(shown["state_text"].as_str().expect("text").starts_with("2 of 3 updates active; 1 waiting for content"));
    let list = server.get("deployments").await.ok();
    assert_eq!(list["items"].as_array().expect("rows").len(), 1, "people see one");
    let of_update = server.get(&format!("deployments?update={}", id(2))).await.ok();
    assert_eq!(of_update["items"][0]["id"], deployed);
    assert_eq!(server.get("deployments?group=March").await.ok()["items"][0]["id"], deployed);
    assert_eq!(server.get(&format!("updates/{}", id(2))).await.ok()["deployments"], 1);

    server.upload("content", &[("other.cab", b"other")]).await.ok();
    assert_eq!(state(&server, &deployed).await["members"]["active"], 3);
    server.call(Method::DELETE, "groups/March/members", Some(json!({ "updates": [id(3)] }))).await.ok();
    let named: Vec<String> = active(&server, &deployed).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(named, ["Plain", "Third"]);
    let withdrawn = server.post("groups/March/members", json!({ "updates": [id(6)] })).await;
    assert_eq!(withdrawn.refused(409), "expired", "it is deployed");
    let member = server.get(&format!("deployments/{deployed}/members")).await.ok()["items"][0]["id"].clone();
    let refused = server.patch(&format!("deployments/{member}"), json!({ "deadline": "+1d" })).await;
    assert_eq!(refused.refused(409), "expanded");
    assert_eq!(server.delete(&format!("deployments/{member}")).await.refused(409), "expanded");

    server.post(&format!("updates/{}/decline", id(4)), json!({})).await.ok();
    let shown = state(&server, &deployed).await;
    assert_eq!(shown["members"]["reasons"], json!([{ "reason": "the update is declined", "updates": 1 }]));

    let renamed = server.patch("groups/March", json!({ "name": "Spring", "description": "" })).await.ok();
    assert_eq!((&renamed["name"], &renamed["deployments"]), (&json!("Spring"), &json!([deployed])));
    let refused = server.delete("groups/Spring").await;
    assert_eq!(refused.refused(409), "deployed");
    assert!(refused.body["detail"].as_str().expect("text").contains(&deployed.to_string()));
    assert_eq!(server.delete("groups/Spring?force=true").await.status, 204);
    assert_eq!(server.get("deployments").await.ok()["items"], json!([]));
    assert_eq!(server.get("groups").await.ok()["items"], json!([]));
    let audit = server.get("audit").await.ok().to_string();
    for action in ["group.create", "group.members", "group.change", "group.delete", "deployment.delete"] {
        assert!(audit.contains(action), "{action}");
    }
    server.stop().await;
}

#[tokio::test]
async fn settings_are_checked_kept_and_explained() {
    let server = with_updates().await;
    let deploy = |change: Value| {
        let mut body = json!({ "update": id(2), "collection": "Ring", "action": "install", "deadline": "+3d" });
        for (key, value) in change.as_object().expect("an object") {
            body[key] = value.clone();
        }
        body
    };
    for (change, code) in [
        (json!({ "name": "x".repeat(257) }), "name"),
        (json!({ "description": "a\nb" }), "description"),
        (json!({ "action": "optional", "deadline": null, "settings": { "notifications": "none" } }), "notifications"),
        (json!({ "action": "optional", "deadline": null, "settings": { "outside_windows": true } }), "outside_windows"),
        (json!({ "settings": { "pre_download": true } }), "pre_download"),
        (json!({ "deadline": null, "settings": { "grace": true } }), "grace"),
        (json!({ "settings": { "alert_below_percent": 101 } }), "alert"),
        (json!({ "settings": { "alert_minutes_after_deadline": 5 } }), "alert"),
        (json!({ "settings": { "outside_windows": true, "hold_until_window": true } }), "hold_until_window"),
        (json!({ "settings": { "colour": 5 } }), "body"),
        (json!({ "group": "March" }), "update"),
        (json!({ "update": null }), "update"),
        (json!({ "action": null }), "action"),
        (json!({ "collection": null }), "collection"),
    ] {
        assert_eq!(server.post("deployments", deploy(change.clone())).await.refused(400), code, "{change}");
    }
    let settings = json!({ "outside_windows": true, "grace": true, "alert_below_percent": 90, "detail": "error_only" });
    let made = server.post("deployments", deploy(json!({ "name": "First", "settings": settings }))).await.ok();
    let path = format!("deployments/{}", made["id"]);
    let shown = server.get(&path).await.ok();
    assert_eq!(shown["name"], "First");
    for (key, value) in settings.as_object().expect("an object") {
        assert_eq!(shown["settings"][key], *value, "{key}");
    }
    assert_eq!(shown["settings"]["commit_write_filter"], true);
    let other = json!({ "update": id(3), "collection": "Ring", "action": "detect", "name": "FIRST" });
    assert_eq!(server.post("deployments", other).await.refused(409), "name");
    let other = json!({ "update": id(3), "collection": "Ring", "action": "detect" });
    let other = server.post("deployments", other).await.ok();
    let named = server.get(&format!("deployments/{}", other["id"])).await.ok();
    assert!(named["name"].as_str().expect("text").starts_with("Microsoft Software Updates - 20"), "{named}");

    let changed = server.patch(&path, json!({ "settings": { "grace": false, "metered": true } })).await.ok();
    assert_eq!((&changed["settings"]["grace"], &changed["settings"]["outside_windows"]), (&json!(false), &json!(true)));
    assert_eq!(server.patch(&path, json!({ "deadline": "none" })).await.refused(400), "alert");
    assert_eq!(server.patch(&path, json!({ "action": "uninstall" })).await.refused(400), "action");
    let off = server.patch(&path, json!({ "enabled": false })).await.ok();
    assert_eq!((&off["state"], &off["enabled"]), (&json!("disabled"), &json!(false)));
    let on = server.patch(&path, json!({ "enabled": true })).await.ok();
    assert_eq!(on["state"], "active", "{on}");

    let table = server.get("deployment-settings").await.ok();
    let honoured = |name: &str| {
        let rows = table["items"].as_array().expect("rows");
        rows.iter().find(|row| row["name"] == name).map(|row| row["honoured"].clone())
    };
    assert_eq!(honoured("deadline"), Some(json!("agent")));
    assert_eq!(honoured("hold_until_window"), Some(json!("server")));
    assert_eq!(honoured("wake_on_lan"), Some(json!("stored")));
    server.stop().await;
}

#[tokio::test]
async fn a_template_fills_in_what_is_not_said() {
    let server = with_updates().await;
    let put = |name: &str, body: Value| {
        let path = format!("deployment-templates/{name}");
        let server = &server;
        async move { server.call(Method::PUT, &path, Some(body)).await }
    };
    let weekly = json!({ "action": "install", "collection": "Ring", "deadline": "+7d", "settings": { "grace": true } });
    assert_eq!(put("Weekly", weekly.clone()).await.ok()["template"]["settings"]["grace"], true);
    for (name, body, status, code) in [
        ("T%C3%BCr", json!({}), 400, "name"),
        ("A", json!({ "deadline": "2026-12-01T00:00:00Z" }), 400, "time"),
        ("A", json!({ "action": "detect", "deadline": "+1d" }), 400, "deadline"),
        ("A", json!({ "available": "+3d", "deadline": "+1d" }), 400, "deadline"),
        ("A", json!({ "collection": "Nowhere" }), 404, "not_found"),
        ("A", json!({ "colour": 1 }), 400, "body"),
    ] {
        assert_eq!(put(name, body.clone()).await.refused(status), code, "{body}");
    }
    let made = server.post("deployments", json!({ "update": id(2), "template": "weekly" })).await.ok();
    let shown = server.get(&format!("deployments/{}", made["id"])).await.ok();
    assert_eq!((&shown["action"], &shown["collection"]["name"]), (&json!("install"), &json!("Ring")));
    assert!(shown["deadline"].is_string() && shown["settings"]["grace"] == true, "{shown}");
    let own = json!({ "update": id(3), "template": "Weekly", "collection": "All Computers", "deadline": "none",
        "settings": { "grace": false } });
    let made = server.post("deployments", own).await.ok();
    let shown = server.get(&format!("deployments/{}", made["id"])).await.ok();
    assert_eq!((&shown["deadline"], &shown["settings"]["grace"]), (&Value::Null, &json!(false)));
    let missing = json!({ "update": id(4), "template": "Monthly" });
    assert_eq!(server.post("deployments", missing).await.refused(404), "not_found");
    assert_eq!(server.get("deployment-templates").await.ok()["items"].as_array().expect("rows").len(), 1);
    assert_eq!(server.delete("deployment-templates/Weekly").await.status, 204);
    assert_eq!(server.get("deployment-templates/Weekly").await.refused(404), "not_found");
    server.stop().await;
}

#[tokio::test]
async fn a_simulation_foretells_who_gets_what_and_an_explanation_says_why() {
    let server = with_updates().await;
    let body =
        json!({ "update": id(3), "collection": "Ring", "action": "install", "deadline": "2030-01-01T00:00:00Z" });
    let empty = server.post("deployments/simulation", body.clone()).await.ok();
    assert_eq!((&empty["computers"], &empty["updates"]), (&json!(0), &json!(1)), "{empty}");
    assert!(empty["warnings"].to_string().contains("no computer"), "{empty}");
    assert_eq!(empty["room"]["bytes_to_fetch"], 5, "{empty}");
    let wrong = json!({ "update": id(3), "collection": "Ring", "action": "optional", "deadline": "+3d" });
    assert_eq!(server.post("deployments/simulation", wrong).await.refused(400), "deadline");

    let mut computers = Vec::new();
    for number in 1..=3 {
        let mut agent = ScriptedAgent::new(server.client(), Computer::numbered(number)).expect("agent");
        agent.scan().await.expect("scan");
        agent.report_scan().await.expect("reported");
        computers.push(agent);
    }
    let ring: Vec<String> = computers.iter().take(2).map(|agent| agent.computer.client_id.clone()).collect();
    server.post("collections/Ring/members", json!({ "computers": ring })).await.ok();
    let block = json!({ "update": id(2), "collection": "All Computers", "action": "block" });
    let block = server.post("deployments", block).await.ok();
    let group = json!({ "name": "March", "members": { "updates": [id(2), id(3), id(4)] } });
    server.post("groups", group).await.ok();
    let mut wanted = deploy_group("install");
    wanted["deadline"] = json!("2030-01-01T00:00:00Z");
    let told = server.post("deployments/simulation", wanted.clone()).await.ok();
    assert_eq!((&told["computers"], &told["updates"], &told["changes"]), (&json!(2), &json!(3), &json!(2)), "{told:#}");
    // in the ring the new one is nearer than the block of all computers
    assert_eq!(told["overruled_by"], json!([]), "{told:#}");
    assert_eq!((&told["answers"][0]["answers"], &told["answers"][0]["new"]), (&json!(6), &json!(true)), "{told:#}");
    assert_eq!((&told["needing"], &told["bytes_for_computers"]), (&json!(2), &json!(10)), "{told:#}");
    assert_eq!(told["branches"][0]["collections"][0]["name"], "Ring");
    assert!(
        told["branches"][0]["why"].as_str().expect("text").contains("the new deployment (install in Ring"),
        "{told:#}"
    );
    assert_eq!(told["sample"].as_array().expect("rows").len(), 2);
    let everywhere = json!({ "update": id(2), "collection": "Unassigned Computers", "action": "detect" });
    let weaker = server.post("deployments/simulation", everywhere).await.ok();
    assert_eq!((&weaker["computers"], &weaker["changes"]), (&json!(1), &json!(0)), "{weaker:#}");
    assert_eq!(server.get("deployments").await.ok()["items"].as_array().expect("rows").len(), 1, "nothing was made");

    let made = server.post("deployments", wanted).await.ok();
    for (agent, sent) in computers.iter().zip(["install", "install", "detect"]) {
        let query = format!("deployments/explanation?update={}&computer={}", id(2), agent.computer.client_id);
        let explained = server.get(&query).await.ok();
        assert_eq!(explained["sent"], sent, "{explained:#}");
        let why = explained["why"].as_str().expect("text");
        if sent == "install" {
            assert_eq!(explained["group_deployment"], made["id"]);
            assert!(why.contains("hides deployment") && why.contains("group \"March\""), "{why}");
        } else {
            assert_eq!(explained["deployment"], block["id"]);
            assert!(why.contains("block in All Computers"), "{why}");
        }
    }
    let nobody = format!("deployments/explanation?update={}&computer=nobody", id(3));
    assert_eq!(server.get(&nobody).await.refused(404), "not_found");
    let summary = server.get("compliance/summary?group=March&collection=Ring").await.ok();
    assert_eq!((&summary["computers"], &summary["counts"]["required"]), (&json!(2), &json!(2)), "{summary}");
    let listed = server.get("compliance/updates?group=March").await.ok();
    assert_eq!(listed["items"].as_array().expect("rows").len(), 3);

    // who scanned since a stop has heard of it
    let path = format!("updates/{}/stop", id(4));
    let stop = server.call(Method::PUT, &path, Some(json!({ "reason": "it breaks printing" }))).await.ok();
    let counts = |stop: &Value| ["computers", "heard", "not_yet_heard", "at_risk"].map(|key| stop[key].clone());
    assert_eq!(counts(&stop), [json!(2), json!(0), json!(2), json!(2)], "{stop}");
    let agent = &mut computers[0];
    agent.scan().await.expect("scan");
    assert!(!agent.offered().contains(&weir_model::ids::UpdateIdentity::new(id(4), 1)));
    assert!(agent.offered().contains(&weir_model::ids::UpdateIdentity::new(id(2), 1)), "{:?}", agent.offered());
    agent.report_scan().await.expect("reported");
    let stop = server.get(&path).await.ok();
    assert_eq!(counts(&stop), [json!(2), json!(1), json!(1), json!(1)], "{stop}");
    server.stop().await;
}

#[tokio::test]
async fn a_stopped_update_is_offered_by_nothing() {
    let server = with_updates().await;
    server.post("groups", json!({ "name": "March", "members": { "updates": [id(2), id(4)] } })).await.ok();
    let group = server.post("deployments", deploy_group("install")).await.ok()["id"].clone();
    let own = json!({ "update": id(2), "collection": "All Computers", "action": "optional" });
    let own = server.post("deployments", own).await.ok()["id"].clone();
    let path = format!("updates/{}/stop", id(2));
    let put = |body: Value| server.call(Method::PUT, &path, Some(body));
    assert_eq!(put(json!({ "reason": " " })).await.refused(400), "reason");
    assert_eq!(put(json!({})).await.refused(400), "body");
    assert_eq!(server.get(&path).await.refused(404), "not_found");
    let part = server.call(Method::PUT, &format!("updates/{}/stop", id(7)), Some(json!({ "reason": "x" }))).await;
    assert_eq!(part.refused(409), "not_deployable");
    let stop = put(json!({ "reason": "it breaks printing" })).await.ok();
    assert_eq!((&stop["deployments"], &stop["computers"], &stop["heard"]), (&json!(2), &json!(0), &json!(0)));
    let shown = state(&server, &own).await;
    assert_eq!(
        (&shown["state"], &shown["state_text"]),
        (&json!("not_sent"), &json!("not sent: the update is stopped: it breaks printing"))
    );
    let shown = state(&server, &group).await;
    assert_eq!(shown["members"]["reasons"], json!([{ "reason": "the update is stopped", "updates": 1 }]));
    assert_eq!(shown["members"]["active"], 1);
    let late = json!({ "update": id(2), "collection": "Ring", "action": "install" });
    let late = server.post("deployments", late).await.ok();
    assert!(late["warnings"].to_string().contains("stopped"), "{late}");
    assert_eq!(state(&server, &late["id"]).await["state"], "not_sent");
    assert_eq!(server.get("update-stops").await.ok()["items"][0]["reason"], "it breaks printing");
    assert_eq!(server.delete(&path).await.status, 204);
    for deployment in [&own, &late["id"]] {
        assert_eq!(state(&server, deployment).await["state"], "active");
    }
    assert_eq!(server.delete(&path).await.refused(404), "not_found");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_gets_groups_deployments_with_their_settings_templates_and_stops() {
    let top = with_updates().await;
    top.post(
        "groups",
        json!({ "name": "March", "description": "of the spring", "members": { "updates": [id(2), id(4)] } }),
    )
    .await
    .ok();
    let settings = json!({ "outside_windows": true, "grace": true });
    let mut body = deploy_group("install");
    body["deadline"] = json!("2030-01-01T00:00:00Z");
    body["name"] = json!("March to the ring");
    body["settings"] = settings;
    top.post("deployments", body).await.ok();
    let own = json!({ "update": id(2), "collection": "All Computers", "action": "optional" });
    top.post("deployments", own).await.ok();
    top.call(Method::PUT, "deployment-templates/Weekly", Some(json!({ "action": "install", "deadline": "+7d" })))
        .await
        .ok();
    let child = child_of(&top, "OSLO").await;
    let run = synchronize(&child).await;
    assert_eq!(run["result"], "done", "{run:#}");
    let rows = |list: &Value| list["items"].as_array().expect("rows").clone();
    let list =
        until(&child, "deployments", "both are below", |list| list["items"].as_array().expect("rows").len() == 2).await;
    let group = rows(&list).into_iter().find(|row| !row["group"].is_null()).expect("the group's");
    assert_eq!(group["name"], "March to the ring");
    assert_eq!((&group["settings"]["outside_windows"], &group["settings"]["grace"]), (&json!(true), &json!(true)));
    assert_eq!((&group["origin"], &group["deadline"]), (&json!("parent"), &json!("2030-01-01T00:00:00Z")));
    assert_eq!(active(&child, &group["id"]).await.len(), 2);
    assert_eq!(child.get("groups/March").await.ok()["description"], "of the spring");
    assert_eq!(child.get("deployment-templates/weekly").await.ok()["from_parent"], true);
    assert_eq!(child.delete(&format!("deployments/{}", group["id"])).await.refused(409), "read_only");
    assert_eq!(child.delete("groups/March").await.refused(409), "read_only");

    // another synchronization brings no doubles, and a member that goes is gone below
    top.call(Method::DELETE, "groups/March/members", Some(json!({ "updates": [id(2)] }))).await.ok();
    let run = synchronize(&child).await;
    assert_eq!(run["result"], "done", "{run:#}");
    let path = format!("deployments/{}/members", group["id"]);
    until(&child, &path, "one is left", |list| list["items"].as_array().expect("rows").len() == 1).await;
    assert_eq!(rows(&child.get("deployments").await.ok()).len(), 2);

    let stop = format!("updates/{}/stop", id(2));
    top.call(Method::PUT, &stop, Some(json!({ "reason": "it breaks printing" }))).await.ok();
    until(&child, "update-stops", "stopped below", |list| !rows(list).is_empty()).await;
    let of_update = child.get(&format!("deployments?update={}", id(2))).await.ok();
    assert_eq!(of_update["items"][0]["state"], "not_sent", "{of_update}");
    assert_eq!(child.delete(&stop).await.refused(409), "read_only");
    top.delete(&stop).await;
    until(&child, "update-stops", "resumed below", |list| rows(list).is_empty()).await;

    top.delete("groups/March?force=true").await;
    until(&child, "groups", "the group is gone", |list| rows(list).is_empty()).await;
    assert_eq!(rows(&child.get("deployments").await.ok()).len(), 1);
    child.stop().await;
    top.stop().await;
}
