//! What goes out to a computer of a deployment, at an instant (design, section 6).
//!
//! *Which window.* The deadline that is handed out is the earliest instant, not before the deployment's own deadline and
//! available time, from which the maximum run time fits into what is left of a span of windows (MW-4). It stays the same
//! while an installation that starts now would still fit; from then on it is in the next span that is long enough. So a
//! computer that was off during a window is told the next one, and never installs outside of one.
//!
//! *Whole minutes.* Windows and run times are in minutes, and so is this: an installation may start until one minute
//! ([`SLACK`]) after the last moment that fits. A window that is exactly as long as the run time can thus be used.
//!
//! *Windows without end.* Where windows join for more than a week, the deadline of an overdue deployment moves along by the
//! week, on Thursdays at 00:00 UTC, so that the answer depends on the last fortnight only.
//!
//! *Never.* A window that is long enough alone is found however far away it is. What only joined windows could give is
//! looked for within [`LOOK_AHEAD`], or less with very many windows. That is enough: joints of daily, weekly and monthly
//! windows come back within 14 months (a monthly day meets a given weekday at least once in that time), and for rarer
//! ones the question is asked again every 30 days, long before they begin. So no fitting window is ever missed; "never"
//! means "not within that time".

use jiff::{SignedDuration, Timestamp, tz::Offset};

use super::{Calendar, Span, Window, plus, spans::Occurrences};
use crate::{
    catalogue::WireAction,
    schedule,
    targeting::{DeploymentAction, Timing},
};

/// How far ahead joined windows are looked for.
pub const LOOK_AHEAD: SignedDuration = SignedDuration::from_hours(800 * 24);
/// How long after the last fitting moment an installation may start.
pub const SLACK: SignedDuration = SignedDuration::from_mins(1);
/// When a "never" is looked at again.
const AGAIN: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How far ahead at least.
const SHORTEST_LOOK: i64 = 90;
/// Occurrences looked at, about.
const OCCURRENCES: i64 = 20_000;
const WEEK: i64 = 7 * 86_400;
const SEVEN_DAYS: SignedDuration = SignedDuration::from_secs(WEEK);

/// A deployment whose times are to be resolved.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Ask {
    /// How its times are read.
    pub timing: Timing,
    /// What for.
    pub action: DeploymentAction,
    /// Offered from then on.
    pub available: Timestamp,
    /// Its deadline.
    pub deadline: Option<Timestamp>,
    /// The maximum run time of the update.
    pub run_time: SignedDuration,
}

impl Ask {
    /// Whether the time of day or windows can change what goes out, so that it must be resolved. `open`: no windows.
    pub fn is_timed(&self, open: bool) -> bool {
        match self.action {
            DeploymentAction::Install | DeploymentAction::Uninstall => {
                self.timing.local_time || (!open && !self.timing.outside_windows)
            }
            DeploymentAction::Optional => self.timing.local_time,
            DeploymentAction::Block | DeploymentAction::Detect => false,
        }
    }
}

/// Why a deployment goes out as it does.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Reason {
    /// Its available time is still to come.
    NotAvailable,
    /// As it was made: no windows, or none that matter to it.
    Plain,
    /// As it was made, since it is to install at its deadline whatever the windows.
    OutsideWindows,
    /// Required without a deadline: the agent's own schedule decides, and windows with it only if the deployment is held.
    NoDeadline,
    /// Its deadline is in a window.
    Window,
    /// Held until shortly before a window.
    Held,
    /// No window can ever hold it.
    Never,
}

impl Reason {
    /// The reason in a sentence.
    pub fn describe(self) -> &'static str {
        match self {
            Self::NotAvailable => "it is not available yet",
            Self::Plain => "as it was made; no maintenance window applies",
            Self::OutsideWindows => "as it was made; it installs outside of maintenance windows too",
            Self::NoDeadline => "it has no deadline, so that the schedule of the computer's own agent decides",
            Self::Window => "its deadline is in the next maintenance window that is long enough",
            Self::Held => "it is held until shortly before the next maintenance window that is long enough",
            Self::Never => "no maintenance window is long enough for the update's maximum run time",
        }
    }
}

/// What goes out, and until when.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Resolved {
    /// The action on the wire.
    pub action: WireAction,
    /// The deadline on the wire.
    pub deadline: Option<Timestamp>,
    /// From when on it may install in the window that is meant, if one is.
    pub window: Option<Timestamp>,
    /// Why.
    pub reason: Reason,
    /// The answer has been this one since then, or for longer; none: ever since it is available.
    pub since: Option<Timestamp>,
    /// The first instant at which the answer is another. After [`Reason::Never`] the instant at which to ask again.
    pub next_change: Option<Timestamp>,
}

impl Resolved {
    fn plain(ask: &Ask, deadline: Option<Timestamp>, reason: Reason, since: Option<Timestamp>) -> Self {
        let action = match ask.action {
            DeploymentAction::Install => WireAction::Install,
            DeploymentAction::Optional => WireAction::OptionalInstall,
            DeploymentAction::Uninstall => WireAction::Uninstall,
            DeploymentAction::Block | DeploymentAction::Detect => WireAction::PreDeploymentCheck,
        };
        let deadline = deadline.filter(|_| !matches!(action, WireAction::PreDeploymentCheck));
        Self { action, deadline, window: None, reason, since, next_change: None }
    }

    fn waiting(reason: Reason, since: Option<Timestamp>, next_change: Option<Timestamp>) -> Self {
        let action = WireAction::PreDeploymentCheck;
        Self { action, deadline: None, window: None, reason, since, next_change }
    }
}

/// A span with room for the run time.
struct Fit {
    /// From when on.
    start: Timestamp,
    /// An installation does not fit any more from then on.
    over: Timestamp,
}

/// What the search found.
struct Search {
    fit: Option<Fit>,
    /// When the last span before it was over.
    passed: Option<Timestamp>,
    /// Nothing will ever fit, however far one looks.
    proven: bool,
    /// How far was looked.
    look: SignedDuration,
}

impl Calendar {
    /// What goes out of a deployment at `now`, its content being here.
    pub fn resolve(&self, ask: &Ask, now: Timestamp) -> Resolved {
        let timing = ask.timing;
        let at = |time: Timestamp| if timing.local_time { self.wall_clock(time) } else { time };
        let available = at(ask.available);
        let deadline = ask.deadline.map(at);
        if matches!(ask.action, DeploymentAction::Block | DeploymentAction::Detect) {
            return Resolved::plain(ask, None, Reason::Plain, None);
        }
        if now < available {
            return Resolved::waiting(Reason::NotAvailable, None, Some(available));
        }
        let since = Some(available);
        if ask.action == DeploymentAction::Optional || self.is_open() {
            return Resolved::plain(ask, deadline, Reason::Plain, since);
        }
        if timing.outside_windows {
            return Resolved::plain(ask, deadline, Reason::OutsideWindows, since);
        }
        if deadline.is_none() && !timing.hold_until_window {
            return Resolved::plain(ask, None, Reason::NoDeadline, since);
        }
        self.in_window(ask, available, deadline, now)
    }

    /// A stored time that is a wall-clock time, in this zone. A time in a gap of the clocks is its end, one in a fold the
    /// first of the two.
    pub fn wall_clock(&self, time: Timestamp) -> Timestamp {
        schedule::instant(Offset::UTC.to_datetime(time), &self.zone).unwrap_or(time)
    }

    fn in_window(&self, ask: &Ask, available: Timestamp, deadline: Option<Timestamp>, now: Timestamp) -> Resolved {
        let due = deadline.map_or(available, |deadline| deadline.max(available));
        // of what lies behind, only the last fortnight is looked at
        let this_week = now.as_second().div_euclid(WEEK) * WEEK;
        let this_week = Timestamp::from_second(this_week).unwrap_or(now);
        let base = plus(this_week, -SEVEN_DAYS);
        let from = due.max(base);
        let Search { fit, passed, proven, look } = self.search(from, now, ask.run_time.max(SignedDuration::ZERO));
        // a span that was over before the base is not seen; whoever knows less than that is told again
        let unseen = (base > due).then(|| plus(base, SLACK));
        let since = available.max(passed.or(unseen).unwrap_or(available));
        let Some(Fit { start, over }) = fit else {
            let again = if proven { None } else { Some(plus(now, AGAIN)) };
            return Resolved::waiting(Reason::Never, Some(since), again);
        };
        // it may have been too far away to be seen before
        let since = since.max(plus(start, -look).min(now));
        let lead = plus(start, -self.lead);
        if ask.timing.hold_until_window && now < lead {
            let held = Resolved::waiting(Reason::Held, Some(since), Some(lead));
            return Resolved { window: Some(start), ..held };
        }
        let since = if ask.timing.hold_until_window { since.max(lead) } else { since };
        // moved along by the week
        let since = if start == base { since.max(this_week) } else { since };
        let moves = next_week(plus(start, SEVEN_DAYS));
        Resolved {
            window: Some(start),
            next_change: Some(over.min(moves)),
            ..Resolved::plain(ask, deadline.map(|_| start), Reason::Window, Some(since))
        }
    }

    /// The first span from `from` on, cut there, in which an installation of that length that starts at `now` or later
    /// fits.
    fn search(&self, from: Timestamp, now: Timestamp, needed: SignedDuration) -> Search {
        let later = from.max(now);
        let days = (OCCURRENCES / self.per_day()).max(SHORTEST_LOOK);
        let look = LOOK_AHEAD.min(SignedDuration::from_hours(days.saturating_mul(24)));
        let mut search = Search { fit: None, passed: None, proven: false, look };
        let alone = |window: &&Window| window.duration() >= needed;
        let sure = self.windows.iter().filter(alone).filter_map(|it| it.recurrence.next_after(later, &self.zone)).min();
        if sure.is_none() && self.too_short(needed) {
            search.proven = true;
            return search;
        }
        let limit = plus(later, look).max(sure.unwrap_or(Timestamp::MIN));
        let mut occurrences = Occurrences::new(self, from);
        while let Some(first) = occurrences.peek().filter(|start| *start <= limit) {
            let Some(mut span) = occurrences.next() else { break };
            span.start = first.max(from);
            // a span that goes on until its beginning is too old is as good as endless
            let enough = next_week(plus(span.start, SEVEN_DAYS));
            let over = |span: &Span| plus(plus(span.end, -needed), SLACK);
            while over(&span) <= enough && occurrences.peek().is_some_and(|start| start <= span.end) {
                let Some(more) = occurrences.next() else { break };
                span.end = span.end.max(more.end);
            }
            let over = over(&span);
            if span.duration() < needed {
                continue;
            }
            if over > now {
                search.fit = Some(Fit { start: span.start, over });
                return search;
            }
            search.passed = Some(over);
        }
        search.proven = occurrences.peek().is_none();
        search
    }
}

/// The first beginning of a week after an instant.
fn next_week(after: Timestamp) -> Timestamp {
    let second = (after.as_second().div_euclid(WEEK) + 1) * WEEK;
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}
