//! Infrastructure as browsers get it: what all tests share, and what holds for every page.

mod backups;
mod content;
mod exchange;
mod sites;
mod sync;

use axum::body::Body;
use http::{Request, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::tests::{Stub, session, summary};

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

/// A form with files: the name of each field, the name of its file (none for text), its bytes.
fn upload(address: &str, fields: &[(&str, Option<&str>, &[u8])]) -> Request<Body> {
    let mut body = Vec::new();
    for (name, file, bytes) in fields {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        body.extend_from_slice(
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").as_bytes(),
        );
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--x--\r\n");
    Request::post(address)
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
        .body(Body::from(body))
        .unwrap()
}

fn site(id: &str, name: &str, above: Option<(&str, &str)>) -> Value {
    json!({"id": id, "name": name, "kind": if above.is_some() { "secondary" } else { "primary" },
        "under": above.map(|(id, name)| json!({"id": id, "name": name})), "depth": u8::from(above.is_some()),
        "here": above.is_none(), "configuration": "configured", "code_expires_at": null, "enrolled_at": above.map(|_| AT),
        "connected": above.map(|_| false), "last_contact": AT, "behind": above.is_some(),
        "lag_seconds": if above.is_some() { 7200 } else { 0 },
        "point": {"server_id": id, "host": "host.example.org", "clients": ["http://host.example.org:8530"], "version": "0.5.0",
            "started_at": AT, "source": "parent", "catalogue_version": 42, "configured": true, "drift": [],
            "sync": {"state": "done", "at": AT, "warnings": 0}, "revisions": 30, "computers": 12, "alerts": 1}})
}

fn standing(server: Option<&str>) -> Value {
    let mut standing = summary(1, 0, 39);
    let more = json!({"server": server.map(|id| json!({"id": id, "name": "host.example.org"})), "through": null,
        "rolled_up": server.map(|_| AT), "rolled_up_at": server.map(|_| AT), "age_seconds": server.map(|_| 900)});
    standing.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    standing
}

fn run(state: &str, error: Option<Value>) -> Value {
    json!({"id": ID, "state": state, "result": state, "trigger": "schedule", "asked_by": "user:anna", "full": false,
        "source": "microsoft", "asked_at": AT, "started_at": AT, "ended_at": AT, "seconds": 90.5, "progress": null, "added": 1234,
        "revised": 5, "expired": 6, "skipped": 7, "declined": 8, "bytes": 123_456_789, "warnings": [HOSTILE], "error": error,
        "next_step": null})
}

fn sync(source: &str, parent: Option<&str>, current: Option<Value>, last: Option<Value>) -> Value {
    json!({"source": source, "parent": parent, "current": current, "last": last, "last_success": AT, "schedule": null,
        "next": {"at": AT, "trigger": "schedule"}, "products": 3, "classifications": 2, "next_step": null})
}

fn bundle(missing: &[u32]) -> Value {
    json!({"id": ID, "issuer": OTHER, "signer_name": HOSTILE, "signer": "ab".repeat(32), "sequence": 7, "created_at": AT,
        "received_at": AT, "state": "receiving", "phase": null, "done": 0, "total": 0, "revisions": 30, "bytes": 5_000_000,
        "parts": [{"number": 1, "size": 4_000_000, "sha256": "cd", "here": !missing.contains(&1)},
            {"number": 2, "size": 1_000_000, "sha256": "ef", "here": !missing.contains(&2)}],
        "missing": missing, "error": null, "result": null})
}

fn export(state: &str, phase: &str) -> Value {
    json!({"id": ID, "format": "bundle", "state": state, "phase": phase, "done": 1, "total": 2, "started_at": AT,
        "finished_at": null, "files": [{"name": "manifest", "size": 2000, "sha256": "ab"}, {"name": "1", "size": 4_000_000, "sha256": "cd"}],
        "result": null, "problem": null})
}

fn content() -> Value {
    json!({"mode": "on_approval", "paused": false, "express": false, "languages": ["en"], "upstream_serves": false, "files": 20,
        "bytes": 9_000_000_000_u64, "waiting_files": 2, "waiting_bytes": 4000, "waiting_bytes_here": 1000,
        "awaited": [{"reason": "deployment", "files": 2, "bytes": 4000}],
        "running": {"job": ID, "since": AT, "fetched": 5, "failed": 1, "bytes": 1000, "bytes_per_second": 2_000_000, "seconds_left": 60,
            "files": [{"digest": "0000000000000000000000000000000000000001", "name": HOSTILE, "size": 4000, "got": 1000, "host": HOSTILE}]},
        "held": null, "resting_files": 1,
        "resting": [{"digest": "0000000000000000000000000000000000000002", "name": HOSTILE, "failures": 3, "until": AT, "reason": HOSTILE}],
        "deployments_waiting": 1, "deployments": [{"id": 12, "title": HOSTILE, "collection": HOSTILE, "files": 2, "bytes": 4000}],
        "free_bytes": 50_000_000_000_u64, "reserve_bytes": 1_000_000_000, "quota_bytes": null})
}

fn room(problem: Option<&str>) -> Value {
    json!({"files": 22, "bytes": 9_000_004_000_u64, "files_here": 20, "bytes_here": 9_000_000_000_u64, "bytes_to_fetch": 4000,
        "bytes_pending": 0, "free_bytes": 50_000_000_000_u64, "free_after": 49_000_000_000_u64, "used_after": 9_000_004_000_u64,
        "quota_bytes": null, "problem": problem})
}

fn content_file(state: &str, sources: &Value) -> Value {
    json!({"digest": "0000000000000000000000000000000000000003", "sha256": null, "name": HOSTILE, "size": 4000, "state": state,
        "sources": sources, "error": HOSTILE})
}

fn content_job(task: &str, state: &str, collected: Option<Value>) -> Value {
    json!({"id": ID, "task": task, "state": state, "progress": {"files": 3, "files_total": 9, "bytes": 0, "bytes_total": 0},
        "created_at": AT, "created_by": "user:anna", "ended_at": null, "verified": null, "repaired": null, "collected": collected,
        "error": null})
}

fn server(name: &str, admission: &str) -> Value {
    json!({"id": ID, "name": name, "address": "192.0.2.7", "admission": admission, "served": admission == "allowed", "kind": "other",
        "replica": false, "site": null, "reported_by": null, "protocol": "1.20", "version": "10.0", "first_contact": AT,
        "last_contact": AT, "last_sync": AT, "behind": 31, "computers": 40})
}

/// A server with all of it, asked by a full administrator. Every name that others chose is hostile.
fn stub() -> Stub {
    let criterion = json!({"id": ID, "rule": {"name": "Itanium", "action": "skip", "condition": {}, "except": [HOSTILE], "enabled": true},
        "description": HOSTILE, "from_parent": false, "changed_at": AT, "changed_by": HOSTILE});
    let preview = json!({"description": HOSTILE, "looked_at": 900, "matched": 17, "declined": 1, "taken_back": 0, "files": 3,
        "bytes": 4000, "bytes_here": 0, "samples": [{"id": ID, "title": HOSTILE, "reason": HOSTILE}], "note": HOSTILE});
    let files = json!({"items": [content_file("waiting", &json!([]))], "next": null, "files": 20, "bytes": 9, "waiting_files": 1, "waiting_bytes": 4000});
    let forecast = json!([{"mode": "on_approval", "current": true, "room": room(None), "without_source": 0, "elsewhere": 0, "left_out": 0},
        {"mode": "immediately", "current": false, "room": room(Some(HOSTILE)), "without_source": 2, "elsewhere": 0, "left_out": 0}]);
    let signer = json!([{"fingerprint": "ab".repeat(32), "name": "Central", "added_at": AT, "added_by": HOSTILE}]);
    let import = json!({"id": 3, "state": "done", "phase": "publish", "done": 9, "total": 9, "started_at": AT, "finished_at": AT,
        "result": {"added": 9, "unchanged": 0, "rejected": 1, "skipped": 2, "unresolved": 3, "errors": [{"file": HOSTILE, "record": 4, "message": HOSTILE}]}});
    Stub::new()
        .with("GET /sites", &list(&json!([site(ID, "CENTRAL", None), site(OTHER, HOSTILE, Some((ID, "CENTRAL")))])))
        .with(&format!("GET /sites/{OTHER}"), &site(OTHER, HOSTILE, Some((ID, "CENTRAL"))))
        .with(&format!("GET /sites/{ID}"), &site(ID, "CENTRAL", None))
        .with("GET /compliance/servers", &list(&json!([standing(None), standing(Some(OTHER))])))
        .with("GET /sync", &sync("microsoft", None, None, Some(run("done", None))))
        .with(
            "GET /sync/schedule",
            &json!({"text": "off", "description": "Off", "zone": "Europe/Amsterdam", "next": [AT]}),
        )
        .with("GET /sync/runs", &list(&json!([run("done", None)])))
        .with(&format!("GET /sync/runs/{ID}"), &run("done", None))
        .with("GET /criteria", &list(&json!([criterion])))
        .with("GET /criteria/Itanium", &criterion)
        .with("GET /criteria/Itanium/preview", &preview)
        .with("GET /bundles", &list(&json!([bundle(&[2])])))
        .with(&format!("GET /bundles/{ID}"), &bundle(&[2]))
        .with("GET /bundles/trust", &list(&signer))
        .with("GET /bundles/key", &json!({"public": "a2V5", "fingerprint": "ef".repeat(32), "created_at": AT}))
        .with("GET /imports/3", &import)
        .with(&format!("GET /exports/{ID}"), &export("running", "wait"))
        .with("GET /content/status", &content())
        .with("GET /content/forecast", &list(&forecast))
        .with("GET /content", &files)
        .with("GET /content/jobs", &list(&json!([content_job("verify", "running", None)])))
        .with(&format!("GET /content/jobs/{ID}"), &content_job("verify", "running", None))
        .with("GET /backups/status", &backups::status())
        .with("GET /backups", &list(&json!([backups::backup()])))
        .with(
            "GET /backups/runs",
            &list(&json!([
                backups::run("done", Some(backups::backup()), None),
                backups::run(
                    "failed",
                    None,
                    Some(json!({"code": "disk_full", "message": HOSTILE, "next_step": HOSTILE}))
                ),
            ])),
        )
        .with("GET /downstream", &list(&json!([server(HOSTILE, "waiting")])))
}

/// Pages without a form behind them.
fn pages() -> Vec<String> {
    let sync = "/infrastructure/synchronization";
    [
        "/infrastructure".to_owned(),
        "/infrastructure?tab=list&only=attention".to_owned(),
        "/infrastructure/sites/new".to_owned(),
        format!("/infrastructure/sites/{OTHER}"),
        format!("/infrastructure/sites/{OTHER}/enrolment"),
        format!("/infrastructure/sites/{OTHER}/remove"),
        sync.to_owned(),
        format!("{sync}?tab=settings"),
        format!("{sync}?tab=history"),
        format!("{sync}?tab=criteria"),
        format!("{sync}/runs/{ID}"),
        format!("{sync}/criteria/Itanium"),
        "/infrastructure/import".to_owned(),
        "/infrastructure/import?tab=bundles".to_owned(),
        "/infrastructure/import?tab=signers".to_owned(),
        format!("/infrastructure/import/bundles/{ID}"),
        format!("/infrastructure/import/bundles/{ID}/apply"),
        "/infrastructure/import/3".to_owned(),
        "/infrastructure/export".to_owned(),
        "/infrastructure/export?tab=key".to_owned(),
        format!("/infrastructure/export/{ID}"),
        format!("/infrastructure/export/{ID}/end"),
        "/infrastructure/content".to_owned(),
        "/infrastructure/content?tab=files&state=waiting".to_owned(),
        "/infrastructure/content?tab=queue".to_owned(),
        "/infrastructure/content?tab=jobs".to_owned(),
        format!("/infrastructure/content/jobs/{ID}"),
        "/infrastructure/backups".to_owned(),
        "/infrastructure/backups?tab=list".to_owned(),
        "/infrastructure/backups?tab=runs".to_owned(),
        "/infrastructure/backups?tab=schedule".to_owned(),
        "/infrastructure/downstream".to_owned(),
        "/infrastructure/health".to_owned(),
    ]
    .into()
}

#[tokio::test]
async fn what_others_named_stays_text_on_every_page() {
    let stub = stub();
    for address in pages() {
        let page = good(&stub, &address).await;
        assert!(!page.contains("<script>alert"), "{address}: {page}");
        assert!(!page.contains(" style=") && !page.contains("onclick="), "{address}");
    }
}

#[tokio::test]
async fn every_page_speaks_dutch() {
    let stub = stub();
    for address in pages() {
        let request = Request::get(&address).header(header::ACCEPT_LANGUAGE, "nl").body(Body::empty()).unwrap();
        let page = crate::tests::text(stub.send(request).await).await;
        assert!(page.contains("<html lang=\"nl\"") && page.contains("Downstreamservers"), "{address}: {page}");
    }
}

#[tokio::test]
async fn who_only_looks_is_offered_no_act() {
    let stub = stub().with("GET /session", &session("read_only_analyst"));
    let acts = [
        "/enrolment",
        "/remove",
        "/sites/new",
        "/start\"",
        "/schedule\"",
        "/source\"",
        "/documents",
        "/apply",
        "/end\"",
        "content/jobs\"",
        "formaction",
        "/allow\"",
        "/signers\"",
        "name=\"act\"",
    ];
    for address in pages()
        .into_iter()
        .filter(|address| !["/new", "/enrolment", "/remove", "/apply", "/end"].iter().any(|act| address.ends_with(act)))
    {
        let page = good(&stub, &address).await;
        // links of the page to itself aside
        for act in acts {
            assert!(!page.contains(act), "{act} at {address}: {page}");
        }
    }
}

#[tokio::test]
async fn who_is_limited_to_collections_is_offered_nothing_of_the_site() {
    let mut limited = session("full_administrator");
    limited["collections"] = json!([{"id": ID, "name": "Servers"}]);
    let stub = stub().with("GET /session", &limited);
    let page = good(&stub, "/infrastructure/synchronization?tab=settings").await;
    assert!(!page.contains("/source\"") && !page.contains("/start\""), "{page}");
}

#[tokio::test]
async fn health_is_what_rest_says_of_it() {
    has(
        &good(&stub(), "/infrastructure/health").await,
        &["http://127.0.0.1:8530", "does not report on its health", "does not tell of its certificates"],
    );
    let report = json!({"state": "critical", "findings": [{"code": "disk", "state": "critical", "detail": HOSTILE, "next_step": "make room"},
        {"code": "backup", "state": "warning", "detail": HOSTILE, "next_step": "weir backup create"}],
        "version": "0.6.0", "started_at": AT, "as_of": AT, "endpoints": {"pid": 7}, "certificates": [],
        "snapshot": {"change": 1, "revisions": 2, "live": 1}, "database": {"bytes": 5_000_000_000_u64, "unused_bytes": 1000, "can_give_back": true},
        "backup": {"scheduled": true, "last_good_at": null, "last_failed_at": AT, "error": HOSTILE, "next_at": AT},
        "disks": [{"name": "content", "free_bytes": 5, "reserve_bytes": 1000}], "memory": {"computers": 7, "fragment_bytes": 1000, "compliance_bytes": 2000},
        "front_ends": [{"name": HOSTILE, "version": "0.7.0", "admin": "https://b:8540", "started_at": AT, "here": true, "silent_seconds": 2, "duties": ["backup", "rules"]}],
        "alerts": 3, "deliveries_waiting": 4, "jobs": [{"id": "1", "kind": "export", "title": HOSTILE, "state": "failed", "asked_by": null, "asked_at": null, "started_at": AT,
        "ended_at": AT, "progress": null, "result": null, "error": HOSTILE, "link": null}], "later": "unknown"});
    let certificate = json!({"subject": "weir.example.org", "issuer": "Weir", "names": ["weir.example.org"], "not_before": AT, "not_after": AT, "days_left": 2,
        "key": "ECDSA P-256", "signature": "ECDSA with SHA-256", "fingerprint": "ab"});
    let tls = json!({"clients": "on", "minimum": "1.2", "suites": ["TLS13_AES_256_GCM_SHA384"], "authority": certificate, "failures": [],
        "certificates": [{"plane": "client", "file": "/etc/weir/fullchain.pem", "since": AT, "key_exposed": true, "chain": [certificate], "warnings": [HOSTILE]}],
        "computers": 100, "computers_plain_http": 7, "plain_http_percent": 7.0, "as_of": AT});
    let stub = stub().with("GET /health-report", &report).with("GET /tls", &tls);
    let page = good(&stub, "/infrastructure/health").await;
    has(
        &page,
        &[
            "make room",
            "5.0\u{a0}GB",
            "Index of compliance",
            "2 days left",
            "Everybody on the machine",
            "Servers of this database",
            "<code>https://b:8540</code>",
            "backup, rules",
            "7 / 100",
            "href=\"/settings/tls/check\"",
        ],
    );
    assert!(!page.contains("<script>alert"), "{page}");
    assert!(!page.contains("weir backup create"), "a page stands for it: {page}");
}
