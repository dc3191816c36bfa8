//! Exceptions from service levels.

use super::*;

const EXCEPTION: &str = "5c9f0b7e-6666-4a3d-9c77-0d9f6a1b2c3d";

fn exception() -> Value {
    json!({"id": EXCEPTION, "cve": "CVE-2026-0001", "update": null, "collection": {"id": OTHER, "name": "Branch"}, "computer": null,
        "owner": HOSTILE, "reason": "the vendor supports no newer build", "expires_at": "2027-01-31T00:00:00Z", "expired": false,
        "created_at": "2026-11-30T08:00:00Z", "created_by": "anna"})
}

const FORM: &str =
    "cve=CVE-2026-0001&update=&collection=Branch&computer=&owner=Anna&reason=Old+software&expires=2026-12-31";

#[tokio::test]
async fn exceptions_are_listed_and_withdrawn() {
    let stub = Stub::new().with("GET /exposure/exceptions", &json!({"items": [exception()], "next": null}));
    let (_, page) = stub.page("/updates/exposure/exceptions").await;
    let act = format!("/updates/exposure/exceptions/{EXCEPTION}/withdraw");
    assert!(
        page.contains(&act) && page.contains("href=\"/computers/collections/Branch\"") && !page.contains("<script>"),
        "{page}"
    );
    let page = text(stub.form(&act, "from=%2Fupdates%2Fexposure%2Fexceptions").await).await;
    assert!(page.contains("To undo:") && page.contains("the vendor supports") && !was_asked(&stub, "DELETE"), "{page}");
    let stub = stub.with(&format!("DELETE /exposure/exceptions/{EXCEPTION}"), &Value::Null);
    let done = stub.form(&act, "sure=1&from=%2F%2Fevil.example").await;
    assert_eq!(location(&done), (StatusCode::SEE_OTHER, "/".to_owned()));
    let (_, page) = stub.with("GET /session", &session("operator")).page("/updates/exposure/exceptions").await;
    assert!(!page.contains("/withdraw\"") && !page.contains("exceptions/new"), "{page}");
    let (_, page) = Stub::new()
        .with("GET /exposure/exceptions", &json!({"items": [], "next": null}))
        .page("/updates/exposure/exceptions")
        .await;
    assert!(page.contains("There is no exception"), "{page}");
}

#[tokio::test]
async fn an_exception_needs_one_subject_one_place_and_an_end() {
    let stub = Stub::new().with("GET /collections", &json!({"items": [], "next": null}));
    let form = "cve=&update=x&collection=Branch&computer=pc-1&owner=+&reason=Old&expires=soon";
    let page = text(stub.form("/updates/exposure/exceptions/new", form).await).await;
    for part in ["#f-update", "#f-collection", "#f-owner", "#f-expires", "value=\"pc-1\"", "value=\"Branch\" selected"]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!was_asked(&stub, "POST"), "{:?}", stub.asked());
}

#[tokio::test]
async fn an_exception_says_whom_it_covers_before_it_is_made() {
    let cve = json!({"cve": "CVE-2026-0001", "title": "x", "severity": "critical", "score": null, "vector": null, "exploited": false, "kev": null,
        "published_at": null, "revised_at": null, "computers": {"exposed": 45, "no_data": 0, "fixed": 0, "not_affected": 0},
        "levels": {"breached": 30, "due_soon": 0, "within": 15, "excepted": 0, "none": 0}, "due_at": null, "problems": [],
        "documents": [], "reasons": []});
    let stub =
        Stub::new().with("GET /exposure/cves/CVE-2026-0001", &cve).with("POST /exposure/exceptions", &exception());
    let page = text(stub.form("/updates/exposure/exceptions/new", FORM).await).await;
    for part in [
        "45 computers of Branch are exposed",
        "30 of them are breaches now",
        "Exposure to CVE-2026-0001 on Branch",
        "To undo:",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!was_asked(&stub, "POST"), "{:?}", stub.asked());
    let done = stub.form("/updates/exposure/exceptions/new", &format!("{FORM}&sure=1")).await;
    assert_eq!(location(&done), (StatusCode::SEE_OTHER, "/updates/exposure/CVE-2026-0001?tab=exceptions".to_owned()));
    // to the end of the day, in the zone of the visitor
    assert!(
        stub.asked().iter().any(|line| line.contains("\"expires_at\":\"2027-01-01T00:00:00Z\"")),
        "{:?}",
        stub.asked()
    );
    let refused = problem(400, "expires_at", "expires is 2099; an exception lasts 2 years at most");
    let stub = stub.refusing("POST /exposure/exceptions", 400, refused);
    let page = text(stub.form("/updates/exposure/exceptions/new", &format!("{FORM}&sure=1")).await).await;
    assert!(page.contains("href=\"#f-expires\"") && page.contains("value=\"Anna\""), "{page}");
}
