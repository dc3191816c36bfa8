//! `weir alerts`.

mod subscriptions;

use anyhow::Result;
use clap::{Args, Subcommand};
use reqwest::Method;
use weir_api::alert::{Alert, AlertCounts, AlertDetail, AlertMute, AlertNote, AlertQuery};

use self::subscriptions::{DeliveriesCommand, SubscriptionsCommand};
use super::{Nothing, Paging};
use crate::{
    Outcome,
    connection::Connection,
    print::{Page, Printer, time, time_or},
};

#[derive(Debug, Subcommand)]
pub(crate) enum AlertsCommand {
    /// List alerts, open ones first.
    #[command(
        after_help = "Examples:\n  weir alerts list --state open\n  weir alerts list --kind content --severity critical\n  \
                            weir alerts list --state closed --since 7d --all"
    )]
    List(ListArguments),
    /// Count open alerts, by kind and severity.
    #[command(after_help = "Example:\n  weir alerts count")]
    Count,
    /// Show an alert with its history.
    #[command(after_help = "Example:\n  weir alerts show 12")]
    Show {
        /// Its number.
        id: i64,
    },
    /// Say that an alert is known: subscribers are not told of it again.
    #[command(after_help = "Example:\n  weir alerts acknowledge 12 --note \"disk is ordered\"")]
    Acknowledge {
        /// Its number.
        id: i64,
        #[command(flatten)]
        note: Note,
    },
    /// Tell nobody of an alert for a while, also when it closes and opens again.
    #[command(after_help = "Example:\n  weir alerts mute 12 --until +2d --note \"site is being moved\"")]
    Mute {
        /// Its number.
        id: i64,
        /// Until then: from now such as +4h or +2d, or an RFC 3339 time.
        #[arg(long, value_name = "WHEN")]
        until: String,
        #[command(flatten)]
        note: Note,
    },
    /// Tell people of an alert again.
    #[command(after_help = "Example:\n  weir alerts unmute 12")]
    Unmute {
        /// Its number.
        id: i64,
        #[command(flatten)]
        note: Note,
    },
    /// Close an alert that does not close by itself.
    #[command(
        after_help = "Alerts about a condition close by themselves as soon as it is gone; such ones can be muted.\n\n\
                            Example:\n  weir alerts close 12 --note \"the copy was stopped\""
    )]
    Close {
        /// Its number.
        id: i64,
        #[command(flatten)]
        note: Note,
    },
    /// Look at all conditions now: compliance after deadlines, silent sites and computers, disks.
    #[command(after_help = "Example:\n  weir alerts evaluate")]
    Evaluate,
    /// Who is told of alerts, by e-mail or webhook.
    #[command(subcommand)]
    Subscriptions(SubscriptionsCommand),
    /// Messages to subscribers: on their way, delivered, given up.
    #[command(subcommand)]
    Deliveries(DeliveriesCommand),
}

#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    /// open, closed or all.
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// Of this kind, or below it: content means content.mismatch, too.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// At least so bad: information, warning, critical.
    #[arg(long, value_name = "SEVERITY")]
    severity: Option<String>,
    /// Opened since: how long ago, such as 7d or 12h, or an RFC 3339 time.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Args, Debug)]
pub(crate) struct Note {
    /// What others should know.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

impl From<Note> for AlertNote {
    fn from(given: Note) -> Self {
        Self { note: given.note }
    }
}

pub(crate) async fn run(command: AlertsCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        AlertsCommand::List(arguments) => list(arguments, connection, printer).await?,
        AlertsCommand::Count => {
            let counts: AlertCounts = connection.read(&["alert-counts"], &Nothing {}).await?;
            printer.show(&counts, |page| counted(page, &counts))?;
        }
        AlertsCommand::Show { id } => {
            let detail: AlertDetail = connection.read(&["alerts", &id.to_string()], &Nothing {}).await?;
            printer.show(&detail, |page| show(page, &detail))?;
        }
        AlertsCommand::Acknowledge { id, note } => {
            act(connection, printer, id, "acknowledge", &AlertNote::from(note), "is acknowledged").await?;
        }
        AlertsCommand::Mute { id, until, note } => {
            let mute = AlertMute { until, note: note.note };
            let muted: Alert = connection.change(Method::POST, &["alerts", &id.to_string(), "mute"], &mute).await?;
            printer.show(&muted, |page| {
                page.line(format!("{} is muted until {}", muted.key, time_or(muted.muted_until, "now")));
            })?;
        }
        AlertsCommand::Unmute { id, note } => {
            act(connection, printer, id, "unmute", &AlertNote::from(note), "is told of again").await?;
        }
        AlertsCommand::Close { id, note } => {
            act(connection, printer, id, "close", &AlertNote::from(note), "is closed").await?;
        }
        AlertsCommand::Evaluate => {
            let counts: AlertCounts = connection.call_method(Method::POST, &["alert-evaluation"]).await?;
            printer.show(&counts, |page| counted(page, &counts))?;
        }
        AlertsCommand::Subscriptions(command) => return subscriptions::run(command, connection, printer).await,
        AlertsCommand::Deliveries(command) => subscriptions::deliveries(command, connection, printer).await?,
    }
    Ok(Outcome::Done)
}

async fn list(arguments: ListArguments, connection: &Connection, printer: &Printer) -> Result<()> {
    let ListArguments { state, kind, severity, since, paging } = arguments;
    let query = AlertQuery { state, kind, severity, since, ..AlertQuery::default() };
    let list = paging.read::<Alert>(connection, &["alerts"], &query).await?;
    printer.show(&list, |page| {
        let rows = list.items.iter().map(|alert| {
            vec![
                alert.id.to_string(),
                alert.severity.clone(),
                time(alert.opened_at),
                time_or(alert.closed_at, state_of(alert)),
                alert.kind.clone(),
                alert.message.clone(),
            ]
        });
        page.table(&["Id", "Severity", "Since", "Until", "Kind", "What"], rows.collect(), "No alerts.");
        page.more(list.next.as_deref());
    })
}

fn state_of(alert: &Alert) -> &'static str {
    if alert.acknowledged_at.is_some() { "acknowledged" } else { "open" }
}

async fn act(
    connection: &Connection,
    printer: &Printer,
    id: i64,
    what: &str,
    note: &AlertNote,
    done: &str,
) -> Result<()> {
    let alert: Alert = connection.change(Method::POST, &["alerts", &id.to_string(), what], note).await?;
    printer.show(&alert, |page| page.line(format!("{} {done}", alert.key)))
}

fn show(page: &mut Page, detail: &AlertDetail) {
    let alert = &detail.alert;
    page.field("alert", alert.id);
    page.field("kind", &alert.kind);
    page.field("subject", &alert.subject);
    page.field("severity", &alert.severity);
    page.field("state", if alert.closed_at.is_some() { "closed" } else { state_of(alert) });
    page.field("opened", time(alert.opened_at));
    page.field("raised", format!("{} times, last {}", alert.count, time(alert.raised_at)));
    page.field("acknowledged", alert.acknowledged_by.clone().unwrap_or_default());
    page.field("muted until", time_or(alert.muted_until, ""));
    page.field("closed", time_or(alert.closed_at, ""));
    page.field("closed by", alert.closed_by.clone().unwrap_or_default());
    page.field("note", alert.note.clone().unwrap_or_default());
    page.line("");
    page.line(&alert.message);
    if alert.closed_at.is_none() {
        page.line(if alert.closes_by_hand {
            format!("When it is seen to: weir alerts close {}", alert.id)
        } else {
            "It closes by itself as soon as the condition is gone.".to_owned()
        });
    }
    page.line("\nHistory:");
    let rows = detail.history.iter().map(|event| {
        vec![time(event.at), event.what.clone(), event.actor.clone(), event.note.clone().unwrap_or_default()]
    });
    page.table(&["Time", "What", "Who", "Note"], rows.collect(), "It opened before histories were kept.");
}

fn counted(page: &mut Page, counts: &AlertCounts) {
    page.field("open", counts.open);
    page.field("critical", counts.critical);
    page.field("warning", counts.warning);
    page.field("information", counts.information);
    page.field("acknowledged", counts.acknowledged);
    page.field("muted", counts.muted);
    if !counts.kinds.is_empty() {
        page.line("");
        let rows = counts.kinds.iter().map(|row| vec![row.kind.clone(), row.open.to_string()]);
        page.table(&["Kind", "Open"], rows.collect(), "");
    }
}
