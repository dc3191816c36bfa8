//! Repository chores: `cargo xtask test`, `cargo xtask bench`, `cargo xtask fuzz`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for developers reports on the terminal")]

mod fuzz;
mod needs;

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
    /// Installs what the tests need, or says what is missing, then runs every test.
    Test {
        /// Only prepare, run nothing.
        #[arg(long)]
        prepare: bool,
        /// Arguments for `cargo test`, instead of `--workspace`.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Runs the benchmarks of a release build (`weir bench`).
    Bench {
        /// Arguments for `weir bench`; `all` if there are none.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Runs each fuzz target for a short while.
    Fuzz {
        /// Seconds for each target.
        #[arg(long, default_value_t = 30)]
        seconds: u32,
        /// Only these targets.
        targets: Vec<String>,
    },
}

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
            let mut cargo = cargo("test");
            if arguments.is_empty() {
                cargo.args(["--workspace", "--no-fail-fast"]);
            } else {
                cargo.args(arguments);
            }
            succeed(&mut cargo)
        }
        Chore::Bench { arguments } => {
            let mut cargo = cargo("run");
            cargo.args(["--release", "--package", "weir", "--", "bench"]);
            if arguments.is_empty() {
                cargo.arg("all");
            } else {
                cargo.args(arguments);
            }
            succeed(&mut cargo)
        }
        Chore::Fuzz { seconds, targets } => fuzz::run(seconds, &targets),
    }
}

/// The workspace's root folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
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
