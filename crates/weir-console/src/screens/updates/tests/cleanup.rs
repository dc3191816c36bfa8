//! Clean-up.

use super::*;

const RUN: &str = "6daf0b7e-7777-4a3d-9c77-0d9f6a1b2c3d";

fn rules(superseded: &str) -> Value {
    json!({"superseded": superseded, "superseded_features": "off", "keep_until_deployed": true, "keep_narrower": true,
        "expired_days": 7, "declined_days": 30, "obsolete_days": 0})
}

fn run(state: &str) -> Value {
    json!({"id": RUN, "state": state, "asked_by": "anna", "asked_at": "2026-11-30T08:00:00Z", "started_at": null, "ended_at": null,
        "counts": {"phase": "declining", "processed": 900, "to_decline": 40, "declined": 10, "to_remove": 60, "revisions": 5},
        "error": null})
}

fn cleanup(current: Value) -> Value {
    json!({"rules": rules("months:3"), "follows": false, "current": current, "last": null, "unused_bytes": 5_000_000,
        "can_give_back": true, "next_step": null})
}

fn preview(rules: &Value) -> Value {
    json!({"rules": rules, "processed": 1834, "declines": 412, "updates": 31, "revisions": 58, "bytes": 1_900_000, "kept": 4, "next": null,
        "items": [{"action": "decline", "id": ID, "revision": null, "title": HOSTILE, "reason": "superseded for 4 months",
            "other": {"id": NEWER, "name": "Next month"}}]})
}

fn stub() -> Stub {
    Stub::new()
        .with("GET /cleanup", &cleanup(Value::Null))
        .with("GET /cleanup/preview", &preview(&rules("months:3")))
        .with("GET /cleanup/runs", &json!({"items": [run("done")], "next": null}))
        .with("GET /cleanup/removed", &json!({"items": [], "next": null}))
}

#[tokio::test]
async fn a_preview_says_what_a_run_would_do() {
    let stub = stub();
    let (status, page) = stub.page("/updates/cleanup?action=decline").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    for part in [
        "412",
        "58 revisions, 31 updates as a whole",
        "1.9\u{a0}MB",
        "after 3 months",
        "after 7 days",
        "Next month",
        "Clean up now",
        "/settings/site?text=cleanup",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("<script>") && !page.contains("other rules would do"), "{page}");
    assert!(was_asked(&stub, "GET /cleanup/preview?action=decline"), "{:?}", stub.asked());
    let (_, page) = stub.with("GET /session", &session("read_only_analyst")).page("/updates/cleanup").await;
    assert!(!page.contains("/updates/cleanup/run"), "{page}");
}

#[tokio::test]
async fn other_rules_are_tried_without_setting_them() {
    let stub = stub().with("GET /cleanup/preview", &preview(&rules("immediately")));
    let (_, page) = stub.page("/updates/cleanup?superseded=immediately&expired_days=5").await;
    assert!(page.contains("This is what other rules would do"), "{page}");
    let asked = stub.asked();
    assert!(
        asked.iter().any(|line| line.contains("superseded=immediately") && line.contains("expired_days=5")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_run_is_confirmed_with_what_it_will_do() {
    let stub = stub().with("POST /cleanup/runs", &run("waiting"));
    let page = text(stub.form("/updates/cleanup/run", "").await).await;
    assert!(
        page.contains("412 updates will be declined, and 58 revisions removed") && page.contains("To undo:"),
        "{page}"
    );
    assert!(!was_asked(&stub, "POST"), "{:?}", stub.asked());
    let done = stub.form("/updates/cleanup/run", "sure=1").await;
    assert_eq!(location(&done), (StatusCode::SEE_OTHER, "/updates/cleanup".to_owned()));
    assert!(was_asked(&stub, "POST /cleanup/runs"));
}

#[tokio::test]
async fn a_run_under_way_is_shown_and_can_be_stopped() {
    let stub = stub().with("GET /cleanup", &cleanup(run("running")));
    let (_, page) = stub.page("/updates/cleanup").await;
    for part in ["Declining", "15 / 100", &format!("/updates/cleanup/runs/{RUN}/stop")] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("action=\"/updates/cleanup/run\""), "{page}");
    let stub = stub.with(&format!("DELETE /cleanup/runs/{RUN}"), &run("cancelled"));
    let done = stub.form(&format!("/updates/cleanup/runs/{RUN}/stop"), "").await;
    assert_eq!(location(&done), (StatusCode::SEE_OTHER, "/updates/cleanup".to_owned()));
}

#[tokio::test]
async fn runs_and_what_is_gone_are_listed() {
    let stub = stub();
    let (_, page) = stub.page("/updates/cleanup?tab=runs").await;
    assert!(page.contains("Done") && page.contains("anna"), "{page}");
    let (_, page) = stub.page("/updates/cleanup?tab=removed").await;
    assert!(page.contains("Nothing was removed yet"), "{page}");
    let removed = json!({"items": [{"id": ID, "revision": 3, "title": HOSTILE, "removed_at": "2026-11-30T08:00:00Z"}], "next": null});
    let (_, page) = stub.with("GET /cleanup/removed", &removed).page("/updates/cleanup?tab=removed").await;
    assert!(page.contains(&format!("{ID}@3")) && !page.contains("<script>"), "{page}");
}
