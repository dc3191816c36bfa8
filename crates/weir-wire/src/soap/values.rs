//! The simple types of the schema: what is accepted and what is written.

use std::fmt::Write as _;

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::Offset,
};
use uuid::Uuid;

/// What is wrong with a value, without the value: it may be long or hostile.
pub type ValueProblem = &'static str;

/// Padding may be missing, but a wrong one is an error.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Removes the white space of XML Schema's `collapse` from both ends.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

pub(crate) fn parse_int<T: std::str::FromStr>(text: &str) -> Result<T, ValueProblem> {
    trim(text).parse().map_err(|_| "not a number in range")
}

pub(crate) fn parse_bool(text: &str) -> Result<bool, ValueProblem> {
    match trim(text) {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("not true or false"),
    }
}

/// A GUID of 36 characters in any case, with or without braces.
pub(crate) fn parse_guid(text: &str) -> Result<Uuid, ValueProblem> {
    let text = trim(text);
    let bare = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
    if bare.len() != 36 {
        return Err("not a GUID");
    }
    Uuid::try_parse(bare).map_err(|_| "not a GUID")
}

/// Base64 with blanks anywhere.
pub(crate) fn parse_base64(text: &str) -> Result<Vec<u8>, ValueProblem> {
    let wrong = |_| "not base64";
    if text.bytes().any(is_blank) {
        let dense: Vec<u8> = text.bytes().filter(|&byte| !is_blank(byte)).collect();
        BASE64.decode(dense).map_err(wrong)
    } else {
        BASE64.decode(text).map_err(wrong)
    }
}

pub(crate) fn write_base64(out: &mut String, bytes: &[u8]) {
    BASE64.encode_string(bytes, out);
}

/// Reads `yyyy-mm-ddThh:mm:ss`, any number of fractional digits (what is finer than a nanosecond is cut), and no zone
/// (which means UTC), `Z` or an offset. A bare date is midnight.
///
/// A time beyond the range of [`Timestamp`] (the protocols' "never" is the last tick of the year 9999) becomes its last
/// moment.
pub fn parse_date_time(text: &str) -> Result<Timestamp, ValueProblem> {
    read_date_time(trim(text)).ok_or("not a date and time")
}

fn read_date_time(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.split_at_checked(10)?;
    let date = read_date(date)?;
    let (time, zone) = match rest.strip_prefix('T') {
        Some(rest) => read_time(rest)?,
        None => (Time::midnight(), rest),
    };
    let offset = read_zone(zone)?;
    let local = DateTime::from_parts(date, time);
    Some(match offset.to_timestamp(local) {
        Ok(moment) => moment,
        Err(_) if date.year() >= 9999 => Timestamp::MAX,
        Err(_) => return None,
    })
}

fn read_date(text: &str) -> Option<Date> {
    let year = text.get(0..4)?;
    let month = text.get(5..7)?;
    let day = text.get(8..10)?;
    if text.get(4..5)? != "-" || text.get(7..8)? != "-" {
        return None;
    }
    Date::new(digits(year)?, digits(month)?, digits(day)?).ok()
}

/// A time of day and what follows it.
fn read_time(text: &str) -> Option<(Time, &str)> {
    let (clock, mut rest) = text.split_at_checked(8)?;
    if clock.get(2..3)? != ":" || clock.get(5..6)? != ":" {
        return None;
    }
    let mut nanos: i32 = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let (part, after) = fraction.split_at_checked(length)?;
        if part.is_empty() {
            return None;
        }
        for place in 0..9 {
            let digit = part.as_bytes().get(place).map_or(0, |byte| i32::from(byte - b'0'));
            nanos = nanos * 10 + digit;
        }
        rest = after;
    }
    let time = Time::new(digits(clock.get(0..2)?)?, digits(clock.get(3..5)?)?, digits(clock.get(6..8)?)?, nanos);
    Some((time.ok()?, rest))
}

fn read_zone(text: &str) -> Option<Offset> {
    if text.is_empty() || text == "Z" {
        return Some(Offset::UTC);
    }
    let sign = match text.get(0..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    if text.len() != 6 || text.get(3..4)? != ":" {
        return None;
    }
    let hours: i32 = digits(text.get(1..3)?)?;
    let minutes: i32 = digits(text.get(4..6)?)?;
    // XML Schema allows offsets up to 14 hours.
    if minutes > 59 || hours * 60 + minutes > 14 * 60 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// Reads digits only: `parse` alone would take a sign.
fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Appends `yyyy-mm-ddThh:mm:ss.fffffffZ`: UTC, ticks of 100 ns, trailing zeros of the fraction omitted (OBS). The last
/// moment of [`Timestamp`] is written as the protocols' "never", of which it was read.
pub fn write_date_time(out: &mut String, moment: Timestamp) {
    if moment == Timestamp::MAX {
        out.push_str("9999-12-31T23:59:59.9999999");
        return;
    }
    let local = Offset::UTC.to_datetime(moment);
    write_date(out, local.date());
    let ticks = local.subsec_nanosecond() / 100;
    // Writing to a String cannot fail.
    let _ = write!(out, "T{:02}:{:02}:{:02}", local.hour(), local.minute(), local.second());
    if ticks != 0 {
        let _ = write!(out, ".{ticks:07}");
        out.truncate(out.trim_end_matches('0').len());
    }
    out.push('Z');
}

/// Appends `yyyy-mm-dd`.
pub fn write_date(out: &mut String, date: Date) {
    let _ = write!(out, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day());
}
