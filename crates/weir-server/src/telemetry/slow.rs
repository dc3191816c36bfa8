//! Which slow requests are told of: those that took this server long, and few enough that a storm does not fill the disk.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// Lines that may come at once.
const BURST: u32 = 20;
/// One more may come after so long.
const EACH: Duration = Duration::from_secs(2);
/// No request is slow.
const NEVER: u64 = u64::MAX;

/// From how long on a request is slow, in milliseconds.
static THRESHOLD: AtomicU64 = AtomicU64::new(NEVER);
static LINES: Mutex<Lines> = Mutex::new(Lines::NEW);

/// Sets from how long on a request is slow; none is, if that is none.
pub(crate) fn set_threshold(slow: Option<Duration>) {
    let milliseconds = slow.map_or(NEVER, |slow| u64::try_from(slow.as_millis()).unwrap_or(NEVER));
    THRESHOLD.store(milliseconds, Ordering::Relaxed);
}

/// Whether a request that took this server so long is slow.
pub(super) fn is_slow(took: Duration) -> bool {
    let threshold = THRESHOLD.load(Ordering::Relaxed);
    threshold != NEVER && took.as_millis() >= u128::from(threshold)
}

/// Takes a line of the log: how many were left out since the last one that was not; none if this one is left out, too.
pub(super) fn line(now: Instant) -> Option<u64> {
    LINES.lock().take(now)
}

/// Lines that may still be written.
#[derive(Debug)]
struct Lines {
    /// Since when lines are given back; none before the first.
    since: Option<Instant>,
    taken: u32,
    left_out: u64,
}

impl Lines {
    const NEW: Self = Self { since: None, taken: 0, left_out: 0 };

    fn take(&mut self, now: Instant) -> Option<u64> {
        let since = *self.since.get_or_insert(now);
        let back = now.saturating_duration_since(since).as_millis() / EACH.as_millis();
        let back = u32::try_from(back).unwrap_or(u32::MAX);
        if back > 0 {
            self.taken = self.taken.saturating_sub(back);
            self.since = Some(since + EACH.saturating_mul(back));
        }
        if self.taken >= BURST {
            self.left_out += 1;
            return None;
        }
        self.taken += 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_writes_few_lines_and_says_how_many_it_left_out() {
        let (mut lines, begun) = (Lines::NEW, Instant::now());
        let written = (0..100_000).filter_map(|_| lines.take(begun)).collect::<Vec<_>>();
        assert_eq!(written, vec![0; BURST as usize]);
        assert_eq!(lines.take(begun + EACH.saturating_sub(Duration::from_millis(1))), None);
        assert_eq!(lines.take(begun + EACH), Some(100_001 - u64::from(BURST)));
        assert_eq!(lines.take(begun + EACH), None);
        // a minute of storm, a hundred requests a second
        let minute = (0..6_000_u32).filter_map(|at| lines.take(begun + EACH + Duration::from_millis(10) * at));
        assert_eq!(minute.count(), 29);
    }

    #[test]
    fn after_a_pause_all_lines_are_back_and_no_more() {
        let (mut lines, begun) = (Lines::NEW, Instant::now());
        while lines.take(begun).is_some() {}
        let later = begun + Duration::from_secs(100_000);
        assert_eq!(std::iter::from_fn(|| lines.take(later)).count(), BURST as usize);
        // a clock that went back gives nothing
        assert_eq!(lines.take(begun), None);
    }
}
