//! `weir alerts`.

use anyhow::Result;
use clap::Subcommand;
use weir_api::alert::Alert;

use super::{Nothing, Paging};
use crate::{
    Outcome,
    connection::Connection,
    print::{Printer, time, time_or},
};

#[derive(Debug, Subcommand)]
pub(crate) enum AlertsCommand {
    /// List alerts, open ones first.
    List {
        #[command(flatten)]
        paging: Paging,
    },
}

pub(crate) async fn run(command: AlertsCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    let AlertsCommand::List { paging } = command;
    let list = paging.read::<Alert>(connection, &["alerts"], &Nothing {}).await?;
    printer.show(&list, |page| {
        let rows = list.items.iter().map(|alert| {
            vec![alert.severity.clone(), time(alert.opened_at), time_or(alert.closed_at, "open"), alert.message.clone()]
        });
        page.table(&["Severity", "Since", "Until", "What"], rows.collect(), "No alerts.");
        page.more(list.next.as_deref());
    })?;
    Ok(Outcome::Done)
}
