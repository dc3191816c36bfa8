//! `weir completions`.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::{Outcome, cli::Cli};

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
#[command(after_help = "Examples:\n  weir completions bash > /etc/bash_completion.d/weir\n  \
                        weir completions --man /usr/local/share/man/man1")]
pub(crate) struct CompletionsArguments {
    /// Whose completion script to print.
    shell: Option<Shell>,
    /// Write the manual pages into this folder instead.
    #[arg(long, value_name = "DIR")]
    man: Option<PathBuf>,
}

pub(crate) fn run(arguments: &CompletionsArguments) -> Result<Outcome> {
    let mut command = Cli::command();
    if let Some(shell) = arguments.shell {
        clap_complete::generate(shell, &mut command, "weir", &mut anstream::stdout());
    }
    if let Some(folder) = &arguments.man {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        clap_mangen::generate_to(command, folder).with_context(|| folder.display().to_string())?;
    }
    Ok(Outcome::Done)
}
