//! Backups while computers report and administrators decide.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use weir_model::ids::UpdateId;
use weir_testkit::WeirProcess;

use super::{
    super::{crash::small_catalogue, json, reporter::Reporter, sqlite_server as server, sqlite_server_in, store},
    sound, text, weir,
};

const COMPUTERS: u64 = 4;
const BACKUPS: usize = 2;

/// What was answered to each computer so far.
type Told = Vec<Arc<Mutex<BTreeSet<UpdateId>>>>;

/// A backup that was made meanwhile, and what had been answered before it began.
struct Made {
    path: PathBuf,
    told: Vec<BTreeSet<UpdateId>>,
    collections: Vec<String>,
}

/// Makes a backup as soon as everybody has reported something since the one before.
fn back_up(server: &WeirProcess, told: &Told, collections: &Mutex<Vec<String>>, at_least: usize) -> Made {
    let snapshot = || -> Vec<_> { told.iter().map(|told| told.lock().expect("sound").clone()).collect() };
    for _ in 0..3_000 {
        if snapshot().iter().all(|told| told.len() >= at_least) {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let (told, collections) = (snapshot(), collections.lock().expect("sound").clone());
    assert!(told.iter().all(|told| told.len() >= at_least), "nobody reports: {told:?}\n{}", server.log());
    let made = json(server, &["backup", "create"]);
    Made { path: PathBuf::from(made["path"].as_str().expect("a path")), told, collections }
}

/// A server of the backup has what had been answered, of everything else all or nothing.
fn check(made: &Made, data: &Path, reporters: &[Reporter]) {
    let (code, said) = weir(data, &["backup", "verify", text(&made.path)]);
    assert_eq!(code, 0, "{said}");
    let (code, said) = weir(data, &["restore", text(&made.path)]);
    assert_eq!(code, 0, "{said}");
    sound(data, "restored");
    let mut restored = sqlite_server_in(Some(data));
    for (reporter, told) in reporters.iter().zip(&made.told) {
        reporter.check_status_since(&restored, told, "restored");
    }
    let names = json(&restored, &["collections", "list", "--all"]).to_string();
    for name in &made.collections {
        assert!(names.contains(&format!("\"{name}\"")), "{name} was answered before, and is not in {names}");
    }
    assert!(restored.stop().expect("it stops"), "{}", restored.log());
    let store = store(data);
    for reporter in reporters {
        reporter.stored(&store);
    }
}

/// The promise: a backup holds nobody up, is of one moment, and has everything that was answered before it began.
#[test]
fn a_backup_under_load_has_all_that_was_answered_before_it_began() {
    let mut server = server();
    let (shelf, updates) = small_catalogue(&server, 400);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let stop = Arc::new(AtomicBool::new(false));
    let (mut told, mut reports) = (Told::new(), Vec::new());
    for number in 0..COMPUTERS {
        let mut reporter = runtime.block_on(Reporter::known(&server, number, &shelf, &updates));
        let (mine, stop) = (Arc::<Mutex<BTreeSet<UpdateId>>>::default(), Arc::clone(&stop));
        told.push(Arc::clone(&mine));
        reports.push(runtime.spawn(async move {
            while !stop.load(Ordering::Relaxed) && reporter.report().await.expect("nobody is held up") {
                *mine.lock().expect("sound") = reporter.told();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            reporter
        }));
    }
    let collections = Mutex::new(Vec::new());
    let made: Vec<Made> = std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0.. {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let name = format!("Ring {number:03}");
                json(&server, &["collections", "create", &name]);
                collections.lock().expect("sound").push(name);
            }
        });
        // it ends them even if it fails
        let _stop = StopOnDrop(&stop);
        (1..=BACKUPS).map(|number| back_up(&server, &told, &collections, number * 3)).collect()
    });
    let reporters: Vec<Reporter> =
        reports.into_iter().map(|report| runtime.block_on(report).expect("a reporter")).collect();
    assert!(server.stop().expect("it stops"), "{}", server.log());
    let scratch = tempfile::tempdir().expect("a folder");
    for (number, made) in made.iter().enumerate() {
        check(made, &scratch.path().join(format!("restored-{number}")), &reporters);
    }
}

struct StopOnDrop<'s>(&'s AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
