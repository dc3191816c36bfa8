//! When a recurrence comes next.
//!
//! Dates are found by arithmetic, never day by day; each becomes one instant, and instants never go backwards as dates go
//! forwards. So the first date whose instant lies after `now` is the answer.

use jiff::{
    SignedDuration, Span, Timestamp,
    civil::{Date, DateTime, Weekday as Day},
    tz::{AmbiguousOffset, TimeZone},
};

use super::{Nth, Pattern, Recurrence, Weekday};

/// Candidates looked at: a gap can put several dates at one instant, offsets can put `now` two days apart.
const CANDIDATES: usize = 16;

pub(super) fn after(recurrence: &Recurrence, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    if let Pattern::Hours { every } = recurrence.pattern {
        let start = recurrence.start.unwrap_or(Date::constant(1970, 1, 1));
        return hours(instant(start.to_datetime(recurrence.at), zone)?, every, now);
    }
    let today = now.to_zoned(zone.clone()).date();
    // a gap of a whole day, as when a country crosses the date line, is looked at from before it
    let mut from = today.checked_sub(Span::new().days(2)).unwrap_or(today);
    if let Some(start) = recurrence.start {
        from = from.max(start);
    }
    for _ in 0..CANDIDATES {
        let date = on_or_after(recurrence, from)?;
        let at = instant(date.to_datetime(recurrence.at), zone)?;
        if at > now {
            return Some(at);
        }
        from = date.tomorrow().ok()?;
    }
    None
}

fn hours(start: Timestamp, every: u16, now: Timestamp) -> Option<Timestamp> {
    if start > now {
        return Some(start);
    }
    let step = 3_600 * i64::from(every.max(1));
    let steps = now.duration_since(start).as_secs() / step + 1;
    start.checked_add(SignedDuration::from_secs(steps.checked_mul(step)?)).ok()
}

/// The instant of a local time: the end of the gap it lies in, the first of the two in a fold. None outside the calendar.
pub fn instant(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
            offset.to_timestamp(local).ok()
        }
        AmbiguousOffset::Gap { after, .. } => {
            // read with the later offset the time lies before the gap, whose end is then the next transition
            let before = after.to_timestamp(local).ok()?;
            zone.following(before).next().map(|transition| transition.timestamp())
        }
    }
}

/// The first date from `from` on that the recurrence names, whatever its time of day.
fn on_or_after(recurrence: &Recurrence, from: Date) -> Option<Date> {
    let start = recurrence.start;
    match &recurrence.pattern {
        // of these the start is an instant
        Pattern::Hours { .. } => None,
        Pattern::Days { every } => {
            let first = start.unwrap_or(Date::constant(1970, 1, 1));
            let past = days_between(first, from).rem_euclid(i32::from(*every).max(1));
            if past == 0 { Some(from) } else { plus(from, i32::from(*every) - past) }
        }
        Pattern::Weeks { every, days } => {
            let first = start.unwrap_or(Date::constant(1970, 1, 1));
            let own = weekday(first);
            let is_day = |date: Date| {
                let day = weekday(date);
                if days.is_empty() { day == own } else { days.contains(&day) }
            };
            let every = i32::from(*every).max(1);
            let monday = monday_of(first)?;
            let past = days_between(monday, from).div_euclid(7).rem_euclid(every);
            // the rest of this week if it counts, else the next one that does
            let (mut date, weeks_on) =
                if past == 0 { (from, every) } else { (plus(monday_of(from)?, 7 * (every - past))?, every) };
            for _ in 0..2 {
                let end = plus(monday_of(date)?, 7)?;
                while date < end {
                    if is_day(date) {
                        return Some(date);
                    }
                    date = date.tomorrow().ok()?;
                }
                date = plus(end, 7 * (weeks_on - 1))?;
            }
            None
        }
        Pattern::MonthDay { every, day } => months(start, *every, from, |first| {
            let day = i32::from(*day).min(i32::from(first.days_in_month()));
            plus(first, day - 1)
        }),
        Pattern::MonthWeekday { every, nth, weekday, offset } => months(start, *every, from, |first| {
            let date = match nth {
                Nth::First => first.nth_weekday_of_month(1, (*weekday).into()),
                Nth::Second => first.nth_weekday_of_month(2, (*weekday).into()),
                Nth::Third => first.nth_weekday_of_month(3, (*weekday).into()),
                Nth::Fourth => first.nth_weekday_of_month(4, (*weekday).into()),
                Nth::Last => first.nth_weekday_of_month(-1, (*weekday).into()),
            };
            plus(date.ok()?, i32::from(*offset))
        }),
    }
}

/// The first date from `from` on among those that `date_of` gives for the first days of the months that count. An offset
/// can lead a month's date into the month before or the one or two after it.
fn months(start: Option<Date>, every: u16, from: Date, date_of: impl Fn(Date) -> Option<Date>) -> Option<Date> {
    let every = i32::from(every).max(1);
    let number = |date: Date| 12 * i32::from(date.year()) + i32::from(date.month()) - 1;
    let first = start.map_or(0, number);
    let earliest = number(from) - 2;
    let mut month = earliest + (first - earliest).rem_euclid(every);
    // two months of slack before, two behind, and one that counts
    for _ in 0..5 {
        let day = Date::new(i16::try_from(month.div_euclid(12)).ok()?, month.rem_euclid(12) as i8 + 1, 1).ok()?;
        // none: outside the calendar, at its end
        let date = date_of(day)?;
        if date >= from {
            return Some(date);
        }
        month += every;
    }
    None
}

fn plus(date: Date, days: i32) -> Option<Date> {
    date.checked_add(Span::new().try_days(days).ok()?).ok()
}

fn days_between(from: Date, to: Date) -> i32 {
    to.duration_since(from).as_hours() as i32 / 24
}

fn monday_of(date: Date) -> Option<Date> {
    plus(date, -i32::from(date.weekday().to_monday_zero_offset()))
}

fn weekday(date: Date) -> Weekday {
    match date.weekday() {
        Day::Monday => Weekday::Monday,
        Day::Tuesday => Weekday::Tuesday,
        Day::Wednesday => Weekday::Wednesday,
        Day::Thursday => Weekday::Thursday,
        Day::Friday => Weekday::Friday,
        Day::Saturday => Weekday::Saturday,
        Day::Sunday => Weekday::Sunday,
    }
}

impl From<Weekday> for Day {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Monday,
            Weekday::Tuesday => Self::Tuesday,
            Weekday::Wednesday => Self::Wednesday,
            Weekday::Thursday => Self::Thursday,
            Weekday::Friday => Self::Friday,
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
        }
    }
}
