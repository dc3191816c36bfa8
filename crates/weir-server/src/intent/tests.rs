use jiff::Timestamp;
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;
use weir_model::{
    criteria::Rule,
    ids::{CollectionId, UpdateId},
    targeting::{CollectionKind, DeploymentAction, DeploymentOrigin},
};
use weir_store::{
    Actor, Options, Store, StoreError, WriteTx,
    collection::NewCollection,
    deployment::{Deployed, DeploymentFilter},
    intent::DeploymentIntent,
    selection::SelectionKind,
};

use super::*;

struct Site {
    store: Store,
    _folder: TempDir,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { store: Store::open(folder.path(), &Options::default()).expect("opens"), _folder: folder }
    }

    fn write<T>(&self, work: impl FnOnce(&WriteTx<'_>) -> Result<T, StoreError>) -> T {
        self.store.write(&Actor::system("test", Timestamp::UNIX_EPOCH), work).expect("writes")
    }

    fn export(&self, since: u64) -> (Vec<Object>, u64) {
        let (mut all, mut at) = (Vec::new(), since);
        loop {
            let page = self.store.read(|tx| export_since(tx, &Kind::ALL, at)).expect("reads");
            all.extend(page.objects);
            at = page.upto;
            if !page.more {
                return (all, at);
            }
        }
    }

    fn apply(&self, objects: &[Object], origin: Origin) -> Applied {
        self.write(|tx| apply(tx, objects, origin))
    }

    /// What is decided here, in the order of ids and without change numbers, which are each site's own.
    fn decided(&self) -> Vec<Object> {
        let mut objects = self.export(0).0;
        // nothing selected is how every site begins
        objects.retain(|object| !object.deleted && object.body != json!({ "values": [] }));
        objects.sort_by_key(|object| (object.kind.clone(), object.id.clone()));
        objects.into_iter().map(|object| Object { change: 0, ..object }).collect()
    }
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(0xfeed_0000_0000_4000_8000_0000_0000_0000 | number)
}

fn collection(number: u128, name: &str, parent: Option<u128>) -> NewCollection {
    NewCollection {
        id: CollectionId(id(number)),
        name: name.to_owned(),
        parent: parent.map(|number| CollectionId(id(number))),
        kind: CollectionKind::TargetGroup,
    }
}

fn deployment(update: u128, collection: CollectionId, action: DeploymentAction) -> DeploymentIntent {
    DeploymentIntent {
        deployed: Deployed::Update { id: UpdateId(id(update)), revision: None },
        collection,
        action,
        available_at: Timestamp::UNIX_EPOCH,
        deadline_at: None,
        enabled: true,
        guid: id(0xdead_0000 | update),
    }
}

fn rule(name: &str) -> Rule {
    let text = json!({ "name": name, "action": "decline", "condition": { "titles": ["*preview*"] } });
    serde_json::from_value(text).expect("a rule")
}

/// A bit of everything.
fn fill(tx: &WriteTx<'_>) -> Result<(), StoreError> {
    tx.setting_put("targeting", &json!("client"))?;
    tx.setting_put("content.url", &json!("http://here.example"))?;
    tx.selection_set(SelectionKind::Products, &[id(50).to_string(), id(51).to_string()])?;
    tx.selection_set(SelectionKind::Languages, &["de".to_owned()])?;
    tx.collection_create(&collection(1, "Outer", None))?;
    tx.collection_create(&collection(2, "Inner", Some(1)))?;
    tx.collection_set_approved_only(CollectionId(id(2)), true)?;
    // changed after what is nested in it, so that its object comes later
    tx.collection_rename(CollectionId(id(1)), "Outermost")?;
    tx.collection_set_approved_only(CollectionId::UNASSIGNED_COMPUTERS, true)?;
    tx.update_decline(UpdateId(id(60)))?;
    tx.update_accept_eula(UpdateId(id(61)), &id(70).to_string())?;
    tx.criterion_put(id(85), &rule("No previews"), DeploymentOrigin::Local)?;
    tx.update_group_put(id(80), "March", &[UpdateId(id(61)), UpdateId(id(62))])?;
    for update in 61..63 {
        tx.update_intern(UpdateId(id(update)))?;
    }
    let inner = CollectionId(id(2));
    tx.deployment_put(&deployment(61, inner, DeploymentAction::Install), DeploymentOrigin::Local)?;
    tx.deployment_put(&deployment(62, CollectionId::ALL_COMPUTERS, DeploymentAction::Block), DeploymentOrigin::Local)?;
    tx.deployment_put(
        &DeploymentIntent {
            deployed: Deployed::Group(id(80)),
            guid: id(90),
            ..deployment(0, inner, DeploymentAction::Optional)
        },
        DeploymentOrigin::Local,
    )?;
    Ok(())
}

#[test]
fn what_one_site_decides_is_so_at_another_and_applying_it_again_changes_nothing() {
    for origin in [Origin::Bundle, Origin::Parent] {
        let (top, below) = (Site::new(), Site::new());
        top.write(fill);
        let (objects, _) = top.export(0);
        let applied = below.apply(&objects, origin);
        assert_eq!(applied.refused, []);
        assert_eq!(applied.unknown_kinds, []);
        assert_eq!(applied.applied, objects.len() as u64);
        assert_eq!(below.decided(), top.decided());
        assert_eq!(below.store.read(|tx| tx.setting_show("content.url")).expect("reads"), None, "each site's own");
        let version = below.store.read(|tx| tx.catalogue_version()).expect("reads");
        let again = below.apply(&objects, origin);
        assert_eq!((again.applied, again.unchanged), (0, objects.len() as u64), "{again:?}");
        assert_eq!(below.store.read(|tx| tx.catalogue_version()).expect("reads"), version);
        let deployments = below.store.read(|tx| tx.deployment_list(&DeploymentFilter::default(), None, 100));
        for row in deployments.expect("reads").items {
            assert_eq!((row.origin, row.active), (DeploymentOrigin::Parent, false));
        }
    }
}

type Step<'s> = &'s dyn Fn(&WriteTx<'_>) -> Result<(), StoreError>;

#[test]
fn changes_and_deletions_follow_one_by_one_or_all_at_once() {
    let (top, follower) = (Site::new(), Site::new());
    top.write(fill);
    let (objects, mut at) = top.export(0);
    follower.apply(&objects, Origin::Bundle);
    let steps: [Step<'_>; 7] = [
        &|tx| tx.update_undecline(UpdateId(id(60))).map(drop),
        &|tx| tx.setting_delete("targeting").map(drop),
        &|tx| tx.criterion_delete(id(85)).map(drop),
        &|tx| {
            let group = tx.deployment_of(Deployed::Group(id(80)), CollectionId(id(2)))?.expect("there");
            tx.deployment_delete(group)?;
            tx.update_group_delete(id(80)).map(drop)
        },
        &|tx| {
            let of = Deployed::Update { id: UpdateId(id(61)), revision: None };
            tx.deployment_delete(tx.deployment_of(of, CollectionId(id(2)))?.expect("there"))?;
            tx.collection_delete(CollectionId(id(2)))
        },
        // the name of what went is free again
        &|tx| tx.collection_create(&collection(3, "Inner", Some(1))).map(drop),
        &|tx| tx.selection_set(SelectionKind::Languages, &[]),
    ];
    for step in steps {
        top.write(step);
        let (objects, now) = top.export(at);
        at = now;
        let applied = follower.apply(&objects, Origin::Bundle);
        assert_eq!(applied.refused, []);
        assert_eq!(follower.decided(), top.decided());
    }
    let fresh = Site::new();
    assert_eq!(fresh.apply(&top.export(0).0, Origin::Bundle).refused, []);
    assert_eq!(fresh.decided(), top.decided());
    // whoever missed everything in between gets there, too
    let late = Site::new();
    late.apply(&objects, Origin::Parent);
    assert_eq!(late.apply(&top.export(0).0, Origin::Parent).refused, []);
    assert_eq!(late.decided(), top.decided());
}

#[test]
fn a_bundle_does_not_overrule_what_was_decided_here_and_a_parent_does() {
    let top = Site::new();
    top.write(fill);
    let (objects, _) = top.export(0);
    let decide = |tx: &WriteTx<'_>| {
        tx.setting_put("targeting", &json!("server"))?;
        tx.collection_create(&collection(7, "INNER", None))?;
        tx.update_intern(UpdateId(id(62)))?;
        tx.deployment_put(
            &deployment(62, CollectionId::ALL_COMPUTERS, DeploymentAction::Install),
            DeploymentOrigin::Local,
        )?;
        Ok(())
    };
    let alone = Site::new();
    alone.write(decide);
    let applied = alone.apply(&objects, Origin::Bundle);
    let refused: Vec<&str> = applied.refused.iter().map(|refused| refused.kind.as_str()).collect();
    // the collection, and what is deployed to it
    assert_eq!(refused, ["setting", "collection", "deployment", "deployment", "deployment"], "{applied:?}");
    assert!(applied.refused[1].reason.contains("INNER") || applied.refused[1].reason.contains("Inner"));
    assert_eq!(alone.store.read(|tx| tx.setting_show("targeting")).expect("reads").expect("set").value, "server");

    let replica = Site::new();
    replica.write(decide);
    assert_eq!(replica.apply(&objects, Origin::Parent).refused, []);
    let kept = replica.store.read(|tx| tx.collection_show(CollectionId(id(7)))).expect("reads").expect("kept");
    assert_eq!(kept.name, "INNER (local)");
    let mut decided = replica.decided();
    decided.retain(|object| object.id != id(7).to_string());
    assert_eq!(decided, top.decided());
}

#[test]
fn what_is_not_understood_is_told_and_nothing_else_suffers() {
    let site = Site::new();
    let object = |kind: &str, version, id: &str, body| Object {
        kind: kind.to_owned(),
        version,
        id: id.to_owned(),
        change: 1,
        deleted: false,
        body,
    };
    let applied = site.apply(
        &[
            object("window", 1, "x", json!({})),
            object("window", 1, "y", json!({})),
            object("decline", 2, &id(1).to_string(), json!({})),
            object("decline", 1, &id(2).to_string(), json!({ "except": "Mondays" })),
            object("decline", 1, "no guid", json!({})),
            object("setting", 1, "content.url", json!({ "value": "http://elsewhere" })),
            object("setting", 1, "page.entries", json!({ "value": 0 })),
            object("selection", 1, "languages", json!({ "values": ["klingon"] })),
            object("selection", 1, "products", json!({ "values": ["../.."] })),
            object(
                "collection",
                1,
                &id(3).to_string(),
                json!({ "name": "A", "parent": id(4), "kind": "target_group",
                "approved_only": false, "time_zone": null }),
            ),
            object(
                "collection",
                1,
                &id(5).to_string(),
                json!({ "name": "B", "parent": id(5), "kind": "target_group",
                "approved_only": false, "time_zone": null }),
            ),
            object(
                "collection",
                1,
                &id(6).to_string(),
                json!({ "name": "C", "parent": null, "kind": "target_group",
                "approved_only": false, "time_zone": "Moon/Base" }),
            ),
            object("decline", 1, &id(9).to_string(), json!({})),
        ],
        Origin::Parent,
    );
    assert_eq!((applied.applied, applied.unchanged), (1, 0), "{applied:?}");
    let unknown: Vec<_> =
        applied.unknown_kinds.iter().map(|one| (one.kind.as_str(), one.version, one.objects)).collect();
    assert_eq!(unknown, [("window", 1, 2), ("decline", 2, 1)]);
    assert_eq!(applied.refused.len(), 9, "{applied:?}");
    assert!(applied.refused.iter().all(|refused| !refused.reason.is_empty()));
    assert!(site.store.read(|tx| tx.update_flags(UpdateId(id(9)))).expect("reads").declined.is_some());
}

#[test]
fn every_setting_that_the_top_decides_exists() {
    for key in TOP_SETTINGS {
        assert_eq!(crate::admin::setting::checked(key, &json!([])), None);
        let known = crate::admin::setting::known().contains(key);
        assert!(known, "{key}");
    }
    assert!(TOP_SETTINGS.is_sorted());
}
