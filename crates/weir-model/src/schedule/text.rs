//! The text form, the serialized form, and the words of a recurrence.

use std::{collections::BTreeSet, fmt, str::FromStr};

use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use super::{Nth, Pattern, Recurrence, Weekday, Zone};

/// Why a text is no schedule. Each names the word that is wrong.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ScheduleError {
    /// A word where another belongs.
    #[error("{word:?} does not belong here: {expected} was expected{}", after(before))]
    Word {
        /// The word.
        word: String,
        /// What stands before it.
        before: String,
        /// What could stand there.
        expected: &'static str,
    },
    /// The text ends too early.
    #[error("the schedule ends too early: {expected} was expected{}", after(before))]
    End {
        /// What was read.
        before: String,
        /// What could follow.
        expected: &'static str,
    },
    /// A number outside its range.
    #[error("{what} {value} is not from {least} to {most}")]
    Range {
        /// Of what.
        what: &'static str,
        /// What was given.
        value: i64,
        /// The smallest that is taken.
        least: i64,
        /// The largest that is taken.
        most: i64,
    },
    /// Not a zone.
    #[error("{0:?} is no time zone; use an IANA name such as Europe/Amsterdam or UTC")]
    Zone(String),
    /// Longer than any schedule.
    #[error("a schedule has at most {LONGEST} characters")]
    Long,
}

fn after(before: &str) -> String {
    if before.is_empty() { String::new() } else { format!(" after {before:?}") }
}

/// Characters that a text may have.
const LONGEST: usize = 500;

/// The serialized form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pattern: Pattern,
    at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    zone: Option<Zone>,
}

impl TryFrom<Raw> for Recurrence {
    type Error = ScheduleError;

    fn try_from(raw: Raw) -> Result<Self, ScheduleError> {
        let Raw { pattern, at, start, zone } = raw;
        check(&pattern)?;
        range("the fraction of a second", at.subsec_nanosecond().into(), 0, 0)?;
        Ok(Self { pattern, at, start, zone })
    }
}

impl From<Recurrence> for Raw {
    fn from(recurrence: Recurrence) -> Self {
        let Recurrence { pattern, at, start, zone } = recurrence;
        Self { pattern, at, start, zone }
    }
}

fn range(what: &'static str, value: i64, least: i64, most: i64) -> Result<i64, ScheduleError> {
    if (least..=most).contains(&value) { Ok(value) } else { Err(ScheduleError::Range { what, value, least, most }) }
}

fn check(pattern: &Pattern) -> Result<(), ScheduleError> {
    match pattern {
        Pattern::Hours { every } => range("the number of hours", (*every).into(), 1, 8_760),
        Pattern::Days { every } => range("the number of days", (*every).into(), 1, 3_660),
        Pattern::Weeks { every, .. } => range("the number of weeks", (*every).into(), 1, 520),
        Pattern::MonthDay { every, day } => {
            range("the day of the month", (*day).into(), 1, 31)?;
            range("the number of months", (*every).into(), 1, 120)
        }
        Pattern::MonthWeekday { every, offset, .. } => {
            range("the offset in days", (*offset).into(), -31, 31)?;
            range("the number of months", (*every).into(), 1, 120)
        }
    }
    .map(drop)
}

const WEEKDAYS: [(Weekday, &str, &str); 7] = [
    (Weekday::Monday, "monday", "Monday"),
    (Weekday::Tuesday, "tuesday", "Tuesday"),
    (Weekday::Wednesday, "wednesday", "Wednesday"),
    (Weekday::Thursday, "thursday", "Thursday"),
    (Weekday::Friday, "friday", "Friday"),
    (Weekday::Saturday, "saturday", "Saturday"),
    (Weekday::Sunday, "sunday", "Sunday"),
];

const NTHS: [(Nth, &str); 5] = [
    (Nth::First, "first"),
    (Nth::Second, "second"),
    (Nth::Third, "third"),
    (Nth::Fourth, "fourth"),
    (Nth::Last, "last"),
];

impl Weekday {
    fn word(self) -> &'static str {
        WEEKDAYS.iter().find(|(day, ..)| *day == self).map_or("", |(_, word, _)| word)
    }

    fn name(self) -> &'static str {
        WEEKDAYS.iter().find(|(day, ..)| *day == self).map_or("", |(.., name)| name)
    }

    /// The day of a word: its name or the first three letters of it.
    fn read(word: &str) -> Option<Self> {
        let is = |full: &str| full == word || full.get(..3) == Some(word);
        WEEKDAYS.iter().find(|(_, full, _)| is(full)).map(|(day, ..)| *day)
    }
}

impl Nth {
    fn word(self) -> &'static str {
        NTHS.iter().find(|(nth, _)| *nth == self).map_or("", |(_, word)| word)
    }
}

/// The words of a text, one after the other.
struct Words<'t> {
    text: &'t str,
    /// Where the next word may begin.
    at: usize,
}

const UNITS: &str = "hours, days, weeks, months or a weekday";
const DAY_OF_MONTH: &str = "a day from 1 to 31, or a weekday such as second tuesday, or last day";

impl<'t> Words<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default().trim_start()
    }

    fn peek(&self) -> Option<&'t str> {
        self.rest().split_whitespace().next()
    }

    /// The next word in lower case.
    fn lower(&self) -> Option<String> {
        self.peek().map(str::to_lowercase)
    }

    fn skip(&mut self) {
        let rest = self.rest();
        let length = rest.split_whitespace().next().map_or(0, str::len);
        self.at = self.text.len() - rest.len() + length;
    }

    /// Passes over the next word if it is this one.
    fn take(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|next| next.eq_ignore_ascii_case(word));
        if found {
            self.skip();
        }
        found
    }

    /// What is wrong with the next word.
    fn wrong(&self, expected: &'static str) -> ScheduleError {
        let before = self.text.get(..self.at).unwrap_or_default().trim().to_owned();
        match self.peek() {
            Some(word) => ScheduleError::Word { word: word.to_owned(), before, expected },
            None => ScheduleError::End { before, expected },
        }
    }
}

impl FromStr for Recurrence {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        if text.len() > LONGEST {
            return Err(ScheduleError::Long);
        }
        let mut words = Words { text, at: 0 };
        let pattern = pattern(&mut words)?;
        check(&pattern)?;
        let (mut at, mut start, mut zone) = (None, None, None);
        while let Some(word) = words.lower() {
            match word.as_str() {
                "at" if at.is_none() => {
                    words.skip();
                    let expected = "a time of day such as 02:00";
                    let read = words.peek().and_then(time).ok_or_else(|| words.wrong(expected))?;
                    words.skip();
                    at = Some(read);
                }
                "from" if start.is_none() => {
                    words.skip();
                    let expected = "a date such as 2026-12-31";
                    let read: Date = words.peek().and_then(date).ok_or_else(|| words.wrong(expected))?;
                    words.skip();
                    start = Some(read);
                }
                _ if zone.is_none() && at.is_some() => {
                    let read: Zone = words.peek().unwrap_or_default().parse()?;
                    words.skip();
                    zone = Some(read);
                }
                _ => return Err(words.wrong(if at.is_none() { "at and a time of day" } else { "nothing more" })),
            }
        }
        let at = match (at, &pattern) {
            (Some(at), _) => at,
            (None, Pattern::Hours { .. }) => Time::midnight(),
            (None, _) => return Err(words.wrong("at and a time of day")),
        };
        Ok(Self { pattern, at, start, zone })
    }
}

fn pattern(words: &mut Words<'_>) -> Result<Pattern, ScheduleError> {
    let first = words.lower().unwrap_or_default();
    match first.as_str() {
        "daily" => {
            words.skip();
            Ok(Pattern::Days { every: 1 })
        }
        "every" => {
            words.skip();
            every(words)
        }
        "hourly" => {
            words.skip();
            Ok(Pattern::Hours { every: 1 })
        }
        "monthly" => {
            words.skip();
            month(words, 1)
        }
        "weekly" => {
            words.skip();
            Ok(Pattern::Weeks { every: 1, days: weekdays(words)? })
        }
        _ => Err(words.wrong("every, daily, weekly or monthly")),
    }
}

fn every(words: &mut Words<'_>) -> Result<Pattern, ScheduleError> {
    let number = words.peek().filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    let every = match number {
        Some(number) => {
            let number: i64 = number.parse().map_err(|_| words.wrong("a smaller number"))?;
            words.skip();
            range("the number after every", number, 1, 8_760)? as u16
        }
        None => 1,
    };
    let word = words.lower().unwrap_or_default();
    let is = |unit: &str| word == unit || word.strip_suffix('s') == Some(unit);
    if is("hour") {
        words.skip();
        Ok(Pattern::Hours { every })
    } else if is("day") {
        words.skip();
        Ok(Pattern::Days { every })
    } else if is("week") {
        words.skip();
        Ok(Pattern::Weeks { every, days: weekdays(words)? })
    } else if is("month") {
        words.skip();
        month(words, every)
    } else if number.is_none() {
        let days = weekdays(words)?;
        if days.is_empty() { Err(words.wrong(UNITS)) } else { Ok(Pattern::Weeks { every: 1, days }) }
    } else {
        Err(words.wrong("hours, days, weeks or months"))
    }
}

/// Weekdays with commas or blanks between; none if the next word is none.
fn weekdays(words: &mut Words<'_>) -> Result<BTreeSet<Weekday>, ScheduleError> {
    let on = words.take("on");
    let mut days = BTreeSet::new();
    while let Some(word) = words.lower() {
        let names: Vec<&str> = word.split(',').filter(|name| !name.is_empty()).collect();
        let read: Option<Vec<Weekday>> = names.iter().map(|name| Weekday::read(name)).collect();
        match read {
            Some(read) if !read.is_empty() => days.extend(read),
            // a list that goes wrong in its middle
            None if word.contains(',') => return Err(words.wrong("weekdays such as monday,friday")),
            _ if word == "and" && !days.is_empty() => {}
            _ => break,
        }
        words.skip();
    }
    if on && days.is_empty() { Err(words.wrong("weekdays such as monday,friday")) } else { Ok(days) }
}

fn month(words: &mut Words<'_>, every: u16) -> Result<Pattern, ScheduleError> {
    words.take("on");
    words.take("the");
    words.take("day");
    let word = words.lower().unwrap_or_default();
    let digits = word.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let suffix = word.get(digits.len()..).unwrap_or_default();
    if let (Ok(day), "" | "st" | "nd" | "rd" | "th") = (digits.parse::<u8>(), suffix) {
        range("the day of the month", day.into(), 1, 31)?;
        words.skip();
        return Ok(Pattern::MonthDay { every, day });
    }
    let Some((nth, _)) = NTHS.iter().find(|(_, name)| *name == word) else { return Err(words.wrong(DAY_OF_MONTH)) };
    words.skip();
    if *nth == Nth::Last && words.take("day") {
        return Ok(Pattern::MonthDay { every, day: 31 });
    }
    let day = words.lower().and_then(|word| Weekday::read(&word));
    let Some(weekday) = day else { return Err(words.wrong("a weekday such as tuesday")) };
    words.skip();
    let offset = match words.peek().filter(|word| word.starts_with(['+', '-'])) {
        Some(word) => {
            let offset = word.parse::<i64>().map_err(|_| words.wrong("days such as +1 or -3"))?;
            words.skip();
            if !words.take("days") {
                words.take("day");
            }
            range("the offset in days", offset, -31, 31)? as i8
        }
        None => 0,
    };
    Ok(Pattern::MonthWeekday { every, nth: *nth, weekday, offset })
}

/// `02:00`, `2:00` or `02:00:30`.
fn time(word: &str) -> Option<Time> {
    let mut parts = word.split(':');
    let mut part = |longest: usize| -> Option<i8> {
        let digits = parts.next()?;
        let fits = !digits.is_empty() && digits.len() <= longest && digits.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| digits.parse().ok()).flatten()
    };
    let (hour, minute) = (part(2)?, part(2)?);
    let second = if word.matches(':').count() == 2 { part(2)? } else { 0 };
    if word.matches(':').count() > 2 {
        return None;
    }
    Time::new(hour, minute, second, 0).ok()
}

/// `2026-12-31`.
fn date(word: &str) -> Option<Date> {
    let plain = word.len() == 10 && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if plain { word.parse().ok() } else { None }
}

fn clock(at: Time) -> String {
    if at.second() == 0 { at.strftime("%H:%M").to_string() } else { at.strftime("%H:%M:%S").to_string() }
}

impl fmt::Display for Recurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |every: u16, unit: &str| match every {
            1 => format!("every {unit}"),
            _ => format!("every {every} {unit}s"),
        };
        let monthly = |every: u16| if every == 1 { "monthly".to_owned() } else { counted(every, "month") };
        match &self.pattern {
            Pattern::Hours { every } => f.write_str(&counted(*every, "hour"))?,
            Pattern::Days { every } => f.write_str(&counted(*every, "day"))?,
            Pattern::Weeks { every, days } => {
                let days: Vec<&str> = days.iter().map(|day| day.word()).collect();
                match (*every, days.as_slice()) {
                    (every, []) => f.write_str(&counted(every, "week"))?,
                    (1, days) => write!(f, "weekly {}", days.join(","))?,
                    (every, days) => write!(f, "{} {}", counted(every, "week"), days.join(","))?,
                }
            }
            Pattern::MonthDay { every, day } => write!(f, "{} {day}", monthly(*every))?,
            Pattern::MonthWeekday { every, nth, weekday, offset } => {
                write!(f, "{} {} {}", monthly(*every), nth.word(), weekday.word())?;
                if *offset != 0 {
                    write!(f, " {offset:+}")?;
                }
            }
        }
        write!(f, " at {}", clock(self.at))?;
        if let Some(start) = self.start {
            write!(f, " from {start}")?;
        }
        if let Some(zone) = &self.zone {
            write!(f, " {zone}")?;
        }
        Ok(())
    }
}

impl Recurrence {
    /// The recurrence in a sentence, such as `On the day after the second Tuesday of every month at 02:00,
    /// Europe/Amsterdam time`.
    pub fn describe(&self) -> String {
        let counted = |every: u16, unit: &str| match every {
            1 => format!("every {unit}"),
            _ => format!("every {every} {unit}s"),
        };
        let at = clock(self.at);
        let mut text = match &self.pattern {
            Pattern::Hours { every } => counted(*every, "hour"),
            Pattern::Days { every } => format!("{} at {at}", counted(*every, "day")),
            Pattern::Weeks { every, days } if days.is_empty() => format!("{} at {at}", counted(*every, "week")),
            Pattern::Weeks { every, days } => {
                let names: Vec<&str> = days.iter().map(|day| day.name()).collect();
                let names = match names.as_slice() {
                    [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
                    names => names.concat(),
                };
                format!("{} on {names} at {at}", counted(*every, "week"))
            }
            Pattern::MonthDay { every, day } => {
                let day = match day {
                    31 => "the last day".to_owned(),
                    29 | 30 => format!("day {day} (or the last day)"),
                    _ => format!("day {day}"),
                };
                format!("on {day} of {} at {at}", counted(*every, "month"))
            }
            Pattern::MonthWeekday { every, nth, weekday, offset } => {
                let before = match offset {
                    0 => String::new(),
                    1 => "the day after ".to_owned(),
                    -1 => "the day before ".to_owned(),
                    2.. => format!("{offset} days after "),
                    _ => format!("{} days before ", offset.unsigned_abs()),
                };
                let (nth, day) = (nth.word(), weekday.name());
                format!("on {before}the {nth} {day} of {} at {at}", counted(*every, "month"))
            }
        };
        match (self.start, &self.pattern) {
            (Some(start), Pattern::Hours { .. }) => text.push_str(&format!(", counted from {start} {at}")),
            (None, Pattern::Hours { .. }) => text.push_str(&format!(", counted from {at}")),
            (Some(start), _) if self.counts_from_start() => text.push_str(&format!(", counted from {start}")),
            (Some(start), _) => text.push_str(&format!(", from {start} on")),
            (None, _) => {}
        }
        if let Some(zone) = &self.zone {
            text.push_str(&format!(", {zone} time"));
        }
        let mut letters = text.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    }
}
