//! Questions about single updates.

use std::collections::HashSet;

use super::{
    super::{
        Asked, Standing,
        chunk::{Chunk, Lane},
    },
    Index, Members, stands,
};
use crate::status::{State, UpdateNumber, narrowed_state};

impl Index {
    /// Tells of the computers of a class how each stands with an update.
    pub(super) fn teller(&self, update: UpdateNumber) -> impl FnMut(usize, &Chunk, usize) -> Standing {
        let asked: Vec<Option<Asked>> =
            self.classes.iter().map(|class| class.asked.get(class.place(update)?).copied()).collect();
        let column = self.columns.find(update);
        move |class, chunk, lane| {
            let place = chunk.lane(lane);
            let asked = asked.get(class).copied().flatten();
            let known = asked.map(|asked| state(&asked, column, &place, chunk, lane));
            stands(place, known.is_some(), known.unwrap_or(State::Unknown))
        }
    }

    /// Tells of some computers, of those that are members, the state of each of these updates that they are asked about. The cost is
    /// that of the computers times the updates.
    pub fn states_of(
        &self,
        members: &Members,
        only: &HashSet<UpdateNumber>,
        computers: impl IntoIterator<Item = u32>,
        mut tell: impl FnMut(Standing, &[(UpdateNumber, State)]),
    ) {
        let classes = self.narrowed(only);
        let mut states = Vec::new();
        for no in computers {
            let Some((class, chunk, lane)) = self.place_of(members, no) else { continue };
            let Some(of) = classes.get(class) else { continue };
            let place = chunk.lane(lane);
            let of_each = of.asked.iter().enumerate();
            states.clear();
            states.extend(of_each.map(|(at, asked)| (asked.update, state(asked, of.column(at), &place, chunk, lane))));
            // all of them are some updates only
            let worst = narrowed_state(place.anchor.is_some(), states.iter().map(|(_, state)| *state));
            tell(stands(place, !of.is_outside(), worst), &states);
        }
    }

    /// Each member with its state of an update: unknown if it is not asked about it.
    pub fn of_update(&self, members: &Members, update: UpdateNumber) -> Vec<Standing> {
        let mut of_update = self.teller(update);
        let mut standings = Vec::new();
        self.each(members, |class, chunk, lane| standings.push(of_update(class, chunk, lane)));
        standings
    }
}

/// The state of one update on one computer, as [`crate::status::ComputerStatus::state_of`] says it.
fn state(asked: &Asked, column: Option<u32>, place: &Lane, chunk: &Chunk, lane: usize) -> State {
    match column.and_then(|column| chunk.state(lane, column)) {
        Some(listed) => listed,
        None if place.anchor.is_some_and(|anchor| asked.entered <= anchor) => State::NotApplicable,
        None => State::Unknown,
    }
}
