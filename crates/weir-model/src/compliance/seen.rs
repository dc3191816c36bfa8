//! What a look at each member tells ([`super::Index::survey`]).

use super::{
    Standing,
    accumulator::LateMasks,
    chunk::{Chunk, Rare},
    class::Class,
    columns::{Columns, bit, count_common},
};
use crate::{
    ids::{ChangeNumber, CollectionId},
    status::{Counts, State, UpdateNumber, computer_state},
};

/// A member with what it says of some updates, of those that it is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'i> {
    /// Its row number.
    pub no: u32,
    /// The server it scans against.
    pub site: u32,
    /// A number for its set of collections, until the next change of the index.
    pub set: u32,
    /// Its collections, ascending; one without any is in Unassigned Computers.
    pub collections: &'i [CollectionId],
    /// The anchor of its last status report; none if it never sent one.
    pub anchor: Option<ChangeNumber>,
    /// Whether it is asked about any of the updates, if only some are looked at.
    pub asked: bool,
    /// How many of the updates it has in each state.
    pub counts: Counts,
    rare: &'i [Rare],
    mask: &'i [u64],
    columns: &'i Columns,
}

impl<'i> Seen<'i> {
    pub(super) fn new(
        (class, columns): (&'i Class, &'i Columns),
        (chunk, lane): (&'i Chunk, usize),
        collections: &'i [CollectionId],
        masks: &mut LateMasks,
    ) -> Self {
        let place = chunk.lane(lane);
        Self {
            no: place.no,
            site: place.site,
            set: place.group,
            collections,
            anchor: place.anchor,
            asked: !class.is_outside(),
            counts: counts(class, chunk, lane, masks),
            rare: chunk.rare(lane),
            mask: &class.mask,
            columns,
        }
    }

    /// It sent a client status at some time.
    pub fn reported(&self) -> bool {
        self.anchor.is_some()
    }

    /// Whether it has one of the updates in this state.
    pub fn has(&self, state: State) -> bool {
        self.counts.of(state) > 0
    }

    /// Its one state: unknown if only some updates are looked at and it is asked about none of them.
    pub fn state(&self) -> State {
        if !self.asked {
            return State::Unknown;
        }
        computer_state(self.reported(), State::ALL.into_iter().filter(|state| self.has(*state)))
    }

    /// The same with who it is.
    pub fn standing(&self) -> Standing {
        Standing { no: self.no, site: self.site, reported: self.reported(), asked: self.asked, state: self.state() }
    }

    /// Those of the updates that are required, downloaded, failed or pending restart, in no order.
    pub fn listed(&self) -> impl Iterator<Item = (UpdateNumber, State)> {
        let own = self.rare.iter().filter(|entry| bit(self.mask, entry.column()));
        own.filter_map(|entry| Some((self.columns.update(entry.column())?, entry.state())))
    }
}

/// As a recount with [`crate::status::ComputerStatus::state_of`] gives them, without looking at single updates.
fn counts(class: &Class, chunk: &Chunk, lane: usize, masks: &mut LateMasks) -> Counts {
    let (installed, rare) = (chunk.installed(lane), chunk.rare(lane));
    let mut counts: Counts =
        rare.iter().filter(|entry| bit(&class.mask, entry.column())).map(|entry| entry.state()).collect();
    counts.add_many(State::Installed, count_common(installed, &class.mask));
    let listed = counts.total();
    let evaluated = class.evaluated(chunk.lane(lane).anchor);
    let late = (class.asked.len() - evaluated) as u64;
    let mut listed_late = 0;
    if late > 0 {
        let mask = masks.from(class, evaluated);
        let rare = rare.iter().filter(|entry| bit(mask, entry.column())).count();
        listed_late = count_common(installed, mask) + rare as u64;
    }
    counts.unknown = late.saturating_sub(listed_late);
    counts.not_applicable = (evaluated as u64).saturating_sub(listed.saturating_sub(listed_late));
    counts
}
