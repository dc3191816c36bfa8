//! Content.

use http::header;
use serde_json::json;

use super::{ID, asked, content, content_file, content_job, good, has, list, location, stub};
use crate::tests::{problem, text};

#[tokio::test]
async fn room_is_shown_by_mode_with_what_keeps_it_from_being_done() {
    let page = good(&stub(), "/infrastructure/content").await;
    has(
        &page,
        &[
            "9.0\u{a0}GB",
            "50.0\u{a0}GB",
            "class=\"amounts\"",
            "Of every live update",
            "holds now",
            "A deployment",
            "href=\"/settings\"",
        ],
    );
    let mut paused = content();
    paused["paused"] = json!(true);
    paused["held"] = json!({"reason": "the disk is full", "files": 2, "bytes": 4000});
    let page = good(&stub().with("GET /content/status", &paused), "/infrastructure/content").await;
    has(&page, &["Fetching is paused.", "the disk is full", "2 files wait"]);
    // who may not see what the whole site would need sees the rest
    let limited = stub().refusing("GET /content/forecast", 403, problem(403, "forbidden", "not yours"));
    has(&good(&limited, "/infrastructure/content").await, &["9.0\u{a0}GB"]);
}

#[tokio::test]
async fn missing_files_are_listed_and_brought_by_hand_where_no_source_is_known() {
    let page = good(&stub(), "/infrastructure/content?tab=files&state=waiting").await;
    has(&page, &["No source known", "Bring content by hand", "value=\"waiting\" selected"]);
    let asked_for = |stub: &crate::tests::Stub| asked(stub, "GET /content?").join(" ");
    let stub = stub();
    good(&stub, "/infrastructure/content?tab=files&state=absent&cursor=abc").await;
    assert!(asked_for(&stub).contains("state=absent&cursor=abc"), "{:?}", stub.asked());
    let none = json!({"items": [], "next": null, "files": 0, "bytes": 0, "waiting_files": 0, "waiting_bytes": 0});
    let stub = stub.with("GET /content", &none);
    has(&good(&stub, "/infrastructure/content?tab=files&state=waiting").await, &["No file is missing."]);
    has(
        &good(&stub, "/infrastructure/content?tab=files").await,
        &["No content is here yet.", "href=\"/infrastructure/import\""],
    );
}

#[tokio::test]
async fn files_are_csv() {
    let files = json!({"items": [content_file("present", &json!(["http://a", "http://b"]))], "next": null, "files": 1, "bytes": 1,
        "waiting_files": 0, "waiting_bytes": 0});
    let stub = stub().with("GET /content", &files);
    let csv = good(&stub, "/infrastructure/content?tab=files&format=csv&col=state&col=size&col=sources").await;
    assert_eq!(csv, "\u{feff}State,Size,Sources\r\npresent,4000,http://a http://b\r\n");
}

#[tokio::test]
async fn the_queue_shows_what_is_on_its_way_and_what_rests() {
    let page = good(&stub(), "/infrastructure/content?tab=queue").await;
    has(
        &page,
        &[
            "2.0\u{a0}MB a second",
            "1 minute left",
            "1 attempt failed",
            "1 file is tried again later",
            "1 deployment waits",
            "href=\"/deployments/12\"",
        ],
    );
    let mut quiet = content();
    for (name, value) in [
        ("running", json!(null)),
        ("waiting_files", json!(0)),
        ("resting_files", json!(0)),
        ("resting", json!([])),
        ("deployments", json!([])),
    ] {
        quiet[name] = value;
    }
    has(
        &good(&stub().with("GET /content/status", &quiet), "/infrastructure/content?tab=queue").await,
        &["Nothing is awaited."],
    );
}

#[tokio::test]
async fn work_is_started_followed_and_stopped() {
    let stub = stub()
        .with("POST /content/verify", &content_job("verify", "waiting", None))
        .with(&format!("DELETE /content/jobs/{ID}"), &content_job("verify", "cancelled", None));
    let own = format!("/infrastructure/content/jobs/{ID}");
    assert_eq!(location(&stub.form("/infrastructure/content", "act=verify").await), own);
    has(&good(&stub, &own).await, &["3 / 9", "Cancel this job", "user:anna"]);
    assert_eq!(location(&stub.form(&format!("{own}/cancel"), "").await), own);
    assert_eq!(stub.form("/infrastructure/content", "act=burn").await.status(), 404);
}

#[tokio::test]
async fn a_removal_says_first_what_would_go() {
    let found =
        json!({"dry_run": true, "files": 3, "bytes": 4000, "young": 1, "quarantined": 0, "quarantined_bytes": 0});
    let stub = stub().with("POST /content/gc", &content_job("gc", "done", Some(found)));
    let form = "act=gc&undeployed=1&min_age_hours=48";
    let page = text(stub.form("/infrastructure/content", form).await).await;
    has(
        &page,
        &[
            "3 files (4.0\u{a0}kB) will be removed",
            "To undo:",
            "name=\"min_age_hours\" value=\"48\"",
            "name=\"sure\" value=\"1\"",
        ],
    );
    assert!(
        asked(&stub, "POST")[0].starts_with("POST /content/gc?undeployed=true&min_age_hours=48&dry_run=true&wait=true"),
        "{:?}",
        stub.asked()
    );
    let response = stub.form("/infrastructure/content", &format!("{form}&sure=1")).await;
    assert!(response.headers().contains_key(header::LOCATION));
    assert_eq!(asked(&stub, "POST").last().unwrap(), "POST /content/gc?undeployed=true&min_age_hours=48 null");
    let nothing =
        json!({"dry_run": true, "files": 0, "bytes": 0, "young": 0, "quarantined": 0, "quarantined_bytes": 0});
    let stub = stub.with("POST /content/gc", &content_job("gc", "done", Some(nothing)));
    let page = text(stub.form("/infrastructure/content", "act=gc").await).await;
    assert!(page.contains("0 files") && !page.contains("button class=\"primary\""), "{page}");
    let list = list(&json!([]));
    has(
        &good(&stub.with("GET /content/jobs", &list), "/infrastructure/content?tab=jobs").await,
        &["Content was not worked on yet."],
    );
}
