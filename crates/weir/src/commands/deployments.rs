//! `weir deployments`.

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use uuid::Uuid;
use weir_api::deployment::{
    Action, Deployment, DeploymentChange, DeploymentCreate, DeploymentCreated, DeploymentPreview, DeploymentQuery,
    DeploymentState,
};

use super::{Nothing, Paging, content};
use crate::{
    Outcome,
    connection::Connection,
    print::{Page, Printer, bytes, time, time_or},
};

#[derive(Debug, Subcommand)]
pub(crate) enum DeploymentsCommand {
    /// List deployments.
    List {
        /// Only those of this update.
        #[arg(long, value_name = "ID")]
        update: Option<Uuid>,
        /// Only those to this collection.
        #[arg(long, value_name = "NAME")]
        collection: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one deployment: how it stands, and what it waits for.
    Show {
        /// Its number.
        id: i32,
    },
    /// Deploy an update to a collection.
    Create(CreateArguments),
    /// Change what a deployment asks for, or when.
    #[command(after_help = "Example:\n  weir deployments change 7 --deadline +2d")]
    Change(ChangeArguments),
    /// Delete deployments.
    Delete {
        /// Their numbers.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<i32>,
    },
}

#[derive(Args, Debug)]
#[command(after_help = "Times are RFC 3339 (2026-12-01T22:00:00Z) or from now (+3d4h).\n\nExamples:\n  \
                        weir deployments create --update 5c9f... --collection Pilot --action install\n  \
                        weir deployments create --update 5c9f...@201 --collection 'All Computers' --action install \
                        --available +2d --deadline +9d\n  \
                        weir deployments create --update 5c9f... --collection Pilot --action install --preview")]
pub(crate) struct CreateArguments {
    /// GUID of the update; with @REV only that revision, else the newest at any time.
    #[arg(long, value_name = "ID[@REV]")]
    update: String,
    /// Name or id of the collection.
    #[arg(long, value_name = "NAME")]
    collection: String,
    /// What to do.
    #[arg(long)]
    action: ActionArgument,
    /// From when; now by default.
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    available: Option<String>,
    /// Until when at the latest; none by default.
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    deadline: Option<String>,
    /// Accept the licence of the update for this site.
    #[arg(long)]
    accept_eula: bool,
    /// Only say what its content needs: files, bytes, and whether there is room.
    #[arg(long)]
    preview: bool,
    /// Deploy even if there is no room for its content; it then waits.
    #[arg(long)]
    force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ChangeArguments {
    /// Its number.
    id: i32,
    /// What to do.
    #[arg(long)]
    action: Option<ActionArgument>,
    /// From when.
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    available: Option<String>,
    /// Until when at the latest; `none` takes the deadline away.
    #[arg(long, value_name = "T|none", allow_hyphen_values = true)]
    deadline: Option<String>,
    /// Accept the licence of the update for this site.
    #[arg(long)]
    accept_eula: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ActionArgument {
    /// Required installation.
    Install,
    /// Offered, not installed by itself.
    Optional,
    /// Required removal.
    Uninstall,
    /// Report only.
    Detect,
    /// Not offered, whatever weaker deployments say.
    Block,
}

impl From<ActionArgument> for Action {
    fn from(action: ActionArgument) -> Self {
        match action {
            ActionArgument::Block => Self::Block,
            ActionArgument::Detect => Self::Detect,
            ActionArgument::Install => Self::Install,
            ActionArgument::Optional => Self::Optional,
            ActionArgument::Uninstall => Self::Uninstall,
        }
    }
}

fn show_preview(page: &mut Page, preview: &DeploymentPreview) {
    content::room(page, &preview.room);
    if preview.files_elsewhere > 0 {
        page.line(format!("{} files are fetched by computers elsewhere", preview.files_elsewhere));
    }
    if preview.files_left_out > 0 {
        page.line(format!("{} files are of other languages, or express, and are not kept", preview.files_left_out));
    }
    if preview.without_source > 0 {
        page.line(format!("{} files have no source: weir content add PATH", preview.without_source));
    }
    match &preview.room.problem {
        Some(problem) => page.line(format!("No room: {problem}")),
        None => page.line("There is room. Next: the same without --preview"),
    }
}

pub(crate) async fn run(command: DeploymentsCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        DeploymentsCommand::List { update, collection, paging } => {
            let query = DeploymentQuery { update, collection, cursor: None, limit: None };
            let list = paging.read::<Deployment>(connection, &["deployments"], &query).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|deployment| {
                    vec![
                        deployment.id.to_string(),
                        action(deployment.action).to_owned(),
                        deployment.collection.name.clone(),
                        time_or(deployment.deadline, ""),
                        state(deployment),
                        deployment.update.name.trim().to_owned(),
                    ]
                });
                let empty =
                    "No deployments. Next: weir deployments create --update ID --collection NAME --action install";
                page.table(&["Id", "Action", "Collection", "Deadline", "State", "Update"], rows.collect(), empty);
                page.more(list.next.as_deref());
            })?;
        }
        DeploymentsCommand::Show { id } => {
            let deployment: Deployment = connection.read(&["deployments", &id.to_string()], &Nothing {}).await?;
            printer.show(&deployment, |page| show(page, &deployment))?;
        }
        DeploymentsCommand::Create(arguments) => {
            let preview = arguments.preview;
            let create = DeploymentCreate {
                update: arguments.update,
                collection: arguments.collection,
                action: arguments.action.into(),
                available: arguments.available,
                deadline: arguments.deadline,
                accept_eula: arguments.accept_eula,
                force: arguments.force,
            };
            if preview {
                let path = ["deployments", "preview"];
                let preview: DeploymentPreview = connection.change(Method::POST, &path, &create).await?;
                printer.show(&preview, |page| show_preview(page, &preview))?;
                return Ok(if preview.room.problem.is_none() { Outcome::Done } else { Outcome::Partly });
            }
            let created: DeploymentCreated = connection.change(Method::POST, &["deployments"], &create).await?;
            printer.show(&created, |page| {
                page.line(format!("deployment {} created", created.id));
                for warning in &created.warnings {
                    page.line(format!("warning: {warning}"));
                }
                page.line(format!("Next: weir deployments show {}", created.id));
            })?;
        }
        DeploymentsCommand::Change(arguments) => {
            let change = DeploymentChange {
                action: arguments.action.map(Into::into),
                available: arguments.available,
                deadline: arguments.deadline,
                accept_eula: arguments.accept_eula,
            };
            let path = ["deployments", &arguments.id.to_string()];
            let changed: Deployment = connection.change(Method::PATCH, &path, &change).await?;
            printer.show(&changed, |page| show(page, &changed))?;
        }
        DeploymentsCommand::Delete { ids } => {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            for id in &ids {
                connection.delete(&["deployments", id]).await?;
            }
            printer.done(&format!("deleted deployment {}", ids.join(", ")))?;
        }
    }
    Ok(Outcome::Done)
}

/// How it stands, short enough for a table.
fn state(deployment: &Deployment) -> String {
    let content = &deployment.content;
    match deployment.state {
        DeploymentState::Active => "active".to_owned(),
        DeploymentState::NotSent => "not sent".to_owned(),
        DeploymentState::WaitingForAvailableTime => format!("from {}", time(deployment.available)),
        DeploymentState::WaitingForContent => {
            format!("waiting for content ({} of {} files)", content.files_present, content.files)
        }
    }
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Block => "block",
        Action::Detect => "detect",
        Action::Install => "install",
        Action::Optional => "optional",
        Action::Uninstall => "uninstall",
    }
}

fn show(page: &mut Page, deployment: &Deployment) {
    page.field("deployment", deployment.id);
    page.field("state", &deployment.state_text);
    let revision = deployment.revision.map_or_else(|| " (newest revision)".to_owned(), |number| format!("@{number}"));
    page.field("update", format!("{}{revision} {}", deployment.update.id, deployment.update.name.trim()));
    page.field("collection", &deployment.collection.name);
    page.field("action", action(deployment.action));
    page.field("available", time(deployment.available));
    page.field("deadline", time_or(deployment.deadline, "none"));
    let content = &deployment.content;
    page.field(
        "content",
        format!(
            "{} of {} files, {} of {} here",
            content.files_present,
            content.files,
            bytes(content.bytes_present),
            bytes(content.bytes)
        ),
    );
    if content.without_source > 0 {
        page.line(format!("{} files have no known source. Next: weir content add PATH", content.without_source));
    }
}
