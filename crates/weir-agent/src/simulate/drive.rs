//! Workers: each takes a computer that is due, lets its agent scan and report over a connection of its own, and takes the
//! next. There are as many workers as connections may be open.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::{sync::watch, time::Instant};
use weir_wire::wusp::Action;

use super::{
    Settings, Speed,
    agenda::{Agenda, Due, Next},
    plan,
    tally::Tally,
    told::Waiting,
};
use crate::{
    address::Address,
    assess::Assessment,
    computer::{Computer as _, Installable, Installed},
    events::Happened,
    failure::Problem,
    fleet::FleetComputer,
    http::HttpSettings,
    library::{Library, Update},
    link::Link,
    scan::Options,
    state::{Condition, State},
    talk,
    trouble::Trouble,
    world::SystemWorld,
};

/// A computer with what its agent remembers.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) computer: FleetComputer,
    pub(super) state: State,
}

/// What all workers share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) http: HttpSettings,
    pub(super) library: Library,
    pub(super) members: Vec<Mutex<Option<Box<Member>>>>,
    pub(super) options: Arc<Options>,
    /// Whether connections come from many loopback addresses.
    pub(super) spread: bool,
    /// The troubles of a bad network.
    pub(super) trouble: Trouble,
}

/// One phase.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) agenda: Agenda,
    pub(super) start: Instant,
    /// The server that computers scan against.
    pub(super) server: Address,
    /// Whether connections have troubles.
    pub(super) troubled: bool,
    /// Whether computers install what they are told to.
    pub(super) install: bool,
    /// Computers that are done.
    pub(super) done: AtomicU64,
    /// Calls so far.
    pub(super) calls: AtomicU64,
    /// Calls so far that a fault or nothing answered.
    pub(super) faults: AtomicU64,
    /// Computers that gave up.
    pub(super) failed: AtomicU64,
}

/// Works until nothing is left or somebody stops it.
pub(super) async fn work(shared: Arc<Shared>, work: Arc<Work>, mut stop: watch::Receiver<bool>) -> Tally {
    let tally = Arc::new(Mutex::new(Tally::default()));
    while !*stop.borrow() {
        let due = match work.agenda.take() {
            Next::Due(due) => due,
            Next::Wait => {
                work.agenda.changed().await;
                continue;
            }
            Next::Done => break,
        };
        tokio::select! {
            () = tokio::time::sleep_until(due.at) => {}
            _ = stop.changed() => break,
        }
        let Some(slot) = shared.members.get(due.computer as usize) else {
            work.agenda.done();
            continue;
        };
        let Some(mut member) = slot.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            // it scans at this moment
            work.agenda.again(Due { at: Instant::now() + Duration::from_millis(100), ..due });
            continue;
        };
        let late = Instant::now().saturating_duration_since(due.at);
        with(&tally, |tally| tally.begin(late));
        let session = session(&shared, &work, &mut member, &tally);
        let result = tokio::select! {
            result = session => Some(result),
            _ = stop.changed() => None,
        };
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(member);
        match result {
            None => break,
            Some(Ok(())) => {
                work.done.fetch_add(1, Ordering::Relaxed);
                work.agenda.done();
            }
            Some(Err(_)) if due.attempt + 1 < shared.settings.attempts => {
                with(&tally, |tally| tally.retries += 1);
                let at = Instant::now() + pause(&shared.settings, due.attempt);
                work.agenda.again(Due { at, attempt: due.attempt + 1, ..due });
            }
            Some(Err(_)) => {
                with(&tally, |tally| tally.failed_computers += 1);
                work.failed.fetch_add(1, Ordering::Relaxed);
                work.done.fetch_add(1, Ordering::Relaxed);
                work.agenda.done();
            }
        }
    }
    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *tally)
}

fn with<T>(tally: &Mutex<Tally>, change: impl FnOnce(&mut Tally) -> T) -> T {
    change(&mut tally.lock().unwrap_or_else(PoisonError::into_inner))
}

/// How long a computer waits after a failed attempt: as it was set, else half an hour as native agents, in scaled time; at full
/// speed a moment that doubles.
fn pause(settings: &Settings, attempt: u8) -> Duration {
    match (settings.pause, settings.speed) {
        (Some(pause), _) => pause,
        (None, Speed::Full) => Duration::from_millis(200 << attempt.min(5)),
        (None, Speed::Times(factor)) => Duration::from_secs_f64((1_800.0 / factor).clamp(0.2, 1_800.0)),
    }
}

/// One computer's scan and report.
async fn session(
    shared: &Shared,
    work: &Arc<Work>,
    member: &mut Member,
    tally: &Arc<Mutex<Tally>>,
) -> Result<(), Problem> {
    let world = SystemWorld;
    let Member { computer, state } = member;
    computer.set_time(modelled(shared.settings.speed, work.start));
    if computer.restart_at().is_some() && computer.restart() {
        state.conditions.retain(|(_, condition)| *condition != Condition::PendingRestart);
        state.queue_restarted(&world);
    }
    let mut link = link(shared, work, computer, tally);
    let library = &shared.library;
    let options = Arc::clone(&shared.options);
    let (outcome, result) = talk::scan(state, computer, library, &mut link, options, &world, &mut |_, _, _| ()).await;
    with(tally, |tally| tally.scanned(&outcome, &result));
    if let Err(problem) = result {
        state.queue_detection_failed(&world, problem.code);
        return Err(problem);
    }
    if work.install {
        install(state, computer, tally);
    }
    state.queue_detection(&world);
    let waiting = Waiting::of(computer, state, shared.settings.acknowledged.as_ref());
    let reported = talk::report(state, computer, library, &mut link, &world).await;
    waiting.tell(state.events.len());
    match reported {
        Ok(events) => with(tally, |tally| {
            tally.reports += 1;
            tally.events += events as u64;
        }),
        Err(problem) => {
            with(tally, |tally| tally.failed(&problem));
            return Err(problem);
        }
    }
    Ok(())
}

/// Modelled time: the day of the plan, as far as it went. At full speed it stands still.
fn modelled(speed: Speed, start: Instant) -> Timestamp {
    let passed = match speed {
        Speed::Full => Duration::ZERO,
        Speed::Times(factor) => start.elapsed().mul_f64(factor),
    };
    let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::ZERO);
    plan::start().saturating_add(passed).unwrap_or_else(|_| plan::start())
}

/// A connection of one computer, watched.
fn link(shared: &Shared, work: &Arc<Work>, computer: &FleetComputer, tally: &Arc<Mutex<Tally>>) -> Link {
    let mut http = shared.http.clone();
    if shared.spread {
        // 127.1.0.1 and so on: a server sees as many addresses as computers, as it would in a network
        let number = computer.number() as u32;
        http.local = Some(IpAddr::V4(Ipv4Addr::from(0x7f01_0001_u32.wrapping_add(number % 0x00fd_0000))));
    }
    if work.troubled {
        http.trouble = Some(shared.trouble.clone());
    }
    let mut link = Link::new(work.server.clone(), Arc::new(http));
    let (tally, work) = (Arc::clone(tally), Arc::clone(work));
    link.set_observer(move |seen| {
        work.calls.fetch_add(1, Ordering::Relaxed);
        work.faults.fetch_add(u64::from(seen.failure.is_some()), Ordering::Relaxed);
        with(&tally, |tally| tally.saw(seen));
    });
    link
}

/// Installs what the server wants installed by itself. Modelled computers need no files.
fn install(state: &mut State, computer: &mut FleetComputer, tally: &Mutex<Tally>) {
    let world = SystemWorld;
    let wanted: Vec<(Arc<Update>, Vec<Arc<Update>>)> = {
        let assessment = Assessment::new(&state.cache);
        let update = |at: usize| state.cache.entries().get(at).map(|entry| Arc::clone(&entry.update));
        let assigned = |at: &usize| {
            let entry = state.cache.entries().get(*at);
            entry.is_some_and(|entry| entry.deployed.is_assigned && entry.deployed.action == Action::Install)
        };
        let offered = assessment.offered().into_iter().filter(assigned);
        offered
            .filter_map(|at| Some((update(at)?, assessment.members(at).into_iter().filter_map(update).collect())))
            .collect()
    };
    if wanted.is_empty() {
        return;
    }
    for (update, members) in &wanted {
        let id = update.identity();
        if state.condition(id.update_id) == Some(Condition::PendingRestart) {
            continue;
        }
        let members: Vec<&Update> = members.iter().map(|member| &**member).collect();
        let installable = Installable { update, members: &members, title: None, files: &[] };
        let bundle = !members.is_empty();
        state.queue(&world, id, "", bundle, Happened::InstallStarted);
        let (condition, happened) = match computer.install(&installable) {
            Installed::Done => (None, Happened::Installed),
            Installed::AfterRestart => (Some(Condition::PendingRestart), Happened::InstalledPendingRestart),
            Installed::Failed(code) => (Some(Condition::Failed(code)), Happened::InstallFailed(code)),
            Installed::Cannot => continue,
        };
        state.set_condition(id.update_id, condition);
        state.queue(&world, id, "", bundle, happened);
        with(tally, |tally| match happened {
            Happened::InstallFailed(_) => tally.failed_installs += 1,
            _ => tally.installed += 1,
        });
    }
    state.cache.evaluate(|update| computer.evaluate(update));
}

impl Shared {
    /// The options of every scan.
    pub(super) fn options() -> Arc<Options> {
        Arc::new(Options::default())
    }
}
