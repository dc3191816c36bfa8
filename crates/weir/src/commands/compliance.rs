//! `weir compliance`.

mod errors;
pub(super) mod freshness;
mod history;
mod spark;
pub(super) mod standing;

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;
use reqwest::Method;
use serde_json::json;
use weir_api::{
    compliance::{
        ComputerStandingQuery, ServerSummaryQuery, Summary, SummaryQuery, UpdateCompliance, UpdateComplianceQuery,
    },
    deployment_compliance::{DeploymentComplianceQuery, DeploymentStandingQuery},
    freshness::FreshnessQuery,
    report::ComplianceExportQuery,
};

use self::standing::{EnforcementArgument, StateArgument, StatusArgument};
use super::{Paging, computers, kb};
use crate::{
    Outcome,
    connection::Connection,
    fetch,
    print::{self, Printer, time},
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
        /// Count computers that stopped calling or reporting as unknown, whatever they said last.
        #[arg(long)]
        current: bool,
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
        /// Count computers that stopped calling or reporting as unknown, whatever they said last.
        #[arg(long)]
        current: bool,
        /// Language of titles, such as de.
        #[arg(long, value_name = "CODE")]
        language: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Which computers are in which state: of an update, of an update group, of everything.
    #[command(
        after_help = "Examples:\n  weir compliance computers --update 11111111-2222-3333-4444-555555555555 --state failed\n  \
                      weir compliance computers --group Monthly --collection Pilot --state required"
    )]
    Computers {
        /// Their states of this update; otherwise each has the worst of all its states.
        #[arg(long, value_name = "ID")]
        update: Option<String>,
        /// Only computers in this state.
        #[arg(long, value_enum)]
        state: Option<StateArgument>,
        /// Name or id of a collection; All Computers by default.
        #[arg(long, value_name = "NAME")]
        collection: Option<String>,
        /// Only computers that this downstream server reports, by name or GUID; "this" for those that scan here.
        #[arg(long, value_name = "NAME")]
        server: Option<String>,
        /// The worst state of the updates of this update group.
        #[arg(long, value_name = "NAME", conflicts_with = "update")]
        group: Option<String>,
        /// Count computers that stopped calling or reporting as unknown, whatever they said last.
        #[arg(long)]
        current: bool,
        #[command(flatten)]
        paging: Paging,
    },
    /// How the computers of each server of the tree stand, and how old what is told of them is.
    Servers {
        /// Name or id of a collection; All Computers by default.
        #[arg(long, value_name = "NAME")]
        collection: Option<String>,
        /// Only the updates of this update group, deployed or not.
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
        /// Count computers that stopped calling or reporting as unknown, whatever they said last.
        #[arg(long)]
        current: bool,
    },
    /// Deployments with how their computers stand.
    Deployments {
        /// Only deployments to this collection.
        #[arg(long, value_name = "NAME")]
        collection: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// How the computers of one deployment stand.
    #[command(after_help = "Examples:\n  weir compliance deployment 7 --computers --status error\n  weir \
                            compliance deployment 7 --computers --enforcement waiting-for-window")]
    Deployment {
        /// Its number.
        id: i32,
        /// The computers, one by one.
        #[arg(long)]
        computers: bool,
        /// Only computers with this status.
        #[arg(long, value_enum, requires = "computers")]
        status: Option<StatusArgument>,
        /// Only computers that are there.
        #[arg(long, value_enum, requires = "computers")]
        enforcement: Option<EnforcementArgument>,
        #[command(flatten)]
        paging: Paging,
    },
    /// How compliance went, day by day.
    #[command(
        after_help = "Examples:\n  weir compliance history --collection Pilot\n  weir compliance history --group \"2026-11 Security\" \
                      --from 2026-11-10\n  weir compliance history --csv > all-computers.csv\n\nRecords are taken every hour; \
                      the last of a day stays. What is recorded: weir compliance subjects."
    )]
    History(history::HistoryArguments),
    /// What history is kept of.
    #[command(after_help = "Example:\n  weir compliance subjects --kind group")]
    Subjects {
        /// Only those of this kind.
        #[arg(long, value_enum)]
        kind: Option<history::Kind>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Take the record of today now.
    #[command(after_help = "Example:\n  weir compliance record")]
    Record,
    /// How an update group went ring by ring.
    #[command(
        after_help = "Examples:\n  weir compliance trend --phased November\n  weir compliance trend --group \"2026-11 Security\" \
                      --collections Pilot,Broad"
    )]
    Trend(history::TrendArguments),
    /// When 50, 90 and 95 percent complied.
    #[command(
        after_help = "Examples:\n  weir compliance time-to --group \"2026-11 Security\"\n  weir compliance time-to --group \
                      \"2026-11 Security\" --collection Pilot\n  weir compliance time-to --collection Pilot --since 30d\n\nThe time \
                      counts from the earliest time from which a deployment of the group is available, else from when the group \
                      was made; for an update from when its publisher made it; from --since where that is given."
    )]
    TimeTo(history::TimeToArguments),
    /// Why installations and scans fail, in groups.
    #[command(
        after_help = "Examples:\n  weir compliance errors\n  weir compliance errors --by update --since 7d\n  weir compliance errors \
                      --by os --collection Pilot --json"
    )]
    Errors(errors::ErrorsArguments),
    /// What an error code means, what to do about it, and where it occurs.
    #[command(
        after_help = "Examples:\n  weir compliance explain-error 0x80240022\n  weir compliance explain-error -2145124318\n  weir \
                      compliance explain-error 1603"
    )]
    ExplainError(errors::ExplainArguments),
    /// Write everything that computers listed to a Parquet file, one row for each computer and update, for other tools.
    #[command(after_help = "Examples:\n  weir compliance export compliance.parquet\n  \
                            weir compliance export servers.parquet --collection Servers\n  \
                            weir compliance export computers.parquet --computers\n\n\
                            Columns: computer_id, computer_name, site, update_id, article, title, state, changed, error, \
                            reported, as_of. What is not listed does not apply or is unknown: --all-states adds it. With \
                            --computers: computer_id, computer_name, site, collections, os, last_contact, last_scan, \
                            last_report, reported, updates_required and so on for each state, state, compliant, as_of.")]
    Export {
        /// The file to write.
        file: PathBuf,
        /// Name or id of a collection; All Computers by default.
        #[arg(long, value_name = "NAME")]
        collection: Option<String>,
        /// Only computers that this server reports, by name or GUID; "this" for those that scan here.
        #[arg(long, value_name = "NAME")]
        site: Option<String>,
        /// Only the updates of this update group, by name or id.
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
        /// One row for each computer, also for those that list nothing, with its states counted.
        #[arg(long)]
        computers: bool,
        /// Also rows of what is unknown or does not apply: one for each computer and update that it is asked about.
        #[arg(long, conflicts_with = "computers")]
        all_states: bool,
    },
    /// How many computers call, scan and report, and how their last scans ended.
    #[command(
        after_help = "Examples:\n  weir compliance freshness\n  weir compliance freshness --collection Pilot --silent-days 14"
    )]
    Freshness {
        /// Name or id; All Computers by default.
        #[arg(long, value_name = "NAME")]
        collection: Option<String>,
        /// Only computers that this downstream server reports, by name or GUID; "this" for those that scan here.
        #[arg(long, value_name = "NAME")]
        server: Option<String>,
        /// Days without a call after which a computer is silent; the setting computers.silent_days by default.
        #[arg(long, value_name = "N")]
        silent_days: Option<u32>,
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
        ComplianceCommand::Summary { collection, server, group, current } => {
            let query = SummaryQuery { collection, server, group, current };
            let summary: Summary = connection.read(&["compliance", "summary"], &query).await?;
            printer.show(&summary, |page| {
                if summary.computers == 0 {
                    page.line("No computers in it. Next: weir computers list");
                    return;
                }
                page.field("computers", summary.computers);
                page.field("compliant", standing::share(summary.compliant, summary.percent));
                page.field("of these current", summary.compliant_current);
                page.field("as of", time(summary.as_of));
                if summary.percent.is_none() {
                    page.line("\nNobody is asked about these updates: they are declined or replaced, or in the scope of nobody.");
                }
                standing::aged(page, summary.silent, summary.not_reporting, summary.rolled_up);
                if summary.silent + summary.not_reporting > 0 {
                    page.line("Counted as unknown: weir compliance summary --current");
                }
                page.line("\nComputers by state:");
                let counts = &summary.counts;
                page.field("required", counts.required);
                page.field("downloaded", counts.downloaded);
                page.field("pending restart", counts.pending_restart);
                page.field("failed", counts.failed);
                page.field("installed", counts.installed);
                page.field("not applicable", counts.not_applicable);
                page.field("unknown", counts.unknown);
                if summary.not_asked > 0 {
                    page.field("of these not asked", summary.not_asked);
                }
            })?;
        }
        ComplianceCommand::Updates { collection, server, group, current, language, paging } => {
            let query =
                UpdateComplianceQuery { collection, server, group, current, language, cursor: None, limit: None };
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
                        standing::percent(update.percent),
                        kb(&update.kb),
                        update.title.trim().to_owned(),
                    ]
                });
                let header = ["Id", "Needed", "Failed", "Installed", "Unknown", "%", "Article", "Title"];
                page.table(&header, rows.collect(), "No updates to report on. Next: weir import PATH");
                standing::aged(page, 0, 0, list.items.iter().filter_map(|update| update.rolled_up).min());
                page.more(list.next.as_deref());
            })?;
        }
        ComplianceCommand::Computers { update, state, collection, server, group, current, paging } => {
            let state = state.map(StateArgument::api);
            let query =
                ComputerStandingQuery { update, state, collection, server, group, current, cursor: None, limit: None };
            standing::computers(&query, &paging, connection, printer).await?;
        }
        ComplianceCommand::Servers { collection, group, current } => {
            standing::servers(&ServerSummaryQuery { collection, group, current }, connection, printer).await?;
        }
        ComplianceCommand::Deployments { collection, paging } => {
            let query = DeploymentComplianceQuery { collection, cursor: None, limit: None };
            standing::deployments(&query, &paging, connection, printer).await?;
        }
        ComplianceCommand::Deployment { id, computers: false, .. } => {
            standing::deployment(id, connection, printer).await?;
        }
        ComplianceCommand::Deployment { id, status, enforcement, paging, .. } => {
            let (status, enforcement) = (status.map(StatusArgument::api), enforcement.map(EnforcementArgument::api));
            let query = DeploymentStandingQuery { status, enforcement, cursor: None, limit: None };
            standing::deployment_computers(id, &query, &paging, connection, printer).await?;
        }
        ComplianceCommand::History(arguments) => history::history(arguments, connection, printer).await?,
        ComplianceCommand::Subjects { kind, paging } => history::subjects(kind, paging, connection, printer).await?,
        ComplianceCommand::Record => history::record(connection, printer).await?,
        ComplianceCommand::Trend(arguments) => history::trend(arguments, connection, printer).await?,
        ComplianceCommand::TimeTo(arguments) => history::time_to(arguments, connection, printer).await?,
        ComplianceCommand::Errors(arguments) => errors::errors(arguments, connection, printer).await?,
        ComplianceCommand::ExplainError(arguments) => errors::explain(arguments, connection, printer).await?,
        ComplianceCommand::Export { file, collection, site, group, computers, all_states } => {
            let rows = computers.then(|| "computers".to_owned());
            let states = all_states.then(|| "all".to_owned());
            let query = ComplianceExportQuery { format: None, collection, site, group, rows, states };
            let request = connection.request(Method::GET, &["compliance", "export"])?.query(&query);
            let bytes = fetch::whole(connection.send(request).await?, &file).await?;
            printer.show(&json!({ "file": file, "bytes": bytes }), |page| {
                page.line(format!("wrote {} ({})", file.display(), print::bytes(bytes)));
            })?;
        }
        ComplianceCommand::Freshness { collection, server, silent_days } => {
            freshness::show(&FreshnessQuery { collection, server, silent_days }, connection, printer).await?;
        }
        ComplianceCommand::Computer { id, language } => {
            computers::show(&id, language, connection, printer).await?;
        }
    }
    Ok(Outcome::Done)
}
