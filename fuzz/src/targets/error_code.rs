//! Error codes as people write them: what is read can be explained.

use weir_model::error_code::{explain, parse};

pub(super) fn run(data: &[u8]) -> bool {
    let Ok(code) = parse(&String::from_utf8_lossy(data)) else { return false };
    assert!(!explain(code).meaning().is_empty());
    // as codes are shown, they are read
    assert_eq!(parse(&format!("{code:#010x}")), Ok(code));
    assert_eq!(parse(&code.cast_signed().to_string()), Ok(code));
    true
}
