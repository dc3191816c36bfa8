//! Maintenance windows.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use super::{COLLECTION, HOSTILE, analyst, collection, harmless, list, location, says, simulation};
use crate::tests::{Stub, problem, text};

const ID: &str = "55555555-3333-4444-8555-666677778888";

fn window(name: &str) -> Value {
    json!({"id": ID, "name": name, "collection": {"id": COLLECTION, "name": name},
        "schedule": "weekly saturday at 22:00 from 2026-01-03", "description": name, "minutes": 180, "local": true, "zone": null,
        "kind": "software_updates", "enabled": true, "from_parent": false, "next": "2999-01-02T22:00:00Z",
        "changed_at": "2026-01-10T07:00:00Z", "changed_by": name})
}

fn changed(name: &str, warnings: &[&str]) -> Value {
    let mut changed = window(name);
    changed["warnings"] = json!(warnings);
    changed
}

fn time(name: &str) -> Value {
    json!({"collection": {"id": COLLECTION, "name": name}, "window": {"id": ID, "name": name}, "kind": "software_updates",
        "starts_at": "2999-12-12T21:00:00Z", "ends_at": "2999-12-13T00:00:00Z", "zone": "Europe/Amsterdam",
        "local_start": "2999-12-12 22:00", "minutes": 180})
}

fn stub(name: &str) -> Stub {
    super::stub(name)
        .with("GET /windows", &list(&[window(name)]))
        .with(&format!("GET /windows/{ID}"), &window(name))
        .with("GET /windows-calendar", &list(&[time(name)]))
        .with(&format!("GET /collections/{COLLECTION}"), &collection(name))
        .with("GET /collections/Ring", &collection("Ring"))
}

fn page(rest: &str) -> String {
    format!("/deployments/windows/{ID}{rest}")
}

#[tokio::test]
async fn a_month_is_a_table_of_days_or_a_list() {
    let stub = stub("Ring");
    let link = format!("href=\"{}\"", page(""));
    let there = [
        "class=\"calendar\"",
        "December 2999",
        "month=2999-11",
        "month=3000-01",
        "<time class=\"date\" datetime=\"2999-12-12\">12</time><ul>",
        &link,
        "3 hours",
    ];
    says(&stub, "/deployments/windows?month=2999-12", &there, &[]).await;
    let asked = stub.asked();
    assert!(asked.iter().any(|line| line == "GET /windows-calendar?month=2999-12&limit=1000"), "{asked:?}");
    says(
        &stub,
        "/deployments/windows?month=2999-12&view=list",
        &["2999-12-12 22:00", "Europe/Amsterdam"],
        &["class=\"calendar\""],
    )
    .await;
    says(&stub, "/deployments/windows?view=all", &[&link, "Software updates", "local time of each computer"], &[])
        .await;
    says(&stub, "/deployments/windows?month=nonsense", &["class=\"months\""], &[]).await;
    let request =
        Request::get("/deployments/windows?month=2999-12&format=csv&col=window&col=minutes").body(Body::empty());
    assert_eq!(text(stub.send(request.unwrap()).await).await, "\u{feff}Window,Duration\r\nRing,180\r\n");
    says(&analyst(stub), "/deployments/windows?month=2999-12", &[&link], &["href=\"/deployments/windows/new\""]).await;
}

#[tokio::test]
async fn an_empty_month_says_what_comes_next() {
    let empty = Stub::new().with("GET /windows-calendar", &list(&[])).with("GET /windows", &list(&[]));
    let new = "href=\"/deployments/windows/new\"";
    says(&empty, "/deployments/windows", &["No maintenance window comes in this month.", new], &[]).await;
    says(&empty, "/deployments/windows?view=all", &["No collection has a maintenance window", new], &[]).await;
    let refused = problem(404, "not_found", "there is no collection \"x\"");
    let stub = Stub::new().refusing("GET /windows-calendar", 404, refused);
    says(&stub, "/deployments/windows?collection=x", &["href=\"#f-collection\""], &[]).await;
}

#[tokio::test]
async fn what_rest_says_stays_text() {
    let stub = stub(HOSTILE).with(&format!("PATCH /windows/{ID}"), &changed(HOSTILE, &[HOSTILE]));
    let pages = ["", "?check=1", "?deployment=7", "/edit", "/delete"];
    let pages: Vec<String> = pages.iter().map(|rest| page(rest)).collect();
    let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
    harmless(&stub, &pages).await;
    let others = [
        "/deployments/windows?month=2999-12",
        "/deployments/windows?month=%3Cscript%3E&collection=%3Cscript%3E",
        "/deployments/windows?view=list",
        "/deployments/windows?view=all",
        "/deployments/windows/new?name=%3Cscript%3E",
    ];
    harmless(&stub, &others).await;
}

#[tokio::test]
async fn what_fits_is_what_rest_says() {
    let patch = format!("PATCH /windows/{ID}");
    let stub = stub("Ring").with(&patch, &changed("Ring", &["None of the 2 required deployments fits"]));
    says(&stub, &page(""), &["Check all required deployments", "Does this deployment fit?", "2999-12-12 22:00"], &[])
        .await;
    assert!(stub.asked().iter().all(|line| !line.starts_with("PATCH")));
    says(&stub, &page("?check=1"), &["None of the 2 required deployments fits"], &[]).await;
    assert_eq!(stub.asked().iter().find(|line| line.starts_with("PATCH")), Some(&format!("{patch} {{}}")));
    let stub = stub
        .with(&patch, &changed("Ring", &[]))
        .with("POST /deployments/simulation", &simulation("no window is long enough"));
    says(&stub, &page("?check=1"), &["All required deployments to these computers fit"], &[]).await;
    says(&stub, &page("?deployment=7"), &["no window is long enough"], &[]).await;
    // who may not change it does not ask by a change
    let stub = analyst(super::windows::stub("Ring"));
    says(&stub, &page("?check=1"), &["Does this deployment fit?"], &["/edit\"", "/delete\"", "Check all required"])
        .await;
    assert!(stub.asked().iter().all(|line| !line.starts_with("PATCH")));
}

/// A window that is filled in.
const FORM: &str = "collection=Ring&name=Night&kind=software_updates&s-repeat=weeks&s-every=1&s-weekdays=saturday\
                    &s-weekdays=sunday&s-at=22%3A00&clock=local&schedule_zone=&minutes=240&first_day=&enabled=1";

#[tokio::test]
async fn a_window_is_confirmed_then_made() {
    let stub = stub("Ring").with("POST /windows", &changed("Night", &["too short"]));
    says(
        &stub,
        "/deployments/windows/new?collection=Ring",
        &["<option value=\"Ring\" selected>", "1 deployment to this collection"],
        &[],
    )
    .await;
    let html = text(stub.form("/deployments/windows/new", FORM).await).await;
    assert!(
        html.contains("With Night, 120 computers of Ring install updates only in their maintenance windows"),
        "{html}"
    );
    assert!(stub.asked().iter().all(|line| !line.starts_with("POST /windows")));
    let response = stub.form("/deployments/windows/new", &format!("{FORM}&sure=1")).await;
    assert_eq!(location(&response), page("?check=1"));
    let line = "POST /windows {\"name\":\"Night\",\"collection\":\"Ring\",\"schedule\":\"weekly saturday,sunday at 22:00\",\"minutes\":240,\
                \"local\":true,\"kind\":\"software_updates\",\"enabled\":true}";
    assert_eq!(stub.asked().last().map(String::as_str), Some(line));
    let html = text(stub.form("/deployments/windows/preview", "collection=Ring").await).await;
    assert!(html.starts_with("<div id=\"preview\">") && html.contains("120 computers"), "{html}");
}

#[tokio::test]
async fn refusals_stand_beside_their_fields() {
    let stub = stub("Ring");
    for (code, detail, field) in [
        ("exists", "the collection has a maintenance window named \"Night\" already", "name"),
        ("minutes", "a window lasts 5 to 1440 minutes", "minutes"),
        ("schedule", "\"x\" does not belong here", "s-repeat"),
        ("collection", "All Computers has no maintenance windows", "collection"),
    ] {
        let stub = stub.clone().refusing("POST /windows", 400, problem(400, code, detail));
        let html = text(stub.form("/deployments/windows/new", &format!("{FORM}&sure=1")).await).await;
        assert!(html.contains(&format!("id=\"e-{field}\"")), "{field} in {html}");
    }
    let html = text(stub.form("/deployments/windows/new", &FORM.replace("clock=local", "clock=zone")).await).await;
    assert!(html.contains("id=\"e-schedule_zone\""), "{html}");
    let html = text(stub.form("/deployments/windows/new", &FORM.replace("minutes=240", "minutes=long")).await).await;
    assert!(html.contains("id=\"e-minutes\""), "{html}");
}

#[tokio::test]
async fn a_change_sends_only_what_is_other() {
    let patch = format!("PATCH /windows/{ID}");
    let stub = stub("Ring").with(&patch, &changed("Ring", &[]));
    says(&stub, &page("/edit"), &["value=\"saturday\" checked", "value=\"2026-01-03\"", "value=\"22:00\""], &[]).await;
    let same = "name=Ring&kind=software_updates&s-repeat=weeks&s-every=1&s-weekdays=saturday&s-at=22%3A00&clock=local\
                &schedule_zone=&minutes=180&first_day=2026-01-03&enabled=1";
    assert_eq!(location(&stub.form(&page("/edit"), same).await), page(""));
    assert!(stub.asked().iter().all(|line| !line.starts_with("PATCH")));
    let longer = same.replace("minutes=180", "minutes=240");
    let html = text(stub.form(&page("/edit"), &longer).await).await;
    assert!(html.contains("3 hours") && html.contains("4 hours"), "{html}");
    assert_eq!(location(&stub.form(&page("/edit"), &format!("{longer}&sure=1")).await), page(""));
    assert_eq!(stub.asked().last(), Some(&format!("{patch} {{\"minutes\":240}}")));
    let zone = same.replace("clock=local&schedule_zone=", "clock=zone&schedule_zone=UTC");
    stub.form(&page("/edit"), &format!("{zone}&sure=1")).await;
    let line = format!("{patch} {{\"schedule\":\"weekly saturday at 22:00 UTC\",\"local\":false}}");
    assert_eq!(stub.asked().last(), Some(&line));
}

#[tokio::test]
async fn the_last_window_is_deleted_knowingly() {
    let stub = stub("Ring").with(&format!("DELETE /windows/{ID}"), &Value::Null);
    says(&stub, &page("/delete"), &["it concerns 120 computers of Ring", "It is the last one that counts here"], &[])
        .await;
    let html = text(stub.form(&page("/delete"), "typed=x").await).await;
    assert!(html.contains("That is not what was to be typed."), "{html}");
    assert_eq!(location(&stub.form(&page("/delete"), "typed=ring").await), "/deployments/windows");
}
