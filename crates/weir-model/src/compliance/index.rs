//! The computers of the index, and the questions.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use super::{
    Asked, Computer, Standing, Tally,
    accumulator::{Accumulator, LateMasks, Sign, standing},
    chunk::{Chunk, LANES, Lane, Rare},
    class::Class,
    columns::{Columns, ones},
    planes::Planes,
};
use crate::{
    ids::CollectionId,
    status::{Counts, State, UpdateNumber, computer_state},
};

/// Computers from which on a count is shared out; fewer are counted sooner than threads start.
const SHARED_FROM: usize = 20_000;
/// Threads of one count.
const MOST_THREADS: usize = 8;

/// What computers in these collections are asked about: ascending by number, each update once.
pub type Ask<'a> = dyn FnMut(&[CollectionId]) -> Arc<[Asked]> + 'a;

/// A distinct set of collections.
#[derive(Debug)]
struct Group {
    collections: Box<[CollectionId]>,
    class: u32,
    /// How many computers have it.
    members: u32,
}

/// Which computers a question is about; made by [`Index::members`], of use until the next change of the index.
#[derive(Clone, Debug)]
pub struct Members {
    /// By number of the set of collections.
    groups: Vec<bool>,
    site: Option<u32>,
}

/// States of all computers. See [`super`].
#[derive(Debug, Default)]
pub struct Index {
    columns: Columns,
    slots: HashMap<u32, u32>,
    free: Vec<u32>,
    chunks: Vec<Chunk>,
    groups: Vec<Group>,
    by_collections: HashMap<Box<[CollectionId]>, u32>,
    /// Numbers of sets that no computer has any more.
    free_groups: Vec<u32>,
    classes: Vec<Class>,
    /// Over all computers, by class.
    totals: Vec<Accumulator>,
    /// Late masks by class, as long as the columns stay the same.
    masks: Vec<LateMasks>,
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
        self.sum(slot, Sign::Minus);
        self.write(slot, computer, ask);
        self.sum(slot, Sign::Plus);
    }

    /// The same without the sums over all computers, for many computers: [`Index::ask`] must follow before anything is asked.
    pub fn fill(&mut self, computer: Computer<'_>, ask: &mut Ask<'_>) {
        let slot = self.slot(computer.no);
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
            chunk.put(slot as usize % LANES, lane, &installed, &rare);
        }
    }

    /// Moves a computer that is here to another server or other collections; false if it is not here.
    pub fn place(&mut self, no: u32, site: u32, groups: &[CollectionId], ask: &mut Ask<'_>) -> bool {
        let Some(slot) = self.slots.get(&no).copied() else { return false };
        let group = self.group(groups, ask);
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
        self.sum(slot, Sign::Minus);
        if let Some(chunk) = self.chunks.get_mut(slot as usize / LANES) {
            chunk.clear(slot as usize % LANES);
        }
        self.free.push(slot);
    }

    /// Computers are asked about something else from now on: everything is counted anew.
    pub fn ask(&mut self, ask: &mut Ask<'_>) {
        self.classes.clear();
        let mut sets = std::mem::take(&mut self.groups);
        for (number, group) in (0..).zip(&mut sets) {
            if group.members > 0 {
                group.class = self.class(ask(&group.collections));
            } else if self.by_collections.remove(&group.collections).is_some() {
                self.free_groups.push(number);
            }
        }
        self.groups = sets;
        let everybody = Members { groups: vec![true; self.groups.len()], site: None };
        (self.totals, self.masks) = self.accumulate(&everybody, &self.classes);
    }

    /// The sets of collections that computers have.
    pub fn sets(&self) -> impl Iterator<Item = &[CollectionId]> {
        self.groups.iter().filter(|group| group.members > 0).map(|group| &*group.collections)
    }

    /// The computers of a server, or of all, whose set of collections `holds` accepts.
    pub fn members(&self, site: Option<u32>, holds: &dyn Fn(&[CollectionId]) -> bool) -> Members {
        Members { groups: self.groups.iter().map(|group| holds(&group.collections)).collect(), site }
    }

    /// The servers that members scan against.
    pub fn sites(&self, members: &Members) -> BTreeSet<u32> {
        let mut sites = BTreeSet::new();
        self.each(members, |_, chunk, lane| {
            sites.insert(chunk.lane(lane).site);
        });
        sites
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

    /// The same for some updates only; what a computer is not asked about keeps it from nothing.
    pub fn count_only(&self, members: &Members, only: &HashSet<UpdateNumber>) -> Tally {
        let classes = self.narrowed(only);
        merged(&classes, &self.accumulate(members, &classes).0)
    }

    /// Each member with its one state, of some updates or of all.
    pub fn standings(&self, members: &Members, only: Option<&HashSet<UpdateNumber>>) -> Vec<Standing> {
        let narrowed = only.map(|only| self.narrowed(only));
        let classes = narrowed.as_deref().unwrap_or(&self.classes);
        let mut masks: Vec<LateMasks> = classes.iter().map(|_| LateMasks::default()).collect();
        let mut standings = Vec::new();
        self.each(members, |class, chunk, lane| {
            let (Some(of), Some(masks)) = (classes.get(class), masks.get_mut(class)) else { return };
            standings.push(placed(chunk.lane(lane), standing(of, chunk, lane, masks)));
        });
        standings
    }

    /// Each member with how many of these updates it has in each state, of those that it is asked about. The cost grows with the
    /// members times the updates.
    pub fn counts_each(&self, members: &Members, only: &HashSet<UpdateNumber>) -> Vec<(Standing, Counts)> {
        let classes = self.narrowed(only);
        let mut found = Vec::new();
        self.each(members, |class, chunk, lane| {
            let Some(of) = classes.get(class) else { return };
            let place = chunk.lane(lane);
            let state = |(asked, column): (&Asked, Option<u32>)| state(asked, column, &place, chunk, lane);
            let counts: Counts = of.asked.iter().enumerate().map(|(at, asked)| state((asked, of.column(at)))).collect();
            let worst = computer_state(place.anchor.is_some(), State::ALL.into_iter().filter(|it| counts.of(*it) > 0));
            found.push((placed(place, worst), counts));
        });
        found
    }

    /// Each member that is asked about an update, with its state of it.
    pub fn of_update(&self, members: &Members, update: UpdateNumber) -> Vec<Standing> {
        let asked: Vec<_> = self.classes.iter().map(|class| class.asked.get(class.place(update)?)).collect();
        let column = self.columns.find(update);
        let mut standings = Vec::new();
        self.each(members, |class, chunk, lane| {
            let Some(Some(asked)) = asked.get(class) else { return };
            let place = chunk.lane(lane);
            standings.push(placed(place, state(asked, column, &place, chunk, lane)));
        });
        standings
    }

    /// What computers in these collections are asked about, if there are any.
    pub fn asked(&self, collections: &[CollectionId]) -> Option<&Arc<[Asked]>> {
        let group = self.groups.get(*self.by_collections.get(collections)? as usize)?;
        self.classes.get(group.class as usize).map(|class| &class.asked)
    }

    /// Bytes in memory, about.
    pub fn bytes(&self) -> usize {
        self.chunks.iter().map(Chunk::bytes).sum::<usize>() + self.slots.capacity() * 9 + self.columns.len() * 16
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
        let new = Group { collections: collections.into(), class, members: 0 };
        let group = self.free_groups.pop().unwrap_or(self.groups.len() as u32);
        match self.groups.get_mut(group as usize) {
            Some(free) => *free = new,
            None => self.groups.push(new),
        }
        self.by_collections.insert(collections.into(), group);
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
        self.classes.iter().map(|class| class.narrowed(&|update| only.contains(&update), &self.columns)).collect()
    }

    /// Counts a computer in its set of collections; none if the place is empty.
    fn enrol(&mut self, slot: u32, sign: Sign) -> Option<usize> {
        let (chunk, lane) = (self.chunks.get(slot as usize / LANES)?, slot as usize % LANES);
        if chunk.occupied >> lane & 1 == 0 {
            return None;
        }
        let group = self.groups.get_mut(chunk.lane(lane).group as usize)?;
        group.members = match sign {
            Sign::Plus => group.members + 1,
            Sign::Minus => group.members.saturating_sub(1),
        };
        Some(group.class as usize)
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
        let is_member = |lane: &Lane| {
            members.site.is_none_or(|site| lane.site == site)
                && members.groups.get(lane.group as usize).copied().unwrap_or(false)
        };
        for lane in ones(chunk.select(is_member)) {
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

    /// Sums over members, by class. Large fleets are shared out among the processors.
    fn accumulate(&self, members: &Members, classes: &[Class]) -> (Vec<Accumulator>, Vec<LateMasks>) {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        if threads == 1 || self.slots.len() < SHARED_FROM {
            return self.accumulate_part(members, classes, &self.chunks);
        }
        let part = self.chunks.len().div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            let work = |chunks| scope.spawn(move || self.accumulate_part(members, classes, chunks));
            let others: Vec<_> = self.chunks.chunks(part).skip(1).map(work).collect();
            let first = self.chunks.chunks(part).next().unwrap_or_default();
            let (mut sums, masks) = self.accumulate_part(members, classes, first);
            for other in others {
                let more = match other.join() {
                    Ok((more, _)) => more,
                    Err(panic) => std::panic::resume_unwind(panic),
                };
                for (sums, more) in sums.iter_mut().zip(&more) {
                    sums.merge(more);
                }
            }
            (sums, masks)
        })
    }

    fn accumulate_part(
        &self,
        members: &Members,
        classes: &[Class],
        chunks: &[Chunk],
    ) -> (Vec<Accumulator>, Vec<LateMasks>) {
        let mut by_class = vec![0; self.classes.len()];
        let mut sums: Vec<Accumulator> = classes.iter().map(|_| Accumulator::default()).collect();
        let mut masks: Vec<LateMasks> = classes.iter().map(|_| LateMasks::default()).collect();
        let mut planes: Vec<Planes> = classes.iter().map(|_| Planes::default()).collect();
        for sums in &mut sums {
            sums.reserve(self.columns.len());
        }
        for chunk in chunks {
            self.lanes(members, chunk, &mut by_class);
            let parts = classes.iter().zip(&by_class).zip(&mut sums).zip(&mut masks).zip(&mut planes);
            for ((((class, lanes), sums), masks), planes) in parts.filter(|part| *part.0.0.0.1 != 0) {
                sums.add_many(class, chunk, *lanes, masks, planes);
            }
        }
        for (sums, planes) in sums.iter_mut().zip(planes) {
            sums.absorb(planes);
        }
        (sums, masks)
    }
}

fn placed(lane: Lane, state: State) -> Standing {
    Standing { no: lane.no, site: lane.site, reported: lane.anchor.is_some(), state }
}

/// The state of one update on one computer, as [`crate::status::ComputerStatus::state_of`] says it.
fn state(asked: &Asked, column: Option<u32>, place: &Lane, chunk: &Chunk, lane: usize) -> State {
    match column.and_then(|column| chunk.state(lane, column)) {
        Some(listed) => listed,
        None if place.anchor.is_some_and(|anchor| asked.entered <= anchor) => State::NotApplicable,
        None => State::Unknown,
    }
}

fn merged(classes: &[Class], sums: &[Accumulator]) -> Tally {
    let mut tally = Tally::default();
    for (class, sums) in classes.iter().zip(sums) {
        tally.merge(sums.tally(class));
    }
    tally
}
