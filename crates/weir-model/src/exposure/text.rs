//! Texts of documents: encodings, cuts, times.

use std::borrow::Cow;

use jiff::{Timestamp, civil, tz::TimeZone};

use super::{DocumentError, Fault};

/// A text of at most so many characters, without control characters and blanks around it.
pub(super) fn cut(text: &str, most: usize) -> String {
    let clean = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    clean.take(most).collect::<String>().trim_end().to_owned()
}

/// The text of a file: UTF-8, or UTF-16 with a byte order mark, as PowerShell writes it.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, DocumentError> {
    let wrong = || DocumentError::new(Fault::Encoding, "the file");
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        if rest.is_empty() { String::from_utf16(&units).map(Cow::Owned).map_err(|_| wrong()) } else { Err(wrong()) }
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => std::str::from_utf8(rest).map(Cow::Borrowed).map_err(|_| wrong()),
        _ => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| wrong()),
    }
}

/// An instant. Off-spec: documents of MSRC leave the zone out, although RFC 3339 asks for it; such times are read as UTC,
/// and a date alone is its first moment.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    let local = text.parse::<civil::DateTime>().or_else(|_| text.parse::<civil::Date>().map(civil::DateTime::from));
    local.ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// The numbers of a version such as `1.0`, `12` or `2025.08.25`; what is no number ends them.
pub(super) fn numbers(version: &str) -> Vec<u64> {
    version.split(['.', '-', '+']).map_while(|part| part.trim().parse().ok()).take(8).collect()
}
