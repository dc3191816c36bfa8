use jiff::{SignedDuration, Timestamp, civil::date, tz::TimeZone};
use proptest::prelude::*;
use uuid::Uuid;

use super::{
    Day, HistoryDecodeError, Instants, KEPT_DAYS, LONGEST_DAYS, Point, Reach, Recorded, Series, Subject, TARGETS,
    first_kept, percent, time_to,
};
use crate::{
    ids::{CollectionId, UpdateId},
    status::Counts,
};

fn day(text: &str) -> Day {
    Day::of(text.parse().expect("a date"))
}

fn counts(installed: u64, required: u64) -> Counts {
    Counts { required, installed, ..Counts::default() }
}

fn series(points: &[(&str, Counts)]) -> Series {
    let mut series = Series::default();
    for (text, counts) in points {
        series.record(day(text), *counts);
    }
    series
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

#[test]
fn days_are_dates_and_end_with_the_next_one() {
    assert_eq!(day("1970-01-01").number(), 0);
    assert_eq!(day("2000-03-01").number(), 11_017);
    assert_eq!(Day::of(date(9999, 12, 31)).to_string(), "9998-12-31");
    assert_eq!(Day::of(date(-44, 3, 15)).to_string(), "1970-01-01");
    assert_eq!(Day::from_number(-1), None);
    let zone = TimeZone::get("Europe/Amsterdam").expect("a zone");
    // clocks go forward on the 29th, so that the day has 23 hours
    assert_eq!(day("2026-03-29").end(&zone), at("2026-03-29T22:00:00Z"));
    assert_eq!(day("2026-03-28").end(&zone), at("2026-03-28T23:00:00Z"));
    assert_eq!(Day::at(at("2026-03-28T23:30:00Z"), &zone), day("2026-03-29"));
    assert_eq!(Day::at(at("2026-03-28T23:30:00Z"), &TimeZone::UTC), day("2026-03-28"));
    assert!(day("9998-12-31").end(&TimeZone::UTC) > at("9998-12-31T23:00:00Z"));
}

#[test]
fn two_years_are_kept() {
    assert_eq!(first_kept(day("2028-02-29"), KEPT_DAYS), day("2026-03-01"));
    assert_eq!(first_kept(day("2026-01-01"), 1), day("2026-01-01"));
}

#[test]
fn the_last_of_a_day_counts_and_gaps_stay() {
    let mut series = series(&[("2026-01-01", counts(1, 9)), ("2026-01-04", counts(5, 5))]);
    assert_eq!(series.record(day("2026-01-04"), counts(5, 5)), Recorded::Same);
    assert_eq!(series.record(day("2026-01-04"), counts(6, 4)), Recorded::Replaced);
    let told: Vec<_> = series
        .days(day("2025-12-31"), day("2026-01-05"))
        .map(|(day, point)| (day.to_string(), point.map(|point| point.counts.installed)))
        .collect();
    let told: Vec<(&str, Option<u64>)> = told.iter().map(|(day, installed)| (day.as_str(), *installed)).collect();
    assert_eq!(
        told,
        [
            ("2025-12-31", None),
            ("2026-01-01", Some(1)),
            ("2026-01-02", None),
            ("2026-01-03", None),
            ("2026-01-04", Some(6)),
            ("2026-01-05", None)
        ]
    );
    // the clock was set back: the day is put where it belongs, and the later one stays
    assert_eq!(series.record(day("2026-01-03"), counts(4, 6)), Recorded::Added);
    assert_eq!(series.points().len(), 3);
    series.until(day("2026-01-03"));
    assert_eq!(series.points().last().map(|point| point.day), Some(day("2026-01-03")));
}

#[test]
fn stored_bytes_stay_readable() {
    let series = series(&[
        ("2026-01-01", counts(100, 20)),
        ("2026-01-02", counts(100, 20)),
        ("2026-01-03", counts(100, 20)),
        ("2026-01-06", counts(110, 10)),
        ("2026-01-07", counts(110, 10)),
    ]);
    let bytes = series.encode();
    let hex = bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    // version, 5 days, day 20454, {required, installed} +20 +100, a run of 2, a gap of 2 with -10 +10, a run of 1
    assert_eq!(hex, "0105e69f011428c8010002940213140001");
    assert_eq!(Series::decode(&bytes), Ok(series));
    assert_eq!(Series::decode(&[1, 0]), Ok(Series::default()));
}

#[test]
fn damaged_bytes_are_refused() {
    let damaged = |bytes: &[u8]| matches!(Series::decode(bytes), Err(HistoryDecodeError::Damaged(_)));
    assert_eq!(Series::decode(&[2, 0]), Err(HistoryDecodeError::Version(2)));
    assert!(damaged(&[]), "nothing");
    assert!(damaged(&[1, 1, 0]), "no point");
    assert!(damaged(&[1, 0, 0]), "something after the end");
    assert!(damaged(&[1, 2, 0, 0, 0, 9]), "a run that is too long");
    assert!(damaged(&[1, 2, 0, 0, 0, 0]), "an empty run");
    assert!(damaged(&[1, 1, 0, 0x80, 1]), "a gap before the first");
    assert!(damaged(&[1, 1, 0, 1, 1]), "fewer than none");
    assert!(damaged(&[1, 2, 0, 0, 0x80, 0xff, 0xff, 0x7f]), "too long a gap");
    assert!(damaged(&[1, 0xff, 0xff, 0x7f, 0, 0]), "too many days");
    assert!(damaged(&[1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0]), "too long a number");
    let whole = series(&[("2026-01-01", counts(7, 3)), ("2026-01-05", counts(8, 2))]).encode();
    for length in 0..whole.len() {
        assert!(damaged(&whole[..length]), "{length} bytes of {}", whole.len());
    }
}

/// A collection of 15,000 computers over 24 months: each month an update comes, computers take it on over three weeks, some
/// fail, a few computers come and go every day, and the server was off for a week.
fn two_years(computers: u64, busy: bool) -> Series {
    let mut series = Series::default();
    let first = day("2024-12-01");
    let mut noise = 12_345_u64;
    for number in 0..KEPT_DAYS {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        if (300..307).contains(&number) {
            continue;
        }
        let (of_month, random) = (u64::from(number % 30), noise >> 33);
        let total = if busy { computers + random % 40 } else { computers };
        let done = if busy { total * of_month.min(21) / 22 } else { total * 21 / 22 };
        let failed = if busy { total * (21 - of_month.min(21)) / 2_000 } else { 3 };
        let unknown = if busy { random % 60 } else { 12 };
        let pending = if busy { random % 25 } else { 0 };
        let installed = done.saturating_sub(unknown);
        let required = total.saturating_sub(installed + failed + unknown + pending);
        let counts = Counts { unknown, required, installed, failed, pending_restart: pending, ..Counts::default() };
        series.record(first.plus(number), counts);
    }
    series
}

#[test]
fn two_years_of_a_subject_take_little_room() {
    let per_day = |series: &Series| series.encode().len() as f64 / series.points().len() as f64;
    let (quiet, busy) = (two_years(15_000, false), two_years(15_000, true));
    assert!(quiet.encode().len() < 40, "{} bytes", quiet.encode().len());
    assert!(per_day(&busy) < 12.0, "{:.1} bytes a day", per_day(&busy));
    let large = two_years(150_000, true);
    assert!(per_day(&large) < 14.0, "{:.1} bytes a day", per_day(&large));
    for series in [quiet, busy, large] {
        assert_eq!(Series::decode(&series.encode()), Ok(series));
    }
}

fn reach(points: &[(&str, u64)], start: &str, target: u8, now: &str) -> Reach {
    let points: Vec<Point> =
        points.iter().map(|(text, share)| Point { day: day(text), counts: counts(*share, 100 - share) }).collect();
    time_to(&points, at(start), target, &Instants { zone: &TimeZone::UTC, now: at(now) })
}

#[test]
fn the_time_to_a_share_is_told_as_far_as_it_is_known() {
    let points = [("2026-01-01", 0), ("2026-01-02", 40), ("2026-01-03", 60), ("2026-01-06", 96)];
    let told = |target| reach(&points, "2026-01-02T12:00:00Z", target, "2026-01-20T00:00:00Z");
    // 40 % at the end of the 2nd, 60 % at the end of the 3rd: half of the day
    assert_eq!(
        told(50),
        Reach::Between {
            after: at("2026-01-03T00:00:00Z"),
            by: at("2026-01-04T00:00:00Z"),
            estimate: Some(at("2026-01-03T12:00:00Z")),
            missing: 0
        }
    );
    assert_eq!(told(50).took(at("2026-01-02T12:00:00Z")), Some(SignedDuration::from_hours(24)));
    // two days are missing in between, and that is said
    let Reach::Between { after, by, missing, estimate: Some(estimate) } = told(90) else { panic!("{:?}", told(90)) };
    assert_eq!((after, by, missing), (at("2026-01-04T00:00:00Z"), at("2026-01-07T00:00:00Z"), 2));
    assert_eq!(estimate, at("2026-01-06T12:00:00Z"));
    assert_eq!(told(97), Reach::Not { best: 96.0, at: at("2026-01-07T00:00:00Z") });
    assert_eq!(told(97).took(at("2026-01-02T12:00:00Z")), None);
}

#[test]
fn what_records_do_not_bear_is_not_told() {
    let points = [("2026-01-10", 60), ("2026-01-11", 92)];
    let told = |start, target| reach(&points, start, target, "2026-02-01T00:00:00Z");
    // records began after the release, and it was reached by then
    assert_eq!(told("2026-01-01T00:00:00Z", 50), Reach::BeforeRecords { by: at("2026-01-11T00:00:00Z") });
    // but not that much of it: known in full
    assert!(matches!(told("2026-01-01T00:00:00Z", 90), Reach::Between { missing: 0, .. }));
    // records began on the day of the release: some time on that day
    assert_eq!(
        told("2026-01-10T08:00:00Z", 50),
        Reach::Between {
            after: at("2026-01-10T08:00:00Z"),
            by: at("2026-01-11T00:00:00Z"),
            estimate: None,
            missing: 0
        }
    );
    // it was so before
    assert_eq!(told("2026-01-12T00:00:00Z", 90), Reach::AtStart);
    assert_eq!(told("2026-01-12T00:00:00Z", 95), Reach::NoRecords);
    assert_eq!(reach(&[], "2026-01-12T00:00:00Z", 50, "2026-02-01T00:00:00Z"), Reach::NoRecords);
    // a start that is yet to come
    assert_eq!(told("2026-03-01T00:00:00Z", 50), Reach::NoRecords);
}

#[test]
fn today_counts_as_of_now_and_the_future_not_at_all() {
    let points = [("2026-01-01", 0), ("2026-01-02", 100), ("2026-01-03", 100)];
    let told = reach(&points, "2026-01-01T00:00:00Z", 50, "2026-01-02T06:00:00Z");
    assert_eq!(
        told,
        Reach::Between {
            after: at("2026-01-02T00:00:00Z"),
            by: at("2026-01-02T06:00:00Z"),
            estimate: Some(at("2026-01-02T03:00:00Z")),
            missing: 0
        }
    );
    let told = reach(&points[..2], "2026-01-01T00:00:00Z", 50, "2026-01-01T06:00:00Z");
    assert_eq!(told, Reach::Not { best: 0.0, at: at("2026-01-01T06:00:00Z") });
}

#[test]
fn days_without_computers_reach_nothing() {
    let empty = Point { day: day("2026-01-02"), counts: Counts::default() };
    assert_eq!(percent(&empty.counts), None);
    let instants = Instants { zone: &TimeZone::UTC, now: at("2026-02-01T00:00:00Z") };
    assert_eq!(time_to(&[empty], at("2026-01-01T00:00:00Z"), 50, &instants), Reach::NoRecords);
}

#[test]
fn subjects_come_back_from_their_keys() {
    let id = Uuid::from_u128(7);
    let subjects = [
        Subject::Collection(CollectionId(id)),
        Subject::Site(id),
        Subject::Group(id),
        Subject::GroupIn(id, CollectionId(Uuid::from_u128(9))),
        Subject::Update(UpdateId(id)),
    ];
    for subject in subjects {
        assert_eq!(Subject::from_stored(subject.kind(), &subject.key()), Ok(subject));
        assert!(Subject::from_stored(subject.kind(), &subject.key()[1..]).is_err());
    }
    assert!(Subject::from_stored(5, &[0; 16]).is_err());
    assert!(Subject::from_stored(0, &[0; 32]).is_err());
}

fn any_counts() -> impl Strategy<Value = Counts> {
    let count = prop_oneof![4 => 0..20_u64, 2 => 0..200_000_u64, 1 => any::<u64>()];
    proptest::array::uniform7(count).prop_map(
        |[unknown, not_applicable, required, downloaded, installed, failed, pending]| Counts {
            unknown,
            not_applicable,
            required,
            downloaded,
            installed,
            failed,
            pending_restart: pending,
        },
    )
}

/// Days in any order, mostly near each other, with counts that often stay.
fn any_records() -> impl Strategy<Value = Vec<(u32, Counts)>> {
    let few = proptest::collection::vec(any_counts(), 1..4);
    (
        few,
        proptest::collection::vec(
            (prop_oneof![5 => 0..40_u32, 1 => 0..LONGEST_DAYS], any::<prop::sample::Index>()),
            0..80,
        ),
    )
        .prop_map(|(counts, days)| days.into_iter().map(|(day, index)| (day, *index.get(&counts))).collect())
}

proptest! {
    #[test]
    fn every_recorded_day_comes_back_as_it_was_last(records in any_records()) {
        let first = day("2020-01-01");
        let mut series = Series::default();
        let mut last = std::collections::BTreeMap::new();
        for (ahead, counts) in &records {
            series.record(first.plus(*ahead), *counts);
            last.insert(first.plus(*ahead), *counts);
        }
        let decoded = Series::decode(&series.encode()).expect("its own bytes");
        prop_assert_eq!(&decoded, &series);
        prop_assert_eq!(decoded.points().len(), last.len());
        for (day, counts) in last {
            let stored = decoded.on(day).expect("no day is lost").counts;
            prop_assert_eq!(stored.total(), [counts.unknown, counts.not_applicable, counts.required, counts.downloaded,
                counts.installed, counts.failed, counts.pending_restart].iter().map(|count| (*count).min(u64::from(u32::MAX))).sum::<u64>());
        }
        // once more changes nothing
        let mut again = series.clone();
        for point in series.points() {
            prop_assert_eq!(again.record(point.day, point.counts), Recorded::Same);
        }
        prop_assert_eq!(again.encode(), series.encode());
    }

    #[test]
    fn parts_join_to_the_whole(records in any_records(), cut in 0..LONGEST_DAYS) {
        let first = day("2020-01-01");
        let (mut whole, mut early, mut late) = (Series::default(), Series::default(), Series::default());
        for (ahead, counts) in records {
            let day = first.plus(ahead);
            whole.record(day, counts);
            if ahead < cut { early.record(day, counts); } else { late.record(day, counts); }
        }
        late.join(&early);
        prop_assert_eq!(&late, &whole);
        late.trim(first.plus(cut));
        prop_assert!(late.points().iter().all(|point| point.day >= first.plus(cut)));
    }

    #[test]
    fn no_bytes_make_the_decoder_fail_or_grow(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut versioned = vec![1];
        versioned.extend_from_slice(&bytes);
        if let Ok(series) = Series::decode(&versioned) {
            prop_assert!(series.points().len() <= LONGEST_DAYS as usize);
            prop_assert!(series.points().is_sorted_by_key(|point| point.day));
            prop_assert_eq!(Series::decode(&series.encode()), Ok(series));
        }
    }

    #[test]
    fn more_takes_longer(shares in proptest::collection::vec((0..4_u32, 0..=100_u64), 1..30), begin in 0..40_i64) {
        let mut next = day("2026-01-01");
        let points: Vec<Point> = shares.into_iter().map(|(gap, share)| {
            next = next.plus(1 + gap);
            Point { day: next, counts: counts(share, 100 - share) }
        }).collect();
        let start = at("2026-01-01T06:00:00Z") + SignedDuration::from_hours(24 * begin);
        let instants = Instants { zone: &TimeZone::UTC, now: next.end(&TimeZone::UTC) };
        let took: Vec<_> = TARGETS.map(|target| {
            let reach = time_to(&points, start, target, &instants);
            if let Reach::Between { after, by, estimate: Some(estimate), .. } = reach {
                assert!(after <= estimate && estimate <= by && start <= after);
            }
            reach.took(start)
        }).into_iter().collect();
        for pair in took.windows(2) {
            // what is not reached is never reached by more
            match (pair[0], pair[1]) {
                (Some(less), Some(more)) => prop_assert!(less <= more),
                (None, more) => prop_assert_eq!(more, None),
                (Some(_), None) => {}
            }
        }
    }
}
