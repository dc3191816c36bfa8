//! `weir deployments`.

mod arguments;
mod show;
mod templates;

use anyhow::Result;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;
use weir_api::{
    List,
    deployment::{
        Deployment, DeploymentChange, DeploymentCreate, DeploymentCreated, DeploymentList, DeploymentPreview,
        DeploymentQuery, DeploymentSettingInfo,
    },
    simulation::{Explanation, ExplanationQuery, Simulation},
};

use self::{
    arguments::{ActionArgument, ListArguments, NewArguments, SettingArguments},
    show::{show, what},
    templates::TemplatesCommand,
};
use super::{Nothing, Paging};
use crate::{Outcome, connection::Connection, print::Printer};

#[derive(Debug, Subcommand)]
pub(crate) enum DeploymentsCommand {
    /// List deployments.
    #[command(after_help = "Times are RFC 3339 (2026-12-01T22:00:00Z) or from now (+3d4h).\n\nExamples:\n  \
                            weir deployments list --stage active --compliance\n  \
                            weir deployments list --collection Pilot --sort deadline:asc\n  \
                            weir deployments list security --deadline-before +7d --action install")]
    List {
        #[command(flatten)]
        arguments: Box<ListArguments>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one deployment: how it stands, and what it waits for.
    Show {
        /// Its number.
        id: i32,
    },
    /// List the updates that the deployment of a group deploys, and how each stands.
    Members {
        /// Its number.
        id: i32,
        #[command(flatten)]
        paging: Paging,
    },
    /// Deploy an update or an update group to a collection.
    Create(Box<CreateArguments>),
    /// Say what a deployment would do: who would be offered what, what it costs, what stands against it.
    #[command(after_help = "It takes the arguments of create.\n\nExamples:\n  \
                            weir deployments simulate --group \"2026-11\" --collection Pilot --action install --deadline +7d")]
    Simulate(Box<NewArguments>),
    /// Say why a computer is offered an update, or is not.
    #[command(after_help = "Example:\n  weir deployments explain --update 5c9f... --computer 0a1b...")]
    Explain {
        /// GUID of the update.
        #[arg(long, value_name = "ID")]
        update: Uuid,
        /// Id of the computer, as weir computers list shows it.
        #[arg(long, value_name = "ID")]
        computer: String,
    },
    /// Change what a deployment asks for, when, or how.
    #[command(after_help = "A removal (uninstall) stays one; everything can become detect or block.\n\nExamples:\n  \
                            weir deployments change 7 --deadline +2d\n  \
                            weir deployments change 7 --name \"Pilot, November\" --outside-windows")]
    Change(Box<ChangeArguments>),
    /// Switch deployments on.
    Enable {
        /// Their numbers.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<i32>,
    },
    /// Switch deployments off: computers get what they would get without them.
    Disable {
        /// Their numbers.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<i32>,
    },
    /// Delete deployments.
    Delete {
        /// Their numbers.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<i32>,
    },
    /// List the settings that a deployment has, and who follows each.
    Settings,
    /// Settings under a name, for deployments to come.
    #[command(subcommand)]
    Templates(TemplatesCommand),
}

#[derive(Args, Debug)]
#[command(after_help = "Times are RFC 3339 (2026-12-01T22:00:00Z) or from now (+3d4h).\n\nExamples:\n  \
                        weir deployments create --update 5c9f... --collection Pilot --action install\n  \
                        weir deployments create --update 5c9f...@201 --collection 'All Computers' --action install \
                        --available +2d --deadline +9d\n  \
                        weir deployments create --group \"2026-11\" --collection Pilot --action install --deadline +7d\n  \
                        weir deployments create --update 5c9f... --collection Pilot --action install --preview")]
pub(crate) struct CreateArguments {
    #[command(flatten)]
    new: NewArguments,
    /// Only say what its content needs: files, bytes, and whether there is room.
    #[arg(long)]
    preview: bool,
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
    /// Another name.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Another description.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Accept the licence of the update for this site.
    #[arg(long)]
    accept_eula: bool,
    #[command(flatten)]
    settings: SettingArguments,
}

pub(crate) async fn run(command: DeploymentsCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        DeploymentsCommand::List { arguments, paging } => {
            let query = DeploymentQuery::from(*arguments);
            let narrowed = query != DeploymentQuery { compliance: query.compliance, ..DeploymentQuery::default() };
            let list: DeploymentList = paging
                .whole(connection, &["deployments"], &query, |list: &mut DeploymentList| {
                    (&mut list.items, &mut list.next)
                })
                .await?;
            printer.show(&list, |page| show::list(page, &list, query.compliance, narrowed))?;
        }
        DeploymentsCommand::Show { id } => {
            let deployment: Deployment = connection.read(&["deployments", &id.to_string()], &Nothing {}).await?;
            printer.show(&deployment, |page| show(page, &deployment))?;
        }
        DeploymentsCommand::Members { id, paging } => {
            let path = ["deployments", &id.to_string(), "members"];
            let list = paging.read::<Deployment>(connection, &path, &Nothing {}).await?;
            printer.show(&list, |page| {
                let row = |it: &Deployment| {
                    let update = it.update.as_ref().map(|update| update.id.to_string()).unwrap_or_default();
                    vec![it.id.to_string(), update, it.state_text.clone(), what(it)]
                };
                let empty = "No updates: it deploys no group, or an empty one. Next: weir groups add NAME ID...";
                page.table(&["Id", "Update", "State", "Title"], list.items.iter().map(row).collect(), empty);
                page.more(list.next.as_deref());
            })?;
        }
        DeploymentsCommand::Create(arguments) => {
            let create = DeploymentCreate::from(arguments.new);
            if arguments.preview {
                let path = ["deployments", "preview"];
                let preview: DeploymentPreview = connection.change(Method::POST, &path, &create).await?;
                printer.show(&preview, |page| show::preview(page, &preview))?;
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
        DeploymentsCommand::Simulate(arguments) => {
            let create = DeploymentCreate::from(*arguments);
            let path = ["deployments", "simulation"];
            let simulated: Simulation = connection.change(Method::POST, &path, &create).await?;
            printer.show(&simulated, |page| show::simulation(page, &simulated))?;
        }
        DeploymentsCommand::Explain { update, computer } => {
            let query = ExplanationQuery { update, computer };
            let explained: Explanation = connection.read(&["deployments", "explanation"], &query).await?;
            printer.show(&explained, |page| show::explanation(page, &explained))?;
        }
        DeploymentsCommand::Change(arguments) => {
            let change = DeploymentChange {
                action: arguments.action.map(Into::into),
                available: arguments.available,
                deadline: arguments.deadline,
                accept_eula: arguments.accept_eula,
                name: arguments.name,
                description: arguments.description,
                enabled: None,
                settings: arguments.settings.into(),
            };
            let path = ["deployments", &arguments.id.to_string()];
            let changed: Deployment = connection.change(Method::PATCH, &path, &change).await?;
            printer.show(&changed, |page| show(page, &changed))?;
        }
        DeploymentsCommand::Enable { ids } => switch(&ids, true, connection, printer).await?,
        DeploymentsCommand::Disable { ids } => switch(&ids, false, connection, printer).await?,
        DeploymentsCommand::Delete { ids } => {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            for id in &ids {
                connection.delete(&["deployments", id]).await?;
            }
            printer.done(&format!("deleted deployment {}", ids.join(", ")))?;
        }
        DeploymentsCommand::Settings => {
            let list: List<DeploymentSettingInfo> = connection.read(&["deployment-settings"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let row = |it: &DeploymentSettingInfo| {
                    vec![
                        it.name.clone(),
                        it.honoured.word().to_owned(),
                        it.default.clone(),
                        it.meaning.clone(),
                        it.note.clone(),
                    ]
                };
                let header = ["Setting", "Followed by", "Default", "Meaning", "Note"];
                page.table(&header, list.items.iter().map(row).collect(), "No settings.");
            })?;
        }
        DeploymentsCommand::Templates(command) => return templates::run(command, connection, printer).await,
    }
    Ok(Outcome::Done)
}

async fn switch(ids: &[i32], on: bool, connection: &Connection, printer: &Printer) -> Result<()> {
    let mut changed: Vec<Deployment> = Vec::new();
    for id in ids {
        let path = ["deployments", &id.to_string()];
        changed.push(connection.change(Method::PATCH, &path, &json!({ "enabled": on })).await?);
    }
    let list = List { items: changed, next: None };
    printer.show(&list, |page| {
        for deployment in &list.items {
            page.line(format!("deployment {}: {}", deployment.id, deployment.state_text));
        }
    })
}
