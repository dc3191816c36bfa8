//! What a file is, by its content. Names only tell what it was meant to be.

use std::io::{self, Read, Seek, SeekFrom};

/// Bytes that are looked at: comments may come before the root element.
const HEAD: u64 = 64 << 10;
/// Namespace of update documents.
const UPDATE: &str = "http://schemas.microsoft.com/msus/2002/12/Update";

/// What a file is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// An update document, well-formed or not: its root element is `Update`.
    Document,
    /// Something else: a fragment, a read-me, a content file.
    Other,
    /// A wsusutil package, or what may be meant as one: a cabinet or gzip.
    Package,
}

/// Recognises a file and goes back to its start.
pub(super) fn kind(source: &mut (impl Read + Seek)) -> io::Result<Kind> {
    let mut head = Vec::new();
    source.by_ref().take(HEAD).read_to_end(&mut head)?;
    source.seek(SeekFrom::Start(0))?;
    if head.starts_with(b"MSCF") || head.starts_with(&[0x1f, 0x8b]) {
        return Ok(Kind::Package);
    }
    Ok(if is_update(&text(&head)) { Kind::Document } else { Kind::Other })
}

/// Whether a file is named as packages are: one that is something else is a damaged package, not a read-me.
pub(super) fn claims_package(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("cab"))
}

/// The text of bytes that may be cut off anywhere, for a look at it only.
fn text(bytes: &[u8]) -> String {
    let wide = |unit: fn([u8; 2]) -> u16, bytes: &[u8]| {
        let units: Vec<u16> = bytes.as_chunks().0.iter().map(|pair| unit(*pair)).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => wide(u16::from_be_bytes, rest),
        [0xef, 0xbb, 0xbf, rest @ ..] | rest => String::from_utf8_lossy(rest).into_owned(),
    }
}

fn is_update(text: &str) -> bool {
    let mut rest = text.trim_start();
    loop {
        let skipped = if let Some(tail) = rest.strip_prefix("<!--") {
            tail.split_once("-->")
        } else if let Some(tail) = rest.strip_prefix("<?") {
            tail.split_once("?>")
        } else if let Some(tail) = rest.strip_prefix("<!") {
            // with an internal subset it ends at "]>"; the parser refuses it anyway
            if tail.split('>').next().is_some_and(|head| head.contains('[')) {
                tail.split_once("]>")
            } else {
                tail.split_once('>')
            }
        } else {
            break;
        };
        match skipped {
            Some((_, tail)) => rest = tail.trim_start(),
            None => return false,
        }
    }
    let Some(tag) = rest.strip_prefix('<') else { return false };
    let name = tag.split(|c: char| c.is_whitespace() || c == '>' || c == '/').next().unwrap_or_default();
    let (prefix, local) = name.split_once(':').map_or(("", name), |(prefix, local)| (prefix, local));
    // a document whose declaration is missing is a broken update, not some other file
    local == "Update" && (!prefix.is_empty() || tag.contains(UPDATE))
}
