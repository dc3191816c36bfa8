//! Client settings: sets, where they are deployed, and that they travel.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;
use weir_model::{
    ids::{ChangeNumber, CollectionId},
    targeting::{CollectionKind, DeploymentOrigin},
};

use super::Scratch;
use crate::{
    client_settings::ClientSettings,
    collection::NewCollection,
    intent::{IntentKind, IntentOrigin},
};

fn set(number: u128, name: &str, priority: u32, collections: &[u128]) -> ClientSettings {
    ClientSettings {
        id: Uuid::from_u128(number),
        name: name.to_owned(),
        description: String::new(),
        priority,
        settings: BTreeMap::from([("scan.schedule".to_owned(), "every day at 02:00".to_owned())]),
        collections: collections.iter().map(|number| CollectionId(Uuid::from_u128(*number))).collect(),
    }
}

fn collection(scratch: &Scratch, number: u128) {
    let id = CollectionId(Uuid::from_u128(number));
    let new = NewCollection { id, name: format!("C{number}"), parent: None, kind: CollectionKind::TargetGroup };
    scratch.write(|tx| tx.collection_create(&new).map(drop));
}

#[test]
fn sets_are_kept_found_moved_and_deleted() {
    let scratch = Scratch::new();
    collection(&scratch, 50);
    let (one, two) = (set(1, "Laptops", 1, &[50]), set(2, "Servers", 2, &[]));
    scratch.write(|tx| {
        assert!(tx.client_settings_put(&two, DeploymentOrigin::Local)?);
        assert!(tx.client_settings_put(&one, DeploymentOrigin::Parent)?);
        assert!(!tx.client_settings_put(&one, DeploymentOrigin::Parent)?, "it is so already");
        Ok(())
    });
    let list = scratch.store.read(|tx| tx.client_settings_list()).expect("reads");
    assert_eq!(list.iter().map(|row| row.set.clone()).collect::<Vec<_>>(), [one.clone(), two.clone()]);
    assert_eq!((list[0].origin, list[1].origin), (DeploymentOrigin::Parent, DeploymentOrigin::Local));
    assert_eq!(list[0].changed_by, "administrator");
    let found = scratch.store.read(|tx| tx.client_settings_find(" LAPTOPS ")).expect("reads");
    assert_eq!(found.map(|row| row.set.id), Some(one.id));
    scratch.write(|tx| {
        assert!(tx.client_settings_move(two.id, 3)?);
        assert!(!tx.client_settings_move(two.id, 3)?);
        let taken = ClientSettings { collections: BTreeSet::new(), ..one.clone() };
        assert!(tx.client_settings_put(&taken, DeploymentOrigin::Local)?);
        Ok(())
    });
    let row = scratch.store.read(|tx| tx.client_settings_show(one.id)).expect("reads").expect("there");
    assert!(row.set.collections.is_empty());
    scratch.write(|tx| {
        assert!(tx.client_settings_delete(one.id)?);
        assert!(!tx.client_settings_delete(one.id)?);
        Ok(())
    });
    assert_eq!(scratch.store.read(|tx| tx.client_settings_list()).expect("reads").len(), 1);
}

#[test]
fn names_are_unique_without_regard_to_case() {
    let scratch = Scratch::new();
    let again = scratch.store.write(&super::actor(0), |tx| {
        tx.client_settings_put(&set(1, "Laptops", 1, &[]), DeploymentOrigin::Local)?;
        tx.client_settings_put(&set(2, "laptops", 2, &[]), DeploymentOrigin::Local)
    });
    assert!(matches!(again, Err(crate::StoreError::Constraint { .. })), "{again:?}");
    assert!(scratch.store.read(|tx| tx.client_settings_list()).expect("reads").is_empty(), "nothing is half applied");
}

#[test]
fn every_change_travels_and_a_collection_takes_its_deployments_with_it() {
    let scratch = Scratch::new();
    collection(&scratch, 50);
    collection(&scratch, 51);
    let one = set(1, "Laptops", 1, &[50, 51]);
    let version = || scratch.store.read(|tx| tx.catalogue_version()).expect("reads");
    let since = |since: ChangeNumber| {
        let (rows, _) = scratch.store.read(|tx| tx.intent_since(since, 100)).expect("reads");
        rows.into_iter().filter(|row| row.kind == IntentKind::ClientSettings).collect::<Vec<_>>()
    };
    let mut at = version();
    let mut told = |what: &str, deleted: bool| {
        let rows = since(at);
        assert_eq!(rows.len(), 1, "{what}");
        assert_eq!(
            (rows[0].id.as_str(), rows[0].deleted),
            (one.id.as_simple().to_string().as_str(), deleted),
            "{what}"
        );
        assert_eq!(rows[0].origin, IntentOrigin::Local);
        at = version();
    };
    scratch.write(|tx| tx.client_settings_put(&one, DeploymentOrigin::Local).map(drop));
    told("made", false);
    scratch.write(|tx| tx.client_settings_move(one.id, 4).map(drop));
    told("moved", false);
    scratch.write(|tx| tx.collection_delete(CollectionId(Uuid::from_u128(50))));
    told("a collection went", false);
    let row = scratch.store.read(|tx| tx.client_settings_show(one.id)).expect("reads").expect("there");
    assert_eq!(row.set.collections, BTreeSet::from([CollectionId(Uuid::from_u128(51))]));
    scratch.write(|tx| tx.client_settings_delete(one.id).map(drop));
    told("deleted", true);
}
