//! Who a request of the admin plane is from: proven by the token of `admin.token`, an API token, a session or a client
//! certificate.

use std::{net::SocketAddr, time::Instant};

use axum::{body::Body, extract::State, middleware::Next, response::Response};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, Method, Request, header};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use weir_api::{PREFIX, access::SignInLink};
use weir_model::ids::Sha256Digest;

use super::{
    AdminError, App, Caller,
    access::{Proof, certificate, session, token},
};
use crate::state::Connection;

/// The built-in administrator.
pub(crate) const ADMINISTRATOR: &str = "administrator";
/// The session cookie; the prefix makes browsers insist on TLS, this host and the root path.
pub(crate) const COOKIE: &str = "__Host-weir";
/// How long a sign-in link works.
pub(crate) const SIGN_IN_CODE: SignedDuration = SignedDuration::from_hours(24);
/// Failed attempts an address may make at once; a quarter of that comes back each second.
const FAILURES: u32 = 20;
/// Longer texts are no secrets of ours.
const LONGEST: usize = 256;

/// Hash of the administrator's token.
#[derive(Clone, Copy, Debug)]
pub struct Secrets {
    /// SHA-256 of the text of `admin.token`.
    pub token: Sha256Digest,
}

/// SHA-256 of a secret: what is stored and compared.
pub(crate) fn hash(secret: &str) -> Sha256Digest {
    Sha256Digest(Sha256::digest(secret.as_bytes()).into())
}

/// A new secret of 256 bits as text that needs no escaping anywhere.
pub(crate) fn secret() -> Result<String, AdminError> {
    let bytes: [u8; 32] = crate::start::random().map_err(|error| AdminError::Internal(error.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Finds out who a request is from, and lets it through with its [`Caller`] in the extensions. What that principal may do is
/// another question.
pub(super) async fn require(
    State(app): State<App>,
    mut request: Request<Body>,
    next: Next,
) -> Result<Response, AdminError> {
    let connection = request.extensions().get::<Connection>().copied();
    if is_sign_in(&request) {
        return Ok(next.run(request).await);
    }
    let presented = bearer(request.headers())?.is_some();
    let Some((caller, renewed)) = prove(&app, request.method(), request.headers(), connection).await? else {
        return Err(refused(&app, connection.as_ref(), presented));
    };
    request.extensions_mut().insert(caller);
    let mut response = next.run(request).await;
    if let Some(cookie) = renewed {
        // an answer that ends the session, or begins another, has said so itself
        response.headers_mut().entry(header::SET_COOKIE).or_insert(cookie);
    }
    Ok(response)
}

/// The requests of the REST interface that come before there is any proof.
fn is_sign_in(request: &Request<Body>) -> bool {
    match request.uri().path().strip_prefix(PREFIX) {
        Some("/session") => request.method() == Method::POST,
        Some("/sign-in-methods") => matches!(*request.method(), Method::GET | Method::HEAD),
        _ => false,
    }
}

/// Who a request is from, by the first proof that it brings; and the session's next secret, if it changed.
pub(super) async fn prove(
    app: &App,
    method: &Method,
    headers: &HeaderMap,
    connection: Option<Connection>,
) -> Result<Option<(Caller, Option<HeaderValue>)>, AdminError> {
    let from = connection.map(|connection| connection.peer.ip().to_canonical().to_string());
    if let Some(secret) = bearer(headers)? {
        return Ok(token::find(app, &secret, from).await?.map(|caller| (caller, None)));
    }
    let foreign = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    let reads = matches!(*method, Method::GET | Method::HEAD);
    if let Some(secret) = cookie(headers).filter(|_| !(foreign && reads)) {
        if let Some(found) = session::find(app, secret, from.clone()).await? {
            session::refuse_foreign(method, headers, true)?;
            return Ok(Some((found.caller, found.renewed)));
        }
    }
    if let Some(fingerprint) = connection.and_then(|connection| connection.certificate) {
        // browsers show certificates to pages of other sites, too, and always say where a request is from
        if foreign {
            return Ok(None);
        }
        if let Some(caller) = certificate::find(app, fingerprint, from).await? {
            session::refuse_foreign(method, headers, false)?;
            return Ok(Some((caller, None)));
        }
    }
    Ok(None)
}

/// Whether the proof by which somebody was let in still holds: the session has not ended, the token was not revoked, the user may
/// still sign in. Nothing is renewed by asking.
pub(super) async fn holds(app: &App, caller: &Caller, connection: Option<Connection>) -> Result<bool, AdminError> {
    let now = Timestamp::now();
    match caller.proof.clone() {
        Proof::Server | Proof::BuiltIn => Ok(true),
        Proof::Session(id) => session::is_open(app, id, now).await,
        Proof::Token(name) => {
            app.read(move |tx| {
                let token = tx.token_named(&name)?.filter(|token| token.expires_at.is_none_or(|end| end > now));
                let Some((owner, _)) = token.and_then(|token| token.owner) else { return Ok(false) };
                Ok(tx.user_show(owner)?.is_some_and(|owner| owner.user.enabled))
            })
            .await
        }
        Proof::Certificate => match connection.and_then(|connection| connection.certificate) {
            Some(fingerprint) => Ok(certificate::find(app, fingerprint, None).await?.is_some()),
            None => Ok(false),
        },
    }
}

pub(super) fn bearer(headers: &HeaderMap) -> Result<Option<String>, AdminError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && token.len() <= LONGEST => {
            Ok(Some(token.trim().to_owned()))
        }
        _ => Err(AdminError::Unauthorized("the authorization is not a bearer token")),
    }
}

/// Whether it is the token of `admin.token`.
pub(super) fn is_token(app: &App, token: &str) -> bool {
    // hashes are compared, so the time tells nothing about the token even if the comparison were not constant
    hash(token).0.ct_eq(&app.secrets.token.0).into()
}

pub(super) fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, value)| *name == COOKIE && value.len() <= LONGEST)
        .map(|(_, value)| value)
}

fn refused(app: &App, connection: Option<&Connection>, presented: bool) -> AdminError {
    metrics::counter!("weir_admin_refused_total").increment(1);
    if connection.is_some_and(|connection| attempts_spent(app, connection)) {
        return AdminError::TooMany;
    }
    if presented {
        tracing::warn!(peer = %Peer(connection), "a wrong token was presented to the admin plane");
        AdminError::Unauthorized("the token is none of this server, has expired, or was revoked")
    } else {
        AdminError::Unauthorized("the request has neither a token nor a session that allows it")
    }
}

/// Counts a failed attempt; true if the address made too many.
pub(crate) fn attempts_spent(app: &App, connection: &Connection) -> bool {
    !app.shared().failures.take(connection.limit_key(), FAILURES, Instant::now())
}

struct Peer<'a>(Option<&'a Connection>);

impl std::fmt::Display for Peer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let address: Option<SocketAddr> = self.0.map(|connection| connection.peer);
        match address {
            Some(address) => address.fmt(f),
            None => f.write_str("unknown"),
        }
    }
}

/// Makes a link with a one-time code.
pub(crate) async fn sign_in_link(app: &App, caller: &Caller, now: Timestamp) -> Result<SignInLink, AdminError> {
    let code = secret()?;
    let (hash, expires_at) = (hash(&code), now + SIGN_IN_CODE);
    // a link that was made in a session that began by a link is still the first one's
    let made_by = caller.link_by.or(caller.user);
    app.write(caller, move |tx| {
        tx.access_prune()?;
        tx.sign_in_code_create(hash, ADMINISTRATOR, expires_at, made_by)?;
        tx.audit("sign_in_link.create", ADMINISTRATOR, None, None)?;
        Ok(())
    })
    .await?;
    let admin = app.endpoints.admin.as_deref().unwrap_or_default();
    Ok(SignInLink { url: format!("{admin}/sign-in?code={code}"), expires_at })
}

/// Uses a code up and begins a session; none if the code is not valid. Returns the header that sets the session's cookie.
pub(crate) async fn code_use(
    app: &App,
    code: &str,
    from: Option<String>,
    now: Timestamp,
) -> Result<Option<HeaderValue>, AdminError> {
    if code.len() > LONGEST {
        return Ok(None);
    }
    let (code, secret) = (hash(code), secret()?);
    let fresh = hash(&secret);
    let caller = Caller { from, ..Caller::named(ADMINISTRATOR) };
    let begun = app
        .write(&caller, move |tx| {
            let Some((principal, made_by)) = tx.sign_in_code_take(code)? else { return Ok(None) };
            let Some(user) = session::of_code(tx, &principal)? else { return Ok(None) };
            Ok(Some(session::begin(tx, &user, fresh, made_by)?))
        })
        .await?;
    begun.map(|(_, ends)| session::cookie(&secret, ends, now)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), value.parse().expect("header"))).collect()
    }

    #[test]
    fn only_bearer_tokens_of_sane_length_are_read() {
        let read = |value: &str| bearer(&headers(header::AUTHORIZATION, &[value]));
        assert_eq!(read("Bearer abc").expect("valid"), Some("abc".to_owned()));
        assert_eq!(read("bearer abc").expect("valid"), Some("abc".to_owned()));
        assert!(read("Basic abc").is_err());
        assert!(read(&format!("Bearer {}", "a".repeat(1_000))).is_err());
        assert_eq!(bearer(&HeaderMap::new()).expect("absent"), None);
    }

    #[test]
    fn the_session_cookie_is_found_among_others() {
        let all = headers(header::COOKIE, &["a=1; __Host-weir=secret; b=2"]);
        assert_eq!(cookie(&all), Some("secret"));
        assert_eq!(cookie(&headers(header::COOKIE, &["weir=secret"])), None);
    }

    #[test]
    fn secrets_differ_and_are_long() {
        let (first, second) = (secret().expect("random"), secret().expect("random"));
        assert_eq!(first.len(), 43);
        assert_ne!(first, second);
    }
}
