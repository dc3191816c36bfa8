//! The tree of sites, and downstream servers.

use http::{StatusCode, header};
use serde_json::{Value, json};

use super::{AT, HOSTILE, ID, OTHER, asked, good, has, list, location, server, site, standing, stub};
use crate::tests::{problem, text};

#[tokio::test]
async fn the_tree_says_how_each_site_stands() {
    let page = good(&stub(), "/infrastructure").await;
    let link = format!("href=\"/infrastructure/sites/{OTHER}\"");
    has(
        &page,
        &[
            &link,
            "Not connected",
            "behind for 2 hours",
            "97.5\u{a0}%",
            "15 minutes",
            "this server",
            "Need attention",
            "Add a site",
        ],
    );
    let page = good(&stub(), "/infrastructure?tab=list&only=attention").await;
    assert!(page.contains(&link) && !page.contains(&format!("href=\"/infrastructure/sites/{ID}\"")), "{page}");
    let page = good(&stub(), "/infrastructure?tab=list&q=nowhere").await;
    has(&page, &["No site is like that."]);
}

#[tokio::test]
async fn the_list_is_csv_too() {
    let page = good(&stub(), "/infrastructure?tab=list&format=csv&col=site&col=state&col=age").await;
    assert!(page.starts_with("\u{feff}Site,State,Age of figures\r\nCENTRAL,configured,\r\n"), "{page}");
    assert!(page.contains("not_connected behind,900"), "{page}");
}

#[tokio::test]
async fn a_server_alone_is_told_what_a_tree_is_for() {
    let stub = stub().with("GET /sites", &list(&json!([site(ID, "CENTRAL", None)])));
    has(&good(&stub, "/infrastructure").await, &["This server stands alone", "/infrastructure/sites/new"]);
}

#[tokio::test]
async fn a_site_is_defined_or_refused_beside_its_field() {
    let made = json!({"id": OTHER, "name": "OSLO", "kind": "secondary", "under": null, "note": null, "next_step": "weir sites enrol OSLO"});
    let stub = stub().with("POST /sites", &made);
    let response = stub.form("/infrastructure/sites/new", "name=OSLO&kind=secondary&under=").await;
    assert_eq!(
        (response.status(), location(&response)),
        (StatusCode::SEE_OTHER, format!("/infrastructure/sites/{OTHER}").as_str())
    );
    assert_eq!(asked(&stub, "POST /sites"), ["POST /sites {\"here\":false,\"kind\":\"secondary\",\"name\":\"OSLO\"}"]);
    let taken = problem(409, "exists", "a site named \"OSLO\" exists already");
    let page = text(
        stub.refusing("POST /sites", 409, taken).form("/infrastructure/sites/new", "name=OSLO&kind=secondary").await,
    )
    .await;
    has(&page, &["id=\"e-name\"", "exists already", "value=\"OSLO\""]);
}

#[tokio::test]
async fn a_code_is_shown_once_and_kept_nowhere() {
    let code = json!({"site": {"id": OTHER, "name": "OSLO"}, "code": "WEIR-SECRET", "addresses": ["https://central:8531"], "fingerprint": "ab",
        "expires_at": AT, "command": "weir serve --enrol WEIR-SECRET", "replaces": true});
    let stub = stub().with(&format!("POST /sites/{OTHER}/enrolment"), &code);
    let to = format!("/infrastructure/sites/{OTHER}/enrolment");
    has(&good(&stub, &to).await, &["voids any code made before", "name=\"addresses\"", "has a server already"]);
    let response = stub.form(&to, "addresses=https%3A%2F%2Fcentral%3A8531").await;
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert!(response.headers().get(header::SET_COOKIE).is_none());
    has(
        &text(response).await,
        &["data-copy=\"WEIR-SECRET\"", "weir serve --enrol WEIR-SECRET", "shown once", "shut out as soon as"],
    );
    let page = good(&stub, &format!("/infrastructure/sites/{OTHER}")).await;
    assert!(!page.contains("WEIR-SECRET"), "{page}");
}

#[tokio::test]
async fn a_site_is_removed_when_its_name_is_typed() {
    let named = site(OTHER, "OSLO", Some((ID, "CENTRAL")));
    let stub =
        stub().with(&format!("GET /sites/{OTHER}"), &named).with(&format!("DELETE /sites/{OTHER}"), &Value::Null);
    let to = format!("/infrastructure/sites/{OTHER}/remove");
    has(&good(&stub, &to).await, &["OSLO will be removed", "12 computers scan there", "name=\"typed\""]);
    has(&text(stub.form(&to, "typed=BERGEN").await).await, &["That is not the name."]);
    assert!(asked(&stub, "DELETE").is_empty());
    let response = stub.form(&to, "typed=oslo").await;
    assert_eq!(location(&response), "/infrastructure");
    // where a second person has to approve it, nothing is done yet
    let waits = json!({"id": 5, "state": "waiting", "requested_by": "user:anna", "kind": "remove-site"});
    let stub = stub.refusing(&format!("DELETE /sites/{OTHER}"), 202, waits);
    let response = stub.form(&to, "typed=OSLO").await;
    assert_eq!(location(&response), format!("/infrastructure/sites/{OTHER}"));
    assert!(response.headers()[header::SET_COOKIE].to_str().unwrap().contains("flash.waits"));
}

#[tokio::test]
async fn downstream_servers_are_decided_about_after_a_confirmation() {
    let stub = stub()
        .with("GET /downstream", &list(&json!([server("branch.example.org", "waiting")])))
        .with("GET /compliance/servers", &list(&json!([standing(None), standing(Some(ID))])))
        .with(
            "GET /settings/downstream.policy",
            &json!({"key": "downstream.policy", "value": "ask", "default": "ask", "values": "", "description": ""}),
        )
        .with(&format!("POST /downstream/{ID}/refuse"), &server("branch.example.org", "refused"));
    let page = good(&stub, "/infrastructure/downstream").await;
    has(
        &page,
        &["branch.example.org", "Waits for a decision", "31 revisions", "15 minutes", "wait to be allowed", "Forget"],
    );
    let form = format!("id={ID}&act=refuse&from=%2Finfrastructure%2Fdownstream%3Ftab%3Dwaiting");
    let page = text(stub.form("/infrastructure/downstream/change", &form).await).await;
    has(&page, &["1 server will be refused from its next call on.", "40 computers are reported", "allow it again."]);
    assert!(asked(&stub, "POST").is_empty());
    let response = stub.form("/infrastructure/downstream/change", &format!("{form}&sure=1")).await;
    assert_eq!(location(&response), "/infrastructure/downstream?tab=waiting");
    assert_eq!(asked(&stub, "POST").len(), 1);
    let empty = stub.with("GET /downstream", &list(&json!([])));
    has(&good(&empty, "/infrastructure/downstream").await, &["No server has asked", "weir serve --downstream"]);
}

#[tokio::test]
async fn a_server_shows_what_it_reported() {
    let names = [
        "updates",
        "declined",
        "approved",
        "not_approved",
        "stale_approvals",
        "expired",
        "critical_or_security_not_approved",
        "infrastructure_not_approved",
        "with_client_errors",
        "with_server_errors",
        "needing_files",
        "needed_by_computers",
        "up_to_date",
        "custom_groups",
        "computers",
        "computers_needing",
        "computers_with_errors",
        "computers_up_to_date",
    ];
    let figures: serde_json::Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), json!(11))).collect();
    let mut one = server(HOSTILE, "allowed");
    one["report"] = json!({"received_at": AT, "last_sync": AT, "figures": figures, "installations": 77, "failures": 2,
        "systems": [{"version": "10.0.26100", "architecture": HOSTILE, "computers": 11}]});
    one["below"] = json!(["leaf.example.org"]);
    let stub = stub().with(&format!("GET /downstream/{ID}"), &one);
    let page = good(&stub, &format!("/infrastructure/downstream/{ID}")).await;
    has(
        &page,
        &["leaf.example.org", "10.0.26100", "Installations that succeeded", "Need something", "value=\"refuse\""],
    );
    assert!(!page.contains("<script>alert") && !page.contains("value=\"allow\""), "{page}");
    one["report"] = Value::Null;
    let stub = stub.with(&format!("GET /downstream/{ID}"), &one);
    has(&good(&stub, &format!("/infrastructure/downstream/{ID}")).await, &["Nothing was told of its computers yet."]);
}

#[tokio::test]
async fn a_server_that_never_called_is_allowed_by_its_guid() {
    let refused = problem(404, "not_found", "there is no downstream server nowhere");
    let stub = stub()
        .refusing("POST /downstream/nowhere/allow", 404, refused)
        .with(&format!("POST /downstream/{ID}/allow"), &server("", "allowed"));
    has(
        &text(stub.form("/infrastructure/downstream/allow", "server=nowhere").await).await,
        &["id=\"e-server\"", "value=\"nowhere\""],
    );
    let response = stub.form("/infrastructure/downstream/allow", &format!("server={ID}")).await;
    assert_eq!(location(&response), "/infrastructure/downstream");
}
