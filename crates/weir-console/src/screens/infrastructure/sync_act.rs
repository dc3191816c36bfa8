//! What is done with synchronization: starting it, stopping it, telling the server above, when it runs by itself.

use axum::{Form as Posted, response::Response};
use serde::Deserialize;
use serde_json::Value;
use weir_api::sync::{RolledUp, Schedule, ScheduleChange, SyncRun, SyncStart, SyncStarted};

use super::{
    source,
    sync::{Form, HERE, page},
};
use crate::{
    cx::Cx,
    failure::Failure,
    texts::infrastructure as t,
    ui::{
        form::Errors,
        schedule::{self, Schedule as Filled},
    },
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Start {
    full: String,
}

/// Starts a run, or joins the one that is under way.
pub(super) async fn start(cx: Cx, Posted(sent): Posted<Start>) -> Result<Response, Failure> {
    match cx.api.post::<SyncStarted>("/sync", &SyncStart { full: sent.full == "1" }).await {
        Ok(started) if started.attached => Ok(t::flash_sync_attached().to(HERE)),
        Ok(started) => Ok(t::flash_sync_started(source::name(&cx, &started.run.source)).to(HERE)),
        Err(failure) => refused(&cx, failure).await,
    }
}

async fn refused(cx: &Cx, failure: Failure) -> Result<Response, Failure> {
    page(cx, Form::Act(&Errors::of(&failure.into_problem()?, &[]))).await
}

/// Stops the run that is under way.
pub(super) async fn cancel(cx: Cx) -> Result<Response, Failure> {
    match cx.api.delete::<SyncRun>("/sync").await {
        Ok(_) => Ok(t::flash_sync_cancelled().to(HERE)),
        Err(failure) => refused(&cx, failure).await,
    }
}

/// Tells the server above of computers now.
pub(super) async fn roll_up(cx: Cx) -> Result<Response, Failure> {
    match cx.api.post::<RolledUp>("/sync/roll-up", &Value::Null).await {
        Ok(told) => Ok(t::flash_rolled_up(told.computers, told.statuses).to(HERE)),
        Err(failure) => refused(&cx, failure).await,
    }
}

/// Sets when it runs by itself.
pub(super) async fn schedule(cx: Cx, Posted(pairs): Posted<Vec<(String, String)>>) -> Result<Response, Failure> {
    let filled = Filled::sent(&pairs);
    match cx.api.put::<Schedule>("/sync/schedule", &ScheduleChange { text: filled.text() }).await {
        Ok(_) => Ok(t::flash_schedule_set().to(format!("{HERE}?tab=settings"))),
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
