//! Backups of a site whose database is on a server of PostgreSQL, restored to either engine; moving there, and looking at it.

use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;
use weir_api::backup::BackupPhase;
use weir_store::{Actor, Store, transfer::has_data};
use weir_testkit::postgres::Database;

use super::{
    BackupError, Manifest, RESTORING, Restored, brought_back, make_here, marker::STAGE, restore, take_over,
    take_over::NOTE, verify,
};
use crate::{
    config::{self, Options, Settings},
    doctor::{self, Wanted},
    transfer::{self, Phase},
};

const GO_ON: ControlFlow<()> = ControlFlow::Continue(());

fn now() -> Timestamp {
    "2026-11-30T02:00:00Z".parse().expect("a time")
}

fn options(data: &Path, database: Option<&Database>) -> Options {
    let database = database.map(|database| database.url().to_owned());
    Options { data: Some(data.to_owned()), database, ..Options::default() }
}

fn settings(data: &Path, database: Option<&Database>) -> Settings {
    config::load(&options(data, database), &|_| None).expect("settings")
}

fn store(data: &Path, database: Option<&Database>) -> Store {
    Store::open(data, &settings(data, database).store().expect("settings")).expect("a store")
}

fn server_name(data: &Path, database: Option<&Database>) -> Option<Value> {
    store(data, database).read(|tx| tx.setting_show("server.name")).expect("reads").map(|row| row.value)
}

/// A data folder as a server leaves it, on either engine.
fn site(database: Option<&Database>, id: u128) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    store(data, database)
        .write(&Actor::system("test", now()), |tx| {
            tx.site_create(Uuid::from_u128(id))?;
            tx.setting_put("server.name", &json!("before.example"))
        })
        .expect("filled");
    fs::create_dir(data.join("tls")).expect("a folder");
    fs::write(data.join("tls/ca.pem"), "certificate").expect("a file");
    fs::write(data.join("tls/ca.key"), "key").expect("a file");
    fs::write(data.join("admin.token"), "secret\n").expect("a file");
    folder
}

fn backed_up(data: &Path, database: Option<&Database>) -> PathBuf {
    let made = make_here(&settings(data, database), None, Some(false), now(), &mut |_| GO_ON);
    PathBuf::from(made.expect("a backup").path)
}

fn restored(backup: &Path, data: &Path, database: Option<&Database>, replace: bool) -> Result<Restored, BackupError> {
    restore(&options(data, database), backup, replace, now(), &mut |_| GO_ON)
}

#[test]
fn a_backup_is_the_same_whatever_the_engine_and_is_restored_to_either() {
    let database = Database::empty();
    let folder = site(Some(&database), 7);
    assert!(!folder.path().join("weir.db").exists());
    let backup = backed_up(folder.path(), Some(&database));
    let manifest = Manifest::read(&backup).expect("a manifest");
    let paths: Vec<&str> = manifest.files.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths, ["admin.token", "content.sha256", "tls/ca.key", "tls/ca.pem", "weir.db"]);
    assert_eq!(manifest.server_id, Some(Uuid::from_u128(7)));
    assert_eq!(verify(&backup, &mut |_| GO_ON).expect("sound").files, 5);
    let text = fs::read_to_string(backup.join("manifest.json")).expect("a manifest");
    assert!(!text.contains("postgres://"), "{text}");

    // back to a folder
    let target = tempfile::tempdir().expect("a folder");
    let data = target.path().join("embedded");
    restored(&backup, &data, None, false).expect("restored");
    assert_eq!(server_name(&data, None), Some(json!("before.example")));

    // and to another server, from either
    let again = backed_up(&data, None);
    for (name, backup) in [("one", &backup), ("two", &again)] {
        let (other, data) = (Database::empty(), target.path().join(name));
        let done = restored(backup, &data, Some(&other), false).expect("restored");
        assert!(done.next_steps.iter().any(|step| step.contains("front ends")), "{:?}", done.next_steps);
        assert!(!data.join("weir.db").exists() && !data.join(RESTORING).exists() && !data.join(STAGE).exists());
        assert_eq!(fs::read_to_string(data.join("tls/ca.key")).expect("the key"), "key");
        assert_eq!(server_name(&data, Some(&other)), Some(json!("before.example")));
        // computers are told
        let store = store(&data, Some(&other));
        take_over(&store, &data, now()).expect("taken over");
        assert!(!data.join(NOTE).exists());
        drop(store);
        // what is there is not replaced
        for replace in [false, true] {
            let refused = restored(backup, &target.path().join("more"), Some(&other), replace).expect_err("it is full");
            assert_eq!(refused.code(), "database_refused", "{refused}");
        }
        assert!(!target.path().join("more").exists(), "nothing was begun");
    }
}

#[test]
fn a_restore_that_was_cut_short_or_stopped_goes_on_or_leaves_nothing() {
    let folder = site(None, 7);
    let backup = backed_up(folder.path(), None);
    let target = tempfile::tempdir().expect("a folder");
    let (database, data) = (Database::empty(), target.path().join("data"));
    let stopped = restore(&options(&data, Some(&database)), &backup, false, now(), &mut |told| {
        if told.phase == BackupPhase::Database { ControlFlow::Break(()) } else { GO_ON }
    });
    assert!(matches!(stopped, Err(BackupError::Cancelled)), "{stopped:?}");
    assert!(!data.join(RESTORING).exists() && !data.join(STAGE).exists());
    assert!(!has_data(database.url()).expect("looked"));

    // as a process leaves it that was killed before, or after, the database was there
    let note = json!({
        "step": "database", "backup": backup.canonicalize().expect("a path").display().to_string(), "aside": null,
        "stays": ["weir.toml", "weir.lock", "content", "backups", "reports", "lost+found", RESTORING],
    });
    let prepare = |with_database: bool| {
        let stage = data.join(STAGE);
        fs::create_dir_all(&stage).expect("a folder");
        fs::copy(backup.join("admin.token"), stage.join("admin.token")).expect("copied");
        if with_database {
            fs::copy(backup.join("weir.db"), stage.join("weir.db")).expect("copied");
        }
        fs::write(data.join(RESTORING), note.to_string()).expect("a note");
    };
    for with_database in [true, false] {
        prepare(with_database);
        restored(&backup, &data, Some(&database), false).expect("it goes on");
        assert_eq!(server_name(&data, Some(&database)), Some(json!("before.example")));
        assert!(!data.join(RESTORING).exists() && data.join("admin.token").exists());
    }
    // another site is not taken for it
    let other = Database::empty();
    drop(site(Some(&other), 8));
    prepare(true);
    let refused = restored(&backup, &data, Some(&other), false).expect_err("another site");
    assert_eq!(refused.code(), "database_refused", "{refused}");
    assert!(data.join(RESTORING).exists(), "it can go on with the right one");
    restored(&backup, &data, Some(&database), false).expect("it goes on");
}

#[test]
fn a_site_is_moved_while_no_server_runs() {
    let folder = site(None, 7);
    let data = folder.path();
    let database = Database::empty();
    let moved = |settings: &Settings, dry_run| transfer::transfer(settings, dry_run, &mut |_| GO_ON);
    let there = settings(data, Some(&database));
    assert_eq!(moved(&settings(data, None), false).expect_err("where to?").code(), "no_target");
    let nowhere = tempfile::tempdir().expect("a folder");
    let refused = moved(&settings(nowhere.path(), Some(&database)), false).expect_err("no database");
    assert_eq!(refused.code(), "no_database");
    let held = store(data, None);
    assert_eq!(moved(&there, false).expect_err("in use").code(), "data_in_use");
    drop(held);
    let away = Options { database: Some("postgres://weir:s3cret@127.0.0.1:1/weir".to_owned()), ..options(data, None) };
    let away = config::load(&away, &|_| None).expect("settings");
    let refused = moved(&away, false).expect_err("nobody is there").failure();
    assert_eq!(refused.code, "database_unreachable");
    assert!(!refused.message.contains("s3cret") && refused.next_step.is_some(), "{refused:?}");

    let looked = moved(&there, true).expect("looked");
    assert!(looked.dry_run && !looked.moved.compared && looked.next_steps.is_empty());
    let before = fs::read(data.join("weir.db")).expect("bytes");
    let stopped = transfer::transfer(&there, false, &mut |told| {
        if told.phase == Phase::Comparing { ControlFlow::Break(()) } else { GO_ON }
    });
    assert_eq!(stopped.expect_err("stopped").code(), "transfer_cancelled");
    let done = moved(&there, false).expect("moved");
    assert!(done.moved.compared && done.rows >= looked.rows && !done.next_steps.is_empty());
    assert_eq!(fs::read(data.join("weir.db")).expect("bytes"), before, "the file is as it was");
    assert_eq!(server_name(data, Some(&database)), Some(json!("before.example")));
    assert_eq!(moved(&there, false).expect_err("it is full").code(), "database_refused");
    let json = serde_json::to_value(&done).expect("JSON");
    assert!(json["tables"].as_array().is_some_and(|tables| tables.len() > 50) && json["to"].is_string(), "{json}");
}

#[test]
fn the_doctor_and_state_of_know_a_database_that_is_elsewhere() {
    let database = Database::empty();
    let folder = site(Some(&database), 7);
    let there = settings(folder.path(), Some(&database));
    let codes = |settings: &Settings| -> Vec<&'static str> {
        let looked = doctor::examine(settings, Wanted::default(), &mut |_, _, _| {}).expect("looked");
        looked.findings.iter().map(|finding| finding.code).collect()
    };
    let found = codes(&there);
    assert!(found.contains(&"database_elsewhere"), "{found:?}");
    assert!(!found.iter().any(|code| code.starts_with("database_") && *code != "database_elsewhere"), "{found:?}");
    let away =
        Options { database: Some("postgres://weir@127.0.0.1:1/weir".to_owned()), ..options(folder.path(), None) };
    let away = config::load(&away, &|_| None).expect("settings");
    let found = codes(&away);
    assert!(found.contains(&"database_unreachable"), "{found:?}");

    let noted = brought_back(&there, now(), now()).expect("noted");
    assert!(!noted.sees.is_empty() && folder.path().join(NOTE).exists());
    let unused = Database::empty();
    let refused = brought_back(&settings(folder.path(), Some(&unused)), now(), now()).expect_err("nothing is there");
    assert_eq!(refused.code(), "database_refused");
    let refused = make_here(&settings(folder.path(), Some(&unused)), None, None, now(), &mut |_| GO_ON);
    assert_eq!(refused.expect_err("nothing is there").code(), "database_refused");
}
