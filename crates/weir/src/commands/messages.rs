//! `weir messages`.

use anyhow::Result;
use clap::Subcommand;
use weir_api::{
    List,
    message::{StatusMessage, StatusMessageMeaning, StatusMessageQuery},
};

use super::{Nothing, Paging};
use crate::{
    Outcome,
    connection::Connection,
    print::{Printer, time},
};

#[derive(Debug, Subcommand)]
pub(crate) enum MessagesCommand {
    /// List what happened at this site, newest first.
    #[command(
        after_help = "Examples:\n  weir messages list --component synchronization --since 7d --severity warning\n  \
                            weir messages list --text KB5031234\n  weir messages list --code 1003 --all --json"
    )]
    List {
        /// Of this part of the server: synchronization, content, rules, deployments, sites, notifications, ...
        #[arg(long, value_name = "PART")]
        component: Option<String>,
        /// At least so bad: information, warning, error.
        #[arg(long, value_name = "SEVERITY")]
        severity: Option<String>,
        /// Not older: how long ago, such as 7d or 12h, or an RFC 3339 time.
        #[arg(long, value_name = "WHEN")]
        since: Option<String>,
        /// With this in the text.
        #[arg(long, value_name = "TEXT")]
        text: Option<String>,
        /// With this number.
        #[arg(long, value_name = "NUMBER")]
        code: Option<u32>,
        #[command(flatten)]
        paging: Paging,
    },
    /// List what the numbers of messages mean.
    #[command(after_help = "Example:\n  weir messages meanings")]
    Meanings,
}

pub(crate) async fn run(command: MessagesCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        MessagesCommand::List { component, severity, since, text, code, paging } => {
            let query = StatusMessageQuery { component, severity, since, text, code, ..StatusMessageQuery::default() };
            let list = paging.read::<StatusMessage>(connection, &["messages"], &query).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|row| {
                    vec![
                        time(row.at),
                        row.severity.clone(),
                        row.component.clone(),
                        row.code.to_string(),
                        row.text.clone(),
                    ]
                });
                let empty = "No messages. What there can be: weir messages meanings";
                page.table(&["Time", "Severity", "Component", "Code", "What happened"], rows.collect(), empty);
                page.more(list.next.as_deref());
            })?;
        }
        MessagesCommand::Meanings => {
            let list: List<StatusMessageMeaning> = connection.read(&["message-meanings"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|row| {
                    vec![
                        row.code.to_string(),
                        row.component.clone(),
                        row.severity.clone(),
                        row.similar_to.map(|number| number.to_string()).unwrap_or_default(),
                        row.text.clone(),
                    ]
                });
                let header = ["Code", "Component", "Severity", "Similar to", "Text"];
                page.table(&header, rows.collect(), "No messages are known.");
            })?;
        }
    }
    Ok(Outcome::Done)
}
