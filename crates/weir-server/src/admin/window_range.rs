//! Which days of the calendar of maintenance windows are asked for.

use jiff::{ToSpan as _, civil::Date};
use weir_api::window::CalendarQuery;

use super::AdminError;

/// Days that one request may ask for.
const MOST_DAYS: i32 = 93;

/// The first and the last day.
pub(super) fn days(query: &CalendarQuery, today: Date) -> Result<(Date, Date), AdminError> {
    let CalendarQuery { month: named, from, to, .. } = query;
    let Some(from) = from else {
        if to.is_some() {
            return Err(AdminError::invalid("from", "to goes with from"));
        }
        let first = match named {
            None => today.first_of_month(),
            Some(text) => month(text)?,
        };
        return Ok((first, first.last_of_month()));
    };
    if named.is_some() {
        return Err(AdminError::invalid("month", "give a month, or from and to, not both"));
    }
    let first = day("from", from)?;
    let last = match to {
        Some(text) => day("to", text)?,
        None => first.checked_add(1.month()).and_then(|end| end.yesterday()).unwrap_or(first),
    };
    let days = first.until(last).map_or(i32::MAX, |span| span.get_days());
    if !(0..MOST_DAYS).contains(&days) {
        return Err(AdminError::Invalid {
            code: "to",
            detail: format!("{first} to {last} are not 1 to {MOST_DAYS} days"),
            next_step: Some("ask for fewer days at a time".to_owned()),
        });
    }
    Ok((first, last))
}

fn day(field: &'static str, text: &str) -> Result<Date, AdminError> {
    let read = text.parse::<Date>().ok().filter(|date| (1970..=9_000).contains(&date.year()));
    read.ok_or_else(|| AdminError::Invalid {
        code: field,
        detail: format!("{field} is {text:?}"),
        next_step: Some("give a day, such as 2026-12-24".to_owned()),
    })
}

/// The first day of a month such as `2026-12`.
fn month(text: &str) -> Result<Date, AdminError> {
    let read = text.split_once('-').filter(|(year, month)| year.len() == 4 && month.len() == 2);
    let read = read.and_then(|(year, month)| Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok());
    read.filter(|date| (1970..=9_000).contains(&date.year())).ok_or_else(|| AdminError::Invalid {
        code: "month",
        detail: format!("month is {text:?}"),
        next_step: Some("give a year and a month, such as 2026-12".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn asked(month: Option<&str>, from: Option<&str>, to: Option<&str>) -> Result<(Date, Date), String> {
        let own = |text: Option<&str>| text.map(str::to_owned);
        let query = CalendarQuery { month: own(month), from: own(from), to: own(to), ..CalendarQuery::default() };
        days(&query, date(2026, 11, 30)).map_err(|error| error.problem().code)
    }

    #[test]
    fn a_month_or_some_days_are_asked_for() {
        assert_eq!(asked(None, None, None), Ok((date(2026, 11, 1), date(2026, 11, 30))));
        assert_eq!(asked(Some("2027-02"), None, None), Ok((date(2027, 2, 1), date(2027, 2, 28))));
        assert_eq!(asked(None, Some("2026-12-24"), None), Ok((date(2026, 12, 24), date(2027, 1, 23))));
        assert_eq!(asked(None, Some("2026-12-24"), Some("2026-12-24")), Ok((date(2026, 12, 24), date(2026, 12, 24))));
        assert_eq!(asked(None, Some("2026-12-01"), Some("2027-03-03")), Ok((date(2026, 12, 1), date(2027, 3, 3))));
    }

    #[test]
    fn wrong_days_are_named() {
        assert_eq!(asked(Some("2026-13"), None, None), Err("month".to_owned()));
        assert_eq!(asked(Some("2026-12"), Some("2026-12-01"), None), Err("month".to_owned()));
        assert_eq!(asked(None, None, Some("2026-12-01")), Err("from".to_owned()));
        assert_eq!(asked(None, Some("tomorrow"), None), Err("from".to_owned()));
        assert_eq!(asked(None, Some("2026-12-02"), Some("2026-12-01")), Err("to".to_owned()));
        assert_eq!(asked(None, Some("2026-12-01"), Some("2027-03-04")), Err("to".to_owned()));
    }
}
