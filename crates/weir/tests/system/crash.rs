//! Power cuts: everything acknowledged is there afterwards, nothing is half there.

use std::{process::Stdio, time::Duration};

use serde_json::json as value;
use weir_testkit::{Document, WeirProcess};

use super::{agent, computer, genuine_package, id, json, run, server, shelf, write_documents};

fn revisions(server: &WeirProcess) -> u64 {
    json(server, &["updates", "list", "--facets", "--limit", "1"])["total"].as_u64().expect("a number")
}

#[test]
fn a_package_is_there_whole_or_not_at_all() {
    let mut server = server();
    let package = genuine_package();
    // from before the first byte is parsed to after the commit
    for delay in [20, 60, 120, 200, 300, 450, 650] {
        let mut import = server.command(&["import", &package]);
        let mut import = import.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("an import");
        std::thread::sleep(Duration::from_millis(delay));
        server.kill().expect("killed");
        let acknowledged = import.wait().expect("an end").success();
        server.restart().expect("it starts again");
        let count = revisions(&server);
        assert!(count == 0 || count == 3690, "{count} revisions after {delay} ms");
        assert!(!acknowledged || count == 3690, "acknowledged, but not there");
    }
    json(&server, &["import", &package]);
    assert_eq!(revisions(&server), 3690);
}

#[test]
fn acknowledged_deployments_and_reports_survive() {
    let mut server = server();
    json(&server, &["import", &genuine_package()]);
    let shelf = shelf(&server);
    let folder = tempfile::tempdir().expect("a folder");
    let update = Document::software(id(1), 1).title("An update").in_category(shelf.product);
    write_documents(folder.path(), [&update]);
    json(&server, &["import", folder.path().to_str().expect("UTF-8")]);

    let deployment = json(
        &server,
        &[
            "deployments",
            "create",
            "--update",
            &update.id().to_string(),
            "--collection",
            "All Computers",
            "--action",
            "optional",
        ],
    );
    server.kill().expect("killed");
    server.restart().expect("it starts again");
    let shown = json(&server, &["deployments", "show", &deployment["id"].to_string()]);
    assert_eq!((&shown["action"], &shown["state"]), (&value!("optional"), &value!("active")), "{shown}");

    // the agent meets a server that was killed after each of its acknowledged calls
    let mut agent = agent(&server, computer(7, &shelf));
    run(async {
        let scan = agent.scan().await.expect("a scan");
        assert_eq!(scan.offered, [update.identity()]);
        agent.report_scan().await.expect("a report");
    });
    server.kill().expect("killed");
    server.restart().expect("it starts again");
    let computer = json(&server, &["computers", "show", &agent.computer.client_id]);
    assert_eq!(computer["needed"][0]["id"], update.id().to_string(), "{computer}");

    run(async {
        agent.move_to(&server.client_url()).expect("an address");
        let scan = agent.scan().await.expect("a scan with the cookie of before");
        assert_eq!(scan.recovered, []);
        assert!(scan.pages.iter().all(Vec::is_empty), "nothing is sent twice: {:?}", scan.pages);
    });
}
