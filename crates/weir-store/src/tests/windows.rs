//! Maintenance windows, and what the engine is told of times.

use uuid::Uuid;
use weir_model::{
    ids::{ChangeNumber, CollectionId},
    targeting::{CollectionKind, DeploymentAction, DeploymentOrigin},
    window::{Window, WindowKind},
};

use super::{Scratch, software, time, update};
use crate::{
    collection::NewCollection,
    deployment::{Deployed, NewDeployment},
    intent::IntentKind,
};

const RING: CollectionId = CollectionId(Uuid::from_u128(7));

fn window(name: &str, schedule: &str) -> Window {
    let recurrence = schedule.parse().expect("a schedule");
    Window::new(name, recurrence, 240, WindowKind::SoftwareUpdates).expect("a window")
}

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    let kind = CollectionKind::TargetGroup;
    scratch.write(|tx| tx.collection_create(&NewCollection { id: RING, name: "Ring".to_owned(), parent: None, kind }));
    scratch
}

#[test]
fn windows_come_back_as_they_went_in_and_travel() {
    let scratch = scratch();
    let id = Uuid::from_u128(1);
    let mut saturday = window("Saturday", "monthly second tuesday +4 at 22:00 from 2026-12-01");
    scratch.write(|tx| tx.window_put(id, RING, &saturday, DeploymentOrigin::Local));
    let row = scratch.store.read(|tx| tx.window_show(id)).expect("reads").expect("is there");
    assert_eq!((row.window, row.collection, row.origin), (saturday.clone(), RING, DeploymentOrigin::Local));
    let found = scratch.store.read(|tx| tx.window_find(RING, " SATURDAY ")).expect("reads");
    assert_eq!(found.map(|row| row.id), Some(id));
    saturday.enabled = false;
    scratch.write(|tx| tx.window_put(id, RING, &saturday, DeploymentOrigin::Parent));
    let rows = scratch.store.read(|tx| tx.window_list()).expect("reads");
    assert_eq!(rows.len(), 1);
    assert!(!rows[0].window.enabled && rows[0].origin == DeploymentOrigin::Parent && rows[0].change > row.change);
    let object = |deleted: bool| {
        let rows = scratch.store.read(|tx| tx.intent_of_kind(IntentKind::MaintenanceWindow)).expect("reads");
        assert_eq!(
            rows.iter().map(|row| (row.id.clone(), row.deleted)).collect::<Vec<_>>(),
            [(format!("{:032x}", 1), deleted)]
        );
        rows[0].change
    };
    let before = object(false);
    assert!(scratch.write(|tx| tx.window_delete(id)));
    assert!(object(true) > before);
    assert!(!scratch.write(|tx| tx.window_delete(id)));
}

#[test]
fn one_name_a_collection_and_windows_go_with_it() {
    let scratch = scratch();
    let saturday = window("Saturday", "weekly saturday at 22:00 UTC");
    scratch.write(|tx| tx.window_put(Uuid::from_u128(1), RING, &saturday, DeploymentOrigin::Local));
    let same = window("SATURDAY", "daily at 01:00");
    let second = scratch
        .store
        .write(&super::actor(0), |tx| tx.window_put(Uuid::from_u128(2), RING, &same, DeploymentOrigin::Local));
    assert!(second.is_err());
    scratch.write(|tx| tx.collection_delete(RING));
    assert_eq!(scratch.store.read(|tx| tx.window_list()).expect("reads"), []);
    let gone = scratch.store.read(|tx| tx.intent_of_kind(IntentKind::MaintenanceWindow)).expect("reads");
    assert!(gone.iter().all(|row| row.deleted) && gone.len() == 1);
}

#[test]
fn another_run_time_is_a_change_of_the_deployment_and_a_zone_one_of_the_directory() {
    let scratch = scratch();
    scratch.import(vec![software(70, 1), software(71, 1)]);
    for number in [70, 71] {
        scratch.write(|tx| {
            tx.deployment_create(&NewDeployment {
                guid: Uuid::from_u128(number),
                deployed: Deployed::Update { id: update(number), revision: None },
                collection: RING,
                action: DeploymentAction::Install,
                available_at: time(10),
                deadline_at: Some(time(1000)),
                origin: DeploymentOrigin::Local,
                active: true,
                terms: weir_model::deployment::Terms::default(),
            })
        });
    }
    let changes = || -> Vec<(u32, ChangeNumber)> {
        let rows = scratch.store.read(|tx| tx.catalogue_targeting()).expect("reads").deployments;
        rows.into_iter().map(|row| (row.run_minutes, row.changed)).collect()
    };
    let before = changes();
    let run = |sql: &str| scratch.execute(sql, &[]);
    run("UPDATE updates SET run_time_minutes = 60");
    assert_eq!(changes(), before);
    run("UPDATE updates SET run_time_minutes = 120
         WHERE update_no = (SELECT update_no FROM deployment ORDER BY deployment_id LIMIT 1)");
    let after = changes();
    assert_eq!((after[0].0, after[1]), (120, before[1]));
    assert!(after[0].1 > before[1].1);
    run("UPDATE deployment SET local_time = 1, hold_until_window = 1");
    let rows = scratch.store.read(|tx| tx.catalogue_targeting()).expect("reads").deployments;
    assert!(rows.iter().all(|row| row.timing.local_time && row.timing.hold_until_window && row.available == time(10)));
    let local = scratch.store.read(|tx| tx.deployments_in_local_time()).expect("reads");
    assert_eq!(local.len(), 2);

    run("INSERT INTO computer (computer_id, dns_name, search, plain_http, first_contact_at, last_contact_at)
         VALUES ('c', 'c', 'c', 0, 0, 0)");
    let version = || scratch.store.read(|tx| tx.computer_directory_version()).expect("reads");
    let known = version();
    run("UPDATE computer SET time_zone = 'Asia/Kathmandu'");
    assert!(version() > known);
    let directory = scratch.store.read(|tx| tx.computer_directory()).expect("reads");
    assert_eq!(directory[0].time_zone.as_deref(), Some("Asia/Kathmandu"));
    let zones = || scratch.store.read(|tx| tx.computer_time_zones()).expect("reads");
    assert_eq!(zones(), [(directory[0].no, "Asia/Kathmandu".to_owned())]);
    run("UPDATE computer SET time_zone = NULL");
    assert!(zones().is_empty());
}
