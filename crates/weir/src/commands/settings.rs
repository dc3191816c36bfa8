//! `weir settings`.

use anyhow::Result;
use clap::Subcommand;
use reqwest::Method;
use serde_json::Value;
use weir_api::{
    List,
    setting::{Setting, SettingChange, SettingChanged},
};

use super::Nothing;
use crate::{Outcome, connection::Connection, print::Printer};

#[derive(Debug, Subcommand)]
pub(crate) enum SettingsCommand {
    /// List every setting with its value.
    List,
    /// Show one setting: what it does, its value, its default. Without a name all, as list does.
    Show {
        /// Name of the setting.
        key: Option<String>,
    },
    /// Change a setting.
    #[command(after_help = "Examples:\n  weir settings set targeting client\n  weir settings set source none")]
    Set {
        /// Name of the setting.
        key: String,
        /// Its new value.
        value: String,
        /// Change it even if that gives up what was decided here.
        #[arg(long)]
        force: bool,
    },
}

pub(crate) async fn run(command: SettingsCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        SettingsCommand::List | SettingsCommand::Show { key: None } => {
            let list: List<Setting> = connection.read(&["settings"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|setting| {
                    vec![setting.key.clone(), text(&setting.value), text(&setting.default), setting.description.clone()]
                });
                page.table(&["Setting", "Value", "Default", "What it does"], rows.collect(), "No settings.");
            })?;
        }
        SettingsCommand::Show { key: Some(key) } => {
            let setting: Setting = connection.read(&["settings", &key], &Nothing {}).await?;
            printer.show(&setting, |page| {
                page.line(&setting.description);
                page.field("setting", &setting.key);
                page.field("value", text(&setting.value));
                page.field("default", text(&setting.default));
                page.field("values", &setting.values);
            })?;
        }
        SettingsCommand::Set { key, value, force } => {
            let change = SettingChange { value: Value::String(value), force };
            let changed: SettingChanged = connection.change(Method::PUT, &["settings", &key], &change).await?;
            printer.show(&changed, |page| page.line(format!("{} = {}", changed.key, text(&changed.value))))?;
        }
    }
    Ok(Outcome::Done)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    }
}
