//! Fetches the files that this site keeps: licence files, files of deployments, files that downstream servers asked for,
//! and, if everything is kept, those of every live update.
//!
//! One process works at a time, under the lease of a job row. A run takes up what becomes wanted while it works, and can be
//! interrupted at any moment: what was fetched of a file stays and is gone on with. A file that cannot be fetched rests,
//! longer each time; rests are rows, so that a restart does not forget them.

mod ask;
mod backfill;
mod fetch;
mod pace;
mod queue;
mod run;
mod sources;
mod state;
mod transfer;
mod wanted;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;
use weir_store::{alert::AlertSeverity, content::ContentStore, job::JobState};

pub(crate) use self::{
    sources::content_url,
    state::{Downloads, Held, Running},
    wanted::{Wanted, Why, wanted},
};
use crate::{
    admin::{AdminError, App, Caller, blocking, chain},
    content::Space,
    front::presence,
    telemetry::{self, Job},
};

/// Kind of the job's rows.
pub(crate) const KIND: &str = "content.download";
/// Kind of the alert about files that cannot be fetched.
pub(crate) const DOWNLOAD_FAILED: &str = "content.download_failed";
/// Kind of the alert about a lack of room.
pub(crate) const NO_ROOM: &str = "content.no_room";
/// Subject of alerts about content as a whole.
pub(crate) const ALL: &str = "content";
/// A lease is renewed long before this; a process that died gives its job back after it.
const LEASE: SignedDuration = SignedDuration::from_secs(120);
/// After a failure a file rests, and never longer than this.
const LONGEST_REST: Duration = Duration::from_hours(6);
/// Rows of runs that ended are kept for so long, and at most so many.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
const MOST_KEPT: u32 = 500;
/// Jobs looked at for one that another process works on.
const RECENT: u32 = 20;
/// When a run failed for a reason of our own, or room is lacking, the next one comes after this.
const AGAIN: Duration = Duration::from_secs(30);
/// Pieces of files that nobody wants any more are kept for so long.
const STALE: Duration = Duration::from_hours(24);

/// The job. What it knows between runs is in the database.
pub(super) struct Downloader {
    owner: String,
    caller: Caller,
}

/// What is said of downloads while this front end has them: nothing when it has them no more.
pub(super) struct Shown<'a>(pub(super) &'a App);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        let downloads = &self.0.shared().downloads;
        downloads.end();
        downloads.hold(None);
    }
}

impl Downloader {
    pub(super) fn new(app: &App) -> Self {
        Self { owner: app.state.live.duties.owner(), caller: Caller::system("content") }
    }

    /// To be called once, before the first run: what an earlier process of this folder was working on is taken up at once.
    pub(super) async fn begin(&self, app: &App) {
        let given_back = app.write(&self.caller, |tx| Ok(tx.job_give_back(KIND)?)).await;
        if let Err(error) = given_back {
            tracing::warn!(error = chain(&error), "runs of an earlier process are taken up only when their leases end");
        }
    }

    /// One run. Returns when the next attempt is due, if that is sooner than the timer.
    pub(super) async fn run(&self, app: &App) -> Option<Duration> {
        let due = match telemetry::job(Job::Download, self.work(app)).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(error = chain(&error), "downloading content failed; it is tried again");
                Some(AGAIN)
            }
        };
        app.shared().downloads.end();
        due.map(|due| due.clamp(Duration::from_millis(500), super::DOWNLOAD_EVERY))
    }

    async fn work(&self, app: &App) -> Result<Option<Duration>, AdminError> {
        // what is changed from here on, this run may not have seen
        let interrupted = app.shared().downloads.interruptions();
        backfill::run(app, &self.caller).await?;
        let queue = queue::read(app, &self.caller).await?;
        self.clean(app, &queue).await?;
        let unusable = crate::content::objects::trouble(&app.state);
        let apart = presence::keeps_files_apart(app).await?;
        if queue.paused || unusable.is_some() || apart {
            let (files, bytes) = (queue.wanted.len() as u64, queue.wanted.iter().map(|wanted| wanted.file.size).sum());
            let reason = match unusable.filter(|_| !queue.paused) {
                Some((store, trouble)) => format!("the object store {store} cannot be used: {}", trouble.message),
                None if !queue.paused => {
                    "there are several front ends, and what one fetches into its folder the others do not have: give all of \
                     them one object store"
                        .to_owned()
                }
                None => "paused: weir content resume".to_owned(),
            };
            app.shared().downloads.hold((files > 0).then_some(Held { reason, files, bytes }));
            return Ok((!queue.paused).then_some(AGAIN));
        }
        if queue.ready(Timestamp::now()).next().is_none() {
            app.shared().downloads.hold(None);
            self.room(app, None).await?;
            return Ok(queue.next_rest(Timestamp::now()));
        }
        let job = match self.lease(app, queue.wanted.len()).await? {
            Ok(job) => job,
            Err(held) => return Ok(Some(held)),
        };
        app.shared().downloads.begin(job);
        let outcome = run::run(self, app, job, queue, interrupted).await;
        let (state, result) = match &outcome {
            Ok(done) => {
                let state = match done.failed {
                    0 => JobState::Done,
                    _ => JobState::Failed,
                };
                (state, json!({ "fetched": done.fetched, "failed": done.failed, "bytes": done.bytes }))
            }
            Err(error) => (JobState::Failed, json!({ "error": chain(error) })),
        };
        let owner = self.owner.clone();
        app.write(&self.caller, move |tx| Ok(tx.job_end(job, &owner, state, &result)?)).await?;
        let done = outcome?;
        self.room(app, done.lack.clone()).await?;
        if done.lack.is_some() {
            return Ok(Some(AGAIN));
        }
        let next = app.read(|tx| tx.content_rest_list()).await?.into_iter().map(|rest| rest.until).min();
        Ok(next.map(|until| until_then(until, Timestamp::now())))
    }

    /// Takes the lease of a job: one that another process left behind, or a new one. While another process works, for how
    /// long its lease lasts.
    async fn lease(&self, app: &App, files: usize) -> Result<Result<Uuid, Duration>, AdminError> {
        let (new, owner, now) = (Uuid::new_v4(), self.owner.clone(), Timestamp::now());
        app.write(&self.caller, move |tx| {
            let running = tx.job_list(KIND, RECENT)?.into_iter().filter(|job| job.state == JobState::Running);
            if let Some(until) = running.filter_map(|job| job.lease_until).filter(|until| *until > now).max() {
                return Ok(Err(until_then(until, now)));
            }
            let until = now + LEASE;
            tx.job_prune(KIND, now - KEPT, MOST_KEPT)?;
            if let Some(left) = tx.job_take(KIND, &owner, until)? {
                return Ok(Ok(left.id));
            }
            tx.job_create(new, KIND, &json!({ "files": files }))?;
            let job = tx.job_take(KIND, &owner, until)?.map_or(new, |job| job.id);
            Ok(Ok(job))
        })
        .await
    }

    /// Deletes pieces of files that nobody wants any more.
    async fn clean(&self, app: &App, queue: &queue::Queue) -> Result<(), AdminError> {
        let store: ContentStore = app.state.content.clone();
        let wanted: std::collections::HashSet<_> = queue.wanted.iter().map(|wanted| wanted.file.digest).collect();
        blocking(move || {
            for (digest, _, modified) in store.partials()? {
                let old = modified.elapsed().is_ok_and(|age| age > STALE);
                if old && !wanted.contains(&digest) {
                    store.partial_delete(digest)?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Opens or closes the alert about a lack of room.
    async fn room(&self, app: &App, lack: Option<String>) -> Result<(), AdminError> {
        let open = app.read(|tx| tx.alert_list(false, 1_000)).await?.into_iter().any(|alert| alert.kind == NO_ROOM);
        if lack.is_none() && !open {
            return Ok(());
        }
        app.write(&self.caller, move |tx| {
            match lack {
                Some(reason) => {
                    let message = format!("content waits: {reason}");
                    tx.alert_open(NO_ROOM, ALL, AlertSeverity::Critical, &message)?;
                }
                None => {
                    tx.alert_close(NO_ROOM, ALL)?;
                }
            }
            Ok(())
        })
        .await
    }
}

fn until_then(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or_default()
}

/// Room that is lacking right now for a file of that size, in words.
fn lacking(space: &Space, stored: u64, written: u64) -> Option<String> {
    space.lacks(stored, written).map(crate::content::Lack::words)
}
