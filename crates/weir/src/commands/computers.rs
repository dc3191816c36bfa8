//! `weir computers`.

mod identity;
mod retire;

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use reqwest::Method;
use weir_api::{
    computer::{
        ComputerChange, ComputerChanged, ComputerCounts, ComputerDetail, ComputerQuery, ComputerRow, ComputerUpdate,
        Transport, UpdateState,
    },
    freshness::Freshness,
    selection::LanguageQuery,
};

use super::{
    Paging,
    compliance::{
        freshness::{self, Class},
        standing::StateArgument,
    },
    kb, names,
};
use crate::{
    Outcome,
    connection::Connection,
    print::{Page, Printer, time, time_or},
};

#[derive(Debug, Subcommand)]
pub(crate) enum ComputersCommand {
    /// List computers.
    #[command(
        after_help = "Examples:\n  weir computers list --collection Pilot\n  weir computers list --freshness silent --silent-days 14\n  weir computers list --transport http\n  weir computers list --filter 'os ~ \"server 2019\" and needed > 0' --sort last_contact"
    )]
    List {
        /// Only those in this collection, or in one below it.
        #[arg(long, value_name = "NAME")]
        collection: Option<String>,
        /// Only those that this downstream server reports, by name or GUID; "this" for those that scan here.
        #[arg(long, value_name = "NAME")]
        server: Option<String>,
        /// Only those whose reports are worth this.
        #[arg(long, value_name = "CLASS")]
        freshness: Option<Class>,
        /// Days without a call after which a computer is silent; the setting computers.silent_days by default.
        #[arg(long, value_name = "N")]
        silent_days: Option<u32>,
        /// Only those that scan here and came so last.
        #[arg(long, value_enum)]
        transport: Option<How>,
        /// Only those with this in name, id or address.
        #[arg(long, value_name = "TEXT")]
        text: Option<String>,
        /// Only those that scan here and for which this expression holds, in the language of the rules of collections.
        #[arg(long, value_name = "EXPR")]
        filter: Option<String>,
        /// Only those whose updates have this as their worst state.
        #[arg(long, value_enum)]
        state: Option<StateArgument>,
        /// Order: name, address, first_seen, last_contact or last_report, with :asc or :desc.
        #[arg(long, value_name = "FIELD")]
        sort: Option<String>,
        /// Only say how many they are, by the worst state of their updates.
        #[arg(long, conflicts_with_all = ["sort", "limit", "all", "cursor"])]
        count: bool,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one computer and the updates that it needs.
    Show {
        /// Its id.
        id: String,
        /// Language of titles, such as de.
        #[arg(long, value_name = "CODE")]
        language: Option<String>,
    },
    /// Change a computer.
    #[command(
        after_help = "Examples:\n  weir computers set 5f3a... --zone Europe/Amsterdam\n  weir computers set 5f3a... --zone ''"
    )]
    Set {
        /// Its id.
        id: String,
        /// IANA zone of its local time; "" takes it away, so that those of its collections count, then the site's.
        #[arg(long, value_name = "ZONE")]
        zone: String,
    },
    /// List ids that several machines share, or print what gives a machine an id of its own.
    #[command(after_help = "Examples:\n  weir computers clones\n  weir computers clones --script > new-id.ps1")]
    Clones(identity::Clones),
    /// List names that several computers have: machines that were installed anew or replaced.
    Duplicates {
        #[command(flatten)]
        paging: Paging,
    },
    /// Retire computers that do not call any more, or chosen ones. One that calls again comes back.
    #[command(
        after_help = "Examples:\n  weir computers retire --silent-days 90 --dry-run\n  weir computers retire --silent-days 90 --confirm 1200\n  weir computers retire --duplicates --dry-run\n  weir computers retire 5f3a... 77c0... --dry-run"
    )]
    Retire(retire::Retire),
    /// List retired computers.
    Retired {
        #[command(flatten)]
        paging: Paging,
    },
    /// Delete computers. One that still scans here comes back.
    Delete {
        /// Their ids.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
}

/// How computers come.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum How {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

impl From<How> for Transport {
    fn from(how: How) -> Self {
        match how {
            How::Http => Self::Http,
            How::Https => Self::Https,
        }
    }
}

pub(crate) async fn run(command: ComputersCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        ComputersCommand::List {
            collection,
            server,
            freshness,
            silent_days,
            transport,
            text,
            filter,
            state,
            sort,
            count,
            paging,
        } => {
            let query = ComputerQuery {
                collection,
                server,
                freshness: freshness.map(Freshness::from),
                silent_days,
                transport: transport.map(Transport::from),
                text,
                filter,
                state: state.map(StateArgument::api),
                sort,
                ..ComputerQuery::default()
            };
            if count {
                let counts: ComputerCounts = connection.read(&["computers-counts"], &query).await?;
                printer.show(&counts, |page| self::counts(page, &counts))?;
                return Ok(Outcome::Done);
            }
            let list = paging.read::<ComputerRow>(connection, &["computers"], &query).await?;
            printer.show(&list, |page| {
                // a column of its own only where there are several servers
                let several = list.items.iter().any(|computer| computer.server.is_some());
                let rows = list.items.iter().map(|computer| {
                    let counts = &computer.counts;
                    let needed = counts.required + counts.downloaded + counts.pending_restart;
                    let mut row = vec![
                        computer.id.clone(),
                        computer.name.clone(),
                        computer.os.clone(),
                        names(&computer.collections),
                        time(computer.last_contact),
                        computer.freshness.as_ref().map_or("", |it| freshness::word(it.class)).to_owned(),
                        needed.to_string(),
                        counts.failed.to_string(),
                    ];
                    if several {
                        row.push(
                            computer.server.as_ref().map_or_else(|| "this".to_owned(), |server| server.name.clone()),
                        );
                    }
                    row
                });
                let narrowed = query.text.is_some() || query.filter.is_some() || query.state.is_some();
                let empty = match (query.freshness, query.transport) {
                    _ if narrowed => "No computer is so.",
                    (Some(_), _) => "No computer of this class.",
                    (None, Some(_)) => "No computer that scans here came so.",
                    (None, None) => "No computers yet. Next: weir policy render makes the policy that points one here.",
                };
                let mut header =
                    vec!["Id", "Name", "System", "Collections", "Last contact", "Freshness", "Needed", "Failed"];
                if several {
                    header.push("Server");
                }
                page.table(&header, rows.collect(), empty);
                page.more(list.next.as_deref());
            })?;
        }
        ComputersCommand::Show { id, language } => show(&id, language, connection, printer).await?,
        ComputersCommand::Set { id, zone } => {
            let change = ComputerChange { time_zone: Some(zone) };
            let changed: ComputerChanged = connection.change(Method::PATCH, &["computers", &id], &change).await?;
            printer.show(&changed, |page| {
                page.line(match &changed.time_zone {
                    Some(zone) => format!("{}: time zone {zone}", changed.id),
                    None => format!("{}: the time zone of its collections, then of the site", changed.id),
                });
            })?;
        }
        ComputersCommand::Clones(arguments) => identity::clones(arguments, connection, printer).await?,
        ComputersCommand::Duplicates { paging } => identity::duplicates(paging, connection, printer).await?,
        ComputersCommand::Retire(arguments) => retire::retire(arguments, connection, printer).await?,
        ComputersCommand::Retired { paging } => retire::retired(paging, connection, printer).await?,
        ComputersCommand::Delete { ids } => {
            for id in &ids {
                connection.delete(&["computers", id]).await?;
            }
            printer.done(&format!("deleted {}", ids.join(", ")))?;
        }
    }
    Ok(Outcome::Done)
}

fn counts(page: &mut Page, counts: &ComputerCounts) {
    page.field("computers", counts.computers);
    page.field("compliant", counts.compliant);
    let states = &counts.states;
    page.field("required", states.required);
    page.field("downloaded", states.downloaded);
    page.field("pending restart", states.pending_restart);
    page.field("failed", states.failed);
    page.field("unknown", states.unknown);
}

/// Shows one computer; also what `weir compliance computer` does.
pub(super) async fn show(id: &str, language: Option<String>, connection: &Connection, printer: &Printer) -> Result<()> {
    let computer: ComputerDetail = connection.read(&["computers", id], &LanguageQuery { language }).await?;
    printer.show(&computer, |page| {
        let row = &computer.row;
        page.field("computer", &row.id);
        page.field("name", &row.name);
        page.field("system", &row.os);
        page.field("model", &row.model);
        page.field("address", row.address.clone().unwrap_or_default());
        if let Some(server) = &row.server {
            page.field("reported by", &server.name);
        }
        page.field("collections", names(&row.collections));
        page.field("asked for", computer.requested_groups.join(", "));
        page.field("next window", super::windows::line(computer.next_window.as_ref()));
        if let Some(zone) = &computer.time_zone {
            page.field("time zone", zone);
        }
        page.field("first seen", time(row.first_seen));
        page.field("last contact", time(row.last_contact));
        page.field("reported scan", time_or(row.last_sync, "none yet"));
        page.field("last report", time_or(row.last_report, "never"));
        if let Some(fresh) = &row.freshness {
            let error = fresh.scan_error.as_ref().map(|error| format!(", scan error {error}")).unwrap_or_default();
            page.field("freshness", format!("{} since {}{error}", freshness::word(fresh.class), time(fresh.since)));
        }
        if row.plain_http {
            page.field("transport", "plain HTTP");
        }
        let counts = &row.counts;
        page.field(
            "updates",
            format!(
                "{} installed, {} not applicable, {} unknown",
                counts.installed, counts.not_applicable, counts.unknown
            ),
        );
        page.line("");
        let nothing = if row.last_report.is_none() { "It has not reported yet." } else { "It needs nothing." };
        updates(page, &computer.needed, nothing);
        if !computer.failed.is_empty() {
            page.line("\nFailed:");
            updates(page, &computer.failed, "");
        }
    })
}

fn updates(page: &mut Page, updates: &[ComputerUpdate], empty: &str) {
    let rows = updates.iter().map(|update| {
        vec![
            state(update.state).to_owned(),
            update.id.to_string(),
            kb(&update.kb),
            update.title.trim().to_owned(),
            update.error.clone().unwrap_or_default(),
        ]
    });
    page.table(&["State", "Id", "Article", "Title", "Error"], rows.collect(), empty);
    let explained: std::collections::BTreeMap<_, _> =
        updates.iter().filter_map(|update| update.error.as_ref().zip(update.error_meaning.as_ref())).collect();
    if let Some((code, _)) = explained.first_key_value() {
        page.line("");
        for (error, meaning) in &explained {
            page.line(format!("{error}  {meaning}"));
        }
        page.line(format!("What to do: weir compliance explain-error {code}"));
    }
    for update in updates.iter().filter(|update| !update.why.is_empty()) {
        page.line(format!("\nWhy {}:", update.title.trim()));
        for line in update.why.lines() {
            page.line(format!("  {line}"));
        }
    }
}

fn state(state: UpdateState) -> &'static str {
    match state {
        UpdateState::Downloaded => "downloaded",
        UpdateState::Failed => "failed",
        UpdateState::Installed => "installed",
        UpdateState::NotApplicable => "not applicable",
        UpdateState::PendingRestart => "pending restart",
        UpdateState::Required => "required",
        UpdateState::Unknown => "unknown",
    }
}
