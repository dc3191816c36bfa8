//! A restore that is cut short, at every place where a file changes its name; and data that were brought back by other means.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use jiff::Timestamp;
use weir_model::ids::UpdateId;
use weir_store::{DATABASE, backup::Inspection};
use weir_testkit::WeirProcess;
use weir_wire::soap::ErrorCode;

use super::{
    super::{agent, computer, crash::small_catalogue, json, run, sqlite_server as server, sqlite_server_in},
    sound, text, weir,
};

/// How names are changed, on any processor.
const RENAMES: &str = "?rename,?renameat,?renameat2";

/// Restores in place of what is there, and cuts the power before the n-th name is changed. True if it came to its end before.
fn restore_until(data: &Path, backup: &Path, name: usize) -> bool {
    let status = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e", "signal=none", "-e", &format!("trace={RENAMES}")])
        .args(["-e", &format!("inject={RENAMES}:signal=KILL:when={name}"), env!("CARGO_BIN_EXE_weir")])
        .args(["restore", text(backup), "--replace", "--data", text(data)])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.expect("this test needs strace (`cargo xtask test` installs it)").success()
}

/// Whether the site of a folder has a collection, by its database with the log beside it. Nothing is made there.
fn has(folder: &Path, name: &str) -> bool {
    let scratch = tempfile::tempdir().expect("a folder");
    for file in [DATABASE.to_owned(), format!("{DATABASE}-wal")] {
        let from = folder.join(&file);
        if from.exists() {
            fs::copy(from, scratch.path().join(&file)).expect("copied");
        }
    }
    let inspection = Inspection::open(&scratch.path().join(DATABASE)).expect("a database");
    inspection.read(|tx| Ok(tx.collection_find(name)?.is_some())).expect("its collections")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// The promise: until a restore changes the first name nothing has changed; then no server starts until the same command was given
/// again, which ends it. What was there before is kept whole.
#[test]
fn a_restore_that_is_cut_at_any_name_goes_on_when_it_is_given_again() {
    let mut server = server();
    json(&server, &["collections", "create", "Precious"]);
    let made = json(&server, &["backup", "create"]);
    let backup = PathBuf::from(made["path"].as_str().expect("a path"));
    json(&server, &["collections", "create", "Later"]);
    assert!(server.stop().expect("it stops"), "{}", server.log());

    let scratch = tempfile::tempdir().expect("a folder");
    let (mut halves, mut last) = (0, PathBuf::new());
    for name in 1.. {
        assert!(name < 60, "it changes names without end");
        last = scratch.path().join(format!("site-{name}"));
        copy(server.data(), &last);
        if restore_until(&last, &backup, name) {
            break;
        }
        if last.join("restoring.json").exists() {
            if halves == 0 {
                let refused = WeirProcess::start_on_sqlite(env!("CARGO_BIN_EXE_weir"), Some(&last), &[]);
                let refused = format!("{:#}", refused.expect_err("no server starts on half of each"));
                assert!(refused.contains("was not finished"), "{refused}");
            }
            halves += 1;
        } else {
            assert!(has(&last, "Precious") && has(&last, "Later"), "cut {name} changed something");
        }
        let (code, told) = weir(&last, &["restore", text(&backup), "--replace"]);
        assert_eq!(code, 0, "cut {name}: {told}");
        assert!(has(&last, "Precious") && !has(&last, "Later"), "cut {name}: not what was backed up");
        let names: Vec<String> = fs::read_dir(&last)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        let aside: Vec<&String> = names.iter().filter(|name| name.starts_with("replaced-")).collect();
        assert!(matches!(aside[..], [one] if has(&last.join(one), "Later")), "cut {name}: {names:?}");
        let left = ["restoring.json", ".restore.partial"];
        assert!(!names.iter().any(|name| left.contains(&name.as_str())), "cut {name}: {names:?}");
    }
    assert!(halves > 3, "{halves} cuts came between two names");
    sound(&last, "after a restore");
    let restored = sqlite_server_in(Some(&last));
    let names = json(&restored, &["collections", "list"]).to_string();
    assert!(names.contains("Precious") && !names.contains("Later"), "{names}");
}

/// The promise: data that came back as a snapshot of a disk, or by recovery to a point in time, are made known by one command:
/// computers are told once that the server changed, also if it has made as many changes since as were lost.
#[test]
fn data_that_were_brought_back_by_other_means_are_made_known() {
    let mut server = server();
    let (shelf, updates) = small_catalogue(&server, 8);
    let deploy = |server: &WeirProcess, update: UpdateId| {
        let update = update.to_string();
        let create =
            ["deployments", "create", "--update", &update, "--collection", "All Computers", "--action", "optional"];
        json(server, &create);
    };
    deploy(&server, updates[0]);
    assert!(server.stop().expect("it stops"), "{}", server.log());
    let scratch = tempfile::tempdir().expect("a folder");
    let snapshot = scratch.path().join("snapshot");
    copy(server.data(), &snapshot);
    let taken = Timestamp::now().to_string();
    server.restart().expect("it starts again");
    // what comes after the snapshot, and is lost
    deploy(&server, updates[1]);
    let mut computer = agent(&server, computer(1, &shelf));
    assert_eq!(run(computer.scan()).expect("a scan").offered.len(), 2);
    let (code, said) = weir(server.data(), &["restore", "--state-of", &taken]);
    assert_eq!((code, &said["problem"]["code"]), (1, &"data_in_use".into()), "{said}");
    assert!(server.stop().expect("it stops"), "{}", server.log());

    fs::rename(server.data(), scratch.path().join("lost")).expect("moved");
    copy(&snapshot, server.data());
    let (code, told) = weir(server.data(), &["restore", "--state-of", &taken]);
    assert_eq!(code, 0, "{told}");
    assert!(told["sees"].to_string().contains("users, tokens"), "{told}");
    server.restart().expect("it starts again");
    for update in &updates[2..5] {
        deploy(&server, *update);
    }
    computer.move_to(&server.client_url()).expect("an address");
    let scan = run(computer.scan()).expect("a scan");
    assert_eq!(scan.recovered, [ErrorCode::ServerChanged], "told once");
    assert_eq!(scan.offered.len(), 4, "what is deployed here, and nothing of what was lost: {scan:?}");
    assert_eq!(run(computer.scan()).expect("a scan").recovered, []);
    let (code, said) = weir(server.data(), &["restore", "--state-of", "2199-01-01T00:00:00Z"]);
    assert_ne!(code, 0, "{said}");
}
