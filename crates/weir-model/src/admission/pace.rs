//! How slow the other side may be.

use std::time::Duration;

/// Bytes a second that whoever reads an answer must take. No line is so slow: a page of five megabytes would take hours.
const LEAST: u64 = 256;
/// The same while others wait for what the reader holds, and in half of the time.
const LEAST_PRESSED: u64 = 2_048;
/// Time for a request's body to begin in earnest.
const GRACE: Duration = Duration::from_secs(20);

/// What is asked of a reader.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Demand {
    /// Milliseconds of waiting for it after which it is judged.
    pub window: u64,
    /// Bytes that it must have taken by then.
    pub bytes: u64,
}

impl Demand {
    /// The demand on readers that are waited for at most this long (in milliseconds) without a byte; `pressed` says whether others
    /// wait for room.
    pub fn new(patience: u64, pressed: bool) -> Self {
        let (window, rate) = if pressed { (patience / 2, LEAST_PRESSED) } else { (patience, LEAST) };
        // not shorter: where buffers are large, bytes move in large steps, and a short window sees none
        let window = window.max(1);
        Self { window, bytes: (window.saturating_mul(rate) / 1_000).max(1) }
    }
}

/// What becomes of a reader.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It takes too little.
    Cut,
    /// It is to be looked at again after so many milliseconds, if it takes nothing until then.
    Wait(u64),
}

/// How fast one reader is. Only the time counts in which it was waited for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Pace {
    /// Since when it is waited for.
    since: Option<u64>,
    /// Milliseconds that it was waited for before, and bytes that it took, since it was judged last.
    waited: u64,
    bytes: u64,
}

impl Pace {
    /// It took bytes.
    pub fn took(&mut self, bytes: u64, now: u64) {
        if let Some(since) = self.since.take() {
            self.waited = self.waited.saturating_add(now.saturating_sub(since));
        }
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// It takes nothing now.
    pub fn waits(&mut self, demand: Demand, now: u64) -> Verdict {
        let since = *self.since.get_or_insert(now);
        let waited = self.waited.saturating_add(now.saturating_sub(since));
        if waited < demand.window {
            return Verdict::Wait(demand.window - waited);
        }
        if self.bytes < demand.bytes {
            return Verdict::Cut;
        }
        *self = Self { since: Some(now), waited: 0, bytes: 0 };
        Verdict::Wait(demand.window)
    }
}

/// When the next piece of a request's body must be here, counted from the end of its headers: a body has `whole` time, and must
/// always have come so far that it can be here by then. `length` is what was announced.
pub fn due(received: usize, length: Option<usize>, whole: Duration) -> Duration {
    let grace = GRACE.min(whole);
    let share = match length {
        Some(0) => 1.0,
        Some(length) => (received as f64 / length as f64).min(1.0),
        // nobody knows how much there is: what has come says nothing
        None if received == 0 => 0.0,
        None => 1.0,
    };
    grace + whole.saturating_sub(grace).mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALM: Demand = Demand { window: 120_000, bytes: 30_720 };

    #[test]
    fn more_is_asked_while_others_wait() {
        assert_eq!(Demand::new(120_000, false), CALM);
        assert_eq!(Demand::new(120_000, true), Demand { window: 60_000, bytes: 122_880 });
        assert_eq!(Demand::new(0, false), Demand { window: 1, bytes: 1 });
    }

    #[test]
    fn who_takes_nothing_is_cut() {
        let mut pace = Pace::default();
        assert_eq!(pace.waits(CALM, 1_000), Verdict::Wait(120_000));
        assert_eq!(pace.waits(CALM, 61_000), Verdict::Wait(60_000));
        assert_eq!(pace.waits(CALM, 121_000), Verdict::Cut);
    }

    #[test]
    fn who_trickles_is_cut_and_who_is_only_slow_is_not() {
        for (bytes, cut) in [(1, true), (255, true), (256, false), (10_000, false)] {
            let (mut pace, mut now) = (Pace::default(), 0);
            let mut verdicts = Vec::new();
            // waited for all the time, some bytes each second
            for _ in 0..1_000 {
                verdicts.push(pace.waits(CALM, now));
                now += 1_000;
                pace.took(bytes, now);
            }
            assert_eq!(verdicts.contains(&Verdict::Cut), cut, "{bytes} bytes a second");
        }
    }

    #[test]
    fn time_in_which_there_was_nothing_to_take_does_not_count() {
        let mut pace = Pace::default();
        for hour in 0..100 {
            let now = hour * 3_600_000;
            assert!(matches!(pace.waits(CALM, now), Verdict::Wait(_)));
            pace.took(1, now + 1_000);
        }
    }

    #[test]
    fn a_body_must_be_able_to_arrive_in_time() {
        let minute = Duration::from_secs(60);
        let cases = [
            (0, Some(1_000), 20),
            (250, Some(1_000), 30),
            (1_000, Some(1_000), 60),
            (5_000, Some(1_000), 60),
            (0, Some(0), 60),
            (0, None, 20),
            (1, None, 60),
        ];
        for (received, length, seconds) in cases {
            assert_eq!(due(received, length, minute), Duration::from_secs(seconds), "{received} of {length:?}");
        }
        assert_eq!(due(0, None, Duration::from_secs(5)), Duration::from_secs(5), "never later than the whole");
    }
}
