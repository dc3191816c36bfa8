//! Deployments and the time of day: local times and maintenance windows.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use proptest::prelude::*;

use super::build::{Build, deployment, rids, second, software, uid};
use crate::{
    catalogue::{
        Agenda, Known, PageLimits, Scratch, Snapshot, SoftwareQuery, SyncPlan, Timed, WireAction, WireDeployment,
    },
    ids::{ChangeNumber, CollectionId, RevisionId},
    targeting::{Deployment, DeploymentAction, Timing},
    window::{Calendar, Window, WindowKind},
};

const ALL: CollectionId = CollectionId::ALL_COMPUTERS;
const LEAD: SignedDuration = SignedDuration::from_hours(10);

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn window(schedule: &str, minutes: u32) -> Window {
    Window::new("w", schedule.parse().expect("a schedule"), minutes, WindowKind::default()).expect("a window")
}

fn calendar(windows: &[Window], zone: &str) -> Calendar {
    let zone: crate::schedule::Zone = zone.parse().expect("a zone");
    Calendar::new(windows, zone.time_zone().clone(), false, LEAD)
}

/// A computer that has all of the catalogue, and what it was told.
#[derive(Default)]
struct Told {
    deployments: BTreeMap<RevisionId, WireDeployment>,
    anchor: Option<(ChangeNumber, u64, Timestamp)>,
}

impl Told {
    fn scan(&mut self, snapshot: &Snapshot, calendar: &Calendar, now: Timestamp) -> SyncPlan {
        let scope = snapshot.scope(&[]);
        let agenda = snapshot.is_timed(&scope, calendar.is_open()).then(|| snapshot.agenda(&scope, calendar, now));
        let mark = agenda.as_ref().map_or(0, Agenda::mark);
        let known = match self.anchor {
            Some((_, told, _)) if told != mark => Known::Nothing,
            Some((_, told, at)) if told != 0 => Known::At(at),
            _ => Known::Everything,
        };
        let cached: Vec<RevisionId> = self.deployments.keys().copied().collect();
        let query = SoftwareQuery {
            other: &cached,
            anchor: self.anchor.map(|(change, ..)| change),
            timed: Timed { agenda: agenda.as_ref(), known },
            ..SoftwareQuery::default()
        };
        let plan = snapshot.software(&scope, &query, &PageLimits::default(), &mut Scratch::default());
        for entry in plan.new.iter().chain(&plan.changed) {
            self.deployments.insert(entry.id, entry.deployment.clone());
        }
        self.anchor = Some((plan.anchor, mark, now));
        plan
    }

    /// Action and deadline of a revision.
    fn of(&self, id: i32) -> (WireAction, Option<Timestamp>) {
        let told = &self.deployments[&RevisionId(id)];
        (told.action, told.deadline)
    }
}

fn required(id: i32, update: u32, deadline: Option<Timestamp>) -> Deployment {
    Deployment { deadline, ..deployment(id, update, ALL, DeploymentAction::Install) }
}

#[test]
fn a_passed_window_is_a_changed_update_and_nothing_else_is() {
    let mut build = Build::with([software(1), software(2), software(3)]);
    build.deploy(required(1, 1, Some(at("2026-12-01T00:00:00Z"))));
    build.deploy(Deployment {
        timing: Timing { outside_windows: true, ..Timing::default() },
        ..required(2, 2, Some(at("2026-12-01T00:00:00Z")))
    });
    let snapshot = build.snapshot();
    let calendar = calendar(&[window("weekly saturday at 22:00", 240)], "UTC");
    let mut told = Told::default();
    told.scan(&snapshot, &calendar, at("2026-12-03T00:00:00Z"));
    assert_eq!(told.of(1), (WireAction::Install, Some(at("2026-12-05T22:00:00Z"))));
    assert_eq!(told.of(2), (WireAction::Install, Some(at("2026-12-01T00:00:00Z"))));
    assert_eq!(told.of(3), (WireAction::PreDeploymentCheck, None));
    // in the window, and until it is over, nothing is new
    for now in ["2026-12-04T00:00:00Z", "2026-12-05T23:00:00Z", "2026-12-06T01:00:30Z"] {
        assert_eq!(told.scan(&snapshot, &calendar, at(now)).changed, []);
    }
    let plan = told.scan(&snapshot, &calendar, at("2026-12-06T01:01:00Z"));
    assert_eq!(plan.changed.iter().map(|it| it.id).collect::<Vec<_>>(), rids(&[1]));
    assert_eq!(told.of(1), (WireAction::Install, Some(at("2026-12-12T22:00:00Z"))));
    // the day on which the deployment of the entry changed
    assert_eq!(plan.changed[0].deployment.changed_at, at("2026-12-06T01:01:00Z"));
    // no window any more: everything that is deployed is told again
    let open = Calendar::open(TimeZone::UTC);
    let plan = told.scan(&snapshot, &open, at("2026-12-06T01:02:00Z"));
    assert_eq!(plan.changed.iter().map(|it| it.id).collect::<Vec<_>>(), rids(&[1, 2]));
    assert_eq!(told.of(1), (WireAction::Install, Some(at("2026-12-01T00:00:00Z"))));
    assert_eq!(told.scan(&snapshot, &open, at("2027-12-06T01:02:00Z")).changed, []);
}

#[test]
fn what_no_window_can_hold_stays_a_check_and_is_said() {
    let mut build = Build::with([software(1), software(2)]);
    build.deploy(Deployment { run_minutes: 241, ..required(1, 1, Some(second(0))) });
    build.deploy(Deployment { active: false, run_minutes: 300, ..required(2, 2, Some(second(0))) });
    let snapshot = build.snapshot();
    let calendar = calendar(&[window("weekly saturday at 22:00", 240)], "Asia/Kathmandu");
    let agenda = snapshot.agenda(&snapshot.scope(&[]), &calendar, at("2026-12-03T00:00:00Z"));
    assert_eq!(agenda.never(), [(crate::ids::DeploymentId(1), uid(1), 241)]);
    let mut told = Told::default();
    told.scan(&snapshot, &calendar, at("2026-12-03T00:00:00Z"));
    assert_eq!(told.of(1), (WireAction::PreDeploymentCheck, None));
}

#[test]
fn a_scope_without_windows_and_local_times_is_not_timed() {
    let mut build = Build::with([software(1), software(2)]);
    build.deploy(required(1, 1, Some(second(9))));
    let snapshot = build.snapshot();
    assert!(!snapshot.is_timed(&snapshot.scope(&[]), true));
    assert!(snapshot.is_timed(&snapshot.scope(&[]), false));
    let timing = Timing { local_time: true, ..Timing::default() };
    build.deploy(Deployment { timing, ..deployment(2, 2, ALL, DeploymentAction::Optional) });
    let snapshot = build.snapshot();
    assert!(snapshot.is_timed(&snapshot.scope(&[]), true));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_computer_knows_at_every_scan_what_a_new_one_is_told(
        deployments in prop::collection::vec(
            (0..20_000_i64, prop::option::of(0..40_000_i64), any::<[bool; 3]>(), 5..300_u32, any::<bool>()), 1..6),
        schedules in prop::collection::vec(
            (prop::sample::select(vec!["daily at 01:00", "weekly saturday at 22:00", "every 7 hours at 00:00", "daily at 02:00",
                "monthly second tuesday +4 at 22:00", "every 2 days at 12:00 from 2026-01-01 UTC"]), 30..600_u32), 0..3),
        // minutes until the next scan, and whether the windows changed before it
        scans in prop::collection::vec((1..30_000_i64, 0..8_u8), 2..12),
    ) {
        let start = at("2026-10-01T00:00:00Z");
        let minutes = |count: i64| start + SignedDuration::from_mins(count);
        let mut build = Build::with((1..=deployments.len() as u32).map(software));
        for ((available, deadline, [local_time, outside_windows, hold_until_window], run, optional), id) in
            deployments.into_iter().zip(1_u32..)
        {
            let action = if optional { DeploymentAction::Optional } else { DeploymentAction::Install };
            build.deploy(Deployment {
                available: minutes(available),
                deadline: deadline.map(|after| minutes(available + after)).filter(|_| !optional),
                timing: Timing { local_time, outside_windows, hold_until_window },
                run_minutes: run,
                ..deployment(id.cast_signed(), id, ALL, action)
            });
        }
        let snapshot = build.snapshot();
        let windows: Vec<Window> = schedules.into_iter().map(|(schedule, minutes)| window(schedule, minutes)).collect();
        let mut calendar = calendar(&windows, "Europe/Amsterdam");
        let (mut told, mut now) = (Told::default(), start);
        for (after, change) in scans {
            now += SignedDuration::from_mins(after);
            calendar = match change {
                0 => Calendar::open(TimeZone::UTC),
                1 => Calendar::new(&windows, TimeZone::UTC, false, LEAD),
                2 => Calendar::new(windows.get(1..).unwrap_or_default(), TimeZone::UTC, false, LEAD),
                _ => calendar,
            };
            told.scan(&snapshot, &calendar, now);
            let mut fresh = Told::default();
            fresh.scan(&snapshot, &calendar, now);
            for id in fresh.deployments.keys() {
                prop_assert_eq!(told.of(id.0), fresh.of(id.0), "{:?} at {}", id, now);
            }
        }
    }

    #[test]
    fn an_agenda_holds_until_it_says_so(part in 0.0..1.0_f64, start in 0..50_000_i64, local_time in any::<bool>()) {
        let mut build = Build::with((1..=4).map(software));
        for (id, minutes) in [(1_u32, 30), (2, 90), (3, 240), (4, 700)] {
            let timing = Timing { local_time, ..Timing::default() };
            build.deploy(Deployment { timing, run_minutes: minutes, ..required(id.cast_signed(), id, Some(at("2026-12-01T09:00:00Z"))) });
        }
        let snapshot = build.snapshot();
        let scope = snapshot.scope(&[]);
        let windows = [window("weekly saturday at 22:00", 240), window("daily at 03:00", 45)];
        let calendar = calendar(&windows, "America/New_York");
        let now = at("2026-11-20T00:00:00Z") + SignedDuration::from_mins(start);
        let agenda = snapshot.agenda(&scope, &calendar, now);
        prop_assert!(agenda.holds_at(now));
        let until = agenda.until().expect("there are windows");
        prop_assert!(until > now && !agenda.holds_at(until));
        let between = now + SignedDuration::from_secs_f64(until.duration_since(now).as_secs_f64() * part * 0.999);
        prop_assert!(agenda.holds_at(between));
        let entry = |agenda: &Agenda, id: i32| {
            let dense = snapshot.dense(RevisionId(id));
            let entry = dense.and_then(|dense| snapshot.entry(&scope, Some(agenda), dense)).expect("in scope");
            (entry.deployment.action, entry.deployment.deadline)
        };
        let later = snapshot.agenda(&scope, &calendar, between);
        for id in 1..=4 {
            prop_assert_eq!(entry(&agenda, id), entry(&later, id), "{}", between);
        }
    }
}
