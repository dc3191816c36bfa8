//! What the check of certificates says, each time of a server with one thing wrong.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SignatureAlgorithm,
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{harness::Server, tls};

/// An authority of a test's own.
pub(crate) struct Authority {
    /// Its certificate.
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).expect("params");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let (params, key) = (authority(name), KeyPair::generate().expect("key"));
        let pem = params.self_signed(&key).expect("signed").pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// One between it and others.
    fn below(&self, name: &str) -> Self {
        let (params, key) = (authority(name), KeyPair::generate().expect("key"));
        let pem = params.signed_by(&key, &self.issuer).expect("signed").pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// A certificate for a name, alone, and its key.
    pub(crate) fn leaf(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        self.leaf_with(name, &PKCS_ECDSA_P256_SHA256, change)
    }

    fn leaf_with(
        &self,
        name: &str,
        algorithm: &'static SignatureAlgorithm,
        change: impl FnOnce(&mut CertificateParams),
    ) -> (String, String) {
        let key = KeyPair::generate_for(algorithm).expect("key");
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("params");
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        change(&mut params);
        (params.signed_by(&key, &self.issuer).expect("signed").pem(), key.serialize_pem())
    }
}

const NAME: &str = "wsus.example.org";

/// A server that is called [`NAME`] and shows this certificate.
async fn named(pair: &(String, String)) -> Server {
    let server = tls::start(pair, |_| ()).await;
    server.call(Method::PUT, "settings/server.name", Some(json!({ "value": NAME }))).await.ok();
    server
}

async fn check(server: &Server, body: Value) -> Value {
    server.post("tls/check", body).await.ok()
}

/// The findings about what computers see that are worse than a note, by severity and code.
fn bad(checked: &Value) -> Vec<(&str, &str)> {
    let findings = checked["addresses"][0]["findings"].as_array().expect("findings");
    let bad = findings.iter().filter(|finding| matches!(finding["severity"].as_str(), Some("error" | "warning")));
    bad.map(|finding| {
        assert!(finding["next_step"].is_string(), "{finding}");
        (finding["severity"].as_str().expect("text"), finding["code"].as_str().expect("text"))
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_certificate_is_said_to_be() {
    let root = Authority::new("Root");
    let between = root.below("Between");
    let (leaf, key) = between.leaf(NAME, |_| ());
    let server = named(&(leaf + &between.pem, key)).await;
    let checked = check(&server, json!({ "root": root.pem })).await;
    assert_eq!((&checked["errors"], &checked["warnings"]), (&json!(0), &json!(0)), "{checked}");
    let client = &checked["addresses"][0];
    assert!(client["url"].as_str().expect("url").starts_with("https://wsus.example.org:"), "{client}");
    assert_eq!((client["chain"].as_array().expect("chain").len(), &client["plane"]), (2, &json!("client")));
    for code in ["name", "validity", "chain", "trust", "windows", "protocol"] {
        let finding = client["findings"].as_array().expect("findings").iter().find(|one| one["code"] == code);
        assert_eq!(finding.expect(code)["severity"], "ok", "{code}: {client}");
    }
    // of another root it is said that it is another
    let other = check(&server, json!({ "root": Authority::new("Other").pem })).await;
    assert_eq!(bad(&other), [("error", "missing_intermediate")], "{other}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_intermediate_is_found_with_the_root_and_suspected_without() {
    let root = Authority::new("Root");
    let server = named(&root.below("Between").leaf(NAME, |_| ())).await;
    let sure = check(&server, json!({ "root": root.pem })).await;
    assert_eq!(bad(&sure), [("error", "missing_intermediate")], "{sure}");
    let suspected = check(&server, json!({})).await;
    assert_eq!(bad(&suspected), [("warning", "missing_intermediate")], "{suspected}");
    assert!(suspected.to_string().contains("CN=Between"), "{suspected}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_name_is_found() {
    let root = Authority::new("Root");
    let server = named(&root.leaf("other.example.org", |_| ())).await;
    let checked = check(&server, json!({ "root": root.pem })).await;
    assert_eq!(bad(&checked), [("error", "name")], "{checked}");
    assert!(checked.to_string().contains("it is for other.example.org"), "{checked}");

    // the name that the certificate is for, which computers are not told
    let port = server.endpoints.client_https.as_deref().and_then(|url| url.rsplit(':').next()).expect("port");
    let url = format!("https://other.example.org:{port}");
    let alias = check(&server, json!({ "url": url, "root": root.pem })).await;
    assert_eq!(bad(&alias), [("warning", "policy_name")], "{alias}");
    assert!(alias.to_string().contains("none of the names"), "{alias}");
    let elsewhere = check(&server, json!({ "url": "https://other.example.org:1", "root": root.pem })).await;
    assert!(elsewhere["addresses"][0]["findings"].to_string().contains("no listener of this server has the port"));
    for (body, code) in [
        (json!({ "url": "http://wsus.example.org:8530" }), "url"),
        (json!({ "url": "wsus" }), "url"),
        (json!({ "url": "https://wsus.example.org" }), "url"),
        (json!({ "root": "nonsense" }), "root"),
        (json!({ "host": "x" }), "body"),
    ] {
        assert_eq!(server.post("tls/check", body.clone()).await.refused(400), code, "{body}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_is_over_is_found_and_told_of() {
    let root = Authority::new("Root");
    let over = root.leaf(NAME, |params| params.not_after = rcgen::date_time_ymd(2021, 1, 1));
    let server = named(&over).await;
    let checked = check(&server, json!({ "root": root.pem })).await;
    assert_eq!(bad(&checked), [("error", "expired")], "{checked}");
    server.post("alert-evaluation", json!({})).await.ok();
    let alerts = server.get("alerts?state=open&kind=tls.expiring").await.ok();
    assert_eq!(alerts["items"][0]["severity"], "critical", "{alerts}");
    let shown = server.get("tls").await.ok();
    let client = &shown["certificates"][0];
    assert!(client["chain"][0]["days_left"].as_i64().is_some_and(|days| days < 0), "{client}");
    assert_eq!(client["warnings"][0], "it has ended");

    // closed by a new one, which is read although the one before is over
    tls::write(
        &weir_server::config::TlsFiles {
            certificate: server.data.path().join("chain.pem"),
            key: server.data.path().join("chain.key"),
        },
        &root.leaf(NAME, |_| ()),
    );
    server.post("tls/reload", json!({})).await.ok();
    tls::until(async || tls::open(&server, "tls.expiring").await.is_empty()).await;
    assert_eq!(check(&server, json!({ "root": root.pem })).await["errors"], 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rsa_certificate_leaves_old_windows_out() {
    let root = Authority::new("Root");
    let server = named(&root.leaf_with(NAME, &PKCS_RSA_SHA256, |_| ())).await;
    let checked = check(&server, json!({ "root": root.pem })).await;
    assert_eq!(bad(&checked), [("warning", "windows")], "{checked}");
    let windows = checked["addresses"][0]["windows"].as_array().expect("windows");
    let fits: Vec<&Value> = windows.iter().map(|one| &one["fits"]).collect();
    assert_eq!(fits, ["no", "no", "no", "yes", "yes"], "{checked}");
    let warnings = server.get("tls").await.ok()["certificates"][0]["warnings"].to_string();
    assert!(warnings.contains("Windows 8.1"), "{warnings}");
    server.stop().await;
}
