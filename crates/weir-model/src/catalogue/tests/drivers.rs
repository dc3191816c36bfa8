//! The driver pass and the printer catalogue: every level of the ranking by itself.

use uuid::Uuid;

use super::build::{Build, deployment, detectoid, driver, rids, uid};
use crate::{
    catalogue::{
        Device, DriverQuery, InstalledDriver, InstalledExtension, PageLimits, PrinterQuery, Scratch, Snapshot,
        SyncPlan, WireAction,
    },
    ids::{ChangeNumber, CollectionId, RevisionId},
    targeting::DeploymentAction,
    update::DriverMetadata,
};

const DAY: i64 = 86_400_000;

fn entry(hardware_id: &str) -> DriverMetadata {
    DriverMetadata {
        hardware_id: hardware_id.to_owned(),
        driver_date_ms: 100 * DAY,
        driver_version: 100,
        ..DriverMetadata::default()
    }
}

fn device(ids: &[&str]) -> Device {
    Device { hardware_ids: ids.iter().map(|it| (*it).to_owned()).collect(), ..Device::default() }
}

fn computer(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A request of a computer with ids 1 and 2, most specific first, on amd64.
fn ask(snapshot: &Snapshot, devices: &[Device]) -> SyncPlan {
    let computer_ids = [computer(1), computer(2)];
    let query = DriverQuery {
        devices,
        computer_ids: &computer_ids,
        feature_key: Some("AMD64.10.0"),
        anchor: Some(ChangeNumber(1)),
        ..DriverQuery::default()
    };
    snapshot.drivers(&snapshot.scope(&[]), &query, &PageLimits::default(), &mut Scratch::default())
}

fn best(snapshot: &Snapshot, devices: &[Device]) -> Vec<i32> {
    ask(snapshot, devices).new.iter().map(|it| it.id.0).collect()
}

type Change = fn(&mut DriverMetadata);

/// (35) One difference decides, in both orders of publication, and although every lower level speaks for the other.
#[test]
fn each_level_of_the_ranking_decides() {
    let levels: [(&str, Change, Change); 8] = [
        (
            "a more specific computer",
            |it| it.target_computer_ids = vec![computer(1)],
            |it| it.target_computer_ids = vec![computer(2)],
        ),
        ("a targeted over an untargeted one", |it| it.distribution_computer_ids = vec![computer(2)], |_| {}),
        (
            "what is in both lists",
            |it| {
                it.target_computer_ids = vec![computer(1), computer(2)];
                it.distribution_computer_ids = vec![computer(1)];
            },
            |it| {
                it.target_computer_ids = vec![computer(1), computer(2)];
                it.distribution_computer_ids = vec![computer(2)];
            },
        ),
        (
            "the feature score",
            |it| it.feature_scores = vec![("amd64.10.0".to_owned(), 3)],
            |it| {
                it.feature_scores = vec![("amd64.10.0".to_owned(), 4), ("x86.10.0".to_owned(), 0)];
            },
        ),
        ("a feature score over none", |it| it.feature_scores = vec![("Amd64.10.0".to_owned(), 254)], |_| {}),
        ("the hardware id", |it| it.hardware_id = "pci\\a".to_owned(), |it| it.hardware_id = "PCI\\B".to_owned()),
        ("the date", |it| it.driver_date_ms = 101 * DAY, |_| {}),
        ("the version", |it| it.driver_version = 101, |_| {}),
    ];
    for (place, (what, better, worse)) in levels.iter().enumerate() {
        let (mut winner, mut loser) = (entry("PCI\\A"), entry("PCI\\A"));
        // the lower levels speak for the loser
        if place < 7 {
            loser.driver_version = 999;
        }
        if place < 6 {
            loser.driver_date_ms = 999 * DAY;
        }
        if place < 5 {
            winner.hardware_id = "PCI\\B".to_owned();
        }
        if place < 3 {
            loser.feature_scores = vec![("amd64.10.0".to_owned(), 0)];
        }
        better(&mut winner);
        worse(&mut loser);
        let device = device(&["PCI\\A", "PCI\\B"]);
        let first = Build::with([driver(1, vec![winner.clone()]), driver(2, vec![loser.clone()])]).snapshot();
        assert_eq!(best(&first, std::slice::from_ref(&device)), [1], "{what}");
        let last = Build::with([driver(1, vec![loser]), driver(2, vec![winner])]).snapshot();
        assert_eq!(best(&last, &[device]), [2], "{what}");
    }
}

#[test]
fn equals_go_to_the_newest_publication() {
    let snapshot = Build::with([driver(1, vec![entry("A")]), driver(2, vec![entry("A")])]).snapshot();
    assert_eq!(best(&snapshot, &[device(&["A"])]), [2]);
}

#[test]
fn compatible_ids_come_after_hardware_ids() {
    let mut generic = entry("GENERIC");
    generic.driver_date_ms = 999 * DAY;
    let snapshot = Build::with([driver(1, vec![entry("A")]), driver(2, vec![generic])]).snapshot();
    let mut device = device(&["A"]);
    device.compatible_ids = vec!["generic".to_owned()];
    assert_eq!(best(&snapshot, std::slice::from_ref(&device)), [1]);
    device.hardware_ids.clear();
    assert_eq!(best(&snapshot, &[device]), [2]);
}

#[test]
fn drivers_for_other_computers_are_no_candidates() {
    let mut other = entry("A");
    other.target_computer_ids = vec![computer(9)];
    let mut nowhere = entry("A");
    nowhere.target_computer_ids = vec![computer(1)];
    nowhere.distribution_computer_ids = vec![computer(2)];
    let snapshot = Build::with([driver(1, vec![other]), driver(2, vec![nowhere])]).snapshot();
    assert_eq!(best(&snapshot, &[device(&["A"])]), [0_i32; 0]);
    assert!(!ask(&snapshot, &[device(&["A"])]).driver_sync_not_needed);
}

fn installed(change: impl FnOnce(&mut InstalledDriver)) -> Device {
    let mut driver = InstalledDriver {
        matching_id: Some("pci\\a".to_owned()),
        date_ms: 100 * DAY,
        version: 100,
        rank: 0x00FF_0000,
        ..InstalledDriver::default()
    };
    change(&mut driver);
    Device { installed: Some(driver), ..device(&["PCI\\A", "PCI\\B"]) }
}

/// (36, 39) Nothing unless it is better than what is installed.
#[test]
fn the_installed_driver_competes() {
    let offered = |change: fn(&mut InstalledDriver)| {
        let snapshot = Build::with([driver(1, vec![entry("PCI\\A")])]).snapshot();
        !best(&snapshot, &[installed(change)]).is_empty()
    };
    assert!(!offered(|_| {}), "the same");
    assert!(!offered(|it| it.version = 101));
    assert!(offered(|it| it.version = 99));
    assert!(!offered(|it| (it.date_ms, it.version) = (101 * DAY, 0)));
    assert!(offered(|it| (it.date_ms, it.version) = (99 * DAY, 999)));
    assert!(offered(|it| (it.matching_id, it.date_ms) = (Some("PCI\\B".to_owned()), 999 * DAY)));
    assert!(!offered(|it| (it.rank, it.date_ms) = (0x0010_0000, 0)), "a better feature score");
    assert!(!offered(|it| (it.matching_computer_id, it.date_ms) = (Some(computer(2)), 0)), "made for this computer");
    // no driver: no MatchingID, as recorded with rank -1
    assert!(offered(|it| *it = InstalledDriver { rank: -1, ..InstalledDriver::default() }));
    // rank -1 alone is a driver of unknown rank
    assert!(!offered(|it| it.rank = -1));
    assert!(offered(|it| (it.rank, it.version) = (-1, 99)));
    let snapshot = Build::with([driver(1, vec![entry("PCI\\A")])]).snapshot();
    assert_eq!(best(&snapshot, &[device(&["PCI\\A"])]), [1], "no driver");
}

/// (37)
#[test]
fn printers_stay_with_their_maker() {
    let mut made = entry("PCI\\A");
    made.manufacturer = "Acme".to_owned();
    made.provider = "Acme Printing".to_owned();
    made.compatible_providers = vec!["Old Acme".to_owned()];
    made.driver_version = 200;
    let snapshot = Build::with([driver(1, vec![made])]).snapshot();
    let offered = |class: &str, manufacturer: &str, provider: &str| {
        let device = installed(|it| {
            it.class = class.to_owned();
            it.manufacturer = manufacturer.to_owned();
            it.provider = provider.to_owned();
        });
        !best(&snapshot, &[device]).is_empty()
    };
    assert!(offered("Printer", "ACME", "acme printing"));
    assert!(offered("Printer", "Acme", "Old Acme"));
    assert!(!offered("Printer", "Acme", "Microsoft"));
    assert!(!offered("printer", "Microsoft", "Acme Printing"));
    assert!(!offered("{4D36E979-E325-11CE-BFC1-08002BE10318}", "Microsoft", "Microsoft"));
    assert!(offered("{4d36e97d-e325-11ce-bfc1-08002be10318}", "Microsoft", "Microsoft"));
}

/// (38) One entry for all devices that a revision is best for, with those ids only.
#[test]
fn hardware_ids_name_the_devices() {
    let mut newer = entry("C");
    newer.driver_date_ms = 500 * DAY;
    let both = driver(1, vec![entry("A"), entry("B"), entry("C")]);
    let snapshot = Build::with([both, driver(2, vec![newer])]).snapshot();
    let plan = ask(&snapshot, &[device(&["x", "a"]), device(&["B"]), device(&["c"]), device(&["A"])]);
    let ids: Vec<_> = plan.new.iter().map(|it| (it.id.0, it.deployment.hardware_ids.join(","))).collect();
    assert_eq!(ids, [(1, "a,B".to_owned()), (2, "c".to_owned())]);
    assert!(plan.new.iter().all(|it| it.deployment.action == WireAction::PreDeploymentCheck));
}

#[test]
fn prerequisites_gate_drivers_and_cached_ones_change_and_go() {
    let mut build = Build::with([
        detectoid(1),
        driver(2, vec![entry("A")]).needs(1),
        driver(3, vec![entry("B")]),
        driver(4, vec![entry("Z")]),
    ]);
    build.deploy(deployment(8, 3, CollectionId::ALL_COMPUTERS, DeploymentAction::Install));
    let snapshot = build.snapshot();
    let devices = [device(&["A"]), device(&["B"])];
    assert_eq!(best(&snapshot, &devices), [3]);
    let (have, cached) = (rids(&[1]), rids(&[3, 4, 77]));
    let query = DriverQuery {
        installed: &have,
        cached: &cached,
        devices: &devices,
        anchor: Some(ChangeNumber(1)),
        two_groups: true,
        ..DriverQuery::default()
    };
    let plan = snapshot.drivers(&snapshot.scope(&[]), &query, &PageLimits::default(), &mut Scratch::default());
    assert_eq!(plan.new.iter().map(|it| it.id.0).collect::<Vec<_>>(), [2]);
    assert_eq!(plan.changed.len(), 1);
    assert_eq!(plan.changed[0].deployment.action, WireAction::Install);
    assert_eq!(plan.changed[0].deployment.hardware_ids, ["B"]);
    assert_eq!(plan.deployed_out_of_scope, rids(&[4]));
    assert_eq!(plan.out_of_scope, rids(&[77]));
    assert_eq!(plan.anchor, snapshot.change());
}

/// (39)
#[test]
fn without_drivers_in_scope_the_pass_only_clears_the_cache() {
    let mut build = Build::with([driver(1, vec![entry("A")])]);
    build.decline(1, true);
    let snapshot = build.snapshot();
    let cached = rids(&[1]);
    let query = DriverQuery { cached: &cached, devices: &[device(&["A"])], ..DriverQuery::default() };
    let plan = snapshot.drivers(&snapshot.scope(&[]), &query, &PageLimits::default(), &mut Scratch::default());
    assert!(plan.driver_sync_not_needed && plan.new.is_empty());
    assert_eq!(plan.out_of_scope, rids(&[1]));
}

/// Extension drivers stand beside the base driver.
#[test]
fn extensions_do_not_compete_with_base_drivers() {
    let extension = |version| DriverMetadata {
        class: "{E2F84CE7-8EFA-411C-AA69-97454CA4CB57}".to_owned(),
        driver_version: version,
        ..entry("PCI\\A")
    };
    let snapshot = Build::with([
        driver(1, vec![entry("PCI\\A")]),
        driver(2, vec![extension(900), extension(901)]),
        driver(3, vec![extension(500)]),
    ])
    .snapshot();
    assert_eq!(best(&snapshot, &[device(&["PCI\\A"])]), [1, 2, 3]);
    // the base driver and one extension are installed
    let mut device = installed(|_| {});
    let there = InstalledExtension { date_ms: 100 * DAY, version: 901, ..InstalledExtension::default() };
    device.extensions.push(there);
    assert_eq!(best(&snapshot, &[device]), [3]);
}

/// (42) All printer drivers in scope whose prerequisites are met, with an anchor of their own.
#[test]
fn the_printer_catalogue_is_all_printers() {
    let printer = || DriverMetadata { class: "Printer".to_owned(), ..entry("LPT\\A") };
    let mut build = Build::with([
        detectoid(1),
        driver(2, vec![printer()]).needs(1),
        driver(3, vec![printer()]),
        driver(4, vec![entry("PCI\\A")]),
    ]);
    build.deploy(deployment(5, 3, CollectionId::ALL_COMPUTERS, DeploymentAction::Optional));
    let snapshot = build.snapshot();
    let ask = |installed: &[i32], cached: &[i32], anchor| {
        let (installed, cached) = (rids(installed), rids(cached));
        let query = PrinterQuery { installed: &installed, cached: &cached, anchor, ..PrinterQuery::default() };
        snapshot.printers(&snapshot.scope(&[]), &query, &PageLimits::default(), &mut Scratch::default())
    };
    let ids = |plan: &SyncPlan| plan.new.iter().map(|it| it.id).collect::<Vec<_>>();
    assert_eq!(ids(&ask(&[], &[], None)), [RevisionId(3)]);
    assert_eq!(ids(&ask(&[1], &[], None)), [RevisionId(2), RevisionId(3)]);
    let later = ask(&[], &[2, 3], Some(ChangeNumber(1)));
    assert_eq!(later.out_of_scope, rids(&[2]));
    assert_eq!(later.changed.len(), 1);
    assert!(ask(&[], &[3], Some(later.anchor)).changed.is_empty());
    assert_eq!(snapshot.live(uid(3)), Some(RevisionId(3)));
}
