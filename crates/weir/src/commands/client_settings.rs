//! `weir client-settings`.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::Value;
use weir_api::{
    List,
    client_settings::{
        ClientSettingDefinition, ClientSettingWarning, ClientSettingsChange, ClientSettingsCollections,
        ClientSettingsCreate, ClientSettingsSet, ResultantClientSetting, ResultantClientSettings,
    },
};

use super::{Nothing, Paging, names};
use crate::{
    Outcome,
    connection::Connection,
    print::{Page, Printer},
};

/// The set that holds for every computer.
const DEFAULT: &str = "Default";

#[derive(Debug, Subcommand)]
pub(crate) enum ClientSettingsCommand {
    /// List the sets: the default one, which holds for every computer, then by priority.
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one setting, one set (--name), or every setting there is.
    #[command(after_help = "Examples:\n  weir client-settings show\n  weir client-settings show scan.schedule\n  \
                            weir client-settings show --name Laptops")]
    Show {
        /// A setting: which values it takes, what it does, who acts upon it.
        key: Option<String>,
        /// A set: what it sets, and where it is deployed.
        #[arg(long, value_name = "SET", conflicts_with = "key")]
        name: Option<String>,
    },
    /// Set settings, in the default set or in another one. Several go together or not at all.
    #[command(after_help = "Examples:\n  weir client-settings set scan.schedule \"every day at 02:00\"\n  \
                            weir client-settings set restart.minutes 120 restart.countdown_minutes 20 --name Laptops")]
    Set {
        /// A setting and its value, one after the other.
        #[arg(required = true, num_args = 2.., value_names = ["KEY", "VALUE"])]
        pairs: Vec<String>,
        /// The set.
        #[arg(long, value_name = "SET", default_value = DEFAULT)]
        name: String,
    },
    /// Leave settings of a set to weaker sets again, or to their defaults.
    #[command(after_help = "Examples:\n  weir client-settings unset scan.schedule\n  \
                            weir client-settings unset restart.minutes --name Laptops")]
    Unset {
        /// The settings.
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<String>,
        /// The set.
        #[arg(long, value_name = "SET", default_value = DEFAULT)]
        name: String,
    },
    /// Make a set. It holds where it is deployed.
    #[command(after_help = "Example:\n  weir client-settings create Laptops --collection Laptops --priority 1 \
                            --set network.metered=block")]
    Create(CreateArguments),
    /// Rename, describe or move a set.
    #[command(after_help = "Example:\n  weir client-settings change Laptops --priority 1")]
    Change {
        /// Name or id.
        name: String,
        /// Its new name.
        #[arg(long, value_name = "NAME")]
        rename: Option<String>,
        /// What it is for.
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// Its priority, 1 being the strongest; the others make room.
        #[arg(long, value_name = "N")]
        priority: Option<u32>,
    },
    /// Deploy a set to collections.
    #[command(after_help = "Example:\n  weir client-settings assign Laptops --collection \"Sales laptops\" Loaners")]
    Assign(Deployed),
    /// Take a set back from collections.
    Unassign(Deployed),
    /// Delete sets. The others keep their order.
    Delete {
        /// Names or ids.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Show what holds for a computer, and which set each value comes from.
    #[command(after_help = "Examples:\n  weir client-settings resultant --computer 5f3a...\n  \
                            weir client-settings resultant --collection Laptops --all")]
    Resultant {
        /// Its id, as `weir computers list` shows it.
        #[arg(long, value_name = "ID", required_unless_present = "collection")]
        computer: Option<String>,
        /// A computer that is in this collection alone.
        #[arg(long, value_name = "NAME", conflicts_with = "computer")]
        collection: Option<String>,
        /// Also settings that nobody set.
        #[arg(long)]
        all: bool,
    },
}

#[derive(Args, Debug)]
pub(crate) struct CreateArguments {
    /// Its name.
    name: String,
    /// What it is for.
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,
    /// Its priority, 1 being the strongest; the others make room. Without it the new set is the weakest.
    #[arg(long, value_name = "N")]
    priority: Option<u32>,
    /// Collections to deploy it to.
    #[arg(long, value_name = "NAME", num_args = 1..)]
    collection: Vec<String>,
    /// What it sets.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Deployed {
    /// Name or id of the set.
    name: String,
    /// Names or ids of collections.
    #[arg(long, value_name = "NAME", required = true, num_args = 1..)]
    collection: Vec<String>,
}

pub(crate) async fn run(command: ClientSettingsCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        ClientSettingsCommand::List { paging } => {
            let list = paging.read::<ClientSettingsSet>(connection, &["client-settings"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|set| {
                    vec![
                        set.priority.map_or_else(|| "default".to_owned(), |priority| priority.to_string()),
                        set.name.clone(),
                        set.settings.len().to_string(),
                        if set.default { "every computer".to_owned() } else { names(&set.collections) },
                        set.description.clone(),
                    ]
                });
                let header = &["Priority", "Name", "Settings", "Deployed to", "Description"];
                page.table(header, rows.collect(), "No sets.");
                page.more(list.next.as_deref());
            })?;
        }
        ClientSettingsCommand::Show { key: None, name: None } => {
            let list: List<ClientSettingDefinition> =
                connection.read(&["client-setting-definitions"], &All { limit: 1_000 }).await?;
            let default: ClientSettingsSet = connection.read(&["client-settings", DEFAULT], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|known| {
                    let value = default.settings.get(&known.key).unwrap_or(&known.default);
                    vec![known.key.clone(), text(value), text(&known.default), who(known), known.meaning.clone()]
                });
                page.table(&["Setting", "Default set", "Default", "Honoured by", "What it does"], rows.collect(), "");
            })?;
        }
        ClientSettingsCommand::Show { key: Some(key), .. } => {
            let list: List<ClientSettingDefinition> =
                connection.read(&["client-setting-definitions"], &All { limit: 1_000 }).await?;
            let Some(known) = list.items.into_iter().find(|known| known.key.eq_ignore_ascii_case(key.trim())) else {
                bail!("there is no client setting {key:?}\nnext: see all of them: weir client-settings show");
            };
            printer.show(&known, |page| {
                page.line(&known.meaning);
                page.field("setting", &known.key);
                page.field("values", &known.values);
                page.field("default", text(&known.default));
                page.field("number", format!("{} ({})", known.id, known.mark));
                for honoured in &known.honoured {
                    page.field("honoured by", honoured);
                }
            })?;
        }
        ClientSettingsCommand::Show { name: Some(name), .. } => {
            let set: ClientSettingsSet = connection.read(&["client-settings", &name], &Nothing {}).await?;
            printer.show(&set, |page| show(page, &set))?;
        }
        ClientSettingsCommand::Set { pairs, name } => {
            let mut set = BTreeMap::new();
            for pair in pairs.chunks(2) {
                let [key, value] = pair else { bail!("{} has no value: give KEY VALUE for each setting", pair[0]) };
                if set.insert(key.clone(), Value::String(value.clone())).is_some() {
                    bail!("{key} is given twice");
                }
            }
            let change = ClientSettingsChange { set, ..ClientSettingsChange::default() };
            changed(&name, &change, connection, printer).await?;
        }
        ClientSettingsCommand::Unset { keys, name } => {
            let change = ClientSettingsChange { unset: keys, ..ClientSettingsChange::default() };
            changed(&name, &change, connection, printer).await?;
        }
        ClientSettingsCommand::Create(arguments) => {
            let mut settings = BTreeMap::new();
            for pair in &arguments.set {
                let Some((key, value)) = pair.split_once('=') else { bail!("{pair:?} is not KEY=VALUE") };
                if settings.insert(key.trim().to_owned(), Value::String(value.to_owned())).is_some() {
                    bail!("{key} is given twice");
                }
            }
            let create = ClientSettingsCreate {
                name: arguments.name,
                description: arguments.description,
                priority: arguments.priority,
                settings,
                collections: arguments.collection,
            };
            let made: ClientSettingsSet = connection.change(Method::POST, &["client-settings"], &create).await?;
            printer.show(&made, |page| {
                show(page, &made);
                if made.collections.is_empty() {
                    page.line(format!("Next: weir client-settings assign {:?} --collection NAME", made.name));
                }
            })?;
        }
        ClientSettingsCommand::Change { name, rename, description, priority } => {
            let change =
                ClientSettingsChange { name: rename, description, priority, ..ClientSettingsChange::default() };
            changed(&name, &change, connection, printer).await?;
        }
        ClientSettingsCommand::Assign(deployed) => deploy(Method::POST, deployed, connection, printer).await?,
        ClientSettingsCommand::Unassign(deployed) => deploy(Method::DELETE, deployed, connection, printer).await?,
        ClientSettingsCommand::Delete { names } => {
            for name in &names {
                connection.delete(&["client-settings", name]).await?;
            }
            printer.done(&format!("deleted {}", names.join(", ")))?;
        }
        ClientSettingsCommand::Resultant { computer, collection, all } => {
            let path = match (&computer, &collection) {
                (Some(id), _) => ["computers", id.as_str(), "client-settings"],
                (None, name) => ["collections", name.as_deref().unwrap_or_default(), "client-settings"],
            };
            let mut resultant: ResultantClientSettings = connection.read(&path, &Nothing {}).await?;
            if !all {
                resultant.settings.retain(|setting| setting.origin != "built_in");
            }
            printer.show(&resultant, |page| resulting(page, &resultant))?;
        }
    }
    Ok(Outcome::Done)
}

/// A page with everything.
#[derive(serde::Serialize)]
struct All {
    limit: u32,
}

async fn changed(name: &str, change: &ClientSettingsChange, connection: &Connection, printer: &Printer) -> Result<()> {
    let set: ClientSettingsSet = connection.change(Method::PATCH, &["client-settings", name], change).await?;
    printer.show(&set, |page| show(page, &set))
}

async fn deploy(method: Method, deployed: Deployed, connection: &Connection, printer: &Printer) -> Result<()> {
    let body = ClientSettingsCollections { collections: deployed.collection };
    let path = ["client-settings", deployed.name.as_str(), "collections"];
    let set: ClientSettingsSet = connection.change(method, &path, &body).await?;
    printer.show(&set, |page| show(page, &set))
}

fn show(page: &mut Page, set: &ClientSettingsSet) {
    page.field("name", &set.name);
    page.field("id", set.id);
    page.field("description", &set.description);
    page.field("priority", set.priority.map_or_else(|| "weakest of all".to_owned(), |priority| priority.to_string()));
    page.field("deployed to", if set.default { "every computer".to_owned() } else { names(&set.collections) });
    if set.from_parent {
        page.field("from", "the site above; read-only here");
    }
    let rows = set.settings.iter().map(|(key, value)| vec![key.clone(), text(value)]);
    let empty = format!("It sets nothing. Next: weir client-settings set KEY VALUE --name {:?}", set.name);
    page.table(&["Setting", "Value"], rows.collect(), &empty);
    warned(page, &set.warnings);
}

fn warned(page: &mut Page, warnings: &[ClientSettingWarning]) {
    for warning in warnings {
        page.line(format!("warning: {}: {}", warning.key, warning.message));
    }
}

fn resulting(page: &mut Page, resultant: &ResultantClientSettings) {
    page.field("collections", names(&resultant.collections));
    let rows = resultant.settings.iter().map(|setting| {
        let beat = setting.beat.iter().map(|beaten| format!("{} ({})", text(&beaten.value), beaten.set));
        vec![setting.key.clone(), text(&setting.value), origin(setting), beat.collect::<Vec<_>>().join(", ")]
    });
    let empty = "Nobody set anything: every setting has its default (--all shows them).";
    page.table(&["Setting", "Value", "From", "Beat"], rows.collect(), empty);
    warned(page, &resultant.warnings);
}

fn origin(setting: &ResultantClientSetting) -> String {
    match (&setting.set, setting.priority) {
        (Some(set), Some(priority)) => {
            format!("{}, priority {priority}, by {}", set.name, names(&setting.collections))
        }
        (Some(_), None) => "default set".to_owned(),
        (None, _) => "built in".to_owned(),
    }
}

/// The first words of who acts upon a setting.
fn who(known: &ClientSettingDefinition) -> String {
    let words = known.honoured.iter().map(|text| text.split(':').next().unwrap_or_default().to_owned());
    words.collect::<Vec<_>>().join(", ")
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
