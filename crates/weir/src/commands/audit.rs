//! `weir audit`.

use anyhow::Result;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use reqwest::Method;
use weir_api::{
    List,
    audit::{AuditQuery, AuditRow},
};

use super::Paging;
use crate::{
    Outcome,
    connection::Connection,
    print::{Printer, time},
};

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List what was changed by whom, newest first.
    #[command(
        after_help = "Examples:\n  weir audit list --actor alice\n  weir audit list --action deployment. --since 2026-11-01T00:00:00Z\n  \
                            weir audit list --csv > audit.csv"
    )]
    List(ListArguments),
}

#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    /// By whom.
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// What was done, or what that begins with.
    #[arg(long, value_name = "PREFIX")]
    action: Option<String>,
    /// To exactly what.
    #[arg(long, value_name = "TEXT")]
    subject: Option<String>,
    /// At this instant or later.
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Before this instant.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Print CSV: all rows, 100,000 at most.
    #[arg(long, conflicts_with_all = ["limit", "all", "cursor"])]
    csv: bool,
    #[command(flatten)]
    paging: Paging,
}

pub(crate) async fn run(command: AuditCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    let AuditCommand::List(arguments) = command;
    let ListArguments { actor, action, subject, since, until, csv, paging } = arguments;
    let query = AuditQuery { actor, action, subject, since, until, ..AuditQuery::default() };
    if csv {
        let request = connection.request(Method::GET, &["audit.csv"])?.query(&query);
        let text = connection.send(request).await?.text().await?;
        Printer::raw(&text)?;
        return Ok(Outcome::Done);
    }
    let list: List<AuditRow> = paging.read(connection, &["audit"], &query).await?;
    printer.show(&list, |page| {
        let rows = list.items.iter().map(|row| {
            let approved = row.approved_by.as_ref().map(|name| format!(", approved by {name}")).unwrap_or_default();
            vec![
                time(row.at),
                format!("{}{approved}", row.actor),
                row.proof.clone().unwrap_or_default(),
                row.from.clone().unwrap_or_default(),
                row.action.clone(),
                row.subject.clone(),
            ]
        });
        let header = ["At", "Who", "By", "From", "What", "To"];
        page.table(&header, rows.collect(), "Nothing was changed, or nothing fits.");
        page.more(list.next.as_deref());
    })?;
    Ok(Outcome::Done)
}
