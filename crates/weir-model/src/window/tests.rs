//! Tables of features MW-1 to MW-9, and properties against minute-by-minute oracles.

use jiff::{
    SignedDuration, Timestamp,
    tz::{TimeZone, TimeZoneDatabase},
};
use proptest::prelude::*;

use super::*;
use crate::{
    catalogue::WireAction,
    targeting::{DeploymentAction, Timing},
};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn zone(name: &str) -> TimeZone {
    name.parse::<Zone>().unwrap_or_else(|error| panic!("{error}")).time_zone().clone()
}

fn window(schedule: &str, minutes: u32) -> Window {
    kind(schedule, minutes, WindowKind::AllDeployments)
}

fn kind(schedule: &str, minutes: u32, kind: WindowKind) -> Window {
    let recurrence = schedule.parse().unwrap_or_else(|error| panic!("{schedule}: {error}"));
    Window::new(schedule, recurrence, minutes, kind).unwrap_or_else(|error| panic!("{schedule}: {error}"))
}

fn calendar(windows: &[Window], zone_name: &str) -> Calendar {
    Calendar::new(windows, zone(zone_name), false, SignedDuration::from_hours(22))
}

fn install(deadline: &str, minutes: i64) -> Ask {
    Ask {
        timing: Timing::default(),
        action: DeploymentAction::Install,
        available: at("2026-01-01T00:00:00Z"),
        deadline: Some(at(deadline)),
        run_time: SignedDuration::from_mins(minutes),
    }
}

/// The beginning, in the zone's time, and the minutes of the occurrences from an instant on.
fn starts(window: &Window, zone_name: &str, from: &str, count: usize) -> Vec<String> {
    let zone = zone(zone_name);
    let spans = window.occurrences(&zone, at(from), Timestamp::MAX, count);
    spans.iter().map(|span| span.start.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()).collect()
}

#[test]
fn a_window_lasts_from_five_minutes_to_a_whole_day_and_has_a_name() {
    let recurrence: Recurrence = "daily at 01:00".parse().expect("a schedule");
    for (minutes, fine) in [(0, false), (4, false), (5, true), (180, true), (1_440, true), (1_441, false)] {
        let made = Window::new("Servers", recurrence.clone(), minutes, WindowKind::default());
        assert_eq!(made.is_ok(), fine, "{minutes}");
    }
    let long = "x".repeat(256);
    for (name, fine) in [("", false), ("  ", false), ("a\u{7}b", false), (long.as_str(), false), (" Ring 1 ", true)] {
        assert_eq!(Window::new(name, recurrence.clone(), 60, WindowKind::default()).is_ok(), fine, "{name:?}");
    }
}

#[test]
fn overlapping_and_touching_windows_are_one() {
    // the example of the documentation: 06:00-07:00 and 06:30-07:30 are 90 minutes
    for (second, minutes) in [("06:30", 90), ("07:00", 120), ("07:01", 60)] {
        let windows = [window("daily at 06:00", 60), window(&format!("daily at {second}"), 60)];
        let span = calendar(&windows, "UTC").next_span(at("2026-12-01T00:00:00Z")).expect("a span");
        assert_eq!(span.start, at("2026-12-01T06:00:00Z"));
        assert_eq!(span.duration(), SignedDuration::from_mins(minutes), "{second}");
    }
    // the joint is long enough where neither is
    let windows = [window("daily at 06:00", 60), window("daily at 06:30", 60)];
    let resolved = calendar(&windows, "UTC").resolve(&install("2026-12-01T03:00:00Z", 80), at("2026-12-01T00:00:00Z"));
    assert_eq!(resolved.deadline, Some(at("2026-12-01T06:00:00Z")));
    assert_eq!(resolved.next_change, Some(at("2026-12-01T06:11:00Z")));
}

#[test]
fn windows_for_updates_win_and_those_for_task_sequences_never_count() {
    use WindowKind::{AllDeployments as All, SoftwareUpdates as Updates, TaskSequences as Sequences};
    let first_hour = |kinds: &[WindowKind], both: bool| {
        let windows: Vec<Window> =
            kinds.iter().zip(1..).map(|(it, hour)| kind(&format!("daily at 0{hour}:00"), 30, *it)).collect();
        let calendar = Calendar::new(&windows, TimeZone::UTC, both, HOUR);
        calendar.windows().iter().map(|window| window.recurrence().at().hour()).collect::<Vec<_>>()
    };
    assert_eq!(first_hour(&[All, All], false), [1, 2]);
    assert_eq!(first_hour(&[All, Updates, Sequences], false), [2]);
    assert_eq!(first_hour(&[All, Updates, Sequences], true), [1, 2]);
    assert_eq!(first_hour(&[Sequences], false), [0_i8; 0]);
    let mut disabled = kind("daily at 05:00", 30, Updates);
    disabled.enabled = false;
    let windows = [window("daily at 01:00", 30), disabled];
    assert_eq!(Calendar::new(&windows, TimeZone::UTC, false, HOUR).windows().len(), 1);
}

#[test]
fn the_deadline_goes_into_the_next_window_that_is_long_enough() {
    let windows = [window("weekly saturday at 22:00 from 2026-01-01", 240), window("weekly wednesday at 12:00", 30)];
    let calendar = calendar(&windows, "Europe/Amsterdam");
    // the window of Wednesday is too short for an hour; Saturday 22:00 in Amsterdam is 21:00 UTC in winter
    for (deadline, minutes, expected) in [
        ("2026-12-01T08:00:00Z", 60, "2026-12-05T21:00:00Z"),
        ("2026-12-01T08:00:00Z", 30, "2026-12-02T11:00:00Z"),
        ("2026-12-01T08:00:00Z", 31, "2026-12-05T21:00:00Z"),
        // inside: stays where it is while the rest is long enough
        ("2026-12-05T21:30:00Z", 60, "2026-12-05T21:30:00Z"),
        ("2026-12-06T00:00:00Z", 60, "2026-12-06T00:00:00Z"),
        ("2026-12-06T00:00:01Z", 60, "2026-12-12T21:00:00Z"),
        // exactly as long as the window
        ("2026-12-05T21:00:00Z", 240, "2026-12-05T21:00:00Z"),
        ("2026-12-05T21:00:01Z", 240, "2026-12-12T21:00:00Z"),
    ] {
        let resolved = calendar.resolve(&install(deadline, minutes), at("2026-12-01T00:00:00Z"));
        assert_eq!(resolved.deadline, Some(at(expected)), "{deadline} {minutes}");
        assert_eq!((resolved.action, resolved.reason), (WireAction::Install, Reason::Window));
    }
}

#[test]
fn a_computer_that_was_off_gets_the_next_window() {
    let calendar = calendar(&[window("weekly saturday at 22:00", 240)], "UTC");
    let ask = install("2026-12-05T10:00:00Z", 60);
    for (now, deadline, next_change) in [
        ("2026-12-05T00:00:00Z", "2026-12-05T22:00:00Z", "2026-12-06T01:01:00Z"),
        ("2026-12-05T23:30:00Z", "2026-12-05T22:00:00Z", "2026-12-06T01:01:00Z"),
        ("2026-12-06T01:00:59Z", "2026-12-05T22:00:00Z", "2026-12-06T01:01:00Z"),
        // 59 minutes are left: the next one
        ("2026-12-06T01:01:00Z", "2026-12-12T22:00:00Z", "2026-12-13T01:01:00Z"),
        ("2027-06-01T00:00:00Z", "2027-06-05T22:00:00Z", "2027-06-06T01:01:00Z"),
    ] {
        let resolved = calendar.resolve(&ask, at(now));
        assert_eq!((resolved.deadline, resolved.next_change), (Some(at(deadline)), Some(at(next_change))), "{now}");
    }
}

#[test]
fn what_windows_do_not_concern_goes_out_as_it_was_made() {
    let windows = [window("weekly saturday at 22:00", 240)];
    let calendar = calendar(&windows, "UTC");
    let ask = install("2026-12-01T08:00:00Z", 60);
    let now = at("2026-12-01T00:00:00Z");
    let outside = Ask { timing: Timing { outside_windows: true, ..Timing::default() }, ..ask };
    let resolved = calendar.resolve(&outside, now);
    assert_eq!((resolved.deadline, resolved.reason), (ask.deadline, Reason::OutsideWindows));
    let resolved = Calendar::open(TimeZone::UTC).resolve(&ask, now);
    assert_eq!((resolved.deadline, resolved.reason, resolved.next_change), (ask.deadline, Reason::Plain, None));
    // a user's own install is free (MW-7)
    let optional = calendar.resolve(&Ask { action: DeploymentAction::Optional, ..ask }, now);
    assert_eq!((optional.action, optional.reason), (WireAction::OptionalInstall, Reason::Plain));
    let none = calendar.resolve(&Ask { deadline: None, ..ask }, now);
    assert_eq!((none.action, none.deadline, none.reason), (WireAction::Install, None, Reason::NoDeadline));
    for action in [DeploymentAction::Block, DeploymentAction::Detect] {
        assert_eq!(calendar.resolve(&Ask { action, ..ask }, now).action, WireAction::PreDeploymentCheck);
    }
    let removal = calendar.resolve(&Ask { action: DeploymentAction::Uninstall, ..ask }, now);
    assert_eq!((removal.action, removal.deadline), (WireAction::Uninstall, Some(at("2026-12-05T22:00:00Z"))));
    let later = Ask { available: at("2026-12-01T00:00:01Z"), ..ask };
    let resolved = calendar.resolve(&later, now);
    assert_eq!((resolved.action, resolved.reason), (WireAction::PreDeploymentCheck, Reason::NotAvailable));
    assert_eq!(resolved.next_change, Some(later.available));
}

#[test]
fn a_held_deployment_goes_out_one_scan_interval_before_the_window() {
    let calendar = calendar(&[window("weekly saturday at 22:00", 240)], "UTC");
    for deadline in [Some(at("2026-12-01T08:00:00Z")), None] {
        let timing = Timing { hold_until_window: true, ..Timing::default() };
        let ask = Ask { timing, deadline, ..install("2026-12-01T08:00:00Z", 60) };
        for (now, action, next_change) in [
            ("2026-12-04T23:59:59Z", WireAction::PreDeploymentCheck, "2026-12-05T00:00:00Z"),
            ("2026-12-05T00:00:00Z", WireAction::Install, "2026-12-06T01:01:00Z"),
            ("2026-12-06T01:00:59Z", WireAction::Install, "2026-12-06T01:01:00Z"),
            ("2026-12-06T01:01:00Z", WireAction::PreDeploymentCheck, "2026-12-12T00:00:00Z"),
        ] {
            let resolved = calendar.resolve(&ask, at(now));
            assert_eq!((resolved.action, resolved.next_change), (action, Some(at(next_change))), "{now}");
            let expected = deadline.filter(|_| action == WireAction::Install).and(resolved.window);
            assert_eq!(resolved.deadline, expected, "{now}");
        }
    }
}

#[test]
fn what_can_never_fit_stays_a_check() {
    let now = at("2026-12-01T00:00:00Z");
    let never = |windows: &[Window], minutes| {
        let resolved = calendar(windows, "Europe/Amsterdam").resolve(&install("2026-12-01T08:00:00Z", minutes), now);
        assert_eq!(resolved.reason == Reason::Never, resolved.deadline.is_none());
        assert_eq!(resolved.reason == Reason::Never, resolved.action == WireAction::PreDeploymentCheck);
        resolved.reason == Reason::Never
    };
    assert!(never(&[window("weekly saturday at 22:00", 60)], 61));
    assert!(!never(&[window("weekly saturday at 22:00", 60)], 60));
    assert!(never(&[window("daily at 22:00", 60), window("daily at 04:00", 60)], 61));
    // an hour a day longer than a day, because they join
    assert!(!never(&[window("daily at 00:00", 1_440)], 2_000));
    assert!(!never(&[window("every 6 hours at 00:00", 360)], 2_000));
    assert!(never(&[window("every 6 hours at 00:00", 359)], 360));
    // alone far away, but there: found however far
    assert!(!never(&[window("every 120 months on 1 at 00:00 from 2025-01-01", 600), window("daily at 12:00", 5)], 600));
    // a window of Fridays and one of the 13th meet on Friday the 13th only, in August 2027
    let friday = [window("weekly friday at 20:00", 60), window("monthly 13 at 21:00", 60)];
    let resolved = calendar(&friday, "UTC").resolve(&install("2026-12-01T08:00:00Z", 120), now);
    assert_eq!(resolved.deadline, Some(at("2027-08-13T20:00:00Z")));
}

#[test]
fn monthly_windows_keep_their_offset_at_the_end_of_a_month() {
    // MW-9: no occurrence falls to the end of the month or is left out
    let patch_tuesday = window("monthly second tuesday +4 at 22:00", 240);
    assert_eq!(
        starts(&patch_tuesday, "Europe/Amsterdam", "2026-12-01T00:00:00Z", 3),
        ["2026-12-12 22:00", "2027-01-16 22:00", "2027-02-13 22:00"]
    );
    let last = window("monthly last tuesday +5 at 22:00", 60);
    assert_eq!(
        starts(&last, "America/New_York", "2026-09-01T00:00:00Z", 4),
        ["2026-10-04 22:00", "2026-11-01 22:00", "2026-11-29 22:00", "2027-01-03 22:00"]
    );
    let day = window("monthly 31 at 23:30", 60);
    assert_eq!(
        starts(&day, "Asia/Kathmandu", "2027-01-01T00:00:00Z", 4),
        ["2027-01-31 23:30", "2027-02-28 23:30", "2027-03-31 23:30", "2027-04-30 23:30"]
    );
}

#[test]
fn windows_follow_the_clocks_of_their_zone() {
    // a UTC window stays where it is, a local one keeps its time of day (MW-9)
    let utc = window("daily at 22:00 from 2026-07-01 UTC", 60);
    let amsterdam = zone("Europe/Amsterdam");
    for (from, start) in
        [("2026-07-10T00:00:00Z", "2026-07-10T22:00:00Z"), ("2026-12-10T00:00:00Z", "2026-12-10T22:00:00Z")]
    {
        assert_eq!(utc.occurrences(&amsterdam, at(from), Timestamp::MAX, 1)[0].start, at(start));
    }
    let table = [
        // the clocks go from 02:00 to 03:00: the window begins at the end of the gap and lasts as long as ever
        ("Europe/Amsterdam", "daily at 02:30", 60, "2027-03-28T00:00:00Z", "2027-03-28T01:00:00Z"),
        // 02:30 comes twice: the first of the two
        ("Europe/Amsterdam", "daily at 02:30", 60, "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"),
        ("America/New_York", "daily at 02:15", 120, "2027-03-14T05:00:00Z", "2027-03-14T07:00:00Z"),
        ("America/New_York", "daily at 01:15", 120, "2026-11-01T04:00:00Z", "2026-11-01T05:15:00Z"),
        // half an hour: 02:00 to 02:30
        ("Australia/Lord_Howe", "daily at 02:10", 30, "2026-10-03T14:00:00Z", "2026-10-03T15:30:00Z"),
        ("Australia/Lord_Howe", "daily at 01:45", 30, "2027-04-03T14:00:00Z", "2027-04-03T14:45:00Z"),
        // five and three quarter hours
        ("Asia/Kathmandu", "daily at 22:00", 240, "2026-12-01T00:00:00Z", "2026-12-01T16:15:00Z"),
        // the 30th of December 2011 was left out: its window begins with the 31st
        ("Pacific/Apia", "daily at 12:00", 60, "2011-12-30T00:00:00Z", "2011-12-30T10:00:00Z"),
    ];
    for (name, schedule, minutes, from, start) in table {
        let span = window(schedule, minutes).occurrences(&zone(name), at(from), Timestamp::MAX, 1)[0];
        assert_eq!(span.start, at(start), "{name} {schedule}");
        assert_eq!(span.duration(), SignedDuration::from_mins(minutes.into()), "{name} {schedule}");
    }
    // and the days after are what they were
    assert_eq!(
        starts(&window("daily at 12:00", 60), "Pacific/Apia", "2011-12-29T00:00:00Z", 4),
        ["2011-12-29 12:00", "2011-12-31 00:00", "2011-12-31 12:00", "2012-01-01 12:00"]
    );
}

#[test]
fn local_times_are_those_of_the_computers_zone() {
    let timing = Timing { local_time: true, ..Timing::default() };
    let ask = Ask { timing, available: at("2026-12-01T08:00:00Z"), ..install("2026-12-08T18:00:00Z", 60) };
    for (name, available, deadline) in [
        ("UTC", "2026-12-01T08:00:00Z", "2026-12-08T18:00:00Z"),
        ("America/New_York", "2026-12-01T13:00:00Z", "2026-12-08T23:00:00Z"),
        ("Pacific/Kiritimati", "2026-11-30T18:00:00Z", "2026-12-08T04:00:00Z"),
    ] {
        let calendar = Calendar::open(zone(name));
        let before = calendar.resolve(&ask, at(available) - SignedDuration::from_secs(1));
        assert_eq!((before.action, before.next_change), (WireAction::PreDeploymentCheck, Some(at(available))));
        let after = calendar.resolve(&ask, at(available));
        assert_eq!((after.action, after.deadline), (WireAction::Install, Some(at(deadline))), "{name}");
    }
    // with windows the wall-clock deadline is what counts: 18:00 in New York is after the window of that day
    let calendar = calendar(&[window("daily at 12:00", 240)], "America/New_York");
    let resolved = calendar.resolve(&ask, at("2026-12-02T00:00:00Z"));
    assert_eq!(resolved.deadline, Some(at("2026-12-09T17:00:00Z")));
}

#[test]
fn the_zone_is_that_of_the_computer_then_of_its_collections() {
    let [ring, west, east] = [1, 2, 3].map(|n| CollectionId(uuid::Uuid::from_u128(n)));
    let zones = ["Europe/Amsterdam", "America/New_York", "Asia/Tokyo"].map(|it| it.parse::<Zone>().expect("a zone"));
    let zoned = |name: &str, zone: &Zone| ZonedCollection { name: name.to_owned(), zone: zone.clone() };
    let all: BTreeMap<_, _> =
        [(ring, zoned("zz", &zones[0])), (west, zoned("b West", &zones[1])), (east, zoned("A East", &zones[2]))].into();
    let branch = |path: &[CollectionId]| path.iter().copied().chain([CollectionId::ALL_COMPUTERS]).collect::<Vec<_>>();
    assert_eq!(zone_of(Some(&zones[2]), &[branch(&[ring])], &all), ZoneFrom::Computer(&zones[2]));
    // the nearest of a branch
    assert_eq!(zone_of(None, &[branch(&[ring, west])], &all), ZoneFrom::Collection(ring, &zones[0]));
    // the first name of several branches
    let branches = [branch(&[ring]), branch(&[west]), branch(&[east])];
    assert_eq!(zone_of(None, &branches, &all), ZoneFrom::Collection(east, &zones[2]));
    assert_eq!(zone_of(None, &[branch(&[])], &all), ZoneFrom::Site);
}

fn schedules() -> impl Strategy<Value = String> {
    let time = (0..24_u8, 0..60_u8).prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}"));
    let days = prop::sample::subsequence(vec!["mon", "tue", "wed", "thu", "fri", "sat", "sun"], 1..4);
    let nth = prop::sample::select(vec!["first", "second", "third", "fourth", "last"]);
    let day = prop::sample::select(vec!["monday", "tuesday", "saturday", "sunday"]);
    let pattern = prop_oneof![
        (1..30_u16).prop_map(|every| format!("every {every} hours")),
        (1..10_u16).prop_map(|every| format!("every {every} days")),
        (1..4_u16, days).prop_map(|(every, days)| format!("every {every} weeks on {}", days.join(","))),
        (1..4_u16, 1..32_u8).prop_map(|(every, day)| format!("every {every} months on {day}")),
        (1..4_u16, nth, day, -31..=31_i8)
            .prop_map(|(every, nth, day, offset)| format!("every {every} months on {nth} {day} {offset:+}")),
    ];
    (pattern, time, any::<bool>()).prop_map(|(pattern, time, utc)| {
        let zone = if utc { " UTC" } else { "" };
        format!("{pattern} at {time} from 1990-01-01{zone}")
    })
}

fn windows(most: usize) -> impl Strategy<Value = Vec<Window>> {
    let minutes = prop_oneof![Just(60_u32), Just(240), Just(1_440), 5..=1_440_u32];
    prop::collection::vec((schedules(), minutes).prop_map(|(schedule, minutes)| window(&schedule, minutes)), 1..most)
}

fn some_zone() -> impl Strategy<Value = TimeZone> {
    let names =
        ["UTC", "Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"];
    prop::sample::select(names.map(zone).to_vec())
}

/// Seconds of 1990 to 2100.
const SECONDS: std::ops::Range<i64> = 631_152_000..4_102_444_800;

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

/// The earliest minute from `from` on at which an installation can begin that lasts `run` minutes, if the stretch of such
/// minutes is not over at `now`; looked for in so many days, minute by minute.
fn first_minute(calendar: &Calendar, from: Timestamp, now: Timestamp, run: usize, days: usize) -> Option<Timestamp> {
    let mut covered = vec![false; days * 1_440];
    for window in calendar.windows() {
        let end = from + MINUTE * covered.len() as i32;
        for span in window.occurrences(calendar.zone(), from, end, 100_000) {
            let first = span.start.duration_since(from).as_mins().max(0) as usize;
            let last = (span.end.duration_since(from).as_mins() as usize).min(covered.len());
            covered[first.min(last)..last].fill(true);
        }
    }
    let mut begin = 0;
    while begin < covered.len() {
        let end = begin + covered[begin..].iter().take_while(|covered| **covered).count();
        let last = from + MINUTE * (end as i32 - run as i32);
        if end >= begin + run && last + SLACK > now {
            return Some(from + MINUTE * begin as i32);
        }
        begin = end.max(begin) + 1;
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn the_union_is_the_one_found_minute_by_minute(windows in windows(4), zone in some_zone(), start in SECONDS) {
        let from = second(start / 60 * 60);
        let until = from + HOUR * 72;
        let calendar = Calendar::new(&windows, zone.clone(), false, HOUR);
        let spans = calendar.spans(from, until, 1_000);
        for pair in spans.windows(2) {
            prop_assert!(pair[0].end < pair[1].start, "{:?}", pair);
        }
        let singles: Vec<Span> = windows.iter().flat_map(|it| it.occurrences(&zone, from, until, 1_000)).collect();
        let mut minute = from;
        while minute < until {
            let inside = |spans: &[Span]| spans.iter().any(|span| span.start <= minute && minute < span.end);
            prop_assert_eq!(inside(&spans), inside(&singles), "{}", minute);
            minute += MINUTE;
        }
    }

    #[test]
    fn the_deadline_is_the_first_minute_that_fits(
        windows in windows(3), zone in some_zone(), start in SECONDS, late in 0..6_000_i64, run in 5..400_usize,
    ) {
        let deadline = second(start / 60 * 60);
        let now = deadline + MINUTE * late as i32;
        let calendar = Calendar::new(&windows, zone, false, HOUR);
        let ask = Ask {
            timing: Timing::default(),
            action: DeploymentAction::Install,
            available: deadline,
            deadline: Some(deadline),
            run_time: MINUTE * run as i32,
        };
        let resolved = calendar.resolve(&ask, now);
        // what is farther away must not be nearer for the engine
        match first_minute(&calendar, deadline, now, run, 14) {
            Some(begin) => prop_assert_eq!(resolved.deadline, Some(begin)),
            None => prop_assert!(resolved.deadline.is_none_or(|it| it >= deadline + HOUR * (14 * 24) - ask.run_time)),
        }
    }

    #[test]
    fn a_window_never_makes_an_installation_earlier_and_changes_are_announced(
        windows in windows(4), zone in some_zone(), start in SECONDS,
        early in 0..20_000_i64, has_deadline in any::<bool>(), later in 0..60_000_i64,
        run in 5..600_i64, hold in any::<bool>(), local in any::<bool>(), lead in 1..100_i32,
    ) {
        let (available, deadline) = (second(start), second(start) + MINUTE * early as i32);
        let now = available + MINUTE * later as i32;
        let calendar = Calendar::new(&windows, zone.clone(), false, HOUR * lead);
        let ask = Ask {
            timing: Timing { hold_until_window: hold, local_time: local, outside_windows: false },
            action: DeploymentAction::Install,
            available,
            deadline: has_deadline.then_some(deadline),
            run_time: MINUTE * run as i32,
        };
        let resolved = calendar.resolve(&ask, now);
        let plain = Calendar::open(zone).resolve(&ask, now);
        if let Some(handed) = resolved.deadline {
            prop_assert_eq!(resolved.action, WireAction::Install);
            prop_assert!(plain.action == WireAction::Install && Some(handed) >= plain.deadline);
            // inside a window, with the run time left
            let span = calendar.spans(handed, handed + MINUTE, 1)[0];
            prop_assert!(span.start <= handed && handed + ask.run_time <= span.end, "{:?} {:?}", handed, span);
        }
        if !has_deadline {
            prop_assert_eq!(resolved.deadline, None);
        }
        // the same until the next change, another one then
        let same = |time: Timestamp| {
            let other = calendar.resolve(&ask, time);
            (other.action, other.deadline, other.window, other.reason)
                == (resolved.action, resolved.deadline, resolved.window, resolved.reason)
        };
        if resolved.reason != Reason::Never {
            if let Some(next) = resolved.next_change {
                prop_assert!(next > now);
                prop_assert!(!same(next), "{} {:?}", next, resolved);
                let whole = next.duration_since(now).as_secs();
                for part in 0..8 {
                    prop_assert!(same(now + SignedDuration::from_secs(whole / 8 * part)), "{:?}", resolved);
                }
                prop_assert!(same(next - SignedDuration::from_nanos(1)));
            } else {
                prop_assert!((0..10).all(|weeks| same(now + HOUR * (168 * weeks))));
            }
        }
        if let Some(since) = resolved.since {
            prop_assert!(since <= now, "{:?}", resolved);
            let whole = now.duration_since(since).as_secs();
            for part in 0..8 {
                prop_assert!(same(since + SignedDuration::from_secs(whole / 8 * part)), "{} {:?}", part, resolved);
            }
        }
    }
}

#[test]
fn every_window_goes_on_in_every_zone_from_1990_to_2100() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut count = 0;
    for name in TimeZoneDatabase::bundled().available() {
        let zone = TimeZoneDatabase::bundled().get(name.as_str()).expect("a zone");
        for _ in 0..12 {
            let case = (schedules(), SECONDS).new_tree(&mut runner).expect("a case").current();
            let (schedule, now) = (window(&case.0, 60), second(case.1));
            let next = schedule.recurrence().next_after(now, &zone);
            assert!(next.is_some_and(|next| next > now), "{name}: {} after {now}", case.0);
            let span = schedule.occurrences(&zone, now, Timestamp::MAX, 1)[0];
            assert!(span.end > now && Some(span.start) <= next, "{name}: {} after {now}", case.0);
        }
        count += 1;
    }
    assert!(count > 400, "{count} zones");
}
