//! The way out: proxies, own roots, pinned certificates.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{Arc, mpsc},
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use weir_server::sync::{
    outbound::{self, ClientTerms, OutboundError, Purpose, Trust, untrusted},
    peer::{PeerError, Upstream as Source},
    progress::Progress,
};
use weir_testkit::upstream::Upstream;

use super::support::*;

/// An authority and a server with a certificate of it for localhost.
struct Secured {
    url: String,
    authority_pem: String,
    authority_sha256: [u8; 32],
    leaf_sha256: [u8; 32],
}

async fn secured() -> Secured {
    let mut params = CertificateParams::new(Vec::new()).expect("params");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "Test Root Nobody Has");
    let key = KeyPair::generate().expect("key");
    let authority = params.self_signed(&key).expect("authority");
    let issuer = Issuer::new(params, key);
    let leaf_key = KeyPair::generate().expect("key");
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).expect("params");
    let leaf = leaf.signed_by(&leaf_key, &issuer).expect("leaf");
    let chain = vec![leaf.der().clone(), authority.der().clone()];
    let config = rustls::ServerConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::try_from(leaf_key.serialize_der()).expect("key"))
        .expect("config");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("port");
    let url = format!("https://localhost:{}", tcp.local_addr().expect("address").port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = tcp.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut buffer = [0; 4_096];
                let _ = stream.read(&mut buffer).await;
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await;
                let _ = stream.shutdown().await;
            });
        }
    });
    let digest = |der: &CertificateDer<'_>| Sha256::digest(der).into();
    Secured {
        url,
        authority_pem: authority.pem(),
        authority_sha256: digest(authority.der()),
        leaf_sha256: digest(leaf.der()),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02X}").expect("a string takes it");
        text
    })
}

async fn get(downstream: &Downstream, trust: Trust, url: &str) -> Result<u16, reqwest::Error> {
    let terms = ClientTerms { trust, ..Purpose::Sync.into() };
    let client = outbound::client(&downstream.app, terms).await.expect("client");
    Ok(client.get(url).send().await?.status().as_u16())
}

#[tokio::test]
async fn an_unknown_root_is_named_with_its_fingerprints_and_the_setting() {
    let server = secured().await;
    let downstream = Downstream::new().await;
    let error = get(&downstream, Trust::System, &server.url).await.expect_err("not trusted");
    let chain = untrusted(&error).expect("a matter of trust").to_string();
    for part in ["localhost", "Test Root Nobody Has", "SHA-1", &hex(&server.authority_sha256), "sync.ca_file"] {
        assert!(chain.contains(part), "{part} in {chain}");
    }
    // a session says the same, and that waiting does not help
    let error = weir_server::sync::peer::Peer::connect(
        &downstream.app,
        &Source::at(&server.url).expect("address"),
        &Progress::new(),
    )
    .await
    .expect_err("not trusted");
    assert!(matches!(&error, PeerError::Untrusted(_)), "{error:?}");
    assert_eq!((error.code(), error.is_transient()), ("untrusted", false));
}

#[tokio::test]
async fn a_root_in_the_file_of_the_setting_is_trusted() {
    let server = secured().await;
    let downstream = Downstream::new().await;
    let path = downstream.data.path().join("root.pem");
    std::fs::write(&path, &server.authority_pem).expect("writes");
    downstream.set("sync.ca_file", json!(path));
    assert_eq!(get(&downstream, Trust::System, &server.url).await.expect("trusted"), 204);
    for (text, words) in [(None, "No such file"), (Some("no PEM"), "holds no certificate")] {
        match text {
            Some(text) => std::fs::write(&path, text).expect("writes"),
            None => std::fs::remove_file(&path).expect("removes"),
        }
        let error = outbound::client(&downstream.app, Purpose::Sync).await.expect_err("unusable");
        assert!(matches!(&error, OutboundError::CaFile { .. }), "{error}");
        assert!(error.to_string().contains(words) && error.to_string().contains("sync.ca_file"), "{error}");
    }
}

#[tokio::test]
async fn exactly_one_authority_or_certificate_can_be_trusted() {
    let (server, other) = (secured().await, secured().await);
    let downstream = Downstream::new().await;
    let good = [
        Trust::Authority(server.authority_pem.clone()),
        Trust::Fingerprint(server.leaf_sha256),
        Trust::Fingerprint(server.authority_sha256),
    ];
    for trust in good {
        assert_eq!(get(&downstream, trust.clone(), &server.url).await.expect("trusted"), 204, "{trust:?}");
        assert!(get(&downstream, trust, &other.url).await.is_err());
    }
    // by its fingerprint a server is known under any name
    let by_address = server.url.replace("localhost", "127.0.0.1");
    assert_eq!(get(&downstream, Trust::Fingerprint(server.leaf_sha256), &by_address).await.expect("trusted"), 204);
    assert!(get(&downstream, Trust::Authority(server.authority_pem), &by_address).await.is_err());
}

/// A proxy that passes on what it gets, and the heads of the requests.
fn proxy(target: std::net::SocketAddr) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let url = format!("http://{}", listener.local_addr().expect("address"));
    let (heads, seen) = mpsc::channel();
    std::thread::spawn(move || {
        while let Ok((mut client, _)) = listener.accept() {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|read| read == 1) {
                head.extend(byte);
            }
            let head = String::from_utf8(head).expect("text");
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            client.read_exact(&mut body).expect("body");
            // origin form, one request per connection
            let start = head.find("http://").expect("absolute form");
            let path = head[start + 7..].find('/').expect("path") + start + 7;
            let passed =
                format!("{}{}", &head[..start], &head[path..]).replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
            let mut server = std::net::TcpStream::connect(target).expect("target");
            server.write_all(passed.as_bytes()).expect("head");
            server.write_all(&body).expect("body");
            let mut answer = Vec::new();
            let _ = server.read_to_end(&mut answer);
            // said to the client as well, which else goes on with this connection
            let line = answer.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            answer.splice(line..line, *b"connection: close\r\n");
            let _ = client.write_all(&answer);
            if heads.send(head).is_err() {
                return;
            }
        }
    });
    (url, seen)
}

#[tokio::test]
async fn the_proxy_is_used_as_the_settings_say() {
    let upstream = Upstream::start(served([software(10, 1)]));
    let downstream = Downstream::new().await;
    let (url, heads) = proxy(upstream.address());
    downstream.set("proxy.url", json!(url));
    // nobody answers there: only the proxy reaches the upstream
    let unreachable = "http://upstream.invalid:8530";
    downstream.try_sync(unreachable).await.expect("synchronizes through the proxy");
    let plain: Vec<String> = heads.try_iter().collect();
    assert!(plain.len() >= 7 && plain.iter().all(|head| head.starts_with("POST http://upstream.invalid:8530/")));
    assert!(plain.iter().all(|head| !head.to_ascii_lowercase().contains("proxy-authorization")));
    downstream.set("proxy.user", json!("site"));
    downstream.set("proxy.password", json!("pass word"));
    downstream.try_sync(unreachable).await.expect("synchronizes through the proxy");
    let named: Vec<String> = heads.try_iter().collect();
    // base64 of "site:pass word"
    assert!(named.iter().all(|head| head.contains("Basic c2l0ZTpwYXNzIHdvcmQ=")), "{named:?}");
    downstream.set("proxy.sync", json!(false));
    assert_eq!(downstream.try_sync(unreachable).await.expect_err("directly").code(), "network");
    downstream.sync(&upstream).await;
    assert_eq!(heads.try_iter().count(), 0);
}
