//! From reported events to the state of every update on every computer (MS-WUSP 2.2.2.3.1, MS-WSUSSS 3.1.1).
//!
//! [`ComputerStatus`] is the compact set of one computer, [`apply()`] brings a batch of [`Event`]s into it, [`Effects`] says what that
//! changed, and [`Counts`] and [`Summary`] add states up.

mod apply;
#[cfg(test)]
mod bad_input;
mod bits;
mod codec;
mod event;
mod merge;
mod summary;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use apply::{Change, Context, Effects, apply, is_empty_twin, state_after};
pub use codec::{ListedStates, StatusDecodeError};
pub use event::{Event, MiscData, event_id, event_text};
pub use merge::Told;
pub use summary::{Counts, Summary, computer_state, narrowed_state};

use crate::ids::ChangeNumber;

/// This server's own number of an update (over all its revisions), given once, so that sets of updates are small.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UpdateNumber(pub u32);

/// State of one update on one computer.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not known: nothing was reported that covers the update.
    Unknown,
    /// The computer does not need it.
    NotApplicable,
    /// Needed, not installed.
    Required,
    /// Needed and downloaded.
    Downloaded,
    /// Installed.
    Installed,
    /// The last attempt to install failed.
    Failed,
    /// Installed, effective after a restart.
    PendingRestart,
}

impl State {
    /// All states, in the order of their protocol numbers.
    pub const ALL: [Self; 7] = [
        Self::Unknown,
        Self::NotApplicable,
        Self::Required,
        Self::Downloaded,
        Self::Installed,
        Self::Failed,
        Self::PendingRestart,
    ];

    /// Number in roll-ups (MS-WSUSSS 3.1.1): 0 Unknown to 6 InstalledPendingReboot.
    pub fn protocol_number(self) -> u8 {
        self as u8
    }

    /// Installed or not applicable.
    pub fn is_compliant(self) -> bool {
        matches!(self, Self::Installed | Self::NotApplicable)
    }

    /// Required, downloaded or pending restart; failed is counted apart.
    pub fn is_needed(self) -> bool {
        matches!(self, Self::Required | Self::Downloaded | Self::PendingRestart)
    }
}

/// A listed update of a computer. Only required, downloaded, installed, failed and pending_restart are listed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Which update.
    pub update: UpdateNumber,
    /// Its state.
    pub state: State,
    /// Since when, by the computer's clock, in whole milliseconds.
    pub changed: Timestamp,
    /// HRESULT of the last failure, kept until the update is installed or no longer listed.
    pub error: Option<i32>,
}

/// How the last synchronization of a computer ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SyncResult {
    /// When, by the computer's clock.
    pub at: Timestamp,
    /// 0 for success (event 147), else the HRESULT (event 148).
    pub hresult: i32,
}

/// All that is known of one computer's updates.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ComputerStatus {
    entries: Vec<Entry>,
    /// Receipt of the last client status (event 156); none before the first.
    pub reported: Option<Timestamp>,
    /// TimeAtTarget of that event.
    pub as_of: Option<Timestamp>,
    /// The status anchor: the software anchor of the cookie that came with it. What entered the scope later is unknown.
    pub anchor: ChangeNumber,
    /// Last synchronization.
    pub last_sync: Option<SyncResult>,
    /// Last restart after an installation (event 202).
    pub last_reboot: Option<Timestamp>,
}

impl ComputerStatus {
    /// Listed updates in the order of their numbers.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of an update, if listed.
    pub fn entry(&self, update: UpdateNumber) -> Option<&Entry> {
        let index = self.entries.binary_search_by_key(&update, |entry| entry.update).ok()?;
        self.entries.get(index)
    }

    /// State of an update. `entered` is the change number at which it came into the scope of this computer, none if it is
    /// outside.
    ///
    /// A listed update has its listed state. Of the others the computer said, by not listing them, that they do not apply to
    /// it, provided that it could have evaluated them: they had entered its scope when it fetched the changes up to the
    /// status anchor. The rest is unknown until the next full report.
    pub fn state_of(&self, update: UpdateNumber, entered: Option<ChangeNumber>) -> State {
        match (self.entry(update), entered) {
            (Some(entry), _) => entry.state,
            (None, Some(entered)) if self.reported.is_some() && entered <= self.anchor => State::NotApplicable,
            _ => State::Unknown,
        }
    }
}
