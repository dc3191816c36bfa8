//! Repository chores: `cargo xtask test`, `cargo xtask bench`, `cargo xtask fuzz`, `cargo xtask soak`, `cargo xtask upgrade`,
//! `cargo xtask package`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for developers reports on the terminal")]

mod fuzz;
mod needs;
mod package;
mod trial;
mod upgrade;

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result, bail};
use clap::Parser;

/// Repository chores.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Chore {
    /// Installs what the tests need, or says what is missing, then runs every test, and those that ask most of the store again on
    /// PostgreSQL.
    Test {
        /// Only prepare, run nothing.
        #[arg(long)]
        prepare: bool,
        /// Arguments for `cargo test`, instead of `--workspace`.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Installs what benchmarks compare with, then runs those of a release build (`weir bench`).
    Bench {
        /// Arguments for `weir bench`; if there are none, `all` with all that is here to measure with, into target/bench.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Runs each fuzz target for a short while.
    Fuzz {
        /// Seconds for each target.
        #[arg(long, default_value_t = 30)]
        seconds: u32,
        /// Targets at a time; as many as there are processors if not given.
        #[arg(long)]
        jobs: Option<usize>,
        /// Only try this input, of the one target that is named; such as one that a run found.
        #[arg(long, value_name = "FILE", requires = "targets")]
        input: Option<PathBuf>,
        /// Only these targets.
        targets: Vec<String>,
    },
    /// Lets servers of a release build work for a while, with restarts and power cuts, and looks what has grown or got lost.
    Soak {
        /// Minutes that each test works; all of them at the same time.
        #[arg(long, default_value_t = 60)]
        minutes: u32,
        /// What random moments follow from; a run that fails names its own.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Only tests that have this in their name, such as `of_cuts`.
        #[arg(default_value = "")]
        only: String,
    },
    /// Builds the newest release before this one, and tests an upgrade from it: under load where that release shares a database.
    Upgrade {
        /// Every release, not only the newest.
        #[arg(long)]
        all: bool,
    },
    /// Makes the Debian package, below target/package.
    Package {
        /// Pack this program instead of building one.
        #[arg(long, value_name = "FILE")]
        program: Option<PathBuf>,
    },
}

/// Says which engine the databases of tests are on.
const ENGINE: &str = "WEIR_TEST_ENGINE";

/// What is run again with databases of PostgreSQL: all that asks much of the store, and some of the whole program. The program's own
/// package, which has no library and none of these tests, is named with each: libraries get the features then that they have in the
/// whole workspace. Otherwise cargo builds most of them, and all of ours, once more.
const ON_POSTGRES: [&[&str]; 3] = [
    &["--package", "weir", "--package", "weir-store", "--lib"],
    &[
        "--package",
        "weir",
        "--package",
        "weir-server",
        "--test",
        "client",
        "--test",
        "conformance",
        "--test",
        "downstream",
        "--test",
        "rollup",
        "--test",
        "upstream",
    ],
    &[
        "--package",
        "weir",
        "--test",
        "system",
        "--",
        "crash::a_deployment_is_there",
        "crash::a_report_is_there",
        "crash::cleanup",
        "first_day::a_computer_is_offered",
        "lifecycle::what_was_there",
        "scan_life",
        "sites::a_child_that_drifted",
        "sites::a_copied_data_folder",
        "synchronize::a_new_administrator",
    ],
];

fn main() -> ExitCode {
    match run(Chore::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(chore: Chore) -> Result<()> {
    match chore {
        Chore::Test { prepare, arguments } => {
            needs::provide()?;
            if prepare {
                return Ok(());
            }
            if !arguments.is_empty() {
                return trial::tell(&[trial::run(&arguments, None)?]);
            }
            let mut reports = vec![trial::run(&words(&["--workspace", "--no-fail-fast"]), None)?];
            // whatever failed, it is known of both engines then
            for targets in ON_POSTGRES {
                if !reports.iter().all(trial::Report::began) {
                    break; // what cannot be built cannot be built for the other engine
                }
                let mut arguments = words(&["--no-fail-fast"]);
                arguments.extend(words(targets));
                reports.push(trial::run(&arguments, Some("postgres"))?);
            }
            trial::tell(&reports)
        }
        Chore::Bench { arguments } => {
            let mut cargo = cargo("run");
            cargo.args(["--release", "--package", "weir", "--", "bench"]);
            if arguments.is_empty() {
                needs::provide_for_bench();
                cargo.args(everything()?);
            } else {
                cargo.args(arguments);
            }
            succeed(&mut cargo)
        }
        Chore::Fuzz { seconds, jobs, input, targets } => {
            fuzz::run(&fuzz::Options { seconds, jobs, only: targets, input })
        }
        Chore::Soak { minutes, seed, only } => {
            needs::provide()?;
            let mut cargo = cargo("test");
            cargo.args(["--release", "--package", "weir", "--test", "system", "--", "--ignored", "--nocapture"]);
            cargo.arg(format!("soak_{only}")).env("SOAK_MINUTES", minutes.to_string());
            succeed(cargo.env("SOAK_SEED", seed.to_string()))
        }
        Chore::Upgrade { all } => upgrade::run(all),
        Chore::Package { program } => package::run(program),
    }
}

/// Arguments of `weir bench` that measure everything that can be measured here.
fn everything() -> Result<Vec<PathBuf>> {
    let mut arguments = vec![PathBuf::from("all"), PathBuf::from("--out"), target_dir().join("bench")];
    if let Some(package) = genuine_export()? {
        arguments.extend([PathBuf::from("--package"), package]);
    }
    let packages = target_dir().join("console-browser");
    if packages.join("node_modules/playwright-core").is_dir() {
        arguments.extend([PathBuf::from("--browser"), root().join("tests/console"), packages]);
    }
    if has_postgresql() {
        arguments.push(PathBuf::from("--postgres"));
    }
    Ok(arguments)
}

/// Whether programs of PostgreSQL are here as Debian has them, of a release that the server takes.
fn has_postgresql() -> bool {
    let releases = Path::new("/usr/lib/postgresql").read_dir().into_iter().flatten().flatten();
    let mut whole = releases.filter(|entry| entry.path().join("bin/initdb").is_file());
    whole.any(|entry| {
        entry.file_name().to_str().and_then(|name| name.parse().ok()).is_some_and(|release: u32| release >= 15)
    })
}

/// The first package of the folder of genuine data, if there is one.
fn genuine_export() -> Result<Option<PathBuf>> {
    let folder = needs::shared().join("data");
    if !folder.is_dir() {
        return Ok(None);
    }
    let entries = folder.read_dir()?.collect::<Result<Vec<_>, _>>()?;
    let mut packages: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    packages.retain(|path| path.extension() == Some(OsStr::new("cab")));
    packages.sort();
    Ok(packages.into_iter().next())
}

/// The workspace's root folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Where cargo puts what it builds.
fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// The cargo that runs this program, in the workspace's root.
fn cargo(subcommand: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").as_deref().unwrap_or(OsStr::new("cargo")));
    command.current_dir(root()).arg(subcommand);
    command
}

/// Shows a command and runs it; it must end well.
fn succeed(command: &mut Command) -> Result<()> {
    let shown = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ");
    println!("xtask: {shown}");
    let status = command.status().with_context(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Whether a command starts and ends well; what it prints is dropped.
fn works(program: impl AsRef<OsStr>, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}
