//! `weir restore`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use jiff::Timestamp;
use tokio::runtime::Runtime;
use weir_server::{Options, backup, start};

use super::backup::{refused, with_progress};
use crate::{
    Outcome,
    print::{Page, Printer, time},
};

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  weir restore /srv/weir-backups/weir-20261130T020000Z\n  \
                        weir restore /srv/weir-backups/weir-20261130T020000Z --data /var/lib/weir --config /etc/weir/weir.toml \
                        --replace\n  \
                        weir restore --state-of 2026-11-30T02:00:00Z --data /var/lib/weir\n\n\
                        Every file is compared with its digest and the database is checked before anything is changed. Run it as the \
                        server's user, while no server runs. The database goes where the process settings have it: into the data folder, or \
                        into an empty database of PostgreSQL, whichever it came from. One that was cut short goes on when the same command is given again.")]
pub(crate) struct RestoreArguments {
    /// The folder of the backup.
    #[arg(value_name = "BACKUP", required_unless_present = "state_of")]
    backup: Option<PathBuf>,
    /// Keep what is in the data folder aside, in a folder replaced-TIME below it, and restore in its place. Without it the folder
    /// must be empty. weir.toml, content, backups and reports stay where they are in any case.
    #[arg(long)]
    replace: bool,
    /// Configuration file that the server will use [default: weir.toml of the data folder, else that of the backup].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address of the database that it goes to, if that is on a server of PostgreSQL; it must be empty [default: database.url of the
    /// configuration file].
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Restore nothing: the data were brought back to the state of this time already, by a snapshot of the disk or the machine, a
    /// copy, or recovery to a point in time. Computers and servers below are told at the next start, as after any restore.
    #[arg(long, value_name = "TIME", conflicts_with_all = ["backup", "replace"])]
    state_of: Option<Timestamp>,
}

pub(crate) fn run(
    data: Option<PathBuf>,
    arguments: RestoreArguments,
    runtime: &Runtime,
    printer: &Printer,
) -> Result<Outcome> {
    let _entered = runtime.enter();
    let options = Options { data, config: arguments.config, database: arguments.database, ..Options::default() };
    let now = Timestamp::now();
    if let Some(state_of) = arguments.state_of {
        return brought_back(&options, state_of, now, printer);
    }
    let Some(folder) = &arguments.backup else { bail!("name the folder of a backup, or give --state-of TIME") };
    let restored = with_progress(|watch| backup::restore(&options, folder, arguments.replace, now, watch));
    let restored = restored.map_err(|error| refused(&error.failure()))?;
    printer.show(&restored, |page| {
        page.line(format!("restored into {}: the state of {}", restored.data, time(restored.backup.made_at)));
        page.field("from", &restored.backup.path);
        page.field("kept aside", restored.aside.clone().unwrap_or_default());
        if restored.content_added + restored.content_kept > 0 {
            let (added, kept) = (restored.content_added, restored.content_kept);
            page.field("content", format!("{added} files added, {kept} were there"));
        }
        told(page, &restored.sees, &restored.next_steps);
    })?;
    Ok(Outcome::Done)
}

/// Makes it known that the data have an earlier state again.
fn brought_back(options: &Options, state_of: Timestamp, now: Timestamp, printer: &Printer) -> Result<Outcome> {
    if state_of > now {
        bail!("{state_of} is still to come; give the time of the state that the data have now");
    }
    let noted = backup::brought_back(&start::settings(options)?, state_of, now);
    let noted = noted.map_err(|error| refused(&error.failure()))?;
    printer.show(&noted, |page| {
        page.line(format!("noted for {}: the state of {}", noted.data, time(noted.state_of)));
        told(page, &noted.sees, &noted.next_steps);
    })?;
    Ok(Outcome::Done)
}

/// What happens, and what to do.
fn told(page: &mut Page, sees: &[String], next_steps: &[String]) {
    page.line("");
    page.line("What happens when it starts:");
    for sentence in sees {
        page.line(format!("* {sentence}"));
    }
    page.line("");
    page.line("Next:");
    for step in next_steps {
        page.line(format!("* {step}"));
    }
}
