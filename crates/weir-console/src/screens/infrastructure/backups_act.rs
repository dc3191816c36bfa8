//! What is done with backups: asking for one, stopping it, when they are made by themselves.

use axum::{Form as Posted, response::Response};
use serde::Deserialize;
use serde_json::Value;
use weir_api::{
    backup::{BackupCreate, BackupRun},
    setting::{SettingChange, SettingChanged},
};

use super::backups::{Form, HERE, page};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    texts::backups as t,
    ui::{
        form::Errors,
        schedule::{self, Schedule as Filled},
    },
};

/// The setting that says when they are made by themselves.
const SCHEDULE: &str = "backup.schedule";

/// A backup that is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    folder: String,
    content: String,
    /// The form said how; else it is made as the settings say.
    otherwise: String,
}

impl Wanted {
    /// The files were asked for.
    pub(super) fn has_content(&self) -> bool {
        self.content == "1"
    }

    /// The folder, as it was typed.
    pub(super) fn folder(&self) -> &str {
        self.folder.trim()
    }

    fn body(&self) -> BackupCreate {
        if self.otherwise != "1" {
            return BackupCreate::default();
        }
        let folder = Some(self.folder()).filter(|folder| !folder.is_empty()).map(str::to_owned);
        BackupCreate { folder, content: Some(self.has_content()) }
    }
}

/// Asks for a backup, or joins the run that is under way.
pub(super) async fn create(cx: Cx, Posted(wanted): Posted<Wanted>) -> Result<Response, Failure> {
    match cx.api.post::<BackupRun>("/backups", &wanted.body()).await {
        Ok(_) => Ok(t::flash_asked().to(HERE)),
        Err(failure) => {
            let errors = Errors::of(&failure.into_problem()?, &["folder"]);
            page(&cx, Form::Wanted(&wanted, &errors)).await
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Stop {
    id: String,
}

/// Stops a run; what it wrote is removed.
pub(super) async fn stop(cx: Cx, Posted(sent): Posted<Stop>) -> Result<Response, Failure> {
    let _: BackupRun = cx.api.delete(&path(&["backups", "runs", &sent.id])).await?;
    Ok(t::flash_stopped().to(HERE))
}

/// Sets when they are made by themselves.
pub(super) async fn schedule(cx: Cx, Posted(pairs): Posted<Vec<(String, String)>>) -> Result<Response, Failure> {
    let filled = Filled::sent(&pairs);
    let text = match filled.checked(&cx) {
        Ok(text) => text,
        Err(errors) => return page(&cx, Form::Schedule(&filled, &errors)).await,
    };
    let change = SettingChange { value: Value::String(text), force: false };
    match cx.api.put::<SettingChanged>(&path(&["settings", SCHEDULE]), &change).await {
        Ok(_) => Ok(t::flash_schedule().to(format!("{HERE}?tab=schedule"))),
        Err(failure) => {
            let problem = failure.into_problem()?;
            let errors = match problem.code.as_str() {
                "setting_value" => Errors::default().field(schedule::FIELD, problem.detail),
                _ => Errors::of(&problem, &[]),
            };
            page(&cx, Form::Schedule(&filled, &errors)).await
        }
    }
}
