use std::fmt;

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, date},
    tz::TimeZone,
};

use crate::status::Counts;

/// Days that a series may span, from its first point to its last: ten years.
pub const LONGEST_DAYS: u32 = 3_660;

/// Day 0.
const EPOCH: Date = date(1970, 1, 1);
/// The last day that [`Day`] holds: 9998-12-31, so that each has a next one.
const LAST: i32 = 2_932_531;

/// A day of the calendar, from 1970-01-01 to 9998-12-31.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Day(i32);

impl Day {
    /// The day of that number, counted from 1970-01-01; none outside of the range.
    pub fn from_number(number: i64) -> Option<Self> {
        i32::try_from(number).ok().filter(|number| (0..=LAST).contains(number)).map(Self)
    }

    /// A date; the nearest day of the range if it is outside.
    pub fn of(date: Date) -> Self {
        let days = date.since(EPOCH).map_or(0, |span| span.get_days());
        Self(days.clamp(0, LAST))
    }

    /// The day of an instant in a zone.
    pub fn at(instant: Timestamp, zone: &TimeZone) -> Self {
        Self::of(instant.to_zoned(zone.clone()).date())
    }

    /// Its number, counted from 1970-01-01.
    pub fn number(self) -> i32 {
        self.0
    }

    /// Its date.
    pub fn date(self) -> Date {
        EPOCH.saturating_add(self.0.days())
    }

    /// So many days later, the last day at most.
    #[must_use]
    pub fn plus(self, days: u32) -> Self {
        Self(self.0.saturating_add_unsigned(days).min(LAST))
    }

    /// So many days earlier, 1970-01-01 at least.
    #[must_use]
    pub fn minus(self, days: u32) -> Self {
        Self(self.0.saturating_sub_unsigned(days).max(0))
    }

    /// Its end in a zone: the beginning of the next day, which a change of the clocks may put off.
    pub fn end(self, zone: &TimeZone) -> Timestamp {
        let next = Self(self.0.saturating_add(1)).date();
        next.to_zoned(zone.clone()).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.date().fmt(f)
    }
}

/// One day.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Point {
    /// Which.
    pub day: Day,
    /// Computers by the one state of each, when it was last looked at on that day.
    pub counts: Counts,
}

/// What recording did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Recorded {
    /// The day is new.
    Added,
    /// The day had other counts.
    Replaced,
    /// The day had these counts.
    Same,
}

/// The points of one subject in the order of their days, one a day.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Series(Vec<Point>);

/// Installed and not applicable in percent of all computers, unknown ones included; none without computers.
pub fn percent(counts: &Counts) -> Option<f64> {
    counts.summary().percent
}

impl Series {
    /// The points, by day.
    pub fn points(&self) -> &[Point] {
        &self.0
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes the counts of a day in place of those that it had. Of a series that would span more than [`LONGEST_DAYS`] the
    /// oldest days are dropped. Counts above `u32::MAX` are noted as that.
    ///
    /// A day before the last one is put where it belongs (the clock was set back, or the zone changed); days after it stay,
    /// since the clock may be right again tomorrow. Readers leave out what is after today.
    pub fn record(&mut self, day: Day, counts: Counts) -> Recorded {
        let point = Point { day, counts: bounded(counts) };
        let recorded = match self.0.binary_search_by_key(&day, |point| point.day) {
            Ok(index) => match self.0.get_mut(index) {
                Some(known) if *known != point => {
                    *known = point;
                    Recorded::Replaced
                }
                _ => Recorded::Same,
            },
            Err(index) => {
                self.0.insert(index, point);
                Recorded::Added
            }
        };
        if let Some(last) = self.0.last() {
            let first = last.day.minus(LONGEST_DAYS - 1);
            self.trim(first);
        }
        recorded
    }

    /// Drops the days before this one.
    pub fn trim(&mut self, first: Day) {
        self.0.retain(|point| point.day >= first);
    }

    /// Drops the days after this one.
    pub fn until(&mut self, last: Day) {
        self.0.retain(|point| point.day <= last);
    }

    /// Takes the points of another part of the same subject over. Where both have a day, the other's counts.
    pub fn join(&mut self, other: &Self) {
        for point in &other.0 {
            self.record(point.day, point.counts);
        }
    }

    /// The point of a day.
    pub fn on(&self, day: Day) -> Option<&Point> {
        self.0.get(self.0.binary_search_by_key(&day, |point| point.day).ok()?)
    }

    /// Every day from the first to the last that is asked for, with its point; none for a gap.
    pub fn days(&self, first: Day, last: Day) -> impl Iterator<Item = (Day, Option<&Point>)> {
        (first.number()..=last.number()).map(|number| (Day(number), self.on(Day(number))))
    }

    /// From points that are in order already.
    pub(super) fn from_points(points: Vec<Point>) -> Self {
        Self(points)
    }
}

fn bounded(counts: Counts) -> Counts {
    let most = u64::from(u32::MAX);
    Counts {
        unknown: counts.unknown.min(most),
        not_applicable: counts.not_applicable.min(most),
        required: counts.required.min(most),
        downloaded: counts.downloaded.min(most),
        installed: counts.installed.min(most),
        failed: counts.failed.min(most),
        pending_restart: counts.pending_restart.min(most),
    }
}
