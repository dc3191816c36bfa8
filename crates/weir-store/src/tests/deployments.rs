//! Collections, deployments, flags and what the engine is told of them.

use uuid::Uuid;
use weir_model::{
    content::ContentPolicy,
    ids::{CollectionId, ContentDigest, DeploymentId, RevisionNumber, UpdateIdentity},
    targeting::{CollectionKind, DeploymentAction, DeploymentOrigin},
};

use super::{Scratch, actor, bundles, file, software, time, update};
use crate::{
    StoreError,
    collection::NewCollection,
    content_file::{ContentFileRow, ContentState, ContentTotals},
    deployment::{Deployed, DeploymentFilter, NewDeployment},
    revision::NewRevision,
};

fn collection(number: u128, name: &str, parent: Option<u128>) -> NewCollection {
    NewCollection {
        id: CollectionId(Uuid::from_u128(number)),
        name: name.to_owned(),
        parent: parent.map(|parent| CollectionId(Uuid::from_u128(parent))),
        kind: CollectionKind::TargetGroup,
    }
}

fn deploy(number: u128, collection: CollectionId) -> NewDeployment {
    NewDeployment {
        guid: Uuid::from_u128(number << 64 | collection.0.as_u128() & 0xFFFF_FFFF),
        deployed: Deployed::Update { id: update(number), revision: None },
        collection,
        action: DeploymentAction::Install,
        available_at: time(10),
        deadline_at: Some(time(1000)),
        origin: DeploymentOrigin::Local,
        active: false,
        terms: weir_model::deployment::Terms::default(),
    }
}

fn here(seed: u8) -> ContentFileRow {
    ContentFileRow {
        digest: ContentDigest([seed; 20]),
        sha256: weir_model::ids::Sha256Digest([seed; 32]),
        size: 1000 + u64::from(seed),
        extension: ".cab".to_owned(),
        state: ContentState::Verified,
        verified_at: time(0),
    }
}

pub(super) fn fill(scratch: &Scratch) {
    scratch.import(vec![NewRevision { files: vec![file(7)], ..software(70, 1) }]);
    scratch.write(|tx| {
        tx.content_file_put(&here(7))?;
        tx.update_decline(update(71))?;
        tx.deployment_create(&deploy(70, CollectionId::ALL_COMPUTERS))?;
        let retired = tx.deployment_create(&deploy(70, CollectionId::UNASSIGNED_COMPUTERS))?;
        tx.deployment_delete(retired)
    });
}

#[test]
fn built_in_collections_are_there_and_stay() {
    let scratch = Scratch::new();
    let rows = scratch.store.read(|tx| tx.collection_list()).expect("reads");
    let seen: Vec<_> = rows.iter().map(|row| (row.id, row.name.as_str(), row.parent, row.built_in)).collect();
    let (all, unassigned) = (CollectionId::ALL_COMPUTERS, CollectionId::UNASSIGNED_COMPUTERS);
    assert_eq!(seen, [(all, "All Computers", None, true), (unassigned, "Unassigned Computers", Some(all), true)]);
    let delete = scratch.store.write(&actor(0), |tx| tx.collection_delete(all));
    assert!(matches!(delete, Err(StoreError::BuiltInCollection(_))), "{delete:?}");
    let below = collection(1, "X", None);
    let below = NewCollection { parent: Some(unassigned), ..below };
    let create = scratch.store.write(&actor(0), |tx| tx.collection_create(&below));
    assert!(matches!(create, Err(StoreError::BuiltInCollection(_))), "{create:?}");
}

#[test]
fn names_are_unique_without_regard_to_case() {
    let scratch = Scratch::new();
    let row = scratch.write(|tx| tx.collection_create(&collection(1, "  Zürich Ä ", None)));
    assert_eq!((row.name.as_str(), row.parent), ("Zürich Ä", Some(CollectionId::ALL_COMPUTERS)));
    let again = scratch.store.write(&actor(0), |tx| tx.collection_create(&collection(2, "zÜRICH ä", None)));
    assert!(matches!(&again, Err(StoreError::CollectionExists(name)) if name == "Zürich Ä"), "{again:?}");
    for wrong in ["", "  ", "a\nb", &"x".repeat(256)] {
        let named = scratch.store.write(&actor(0), |tx| tx.collection_create(&collection(2, wrong, None)));
        assert!(matches!(named, Err(StoreError::CollectionName(_))), "{wrong:?} {named:?}");
    }
    let orphan = scratch.store.write(&actor(0), |tx| tx.collection_create(&collection(3, "Orphan", Some(99))));
    assert!(matches!(orphan, Err(StoreError::UnknownCollection(_))), "{orphan:?}");
}

#[test]
fn a_collection_in_use_is_not_deleted() {
    let scratch = Scratch::new();
    scratch.import(vec![software(1, 1)]);
    scratch.write(|tx| {
        tx.collection_create(&collection(1, "Outer", None))?;
        tx.collection_create(&collection(2, "Inner", Some(1)))?;
        tx.deployment_create(&deploy(1, collection(2, "", None).id))
    });
    let [outer, inner] = [1, 2].map(|number| collection(number, "", None).id);
    let delete = |id| scratch.store.write(&actor(0), |tx| tx.collection_delete(id));
    let error = delete(outer).expect_err("has a collection below").to_string();
    assert!(error.contains("\"Outer\"") && error.contains("1 collection"), "{error}");
    let error = delete(inner).expect_err("is deployed to").to_string();
    assert!(error.contains("1 deployment") && !error.contains("deployments"), "{error}");
    scratch.write(|tx| tx.deployment_delete(DeploymentId(1)));
    delete(inner).expect("free");
    delete(outer).expect("free");
}

#[test]
fn one_deployment_per_update_and_collection() {
    let scratch = Scratch::new();
    scratch.import(vec![software(1, 1)]);
    let all = CollectionId::ALL_COMPUTERS;
    let id = scratch.write(|tx| tx.deployment_create(&deploy(1, all)));
    let again = scratch.store.write(&actor(0), |tx| tx.deployment_create(&deploy(1, all)));
    assert!(matches!(&again, Err(StoreError::DeploymentExists { existing, .. }) if *existing == id), "{again:?}");
    let unknown = scratch.store.write(&actor(0), |tx| tx.deployment_create(&deploy(99, all)));
    assert!(matches!(unknown, Err(StoreError::UnknownUpdate(_))), "{unknown:?}");
    let nowhere = NewDeployment { collection: CollectionId(Uuid::from_u128(5)), ..deploy(1, all) };
    let nowhere = scratch.store.write(&actor(0), |tx| tx.deployment_create(&nowhere));
    assert!(matches!(nowhere, Err(StoreError::UnknownCollection(_))), "{nowhere:?}");
}

#[test]
fn the_engine_hears_of_every_change() {
    let scratch = Scratch::new();
    scratch.import(vec![software(1, 1), software(2, 1)]);
    let all = CollectionId::ALL_COMPUTERS;
    let targeting = |scratch: &Scratch| scratch.store.read(|tx| tx.catalogue_targeting()).expect("reads");
    let pinned = Deployed::Update { id: update(1), revision: Some(RevisionNumber(1)) };
    let id = scratch.write(|tx| tx.deployment_create(&NewDeployment { deployed: pinned, ..deploy(1, all) }));
    let made = targeting(&scratch);
    assert_eq!(made.deployments.len(), 1);
    assert_eq!(
        (made.deployments[0].revision, made.deployments[0].deadline),
        (Some(RevisionNumber(1)), Some(time(1000)))
    );
    assert_eq!(made.deployments[0].changed, made.change);
    assert!(!made.deployments[0].active);

    let activate = |active| scratch.store.write(&actor(20), |tx| tx.deployment_set_active(id, active)).expect("writes");
    assert!(activate(true));
    assert!(!activate(true), "nothing new, no number taken");
    let active = targeting(&scratch);
    assert!(active.deployments[0].active && active.change > made.change);
    assert_eq!((active.deployments[0].changed, active.deployments[0].changed_at), (active.change, time(20)));

    assert!(scratch.write(|tx| tx.deployment_set_enabled(id, false)));
    let disabled = targeting(&scratch);
    assert!(disabled.deployments.is_empty());
    assert_eq!(
        disabled.retired.iter().map(|row| (row.deployment, row.changed)).collect::<Vec<_>>(),
        [(id, disabled.change)]
    );
    assert!(scratch.write(|tx| tx.deployment_set_enabled(id, true)));
    scratch.write(|tx| tx.deployment_delete(id));
    let deleted = targeting(&scratch);
    assert!(deleted.deployments.is_empty());
    assert_eq!(
        (deleted.retired.len(), deleted.retired[1].changed, deleted.retired[1].update_id),
        (2, deleted.change, update(1))
    );
    let gone = scratch.store.write(&actor(0), |tx| tx.deployment_delete(id));
    assert!(matches!(gone, Err(StoreError::Missing { .. })), "{gone:?}");
    let next = scratch.write(|tx| tx.deployment_create(&deploy(1, all)));
    assert!(next > id, "numbers are never given again");

    assert!(scratch.write(|tx| tx.update_decline(update(2))));
    assert!(!scratch.write(|tx| tx.update_decline(update(2))));
    let declined = targeting(&scratch);
    assert_eq!((declined.declines[0].update_id, declined.declines[0].declined), (update(2), true));
    assert_eq!(declined.declines[0].changed, declined.change);
    assert!(scratch.write(|tx| tx.update_undecline(update(2))));
    let undeclined = targeting(&scratch);
    assert_eq!((undeclined.declines.len(), undeclined.declines[0].declined), (1, false));
    assert_eq!(undeclined.declines[0].changed, undeclined.change);

    scratch.write(|tx| tx.collection_set_approved_only(all, true));
    assert!(targeting(&scratch).collections.iter().any(|row| row.id == all && row.approved_only));
}

#[test]
fn licences_are_accepted_once() {
    let scratch = Scratch::new();
    assert!(scratch.write(|tx| tx.update_accept_eula(update(1), "e1")));
    assert!(!scratch.write(|tx| tx.update_accept_eula(update(1), "e1")));
    scratch
        .store
        .read(|tx| {
            assert!(tx.eula_is_accepted("e1")?);
            assert!(!tx.eula_is_accepted("e2")?);
            let flags = tx.update_flags(update(1))?;
            assert_eq!(flags.eula_accepted, Some(("administrator".to_owned(), time(0))));
            assert_eq!(tx.catalogue_targeting()?.declines, [], "an accepted licence takes nothing out of a scope");
            assert_eq!(flags.declined, None);
            Ok(())
        })
        .expect("reads");
    assert!(scratch.write(|tx| tx.update_accept_eula(update(1), "e2")), "a newer revision has another licence");
    assert!(scratch.store.read(|tx| tx.eula_is_accepted("e2")).expect("reads"));
}

#[test]
fn a_bundle_needs_the_files_of_all_its_members() {
    let scratch = Scratch::new();
    let mut top = software(1, 5);
    top.relationships.bundled = bundles(&[(2, 1), (99, 1)]);
    let mut middle = NewRevision { files: vec![file(2)], ..software(2, 1) };
    // A cycle, which no sound catalogue has, ends.
    middle.relationships.bundled = bundles(&[(3, 1), (1, 5)]);
    let licence = crate::revision::RevisionFile { eula_language: Some("en".to_owned()), ..file(4) };
    let leaf = NewRevision { files: vec![file(2), file(3), licence], ..software(3, 1) };
    let other = NewRevision { files: vec![file(9)], ..software(3, 2) };
    scratch.import(vec![top, middle, leaf, other]);
    let bundled = |number| scratch.store.read(|tx| tx.update_bundled_in(update(number))).expect("reads");
    assert_eq!(bundled(3), [UpdateIdentity::new(update(2), 1)]);
    assert_eq!((bundled(1), bundled(2)), (bundled(3), vec![UpdateIdentity::new(update(1), 5)]));
    let needed = |scratch: &Scratch| {
        let files =
            scratch.store.read(|tx| tx.deployment_files(update(1), None, &ContentPolicy::default())).expect("reads");
        files.into_iter().map(|file| (file.name.clone(), file.is_here())).collect::<Vec<_>>()
    };
    let names = |seeds: &[(u8, bool)]| seeds.iter().map(|(seed, here)| (file(*seed).name, *here)).collect::<Vec<_>>();
    assert_eq!(needed(&scratch), names(&[(2, false), (3, false), (4, false)]));

    let missing = |scratch: &Scratch| {
        let files = scratch.store.read(|tx| tx.deployment_files_missing(&ContentPolicy::default())).expect("reads");
        files.into_iter().map(|file| file.name).collect::<Vec<_>>()
    };
    assert!(missing(&scratch).is_empty(), "nothing is deployed");
    let detect = NewDeployment { action: DeploymentAction::Detect, ..deploy(3, CollectionId::ALL_COMPUTERS) };
    scratch.write(|tx| tx.deployment_create(&detect));
    assert!(missing(&scratch).is_empty(), "detection needs no file");
    let id = scratch.write(|tx| tx.deployment_create(&deploy(1, CollectionId::ALL_COMPUTERS)));
    assert_eq!(missing(&scratch), [file(2).name, file(3).name, file(4).name]);
    let policy = ContentPolicy::default();
    let waiting = |scratch: &Scratch| scratch.store.read(|tx| tx.deployments_waiting(&policy)).expect("reads");
    let idle = |scratch: &Scratch| scratch.store.read(|tx| tx.deployments_waiting_idle(&policy)).expect("reads");
    scratch.write(|tx| tx.deployment_set_active(id, true));
    assert_eq!(waiting(&scratch).get(&id).map(|(files, _)| *files), Some(3));
    assert!(idle(&scratch).is_empty(), "it goes out");
    scratch.write(|tx| tx.deployment_set_active(id, false));
    assert_eq!(idle(&scratch), waiting(&scratch));
    scratch.write(|tx| tx.content_file_put(&here(2)));
    scratch.write(|tx| tx.content_file_put(&ContentFileRow { state: ContentState::Quarantined, ..here(3) }));
    assert_eq!(missing(&scratch), [file(3).name, file(4).name]);
    let totals = ContentTotals { files: 1, bytes: here(2).size, quarantined: 1, lost: 0 };
    assert_eq!(scratch.store.read(|tx| tx.content_file_totals()).expect("reads"), totals);
    assert_eq!(needed(&scratch), names(&[(2, true), (3, false), (4, false)]));
    scratch.write(|tx| tx.update_decline(update(1)));
    assert!(missing(&scratch).is_empty(), "what is declined is not fetched");
}

#[test]
fn deployments_are_listed_in_pages() {
    let scratch = Scratch::new();
    scratch.import((1..=3).map(|number| software(number, 1)).collect());
    let all = CollectionId::ALL_COMPUTERS;
    scratch.write(|tx| {
        for number in 1..=3 {
            tx.deployment_create(&deploy(number, all))?;
        }
        tx.deployment_create(&deploy(1, CollectionId::UNASSIGNED_COMPUTERS))
    });
    let list = |filter: DeploymentFilter, cursor: Option<&str>, limit| {
        scratch.store.read(|tx| tx.deployment_list(&filter, cursor, limit)).expect("reads")
    };
    let page = list(DeploymentFilter::default(), None, 3);
    assert_eq!(page.items.iter().map(|row| row.id.0).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!((page.items[0].title.as_str(), page.items[0].collection_name.as_str()), ("Title 1", "All Computers"));
    let rest = list(DeploymentFilter::default(), page.next.as_deref(), 3);
    assert_eq!((rest.items[0].id.0, rest.items.len(), rest.next), (4, 1, None));
    let of_one = list(DeploymentFilter { update: Some(update(1)), ..DeploymentFilter::default() }, None, 10);
    assert_eq!(of_one.items.iter().map(|row| row.id.0).collect::<Vec<_>>(), [1, 4]);
    let both = list(
        DeploymentFilter { update: Some(update(1)), collection: Some(all), ..DeploymentFilter::default() },
        None,
        10,
    );
    assert_eq!(both.items.iter().map(|row| row.id.0).collect::<Vec<_>>(), [1]);
    let to_all = list(DeploymentFilter { collection: Some(all), ..DeploymentFilter::default() }, Some("1"), 1);
    assert_eq!((to_all.items[0].id.0, to_all.next.as_deref()), (2, Some("2")));
}

#[test]
fn a_changed_deployment_takes_a_change_number_once() {
    let scratch = Scratch::new();
    scratch.import(vec![software(70, 1)]);
    let id = scratch.write(|tx| tx.deployment_create(&deploy(70, CollectionId::ALL_COMPUTERS)));
    let show = || scratch.store.read(|tx| tx.deployment_show(id)).expect("reads").expect("there");
    let before = show();
    let change = |tx: &crate::WriteTx<'_>| tx.deployment_change(id, DeploymentAction::Detect, time(11), None);
    assert!(scratch.write(change));
    let after = show();
    assert_eq!((after.action, after.available_at, after.deadline_at), (DeploymentAction::Detect, time(11), None));
    assert_eq!((after.active, after.created_at), (before.active, before.created_at));
    assert!(after.change > before.change);
    assert!(!scratch.write(change));
    assert_eq!(show(), after);
    let none = scratch.store.write(&actor(0), |tx| tx.deployment_change(DeploymentId(99), after.action, time(0), None));
    assert!(matches!(none, Err(StoreError::Missing { .. })), "{none:?}");
}
