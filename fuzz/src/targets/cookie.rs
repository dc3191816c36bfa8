//! Cookies: what a client sends never opens; what is inside of one that opened is refused, or read, written and read the same.

use weir_server::client::cookie::{AuthorizationCookie, Cookie, KeyRing, Kind};

pub(super) fn run(data: &[u8]) -> bool {
    let keys = KeyRing::new([(1, vec![7; 32])]).expect("a key of 32 bytes");
    for kind in [Kind::Authorization, Kind::Cookie, Kind::Downstream, Kind::DownstreamAuthorization] {
        assert!(keys.open(kind, data).is_none(), "a forged cookie was opened");
    }
    let (cookie, authorization) = (Cookie::decode(data), AuthorizationCookie::decode(data));
    // Names that are too long are refused where cookies are made.
    if let Some(Ok(again)) = cookie.as_ref().map(Cookie::encode) {
        assert_eq!(Cookie::decode(&again), cookie);
    }
    if let Some(Ok(again)) = authorization.as_ref().map(AuthorizationCookie::encode) {
        // the id of a computer may be written in several ways
        assert_eq!(AuthorizationCookie::decode(&again), authorization);
    }
    cookie.is_some() || authorization.is_some()
}
