//! Who complies with what, answered from memory.
//!
//! [`Index`] holds the reported states of all computers: for each computer one bit per update that it has installed, and a short list
//! of those in any other listed state. Everything else follows from what the computer is asked about ([`Asked`]) and from the anchor
//! of its last report, by the rules of [`crate::status`]. A question about a collection costs in proportion to its members; the sums
//! over all computers are kept up to date with each report. What single computers say of a list of updates is told once for all that
//! say the same ([`Answers`]). A question that is asked again and again has a [`Sheet`], which follows the index: then it costs in
//! proportion to what changed since.
//!
//! *Invariant:* every answer is the one that a recount with [`crate::status::ComputerStatus::state_of`] and
//! [`crate::status::computer_state`] over the same computers gives, or, of some updates only, with [`crate::status::narrowed_state`].

mod accumulator;
mod answer;
mod chunk;
mod class;
mod columns;
pub mod deployment;
mod index;
mod planes;
mod seen;
mod sheet;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::{
    ids::{ChangeNumber, CollectionId},
    status::{Counts, ListedStates, State, UpdateNumber},
};

pub use answer::{Answer, Answers, Listed};
pub use index::{Ask, Index, Members};
pub use seen::Seen;
pub use sheet::{Sheet, Slots, Sum};

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

/// A computer of the index.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Placed {
    /// Its row number.
    pub no: u32,
    /// The server it scans against.
    pub site: u32,
    /// Its collections, as it was put in.
    pub collections: Arc<[CollectionId]>,
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
    /// Of these, asked about none of the updates that were asked for: they are unknown, and in `states` as that.
    pub not_asked: u64,
    /// Every update that some of them is asked about, in the order of the numbers.
    pub updates: Vec<UpdateCounts>,
}

impl Tally {
    /// The same, with some of the computers unknown: those that `stale` counts, of the same question. What they said last is not
    /// believed any more.
    #[must_use]
    pub fn without(mut self, stale: &Self) -> Self {
        self.states = forgotten(&self.states, &stale.states);
        for update in &mut self.updates {
            update.counts = forgotten(&update.counts, &stale.of(update.update));
        }
        self
    }

    /// Computers in a compliant state.
    pub fn compliant(&self) -> u64 {
        self.states.compliant()
    }

    /// The counts of an update over all computers, of those that are asked about it: the others are unknown (design, section 7:
    /// what is outside the scope of a computer is unknown, and a share is one of all members).
    pub fn over_all(&self, asked: &Counts) -> Counts {
        Counts { unknown: asked.unknown + self.computers.saturating_sub(asked.total()), ..*asked }
    }

    /// Compliant computers in percent of all, with one decimal. None if there are none, or if nobody is asked about any of the
    /// updates: a share of nothing is not 0.
    pub fn percent(&self) -> Option<f64> {
        if self.not_asked == self.computers { None } else { percent(self.compliant(), self.computers) }
    }

    /// The same for an update, from the counts of those that are asked about it.
    pub fn percent_of(&self, asked: &Counts) -> Option<f64> {
        if asked.total() == 0 { None } else { percent(asked.compliant(), self.computers) }
    }

    /// The counts of an update; all zero if nobody is asked about it.
    pub fn of(&self, update: UpdateNumber) -> Counts {
        let found = self.updates.binary_search_by_key(&update, |it| it.update).ok();
        found.and_then(|at| self.updates.get(at)).map(|it| it.counts).unwrap_or_default()
    }
}

/// Counts with some of the computers unknown.
fn forgotten(counts: &Counts, stale: &Counts) -> Counts {
    let mut left = Counts::default();
    for state in State::ALL {
        left.add_many(state, counts.of(state).saturating_sub(stale.of(state)));
    }
    left.add_many(State::Unknown, stale.total());
    left
}

/// A share in percent with one decimal; none of nothing.
pub fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 * 1_000.0 / whole as f64).round() / 10.0)
}

/// Computers with the same collections at the same server, by the one state of each.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SetCounts {
    /// Their collections.
    pub collections: Arc<[CollectionId]>,
    /// Their server.
    pub site: u32,
    /// The computers.
    pub states: Counts,
    /// Of these, asked about none of the updates that were asked for.
    pub not_asked: u64,
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
    /// It is asked about something of what the question is about; if it is not, its state is unknown.
    pub asked: bool,
    /// Its state.
    pub state: State,
}
