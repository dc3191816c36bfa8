//! The worked example of the protocol dossier, section 6.5, from end to end (55).

use super::build::{Build, category, deployment, detectoid, group, rids, second, software};
use crate::{
    catalogue::{DriverQuery, PageLimits, Scratch, Snapshot, SoftwareQuery, SyncPlan, WireAction},
    ids::{ChangeNumber, RevisionId},
    targeting::DeploymentAction,
    update::CategoryKind,
};

const P: i32 = 1;
const D: i32 = 2;
const B: i32 = 3;
const C1: i32 = 4;
const C2: i32 = 5;

fn build() -> Build {
    let mut build = Build::with([
        category(1, CategoryKind::Product),
        detectoid(2),
        software(3).needs(2).within(1).bundles(&[(4, 1), (5, 1)]),
        software(4).needs(2),
        software(5).needs(2),
    ]);
    build.collection(1, None, true);
    build.deploy(deployment(7, 3, group(1), DeploymentAction::Install));
    build
}

fn ask(snapshot: &Snapshot, installed: &[i32], other: &[i32], anchor: Option<ChangeNumber>) -> SyncPlan {
    let scope = snapshot.scope(&[group(1)]);
    assert!(scope.is_approved_only());
    let (installed, other) = (rids(installed), rids(other));
    let query = SoftwareQuery { installed: &installed, other: &other, anchor, ..SoftwareQuery::default() };
    snapshot.software(&scope, &query, &PageLimits::default(), &mut Scratch::default())
}

fn seen(plan: &SyncPlan) -> Vec<(i32, WireAction, bool)> {
    plan.new.iter().map(|it| (it.id.0, it.deployment.action, it.is_leaf)).collect()
}

#[test]
fn the_worked_example_runs_as_written() {
    let mut build = build();
    let snapshot = build.snapshot();
    // call 1: the prerequisite-free part of the scope (18), categories and detectoids as Evaluate (20)
    let first = ask(&snapshot, &[], &[], None);
    assert_eq!(seen(&first), [(P, WireAction::Evaluate, false), (D, WireAction::Evaluate, false)]);
    assert!(!first.truncated);
    assert!(first.driver_sync_not_needed);
    let anchor = Some(first.anchor);

    // call 2: the bundle with its deployment, all alternatives of its clause as Bundle (22)
    let second_call = ask(&snapshot, &[P, D], &[], anchor);
    let want = [(B, WireAction::Install, true), (C1, WireAction::Bundle, true), (C2, WireAction::Bundle, true)];
    assert_eq!(seen(&second_call), want);
    assert_eq!(second_call.new[0].deployment.id, 7);
    assert!(second_call.changed.is_empty() && second_call.out_of_scope.is_empty());

    // call 2': an id among the other cached ones never satisfies a clause (19)
    assert_eq!(seen(&ask(&snapshot, &[P], &[D], anchor)), []);

    // call 3: no drivers (39)
    let scope = snapshot.scope(&[group(1)]);
    let query = DriverQuery { installed: &rids(&[P, D]), anchor, ..DriverQuery::default() };
    let drivers = snapshot.drivers(&scope, &query, &PageLimits::default(), &mut Scratch::default());
    assert!(drivers.driver_sync_not_needed && drivers.new.is_empty() && !drivers.truncated);

    // later: a deadline is announced once (28)
    let mut with_deadline = build.input.deployments[0].clone();
    with_deadline.deadline = Some(second(1_000));
    build.deploy(with_deadline);
    let snapshot = build.snapshot();
    let changed = ask(&snapshot, &[P, D], &[B, C1, C2], anchor);
    assert!(changed.new.is_empty() && changed.out_of_scope.is_empty());
    assert_eq!(changed.changed.iter().map(|it| it.id.0).collect::<Vec<_>>(), [B]);
    assert_eq!(changed.changed[0].deployment.deadline, Some(second(1_000)));
    let anchor = Some(changed.anchor);
    assert!(ask(&snapshot, &[P, D], &[B, C1, C2], anchor).changed.is_empty());

    // later: declined, everything leaves the scope (27)
    build.decline(3, true);
    let declined = ask(&build.snapshot(), &[P, D], &[B, C1, C2], anchor);
    assert_eq!(declined.out_of_scope, rids(&[P, D, B, C1, C2]));
    assert!(declined.new.is_empty() && declined.changed.is_empty());

    // and accepted again it comes back as before
    build.decline(3, false);
    assert_eq!(seen(&ask(&build.snapshot(), &[P, D], &[], anchor)), want);
    assert_eq!(build.snapshot().live(super::build::uid(3)), Some(RevisionId(B)));
}
