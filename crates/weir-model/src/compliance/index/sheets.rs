//! Keeping sheets up to date, and reading them.

use std::{collections::HashSet, sync::Arc};

use super::{
    super::{
        Sheet, Slots, Standing, Sum,
        accumulator::{LateMasks, Sign, standing},
        chunk::{Chunk, LANES, Lane},
        class::Class,
        columns::{WORD, bit, ones, set_bit},
        sheet::{Cell, KINDS, Sums},
    },
    Index, Members,
    changes::Change,
    count::{SHARED_FROM, threads},
};
use crate::{
    ids::{ChangeNumber, CollectionId},
    status::State,
};

/// A computer costs about as much as this many columns of a class that are looked at for all computers of a chunk at once.
const COLUMNS_PER_COMPUTER: usize = 16;

impl Index {
    /// Whether nothing changed that a sheet does not know.
    pub fn is_followed(&self, sheet: &Sheet) -> bool {
        sheet.followed == Some(self.changes.now())
    }

    /// Brings sheets up to date. It costs a look at the computers that changed since; those that were never counted, or are too far
    /// behind, are counted in one pass over all computers.
    pub fn refresh(&self, sheets: &mut [&mut Sheet]) {
        let mut anew: Vec<&mut Sheet> = Vec::new();
        for sheet in sheets {
            let since = sheet.followed.and_then(|then| self.changes.since(then, sheet.only.as_deref()));
            match since.map(Iterator::collect::<Vec<_>>) {
                Some(changed) => self.follow(sheet, &changed),
                None => anew.push(sheet),
            }
        }
        if !anew.is_empty() {
            self.count_anew(&mut anew);
        }
    }

    /// Looks at some computers again.
    fn follow(&self, sheet: &mut Sheet, changed: &[Change]) {
        sheet.followed = Some(self.changes.now());
        if changed.is_empty() {
            return;
        }
        let narrowed = sheet.only.as_deref().map(|only| self.narrowed_to(only));
        let classes = narrowed.as_deref().unwrap_or(&self.classes);
        let mut masks: Vec<LateMasks> = classes.iter().map(|_| LateMasks::default()).collect();
        let mut seen = HashSet::new();
        // the first change of each tells where the sheet has it
        for (slot, before) in changed.iter().filter(|(slot, _)| seen.insert(*slot)) {
            let known = sheet.cell(*slot);
            if let Some(place) = before.filter(|_| known != Cell::EMPTY) {
                sheet.sums.count(place, known, Sign::Minus);
            }
            let cell = match self.occupied(*slot) {
                Some((class, chunk, lane)) => {
                    let place = chunk.lane(lane);
                    let cell = match (classes.get(class), masks.get_mut(class)) {
                        (Some(class), Some(masks)) => judged(class, chunk, lane, masks),
                        _ => Cell::EMPTY,
                    };
                    if cell != Cell::EMPTY {
                        sheet.sums.count((place.group, place.site), cell, Sign::Plus);
                    }
                    cell
                }
                None => Cell::EMPTY,
            };
            sheet.put(*slot, cell);
        }
    }

    /// Who is kept in a place, with the class.
    fn occupied(&self, slot: u32) -> Option<(usize, &Chunk, usize)> {
        let (chunk, lane) = (self.chunks.get(slot as usize / LANES)?, slot as usize % LANES);
        let group = self.groups.get(chunk.lane(lane).group as usize).filter(|_| chunk.occupied >> lane & 1 == 1)?;
        Some((group.class as usize, chunk, lane))
    }

    /// Looks at every computer, once for all sheets. Large fleets are shared out among the processors.
    fn count_anew(&self, sheets: &mut [&mut Sheet]) {
        let narrow = |sheet: &&mut Sheet| sheet.only.as_deref().map(|only| self.narrowed_to(only));
        let narrowed: Vec<Option<Vec<Class>>> = sheets.iter().map(narrow).collect();
        let questions: Vec<&[Class]> =
            narrowed.iter().map(|classes| classes.as_deref().unwrap_or(&self.classes)).collect();
        let parts = self.count_shared(&questions);
        for sheet in sheets.iter_mut() {
            sheet.followed = Some(self.changes.now());
            sheet.cells = Vec::with_capacity(self.chunks.len() * LANES);
            sheet.sums = Sums::default();
        }
        // the parts are in the order of the places
        for part in parts {
            for (sheet, counted) in sheets.iter_mut().zip(part) {
                sheet.cells.extend(counted.cells);
                sheet.sums.merge(&counted.sums);
            }
        }
    }

    fn count_shared(&self, questions: &[&[Class]]) -> Vec<Vec<Counted>> {
        let threads = threads();
        if threads == 1 || self.slots.len() < SHARED_FROM {
            return vec![self.count_part(questions, &self.chunks)];
        }
        let part = self.chunks.len().div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            let work = |chunks| scope.spawn(move || self.count_part(questions, chunks));
            let others: Vec<_> = self.chunks.chunks(part).skip(1).map(work).collect();
            let mut parts = vec![self.count_part(questions, self.chunks.chunks(part).next().unwrap_or_default())];
            for other in others {
                match other.join() {
                    Ok(part) => parts.push(part),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            parts
        })
    }

    /// The computers of some chunks, for each question.
    fn count_part(&self, questions: &[&[Class]], chunks: &[Chunk]) -> Vec<Counted> {
        let everybody = Members { groups: vec![true; self.groups.len()], site: None };
        let mut counted: Vec<Counted> = questions.iter().map(|classes| Counted::new(classes)).collect();
        let mut by_class = vec![0; self.classes.len()];
        let (mut table, mut places) = (Table::new(questions), Places::default());
        for chunk in chunks {
            self.lanes(&everybody, chunk, &mut by_class);
            table.read(chunk);
            let call = Call::of(chunk, &mut places);
            for (classes, counted) in questions.iter().zip(&mut counted) {
                counted.take(classes, &call, &by_class, &table);
            }
        }
        for counted in &mut counted {
            counted.finish(&places);
        }
        counted
    }

    /// Members added up, from a sheet that was brought up to date.
    pub fn add_up(&self, sheet: &Sheet, members: &Members) -> Sum {
        sheet.sum(members)
    }

    /// Where some computers are kept, of those that are here.
    pub fn slots(&self, computers: impl IntoIterator<Item = u32>) -> Slots {
        Slots(computers.into_iter().filter_map(|no| self.slots.get(&no).copied()).collect())
    }

    /// Those of some computers that are members added up, from a sheet that was brought up to date.
    pub fn add_up_of(&self, sheet: &Sheet, members: &Members, computers: &Slots) -> Sum {
        let lane = |slot: &u32| Some((*slot, self.chunks.get(*slot as usize / LANES)?.lane(*slot as usize % LANES)));
        sheet.sum_of(members, computers.0.iter().filter_map(lane))
    }

    /// Each member with its one state and the number of its set of collections, from a sheet that was brought up to date.
    pub fn standings_of(&self, sheet: &Sheet, members: &Members) -> Vec<(Standing, u32)> {
        let mut standings = Vec::new();
        for (chunk, first) in self.chunks.iter().zip((0_u32..).step_by(LANES)) {
            for at in ones(chunk.select(|lane| members.holds(lane))) {
                let lane = chunk.lane(at as usize);
                standings.push((sheet.cell(first + at).standing(&lane), lane.group));
            }
        }
        standings
    }

    /// The collections of a set, by its number.
    pub fn collections(&self, set: u32) -> Option<&Arc<[CollectionId]>> {
        self.groups.get(set as usize).map(|group| &group.collections)
    }
}

/// What a computer answers to a question.
fn judged(class: &Class, chunk: &Chunk, lane: usize, masks: &mut LateMasks) -> Cell {
    let reported = chunk.lane(lane).anchor.is_some();
    Cell::new(!class.is_outside(), reported, standing(class, chunk, lane, masks))
}

/// Sets of collections with their servers, numbered as they are met.
#[derive(Default)]
struct Places {
    by_set: Vec<Vec<(u32, u32)>>,
    all: Vec<(u32, u32)>,
}

impl Places {
    fn number(&mut self, lane: &Lane) -> u32 {
        let set = lane.group as usize;
        if self.by_set.len() <= set {
            self.by_set.resize_with(set + 1, Vec::new);
        }
        let Some(sites) = self.by_set.get_mut(set) else { return 0 };
        if let Some((_, number)) = sites.iter().find(|(site, _)| *site == lane.site) {
            return *number;
        }
        let number = self.all.len() as u32;
        sites.push((lane.site, number));
        self.all.push((lane.group, lane.site));
        number
    }
}

/// What all questions need of the computers of a chunk.
struct Call<'c> {
    chunk: &'c Chunk,
    /// Where each is.
    places: [u32; LANES],
    /// Lanes of those that ever reported.
    reported: u64,
    /// The oldest anchor of these.
    oldest: Option<ChangeNumber>,
}

impl<'c> Call<'c> {
    fn of(chunk: &'c Chunk, places: &mut Places) -> Self {
        let mut call = Self { chunk, places: [0; LANES], reported: 0, oldest: None };
        for (at, place) in call.places.iter_mut().enumerate().filter(|(at, _)| chunk.occupied >> at & 1 == 1) {
            let lane = chunk.lane(at);
            *place = places.number(&lane);
            if let Some(anchor) = lane.anchor {
                call.reported |= 1 << at;
                call.oldest = Some(call.oldest.map_or(anchor, |oldest| oldest.min(anchor)));
            }
        }
        call
    }

    /// The lanes, of these, of computers that reported since everything that a class is asked about was there.
    fn evaluated(&self, class: &Class, lanes: u64) -> u64 {
        let reported = lanes & self.reported;
        if !class.is_late(self.oldest) {
            return reported;
        }
        let late = ones(reported).filter(|at| class.is_late(self.chunk.lane(*at as usize).anchor));
        late.fold(reported, |evaluated, at| evaluated & !(1 << at))
    }
}

/// What a part of the computers answers to one question.
struct Counted {
    cells: Vec<Cell>,
    /// Computers by place and kind of cell.
    counts: Vec<[u32; KINDS]>,
    sums: Sums,
    masks: Vec<LateMasks>,
}

impl Counted {
    fn new(classes: &[Class]) -> Self {
        let masks = classes.iter().map(|_| LateMasks::default()).collect();
        Self { cells: Vec::new(), counts: Vec::new(), sums: Sums::default(), masks }
    }

    /// Takes the computers of a chunk up; `by_class` has the lanes of each class.
    fn take(&mut self, classes: &[Class], call: &Call<'_>, by_class: &[u64], table: &Table) {
        let mut cells = [Cell::EMPTY; LANES];
        let parts = classes.iter().zip(by_class).zip(&mut self.masks);
        for ((class, lanes), masks) in parts.filter(|((_, lanes), _)| **lanes != 0) {
            let mut alone = *lanes;
            if let Some(together) = table.of(class, *lanes) {
                // who cannot have evaluated all of it is looked at alone
                let evaluated = call.evaluated(class, *lanes);
                together.write(evaluated, &mut cells);
                alone &= !evaluated;
            }
            for at in ones(alone) {
                if let Some(cell) = cells.get_mut(at as usize) {
                    *cell = judged(class, call.chunk, at as usize, masks);
                }
            }
        }
        for (cell, place) in cells.iter().zip(call.places).filter(|(cell, _)| **cell != Cell::EMPTY) {
            let place = place as usize;
            if self.counts.len() <= place {
                self.counts.resize(place + 1, [0; KINDS]);
            }
            if let Some(count) = self.counts.get_mut(place).and_then(|counts| counts.get_mut(cell.kind())) {
                *count += 1;
            }
        }
        self.cells.extend(cells);
    }

    fn finish(&mut self, places: &Places) {
        for (place, counts) in places.all.iter().zip(self.counts.drain(..)) {
            self.sums.add_all(*place, counts);
        }
    }
}

/// The lanes of a chunk that have an update, or one of several, in each state.
#[derive(Clone, Copy, Debug, Default)]
struct Lanes {
    installed: u64,
    required: u64,
    downloaded: u64,
    failed: u64,
    pending: u64,
}

impl Lanes {
    /// Writes the one state of computers that evaluated all, by the rules of [`crate::status::computer_state`].
    fn write(&self, lanes: u64, cells: &mut [Cell; LANES]) {
        // the worst comes last
        let states = [
            (u64::MAX, State::NotApplicable),
            (self.installed, State::Installed),
            (self.pending, State::PendingRestart),
            (self.downloaded, State::Downloaded),
            (self.required, State::Required),
            (self.failed, State::Failed),
        ];
        for (own, state) in states {
            let cell = Cell::new(true, true, state);
            for at in ones(lanes & own) {
                if let Some(held) = cells.get_mut(at as usize) {
                    *held = cell;
                }
            }
        }
    }

    fn add(&mut self, other: &Self) {
        self.installed |= other.installed;
        self.required |= other.required;
        self.downloaded |= other.downloaded;
        self.failed |= other.failed;
        self.pending |= other.pending;
    }
}

/// What the computers of a chunk list, column by column: so that a question about few updates costs a look at these for 64 computers
/// together.
struct Table {
    /// The columns that are read, as bits.
    wanted: Vec<u64>,
    columns: Vec<Lanes>,
    /// Columns that somebody of the chunk has in another state than installed.
    rare: Vec<u32>,
}

impl Table {
    fn new(questions: &[&[Class]]) -> Self {
        let mut wanted = Vec::new();
        let classes = questions.iter().flat_map(|classes| classes.iter());
        for class in classes.filter(|class| class.asked.len() < COLUMNS_PER_COMPUTER * LANES) {
            for column in class.columns() {
                set_bit(&mut wanted, column);
            }
        }
        Self { columns: vec![Lanes::default(); wanted.len() * WORD], wanted, rare: Vec::new() }
    }

    fn read(&mut self, chunk: &Chunk) {
        for column in self.rare.drain(..) {
            if let Some(lanes) = self.columns.get_mut(column as usize) {
                *lanes = Lanes::default();
            }
        }
        let words = self.wanted.iter().zip(self.columns.chunks_exact_mut(WORD)).enumerate();
        for (at, (_, columns)) in words.filter(|(_, (wanted, _))| **wanted != 0) {
            let mut rows = [0; WORD];
            for (lane, row) in rows.iter_mut().enumerate() {
                *row = chunk.installed(lane).get(at).copied().unwrap_or(0);
            }
            transpose(&mut rows);
            for (column, lanes) in columns.iter_mut().zip(rows) {
                column.installed = lanes;
            }
        }
        for lane in ones(chunk.occupied) {
            for entry in chunk.rare(lane as usize).iter().filter(|entry| bit(&self.wanted, entry.column())) {
                let Some(column) = self.columns.get_mut(entry.column() as usize) else { continue };
                let lanes = match entry.state() {
                    State::Required => &mut column.required,
                    State::Downloaded => &mut column.downloaded,
                    State::Failed => &mut column.failed,
                    State::PendingRestart => &mut column.pending,
                    State::Unknown | State::NotApplicable | State::Installed => continue,
                };
                *lanes |= 1 << lane;
                self.rare.push(entry.column());
            }
        }
    }

    /// The columns of a class together; none if the computers of these lanes are sooner looked at one by one.
    fn of(&self, class: &Class, lanes: u64) -> Option<Lanes> {
        if class.is_outside() || class.asked.len() >= COLUMNS_PER_COMPUTER * lanes.count_ones() as usize {
            return None;
        }
        let mut together = Lanes::default();
        for column in class.columns() {
            if let Some(own) = self.columns.get(column as usize) {
                together.add(own);
            }
        }
        Some(together)
    }
}

/// Turns 64 rows of 64 bits into columns.
fn transpose(rows: &mut [u64; WORD]) {
    let (mut width, mut mask) = (WORD / 2, u64::MAX >> (WORD / 2));
    while width > 0 {
        for block in rows.chunks_exact_mut(2 * width) {
            let (upper, lower) = block.split_at_mut(width);
            for (one, other) in upper.iter_mut().zip(lower) {
                let swapped = ((*one >> width) ^ *other) & mask;
                *one ^= swapped << width;
                *other ^= swapped;
            }
        }
        width /= 2;
        mask ^= mask << width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        // any pattern without a symmetry
        let mut rows: [u64; WORD] =
            std::array::from_fn(|row| (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(row as u32));
        let before = rows;
        transpose(&mut rows);
        for (row, word) in before.iter().enumerate() {
            for (column, turned) in rows.iter().enumerate() {
                assert_eq!(word >> column & 1, turned >> row & 1, "{row} {column}");
            }
        }
    }
}
