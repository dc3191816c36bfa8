//! Running the tests so that what failed stands at the end, where one looks first.
//!
//! Tests of whole servers share two processors with a browser, a provider of identities and other servers. A failure that does not come
//! again when the test has the machine to itself says more about the machine than about the program: such a test is run once more, alone,
//! and told apart. Tests without processes get no second run.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{cargo, succeed};

/// The target whose tests start processes, as cargo announces it.
const SYSTEM: &str = "tests/system/main.rs";
/// More failures than this are not the machine's doing.
const SECOND_RUNS: usize = 6;
/// Lines of a failed test's output that are shown again.
const SHOWN: usize = 120;

/// What a run of `cargo test` printed about tests that failed.
#[derive(Debug, Default)]
struct Reading {
    /// Whether the target that is running is [`SYSTEM`].
    system: bool,
    /// The test whose output is being printed, if any.
    telling: Option<usize>,
    failed: Vec<Failure>,
    /// Targets that ended without telling which tests failed: a crash, or an error of the compiler.
    broken: Vec<String>,
}

#[derive(Debug)]
struct Failure {
    test: String,
    system: bool,
    output: Vec<String>,
}

impl Reading {
    fn line(&mut self, line: &str) {
        let trimmed = line.trim();
        if let Some(target) = trimmed.strip_prefix("Running ") {
            self.system = target.starts_with(SYSTEM);
            self.telling = None;
        } else if let Some(test) = trimmed.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED")) {
            self.failed.push(Failure { test: test.to_owned(), system: self.system, output: Vec::new() });
        } else if let Some(test) = trimmed.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
            self.telling = self.failed.iter().rposition(|failure| failure.test == test);
        } else if trimmed == "failures:" || trimmed.starts_with("test result:") {
            self.telling = None;
        } else if trimmed.contains("process didn't exit successfully") && trimmed.contains("signal") {
            self.broken.push(trimmed.to_owned());
        } else if let Some(failure) = self.telling.and_then(|at| self.failed.get_mut(at)) {
            failure.output.push(line.to_owned());
        }
    }
}

/// Runs `cargo test` with these arguments and tells at the end which tests failed and why.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut command = cargo("test");
    command.args(arguments);
    let (ended_well, reading) = watch(&mut command)?;
    if ended_well {
        return Ok(());
    }
    for failure in &reading.failed {
        println!("\nxtask: FAILED: {}", failure.test);
        let skipped = failure.output.len().saturating_sub(SHOWN);
        for line in failure.output.iter().skip(skipped) {
            println!("{line}");
        }
    }
    for target in &reading.broken {
        println!("xtask: BROKEN: {target}");
    }
    let names: Vec<&str> = reading.failed.iter().map(|failure| failure.test.as_str()).collect();
    let again = reading.broken.is_empty()
        && !reading.failed.is_empty()
        && reading.failed.len() <= SECOND_RUNS
        && reading.failed.iter().all(|failure| failure.system);
    if !again {
        bail!("the tests failed: {}", if names.is_empty() { "see above".to_owned() } else { names.join(", ") });
    }
    println!("\nxtask: {} of the whole program failed beside others, and now run alone", names.join(", "));
    let mut alone = cargo("test");
    alone.args(["--package", "weir", "--test", "system", "--", "--exact", "--test-threads", "1", "--nocapture"]);
    succeed(alone.args(&names)).with_context(|| format!("the tests failed twice: {}", names.join(", ")))?;
    println!("xtask: UNSTEADY: {}: failed beside others, as shown above, and passed alone", names.join(", "));
    Ok(())
}

/// Runs a command, shows what it prints, and reads it.
fn watch(command: &mut Command) -> Result<(bool, Reading)> {
    let shown: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
    println!("xtask: cargo {}", shown.join(" "));
    // One pipe for both streams: the order of announcements and results is what tells which target a test is of.
    let (reader, writer) = std::io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().context("cannot start cargo")?;
    // the command holds ends of the pipe, which would never be closed
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut reading = Reading::default();
    let mut out = std::io::stdout().lock();
    for line in BufReader::new(reader).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        writeln!(out, "{line}")?;
        reading.line(&line);
    }
    Ok((child.wait()?.success(), reading))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_read_with_their_target_and_output() {
        let printed = "     Running unittests src/lib.rs (target/debug/deps/a-1)\n\
            test one ... FAILED\ntest two ... ok\n\nfailures:\n\n---- one stdout ----\nwhy it failed\n\nfailures:\n    one\n\n\
            test result: FAILED. 1 passed; 1 failed\n     Running tests/system/main.rs (target/debug/deps/system-1)\n\
            test three::four ... FAILED\n\nfailures:\n\n---- three::four stdout ----\nanother reason\n\nfailures:\n    three::four\n\n\
            error: 2 targets failed:\n";
        let mut reading = Reading::default();
        for line in printed.lines() {
            reading.line(line);
        }
        let told: Vec<(&str, bool, String)> = reading
            .failed
            .iter()
            .map(|failure| (failure.test.as_str(), failure.system, failure.output.join("|")))
            .collect();
        assert_eq!(
            told,
            [("one", false, "why it failed|".to_owned()), ("three::four", true, "another reason|".to_owned())]
        );
        assert!(reading.broken.is_empty());
    }

    #[test]
    fn a_crash_is_no_failed_test() {
        let mut reading = Reading::default();
        reading.line("  process didn't exit successfully: `target/debug/deps/a-1` (signal: 11, SIGSEGV: invalid memory reference)");
        assert_eq!(reading.broken.len(), 1);
        assert!(reading.failed.is_empty());
    }
}
