//! `weir deployments templates`.

use anyhow::Result;
use clap::Subcommand;
use reqwest::Method;
use weir_api::deployment_template::{DeploymentTemplate, TemplateBody};

use super::{arguments::TemplateArguments, show};
use crate::{
    Outcome,
    commands::{Nothing, Paging},
    connection::Connection,
    print::{Page, Printer},
};

#[derive(Debug, Subcommand)]
pub(crate) enum TemplatesCommand {
    /// List templates.
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one template.
    Show {
        /// Its name.
        name: String,
    },
    /// Keep settings under a name, or replace what a template says.
    #[command(after_help = "Examples:\n  \
                            weir deployments templates save Weekly --action install --deadline +7d --grace\n  \
                            weir deployments create --group \"2026-11\" --collection Pilot --template Weekly")]
    Save(TemplateArguments),
    /// Delete templates; deployments made from them stay as they are.
    Delete {
        /// Their names.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
}

pub(super) async fn run(command: TemplatesCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        TemplatesCommand::List { paging } => {
            let list = paging.read::<DeploymentTemplate>(connection, &["deployment-templates"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|row| vec![row.name.clone(), summary(&row.template)]);
                let empty = "No templates. Next: weir deployments templates save NAME --action install --deadline +7d";
                page.table(&["Name", "What it says"], rows.collect(), empty);
                page.more(list.next.as_deref());
            })?;
        }
        TemplatesCommand::Show { name } => {
            let template = connection.read(&["deployment-templates", &name], &Nothing {}).await?;
            printer.show(&template, |page| print(page, &template))?;
        }
        TemplatesCommand::Save(arguments) => {
            let name = arguments.name.clone();
            let body = TemplateBody::from(arguments);
            let saved: DeploymentTemplate =
                connection.change(Method::PUT, &["deployment-templates", &name], &body).await?;
            printer.show(&saved, |page| print(page, &saved))?;
        }
        TemplatesCommand::Delete { names } => {
            for name in &names {
                connection.delete(&["deployment-templates", name]).await?;
            }
            printer.done(&format!("deleted template {}", names.join(", ")))?;
        }
    }
    Ok(Outcome::Done)
}

fn summary(body: &TemplateBody) -> String {
    let mut parts = Vec::new();
    parts.extend(body.action.map(|it| show::action(it).to_owned()));
    parts.extend(body.collection.as_ref().map(|it| format!("to {it}")));
    parts.extend(body.available.as_ref().map(|it| format!("available {it}")));
    parts.extend(body.deadline.as_ref().map(|it| format!("deadline {it}")));
    parts.extend(show::settings(&body.settings));
    if parts.is_empty() { "the defaults".to_owned() } else { parts.join(", ") }
}

fn print(page: &mut Page, template: &DeploymentTemplate) {
    page.field("template", &template.name);
    page.field("says", summary(&template.template));
    if let Some(problem) = &template.problem {
        page.field("problem", problem);
    }
}
