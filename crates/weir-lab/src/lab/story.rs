//! The steps of the story, and what must hold at its end.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use reqwest::Method;
use tokio::task::JoinHandle;
use weir_agent::world::World as _;
use weir_api::{
    compliance::{Summary, UpdateCompliance},
    deployment::{Action, DeploymentCreate, DeploymentCreated},
    site::Site,
    status::TOKEN_FILE,
};

use super::{
    Event, Failure, Options, Outcome, PATIENCE, Ready, Step, Timing,
    crew::{Clock, Crew, Tally},
    pause,
    rest::Rest,
    server::{Server, Yard},
    tree::{self, Place},
};
use crate::world::{Kind, Shape, Update, World};

/// The collection that deployments go to, and those below it that computers ask for.
const MANAGED: &str = "Managed computers";
/// How often the sites report to the top, and how soon again if that failed.
const ROLL_UP: Duration = Duration::from_secs(4);
const AGAIN: Duration = Duration::from_secs(1);
/// More failures than this share of installations are not the model's.
const FAILURES: f64 = 0.25;
/// How much longer than asked for a story may take until it has held: a busy machine is no fault of the product.
const GRACE: Duration = Duration::from_mins(10);

/// From the morning of the computers to the deadline.
const DEADLINE: SignedDuration = SignedDuration::from_hours(2);
/// From the morning to the maintenance window of every day, in which the deadlines that computers are told lie.
const WINDOW: SignedDuration = SignedDuration::from_hours(3);
/// How long the window is, in minutes.
const WINDOW_MINUTES: u32 = 240;
/// Seconds of the day that is to pass in the time that the lab has left: from the first in the morning to the last restart in
/// the evening.
const DAY: f64 = 13.0 * 3_600.0;
/// How many times as fast as time the clock of computers runs if the lab has no end.
const SPEED: f64 = 900.0;

/// Tells what happens.
pub type Tell = Arc<dyn Fn(Event) + Send + Sync>;

/// Runs a lab until its time is over or `stop` is ready, then stops every server of it.
///
/// # Errors
///
/// The folder cannot be used. What goes wrong later is in the outcome.
pub async fn run(options: Options, tell: Tell, stop: impl Future<Output = ()> + Send) -> Result<Outcome> {
    let (folder, temporary) = tree::folder(options.folder.as_deref())?;
    let place = Place { binary: options.binary.clone(), folder: folder.clone(), yard: Yard::default() };
    let mut lab = Lab::new(options, tell, place);
    let stopped = tokio::select! {
        result = lab.live() => result,
        () = stop => {
            lab.line("stopping");
            Ok(())
        }
    };
    if let Err(error) = stopped {
        lab.fail(format!("{error:#}"));
    }
    let mut outcome = lab.end().await;
    outcome.folder = match temporary {
        // the logs of what failed are worth a look
        Some(temporary) if lab.options.keep || outcome.failure.is_some() => Some(temporary.keep()),
        Some(_) => None,
        None => Some(folder),
    };
    Ok(outcome)
}

struct Lab {
    options: Options,
    tell: Tell,
    place: Place,
    started: Instant,
    step: Step,
    outcome: Outcome,
    upstream: Option<Server>,
    sites: Vec<Server>,
    clock: Arc<Clock>,
    crew: Option<Crew>,
    filling: Option<JoinHandle<Result<usize>>>,
    /// When the maintenance window of the day begins.
    window: Option<Timestamp>,
}

impl Lab {
    fn new(options: Options, tell: Tell, place: Place) -> Self {
        let outcome = Outcome { computers: options.computers, ..Outcome::default() };
        Self {
            options,
            tell,
            place,
            started: Instant::now(),
            step: Step::Start,
            outcome,
            upstream: None,
            sites: Vec::new(),
            clock: Arc::new(Clock::after(Timestamp::now())),
            crew: None,
            filling: None,
            window: None,
        }
    }

    fn line(&self, text: impl Into<String>) {
        (self.tell)(Event::Line(format!("{:5.1} s  {}", self.started.elapsed().as_secs_f64(), text.into())));
    }

    fn status(&self, text: impl Into<String>) {
        (self.tell)(Event::Status(text.into()));
    }

    fn over(&mut self, next: Step) {
        self.outcome.steps.push(Timing { step: self.step, over: self.started.elapsed().as_secs_f64() });
        self.step = next;
    }

    fn top(&self) -> Result<&Server> {
        self.sites.first().context("no site runs")
    }

    /// The story.
    async fn live(&mut self) -> Result<()> {
        let world = self.start().await?;
        self.synchronize().await?;
        self.first_scan().await?;
        self.deploy(&world).await?;
        self.install().await
    }

    /// Starts the servers while the world is made and imported.
    async fn start(&mut self) -> Result<Arc<World>> {
        let plan = tree::plan(self.options.sites);
        let until = Timestamp::now().to_zoned(TimeZone::UTC).date();
        let shape = Shape { updates: self.options.updates, seed: self.options.seed, until };
        let making = tokio::task::spawn_blocking(move || World::generate(shape));
        let (upstream, top) = tokio::join!(tree::upstream(&self.place), tree::top(&self.place, &plan));
        self.upstream = upstream.map(Some)?;
        let top = top?;
        let admin = top.endpoints.admin.clone().unwrap_or_default();
        (self.tell)(Event::Ready(Ready { admin, token: top.data.join(TOKEN_FILE), data: top.data.clone() }));
        self.sites.push(top);
        let world = Arc::new(making.await?);
        self.outcome.updates = world.updates.len();
        self.line(format!("an upstream server runs, and {} at the top", plan.first().map_or("", |site| &site.name)));

        let rest = self.upstream.as_ref().context("no upstream server")?.rest.clone();
        let importing = {
            let world = Arc::clone(&world);
            tokio::spawn(async move { tree::import(&rest, &world).await })
        };
        for site in plan.iter().skip(1) {
            let above = site.under.and_then(|above| self.sites.get(above)).context("its parent does not run")?;
            let server = tree::enrol(&self.place, site, above).await?;
            self.line(format!("{} ({}) enrolled below {}", site.name, site.kind, above.name));
            self.sites.push(server);
        }
        self.over(Step::Import);
        let added = importing.await??;
        self.line(format!("{} updates ({added} documents) are on the upstream server", world.updates.len()));
        // the files follow while the sites synchronize
        let (rest, files) = (self.upstream.as_ref().context("no upstream server")?.rest.clone(), Arc::clone(&world));
        self.filling = Some(tokio::spawn(async move { tree::fill(&rest, &files).await }));
        self.over(Step::Synchronize);
        Ok(world)
    }

    /// Chooses at the top what to synchronize, synchronizes there, and waits for the tree.
    async fn synchronize(&mut self) -> Result<()> {
        let upstream = self.upstream.as_ref().context("no upstream server")?.client_url()?.to_owned();
        let rest = self.top()?.rest.clone();
        tree::set(&rest, "source", &upstream).await?;
        let run = tree::synchronize(&rest, |_| ()).await?;
        self.line(format!("products and classifications came from upstream ({} categories and detectoids)", run.added));
        tree::choose(&rest).await?;
        tree::collections(&rest, MANAGED, &super::crew::GROUPS).await?;
        let run = tree::synchronize(&rest, |run| {
            if let Some(progress) = &run.progress {
                let percent = progress.percent.map(|percent| format!(" {percent} %")).unwrap_or_default();
                self.status(format!("synchronizing: {:?}{percent}", progress.phase).to_lowercase());
            }
        })
        .await?;
        let name = &self.top()?.name;
        self.line(format!(
            "{name} synchronized: {} added, {} skipped, {} declined by rules",
            run.added, run.skipped, run.declined
        ));
        let (mut told, mut failing): (Vec<String>, Option<Instant>) = (Vec::new(), None);
        loop {
            let sites = tree::sites(&rest).await?;
            let top = sites.first().context("the top does not know itself")?;
            let done: Vec<&Site> = sites.iter().filter(|site| tree::is_synchronized(site, top)).collect();
            self.outcome.sites = done.len();
            for site in sites.iter().filter(|site| done.contains(site) && !site.here && !told.contains(&site.name)) {
                let revisions = site.point.as_ref().map_or(0, |point| point.revisions);
                self.line(format!("{} has the catalogue ({revisions} revisions)", site.name));
            }
            told = done.iter().map(|site| site.name.clone()).collect();
            if done.len() == sites.len() {
                break;
            }
            if let Some(site) = sites.iter().find(|site| !done.contains(site)) {
                let point = site.point.as_ref();
                match point.and_then(|point| point.sync.error.as_ref()) {
                    // for a moment a busy machine may keep it from its parent
                    Some(error) => {
                        let since = failing.get_or_insert_with(Instant::now);
                        ensure!(since.elapsed() < PATIENCE, "{}: {error}", site.name);
                    }
                    None => failing = None,
                }
                let phase = point.and_then(|point| point.sync.phase.clone()).unwrap_or_else(|| "waiting".to_owned());
                self.status(format!("{}: {phase}", site.name));
            }
            self.in_time()?;
            pause().await;
        }
        self.over(Step::Scan);
        Ok(())
    }

    /// Lets every computer scan once, and waits until the top has heard of all.
    async fn first_scan(&mut self) -> Result<()> {
        let places = self
            .sites
            .iter()
            .map(|site| Ok((site.name.clone(), site.client_url()?.to_owned())))
            .collect::<Result<Vec<_>>>()?;
        self.crew = Some(Crew::start(self.options.seed, self.options.computers, &places, Arc::clone(&self.clock))?);
        let mut told = 0;
        loop {
            let tally = self.tally();
            self.outcome.scanned = tally.scanned;
            self.status(format!("{} of {} computers scanned", tally.scanned, self.options.computers));
            if tally.scanned * 4 >= self.options.computers * (told + 1) {
                told = tally.scanned * 4 / self.options.computers.max(1);
                self.line(format!("{} of {} computers scanned", tally.scanned, self.options.computers));
            }
            if tally.scanned >= self.options.computers {
                break;
            }
            ensure!(tally.broken.is_none(), "{}", tally.broken.unwrap_or_default());
            self.in_time()?;
            pause().await;
        }
        self.over(Step::RollUp);
        let computers = self.options.computers;
        let before = self.roll_up(|summary| summary.computers >= computers && summary.counts.unknown == 0).await?;
        self.outcome.percent_before = percent(&before);
        self.line(format!("compliance: {} % of {} computers", percent(&before), before.computers));
        self.over(Step::Deploy);
        Ok(())
    }

    /// Lets the sites report to the top until its summary is as wanted.
    async fn roll_up(&self, is_it: impl Fn(&Summary) -> bool) -> Result<Summary> {
        loop {
            self.report().await?;
            let summary = tree::summary(&self.top()?.rest).await?;
            if is_it(&summary) {
                return Ok(summary);
            }
            self.in_time()?;
            pause().await;
        }
    }

    /// Synchronizes the sites once more, the lowest first: each reports to the one above at the end of its run. A tree without
    /// news at the top has no other reason to. What a busy machine refuses is tried again, as long as there is time.
    async fn report(&self) -> Result<()> {
        let begun = Instant::now();
        for site in self.sites.iter().rev() {
            while let Err(error) = tree::synchronize(&site.rest, |_| ()).await {
                let error = error.context(format!("at {}", site.name));
                if begun.elapsed() > GRACE || self.in_time().is_err() {
                    return Err(error);
                }
                self.line(format!("a site could not report, and does again: {error:#}"));
                tokio::time::sleep(AGAIN).await;
            }
        }
        Ok(())
    }

    /// Deploys what is needed of the newest month.
    async fn deploy(&mut self, world: &World) -> Result<()> {
        if let Some(filling) = self.filling.take() {
            let files = filling.await??;
            self.line(format!("{files} files are on the upstream server"));
        }
        let rest = self.top()?.rest.clone();
        let list: Vec<UpdateCompliance> = rest.list(&["compliance", "updates"]).await?;
        let required = |update: &UpdateCompliance| update.counts.required + update.counts.downloaded;
        self.outcome.required = list.iter().map(required).sum();
        ensure!(self.outcome.required > 0, "no computer needs anything, says the top");
        let needed: Vec<&Update> = world
            .current()
            .filter(|update| list.iter().any(|row| row.id == update.id.0 && required(row) > 0))
            .collect();
        // no group can have a feature update: it is deployed by itself
        let (alone, needed): (Vec<&Update>, Vec<&Update>) =
            needed.into_iter().partition(|update| update.kind == Kind::Feature);
        ensure!(!needed.is_empty(), "nothing of the newest month is needed, which cannot be");
        let window = self.clock.morning().saturating_add(WINDOW)?;
        let made = tree::window(&rest, MANAGED, window, WINDOW_MINUTES).await?;
        self.outcome.windows += 1;
        self.line(format!("\"{MANAGED}\" has a maintenance window: {}, {} hours", made.schedule, WINDOW_MINUTES / 60));
        let group = tree::group(&rest, world.month, &needed).await?;
        self.outcome.groups += 1;
        self.window = Some(window);
        let deadline = self.clock.morning().saturating_add(DEADLINE)?;
        let install = DeploymentCreate {
            collection: Some(MANAGED.to_owned()),
            action: Some(Action::Install),
            deadline: Some(deadline.to_string()),
            ..DeploymentCreate::default()
        };
        let mut wanted = vec![DeploymentCreate {
            group: Some(group.name.clone()),
            accept_eula: needed.iter().any(|update| update.has_licence),
            ..install.clone()
        }];
        wanted.extend(alone.iter().map(|update| DeploymentCreate {
            update: Some(update.id.to_string()),
            accept_eula: update.has_licence,
            ..install.clone()
        }));
        for new in &wanted {
            let _: DeploymentCreated = rest.change(Method::POST, &["deployments"], new).await?;
            self.outcome.deployments += 1;
        }
        self.line(format!(
            "the group \"{}\" ({} updates) is deployed to \"{MANAGED}\", until {}: computers are told {} ({} needs in all)",
            group.name,
            group.members,
            hour(deadline),
            hour(window),
            self.outcome.required
        ));
        for update in alone {
            self.line(format!("\"{}\" is deployed by itself, as feature updates are", update.title));
        }
        self.over(Step::Install);
        let left = self.options.duration.map(|duration| duration.saturating_sub(self.started.elapsed() + ROLL_UP));
        self.clock.run(speed(left));
        if let Some(crew) = &self.crew {
            crew.begin_day();
        }
        self.line(format!("it is {} on the computers, and the day begins", hour(self.clock.morning())));
        Ok(())
    }

    /// Lets computers install, and the sites report, until the time is over.
    async fn install(&mut self) -> Result<()> {
        let rest = self.top()?.rest.clone();
        let mut last = Instant::now();
        let (mut told, mut summary) = (None, tree::summary(&rest).await?);
        loop {
            if last.elapsed() >= ROLL_UP {
                self.report().await?;
                last = Instant::now();
                summary = tree::summary(&rest).await?;
                self.tell_progress(&rest, &summary, &mut told).await?;
            }
            let tally = self.tally();
            ensure!(tally.broken.is_none(), "{}", tally.broken.unwrap_or_default());
            self.outcome.percent_after = percent(&summary);
            self.status(format!(
                "{}: {} scans, {} installed, {} failed, {} restarts, {} % compliant",
                hour(self.clock.now()),
                tally.scans,
                tally.installed,
                tally.failed,
                tally.restarts,
                percent(&summary)
            ));
            let time = self.options.duration.is_some_and(|duration| self.started.elapsed() + ROLL_UP / 2 >= duration);
            if time && tally.installed > 0 && percent(&summary) > self.outcome.percent_before {
                break;
            }
            if time {
                self.in_time()?;
            }
            pause().await;
        }
        self.over(Step::RollUp);
        self.report().await?;
        summary = tree::summary(&rest).await?;
        self.tell_progress(&rest, &summary, &mut told).await?;
        self.outcome.percent_after = percent(&summary);
        let tally = self.tally();
        ensure!(tally.broken.is_none(), "{}", tally.broken.unwrap_or_default());
        ensure!(
            tally.failed as f64 <= FAILURES * (tally.installed + tally.failed) as f64,
            "{} of {} installations failed, which is more than the model has fail",
            tally.failed,
            tally.installed + tally.failed
        );
        if let Some(window) = self.window {
            let last = window.saturating_add(SignedDuration::from_mins(i64::from(WINDOW_MINUTES)))?;
            let outside = tally.deadlines.iter().find(|deadline| !(window..last).contains(*deadline));
            ensure!(outside.is_none(), "computers were told deadlines outside of the window: {:?}", tally.deadlines);
            ensure!(!tally.deadlines.is_empty(), "no computer was told a deadline");
        }
        self.outcome.held = true;
        Ok(())
    }

    /// Tells how far the day is, if anything is new.
    async fn tell_progress(&self, rest: &Rest, summary: &Summary, told: &mut Option<String>) -> Result<()> {
        let (tally, installed) = (self.tally(), tree::installed(rest).await?);
        let line = format!(
            "compliance: {} % of {} computers; {} MB downloaded, {} installations, {} failed, {} restarts; the top counts \
             {installed} installed",
            percent(summary),
            summary.computers,
            tally.downloaded / 1_000_000,
            tally.installed,
            tally.failed,
            tally.restarts
        );
        if told.as_ref() != Some(&line) {
            self.line(format!("{} on the computers. {line}", hour(self.clock.now())));
            *told = Some(line);
        }
        Ok(())
    }

    fn tally(&self) -> Tally {
        self.crew.as_ref().map(Crew::tally).unwrap_or_default()
    }

    /// Whether there is time left for the story to hold.
    fn in_time(&self) -> Result<()> {
        let Some(duration) = self.options.duration else { return Ok(()) };
        let most = duration + GRACE;
        ensure!(self.started.elapsed() < most, "it did not happen within {} s", most.as_secs());
        Ok(())
    }

    fn fail(&mut self, reason: String) {
        let logs: Vec<PathBuf> = self.upstream.iter().chain(&self.sites).map(Server::log).collect();
        self.outcome.failure = Some(Failure { step: self.step, reason, logs });
    }

    /// Stops the computers, then the servers, those below first.
    async fn end(&mut self) -> Outcome {
        let tally = self.tally();
        drop(self.crew.take());
        let mut outcome = std::mem::take(&mut self.outcome);
        (outcome.scanned, outcome.installed) = (tally.scanned, tally.installed);
        (outcome.failed, outcome.restarts) = (tally.failed, tally.restarts);
        let badly = self.place.yard.stop().await;
        if !badly.is_empty() && outcome.failure.is_none() {
            let logs = badly.iter().map(|name| self.place.folder.join(name).with_extension("log")).collect();
            let reason = format!("these servers did not end well: {}", badly.join(", "));
            outcome.failure = Some(Failure { step: self.step, reason, logs });
            outcome.held = false;
        }
        outcome.seconds = self.started.elapsed().as_secs_f64();
        outcome
    }
}

/// How fast the clock of computers runs with so much time left.
fn speed(left: Option<Duration>) -> f64 {
    // with less than this left, computers could not keep up with their own day
    const LEAST: f64 = 12.0;
    left.map_or(SPEED, |left| DAY / left.as_secs_f64().max(LEAST))
}

/// Day and hour, for people.
fn hour(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%a %H:%M UTC").to_string()
}

/// The share of compliant computers; 0 while there are none.
fn percent(summary: &Summary) -> f64 {
    summary.percent.unwrap_or_default()
}
