//! Decisions that travel, and bundles.

use serde_json::json;
use uuid::Uuid;
use weir_model::{
    ids::{ChangeNumber, CollectionId, ContentDigest, Sha256Digest},
    targeting::{CollectionKind, DeploymentAction, DeploymentOrigin},
};

use super::{Scratch, software, time, update};
use crate::{
    StoreError, WriteTx,
    bundle::{BundleState, PartState},
    collection::NewCollection,
    deployment::Deployed,
    intent::{CollectionIntent, DeploymentIntent, IntentKind, IntentOrigin},
    selection::SelectionKind,
};

type Seen = Vec<(IntentKind, String, bool)>;

/// What changed since a number, and the number now.
fn since(scratch: &Scratch, number: u64) -> (Seen, u64) {
    let (rows, more) = scratch.store.read(|tx| tx.intent_since(ChangeNumber(number), 1_000)).expect("reads");
    assert!(!more);
    let now = scratch.store.read(|tx| tx.catalogue_version()).expect("reads").0;
    assert!(rows.iter().all(|row| row.change.0 > number && row.change.0 <= now), "{rows:?}");
    (rows.into_iter().map(|row| (row.kind, row.id, row.deleted)).collect(), now)
}

fn hex(id: Uuid) -> String {
    id.as_simple().to_string()
}

#[test]
fn every_decision_and_its_end_is_an_object() {
    let scratch = Scratch::new();
    let deployment = |tx: &WriteTx<'_>, collection, action| {
        let deployed = Deployed::Update { id: update(1), revision: None };
        let wanted = DeploymentIntent {
            deployed,
            collection,
            action,
            available_at: time(0),
            deadline_at: None,
            enabled: true,
            guid: Uuid::from_u128(99),
            terms: None,
        };
        tx.deployment_put(&wanted, DeploymentOrigin::Local)
    };
    let collection = CollectionId(Uuid::from_u128(5));
    let new =
        NewCollection { id: collection, name: "Pilot".to_owned(), parent: None, kind: CollectionKind::TargetGroup };
    scratch.import(vec![software(1, 1)]);
    let (rows, mut at) = since(&scratch, 0);
    assert_eq!(rows, []);
    let mut changes = |work: &dyn Fn(&WriteTx<'_>) -> Result<(), StoreError>| {
        scratch.write(work);
        let (rows, now) = since(&scratch, at);
        at = now;
        rows
    };
    let one = |kind, id: String, deleted| vec![(kind, id, deleted)];

    let rows = changes(&|tx| tx.setting_put("targeting", &json!("client")).map(drop));
    assert_eq!(rows, one(IntentKind::Setting, "targeting".to_owned(), false));
    assert_eq!(changes(&|tx| tx.setting_put("targeting", &json!("client")).map(drop)), []);
    let rows = changes(&|tx| tx.setting_delete("targeting").map(drop));
    assert_eq!(rows, one(IntentKind::Setting, "targeting".to_owned(), true));
    let rows = changes(&|tx| tx.selection_set(SelectionKind::Products, &["a".to_owned(), "b".to_owned()]));
    assert_eq!(rows, one(IntentKind::Selection, "2".to_owned(), false));
    let rows = changes(&|tx| tx.selection_set(SelectionKind::Products, &[]));
    assert_eq!(rows, one(IntentKind::Selection, "2".to_owned(), false), "choosing nothing is a choice");

    let rows = changes(&|tx| tx.collection_create(&new).map(drop));
    assert_eq!(rows, one(IntentKind::Collection, hex(collection.0), false));
    let rows = changes(&|tx| tx.collection_rename(collection, "Others"));
    assert_eq!(rows, one(IntentKind::Collection, hex(collection.0), false));
    let rows = changes(&|tx| tx.collection_set_approved_only(CollectionId::ALL_COMPUTERS, true));
    assert_eq!(rows, one(IntentKind::Collection, hex(CollectionId::ALL_COMPUTERS.0), false));
    let zoned = CollectionIntent {
        id: collection,
        name: "Others".to_owned(),
        parent: None,
        kind: CollectionKind::TargetGroup,
        approved_only: true,
        time_zone: Some("Europe/Berlin".to_owned()),
    };
    assert_eq!(changes(&|tx| tx.collection_put(&zoned).map(drop)).len(), 1);
    assert_eq!(changes(&|tx| tx.collection_put(&zoned).map(drop)), []);

    let deployed = format!("u{}{}", hex(update(1).0), hex(collection.0));
    let rows = changes(&|tx| deployment(tx, collection, DeploymentAction::Install).map(drop));
    assert_eq!(rows, one(IntentKind::Deployment, deployed.clone(), false));
    assert_eq!(changes(&|tx| deployment(tx, collection, DeploymentAction::Install).map(drop)), []);
    let rows = changes(&|tx| deployment(tx, collection, DeploymentAction::Optional).map(drop));
    assert_eq!(rows, one(IntentKind::Deployment, deployed.clone(), false));
    let number = scratch
        .store
        .read(|tx| tx.deployment_of(Deployed::Update { id: update(1), revision: None }, collection))
        .expect("reads")
        .expect("there");
    assert_eq!(changes(&|tx| tx.deployment_set_active(number, true).map(drop)), [], "no decision");
    let rows = changes(&|tx| tx.deployment_set_enabled(number, false).map(drop));
    assert_eq!(rows, one(IntentKind::Deployment, deployed.clone(), false));
    assert_eq!(changes(&|tx| tx.deployment_delete(number)), one(IntentKind::Deployment, deployed, true));
    let rows = changes(&|tx| tx.collection_delete(collection));
    assert_eq!(rows, one(IntentKind::Collection, hex(collection.0), true));

    let rows = changes(&|tx| tx.update_decline(update(7)).map(drop));
    assert_eq!(rows, one(IntentKind::Decline, hex(update(7).0), false));
    let rows = changes(&|tx| tx.update_undecline(update(7)).map(drop));
    assert_eq!(rows, one(IntentKind::Decline, hex(update(7).0), true));
    let rows = changes(&|tx| tx.update_accept_eula(update(1), "licence").map(drop));
    assert_eq!(rows, one(IntentKind::EulaAcceptance, hex(update(1).0), false));

    let group = Uuid::from_u128(6);
    let rows = changes(&|tx| tx.update_group_put(group, "March", &[update(1), update(2)]).map(drop));
    assert_eq!(rows, one(IntentKind::UpdateGroup, hex(group), false));
    assert_eq!(changes(&|tx| tx.update_group_put(group, "March", &[update(2), update(1)]).map(drop)), []);
    let rows = changes(&|tx| tx.update_group_put(group, "March", &[update(2)]).map(drop));
    assert_eq!(rows, one(IntentKind::UpdateGroup, hex(group), false));
    let rows = changes(&|tx| tx.update_group_delete(group).map(drop));
    assert_eq!(rows, one(IntentKind::UpdateGroup, hex(group), true));
}

#[test]
fn pages_of_decisions_end_with_a_whole_change_and_miss_none() {
    let scratch = Scratch::new();
    scratch.write(|tx| {
        for number in 0..7 {
            tx.setting_put(&format!("key{number}"), &json!(number))?;
        }
        Ok(())
    });
    let (mut at, mut seen) = (ChangeNumber(0), Vec::new());
    loop {
        let (rows, more) = scratch.store.read(|tx| tx.intent_since(at, 3)).expect("reads");
        at = rows.last().map_or(at, |row| row.change);
        seen.extend(rows.into_iter().map(|row| row.id));
        if !more {
            break;
        }
    }
    assert_eq!(seen, (0..7).map(|number| format!("key{number}")).collect::<Vec<_>>());
}

#[test]
fn objects_of_kinds_that_a_later_version_knows_are_skipped() {
    let scratch = Scratch::new();
    scratch.write(|tx| tx.setting_put("a", &json!(1)));
    let insert = "INSERT INTO intent_object (kind, id, change, deleted) SELECT 99, 'x', change, 0 FROM intent_object";
    assert_eq!(scratch.execute(insert, &[]), 1);
    for limit in [1, 10] {
        let (rows, _) = scratch.store.read(|tx| tx.intent_since(ChangeNumber(0), limit)).expect("reads");
        assert_eq!(rows.iter().map(|row| row.kind).collect::<Vec<_>>(), [IntentKind::Setting]);
    }
}

#[test]
fn an_object_made_again_here_is_no_longer_the_parents() {
    let scratch = Scratch::new();
    let origin = || {
        let row = scratch.store.read(|tx| tx.intent_show(IntentKind::Setting, "a")).expect("reads");
        row.expect("there").origin
    };
    scratch.write(|tx| {
        tx.setting_put("a", &json!(1))?;
        tx.intent_set_origin(IntentKind::Setting, "a", IntentOrigin::Parent)?;
        tx.setting_put("a", &json!(2))
    });
    assert_eq!(origin(), IntentOrigin::Parent);
    scratch.write(|tx| tx.setting_delete("a"));
    scratch.write(|tx| tx.setting_put("a", &json!(3)));
    assert_eq!(origin(), IntentOrigin::Local);
}

#[test]
fn bundles_are_numbered_and_know_what_they_build_on() {
    let scratch = Scratch::new();
    let id = Uuid::from_u128;
    let issue = |number, base, files: &[u8]| {
        let files: Vec<_> = files.iter().map(|seed| ContentDigest([*seed; 20])).collect();
        scratch.write(|tx| tx.bundle_issue(id(number), base, ChangeNumber(number as u64), &files))
    };
    assert_eq!([issue(1, None, &[1, 2]), issue(2, Some(id(1)), &[3]), issue(3, Some(id(9)), &[])], [1, 2, 3]);
    let files = |number| scratch.store.read(|tx| tx.bundle_issued_files(id(number))).expect("reads");
    assert_eq!(files(2).map(|files| files.len()), Some(3));
    assert_eq!(files(1).map(|files| files.len()), Some(2));
    assert_eq!(files(3), None, "what it builds on is not known");

    let signer = Sha256Digest([8; 32]);
    scratch.write(|tx| {
        tx.bundle_receive(id(5), signer, 4, "{}")?;
        tx.bundle_receive(id(5), signer, 77, "other")?;
        tx.bundle_part_put(id(5), 1, PartState::Here)?;
        tx.bundle_part_put(id(5), 2, PartState::Here)?;
        tx.bundle_part_put(id(5), 2, PartState::Used)
    });
    let last = || scratch.store.read(|tx| tx.bundle_received_last(signer)).expect("reads");
    assert_eq!(last(), None, "nothing of it is applied");
    scratch.write(|tx| tx.bundle_set_state(id(5), BundleState::Committed, Some(&json!({ "added": 1 }))));
    scratch.write(|tx| tx.bundle_set_state(id(5), BundleState::Applied, None));
    assert_eq!(last(), Some(4));
    assert!(!scratch.write(|tx| tx.bundle_forget(id(5))), "what is applied is remembered");
    let row = scratch.store.read(|tx| tx.bundle_received_show(id(5))).expect("reads").expect("there");
    assert_eq!(
        (row.state, row.result, row.applied_at),
        (BundleState::Applied, Some(json!({ "added": 1 })), Some(time(0)))
    );
    let parts = scratch.store.read(|tx| tx.bundle_parts(id(5))).expect("reads");
    assert_eq!(parts, [(1, PartState::Here), (2, PartState::Used)]);
}

#[test]
fn the_signing_key_is_made_once() {
    let scratch = Scratch::new();
    let first = scratch.write(|tx| tx.bundle_key_create(b"secret", [1; 32]));
    let second = scratch.write(|tx| tx.bundle_key_create(b"other", [2; 32]));
    assert_eq!((first.secret, first.public), (second.secret, second.public));
    let trusted = Sha256Digest([3; 32]);
    assert!(scratch.write(|tx| tx.bundle_trust_add(trusted, "central")));
    assert!(!scratch.write(|tx| tx.bundle_trust_add(trusted, "the centre")));
    let list = scratch.store.read(|tx| tx.bundle_trust_list()).expect("reads");
    assert_eq!(list.iter().map(|signer| signer.name.as_str()).collect::<Vec<_>>(), ["the centre"]);
    assert!(scratch.write(|tx| tx.bundle_trust_remove(trusted)));
    assert!(!scratch.write(|tx| tx.bundle_trust_remove(trusted)));
}
