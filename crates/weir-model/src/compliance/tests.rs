//! The index against a recount.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    ids::UpdateId,
    status::{ComputerStatus, Context, Event, MiscData, apply, computer_state, event_id},
};

fn group(number: u8) -> CollectionId {
    CollectionId(Uuid::from_u128(u128::from(number) + 1))
}

fn update_id(number: u32) -> UpdateId {
    UpdateId(Uuid::from_u128(1_000 + u128::from(number)))
}

/// What the index and the recount are told.
#[derive(Clone, Debug)]
enum Step {
    /// A client status: who, its anchor, and what it lists with which tag.
    Report {
        no: u32,
        anchor: u64,
        lists: Vec<(u32, u8)>,
    },
    /// An event about one update.
    Event {
        no: u32,
        event_id: i32,
        update: u32,
    },
    Move {
        no: u32,
        site: u32,
        groups: Vec<u8>,
    },
    Remove {
        no: u32,
    },
    /// Another catalogue: when each update entered, for each class of collections.
    Ask {
        entered: Vec<(u32, u64)>,
        special: Vec<(u32, u64)>,
    },
}

const UPDATES: u32 = 150;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let no = 0..90_u32;
    let asked = || proptest::collection::vec((0..UPDATES, 0..12_u64), 0..100);
    proptest::collection::vec(
        prop_oneof![
            8 => (no.clone(), 0..12_u64, proptest::collection::vec((0..UPDATES, 0..9_u8), 0..80))
                .prop_map(|(no, anchor, lists)| Step::Report { no, anchor, lists }),
            3 => (no.clone(), prop_oneof![Just(182), Just(183), Just(184), Just(222), Just(202)], 0..UPDATES)
                .prop_map(|(no, event_id, update)| Step::Event { no, event_id, update }),
            3 => (no.clone(), 1..4_u32, proptest::collection::vec(0..5_u8, 0..3))
                .prop_map(|(no, site, groups)| Step::Move { no, site, groups }),
            1 => no.prop_map(|no| Step::Remove { no }),
            1 => (asked(), asked()).prop_map(|(entered, special)| Step::Ask { entered, special }),
        ],
        1..120,
    )
}

#[derive(Default)]
struct Naive {
    computers: BTreeMap<u32, (u32, Vec<CollectionId>, ComputerStatus)>,
    asked: Arc<[Asked]>,
    special: Arc<[Asked]>,
}

fn list(of: &[(u32, u64)]) -> Arc<[Asked]> {
    let unique: BTreeMap<u32, u64> = of.iter().copied().collect();
    let asked = |(number, entered)| Asked { update: UpdateNumber(number), entered: ChangeNumber(entered) };
    unique.into_iter().map(asked).collect::<Vec<_>>().into()
}

impl Naive {
    fn ask(&self, groups: &[CollectionId]) -> Arc<[Asked]> {
        Arc::clone(if groups.contains(&group(4)) { &self.special } else { &self.asked })
    }

    fn tally(
        &self,
        member: impl Fn(u32, &[CollectionId]) -> bool,
        only: Option<&HashSet<UpdateNumber>>,
    ) -> (Tally, Vec<Standing>) {
        let (mut tally, mut updates, mut standings) = (Tally::default(), BTreeMap::new(), Vec::new());
        for (no, (site, groups, status)) in &self.computers {
            if !member(*site, groups) {
                continue;
            }
            let asked = self.ask(groups);
            let asked = asked.iter().filter(|it| only.is_none_or(|only| only.contains(&it.update)));
            let states: Vec<_> = asked.map(|it| (it.update, status.state_of(it.update, Some(it.entered)))).collect();
            for (update, state) in &states {
                updates.entry(*update).or_insert_with(Counts::default).add(*state);
            }
            let state = computer_state(status.reported.is_some(), states.into_iter().map(|(_, state)| state));
            tally.computers += 1;
            tally.states.add(state);
            standings.push(Standing { no: *no, site: *site, reported: status.reported.is_some(), state });
        }
        tally.updates = updates.into_iter().map(|(update, counts)| UpdateCounts { update, counts }).collect();
        (tally, standings)
    }
}

fn told(index: &mut Index, naive: &mut Naive, step: &Step, at: i64) {
    let now = Timestamp::from_second(1_790_000_000 + at).expect("in range");
    let number = |id: UpdateId| Some(UpdateNumber((id.0.as_u128() - 1_000) as u32));
    let event = |event_id, update: Option<u32>, misc: &[String]| Event {
        instance_id: Uuid::nil(),
        event_id,
        source_id: 101,
        update: update.map(|it| crate::ids::UpdateIdentity::new(update_id(it), 1)),
        hresult: 0,
        at: now,
        app_name: String::new(),
        replacement_strings: vec![],
        misc: MiscData::parse(misc),
    };
    let mut hear = |no: u32, anchor: Option<u64>, event: Event| {
        let entry = naive.computers.entry(no).or_insert_with(|| (1, vec![group(0)], ComputerStatus::default()));
        let context = Context { now, anchor: anchor.map(ChangeNumber), number: &number };
        apply(&mut entry.2, &[event], &context);
        let listed = ListedStates::decode(&entry.2.encode()).expect("its own form");
        assert_eq!(
            (listed.anchor, listed.installed.len() + listed.others.len()),
            (entry.2.reported.map(|_| entry.2.anchor), entry.2.entries().len())
        );
        let computer = Computer { no, site: entry.0, groups: &entry.1.clone(), listed: &listed };
        index.put(computer, &mut |groups| naive.ask(groups));
    };
    match step {
        Step::Report { no, anchor, lists } => {
            // most are installed, as on real computers
            let tag = |kind: u8| ["U", "h", "g", "W"].get(usize::from(kind)).copied().unwrap_or("V");
            let lists: Vec<_> =
                lists.iter().map(|(update, kind)| format!("{}={}", tag(*kind), update_id(*update))).collect();
            hear(*no, Some(*anchor), event(event_id::CLIENT_STATUS, None, &lists));
        }
        Step::Event { no, event_id, update } => hear(*no, None, event(*event_id, Some(*update), &[])),
        Step::Move { no, site, groups } => {
            let mut groups: Vec<_> = groups.iter().map(|number| group(*number)).collect();
            groups.sort_unstable();
            groups.dedup();
            let known = naive.computers.get_mut(no).is_some_and(|computer| {
                (computer.0, computer.1) = (*site, groups.clone());
                true
            });
            assert_eq!(index.place(*no, *site, &groups, &mut |groups| naive.ask(groups)), known);
        }
        Step::Remove { no } => {
            naive.computers.remove(no);
            index.remove(*no);
        }
        Step::Ask { entered, special } => {
            (naive.asked, naive.special) = (list(entered), list(special));
            index.ask(&mut |groups| naive.ask(groups));
        }
    }
}

fn sorted(mut standings: Vec<Standing>) -> Vec<Standing> {
    standings.sort_by_key(|standing| standing.no);
    standings
}

/// Updates that nobody is asked about are left out on both sides.
fn compare(index: &Index, naive: &Naive) {
    let heard = |tally: Tally| Tally {
        updates: tally.updates.into_iter().filter(|it| it.counts.total() > 0).collect(),
        ..tally
    };
    let everybody = index.members(None, &|_| true);
    let (all, standings) = naive.tally(|_, _| true, None);
    assert_eq!(heard(index.everybody()), all, "kept up to date");
    assert_eq!(heard(index.count(&everybody)), all, "counted");
    assert_eq!(sorted(index.standings(&everybody, None)), standings);
    assert_eq!(index.len(), naive.computers.len());
    let some: HashSet<_> = (0..UPDATES).step_by(7).map(UpdateNumber).collect();
    let members = index.members(Some(1), &|groups| groups.contains(&group(1)) || groups.is_empty());
    let (part, standings) =
        naive.tally(|site, groups| site == 1 && (groups.contains(&group(1)) || groups.is_empty()), Some(&some));
    assert_eq!(heard(index.count_only(&members, &some)), part.clone());
    assert_eq!(sorted(index.standings(&members, Some(&some))), standings);
    let each = index.counts_each(&members, &some);
    let mut summed: BTreeMap<UpdateNumber, Counts> = BTreeMap::new();
    assert_eq!(sorted(each.iter().map(|(standing, _)| *standing).collect()), standings);
    let total: u64 = part.updates.iter().map(|it| it.counts.total()).sum();
    assert_eq!(each.iter().map(|(_, counts)| counts.total()).sum::<u64>(), total);
    for update in &some {
        let of: Counts = index.of_update(&members, *update).into_iter().map(|it| it.state).collect();
        summed.insert(*update, of);
    }
    summed.retain(|_, counts| counts.total() > 0);
    let counted: BTreeMap<_, _> = part.updates.iter().map(|it| (it.update, it.counts)).collect();
    assert_eq!(summed, counted);
    for update in [0, 3, 77, 149].map(UpdateNumber) {
        let found: Counts = index.of_update(&everybody, update).into_iter().map(|it| it.state).collect();
        assert_eq!(found, all.of(update), "{update:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn it_says_what_a_recount_says(steps in steps()) {
        let (mut index, mut naive) = (Index::default(), Naive::default());
        for (at, step) in (0..).zip(&steps) {
            told(&mut index, &mut naive, step, at);
            if at % 16 == 0 {
                compare(&index, &naive);
            }
        }
        compare(&index, &naive);
    }
}

#[test]
fn nothing_is_counted_of_nobody() {
    let index = Index::default();
    assert_eq!((index.everybody(), index.is_empty()), (Tally::default(), true));
    assert_eq!(index.count(&index.members(None, &|_| true)), Tally::default());
}

#[test]
fn places_of_computers_that_left_are_taken_again() {
    let (mut index, listed) = (Index::default(), ListedStates::default());
    let asked: Arc<[Asked]> = list(&[(1, 1)]);
    for round in 0..4_u32 {
        for no in 0..200 {
            let groups = [group(round as u8)];
            let computer = Computer { no: no + round * 200, site: 1, groups: &groups, listed: &listed };
            index.put(computer, &mut |_| Arc::clone(&asked));
        }
        for no in 0..200 {
            index.remove(no + round * 200);
        }
        index.ask(&mut |_| Arc::clone(&asked));
    }
    assert!(index.is_empty() && index.bytes() < 20_000, "{} bytes", index.bytes());
    assert_eq!(index.everybody().computers, 0);
    assert!(index.asked(&[group(3)]).is_none(), "sets that nobody has are forgotten");
}

#[test]
fn damaged_bytes_are_told() {
    assert_eq!(ListedStates::decode(&[]), Ok(ListedStates::default()));
    assert!(ListedStates::decode(&[9, 0]).is_err());
    assert!(ListedStates::decode(&[1, 15, 3]).is_err());
}
