//! How computers stand with a deployment, in the words of `features.md` 12.1: topic 300 (compliance of a deployment) and, as far as
//! reports carry it, topics 301 and 402 (enforcement).
//!
//! An agent reports states of updates, not steps of deployments. What follows from them is told; what an agent does between two
//! reports (downloading, installing, waiting for another installer or an orchestrator) is not known and not guessed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    status::{Counts, State},
    targeting::DeploymentAction,
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

/// What is known of the way there.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// Done (301.4 success).
    Success,
    /// Nothing to do: none of the updates applies (400.1).
    NotApplicable,
    /// Not available yet: agents only look whether they need it.
    NotYetAvailable,
    /// Available and not begun: the deadline, a maintenance window or a user decides when (301.10, 402.7).
    Waiting,
    /// Downloaded, not installed (301.8, 402.13).
    Downloaded,
    /// Installed, effective after a restart (301.5, 402.9).
    PendingRestart,
    /// The deadline has passed and it is still needed.
    Overdue,
    /// The last attempt failed (301.6, 402.11).
    Failed,
    /// It reports, but could not evaluate all of it yet.
    NotEvaluated,
    /// It never reported.
    NeverReported,
}

impl Enforcement {
    /// All of them, the furthest first.
    pub const ALL: [Self; 10] = [
        Self::Success,
        Self::NotApplicable,
        Self::PendingRestart,
        Self::Downloaded,
        Self::Waiting,
        Self::NotYetAvailable,
        Self::Overdue,
        Self::Failed,
        Self::NotEvaluated,
        Self::NeverReported,
    ];

    /// The status of a computer that is there.
    pub fn status(self) -> DeploymentStatus {
        match self {
            Self::Success | Self::NotApplicable => DeploymentStatus::Compliant,
            Self::NotYetAvailable | Self::Waiting | Self::Downloaded | Self::PendingRestart | Self::Overdue => {
                DeploymentStatus::InProgress
            }
            Self::Failed => DeploymentStatus::Error,
            Self::NotEvaluated | Self::NeverReported => DeploymentStatus::Unknown,
        }
    }
}

/// What a deployment asks for, and when.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Terms {
    /// What is to be done.
    pub action: DeploymentAction,
    /// From when on.
    pub available: Timestamp,
    /// Until when; none asks for no time.
    pub deadline: Option<Timestamp>,
}

impl Terms {
    /// How far a computer is that has the updates of the deployment in these states. `reported`: it sent a status at some time.
    ///
    /// A removal turns two states round: installed is what is still to be done, and required (applicable, not installed) is done.
    /// Deployments that only detect or block ask for nothing: what is known is enough.
    pub fn enforcement(&self, reported: bool, states: &Counts, now: Timestamp) -> Enforcement {
        if !reported {
            return Enforcement::NeverReported;
        }
        let open = if now < self.available {
            Enforcement::NotYetAvailable
        } else if self.deadline.is_some_and(|deadline| deadline <= now) {
            Enforcement::Overdue
        } else {
            Enforcement::Waiting
        };
        let (wanted, done) = match self.action {
            DeploymentAction::Uninstall => (State::Installed, State::Required),
            _ => (State::Required, State::Installed),
        };
        if matches!(self.action, DeploymentAction::Detect | DeploymentAction::Block) {
            return match states.unknown {
                0 if states.total() == states.not_applicable => Enforcement::NotApplicable,
                0 => Enforcement::Success,
                _ => Enforcement::NotEvaluated,
            };
        }
        if states.failed > 0 {
            Enforcement::Failed
        } else if states.of(wanted) > 0 {
            open
        } else if states.downloaded > 0 {
            // downloaded and past the deadline is late all the same
            if open == Enforcement::Overdue { open } else { Enforcement::Downloaded }
        } else if states.pending_restart > 0 {
            Enforcement::PendingRestart
        } else if states.unknown > 0 {
            Enforcement::NotEvaluated
        } else if states.of(done) > 0 {
            Enforcement::Success
        } else {
            Enforcement::NotApplicable
        }
    }

    /// The same from the one state of a computer, which is what the index gives; not for removals, where the worst state is another.
    pub fn enforcement_of(&self, reported: bool, state: State, now: Timestamp) -> Enforcement {
        self.enforcement(reported, &std::iter::once(state).collect(), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn terms(action: DeploymentAction) -> Terms {
        Terms { action, available: at(100), deadline: Some(at(200)) }
    }

    #[test]
    fn the_table_of_states_and_times() {
        use DeploymentAction::{Block, Detect, Install, Optional, Uninstall};
        use Enforcement as E;
        use State as S;
        let cases: &[(DeploymentAction, &[State], i64, Enforcement)] = &[
            (Install, &[S::Installed, S::NotApplicable], 150, E::Success),
            (Install, &[S::NotApplicable], 150, E::NotApplicable),
            (Install, &[], 150, E::NotApplicable),
            (Install, &[S::Required], 99, E::NotYetAvailable),
            (Install, &[S::Required, S::Installed], 100, E::Waiting),
            (Install, &[S::Required], 200, E::Overdue),
            (Install, &[S::Downloaded], 150, E::Downloaded),
            (Install, &[S::Downloaded], 201, E::Overdue),
            (Install, &[S::Downloaded, S::Required], 150, E::Waiting),
            (Install, &[S::PendingRestart, S::Installed], 300, E::PendingRestart),
            (Install, &[S::Failed, S::Required], 150, E::Failed),
            (Install, &[S::Unknown, S::Installed], 150, E::NotEvaluated),
            (Install, &[S::Unknown, S::Required], 150, E::Waiting),
            (Optional, &[S::Required], 150, E::Waiting),
            (Uninstall, &[S::Installed], 150, E::Waiting),
            (Uninstall, &[S::Installed], 250, E::Overdue),
            (Uninstall, &[S::Required], 250, E::Success),
            (Uninstall, &[S::NotApplicable], 250, E::NotApplicable),
            (Uninstall, &[S::Failed], 250, E::Failed),
            (Detect, &[S::Required], 250, E::Success),
            (Detect, &[S::Failed], 250, E::Success),
            (Block, &[S::Unknown], 250, E::NotEvaluated),
            (Block, &[S::NotApplicable], 250, E::NotApplicable),
        ];
        for (action, states, now, expected) in cases {
            let counts = states.iter().copied().collect();
            assert_eq!(
                terms(*action).enforcement(true, &counts, at(*now)),
                *expected,
                "{action:?} {states:?} at {now}"
            );
            assert_eq!(terms(*action).enforcement(false, &counts, at(*now)), E::NeverReported);
        }
    }

    #[test]
    fn one_state_stands_for_all_but_in_removals() {
        let sets: [&[State]; 5] = [
            &[State::Failed, State::Required, State::Unknown],
            &[State::Required, State::Downloaded],
            &[State::Unknown, State::Installed],
            &[State::PendingRestart, State::Unknown],
            &[State::Installed, State::NotApplicable],
        ];
        for states in sets {
            for now in [50, 150, 250] {
                let terms = terms(DeploymentAction::Install);
                let one = crate::status::computer_state(true, states.iter().copied());
                let counts = states.iter().copied().collect();
                assert_eq!(
                    terms.enforcement_of(true, one, at(now)),
                    terms.enforcement(true, &counts, at(now)),
                    "{states:?}"
                );
            }
        }
    }

    #[test]
    fn every_detail_has_one_status() {
        assert_eq!(Enforcement::ALL.len(), 10);
        let of = |status| Enforcement::ALL.into_iter().filter(|it| it.status() == status).count();
        use DeploymentStatus::{Compliant, Error, InProgress, Unknown};
        assert_eq!([Compliant, InProgress, Error, Unknown].map(of), [2, 5, 1, 2]);
    }
}
