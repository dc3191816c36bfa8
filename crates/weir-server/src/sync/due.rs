//! When the next run is due: a function of the schedule, the runs so far and the clock.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use weir_api::sync::SyncTrigger;
use weir_model::{schedule::Recurrence, skew::is_ahead};

/// What decides when the next run is due.
#[derive(Clone, Debug)]
pub(super) struct Situation {
    /// The schedule, if it is on.
    pub(super) schedule: Option<Recurrence>,
    /// The zone of schedules without one.
    pub(super) zone: TimeZone,
    /// When the schedule was set, and when any run was last asked for or due: occurrences up to the later of them are
    /// done with.
    pub(super) since: Timestamp,
    /// When the last run ended, if it failed or was interrupted.
    pub(super) failed_at: Option<Timestamp>,
    /// How long after a failure it is tried again; none: not by itself.
    pub(super) retry: Option<SignedDuration>,
}

/// A run to come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Due {
    /// When; a time that has passed is due now.
    pub(crate) at: Timestamp,
    /// Why.
    pub(crate) trigger: SyncTrigger,
}

/// The next run. An occurrence that was missed while the server was off is made up for once. A clock that was set back
/// makes neither the schedule nor a retry wait for the time in which they were noted.
pub(super) fn due(situation: &Situation, now: Timestamp) -> Option<Due> {
    let since = if is_ahead(situation.since, now) { now } else { situation.since };
    let scheduled = situation.schedule.as_ref().and_then(|schedule| schedule.next_after(since, &situation.zone));
    let retried = situation.failed_at.zip(situation.retry).map(|(failed_at, retry)| {
        let failed_at = if is_ahead(failed_at, now) { now - retry } else { failed_at };
        failed_at + retry
    });
    let scheduled = scheduled.map(|at| Due { at, trigger: SyncTrigger::Schedule });
    let retried = retried.map(|at| Due { at, trigger: SyncTrigger::Retry });
    [scheduled, retried].into_iter().flatten().min_by_key(|due| due.at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn situation(schedule: Option<&str>, since: &str) -> Situation {
        Situation {
            schedule: schedule.map(|text| text.parse().expect("a schedule")),
            zone: TimeZone::UTC,
            since: at(since),
            failed_at: None,
            retry: Some(SignedDuration::from_mins(60)),
        }
    }

    fn is(situation: &Situation, now: &str) -> Option<(String, SyncTrigger)> {
        due(situation, at(now)).map(|due| (due.at.to_string(), due.trigger))
    }

    #[test]
    fn without_schedule_and_failure_nothing_is_due() {
        assert_eq!(is(&situation(None, "2026-11-20T00:00:00Z"), "2026-11-20T12:00:00Z"), None);
    }

    #[test]
    fn a_schedule_comes_when_it_says_and_once() {
        let daily = situation(Some("daily at 02:00"), "2026-11-20T12:00:00Z");
        let expected = Some(("2026-11-21T02:00:00Z".to_owned(), SyncTrigger::Schedule));
        assert_eq!(is(&daily, "2026-11-20T12:00:00Z"), expected);
        // still the same when it has come: it is the caller who starts it and moves `since`
        assert_eq!(is(&daily, "2026-11-21T02:00:00Z"), expected);
        let started = situation(Some("daily at 02:00"), "2026-11-21T02:00:00Z");
        assert_eq!(is(&started, "2026-11-21T02:00:00Z").map(|due| due.0).as_deref(), Some("2026-11-22T02:00:00Z"));
    }

    #[test]
    fn what_was_missed_is_made_up_for_once() {
        let away = situation(Some("daily at 02:00"), "2026-11-01T02:00:00Z");
        let due = is(&away, "2026-11-20T12:00:00Z").expect("due");
        assert!(at(&due.0) < at("2026-11-20T12:00:00Z"));
        let after = situation(Some("daily at 02:00"), "2026-11-20T12:00:00Z");
        assert_eq!(is(&after, "2026-11-20T12:00:01Z").map(|due| due.0).as_deref(), Some("2026-11-21T02:00:00Z"));
    }

    #[test]
    fn a_failure_is_retried_unless_the_schedule_comes_first() {
        let mut failed = situation(Some("daily at 02:00"), "2026-11-20T12:00:00Z");
        failed.failed_at = Some(at("2026-11-20T12:10:00Z"));
        let retry = Some(("2026-11-20T13:10:00Z".to_owned(), SyncTrigger::Retry));
        assert_eq!(is(&failed, "2026-11-20T12:20:00Z"), retry);
        failed.failed_at = Some(at("2026-11-21T01:30:00Z"));
        assert_eq!(is(&failed, "2026-11-21T01:40:00Z").map(|due| due.1), Some(SyncTrigger::Schedule));
        failed.retry = None;
        failed.schedule = None;
        assert_eq!(is(&failed, "2026-11-21T01:40:00Z"), None);
    }

    #[test]
    fn a_clock_set_back_stops_nothing() {
        let mut future = situation(Some("daily at 02:00"), "2030-01-01T02:00:00Z");
        assert_eq!(is(&future, "2026-11-20T12:00:00Z").map(|due| due.0).as_deref(), Some("2026-11-21T02:00:00Z"));
        future.schedule = None;
        future.failed_at = Some(at("2030-01-01T02:10:00Z"));
        assert_eq!(is(&future, "2026-11-20T12:00:00Z").map(|due| due.0).as_deref(), Some("2026-11-20T12:00:00Z"));
        // corrected by a few seconds: the occurrence that has just run does not come again
        let corrected = situation(Some("daily at 02:00"), "2026-11-20T02:00:00Z");
        assert_eq!(is(&corrected, "2026-11-20T01:59:57Z").map(|due| due.0).as_deref(), Some("2026-11-21T02:00:00Z"));
    }

    #[test]
    fn the_serialized_form_of_a_schedule_is_checked() {
        let text = r#"{"pattern":{"kind":"month_weekday","every":1,"nth":"second","weekday":"tuesday","offset":1},"at":"02:00:00","zone":"Europe/Amsterdam"}"#;
        let recurrence: Recurrence = serde_json::from_str(text).expect("reads");
        assert_eq!(recurrence.to_string(), "monthly second tuesday +1 at 02:00 Europe/Amsterdam");
        assert_eq!(serde_json::to_string(&recurrence).expect("writes"), text);
        let wrong = text.replace("\"offset\":1", "\"offset\":100");
        assert!(serde_json::from_str::<Recurrence>(&wrong).is_err());
        assert!(serde_json::from_str::<Recurrence>(&text.replace("Amsterdam", "Atlantis")).is_err());
    }
}
