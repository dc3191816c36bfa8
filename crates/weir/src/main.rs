//! The command line.
//!
//! *Invariant:* no logic here. `serve` runs the server, a few commands (`restore`, `doctor`, `migrate`, `admin reset`) call it on a folder
//! without one; every other command is one or a few REST calls and a table.

mod cli;
mod commands;
mod connection;
mod fetch;
mod print;
mod progress;
mod upload;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{cli::Cli, print::Printer};

// The catalogue and answers are many short-lived buffers of mixed size, on which the system allocator fragments.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How a command ended that did not fail altogether.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Outcome {
    /// Everything was done.
    Done,
    /// Nothing was done, and the reason is already printed.
    Failed,
    /// Some of it was done.
    Partly,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Failed => Self::from(1),
            // 2 is wrong usage, which the argument parser answers itself
            Outcome::Partly => Self::from(3),
        }
    }
}

fn main() -> ExitCode {
    // With two cryptography providers in a build, rustls would panic at the first connection unless one is chosen.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        anstream::eprintln!("error: another cryptography provider is installed already");
        return ExitCode::FAILURE;
    }
    let cli = Cli::parse();
    let printer = Printer::new(cli.json);
    match commands::run(cli, &printer) {
        Ok(outcome) => outcome.into(),
        Err(error) if print::is_reader_gone(&error) => ExitCode::SUCCESS,
        Err(error) => {
            printer.failure(&error);
            if print::is_usage(&error) { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}
