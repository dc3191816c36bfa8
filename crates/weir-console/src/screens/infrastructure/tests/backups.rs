//! Backups.

use serde_json::{Value, json};

use super::{AT, HOSTILE, ID, asked, good, has, list, location, stub};
use crate::tests::{Stub, problem, session, text};

const HERE: &str = "/infrastructure/backups";

/// A backup with nothing to remark.
pub(super) fn backup() -> Value {
    json!({"name": "weir-20261130T060000Z", "path": "/srv/by hand/weir-20261130T060000Z", "made_at": AT, "asked_by": HOSTILE,
        "scheduled": false, "version": "0.7.0", "schema_version": 29, "bytes": 5_000_000_000_u64,
        "content": {"included": false, "files": 1, "bytes": 4000, "left_out": 0}, "elsewhere": [HOSTILE]})
}

/// A run in this state, with what it made or why it made nothing.
pub(super) fn run(state: &str, backup: Option<Value>, error: Option<Value>) -> Value {
    let over = !matches!(state, "running" | "waiting");
    json!({"id": ID, "state": state, "asked_by": "user:anna", "scheduled": false, "asked_at": AT, "started_at": AT,
        "ended_at": over.then_some(AT), "progress": {"phase": "files", "bytes": 1_000_000, "bytes_total": 4_000_000},
        "backup": backup, "error": error})
}

/// How they stand: made by schedule, with a last good one.
pub(super) fn status() -> Value {
    json!({"folder": "/srv/weir-backups", "schedule": "daily at 02:00", "next_at": AT, "keep": 7, "content": true, "current": null,
        "last_good": run("done", Some(backup()), None), "last_failed": null, "next_step": null})
}

fn failure(code: &str) -> Value {
    json!({"code": code, "message": HOSTILE, "next_step": "make room"})
}

fn standing(change: impl FnOnce(&mut Value)) -> Stub {
    let mut status = status();
    change(&mut status);
    stub().with("GET /backups/status", &status)
}

#[tokio::test]
async fn how_backups_stand_is_shown_with_what_proves_and_restores_the_last_one() {
    let page = good(&stub(), HERE).await;
    has(
        &page,
        &[
            "<title>Backups · Weir</title>",
            "5.0\u{a0}GB",
            "1 file",
            "their list alone",
            "weir backup verify '/srv/by hand/weir-20261130T060000Z'",
            "weir restore '/srv/by hand/weir-20261130T060000Z'",
            "holds every key",
            "Back up now",
            "href=\"/help/operations#backup\"",
        ],
    );
    assert!(!page.contains("<script>alert") && !page.contains("not made by themselves"), "{page}");
}

#[tokio::test]
async fn what_went_wrong_is_said_until_a_good_one_was_made() {
    let stub = standing(|status| {
        status["last_failed"] = run("failed", None, Some(failure("backup_no_room")));
        status["last_failed"]["ended_at"] = json!("2026-11-30T07:00:00Z");
        status["last_good"]["backup"]["content"] = json!({"included": true, "files": 3, "bytes": 9, "left_out": 2});
        status["schedule"] = json!("off");
        status["next_at"] = Value::Null;
    });
    let page = good(&stub, HERE).await;
    has(
        &page,
        &[
            "The last attempt failed",
            "make room",
            "backup_no_room",
            "2 files are not in it",
            "Backups are not made by themselves.",
            "Not by itself",
        ],
    );
    // an older failure is over
    let stub = standing(|status| {
        status["last_failed"] = run("failed", None, Some(failure("backup_no_room")));
        status["last_failed"]["ended_at"] = json!("2026-11-30T05:00:00Z");
    });
    assert!(!good(&stub, HERE).await.contains("The last attempt failed"));
    let stub = standing(|status| status["last_good"] = Value::Null);
    has(&good(&stub, HERE).await, &["remembers no backup", "None yet"]);
}

#[tokio::test]
async fn a_run_shows_how_far_it_is_and_can_be_stopped() {
    let stub = standing(|status| status["current"] = run("running", None, None))
        .with(&format!("DELETE /backups/runs/{ID}"), &run("cancelled", None, None));
    let page = good(&stub, HERE).await;
    has(&page, &["Copying files", "1.0\u{a0}MB / 4.0\u{a0}MB", "user:anna", "Stop it"]);
    assert!(!page.contains("Back up now"), "one is made at a time: {page}");
    assert_eq!(location(&stub.form(&format!("{HERE}/stop"), &format!("id={ID}")).await), HERE);
    assert_eq!(asked(&stub, "DELETE").len(), 1);
    let waits = standing(|status| status["current"] = run("waiting", None, None));
    has(&good(&waits, HERE).await, &["Waiting"]);
}

#[tokio::test]
async fn one_is_asked_for_as_the_settings_say_or_otherwise() {
    let stub = stub().with("POST /backups", &run("waiting", None, None));
    assert_eq!(location(&stub.form(HERE, "").await), HERE);
    assert_eq!(location(&stub.form(HERE, "otherwise=1&content=1&folder=+before+upgrade+").await), HERE);
    assert_eq!(location(&stub.form(HERE, "otherwise=1&folder=").await), HERE);
    assert_eq!(
        asked(&stub, "POST /backups"),
        [
            "POST /backups {}",
            "POST /backups {\"folder\":\"before upgrade\",\"content\":true}",
            "POST /backups {\"content\":false}",
        ]
    );
    let refused = problem(400, "folder", "\"../x\" is no folder below the folder of backups");
    let stub = stub.refusing("POST /backups", 400, refused);
    let page = text(stub.form(HERE, "otherwise=1&folder=..%2Fx").await).await;
    has(&page, &["href=\"#f-folder\"", "value=\"../x\"", "<details open>"]);
}

#[tokio::test]
async fn lists_are_pages_and_csv() {
    let stub = stub();
    let page = good(&stub, &format!("{HERE}?tab=list&cursor=abc")).await;
    has(&page, &["weir-20261130T060000Z", "never deleted"]);
    assert!(asked(&stub, "GET /backups?")[0].contains("cursor=abc&limit=50"), "{:?}", stub.asked());
    let csv = good(&stub, &format!("{HERE}?tab=list&format=csv&col=place&col=size")).await;
    assert_eq!(csv, "\u{feff}Folder,Size\r\n/srv/by hand/weir-20261130T060000Z,5000000000\r\n");
    let csv = good(&stub, &format!("{HERE}?tab=runs&format=csv&col=state&col=outcome")).await;
    assert!(csv.starts_with("\u{feff}State,Outcome\r\ndone,/srv/by hand/weir-20261130T060000Z\r\nfailed,"), "{csv}");
    let none = stub.with("GET /backups", &list(&json!([]))).with("GET /backups/runs", &list(&json!([])));
    has(&good(&none, &format!("{HERE}?tab=list")).await, &["No backup is in the folder"]);
    has(&good(&none, &format!("{HERE}?tab=runs")).await, &["Nobody asked for a backup yet."]);
}

#[tokio::test]
async fn the_schedule_is_a_setting() {
    let set = json!({"key": "backup.schedule", "value": "daily at 03:00"});
    let stub = stub().with("PUT /settings/backup.schedule", &set);
    let page = good(&stub, &format!("{HERE}?tab=schedule")).await;
    has(
        &page,
        &["value=\"days\" selected", "value=\"02:00\"", "/srv/weir-backups", "href=\"/settings/site?tab=keeping\""],
    );
    let form = "s-repeat=days&s-every=1&s-at=03%3A00&s-zone=";
    assert_eq!(location(&stub.form(&format!("{HERE}/schedule"), form).await), format!("{HERE}?tab=schedule"));
    assert_eq!(asked(&stub, "PUT"), ["PUT /settings/backup.schedule {\"value\":\"daily at 03:00\",\"force\":false}"]);
    // what cannot be is said before REST is asked, and what REST refuses beside the field
    let page = text(stub.form(&format!("{HERE}/schedule"), "s-repeat=days&s-every=0&s-at=03%3A00").await).await;
    has(&page, &["href=\"#f-s-every\""]);
    let wrong = problem(400, "setting_value", "that is no zone");
    let stub = stub.refusing("PUT /settings/backup.schedule", 400, wrong);
    let page = text(stub.form(&format!("{HERE}/schedule"), form).await).await;
    has(&page, &["href=\"#f-s-repeat\"", "that is no zone"]);
}

#[tokio::test]
async fn who_only_looks_sees_how_backups_stand_and_changes_nothing() {
    let stub = standing(|status| status["current"] = run("running", None, None))
        .with("GET /session", &session("read_only_analyst"));
    let page = good(&stub, HERE).await;
    assert!(!page.contains("Stop it") && !page.contains("Back up now"), "{page}");
    let page = good(&stub, &format!("{HERE}?tab=schedule")).await;
    assert!(page.contains("daily at 02:00") && !page.contains("s-repeat"), "{page}");
}
