//! Synchronization: runs, their states, what starts them. The upstream server is scripted.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use weir_model::{ids::UpdateId, update::CategoryKind};
use weir_testkit::{
    Document,
    upstream::{At, Served, Trouble, Upstream},
};
use weir_wire::wsss::Operation;

use crate::harness::{Server, id};

pub(crate) const FAMILY: u128 = 1;
pub(crate) const PRODUCT: u128 = 2;
pub(crate) const CLASSIFICATION: u128 = 3;

/// An update of the one product and the one classification.
pub(crate) fn update(number: u128, revision: u32, title: &str) -> Document {
    Document::software(id(number), revision).title(title).in_category(id(PRODUCT)).in_category(id(CLASSIFICATION))
}

/// A family with a product, a classification, and these updates.
pub(crate) fn served(updates: impl IntoIterator<Item = Document>) -> Served {
    let categories = [
        Document::category(id(FAMILY), 1, CategoryKind::ProductFamily).title("Family"),
        Document::category(id(PRODUCT), 1, CategoryKind::Product).title("Product").in_category(id(FAMILY)),
        Document::category(id(CLASSIFICATION), 1, CategoryKind::UpdateClassification).title("Updates"),
    ];
    Served::new().with(categories.into_iter().chain(updates))
}

/// A server whose source this is.
pub(crate) async fn below(upstream: &Upstream) -> Server {
    let server = Server::start().await;
    source(&server, &upstream.url()).await;
    server
}

async fn source(server: &Server, url: &str) {
    server.call(Method::PUT, "settings/source", Some(json!({ "value": url }))).await.ok();
}

pub(crate) async fn choose(server: &Server) {
    let family: UpdateId = id(FAMILY);
    server.call(Method::PUT, "products", Some(json!({ "ids": [family.to_string()] }))).await.ok();
    server.call(Method::PUT, "classifications", Some(json!({ "all": true }))).await.ok();
}

/// Asks until something is so.
pub(crate) async fn until(server: &Server, path: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let now = server.get(path).await.ok();
        if is(&now) {
            return now;
        }
        assert!(began.elapsed() < Duration::from_mins(2), "not {what}: {now:#}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Synchronizes and gives the run as it ended.
pub(crate) async fn synchronize(server: &Server) -> Value {
    let started = server.post("sync", json!({})).await.ok();
    ended(server, started["run"]["id"].as_str().expect("an id")).await
}

async fn ended(server: &Server, run: &str) -> Value {
    until(server, &format!("sync/runs/{run}"), "over", |run| !run["ended_at"].is_null()).await
}

fn counts(run: &Value) -> (u64, u64, u64) {
    let count = |name: &str| run[name].as_u64().unwrap_or_else(|| panic!("{name}: {run:#}"));
    (count("added"), count("revised"), count("expired"))
}

#[tokio::test]
async fn the_first_run_brings_what_to_choose_from_and_the_next_what_was_chosen() {
    let upstream = Upstream::start(served([update(10, 1, "One"), update(11, 1, "Two")]));
    let server = Server::start().await;
    let refused = server.post("sync", json!({})).await;
    assert_eq!(refused.refused(409), "no_source");
    let empty = server.get("sync").await.ok();
    assert_eq!((&empty["source"], &empty["current"], &empty["last"]), (&json!("none"), &Value::Null, &Value::Null));
    assert!(empty["next_step"].as_str().expect("a step").contains("weir settings set source"), "{empty}");

    source(&server, &upstream.url()).await;
    let first = synchronize(&server).await;
    assert_eq!((&first["result"], counts(&first)), (&json!("done"), (3, 0, 0)), "{first:#}");
    assert!(first["next_step"].as_str().expect("a step").contains("weir products"), "{first}");
    assert_eq!(first["trigger"], "manual");
    assert_eq!(first["source"], json!(upstream.url()));
    let status = server.get("sync").await.ok();
    assert!(status["next_step"].as_str().expect("a step").contains("weir products"), "{status}");

    choose(&server).await;
    let second = synchronize(&server).await;
    assert_eq!((&second["result"], counts(&second)), (&json!("done"), (2, 0, 0)), "{second:#}");
    assert_eq!(second["next_step"], Value::Null);
    let third = synchronize(&server).await;
    assert_eq!(counts(&third), (0, 0, 0));

    // a product that comes below the chosen family later is covered
    upstream.change(|served| {
        served.add(&update(10, 2, "One, revised"));
        served.add(&update(11, 2, "Two, withdrawn").expired());
        served.add(&Document::category(id(4), 1, CategoryKind::Product).title("New product").in_category(id(FAMILY)));
        let new = Document::software(id(12), 1).title("Three").in_category(id(4)).in_category(id(CLASSIFICATION));
        served.add(&new);
    });
    let fourth = synchronize(&server).await;
    assert_eq!(fourth["expired"], 1, "{fourth:#}");
    assert_eq!(server.get(&format!("updates/{}", id(12))).await.ok()["title"], "Three");

    let status = server.get("sync").await.ok();
    assert_eq!((&status["products"], &status["classifications"]), (&json!(2), &json!(1)));
    assert_eq!(status["last"]["id"], fourth["id"]);
    assert_eq!(status["last_success"], fourth["ended_at"]);
    let history = server.get("sync/runs?limit=3").await.ok();
    assert_eq!(history["items"].as_array().expect("items").len(), 3);
    assert_eq!(history["items"][0]["id"], fourth["id"]);
    let rest = server.get(&format!("sync/runs?cursor={}", history["next"].as_str().expect("more"))).await.ok();
    assert_eq!((&rest["items"][0]["id"], &rest["next"]), (&first["id"], &Value::Null));
    let nobody = server.get("sync/runs/00000000-0000-0000-0000-000000000000").await;
    assert_eq!(nobody.refused(404), "not_found");
    server.stop().await;
}

#[tokio::test]
async fn a_failure_is_told_in_full_raises_an_alert_and_success_closes_it() {
    let upstream = Upstream::start(served([]));
    let server = below(&upstream).await;
    upstream.trouble(At::Every(Operation::GetConfigData), Trouble::Fault("InternalServerError".to_owned()));
    let failed = synchronize(&server).await;
    assert_eq!((&failed["state"], &failed["result"]), (&json!("failed"), &json!("failed")));
    let error = &failed["error"];
    for part in ["code", "message", "explanation", "next_step"] {
        assert!(!error[part].as_str().expect("text").is_empty(), "{part}: {failed:#}");
    }
    let status = server.get("sync").await.ok();
    assert_eq!(status["next"]["trigger"], "retry", "{status:#}");
    let ended: jiff::Timestamp = failed["ended_at"].as_str().expect("a time").parse().expect("a time");
    let next: jiff::Timestamp = status["next"]["at"].as_str().expect("a time").parse().expect("a time");
    assert_eq!(next.duration_since(ended).as_mins(), 60);
    let open = |alerts: &Value| {
        let items = alerts["items"].as_array().expect("items").iter();
        items.filter(|alert| alert["key"] == "sync.failed:synchronization" && alert["closed_at"].is_null()).count()
    };
    assert_eq!(open(&server.get("alerts").await.ok()), 1);
    let page = server.get("status").await.ok();
    assert_eq!(page["counts"]["alerts"], 1);

    upstream.calm();
    let done = synchronize(&server).await;
    assert_eq!(done["result"], "done", "{done:#}");
    assert_eq!(open(&server.get("alerts").await.ok()), 0);
    assert_eq!(server.get("sync").await.ok()["next"], Value::Null);
    server.stop().await;
}

#[tokio::test]
async fn one_runs_at_a_time_and_can_be_stopped() {
    let upstream = Upstream::start(served([update(10, 1, "One")]));
    let server = below(&upstream).await;
    assert_eq!(server.delete("sync").await.refused(409), "nothing_runs");
    upstream.trouble(At::Operation(Operation::GetRevisionIdList, 1), Trouble::Hang);
    let first = server.post("sync", json!({})).await.ok();
    assert_eq!(first["attached"], false);
    let running = until(&server, "sync", "asking for categories", |status| {
        status["current"]["progress"]["phase"] == "categories"
    })
    .await;
    assert_eq!(running["current"]["state"], "running");
    let second = server.post("sync", json!({})).await.ok();
    assert_eq!((&second["attached"], &second["run"]["id"]), (&json!(true), &first["run"]["id"]));

    let stopped = server.delete("sync").await.ok();
    assert_eq!((&stopped["id"], &stopped["state"]), (&first["run"]["id"], &json!("cancelled")), "{stopped:#}");
    assert_eq!(server.get("alerts").await.ok()["items"], json!([]), "to stop is no failure");
    let status = server.get("sync").await.ok();
    assert_eq!((&status["current"], &status["next"]), (&Value::Null, &Value::Null), "and is not tried again");
    let done = synchronize(&server).await;
    assert_eq!((&done["result"], counts(&done).0), (&json!("done"), 3), "{done:#}");
    server.stop().await;
}

#[tokio::test]
async fn a_full_run_follows_one_that_compares_less() {
    let upstream = Upstream::start(served([update(10, 1, "One")]));
    let server = below(&upstream).await;
    upstream.trouble(At::Operation(Operation::GetRevisionIdList, 1), Trouble::Hang);
    let first = server.post("sync", json!({})).await.ok();
    until(&server, "sync", "asking for categories", |_| upstream.operations().contains(&Operation::GetRevisionIdList))
        .await;
    let full = server.post("sync", json!({ "full": true })).await.ok();
    assert_eq!(full["attached"], false, "{full:#}");
    assert_ne!(full["run"]["id"], first["run"]["id"]);
    let again = server.post("sync", json!({ "full": true })).await.ok();
    assert_eq!((&again["attached"], &again["run"]["id"]), (&json!(true), &full["run"]["id"]));
    let stopped = server.delete("sync").await.ok();
    assert_eq!((&stopped["id"], &stopped["state"]), (&first["run"]["id"], &json!("cancelled")), "{stopped:#}");
    let done = ended(&server, full["run"]["id"].as_str().expect("an id")).await;
    assert_eq!((&done["result"], &done["full"]), (&json!("done"), &json!(true)), "{done:#}");
    server.stop().await;
}

#[tokio::test]
async fn a_run_that_the_end_of_the_server_interrupts_is_marked_and_taken_up() {
    let upstream = Upstream::start(served([update(10, 1, "One")]));
    let server = below(&upstream).await;
    upstream.trouble(At::Operation(Operation::GetUpdateData, 1), Trouble::Hang);
    let first = server.post("sync", json!({})).await.ok();
    until(&server, "sync", "fetching categories", |status| {
        status["current"]["progress"]["phase"] == "categories" && status["current"]["progress"]["total"] == 3
    })
    .await;
    let data = server.stop().await;
    let server = Server::start_in(data).await;
    let history =
        until(&server, "sync/runs", "taken up", |runs| runs["items"].as_array().expect("items").len() == 2).await;
    let [resumed, interrupted] = &history["items"].as_array().expect("items")[..] else { panic!("{history:#}") };
    assert_eq!((&interrupted["id"], &interrupted["state"]), (&first["run"]["id"], &json!("interrupted")));
    assert_eq!(interrupted["error"], Value::Null);
    assert_eq!(resumed["trigger"], "resume");
    let resumed = ended(&server, resumed["id"].as_str().expect("an id")).await;
    assert_eq!((&resumed["result"], counts(&resumed).0), (&json!("done"), 3), "{resumed:#}");
    server.stop().await;
}

#[tokio::test]
async fn a_schedule_is_shown_with_its_next_times_and_refused_by_the_wrong_word() {
    let server = Server::start().await;
    let off = server.get("sync/schedule").await.ok();
    assert_eq!((&off["text"], &off["next"]), (&json!("off"), &json!([])));
    let set = |text: &str| server.call(Method::PUT, "sync/schedule", Some(json!({ "text": text })));
    let weekly = set("every 7 days at 02:00 from 2026-01-01 UTC").await.ok();
    assert_eq!(weekly["description"], "Every 7 days at 02:00, counted from 2026-01-01, UTC time");
    assert_eq!(weekly["next"].as_array().expect("times").len(), 5);
    let anchored = set("every 2 days at 02:00").await.ok();
    assert!(anchored["text"].as_str().expect("text").contains(" from 20"), "it stays the same tomorrow: {anchored}");
    let wrong = set("every 7 dais at 02:00").await;
    assert_eq!(wrong.refused(400), "setting_value");
    assert!(wrong.body["detail"].as_str().expect("detail").contains("\"dais\""), "{}", wrong.body);
    assert_eq!(server.get("sync/schedule").await.ok(), anchored, "bad input changes nothing");
    let zone = json!({ "value": "Europe/Atlantis" });
    assert_eq!(server.call(Method::PUT, "settings/site.time_zone", Some(zone)).await.refused(400), "setting_value");
    let zone = json!({ "value": "europe/amsterdam" });
    server.call(Method::PUT, "settings/site.time_zone", Some(zone)).await.ok();
    assert_eq!(server.get("sync/schedule").await.ok()["zone"], "Europe/Amsterdam");
    assert_eq!(server.get("sync").await.ok()["next"], Value::Null, "without a source nothing is due");
    assert_eq!(server.delete("sync/schedule").await.ok()["text"], "off");
    server.stop().await;
}

/// Runs SQL on the database of a server that does not run: so that time has passed without waiting.
fn sql(data: &tempfile::TempDir, text: &str) {
    weir_testkit::engine::execute(data.path(), text, &[]);
}

const AN_HOUR_OF_MICROSECONDS: i64 = 3_600_000_000;

#[tokio::test]
async fn what_the_schedule_named_while_the_server_was_off_runs_once() {
    let upstream = Upstream::start(served([]));
    let server = below(&upstream).await;
    let text = json!({ "text": "every 6 hours at 00:00 from 2026-01-01 UTC" });
    server.call(Method::PUT, "sync/schedule", Some(text)).await.ok();
    assert_eq!(server.get("sync/runs").await.ok()["items"], json!([]), "not before its time");
    assert_eq!(server.get("sync").await.ok()["next"]["trigger"], "schedule");
    let data = server.stop().await;
    // as if it had been set long ago: several times were missed
    let long = 50 * AN_HOUR_OF_MICROSECONDS;
    sql(&data, &format!("UPDATE setting SET changed_at = changed_at - {long} WHERE key = 'sync.schedule'"));
    let server = Server::start_in(data).await;
    let status = until(&server, "sync", "run", |status| !status["last"].is_null()).await;
    assert_eq!((&status["last"]["trigger"], &status["last"]["result"]), (&json!("schedule"), &json!("done")));
    let status = until(&server, "sync", "at rest", |status| status["current"].is_null()).await;
    let next: jiff::Timestamp = status["next"]["at"].as_str().expect("a time").parse().expect("a time");
    assert!(next > jiff::Timestamp::now());
    assert_eq!(server.get("sync/runs").await.ok()["items"].as_array().expect("items").len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_failed_run_is_tried_again_after_an_hour() {
    let upstream = Upstream::start(served([]));
    let server = below(&upstream).await;
    upstream.trouble(At::Every(Operation::GetConfigData), Trouble::Fault("InternalServerError".to_owned()));
    assert_eq!(synchronize(&server).await["result"], "failed");
    let data = server.stop().await;
    upstream.calm();
    sql(&data, &format!("UPDATE job SET ended_at = ended_at - {AN_HOUR_OF_MICROSECONDS}"));
    let server = Server::start_in(data).await;
    let status = until(&server, "sync", "tried again", |status| status["last"]["trigger"] == "retry").await;
    assert_eq!(status["last"]["result"], "done");
    server.stop().await;
}
