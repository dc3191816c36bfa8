//! Backups made, verified and restored, without a server: copies of the file of the embedded database, whatever engine was chosen.

use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;
use weir_api::backup::{Backup, BackupPhase, BackupProgress};
use weir_model::report::file::Folder;
use weir_store::{
    Actor, Store,
    content::{Content as _, ContentStore, Expected},
    content_file::{ContentFileRow, ContentState},
};

use super::{BackupError, Manifest, Order, RESTORING, Source, brought_back, list, make, restore, thin_out, verify};
use crate::config::{self, Options};

const GO_ON: ControlFlow<()> = ControlFlow::Continue(());

fn now() -> Timestamp {
    "2026-11-30T02:00:00Z".parse().expect("a time")
}

/// A data folder as a server leaves it, with one content file.
struct Site {
    folder: TempDir,
}

impl Site {
    fn new() -> Self {
        let site = Self { folder: tempfile::tempdir().expect("a folder") };
        let store = site.store();
        let content = ContentStore::open(&site.data().join("content")).expect("content");
        let mut put = content.put().expect("a file");
        put.write(b"what is installed").expect("written");
        let stored = put.finish(&Expected::default(), ".cab").expect("stored");
        let row = ContentFileRow {
            digest: stored.digest,
            sha256: stored.sha256,
            size: stored.size,
            extension: ".cab".to_owned(),
            state: ContentState::Verified,
            verified_at: now(),
        };
        store
            .write(&Actor::system("test", now()), |tx| {
                tx.site_create(Uuid::from_u128(7))?;
                tx.setting_put("server.name", &json!("before.example"))?;
                tx.content_file_put(&row)
            })
            .expect("filled");
        fs::create_dir(site.data().join("tls")).expect("a folder");
        fs::write(site.data().join("tls/ca.pem"), "certificate").expect("a file");
        fs::write(site.data().join("tls/ca.key"), "key").expect("a file");
        fs::write(site.data().join("admin.token"), "secret\n").expect("a file");
        site
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn store(&self) -> Store {
        Store::open(&self.data(), &weir_store::Options::default()).expect("a store")
    }

    fn source(&self) -> Source {
        let content = ContentStore::open(&self.data().join("content")).expect("content");
        Source::new(&settings(&self.data()), Some(content))
    }

    fn order(&self, content: bool) -> Order {
        Order {
            root: self.folder.path().join("backups"),
            folder: Folder::default(),
            content,
            asked_by: "test".to_owned(),
            scheduled: false,
        }
    }

    fn make(&self, content: bool) -> Backup {
        make(&self.source(), &self.order(content), now(), &mut |_| GO_ON).expect("a backup")
    }
}

fn settings(data: &Path) -> config::Settings {
    config::load(&options(data), &|_| None).expect("settings")
}

fn options(data: &Path) -> Options {
    Options { data: Some(data.to_owned()), ..Options::default() }
}

/// Every file below a folder, with its bytes.
fn everything(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let bytes = fs::read(&path).expect("bytes");
                found.push((path, bytes));
            }
        }
    }
    found.sort();
    found
}

fn restored(backup: &Path, data: &Path, replace: bool) -> Result<super::Restored, BackupError> {
    restore(&options(data), backup, replace, now(), &mut |_| GO_ON)
}

fn server_name(data: &Path) -> Option<serde_json::Value> {
    let store = Store::open(data, &weir_store::Options::default()).expect("a store");
    store.read(|tx| tx.setting_show("server.name")).expect("reads").map(|row| row.value)
}

#[test]
fn a_backup_holds_all_that_a_server_needs_and_is_for_its_owner_alone() {
    let site = Site::new();
    let mut phases = Vec::new();
    let made = make(&site.source(), &site.order(true), now(), &mut |BackupProgress { phase, .. }| {
        phases.push(phase);
        GO_ON
    });
    let backup = made.expect("a backup");
    assert_eq!(backup.name, "weir-20261130T020000Z");
    phases.dedup();
    assert_eq!(phases.first(), Some(&BackupPhase::Preparing));
    assert_eq!(phases.last(), Some(&BackupPhase::Digests));
    let path = PathBuf::from(&backup.path);
    let manifest = Manifest::read(&path).expect("a manifest");
    let paths: Vec<&str> = manifest.files.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths, ["admin.token", "content.sha256", "tls/ca.key", "tls/ca.pem", "weir.db"]);
    assert_eq!(
        (manifest.server_id, manifest.content.files, manifest.content.left_out),
        (Some(Uuid::from_u128(7)), 1, 0)
    );
    assert_eq!(verify(&path, &mut |_| GO_ON).expect("sound").files, 6);
    #[cfg(unix)]
    for (file, _) in everything(&path) {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&file).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.display());
    }
    // another one in the same second has another name, and the first stays
    let before = everything(&path);
    assert_eq!(site.make(false).name, "weir-20261130T020000Z-2");
    assert_eq!(everything(&path), before);
    let listed = list(&site.order(false).root).expect("a list");
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().any(|one| one.content.included) && listed.iter().any(|one| !one.content.included));
}

#[test]
fn a_backup_that_is_stopped_or_fails_leaves_nothing() {
    let site = Site::new();
    let root = site.order(true).root;
    for stop in [BackupPhase::Database, BackupPhase::Checking, BackupPhase::Files, BackupPhase::Digests] {
        let made = make(&site.source(), &site.order(true), now(), &mut |told| {
            if told.phase == stop { ControlFlow::Break(()) } else { GO_ON }
        });
        assert!(matches!(made, Err(BackupError::Cancelled)), "{stop:?}: {made:?}");
        assert!(everything(&root).is_empty(), "{stop:?}");
        assert_eq!(fs::read_dir(&root).expect("the folder").count(), 0, "{stop:?}");
    }
    // one that a process did not live to end is removed by the next
    let left = root.join(".weir-20261129T020000Z.partial");
    fs::create_dir(&left).expect("a folder");
    fs::write(left.join("writing"), "").expect("a lock that nobody holds");
    fs::write(left.join("weir.db"), "half").expect("half a copy");
    site.make(false);
    assert!(!left.exists());
    // a damaged content file is left out, and said to be
    let file = everything(&site.data().join("content")).remove(0).0;
    fs::write(&file, "what is INSTALLED").expect("damaged");
    let backup = make(&site.source(), &site.order(true), now(), &mut |_| GO_ON).expect("a backup all the same");
    assert_eq!((backup.content.files, backup.content.left_out), (0, 1));
    assert!(verify(Path::new(&backup.path), &mut |_| GO_ON).is_ok());
}

#[test]
fn an_altered_backup_is_refused_and_nothing_is_changed() {
    let site = Site::new();
    let other = Site::new();
    let backup = PathBuf::from(site.make(true).path);
    let before = everything(&other.data());
    for (file, bytes) in everything(&backup) {
        let mut altered = bytes.clone();
        match altered.last_mut() {
            Some(last) => *last ^= 1,
            None => altered.push(b'x'),
        }
        fs::write(&file, &altered).expect("altered");
        let refused = restored(&backup, &other.data(), true).expect_err("it was altered");
        let code = refused.code();
        assert!(matches!(code, "backup_altered" | "no_backup"), "{}: {refused}", file.display());
        assert_eq!(everything(&other.data()), before, "{}", file.display());
        fs::remove_file(&file).expect("removed");
        let refused = restored(&backup, &other.data(), true).expect_err("it is not there");
        assert!(matches!(refused.code(), "backup_altered" | "no_backup"), "{}: {refused}", file.display());
        fs::write(&file, bytes).expect("as it was");
    }
    assert_eq!(everything(&other.data()), before);
    verify(&backup, &mut |_| GO_ON).expect("as it was");
}

#[test]
fn a_manifest_leads_nowhere_else_and_a_later_schema_is_refused() {
    let site = Site::new();
    let backup = PathBuf::from(site.make(false).path);
    let target = tempfile::tempdir().expect("a folder");
    let file = backup.join("manifest.json");
    let text = fs::read_to_string(&file).expect("a manifest");
    let mut manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    manifest["files"][0]["path"] = json!("../../etc/passwd");
    fs::write(&file, manifest.to_string()).expect("altered");
    let refused = restored(&backup, &target.path().join("data"), false).expect_err("it leads away");
    assert_eq!(refused.code(), "no_backup", "{refused}");
    let mut manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    manifest["schema_version"] = json!(weir_store::backup::newest_schema() + 1);
    fs::write(&file, manifest.to_string()).expect("altered");
    let refused = restored(&backup, &target.path().join("data"), false).expect_err("it is newer");
    assert_eq!(refused.code(), "backup_newer", "{refused}");
    assert!(!target.path().join("data").exists());
}

#[test]
fn a_restore_brings_everything_back_and_keeps_aside_what_was_there() {
    let site = Site::new();
    let backup = PathBuf::from(site.make(true).path);
    let target = tempfile::tempdir().expect("a folder");
    let data = target.path().join("data");
    let done = restored(&backup, &data, false).expect("restored");
    assert_eq!((done.aside, done.content_added, done.content_kept), (None, 1, 0));
    assert!(done.next_steps.iter().any(|step| step.contains("weir serve")), "{:?}", done.next_steps);
    assert_eq!(fs::read_to_string(data.join("tls/ca.key")).expect("the key"), "key");
    assert_eq!(fs::read_to_string(data.join("admin.token")).expect("the token"), "secret\n");
    assert_eq!(server_name(&data), Some(json!("before.example")));
    assert!(!data.join(RESTORING).exists() && !data.join(".restore.partial").exists());

    // what has been used is not replaced by accident
    let store = Store::open(&data, &weir_store::Options::default()).expect("a store");
    store
        .write(&Actor::system("test", now()), |tx| tx.setting_put("server.name", &json!("after.example")))
        .expect("set");
    let held = restored(&backup, &data, true).expect_err("it is in use");
    assert_eq!(held.code(), "data_in_use", "{held}");
    drop(store);
    fs::write(data.join("weir.toml"), "# of this machine\n").expect("written");
    let refused = restored(&backup, &data, false).expect_err("there is something");
    assert_eq!(refused.code(), "not_empty", "{refused}");
    assert_eq!(server_name(&data), Some(json!("after.example")), "nothing was changed");
    let done = restored(&backup, &data, true).expect("restored");
    let aside = PathBuf::from(done.aside.expect("what was there"));
    assert_eq!(server_name(&data), Some(json!("before.example")));
    assert_eq!(server_name(&aside), Some(json!("after.example")), "it is whole");
    assert_eq!((done.content_added, done.content_kept), (0, 1));
    assert_eq!(fs::read_to_string(data.join("weir.toml")).expect("stays"), "# of this machine\n");
}

/// The promise: what the settings name in the data folder, and no backup holds, is where they say after a restore.
#[test]
fn files_that_settings_name_in_the_folder_stay_there() {
    let site = Site::new();
    let used = Site::new();
    let data = used.data();
    let text = "content = 's3://weir/site'\n[object_store]\ncredentials_file = 'store.env'\nca = 'trust/store.pem'\n[tls]\n\
                certificate = 'mine.pem'\nkey = 'tls/mine.key'\n";
    fs::write(data.join("weir.toml"), text).expect("settings");
    fs::create_dir(data.join("trust")).expect("a folder");
    let named = ["store.env", "trust/store.pem", "mine.pem"];
    for name in named.into_iter().chain(["tls/mine.key"]) {
        fs::write(data.join(name), name).expect("a file");
    }
    // they are in no backup, and it says so
    let source = Source::new(&settings(&data), None);
    let told = make(&source, &used.order(true), now(), &mut |_| GO_ON).expect("a backup");
    for name in named {
        assert!(told.elsewhere.contains(&data.join(name).display().to_string()), "{name}: {:?}", told.elsewhere);
    }
    assert!(!told.content.included, "no files of content that is not handed over");

    let done = restored(&PathBuf::from(site.make(false).path), &data, true).expect("restored");
    for name in named {
        assert_eq!(fs::read_to_string(data.join(name)).expect("it stays"), name);
    }
    assert_eq!(
        fs::read_to_string(data.join("tls/ca.key")).expect("the key"),
        "key",
        "the folder of the authority is the backup's"
    );
    assert!(Path::new(&done.aside.expect("kept")).join("tls/mine.key").exists());
    assert!(done.next_steps.iter().any(|step| step.contains("s3://weir/site")), "{:?}", done.next_steps);
}

/// The promise: however often it is cut short between two names, the next restore ends it.
#[test]
fn a_restore_that_was_cut_short_goes_on() {
    let site = Site::new();
    let backup = PathBuf::from(site.make(false).path);
    let used = Site::new();
    let data = used.data();
    let store = used.store();
    store
        .write(&Actor::system("test", now()), |tx| tx.setting_put("server.name", &json!("mine.example")))
        .expect("set");
    drop(store);
    // as a process leaves it that prepared everything and moved the first file
    let stage = data.join(".restore.partial");
    fs::create_dir(&stage).expect("a folder");
    for name in ["weir.db", "admin.token"] {
        fs::copy(backup.join(name), stage.join(name)).expect("copied");
    }
    let note = json!({
        "step": "aside", "backup": backup.canonicalize().expect("a path").display().to_string(), "aside": "replaced-x",
        "stays": ["weir.toml", "weir.lock", "content", "backups", "reports", "lost+found", RESTORING],
    });
    fs::write(data.join(RESTORING), note.to_string()).expect("a note");
    fs::create_dir(data.join("replaced-x")).expect("a folder");
    fs::rename(data.join("admin.token"), data.join("replaced-x/admin.token")).expect("moved");
    let refused = crate::start::settings(&options(&data)).map(|settings| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(crate::start::reset(&settings))
    });
    let refused = refused.expect("settings").expect_err("nothing starts on what is half of each");
    assert!(refused.to_string().contains("not finished"), "{refused}");

    restored(&backup, &data, false).expect("it goes on, without being asked to replace anything");
    assert!(!data.join(RESTORING).exists() && !stage.exists());
    assert_eq!(server_name(&data), Some(json!("before.example")));
    assert_eq!(server_name(&data.join("replaced-x")), Some(json!("mine.example")));
    assert!(data.join("replaced-x/tls/ca.key").exists());
}

#[test]
fn a_state_that_was_brought_back_by_other_means_is_made_known_once() {
    let site = Site::new();
    let settings = settings(&site.data());
    let held = site.store();
    let refused = brought_back(&settings, now(), now()).expect_err("a server may hold it");
    assert_eq!(refused.code(), "data_in_use", "{refused}");
    drop(held);
    let before = everything(&site.data().join("tls"));
    let noted = brought_back(&settings, now(), now()).expect("noted");
    assert!(noted.sees.iter().any(|sentence| sentence.contains("administrators")), "{:?}", noted.sees);
    assert_eq!(everything(&site.data().join("tls")), before, "nothing else is changed");
    assert_eq!(server_name(&site.data()), Some(json!("before.example")));

    let store = site.store();
    let epochs = || store.read(|tx| tx.job_list(super::RESTORE, 10)).expect("reads").len();
    assert_eq!(epochs(), 0, "the next start does it");
    for _ in 0..2 {
        super::take_over(&store, &site.data(), now()).expect("taken over");
        assert_eq!(epochs(), 1);
    }
    let empty = tempfile::tempdir().expect("a folder");
    let refused = brought_back(&self::settings(empty.path()), now(), now()).expect_err("there is nothing");
    assert_eq!(refused.code(), "no_database", "{refused}");
}

#[test]
fn scheduled_backups_are_thinned_out_and_no_others() {
    let site = Site::new();
    let root = site.order(false).root;
    let scheduled = Order { scheduled: true, ..site.order(false) };
    for day in 1..=4 {
        let at: Timestamp = format!("2026-11-{day:02}T02:00:00Z").parse().expect("a time");
        make(&site.source(), &scheduled, at, &mut |_| GO_ON).expect("a backup");
    }
    site.make(false);
    fs::create_dir(root.join("weir-notes")).expect("a folder of somebody");
    let root = root.canonicalize().expect("a path");
    assert_eq!(thin_out(&root, Uuid::from_u128(8), 1).expect("done"), Vec::<String>::new(), "another server's");
    let gone = thin_out(&root, Uuid::from_u128(7), 2).expect("done");
    assert_eq!(gone, ["weir-20261101T020000Z", "weir-20261102T020000Z"]);
    let left: Vec<String> = list(&root).expect("a list").into_iter().map(|one| one.name).collect();
    assert_eq!(left, ["weir-20261130T020000Z", "weir-20261104T020000Z", "weir-20261103T020000Z"]);
    assert!(root.join("weir-notes").exists());
}

#[cfg(unix)]
#[test]
fn a_link_does_not_lead_out_of_the_folder_of_backups() {
    let site = Site::new();
    let (root, outside) = (site.order(false).root, site.folder.path().join("outside"));
    fs::create_dir_all(&root).expect("a folder");
    fs::create_dir_all(&outside).expect("a folder");
    std::os::unix::fs::symlink(&outside, root.join("away")).expect("a link");
    let order = Order { folder: "away".parse().expect("a folder"), ..site.order(false) };
    let refused = make(&site.source(), &order, now(), &mut |_| GO_ON).expect_err("it leads out");
    assert_eq!(refused.code(), "backup_folder", "{refused}");
    assert_eq!(fs::read_dir(outside).expect("a folder").count(), 0);
}
