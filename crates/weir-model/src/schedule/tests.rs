use jiff::{
    Span, Timestamp,
    civil::{Date, DateTime, Time, Weekday as Day},
    tz::{AmbiguousOffset, TimeZone},
};
use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Recurrence {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn next(text: &str, now: &str) -> String {
    read(text).next_after(at(now), &TimeZone::UTC).expect("there is a next").to_string()
}

#[test]
fn texts_are_read_and_written() {
    for (text, written) in [
        ("every 7 days at 02:00", "every 7 days at 02:00"),
        ("Every Day At 2:00", "every day at 02:00"),
        ("daily at 02:00:30 UTC", "every day at 02:00:30 UTC"),
        ("every 6 hours", "every 6 hours at 00:00"),
        ("every 2 weeks on mon,fri at 23:59 from 2026-01-05", "every 2 weeks monday,friday at 23:59 from 2026-01-05"),
        ("weekly friday and monday at 01:00", "weekly monday,friday at 01:00"),
        ("every tuesday at 01:00", "weekly tuesday at 01:00"),
        ("weekly at 01:00", "every week at 01:00"),
        ("monthly on the 31st at 02:00", "monthly 31 at 02:00"),
        ("monthly last day at 02:00", "monthly 31 at 02:00"),
        ("every 3 months 15 at 02:00 europe/amsterdam", "every 3 months 15 at 02:00 Europe/Amsterdam"),
        ("monthly second tuesday +1 at 02:00 Europe/Amsterdam", "monthly second tuesday +1 at 02:00 Europe/Amsterdam"),
        ("monthly second tuesday +1 day at 02:00", "monthly second tuesday +1 at 02:00"),
        ("monthly last fri -3 at 02:00", "monthly last friday -3 at 02:00"),
    ] {
        let read = read(text);
        assert_eq!(read.to_string(), written, "{text}");
        assert_eq!(written.parse(), Ok(read), "{text}");
    }
}

#[test]
fn an_error_names_the_word() {
    for (text, message) in [
        ("", "the schedule ends too early: every, daily, weekly or monthly was expected"),
        ("sometimes", "\"sometimes\" does not belong here: every, daily, weekly or monthly was expected"),
        ("every 7", "the schedule ends too early: hours, days, weeks or months was expected after \"every 7\""),
        (
            "every 7 dais at 02:00",
            "\"dais\" does not belong here: hours, days, weeks or months was expected after \"every 7\"",
        ),
        ("every 7 days", "the schedule ends too early: at and a time of day was expected after \"every 7 days\""),
        (
            "every 7 days at 25:00",
            "\"25:00\" does not belong here: a time of day such as 02:00 was expected after \"every 7 days at\"",
        ),
        ("every 0 days at 02:00", "the number after every 0 is not from 1 to 8760"),
        ("every 4000 days at 02:00", "the number of days 4000 is not from 1 to 3660"),
        ("monthly 32 at 02:00", "the day of the month 32 is not from 1 to 31"),
        (
            "monthly second blueday at 02:00",
            "\"blueday\" does not belong here: a weekday such as tuesday was expected after \"monthly second\"",
        ),
        ("monthly second tuesday +32 at 02:00", "the offset in days 32 is not from -31 to 31"),
        (
            "daily at 02:00 Mars/Olympus",
            "\"Mars/Olympus\" is no time zone; use an IANA name such as Europe/Amsterdam or UTC",
        ),
        (
            "daily at 02:00 UTC UTC",
            "\"UTC\" does not belong here: nothing more was expected after \"daily at 02:00 UTC\"",
        ),
        (
            "daily at 02:00 from 2026-02-30",
            "\"2026-02-30\" does not belong here: a date such as 2026-12-31 was expected after \"daily at 02:00 from\"",
        ),
        (
            "weekly on mon,blue at 02:00",
            "\"mon,blue\" does not belong here: weekdays such as monday,friday was expected after \"weekly on\"",
        ),
    ] {
        let error = text.parse::<Recurrence>().expect_err(text);
        assert_eq!(error.to_string(), message, "{text}");
    }
    assert_eq!("daily ".repeat(1_000).parse::<Recurrence>(), Err(ScheduleError::Long));
}

#[test]
fn words_say_when() {
    for (text, words) in [
        ("daily at 02:00", "Every day at 02:00"),
        ("every 7 days at 02:00 from 2026-11-21", "Every 7 days at 02:00, counted from 2026-11-21"),
        ("every 6 hours at 01:00 from 2026-11-21", "Every 6 hours, counted from 2026-11-21 01:00"),
        (
            "weekly mon,wed,fri at 02:00 from 2026-11-21",
            "Every week on Monday, Wednesday and Friday at 02:00, from 2026-11-21 on",
        ),
        ("monthly 31 at 02:00", "On the last day of every month at 02:00"),
        ("every 2 months 30 at 02:00", "On day 30 (or the last day) of every 2 months at 02:00"),
        (
            "monthly second tuesday +1 at 02:00 Europe/Amsterdam",
            "On the day after the second Tuesday of every month at 02:00, Europe/Amsterdam time",
        ),
        ("monthly last sunday -3 at 02:00", "On 3 days before the last Sunday of every month at 02:00"),
    ] {
        assert_eq!(read(text).describe(), words);
    }
}

#[test]
fn months_end_where_they_end() {
    assert_eq!(next("monthly 31 at 02:00", "2026-02-01T00:00:00Z"), "2026-02-28T02:00:00Z");
    assert_eq!(next("monthly 31 at 02:00", "2028-02-28T02:00:00Z"), "2028-02-29T02:00:00Z");
    assert_eq!(next("monthly 30 at 02:00", "2026-04-30T01:59:59Z"), "2026-04-30T02:00:00Z");
    assert_eq!(next("monthly 30 at 02:00", "2026-04-30T02:00:00Z"), "2026-05-30T02:00:00Z");
}

#[test]
fn the_day_after_the_second_tuesday_is_not_the_second_wednesday() {
    // July 2026 begins on a Wednesday: its second Wednesday comes before its second Tuesday
    assert_eq!(next("monthly second tuesday +1 at 02:00", "2026-07-01T00:00:00Z"), "2026-07-15T02:00:00Z");
    assert_eq!(next("monthly second wednesday at 02:00", "2026-07-01T00:00:00Z"), "2026-07-08T02:00:00Z");
    // an offset leads into the month before
    assert_eq!(next("monthly first monday -7 at 02:00", "2026-07-01T00:00:00Z"), "2026-07-27T02:00:00Z");
    assert_eq!(next("monthly last friday +7 at 02:00", "2026-07-01T00:00:00Z"), "2026-07-03T02:00:00Z");
}

#[test]
fn a_gap_runs_at_its_end_and_a_fold_runs_once() {
    let daily = "daily at 02:30 Europe/Amsterdam";
    // 2026-03-29: 02:00 becomes 03:00, which is 01:00 UTC
    assert_eq!(next(daily, "2026-03-28T12:00:00Z"), "2026-03-29T01:00:00Z");
    assert_eq!(next(daily, "2026-03-29T01:00:00Z"), "2026-03-30T00:30:00Z");
    // 2026-10-25: 03:00 becomes 02:00; 02:30 comes at 00:30 UTC and again at 01:30 UTC
    assert_eq!(next(daily, "2026-10-24T12:00:00Z"), "2026-10-25T00:30:00Z");
    assert_eq!(next(daily, "2026-10-25T00:30:00Z"), "2026-10-26T01:30:00Z");
    // Samoa had no 30 December 2011
    let samoa = "daily at 12:00 Pacific/Apia";
    assert_eq!(next(samoa, "2011-12-29T22:00:00Z"), "2011-12-30T10:00:00Z");
    assert_eq!(next(samoa, "2011-12-30T10:00:00Z"), "2011-12-30T22:00:00Z");
}

#[test]
fn hours_are_elapsed_time() {
    let text = "every 6 hours at 01:00 from 2026-03-28 Europe/Amsterdam";
    assert_eq!(next(text, "2020-01-01T00:00:00Z"), "2026-03-28T00:00:00Z");
    assert_eq!(next(text, "2026-03-29T00:00:00Z"), "2026-03-29T06:00:00Z");
}

#[test]
fn what_counts_from_a_start_gets_one() {
    let now = at("2026-11-20T15:00:00Z");
    let anchored = |text: &str| read(text).anchored(now, &TimeZone::UTC).to_string();
    assert_eq!(anchored("every 7 days at 02:00"), "every 7 days at 02:00 from 2026-11-21");
    assert_eq!(anchored("every 7 days at 16:00"), "every 7 days at 16:00 from 2026-11-20");
    assert_eq!(anchored("every 7 days at 02:00 from 2026-01-01"), "every 7 days at 02:00 from 2026-01-01");
    assert_eq!(anchored("daily at 02:00"), "every day at 02:00");
}

#[test]
fn the_end_of_the_calendar_is_the_end() {
    let last = at("9999-12-30T22:00:00Z");
    for text in ["daily at 23:00", "monthly 31 at 23:00", "every 10 weeks at 23:00", "every 8760 hours"] {
        let mut now = last;
        for _ in 0..3 {
            match read(text).next_after(now, &TimeZone::UTC) {
                Some(next) => {
                    assert!(next > now);
                    now = next;
                }
                None => break,
            }
        }
    }
}

/// Whether a date is one of the recurrence's, decided for that date alone.
fn is_date(recurrence: &Recurrence, date: Date) -> bool {
    let start = recurrence.start.unwrap_or(Date::constant(1970, 1, 1));
    if recurrence.start.is_some_and(|start| date < start) {
        return false;
    }
    let days = |from: Date, to: Date| (to - from).get_days();
    let monday = |date: Date| date - Span::new().days(i64::from(date.weekday().to_monday_zero_offset()));
    let months = |date: Date| i32::from(date.year()) * 12 + i32::from(date.month());
    let in_month = |date: Date, every: u16| {
        recurrence.start.map_or_else(
            || (months(date) - 1) % i32::from(every) == 0,
            |start| (months(date) - months(start)).rem_euclid(i32::from(every)) == 0,
        )
    };
    match &recurrence.pattern {
        Pattern::Hours { .. } => unreachable!("hours have no dates"),
        Pattern::Days { every } => days(start, date).rem_euclid(i32::from(*every)) == 0,
        Pattern::Weeks { every, days: wanted } => {
            let weeks = days(monday(start), monday(date)).div_euclid(7);
            let day = if wanted.is_empty() {
                date.weekday() == start.weekday()
            } else {
                wanted.iter().any(|day| Day::from(*day) == date.weekday())
            };
            day && weeks.rem_euclid(i32::from(*every)) == 0
        }
        Pattern::MonthDay { every, day } => {
            let wanted = i8::try_from(*day).expect("small").min(date.days_in_month());
            in_month(date, *every) && date.day() == wanted
        }
        Pattern::MonthWeekday { every, nth, weekday, offset } => {
            let base = date - Span::new().days(i64::from(*offset));
            let place = match nth {
                Nth::First => base.day() <= 7,
                Nth::Second => (8..=14).contains(&base.day()),
                Nth::Third => (15..=21).contains(&base.day()),
                Nth::Fourth => (22..=28).contains(&base.day()),
                Nth::Last => base.day() > base.days_in_month() - 7,
            };
            in_month(base, *every) && Day::from(*weekday) == base.weekday() && place
        }
    }
}

#[test]
fn entries_of_the_database_that_are_no_place_are_no_zone() {
    for name in ["localtime", "posixrules", "Factory", "FACTORY", " factory "] {
        assert!(name.parse::<Zone>().is_err(), "{name}");
    }
    assert_eq!("europe/amsterdam".parse::<Zone>().expect("a zone").name(), "Europe/Amsterdam");
}

/// The instant of a local time, found by looking at every minute of a gap.
fn naive_instant(local: DateTime, zone: &TimeZone) -> Timestamp {
    let mut local = local;
    loop {
        match zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
                return offset.to_timestamp(local).expect("in range");
            }
            AmbiguousOffset::Gap { .. } => local += Span::new().minutes(1),
        }
    }
}

/// Day by day.
fn oracle(recurrence: &Recurrence, now: Timestamp, zone: &TimeZone, days: i64) -> Option<Timestamp> {
    let from = now.to_zoned(zone.clone()).date() - Span::new().days(3);
    (0..days)
        .map(|day| from + Span::new().days(day))
        .filter(|date| is_date(recurrence, *date))
        .map(|date| naive_instant(date.to_datetime(recurrence.at), zone))
        .find(|at| *at > now)
}

fn weekdays() -> impl Strategy<Value = Weekday> {
    prop::sample::select(vec![
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ])
}

fn dated() -> impl Strategy<Value = Pattern> {
    let nths = prop::sample::select(vec![Nth::First, Nth::Second, Nth::Third, Nth::Fourth, Nth::Last]);
    prop_oneof![
        (1_u16..40).prop_map(|every| Pattern::Days { every }),
        (1_u16..6, prop::collection::btree_set(weekdays(), 0..4))
            .prop_map(|(every, days)| Pattern::Weeks { every, days }),
        (1_u16..14, 1_u8..=31).prop_map(|(every, day)| Pattern::MonthDay { every, day }),
        (1_u16..14, nths, weekdays(), -31_i8..=31).prop_map(|(every, nth, weekday, offset)| Pattern::MonthWeekday {
            every,
            nth,
            weekday,
            offset
        }),
    ]
}

fn recurrences(pattern: impl Strategy<Value = Pattern>) -> impl Strategy<Value = Recurrence> {
    let zones = [
        "UTC",
        "Europe/Amsterdam",
        "America/New_York",
        "Pacific/Apia",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "America/Sao_Paulo",
        "Africa/Casablanca",
    ];
    let zone = prop::option::of(prop::sample::select(zones.to_vec()));
    let start = prop::option::of((2005_i16..2030, 1_i8..=12, 1_i8..=28));
    (pattern, 0_i8..24, 0_i8..60, start, zone).prop_map(|(pattern, hour, minute, start, zone)| Recurrence {
        pattern,
        at: Time::constant(hour, minute, 0, 0),
        start: start.map(|(year, month, day)| Date::constant(year, month, day)),
        zone: zone.map(|name| name.parse().expect("a zone")),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_next_time_is_the_one_found_day_by_day(
        recurrence in recurrences(dated()),
        // 2005 to 2035
        second in 1_104_537_600_i64..2_051_222_400,
    ) {
        let now = Timestamp::from_second(second).expect("in range");
        let site = TimeZone::get("Europe/Amsterdam").expect("a zone");
        let zone = recurrence.zone_or(&site).clone();
        // a start of the future is waited for; fourteen months apart at most
        let expected = oracle(&recurrence, now, &zone, 366 * 27);
        prop_assert_eq!(recurrence.next_after(now, &site), expected, "{}", recurrence);
    }

    #[test]
    fn times_go_forward_and_leave_none_out(recurrence in recurrences(dated()), second in 1_104_537_600_i64..2_051_222_400) {
        let now = Timestamp::from_second(second).expect("in range");
        let times = recurrence.next_times(now, &TimeZone::UTC, 5);
        for pair in times.windows(2) {
            prop_assert!(pair[0] < pair[1]);
            let between = Timestamp::from_second(i64::midpoint(pair[0].as_second(), pair[1].as_second())).expect("in range");
            prop_assert_eq!(recurrence.next_after(between, &TimeZone::UTC), Some(pair[1]));
        }
    }

    #[test]
    fn hours_keep_their_distance(every in 1_u16..1_000, second in 1_104_537_600_i64..2_051_222_400) {
        let recurrence = read(&format!("every {every} hours at 03:00 from 2004-02-29"));
        let now = Timestamp::from_second(second).expect("in range");
        let next = recurrence.next_after(now, &TimeZone::UTC).expect("there is a next");
        let start = at("2004-02-29T03:00:00Z");
        prop_assert!(next > now && next.duration_since(now).as_secs() <= 3_600 * i64::from(every));
        prop_assert_eq!(next.duration_since(start).as_secs() % (3_600 * i64::from(every)), 0);
    }

    #[test]
    fn what_is_written_is_read_again(recurrence in recurrences(prop_oneof![
        dated(),
        (1_u16..=8_760).prop_map(|every| Pattern::Hours { every }),
    ])) {
        let text = recurrence.to_string();
        prop_assert_eq!(text.parse::<Recurrence>().map_err(|error| error.to_string()), Ok(recurrence.clone()), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
        let _ = text.parse::<Recurrence>();
    }

    #[test]
    fn texts_of_its_words_are_read_or_refused(words in prop::collection::vec(prop::sample::select(vec![
        "every", "monthly", "weekly", "7", "31", "+1", "-99999999999999999999", "second", "tuesday", "mon,fri", "days", "at",
        "02:00", "from", "2026-01-01", "UTC", "last", "day", "months", "on", "the", "99999999999999999999",
    ]), 0..9)) {
        if let Ok(recurrence) = words.join(" ").parse::<Recurrence>() {
            prop_assert_eq!(recurrence.to_string().parse::<Recurrence>(), Ok(recurrence));
        }
    }
}
