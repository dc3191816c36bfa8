use jiff::Timestamp;
use proptest::prelude::*;

use super::{FailureKind, Groups, MOST_CODES, Occurrence};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("an instant")
}

fn failure(key: &'static str, kind: FailureKind, code: u32, second: i64) -> Occurrence<&'static str> {
    Occurrence { key, kind, code: Some(code), at: at(second) }
}

#[test]
fn a_computer_counts_once_in_a_group() {
    use FailureKind::{Detection, Earlier, Installation};
    let mut groups = Groups::new(Some(at(100)));
    groups.add_computer(vec![
        failure("a", Installation, 1, 150),
        failure("a", Installation, 1, 50),
        failure("a", Earlier, 2, 120),
        failure("b", Detection, 3, 170),
    ]);
    groups.add_computer(vec![failure("a", Installation, 2, 200), failure("b", Earlier, 9, 101)]);
    groups.add_computer(vec![failure("c", Detection, 3, 400)]);
    groups.add_computer(Vec::new());
    let told: Vec<_> = groups.finish();
    let brief: Vec<_> = told
        .iter()
        .map(|group| {
            (group.key, group.computers, group.installations, group.detections, group.new_computers, group.is_new)
        })
        .collect();
    assert_eq!(
        brief,
        [
            // one of its two computers failed before already, so it is not new
            ("a", 2, 2, 0, 1, Some(false)),
            ("b", 2, 0, 1, 1, Some(true)),
            // of a detection nobody knows when it began to fail
            ("c", 1, 0, 1, 0, None),
        ]
    );
    assert_eq!((told[0].first_at, told[0].last_at), (Some(at(50)), at(200)));
    assert_eq!(told[0].codes, [(Some(2), 2), (Some(1), 1)]);
    assert_eq!((told[2].first_at, told[2].last_at), (None, at(400)));
}

#[test]
fn nothing_is_new_without_a_time() {
    let mut groups = Groups::new(None);
    groups.add_computer(vec![failure("a", FailureKind::Installation, 1, 5)]);
    let told = groups.finish();
    assert_eq!((told[0].is_new, told[0].new_computers), (None, 0));
}

fn any_computer() -> impl Strategy<Value = Vec<Occurrence<u8>>> {
    let kind = prop_oneof![Just(FailureKind::Detection), Just(FailureKind::Earlier), Just(FailureKind::Installation)];
    let one = (0..4_u8, kind, proptest::option::of(0..9_u32), 0..1_000_i64);
    proptest::collection::vec(
        one.prop_map(|(key, kind, code, second)| Occurrence { key, kind, code, at: at(second) }),
        0..6,
    )
}

proptest! {
    #[test]
    fn groups_agree_with_a_naive_count(computers in proptest::collection::vec(any_computer(), 0..20), since in 0..1_000_i64) {
        let mut groups = Groups::new(Some(at(since)));
        for computer in &computers {
            groups.add_computer(computer.clone());
        }
        let told = groups.finish();
        prop_assert!(told.is_sorted_by_key(|group| std::cmp::Reverse(group.computers)));
        for key in 0..4 {
            let having = |test: &dyn Fn(&Occurrence<u8>) -> bool| {
                computers.iter().filter(|computer| computer.iter().any(|failure| failure.key == key && test(failure))).count() as u64
            };
            let Some(group) = told.iter().find(|group| group.key == key) else {
                prop_assert_eq!(having(&|_| true), 0);
                continue;
            };
            prop_assert_eq!(group.computers, having(&|_| true));
            prop_assert_eq!(group.installations, having(&|failure| failure.kind == FailureKind::Installation));
            prop_assert_eq!(group.detections, having(&|failure| failure.kind == FailureKind::Detection));
            let all = || computers.iter().flatten().filter(|failure| failure.key == key);
            prop_assert_eq!(Some(group.last_at), all().map(|failure| failure.at).max());
            let first = all().filter(|failure| failure.kind != FailureKind::Detection).map(|failure| failure.at).min();
            prop_assert_eq!(group.first_at, first);
            prop_assert_eq!(group.is_new, first.map(|first| first >= at(since)));
            prop_assert!(group.new_computers <= group.computers && group.codes.len() <= MOST_CODES);
            for (code, computers) in &group.codes {
                prop_assert_eq!(*computers, having(&|failure| failure.code == *code));
            }
        }
    }
}
