//! Administrators who prove who they are by a certificate.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256,
};
use reqwest::{Certificate, Client, Identity, Method, StatusCode};
use serde_json::json;

use crate::harness::{Server, settings};

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key")
}

/// An authority, and what signs for it.
fn authority() -> (String, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::new(Vec::new()).expect("params");
    params.distinguished_name.push(DnType::CommonName, "People");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = key();
    let pem = params.self_signed(&key).expect("certificate").pem();
    (pem, Issuer::new(params, key))
}

/// A certificate of a person, and the same with its key.
fn person(issuer: &Issuer<'_, KeyPair>, name: &str) -> (String, Identity) {
    let mut params = CertificateParams::new(Vec::new()).expect("params");
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = key();
    let pem = params.signed_by(&key, issuer).expect("certificate").pem();
    let identity = Identity::from_pem(format!("{pem}{}", key.serialize_pem()).as_bytes()).expect("identity");
    (pem, identity)
}

fn client(server: &Server, identity: Identity) -> Client {
    let ca = std::fs::read(server.data.path().join("tls/ca.pem")).expect("ca.pem");
    let ca = Certificate::from_pem(&ca).expect("certificate");
    Client::builder().tls_certs_only([ca]).identity(identity).build().expect("client")
}

#[tokio::test]
async fn a_registered_certificate_is_its_user() {
    let data = tempfile::tempdir().expect("folder");
    let (authority_pem, issuer) = authority();
    let file = data.path().join("people.pem");
    std::fs::write(&file, authority_pem).expect("written");
    let mut settings = settings(data.path());
    settings.client_ca = Some(file);
    let server = Server::start_with(data, settings).await;
    let user = json!({ "name": "alice", "role": "software_update_manager", "password": "words for a beginning" });
    server.post("users", user).await.ok();
    let (pem, identity) = person(&issuer, "Alice");
    let alice = client(&server, identity);
    let url = |path: &str| server.admin(&format!("/api/v1/{path}"));
    let nobody = alice.get(url("session")).send().await.expect("answer");
    assert_eq!(nobody.status(), 401, "an authority vouches for a name, not for a right");
    // whoever has no certificate comes in as before
    server.get("session").await.ok();

    let added = server.post("users/alice/certificates", json!({ "pem": pem })).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.body);
    assert!(added.body["subject"].as_str().expect("subject").contains("Alice"));
    assert_eq!(server.post("users/alice/certificates", json!({ "pem": pem })).await.refused(409), "exists");
    assert_eq!(server.post("users/alice/certificates", json!({ "pem": "x" })).await.refused(400), "pem");
    let session = alice.get(url("session")).send().await.expect("answer");
    let session = Server::answer(session).await.ok();
    assert_eq!((&session["principal"], &session["proof"]), (&json!("alice"), &json!("certificate")));
    // she was never asked for the password of her first day: that has to be changed first
    let body = json!({ "name": "Ring" });
    let early = alice.post(url("collections")).json(&body).send().await.expect("answer");
    assert_eq!(Server::answer(early).await.refused(403), "password_change");
    let change = json!({ "current": "words for a beginning", "password": "words for the next day" });
    let changed = alice.put(url("session/password")).json(&change).send().await.expect("answer");
    assert_eq!(changed.status(), StatusCode::NO_CONTENT);
    // browsers show certificates to pages of other sites, too
    for site in ["cross-site", "same-site"] {
        let foreign = alice.post(url("collections")).header("sec-fetch-site", site).json(&body).send().await;
        assert!([401, 403].contains(&foreign.expect("answer").status().as_u16()), "{site}");
    }
    let made = alice.post(url("collections")).json(&body).send().await.expect("answer");
    assert_eq!(made.status(), StatusCode::CREATED);
    let audit = server.get("audit?actor=alice&action=collection.create").await.ok();
    assert_eq!(audit["items"][0]["proof"], "certificate");

    // the same authority, another certificate; and another authority
    let (_, other) = person(&issuer, "Alice");
    assert_eq!(client(&server, other).get(url("session")).send().await.expect("answer").status(), 401);
    let (_, foreign) = authority();
    let (_, stranger) = person(&foreign, "Alice");
    assert!(client(&server, stranger).get(url("session")).send().await.is_err(), "the handshake fails");

    let fingerprint = added.body["fingerprint"].as_str().expect("text").to_lowercase();
    let removed = server.call(Method::DELETE, &format!("users/alice/certificates/{fingerprint}"), None).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    assert_eq!(alice.get(url("session")).send().await.expect("answer").status(), 401);
    server.stop().await;
}
