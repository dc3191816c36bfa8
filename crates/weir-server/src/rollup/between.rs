//! Roll-ups between synchronizations: what computers report reaches the top long before the next run.

use std::time::Duration;

use tokio::time::Instant;
use weir_store::alert::AlertSeverity;

use super::{RollupOutcome, is_wanted, send};
use crate::{
    admin::{
        AdminError, App, Caller, chain,
        setting::{Current, ROLLUP_MINUTES},
    },
    sync::{
        peer::{Peer, Upstream},
        progress::Progress,
    },
    telemetry::{self, Job},
};

/// How often to look whether one is due: a changed setting counts soon.
const LOOK: Duration = Duration::from_secs(20);
/// Failures in a row before somebody should see to it.
const FAILURES: u32 = 4;
/// Kind and subject of the alert about them.
const FAILED: &str = "rollup.failed";
const SUBJECT: &str = "roll-up";

/// Tells the server above now; none where there is nobody to tell or nothing was synchronized yet.
///
/// # Errors
///
/// The server above cannot be reached or refuses. What it acknowledged stays told; the next time goes on there.
pub(crate) async fn tell(app: &App) -> Result<Option<RollupOutcome>, AdminError> {
    let unreachable = |error: &dyn std::error::Error| AdminError::Upstream {
        detail: chain(error),
        next_step: Some("weir sync status tells of the server above; it is tried again by itself".to_owned()),
    };
    let upstream = Upstream::load(app).await.map_err(|error| unreachable(&error))?;
    let Some(upstream) = upstream.filter(is_wanted) else { return Ok(None) };
    let last = app.read(|tx| Ok(tx.rollup_syncs()?.last().map(|(at, _)| *at))).await?;
    let Some(last) = last else { return Ok(None) };
    let peer = Peer::connect(app, &upstream, &Progress::new()).await.map_err(|error| unreachable(&error))?;
    send(app, &peer, last).await.map(Some).map_err(|error| unreachable(&error))
}

/// Does so soon after the start, and then every `rollup.minutes`; it ends when it is dropped.
pub(crate) async fn serve(app: &App) {
    let caller = Caller::system("roll-up");
    let (mut last, mut failures) = (None::<Instant>, 0_u32);
    loop {
        tokio::time::sleep(LOOK).await;
        let minutes = match app.read(|tx| Ok(Current::read(tx)?.number(ROLLUP_MINUTES))).await {
            Ok(minutes) => minutes,
            Err(error) => {
                tracing::warn!(error = chain(&error), "the setting of roll-ups cannot be read");
                continue;
            }
        };
        if minutes == 0 || last.is_some_and(|last| last.elapsed() < Duration::from_mins(minutes)) {
            continue;
        }
        let told = telemetry::job(Job::RollUp, tell(app)).await;
        last = Some(Instant::now());
        match &told {
            Ok(outcome) => {
                tracing::debug!(?outcome, "the server above was told");
                failures = 0;
            }
            Err(error) => {
                tracing::warn!(error = chain(error), "the server above could not be told; it is tried again");
                failures = failures.saturating_add(1);
            }
        }
        let message = told.err().filter(|_| failures >= FAILURES).map(|error| {
            format!("The server above was not told about computers {failures} times in a row: {}", chain(&error))
        });
        let noted = app.write(&caller, move |tx| {
            match message {
                Some(message) => {
                    tx.alert_open(FAILED, SUBJECT, AlertSeverity::Warning, &message)?;
                }
                None if failures == 0 => {
                    tx.alert_close(FAILED, SUBJECT)?;
                }
                None => {}
            }
            Ok(())
        });
        if let Err(error) = noted.await {
            tracing::warn!(error = chain(&error), "the alert about roll-ups could not be stored");
        }
    }
}
