//! `weir lab`.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::signal::unix::{SignalKind, signal};
use weir_api::status::quoted;
use weir_lab::{
    lab::{self, Event, MOST_COMPUTERS, MOST_SITES, Options, Outcome as LabOutcome, Ready},
    world::{FEWEST, MOST},
};

use crate::{Outcome, print, print::Printer};

#[derive(Args, Debug)]
#[command(
    after_help = "Nothing is needed and nothing leaves this machine: servers on free ports of the loopback address, a made-up \
                        catalogue of two years, modelled Windows computers. It goes on until Ctrl+C, or with --for ends by itself.\n\n\
                        Examples:\n  weir lab\n  weir lab --for 60s --json\n  weir lab --computers 1000 --sites 5 --dir ./lab\n\n\
                        Exit code 1 says that the story did not hold, and prints at which step and where the logs are."
)]
pub(crate) struct LabArguments {
    /// End after this time, such as 60s or 5m, or as soon after as the story has held.
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    duration: Option<Duration>,
    /// Modelled computers.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=MOST_COMPUTERS))]
    computers: u64,
    /// Sites: 1 is a stand-alone server; from 2 on a central site with primary and secondary sites in turn.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = sites)]
    sites: usize,
    /// Updates of the catalogue, about.
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = updates)]
    updates: usize,
    /// Another seed gives other computers and another catalogue.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Folder for everything, new or empty; it stays [default: a temporary one, which goes].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Keep the temporary folder.
    #[arg(long)]
    keep: bool,
}

/// Reads a time such as `60s`, `90`, `5m`, `1h30m`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time such as 60s, 5m or 1h30m");
    let time = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            text.parse::<jiff::SignedDuration>().ok().and_then(|it| Duration::try_from(it).ok()).ok_or_else(wrong)?
        }
    };
    let bounds = Duration::from_secs(1)..=Duration::from_secs(7 * 24 * 3_600);
    if bounds.contains(&time) { Ok(time) } else { Err(format!("{text} is not between 1s and 7 days")) }
}

fn sites(text: &str) -> Result<usize, String> {
    within(text, 1, MOST_SITES)
}

fn updates(text: &str) -> Result<usize, String> {
    within(text, FEWEST, MOST)
}

fn within(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("{text} is not a number from {least} to {most}"))
}

pub(crate) async fn run(arguments: LabArguments, printer: &Printer, json: bool) -> Result<Outcome> {
    let options = Options {
        binary: std::env::current_exe().context("cannot find this program")?,
        folder: arguments.dir,
        keep: arguments.keep,
        duration: arguments.duration,
        computers: arguments.computers,
        sites: arguments.sites,
        updates: arguments.updates,
        seed: arguments.seed,
    };
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stopped = Arc::new(AtomicBool::new(false));
    let was_stopped = Arc::clone(&stopped);
    let stop = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        was_stopped.store(true, Ordering::Relaxed);
    };
    let screen = Screen::new(json);
    let shown = screen.clone();
    let outcome = lab::run(options, Arc::new(move |event| shown.show(event)), stop).await?;
    screen.clear();
    printer.show(&outcome, |page| conclusion(page, &outcome))?;
    // whoever stops it before its end has seen enough
    let well = outcome.held || (stopped.load(Ordering::Relaxed) && outcome.failure.is_none());
    Ok(if well { Outcome::Done } else { Outcome::Failed })
}

fn conclusion(page: &mut print::Page, outcome: &LabOutcome) {
    page.line("");
    page.line(format!(
        "{} sites, {} of {} computers scanned, {} needs, {} installed, {} failed, {} restarts",
        outcome.sites,
        outcome.scanned,
        outcome.computers,
        outcome.required,
        outcome.installed,
        outcome.failed,
        outcome.restarts
    ));
    page.line(format!(
        "compliance: {} % after the first scan, {} % at the end",
        outcome.percent_before, outcome.percent_after
    ));
    if let Some(failure) = &outcome.failure {
        page.line(format!("The story failed at {}: {}", failure.step.name(), failure.reason));
        for log in &failure.logs {
            page.line(format!("  log: {}", log.display()));
        }
    }
    if let Some(folder) = &outcome.folder {
        page.line(format!("Everything is in {}", folder.display()));
    }
}

/// Where the story is told: on standard output, or with `--json` on standard error.
#[derive(Clone)]
struct Screen {
    json: bool,
    bar: Option<ProgressBar>,
    ready: Arc<Mutex<()>>,
}

impl Screen {
    fn new(json: bool) -> Self {
        let bar = print::wants_bar().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { json, bar, ready: Arc::default() }
    }

    fn show(&self, event: Event) {
        match event {
            Event::Line(line) => self.line(&line),
            Event::Ready(ready) => {
                for line in introduction(&ready) {
                    self.line(&line);
                }
            }
            Event::Status(status) => {
                if let Some(bar) = &self.bar {
                    bar.set_message(status);
                }
            }
        }
    }

    fn line(&self, line: &str) {
        let _one_at_a_time = self.ready.lock();
        let print = || if self.json { anstream::eprintln!("{line}") } else { anstream::println!("{line}") };
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn introduction(ready: &Ready) -> Vec<String> {
    let data = quoted(&ready.data.to_string_lossy());
    let mut lines = vec![
        String::new(),
        format!("  Administrators  {}", ready.admin),
        format!("  Token           {}", ready.token.display()),
        "  Look around, in another terminal:".to_owned(),
    ];
    for command in ["sites list", "compliance summary", "compliance updates", "computers list", "deployments list"] {
        lines.push(format!("    weir {command} --data {data}"));
    }
    lines.push(String::new());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(duration("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5_400)));
        for wrong in ["", "soon", "0s", "-5s", "400d", "8 days"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!(sites("9"), Ok(9));
        assert!(sites("10").is_err() && updates("10").is_err() && updates("many").is_err());
    }
}
