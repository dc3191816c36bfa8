//! Many modelled computers against a real server, over real sockets.
//!
//! A simulation has up to three phases: a preparation, in which computers that are to have a state make their first scans;
//! the scenario, which is measured; and a second rescan of everybody, which shows whether computers and server agree.
//! Time is modelled ([`plan`]): it passes as fast as it is told to, or not at all at full speed.
//!
//! No computer has a thread or a task of its own: as many workers as connections may be open take who is due next
//! ([`agenda`]). What computers have in common they hold together ([`crate::library::Library`], [`crate::fleet`]).

mod agenda;
mod drive;
mod histogram;
#[cfg(test)]
mod memory_tests;
mod plan;
mod process;
mod report;
mod tally;
mod told;

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc::UnboundedSender, watch},
    task::JoinSet,
    time::Instant,
};

use self::{
    agenda::Agenda,
    drive::{Member, Shared, Work},
    plan::Plan,
    tally::Tally,
};
pub use self::{
    report::{Capacity, Convergence, Ended, Memory, OperationFigures, Phase, Report, Revisions, Spread},
    told::Acknowledged,
};
use crate::{
    address::Address,
    fleet::{Fleet, Profile},
    http::HttpSettings,
    library::Library,
    state::State,
    trouble::Trouble,
};

/// What computers do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scenario {
    /// All are new to the server and arrive within a minute.
    FirstScan,
    /// All are new, and their connections are cut, slow or silent.
    Flaky,
    /// All come from another server and bring what it told them.
    Moved,
    /// All come back within two hours, and much is new for them.
    PatchTuesday,
    /// A day of rescans.
    Steady,
}

impl Scenario {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstScan => "first-scan",
            Self::Flaky => "flaky",
            Self::Moved => "moved",
            Self::PatchTuesday => "patch-tuesday",
            Self::Steady => "steady",
        }
    }

    /// Whether computers have a state before it begins.
    fn wants_state(self) -> bool {
        !matches!(self, Self::FirstScan | Self::Flaky)
    }
}

/// How fast modelled time passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// Not at all: each computer comes as soon as there is a connection for it.
    Full,
    /// So many times as fast as real time.
    Times(f64),
}

impl std::fmt::Display for Speed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Full => f.write_str("full"),
            Self::Times(factor) => write!(f, "{factor}"),
        }
    }
}

/// How to simulate.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server.
    pub server: Address,
    /// Where computers of [`Scenario::Moved`] come from; none: the same server, whose word they do not believe any more.
    pub from: Option<Address>,
    /// How many computers.
    pub computers: u32,
    /// The seed of everything that is drawn.
    pub seed: u64,
    /// What they do.
    pub scenario: Scenario,
    /// How fast.
    pub speed: Speed,
    /// The measured phase ends after this real time at the latest.
    pub duration: Option<Duration>,
    /// Connections that may be open at one time, at least 1; fewer if the system does not allow so many.
    pub connections: usize,
    /// What the fleet is like.
    pub profile: Profile,
    /// Whether computers have a state before the scenario begins, if it wants one.
    pub state: bool,
    /// Whether computers install what is deployed to them.
    pub install: bool,
    /// Attempts of a scan before a computer gives up, at least 1. Native agents make four at one server.
    pub attempts: u8,
    /// How long a computer waits after a failed attempt; none: half an hour as native agents, in scaled time, and at full speed a
    /// moment that doubles.
    pub pause: Option<Duration>,
    /// How connections are made.
    pub http: HttpSettings,
    /// Who hears of each event that the server acknowledged, in the order of each computer; none: nobody.
    pub acknowledged: Option<UnboundedSender<Acknowledged>>,
}

/// How far a simulation is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Which phase: `preparing`, the scenario's name, `rescanning`.
    pub phase: &'static str,
    /// Computers of it that are done.
    pub done: u64,
    /// Computers of it.
    pub total: u64,
    /// Calls so far.
    pub calls: u64,
    /// Calls so far that a fault or nothing answered.
    pub faults: u64,
    /// Computers that gave up.
    pub failed: u64,
    /// Time since it began.
    pub elapsed: Duration,
    /// When the last computer of it comes.
    pub planned: Duration,
}

/// Share of the updates of a computer that are new on the morning of a Patch Tuesday.
const FRESH: usize = 20;

/// Simulates until everything is done or `stop` says so. `tell` hears about five times a second how far it is.
pub async fn run(settings: Settings, mut stop: watch::Receiver<bool>, tell: &(dyn Fn(Progress) + Sync)) -> Report {
    let connections =
        process::room_for_connections(settings.connections.max(1).min(settings.computers.max(1) as usize));
    let fleet = Fleet::new(settings.seed, u64::from(settings.computers), settings.profile.clone());
    let member = |number| Member { computer: fleet.computer(u64::from(number)), state: State::default() };
    let members = (0..settings.computers).map(|number| Mutex::new(Some(Box::new(member(number))))).collect();
    let loopback =
        settings.server.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback() && address.is_ipv4());
    let shared = Arc::new(Shared {
        http: settings.http.clone(),
        library: Library::new(),
        members,
        options: Shared::options(),
        // other systems have one loopback address only
        spread: loopback && cfg!(target_os = "linux") && settings.http.local.is_none(),
        trouble: Trouble::new(settings.seed),
        settings,
    });
    let settings = &shared.settings;
    let Plan { arrivals, absent } = plan::plan(settings.scenario, &fleet, settings.seed);
    let at_once = |computers: &mut dyn Iterator<Item = u32>| computers.map(|it| (Duration::ZERO, it)).collect();
    let everybody: Vec<_> = at_once(&mut (0..settings.computers));
    // who is not on that day has nothing to show afterwards
    let present: Vec<_> = at_once(&mut arrivals.iter().map(|(_, computer)| *computer));
    let stopped = |stop: &watch::Receiver<bool>| *stop.borrow();

    let mut preparation = None;
    if settings.state && settings.scenario.wants_state() {
        let from = if settings.scenario == Scenario::Moved { settings.from.clone() } else { None };
        let part = Part { name: "preparing", arrivals: everybody, limit: None, from, ..Part::default() };
        preparation = Some(part.run(&shared, connections, &mut stop, tell).await);
        make_ready(&shared);
    }
    let mut measured = Outcome::default();
    if !stopped(&stop) {
        let scaled = match settings.speed {
            Speed::Full => arrivals.into_iter().map(|(_, computer)| (Duration::ZERO, computer)).collect(),
            Speed::Times(factor) => arrivals.into_iter().map(|(at, computer)| (at.div_f64(factor), computer)).collect(),
        };
        let part = Part {
            name: settings.scenario.name(),
            arrivals: scaled,
            limit: settings.duration,
            troubled: settings.scenario == Scenario::Flaky,
            install: settings.install,
            ..Part::default()
        };
        measured = part.run(&shared, connections, &mut stop, tell).await;
    }
    let mut rescan = None;
    if !stopped(&stop) && !measured.cut_short {
        let part = Part { name: "rescanning", arrivals: present, ..Part::default() };
        rescan = Some(part.run(&shared, connections, &mut stop, tell).await);
    }
    let ended = match (stopped(&stop), measured.cut_short) {
        (true, _) => Ended::Interrupted,
        (false, true) => Ended::Duration,
        (false, false) => Ended::Done,
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (resident, peak) = process::memory();
    let failed = |outcome: &Option<Outcome>| outcome.as_ref().map_or(0, |it| it.tally.failed_computers);
    Report {
        server: settings.server.server(),
        profile: settings.scenario.name(),
        seed: settings.seed,
        speed: settings.speed.to_string(),
        ended,
        computers: u64::from(settings.computers),
        absent_computers: u64::from(absent),
        failed_computers: failed(&preparation) + measured.tally.failed_computers + failed(&rescan),
        connections,
        convergence: Convergence {
            checked: rescan.as_ref().map_or(0, |it| it.tally.scans),
            converged: rescan.as_ref().map_or(0, |it| it.tally.quiet),
        },
        memory: Memory {
            peak_bytes: peak,
            bytes_per_computer: resident / u64::from(settings.computers.max(1)),
            revisions: shared.library.len(),
        },
        capacity: Capacity::judge(&measured.tally, measured.seconds, measured.cpu, cores, connections),
        preparation: preparation.map(|it| Phase::new(&it.tally, it.seconds)),
        measured: Phase::new(&measured.tally, measured.seconds),
        rescan: rescan.map(|it| Phase::new(&it.tally, it.seconds)),
    }
}

/// Makes the states of a preparation what the scenario wants them to be.
fn make_ready(shared: &Shared) {
    for slot in &shared.members {
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(member) = slot.as_deref_mut() else { continue };
        match shared.settings.scenario {
            // with another server the agent notices by itself
            Scenario::Moved if shared.settings.from.is_none() => member.state.forget_server(),
            Scenario::PatchTuesday => {
                // what was published last is not here yet
                let leaves: Vec<i32> =
                    member.state.cache.entries().iter().filter(|entry| entry.is_leaf).map(|entry| entry.id).collect();
                let fresh = leaves.len().saturating_sub(leaves.len() / FRESH);
                member.state.cache.remove(leaves.get(fresh..).unwrap_or_default());
            }
            _ => {}
        }
        member.state.cache.settle(&shared.library);
    }
}

/// A phase to be run.
#[derive(Debug, Default)]
struct Part {
    name: &'static str,
    arrivals: Vec<(Duration, u32)>,
    limit: Option<Duration>,
    troubled: bool,
    install: bool,
    from: Option<Address>,
}

/// What a phase came to.
#[derive(Debug, Default)]
struct Outcome {
    tally: Tally,
    seconds: f64,
    /// Processor seconds of this process.
    cpu: f64,
    /// Whether its time was over before it was done.
    cut_short: bool,
}

impl Part {
    async fn run(
        self,
        shared: &Arc<Shared>,
        connections: usize,
        stop: &mut watch::Receiver<bool>,
        tell: &(dyn Fn(Progress) + Sync),
    ) -> Outcome {
        let start = Instant::now();
        let cpu = process::cpu_time();
        let total = self.arrivals.len() as u64;
        let planned = self.arrivals.last().map_or(Duration::ZERO, |arrival| arrival.0);
        let work = Arc::new(Work {
            agenda: Agenda::new(start, self.arrivals),
            start,
            server: self.from.unwrap_or_else(|| shared.settings.server.clone()),
            troubled: self.troubled,
            install: self.install,
            done: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        });
        let (end, ended) = watch::channel(false);
        let mut workers = JoinSet::new();
        for _ in 0..connections {
            workers.spawn(drive::work(Arc::clone(shared), Arc::clone(&work), ended.clone()));
        }
        let mut outcome = Outcome::default();
        let progress = || Progress {
            phase: self.name,
            done: work.done.load(Ordering::Relaxed),
            total,
            calls: work.calls.load(Ordering::Relaxed),
            faults: work.faults.load(Ordering::Relaxed),
            failed: work.failed.load(Ordering::Relaxed),
            elapsed: start.elapsed(),
            planned,
        };
        let mut tick = tokio::time::interval(Duration::from_millis(200));
        loop {
            tokio::select! {
                joined = workers.join_next() => match joined {
                    Some(Ok(tally)) => outcome.tally.merge(&tally),
                    // a worker that panicked has no tally; its computer counts as not done
                    Some(Err(_)) => outcome.tally.failed_computers += 1,
                    None => break,
                },
                _ = tick.tick() => {
                    tell(progress());
                    if !*end.borrow() && self.limit.is_some_and(|limit| start.elapsed() >= limit) {
                        outcome.cut_short = true;
                        let _ = end.send(true);
                    }
                }
                changed = stop.changed(), if !*end.borrow() => {
                    if changed.is_err() || *stop.borrow() {
                        let _ = end.send(true);
                    }
                }
            }
        }
        tell(progress());
        outcome.seconds = start.elapsed().as_secs_f64();
        outcome.cpu = process::cpu_time().saturating_sub(cpu).as_secs_f64();
        outcome
    }
}
