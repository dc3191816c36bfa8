//! Certificates that change while the server runs, and computers that come without TLS.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use reqwest::Method;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use weir_server::config::{Settings, TlsFiles};
use weir_testkit::{Computer, Document, ScriptedAgent};

use super::{
    harness::{self, Server, id},
    tls_checks::Authority,
};

/// Where a test keeps its certificate and key.
fn files(folder: &Path) -> TlsFiles {
    TlsFiles { certificate: folder.join("chain.pem"), key: folder.join("chain.key") }
}

/// Writes a chain and its key.
pub(crate) fn write(files: &TlsFiles, (chain, key): &(String, String)) {
    fs::write(&files.certificate, chain).expect("written");
    fs::write(&files.key, key).expect("written");
}

/// A server that computers see with this certificate.
pub(crate) async fn start(pair: &(String, String), change: impl FnOnce(&mut Settings)) -> Server {
    let data = tempfile::tempdir().expect("folder");
    let files = files(data.path());
    write(&files, pair);
    let mut settings = harness::settings(data.path());
    settings.tls = Some(files);
    change(&mut settings);
    Server::start_with(data, settings).await
}

/// A connection that asks for a name and trusts one root.
async fn connect(
    url: &str,
    name: &str,
    root: &str,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<TlsStream<TcpStream>, String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(root.as_bytes()).expect("certificate")).expect("root");
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let address = url.strip_prefix("https://").expect("https");
    let stream = TcpStream::connect(address).await.expect("connected");
    let name = name.to_owned().try_into().expect("name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| error.to_string())
}

const BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

fn shown(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    let chain = stream.get_ref().1.peer_certificates().expect("certificates");
    chain[0].clone().into_owned()
}

/// Asks for something that is not there; the connection stays open.
async fn ask(stream: &mut TlsStream<TcpStream>) -> String {
    stream.write_all(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        assert_eq!(stream.read(&mut byte).await.expect("answer"), 1, "the connection was closed");
        answer.push(byte[0]);
    }
    String::from_utf8(answer).expect("text")
}

fn client(server: &Server) -> String {
    server.endpoints.client_https.clone().expect("https")
}

async fn set(server: &Server, key: &str, value: Value) {
    server.call(Method::PUT, &format!("settings/{key}"), Some(json!({ "value": value }))).await.ok();
}

/// Open alerts of a kind.
pub(crate) async fn open(server: &Server, kind: &str) -> Vec<Value> {
    let list = server.get(&format!("alerts?state=open&kind={kind}")).await.ok();
    list["items"].as_array().expect("items").clone()
}

/// Waits for a state that comes by itself.
pub(crate) async fn until(is_there: impl AsyncFn() -> bool) {
    while !is_there().await {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_shown_and_connections_go_on() {
    let authority = Authority::new("Root");
    let first = authority.leaf("wsus.example.org", |_| ());
    let server = start(&first, |_| ()).await;
    let mut before = connect(&client(&server), "wsus.example.org", &authority.pem, BOTH).await.expect("connected");
    assert!(ask(&mut before).await.starts_with("HTTP/1.1 404"));

    // the look that comes by itself may be first
    until(async || {
        write(&files(server.data.path()), &authority.leaf("wsus.example.org", |_| ()));
        let reloaded = server.post("tls/reload", json!({})).await.ok();
        assert_eq!(reloaded["failures"], json!([]), "{reloaded}");
        reloaded["changed"] == json!(["client"])
    })
    .await;
    let after = connect(&client(&server), "wsus.example.org", &authority.pem, BOTH).await.expect("connected");
    assert_ne!(shown(&after), shown(&before));
    assert!(ask(&mut before).await.starts_with("HTTP/1.1 404"), "the connection of before goes on");
    assert_eq!(server.post("tls/reload", json!({})).await.ok()["changed"], json!([]), "nothing is new");
    let audited = server.get("audit").await.ok()["items"].to_string();
    assert!(audited.contains("tls.reload"), "{audited}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_pair_keeps_the_one_before_and_is_told_of_until_it_is_mended() {
    let authority = Authority::new("Root");
    let server = start(&authority.leaf("wsus.example.org", |_| ()), |_| ()).await;
    let before = connect(&client(&server), "wsus.example.org", &authority.pem, BOTH).await.expect("connected");

    let next = authority.leaf("wsus.example.org", |_| ());
    fs::write(files(server.data.path()).certificate, &next.0).expect("written");
    let reloaded = server.post("tls/reload", json!({})).await.ok();
    assert_eq!(reloaded["failures"][0]["subject"], "client");
    assert!(reloaded["failures"][0]["reason"].as_str().expect("text").contains("is not the key of"), "{reloaded}");
    until(async || !open(&server, "tls.reload_failed").await.is_empty()).await;
    let alerts = open(&server, "tls.reload_failed").await;
    assert_eq!((alerts.len(), &alerts[0]["subject"]), (1, &json!("client")), "{alerts:?}");
    let still = connect(&client(&server), "wsus.example.org", &authority.pem, BOTH).await.expect("connected");
    assert_eq!(shown(&still), shown(&before));
    assert_eq!(server.get("tls").await.ok()["failures"], reloaded["failures"]);

    fs::write(files(server.data.path()).key, &next.1).expect("written");
    assert_eq!(server.post("tls/reload", json!({})).await.ok()["failures"], json!([]));
    let after = connect(&client(&server), "wsus.example.org", &authority.pem, BOTH).await.expect("connected");
    assert_ne!(shown(&after), shown(&before));
    until(async || open(&server, "tls.reload_failed").await.is_empty()).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_watched_also_through_links_that_are_swapped() {
    let authority = Authority::new("Root");
    let data = tempfile::tempdir().expect("folder");
    let folder = |name: &str| -> PathBuf { data.path().join(name) };
    for name in ["archive1", "archive2"] {
        fs::create_dir(folder(name)).expect("folder");
        write(&files(&folder(name)), &authority.leaf("wsus.example.org", |_| ()));
    }
    symlink(folder("archive1"), folder("live")).expect("link");
    let mut settings = harness::settings(data.path());
    settings.tls = Some(files(&folder("live")));
    let (new, live) = (folder("new"), folder("live"));
    let next = folder("archive2");
    let server = Server::start_with(data, settings).await;
    let fingerprint = async || server.get("tls").await.ok()["certificates"][0]["chain"][0]["fingerprint"].clone();
    let before = fingerprint().await;
    symlink(next, &new).expect("link");
    fs::rename(&new, &live).expect("swapped");
    until(async || fingerprint().await != before).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_own_certificate_follows_the_name_of_the_site() {
    let server = Server::start().await;
    let root = fs::read_to_string(server.data.path().join("tls/ca.pem")).expect("ca.pem");
    let wrong = connect(&client(&server), "wsus.example.org", &root, BOTH).await.expect_err("another name");
    assert!(wrong.contains("name") || wrong.contains("valid"), "{wrong}");
    set(&server, "server.name", json!("wsus.example.org")).await;
    let reloaded = server.post("tls/reload", json!({})).await.ok();
    // the look that comes by itself may have been first
    assert!(reloaded["failures"].as_array().expect("list").is_empty(), "{reloaded}");
    connect(&client(&server), "wsus.example.org", &root, BOTH).await.expect("connected");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_see_a_certificate_of_their_own_by_name_and_the_command_line_does_not() {
    let authority = Authority::new("Root");
    let folder = tempfile::tempdir().expect("folder");
    let admin = files(folder.path());
    write(&admin, &authority.leaf("admin.example.org", |_| ()));
    let data = tempfile::tempdir().expect("folder");
    let mut settings = harness::settings(data.path());
    settings.tls_admin = Some(admin);
    // its client comes by the address, and trusts tls/ca.pem alone
    let server = Server::start_with(data, settings).await;
    let url = server.endpoints.admin.clone().expect("admin");
    connect(&url, "admin.example.org", &authority.pem, BOTH).await.expect("by name");
    let root = fs::read_to_string(server.data.path().join("tls/ca.pem")).expect("ca.pem");
    connect(&url, "localhost", &root, BOTH).await.expect("the own one");
    connect(&client(&server), "localhost", &root, BOTH).await.expect("computers see the own one");
    let planes = server.get("tls").await.ok()["certificates"].clone();
    assert_eq!((&planes[0]["file"], planes[1]["file"].is_string()), (&Value::Null, true), "{planes}");
    server.stop().await;
}

/// The first byte that is answered to a client that knows TLS 1.1 and nothing newer; none if the connection is closed.
async fn answer_to_tls11(url: &str) -> Option<u8> {
    let mut hello = vec![3, 2];
    hello.extend([7_u8; 32]);
    hello.extend([0, 0, 4, 0x00, 0x35, 0x00, 0x2f, 1, 0]);
    let length = u8::try_from(hello.len()).expect("short");
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(hello);
    let mut stream = TcpStream::connect(url.strip_prefix("https://").expect("https")).await.expect("connected");
    stream.write_all(&record).await.expect("sent");
    let mut first = [0];
    matches!(stream.read(&mut first).await, Ok(1)).then_some(first[0])
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_older_than_tls_1_2_is_spoken_and_1_3_alone_if_that_is_set() {
    let server = Server::start().await;
    let root = fs::read_to_string(server.data.path().join("tls/ca.pem")).expect("ca.pem");
    for url in [client(&server), server.endpoints.admin.clone().expect("admin")] {
        // an alert, if anything
        assert!(matches!(answer_to_tls11(&url).await, None | Some(21)), "{url}");
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            connect(&url, "localhost", &root, &[version]).await.expect("spoken");
        }
    }
    let metrics = async || {
        let request = server.http.get(server.admin("/metrics")).bearer_auth(&server.token);
        request.send().await.expect("answer").text().await.expect("text")
    };
    let counted = "weir_tls_handshake_failures_total{listener=\"client\",reason=\"version\"} ";
    // a series is there from the start, at 0
    let is_counted = |text: &str| text.lines().any(|line| line.strip_prefix(counted).is_some_and(|count| count != "0"));
    until(async || is_counted(&metrics().await)).await;
    let metrics = metrics().await;
    assert!(metrics.contains("weir_tls_certificate_expiry_seconds{certificate=\"client\"}"), "{metrics}");
    server.stop().await;

    let data = tempfile::tempdir().expect("folder");
    let mut settings = harness::settings(data.path());
    settings.tls_minimum = weir_model::tls::Minimum::Tls13;
    let server = Server::start_with(data, settings).await;
    let root = fs::read_to_string(server.data.path().join("tls/ca.pem")).expect("ca.pem");
    connect(&client(&server), "localhost", &root, &[&rustls::version::TLS12]).await.expect_err("too old");
    connect(&client(&server), "localhost", &root, &[&rustls::version::TLS13]).await.expect("spoken");
    let status = server.get("tls").await.ok();
    assert_eq!(status["minimum"], "1.3");
    assert!(
        status["suites"]
            .as_array()
            .expect("suites")
            .iter()
            .all(|suite| suite.as_str().is_some_and(|it| it.starts_with("TLS13_")))
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn https_is_required_once_everybody_uses_it_or_by_force() {
    let server = Server::start().await;
    server.import_documents(&[Document::software(id(2), 1).title("Fix")]).await;
    let mut agent = ScriptedAgent::new(server.client(), Computer::numbered(1)).expect("agent");
    agent.scan().await.expect("scan");
    let summary = server.get("computers/transport").await.ok();
    assert_eq!((&summary["total"]["http"], &summary["total"]["http_percent"]), (&json!(1), &json!(100.0)), "{summary}");
    let all = &summary["collections"].as_array().expect("collections")[0];
    assert!(all["collection"]["name"].is_string() && all["http"] == 1, "{summary}");
    for (how, count) in [("http", 1), ("https", 0)] {
        let list = server.get(&format!("computers?transport={how}")).await.ok();
        assert_eq!(list["items"].as_array().expect("items").len(), count, "{how}");
    }
    assert_eq!(server.get("computers?transport=carrier").await.refused(400), "query");

    // many computers without TLS are told of if that is asked for
    server.post("alert-evaluation", json!({})).await.ok();
    assert!(open(&server, "tls.plain_http").await.is_empty(), "off by default");
    set(&server, "alerts.plain_http_percent", json!(50)).await;
    server.post("alert-evaluation", json!({})).await.ok();
    assert!(open(&server, "tls.plain_http").await[0]["message"].as_str().expect("text").contains("100 %"));

    let require = |force: bool| {
        server.call(Method::PUT, "settings/clients.https", Some(json!({ "value": "required", "force": force })))
    };
    let refused = require(false).await;
    assert_eq!(refused.refused(409), "plain_http");
    assert!(refused.body["detail"].as_str().expect("text").contains("1 of 1"), "{}", refused.body);
    require(true).await.ok();

    let service = "/ClientWebService/client.asmx";
    let call =
        |url: String| server.http.post(url).header("content-type", "text/xml; charset=utf-8").body("<x/>").send();
    let plain = call(format!("{}{service}", server.client())).await.expect("answer");
    assert_eq!(plain.status(), 403);
    assert!(plain.text().await.expect("text").contains("HTTPS only"));
    for other in ["/SimpleAuthWebService/SimpleAuth.asmx", "/ReportingWebService/ReportingWebService.asmx"] {
        assert_eq!(call(format!("{}{other}", server.client())).await.expect("answer").status(), 403, "{other}");
    }
    assert!(agent.scan().await.is_err(), "no answer without TLS");
    let file = format!("{}/Content/00/0000000000000000000000000000000000000000.cab", server.client());
    assert_eq!(server.http.get(file).send().await.expect("answer").status(), 404, "files go on");
    let with = call(format!("{}{service}", client(&server))).await.expect("answer");
    assert_ne!(with.status(), 403);

    // policy follows
    let render = |body: Value| server.post("policy/render", body);
    assert_eq!(render(json!({ "https": false })).await.refused(409), "address");
    assert!(render(json!({})).await.ok()["server"].as_str().expect("address").starts_with("https://"));
    set(&server, "clients.https", json!("off")).await;
    assert!(render(json!({})).await.ok()["server"].as_str().expect("address").starts_with("http://"));
    agent.scan().await.expect("answered again");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_listener_with_tls_cannot_require_it() {
    let data = tempfile::tempdir().expect("folder");
    let mut settings = harness::settings(data.path());
    settings.listen.client_https = weir_server::config::Listen::Off;
    let server = Server::start_with(data, settings).await;
    let refused =
        server.call(Method::PUT, "settings/clients.https", Some(json!({ "value": "required", "force": true }))).await;
    assert_eq!(refused.refused(409), "no_tls");
    server.stop().await;
}
