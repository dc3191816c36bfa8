//! Saved searches.

use super::*;

const SEARCH: &str = "3a7f0b7e-4444-4a3d-9c77-0d9f6a1b2c3d";

fn search(name: &str, from_parent: bool) -> Value {
    json!({"id": SEARCH, "name": name, "description": "for patch day", "filter": "severity = critical", "filter_by_id": null,
        "by_text": [], "text": "server", "sort": "needed:desc", "from_parent": from_parent, "changed_at": "2026-11-30T08:00:00Z",
        "changed_by": "anna"})
}

fn searches(rows: &[Value]) -> Value {
    json!({"items": rows, "next": null})
}

#[tokio::test]
async fn searches_are_opened_from_the_list() {
    let stub = Stub::new()
        .with("GET /updates", &list(&[row(ID, "x")]))
        .with("GET /searches", &searches(&[search("Patch & day", false)]));
    let (_, page) = stub.page("/updates?view=all&saved=patch+%26+day").await;
    for part in
        ["Search: Patch &amp; day", "href=\"/updates?view=all&amp;saved=Patch+%26+day\"", "/updates/searches/new?from="]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(was_asked(&stub, "GET /updates?saved=patch+%26+day"), "{:?}", stub.asked());
}

#[tokio::test]
async fn saving_begins_with_what_the_list_shows() {
    let stub = Stub::new().with("GET /searches", &searches(&[search("Patch day", false)]));
    let from = "%2Fupdates%3Fview%3Dall%26saved%3Dpatch%2520day%26f%3Dtype%253Adriver";
    let (status, page) = stub.page(&format!("/updates/searches/new?from={from}")).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    for part in ["(severity = critical) and (type = &quot;driver&quot;)", "value=\"server\"", "value=\"needed:desc\""] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let (status, page) = stub.page("/updates/searches/new?from=%2F%2Fevil.example").await;
    assert!(status == StatusCode::OK && !page.contains("href=\"//evil"), "{page}");
}

#[tokio::test]
async fn a_name_that_is_taken_is_said_beside_it() {
    let refused = problem(409, "exists", "a saved search named \"Mine\" exists already");
    let stub = Stub::new().refusing("POST /searches", 409, refused);
    let form = "name=Mine&filter=needed+%3E+0&description=&text=&sort=";
    let page = text(stub.form("/updates/searches/new", form).await).await;
    assert!(
        page.contains("href=\"#f-name\"") && page.contains("value=\"Mine\"") && page.contains("needed &gt; 0"),
        "{page}"
    );
    let stub = stub.with("POST /searches", &search("Mine", false));
    let done = stub.form("/updates/searches/new", form).await;
    assert_eq!(location(&done), (StatusCode::SEE_OTHER, "/updates?view=all&saved=Mine".to_owned()));
}

#[tokio::test]
async fn searches_are_listed_changed_and_deleted() {
    let one = format!("/searches/{SEARCH}");
    let stub = Stub::new()
        .with("GET /searches", &searches(&[search(HOSTILE, false)]))
        .with(&format!("GET {one}"), &search(HOSTILE, false));
    let (_, page) = stub.page("/updates/searches").await;
    assert!(!page.contains("<script>") && page.contains(&format!("/updates/searches/{SEARCH}/delete")), "{page}");
    let (_, page) = stub.page(&format!("/updates/searches/{SEARCH}/edit")).await;
    assert!(page.contains("severity = critical") && !page.contains("<script>"), "{page}");
    let page = text(stub.form(&format!("/updates/searches/{SEARCH}/delete"), "").await).await;
    assert!(page.contains("To undo:") && !was_asked(&stub, "DELETE"), "{page}");
    let stub = stub.with(&format!("DELETE {one}"), &Value::Null);
    let done = stub.form(&format!("/updates/searches/{SEARCH}/delete"), "sure=1").await;
    assert_eq!(location(&done), (StatusCode::SEE_OTHER, "/updates/searches".to_owned()));
    assert!(was_asked(&stub, &format!("DELETE {one}")));
}

#[tokio::test]
async fn searches_of_the_server_above_are_not_changed_here() {
    let stub = Stub::new().with("GET /searches", &searches(&[search("Theirs", true)]));
    let (_, page) = stub.page("/updates/searches").await;
    assert!(page.contains("From the server above") && !page.contains("/delete\""), "{page}");
    let stub = stub.with("GET /searches", &searches(&[]));
    let (_, page) = stub.page("/updates/searches").await;
    assert!(page.contains("No search is saved yet"), "{page}");
}
