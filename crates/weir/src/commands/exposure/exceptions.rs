//! `weir exposure exceptions`.

use anyhow::Result;
use clap::{Args, Subcommand};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use reqwest::Method;
use uuid::Uuid;
use weir_api::exposure_level::{Exception, ExceptionCreate, ExceptionQuery};

use crate::{
    commands::Paging,
    connection::Connection,
    print::{Page, Printer, time},
};

#[derive(Debug, Subcommand)]
pub(crate) enum ExceptionsCommand {
    /// List exceptions, by their end.
    #[command(
        after_help = "Examples:\n  weir exposure exceptions list\n  weir exposure exceptions list --expired --json"
    )]
    List {
        /// Also those that are over.
        #[arg(long)]
        expired: bool,
        #[command(flatten)]
        paging: Paging,
    },
    /// Add an exception: about a CVE or an update, on a collection or a computer.
    #[command(after_help = "Examples:\n  weir exposure exceptions add --cve CVE-2024-21302 --collection Presses \
                            --owner \"A. Person\" --reason \"The press stops in May\" --expires 2027-05-31\n  \
                            weir exposure exceptions add --update 6f2d3ad0-5b0f-4f0b-9d2b-4a5a3ad1f0c1 --computer \
                            3b241101-e2bb-4255-8caf-4136c566a962 --owner \"A. Person\" --reason \"Breaks the driver\" \
                            --expires 2027-01-31\n\n\
                            An exception about an update counts for a CVE if every exposed part would be fixed by such an \
                            update. It ends at the end of the day (UTC), after two years at most.")]
    Add(AddArguments),
    /// Remove exceptions.
    #[command(after_help = "Example:\n  weir exposure exceptions remove 0f5c2f1e-8f63-4a9e-a2f4-6c6f6f1f2d11")]
    Remove {
        /// Ids.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<Uuid>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct AddArguments {
    /// About this vulnerability.
    #[arg(long, value_name = "CVE", required_unless_present = "update", conflicts_with = "update")]
    cve: Option<String>,
    /// About this update.
    #[arg(long, value_name = "ID")]
    update: Option<Uuid>,
    /// On computers of this collection and of those below it.
    #[arg(long, value_name = "NAME", required_unless_present = "computer", conflicts_with = "computer")]
    collection: Option<String>,
    /// On this computer.
    #[arg(long, value_name = "ID")]
    computer: Option<String>,
    /// Who answers for it.
    #[arg(long, value_name = "NAME")]
    owner: String,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The last day that it counts, or the instant when it ends.
    #[arg(long, value_name = "DATE", value_parser = end)]
    expires: Timestamp,
}

/// The end of a day, or an instant.
fn end(text: &str) -> Result<Timestamp, String> {
    if let Ok(instant) = text.parse() {
        return Ok(instant);
    }
    let day: Date = text.parse().map_err(|error| format!("{text:?} is neither a day nor an instant: {error}"))?;
    let next = day.tomorrow().and_then(|next| next.to_zoned(TimeZone::UTC));
    next.map(|next| next.timestamp()).map_err(|error| error.to_string())
}

pub(super) async fn run(command: ExceptionsCommand, connection: &Connection, printer: &Printer) -> Result<()> {
    match command {
        ExceptionsCommand::List { expired, paging } => {
            let query = ExceptionQuery { expired: expired.then_some(true), ..ExceptionQuery::default() };
            let list = paging.read::<Exception>(connection, &["exposure", "exceptions"], &query).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|it| {
                    vec![
                        it.id.to_string(),
                        about(it),
                        holds(it),
                        it.owner.clone(),
                        if it.expired { format!("{} (over)", time(it.expires_at)) } else { time(it.expires_at) },
                        it.reason.clone(),
                    ]
                });
                let empty = "No exceptions. Next: weir exposure exceptions add --cve CVE --collection NAME --owner NAME \
                             --reason TEXT --expires DATE";
                page.table(&["Id", "About", "On", "Owner", "Ends", "Reason"], rows.collect(), empty);
                page.more(list.next.as_deref());
            })
        }
        ExceptionsCommand::Add(arguments) => {
            let new = ExceptionCreate {
                cve: arguments.cve,
                update: arguments.update,
                collection: arguments.collection,
                computer: arguments.computer,
                owner: arguments.owner,
                reason: arguments.reason,
                expires_at: Some(arguments.expires),
            };
            let made: Exception = connection.change(Method::POST, &["exposure", "exceptions"], &new).await?;
            printer.show(&made, |page| show(page, &made))
        }
        ExceptionsCommand::Remove { ids } => {
            for id in &ids {
                connection.delete(&["exposure", "exceptions", &id.to_string()]).await?;
            }
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            printer.done(&format!("removed {}", ids.join(", ")))
        }
    }
}

fn show(page: &mut Page, it: &Exception) {
    page.field("exception", it.id);
    page.field("about", about(it));
    page.field("on", holds(it));
    page.field("owner", &it.owner);
    page.field("ends", time(it.expires_at));
}

fn about(it: &Exception) -> String {
    let update = it.update.as_ref().map(|update| update.name.clone());
    it.cve.clone().or(update).unwrap_or_default()
}

fn holds(it: &Exception) -> String {
    let collection = it.collection.as_ref().map(|collection| collection.name.clone());
    collection.or_else(|| it.computer.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_counts_to_its_end() {
        assert_eq!(end("2031-05-31").map(|it| it.to_string()), Ok("2031-06-01T00:00:00Z".to_owned()));
        assert_eq!(end("2031-05-31T12:00:00Z").map(|it| it.to_string()), Ok("2031-05-31T12:00:00Z".to_owned()));
        assert!(end("May").is_err());
    }
}
