//! Characters and references.

use super::{Fault, cut};

/// The first character that XML 1.0 forbids (2.2), with its offset. A `str` holds no surrogates, which leaves control
/// characters and the two non-characters.
pub(super) fn forbidden(text: &str) -> Option<(usize, u32)> {
    let suspicious = |byte: u8| (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || byte == 0xef;
    let bytes = text.as_bytes();
    let mut from = 0;
    // Whole blocks without a test per byte, since nearly all are clean.
    while let Some(block) = bytes.get(from..from + 64) {
        if block.iter().fold(false, |found, &byte| found | suspicious(byte)) {
            break;
        }
        from += 64;
    }
    while let Some(found) = bytes.get(from..)?.iter().position(|&byte| suspicious(byte)) {
        let at = from + found;
        match text.get(at..)?.chars().next()? {
            character @ ('\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}') => return Some((at, character.into())),
            character => from = at + character.len_utf8(),
        }
    }
    None
}

/// Refuses the end mark of a CDATA section in plain text (XML 1.0 2.4).
pub(super) fn check(text: &str) -> Result<(), Fault> {
    if text.contains("]]>") { Err(Fault::Syntax("]]> in text".to_owned())) } else { Ok(()) }
}

/// The character of a reference, given without `&` and `;` (XML 1.0 4.1, 4.6).
pub(super) fn reference(name: &str) -> Result<char, Fault> {
    let unknown = || Fault::Syntax(format!("reference &{};", cut(name)));
    let number = match name {
        "amp" => return Ok('&'),
        "apos" => return Ok('\''),
        "gt" => return Ok('>'),
        "lt" => return Ok('<'),
        "quot" => return Ok('"'),
        _ => match (name.strip_prefix("#x"), name.strip_prefix('#')) {
            (Some(digits), _) if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
                u32::from_str_radix(digits, 16).ok()
            }
            (None, Some(digits)) if digits.bytes().all(|digit| digit.is_ascii_digit()) => digits.parse().ok(),
            _ => None,
        },
    };
    let number = number.ok_or_else(unknown)?;
    match char::from_u32(number) {
        Some('\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..) => char::from_u32(number).ok_or_else(unknown),
        _ => Err(Fault::Character(number)),
    }
}
