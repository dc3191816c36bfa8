//! Backups while a server runs: asked for, by schedule, failing, and what is told of them. They are copies of the file of the embedded
//! database, whatever engine was chosen.

use std::{fs, ops::ControlFlow, path::Path};

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use weir_server::backup;
use weir_testkit::engine;

use crate::{
    harness::{Server, settings},
    sync::until,
};

async fn set(server: &Server, key: &str, value: Value) {
    server.call(Method::PUT, &format!("settings/{key}"), Some(json!({ "value": value }))).await.ok();
}

/// The run with this id, when it is over.
async fn ended(server: &Server, run: &Value) -> Value {
    let path = format!("backups/runs/{}", run["id"].as_str().expect("an id"));
    until(server, &path, "over", |run| run["ended_at"].is_string()).await
}

/// As if something had been noted that long ago.
fn set_back(server: &Server, key: &str, hours: i64) {
    let then = (Timestamp::now() - SignedDuration::from_hours(hours)).as_microsecond();
    let values = [then.into(), key.into()];
    assert_eq!(server.execute("UPDATE setting SET changed_at = ?1 WHERE key = ?2", &values), 1);
}

#[tokio::test]
async fn a_backup_is_made_while_the_server_runs_and_is_sound() {
    let server = Server::start_on_sqlite().await;
    let status = server.get("backups/status").await.ok();
    assert_eq!((&status["schedule"], &status["last_good"]), (&json!("off"), &Value::Null));
    assert!(status["next_step"].as_str().expect("advice").contains("backup.schedule"), "{status}");
    assert_eq!(server.get("backups").await.ok()["items"], json!([]));

    let asked = server.post("backups", json!({ "folder": "by hand/first", "content": true })).await;
    assert_eq!(asked.status, 202, "{}", asked.body);
    let run = ended(&server, &asked.ok()).await;
    assert_eq!(
        (&run["state"], &run["error"], &run["scheduled"]),
        (&json!("done"), &Value::Null, &json!(false)),
        "{run}"
    );
    let path = run["backup"]["path"].as_str().expect("a path").to_owned();
    assert!(path.contains("backups/by hand/first/weir-"), "{path}");
    let verified = tokio::task::spawn_blocking(move || {
        backup::verify(Path::new(&path), &mut |_| ControlFlow::Continue(())).map_err(|error| error.to_string())
    });
    assert!(verified.await.expect("ends").expect("sound").restorable);

    let listed = server.get("backups").await.ok();
    assert_eq!(listed["items"][0]["name"], run["backup"]["name"], "{listed}");
    let jobs = server.get("jobs?kind=backup").await.ok();
    assert_eq!(jobs["items"][0]["state"], "done", "{jobs}");
    let health = server.get("health-report").await.ok();
    assert!(health["backup"]["last_good_at"].is_string(), "{health}");
    let audit = server.get("audit?limit=50").await.ok().to_string();
    assert!(audit.contains("backup.create"), "{audit}");

    for folder in ["../elsewhere", "/tmp", "a/../b", ".hidden"] {
        assert_eq!(server.post("backups", json!({ "folder": folder })).await.refused(400), "folder", "{folder}");
    }
    assert_eq!(server.delete("backups/runs/00000000-0000-4000-8000-000000000000").await.refused(404), "not_found");
    server.stop().await;
}

#[tokio::test]
async fn a_scheduled_backup_that_was_missed_is_made_up_for_once_and_old_ones_go() {
    let server = Server::start_on_sqlite().await;
    set(&server, "backup.keep", json!(1)).await;
    set(&server, "backup.schedule", json!("daily at 02:00 UTC")).await;
    assert!(server.get("backups/status").await.ok()["next_at"].is_string());
    assert_eq!(server.get("backups/runs").await.ok()["items"], json!([]), "nothing before the schedule is made up for");
    // as if the server had been off for three days
    set_back(&server, "backup.schedule", 72);
    set(&server, "backup.folder", json!("nightly")).await;
    let made = |status: &Value| status["last_good"].is_object() && status["current"].is_null();
    let status = until(&server, "backups/status", "made", made).await;
    let first = status["last_good"]["backup"].clone();
    assert_eq!((&first["scheduled"], &status["last_good"]["scheduled"]), (&json!(true), &json!(true)), "{status}");
    assert!(status["next_at"].as_str() > Some(Timestamp::now().to_string().as_str()), "{status}");
    let runs = server.get("backups/runs").await.ok();
    assert_eq!(runs["items"].as_array().expect("items").len(), 1, "what was missed is made up for once: {runs}");

    // one by hand stays, whatever is kept of the schedule
    ended(&server, &server.post("backups", json!({ "folder": "nightly" })).await.ok()).await;
    set_back(&server, "backup.schedule", 24 * 30);
    // as if it had been long ago
    server.execute("DELETE FROM job WHERE kind = 'backup'", &[]);
    set(&server, "backup.alert_hours", json!(47)).await;
    until(&server, "backups/status", "made", made).await;
    let listed = server.get("backups").await.ok();
    let scheduled: Vec<bool> =
        listed["items"].as_array().expect("items").iter().map(|one| one["scheduled"] == true).collect();
    assert_eq!(scheduled.iter().filter(|scheduled| **scheduled).count(), 1, "{listed}");
    assert_eq!(scheduled.len(), 2, "{listed}");
    assert!(!Path::new(first["path"].as_str().expect("a path")).exists(), "the older one went");
    server.stop().await;
}

#[tokio::test]
async fn a_backup_that_fails_says_why_and_is_an_alert_until_one_is_made() {
    let data = tempfile::tempdir().expect("a folder");
    engine::keep_sqlite(data.path());
    let root = data.path().join("no-folder");
    fs::write(&root, "a file").expect("a file");
    let mut settings = settings(data.path());
    settings.backups.clone_from(&root);
    let server = Server::start_with(data, settings).await;
    let run = ended(&server, &server.post("backups", json!({})).await.ok()).await;
    assert_eq!((&run["state"], &run["error"]["code"]), (&json!("failed"), &json!("backup_file")), "{run}");
    assert!(run["error"]["message"].as_str().expect("why").contains("no-folder"), "{run}");
    let open = server.get("alerts?kind=backup&state=open").await.ok();
    assert_eq!(open["items"], json!([]), "who asked knows");

    set(&server, "backup.schedule", json!("daily at 02:00 UTC")).await;
    set_back(&server, "backup.schedule", 72);
    set(&server, "backup.keep", json!(3)).await;
    let failed = |alerts: &Value| alerts["items"].to_string().contains("backup.failed");
    until(&server, "alerts?kind=backup&state=open", "told", failed).await;
    server.post("alert-evaluation", json!({})).await.ok();
    let open = server.get("alerts?kind=backup&state=open").await.ok().to_string();
    assert!(open.contains("backup.overdue"), "{open}");
    let health = server.get("health-report").await.ok();
    let finding = health["findings"].as_array().expect("findings").iter().find(|finding| finding["code"] == "backup");
    assert_eq!(finding.expect("a finding")["state"], "critical", "{health}");

    fs::remove_file(&root).expect("removed");
    let run = ended(&server, &server.post("backups", json!({})).await.ok()).await;
    assert_eq!(run["state"], "done", "{run}");
    let open = server.get("alerts?kind=backup&state=open").await.ok();
    assert_eq!(open["items"], json!([]), "both are over");
    server.stop().await;
}

/// The promise: a run whose process ended has failed, and nothing of it is taken for a backup.
#[tokio::test]
async fn a_run_that_the_server_did_not_live_to_end_has_failed() {
    let server = Server::start_on_sqlite().await;
    let run = ended(&server, &server.post("backups", json!({})).await.ok()).await;
    let data = server.stop().await;
    // as if it were under way
    let under_way = "UPDATE job SET state = 1, result = NULL, ended_at = NULL WHERE kind = 'backup'";
    assert_eq!(engine::execute(data.path(), under_way, &[]), 1);
    let left = data.path().join("backups/.weir-20260101T000000Z.partial");
    fs::create_dir(&left).expect("a folder");
    fs::write(left.join("writing"), "").expect("a lock that nobody holds");
    let server = Server::start_in(data).await;
    let run = ended(&server, &run).await;
    assert_eq!((&run["state"], &run["error"]["code"]), (&json!("failed"), &json!("backup_interrupted")), "{run}");
    assert_eq!(server.get("backups").await.ok()["items"].as_array().expect("items").len(), 1);
    ended(&server, &server.post("backups", json!({})).await.ok()).await;
    assert!(!left.exists(), "what was left half written goes with the next one");
    server.stop().await;
}
