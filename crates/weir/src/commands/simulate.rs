//! `weir simulate`: modelled computers as load, with figures.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use weir_agent::{
    address::Address,
    fleet::Profile,
    http::HttpSettings,
    simulate::{self, Acknowledged, Ended, Phase, Progress, Report, Scenario, Settings, Speed, Spread},
};

use crate::{
    Outcome,
    print::{self, Page, Printer},
};

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  weir simulate --server http://127.0.0.1:8530 --computers 500\n  \
                        weir simulate --server http://127.0.0.1:8530 --profile steady --speed 120 --computers 20000\n\n\
                        The computers appear at the server like any others, and stay there: simulate against a server \
                        for tests.\nCtrl+C ends it with the figures so far. Exit code 0: no computer gave up, and a \
                        second rescan brought nothing.")]
pub(crate) struct SimulateArguments {
    /// Address of the server, for example `http://updates.example.com:8530`.
    #[arg(long, value_name = "URL")]
    server: String,
    /// How many computers.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    computers: u32,
    /// Seed of the fleet: the same seed gives the same computers.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// What they do.
    #[arg(long, default_value = "first-scan")]
    profile: ProfileArgument,
    /// "full", or how many times as fast as real time. Default: 1 for first-scan and flaky, else full.
    #[arg(long, value_name = "full|FACTOR", value_parser = speed)]
    speed: Option<Speed>,
    /// Ends the measured part after this real time, such as 90s, 10m or 2h.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    duration: Option<Duration>,
    /// How long a computer waits after a failed attempt, such as 10s; without it half an hour like native agents, in scaled time,
    /// and at full speed a moment.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pause: Option<Duration>,
    /// Connections that may be open at one time; fewer if the system does not allow so many open files.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    connections: u32,
    /// Target groups that computers ask for, one each; without it most ask for none.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    groups: Vec<String>,
    /// "none": computers know nothing before the profile begins. Else those of steady, patch-tuesday and moved make a
    /// first scan before.
    #[arg(long, value_name = "none|prepared", default_value = "prepared")]
    state: StateArgument,
    /// Server from which the computers of "moved" come; without it they distrust what the server told them before.
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    /// Let computers install what is deployed to them, without downloading it.
    #[arg(long)]
    install: bool,
    /// Certificate authority (PEM) that computers trust, for https.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Writes each event that the server acknowledged into this file, a line of JSON each.
    #[arg(long, value_name = "FILE")]
    acknowledged: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ProfileArgument {
    /// A day of rescans, 22 hours apart; computers scan when they are on.
    Steady,
    /// Everybody comes back within two hours, and one update in twenty is new.
    PatchTuesday,
    /// Everybody comes from another server within two hours.
    Moved,
    /// Everybody is new and arrives within a minute.
    FirstScan,
    /// Everybody is new, and one connection in five is cut, slow or silent.
    Flaky,
}

impl ProfileArgument {
    fn scenario(self) -> Scenario {
        match self {
            Self::Steady => Scenario::Steady,
            Self::PatchTuesday => Scenario::PatchTuesday,
            Self::Moved => Scenario::Moved,
            Self::FirstScan => Scenario::FirstScan,
            Self::Flaky => Scenario::Flaky,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum StateArgument {
    /// Nothing is known.
    None,
    /// What a first scan brings.
    Prepared,
}

fn speed(text: &str) -> Result<Speed, String> {
    if text == "full" {
        return Ok(Speed::Full);
    }
    let factor = text.parse::<f64>().ok().filter(|factor| (0.01..=1_000_000.0).contains(factor));
    factor.map(Speed::Times).ok_or_else(|| "\"full\", or a number from 0.01 to 1000000".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a number with s, m or h behind it, such as 90s".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = number.checked_mul(seconds).filter(|seconds| (1..=31 * 86_400).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "from one second to 31 days".to_owned())
}

pub(crate) async fn run(arguments: SimulateArguments, printer: &Printer) -> Result<Outcome> {
    let file = arguments.acknowledged.clone();
    let mut settings = settings(arguments)?;
    let mut written = None;
    if let Some(file) = file {
        let (sink, events) = mpsc::unbounded_channel();
        settings.acknowledged = Some(sink);
        written = Some(keep(&file, events)?);
    }
    if cfg!(debug_assertions) {
        anstream::eprintln!("warning: this is a debug build; its figures mean nothing");
    }
    let (stop, stopped) = watch::channel(false);
    let interrupt = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            anstream::eprintln!("stopping; the figures so far follow");
            let _ = stop.send(true);
        }
        // the receiver must not see the sender go
        std::future::pending::<()>().await;
    });
    let display = Mutex::new(Display::default());
    let tell = |progress| display.lock().unwrap_or_else(PoisonError::into_inner).show(progress);
    let report = simulate::run(settings, stopped, &tell).await;
    interrupt.abort();
    drop(display);
    if let Some(written) = written {
        written.await.context("the file of acknowledged events")??;
    }
    printer.show(&report, |page| write(page, &report))?;
    Ok(if report.failed_computers > 0 {
        Outcome::Failed
    } else if report.ended == Ended::Interrupted || report.convergence.converged < report.convergence.checked {
        Outcome::Partly
    } else {
        Outcome::Done
    })
}

fn settings(arguments: SimulateArguments) -> Result<Settings> {
    if !(1..=2_000_000).contains(&arguments.computers) {
        bail!("--computers takes 1 to 2000000");
    }
    if !(1..=60_000).contains(&arguments.connections) {
        bail!("--connections takes 1 to 60000");
    }
    let scenario = arguments.profile.scenario();
    if arguments.from.is_some() && scenario != Scenario::Moved {
        bail!("--from is for --profile moved");
    }
    let tls = arguments.ca.as_deref().map(trust).transpose()?;
    let server = Address::parse(&arguments.server)?;
    if server.tls && tls.is_none() {
        bail!("--ca must name the certificate authority of {}", arguments.server);
    }
    let flaky = scenario == Scenario::Flaky;
    let real_time = matches!(scenario, Scenario::FirstScan | Scenario::Flaky);
    let speed = arguments.speed.unwrap_or(if real_time { Speed::Times(1.0) } else { Speed::Full });
    let mut http = HttpSettings { tls, ..HttpSettings::default() };
    if flaky {
        // silent connections are part of it: nobody waits two minutes for each
        http.answer = Duration::from_secs(5);
    }
    Ok(Settings {
        server,
        from: arguments.from.as_deref().map(Address::parse).transpose()?,
        computers: arguments.computers,
        seed: arguments.seed,
        scenario,
        speed,
        duration: arguments.duration,
        connections: arguments.connections as usize,
        profile: Profile { groups: arguments.groups, ..Profile::default() },
        state: arguments.state == StateArgument::Prepared,
        install: arguments.install,
        attempts: if flaky { 12 } else { 4 },
        pause: arguments.pause,
        http,
        acknowledged: None,
    })
}

/// Writes acknowledged events until nobody sends any more.
fn keep(file: &Path, mut events: mpsc::UnboundedReceiver<Acknowledged>) -> Result<JoinHandle<Result<()>>> {
    let name = file.display().to_string();
    let mut file = BufWriter::new(File::create(file).with_context(|| format!("creating {name}"))?);
    Ok(tokio::task::spawn_blocking(move || {
        let mut write = || -> Result<()> {
            while let Some(event) = events.blocking_recv() {
                serde_json::to_writer(&mut file, &event)?;
                file.write_all(b"\n")?;
            }
            Ok(file.flush()?)
        };
        write().with_context(|| format!("writing {name}"))
    }))
}

fn trust(file: &Path) -> Result<Arc<rustls::ClientConfig>> {
    let mut roots = rustls::RootCertStore::empty();
    let read = || format!("reading the certificate authority {}", file.display());
    for certificate in CertificateDer::pem_file_iter(file).with_context(read)? {
        roots.add(certificate.with_context(read)?).with_context(read)?;
    }
    if roots.is_empty() {
        bail!("{} holds no certificate", file.display());
    }
    Ok(Arc::new(rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}

/// Shows how far it is: a bar on a terminal, a line now and then elsewhere.
#[derive(Default)]
struct Display {
    bar: Option<ProgressBar>,
    phase: &'static str,
    told: Option<Instant>,
}

/// How often a line is printed where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

impl Display {
    fn show(&mut self, progress: Progress) {
        if print::wants_bar() {
            if self.phase != progress.phase {
                self.clear();
            }
            let bar = self.bar.get_or_insert_with(|| {
                let bar = ProgressBar::new(progress.total);
                if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:30} {human_pos}/{human_len}  {msg}") {
                    bar.set_style(style);
                }
                bar.set_prefix(progress.phase);
                bar
            });
            bar.set_position(progress.done);
            bar.set_message(figures(&progress));
        } else if self.phase != progress.phase || self.told.is_none_or(|told| told.elapsed() >= LINE_INTERVAL) {
            self.told = Some(Instant::now());
            anstream::eprintln!(
                "{}: {} of {} computers, {}",
                progress.phase,
                progress.done,
                progress.total,
                figures(&progress)
            );
        }
        self.phase = progress.phase;
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.clear();
    }
}

fn figures(progress: &Progress) -> String {
    let seconds = progress.elapsed.as_secs_f64();
    let rate = progress.calls as f64 / seconds.max(0.001);
    // what is left is bound by the plan or by the rate so far
    let planned = progress.planned.saturating_sub(progress.elapsed).as_secs_f64();
    let left = if progress.done == 0 {
        planned
    } else {
        let per_computer = seconds / progress.done as f64;
        planned.max(if planned > 0.0 { 0.0 } else { per_computer * (progress.total - progress.done) as f64 })
    };
    let failed = if progress.failed > 0 { format!(", {} gave up", progress.failed) } else { String::new() };
    format!("{rate:.0} calls/s, {} faults{failed}, {left:.0} s left", progress.faults)
}

fn write(page: &mut Page, report: &Report) {
    page.field("server", &report.server);
    let absent =
        if report.absent_computers > 0 { format!(", {} of them off", report.absent_computers) } else { String::new() };
    page.field("profile", format!("{} at speed {}, seed {}", report.profile, report.speed, report.seed));
    page.field("computers", format!("{}{absent}", report.computers));
    page.field("gave up", report.failed_computers);
    let checked = &report.convergence;
    if checked.checked > 0 {
        page.field("agree", format!("{} of {} after a second rescan", checked.converged, checked.checked));
    }
    match report.ended {
        Ended::Done => {}
        Ended::Duration => page.field("ended", "the time was over"),
        Ended::Interrupted => page.field("ended", "stopped before it was done"),
    }
    let memory = &report.memory;
    page.field(
        "memory",
        format!(
            "{} at most, {} per computer",
            print::bytes(memory.peak_bytes),
            print::bytes(memory.bytes_per_computer)
        ),
    );
    let capacity = &report.capacity;
    page.field("rate", format!("{:.0} computers for a second of a processor", capacity.computers_per_core_second));
    page.field("limited by", &capacity.limited_by);
    for (name, phase) in [
        ("preparation", report.preparation.as_ref()),
        (report.profile, Some(&report.measured)),
        ("second rescan", report.rescan.as_ref()),
    ] {
        if let Some(phase) = phase {
            page.line("");
            write_phase(page, name, phase);
        }
    }
}

fn write_phase(page: &mut Page, name: &str, phase: &Phase) {
    page.line(format!(
        "{name}: {} scans in {:.1} s, {:.0} a second",
        phase.scans, phase.seconds, phase.scans_per_second
    ));
    let spread = |spread: &Spread| {
        format!("{:.1} (median {:.0}, 99% {:.0}, most {:.0})", spread.mean, spread.p50, spread.p99, spread.max)
    };
    page.field("  calls/scan", spread(&phase.calls_per_scan));
    page.field("  bytes/scan", spread(&phase.bytes_per_scan));
    if phase.late_s.p99 >= 1.0 {
        page.field(
            "  waited",
            format!("{:.1} s median, {:.1} s 99% for a free connection", phase.late_s.p50, phase.late_s.p99),
        );
    }
    let revisions = &phase.revisions;
    page.field(
        "  revisions",
        format!("{} new, {} changed, {} out of scope", revisions.new, revisions.changed, revisions.out_of_scope),
    );
    page.field("  reports", format!("{} with {} events", phase.reports, phase.events));
    if phase.installed + phase.failed_installs > 0 {
        page.field("  installed", format!("{}, {} failed", phase.installed, phase.failed_installs));
    }
    if phase.failed_scans > 0 {
        page.field(
            "  failed",
            format!(
                "{} attempts, {} retries, {} computers gave up",
                phase.failed_scans, phase.retries, phase.failed_computers
            ),
        );
    }
    let counts = phase
        .faults
        .iter()
        .map(|(code, count)| format!("{count} {code}"))
        .chain(phase.http_statuses.iter().map(|(status, count)| format!("{count} HTTP {status}")))
        .chain(phase.broken_calls.iter().map(|(kind, count)| format!("{count} {}", kind.replace('_', " "))));
    page.field("  faults", counts.collect::<Vec<_>>().join(", "));
    for example in &phase.examples {
        page.field("  such as", example);
    }
    let rows = phase.operations.iter().map(|calls| {
        let ms = |value: f64| format!("{value:.1}");
        vec![
            calls.operation.to_owned(),
            calls.calls.to_string(),
            calls.failed.to_string(),
            print::bytes(calls.sent_bytes),
            print::bytes(calls.received_bytes),
            ms(calls.p50_ms),
            ms(calls.p95_ms),
            ms(calls.p99_ms),
            ms(calls.max_ms),
        ]
    });
    let header = ["operation", "calls", "failed", "sent", "received", "p50 ms", "p95 ms", "p99 ms", "most ms"];
    page.table(&header, rows.collect(), "No call was made.");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_and_times_are_read() {
        assert_eq!(speed("full"), Ok(Speed::Full));
        assert_eq!(speed("60"), Ok(Speed::Times(60.0)));
        assert!(speed("0").is_err() && speed("fast").is_err() && speed("-1").is_err() && speed("NaN").is_err());
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7_200)));
        for wrong in ["", "90", "s", "0s", "1d", "5000h", "\u{e9}"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn progress_tells_rate_and_time_left() {
        let progress = Progress {
            phase: "steady",
            done: 100,
            total: 300,
            calls: 500,
            faults: 2,
            failed: 1,
            elapsed: Duration::from_secs(10),
            planned: Duration::ZERO,
        };
        assert_eq!(figures(&progress), "50 calls/s, 2 faults, 1 gave up, 20 s left");
    }
}
