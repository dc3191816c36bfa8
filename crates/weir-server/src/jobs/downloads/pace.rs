//! How fast, and how much at once from one server.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What may go over at once after a quiet time: so much of a second.
const BURST: Duration = Duration::from_millis(250);
/// No single wait is longer.
const LONGEST: Duration = Duration::from_mins(10);
/// Files at once from one server, however many may be fetched at once.
const PER_HOST: usize = 8;

/// Spreads bytes over time.
#[derive(Debug)]
pub(super) struct Pace {
    /// Bytes a second; none is no limit.
    rate: Option<u64>,
    /// When everything granted so far has been paid for.
    paid: Mutex<Instant>,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Pace {
    pub(super) fn new(kib_per_second: u64) -> Self {
        let rate = (kib_per_second > 0).then(|| kib_per_second.saturating_mul(1024));
        Self { rate, paid: Mutex::new(Instant::now()), hosts: Mutex::default() }
    }

    pub(super) fn is_limited(&self) -> bool {
        self.rate.is_some()
    }

    /// Waits until these bytes, which came, are paid for.
    pub(super) async fn take(&self, bytes: u64) {
        let Some(rate) = self.rate else { return };
        let wait = {
            let mut paid = self.paid.lock();
            let now = Instant::now();
            *paid = due(*paid, now, bytes, rate);
            paid.saturating_duration_since(now)
        };
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// A place among those who fetch from this server.
    pub(super) async fn host(&self, host: &str) -> Option<OwnedSemaphorePermit> {
        let places = {
            let mut hosts = self.hosts.lock();
            Arc::clone(hosts.entry(host.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(PER_HOST))))
        };
        // nobody closes it
        places.acquire_owned().await.ok()
    }
}

/// When bytes that came are paid for, if those before are at `paid`. Unused time is kept for [`BURST`].
fn due(paid: Instant, now: Instant, bytes: u64, rate: u64) -> Instant {
    let from = paid.max(now.checked_sub(BURST).unwrap_or(now));
    from + Duration::from_secs_f64((bytes as f64 / rate as f64).min(LONGEST.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_spread_over_time() {
        let quiet = Instant::now();
        let (now, second) = (quiet + Duration::from_secs(100), Duration::from_secs(1));
        let first = due(quiet, now, 1_024, 1_024);
        assert_eq!(first + BURST, now + second, "a quiet time counts for little");
        assert_eq!(due(first, now, 2_048, 1_024), first + 2 * second, "one after the other");
        assert_eq!(due(now, now, u64::MAX, 1), now + LONGEST);
    }

    #[tokio::test]
    async fn without_a_limit_nothing_waits() {
        let pace = Pace::new(0);
        pace.take(u64::MAX).await;
        assert!(!pace.is_limited());
    }
}
