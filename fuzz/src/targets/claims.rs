//! Claims of ID tokens: whatever a provider says, a name comes out of it and groups within their bound.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use weir_server::decoders::claims;

/// Groups of a user that are looked at.
const MOST_GROUPS: usize = 2_000;

pub(super) fn run(data: &[u8]) -> bool {
    // as it came, and as the middle of a token, which chance alone never finds
    let whole = claims(&String::from_utf8_lossy(data), "name", "groups");
    let wrapped = claims(&format!("e30.{}.", URL_SAFE_NO_PAD.encode(data)), "preferred_username", "groups");
    for (name, shown, groups) in [&whole, &wrapped].into_iter().flatten() {
        assert!(!name.trim().is_empty() && !shown.trim().is_empty());
        assert!(groups.len() <= MOST_GROUPS, "{} groups", groups.len());
    }
    whole.is_some() || wrapped.is_some()
}
