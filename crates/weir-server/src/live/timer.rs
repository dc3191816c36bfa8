//! Publishes again when a deployment's available time comes.

use std::{sync::Weak, time::Duration};

use jiff::Timestamp;

use super::publish::Inner;

/// A clock that was set forward must not delay a deployment for longer than this.
const LONGEST: Duration = Duration::from_mins(1);

/// Runs until the last [`super::Live`] is dropped.
pub(super) async fn run(live: Weak<Inner>) {
    loop {
        let wait = match live.upgrade() {
            None => return,
            Some(live) => live.next_activation().map_or(LONGEST, until),
        };
        tokio::time::sleep(wait).await;
        let Some(inner) = live.upgrade() else { return };
        if inner.next_activation().is_some_and(|next| next <= Timestamp::now()) {
            if let Err(error) = inner.republish().await {
                tracing::error!(%error, "publishing at a deployment's available time failed; it is tried again");
                drop(inner);
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        }
    }
}

fn until(next: Timestamp) -> Duration {
    let wait = next.duration_since(Timestamp::now());
    Duration::try_from(wait).unwrap_or(Duration::ZERO).saturating_add(Duration::from_millis(5)).min(LONGEST)
}
