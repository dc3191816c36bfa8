//! A modelled computer with an agent and a clock of its own.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;
use weir_agent::{
    address::Address,
    agent::{Agent, Round, RoundOptions},
    computer::{Computer as _, Installed},
    deploy::{Due, Rules},
    download::{Download, Keep},
    fleet::FleetComputer,
    http::HttpSettings,
    library::Library,
    link::Link,
    scan::Options,
    state::State,
    world::World,
};
use weir_testkit::WeirProcess;

/// What all machines share.
pub(super) struct Day {
    library: Arc<Library>,
    http: Arc<HttpSettings>,
}

impl Default for Day {
    fn default() -> Self {
        Self { library: Arc::new(Library::new()), http: Arc::new(HttpSettings::default()) }
    }
}

/// The time of a computer: ahead of the real one by so much.
struct Clock(SignedDuration);

impl World for Clock {
    fn now(&self) -> Timestamp {
        Timestamp::now() + self.0
    }

    fn event_id(&self) -> Uuid {
        Uuid::new_v4()
    }
}

/// What a machine was told to install, and did not yet.
#[derive(Debug)]
pub(super) struct Offered {
    pub(super) update: String,
    pub(super) due: Due,
    pub(super) downloaded: bool,
}

pub(super) struct Machine {
    pub(super) computer: FleetComputer,
    /// How far its clock is ahead.
    pub(super) ahead: SignedDuration,
    /// What it was told in its last round, and did not install.
    pub(super) offered: Vec<Offered>,
    /// What it installed so far.
    pub(super) installed: Vec<String>,
    state: State,
    link: Link,
    library: Arc<Library>,
    detection: RoundOptions,
    work: RoundOptions,
}

impl Machine {
    pub(super) fn new(server: &WeirProcess, computer: FleetComputer, day: &Day) -> Self {
        let detection = RoundOptions::detection(Arc::new(Options::default()));
        let work = RoundOptions {
            download: Some(Download::new(Keep::Nothing, Arc::clone(&day.http))),
            install: true,
            // it is told no time of its own, and so restarts when the agent asks
            rules: Rules { restart_after: SignedDuration::from_mins(2), ..Rules::default() },
            ..detection.clone()
        };
        Self {
            computer,
            ahead: SignedDuration::ZERO,
            offered: Vec::new(),
            installed: Vec::new(),
            state: State::default(),
            link: Link::new(Address::parse(&server.client_url()).expect("an address"), Arc::clone(&day.http)),
            library: Arc::clone(&day.library),
            detection,
            work,
        }
    }

    /// Its id.
    pub(super) fn id(&self) -> String {
        self.computer.description().client_id.as_str().to_owned()
    }

    /// Scans and reports.
    pub(super) async fn detect(&mut self) {
        let options = self.detection.clone();
        self.round(&options).await;
    }

    /// Scans, downloads, installs what is due, restarts if it is time, reports.
    pub(super) async fn work(&mut self) {
        let options = self.work.clone();
        let round = self.round(&options).await;
        self.offered.clear();
        for work in &round.work {
            let update = work.identity.update_id.to_string();
            assert!(!matches!(work.download, Some(Err(_))), "{}: {:?}", work.title, work.download);
            match work.installed {
                Some(Installed::Done | Installed::AfterRestart) => self.installed.push(update),
                None => {
                    // a second round has the files already
                    let has = self.state.condition(work.identity.update_id);
                    let downloaded = work.download.is_some() || has == Some(weir_agent::state::Condition::Downloaded);
                    self.offered.push(Offered { update, due: work.due, downloaded });
                }
                Some(other) => panic!("{}: {other:?}", work.title),
            }
        }
    }

    async fn round(&mut self, options: &RoundOptions) -> Round {
        let clock = Clock(self.ahead);
        let mut agent = Agent {
            computer: &mut self.computer,
            state: &mut self.state,
            library: &self.library,
            link: &mut self.link,
            world: &clock,
        };
        let round = agent.run_once(options, &mut |_, _, _| {}).await;
        assert_eq!((&round.problem, &round.report_problem), (&None, &None));
        round
    }
}
