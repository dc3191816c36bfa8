//! What becomes of reports that cannot be right. `docs/reporting-rules.md` has the same list in words.

use jiff::Timestamp;
use proptest::prelude::*;

use super::{
    tests::{about, after, at, bring, failed, guid, list, number, report, shown, state},
    *,
};
use crate::ids::UpdateId;

fn with(status: &mut ComputerStatus, batch: &[Event], now: i64, anchor: u64) -> Effects {
    apply(status, batch, &Context { now: at(now), anchor: Some(ChangeNumber(anchor)), number: &number })
}

#[test]
fn an_update_that_nobody_knew_is_unknown_until_the_next_report() {
    let mut status = after(&[&[report(10, &[list("V", &[1, 500])])]]);
    assert_eq!(shown(&status), [(1, State::Installed, 10)]);
    // it came later: in scope since change 60, beyond the scan that the report followed
    let came = |id: UpdateId| if id == guid(500) { Some(UpdateNumber(500)) } else { number(id) };
    let entered = Some(ChangeNumber(60));
    assert_eq!(status.state_of(UpdateNumber(500), entered), State::Unknown);
    let context = Context { now: at(100_000), anchor: Some(ChangeNumber(61)), number: &came };
    apply(&mut status, &[report(20, &[list("V", &[1, 500])])], &context);
    assert_eq!(status.state_of(UpdateNumber(500), entered), State::Installed);
}

#[test]
fn of_several_lists_the_last_counts() {
    let order = ["U", "V", "h", "g", "W"];
    let states = [State::Required, State::Installed, State::Downloaded, State::Failed, State::PendingRestart];
    for (first, _) in order.iter().enumerate() {
        for (second, tag) in order.iter().enumerate().skip(first) {
            // whatever their order in the report
            for lists in [[order[first], tag], [tag, order[first]]] {
                let misc: Vec<String> = lists.iter().map(|tag| list(tag, &[1])).collect();
                assert_eq!(shown(&after(&[&[report(5, &misc)]])), [(1, states[second], 5)], "{lists:?}");
            }
        }
    }
    assert_eq!(shown(&after(&[&[report(5, &[list("U", &[1, 1, 1]), list("U", &[1])])]])), [(1, State::Required, 5)]);
}

#[test]
fn steps_that_cannot_follow_each_other_are_believed_in_the_order_of_their_times() {
    // removed although it was never there; failed after it was installed; installed although it was never needed
    assert_eq!(shown(&after(&[&[about(222, 1, 5)]])), [(1, State::Required, 5)]);
    assert_eq!(shown(&after(&[&[about(183, 1, 5), failed(1, 6, -1)]])), [(1, State::Failed, 6)]);
    assert_eq!(shown(&after(&[&[report(5, &[]), about(183, 1, 6)]])), [(1, State::Installed, 6)]);
    // and the next full report puts it right
    assert_eq!(shown(&after(&[&[about(222, 1, 5)], &[report(9, &[])]])), []);
}

#[test]
fn a_stored_status_that_is_wrong_about_its_errors_is_damaged() {
    for status in [after(&[&[failed(1, 5, -1)]]), after(&[&[report(10, &[list("V", &[1])])]])] {
        let mut bytes = status.encode();
        bytes[1] ^= 32;
        assert!(matches!(ComputerStatus::decode(&bytes), Err(StatusDecodeError::Damaged(_))));
    }
}

#[test]
fn what_is_listed_outside_the_scope_is_kept_and_counts_when_it_comes_into_it() {
    // declined, or deployed to others: nobody asks for it
    let status = after(&[&[report(10, &[list("V", &[7])])]]);
    assert_eq!(status.state_of(UpdateNumber(7), None), State::Installed);
    assert_eq!(status.state_of(UpdateNumber(7), Some(ChangeNumber(99))), State::Installed);
}

#[test]
fn a_time_before_any_client_is_none() {
    for never in [Timestamp::MIN, Timestamp::UNIX_EPOCH, "1601-01-01T00:00:00Z".parse().expect("time")] {
        let mut status = after(&[&[report(10, &[list("U", &[1])])]]);
        let full = Event { at: never, ..report(0, &[list("V", &[1])]) };
        let detected = Event { at: never, event_id: event_id::DETECTION_SUCCEEDED, ..report(0, &[]) };
        bring(&mut status, &[full, detected]);
        assert_eq!(shown(&status), [(1, State::Installed, 100_000)], "as of its receipt");
        assert_eq!(status.last_sync, Some(SyncResult { at: at(100_000), hresult: 0 }));
        assert_eq!(ComputerStatus::decode(&status.encode()), Ok(status));
    }
}

#[test]
fn a_clock_that_was_set_back_does_not_freeze_the_status() {
    const DAY: i64 = 86_400;
    let mut status = after(&[&[report(90_000, &[list("U", &[1])])]]);
    // set back by a month, and scanned again since (anchor 51): as of its receipt
    with(&mut status, &[report(90_000 - 30 * DAY, &[list("V", &[1])])], 200_000, 51);
    assert_eq!(shown(&status), [(1, State::Installed, 200_000)]);
    assert_eq!((status.as_of, status.anchor), (Some(at(200_000)), ChangeNumber(51)));
    // the same batch again is of no later scan
    let again = [report(90_000 - 30 * DAY, &[list("V", &[1])])];
    assert_eq!(with(&mut status, &again, 200_100, 51), Effects::default());
    // two of one batch: the later of them
    let two = [report(0, &[list("U", &[1])]), report(1, &[list("U", &[1, 2])])];
    with(&mut status, &two, 300_000, 52);
    assert_eq!(shown(&status), [(1, State::Required, 300_000), (2, State::Required, 300_000)]);
    // once the clock is right everything is as before
    with(&mut status, &[report(300_100, &[list("V", &[1, 2])])], 300_200, 52);
    assert_eq!(shown(&status), [(1, State::Installed, 300_100), (2, State::Installed, 300_100)]);
}

#[test]
fn a_straggler_is_not_taken_for_a_clock_that_was_set_back() {
    let mut status = ComputerStatus::default();
    with(&mut status, &[report(90_000, &[list("V", &[1])])], 100_000, 50);
    // a second connection brings an hour's older report with a newer cookie
    assert_eq!(with(&mut status, &[report(86_400, &[list("U", &[1])])], 100_000, 60), Effects::default());
    // a backlog of weeks, with the cookie that the newer report came with
    assert_eq!(with(&mut status, &[report(-2_000_000, &[list("U", &[1])])], 100_000, 50), Effects::default());
    assert_eq!(shown(&status), [(1, State::Installed, 90_000)]);
}

#[test]
fn an_empty_report_of_the_time_of_a_full_one_is_known() {
    let full = after(&[&[report(10, &[list("U", &[1])])]]);
    let empty = |seconds| report(seconds, &["V=".to_owned(), "U=;".to_owned()]);
    let is_twin = |status: &ComputerStatus, event: &Event| is_empty_twin(status, event, at(100_000));
    assert!(is_twin(&full, &empty(10)));
    assert!(!is_twin(&full, &empty(11)), "a later one says that nothing is left");
    assert!(!is_twin(&full, &report(10, &[list("V", &[2])])), "a full one");
    assert!(!is_twin(&full, &report(10, &[list("V", &[500])])), "of an update that is not known here");
    assert!(!is_twin(&full, &failed(1, 10, -1)), "another event");
    assert!(!is_twin(&after(&[&[report(10, &[])]]), &empty(10)), "there is nothing to lose");
    assert!(!is_twin(&ComputerStatus::default(), &empty(10)));
}

#[test]
fn an_empty_batch_changes_nothing() {
    let mut status = after(&[&[report(10, &[list("U", &[1])])]]);
    assert_eq!(bring(&mut status, &[]), Effects::default());
}

#[test]
fn lists_of_any_length_leave_no_more_than_there_are_updates() {
    let many: Vec<u32> = (0..20_000).map(|entry| entry % 5_000 + 1).collect();
    let lists: Vec<String> = ["U", "V", "W", "g", "h"].iter().map(|tag| list(tag, &many)).collect();
    let status = after(&[&[report(5, &lists)]]);
    assert_eq!(status.entries().len(), 99);
    assert!(status.entries().iter().all(|entry| entry.state == State::PendingRestart));
}

/// Batches whose events are all of different times.
fn batches() -> impl Strategy<Value = Vec<Vec<Event>>> {
    let one = (0..6_usize, 1..5_u32, proptest::collection::vec((0..5_usize, 1..5_u32), 0..4));
    proptest::collection::vec(one, 1..14)
        .prop_map(|events| {
            let made = events.into_iter().enumerate().map(|(seconds, (kind, update, lists))| {
                let seconds = seconds as i64;
                match kind {
                    0 | 1 => {
                        let lists =
                            lists.into_iter().map(|(tag, update)| list(["U", "V", "W", "g", "h"][tag], &[update]));
                        report(seconds, &lists.collect::<Vec<_>>())
                    }
                    2 => failed(update, seconds, -5),
                    3 => about(183, update, seconds),
                    4 => about(184, update, seconds),
                    _ => about(222, update, seconds),
                }
            });
            made.collect::<Vec<Event>>()
        })
        .prop_shuffle()
        .prop_flat_map(|events| {
            let len = events.len();
            (Just(events), proptest::collection::vec(1..5_usize, len))
        })
        .prop_map(|(events, sizes)| {
            let (mut rest, mut batches) = (events.into_iter().peekable(), Vec::new());
            for size in sizes {
                if rest.peek().is_some() {
                    batches.push(rest.by_ref().take(size).collect());
                }
            }
            batches
        })
}

proptest! {
    /// Batches of one computer over several connections arrive in any order, cut in any way: the states are those of the
    /// events in the order of their times.
    #[test]
    fn the_order_of_arrival_does_not_matter(batches in batches()) {
        let mut arrived = ComputerStatus::default();
        for batch in &batches {
            bring(&mut arrived, batch);
        }
        let mut events: Vec<Event> = batches.concat();
        events.sort_by_key(|event| event.at);
        let in_order = after(&[&events]);
        for update in 1..5 {
            prop_assert_eq!(state(&arrived, update), state(&in_order, update), "{}", update);
        }
        prop_assert_eq!(arrived.as_of, in_order.as_of);
    }

    /// Whatever times a batch carries: nothing is stored beyond its receipt, and nothing that does not read back.
    #[test]
    fn no_time_is_beyond_the_receipt(
        times in proptest::collection::vec((any::<i64>(), 0..3_usize, 1..4_u32), 0..10),
        anchors in proptest::collection::vec(0..9_u64, 10),
    ) {
        let mut status = ComputerStatus::default();
        for ((seconds, kind, update), anchor) in times.into_iter().zip(anchors) {
            let when = Timestamp::from_second(seconds % 253_402_207_200).unwrap_or(Timestamp::MAX);
            let event = match kind {
                0 => report(0, &[list("U", &[update])]),
                1 => failed(update, 0, -1),
                _ => Event { event_id: event_id::REBOOT_COMPLETED, ..report(0, &[]) },
            };
            with(&mut status, &[Event { at: when, ..event }], 100_000, anchor);
            let stored = status.entries().iter().map(|entry| entry.changed);
            let all: Vec<Timestamp> = stored.chain(status.as_of).chain(status.last_reboot).collect();
            prop_assert!(all.iter().all(|instant| *instant <= at(100_000) && instant.as_second() >= 1_104_537_600));
            prop_assert_eq!(ComputerStatus::decode(&status.encode()), Ok(status.clone()));
        }
    }
}
