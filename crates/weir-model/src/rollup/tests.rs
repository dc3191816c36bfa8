use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    ids::ChangeNumber,
    status::{ComputerStatus, State, Told, UpdateNumber},
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn server(n: u128, clients: usize) -> ServerEntry {
    ServerEntry {
        id: Uuid::from_u128(n),
        name: format!("server{n}"),
        last_sync: None,
        parent: Uuid::nil(),
        version: "1".into(),
        replica: false,
        last_rollup: Some(at(1)),
        summary: ServerSummary::default(),
        clients: (0..clients)
            .map(|build| ClientSummary {
                os: OsFingerprint { os_build_number: build as i32, ..OsFingerprint::default() },
                count: 1,
                activity: Vec::new(),
            })
            .collect(),
    }
}

#[test]
fn a_clock_within_a_minute_is_left_alone() {
    let clock = Clock::new(at(1_000), at(1_060), SignedDuration::ZERO);
    assert_eq!(clock.shift, SignedDuration::ZERO);
    assert_eq!(clock.time(at(900)), at(900));
}

#[test]
fn times_of_a_clock_that_differs_are_shifted_the_same_each_time() {
    let hour = SignedDuration::from_hours(1);
    let first = Clock::new(at(10_000), at(10_000) - hour, SignedDuration::ZERO);
    assert_eq!(first.shift, hour);
    assert_eq!(first.time(at(5_000) - hour), at(5_000));
    let slower = Clock::new(at(10_012), at(10_000) - hour, first.shift);
    assert_eq!(slower.shift, hour, "the time under way does not count");
    let repaired = Clock::new(at(10_000), at(10_000), first.shift);
    assert_eq!(repaired.shift, SignedDuration::ZERO);
    assert_eq!(first.moment(None), None);
    assert_eq!(first.time(at(9_999)), at(10_000), "nothing is in the future");
}

#[test]
fn what_was_evaluated_is_the_last_synchronization_before() {
    let synced = [(at(10), ChangeNumber(5)), (at(20), ChangeNumber(9)), (at(30), ChangeNumber(12))];
    assert_eq!(effective_for(&synced, Some(ChangeNumber(4)), None), None);
    assert_eq!(effective_for(&synced, Some(ChangeNumber(9)), None), Some(at(20)));
    assert_eq!(effective_for(&synced, Some(ChangeNumber(99)), None), Some(at(30)));
    assert_eq!(effective_for(&synced, None, Some(at(20))), Some(at(10)), "earlier, not equal");
    assert_eq!(effective_for(&synced, None, None), None);
}

#[test]
fn the_way_up_is_found_and_cycles_are_not_followed() {
    let [a, b, c, d] = [1, 2, 3, 4].map(Uuid::from_u128);
    let tree = BTreeMap::from([(a, Place::Here), (b, Place::Below(a)), (c, Place::Below(b))]);
    assert_eq!(ancestors(&tree, c), Ok(vec![b, a]));
    assert_eq!(ancestors(&tree, a), Ok(vec![]));
    let tree = BTreeMap::from([(a, Place::Below(c)), (b, Place::Below(a)), (c, Place::Below(b))]);
    assert_eq!(ancestors(&tree, a), Err(ParentError::Cycle(a)));
    let tree = BTreeMap::from([(a, Place::Below(d))]);
    assert_eq!(ancestors(&tree, a), Err(ParentError::Unknown { server: a, parent: d }));
    assert_eq!(place(Uuid::nil(), a), Place::Here);
    assert_eq!(place(a, a), Place::Here);
    assert_eq!(place(b, a), Place::Below(b));
}

#[test]
fn only_installations_are_counted() {
    use crate::status::event_id;
    assert_eq!(installation(event_id::INSTALL_SUCCEEDED), Some(true));
    assert_eq!(installation(event_id::INSTALL_FAILED), Some(false));
    assert_eq!(installation(event_id::UNINSTALL_SUCCEEDED), None);
    assert_eq!(installation(event_id::CLIENT_STATUS), None);
}

proptest! {
    #[test]
    fn batches_hold_everything_in_order_and_none_is_too_long(
        sizes in proptest::collection::vec(0_usize..25, 0..12),
        most in 1_u32..11,
    ) {
        let servers: Vec<ServerEntry> = sizes.iter().zip(1..).map(|(size, n)| server(n, *size)).collect();
        let batches = server_batches(servers.clone(), most);
        let mut joined: Vec<ServerEntry> = Vec::new();
        for batch in &batches {
            prop_assert!(!batch.is_empty() && batch.len() <= most as usize);
            prop_assert!(batch.iter().map(|server| server.clients.len()).sum::<usize>() <= most as usize);
            for server in batch {
                match joined.last_mut().filter(|last| last.id == server.id) {
                    Some(last) => {
                        prop_assert!(!server.clients.is_empty(), "a repeated server says something");
                        last.clients.extend(server.clients.clone());
                    }
                    None => joined.push(server.clone()),
                }
            }
        }
        prop_assert_eq!(joined, servers);
    }

    /// Whatever two states a computer was in, what is told of the difference makes the one into the other.
    #[test]
    fn what_is_told_makes_the_receiver_equal(
        before in proptest::collection::btree_map(0_u32..40, (2_u8..7, 0_i64..50), 0..20),
        after in proptest::collection::btree_map(0_u32..40, (2_u8..7, 50_i64..99), 0..20),
        kept in proptest::collection::btree_set(0_u32..40, 0..20),
    ) {
        let status = |entries: &BTreeMap<u32, (u8, i64)>| {
            let mut status = ComputerStatus::default();
            (status.as_of, status.reported) = (Some(at(100)), Some(at(100)));
            status.merge(true, entries.iter().map(|(update, (state, changed))| Told {
                update: UpdateNumber(*update),
                state: State::from_protocol_number(*state),
                changed: at(*changed),
            }));
            status
        };
        let mut after = after;
        for update in kept {
            if let Some(entry) = before.get(&update) {
                after.insert(update, *entry);
            }
        }
        let (old, new) = (status(&before), status(&after));
        let mut receiver = old.clone();
        receiver.merge(false, new.told_since(Some(&old)));
        prop_assert_eq!(receiver.entries(), new.entries());
        receiver.merge(false, new.told_since(Some(&old)));
        prop_assert_eq!(receiver.entries(), new.entries(), "told twice");
        let mut fresh = ComputerStatus::default();
        fresh.merge(true, new.told_since(None));
        prop_assert_eq!(fresh.entries(), new.entries());
        prop_assert!(new.told_since(Some(&new)).is_empty());
    }
}

#[test]
fn older_states_do_not_replace_newer_ones_unless_everything_is_told() {
    let told = |state, second| [Told { update: UpdateNumber(1), state, changed: at(second) }];
    let mut status = ComputerStatus::default();
    status.merge(false, told(State::Installed, 10));
    status.merge(false, told(State::Failed, 9));
    status.merge(false, told(State::NotApplicable, 9));
    assert_eq!(status.entry(UpdateNumber(1)).map(|entry| entry.state), Some(State::Installed));
    status.merge(false, told(State::Failed, 10));
    assert_eq!(status.entry(UpdateNumber(1)).map(|entry| entry.state), Some(State::Failed), "not older counts");
    status.merge(true, told(State::Required, 1));
    assert_eq!(status.entry(UpdateNumber(1)).map(|entry| entry.state), Some(State::Required));
    status.merge(false, told(State::Unknown, 1));
    assert!(status.entries().is_empty());
}
