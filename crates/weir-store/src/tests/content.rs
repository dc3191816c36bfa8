//! The content store.

use std::io::{Read, Seek, SeekFrom};

use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use tempfile::TempDir;
use weir_model::ids::{ContentDigest, Sha256Digest};

use crate::{
    StoreError,
    content::{Content, ContentStore, Expected},
};

const BYTES: &[u8] = b"the bytes of an update";

fn store() -> (TempDir, ContentStore) {
    let folder = TempDir::new().expect("a scratch folder");
    let store = ContentStore::open(&folder.path().join("content")).expect("opens");
    (folder, store)
}

fn expected() -> Expected {
    Expected {
        digest: Some(ContentDigest(Sha1::digest(BYTES).into())),
        sha256: Some(Sha256Digest(Sha256::digest(BYTES).into())),
        size: Some(BYTES.len() as u64),
    }
}

fn put(store: &ContentStore, bytes: &[u8], expected: &Expected) -> Result<crate::content::Stored, StoreError> {
    let mut put = store.put()?;
    for piece in bytes.chunks(5) {
        put.write(piece)?;
    }
    put.finish(expected, ".cab")
}

fn files_below(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).expect("lists").map(|entry| entry.expect("entry").path());
    entries.map(|path| if path.is_dir() { files_below(&path) } else { 1 }).sum()
}

#[test]
fn a_file_is_taken_once_and_read_in_ranges() {
    let (_folder, store) = store();
    let stored = put(&store, BYTES, &expected()).expect("taken");
    assert!(!stored.already_there);
    assert_eq!((Some(stored.digest), Some(stored.sha256), stored.size), (expected().digest, expected().sha256, 22));
    assert!(put(&store, BYTES, &Expected::default()).expect("taken").already_there);
    let (mut file, len) = store.open(stored.digest, ".cab").expect("opens").expect("there");
    assert_eq!(len, 22);
    file.seek(SeekFrom::Start(4)).expect("seeks");
    let mut range = [0; 5];
    file.read_exact(&mut range).expect("reads");
    assert_eq!(&range, b"bytes");
    assert_eq!(store.size(stored.digest, ".cab").expect("looks"), Some(22));
    assert_eq!(store.list().expect("lists"), [(stored.digest, ".cab".to_owned(), 22)]);
    assert_eq!(store.verify(stored.digest, ".cab", &expected()).expect("whole").size, 22);
    assert!(store.delete(stored.digest, ".cab").expect("deletes"));
    assert!(!store.delete(stored.digest, ".cab").expect("deletes"));
    assert!(store.open(stored.digest, ".cab").expect("opens").is_none());
    let absent = store.verify(stored.digest, ".cab", &expected());
    assert!(matches!(absent, Err(StoreError::Missing { .. })), "{absent:?}");
}

#[test]
fn what_does_not_match_is_put_aside() {
    for (wrong, word) in [
        (Expected { size: Some(21), ..expected() }, "bytes instead of 21"),
        (Expected { digest: Some(ContentDigest([1; 20])), ..expected() }, "SHA-1"),
        (Expected { sha256: Some(Sha256Digest([1; 32])), ..expected() }, "SHA-256"),
    ] {
        let (_folder, store) = store();
        let error = put(&store, BYTES, &wrong).expect_err("refused");
        assert!(error.to_string().contains(word), "{error}");
        let StoreError::ContentMismatch { quarantined, .. } = error else { panic!("{error:?}") };
        assert_eq!(std::fs::read(quarantined).expect("kept"), BYTES);
        assert!(store.list().expect("lists").is_empty());
        assert_eq!(files_below(store.folder()), 1, "nothing is left in incoming");
    }
}

#[test]
fn a_changed_file_is_found_and_put_aside() {
    let (_folder, store) = store();
    let stored = put(&store, BYTES, &expected()).expect("taken");
    let path = store.folder().join(ContentStore::relative_path(stored.digest, ".cab"));
    std::fs::write(&path, BYTES.to_ascii_uppercase()).expect("damages");
    let error = store.verify(stored.digest, ".cab", &Expected::default()).expect_err("found");
    assert!(matches!(error, StoreError::ContentMismatch { .. }), "{error:?}");
    assert_eq!(store.size(stored.digest, ".cab").expect("looks"), None);
    assert!(!put(&store, BYTES, &expected()).expect("taken again").already_there);
}

#[test]
fn a_file_that_changed_on_disk_does_not_pass_for_the_one_that_is_added() {
    let (_folder, store) = store();
    let stored = put(&store, BYTES, &expected()).expect("taken");
    let path = store.folder().join(ContentStore::relative_path(stored.digest, ".cab"));
    std::fs::write(&path, BYTES.to_ascii_uppercase()).expect("damages");
    assert!(!put(&store, BYTES, &expected()).expect("taken again").already_there);
    assert_eq!(std::fs::read(&path).expect("there"), BYTES);
    assert_eq!(files_below(&store.folder().join("quarantine")), 1, "what was there is put aside");
}

#[test]
fn an_interrupted_file_leaves_nothing() {
    let (_folder, store) = store();
    let mut begun = store.put().expect("begins");
    begun.write(BYTES).expect("writes");
    assert_eq!(begun.len(), 22);
    assert_eq!(Some(begun.digests().0), expected().digest);
    drop(begun);
    assert_eq!(files_below(store.folder()), 0);
    std::fs::write(store.folder().join("incoming/left"), BYTES).expect("as a process that was killed would");
    let store = ContentStore::open(store.folder()).expect("opens again");
    assert_eq!(files_below(store.folder()), 0);
}

#[test]
fn no_name_leads_out_of_the_folder() {
    let (_folder, store) = store();
    for extension in ["/../../x", ".CAB", "cab", ".a/b", "..", ".", ".cab.exe"] {
        let digest = ContentDigest([1; 20]);
        assert!(store.open(digest, extension).is_err(), "{extension}");
        let mut begun = store.put().expect("begins");
        begun.write(BYTES).expect("writes");
        assert!(begun.finish(&Expected::default(), extension).is_err(), "{extension}");
    }
    assert_eq!(files_below(store.folder()), 0);
}

#[test]
fn files_of_others_are_not_listed() {
    let (_folder, store) = store();
    let stored = put(&store, BYTES, &expected()).expect("taken");
    let hex = stored.digest.to_hex();
    let folder = store.folder().join(&hex[38..]);
    std::fs::write(folder.join("readme.txt"), "x").expect("writes");
    std::fs::write(folder.join(format!("{}.cab", "é".repeat(20))), "x").expect("writes");
    std::fs::write(folder.join(format!("{}.cab", "00".repeat(20))), "x").expect("in the wrong folder");
    std::fs::write(store.folder().join("note"), "x").expect("writes");
    assert_eq!(store.list().expect("lists").len(), 1);
}

#[test]
fn a_partial_file_is_gone_on_with_after_a_restart() {
    let (_folder, store) = store();
    let digest = expected().digest.expect("known");
    let mut begun = store.partial(digest).expect("begins");
    begun.write(&BYTES[..9]).expect("writes");
    drop(begun);
    let store = ContentStore::open(store.folder()).expect("opens again");
    assert_eq!(store.partial_len(digest), 9);
    assert_eq!(
        store.partials().expect("lists").iter().map(|(of, len, _)| (*of, *len)).collect::<Vec<_>>(),
        [(digest, 9)]
    );
    let mut put = store.partial(digest).expect("goes on");
    assert_eq!(put.len(), 9);
    put.write(&BYTES[9..]).expect("writes");
    assert_eq!(put.difference(&expected()), None);
    assert!(!put.finish(&expected(), ".cab").expect("taken").already_there);
    assert_eq!(store.partials().expect("lists"), []);
    let mut again = store.partial(digest).expect("begins");
    again.write(BYTES).expect("writes");
    assert!(again.finish(&expected(), ".cab").expect("taken").already_there);
    assert_eq!(files_below(store.folder()), 1, "the second copy is gone");
}

#[test]
fn a_partial_file_with_wrong_bytes_begins_anew_or_is_put_aside() {
    let (_folder, store) = store();
    let digest = expected().digest.expect("known");
    let mut put = store.partial(digest).expect("begins");
    put.write(b"quite something else, and longer").expect("writes");
    assert!(put.difference(&expected()).expect("differs").contains("bytes instead of 22"));
    put.restart().expect("begins anew");
    assert!(put.is_empty());
    put.write(&BYTES.to_ascii_uppercase()).expect("writes");
    let error = put.finish(&expected(), ".cab").expect_err("refused");
    assert!(matches!(error, StoreError::ContentMismatch { .. }), "{error:?}");
    assert_eq!(store.partials().expect("lists"), []);
    drop(store.partial(digest).expect("begins"));
    assert!(store.partial_delete(digest).expect("deletes"));
    assert!(!store.partial_delete(digest).expect("deletes"));
}

#[test]
fn foreign_and_misspelled_files_are_found_and_adopted() {
    let (_folder, store) = store();
    let hex = expected().digest.expect("known").to_hex();
    let lower = format!("{}/{}.CAB", &hex[38..], hex.to_ascii_lowercase());
    for path in [lower.as_str(), "WsusContent/AA/some name.cab", "quarantine/x", "incoming/y"] {
        let path = store.folder().join(path);
        std::fs::create_dir_all(path.parent().expect("below")).expect("makes");
        std::fs::write(path, BYTES).expect("writes");
    }
    let mut found = Vec::new();
    store.walk(&mut |stray| found.push(stray)).expect("walks");
    assert_eq!(found.len(), 2, "{found:?}");
    for stray in &found {
        assert_eq!((stray.size, &stray.proper), (22, &None));
        let measured = store.measure(&stray.path).expect("reads").expect("there");
        assert_eq!(Some(measured.stored.digest), expected().digest);
        assert!(store.adopt(&measured, ".cab").expect("moves"));
    }
    let mut after = Vec::new();
    store.walk(&mut |stray| after.push(stray)).expect("walks");
    assert_eq!(after.len(), 1, "{after:?}");
    assert_eq!(after[0].proper, Some((expected().digest.expect("known"), ".cab".to_owned())));
    assert_eq!(store.verify(expected().digest.expect("known"), ".cab", &expected()).expect("whole").size, 22);
}

#[test]
fn a_file_that_changes_while_it_is_looked_at_is_not_adopted() {
    let (_folder, store) = store();
    std::fs::write(store.folder().join("growing"), BYTES).expect("writes");
    let measured = store.measure("growing".as_ref()).expect("reads").expect("there");
    std::fs::write(store.folder().join("growing"), [BYTES, BYTES].concat()).expect("grows");
    assert!(!store.adopt(&measured, ".cab").expect("looks"));
    assert!(store.measure("gone".as_ref()).expect("looks").is_none());
    assert!(store.free().expect("looks") > 0);
}

#[test]
fn what_was_put_aside_goes_after_a_while() {
    let (_folder, store) = store();
    put(&store, BYTES, &Expected { size: Some(1), ..expected() }).expect_err("refused");
    let now = std::time::SystemTime::now();
    let hour = std::time::Duration::from_secs(3_600);
    assert_eq!(store.quarantine_clean(now - hour).expect("looks"), (0, 0));
    assert_eq!(store.quarantine_clean(now + hour).expect("cleans"), (1, 22));
    assert_eq!(files_below(store.folder()), 0);
}
