//! `weir lab`: an upstream server, a tree of sites and a modelled fleet on this machine, and the story that they live.
//!
//! [`run()`] is the whole of it. Servers are processes of the same program on free ports ([`server`]); what an administrator
//! would do is done through REST ([`tree`]); computers scan, install and report over the client protocol ([`crew`]). The
//! steps of the story and what must hold at its end are in [`story`].

mod crew;
mod rest;
mod server;
mod story;
mod tree;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Result;
use serde::Serialize;

pub use story::{Tell, run};

/// The most computers of a lab: beyond it the machine is measured and not the product.
pub const MOST_COMPUTERS: u64 = 5_000;
/// The most sites of a lab.
pub const MOST_SITES: usize = 9;

/// What a lab is to be like.
#[derive(Clone, Debug)]
pub struct Options {
    /// The program that servers are started from.
    pub binary: PathBuf,
    /// The folder for everything, empty or not there yet; none for a temporary one.
    pub folder: Option<PathBuf>,
    /// Keep a temporary folder, too.
    pub keep: bool,
    /// End after this time, or as soon after it as the story has held; none goes on until it is stopped.
    pub duration: Option<Duration>,
    /// Computers, 1 to [`MOST_COMPUTERS`].
    pub computers: u64,
    /// Sites, 1 to [`MOST_SITES`].
    pub sites: usize,
    /// Updates of the catalogue, about.
    pub updates: usize,
    /// The same seed gives the same catalogue and the same computers.
    pub seed: u64,
}

/// A step of the story.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The servers start, and the sites enrol.
    Start,
    /// The upstream server gets its catalogue.
    Import,
    /// Every site has the catalogue.
    Synchronize,
    /// Every computer has scanned and reported.
    Scan,
    /// What is needed is deployed.
    Deploy,
    /// Computers install.
    Install,
    /// The central site knows.
    RollUp,
}

impl Step {
    /// What it is, for a sentence such as "the story failed at ...".
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "starting the servers",
            Self::Import => "bringing the catalogue to the upstream server",
            Self::Synchronize => "synchronizing the sites",
            Self::Scan => "the first scan of every computer",
            Self::Deploy => "deploying what is needed",
            Self::Install => "installing",
            Self::RollUp => "rolling up to the top",
        }
    }
}

/// What a lab tells while it runs.
#[derive(Clone, Debug)]
pub enum Event {
    /// The top of the tree answers.
    Ready(Ready),
    /// Something is done; stays on the screen.
    Line(String),
    /// How it stands; the next one takes its place.
    Status(String),
}

/// How to look around in a lab.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ready {
    /// Address of the administrators' plane at the top.
    pub admin: String,
    /// File with the token.
    pub token: PathBuf,
    /// Data folder of the top, for `--data`.
    pub data: PathBuf,
}

/// Why a story did not hold.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Failure {
    /// In which step.
    pub step: Step,
    /// What was wrong.
    pub reason: String,
    /// Logs that may say more.
    pub logs: Vec<PathBuf>,
}

/// How long a step took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Timing {
    /// The step.
    pub step: Step,
    /// When it was over, in seconds from the start.
    pub over: f64,
}

/// How it went.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Outcome {
    /// Sites with the whole catalogue.
    pub sites: usize,
    /// Computers that scanned and reported at least once.
    pub scanned: u64,
    /// Updates that computers needed when the first scan was over, one for each computer and update, as the top counted.
    pub required: u64,
    /// Installations that ended well, restart included.
    pub installed: u64,
    /// Installations that failed: what the model has fail now and then.
    pub failed: u64,
    /// Whether all of the story held.
    pub held: bool,
    /// Computers.
    pub computers: u64,
    /// Updates of the catalogue that administrators see.
    pub updates: usize,
    /// Deployments that were made.
    pub deployments: usize,
    /// Update groups that were made.
    pub groups: usize,
    /// Maintenance windows that were made.
    pub windows: usize,
    /// Restarts of computers.
    pub restarts: u64,
    /// Compliant computers in percent after the first scan, as the top says.
    pub percent_before: f64,
    /// The same at the end.
    pub percent_after: f64,
    /// Seconds from the start to the end.
    pub seconds: f64,
    /// The folder; none if it is gone.
    pub folder: Option<PathBuf>,
    /// When each step was over.
    pub steps: Vec<Timing>,
    /// Why the story did not hold.
    pub failure: Option<Failure>,
}

/// How often to look at what changes by itself.
const GLANCE: Duration = Duration::from_millis(150);
/// How long a refusal may be only for now, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);

/// Waits a moment.
async fn pause() {
    tokio::time::sleep(GLANCE).await;
}

/// Does something again until it works, at most for some minutes.
async fn patiently<T, F: Future<Output = Result<T>>>(mut work: impl FnMut() -> F) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match work().await {
            Ok(value) => return Ok(value),
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => pause().await,
        }
    }
}
