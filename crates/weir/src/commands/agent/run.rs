//! `weir agent run`.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use weir_agent::{
    agent::{Agent, Round, RoundOptions, next_due},
    deploy::Rules,
    failure::Code,
    http::HttpSettings,
    library::Library,
    link::Link,
    scan::{Extended, Options},
    schedule::{Ended, METADATA_TIME_TO_LIVE, RESEND_EVERY, Trigger},
    store::{Saved, StateFile},
    talk,
    world::SystemWorld,
};
use weir_model::ids::ComputerId;

use super::{
    options::{AgentOptions, link},
    scan::{Watcher, ended},
};
use crate::{
    Outcome,
    print::{self, Printer},
};

pub(super) const EXAMPLES: &str = "Examples:\n  weir agent run --server http://localhost:8530 --facts pc.json\n  \
                                   weir agent run --server http://a:8530 --server http://b:8530 --facts pc.json --now";

/// Sleep at most so long before looking at the clock again, which may have been set.
const NAP: Duration = Duration::from_secs(60);

#[derive(Args, Debug)]
pub(crate) struct RunArguments {
    /// The server (repeatable). The agent stays with the one that works and goes to the next one when it does not: after four
    /// tries 30 minutes apart, and after two hours if it worked before.
    #[arg(long, value_name = "URL", required = true)]
    server: Vec<String>,

    #[command(flatten)]
    options: AgentOptions,

    /// Hours from one scan to the next; the time between is 80 to 100 % of it.
    #[arg(long, value_name = "HOURS", default_value_t = 22, value_parser = clap::value_parser!(u16).range(1..=720))]
    every: u16,

    /// One round at once, forced, then end.
    #[arg(long)]
    now: bool,
}

/// The agent between its rounds.
struct Runner<'a> {
    arguments: &'a RunArguments,
    library: Library,
    http: Arc<HttpSettings>,
    file: StateFile,
    saved: Saved,
    id: ComputerId,
    servers: Vec<String>,
    every: SignedDuration,
    /// When a deployment is due that is not yet carried out.
    due: Option<Timestamp>,
    /// When events that were not acknowledged are sent again.
    resend: Option<Timestamp>,
}

pub(super) async fn run(arguments: &RunArguments, printer: &Printer) -> Result<Outcome> {
    let library = Library::new();
    let http = arguments.options.http()?;
    let servers = arguments
        .server
        .iter()
        .map(|server| link(server, &http).map(|link| link.server()))
        .collect::<Result<Vec<_>>>()?;
    ensure!(!servers.is_empty(), "name a server with --server");
    let (file, saved, id) = arguments.options.open_state(&library)?;
    // the facts must be readable before the agent waits for hours
    arguments.options.computer(&id)?;
    let every = SignedDuration::from_hours(i64::from(arguments.every));
    let mut runner = Runner { arguments, library, http, file, saved, id, servers, every, due: None, resend: None };
    if arguments.now {
        let round = runner.round(Trigger::Action).await?;
        printer.done(&line(&round, true))?;
        return Ok(match (&round.problem, &round.report_problem) {
            (Some(problem), _) => {
                anstream::eprintln!("error: {problem}");
                Outcome::Failed
            }
            (None, Some(_)) => Outcome::Partly,
            (None, None) => Outcome::Done,
        });
    }
    runner.saved.memory.begin(Timestamp::now(), every, chance());
    runner.due = next_due(&runner.saved.state, Timestamp::now(), &Rules::default());
    runner.save()?;
    printer.done(&runner.waiting())?;
    let stop = stopped();
    tokio::pin!(stop);
    loop {
        let now = Timestamp::now();
        let Some((at, wake)) = runner.next() else { anyhow::bail!("there is nothing to wait for") };
        if at > now {
            let left = Duration::try_from(at.duration_since(now)).unwrap_or(NAP);
            tokio::select! {
                () = &mut stop => break,
                () = tokio::time::sleep(left.min(NAP)) => continue,
            }
        }
        tokio::select! {
            // what came until now is in the state; a round that is cut short counts as nothing
            () = &mut stop => break,
            done = runner.wake(wake) => {
                if let Some(text) = done? {
                    printer.done(&text)?;
                    printer.done(&runner.waiting())?;
                }
            }
        }
    }
    runner.save()?;
    printer.done("stopped")?;
    Ok(Outcome::Done)
}

/// Why the agent wakes.
#[derive(Clone, Copy, Debug)]
enum Wake {
    Scan,
    Due,
    Restart,
    Resend,
}

impl Runner<'_> {
    /// What comes next, and when.
    fn next(&self) -> Option<(Timestamp, Wake)> {
        let times = [
            (self.saved.memory.next, Wake::Scan),
            (self.due, Wake::Due),
            (self.saved.state.restart_at, Wake::Restart),
            (self.resend, Wake::Resend),
        ];
        times.into_iter().filter_map(|(at, wake)| Some((at?, wake))).min_by_key(|(at, _)| *at)
    }

    /// What comes next, for people.
    fn waiting(&self) -> String {
        let server = self.saved.memory.server(&self.servers).unwrap_or_default();
        let at = print::time_or(self.saved.memory.next, "an unknown time");
        format!("the next scan is at {at}, with {server}")
    }

    async fn wake(&mut self, wake: Wake) -> Result<Option<String>> {
        let trigger = match wake {
            Wake::Scan => Trigger::Schedule,
            Wake::Due => Trigger::BeforeInstall,
            Wake::Restart => Trigger::AfterRestart,
            Wake::Resend => {
                self.report().await?;
                return Ok(None);
            }
        };
        let online = trigger.asks_server(self.saved.state.scanned, Timestamp::now());
        let round = self.round(trigger).await?;
        Ok(Some(line(&round, online)))
    }

    /// One round, with the facts as they are now; afterwards everything is saved.
    async fn round(&mut self, trigger: Trigger) -> Result<Round> {
        let now = Timestamp::now();
        let online = trigger.asks_server(self.saved.state.scanned, now);
        let options = &self.arguments.options;
        let mut computer = options.computer(&self.id)?;
        let mut link = self.link()?;
        let round_options = RoundOptions {
            scan: Arc::new(Options {
                categories: options.category.clone(),
                extended: Extended::Shown,
                caller: "weir agent run",
                ..Options::default()
            }),
            online,
            download: options.downloads(&self.http),
            install: true,
            rules: Rules::default(),
            report: !options.no_report,
        };
        let memory = self.saved.memory.clone();
        let mut watch = Watcher::new(Some((&self.file, &self.id, &memory)));
        let mut agent = Agent {
            computer: &mut computer,
            state: &mut self.saved.state,
            library: &self.library,
            link: &mut link,
            world: &SystemWorld,
        };
        let round =
            agent.run_once(&round_options, &mut |request, outcome, state| watch.see(request, outcome, state)).await;
        watch.end();
        self.after(&round, online);
        self.save()?;
        Ok(round)
    }

    /// What a round says about the next ones.
    fn after(&mut self, round: &Round, online: bool) {
        let now = Timestamp::now();
        self.due = next_due(&self.saved.state, now, &Rules::default());
        if self.saved.state.restart_at.is_some_and(|at| at <= now) {
            // this computer cannot be restarted by the agent
            self.saved.state.restart_at = None;
        }
        let waits = !self.saved.state.events.is_empty() && !self.arguments.options.no_report;
        self.resend = waits.then(|| now.checked_add(RESEND_EVERY).ok()).flatten();
        let memory = &mut self.saved.memory;
        if online {
            let ended = match ended(round) {
                // off the network nothing is tried and nothing counts
                Ended::Failed(Code::DISCONNECTED) => Ended::Interrupted,
                other => other,
            };
            memory.ended(ended, &self.servers, now, self.every, chance());
        } else if memory.next.is_some_and(|next| next <= now) {
            // the scheduled scan found its metadata fresh; the next one is when it no longer is
            let fresh_until = self.saved.state.scanned.and_then(|at| at.checked_add(METADATA_TIME_TO_LIVE).ok());
            let regular = now.checked_add(self.every).ok();
            memory.next = [fresh_until, regular].into_iter().flatten().filter(|at| *at > now).min().or(regular);
        }
    }

    async fn report(&mut self) -> Result<()> {
        let mut computer = self.arguments.options.computer(&self.id)?;
        let mut link = self.link()?;
        let sent = talk::report(&mut self.saved.state, &mut computer, &self.library, &mut link, &SystemWorld).await;
        self.resend = if sent.is_ok() { None } else { Timestamp::now().checked_add(RESEND_EVERY).ok() };
        self.save()
    }

    fn link(&self) -> Result<Link> {
        let server = self.saved.memory.server(&self.servers).unwrap_or_default();
        link(server, &self.http)
    }

    fn save(&self) -> Result<()> {
        Ok(self.file.save(Some(&self.id), &self.saved.state, &self.saved.memory)?)
    }
}

/// A round in one line.
fn line(round: &Round, online: bool) -> String {
    let now = print::time(Timestamp::now());
    let kind = if online { "online scan" } else { "offline scan" };
    match &round.problem {
        Some(problem) => format!("{now} {kind} failed: {problem}"),
        None => format!(
            "{now} {kind}: {} new, {} changed, {} taken back, {} to do, {} events reported",
            round.scan.new,
            round.scan.changed,
            round.scan.out_of_scope,
            round.work.len(),
            round.reported
        ),
    }
}

/// A number from 0 up to 1.
fn chance() -> f64 {
    let (bits, _) = uuid::Uuid::new_v4().as_u64_pair();
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// Comes when somebody asks the agent to end.
async fn stopped() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}
