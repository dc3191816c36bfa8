//! Certificates of a running server.

use std::{fs, process::Command};

use serde_json::Value;

use super::{json, server};

/// Names of the server's own certificate.
fn own_names(status: &Value) -> Vec<&str> {
    let own = status["certificates"].as_array().expect("certificates").iter().find(|one| one["plane"] == "own");
    let names = own.expect("the own one")["chain"][0]["names"].as_array().expect("names");
    names.iter().filter_map(Value::as_str).collect()
}

#[test]
fn names_are_read_again_without_a_restart_and_the_server_outlives_a_hangup() {
    let mut server = server();
    assert!(!own_names(&json(&server, &["tls", "show"])).contains(&"wsus.example.org"));
    let file = server.data().join("weir.toml");
    fs::write(&file, "[tls]\nnames = ['wsus.example.org']\n").expect("written");
    let sent = Command::new("kill").args(["-HUP", &server.id().to_string()]).status().expect("kill");
    assert!(sent.success());
    let is_there = |status: &Value| own_names(status).contains(&"wsus.example.org");
    server.wait_for(&["tls", "show"], is_there).expect("the new name");
    assert!(server.log().contains("SIGHUP"), "{}", server.log());

    // what cannot be read changes nothing, and is said
    fs::write(&file, "[tls]\nnames = 'wsus.example.org'\n").expect("written");
    let (code, reloaded) = server.json_with_code(&["tls", "reload"]).expect("an answer");
    assert_eq!(code, 3);
    assert_eq!(reloaded["failures"][0]["subject"], "settings", "{reloaded}");
    assert!(is_there(&json(&server, &["tls", "show"])));
    let told = |alerts: &Value| alerts.to_string().contains("tls.reload_failed");
    server.wait_for(&["alerts", "list"], told).expect("the alert");
    fs::remove_file(&file).expect("removed");
    assert!(server.stop().expect("it stops"), "{}", server.log());
}

#[test]
fn a_new_server_passes_its_own_check() {
    let server = server();
    let checked = json(&server, &["tls", "check"]);
    assert!(checked["errors"] == 0 && checked["warnings"] == 0, "{checked}");
    let client = &checked["addresses"][0];
    assert_eq!(client["url"], server.client_https_url(), "{client}");
    let windows = client["windows"].as_array().expect("windows");
    assert!(windows.iter().all(|one| one["fits"] != "no"), "{client}");
    let text = server.weir(&["tls", "check"]).expect("a command");
    let text = String::from_utf8_lossy(&text.stdout);
    assert!(text.contains("Trusted Root") && text.contains("tls/ca.pem"), "{text}");
    let (code, _) = server.json_with_code(&["tls", "check", "--url", "http://127.0.0.1:1"]).expect("a refusal");
    assert_eq!(code, 1);
    let text = server.weir(&["tls", "computers"]).expect("a command");
    assert!(String::from_utf8_lossy(&text.stdout).contains("HTTPS"), "{text:?}");
}
