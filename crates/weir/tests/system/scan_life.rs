//! Scans that meet a power cut or another server half way, with the genuine catalogue.

use std::collections::BTreeSet;

use weir_model::ids::RevisionId;
use weir_testkit::{Computer, Document, WeirProcess};
use weir_wire::{
    soap::ErrorCode,
    wusp::{SyncInfo, SyncUpdateParameters, SyncUpdates},
};

use super::{agent, genuine_package, id, json, run, server, write_documents};

/// A computer to which everything applies and that names all of it.
fn willing(number: u64) -> Computer {
    Computer { installed_limit: 4_000, ..Computer::numbered(number) }
}

/// What is in no cache yet comes once.
fn note(cached: &mut BTreeSet<RevisionId>, info: &SyncInfo) {
    assert_eq!(info.out_of_scope_revision_ids, [], "what came before is still known");
    for update in &info.new_updates {
        assert!(cached.insert(update.id), "{} came twice", update.id);
    }
}

#[test]
fn a_scan_goes_on_when_the_server_is_killed_between_its_pages() {
    let mut server = server();
    json(&server, &["import", &genuine_package()]);
    json(&server, &["settings", "set", "page.entries", "15"]);
    let mut agent = agent(&server, willing(1));
    let mut cached: BTreeSet<RevisionId> = BTreeSet::new();
    run(async { agent.handshake().await.expect("a cookie") });
    let ask = async |agent: &mut weir_testkit::ScriptedAgent, cached: &BTreeSet<RevisionId>| {
        let mut parameters = SyncUpdateParameters::new();
        parameters.other_cached_update_ids = cached.iter().copied().collect();
        let request = SyncUpdates { cookie: agent.state.cookie.clone(), parameters: Some(parameters) };
        let info = agent.call(&request).await.expect("an answer").result.expect("a result");
        agent.state.cookie.clone_from(&info.new_cookie);
        info
    };
    for page in 1..=3 {
        let info = run(ask(&mut agent, &cached));
        assert_eq!((info.new_updates.len(), info.truncated), (15, true), "page {page}");
        note(&mut cached, &info);
        server.kill().expect("killed");
        server.restart().expect("it starts again");
        agent.move_to(&server.client_url()).expect("an address");
    }
    // with the cookie of before; nothing is left of the connection, and nothing of the server's memory was needed
    json(&server, &["settings", "set", "page.entries", "200"]);
    let rest = run(ask(&mut agent, &cached));
    assert!(!rest.truncated);
    note(&mut cached, &rest);

    let mut whole = super::agent(&server, willing(2));
    let first = run(ask_first(&mut whole));
    assert_eq!(cached, first.new_updates.iter().map(|update| update.id).collect(), "as if nothing had happened");
}

/// The first call of a computer.
async fn ask_first(agent: &mut weir_testkit::ScriptedAgent) -> SyncInfo {
    agent.handshake().await.expect("a cookie");
    let request = SyncUpdates { cookie: agent.state.cookie.clone(), parameters: Some(SyncUpdateParameters::new()) };
    agent.call(&request).await.expect("an answer").result.expect("a result")
}

#[test]
fn a_computer_that_moves_to_another_server_converges() {
    let (here, there) = (server(), server());
    let folder = tempfile::tempdir().expect("a folder");
    let own = [1, 2, 3].map(|number| Document::software(id(number), 1).title("An update"));
    write_documents(folder.path(), &own);
    let own_folder = folder.path().to_str().expect("UTF-8");
    let deploy = |server: &WeirProcess, update: &Document| {
        let update = update.id().to_string();
        let arguments = ["deployments", "create", "--update", &update, "--collection", "All Computers"];
        json(server, &[&arguments[..], &["--action", "install"]].concat());
    };
    json(&here, &["import", &genuine_package()]);
    json(&here, &["import", own_folder]);
    deploy(&here, &own[0]);
    // the same, under other numbers; less one, and something else deployed
    json(&there, &["import", own_folder]);
    json(&there, &["import", &genuine_package()]);
    json(&there, &["updates", "decline", &own[1].id().to_string()]);
    deploy(&there, &own[2]);

    run(async {
        let mut agent = agent(&here, willing(1));
        assert_eq!(agent.scan().await.expect("a scan").offered, [own[0].identity()]);
        let before = agent.state.cache.clone();
        assert!(before.len() > 3_000, "{}", before.len());

        agent.move_to(&there.client_url()).expect("an address");
        let scan = agent.scan().await.expect("a scan elsewhere");
        assert_eq!(scan.recovered, [ErrorCode::InvalidCookie]);
        assert_eq!(scan.offered, [own[2].identity()]);
        assert_eq!(scan.new_updates().count(), 0, "everything was kept under its new number");
        let mut native = super::agent(&there, willing(2));
        native.scan().await.expect("a scan");
        assert!(agent.state.cache == native.state.cache, "as if it had always been there");
        assert!(before.keys().ne(agent.state.cache.keys()), "the servers number revisions differently");

        agent.move_to(&here.client_url()).expect("an address");
        let scan = agent.scan().await.expect("a scan at home");
        assert_eq!((scan.offered, scan.recovered), (vec![own[0].identity()], vec![ErrorCode::InvalidCookie]));
        assert!(agent.state.cache == before);
    });
}
