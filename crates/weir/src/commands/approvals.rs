//! `weir approvals`.

use anyhow::Result;
use clap::Subcommand;
use reqwest::Method;
use weir_api::{
    List,
    approval::{Approval, ApprovalDecision, ApprovalQuery, ApprovalState},
};

use super::{Nothing, Paging};
use crate::{
    Outcome,
    connection::Connection,
    print::{Page, Printer, time},
};

#[derive(Debug, Subcommand)]
pub(crate) enum ApprovalsCommand {
    /// List acts that wait for a second person, or waited for one.
    List {
        /// Only those that wait.
        #[arg(long)]
        waiting: bool,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one, with what it would do and what became of it.
    Show {
        /// Its number.
        id: i64,
    },
    /// Approve what somebody else asked for. It is done at once.
    Approve {
        /// Its number.
        id: i64,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// Reject what somebody else asked for.
    Reject {
        /// Its number.
        id: i64,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
}

pub(crate) async fn run(command: ApprovalsCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        ApprovalsCommand::List { waiting, paging } => {
            let query = ApprovalQuery { waiting: waiting.then_some(true), ..ApprovalQuery::default() };
            let list: List<Approval> = paging.read(connection, &["approvals"], &query).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|one| {
                    vec![
                        one.id.to_string(),
                        state(one.state).to_owned(),
                        one.subject.clone(),
                        one.requested_by.clone(),
                        time(one.created_at),
                        one.decided_by.clone().unwrap_or_default(),
                    ]
                });
                let empty = "Nothing waits. Which acts do: weir settings show approval.required";
                page.table(&["Id", "State", "What", "Asked by", "At", "Decided by"], rows.collect(), empty);
                page.more(list.next.as_deref());
            })?;
        }
        ApprovalsCommand::Show { id } => {
            let one: Approval = connection.read(&["approvals", &id.to_string()], &Nothing {}).await?;
            printer.show(&one, |page| show(page, &one))?;
        }
        ApprovalsCommand::Approve { id, note } => {
            let one = decide(connection, id, "approve", note).await?;
            printer.show(&one, |page| show(page, &one))?;
            if one.state == ApprovalState::Failed {
                return Ok(Outcome::Failed);
            }
        }
        ApprovalsCommand::Reject { id, note } => {
            let one = decide(connection, id, "reject", note).await?;
            printer.show(&one, |page| show(page, &one))?;
        }
    }
    Ok(Outcome::Done)
}

async fn decide(connection: &Connection, id: i64, verb: &str, note: Option<String>) -> Result<Approval> {
    let number = id.to_string();
    let path = ["approvals", number.as_str(), verb];
    connection.change(Method::POST, &path, &ApprovalDecision { note }).await
}

fn state(state: ApprovalState) -> &'static str {
    match state {
        ApprovalState::Waiting => "waiting",
        ApprovalState::Expired => "expired",
        ApprovalState::Done => "done",
        ApprovalState::Rejected => "rejected",
        ApprovalState::Failed => "failed",
    }
}

fn show(page: &mut Page, one: &Approval) {
    page.line(format!("{}: {}", one.id, one.subject));
    page.field("state", state(one.state));
    page.field("kind", &one.kind);
    page.field("request", format!("{} {}", one.method, one.path));
    page.field("with", one.body.clone().unwrap_or_default());
    page.field("asked by", &one.requested_by);
    page.field("from", one.requested_from.clone().unwrap_or_default());
    page.field("at", time(one.created_at));
    page.field("waits until", time(one.expires_at));
    page.field("decided by", one.decided_by.clone().unwrap_or_default());
    page.field("note", one.note.clone().unwrap_or_default());
    page.field("answer", one.status.map(|status| status.to_string()).unwrap_or_default());
    page.field("", one.answer.clone().unwrap_or_default());
    if one.state == ApprovalState::Waiting {
        page.line(format!("Next: weir approvals approve {}", one.id));
    }
}
