//! Who may do what, and who is told.

use super::*;
use crate::tests::{problem, text};

#[tokio::test]
async fn secrets_are_shown_once_and_can_be_copied() {
    let stub = full("bob")
        .with("POST /tokens", &json!({"token": token("monitoring"), "secret": "s3cret-token"}))
        .with("POST /users", &json!({"user": user("carol"), "password": "four-made-words"}))
        .with("PUT /users/bob/password", &json!({"password": "four-other-words"}));
    let page = text(stub.form("/settings/tokens/new", "name=monitoring&role=operator&days=30").await).await;
    has(&page, &["data-copy=\"s3cret-token\"", "only time"]);
    assert!(asked(&stub, "POST /tokens").remove(0).contains("\"days\":30"));
    let page =
        text(stub.form("/settings/users/new", &format!("name=carol&role=operator&collections={ID}")).await).await;
    has(&page, &["four-made-words", "carol"]);
    assert!(asked(&stub, "POST /users").remove(0).contains(ID));
    let page = good(&stub, "/settings/users/bob/password").await;
    has(&page, &["gets another password", "To undo:"]);
    let page = text(stub.form("/settings/users/bob/password", "password=").await).await;
    has(&page, &["four-other-words"]);
    let page = good(&stub, "/settings/users/bob").await;
    lacks(&page, &["four-other-words"]);
}

#[tokio::test]
async fn a_user_is_changed_by_what_differs() {
    let stub = full("bob").with("PATCH /users/bob", &user("bob")).with("DELETE /users/bob", &Value::Null);
    let response = stub
        .form("/settings/users/bob", &format!("display_name=bob&role=software_update_manager&collections={ID}"))
        .await;
    assert_eq!(location(&response), "/settings/users/bob");
    let patched = asked(&stub, "PATCH ").remove(0);
    assert!(patched.ends_with("{\"role\":\"software_update_manager\"}"), "{patched}");
    let page = good(&stub, "/settings/users/bob/switch").await;
    has(&page, &["all sessions end", "To undo:"]);
    let page = text(stub.form("/settings/users/bob/delete", "typed=alice").await).await;
    has(&page, &["This is not “bob”."]);
    assert!(asked(&stub, "DELETE ").is_empty());
    let response = stub.form("/settings/users/bob/delete", "typed=Bob").await;
    assert_eq!(location(&response), "/settings/users");
    let refused = problem(400, "password", "the password is not taken: it is too short");
    let page = text(
        stub.refusing("POST /users", 400, refused).form("/settings/users/new", "name=x&role=operator&password=x").await,
    )
    .await;
    has(&page, &["href=\"#f-password\"", "too short"]);
    lacks(&page, &["value=\"x\" name=\"password\""]);
}

#[tokio::test]
async fn nobody_is_offered_to_change_the_own_rights() {
    let stub = full("user:anna").with("GET /users/anna", &user("user:anna"));
    let page = good(&stub, "/settings/users/anna").await;
    has(&page, &["This is you."]);
    lacks(&page, &["/delete\"", "/switch\"", "name=\"role\""]);
}

#[tokio::test]
async fn the_own_password_is_changed_with_the_one_of_now() {
    let stub =
        full("x").refusing("PUT /session/password", 403, problem(403, "password", "the password of now is another"));
    let page = good(&stub, "/settings/access").await;
    has(&page, &["href=\"/settings/access/password\"", "Anna"]);
    let page =
        text(stub.form("/settings/access/password", "current=a&password=b&again=c&to=%2Fsettings%2Faccess").await)
            .await;
    has(&page, &["href=\"#f-again\""]);
    assert!(asked(&stub, "PUT ").is_empty());
    let page = text(stub.form("/settings/access/password", "current=a&password=b&again=b").await).await;
    has(&page, &["href=\"#f-current\"", "the password of now is another"]);
    lacks(&page, &["value=\"a\"", "value=\"b\""]);
    let stub = stub.with("PUT /session/password", &Value::Null);
    let response = stub.form("/settings/access/password", "current=a&password=b&again=b&to=%2F%2Fevil.example").await;
    assert_eq!(location(&response), "/");
    let mut cookies = response.headers().get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
    assert!(cookies.any(|cookie| cookie.starts_with("__Host-weir=")), "the session goes on with another secret");
}

#[tokio::test]
async fn groups_and_sessions_are_confirmed() {
    let stub = full("it-admins")
        .with(
            "PUT /group-mappings/patch%2Fteam",
            &json!({"group": "patch/team", "role": "operator", "collections": [], "limited": false,
            "created_at": AT, "created_by": "anna"}),
        )
        .with("DELETE /group-mappings/it-admins", &Value::Null)
        .with(&format!("DELETE /sessions/{ID}"), &Value::Null);
    let response = stub.form("/settings/oidc", "group=patch/team&role=operator").await;
    assert_eq!(location(&response), "/settings/oidc");
    let page = good(&stub, "/settings/oidc/remove?group=it-admins").await;
    has(&page, &["Members of “it-admins”", "name=\"typed\""]);
    let response = stub.form("/settings/oidc/remove", "group=it-admins&typed=it-admins").await;
    assert_eq!(location(&response), "/settings/oidc");
    assert_eq!(stub.page("/settings/oidc/remove?group=nobody").await.0, StatusCode::NOT_FOUND);
    let page = text(stub.form(&format!("/settings/sessions/{ID}/end"), "whose=bob").await).await;
    has(&page, &["The session of bob will end", "name=\"sure\""]);
    let response = stub.form(&format!("/settings/sessions/{ID}/end"), "whose=bob&sure=1").await;
    assert_eq!(location(&response), "/settings/sessions");
    let analyst = full("x").with("GET /session", &session("operator"));
    good(&analyst, "/settings/sessions?tab=everybody").await;
    assert!(asked(&analyst, "GET /sessions").iter().all(|line| !line.contains("all=true")));
}

#[tokio::test]
async fn a_subscription_is_tried_and_its_secret_shown_once() {
    let mut made = subscription("Hook", true);
    made["secret"] = json!("made-secret");
    made["next_step"] = json!("weir alerts subscriptions test Hook");
    let tested = json!({"delivered": false, "error": "connection refused", "next_step": "start the receiver", "answer": null, "seconds": 0.2});
    let stub = full("Hook").with("POST /subscriptions", &made).with(&format!("POST /subscriptions/{ID}/test"), &tested);
    let page = good(&stub, "/settings/notifications").await;
    has(&page, &["mail.example.org", "2 attempts failed"]);
    let page = text(
        stub.form("/settings/notifications/new", "webhook=1&name=Hook&url=https://hook.example.org/&repeat=0").await,
    )
    .await;
    has(&page, &["data-copy=\"made-secret\""]);
    let sent = asked(&stub, "POST /subscriptions").remove(0);
    assert!(sent.contains("\"addresses\":[]") && sent.contains("hook.example.org"), "{sent}");
    let page = text(stub.form(&format!("/settings/notifications/{ID}/test"), "").await).await;
    has(&page, &["The test did not arrive", "connection refused", "start the receiver"]);
    let page =
        text(stub.form("/settings/notifications/new", "name=x&addresses=a@example.org&repeat=often").await).await;
    has(&page, &["href=\"#f-repeat\"", "value=\"often\""]);
    let refused = problem(400, "addresses", "addresses: \"a\" is no e-mail address");
    let page = text(
        stub.refusing("POST /subscriptions", 400, refused)
            .form("/settings/notifications/new", "name=x&addresses=a")
            .await,
    )
    .await;
    has(&page, &["href=\"#f-addresses\"", "is no e-mail address"]);
}

#[tokio::test]
async fn the_audit_log_has_both_states_and_its_filters_in_the_address() {
    let stub = full("sync.retries").with("GET /audit.csv", &json!("id,at"));
    let page = good(&stub, "/settings/audit?actor=anna&since=2026-11-01T00:00").await;
    has(
        &page,
        &[
            "class=\"diff\"",
            "<tr class=\"changed\"><th scope=\"row\">on</th>",
            "value=\"2026-11-01T00:00\"",
            "setting.set",
        ],
    );
    let query = asked(&stub, "GET /audit?").remove(0);
    assert!(query.contains("actor=anna") && query.contains("since=2026-11-01T00%3A00%3A00Z"), "{query}");
    let page = good(&stub, "/settings/audit?since=yesterday").await;
    has(&page, &["href=\"#f-since\"", "This is no date with a time."]);
    let (status, _) = stub.page("/settings/audit?actor=anna&format=csv").await;
    assert_eq!(status, StatusCode::OK);
    assert!(asked(&stub, "GET /audit.csv").remove(0).contains("actor=anna"));
}
