//! Moves phased deployments on: on a timer, and when something was done to one.

use std::time::Duration;

use tokio::sync::Notify;
use weir_model::phase::Status;

use crate::{
    admin::{AdminError, App, Caller, chain, phased::act},
    telemetry::{self, Job},
};

/// How often computers are looked at: that takes a pass over all of them.
const EVERY: Duration = Duration::from_mins(5);

/// What the job shares with the rest of the server.
#[derive(Debug, Default)]
pub(crate) struct Phases {
    nudged: Notify,
}

impl Phases {
    /// Something may go on now.
    pub(crate) fn nudge(&self) {
        self.nudged.notify_one();
    }
}

/// Runs until the process ends.
pub(super) async fn serve(app: &App) {
    let caller = Caller::system("phased deployments");
    loop {
        if let Err(error) = telemetry::job(Job::Phases, turn(app, &caller)).await {
            tracing::error!(error = chain(&error), "phased deployments could not be moved on; it is tried again");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = app.shared().phases.nudged.notified() => {}
        }
    }
}

async fn turn(app: &App, caller: &Caller) -> Result<(), AdminError> {
    let running = app
        .read(|tx| {
            let mut running = Vec::new();
            // the top of the tree runs them
            if tx.sites_parent()?.is_none() {
                for row in tx.phased_list()? {
                    if tx.phased_state(row.id)?.is_some_and(|stored| stored.state.status == Status::Running) {
                        running.push(row);
                    }
                }
            }
            Ok(running)
        })
        .await?;
    if running.is_empty() { Ok(()) } else { act::turn(app, caller, running).await }
}
