//! One round of the agent: scan, download, install what is due, restart if it is time, look again, report.

mod work;

use std::{collections::BTreeMap, sync::Arc};

use weir_model::ids::ContentDigest;

use crate::{
    computer::{Computer, Installed},
    deploy::{Due, Rules},
    details::NeededFile,
    download::Download,
    failure::Problem,
    library::Library,
    link::Link,
    scan::{Options, ScanOutcome},
    state::{Condition, State},
    talk::{self, Watch},
    world::World,
};
pub use work::Work;

/// What a round does.
#[derive(Clone, Debug)]
pub struct RoundOptions {
    /// How it scans.
    pub scan: Arc<Options>,
    /// Whether it asks the server; else it only evaluates again what is known (an offline scan).
    pub online: bool,
    /// How it downloads; none: it does not, and so installs only what has no files.
    pub download: Option<Download>,
    /// Whether it installs and removes.
    pub install: bool,
    /// How it treats deployments.
    pub rules: Rules,
    /// Whether it reports.
    pub report: bool,
}

impl RoundOptions {
    /// A scan and a report, and nothing else.
    pub fn detection(scan: Arc<Options>) -> Self {
        Self { scan, online: true, download: None, install: false, rules: Rules::default(), report: true }
    }
}

/// What a round did.
#[derive(Debug, Default)]
pub struct Round {
    /// What the scan brought.
    pub scan: ScanOutcome,
    /// Why the scan failed. Downloads and installations were left out then.
    pub problem: Option<Problem>,
    /// What the server wants done here, one entry per update.
    pub work: Vec<Work>,
    /// Whether the computer was restarted.
    pub restarted: bool,
    /// Events that were acknowledged.
    pub reported: usize,
    /// Why events were not; they stay in the state.
    pub report_problem: Option<Problem>,
}

impl Round {
    /// When the next deployment is due that this round left.
    pub fn next_due(&self) -> Option<jiff::Timestamp> {
        earliest(self.work.iter().filter(|work| work.installed.is_none()))
    }
}

/// When the next deployment is due that is not carried out, as far as the agent knows: also after a restart of the agent, and
/// whatever became of the last scan.
pub fn next_due(state: &State, now: jiff::Timestamp, rules: &Rules) -> Option<jiff::Timestamp> {
    earliest(work::wanted(state, now, rules).iter())
}

fn earliest<'w>(work: impl Iterator<Item = &'w Work>) -> Option<jiff::Timestamp> {
    let due = work.filter_map(|work| match work.due {
        Due::At(at) => Some(at),
        Due::Now | Due::Offered => None,
    });
    due.min()
}

/// Everything that a round needs, in one place.
pub struct Agent<'a, C: ?Sized> {
    /// The computer.
    pub computer: &'a mut C,
    /// What the agent remembers.
    pub state: &'a mut State,
    /// What agents of this process share.
    pub library: &'a Library,
    /// The server.
    pub link: &'a mut Link,
    /// Clock and chance.
    pub world: &'a dyn World,
}

impl<C: Computer + Send + ?Sized> Agent<'_, C> {
    /// One round. `watch` sees the scan go on.
    pub async fn run_once(&mut self, options: &RoundOptions, watch: &mut Watch<'_>) -> Round {
        let mut round = Round::default();
        self.restart_if_due(&mut round);
        if options.online {
            let scan = Arc::clone(&options.scan);
            let (outcome, result) =
                talk::scan(self.state, self.computer, self.library, self.link, scan, self.world, watch).await;
            round.scan = outcome;
            round.problem = result.err();
        } else {
            self.rescan();
        }
        if let Some(problem) = &round.problem {
            self.state.queue_detection_failed(self.world, problem.code);
        } else {
            work::forget_old_conditions(self.state);
            self.state.queue_detection(self.world);
            self.carry_out(&mut round, options).await;
        }
        if options.report {
            let result = talk::report(self.state, self.computer, self.library, self.link, self.world).await;
            match result {
                Ok(count) => round.reported = count,
                Err(problem) => round.report_problem = Some(problem),
            }
        }
        self.link.close();
        round
    }

    /// Downloads, installs, restarts, as far as it is time.
    async fn carry_out(&mut self, round: &mut Round, options: &RoundOptions) {
        round.work = work::wanted(self.state, self.world.now(), &options.rules);
        if let Some(download) = &options.download {
            self.download(round, download).await;
        }
        if options.install {
            self.install(round, options);
            self.restart_if_due(round);
        }
        if round.work.iter().any(|work| work.download.is_some() || work.installed.is_some()) {
            // what changed is looked at without the server (features 10.1)
            self.rescan();
            self.state.queue_detection(self.world);
        }
    }

    /// Evaluates again what is known: an offline scan.
    pub fn rescan(&mut self) {
        let computer = &*self.computer;
        self.state.cache.evaluate(|update| computer.evaluate(update));
        work::forget_old_conditions(self.state);
    }

    /// The computer restarted, by itself or by its user: what waited for it is done.
    pub fn restarted(&mut self) {
        self.state.restart_at = None;
        let pending = |condition: &Condition| *condition == Condition::PendingRestart;
        if self.state.conditions.iter().any(|(_, condition)| pending(condition)) {
            self.state.conditions.retain(|(_, condition)| !pending(condition));
            self.state.queue_restarted(self.world);
        }
        self.rescan();
    }

    fn restart_if_due(&mut self, round: &mut Round) {
        let due = self.state.restart_at.is_some_and(|at| at <= self.world.now());
        if due && self.computer.restart() {
            round.restarted = true;
            self.restarted();
        }
    }

    async fn download(&mut self, round: &mut Round, download: &Download) {
        // decided once: what was fetched no longer wants to be
        let wanted: Vec<usize> = (0..round.work.len())
            .filter(|at| round.work.get(*at).is_some_and(|work| work.wants_download(self.state, download)))
            .collect();
        let wanting = wanted.iter().filter_map(|at| round.work.get(*at));
        let files: Vec<NeededFile> = wanting.flat_map(|work| work.files(self.state)).collect();
        if wanted.is_empty() {
            return;
        }
        let mut locations: BTreeMap<ContentDigest, String> = std::mem::take(&mut round.scan.locations);
        let mut missing: Vec<_> =
            files.iter().map(|file| file.digest).filter(|digest| !locations.contains_key(digest)).collect();
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            let found = talk::locations(self.state, self.computer, self.library, self.link, self.world, &missing).await;
            // without a location the file is reported as such; a server that fails here fails the report too
            locations.extend(found.unwrap_or_default());
        }
        let results = download.run(&files, &locations).await;
        round.scan.locations = locations;
        for at in wanted {
            if let Some(work) = round.work.get_mut(at) {
                work.downloaded(self.state, self.world, &results);
            }
        }
    }

    /// Installs and removes what is due: updates of the servicing stack first, after which everything is evaluated again
    /// (features CLI-2).
    fn install(&mut self, round: &mut Round, options: &RoundOptions) {
        let mut order: Vec<usize> = (0..round.work.len()).collect();
        let first = |at: &usize| round.work.get(*at).is_some_and(|work| work.servicing_stack);
        order.sort_by_key(|at| !first(at));
        let mut stack_changed = false;
        for at in order {
            let Some(work) = round.work.get_mut(at) else { continue };
            if stack_changed && !work.servicing_stack {
                stack_changed = false;
                let computer = &*self.computer;
                self.state.cache.evaluate(|update| computer.evaluate(update));
            }
            work.carry_out(self.state, self.computer, self.world, options);
            stack_changed |= work.servicing_stack && work.installed == Some(Installed::Done);
        }
    }
}
