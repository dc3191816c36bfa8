//! `weir agent`: commands of the client side, which need no server of this machine.

mod facts;

use anyhow::Result;
use clap::Subcommand;

use crate::{Outcome, print::Printer};

#[derive(Debug, Subcommand)]
pub(crate) enum AgentCommand {
    /// Show what is known of a computer: from a facts file, or from the disk of a Windows that is not running.
    #[command(after_help = facts::EXAMPLES)]
    Facts(facts::FactsArguments),
}

pub(crate) fn run(command: AgentCommand, printer: &Printer) -> Result<Outcome> {
    match command {
        AgentCommand::Facts(arguments) => facts::run(&arguments, printer),
    }
}
