//! Deletes what has been kept long enough: events, ended sessions, unused sign-in codes.

use jiff::{SignedDuration, Timestamp};

use crate::admin::{
    App, Caller, chain,
    setting::{Current, EVENT_DAYS},
};

/// How long a server that asked to synchronize stays listed when nobody decides about it.
const UNDECIDED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Events deleted in one transaction: other writers wait no longer than for these.
const AT_ONCE: u32 = 5_000;

/// One run.
pub(super) async fn run(app: &App) {
    let caller = Caller { name: "system: retention".to_owned(), from: None };
    let outcome = async {
        app.write(&caller, |tx| Ok(tx.access_prune()?)).await?;
        let undecided = Timestamp::now() - UNDECIDED;
        app.write(&caller, move |tx| Ok(tx.downstream_prune(undecided)?)).await?;
        let days = app.read(Current::read).await?.number(EVENT_DAYS);
        let before = Timestamp::now() - SignedDuration::from_hours(24 * days as i64);
        let mut deleted = 0;
        loop {
            let some = app.write(&caller, move |tx| Ok(tx.event_prune(before, AT_ONCE)?)).await?;
            deleted += some;
            if some < u64::from(AT_ONCE) {
                return Ok::<u64, crate::admin::AdminError>(deleted);
            }
        }
    };
    match outcome.await {
        Ok(0) => {}
        Ok(events) => tracing::info!(events, "old events were deleted"),
        Err(error) => tracing::warn!(error = chain(&error), "deleting what is old failed; it is tried again"),
    }
}
