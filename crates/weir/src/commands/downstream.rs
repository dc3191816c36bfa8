//! `weir downstream`.

use anyhow::Result;
use clap::Subcommand;
use reqwest::Method;
use weir_api::downstream::{Admission, DownstreamKind, DownstreamServer};

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
        DownstreamCommand::Allow { server } => decide("allow", &server, connection, printer).await?,
        DownstreamCommand::Refuse { server } => decide("refuse", &server, connection, printer).await?,
        DownstreamCommand::Remove { server } => {
            connection.delete(&["downstream", &server]).await?;
            printer.done(&format!("removed {server}"))?;
        }
    }
    Ok(Outcome::Done)
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
