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
    /// Members in a compliant state.
    pub compliant: u64,
    /// `compliant` / `computers` in percent.
    pub percent: f64,
    /// Members per state.
    pub counts: Counts,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, state: State) {
        let _ = state;
        unimplemented!()
    }

    /// Adds it all up.
    pub fn summary(&self) -> Summary {
        unimplemented!()
    }
}

/// The one state of a computer in a summary that names no update.
pub fn computer_state(reported: bool, required: impl IntoIterator<Item = State>) -> State {
    let _ = (reported, required.into_iter().count());
    unimplemented!()
}
