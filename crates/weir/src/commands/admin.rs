//! `weir admin`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;
use weir_api::access::SignInLink;
use weir_server::{Options, start};

use super::Nothing;
use crate::{
    Outcome,
    connection::Connection,
    print::{Printer, time},
};

#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Make a link that signs the built-in administrator in. It works once.
    SignIn,
    /// The same while no server runs, for who has lost every other way in. Nothing else changes.
    Reset {
        /// Configuration file that the server uses [default: weir.toml of the data folder].
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Address of the database, if it is on a server of PostgreSQL [default: database.url of the configuration file].
        #[arg(long, value_name = "URL")]
        database: Option<String>,
    },
}

pub(crate) async fn run(command: AdminCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        AdminCommand::SignIn => {
            let link: SignInLink = connection.call(&["sign-in-links"], &Nothing {}).await?;
            show(&link, printer)?;
        }
        // it needs no server, and is done before one is looked for
        AdminCommand::Reset { .. } => return Ok(Outcome::Failed),
    }
    Ok(Outcome::Done)
}

/// Makes a link in the data folder itself.
pub(crate) async fn reset(
    data: Option<PathBuf>,
    config: Option<PathBuf>,
    database: Option<String>,
    printer: &Printer,
) -> Result<Outcome> {
    let settings = start::settings(&Options { data, config, database, ..Options::default() })?;
    let link = start::reset(&settings).await?;
    show(&link, printer)?;
    Ok(Outcome::Done)
}

fn show(link: &SignInLink, printer: &Printer) -> Result<()> {
    printer.show(link, |page| {
        page.line(&link.url);
        page.line(format!("It works once, until {}.", time(link.expires_at)));
    })
}
