//! Schedules: what is read is written and read the same, and its runs follow each other.

use jiff::{Timestamp, tz::TimeZone};
use weir_model::schedule::Recurrence;

pub(super) fn run(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let Ok(recurrence) = text.parse::<Recurrence>() else { return false };
    let written = recurrence.to_string();
    assert_eq!(written.parse::<Recurrence>().as_ref(), Ok(&recurrence), "{written}");
    assert!(!recurrence.describe().is_empty());
    let now: Timestamp = "2031-03-30T00:30:00Z".parse().expect("a time");
    let times = recurrence.next_times(now, &TimeZone::UTC, 3);
    assert!(times.len() <= 3 && times.first().is_none_or(|first| *first > now), "{written}: {times:?}");
    assert!(times.is_sorted_by(|one, next| one < next), "{written}: {times:?}");
    assert_eq!(recurrence.next_after(now, &TimeZone::UTC), times.first().copied(), "{written}");
    true
}
