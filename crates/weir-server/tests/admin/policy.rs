//! The Windows policy: rendered in every form, and looked at.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::{Value, json};
use weir_model::policy::{
    file::{read_pol, read_reg},
    registry::{Change, Data, Entry, Root},
};

use crate::harness::Server;

async fn named(server: &Server) -> String {
    let change = json!({ "value": "wsus.example.org" });
    server.call(Method::PUT, "settings/server.name", Some(change)).await.ok();
    let port = server.endpoints.client_https.as_deref().and_then(|url| url.rsplit(':').next()).expect("a port");
    format!("https://wsus.example.org:{port}")
}

async fn render(server: &Server, body: Value) -> Value {
    server.post("policy/render", body).await.ok()
}

/// The data of a value.
fn data(policy: &Value, name: &str) -> Value {
    let values = policy["values"].as_array().expect("values");
    values.iter().find(|value| value["value"] == name).unwrap_or_else(|| panic!("no {name}: {policy:#}"))["data"]
        .clone()
}

async fn file(server: &Server, format: &str) -> (String, Vec<u8>) {
    let request = server.http.post(server.admin("/api/v1/policy/render")).bearer_auth(&server.token);
    let answer = request.json(&json!({ "format": format })).send().await.expect("answers");
    assert!(answer.status().is_success(), "{}", answer.status());
    let media = answer.headers()["content-type"].to_str().expect("text").to_owned();
    assert!(answer.headers().contains_key("content-disposition"));
    (media, answer.bytes().await.expect("a body").to_vec())
}

fn set(entries: &[Entry], name: &str) -> Option<Data> {
    entries.iter().find_map(|entry| match entry.change() {
        Change::Set(known, data) if known == name => Some(data.clone()),
        _ => None,
    })
}

#[tokio::test]
async fn a_policy_points_computers_at_this_server_in_every_form() {
    let server = Server::start().await;
    let url = named(&server).await;
    let policy = render(&server, json!({})).await;
    assert_eq!(policy["server"], url);
    for (name, expected) in [
        ("WUServer", json!(url)),
        ("WUStatusServer", json!(url)),
        ("UseWUServer", json!(1)),
        ("DetectionFrequency", json!(22)),
        ("SetPolicyDrivenUpdateSourceForQualityUpdates", json!(1)),
    ] {
        assert_eq!(data(&policy, name), expected, "{name}");
    }
    assert_eq!(policy["findings"], json!([]), "nothing is wrong with it");

    let (media, reg) = file(&server, "reg").await;
    assert_eq!(media, "text/x-ms-regedit; charset=utf-16");
    let from_reg = read_reg(&reg).expect("a .reg file");
    let (media, pol) = file(&server, "pol").await;
    assert_eq!(media, "application/octet-stream");
    assert_eq!(read_pol(&pol, Root::LocalMachine).expect("a Registry.pol"), from_reg);
    assert_eq!(from_reg.len(), policy["values"].as_array().expect("values").len());
    assert_eq!(set(&from_reg, "WUServer"), Some(Data::Text(url.clone())));
    let (media, script) = file(&server, "powershell").await;
    assert_eq!(media, "text/x-powershell");
    let script = String::from_utf8(script).expect("text");
    assert!(script.contains(&format!("-Name 'WUServer' -Kind String -Data '{url}'")), "{script}");
    let (media, profile) = file(&server, "intune").await;
    assert_eq!(media, "application/json");
    let profile: Value = serde_json::from_slice(&profile).expect("JSON");
    assert_eq!(profile["@odata.type"], "#microsoft.graph.windows10CustomConfiguration");
    let uri = "./Device/Vendor/MSFT/Policy/Config/Update/UpdateServiceUrl";
    let settings = profile["omaSettings"].as_array().expect("settings");
    let setting = settings.iter().find(|one| one["omaUri"] == uri).expect("the server");
    assert_eq!(setting["@odata.type"], "#microsoft.graph.omaSettingString");
    assert_eq!(setting["value"], url);

    for (bytes, format) in [(&reg, "reg"), (&pol, "pol")] {
        let checked = server.post("policy/check", json!({ "content": STANDARD.encode(bytes) })).await.ok();
        assert_eq!((&checked["format"], &checked["errors"]), (&json!(format), &json!(0)), "{checked:#}");
        assert_eq!(checked["findings"], json!([]));
    }
    server.stop().await;
}

#[tokio::test]
async fn client_settings_of_a_collection_and_options_are_in_it() {
    let server = Server::start().await;
    named(&server).await;
    server.post("collections", json!({ "name": "Pilot" })).await.ok();
    let laptops = json!({
        "name": "Laptops", "collections": ["Pilot"],
        "settings": { "network.metered": "block", "scan.tls_pinning": false, "restart.force": false }
    });
    server.post("client-settings", laptops).await.ok();
    let policy = render(
        &server,
        json!({ "collection": "pilot", "groups": ["PILOT", "pilot"], "set": { "AUOptions": "4", "NoAutoUpdate": null } }),
    )
    .await;
    assert_eq!(data(&policy, "AllowAutoWindowsUpdateDownloadOverMeteredNetwork"), 0);
    assert_eq!(data(&policy, "DoNotEnforceEnterpriseTLSCertPinningForUpdateDetection"), 1);
    assert_eq!(data(&policy, "NoAutoRebootWithLoggedOnUsers"), 1);
    assert_eq!(data(&policy, "TargetGroup"), "Pilot", "as the collection is written");
    assert_eq!(data(&policy, "AUOptions"), 4);
    assert_eq!(data(&policy, "NoAutoUpdate"), Value::Null);
    let values = policy["values"].as_array().expect("values");
    let metered = values.iter().find(|one| one["value"] == "AllowAutoWindowsUpdateDownloadOverMeteredNetwork");
    assert_eq!(metered.expect("there")["source"], "setting network.metered (Laptops)");
    let notes = policy["notes"].to_string();
    assert!(notes.contains("TargetGroup has no effect"), "targeting is server: {notes}");
    let everyone = render(&server, json!({})).await;
    assert_eq!(data(&everyone, "DoNotEnforceEnterpriseTLSCertPinningForUpdateDetection"), 0);

    let plain = render(&server, json!({ "https": false })).await;
    assert!(plain["server"].as_str().expect("a server").starts_with("http://wsus.example.org:"));
    assert_eq!(plain["findings"][0]["code"], "server.http");
    let elsewhere = render(&server, json!({ "url": "https://Other.example.org:8531" })).await;
    assert_eq!(data(&elsewhere, "WUServer"), "https://other.example.org:8531");

    for (body, status, code) in [
        (json!({ "url": "https://wsus" }), 400, "url"),
        (json!({ "url": "https://wsus:8531/" }), 400, "url"),
        (json!({ "status_url": "wsus" }), 400, "status_url"),
        (json!({ "groups": ["Nobody"] }), 404, "not_found"),
        (json!({ "collection": "Nobody" }), 404, "not_found"),
        (json!({ "site": "Nowhere" }), 404, "not_found"),
        (json!({ "set": { "DetectionFrequency": "23" } }), 400, "policy_value"),
        (json!({ "set": { "Detection": "1" } }), 400, "policy_value"),
        (json!({ "format": "docx" }), 400, "body"),
        (json!({ "colour": "red" }), 400, "body"),
    ] {
        let refused = server.post("policy/render", body.clone()).await;
        assert_eq!(refused.refused(status), code, "{body}");
    }
    let range = server.post("policy/render", json!({ "set": { "DetectionFrequency": "23" } })).await;
    let detail = range.body["detail"].as_str().expect("detail");
    assert!(detail.contains("DetectionFrequency") && detail.contains("1 to 22"), "{detail}");
    server.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_found() {
    let server = Server::start().await;
    let url = named(&server).await;
    let set = json!({ "value": "client" });
    server.call(Method::PUT, "settings/targeting", Some(set)).await.ok();
    let text = "Windows Registry Editor Version 5.00\r\n\r\n\
        [HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate]\r\n\
        \"WUServer\"=\"http://old:8530\"\r\n\"WUStatusServer\"=\"http://old:8530\"\r\n\
        \"TargetGroup\"=\"Nobody\"\r\n\"TargetGroupEnabled\"=dword:00000001\r\n\
        \"DeferQualityUpdates\"=dword:00000001\r\n\
        [HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate\\AU]\r\n\"UseWUServer\"=dword:00000000\r\n";
    let checked = server.post("policy/check", json!({ "content": STANDARD.encode(text) })).await.ok();
    let findings = checked["findings"].as_array().expect("findings");
    let codes: Vec<&str> = findings.iter().filter_map(|one| one["code"].as_str()).collect();
    for code in ["server.other", "server.unused", "group.unknown", "dual_scan"] {
        assert!(codes.contains(&code), "{code}: {codes:?}");
    }
    assert!(checked["errors"].as_u64().expect("a count") >= 4);
    let other = findings.iter().find(|one| one["code"] == "server.other").expect("found");
    assert!(other["next_step"].as_str().expect("a step").contains(&url), "{other}");
    assert_eq!((&other["severity"], &other["found"]), (&json!("error"), &json!("http://old:8530")));
    for (body, status) in [
        (json!({ "content": "%%%" }), 400),
        (json!({ "content": STANDARD.encode("nothing of the kind") }), 400),
        (json!({ "content": STANDARD.encode(b"PReg\x01\0\0\0[") }), 400),
        (json!({ "content": STANDARD.encode(vec![b' '; (2 << 20) + 1]) }), 413),
    ] {
        let refused = server.post("policy/check", body).await;
        assert!(["content", "too_large"].contains(&refused.refused(status)), "{}", refused.body);
    }
    let values = server.get("policy/values?limit=1000").await.ok();
    let items = values["items"].as_array().expect("items");
    let frequency = items.iter().find(|one| one["name"] == "DetectionFrequency").expect("a value");
    assert_eq!((&frequency["values"], &frequency["kind"]), (&json!("1 to 22"), &json!("REG_DWORD")));
    server.stop().await;
}
