//! What is found in damaged folders, and what is repaired. The database is the file in the folder, whatever engine was chosen: it is
//! this file that is damaged.

use std::{fs, path::Path};

use jiff::Timestamp;
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;
use weir_model::ids::{ContentDigest, Sha256Digest};
use weir_store::{
    Actor, Store,
    content::{Content as _, ContentStore, Expected},
    content_file::{ContentFileRow, ContentState},
};

use super::{CODES, Diagnosis, Severity, Wanted, examine};
use crate::config::{self, Options, Settings};

fn settings(data: &Path) -> Settings {
    let options = Options { data: Some(data.to_owned()), ..Options::default() };
    config::load(&options, &|_| None).expect("settings")
}

fn look(data: &Path, wanted: Wanted) -> Diagnosis {
    examine(&settings(data), wanted, &mut |_, _, _| {}).expect("a diagnosis")
}

/// Codes that were found, but for what depends on the disk of the machine.
fn codes(diagnosis: &Diagnosis) -> Vec<&'static str> {
    let mut codes: Vec<_> = diagnosis.findings.iter().map(|finding| finding.code).collect();
    codes.retain(|code| !matches!(*code, "disk_low" | "disk_full"));
    codes.sort_unstable();
    codes
}

/// A sound folder that was used.
fn sound() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let store = Store::open(data, &weir_store::Options::default()).expect("a store");
    let content = ContentStore::open(&data.join("content")).expect("content");
    let now = Timestamp::UNIX_EPOCH;
    for bytes in [b"one", b"two"] {
        let mut put = content.put().expect("a file");
        put.write(bytes).expect("written");
        let stored = put.finish(&Expected::default(), ".cab").expect("stored");
        let row = ContentFileRow {
            digest: stored.digest,
            sha256: stored.sha256,
            size: stored.size,
            extension: ".cab".to_owned(),
            state: ContentState::Verified,
            verified_at: now,
        };
        store.write(&Actor::system("test", now), |tx| tx.content_file_put(&row)).expect("stored");
    }
    store.write(&Actor::system("test", now), |tx| tx.site_create(Uuid::from_u128(1))).expect("stored");
    drop(store);
    #[cfg(unix)]
    fs::set_permissions(data, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("private");
    folder
}

#[test]
fn codes_are_listed_once_by_name() {
    assert!(CODES.windows(2).all(|two| two[0] < two[1]), "{CODES:?}");
}

#[test]
fn in_a_sound_folder_nothing_needs_anybody() {
    let folder = sound();
    let diagnosis = look(folder.path(), Wanted { content: true, repair: false });
    assert_eq!(codes(&diagnosis), ["no_backup"], "{diagnosis:?}");
    assert_eq!((diagnosis.content_files, diagnosis.running), (2, false));
    // and while it is used
    let store = Store::open(folder.path(), &weir_store::Options::default()).expect("a store");
    store.write(&Actor::system("test", Timestamp::now()), |tx| tx.setting_put("a", &json!(1))).expect("written");
    let diagnosis = look(folder.path(), Wanted::default());
    assert!(diagnosis.running);
    assert_eq!(codes(&diagnosis), ["no_backup"], "{diagnosis:?}");
    let wanted = Wanted { content: false, repair: true };
    let refused = examine(&settings(folder.path()), wanted, &mut |_, _, _| {}).expect_err("it is in use");
    assert_eq!(refused.code(), "data_in_use");
    assert!(examine(&settings(&folder.path().join("none")), Wanted::default(), &mut |_, _, _| {}).is_err());
    assert!(!folder.path().join("none").exists(), "nothing is made");
}

#[test]
fn damaged_content_is_found() {
    let folder = sound();
    let content = folder.path().join("content");
    let files = ContentStore::open(&content).expect("content").list().expect("a list");
    let place = |at: usize| content.join(ContentStore::relative_path(files[at].0, &files[at].1));
    let (first, second) = (place(0), place(1));
    fs::write(&first, "ONE").expect("damaged, with the same size");
    let quick = look(folder.path(), Wanted::default());
    assert!(!codes(&quick).contains(&"content_differs"), "only reading finds it");
    let diagnosis = look(folder.path(), Wanted { content: true, repair: false });
    assert_eq!(codes(&diagnosis), ["content_differs", "no_backup"], "{diagnosis:?}");
    assert!(diagnosis.needs_somebody());
    fs::remove_file(&second).expect("gone");
    let stray = ContentStore::relative_path(ContentDigest([9; 20]), ".exe");
    fs::create_dir_all(content.join(&stray).parent().expect("a folder")).expect("a folder");
    fs::write(content.join(&stray), "nobody's").expect("a file");
    let diagnosis = look(folder.path(), Wanted::default());
    assert_eq!(codes(&diagnosis), ["content_left_over", "content_missing", "no_backup"], "{diagnosis:?}");

    let store = Store::open(folder.path(), &weir_store::Options::default()).expect("a store");
    let row = ContentFileRow {
        digest: ContentDigest([1; 20]),
        sha256: Sha256Digest([1; 32]),
        size: 1,
        extension: String::new(),
        state: ContentState::Lost,
        verified_at: Timestamp::UNIX_EPOCH,
    };
    store.write(&Actor::system("test", Timestamp::now()), |tx| tx.content_file_put(&row)).expect("stored");
    drop(store);
    assert!(codes(&look(folder.path(), Wanted::default())).contains(&"content_put_aside"));
}

/// The promise: of content in an object store nothing is said that was not seen there.
#[test]
fn content_in_an_object_store_is_not_looked_for_in_the_folder() {
    let folder = sound();
    fs::remove_dir_all(folder.path().join("content")).expect("gone");
    assert!(codes(&look(folder.path(), Wanted::default())).contains(&"content_missing"));
    // nothing answers there, and there is no runtime to ask with
    fs::write(folder.path().join("weir.toml"), "content = 's3://weir/site'\n").expect("settings");
    let diagnosis = look(folder.path(), Wanted { content: true, repair: false });
    assert_eq!(codes(&diagnosis), ["no_backup", "object_store"], "{diagnosis:?}");
    assert!(diagnosis.needs_somebody());
    let found = diagnosis.findings.iter().find(|finding| finding.code == "object_store").expect("a finding");
    assert_eq!(found.named, ["s3://weir/site"]);
    assert!(!folder.path().join("content").exists(), "looking makes nothing");
}

#[test]
fn a_database_that_is_gone_emptied_or_overwritten_is_said_to_be() {
    let folder = sound();
    let store = Store::open(folder.path(), &weir_store::Options::default()).expect("a store");
    // a hundred pages at the end of the file
    let long = json!("x".repeat(400_000));
    store.write(&Actor::system("test", Timestamp::now()), |tx| tx.setting_put("long", &long)).expect("written");
    drop(store);
    let database = folder.path().join("weir.db");
    let mut damaged = fs::read(&database).expect("bytes");
    let page = damaged.len() - 20 * 4096;
    damaged[page..page + 4096].fill(0x5a);
    for (content, code) in [(damaged, "database_damaged"), (Vec::new(), "database_empty")] {
        fs::write(&database, content).expect("written");
        let diagnosis = look(folder.path(), Wanted::default());
        assert!(codes(&diagnosis).contains(&code), "{code}: {diagnosis:?}");
        assert_eq!(diagnosis.findings[0].severity, Severity::Damage);
    }
    fs::write(&database, "this is no database".repeat(1_000)).expect("written");
    assert!(codes(&look(folder.path(), Wanted::default())).contains(&"database_unreadable"));
    fs::remove_file(&database).expect("removed");
    let diagnosis = look(folder.path(), Wanted::default());
    assert!(codes(&diagnosis).contains(&"database_missing"), "{diagnosis:?}");
    assert!(!database.exists(), "looking makes none");
}

#[cfg(unix)]
#[test]
fn rights_and_leftovers_are_shown_first_and_repaired_when_asked() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = sound();
    let data = folder.path();
    let mode = |name: &str| fs::metadata(data.join(name)).expect("there").permissions().mode() & 0o777;
    fs::set_permissions(data.join("weir.db"), fs::Permissions::from_mode(0o644)).expect("open to all");
    fs::create_dir(data.join("tls")).expect("a folder");
    for name in ["tls/ca.pem", "tls/ca.key", "admin.token"] {
        fs::write(data.join(name), "x").expect("a file");
        fs::set_permissions(data.join(name), fs::Permissions::from_mode(0o644)).expect("open to all");
    }
    fs::create_dir(data.join("incoming")).expect("a folder");
    fs::write(data.join("incoming/upload"), "half").expect("a file");
    fs::write(data.join("endpoints.json"), "{}").expect("a file");
    let shown = look(data, Wanted::default());
    assert_eq!(codes(&shown), ["left_over", "no_backup", "permissions"], "{shown:?}");
    assert!(shown.findings.iter().all(|finding| !finding.repaired));
    assert_eq!((mode("weir.db"), data.join("incoming/upload").exists()), (0o644, true), "shown alone");
    let repaired = look(data, Wanted { content: false, repair: true });
    assert!(repaired.findings.iter().all(|finding| finding.repaired == finding.repair.is_some()), "{repaired:?}");
    assert_eq!(
        (mode("weir.db"), mode("tls/ca.key"), mode("admin.token"), mode("tls/ca.pem")),
        (0o600, 0o600, 0o600, 0o644)
    );
    assert!(!data.join("incoming/upload").exists() && !data.join("endpoints.json").exists());
    assert_eq!(codes(&look(data, Wanted::default())), ["no_backup"]);
    fs::remove_file(data.join("tls/ca.key")).expect("removed");
    let diagnosis = look(data, Wanted::default());
    assert_eq!(codes(&diagnosis), ["authority", "no_backup"], "{diagnosis:?}");
}
