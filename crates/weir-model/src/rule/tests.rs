use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::ids::UpdateId;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn span(text: &str) -> Interval {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn recurring(text: &str) -> Schedule {
    Schedule::Recurring(text.parse().unwrap_or_else(|error| panic!("{text}: {error}")))
}

fn collection(number: u128) -> CollectionId {
    CollectionId(Uuid::from_u128(number))
}

fn target(number: u128, available: &str, deadline: Option<&str>) -> Target {
    Target {
        collection: collection(number),
        action: DeploymentAction::Install,
        available: span(available),
        deadline: deadline.map(span),
        terms: DeploymentTerms::default(),
    }
}

fn rule(schedule: Schedule) -> Rule {
    Rule {
        name: "Monthly".to_owned(),
        description: String::new(),
        enabled: true,
        criteria: "not superseded".to_owned(),
        schedule,
        group: GroupChoice::default(),
        deployments: vec![target(1, "0", Some("7d")), target(2, "5d", Some("14d"))],
        enable_deployments: true,
        licences: Licences::WithoutTerms,
        alert_on_failure: true,
    }
}

fn candidate(number: u128, matches: bool) -> Candidate {
    let verdict = if matches { Ok("not superseded".to_owned()) } else { Err("superseded".to_owned()) };
    Candidate { update: UpdateId(Uuid::from_u128(number)), verdict, barred: None, terms: Terms::Settled }
}

fn evaluations(since: &str, automatic: &[&str]) -> Evaluations {
    Evaluations { since: at(since), automatic: automatic.iter().map(|text| at(text)).collect(), synchronized_at: None }
}

#[test]
fn intervals_are_read_and_written() {
    for (text, written) in [
        ("0", "0m"),
        ("7d", "7d"),
        ("1w", "7d"),
        ("1w2d", "9d"),
        ("36h", "1d12h"),
        ("90m", "1h30m"),
        ("+3d4h", "3d4h"),
        ("366d", "366d"),
    ] {
        assert_eq!(span(text).to_string(), written, "{text}");
        assert_eq!(span(written), span(text), "{text}");
    }
    for wrong in ["", "+", "7", "d", "7x", "1d1w", "1d1d", "367d", "99999999999d", "-1d", "7 d", "7é"] {
        assert!(wrong.parse::<Interval>().is_err(), "{wrong:?}");
    }
}

/// Spoils something.
type Spoil = fn(&mut Rule);

#[test]
fn rules_are_refused_with_the_name_of_the_field() {
    let good = rule(Schedule::Manual);
    assert_eq!(good.check(), Ok(()));
    let cases: [(&str, Spoil); 15] = [
        ("deployment 1: pre_download", |rule| rule.deployments[0].terms.settings.pre_download = true),
        ("name", |rule| rule.name.clear()),
        ("name", |rule| rule.name = "n".repeat(LONGEST_NAME + 1)),
        ("name", |rule| rule.name = Uuid::nil().to_string()),
        ("name", |rule| rule.name = "a\nb".to_owned()),
        ("description", |rule| rule.description = "d".repeat(257)),
        ("criteria", |rule| rule.criteria = " ".to_owned()),
        ("criteria", |rule| rule.criteria = "x".repeat(LONGEST_CRITERIA + 1)),
        ("group", |rule| rule.group = GroupChoice::New { pattern: "{name} {day}".to_owned() }),
        ("group", |rule| rule.group = GroupChoice::New { pattern: "{name".to_owned() }),
        ("group", |rule| rule.group = GroupChoice::Kept { name: String::new() }),
        ("deadline of deployment 2", |rule| rule.deployments[1].deadline = Some(Interval::ZERO)),
        ("deadline of deployment 1", |rule| rule.deployments[0].action = DeploymentAction::Optional),
        ("action of deployment 1", |rule| rule.deployments[0].action = DeploymentAction::Uninstall),
        ("number 2", |rule| rule.deployments[1].collection = collection(1)),
    ];
    for (field, spoil) in cases {
        let mut spoilt = good.clone();
        spoil(&mut spoilt);
        let error = spoilt.check().expect_err(field).to_string();
        assert!(error.contains(field), "{field}: {error}");
    }
    let mut many = good;
    many.deployments = (0..=MOST_DEPLOYMENTS as u128).map(|number| target(number, "0", None)).collect();
    assert_eq!(many.check(), Err(RuleError::TooMany));
}

#[test]
fn a_rule_is_due_when_its_schedule_says_so() {
    let utc = TimeZone::UTC;
    let run = |base: &str, trigger| Decision::Run { base: at(base), trigger };
    for (schedule, since, now, expected) in [
        (Schedule::Manual, "2026-11-01T00:00:00Z", "2026-11-30T00:00:00Z", Decision::Wait { next: None }),
        (
            recurring("daily at 02:00"),
            "2026-11-29T12:00:00Z",
            "2026-11-30T01:59:59Z",
            Decision::Wait { next: Some(at("2026-11-30T02:00:00Z")) },
        ),
        (
            recurring("daily at 02:00"),
            "2026-11-29T12:00:00Z",
            "2026-11-30T02:00:00Z",
            run("2026-11-30T02:00:00Z", Trigger::Schedule),
        ),
        // done with it
        (
            recurring("daily at 02:00"),
            "2026-11-30T02:00:00Z",
            "2026-11-30T02:00:30Z",
            Decision::Wait { next: Some(at("2026-12-01T02:00:00Z")) },
        ),
        // away for a month: once, with the last start that was missed
        (
            recurring("daily at 02:00"),
            "2026-10-20T02:00:00Z",
            "2026-11-30T09:00:00Z",
            run("2026-11-30T02:00:00Z", Trigger::Schedule),
        ),
        // the day after the second Tuesday
        (
            recurring("monthly second tuesday +1 at 02:00"),
            "2026-11-01T00:00:00Z",
            "2026-11-30T09:00:00Z",
            run("2026-11-11T02:00:00Z", Trigger::Schedule),
        ),
        // an offset past the end of the month leads into the next one: 5 days after the last Friday of October
        (
            recurring("monthly last friday +5 at 02:00"),
            "2026-11-01T00:00:00Z",
            "2026-11-05T09:00:00Z",
            run("2026-11-04T02:00:00Z", Trigger::Schedule),
        ),
        // a day that the month does not have is its last one
        (
            recurring("monthly day 31 at 02:00"),
            "2026-11-01T00:00:00Z",
            "2026-11-30T09:00:00Z",
            run("2026-11-30T02:00:00Z", Trigger::Schedule),
        ),
        // a zone of its own
        (
            recurring("daily at 02:00 Europe/Amsterdam"),
            "2026-11-29T12:00:00Z",
            "2026-11-30T01:30:00Z",
            run("2026-11-30T01:00:00Z", Trigger::Schedule),
        ),
        (Schedule::AfterSync, "2026-11-01T00:00:00Z", "2026-11-30T00:00:00Z", Decision::Wait { next: None }),
    ] {
        let found = due(&rule(schedule.clone()), &evaluations(since, &[]), at(now), &utc);
        assert_eq!(found, expected, "{schedule:?} at {now}");
    }
    let mut off = rule(recurring("daily at 02:00"));
    off.enabled = false;
    let found = due(&off, &evaluations("2026-11-01T00:00:00Z", &[]), at("2026-11-30T09:00:00Z"), &utc);
    assert_eq!(found, Decision::Wait { next: None });
}

#[test]
fn a_synchronization_makes_a_rule_due_once() {
    let rule = rule(Schedule::AfterSync);
    let mut so_far = evaluations("2026-11-30T00:00:00Z", &[]);
    so_far.synchronized_at = Some(at("2026-11-30T03:00:00Z"));
    let now = at("2026-11-30T03:00:05Z");
    let base = at("2026-11-30T03:00:00Z");
    let expected = Decision::Run { base, trigger: Trigger::Synchronization };
    assert_eq!(due(&rule, &so_far, now, &TimeZone::UTC), expected);
    so_far.since = base;
    assert_eq!(due(&rule, &so_far, now, &TimeZone::UTC), Decision::Wait { next: None });
    // one that ended before the rule was made is none of its business
    so_far.since = at("2026-11-30T04:00:00Z");
    assert_eq!(due(&rule, &so_far, at("2026-11-30T05:00:00Z"), &TimeZone::UTC), Decision::Wait { next: None });
}

#[test]
fn a_fourth_evaluation_of_a_day_is_skipped_and_says_so() {
    let rule = rule(recurring("every 4 hours"));
    let three = ["2026-11-30T00:00:01Z", "2026-11-30T04:00:01Z", "2026-11-30T08:00:01Z"];
    let now = at("2026-11-30T12:00:01Z");
    match due(&rule, &evaluations("2026-11-30T08:00:00Z", &three), now, &TimeZone::UTC) {
        Decision::Skip { base, trigger: Trigger::Schedule, reason } => {
            assert_eq!(base, at("2026-11-30T12:00:00Z"));
            assert!(reason.contains("3 times on 2026-11-30"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    // the day is the zone's: in Tokyo the last of them was tomorrow
    let tokyo = TimeZone::fixed(jiff::tz::offset(9));
    let found = due(&rule, &evaluations("2026-11-30T16:00:00Z", &three), at("2026-11-30T20:00:01Z"), &tokyo);
    assert!(matches!(found, Decision::Run { .. }), "{found:?}");
    let next_day = due(&rule, &evaluations("2026-11-30T20:00:00Z", &three), at("2026-12-01T00:00:01Z"), &TimeZone::UTC);
    assert!(matches!(next_day, Decision::Run { .. }), "{next_day:?}");
}

#[test]
fn times_count_from_the_scheduled_start() {
    let base = at("2026-11-11T02:00:00Z");
    let plan = decide(&rule(Schedule::Manual), [candidate(1, true), candidate(2, false)], base, &TimeZone::UTC);
    let times: Vec<_> = plan.deployments.iter().map(|made| (made.available_at, made.deadline_at)).collect();
    assert_eq!(
        times,
        [(base, Some(at("2026-11-18T02:00:00Z"))), (at("2026-11-16T02:00:00Z"), Some(at("2026-11-25T02:00:00Z"))),]
    );
    assert_eq!(plan.group, Some(GroupPlan { name: "Monthly 2026-11-11".to_owned(), kept: false }));
    assert_eq!((plan.matched.len(), plan.rejected.len()), (1, 1));
    assert_eq!(plan.reasons, ["not superseded", "superseded"]);
    assert!(plan.deployments.iter().all(|made| made.enabled));
}

#[test]
fn local_times_are_those_of_the_schedule() {
    let mut rule = rule(recurring("daily at 02:00 Europe/Amsterdam"));
    rule.deployments[0].terms.local_time = true;
    let plan = decide(&rule, [candidate(1, true)], at("2026-11-11T01:00:00Z"), &TimeZone::UTC);
    let times: Vec<_> = plan.deployments.iter().map(|made| made.available_at).collect();
    assert_eq!(times, [at("2026-11-11T02:00:00Z"), at("2026-11-16T01:00:00Z")]);
}

#[test]
fn nothing_is_made_of_nothing() {
    for group in [GroupChoice::default(), GroupChoice::Kept { name: "Definitions".to_owned() }] {
        let rule = Rule { group, ..rule(Schedule::Manual) };
        let plan = decide(&rule, [candidate(1, false)], at("2026-11-11T02:00:00Z"), &TimeZone::UTC);
        assert_eq!((plan.group, plan.deployments, plan.problem), (None, vec![], None));
    }
}

#[test]
fn more_than_a_thousand_matches_fail_and_make_nothing() {
    let base = at("2026-11-11T02:00:00Z");
    let many = |count: u128| {
        decide(&rule(Schedule::Manual), (0..count).map(|number| candidate(number, true)), base, &TimeZone::UTC)
    };
    let most = many(1_000);
    assert_eq!((most.problem, most.deployments.len()), (None, 2));
    let plan = many(1_001);
    assert_eq!(plan.problem, Some(Problem::TooMany(1_001)));
    assert_eq!((plan.group, plan.deployments), (None, vec![]));
}

#[test]
fn licence_terms_are_accepted_or_leave_updates_out() {
    let base = at("2026-11-11T02:00:00Z");
    let open = |number| Candidate { terms: Terms::Open, ..candidate(number, true) };
    let candidates = || [candidate(1, true), open(2), Candidate { terms: Terms::Open, ..candidate(3, false) }];
    let plan = decide(&rule(Schedule::Manual), candidates(), base, &TimeZone::UTC);
    assert_eq!((plan.matched.len(), plan.rejected.len(), plan.accept_terms.len()), (1, 2, 0));
    let reason = plan.rejected.first().and_then(|noted| plan.reasons.get(noted.reason as usize));
    assert_eq!(reason.map(String::as_str), Some("matches, but its licence terms are not accepted"));
    let all = Rule { licences: Licences::AcceptAll, ..rule(Schedule::Manual) };
    let plan = decide(&all, candidates(), base, &TimeZone::UTC);
    assert_eq!((plan.matched.len(), plan.rejected.len()), (2, 1));
    assert_eq!(plan.accept_terms, [UpdateId(Uuid::from_u128(2))]);
}

#[test]
fn what_cannot_be_deployed_is_left_out_whatever_the_criteria_say() {
    let declined = |number, matches| Candidate { barred: Some("it is declined"), ..candidate(number, matches) };
    let base = at("2026-11-11T02:00:00Z");
    let plan = decide(&rule(Schedule::Manual), [declined(1, true), declined(2, false)], base, &TimeZone::UTC);
    let reasons: Vec<_> = plan.rejected.iter().map(|noted| plan.reasons[noted.reason as usize].as_str()).collect();
    assert_eq!(reasons, ["matches, but it is declined", "superseded"]);
}

#[test]
fn names_of_groups_carry_the_date_of_the_zone_and_stay_unique() {
    let late = at("2026-11-11T23:30:00Z");
    let zone = TimeZone::fixed(jiff::tz::offset(1));
    assert_eq!(group_name("{name} {date} {time}", "A", late, &zone), "A 2026-11-12 00:30");
    assert_eq!(group_name("{year}/{month}: {name}", "{date}", late, &TimeZone::UTC), "2026/2026-11: {date}");
    assert_eq!(group_name("{name}", &"n".repeat(400), late, &zone).chars().count(), LONGEST_NAME);
    let taken = ["A", "A (2)"];
    let free = free_name::<()>("A", |name| Ok(taken.contains(&name)));
    assert_eq!(free.as_deref(), Ok("A (3)"));
}

#[test]
fn templates_are_rules() {
    for template in templates() {
        assert!(template.schedule != Schedule::Manual, "{}", template.name);
        let deadline = Some(template.deadline);
        let filled = Rule {
            name: template.name.to_owned(),
            criteria: template.criteria.to_owned(),
            group: template.group.clone().named(template.name),
            schedule: template.schedule.clone(),
            deployments: vec![Target { deadline, ..target(1, "0", None) }],
            ..rule(Schedule::Manual)
        };
        assert_eq!(filled.check(), Ok(()), "{}", template.name);
        assert_eq!(super::template(&template.name.to_uppercase()).as_ref(), Some(&template));
    }
    assert_eq!(template("nothing"), None);
}

proptest! {
    /// However the clock moves, an occurrence is evaluated at most once, and the last of those missed is the base.
    #[test]
    fn an_occurrence_comes_once(hours in 1_u16..200, away in 0_i64..100_000, minutes in 0_i64..100_000) {
        let start = at("2026-01-01T00:00:00Z");
        let rule = rule(recurring(&format!("every {hours} hours from 2026-01-01")));
        let since = start + SignedDuration::from_mins(minutes);
        let now = since + SignedDuration::from_mins(away);
        let so_far = Evaluations { since, automatic: vec![], synchronized_at: None };
        match due(&rule, &so_far, now, &TimeZone::UTC) {
            Decision::Run { base, .. } => {
                prop_assert!(base > since && base <= now);
                let Some(next) = next_run(&rule, base, &TimeZone::UTC) else { return Ok(()) };
                prop_assert!(next > now, "{base} is the last");
                let after = Evaluations { since: base, ..so_far };
                let is_waiting = matches!(due(&rule, &after, now, &TimeZone::UTC), Decision::Wait { .. });
                prop_assert!(is_waiting);
            }
            Decision::Wait { .. } => {
                let next = next_run(&rule, since, &TimeZone::UTC);
                prop_assert!(next.is_none_or(|next| next > now));
            }
            Decision::Skip { .. } => prop_assert!(false, "nothing ran yet"),
        }
    }

    /// Every candidate is in the plan once, with a reason.
    #[test]
    fn nothing_is_lost(flags in prop::collection::vec((any::<bool>(), any::<bool>(), any::<bool>()), 0..200)) {
        let candidates = flags.iter().enumerate().map(|(number, (matches, barred, open))| Candidate {
            barred: barred.then_some("it is expired"),
            terms: if *open { Terms::Open } else { Terms::Settled },
            ..candidate(number as u128, *matches)
        });
        let plan = decide(&rule(Schedule::Manual), candidates, at("2026-11-11T02:00:00Z"), &TimeZone::UTC);
        prop_assert_eq!(plan.matched.len() + plan.rejected.len(), flags.len());
        for noted in plan.matched.iter().chain(&plan.rejected) {
            prop_assert!(plan.reasons.get(noted.reason as usize).is_some_and(|reason| !reason.is_empty()));
        }
        prop_assert_eq!(plan.group.is_none(), plan.matched.is_empty());
    }
}
