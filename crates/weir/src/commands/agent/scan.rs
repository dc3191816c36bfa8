//! `weir agent scan`.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use clap::Args;
use indicatif::ProgressBar;
use weir_agent::{
    agent::{Agent, Round, RoundOptions},
    deploy::Rules,
    exchange::Request,
    library::Library,
    scan::{Extended, Options, ScanOutcome},
    schedule::Ended,
    state::State,
    store::StateFile,
    world::SystemWorld,
};

use super::{
    options::{AgentOptions, link},
    show::{Report, Told},
};
use crate::{
    Outcome,
    print::{self, Printer},
};

pub(super) const EXAMPLES: &str = "Examples:\n  weir agent scan --server http://localhost:8530 --facts pc.json\n  \
                                   weir agent scan --server http://localhost:8530 --facts pc.json --download files";

/// How often the state is written during a scan, so that a killed agent goes on near where it was.
const CHECKPOINT: Duration = Duration::from_secs(10);

#[derive(Args, Debug)]
pub(crate) struct ScanArguments {
    /// The server, for example `http://updates.example.com:8530`.
    #[arg(long, value_name = "URL")]
    server: String,

    #[command(flatten)]
    options: AgentOptions,

    /// List what does not apply, too.
    #[arg(long)]
    all: bool,

    /// Only look: nothing is downloaded, reported or remembered.
    #[arg(long, conflicts_with = "download")]
    dry_run: bool,
}

pub(super) async fn run(arguments: &ScanArguments, printer: &Printer) -> Result<Outcome> {
    let options = &arguments.options;
    let library = Library::new();
    let http = options.http()?;
    let mut link = link(&arguments.server, &http)?;
    let (file, saved, id) = options.open_state(&library)?;
    let (mut state, memory) = (saved.state, saved.memory);
    let mut computer = options.computer(&id)?;
    let round_options = RoundOptions {
        scan: Arc::new(Options {
            categories: options.category.clone(),
            extended: Extended::Shown,
            caller: "weir agent scan",
            ..Options::default()
        }),
        online: true,
        download: options.downloads(&http),
        install: !arguments.dry_run,
        rules: Rules::default(),
        report: !arguments.dry_run && !options.no_report,
    };
    let begun = Instant::now();
    let mut watch = Watcher::new((!arguments.dry_run).then_some((&file, &id, &memory)));
    let round = {
        let mut agent = Agent {
            computer: &mut computer,
            state: &mut state,
            library: &library,
            link: &mut link,
            world: &SystemWorld,
        };
        agent.run_once(&round_options, &mut |request, outcome, state| watch.see(request, outcome, state)).await
    };
    watch.end();
    if !arguments.dry_run {
        file.save(Some(&id), &state, &memory)?;
    }
    let report = Report::of(&Told {
        server: link.server(),
        computer: &computer,
        state: &state,
        round: &round,
        online: true,
        traffic: link.traffic(),
        time: begun.elapsed(),
        all: arguments.all,
    });
    printer.show(&report, |page| report.show(page))?;
    Ok(match (&round.problem, report.has_problems()) {
        (Some(_), _) => Outcome::Failed,
        (None, true) => Outcome::Partly,
        (None, false) => Outcome::Done,
    })
}

/// How the scan of a round ended, for the schedule.
pub(super) fn ended(round: &Round) -> Ended {
    round.problem.as_ref().map_or(Ended::Well, |problem| Ended::Failed(problem.code))
}

/// Shows on a terminal how far a scan is, and writes the state now and then.
pub(super) struct Watcher<'a> {
    bar: Option<ProgressBar>,
    saved: Instant,
    state: Option<(&'a StateFile, &'a weir_model::ids::ComputerId, &'a weir_agent::schedule::Memory)>,
    told: bool,
}

impl<'a> Watcher<'a> {
    pub(super) fn new(
        state: Option<(&'a StateFile, &'a weir_model::ids::ComputerId, &'a weir_agent::schedule::Memory)>,
    ) -> Self {
        let bar = print::wants_bar().then(ProgressBar::new_spinner);
        Self { bar, saved: Instant::now(), state, told: false }
    }

    pub(super) fn see(&mut self, request: &Request, outcome: &ScanOutcome, state: &mut State) {
        if let Some(bar) = &self.bar {
            let (trips, new, known) = (outcome.trips, outcome.new, state.cache.len());
            bar.set_message(format!("{}: call {trips}, {new} new, {known} known", request.operation()));
            bar.tick();
        }
        if let Some((file, id, memory)) = &self.state
            && self.saved.elapsed() >= CHECKPOINT
        {
            self.saved = Instant::now();
            if let Err(error) = file.save(Some(id), state, memory)
                && !self.told
            {
                self.told = true;
                anstream::eprintln!("warning: {:#}", anyhow::Error::from(error));
            }
        }
    }

    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
