//! Numbers with units.

use std::fmt;

use super::AgeUnit;
use crate::expression::vocabulary::{Kind, Unit};

/// Units of sizes with their bytes, larger first.
const SIZES: [(&str, u64); 8] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
];

/// Whether a word may stand behind a number of this kind.
pub(in crate::expression) fn is_unit(kind: Kind, word: &str) -> bool {
    match kind {
        Kind::Instant => AgeUnit::named(word).is_some(),
        Kind::Number(unit) => unit_of(unit, word).is_some(),
        _ => false,
    }
}

fn unit_of(unit: Unit, word: &str) -> Option<u64> {
    match unit {
        Unit::Bytes => match word.to_ascii_lowercase().as_str() {
            "b" | "byte" | "bytes" => Some(1),
            lower => SIZES.iter().find(|(name, _)| name.eq_ignore_ascii_case(lower)).map(|(_, bytes)| *bytes),
        },
        Unit::Minutes => match AgeUnit::named(word)? {
            AgeUnit::Minutes => Some(1),
            AgeUnit::Hours => Some(60),
            _ => None,
        },
        Unit::Plain => None,
    }
}

pub(super) fn read_number(unit: Unit, text: &str) -> Result<u64, String> {
    let expected = || match unit {
        Unit::Bytes => format!("{text:?} is not a size such as 10 MB"),
        Unit::Minutes => format!("{text:?} is not a number of minutes"),
        Unit::Plain => format!("{text:?} is not a whole number"),
    };
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, word) = text.split_at_checked(end).unwrap_or((text, ""));
    let times = if word.trim().is_empty() { Some(1) } else { unit_of(unit, word.trim()) };
    let times = u128::from(times.ok_or_else(expected)?);
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    // decimals only where there is something to take a part of
    if (number.contains('.') && (decimals.is_empty() || times == 1)) || decimals.len() > 9 {
        return Err(expected());
    }
    let whole: u128 = whole.parse::<u64>().map_err(|_| expected())?.into();
    let part: u128 = if decimals.is_empty() { 0 } else { decimals.parse::<u64>().map_err(|_| expected())?.into() };
    let scale = 10_u128.pow(decimals.len() as u32);
    u64::try_from((whole * scale + part) * times / scale).map_err(|_| expected())
}

pub(super) fn write_bytes(bytes: u64, f: &mut dyn fmt::Write) -> fmt::Result {
    let exact =
        SIZES.iter().filter(|(_, size)| bytes > 0 && bytes.is_multiple_of(*size)).min_by_key(|(_, size)| bytes / size);
    match exact {
        Some((name, size)) => write!(f, "{} {name}", bytes / size),
        None => write!(f, "{bytes}"),
    }
}
