//! A site that moves to PostgreSQL, is backed up there, and comes back into a folder: with the whole program, as docs/postgresql.md tells.

use serde_json::{Value, json as value};
use weir_testkit::{WeirProcess, engine, postgres::Database};

use super::{
    agent, computer,
    crash::small_catalogue,
    durability::{sound, weir},
    json,
    reporter::Reporter,
    sqlite_server, sqlite_server_in,
};

fn revisions(server: &WeirProcess) -> Value {
    json(server, &["updates", "list", "--facets", "--limit", "1"])["total"].clone()
}

/// The promise: a move takes everything along, computers notice nothing, and a backup leads back.
#[test]
fn a_site_moves_to_postgresql_and_a_backup_leads_back() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let mut server = sqlite_server();
    let data = server.data().to_owned();
    let (shelf, updates) = small_catalogue(&server, 60);
    let update = updates[0].to_string();
    let create =
        ["deployments", "create", "--update", &update, "--collection", "All Computers", "--action", "optional"];
    json(&server, &create);
    let mut scanning = agent(&server, computer(100, &shelf));
    assert_eq!(runtime.block_on(scanning.scan()).expect("a scan").offered.len(), 1);
    let mut reporter = runtime.block_on(Reporter::known(&server, 0, &shelf, &updates));
    assert!(runtime.block_on(reporter.report()).expect("a report"));
    let whole = revisions(&server);

    let database = Database::empty();
    let migrate = ["migrate", "--to", database.url()];
    let (code, said) = weir(&data, &migrate);
    assert_eq!((code, &said["problem"]["code"]), (1, &value!("data_in_use")), "{said}");
    assert!(server.stop().expect("it stops"), "{}", server.log());
    let (code, looked) = weir(&data, &[&migrate[..], &["--dry-run"]].concat());
    assert_eq!((code, &looked["dry_run"], &looked["compared"]), (0, &value!(true), &value!(false)), "{looked}");
    let (code, moved) = weir(&data, &migrate);
    assert_eq!((code, &moved["compared"], &moved["replaced"]), (0, &value!(true), &value!([])), "{moved}");
    assert_eq!(moved["tables"], looked["tables"]);
    let (code, said) = weir(&data, &migrate);
    assert_eq!((code, &said["problem"]["code"]), (1, &value!("database_refused")), "{said}");

    server.set_arguments(&["--database", database.url()]);
    server.restart().unwrap_or_else(|error| panic!("{error:#}\n{}", server.log()));
    assert_eq!(revisions(&server), whole);
    scanning.move_to(&server.client_url()).expect("an address");
    let scan = runtime.block_on(scanning.scan()).expect("a scan");
    assert_eq!((scan.recovered, scan.offered.len()), (vec![], 1), "its cookie is good");
    reporter.agent.move_to(&server.client_url()).expect("an address");
    assert!(runtime.block_on(reporter.report()).expect("a report"));
    reporter.check_status(&server, "after the move");

    let (code, found) = server.json_with_code(&["doctor"]).expect("a command");
    let codes: Vec<&str> =
        found["findings"].as_array().expect("findings").iter().filter_map(|one| one["code"].as_str()).collect();
    assert!(code == 0 || code == 3, "{found}");
    assert!(codes.contains(&"database_elsewhere") && !codes.contains(&"database_unreachable"), "{codes:?}");
    let backup = json(&server, &["backup", "create"])["path"].as_str().expect("a path").to_owned();
    assert!(server.stop().expect("it stops"), "{}", server.log());
    assert_eq!(weir(&data, &["backup", "verify", &backup]).0, 0);

    // and back, into a folder of its own
    let folder = tempfile::tempdir().expect("a folder");
    let back = folder.path().join("data");
    engine::keep_sqlite(&back);
    let (code, restored) = weir(&back, &["restore", &backup]);
    assert_eq!(code, 0, "{restored}");
    sound(&back, "after the way back");
    let server = sqlite_server_in(Some(&back));
    assert_eq!(revisions(&server), whole);
    scanning.move_to(&server.client_url()).expect("an address");
    let scan = runtime.block_on(scanning.scan()).expect("a scan");
    assert!(!scan.recovered.is_empty(), "it is told that the server changed");
    reporter.check_status(&server, "after the way back");
}
