//! Moments, days and ages.

use std::{cmp::Ordering, fmt, str::FromStr};

use jiff::{
    SignedDuration, Span, Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};

/// Largest count of an age.
const OLDEST: u32 = 99_999;

/// A moment as it is written.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum When {
    /// So long ago.
    Age(Age),
    /// Exactly then.
    At(Timestamp),
    /// That day in UTC.
    Day(Date),
}

/// How long ago: months and years are those of the calendar, in UTC.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Age {
    count: u32,
    unit: AgeUnit,
}

/// Unit of an age.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum AgeUnit {
    /// Of 60 seconds.
    Minutes,
    /// Of 60 minutes.
    Hours,
    /// Of 24 hours.
    Days,
    /// Of 7 days.
    Weeks,
    /// Of the calendar.
    Months,
    /// Of the calendar.
    Years,
}

impl When {
    /// Whether an instant is before, within or after what is written. Within is `Equal`. Ages are bound before.
    pub(in crate::expression) fn compare(self, instant: Timestamp, now: Timestamp) -> Ordering {
        match self {
            Self::Age(age) => instant.cmp(&age.before(now)),
            Self::At(at) => instant.cmp(&at),
            Self::Day(day) => {
                // a day that begins behind the last instant is after all of them
                if start(day).is_none_or(|start| instant < start) {
                    return Ordering::Less;
                }
                let next = day.tomorrow().ok().and_then(start);
                if next.is_some_and(|next| instant >= next) { Ordering::Greater } else { Ordering::Equal }
            }
        }
    }
}

/// The first instant of a day in UTC; none if it lies behind the last one there is, which is within 9999-12-30.
fn start(day: Date) -> Option<Timestamp> {
    day.to_datetime(Time::midnight()).to_zoned(TimeZone::UTC).ok().map(|start| start.timestamp())
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() == 10 {
            if let Ok(day) = text.parse::<Date>() {
                let known = start(day).map(|_| Self::Day(day));
                return known.ok_or_else(|| "a day up to 9999-12-30".to_owned());
            }
        }
        if let Ok(at) = text.parse() {
            return Ok(Self::At(at));
        }
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (count, unit) = text.split_at_checked(end).unwrap_or((text, ""));
        let unit = AgeUnit::named(unit.trim());
        match (count.parse::<u32>(), unit) {
            (Ok(count), Some(unit)) if count <= OLDEST => Ok(Self::Age(Age { count, unit })),
            _ => {
                Err("a day such as 2026-01-31, a time such as 2026-01-31T08:00:00Z or an age such as 30 days"
                    .to_owned())
            }
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Age(age) => age.fmt(f),
            Self::At(at) => at.fmt(f),
            Self::Day(day) => day.fmt(f),
        }
    }
}

impl Age {
    /// So much of that unit; none above 99,999.
    pub fn new(count: u32, unit: AgeUnit) -> Option<Self> {
        (count <= OLDEST).then_some(Self { count, unit })
    }

    /// The instant that was so long ago.
    pub fn before(self, now: Timestamp) -> Timestamp {
        let then = match self.exact() {
            Some(duration) => now.checked_sub(duration).ok(),
            None => {
                let count = i64::from(self.count);
                let span = match self.unit {
                    AgeUnit::Years => Span::new().try_years(count),
                    _ => Span::new().try_months(count),
                };
                let zoned = now.to_zoned(TimeZone::UTC);
                span.ok().and_then(|span| zoned.checked_sub(span).ok()).map(|zoned| zoned.timestamp())
            }
        };
        then.unwrap_or(Timestamp::MIN)
    }

    /// The first second after `now` in which something of `then` is older than this; none if it is already, or never.
    pub(in crate::expression) fn turns(self, then: Timestamp, now: Timestamp) -> Option<Timestamp> {
        if self.before(now) > then {
            return None;
        }
        if let Some(duration) = self.exact() {
            return then.checked_add(duration + SignedDuration::from_secs(1)).ok();
        }
        let months = i64::from(self.count) * if self.unit == AgeUnit::Years { 12 } else { 1 };
        let (mut low, mut high) = (now.as_second(), then.as_second().checked_add((months * 31 + 5) * 86_400)?);
        // `before` never goes back while time goes on, so that halving finds the turn
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if Timestamp::from_second(middle).is_ok_and(|middle| self.before(middle) <= then) {
                low = middle;
            } else {
                high = middle;
            }
        }
        Timestamp::from_second(high).ok()
    }

    fn exact(self) -> Option<SignedDuration> {
        let seconds = match self.unit {
            AgeUnit::Minutes => 60,
            AgeUnit::Hours => 3_600,
            AgeUnit::Days => 86_400,
            AgeUnit::Weeks => 7 * 86_400,
            AgeUnit::Months | AgeUnit::Years => return None,
        };
        Some(SignedDuration::from_secs(i64::from(self.count) * seconds))
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.unit {
            AgeUnit::Minutes => "minute",
            AgeUnit::Hours => "hour",
            AgeUnit::Days => "day",
            AgeUnit::Weeks => "week",
            AgeUnit::Months => "month",
            AgeUnit::Years => "year",
        };
        write!(f, "{} {name}{}", self.count, if self.count == 1 { "" } else { "s" })
    }
}

impl AgeUnit {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "minute" | "minutes" | "min" => Some(Self::Minutes),
            "h" | "hour" | "hours" => Some(Self::Hours),
            "d" | "day" | "days" => Some(Self::Days),
            "w" | "week" | "weeks" => Some(Self::Weeks),
            "month" | "months" => Some(Self::Months),
            "y" | "year" | "years" => Some(Self::Years),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_behind_the_last_instant_is_refused_and_compared_right() {
        assert!("9999-12-31".parse::<When>().is_err());
        assert!("9999-12-30".parse::<When>().is_ok() && "0001-01-01".parse::<When>().is_ok());
        let now: Timestamp = "2026-03-01T00:00:00Z".parse().expect("an instant");
        let last = When::Day("9999-12-31".parse().expect("a day"));
        assert_eq!(last.compare(now, now), Ordering::Less);
        assert_eq!(last.compare(Timestamp::MAX, now), Ordering::Less);
        let day = When::Day("2026-03-01".parse().expect("a day"));
        assert_eq!(day.compare(now, now), Ordering::Equal);
        assert_eq!(day.compare(Timestamp::MAX, now), Ordering::Greater);
    }
}
