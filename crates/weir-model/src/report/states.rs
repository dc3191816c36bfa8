//! States that reports tell apart, beside those of updates ([`State`]), of deployments ([`crate::compliance::deployment`]) and of
//! scans ([`crate::freshness`]).

use crate::status::State;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        compliance::deployment::{DeploymentStatus, Enforcement},
        freshness::ScanState,
        report::named,
    };

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
        assert_eq!(choices("deployment-computers"), DeploymentStatus::ALL.map(DeploymentStatus::word));
        assert_eq!(choices("scan-site-computers"), ScanState::ALL.map(ScanState::word));
        assert_eq!(choices("compliance-computer"), State::ALL.map(word));
        assert_eq!(state("pending_restart"), Some(State::PendingRestart));
        assert_eq!(state("odd"), None);
    }

    #[test]
    fn evaluation_follows_from_what_was_reported() {
        assert_eq!(Evaluation::of(true, true, true), Evaluation::Succeeded);
        assert_eq!(Evaluation::of(false, true, true).topic_302(), 3);
        assert_eq!(Evaluation::of(false, false, true), Evaluation::Activated);
        assert_eq!(Evaluation::of(false, false, false), Evaluation::Unknown);
    }
}
