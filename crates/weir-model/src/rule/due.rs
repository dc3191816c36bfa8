//! When a rule is evaluated.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{Rule, Schedule};
use crate::{schedule::Recurrence, skew::is_ahead};

/// Evaluations that nobody asked for within one day (ADR-4).
pub const MOST_A_DAY: usize = 3;

/// What made an evaluation happen.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Somebody asked for it.
    Manual,
    /// Its schedule.
    Schedule,
    /// The end of a synchronization.
    Synchronization,
}

/// What is known of the evaluations of a rule so far.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Evaluations {
    /// Everything due up to here is done with: when the schedule was set, or the scheduled start of the last evaluation
    /// or of the last one that was skipped.
    pub since: Timestamp,
    /// When evaluations began that nobody asked for; those of the last 25 hours matter.
    pub automatic: Vec<Timestamp>,
    /// End of the last synchronization that ended well.
    pub synchronized_at: Option<Timestamp>,
}

/// Whether a rule is to be evaluated.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Not now.
    Wait {
        /// When its schedule says so next, if it has one.
        next: Option<Timestamp>,
    },
    /// Now.
    Run {
        /// The scheduled start, from which the times of deployments count. It may lie well back: what was missed while the
        /// server was off is made up for once, with the last start that was missed.
        base: Timestamp,
        /// Why.
        trigger: Trigger,
    },
    /// It would be, and is not.
    Skip {
        /// The scheduled start that is skipped.
        base: Timestamp,
        /// Why it would have been evaluated.
        trigger: Trigger,
        /// Why it is not.
        reason: String,
    },
}

/// Whether a rule is to be evaluated now. A day is one of the recurrence's zone, else of the site's.
pub fn due(rule: &Rule, so_far: &Evaluations, now: Timestamp, site: &TimeZone) -> Decision {
    let since = if is_ahead(so_far.since, now) { now } else { so_far.since };
    let found = match &rule.schedule {
        _ if !rule.enabled => None,
        Schedule::Manual => None,
        Schedule::AfterSync => {
            let synchronized = so_far.synchronized_at.filter(|at| *at > since && *at <= now);
            synchronized.map(|at| (at, Trigger::Synchronization))
        }
        Schedule::Recurring(recurrence) => last_missed(recurrence, since, now, site).map(|at| (at, Trigger::Schedule)),
    };
    let Some((base, trigger)) = found else { return Decision::Wait { next: next_run(rule, now, site) } };
    let zone = zone(rule, site);
    let today = now.to_zoned(zone.clone()).date();
    let done = so_far.automatic.iter().filter(|at| at.to_zoned(zone.clone()).date() == today).count();
    if done >= MOST_A_DAY {
        let reason =
            format!("it was evaluated {done} times on {today} already; a rule is at most {MOST_A_DAY} times a day");
        return Decision::Skip { base, trigger, reason };
    }
    Decision::Run { base, trigger }
}

/// When the schedule says so next, strictly after `now`.
pub fn next_run(rule: &Rule, now: Timestamp, site: &TimeZone) -> Option<Timestamp> {
    match &rule.schedule {
        Schedule::Recurring(recurrence) if rule.enabled => recurrence.next_after(now, site),
        _ => None,
    }
}

/// The zone in which a rule counts its days.
pub(super) fn zone<'z>(rule: &'z Rule, site: &'z TimeZone) -> &'z TimeZone {
    match &rule.schedule {
        Schedule::Recurring(recurrence) => recurrence.zone().map_or(site, crate::schedule::Zone::time_zone),
        _ => site,
    }
}

/// The last occurrence after `since` and not after `now`. Looked for in a span before now that doubles, so that years of
/// absence cost no more than a day.
pub(crate) fn last_missed(
    recurrence: &Recurrence,
    since: Timestamp,
    now: Timestamp,
    site: &TimeZone,
) -> Option<Timestamp> {
    let mut span = SignedDuration::from_hours(1);
    loop {
        let from = now.checked_sub(span).map_or(since, |from| from.max(since));
        let first = recurrence.next_after(from, site).filter(|at| *at <= now);
        if let Some(first) = first {
            let rest =
                std::iter::successors(Some(first), |last| recurrence.next_after(*last, site).filter(|at| *at <= now));
            return rest.last();
        }
        if from <= since {
            return None;
        }
        span = span.checked_add(span)?;
    }
}
