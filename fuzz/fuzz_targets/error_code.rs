//! Error codes as people write them: what is read can be explained.

#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_model::error_code::{explain, parse};

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(code) = parse(text)
    {
        assert!(!explain(code).meaning().is_empty());
    }
});
