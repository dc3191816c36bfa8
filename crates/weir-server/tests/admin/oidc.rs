//! Signing in at a provider of OpenID Connect that is not ours.

use std::collections::BTreeMap;

use reqwest::{Certificate, Client, Method, Response};
use serde_json::{Value, json};
use weir_server::config::Oidc;
use weir_testkit::oidc::{CLIENT, Provider};

use crate::harness::{Server, settings};

/// Where browsers reach the server, by its settings. Nobody looks the name up: the test brings it to the real listener.
const URL: &str = "https://weir.test";

/// A browser without anything that a browser shows: it keeps cookies by host and follows where it is sent.
struct Browser<'s> {
    server: &'s Server,
    http: Client,
    cookies: BTreeMap<(String, String), String>,
}

impl<'s> Browser<'s> {
    fn new(server: &'s Server, provider: &Provider) -> Self {
        let pem = |path: &std::path::Path| Certificate::from_pem(&std::fs::read(path).expect("read")).expect("PEM");
        let http = Client::builder()
            .tls_certs_only([pem(&server.data.path().join("tls/ca.pem")), pem(&provider.certificate())])
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("client");
        Self { server, http, cookies: BTreeMap::new() }
    }

    /// Goes to an address; that of the settings is the server's.
    async fn go(&mut self, url: &str) -> Response {
        let url = url.strip_prefix(URL).map_or_else(|| url.to_owned(), |path| self.server.admin(path));
        let parsed = reqwest::Url::parse(&url).expect("an address");
        let host = format!("{}:{}", parsed.host_str().expect("a host"), parsed.port().expect("a port"));
        let own = self.cookies.iter().filter(|((of, _), _)| *of == host);
        let cookies: Vec<String> = own.map(|((_, name), value)| format!("{name}={value}")).collect();
        let request = self.http.get(parsed).header("cookie", cookies.join("; "));
        let response = request.send().await.expect("answer");
        for value in response.headers().get_all("set-cookie") {
            let text = value.to_str().expect("text");
            let (name, value) = text.split(';').next().expect("pair").split_once('=').expect("pair");
            if text.contains("Max-Age=0") || value.is_empty() {
                self.cookies.remove(&(host.clone(), name.to_owned()));
            } else {
                self.cookies.insert((host.clone(), name.to_owned()), value.to_owned());
            }
        }
        response
    }

    /// Begins to sign in and goes wherever the provider sends it, up to the address with which it comes back.
    async fn leave(&mut self) -> String {
        let mut at = format!("{URL}/sign-in/oidc");
        for _ in 0..10 {
            let response = self.go(&at).await;
            assert!(response.status().is_redirection(), "{at}: {}", response.status());
            let location = response.headers()["location"].to_str().expect("text").to_owned();
            let base = reqwest::Url::parse(&at).expect("an address");
            at = base.join(&location).expect("an address").to_string();
            if at.starts_with(&format!("{URL}/sign-in/oidc/callback")) {
                return at;
            }
        }
        panic!("the provider sends the browser round and round: {at}");
    }

    /// The same, and comes back.
    async fn sign_in(&mut self) -> Response {
        let back = self.leave().await;
        self.go(&back).await
    }

    /// Who the server takes it for.
    async fn session(&mut self) -> Value {
        let response = self.go(&format!("{URL}/api/v1/session")).await;
        Server::answer(response).await.body
    }
}

async fn become_person(server: &Server, provider: &Provider, name: &str) {
    let browser = Browser::new(server, provider);
    let answer = browser.http.get(format!("{}/as/{name}", provider.issuer)).send().await.expect("answer");
    assert_eq!(answer.status(), 200);
}

async fn map(server: &Server, group: &str, granted: Value) {
    server.call(Method::PUT, &format!("group-mappings/{group}"), Some(granted)).await.ok();
}

async fn start() -> (Server, Provider) {
    let provider = Provider::start(&format!("{URL}/sign-in/oidc/callback"));
    let data = tempfile::tempdir().expect("folder");
    let mut settings = settings(data.path());
    settings.oidc = Some(Oidc {
        issuer: provider.issuer.clone(),
        client_id: CLIENT.to_owned(),
        client_secret_file: Some(provider.secret_file()),
        scopes: vec!["profile".to_owned(), "groups".to_owned()],
        name_claim: "preferred_username".to_owned(),
        groups_claim: "groups".to_owned(),
        ca: Some(provider.certificate()),
        url: Some(URL.to_owned()),
    });
    (Server::start_with(data, settings).await, provider)
}

#[tokio::test]
async fn groups_of_the_provider_give_roles() {
    let (server, provider) = start().await;
    server.post("collections", json!({ "name": "Ring" })).await.ok();
    // nobody has given a role to anybody
    let mut browser = Browser::new(&server, &provider);
    let refused = browser.sign_in().await;
    assert_eq!(refused.status(), 403);
    let text = refused.text().await.expect("text");
    assert!(text.contains("patch-team") && text.contains("weir users map"), "it says what is missing: {text}");
    assert_eq!(browser.session().await["code"], "unauthorized");
    assert_eq!(server.get("users/alice").await.refused(404), "not_found");

    map(&server, "staff", json!({ "role": "read_only_analyst" })).await;
    map(&server, "patch-team", json!({ "role": "software_update_manager", "collections": ["Ring"] })).await;
    let mut browser = Browser::new(&server, &provider);
    let signed_in = browser.sign_in().await;
    assert_eq!(signed_in.status(), 200, "{}", signed_in.text().await.expect("text"));
    let session = browser.session().await;
    assert_eq!((&session["principal"], &session["display_name"]), (&json!("alice"), &json!("Alice A.")));
    assert_eq!((&session["role"], &session["proof"]), (&json!("software_update_manager"), &json!("session")));
    assert_eq!(session["collections"][0]["name"], "Ring");
    let user = server.get("users/alice").await.ok();
    assert_eq!((&user["issuer"], &user["subject"]), (&json!(provider.issuer), &json!("alice")));
    assert_eq!(user["password"], false);
    let reset = server.call(Method::PUT, "users/alice/password", Some(json!({}))).await;
    assert_eq!(reset.refused(409), "provided");
    assert_eq!(server.patch("users/alice", json!({ "role": "operator" })).await.refused(409), "provided");

    // what the groups give changes with the next sign-in
    map(&server, "patch-team", json!({ "role": "operator" })).await;
    let mut later = Browser::new(&server, &provider);
    assert_eq!(later.sign_in().await.status(), 200);
    let session = later.session().await;
    assert_eq!((&session["role"], &session["collections"]), (&json!("operator"), &json!([])));
    assert!(session["last_visit"].is_string(), "{session}");

    // a user is a subject of the provider: another of the same name is another user
    become_person(&server, &provider, "imposter").await;
    let mut other = Browser::new(&server, &provider);
    assert_eq!(other.sign_in().await.status(), 200);
    assert_eq!(other.session().await["principal"], "alice (2)");
    for who in ["stranger", "nobody"] {
        become_person(&server, &provider, who).await;
        assert_eq!(Browser::new(&server, &provider).sign_in().await.status(), 403, "{who}");
    }

    // disabled here is disabled, whatever the provider says
    server.patch("users/alice", json!({ "enabled": false })).await.ok();
    assert_eq!(later.session().await["code"], "unauthorized");
    become_person(&server, &provider, "alice").await;
    assert_eq!(Browser::new(&server, &provider).sign_in().await.status(), 403);
    server.stop().await;
}

#[tokio::test]
async fn a_sign_in_ends_in_the_browser_that_began_it_and_once() {
    let (server, provider) = start().await;
    map(&server, "staff", json!({ "role": "operator" })).await;
    let mut browser = Browser::new(&server, &provider);
    let back = browser.leave().await;
    // somebody else opens the address
    let mut other = Browser::new(&server, &provider);
    assert_eq!(other.go(&back).await.status(), 400);
    assert_eq!(other.session().await["code"], "unauthorized");
    // or somebody slips in another's code
    let changed = back.replace("state=", "state=x");
    assert_eq!(browser.go(&changed).await.status(), 400);
    let foreign = back.replace("iss=https", "iss=http");
    assert_ne!(foreign, back, "the provider says who it is: {back}");
    assert_eq!(browser.go(&foreign).await.status(), 400);
    let refused = browser.go(&format!("{}&error=access_denied", back.replace("code=", "kode="))).await;
    assert_eq!(refused.status(), 403);
    assert_eq!(browser.go(&back).await.status(), 200);
    assert_eq!(browser.session().await["principal"], "alice");
    assert_eq!(browser.go(&back).await.status(), 400, "the attempt is over");
    server.stop().await;
}

#[tokio::test]
async fn without_a_provider_there_is_nothing_to_sign_in_at() {
    let server = Server::start().await;
    for path in ["/sign-in/oidc", "/sign-in/oidc/callback?code=x&state=y"] {
        let answer = server.http.get(server.admin(path)).send().await.expect("answer");
        assert_eq!(answer.status(), 404, "{path}");
        assert!(answer.headers().get("set-cookie").is_none());
    }
    server.stop().await;
}
