//! What administrators, their browsers and their provider of identities send, read as the admin plane reads it (see
//! [`crate::decoders`]).

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use serde::de::DeserializeOwned;

use super::{
    access::oidc,
    auth,
    etag::{Condition, Tag},
    idempotency, json, update_bulk,
};
use crate::config::Oidc;

fn headers(name: HeaderName, value: &[u8]) -> Option<HeaderMap> {
    Some(HeaderMap::from_iter([(name, HeaderValue::from_bytes(value).ok()?)]))
}

/// The token of an `Authorization` header.
pub fn bearer(value: &[u8]) -> Option<String> {
    auth::bearer(&headers(header::AUTHORIZATION, value)?).ok()?
}

/// The secret of a session within a `Cookie` header.
pub fn session_cookie(value: &[u8]) -> Option<String> {
    auth::cookie(&headers(header::COOKIE, value)?).map(str::to_owned)
}

/// The key of an `Idempotency-Key` header.
pub fn idempotency_key(value: &[u8]) -> Option<String> {
    let request = Request::builder().header(idempotency::HEADER, HeaderValue::from_bytes(value).ok()?);
    idempotency::key(&request.body(Body::empty()).ok()?).ok()
}

/// The tag of an answer to GET; `moving` are the fields that are no part of the definition.
pub fn tag(body: &[u8], moving: &[&str]) -> Option<HeaderValue> {
    Tag::of(body, Some(moving)).header()
}

/// What an `If-Match` header and an `If-None-Match` header of this value say of an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Conditions {
    /// `If-Match`: a change may be made.
    pub matches: bool,
    /// `If-Match`: a change may be made where nothing is.
    pub matches_nothing: bool,
    /// `If-None-Match`: a change may be made.
    pub differs: bool,
    /// `If-None-Match`: the caller has this answer.
    pub held: bool,
}

/// Reads a value of the two headers, and holds it against an answer.
pub fn conditions(value: &[u8], body: &[u8], moving: &[&str]) -> Option<Conditions> {
    let read = |name| Condition::read(&headers(name, value)?);
    let (matched, other) = (read(header::IF_MATCH)?, read(header::IF_NONE_MATCH)?);
    let tag = Tag::of(body, Some(moving));
    Some(Conditions {
        matches: matched.allows(Some(&tag)),
        matches_nothing: matched.allows(None),
        differs: other.allows(Some(&tag)),
        held: other.is_held(&tag),
    })
}

/// Name, name to show and groups that the claims of an ID token give; its seal is not looked at here.
pub fn claims(token: &str, name_claim: &str, groups_claim: &str) -> Option<(String, String, Vec<String>)> {
    let settings = Oidc {
        issuer: "https://id.example".to_owned(),
        client_id: "weir".to_owned(),
        client_secret_file: None,
        scopes: Vec::new(),
        name_claim: name_claim.to_owned(),
        groups_claim: groups_claim.to_owned(),
        ca: None,
        url: None,
    };
    oidc::claimed(&settings, token)
}

/// A JSON body of REST.
///
/// # Errors
///
/// What the problem says of it.
pub fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    json::read(bytes)
}

/// The text of a file with licence terms.
pub fn licence(bytes: &[u8]) -> String {
    update_bulk::decoded(bytes)
}
