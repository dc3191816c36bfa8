//! Automatic deployment rules, their runs, and phased deployments.

use std::collections::HashMap;

use jiff::SignedDuration;
use serde_json::json;
use uuid::Uuid;
use weir_model::{
    ids::{CollectionId, DeploymentId},
    phase::{Amount, Counts, Deadline, Observation, Phase, Plan, Start, State},
    rule::{GroupChoice, Licences, Noted, Rule, Schedule, Trigger},
    targeting::{DeploymentAction, DeploymentOrigin},
};

use super::{Scratch, software, time, update};
use crate::{
    StoreError,
    intent::{IntentKind, IntentOrigin},
    phased::{PhasedStart, PhasedStateRow},
    rule::{NewRuleRun, RuleRunResult},
};

fn rule(name: &str) -> Rule {
    Rule {
        name: name.to_owned(),
        description: "d".to_owned(),
        enabled: true,
        criteria: "not superseded".to_owned(),
        schedule: Schedule::Recurring("daily at 02:00".parse().expect("a schedule")),
        group: GroupChoice::default(),
        deployments: Vec::new(),
        enable_deployments: true,
        licences: Licences::AcceptAll,
        alert_on_failure: true,
    }
}

fn run(id: Uuid, trigger: Trigger, result: RuleRunResult, started: i64) -> NewRuleRun {
    NewRuleRun {
        rule: id,
        trigger,
        base_at: time(started),
        started_at: time(started),
        ended_at: time(started + 1),
        result,
        summary: json!({ "group": "G" }),
        matched: vec![Noted { update: update(1), reason: 0 }, Noted { update: update(3), reason: 0 }],
        rejected: vec![Noted { update: update(2), reason: 1 }],
        reasons: vec!["not superseded".to_owned(), "superseded".to_owned()],
    }
}

fn numbers(scratch: &Scratch) -> HashMap<weir_model::ids::UpdateId, u32> {
    let rows = scratch.store.read(|tx| tx.update_numbers(0)).expect("reads");
    rows.into_iter().map(|(number, update)| (update, number)).collect()
}

#[test]
fn rules_are_kept_by_name_and_travel() {
    let scratch = Scratch::new();
    let id = Uuid::from_u128(7);
    scratch.write(|tx| {
        tx.rule_put(id, &rule("Monthly"), DeploymentOrigin::Local)?;
        tx.rule_done_until(id, time(5))
    });
    let read = |name: &str| scratch.store.read(|tx| tx.rule_find(name)).expect("reads");
    let row = read(" MONTHLY ").expect("is there");
    assert_eq!((row.id, &row.rule), (id, &rule("Monthly")));
    let state = scratch.store.read(|tx| tx.rule_state(id)).expect("reads").expect("a state");
    assert_eq!((state.since, state.group), (time(5), None));
    let intents = |kind| scratch.store.read(move |tx| tx.intent_of_kind(kind)).expect("reads");
    let travels = intents(IntentKind::Rule);
    assert_eq!((travels.len(), travels[0].deleted, travels[0].change), (1, false, row.change));

    // what a site notes of its runs is no decision
    scratch.write(|tx| {
        tx.rule_done_until(id, time(50))?;
        tx.rule_keep_group(id, Uuid::from_u128(8))
    });
    assert_eq!(intents(IntentKind::Rule), travels);
    let state = scratch.store.read(|tx| tx.rule_state(id)).expect("reads").expect("a state");
    assert_eq!((state.since, state.group), (time(50), Some(Uuid::from_u128(8))));

    scratch.write(|tx| tx.rule_put(id, &rule("Weekly"), DeploymentOrigin::Local));
    assert!(read("Monthly").is_none() && read("weekly").is_some());
    let twice = scratch
        .store
        .write(&super::actor(0), |tx| tx.rule_put(Uuid::from_u128(9), &rule("WEEKLY"), DeploymentOrigin::Local));
    assert!(matches!(twice, Err(StoreError::Constraint { .. })), "{twice:?}");
    assert!(scratch.write(|tx| tx.rule_delete(id)));
    assert!(!scratch.write(|tx| tx.rule_delete(id)));
    assert!(intents(IntentKind::Rule)[0].deleted);
    assert_eq!(scratch.store.read(|tx| tx.rule_state(id)).expect("reads"), None);
}

#[test]
fn a_run_says_of_every_update_why() {
    let scratch = Scratch::new();
    scratch.import(vec![software(1, 1), software(2, 1), software(3, 2)]);
    let id = Uuid::from_u128(7);
    let numbers = numbers(&scratch);
    let no = scratch.write(|tx| {
        tx.rule_put(id, &rule("Monthly"), DeploymentOrigin::Local)?;
        tx.rule_run_put(run(id, Trigger::Schedule, RuleRunResult::Done, 0), &numbers)
    });
    let page = |matched: Option<bool>, cursor: Option<&str>, limit: u32| {
        let cursor = cursor.map(str::to_owned);
        scratch.store.read(move |tx| tx.rule_run_updates(no, matched, cursor.as_deref(), limit)).expect("reads")
    };
    let first = page(None, None, 2);
    assert_eq!(first.next.as_deref(), Some("2"));
    let last = page(None, first.next.as_deref(), 2);
    let told: Vec<_> =
        first.items.iter().chain(&last.items).map(|row| (row.update, row.matched, row.reason.as_str())).collect();
    assert_eq!(
        told,
        [(update(1), true, "not superseded"), (update(3), true, "not superseded"), (update(2), false, "superseded")]
    );
    assert_eq!(first.items[0].title, "Title 1");
    assert_eq!(last.next, None);
    assert_eq!(page(Some(false), None, 10).items.len(), 1);
    let row = scratch.store.read(|tx| tx.rule_run_show(no)).expect("reads").expect("is there");
    assert_eq!((row.matched, row.rejected, row.result, row.detailed), (2, 1, RuleRunResult::Done, true));
    assert_eq!(row.actor, "administrator");
}

#[test]
fn old_runs_are_forgotten_in_two_steps() {
    let scratch = Scratch::new();
    scratch.import(vec![software(1, 1), software(2, 1), software(3, 1)]);
    let id = Uuid::from_u128(7);
    let numbers = numbers(&scratch);
    scratch.write(|tx| {
        tx.rule_put(id, &rule("Monthly"), DeploymentOrigin::Local)?;
        for started in 0..510 {
            let trigger = if started % 2 == 0 { Trigger::Manual } else { Trigger::Schedule };
            let result = if started == 509 { RuleRunResult::Skipped } else { RuleRunResult::Done };
            tx.rule_run_put(run(id, trigger, result, started), &numbers)?;
        }
        Ok(())
    });
    let rows = scratch.store.read(|tx| tx.rule_run_list(id, None, 1_000)).expect("reads").items;
    assert_eq!(rows.len(), 500);
    assert_eq!(rows.iter().filter(|row| row.detailed).count(), 30);
    assert!(rows[0].detailed && rows[0].base_at == time(509));
    // of the last ones every second ran by itself, and the very last was skipped
    let automatic = scratch.store.read(|tx| tx.rule_run_automatic(id, time(500))).expect("reads");
    assert_eq!(automatic, [501, 503, 505, 507].map(time));
    let old = rows.last().expect("a run").no;
    let updates = scratch.store.read(move |tx| tx.rule_run_updates(old, None, None, 10)).expect("reads");
    assert_eq!(updates.items, []);
}

fn plan() -> Plan {
    let phase = |number: u128| Phase {
        name: format!("Phase {number}"),
        collection: CollectionId(Uuid::from_u128(number)),
        action: DeploymentAction::Install,
        start: Start::Automatic { after_days: 1 },
        success: Amount::Percent(95),
        count_unknown: true,
        error_limit: None,
        soak_hours: 0,
        approval: false,
        spread_days: 0,
        deadline: Deadline::Days(7),
        terms: weir_model::deployment::Terms::default(),
    };
    Plan { name: "Rollout".to_owned(), description: String::new(), phases: vec![phase(1), phase(2)] }
}

#[test]
fn rules_and_phased_deployments_of_a_parent_that_is_gone_are_this_sites() {
    let scratch = Scratch::new();
    let (theirs, own, phased) = (Uuid::from_u128(7), Uuid::from_u128(8), Uuid::from_u128(9));
    scratch.write(|tx| {
        tx.rule_put(theirs, &rule("Theirs"), DeploymentOrigin::Parent)?;
        tx.intent_set_origin(IntentKind::Rule, &theirs.as_simple().to_string(), IntentOrigin::Parent)?;
        tx.rule_put(own, &rule("Own"), DeploymentOrigin::Local)?;
        tx.rule_done_until(own, time(-5))?;
        tx.phased_put(phased, &plan(), own, DeploymentOrigin::Parent)
    });
    scratch.write(|tx| tx.sites_decisions_own());
    let rows = scratch.store.read(|tx| tx.rule_list()).expect("reads");
    assert!(rows.iter().all(|row| row.origin == DeploymentOrigin::Local), "{rows:?}");
    let since = |id| scratch.store.read(move |tx| tx.rule_state(id)).expect("reads").map(|state| state.since);
    assert_eq!((since(theirs), since(own)), (Some(time(0)), Some(time(-5))), "not for what was due before");
    let row = scratch.store.read(|tx| tx.phased_show(phased)).expect("reads").expect("is there");
    assert_eq!(row.origin, DeploymentOrigin::Local);
    let travels = scratch.store.read(|tx| tx.intent_of_kind(IntentKind::Rule)).expect("reads");
    assert!(travels.iter().all(|row| row.origin == IntentOrigin::Local), "{travels:?}");
}

#[test]
fn phased_deployments_come_back() {
    let scratch = Scratch::new();
    let (id, group) = (Uuid::from_u128(7), Uuid::from_u128(8));
    let mut state = State::new(2);
    state.phases[0].started_at = Some(time(3));
    let counts = Counts { targeted: 5, succeeded: 4, failed: 1, unknown: 0 };
    let row = PhasedStateRow {
        state,
        observed: vec![Observation { founders: counts, late: Counts::default() }],
        observed_at: Some(time(3) + SignedDuration::from_secs(1)),
    };
    let start = PhasedStart { phase: 0, deployment: DeploymentId(4), founders: vec![1, 2, 700] };
    scratch.write(|tx| {
        tx.phased_put(id, &plan(), group, DeploymentOrigin::Local)?;
        tx.phased_state_put(id, &row)?;
        tx.phased_start_put(id, &start)?;
        for number in 0..1_010 {
            tx.phased_event_put(id, "start", Some(0), &format!("reason {number}"))?;
        }
        Ok(())
    });
    let stored = scratch.store.read(|tx| tx.phased_find("rollout")).expect("reads").expect("is there");
    assert_eq!((stored.plan, stored.group), (plan(), group));
    assert_eq!(scratch.store.read(|tx| tx.phased_state(id)).expect("reads"), Some(row));
    assert_eq!(scratch.store.read(|tx| tx.phased_starts(id)).expect("reads"), [start]);
    let events = scratch.store.read(|tx| tx.phased_events(id, None, 5_000)).expect("reads").items;
    assert_eq!((events.len(), events[0].reason.as_str()), (1_000, "reason 1009"));
    let travels = scratch.store.read(|tx| tx.intent_of_kind(IntentKind::Phased)).expect("reads");
    assert_eq!((travels.len(), travels[0].change), (1, stored.change));
    assert!(scratch.write(|tx| tx.phased_delete(id)));
    assert_eq!(scratch.store.read(|tx| tx.phased_starts(id)).expect("reads"), []);
}
