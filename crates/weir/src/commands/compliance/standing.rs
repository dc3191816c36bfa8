//! Who is in which state, and how servers and deployments stand.

use anyhow::Result;
use clap::ValueEnum;
use weir_api::{
    List,
    compliance::{ComputerStanding, ComputerStandingQuery, ComputerState, ServerSummary, ServerSummaryQuery},
    deployment_compliance::{
        DeploymentCompliance, DeploymentComplianceQuery, DeploymentStanding, DeploymentStandingQuery, DeploymentStatus,
    },
};

use super::super::Paging;
use crate::{
    connection::Connection,
    print::{Printer, time, time_or},
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
    pub(super) fn api(self) -> ComputerState {
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
                row.since.map(time).unwrap_or_default(),
                row.error.clone().unwrap_or_default(),
                time_or(row.last_report, "never"),
                row.id.clone(),
            ]
        });
        let header = ["Computer", "Server", "State", "Since", "Error", "Last report", "Id"];
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
                format!("{:.1}", summary.percent),
                (summary.counts.required + summary.counts.downloaded + summary.counts.pending_restart).to_string(),
                summary.counts.failed.to_string(),
                summary.counts.unknown.to_string(),
                row.rolled_up_at.map_or_else(|| "now".to_owned(), time),
            ]
        });
        let header = ["Server", "Through", "Computers", "%", "Needing", "Failed", "Unknown", "As of"];
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
                format!("{:.1}", row.percent),
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
        page.field("compliant", format!("{} ({:.1} %)", shown.statuses.compliant, shown.percent));
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
