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
use weir_testkit::wsdl;
use weir_wire::wusp::Operation;

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
        assert!(new > 1_000 && trips < 200, "{new} in {trips} calls");
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
        assert!(few >= 3 && few < 1_000, "{few}");
        let categories = vec![unknown];
        player.options = RoundOptions::detection(Arc::new(Options { categories, ..Options::default() }));
        let round = player.good_round().await;
        assert_eq!(round.scan.unknown_categories, [unknown]);
    });
}

#[test]
fn a_scan_goes_on_after_the_server_was_killed_between_pages() {
    let mut server = server();
    json(&server, &["import", &genuine_package()]);
    let address = server.client_url().trim_start_matches("http://").to_owned();
    server.set_arguments(&["--client-http", &address]);
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

#[test]
fn requests_and_answers_are_valid_by_the_service_descriptions() {
    let server = server();
    json(&server, &["import", &genuine_package()]);
    let folder = tempfile::tempdir().expect("a folder");
    let answers = folder.path().join("answers");
    fs::create_dir_all(&answers).expect("a folder");
    let requests: Arc<Mutex<Vec<(Operation, String)>>> = Arc::default();
    let mut player = Player::new(&server, 1);
    player.options.scan =
        Arc::new(Options { categories: vec![shelf(&server).product], extended: Extended::Shown, ..Options::default() });
    let (log, target) = (Arc::clone(&requests), answers.clone());
    player.link.set_tap(Some(Tap::new(move |operation, request, answer| {
        let mut log = log.lock().expect("sound");
        log.push((operation, request.to_owned()));
        let service = match operation.service() {
            weir_wire::wusp::Service::Client => "ClientWebService",
            weir_wire::wusp::Service::Reporting => "ReportingWebService",
            weir_wire::wusp::Service::SimpleAuth => "SimpleAuth",
        };
        fs::write(target.join(format!("{:06}.{service}.{operation}.xml", log.len())), answer).expect("written");
    })));
    run(player.good_round());
    wsdl::validate(&answers);
    let requests = requests.lock().expect("sound");
    let kinds: std::collections::BTreeSet<Operation> = requests.iter().map(|(operation, _)| *operation).collect();
    assert!(kinds.len() >= 7, "{kinds:?}");
}
