//! What a simulation says is what happens when the deployment is made.

use proptest::{collection::vec, prelude::*, sample::subsequence};

use super::build::{Build, deployment, group, second, software, uid};
use crate::{
    catalogue::{Standing, WireAction},
    ids::{ChangeNumber, CollectionId, DeploymentId},
    targeting::{Deployment, DeploymentAction, Planned, Told, Tree, ruling, simulate},
};

fn collection() -> impl Strategy<Value = CollectionId> {
    prop_oneof![Just(CollectionId::ALL_COMPUTERS), (1_u32..=4).prop_map(group)]
}

fn deployed() -> impl Strategy<Value = (CollectionId, DeploymentAction, Option<i64>)> {
    use DeploymentAction::{Block, Detect, Install, Optional, Uninstall};
    let action = prop::sample::select(vec![Block, Install, Optional, Uninstall, Detect]);
    (collection(), action, prop::option::of(1_i64..4))
}

fn made(id: i32, (to, action, deadline): (CollectionId, DeploymentAction, Option<i64>)) -> Deployment {
    let required = matches!(action, DeploymentAction::Install | DeploymentAction::Uninstall);
    Deployment { deadline: deadline.filter(|_| required).map(second), ..deployment(id, 1, to, action) }
}

/// What goes out, in the words of a simulation.
fn sent(build: &Build, groups: &[CollectionId]) -> Told {
    let explained = build.snapshot().effective(groups, uid(1));
    let Standing::Sent { action, .. } = explained.standing else { panic!("{explained:?}") };
    let action = match action {
        WireAction::Install => DeploymentAction::Install,
        WireAction::OptionalInstall => DeploymentAction::Optional,
        WireAction::Uninstall => DeploymentAction::Uninstall,
        _ => DeploymentAction::Detect,
    };
    let deadline = explained.ruling.winner.and_then(|won| won.deadline);
    Told { action, from: None, deadline: deadline.filter(|_| action != DeploymentAction::Detect) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_simulation_foretells_what_is_sent(
        existing in vec(deployed(), 0..6),
        new in deployed(),
        groups in subsequence((1_u32..=4).map(group).collect::<Vec<_>>(), 0..=4),
    ) {
        let mut build = Build::with([software(1)]);
        build.collection(1, None, false);
        build.collection(2, Some(1), false);
        build.collection(3, Some(2), false);
        build.rule_collection(4);
        for (number, one) in (1..).zip(existing) {
            build.deploy(made(number, one));
        }
        let deployments = build.input.deployments.clone();
        let existing: Vec<Planned<'_>> =
            deployments.iter().map(|deployment| Planned { deployment, available_at: second(0) }).collect();
        let candidate = Deployment { id: DeploymentId(0), changed: ChangeNumber(u64::MAX), ..made(0, new) };
        let planned = Planned { deployment: &candidate, available_at: second(0) };
        let tree = Tree::new(&build.input.collections);
        let outcome = simulate(&tree, &groups, &existing, &planned, second(1));
        prop_assert_eq!(outcome.before, sent(&build, &groups));
        build.deploy(made(99, new));
        prop_assert_eq!(outcome.after, sent(&build, &groups));
        let won = build.snapshot().effective(&groups, uid(1)).ruling.winner.map(|won| won.id.0);
        prop_assert_eq!(outcome.winner.map(|won| if won.id.0 == 0 { 99 } else { won.id.0 }), won);
        prop_assert_eq!(outcome.is_changed(), outcome.before != outcome.after);
        if !outcome.reached {
            prop_assert!(!outcome.is_changed() && won != Some(99));
        }
    }
}

#[test]
fn what_lies_ahead_is_told_with_its_time() {
    let tree = Tree::new(&[]);
    let new = deployment(1, 1, CollectionId::ALL_COMPUTERS, DeploymentAction::Install);
    let planned = Planned { deployment: &new, available_at: second(10) };
    let told = |now| simulate(&tree, &[], &[], &planned, second(now)).after.from;
    assert_eq!((told(5), told(10), told(11)), (Some(second(10)), None, None));
}

#[test]
fn a_simulation_tells_of_the_moment_at_which_the_new_one_is_available() {
    use DeploymentAction::{Block, Detect, Install, Optional};
    const ALL: CollectionId = CollectionId::ALL_COMPUTERS;
    let tree = Tree::new(&[]);
    let (offered, blocked) = (deployment(1, 1, ALL, Optional), deployment(2, 1, ALL, Block));
    let new = Deployment { active: false, ..deployment(3, 1, ALL, Install) };
    let told = |existing: &Deployment, since: i64, available: i64| {
        let existing = [Planned { deployment: existing, available_at: second(since) }];
        let planned = Planned { deployment: &new, available_at: second(available) };
        let outcome = simulate(&tree, &[], &existing, &planned, second(5));
        let why = ruling(&tree, &[], &existing, &planned, second(5));
        assert_eq!(why.winner.map(|won| won.id), outcome.winner.map(|won| won.id));
        [outcome.before, outcome.after].map(|told| (told.action, told.from))
    };
    // offered now, required from then on
    assert_eq!(told(&offered, 0, 10), [(Optional, None), (Install, Some(second(10)))]);
    // a block that comes later does not keep it from being installed, one that comes first does
    assert_eq!(told(&blocked, 20, 0), [(Detect, None), (Install, None)]);
    assert_eq!(told(&blocked, 7, 10), [(Detect, None), (Detect, None)]);
}
