//! Where the server plane and the site link exist, and where they do not.

use std::sync::Arc;

use parking_lot::Mutex;
use rustls::{ClientConfig, client::ResolvesClientCert, crypto::aws_lc_rs, sign::CertifiedKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use serde_json::json;
use tokio::{io::AsyncReadExt as _, io::AsyncWriteExt as _, net::TcpStream};
use tokio_rustls::TlsConnector;
use weir_server::{Options, config};
use weir_testkit::engine;

use super::harness::Server;

const LINK: &[u8] = b"weir-link/1";

/// Has a certificate and notes whether it was asked for it.
#[derive(Debug)]
struct Asked {
    key: Arc<CertifiedKey>,
    times: Mutex<u32>,
}

impl ResolvesClientCert for Asked {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        *self.times.lock() += 1;
        Some(Arc::clone(&self.key))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn identity() -> Arc<Asked> {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("key");
    let certificate = rcgen::CertificateParams::new(Vec::new()).expect("params").self_signed(&pair).expect("signed");
    let key = PrivateKeyDer::try_from(pair.serialize_der()).expect("key");
    let key = CertifiedKey::from_der(vec![certificate.der().clone()], key, &aws_lc_rs::default_provider());
    Arc::new(Asked { key: Arc::new(key.expect("pair")), times: Mutex::new(0) })
}

/// Speaks to an `https://` address with these protocols; gives status line and body, or why the handshake failed.
async fn ask(
    server: &Server,
    url: &str,
    alpn: &[&[u8]],
    identity: Option<&Arc<Asked>>,
    request: &str,
) -> Result<String, String> {
    let pem = std::fs::read(server.data.path().join("tls/ca.pem")).expect("ca.pem");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&pem).expect("certificate")).expect("root");
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    let mut config = match identity {
        Some(identity) => builder.with_client_cert_resolver(Arc::clone(identity) as Arc<dyn ResolvesClientCert>),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let address = url.strip_prefix("https://").expect("https");
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let name = "localhost".try_into().expect("name");
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, stream).await.map_err(|error| error.to_string())?;
    let request = format!("{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    let mut answer = String::new();
    // with TLS 1.3 a missing certificate shows with the first read
    stream.read_to_string(&mut answer).await.map_err(|error| error.to_string())?;
    if answer.is_empty() { Err("the connection was closed".to_owned()) } else { Ok(answer) }
}

/// Asks the server plane over plain HTTP.
async fn soap(server: &Server, url: &str) -> u16 {
    let url = format!("{url}/ServerSyncWebService/ServerSyncWebService.asmx");
    let request = server.http.post(url).header("content-type", "text/xml; charset=utf-8").body("<x/>");
    request.send().await.expect("answer").status().as_u16()
}

async fn first_site(server: &Server) -> String {
    server.post("sites", json!({ "name": "PRI1", "kind": "primary" })).await.ok();
    let code = server.post("sites/PRI1/enrolment", json!({})).await.ok();
    code["code"].as_str().expect("code").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_plane_is_off_until_the_first_code() {
    let server = Server::start().await;
    let https = server.endpoints.client_https.clone().expect("https");
    let identity = identity();
    assert_eq!(server.endpoints.server, None);
    assert_eq!(soap(&server, server.client()).await, 404);
    let refused = ask(&server, &https, &[LINK], Some(&identity), "GET /link/v1/feed?since=0").await;
    assert!(refused.is_err(), "{refused:?}");

    first_site(&server).await;
    assert_ne!(soap(&server, server.client()).await, 404);
    let text = std::fs::read(server.data.path().join("endpoints.json")).expect("endpoints.json");
    let endpoints: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    assert_eq!(endpoints["server"], https);
    assert_eq!(server.get("status").await.ok()["endpoints"]["server"], https);

    // and it is on again after a restart, since a code waits
    let server = Server::start_in(server.stop().await).await;
    assert_ne!(soap(&server, server.client()).await, 404);
    assert_eq!(server.endpoints.server, server.endpoints.client_https);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_site_link_asks_for_a_certificate() {
    let server = Server::start().await;
    first_site(&server).await;
    let https = server.endpoints.client_https.clone().expect("https");
    let identity = identity();

    // computers, with and without a protocol of theirs
    for alpn in [&[][..], &[b"http/1.1".as_slice()], &[b"h2".as_slice(), b"http/1.1".as_slice()]] {
        let answer = ask(&server, &https, alpn, Some(&identity), "GET /link/v1/feed?since=0").await.expect("answer");
        assert!(answer.starts_with("HTTP/1.1 404"), "the link is nowhere else: {answer}");
    }
    assert_eq!(*identity.times.lock(), 0, "nobody was asked for a certificate");

    let without = ask(&server, &https, &[LINK], None, "GET /link/v1/feed?since=0").await;
    assert!(without.is_err(), "{without:?}");
    let stranger = ask(&server, &https, &[LINK], Some(&identity), "GET /link/v1/feed?since=0").await.expect("answer");
    assert_eq!(*identity.times.lock(), 1);
    assert!(stranger.starts_with("HTTP/1.1 409") && stranger.contains("not_enrolled"), "{stranger}");
    for request in ["GET /link/v1/notify?feed=0&catalogue=0", "POST /link/v1/status"] {
        let stranger = ask(&server, &https, &[LINK], Some(&identity), request).await.expect("answer");
        assert!(stranger.contains("not_enrolled"), "{request}: {stranger}");
    }
    // no plane but the one of servers
    for path in ["/SelfUpdate/wuident.cab", "/ClientWebService/client.asmx", "/api/v1/status", "/metrics"] {
        let answer = ask(&server, &https, &[LINK], Some(&identity), &format!("GET {path}")).await.expect("answer");
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_of_its_own_takes_the_server_plane_from_the_others() {
    let data = tempfile::tempdir().expect("folder");
    let free = Some("127.0.0.1:0".to_owned());
    let options = Options {
        data: Some(data.path().to_owned()),
        client_http: free.clone(),
        client_https: free.clone(),
        admin: free.clone(),
        server: free,
        database: engine::database(data.path()),
        ..Options::default()
    };
    let settings = config::load(&options, &|_| None).expect("settings");
    let server = Server::start_with(data, settings).await;
    let own = server.endpoints.server.clone().expect("listener");
    let plain = own.replace("https://", "http://");
    first_site(&server).await;

    assert_eq!(soap(&server, server.client()).await, 404, "not where computers are");
    let https = server.endpoints.client_https.clone().expect("https");
    let identity = identity();
    assert!(ask(&server, &https, &[LINK], Some(&identity), "GET /link/v1/feed?since=0").await.is_err());

    // with TLS and without on one address
    assert_ne!(soap(&server, &plain).await, 404);
    let answer = ask(&server, &own, &[], None, "GET /ServerSyncWebService/ServerSyncWebService.asmx").await;
    assert!(answer.expect("answer").starts_with("HTTP/1.1 405"));
    let answer = ask(&server, &own, &[LINK], Some(&identity), "GET /link/v1/feed?since=0").await;
    assert!(answer.expect("answer").contains("not_enrolled"));
    let answer = ask(&server, &own, &[], None, "GET /ClientWebService/client.asmx").await;
    assert!(answer.expect("answer").starts_with("HTTP/1.1 404"), "no computers there");
    server.stop().await;
}
