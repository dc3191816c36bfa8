//! Conditions of requests: `If-Match` and `If-None-Match` never both allow a change, and an answer is held under its own tag. The
//! first line is the header, the rest the answer.

use weir_server::decoders::{conditions, tag};

/// Fields that are no part of a definition.
const MOVING: [&str; 2] = ["next", "status"];

pub(super) fn run(data: &[u8]) -> bool {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (header, body) = data.split_at(end);
    let body = body.get(1..).unwrap_or_default();
    let own = tag(body, &MOVING).expect("a tag is a header");
    let of_own = conditions(own.as_bytes(), body, &MOVING).expect("a header");
    assert!(of_own.matches && of_own.held && !of_own.differs && !of_own.matches_nothing, "{own:?}: {of_own:?}");
    let Some(asked) = conditions(header, body, &MOVING) else { return false };
    assert!(!asked.matches_nothing, "{asked:?}");
    assert!(!(asked.matches && asked.differs), "{asked:?}");
    assert!(!(asked.held && asked.differs), "{asked:?}");
    asked.matches || asked.held
}
