//! Vulnerabilities, service levels, documents.

use super::*;

fn cve(id: &str, severity: Value, published: Value) -> Value {
    json!({"cve": id, "title": HOSTILE, "severity": severity, "score": 8.8, "vector": "AV:N", "exploited": true,
        "kev": {"added": "2026-11-01", "due": "2026-11-21", "ransomware": true}, "published_at": published, "revised_at": null,
        "computers": {"exposed": 4321, "no_data": 5, "fixed": 6, "not_affected": 7},
        "levels": {"breached": 12, "due_soon": 1, "within": 2, "excepted": 3, "none": 0}, "due_at": "2026-11-24T08:00:00Z"})
}

fn cves() -> Value {
    let old = "2001-01-01T00:00:00Z";
    let items = [cve("CVE-2026-0001", json!("critical"), json!(old)), cve("CVE-2026-0002", Value::Null, Value::Null)];
    let counts = [
        json!({"severity": "critical", "age": "older", "cves": 1}),
        json!({"severity": "unrated", "age": "unknown", "cves": 1}),
    ];
    list_of(&items, 2, &counts)
}

fn list_of(items: &[Value], kev: u64, counts: &[Value]) -> Value {
    json!({"items": items, "total": items.len(), "counts": counts, "next": null,
        "totals": {"exposed": 2, "breached": 2, "due_soon": 2, "exploited": 2, "kev": kev, "no_data": 2}})
}

fn summary(documents: u64) -> Value {
    json!({"documents": documents, "cves": 900, "cves_exposed": 2, "cves_exploited": 1, "cves_no_data": 8, "computers": 1000,
        "computers_exposed": 444, "computers_breached": 33, "computers_silent": 9,
        "pairs": {"exposed": 1, "no_data": 2, "fixed": 3, "not_affected": 4},
        "levels": {"breached": 77, "due_soon": 5, "within": 6, "excepted": 7, "none": 0}, "as_of": "2026-11-30T09:00:00Z"})
}

fn with_cves() -> Stub {
    Stub::new().with("GET /exposure/cves", &cves()).with("GET /exposure/summary", &summary(3))
}

#[tokio::test]
async fn exposure_has_tiles_a_map_and_a_list() {
    let stub = with_cves();
    let (status, page) = stub.page("/updates/exposure?severity=critical&level=breached").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    for part in [
        "77",
        "on 33 computers",
        "2 in the KEV catalogue",
        "9 computers never reported",
        "href=\"/updates/exposure/CVE-2026-0001\"",
        "4,321",
        "state=exposed&amp;severity=critical&amp;age=older",
        "state=exposed&amp;severity=unrated&amp;age=unknown",
        "Ransomware",
        "value=\"breached\" selected",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("<script>"), "{page}");
    let asked = stub.asked();
    assert!(
        asked.iter().any(|line| line.starts_with("GET /exposure/cves?severity=critical&level=breached")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn an_age_narrows_the_list() {
    let stub = with_cves();
    let (_, page) = stub.page("/updates/exposure?state=exposed&age=older&sort=due:asc").await;
    assert!(page.contains("exposure/CVE-2026-0001\""), "{page}");
    assert!(was_asked(&stub, "GET /exposure/cves?age=older&state=exposed&sort=due%3Aasc"), "{:?}", stub.asked());
    // the map takes counts, not the list
    let (counts, lists): (Vec<_>, Vec<_>) = stub
        .asked()
        .into_iter()
        .filter(|line| line.starts_with("GET /exposure/cves?"))
        .partition(|line| line.contains("facets=true"));
    assert_eq!((counts.len(), lists.len()), (1, 1));
    assert!(counts[0].contains("limit=1&") || counts[0].ends_with("limit=1"), "{counts:?}");
    let stub = stub.with("GET /exposure/cves", &list_of(&[], 0, &[]));
    let (_, page) = stub.page("/updates/exposure?age=week").await;
    assert!(page.contains("No vulnerability has all of this"), "{page}");
}

#[tokio::test]
async fn without_documents_nothing_is_claimed() {
    let empty = list_of(&[], 0, &[]);
    let stub = Stub::new().with("GET /exposure/cves", &empty).with("GET /exposure/summary", &summary(0));
    let (_, page) = stub.page("/updates/exposure").await;
    assert!(
        page.contains("No document is here")
            && page.contains("so nothing is known")
            && !page.contains("Nothing is overdue"),
        "{page}"
    );
    let refused = problem(400, "kb", "kb is no article");
    let stub = stub.refusing("GET /exposure/cves", 400, refused);
    let (status, page) = stub.page("/updates/exposure?kb=x").await;
    assert!(status == StatusCode::OK && page.contains("kb is no article"), "{page}");
}

fn detail() -> Value {
    let mut detail = cve("CVE-2026-0001", json!("critical"), Value::Null);
    let more = json!({"problems": [{"products": ["Windows 11", HOSTILE], "remedies": [{"kb": "KB5034123", "name": null, "build": "10.0.1",
            "updates": [{"id": ID, "name": "Cumulative"}], "superseders": 2}]}],
        "documents": [{"no": 4, "kind": "cvrf", "id": "2026-Nov", "issuer": "Vendor", "title": "November", "version": "1", "current_at":
            "2026-11-10T18:00:00Z", "released_at": null, "cves": 90, "skipped": 0, "source": "x", "imported_at": "2026-11-11T18:00:00Z",
            "imported_by": "anna"}],
        "reasons": [{"state": "exposed", "reason": "needed", "text": "the update that fixes it is needed", "computers": 4000},
            {"state": "no_data", "reason": "of_a_newer_server", "text": "said by REST only", "computers": 5}]});
    detail.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    detail
}

#[tokio::test]
async fn a_vulnerability_says_what_fixes_it_and_who_is_where() {
    let stub = Stub::new()
        .with("GET /exposure/cves/CVE-2026-0001", &detail())
        .with("GET /exposure/exceptions", &json!({"items": [], "next": null}));
    let (status, page) = stub.page("/updates/exposure/CVE-2026-0001").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    for part in [
        "KB5034123",
        &format!("href=\"/updates/{ID}\""),
        "2 later updates replace these",
        "The update that fixes it is needed",
        "said by REST only",
        "CVRF · Vendor",
        "exceptions/new?cve=CVE-2026-0001",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("<script>"), "{page}");
    let computers = json!({"items": [{"id": "pc-1", "name": HOSTILE, "state": "exposed", "reason": "failed", "text": "installing failed",
        "update": {"id": ID, "name": "Cumulative"}, "level": "breached", "since": "2026-11-10T18:00:00Z", "due_at": "2026-11-24T18:00:00Z"}],
        "total": 1, "next": "more"});
    let stub = stub.with("GET /exposure/cves/CVE-2026-0001/computers", &computers);
    let (_, page) = stub.page("/updates/exposure/CVE-2026-0001?tab=computers&state=exposed").await;
    for part in ["href=\"/computers/pc-1\"", "Breached", "Installing the update that fixes it failed", "cursor=more"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(
        !page.contains("<script>") && was_asked(&stub, "GET /exposure/cves/CVE-2026-0001/computers?state=exposed"),
        "{page}"
    );
    let (_, page) = stub.with("GET /session", &session("operator")).page("/updates/exposure/CVE-2026-0001").await;
    assert!(!page.contains("exceptions/new"), "{page}");
}

fn levels(proposed: bool) -> Value {
    json!({"critical": 14, "important": 30, "moderate": 60, "low": null, "unrated": 60, "exploited": 7, "due_soon": 3,
        "proposed": proposed, "changed_at": null, "changed_by": null})
}

#[tokio::test]
async fn service_levels_are_set_by_who_administers() {
    let stub = Stub::new().with("GET /exposure/levels", &levels(true)).with("PATCH /exposure/levels", &levels(false));
    let (_, page) = stub.page("/updates/exposure/levels").await;
    assert!(page.contains("name=\"critical\" value=\"14\"") && page.contains("name=\"low\" value=\"\""), "{page}");
    let page = text(stub.form("/updates/exposure/levels", "critical=soon&due_soon=").await).await;
    assert!(
        page.contains("href=\"#f-critical\"")
            && page.contains("href=\"#f-due_soon\"")
            && page.contains("value=\"soon\""),
        "{page}"
    );
    assert!(!was_asked(&stub, "PATCH"));
    let done = stub.form("/updates/exposure/levels", "critical=10&low=&due_soon=2").await;
    assert_eq!(location(&done), (StatusCode::SEE_OTHER, "/updates/exposure/levels".to_owned()));
    let body = "{\"critical\":10,\"low\":0,\"due_soon\":2}";
    assert!(stub.asked().iter().any(|line| line == &format!("PATCH /exposure/levels {body}")), "{:?}", stub.asked());
    let (_, page) =
        stub.with("GET /session", &session("software_update_manager")).page("/updates/exposure/levels").await;
    assert!(page.contains("14 days") && page.contains("No level") && !page.contains("name=\"critical\""), "{page}");
}

#[tokio::test]
async fn going_back_to_proposed_levels_is_confirmed() {
    let stub = Stub::new().with("GET /exposure/levels", &levels(false)).with("DELETE /exposure/levels", &levels(true));
    let page = text(stub.form("/updates/exposure/levels/proposed", "").await).await;
    assert!(page.contains("To undo:") && page.contains("14 days") && !was_asked(&stub, "DELETE"), "{page}");
    assert_eq!(stub.form("/updates/exposure/levels/proposed", "sure=1").await.status(), StatusCode::SEE_OTHER);
}

fn documents() -> Value {
    json!({"items": detail()["documents"], "next": null})
}

#[tokio::test]
async fn documents_are_sent_up_and_each_file_is_answered() {
    let imported = json!({"files": [
        {"file": HOSTILE, "outcome": "rejected", "document": null, "message": "it is no document that is read"},
        {"file": "nov.json", "outcome": "added", "document": detail()["documents"][0], "message": null}]});
    let stub = Stub::new().with("GET /exposure/documents", &documents()).with("POST /exposure/imports", &imported);
    let body = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"nov.json\"\r\n\r\n{}\r\n--b--\r\n";
    let request = http::Request::post("/updates/exposure/documents/import")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b")
        .body(Body::from(body))
        .unwrap();
    let page = text(stub.send(request).await).await;
    for part in ["1 of 2 files taken", "Rejected", "it is no document that is read", "Added", "90 CVEs"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("<script>"), "{page}");
    assert!(
        stub.asked()
            .iter()
            .any(|line| line.starts_with("POST /exposure/imports") && line.contains("filename=\"nov.json\""))
    );
}

#[tokio::test]
async fn a_document_that_cannot_be_fetched_is_said_beside_the_address() {
    let refused = problem(502, "upstream", "the document could not be fetched: no route");
    let stub =
        Stub::new().with("GET /exposure/documents", &documents()).refusing("POST /exposure/fetches", 502, refused);
    let page = text(
        stub.form("/updates/exposure/documents/fetch", "url=https%3A%2F%2Fx.example%2Fkev.json&allow_http=1").await,
    )
    .await;
    assert!(page.contains("href=\"#f-url\"") && page.contains("value=\"https://x.example/kev.json\""), "{page}");
    assert!(stub.asked().iter().any(|line| line.contains("\"allow_http\":true")));
    let page = text(stub.form("/updates/exposure/documents/4/delete", "").await).await;
    assert!(page.contains("with what it says of 90 CVEs") && !was_asked(&stub, "DELETE"), "{page}");
    let stub = stub.with("DELETE /exposure/documents/4", &Value::Null);
    assert_eq!(stub.form("/updates/exposure/documents/4/delete", "sure=1").await.status(), StatusCode::SEE_OTHER);
    let (_, page) = stub.with("GET /session", &session("read_only_analyst")).page("/updates/exposure/documents").await;
    assert!(!page.contains("type=\"file\"") && !page.contains("/delete\""), "{page}");
}
