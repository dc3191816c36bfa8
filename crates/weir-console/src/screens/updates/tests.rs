//! Updates as browsers get them.

mod cleanup;
mod exceptions;
mod exposure;
mod groups;
mod searches;

use axum::{body::Body, response::Response};
use http::{StatusCode, header};
use serde_json::{Value, json};

use crate::tests::{Stub, problem, session, text};

const ID: &str = "8f3c2a10-5b1e-4a3d-9c77-0d9f6a1b2c3d";
const OTHER: &str = "1d5f0b7e-2222-4a3d-9c77-0d9f6a1b2c3d";
const NEWER: &str = "2e6f0b7e-3333-4a3d-9c77-0d9f6a1b2c3d";
const HOSTILE: &str = "<script>alert(1)</script>\"'&";

fn row(id: &str, title: &str) -> Value {
    json!({"id": id, "revision": 200, "revision_id": 7, "type": "software", "title": title,
        "classification": {"id": id, "name": "Security Updates"}, "products": [], "kb": ["5034123"], "severity": "critical",
        "custom_severity": null, "max_run_time_minutes": 45, "created_at": "2026-11-10T18:00:00Z", "is_bundle": true,
        "deployable": true, "declined": false, "expired": false, "unresolved": false, "superseded": false, "size": 123_456_789,
        "revised_at": null, "deployments": 1, "needed": 4321, "installed": 12, "failed": 3})
}

fn list(rows: &[Value]) -> Value {
    json!({"items": rows, "updates": rows.len(), "total": rows.len(), "facets": null, "next": null, "counts": null})
}

/// An update in full; with a licence it is not accepted.
fn detail(title: &str, licence: bool) -> Value {
    let mut detail = row(ID, title);
    let eula = if licence { json!({"id": OTHER, "accepted": false}) } else { Value::Null };
    let more = json!({"description": title, "more_info_urls": [], "support_url": null, "bulletins": [], "languages": ["en"],
        "revisions": [200], "run_time_set": true, "metadata_only": false, "eula": eula, "files": [],
        "prerequisites": [[{"id": OTHER, "name": "Servicing stack"}]], "bundles": [], "bundled_in": [],
        "supersedes": [], "superseded_by": [{"id": NEWER, "name": "Next month"}], "lacks": [], "deployed": []});
    detail.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    detail
}

fn licence(rich: &str) -> Value {
    json!({"update": {"id": ID, "name": "SQL Server"}, "eula": OTHER, "accepted": false, "accepted_by": null, "languages": ["en"],
        "language": "en", "file": "eula.rtf", "text": rich, "next_step": null})
}

fn with_detail(detail: &Value) -> Stub {
    Stub::new().with(&format!("GET /updates/{ID}"), detail)
}

/// Whether REST was asked for something that begins so.
fn was_asked(stub: &Stub, what: &str) -> bool {
    stub.asked().iter().any(|line| line.starts_with(what))
}

fn location(response: &Response<Body>) -> (StatusCode, String) {
    let to = response.headers().get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned());
    (response.status(), to.unwrap_or_default())
}

/// Somebody who may deploy, in one collection only.
fn limited() -> Value {
    let mut limited = session("software_update_manager");
    limited["collections"] = json!([{"id": OTHER, "name": "Branch"}]);
    limited
}

#[tokio::test]
async fn the_list_has_a_quick_look_and_all_values_of_facets() {
    let mut rows = list(&[row(ID, HOSTILE)]);
    rows["counts"] =
        json!([{"field": "product", "values": [{"value": OTHER, "name": "Windows 11", "updates": 9}], "more": 31}]);
    let stub = Stub::new().with("GET /updates", &rows);
    let (status, page) = stub.page("/updates").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    for part in
        ["data-panel=\"Close\"", "31 more values", "href=\"/updates?facets=all\"", "Windows 11", "&lt;script&gt;"]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("<script>"), "{page}");
    stub.page("/updates?facets=all").await;
    assert!(stub.asked().iter().any(|line| line.contains("facet_values=200")), "{:?}", stub.asked());
}

#[tokio::test]
async fn what_concerns_the_whole_site_is_not_offered_to_who_is_limited() {
    let stub = with_detail(&detail("Cumulative", false)).with("GET /updates", &list(&[row(ID, "Cumulative")]));
    let stub = stub.with("GET /session", &limited());
    let (_, page) = stub.page("/updates").await;
    assert!(!page.contains("value=\"decline\"") && !page.contains("/updates/fetch"), "{page}");
    let (_, page) = stub.page(&format!("/updates/{ID}")).await;
    assert!(page.contains("/deployments/new?update=") && !page.contains("value=\"decline\""), "{page}");
    let stub = stub.with("GET /session", &session("read_only_analyst"));
    let (_, page) = stub.page(&format!("/updates/{ID}")).await;
    assert!(!page.contains("/deployments/new") && !page.contains("/deployments/stops/new"), "{page}");
}

#[tokio::test]
async fn a_deployment_leads_past_licences_and_makes_a_group_of_many() {
    let rows = list(&[row(ID, "First"), row(OTHER, "Second")]);
    let stub = Stub::new()
        .with("GET /updates", &rows)
        .with(&format!("POST /updates/{ID}/eula"), &licence("x"))
        .with(&format!("POST /updates/{OTHER}/eula"), &licence("x"))
        .with("POST /groups", &json!({"id": NEWER, "name": "November", "members": 2}));
    let form = format!("ids={ID},{OTHER}&act=deploy&from=%2Fupdates");
    let page = text(stub.form("/updates/change", &form).await).await;
    for part in [
        "2 updates go on to a new deployment",
        "name=\"accept\"",
        "name=\"name\"",
        "tab=licence",
        "247\u{a0}MB",
        "To undo:",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let page = text(stub.form("/updates/change", &format!("{form}&sure=1&name=November")).await).await;
    assert!(page.contains("href=\"#f-accept\"") && page.contains("value=\"November\""), "{page}");
    let page = text(stub.form("/updates/change", &format!("{form}&sure=1&accept=1&name=+")).await).await;
    assert!(page.contains("href=\"#f-name\""), "{page}");
    assert!(!was_asked(&stub, "POST"), "{:?}", stub.asked());
    let done = stub.form("/updates/change", &format!("{form}&sure=1&accept=1&name=November")).await;
    assert_eq!(location(&done), (StatusCode::SEE_OTHER, "/deployments/new?group=November".to_owned()));
    assert!(
        was_asked(&stub, &format!("POST /updates/{ID}/eula")) && was_asked(&stub, "POST /groups"),
        "{:?}",
        stub.asked()
    );
}

#[tokio::test]
async fn what_cannot_be_deployed_is_said_and_nothing_is_left_to_confirm() {
    let mut declined = row(ID, "Old");
    declined["declined"] = json!(true);
    let stub = Stub::new().with("GET /updates", &list(&[declined]));
    let page = text(stub.form("/updates/change", &format!("id={ID}&act=deploy")).await).await;
    assert!(page.contains("1 update is left out") && !page.contains("Go on to the deployment</button>"), "{page}");
}

#[tokio::test]
async fn a_run_time_that_is_no_number_changes_nothing() {
    let changed = json!({"matched": 1, "changed": 0, "left_out": 0, "preview": true, "samples": []});
    let stub = with_detail(&detail("x", false)).with("POST /updates-change", &changed);
    let page = text(stub.form("/updates/change", &format!("id={ID}&act=run_time")).await).await;
    assert!(page.contains("value=\"45\""), "the run time of now is filled in: {page}");
    let page = text(stub.form("/updates/change", &format!("id={ID}&act=run_time&value=soon&sure=1")).await).await;
    assert!(page.contains("no whole number of minutes") && page.contains("value=\"soon\""), "{page}");
    assert!(stub.asked().iter().all(|line| !line.contains("updates-change") || line.contains("\"preview\":true")));
    let refused = problem(400, "run_time_minutes", "run_time_minutes is 3; it must be 5 to 9999");
    let stub = stub.refusing("POST /updates-change", 400, refused);
    let response = stub.form("/updates/change", &format!("id={ID}&act=run_time&value=3&sure=1")).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST, "a preview that is refused is a page of its own");
}

#[tokio::test]
async fn a_licence_is_read_and_accepted() {
    let rich = "{\\rtf1\\ansi LICENCE <script>\\par TERMS}";
    let stub = with_detail(&detail("SQL Server", true)).with(&format!("GET /updates/{ID}/eula"), &licence(rich));
    let (status, page) = stub.page(&format!("/updates/{ID}?tab=licence")).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    for part in ["LICENCE &lt;script&gt;\nTERMS", "Accept the licence", "value=\"deploy\""] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("\\rtf1") && !page.contains("<script>"), "{page}");
    let act = format!("/updates/{ID}/licence");
    let page = text(stub.form(&act, "").await).await;
    assert!(page.contains("To undo:") && page.contains("SQL Server") && !was_asked(&stub, "POST"), "{page}");
    let stub = stub.with(&format!("POST /updates/{ID}/eula"), &licence(rich));
    let done = stub.form(&act, "sure=1").await;
    assert_eq!(location(&done), (StatusCode::SEE_OTHER, format!("/updates/{ID}?tab=licence")));
    let (_, page) = stub.with("GET /session", &session("operator")).page(&format!("/updates/{ID}?tab=licence")).await;
    assert!(!page.contains("Accept the licence"), "{page}");
}

#[tokio::test]
async fn an_update_without_a_licence_has_no_tab_of_it() {
    let stub = with_detail(&detail("x", false));
    assert_eq!(stub.page(&format!("/updates/{ID}?tab=licence")).await.0, StatusCode::NOT_FOUND);
    assert!(!stub.page(&format!("/updates/{ID}")).await.1.contains("tab=licence"));
}

#[tokio::test]
async fn a_document_is_shown_as_text_and_may_be_missing() {
    let stub = with_detail(&detail("x", false));
    let (status, page) = stub.page(&format!("/updates/{ID}?tab=document")).await;
    assert!(status == StatusCode::OK && page.contains("The document is not here"), "{page}");
    let stub = stub.with(&format!("GET /updates/{ID}/document"), &json!("<upd:Update><script></script></upd:Update>"));
    let (_, page) = stub.page(&format!("/updates/{ID}?tab=document")).await;
    assert!(page.contains("&lt;upd:Update&gt;\n&lt;script&gt;") && !page.contains("<script>"), "{page}");
    assert!(page.contains(&format!("href=\"/api/v1/updates/{ID}/document\"")), "{page}");
}

#[tokio::test]
async fn relations_are_drawn_in_both_directions() {
    let graph = json!({"root": ID, "truncated": true, "updates": [
        {"id": ID, "title": "This", "type": "software", "declined": false, "expired": false, "depth": 0},
        {"id": OTHER, "title": HOSTILE, "type": "software", "declined": true, "expired": false, "depth": 1},
        {"id": NEWER, "title": "Next month", "type": "software", "declined": false, "expired": false, "depth": 1}],
        "relations": [{"kind": "supersedes", "from": ID, "to": OTHER}, {"kind": "requires", "from": NEWER, "to": ID}]});
    let stub = with_detail(&detail("This", false)).with(&format!("GET /updates/{ID}/relations"), &graph);
    let (status, page) = stub.page(&format!("/updates/{ID}?tab=relations&depth=3")).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    for part in [
        "Replaces: &lt;script&gt;",
        "Needed by: Next month",
        "What builds on it",
        "The nearest 200",
        "Declined",
        "class=\"edge\"",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(
        !page.contains("<script>") && stub.asked().iter().any(|line| line.contains("relations?depth=3&limit=200")),
        "{page}"
    );
    // a server that has no graph: what the update itself says
    let (_, page) = with_detail(&detail("This", false)).page(&format!("/updates/{ID}?tab=relations")).await;
    assert!(page.contains("Needs: Servicing stack") && page.contains("Replaced by: Next month"), "{page}");
}

#[tokio::test]
async fn a_stopped_update_says_so() {
    let stop = json!({"stop": {"update": {"id": ID, "name": "x"}, "reason": HOSTILE, "stopped_at": "2026-11-30T08:00:00Z", "stopped_by": "anna"},
        "deployments": 2, "computers": 900, "installed": 10, "heard": 700, "not_yet_heard": 200, "at_risk": 45});
    let stub = with_detail(&detail("x", false)).with(&format!("GET /updates/{ID}/stop"), &stop);
    let (_, page) = stub.page(&format!("/updates/{ID}")).await;
    assert!(
        page.contains("900 computers: 700 heard of the stop, 45 may still") && page.contains("See the stop"),
        "{page}"
    );
    assert!(!page.contains("<script>"), "{page}");
}

#[tokio::test]
async fn results_say_how_it_went() {
    let day = |day: &str, percent: f64| {
        json!({"day": day, "computers": 10, "percent": percent, "counts": {"unknown": 0, "not_applicable": 1, "required": 2,
            "downloaded": 0, "installed": 7, "failed": 0, "pending_restart": 0}})
    };
    let history = json!({"subject": {"kind": "update", "id": ID, "collection": null, "name": "x", "gone_at": null, "first_day": null,
        "last_day": null, "days": 2, "bytes": 9}, "time_zone": "UTC", "kept_days": 400, "items": [day("2026-11-29", 50.0),
        day("2026-11-30", 80.0)], "next": null});
    let reached = |percent: u8, how: &str, hours: Value, best: Value| {
        json!({"percent": percent, "how": how, "after": null, "by": "2026-11-12T00:00:00Z", "estimate": null, "hours": hours,
            "missing_days": 1, "best": best})
    };
    let time_to = json!({"subject": history["subject"], "start": "2026-11-10T18:00:00Z", "start_is": "published", "latest": null,
        "reached": [reached(50, "between", json!(30.0), Value::Null), reached(90, "not_reached", Value::Null, json!(80.0))]});
    let stub = with_detail(&detail("x", false))
        .with("GET /compliance/history", &history)
        .with("GET /compliance/time-to", &time_to)
        .with("GET /compliance/computers", &json!({"items": [], "next": null}));
    let (status, page) = stub.page(&format!("/updates/{ID}?tab=results")).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    for part in [
        "Compliance, 90 days",
        "recorded on 2026-11-30",
        "30 hours",
        "1 day without a record",
        "not reached",
        "No computer is in this state",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[tokio::test]
async fn updates_are_fetched_by_their_ids() {
    let refused = problem(400, "update", "\"x\" names no update");
    let stub = Stub::new().refusing("POST /updates-fetch", 400, refused);
    let page = text(stub.form("/updates/fetch", "updates=x%0D%0Ay").await).await;
    assert!(
        page.contains("href=\"#f-updates\"") && page.contains("names no update") && page.contains("x\r\ny"),
        "{page}"
    );
    assert!(stub.asked().iter().any(|line| line.contains("{\"updates\":[\"x\",\"y\"]}")), "{:?}", stub.asked());
}
