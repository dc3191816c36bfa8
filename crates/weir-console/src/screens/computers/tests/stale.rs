//! Errors, duplicates, silent computers.

use super::*;

fn preview(due: u64, most: u64) -> Value {
    json!({"silent_days": 90, "computers": 4321, "due": due, "percent": 1.2, "recent": 3, "most": most, "needs_confirmation": due > most,
        "by_rule": false, "first": [{"id": ID, "name": HOSTILE, "last_contact": "2026-01-01T00:00:00Z"}]})
}

fn setting(key: &str, value: &str) -> Value {
    json!({"key": key, "value": value, "default": value, "values": "", "description": ""})
}

fn retiring(due: u64, most: u64) -> Stub {
    stub("pc-1")
        .with("GET /computers/retirement", &preview(due, most))
        .with("GET /settings/computers.retire_days", &setting("computers.retire_days", "0"))
        .with("GET /settings/computers.retire_percent", &setting("computers.retire_percent", "10"))
}

fn group(label: &str) -> Value {
    json!({"label": label, "code": "0x80070005", "name": "E_ACCESSDENIED", "meaning": HOSTILE, "about": null, "computers": 12, "failing": 10,
        "scans": 2, "new_computers": 4, "new": true, "first_at": null, "last_at": "2026-11-30T08:00:00Z",
        "codes": [{"code": "0x80070005", "name": null, "computers": 12}]})
}

#[tokio::test]
async fn errors_are_grouped_and_lead_to_what_they_mean() {
    let stub = stub("x").with("GET /compliance/errors", &json!({"items": [group("0x80070005")], "next": null}));
    let shown = page(&stub, "/computers/errors?since=7d&new=1").await;
    holds(&shown, &["href=\"/computers/errors/0x80070005\"", "E_ACCESSDENIED", "&lt;script&gt;", "by=update"]);
    assert!(!shown.contains("<script>"));
    let asked = stub.asked().into_iter().find(|asked| asked.contains("/compliance/errors")).unwrap();
    assert!(asked.contains("since=7d") && asked.contains("only_new=true") && asked.contains("by=code"), "{asked}");
    page(&stub, "/computers/errors?by=os").await;
    let refused = self::stub("x").refusing("GET /compliance/errors", 400, problem(400, "since", "since is no time"));
    holds(&page(&refused, "/computers/errors?since=x").await, &["href=\"#f-since\"", "since is no time"]);
    let none = self::stub("x").with("GET /compliance/errors", &json!({"items": [], "next": null}));
    holds(
        &page(&none, "/computers/errors").await,
        &["No installation and no scan failed.", "href=\"/computers/stale\""],
    );
}

#[tokio::test]
async fn a_code_is_explained_with_its_computers() {
    let explanation = json!({"code": "0x80070005", "decimal": -2_147_024_891, "known": true, "name": "E_ACCESSDENIED", "meaning": "Access is denied.",
        "cause": HOSTILE, "next_step": "Look at the account.", "source": "MS-ERREF", "looked_up_as": null,
        "layout": {"severity": "error", "facility": 7, "facility_name": "WIN32", "number": 5, "sentence": "An error of Win32."}});
    let mut by_update = group("Cumulative");
    by_update["about"] = json!({"id": UPDATE, "name": "Cumulative"});
    let detail = json!({"explanation": explanation, "occurs": group("x"), "updates": [by_update], "systems": [group("Windows 11")], "sites": []});
    let standing = |id: &str, error: &str| {
        json!({"id": id, "name": HOSTILE, "server": null, "state": "failed", "since": null, "error": error,
        "last_contact": "2026-11-30T08:00:00Z", "last_report": null})
    };
    let standings = json!({"items": [standing(ID, "0x80070005"), standing(UPDATE, "0x80240022")], "next": null});
    let found = json!({"collection": null, "rule": null, "computers": 5, "members": {"count": 1, "items": [{"id": RING, "name": "scanner", "sources": []}]},
        "coming": {"count": 0, "items": []}, "going": {"count": 0, "items": []}, "others": [], "deployments": []});
    let stub = stub("x")
        .with("GET /compliance/errors/0x80070005", &detail)
        .with("GET /compliance/computers", &standings)
        .with("POST /collections/preview", &found);
    let shown = page(&stub, "/computers/errors/0x80070005").await;
    holds(
        &shown,
        &["Access is denied.", "Look at the account.", "MS-ERREF", "Windows 11", "tab=results&amp;state=failed"],
    );
    let computers = page(&stub, "/computers/errors/0x80070005?tab=computers").await;
    assert!(computers.contains(ID) && !computers.contains(&format!("/computers/{UPDATE}\"")), "{computers}");
    assert!(!shown.contains("<script>") && !computers.contains("<script>"));
    let scans = page(&stub, "/computers/errors/0x80070005?tab=computers&of=scans").await;
    holds(&scans, &["scanner"]);
    assert!(stub.asked().iter().any(|asked| asked.contains("scan_error = \\\"0x80070005\\\"")));
}

#[tokio::test]
async fn clones_come_with_the_script() {
    let clone = json!({"id": ID, "name": HOSTILE, "certainty": "certain", "evidence": ["names_take_turns"], "since": "2026-11-01T00:00:00Z",
        "last": "2026-11-30T00:00:00Z", "prints": [{"name": "", "hardware": HOSTILE, "system": "10.0", "address": null,
            "first_seen": "2026-11-01T00:00:00Z", "last_seen": "2026-11-30T00:00:00Z", "returns": 2}]});
    let stub = stub("x")
        .with("GET /computers/clones", &json!({"items": [clone], "next": null}))
        .with(&format!("DELETE /computers/{ID}/prints"), &Value::Null);
    let shown = page(&stub, "/computers/duplicates").await;
    holds(
        &shown,
        &[
            "Certain",
            "Names take turns",
            "came back 2 times",
            "href=\"/computers/duplicates/new-id.ps1\"",
            "SusClientIdValidation",
        ],
    );
    assert!(!shown.contains("<script>"));
    let file = stub.send(Request::get("/computers/duplicates/new-id.ps1").body(Body::empty()).unwrap()).await;
    assert_eq!(file.headers()[header::CONTENT_DISPOSITION], "attachment; filename=\"new-id.ps1\"");
    assert!(text(file).await.contains("#Requires -RunAsAdministrator"));
    let form = format!("act=forget&id={ID}");
    holds(&text(stub.form("/computers/duplicates", &form).await).await, &["compared anew", "name=\"sure\""]);
    assert!(stub.asked().iter().all(|asked| !asked.starts_with("DELETE")));
    assert_eq!(
        stub.form("/computers/duplicates", &format!("{form}&sure=1")).await.headers()[header::LOCATION],
        "/computers/duplicates"
    );
    let none = self::stub("x").with("GET /computers/clones", &json!({"items": [], "next": null}));
    holds(&page(&none, "/computers/duplicates").await, &["No id is shared by several machines"]);
}

#[tokio::test]
async fn rows_that_were_left_behind_are_retired_after_confirmation() {
    let one = |id: &str, standing: &str| {
        json!({"id": id, "address": null, "likeness": "hardware", "standing": standing, "retires": standing == "left_behind",
        "first_seen": "2026-01-01T00:00:00Z", "last_contact": "2026-11-30T00:00:00Z"})
    };
    let names =
        json!({"items": [{"name": HOSTILE, "computers": [one(ID, "newest"), one(RING, "left_behind")]}], "next": null});
    let mut due = preview(1, 5);
    due["silent_days"] = Value::Null;
    let stub = stub("x")
        .with("GET /computers/duplicates", &names)
        .with("GET /computers/retirement", &due)
        .with("GET /settings/computers.duplicates", &setting("computers.duplicates", "flag"))
        .with("PUT /settings/computers.duplicates", &json!({"key": "computers.duplicates", "value": "retire-older"}))
        .with("POST /computers/retirement", &json!({"retired": 1, "computers": 4320}));
    let shown = page(&stub, "/computers/duplicates?tab=duplicates").await;
    holds(&shown, &["2 of this name", "Left behind", "can be retired", "value=\"retire-older\"", "value=\"retire\""]);
    assert!(!shown.contains("<script>"));
    holds(&text(stub.form("/computers/duplicates", "act=retire").await).await, &["1 computer will be retired."]);
    assert_eq!(stub.form("/computers/duplicates", "act=retire&sure=1&due=1").await.status(), StatusCode::SEE_OTHER);
    assert_eq!(stub.asked().pop().unwrap(), "POST /computers/retirement {\"duplicates\":true,\"confirm\":1}");
    holds(&text(stub.form("/computers/duplicates", "act=rule&value=retire-older").await).await, &["name=\"sure\""]);
    assert!(stub.asked().iter().all(|asked| !asked.starts_with("PUT")));
}

#[tokio::test]
async fn silent_computers_are_listed_with_the_way_on() {
    let stub = stub(HOSTILE);
    let shown = page(&stub, "/computers/stale").await;
    holds(&shown, &["Silent", "97.5\u{a0}%", "tab=scan_failed", "f=freshness%3Asilent", "&lt;script&gt;"]);
    assert!(!shown.contains("<script>") && !shown.contains("data-all"));
    assert!(stub.asked().iter().any(|asked| asked.starts_with("GET /computers?freshness=silent")));
    holds(&page(&stub, "/computers/stale?tab=scan_failed").await, &["/computers/errors/0x8024402c"]);
    let none = self::stub("x").with("GET /computers", &listed(&[], None));
    holds(&page(&none, "/computers/stale?tab=never_reported").await, &["No computer is in this class."]);
    assert_eq!(stub.page("/computers/stale?tab=x").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn retiring_many_wants_the_number_typed() {
    let stub = retiring(50, 5).with("POST /computers/retirement", &json!({"retired": 50, "computers": 4271}));
    holds(
        &page(&stub, "/computers/stale?tab=retirement").await,
        &["50 of 4,321 computers would be retired", "name=\"days\"", "&lt;script&gt;"],
    );
    let confirm = text(stub.form("/computers/stale", "act=retire&silent_days=90").await).await;
    holds(&confirm, &["50 computers will be retired.", "Type “50” to confirm", "name=\"due\" value=\"50\""]);
    let wrong = text(stub.form("/computers/stale", "act=retire&silent_days=90&sure=1&due=50&typed=49").await).await;
    holds(&wrong, &["That is not what was asked for"]);
    let others = text(stub.form("/computers/stale", "act=retire&silent_days=90&sure=1&due=40&typed=50").await).await;
    holds(&others, &["50 computers will be retired."]);
    assert!(stub.asked().iter().all(|asked| !asked.starts_with("POST")));
    let done = stub.form("/computers/stale", "act=retire&silent_days=90&sure=1&due=50&typed=50").await;
    assert_eq!(done.headers()[header::LOCATION], "/computers/stale?tab=retired");
    assert_eq!(
        stub.asked().pop().unwrap(),
        "POST /computers/retirement {\"silent_days\":90,\"duplicates\":false,\"confirm\":50}"
    );
}

#[tokio::test]
async fn the_rule_is_seen_before_it_is_on() {
    let stub = retiring(2, 5)
        .with("PUT /settings/computers.retire_days", &json!({"key": "computers.retire_days", "value": 90}))
        .with("PUT /settings/computers.retire_percent", &json!({"key": "computers.retire_percent", "value": 5}));
    let confirm = text(stub.form("/computers/stale", "act=rule&days=90&percent=5").await).await;
    holds(&confirm, &["computers that do not call for 90 days are retired by themselves", "name=\"sure\""]);
    assert!(stub.asked().iter().all(|asked| !asked.starts_with("PUT")));
    let done = stub.form("/computers/stale", "act=rule&days=90&percent=5&sure=1").await;
    assert_eq!(done.status(), StatusCode::SEE_OTHER);
    let puts: Vec<String> = stub.asked().into_iter().filter(|asked| asked.starts_with("PUT")).collect();
    assert!(
        puts[0].starts_with("PUT /settings/computers.retire_percent")
            && puts[1].starts_with("PUT /settings/computers.retire_days"),
        "{puts:?}"
    );
    let refused =
        retiring(2, 5).refusing("GET /computers/retirement", 400, problem(400, "silent_days", "silent_days is 3"));
    let page = text(refused.form("/computers/stale", "act=rule&days=3&percent=5").await).await;
    holds(&page, &["e-days", "silent_days is 3"]);
    let analyst = retiring(2, 5).with("GET /session", &session("read_only_analyst"));
    let page = super::page(&analyst, "/computers/stale?tab=retirement").await;
    assert!(!page.contains("name=\"act\"") && !page.contains("name=\"days\""), "{page}");
}

#[tokio::test]
async fn retired_computers_say_how_they_come_back() {
    let retired = json!({"id": ID, "name": HOSTILE, "first_seen": "2026-01-01T00:00:00Z", "last_contact": "2026-02-01T00:00:00Z", "last_report": null,
        "reason": "silent", "collections": [{"id": RING, "name": "Ring 1"}], "retired": "2026-06-01T00:00:00Z", "by": "anna"});
    let stub = stub("x").with("GET /computers/retired", &json!({"items": [retired], "next": null}));
    let shown = page(&stub, "/computers/stale?tab=retired").await;
    holds(&shown, &["It was silent", "anna", "They come back by themselves", "&lt;script&gt;"]);
    assert!(!shown.contains("<script>"));
}
