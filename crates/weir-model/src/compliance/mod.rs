//! Who complies with what, answered from memory.
//!
//! [`Index`] holds the reported states of all computers: for each computer one bit per update that it has installed, and a short list
//! of those in any other listed state. Everything else follows from what the computer is asked about ([`Asked`]) and from the anchor
//! of its last report, by the rules of [`crate::status`]. A question about a collection costs in proportion to its members; the sums
//! over all computers are kept up to date with each report.
//!
//! *Invariant:* every answer is the one that a recount with [`crate::status::ComputerStatus::state_of`] and
//! [`crate::status::computer_state`] over the same computers gives.

mod accumulator;
mod chunk;
mod class;
mod columns;
pub mod deployment;
mod index;
mod planes;
#[cfg(test)]
mod tests;

use crate::{
    ids::{ChangeNumber, CollectionId},
    status::{Counts, ListedStates, State, UpdateNumber},
};

pub use index::{Ask, Index, Members};

/// An update that computers with the same collections are asked about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Asked {
    /// Which update.
    pub update: UpdateNumber,
    /// The change with which it came into their scope.
    pub entered: ChangeNumber,
}

/// A computer as the index takes it.
#[derive(Clone, Copy, Debug)]
pub struct Computer<'a> {
    /// Its row number.
    pub no: u32,
    /// The server it scans against.
    pub site: u32,
    /// Its collections, ascending; one without any is in Unassigned Computers.
    pub groups: &'a [CollectionId],
    /// What it reported; the default is one that never did.
    pub listed: &'a ListedStates,
}

/// States of one update over some computers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UpdateCounts {
    /// Which update.
    pub update: UpdateNumber,
    /// Computers that are asked about it, by state.
    pub counts: Counts,
}

/// How some computers stand.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// How many they are.
    pub computers: u64,
    /// Computers by the one state of each ([`crate::status::computer_state`]), of the updates that were asked for.
    pub states: Counts,
    /// Every update that some of them is asked about, in the order of the numbers.
    pub updates: Vec<UpdateCounts>,
}

impl Tally {
    /// Computers in a compliant state.
    pub fn compliant(&self) -> u64 {
        self.states.compliant()
    }

    /// The counts of an update; all zero if nobody is asked about it.
    pub fn of(&self, update: UpdateNumber) -> Counts {
        let found = self.updates.binary_search_by_key(&update, |it| it.update).ok();
        found.and_then(|at| self.updates.get(at)).map(|it| it.counts).unwrap_or_default()
    }
}

/// One computer in an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Standing {
    /// Its row number.
    pub no: u32,
    /// The server it scans against.
    pub site: u32,
    /// It sent a client status at some time.
    pub reported: bool,
    /// Its state.
    pub state: State,
}
