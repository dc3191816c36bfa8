use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn phase(number: u128) -> Phase {
    Phase {
        name: format!("Phase {number}"),
        collection: CollectionId(Uuid::from_u128(number)),
        action: DeploymentAction::Install,
        start: Start::Automatic { after_days: 1 },
        success: Amount::Percent(95),
        count_unknown: true,
        error_limit: Some(Amount::Percent(5)),
        soak_hours: 0,
        approval: false,
        spread_days: 0,
        deadline: Deadline::Days(7),
        terms: DeploymentTerms::default(),
    }
}

fn plan(phases: impl IntoIterator<Item = Phase>) -> Plan {
    Plan { name: "Rollout".to_owned(), description: String::new(), phases: phases.into_iter().collect() }
}

fn saw(targeted: u32, succeeded: u32, failed: u32, unknown: u32) -> Observation {
    Observation { founders: Counts { targeted, succeeded, failed, unknown }, late: Counts::default() }
}

const NOTHING: Observation = Observation {
    founders: Counts { targeted: 0, succeeded: 0, failed: 0, unknown: 0 },
    late: Counts { targeted: 0, succeeded: 0, failed: 0, unknown: 0 },
};

fn steps(events: &[Event]) -> Vec<Step> {
    assert!(events.iter().all(|event| !event.reason.is_empty()));
    events.iter().map(|event| event.step.clone()).collect()
}

#[test]
fn a_rollout_goes_its_way() {
    let plan = plan([phase(1), phase(2)]);
    assert_eq!(plan.check(), Ok(()));
    let day = |day: i64| at("2026-11-01T00:00:00Z") + SignedDuration::from_hours(24 * day);
    let (state, events) = advance(&plan, &State::new(2), &[NOTHING, NOTHING], day(0));
    assert_eq!(steps(&events), [Step::Start { phase: 0 }]);
    // 94 of 100: not yet
    let (state, events) = advance(&plan, &state, &[saw(100, 94, 5, 1), NOTHING], day(2));
    assert_eq!(steps(&events), []);
    assert!(matches!(
        gate(&plan, &state, 0, &saw(100, 94, 5, 1).founders, day(2)),
        Gate::Closed { reason, at: None } if reason == "94 of 100 computers succeeded, 95 % wanted"
    ));
    let (state, events) = advance(&plan, &state, &[saw(100, 95, 5, 0), NOTHING], day(3));
    assert_eq!(steps(&events), [Step::Reached { phase: 0 }]);
    // lost again, and reached again: the days count anew
    let (state, events) = advance(&plan, &state, &[saw(100, 90, 5, 0), NOTHING], day(3));
    assert_eq!(steps(&events), [Step::Lost { phase: 0 }]);
    let (state, _) = advance(&plan, &state, &[saw(100, 95, 5, 0), NOTHING], day(4));
    let (state, events) = advance(&plan, &state, &[saw(100, 95, 5, 0), NOTHING], day(4));
    assert_eq!(steps(&events), []);
    let (state, events) = advance(&plan, &state, &[saw(100, 95, 5, 0), NOTHING], day(5));
    assert_eq!(steps(&events), [Step::Complete { phase: 0 }, Step::Start { phase: 1 }]);
    // what is complete stays so, whatever its computers say later
    let (state, events) = advance(&plan, &state, &[saw(100, 10, 0, 0), saw(10, 10, 0, 0)], day(6));
    assert_eq!(steps(&events), [Step::Reached { phase: 1 }, Step::Complete { phase: 1 }, Step::Finish]);
    assert_eq!(state.status, Status::Completed);
    assert_eq!(advance(&plan, &state, &[saw(1, 0, 1, 0), NOTHING], day(9)), (state, vec![]));
}

#[test]
fn success_is_counted_as_the_phase_says() {
    let now = at("2026-11-02T00:00:00Z");
    let reached = |edit: fn(&mut Phase), seen: Observation| {
        let mut first = phase(1);
        edit(&mut first);
        let plan = plan([first, phase(2)]);
        let (state, _) = advance(&plan, &State::new(2), &[], now);
        advance(&plan, &state, &[seen], now).0.phases[0].reached_at.is_some()
    };
    // unknown founders count among all
    assert!(!reached(|_| {}, saw(100, 90, 0, 10)));
    assert!(reached(|phase| phase.count_unknown = false, saw(100, 90, 0, 10)));
    // of nobody nothing is known
    assert!(!reached(|phase| phase.count_unknown = false, saw(10, 0, 0, 10)));
    assert!(reached(|phase| phase.success = Amount::Count(5), saw(100, 5, 0, 95)));
    assert!(!reached(|phase| phase.success = Amount::Count(5), saw(100, 4, 0, 96)));
    // fewer than asked for: all of them
    assert!(reached(|phase| phase.success = Amount::Count(50), saw(3, 3, 0, 0)));
    assert!(!reached(|phase| phase.success = Amount::Count(50), saw(3, 2, 0, 1)));
    // an empty pilot proves nothing
    assert!(!reached(|_| {}, NOTHING));
    assert!(!reached(|phase| phase.success = Amount::Count(5), NOTHING));
}

#[test]
fn late_joiners_neither_complete_nor_hold_a_phase() {
    let now = at("2026-11-02T00:00:00Z");
    let plan = plan([phase(1), phase(2)]);
    let (state, _) = advance(&plan, &State::new(2), &[], now);
    let mut seen = saw(10, 10, 0, 0);
    seen.late = Counts { targeted: 50, succeeded: 0, failed: 50, unknown: 0 };
    let (state, events) = advance(&plan, &state, &[seen], now);
    assert_eq!(steps(&events), [Step::Reached { phase: 0 }]);
    seen.founders.succeeded = 0;
    seen.late = Counts { targeted: 50, succeeded: 50, failed: 0, unknown: 0 };
    let (_, events) = advance(&plan, &state, &[seen], now);
    assert_eq!(steps(&events), [Step::Lost { phase: 0 }]);
}

#[test]
fn too_many_failures_stop_everything_until_somebody_resumes() {
    let now = at("2026-11-02T00:00:00Z");
    let later = now + SignedDuration::from_hours(48);
    let plan = plan([phase(1), phase(2)]);
    let (state, _) = advance(&plan, &State::new(2), &[], now);
    // 95 succeed, which would be enough, and 6 of 101 fail
    let seen = [saw(101, 96, 6, 0)];
    let (failed, events) = advance(&plan, &state, &seen, later);
    assert_eq!(steps(&events), [Step::ErrorStop { phase: 0 }]);
    assert_eq!(events[0].reason, "Phase 1: 6 of 101 computers failed, more than 5 %");
    assert_eq!(failed.status, Status::Failed);
    let who = ("anna", "");
    for asked in [Command::Advance, Command::Approve] {
        assert_eq!(command(&plan, &failed, asked, &seen, who, later), Err(Refusal::Held("stopped by errors")));
    }
    let (resumed, events) =
        command(&plan, &failed, Command::Resume, &seen, ("anna", "known fault"), later).expect("is");
    assert_eq!(steps(&events), [Step::Resume]);
    assert_eq!(events[0].reason, "by anna: known fault");
    // the same failures stop nothing any more; one more does
    let (going_on, events) = advance(&plan, &resumed, &seen, later);
    assert_eq!(steps(&events), [Step::Reached { phase: 0 }]);
    let (again, _) = advance(&plan, &going_on, &[saw(101, 94, 7, 0)], later);
    assert_eq!(again.status, Status::Failed);
    // a phase that is complete is still watched
    let (two, _) = advance(&plan, &going_on, &seen, later + SignedDuration::from_hours(48));
    assert_eq!(two.current(), Some(1));
    let (stopped, events) = advance(&plan, &two, &[saw(101, 0, 50, 0), saw(5, 5, 0, 0)], later);
    assert_eq!(steps(&events), [Step::ErrorStop { phase: 0 }]);
    assert_eq!(stopped.status, Status::Failed);
}

#[test]
fn hands_soak_and_approval_hold_the_gate() {
    let start = at("2026-11-02T00:00:00Z");
    let hours = |hours: i64| start + SignedDuration::from_hours(hours);
    let mut first = phase(1);
    (first.soak_hours, first.approval) = (12, true);
    let mut second = phase(2);
    second.start = Start::Automatic { after_days: 0 };
    let mut third = phase(3);
    third.start = Start::Manual;
    let plan = plan([first, second, third]);
    let (state, _) = advance(&plan, &State::new(3), &[], start);
    let good = [saw(10, 10, 0, 0), saw(10, 10, 0, 0), saw(10, 10, 0, 0)];
    let (state, _) = advance(&plan, &state, &good, hours(1));
    match gate(&plan, &state, 0, &good[0].founders, hours(1)) {
        Gate::Closed { at, reason } => {
            assert_eq!(at, Some(hours(12)));
            assert!(reason.contains("soaks for 12 hours"), "{reason}");
        }
        open @ Gate::Open { .. } => panic!("{open:?}"),
    }
    let (state, events) = advance(&plan, &state, &good, hours(13));
    assert_eq!(steps(&events), []);
    let (state, events) =
        command(&plan, &state, Command::Approve, &good, ("bo", "help desk is quiet"), hours(13)).expect("approves");
    assert_eq!(steps(&events), [Step::Approve { phase: 0 }]);
    let again = command(&plan, &state, Command::Approve, &good, ("bo", ""), hours(13));
    assert!(matches!(again, Err(Refusal::Approval(_))), "{again:?}");
    let (state, events) = advance(&plan, &state, &good, hours(13));
    assert_eq!(steps(&events), [Step::Complete { phase: 0 }, Step::Start { phase: 1 }]);
    assert_eq!(events[1].reason, "10 of 10 computers succeeded, 95 % wanted, approved by bo");
    // the third waits for a hand, however good the second is
    let (state, events) = advance(&plan, &state, &good, hours(900));
    assert_eq!(steps(&events), [Step::Reached { phase: 1 }]);
    let (state, events) = advance(&plan, &state, &good, hours(900));
    assert_eq!(steps(&events), []);
    let (state, events) = command(&plan, &state, Command::Advance, &good, ("bo", ""), hours(900)).expect("advances");
    assert_eq!(steps(&events), [Step::Complete { phase: 1 }, Step::Start { phase: 2 }]);
    assert_eq!(command(&plan, &state, Command::Advance, &good, ("bo", ""), hours(901)), Err(Refusal::Last));
    let (state, _) = command(&plan, &state, Command::Stop, &good, ("bo", ""), hours(901)).expect("stops");
    for asked in [Command::Advance, Command::Approve, Command::Pause, Command::Resume, Command::Stop] {
        assert!(matches!(command(&plan, &state, asked, &good, ("bo", ""), hours(901)), Err(Refusal::Over(_))));
    }
}

#[test]
fn what_started_cannot_be_changed() {
    let before = plan([phase(1), phase(2), phase(3)]);
    let (state, _) = advance(&before, &State::new(3), &[], at("2026-11-02T00:00:00Z"));
    let moved = plan([phase(1), phase(3), phase(2)]);
    assert_eq!(moved.check_change(&before, &state), Ok(()));
    let longer = plan([phase(1), phase(4), phase(2), phase(3)]);
    assert_eq!(longer.check_change(&before, &state), Ok(()));
    assert_eq!(state.clone().resized(4).phases.len(), 4);
    for wrong in [plan([phase(2), phase(1), phase(3)]), plan([phase(2), phase(3)])] {
        assert_eq!(wrong.check_change(&before, &state), Err(PlanError::Active(1)));
    }
}

/// Spoils something.
type Spoil = fn(&mut Plan);

#[test]
fn plans_are_refused_with_the_name_of_the_field() {
    let cases: [(&str, Spoil); 16] = [
        ("pre_download", |plan| plan.phases[0].terms.settings.pre_download = true),
        ("name must", |plan| plan.name = " x".to_owned()),
        ("description", |plan| plan.description = "d".repeat(257)),
        ("phases", |plan| plan.phases.truncate(1)),
        ("phases", |plan| plan.phases = (0..13).map(phase).collect()),
        ("phase 2: name", |plan| plan.phases[1].name = String::new()),
        ("another phase has its name", |plan| plan.phases[1].name = "PHASE 1".to_owned()),
        ("another phase has its collection", |plan| plan.phases[1].collection = plan.phases[0].collection),
        ("action", |plan| plan.phases[0].action = DeploymentAction::Block),
        ("success", |plan| plan.phases[0].success = Amount::Percent(101)),
        ("success", |plan| plan.phases[0].success = Amount::Count(0)),
        ("error_limit", |plan| plan.phases[0].error_limit = Some(Amount::Percent(100))),
        ("soak_hours", |plan| plan.phases[0].soak_hours = 9_000),
        ("spread_days", |plan| plan.phases[0].spread_days = 31),
        ("start", |plan| plan.phases[1].start = Start::Automatic { after_days: 366 }),
        ("deadline", |plan| plan.phases[1].deadline = Deadline::Days(366)),
    ];
    for (field, spoil) in cases {
        let mut spoilt = plan([phase(1), phase(2)]);
        spoil(&mut spoilt);
        let error = spoilt.check().expect_err(field).to_string();
        assert!(error.contains(field), "{field}: {error}");
    }
}

#[test]
fn slices_are_even_and_spans_equal() {
    let start = at("2026-11-02T00:00:00Z");
    let guid = Uuid::from_u128(7);
    let mut days = [0_u32; 5];
    for number in 0..10_000_u128 {
        let computer = Uuid::from_u128(number << 32).to_string();
        let (available, deadline) = slice(&computer, guid, start, 4, Deadline::Days(7));
        assert_eq!(deadline.duration_since(available), SignedDuration::from_hours(7 * 24));
        days[usize::try_from(available.duration_since(start).as_hours() / 24).expect("a day")] += 1;
        assert_eq!(slice(&computer.to_uppercase(), guid, start, 4, Deadline::Days(7)), (available, deadline));
    }
    assert!(days.iter().all(|count| (1_800..2_200).contains(count)), "{days:?}");
    assert_eq!(slice("a", guid, start, 0, Deadline::AsSoonAsPossible), (start, start));
}

/// What happens to a rollout in a property.
#[derive(Clone, Debug)]
enum Happening {
    Time(i64),
    Seen(Vec<(u32, u32, u32)>),
    Asked(Command),
}

fn happening() -> impl Strategy<Value = Happening> {
    let asked = prop::sample::select(vec![
        Command::Advance,
        Command::Approve,
        Command::Pause,
        Command::Resume,
        Command::Resume,
    ]);
    prop_oneof![
        4 => (0_i64..72).prop_map(Happening::Time),
        4 => prop::collection::vec((0_u32..30, 0_u32..30, 0_u32..4), 4).prop_map(Happening::Seen),
        1 => asked.prop_map(Happening::Asked),
    ]
}

fn any_phase(number: u128) -> impl Strategy<Value = Phase> {
    (0_u16..3, any::<bool>(), 1_u8..=100, prop::option::of(0_u32..4), 0_u32..48, any::<bool>(), any::<bool>()).prop_map(
        move |(after_days, by_hand, percent, limit, soak_hours, approval, count_unknown)| Phase {
            start: if by_hand { Start::Manual } else { Start::Automatic { after_days } },
            success: Amount::Percent(percent),
            error_limit: limit.map(Amount::Count),
            soak_hours,
            approval,
            count_unknown,
            ..phase(number)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_rollout_runs_ahead(
        phases in (any_phase(1), any_phase(2), any_phase(3), any_phase(4)),
        story in prop::collection::vec(happening(), 1..60),
    ) {
        let plan = plan([phases.0, phases.1, phases.2, phases.3]);
        prop_assert_eq!(plan.check(), Ok(()));
        let mut now = at("2026-11-02T00:00:00Z");
        let mut state = State::new(4);
        let mut seen = vec![NOTHING; 4];
        for happening in story {
            let before = state.clone();
            let mut by_hand = false;
            let events = match happening {
                Happening::Time(hours) => {
                    now += SignedDuration::from_hours(hours);
                    let (next, events) = advance(&plan, &state, &seen, now);
                    state = next;
                    events
                }
                Happening::Seen(counts) => {
                    seen = counts.iter().map(|(done, unknown, failed)| {
                        saw(done + unknown + failed, *done, *failed, *unknown)
                    }).collect();
                    let (next, events) = advance(&plan, &state, &seen, now);
                    state = next;
                    events
                }
                Happening::Asked(asked) => {
                    by_hand = asked == Command::Advance;
                    match command(&plan, &state, asked, &seen, ("a", ""), now) {
                        Ok((next, events)) => {
                            state = next;
                            events
                        }
                        Err(_) => continue,
                    }
                }
            };
            // progress is monotonic, in order and without a gap
            for (was, is) in before.phases.iter().zip(&state.phases) {
                prop_assert!(was.started_at.is_none() || was.started_at == is.started_at);
                prop_assert!(was.completed_at.is_none() || was.completed_at == is.completed_at);
            }
            let started = state.phases.iter().take_while(|phase| phase.started_at.is_some()).count();
            prop_assert_eq!(started, state.phases.iter().filter(|phase| phase.started_at.is_some()).count());
            let starts: Vec<usize> = events.iter().filter_map(|event| match event.step {
                Step::Start { phase } => Some(phase),
                _ => None,
            }).collect();
            prop_assert!(starts.len() <= 1, "one at a time");
            let too_many = plan.phases.iter().enumerate().any(|(at, phase)| {
                let progress = &before.phases[at];
                let failed = seen[at].founders.failed;
                let limit = match phase.error_limit { Some(Amount::Count(limit)) => limit, _ => u32::MAX };
                progress.started_at.is_some() && failed > limit && failed > progress.accepted_failures
            });
            if let Some(at) = starts.first() {
                prop_assert!(!too_many, "an error stop wins");
                prop_assert!(!before.is_held(), "nothing starts while it is held");
                if *at > 0 && !by_hand {
                    let last = at - 1;
                    let automatic = matches!(plan.phases[*at].start, Start::Automatic { .. });
                    prop_assert!(automatic);
                    // the gate held, judged by the definition
                    let (phase, progress) = (&plan.phases[last], &state.phases[last]);
                    let founders = seen[last].founders;
                    let whole = founders.whole(phase.count_unknown);
                    let Amount::Percent(percent) = phase.success else { return Ok(()) };
                    prop_assert!(whole > 0 && founders.succeeded * 100 >= whole * u32::from(percent));
                    let Some(started_at) = progress.started_at else { panic!("it started") };
                    prop_assert!(now.duration_since(started_at) >= SignedDuration::from_hours(phase.soak_hours.into()));
                    prop_assert!(!phase.approval || progress.approval.is_some());
                    let Start::Automatic { after_days } = plan.phases[*at].start else { return Ok(()) };
                    let Some(reached_at) = progress.reached_at else { panic!("it was reached") };
                    prop_assert!(now.duration_since(reached_at) >= SignedDuration::from_hours(24 * i64::from(after_days)));
                }
            }
            if too_many && before.status == Status::Running && !events.is_empty() {
                let harmless = events.iter().all(|event| {
                    matches!(event.step, Step::ErrorStop { .. } | Step::Pause | Step::Approve { .. } | Step::Stop)
                });
                prop_assert!(harmless);
            }
        }
    }

    /// Pausing and resuming leaves a rollout where it was, but for failures that were accepted.
    #[test]
    fn a_pause_skips_nothing(
        phases in (any_phase(1), any_phase(2)),
        counts in (0_u32..30, 0_u32..30),
        hours in 0_i64..100,
    ) {
        let plan = plan([phases.0, phases.1]);
        let start = at("2026-11-02T00:00:00Z");
        let seen = [saw(counts.0 + counts.1, counts.0, 0, counts.1), NOTHING];
        let (state, _) = advance(&plan, &State::new(2), &seen, start);
        let later = start + SignedDuration::from_hours(hours);
        let Ok((paused, _)) = command(&plan, &state, Command::Pause, &seen, ("a", ""), start) else {
            return Ok(());
        };
        prop_assert_eq!(advance(&plan, &paused, &seen, later), (paused.clone(), vec![]));
        let Ok((resumed, _)) = command(&plan, &paused, Command::Resume, &seen, ("a", ""), later) else {
            panic!("it was paused")
        };
        prop_assert_eq!(&resumed, &state);
        prop_assert_eq!(advance(&plan, &resumed, &seen, later), advance(&plan, &state, &seen, later));
    }
}

#[test]
fn a_clock_that_was_ahead_makes_no_phase_wait_for_it() {
    let plan = plan([Phase { soak_hours: 24, ..phase(1) }, phase(2)]);
    let day = |day: i64| at("2026-11-01T00:00:00Z") + SignedDuration::from_hours(24 * day);
    let all = [saw(100, 100, 0, 0), NOTHING];
    // it started, and had its success, while the clock stood a year ahead
    let (state, _) = advance(&plan, &State::new(2), &[NOTHING, NOTHING], day(365));
    let (state, events) = advance(&plan, &state, &all, day(366));
    assert_eq!(steps(&events), [Step::Reached { phase: 0 }]);
    // it soaks again, by the clock that is right
    let (state, events) = advance(&plan, &state, &all, day(1));
    assert_eq!(steps(&events), []);
    assert_eq!((state.phases[0].started_at, state.phases[0].reached_at), (Some(day(1)), Some(day(1))));
    let (_, events) = advance(&plan, &state, &all, day(2));
    assert_eq!(steps(&events), [Step::Complete { phase: 0 }, Step::Start { phase: 1 }]);
}
