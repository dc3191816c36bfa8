//! Cookies: what a client sends never opens; what was opened and is damaged is refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_server::client::cookie::{AuthorizationCookie, Cookie, KeyRing, Kind};

fuzz_target!(|data: &[u8]| {
    let keys = KeyRing::new([(1, vec![7; 32])]).expect("a key of 32 bytes");
    for kind in [Kind::Authorization, Kind::Cookie] {
        assert!(keys.open(kind, data).is_none(), "a forged cookie was opened");
    }
    let _ = Cookie::decode(data);
    let _ = AuthorizationCookie::decode(data);
});
