//! Times as administrators type them: RFC 3339, or from now such as `+3d4h`.

use jiff::{SignedDuration, Timestamp};

use super::AdminError;

/// Offsets beyond this are mistakes, not plans: 10 years.
const FARTHEST_SECONDS: i64 = 10 * 366 * 86_400;

/// Reads a time; `field` is for the message.
pub(crate) fn parse(field: &str, text: &str, now: Timestamp) -> Result<Timestamp, AdminError> {
    let read = match text.trim().strip_prefix('+') {
        Some(offset) => seconds(offset).and_then(|seconds| now.checked_add(SignedDuration::from_secs(seconds)).ok()),
        None => text.trim().parse().ok(),
    };
    read.ok_or_else(|| AdminError::Invalid {
        code: "time",
        detail: format!("{field} is {text:?}"),
        next_step: Some(
            "give RFC 3339 such as 2026-12-24T18:00:00Z, or a time from now such as +3d4h (w, d, h, m, s)".to_owned(),
        ),
    })
}

/// Reads a time of the past: RFC 3339, or so long ago such as `7d`; `field` is for the message.
pub(crate) fn past(field: &str, text: &str, now: Timestamp) -> Result<Timestamp, AdminError> {
    let text = text.trim();
    let read = match seconds(text.trim_start_matches('-')) {
        Some(ago) => now.checked_sub(SignedDuration::from_secs(ago)).ok(),
        None => text.parse().ok(),
    };
    read.ok_or_else(|| AdminError::Invalid {
        code: "time",
        detail: format!("{field} is {text:?}"),
        next_step: Some(
            "give RFC 3339 such as 2026-12-24T18:00:00Z, or how long ago such as 7d or 1d12h (w, d, h, m, s)"
                .to_owned(),
        ),
    })
}

fn seconds(offset: &str) -> Option<i64> {
    const UNITS: [(char, i64); 5] = [('w', 7 * 86_400), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
    let mut rest = offset;
    let mut total = 0_i64;
    let mut last = i64::MAX;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at_checked(digits)?;
        let unit = tail.chars().next()?;
        let (_, size) = *UNITS.iter().find(|(name, _)| *name == unit)?;
        // each unit once, the larger first: anything else is a slip
        if size >= last {
            return None;
        }
        last = size;
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(size)?)?;
        rest = tail.get(1..)?;
    }
    (total <= FARTHEST_SECONDS).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_counts_backwards() {
        let now: Timestamp = "2026-03-08T00:00:00Z".parse().expect("timestamp");
        let read = |text: &str| past("since", text, now).map(|at| at.to_string());
        assert_eq!(read("7d").expect("valid"), "2026-03-01T00:00:00Z");
        assert_eq!(read("-1h30m").expect("valid"), "2026-03-07T22:30:00Z");
        assert_eq!(read("2026-01-01T00:00:00Z").expect("valid"), "2026-01-01T00:00:00Z");
        for wrong in ["", "-", "7", "yesterday", "+7d"] {
            assert_eq!(read(wrong).expect_err(wrong).problem().code, "time", "{wrong}");
        }
    }

    #[test]
    fn offsets_count_from_now_and_other_times_are_absolute() {
        let now: Timestamp = "2026-03-01T00:00:00Z".parse().expect("timestamp");
        let read = |text: &str| parse("deadline", text, now).map(|at| at.to_string());
        assert_eq!(read("+3d4h").expect("valid"), "2026-03-04T04:00:00Z");
        assert_eq!(read("+1w").expect("valid"), "2026-03-08T00:00:00Z");
        assert_eq!(read("+0s").expect("valid"), "2026-03-01T00:00:00Z");
        assert_eq!(read("2026-12-24T18:00:00+01:00").expect("valid"), "2026-12-24T17:00:00Z");
        for wrong in
            ["", "+", "3d", "+3", "+d", "+4h3d", "+1d1d", "+3é", "tomorrow", "+99999999999999999999d", "+20000d"]
        {
            let error = read(wrong).expect_err(wrong);
            assert_eq!(error.problem().code, "time", "{wrong}");
        }
    }
}
