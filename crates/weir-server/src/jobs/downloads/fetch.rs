//! One file: from the first of its sources that has it.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use weir_model::ids::ContentDigest;
use weir_store::{
    StoreError,
    alert::AlertSeverity,
    content::{Content as _, ContentStore, Expected, Put},
    content_need::NeededFile,
};

use super::{
    pace::Pace,
    sources::{Candidate, content_url, recorded},
    state::{Active, Downloads},
    transfer::{DownloadError, Transfer, on_disk, restart},
};
use crate::{
    admin::{AdminError, App, Caller, chain, content},
    front,
};

/// Times that one run goes on where a connection broke off.
const RESUMES: u32 = 5;
/// After so many failures in a row the addresses that documents name are tried, too, for what the upstream server does not
/// have.
const PATIENCE: u32 = 5;
/// No root of the upstream server has answered yet.
const UNKNOWN: usize = usize::MAX;

/// Where the upstream server has its content, and how it is reached.
pub(super) struct UpstreamContent {
    pub(super) client: reqwest::Client,
    pub(super) roots: Vec<String>,
    /// The root that has sent a file.
    good: AtomicUsize,
}

impl UpstreamContent {
    pub(super) fn new(client: reqwest::Client, roots: Vec<String>) -> Self {
        Self { client, roots, good: AtomicUsize::new(UNKNOWN) }
    }

    fn candidates(&self, digest: ContentDigest, name: &str) -> Vec<Candidate> {
        let good = self.good.load(Ordering::Relaxed);
        let roots = self.roots.iter().enumerate().filter(|(index, _)| good == UNKNOWN || good == *index);
        roots.map(|(_, root)| Candidate { url: content_url(root, digest, name), upstream: true }).collect()
    }

    fn worked(&self, url: &str) {
        if let Some(index) = self.roots.iter().position(|root| url.starts_with(root.as_str())) {
            self.good.store(index, Ordering::Relaxed);
        }
    }
}

/// Fetches files in one run.
pub(super) struct Fetcher<'f> {
    pub(super) app: &'f App,
    pub(super) caller: &'f Caller,
    pub(super) downloads: &'f Downloads,
    pub(super) pace: &'f Pace,
    /// For addresses that documents and upstream servers name.
    pub(super) client: reqwest::Client,
    /// Set if the upstream server holds content itself.
    pub(super) upstream: Option<UpstreamContent>,
}

/// Why a file was not fetched.
pub(super) struct Failure {
    pub(super) error: DownloadError,
    /// The upstream server does not have it yet: it can be asked to fetch it.
    pub(super) absent_above: bool,
}

impl Fetcher<'_> {
    /// Fetches one file that failed `failures` times in a row. It is here and verified if this succeeds.
    pub(super) async fn fetch(&self, file: &NeededFile, failures: u32) -> Result<(), Failure> {
        let fail = |error| Failure { error, absent_above: false };
        if self.take_what_is_there(file).await.map_err(fail)? {
            return Ok(());
        }
        let digest = file.digest;
        let recorded = self.app.read(move |tx| recorded(tx, digest)).await.map_err(|error| fail(error.into()))?;
        let above = self.upstream.as_ref().map(|upstream| upstream.candidates(digest, &file.name)).unwrap_or_default();
        let mut failure = Failure { error: DownloadError::NoSource, absent_above: false };
        for candidate in above.into_iter().chain(recorded) {
            if !candidate.upstream && failure.absent_above && failures < PATIENCE {
                break;
            }
            match self.try_source(file, &candidate).await {
                Ok(()) => {
                    if let Some(upstream) = self.upstream.as_ref().filter(|_| candidate.upstream) {
                        upstream.worked(&candidate.url);
                    }
                    metrics::counter!("weir_content_downloads_total").increment(1);
                    tracing::info!(%digest, name = file.name, bytes = file.size, "a content file was fetched");
                    return Ok(());
                }
                Err(error @ (DownloadError::Here(_) | DownloadError::Full)) => return Err(fail(error)),
                Err(error) => {
                    if error.is_fraud() {
                        self.tell(file, &error).await;
                    }
                    let absent = candidate.upstream && error.is_absence();
                    // of several reasons the one that names the upstream server's answer is kept
                    if !failure.absent_above || absent {
                        failure.error = error;
                    }
                    failure.absent_above |= absent;
                }
            }
        }
        Err(failure)
    }

    /// A file that is at its place already, put there by hand or by a process that ended before it could note it.
    async fn take_what_is_there(&self, file: &NeededFile) -> Result<bool, DownloadError> {
        let (store, digest, size) = (self.app.state.content.clone(), file.digest, file.size);
        let extension = ContentStore::extension(&file.name);
        let looked = extension.clone();
        if on_disk(move || store.size(digest, &looked)).await? != Some(size) {
            return Ok(false);
        }
        match content::take_in_place(self.app, self.caller, expected(file), extension).await {
            Ok(taken) => Ok(taken),
            Err(error) => Err(error.into()),
        }
    }

    async fn tell(&self, file: &NeededFile, error: &DownloadError) {
        let message =
            format!("{} is not taken: {}. It is tried again; or: weir content add PATH", file.name, error.words());
        let subject = file.digest.to_hex();
        let told = self.app.write(self.caller, move |tx| {
            Ok(tx.alert_open(content::MISMATCH, &subject, AlertSeverity::Critical, &message)?)
        });
        if let Err(error) = told.await {
            tracing::warn!(error = chain(&error), "an alert could not be stored");
        }
    }

    async fn try_source(&self, file: &NeededFile, candidate: &Candidate) -> Result<(), DownloadError> {
        let host = host_of(&candidate.url);
        let _place = self.pace.host(&host).await;
        let (store, digest) = (self.app.state.content.clone(), file.digest);
        let put = on_disk(move || store.partial(digest)).await?;
        let resumed = !put.is_empty();
        self.downloads.comes_from(digest, &host, put.len());
        let put = self.whole(file, candidate, put).await?;
        // what an earlier process left may be damaged: it is no proof against this source
        let expected = expected(file);
        let put = if resumed && put.difference(&expected).is_some() {
            self.downloads.comes_from(digest, &host, 0);
            self.whole(file, candidate, restart(put).await?).await?
        } else {
            put
        };
        self.finish(file, candidate, put, expected).await
    }

    /// Takes the rest of a file, going on where the connection broke off.
    async fn whole(&self, file: &NeededFile, candidate: &Candidate, mut put: Put) -> Result<Put, DownloadError> {
        if put.len() > file.size {
            put = restart(put).await?;
        }
        let client = match &self.upstream {
            Some(upstream) if candidate.upstream => &upstream.client,
            _ => &self.client,
        };
        let (downloads, pace) = (self.downloads, self.pace);
        let transfer = Transfer { client, url: &candidate.url, digest: file.digest, size: file.size, downloads, pace };
        let mut resumes = 0;
        while put.len() < file.size {
            let (back, outcome) = transfer.run(put).await?;
            put = back;
            match outcome {
                Ok(()) => break,
                Err(error) if resumes < RESUMES && error.is_interruption() => {
                    resumes += 1;
                    let wait = match error {
                        DownloadError::Busy { wait, .. } => wait,
                        _ => Duration::from_millis(200 * u64::from(resumes)),
                    };
                    tokio::time::sleep(wait).await;
                }
                Err(error) => {
                    if error.is_fraud() {
                        restart(put).await?;
                    }
                    return Err(error);
                }
            }
        }
        Ok(put)
    }

    /// Compares digests and moves the file to its place. A task of its own: what is whole gets its row even if the run is
    /// interrupted at this moment.
    async fn finish(
        &self,
        file: &NeededFile,
        candidate: &Candidate,
        put: Put,
        expected: Expected,
    ) -> Result<(), DownloadError> {
        let (app, caller) = (self.app.clone(), self.caller.clone());
        let extension = ContentStore::extension(&file.name);
        let store = async move { content::store(&app, &caller, put, expected, extension).await };
        let stored = tokio::spawn(front::carry(store));
        match stored.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(AdminError::Store(StoreError::ContentMismatch { difference, .. }))) => {
                Err(DownloadError::Mismatch { url: candidate.url.clone(), difference })
            }
            Ok(Err(AdminError::Store(StoreError::DiskFull { .. }))) => Err(DownloadError::Full),
            Ok(Err(error)) => Err(error.into()),
            Err(error) => Err(AdminError::Internal(format!("storing a file ended: {error}")).into()),
        }
    }
}

/// A file about to be fetched, for those who ask.
pub(super) fn active(file: &NeededFile, got: u64) -> Active {
    Active { name: file.name.clone(), size: file.size, got, host: String::new() }
}

fn expected(file: &NeededFile) -> Expected {
    Expected { digest: Some(file.digest), sha256: file.sha256, size: Some(file.size) }
}

fn host_of(url: &str) -> String {
    url.parse::<http::Uri>().ok().and_then(|url| url.authority().map(ToString::to_string)).unwrap_or_default()
}
