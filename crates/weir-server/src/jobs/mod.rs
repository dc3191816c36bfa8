//! Work in the background. Each job runs on a timer and, where it matters, on a nudge; it is idempotent, and what fails is
//! tried again by the next run. Of several front ends one does it at a time: whoever has the duty ([`crate::front`]). Where a job
//! begins, and knows that no other works on what it finds, that is by the lock of the data folder, or by the duty.

pub(crate) mod backup;
mod certificates;
pub(crate) mod cleanup;
pub(crate) mod downloads;
mod history;
mod phases;
pub(crate) mod reports;
mod retention;
mod retirement;
mod rules;
pub(crate) mod upkeep;
pub(crate) mod windows;

use std::time::Duration;

use tokio::{sync::watch, task::JoinHandle, time};

use crate::{admin::App, front::Duty};

pub(crate) use backup::Backups;
pub(crate) use downloads::Downloads;
pub(crate) use phases::Phases;
pub(crate) use rules::Rules;

/// How often missing content is looked for without a nudge.
const DOWNLOAD_EVERY: Duration = Duration::from_mins(15);
/// How often jobs on content that another process left are looked for.
const UPKEEP_EVERY: Duration = Duration::from_mins(1);
/// How often old events, sessions and codes are deleted.
const RETENTION_EVERY: Duration = Duration::from_hours(1);

/// Starts all jobs; they end when `stop` turns true.
pub(crate) fn start(app: &App, stop: &watch::Receiver<bool>) -> Vec<JoinHandle<()>> {
    let spawn = |app: App, mut stop: watch::Receiver<bool>, which: Which| {
        tokio::spawn(async move {
            let app = &app;
            let work = async {
                match which.duty() {
                    Some(duty) => app.state.live.duties.hold(duty, move || run(app, which)).await,
                    None => run(app, which).await,
                }
            };
            tokio::select! {
                () = work => {}
                () = async { let _ = stop.wait_for(|stop| *stop).await; } => {}
            }
        })
    };
    vec![
        spawn(app.clone(), stop.clone(), Which::Backup),
        spawn(app.clone(), stop.clone(), Which::Certificates),
        spawn(app.clone(), stop.clone(), Which::Cleanup),
        spawn(app.clone(), stop.clone(), Which::Download),
        spawn(app.clone(), stop.clone(), Which::History),
        spawn(app.clone(), stop.clone(), Which::Notification),
        spawn(app.clone(), stop.clone(), Which::ObjectStore),
        spawn(app.clone(), stop.clone(), Which::Phases),
        spawn(app.clone(), stop.clone(), Which::Reports),
        spawn(app.clone(), stop.clone(), Which::Retention),
        spawn(app.clone(), stop.clone(), Which::Retirement),
        spawn(app.clone(), stop.clone(), Which::RollUp),
        spawn(app.clone(), stop.clone(), Which::Rules),
        spawn(app.clone(), stop.clone(), Which::Synchronization),
        spawn(app.clone(), stop.clone(), Which::Upkeep),
        spawn(app.clone(), stop.clone(), Which::Watch),
        spawn(app.clone(), stop.clone(), Which::WatchHere),
        spawn(app.clone(), stop.clone(), Which::Windows),
    ]
}

#[derive(Clone, Copy)]
enum Which {
    Backup,
    Certificates,
    Cleanup,
    Download,
    History,
    Notification,
    ObjectStore,
    Phases,
    Reports,
    Retention,
    Retirement,
    RollUp,
    Rules,
    Synchronization,
    Upkeep,
    Watch,
    WatchHere,
    Windows,
}

impl Which {
    /// Of several front ends one does it at a time; none: each does it for itself.
    fn duty(self) -> Option<Duty> {
        match self {
            Self::Certificates | Self::ObjectStore | Self::WatchHere => None,
            Self::Backup => Some(Duty::Backup),
            Self::Cleanup => Some(Duty::Cleanup),
            Self::Download | Self::Upkeep => Some(Duty::Content),
            Self::History => Some(Duty::History),
            Self::Notification => Some(Duty::Notification),
            Self::Phases => Some(Duty::Phases),
            Self::Reports => Some(Duty::Reports),
            Self::Retention => Some(Duty::Retention),
            Self::Retirement => Some(Duty::Retirement),
            // one at a time tells the server above
            Self::RollUp | Self::Synchronization => Some(Duty::Synchronization),
            Self::Rules => Some(Duty::Rules),
            Self::Watch => Some(Duty::Watch),
            Self::Windows => Some(Duty::Windows),
        }
    }
}

async fn run(app: &App, which: Which) {
    match which {
        Which::Backup => backup::serve(app).await,
        Which::Certificates => certificates::serve(app).await,
        Which::Cleanup => cleanup::serve(app).await,
        Which::Download => {
            let _shown = downloads::Shown(app);
            let downloader = downloads::Downloader::new(app);
            downloader.begin(app).await;
            loop {
                let again = downloader.run(app).await;
                let wait = again.unwrap_or(DOWNLOAD_EVERY);
                tokio::select! {
                    () = time::sleep(wait) => {}
                    () = crate::content::wanted(app) => {}
                }
            }
        }
        Which::History => history::serve(app).await,
        Which::Notification => crate::notify::serve(app).await,
        Which::Watch => crate::notify::watch(app).await,
        Which::WatchHere => crate::notify::watch_here(app).await,
        Which::ObjectStore => crate::content::objects::watch(&app.state).await,
        Which::Phases => phases::serve(app).await,
        Which::Reports => reports::serve(app).await,
        Which::Rules => rules::serve(app).await,
        Which::RollUp => crate::rollup::serve(app).await,
        Which::Synchronization => crate::sync::run::serve(app).await,
        Which::Upkeep => {
            let upkeep = upkeep::Upkeep::new(app);
            upkeep.begin(app).await;
            loop {
                upkeep.run(app).await;
                tokio::select! {
                    () = time::sleep(UPKEEP_EVERY) => {}
                    () = app.shared().upkeep.notified() => {}
                }
            }
        }
        Which::Windows => loop {
            windows::run(app).await;
            tokio::select! {
                () = time::sleep(windows::EVERY) => {}
                () = app.shared().windows.notified() => {}
            }
        },
        Which::Retirement => retirement::serve(app).await,
        Which::Retention => loop {
            retention::run(app).await;
            time::sleep(RETENTION_EVERY).await;
        },
    }
}
