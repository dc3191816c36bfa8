//! Recurrences: when something happens again and again, in the time of a zone.
//!
//! [`Recurrence`] is made from its text form ([`Recurrence::from_str`](std::str::FromStr), `every 7 days at 02:00`,
//! `monthly second tuesday +1 at 02:00 Europe/Amsterdam`), which its `Display` writes again, or from its serialized form.
//! [`Recurrence::next_after`] says when it comes next, [`Recurrence::describe`] says it in words.
//!
//! Zones come from the database inside the program, so the same text means the same everywhere. *Invariant:* an
//! occurrence in a gap of the clocks (daylight saving begins) is at the end of the gap; one in a fold (it ends) is at
//! the first of the two times. So each happens once.

mod next;
mod text;

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fmt, str::FromStr, sync::LazyLock};

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::{TimeZone, TimeZoneDatabase},
};
use serde::{Deserialize, Serialize};

pub use self::{next::instant, text::ScheduleError};

/// The IANA zones.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Entries of the database that name no place: links to the zone of the machine it was made for, and the zone of one that
/// nobody has set up.
const NO_ZONES: [&str; 3] = ["Factory", "localtime", "posixrules"];

/// A time zone by its IANA name.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    /// Its name, such as `Europe/Amsterdam`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its rules.
    pub fn time_zone(&self) -> &TimeZone {
        &self.zone
    }
}

impl FromStr for Zone {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let unknown = || ScheduleError::Zone(text.chars().take(80).collect());
        if NO_ZONES.iter().any(|name| name.eq_ignore_ascii_case(text.trim())) {
            return Err(unknown());
        }
        let zone = ZONES.get(text.trim()).map_err(|_| unknown())?;
        let name = zone.iana_name().ok_or_else(unknown)?.to_owned();
        Ok(Self { name, zone })
    }
}

impl TryFrom<String> for Zone {
    type Error = ScheduleError;

    fn try_from(text: String) -> Result<Self, ScheduleError> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "their names say it")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// Which of the days of a month that fall on the same weekday.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "their names say it")]
pub enum Nth {
    First,
    Second,
    Third,
    Fourth,
    Last,
}

/// What repeats. Every count is at least 1.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Pattern {
    /// Every so many hours of elapsed time from the start on.
    Hours {
        /// 1 to 8,760.
        every: u16,
    },
    /// Every so many days from the start date on.
    Days {
        /// 1 to 3,660.
        every: u16,
    },
    /// On days of the week, every so many weeks from that of the start date on. A week begins on Monday.
    Weeks {
        /// 1 to 520.
        every: u16,
        /// The days; none is that of the start date.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        days: BTreeSet<Weekday>,
    },
    /// On a day of the month.
    MonthDay {
        /// Every so many months from that of the start date on: 1 to 120.
        every: u16,
        /// 1 to 31; in a month that is shorter, its last day.
        day: u8,
    },
    /// On a weekday of the month, or some days before or after it.
    MonthWeekday {
        /// Every so many months from that of the start date on: 1 to 120.
        every: u16,
        /// Which of them.
        nth: Nth,
        /// The weekday.
        weekday: Weekday,
        /// Days after it, or before it if negative: -31 to 31. It may lead into another month.
        #[serde(default)]
        offset: i8,
    },
}

/// When something happens again and again.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "text::Raw", into = "text::Raw")]
pub struct Recurrence {
    pattern: Pattern,
    at: Time,
    start: Option<Date>,
    zone: Option<Zone>,
}

impl Recurrence {
    /// What repeats.
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// At what time of the day; of hours, the time of the first one.
    pub fn at(&self) -> Time {
        self.at
    }

    /// The first day that counts.
    pub fn start(&self) -> Option<Date> {
        self.start
    }

    /// Its own zone; without one it follows the site's.
    pub fn zone(&self) -> Option<&Zone> {
        self.zone.as_ref()
    }

    /// Whether it counts from its start date, so that it needs one to be the same tomorrow.
    pub fn counts_from_start(&self) -> bool {
        match &self.pattern {
            Pattern::Hours { .. } => true,
            Pattern::Days { every } => *every > 1,
            Pattern::Weeks { every, days } => *every > 1 || days.is_empty(),
            Pattern::MonthDay { every, .. } | Pattern::MonthWeekday { every, .. } => *every > 1,
        }
    }

    /// The same with a start date, if it counts from one and has none: the day after `now`'s, or `now`'s own if the time
    /// of the day is still to come.
    #[must_use]
    pub fn anchored(mut self, now: Timestamp, site: &TimeZone) -> Self {
        if self.start.is_none() && self.counts_from_start() {
            let here = now.to_zoned(self.zone_or(site).clone()).datetime();
            self.start = if self.at > here.time() { Some(here.date()) } else { here.date().tomorrow().ok() };
        }
        self
    }

    /// The same from this day on.
    #[must_use]
    pub fn starting(mut self, start: Date) -> Self {
        self.start = Some(start);
        self
    }

    /// The same in the time of this zone; none: the time of whoever asks.
    #[must_use]
    pub fn in_zone(mut self, zone: Option<Zone>) -> Self {
        self.zone = zone;
        self
    }

    /// When it comes next, strictly after `now`; none if never again within the calendar (year 9999). `site` is the zone
    /// of a recurrence without one of its own.
    pub fn next_after(&self, now: Timestamp, site: &TimeZone) -> Option<Timestamp> {
        next::after(self, now, self.zone_or(site))
    }

    /// The next `count` occurrences after `now`.
    pub fn next_times(&self, now: Timestamp, site: &TimeZone, count: usize) -> Vec<Timestamp> {
        let first = self.next_after(now, site);
        std::iter::successors(first, |last| self.next_after(*last, site)).take(count).collect()
    }

    fn zone_or<'z>(&'z self, site: &'z TimeZone) -> &'z TimeZone {
        self.zone.as_ref().map_or(site, Zone::time_zone)
    }
}
