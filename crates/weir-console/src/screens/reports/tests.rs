//! Reports as browsers get them.

use axum::body::Body;
use http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::tests::{Stub, problem, session, text};

const ID: &str = "8f3c2a10-5b1e-4a3d-9c77-0d9f6a1b2c3d";
const HOSTILE: &str = "<script>alert(1)</script>\"'&";

fn parameter(name: &str, kind: &str, required: bool, default: Option<&str>) -> Value {
    json!({"name": name, "kind": kind, "required": required, "default": default, "description": format!("what {name} is")})
}

fn column(id: &str, title: &str, kind: &str) -> Value {
    json!({"id": id, "title": title, "kind": kind, "unit": null})
}

fn definitions() -> Value {
    let mut state = parameter("state", "choice", true, None);
    state["choices"] = json!(["failed", "required"]);
    let mut days = parameter("days", "number", false, Some("30"));
    days["least"] = json!(1);
    days["most"] = json!(3650);
    let collection = || parameter("collection", "collection", false, Some("All Computers"));
    json!({"next": null, "items": [
        {"id": "compliance-overall", "number": "A1", "group": "compliance", "title": "Overall compliance", "description": HOSTILE,
            "parameters": [collection()], "columns": [], "drill": [{"report": "compliance-group-computers", "from": {"group": "group"}}]},
        {"id": "compliance-group-computers", "number": "A7", "group": "compliance", "title": "Computers in a state",
            "description": "Computers.", "parameters": [parameter("group", "update_group", true, None), state, collection()],
            "columns": [], "drill": []},
        {"id": "clients-silent", "number": "F2", "group": "further", "title": "Silent clients", "description": "Who was not heard of.",
            "parameters": [days], "columns": [], "drill": []}]})
}

fn answer() -> Value {
    json!({"report": "compliance-overall", "title": "Overall compliance", "parameters": {"collection": "Servers"},
        "server": "central", "as_of": "2026-11-30T09:00:00Z", "rolled_up": "2026-11-30T07:30:00Z", "notes": ["a note"],
        "columns": [column("group", "Group", "id"), column("group_name", "Name", "text"), column("computers", "Computers", "count"),
            column("failed", "Failed", "count"), column("percent", "% compliant", "percent"), column("last", "Latest", "time")],
        "rows": [
            {"group": "g-1", "group_name": HOSTILE, "computers": 12345, "failed": 3, "percent": 70.5, "last": "2026-11-29T08:00:00Z"},
            {"group": "g-2", "group_name": "Other", "computers": 10, "failed": 0, "percent": 100.0, "last": null}],
        "total": 2, "truncated": false})
}

fn schedule(name: &str) -> Value {
    json!({"id": ID, "name": name, "enabled": true, "report": "clients-silent", "parameters": {"days": "14"},
        "schedule": "weekly monday at 06:00", "description": "Every week on Monday at 06:00", "format": "csv", "limit": 50000,
        "addresses": ["ops@example.org"], "folder": "daily", "path": "/srv/reports/daily", "keep": 30,
        "next": "2026-12-07T06:00:00Z", "running": false, "failures": 1,
        "last": {"at": "2026-11-30T06:00:00Z", "rows": null, "total": null, "file": null, "error": "the mail server is silent"},
        "created_at": "2026-11-01T08:00:00Z", "created_by": "user:anna", "changed_at": "2026-11-02T08:00:00Z", "changed_by": "user:bob"})
}

fn stub() -> Stub {
    Stub::new()
        .with("GET /reports", &definitions())
        .with("GET /reports/compliance-overall", &answer())
        .with("GET /report-schedules", &json!({"items": [schedule("Silent")], "next": null}))
        .with(&format!("GET /report-schedules/{ID}"), &schedule("Silent"))
}

async fn good(stub: &Stub, address: &str) -> String {
    let (status, page) = stub.page(address).await;
    assert_eq!(status, StatusCode::OK, "{address}: {page}");
    page
}

fn has(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[tokio::test]
async fn reports_are_listed_by_group_and_found_by_words() {
    let page = good(&stub(), "/reports").await;
    has(
        &page,
        &["href=\"/reports/clients-silent\"", "Overall compliance", "1 schedule", "Asks for: Update group, State"],
    );
    assert!(!page.contains("<script>alert"), "{page}");
    let page = good(&stub(), "/reports?q=heard+silent").await;
    assert!(page.contains("/reports/clients-silent\"") && !page.contains("/reports/compliance-overall\""), "{page}");
    has(&good(&stub(), "/reports?q=nothing+like+it").await, &["No report says that of itself.", "href=\"/reports\""]);
}

#[tokio::test]
async fn what_must_be_given_is_asked_for_before_anything_is_computed() {
    let stub = stub();
    let page = good(&stub, "/reports/compliance-group-computers").await;
    has(&page, &["name=\"group\"", "name=\"state\"", "required", "what group is", "Empty: All Computers."]);
    assert!(!stub.asked().iter().any(|asked| asked.starts_with("GET /reports/")), "{:?}", stub.asked());
    assert_eq!(stub.page("/reports/unknown").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_answer_is_a_grid_that_leads_on() {
    let stub = stub();
    let page = good(&stub, "/reports/compliance-overall?collection=Servers").await;
    has(
        &page,
        &[
            "href=\"/updates/groups/g-1\"",
            "/reports/compliance-group-computers?collection=Servers&amp;group=g-1&amp;state=failed",
            "12,345",
            "class=\"amounts\"",
            "a note",
            "1 hour 30 minutes",
            "/reports/compliance-overall/file?collection=Servers&amp;format=csv",
            "/reports/schedules/new?report=compliance-overall&amp;collection=Servers",
        ],
    );
    assert!(!page.contains("<script>alert"), "{page}");
    let asked = stub.asked();
    assert!(asked.iter().any(|asked| asked == "GET /reports/compliance-overall?collection=Servers"), "{asked:?}");
    let request = Request::get("/reports/compliance-overall?format=csv").body(Body::empty()).unwrap();
    let csv = text(stub.send(request).await).await;
    assert!(csv.starts_with("\u{feff}Name,Computers,Failed,"), "{csv}");
}

#[tokio::test]
async fn a_refusal_stands_beside_its_parameter() {
    let refused = problem(400, "parameter", "the parameter days is \"x\"; it must be a whole number");
    let stub = stub().refusing("GET /reports/clients-silent", 400, refused);
    has(&good(&stub, "/reports/clients-silent?days=x").await, &["href=\"#f-days\"", "id=\"e-days\"", "value=\"x\""]);
}

#[tokio::test]
async fn files_are_passed_on_as_rest_makes_them() {
    let stub = stub().with("GET /reports/clients-silent", &json!("computer,name"));
    let get = |address: &str| Request::get(address).body(Body::empty()).unwrap();
    let response = stub.send(get("/reports/clients-silent/file?format=csv&days=14")).await;
    assert_eq!(response.headers()[header::CONTENT_DISPOSITION], "attachment; filename=\"clients-silent.csv\"");
    assert!(text(response).await.contains("computer,name"));
    let asked = stub.asked();
    assert!(
        asked.iter().any(|asked| asked == "GET /reports/clients-silent?days=14&format=csv&limit=50000"),
        "{asked:?}"
    );
    let response = stub.send(get("/reports/clients-silent/file?format=html")).await;
    assert!(response.headers().get(header::CONTENT_DISPOSITION).is_none(), "a page to print is looked at");
    assert_eq!(stub.page("/reports/clients-silent/file?format=exe").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn schedules_say_how_they_went() {
    let page = good(&stub(), "/reports/schedules").await;
    has(
        &page,
        &[
            "Silent",
            "Every week on Monday at 06:00",
            "the mail server is silent",
            "Failed",
            "Switch off",
            "New schedule",
        ],
    );
    let page = good(&stub(), &format!("/reports/schedules/{ID}")).await;
    has(&page, &["/srv/reports/daily", "ops@example.org", "value=\"06:00\"", "name=\"p-days\"", "Run now"]);
    let empty = stub().with("GET /report-schedules", &json!({"items": [], "next": null}));
    has(
        &good(&empty, "/reports/schedules").await,
        &["No report is made by itself yet.", "href=\"/reports/schedules/new\""],
    );
}

#[tokio::test]
async fn who_only_looks_is_offered_no_act() {
    let stub = stub().with("GET /session", &session("read_only_analyst"));
    let page = good(&stub, "/reports/schedules").await;
    assert!(!page.contains("formaction") && !page.contains("/reports/schedules/new"), "{page}");
    let page = good(&stub, &format!("/reports/schedules/{ID}")).await;
    assert!(!page.contains("name=\"act\"") && !page.contains("s-repeat"), "{page}");
    let page = good(&stub, "/reports/compliance-overall").await;
    assert!(!page.contains("/reports/schedules/new"), "{page}");
}

#[tokio::test]
async fn several_schedules_are_changed_after_a_confirmation() {
    let stub = stub().with(&format!("DELETE /report-schedules/{ID}"), &Value::Null);
    let form = format!("ids={ID}&act=delete&from=%2Freports%2Fschedules");
    let page = text(stub.form("/reports/schedules/change", &form).await).await;
    has(&page, &["1 schedule will be deleted.", "To undo:", "name=\"sure\" value=\"1\""]);
    assert!(!stub.asked().iter().any(|asked| asked.starts_with("DELETE")));
    let response = stub.form("/reports/schedules/change", &format!("{form}&sure=1")).await;
    assert_eq!(response.headers()[header::LOCATION], "/reports/schedules");
    assert!(stub.asked().iter().any(|asked| asked.starts_with(&format!("DELETE /report-schedules/{ID}"))));
}

#[tokio::test]
async fn a_schedule_is_made_of_what_was_filled_in() {
    let form = "name=Silent&p-days=14&s-repeat=weeks&s-every=1&s-weekdays=monday&s-at=06%3A00&format=csv&addresses=ops%40example.org&enabled=1";
    let to = "/reports/schedules/new?report=clients-silent";
    has(&good(&stub(), to).await, &["name=\"p-days\"", "name=\"s-repeat\"", "name=\"addresses\""]);
    let made = stub().with("POST /report-schedules", &schedule("Silent"));
    let response = made.form(to, form).await;
    assert_eq!(response.headers()[header::LOCATION], format!("/reports/schedules/{ID}").as_str());
    let asked = made.asked().into_iter().find(|asked| asked.starts_with("POST /report-schedules")).unwrap();
    for part in [
        "\"schedule\":\"weekly monday at 06:00\"",
        "\"parameters\":{\"days\":\"14\"}",
        "\"addresses\":[\"ops@example.org\"]",
    ] {
        assert!(asked.contains(part), "{part} in {asked}");
    }
    assert!(!asked.contains("folder"), "{asked}");
    let taken = problem(409, "exists", "there is a schedule of reports named \"Silent\" already");
    let page = text(stub().refusing("POST /report-schedules", 409, taken).form(to, form).await).await;
    has(&page, &["id=\"e-name\"", "value=\"Silent\"", "value=\"14\""]);
    let page = text(stub().form(to, &format!("{form}&keep=some")).await).await;
    has(&page, &["id=\"e-keep\"", "Give a whole number."]);
}

#[tokio::test]
async fn the_export_says_what_it_holds_and_is_refused_beside_its_field() {
    has(
        &good(&stub(), "/reports/exports").await,
        &["computer_id", "weir compliance export", "duckdb", "name=\"collection\""],
    );
    let stub =
        stub().refusing("GET /compliance/export", 404, problem(404, "not_found", "there is no collection \"x\""));
    has(&good(&stub, "/reports/exports/compliance.parquet?collection=x").await, &["id=\"e-collection\""]);
}

#[tokio::test]
async fn pages_speak_dutch() {
    let request = Request::get(format!("/reports/schedules/{ID}")).header(header::ACCEPT_LANGUAGE, "nl");
    let page = text(stub().send(request.body(Body::empty()).unwrap()).await).await;
    has(&page, &["Volgens schema", "Nu maken", "Op dagen van de week", "maandag"]);
}
