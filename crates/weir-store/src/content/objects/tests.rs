use std::{
    io::{Read as _, Seek as _, SeekFrom},
    path::Path as FilePath,
    time::{Duration, SystemTime},
};

use object_store::memory::InMemory;
use sha1::{Digest as _, Sha1};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::*;
use crate::content::{Content as _, Expected, Stray};

/// A content store over an object store in memory.
struct Bench {
    runtime: Runtime,
    memory: Arc<InMemory>,
    objects: Arc<Objects>,
    content: ContentStore,
    _folder: TempDir,
}

fn over(memory: &Arc<InMemory>, runtime: &Runtime) -> Arc<Objects> {
    Arc::new(Objects {
        store: Arc::<InMemory>::clone(memory),
        signer: None,
        prefix: "site/".to_owned(),
        url: "s3://bucket/site".to_owned(),
        redirect: None,
        runtime: runtime.handle().clone(),
        state: Mutex::default(),
        clock: || Timestamp::UNIX_EPOCH,
    })
}

fn bench() -> Bench {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let memory = Arc::new(InMemory::new());
    let objects = over(&memory, &runtime);
    objects.claim("one").expect("claimed");
    let folder = tempfile::tempdir().expect("a folder");
    let content = ContentStore::open(folder.path()).expect("a store").with_objects(Arc::clone(&objects));
    Bench { runtime, memory, objects, content, _folder: folder }
}

impl Bench {
    fn put(&self, bytes: &[u8]) -> ContentDigest {
        let mut put = self.content.put().expect("begun");
        put.write(bytes).expect("taken");
        put.finish(&Expected::default(), ".cab").expect("stored").digest
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = Path::from(name);
        self.runtime.block_on(self.memory.put(&path, bytes.to_vec().into())).expect("written");
    }

    fn names(&self) -> Vec<String> {
        let list = self.memory.list(None).map_ok(|meta| meta.location.to_string()).try_collect();
        let mut names: Vec<String> = self.runtime.block_on(list).expect("listed");
        names.sort();
        names
    }
}

fn name(digest: ContentDigest) -> String {
    format!("site/{}", ContentStore::relative_path(digest, ".cab"))
}

#[test]
fn a_file_is_sent_whole_read_again_put_aside_and_deleted() {
    let bench = bench();
    let digest = bench.put(b"good");
    assert_eq!(bench.names(), [name(digest), "site/weir-content.txt".to_owned()]);
    assert_eq!(bench.content.size(digest, ".cab").expect("looked"), Some(4));
    let expected = Expected { digest: Some(digest), sha256: None, size: Some(4) };
    assert!(bench.content.verify(digest, ".cab", &expected).expect("good").already_there);
    assert_eq!(bench.content.list().expect("listed"), [(digest, ".cab".to_owned(), 4)]);

    // rotten, and as long as before
    bench.write(&name(digest), b"evil");
    let error = bench.content.verify(digest, ".cab", &expected).expect_err("another file");
    let StoreError::ContentMismatch { quarantined, .. } = &error else { panic!("{error}") };
    assert!(quarantined.starts_with("s3://bucket/site/quarantine"), "{error}");
    assert_eq!(bench.content.size(digest, ".cab").expect("looked"), None);
    assert!(bench.content.list().expect("listed").is_empty());
    assert_eq!(bench.names().len(), 2, "{:?}", bench.names());
    let missing = bench.content.verify(digest, ".cab", &expected).expect_err("gone");
    assert!(matches!(missing, StoreError::Missing { .. }), "{missing}");

    // what is rotten does not stay in the way of what is good
    bench.write(&name(digest), b"evil");
    assert_eq!(bench.put(b"good"), digest);
    assert!(bench.content.verify(digest, ".cab", &expected).is_ok());

    let (files, bytes) = bench.content.quarantine_clean(SystemTime::now() + Duration::from_mins(1)).expect("cleaned");
    assert_eq!((files, bytes), (1, 4));
    assert!(bench.content.delete(digest, ".cab").expect("deleted"));
    assert_eq!(bench.names(), ["site/weir-content.txt"]);
}

#[test]
fn a_large_file_goes_in_parts_and_is_read_from_any_place() {
    let bench = bench();
    let bytes: Vec<u8> = (0..9 << 20).map(|at: u32| (at / 251) as u8).collect();
    let digest = bench.put(&bytes);
    assert_eq!(digest, ContentDigest(Sha1::digest(&bytes).into()));
    let (mut file, size) = bench.content.open(digest, ".cab").expect("opened").expect("there");
    assert_eq!(size, bytes.len() as u64);
    let mut read = Vec::new();
    file.read_to_end(&mut read).expect("read");
    assert!(read == bytes);
    for (place, from) in [(SeekFrom::Start(8_388_600), 8_388_600), (SeekFrom::End(-3), bytes.len() - 3)] {
        file.seek(place).expect("a place");
        read.clear();
        file.read_to_end(&mut read).expect("read");
        assert!(read == bytes[from..], "{place:?}");
    }

    // one that becomes another while it is read is no mixture
    file.seek(SeekFrom::Start(0)).expect("a place");
    file.read_exact(&mut [0; 10]).expect("read");
    bench.write(&name(digest), &vec![1; bytes.len()]);
    let mut rest = Vec::new();
    assert!(file.read_to_end(&mut rest).is_err());
}

#[test]
fn what_lies_under_another_name_is_taken_in() {
    let bench = bench();
    bench.write("site/WsusContent/0A/foreign.cab", b"good");
    let mut strays: Vec<Stray> = Vec::new();
    bench.content.walk(&mut |stray| strays.push(stray)).expect("walked");
    let [stray] = strays.as_slice() else { panic!("{strays:?}") };
    assert_eq!((stray.path.as_path(), stray.size), (FilePath::new("WsusContent/0A/foreign.cab"), 4));
    assert!(stray.proper.is_none());
    let measured = bench.content.measure(&stray.path).expect("measured").expect("there");
    assert!(bench.content.adopt(&measured, ".cab").expect("adopted"));
    let digest = measured.stored.digest;
    assert_eq!(bench.names(), [name(digest), "site/weir-content.txt".to_owned()]);
    assert!(!bench.content.adopt(&measured, ".cab").expect("it is gone"));
}

#[test]
fn a_store_that_is_not_ours_says_nothing_about_what_is_absent() {
    let bench = bench();
    let digest = bench.put(b"good");
    let of_another = over(&bench.memory, &bench.runtime);
    let refused = of_another.claim("two").expect_err("another site");
    assert!(refused.is_outage() && refused.to_string().contains("another site (one)"), "{refused}");
    assert!(of_another.trouble().is_some());
    let absent = ContentDigest([7; 20]);
    assert!(of_another.size(absent, ".cab").expect_err("not ours").is_outage());
    assert!(of_another.delete(digest, ".cab").expect_err("not ours").is_outage());

    assert_eq!(bench.content.size(absent, ".cab").expect("looked"), None);
    for name in bench.names() {
        bench.runtime.block_on(bench.memory.delete(&Path::from(name))).expect("deleted");
    }
    assert!(bench.content.size(digest, ".cab").expect_err("emptied").is_outage());
    assert!(bench.objects.claim("one").is_err(), "it is not made ours a second time");
    assert!(bench.objects.trouble().is_some());
    // a server that starts anew takes it as it is
    let again = over(&bench.memory, &bench.runtime);
    assert!(
        again.recognise("one").expect_err("nobody's").is_outage() && bench.names().is_empty(),
        "looking marks nothing"
    );
    again.claim("one").expect("claimed");
    again.recognise("one").expect("it is ours");
    bench.objects.claim("one").expect("the marker is back");
    assert_eq!(bench.objects.trouble(), None);
    assert_eq!(bench.content.size(digest, ".cab").expect("looked"), None);
}

/// The promise: when another site has taken the store over, nothing of it is changed from here any more.
#[test]
fn a_store_that_another_site_took_over_is_left_alone() {
    let bench = bench();
    let digest = bench.put(b"good");
    bench.write("site/weir-content.txt", b"content of the Weir site two\n");
    assert!(bench.objects.claim("one").expect_err("another site").is_outage());
    assert!(bench.objects.usable().is_err());
    assert!(bench.content.delete(digest, ".cab").expect_err("it is not ours").is_outage());
    assert!(bench.content.quarantine_clean(SystemTime::now()).expect_err("it is not ours").is_outage());
    let mut put = bench.content.put().expect("begun");
    put.write(b"more").expect("taken");
    assert!(put.finish(&Expected::default(), ".cab").expect_err("it is not ours").is_outage());
    assert_eq!(bench.names(), [name(digest), "site/weir-content.txt".to_owned()]);

    bench.write("site/weir-content.txt", b"content of the Weir site one\n");
    bench.objects.claim("one").expect("ours again");
    assert!(bench.objects.usable().is_ok() && bench.content.delete(digest, ".cab").expect("deleted"));
}
