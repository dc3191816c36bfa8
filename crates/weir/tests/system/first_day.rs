//! From an empty folder to a patched computer, as the README walks it.

use std::fs;

use serde_json::{Value, json as value};
use weir_model::{
    document::{self, Limits},
    ids::{UpdateId, UpdateIdentity},
};
use weir_testkit::{Document, Payload, WeirProcess, shared, wsdl};

use super::{agent, computer, genuine_package, id, json, run, server, shelf, write_documents};

/// What `weir updates list --facets` counts by kind.
fn kinds(list: &Value) -> [u64; 4] {
    ["category", "detectoid", "software", "driver"].map(|kind| list["facets"]["kind"][kind].as_u64().expect(kind))
}

#[test]
fn the_genuine_package_is_imported_once() {
    let server = server();
    let package = genuine_package();
    let first = json(&server, &["import", &package]);
    assert_eq!(
        first,
        value!({ "added": 3690, "unchanged": 0, "rejected": 0, "skipped": 0, "unresolved": 0, "errors": [] })
    );
    let list = json(&server, &["updates", "list", "--facets", "--limit", "1"]);
    assert_eq!(kinds(&list), [399, 3291, 0, 0]);
    assert_eq!((&list["total"], &list["updates"]), (&value!(3690), &value!(3633)));

    let second = json(&server, &["import", &package]);
    assert_eq!((&second["added"], &second["unchanged"]), (&value!(0), &value!(3690)));

    let tree = json(&server, &["products", "list", "--language", "de"]);
    let titles: Vec<&str> =
        tree["items"].as_array().expect("items").iter().filter_map(|one| one["title"].as_str()).collect();
    assert!(titles.contains(&"Microsoft"), "{titles:?}");
    let classifications = json(&server, &["classifications", "list", "--language", "de"]);
    let german =
        classifications["items"].as_array().expect("items").iter().any(|one| one["title"] == "Wichtige Updates");
    assert!(german, "{classifications}");
    let selected = json(&server, &["classifications", "set", "--all"]);
    assert_eq!(selected["selected"].as_array().map(Vec::len), Some(12));
}

#[test]
fn documents_with_unknown_prerequisites_are_kept_and_never_offered() {
    let server = server();
    json(&server, &["import", &genuine_package()]);
    let folder = shared("captures/updates");
    let imported = json(&server, &["import", folder.to_str().expect("UTF-8")]);
    for (field, count) in [("added", 3), ("unchanged", 2), ("rejected", 0)] {
        assert_eq!(imported[field], count, "{field}: {imported}");
    }
    let files = fs::read_dir(&folder).expect("a folder").count() as u64;
    assert_eq!(imported["skipped"], files - 5, "{imported}");

    let unresolved = json(&server, &["updates", "list", "--filter", "unresolved", "--all"]);
    let mut ids: Vec<&str> =
        unresolved["items"].as_array().expect("items").iter().filter_map(|one| one["id"].as_str()).collect();
    ids.sort_unstable();
    let starts: Vec<&str> = ids.iter().map(|id| &id[..8]).collect();
    assert_eq!(starts, ["266f6222", "a2fef9b0", "ccb78947"]);
    for id in ids {
        let update = json(&server, &["updates", "show", id]);
        assert_eq!(lacks(&update), lacking(&server, id), "{update}");
    }

    let shelf = shelf(&server);
    run(async {
        let mut agent = agent(&server, computer(1, &shelf));
        agent.scan().await.expect("a scan");
        assert!(agent.state.cache.values().all(|cached| !starts.contains(&&cached.identity.to_string()[..8])));
    });
}

/// What an update lacks by its own account: kind and alternatives.
fn lacks(update: &Value) -> Vec<(String, Vec<String>)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let lacks = update["lacks"].as_array().expect("lacks").iter();
    lacks
        .map(|lack| (text(&lack["kind"]), lack["any_of"].as_array().expect("any_of").iter().map(text).collect()))
        .collect()
}

/// The same from its document, asking the server for each update that it names.
fn lacking(server: &WeirProcess, id: &str) -> Vec<(String, Vec<String>)> {
    let folder = shared("captures/updates");
    let names = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let name = |path: &std::path::PathBuf| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    let is_document = |name: &str| name.starts_with(id) && name.matches('.').count() == 1;
    let path = names.into_iter().find(|path| name(path).is_some_and(|name| is_document(&name))).expect("the document");
    let text = fs::read_to_string(path).expect("the document");
    let (document, _) = document::read(text.trim_start_matches('\u{feff}'), &Limits::default()).expect("a document");
    let show = |id: &UpdateId| server.json_with_code(&["updates", "show", &id.to_string()]).expect("an answer");
    let known = |id: &UpdateId| show(id).0 == 0;
    // a member that is unresolved itself is as good as absent
    let resolved = |id: &UpdateId| matches!(show(id), (0, update) if update["unresolved"] == false);
    let prerequisites = document.relationships.prerequisites.iter().filter_map(|clause| {
        let unknown = clause.alternatives.iter().all(|id| !known(id));
        unknown.then(|| ("prerequisite".to_owned(), clause.alternatives.iter().map(UpdateId::to_string).collect()))
    });
    let members = document.relationships.bundled.iter().filter_map(|clause| {
        let unknown = clause.alternatives.iter().all(|member| !resolved(&member.update_id));
        unknown.then(|| ("member".to_owned(), clause.alternatives.iter().map(UpdateIdentity::to_string).collect()))
    });
    prerequisites.chain(members).collect()
}

#[test]
fn a_computer_is_offered_what_is_deployed_and_reports_it() {
    let server = server();
    json(&server, &["import", &genuine_package()]);
    json(&server, &["products", "set", "--all"]);
    json(&server, &["classifications", "set", "--all"]);
    let shelf = shelf(&server);

    let folder = tempfile::tempdir().expect("a folder");
    let payloads = [
        Payload::random("plain.exe", 3_500_000, 1),
        Payload::random("one.cab", 2_097_152, 2),
        Payload::random("two.cab", 10, 3),
    ];
    let plain = Document::software(id(1), 1)
        .title("A plain update")
        .in_category(shelf.classification)
        .in_category(shelf.product)
        .file(&payloads[0]);
    let members = [2, 3]
        .map(|n| Document::member(id(n), 1).title("A member").requires(shelf.product).file(&payloads[n as usize - 1]));
    let bundle = Document::software(id(4), 1)
        .title("A bundle")
        .in_category(shelf.classification)
        .in_category(shelf.product)
        .bundles([members[0].identity()])
        .bundles([members[1].identity()]);
    let undeployed = Document::software(id(5), 1).title("Not deployed").in_category(shelf.product);
    write_documents(&folder.path().join("documents"), [&plain, &members[0], &members[1], &bundle, &undeployed]);
    let imported = json(&server, &["import", folder.path().join("documents").to_str().expect("UTF-8")]);
    assert_eq!((&imported["added"], &imported["unresolved"]), (&value!(5), &value!(0)), "{imported}");

    json(&server, &["collections", "create", "Pilot"]);
    let deploy = |update: String| {
        let arguments =
            ["deployments", "create", "--update", &update, "--collection", "All Computers", "--action", "install"];
        json(&server, &arguments)["id"].as_i64().expect("an id").to_string()
    };
    let deployments = [deploy(plain.id().to_string()), deploy(format!("{}@1", bundle.id()))];
    for deployment in &deployments {
        let shown = json(&server, &["deployments", "show", deployment]);
        assert_eq!(shown["state"], "waiting_for_content", "{shown}");
    }

    let mut first = agent(&server, computer(1, &shelf));
    first.record_to = Some(folder.path().join("answers"));
    run(async {
        let scan = first.scan().await.expect("a scan");
        assert!(scan.offered.is_empty(), "nothing is offered before its content is here: {:?}", scan.offered);
    });

    for payload in &payloads {
        payload.write_to(&folder.path().join("content")).expect("a file");
    }
    let added = json(&server, &["content", "add", folder.path().join("content").to_str().expect("UTF-8")]);
    assert_eq!(added, value!({ "added": 3, "unchanged": 0, "rejected": 0, "errors": [] }));
    for deployment in &deployments {
        let shown = json(&server, &["deployments", "show", deployment]);
        assert_eq!(shown["state"], "active", "{shown}");
    }

    run(async {
        let scan = first.scan().await.expect("a scan");
        let mut offered = scan.offered.clone();
        offered.sort();
        let mut expected: Vec<UpdateIdentity> = vec![plain.identity(), bundle.identity()];
        expected.sort();
        assert_eq!(offered, expected);
        first.report_scan().await.expect("a report");
    });
    let id = first.computer.client_id.clone();
    let needs = json(&server, &["computers", "show", &id]);
    let needed = |computer: &Value| {
        let mut ids: Vec<String> = computer["needed"]
            .as_array()
            .expect("needed")
            .iter()
            .filter_map(|update| update["id"].as_str().map(str::to_owned))
            .collect();
        ids.sort();
        ids
    };
    let all = [plain.id(), bundle.id(), undeployed.id()].map(|id| id.to_string());
    let mut sorted = all.to_vec();
    sorted.sort();
    assert_eq!(needed(&needs), sorted, "{needs}");

    run(async {
        assert_eq!(first.install_offered().await.expect("an installation").len(), 2);
        let scan = first.scan().await.expect("a scan");
        assert!(scan.offered.is_empty());
        first.report_scan().await.expect("a report");
    });
    let after = json(&server, &["computers", "show", &id]);
    assert_eq!(needed(&after), [all[2].clone()], "{after}");
    let installed: Vec<&str> =
        after["installed"].as_array().expect("installed").iter().filter_map(|update| update["id"].as_str()).collect();
    assert!(installed.contains(&all[0].as_str()) && installed.contains(&all[1].as_str()), "{after}");

    let summary = json(&server, &["compliance", "summary"]);
    assert_eq!(
        (&summary["computers"], &summary["compliant"], &summary["counts"]["required"]),
        (&value!(1), &value!(0), &value!(1))
    );

    json(&server, &["updates", "decline", &all[2]]);
    run(async {
        let scan = first.scan().await.expect("a scan");
        assert_eq!(scan.out_of_scope.len(), 1, "what is declined leaves: {scan:?}");
        first.report_scan().await.expect("a report");
    });
    let summary = json(&server, &["compliance", "summary", "--collection", "unassigned computers"]);
    assert_eq!(
        (&summary["computers"], &summary["compliant"], &summary["percent"]),
        (&value!(1), &value!(1), &value!(100.0))
    );
    wsdl::validate(&folder.path().join("answers"));
}
