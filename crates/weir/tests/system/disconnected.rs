//! Sites without a network: packages and bundles go from one server to another in folders.
//!
//! Checklist of the package format (export-format.md 10) and where each item is tested:
//!
//! | Items | Where |
//! |---|---|
//! | 1-6, 14, 15 | `weir-wire`: `package::tests`, named by their numbers |
//! | 7, 8, 9, 11 | `weir-server`: tests `admin::imports` |
//! | 10 | [`checklist_10_an_import_leaves_decisions_alone`] |
//! | 12 | tests of the upstream role: an import takes a change number |
//! | 13 | `package::tests::checklist_13_*`, `admin::imports` |
//! | 15 | `weir-server`: `export::package::tests::checklist_15_*` |
//! | 16 | `export::order::tests`, [`checklist_16_members_come_first_and_have_products`] |
//! | 17 | [`checklist_17_the_genuine_package_goes_round`] |
//! | 18 | `package::tests::checklist_18_*`, [`checklist_18_nothing_is_overwritten`] |
//! | 19, 21, 22 | [`checklist_19_to_22_content_goes_beside_the_package`] |
//! | 20 | the same, and [`a_bundle_carries_everything_one_way`] |

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json as value};
use weir_testkit::{Document, Payload, WeirProcess};

use super::{genuine_package, id, json, server, write_documents};

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// A refusal: exit code 1 and what it says.
fn refused(server: &WeirProcess, arguments: &[&str]) -> String {
    let (code, said) = server.json_with_code(arguments).expect("an answer");
    assert_eq!(code, 1, "{arguments:?}: {said}");
    said.as_str().map_or_else(|| said.to_string(), str::to_owned)
}

/// What cabextract finds in a cabinet.
fn members(cabinet: &Path) -> (Vec<u8>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new("cabextract").arg("-q").arg("-d").arg(folder.path()).arg(cabinet).output();
    let output = output.expect("cabextract is installed (cargo xtask test)");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| fs::read(folder.path().join(name)).expect(name);
    (read("metadata.txt"), String::from_utf8(read("package.xml")).expect("UTF-8"))
}

/// `package.xml` without what each exporter says of itself.
fn impersonal(description: &str) -> String {
    let attribute = |text: &str, name: &str| {
        let (before, rest) = text.split_once(&format!(" {name}=\"")).expect(name);
        let (_, after) = rest.split_once('"').expect("closed");
        format!("{before}{after}")
    };
    attribute(&attribute(description, "ServerID"), "CreationTime")
}

#[test]
fn checklist_17_the_genuine_package_goes_round() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (folder.path().join("first.cab"), folder.path().join("second.cab"));
    let one = server();
    json(&one, &["import", &genuine_package()]);
    json(&one, &["languages", "set", "--id", "en"]);
    let log = folder.path().join("export.log");
    let written = json(&one, &["export", text(&first), "--log", text(&log)]);
    assert_eq!((&written["revisions"], &written["unresolved"]), (&value!(3690), &value!(0)), "{written}");
    assert!(fs::read_to_string(&log).expect("a log").contains("3690 revisions"));

    // ours differs from the genuine one in who wrote it and when
    let (genuine, ours) = (members(Path::new(&genuine_package())), members(&first));
    assert!(genuine.0 == ours.0, "metadata.txt is the same byte for byte");
    assert_eq!(impersonal(&genuine.1), impersonal(&ours.1));
    assert_ne!(genuine.1, ours.1);

    let two = server();
    let imported = json(&two, &["import", text(&first)]);
    assert_eq!((&imported["added"], &imported["rejected"]), (&value!(3690), &value!(0)), "{imported}");
    json(&two, &["languages", "set", "--id", "en"]);
    json(&two, &["export", text(&second)]);
    let again = members(&second);
    assert!(ours.0 == again.0);
    assert_eq!(impersonal(&ours.1), impersonal(&again.1));
    assert_eq!(state(&one), state(&two));
}

#[test]
fn checklist_18_nothing_is_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server();
    let package = folder.path().join("export.cab");
    fs::write(&package, "mine").expect("a file");
    assert!(refused(&server, &["export", text(&package)]).contains("not overwritten"));
    assert_eq!(fs::read(&package).expect("kept"), b"mine");
    let log = folder.path().join("export.log");
    fs::write(&log, "mine").expect("a file");
    let other = folder.path().join("other.cab");
    refused(&server, &["export", text(&other), "--log", text(&log)]);
    assert_eq!(fs::read(&log).expect("kept"), b"mine");
    assert!(!other.exists());
    assert!(refused(&server, &["export", text(&folder.path().join("export.xml.gz"))]).contains(".cab"));
    let bundle = folder.path().join("b");
    json(&server, &["export", text(&bundle)]);
    assert!(refused(&server, &["export", text(&bundle)]).contains("not overwritten"));
    let stray = folder.path().join("stray.weir.001");
    fs::write(&stray, "mine").expect("a file");
    assert!(refused(&server, &["export", text(&folder.path().join("stray.weir"))]).contains("not overwritten"));
    assert_eq!(fs::read(&stray).expect("kept"), b"mine");
}

/// A classification, a product and updates with files that lie in different folders.
struct Shop {
    documents: Vec<Document>,
    payloads: Vec<Payload>,
}

fn shop(extra: u64) -> Shop {
    let payloads: Vec<Payload> =
        (0..3).map(|n| Payload::random(&format!("file{n}.cab"), 300_000 + n as usize, 100 + n)).collect();
    let mut documents = vec![
        Document::software(id(10), 1).title("One").file(&payloads[0]),
        Document::member(id(11), 1).title("Member").file(&payloads[1]),
    ];
    documents.push(Document::software(id(12), 1).title("Bundle").bundles([documents[1].identity()]));
    documents.push(Document::software(id(13), 1).title("Undeployed").file(&payloads[2]));
    for n in 0..extra {
        documents.push(Document::software(id(1000 + u128::from(n)), 1).title(&format!("Extra {n}")));
    }
    Shop { documents, payloads }
}

impl Shop {
    /// A server that has all of it, files included.
    fn open(&self, folder: &Path) -> WeirProcess {
        let server = server();
        write_documents(&folder.join("documents"), &self.documents);
        json(&server, &["import", text(&folder.join("documents"))]);
        for payload in &self.payloads {
            payload.write_to(&folder.join("content")).expect("a file");
        }
        json(&server, &["content", "add", text(&folder.join("content"))]);
        server
    }
}

fn deploy(server: &WeirProcess, update: u128, collection: &str) -> String {
    let update = id(update).to_string();
    let arguments = ["deployments", "create", "--update", &update, "--collection", collection, "--action", "install"];
    json(server, &arguments)["id"].as_i64().expect("an id").to_string()
}

/// Updates, their texts, declines, collections, deployments: what must be the same at both ends.
fn state(server: &WeirProcess) -> Value {
    let updates = json(server, &["updates", "list", "--all"]);
    let mut updates: Vec<Value> = updates["items"].as_array().expect("items").clone();
    updates.sort_by_key(|update| update["id"].to_string());
    for update in &mut updates {
        // each site has its own
        for own in ["arrived_at", "revised_at", "revision_id"] {
            update.as_object_mut().expect("an object").remove(own);
        }
    }
    let collections = json(server, &["collections", "list"]);
    let collections: Vec<Value> =
        collections["items"].as_array().expect("items").iter().map(|one| value!([one["id"], one["name"]])).collect();
    let deployments = json(server, &["deployments", "list"]);
    let mut deployments: Vec<Value> = deployments["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|one| value!([one["update"]["id"], one["collection"]["id"], one["action"], one["state"]]))
        .collect();
    deployments.sort_by_key(ToString::to_string);
    value!({ "updates": updates, "collections": collections, "deployments": deployments })
}

fn trust(sender: &WeirProcess, receiver: &WeirProcess) -> String {
    let fingerprint = json(sender, &["bundle", "key"])["fingerprint"].as_str().expect("a fingerprint").to_owned();
    json(receiver, &["bundle", "trust", "add", &fingerprint, "--name", "Sender"]);
    fingerprint
}

/// The files of a bundle in a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

#[test]
fn a_bundle_carries_everything_one_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = shop(0);
    let sender = shop.open(folder.path());
    json(&sender, &["collections", "create", "Pilot"]);
    deploy(&sender, 10, "Pilot");
    deploy(&sender, 12, "All Computers");
    json(&sender, &["updates", "decline", &id(13).to_string()]);
    let bundle = folder.path().join("bundle");
    let arguments = ["export", text(&bundle), "--content", "deployed", "--with", "deployments,declines,collections"];
    let written = json(&sender, &arguments);
    assert_eq!((&written["revisions"], &written["files"], &written["sequence"]), (&value!(4), &value!(2), &value!(1)));

    let receiver = server();
    let said = refused(&receiver, &["import", text(&bundle)]);
    let fingerprint = json(&sender, &["bundle", "key"])["fingerprint"].as_str().expect("a fingerprint").to_owned();
    assert!(said.contains(&format!("weir bundle trust add {fingerprint}")), "{said}");
    assert_eq!(json(&receiver, &["updates", "list"])["total"], 0);
    trust(&sender, &receiver);
    let imported = json(&receiver, &["import", text(&bundle)]);
    let result = &imported["bundles"][0]["result"];
    assert_eq!((&result["added"], &result["files_added"]), (&value!(4), &value!(2)), "{imported}");
    assert_eq!(result["objects_refused"], value!([]), "{imported}");
    assert_eq!(imported["bundles"][0]["state"], "applied");
    let (sent, came) = (state(&sender), state(&receiver));
    assert_eq!(came, sent);
    let active = came["deployments"].as_array().expect("deployments").iter().all(|one| one[3] == "active");
    assert!(active, "their content came with them: {came}");
    let again = json(&receiver, &["import", text(&bundle)]);
    assert_eq!(again["bundles"][0]["state"], "applied");
    assert_eq!(state(&receiver), sent);
}

#[test]
fn increments_add_up_to_the_whole_and_older_ones_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let shop = shop(20);
    let sender = shop.open(folder.path());
    deploy(&sender, 10, "All Computers");
    let with = ["--content", "deployed", "--with", "deployments,declines"];
    let export = |target: &Path, more: &[&str]| {
        json(&sender, &[&["export", text(target)], &with[..], more].concat());
    };
    export(&at("one"), &[]);
    let later = [Document::software(id(5000), 1).title("Later"), Document::software(id(10), 2).title("One again")];
    write_documents(&at("later"), &later);
    json(&sender, &["import", text(&at("later"))]);
    deploy(&sender, 12, "All Computers");
    json(&sender, &["updates", "decline", &id(13).to_string()]);
    let manifest = at("one").join("bundle.weir");
    export(&at("two"), &["--since", text(&manifest)]);
    let increment: Value =
        serde_json::from_slice(&fs::read(at("two").join("bundle.weir")).expect("a manifest")).expect("JSON");
    assert_eq!(increment["counts"]["revisions"], 2, "{increment}");
    assert_eq!(increment["counts"]["files"], 1, "only what is new");
    json(&sender, &["updates", "undecline", &id(13).to_string()]);
    export(&at("three"), &["--since", text(&at("two").join("bundle.weir"))]);
    export(&at("full"), &[]);

    let (chain, whole) = (server(), server());
    trust(&sender, &chain);
    trust(&sender, &whole);
    let said = refused(&chain, &["import", text(&at("two"))]);
    assert!(said.contains("builds on bundle"), "{said}");
    assert_eq!(json(&chain, &["updates", "list"])["total"], 0);
    // three folders at once go in the order in which they were made
    let all = [at("three"), at("one"), at("two")];
    let all: Vec<&str> = all.iter().map(|path| text(path)).collect();
    json(&chain, &[&["import"], &all[..]].concat());
    json(&whole, &["import", text(&at("full"))]);
    assert_eq!(state(&chain), state(&whole));
    assert_eq!(state(&chain), state(&sender));
    let late = server();
    trust(&sender, &late);
    json(&late, &["import", text(&at("full"))]);
    let said = refused(&late, &["import", text(&at("one"))]);
    assert!(said.contains("older"), "{said}");
    assert_eq!(state(&late), state(&sender));
}

#[test]
fn an_inventory_tells_what_to_leave_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let shop = shop(0);
    let sender = shop.open(folder.path());
    let receiver = server();
    write_documents(&at("some"), &shop.documents[..3]);
    json(&receiver, &["import", text(&at("some"))]);
    json(&receiver, &["content", "add", text(&at("content").join("file0.cab"))]);
    json(&receiver, &["bundle", "inventory", text(&at("inventory"))]);
    let (bundle, inventory) = (at("b"), at("inventory"));
    let arguments = ["export", text(&bundle), "--content", "all", "--since", text(&inventory)];
    let written = json(&sender, &arguments);
    assert_eq!((&written["revisions"], &written["files"]), (&value!(1), &value!(2)), "{written}");
    trust(&sender, &receiver);
    let other = server();
    trust(&sender, &other);
    assert!(refused(&other, &["import", text(&at("b"))]).contains("was made for the server"));
    json(&receiver, &["import", text(&at("b"))]);
    assert_eq!(state(&receiver), state(&sender));
    assert_eq!(json(&receiver, &["content", "status"])["files"], 3);
    fs::write(at("nonsense"), "nonsense").expect("a file");
    refused(&sender, &["export", text(&at("c")), "--since", text(&at("nonsense"))]);
}

#[test]
fn whatever_is_altered_is_refused_and_nothing_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = shop(0);
    let sender = shop.open(folder.path());
    let bundle = folder.path().join("bundle");
    json(&sender, &["export", text(&bundle), "--content", "all"]);
    let receiver = server();
    trust(&sender, &receiver);
    for file in files(&bundle) {
        let good = fs::read(&file).expect("a file");
        for place in [0, good.len() / 3, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[place] ^= 1;
            fs::write(&file, &bad).expect("altered");
            refused(&receiver, &["import", text(&bundle)]);
            assert_eq!(json(&receiver, &["updates", "list"])["total"], 0, "{} at {place}", file.display());
        }
        fs::write(&file, &good[..good.len() - 1]).expect("cut off");
        let (code, said) = receiver.json_with_code(&["import", text(&bundle)]).expect("an answer");
        assert_ne!(code, 0, "{said}");
        assert_eq!(json(&receiver, &["updates", "list"])["total"], 0);
        fs::write(&file, &good).expect("restored");
    }
    json(&receiver, &["import", text(&bundle)]);
    assert_eq!(json(&receiver, &["updates", "list"])["total"], 4);
}

#[test]
fn parts_come_in_any_order_and_an_interrupted_export_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let shop = Shop {
        payloads: vec![Payload::random("large.cab", 11 << 20, 5), Payload::random("small.cab", 100, 6)],
        ..shop(0)
    };
    let documents = vec![
        Document::software(id(20), 1).title("Large").file(&shop.payloads[0]),
        Document::software(id(21), 1).title("Small").file(&shop.payloads[1]),
    ];
    let shop = Shop { documents, ..shop };
    let sender = shop.open(folder.path());
    let target = at("b");
    let export = ["export", text(&target), "--content", "all", "--part-size", "4M"];
    let written = json(&sender, &export);
    assert_eq!(written["parts"], 3, "{written}");
    // as if it had been interrupted before the last part
    for gone in ["bundle.weir", "bundle.weir.sig", "bundle.weir.003"] {
        fs::remove_file(at("b").join(gone)).expect("there");
    }
    fs::write(at("b").join("bundle.weir.unfinished"), "").expect("a marker");
    let written = json(&sender, &export);
    assert_eq!((&written["parts"], &written["parts_kept"]), (&value!(3), &value!(2)), "{written}");
    assert!(!at("b").join("bundle.weir.unfinished").exists());

    let receiver = server();
    trust(&sender, &receiver);
    let medium = |name: &str, files: &[&str]| {
        fs::create_dir_all(at(name)).expect("a folder");
        for file in files {
            fs::copy(at("b").join(file), at(name).join(file)).expect("copied");
        }
        at(name)
    };
    let third = medium("third", &["bundle.weir.003"]);
    let said = refused(&receiver, &["import", text(&third)]);
    assert!(said.contains("manifest"), "{said}");
    let first = medium("first", &["bundle.weir", "bundle.weir.sig", "bundle.weir.002"]);
    let (code, said) = receiver.json_with_code(&["import", text(&first)]).expect("an answer");
    assert_eq!((code, &said["bundles"][0]["missing"]), (3, &value!([1, 3])), "{said}");
    let (code, said) = receiver.json_with_code(&["import", text(&third)]).expect("an answer");
    assert_eq!((code, &said["bundles"][0]["missing"]), (3, &value!([1])), "{said}");
    assert_eq!(json(&receiver, &["updates", "list"])["total"], 0, "nothing is applied before everything is here");
    let last = medium("last", &["bundle.weir.001"]);
    let said = json(&receiver, &["import", text(&last)]);
    assert_eq!(said["bundles"][0]["state"], "applied", "{said}");
    assert_eq!(json(&receiver, &["content", "status"])["bytes"], (11 << 20) + 100);
}

/// Kills the server when `when` is true of its bundles, while an import runs, and starts it again. False if the import
/// was quicker.
fn killed_during(server: &mut WeirProcess, folder: &Path, when: impl Fn(&Value) -> bool) -> bool {
    let mut import = server.command(&["import", text(folder)]).spawn().expect("the command starts");
    let mut hit = false;
    while import.try_wait().expect("a child").is_none() {
        let bundles = json(server, &["bundle", "list"]);
        if when(&bundles["items"]) {
            hit = true;
            break;
        }
    }
    server.kill().expect("killed");
    import.wait().expect("it ends");
    server.restart().expect("it starts again");
    hit
}

#[test]
fn a_crash_at_any_point_of_an_import_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let payloads: Vec<Payload> = (0..4).map(|n| Payload::random(&format!("file{n}.cab"), 6 << 20, 200 + n)).collect();
    let mut documents: Vec<Document> = payloads
        .iter()
        .zip(0..)
        .map(|(payload, n)| Document::software(id(100 + n), 1).title("With a file").file(payload))
        .collect();
    documents.extend((0..600).map(|n| Document::software(id(10_000 + n), 1).title(&format!("Update {n}"))));
    let shop = Shop { documents, payloads };
    let sender = shop.open(folder.path());
    deploy(&sender, 100, "All Computers");
    let bundle = folder.path().join("bundle");
    let arguments = ["export", text(&bundle), "--content", "all", "--part-size", "4M", "--with", "deployments"];
    json(&sender, &arguments);
    let total = shop.documents.len();

    let mut receiver = server();
    trust(&sender, &receiver);
    type When<'w> = &'w dyn Fn(&Value) -> bool;
    let points: [(&str, When<'_>); 5] = [
        ("the manifest came", &|bundles| bundles[0]["state"] == "receiving"),
        ("some parts came", &|bundles| {
            bundles[0]["parts"].as_array().is_some_and(|parts| parts.iter().any(|part| part["here"] == true))
        }),
        ("it is applied", &|bundles| bundles[0]["state"] == "applying"),
        ("its metadata is applied", &|bundles| bundles[0]["phase"] == "content" || bundles[0]["state"] == "committed"),
        ("it is nearly done", &|bundles| bundles[0]["result"]["added"] == total),
    ];
    let mut hits = Vec::new();
    for (name, when) in points {
        if killed_during(&mut receiver, &bundle, when) {
            hits.push(name);
        }
        let listed = json(&receiver, &["updates", "list"])["total"].clone();
        assert!(listed == 0 || listed == total, "after {name}: {listed} of {total}");
    }
    assert!(hits.len() >= 2, "the import was interrupted: {hits:?}");
    let imported = json(&receiver, &["import", text(&bundle)]);
    assert_eq!(imported["bundles"][0]["state"], "applied", "{imported}");
    assert_eq!(state(&receiver), state(&sender));
    assert_eq!(json(&receiver, &["content", "verify"])["good"], 4);
    assert!(!receiver.data().join("bundles").read_dir().is_ok_and(|mut left| left.next().is_some()), "no part is left");
}

#[test]
fn checklist_10_an_import_leaves_decisions_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = shop(0);
    let server = shop.open(folder.path());
    json(&server, &["collections", "create", "Pilot"]);
    deploy(&server, 10, "Pilot");
    json(&server, &["updates", "decline", &id(13).to_string()]);
    let before = state(&server);
    let package = folder.path().join("own.cab");
    json(&server, &["export", text(&package)]);
    let imported = json(&server, &["import", text(&package)]);
    assert_eq!((&imported["added"], &imported["unchanged"]), (&value!(0), &value!(4)), "{imported}");
    assert_eq!(state(&server), before);
}

#[test]
fn checklist_16_members_come_first_and_have_products() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server();
    json(&server, &["import", &genuine_package()]);
    let shelf = super::shelf(&server);
    let payload = Payload::new("a.cab", "content").clone();
    let member = Document::member(id(31), 1).title("Member").file(&payload);
    let bundle = Document::software(id(30), 1)
        .title("Bundle")
        .in_category(shelf.classification)
        .in_category(shelf.product)
        .bundles([member.identity()]);
    // the bundle arrives before its member
    write_documents(&folder.path().join("1"), [&bundle]);
    write_documents(&folder.path().join("2"), [&member]);
    json(&server, &["import", text(&folder.path().join("1"))]);
    json(&server, &["import", text(&folder.path().join("2"))]);
    let package = folder.path().join("p.cab");
    let written = json(&server, &["export", text(&package)]);
    assert_eq!(written["revisions"], 3692);
    let (metadata, description) = members(&package);
    let metadata = String::from_utf8(metadata).expect("UTF-8");
    let place = |id: &str| metadata.find(&format!("{id},00000001,")).expect("there");
    assert!(place(&id(31).to_string()) < place(&id(30).to_string()));
    let row = description.split_once(&format!("<Update UpdateId=\"{}\" ", id(31))).expect("a row").1;
    let row = row.split_once("</Update>").expect("closed").0;
    assert!(row.contains(&format!("<Category Value=\"{}\" />", shelf.product)), "{row}");
    let row = description.split_once(&format!("<Update UpdateId=\"{}\" ", id(30))).expect("a row").1;
    let row = row.split_once("</Update>").expect("closed").0;
    assert!(row.contains(&format!("<Classification Value=\"{}\" />", shelf.classification)), "{row}");
}

#[test]
fn checklist_19_to_22_content_goes_beside_the_package() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = shop(0);
    let sender = shop.open(folder.path());
    let package = folder.path().join("p.cab");
    json(&sender, &["export", text(&package)]);
    // content after the metadata, and before it as far as this server takes files that no update names yet
    let receiver = server();
    json(&receiver, &["import", text(&package)]);
    deploy(&receiver, 10, "All Computers");
    let content = sender.data().join("content");
    json(&receiver, &["content", "add", text(&content)]);
    let mut deployments = json(&receiver, &["deployments", "list"]);
    assert_eq!(deployments["items"][0]["state"], "active");
    let status = json(&receiver, &["content", "status", "--state", "present"]);
    assert_eq!((&status["files"], &status["items"].as_array().map(Vec::len)), (&value!(3), &Some(3)), "{status}");
    // a file that changes on disk is told, and its deployment waits for it
    let path = receiver.data().join("content").join(shop.payloads[0].content_path());
    let mut bytes = fs::read(&path).expect("a file");
    bytes[0] ^= 1;
    fs::write(&path, bytes).expect("altered");
    let (code, verified) = receiver.json_with_code(&["content", "verify"]).expect("an answer");
    assert_eq!((code, &verified["bad"]), (3, &value!(1)), "{verified}");
    deployments = json(&receiver, &["deployments", "list"]);
    assert_eq!(deployments["items"][0]["state"], "waiting_for_content", "{deployments}");
    json(&receiver, &["content", "add", text(&content)]);
    deployments = json(&receiver, &["deployments", "list"]);
    assert_eq!(deployments["items"][0]["state"], "active");
}
