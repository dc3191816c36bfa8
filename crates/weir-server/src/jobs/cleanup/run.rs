//! One run: plans, and carries out in steps.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time;
use uuid::Uuid;
use weir_api::cleanup::CleanupCounts;
use weir_model::{
    cleanup::{self, Decline, Plan, Purge},
    ids::{ChangeNumber, RevisionId},
};
use weir_store::{WriteTx, downstream::Admission, job::JobRow};

use super::{LEASE, load, rules};
use crate::{
    admin::{AdminError, App, Caller, blocking, setting::Current},
    jobs::upkeep,
};

/// How long one transaction works. Its commit comes on top.
const SLICE: Duration = Duration::from_millis(15);
/// Between two transactions others get at least this long, and as long as the last one took.
const BREATH: Duration = Duration::from_millis(5);
/// While reports wait, the run waits for so long before it looks again, and so often before it goes on nevertheless.
const CROWDED: Duration = Duration::from_millis(50);
const PATIENCE: u32 = 100;
/// Plans of one run: something decided in between makes another one necessary.
const MOST_PLANS: u32 = 50;
/// How long answers that were begun before are waited for.
const IN_FLIGHT: Duration = Duration::from_secs(10);
/// Revisions of which downstream servers may have been told stay for so long after nobody is told of them any more.
const LEAVING: SignedDuration = SignedDuration::from_hours(24);
/// Unused bytes that stay in the database file for what is stored next.
const RESERVE: u64 = 4 << 20;
/// Pages given back at once.
const PAGES: u32 = 128;
/// Content that came within so many hours is not collected: it may have been brought for updates to come.
const CONTENT_HOURS: u64 = 7 * 24;

/// Why a run ended before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error("it was stopped")]
    Cancelled,
    #[error(transparent)]
    Here(#[from] AdminError),
}

/// How a step ended.
enum Step {
    /// So many entries of the list are done, and this is the change now.
    Done(usize, ChangeNumber),
    /// Something was decided since the plan.
    Changed,
    /// A synchronization holds revisions that may need what is to be removed.
    Waits,
    /// The row of the run is another's, or it was cancelled.
    Lost,
}

/// What is to be done now.
struct Due {
    plan: Plan,
    change: ChangeNumber,
    /// Of what is to be removed, what may go now.
    ripe: Vec<Purge>,
    /// Newest revision of each update of which all goes.
    last: HashSet<RevisionId>,
    /// To be marked, and marks to be taken away, for downstream servers.
    mark: Vec<RevisionId>,
    unmark: Vec<RevisionId>,
}

/// Plans. Blocks.
fn plan(tx: &weir_store::ReadTx<'_>, now: Timestamp) -> Result<Due, weir_store::StoreError> {
    let (input, change) = load(tx)?;
    let plan = cleanup::plan(&input, &rules(&Current::read(tx)?), now);
    let told = tx.downstream_count(Admission::Allowed)? > 0 || !tx.sites_enrolments()?.is_empty();
    let marks = tx.leaving_list()?;
    let wanted: HashSet<RevisionId> = plan.purge.iter().map(|it| it.id).collect();
    let ripe = |it: &&Purge| !told || marks.get(&it.id).is_some_and(|since| now.duration_since(*since) >= LEAVING);
    let mut newest: HashMap<u32, (u32, RevisionId)> = HashMap::new();
    for it in &input.revisions {
        let entry = newest.entry(it.update).or_insert((it.number.0, it.id));
        *entry = (*entry).max((it.number.0, it.id));
    }
    Ok(Due {
        ripe: plan.purge.iter().filter(ripe).copied().collect(),
        last: newest.into_values().map(|(_, id)| id).collect(),
        mark: plan.purge.iter().map(|it| it.id).filter(|id| told && !marks.contains_key(id)).collect(),
        unmark: marks.keys().copied().filter(|id| !told || !wanted.contains(id)).collect(),
        plan,
        change,
    })
}

/// Whether there is something to do that is worth a run.
pub(super) async fn is_due(app: &App) -> Result<bool, AdminError> {
    let now = Timestamp::now();
    let (due, waits) = app.read(move |tx| Ok((plan(tx, now)?, tx.staged_count()? > 0))).await?;
    let removes = !due.ripe.is_empty() && !waits;
    Ok(!due.plan.decline.is_empty() || removes || !due.mark.is_empty() || !due.unmark.is_empty())
}

pub(super) struct Run<'r> {
    app: &'r App,
    caller: &'r Caller,
    owner: &'r str,
    id: Uuid,
    counts: CleanupCounts,
}

impl Drop for Run<'_> {
    /// A run that is broken off because another front end cleans up by now leaves nothing hidden that this one only was to remove.
    fn drop(&mut self) {
        let state = Arc::clone(&self.app.state);
        if state.is_shared() && state.live.hide(HashSet::new()) {
            tokio::spawn(async move {
                if let Err(error) = state.live.republish().await {
                    tracing::warn!(
                        error = crate::admin::chain(&error),
                        "what was to be removed is shown with the next change"
                    );
                }
            });
        }
    }
}

impl<'r> Run<'r> {
    pub(super) fn new(app: &'r App, caller: &'r Caller, owner: &'r str, row: &JobRow) -> Self {
        Self { app, caller, owner, id: row.id, counts: super::counts(row) }
    }

    pub(super) fn counts(&self) -> CleanupCounts {
        self.counts.clone()
    }

    /// Until nothing is left to do.
    pub(super) async fn work(&mut self) -> Result<(), Ended> {
        let mut plans = 0;
        loop {
            "planning".clone_into(&mut self.counts.phase);
            let now = Timestamp::now();
            let due = self.app.read(move |tx| plan(tx, now)).await?;
            let (declined, removed) = (self.counts.declined, self.counts.revisions);
            self.counts.processed = due.plan.processed;
            self.counts.to_decline = declined + due.plan.decline.len() as u64;
            self.counts.to_remove = removed + due.ripe.len() as u64;
            self.counts.leaving = due.plan.purge.len() as u64 - due.ripe.len() as u64;
            plans += 1;
            if self.carry_out(due).await? {
                break;
            }
            if plans >= MOST_PLANS {
                // the next run, on the timer, goes on
                tracing::info!("clean-up ends early: something is decided all the time");
                break;
            }
        }
        if self.counts.revisions > 0 {
            self.give_back().await?;
            self.collect().await?;
        }
        "done".clone_into(&mut self.counts.phase);
        Ok(())
    }

    /// To be called at the end, however it came: what was hidden and is still there is shown again.
    pub(super) async fn settle(&self) {
        if self.app.state.live.hide(HashSet::new()) {
            if let Err(error) = self.app.publish().await {
                tracing::warn!(
                    error = crate::admin::chain(&error),
                    "the catalogue is clean and reaches computers later"
                );
            }
        }
    }

    /// True if nothing is left of the plan.
    async fn carry_out(&mut self, due: Due) -> Result<bool, Ended> {
        let mut change = due.change;
        if !due.plan.decline.is_empty() {
            "declining".clone_into(&mut self.counts.phase);
            let list: Arc<[Decline]> = due.plan.decline.into();
            let done = self.steps(&list, &mut change, decline).await;
            // computers hear of what was declined, whatever comes next
            self.app.publish().await?;
            if !done? {
                return Ok(false);
            }
        }
        let marks: Arc<[(RevisionId, bool)]> =
            due.mark.into_iter().map(|id| (id, true)).chain(due.unmark.into_iter().map(|id| (id, false))).collect();
        if !self.steps(&marks, &mut change, mark).await? {
            return Ok(false);
        }
        if due.ripe.is_empty() {
            return Ok(true);
        }
        "removing".clone_into(&mut self.counts.phase);
        // no scan that begins from now on reads any of it
        let before = Arc::downgrade(&self.app.state.live.current());
        self.app.state.live.hide(due.ripe.iter().map(|it| it.id).collect());
        self.app.publish().await?;
        let begun = Instant::now();
        while before.strong_count() > 0 && begun.elapsed() < IN_FLIGHT {
            time::sleep(CROWDED).await;
        }
        let list: Arc<[(Purge, bool)]> = due.ripe.into_iter().map(|it| (it, due.last.contains(&it.id))).collect();
        self.steps(&list, &mut change, purge).await
    }

    /// Carries out a list in short transactions. False if it must be planned anew.
    async fn steps<T: Send + Sync + 'static>(
        &mut self,
        list: &Arc<[T]>,
        change: &mut ChangeNumber,
        one: fn(&WriteTx<'_>, &T, &mut CleanupCounts) -> Result<bool, AdminError>,
    ) -> Result<bool, Ended> {
        let mut from = 0;
        while from < list.len() {
            for _ in 0..PATIENCE {
                if !self.app.state.ingest.is_crowded() {
                    break;
                }
                time::sleep(CROWDED).await;
            }
            let (list, planned, mut counts) = (Arc::clone(list), *change, self.counts.clone());
            let (id, owner, until) = (self.id, self.owner.to_owned(), Timestamp::now() + LEASE);
            let begun = Instant::now();
            let step = self.app.write(self.caller, move |tx| {
                if !tx.job_renew(id, &owner, until, &json!(counts))? {
                    return Ok((Step::Lost, counts));
                }
                if tx.catalogue_version()? != planned {
                    return Ok((Step::Changed, counts));
                }
                let begun = Instant::now();
                let mut changed = false;
                let mut done = 0;
                for item in list.iter().skip(from) {
                    if counts.phase == "removing" && done == 0 && tx.staged_count()? > 0 {
                        return Ok((Step::Waits, counts));
                    }
                    changed |= one(tx, item, &mut counts)?;
                    done += 1;
                    if begun.elapsed() >= SLICE {
                        break;
                    }
                }
                if changed {
                    tx.change_next()?;
                }
                tx.job_renew(id, &owner, until, &json!(counts))?;
                Ok((Step::Done(done, tx.catalogue_version()?), counts))
            });
            let (step, counts) = step.await?;
            self.counts = counts;
            match step {
                Step::Done(done, now) => {
                    from += done;
                    *change = now;
                }
                Step::Changed => return Ok(false),
                // it goes on after that one
                Step::Waits => return Ok(true),
                Step::Lost => return Err(Ended::Cancelled),
            }
            time::sleep(begun.elapsed().max(BREATH)).await;
        }
        Ok(true)
    }

    /// Gives unused pages of the database file back.
    async fn give_back(&mut self) -> Result<(), Ended> {
        "giving_back".clone_into(&mut self.counts.phase);
        let store = self.app.state.store.clone();
        let (mut free, possible) = blocking(move || Ok(store.free()?)).await?;
        while possible && free > RESERVE {
            let store = self.app.state.store.clone();
            let begun = Instant::now();
            let left = blocking(move || Ok(store.reclaim(PAGES)?)).await?;
            if left >= free {
                break;
            }
            self.counts.given_back += free - left;
            free = left;
            time::sleep(begun.elapsed().max(BREATH)).await;
        }
        Ok(())
    }

    /// Lets content go that nothing refers to any more.
    async fn collect(&self) -> Result<(), Ended> {
        let input = json!({ "dry_run": false, "undeployed": false, "min_age_hours": CONTENT_HOURS });
        self.app
            .write(self.caller, move |tx| {
                let open = tx.job_last_of(upkeep::GC, weir_store::job::JobState::Waiting)?;
                if open.is_none_or(|open| open.input != input) {
                    tx.job_create(Uuid::new_v4(), upkeep::GC, &input)?;
                }
                Ok(())
            })
            .await?;
        self.app.shared().upkeep.notify_one();
        Ok(())
    }
}

/// Each returns whether lists for others change without taking a change number of its own.
fn decline(tx: &WriteTx<'_>, item: &Decline, counts: &mut CleanupCounts) -> Result<bool, AdminError> {
    if tx.cleanup_decline(item.update, item.by)?
        && let (Some((id, title)), Some((by, by_title))) = (tx.cleanup_name(item.update)?, tx.cleanup_name(item.by)?)
    {
        counts.declined += 1;
        let after = json!({ "declined": true, "title": title, "superseded_by": by, "superseded_by_title": by_title });
        tx.audit("update.decline", &id.to_string(), Some(&json!({ "declined": false })), Some(&after))?;
    }
    Ok(false)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "every step takes its item so")]
fn mark(tx: &WriteTx<'_>, (id, leaves): &(RevisionId, bool), _: &mut CleanupCounts) -> Result<bool, AdminError> {
    if *leaves {
        tx.leaving_add(*id)?;
    } else {
        tx.leaving_remove(*id)?;
    }
    Ok(true)
}

fn purge(tx: &WriteTx<'_>, (item, last): &(Purge, bool), counts: &mut CleanupCounts) -> Result<bool, AdminError> {
    let bytes = tx.revision_bytes(item.id)?;
    if !tx.revision_purge(item.id, item.why)? {
        return Ok(false);
    }
    counts.revisions += 1;
    counts.bytes += bytes;
    if *last {
        counts.updates += 1;
        if let Some((id, _)) = tx.cleanup_name(item.update)? {
            tx.audit("update.remove", &id.to_string(), Some(&json!({ "revision": item.number })), None)?;
        }
    }
    Ok(true)
}
