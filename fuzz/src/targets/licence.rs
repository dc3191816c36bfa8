//! Texts of licences: whatever the coding, a text comes out that is no longer than three bytes for each.

use weir_server::decoders::licence;

pub(super) fn run(data: &[u8]) -> bool {
    let text = licence(data);
    assert!(text.len() <= 3 * data.len(), "{} bytes of {}", text.len(), data.len());
    // what is UTF-8 already stays
    assert_eq!(licence(text.trim_start_matches('\u{feff}').as_bytes()), text.trim_start_matches('\u{feff}'));
    !text.is_empty()
}
