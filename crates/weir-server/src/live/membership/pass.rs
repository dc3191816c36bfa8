//! Looking at computers: at one whose groups changed, at those whose moment has come, at all of them.

use std::{
    collections::BTreeSet,
    sync::{Arc, Weak, atomic::Ordering},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use weir_model::ids::ComputerId;
use weir_store::{Actor, StoreError};

use super::{super::publish::Inner, Compiled, Progress, StatusView};
use crate::{
    front::Duty,
    telemetry::{self, Job},
};

/// Computers that are read at once.
const PAGE: u32 = 1_000;
/// Computers that are taken from a queue at once.
const QUEUED: u32 = 500;
/// A step of writing begins no further computer after this time: others wait no longer.
const STEP: Duration = Duration::from_millis(25);
/// Between two steps of writing, so that others who wait to write come first.
const BREATH: Duration = Duration::from_millis(2);
/// The longest wait: a clock that was set forward must not delay an age for longer.
const LONGEST: Duration = Duration::from_mins(1);
/// Before what failed is tried again.
const PAUSE: Duration = Duration::from_secs(5);
/// While another front end finds members it is looked so often how far it is.
const GLANCE: Duration = Duration::from_millis(250);

/// Finds members whenever there is something to find, until the last [`super::super::Live`] is dropped.
pub(in crate::live) async fn run(live: Weak<Inner>) {
    let Some(duties) = live.upgrade().map(|inner| Arc::clone(&inner.duties)) else { return };
    let mut duty = duties.changes();
    loop {
        let turn = {
            let live = Weak::clone(&live);
            tokio::task::spawn_blocking(move || telemetry::job_here(Job::Membership, || turn(&live))).await
        };
        let wait = match turn {
            Ok(Ok(Some(wait))) => wait,
            Ok(Ok(None)) => return,
            // it goes on there
            Ok(Err(StoreError::DutyLost(_))) => PAUSE,
            Ok(Err(error)) => {
                tracing::error!(%error, "finding the members of collections failed; it is tried again");
                PAUSE
            }
            Err(error) if error.is_cancelled() => return,
            Err(error) => {
                tracing::error!(%error, "finding the members of collections failed unexpectedly; it is tried again");
                PAUSE
            }
        };
        // the database closes with the last hold on the catalogue: none while waiting
        let Some(inner) = live.upgrade() else { return };
        let membership = Arc::clone(&inner.membership);
        drop(inner);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = membership.wake.notified() => {}
            // this may be the front end that finds them from now on
            _ = duty.changed() => {}
            () = gone(&live) => return,
        }
    }
}

/// Waits until nobody needs members any more.
async fn gone(live: &Weak<Inner>) {
    while live.strong_count() > 0 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Does all there is to do. Gives how long to wait for the next; none if the server is stopping.
fn turn(live: &Weak<Inner>) -> Result<Option<Duration>, StoreError> {
    let Some(inner) = live.upgrade() else { return Ok(None) };
    let membership = Arc::clone(&inner.membership);
    let asked = membership.asked.load(Ordering::SeqCst);
    let held = inner.duties.mine(Duty::Membership);
    if held.is_none() && !inner.duties.is_alone() {
        return Ok(Some(if follow(&inner)? {
            membership.followed.send_if_modified(|followed| std::mem::replace(followed, asked) != asked);
            LONGEST
        } else {
            GLANCE
        }));
    }
    membership.begin(held);
    let (compiled, done) = inner.store.read(|tx| Ok((membership.compiled(tx)?, tx.membership_version()?.1)))?;
    let moved = refresh_view(&inner, &compiled)?;
    drop(inner);
    let passed = membership.passed.load(Ordering::SeqCst);
    if passed != compiled.version + 1 || moved {
        // whoever changes definitions meanwhile has another turn follow
        if !everyone(live, &compiled, passed, done)? {
            return Ok(live.upgrade().map(|_| Duration::ZERO));
        }
    }
    if compiled.depends.time && !hear(live, &compiled)? {
        return Ok(Some(Duration::ZERO));
    }
    loop {
        let Some(inner) = live.upgrade() else { return Ok(None) };
        let mut computers = inner.store.read(|tx| tx.membership_todo(QUEUED))?;
        computers.extend(membership.due.lock().take(Timestamp::now(), QUEUED as usize));
        if computers.is_empty() {
            break;
        }
        if !look_at(&inner, &compiled, &computers)? {
            return Ok(Some(Duration::ZERO));
        }
    }
    membership.followed.send_if_modified(|followed| std::mem::replace(followed, asked) != asked);
    let next = membership.due.lock().first();
    let wait = next.map(|next| Duration::try_from(next.duration_since(Timestamp::now())).unwrap_or(Duration::ZERO));
    Ok(Some(wait.map_or(LONGEST, |wait| (wait + Duration::from_millis(5)).min(LONGEST))))
}

/// Follows another front end that finds the members. True if all are found.
pub(in crate::live) fn follow(inner: &Inner) -> Result<bool, StoreError> {
    let membership = &inner.membership;
    let (compiled, done, waits) = inner.store.read(|tx| {
        let waits = !tx.membership_todo(1)?.is_empty();
        Ok((membership.compiled(tx)?, tx.membership_version()?.1, waits))
    })?;
    refresh_view(inner, &compiled)?;
    // whose moment comes is the other's to know
    membership.due.lock().clear();
    if done != compiled.version {
        let changed = match membership.last_passed() {
            Some(before) => compiled.affected_since(&before),
            None => compiled.all(),
        };
        let mut progress = membership.progress.lock();
        let collections = progress.collections.union(&changed).copied().filter(|id| compiled.plan().decides(*id));
        *progress = Progress { collections: collections.collect(), ..Progress::default() };
        inner.directory.hold(progress.collections.clone());
        return Ok(false);
    }
    let held = std::mem::take(&mut *membership.progress.lock());
    if !held.collections.is_empty() {
        // first what was found, then all of it at once
        inner.follow_computers()?;
        inner.directory.release();
    }
    membership.set_passed(compiled);
    Ok(!waits)
}

/// Looks at computers that other front ends heard: when an age of theirs is reached is known to those alone. False if the definitions
/// became others meanwhile, or the server is stopping.
fn hear(live: &Weak<Inner>, compiled: &Compiled) -> Result<bool, StoreError> {
    let Some(inner) = live.upgrade() else { return Ok(false) };
    if inner.duties.is_alone() {
        return Ok(true);
    }
    let membership = Arc::clone(&inner.membership);
    let known = *membership.fed.lock();
    let (feed, changed) = inner.store.read(|tx| {
        let feed = tx.feed_version()?;
        Ok((feed, known.map_or_else(|| Ok(Vec::new()), |known| tx.feed_since(known))?))
    })?;
    for some in changed.chunks(QUEUED as usize) {
        let (view, now) = (membership.view(), Timestamp::now());
        let mut others = Vec::new();
        inner.store.read(|tx| {
            for no in some {
                let Some(row) = tx.membership_of(*no, compiled.depends.status)? else {
                    membership.due.lock().set(*no, None);
                    continue;
                };
                let found = compiled.evaluate(&row, &view, now);
                if found.members == row.decided {
                    membership.note(*no, &found);
                } else {
                    others.push(*no);
                }
            }
            Ok(())
        })?;
        if !others.is_empty() && !look_at(&inner, compiled, &others)? {
            return Ok(false);
        }
    }
    *membership.fed.lock() = Some(feed);
    Ok(true)
}

/// Reads anew which updates computers are asked about, if rules look at what was reported. True if these are others.
fn refresh_view(inner: &Inner, compiled: &Compiled) -> Result<bool, StoreError> {
    let membership = &inner.membership;
    if !compiled.depends.time {
        membership.due.lock().clear();
    }
    if !compiled.depends.status {
        return Ok(false);
    }
    let published = inner.current();
    let known = membership.view();
    if known.change == Some(published.change()) && (known.with_articles || !compiled.needs) {
        return Ok(false);
    }
    let fresh = inner.store.read(|tx| StatusView::read(tx, &published, &inner.directory, compiled.needs))?;
    let moved = fresh.mark != known.mark;
    membership.view.store(Arc::new(fresh));
    Ok(moved)
}

/// Looks at every computer. False if the definitions became others meanwhile, or the server is stopping.
fn everyone(live: &Weak<Inner>, compiled: &Arc<Compiled>, passed: u64, done: u64) -> Result<bool, StoreError> {
    let started = Instant::now();
    let Some(inner) = live.upgrade() else { return Ok(false) };
    let membership = Arc::clone(&inner.membership);
    // what changes from here on is heard of
    *membership.fed.lock() = Some(inner.store.read(|tx| tx.feed_version())?);
    let changed = match membership.last_passed() {
        Some(before) if passed == before.version + 1 => compiled.affected_since(&before),
        // the first time of this process: what was found before holds, unless that was not finished
        _ if done == compiled.version => BTreeSet::new(),
        _ => compiled.all(),
    };
    let total = if compiled.plan().is_empty() { 0 } else { inner.store.read(|tx| tx.membership_computers())? };
    {
        let mut progress = membership.progress.lock();
        // what an earlier pass did not finish is not finished yet
        let collections = progress.collections.union(&changed).copied().filter(|id| compiled.plan().decides(*id));
        *progress = Progress { collections: collections.collect(), done: 0, total };
        inner.directory.hold(progress.collections.clone());
    }
    drop(inner);
    let (mut after, mut written) = (0, 0_u64);
    let mut more = total > 0;
    while more {
        let Some(inner) = live.upgrade() else { return Ok(false) };
        let now = Timestamp::now();
        let rows = inner.store.read(|tx| tx.membership_page(after, PAGE, compiled.depends.status))?;
        more = !rows.is_empty();
        after = rows.last().map_or(after, |last| last.computer.no);
        let view = membership.view();
        let mut others = Vec::new();
        for row in &rows {
            let found = compiled.evaluate(row, &view, now);
            if found.members == row.decided {
                membership.note(row.computer.no, &found);
            } else {
                others.push(row.computer.no);
            }
        }
        written += others.len() as u64;
        if !others.is_empty() && !look_at(&inner, compiled, &others)? {
            return Ok(false);
        }
        membership.progress.lock().done += rows.len() as u64;
    }
    let Some(inner) = live.upgrade() else { return Ok(false) };
    let version = compiled.version;
    if done != version {
        let actor = Actor::system("collections", Timestamp::now());
        inner.store.write(&actor, |tx| {
            membership.keep(tx)?;
            tx.membership_done(version)
        })?;
    }
    inner.directory.release();
    *membership.progress.lock() = Progress::default();
    membership.set_passed(Arc::clone(compiled));
    if total > 0 {
        let milliseconds = started.elapsed().as_millis() as u64;
        tracing::info!(computers = total, changed = written, milliseconds, "found the members of collections");
    }
    Ok(true)
}

/// Finds the collections of some computers in steps that are short, and lets scans see them. False if the definitions became
/// others meanwhile.
fn look_at(inner: &Inner, compiled: &Compiled, computers: &[u32]) -> Result<bool, StoreError> {
    let mut rest = computers;
    while !rest.is_empty() {
        let now = Timestamp::now();
        let actor = Actor::system("collections", now);
        // held until the directory knows what the transaction did
        let lock = inner.directory.lock();
        let step = inner.store.write(&actor, |tx| {
            inner.membership.keep(tx)?;
            if tx.membership_version()?.0 != compiled.version {
                return Ok(None);
            }
            let started = Instant::now();
            let before = tx.computer_directory_version()?;
            let mut learned = Vec::new();
            let mut looked = 0;
            for computer in rest {
                if looked > 0 && started.elapsed() > STEP {
                    break;
                }
                looked += 1;
                if inner.membership.decide(tx, compiled, *computer, now)?
                    && let Some(row) = tx.computer_show(*computer)?
                {
                    learned.push((row.id, tx.computer_collections(*computer)?));
                }
            }
            Ok(Some((before, tx.computer_directory_version()?, learned, looked)))
        })?;
        let Some((before, after, learned, looked)) = step else { return Ok(false) };
        for (id, groups) in &learned {
            let id: &ComputerId = id;
            inner.directory.regroup(id, groups);
        }
        inner.directory.advance(before, after);
        drop(lock);
        rest = rest.get(looked..).unwrap_or_default();
        if !rest.is_empty() {
            std::thread::sleep(BREATH);
        }
    }
    Ok(true)
}
