//! Decides what is wrong with a cookie, in one place and in one order (the order of the protocol dossier: decrypt,
//! server, expiry, configuration).

use uuid::Uuid;

use super::{Cookie, KeyRing, Kind};

/// What a cookie is checked against.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Expected {
    /// This server.
    pub server: Uuid,
    /// Milliseconds since 1970.
    pub now_ms: i64,
    /// LastChange of the configuration, milliseconds since 1970.
    pub last_change_ms: i64,
}

/// What is wrong with a cookie (MS-WUSP 2.2.2.4).
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CookieFault {
    /// Made before the configuration changed.
    #[error("the configuration changed since the cookie was made")]
    ConfigChanged,
    /// Ours, but too old.
    #[error("the cookie expired")]
    CookieExpired,
    /// Missing, foreign, damaged, or the other kind.
    #[error("the cookie is not one of this server")]
    InvalidCookie,
    /// Of this server before it was restored or replaced.
    #[error("the cookie was made before this server was restored")]
    ServerChanged,
}

/// Opens and checks a cookie. `sealed` is None (or empty) if the call brought none.
pub fn check(sealed: Option<&[u8]>, keys: &KeyRing, expected: &Expected) -> Result<Cookie, CookieFault> {
    let opened = sealed.and_then(|bytes| keys.open(Kind::Cookie, bytes)).and_then(|plain| Cookie::decode(&plain));
    judge(opened, expected)
}

/// The decision alone, on what was opened.
pub(super) fn judge(opened: Option<Cookie>, expected: &Expected) -> Result<Cookie, CookieFault> {
    let cookie = opened.ok_or(CookieFault::InvalidCookie)?;
    if cookie.server != expected.server {
        return Err(CookieFault::ServerChanged);
    }
    if cookie.expires_ms <= expected.now_ms {
        return Err(CookieFault::CookieExpired);
    }
    if cookie.last_change_ms != expected.last_change_ms {
        return Err(CookieFault::ConfigChanged);
    }
    Ok(cookie)
}
