//! Criteria: rules by which updates are skipped or declined.

use reqwest::Method;
use serde_json::{Value, json};
use weir_testkit::{Document, Payload, upstream::Upstream};

use crate::{
    harness::{Server, id},
    sync::{below, choose, synchronize, update},
};

async fn add(server: &Server, rule: Value) -> Value {
    server.post("criteria", rule).await.ok()
}

async fn declined(server: &Server, number: u128) -> Value {
    server.get(&format!("updates/{}", id(number))).await.ok()["declined"].clone()
}

#[tokio::test]
async fn rules_are_kept_shown_and_refused_in_words() {
    let server = Server::start().await;
    assert_eq!(server.get("criteria").await.ok(), json!({ "items": [], "next": null }));
    let rule = json!({ "name": "Itanium", "action": "skip", "condition": { "architectures": ["ia64"] } });
    let added = add(&server, rule.clone()).await;
    assert_eq!(added["description"], "Skip what is made for ia64 only");
    assert_eq!(server.post("criteria", rule).await.refused(409), "exists");
    for (condition, part) in [
        (json!({}), "asks for nothing"),
        (json!({ "architectures": ["pdp11"] }), "pdp11"),
        (json!({ "editions": ["deluxe"] }), "deluxe"),
        (json!({ "titles": ["***"] }), "***"),
        (json!({ "older_than_days": 99_999 }), "99999"),
    ] {
        let refused =
            server.post("criteria", json!({ "name": "New", "action": "decline", "condition": condition })).await;
        assert_eq!(refused.refused(400), "rule");
        assert!(refused.body["detail"].as_str().expect("detail").contains(part), "{}", refused.body);
    }
    let nowhere = json!({ "name": "New", "action": "decline", "condition": { "classifications": ["Nothing"] } });
    assert_eq!(server.post("criteria", nowhere).await.refused(404), "not_found");
    let unknown = json!({ "name": "New", "action": "decline", "condition": { "colour": "red" } });
    assert_eq!(server.post("criteria", unknown).await.refused(400), "body");

    let change = json!({ "name": "Old machines", "enabled": false, "add_except": ["KB5001"] });
    let changed = server.patch("criteria/itanium", change).await.ok();
    assert_eq!(changed["description"], "Skip what is made for ia64 only, and is not KB5001 (switched off)");
    assert_eq!(changed["id"], added["id"]);
    assert_eq!(server.get("criteria/Itanium").await.refused(404), "not_found");
    assert_eq!(server.get("criteria/OLD%20MACHINES").await.ok(), changed);
    assert_eq!(server.call(Method::POST, "criteria/Old%20machines/apply", None).await.refused(409), "not_applicable");
    server.delete("criteria/Old%20machines").await;
    assert_eq!(server.get("criteria").await.ok()["items"], json!([]));
    let audit = server.get("audit").await.ok();
    let actions: Vec<&str> =
        audit["items"].as_array().expect("items").iter().filter_map(|row| row["action"].as_str()).collect();
    assert_eq!(actions[..3], ["criteria.remove", "criteria.change", "criteria.add"]);
    server.stop().await;
}

#[tokio::test]
async fn what_comes_is_skipped_or_declined_and_members_follow() {
    let bundle = |number: u128, title: &str, member: u128| {
        let member = Document::member(id(member), 1).identity();
        update(number, 1, title).bundles([member])
    };
    let upstream = Upstream::start(crate::sync::served([
        update(10, 1, "Update for x64-based Systems"),
        bundle(11, "Update for Itanium-based Systems", 111),
        Document::member(id(111), 1),
        update(12, 1, "Cumulative Update Preview"),
        bundle(13, "Rollup for x64-based Systems", 113),
        Document::member(id(113), 1),
    ]));
    let server = below(&upstream).await;
    synchronize(&server).await;
    choose(&server).await;
    add(&server, json!({ "name": "Itanium", "action": "skip", "condition": { "architectures": ["ia64"] } })).await;
    add(&server, json!({ "name": "Previews", "action": "decline", "condition": { "preview": true } })).await;
    let run = synchronize(&server).await;
    assert_eq!(run["result"], "done", "{run:#}");
    assert_eq!(run["declined"], 1, "{run:#}");
    assert!(run["skipped"].as_u64().expect("a count") >= 1, "{run:#}");
    for absent in [11, 111] {
        assert_eq!(server.get(&format!("updates/{}", id(absent))).await.refused(404), "not_found", "{absent}");
    }
    for present in [10, 13, 113] {
        assert_eq!(declined(&server, present).await, false, "{present}");
    }
    assert_eq!(declined(&server, 12).await, true);

    // an administrator's word is last
    server.post(&format!("updates/{}/undecline", id(12)), json!({})).await.ok();
    upstream.change(|served| served.add(&update(12, 2, "Cumulative Update Preview")));
    synchronize(&server).await;
    assert_eq!(declined(&server, 12).await, false);
    let applied = server.call(Method::POST, "criteria/Previews/apply", None).await.ok();
    assert_eq!(applied, json!({ "declined": 0, "before": 0, "taken_back": 1 }));
    server.stop().await;
}

#[tokio::test]
async fn what_becomes_superseded_is_declined_by_the_next_run() {
    let upstream = Upstream::start(crate::sync::served([update(10, 1, "Old")]));
    let server = below(&upstream).await;
    synchronize(&server).await;
    choose(&server).await;
    add(&server, json!({ "name": "Superseded", "action": "decline", "condition": { "superseded_for_days": 0 } })).await;
    synchronize(&server).await;
    assert_eq!(declined(&server, 10).await, false);
    upstream.change(|served| served.add(&update(11, 1, "New").supersedes(id(10))));
    let run = synchronize(&server).await;
    assert_eq!(run["declined"], 1, "{run:#}");
    assert_eq!((declined(&server, 10).await, declined(&server, 11).await), (json!(true), json!(false)));
    server.stop().await;
}

#[tokio::test]
async fn a_preview_counts_updates_and_bytes_and_changes_nothing() {
    let server = Server::start().await;
    let (small, large) = (Payload::new("small.cab", vec![1; 100]), Payload::new("large.cab", vec![2; 5_000]));
    let shared = Document::member(id(20), 1).file(&small);
    server
        .import_documents(&[
            Document::software(id(10), 1).title("Beta one").file(&large).bundles([shared.identity()]),
            Document::software(id(11), 1).title("Beta two").bundles([shared.identity()]),
            Document::software(id(12), 1).title("Final"),
            shared,
        ])
        .await;
    let rule = json!({ "name": "Beta", "action": "decline", "condition": { "titles": ["beta*"] } });
    let preview = server.post("criteria-preview", rule.clone()).await.ok();
    assert_eq!((&preview["looked_at"], &preview["matched"]), (&json!(3), &json!(2)), "{preview:#}");
    assert_eq!((&preview["files"], &preview["bytes"]), (&json!(2), &json!(5_100)), "a shared file counts once");
    assert_eq!(preview["bytes_here"], 0);
    let titles: Vec<&str> =
        preview["samples"].as_array().expect("samples").iter().filter_map(|row| row["title"].as_str()).collect();
    assert_eq!(titles, ["Beta one", "Beta two"]);
    assert_eq!(server.get("criteria").await.ok()["items"], json!([]));
    assert_eq!(declined(&server, 10).await, false);

    add(&server, rule).await;
    assert_eq!(declined(&server, 10).await, false, "a rule acts on what is here when it is told to");
    let applied = server.call(Method::POST, "criteria/beta/apply", None).await.ok();
    assert_eq!(applied, json!({ "declined": 2, "before": 0, "taken_back": 0 }));
    assert_eq!((declined(&server, 10).await, declined(&server, 12).await), (json!(true), json!(false)));
    let again = server.call(Method::POST, "criteria/beta/apply", None).await.ok();
    assert_eq!(again, json!({ "declined": 0, "before": 2, "taken_back": 0 }));
    let stored = server.get("criteria/beta/preview").await.ok();
    assert_eq!((&stored["matched"], &stored["declined"]), (&json!(2), &json!(2)));
    server.stop().await;
}
