//! Who may use the admin plane: the built-in administrator, by the token of `admin.token` or by a session that the
//! sign-in link gave.

use std::{net::SocketAddr, time::Instant};

use axum::{
    body::Body,
    extract::{FromRequestParts, State},
    middleware::Next,
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, Method, Request, header, request::Parts};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use weir_api::access::SignInLink;
use weir_model::ids::Sha256Digest;

use super::{AdminError, App};
use crate::state::Connection;

/// The only principal so far.
pub(crate) const ADMINISTRATOR: &str = "administrator";
/// The session cookie; the prefix makes browsers insist on TLS, this host and the root path.
pub(crate) const COOKIE: &str = "__Host-weir";
/// How long a session lives.
pub(crate) const SESSION: SignedDuration = SignedDuration::from_hours(8);
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

/// Who made a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Caller {
    /// The principal.
    pub name: String,
    /// Address of the request.
    pub from: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, AdminError> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| AdminError::Internal("a route of the admin plane is not protected".to_owned()))
    }
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

/// Lets a request through if it is the administrator's.
pub(super) async fn require(
    State(app): State<App>,
    mut request: Request<Body>,
    next: Next,
) -> Result<Response, AdminError> {
    let peer = request.extensions().get::<Connection>().map(|connection| connection.peer);
    let presented = bearer(request.headers())?;
    let name = match &presented {
        Some(token) if is_token(&app, token) => Some(ADMINISTRATOR.to_owned()),
        Some(_) => None,
        None => match session_hash(request.method(), request.headers()) {
            Some(hash) => session(&app, hash).await?,
            None => None,
        },
    };
    let Some(name) = name else {
        return Err(refused(&app, request.extensions().get(), presented.is_some()));
    };
    request.extensions_mut().insert(Caller { name, from: peer.map(|peer| peer.ip().to_canonical().to_string()) });
    Ok(next.run(request).await)
}

fn bearer(headers: &HeaderMap) -> Result<Option<String>, AdminError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && token.len() <= LONGEST => {
            Ok(Some(token.trim().to_owned()))
        }
        _ => Err(AdminError::Unauthorized("the authorization is not a bearer token")),
    }
}

fn is_token(app: &App, token: &str) -> bool {
    // hashes are compared, so the time tells nothing about the token even if the comparison were not constant
    hash(token).0.ct_eq(&app.secrets.token.0).into()
}

/// The hash of the session that a request may use. A session reads only: a page of another site that makes the browser
/// send a request cannot change anything.
fn session_hash(method: &Method, headers: &HeaderMap) -> Option<Sha256Digest> {
    let foreign = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    let reads = matches!(*method, Method::GET | Method::HEAD);
    cookie(headers).filter(|_| reads && !foreign).map(hash)
}

/// The principal of a session.
async fn session(app: &App, hash: Sha256Digest) -> Result<Option<String>, AdminError> {
    let now = Timestamp::now();
    Ok(app.read(move |tx| tx.session_find(hash, now)).await?.map(|session| session.principal))
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
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
        AdminError::Unauthorized("the token is not the one of this server")
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
    app.write(caller, move |tx| {
        tx.access_prune()?;
        tx.sign_in_code_create(hash, ADMINISTRATOR, expires_at)?;
        tx.audit("sign_in_link.create", ADMINISTRATOR, None, None)?;
        Ok(())
    })
    .await?;
    let admin = app.endpoints.admin.as_deref().unwrap_or_default();
    Ok(SignInLink { url: format!("{admin}/sign-in?code={code}"), expires_at })
}

/// Uses a code up and begins a session; none if the code is not valid. Returns the secret of the session.
pub(crate) async fn code_use(
    app: &App,
    code: &str,
    from: Option<String>,
    now: Timestamp,
) -> Result<Option<String>, AdminError> {
    if code.len() > LONGEST {
        return Ok(None);
    }
    let (code, secret) = (hash(code), secret()?);
    let session = hash(&secret);
    let caller = Caller { name: ADMINISTRATOR.to_owned(), from };
    let begun = app
        .write(&caller, move |tx| {
            let Some(principal) = tx.sign_in_code_take(code)? else { return Ok(false) };
            tx.session_create(session, &principal, now + SESSION)?;
            tx.audit("session.create", &principal, None, None)?;
            Ok(true)
        })
        .await?;
    Ok(begun.then_some(secret))
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
