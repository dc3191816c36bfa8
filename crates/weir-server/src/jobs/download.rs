//! Fetches the files that deployments wait for from the sources recorded with them.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use http::{StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde_json::json;
use uuid::Uuid;
use weir_model::ids::ContentDigest;
use weir_store::{
    StoreError,
    alert::AlertSeverity,
    content::{Content as _, ContentStore, Expected, Put},
    content_need::NeededFile,
    job::JobState,
};

use crate::admin::{
    AdminError, App, Caller, blocking, chain, content,
    setting::{CONTENT_DOWNLOAD, Current},
};

/// Kind of the job's rows.
const KIND: &str = "content.download";
/// Kind of the alert about a file that cannot be fetched.
pub(crate) const DOWNLOAD_FAILED: &str = "content.download_failed";
/// Files fetched at once.
const AT_ONCE: usize = 4;
/// A lease is renewed long before this; a process that died gives its job back after it.
const LEASE: SignedDuration = SignedDuration::from_secs(120);
const RENEW: Duration = Duration::from_secs(30);
/// Jobs looked at for one that another process works on.
const RECENT: u32 = 20;
/// Times that one run goes on where a connection broke off.
const RESUMES: u32 = 5;
/// After a failure a file rests, twice as long each time.
const FIRST_REST: Duration = Duration::from_secs(30);
const LONGEST_REST: Duration = Duration::from_hours(6);
/// Without a byte for so long a connection counts as broken.
const STALL: Duration = Duration::from_mins(1);
const CONNECT: Duration = Duration::from_secs(20);

/// The job, with what it remembers of failures.
pub(super) struct Downloader {
    client: reqwest::Client,
    owner: String,
    rests: Mutex<HashMap<ContentDigest, Rest>>,
}

#[derive(Clone, Copy)]
struct Rest {
    until: Instant,
    length: Duration,
}

/// Why a file was not fetched.
#[derive(Debug, thiserror::Error)]
enum DownloadError {
    #[error("{url} answers {status}")]
    Answer { url: String, status: StatusCode },
    #[error("{url} sends more than the {size} bytes that the file has")]
    Longer { url: String, size: u64 },
    #[error("{url} cannot be read")]
    Transport { url: String, source: reqwest::Error },
    #[error("{url} ended after {got} of {size} bytes")]
    Short { url: String, got: u64, size: u64 },
    #[error("{url} sent another file")]
    Mismatch { url: String, source: AdminError },
    #[error(transparent)]
    Here(#[from] AdminError),
}

impl Downloader {
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("Weir/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .read_timeout(STALL)
            // digests are of the files as they are stored, so no coding may come between
            .redirect(reqwest::redirect::Policy::limited(5))
            .build()?;
        let owner = format!("{}-{}", std::process::id(), Uuid::new_v4());
        Ok(Self { client, owner, rests: Mutex::default() })
    }

    /// One run. Returns when the next attempt is due, if that is sooner than the timer.
    pub(super) async fn run(&self, app: &App) -> Option<Duration> {
        let held = match self.work(app).await {
            Ok(held) => held,
            Err(error) => {
                tracing::warn!(error = chain(&error), "downloading content failed; it is tried again");
                Some(FIRST_REST)
            }
        };
        let now = Instant::now();
        let rests = self.rests.lock();
        let due = rests.values().map(|rest| rest.until.saturating_duration_since(now)).chain(held).min();
        due.map(|due| due.clamp(Duration::from_secs(1), super::DOWNLOAD_EVERY))
    }

    /// Fetches what is wanted. If another process does so, returns for how long it still has the lease.
    async fn work(&self, app: &App) -> Result<Option<Duration>, AdminError> {
        let (missing, settings) =
            app.read(|tx| Ok((tx.deployment_files_missing(&crate::content::policy(tx)?)?, Current::read(tx)?))).await?;
        self.rests.lock().retain(|digest, _| missing.iter().any(|file| file.digest == *digest));
        if !settings.flag(CONTENT_DOWNLOAD) {
            return Ok(None);
        }
        let wanted = self.with_sources(app, missing).await?;
        if wanted.is_empty() {
            return Ok(None);
        }
        let caller = Caller { name: "system: content".to_owned(), from: None };
        let job = match self.lease(app, &caller, wanted.len()).await? {
            Ok(job) => job,
            Err(held) => return Ok(Some(held)),
        };
        let (fetched, failed) = self.fetch_all(app, &caller, job, wanted).await;
        let (owner, result) = (self.owner.clone(), json!({ "fetched": fetched, "failed": failed }));
        let state = if failed == 0 { JobState::Done } else { JobState::Failed };
        if fetched > 0 {
            app.publish().await?;
        }
        app.write(&caller, move |tx| Ok(tx.job_end(job, &owner, state, &result)?)).await?;
        Ok(None)
    }

    /// Takes the lease of a job: one that another process left behind, or a new one. While another process works, for how
    /// long its lease lasts.
    async fn lease(&self, app: &App, caller: &Caller, files: usize) -> Result<Result<Uuid, Duration>, AdminError> {
        let (new, owner, now) = (Uuid::new_v4(), self.owner.clone(), Timestamp::now());
        app.write(caller, move |tx| {
            let running = tx.job_list(KIND, RECENT)?.into_iter().filter(|job| job.state == JobState::Running);
            if let Some(until) = running.filter_map(|job| job.lease_until).filter(|until| *until > now).max() {
                return Ok(Err(Duration::try_from(until.duration_since(now)).unwrap_or_default()));
            }
            let until = now + LEASE;
            if let Some(left) = tx.job_take(KIND, &owner, until)? {
                return Ok(Ok(left.id));
            }
            tx.job_create(new, KIND, &json!({ "files": files }))?;
            let job = tx.job_take(KIND, &owner, until)?.map_or(new, |job| job.id);
            Ok(Ok(job))
        })
        .await
    }

    /// What can be fetched now: files with sources that are not at rest.
    async fn with_sources(
        &self,
        app: &App,
        missing: Vec<NeededFile>,
    ) -> Result<Vec<(NeededFile, Vec<String>)>, AdminError> {
        let now = Instant::now();
        let resting: Vec<ContentDigest> =
            self.rests.lock().iter().filter(|(_, rest)| rest.until > now).map(|(digest, _)| *digest).collect();
        app.read(move |tx| {
            let mut wanted = Vec::new();
            for file in missing.into_iter().filter(|file| !resting.contains(&file.digest)) {
                let urls: Vec<String> = tx.file_sources(file.digest)?.into_iter().map(|source| source.url).collect();
                if !urls.is_empty() {
                    wanted.push((file, urls));
                }
            }
            Ok(wanted)
        })
        .await
    }

    /// Fetches files, a few at once. Returns how many were fetched and how many failed.
    async fn fetch_all(
        &self,
        app: &App,
        caller: &Caller,
        job: Uuid,
        wanted: Vec<(NeededFile, Vec<String>)>,
    ) -> (u64, u64) {
        let total = wanted.len();
        let counts = Arc::new(Mutex::new((0_u64, 0_u64)));
        let work = futures_util::stream::iter(wanted).for_each_concurrent(AT_ONCE, |(file, urls)| {
            let counts = Arc::clone(&counts);
            async move {
                let good = self.fetch(app, caller, &file, &urls).await;
                let mut counts = counts.lock();
                if good { counts.0 += 1 } else { counts.1 += 1 }
            }
        });
        let renewed = async {
            let mut told = 0;
            loop {
                tokio::time::sleep(RENEW).await;
                let (owner, until) = (self.owner.clone(), Timestamp::now() + LEASE);
                let (fetched, failed) = *counts.lock();
                // what is complete goes out; it does not wait for the slowest file of all
                if fetched > told {
                    told = fetched;
                    if let Err(error) = app.publish().await {
                        tracing::warn!(error = chain(&error), "publishing fetched content failed; it is tried again");
                    }
                }
                let progress = json!({ "fetched": fetched, "failed": failed, "files": total });
                let kept = app.write(caller, move |tx| Ok(tx.job_renew(job, &owner, until, &progress)?)).await;
                if !matches!(kept, Ok(true)) {
                    // cancelled, or another process works on it now
                    return;
                }
            }
        };
        tokio::select! {
            () = work => {}
            () = renewed => {}
        }
        let counts = counts.lock();
        *counts
    }

    /// Fetches one file from the first source that has it. True if it is here and verified then.
    async fn fetch(&self, app: &App, caller: &Caller, file: &NeededFile, urls: &[String]) -> bool {
        let mut last = None;
        for url in urls {
            match self.try_source(app, caller, file, url).await {
                Ok(()) => {
                    self.rests.lock().remove(&file.digest);
                    metrics::counter!("weir_content_downloads_total").increment(1);
                    tracing::info!(digest = %file.digest, name = file.name, bytes = file.size, "a content file was fetched");
                    return true;
                }
                Err(error) => last = Some(error),
            }
        }
        let Some(error) = last else { return false };
        self.failed(app, caller, file, &error).await;
        false
    }

    async fn failed(&self, app: &App, caller: &Caller, file: &NeededFile, error: &DownloadError) {
        metrics::counter!("weir_content_download_failures_total").increment(1);
        {
            let mut rests = self.rests.lock();
            let length = rests.get(&file.digest).map_or(FIRST_REST, |rest| (rest.length * 2).min(LONGEST_REST));
            rests.insert(file.digest, Rest { until: Instant::now() + length, length });
        }
        let kind = if matches!(error, DownloadError::Mismatch { .. } | DownloadError::Longer { .. }) {
            content::MISMATCH
        } else {
            DOWNLOAD_FAILED
        };
        let message =
            format!("{} cannot be fetched: {}. It is tried again; or: weir content add PATH", file.name, chain(error));
        tracing::warn!(digest = %file.digest, name = file.name, error = chain(error), "a content file was not fetched");
        let digest = file.digest;
        let noted = app
            .write(caller, move |tx| Ok(tx.alert_open(kind, &digest.to_hex(), AlertSeverity::Warning, &message)?))
            .await;
        if let Err(error) = noted {
            tracing::warn!(error = chain(&error), "an alert could not be stored");
        }
    }

    async fn try_source(&self, app: &App, caller: &Caller, file: &NeededFile, url: &str) -> Result<(), DownloadError> {
        let store = app.state.content.clone();
        let mut put = blocking(move || Ok(store.put()?)).await?;
        let mut resumes = 0;
        loop {
            let (back, outcome) = self.transfer(put, file, url).await?;
            put = back;
            match outcome {
                Ok(()) => break,
                Err(error) if resumes < RESUMES && is_interruption(&error) => {
                    resumes += 1;
                    tokio::time::sleep(Duration::from_millis(200 * u64::from(resumes))).await;
                }
                Err(error) => return Err(error),
            }
        }
        let extension = ContentStore::extension(&file.name);
        let expected = Expected { digest: Some(file.digest), sha256: file.sha256, size: Some(file.size) };
        content::store(app, caller, put, expected, extension).await.map_err(|error| match error {
            AdminError::Store(StoreError::ContentMismatch { .. }) => {
                DownloadError::Mismatch { url: url.to_owned(), source: error }
            }
            error => DownloadError::Here(error),
        })
    }

    /// Asks for what is still missing and takes what comes. Gives `put` back in any case but a failure of our own.
    async fn transfer(
        &self,
        mut put: Put,
        file: &NeededFile,
        url: &str,
    ) -> Result<(Put, Result<(), DownloadError>), DownloadError> {
        let have = put.len();
        let mut request = self.client.get(url).header(header::ACCEPT_ENCODING, "identity");
        if have > 0 {
            request = request.header(header::RANGE, format!("bytes={have}-"));
        }
        let transport =
            |source: reqwest::Error| DownloadError::Transport { url: url.to_owned(), source: source.without_url() };
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Ok((put, Err(transport(error)))),
        };
        let wanted = if have > 0 { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
        let status = response.status();
        let starts_there = have == 0 || begins_at(response.headers(), have);
        if status != wanted || !starts_there {
            // a server that does not resume would send everything again: begin anew with the next run
            return Ok((put, Err(DownloadError::Answer { url: url.to_owned(), status })));
        }
        let mut body = response.bytes_stream();
        while let Some(bytes) = body.next().await {
            let bytes = match bytes {
                Ok(bytes) => bytes,
                Err(error) => return Ok((put, Err(transport(error)))),
            };
            if put.len() + bytes.len() as u64 > file.size {
                return Ok((put, Err(DownloadError::Longer { url: url.to_owned(), size: file.size })));
            }
            put = blocking(move || {
                put.write(&bytes)?;
                Ok(put)
            })
            .await?;
        }
        let got = put.len();
        if got < file.size {
            return Ok((put, Err(DownloadError::Short { url: url.to_owned(), got, size: file.size })));
        }
        Ok((put, Ok(())))
    }
}

fn is_interruption(error: &DownloadError) -> bool {
    matches!(error, DownloadError::Transport { .. } | DownloadError::Short { .. })
}

/// Whether an answer to a range begins where it should (`Content-Range: bytes 5-9/10`, RFC 9110 14.4).
fn begins_at(headers: &http::HeaderMap, have: u64) -> bool {
    let value = headers.get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
    let first = value.and_then(|value| value.trim().strip_prefix("bytes ")).and_then(|range| range.split('-').next());
    first.and_then(|first| first.trim().parse().ok()) == Some(have)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resumed_answer_must_begin_where_the_first_ended() {
        let range = |value: &str| {
            let mut headers = http::HeaderMap::new();
            headers.insert(header::CONTENT_RANGE, value.parse().expect("header"));
            headers
        };
        assert!(begins_at(&range("bytes 5-9/10"), 5));
        assert!(!begins_at(&range("bytes 0-9/10"), 5));
        assert!(!begins_at(&range("items 5-9/10"), 5));
        assert!(!begins_at(&http::HeaderMap::new(), 5));
    }
}
