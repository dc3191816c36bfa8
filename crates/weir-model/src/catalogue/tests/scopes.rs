//! Scopes, actions and explanations case by case.

use super::build::{Build, category, deployment, detectoid, group, second, software, uid};
use crate::{
    catalogue::{Decided, Lack, Scope, Snapshot, Standing, WireAction},
    ids::{ChangeNumber, CollectionId, RevisionId, RevisionNumber, UpdateIdentity},
    targeting::{Decision, Deployment, DeploymentAction},
    update::CategoryKind,
};

const ALL: CollectionId = CollectionId::ALL_COMPUTERS;

fn held(snapshot: &Snapshot, scope: &Scope) -> Vec<(i32, WireAction)> {
    let mut held: Vec<_> = snapshot.offers(scope).iter().map(|it| (it.id.0, it.action)).collect();
    held.sort_unstable();
    held
}

#[test]
fn everything_live_is_sent_for_detection() {
    let build = Build::with([
        category(1, CategoryKind::Product),
        detectoid(2),
        software(3).bundles(&[(4, 1)]),
        software(4).bundles(&[(5, 1)]),
        software(5),
        software(6).declined(),
        software(7).expired(),
    ]);
    let snapshot = build.snapshot();
    let all = [
        (1, WireAction::Evaluate),
        (2, WireAction::Evaluate),
        (3, WireAction::PreDeploymentCheck),
        (4, WireAction::Bundle),
        (5, WireAction::Bundle),
    ];
    assert_eq!(held(&snapshot, &snapshot.scope(&[])), all);
    assert_eq!(snapshot.live_len(), 5);
}

#[test]
fn approved_only_needs_every_collection_of_the_computer() {
    let mut build = Build::with([software(1), software(2).needs(3), detectoid(3), detectoid(4)]);
    build.collection(1, None, true);
    build.collection(2, None, false);
    build.collection(3, None, true);
    build.deploy(deployment(1, 2, group(3), DeploymentAction::Detect));
    let snapshot = build.snapshot();
    assert_eq!(held(&snapshot, &snapshot.scope(&[group(1)])), []);
    let deployed = [(2, WireAction::PreDeploymentCheck), (3, WireAction::Evaluate)];
    assert_eq!(held(&snapshot, &snapshot.scope(&[group(3), group(1), ALL])), deployed);
    assert_eq!(snapshot.scope(&[group(1), group(2)]).len(), 4);
    assert_eq!(snapshot.scope(&[ALL]).len(), 4);
    // a computer in collections by rule alone is unassigned, too, and that says nothing
    let unassigned = CollectionId::UNASSIGNED_COMPUTERS;
    assert_eq!(held(&snapshot, &snapshot.scope(&[group(1), unassigned])), []);
    assert_eq!(snapshot.scope(&[unassigned]).len(), 4);
}

/// (26)
#[test]
fn the_newest_revision_counts_unless_a_deployment_names_another() {
    let mut build = Build::with([software(1), software(1).rev(2), software(2), software(2).rev(2).expired()]);
    assert_eq!(held(&build.snapshot(), &build.snapshot().scope(&[])), [(2, WireAction::PreDeploymentCheck)]);
    let mut pinned = deployment(1, 1, ALL, DeploymentAction::Install);
    pinned.revision = Some(RevisionNumber(1));
    build.deploy(pinned.clone());
    pinned.id.0 = 2;
    pinned.update_id = uid(2);
    build.deploy(pinned);
    let snapshot = build.snapshot();
    assert_eq!(held(&snapshot, &snapshot.scope(&[])), [(1, WireAction::Install)]);
    assert_eq!(snapshot.newest(uid(2)), Some(RevisionId(4)));
    assert_eq!(snapshot.live(uid(2)), None);
}

#[test]
fn expired_detectoids_stay_where_something_needs_them() {
    let build = Build::with([detectoid(1).expired(), detectoid(2).expired(), software(3).needs(1)]);
    let snapshot = build.snapshot();
    let held = held(&snapshot, &snapshot.scope(&[]));
    assert_eq!(held, [(1, WireAction::Evaluate), (3, WireAction::PreDeploymentCheck)]);
}

#[test]
fn unresolved_updates_are_kept_out_with_what_they_lack() {
    let mut build = Build::with([
        software(1).needs(90),
        software(2).needs_one_of(&[90, 91]),
        software(3).needs_one_of(&[90, 4]),
        detectoid(4),
        software(5).bundles(&[(1, 1)]),
        software(6).bundles(&[(1, 1), (3, 1)]).bundles(&[(4, 9)]),
        software(7).bundles(&[(1, 1), (3, 1)]),
        software(8).bundles(&[(5, 1)]),
    ]);
    let snapshot = build.snapshot();
    let exactly = |update, number| UpdateIdentity::new(uid(update), number);
    let want = vec![
        (RevisionId(1), vec![Lack::Prerequisite(uid(90))]),
        (RevisionId(2), vec![Lack::PrerequisiteClause(vec![uid(90), uid(91)])]),
        (RevisionId(5), vec![Lack::BundleClause(vec![exactly(1, 1)])]),
        (RevisionId(6), vec![Lack::BundleClause(vec![exactly(4, 9)])]),
        (RevisionId(8), vec![Lack::BundleClause(vec![exactly(5, 1)])]),
    ];
    assert_eq!(snapshot.unresolved(), want);
    assert_eq!(snapshot.unresolved_len(), want.len());
    for id in 0..=9 {
        let lacks = want.iter().find(|(lacking, _)| lacking.0 == id).map(|(_, lacks)| lacks.clone());
        assert_eq!(snapshot.lacks(RevisionId(id)), lacks.unwrap_or_default(), "{id}");
    }
    let scope = snapshot.scope(&[]);
    let held: Vec<_> = held(&snapshot, &scope).into_iter().map(|(id, _)| id).collect();
    assert_eq!(held, [3, 4, 7]);
    assert_eq!(snapshot.effective(&[], uid(8)).standing, Standing::Unresolved);

    // what they lack arrives, and with it they enter the scope
    let arrived = build.publish(detectoid(90));
    let snapshot = build.snapshot();
    let scope = snapshot.scope(&[]);
    assert_eq!(snapshot.unresolved().len(), 1);
    assert!(snapshot.in_scope(&scope, arrived) && snapshot.in_scope(&scope, RevisionId(8)));
    assert_eq!(snapshot.entered(&scope, uid(8)), Some(ChangeNumber(2)));
    assert_eq!(snapshot.entered(&scope, uid(3)), Some(ChangeNumber(1)));
    assert_eq!(snapshot.entered(&scope, uid(6)), None);
}

/// (32) and the wire form of every action.
#[test]
fn what_needs_itself_is_kept_out() {
    let mut build = Build::with([
        software(1).needs(1),
        software(2).needs(3),
        software(3).needs(2),
        software(4).bundles(&[(4, 1)]),
        // a bundle whose member waits for the bundle
        software(5).bundles(&[(6, 1)]),
        software(6).needs(5),
        // not in a circle, and nothing without one either
        software(7).needs(1),
        // one way around is enough
        software(8).needs_one_of(&[1, 9]),
        software(9),
        software(10).bundles(&[(8, 1), (7, 1)]),
    ]);
    let circle = |id, needs| (RevisionId(id), vec![Lack::Circle(vec![uid(needs)])]);
    let lacking = build.snapshot().unresolved();
    assert_eq!(lacking[..3], [circle(1, 1), circle(2, 3), circle(3, 2)]);
    let ids: Vec<i32> = lacking.iter().map(|(id, _)| id.0).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(lacking[3].1[0], Lack::Circle(vec![uid(4)]));
    // a revision that does not need itself ends the circle
    build.add(software(1).rev(2));
    let ids: Vec<i32> = build.snapshot().unresolved().iter().map(|(id, _)| id.0).collect();
    assert_eq!(ids, [2, 3, 4, 5, 6]);
}

#[test]
fn actions_reach_the_wire() {
    let cases = [
        (DeploymentAction::Install, true, WireAction::Install, true),
        (DeploymentAction::Optional, true, WireAction::OptionalInstall, false),
        (DeploymentAction::Uninstall, true, WireAction::Uninstall, true),
        (DeploymentAction::Detect, true, WireAction::PreDeploymentCheck, true),
        (DeploymentAction::Block, true, WireAction::PreDeploymentCheck, true),
        (DeploymentAction::Install, false, WireAction::PreDeploymentCheck, true),
        (DeploymentAction::Optional, false, WireAction::PreDeploymentCheck, true),
    ];
    for (action, active, wire, is_assigned) in cases {
        let mut build = Build::with([software(1)]);
        let mut made = deployment(42, 1, ALL, action);
        made.active = active;
        // a deadline long past passes through
        made.deadline = Some(second(5));
        build.deploy(made);
        let snapshot = build.snapshot();
        let scope = snapshot.scope(&[]);
        let entry = &snapshot.refresh(&scope, None, &[UpdateIdentity::new(uid(1), 1)])[0].1;
        assert_eq!((entry.deployment.action, entry.deployment.is_assigned), (wire, is_assigned), "{action:?}");
        assert_eq!(entry.deployment.id, 42);
        let acts = wire != WireAction::PreDeploymentCheck;
        assert_eq!(entry.deployment.deadline, acts.then(|| second(5)), "{action:?}");
    }
}

/// (32)
#[test]
fn the_nearest_deployment_of_a_branch_hides_those_above() {
    let mut build = Build::with([software(1)]);
    build.collection(1, None, false);
    build.collection(2, Some(1), false);
    build.collection(3, None, false);
    build.rule_collection(4);
    build.deploy(deployment(10, 1, ALL, DeploymentAction::Install));
    build.deploy(deployment(11, 1, group(1), DeploymentAction::Block));
    build.deploy(deployment(12, 1, group(2), DeploymentAction::Detect));
    let snapshot = build.snapshot();
    let winner = |groups: &[CollectionId]| snapshot.effective(groups, uid(1)).ruling.winner.map(|it| it.id.0);
    assert_eq!(winner(&[]), Some(10));
    // block overrides an inherited install
    assert_eq!(winner(&[group(1)]), Some(11));
    assert_eq!(winner(&[group(2)]), Some(12));
    // a collection above another one of the computer starts no branch of its own
    assert_eq!(winner(&[group(2), group(1)]), Some(12));
    // another branch inherits the install, which is stronger than detect and weaker than block
    assert_eq!(winner(&[group(2), group(3)]), Some(10));
    assert_eq!(winner(&[group(1), group(3)]), Some(11));
    assert_eq!(winner(&[group(2), group(4)]), Some(10));
    let why = snapshot.effective(&[group(2), group(3)], uid(1));
    assert_eq!(why.ruling.decision, Decision::Action);
    assert_eq!(why.ruling.branches.len(), 2);
    assert_eq!(why.ruling.branches[0].hidden.iter().map(|it| it.id.0).collect::<Vec<_>>(), [11, 10]);
    let names = |id: CollectionId| if id == ALL { "All".to_owned() } else { format!("G{}", id.0.as_u128() & 0xff) };
    assert_eq!(
        why.describe(names),
        "Branch G2 > G1 > All: deployment 12 (detect in G2) is the nearest and hides deployment 11 (block in G1), \
         deployment 10 (install in All).\n\
         Branch G3 > All: deployment 10 (install in All) is the nearest.\n\
         deployment 10 (install in All) wins: the strongest action among the branches (block, install, optional, \
         uninstall, detect).\n\
         Sent as revision 1 with action Install."
    );
}

/// *Off-spec:* what waits does not hide what is active.
#[test]
fn only_active_deployments_compete() {
    let mut build = Build::with([software(1)]);
    build.collection(1, None, false);
    build.collection(2, Some(1), false);
    build.rule_collection(3);
    let waits = |id: i32, to: CollectionId, action: DeploymentAction| Deployment {
        active: false,
        ..deployment(id, 1, to, action)
    };
    let sent = |build: &Build, groups: &[CollectionId]| {
        let why = build.snapshot().effective(groups, uid(1));
        let Standing::Sent { action, .. } = why.standing else { panic!("{why:?}") };
        (why.ruling.winner.map(|it| it.id.0), action)
    };
    // a nearer installation of next week, and a block of another branch: what is offered now stays offered
    build.deploy(deployment(10, 1, group(1), DeploymentAction::Optional));
    build.deploy(waits(11, group(2), DeploymentAction::Install));
    build.deploy(waits(12, group(3), DeploymentAction::Block));
    let here = [group(2), group(3)];
    assert_eq!(sent(&build, &here), (Some(10), WireAction::OptionalInstall));
    let why = build.snapshot().effective(&here, uid(1));
    let waiting: Vec<Vec<i32>> =
        why.ruling.branches.iter().map(|it| it.waiting.iter().map(|it| it.id.0).collect()).collect();
    assert_eq!(waiting, [vec![11], vec![12]]);
    assert_eq!(why.ruling.decision, Decision::Unopposed);
    let names = |id: CollectionId| if id == ALL { "All".to_owned() } else { format!("G{}", id.0.as_u128() & 0xff) };
    assert_eq!(
        why.describe(names),
        "Branch G2 > G1 > All: deployment 10 (optional in G1) is the nearest. deployment 11 (install in G2, not active \
         yet) does not count until it is active.\n\
         Branch G3 > All: no deployment that is active. deployment 12 (block in G3, not active yet) does not count until \
         it is active.\n\
         deployment 10 (optional in G1) wins: nothing stands against it.\n\
         Sent as revision 1 with action OptionalInstall."
    );

    // where nothing is active, what waits decides, and is detected
    build.undeploy(10);
    assert_eq!(sent(&build, &here), (Some(12), WireAction::PreDeploymentCheck));
    assert_eq!(sent(&build, &[group(2)]), (Some(11), WireAction::PreDeploymentCheck));

    // each takes its place as soon as it is active, and computers hear of it
    let before = build.input.change;
    build.deploy(deployment(11, 1, group(2), DeploymentAction::Install));
    assert_eq!(sent(&build, &here), (Some(11), WireAction::Install));
    let snapshot = build.snapshot();
    let changed = snapshot.changed(&snapshot.scope(&here), 0);
    assert!(changed > before.0, "{changed} is not after {before:?}");
    build.deploy(deployment(12, 1, group(3), DeploymentAction::Block));
    assert_eq!(sent(&build, &here), (Some(12), WireAction::PreDeploymentCheck));
}

#[test]
fn equal_actions_are_decided_by_deadline_then_age() {
    let mut build = Build::with([software(1)]);
    for number in 1..=5 {
        build.collection(number, None, false);
    }
    let mut add = |id: i32, deadline: Option<i64>| {
        let mut made = deployment(id, 1, group(id as u32), DeploymentAction::Install);
        made.deadline = deadline.map(second);
        build.deploy(made);
    };
    add(1, None);
    add(2, Some(20));
    add(3, Some(10));
    add(4, None);
    add(5, Some(10));
    let snapshot = build.snapshot();
    let ruled = |groups: &[u32]| {
        let groups: Vec<_> = groups.iter().copied().map(group).collect();
        let ruling = snapshot.effective(&groups, uid(1)).ruling;
        (ruling.winner.map(|it| it.id.0), ruling.decision)
    };
    assert_eq!(ruled(&[1]), (Some(1), Decision::Unopposed));
    assert_eq!(ruled(&[1, 2]), (Some(2), Decision::Deadline));
    assert_eq!(ruled(&[2, 3]), (Some(3), Decision::EarlierDeadline));
    assert_eq!(ruled(&[1, 4]), (Some(4), Decision::Newest));
    assert_eq!(ruled(&[3, 5, 1]), (Some(5), Decision::Newest));
    assert_eq!(ruled(&[]), (None, Decision::NoDeployment));
}

#[test]
fn broken_trees_end_at_all_computers() {
    let mut build = Build::with([software(1)]);
    build.collection(1, Some(2), false);
    build.collection(2, Some(1), false);
    build.collection(3, Some(99), false);
    build.deploy(deployment(1, 1, ALL, DeploymentAction::Optional));
    let snapshot = build.snapshot();
    for member in [1, 2, 3, 77] {
        let ruling = snapshot.effective(&[group(member)], uid(1)).ruling;
        assert_eq!(ruling.winner.map(|it| it.id.0), Some(1), "{member}");
    }
}

#[test]
fn updates_enter_when_they_can_first_be_evaluated() {
    let mut build = Build::with([software(1), software(2)]);
    build.collection(1, None, true);
    build.decline(1, true);
    build.decline(1, false);
    build.deploy(deployment(1, 2, group(1), DeploymentAction::Install));
    let revised = build.publish(software(2).rev(2));
    let snapshot = build.snapshot();
    let all = snapshot.scope(&[]);
    // accepted again after a decline; a new revision was not yet evaluated
    assert_eq!(snapshot.entered(&all, uid(1)), Some(ChangeNumber(3)));
    assert_eq!(snapshot.entered(&all, uid(2)), Some(ChangeNumber(5)));
    assert!(snapshot.in_scope(&all, revised));
    let approved = snapshot.scope(&[group(1)]);
    assert_eq!(snapshot.entered(&approved, uid(1)), None);
    assert_eq!(snapshot.effective(&[group(1)], uid(1)).standing, Standing::NotDeployed);
}

/// (49) RefreshCache maps identities to this server's ids, without Bundle entries and what is not in scope.
#[test]
fn refresh_finds_what_is_in_scope() {
    let build = Build::with([
        detectoid(1).id(70),
        software(2).needs(1).bundles(&[(3, 1)]).id(71),
        software(3).id(72),
        software(4).declined().id(73),
    ]);
    let snapshot = build.snapshot();
    let scope = snapshot.scope(&[]);
    let ids: Vec<_> = [2, 1, 3, 4, 5, 1].into_iter().map(|it| UpdateIdentity::new(uid(it), 1)).collect();
    let found: Vec<_> = snapshot.refresh(&scope, None, &ids).iter().map(|(_, it)| (it.id.0, it.is_leaf)).collect();
    assert_eq!(found, [(71, true), (70, false)]);
    assert!(snapshot.refresh(&scope, None, &[UpdateIdentity::new(uid(1), 2)]).is_empty());
}

#[test]
fn repeated_and_impossible_revisions_are_left_out() {
    let build = Build::with([
        software(1).id(5),
        software(1).id(6),
        software(2).id(5),
        software(3).id(-4),
        software(4).id(i32::MAX),
    ]);
    let snapshot = build.snapshot();
    assert_eq!(snapshot.len(), 2);
    assert_eq!(snapshot.identity(RevisionId(5)), Some(UpdateIdentity::new(uid(1), 1)));
    assert_eq!(snapshot.identity(RevisionId(i32::MAX)), Some(UpdateIdentity::new(uid(4), 1)));
    assert_eq!(snapshot.identity(RevisionId(6)), None);
}

/// (28)
#[test]
fn what_is_decided_is_the_same_for_moves_that_change_nothing() {
    let mut build = Build::with([software(1), software(2)]);
    for number in [1, 2, 3, 4] {
        build.collection(number, None, false);
    }
    build.collection(5, Some(3), false);
    build.collection(6, None, true);
    build.deploy(deployment(1, 1, ALL, DeploymentAction::Optional));
    build.deploy(deployment(2, 1, group(3), DeploymentAction::Install));
    build.deploy(deployment(3, 1, group(4), DeploymentAction::Detect));
    let decided = |build: &Build, groups: &[u32]| {
        let groups: Vec<CollectionId> = groups.iter().copied().map(group).collect();
        build.snapshot().scope(&groups).decided()
    };
    let of = |groups: &[u32]| decided(&build, groups);
    assert_eq!(of(&[]), of(&[1]), "nothing is deployed there");
    assert_eq!(of(&[3, 1]), of(&[5, 2]), "nor on the way to what is deployed above");
    assert!(of(&[3, 4]).agrees(of(&[3])), "the weaker of two branches decides nothing");
    assert_ne!(of(&[3, 4]).branches, of(&[3]).branches);
    let apart: [(&[u32], &[u32]); 5] = [(&[], &[3]), (&[4], &[]), (&[3], &[4]), (&[1], &[6]), (&[3], &[1, 6])];
    for (one, other) in apart {
        assert!(!of(one).agrees(of(other)), "{one:?} {other:?}");
    }
    // who stays among the same deployments hears of changes by their numbers
    let before = [of(&[]), of(&[5])];
    build.deploy(deployment(4, 2, ALL, DeploymentAction::Install));
    assert!(decided(&build, &[1]).agrees(before[0]) && decided(&build, &[3]).agrees(before[1]));
    build.undeploy(2);
    assert!(!decided(&build, &[3]).agrees(before[1]), "nothing is deployed to it any more");
    let (known, unknown) = (before[0], Decided::default());
    assert!(!known.agrees(unknown) && !unknown.agrees(unknown));
    assert_eq!((known.common(known), known.common(unknown)), (known, unknown));
}
