//! Drivers and printers (checklist 35 to 39, 42).

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    ids::{CollectionId, RevisionId},
    targeting::DeploymentAction,
    update::{CategoryKind, DriverMetadata},
};
use weir_testkit::{Computer, Document};
use weir_wire::{
    soap::Nillable,
    wusp::{Action, ComputerSpec, Device, InstalledDriver, SyncUpdateParameters, SystemSpec},
};

use crate::{
    asking::Asker,
    common::{Server, actor, id},
};

const ALL: CollectionId = CollectionId::ALL_COMPUTERS;
const DAY: i64 = 86_400_000;
/// The day of [`metadata`].
const DATE: i64 = 20_000 * DAY;
/// The version of [`metadata`].
const VERSION: u64 = 0x0001_0002_0003_0004;
/// The rank of a driver without a feature score.
const NO_SCORE: i32 = 0x00FF_0000;

/// A driver of the usual date and version for a hardware id.
pub(crate) fn metadata(hardware_id: &str) -> DriverMetadata {
    DriverMetadata {
        hardware_id: hardware_id.to_owned(),
        driver_date_ms: DATE,
        driver_version: VERSION,
        class: "Display".to_owned(),
        manufacturer: "Maker".to_owned(),
        provider: "Provider".to_owned(),
        model: "Model".to_owned(),
        company: "Company".to_owned(),
        ..DriverMetadata::default()
    }
}

/// A device without a driver.
pub(crate) fn device(hardware_ids: &[&str]) -> Device {
    Device {
        hardware_ids: hardware_ids.iter().map(|id| (*id).to_owned()).collect(),
        compatible_ids: Vec::new(),
        installed_driver: None,
        extension_drivers: Vec::new(),
        driver_recovery_ids: Vec::new(),
        device_flags: None,
    }
}

/// A device that has a driver of the usual date and version without a feature score.
fn equipped(hardware_ids: &[&str], matching: &str, change: impl FnOnce(&mut InstalledDriver)) -> Device {
    let mut driver = InstalledDriver {
        matching_id: Some(matching.to_owned()),
        driver_ver_date: Timestamp::from_millisecond(DATE).ok(),
        driver_ver_version: VERSION.cast_signed(),
        class: Some("{4d36e968-e325-11ce-bfc1-08002be10318}".to_owned()),
        manufacturer: Some("Maker".to_owned()),
        provider: Some("Provider".to_owned()),
        model: Some("Model".to_owned()),
        matching_computer_hwid: Nillable(None),
        driver_rank: NO_SCORE,
        skip_provider_filtering: None,
        is_generic: None,
    };
    change(&mut driver);
    Device { installed_driver: Some(driver), ..device(hardware_ids) }
}

/// Makes a driver pass of a computer with two computer hardware ids, on amd64.
pub(crate) fn driver_parameters(parameters: SyncUpdateParameters, devices: Vec<Device>) -> SyncUpdateParameters {
    SyncUpdateParameters {
        skip_software_sync: true,
        other_cached_update_ids: Vec::new(),
        system_spec: Some(SystemSpec::new(devices)),
        computer_spec: Some(ComputerSpec { hardware_ids: vec![computer(1), computer(2)] }),
        feature_score_matching_key: Some("AMD64.10.0".to_owned()),
        ..parameters
    }
}

fn computer(number: u128) -> Uuid {
    Uuid::from_u128(0xc0de_0000_0000_4000_8000_0000_0000_0000 | number)
}

fn driver(update: u128, entries: impl IntoIterator<Item = DriverMetadata>) -> Document {
    entries.into_iter().fold(Document::driver(id(update), 1), Document::driver_metadata)
}

/// What a computer with nothing cached is sent for these devices.
async fn offered(asker: &mut Asker, devices: &[Device]) -> Vec<u128> {
    let parameters = driver_parameters(SyncUpdateParameters::new(), devices.to_vec());
    asker.sync(parameters).await.fresh()
}

fn changed(change: impl FnOnce(&mut DriverMetadata)) -> DriverMetadata {
    let mut entry = metadata("A");
    change(&mut entry);
    entry
}

/// One difference decides, whichever came first, although every lower level speaks for the other.
#[tokio::test]
async fn c35_each_level_of_the_ranking_decides_alone() {
    type Change = fn(&mut DriverMetadata);
    // what makes the winner and what the loser; the place in the order of levels, from 0
    let levels: [(&str, usize, Change, Change); 9] = [
        (
            "a more specific computer",
            0,
            |it| it.target_computer_ids = vec![computer(1)],
            |it| it.target_computer_ids = vec![computer(2)],
        ),
        ("made for this computer", 0, |it| it.distribution_computer_ids = vec![computer(2)], |_| {}),
        (
            "the computers of both lists",
            0,
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
            "the feature score of this system",
            1,
            |it| it.feature_scores = vec![("amd64.10.0".to_owned(), 3)],
            |it| it.feature_scores = vec![("amd64.10.0".to_owned(), 4), ("x86.10.0".to_owned(), 0)],
        ),
        ("any feature score", 1, |it| it.feature_scores = vec![("Amd64.10.0".to_owned(), 254)], |_| {}),
        ("the hardware id", 2, |it| it.hardware_id.push_str("first"), |it| it.hardware_id.push_str("second")),
        (
            "the hardware id over a compatible one",
            2,
            |it| it.hardware_id.push_str("first"),
            |it| {
                it.hardware_id.push_str("compatible");
            },
        ),
        ("the date", 3, |it| it.driver_date_ms += DAY, |_| {}),
        // the highest number of a version counts most
        ("the version", 4, |it| it.driver_version = 0x0001_0003_0000_0000, |_| {}),
    ];
    let (mut documents, mut devices, mut winners) = (Vec::new(), Vec::new(), Vec::new());
    let mut next = 100;
    for (index, (_, level, better, worse)) in levels.iter().enumerate() {
        for winner_first in [true, false] {
            let base = format!("PCI\\{index}{winner_first}");
            let (mut winner, mut loser) = (metadata(&base), metadata(&base));
            if *level < 4 {
                loser.driver_version = 0x00FF_0000_0000_0000;
            }
            if *level < 3 {
                loser.driver_date_ms += 1_000 * DAY;
            }
            if *level < 2 {
                winner.hardware_id.push_str("second");
                loser.hardware_id.push_str("first");
            }
            if *level < 1 {
                loser.feature_scores = vec![("amd64.10.0".to_owned(), 0)];
            }
            better(&mut winner);
            worse(&mut loser);
            let pair = if winner_first { [winner, loser] } else { [loser, winner] };
            winners.push(if winner_first { next } else { next + 1 });
            for entry in pair {
                documents.push(driver(next, [entry]));
                next += 1;
            }
            // the order of the ids is what tells how specific they are, not their case
            let ids = [base.clone(), format!("{base}first"), format!("{base}second")].map(|id| id.to_uppercase());
            let mut device = device(&ids.each_ref().map(String::as_str));
            device.compatible_ids = vec![format!("{base}compatible")];
            devices.push(device);
        }
    }
    let server = Server::start().await;
    server.import(&documents).await;
    let mut asker = Asker::of(&server, 1).await;
    for ((name, ..), (devices, winners)) in levels.iter().zip(devices.chunks(2).zip(winners.chunks(2))) {
        assert_eq!(offered(&mut asker, devices).await, winners, "{name}");
    }
    assert_eq!(offered(&mut asker, &devices).await, winners, "all devices of one computer");
}

#[tokio::test]
async fn c35_ties_fall_through_to_the_newest_publication() {
    let server = Server::start().await;
    server.import(&[driver(10, [metadata("A")]), driver(11, [metadata("a")])]).await;
    let mut asker = Asker::of(&server, 1).await;
    assert_eq!(offered(&mut asker, &[device(&["A"])]).await, [11]);
    server.import(&[driver(9, [metadata("A")])]).await;
    assert_eq!(offered(&mut asker, &[device(&["A"])]).await, [9]);
}

#[tokio::test]
async fn c35_drivers_for_other_computers_and_closed_ones_are_no_candidates() {
    let server = Server::start().await;
    let elsewhere = changed(|it| it.target_computer_ids = vec![computer(9)]);
    let nowhere = changed(|it| {
        it.target_computer_ids = vec![computer(1)];
        it.distribution_computer_ids = vec![computer(2)];
    });
    let newest = changed(|it| it.driver_date_ms += DAY);
    server
        .import(&[
            Document::detectoid(id(1), 1),
            driver(10, [elsewhere]),
            driver(11, [nowhere]),
            driver(12, [newest]).requires(id(1)),
            driver(13, [metadata("A")]),
        ])
        .await;
    let mut asker = Asker::of(&server, 1).await;
    asker.software(&[], &[]).await;
    assert_eq!(offered(&mut asker, &[device(&["A"])]).await, [13]);
    let installed = asker.parameters(&[1], &[]);
    assert_eq!(asker.sync(driver_parameters(installed, vec![device(&["A"])])).await.fresh(), [12]);
}

#[tokio::test]
async fn c36_only_what_is_better_than_the_installed_driver() {
    let server = Server::start().await;
    let scored = |id: &str| DriverMetadata { feature_scores: vec![("amd64.10.0".to_owned(), 16)], ..metadata(id) };
    let targeted = |id: &str| DriverMetadata { target_computer_ids: vec![computer(2)], ..metadata(id) };
    server
        .import(&[driver(10, [metadata("PLAIN")]), driver(11, [scored("SCORED")]), driver(12, [targeted("TARGETED")])])
        .await;
    let mut asker = Asker::of(&server, 1).await;
    type Change = fn(&mut InstalledDriver);
    let yesterday: Change = |it| it.driver_ver_date = Timestamp::from_millisecond(DATE - DAY).ok();
    let ids = ["PLAIN", "SCORED", "TARGETED", "GENERIC"];
    let table: [(&str, &str, Change, bool); 17] = [
        ("PLAIN", "the same", |_| {}, false),
        ("PLAIN", "an older date", yesterday, true),
        ("PLAIN", "a newer date", |it| it.driver_ver_date = Timestamp::from_millisecond(DATE + DAY).ok(), false),
        ("PLAIN", "an older version", |it| it.driver_ver_version -= 1, true),
        ("PLAIN", "a newer version", |it| it.driver_ver_version += 1, false),
        (
            "PLAIN",
            "the date before the version",
            |it| {
                it.driver_ver_version -= 1;
                it.driver_ver_date = Timestamp::from_millisecond(DATE + DAY).ok();
            },
            false,
        ),
        (
            "PLAIN",
            "a better feature score",
            |it| {
                it.driver_rank = 0x0010_0000;
                it.driver_ver_date = Timestamp::from_millisecond(DATE - DAY).ok();
            },
            false,
        ),
        ("PLAIN", "a less specific id", |it| it.matching_id = Some("GENERIC".to_owned()), true),
        ("PLAIN", "an id of no device", |it| it.matching_id = Some("OTHER".to_owned()), true),
        (
            "PLAIN",
            "no MatchingID",
            |it| {
                // as agents send a device without a driver
                it.matching_id = None;
                it.driver_ver_date = "0001-01-01T00:00:00Z".parse().ok();
                it.driver_ver_version = 0;
                it.driver_rank = -1;
            },
            true,
        ),
        ("PLAIN", "made for this computer", |it| it.matching_computer_hwid = Nillable(Some(computer(2))), false),
        ("SCORED", "no score", |_| {}, true),
        ("SCORED", "the same score", |it| it.driver_rank = 0x0010_0000, false),
        (
            "SCORED",
            "the same score, older",
            |it| {
                it.driver_rank = 0x0010_FFFF;
                it.driver_ver_version -= 1;
            },
            true,
        ),
        ("SCORED", "a better score", |it| it.driver_rank = 0x000F_2000, false),
        ("TARGETED", "made for all", |_| {}, true),
        (
            "TARGETED",
            "made for the more specific computer",
            |it| {
                it.matching_computer_hwid = Nillable(Some(computer(1)));
                it.driver_ver_version = 0;
            },
            false,
        ),
    ];
    for (hardware, what, change, better) in table {
        let with = equipped(&[hardware, "GENERIC"], hardware, change);
        let expected = ids.iter().position(|id| *id == hardware).map(|place| 10 + place as u128).filter(|_| better);
        assert_eq!(offered(&mut asker, &[with]).await, Vec::from_iter(expected), "{hardware}, installed: {what}");
    }
    assert_eq!(
        offered(&mut asker, &[device(&["PLAIN"]), device(&["NOBODY"])]).await,
        [10],
        "a device without a driver"
    );
}

#[tokio::test]
async fn c37_printers_keep_their_maker() {
    let server = Server::start().await;
    let printer = |hardware: &str, providers: &[&str]| {
        let mut entry = metadata(hardware);
        entry.class = "Printer".to_owned();
        entry.driver_version += 1;
        entry.compatible_providers = providers.iter().map(|name| (*name).to_owned()).collect();
        entry
    };
    server.import(&[driver(10, [printer("P", &[])]), driver(11, [printer("Q", &["Another", "Third"])])]).await;
    let mut asker = Asker::of(&server, 1).await;
    type Change = fn(&mut InstalledDriver);
    let table: [(&str, Change, &[u128]); 8] = [
        ("P", |it| it.class = Some("Printer".to_owned()), &[10]),
        ("P", |it| (it.class, it.provider) = (Some("Printer".to_owned()), Some("Another".to_owned())), &[]),
        ("P", |it| (it.class, it.manufacturer) = (Some("Printer".to_owned()), Some("Another".to_owned())), &[]),
        // for other devices the maker does not matter
        ("P", |it| (it.provider, it.manufacturer) = (Some("Another".to_owned()), Some("Another".to_owned())), &[10]),
        ("Q", |it| (it.class, it.provider) = (Some("Printer".to_owned()), Some("third".to_owned())), &[11]),
        ("Q", |it| (it.class, it.provider) = (Some("printer".to_owned()), Some("Provider".to_owned())), &[11]),
        ("Q", |it| (it.class, it.provider) = (Some("Printer".to_owned()), Some("Fourth".to_owned())), &[]),
        // no better than what is there, whoever made it
        (
            "Q",
            |it| {
                it.class = Some("Printer".to_owned());
                it.driver_ver_version += 1;
            },
            &[],
        ),
    ];
    for (index, (hardware, change, expected)) in table.into_iter().enumerate() {
        assert_eq!(offered(&mut asker, &[equipped(&[hardware], hardware, change)]).await, expected, "row {index}");
    }
    assert_eq!(offered(&mut asker, &[device(&["P"])]).await, [10], "a printer without a driver has no maker yet");
}

#[tokio::test]
async fn c38_one_entry_names_all_devices_it_is_for() {
    let server = Server::start().await;
    let newer = changed(|it| {
        it.hardware_id = "C".to_owned();
        it.driver_version += 1;
    });
    server.import(&[driver(10, [metadata("A"), metadata("B"), metadata("C")]), driver(11, [newer])]).await;
    let mut asker = Asker::of(&server, 1).await;
    let devices = vec![device(&["A"]), device(&["X", "b"]), device(&["C"]), device(&["A"])];
    let answer = asker.sync(driver_parameters(SyncUpdateParameters::new(), devices.clone())).await;
    assert_eq!(answer.fresh(), [10, 11]);
    assert_eq!(answer.deployment(10).hardware_ids, ["A", "b"], "as the computer spells them, each once");
    assert_eq!(answer.deployment(11).hardware_ids, ["C"]);
    // before 1.6 nobody asked for them
    let mut old = Asker::speaking(&server, 2, "1.5").await;
    let answer = old.sync(driver_parameters(SyncUpdateParameters::new(), devices)).await;
    assert_eq!((answer.fresh(), answer.deployment(10).hardware_ids.len()), (vec![10, 11], 0));
}

#[tokio::test]
async fn c38_a_driver_that_is_no_longer_best_is_out_of_scope() {
    let server = Server::start().await;
    server.import(&[driver(10, [metadata("A")])]).await;
    let mut asker = Asker::of(&server, 1).await;
    assert_eq!(offered(&mut asker, &[device(&["A"])]).await, [10]);
    let again = |asker: &Asker, cached: &[u128], device: Device| {
        let mut parameters = driver_parameters(SyncUpdateParameters::new(), vec![device]);
        parameters.cached_driver_ids = asker.rids(cached);
        parameters.need_two_group_out_of_scope_updates = None;
        parameters
    };
    let parameters = again(&asker, &[10], device(&["A"]));
    assert!(asker.sync(parameters).await.is_quiet());
    server.import(&[driver(11, [changed(|it| it.driver_version += 1)])]).await;
    let parameters = again(&asker, &[10], device(&["A"]));
    let answer = asker.sync(parameters).await;
    assert_eq!((answer.fresh(), answer.gone()), (vec![11], vec![10]));
    // installed: nothing is needed any more
    let parameters = again(&asker, &[11], equipped(&["A"], "A", |it| it.driver_ver_version += 1));
    assert_eq!(asker.sync(parameters).await.gone(), [11]);
}

#[tokio::test]
async fn c39_driver_sync_is_not_needed_iff_no_driver_is_in_the_filtered_scope() {
    let server = Server::start().await;
    let product = |update| Document::category(id(update), 1, CategoryKind::Product);
    server
        .import(&[
            product(1),
            product(2),
            Document::software(id(10), 1).in_category(id(1)),
            driver(11, [metadata("A")]).in_category(id(2)),
        ])
        .await;
    let thin = server.collection("Thin").await;
    server.state.store.write(&actor(), |tx| tx.collection_set_approved_only(thin, true)).expect("approved only");
    server.publish().await;
    let mut asker = Asker::of(&server, 1).await;
    let mut thin_one = Asker::of(&server, 2).await;
    thin_one.software(&[], &[]).await;
    server.join(&thin_one.agent, thin).await;

    // in both passes alike; what the computer has installed and which devices it has does not matter
    async fn says(asker: &mut Asker, filter: &[u128]) -> [Option<String>; 2] {
        let software = asker.filtered(filter, &[], &[]);
        let drivers = driver_parameters(asker.filtered(filter, &[], &[]), vec![device(&["NOBODY"])]);
        [asker.sync(software).await, asker.sync(drivers).await].map(|answer| answer.info.driver_sync_not_needed)
    }
    let both = |text: &str| [Some(text.to_owned()), Some(text.to_owned())];
    assert_eq!(says(&mut asker, &[]).await, both("false"));
    assert_eq!(says(&mut asker, &[1]).await, both("true"));
    assert_eq!(says(&mut asker, &[2]).await, both("false"));
    assert_eq!(says(&mut asker, &[1, 2]).await, both("false"));
    assert_eq!(says(&mut thin_one, &[]).await, both("true"), "no driver was deployed to it");
    server.deploy(id(11), thin, DeploymentAction::Install).await;
    assert_eq!(says(&mut thin_one, &[]).await, both("false"));
    server.decline(id(11)).await;
    assert_eq!(says(&mut asker, &[]).await, both("true"));
    assert_eq!(says(&mut thin_one, &[]).await, both("true"));
}

#[tokio::test]
async fn c39_rank_minus_one_with_a_matching_id_is_a_driver() {
    let server = Server::start().await;
    server.import(&[driver(10, [metadata("A")])]).await;
    let mut asker = Asker::of(&server, 1).await;
    let equal = equipped(&["A"], "A", |it| it.driver_rank = -1);
    assert_eq!(offered(&mut asker, &[equal]).await, [], "of unknown rank, but no worse");
    let older = equipped(&["A"], "A", |it| (it.driver_rank, it.driver_ver_version) = (-1, 1));
    assert_eq!(offered(&mut asker, &[older]).await, [10]);
    let none = equipped(&["A"], "A", |it| (it.driver_rank, it.matching_id) = (-1, None));
    assert_eq!(offered(&mut asker, &[none]).await, [10]);
}

#[tokio::test]
async fn c42_the_printer_catalogue() {
    let server = Server::start().await;
    let printer = |hardware: &str| DriverMetadata { class: "Printer".to_owned(), ..metadata(hardware) };
    server
        .import(&[
            Document::detectoid(id(1), 1),
            driver(10, [printer("P")]),
            driver(11, [printer("Q")]).requires(id(1)),
            driver(12, [metadata("A")]),
            Document::software(id(13), 1),
            driver(14, [printer("R")]),
        ])
        .await;
    server.decline(id(14)).await;
    let mut asker = Asker::of(&server, 1).await;
    asker.software(&[], &[]).await;
    // all printer drivers that its prerequisites open, whatever its devices
    let answer = asker.printers(&[], &[]).await;
    assert_eq!((answer.fresh(), answer.action(10)), (vec![10], Action::PreDeploymentCheck));
    let answer = asker.printers(&[1], &[10]).await;
    assert_eq!((answer.fresh(), answer.gone(), answer.changed()), (vec![11], vec![], vec![]));
    assert!(asker.printers(&[1], &[10, 11]).await.is_quiet());
    assert_eq!(asker.printers(&[], &[10, 11]).await.gone(), [11]);
    let missing = RevisionId(1_000_000);
    let request = weir_wire::wusp::SyncPrinterCatalog {
        cookie: asker.agent.state.cookie.clone(),
        installed_non_leaf_update_ids: Vec::new(),
        printer_update_ids: vec![missing],
    };
    let answer = asker.agent.call(&request).await.expect("answer").result.expect("result");
    assert_eq!(answer.out_of_scope_revision_ids, [missing]);
}

#[tokio::test]
async fn c42_printers_have_an_anchor_of_their_own() {
    let server = Server::start().await;
    let printer = DriverMetadata { class: "Printer".to_owned(), ..metadata("P") };
    server.import(&[Document::software(id(1), 1), driver(10, [printer])]).await;
    let mut asker = Asker::of(&server, 1).await;
    let drivers = |asker: &Asker| {
        let mut parameters = driver_parameters(SyncUpdateParameters::new(), vec![device(&["P"])]);
        parameters.cached_driver_ids = asker.rids(&[10]);
        parameters
    };
    // every pass gets its first anchor
    asker.software(&[], &[]).await;
    asker.printers(&[], &[]).await;
    let parameters = drivers(&asker);
    asker.sync(parameters).await;

    server.deploy(id(10), ALL, DeploymentAction::Install).await;
    server.deploy(id(1), ALL, DeploymentAction::Install).await;
    assert_eq!(asker.software(&[], &[1]).await.changed(), [1]);
    let parameters = drivers(&asker);
    assert_eq!(asker.sync(parameters).await.changed(), [10]);
    assert_eq!(asker.printers(&[], &[10]).await.changed(), [10], "the other passes did not swallow it");
    assert!(asker.printers(&[], &[10]).await.is_quiet());

    // and the printer catalogue swallows nothing of theirs
    server.decline(id(1)).await;
    server.import(&[Document::software(id(2), 1)]).await;
    let fresh = asker.software(&[], &[1]).await;
    assert_eq!((fresh.fresh(), fresh.gone()), (vec![2], vec![1]));
    server.deploy(id(2), ALL, DeploymentAction::Install).await;
    assert!(asker.printers(&[], &[10]).await.is_quiet());
    assert_eq!(asker.software(&[], &[2]).await.changed(), [2]);
}

#[tokio::test]
async fn the_scripted_agent_keeps_the_best_driver() {
    let server = Server::start().await;
    server
        .import(&[
            Document::detectoid(id(1), 1),
            driver(10, [metadata("A")]).requires(id(1)),
            driver(11, [metadata("B")]),
        ])
        .await;
    server.deploy(id(10), ALL, DeploymentAction::Install).await;
    let computer = Computer {
        devices: vec![device(&["A"]), device(&["C"])],
        feature_score_key: Some("AMD64.10.0".to_owned()),
        ..Computer::numbered(1)
    };
    let mut asker = Asker::playing(&server, computer).await;
    let outcome = asker.scan().await;
    assert!(!outcome.driver_sync_not_needed);
    assert_eq!(outcome.drivers, outcome.offered);
    assert_eq!(asker.cached(), [1, 10]);
    let again = asker.scan().await;
    assert_eq!((again.drivers.len(), again.changed.len(), again.out_of_scope.len()), (0, 0, 0));
}
