//! Values of settings: their text form and what is one.

use std::{fmt, str::FromStr};

use super::definition::{Definition, Kind};
use crate::schedule::{Pattern, Recurrence, ScheduleError, Weekday};

/// What a period is counted in.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum PeriodUnit {
    /// Hours.
    Hours,
    /// Days.
    Days,
}

/// 1 to 23 hours, or 1 to 365 days.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Period {
    count: u16,
    unit: PeriodUnit,
}

impl Period {
    /// A period, unless it is out of range.
    pub fn new(count: u16, unit: PeriodUnit) -> Option<Self> {
        let most = match unit {
            PeriodUnit::Hours => 23,
            PeriodUnit::Days => 365,
        };
        (1..=most).contains(&count).then_some(Self { count, unit })
    }

    /// How many hours it has.
    pub fn hours(self) -> u32 {
        match self.unit {
            PeriodUnit::Hours => self.count.into(),
            PeriodUnit::Days => 24 * u32::from(self.count),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            PeriodUnit::Hours => "hour",
            PeriodUnit::Days => "day",
        };
        write!(f, "{} {unit}{}", self.count, if self.count == 1 { "" } else { "s" })
    }
}

impl FromStr for Period {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.trim();
        let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let count = text.strip_suffix(digits).unwrap_or_default().parse().map_err(drop)?;
        let unit = match digits.trim_start().to_ascii_lowercase().as_str() {
            "h" | "hour" | "hours" => PeriodUnit::Hours,
            "d" | "day" | "days" => PeriodUnit::Days,
            _ => return Err(()),
        };
        Self::new(count, unit).ok_or(())
    }
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// One of the words of the setting.
    Choice(&'static str),
    /// Yes or no.
    Flag(bool),
    /// A number in the unit of the setting.
    Number(u32),
    /// A period.
    Period(Period),
    /// A recurrence.
    Schedule(Box<Recurrence>),
    /// Text in one line.
    Text(String),
}

/// Why a text is no value of a setting.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ValueError {
    /// Another kind of value, or out of range.
    #[error("{value:?} is no value of {key}: it takes {}", kind.describe())]
    Kind {
        /// The setting.
        key: &'static str,
        /// What was given.
        value: String,
        /// What it takes.
        kind: Kind,
    },
    /// Not a schedule.
    #[error("{key}: {source}")]
    Schedule {
        /// The setting.
        key: &'static str,
        /// What is wrong.
        source: ScheduleError,
    },
}

impl Definition {
    /// Reads a value in its text form.
    pub fn read(&self, text: &str) -> Result<Value, ValueError> {
        let trimmed = text.trim();
        let read = match self.kind {
            Kind::Choice(words) => {
                words.iter().find(|word| word.eq_ignore_ascii_case(trimmed)).map(|word| Value::Choice(word))
            }
            Kind::Flag => match trimmed.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Some(Value::Flag(true)),
                "false" | "no" | "off" | "0" => Some(Value::Flag(false)),
                _ => None,
            },
            Kind::Number { least, most, .. } => {
                let digits = !trimmed.is_empty() && trimmed.bytes().all(|byte| byte.is_ascii_digit());
                let number = if digits { trimmed.parse().ok() } else { None };
                number.filter(|number| (least..=most).contains(number)).map(Value::Number)
            }
            Kind::Period => trimmed.parse().ok().map(Value::Period),
            Kind::Schedule => {
                let schedule = trimmed.parse::<Recurrence>();
                let schedule = schedule.map_err(|source| ValueError::Schedule { key: self.key, source })?;
                Some(Value::Schedule(Box::new(schedule)))
            }
            Kind::Text(most) => {
                let fits = trimmed.chars().count() <= most && !trimmed.chars().any(char::is_control);
                fits.then(|| Value::Text(trimmed.to_owned()))
            }
        };
        read.ok_or_else(|| ValueError::Kind { key: self.key, value: text.chars().take(80).collect(), kind: self.kind })
    }

    /// Its value if nobody set it.
    pub fn default_value(&self) -> Value {
        // every default is read in a test; a text stands in for what can then not happen
        self.read(self.default).unwrap_or_else(|_| Value::Text(self.default.to_owned()))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Choice(word) => f.write_str(word),
            Self::Flag(flag) => flag.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Period(period) => period.fmt(f),
            Self::Schedule(schedule) => schedule.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// The shortest time between two occurrences of a scan schedule, in hours. Less than a day counts as one day (CS-2).
pub fn scan_interval_hours(schedule: &Recurrence) -> u32 {
    shortest_hours(schedule).max(24)
}

/// The shortest time between two occurrences, in hours, leaving changes of clocks aside.
pub(super) fn shortest_hours(schedule: &Recurrence) -> u32 {
    const DAY: u32 = 24;
    match schedule.pattern() {
        Pattern::Hours { every } => (*every).into(),
        Pattern::Days { every } => DAY * u32::from(*every),
        Pattern::Weeks { every, days } => {
            let week = 7 * DAY;
            let numbers: Vec<u32> = days.iter().map(|day| number(*day)).collect();
            let within = numbers.windows(2).filter_map(|pair| match pair {
                [one, two] => Some(DAY * (two - one)),
                _ => None,
            });
            let around = match (numbers.first(), numbers.last()) {
                (Some(first), Some(last)) => week * u32::from(*every) - DAY * (last - first),
                _ => week * u32::from(*every),
            };
            within.chain([around]).min().unwrap_or(week)
        }
        // the shortest month has 28 days; an offset does not change the distance by more than its weekday can
        Pattern::MonthDay { every, .. } | Pattern::MonthWeekday { every, .. } => 28 * DAY * u32::from(*every),
    }
}

fn number(day: Weekday) -> u32 {
    match day {
        Weekday::Monday => 0,
        Weekday::Tuesday => 1,
        Weekday::Wednesday => 2,
        Weekday::Thursday => 3,
        Weekday::Friday => 4,
        Weekday::Saturday => 5,
        Weekday::Sunday => 6,
    }
}
