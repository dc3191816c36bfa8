//! When a delivery that failed is tried again.

use jiff::{SignedDuration, Timestamp};

/// A delivery is given up so long after it was made.
pub const PATIENCE: SignedDuration = SignedDuration::from_hours(24);
/// Attempts are never further apart than this, jitter aside.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(1);
/// Jitter takes away or adds at most this part of a pause, in percent: receivers that came back are not called by all at
/// once.
const JITTER_PERCENT: i64 = 20;

/// No attempt is further away than this: the longest pause with its jitter.
pub const FURTHEST: SignedDuration = SignedDuration::from_mins(72);

/// When a delivery is tried again after `attempts` failures (at least one), or none if it is given up. Pauses double from
/// `first` on; `chance` is any number, drawn anew for each call.
pub fn next(
    created: Timestamp,
    attempts: u32,
    first: SignedDuration,
    now: Timestamp,
    chance: u64,
) -> Option<Timestamp> {
    let first = first.as_secs().clamp(1, LONGEST.as_secs());
    let doubled = first.saturating_mul(1_i64.checked_shl(attempts.saturating_sub(1).min(32)).unwrap_or(i64::MAX));
    let pause = doubled.min(LONGEST.as_secs());
    let thousand = pause.saturating_mul(1_000);
    let span = thousand * 2 * JITTER_PERCENT / 100;
    let jitter = i64::try_from(chance % (span.unsigned_abs() + 1)).unwrap_or_default() - span / 2;
    let at = now.checked_add(SignedDuration::from_millis(thousand.saturating_add(jitter))).ok()?;
    let last = created.checked_add(PATIENCE).ok()?;
    (at <= last).then_some(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).expect("in range")
    }

    #[test]
    fn pauses_double_up_to_an_hour() {
        let first = SignedDuration::from_secs(30);
        let pause = |attempts: u32| {
            // the middle of the jitter
            let base = 30_i64 << (attempts - 1).min(20);
            let middle = (base.min(3_600) * 1_000 * 2 * JITTER_PERCENT / 100 / 2) as u64;
            next(at(0), attempts, first, at(100), middle).expect("in time").duration_since(at(100)).as_secs()
        };
        assert_eq!((1..=9).map(pause).collect::<Vec<_>>(), [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
    }

    #[test]
    fn after_a_day_it_is_given_up() {
        let first = SignedDuration::from_secs(30);
        assert!(next(at(0), 1, first, at(24 * 3_600 - 40), 0).is_some());
        assert_eq!(next(at(0), 1, first, at(24 * 3_600), 0), None);
        assert_eq!(next(at(0), 40, first, at(24 * 3_600 - 60), 0), None, "the next one would be too late");
    }

    proptest! {
        #[test]
        fn the_next_attempt_is_later_and_within_bounds(
            attempts in 1_u32..=u32::MAX, first in 0_i64..100_000, age in 0_i64..200_000, chance in any::<u64>()
        ) {
            let now = at(age);
            if let Some(then) = next(at(0), attempts, SignedDuration::from_secs(first), now, chance) {
                prop_assert!(then > now);
                prop_assert!(then <= now + FURTHEST, "an hour and a fifth");
                prop_assert!(then <= at(0) + PATIENCE);
            }
        }

        #[test]
        fn without_a_success_it_ends(chance in any::<u64>(), first in 1_i64..3_600) {
            let (mut now, mut attempts) = (at(0), 0);
            loop {
                attempts += 1;
                prop_assert!(attempts < 20_000);
                match next(at(0), attempts, SignedDuration::from_secs(first), now, chance) {
                    Some(then) => now = then,
                    None => break,
                }
            }
            prop_assert!(attempts >= 20, "it is tried for a day: {attempts}");
        }
    }
}
