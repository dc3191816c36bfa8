//! What of a document travels.

/// The document without byte order mark and XML declaration: both say how a file is encoded, and neither servers nor
/// packages send them (MS-WUSP 3.1.1.1; export packages of wsusutil hold none). Texts that differ in nothing else are the
/// same document.
pub fn body(text: &str) -> &str {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let declared = text.strip_prefix("<?xml").filter(|rest| rest.starts_with([' ', '\t', '\r', '\n']));
    declared.and_then(|rest| rest.split_once("?>")).map_or(text, |(_, rest)| rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_do_not_travel() {
        for text in ["<a/>", "\u{FEFF}<a/>", "<?xml version=\"1.0\"?>\r\n<a/>", "\u{FEFF}<?xml version=\"1.0\" ?><a/>"]
        {
            assert_eq!(body(text), "<a/>", "{text:?}");
        }
        for text in ["<?xml-stylesheet href=\"x\"?><a/>", " <a/>\r\n", "<a>\r\n</a>", "<?xml version", ""] {
            assert_eq!(body(text), text);
        }
    }
}
