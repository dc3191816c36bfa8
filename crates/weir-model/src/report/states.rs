//! States that reports tell apart, and how they follow from what a server of unmodified agents knows.
//!
//! The replaced product has an agent of its own that reports what it is doing (features.md, section 12.1). Here the Windows
//! Update Agent reports what became of an update; what it is doing meanwhile nobody says. So some of those states have no
//! counterpart, and what is required is told apart by what the server itself knows: times, deadlines and windows.

use jiff::Timestamp;

use crate::{
    status::{Counts, State},
    window::{Reason, Resolved},
};

/// The word of a state of an update on a computer.
pub const fn word(state: State) -> &'static str {
    match state {
        State::Unknown => "unknown",
        State::NotApplicable => "not_applicable",
        State::Required => "required",
        State::Downloaded => "downloaded",
        State::Installed => "installed",
        State::Failed => "failed",
        State::PendingRestart => "pending_restart",
    }
}

/// The state of that word.
pub fn state(word_of: &str) -> Option<State> {
    State::ALL.into_iter().find(|state| word(*state) == word_of)
}

/// How far a deployment is on a computer, the worst first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Enforcement {
    /// The last attempt failed.
    Failed,
    /// Needed, and the deadline has passed.
    AfterDeadline,
    /// Needed, and it may install when the next window begins.
    WaitingForWindow,
    /// Needed, and it may install.
    BeforeDeadline,
    /// Needed, and it is not offered yet: its time has not come, or files are missing at the server.
    NotAvailable,
    /// Downloaded.
    Downloaded,
    /// Installed, effective after a restart.
    PendingRestart,
    /// Nothing was reported that covers it.
    Unknown,
    /// Installed, or it does not apply.
    Success,
}

impl Enforcement {
    /// Every one, the best first.
    pub const ALL: [Self; 9] = [
        Self::Success,
        Self::PendingRestart,
        Self::Failed,
        Self::Downloaded,
        Self::WaitingForWindow,
        Self::NotAvailable,
        Self::BeforeDeadline,
        Self::AfterDeadline,
        Self::Unknown,
    ];

    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::AfterDeadline => "required_after_deadline",
            Self::WaitingForWindow => "waiting_for_window",
            Self::BeforeDeadline => "required_before_deadline",
            Self::NotAvailable => "not_available_yet",
            Self::Downloaded => "downloaded",
            Self::PendingRestart => "pending_restart",
            Self::Unknown => "unknown",
            Self::Success => "success",
        }
    }

    /// The number of the state of topic 301 that says the same (features.md, section 12.1), if one does.
    pub const fn topic_301(self) -> Option<u64> {
        match self {
            Self::Unknown => Some(0),
            Self::Success => Some(4),
            Self::PendingRestart => Some(5),
            Self::Failed => Some(6),
            Self::Downloaded => Some(8),
            Self::WaitingForWindow => Some(10),
            Self::AfterDeadline | Self::BeforeDeadline | Self::NotAvailable => None,
        }
    }

    /// That of an update in this state. `needed` says what being required means for it.
    pub fn of(state: State, needed: impl FnOnce() -> Self) -> Self {
        match state {
            State::Unknown => Self::Unknown,
            State::NotApplicable | State::Installed => Self::Success,
            State::Required => needed(),
            State::Downloaded => Self::Downloaded,
            State::Failed => Self::Failed,
            State::PendingRestart => Self::PendingRestart,
        }
    }

    /// What being required means at `now` for what goes out so. `active`: its time has come and its files are here. With it
    /// comes the beginning of the window that is waited for, if one is known.
    pub fn needed(active: bool, resolved: &Resolved, now: Timestamp) -> (Self, Option<Timestamp>) {
        let window = resolved.window.filter(|start| *start > now);
        let state = match resolved.reason {
            _ if !active => Self::NotAvailable,
            Reason::NotAvailable => Self::NotAvailable,
            Reason::Held | Reason::Never => Self::WaitingForWindow,
            Reason::Window if window.is_some() => Self::WaitingForWindow,
            _ if resolved.deadline.is_some_and(|deadline| deadline <= now) => Self::AfterDeadline,
            _ => Self::BeforeDeadline,
        };
        (state, window.filter(|_| state == Self::WaitingForWindow))
    }

    /// The state of a computer over all updates of a deployment: the worst; success if there is none. One that never reported is
    /// unknown.
    pub fn of_computer(reported: bool, states: impl IntoIterator<Item = Self>) -> Self {
        if reported { states.into_iter().min().unwrap_or(Self::Success) } else { Self::Unknown }
    }
}

/// How a computer stands with a deployment (features.md, topic 300, as this field shows it).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It has everything that it needs.
    Compliant,
    /// It needs something.
    InProgress,
    /// Something failed.
    Error,
    /// It is not known.
    Unknown,
}

impl Standing {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Compliant, Self::InProgress, Self::Error, Self::Unknown];

    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Compliant => "compliant",
            Self::InProgress => "in_progress",
            Self::Error => "error",
            Self::Unknown => "unknown",
        }
    }

    /// That of a computer with so many updates per state.
    pub fn of(reported: bool, counts: &Counts) -> Self {
        match counts {
            _ if !reported => Self::Unknown,
            counts if counts.failed > 0 => Self::Error,
            counts if counts.needed() > 0 => Self::InProgress,
            counts if counts.unknown > 0 => Self::Unknown,
            _ => Self::Compliant,
        }
    }
}

/// Whether a computer has looked at a deployment (features.md, topic 302).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Evaluation {
    /// Nothing is known.
    Unknown,
    /// It called since, and has not reported in full.
    Activated,
    /// It has.
    Succeeded,
    /// Its last scan failed.
    Failed,
}

impl Evaluation {
    /// Every one, by its number in the topic.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Activated, Self::Succeeded, Self::Failed];

    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Activated => "activated",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// Its number in the topic.
    pub const fn topic_302(self) -> u64 {
        self as u64
    }

    /// Whether a full report covers the deployment as it is now, whether the last scan failed, and whether the computer called
    /// since the deployment changed.
    pub fn of(covered: bool, scan_failed: bool, called_since: bool) -> Self {
        match () {
            () if covered => Self::Succeeded,
            () if scan_failed => Self::Failed,
            () if called_since => Self::Activated,
            () => Self::Unknown,
        }
    }
}

/// How the last scan of a computer ended (features.md, topic 501, as far as agents report it).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scan {
    /// It went well.
    Completed,
    /// It failed.
    Failed,
    /// Nothing was reported.
    Unknown,
}

impl Scan {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Completed, Self::Failed, Self::Unknown];

    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// From whether the last detection succeeded.
    pub fn of(succeeded: Option<bool>) -> Self {
        match succeeded {
            Some(true) => Self::Completed,
            Some(false) => Self::Failed,
            None => Self::Unknown,
        }
    }
}

/// Whether a client is healthy, else why not: the first reason that it has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Health {
    /// It was heard of and reported, and its last scan did not fail.
    Healthy,
    /// It never reported in full.
    NeverReported,
    /// It was not heard of.
    Silent,
    /// It calls, and did not report in full.
    NotReporting,
    /// Its last scan failed.
    ScanFailed,
}

impl Health {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Healthy, Self::NeverReported, Self::Silent, Self::NotReporting, Self::ScanFailed];

    /// As people read it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::NeverReported => "never reported",
            Self::Silent => "silent",
            Self::NotReporting => "calls without reporting",
            Self::ScanFailed => "scan failed",
        }
    }

    /// That of a client which was last heard of, and reported in full, then; silence begins at `before`.
    pub fn of(contact: Timestamp, report: Option<Timestamp>, scan: Scan, before: Timestamp) -> Self {
        match report {
            None => Self::NeverReported,
            Some(report) if contact.max(report) < before => Self::Silent,
            Some(report) if report < before => Self::NotReporting,
            Some(_) if scan == Scan::Failed => Self::ScanFailed,
            Some(_) => Self::Healthy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalogue::WireAction, report::named};

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + hour * 3_600).expect("in range")
    }

    #[test]
    fn the_words_are_those_that_reports_take() {
        let choices = |report: &str| {
            let report = named(report).expect("a report");
            match report.parameter("state").expect("a parameter").kind {
                crate::report::ParameterKind::Choice(words) => words.to_vec(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(choices("enforcement-computers"), Enforcement::ALL.map(Enforcement::word));
        assert_eq!(choices("deployment-computers"), Standing::ALL.map(Standing::word));
        assert_eq!(choices("scan-site-computers"), Scan::ALL.map(Scan::word));
        assert_eq!(choices("compliance-computer"), State::ALL.map(word));
        assert_eq!(state("pending_restart"), Some(State::PendingRestart));
        assert_eq!(state("odd"), None);
    }

    #[test]
    fn what_is_required_is_told_apart_by_times_and_windows() {
        let resolved = |reason, deadline: Option<i64>, window: Option<i64>| Resolved {
            action: WireAction::Install,
            deadline: deadline.map(at),
            window: window.map(at),
            reason,
            since: None,
            next_change: None,
        };
        let needed = |active, resolved: &Resolved| {
            let (state, window) = Enforcement::needed(active, resolved, at(0));
            (state.word(), window)
        };
        assert_eq!(needed(false, &resolved(Reason::Plain, Some(-1), None)), ("not_available_yet", None));
        assert_eq!(needed(true, &resolved(Reason::NotAvailable, None, None)), ("not_available_yet", None));
        assert_eq!(needed(true, &resolved(Reason::Plain, Some(1), None)), ("required_before_deadline", None));
        assert_eq!(needed(true, &resolved(Reason::Plain, Some(0), None)), ("required_after_deadline", None));
        assert_eq!(needed(true, &resolved(Reason::NoDeadline, None, None)), ("required_before_deadline", None));
        assert_eq!(needed(true, &resolved(Reason::Window, Some(5), Some(5))), ("waiting_for_window", Some(at(5))));
        assert_eq!(needed(true, &resolved(Reason::Window, Some(-1), Some(-1))), ("required_after_deadline", None));
        assert_eq!(needed(true, &resolved(Reason::Held, None, Some(9))), ("waiting_for_window", Some(at(9))));
        assert_eq!(needed(true, &resolved(Reason::Never, None, None)), ("waiting_for_window", None));
    }

    #[test]
    fn a_computer_counts_with_the_worst_of_its_states() {
        use Enforcement::{Downloaded, Failed, Success, Unknown};
        assert_eq!(Enforcement::of_computer(true, [Success, Downloaded, Failed, Unknown]), Failed);
        assert_eq!(Enforcement::of_computer(true, [Success, Unknown]), Unknown);
        assert_eq!(Enforcement::of_computer(true, []), Success);
        assert_eq!(Enforcement::of_computer(false, [Failed]), Unknown);
        let order: Vec<Enforcement> = State::ALL.iter().map(|state| Enforcement::of(*state, || Failed)).collect();
        // as the one state of a computer orders them (design, section 7)
        let worst = crate::status::computer_state(true, State::ALL);
        assert_eq!(order.into_iter().min(), Some(Enforcement::of(worst, || Failed)));
    }

    #[test]
    fn standing_evaluation_and_health_follow_from_what_was_reported() {
        let counts = |states: &[State]| states.iter().copied().collect::<Counts>();
        use State::{Failed, Installed, NotApplicable, Required, Unknown};
        assert_eq!(Standing::of(true, &counts(&[Installed, NotApplicable])), Standing::Compliant);
        assert_eq!(Standing::of(true, &counts(&[Installed, Required, Unknown])), Standing::InProgress);
        assert_eq!(Standing::of(true, &counts(&[Failed, Required])), Standing::Error);
        assert_eq!(Standing::of(true, &counts(&[Installed, Unknown])), Standing::Unknown);
        assert_eq!(Standing::of(false, &counts(&[])), Standing::Unknown);
        assert_eq!(Evaluation::of(true, true, true), Evaluation::Succeeded);
        assert_eq!(Evaluation::of(false, true, true).topic_302(), 3);
        assert_eq!(Evaluation::of(false, false, true), Evaluation::Activated);
        assert_eq!(Evaluation::of(false, false, false), Evaluation::Unknown);
        let health = |contact, report: Option<i64>, scan| Health::of(at(contact), report.map(at), scan, at(0));
        assert_eq!(health(1, Some(1), Scan::Completed), Health::Healthy);
        assert_eq!(health(1, Some(1), Scan::Failed), Health::ScanFailed);
        assert_eq!(health(1, Some(-1), Scan::Failed), Health::NotReporting);
        assert_eq!(health(-1, Some(-1), Scan::Completed), Health::Silent);
        assert_eq!(health(1, None, Scan::Unknown), Health::NeverReported);
    }
}
