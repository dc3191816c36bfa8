//! What computers listed, against what they reported.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_computers_listed_is_told_whatever_they_are_asked_about(steps in steps()) {
        let (mut index, mut naive) = (Index::default(), Naive::default());
        for (at, step) in (0..).zip(&steps) {
            told(&mut index, &mut naive, step, at);
        }
        // some of them are not there
        let computers: Vec<u32> = (0..95).collect();
        for updates in [(0..UPDATES + 5).collect::<Vec<u32>>(), (0..UPDATES).step_by(3).collect(), Vec::new()] {
            let updates: BTreeSet<UpdateNumber> = updates.into_iter().map(UpdateNumber).collect();
            let listed = |status: &ComputerStatus| {
                let entries = status.entries().iter().filter(|entry| updates.contains(&entry.update));
                let (installed, others): (Vec<_>, Vec<_>) =
                    entries.map(|entry| (entry.update, entry.state)).partition(|(_, state)| *state == State::Installed);
                (status.reported.is_some(), installed.len() as u64, others)
            };
            let expected: Vec<_> = naive.computers.iter().map(|(no, (.., status))| (*no, listed(status))).collect();
            let mut found = Vec::new();
            index.listed(&computers, updates.iter().copied(), &mut |listed| {
                let mut others = listed.others.to_vec();
                others.sort_by_key(|(update, _)| *update);
                found.push((listed.no, (listed.reported, listed.installed, others)));
            });
            prop_assert_eq!(found, expected);
        }
    }
}
