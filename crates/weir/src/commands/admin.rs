//! `weir admin`.

use anyhow::Result;
use clap::Subcommand;
use weir_api::access::SignInLink;

use super::Nothing;
use crate::{
    Outcome,
    connection::Connection,
    print::{Printer, time},
};

#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Make a link that opens the status page in a browser. It works once.
    SignIn,
}

pub(crate) async fn run(command: AdminCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        AdminCommand::SignIn => {
            let link: SignInLink = connection.call(&["sign-in-links"], &Nothing {}).await?;
            printer.show(&link, |page| {
                page.line(&link.url);
                page.line(format!("It works once, until {}.", time(link.expires_at)));
            })?;
        }
    }
    Ok(Outcome::Done)
}
