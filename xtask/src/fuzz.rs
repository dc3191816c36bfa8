//! Runs of the fuzz targets (`fuzz/`): libFuzzer from its crate, on the stable compiler and without cargo-fuzz.
//!
//! All targets are one program (`fuzz/runner`), so that it is linked once. It is built below `target/fuzz`, what decodes
//! optimised, with coverage, debug assertions, overflow checks and the address sanitizer. What a run collects stays there too: `corpus`, `finds` and `logs`,
//! a folder or file for each target.

mod build;
mod outcome;
mod recorded;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::Instant,
};

use anyhow::{Context as _, Result, bail};

use self::outcome::{Told, read};
use crate::{needs, root};

/// How to run.
pub(crate) struct Options {
    /// Seconds for each target.
    pub(crate) seconds: u32,
    /// Targets at a time; as many as there are processors if none is given.
    pub(crate) jobs: Option<usize>,
    /// Only these targets.
    pub(crate) only: Vec<String>,
    /// Only try this input of the one target that is named.
    pub(crate) input: Option<PathBuf>,
}

/// Megabytes that a target may take: several times what the address sanitizer and the largest inputs need.
const MEMORY_MB: u32 = 2_048;
/// Seconds that one input may take. Decoders are bounded far below; machines that run tests are slow.
const INPUT_SECONDS: u32 = 25;
/// Characters of an input as text that are printed.
const LONGEST_TEXT: usize = 16 << 10;
/// Leaks of what lives as long as the process are none, and looking for them takes the right to trace processes. Libraries that are
/// watched do not define the same thing twice, whatever the sanitizer makes of their parts.
const SANITIZER: &str = "detect_leaks=0:detect_odr_violation=0";

/// Words that an input is hardly made of by chance, and whose inputs they are.
const DICTIONARIES: [(&str, &[&str]); 4] = [
    ("expression", &["expression"]),
    ("json", &["claims", "criterion", "csaf", "etag", "intent", "json_body", "kev", "link_body"]),
    ("wql", &["wql"]),
    (
        "xml",
        &[
            "core",
            "cvrf",
            "document",
            "import",
            "package",
            "rules",
            "soap_answer",
            "soap_request",
            "sync_answer",
            "sync_request",
        ],
    ),
];

struct Target {
    name: String,
    /// Bytes of its longest input.
    longest: usize,
}

/// Runs the targets, or tries one input. Fails if anything was found.
pub(crate) fn run(options: &Options) -> Result<()> {
    needs::provide_for_fuzz()?;
    let program = build::program()?;
    let mut targets = list(&program)?;
    let unknown = options.only.iter().find(|name| targets.iter().all(|target| target.name != **name));
    if let Some(unknown) = unknown {
        let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
        bail!("no fuzz target {unknown}; there are {}", names.join(", "));
    }
    if let Some(input) = &options.input {
        return again(&program, &options.only, input);
    }
    targets.retain(|target| options.only.is_empty() || options.only.contains(&target.name));
    let (count, began) = (targets.len(), Instant::now());
    let recorded = recorded::gather(&folder("recorded"))?;
    println!("xtask: {count} targets, {} s each; {recorded} recorded inputs", options.seconds);
    println!("{}", Told::head());

    let jobs = options.jobs.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from)).max(1);
    let (waiting, done) = (Mutex::new(targets.into_iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().map(|mut waiting| waiting.next());
                    let Ok(Some(target)) = next else { break };
                    let outcome = one(&program, &target, options.seconds);
                    if let Ok(outcome) = &outcome {
                        println!("{}", outcome.told.line(&target.name));
                    }
                    if let Ok(mut done) = done.lock() {
                        done.push((target.name, outcome));
                    }
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (mut executions, mut finds, mut failed) = (0, 0, Vec::new());
    for (name, outcome) in done {
        match outcome {
            Ok(outcome) => {
                executions += outcome.told.figures.executions;
                finds += outcome.told.finds.len();
                if outcome.failed() {
                    outcome.tell(&name);
                    failed.push(name);
                }
            }
            Err(error) => {
                println!("\nxtask: {name} could not be run: {error:#}");
                failed.push(name);
            }
        }
    }
    let seconds = began.elapsed().as_secs();
    println!("\nxtask: {executions} executions of {count} targets in {seconds} s, {finds} finds");
    if !failed.is_empty() {
        bail!("{} fuzz targets failed: {}", failed.len(), failed.join(", "));
    }
    Ok(())
}

/// Tries one input, and shows what is said about it.
fn again(program: &Path, only: &[String], input: &Path) -> Result<()> {
    let [name] = only else { bail!("an input is tried of one target; name it") };
    let status = started(program, name).arg(input).status();
    let status = status.with_context(|| format!("cannot start {}", program.display()))?;
    if !status.success() {
        bail!("{name} fails with {} ({status})", input.display());
    }
    println!("xtask: {name} stands {}", input.display());
    Ok(())
}

/// What became of a target.
struct Outcome {
    told: Told,
    /// Whether the program ended as it does when time is up.
    well: bool,
}

impl Outcome {
    fn failed(&self) -> bool {
        !self.well || !self.told.finds.is_empty()
    }

    /// Says why a target failed, and how to go on.
    fn tell(&self, name: &str) {
        println!("\nxtask: {name} failed; all that it printed is in {}", log(name).display());
        for line in &self.told.reason {
            println!("  {line}");
        }
        for find in &self.told.finds {
            println!("  input:  {}", find.display());
            if let Some(text) = as_text(find) {
                println!("  bytes:  echo {text} | base64 -d > {}", find.file_name().unwrap_or_default().display());
            }
            println!("  again:  cargo xtask fuzz --input {} {name}", find.display());
        }
        if !self.told.finds.is_empty() {
            println!(
                "  keep:   copy it to fuzz/corpus/{name}, named for what is wrong; `cargo test -p weir-fuzz` tries it then"
            );
        }
    }
}

/// An input as text, which outlives the machine in a record of the run; nothing if it is too long for one.
fn as_text(find: &Path) -> Option<String> {
    let output = Command::new("base64").arg("--wrap=0").arg(find).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && text.len() <= LONGEST_TEXT).then_some(text)
}

fn folder(name: &str) -> PathBuf {
    build::folder().join(name)
}

fn log(target: &str) -> PathBuf {
    folder("logs").join(format!("{target}.log"))
}

/// The targets that the program has.
fn list(program: &Path) -> Result<Vec<Target>> {
    let output = started(program, "list").output();
    let output = output.with_context(|| format!("cannot start {}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let read = |line: &str| {
        let (name, longest) = line.split_once(' ')?;
        Some(Target { name: name.to_owned(), longest: longest.parse().ok()? })
    };
    let targets: Option<Vec<Target>> = text.lines().map(read).collect();
    targets.filter(|targets| !targets.is_empty()).context("the program told of no targets")
}

/// The program with a target.
fn started(program: &Path, target: &str) -> Command {
    let asked = std::env::var("ASAN_OPTIONS").unwrap_or_default();
    let mut command = Command::new(program);
    command.env("WEIR_FUZZ_TARGET", target).env("RUST_BACKTRACE", "1");
    command.env("ASAN_OPTIONS", format!("{SANITIZER}:{asked}"));
    command
}

/// Runs one target.
fn one(program: &Path, target: &Target, seconds: u32) -> Result<Outcome> {
    let name = &target.name;
    let (corpus, finds) = (folder("corpus").join(name), folder("finds").join(name));
    for folder in [&corpus, &finds, &folder("logs")] {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let log = log(name);
    let file = fs::File::create(&log).with_context(|| log.display().to_string())?;
    let mut command = started(program, name);
    command
        .args(["-print_final_stats=1", "-detect_leaks=0", "-use_value_profile=1"])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={}", target.longest))
        .arg(format!("-rss_limit_mb={MEMORY_MB}"))
        .arg(format!("-timeout={INPUT_SECONDS}"))
        .arg(format!("-report_slow_units={INPUT_SECONDS}"))
        .arg(format!("-artifact_prefix={}/", finds.display()));
    if let Some((words, _)) = DICTIONARIES.iter().find(|(_, targets)| targets.contains(&name.as_str())) {
        command.arg(format!("-dict={}", root().join("fuzz/dictionaries").join(format!("{words}.dict")).display()));
    }
    // new inputs go to the first folder
    command.arg(&corpus);
    let further = [root().join("fuzz/corpus").join(name), folder("recorded").join(name)];
    command.args(further.iter().filter(|folder| folder.is_dir()));
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).status();
    let status = status.with_context(|| format!("cannot start {}", program.display()))?;
    let told = read(&String::from_utf8_lossy(&fs::read(&log)?));
    Ok(Outcome { told, well: status.success() })
}

/// Files of a folder, in order.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}
