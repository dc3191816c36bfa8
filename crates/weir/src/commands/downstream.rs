//! `weir downstream`.

use anyhow::Result;
use clap::Subcommand;
use reqwest::Method;
use weir_api::{
    downstream::{Admission, DownstreamKind, DownstreamServer},
    rollup::DownstreamReport,
};

use super::{Nothing, Paging};
use crate::{
    Outcome,
    connection::Connection,
    print::{Printer, time, time_or},
};

#[derive(Debug, Subcommand)]
pub(crate) enum DownstreamCommand {
    /// List servers that synchronize from this one, or want to.
    #[command(after_help = "\"Behind\" counts revisions that arrived here since the server was last given a list.\n\n\
                            Examples:\n  weir downstream list\n  weir downstream list --json")]
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one server: what it reported of its updates and computers.
    #[command(after_help = "Its computers: weir computers list --server NAME\n\n\
                            Example:\n  weir downstream show branch.example.org")]
    Show {
        /// Its name or GUID.
        server: String,
    },
    /// Let a server synchronize from this one.
    #[command(after_help = "A server that is not listed yet is named by its GUID.\n\n\
                      Examples:\n  weir downstream allow branch.example.org\n  \
                      weir downstream allow 6f1c2f6e-3f0b-4d3a-9b1e-0d2f6a1c5e12")]
    Allow {
        /// Its name or GUID.
        server: String,
    },
    /// Let a server synchronize no longer.
    #[command(after_help = "Example:\n  weir downstream refuse branch.example.org")]
    Refuse {
        /// Its name or GUID.
        server: String,
    },
    /// Forget a server, the servers below it and the computers that they report.
    #[command(after_help = "If it calls again it is a new one. To keep it away, refuse it.\n\n\
                            Example:\n  weir downstream remove branch.example.org")]
    Remove {
        /// Its name or GUID.
        server: String,
    },
}

pub(crate) async fn run(command: DownstreamCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        DownstreamCommand::List { paging } => {
            let list = paging.read::<DownstreamServer>(connection, &["downstream"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let empty = "No downstream servers. They appear here when they first call; `weir serve --downstream` \
                             lets them, `weir settings show downstream.policy` says what happens then.";
                let header = [
                    "Name",
                    "Site",
                    "Id",
                    "Address",
                    "Admission",
                    "Kind",
                    "Protocol",
                    "Version",
                    "First seen",
                    "Last contact",
                    "Last sync",
                    "Behind",
                    "Computers",
                ];
                page.table(&header, list.items.iter().map(row).collect(), empty);
                page.more(list.next.as_deref());
                if list.items.iter().any(|server| server.admission == Admission::Waiting && !server.served) {
                    page.line("\nLet one in with: weir downstream allow NAME");
                }
            })?;
        }
        DownstreamCommand::Show { server } => show(&server, connection, printer).await?,
        DownstreamCommand::Allow { server } => decide("allow", &server, connection, printer).await?,
        DownstreamCommand::Refuse { server } => decide("refuse", &server, connection, printer).await?,
        DownstreamCommand::Remove { server } => {
            connection.delete(&["downstream", &server]).await?;
            printer.done(&format!("removed {server}"))?;
        }
    }
    Ok(Outcome::Done)
}

async fn show(server: &str, connection: &Connection, printer: &Printer) -> Result<()> {
    let shown: DownstreamReport = connection.read(&["downstream", server], &Nothing {}).await?;
    printer.show(&shown, |page| {
        let server = &shown.server;
        page.field("server", &server.name);
        page.field("site", server.site.clone().unwrap_or_default());
        page.field("id", server.id);
        page.field("admission", admission(server));
        page.field("version", server.version.clone().unwrap_or_default());
        page.field("servers below", shown.below.join(", "));
        page.field("computers", server.computers);
        let Some(report) = &shown.report else {
            page.line("\nIt has not reported yet. Servers report after each synchronization.");
            return;
        };
        page.field("last report", time(report.received_at));
        page.field("last sync", time_or(report.last_sync, "never"));
        page.field("installations", format!("{} succeeded, {} failed", report.installations, report.failures));
        let figures = &report.figures;
        page.line("\nUpdates:");
        page.field("all", figures.updates);
        page.field("approved", figures.approved);
        page.field("not approved", figures.not_approved);
        page.field("declined", figures.declined);
        page.field("expired", figures.expired);
        page.field("older revision approved", figures.stale_approvals);
        page.field("critical or security, not approved", figures.critical_or_security_not_approved);
        page.field("infrastructure, not approved", figures.infrastructure_not_approved);
        page.field("waiting for files", figures.needing_files);
        page.field("files failed", figures.with_server_errors);
        page.field("needed", figures.needed_by_computers);
        page.field("failed", figures.with_client_errors);
        page.field("up to date", figures.up_to_date);
        page.line("\nComputers that scan there:");
        page.field("all", figures.computers);
        page.field("need updates", figures.computers_needing);
        page.field("with failures", figures.computers_with_errors);
        page.field("up to date", figures.computers_up_to_date);
        page.field("collections", figures.custom_groups);
        page.line("");
        let rows = report
            .systems
            .iter()
            .map(|system| vec![system.version.clone(), system.architecture.clone(), system.computers.to_string()]);
        page.table(&["Windows", "Processor", "Computers"], rows.collect(), "It has no computers.");
    })
}

async fn decide(what: &str, server: &str, connection: &Connection, printer: &Printer) -> Result<()> {
    let path = ["downstream", server, what];
    let decided: DownstreamServer = connection.change(Method::POST, &path, &Nothing {}).await?;
    printer.show(&decided, |page| {
        let name = if decided.name.is_empty() { decided.id.to_string() } else { decided.name.clone() };
        page.line(format!("{name} is {}", admission(&decided)));
    })
}

fn row(server: &DownstreamServer) -> Vec<String> {
    let mut kind = match server.kind {
        DownstreamKind::Other => "other",
        DownstreamKind::Weir => "Weir",
    }
    .to_owned();
    if server.replica == Some(true) {
        kind.push_str(", replica");
    }
    vec![
        server.name.clone(),
        server.site.clone().unwrap_or_default(),
        server.id.to_string(),
        server.address.clone(),
        admission(server),
        kind,
        server.protocol.clone().unwrap_or_default(),
        server.version.clone().unwrap_or_default(),
        time(server.first_contact),
        time(server.last_contact),
        time_or(server.last_sync, "never"),
        server.behind.map(|behind| behind.to_string()).unwrap_or_default(),
        server.computers.to_string(),
    ]
}

fn admission(server: &DownstreamServer) -> String {
    let (decided, served) = (server.admission, server.served);
    match (decided, served) {
        (Admission::Allowed, _) => "allowed".to_owned(),
        (Admission::Refused, true) => "served as a site".to_owned(),
        (Admission::Refused, false) => "refused".to_owned(),
        (Admission::Reported, _) => match &server.reported_by {
            Some(by) => format!("below {by}"),
            None => "reported".to_owned(),
        },
        (Admission::Waiting, true) => "served, undecided".to_owned(),
        (Admission::Waiting, false) => "waiting".to_owned(),
    }
}
