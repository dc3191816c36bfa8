//! Who is in which state, and how servers and deployments stand.

use anyhow::Result;
use clap::ValueEnum;
use jiff::Timestamp;
use weir_api::{
    List,
    compliance::{ComputerStanding, ComputerStandingQuery, ComputerState, ServerSummary, ServerSummaryQuery},
    deployment_compliance::{
        DeploymentCompliance, DeploymentComplianceQuery, DeploymentStanding, DeploymentStandingQuery, DeploymentStatus,
        Enforcement,
    },
};

use super::super::Paging;
use crate::{
    connection::Connection,
    print::{Page, Printer, time, time_or},
};

/// A state to be narrowed to.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum StateArgument {
    Unknown,
    NotApplicable,
    Required,
    Downloaded,
    Installed,
    Failed,
    PendingRestart,
}

impl StateArgument {
    pub(in crate::commands) fn api(self) -> ComputerState {
        match self {
            Self::Unknown => ComputerState::Unknown,
            Self::NotApplicable => ComputerState::NotApplicable,
            Self::Required => ComputerState::Required,
            Self::Downloaded => ComputerState::Downloaded,
            Self::Installed => ComputerState::Installed,
            Self::Failed => ComputerState::Failed,
            Self::PendingRestart => ComputerState::PendingRestart,
        }
    }
}

/// A status to be narrowed to.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum StatusArgument {
    Compliant,
    InProgress,
    Error,
    Unknown,
}

impl StatusArgument {
    pub(super) fn api(self) -> DeploymentStatus {
        match self {
            Self::Compliant => DeploymentStatus::Compliant,
            Self::InProgress => DeploymentStatus::InProgress,
            Self::Error => DeploymentStatus::Error,
            Self::Unknown => DeploymentStatus::Unknown,
        }
    }
}

/// Where computers are, to be narrowed to.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum EnforcementArgument {
    Success,
    NotApplicable,
    NothingToEnforce,
    PendingRestart,
    Downloaded,
    PendingInstallation,
    WaitingForWindow,
    WaitingForContent,
    NotYetAvailable,
    Disabled,
    Overdue,
    Failed,
    NotEvaluated,
    NeverReported,
    NotAsked,
}

impl EnforcementArgument {
    pub(super) fn api(self) -> Enforcement {
        match self {
            Self::Success => Enforcement::Success,
            Self::NotApplicable => Enforcement::NotApplicable,
            Self::NothingToEnforce => Enforcement::NothingToEnforce,
            Self::PendingRestart => Enforcement::PendingRestart,
            Self::Downloaded => Enforcement::Downloaded,
            Self::PendingInstallation => Enforcement::PendingInstallation,
            Self::WaitingForWindow => Enforcement::WaitingForWindow,
            Self::WaitingForContent => Enforcement::WaitingForContent,
            Self::NotYetAvailable => Enforcement::NotYetAvailable,
            Self::Disabled => Enforcement::Disabled,
            Self::Overdue => Enforcement::Overdue,
            Self::Failed => Enforcement::Failed,
            Self::NotEvaluated => Enforcement::NotEvaluated,
            Self::NeverReported => Enforcement::NeverReported,
            Self::NotAsked => Enforcement::NotAsked,
        }
    }
}

/// A share in percent; a dash where there is none.
pub(super) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{share:.1}"))
}

/// A count with its share.
pub(super) fn share(count: u64, share: Option<f64>) -> String {
    share.map_or_else(|| count.to_string(), |share| format!("{count} ({share:.1} %)"))
}

/// What a reader should know of the age of an answer.
pub(super) fn aged(page: &mut Page, silent: u64, not_reporting: u64, rolled_up: Option<Timestamp>) {
    let of = |count: u64| if count == 1 { "1 computer".to_owned() } else { format!("{count} computers") };
    if silent + not_reporting > 0 {
        page.line(format!(
            "\n{} stopped calling and {} call without reporting: their states are as old as that. Who they are: weir compliance \
             freshness",
            of(silent),
            of(not_reporting)
        ));
    }
    if let Some(at) = rolled_up {
        page.line(format!("\nFigures of servers below are as of {} or later.", time(at)));
    }
}

/// The word of a value as JSON has it, readable: `pending restart`.
fn word(value: impl serde::Serialize) -> String {
    let text = serde_json::to_value(value).ok().and_then(|value| value.as_str().map(|text| text.replace('_', " ")));
    text.unwrap_or_default()
}

/// A name, or what stands for it.
fn named(name: &str, id: &str) -> String {
    if name.is_empty() { id.to_owned() } else { name.to_owned() }
}

pub(super) async fn computers(
    query: &ComputerStandingQuery,
    paging: &Paging,
    connection: &Connection,
    printer: &Printer,
) -> Result<()> {
    let list = paging.read::<ComputerStanding>(connection, &["compliance", "computers"], query).await?;
    printer.show(&list, |page| {
        let rows = list.items.iter().map(|row| {
            vec![
                named(&row.name, &row.id),
                row.server.as_ref().map(|server| server.name.clone()).unwrap_or_default(),
                word(row.state),
                row.reason.map(word).unwrap_or_default(),
                row.since.map(time).unwrap_or_default(),
                row.error.clone().unwrap_or_default(),
                time_or(row.last_report, "never"),
                row.id.clone(),
            ]
        });
        let header = ["Computer", "Server", "State", "Why", "Since", "Error", "Last report", "Id"];
        page.table(&header, rows.collect(), "No computer is in it. All of them: weir compliance computers");
        page.more(list.next.as_deref());
    })
}

pub(super) async fn servers(query: &ServerSummaryQuery, connection: &Connection, printer: &Printer) -> Result<()> {
    let list: List<ServerSummary> = connection.read(&["compliance", "servers"], query).await?;
    printer.show(&list, |page| {
        let rows = list.items.iter().map(|row| {
            let summary = &row.summary;
            vec![
                row.server.as_ref().map_or_else(|| "this server".to_owned(), |server| server.name.clone()),
                row.through.as_ref().map(|server| server.name.clone()).unwrap_or_default(),
                summary.computers.to_string(),
                percent(summary.percent),
                (summary.counts.required + summary.counts.downloaded + summary.counts.pending_restart).to_string(),
                summary.counts.failed.to_string(),
                summary.counts.unknown.to_string(),
                (summary.silent + summary.not_reporting).to_string(),
                row.rolled_up_at.map_or_else(|| "now".to_owned(), time),
            ]
        });
        let header = ["Server", "Through", "Computers", "%", "Needing", "Failed", "Unknown", "Stale", "As of"];
        page.table(&header, rows.collect(), "No servers.");
    })
}

pub(super) async fn deployments(
    query: &DeploymentComplianceQuery,
    paging: &Paging,
    connection: &Connection,
    printer: &Printer,
) -> Result<()> {
    let list = paging.read::<DeploymentCompliance>(connection, &["compliance", "deployments"], query).await?;
    printer.show(&list, |page| {
        let rows = list.items.iter().map(|row| {
            let statuses = &row.statuses;
            vec![
                row.id.to_string(),
                row.name.clone(),
                row.collection.name.clone(),
                word(row.action),
                row.computers.to_string(),
                percent(row.percent),
                statuses.in_progress.to_string(),
                statuses.error.to_string(),
                statuses.unknown.to_string(),
                time_or(row.deadline, "none"),
            ]
        });
        let header = [
            "Id",
            "Deployment",
            "Collection",
            "Action",
            "Computers",
            "%",
            "In progress",
            "Error",
            "Unknown",
            "Deadline",
        ];
        page.table(&header, rows.collect(), "No deployments yet. Next: weir deployments create --help");
        aged(page, 0, 0, list.items.iter().filter_map(|row| row.rolled_up).min());
        page.more(list.next.as_deref());
    })
}

pub(super) async fn deployment(id: i32, connection: &Connection, printer: &Printer) -> Result<()> {
    let shown: DeploymentCompliance = connection.read(&["compliance", "deployments", &id.to_string()], &()).await?;
    printer.show(&shown, |page| {
        page.field("deployment", format!("{} ({})", shown.name, shown.id));
        page.field("collection", &shown.collection.name);
        page.field("action", word(shown.action));
        page.field("updates", shown.updates);
        page.field("available", time(shown.available));
        page.field("deadline", time_or(shown.deadline, "none"));
        page.field("computers", shown.computers);
        page.field("compliant", share(shown.statuses.compliant, shown.percent));
        page.field("of these current", shown.compliant_current);
        page.field("in progress", shown.statuses.in_progress);
        page.field("error", shown.statuses.error);
        page.field("unknown", shown.statuses.unknown);
        page.field("as of", time(shown.as_of));
        page.line("");
        let rows = shown
            .enforcement
            .iter()
            .map(|row| vec![word(row.enforcement), word(row.status), row.computers.to_string()]);
        page.table(
            &["Where", "Status", "Computers"],
            rows.collect(),
            "Its collection has no computers. Next: weir computers list",
        );
        aged(page, shown.silent, shown.not_reporting, shown.rolled_up);
        if shown.statuses.error > 0 {
            page.line(format!("\nWhich failed: weir compliance deployment {id} --computers --status error"));
        }
    })
}

pub(super) async fn deployment_computers(
    id: i32,
    query: &DeploymentStandingQuery,
    paging: &Paging,
    connection: &Connection,
    printer: &Printer,
) -> Result<()> {
    let path = ["compliance", "deployments", &id.to_string(), "computers"];
    let list = paging.read::<DeploymentStanding>(connection, &path, query).await?;
    printer.show(&list, |page| {
        let rows = list.items.iter().map(|row| {
            vec![
                named(&row.name, &row.id),
                row.server.as_ref().map(|server| server.name.clone()).unwrap_or_default(),
                word(row.status),
                word(row.enforcement),
                row.error.clone().unwrap_or_default(),
                time_or(row.last_report, "never"),
                row.id.clone(),
            ]
        });
        let header = ["Computer", "Server", "Status", "Where", "Error", "Last report", "Id"];
        page.table(
            &header,
            rows.collect(),
            "No computer is in it. All of them: weir compliance deployment ID --computers",
        );
        page.more(list.next.as_deref());
    })
}
