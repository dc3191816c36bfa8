//! The settings of the site.

use super::*;
use crate::tests::problem;

#[tokio::test]
async fn each_setting_has_the_field_that_it_takes() {
    let stub = full("x");
    let page = good(&stub, "/settings/site").await;
    has(
        &page,
        &[
            "What sync.retries does.",
            "name=\"was:sync.retries\" value=\"5\"",
            "type=\"number\" name=\"sync.retries\" value=\"5\" min=\"0\" max=\"10\"",
            "<select id=\"f-sync.replica\" name=\"sync.replica\"",
            "href=\"/infrastructure/synchronization\"",
        ],
    );
    lacks(&page, &["mail.host", "mail.password"]);
    let page = good(&stub, "/settings/site?tab=alerts").await;
    has(&page, &["type=\"password\" name=\"mail.password\" value=\"\"", "name=\"clear:mail.password\"", "GiB"]);
    let page = good(&stub, "/settings/site?text=retries").await;
    has(&page, &["sync.retries", "value=\"retries\""]);
    lacks(&page, &["name=\"was:source\""]);
    let page = good(&stub, "/settings/site?text=approval").await;
    has(&page, &["type=\"checkbox\" name=\"approval.required\" value=\"deploy\" checked"]);
}

#[tokio::test]
async fn what_is_refused_stands_beside_its_setting_and_the_rest_is_saved() {
    let refused = problem(400, "setting_value", "99 is no value of sync.retries");
    let stub = full("x")
        .refusing("PUT /settings/sync.retries", 400, refused)
        .with("PUT /settings/sync.replica", &json!({"key": "sync.replica", "value": true}));
    let form = "from=%2Fsettings%2Fsite&was:sync.retries=5&sync.retries=99&was:sync.replica=false&sync.replica=true&was:source=none&source=none";
    let response = stub.form("/settings/site", form).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = crate::tests::text(response).await;
    has(
        &page,
        &[
            "href=\"#f-sync.retries\"",
            "id=\"e-sync.retries\"",
            "99 is no value of sync.retries",
            "value=\"99\"",
            "1 other setting was saved",
        ],
    );
    let put = asked(&stub, "PUT ");
    assert_eq!(put.len(), 2, "{put:?}");
    assert!(put.iter().any(|line| line.contains("/settings/sync.replica") && line.contains("\"value\":\"true\"")));
}

#[tokio::test]
async fn what_somebody_else_set_meanwhile_is_not_overwritten() {
    let stub = full("x");
    let response = stub.form("/settings/site", "from=%2Fsettings%2Fsite&was:sync.retries=3&sync.retries=4").await;
    let page = crate::tests::text(response).await;
    has(&page, &["somebody has set it to 5 since"]);
    assert!(asked(&stub, "PUT ").is_empty());
}

#[tokio::test]
async fn what_gives_something_up_is_confirmed_with_its_name() {
    let mut loses = problem(409, "loses", "the next synchronization would take away 3 deployments");
    loses["next_step"] = json!("to lose that: weir settings set sync.replica true --force");
    let stub = full("x").refusing("PUT /settings/sync.replica", 409, loses);
    let form = "from=%2Fsettings%2Fsite&was:sync.replica=false&sync.replica=true";
    let page = crate::tests::text(stub.form("/settings/site", form).await).await;
    has(&page, &["action=\"/settings/site/force\"", "take away 3 deployments", "name=\"typed\"", "To undo:"]);
    let stub = full("x").with("PUT /settings/sync.replica", &json!({"key": "sync.replica", "value": true}));
    let form = "key=sync.replica&value=true&was=false&detail=x&from=%2Fsettings%2Fsite&typed=";
    let page = crate::tests::text(stub.form("/settings/site/force", &format!("{form}sync")).await).await;
    has(&page, &["This is not “sync.replica”."]);
    assert!(asked(&stub, "PUT ").is_empty());
    let response = stub.form("/settings/site/force", &format!("{form}sync.replica")).await;
    assert_eq!((response.status(), location(&response)), (StatusCode::SEE_OTHER, "/settings/site"));
    assert!(asked(&stub, "PUT ").iter().all(|line| line.contains("\"force\":true")));
}

#[tokio::test]
async fn one_goes_back_to_settings_and_nowhere_else() {
    let stub = full("x");
    let response = stub.form("/settings/site", "from=%2F%2Fevil.example&was:source=none&source=none").await;
    assert_eq!(location(&response), "/settings/site");
}
