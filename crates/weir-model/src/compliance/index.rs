//! The computers of the index, and the questions.

mod answers;
mod changes;
mod count;
mod listed;
mod look;
mod sets;
mod sheets;
mod update;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

pub(super) use self::changes::Followed;
use self::{
    changes::{Changes, differing},
    count::merged,
};
use super::{
    Asked, Computer, Placed, Standing, Tally,
    accumulator::{Accumulator, LateMasks, Sign, standing},
    chunk::{Chunk, LANES, Lane, Rare},
    class::Class,
    columns::{Columns, ones},
    seen::Seen,
};
use crate::{
    ids::CollectionId,
    status::{Counts, State, UpdateNumber},
};

/// What computers in these collections are asked about: ascending by number, each update once.
pub type Ask<'a> = dyn FnMut(&[CollectionId]) -> Arc<[Asked]> + 'a;

/// A distinct set of collections.
#[derive(Debug)]
struct Group {
    collections: Arc<[CollectionId]>,
    class: u32,
    /// How many computers have it.
    members: u32,
    /// The same by server.
    sites: Vec<(u32, u32)>,
}

impl Group {
    /// Takes a computer of a server in, or out.
    fn count(&mut self, site: u32, sign: Sign) {
        let at = self.sites.iter().position(|(known, _)| *known == site);
        let place = at.unwrap_or(self.sites.len());
        match sign {
            Sign::Plus => {
                self.members += 1;
                match self.sites.get_mut(place) {
                    Some((_, computers)) => *computers += 1,
                    None => self.sites.push((site, 1)),
                }
            }
            Sign::Minus => {
                self.members = self.members.saturating_sub(1);
                if let Some((_, computers)) = self.sites.get_mut(place) {
                    *computers = computers.saturating_sub(1);
                }
                self.sites.retain(|(_, computers)| *computers > 0);
            }
        }
    }
}

/// Which computers a question is about; made by [`Index::members`], of use until the next change of the index.
#[derive(Clone, Debug)]
pub struct Members {
    /// By number of the set of collections.
    groups: Vec<bool>,
    site: Option<u32>,
}

impl Members {
    fn holds(&self, lane: &Lane) -> bool {
        self.has(lane.group, lane.site)
    }

    /// Whether computers with this number of a set of collections, at this server, are members.
    pub(super) fn has(&self, set: u32, site: u32) -> bool {
        self.site.is_none_or(|own| site == own) && self.groups.get(set as usize).copied().unwrap_or(false)
    }
}

/// States of all computers. See [`super`].
#[derive(Debug, Default)]
pub struct Index {
    columns: Columns,
    slots: HashMap<u32, u32>,
    free: Vec<u32>,
    chunks: Vec<Chunk>,
    groups: Vec<Group>,
    by_collections: HashMap<Arc<[CollectionId]>, u32>,
    /// Numbers of sets that no computer has any more.
    free_groups: Vec<u32>,
    classes: Vec<Class>,
    /// Over all computers, by class.
    totals: Vec<Accumulator>,
    /// Late masks by class, as long as the columns stay the same.
    masks: Vec<LateMasks>,
    /// For sheets.
    changes: Changes,
}

impl Index {
    /// How many computers are here.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Puts a computer in or replaces it.
    pub fn put(&mut self, computer: Computer<'_>, ask: &mut Ask<'_>) {
        let slot = self.slot(computer.no);
        self.note(slot);
        self.sum(slot, Sign::Minus);
        self.write(slot, computer, ask);
        self.sum(slot, Sign::Plus);
    }

    /// The same without the sums over all computers, for many computers: [`Index::ask`] must follow before anything is asked.
    pub fn fill(&mut self, computer: Computer<'_>, ask: &mut Ask<'_>) {
        let slot = self.slot(computer.no);
        self.changes.forget();
        self.enrol(slot, Sign::Minus);
        self.write(slot, computer, ask);
        self.enrol(slot, Sign::Plus);
    }

    fn write(&mut self, slot: u32, computer: Computer<'_>, ask: &mut Ask<'_>) {
        let group = self.group(computer.groups, ask);
        let mut installed: Vec<u32> = Vec::with_capacity(computer.listed.installed.len());
        for update in &computer.listed.installed {
            installed.push(self.column(*update));
        }
        let mut rare: Vec<Rare> = Vec::with_capacity(computer.listed.others.len());
        for (update, state) in &computer.listed.others {
            rare.push(Rare::new(self.column(*update), *state));
        }
        rare.sort_unstable();
        let lane = Lane { no: computer.no, site: computer.site, group, anchor: computer.listed.anchor };
        if let Some(chunk) = self.chunks.get_mut(slot as usize / LANES) {
            chunk.put(slot as usize % LANES, lane, &installed, &rare, computer.listed.errors);
        }
    }

    /// Moves a computer that is here to another server or other collections; false if it is not here.
    pub fn place(&mut self, no: u32, site: u32, groups: &[CollectionId], ask: &mut Ask<'_>) -> bool {
        let Some(slot) = self.slots.get(&no).copied() else { return false };
        let group = self.group(groups, ask);
        self.note(slot);
        self.sum(slot, Sign::Minus);
        if let Some(chunk) = self.chunks.get_mut(slot as usize / LANES) {
            chunk.place(slot as usize % LANES, site, group);
        }
        self.sum(slot, Sign::Plus);
        true
    }

    /// Takes a computer out.
    pub fn remove(&mut self, no: u32) {
        let Some(slot) = self.slots.remove(&no) else { return };
        self.note(slot);
        self.sum(slot, Sign::Minus);
        if let Some(chunk) = self.chunks.get_mut(slot as usize / LANES) {
            chunk.clear(slot as usize % LANES);
        }
        self.free.push(slot);
    }

    /// Computers are asked about something else from now on: everything is counted anew.
    pub fn ask(&mut self, ask: &mut Ask<'_>) {
        let before = std::mem::take(&mut self.classes);
        let mut sets = std::mem::take(&mut self.groups);
        let (mut compared, mut differ) = (HashSet::new(), HashSet::new());
        for (number, group) in (0..).zip(&mut sets) {
            if group.members > 0 {
                let class = self.class(ask(&group.collections));
                let (old, new) = (before.get(group.class as usize), self.classes.get(class as usize));
                if let (Some(old), Some(new), true) = (old, new, compared.insert((group.class, class))) {
                    differing(&old.asked, &new.asked, &mut differ);
                }
                group.class = class;
            } else if self.by_collections.get(&group.collections) == Some(&number) {
                // a number that is free already may have the collections of a set that has another number now
                self.by_collections.remove(&group.collections);
                self.free_groups.push(number);
            }
        }
        self.groups = sets;
        self.changes.ask(differ);
        let everybody = Members { groups: vec![true; self.groups.len()], site: None };
        (self.totals, self.masks) = self.accumulate(&everybody, &self.classes);
    }

    /// The sets of collections that computers have.
    pub fn sets(&self) -> impl Iterator<Item = &[CollectionId]> {
        self.groups.iter().filter(|group| group.members > 0).map(|group| &*group.collections)
    }

    /// The same with how many computers have each.
    pub fn sizes(&self) -> impl Iterator<Item = (&[CollectionId], u64)> {
        let used = self.groups.iter().filter(|group| group.members > 0);
        used.map(|group| (&*group.collections, u64::from(group.members)))
    }

    /// The computers of a server, or of all, whose set of collections `holds` accepts.
    pub fn members(&self, site: Option<u32>, holds: &dyn Fn(&[CollectionId]) -> bool) -> Members {
        Members { groups: self.groups.iter().map(|group| holds(&group.collections)).collect(), site }
    }

    /// The servers that members scan against.
    pub fn sites(&self, members: &Members) -> BTreeSet<u32> {
        let held = self.groups.iter().zip(&members.groups).filter(|(_, held)| **held);
        let sites = held.flat_map(|(group, _)| group.sites.iter().map(|(site, _)| *site));
        sites.filter(|site| members.site.is_none_or(|wanted| wanted == *site)).collect()
    }

    /// How all computers stand, without looking at them.
    pub fn everybody(&self) -> Tally {
        let mut tally = Tally::default();
        for (class, sums) in self.classes.iter().zip(&self.totals) {
            tally.merge(sums.tally(class));
        }
        tally
    }

    /// How members stand.
    pub fn count(&self, members: &Members) -> Tally {
        merged(&self.classes, &self.accumulate(members, &self.classes).0)
    }

    /// The same for some updates only. What a computer is not asked about keeps it from nothing, but one that is asked about none
    /// of them is unknown.
    pub fn count_only(&self, members: &Members, only: &HashSet<UpdateNumber>) -> Tally {
        let classes = self.narrowed(only);
        merged(&classes, &self.accumulate(members, &classes).0)
    }

    /// How some computers stand, of those that are members, with some updates or with all. The cost is that of these computers.
    pub fn count_of(
        &self,
        members: &Members,
        only: Option<&HashSet<UpdateNumber>>,
        computers: impl IntoIterator<Item = u32>,
    ) -> Tally {
        let narrowed = only.map(|only| self.narrowed(only));
        let classes = narrowed.as_deref().unwrap_or(&self.classes);
        let mut sums: Vec<Accumulator> = classes.iter().map(|_| Accumulator::default()).collect();
        let mut masks: Vec<LateMasks> = classes.iter().map(|_| LateMasks::default()).collect();
        for no in computers {
            let Some((class, chunk, lane)) = self.place_of(members, no) else { continue };
            if let (Some(of), Some(sums), Some(masks)) = (classes.get(class), sums.get_mut(class), masks.get_mut(class))
            {
                sums.add(of, chunk, lane, masks, Sign::Plus);
            }
        }
        let mut tally = Tally::default();
        for (class, sums) in classes.iter().zip(&sums).filter(|(_, sums)| !sums.is_empty()) {
            tally.merge(sums.tally(class));
        }
        tally
    }

    /// The same without the updates, which is much cheaper.
    pub fn states_in(
        &self,
        members: &Members,
        only: Option<&HashSet<UpdateNumber>>,
        computers: impl IntoIterator<Item = u32>,
    ) -> Counts {
        let narrowed = only.map(|only| self.narrowed(only));
        let classes = narrowed.as_deref().unwrap_or(&self.classes);
        let mut masks: Vec<LateMasks> = classes.iter().map(|_| LateMasks::default()).collect();
        let mut states = Counts::default();
        for no in computers {
            let Some((class, chunk, lane)) = self.place_of(members, no) else { continue };
            if let (Some(of), Some(masks)) = (classes.get(class), masks.get_mut(class)) {
                states.add(standing(of, chunk, lane, masks));
            }
        }
        states
    }

    /// Each member with its one state, of some updates or of all.
    pub fn standings(&self, members: &Members, only: Option<&HashSet<UpdateNumber>>) -> Vec<Standing> {
        let narrowed = only.map(|only| self.narrowed(only));
        let classes = narrowed.as_deref().unwrap_or(&self.classes);
        let mut masks: Vec<LateMasks> = classes.iter().map(|_| LateMasks::default()).collect();
        let mut standings = Vec::new();
        self.each(members, |class, chunk, lane| {
            let (Some(of), Some(masks)) = (classes.get(class), masks.get_mut(class)) else { return };
            standings.push(stands(chunk.lane(lane), !of.is_outside(), standing(of, chunk, lane, masks)));
        });
        standings
    }

    /// Hands each member to `tell`, in no order, with what it says of some updates or of all.
    pub fn survey(&self, members: &Members, only: Option<&HashSet<UpdateNumber>>, tell: &mut dyn FnMut(&Seen<'_>)) {
        let narrowed = only.map(|only| self.narrowed(only));
        let classes = narrowed.as_deref().unwrap_or(&self.classes);
        let mut masks: Vec<LateMasks> = classes.iter().map(|_| LateMasks::default()).collect();
        self.each(members, |class, chunk, lane| {
            let (Some(of), Some(masks)) = (classes.get(class), masks.get_mut(class)) else { return };
            let Some(group) = self.groups.get(chunk.lane(lane).group as usize) else { return };
            tell(&Seen::new((of, &self.columns), (chunk, lane), &group.collections, masks));
        });
    }

    /// Where a computer is kept, if it is here.
    fn lane(&self, no: u32) -> Option<(&Chunk, usize)> {
        let slot = *self.slots.get(&no)? as usize;
        self.chunks.get(slot / LANES).map(|chunk| (chunk, slot % LANES))
    }

    fn placed(&self, lane: Lane) -> Option<Placed> {
        let group = self.groups.get(lane.group as usize)?;
        Some(Placed { no: lane.no, site: lane.site, collections: Arc::clone(&group.collections) })
    }

    /// Bytes in memory, about.
    pub fn bytes(&self) -> usize {
        self.chunks.iter().map(Chunk::bytes).sum::<usize>() + self.slots.capacity() * 9 + self.columns.len() * 20
    }

    /// The place of a computer, a new one if it has none.
    fn slot(&mut self, no: u32) -> u32 {
        if let Some(slot) = self.slots.get(&no) {
            return *slot;
        }
        let slot = self.free.pop().unwrap_or(self.slots.len() as u32);
        while self.chunks.len() * LANES <= slot as usize {
            self.chunks.push(Chunk::default());
        }
        self.slots.insert(no, slot);
        slot
    }

    /// Where a computer is, and its class; none if it is no member.
    fn place_of(&self, members: &Members, no: u32) -> Option<(usize, &Chunk, usize)> {
        let slot = *self.slots.get(&no)? as usize;
        let (chunk, lane) = (self.chunks.get(slot / LANES)?, slot % LANES);
        let place = chunk.lane(lane);
        let group = self.groups.get(place.group as usize).filter(|_| members.holds(&place))?;
        Some((group.class as usize, chunk, lane))
    }

    fn column(&mut self, update: UpdateNumber) -> u32 {
        let (column, new) = self.columns.intern(update);
        if new {
            for (class, masks) in self.classes.iter_mut().zip(&mut self.masks) {
                class.learn(update, column);
                *masks = LateMasks::default();
            }
        }
        column
    }

    fn group(&mut self, collections: &[CollectionId], ask: &mut Ask<'_>) -> u32 {
        if let Some(group) = self.by_collections.get(collections) {
            return *group;
        }
        let class = self.class(ask(collections));
        let collections: Arc<[CollectionId]> = collections.into();
        let new = Group { collections: Arc::clone(&collections), class, members: 0, sites: Vec::new() };
        let group = self.free_groups.pop().unwrap_or(self.groups.len() as u32);
        match self.groups.get_mut(group as usize) {
            Some(free) => *free = new,
            None => self.groups.push(new),
        }
        self.by_collections.insert(collections, group);
        group
    }

    fn class(&mut self, asked: Arc<[Asked]>) -> u32 {
        let same = |class: &Class| Arc::ptr_eq(&class.asked, &asked) || class.asked == asked;
        if let Some(known) = self.classes.iter().position(same) {
            return known as u32;
        }
        self.classes.push(Class::new(asked, &self.columns));
        self.totals.resize_with(self.classes.len(), Accumulator::default);
        self.masks.resize_with(self.classes.len(), LateMasks::default);
        (self.classes.len() - 1) as u32
    }

    fn narrowed(&self, only: &HashSet<UpdateNumber>) -> Vec<Class> {
        let mut only: Vec<UpdateNumber> = only.iter().copied().collect();
        only.sort_unstable();
        self.narrowed_to(&only)
    }

    /// The same of updates that ascend.
    fn narrowed_to(&self, only: &[UpdateNumber]) -> Vec<Class> {
        self.classes.iter().map(|class| class.narrowed(only, &self.columns)).collect()
    }

    /// Counts a computer in its set of collections; none if the place is empty.
    fn enrol(&mut self, slot: u32, sign: Sign) -> Option<usize> {
        let (chunk, lane) = (self.chunks.get(slot as usize / LANES)?, slot as usize % LANES);
        if chunk.occupied >> lane & 1 == 0 {
            return None;
        }
        let place = chunk.lane(lane);
        let group = self.groups.get_mut(place.group as usize)?;
        group.count(place.site, sign);
        Some(group.class as usize)
    }

    /// Notes where a computer is that is about to change.
    fn note(&mut self, slot: u32) {
        let (chunk, lane) = (self.chunks.get(slot as usize / LANES), slot as usize % LANES);
        let here = chunk.filter(|chunk| chunk.occupied >> lane & 1 == 1);
        let place = here.map(|chunk| chunk.lane(lane)).map(|lane| (lane.group, lane.site));
        self.changes.note(slot, place);
    }

    /// Brings the sums over all computers up to date for one of them.
    fn sum(&mut self, slot: u32, sign: Sign) {
        let Some(class) = self.enrol(slot, sign) else { return };
        if let (Some(chunk), Some(of), Some(sums), Some(masks)) = (
            self.chunks.get(slot as usize / LANES),
            self.classes.get(class),
            self.totals.get_mut(class),
            self.masks.get_mut(class),
        ) {
            sums.add(of, chunk, slot as usize % LANES, masks, sign);
        }
    }

    /// The lanes of a chunk that belong to the members of each class.
    fn lanes(&self, members: &Members, chunk: &Chunk, by_class: &mut [u64]) {
        by_class.fill(0);
        for lane in ones(chunk.select(|lane| members.holds(lane))) {
            let group = self.groups.get(chunk.lane(lane as usize).group as usize);
            if let Some(lanes) = group.and_then(|group| by_class.get_mut(group.class as usize)) {
                *lanes |= 1 << lane;
            }
        }
    }

    fn each(&self, members: &Members, mut tell: impl FnMut(usize, &Chunk, usize)) {
        let mut by_class = vec![0; self.classes.len()];
        for chunk in &self.chunks {
            self.lanes(members, chunk, &mut by_class);
            for (class, lanes) in by_class.iter().enumerate() {
                for lane in ones(*lanes) {
                    tell(class, chunk, lane as usize);
                }
            }
        }
    }
}

fn stands(lane: Lane, asked: bool, state: State) -> Standing {
    Standing { no: lane.no, site: lane.site, reported: lane.anchor.is_some(), asked, state }
}
