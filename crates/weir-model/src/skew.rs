//! Clocks that were wrong: times that were noted while a clock stood ahead, and are read after it was set back.
//!
//! A server waits for nothing that was noted by such a clock: what is far ahead of now and cannot be counts as if it were due.

use jiff::{SignedDuration, Timestamp};

/// What lies further ahead than this was noted by a clock that has been set back since. Small corrections are the way of clocks.
pub const SKEW: SignedDuration = SignedDuration::from_hours(1);

/// Whether a time that was in the past when it was noted was noted by a clock that has been set back since.
pub fn is_ahead(at: Timestamp, now: Timestamp) -> bool {
    at.duration_since(now) > SKEW
}

/// The same of a time that was at most `longest` away when it was noted, such as the end of a pause.
pub fn is_too_far(until: Timestamp, longest: SignedDuration, now: Timestamp) -> bool {
    until.duration_since(now) > longest.saturating_add(SKEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corrections_of_a_moment_change_nothing() {
        let at = |second: i64| Timestamp::from_second(1_700_000_000 + second).expect("in range");
        assert!(!is_ahead(at(-9_000_000), at(0)) && !is_ahead(at(0), at(0)) && !is_ahead(at(3_600), at(0)));
        assert!(is_ahead(at(3_601), at(0)));
        let minute = SignedDuration::from_mins(1);
        assert!(!is_too_far(at(3_660), minute, at(0)));
        assert!(is_too_far(at(3_661), minute, at(0)));
        assert!(is_too_far(Timestamp::MAX, minute, at(0)) && !is_too_far(Timestamp::MAX, SignedDuration::MAX, at(0)));
    }
}
