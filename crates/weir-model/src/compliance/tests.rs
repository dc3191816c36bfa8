//! The index against a recount.

mod listed;
mod sheets;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
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
            let (reported, asked) = (status.reported.is_some(), only.is_none() || !states.is_empty());
            let state = match only {
                // design, section 7: outside the scope is unknown
                Some(_) if states.is_empty() => State::Unknown,
                _ => computer_state(reported, states.into_iter().map(|(_, state)| state)),
            };
            tally.computers += 1;
            tally.not_asked += u64::from(!asked);
            tally.states.add(state);
            standings.push(Standing { no: *no, site: *site, reported, asked, state });
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
        // some failures have a code, which is remembered
        hresult: if event_id == 182 && update.is_some_and(|it| it % 2 == 0) { -5 } else { 0 },
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

/// Each member one after the other.
fn surveyed(
    index: &Index,
    naive: &Naive,
    members: &Members,
    only: Option<&HashSet<UpdateNumber>>,
    is_member: impl Fn(u32, &[CollectionId]) -> bool,
) {
    let mut found = BTreeMap::new();
    let mut sets: BTreeMap<u32, Vec<CollectionId>> = BTreeMap::new();
    index.survey(members, only, &mut |seen| {
        let listed: BTreeMap<UpdateNumber, State> = seen.listed().collect();
        let set = sets.entry(seen.set).or_insert_with(|| seen.collections.to_vec());
        assert_eq!(set.as_slice(), seen.collections, "a number stands for one set");
        found.insert(seen.no, (seen.site, seen.collections.to_vec(), seen.anchor, seen.counts, listed));
    });
    let computers = naive.computers.iter().filter(|(_, (site, groups, _))| is_member(*site, groups));
    let expected = computers.map(|(no, (site, groups, status))| {
        let asked = naive.ask(groups);
        let asked = asked.iter().filter(|it| only.is_none_or(|only| only.contains(&it.update)));
        let states: Vec<_> = asked.map(|it| (it.update, status.state_of(it.update, Some(it.entered)))).collect();
        let counts: Counts = states.iter().map(|(_, state)| *state).collect();
        let listed = states.into_iter().filter(|(_, state)| state.is_needed() || *state == State::Failed);
        let anchor = status.reported.map(|_| status.anchor);
        (*no, (*site, groups.clone(), anchor, counts, listed.collect::<BTreeMap<_, _>>()))
    });
    assert_eq!(found, expected.collect::<BTreeMap<_, _>>());
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
    surveyed(index, naive, &members, Some(&some), |site, groups| {
        site == 1 && (groups.contains(&group(1)) || groups.is_empty())
    });
    surveyed(index, naive, &everybody, None, |_, _| true);
    let sizes: u64 = index.sizes().map(|(_, computers)| computers).sum();
    assert_eq!(sizes, index.len() as u64);
    for (set, computers) in index.sizes() {
        let own = naive.computers.values().filter(|(_, groups, _)| groups == set);
        assert_eq!(own.count() as u64, computers, "{set:?}");
    }
    let mut each: Vec<(Standing, Counts)> = Vec::new();
    let all_of_them = (0..120).rev();
    index.states_of(&members, &some, all_of_them, |standing, states| {
        assert!(states.iter().all(|(update, _)| some.contains(update)));
        each.push((standing, states.iter().map(|(_, state)| *state).collect()));
    });
    let mut summed: BTreeMap<UpdateNumber, Counts> = BTreeMap::new();
    assert_eq!(sorted(each.iter().map(|(standing, _)| *standing).collect()), standings);
    let total: u64 = part.updates.iter().map(|it| it.counts.total()).sum();
    assert_eq!(each.iter().map(|(_, counts)| counts.total()).sum::<u64>(), total);
    // of each third computer, and of some that are not there
    let third = index.count_of(&members, Some(&some), (0..120).filter(|no| no % 3 == 1));
    let of_third = standings.iter().filter(|it| it.no % 3 == 1);
    assert_eq!(third.states, of_third.clone().map(|it| it.state).collect::<Counts>());
    assert_eq!(third.not_asked, of_third.filter(|it| !it.asked).count() as u64);
    assert_eq!(index.states_in(&members, Some(&some), (0..120).filter(|no| no % 3 == 1)), third.states);
    assert_eq!(index.states_in(&everybody, None, 0..120), all.states);
    assert_eq!(heard(index.count_of(&members, Some(&some), 0..120)), part);
    assert_eq!(heard(index.count_of(&everybody, None, 0..120)), all);
    // without these: the rest, and they are unknown
    let rest: Vec<_> = standings.iter().filter(|it| it.no % 3 != 1).map(|it| it.state).collect();
    let left = part.clone().without(&third);
    let mut expected: Counts = rest.into_iter().collect();
    expected.unknown += third.computers;
    assert_eq!((left.states, left.computers), (expected, part.computers));
    assert!(left.updates.iter().zip(&part.updates).all(|(left, part)| left.counts.total() == part.counts.total()));
    // nobody is asked about an update that is not in the catalogue: nobody complies with it, and there is no share
    let nothing: HashSet<_> = [UpdateNumber(UPDATES + 1)].into();
    let outside = index.count_only(&everybody, &nothing);
    assert_eq!((outside.states.unknown, outside.not_asked), (all.computers, all.computers));
    assert_eq!((outside.compliant(), outside.percent()), (0, None));
    for update in &some {
        let each = index.of_update(&members, *update);
        assert_eq!(each.len() as u64, part.computers, "every member has a state");
        let of: Counts = each.iter().map(|it| it.state).collect();
        assert_eq!(of, part.over_all(&part.of(*update)), "those that are not asked are unknown");
        summed.insert(*update, each.into_iter().filter(|it| it.asked).map(|it| it.state).collect());
    }
    summed.retain(|_, counts| counts.total() > 0);
    let counted: BTreeMap<_, _> = part.updates.iter().map(|it| (it.update, it.counts)).collect();
    assert_eq!(summed, counted);
    // one pass by sets of collections adds up to each question
    let summed = |sets: Vec<SetCounts>, holds: &dyn Fn(&SetCounts) -> bool| {
        let (mut states, mut not_asked) = (Counts::default(), 0);
        for set in sets.iter().filter(|set| holds(set)) {
            for state in State::ALL {
                states.add_many(state, set.states.of(state));
            }
            not_asked += set.not_asked;
        }
        (states, not_asked)
    };
    let is_member =
        |set: &SetCounts| set.site == 1 && (set.collections.contains(&group(1)) || set.collections.is_empty());
    assert_eq!(summed(index.by_set(None), &|_| true), (all.states, 0));
    assert_eq!(summed(index.by_set(Some(&some)), &is_member), (part.states, part.not_asked));
    for update in [0, 3, 77, 149].map(UpdateNumber) {
        let (states, not_asked) = summed(index.by_set_of_update(update), &|_| true);
        assert_eq!((states, not_asked), (all.over_all(&all.of(update)), all.computers - all.of(update).total()));
        let found: Counts = index.of_update(&everybody, update).into_iter().map(|it| it.state).collect();
        assert_eq!(found, all.over_all(&all.of(update)), "{update:?}");
    }
}

/// Which computers have failures, and what each of them says of some updates.
fn compare_each(index: &Index, naive: &Naive) {
    let everybody = index.members(None, &|_| true);
    let is_member = |site: u32, groups: &[CollectionId]| site == 2 && !groups.contains(&group(3));
    let members = index.members(Some(2), &|groups| !groups.contains(&group(3)));
    let fails = |status: &ComputerStatus| {
        status.entries().iter().any(|entry| entry.state == State::Failed || entry.error.is_some())
    };
    let numbers = |found: Vec<Placed>| found.into_iter().map(|it| it.no).collect::<BTreeSet<_>>();
    let all = naive.computers.iter();
    let failing = all.clone().filter(|(_, (.., status))| fails(status)).map(|(no, _)| *no);
    assert_eq!(numbers(index.failing(&everybody)), failing.collect::<BTreeSet<_>>());
    let those = all.clone().filter(|(_, (site, groups, _))| is_member(*site, groups));
    let failing = those.clone().filter(|(_, (.., status))| fails(status)).map(|(no, _)| *no);
    assert_eq!(numbers(index.failing(&members)), failing.collect::<BTreeSet<_>>());
    // some are here, some are not
    let some: Vec<u32> = (0..200).step_by(3).collect();
    let found: Vec<u32> = index.members_of(&members, &some).into_iter().map(|it| it.no).collect();
    assert_eq!(found, those.map(|(no, _)| *no).filter(|no| some.contains(no)).collect::<Vec<_>>());

    let updates: Vec<UpdateNumber> = (0..UPDATES).filter(|number| number % 5 < 3).map(UpdateNumber).collect();
    let of_some = index.answers_of(&some, &updates);
    assert_eq!(of_some.computers.len(), some.iter().filter(|no| naive.computers.contains_key(no)).count());
    let of_all = index.answers(&everybody, &updates);
    assert_eq!(of_all.computers.len(), naive.computers.len());
    let of_members = index.answers(&members, &updates);
    assert_eq!(of_members.computers.len(), all.clone().filter(|(_, it)| is_member(it.0, &it.1)).count());
    for answers in [of_some, of_all, of_members] {
        for (placed, at) in &answers.computers {
            let (site, groups, status) = &naive.computers[&placed.no];
            assert_eq!((placed.site, &*placed.collections), (*site, groups.as_slice()));
            let (answer, asked) = (&answers.answers[*at as usize], naive.ask(groups));
            assert_eq!(answer.reported, status.reported.is_some());
            for (place, update) in updates.iter().enumerate() {
                let entered = asked.iter().find(|it| it.update == *update).map(|it| it.entered);
                assert_eq!(answer.state(place), status.state_of(*update, entered), "{update:?} on {}", placed.no);
            }
        }
    }
}

/// Lists of members, and a look at some of them.
fn compare_lists(index: &Index, naive: &Naive) {
    let members = index.members(Some(1), &|groups| !groups.contains(&group(2)));
    let computers = naive.computers.iter();
    let those: Vec<_> = computers.filter(|(_, it)| it.0 == 1 && !it.1.contains(&group(2))).collect();
    let numbers: Vec<u32> = those.iter().map(|(no, _)| **no).collect();
    assert_eq!(index.numbers(&members), numbers);
    let placed = index.placed_all(&members).into_iter().map(|it| (it.no, it.site, it.collections.to_vec()));
    let expected = those.iter().map(|(no, it)| (**no, it.0, it.1.clone()));
    assert_eq!(placed.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    // some are not here, and some are no members
    let mut seen = Vec::new();
    let some = (0..120).rev().filter(|no| no % 4 != 1);
    index.seen_of(&members, some, &mut |it| seen.push((it.no, it.collections.to_vec(), it.counts, it.state())));
    let expected = those.iter().rev().filter(|(no, _)| **no % 4 != 1).map(|(no, (_, groups, status))| {
        let asked = naive.ask(groups);
        let states: Vec<State> = asked.iter().map(|it| status.state_of(it.update, Some(it.entered))).collect();
        let one = computer_state(status.reported.is_some(), states.iter().copied());
        (**no, groups.clone(), states.into_iter().collect::<Counts>(), one)
    });
    assert_eq!(seen, expected.collect::<Vec<_>>());
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
                compare_each(&index, &naive);
                compare_lists(&index, &naive);
            }
        }
        compare(&index, &naive);
        compare_each(&index, &naive);
        compare_lists(&index, &naive);
    }
}

#[test]
fn nothing_is_counted_of_nobody() {
    let index = Index::default();
    assert_eq!((index.everybody(), index.is_empty()), (Tally::default(), true));
    assert_eq!(index.count(&index.members(None, &|_| true)), Tally::default());
}

#[test]
fn computers_with_the_same_states_share_an_answer() {
    let asked = list(&[(1, 1), (2, 5), (3, 9)]);
    let mut index = Index::default();
    let listed = |anchor: Option<u64>, installed: &[u32], required: &[u32]| ListedStates {
        anchor: anchor.map(ChangeNumber),
        installed: installed.iter().copied().map(UpdateNumber).collect(),
        others: required.iter().map(|number| (UpdateNumber(*number), State::Required)).collect(),
        errors: false,
    };
    // what is not asked for makes no difference, and neither do anchors between which nothing of it entered
    let said = [
        listed(Some(6), &[1, 50], &[2]),
        listed(Some(8), &[1], &[2, 51]),
        listed(Some(9), &[1], &[2]),
        listed(None, &[], &[]),
    ];
    for (no, listed) in (1..).zip(&said) {
        let computer = Computer { no, site: 1, groups: &[group(0)], listed };
        index.put(computer, &mut |_| Arc::clone(&asked));
    }
    let updates = [1, 2, 3].map(UpdateNumber);
    let answers = index.answers(&index.members(None, &|_| true), &updates);
    let place = |no: u32| answers.computers.iter().find(|(placed, _)| placed.no == no).expect("here").1;
    assert_eq!((answers.answers.len(), place(1)), (3, place(2)));
    let states = |no: u32| [0, 1, 2].map(|at| answers.answers[place(no) as usize].state(at));
    assert_eq!(states(1), [State::Installed, State::Required, State::Unknown]);
    assert_eq!(states(3), [State::Installed, State::Required, State::NotApplicable]);
    assert_eq!(states(4), [State::Unknown; 3]);
    assert!(index.answers_of(&[7], &updates).computers.is_empty());
}

#[test]
fn a_share_is_one_of_all_members() {
    let (mut index, listed) = (Index::default(), ListedStates::decode(&[]).expect("a status"));
    let reported = ListedStates { anchor: Some(ChangeNumber(9)), ..listed };
    let (everything, little) = (list(&[(1, 1), (2, 1)]), list(&[(1, 1)]));
    for no in 0..4 {
        let groups = [group(no.min(1) as u8)];
        let computer = Computer { no, site: 1, groups: &groups, listed: &reported };
        // only the first is asked about the second update
        index.put(computer, &mut |groups| Arc::clone(if groups == [group(0)] { &everything } else { &little }));
    }
    let everybody = index.members(None, &|_| true);
    let second: HashSet<_> = [UpdateNumber(2)].into();
    let tally = index.count_only(&everybody, &second);
    let asked = tally.of(UpdateNumber(2));
    assert_eq!((asked.total(), tally.computers, tally.not_asked), (1, 4, 3));
    assert_eq!((tally.percent(), tally.percent_of(&asked)), (Some(25.0), Some(25.0)), "as a group and as an update");
    assert_eq!(tally.over_all(&asked), Counts { unknown: 3, not_applicable: 1, ..Counts::default() });
    assert_eq!(tally.states, tally.over_all(&asked));
    assert_eq!(index.everybody().percent(), Some(100.0), "everything that each is asked about");
    assert_eq!(tally.percent_of(&Counts::default()), None, "nobody is asked");
    assert_eq!(Tally::default().percent(), None);
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
    let mut asked_again = 0;
    let groups = [group(3)];
    index.put(Computer { no: 1, site: 1, groups: &groups, listed: &listed }, &mut |_| {
        asked_again += 1;
        Arc::clone(&asked)
    });
    assert_eq!(asked_again, 1, "sets that nobody has are forgotten");
}

#[test]
fn damaged_bytes_are_told() {
    assert_eq!(ListedStates::decode(&[]), Ok(ListedStates::default()));
    assert!(ListedStates::decode(&[9, 0]).is_err());
    assert!(ListedStates::decode(&[1, 15, 3]).is_err());
}
