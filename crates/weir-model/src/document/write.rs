//! Writing fragments, and the form they have on the wire.

/// Appends a fragment as the text of an `Xml` element of an answer: `&`, `<` and `>` as references, quotes as they are
/// (recorded in SyncUpdates and GetExtendedUpdateInfo answers). A carriage return becomes `&#xD;`, else the reader of the
/// answer would drop it (XML 1.0 2.11).
pub fn escape_into(out: &mut String, fragment: &str) {
    out.reserve(fragment.len() + fragment.len() / 8);
    escape(out, fragment, |byte| match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'\r' => Some("&#xD;"),
        _ => None,
    });
}

/// How many bytes [`escape_into`] appends.
pub fn escaped_len(fragment: &str) -> usize {
    fragment
        .bytes()
        .map(|byte| match byte {
            b'<' | b'>' => 4,
            b'&' | b'\r' => 5,
            _ => 1,
        })
        .sum()
}

/// Appends element text to a fragment. Line breaks stay as they are.
pub(super) fn text(out: &mut String, text: &str) {
    escape(out, text, |byte| match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        _ => None,
    });
}

/// Appends an attribute with its leading blank. Line breaks and tabs become references, else a reader would make blanks
/// of them (XML 1.0 3.3.3).
pub(super) fn attribute(out: &mut String, name: &str, value: &str) {
    begin(out, name);
    escape(out, value, |byte| match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        b'\t' => Some("&#x9;"),
        b'\n' => Some("&#xA;"),
        b'\r' => Some("&#xD;"),
        _ => None,
    });
    out.push('"');
}

/// The same for a value that needs no references.
pub(super) fn plain_attribute(out: &mut String, name: &str, value: &str) {
    begin(out, name);
    out.push_str(value);
    out.push('"');
}

fn begin(out: &mut String, name: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
}

/// Appends a text in which some ASCII characters are replaced.
fn escape(out: &mut String, text: &str, replacement: impl Fn(u8) -> Option<&'static str>) {
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if let Some(replacement) = replacement(byte) {
            out.push_str(text.get(plain..at).unwrap_or_default());
            out.push_str(replacement);
            plain = at + 1;
        }
    }
    out.push_str(text.get(plain..).unwrap_or_default());
}
