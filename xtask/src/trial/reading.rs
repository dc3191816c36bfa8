//! What `cargo test` prints, line by line.

use std::collections::VecDeque;

/// Lines that are kept of the output of a test, before it panics and from there on.
const KEPT: usize = 60;
/// Lines of errors that kept the tests from running.
const ERRORS: usize = 40;
/// The last lines, for a run that fails in a way that is not known here.
const LAST: usize = 20;

/// Integration tests that run whole servers, in processes of their own or in theirs.
const SERVERS: [&str; 8] = ["admin", "client", "conformance", "downstream", "rollup", "system", "upstream", "walk"];

/// What a run printed about tests that failed.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Whose tests run, or ran last.
    pub(super) target: Option<Target>,
    pub(super) failed: Vec<Failure>,
    /// Targets that ended without telling which tests failed: crashes.
    pub(super) broken: Vec<String>,
    /// What the compiler or cargo had against running anything.
    pub(super) errors: Vec<String>,
    /// Seconds that the tests of each target took.
    pub(super) took: Vec<(String, f64)>,
    /// The end of all that was printed.
    pub(super) last: VecDeque<String>,
    state: State,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// Tests run, or programs are built.
    #[default]
    Running,
    /// The output of this failure is printed.
    Telling(usize),
    /// The names of what failed are listed.
    Listing,
}

/// A program of tests, or the examples in the documentation of a crate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Target {
    /// As cargo calls it: `system`, `weir_wire`.
    pub(super) name: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// Tests within a library.
    Library,
    /// Tests within a program.
    Program,
    /// Tests of a crate from outside.
    Integration,
    Documentation,
}

/// A test that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) test: String,
    pub(super) target: Target,
    pub(super) output: Output,
    /// Whether it passed alone, if it was tried.
    pub(super) alone: Option<bool>,
}

/// What a failed test printed.
#[derive(Clone, Debug, Default)]
pub(super) struct Output {
    /// The last lines before it panicked.
    before: VecDeque<String>,
    /// The first lines from there on.
    panicked: Vec<String>,
}

impl Output {
    fn line(&mut self, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        if self.panicked.is_empty() && !line.contains("panicked at ") {
            push(&mut self.before, KEPT, line);
        } else if self.panicked.len() < KEPT {
            self.panicked.push(line.to_owned());
        }
    }

    /// As many lines as that, which say why: from the panic on, or the last if it ended with an error.
    pub(super) fn shown(&self, lines: usize) -> Vec<&str> {
        if self.panicked.is_empty() {
            let skipped = self.before.len().saturating_sub(lines);
            self.before.iter().skip(skipped).map(String::as_str).collect()
        } else {
            self.panicked.iter().take(lines).map(String::as_str).collect()
        }
    }
}

impl Target {
    /// Reads `Running unittests src/lib.rs (target/debug/deps/weir_wire-0123456789abcdef)` and `Doc-tests weir_wire`.
    fn announced(line: &str) -> Option<Self> {
        if let Some(name) = line.strip_prefix("Doc-tests ").filter(|name| !name.contains(' ')) {
            return Some(Self { name: name.to_owned(), kind: Kind::Documentation });
        }
        let (source, program) = line.strip_prefix("Running ")?.strip_suffix(')')?.split_once(" (")?;
        let (name, _hash) = program.rsplit(['/', '\\']).next()?.rsplit_once('-')?;
        let kind = match source.strip_prefix("unittests ") {
            Some(source) if source.ends_with("lib.rs") => Kind::Library,
            Some(_) => Kind::Program,
            None => Kind::Integration,
        };
        Some(Self { name: name.to_owned(), kind })
    }

    /// The name of an integration test whose tests run whole servers.
    pub(super) fn of_servers(&self) -> Option<&str> {
        (self.kind == Kind::Integration && SERVERS.contains(&&*self.name)).then_some(&*self.name)
    }

    /// Arguments with which `cargo test` runs it alone.
    pub(super) fn arguments(&self) -> String {
        let Self { name, kind } = self;
        // packages are called as their libraries are, with other dashes
        let package = name.replace('_', "-");
        match kind {
            Kind::Library => format!("--package {package} --lib"),
            Kind::Program => format!("--workspace --bin {name}"),
            Kind::Integration => format!("--workspace --test {name}"),
            Kind::Documentation => format!("--package {package} --doc"),
        }
    }
}

impl Reading {
    /// Reads the next line.
    pub(super) fn line(&mut self, line: &str) {
        push(&mut self.last, LAST, line);
        let trimmed = line.trim();
        if let Some(target) = Target::announced(trimmed).filter(|_| line.starts_with("   ")) {
            (self.target, self.state) = (Some(target), State::Running);
        } else if trimmed == "failures:" {
            self.state = State::Listing;
        } else if trimmed.starts_with("test result: ") {
            self.state = State::Running;
            self.note_time(trimmed);
        } else if line.starts_with("error: test failed, to rerun pass ") {
            self.state = State::Running;
        } else if let Some(test) = trimmed.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
            if let Some(failure) = self.failure(test) {
                self.state = State::Telling(failure);
            }
        } else {
            match self.state {
                State::Telling(failure) => {
                    if let Some(failure) = self.failed.get_mut(failure) {
                        failure.output.line(line);
                    }
                }
                State::Listing => {
                    // what a server printed may have torn the line apart that said it failed
                    if let Some(test) = line.strip_prefix("    ") {
                        self.failure(test);
                    }
                }
                State::Running => self.running(line, trimmed),
            }
        }
    }

    fn running(&mut self, line: &str, trimmed: &str) {
        if let Some(test) = trimmed.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED")) {
            self.failure(test.strip_suffix(" - should panic").unwrap_or(test));
        } else if trimmed.contains("process didn't exit successfully") && !trimmed.contains("(exit status: 101)") {
            let target = self.target.as_ref().map_or("cargo", |target| target.name.as_str());
            self.broken.push(format!("{target}: {trimmed}"));
        } else if self.target.is_none() && self.errors.len() < ERRORS {
            if line.starts_with("error") || !self.errors.is_empty() {
                self.errors.push(line.to_owned());
            }
        }
    }

    /// The failure of a test of the target that runs.
    fn failure(&mut self, test: &str) -> Option<usize> {
        let target = self.target.as_ref()?;
        let known = self.failed.iter().rposition(|failure| failure.test == test && failure.target == *target);
        if known.is_some() {
            return known;
        }
        let (test, target) = (test.to_owned(), target.clone());
        self.failed.push(Failure { test, target, output: Output::default(), alone: None });
        Some(self.failed.len() - 1)
    }

    fn note_time(&mut self, result: &str) {
        let seconds = result.rsplit_once("finished in ").and_then(|(_, took)| took.strip_suffix('s')?.parse().ok());
        if let (Some(target), Some(seconds)) = (&self.target, seconds) {
            self.took.push((target.name.clone(), seconds));
        }
    }
}

fn push(lines: &mut VecDeque<String>, most: usize, line: &str) {
    if lines.len() == most {
        lines.pop_front();
    }
    lines.push_back(line.to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(printed: &str) -> Reading {
        let mut reading = Reading::default();
        for line in printed.lines() {
            reading.line(line);
        }
        reading
    }

    /// Target, name and output of each failure.
    fn told(reading: &Reading) -> Vec<(&str, &str, String)> {
        let of = |failure: &Failure| failure.output.shown(3).join("|");
        reading
            .failed
            .iter()
            .map(|failure| (failure.target.name.as_str(), failure.test.as_str(), of(failure)))
            .collect()
    }

    #[test]
    fn failures_are_read_with_their_target_and_output() {
        let reading = read(
            "   Compiling a v0.1.0\n     Running unittests src/lib.rs (target/debug/deps/weir_a-1)\n\
             test one ... FAILED\ntest two ... ok\ntest six - should panic ... FAILED\n\nfailures:\n\n---- one stdout ----\nwhy it failed\n\n\
             ---- six stdout ----\nnote: test did not panic as expected\n\nfailures:\n    one\n    six\n\n\
             test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 2.50s\n\n\
             error: test failed, to rerun pass `-p weir-a --lib`\n\
             \x20    Running tests/system/main.rs (target/debug/deps/system-1)\n\
             test three::four ... FAILED\n\nfailures:\n\n---- three::four stdout ----\na server: Running (x)\ntest in::side ... FAILED\n\
             thread 'three::four' panicked at tests/system/main.rs:1:2:\nanother reason\n\nfailures:\n    three::four\n\n\
             test result: FAILED. 0 passed; 1 failed; finished in 30.25s\n\n\
             error: 2 targets failed:\n    `-p weir-a --lib`\n    `-p weir --test system`\n",
        );
        let why = "thread 'three::four' panicked at tests/system/main.rs:1:2:|another reason";
        assert_eq!(
            told(&reading),
            [
                ("weir_a", "one", "why it failed".to_owned()),
                ("weir_a", "six", "note: test did not panic as expected".to_owned()),
                ("system", "three::four", why.to_owned()),
            ]
        );
        assert!(reading.broken.is_empty() && reading.errors.is_empty());
        assert_eq!(reading.took, [("weir_a".to_owned(), 2.5), ("system".to_owned(), 30.25)]);
    }

    #[test]
    fn a_result_that_was_torn_apart_is_in_the_list() {
        let reading = read(
            "     Running tests/system/main.rs (target/debug/deps/system-1)\ntest a::b ... listening\nFAILED\n\nfailures:\n\n\
             ---- a::b stdout ----\nError: it is late\n\nfailures:\n    a::b\n    c::d\n\ntest result: FAILED. finished in 1.00s\n",
        );
        assert_eq!(
            told(&reading),
            [("system", "a::b", "Error: it is late".to_owned()), ("system", "c::d", String::new())]
        );
    }

    #[test]
    fn one_name_in_two_targets_is_two_tests() {
        let of = |target: &str, why: &str| {
            format!(
                "     Running tests/{target}.rs (/t/debug/deps/{target}-1)\ntest same ... FAILED\n\nfailures:\n\n\
                 ---- same stdout ----\n{why}\n\nfailures:\n    same\n\ntest result: FAILED. finished in 1.00s\n"
            )
        };
        let reading = read(&format!("{}{}", of("admin", "this"), of("client", "that")));
        assert_eq!(told(&reading), [("admin", "same", "this".to_owned()), ("client", "same", "that".to_owned())]);
    }

    #[test]
    fn a_crash_is_no_failed_test() {
        let crash = "  process didn't exit successfully: `target/debug/deps/a-1` (signal: 11, SIGSEGV: invalid memory reference)";
        let reading = read(&format!(
            "     Running tests/admin.rs (target/debug/deps/admin-1)\nerror: test failed, to rerun pass `--test admin`\n\n\
             Caused by:\n{crash}\n"
        ));
        assert_eq!(reading.broken, [format!("admin: {}", crash.trim())]);
        assert!(reading.failed.is_empty());
        // this is how tests end that failed
        assert!(read("  process didn't exit successfully: `a` (exit status: 101)\n").broken.is_empty());
    }

    #[test]
    fn errors_before_any_test_are_kept_from_the_first_on() {
        let reading = read("   Compiling a v0.1.0\nerror[E0433]: failed to resolve\n --> a.rs:1:1\n");
        assert_eq!(reading.errors, ["error[E0433]: failed to resolve", " --> a.rs:1:1"]);
        assert_eq!(read(&"error: many\n".repeat(100)).errors.len(), ERRORS);
        assert_eq!(read(&"words\n".repeat(100)).last.len(), LAST);
    }

    #[test]
    fn output_is_shown_from_the_panic_on() {
        let mut output = Output::default();
        for n in 0..200 {
            output.line(&format!("before {n}"));
        }
        assert_eq!(output.shown(2), ["before 198", "before 199"]);
        output.line("thread 'a' panicked at a.rs:1:1:");
        for n in 0..200 {
            output.line(&format!("after {n}"));
        }
        assert_eq!(output.shown(2), ["thread 'a' panicked at a.rs:1:1:", "after 0"]);
        assert_eq!(output.shown(1000).len(), KEPT);
    }

    #[test]
    fn targets_say_how_they_are_run_alone() {
        let arguments = |line: &str| Target::announced(line).map(|target| target.arguments());
        for (line, wanted) in [
            ("Running unittests src/lib.rs (target/debug/deps/weir_wire-8a42)", "--package weir-wire --lib"),
            ("Running unittests src/main.rs (target/debug/deps/xtask-c47e)", "--workspace --bin xtask"),
            ("Running tests/admin.rs (/a (b)/debug/deps/admin-468f)", "--workspace --test admin"),
            ("Doc-tests weir_wire", "--package weir-wire --doc"),
        ] {
            assert_eq!(arguments(line).as_deref(), Some(wanted), "{line}");
        }
        for line in ["Running behind", "Running 3 jobs (late)", "Doc-tests of a b"] {
            assert_eq!(arguments(line), None, "{line}");
        }
    }
}
