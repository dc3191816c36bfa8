//! Start and stop: the files of the data folder, free ports, signals.

use std::{fs, os::unix::fs::PermissionsExt as _};

use weir_testkit::WeirProcess;

use super::{genuine_package, json, server};

#[test]
fn a_start_writes_its_files_and_a_clean_stop_removes_the_address() {
    let mut server = server();
    let data = server.data().to_owned();
    let mode = |name: &str| fs::metadata(data.join(name)).expect(name).permissions().mode() & 0o777;
    assert_eq!(mode("admin.token"), 0o600);
    assert!(data.join("tls/ca.pem").is_file());
    assert!(server.client_url().starts_with("http://127.0.0.1:"), "{}", server.client_url());
    let status = json(&server, &["status"]);
    assert_eq!(status["endpoints"]["pid"], server.id());
    assert_eq!(status["endpoints"]["client_http"], server.client_url());
    assert!(server.log().contains("https://127.0.0.1:"), "no sign-in link: {}", server.log());

    assert!(server.stop().expect("it stops"), "{}", server.log());
    assert!(!data.join("endpoints.json").exists());
    let (code, message) = server.json_with_code(&["status"]).expect("a refusal");
    assert_eq!(code, 1);
    assert!(message.as_str().is_some_and(|text| text.contains("weir serve --data")), "{message}");
}

#[test]
fn what_was_there_is_there_after_a_restart() {
    let mut server = server();
    json(&server, &["import", &genuine_package()]);
    json(&server, &["collections", "create", "Pilot"]);
    let token = server.token().expect("a token");
    let before = json(&server, &["updates", "list", "--facets", "--limit", "3"]);
    assert!(server.stop().expect("it stops"));
    server.restart().expect("it starts");
    assert_eq!(json(&server, &["updates", "list", "--facets", "--limit", "3"]), before);
    assert_eq!(server.token().expect("a token"), token);
    let names = json(&server, &["collections", "list"]).to_string();
    assert!(names.contains("Pilot"), "{names}");
}

#[test]
fn a_second_server_on_the_same_folder_is_refused() {
    let server = server();
    let second = WeirProcess::start_with(server.binary(), Some(server.data()), &[]);
    let message = format!("{:#}", second.expect_err("refused"));
    assert!(message.contains("ended with"), "{message}");
    json(&server, &["status"]);
}
