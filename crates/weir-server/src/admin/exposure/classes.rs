//! Classes of computers: what is the same of many is kept once, under a number that stays.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use weir_model::{
    compliance::Answer,
    exposure::{Known, OsBuild},
    ids::CollectionId,
    status::State,
};

use super::{judged::Verdicts, spread::Spreads};

/// Computers of which the same is known.
#[derive(Clone, Debug)]
pub(super) struct Class {
    /// Its states of the updates that matter, in the order of [`weir_model::exposure::Join::relevant`].
    answer: Arc<Answer>,
    /// Its build, if it registered.
    pub(super) os: Option<OsBuild>,
    /// Places in [`super::population::Population::exceptions`] of those that hold on it.
    pub(super) excepted: Arc<[u16]>,
}

impl Class {
    /// It reported.
    pub(super) fn reported(&self) -> bool {
        self.answer.reported
    }

    /// Its state of the update at a place of those that matter.
    pub(super) fn state(&self, place: usize) -> State {
        self.answer.state(place)
    }
}

/// Classes that were met as long as documents, catalogue and exceptions were the same, and what was judged of them.
#[derive(Debug)]
pub(super) struct Standing {
    /// The classes.
    pub(super) classes: Mutex<Classes>,
    /// What is judged of them.
    pub(super) verdicts: Verdicts,
    /// What that counts to.
    pub(super) spreads: Spreads,
}

impl Standing {
    pub(super) fn new(known: &Known) -> Self {
        Self { classes: Mutex::default(), verdicts: Verdicts::new(known), spreads: Spreads::default() }
    }
}

/// Classes by number.
#[derive(Debug, Default)]
pub(super) struct Classes {
    answers: HashMap<Arc<Answer>, u32>,
    #[expect(clippy::type_complexity, reason = "what classes are told apart by")]
    numbers: HashMap<(u32, Option<OsBuild>, Arc<[u16]>), u32>,
    all: Vec<Class>,
}

impl Classes {
    /// An answer with its number.
    pub(super) fn answer(&mut self, answer: Answer) -> (u32, Arc<Answer>) {
        if let Some((known, number)) = self.answers.get_key_value(&answer) {
            return (*number, Arc::clone(known));
        }
        let (number, answer) = (self.answers.len() as u32, Arc::new(answer));
        self.answers.insert(Arc::clone(&answer), number);
        (number, answer)
    }

    /// The number of the class of computers that answer this.
    pub(super) fn number(&mut self, said: &(u32, Arc<Answer>), os: Option<OsBuild>, excepted: Arc<[u16]>) -> u32 {
        let all = &mut self.all;
        *self.numbers.entry((said.0, os, excepted)).or_insert_with_key(|(_, os, excepted)| {
            all.push(Class { answer: Arc::clone(&said.1), os: *os, excepted: Arc::clone(excepted) });
            (all.len() - 1) as u32
        })
    }

    /// All of them.
    pub(super) fn all(&self) -> &[Class] {
        &self.all
    }
}

/// Distinct sets of collections that computers have, by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Sets {
    numbers: HashMap<Arc<[CollectionId]>, u32>,
    #[expect(clippy::type_complexity, reason = "a set and its places")]
    all: Vec<(Arc<[CollectionId]>, Arc<[u16]>)>,
}

impl Sets {
    /// The number of a set that was met before.
    pub(super) fn find(&self, collections: &[CollectionId]) -> Option<u32> {
        self.numbers.get(collections).copied()
    }

    /// Takes up a set, with the exceptions that hold on every computer of it.
    pub(super) fn add(&mut self, collections: Arc<[CollectionId]>, excepted: Arc<[u16]>) -> u32 {
        let number = self.all.len() as u32;
        self.numbers.insert(Arc::clone(&collections), number);
        self.all.push((collections, excepted));
        number
    }

    /// The exceptions of a set.
    pub(super) fn excepted(&self, number: u32) -> Option<&Arc<[u16]>> {
        self.all.get(number as usize).map(|(_, excepted)| excepted)
    }

    /// All sets, in the order of their numbers.
    pub(super) fn all(&self) -> impl ExactSizeIterator<Item = &[CollectionId]> {
        self.all.iter().map(|(collections, _)| &**collections)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use weir_model::{
        compliance::{Asked, Computer, Index},
        ids::ChangeNumber,
        status::{ListedStates, UpdateNumber},
    };

    use super::*;

    const NOWHERE: &[CollectionId] = &[CollectionId::UNASSIGNED_COMPUTERS];

    /// What computers answer that have these updates of three.
    fn answers(installed: &[&[u32]]) -> Vec<Answer> {
        let updates = [1, 2, 3].map(UpdateNumber);
        let asked: Arc<[Asked]> = updates.map(|update| Asked { update, entered: ChangeNumber(1) }).into();
        let mut index = Index::default();
        for (no, installed) in (1..).zip(installed) {
            let listed = ListedStates {
                anchor: Some(ChangeNumber(5)),
                installed: installed.iter().copied().map(UpdateNumber).collect(),
                ..ListedStates::default()
            };
            let computer = Computer { no, site: 1, groups: NOWHERE, listed: &listed };
            index.put(computer, &mut |_| Arc::clone(&asked));
        }
        index.answers(&index.members(None, &|_| true), &updates).answers
    }

    #[test]
    fn a_class_keeps_its_number_whoever_asks_again() {
        let mut classes = Classes::default();
        let none: Arc<[u16]> = Arc::default();
        let os = |build| Some(OsBuild { release: [10, 0, build], revision: None });
        let mut met = Vec::new();
        for round in 0..2 {
            // in another order the second time, and from another index
            let (one, two): (&[u32], &[u32]) = (&[1], &[2, 3]);
            let mut answers = answers(&if round == 0 { [one, two] } else { [two, one] });
            answers.sort_by_key(|answer| answer.state(0) != State::Installed);
            let said: Vec<_> = answers.into_iter().map(|answer| classes.answer(answer)).collect();
            met.push([
                classes.number(&said[0], os(1), Arc::clone(&none)),
                classes.number(&said[0], os(2), Arc::clone(&none)),
                classes.number(&said[1], os(1), Arc::clone(&none)),
                classes.number(&said[0], os(1), Arc::from([7_u16])),
                classes.number(&said[0], None, Arc::clone(&none)),
            ]);
        }
        assert_eq!(met, [[0, 1, 2, 3, 4]; 2]);
        let all = classes.all();
        assert_eq!((all.len(), all[2].os, &*all[3].excepted), (5, os(1), &[7_u16][..]));
        assert!(all.iter().all(Class::reported));
        assert_eq!([0, 1, 2].map(|place| all[2].state(place) == State::Installed), [false, true, true]);
    }

    #[test]
    fn sets_are_found_by_what_they_hold() {
        let mut sets = Sets::default();
        let ring: Arc<[CollectionId]> = Arc::from([CollectionId(Uuid::from_u128(5))]);
        assert_eq!(sets.find(&ring), None);
        assert_eq!(sets.add(Arc::clone(&ring), Arc::from([1_u16, 2])), 0);
        assert_eq!(sets.add(NOWHERE.into(), Arc::default()), 1);
        assert_eq!((sets.find(&ring), sets.find(NOWHERE)), (Some(0), Some(1)));
        assert_eq!(sets.excepted(0).map(|excepted| excepted.to_vec()), Some(vec![1, 2]));
        assert!(sets.all().eq([&*ring, NOWHERE]) && sets.excepted(9).is_none());
    }
}
