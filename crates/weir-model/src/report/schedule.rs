//! When a report is made by itself.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::{schedule::Recurrence, skew::is_ahead};

/// How long after each failed attempt it is tried again; after the last one the next occurrence is waited for.
const AGAIN: [SignedDuration; 3] =
    [SignedDuration::from_mins(5), SignedDuration::from_mins(30), SignedDuration::from_hours(2)];

/// What is known of a schedule.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SoFar {
    /// Occurrences up to here are done with.
    pub since: Timestamp,
    /// An attempt for the last of them failed, and is made again then.
    pub again_at: Option<Timestamp>,
}

/// Whether a report is to be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Now, for this occurrence. What was missed while the server was off is made up for once.
    Run {
        /// The occurrence.
        base: Timestamp,
    },
    /// Not before then; none: never again.
    Wait {
        /// When to look again.
        until: Option<Timestamp>,
    },
}

/// Whether a report is to be made now.
pub fn due(recurrence: &Recurrence, so_far: SoFar, now: Timestamp, site: &TimeZone) -> Decision {
    let since = if is_ahead(so_far.since, now) { now } else { so_far.since };
    // a newer occurrence stands for an attempt that failed before it
    if let Some(base) = crate::rule::last_missed(recurrence, since, now, site) {
        return Decision::Run { base };
    }
    let next = recurrence.next_after(now, site);
    match so_far.again_at {
        Some(at) if at <= now => Decision::Run { base: since },
        Some(at) if at.duration_since(now) > SignedDuration::from_hours(3) => Decision::Run { base: since },
        Some(at) => Decision::Wait { until: Some(next.map_or(at, |next| next.min(at))) },
        None => Decision::Wait { until: next },
    }
}

/// When to try again after so many failed attempts in a row (from 1); none: not before the next occurrence.
pub fn again(attempts: u32, now: Timestamp) -> Option<Timestamp> {
    let pause = AGAIN.get(attempts.checked_sub(1)? as usize)?;
    now.checked_add(*pause).ok()
}
