//! Settings as browsers get them: what all tests share, and what holds for every page.

mod access;
mod catalogue;
mod computers;
mod second;
mod site;

use axum::body::Body;
use http::{Response, StatusCode, header};
use serde_json::{Value, json};

use crate::tests::{Stub, session};

const ID: &str = "8f3c2a10-5b1e-4a3d-9c77-0d9f6a1b2c3d";
const OTHER: &str = "11111111-5b1e-4a3d-9c77-0d9f6a1b2c3d";
const AT: &str = "2026-11-30T06:00:00Z";
const HOSTILE: &str = "<script>alert(1)</script>\"'&";

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

fn lacks(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(!page.contains(part), "{part} in {page}");
    }
}

fn location(response: &Response<Body>) -> &str {
    response.headers()[header::LOCATION].to_str().unwrap()
}

/// What was asked that begins so.
fn asked(stub: &Stub, begin: &str) -> Vec<String> {
    stub.asked().into_iter().filter(|asked| asked.starts_with(begin)).collect()
}

fn list(items: &Value) -> Value {
    json!({"items": items, "next": null})
}

fn setting(key: &str, value: &Value, default: &Value, values: &str) -> Value {
    json!({"key": key, "value": value, "default": default, "values": values, "description": format!("What {key} does.")})
}

fn settings() -> Value {
    list(&json!([
        setting("source", &json!("none"), &json!("none"), "microsoft, none, or the http(s) URL of an upstream server"),
        setting("sync.retries", &json!(5), &json!(3), "0 to 10"),
        setting("sync.replica", &json!(false), &json!(false), "true, false"),
        setting(
            "mail.password",
            &json!("set"),
            &json!("unset"),
            "a secret of at most 1024 characters, or empty; shown as set or unset"
        ),
        setting("mail.host", &json!("mail.example.org"), &json!(""), "a DNS name, or empty"),
        setting(
            "mail.from",
            &json!("weir@example.org"),
            &json!(""),
            "an e-mail address such as weir@example.org, or empty"
        ),
        setting("mail.tls", &json!("starttls"), &json!("starttls"), "implicit, none, starttls"),
        setting(
            "approval.required",
            &json!("deploy"),
            &json!(""),
            "some of deploy, source, separated by commas, or empty"
        ),
        setting("alerts.disk_free_gib", &json!(1), &json!(1), "0 to 1048576"),
    ]))
}

fn category(id: &str, title: &str, chosen: bool, selected: bool, children: &Value) -> Value {
    let kind = if children == &json!([]) { "product" } else { "product_family" };
    json!({"id": id, "kind": kind, "title": title, "revision": 1, "selected": selected, "chosen": chosen, "holds_updates": true,
        "excluded_by_default": false, "children": children})
}

fn collection(id: &str, name: &str, computers: u64) -> Value {
    json!({"id": id, "name": name, "parent": null, "built_in": false, "approved_only": false, "members": computers,
        "members_below": computers, "deployments": 0})
}

fn criterion(name: &str) -> Value {
    json!({"id": ID, "rule": {"name": name, "action": "decline", "condition": {"titles": [name], "superseded_for_days": 30},
        "except": ["KB5034123"], "enabled": true}, "description": name, "from_parent": false, "changed_at": AT, "changed_by": name})
}

fn previewed(matched: u64) -> Value {
    json!({"description": "title has ARM64", "looked_at": 900, "matched": matched, "declined": 2, "taken_back": 1, "files": 4,
        "bytes": 5_000_000_u64, "bytes_here": 0, "samples": [{"id": ID, "title": "An update for ARM64", "reason": "title"}],
        "note": "What has not been synchronized yet is not counted."})
}

fn set(name: &str, default: bool) -> Value {
    json!({"id": if default { OTHER } else { ID }, "name": name, "description": name, "default": default,
        "priority": if default { Value::Null } else { json!(1) }, "settings": {"reminder.far_hours": 24},
        "collections": if default { json!([]) } else { json!([{"id": ID, "name": name}]) }, "from_parent": false,
        "changed_at": AT, "changed_by": name, "warnings": [{"key": "scan.schedule", "message": name}]})
}

fn definitions() -> Value {
    list(&json!([
        {"key": "reminder.far_hours", "id": "CS-22", "values": "1 to 999 hours", "default": 48, "meaning": "Remind the user.",
            "mark": "expected", "honoured": ["stored: an agent of ours reads it"]},
        {"key": "updates.enabled", "id": "CS-1", "values": "true or false", "default": true, "meaning": "Managed.", "mark": "core",
            "honoured": ["policy: WUServer"]}]))
}

fn subscription(name: &str, webhook: bool) -> Value {
    json!({"id": ID, "name": name, "enabled": true, "disabled_because": null, "channel": if webhook { "webhook" } else { "mail" },
        "kinds": [name], "severity": "warning", "addresses": if webhook { json!([]) } else { json!([name]) },
        "url": if webhook { json!("https://hook.example.org/") } else { Value::Null }, "allow_http": false,
        "secret_before_until": null, "repeat_minutes": 0, "on_close": true, "group_seconds": 30, "most_per_hour": 20,
        "last_success_at": AT, "last_failure_at": AT, "failures": 2, "last_error": name, "waiting": 3, "created_at": AT,
        "changed_at": AT, "changed_by": name})
}

fn user(name: &str) -> Value {
    json!({"name": name, "display_name": name, "role": "operator", "collections": [{"id": ID, "name": name}], "limited": true,
        "enabled": true, "built_in": false, "password": true, "must_change_password": false, "issuer": null, "subject": null,
        "created_at": AT, "created_by": name, "signed_in_at": null})
}

fn token(name: &str) -> Value {
    json!({"name": name, "principal": name, "role": "operator", "collections": [], "limited": false, "created_at": AT,
        "expires_at": "2027-02-28T06:00:00Z", "used_at": null})
}

fn approval(state: &str, by: &str, subject: &str) -> Value {
    json!({"id": 5, "state": state, "kind": "deploy", "subject": subject, "method": "POST", "path": "/deployments",
        "body": format!("{{\"collection\":{}}}", json!(subject)), "requested_by": by, "requested_from": "10.0.0.5", "created_at": AT,
        "expires_at": "2026-12-01T06:00:00Z", "decided_by": null, "decided_at": null, "note": null, "status": null, "answer": null})
}

fn written(subject: &str) -> Value {
    let detail = json!({"before": {"on": true, "name": subject}, "after": {"on": false, "name": subject}}).to_string();
    json!({"id": 7, "at": AT, "actor": subject, "action": "setting.set", "subject": subject, "detail": detail, "from": "10.0.0.5",
        "proof": "session", "approved_by": null})
}

fn certificate(subject: &str, days: i64) -> Value {
    json!({"subject": subject, "issuer": subject, "names": [subject], "not_before": AT, "not_after": "2027-11-30T06:00:00Z",
        "days_left": days, "key": "ECDSA P-256", "signature": "ECDSA SHA-256", "fingerprint": "ab12"})
}

fn tls(subject: &str) -> Value {
    json!({"clients": "on", "minimum": "1.2", "suites": ["TLS13_AES_128_GCM_SHA256"], "certificates": [{"plane": "client",
        "file": subject, "since": AT, "key_exposed": true, "chain": [certificate(subject, 5), certificate("Root", 900)],
        "warnings": [subject]}], "authority": certificate(subject, 3000), "failures": [{"subject": "client", "reason": subject}],
        "computers": 40, "computers_plain_http": 3, "plain_http_percent": 7.5, "as_of": AT})
}

fn transport() -> Value {
    let counts = json!({"computers": 40, "https": 37, "http": 3, "http_recent": 2, "http_percent": 7.5});
    let mut one = counts.clone();
    one["collection"] = json!({"id": ID, "name": "Ring 1"});
    json!({"total": counts, "collections": [one], "silent_days": 30, "as_of": AT})
}

/// A server that has something of everything, with a text that must stay one.
fn full(text: &str) -> Stub {
    let products =
        list(&json!([category(ID, text, true, true, &json!([category(OTHER, text, false, true, &json!([]))]))]));
    Stub::new()
        .with("GET /settings", &settings())
        .with("GET /products", &products)
        .with("GET /classifications", &list(&json!([category(ID, text, true, true, &json!([]))])))
        .with("GET /languages", &list(&json!([
            {"id": "en", "lcid": 1033, "name": "English", "selected": true, "files": true},
            {"id": "nl", "lcid": 1043, "name": "Dutch", "selected": false, "files": false},
            {"id": "all", "lcid": 0, "name": "All", "selected": false, "files": false}])))
        .with("GET /criteria", &list(&json!([criterion(text)])))
        .with(&format!("GET /criteria/{ID}"), &criterion(text))
        .with(&format!("GET /criteria/{ID}/preview"), &previewed(10))
        .with("GET /client-settings", &list(&json!([set("Default", true), set(text, false)])))
        .with(&format!("GET /client-settings/{ID}"), &set(text, false))
        .with("GET /client-setting-definitions", &definitions())
        .with("GET /collections", &list(&json!([collection(ID, text, 12)])))
        .with(&format!("GET /collections/{ID}"), &collection(ID, text, 12))
        .with("GET /policy/values", &list(&json!([{"name": text, "key": text, "kind": "REG_DWORD", "values": "0 or 1", "policy": text,
            "meaning": text, "windows": "", "csp": null, "without_csp": text, "evidence": "documented"}])))
        .with("GET /subscriptions", &list(&json!([subscription(text, false)])))
        .with(&format!("GET /subscriptions/{ID}"), &subscription(text, true))
        .with("GET /deliveries", &list(&json!([{"id": ID, "subscription": text, "event": "alert.opened", "alert": 4,
            "state": "given_up", "attempts": 9, "created_at": AT, "next_at": null, "ended_at": AT, "last_error": text, "answer": text}])))
        .with("GET /users", &list(&json!([user(text)])))
        .with("GET /users/bob", &user(text))
        .with("GET /users/bob/certificates", &list(&json!([])))
        .with("GET /group-mappings", &list(&json!([{"group": text, "role": "operator", "collections": [], "limited": true,
            "created_at": AT, "created_by": text}])))
        .with("GET /tokens", &list(&json!([token(text)])))
        .with("GET /sessions", &list(&json!([{"id": ID, "principal": text, "created_at": AT, "used_at": AT,
            "expires_at": "2026-12-01T06:00:00Z", "from": text, "current": false}])))
        .with("GET /approvals", &list(&json!([approval("waiting", text, text)])))
        .with("GET /approvals/5", &approval("waiting", text, text))
        .with("GET /audit", &list(&json!([written(text)])))
        .with("GET /tls", &tls(text))
        .with("GET /computers/transport", &transport())
        .with("GET /settings/clients.https", &setting("clients.https", &json!("on"), &json!("on"), "off, on, required"))
}

fn pages() -> Vec<String> {
    let mut pages: Vec<String> = [
        "/settings",
        "/settings/site",
        "/settings/site?tab=alerts",
        "/settings/site?only=set",
        "/settings/products",
        "/settings/classifications",
        "/settings/languages",
        "/settings/criteria",
        "/settings/client-settings",
        "/settings/policy/check",
        "/settings/policy/values",
        "/settings/notifications",
        "/settings/notifications?tab=deliveries",
        "/settings/access",
        "/settings/users",
        "/settings/users/bob",
        "/settings/oidc",
        "/settings/tokens",
        "/settings/sessions",
        "/settings/approvals",
        "/settings/approvals/5",
        "/settings/audit",
        "/settings/tls",
        "/settings/tls?tab=transport",
        "/settings/tls/clients",
        "/settings/tls/check",
    ]
    .map(str::to_owned)
    .to_vec();
    for tab in ["", "?tab=collections", "?tab=about"] {
        pages.push(format!("/settings/client-settings/{ID}{tab}"));
    }
    pages.extend([format!("/settings/criteria/{ID}"), format!("/settings/notifications/{ID}")]);
    pages
}

#[tokio::test]
async fn what_others_say_stays_text() {
    let stub = full(HOSTILE);
    for address in pages() {
        let page = good(&stub, &address).await;
        lacks(&page, &["<script>", " style=", "onclick=", "href=\"javascript:"]);
    }
}

#[tokio::test]
async fn who_may_only_look_is_offered_no_act() {
    let stub = full("x").with("GET /session", &session("read_only_analyst"));
    for address in pages() {
        let page = good(&stub, &address).await;
        let forms = page.matches("method=\"post\" action=\"/settings/").count();
        // an own session can be ended, an address tried, a policy checked: that changes nothing that others share
        let own = page.matches("action=\"/settings/sessions/").count()
            + page.matches("action=\"/settings/tls/check\"").count()
            + page.matches("action=\"/settings/policy/check\"").count();
        assert_eq!(forms, own, "{address}: {page}");
        lacks(&page, &["/settings/users/new", "/settings/criteria/new", "/settings/client-settings/new"]);
    }
    let page = good(&stub, "/settings").await;
    has(&page, &["may look, not change"]);
}

#[tokio::test]
async fn the_index_names_every_page_with_a_sentence() {
    let stub = full("x");
    let page = good(&stub, "/settings").await;
    has(
        &page,
        &[
            "href=\"/settings/products\"",
            "href=\"/settings/audit\"",
            "href=\"/settings/tls\"",
            "1 chosen",
            "1 request waits",
            "Every setting of this server by group",
        ],
    );
    let mut limited = session("operator");
    limited["collections"] = json!([{"id": ID, "name": "Ring 1"}]);
    let page = good(&stub.with("GET /session", &limited), "/settings").await;
    has(&page, &["href=\"/settings/products\"", "href=\"/settings/access\""]);
    lacks(&page, &["href=\"/settings/audit\"", "href=\"/settings/users\"", "href=\"/settings/site\""]);
    let response = full("x").send(http::Request::get("/settings?text=cleanup").body(Body::empty()).unwrap()).await;
    assert_eq!((response.status(), location(&response)), (StatusCode::SEE_OTHER, "/settings/site?text=cleanup"));
}

#[tokio::test]
async fn an_empty_server_says_what_comes_next() {
    let empty = list(&json!([]));
    let mut stub = Stub::new();
    for resource in
        ["products", "criteria", "subscriptions", "tokens", "group-mappings", "approvals", "audit", "users", "settings"]
    {
        stub = stub.with(&format!("GET /{resource}"), &empty);
    }
    for (address, says) in [
        ("/settings/products", "the first synchronization brings"),
        ("/settings/criteria", "href=\"/settings/criteria/new\""),
        ("/settings/notifications", "href=\"/settings/notifications/new\""),
        ("/settings/tokens", "href=\"/settings/tokens/new\""),
        ("/settings/oidc", "Map one below"),
        ("/settings/approvals", "No request waits"),
        ("/settings/audit?actor=nobody", "href=\"/settings/audit\""),
        ("/settings/users?text=nobody", "href=\"/settings/users\""),
        ("/settings/site?text=nothing", "No setting has this"),
    ] {
        let page = good(&stub, address).await;
        has(&page, &[says]);
    }
}
