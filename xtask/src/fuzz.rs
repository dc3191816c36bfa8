//! Runs of the fuzz targets (`fuzz/`): libFuzzer from its crate, on the stable compiler and without cargo-fuzz.
//!
//! All targets are one program (`fuzz/runner`), so that it is linked once. It is built below `target/fuzz`, optimised, with coverage,
//! debug assertions, overflow checks and the address sanitizer. What a run collects stays there too: `corpus`, `finds` and `logs`,
//! a folder or file for each target.

mod build;
mod outcome;
mod recorded;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
    thread,
};

use anyhow::{Context as _, Result, bail};

use self::outcome::{Figures, read};
use crate::root;

/// How to run.
pub(crate) struct Options {
    /// Seconds for each target.
    pub(crate) seconds: u32,
    /// Targets at a time; as many as there are processors if none is given.
    pub(crate) jobs: Option<usize>,
    /// Only these targets.
    pub(crate) only: Vec<String>,
}

/// Megabytes that a target may take: several times what the address sanitizer and the largest inputs need.
const MEMORY_MB: u32 = 2_048;
/// Seconds that one input may take. Decoders are bounded far below; machines that run tests are slow.
const INPUT_SECONDS: u32 = 25;

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

pub(crate) fn run(options: &Options) -> Result<()> {
    let program = build::program()?;
    let mut targets = list(&program)?;
    let unknown = options.only.iter().find(|name| targets.iter().all(|target| target.name != **name));
    if let Some(unknown) = unknown {
        let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
        bail!("no fuzz target {unknown}; there are {}", names.join(", "));
    }
    targets.retain(|target| options.only.is_empty() || options.only.contains(&target.name));
    let recorded = recorded::gather(&folder("recorded"))?;
    println!("xtask: {} targets, {} s each; {recorded} recorded inputs", targets.len(), options.seconds);
    println!("{}", Figures::HEAD);

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
                        println!("{}", outcome.figures.line(&target.name));
                    }
                    if let Ok(mut done) = done.lock() {
                        done.push((target.name, outcome));
                    }
                }
            });
        }
    });
    let mut failed = Vec::new();
    let done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let executions: u64 = done.iter().filter_map(|(_, outcome)| Some(outcome.as_ref().ok()?.figures.executions)).sum();
    for (name, outcome) in done {
        let outcome = outcome?;
        for find in &outcome.finds {
            eprintln!("\nxtask: {name}: a find. {}", outcome.reason);
            eprintln!("  input:  {}", find.display());
            eprintln!("  again:  WEIR_FUZZ_TARGET={name} {} {}", program.display(), find.display());
            eprintln!(
                "  keep:   copy it to fuzz/corpus/{name}, named for what is wrong; `cargo test -p weir-fuzz` tries it then"
            );
        }
        if outcome.failed {
            eprintln!("xtask: {name} failed; what it printed is in {}", log(&name).display());
            failed.push(name);
        }
    }
    println!("xtask: {executions} executions, {} targets failed", failed.len());
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// What became of a target.
struct Outcome {
    figures: Figures,
    /// Inputs that it failed with.
    finds: Vec<PathBuf>,
    /// Why, in the words of the program.
    reason: String,
    failed: bool,
}

fn folder(name: &str) -> PathBuf {
    build::folder().join(name)
}

fn log(target: &str) -> PathBuf {
    folder("logs").join(format!("{target}.log"))
}

/// The targets that the program has.
fn list(program: &Path) -> Result<Vec<Target>> {
    let output = Command::new(program).env("WEIR_FUZZ_TARGET", "list").output();
    let output = output.with_context(|| format!("cannot start {}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let read = |line: &str| {
        let (name, longest) = line.split_once(' ')?;
        Some(Target { name: name.to_owned(), longest: longest.parse().ok()? })
    };
    let targets: Option<Vec<Target>> = text.lines().map(read).collect();
    targets.filter(|targets| !targets.is_empty()).context("the program told of no targets")
}

/// Runs one target.
fn one(program: &Path, target: &Target, seconds: u32) -> Result<Outcome> {
    let name = &target.name;
    let (corpus, finds) = (folder("corpus").join(name), folder("finds").join(name));
    for folder in [&corpus, &finds, &folder("logs")] {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let before = files(&finds)?;
    let log = log(name);
    let file = fs::File::create(&log).with_context(|| log.display().to_string())?;
    let mut command = Command::new(program);
    command
        .env("WEIR_FUZZ_TARGET", name)
        .env("RUST_BACKTRACE", "1")
        // leaks of what lives as long as the process are none
        .args(["-print_final_stats=1".to_owned(), "-detect_leaks=0".to_owned(), "-use_value_profile=1".to_owned()])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={}", target.longest))
        .arg(format!("-rss_limit_mb={MEMORY_MB}"))
        .arg(format!("-timeout={INPUT_SECONDS}"))
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
    let (figures, reason) = read(&String::from_utf8_lossy(&fs::read(&log)?));
    let finds = files(&finds)?.into_iter().filter(|find| !before.contains(find)).collect();
    Ok(Outcome { figures, finds, reason, failed: !status.success() })
}

/// Files of a folder, in order.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}
