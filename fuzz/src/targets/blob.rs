//! Documents in cabinets, and anchors.

use weir_wire::wsss::{Anchor, ProtocolVersion, blob};

pub(super) fn run(data: &[u8]) -> bool {
    const LIMIT: u64 = 1 << 20;
    // The size field must equal the length, which chance alone never finds.
    let mut sized = data.to_vec();
    if let Some(field) = sized.get_mut(8..12) {
        field.copy_from_slice(&(data.len() as u32).to_le_bytes());
    }
    let document = blob::decompress(&sized, LIMIT);
    if let Ok(document) = &document {
        assert!(document.len() as u64 <= LIMIT);
    }
    let mut is_anchor = false;
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(anchor) = text.parse::<Anchor>() {
            // Finer than a millisecond is not written.
            is_anchor = true;
            let written = anchor.to_string();
            assert_eq!(written.parse::<Anchor>().expect("own form").to_string(), written);
        }
        let _ = text.parse::<ProtocolVersion>();
        // Only what begins as a document does is taken for UTF-16 again.
        let document = format!("<{text}");
        let cabinet = blob::compress(&document).expect("fits");
        assert_eq!(blob::decompress(&cabinet, document.len() as u64).expect("own cabinet"), document);
    }
    document.is_ok() || is_anchor
}
