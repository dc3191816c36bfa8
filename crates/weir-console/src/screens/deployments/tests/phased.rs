//! Phased deployments.

use http::StatusCode;
use serde_json::{Value, json};

use super::{COLLECTION, GROUP, HOSTILE, analyst, collection, harmless, list, location, says, settings, simulation};
use crate::tests::{Stub, problem, text};

const ID: &str = "77777777-3333-4444-8555-666677778888";

fn phase(number: u32, name: &str, started: bool) -> Value {
    let counts = json!({"targeted": 50, "succeeded": 45, "failed": 2, "unknown": 3});
    let nobody = json!({"targeted": 0, "succeeded": 0, "failed": 0, "unknown": 0});
    json!({"number": number, "spec": {"name": name, "collection": name, "action": "install", "manual": false, "after_days": 2,
            "success_percent": 95, "ignore_unknown": false, "max_failed_percent": 5, "soak_hours": 24, "approval": true,
            "spread_days": 0, "deadline_days": 7, "settings": settings()},
        "status": if started { "active" } else { "waiting" }, "started_at": started.then_some("2026-01-10T08:00:00Z"),
        "reached_at": null, "completed_at": null, "approved_by": null, "deployment": started.then_some(7),
        "computers": if started { &counts } else { &nobody }, "late": nobody, "gate": started.then_some(name)})
}

fn phased(name: &str, status: &str) -> Value {
    json!({"id": ID, "name": name, "description": name, "group": {"id": GROUP, "name": name}, "status": status,
        "phases": [phase(1, name, true), phase(2, &format!("{name} 2"), false)], "observed_at": "2026-01-10T09:00:00Z",
        "warnings": [name], "created_at": "2026-01-10T07:00:00Z", "created_by": name})
}

fn stub(name: &str) -> Stub {
    let event = json!({"at": "2026-01-10T08:00:00Z", "by": name, "step": "start", "phase": 1, "reason": name});
    let group = json!({"id": GROUP, "name": name, "description": "", "members": 3, "deployments": [], "created_at": "2026-01-10T07:00:00Z",
        "created_by": name});
    super::stub(name)
        .with("GET /phased", &list(&[phased(name, "running")]))
        .with(&format!("GET /phased/{ID}"), &phased(name, "running"))
        .with(&format!("GET /phased/{ID}/events"), &list(&[event]))
        .with("GET /collections", &list(&[collection(name), collection("Everybody")]))
        .with("GET /groups", &list(&[group]))
}

fn page(rest: &str) -> String {
    format!("/deployments/phased/{ID}{rest}")
}

#[tokio::test]
async fn steps_are_drawn_and_gates_are_told() {
    let stub = stub("Ring");
    let link = format!("href=\"{}\"", page(""));
    says(&stub, "/deployments/phased", &[&link, "Running", "90.0\u{a0}%", "1 / 2"], &[]).await;
    let there = [
        "class=\"steps\"",
        "Waits for:",
        "95\u{a0}%",
        "2 days after the success of the one before",
        "24 hours at least",
    ];
    says(&stub, &page(""), &there, &[]).await;
    says(
        &stub,
        &page(""),
        &[&format!("{}/pause", page("")), &format!("{}/advance", page(""))],
        &[&format!("{}/resume", page(""))],
    )
    .await;
    says(&stub, &page("?tab=events"), &["Phase started"], &[]).await;
    says(&stub, &page("?tab=trend"), &["There is no daily record of this yet"], &[]).await;
    says(&analyst(stub), &page(""), &["Waits for:"], &["/pause\"", "/advance\"", "/stop\"", "/edit\"", "/refresh\""])
        .await;
    let empty = Stub::new().with("GET /phased", &list(&[]));
    says(&empty, "/deployments/phased", &["one collection after the other", "href=\"/deployments/phased/new\""], &[])
        .await;
}

#[tokio::test]
async fn what_can_be_done_follows_from_how_it_stands() {
    let held = stub("Ring").with(&format!("GET /phased/{ID}"), &phased("Ring", "failed"));
    says(&held, &page(""), &["/resume\"", "/stop\""], &["/pause\"", "/advance\"", "/delete\""]).await;
    let over = stub("Ring").with(&format!("GET /phased/{ID}"), &phased("Ring", "completed"));
    says(&over, &page(""), &["/delete\""], &["/resume\"", "/stop\"", "/edit\""]).await;
    assert_eq!(stub("Ring").page(&page("/explode")).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_rest_says_stays_text() {
    let stub = stub(HOSTILE);
    let pages =
        ["", "?tab=events", "?tab=trend", "/edit", "/pause", "/resume", "/advance", "/approve", "/stop", "/delete"];
    let pages: Vec<String> = pages.iter().map(|rest| page(rest)).collect();
    let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
    harmless(&stub, &pages).await;
    harmless(&stub, &["/deployments/phased", "/deployments/phased/new?group=%3Cscript%3E&name=%3Cscript%3E"]).await;
}

#[tokio::test]
async fn acts_are_confirmed_with_a_note() {
    let pause = format!("POST /phased/{ID}/pause");
    let stub = stub("Ring").with(&pause, &phased("Ring", "paused"));
    says(
        &stub,
        &page("/pause"),
        &["Ring is paused", "name=\"note\"", "50 computers: 45 succeeded, 2 failed, 3 unknown"],
        &[],
    )
    .await;
    let response = stub.form(&page("/pause"), "note=too+many+calls").await;
    assert_eq!(location(&response), page(""));
    assert_eq!(stub.asked().last().unwrap(), &format!("{pause} {{\"note\":\"too many calls\"}}"));
    let refused = stub.clone().refusing(&pause, 409, problem(409, "held", "it is paused already"));
    let html = text(refused.form(&page("/pause"), "note=x").await).await;
    assert!(html.contains("it is paused already") && html.contains("value=\"x\""), "{html}");
    let html = text(stub.form(&page("/stop"), "typed=other&note=").await).await;
    assert!(html.contains("That is not what was to be typed."), "{html}");
}

/// Two phases that are filled in.
const FORM: &str = "name=November&description=&group=Ring&phases=2&p1-collection=Ring&p1-action=install&p1-success=90&p1-deadline_days=3\
                    &p2-collection=Everybody&p2-action=install&p2-start=manual&p2-success=10&p2-success_of=computers&p2-deadline_days=7";

#[tokio::test]
async fn phases_are_added_confirmed_and_made() {
    let stub = stub("Ring")
        .with("POST /phased", &phased("November", "running"))
        .with("POST /deployments/simulation", &simulation("Ring"));
    says(
        &stub,
        "/deployments/phased/new",
        &["name=\"p3-collection\"", "name=\"act\" value=\"add\""],
        &["name=\"p4-collection\""],
    )
    .await;
    let html = text(stub.form("/deployments/phased/new", &format!("{FORM}&act=add")).await).await;
    assert!(html.contains("name=\"p3-collection\"") && html.contains("value=\"90\""), "{html}");
    let html = text(stub.form("/deployments/phased/new", FORM).await).await;
    assert!(html.contains("November starts: its first phase deploys to 120 computers of Ring at once."), "{html}");
    assert!(stub.asked().iter().all(|line| !line.starts_with("POST /phased")));
    let response = stub.form("/deployments/phased/new", &format!("{FORM}&sure=1")).await;
    assert_eq!(location(&response), page(""));
    let asked = stub.asked();
    let made = asked.last().unwrap();
    for part in [
        "\"success_percent\":90",
        "\"manual\":true",
        "\"success_count\":10",
        "\"deadline_days\":3",
        "\"group\":\"Ring\"",
    ] {
        assert!(made.contains(part), "{part} in {made}");
    }
}

#[tokio::test]
async fn refusals_stand_beside_the_field_of_their_phase() {
    let stub = stub("Ring");
    for (detail, field) in [
        ("phase 2: another phase has its collection; a group is deployed once to a collection", "p2-collection"),
        ("phase 1: success must be 1 to 100 percent", "p1-success"),
    ] {
        let stub = stub.clone().refusing("POST /phased", 400, problem(400, "phase", detail));
        let html = text(stub.form("/deployments/phased/new", &format!("{FORM}&sure=1")).await).await;
        assert!(html.contains(&format!("id=\"e-{field}\"")), "{field} in {html}");
    }
    let html =
        text(stub.form("/deployments/phased/new", &FORM.replace("p1-success=90", "p1-success=many")).await).await;
    assert!(html.contains("id=\"e-p1-success\"") && html.contains("Give a whole number."), "{html}");
}

#[tokio::test]
async fn phases_that_started_are_sent_as_they_are() {
    let patch = format!("PATCH /phased/{ID}");
    let stub = stub("Ring").with(&patch, &phased("Ring", "running"));
    let html = stub.page(&page("/edit")).await.1;
    assert!(html.contains("It has started: it cannot be changed") && html.contains("name=\"p1-spec\""), "{html}");
    let spec = serde_json::to_string(&phase(1, "Ring", true)["spec"]).unwrap();
    let form = [
        ("name", "Ring"),
        ("description", "Ring"),
        ("phases", "2"),
        ("p1-spec", &spec),
        ("p2-collection", COLLECTION),
        ("p2-action", "optional"),
        ("sure", "1"),
    ];
    let form = serde_urlencoded::to_string(form).unwrap();
    assert_eq!(location(&stub.form(&page("/edit"), &form).await), page(""));
    let asked = stub.asked();
    let sent: Value = serde_json::from_str(asked.last().unwrap().strip_prefix(&format!("{patch} ")).unwrap()).unwrap();
    assert_eq!((&sent["name"], &sent["phases"][0]["soak_hours"]), (&Value::Null, &json!(24)));
    assert_eq!((&sent["phases"][1]["action"], &sent["phases"][1]["deadline_days"]), (&json!("optional"), &Value::Null));
}
