//! The pages of the area over a REST interface that answers fixed JSON.

mod make;
mod phased;
mod rules;
mod windows;

use axum::body::Body;
use http::{Request, Response, StatusCode, header};
use serde_json::{Value, json};
use weir_api::{
    deployment_compliance::Enforcement,
    find::{Found, FoundComputer},
};

use super::status::WAY;
use crate::tests::{Stub, problem, session, text};

pub(super) const UPDATE: &str = "8f3c2a10-5b1e-4a3d-9c77-0d9f6a1b2c3d";
pub(super) const COLLECTION: &str = "3e2d1c0b-1111-4222-8333-444455556666";
pub(super) const GROUP: &str = "9a8b7c6d-2222-4333-8444-555566667777";
pub(super) const HOSTILE: &str = "<script>alert(1)</script>\"'&";

/// A deployment of an update to a collection of these names.
pub(super) fn deployment(name: &str) -> Value {
    json!({"id": 7, "name": name, "description": name, "update": {"id": UPDATE, "name": name}, "group": null, "revision": null,
        "collection": {"id": COLLECTION, "name": name}, "action": "install", "available": "2026-01-10T08:00:00Z",
        "deadline": "2999-01-01T00:00:00Z", "state": "active", "state_text": name,
        "content": {"files": 2, "files_present": 1, "bytes": 1_000_000, "bytes_present": 400_000, "without_source": 1},
        "members": null, "enabled": true, "settings": settings(), "origin": "local", "source": null,
        "created_at": "2026-01-10T07:00:00Z", "created_by": name})
}

pub(super) fn settings() -> Value {
    json!({"local_time": false, "outside_windows": false, "notifications": "all", "detail": "success_and_error",
        "commit_write_filter": true})
}

pub(super) fn standing(name: &str) -> Value {
    json!({"id": 7, "name": name, "collection": {"id": COLLECTION, "name": name}, "action": "install",
        "available": "2026-01-10T08:00:00Z", "deadline": null, "enabled": true, "updates": 1, "computers": 1200, "percent": 93.5,
        "statuses": {"compliant": 1122, "in_progress": 40, "error": 30, "unknown": 8},
        "enforcement": [{"enforcement": "failed", "status": "error", "computers": 30}],
        "silent": 50, "not_reporting": 7, "compliant_current": 1100, "rolled_up": "2026-01-10T06:00:00Z",
        "as_of": "2026-01-10T09:00:00Z"})
}

pub(super) fn computer(name: &str) -> Value {
    json!({"id": "pc-1", "name": name, "server": null, "status": "error", "enforcement": "failed", "error": "0x80070643",
        "last_contact": "2026-01-10T08:00:00Z", "last_report": null})
}

pub(super) fn collection(name: &str) -> Value {
    json!({"id": COLLECTION, "name": name, "parent": null, "built_in": false, "approved_only": false, "members": 120,
        "members_below": 120, "deployments": 1})
}

pub(super) fn list(items: &[Value]) -> Value {
    json!({"items": items, "next": null})
}

/// A list of deployments that go out, with how their computers stand.
pub(super) fn deployments(rows: &[Value]) -> Value {
    let items: Vec<Value> = rows
        .iter()
        .map(|row| {
            let mut row = row.clone();
            row["stage"] = json!("active");
            row["percent"] = json!(93.5);
            row["compliance"] = json!({"computers": 1200, "compliant": 1122, "in_progress": 40, "error": 30, "unknown": 8,
                "silent": 50, "not_reporting": 7, "compliant_current": 1100});
            row
        })
        .collect();
    let stages = json!({"active": items.len(), "waiting": 0, "expired": 0, "disabled": 0, "not_sent": 0});
    json!({"items": items, "total": items.len(), "stages": stages, "next": null})
}

fn update(name: &str) -> Value {
    let mut update = json!({"id": UPDATE, "revision": 200, "revision_id": 7, "type": "software", "title": name,
        "classification": null, "products": [], "kb": ["5034123"], "severity": "critical", "custom_severity": null,
        "max_run_time_minutes": 60, "created_at": null, "is_bundle": true, "deployable": true, "declined": false, "expired": false,
        "unresolved": false, "superseded": false, "size": 123_456_789, "revised_at": null, "deployments": 1, "needed": 43,
        "installed": 12, "failed": 3});
    let more = json!({"description": name, "more_info_urls": [], "support_url": null, "bulletins": [], "languages": [],
        "revisions": [200], "run_time_set": false, "metadata_only": false, "eula": {"id": UPDATE, "accepted": false}, "files": [],
        "prerequisites": [], "bundles": [], "bundled_in": [], "supersedes": [], "superseded_by": [], "lacks": [],
        "deployed": [deployment(name)]});
    update.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    update
}

pub(super) fn simulation(name: &str) -> Value {
    json!({"updates": 1, "not_sent": [{"reason": name, "updates": 2}], "computers": 120, "sets": 3, "changes": 118,
        "answers": [{"action": "install", "from": null, "deadline": "2999-01-01T00:00:00Z", "reason": name, "new": true,
            "answers": 120, "changed": 118}],
        "overruled_by": [{"deployment": 3, "action": "block", "collection": {"id": COLLECTION, "name": name}, "answers": 2}],
        "branches": [{"collections": [{"id": COLLECTION, "name": name}], "computers": 120, "new": true, "why": name}],
        "sample": [{"id": "pc-1", "name": name, "changes": 1}], "room": room(), "needing": 100, "bytes_for_computers": 5_000_000,
        "warnings": [name]})
}

pub(super) fn room() -> Value {
    json!({"files": 2, "bytes": 1_000_000, "files_here": 1, "bytes_here": 400_000, "bytes_to_fetch": 600_000, "bytes_pending": 0,
        "free_bytes": 9_000_000, "free_after": 8_400_000, "used_after": 1_000_000, "quota_bytes": null, "problem": null})
}

pub(super) fn next_window(name: &str) -> Value {
    json!({"computer": null, "collection": {"id": COLLECTION, "name": name}, "zone": "Europe/Amsterdam", "zone_from": "site",
        "unrestricted": false, "starts_at": "2999-01-02T21:00:00Z", "ends_at": "2999-01-03T00:00:00Z",
        "local_start": "2999-01-02 22:00", "minutes": 180, "open": false, "windows": [name]})
}

fn history(name: &str) -> Value {
    json!({"subject": {"kind": "update", "id": UPDATE, "collection": null, "name": name, "gone_at": null, "first_day": null,
        "last_day": null, "days": 2, "bytes": 10}, "time_zone": "Europe/Amsterdam", "kept_days": 400, "next": null,
        "items": [{"day": "2026-01-09", "counts": null, "computers": 10, "percent": 80.0},
            {"day": "2026-01-10", "counts": null, "computers": 10, "percent": 90.0}]})
}

fn template(name: &str) -> Value {
    json!({"id": GROUP, "name": "Servers", "template": {"action": "install", "collection": name, "available": null,
        "deadline": "+7d", "settings": settings()}, "problem": name, "from_parent": false, "changed_at": "2026-01-10T07:00:00Z",
        "changed_by": name})
}

fn stopped(name: &str) -> Value {
    json!({"update": {"id": UPDATE, "name": name}, "reason": name, "stopped_at": "2026-01-10T07:00:00Z", "stopped_by": name})
}

/// A REST interface in which everything is called so.
pub(super) fn stub(name: &str) -> Stub {
    let audit = json!({"id": 1, "at": "2026-01-10T07:00:00Z", "actor": name, "action": "deployment.create", "subject": "7",
        "detail": json!({"before": null, "after": name}).to_string()});
    let fact = json!({"name": "grace", "default": "false", "meaning": name, "honoured": "stored", "note": name});
    let stop = json!({"stop": stopped(name), "deployments": 2, "computers": 100, "installed": 5, "heard": 60, "not_yet_heard": 40,
        "at_risk": 25});
    Stub::new()
        .with("GET /deployments", &deployments(&[deployment(name)]))
        .with("GET /deployments/7", &deployment(name))
        .with("GET /deployments/7/members", &list(&[]))
        .with("GET /compliance/deployments", &list(&[standing(name)]))
        .with("GET /compliance/deployments/7", &standing(name))
        .with("GET /compliance/deployments/7/computers", &list(&[computer(name)]))
        .with("GET /compliance/history", &history(name))
        .with("GET /deployment-settings", &list(&[fact]))
        .with("GET /deployment-templates", &list(&[template(name)]))
        .with("GET /deployment-templates/Servers", &template(name))
        .with("GET /audit", &list(&[audit]))
        .with("GET /collections", &list(&[collection(name)]))
        .with("GET /groups", &list(&[]))
        .with(&format!("GET /updates/{UPDATE}"), &update(name))
        .with("GET /update-stops", &list(&[stopped(name)]))
        .with(&format!("GET /updates/{UPDATE}/stop"), &stop)
        .with("POST /deployments/simulation", &simulation(name))
        .with(
            "POST /deployments/preview",
            &json!({"room": room(), "files_elsewhere": 0, "files_left_out": 0, "without_source": 0}),
        )
        .with("GET /windows-next", &list(&[next_window(name)]))
}

/// The same for somebody who may only look.
pub(super) fn analyst(stub: Stub) -> Stub {
    stub.with("GET /session", &session("read_only_analyst"))
}

/// Where an answer leads to.
pub(super) fn location(response: &Response<Body>) -> String {
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    response.headers()[header::LOCATION].to_str().unwrap().to_owned()
}

/// That a page is there, says these things, and none of those.
pub(super) async fn says(stub: &Stub, address: &str, there: &[&str], not_there: &[&str]) {
    let (status, page) = stub.page(address).await;
    assert_eq!(status, StatusCode::OK, "{address}: {page}");
    for part in there {
        assert!(page.contains(part), "{part} in {address}: {page}");
    }
    for part in not_there {
        assert!(!page.contains(part), "{part} not in {address}: {page}");
    }
}

/// That nothing of what REST says becomes HTML, and that pages have neither style nor script of their own.
pub(super) async fn harmless(stub: &Stub, addresses: &[&str]) {
    for address in addresses {
        let (status, page) = stub.page(address).await;
        assert_eq!(status, StatusCode::OK, "{address}: {page}");
        assert!(!page.contains("<script>") && !page.contains(" style="), "{address}: {page}");
    }
}

#[tokio::test]
async fn deployments_are_listed_with_how_their_computers_stand() {
    let stub = stub("Pilot");
    let there = [
        "href=\"/deployments/7\"",
        "93.5\u{a0}%",
        "Compliant 1,122, In progress 40, Error 30, Unknown 8",
        "1,200",
        "formaction=\"/deployments/change\"",
        "href=\"/deployments/new\"",
        &format!("/computers/collections/{COLLECTION}"),
    ];
    says(&stub, "/deployments?sort=name:asc&text=pilot&action=install&view=past", &there, &[]).await;
    let asked = stub.asked();
    let lists: Vec<&String> = asked.iter().filter(|line| line.starts_with("GET /deployments?")).collect();
    assert_eq!(lists.len(), 1, "{asked:?}");
    for part in ["sort=name%3Aasc", "text=pilot", "action=install", "stage=expired", "compliance=true", "limit=25"] {
        assert!(lists[0].contains(part), "{part} in {}", lists[0]);
    }
    assert!(asked.iter().all(|line| !line.contains("/compliance/")), "one answer for all rows: {asked:?}");
    let none = stub.clone().with("GET /deployments", &deployments(&[]));
    says(&none, "/deployments?view=disabled", &["No deployment is switched off."], &["href=\"/deployments/7\""]).await;
    says(&none, "/deployments?text=nothing", &["No deployment is like this."], &["href=\"/deployments/7\""]).await;
    assert!(none.asked().iter().any(|line| line.contains("sort=created%3Adesc") && line.contains("text=nothing")));
    let request = Request::get("/deployments?format=csv&col=name&col=collection&col=standing").body(Body::empty());
    let response = stub.send(request.unwrap()).await;
    assert_eq!(text(response).await, "\u{feff}Name,Collection,Compliant\r\nPilot,Pilot,93.5\r\n");
}

#[tokio::test]
async fn an_empty_list_says_what_comes_next() {
    let empty = Stub::new().with("GET /deployments", &deployments(&[]));
    says(&empty, "/deployments", &["Nothing is deployed yet", "href=\"/deployments/new\""], &[]).await;
    says(&analyst(empty), "/deployments", &["Nothing is deployed yet"], &["href=\"/deployments/new\""]).await;
    let refused = problem(404, "not_found", "there is no collection \"x\"");
    let stub = Stub::new().refusing("GET /deployments", 404, refused);
    says(&stub, "/deployments?collection=x", &["there is no collection", "href=\"#f-collection\""], &[]).await;
}

#[tokio::test]
async fn a_deployment_has_a_tab_for_each_question() {
    let stub = stub("Pilot");
    let there = [
        "href=\"/deployments/7/edit\"",
        "status=error",
        "enforcement=failed",
        "0x80070643",
        "value=\"delete\"",
        "href=\"/deployments/stops/new?update=8f3c2a10",
        "Compliant with current reports: 1,100 of 1,122.",
        "href=\"/computers?f=collection%3APilot&amp;f=freshness%3Asilent\"",
        "50 computers have stopped calling",
        "7 computers call and have stopped reporting in full.",
        "up to 3 hours old",
    ];
    says(&stub, "/deployments/7", &there, &["asked about none"]).await;
    says(&stub, "/deployments/7?status=error", &["pc-1"], &[]).await;
    let asked = stub.asked();
    assert!(
        asked.iter().any(|line| line.starts_with("GET /compliance/deployments/7/computers?status=error")),
        "{asked:?}"
    );
    let waits = ["400\u{a0}kB", "1.0\u{a0}MB", "For 1 missing file no source is known"];
    says(&stub, "/deployments/7?tab=waits", &waits, &[]).await;
    says(&stub, "/deployments/7?tab=settings", &["Users see", "Everything"], &[]).await;
    says(&stub, "/deployments/7?tab=history", &["2026-01-10", "of one update no record is kept by collection"], &[])
        .await;
    says(&stub, "/deployments/7?tab=audit", &["Made", "Before and after"], &[]).await;
    let asked = stub.asked();
    assert!(asked.iter().any(|line| line.starts_with("GET /audit?action=deployment.&subject=7")), "{asked:?}");
    assert_eq!(stub.page("/deployments/7?tab=nothing").await.0, StatusCode::NOT_FOUND);
    assert_eq!(stub.page("/deployments/seven").await.0, StatusCode::NOT_FOUND);
}

/// Where a word stands in the list of the screen. A word that REST has more does not compile here.
fn place(enforcement: Enforcement) -> usize {
    match enforcement {
        Enforcement::Success => 0,
        Enforcement::NotApplicable => 1,
        Enforcement::NothingToEnforce => 2,
        Enforcement::PendingRestart => 3,
        Enforcement::Downloaded => 4,
        Enforcement::PendingInstallation => 5,
        Enforcement::WaitingForWindow => 6,
        Enforcement::WaitingForContent => 7,
        Enforcement::NotYetAvailable => 8,
        Enforcement::Disabled => 9,
        Enforcement::Overdue => 10,
        Enforcement::Failed => 11,
        Enforcement::NotEvaluated => 12,
        Enforcement::NeverReported => 13,
        Enforcement::NotAsked => 14,
    }
}

#[tokio::test]
async fn every_word_of_the_way_has_a_text_in_both_languages() {
    assert_eq!(WAY.map(place).to_vec(), (0..WAY.len()).collect::<Vec<_>>());
    let rows = WAY.map(|enforcement| json!({"enforcement": enforcement, "status": "unknown", "computers": 3}));
    let mut all = standing("Pilot");
    all["enforcement"] = json!(rows);
    let stub = stub("Pilot").with("GET /compliance/deployments/7", &all);
    for (language, not_asked) in [
        ("en", "3 computers are asked about none of the updates"),
        ("nl", "3 computers worden naar geen van de updates gevraagd"),
    ] {
        let request = Request::get("/deployments/7").header(header::ACCEPT_LANGUAGE, language).body(Body::empty());
        let page = text(stub.send(request.unwrap()).await).await;
        assert!(page.contains(not_asked), "{page}");
        for word in rows.iter().map(|row| row["enforcement"].as_str().unwrap()) {
            assert!(page.contains(&format!("<option value=\"{word}\">")), "{word} cannot be chosen: {page}");
            assert!(!page.contains(&format!(">{word}<")), "{word} has no text in {language}: {page}");
        }
    }
}

#[tokio::test]
async fn who_may_not_deploy_is_not_offered_it() {
    let stub = analyst(stub("Pilot"));
    let forbidden =
        ["formaction", "href=\"/deployments/new\"", "href=\"/deployments/7/edit\"", "/deployments/stops/new"];
    for address in ["/deployments", "/deployments/7", "/deployments/templates", "/deployments/stops"] {
        says(&stub, address, &[], &forbidden).await;
    }
    says(&stub, &format!("/deployments/stops/{UPDATE}"), &["Have heard"], &["/resume\""]).await;
}

#[tokio::test]
async fn whoever_is_limited_is_not_led_to_what_is_of_the_whole_site() {
    let mut limited = session("software_update_manager");
    limited["collections"] = json!([{"id": COLLECTION, "name": "Pilot"}]);
    let stub = stub("Pilot").with("GET /session", &limited);
    let whole = ["href=\"/deployments/phased\"", "href=\"/deployments/rules\"", "href=\"/deployments/templates\""];
    says(&stub, "/deployments", &["href=\"/deployments/windows\"", "href=\"/deployments/new\""], &whole).await;
    let not_there = ["tab=audit", "tab=history", "/deployments/stops/new", "/deployments/templates/new"];
    says(&stub, "/deployments/7", &["href=\"/deployments/7/edit\""], &not_there).await;
}

#[tokio::test]
async fn what_rest_says_stays_text() {
    let stub = stub(HOSTILE);
    let addresses = [
        "/deployments",
        "/deployments?text=%3Cscript%3E",
        "/deployments/7",
        "/deployments/7?tab=waits",
        "/deployments/7?tab=explain&computer=%3Cscript%3E",
        "/deployments/7?tab=settings",
        "/deployments/7?tab=history",
        "/deployments/7?tab=audit",
        "/deployments/7/edit",
        "/deployments/new",
        &format!("/deployments/new?update={UPDATE}&collection=%3Cscript%3E&name=%22%3E%3Cscript%3E"),
        "/deployments/templates",
        "/deployments/templates/new?from=7",
        "/deployments/templates/Servers",
        "/deployments/templates/Servers/delete",
        "/deployments/stops",
        "/deployments/stops/new",
        &format!("/deployments/stops/new?update={UPDATE}"),
        &format!("/deployments/stops/{UPDATE}"),
        &format!("/deployments/stops/{UPDATE}/resume"),
    ];
    harmless(&stub, &addresses).await;
}

#[tokio::test]
async fn times_that_computers_read_by_their_own_clock_say_so() {
    let mut local = deployment("Pilot");
    local["settings"]["local_time"] = json!(true);
    let stub = stub("Pilot").with("GET /deployments", &deployments(&[local]));
    says(&stub, "/deployments", &["2999-01-01 00:00 local time"], &[]).await;
}

#[tokio::test]
async fn many_are_changed_after_a_confirmation() {
    let became = json!({"matched": 1, "changed": 1, "unchanged": 0, "failed": 0, "preview": true,
        "items": [{"id": "7", "result": "changed", "code": null, "detail": null}]});
    let stub = stub("Pilot").with("POST /deployments-change", &became);
    let page = text(stub.form("/deployments/change", "ids=7&act=delete&from=%2Fdeployments").await).await;
    for part in ["1 deployment will be deleted", "1,200", "Type “Pilot” to confirm", "To undo:"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let previews = |stub: &Stub| stub.asked().iter().filter(|line| line.contains("deployments-change")).count();
    assert!(stub.asked().iter().all(|line| !line.contains("deployments-change") || line.contains("\"preview\":true")));
    let before = previews(&stub);
    let page = text(stub.form("/deployments/change", "ids=7&act=delete&sure=1&typed=other").await).await;
    assert!(page.contains("That is not what was to be typed."), "{page}");
    assert_eq!(previews(&stub), before + 1);
    let response =
        stub.form("/deployments/change", "ids=7&act=delete&sure=1&typed=pilot&from=%2Fdeployments%2F7").await;
    assert_eq!(location(&response), "/deployments");
    let asked = stub.asked();
    let line = "POST /deployments-change {\"ids\":[7],\"action\":\"delete\",\"preview\":false}";
    assert_eq!(asked.last().map(String::as_str), Some(line));
    let response = stub.form("/deployments/change", "act=enable&from=%2Fdeployments%3Fview%3Ddisabled").await;
    assert_eq!(location(&response), "/deployments?view=disabled");
}

#[tokio::test]
async fn an_explanation_finds_computers_by_name() {
    let computer = FoundComputer {
        id: "pc-1".to_owned(),
        name: "pc-1.example".to_owned(),
        address: None,
        last_contact: "2026-11-30T08:00:00Z".parse().unwrap(),
    };
    let found = json!(Found { computers: vec![computer], computers_total: 1, ..Found::default() });
    let stub = stub("Pilot").with("GET /search", &found);
    says(&stub, "/deployments/7?tab=explain&computer=pc", &["Which computer is meant?", "computer=pc-1"], &[]).await;
    let answer = json!({"computer": "pc-1", "update": {"id": UPDATE, "name": "Pilot"}, "sent": "install", "deployment": 7,
        "group_deployment": null, "deadline": null, "state": "required", "why": "first line\nsecond line"});
    let stub = stub.with("GET /deployments/explanation", &answer);
    let there = ["install it", "this deployment", "second line", "Required"];
    says(&stub, "/deployments/7?tab=explain&computer=pc-1", &there, &[]).await;
}

#[tokio::test]
async fn an_update_is_stopped_by_typing_its_article() {
    let stub = stub("Pilot");
    let page = stub.page(&format!("/deployments/stops/new?update={UPDATE}")).await.1;
    assert!(page.contains("Type “KB5034123” to confirm") && page.contains("will be stopped everywhere"), "{page}");
    let form = format!("update={UPDATE}&reason=breaks+printing");
    let page = text(stub.form("/deployments/stops/new", &format!("{form}&typed=x")).await).await;
    assert!(page.contains("That is not what was to be typed.") && page.contains("value=\"breaks printing\""), "{page}");
    let put = format!("PUT /updates/{UPDATE}/stop");
    let refused = stub.clone().refusing(&put, 400, problem(400, "reason", "reason must have 1 to 256 characters"));
    let page = text(refused.form("/deployments/stops/new", &format!("{form}&typed=kb5034123")).await).await;
    assert!(page.contains("id=\"e-reason\""), "{page}");
    let answer = json!({"stop": stopped("Pilot"), "deployments": 1, "computers": 1, "installed": 0, "heard": 0, "not_yet_heard": 1,
        "at_risk": 1});
    let stub = stub.with(&put, &answer).with(&format!("DELETE /updates/{UPDATE}/stop"), &Value::Null);
    let response = stub.form("/deployments/stops/new", &format!("{form}&typed=kb5034123")).await;
    assert_eq!(location(&response), format!("/deployments/stops/{UPDATE}"));
    assert!(stub.asked().last().unwrap().ends_with("{\"reason\":\"breaks printing\"}"));
    let response = stub.form(&format!("/deployments/stops/{UPDATE}/resume"), "").await;
    assert_eq!(location(&response), "/deployments/stops");
}
