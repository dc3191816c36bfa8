//! What computers say of some updates, told once for all that say the same.

use std::sync::Arc;

use super::{Placed, columns::bit};
use crate::status::{State, UpdateNumber};

/// The states of some updates on a computer. An update is known by its place in the question.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Answer {
    /// It sent a client status at some time.
    pub reported: bool,
    /// A bit for each update that is installed.
    pub(super) installed: Box<[u64]>,
    /// Updates in another listed state, ascending.
    pub(super) others: Box<[(u32, State)]>,
    /// A bit for each update that it is not asked about or cannot have evaluated, whether it lists it or not.
    pub(super) open: Arc<[u64]>,
}

impl Answer {
    /// The state of the update at a place of the question, as [`crate::status::ComputerStatus::state_of`] says it.
    pub fn state(&self, place: usize) -> State {
        let place = place as u32;
        if bit(&self.installed, place) {
            return State::Installed;
        }
        let listed = self.others.binary_search_by_key(&place, |(at, _)| *at).ok().and_then(|at| self.others.get(at));
        match listed {
            Some((_, state)) => *state,
            None if bit(&self.open, place) => State::Unknown,
            None => State::NotApplicable,
        }
    }
}

/// The answers to one question.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// Different ones, save that two may have the same states.
    pub answers: Vec<Answer>,
    /// Every computer with the place of its answer, in no order.
    pub computers: Vec<(Placed, u32)>,
}

/// What a computer listed of some updates, whatever it is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'l> {
    /// Its row number.
    pub no: u32,
    /// It sent a client status at some time.
    pub reported: bool,
    /// How many of the updates are installed.
    pub installed: u64,
    /// Those in another listed state, in no order.
    pub others: &'l [(UpdateNumber, State)],
}
