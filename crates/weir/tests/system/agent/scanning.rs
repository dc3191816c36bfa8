//! Scans of the genuine catalogue.

use std::{
    fs,
    sync::{Arc, Mutex},
};

use weir_agent::{
    agent::RoundOptions,
    failure::Code,
    link::Tap,
    scan::{Extended, Options},
};
use weir_model::applicability::facts::{Device, InstalledDriver};
use weir_testkit::{Document, WeirProcess, process::lasting_address, replay::native_scan, wsdl};
use weir_wire::wusp::{Operation, Service};

use super::Player;
use crate::{genuine_package, json, run, server, shelf};

#[test]
fn a_first_scan_of_the_genuine_catalogue_and_the_next() {
    let server = server();
    json(&server, &["import", &genuine_package()]);
    let shelf = shelf(&server);
    run(async {
        let mut player = Player::new(&server, 1);
        let round = player.good_round().await;
        let (trips, new) = (round.scan.trips, round.scan.new);
        assert!(new > 500 && trips < 200, "{new} in {trips} calls");
        assert_eq!(player.state.cache.len(), new);
        assert_eq!(round.scan.unreadable, []);
        assert_eq!(round.reported, 2);
        let assessment = weir_agent::assess::Assessment::new(&player.state.cache);
        let installed = |id| {
            let at = assessment.position(id).expect("delivered");
            assessment.installed(at) == weir_agent::library::Holds::Yes
        };
        assert!(installed(shelf.product), "it is Windows 10");
        assert!(shelf.chain.iter().all(|id| installed(*id)));
        // nothing changed: one call of the software loop, one driver pass, and the report
        player.link.take_traffic();
        let round = player.good_round().await;
        assert_eq!((round.scan.new, round.scan.out_of_scope, round.scan.changed), (0, 0, 0));
        let traffic = player.link.take_traffic();
        let calls: Vec<_> = traffic.iter().map(|(operation, traffic)| (*operation, traffic.calls)).collect();
        assert_eq!(calls, [(Operation::SyncUpdates, 2), (Operation::ReportEventBatch, 1)]);
    });
    let computers = json(&server, &["computers", "list"]);
    assert_eq!(computers["items"][0]["name"], "pc1.example.test", "{computers}");
}

#[test]
fn a_category_scan_brings_what_is_related() {
    let server = server();
    json(&server, &["import", &genuine_package()]);
    let shelf = shelf(&server);
    run(async {
        let mut player = Player::new(&server, 1);
        let unknown = crate::id(77);
        let categories = vec![shelf.product];
        player.options = RoundOptions::detection(Arc::new(Options { categories, ..Options::default() }));
        let round = player.good_round().await;
        assert_eq!(round.scan.filter, [shelf.product]);
        let few = player.state.cache.len();
        assert!((3..1_000).contains(&few), "{few}");
        let categories = vec![unknown];
        player.options = RoundOptions::detection(Arc::new(Options { categories, ..Options::default() }));
        let round = player.good_round().await;
        assert_eq!(round.scan.unknown_categories, [unknown]);
    });
}

#[test]
fn a_scan_goes_on_after_the_server_was_killed_between_pages() {
    let address = lasting_address();
    let start = WeirProcess::start_with(env!("CARGO_BIN_EXE_weir"), None, &["--client-http", &address]);
    let mut server = start.expect("a server");
    json(&server, &["import", &genuine_package()]);
    let mut player = Player::new(&server, 1);
    let round = {
        let mut watch = |_: &weir_agent::exchange::Request, outcome: &weir_agent::scan::ScanOutcome, _: &mut _| {
            if outcome.trips == 6 && outcome.new > 0 {
                let _ = server.kill();
            }
        };
        run(player.round_watched(&mut watch))
    };
    let code = round.problem.expect("the server is gone").code;
    assert!([Code::CANNOT_CONNECT, Code::CONNECTION_ABORTED].contains(&code), "{code}");
    assert!(round.report_problem.is_some(), "nobody hears of it");
    assert_eq!(player.state.events.iter().map(|event| event.event).collect::<Vec<_>>(), [148]);
    let came = player.state.cache.len();
    assert_eq!(came, round.scan.new);
    server.restart().expect("it starts again");
    run(async {
        let round = player.good_round().await;
        assert_eq!(player.state.cache.len(), came + round.scan.new, "what came before is kept");
        let mut other = Player::new(&server, 2);
        other.good_round().await;
        assert_eq!(player.known(), other.known(), "as if nothing had happened");
    });
}

/// Names of the elements of a request with those around them, in the order of their first appearance.
fn form(request: &str) -> Vec<String> {
    let (mut path, mut found): (Vec<&str>, Vec<String>) = (Vec::new(), Vec::new());
    for tag in request.split('<').skip(1) {
        let tag = tag.split('>').next().expect("a tag");
        if tag.starts_with('/') {
            path.pop();
            continue;
        }
        path.push(tag.trim_end_matches('/').split(' ').next().expect("a name"));
        let whole = path.join("/");
        if !found.contains(&whole) {
            found.push(whole);
        }
        if tag.ends_with('/') {
            path.pop();
        }
    }
    found
}

/// Differences in form from the recorded native requests that are known, as (part of a path, why).
const ALLOWED: [(&str, &str); 11] = [
    ("/Device/CompatibleIDs", "the device of this test has none"),
    ("/Device/DeviceFlags", "facts do not say which device is not Plug and Play"),
    ("/Device/extensionDrivers", "facts have no extension drivers"),
    ("/installedDriver/Manufacturer", "only the recorded printers have it"),
    ("/installedDriver/Provider", "the same"),
    ("/installedDriver/Model", "the same"),
    ("/installedDriver/SkipProviderFiltering", "facts do not say it, and no server needs it"),
    ("/installedDriver/IsGeneric", "the same"),
    ("/OtherCachedUpdateIDs", "recorded scans had nothing cached that is a leaf or not installed"),
    ("/InstalledNonLeafUpdateIDs", "the recorded first driver pass had few"),
    ("/ComputerSpec/HardwareIDs", "the facts of this test have no hardware ids of the computer"),
];

fn is_allowed(element: &str) -> bool {
    ALLOWED.iter().any(|(part, _)| element.contains(part))
}

#[test]
fn requests_have_the_form_of_recorded_ones_and_answers_are_valid() {
    let server = server();
    json(&server, &["import", &genuine_package()]);
    let folder = tempfile::tempdir().expect("a folder");
    let answers = folder.path().join("answers");
    fs::create_dir_all(&answers).expect("a folder");
    let shelf = shelf(&server);
    let update = Document::software(crate::id(1), 1).title("Needed").in_category(shelf.product);
    let update = update.installable_if("<lar:True />");
    crate::write_documents(&folder.path().join("documents"), [&update]);
    json(&server, &["import", folder.path().join("documents").to_str().expect("UTF-8")]);
    let requests: Arc<Mutex<Vec<(Operation, String)>>> = Arc::default();
    let mut player = Player::new(&server, 1);
    player.pc.memory.set_devices(vec![Device {
        hardware_ids: vec!["PCI\\VEN_8086".into()],
        driver: Some(InstalledDriver {
            matching_id: "PCI\\VEN_8086".into(),
            class: "Net".into(),
            version: 1 << 48,
            rank: 0x00FF_0000,
            ..InstalledDriver::default()
        }),
        ..Device::default()
    }]);
    player.options.scan =
        Arc::new(Options { categories: vec![shelf.product], extended: Extended::Shown, ..Options::default() });
    let (log, target) = (Arc::clone(&requests), answers.clone());
    player.link.set_tap(Some(Tap::new(move |operation, request, answer| {
        let mut log = log.lock().expect("sound");
        log.push((operation, request.to_owned()));
        let service = match operation.service() {
            Service::Client => "ClientWebService",
            Service::Reporting => "ReportingWebService",
            Service::SimpleAuth => "SimpleAuth",
        };
        fs::write(target.join(format!("{:06}.{service}.{operation}.xml", log.len())), answer).expect("written");
    })));
    let round = run(player.good_round());
    assert_eq!(round.scan.filter, [shelf.product]);
    let requests = requests.lock().expect("sound");
    let mut order: Vec<&str> = requests.iter().map(|(operation, _)| operation.name()).collect();
    order.dedup();
    let native = [
        "GetConfig",
        "GetAuthorizationCookie",
        "GetCookie",
        "RegisterComputer",
        "StartCategoryScan",
        "SyncUpdates",
        "GetExtendedUpdateInfo",
        "ReportEventBatch",
    ];
    assert_eq!(order, native, "the native sequence");
    let of = |name: &str| -> Vec<&str> {
        let sent = requests.iter().filter(|(operation, _)| operation.name() == name);
        sent.map(|(_, text)| text.as_str()).collect()
    };
    let sync = of("SyncUpdates");
    for exchange in native_scan() {
        let ours = match exchange.number {
            6 => sync[0],
            7 | 8 => sync[1],
            9 => sync[sync.len() - 1],
            _ => of(&exchange.operation)[0],
        };
        let (recorded, ours) = (form(&exchange.request), form(ours));
        let name = format!("{} {}", exchange.number, exchange.operation);
        let without = |one: &[String], other: &[String]| -> Vec<String> {
            one.iter().filter(|element| !other.contains(element) && !is_allowed(element)).cloned().collect()
        };
        assert_eq!(without(&recorded, &ours), Vec::<String>::new(), "{name}: not in ours");
        assert_eq!(without(&ours, &recorded), Vec::<String>::new(), "{name}: not in the recorded one");
        let common = |one: &[String], other: &[String]| -> Vec<String> {
            one.iter().filter(|element| other.contains(element)).cloned().collect()
        };
        assert_eq!(common(&ours, &recorded), common(&recorded, &ours), "{name}: the order");
    }
    drop(requests);
    wsdl::validate(&answers);
}
