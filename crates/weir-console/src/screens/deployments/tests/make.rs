//! Making and changing deployments, and templates.

use serde_json::json;

use super::{UPDATE, deployment, location, says, stub};
use crate::tests::{problem, text};

/// A form that is filled in: at once, as soon as possible.
fn form() -> String {
    format!(
        "update={UPDATE}&group=&collection=Pilot&action=install&name=&zone=here&available_when=soon&available=\
         &deadline_when=soon&deadline=&notifications=all&detail=success_and_error&commit_write_filter=1&enabled=1"
    )
}

#[tokio::test]
async fn the_form_shows_what_it_would_do() {
    let stub = stub("Pilot");
    let address = format!("/deployments/new?update={UPDATE}&collection=Pilot");
    let there = [
        "data-preview=\"/deployments/new/preview\"",
        "id=\"preview\"",
        "118 of them are told something else than now.",
        "100 need it",
        "name=\"accept_eula\"",
        "Pilot (120 computers)",
        "value=\"asap\"",
    ];
    says(&stub, &address, &there[..6], &there[6..]).await;
    let page = text(stub.form("/deployments/new/preview", &form()).await).await;
    assert!(page.starts_with("<div id=\"preview\">") && page.contains("120 computers"), "{page}");
    let page = text(stub.form("/deployments/new/preview", "collection=&deadline_when=none").await).await;
    assert!(page.contains("Choose a collection"), "{page}");
}

#[tokio::test]
async fn it_is_confirmed_then_made() {
    let stub = stub("Pilot").with("POST /deployments", &json!({"id": 9, "warnings": []}));
    let page = text(stub.form("/deployments/new", &form()).await).await;
    for part in [
        "Pilot will be required on 120 computers of Pilot.",
        "To undo:",
        "name=\"deadline_when\" value=\"soon\"",
        "5.0\u{a0}MB",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(stub.asked().iter().all(|line| !line.starts_with("POST /deployments {")));
    let response = stub.form("/deployments/new", &format!("{}&sure=1", form())).await;
    assert_eq!(location(&response), "/deployments/9");
    let asked = stub.asked();
    let made = asked.iter().find(|line| line.starts_with("POST /deployments {")).unwrap();
    for part in [
        "\"deadline\":\"asap\"",
        "\"collection\":\"Pilot\"",
        "\"action\":\"install\"",
        "\"enabled\":true",
        "\"grace\":false",
    ] {
        assert!(made.contains(part), "{part} in {made}");
    }
    assert!(!made.contains("\"available\""), "{made}");
}

#[tokio::test]
async fn refusals_stand_beside_their_fields() {
    let stub = stub("Pilot");
    for (code, detail, field) in [
        ("eula_not_accepted", "the licence of Pilot is not accepted", "accept_eula"),
        ("no_room", "600000 bytes of content have to be fetched", "force"),
        ("outside_windows", "outside_windows is for required deployments: install or uninstall", "outside_windows"),
        ("alert", "alert counts from the deadline, and there is none", "alert_below_percent"),
        ("time", "deadline is \"x\"", "deadline"),
    ] {
        let stub = stub.clone().refusing("POST /deployments", 409, problem(409, code, detail));
        let page = text(stub.form("/deployments/new", &format!("{}&sure=1", form())).await).await;
        assert!(page.contains(&format!("id=\"e-{field}\"")), "{field} in {page}");
        assert!(page.contains(&format!("href=\"#f-{field}\"")), "{field} in {page}");
    }
    let wrong = form().replace("deadline_when=soon&deadline=", "deadline_when=at&deadline=tomorrow");
    let page = text(stub.form("/deployments/new", &wrong).await).await;
    assert!(page.contains("id=\"e-deadline\"") && page.contains("Give a date and a time"), "{page}");
}

#[tokio::test]
async fn without_room_one_has_to_insist() {
    let mut full = super::room();
    full["problem"] = json!("the disk is full");
    let preview = json!({"room": full, "files_elsewhere": 0, "files_left_out": 0, "without_source": 0});
    let stub = stub("Pilot").with("POST /deployments/preview", &preview);
    let page = text(stub.form("/deployments/new", &form()).await).await;
    assert!(page.contains("id=\"e-force\"") && page.contains("the disk is full"), "{page}");
    let page = text(stub.form("/deployments/new", &format!("{}&force=1", form())).await).await;
    assert!(page.contains("will be required on 120 computers"), "{page}");
}

#[tokio::test]
async fn whoever_is_limited_sees_the_room_only() {
    let refused = problem(403, "forbidden", "it is about the whole site");
    let stub = stub("Pilot").refusing("POST /deployments/simulation", 403, refused);
    let page = text(stub.form("/deployments/new", &form()).await).await;
    assert!(page.contains("Pilot will be deployed to Pilot.") && page.contains("600\u{a0}kB"), "{page}");
}

#[tokio::test]
async fn several_updates_become_a_group() {
    let other = "11111111-5b1e-4a3d-9c77-0d9f6a1b2c3d";
    let updates = json!({"items": [], "updates": 0, "total": 0, "facets": null, "next": null});
    let made = json!({"id": super::GROUP, "name": "November", "members": 2});
    let stub = stub("Pilot").with("GET /updates", &updates).with("POST /groups", &made);
    let address = format!("/deployments/new?update={UPDATE}&update={other}");
    says(&stub, &address, &["2 updates are put into a new group", "action=\"/deployments/new/group\""], &[]).await;
    let form = format!("update={UPDATE}&update={other}&name=November");
    assert_eq!(location(&stub.form("/deployments/new/group", &form).await), "/deployments/new?group=November");
}

#[tokio::test]
async fn open_licences_of_a_group_are_named() {
    let group = json!({"id": super::GROUP, "name": "November", "description": "", "members": 2, "deployments": [],
        "created_at": "2026-01-10T07:00:00Z", "created_by": "user:anna"});
    let none = json!({"items": [], "updates": 0, "total": 0, "facets": null, "next": null});
    let stub = stub("Pilot").with("GET /groups/November", &group).with("GET /updates", &none);
    says(&stub, "/deployments/new?group=November", &["November"], &["name=\"accept_eula\""]).await;
    let asked = stub.asked();
    let filter = format!("filter=group+%3D+{}+and+eula+%3D+required", super::GROUP);
    assert!(asked.iter().any(|line| line.contains(&filter)), "{asked:?}");
    let some = json!({"items": [], "updates": 3, "total": 3, "facets": null, "next": null});
    let stub = stub.with("GET /updates", &some);
    let there = ["name=\"accept_eula\"", "3 updates have licence terms that nobody accepted here."];
    says(&stub, "/deployments/new?group=November", &there, &[]).await;
}

#[tokio::test]
async fn a_change_sends_only_what_is_other() {
    let stub = stub("Pilot").with("PATCH /deployments/7", &deployment("Pilot"));
    says(&stub, "/deployments/7/edit", &["value=\"2999-01-01T00:00\"", "value=\"2026-01-10T08:00\""], &[]).await;
    let same = "name=Pilot&description=Pilot&action=install&zone=here&available_when=at&available=2026-01-10T08%3A00\
                &deadline_when=at&deadline=2999-01-01T00%3A00&notifications=all&detail=success_and_error&commit_write_filter=1";
    assert_eq!(location(&stub.form("/deployments/7/edit", same).await), "/deployments/7");
    assert!(stub.asked().iter().all(|line| !line.starts_with("PATCH")));
    let other = same.replace("deadline_when=at", "deadline_when=none");
    let page = text(stub.form("/deployments/7/edit", &other).await).await;
    for part in ["The deployment to 1,200 computers of Pilot changes.", "2999-01-01 00:00", "To undo:"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let response = stub.form("/deployments/7/edit", &format!("{other}&sure=1")).await;
    assert_eq!(location(&response), "/deployments/7");
    let asked = stub.asked();
    let line = "PATCH /deployments/7 {\"deadline\":\"none\",\"accept_eula\":false,\"settings\":{}}";
    assert_eq!(asked.last().map(String::as_str), Some(line));
    let moved = same.replace("zone=here", "zone=local");
    stub.form("/deployments/7/edit", &format!("{moved}&sure=1")).await;
    let asked = stub.asked();
    let line = asked.last().unwrap();
    for part in
        ["\"available\":\"2026-01-10T08:00:00Z\"", "\"deadline\":\"2999-01-01T00:00:00Z\"", "\"local_time\":true"]
    {
        assert!(line.contains(part), "{part} in {line}");
    }
}

#[tokio::test]
async fn a_template_fills_the_form_in() {
    let stub = stub("Pilot");
    let kept = json!({"id": super::GROUP, "name": "Servers", "template": {"action": "optional", "collection": "Pilot",
        "available": null, "deadline": null, "settings": {"local_time": true, "notifications": "restarts"}}, "problem": null,
        "from_parent": false, "changed_at": "2026-01-10T07:00:00Z", "changed_by": "user:anna"});
    let stub = stub.with("GET /deployment-templates/Servers", &kept).with("PUT /deployment-templates/Other", &kept);
    let address = format!("/deployments/new?update={UPDATE}&template=Servers");
    let there = [
        "<option value=\"optional\" selected>",
        "<option value=\"local\" selected>",
        "<option value=\"restarts\" selected>",
        "<option value=\"Pilot\" selected>",
    ];
    says(&stub, &address, &there, &[]).await;
    let page = text(stub.form("/deployments/templates/new", "name=Servers&action=&zone=here").await).await;
    assert!(page.contains("id=\"e-name\"") && page.contains("There is a template of this name already"), "{page}");
    let response = stub.form("/deployments/templates/new", "name=Other&action=&zone=here&deadline=%2B7d").await;
    assert_eq!(location(&response), "/deployments/templates/Servers");
    let asked = stub.asked();
    let put = asked.last().unwrap();
    assert!(
        put.starts_with("PUT /deployment-templates/Other {\"deadline\":\"+7d\"") && !put.contains("\"action\""),
        "{put}"
    );
    let page = text(stub.form("/deployments/templates/Servers/delete", "typed=x").await).await;
    assert!(page.contains("That is not what was to be typed."), "{page}");
}
