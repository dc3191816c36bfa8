//! KEV catalogues: any bytes are read or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_model::exposure::{Limits, read};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { bytes: 1 << 20, values: 20_000, ..Limits::default() };
    let head = br#"{"catalogVersion":"1","dateReleased":"2031-01-01","vulnerabilities":["#;
    let whole = [&head[..], bytes, b"]}"].concat();
    for bytes in [bytes, &whole] {
        if let Ok(document) = read(bytes, &limits) {
            assert!(document.content.len() <= limits.vulnerabilities);
        }
    }
});
