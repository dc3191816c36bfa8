//! Copies of the file of the embedded database, and what is found in a damaged one.

use std::{fs, ops::ControlFlow};

use rusqlite::Connection;
use serde_json::json;

use super::{Scratch, software};
use crate::{
    StoreError,
    backup::{Inspection, copy, newest_schema},
};

const GO_ON: ControlFlow<()> = ControlFlow::Continue(());

fn filled() -> Scratch {
    let scratch = Scratch::sqlite();
    scratch.import((1..=40).map(|number| software(number, 1)).collect());
    // some megabytes, so that a copy takes several steps
    for key in 0..6 {
        scratch.write(|tx| tx.setting_put(&format!("key{key}"), &json!("x".repeat(1_000_000))));
    }
    scratch
}

#[test]
fn a_copy_is_of_one_moment_whatever_is_written_meanwhile() {
    let scratch = filled();
    let target = scratch.folder.path().join("copy.db");
    let source = scratch.folder.path().join("weir.db");
    let mut steps = Vec::new();
    let whole = copy(&source, &target, &mut |done, total| {
        steps.push((done, total));
        // two values that are always changed together
        scratch.write(|tx| {
            tx.setting_put("left", &json!(steps.len()))?;
            tx.setting_put("right", &json!(steps.len()))
        });
        GO_ON
    });
    assert!(whole.expect("copies"));
    assert!(steps.len() > 3, "in steps: {steps:?}");
    assert!(steps.windows(2).all(|two| two[0].0 < two[1].0 && two[0].1 == two[1].1), "none is done twice: {steps:?}");
    assert_eq!(steps.last().map(|(done, total)| done == total), Some(true));

    let inspection = Inspection::still(&target).expect("opens");
    assert_eq!(inspection.schema_version().expect("reads"), Some(newest_schema()));
    assert_eq!(inspection.damage(true, 10).expect("checks"), Vec::<String>::new());
    assert!(inspection.dangling().expect("checks").is_empty());
    let settings = inspection.read(|tx| tx.setting_list()).expect("reads");
    assert_eq!(settings.len(), 6, "what was written after it began is not in it");
    assert_eq!(inspection.read(|tx| tx.inspect_texts(&mut |_| GO_ON)).expect("reads").count, 0);
    drop(inspection);
    let beside: Vec<_> =
        fs::read_dir(scratch.folder.path()).expect("a folder").map(|entry| entry.expect("one").file_name()).collect();
    assert!(!beside.iter().any(|name| name.to_string_lossy().starts_with("copy.db-")), "no log beside it: {beside:?}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&target).expect("there").permissions().mode() & 0o777, 0o600);
    }
    // and the source goes on
    assert_eq!(scratch.store.read(|tx| tx.setting_list()).expect("reads").len(), 8);
}

#[test]
fn a_copy_overwrites_nothing_and_can_be_broken_off() {
    let scratch = filled();
    let (source, target) = (scratch.folder.path().join("weir.db"), scratch.folder.path().join("copy.db"));
    fs::write(&target, "precious").expect("writes");
    let refused = copy(&source, &target, &mut |_, _| GO_ON);
    assert!(matches!(refused, Err(StoreError::Open { .. })), "{refused:?}");
    assert_eq!(fs::read(&target).expect("reads"), b"precious");
    fs::remove_file(&target).expect("removed");
    assert!(!copy(&source, &target, &mut |_, _| ControlFlow::Break(())).expect("breaks off"));
    scratch.write(|tx| tx.setting_put("after", &json!(true)));
}

#[test]
fn a_database_that_is_in_use_is_looked_at_with_its_log() {
    let scratch = filled();
    let inspection = Inspection::open(&scratch.folder.path().join("weir.db")).expect("opens");
    assert!(!inspection.is_without_log());
    assert_eq!(inspection.read(|tx| tx.setting_list()).expect("reads").len(), 6);
    let missing = Inspection::still(&scratch.folder.path().join("none.db"));
    assert!(matches!(missing, Err(StoreError::Open { .. })), "{missing:?}");
}

#[test]
fn what_contradicts_itself_is_found() {
    let scratch = filled();
    let path = scratch.folder.path().join("weir.db");
    let look = || Inspection::open(&path).expect("opens");
    let sound = look();
    assert_eq!(sound.read(|tx| tx.inspect_references()).expect("reads").count, 0);
    let (counter, largest) = sound.read(|tx| tx.inspect_counter()).expect("reads");
    assert!(counter >= largest && largest > 0, "{counter} {largest}");
    drop(sound);

    let hand = Connection::open(&path).expect("a second connection");
    hand.execute_batch(
        "PRAGMA foreign_keys = OFF;
         UPDATE revision SET text_hash = zeroblob(32) WHERE revision_id = 3;
         DELETE FROM text_piece WHERE revision_id = 5;
         UPDATE updates SET newest_revision_id = 7777 WHERE update_no = (SELECT min(update_no) FROM updates);
         INSERT INTO superseded (revision_id, position, update_no) VALUES (2, 0, 9999);
         INSERT INTO computer_status (computer_no, anchor, status, recent_events) VALUES (4711, 0, x'ff', x'');
         UPDATE counter SET value = 1 WHERE name = 'change';",
    )
    .expect("damages");
    drop(hand);
    let damaged = look();
    let texts = damaged.read(|tx| tx.inspect_texts(&mut |_| GO_ON)).expect("reads");
    assert_eq!(texts.count, 2, "{texts:?}");
    let references = damaged.read(|tx| tx.inspect_references()).expect("reads");
    assert_eq!(references.count, 2, "{references:?}");
    let status = damaged.read(|tx| tx.inspect_status(&mut |_| GO_ON)).expect("reads");
    assert_eq!(status.count, 1, "{status:?}");
    assert!(status.named[0].starts_with("4711: "), "{status:?}");
    let (counter, largest) = damaged.read(|tx| tx.inspect_counter()).expect("reads");
    assert!(counter < largest, "{counter} {largest}");
    let dangling = damaged.dangling().expect("checks");
    assert!(dangling.contains(&("computer_status".to_owned(), "computer".to_owned(), 1)), "{dangling:?}");
}

#[test]
fn a_page_that_was_overwritten_is_found() {
    let scratch = filled();
    let target = scratch.folder.path().join("copy.db");
    assert!(copy(&scratch.folder.path().join("weir.db"), &target, &mut |_, _| GO_ON).expect("copies"));
    let mut bytes = fs::read(&target).expect("reads");
    let page = bytes.len() / 4096 / 2 * 4096;
    bytes[page..page + 4096].fill(0x5a);
    fs::write(&target, bytes).expect("writes");
    let found = Inspection::still(&target).expect("opens").damage(true, 10).expect("checks");
    assert!(!found.is_empty());
}
