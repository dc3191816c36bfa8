//! The question what computers say of some updates.

use std::{collections::HashMap, sync::Arc};

use super::{
    super::{
        Answer, Answers,
        chunk::Chunk,
        class::Class,
        columns::{NONE, WORD, bit, common, set_bit},
    },
    Index, Members,
};
use crate::status::UpdateNumber;

impl Index {
    /// What members say of these updates, which are ascending and each named once. A member costs a look at one word for every 64
    /// columns up to the last of them; an answer is made once for all that are alike.
    pub fn answers(&self, members: &Members, updates: &[UpdateNumber]) -> Answers {
        let mut question = Question::new(self, updates);
        self.each(members, |_, chunk, lane| question.hear(chunk, lane));
        question.answers
    }

    /// The same of single computers: those that are here.
    pub fn answers_of(&self, computers: &[u32], updates: &[UpdateNumber]) -> Answers {
        let mut question = Question::new(self, updates);
        for (chunk, lane) in computers.iter().filter_map(|no| self.lane(*no)) {
            question.hear(chunk, lane);
        }
        question.answers
    }
}

/// A question, with the answers so far.
struct Question<'q> {
    index: &'q Index,
    updates: &'q [UpdateNumber],
    /// The columns of the updates as bits.
    mask: Vec<u64>,
    /// The places of the updates by column.
    places: Vec<u32>,
    /// By class: those of the updates that its computers are asked about.
    classes: Vec<Class>,
    /// [`Answer::open`] by class and by how many of the updates are evaluated.
    open: HashMap<(u32, usize), Arc<[u64]>>,
    /// Places of answers by what they are made of.
    known: HashMap<Box<[u64]>, u32>,
    /// What the answer at hand is made of.
    key: Vec<u64>,
    answers: Answers,
}

impl<'q> Question<'q> {
    fn new(index: &'q Index, updates: &'q [UpdateNumber]) -> Self {
        let (mut mask, mut places) = (Vec::new(), Vec::new());
        for (place, update) in (0_u32..).zip(updates) {
            let Some(column) = index.columns.find(*update) else { continue };
            set_bit(&mut mask, column);
            if places.len() <= column as usize {
                places.resize(column as usize + 1, NONE);
            }
            if let Some(held) = places.get_mut(column as usize) {
                *held = place;
            }
        }
        let classes = index.classes.iter().map(|class| class.narrowed(updates, &index.columns)).collect();
        Self {
            index,
            updates,
            mask,
            places,
            classes,
            open: HashMap::new(),
            known: HashMap::new(),
            key: Vec::new(),
            answers: Answers::default(),
        }
    }

    /// Takes up what a computer says.
    fn hear(&mut self, chunk: &Chunk, at: usize) {
        let lane = chunk.lane(at);
        let (Some(group), Some(placed)) = (self.index.groups.get(lane.group as usize), self.index.placed(lane)) else {
            return;
        };
        let Some(class) = self.classes.get(group.class as usize) else { return };
        let evaluated = class.evaluated(lane.anchor);
        let installed = chunk.installed(at).iter().chain(std::iter::repeat(&0));
        let rare = chunk.rare(at).iter().filter(|rare| bit(&self.mask, rare.column()));
        self.key.clear();
        self.key.extend([u64::from(group.class), evaluated as u64, u64::from(lane.anchor.is_some())]);
        self.key.extend(self.mask.iter().zip(installed).map(|(mask, word)| mask & word));
        self.key.extend(rare.map(|rare| rare.packed() as u64));
        let answer = match self.known.get(self.key.as_slice()) {
            Some(known) => *known,
            None => {
                let new = self.answers.answers.len() as u32;
                let answer = self.answer(group.class, evaluated, chunk, at);
                self.answers.answers.push(answer);
                self.known.insert(self.key.as_slice().into(), new);
                new
            }
        };
        self.answers.computers.push((placed, answer));
    }

    fn answer(&mut self, class: u32, evaluated: usize, chunk: &Chunk, at: usize) -> Answer {
        let place = |column: u32| self.places.get(column as usize).copied().filter(|place| *place != NONE);
        let mut installed = vec![0; self.updates.len().div_ceil(WORD)];
        for place in common(chunk.installed(at), &self.mask).filter_map(place) {
            set_bit(&mut installed, place);
        }
        let others = chunk.rare(at).iter().filter_map(|rare| Some((place(rare.column())?, rare.state())));
        let mut others: Vec<_> = others.collect();
        others.sort_unstable_by_key(|(place, _)| *place);
        let (updates, of) = (self.updates, self.classes.get(class as usize));
        let open = self.open.entry((class, evaluated));
        let open = open.or_insert_with(|| of.map(|of| open_to(of, evaluated, updates)).unwrap_or_default());
        Answer {
            reported: chunk.lane(at).anchor.is_some(),
            installed: installed.into(),
            others: others.into(),
            open: Arc::clone(open),
        }
    }
}

/// What is open to computers of a class that have evaluated this many of the updates, in the order of entry.
fn open_to(class: &Class, evaluated: usize, updates: &[UpdateNumber]) -> Arc<[u64]> {
    let mut open = vec![u64::MAX; updates.len().div_ceil(WORD)];
    for place in class.in_order_of_entry().iter().take(evaluated) {
        let update = class.asked.get(*place as usize).map(|asked| asked.update);
        let Some(at) = update.and_then(|update| updates.binary_search(&update).ok()) else { continue };
        if let Some(word) = open.get_mut(at / WORD) {
            *word &= !(1 << (at % WORD));
        }
    }
    open.into()
}
