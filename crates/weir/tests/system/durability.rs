//! Backups, restores and damage, with the whole program: each test is a promise of docs/operations.md. Backups are copies of the file of
//! the embedded database, whatever engine was chosen.

mod content;
mod load;
mod restoring;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Instant,
};

use serde_json::{Value, json as value};
use weir_model::update::CategoryKind;
use weir_testkit::{Document, Payload, Random, WeirProcess, engine};
use weir_wire::soap::ErrorCode;

use super::{
    agent, computer, crash::small_catalogue, genuine_package, id, json, run, sqlite_server as server, sqlite_server_in,
    sync_faults::Small, write_documents,
};

/// Runs the command line on a folder, server or not. What it printed as JSON, and its exit code.
pub(super) fn weir(data: &Path, arguments: &[&str]) -> (i32, Value) {
    let output: Output = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(arguments)
        .arg("--json")
        .arg("--data")
        .arg(data)
        .envs(engine::environment(data))
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let code = output.status.code().expect("not killed");
    let printed = serde_json::from_slice(&output.stdout);
    (code, printed.unwrap_or_else(|_| panic!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr))))
}

/// Nothing in a data folder is damaged; how full the disk of this machine is does not matter.
pub(super) fn sound(data: &Path, when: &str) {
    let (_, found) = weir(data, &["doctor"]);
    let findings = found["findings"].as_array().expect("findings").iter();
    let damage: Vec<&Value> =
        findings.filter(|one| one["severity"] == "damage" && one["code"] != "disk_full").collect();
    assert!(damage.is_empty(), "{when}: {damage:?}");
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Folders that have the name of a backup, and how many hidden ones are beside them.
fn shelf(folder: &Path) -> (Vec<PathBuf>, usize) {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry"));
    let (hidden, shown): (Vec<_>, Vec<_>) = entries
        .map(|entry| entry.path())
        .partition(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')));
    (shown, hidden.len())
}

/// The promise: a backup is there whole under its name, or not at all, whenever the power goes.
#[test]
fn a_backup_that_a_power_cut_ended_is_no_backup() {
    let mut server = server();
    json(&server, &["import", &genuine_package()]);
    let begun = Instant::now();
    json(&server, &["backup", "create"]);
    let lasts = begun.elapsed();
    let folder = server.data().join("backups");
    let mut random = Random::new(8);
    for round in 0..6 {
        let mut create = server.command(&["backup", "create"]);
        let mut create = create.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a command");
        std::thread::sleep(lasts.mul_f64(random.fraction()));
        server.kill().expect("killed");
        create.wait().expect("ended");
        server.restart().expect("it starts again");
        let (whole, _) = shelf(&folder);
        assert!(!whole.is_empty(), "round {round}: the first one is gone");
        for backup in &whole {
            let (code, said) = weir(server.data(), &["backup", "verify", text(backup)]);
            assert_eq!(code, 0, "round {round}: {said}");
        }
        // one that was asked for and not begun is made now
        server
            .wait_for(&["backup", "status"], |status| status["current"].is_null())
            .expect("none is under way for ever");
    }
    json(&server, &["backup", "create"]);
    assert_eq!(shelf(&folder).1, 0, "what was left half written went with the next one");
    assert_eq!(weir(server.data(), &["doctor"]).1["running"], true);
}

/// The promise: without room there is no backup, a clear refusal, and nothing of it stays; the server goes on.
#[test]
fn a_full_disk_ends_a_backup_and_nothing_of_it_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let small = Small::mount(&folder.path().join("small"));
    let data = folder.path().join("data");
    fs::create_dir_all(&data).expect("a folder");
    fs::write(data.join("weir.toml"), format!("[backup]\nfolder = {:?}\n", text(small.path()))).expect("settings");
    let server = sqlite_server_in(Some(&data));
    small.fill(1 << 20);
    let (code, said) = weir(&data, &["backup", "create"]);
    assert_eq!((code, &said["problem"]["code"]), (1, &value!("backup_no_room")), "{said}");
    assert!(said["problem"]["next_step"].as_str().expect("advice").contains("make room"), "{said}");
    assert_eq!(shelf(small.path()).1, 0, "nothing was written");
    small.free();
    // room for bytes, and for so many files that keys have none any more
    small.limit_files(6);
    let (code, said) = weir(&data, &["backup", "create"]);
    assert_eq!((code, &said["problem"]["code"]), (1, &value!("disk_full")), "{said}");
    assert_eq!(shelf(small.path()), (Vec::new(), 0), "nothing stays");
    small.limit_files(10_000);
    json(&server, &["settings", "set", "server.name", "still.here"]);
    assert_eq!(weir(&data, &["backup", "create"]).0, 0);
    drop(server);
}

/// The promise: a restored server serves, and computers are told once that it changed, even after it has given out as many
/// changes as the one before.
#[test]
fn a_backup_restored_elsewhere_serves_a_scanning_computer() {
    let mut first = server();
    let (shelf, updates) = small_catalogue(&first, 8);
    let deploy = |server: &WeirProcess, update: usize| {
        let update = updates[update].to_string();
        let create =
            ["deployments", "create", "--update", &update, "--collection", "All Computers", "--action", "optional"];
        json(server, &create);
    };
    deploy(&first, 0);
    let ca = fs::read(first.data().join("tls/ca.pem")).expect("the authority");
    let made = json(&first, &["backup", "create", "--folder", "nightly"]);
    let backup = PathBuf::from(made["path"].as_str().expect("a path"));
    // what comes after the backup, and is lost
    deploy(&first, 1);
    let mut computer = agent(&first, computer(1, &shelf));
    let before = run(computer.scan()).expect("a scan");
    assert_eq!(before.offered.len(), 2, "{before:?}");
    run(computer.report_scan()).expect("a report");
    assert!(first.stop().expect("it stops"), "{}", first.log());

    let scratch = tempfile::tempdir().expect("a folder");
    let data = scratch.path().join("elsewhere");
    let (code, told) = weir(&data, &["restore", text(&backup)]);
    assert_eq!((code, &told["aside"]), (0, &Value::Null), "{told}");
    assert!(told["next_steps"].to_string().contains("weir serve"), "{told}");
    assert!(told["sees"].to_string().contains("users, tokens"), "{told}");
    let second = sqlite_server_in(Some(&data));
    assert_eq!(fs::read(data.join("tls/ca.pem")).expect("the authority"), ca, "nothing has to be trusted anew");
    // more changes than the lost ones, so that no number of before is ahead of this server
    for update in 2..5 {
        deploy(&second, update);
    }
    computer.move_to(&second.client_url()).expect("an address");
    let after = run(computer.scan()).expect("a scan");
    assert_eq!(after.recovered, [ErrorCode::ServerChanged], "told once");
    assert_eq!(after.offered.len(), 4, "what is deployed here, and nothing of what was lost: {after:?}");
    assert_eq!(run(computer.scan()).expect("a scan").recovered, []);
    run(computer.report_scan()).expect("a report");
    assert_eq!(json(&second, &["computers", "list"])["items"].as_array().expect("items").len(), 1);
    let audit = json(&second, &["audit", "list", "--all"]).to_string();
    assert!(audit.contains("site.restore"), "{audit}");
    drop(second);
    // it is said once
    let again = sqlite_server_in(Some(&data));
    computer.move_to(&again.client_url()).expect("an address");
    assert_eq!(run(computer.scan()).expect("a scan").recovered, [], "a restart is no restore");
}

/// The promise: what was altered is refused with nothing changed, and what is in use is never replaced.
#[test]
fn a_restore_refuses_what_was_altered_and_what_is_in_use() {
    let mut server = server();
    json(&server, &["collections", "create", "Precious"]);
    let made = json(&server, &["backup", "create"]);
    let backup = PathBuf::from(made["path"].as_str().expect("a path"));
    let (code, said) = weir(server.data(), &["restore", text(&backup), "--replace"]);
    assert_eq!((code, &said["problem"]["code"]), (1, &value!("data_in_use")), "{said}");
    assert!(server.stop().expect("it stops"));
    let (code, said) = weir(server.data(), &["restore", text(&backup)]);
    assert_eq!((code, &said["problem"]["code"]), (1, &value!("not_empty")), "{said}");
    let database = backup.join("weir.db");
    let sound = fs::read(&database).expect("the copy");
    let mut altered = sound.clone();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    fs::write(&database, altered).expect("altered");
    let (code, said) = weir(server.data(), &["restore", text(&backup), "--replace"]);
    assert_eq!((code, &said["problem"]["code"]), (1, &value!("backup_altered")), "{said}");
    server.restart().expect("nothing was changed");
    assert!(json(&server, &["collections", "list"]).to_string().contains("Precious"));
    assert!(server.stop().expect("it stops"));
    fs::write(&database, sound).expect("as it was");
    // made of the folder itself, without a server
    let (code, second) = weir(server.data(), &["backup", "create"]);
    assert_eq!((code, &second["asked_by"]), (0, &value!("command line")), "{second}");
    let (code, told) = weir(server.data(), &["restore", text(&backup), "--replace"]);
    assert_eq!(code, 0, "{told}");
    assert!(Path::new(told["aside"].as_str().expect("kept")).join("weir.db").exists());
    server.restart().expect("it starts");
    assert!(json(&server, &["collections", "list"]).to_string().contains("Precious"));
}

/// The promise: on a disk that became read-only the server says so and does not start, and nothing is lost.
#[test]
fn a_read_only_data_folder_is_refused_clearly_and_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let small = Small::mount(&folder.path().join("small"));
    let data = small.path().join("data");
    let mut server = sqlite_server_in(Some(&data));
    json(&server, &["collections", "create", "Precious"]);
    assert!(server.stop().expect("it stops"));
    let log = fs::read_to_string(data.with_extension("log")).expect("the log");
    small.writable(false);
    let output =
        Command::new(env!("CARGO_BIN_EXE_weir")).arg("serve").arg("--data").arg(&data).output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(said.contains("Read-only file system") && said.contains(text(&data)), "{said}");
    let (code, found) = weir(&data, &["doctor"]);
    assert_eq!(code, 3, "{found}");
    let codes: Vec<&str> =
        found["findings"].as_array().expect("findings").iter().filter_map(|one| one["code"].as_str()).collect();
    assert!(codes.contains(&"read_only"), "{found}");
    assert!(!codes.contains(&"database_unreadable"), "it can be read all the same: {found}");
    small.writable(true);
    assert_eq!(fs::read_to_string(data.with_extension("log")).expect("the log"), log);
    server.restart().expect("it starts");
    assert!(json(&server, &["collections", "list"]).to_string().contains("Precious"));
    drop(server);
}

/// The promise: a content file that changed on disk is put aside, served to nobody, found by the doctor, and left out of backups.
#[test]
fn a_content_file_that_changed_on_disk_is_put_aside_and_served_to_nobody() {
    let server = server();
    let payload = Payload::random("file.cab", 300_000, 5);
    let folder = tempfile::tempdir().expect("a folder");
    write_documents(
        folder.path(),
        &[
            Document::category(id(1), 1, CategoryKind::Product).title("Product"),
            Document::software(id(2), 1).title("Update").in_category(id(1)).file(&payload),
        ],
    );
    json(&server, &["import", text(folder.path())]);
    let file = folder.path().join("file.cab");
    fs::write(&file, &payload.bytes).expect("a file");
    json(&server, &["content", "add", text(&file)]);
    let url = format!("{}/Content/{}", server.client_url(), payload.content_path());
    let fetched = || run(async { reqwest::get(&url).await.expect("an answer").status().as_u16() });
    assert_eq!(fetched(), 200);

    let stored = server.data().join("content").join(payload.content_path());
    let mut bytes = payload.bytes.clone();
    bytes[200_000] ^= 1;
    fs::write(&stored, bytes).expect("changed");
    let (code, found) = weir(server.data(), &["doctor", "--content"]);
    assert_eq!(code, 3, "{found}");
    assert!(found["findings"].to_string().contains("content_differs"), "{found}");
    let (code, made) = weir(server.data(), &["backup", "create", "--content"]);
    assert_eq!((code, &made["content"]["left_out"]), (3, &value!(1)), "{made}");
    let (code, checked) = server.json_with_code(&["content", "verify"]).expect("it answers");
    assert_ne!(code, 0, "{checked}");
    assert_eq!(fetched(), 404, "served to nobody");
    assert!(!stored.exists());
    let aside = fs::read_dir(server.data().join("content/quarantine")).expect("the folder").count();
    assert_eq!(aside, 1, "kept for inspection");
    // and brought again it is served
    json(&server, &["content", "add", text(&file)]);
    assert_eq!(fetched(), 200);
    let (_, found) = weir(server.data(), &["doctor", "--content"]);
    assert!(!found["findings"].to_string().contains("content_"), "{found}");
}
