//! Sheets against the index, which is asked the same from the beginning.

use super::*;

/// What sheets are kept of: everything, some updates, one, none, and one that is in no catalogue.
fn questions() -> [Option<Vec<UpdateNumber>>; 5] {
    [
        None,
        Some((0..UPDATES).step_by(7).map(UpdateNumber).collect()),
        Some(vec![UpdateNumber(3)]),
        Some(Vec::new()),
        Some(vec![UpdateNumber(UPDATES + 1)]),
    ]
}

fn compare(index: &Index, sheet: &Sheet, only: Option<&[UpdateNumber]>) {
    assert!(index.is_followed(sheet));
    let only: Option<HashSet<UpdateNumber>> = only.map(|only| only.iter().copied().collect());
    for (site, collection) in [(None, None), (Some(1), None), (None, Some(1)), (Some(2), Some(4))] {
        let members = index.members(site, &|groups| collection.is_none_or(|it| groups.contains(&group(it))));
        let expected = sorted(index.standings(&members, only.as_ref()));
        let found = index.standings_of(sheet, &members);
        for (standing, set) in &found {
            let placed = index.members_of(&members, &[standing.no]);
            assert_eq!(index.collections(*set), Some(&placed[0].collections));
        }
        assert_eq!(sorted(found.into_iter().map(|(standing, _)| standing).collect()), expected);
        let counted = |some: &dyn Fn(u32) -> bool| {
            let some: Vec<&Standing> = expected.iter().filter(|it| some(it.no)).collect();
            Sum {
                states: some.iter().map(|it| it.state).collect(),
                not_asked: some.iter().filter(|it| !it.asked).count() as u64,
            }
        };
        let whole = index.add_up(sheet, &members);
        assert_eq!((whole, whole.computers()), (counted(&|_| true), expected.len() as u64));
        let tally = match &only {
            None => index.count(&members),
            Some(only) => index.count_only(&members, only),
        };
        assert_eq!((whole.percent(), whole.states.compliant()), (tally.percent(), tally.compliant()));
        let third = index.slots((0..120).filter(|no| no % 3 == 1));
        assert_eq!(index.add_up_of(sheet, &members, &third), counted(&|no| no < 120 && no % 3 == 1));
        let sites: BTreeSet<u32> = expected.iter().map(|it| it.site).collect();
        assert_eq!(index.sites(&members), sites);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn they_say_what_a_recount_says(steps in steps()) {
        let (mut index, mut naive) = (Index::default(), Naive::default());
        let questions = questions();
        let mut sheets = questions.clone().map(Sheet::new);
        for (at, step) in (0..).zip(&steps) {
            told(&mut index, &mut naive, step, at);
            // one follows step by step, the others from time to time, each at its own pace
            for (pace, (sheet, only)) in (1..).zip(sheets.iter_mut().zip(&questions)).filter(|(pace, _)| at % pace == 0) {
                index.refresh(&mut [&mut *sheet]);
                if at % (8 * pace) == 0 {
                    compare(&index, sheet, only.as_deref());
                }
            }
        }
        let mut anew = questions.clone().map(Sheet::new);
        index.refresh(&mut sheets.iter_mut().chain(&mut anew).collect::<Vec<_>>());
        for (only, sheet) in questions.iter().chain(&questions).zip(sheets.iter().chain(&anew)) {
            compare(&index, sheet, only.as_deref());
        }
    }
}

/// More computers than one thread counts.
#[test]
fn what_is_shared_out_adds_up() {
    let asked = list(&[(1, 1), (2, 5), (3, 9)]);
    let states = [State::Required, State::Downloaded, State::Failed, State::PendingRestart];
    let mut index = Index::default();
    for no in 0..21_000_u32 {
        let listed = ListedStates {
            anchor: (no % 11 > 0).then(|| ChangeNumber(u64::from(no % 13))),
            installed: (1..4).filter(|update| no % (update + 2) == 0).map(UpdateNumber).collect(),
            others: states.get(no as usize % 7).map(|state| (UpdateNumber(4 + no % 2), *state)).into_iter().collect(),
            errors: false,
        };
        let groups = [group((no % 5) as u8)];
        let computer = Computer { no, site: 1 + no % 3, groups: &groups, listed: &listed };
        index.fill(computer, &mut |_| Arc::clone(&asked));
    }
    index.ask(&mut |_| list(&[(1, 1), (2, 5), (3, 9), (4, 2), (5, 3)]));
    let questions = [None, Some(vec![UpdateNumber(2), UpdateNumber(4)]), Some(vec![UpdateNumber(5)])];
    let mut sheets = questions.clone().map(Sheet::new);
    index.refresh(&mut sheets.iter_mut().collect::<Vec<_>>());
    for (sheet, only) in sheets.iter().zip(&questions) {
        compare(&index, sheet, only.as_deref());
        assert!((21_000..40_000).contains(&sheet.bytes()), "{} bytes", sheet.bytes());
    }
}

/// The number of a set that nobody has any more is given away once, also where the same set came back with another number.
#[test]
fn numbers_of_sets_are_not_given_to_two() {
    let (everything, nothing) = (list(&[(1, 1)]), list(&[]));
    let reported = ListedStates { anchor: Some(ChangeNumber(9)), ..ListedStates::default() };
    let ask = |groups: &[CollectionId]| Arc::clone(if groups.contains(&group(1)) { &everything } else { &nothing });
    let mut index = Index::default();
    let put = |index: &mut Index, no: u32, of: u8| {
        let groups = [group(of)];
        index.put(Computer { no, site: 1, groups: &groups, listed: &reported }, &mut |groups| ask(groups));
    };
    put(&mut index, 1, 1);
    put(&mut index, 2, 2);
    // both sets are of nobody, and forgotten
    put(&mut index, 1, 3);
    put(&mut index, 2, 3);
    index.ask(&mut |groups| ask(groups));
    // one comes back, with the number that the other had
    put(&mut index, 1, 1);
    index.ask(&mut |groups| ask(groups));
    put(&mut index, 3, 4);
    put(&mut index, 4, 5);
    put(&mut index, 5, 1);
    let sizes: BTreeMap<Vec<CollectionId>, u64> =
        index.sizes().map(|(set, computers)| (set.to_vec(), computers)).collect();
    let expected = [(1, 2), (3, 1), (4, 1), (5, 1)].map(|(of, computers)| (vec![group(of)], computers));
    assert_eq!(sizes, BTreeMap::from(expected));
    let one: HashSet<_> = [UpdateNumber(1)].into();
    let members = index.members(None, &|groups| groups.contains(&group(1)));
    let tally = index.count_only(&members, &one);
    assert_eq!((tally.computers, tally.not_asked), (2, 0));
}
