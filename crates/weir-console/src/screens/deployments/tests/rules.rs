//! Automatic deployment rules.

use serde_json::{Value, json};

use super::{COLLECTION, GROUP, HOSTILE, UPDATE, analyst, harmless, list, location, says};
use crate::tests::{Stub, problem, text};

const ID: &str = "66666666-3333-4444-8555-666677778888";

fn run(name: &str, result: &str) -> Value {
    json!({"no": 12, "trigger": "schedule", "base": "2026-01-10T02:00:00Z", "started_at": "2026-01-10T02:00:01Z",
        "ended_at": "2026-01-10T02:00:09Z", "by": name, "result": result, "matched": 3, "rejected": 400,
        "group": {"id": GROUP, "name": name}, "deployments": [7], "accepted_terms": 0, "warnings": [name], "error": name,
        "next_step": name, "detailed": true})
}

fn rule(name: &str) -> Value {
    json!({"id": ID, "name": name, "description": name, "enabled": true, "criteria": "not superseded and severity = critical",
        "criteria_text": name, "schedule": "monthly second tuesday +1 at 02:00 Europe/Amsterdam", "next_run": "2999-01-10T02:00:00Z",
        "new_group": "{name} {month}", "keep_group": null, "deployments": [{"collection": name, "action": "install",
            "available": "0", "deadline": "7d", "template": null, "settings": {}}],
        "enable_deployments": true, "licences": "without_terms", "alert_on_failure": true, "from_parent": false,
        "last_run": run(name, "done"), "changed_at": "2026-01-10T07:00:00Z", "changed_by": name})
}

fn preview(name: &str) -> Value {
    json!({"criteria_text": name, "looked_at": 403, "matched": 3, "updates": [{"id": UPDATE, "title": name, "matched": true,
            "reason": name}], "rejected": [{"reason": name, "updates": 400}], "files": 6, "bytes": 5_000_000, "bytes_here": 0,
        "accepts_terms": 0, "group": name, "deployments": [{"collection": {"id": COLLECTION, "name": name}, "action": "install",
            "available": "2026-01-10T02:00:00Z", "deadline": null, "enabled": true}], "problem": null})
}

fn stub(name: &str) -> Stub {
    let update = json!({"id": UPDATE, "title": name, "matched": true, "reason": name});
    let beginning = json!({"name": "patch-tuesday", "description": name, "built_in": true, "criteria": "released < 1 month and not superseded",
        "criteria_text": name, "schedule": "after sync", "new_group": null, "keep_group": "{name}", "deadline": "0",
        "licences": "accept_all"});
    let category = json!({"id": UPDATE, "kind": "update_classification", "title": name, "revision": 1, "selected": true, "chosen": true,
        "holds_updates": true, "excluded_by_default": false, "children": []});
    super::stub(name)
        .with("GET /rules", &list(&[rule(name)]))
        .with(&format!("GET /rules/{ID}"), &rule(name))
        .with(&format!("GET /rules/{ID}/runs"), &list(&[run(name, "failed")]))
        .with("GET /rule-runs/12", &run(name, "failed"))
        .with("GET /rule-runs/12/updates", &list(&[update]))
        .with("GET /rule-templates", &list(&[beginning]))
        .with("POST /rules/preview", &preview(name))
        .with("GET /classifications", &list(&[category]))
}

fn page(rest: &str) -> String {
    format!("/deployments/rules/{ID}{rest}")
}

#[tokio::test]
async fn rules_say_when_they_run_and_what_came_of_it() {
    let stub = stub("Monthly");
    let link = format!("href=\"{}\"", page(""));
    says(&stub, "/deployments/rules", &[&link, "2999-01-10", "Done", "href=\"/deployments/rules/new\""], &[]).await;
    says(&stub, &page(""), &["7d after the scheduled start", "at the scheduled start", "name=\"on\" value=\"0\""], &[])
        .await;
    says(&stub, &page("?tab=runs"), &[&page("/runs/12"), "The schedule"], &[]).await;
    says(&stub, &page("/runs/12"), &["Matched", "400", "Monthly"], &[]).await;
    let asked = stub.asked();
    assert!(asked.iter().any(|line| line == "GET /rule-runs/12/updates?matched=true&limit=100"), "{asked:?}");
    let forbidden = ["/run\"", "/switch\"", "/edit\"", "/delete\"", "/deployments/remove", "/template\""];
    says(&analyst(stub), &page(""), &["7d after the scheduled start"], &forbidden).await;
    let empty = Stub::new().with("GET /rules", &list(&[]));
    says(&empty, "/deployments/rules", &["A rule finds updates on a schedule", "href=\"/deployments/rules/new\""], &[])
        .await;
}

#[tokio::test]
async fn a_dry_run_gives_the_reason_of_each_update() {
    let stub = stub("Monthly");
    let there = ["3 updates match", "of 403 that were looked at", "5.0\u{a0}MB", "Why others are left out"];
    says(&stub, &page("?tab=preview"), &there, &[]).await;
    let asked = stub.asked();
    assert!(
        asked.iter().any(|line| line.starts_with(&format!("POST /rules/preview {{\"name\":\"{ID}\""))),
        "{asked:?}"
    );
}

#[tokio::test]
async fn what_rest_says_stays_text() {
    let stub = stub(HOSTILE);
    let pages = ["", "?tab=preview", "?tab=runs", "/runs/12", "/runs/12?tab=rejected", "/edit", "/run", "/delete"];
    let pages: Vec<String> = pages.iter().map(|rest| page(rest)).collect();
    let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
    harmless(&stub, &pages).await;
    let others = [
        "/deployments/rules",
        "/deployments/rules/new?name=%3Cscript%3E&c_title=%3Cscript%3E",
        "/deployments/rules/templates",
        "/deployments/rules/templates/%3Cscript%3E/delete",
    ];
    harmless(&stub, &others).await;
}

/// A rule that is filled in.
const FORM: &str = "name=Monthly&description=&c_severity=critical&c_severity=important&c_not_superseded=1&criteria=&s-repeat=month_weekday\
                    &s-every=1&s-nth=second&s-weekday=tuesday&s-offset=1&s-at=02%3A00&s-zone=\
                    &group=new&new_group=%7Bname%7D&keep_group=&targets=1&d1-collection=Pilot&d1-action=install&d1-available=\
                    &d1-deadline=7d&licences=without_terms&enable_deployments=1&enabled=1";

#[tokio::test]
async fn fields_become_criteria_and_a_schedule() {
    let stub = stub("Pilot").with("POST /rules", &rule("Monthly"));
    let response = stub.form("/deployments/rules/new", FORM).await;
    assert_eq!(location(&response), page(""));
    let asked = stub.asked();
    let made = asked.last().unwrap();
    for part in [
        "\"criteria\":\"severity in (critical, important) and not superseded\"",
        "\"schedule\":\"monthly second tuesday +1 at 02:00\"",
        "\"new_group\":\"{name}\"",
        "\"collection\":\"Pilot\"",
        "\"deadline\":\"7d\"",
        "\"alert_on_failure\":false",
        "\"run\":false",
    ] {
        assert!(made.contains(part), "{part} in {made}");
    }
    let html = text(stub.form("/deployments/rules/new", &format!("{FORM}&act=add")).await).await;
    assert!(html.contains("name=\"d2-collection\""), "{html}");
    let html = text(stub.form("/deployments/rules/preview", FORM).await).await;
    assert!(html.starts_with("<div id=\"preview\">") && html.contains("3 updates match"), "{html}");
}

#[tokio::test]
async fn a_rule_that_runs_at_once_is_confirmed() {
    let stub = stub("Pilot").with("POST /rules", &rule("Monthly"));
    let html = text(stub.form("/deployments/rules/new", &format!("{FORM}&run=1")).await).await;
    assert!(html.contains("Monthly is made and runs once now.") && html.contains("3 updates match"), "{html}");
    assert!(stub.asked().iter().all(|line| !line.starts_with("POST /rules {")));
    let response = stub.form("/deployments/rules/new", &format!("{FORM}&run=1&sure=1")).await;
    assert_eq!(location(&response), page(""));
    assert!(stub.asked().last().unwrap().contains("\"run\":true"));
}

#[tokio::test]
async fn refusals_stand_beside_their_fields() {
    let stub = stub("Pilot");
    for (code, detail, field) in [
        ("criteria", "criteria: there is no field \"titel\"", "criteria"),
        ("exists", "a rule named \"Monthly\" exists already", "name"),
        ("schedule", "schedule is \"x\"", "s-repeat"),
        ("deadline", "deadline of deployment 1: \"x\" is no interval", "d1-deadline"),
    ] {
        let stub = stub.clone().refusing("POST /rules", 400, problem(400, code, detail));
        let html = text(stub.form("/deployments/rules/new", FORM).await).await;
        assert!(html.contains(&format!("id=\"e-{field}\"")), "{field} in {html}");
    }
    let html =
        text(stub.form("/deployments/rules/new", &FORM.replace("s-repeat=month_weekday", "s-repeat=weeks")).await)
            .await;
    assert!(html.contains("Choose at least one weekday."), "{html}");
}

#[tokio::test]
async fn a_change_sends_only_what_is_other() {
    let patch = format!("PATCH /rules/{ID}");
    let stub = stub("Monthly").with(&patch, &rule("Monthly"));
    let there =
        ["<option value=\"month_weekday\" selected>", "value=\"Europe/Amsterdam\"", "value=\"critical\" checked"];
    says(&stub, &page("/edit"), &there, &[]).await;
    let same = "name=Monthly&description=Monthly&c_severity=critical&c_not_superseded=1&criteria=&s-repeat=month_weekday&s-every=1\
                &s-nth=second&s-weekday=tuesday&s-offset=1&s-at=02%3A00&s-zone=Europe%2FAmsterdam\
                &group=new&new_group=%7Bname%7D+%7Bmonth%7D&licences=without_terms&enable_deployments=1&enabled=1&alert_on_failure=1";
    assert_eq!(location(&stub.form(&page("/edit"), same).await), page(""));
    assert!(stub.asked().iter().all(|line| !line.starts_with("PATCH")));
    let other = format!("{}&sure=1", same.replace("c_severity=critical", "c_severity=low"));
    assert_eq!(location(&stub.form(&page("/edit"), &other).await), page(""));
    let line = format!("{patch} {{\"criteria\":\"severity = low and not superseded\"}}");
    assert_eq!(stub.asked().last(), Some(&line));
    assert_eq!(location(&stub.form(&page("/switch"), "on=0").await), page(""));
    assert_eq!(stub.asked().last(), Some(&format!("{patch} {{\"enabled\":false}}")));
}

#[tokio::test]
async fn a_run_is_foreseen_and_leads_to_what_it_made() {
    let stub = stub("Monthly").with(&format!("POST /rules/{ID}/run"), &run("Monthly", "done"));
    says(&stub, &page("/run"), &["3 updates go into the group Monthly", "To undo:"], &[]).await;
    assert_eq!(location(&stub.form(&page("/run"), "").await), page("/runs/12"));
    let add = format!("POST /rules/{ID}/deployments");
    let refused = stub.clone().refusing(&add, 400, problem(400, "deadline", "deadline of deployment 2: \"x\""));
    let html = text(
        refused.form(&page("/deployments"), "targets=1&d1-collection=Pilot&d1-action=install&d1-deadline=x").await,
    )
    .await;
    assert!(html.contains("id=\"e-d1-deadline\""), "{html}");
    let remove = format!("DELETE /rules/{ID}/deployments/Pilot");
    let stub = stub.with(&remove, &rule("Monthly"));
    let html = text(stub.form(&page("/deployments/remove"), "collection=Pilot").await).await;
    assert!(
        html.contains("Later runs of Monthly deploy to Pilot no longer.")
            && stub.asked().iter().all(|line| !line.starts_with(&remove))
    );
    assert_eq!(location(&stub.form(&page("/deployments/remove"), "collection=Pilot&sure=1").await), page(""));
}
