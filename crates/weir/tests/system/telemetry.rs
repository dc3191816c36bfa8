//! What an operator finds: an agent's request in the log by its own correlation vector, slow requests, traces.

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use weir_testkit::{Receiver, Reply, WeirProcess, http::Connection, process::PATIENCE};

use super::{genuine_package, json, run};

/// A server with this configuration file.
fn configured(folder: &tempfile::TempDir, text: &str) -> WeirProcess {
    let file = folder.path().join("weir.toml");
    fs::write(&file, text).expect("written");
    let arguments = ["--config", file.to_str().expect("UTF-8")];
    WeirProcess::start_with(env!("CARGO_BIN_EXE_weir"), None, &arguments).expect("a server")
}

/// Asks for the configuration as an agent does, with this correlation vector.
fn ask(server: &WeirProcess, vector: &str) {
    let namespace = "http://www.microsoft.com/SoftwareDistribution/Server/ClientWebService";
    let body = format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><GetConfig xmlns=\"{namespace}\">\
         <protocolVersion>2.90</protocolVersion></GetConfig></s:Body></s:Envelope>"
    );
    let action = format!("\"{namespace}/GetConfig\"");
    let headers = [("Content-Type", "text/xml; charset=utf-8"), ("SOAPAction", action.as_str()), ("MS-CV", vector)];
    let answer = run(async {
        let mut connection = Connection::to(&server.client_url()).expect("an address");
        connection.send("POST", "/ClientWebService/client.asmx", &headers, body.as_bytes()).await.expect("an answer")
    });
    assert_eq!((answer.status, answer.header("ms-cv")), (200, None), "as recorded");
}

/// The first line of the log that has all of these; waits until it is there.
pub(super) fn line(server: &WeirProcess, parts: &[&str]) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let log = server.log();
        if let Some(line) = log.lines().find(|line| parts.iter().all(|part| line.contains(part))) {
            return line.to_owned();
        }
        assert!(Instant::now() < deadline, "{parts:?} is not in the log: {log}");
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn one_search_finds_the_request_of_an_agent() {
    let folder = tempfile::tempdir().expect("folder");
    let server = configured(&folder, "[log]\nfilter = 'info,weir_server::telemetry=debug'\n");
    // what has not the form of a vector is nobody's, whatever it pretends to be
    ask(&server, "forged.1 level=ERROR operation=Nothing");
    ask(&server, "me4WAo5lqUCG/53V.1.0.0.2.5");
    let found = line(&server, &["me4WAo5lqUCG/53V.1.0.0.2.5", "answered"]);
    assert!(found.contains("GetConfig") && found.contains("client") && found.contains("127.0.0.1"), "{found}");
    assert!(!server.log().contains("forged"), "{}", server.log());
}

#[test]
fn a_slow_request_is_told_of_with_where_its_time_went() {
    let folder = tempfile::tempdir().expect("folder");
    let server = configured(&folder, "[log]\nslow_ms = 1\nformat = 'json'\n");
    json(&server, &["import", &genuine_package()]);
    let found = line(&server, &["a slow request", "/api/v1/imports"]);
    let told: serde_json::Value = serde_json::from_str(&found).expect("a line of JSON");
    let fields = &told["fields"];
    assert_eq!((&told["level"], &fields["plane"]), (&"WARN".into(), &"admin".into()), "{found}");
    assert!(fields["handler_ms"].as_u64().is_some_and(|took| took >= 1), "{found}");
    assert!(fields["bytes_in"].as_u64().is_some_and(|bytes| bytes > 1_000), "{found}");
    for field in ["queue_ms", "receive_ms", "send_ms", "bytes_out", "left_out"] {
        assert!(fields[field].is_u64(), "{field}: {found}");
    }
}

#[test]
fn traces_reach_their_collector_and_a_broken_one_hinders_nobody() {
    let collector = Receiver::plain();
    let folder = tempfile::tempdir().expect("folder");
    let text = format!("[telemetry]\notlp = '{}'\none_in = 1\n", collector.url());
    let mut server = configured(&folder, &text);
    ask(&server, "me4WAo5lqUCG/53V.1.0.0.2.5");
    json(&server, &["status"]);
    // what is left goes out at the end
    assert!(server.stop().expect("it stops"), "{}", server.log());
    let calls = collector.calls();
    assert!(!calls.is_empty());
    for call in &calls {
        assert!(call.line.starts_with("POST /hooks/weir/v1/traces "), "{}", call.line);
        assert_eq!(call.header("content-type"), Some("application/x-protobuf"));
    }
    let sent: String = calls.iter().map(|call| call.body.as_str()).collect();
    for part in ["service.name", "GetConfig", "me4WAo5lqUCG/53V.1.0.0.2.5", "/api/v1/status", "store.read", "retention"]
    {
        assert!(sent.contains(part), "{part} was not traced");
    }

    collector.always(Some(Reply::status(503)));
    server.restart().expect("it starts");
    ask(&server, "me4WAo5lqUCG/53V.1.0.0.2.6");
    json(&server, &["status"]);
    assert!(server.stop().expect("it stops"), "{}", server.log());
    line(&server, &["traces do not reach their collector"]);
}
