//! Limits on what may come in without a cookie: calls per address, and computers never seen before.

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// Buckets kept; more addresses than this share buckets, so memory is bounded whatever comes in.
const BUCKETS: usize = 1 << 14;
const SHARDS: usize = 16;

/// A token bucket: `burst` at once, `per_second` back.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f32,
    seen: Option<Instant>,
}

impl Bucket {
    const NEW: Self = Self { tokens: 0.0, seen: None };

    fn take(&mut self, burst: f32, per_second: f32, now: Instant) -> bool {
        let tokens = match self.seen {
            None => burst,
            Some(seen) => {
                let elapsed = now.saturating_duration_since(seen).as_secs_f32();
                per_second.mul_add(elapsed, self.tokens).min(burst)
            }
        };
        self.seen = Some(now);
        let granted = tokens >= 1.0;
        self.tokens = if granted { tokens - 1.0 } else { tokens };
        granted
    }
}

/// Calls without a cookie, per address. An address is hashed to one of a fixed number of buckets with a key drawn at
/// start, so that nobody can choose whose bucket to empty.
#[derive(Debug)]
pub struct AddressLimit {
    hasher: RandomState,
    shards: Vec<Mutex<Vec<Bucket>>>,
}

impl Default for AddressLimit {
    fn default() -> Self {
        let shard = || Mutex::new(vec![Bucket::NEW; BUCKETS / SHARDS]);
        Self { hasher: RandomState::new(), shards: std::iter::repeat_with(shard).take(SHARDS).collect() }
    }
}

impl AddressLimit {
    /// Takes one call of `address`; false when it made too many. `burst` calls may come at once and a quarter of that
    /// comes back each second.
    pub fn take(&self, address: IpAddr, burst: u32, now: Instant) -> bool {
        let hash = self.hasher.hash_one(address) as usize;
        let Some(shard) = self.shards.get(hash % SHARDS) else { return true };
        let mut buckets = shard.lock();
        let slot = (hash / SHARDS) % buckets.len().max(1);
        let burst = burst.max(1) as f32;
        buckets.get_mut(slot).is_none_or(|bucket| bucket.take(burst, burst / 4.0, now))
    }
}

/// At most so many in an hour, counted in a sliding pair of hours: the previous hour counts with the share of it that
/// still lies within the last 60 minutes.
#[derive(Debug, Default)]
pub struct HourLimit(Mutex<Hour>);

#[derive(Clone, Copy, Debug, Default)]
struct Hour {
    start: Option<Instant>,
    current: u32,
    previous: u32,
}

const HOUR: Duration = Duration::from_hours(1);

impl HourLimit {
    /// Takes one; false when `limit` of the last hour are taken.
    pub fn take(&self, limit: u32, now: Instant) -> bool {
        let mut hour = self.0.lock();
        let start = *hour.start.get_or_insert(now);
        let mut elapsed = now.saturating_duration_since(start);
        if elapsed >= HOUR {
            let skipped = elapsed >= HOUR * 2;
            let previous = if skipped { 0 } else { hour.current };
            let begin = if skipped { now } else { start + HOUR };
            *hour = Hour { start: Some(begin), current: 0, previous };
            elapsed = now.saturating_duration_since(begin);
        }
        let share = 1.0 - elapsed.as_secs_f64() / HOUR.as_secs_f64();
        let weighted = f64::from(hour.current) + f64::from(hour.previous) * share;
        let granted = weighted < f64::from(limit);
        if granted {
            hour.current += 1;
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_burst_and_gets_a_quarter_back_each_second() {
        let limit = AddressLimit::default();
        let (address, now) = ("192.0.2.7".parse().expect("address"), Instant::now());
        let granted = (0..20).filter(|_| limit.take(address, 8, now)).count();
        assert_eq!(granted, 8);
        let later = now + Duration::from_secs(2);
        assert_eq!((0..20).filter(|_| limit.take(address, 8, later)).count(), 4);
    }

    #[test]
    fn addresses_do_not_starve_each_other() {
        let limit = AddressLimit::default();
        let now = Instant::now();
        let (noisy, quiet) = ("192.0.2.7".parse().expect("address"), "198.51.100.1".parse().expect("address"));
        for _ in 0..100 {
            limit.take(noisy, 4, now);
        }
        // one chance in 16384 that both share a bucket: then another address of the same network is free
        let other = "198.51.100.2".parse().expect("address");
        assert!(limit.take(quiet, 4, now) || limit.take(other, 4, now));
    }

    #[test]
    fn an_hour_grants_its_limit_and_slides() {
        let limit = HourLimit::default();
        let now = Instant::now();
        assert_eq!((0..50).filter(|_| limit.take(10, now)).count(), 10);
        assert!(!limit.take(10, now + Duration::from_secs(3_599)));
        let half = now + Duration::from_mins(90);
        assert_eq!((0..50).filter(|_| limit.take(10, half)).count(), 5);
        assert!(limit.take(10, now + Duration::from_hours(3)));
    }
}
