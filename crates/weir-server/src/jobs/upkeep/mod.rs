//! Long work on stored content, asked for by administrators: reading everything again, repairing, removing what nobody
//! needs. Each is a job row; it is worked on in bounded steps, tells how far it is, can be cancelled between two files, and
//! goes on where it was after a crash.

mod collect;
mod repair;
mod verify;

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;
use weir_api::content::{ContentCollected, ContentError, ContentJobProgress, ContentRepaired, ContentVerified};
use weir_model::message::{CONTENT_WORK_DONE, CONTENT_WORK_FAILED};
use weir_store::{
    StoreError,
    job::{JobRow, JobState},
};

use crate::{
    admin::{AdminError, App, Caller, blocking, chain, content::MOST_ERRORS},
    telemetry::{self, Job},
};

/// Kind of jobs that read everything again.
pub(crate) const VERIFY: &str = "content.verify";
/// Kind of jobs that repair.
pub(crate) const REPAIR: &str = "content.repair";
/// Kind of jobs that remove what nobody needs.
pub(crate) const GC: &str = "content.gc";

/// Rows looked at in one step.
const PAGE: u32 = 100;
/// A lease is renewed long before this; a process that died gives its job back after it.
const LEASE: SignedDuration = SignedDuration::from_secs(120);
/// Rows of jobs that ended are kept for so long, and at most so many of a kind.
const KEPT: SignedDuration = SignedDuration::from_hours(365 * 24);
const MOST_KEPT: u32 = 500;
/// How long a job waits for an object store that cannot be used: so long at first, and so long at the most.
const OUTAGE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How often a job tells how far it is, and hears that it was cancelled.
const TELL: Duration = Duration::from_millis(500);

/// Works on the jobs.
pub(super) struct Upkeep {
    owner: String,
}

/// What a job knows between two steps; kept in its row.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    progress: ContentJobProgress,
    cursor: Option<String>,
    /// Every stored file was read: the second part of a repair.
    read: bool,
    verified: ContentVerified,
    repaired: ContentRepaired,
    collected: ContentCollected,
}

/// A job that is worked on.
struct Work<'w> {
    app: &'w App,
    caller: &'w Caller,
    owner: &'w str,
    job: Uuid,
    kept: Kept,
    told: Instant,
}

/// Why work on a job ended before its end.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("it was cancelled")]
    Cancelled,
    #[error(transparent)]
    Here(#[from] AdminError),
}

impl Upkeep {
    pub(super) fn new(app: &App) -> Self {
        Self { owner: app.state.live.duties.owner() }
    }

    /// To be called once, before the first run: what an earlier process of this folder was working on is taken up at once.
    pub(super) async fn begin(&self, app: &App) {
        let caller = Caller::system("content");
        let given_back = app.write(&caller, |tx| {
            for kind in [VERIFY, REPAIR, GC] {
                tx.job_give_back(kind)?;
                tx.job_prune(kind, Timestamp::now() - KEPT, MOST_KEPT)?;
            }
            Ok(())
        });
        if let Err(error) = given_back.await {
            tracing::warn!(error = chain(&error), "jobs of an earlier process are taken up only when their leases end");
        }
    }

    /// Works until no job waits.
    pub(super) async fn run(&self, app: &App) {
        loop {
            match self.next(app).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    return tracing::warn!(error = chain(&error), "a job on content failed; it is tried again");
                }
            }
        }
    }

    /// Works on one job. False if there is none.
    async fn next(&self, app: &App) -> Result<bool, AdminError> {
        let caller = Caller::system("content");
        let (owner, until) = (self.owner.clone(), Timestamp::now() + LEASE);
        let taken = app.write(&caller, move |tx| {
            for kind in [VERIFY, REPAIR, GC] {
                if let Some(job) = tx.job_take(kind, &owner, until)? {
                    return Ok(Some(job));
                }
            }
            Ok(None)
        });
        let Some(job) = taken.await? else { return Ok(false) };
        let caller = Caller::named(&job.created_by);
        let kept = job.progress.clone().and_then(|kept| serde_json::from_value(kept).ok()).unwrap_or_default();
        let mut work = Work { app, caller: &caller, owner: &self.owner, job: job.id, kept, told: Instant::now() };
        let kind = match job.kind.as_str() {
            GC => Job::ContentGc,
            REPAIR => Job::ContentRepair,
            _ => Job::ContentVerify,
        };
        let outcome = telemetry::job(kind, work.run(&job)).await;
        let (state, result) = match outcome {
            Ok(good) => {
                let kept = &work.kept;
                let result = match job.kind.as_str() {
                    GC => json!({ "collected": kept.collected }),
                    REPAIR => json!({ "repaired": kept.repaired }),
                    _ => json!({ "verified": kept.verified }),
                };
                (if good { JobState::Done } else { JobState::Failed }, result)
            }
            Err(Ended::Cancelled) => return Ok(true),
            Err(Ended::Here(error)) => {
                tracing::warn!(job = %job.id, kind = job.kind, error = chain(&error), "a job on content failed");
                (JobState::Failed, json!({ "error": chain(&error) }))
            }
        };
        let (id, owner, kind) = (job.id, self.owner.clone(), job.kind.clone());
        let progress = serde_json::to_value(&work.kept).unwrap_or_default();
        app.write(&caller, move |tx| {
            tx.job_renew(id, &owner, Timestamp::now() + LEASE, &progress)?;
            if tx.job_end(id, &owner, state, &result)? {
                let meaning = if state == JobState::Done { &CONTENT_WORK_DONE } else { &CONTENT_WORK_FAILED };
                let parameters = [("kind", kind), ("result", result.to_string())];
                tx.status_message(meaning, &parameters, Some(("job", &id.to_string())))?;
            }
            Ok(())
        })
        .await?;
        Ok(true)
    }
}

impl Work<'_> {
    /// True if nothing was found that needs somebody.
    async fn run(&mut self, job: &JobRow) -> Result<bool, Ended> {
        match job.kind.as_str() {
            GC => self.collect(&job.input).await.map(|()| true),
            REPAIR => self.repair().await,
            _ => {
                self.verify().await?;
                Ok(self.kept.verified.bad == 0)
            }
        }
    }

    /// To be called between two files: renews the lease and tells how far the work is, now and then.
    async fn step(&mut self) -> Result<(), Ended> {
        if self.told.elapsed() < TELL {
            return Ok(());
        }
        self.tell().await
    }

    /// Does work on content that may wait for a network. While the object store cannot be used the job waits for it, keeps
    /// its lease, and can be cancelled: nothing is known of files that cannot be seen.
    async fn patiently<T: Send + 'static>(
        &mut self,
        work: impl Fn() -> Result<T, StoreError> + Clone + Send + 'static,
    ) -> Result<T, Ended> {
        let mut wait = OUTAGE.0;
        loop {
            let once = work.clone();
            match blocking(move || Ok(once()?)).await {
                Err(AdminError::Store(error)) if error.is_outage() => self.outlast(&error, &mut wait).await?,
                outcome => return Ok(outcome?),
            }
        }
    }

    /// Waits before something is tried again that the object store did not do.
    async fn outlast(&mut self, error: &StoreError, wait: &mut Duration) -> Result<(), Ended> {
        tracing::warn!(job = %self.job, error = chain(error), "a job on content waits for the object store");
        self.tell().await?;
        tokio::time::sleep(*wait).await;
        *wait = (*wait * 2).min(OUTAGE.1);
        Ok(())
    }

    async fn tell(&mut self) -> Result<(), Ended> {
        self.told = Instant::now();
        let (job, owner, until) = (self.job, self.owner.to_owned(), Timestamp::now() + LEASE);
        let kept = serde_json::to_value(&self.kept).map_err(|error| AdminError::Internal(error.to_string()))?;
        let ours = self.app.write(self.caller, move |tx| Ok(tx.job_renew(job, &owner, until, &kept)?)).await?;
        if ours { Ok(()) } else { Err(Ended::Cancelled) }
    }
}

/// Adds an error to a list that is bounded.
fn note(errors: &mut Vec<ContentError>, file: String, message: String) {
    if errors.len() < MOST_ERRORS {
        errors.push(ContentError { file, message });
    }
}
