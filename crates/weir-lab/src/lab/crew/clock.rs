//! The clock of the computers: it stands in the morning of a working day until that day begins, and runs fast from then on.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Span, Timestamp, civil::Weekday, tz::TimeZone};
use uuid::Uuid;
use weir_agent::world::World;

/// When the day begins, in hours of UTC: most of the company comes to work.
const MORNING: i8 = 6;
/// How often a clock that stands is looked at.
const GLANCE: Duration = Duration::from_millis(100);

/// A clock that runs fast.
#[derive(Debug)]
pub(in crate::lab) struct Clock {
    morning: Timestamp,
    running: Mutex<Option<(Instant, f64)>>,
}

impl Clock {
    /// A clock that stands in the next morning of a working day after `now`.
    ///
    /// It is ahead of the servers' clocks. They take what a computer says of the future for what happens now, so nothing of
    /// the past is overwritten by it.
    pub(in crate::lab) fn after(now: Timestamp) -> Self {
        let mut day = now.to_zoned(TimeZone::UTC).date();
        loop {
            day = day.saturating_add(Span::new().days(1));
            if !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
                break;
            }
        }
        let morning = day.at(MORNING, 0, 0, 0).to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
        Self { morning: morning.unwrap_or(now), running: Mutex::default() }
    }

    /// The morning at which it stands, or from which it ran.
    pub(in crate::lab) fn morning(&self) -> Timestamp {
        self.morning
    }

    /// Lets it run, so many times as fast as time passes.
    pub(in crate::lab) fn run(&self, speed: f64) {
        *self.lock() = Some((Instant::now(), speed.max(1.0)));
    }

    /// Waits until it shows `at`, and at least `shortest`.
    pub(in crate::lab) async fn wait_until(&self, at: Timestamp, shortest: Duration) {
        tokio::time::sleep(shortest).await;
        loop {
            let left = at.duration_since(World::now(self));
            if left <= SignedDuration::ZERO {
                return;
            }
            let speed = self.lock().map_or(1.0, |(_, speed)| speed);
            let real = Duration::try_from_secs_f64(left.as_secs_f64() / speed).unwrap_or(GLANCE);
            tokio::time::sleep(real.max(Duration::from_millis(1))).await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Instant, f64)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World for Clock {
    fn now(&self) -> Timestamp {
        let Some((since, speed)) = *self.lock() else { return self.morning };
        let passed = SignedDuration::try_from_secs_f64(since.elapsed().as_secs_f64() * speed).unwrap_or_default();
        self.morning.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }

    fn event_id(&self) -> Uuid {
        Uuid::new_v4()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_in_the_morning_of_a_working_day() {
        let morning = |now: &str| Clock::after(now.parse().expect("a time")).morning().to_string();
        assert_eq!(morning("2026-11-30T23:59:00Z"), "2026-12-01T06:00:00Z");
        // a Friday, a Saturday
        assert_eq!(morning("2026-12-04T09:00:00Z"), "2026-12-07T06:00:00Z");
        assert_eq!(morning("2026-12-05T09:00:00Z"), "2026-12-07T06:00:00Z");
    }

    #[tokio::test]
    async fn it_runs_fast() {
        let clock = Clock::after(Timestamp::UNIX_EPOCH);
        assert_eq!(World::now(&clock), clock.morning());
        clock.run(1_000_000.0);
        let later = clock.morning() + SignedDuration::from_hours(1);
        clock.wait_until(later, Duration::ZERO).await;
        assert!(World::now(&clock) >= later);
    }
}
