//! Update groups.

use super::*;
use crate::tests::summary;

const GROUP: &str = "4b8f0b7e-5555-4a3d-9c77-0d9f6a1b2c3d";

fn group(name: &str, deployments: &[i32]) -> Value {
    json!({"id": GROUP, "name": name, "description": "monthly", "members": 2, "deployments": deployments,
        "created_at": "2026-11-30T08:00:00Z", "created_by": "anna"})
}

fn groups(rows: &[Value]) -> Value {
    json!({"items": rows, "next": null})
}

/// The list of groups, with how computers stand with each.
fn listed(rows: &[Value]) -> Value {
    let items: Vec<Value> = rows
        .iter()
        .map(|row| {
            let mut row = row.clone();
            row["compliance"] = summary(100, 27, 873);
            row
        })
        .collect();
    json!({"items": items, "total": items.len(), "next": null})
}

fn member(id: &str, title: &str) -> Value {
    json!({"id": id, "revision": 200, "title": title, "declined": false, "expired": false, "stopped": true, "bytes": 5_000_000,
        "needed": 11, "installed": 22, "failed": 33})
}

/// A server with one group, found by name and by id.
fn with_group(deployments: &[i32]) -> Stub {
    let members = groups(&[member(ID, "First"), member(OTHER, HOSTILE)]);
    Stub::new()
        .with("GET /groups", &listed(&[group("November", deployments)]))
        .with("GET /groups/November", &group("November", deployments))
        .with(&format!("GET /groups/{GROUP}"), &group("November", deployments))
        .with(&format!("GET /groups/{GROUP}/members"), &members)
        .with("GET /compliance/summary", &summary(100, 27, 873))
}

#[tokio::test]
async fn groups_are_listed_with_their_compliance() {
    let stub = with_group(&[4, 5]);
    let (status, page) = stub.page("/updates/groups").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    for part in
        ["href=\"/updates/groups/November\"", "87.3\u{a0}%", "Deployed 2 times", "class=\"meter\"", "Make a group"]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(was_asked(&stub, "GET /groups?compliance=true&limit=25"), "{:?}", stub.asked());
    assert!(!was_asked(&stub, "GET /compliance"), "one answer for all rows: {:?}", stub.asked());
    let response = stub
        .send(http::Request::get("/updates/groups?format=csv&col=name&col=compliance").body(Body::empty()).unwrap());
    assert_eq!(text(response.await).await, "\u{feff}Name,Compliance\r\nNovember,87.3\r\n");
    let (_, page) = Stub::new().with("GET /groups", &listed(&[])).page("/updates/groups").await;
    assert!(page.contains("There is no update group yet") && page.contains("href=\"/updates/groups/new\""), "{page}");
}

#[tokio::test]
async fn a_group_of_a_taken_name_is_found_by_its_id() {
    let stub = Stub::new().with("GET /groups", &listed(&[group("New", &[])]));
    let (_, page) = stub.page("/updates/groups").await;
    assert!(page.contains(&format!("href=\"/updates/groups/{GROUP}\"")), "{page}");
}

#[tokio::test]
async fn members_have_states_and_are_taken_out_after_a_confirmation() {
    let stub = with_group(&[4]);
    let (status, page) = stub.page("/updates/groups/November").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    for part in [
        "Stopped",
        "&lt;script&gt;",
        "5.0\u{a0}MB",
        "/deployments/new?group=November",
        &format!("value=\"{GROUP}:{ID}\""),
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("<script>"), "{page}");
    let form = format!("ids={GROUP}:{ID}&act=remove&from=%2Fupdates%2Fgroups%2FNovember");
    let page = text(stub.form("/updates/groups/members", &form).await).await;
    assert!(
        page.contains("1 update will be taken out of the group")
            && page.contains("that deployment offers them no longer"),
        "{page}"
    );
    assert!(page.contains("First") && !was_asked(&stub, "DELETE"), "{page}");
    let changed = json!({"changed": 1, "unchanged": 0, "members": 1, "deployments": 1});
    let stub = stub.with(&format!("DELETE /groups/{GROUP}/members"), &changed);
    let done = stub.form("/updates/groups/members", &format!("{form}&sure=1")).await;
    assert_eq!(location(&done), (StatusCode::SEE_OTHER, "/updates/groups/November".to_owned()));
    assert!(
        stub.asked().iter().any(|line| line.starts_with("DELETE") && line.contains(&format!("\"updates\":[\"{ID}\"]")))
    );
    // all of the list: the group is that of the page
    let page =
        text(stub.form("/updates/groups/members", "all=1&act=remove&from=%2Fupdates%2Fgroups%2FNovember").await).await;
    assert!(page.contains("2 updates will be taken out"), "{page}");
    let (_, page) = stub.with("GET /session", &limited()).page("/updates/groups/November").await;
    assert!(!page.contains("name=\"act\" value=\"remove\"") && !page.contains("/delete\""), "{page}");
}

#[tokio::test]
async fn compliance_of_a_group_is_shown_without_history_too() {
    let stub = with_group(&[4]);
    let (status, page) = stub.page("/updates/groups/November?tab=compliance").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    for part in [
        "873 of 1,000 computers comply",
        "Compliant with current reports: 870 of 873.",
        "href=\"/computers?f=freshness%3Asilent\"",
        "up to 3 hours old",
        "The line begins with the first daily record",
        "tab=computers&amp;state=failed",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let trend = json!({"group": {"id": GROUP, "name": "November"}, "phased": null, "time_zone": "UTC", "rings": [
        {"phase": null, "collection": {"id": OTHER, "name": HOSTILE}, "start": "2026-11-20T08:00:00Z", "latest": null, "reached": [],
         "days": [{"day": "2026-11-20", "counts": null, "computers": null, "percent": 40.0}]}]});
    let (_, page) = stub.with("GET /compliance/trend", &trend).page("/updates/groups/November?tab=compliance").await;
    assert!(page.contains("Compliance by ring") && page.contains("day 0") && !page.contains("<script>"), "{page}");
}

#[tokio::test]
async fn unknown_computers_of_a_group_say_why() {
    let reasons = ["not_asked", "silent", "scan_failed", "never_reported", "not_reporting", "newer_than_last_report"];
    let row = |reason: Value| {
        json!({"id": ID, "name": HOSTILE, "server": null, "state": if reason.is_null() { "failed" } else { "unknown" }, "reason": reason,
            "since": null, "error": null, "last_contact": "2026-11-30T08:00:00Z", "last_report": null})
    };
    let rows: Vec<Value> = reasons.iter().map(|reason| row(json!(reason))).chain([row(Value::Null)]).collect();
    let stub = with_group(&[4]).with("GET /compliance/computers", &groups(&rows));
    for (language, silent) in [("en", "Stopped calling"), ("nl", "Maakt geen contact meer")] {
        let request =
            http::Request::get("/updates/groups/November?tab=computers").header(header::ACCEPT_LANGUAGE, language);
        let page = text(stub.send(request.body(Body::empty()).unwrap()).await).await;
        assert!(page.contains(silent) && !page.contains("<script>"), "{page}");
        for reason in reasons {
            assert!(!page.contains(&format!(">{reason}<")), "{reason} has no word in {language}: {page}");
        }
    }
    let csv = http::Request::get("/updates/groups/November?tab=computers&format=csv&col=state&col=reason");
    let csv = text(stub.send(csv.body(Body::empty()).unwrap()).await).await;
    assert!(csv.contains("\r\nunknown,newer_than_last_report\r\nfailed,\r\n"), "{csv}");
}

#[tokio::test]
async fn a_group_is_made_with_a_preview_of_its_members() {
    let stub = Stub::new().with("GET /updates", &list(&[row(ID, "Critical one")]));
    let (_, page) = stub.page("/updates/groups/new?filter=severity+%3D+critical").await;
    assert!(
        page.contains("1 update fits") && page.contains("Critical one") && page.contains("id=\"preview\""),
        "{page}"
    );
    let refused = problem(400, "name", "\"\" cannot name an update group");
    let stub = stub.refusing("POST /groups", 400, refused);
    let page = text(stub.form("/updates/groups/new", "name=&description=&filter=needed+%3E+0").await).await;
    assert!(page.contains("href=\"#f-name\"") && page.contains("needed &gt; 0"), "{page}");
    let stub = stub.with("POST /groups", &json!({"id": GROUP, "name": "N", "members": 1}));
    let done = stub.form("/updates/groups/new", "name=N&description=&filter=needed+%3E+0").await;
    assert_eq!(location(&done), (StatusCode::SEE_OTHER, "/updates/groups/N".to_owned()));
}

#[tokio::test]
async fn adding_asks_for_licences_only_when_rest_does() {
    let refused = problem(409, "eula_not_accepted", "1 licences are not accepted: SQL Server");
    let stub = with_group(&[4]).with("GET /updates", &list(&[row(ID, "x")]));
    let stub = stub.refusing(&format!("POST /groups/{GROUP}/members"), 409, refused.clone());
    let stub = stub.refusing("POST /groups/November/members", 409, refused);
    let page = text(stub.form("/updates/groups/November/add", "filter=&saved=").await).await;
    assert!(page.contains("href=\"#f-filter\""), "{page}");
    let page = text(stub.form("/updates/groups/November/add", "filter=needed+%3E+0").await).await;
    assert!(page.contains("1 update will be added") && page.contains("go out with that deployment at once"), "{page}");
    assert!(!page.contains("name=\"accept\"") && !was_asked(&stub, "POST"), "{page}");
    let page = text(stub.form("/updates/groups/November/add", "filter=needed+%3E+0&sure=1").await).await;
    assert!(page.contains("name=\"accept\"") && page.contains("href=\"#f-accept\""), "{page}");
    // from the selection of the list, too
    let form = format!("ids={ID}&act=group&value=November&name=&sure=1");
    let page = text(stub.form("/updates/change", &form).await).await;
    assert!(page.contains("name=\"accept\"") && page.contains("November (deployed)"), "{page}");
    let page = text(stub.form("/updates/change", &format!("ids={ID}&act=group&value=&name=&sure=1")).await).await;
    assert!(page.contains("href=\"#f-name\""), "{page}");
}

#[tokio::test]
async fn a_group_is_deleted_when_its_name_is_typed() {
    let stub = with_group(&[4, 5]).with(&format!("DELETE /groups/{GROUP}"), &Value::Null);
    let page = text(stub.form("/updates/groups/November/delete", "").await).await;
    assert!(page.contains("Its 2 deployments are deleted with it") && page.contains("name=\"typed\""), "{page}");
    let page = text(stub.form("/updates/groups/November/delete", "typed=December").await).await;
    assert!(page.contains("Type the name of the group") && !was_asked(&stub, "DELETE"), "{page}");
    let done = stub.form("/updates/groups/November/delete", "typed=november").await;
    assert_eq!(location(&done), (StatusCode::SEE_OTHER, "/updates/groups".to_owned()));
    assert!(was_asked(&stub, &format!("DELETE /groups/{GROUP}?force=true")), "{:?}", stub.asked());
}
