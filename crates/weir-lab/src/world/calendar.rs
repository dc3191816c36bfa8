//! Months of releases.

use std::fmt;

use jiff::{
    Span, Timestamp,
    civil::{Date, DateTime, Weekday},
    tz::TimeZone,
};

/// A month, counted from January of the year 0.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Month(i32);

impl Month {
    /// A month of a year.
    pub fn new(year: i16, month: i8) -> Self {
        Self(i32::from(year) * 12 + i32::from(month) - 1)
    }

    /// The newest month whose second Tuesday is on or before `date`.
    pub fn released_by(date: Date) -> Self {
        let month = Self::new(date.year(), date.month());
        if month.second_tuesday() <= date { month } else { month.back(1) }
    }

    /// So many months before.
    pub fn back(self, months: i32) -> Self {
        Self(self.0 - months)
    }

    /// Months since `other`, negative before it.
    pub fn since(self, other: Self) -> i32 {
        self.0 - other.0
    }

    fn first(self) -> Date {
        Date::new((self.0.div_euclid(12)) as i16, (self.0.rem_euclid(12) + 1) as i8, 1).unwrap_or(Date::ZERO)
    }

    /// The day of its security updates.
    pub fn second_tuesday(self) -> Date {
        self.first().nth_weekday_of_month(2, Weekday::Tuesday).unwrap_or(self.first())
    }

    /// The day of its previews: two weeks later.
    pub fn preview_day(self) -> Date {
        self.second_tuesday().saturating_add(Span::new().days(14))
    }
}

impl fmt::Display for Month {
    /// `2026-11`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

/// The instant of a day at which releases come: 17:00 UTC.
pub(super) fn instant(day: Date, minutes: i64) -> Timestamp {
    let at: DateTime = day.at(17, 0, 0, 0).saturating_add(Span::new().minutes(minutes));
    at.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn months_begin_with_their_second_tuesday() {
        let november = Month::new(2026, 11);
        assert_eq!(november.second_tuesday(), date(2026, 11, 10));
        assert_eq!(Month::released_by(date(2026, 11, 10)), november);
        assert_eq!(Month::released_by(date(2026, 11, 9)), november.back(1));
        assert_eq!(Month::new(2026, 1).back(1), Month::new(2025, 12));
        assert_eq!(Month::new(2026, 1).back(1).to_string(), "2025-12");
        assert_eq!(november.preview_day(), date(2026, 11, 24));
        assert_eq!(instant(date(2026, 11, 10), 61).to_string(), "2026-11-10T18:01:00Z");
    }
}
