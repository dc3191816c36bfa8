//! One attempt to sign in at a provider, from the browser's leaving to its coming back.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, header};
use jiff::{SignedDuration, Timestamp};

use crate::admin::{AdminError, auth::secret};

/// The cookie of an attempt. It has to come along when the provider sends the browser back, so that it is lax.
const COOKIE: &str = "__Host-weir-oidc";
/// How long an attempt may take.
pub(super) const ATTEMPT: SignedDuration = SignedDuration::from_mins(10);
/// One attempt to sign in.
pub(super) struct Attempt {
    secret: String,
    /// When it began, in seconds.
    at: i64,
}

impl Attempt {
    pub(super) fn new(now: Timestamp) -> Result<Self, AdminError> {
        Ok(Self { secret: secret()?, at: now.as_second() })
    }

    /// The one of a browser's cookie, if it is not too old.
    pub(super) fn read(headers: &HeaderMap, now: Timestamp) -> Option<Self> {
        let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = pairs.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(name, value)| *name == COOKIE && value.len() <= 128)?;
        let (secret, at) = value.split_once('.')?;
        let at: i64 = at.parse().ok()?;
        let age = now.as_second().checked_sub(at)?;
        (0..=ATTEMPT.as_secs()).contains(&age).then(|| Self { secret: secret.to_owned(), at })
    }

    pub(super) fn cookie(&self) -> Result<HeaderValue, AdminError> {
        let Self { secret, at } = self;
        let seconds = ATTEMPT.as_secs();
        let cookie = format!("{COOKIE}={secret}.{at}; Path=/; Max-Age={seconds}; HttpOnly; Secure; SameSite=Lax");
        HeaderValue::from_str(&cookie).map_err(|error| AdminError::Internal(error.to_string()))
    }

    /// A value of this attempt that nobody can tell who has not both the cookie and the key.
    pub(super) fn derived(&self, key: &[u8; 32], what: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let tag = hmac::sign(&key, format!("{what}\n{}\n{}", self.secret, self.at).as_bytes());
        URL_SAFE_NO_PAD.encode(tag.as_ref())
    }
}

/// The header that takes the cookie of an attempt away.
pub(crate) fn no_cookie() -> HeaderValue {
    HeaderValue::from_static("__Host-weir-oidc=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn headers(cookie: &HeaderValue) -> HeaderMap {
        let pair = cookie.to_str().expect("text").split(';').next().expect("a pair").to_owned();
        [(header::COOKIE, format!("a=1; {pair}").parse().expect("a value"))].into_iter().collect()
    }

    #[test]
    fn an_attempt_ends_in_the_browser_that_began_it_and_in_time() {
        let attempt = Attempt::new(at(1_000)).expect("random");
        let cookie = attempt.cookie().expect("a header");
        let (one, two) = ([1; 32], [2; 32]);
        let back = Attempt::read(&headers(&cookie), at(1_600)).expect("in time");
        assert_eq!(back.derived(&one, "state"), attempt.derived(&one, "state"));
        assert_ne!(back.derived(&one, "state"), back.derived(&one, "nonce"));
        assert_ne!(back.derived(&one, "state"), back.derived(&two, "state"), "another process");
        assert_eq!(back.derived(&one, "verifier").len(), 43, "RFC 7636 4.1: 43 to 128 characters");
        assert!(Attempt::read(&headers(&cookie), at(1_601)).is_none(), "too late");
        assert!(Attempt::read(&headers(&cookie), at(999)).is_none(), "from the future");
        assert!(Attempt::read(&HeaderMap::new(), at(1_000)).is_none());
        let other = Attempt { secret: attempt.secret.clone(), at: attempt.at + 1 };
        assert_ne!(other.derived(&one, "state"), attempt.derived(&one, "state"), "the time is part of it");
    }
}
