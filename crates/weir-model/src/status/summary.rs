use serde::{Deserialize, Serialize};

use super::State;

/// Computers (or updates) per state.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Unknown.
    pub unknown: u64,
    /// Not applicable.
    pub not_applicable: u64,
    /// Required.
    pub required: u64,
    /// Downloaded.
    pub downloaded: u64,
    /// Installed.
    pub installed: u64,
    /// Failed.
    pub failed: u64,
    /// Pending restart.
    pub pending_restart: u64,
}

/// Compliance of a collection, for one update or over all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Members.
    pub computers: u64,
    /// Members in a compliant state: installed or not applicable.
    pub compliant: u64,
    /// `compliant` of `computers` in percent. Unknown ones are in the denominator; none if there are no members.
    pub percent: Option<f64>,
    /// Members per state.
    pub counts: Counts,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, state: State) {
        self.add_many(state, 1);
    }

    /// Counts so many more.
    pub fn add_many(&mut self, state: State, count: u64) {
        let field = match state {
            State::Unknown => &mut self.unknown,
            State::NotApplicable => &mut self.not_applicable,
            State::Required => &mut self.required,
            State::Downloaded => &mut self.downloaded,
            State::Installed => &mut self.installed,
            State::Failed => &mut self.failed,
            State::PendingRestart => &mut self.pending_restart,
        };
        *field += count;
    }

    /// Number in a state.
    pub fn of(&self, state: State) -> u64 {
        match state {
            State::Unknown => self.unknown,
            State::NotApplicable => self.not_applicable,
            State::Required => self.required,
            State::Downloaded => self.downloaded,
            State::Installed => self.installed,
            State::Failed => self.failed,
            State::PendingRestart => self.pending_restart,
        }
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        State::ALL.into_iter().map(|state| self.of(state)).sum()
    }

    /// Required, downloaded and pending restart; failed is counted apart.
    pub fn needed(&self) -> u64 {
        State::ALL.into_iter().filter(|state| state.is_needed()).map(|state| self.of(state)).sum()
    }

    /// Installed and not applicable.
    pub fn compliant(&self) -> u64 {
        State::ALL.into_iter().filter(|state| state.is_compliant()).map(|state| self.of(state)).sum()
    }

    /// Adds it all up.
    pub fn summary(&self) -> Summary {
        let (computers, compliant) = (self.total(), self.compliant());
        let percent = (computers > 0).then(|| compliant as f64 * 100.0 / computers as f64);
        Summary { computers, compliant, percent, counts: *self }
    }
}

impl FromIterator<State> for Counts {
    fn from_iter<I: IntoIterator<Item = State>>(states: I) -> Self {
        let mut counts = Self::default();
        for state in states {
            counts.add(state);
        }
        counts
    }
}

/// The one state of a computer in a summary that names no update, from its states of all updates that its reports cover,
/// deployed or not.
///
/// A computer that never reported is unknown. Otherwise the worst state counts: failed, required, downloaded,
/// pending_restart, unknown, installed, not_applicable, in this order. So a computer is compliant if every update is
/// installed or not applicable, and also if there is none (not_applicable).
pub fn computer_state(reported: bool, states: impl IntoIterator<Item = State>) -> State {
    const WORST_FIRST: [State; 7] = [
        State::Failed,
        State::Required,
        State::Downloaded,
        State::PendingRestart,
        State::Unknown,
        State::Installed,
        State::NotApplicable,
    ];
    if !reported {
        return State::Unknown;
    }
    let counts: Counts = states.into_iter().collect();
    WORST_FIRST.into_iter().find(|state| counts.of(*state) > 0).unwrap_or(State::NotApplicable)
}

/// The one state of a computer in a summary of some updates only: as [`computer_state`], but a computer that is asked about none of
/// them is unknown. Nobody complies with what nobody asked of it (design, section 7).
pub fn narrowed_state(reported: bool, states: impl IntoIterator<Item = State>) -> State {
    let mut states = states.into_iter().peekable();
    if states.peek().is_none() { State::Unknown } else { computer_state(reported, states) }
}
