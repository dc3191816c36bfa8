//! The tree of sites: real servers on loopback, each with a data folder of its own.

use std::{collections::BTreeSet, fs};

use jiff::Timestamp;
use serde_json::Value;
use weir_store::{Actor, WriteTx};
use weir_testkit::{Computer, Document, ScriptedAgent, ScriptedDownstream, WeirProcess, engine};

use super::{genuine_package, id, json, server, shelf, store, write_documents};

fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_weir")
}

/// Makes a code for a site.
fn code(parent: &WeirProcess, name: &str) -> String {
    let made = json(parent, &["sites", "enrol", name]);
    made["code"].as_str().expect("a code").to_owned()
}

/// Starts a server with nothing set but the code.
fn enrolled(code: &str) -> WeirProcess {
    WeirProcess::start_with(binary(), None, &["--enrol", code]).expect("an enrolled server")
}

/// A new server that must not start; what it says.
fn refused(arguments: &[&str]) -> String {
    let error = WeirProcess::start_with(binary(), None, arguments).expect_err("it must not start");
    format!("{error:#}")
}

/// The row of a site.
fn site(list: &Value, name: &str) -> Value {
    let rows = list["items"].as_array().expect("rows");
    rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no {name} in {list}")).clone()
}

fn wait(server: &WeirProcess, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    let list = server.wait_for(&["sites", "list"], is_it);
    list.unwrap_or_else(|error| panic!("{what}: {error:#}\n{}", server.log()))
}

fn is_configured(list: &Value, name: &str) -> bool {
    let row = site(list, name);
    row["configuration"] == "configured" && row["connected"] != false
}

#[test]
fn a_tree_is_enrolled_with_nothing_else_set_and_knows_itself() {
    let central = server();
    let alone = json(&central, &["sites", "list"]);
    assert_eq!(alone["items"].as_array().expect("rows").len(), 1, "{alone}");
    assert_eq!(alone["items"][0]["kind"], "primary");
    assert_eq!(alone["items"][0]["here"], true);
    assert_eq!(central.server_url(), None, "the server plane is off");

    json(&central, &["sites", "add", "CEN", "--kind", "central"]);
    for name in ["PRI1", "PRI2"] {
        json(&central, &["sites", "add", name, "--kind", "primary"]);
    }
    json(&central, &["sites", "add", "SEC1", "--kind", "secondary", "--under", "PRI1"]);
    json(&central, &["collections", "create", "Pilot"]);
    json(&central, &["settings", "set", "scan.installed_ids", "2000"]);

    let first = enrolled(&code(&central, "PRI1"));
    assert_eq!(central.server_url(), Some(central.client_https_url()), "the server plane is on");
    let second = enrolled(&code(&central, "PRI2"));
    // the definition came down with the first reading of the feed
    let third = enrolled(&code(&first, "SEC1"));

    let list = wait(&central, "the top sees all", |list| {
        ["PRI1", "PRI2", "SEC1"].iter().all(|name| is_configured(list, name))
    });
    let names: Vec<_> = list["items"].as_array().expect("rows").iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["CEN", "PRI1", "SEC1", "PRI2"]);
    assert_eq!(site(&list, "SEC1")["under"]["name"], "PRI1");
    assert_eq!(site(&list, "SEC1")["point"]["source"], "parent");
    assert_eq!(site(&list, "SEC1")["connected"], Value::Null, "it is not directly below");
    for (server, name) in [(&first, "PRI1"), (&second, "PRI2"), (&third, "SEC1")] {
        let own = json(server, &["sites", "show", name]);
        assert_eq!((&own["here"], &own["configuration"]), (&Value::Bool(true), &"configured".into()), "{own}");
        server
            .wait_for(&["collections", "list"], |list| list.to_string().contains("Pilot"))
            .expect("the collection came down");
        let setting = json(server, &["settings", "list"]).to_string();
        assert!(setting.contains("2000"), "{setting}");
    }

    // what a child knows of those above and beside it
    let seen = json(&third, &["sites", "list"]);
    let above = site(&seen, "PRI1");
    assert_eq!(above["configuration"], "configured", "{seen}");
    assert!(above["last_contact"].is_string(), "{seen}");
    assert_eq!(site(&seen, "CEN")["configuration"], "unknown", "{seen}");
    let steps = json(&third, &["status"])["steps"].clone();
    assert_eq!(steps[0]["name"], "sync", "{steps}");
    assert!(steps[0]["title"].as_str().expect("text").contains("decided at the parent PRI1"), "{steps}");

    // a change at the top reaches the lowest site
    json(&central, &["collections", "create", "Ring 2", "--approved-only"]);
    third.wait_for(&["collections", "list"], |list| list.to_string().contains("Ring 2")).expect("it came down");

    // what a child may not change, and who says so
    let (exit, message) = third.json_with_code(&["collections", "create", "Mine"]).expect("a refusal");
    assert_eq!(exit, 1);
    let message = message.as_str().expect("text");
    assert!(message.contains("PRI1") && message.contains("cannot be changed here"), "{message}");
    let (exit, _) = third.json_with_code(&["sites", "add", "X", "--kind", "secondary"]).expect("a refusal");
    assert_eq!(exit, 1);
}

#[test]
fn a_child_that_was_away_catches_up() {
    let central = server();
    json(&central, &["sites", "add", "PRI1", "--kind", "primary"]);
    let mut child = enrolled(&code(&central, "PRI1"));
    wait(&central, "it is there", |list| is_configured(list, "PRI1"));
    assert!(child.stop().expect("it stops"), "{}", child.log());
    json(&central, &["collections", "create", "Meanwhile"]);
    json(&central, &["sites", "add", "SEC1", "--kind", "secondary", "--under", "PRI1"]);
    // the same command line, the code in it: it was used, and is ignored now
    child.restart().expect("it starts again");
    child.wait_for(&["collections", "list"], |list| list.to_string().contains("Meanwhile")).expect("caught up");
    assert_eq!(site(&json(&child, &["sites", "list"]), "SEC1")["kind"], "secondary");
}

/// TOP-9: what was changed at a child past its parent is put right, and the tree says whether it is in step.
#[test]
fn a_child_that_drifted_is_put_right() {
    let central = server();
    json(&central, &["sites", "add", "PRI1", "--kind", "primary"]);
    json(&central, &["collections", "create", "Pilot"]);
    json(&central, &["collections", "create", "Ring"]);
    json(&central, &["settings", "set", "targeting", "client"]);
    let mut child = enrolled(&code(&central, "PRI1"));
    let in_step = |list: &Value| site(list, "PRI1")["point"]["drift"] == Value::Array(Vec::new());
    wait(&central, "it is in step", in_step);
    assert!(child.stop().expect("it stops"), "{}", child.log());
    {
        let store = store(child.data());
        let actor = Actor::system("somebody with a tool", Timestamp::now());
        let change = |tx: &WriteTx<'_>| {
            let find = |name| tx.collection_find(name).map(|row| row.expect("it came from the parent").id);
            tx.collection_rename(find("Pilot")?, "Mine")?;
            tx.collection_delete(find("Ring")?)?;
            tx.setting_put("targeting", &"server".into()).map(drop)
        };
        store.write(&actor, change).expect("changed");
    }
    child.restart().expect("it starts again");
    let right = |list: &Value| {
        let text = list.to_string();
        text.contains("Pilot") && text.contains("Ring") && !text.contains("Mine")
    };
    child.wait_for(&["collections", "list"], right).unwrap_or_else(|error| panic!("{error:#}\n{}", child.log()));
    let settings = json(&child, &["settings", "show", "targeting"]);
    assert_eq!(settings["value"], "client", "{settings}");
    wait(&central, "it is in step again", in_step);
    assert!(child.stop().expect("it stops"), "{}", child.log());
    let store = store(child.data());
    let audit = store.read(|tx| tx.audit_list(None, 200)).expect("audit").items;
    let corrected = audit.iter().find(|row| row.action == "site.drift").expect("on record");
    assert!(corrected.actor.contains("parent"), "{corrected:?}");
}

#[test]
fn codes_work_once_and_say_what_is_wrong() {
    let central = server();
    json(&central, &["sites", "add", "PRI1", "--kind", "primary"]);
    let void = code(&central, "PRI1");
    let good = code(&central, "PRI1");
    let message = refused(&["--enrol", &void]);
    assert!(message.contains("a newer code took the place"), "{message}");
    let damaged = format!("{}x", &good[..good.len() - 2]);
    let message = refused(&["--enrol", &damaged]);
    assert!(message.contains("incomplete or mistyped"), "{message}");
    assert!(!message.contains(&good[20..60]), "the code stays out of messages: {message}");
    let message = refused(&["--enrol", &good, "--parent", "https://other.example:8531"]);
    assert!(message.contains("not of https://other.example:8531"), "{message}");
    let message = refused(&["--enrol", &good, "--parent", "http://127.0.0.1:8530"]);
    assert!(message.contains("never sent over plain HTTP"), "{message}");
    let child = WeirProcess::start_with(binary(), None, &["--enrol", &good, "--parent", &central.client_https_url()]);
    let child = child.expect("the address agrees with the code");
    let message = refused(&["--enrol", &good]);
    assert!(message.contains("was used already"), "{message}");

    // another server answers at the address of the code
    let (other, port) = (server(), central.client_https_url());
    drop(central);
    let _ = (child, other, port);
}

#[test]
fn a_removed_site_is_shut_out_and_may_come_back() {
    let central = server();
    json(&central, &["sites", "add", "PRI1", "--kind", "primary"]);
    let child = enrolled(&code(&central, "PRI1"));
    wait(&central, "it is there", |list| is_configured(list, "PRI1"));
    json(&child, &["sync", "now", "--wait"]);
    let removed = central.weir(&["sites", "remove", "PRI1"]).expect("it runs");
    assert!(removed.status.success());
    let own = wait(&child, "it hears of it", |list| site(list, "PRI1")["configuration"] == "refused");
    let error = site(&own, "PRI1")["point"]["sync"]["error"].to_string();
    assert!(error.contains("not enrolled here"), "{error}");
    let alerts = json(&child, &["alerts", "list"]).to_string();
    assert!(alerts.contains("site.refused"), "{alerts}");
    let (ended, said) = child.json_with_code(&["sync", "now", "--wait"]).expect("it answers");
    assert_eq!(ended, 1, "it does not synchronize either: {said}");
    // it may go on alone
    json(&child, &["sites", "leave"]);
    json(&child, &["collections", "create", "Mine"]);
    let own = json(&child, &["sites", "list"]);
    assert_eq!(own["items"][0]["kind"], "primary");
}

#[test]
fn what_computers_report_goes_up_between_synchronizations() {
    let central = server();
    json(&central, &["sites", "add", "PRI1", "--kind", "primary"]);
    let mut child = enrolled(&code(&central, "PRI1"));
    let early = child.weir(&["sync", "roll-up"]).expect("it runs");
    assert_eq!(early.status.code(), Some(1), "nothing was synchronized yet");
    wait(&central, "it is there", |list| is_configured(list, "PRI1"));
    json(&child, &["sync", "now", "--wait"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let scan = |child: &WeirProcess, number: u64| {
        let agent = ScriptedAgent::new(&child.client_url(), Computer::numbered(number));
        let mut agent = agent.expect("an address");
        runtime.block_on(async { agent.scan().await.expect("a scan") });
    };
    let seen =
        |count: usize| move |list: &Value| list["items"].as_array().is_some_and(|computers| computers.len() == count);
    scan(&child, 1);
    let told = json(&child, &["sync", "roll-up"]);
    assert_eq!((&told["computers"], &told["detailed"]), (&1.into(), &true.into()), "{told}");
    central.wait_for(&["computers", "list"], seen(1)).expect("the top knows it");
    // by itself: soon after a start, then on and on
    scan(&child, 2);
    child.kill().expect("killed");
    child.restart().expect("it starts");
    central.wait_for(&["computers", "list"], seen(2)).expect("the top hears of it without a synchronization");
    assert_eq!(json(&child, &["sync", "history"])["items"].as_array().expect("runs").len(), 1);
}

#[test]
fn a_site_below_a_lost_top_goes_on_by_itself() {
    let central = server();
    json(&central, &["sites", "add", "CEN", "--kind", "central"]);
    json(&central, &["sites", "add", "PRI1", "--kind", "primary"]);
    json(&central, &["sites", "add", "SEC1", "--kind", "secondary", "--under", "PRI1"]);
    let middle = enrolled(&code(&central, "PRI1"));
    let lowest = enrolled(&code(&middle, "SEC1"));
    wait(&middle, "it is there", |list| is_configured(list, "SEC1"));
    let (_, said) = lowest.json_with_code(&["collections", "create", "Mine"]).expect("a refusal");
    assert!(said.to_string().contains("top of the tree, CEN"), "{said}");
    let (_, said) = middle.json_with_code(&["collections", "create", "Mine"]).expect("a refusal");
    assert!(said.to_string().contains("change it there, at https://"), "{said}");
    drop(central);
    let (exit, said) = middle.json_with_code(&["sites", "leave"]).expect("a refusal");
    assert_eq!(exit, 1);
    assert!(said.to_string().contains("weir sites leave --force"), "{said}");
    let left = json(&middle, &["sites", "leave", "--force"]);
    assert!(left["note"].as_str().expect("a note").contains("1 servers below it are shut out"), "{left}");
    json(&middle, &["collections", "create", "Mine"]);
    let own = json(&middle, &["sites", "list"]);
    assert_eq!(own["items"].as_array().expect("rows").len(), 1, "{own}");
    let own = wait(&lowest, "it hears of it", |list| site(list, "SEC1")["configuration"] == "refused");
    assert!(site(&own, "SEC1")["point"]["sync"]["error"].to_string().contains("not enrolled here"), "{own}");
    // and comes back where it was
    json(&middle, &["sites", "add", "SEC1", "--kind", "secondary"]);
    let again = enrolled(&code(&middle, "SEC1"));
    again.wait_for(&["collections", "list"], |list| list.to_string().contains("Mine")).expect("it came down");
}

#[test]
fn the_guid_of_a_site_is_no_proof_of_being_it() {
    let central = server();
    json(&central, &["sites", "add", "PRI1", "--kind", "primary"]);
    let child = enrolled(&code(&central, "PRI1"));
    let list = wait(&central, "it is there", |list| is_configured(list, "PRI1"));
    json(&child, &["sync", "now", "--wait"]);
    json(&central, &["settings", "set", "downstream.policy", "open"]);
    let mut stranger = ScriptedDownstream::of(&central.client_url()).expect("an address");
    stranger.id = site_id(&list).parse().expect("a GUID");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let error = runtime.block_on(stranger.authorize()).expect_err("it shows no certificate");
    assert!(format!("{error:#}").contains("site link"), "{error:#}");
    stranger.id = uuid::Uuid::from_u128(0x57);
    runtime.block_on(stranger.authorize()).expect("anybody else is served under this policy");
    let (code, said) = central.json_with_code(&["downstream", "refuse", &site_id(&list)]).expect("it answers");
    assert_eq!(code, 1, "a site is removed, not refused: {said}");
    assert!(said.to_string().contains("weir sites remove PRI1"), "{said}");
}

/// The GUID of PRI1's server.
fn site_id(list: &Value) -> String {
    site(list, "PRI1")["point"]["server_id"].as_str().expect("an id").to_owned()
}

#[test]
fn a_lost_server_is_replaced() {
    let central = server();
    json(&central, &["sites", "add", "PRI1", "--kind", "primary"]);
    let lost = enrolled(&code(&central, "PRI1"));
    wait(&central, "it is there", |list| is_configured(list, "PRI1"));
    let before = json(&central, &["sites", "show", "PRI1"])["point"]["server_id"].clone();
    drop(lost);
    let made = json(&central, &["sites", "enrol", "PRI1"]);
    assert_eq!(made["replaces"], true);
    let _anew = enrolled(made["code"].as_str().expect("a code"));
    wait(&central, "another server", |list| {
        let row = site(list, "PRI1");
        row["point"]["server_id"] != before && is_configured(list, "PRI1")
    });
}

#[test]
fn a_server_with_decisions_of_its_own_is_not_enrolled_unless_told_to() {
    let central = server();
    json(&central, &["sites", "add", "PRI1", "--kind", "primary"]);
    let mut other = server();
    json(&other, &["collections", "create", "Precious"]);
    json(&other, &["languages", "set", "--id", "en", "de"]);
    assert!(other.stop().expect("it stops"));
    let code = code(&central, "PRI1");
    other.set_arguments(&["--enrol", &code]);
    let message = format!("{:#}", other.restart().expect_err("it must not start"));
    assert!(message.contains("1 collection") && message.contains("2 selected"), "{message}");
    assert!(message.contains("--force"), "{message}");
    other.set_arguments(&["--enrol", &code, "--force"]);
    other.restart().expect("it starts");
    assert!(!json(&other, &["collections", "list"]).to_string().contains("Precious"));
    wait(&central, "it is there", |list| is_configured(list, "PRI1"));
}

/// One command at the top brings the whole catalogue to the lowest site, with the decisions about it.
#[test]
fn the_success_of_the_top_reaches_every_site_below() {
    let central = server();
    json(&central, &["sites", "add", "CEN", "--kind", "central"]);
    json(&central, &["sites", "add", "PRI1", "--kind", "primary"]);
    json(&central, &["sites", "add", "SPARE", "--kind", "replica", "--under", "PRI1"]);
    json(&central, &["sites", "add", "SEC1", "--kind", "secondary", "--under", "PRI1"]);
    json(&central, &["import", &genuine_package()]);
    let shelf = shelf(&central);
    let folder = tempfile::tempdir().expect("a folder");
    let document = Document::software(id(1), 1).in_category(shelf.classification).in_category(shelf.product);
    write_documents(folder.path(), [&document]);
    json(&central, &["import", folder.path().to_str().expect("UTF-8")]);
    let update = id(1).to_string();
    json(&central, &["products", "set", "--all"]);
    json(&central, &["classifications", "set", "--all"]);
    let first = enrolled(&code(&central, "PRI1"));
    let secondary = enrolled(&code(&first, "SEC1"));
    let spare = enrolled(&code(&first, "SPARE"));
    wait(&central, "all are there", |list| ["PRI1", "SEC1", "SPARE"].iter().all(|name| is_configured(list, name)));
    let run = json(&central, &["sync", "now", "--wait"]);
    assert_eq!(run["result"], "done", "{run}");
    let is_there = |list: &Value| {
        let top = site(list, "CEN")["point"].clone();
        ["PRI1", "SEC1", "SPARE"].iter().all(|name| {
            let row = site(list, name);
            row["behind"] == false
                && row["point"]["catalogue_version"] == top["catalogue_version"]
                && row["point"]["sync"]["state"] == "done"
        })
    };
    let list = central.wait_for(&["sites", "list"], is_there);
    let logs = || [&central, &first, &secondary, &spare].map(WeirProcess::log).join("\n----\n");
    list.unwrap_or_else(|error| panic!("{error:#}\n{}", logs()));
    let catalogue = |server: &WeirProcess| -> BTreeSet<String> {
        let list = json(server, &["updates", "list", "--all"]);
        list["items"].as_array().expect("rows").iter().map(|row| format!("{}@{}", row["id"], row["revision"])).collect()
    };
    let whole = catalogue(&central);
    assert!(whole.len() > 3_600, "{}", whole.len());
    for (server, name) in [(&first, "PRI1"), (&secondary, "SEC1"), (&spare, "SPARE")] {
        assert!(catalogue(server) == whole, "{name} has another catalogue");
        let history = json(server, &["sync", "history"]);
        assert_eq!(history["items"][0]["trigger"], "parent", "{history}");
    }

    // a decision at the top reaches the lowest site without a synchronization there
    json(&central, &["collections", "create", "Pilot"]);
    json(&central, &["deployments", "create", "--update", &update, "--collection", "Pilot", "--action", "optional"]);
    let deployed = secondary.wait_for(&["deployments", "list"], |list| list.to_string().contains(&update));
    deployed.unwrap_or_else(|error| panic!("{error:#}\n{}", logs()));
    let (code, message) = secondary.json_with_code(&["updates", "decline", &update]).expect("a refusal");
    assert!(code == 1 && message.to_string().contains("cannot be changed here"), "{message}");
}

/// Copies a data folder as an administrator might: while nothing runs in it.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    copy_files(from, to);
    if engine::is_postgres() {
        engine::copy(from, to);
    }
}

fn copy_files(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy_files(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

#[test]
fn a_copied_data_folder_is_found_out() {
    let central = server();
    for name in ["PRI1", "PRI2"] {
        json(&central, &["sites", "add", name, "--kind", "primary"]);
    }
    let mut child = enrolled(&code(&central, "PRI1"));
    wait(&central, "it is there", |list| is_configured(list, "PRI1"));
    assert!(child.stop().expect("it stops"));
    let folder = tempfile::tempdir().expect("a folder");
    let (twin, other) = (folder.path().join("twin"), folder.path().join("other"));
    copy(child.data(), &twin);
    copy(child.data(), &other);
    child.restart().expect("it starts");

    // a copy that is to be another site
    let second = code(&central, "PRI2");
    let error = WeirProcess::start_with(binary(), Some(&other), &["--enrol", &second]).expect_err("it must not start");
    let message = format!("{error:#}");
    assert!(message.contains("same identity") && message.contains("PRI1"), "{message}");
    assert!(message.contains("empty data folder"), "{message}");

    // a copy that just runs
    let _twin = WeirProcess::start_with(binary(), Some(&twin), &[]).expect("it starts");
    let alerts = central.wait_for(&["alerts", "list"], |list| list.to_string().contains("site.same_identity"));
    let alerts = alerts.unwrap_or_else(|error| panic!("{error:#}\n{}", central.log())).to_string();
    assert!(alerts.contains("PRI1") && alerts.contains("copied"), "{alerts}");
}

#[test]
fn the_parents_own_folder_is_no_child() {
    let mut central = server();
    json(&central, &["sites", "add", "PRI1", "--kind", "primary"]);
    assert!(central.stop().expect("it stops"));
    let folder = tempfile::tempdir().expect("a folder");
    let twin = folder.path().join("twin");
    copy(central.data(), &twin);
    central.restart().expect("it starts");
    let code = code(&central, "PRI1");
    let error = WeirProcess::start_with(binary(), Some(&twin), &["--enrol", &code]).expect_err("it must not start");
    let message = format!("{error:#}");
    assert!(message.contains("identity of this parent itself"), "{message}");
}
