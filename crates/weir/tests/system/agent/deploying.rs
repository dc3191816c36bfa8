//! Deployments: download, installation, restart, removal, and what the server hears of it.

use std::{fs, sync::Arc};

use weir_agent::{
    agent::RoundOptions,
    computer::Installed,
    deploy::Due,
    download::{Download, FileProblem, Keep},
    scan::Options,
};
use weir_model::update::CategoryKind;
use weir_testkit::{Document, Payload, WeirProcess};
use weir_wire::wusp::Action;

use super::Player;
use crate::{id, json, run, server, write_documents};

/// Imports updates with their files.
pub(super) fn publish(server: &WeirProcess, updates: &[&Document]) {
    let folder = tempfile::tempdir().expect("a folder");
    let (documents, content) = (folder.path().join("documents"), folder.path().join("content"));
    fs::create_dir_all(&content).expect("a folder");
    write_documents(&documents, updates.iter().copied());
    for payload in updates.iter().flat_map(|document| document.payloads()) {
        payload.write_to(&content).expect("a file");
    }
    json(server, &["import", documents.to_str().expect("UTF-8")]);
    json(server, &["content", "add", content.to_str().expect("UTF-8")]);
}

pub(super) fn deploy(server: &WeirProcess, update: &Document, action: &str, more: &[&str]) {
    let update = update.id().to_string();
    let mut arguments = vec!["deployments", "create", "--update", &update, "--collection", "All Computers"];
    arguments.extend(["--action", action]);
    arguments.extend(more);
    json(server, &arguments);
}

/// The state of an update on the player's computer, as the server shows it.
fn state(server: &WeirProcess, player: &Player, update: &Document) -> String {
    let shown = json(server, &["computers", "show", player.pc.description.client_id.as_str()]);
    let lists =
        ["needed", "failed", "installed"].into_iter().flat_map(|list| shown[list].as_array().into_iter().flatten());
    let id = update.id().to_string();
    let found = lists.into_iter().find(|entry| entry["id"] == id.as_str());
    found.map_or_else(|| format!("not listed: {shown}"), |entry| entry["state"].as_str().unwrap_or_default().to_owned())
}

fn flag(number: u128) -> String {
    format!("<bar:RegKeyExists Key=\"HKEY_LOCAL_MACHINE\" Subkey=\"SOFTWARE\\Fix{number}\" />")
}

/// An update with a file and a rule that installing makes true.
pub(super) fn update(number: u128, title: &str) -> Document {
    Document::software(id(number), 1)
        .title(title)
        .installed_if(&flag(number))
        .installable_if("<lar:True />")
        .file(&Payload::random(&format!("fix{number}.cab"), 300_000, number as u64))
}

#[test]
fn deployed_updates_are_installed_and_the_server_hears_of_it() {
    let server = server();
    let stack = update(3, "2026-05 Servicing Stack Update for Windows 10");
    let member = Document::member(id(5), 1)
        .installed_if(&flag(5))
        .installable_if("<lar:True />")
        .file(&Payload::random("m.cab", 1_000, 5));
    let bundle = Document::software(id(4), 1).title("A bundle").bundles([member.identity()]);
    let (plain, later, offered) = (update(1, "Now"), update(2, "Later"), update(6, "Offered"));
    publish(&server, &[&plain, &later, &stack, &member, &bundle, &offered]);
    deploy(&server, &plain, "install", &[]);
    deploy(&server, &bundle, "install", &["--deadline", "2020-01-01T00:00:00Z"]);
    deploy(&server, &later, "install", &["--deadline", "2090-01-01T00:00:00Z"]);
    deploy(&server, &stack, "install", &[]);
    deploy(&server, &offered, "optional", &[]);
    run(async {
        let mut player = Player::new(&server, 1);
        let round = player.good_round().await;
        assert_eq!(player.pc.installed, ["2026-05 Servicing Stack Update for Windows 10", "Now", "A bundle"]);
        let due: Vec<_> = round.work.iter().map(|work| (work.title.as_str(), work.due)).collect();
        let deadline = "2090-01-01T00:00:00Z".parse().expect("a time");
        for expected in
            [("Now", Due::Now), ("Later", Due::At(deadline)), ("A bundle", Due::Now), ("Offered", Due::Offered)]
        {
            assert!(due.contains(&expected), "{expected:?} is not in {due:?}");
        }
        assert_eq!(round.next_due(), Some(deadline));
        let downloaded: Vec<_> =
            round.work.iter().filter(|work| work.download.is_some()).map(|work| work.title.as_str()).collect();
        assert_eq!(downloaded.len(), 4, "not what is only offered: {downloaded:?}");
        let status = player.state.status();
        assert_eq!(status.installed, [id(1), id(3), id(4)]);
        assert_eq!((status.downloaded, status.needed), (vec![id(2)], vec![id(6)]));
        // an offline look changes nothing more, and the second round has nothing to do
        let again = player.good_round().await;
        assert_eq!(player.pc.installed.len(), 3);
        assert!(again.work.iter().all(|work| work.installed.is_none() && work.download.is_none()));
        for (update, expected) in
            [(&plain, "installed"), (&bundle, "installed"), (&later, "downloaded"), (&offered, "required")]
        {
            assert_eq!(state(&server, &player, update), expected, "{}", update.id());
        }
    });
}

#[test]
fn a_restart_waits_for_its_time_and_then_finishes_the_installation() {
    let server = server();
    let fix = update(1, "Needs a restart");
    publish(&server, &[&fix]);
    deploy(&server, &fix, "install", &[]);
    run(async {
        let mut player = Player::new(&server, 1);
        player.pc.needs_restart = true;
        let round = player.good_round().await;
        assert_eq!(round.work[0].installed, Some(Installed::AfterRestart));
        assert_eq!((round.restarted, player.pc.restarts), (false, 0));
        assert_eq!(player.state.status().pending, [id(1)]);
        assert_eq!(state(&server, &player, &fix), "pending_restart");
        let at = player.state.restart_at.expect("a restart is due");
        let left = at.duration_since(jiff::Timestamp::now()).as_mins();
        assert!((88..=90).contains(&left), "{left} minutes");
        // the time comes
        player.state.restart_at = Some(jiff::Timestamp::UNIX_EPOCH);
        let round = player.good_round().await;
        assert_eq!((round.restarted, player.pc.restarts, player.pc.installed.len()), (true, 1, 1));
        assert_eq!(player.state.status().installed, [id(1)]);
        assert_eq!(player.state.restart_at, None);
        assert_eq!(state(&server, &player, &fix), "installed");
    });
}

#[test]
fn failures_are_told_with_their_code_and_tried_again() {
    let server = server();
    let fix = update(1, "Fails");
    publish(&server, &[&fix]);
    deploy(&server, &fix, "install", &[]);
    run(async {
        let mut player = Player::new(&server, 1);
        player.pc.fails = Some(-2_145_124_329);
        let round = player.good_round().await;
        assert_eq!(round.work[0].installed, Some(Installed::Failed(-2_145_124_329)));
        assert_eq!(player.state.status().failed, [id(1)]);
        assert_eq!(state(&server, &player, &fix), "failed");
        player.pc.fails = None;
        player.good_round().await;
        assert_eq!(player.state.status().installed, [id(1)]);
        assert_eq!(state(&server, &player, &fix), "installed");
        // and removed again
        let listed = json(&server, &["deployments", "list"]);
        json(&server, &["deployments", "delete", &listed["items"][0]["id"].to_string()]);
        deploy(&server, &fix, "uninstall", &[]);
        let round = player.good_round().await;
        assert_eq!(round.work[0].installed, Some(Installed::Done));
        assert_eq!(player.state.status().needed, [id(1)]);
        assert_eq!(state(&server, &player, &fix), "required");
    });
}

#[test]
fn files_are_resumed_verified_and_refused() {
    let server = server();
    let fix = update(1, "With a file");
    publish(&server, &[&fix]);
    deploy(&server, &fix, "install", &[]);
    let payload = fix.payloads().next().expect("a file").clone();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(format!("{}.cab", payload.sha1()));
    let part = folder.path().join(format!("{}.cab.part", payload.sha1()));
    run(async {
        let mut player = Player::new(&server, 1);
        let http = Arc::clone(player.link.settings());
        player.options.download = Some(Download::new(Keep::Folder(folder.path().to_owned()), http));
        player.options.install = false;
        // an agent was killed in the middle of it
        fs::write(&part, &payload.bytes[..100_000]).expect("written");
        let round = player.good_round().await;
        assert_eq!(round.work[0].download, Some(Ok(200_000)), "only the rest came");
        assert_eq!(fs::read(&path).expect("it is here"), payload.bytes);
        assert!(!part.exists());
        assert_eq!((round.work[0].action, round.work[0].installed), (Action::Install, None));
        // it is taken from the folder, and missed when it is gone
        assert_eq!(player.good_round().await.work[0].download, None);
        fs::remove_file(&path).expect("removed");
        assert_eq!(player.good_round().await.work[0].download, Some(Ok(300_000)));
        // what was begun is of another file: it is found out, deleted, and comes whole the next time
        fs::remove_file(&path).expect("removed");
        fs::write(&part, vec![7; 100_000]).expect("written");
        let round = player.good_round().await;
        assert!(matches!(round.work[0].download, Some(Err(FileProblem::Wrong { .. }))), "{:?}", round.work[0].download);
        assert!(!path.exists() && !part.exists());
        assert_eq!(player.good_round().await.work[0].download, Some(Ok(300_000)));
    });
}

#[test]
fn what_is_not_known_is_never_reported_as_not_applicable() {
    let server = server();
    let known = update(1, "Known");
    let strange = Document::software(id(2), 1)
        .title("Strange")
        .installed_if("<bar:RuleOfALaterTime />")
        .installable_if("<lar:True />");
    publish(&server, &[&known]);
    run(async {
        let mut player = Player::new(&server, 1);
        player.good_round().await;
        assert_eq!(state(&server, &player, &known), "required");
        publish(&server, &[&strange]);
        let round = player.good_round().await;
        assert_eq!(round.reported, 1, "that it scanned, and no states");
        assert_eq!(player.state.status().unknown, [strange.id()]);
        assert_eq!(state(&server, &player, &known), "required", "what was told before stays");
    });
    let summary = json(&server, &["compliance", "updates"]);
    let items = summary["items"].as_array().expect("rows");
    let row = items.iter().find(|row| row["id"] == strange.id().to_string().as_str()).expect("it is listed");
    assert_eq!(row["counts"]["unknown"], 1, "{row}");
    assert_eq!(row["counts"]["not_applicable"], 0, "{row}");
}

#[test]
fn a_scan_of_one_category_leaves_what_is_known_of_the_others() {
    let server = server();
    let (product, other) = (
        Document::category(id(20), 1, CategoryKind::Product).title("One").installed_if("<lar:True />"),
        Document::category(id(21), 1, CategoryKind::Product).title("Other").installed_if("<lar:True />"),
    );
    let (one, two) = (update(1, "One").in_category(id(20)), update(2, "Two").in_category(id(21)));
    publish(&server, &[&product, &other, &one, &two]);
    run(async {
        let mut player = Player::new(&server, 1);
        player.good_round().await;
        assert_eq!(state(&server, &player, &two), "required");
        let categories = vec![id(20)];
        let whole = std::mem::replace(
            &mut player.options,
            RoundOptions::detection(Arc::new(Options { categories, ..Options::default() })),
        );
        player.good_round().await;
        assert_eq!(state(&server, &player, &one), "required");
        assert_eq!(state(&server, &player, &two), "required", "outside the filter, and as before");
        player.options = whole;
        player.good_round().await;
        assert_eq!(state(&server, &player, &two), "required");
    });
}
