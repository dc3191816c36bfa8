//! Clocks and exceptions.

use jiff::Timestamp;

use crate::{
    exposure::{Exception, ExceptionError, LevelError, Levels, Place, Started, Subject, Timing},
    ids::CollectionId,
    update::Severity,
};

fn day(day: i64) -> Timestamp {
    Timestamp::from_second(day * 86_400).expect("a time")
}

fn started(published: i64, offered: i64) -> Started {
    Started { published: Some(day(published)), offered: Some(day(offered)), exploited: None }
}

#[test]
fn the_clock_starts_at_the_later_of_publication_and_arrival() {
    let levels = Levels::default();
    let due = |started| levels.clock(Some(Severity::Critical), started, day(0)).map(|clock| (clock.started, clock.due));
    assert_eq!(due(started(100, 110)), Some((day(110), day(125))), "the update came after the news");
    assert_eq!(due(started(110, 100)), Some((day(110), day(125))), "the news came after the update");
    let only = |published: Option<i64>, offered: Option<i64>| Started {
        published: published.map(day),
        offered: offered.map(day),
        exploited: None,
    };
    assert_eq!(due(only(Some(100), None)), Some((day(100), day(115))));
    assert_eq!(due(only(None, Some(100))), Some((day(100), day(115))));
    assert_eq!(due(only(None, None)), None, "there is nothing to count from");
}

#[test]
fn known_exploitation_shortens_from_when_it_became_known() {
    let levels = Levels { exploited: Some(5), ..Levels::default() };
    let due = |rating, exploited: Option<i64>| {
        let started = Started { exploited: exploited.map(day), ..started(100, 100) };
        levels.clock(rating, started, day(0)).map(|clock| (clock.due, clock.exploited))
    };
    assert_eq!(due(Some(Severity::Important), None), Some((day(130), false)));
    assert_eq!(due(Some(Severity::Important), Some(90)), Some((day(105), true)), "known before: from the start");
    assert_eq!(due(Some(Severity::Important), Some(110)), Some((day(115), true)), "known later: from then");
    assert_eq!(due(Some(Severity::Important), Some(125)), Some((day(130), false)), "both end then");
    assert_eq!(due(Some(Severity::Important), Some(128)), Some((day(130), false)), "never later than without");
    let no_rating = Levels { important: None, ..levels.clone() };
    let clock =
        no_rating.clock(Some(Severity::Important), Started { exploited: Some(day(110)), ..started(100, 100) }, day(0));
    assert_eq!(clock.map(|clock| (clock.due, clock.exploited)), Some((day(115), true)), "a level of its own");
    assert_eq!(no_rating.clock(Some(Severity::Important), started(100, 100), day(0)), None);
}

#[test]
fn time_runs_out_at_the_due_moment() {
    let levels = Levels { low: Some(10), due_soon: 3, ..Levels::default() };
    let timing = |now: Timestamp| levels.clock(Some(Severity::Low), started(100, 100), now).map(|clock| clock.timing);
    let second = jiff::SignedDuration::from_secs(1);
    for (now, expected) in [
        (day(0), Timing::Within),
        (day(107) - second, Timing::Within),
        (day(107), Timing::DueSoon),
        (day(110), Timing::DueSoon),
        (day(110) + second, Timing::Breached),
        (day(9_999), Timing::Breached),
    ] {
        assert_eq!(timing(now), Some(expected), "{now}");
    }
    // the ends of time do not matter
    let far = Started { published: Some(Timestamp::MAX), offered: None, exploited: Some(Timestamp::MAX) };
    assert_eq!(levels.clock(Some(Severity::Low), far, day(0)), None);
    let early = Started { published: Some(Timestamp::MIN), offered: None, exploited: None };
    assert_eq!(levels.clock(Some(Severity::Low), early, day(0)).map(|clock| clock.timing), Some(Timing::Breached));
}

#[test]
fn levels_are_days_within_reason() {
    assert_eq!(Levels::default().check(), Ok(()));
    let none = Levels { critical: None, exploited: None, ..Levels::default() };
    assert_eq!((none.check(), none.days(Some(Severity::Critical))), (Ok(()), None));
    for (levels, field) in [
        (Levels { critical: Some(0), ..Levels::default() }, "critical"),
        (Levels { exploited: Some(3_651), ..Levels::default() }, "exploited"),
        (Levels { due_soon: 0, ..Levels::default() }, "due_soon"),
    ] {
        assert_eq!(levels.check().map_err(|LevelError { field, .. }| field), Err(field));
    }
}

#[test]
fn exceptions_have_an_owner_a_reason_and_an_end() {
    let now: Timestamp = "2031-02-28T12:00:00Z".parse().expect("a time");
    let exception = |owner: &str, reason: &str, expires: &str| Exception {
        subject: Subject::Cve("CVE-2031-10001".parse().expect("a CVE")),
        place: Place::Collection(CollectionId::ALL_COMPUTERS),
        owner: owner.to_owned(),
        reason: reason.to_owned(),
        expires: expires.parse().expect("a time"),
    };
    let good = exception("A. Person", "The press stops in May.\nThen we patch.", "2033-02-28T12:00:00Z");
    assert_eq!(good.check(now), Ok(()), "two years to the second");
    let text =
        |field| move |error: &ExceptionError| matches!(error, ExceptionError::Text { field: it, .. } if *it == field);
    let check =
        |owner: &str, reason: &str, expires: &str| exception(owner, reason, expires).check(now).expect_err("refused");
    assert!(text("owner")(&check(" ", "x", "2031-03-01T00:00:00Z")));
    assert!(text("owner")(&check(&"x".repeat(201), "x", "2031-03-01T00:00:00Z")));
    assert!(text("reason")(&check("x", "", "2031-03-01T00:00:00Z")));
    assert!(text("reason")(&check("x", "a\u{7}", "2031-03-01T00:00:00Z")));
    assert!(matches!(check("x", "x", "2031-02-28T12:00:00Z"), ExceptionError::Expired(_)));
    assert!(matches!(check("x", "x", "2033-02-28T12:00:01Z"), ExceptionError::Long(_)));
    assert!(good.counts(now));
    assert!(!good.counts(good.expires), "it ends at the moment that it names");
}
