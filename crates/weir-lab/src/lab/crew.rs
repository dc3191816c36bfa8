//! The computers of the lab: modelled ones, each with an agent of its own, at the site that it belongs to.
//!
//! First each scans once and reports. Then a working day passes on a clock that runs fast: computers that are on scan now and
//! then, download, install at once or at the deadline as their users like, and restart when they do.

mod clock;
mod computer;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
};
use weir_agent::{
    address::Address,
    agent::{Agent, Round, RoundOptions},
    computer::{Computer as _, Installed},
    deploy::Rules,
    download::{Download, Keep},
    fleet::{Fleet, Profile},
    http::HttpSettings,
    library::Library,
    link::Link,
    scan::Options as ScanOptions,
    state::State,
    world::World as _,
};

pub(super) use self::clock::Clock;
use self::computer::LabComputer;

/// Collections that computers ask for by policy.
pub(super) const GROUPS: [&str; 2] = [computer::SERVERS, computer::WORKSTATIONS];
/// Computers that talk at once. More would only wait for the processors, and a storm is not what the lab shows.
const AT_ONCE: usize = 12;
/// How often a computer that is on scans, on its own clock.
const INTERVAL: SignedDuration = SignedDuration::from_hours(4);
/// Within which time of the day's beginning it scans first.
const SPREAD: SignedDuration = SignedDuration::from_mins(45);
/// From a deadline to the restart: half an hour of warnings.
const WARNING: SignedDuration = SignedDuration::from_mins(30);
/// Attempts after which a computer that cannot talk to its server is a failure of the story: a server that has too much to do on a busy
/// machine says so, and computers come again.
const ATTEMPTS: u32 = 6;
/// The shortest pause of a computer, in real time.
const SHORTEST: Duration = Duration::from_millis(250);
/// What no modelled computer is meant to answer: the rules of the update cannot be made true (E_NOTIMPL).
const NOT_MODELLED: i32 = 0x8000_4001_u32.cast_signed();

/// What happened so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Computers that scanned and reported at least once.
    pub(super) scanned: u64,
    /// Scans in all.
    pub(super) scans: u64,
    /// Installations that ended well, after the restart if they wanted one.
    pub(super) installed: u64,
    /// Installations that failed as the model has them fail.
    pub(super) failed: u64,
    /// Restarts.
    pub(super) restarts: u64,
    /// Bytes of content that were downloaded.
    pub(super) downloaded: u64,
    /// Deadlines that computers were told.
    pub(super) deadlines: BTreeSet<Timestamp>,
    /// What must not happen, the first time it did.
    pub(super) broken: Option<String>,
}

#[derive(Debug, Default)]
struct Counters {
    scanned: AtomicU64,
    scans: AtomicU64,
    installed: AtomicU64,
    failed: AtomicU64,
    restarts: AtomicU64,
    deadlines: Mutex<BTreeSet<Timestamp>>,
    broken: Mutex<Option<String>>,
}

impl Counters {
    fn broke(&self, what: String) {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(what);
    }
}

/// What all computers share.
struct Shared {
    library: Library,
    clock: Arc<Clock>,
    counters: Counters,
    turns: Semaphore,
    scan: Arc<ScanOptions>,
    download: Download,
}

/// The computers at work. They stop when this is dropped.
pub(super) struct Crew {
    shared: Arc<Shared>,
    day: watch::Sender<bool>,
    _tasks: JoinSet<()>,
}

impl Crew {
    /// Lets so many computers scan, spread over sites (name and address each).
    pub(super) fn start(seed: u64, computers: u64, sites: &[(String, String)], clock: Arc<Clock>) -> Result<Self> {
        let fleet = Fleet::new(seed, computers, Profile::default());
        let http = Arc::new(HttpSettings::default());
        let shared = Arc::new(Shared {
            library: Library::new(),
            clock,
            counters: Counters::default(),
            turns: Semaphore::new(AT_ONCE),
            scan: Arc::default(),
            download: Download::new(Keep::Nothing, Arc::clone(&http)),
        });
        let (day, begins) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for (number, (site, address)) in (0..computers).zip(sites.iter().cycle()) {
            let address = Address::parse(address).with_context(|| format!("the address of {site}"))?;
            let member = Member {
                computer: LabComputer::new(fleet.computer(number)),
                state: State::default(),
                link: Link::new(address, Arc::clone(&http)),
                shared: Arc::clone(&shared),
                number,
                waiting: 0,
            };
            tasks.spawn(member.live(begins.clone()));
        }
        Ok(Self { shared, day, _tasks: tasks })
    }

    /// Lets the day begin.
    pub(super) fn begin_day(&self) {
        self.day.send_replace(true);
    }

    /// What happened so far.
    pub(super) fn tally(&self) -> Tally {
        let counters = &self.shared.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Tally {
            scanned: read(&counters.scanned),
            scans: read(&counters.scans),
            installed: read(&counters.installed),
            failed: read(&counters.failed),
            restarts: read(&counters.restarts),
            downloaded: self.shared.download.received(),
            deadlines: counters.deadlines.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            broken: counters.broken.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// One computer with its agent.
struct Member {
    computer: LabComputer,
    state: State,
    link: Link,
    shared: Arc<Shared>,
    number: u64,
    /// Installations that wait for a restart.
    waiting: u64,
}

impl Member {
    async fn live(mut self, mut day: watch::Receiver<bool>) {
        let shared = Arc::clone(&self.shared);
        let detection = RoundOptions::detection(Arc::clone(&shared.scan));
        if self.round(&detection).await.is_none() {
            return;
        }
        shared.counters.scanned.fetch_add(1, Ordering::Relaxed);
        if day.wait_for(|begun| *begun).await.is_err() {
            return;
        }
        let work = RoundOptions {
            download: Some(shared.download.clone()),
            install: true,
            // two users in three do not wait for the deadline
            rules: Rules { early: !self.number.is_multiple_of(3), restart_after: WARNING, ..Rules::default() },
            ..detection
        };
        let share = self.number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let first = SPREAD.as_secs() * i64::try_from(share).unwrap_or(0) / (1 << 24);
        let mut next = shared.clock.now().saturating_add(SignedDuration::from_secs(first)).unwrap_or(Timestamp::MAX);
        loop {
            next = self.computer.habits().present_from(next);
            shared.clock.wait_until(next, SHORTEST).await;
            let Some(round) = self.round(&work).await else { return };
            next = self.next_time(&round);
        }
    }

    /// When it does something again: the next scan, a deadline, a restart.
    fn next_time(&self, round: &Round) -> Timestamp {
        let now = self.shared.clock.now();
        let scan = now.saturating_add(INTERVAL).unwrap_or(Timestamp::MAX);
        let restart = [self.state.restart_at, self.computer.restart_at()].into_iter().flatten().max();
        let restart = restart.filter(|_| self.waiting > 0);
        [round.next_due(), restart].into_iter().flatten().filter(|at| *at > now).fold(scan, Timestamp::min)
    }

    /// One round, tried again if the server cannot be talked to. None if that does not help, which is noted.
    async fn round(&mut self, options: &RoundOptions) -> Option<Round> {
        let shared = Arc::clone(&self.shared);
        let mut attempt = 0;
        loop {
            let turn = shared.turns.acquire().await.ok()?;
            self.computer.set_time(shared.clock.now());
            let mut agent = Agent {
                computer: &mut self.computer,
                state: &mut self.state,
                library: &shared.library,
                link: &mut self.link,
                world: &*shared.clock,
            };
            let round = agent.run_once(options, &mut |_, _, _| ()).await;
            drop(turn);
            let Some(problem) = round.problem.as_ref().or(round.report_problem.as_ref()) else {
                self.count(&round);
                return Some(round);
            };
            attempt += 1;
            if attempt == ATTEMPTS {
                let name = self.computer.description().dns_name.clone();
                shared.counters.broke(format!("{name} cannot talk to {}: {problem}", self.link.server()));
                return None;
            }
            // what was installed in a round whose report failed counts
            self.count(&round);
            tokio::time::sleep(SHORTEST * 4 * attempt).await;
        }
    }

    fn count(&mut self, round: &Round) {
        let counters = &self.shared.counters;
        counters.scans.fetch_add(1, Ordering::Relaxed);
        let told = round.work.iter().filter_map(|work| work.deadline);
        counters.deadlines.lock().unwrap_or_else(PoisonError::into_inner).extend(told);
        let mut done = 0;
        for work in &round.work {
            if let Some(Err(problem)) = &work.download {
                counters.broke(format!("{}: the download failed: {problem}", work.title));
            }
            match work.installed {
                Some(Installed::Done) => done += 1,
                Some(Installed::AfterRestart) => self.waiting += 1,
                Some(Installed::Failed(NOT_MODELLED)) => {
                    counters.broke(format!("{}: no model of a computer can install it", work.title));
                }
                Some(Installed::Failed(_)) => {
                    counters.failed.fetch_add(1, Ordering::Relaxed);
                }
                Some(Installed::Cannot) | None => {}
            }
        }
        if round.restarted {
            counters.restarts.fetch_add(1, Ordering::Relaxed);
        }
        if !self.computer.waits_for_restart() {
            done += std::mem::take(&mut self.waiting);
        }
        counters.installed.fetch_add(done, Ordering::Relaxed);
    }
}
