//! Signing in at a provider of OpenID Connect: authorization code flow with PKCE.
//!
//! What one attempt needs (state, nonce, verifier) is derived from a secret in a cookie of the browser that began it and from the
//! key that seals cookies now, so that nothing is stored for attempts and no other browser can end one. Users are known by issuer and
//! subject, never by a name or an address, which others may come to have.

mod attempt;

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse as _,
    core::{CoreAuthenticationFlow, CoreClient, CoreJwsSigningAlgorithm, CoreProviderMetadata},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;
use weir_model::{
    ids::Sha256Digest,
    rights::{Grant, combined},
};
use weir_store::{WriteTx, user as stored};

pub(crate) use self::attempt::no_cookie;
use self::attempt::{ATTEMPT, Attempt};
use super::{Caller, session, user};
use crate::{
    admin::{
        AdminError, App,
        auth::{hash, secret},
        chain,
        collection::Tree,
    },
    config::Oidc,
    sync::outbound::{self, ClientTerms, Purpose, Trust},
};

/// How long the description of the provider is kept.
const KEPT: Duration = Duration::from_mins(10);
/// How long the provider may take for an answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes of an answer of the provider.
const LARGEST: usize = 1 << 20;
/// Groups of a user that are looked at.
const MOST_GROUPS: usize = 2_000;
/// Signatures that prove who signed: none by a secret that this server has, too.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 8] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
];

/// What is kept of the provider.
#[derive(Default)]
pub(crate) struct Provider {
    known: tokio::sync::Mutex<Option<(Instant, Arc<CoreProviderMetadata>)>>,
}

/// Why nobody is signed in. The text is for the person before the browser.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    /// The administrator has not named a provider.
    #[error("this server has no provider of OpenID Connect")]
    Off,
    /// The attempt is not one of this browser, or took too long.
    #[error("this sign-in did not begin in this browser, or took longer than {} minutes", ATTEMPT.as_mins())]
    Attempt,
    /// The provider said no.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// Nothing is known of any of the user's groups.
    #[error("{name} may not use this server: {}", without(.groups))]
    Unmapped {
        /// Who.
        name: String,
        /// The groups that the provider told.
        groups: Vec<String>,
    },
    /// A full administrator disabled the user.
    #[error("{0} is disabled on this server")]
    Disabled(String),
    /// Something does not work. The text goes to the log.
    #[error("{0}")]
    Broken(String),
    /// This server's own fault.
    #[error(transparent)]
    Server(#[from] AdminError),
}

fn without(groups: &[String]) -> String {
    if groups.is_empty() {
        return "the provider told no groups of this user (setting oidc.groups_claim of weir.toml)".to_owned();
    }
    let shown: Vec<&str> = groups.iter().take(20).map(String::as_str).collect();
    format!("no group of this user was given a role: {} (weir users map GROUP --role ROLE)", shown.join(", "))
}

fn broken(what: &str, error: &dyn std::error::Error) -> SignInError {
    SignInError::Broken(format!("{what}: {}", chain(error)))
}

/// What the values of attempts are derived with: the same at every front end, so that a browser may come back to another one.
async fn key(app: &App) -> Result<[u8; 32], AdminError> {
    let newest = app.read(|tx| {
        let keys = tx.keys_list()?;
        Ok(keys.into_iter().next().map(|key| key.secret))
    });
    let newest = newest.await?.ok_or_else(|| AdminError::Internal("there is no key of cookies".to_owned()))?;
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &newest), b"attempts to sign in with OpenID Connect");
    let mut key = [0; 32];
    key.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
    Ok(key)
}

fn configured(app: &App) -> Result<&Oidc, SignInError> {
    app.process.oidc.as_ref().ok_or(SignInError::Off)
}

/// Calls the provider: the system's trust and proxy, or the authorities that the settings name alone.
async fn http(app: &App, settings: &Oidc) -> Result<reqwest::Client, SignInError> {
    let trust = match &settings.ca {
        Some(path) => {
            let pem = crate::file::small_text(path).map_err(|error| broken("oidc.ca", &error))?;
            Trust::Authority(pem)
        }
        None => Trust::System,
    };
    let terms = ClientTerms { trust, ..ClientTerms::from(Purpose::Sync) };
    outbound::client(app, terms).await.map_err(|error| broken("the provider cannot be called", &error))
}

/// Why the provider gave no answer.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error("the provider did not answer")]
    Http(#[from] reqwest::Error),
    #[error("the answer of the provider has more than {LARGEST} bytes")]
    Large,
    #[error("the provider took longer than {} s", PATIENCE.as_secs())]
    Slow,
    #[error("the answer of the provider is none")]
    Answer(#[from] http::Error),
}

async fn call(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, CallError> {
    let request = reqwest::Request::try_from(request)?;
    let answer = async {
        let mut response = http.execute(request).await?;
        let mut built = http::Response::builder().status(response.status());
        for (name, value) in response.headers() {
            built = built.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await? {
            if body.len() + piece.len() > LARGEST {
                return Err(CallError::Large);
            }
            body.extend_from_slice(&piece);
        }
        Ok(built.body(body)?)
    };
    tokio::time::timeout(PATIENCE, answer).await.map_err(|_| CallError::Slow)?
}

/// What the provider says of itself.
async fn description(app: &App, settings: &Oidc) -> Result<Arc<CoreProviderMetadata>, SignInError> {
    let mut known = app.shared().provider.known.lock().await;
    if let Some((at, metadata)) = known.as_ref().filter(|(at, _)| at.elapsed() < KEPT) {
        tracing::debug!(seconds = at.elapsed().as_secs(), "the description of the provider is still good");
        return Ok(Arc::clone(metadata));
    }
    let client = http(app, settings).await?;
    let issuer = IssuerUrl::new(settings.issuer.clone()).map_err(|error| broken("oidc.issuer", &error))?;
    let caller = |request: HttpRequest| call(client.clone(), request);
    let metadata = CoreProviderMetadata::discover_async(issuer, &caller).await;
    let metadata = metadata.map_err(|error| broken("the provider does not describe itself", &error))?;
    let metadata = Arc::new(metadata);
    *known = Some((Instant::now(), Arc::clone(&metadata)));
    Ok(metadata)
}

fn redirect(app: &App, settings: &Oidc) -> Result<RedirectUrl, SignInError> {
    let base = settings.url.as_deref().or(app.endpoints.admin.as_deref()).unwrap_or_default();
    RedirectUrl::new(format!("{base}/sign-in/oidc/callback")).map_err(|error| broken("oidc.url", &error))
}

fn client_secret(settings: &Oidc) -> Result<Option<ClientSecret>, SignInError> {
    let Some(path) = &settings.client_secret_file else { return Ok(None) };
    let text = crate::file::small_text(path).map_err(|error| broken("oidc.client_secret_file", &error))?;
    Ok(Some(ClientSecret::new(text.trim().to_owned())))
}

/// Where to send a browser, and the cookie that it is to bring back.
pub(crate) async fn begin(app: &App) -> Result<(String, HeaderValue), SignInError> {
    let settings = configured(app)?;
    let metadata = description(app, settings).await?;
    let (attempt, key) = (Attempt::new(Timestamp::now())?, key(app).await?);
    let client = CoreClient::from_provider_metadata(
        CoreProviderMetadata::clone(&metadata),
        ClientId::new(settings.client_id.clone()),
        client_secret(settings)?,
    )
    .set_redirect_uri(redirect(app, settings)?);
    let verifier = PkceCodeVerifier::new(attempt.derived(&key, "verifier"));
    let (state, nonce) = (attempt.derived(&key, "state"), attempt.derived(&key, "nonce"));
    let mut request = client.authorize_url(
        CoreAuthenticationFlow::AuthorizationCode,
        move || CsrfToken::new(state),
        move || Nonce::new(nonce),
    );
    for scope in &settings.scopes {
        request = request.add_scope(Scope::new(scope.clone()));
    }
    let (url, ..) = request.set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier)).url();
    Ok((url.to_string(), attempt.cookie()?))
}

/// What the provider sends a browser back with.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Callback {
    code: String,
    state: String,
    error: Option<String>,
    error_description: Option<String>,
    iss: Option<String>,
}

/// Who a user is, as the provider has it.
#[derive(Debug, Eq, PartialEq)]
struct Person {
    issuer: String,
    subject: String,
    name: String,
    display_name: String,
    groups: Vec<String>,
}

/// Ends an attempt: begins a session, whose cookie it returns.
pub(crate) async fn finish(
    app: &App,
    headers: &HeaderMap,
    callback: Callback,
    from: Option<String>,
) -> Result<HeaderValue, SignInError> {
    let settings = configured(app)?;
    let (now, key) = (Timestamp::now(), key(app).await?);
    let attempt = Attempt::read(headers, now).ok_or(SignInError::Attempt)?;
    let state = attempt.derived(&key, "state");
    if !bool::from(state.as_bytes().ct_eq(callback.state.as_bytes())) {
        return Err(SignInError::Attempt);
    }
    // RFC 9207: who mixes providers up says so here
    if callback.iss.is_some_and(|issuer| issuer != settings.issuer) {
        return Err(SignInError::Attempt);
    }
    if let Some(error) = callback.error {
        let words = callback.error_description.unwrap_or(error);
        return Err(SignInError::Refused(words.chars().filter(|c| !c.is_control()).take(200).collect()));
    }
    let person = person(app, settings, &attempt, &key, callback.code).await?;
    let fresh = secret()?;
    let ends = enter(app, person, hash(&fresh), from).await?;
    Ok(session::cookie(&fresh, ends, now)?)
}

/// Exchanges the code and checks all that came for it.
async fn person(
    app: &App,
    settings: &Oidc,
    attempt: &Attempt,
    key: &[u8; 32],
    code: String,
) -> Result<Person, SignInError> {
    let metadata = description(app, settings).await?;
    let http = http(app, settings).await?;
    let caller = |request: HttpRequest| call(http.clone(), request);
    let client = CoreClient::from_provider_metadata(
        CoreProviderMetadata::clone(&metadata),
        ClientId::new(settings.client_id.clone()),
        client_secret(settings)?,
    )
    .set_redirect_uri(redirect(app, settings)?);
    let exchange = client
        .exchange_code(AuthorizationCode::new(code))
        .map_err(|error| broken("the provider has no address for tokens", &error))?
        .set_pkce_verifier(PkceCodeVerifier::new(attempt.derived(key, "verifier")));
    let token = exchange.request_async(&caller).await.map_err(|error| broken("the code was not taken", &error))?;
    let (issuer, subject, mut claims) = {
        let wrong = |error: &dyn std::error::Error| broken("the ID token is not valid", error);
        let id_token = token.id_token().ok_or_else(|| SignInError::Broken("there is no ID token".to_owned()))?;
        let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS);
        let nonce = Nonce::new(attempt.derived(key, "nonce"));
        let checked = id_token.claims(&verifier, &nonce).map_err(|error| wrong(&error))?;
        if let Some(expected) = checked.access_token_hash() {
            let algorithm = id_token.signing_alg().map_err(|error| wrong(&error))?;
            let signing_key = id_token.signing_key(&verifier).map_err(|error| wrong(&error))?;
            let actual = AccessTokenHash::from_token(token.access_token(), algorithm, signing_key);
            if actual.map_err(|error| wrong(&error))? != *expected {
                return Err(SignInError::Broken("the access token is not that of the ID token".to_owned()));
            }
        }
        // what was checked, read again for the claims that the library does not know
        let payload = payload(&id_token.to_string());
        let payload = payload.ok_or_else(|| SignInError::Broken("the ID token cannot be read".to_owned()))?;
        (checked.issuer().to_string(), checked.subject().to_string(), payload)
    };
    let lacks = [&settings.name_claim, &settings.groups_claim].iter().any(|claim| !claims.contains_key(*claim));
    if let Some(url) = metadata.userinfo_endpoint().filter(|_| lacks) {
        let request = http::Request::get(url.url().as_str())
            .header(header::AUTHORIZATION, format!("Bearer {}", token.access_token().secret()))
            .header(header::ACCEPT, "application/json")
            .body(Vec::new())
            .map_err(|error| broken("the provider's address for claims", &error))?;
        let answer = call(http, request).await.map_err(|error| broken("the claims of the user", &error))?;
        let more: Option<Map<String, Value>> = serde_json::from_slice(answer.body()).ok();
        let more =
            more.filter(|more| answer.status().is_success() && more.get("sub") == Some(&Value::from(subject.as_str())));
        let more = more.ok_or_else(|| SignInError::Broken("the claims of the user are of another".to_owned()))?;
        for (claim, value) in more {
            // what is signed stays
            claims.entry(claim).or_insert(value);
        }
    }
    Ok(read(settings, issuer, subject, &claims))
}

/// The claims of a token that was checked before.
fn payload(token: &str) -> Option<Map<String, Value>> {
    let middle = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(middle).ok()?).ok()
}

/// Name, name to show and groups that a token would give if it were checked.
pub(in crate::admin) fn claimed(settings: &Oidc, token: &str) -> Option<(String, String, Vec<String>)> {
    let claims = payload(token)?;
    let person = read(settings, settings.issuer.clone(), "subject".to_owned(), &claims);
    Some((person.name, person.display_name, person.groups))
}

fn read(settings: &Oidc, issuer: String, subject: String, claims: &Map<String, Value>) -> Person {
    let text = |claim: &str| claims.get(claim).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let groups = match claims.get(&settings.groups_claim) {
        Some(Value::Array(groups)) => {
            groups.iter().filter_map(Value::as_str).take(MOST_GROUPS).map(str::to_owned).collect()
        }
        Some(Value::String(group)) => vec![group.clone()],
        _ => Vec::new(),
    };
    let name = text(&settings.name_claim).unwrap_or(&subject).to_owned();
    let display_name = text("name").unwrap_or(&name).to_owned();
    Person { issuer, subject, name, display_name, groups }
}

/// Begins a session of who came, with what the groups give now.
async fn enter(app: &App, person: Person, fresh: Sha256Digest, from: Option<String>) -> Result<Timestamp, SignInError> {
    let caller = Caller { from, ..Caller::system("OpenID Connect") };
    app.write(&caller, move |tx| {
        let grant = {
            let groups: BTreeSet<&str> = person.groups.iter().map(String::as_str).collect();
            let mapped = tx.group_mapping_list()?.into_iter().filter(|row| groups.contains(row.group.as_str()));
            combined(mapped.map(|row| row.grant))
        };
        let Some(grant) = grant else {
            return Ok(Err(SignInError::Unmapped { name: person.name, groups: person.groups }));
        };
        let no = match tx.user_of_identity(&person.issuer, &person.subject)? {
            Some(row) if !row.user.enabled => return Ok(Err(SignInError::Disabled(row.user.name))),
            Some(row) => {
                follow(tx, row.no, row.user, grant, &person)?;
                row.no
            }
            None => make(tx, grant, &person)?,
        };
        let row = tx.user_show(no)?;
        let row = row.ok_or_else(|| AdminError::Internal("a user vanished while it signed in".to_owned()))?;
        let (_, ends) = session::begin(tx, &row, fresh, None)?;
        Ok(Ok(ends))
    })
    .await?
}

/// Brings a user up to what the provider says.
fn follow(tx: &WriteTx<'_>, no: u32, old: stored::User, grant: Grant, person: &Person) -> Result<(), AdminError> {
    let user = stored::User { grant, display_name: shown(person), ..old.clone() };
    if user != old {
        let tree = Tree::read(tx)?;
        tx.user_change(no, &user)?;
        if user.grant != old.grant {
            tx.session_outdate(no)?;
        }
        tx.audit("user.change", &user.name, Some(&user::audited(&tree, &old)), Some(&user::audited(&tree, &user)))?;
    }
    Ok(())
}

fn shown(person: &Person) -> String {
    person.display_name.chars().filter(|c| !c.is_control()).take(100).collect()
}

/// Makes a user of who came first. A name that another user has gets a number: names prove nothing.
fn make(tx: &WriteTx<'_>, grant: Grant, person: &Person) -> Result<u32, AdminError> {
    let named = person.name.replace(['/', '\\'], "-").chars().take(80).collect::<String>();
    let number: String = hash(&person.subject).to_string().chars().take(12).collect();
    let base = user::checked_name("user", &named).unwrap_or_else(|_| format!("user {number}"));
    let mut name = base.clone();
    let mut number = 2;
    while tx.user_find(&name)?.is_some() {
        name = format!("{base} ({number})");
        number += 1;
    }
    let user = stored::User {
        name,
        display_name: shown(person),
        grant,
        enabled: true,
        password: None,
        must_change: false,
        identity: Some((person.issuer.clone(), person.subject.clone())),
    };
    let no = tx.user_create(&user)?;
    tx.audit("user.create", &user.name, None, Some(&user::audited(&Tree::read(tx)?, &user)))?;
    Ok(no)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_are_read_as_the_settings_name_them() {
        let settings = Oidc {
            issuer: "https://id.example".to_owned(),
            client_id: "weir".to_owned(),
            client_secret_file: None,
            scopes: Vec::new(),
            name_claim: "preferred_username".to_owned(),
            groups_claim: "roles".to_owned(),
            ca: None,
            url: None,
        };
        let of = |claims: Value| {
            let Value::Object(claims) = claims else { panic!("an object") };
            read(&settings, "i".to_owned(), "s".to_owned(), &claims)
        };
        let whole =
            of(json!({ "preferred_username": "alice", "name": "Alice A.", "roles": ["a", 7, "b"], "groups": ["x"] }));
        assert_eq!((whole.name.as_str(), whole.display_name.as_str()), ("alice", "Alice A."));
        assert_eq!(whole.groups, ["a", "b"]);
        let bare = of(json!({ "roles": "one" }));
        assert_eq!((bare.name.as_str(), bare.display_name.as_str(), bare.groups), ("s", "s", vec!["one".to_owned()]));
        assert!(of(json!({ "roles": { "a": 1 } })).groups.is_empty());
    }
}
