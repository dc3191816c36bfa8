//! Backups: what they are called, which of them go, when one is due, and when the last one is too old.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::{
    report::schedule::{Decision, SoFar, again, due},
    schedule::Recurrence,
    skew::is_ahead,
};

/// What the names of backups begin with.
const PREFIX: &str = "weir-";
/// Length of `20261130T140500Z`.
const STAMP: usize = 16;

/// The name of a backup that is made now: the time in UTC to the second. `taken` says which names are in use.
pub fn name(at: Timestamp, taken: impl Fn(&str) -> bool) -> String {
    let stamp = at.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ");
    let first = format!("{PREFIX}{stamp}");
    if !taken(&first) {
        return first;
    }
    let mut number = 2_u64;
    loop {
        let name = format!("{first}-{number}");
        if !taken(&name) {
            return name;
        }
        number += 1;
    }
}

/// Whether a name is one that [`name`] gives.
pub fn is_name(name: &str) -> bool {
    let Some((stamp, rest)) = name.strip_prefix(PREFIX).and_then(|rest| rest.split_at_checked(STAMP)) else {
        return false;
    };
    let shape = stamp.bytes().enumerate().all(|(at, byte)| match at {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    });
    let number = |text: &str| (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    shape && (rest.is_empty() || rest.strip_prefix('-').is_some_and(number))
}

/// Which of these scheduled backups of one server go when so many are kept, at least one: the oldest.
pub fn surplus<'n>(made: impl IntoIterator<Item = (Timestamp, &'n str)>, keep: u32) -> Vec<&'n str> {
    let mut made: Vec<(Timestamp, &str)> = made.into_iter().collect();
    made.sort_unstable();
    let gone = made.len().saturating_sub(keep.max(1) as usize);
    made.into_iter().take(gone).map(|(_, name)| name).collect()
}

/// How a scheduled run ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// There is a backup.
    Done,
    /// Somebody stopped it: nobody wants it.
    Cancelled,
    /// There is none, or the server ended meanwhile.
    Failed,
}

/// A scheduled run that is over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Run {
    /// The occurrence of the schedule that it was for.
    pub base: Timestamp,
    /// When it was over.
    pub at: Timestamp,
    /// How.
    pub ended: Ended,
}

/// Whether a scheduled backup is to be made now. `runs` are the latest, newest first; `set_at` is when the schedule was set:
/// nothing before that is made up for.
pub fn decide(recurrence: &Recurrence, runs: &[Run], set_at: Timestamp, now: Timestamp, site: &TimeZone) -> Decision {
    let set_at = if is_ahead(set_at, now) { Timestamp::UNIX_EPOCH } else { set_at };
    let mut runs = runs.iter().filter(|run| !is_ahead(run.base, now)).peekable();
    let so_far = match runs.peek().copied() {
        Some(last) if last.base >= set_at => {
            let failed = runs.take_while(|run| run.base == last.base && run.ended == Ended::Failed).count();
            let again_at = u32::try_from(failed).ok().and_then(|failed| again(failed, last.at));
            SoFar { since: last.base, again_at }
        }
        _ => SoFar { since: set_at, again_at: None },
    };
    due(recurrence, so_far, now, site)
}

/// For how many whole hours there was no backup, if that is `hours` or more; 0 is never too old. `last` is the latest good
/// backup, `since` from when on one was wanted.
pub fn overdue(last: Option<Timestamp>, since: Timestamp, hours: u64, now: Timestamp) -> Option<u64> {
    // by a clock that has been set back since
    let last = last.filter(|last| !is_ahead(*last, now));
    let since = since.min(now);
    let from = last.map_or(since, |last| last.max(since));
    let age = now.duration_since(from);
    let longest = SignedDuration::from_hours(i64::try_from(hours).unwrap_or(i64::MAX / 3_600));
    (hours > 0 && age >= longest).then(|| age.as_hours().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn names_say_when_and_none_is_given_twice() {
        let now = at("2026-11-30T14:05:00.7Z");
        assert_eq!(name(now, |_| false), "weir-20261130T140500Z");
        let taken = ["weir-20261130T140500Z", "weir-20261130T140500Z-2"];
        let third = name(now, |name| taken.contains(&name));
        assert_eq!(third, "weir-20261130T140500Z-3");
        for name in taken.into_iter().chain([third.as_str()]) {
            assert!(is_name(name), "{name}");
        }
        for other in ["weir-", "weir-20261130T140500", "weir-20261130X140500Z", "weir-20261130T140500Z-", "other", ""] {
            assert!(!is_name(other), "{other}");
        }
        assert!(!is_name("weir-20261130T140500Z/../x") && !is_name("weir-20261130T14050\u{fc}Z"));
    }

    #[test]
    fn the_oldest_go_and_one_always_stays() {
        let made =
            [(at("2026-01-02T00:00:00Z"), "b"), (at("2026-01-01T00:00:00Z"), "a"), (at("2026-01-03T00:00:00Z"), "c")];
        assert_eq!(surplus(made, 2), ["a"]);
        assert_eq!(surplus(made, 0), ["a", "b"]);
        assert!(surplus(made, 3).is_empty());
    }

    #[test]
    fn a_missed_backup_is_made_up_for_once_and_a_failed_one_is_tried_again() {
        let nightly: Recurrence = "daily at 02:00".parse().expect("a schedule");
        let decide = |runs: &[Run], set: &str, now: &str| decide(&nightly, runs, at(set), at(now), &TimeZone::UTC);
        let set = "2026-03-01T12:00:00Z";
        assert_eq!(
            decide(&[], set, "2026-03-01T13:00:00Z"),
            Decision::Wait { until: Some(at("2026-03-02T02:00:00Z")) },
            "what was before the schedule is not made up for"
        );
        let base = at("2026-03-05T02:00:00Z");
        assert_eq!(decide(&[], set, "2026-03-05T11:00:00Z"), Decision::Run { base }, "once");
        let run = |ended, minute: &str| Run { base, at: at(&format!("2026-03-05T11:{minute}:00Z")), ended };
        let next = at("2026-03-06T02:00:00Z");
        for ended in [Ended::Done, Ended::Cancelled] {
            let decided = decide(&[run(ended, "01")], set, "2026-03-05T11:02:00Z");
            assert_eq!(decided, Decision::Wait { until: Some(next) }, "{ended:?}");
        }
        let failed = run(Ended::Failed, "01");
        assert_eq!(
            decide(&[failed], set, "2026-03-05T11:02:00Z"),
            Decision::Wait { until: Some(at("2026-03-05T11:06:00Z")) }
        );
        assert_eq!(decide(&[failed], set, "2026-03-05T11:06:00Z"), Decision::Run { base });
        assert_eq!(decide(&[failed; 4], set, "2026-03-05T11:59:00Z"), Decision::Wait { until: Some(next) }, "given up");
        assert_eq!(decide(&[failed; 4], set, "2026-03-06T02:00:00Z"), Decision::Run { base: next });
        let later = "2026-03-05T12:00:00Z";
        assert_eq!(
            decide(&[run(Ended::Done, "01")], later, "2026-03-05T13:00:00Z"),
            Decision::Wait { until: Some(next) },
            "a schedule that was set since begins anew"
        );
    }

    #[test]
    fn a_clock_that_jumps_neither_stops_backups_nor_repeats_them() {
        let nightly: Recurrence = "daily at 02:00".parse().expect("a schedule");
        let set = at("2026-03-01T12:00:00Z");
        let done = |base: &str| Run { base: at(base), at: at(base), ended: Ended::Done };
        // one was noted while the clock stood a year ahead
        let ahead = [done("2027-03-05T02:00:00Z"), done("2026-03-05T02:00:00Z")];
        let decided = decide(&nightly, &ahead, set, at("2026-03-05T11:00:00Z"), &TimeZone::UTC);
        assert_eq!(decided, Decision::Wait { until: Some(at("2026-03-06T02:00:00Z")) });
        let decided = decide(&nightly, &ahead, set, at("2026-03-06T02:00:00Z"), &TimeZone::UTC);
        assert_eq!(decided, Decision::Run { base: at("2026-03-06T02:00:00Z") });
        // the schedule itself was set then: one backup at once, then by the schedule
        let set_ahead = at("2027-03-01T12:00:00Z");
        let decided = decide(&nightly, &[], set_ahead, at("2026-03-05T11:00:00Z"), &TimeZone::UTC);
        assert_eq!(decided, Decision::Run { base: at("2026-03-05T02:00:00Z") });
        let made = [done("2026-03-05T02:00:00Z")];
        let decided = decide(&nightly, &made, set_ahead, at("2026-03-05T11:00:00Z"), &TimeZone::UTC);
        assert_eq!(decided, Decision::Wait { until: Some(at("2026-03-06T02:00:00Z")) });
        // far ahead: once for all that was passed over
        let decided =
            decide(&nightly, &[done("2026-03-05T02:00:00Z")], set, at("2031-07-01T11:00:00Z"), &TimeZone::UTC);
        assert_eq!(decided, Decision::Run { base: at("2031-07-01T02:00:00Z") });
    }

    #[test]
    fn a_backup_is_too_old_after_the_hours_that_were_set() {
        let since = at("2026-03-01T00:00:00Z");
        assert_eq!(overdue(None, since, 48, at("2026-03-02T23:59:00Z")), None);
        assert_eq!(overdue(None, since, 48, at("2026-03-03T01:00:00Z")), Some(49));
        assert_eq!(overdue(Some(at("2026-03-02T12:00:00Z")), since, 48, at("2026-03-03T01:00:00Z")), None);
        assert_eq!(overdue(Some(at("2026-02-01T00:00:00Z")), since, 48, at("2026-03-01T01:00:00Z")), None);
        assert_eq!(overdue(None, since, 0, at("2036-03-03T01:00:00Z")), None);
        let ahead = Some(at("2036-01-01T00:00:00Z"));
        assert_eq!(
            overdue(ahead, since, 48, at("2026-03-03T01:00:00Z")),
            Some(49),
            "a clock that was set back hides nothing"
        );
    }
}
