//! Spans of time as administrators write them: `7d`, `1w2d`, `36h`.

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A span of whole minutes, at most [`Interval::LONGEST`].
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Interval(u32);

/// What is no interval.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is no interval: give weeks, days, hours and minutes such as 7d, 1w2d or 36h, at most 366d")]
pub struct IntervalError(pub String);

const UNITS: [(char, u32); 4] = [('w', 7 * 24 * 60), ('d', 24 * 60), ('h', 60), ('m', 1)];

impl Interval {
    /// Minutes of the longest: 366 days.
    pub const LONGEST: u32 = 366 * 24 * 60;
    /// No time at all: as soon as possible.
    pub const ZERO: Self = Self(0);

    /// So many minutes; none if that is more than [`Interval::LONGEST`].
    pub fn minutes(minutes: u32) -> Option<Self> {
        (minutes <= Self::LONGEST).then_some(Self(minutes))
    }

    /// So many days; none if that is more than [`Interval::LONGEST`].
    pub fn days(days: u32) -> Option<Self> {
        days.checked_mul(24 * 60).and_then(Self::minutes)
    }

    /// The time so long after another; the end of time if there is none.
    pub fn after(self, base: Timestamp) -> Timestamp {
        base.checked_add(self.duration()).unwrap_or(Timestamp::MAX)
    }

    /// How long it is.
    pub fn duration(self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.0))
    }
}

impl FromStr for Interval {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Self, IntervalError> {
        let wrong = || IntervalError(text.chars().take(40).collect());
        let mut rest = text.trim().trim_start_matches('+');
        if rest == "0" {
            return Ok(Self::ZERO);
        }
        let (mut total, mut last) = (0_u32, u32::MAX);
        if rest.is_empty() {
            return Err(wrong());
        }
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, tail) = rest.split_at_checked(digits).ok_or_else(wrong)?;
            let unit = tail.chars().next().ok_or_else(wrong)?;
            let (_, size) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
            // each unit once, the larger first: anything else is a slip
            if *size >= last {
                return Err(wrong());
            }
            last = *size;
            let minutes = number.parse::<u32>().ok().and_then(|number| number.checked_mul(*size)).ok_or_else(wrong)?;
            total = total.checked_add(minutes).ok_or_else(wrong)?;
            rest = tail.get(1..).unwrap_or_default();
        }
        Self::minutes(total).ok_or_else(wrong)
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        if rest == 0 {
            return f.write_str("0m");
        }
        // weeks are read, days are written: 10d says more than 1w3d
        for (name, size) in UNITS.iter().skip(1) {
            if rest >= *size {
                write!(f, "{}{name}", rest / size)?;
                rest %= size;
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for Interval {
    type Error = IntervalError;

    fn try_from(text: String) -> Result<Self, IntervalError> {
        text.parse()
    }
}

impl From<Interval> for String {
    fn from(interval: Interval) -> Self {
        interval.to_string()
    }
}
