//! Cells as people read them: on a page to print, in a text, on a terminal. Files for programs have numbers and RFC 3339.

use jiff::{Timestamp, tz::TimeZone};

use super::Cell;

/// From here on digits are put into groups: a year is none.
const GROUPED: u64 = 10_000;

/// A span of time in the unit that a person would use.
pub fn span(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    match seconds.unsigned_abs() {
        seconds @ 0..60 => format!("{sign}{seconds} s"),
        seconds @ 60..3_600 => format!("{sign}{} min", seconds / 60),
        seconds @ 3_600..172_800 => format!("{sign}{} h", seconds / 3_600),
        seconds => format!("{sign}{} d", seconds / 86_400),
    }
}

/// Bytes in the unit that a person would use.
pub fn bytes(count: u64) -> String {
    if count < 1_024 {
        return format!("{count} B");
    }
    let mut size = count as f64 / 1_024.0;
    let mut units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    while size >= 1_024.0 {
        let Some(larger) = units.next() else { break };
        (size, unit) = (size / 1_024.0, larger);
    }
    format!("{size:.2} {unit}")
}

/// A word of ours as it is spoken: `pending_restart` is pending restart.
pub fn state(word: &str) -> String {
    word.replace('_', " ")
}

/// An instant in UTC, to the minute; that it is UTC is said elsewhere.
pub(super) fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M").to_string()
}

/// A cell; nothing is empty.
pub(super) fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Bytes(count) => bytes(*count),
        Cell::Count(count) => grouped(*count),
        Cell::Duration(span_of) => span(span_of.as_secs()),
        Cell::State(word) => state(word),
        Cell::Time(at) => time(*at),
        Cell::Absent | Cell::Id(_) | Cell::Percent(_) | Cell::Text(_) => cell.to_string(),
    }
}

fn grouped(count: u64) -> String {
    let digits = count.to_string();
    if count < GROUPED {
        return digits;
    }
    let mut shown = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn cells_have_units_that_people_use() {
        for (of, shown) in [
            (Cell::Duration(SignedDuration::from_secs(8_727_169)), "101 d"),
            (Cell::Duration(SignedDuration::from_secs(90_000)), "25 h"),
            (Cell::Duration(SignedDuration::from_secs(-61)), "-1 min"),
            (Cell::Bytes(0), "0 B"),
            (Cell::Bytes(1_023), "1023 B"),
            (Cell::Bytes(2_048), "2.00 KiB"),
            (Cell::Bytes(u64::MAX), "16.00 EiB"),
            (Cell::Count(2_026), "2026"),
            (Cell::Count(10_000), "10,000"),
            (Cell::Count(1_234_567), "1,234,567"),
            (Cell::State("pending_restart"), "pending restart"),
            (Cell::Text("a_b".to_owned()), "a_b"),
            (Cell::Time("2026-11-30T18:58:59.5Z".parse().expect("a time")), "2026-11-30 18:58"),
            (Cell::Percent(33.333), "33.3"),
            (Cell::Absent, ""),
        ] {
            assert_eq!(cell(&of), shown, "{of:?}");
        }
    }
}
