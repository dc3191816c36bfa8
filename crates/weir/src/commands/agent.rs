//! `weir agent`: commands of the client side, which need no server of this machine.

mod facts;
mod options;
mod run;
mod scan;
mod show;

use anyhow::Result;
use clap::Subcommand;

use crate::{Outcome, print::Printer};

#[derive(Debug, Subcommand)]
pub(crate) enum AgentCommand {
    /// Show what is known of a computer: from a facts file, or from the disk of a Windows that is not running.
    #[command(after_help = facts::EXAMPLES)]
    Facts(facts::FactsArguments),
    /// Scan for updates on schedule, with retries, and report; ends with SIGTERM or Ctrl-C.
    #[command(after_help = run::EXAMPLES)]
    Run(run::RunArguments),
    /// Scan for updates once: what a server offers to a computer, and what it needs.
    #[command(after_help = scan::EXAMPLES)]
    Scan(scan::ScanArguments),
}

pub(crate) fn run(command: AgentCommand, runtime: &tokio::runtime::Runtime, printer: &Printer) -> Result<Outcome> {
    match command {
        AgentCommand::Facts(arguments) => facts::run(&arguments, printer),
        AgentCommand::Run(arguments) => runtime.block_on(run::run(&arguments, printer)),
        AgentCommand::Scan(arguments) => runtime.block_on(scan::run(&arguments, printer)),
    }
}
