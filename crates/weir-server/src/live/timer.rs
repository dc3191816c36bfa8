//! Publishes again when a deployment's available time comes.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::Notify;

use super::publish::Inner;

/// A clock that was set forward must not delay a deployment for longer than this.
const LONGEST: Duration = Duration::from_mins(1);
/// Before a publish that failed is tried again.
const PAUSE: Duration = Duration::from_secs(5);

/// Runs until the last [`super::Live`] is dropped. `rescheduled` tells that the next available time is another.
pub(super) async fn run(live: Weak<Inner>, rescheduled: Arc<Notify>) {
    loop {
        let Some(inner) = live.upgrade() else { return };
        let next = inner.next_activation();
        if next.is_some_and(|next| next <= Timestamp::now()) {
            let published = inner.republish().await;
            drop(inner);
            if let Err(error) = published {
                tracing::error!(%error, "publishing at a deployment's available time failed; it is tried again");
                tokio::time::sleep(PAUSE).await;
            }
            continue;
        }
        // the database closes with the last hold on the catalogue: none while waiting
        drop(inner);
        tokio::select! {
            () = tokio::time::sleep(next.map_or(LONGEST, until)) => {}
            () = rescheduled.notified() => {}
        }
    }
}

fn until(next: Timestamp) -> Duration {
    let wait = next.duration_since(Timestamp::now());
    Duration::try_from(wait).unwrap_or(Duration::ZERO).saturating_add(Duration::from_millis(5)).min(LONGEST)
}
