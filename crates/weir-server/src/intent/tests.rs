mod versions;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;
use weir_model::{
    criteria::Rule,
    ids::{CollectionId, UpdateId},
    targeting::{CollectionKind, DeploymentAction, DeploymentOrigin},
    update::Severity,
    window::{Window, WindowKind},
};
use weir_store::{
    Actor, Options, Store, StoreError, WriteTx,
    client_settings::ClientSettings,
    collection::NewCollection,
    deployment::{Deployed, DeploymentFilter},
    intent::DeploymentIntent,
    membership::CollectionDefinition,
    saved_search::SavedSearch,
    selection::SelectionKind,
    update_setting::UpdateSetting,
};

use super::*;

struct Site {
    store: Store,
    _folder: TempDir,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = weir_testkit::engine::database(folder.path());
        let options = Options { database, ..Options::default() };
        Self { store: Store::open(folder.path(), &options).expect("opens"), _folder: folder }
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
        terms: Some(weir_model::deployment::Terms {
            name: Some(format!("Deployment of {update}")),
            outside_windows: matches!(action, DeploymentAction::Install),
            ..Default::default()
        }),
    }
}

fn rule(name: &str) -> Rule {
    let text = json!({ "name": name, "action": "decline", "condition": { "titles": ["*preview*"] } });
    serde_json::from_value(text).expect("a rule")
}

fn laptops() -> ClientSettings {
    ClientSettings {
        id: id(95),
        name: "Laptops".to_owned(),
        description: "On the road".to_owned(),
        priority: 1,
        settings: BTreeMap::from([("restart.minutes".to_owned(), "60".to_owned())]),
        collections: BTreeSet::from([CollectionId(id(2))]),
    }
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
    tx.client_settings_put(&laptops(), DeploymentOrigin::Local)?;
    let search = SavedSearch {
        name: "Junk".to_owned(),
        filter: Some("title ~ \"preview\" and not declined".to_owned()),
        ..SavedSearch::default()
    };
    tx.saved_search_put(id(86), &search, DeploymentOrigin::Local)?;
    tx.update_group_put(id(80), "March", &[UpdateId(id(61)), UpdateId(id(62))])?;
    tx.update_group_describe(id(80), "of the spring")?;
    tx.update_stop_put(UpdateId(id(62)), "it breaks printing")?;
    let template = weir_model::deployment::Template { deadline: Some("+7d".to_owned()), ..Default::default() };
    tx.template_put(id(86), "Weekly", &template, DeploymentOrigin::Local)?;
    let severe = UpdateSetting { custom_severity: Some(Severity::Critical), ..UpdateSetting::default() };
    tx.update_setting_put(UpdateId(id(61)), UpdateSetting { run_time_minutes: 30, run_time_set: true, ..severe })?;
    tx.update_setting_put(UpdateId(id(62)), severe)?;
    for update in 61..63 {
        tx.update_intern(UpdateId(id(update)))?;
    }
    // it refers to one that changed after it
    for number in [30, 31] {
        tx.collection_create(&NewCollection {
            kind: CollectionKind::Rule,
            ..collection(number, &format!("By rule {number}"), None)
        })?;
    }
    let both = CollectionDefinition {
        rule: Some(format!("server and collection = {}", CollectionId(id(31)))),
        named: [CollectionId(id(31))].into(),
        includes: [CollectionId::UNASSIGNED_COMPUTERS].into(),
        excludes: [CollectionId(id(1))].into(),
        limiting: Some(CollectionId(id(31))),
    };
    tx.collection_define(CollectionId(id(30)), &both)?;
    let simple = CollectionDefinition { rule: Some("needed > 0".to_owned()), ..CollectionDefinition::default() };
    tx.collection_define(CollectionId(id(31)), &simple)?;
    tx.collection_set_description(CollectionId(id(31)), Some("Those that need something"))?;
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

#[test]
fn rules_of_collections_travel_and_are_checked_where_they_arrive() {
    let (top, below) = (Site::new(), Site::new());
    top.write(fill);
    let (objects, _) = top.export(0);
    let of =
        |number: u128| objects.iter().find(|object| object.id == id(number).to_string()).expect("exported").clone();
    assert_eq!((of(30).version, of(1).version), (2, 1), "earlier versions go on hearing of target groups");
    let alone = below.apply(&[of(30)], Origin::Parent);
    assert!(alone.refused[0].reason.contains("refers to"), "{alone:?}");
    assert_eq!(below.apply(&objects, Origin::Parent).refused, []);
    let read = |number| below.store.read(move |tx| tx.collection_definition(CollectionId(id(number)))).expect("reads");
    let definition = read(30).expect("by rule");
    assert_eq!(definition.named, [CollectionId(id(31))].into(), "from the rule");
    assert_eq!(read(31).expect("by rule").rule.as_deref(), Some("needed > 0"));

    let with = |number: u128, change: &dyn Fn(&mut Value)| {
        let mut object = of(number);
        change(&mut object.body["more"]);
        below.apply(&[object], Origin::Parent)
    };
    let circle = with(31, &|more| more["includes"] = json!([id(30)]));
    assert!(circle.refused[0].reason.contains("circle"), "{circle:?}");
    for (field, wrong) in [("rule", json!("os ~")), ("rule", json!("collection ~ a")), ("limiting", json!(id(99)))] {
        let applied = with(31, &|more| more[field] = wrong.clone());
        assert_eq!(applied.refused.len(), 1, "{field} {wrong}: {applied:?}");
    }
    assert_eq!(read(31).expect("by rule").rule.as_deref(), Some("needed > 0"), "nothing is half applied");

    // a replica mirrors groups by a protocol that knows no rules
    let mirrored = Site::new();
    mirrored.write(|tx| tx.collection_create(&collection(31, "By rule 31", None)).map(drop));
    assert_eq!(mirrored.apply(&objects, Origin::Parent).refused, []);
    assert_eq!(mirrored.decided(), below.decided());
    let bundle = Site::new();
    bundle.write(|tx| tx.collection_create(&collection(31, "By rule 31", None)).map(drop));
    assert!(!bundle.apply(&[of(31)], Origin::Bundle).refused.is_empty(), "what was made here stays");
}

type Step<'s> = &'s dyn Fn(&WriteTx<'_>) -> Result<(), StoreError>;

#[test]
fn changes_and_deletions_follow_one_by_one_or_all_at_once() {
    let (top, follower) = (Site::new(), Site::new());
    top.write(fill);
    let (objects, mut at) = top.export(0);
    follower.apply(&objects, Origin::Bundle);
    let steps: [Step<'_>; 10] = [
        &|tx| tx.update_undecline(UpdateId(id(60))).map(drop),
        &|tx| tx.setting_delete("targeting").map(drop),
        &|tx| tx.criterion_delete(id(85)).map(drop),
        &|tx| tx.update_group_put(id(80), "March", &[UpdateId(id(62)), UpdateId(id(63))]).map(drop),
        &|tx| tx.client_settings_move(id(95), 3).map(drop),
        &|tx| {
            tx.update_stop_remove(UpdateId(id(62)))?;
            tx.template_delete(id(86)).map(drop)
        },
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
    assert_eq!(
        refused,
        ["setting", "collection", "client_settings", "deployment", "deployment", "deployment"],
        "{applied:?}"
    );
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
fn client_settings_of_the_parent_keep_their_places_and_local_ones_make_room() {
    let (top, replica) = (Site::new(), Site::new());
    top.write(fill);
    replica.write(|tx| {
        let own = ClientSettings { id: id(96), name: "LAPTOPS".to_owned(), collections: BTreeSet::new(), ..laptops() };
        tx.client_settings_put(&own, DeploymentOrigin::Local)
    });
    assert_eq!(replica.apply(&top.export(0).0, Origin::Parent).refused, []);
    let rows = replica.store.read(|tx| tx.client_settings_list()).expect("reads");
    let shown: Vec<_> = rows.iter().map(|row| (row.set.name.as_str(), row.set.priority, row.origin)).collect();
    assert_eq!(shown, [("Laptops", 1, DeploymentOrigin::Parent), ("LAPTOPS (local)", 2, DeploymentOrigin::Local)]);
    let object = |body| Object {
        kind: "client_settings".to_owned(),
        version: 1,
        id: id(97).to_string(),
        change: 1,
        deleted: false,
        body,
    };
    let good = json!({ "name": "New", "description": "", "priority": 4, "settings": {}, "collections": [] });
    for (field, value) in [
        ("name", json!(" ")),
        ("description", json!("x".repeat(2_000))),
        ("priority", json!(0)),
        ("priority", json!(5_000)),
        ("settings", json!({ "restart.minutes": "no number" })),
        ("settings", json!({ "Restart.Minutes": "5" })),
        ("settings", json!({ "unheard.of": "5" })),
        ("settings", json!({ "restart.minutes": "5", "restart.countdown_minutes": "6" })),
        ("collections", json!([id(77)])),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let applied = replica.apply(&[object(body.clone())], Origin::Parent);
        assert_eq!((applied.applied, applied.refused.len()), (0, 1), "{body}");
    }
    assert_eq!(replica.apply(&[object(good)], Origin::Parent).applied, 1);
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

#[test]
fn maintenance_windows_travel_with_their_collections() {
    let (top, below) = (Site::new(), Site::new());
    let ring = collection(1, "Ring", None);
    let window = |name: &str, minutes| {
        let recurrence = "monthly second tuesday +4 at 22:00 from 2026-12-01".parse().expect("a schedule");
        Window::new(name, recurrence, minutes, WindowKind::SoftwareUpdates).expect("a window")
    };
    top.write(|tx| {
        tx.collection_create(&ring)?;
        tx.window_put(id(10), ring.id, &window("Saturday", 240), DeploymentOrigin::Local)
    });
    // one of the same name was made below before: it keeps its times under another name
    below.write(|tx| {
        tx.collection_create(&ring)?;
        tx.window_put(id(11), ring.id, &window("saturday", 60), DeploymentOrigin::Local)
    });
    let sent = top.export(0).0;
    let bundle = below.apply(&sent, Origin::Bundle);
    assert!(bundle.refused.iter().any(|refused| refused.kind == "maintenance_window"), "{bundle:?}");
    let applied = below.apply(&sent, Origin::Parent);
    assert_eq!(applied.refused, [], "{applied:?}");
    let rows = below.store.read(|tx| tx.window_list()).expect("reads");
    let found: Vec<_> = rows.iter().map(|row| (row.window.name(), row.window.minutes(), row.origin)).collect();
    assert_eq!(found, [("Saturday", 240, DeploymentOrigin::Parent), ("Saturday (local)", 60, DeploymentOrigin::Local)]);
    let again = below.apply(&sent, Origin::Parent);
    assert_eq!(again.applied, 0, "{again:?}");

    let object = |body| Object {
        kind: "maintenance_window".to_owned(),
        version: 1,
        id: id(12).to_string(),
        change: 1,
        deleted: false,
        body,
    };
    let good = json!({ "collection": id(1), "name": "W", "recurrence": "daily at 01:00", "minutes": 60,
        "kind": "all_deployments", "enabled": true });
    for (key, value) in [
        ("collection", json!(id(99))),
        ("collection", json!(CollectionId::ALL_COMPUTERS)),
        ("name", json!("")),
        ("recurrence", json!("sometimes")),
        ("minutes", json!(4)),
        ("colour", json!("red")),
    ] {
        let mut body = good.clone();
        body[key] = value;
        let applied = below.apply(&[object(body.clone())], Origin::Parent);
        assert_eq!((applied.applied, applied.refused.len()), (0, 1), "{body}");
    }
    top.write(|tx| tx.window_delete(id(10)));
    below.apply(&top.export(0).0, Origin::Parent);
    assert_eq!(below.store.read(|tx| tx.window_list()).expect("reads").len(), 1);
}
