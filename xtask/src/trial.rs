//! Running the tests so that what failed stands at the end, where one looks first.
//!
//! Tests of whole servers share two processors with a browser, a provider of identities and other servers. A failure that does not come
//! again when the test has the machine to itself says more about the machine than about the program: such a test is run once more, alone,
//! and told apart. Tests without servers get no second run.

mod reading;
mod summary;

use std::{
    collections::BTreeSet,
    io::{self, BufRead as _, BufReader, PipeReader, Write},
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use self::reading::Reading;
use crate::{ENGINE, cargo};

/// More failures than this are not the machine's doing.
const SECOND_RUNS: usize = 6;
/// How long is waited, once cargo has ended, for others to close what it printed to. A server that a test left behind never does.
const LEFT_OPEN: Duration = Duration::from_secs(2);

/// What became of a run of `cargo test`.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// The engine of the databases, if it was not the usual one.
    engine: Option<String>,
    /// Whether cargo ended well.
    well: bool,
    reading: Reading,
}

impl Report {
    /// Whether any tests ran.
    pub(crate) fn began(&self) -> bool {
        self.reading.target.is_some()
    }

    /// Whether something failed that does not pass alone.
    fn failed(&self) -> bool {
        let reading = &self.reading;
        let only_beside_others = reading.broken.is_empty()
            && !reading.failed.is_empty()
            && reading.failed.iter().all(|failure| failure.alone == Some(true));
        !self.well && !only_beside_others
    }

    /// Whether another run could tell more.
    fn is_worth_a_second_run(&self) -> bool {
        let Reading { failed, broken, .. } = &self.reading;
        !self.well
            && broken.is_empty()
            && !failed.is_empty()
            && failed.len() <= SECOND_RUNS
            && failed.iter().all(|failure| failure.target.of_servers().is_some())
    }

    /// Adds what the second run told of the same tests.
    fn add(&mut self, second: Reading, well: bool) {
        let ran = second.target.is_some() && second.broken.is_empty();
        for failure in &mut self.reading.failed {
            let again = second.failed.iter().find(|other| other.test == failure.test);
            failure.alone = Some(ran && again.is_none() && (well || !second.failed.is_empty()));
            if let Some(again) = again {
                // alone, it is not among the words of others
                failure.output.clone_from(&again.output);
            }
        }
        self.reading.broken.extend(second.broken);
    }
}

/// Runs `cargo test` with these arguments, on another engine than the usual one if one is named. What failed is for [`tell`] to say.
pub(crate) fn run(arguments: &[String], engine: Option<&str>) -> Result<Report> {
    let (well, reading) = watch(on_engine(engine).args(arguments), &mut io::stdout().lock())?;
    let mut report = Report { engine: engine.map(str::to_owned), well, reading };
    if report.is_worth_a_second_run() {
        let names: Vec<String> = report.reading.failed.iter().map(|failure| failure.test.clone()).collect();
        println!("\nxtask: {} failed beside others, and now run alone", names.join(", "));
        let targets: BTreeSet<&str> =
            report.reading.failed.iter().filter_map(|failure| failure.target.of_servers()).collect();
        let mut alone = on_engine(engine);
        // of the whole workspace: libraries keep the features that they were built with
        alone.arg("--workspace").args(targets.into_iter().flat_map(|target| ["--test", target]));
        alone.args(["--", "--exact", "--test-threads", "1"]).args(&names);
        let (well, second) = watch(&mut alone, &mut io::stdout().lock())?;
        report.add(second, well);
    }
    Ok(report)
}

/// Says what failed in these runs and how that began, briefly, as the last thing that is printed. Fails if anything did.
pub(crate) fn tell(reports: &[Report]) -> Result<()> {
    println!();
    for line in summary::lines(reports) {
        println!("{line}");
    }
    if reports.iter().any(Report::failed) {
        bail!("the tests failed");
    }
    Ok(())
}

fn on_engine(engine: Option<&str>) -> Command {
    let mut command = cargo("test");
    command.envs(engine.map(|engine| (ENGINE, engine)));
    command
}

enum Event {
    Line(String),
    Ended(io::Result<ExitStatus>),
}

/// Runs a command, shows what it prints, and reads it. Says whether it ended well.
fn watch(command: &mut Command, out: &mut impl Write) -> Result<(bool, Reading)> {
    let shown: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
    writeln!(out, "xtask: cargo {}", shown.join(" "))?;
    // One pipe for both streams: the order of announcements and results is what tells which target a test is of.
    let (reader, writer) = io::pipe()?;
    command.env("CARGO_TERM_COLOR", "never").stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().context("cannot start cargo")?;
    // the command holds ends of the pipe, which would never be closed
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let (sender, events) = mpsc::channel();
    let lines = sender.clone();
    thread::spawn(move || send_lines(reader, &lines));
    thread::spawn(move || sender.send(Event::Ended(child.wait())));
    let (status, reading) = read(&events, out)?;
    Ok((status.success(), reading))
}

fn send_lines(reader: PipeReader, to: &Sender<Event>) {
    for line in BufReader::new(reader).split(b'\n') {
        let Ok(line) = line else { break };
        if to.send(Event::Line(String::from_utf8_lossy(&line).into_owned())).is_err() {
            break;
        }
    }
}

/// Shows and reads lines until there are no more, or the command has ended and what it left behind keeps silent.
fn read(events: &Receiver<Event>, out: &mut impl Write) -> Result<(ExitStatus, Reading)> {
    let mut reading = Reading::default();
    let mut ended: Option<(ExitStatus, Instant)> = None;
    loop {
        let event = match ended {
            None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some((_, since)) => events.recv_timeout(LEFT_OPEN.saturating_sub(since.elapsed())),
        };
        match event {
            Ok(Event::Line(line)) => {
                writeln!(out, "{line}")?;
                reading.line(&line);
            }
            Ok(Event::Ended(status)) => ended = Some((status.context("cannot wait for cargo")?, Instant::now())),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                writeln!(out, "xtask: what the tests started goes on, and holds their output open")?;
                break;
            }
        }
    }
    let (status, _) = ended.context("nobody waited for cargo")?;
    Ok((status, reading))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(lines: &str) -> Report {
        let mut reading = Reading::default();
        for line in lines.lines() {
            reading.line(line);
        }
        Report { engine: None, well: false, reading }
    }

    const SYSTEM: &str = "     Running tests/system/main.rs (target/debug/deps/system-1)\n";

    #[test]
    fn tests_of_whole_servers_that_failed_are_run_alone() {
        let one = report(&format!("{SYSTEM}test a ... FAILED\n"));
        assert!(one.failed() && one.is_worth_a_second_run());
        let many = (0..=SECOND_RUNS).map(|n| format!("test a{n} ... FAILED\n")).collect::<Vec<_>>().concat();
        assert!(!report(&format!("{SYSTEM}{many}")).is_worth_a_second_run());
        let other = report(&format!(
            "{SYSTEM}test a ... FAILED\n     Running tests/cli.rs (target/debug/deps/cli-1)\ntest b ... FAILED\n"
        ));
        assert!(other.failed() && !other.is_worth_a_second_run());
        let crashed = report(&format!(
            "{SYSTEM}test a ... FAILED\n  process didn't exit successfully: `a` (signal: 6, SIGABRT)\n"
        ));
        assert!(crashed.failed() && !crashed.is_worth_a_second_run());
    }

    #[test]
    fn what_passes_alone_is_no_failure() {
        let alone = |report: &Report| report.reading.failed.iter().map(|failure| failure.alone).collect::<Vec<_>>();
        let two = format!("{SYSTEM}test a ... FAILED\ntest b ... FAILED\n");
        let mut passed = report(&two);
        passed.add(report(SYSTEM).reading, true);
        assert_eq!(alone(&passed), [Some(true), Some(true)]);
        assert!(!passed.failed());

        let mut one = report(&two);
        one.add(report(&format!("{SYSTEM}test b ... FAILED\nfailures:\n---- b stdout ----\nalone\n")).reading, false);
        assert_eq!(alone(&one), [Some(true), Some(false)]);
        assert_eq!(one.reading.failed.get(1).map(|failure| failure.output.shown(5)), Some(vec!["alone"]));
        assert!(one.failed());

        // a second run that ended before its tests proves nothing
        for second in [String::new(), format!("{SYSTEM}  process didn't exit successfully: `a` (signal: 9, SIGKILL)\n")]
        {
            let mut report = report(&two);
            report.add(self::report(&second).reading, false);
            assert_eq!(alone(&report), [Some(false), Some(false)]);
            assert!(report.failed());
        }
    }

    #[test]
    fn errors_of_the_compiler_fail_without_a_second_run() {
        let report = report("error[E0433]: failed to resolve\n");
        assert!(report.failed() && !report.is_worth_a_second_run() && !report.began());
        let good = Report { well: true, ..Report::default() };
        assert!(!good.failed() && !good.is_worth_a_second_run());
    }

    #[test]
    fn a_command_is_read_to_its_end_though_its_children_stay() {
        let began = Instant::now();
        let script = "echo '     Running tests/admin.rs (target/debug/deps/admin-1)'; echo 'test a ... FAILED' >&2; \
                      sleep 30 & exit 3";
        let (well, reading) = watch(Command::new("sh").args(["-c", script]), &mut io::sink()).expect("sh starts");
        assert!(!well);
        assert_eq!(reading.failed.len(), 1);
        assert!(began.elapsed() < Duration::from_secs(25), "it waited for what was left behind");
    }
}
