//! The start-up contract (design, section 3).

use std::{
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use weir_server::{StartError, start};

use crate::harness::{Server, settings};

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).expect("there").permissions().mode() & 0o777
}

#[tokio::test]
async fn the_data_folder_holds_what_others_need_and_nobody_else_may_read_it() {
    let parent = tempfile::tempdir().expect("folder");
    let data = tempfile::TempDir::new_in(parent.path()).expect("folder");
    let server = Server::start_in(data).await;
    let folder = server.data.path().to_owned();
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("admin.token")), 0o600);
    assert_eq!(mode(&folder.join("tls/ca.key")), 0o600);
    assert_eq!(server.endpoints.pid, std::process::id());
    for url in [&server.endpoints.client_http, &server.endpoints.client_https, &server.endpoints.admin] {
        let url = url.as_deref().expect("listening");
        let (_, port) = url.rsplit_once(':').expect("port");
        assert_ne!(port, "0", "{url}");
        assert!(url.contains("127.0.0.1"), "{url}");
    }
    assert_eq!(server.endpoints.server, None);
    let (token, ca) = (server.token.clone(), std::fs::read(folder.join("tls/ca.pem")).expect("ca.pem"));
    let id = server.get("status").await.ok()["server_id"].clone();
    let data = server.stop().await;
    assert!(!folder.join("endpoints.json").exists());

    let server = Server::start_in(data).await;
    assert_eq!(server.token, token);
    assert_eq!(std::fs::read(folder.join("tls/ca.pem")).expect("ca.pem"), ca);
    assert_eq!(server.get("status").await.ok()["server_id"], id);
    server.stop().await;
}

#[tokio::test]
async fn a_token_that_was_changed_or_deleted_is_replaced() {
    let server = Server::start().await;
    let token = server.token.clone();
    let data = server.stop().await;
    std::fs::write(data.path().join("admin.token"), "guess\n").expect("written");
    let server = Server::start_in(data).await;
    assert_ne!(server.token, token);
    assert_ne!(server.token, "guess");
    server.get("status").await.ok();
    let answer = server.http.get(server.admin("/api/v1/status")).bearer_auth(token).send().await.expect("answer");
    assert_eq!(answer.status(), 401);
    server.stop().await;
}

#[tokio::test]
async fn one_folder_has_one_server() {
    let server = Server::start().await;
    let error = start::serve(settings(server.data.path()), std::future::pending()).await.expect_err("locked");
    assert!(error.to_string().contains("in use by another Weir process"), "{error}");
    assert!(server.data.path().join("endpoints.json").exists());
    server.get("status").await.ok();
    server.stop().await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_named_with_the_flag_that_changes_it() {
    let server = Server::start().await;
    let other = tempfile::tempdir().expect("folder");
    let mut settings = settings(other.path());
    let taken = server.client().trim_start_matches("http://").parse().expect("address");
    settings.listen.client_http = weir_server::config::Listen::At(taken);
    let error = start::serve(settings, std::future::pending()).await.expect_err("taken");
    assert!(matches!(error, StartError::Bind { .. }), "{error}");
    assert!(error.to_string().contains("--client-http"), "{error}");
    assert!(!other.path().join("endpoints.json").exists());
    server.stop().await;
}

#[tokio::test]
async fn a_listener_that_is_off_is_absent_from_the_endpoints() {
    let data = tempfile::tempdir().expect("folder");
    let mut settings = settings(data.path());
    settings.listen.client_https = weir_server::config::Listen::Off;
    let server = Server::start_with(data, settings).await;
    let text = std::fs::read_to_string(server.data.path().join("endpoints.json")).expect("file");
    assert!(!text.contains("client_https"), "{text}");
    server.stop().await;
}

#[tokio::test]
async fn no_route_of_one_plane_is_on_another_plane() {
    let server = Server::start().await;
    let plain = reqwest::Client::new();
    for path in ["/api/v1/status", "/metrics", "/healthz", "/readyz", "/sign-in", "/style.css", "/"] {
        let answer = plain.get(format!("{}{path}", server.client())).bearer_auth(&server.token).send().await;
        assert_eq!(answer.expect("answer").status(), 404, "{path}");
    }
    for path in [
        "/ClientWebService/client.asmx",
        "/SimpleAuthWebService/SimpleAuth.asmx",
        "/Content/00/x.cab",
        "/selfupdate/wuident.cab",
    ] {
        let answer = server.http.post(server.admin(path)).bearer_auth(&server.token).send().await.expect("answer");
        assert_eq!(answer.status(), 404, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn health_and_metrics_answer() {
    let server = Server::start().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.http.get(server.admin(path)).send().await.expect("answer").status(), 200, "{path}");
    }
    let metrics = server.http.get(server.admin("/metrics")).bearer_auth(&server.token).send().await.expect("answer");
    assert_eq!(metrics.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = metrics.text().await.expect("text");
    for name in ["weir_snapshot_revisions", "weir_computers", "weir_database_bytes"] {
        assert!(text.contains(name), "{name}: {text}");
    }
    server.stop().await;
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken_with_a_certificate_of_the_folder() {
    let server = Server::start().await;
    let ca = std::fs::read(server.data.path().join("tls/ca.pem")).expect("ca.pem");
    for version in [reqwest::tls::Version::TLS_1_2, reqwest::tls::Version::TLS_1_3] {
        let client = reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(&ca).expect("certificate")])
            .tls_version_min(version)
            .tls_version_max(version)
            .build()
            .expect("client");
        for url in [server.admin("/healthz"), format!("{}/", server.endpoints.client_https.as_deref().expect("on"))] {
            client.get(&url).send().await.unwrap_or_else(|error| panic!("{url} {version:?}: {error:?}"));
        }
    }
    // a client that trusts the usual authorities does not trust this one
    let usual = reqwest::Client::builder().build().expect("client");
    assert!(usual.get(server.admin("/healthz")).send().await.is_err());
    server.stop().await;
}

#[tokio::test]
async fn headers_that_trickle_in_close_the_connection_and_idle_ones_do_not() {
    let data = tempfile::tempdir().expect("folder");
    let mut settings = settings(data.path());
    settings.limits.header_time = Duration::from_millis(400);
    let server = Server::start_with(data, settings).await;
    let address = server.client().trim_start_matches("http://").to_owned();

    let mut slow = TcpStream::connect(&address).await.expect("connected");
    let started = Instant::now();
    slow.write_all(b"GET /Content/ HTTP/1.1\r\nHost: a\r\nX: ").await.expect("sent");
    let trickle = async {
        let mut byte = [0; 1];
        loop {
            tokio::select! {
                read = slow.read(&mut byte) => match read {
                    Ok(0) | Err(_) => return,
                    Ok(_) => {}
                },
                () = tokio::time::sleep(Duration::from_millis(50)) => {
                    if slow.write_all(b"x").await.is_err() {
                        return;
                    }
                }
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), trickle).await.expect("closed by the server");
    assert!(started.elapsed() >= Duration::from_millis(300));

    let mut idle = TcpStream::connect(&address).await.expect("connected");
    for _ in 0..2 {
        idle.write_all(b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("sent");
        let mut answer = vec![0; 4_096];
        let read = idle.read(&mut answer).await.expect("answer");
        assert!(answer[..read].starts_with(b"HTTP/1.1 404"), "{}", String::from_utf8_lossy(&answer[..read]));
        // longer than headers may take: the pause between two requests is no trickle
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn oversized_headers_are_refused() {
    let server = Server::start().await;
    let address = server.client().trim_start_matches("http://").to_owned();
    let mut connection = TcpStream::connect(&address).await.expect("connected");
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(100 << 10));
    let _ = connection.write_all(head.as_bytes()).await;
    let mut answer = vec![0; 4_096];
    let read = connection.read(&mut answer).await.unwrap_or(0);
    assert!(read == 0 || answer.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&answer[..read]));
    server.get("status").await.ok();
    server.stop().await;
}

#[tokio::test]
async fn requests_under_way_finish_when_the_server_stops() {
    let server = Server::start().await;
    let address = server.client().trim_start_matches("http://").to_owned();
    let mut connection = TcpStream::connect(&address).await.expect("connected");
    let head =
        "POST /ClientWebService/client.asmx HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nContent-Length: 4\r\n\r\n";
    connection.write_all(head.as_bytes()).await.expect("sent");
    tokio::time::sleep(Duration::from_millis(100)).await;
    let stopping = tokio::spawn(server.stop());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!stopping.is_finished());
    connection.write_all(b"<a/>").await.expect("sent");
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.expect("answer");
    assert!(answer.starts_with(b"HTTP/1.1 "), "{}", String::from_utf8_lossy(&answer));
    stopping.await.expect("stopped");
}
