//! Downloads the files of updates: several at once, bounded, resumed after interruptions, verified before they count.

mod file;

use std::{
    collections::{BTreeMap, VecDeque},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::task::JoinSet;
use weir_model::ids::ContentDigest;

pub use self::file::{Fetched, FileProblem};
use crate::{details::NeededFile, http::HttpSettings};

/// What becomes of files.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Keep {
    /// They go into a folder, by digest: `<SHA1>.<extension>`, and `<SHA1>.<extension>.part` until they are complete.
    Folder(PathBuf),
    /// They are read over the network, verified and dropped.
    Nothing,
    /// They are taken for downloaded without a look.
    Pretend,
}

impl Keep {
    /// Where a file is or would be.
    pub fn path(&self, file: &NeededFile) -> Option<PathBuf> {
        match self {
            Self::Folder(folder) => Some(folder.join(name(file))),
            Self::Nothing | Self::Pretend => None,
        }
    }
}

/// How to download.
#[derive(Clone, Debug)]
pub struct Download {
    /// What becomes of files.
    pub keep: Keep,
    /// Files that are downloaded at the same time, at least 1.
    pub parallel: usize,
    /// How connections are made.
    pub http: Arc<HttpSettings>,
    /// Bytes that were received so far, for progress.
    pub received: Arc<AtomicU64>,
}

impl Download {
    /// Four files at a time.
    pub fn new(keep: Keep, http: Arc<HttpSettings>) -> Self {
        Self { keep, parallel: 4, http, received: Arc::default() }
    }

    /// Brings these files here. Gives for each digest how it went; a file that is here and right is not downloaded again.
    /// `locations` says where they are.
    pub async fn run(
        &self,
        files: &[NeededFile],
        locations: &BTreeMap<ContentDigest, String>,
    ) -> BTreeMap<ContentDigest, Result<Fetched, FileProblem>> {
        let mut results = BTreeMap::new();
        let mut queue = VecDeque::new();
        for file in files {
            if results.contains_key(&file.digest)
                || queue.iter().any(|(known, _): &(NeededFile, _)| known.digest == file.digest)
            {
                continue;
            }
            match (&self.keep, locations.get(&file.digest)) {
                (Keep::Pretend, _) => drop(results.insert(file.digest, Ok(Fetched::default()))),
                (_, url) => queue.push_back((file.clone(), url.cloned())),
            }
        }
        let workers = self.parallel.clamp(1, queue.len().max(1));
        let queue = Arc::new(Mutex::new(queue));
        let mut tasks = JoinSet::new();
        for _ in 0..workers {
            let (queue, settings) = (Arc::clone(&queue), Arc::clone(&self.http));
            let (keep, received) = (self.keep.clone(), Arc::clone(&self.received));
            tasks.spawn(async move {
                let mut fetcher = file::Fetcher::new(settings, received);
                let mut done = Vec::new();
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some((file, url)) = next else { return done };
                    let result = fetcher.fetch(&file, url.as_deref(), keep.path(&file).as_deref()).await;
                    done.push((file.digest, result));
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            // a worker does not panic; if one did, its files are missing from the results and count as not downloaded
            results.extend(done.unwrap_or_default());
        }
        results
    }

    /// Bytes that were received so far.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

/// The name of a file in the folder: never that of the publisher, who could name any path.
fn name(file: &NeededFile) -> String {
    let extension = Path::new(&file.name).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let plain =
        !extension.is_empty() && extension.len() <= 16 && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if plain { format!("{}.{}", file.digest, extension.to_ascii_lowercase()) } else { file.digest.to_string() }
}
