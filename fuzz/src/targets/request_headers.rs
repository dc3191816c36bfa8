//! Headers of requests: what is taken from one is within its bounds.

use weir_server::{
    client::cookie::ProtocolVersion,
    decoders::{bearer, idempotency_key, session_cookie},
};

/// Bytes of the longest token, secret and key.
const LONGEST: usize = 256;

pub(super) fn run(data: &[u8]) -> bool {
    let (token, secret, key) = (bearer(data), session_cookie(data), idempotency_key(data));
    for text in [&token, &secret, &key].into_iter().flatten() {
        assert!(text.len() <= LONGEST, "{text:?}");
    }
    if let Some(key) = &key {
        assert!(!key.is_empty() && key.chars().all(|c| c.is_ascii_graphic() || c == ' '), "{key:?}");
        assert_eq!(idempotency_key(key.as_bytes()).as_ref(), Some(key));
    }
    if let Some(token) = &token {
        assert_eq!(bearer(format!("Bearer {token}").as_bytes()).as_ref(), Some(token));
    }
    let version = ProtocolVersion::parse(&String::from_utf8_lossy(data));
    if let Some(version) = version {
        assert_eq!(ProtocolVersion::parse(&format!("{}.{}", version.major, version.minor)), Some(version));
    }
    token.is_some() || secret.is_some() || version.is_some()
}
