//! `weir collections`.

use anyhow::Result;
use clap::{Args, Subcommand};
use reqwest::Method;
use weir_api::{
    collection::{Collection, CollectionChange, CollectionCreate, CollectionCreated, MemberChange, MembersChanged},
    computer::ComputerRow,
};

use super::{Nothing, Paging};
use crate::{
    Outcome,
    connection::Connection,
    print::{Printer, time},
};

#[derive(Debug, Subcommand)]
pub(crate) enum CollectionsCommand {
    /// List collections with their numbers of computers.
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one collection and its computers.
    Show {
        /// Name or id.
        name: String,
        #[command(flatten)]
        paging: Paging,
    },
    /// Create a collection.
    #[command(after_help = "Example:\n  weir collections create Pilot --parent 'All Computers'")]
    Create {
        /// Its name, unique without regard to case.
        name: String,
        /// Name or id of the collection above it; All Computers by default.
        #[arg(long, value_name = "NAME")]
        parent: Option<String>,
        /// Send deployed updates only (for thin links); compliance of others is not known then.
        #[arg(long)]
        approved_only: bool,
    },
    /// Change a collection.
    #[command(alias = "set")]
    Change {
        /// Name or id.
        name: String,
        /// Its new name.
        #[arg(long, value_name = "NAME")]
        rename: Option<String>,
        /// Whether to send deployed updates only.
        #[arg(long, value_name = "true|false")]
        approved_only: Option<bool>,
    },
    /// Delete a collection. Its computers stay.
    Delete {
        /// Name or id.
        name: String,
    },
    /// Put computers into a collection.
    #[command(after_help = "Example:\n  weir collections add Pilot --computer 5f3a... 77c0...")]
    Add(Members),
    /// Take computers out of a collection.
    Remove(Members),
}

#[derive(Args, Debug)]
pub(crate) struct Members {
    /// Name or id of the collection.
    name: String,
    /// Ids of computers, as `weir computers list` shows them.
    #[arg(long = "computer", value_name = "ID", required = true, num_args = 1..)]
    computers: Vec<String>,
}

pub(crate) async fn run(command: CollectionsCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        CollectionsCommand::List { paging } => {
            let list = paging.read::<Collection>(connection, &["collections"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|collection| {
                    vec![
                        collection.name.clone(),
                        collection.parent.as_ref().map(|parent| parent.name.clone()).unwrap_or_default(),
                        collection.members_below.to_string(),
                        collection.deployments.to_string(),
                        collection.id.to_string(),
                    ]
                });
                page.table(&["Name", "Below", "Computers", "Deployments", "Id"], rows.collect(), "No collections.");
                page.more(list.next.as_deref());
            })?;
        }
        CollectionsCommand::Show { name, paging } => show(&name, &paging, connection, printer).await?,
        CollectionsCommand::Create { name, parent, approved_only } => {
            let create = CollectionCreate { name, parent, approved_only };
            let created: CollectionCreated = connection.change(Method::POST, &["collections"], &create).await?;
            printer.show(&created, |page| page.line(format!("created {} ({})", created.name, created.id)))?;
        }
        CollectionsCommand::Change { name, rename, approved_only } => {
            let change = CollectionChange { name: rename, approved_only };
            let changed: Collection = connection.change(Method::PATCH, &["collections", &name], &change).await?;
            printer.show(&changed, |page| page.line(format!("changed {}", changed.name)))?;
        }
        CollectionsCommand::Delete { name } => {
            connection.delete(&["collections", &name]).await?;
            printer.done(&format!("deleted {name}"))?;
        }
        CollectionsCommand::Add(members) => change(Method::POST, members, connection, printer).await?,
        CollectionsCommand::Remove(members) => change(Method::DELETE, members, connection, printer).await?,
    }
    Ok(Outcome::Done)
}

async fn show(name: &str, paging: &Paging, connection: &Connection, printer: &Printer) -> Result<()> {
    let collection: Collection = connection.read(&["collections", name], &Nothing {}).await?;
    let members = paging.read::<ComputerRow>(connection, &["collections", name, "members"], &Nothing {}).await?;
    let mut whole = serde_json::to_value(&collection)?;
    if let Some(fields) = whole.as_object_mut() {
        fields.insert("computers".into(), serde_json::to_value(&members)?);
    }
    printer.show(&whole, |page| {
        page.field("name", &collection.name);
        page.field("id", collection.id);
        page.field("below", collection.parent.as_ref().map(|parent| parent.name.clone()).unwrap_or_default());
        page.field("computers", format!("{}, {} with those below", collection.members, collection.members_below));
        page.field("deployments", collection.deployments);
        page.field("sends", if collection.approved_only { "deployed updates only" } else { "every live update" });
        let rows = members.items.iter().map(|computer| {
            vec![computer.id.clone(), computer.name.clone(), computer.os.clone(), time(computer.last_contact)]
        });
        let empty = format!("No computers in it. Next: weir collections add {name:?} --computer ID");
        page.table(&["Id", "Name", "System", "Last contact"], rows.collect(), &empty);
        page.more(members.next.as_deref());
    })
}

async fn change(method: Method, members: Members, connection: &Connection, printer: &Printer) -> Result<()> {
    let body = MemberChange { computers: members.computers };
    let path = ["collections", members.name.as_str(), "members"];
    let changed: MembersChanged = connection.change(method, &path, &body).await?;
    printer.show(&changed, |page| {
        page.line(format!("{} changed, {} were so already", changed.changed, changed.unchanged));
    })
}
