//! How computers stand with a deployment, in the words of `features.md` 12.1: topic 300 (compliance of a deployment) and, as far as
//! reports carry it, topics 301 and 402 (enforcement). Views of deployments, reports and alerts all ask here.
//!
//! An agent reports states of updates, not steps of deployments. What follows from them is told; what an agent does between two
//! reports (downloading, installing, waiting for another installer or an orchestrator) is not known and not guessed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    status::{Counts, State},
    targeting::DeploymentAction,
    window::{Reason, Resolved},
};

/// How a computer stands with a deployment.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentStatus {
    /// It has what was asked for, or needs none of it.
    Compliant,
    /// It was told, or will be, and is not there yet.
    InProgress,
    /// The last attempt failed.
    Error,
    /// It never reported, or not since some of the updates came.
    Unknown,
}

impl DeploymentStatus {
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
}

/// What is known of the way there. The order is that in which one update stands for all of a deployment: the worst first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// The last attempt failed (301.6, 402.11).
    Failed,
    /// Still to be done, and the deadline has passed.
    Overdue,
    /// To be done, and it may begin: the deadline or a user decides when (402.7).
    PendingInstallation,
    /// To be done, and it may begin when the next maintenance window does (301.10, 402.4).
    WaitingForWindow,
    /// To be done, and not offered: files are missing at the server (402.2).
    WaitingForContent,
    /// To be done, and not offered: the available time lies ahead.
    NotYetAvailable,
    /// To be done, and not offered: the deployment is switched off.
    Disabled,
    /// Downloaded, not installed (301.8, 402.13).
    Downloaded,
    /// Done, effective after a restart (301.5, 402.9).
    PendingRestart,
    /// It reports, but could not evaluate all of it yet.
    NotEvaluated,
    /// It never reported.
    NeverReported,
    /// It is asked about none of the updates: they are declined or replaced, or outside of its scope.
    NotAsked,
    /// The deployment detects or blocks: there is nothing to be done, whatever the state.
    NothingToEnforce,
    /// Done (301.4 success).
    Success,
    /// Nothing to do: none of the updates applies (400.1).
    NotApplicable,
}

impl Enforcement {
    /// All of them, the furthest first.
    pub const ALL: [Self; 15] = [
        Self::Success,
        Self::NotApplicable,
        Self::NothingToEnforce,
        Self::PendingRestart,
        Self::Downloaded,
        Self::PendingInstallation,
        Self::WaitingForWindow,
        Self::WaitingForContent,
        Self::NotYetAvailable,
        Self::Disabled,
        Self::Overdue,
        Self::Failed,
        Self::NotEvaluated,
        Self::NeverReported,
        Self::NotAsked,
    ];

    /// The status of a computer that is there.
    pub const fn status(self) -> DeploymentStatus {
        match self {
            Self::Success | Self::NotApplicable | Self::NothingToEnforce => DeploymentStatus::Compliant,
            Self::Overdue
            | Self::PendingInstallation
            | Self::WaitingForWindow
            | Self::WaitingForContent
            | Self::NotYetAvailable
            | Self::Disabled
            | Self::Downloaded
            | Self::PendingRestart => DeploymentStatus::InProgress,
            Self::Failed => DeploymentStatus::Error,
            Self::NotEvaluated | Self::NeverReported | Self::NotAsked => DeploymentStatus::Unknown,
        }
    }

    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Overdue => "overdue",
            Self::PendingInstallation => "pending_installation",
            Self::WaitingForWindow => "waiting_for_window",
            Self::WaitingForContent => "waiting_for_content",
            Self::NotYetAvailable => "not_yet_available",
            Self::Disabled => "disabled",
            Self::Downloaded => "downloaded",
            Self::PendingRestart => "pending_restart",
            Self::NotEvaluated => "not_evaluated",
            Self::NeverReported => "never_reported",
            Self::NotAsked => "not_asked",
            Self::NothingToEnforce => "nothing_to_enforce",
            Self::Success => "success",
            Self::NotApplicable => "not_applicable",
        }
    }

    /// The number of the state of topic 301 that says the same, if one does.
    pub const fn topic_301(self) -> Option<u64> {
        match self {
            Self::NotEvaluated | Self::NeverReported | Self::NotAsked => Some(0),
            Self::Success => Some(4),
            Self::PendingRestart => Some(5),
            Self::Failed => Some(6),
            Self::Downloaded => Some(8),
            Self::WaitingForWindow => Some(10),
            Self::Overdue
            | Self::PendingInstallation
            | Self::WaitingForContent
            | Self::NotYetAvailable
            | Self::Disabled
            | Self::NothingToEnforce
            | Self::NotApplicable => None,
        }
    }
}

/// Computers by status.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StatusTotals {
    /// Compliant.
    pub compliant: u64,
    /// In progress.
    pub in_progress: u64,
    /// Error.
    pub error: u64,
    /// Unknown.
    pub unknown: u64,
}

/// What a deployment asks for of an update, and whether it can be offered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Terms {
    /// What is to be done.
    pub action: DeploymentAction,
    /// The deployment is switched on.
    pub enabled: bool,
    /// The files of the update are where computers get them.
    pub content: bool,
}

impl Terms {
    /// Whether anything is to be done: deployments that detect or block are content with any state.
    pub const fn enforces(action: DeploymentAction) -> bool {
        !matches!(action, DeploymentAction::Detect | DeploymentAction::Block)
    }

    /// Where an update is that is still to be done at `now`; `resolved` is what goes out of it to the computer. With it comes the
    /// beginning of the window that is waited for, if one is known.
    pub fn open(&self, resolved: &Resolved, now: Timestamp) -> (Enforcement, Option<Timestamp>) {
        let window = resolved.window.filter(|start| *start > now);
        let at = match resolved.reason {
            _ if !self.enabled => Enforcement::Disabled,
            Reason::NotAvailable => Enforcement::NotYetAvailable,
            _ if !self.content => Enforcement::WaitingForContent,
            Reason::Held | Reason::Never => Enforcement::WaitingForWindow,
            Reason::Window if window.is_some() => Enforcement::WaitingForWindow,
            _ if resolved.deadline.is_some_and(|deadline| deadline <= now) => Enforcement::Overdue,
            _ => Enforcement::PendingInstallation,
        };
        (at, window.filter(|_| at == Enforcement::WaitingForWindow))
    }

    /// Where a computer is with an update in this state; `open` is what [`Terms::open`] says of it.
    ///
    /// A removal is done where the update is not installed, be it needed or downloaded. That an attempt failed a computer says
    /// without saying of what, so that a failure is an error of either. Deployments that only detect or block ask for nothing.
    pub fn of_update(&self, state: State, open: Enforcement) -> Enforcement {
        match (self.action, state) {
            (_, State::NotApplicable) => Enforcement::NotApplicable,
            (_, State::Unknown) => Enforcement::NotEvaluated,
            (DeploymentAction::Detect | DeploymentAction::Block, _) => Enforcement::NothingToEnforce,
            (_, State::Failed) => Enforcement::Failed,
            (_, State::PendingRestart) => Enforcement::PendingRestart,
            (DeploymentAction::Uninstall, State::Installed) => open,
            (DeploymentAction::Uninstall, State::Required | State::Downloaded) => Enforcement::Success,
            (_, State::Installed) => Enforcement::Success,
            (_, State::Required) => open,
            // downloaded and late, or not wanted any more, is that all the same
            (_, State::Downloaded) => match open {
                Enforcement::Overdue | Enforcement::Disabled => open,
                _ => Enforcement::Downloaded,
            },
        }
    }

    /// Where a computer is with a deployment, from where it is with each of the updates that it is asked about: the worst.
    /// `reported`: it sent a status at some time.
    pub fn enforcement(reported: bool, updates: impl IntoIterator<Item = Enforcement>) -> Enforcement {
        match updates.into_iter().min() {
            None => Enforcement::NotAsked,
            Some(_) if !reported => Enforcement::NeverReported,
            Some(worst) => worst,
        }
    }

    /// Computers by status, from how many of them are in each one state, which is what the index counts. What is waited for does not
    /// matter to a status. None for removals of several updates, of which the worst state is another: those are looked at one by one.
    pub fn statuses(action: DeploymentAction, updates: usize, states: &Counts) -> Option<StatusTotals> {
        if action == DeploymentAction::Uninstall && updates > 1 {
            return None;
        }
        let any = Self { action, enabled: true, content: true };
        let mut totals = StatusTotals::default();
        for state in State::ALL {
            let count = match any.of_update(state, Enforcement::PendingInstallation).status() {
                DeploymentStatus::Compliant => &mut totals.compliant,
                DeploymentStatus::InProgress => &mut totals.in_progress,
                DeploymentStatus::Error => &mut totals.error,
                DeploymentStatus::Unknown => &mut totals.unknown,
            };
            *count += states.of(state);
        }
        Some(totals)
    }

    /// The same from the one state of a computer, which is what the index gives: not for removals, where the worst state is another,
    /// and only where all updates of the deployment wait for the same.
    pub fn enforcement_of(&self, standing: &super::Standing, open: Enforcement) -> Enforcement {
        let one = standing.asked.then(|| self.of_update(standing.state, open));
        Self::enforcement(standing.reported, one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalogue::WireAction, compliance::Standing, status::computer_state};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn terms(action: DeploymentAction) -> Terms {
        Terms { action, enabled: true, content: true }
    }

    fn resolved(reason: Reason, deadline: Option<i64>, window: Option<i64>) -> Resolved {
        Resolved {
            action: WireAction::Install,
            deadline: deadline.map(at),
            window: window.map(at),
            reason,
            since: None,
            next_change: None,
        }
    }

    #[test]
    fn the_table_of_actions_and_states() {
        use DeploymentAction::{Block, Detect, Install, Optional, Uninstall};
        use Enforcement as E;
        use State as S;
        let open = E::PendingInstallation;
        let cases: &[(DeploymentAction, &[State], Enforcement, Enforcement)] = &[
            (Install, &[S::Installed, S::NotApplicable], open, E::Success),
            (Install, &[S::NotApplicable], open, E::NotApplicable),
            (Install, &[], open, E::NotAsked),
            (Install, &[S::Required, S::Installed], E::NotYetAvailable, E::NotYetAvailable),
            (Install, &[S::Required, S::Installed], open, open),
            (Install, &[S::Required], E::Overdue, E::Overdue),
            (Install, &[S::Required], E::WaitingForWindow, E::WaitingForWindow),
            (Install, &[S::Downloaded], open, E::Downloaded),
            (Install, &[S::Downloaded], E::WaitingForWindow, E::Downloaded),
            (Install, &[S::Downloaded], E::Overdue, E::Overdue),
            (Install, &[S::Downloaded], E::Disabled, E::Disabled),
            (Install, &[S::Downloaded, S::Required], open, open),
            (Install, &[S::PendingRestart, S::Installed], E::Overdue, E::PendingRestart),
            (Install, &[S::Failed, S::Required], open, E::Failed),
            (Install, &[S::Failed], E::Disabled, E::Failed),
            (Install, &[S::Unknown, S::Installed], open, E::NotEvaluated),
            (Install, &[S::Unknown, S::Required], open, open),
            (Optional, &[S::Required], open, open),
            (Uninstall, &[S::Installed], open, open),
            (Uninstall, &[S::Installed, S::Required], E::Overdue, E::Overdue),
            (Uninstall, &[S::Required], E::Overdue, E::Success),
            (Uninstall, &[S::Downloaded, S::NotApplicable], E::Overdue, E::Success),
            (Uninstall, &[S::NotApplicable], E::Overdue, E::NotApplicable),
            (Uninstall, &[S::PendingRestart], E::Overdue, E::PendingRestart),
            (Uninstall, &[S::Failed], E::Overdue, E::Failed),
            (Uninstall, &[S::Unknown], open, E::NotEvaluated),
            (Detect, &[S::Required], E::Overdue, E::NothingToEnforce),
            (Detect, &[S::Failed], open, E::NothingToEnforce),
            (Block, &[S::Installed, S::PendingRestart], open, E::NothingToEnforce),
            (Block, &[S::Unknown, S::Required], open, E::NotEvaluated),
            (Block, &[S::NotApplicable], open, E::NotApplicable),
        ];
        for (action, states, open, expected) in cases {
            let terms = terms(*action);
            let each = || states.iter().map(move |state| terms.of_update(*state, *open));
            assert_eq!(Terms::enforcement(true, each()), *expected, "{action:?} {states:?} {open:?}");
            let unreported = if states.is_empty() { E::NotAsked } else { E::NeverReported };
            assert_eq!(Terms::enforcement(false, each()), unreported);
            if !Terms::enforces(*action) {
                let status = Terms::enforcement(true, each()).status();
                assert!(
                    !matches!(status, DeploymentStatus::Error | DeploymentStatus::InProgress),
                    "{action:?} {states:?}"
                );
            }
        }
    }

    #[test]
    fn statuses_are_counted_as_computers_one_by_one_have_them() {
        use DeploymentAction::{Block, Detect, Install, Optional, Uninstall};
        let opens = [Enforcement::Overdue, Enforcement::Disabled, Enforcement::WaitingForWindow];
        for action in [Block, Detect, Install, Optional, Uninstall] {
            for (state, open) in State::ALL.into_iter().flat_map(|state| opens.map(|open| (state, open))) {
                let mut states = Counts::default();
                states.add_many(state, 3);
                let totals = Terms::statuses(action, 1, &states).expect("one update");
                let standing = Standing { no: 1, site: 1, asked: true, reported: true, state };
                let expected = match terms(action).enforcement_of(&standing, open).status() {
                    DeploymentStatus::Compliant => StatusTotals { compliant: 3, ..StatusTotals::default() },
                    DeploymentStatus::InProgress => StatusTotals { in_progress: 3, ..StatusTotals::default() },
                    DeploymentStatus::Error => StatusTotals { error: 3, ..StatusTotals::default() },
                    DeploymentStatus::Unknown => StatusTotals { unknown: 3, ..StatusTotals::default() },
                };
                assert_eq!(totals, expected, "{action:?} {state:?} {open:?}");
            }
        }
        assert_eq!(Terms::statuses(Uninstall, 2, &Counts::default()), None, "the worst state of several is another");
    }

    #[test]
    fn what_is_to_be_done_is_told_apart_by_times_and_windows() {
        let open = |terms: Terms, resolved: Resolved| {
            let (at, window) = terms.open(&resolved, at(100));
            (at.word(), window)
        };
        let on = terms(DeploymentAction::Install);
        let (off, without) = (Terms { enabled: false, ..on }, Terms { content: false, ..on });
        assert_eq!(open(on, resolved(Reason::Plain, Some(101), None)), ("pending_installation", None));
        assert_eq!(open(on, resolved(Reason::Plain, Some(100), None)), ("overdue", None));
        assert_eq!(open(on, resolved(Reason::NoDeadline, None, None)), ("pending_installation", None));
        assert_eq!(open(on, resolved(Reason::NotAvailable, None, None)), ("not_yet_available", None));
        assert_eq!(open(without, resolved(Reason::NotAvailable, None, None)), ("not_yet_available", None));
        assert_eq!(open(without, resolved(Reason::Plain, Some(1), None)), ("waiting_for_content", None));
        assert_eq!(open(off, resolved(Reason::Plain, Some(1), None)), ("disabled", None));
        assert_eq!(open(off, resolved(Reason::NotAvailable, None, None)), ("disabled", None));
        // the deadline of the deployment has passed, and the window lies ahead
        assert_eq!(open(on, resolved(Reason::Window, Some(105), Some(105))), ("waiting_for_window", Some(at(105))));
        assert_eq!(open(on, resolved(Reason::Window, Some(99), Some(99))), ("overdue", None));
        assert_eq!(open(on, resolved(Reason::Held, None, Some(109))), ("waiting_for_window", Some(at(109))));
        assert_eq!(open(on, resolved(Reason::Never, None, None)), ("waiting_for_window", None));
    }

    #[test]
    fn one_state_stands_for_all_but_in_removals() {
        let sets: [&[State]; 7] = [
            &[State::Failed, State::Required, State::Unknown],
            &[State::Required, State::Downloaded],
            &[State::Downloaded, State::Unknown],
            &[State::Unknown, State::Installed],
            &[State::PendingRestart, State::Unknown],
            &[State::Installed, State::NotApplicable],
            &[],
        ];
        let actions = [DeploymentAction::Install, DeploymentAction::Optional];
        for (states, action) in sets.into_iter().flat_map(|states| actions.map(|action| (states, action))) {
            for open in [
                Enforcement::Overdue,
                Enforcement::PendingInstallation,
                Enforcement::WaitingForWindow,
                Enforcement::WaitingForContent,
                Enforcement::NotYetAvailable,
                Enforcement::Disabled,
            ] {
                for reported in [true, false] {
                    let terms = terms(action);
                    let state = computer_state(reported, states.iter().copied());
                    let standing = Standing { no: 1, site: 1, reported, asked: !states.is_empty(), state };
                    let whole = Terms::enforcement(reported, states.iter().map(|it| terms.of_update(*it, open)));
                    assert_eq!(terms.enforcement_of(&standing, open), whole, "{states:?} {open:?}");
                }
            }
        }
    }

    #[test]
    fn every_detail_has_one_status_and_one_word() {
        let of = |status| Enforcement::ALL.into_iter().filter(|it| it.status() == status).count();
        assert_eq!(DeploymentStatus::ALL.map(of), [3, 8, 1, 3]);
        let words: std::collections::BTreeSet<_> = Enforcement::ALL.into_iter().map(Enforcement::word).collect();
        assert_eq!(words.len(), Enforcement::ALL.len());
        for it in Enforcement::ALL {
            assert_eq!(serde_json::to_value(it).expect("JSON"), it.word());
        }
    }
}
