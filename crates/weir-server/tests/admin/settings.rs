//! Site settings.

use reqwest::Method;
use serde_json::json;

use crate::harness::Server;

#[tokio::test]
async fn settings_are_typed_listed_and_audited_and_survive_a_restart() {
    let server = Server::start().await;
    let listed = server.get("settings").await.ok();
    let keys: Vec<_> = listed["items"].as_array().expect("items").iter().map(|item| item["key"].clone()).collect();
    for key in ["source", "targeting", "page.entries", "page.bytes", "page.filling", "downstream.policy"] {
        assert!(keys.contains(&json!(key)), "{key}");
    }
    let set = |key: &'static str, value: serde_json::Value| {
        let path = format!("settings/{key}");
        let server = &server;
        async move { server.call(Method::PUT, &path, Some(json!({ "value": value }))).await }
    };
    assert_eq!(set("targeting", json!("client")).await.ok(), json!({ "key": "targeting", "value": "client" }));
    assert_eq!(set("page.entries", json!("30")).await.ok()["value"], 30);
    assert_eq!(set("page.entries", json!(0)).await.refused(400), "setting_value");
    let unknown = set("page.entrys", json!(1)).await;
    assert_eq!(unknown.refused(404), "not_found");
    assert!(unknown.body["next_step"].as_str().expect("advice").contains("page.entries"));
    let audit = server.get("audit").await.ok();
    let actions: Vec<_> = audit["items"].as_array().expect("items").iter().map(|row| row["action"].clone()).collect();
    assert_eq!(actions.iter().filter(|action| **action == json!("setting.set")).count(), 2, "{audit}");
    assert_eq!(audit["items"][0]["actor"], "administrator");

    let data = server.stop().await;
    let server = Server::start_in(data).await;
    let setting = server.get("settings/page.entries").await.ok();
    assert_eq!((&setting["value"], &setting["default"]), (&json!(30), &json!(100)));
    server.stop().await;
}

#[tokio::test]
async fn a_file_of_roots_is_read_when_it_is_set() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let (pipe, text) = (folder.path().join("pipe"), folder.path().join("text.pem"));
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
    assert!(made.success());
    std::fs::write(&text, "no certificate").expect("a file");
    let pipe = pipe.to_str().expect("UTF-8");
    let text = text.to_str().expect("UTF-8");
    let absent = format!("{text}.absent");
    for (path, words) in [
        ("/dev/zero", "no regular file"),
        (pipe, "no regular file"),
        (folder.path().to_str().expect("UTF-8"), "no regular file"),
        (text, "holds no certificate"),
        (absent.as_str(), "No such file"),
    ] {
        let set = server.call(Method::PUT, "settings/sync.ca_file", Some(json!({ "value": path }))).await;
        assert_eq!(set.refused(400), "setting_value", "{path}");
        assert!(set.body["detail"].as_str().expect("detail").contains(words), "{path}: {}", set.body);
    }
    assert_eq!(server.get("settings/sync.ca_file").await.ok()["value"], "");
    let own = server.data.path().join("tls/ca.pem");
    server.call(Method::PUT, "settings/sync.ca_file", Some(json!({ "value": own }))).await.ok();
    server.call(Method::PUT, "settings/sync.ca_file", Some(json!({ "value": "" }))).await.ok();
    server.stop().await;
}
