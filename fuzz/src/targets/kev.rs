//! KEV catalogues: any bytes are read or refused.

use weir_model::exposure::{Limits, read};

pub(super) fn run(bytes: &[u8]) -> bool {
    let limits = Limits { bytes: 1 << 20, values: 20_000, ..Limits::default() };
    let head = br#"{"catalogVersion":"1","dateReleased":"2031-01-01","vulnerabilities":["#;
    let whole = [&head[..], bytes, b"]}"].concat();
    let mut is_read = false;
    for bytes in [bytes, &whole] {
        if let Ok(document) = read(bytes, &limits) {
            is_read = true;
            assert!(document.content.len() <= limits.vulnerabilities);
        }
    }
    is_read
}
