//! `weir compliance`.

use anyhow::Result;
use clap::Subcommand;
use weir_api::compliance::{Summary, SummaryQuery, UpdateCompliance, UpdateComplianceQuery};

use super::{Paging, computers, kb};
use crate::{
    Outcome,
    connection::Connection,
    print::{Printer, time},
};

#[derive(Debug, Subcommand)]
pub(crate) enum ComplianceCommand {
    /// How many computers of a collection have everything, and how the others stand.
    #[command(after_help = "Example:\n  weir compliance summary --collection Pilot --json")]
    Summary {
        /// Name or id; All Computers by default.
        #[arg(long, value_name = "NAME")]
        collection: Option<String>,
        /// Only computers that this downstream server reports, by name or GUID; "this" for those that scan here.
        #[arg(long, value_name = "NAME")]
        server: Option<String>,
        /// Only the updates of this update group, deployed or not.
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
    },
    /// Updates by how many computers need them.
    Updates {
        /// Name or id of a collection; All Computers by default.
        #[arg(long, value_name = "NAME")]
        collection: Option<String>,
        /// Only computers that this downstream server reports, by name or GUID; "this" for those that scan here.
        #[arg(long, value_name = "NAME")]
        server: Option<String>,
        /// Only the updates of this update group, deployed or not.
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
        /// Language of titles, such as de.
        #[arg(long, value_name = "CODE")]
        language: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// What one computer needs.
    Computer {
        /// Its id.
        id: String,
        /// Language of titles, such as de.
        #[arg(long, value_name = "CODE")]
        language: Option<String>,
    },
}

pub(crate) async fn run(command: ComplianceCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        ComplianceCommand::Summary { collection, server, group } => {
            let query = SummaryQuery { collection, server, group };
            let summary: Summary = connection.read(&["compliance", "summary"], &query).await?;
            printer.show(&summary, |page| {
                if summary.computers == 0 {
                    page.line("No computers in it. Next: weir computers list");
                    return;
                }
                page.field("computers", summary.computers);
                page.field("compliant", format!("{} ({:.1} %)", summary.compliant, summary.percent));
                page.field("as of", time(summary.as_of));
                page.line("\nComputers by state:");
                let counts = &summary.counts;
                page.field("required", counts.required);
                page.field("downloaded", counts.downloaded);
                page.field("pending restart", counts.pending_restart);
                page.field("failed", counts.failed);
                page.field("installed", counts.installed);
                page.field("not applicable", counts.not_applicable);
                page.field("unknown", counts.unknown);
            })?;
        }
        ComplianceCommand::Updates { collection, server, group, language, paging } => {
            let query = UpdateComplianceQuery { collection, server, group, language, cursor: None, limit: None };
            let list = paging.read::<UpdateCompliance>(connection, &["compliance", "updates"], &query).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|update| {
                    let counts = &update.counts;
                    vec![
                        update.id.to_string(),
                        (counts.required + counts.downloaded + counts.pending_restart).to_string(),
                        counts.failed.to_string(),
                        counts.installed.to_string(),
                        counts.unknown.to_string(),
                        format!("{:.1}", update.percent),
                        kb(&update.kb),
                        update.title.trim().to_owned(),
                    ]
                });
                let header = ["Id", "Needed", "Failed", "Installed", "Unknown", "%", "Article", "Title"];
                page.table(&header, rows.collect(), "No updates to report on. Next: weir import PATH");
                page.more(list.next.as_deref());
            })?;
        }
        ComplianceCommand::Computer { id, language } => {
            computers::show(&id, language, connection, printer).await?;
        }
    }
    Ok(Outcome::Done)
}
