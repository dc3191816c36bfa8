//! The pages of this area as browsers get them.

mod collections;
mod stale;

use axum::body::Body;
use http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::tests::{Stub, problem, session, text};

const ID: &str = "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1";
const UPDATE: &str = "8f3c2a10-5b1e-4a3d-9c77-0d9f6a1b2c3d";
const RING: &str = "11111111-2222-4333-8444-555555555555";
const HOSTILE: &str = "<script>alert(1)</script>\"'&";

fn row(name: &str) -> Value {
    json!({"id": ID, "name": name, "address": "192.0.2.10", "os": "Windows Server 2022 (10.0.20348)", "architecture": "AMD64",
        "model": "Maker Box", "server": null, "collections": [{"id": RING, "name": "Ring 1"}], "first_seen": "2026-01-01T00:00:00Z",
        "last_contact": "2026-11-30T08:00:00Z", "last_sync": "2026-11-30T07:00:00Z", "last_report": "2026-11-30T07:05:00Z",
        "freshness": {"class": "current", "since": "2026-11-30T07:05:00Z", "scan": "completed", "scan_error": null},
        "plain_http": true, "compliant": false,
        "counts": {"unknown": 0, "not_applicable": 5, "required": 2, "downloaded": 1, "installed": 40, "failed": 1, "pending_restart": 0}})
}

fn states(failed: u64, required: u64, installed: u64) -> Value {
    json!({"unknown": 0, "not_applicable": 0, "required": required, "downloaded": 0, "installed": installed, "failed": failed, "pending_restart": 0})
}

fn listed(names: &[&str], next: Option<&str>) -> Value {
    json!({"items": names.iter().map(|name| row(name)).collect::<Vec<_>>(), "next": next})
}

fn collection(id: &str, name: &str, kind: &str, parent: Option<&str>) -> Value {
    json!({"id": id, "name": name, "parent": parent.map(|id| json!({"id": id, "name": "All Computers"})), "built_in": parent.is_none(),
        "approved_only": false, "members": 7, "members_below": 9, "deployments": 2, "kind": kind, "rule": null, "includes": [],
        "excludes": [], "limiting": null, "direct": 0, "time_zone": null, "description": null, "evaluating": null})
}

fn update(title: &str, state: &str, error: Option<&str>) -> Value {
    json!({"id": UPDATE, "revision": 200, "title": title, "kb": ["5034123"], "state": state, "since": "2026-11-12T00:00:00Z",
        "error": error, "error_meaning": error.map(|_| "it means something"), "deployment": 7, "why": "deployment 7 installs it"})
}

fn detail(name: &str) -> Value {
    let mut detail = row(name);
    let more = json!({"requested_groups": [name], "time_zone": null, "next_window": {"computer": ID, "collection": null, "zone": "Europe/Amsterdam",
            "zone_from": "site", "unrestricted": false, "starts_at": "2026-12-01T22:00:00Z", "ends_at": "2026-12-02T02:00:00Z",
            "local_start": "2026-12-01 23:00", "minutes": 240, "open": false, "windows": [name]},
        "needed": [update(name, "required", None)], "failed": [update(name, "failed", Some("0x80070005"))],
        "installed": [update("Installed one", "installed", None)]});
    detail.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    detail
}

/// A site with one collection and one computer of this name.
fn stub(name: &str) -> Stub {
    let roots = json!({"items": [collection(UPDATE, "All Computers", "target_group", None), collection(RING, "Ring 1", "target_group", Some(UPDATE))], "next": null});
    Stub::new()
        .with("GET /computers", &listed(&[name], Some("abc")))
        .with("GET /computers-counts", &json!({"computers": 4321, "compliant": 4000, "states": states(21, 300, 4000)}))
        .with("GET /computers/transport", &json!({"total": {"computers": 4321, "https": 4300, "http": 21,
            "http_recent": 20, "http_percent": 0.5}, "collections": [], "silent_days": 30, "as_of": "2026-11-30T08:00:00Z"}))
        .with("GET /collections", &roots)
        .with("GET /compliance/servers", &json!({"items": [], "next": null}))
        .with("GET /compliance/freshness", &json!({"computers": 4321, "silent_days": 30, "current_percent": 97.5,
            "classes": {"silent": 90, "scan_failed": 12, "never_scanned": 1, "never_reported": 2, "not_reporting": 3, "current": 4213},
            "scans": {"unknown": 1, "completed": 4300, "completed_with_errors": 8, "failed": 12},
            "errors": [{"code": "0x8024402c", "computers": 12}], "as_of": "2026-11-30T08:00:00Z"}))
        .with(&format!("GET /computers/{ID}"), &detail(name))
}

async fn page(stub: &Stub, address: &str) -> String {
    let (status, page) = stub.page(address).await;
    assert_eq!(status, StatusCode::OK, "{address}: {page}");
    page
}

fn holds(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[tokio::test]
async fn the_list_has_facets_order_and_pages_in_its_address() {
    let stub = stub("pc-1.example");
    let page = page(&stub, "/computers?sort=last_contact:desc&f=freshness:silent&state=failed&text=pc").await;
    holds(
        &page,
        &[
            &format!("href=\"/computers/{ID}\""),
            "pc-1.example",
            "21 rows",
            "aria-sort=\"descending\"",
            "cursor=abc",
            "href=\"/computers/collections/Ring%201\"",
            "value=\"move\"",
            "f=transport%3Ahttp\"",
        ],
    );
    let asked = stub.asked();
    let list = asked.iter().find(|asked| asked.starts_with("GET /computers?")).unwrap();
    for part in ["text=pc", "state=failed", "freshness=silent", "sort=last_contact%3Adesc", "limit=100"] {
        assert!(list.contains(part), "{part} in {list}");
    }
    assert!(asked.iter().any(|asked| asked.starts_with("GET /computers-counts?")
        && !asked.contains("state=")
        && !asked.contains("limit")));
}

#[tokio::test]
async fn of_a_facet_the_last_value_counts_and_further_pages_ask_for_rows_only() {
    let stub = stub("pc-1");
    page(&stub, "/computers?f=state:failed&f=state:required&cursor=abc").await;
    let asked = stub.asked();
    assert!(asked.iter().any(|asked| asked.starts_with("GET /computers?state=required")), "{asked:?}");
    assert!(
        !asked.iter().any(|asked| asked.contains("computers-counts") || asked.contains("/collections")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn an_empty_list_says_what_to_do_next() {
    let stub = stub("x").with("GET /computers", &listed(&[], None));
    holds(&page(&stub, "/computers").await, &["href=\"/settings/policy\"", "Make the policy"]);
    holds(&page(&stub, "/computers?text=nothing").await, &["No computer has all of this."]);
}

#[tokio::test]
async fn a_filter_narrows_the_list_and_a_refusal_is_beside_it() {
    let found = stub("pc-1");
    let shown = page(&found, "/computers?filter=server&f=state:failed&sort=name:asc").await;
    holds(&shown, &["pc-1", "21 rows", "rule=server", "value=\"server\"", "cursor=abc"]);
    let asked = found.asked();
    let list = asked.iter().find(|asked| asked.starts_with("GET /computers?")).unwrap();
    assert!(list.contains("filter=server&state=failed") && list.contains("sort=name%3Aasc"), "{list}");
    assert!(asked.iter().any(|asked| asked.starts_with("GET /computers-counts?filter=server")), "{asked:?}");
    let wrong = problem(400, "filter", "the filter is wrong at character 3: there is no field \"x\"");
    let refused = stub("x").refusing("GET /computers", 400, wrong);
    holds(
        &page(&refused, "/computers?filter=x").await,
        &["href=\"#f-filter\"", "the filter is wrong at character 3", "value=\"x\""],
    );
}

#[tokio::test]
async fn chosen_computers_are_retired_after_a_confirmation() {
    let preview = json!({"silent_days": null, "computers": 4321, "due": 1, "percent": 0.1, "recent": 0, "most": 432, "needs_confirmation": false,
        "by_rule": false, "first": [{"id": ID, "name": HOSTILE, "last_contact": "2026-01-01T00:00:00Z"}], "unchanged": 0, "failed": 1,
        "items": [{"id": ID, "result": "changed", "code": null, "detail": null},
            {"id": "gone", "result": "failed", "code": "not_found", "detail": "there is no computer gone"}]});
    let done = json!({"retired": 1, "computers": 4320, "unchanged": 0, "failed": 1, "items": []});
    let stub =
        stub("pc-1").with("POST /computers/retirement/preview", &preview).with("POST /computers/retirement", &done);
    holds(&page(&stub, "/computers").await, &["value=\"retire\""]);
    let form = format!("ids={ID}&ids=gone&act=retire&from=%2Fcomputers");
    let asked = text(stub.form("/computers/change", &form).await).await;
    holds(
        &asked,
        &["1 computer will be retired.", "&lt;script&gt;", "there is no computer gone", "name=\"due\" value=\"1\""],
    );
    assert!(!asked.contains("<script>"));
    assert!(stub.asked().iter().all(|line| !line.starts_with("POST /computers/retirement {")), "{:?}", stub.asked());
    // others are due by then: it is asked again
    let again = text(stub.form("/computers/change", &format!("{form}&sure=1&due=2")).await).await;
    holds(&again, &["1 computer will be retired."]);
    let response = stub.form("/computers/change", &format!("{form}&sure=1&due=1")).await;
    assert_eq!(response.headers()[header::LOCATION], "/computers/stale?tab=retired");
    let last = stub.asked().pop().unwrap();
    assert!(last.starts_with("POST /computers/retirement {") && last.contains("\"confirm\":1"), "{last}");
    assert!(last.contains(ID) && last.contains("gone"), "{last}");
}

#[tokio::test]
async fn what_computers_say_stays_text_everywhere() {
    let why = json!({"computer": ID, "update": {"id": UPDATE, "name": HOSTILE}, "sent": HOSTILE, "deployment": 7, "group_deployment": null,
        "deadline": null, "state": "required", "why": HOSTILE});
    let timeline = json!({"items": [{"at": "2026-11-30T08:00:00Z", "received_at": "2026-11-30T08:00:01Z", "event": 167, "text": HOSTILE,
        "update": {"id": UPDATE, "name": HOSTILE}, "revision": 200, "state": "installed", "error": null, "error_meaning": HOSTILE,
        "newest_only": false}], "next": null});
    let settings = json!({"collections": [], "warnings": [{"key": "a", "message": HOSTILE}], "settings": [{"key": "scan.schedule", "value": HOSTILE,
        "origin": "custom_set", "set": {"id": RING, "name": HOSTILE}, "priority": 1, "collections": [{"id": RING, "name": HOSTILE}],
        "beat": [{"set": HOSTILE, "priority": null, "value": HOSTILE}]}]});
    let cves = json!({"items": [{"cve": "CVE-2026-1234", "title": HOSTILE, "severity": "critical", "exploited": true, "state": "exposed",
        "reason": "needed", "text": HOSTILE, "update": null, "level": "breached", "since": null, "due_at": null}], "next": null});
    let stub = stub(HOSTILE)
        .with("GET /deployments/explanation", &why)
        .with(&format!("GET /computers/{ID}/timeline"), &timeline)
        .with(&format!("GET /computers/{ID}/client-settings"), &settings)
        .with(&format!("GET /exposure/computers/{ID}"), &cves);
    let tabs = [
        "",
        "?tab=updates",
        "?tab=why",
        "?tab=errors",
        "?tab=exposure",
        "?tab=collections",
        "?tab=timeline",
        "?tab=machine",
    ];
    let addresses = tabs.map(|tab| format!("/computers/{ID}{tab}"));
    let why = format!("/computers/{ID}?tab=why&update={UPDATE}");
    for address in addresses.iter().chain([
        &why,
        &"/computers".to_owned(),
        &"/computers?text=%3Cscript%3E&f=%3Cscript%3E:%3Cscript%3E".to_owned(),
    ]) {
        let page = page(&stub, address).await;
        assert!(!page.contains("<script>"), "{address}: {page}");
        assert!(page.contains("&lt;script&gt;") && !page.contains(" style="), "{address}: {page}");
    }
}

#[tokio::test]
async fn one_computer_shows_what_it_misses_with_deployment_and_deadline() {
    let deployment = json!({"id": 7, "name": "November", "description": "", "update": null, "group": null, "revision": null,
        "collection": {"id": RING, "name": "Ring 1"}, "action": "install", "available": "2026-11-12T00:00:00Z", "deadline": "2026-11-20T12:00:00Z",
        "state": "active", "state_text": "active", "content": {"files": 0, "files_present": 0, "bytes": 0, "bytes_present": 0, "without_source": 0},
        "members": null, "enabled": true, "settings": {}, "origin": "local", "source": null, "created_at": "2026-11-12T00:00:00Z", "created_by": "anna"});
    let stub = stub("pc-1.example").with("GET /deployments/7", &deployment);
    let shown = page(&stub, &format!("/computers/{ID}")).await;
    holds(
        &shown,
        &[
            "<h1>pc-1.example</h1>",
            "November",
            "2026-11-20 12:00",
            "deployment 7 installs it",
            "state-failed",
            "tab=why&amp;update=",
            "value=\"delete\"",
        ],
    );
    assert_eq!(
        stub.asked().iter().filter(|asked| asked.starts_with("GET /deployments/7")).count(),
        1,
        "once for both updates"
    );
    let csv = stub
        .send(Request::get(format!("/computers/{ID}?format=csv&col=title&col=state")).body(Body::empty()).unwrap())
        .await;
    assert_eq!(csv.headers()[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    assert!(text(csv).await.contains("pc-1.example,failed\r\npc-1.example,required\r\n"));
    let updates = page(&stub, &format!("/computers/{ID}?tab=updates&state=installed")).await;
    holds(&updates, &["Installed one", "40"]);
    let unknown = page(&stub, &format!("/computers/{ID}?tab=updates&state=not_applicable")).await;
    holds(&unknown, &["only the number is known"]);
    assert_eq!(stub.page(&format!("/computers/{ID}?tab=x")).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_zone_is_changed_and_a_refusal_is_beside_its_field() {
    let address = format!("/computers/{ID}/zone");
    let changed =
        stub("pc-1").with(&format!("PATCH /computers/{ID}"), &json!({"id": ID, "time_zone": "Europe/Amsterdam"}));
    let response = changed.form(&address, "time_zone=Europe%2FAmsterdam").await;
    assert_eq!(
        (response.status(), response.headers()[header::LOCATION].to_str().unwrap()),
        (StatusCode::SEE_OTHER, format!("/computers/{ID}?tab=machine").as_str())
    );
    let refused = stub("pc-1").refusing(
        &format!("PATCH /computers/{ID}"),
        400,
        problem(400, "time_zone", "\"Mars\" is no time zone"),
    );
    let page = text(refused.form(&address, "time_zone=Mars").await).await;
    holds(&page, &["e-time_zone", "is no time zone", "value=\"Mars\""]);
}

#[tokio::test]
async fn computers_go_into_a_collection_after_it_is_chosen_and_confirmed() {
    let preview = json!({"matched": 1, "changed": 1, "unchanged": 0, "failed": 0, "preview": true, "items": [{"id": ID, "result": "changed", "code": null, "detail": null}]});
    let stub = stub("pc-1").with("POST /computers-change", &preview);
    let form = format!("ids={ID}&act=add&from=%2Fcomputers%3Ff%3Dstate%253Afailed");
    let first = text(stub.form("/computers/change", &form).await).await;
    holds(&first, &["1 computer is chosen.", "name=\"collection\"", "Ring 1", "pc-1"]);
    assert!(!first.contains("All Computers</option>"));
    assert!(stub.asked().iter().all(|asked| !asked.contains("computers-change")));
    let chosen = format!("{form}&collection=Ring+1");
    let second = text(stub.form("/computers/change", &chosen).await).await;
    holds(
        &second,
        &["1 computer will be put into Ring 1.", "To undo:", "name=\"sure\" value=\"1\"", "name=\"count\" value=\"1\""],
    );
    assert!(
        stub.asked()
            .iter()
            .filter(|asked| asked.contains("computers-change"))
            .all(|asked| asked.contains("\"preview\":true"))
    );
    let done = stub.form("/computers/change", &format!("{chosen}&count=1&sure=1")).await;
    assert_eq!(done.headers()[header::LOCATION], "/computers?f=state%3Afailed");
    let last = stub.asked().pop().unwrap();
    assert!(
        last.contains("\"action\":\"add_to\"")
            && last.contains("\"collection\":\"Ring 1\"")
            && last.contains("\"preview\":false"),
        "{last}"
    );
}

#[tokio::test]
async fn all_of_a_filter_are_done_by_filter_and_asked_again_if_they_are_others() {
    let changed = json!({"matched": 4321, "changed": 4321, "unchanged": 0, "failed": 0, "preview": false, "items": []});
    let stub = stub("pc-1").with("POST /computers-change", &changed);
    let form = "all=1&act=remove&collection=Ring+1&from=%2Fcomputers%3Ff%3Dcollection%253ARing%2B1&sure=1";
    let again = text(stub.form("/computers/change", &format!("{form}&count=4000")).await).await;
    holds(&again, &["4,321 computers will be taken out of Ring 1."]);
    let done = stub.form("/computers/change", &format!("{form}&count=4321")).await;
    assert_eq!(done.status(), StatusCode::SEE_OTHER);
    let last = stub.asked().pop().unwrap();
    assert!(last.contains("\"filter\":{\"collection\":\"Ring 1\"}") && !last.contains("\"ids\""), "{last}");
}

#[tokio::test]
async fn all_of_a_page_that_is_no_list_is_only_what_is_selected() {
    let stub = stub("pc-1");
    let page = text(
        stub.form("/computers/change", &format!("all=1&ids={ID}&act=delete&from=%2Fcomputers%2Fstale%3Ftab%3Dsilent"))
            .await,
    )
    .await;
    holds(&page, &["1 computer will be forgotten", "Type “pc-1” to confirm"]);
    let none = stub.form("/computers/change", "all=1&act=delete&from=%2Fcomputers%2Fstale").await;
    assert_eq!(none.headers()[header::LOCATION], "/computers/stale");
    let foreign = stub.form("/computers/change", "act=delete&from=%2F%2Fevil.example").await;
    assert_eq!(foreign.headers()[header::LOCATION], "/");
}

#[tokio::test]
async fn deleting_wants_the_name_typed_and_tells_what_was_refused() {
    let part = json!({"matched": 1, "changed": 0, "unchanged": 0, "failed": 1, "preview": false,
        "items": [{"id": ID, "result": "failed", "code": "other", "detail": HOSTILE}]});
    let stub = stub("pc-1").with("POST /computers-change", &part);
    let form = format!("ids={ID}&act=delete&from=%2Fcomputers&sure=1&count=1");
    let wrong = text(stub.form("/computers/change", &format!("{form}&typed=pc-2")).await).await;
    holds(&wrong, &["That is not what was asked for"]);
    assert!(stub.asked().iter().all(|asked| !asked.contains("computers-change")));
    let refused = text(stub.form("/computers/change", &format!("{form}&typed=PC-1")).await).await;
    holds(&refused, &["0 of 1 computers were changed.", "&lt;script&gt;"]);
}

#[tokio::test]
async fn who_may_not_is_not_offered() {
    let stub = stub("pc-1").with("GET /session", &session("read_only_analyst"));
    for address in [
        "/computers".to_owned(),
        format!("/computers/{ID}"),
        format!("/computers/{ID}?tab=machine"),
        "/computers/collections".to_owned(),
    ] {
        let page = page(&stub, &address).await;
        for forbidden in ["formaction", "name=\"act\"", "name=\"time_zone\"", "/computers/collections/new\""] {
            assert!(!page.contains(forbidden), "{forbidden} at {address}: {page}");
        }
    }
    let operator = self::stub("pc-1").with("GET /session", &session("operator"));
    let page = page(&operator, &format!("/computers/{ID}")).await;
    assert!(page.contains("value=\"delete\"") && !page.contains("value=\"move\""), "{page}");
}

#[tokio::test]
async fn the_list_speaks_dutch() {
    let stub = stub("pc-1");
    let request = Request::get("/computers").header(header::ACCEPT_LANGUAGE, "nl").body(Body::empty()).unwrap();
    holds(&text(stub.send(request).await).await, &["Besturingssysteem", "Verplaatsen", "4.321 rijen"]);
}
