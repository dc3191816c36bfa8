//! Deletes what has been kept long enough: events, status messages, closed alerts, deliveries, ended sessions, unused
//! sign-in codes, keys of requests.

use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};

use crate::{
    admin::{
        AdminError, App, Caller, chain, idempotency,
        setting::{ALERT_DAYS, Current, EVENT_DAYS, MESSAGE_COUNT, MESSAGE_DAYS},
    },
    telemetry::{self, Job},
};

/// How long a server that asked to synchronize stays listed when nobody decides about it.
const UNDECIDED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Events deleted in one transaction: other writers wait no longer than for these.
const AT_ONCE: u32 = 5_000;

/// One run.
pub(super) async fn run(app: &App) {
    let caller = Caller::system("retention");
    let outcome = async {
        app.write(&caller, |tx| Ok(tx.access_prune()?)).await?;
        let keyed = Timestamp::now() - idempotency::KEPT;
        app.write(&caller, move |tx| Ok(tx.idempotency_prune(keyed)?)).await?;
        let undecided = Timestamp::now() - UNDECIDED;
        app.write(&caller, move |tx| Ok(tx.downstream_prune(undecided)?)).await?;
        messages_and_alerts(app, &caller).await?;
        departed(app, &caller).await?;
        let days = app.read(Current::read).await?.number(EVENT_DAYS);
        let before = Timestamp::now() - SignedDuration::from_hours(24 * days as i64);
        let mut deleted = 0;
        loop {
            let some = app.write(&caller, move |tx| Ok(tx.event_prune(before, AT_ONCE)?)).await?;
            deleted += some;
            if some < u64::from(AT_ONCE) {
                return Ok::<u64, AdminError>(deleted);
            }
        }
    };
    match telemetry::job(Job::Retention, outcome).await {
        Ok(0) => {}
        Ok(events) => tracing::info!(events, "old events were deleted"),
        Err(error) => tracing::warn!(error = chain(&error), "deleting what is old failed; it is tried again"),
    }
}

/// Traces of computers that left, which only those who follow the feed of changes need. Every follower looks every few seconds: what
/// was there at the run before this one is known to all.
async fn departed(app: &App, caller: &Caller) -> Result<(), AdminError> {
    let now = app.read(|tx| tx.feed_version()).await?;
    let before = app.shared().followed.swap(now, Ordering::Relaxed);
    app.write(caller, move |tx| Ok(tx.feed_prune(before)?)).await.map(drop)
}

/// Status messages, alerts that closed, and deliveries that ended.
async fn messages_and_alerts(app: &App, caller: &Caller) -> Result<(), AdminError> {
    let current = app.read(Current::read).await?;
    let now = Timestamp::now();
    let ago = |key: &str| now - SignedDuration::from_hours(24 * current.number(key) as i64);
    let (messages, alerts, keep) = (ago(MESSAGE_DAYS), ago(ALERT_DAYS), current.number(MESSAGE_COUNT) as u32);
    loop {
        let some = app.write(caller, move |tx| {
            let messages = tx.status_message_prune(messages, keep, AT_ONCE)?;
            Ok(messages + tx.alert_prune(alerts, AT_ONCE / 10)? + tx.delivery_prune(alerts, AT_ONCE / 10)?)
        });
        if some.await? == 0 {
            return Ok(());
        }
    }
}
