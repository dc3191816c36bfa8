//! Clean-up: what is superseded is declined, what nobody needs is removed, and computers never notice.

use std::{collections::BTreeSet, time::Duration};

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use weir_model::ids::UpdateId;
use weir_store::{Actor, Store};
use weir_testkit::{Computer, Document, ScriptedAgent, engine, upstream::Upstream};

use crate::{
    harness::{self, Server, id},
    sync::{below, choose, served, synchronize, until, update},
};

fn made(number: u128, title: &str, days_ago: i64) -> Document {
    let at = Timestamp::now() - SignedDuration::from_hours(24 * days_ago);
    Document::software(id(number), 1).title(title).property("CreationDate", &at.to_string())
}

async fn set(server: &Server, key: &str, value: Value) {
    server.call(Method::PUT, &format!("settings/{key}"), Some(json!({ "value": value }))).await.ok();
}

async fn run(server: &Server) -> Value {
    let started = server.post("cleanup/runs", json!({})).await.ok();
    let path = format!("cleanup/runs/{}", started["id"].as_str().expect("an id"));
    until(server, &path, "over", |run| !run["ended_at"].is_null()).await
}

async fn is_declined(server: &Server, number: u128) -> bool {
    server.get(&format!("updates/{}", id(number))).await.ok()["declined"] == true
}

/// Declines in the past, while no server works on the folder.
fn decline_before(data: &TempDir, updates: &[UpdateId], days: i64) {
    let begun = std::time::Instant::now();
    let store = loop {
        // units of work of the server that has just stopped may still hold it
        match Store::open(data.path(), &harness::store(data.path())) {
            Ok(store) => break store,
            Err(error) => assert!(begun.elapsed() < Duration::from_mins(1), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let then = Timestamp::now() - SignedDuration::from_hours(24 * days);
    store
        .write(&Actor::system("test", then), |tx| updates.iter().try_for_each(|id| tx.update_decline(*id).map(drop)))
        .expect("declines");
}

#[tokio::test]
async fn what_is_superseded_is_shown_first_and_declined_when_it_is_switched_on() {
    let server = Server::start().await;
    server
        .import_documents(&[
            made(10, "Old", 400),
            made(11, "Deployed", 400),
            made(12, "Recent", 400),
            made(20, "New", 200).supersedes(id(10)).supersedes(id(11)),
            made(21, "Newest", 10).supersedes(id(12)),
        ])
        .await;
    let deployment = json!({ "update": id(11), "collection": "All Computers", "action": "install" });
    server.post("deployments", deployment).await.ok();
    let shown = server.get("cleanup").await.ok();
    assert_eq!(shown["rules"]["superseded"], "off");
    assert!(shown["next_step"].as_str().expect("a step").contains("preview"), "{shown}");
    assert_eq!(run(&server).await["counts"]["declined"], 0, "off until it is switched on");

    let preview = server.get("cleanup/preview?superseded=months:3").await.ok();
    assert_eq!((&preview["declines"], &preview["revisions"], &preview["kept"]), (&json!(1), &json!(0), &json!(2)));
    let items = preview["items"].as_array().expect("items");
    let of = |number: u128| items.iter().find(|item| item["id"] == json!(id(number))).expect("listed");
    assert_eq!((&of(10)["action"], &of(10)["other"]["name"]), (&json!("decline"), &json!("New")));
    assert!(of(11)["reason"].as_str().expect("why").contains("All Computers"), "{}", of(11));
    assert!(of(12)["reason"].as_str().expect("why").contains("at the earliest"), "{}", of(12));
    let only = server.get("cleanup/preview?superseded=months:3&action=keep&limit=1").await.ok();
    assert_eq!((only["items"].as_array().expect("items").len(), &only["next"]), (1, &json!("1")));
    let rest = server.get("cleanup/preview?superseded=months:3&action=keep&limit=1&cursor=1").await.ok();
    assert_eq!((rest["items"].as_array().expect("items").len(), &rest["next"]), (1, &Value::Null));
    assert!(!is_declined(&server, 10).await, "a preview changes nothing");
    for (query, code) in [
        ("superseded=months:0", "rule"),
        ("superseded_features=now", "rule"),
        ("expired_days=9999", "rule"),
        ("cursor=x", "cursor"),
        ("limit=0", "limit"),
        ("colour=red", "query"),
    ] {
        assert_eq!(server.get(&format!("cleanup/preview?{query}")).await.refused(400), code, "{query}");
    }
    let wrong = server.call(Method::PUT, "settings/cleanup.superseded", Some(json!({ "value": "soon" }))).await;
    assert_eq!(wrong.refused(400), "setting_value");

    // the setting alone makes it happen
    set(&server, "cleanup.superseded", json!("months:3")).await;
    let path = format!("updates/{}", id(10));
    until(&server, &path, "declined", |update| update["declined"] == true).await;
    let history = until(&server, "cleanup/runs", "over", |runs| runs["items"][0]["state"] == "done").await;
    let counts = &history["items"][0]["counts"];
    assert_eq!((&counts["processed"], &counts["declined"]), (&json!(5), &json!(1)), "{history:#}");
    assert!(!is_declined(&server, 11).await && !is_declined(&server, 12).await);
    let again = run(&server).await;
    assert_eq!((&again["counts"]["declined"], &again["counts"]["revisions"]), (&json!(0), &json!(0)));
    let audit = server.get("audit").await.ok();
    let declined = audit["items"].as_array().expect("items").iter().find(|row| row["action"] == "update.decline");
    let detail = declined.expect("audited")["detail"].as_str().expect("detail");
    assert!(detail.contains("\"superseded_by_title\":\"New\""), "{detail}");

    // an administrator's word is last
    server.post(&format!("{path}/undecline"), json!({})).await.ok();
    assert_eq!(run(&server).await["counts"]["declined"], 0);
    assert!(!is_declined(&server, 10).await);
    // what replaces it is deployed as well
    let deployment = json!({ "update": id(20), "collection": "All Computers", "action": "install" });
    server.post("deployments", deployment).await.ok();
    assert_eq!(run(&server).await["counts"]["declined"], 1);
    assert!(is_declined(&server, 11).await);
    server.stop().await;
}

/// Everything that a computer knows after a scan.
async fn scanned(agent: &mut ScriptedAgent) -> BTreeSet<i32> {
    agent.scan().await.expect("a scan during clean-up never fails");
    agent.state.cache.keys().copied().collect()
}

#[tokio::test]
async fn what_was_declined_long_ago_is_removed_while_computers_scan() {
    const DECLINED: u128 = 300;
    let server = Server::start().await;
    let bundle = |number: u128| {
        Document::software(id(1_000 + number), 1)
            .title("Set")
            .bundles([Document::member(id(2_000 + number), 1).identity()])
    };
    let mut documents =
        vec![Document::detectoid(id(1), 1), Document::software(id(2), 1).title("Stays").requires(id(1))];
    for number in 0..DECLINED {
        documents.push(Document::member(id(2_000 + number), 1).title("Part").rules_of_size(4_000));
        documents.push(bundle(number));
    }
    // a part that another bundle has, too
    documents.push(Document::software(id(3), 1).title("Kept set").bundles([Document::member(id(2_000), 1).identity()]));
    server.import_documents(&documents).await;
    let deployed = json!({ "update": id(1_001), "collection": "All Computers", "action": "install" });
    server.post("deployments", deployed).await.ok();
    let data = server.stop().await;
    let declined: Vec<UpdateId> = (0..DECLINED).map(|number| id(1_000 + number)).collect();
    decline_before(&data, &declined, 40);

    let server = Server::start_in(data).await;
    let mut agent = ScriptedAgent::new(server.client(), Computer::numbered(1)).expect("agent");
    let done = loop {
        scanned(&mut agent).await;
        let runs = server.get("cleanup/runs").await.ok();
        if runs["items"][0]["state"] == "done" {
            break runs["items"][0].clone();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    // all bundles but the deployed one, and all parts but that one's and the shared one
    let counts = &done["counts"];
    assert_eq!(counts["updates"], 2 * DECLINED as u64 - 3, "{done:#}");
    assert_eq!(counts["revisions"], counts["updates"], "{done:#}");
    assert!(counts["bytes"].as_u64().expect("bytes") > 100_000, "{done:#}");
    scanned(&mut agent).await;
    for (number, is_here) in [(1_000, false), (1_001, true), (2_000, true), (2_001, true), (2_002, false), (3, true)] {
        let status = server.get(&format!("updates/{}", id(number))).await.status.as_u16();
        assert_eq!(status == 200, is_here, "{number}: {status}");
    }
    let removed = server.get("cleanup/removed?limit=1000").await.ok();
    assert_eq!(removed["items"].as_array().expect("items").len() as u64, 2 * DECLINED as u64 - 3);
    let titles: BTreeSet<&str> =
        removed["items"].as_array().expect("items").iter().filter_map(|row| row["title"].as_str()).collect();
    assert_eq!(titles, BTreeSet::from(["Part", "Set"]));
    let preview = server.get("cleanup/preview").await.ok();
    assert_eq!((&preview["declines"], &preview["revisions"]), (&json!(0), &json!(0)), "nothing is left: {preview:#}");
    let kept = preview["items"].as_array().expect("items").iter().find(|item| item["id"] == json!(id(1_001)));
    assert!(kept.expect("flagged")["reason"].as_str().expect("why").contains("deployed"), "{preview:#}");
    // a new computer sees what is left, and only that
    let mut fresh = ScriptedAgent::new(server.client(), Computer::numbered(2)).expect("agent");
    assert_eq!(scanned(&mut fresh).await, scanned(&mut agent).await);
    let shown = server.get("cleanup").await.ok();
    // PostgreSQL uses again what is free, and gives nothing back
    let gives_back = json!(!engine::is_postgres());
    assert_eq!((&shown["last"]["state"], &shown["can_give_back"]), (&json!("done"), &gives_back));
    server.stop().await;
}

#[tokio::test]
async fn what_was_removed_stays_away_until_its_decline_is_taken_back() {
    let upstream = Upstream::start(served([update(10, 1, "Unwanted"), update(11, 1, "Wanted")]));
    let server = below(&upstream).await;
    synchronize(&server).await;
    choose(&server).await;
    synchronize(&server).await;
    let data = server.stop().await;
    decline_before(&data, &[id(10)], 31);
    let server = Server::start_in(data).await;
    let path = format!("updates/{}", id(10));
    until(&server, "cleanup/removed", "removed", |list| list["items"][0]["id"] == json!(id(10))).await;
    assert_eq!(server.get(&path).await.refused(404), "not_found");
    // the whole list names it again
    let full = server.post("sync", json!({ "full": true })).await.ok();
    let run = format!("sync/runs/{}", full["run"]["id"].as_str().expect("an id"));
    let ended = until(&server, &run, "over", |run| !run["ended_at"].is_null()).await;
    assert_eq!((&ended["result"], &ended["added"]), (&json!("done"), &json!(0)), "{ended:#}");
    assert_eq!(server.get(&path).await.refused(404), "not_found");

    let change = json!({ "ids": [id(10)], "declined": false });
    let changed = server.post("updates-change", change).await.ok();
    assert_eq!((&changed["changed"], &changed["samples"][0]["name"]), (&json!(1), &json!("Unwanted")));
    let ended = synchronize(&server).await;
    assert_eq!(ended["added"], 1, "{ended:#}");
    assert_eq!(server.get(&path).await.ok()["declined"], false);
    assert_eq!(server.get("cleanup/removed").await.ok()["items"], json!([]));
    server.stop().await;
}
