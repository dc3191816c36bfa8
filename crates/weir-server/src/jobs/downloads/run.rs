//! One run: files a few at once, what becomes wanted meanwhile taken up, the lease renewed, the outcome noted.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    pin::Pin,
    time::Duration,
};

use futures_util::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior},
};
use uuid::Uuid;
use weir_model::ids::ContentDigest;
use weir_store::content_request::ContentRest;

use super::{
    Downloader, Held, LEASE, LONGEST_REST, Wanted, Why,
    ask::Asker,
    fetch::{Failure, Fetcher, UpstreamContent, active},
    lacking,
    pace::Pace,
    queue::{self, Queue},
    state::Active,
    transfer::DownloadError,
};
use crate::{
    admin::{AdminError, App, chain},
    content::upstream,
    sync::outbound::{self, ClientTerms, Purpose},
};

/// How often the lease is renewed and what is complete goes out: it does not wait for the slowest file of all.
const RENEW: Duration = Duration::from_secs(5);
/// After a failure a file rests, twice as long each time.
const FIRST_REST: Duration = Duration::from_secs(30);
/// What the upstream server was asked to fetch is looked for sooner.
const FIRST_LOOK: Duration = Duration::from_secs(2);
const LONGEST_LOOK: Duration = Duration::from_mins(30);
/// Files that the upstream server lacks are asked for together, so many or after so long.
const ASK_AT: usize = 50;
/// A file that nobody wants any more is not fetched to its end if more than this is still to come.
const WORTH_ENDING: u64 = 4 << 20;

/// What a run did.
#[derive(Clone, Debug, Default)]
pub(super) struct Done {
    pub(super) fetched: u64,
    pub(super) failed: u64,
    pub(super) bytes: u64,
    /// Why files wait that could be fetched.
    pub(super) lack: Option<String>,
}

type Working<'w> = Pin<Box<dyn Future<Output = (Wanted, Result<(), Failure>)> + Send + 'w>>;

struct Run<'r> {
    downloader: &'r Downloader,
    app: &'r App,
    job: Uuid,
    queue: Queue,
    waiting: VecDeque<Wanted>,
    /// Bytes of files under way.
    active: BTreeMap<ContentDigest, u64>,
    /// Bytes stored since the room was looked at.
    stored: u64,
    held: BTreeMap<ContentDigest, (u64, String)>,
    full: bool,
    absent: Vec<(ContentDigest, String)>,
    asker: Asker,
    unpublished: bool,
    done: Done,
    interrupted: watch::Receiver<u64>,
}

/// Works until nothing is left that could be fetched now.
pub(super) async fn run(
    downloader: &Downloader,
    app: &App,
    job: Uuid,
    queue: Queue,
    interrupted: watch::Receiver<u64>,
) -> Result<Done, AdminError> {
    let outbound = |error: outbound::OutboundError| AdminError::Unavailable(chain(&error));
    let client = outbound::client(app, Purpose::Content).await.map_err(outbound)?;
    let above = match upstream::load(app).await.map_err(|error| AdminError::Unavailable(chain(&error)))? {
        Some(upstream) => {
            let mut roots = upstream::roots(&upstream.base);
            if upstream.enrolled {
                // an enrolled parent is trusted by its certificate alone
                roots.truncate(1);
            }
            let terms = ClientTerms { purpose: Purpose::Content, ..upstream.terms };
            let client = outbound::client(app, terms).await.map_err(outbound)?;
            Some(UpstreamContent::new(client, roots))
        }
        None => None,
    };
    let pace = Pace::new(queue.kib_per_second);
    let downloads = &app.shared().downloads;
    let fetcher = Fetcher { app, caller: &downloader.caller, downloads, pace: &pace, client, upstream: above };
    let mut run = Run {
        downloader,
        app,
        job,
        queue,
        waiting: VecDeque::new(),
        active: BTreeMap::new(),
        stored: 0,
        held: BTreeMap::new(),
        full: false,
        absent: Vec::new(),
        asker: Asker::default(),
        unpublished: false,
        done: Done::default(),
        interrupted,
    };
    run.refill();
    run.work(&fetcher).await?;
    run.ask().await?;
    run.hold();
    if run.unpublished {
        app.publish().await?;
    }
    run.done.bytes = downloads.running().map_or(0, |running| running.bytes);
    Ok(run.done)
}

impl Run<'_> {
    async fn work(&mut self, fetcher: &Fetcher<'_>) -> Result<(), AdminError> {
        let mut working: FuturesUnordered<Working<'_>> = FuturesUnordered::new();
        let mut renew = tokio::time::interval_at(Instant::now() + RENEW, RENEW);
        renew.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            while working.len() < self.queue.concurrency
                && let Some(next) = self.next().await?
            {
                let got = self.app.state.content.partial_len(next.file.digest);
                self.app.shared().downloads.start_file(next.file.digest, active(&next.file, got));
                self.active.insert(next.file.digest, next.file.size);
                let failures = self.queue.failures(next.file.digest);
                let work = async move {
                    let outcome = fetcher.fetch(&next.file, failures).await;
                    (next, outcome)
                };
                working.push(work.boxed());
            }
            if working.is_empty() {
                return Ok(());
            }
            tokio::select! {
                Some((wanted, outcome)) = working.next() => self.settle(wanted, outcome).await?,
                () = crate::content::wanted(self.app) => if !self.refresh().await? {
                    self.app.shared().wanted.notify_one();
                    return Ok(());
                },
                _ = self.interrupted.changed() => {
                    // the next run reads the settings anew
                    self.app.shared().wanted.notify_one();
                    return Ok(());
                }
                _ = renew.tick() => if !self.renew().await? {
                    // cancelled, or another process works on it now
                    return Ok(());
                },
            }
        }
    }

    /// What is to be fetched next, of what there is room for.
    async fn next(&mut self) -> Result<Option<Wanted>, AdminError> {
        while !self.full {
            let Some(next) = self.waiting.pop_front() else { return Ok(None) };
            let store = self.app.state.content.clone();
            let digest = next.file.digest;
            let (free, got) = crate::admin::blocking(move || Ok((store.free()?, store.partial_len(digest)))).await?;
            self.queue.space.free = free;
            let under_way: u64 = self.active.values().sum();
            let stored = self.stored.saturating_add(under_way).saturating_add(next.file.size);
            let to_come: u64 = self.app.shared().downloads.running().map_or(0, |running| {
                running.active.iter().map(|(_, active)| active.size.saturating_sub(active.got)).sum()
            });
            let left = next.file.size.saturating_sub(got);
            match lacking(&self.queue.space, stored, to_come.saturating_add(left)) {
                None => return Ok(Some(next)),
                Some(why) => drop(self.held.insert(digest, (left, why))),
            }
        }
        Ok(None)
    }

    fn refill(&mut self) {
        let now = Timestamp::now();
        // what the upstream server is about to be asked for has no rest yet
        let under_way = |digest: ContentDigest| {
            self.active.contains_key(&digest) || self.absent.iter().any(|(absent, _)| *absent == digest)
        };
        self.held.clear();
        self.waiting = self.queue.ready(now).filter(|wanted| !under_way(wanted.file.digest)).cloned().collect();
    }

    /// Takes up what became wanted. False if a file is on its way that nobody wants any more, and much of it is still to
    /// come: the run ends then, and the next one goes on with the others.
    async fn refresh(&mut self) -> Result<bool, AdminError> {
        self.queue = queue::read(self.app, &self.downloader.caller).await?;
        self.stored = 0;
        self.refill();
        let wanted: HashSet<ContentDigest> = self.queue.wanted.iter().map(|wanted| wanted.file.digest).collect();
        let active = self.app.shared().downloads.running().map(|running| running.active).unwrap_or_default();
        let idle = |(digest, file): &(ContentDigest, Active)| {
            !wanted.contains(digest) && file.size.saturating_sub(file.got) > WORTH_ENDING
        };
        Ok(!self.queue.paused && !active.iter().any(idle))
    }

    async fn settle(&mut self, wanted: Wanted, outcome: Result<(), Failure>) -> Result<(), AdminError> {
        let digest = wanted.file.digest;
        self.active.remove(&digest);
        let downloads = &self.app.shared().downloads;
        match outcome {
            Ok(()) => {
                downloads.end_file(digest, true);
                self.stored += wanted.file.size;
                self.done.fetched += 1;
                self.unpublished |= wanted.why == Why::Deployment;
                self.fetched(digest).await
            }
            Err(Failure { error: DownloadError::Full, .. }) => {
                downloads.drop_file(digest);
                self.full = true;
                let left = wanted.file.size.saturating_sub(self.app.state.content.partial_len(digest));
                self.held.insert(digest, (left, "the disk of the content folder is full".to_owned()));
                Ok(())
            }
            Err(Failure { error: DownloadError::Here(error), .. }) => Err(error),
            Err(Failure { error, absent_above }) => {
                downloads.end_file(digest, false);
                self.done.failed += 1;
                metrics::counter!("weir_content_download_failures_total").increment(1);
                let reason = error.words();
                tracing::warn!(%digest, name = wanted.file.name, error = reason, "a content file was not fetched");
                if absent_above {
                    self.absent.push((digest, reason));
                    if self.absent.len() >= ASK_AT { self.ask().await } else { Ok(()) }
                } else {
                    self.rest(vec![(digest, reason)], FIRST_REST, LONGEST_REST).await
                }
            }
        }
    }

    async fn fetched(&mut self, digest: ContentDigest) -> Result<(), AdminError> {
        let rested = self.queue.rests.remove(&digest).is_some();
        if rested {
            self.app.write(&self.downloader.caller, move |tx| Ok(tx.content_rest_clear(digest)?)).await?;
        }
        Ok(())
    }

    /// Asks the upstream server for what it lacks, and lets that rest for a moment.
    async fn ask(&mut self) -> Result<(), AdminError> {
        if self.absent.is_empty() {
            return Ok(());
        }
        let absent = std::mem::take(&mut self.absent);
        let digests: Vec<ContentDigest> = absent.iter().map(|(digest, _)| *digest).collect();
        let told = self.asker.ask(self.app, &digests).await;
        let reasons = absent.into_iter().map(|(digest, reason)| (digest, format!("{reason}; {told}")));
        self.rest(reasons.collect(), FIRST_LOOK, LONGEST_LOOK).await
    }

    async fn rest(
        &mut self,
        files: Vec<(ContentDigest, String)>,
        first: Duration,
        longest: Duration,
    ) -> Result<(), AdminError> {
        let now = Timestamp::now();
        let rests: Vec<ContentRest> = files
            .into_iter()
            .map(|(digest, reason)| {
                let failures = self.queue.failures(digest).saturating_add(1);
                let until = now + rest_for(failures, first, longest);
                ContentRest { digest, failures, until, reason }
            })
            .collect();
        for rest in &rests {
            self.queue.rests.insert(rest.digest, rest.clone());
        }
        self.app
            .write(&self.downloader.caller, move |tx| {
                for rest in &rests {
                    tx.content_rest_put(rest)?;
                }
                Ok(())
            })
            .await
    }

    /// Renews the lease and brings what is complete to scans. False if the job is not ours any more.
    async fn renew(&mut self) -> Result<bool, AdminError> {
        self.ask().await?;
        if std::mem::take(&mut self.unpublished) {
            if let Err(error) = self.app.publish().await {
                self.unpublished = true;
                tracing::warn!(error = chain(&error), "publishing fetched content failed; it is tried again");
            }
        }
        self.hold();
        let running = self.app.shared().downloads.running();
        let progress = json!({
            "fetched": self.done.fetched, "failed": self.done.failed, "files": self.queue.wanted.len(),
            "bytes": running.as_ref().map_or(0, |running| running.bytes),
            "bytes_per_second": running.as_ref().map_or(0, |running| running.rate),
        });
        let (job, owner, until) = (self.job, self.downloader.owner.clone(), Timestamp::now() + LEASE);
        self.app.write(&self.downloader.caller, move |tx| Ok(tx.job_renew(job, &owner, until, &progress)?)).await
    }

    /// Says what waits for want of room.
    fn hold(&mut self) {
        let held = self.held.values().next().map(|(_, reason)| Held {
            reason: reason.clone(),
            files: self.held.len() as u64,
            bytes: self.held.values().map(|(bytes, _)| bytes).sum(),
        });
        self.done.lack = held.as_ref().map(|held| held.reason.clone());
        self.app.shared().downloads.hold(held);
    }
}

/// How long a file rests after so many failures in a row.
fn rest_for(failures: u32, first: Duration, longest: Duration) -> SignedDuration {
    let doubled = first.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
    SignedDuration::try_from(doubled.min(longest)).unwrap_or(SignedDuration::from_hours(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_rests_twice_as_long_each_time_up_to_a_bound() {
        let rest = |failures| rest_for(failures, FIRST_REST, LONGEST_REST).as_secs();
        assert_eq!((rest(1), rest(2), rest(3)), (30, 60, 120));
        assert_eq!((rest(20), rest(33), rest(u32::MAX)), (21_600, 21_600, 21_600));
    }
}
