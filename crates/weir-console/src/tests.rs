//! The pages as browsers get them, over a REST interface that answers fixed JSON.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body, response::IntoResponse};
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use weir_api::{PREFIX, compliance::Summary, computer::StateCounts};

use crate::{Options, assets};

/// A REST interface that answers what it was told to, and remembers what it was asked.
#[derive(Clone, Default)]
pub(crate) struct Stub {
    answers: HashMap<String, (u16, Value)>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    /// A server with a catalogue and computers, asked by a full administrator.
    pub(crate) fn new() -> Self {
        let steps: Vec<Value> = ["sync", "select", "computers", "collection", "deploy", "content"]
            .map(|name| json!({"name": name, "title": name, "done": true, "command": "weir status"}))
            .to_vec();
        Self::default()
            .with("GET /session", &session("full_administrator"))
            .with("GET /status", &json!({
                "version": "0.0.0", "server_id": "0190a6e4-6f5e-7c2b-9a51-3a1f0c5d0001", "started_at": "2026-11-30T08:00:00Z",
                "as_of": "2026-11-30T09:00:00Z", "endpoints": {"pid": 1, "client_http": "http://127.0.0.1:8530"},
                "counts": {"revisions": 30, "updates": 20, "unresolved": 0, "products_selected": 1, "classifications_selected": 1,
                    "collections": 3, "deployments": 2, "computers": 12_345, "computers_plain_http": 0, "content_files": 0,
                    "content_bytes": 0, "content_waiting": 0, "alerts": 0},
                "snapshot": {"change": 1, "revisions": 30, "live": 20}, "steps": steps}))
            .with("GET /alert-counts", &json!({"open": 1, "critical": 1, "warning": 0, "information": 0, "acknowledged": 0, "muted": 0, "kinds": []}))
            .with("GET /sync", &json!({"source": "microsoft", "parent": null, "current": null, "last": null, "last_success": null,
                "schedule": null, "next": null, "products": 1, "classifications": 1, "next_step": null}))
            .with("GET /sites", &json!({"items": [], "next": null}))
    }

    /// Answers `METHOD /path` with this.
    pub(crate) fn with(self, what: &str, answer: &Value) -> Self {
        self.refusing(what, 200, answer.clone())
    }

    /// Answers `METHOD /path` with this status and JSON.
    pub(crate) fn refusing(mut self, what: &str, status: u16, answer: Value) -> Self {
        self.answers.insert(what.to_owned(), (status, answer));
        self
    }

    /// What was asked, in order, with the query and the body.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// What a request is answered with by the console over it.
    pub(crate) async fn send(&self, request: Request<Body>) -> Response<Body> {
        let stub = self.clone();
        let api = Router::new().fallback(move |request: Request<Body>| stub.clone().answer(request));
        let options = Options { version: "0.0.0", ..Options::default() };
        crate::router(api, options).oneshot(request).await.unwrap()
    }

    /// A page: its status and HTML.
    pub(crate) async fn page(&self, address: &str) -> (StatusCode, String) {
        let response = self.send(Request::get(address).body(Body::empty()).unwrap()).await;
        let status = response.status();
        (status, text(response).await)
    }

    /// A form that is sent.
    pub(crate) async fn form(&self, address: &str, form: &str) -> Response<Body> {
        let media = "application/x-www-form-urlencoded";
        let request = Request::post(address).header(header::CONTENT_TYPE, media).body(Body::from(form.to_owned()));
        self.send(request.unwrap()).await
    }

    async fn answer(self, request: Request<Body>) -> Response<Body> {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let caller = request.extensions().get::<Caller>().is_some();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let path = uri.path().strip_prefix(PREFIX).unwrap_or("not below the prefix");
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let who = if caller { " as caller" } else { "" };
        let line = format!("{method} {path}{query} {}{who}", String::from_utf8_lossy(&body));
        self.asked.lock().unwrap().push(line.trim_end().to_owned());
        let missing = || (404, problem(404, "not_found", "there is no such thing"));
        let (status, answer) = self.answers.get(&format!("{method} {path}")).cloned().unwrap_or_else(missing);
        let mut response = (StatusCode::from_u16(status).unwrap(), answer.to_string()).into_response();
        if (method == Method::POST && path == "/session") || path == "/session/password" {
            response
                .headers_mut()
                .insert(header::SET_COOKIE, "__Host-weir=secret; Path=/; HttpOnly; Secure".parse().unwrap());
        }
        response
    }
}

#[derive(Clone)]
struct Caller;

/// The text of an answer.
pub(crate) async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

/// A session of this role.
pub(crate) fn session(role: &str) -> Value {
    json!({"principal": "user:anna", "display_name": "Anna", "role": role, "collections": [], "proof": "session",
        "expires_at": null, "last_visit": "2026-11-29T16:00:00Z"})
}

/// How computers stand, of which so many need something, fail, and have all. Two are silent, one does not report, and servers below
/// told of theirs three hours before. Made of the type itself: what REST says more does not compile here.
pub(crate) fn summary(required: u64, failed: u64, installed: u64) -> Value {
    let computers = required + failed + installed;
    let summary = Summary {
        computers,
        compliant: installed,
        percent: (computers > 0).then(|| (installed as f64 * 1000.0 / computers as f64).round() / 10.0),
        counts: StateCounts { required, failed, installed, ..StateCounts::default() },
        not_asked: 0,
        silent: 2,
        not_reporting: 1,
        compliant_current: installed.saturating_sub(3),
        rolled_up: Some("2026-11-30T06:00:00Z".parse().unwrap()),
        as_of: "2026-11-30T09:00:00Z".parse().unwrap(),
    };
    serde_json::to_value(summary).unwrap()
}

/// A refusal.
pub(crate) fn problem(status: u16, code: &str, detail: &str) -> Value {
    json!({"status": status, "code": code, "title": "Refused", "detail": detail, "next_step": null})
}

const UPDATE: &str = "8f3c2a10-5b1e-4a3d-9c77-0d9f6a1b2c3d";

fn row(title: &str) -> Value {
    json!({"id": UPDATE, "revision": 200, "revision_id": 7, "type": "software", "title": title,
        "classification": {"id": UPDATE, "name": "Security Updates"}, "products": [], "kb": ["5034123"], "severity": "critical",
        "custom_severity": null, "max_run_time_minutes": 60, "created_at": "2026-11-10T18:00:00Z", "is_bundle": true,
        "deployable": true, "declined": false, "expired": false, "unresolved": false, "superseded": false, "size": 123_456_789,
        "revised_at": null, "deployments": 1, "needed": 4321, "installed": 12, "failed": 3})
}

fn updates(title: &str) -> Value {
    json!({"items": [row(title)], "updates": 250, "total": 300, "facets": null, "next": "abc", "counts": [
        {"field": "severity", "values": [{"value": "critical", "name": "critical", "updates": 9}], "more": 0}]})
}

const HOSTILE: &str = "<script>alert(1)</script>\"'&";

#[tokio::test]
async fn a_list_is_a_page_with_its_state_in_the_address() {
    let stub = Stub::new().with("GET /updates", &updates("Cumulative update"));
    let (status, page) = stub.page("/updates?sort=needed:desc&f=severity:critical&view=needed").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    for part in [
        "<title>Updates · Weir</title>",
        "href=\"/updates/8f3c2a10-5b1e-4a3d-9c77-0d9f6a1b2c3d\"",
        "4,321",
        "aria-sort=\"descending\"",
        "sort=needed%3Aasc",
        "cursor=abc",
        "250 rows",
        "12,345",
        "Take decline back",
    ] {
        let part = part.replace("12,345", "12\u{202f}k");
        assert!(page.contains(&part), "{part} in {page}");
    }
    let asked = stub.asked().into_iter().find(|asked| asked.starts_with("GET /updates")).unwrap();
    assert!(asked.contains("sort=needed%3Adesc") && asked.contains("severity+%3D+%22critical%22"), "{asked}");
}

#[tokio::test]
async fn what_computers_and_catalogues_say_is_escaped() {
    let detail = {
        let mut detail = row(HOSTILE);
        let more = json!({"description": HOSTILE, "more_info_urls": ["javascript:alert(1)", "https://x.example/\"><script>"],
            "support_url": null, "bulletins": [HOSTILE], "languages": [], "revisions": [200], "run_time_set": false,
            "metadata_only": false, "eula": null, "files": [], "prerequisites": [[{"id": UPDATE, "name": HOSTILE}]],
            "bundles": [], "bundled_in": [], "supersedes": [], "superseded_by": [], "lacks": [], "deployed": []});
        detail.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        detail
    };
    let stub = Stub::new().with("GET /updates", &updates(HOSTILE)).with(&format!("GET /updates/{UPDATE}"), &detail);
    for address in [
        "/updates",
        "/updates?q=%3Cscript%3E&text=%22%3E%3Cscript%3E",
        &format!("/updates/{UPDATE}"),
        &format!("/updates/{UPDATE}?tab=relations"),
        "/search?q=%3Cscript%3Ealert(1)%3C/script%3E",
    ] {
        let (status, page) = stub.page(address).await;
        assert_eq!(status, StatusCode::OK, "{address}: {page}");
        assert!(!page.contains("<script>"), "{address}: {page}");
        assert!(!page.contains("href=\"javascript:"), "{address}");
    }
}

#[tokio::test]
async fn pages_have_no_inline_style_or_script_and_a_strict_policy() {
    let stub = Stub::new().with("GET /updates", &updates("x"));
    for address in ["/updates", "/help", "/about", "/sign-in", "/search", "/nothing"] {
        let response = stub.send(Request::get(address).body(Body::empty()).unwrap()).await;
        assert_eq!(response.headers()[header::CONTENT_SECURITY_POLICY], crate::POLICY);
        let page = text(response).await;
        assert!(!page.contains(" style=") && !page.contains("<style"), "{address}");
        assert_eq!(page.matches("<script").count(), page.matches("<script type=\"module\" src=\"/assets/").count());
        let handlers = ["onclick=", "onload=", "onsubmit=", "onchange=", "oninput="];
        assert!(handlers.iter().all(|handler| !page.contains(handler)), "{address}");
    }
    assert!(!crate::POLICY.contains("unsafe"));
}

#[tokio::test]
async fn failures_have_pages_of_their_own() {
    let id = "00000000-0000-0000-0000-000000000000";
    let stub = Stub::new()
        .refusing(&format!("GET /updates/{id}"), 403, problem(403, "forbidden", "the collection is not yours"))
        .with("GET /updates", &json!({"items": "not a list"}));
    let (status, page) = stub.page("/nothing").await;
    assert!(status == StatusCode::NOT_FOUND && page.contains("There is no such page"), "{page}");
    let (status, page) = stub.page("/updates/unknown").await;
    assert!(status == StatusCode::NOT_FOUND && page.contains("there is no such thing"), "{page}");
    let (status, page) = stub.page(&format!("/updates/{id}")).await;
    assert!(status == StatusCode::FORBIDDEN && page.contains("the collection is not yours"), "{page}");
    let (status, page) = stub.page("/updates").await;
    assert!(status == StatusCode::INTERNAL_SERVER_ERROR && page.contains("<code>"), "{page}");
    let (status, page) = stub
        .with("GET /updates", &Value::Null)
        .refusing("GET /updates", 400, problem(400, "filter", "the filter cannot be read"))
        .page("/updates?filter=x")
        .await;
    assert!(
        status == StatusCode::OK && page.contains("href=\"#f-filter\"") && page.contains("the filter cannot be read"),
        "{page}"
    );
}

#[tokio::test]
async fn who_may_not_change_is_not_offered_it() {
    let stub = Stub::new().with("GET /updates", &updates("x")).with("GET /session", &session("read_only_analyst"));
    let (_, page) = stub.page("/updates").await;
    assert!(!page.contains("formaction") && !page.contains("type=\"checkbox\" name=\"id\""), "{page}");
}

#[tokio::test]
async fn the_caller_of_the_outer_request_goes_along() {
    let stub = Stub::new().with("GET /updates", &updates("x"));
    let mut request = Request::get(format!("/updates/{UPDATE}")).body(Body::empty()).unwrap();
    request.extensions_mut().insert(Caller);
    stub.send(request).await;
    let asked = stub.asked();
    assert!(!asked.is_empty() && asked.iter().all(|line| line.ends_with("as caller")), "{asked:?}");
}

#[tokio::test]
async fn without_a_session_one_signs_in_and_comes_back() {
    let refused = problem(401, "unauthorized", "no session");
    let stub = Stub::new().refusing("GET /session", 401, refused.clone()).with("POST /session", &session("operator"));
    let response = stub.send(Request::get("/updates?f=type:driver").body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let sign_in = response.headers()[header::LOCATION].to_str().unwrap().to_owned();
    assert_eq!(sign_in, "/sign-in?to=%2Fupdates%3Ff%3Dtype%253Adriver");
    let (status, page) = stub.page(&sign_in).await;
    assert!(status == StatusCode::OK && page.contains("value=\"/updates?f=type%3Adriver\""), "{page}");
    let response = stub.form("/sign-in", "name=anna&password=secret&to=%2Fupdates").await;
    assert_eq!(response.headers()[header::LOCATION], "/updates");
    assert!(response.headers()[header::SET_COOKIE].to_str().unwrap().starts_with("__Host-weir=secret"));
    let response = stub.form("/sign-in", "name=anna&password=secret&to=%2F%2Fevil.example").await;
    assert_eq!(response.headers()[header::LOCATION], "/");
    let response = stub.refusing("POST /session", 401, refused).form("/sign-in", "name=anna&password=secret").await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let page = text(response).await;
    assert!(
        page.contains("No user has this name") && page.contains("value=\"anna\"") && !page.contains("secret"),
        "{page}"
    );
}

#[tokio::test]
async fn a_change_of_many_is_confirmed_and_then_told() {
    let changed = json!({"matched": 1, "changed": 1, "left_out": 0, "preview": true, "samples": [{"id": UPDATE, "name": "Cumulative"}]});
    let stub = Stub::new().with("POST /updates-change", &changed);
    let form = format!("id={UPDATE}&act=decline&from=%2Fupdates%3Fview%3Dneeded");
    let page = text(stub.form("/updates/change", &form).await).await;
    assert!(
        page.contains("1 update will be declined") && page.contains("Cumulative") && page.contains("To undo:"),
        "{page}"
    );
    assert!(stub.asked().iter().all(|asked| !asked.contains("updates-change") || asked.contains("\"preview\":true")));
    let response = stub.form("/updates/change", &format!("{form}&sure=1")).await;
    assert_eq!(
        (response.status(), response.headers()[header::LOCATION].to_str().unwrap()),
        (StatusCode::SEE_OTHER, "/updates?view=needed")
    );
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let stub = stub.with("GET /updates", &updates("x"));
    let request = Request::get("/updates").header(header::COOKIE, cookie).body(Body::empty()).unwrap();
    let response = stub.send(request).await;
    assert!(response.headers()[header::SET_COOKIE].to_str().unwrap().starts_with("weir-flash=; Path=/; Max-Age=0"));
    let page = text(response).await;
    assert!(page.contains("1 update was changed."), "{page}");
    let request = Request::get("/help").header(header::COOKIE, "weir-flash=_=%3Cscript%3E.flash.x").body(Body::empty());
    assert!(!text(stub.send(request.unwrap()).await).await.contains("<script>"));
}

#[tokio::test]
async fn an_empty_server_shows_the_first_day() {
    let stub = Stub::new();
    let mut status = stub.answers["GET /status"].1.clone();
    status["counts"]["revisions"] = json!(0);
    status["steps"][0]["done"] = json!(false);
    let (code, page) = stub.with("GET /status", &status).page("/").await;
    assert_eq!(code, StatusCode::OK);
    for part in
        ["First day", "action=\"/first-day/synchronize\"", "Without a connection", "href=\"/infrastructure/import\""]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[tokio::test]
async fn the_overview_says_what_its_figures_are_worth() {
    let freshness = json!({"computers": 10, "silent_days": 30, "current_percent": 70.0, "errors": [], "as_of": "2026-11-30T09:00:00Z",
        "classes": {"silent": 2, "scan_failed": 0, "never_scanned": 0, "never_reported": 0, "not_reporting": 1, "current": 7},
        "scans": {"unknown": 0, "completed": 10, "completed_with_errors": 0, "failed": 0}});
    let stub =
        Stub::new().with("GET /compliance/summary", &summary(1, 1, 8)).with("GET /compliance/freshness", &freshness);
    let (status, page) = stub.page("/").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    for part in [
        "80.0\u{a0}%",
        "8 of 10 computers",
        "Compliant with current reports: 5 of 8.",
        "2 computers have stopped calling",
        "1 computer calls and has stopped reporting in full.",
        "Figures of servers below are up to 3 hours old.",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("asked about none"), "{page}");
    // nobody is asked about anything: there is no share, and it is said why
    let mut nobody = summary(0, 0, 0);
    for (name, value) in [("computers", json!(4)), ("not_asked", json!(4)), ("rolled_up", Value::Null)] {
        nobody[name] = value;
    }
    let request = Request::get("/").header(header::ACCEPT_LANGUAGE, "nl").body(Body::empty()).unwrap();
    let page = text(stub.with("GET /compliance/summary", &nobody).send(request).await).await;
    assert!(
        page.contains("4 computers worden naar geen van de updates gevraagd") && page.contains("0 van 4"),
        "{page}"
    );
    assert!(!page.contains("actuele meldingen") && !page.contains("onderliggende servers"), "{page}");
}

#[tokio::test]
async fn pages_speak_the_language_of_the_visitor() {
    let stub = Stub::new().with("GET /updates", &updates("x"));
    let request = |name: header::HeaderName, value: &str| {
        Request::get("/updates").header(name, value).body(Body::empty()).unwrap()
    };
    let dutch = text(stub.send(request(header::ACCEPT_LANGUAGE, "nl-NL,nl;q=0.9")).await).await;
    assert!(
        dutch.contains("<html lang=\"nl\"") && dutch.contains("Weigering terugnemen") && dutch.contains("4.321"),
        "{dutch}"
    );
    let chosen = text(stub.send(request(header::COOKIE, "weir-language=nl; weir-theme=dark")).await).await;
    assert!(chosen.contains("<html lang=\"nl\" data-theme=\"dark\""));
    let response = stub.form("/preferences", "language=nl&theme=dark&to=%2Fupdates").await;
    assert_eq!(response.headers().get_all(header::SET_COOKIE).iter().count(), 2);
    let response = stub.form("/preferences", "language=x%0D%0A&theme=purple").await;
    assert_eq!(response.headers().get_all(header::SET_COOKIE).iter().count(), 0);
}

#[tokio::test]
async fn csv_has_the_columns_that_are_shown() {
    let mut list = updates("=1+1");
    list["next"] = Value::Null;
    let stub = Stub::new().with("GET /updates", &list);
    let response =
        stub.send(Request::get("/updates?format=csv&col=title&col=needed").body(Body::empty()).unwrap()).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    assert_eq!(text(response).await, "\u{feff}Title,Needed\r\n'=1+1,4321\r\n");
}

#[tokio::test]
async fn assets_are_small_immutable_and_compressed() {
    let assets = assets::Assets::new();
    assert!(assets.sent() < 60_000, "{} bytes of style and script", assets.sent());
    assert!(assets::MODULE.lines().count() < 500);
    let stub = Stub::new();
    for address in [assets.style(), assets.module()] {
        let request =
            Request::get(address).header(header::ACCEPT_ENCODING, "br, gzip;q=0.8").body(Body::empty()).unwrap();
        let response = stub.send(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
        assert!(response.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    }
    assert_eq!(stub.page("/assets/console.000000000000.css").await.0, StatusCode::NOT_FOUND);
}

#[test]
fn colours_have_contrast_in_both_looks() {
    let pairs = [
        ("text", "page"),
        ("text", "surface"),
        ("text", "raised"),
        ("text", "sunken"),
        ("text", "accent-soft"),
        ("quiet", "page"),
        ("quiet", "surface"),
        ("quiet", "raised"),
        ("quiet", "sunken"),
        ("accent", "page"),
        ("accent", "surface"),
        ("accent", "sunken"),
        ("accent", "accent-soft"),
        ("on-accent", "accent"),
        ("good", "good-soft"),
        ("warn", "warn-soft"),
        ("bad", "bad-soft"),
        ("busy", "busy-soft"),
        ("plain", "plain-soft"),
        ("bad", "surface"),
        ("warn", "surface"),
        ("busy", "surface"),
        ("text", "good-soft"),
        ("text", "warn-soft"),
        ("text", "bad-soft"),
        ("line-0", "surface"),
        ("line-1", "surface"),
        ("line-2", "surface"),
        ("line-3", "surface"),
        ("line-4", "surface"),
        ("line-5", "surface"),
    ];
    for (front, back) in pairs {
        for (look, (a, b)) in tokens(front).into_iter().zip(tokens(back)).enumerate() {
            let (light, dark) = (f64::max(luminance(&a), luminance(&b)), f64::min(luminance(&a), luminance(&b)));
            let contrast = (light + 0.05) / (dark + 0.05);
            assert!(contrast >= 4.5, "{front} on {back} is {contrast:.2} in {}", ["light", "dark"][look]);
        }
    }
}

/// A token in light and in dark.
fn tokens(name: &str) -> [String; 2] {
    let (_, value) =
        assets::STYLE.split_once(&format!("--{name}: light-dark(")).unwrap_or_else(|| panic!("no --{name}"));
    let (light, dark) = value.split_once(')').unwrap().0.split_once(", ").unwrap();
    [light.to_owned(), dark.to_owned()]
}

/// Relative luminance (WCAG 2.2).
fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}
