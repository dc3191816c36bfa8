//! What computers are told: client settings, the policy, TLS.

use super::*;
use crate::tests::{problem, text};

#[tokio::test]
async fn a_change_of_a_set_says_whom_it_reaches() {
    let stub = full("Laptops").with(&format!("PATCH /client-settings/{ID}"), &set("Laptops", false));
    let own = format!("/settings/client-settings/{ID}");
    let page = good(&stub, &own).await;
    has(&page, &["name=\"was:reminder.far_hours\" value=\"24\"", "max=\"999\"", "hours", "left to weaker sets"]);
    let form = "was:reminder.far_hours=24&reminder.far_hours=&was:updates.enabled=&updates.enabled=false";
    let page = text(stub.form(&own, form).await).await;
    has(&page, &["2 settings of “Laptops” will be changed", "Laptops: 12 computers", "To undo:"]);
    assert!(asked(&stub, "PATCH").is_empty());
    let response = stub.form(&own, &format!("{form}&sure=1")).await;
    assert_eq!((response.status(), location(&response)), (StatusCode::SEE_OTHER, own.as_str()));
    let patched = asked(&stub, "PATCH").remove(0);
    assert!(
        patched.contains("\"set\":{\"updates.enabled\":\"false\"}")
            && patched.contains("\"unset\":[\"reminder.far_hours\"]")
    );
    let mut refused = problem(400, "client_setting_value", "\"x\" is no number");
    refused["next_step"] = json!("reminder.far_hours takes 1 to 999 hours");
    let stub = stub.refusing(&format!("PATCH /client-settings/{ID}"), 400, refused);
    let response = stub.form(&own, "was:reminder.far_hours=24&reminder.far_hours=x&sure=1").await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    has(&text(response).await, &["id=\"e-reminder.far_hours\"", "takes 1 to 999 hours"]);
}

#[tokio::test]
async fn what_holds_for_a_computer_names_its_sets() {
    let resulting = json!({"collections": [{"id": ID, "name": "Ring 1"}], "warnings": [], "settings": [
        {"key": "reminder.far_hours", "value": 24, "origin": "custom_set", "set": {"id": ID, "name": "Laptops"}, "priority": 1,
            "collections": [{"id": ID, "name": "Ring 1"}], "beat": [{"set": "Default", "priority": null, "value": 48}]},
        {"key": "updates.enabled", "value": true, "origin": "built_in", "set": null, "priority": null, "collections": [], "beat": []}]});
    let stub = full("x").with(&format!("GET /computers/{OTHER}/client-settings"), &resulting).refusing(
        "GET /computers/nobody/client-settings",
        404,
        problem(404, "not_found", "there is no computer nobody"),
    );
    let page = good(&stub, &format!("/settings/client-settings/resulting?computer={OTHER}")).await;
    has(&page, &["Laptops", "priority 1", "built in", "Default", "48"]);
    let page = good(&stub, "/settings/client-settings/resulting?computer=nobody").await;
    has(&page, &["href=\"#f-computer\"", "there is no computer nobody"]);
}

#[tokio::test]
async fn a_policy_is_made_of_the_address() {
    let policy = json!({"site": "Utrecht", "server": "https://weir.example.org:8531", "values": [{"key": "HKEY_LOCAL_MACHINE\\SOFTWARE",
        "value": "WUServer", "kind": "REG_SZ", "data": "https://weir.example.org:8531", "policy": "Specify location", "source": "policy"}],
        "notes": ["Restart the service."], "findings": [], "without_csp": ["TargetGroup: no setting"]});
    let stub = full("x").with("POST /policy/render", &policy);
    let page = good(&stub, "/settings/policy?https=1&no_internet=1").await;
    has(&page, &["WUServer", "Utrecht", "Restart the service.", "&amp;as=powershell"]);
    let rendered = asked(&stub, "POST /policy/render").remove(0);
    assert!(rendered.contains("\"https\":true") && rendered.contains("\"no_internet\":true"), "{rendered}");
    // the stub answers each form with the same JSON
    let page = good(&stub, "/settings/policy?as=intune").await;
    has(&page, &["data-copy=", "href=\"/settings/policy/file?as=intune\"", "TargetGroup: no setting"]);
    let (status, file) = stub.page("/settings/policy/file?as=reg").await;
    assert!(status == StatusCode::OK && file.contains("WUServer"));
    assert_eq!(stub.page("/settings/policy/file?as=exe").await.0, StatusCode::NOT_FOUND);
    let page = good(&stub, "/settings/policy?set=AUOptions").await;
    has(&page, &["href=\"#f-set\"", "“AUOptions” is not NAME=VALUE."]);
    let refused = problem(409, "address", "it is not known where computers reach Utrecht");
    let page = good(&stub.refusing("POST /policy/render", 409, refused), "/settings/policy").await;
    has(&page, &["href=\"#f-url\"", "it is not known where computers reach"]);
}

#[tokio::test]
async fn a_policy_of_a_computer_is_explained() {
    let checked = json!({"format": "reg", "site": "Utrecht", "addresses": ["https://weir.example.org:8531"], "instructions": 12,
        "errors": 1, "warnings": 0, "findings": [{"severity": "error", "code": "server.other", "key": "HKLM", "value": "WUServer",
        "found": "http://old", "breaks": "Computers scan elsewhere.", "next_step": "Set WUServer."}]});
    let stub = full("x").with("POST /policy/check", &checked);
    let send = |text: &str| {
        let body = format!("--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n{text}\r\n--x--\r\n");
        let media = "multipart/form-data; boundary=x";
        http::Request::post("/settings/policy/check")
            .header(header::CONTENT_TYPE, media)
            .body(Body::from(body))
            .unwrap()
    };
    let page = text(stub.send(send("Windows Registry Editor Version 5.00")).await).await;
    has(
        &page,
        &["1 error keeps computers from scanning here", "server.other", "Computers scan elsewhere.", "Set WUServer."],
    );
    assert!(asked(&stub, "POST /policy/check").remove(0).contains("V2luZG93cyBSZWdpc3RyeSBFZGl0b3I"));
    let page = text(stub.send(send("")).await).await;
    has(&page, &["href=\"#f-text\""]);
}

#[tokio::test]
async fn tls_is_required_only_after_it_was_said_who_loses_it() {
    let mut refused = problem(409, "plain_http", "3 of 40 computers that scan here came without TLS last");
    refused["next_step"] = json!("weir settings set clients.https required --force");
    let stub = full("x").refusing("PUT /settings/clients.https", 409, refused);
    let page = good(&stub, "/settings/tls?tab=transport").await;
    has(&page, &["Ring 1", "7.5", "href=\"/computers?transport=http\""]);
    let page = text(stub.form("/settings/tls/clients", "mode=required").await).await;
    has(&page, &["from “On” to “Required”", "get no answer", "To undo:"]);
    let page = text(stub.form("/settings/tls/clients", "mode=required&sure=1").await).await;
    has(&page, &["3 of 40 computers", "name=\"force\" value=\"1\"", "name=\"typed\""]);
    assert!(asked(&stub, "PUT ").iter().all(|line| line.contains("\"force\":false")));
    let page = text(stub.form("/settings/tls/clients", "mode=required&sure=1&force=1&typed=on").await).await;
    has(&page, &["This is not “required”."]);
    let stub = stub.with("PUT /settings/clients.https", &json!({"key": "clients.https", "value": "required"}));
    let response = stub.form("/settings/tls/clients", "mode=required&sure=1&force=1&typed=required").await;
    assert_eq!(location(&response), "/settings/tls/clients");
}

#[tokio::test]
async fn a_self_test_says_what_to_do() {
    let checked = json!({"errors": 1, "warnings": 0, "as_of": AT, "addresses": [{"url": "https://weir.example.org:8531", "plane": "client",
        "connected_to": "127.0.0.1:8531", "chain": [certificate("weir", 5)], "findings": [{"severity": "error", "code": "name",
        "text": "The certificate is not for this name.", "next_step": "Take one that is."}], "windows": [{"name": "Windows 11",
        "fits": "yes", "why": null, "source": "javascript:alert(1)"}]}]});
    let stub = full("x").with("POST /tls/check", &checked);
    let page = text(stub.form("/settings/tls/check", "url=&root=").await).await;
    has(
        &page,
        &[
            "1 error: clients do not connect",
            "The certificate is not for this name.",
            "Take one that is.",
            "Windows 11",
            "5 days left",
        ],
    );
    lacks(&page, &["javascript:"]);
    let refused = problem(400, "url", "url: \"x\" is no address of a server");
    let page = text(stub.refusing("POST /tls/check", 400, refused).form("/settings/tls/check", "url=x").await).await;
    has(&page, &["href=\"#f-url\"", "value=\"x\""]);
}
