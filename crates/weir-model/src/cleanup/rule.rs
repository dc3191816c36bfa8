//! What an administrator decides about clean-up.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

/// Months that a superseded update may wait.
pub const MOST_MONTHS: u8 = 99;
/// Days that something may be kept: ten years.
pub const MOST_DAYS: u32 = 3_650;

/// When a superseded update is declined.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Wait {
    /// Never by itself.
    #[default]
    Off,
    /// As soon as it is superseded.
    Immediately,
    /// So many months after what supersedes it was made, 1 to [`MOST_MONTHS`].
    Months(u8),
}

/// Text that is no [`Wait`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} says no time: give off, immediately, or months:N with N from 1 to {MOST_MONTHS}")]
pub struct WaitError(String);

impl Wait {
    /// When an update may be declined that something supersedes which was made at `since`; none while it is off, or if the
    /// calendar ends before.
    pub fn due(self, since: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Off => None,
            Self::Immediately => Some(since),
            Self::Months(months) => {
                let zoned = since.to_zoned(TimeZone::UTC);
                zoned.checked_add(i64::from(months).months()).ok().map(|due| due.timestamp())
            }
        }
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Immediately => f.write_str("immediately"),
            Self::Months(months) => write!(f, "months:{months}"),
        }
    }
}

impl FromStr for Wait {
    type Err = WaitError;

    fn from_str(text: &str) -> Result<Self, WaitError> {
        let wrong = || WaitError(text.chars().take(80).collect());
        let lower = text.trim().to_ascii_lowercase();
        match lower.as_str() {
            "off" => Ok(Self::Off),
            "immediately" => Ok(Self::Immediately),
            other => {
                let months = other.strip_prefix("months:").ok_or_else(wrong)?;
                if months.is_empty() || !months.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(wrong());
                }
                let months: u8 = months.parse().map_err(|_| wrong())?;
                if (1..=MOST_MONTHS).contains(&months) { Ok(Self::Months(months)) } else { Err(wrong()) }
            }
        }
    }
}

/// The rules. Days of 0 mean never.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rules {
    /// About superseded feature updates.
    pub features: Wait,
    /// About all other superseded updates.
    pub others: Wait,
    /// A superseded update stays while what replaces it is not deployed where it is.
    pub keep_until_deployed: bool,
    /// A superseded update stays while it is made for a product that what replaces it is not made for.
    pub keep_narrower: bool,
    /// Days until a withdrawn update is removed that is neither deployed nor in a group.
    pub expired_days: u32,
    /// Days until a declined update is removed.
    pub declined_days: u32,
    /// Days until a revision is removed that a newer one took the place of.
    pub obsolete_days: u32,
}

impl Default for Rules {
    /// Nothing is declined by itself, since that changes what computers are offered. What no computer is offered goes after
    /// a while.
    fn default() -> Self {
        Self {
            features: Wait::Off,
            others: Wait::Off,
            keep_until_deployed: true,
            keep_narrower: true,
            expired_days: 7,
            declined_days: 30,
            obsolete_days: 30,
        }
    }
}

/// Whether so many days have passed since then; never if they are 0.
pub(super) fn passed(days: u32, since: Timestamp, now: Timestamp) -> bool {
    let span = jiff::SignedDuration::from_hours(24 * i64::from(days.min(MOST_DAYS)));
    days > 0 && now.duration_since(since) >= span
}
