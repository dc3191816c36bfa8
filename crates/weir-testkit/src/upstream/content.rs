//! Files: `/Content/XX/HEX.ext`, and `/mu/hex/name`, the address "at the publisher".

use weir_model::ids::ContentDigest;

use super::{Received, Served, serve::Right};

/// Answers a request that is no message.
pub(super) fn answer(served: &Served, received: &Received, range: Option<&str>) -> Right {
    if !matches!(received.method.as_str(), "GET" | "HEAD") {
        return Right::status(404);
    }
    let Some((digest, at_publisher)) = digest_of(&received.path) else { return Right::status(404) };
    // The publisher always has them.
    match served.files.get(&digest).filter(|file| file.here || at_publisher) {
        Some(file) => content(&file.payload.bytes, range, received.method == "HEAD"),
        None => Right::status(404),
    }
}

fn digest_of(path: &str) -> Option<(ContentDigest, bool)> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let [first, second, third] = parts.as_slice() else { return None };
    if first.eq_ignore_ascii_case("content") {
        let (hex, _) = third.split_once('.')?;
        let right = hex.len() == 40 && hex.get(38..)?.eq_ignore_ascii_case(second);
        return ContentDigest::from_hex(hex).ok().filter(|_| right).map(|digest| (digest, false));
    }
    let at_publisher = *first == "mu";
    ContentDigest::from_hex(second).ok().filter(|_| at_publisher).map(|digest| (digest, true))
}

fn content(bytes: &[u8], range: Option<&str>, head: bool) -> Right {
    let mut headers =
        vec![("Accept-Ranges", "bytes".to_owned()), ("Content-Type", "application/octet-stream".to_owned())];
    let total = bytes.len();
    let wanted = range.and_then(|range| range.strip_prefix("bytes=")).and_then(|range| range.split_once('-'));
    let (status, slice) = match wanted {
        None => (200, bytes),
        Some((from, to)) => {
            let (start, end) = match (from.parse::<usize>(), to.parse::<usize>()) {
                (Ok(from), Ok(to)) => (from, to.saturating_add(1).min(total)),
                (Ok(from), Err(_)) => (from, total),
                (Err(_), Ok(last)) => (total.saturating_sub(last), total),
                (Err(_), Err(_)) => (total, total),
            };
            if start >= end {
                headers.push(("Content-Range", format!("bytes */{total}")));
                return Right { status: 416, headers, body: Vec::new() };
            }
            headers.push(("Content-Range", format!("bytes {start}-{}/{total}", end - 1)));
            (206, &bytes[start..end])
        }
    };
    Right { status, headers, body: if head { Vec::new() } else { slice.to_vec() } }
}
