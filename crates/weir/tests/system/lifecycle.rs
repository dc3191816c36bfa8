//! Start and stop: the files of the data folder, free ports, signals.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
};

use super::{genuine_package, json, server, sqlite_server};

#[test]
fn a_start_writes_its_files_and_a_clean_stop_removes_the_address() {
    // that of the embedded database among them
    let mut server = sqlite_server();
    let data = server.data().to_owned();
    let mode = |name: &str| fs::metadata(data.join(name)).expect(name).permissions().mode() & 0o777;
    assert_eq!(mode("admin.token"), 0o600);
    assert_eq!(fs::metadata(&data).expect("the folder").permissions().mode() & 0o777, 0o700);
    for secret in ["endpoints.json", "tls/ca.key", "weir.db", "weir.db-wal", "weir.db-shm"] {
        assert_eq!(mode(secret), 0o600, "{secret}");
    }
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
    let endpoints = || fs::read_to_string(server.data().join("endpoints.json")).expect("endpoints.json");
    let (before, token) = (endpoints(), server.token().expect("a token"));
    let arguments =
        ["serve", "--client-http", "127.0.0.1:0", "--client-https", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    let second = server.weir(&arguments).expect("a second server");
    assert_eq!(second.status.code(), Some(1));
    let message = String::from_utf8_lossy(&second.stderr);
    let data = server.data().display().to_string();
    assert!(message.contains("error: ") && message.contains("is in use") && message.contains(&data), "{message}");
    assert!(second.stdout.is_empty(), "no sign-in link of a server that does not run");
    assert_eq!((endpoints(), server.token().expect("a token")), (before, token), "the first one's files are untouched");
    json(&server, &["status"]);
}

#[test]
fn a_request_under_way_is_answered_before_the_server_ends() {
    let mut server = server();
    let address = server.client_url();
    let address = address.strip_prefix("http://").expect("plain HTTP").to_owned();
    let body = r#"<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><GetConfig xmlns="http://www.microsoft.com/SoftwareDistribution/Server/ClientWebService"><protocolVersion>2.90</protocolVersion></GetConfig></s:Body></s:Envelope>"#;
    let (first, rest) = body.split_at(body.len() / 2);
    let mut stream = TcpStream::connect(&address).expect("connected");
    let mut idle = TcpStream::connect(&address).expect("connected");
    write!(
        stream,
        "POST /ClientWebService/client.asmx HTTP/1.1\r\nHost: {address}\r\nContent-Type: text/xml; charset=utf-8\r\n\
         SOAPAction: \"http://www.microsoft.com/SoftwareDistribution/Server/ClientWebService/GetConfig\"\r\n\
         Content-Length: {}\r\n\r\n{first}",
        body.len()
    )
    .expect("sent");
    // answered on another connection, so the first one has been accepted, too
    write!(idle, "GET /nothing HTTP/1.1\r\nHost: {address}\r\n\r\n").expect("sent");
    assert!(idle.read(&mut [0; 4_096]).expect("an answer") > 0);

    let data = server.data().to_owned();
    std::thread::scope(|scope| {
        let stopping = scope.spawn(|| server.stop());
        while TcpStream::connect(&address).is_ok() {
            std::thread::yield_now();
        }
        stream.write_all(rest.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer, then the end of the connection");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("</s:Envelope>") || answer.ends_with("</soap:Envelope>"), "{answer}");
        assert!(stopping.join().expect("a thread").expect("it stops"), "exit code 0");
    });
    assert!(!data.join("endpoints.json").exists());
}
