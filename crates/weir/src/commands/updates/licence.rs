//! `weir updates eula`.

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;
use weir_api::{
    selection::LanguageQuery,
    update_edit::{AwaitedLicence, Licence},
};

use super::{Nothing, Paging};
use crate::{
    connection::Connection,
    print::{Page, Printer},
};

#[derive(Debug, Subcommand)]
pub(crate) enum EulaCommand {
    /// Show the licence of an update.
    #[command(after_help = "Examples:\n  weir updates eula show ID --language de")]
    Show {
        /// GUID of the update.
        id: String,
        /// Language of the text, such as de.
        #[arg(long, value_name = "CODE")]
        language: Option<String>,
    },
    /// Accept the licence of updates, for every update that has it. That cannot be taken back: computers may have installed
    /// what it covers.
    Accept {
        /// GUIDs of updates.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// List licences that nobody accepted.
    List {
        #[command(flatten)]
        paging: Paging,
    },
}

pub(super) async fn run(command: EulaCommand, connection: &Connection, printer: &Printer) -> Result<()> {
    match command {
        EulaCommand::Show { id, language } => {
            let licence: Licence = connection.read(&["updates", &id, "eula"], &LanguageQuery { language }).await?;
            printer.show(&licence, |page| show_licence(page, &licence))
        }
        EulaCommand::Accept { ids } => {
            let mut items: Vec<Licence> = Vec::new();
            for id in &ids {
                items.push(connection.call(&["updates", id, "eula"], &Nothing {}).await?);
            }
            printer.show(&json!({ "items": items, "next": null }), |page| {
                for licence in &items {
                    page.line(format!("accepted: {} for {}", licence.eula, licence.update.name));
                }
            })
        }
        EulaCommand::List { paging } => {
            let list = paging.read::<AwaitedLicence>(connection, &["updates-licences"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list
                    .items
                    .iter()
                    .map(|row| vec![row.update.id.to_string(), row.eula.clone(), row.update.name.clone()]);
                page.table(&["Update", "Licence", "Title"], rows.collect(), "No licence waits to be accepted.");
                page.more(list.next.as_deref());
            })
        }
    }
}

fn show_licence(page: &mut Page, licence: &Licence) {
    page.line(&licence.update.name);
    page.field("licence", &licence.eula);
    let by = licence.accepted_by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    page.field("state", if licence.accepted { format!("accepted{by}") } else { "not accepted".to_owned() });
    page.field("languages", licence.languages.join(", "));
    if let Some(text) = &licence.text {
        page.line("");
        page.line(text.replace('\r', ""));
    }
    if let Some(next) = &licence.next_step {
        page.line(format!("Next: {next}"));
    }
}
