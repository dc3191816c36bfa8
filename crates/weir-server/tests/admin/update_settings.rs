//! Maximum run times, severities, licences, and updates that are fetched by name.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;
use weir_model::{ids::UpdateId, update::CategoryKind};
use weir_testkit::{Document, Payload, upstream::Upstream};

use crate::{
    harness::{Server, id},
    sync::{below, choose, served, synchronize, until, update},
};

const UPGRADES: UpdateId = UpdateId(uuid::uuid!("3689bdc8-b205-4af4-8d4a-a63924c5e9d5"));

async fn with_updates() -> Server {
    let server = Server::start().await;
    server
        .import_documents(&[
            Document::category(id(1), 1, CategoryKind::Product).title("Windows 11"),
            Document::category(id(2), 1, CategoryKind::Product).title("Hammer 2000"),
            Document::category(UPGRADES, 1, CategoryKind::UpdateClassification).title("Upgrades"),
            Document::software(id(10), 1).title("Windows fix").in_category(id(1)),
            Document::software(id(11), 1).title("Hammer fix").in_category(id(2)),
            Document::software(id(12), 1).title("Feature update").in_category(id(1)).in_category(UPGRADES),
        ])
        .await;
    server
}

async fn show(server: &Server, number: u128) -> Value {
    server.get(&format!("updates/{}", id(number))).await.ok()
}

#[tokio::test]
async fn updates_get_the_run_time_that_holds_when_they_arrive() {
    let server = with_updates().await;
    for (number, minutes) in [(10, 60), (11, 60), (12, 120)] {
        let shown = show(&server, number).await;
        assert_eq!((&shown["max_run_time_minutes"], &shown["run_time_set"]), (&json!(minutes), &json!(false)));
    }
    for (key, minutes) in [("updates.run_time_windows", 45), ("updates.run_time_other", 20)] {
        server.call(Method::PUT, &format!("settings/{key}"), Some(json!({ "value": minutes }))).await.ok();
    }
    let wrong = server.call(Method::PUT, "settings/updates.run_time_other", Some(json!({ "value": 4 }))).await;
    assert_eq!(wrong.refused(400), "setting_value");
    server
        .import_documents(&[
            Document::software(id(10), 2).title("Windows fix").in_category(id(1)),
            Document::software(id(13), 1).title("New Windows fix").in_category(id(1)),
            Document::software(id(14), 1).title("New hammer fix").in_category(id(2)),
        ])
        .await;
    for (number, minutes) in [(10, 60), (11, 60), (12, 120), (13, 45), (14, 20)] {
        assert_eq!(show(&server, number).await["max_run_time_minutes"], minutes, "{number}: those here keep theirs");
    }
    server.stop().await;
}

#[tokio::test]
async fn many_updates_are_changed_at_once_or_none() {
    let server = with_updates().await;
    let both = json!({ "ids": [id(10), id(11)], "run_time_minutes": 30, "custom_severity": "Important" });
    let mut preview = both.clone();
    preview["preview"] = json!(true);
    let shown = server.post("updates-change", preview).await.ok();
    assert_eq!((&shown["matched"], &shown["changed"], &shown["preview"]), (&json!(2), &json!(2), &json!(true)));
    assert_eq!(show(&server, 10).await["max_run_time_minutes"], 60, "a preview changes nothing");
    assert_eq!(server.post("updates-change", both.clone()).await.ok()["changed"], 2);
    assert_eq!(server.post("updates-change", both).await.ok()["changed"], 0);
    let shown = show(&server, 10).await;
    assert_eq!((&shown["max_run_time_minutes"], &shown["custom_severity"]), (&json!(30), &json!("important")));
    assert_eq!(shown["run_time_set"], true);

    let filter = json!({ "filter": "title ~ \"fix\"", "default_run_time": true, "custom_severity": "none" });
    assert_eq!(server.post("updates-change", filter).await.ok()["changed"], 2);
    let shown = show(&server, 11).await;
    assert_eq!((&shown["max_run_time_minutes"], &shown["custom_severity"]), (&json!(60), &Value::Null));

    let declined = json!({ "filter": "type = software", "declined": true });
    assert_eq!(server.post("updates-change", declined).await.ok()["changed"], 3);
    assert_eq!(show(&server, 12).await["declined"], true);
    let undeclined = json!({ "ids": [id(12)], "declined": false });
    assert_eq!(server.post("updates-change", undeclined).await.ok()["samples"][0]["name"], "Feature update");

    for (change, status, code) in [
        (json!({ "ids": [id(10)] }), 400, "change"),
        (json!({ "declined": true }), 400, "ids"),
        (json!({ "ids": [id(10)], "filter": "declined", "declined": true }), 400, "ids"),
        (json!({ "ids": [id(10)], "run_time_minutes": 4 }), 400, "run_time_minutes"),
        (json!({ "ids": [id(10)], "run_time_minutes": 10_000 }), 400, "run_time_minutes"),
        (json!({ "ids": [id(10)], "run_time_minutes": 30, "default_run_time": true }), 400, "run_time_minutes"),
        (json!({ "ids": [id(10)], "custom_severity": "severe" }), 400, "custom_severity"),
        (json!({ "ids": [id(10)], "superseded_for_days": 9_999, "declined": true }), 400, "superseded_for_days"),
        (json!({ "filter": "colour = red", "declined": true }), 400, "filter"),
        (json!({ "ids": [id(10)], "colour": "red", "declined": true }), 400, "body"),
        (json!({ "ids": [id(10), id(99)], "custom_severity": "low" }), 404, "not_found"),
    ] {
        assert_eq!(server.post("updates-change", change.clone()).await.refused(status), code, "{change}");
    }
    assert_eq!(show(&server, 10).await["custom_severity"], Value::Null, "what is refused is not half done");
    server.stop().await;
}

#[tokio::test]
async fn what_others_need_is_not_declined() {
    let server = Server::start().await;
    server
        .import_documents(&[
            Document::category(id(1), 1, CategoryKind::Product).title("Fix tools"),
            Document::detectoid(id(2), 1).title("Fix for x64"),
            Document::software(id(10), 1).title("One fix").in_category(id(1)).requires(id(2)),
            Document::software(id(11), 1).title("Other fix").requires(id(2)),
        ])
        .await;
    let change = json!({ "filter": "title ~ fix", "declined": true });
    let mut preview = change.clone();
    preview["preview"] = json!(true);
    for asked in [preview, change] {
        let done = server.post("updates-change", asked).await.ok();
        let counts = ["matched", "changed", "left_out"].map(|key| done[key].clone());
        assert_eq!(counts, [json!(2), json!(2), json!(2)], "{done}");
    }
    for (number, declined) in [(1, false), (2, false), (10, true), (11, true)] {
        assert_eq!(show(&server, number).await["declined"], declined, "{number}");
    }
    for number in [1, 2] {
        let alone = server.post(&format!("updates/{}/decline", id(number)), json!({})).await;
        let named = server.post("updates-change", json!({ "ids": [id(10), id(number)], "declined": true })).await;
        for refused in [alone, named] {
            assert_eq!(refused.refused(409), "needed");
            let needed = if number == 1 { "cut off 1 updates" } else { "cut off 2 updates" };
            assert!(refused.body["detail"].as_str().expect("text").contains(needed), "{}", refused.body);
        }
        // what an older version declined can be taken back
        server.post(&format!("updates/{}/undecline", id(number)), json!({})).await.ok();
    }
    let back = server.post("updates-change", json!({ "filter": "title ~ fix", "declined": false })).await.ok();
    assert_eq!((&back["matched"], &back["changed"], &back["left_out"]), (&json!(4), &json!(2), &json!(0)), "{back}");
    server.stop().await;
}

#[tokio::test]
async fn superseded_updates_are_declined_in_bulk() {
    let server = Server::start().await;
    server
        .import_documents(&[
            Document::software(id(10), 1).title("Old"),
            Document::software(id(11), 1).title("Other"),
            Document::software(id(20), 1)
                .title("New")
                .property("CreationDate", "2020-01-01T00:00:00Z")
                .supersedes(id(10)),
        ])
        .await;
    let change = |days: u32| json!({ "superseded_for_days": days, "declined": true });
    assert_eq!(server.post("updates-change", change(3_650)).await.ok()["matched"], 0);
    let done = server.post("updates-change", change(90)).await.ok();
    assert_eq!((&done["matched"], &done["samples"][0]["name"]), (&json!(1), &json!("Old")));
    assert_eq!(show(&server, 11).await["declined"], false);
    server.stop().await;
}

#[tokio::test]
async fn licences_are_listed_read_and_accepted() {
    let server = Server::start().await;
    let text = Payload::new("eula.txt", *b"You agree.");
    let licence = Uuid::from_u128(77);
    server
        .import_documents(&[
            Document::software(id(10), 1).title("Licensed").eula(licence, "en", None, &text),
            Document::software(id(11), 1).title("Also licensed").eula(licence, "en", None, &text),
            Document::software(id(12), 1).title("Free"),
        ])
        .await;
    let list = server.get("updates-licences").await.ok();
    assert_eq!(list["items"].as_array().expect("items").len(), 2, "{list}");
    let path = format!("updates/{}/eula", id(10));
    let shown = server.get(&path).await.ok();
    assert_eq!(
        (&shown["accepted"], &shown["text"], &shown["languages"]),
        (&json!(false), &Value::Null, &json!(["en"]))
    );
    assert!(shown["next_step"].as_str().expect("a step").contains("not here yet"), "{shown}");
    server.upload("content", &[("eula.txt", b"You agree.")]).await.ok();
    assert_eq!(server.get(&path).await.ok()["text"], "You agree.");
    let accepted = server.call(Method::POST, &path, None).await.ok();
    assert_eq!((&accepted["accepted"], &accepted["next_step"]), (&json!(true), &Value::Null));
    assert_eq!(server.get("updates-licences").await.ok()["items"], json!([]));
    assert_eq!(show(&server, 11).await["eula"]["accepted"], true, "updates share licences");
    assert_eq!(server.get(&format!("updates/{}/eula", id(12))).await.refused(404), "not_found");
    server.stop().await;
}

#[tokio::test]
async fn an_update_is_fetched_by_name_and_stays() {
    let foreign = |number: u128, title: &str| Document::software(id(number), 3).title(title);
    let member = Document::member(id(31), 1).title("Part");
    let upstream = Upstream::start(served([
        update(10, 1, "Chosen"),
        foreign(30, "Named preview").requires(id(32)).bundles([member.identity()]),
        member,
        foreign(32, "Needed first"),
        foreign(33, "Not named"),
    ]));
    let server = Server::start().await;
    let fetch = |names: Value| json!({ "updates": names });
    assert_eq!(server.post("updates-fetch", fetch(json!([id(30)]))).await.refused(409), "no_source");
    server.stop().await;
    let server = below(&upstream).await;
    for (names, code) in
        [(json!([]), "updates"), (json!(["x"]), "update"), (json!([format!("{}@x", id(30))]), "update")]
    {
        assert_eq!(server.post("updates-fetch", fetch(names)).await.refused(400), code);
    }
    synchronize(&server).await;
    choose(&server).await;
    let rule = json!({ "name": "Previews", "action": "decline", "condition": { "titles": ["*preview*"] } });
    server.post("criteria", rule).await.ok();
    let fetched = async |names: Value| {
        let started = server.post("updates-fetch", fetch(names)).await.ok();
        let path = format!("sync/runs/{}", started["run"]["id"].as_str().expect("an id"));
        until(&server, &path, "over", |run| !run["ended_at"].is_null()).await
    };
    let run = fetched(json!([id(30)])).await;
    assert_eq!((&run["result"], &run["added"]), (&json!("done"), &json!(3)), "{run:#}");
    for (number, status) in [(30, 200), (31, 200), (32, 200), (33, 404), (10, 404)] {
        assert_eq!(server.get(&format!("updates/{}", id(number))).await.status.as_u16(), status, "{number}");
    }
    assert_eq!(show(&server, 30).await["unresolved"], false);
    // a synchronization brings what is chosen, and no rule touches what was named
    let run = synchronize(&server).await;
    assert_eq!((&run["result"], &run["added"]), (&json!("done"), &json!(1)), "{run:#}");
    assert_eq!(show(&server, 30).await["declined"], false);
    let run = fetched(json!([format!("{}@9", id(33)), id(98)])).await;
    assert_eq!((&run["state"], &run["error"]["code"]), (&json!("failed"), &json!("not_there")), "{run:#}");
    let run = fetched(json!([format!("{}@3", id(33))])).await;
    assert_eq!(run["added"], 1, "{run:#}");
    server.stop().await;
}

#[tokio::test]
async fn what_names_no_file_to_install_is_reported_on_and_not_deployed() {
    let server = Server::start().await;
    let with_file = Document::software(id(10), 1).title("Metadata only").file(&Payload::new("a.exe", *b"a"));
    let text = with_file.to_xml();
    let files = (text.find("<upd:Files>").expect("files"), text.find("</upd:Files>").expect("files") + 12);
    let without = format!("{}{}", &text[..files.0], &text[files.1..]);
    server.import(&[("document.xml", without.as_bytes())]).await;
    assert_eq!(show(&server, 10).await["metadata_only"], true);
    let deploy = |action: &str| json!({ "update": id(10), "collection": "All Computers", "action": action });
    assert_eq!(server.post("deployments", deploy("install")).await.refused(409), "metadata_only");
    assert_eq!(server.post("deployments", deploy("optional")).await.refused(409), "metadata_only");
    server.post("deployments", deploy("detect")).await.ok();

    // nor by a group, whether it is in there before or comes later, nor by a rule
    server.post("groups", json!({ "name": "March", "members": { "updates": [id(10)] } })).await.ok();
    let group = |action: &str| json!({ "group": "March", "collection": "Unassigned Computers", "action": action });
    let refused = server.post("deployments", group("install")).await;
    assert_eq!(refused.refused(409), "metadata_only");
    assert!(refused.body["detail"].as_str().expect("text").contains(&id(10).to_string()), "{}", refused.body);
    let deployed = server.post("deployments", group("detect")).await.ok()["id"].clone();
    let change = json!({ "action": "install" });
    assert_eq!(server.patch(&format!("deployments/{deployed}"), change).await.refused(409), "metadata_only");
    let only = json!({ "updates": [id(10)] });
    server.call(Method::DELETE, "groups/March/members", Some(only.clone())).await.ok();
    server.patch(&format!("deployments/{deployed}"), json!({ "action": "install" })).await.ok();
    assert_eq!(server.post("groups/March/members", only).await.refused(409), "metadata_only");
    let rule = json!({ "name": "All", "criteria": "title ~ metadata",
        "deployments": [{ "collection": "All Computers", "action": "install" }] });
    let preview = server.post("rules/preview", json!({ "rule": rule })).await.ok();
    assert_eq!(preview["matched"], 0, "{preview:#}");
    let reason = preview["rejected"][0]["reason"].as_str().expect("a reason");
    assert!(reason.contains("only its metadata is here"), "{reason}");
    server.stop().await;
}
