//! The feed of changed computers: every way in which an index of them could become wrong is numbered.

use uuid::Uuid;
use weir_model::{ids::CollectionId, targeting::CollectionKind};

use super::Scratch;
use crate::{
    collection::{MemberSource, NewCollection},
    computer::{Contact, ContactTimes, Registration, StatusRow},
    feed::FedComputer,
};

const RING: CollectionId = CollectionId(Uuid::from_u128(7));

fn contact(name: &str) -> Contact {
    Contact {
        id: name.parse().expect("a computer id"),
        dns_name: name.to_owned(),
        ip_address: None,
        plain_http: false,
        requested_groups: None,
    }
}

fn status(byte: u8) -> StatusRow {
    StatusRow { status: vec![byte; 3], recent_events: vec![byte; 16], ..StatusRow::default() }
}

/// Computers 1 and 2, a group, and the number of the last change.
fn filled() -> (Scratch, u64) {
    let scratch = Scratch::new();
    scratch.write(|tx| {
        tx.collection_create(&NewCollection {
            id: RING,
            name: "Ring".into(),
            parent: None,
            kind: CollectionKind::TargetGroup,
        })?;
        tx.computer_contact(&contact("a"))?;
        tx.computer_contact(&contact("b"))
    });
    let version = scratch.store.read(|tx| tx.feed_version()).expect("reads");
    (scratch, version)
}

fn changed(scratch: &Scratch, after: u64) -> Vec<u32> {
    let (count, mut since) =
        scratch.store.read(|tx| Ok((tx.feed_count(after)?, tx.feed_since(after)?))).expect("reads");
    assert_eq!(count, since.len() as u64);
    since.sort_unstable();
    since
}

#[test]
fn every_change_of_a_computer_is_numbered_once() {
    let (scratch, start) = filled();
    assert_eq!(changed(&scratch, 0), [1, 2], "both came");
    assert_eq!(changed(&scratch, start), [0_u32; 0]);

    scratch.write(|tx| tx.computer_status_put(1, &status(1)));
    scratch.write(|tx| tx.computer_status_put(1, &status(2)));
    assert_eq!(changed(&scratch, start), [1]);
    let reported = scratch.store.read(|tx| tx.feed_version()).expect("reads");
    scratch.write(|tx| tx.computer_status_put(1, &StatusRow { recent_events: vec![9; 32], ..status(2) }));
    scratch.write(|tx| {
        tx.computer_touch(1, &ContactTimes { last_contact_at: Some(super::actor(9).at), ..ContactTimes::default() })
    });
    assert_eq!(changed(&scratch, reported), [0_u32; 0], "the same states again are no change");

    scratch.write(|tx| tx.computer_set_groups(2, MemberSource::Manual, &[RING]));
    assert_eq!(changed(&scratch, reported), [2]);
    let moved = scratch.store.read(|tx| tx.feed_version()).expect("reads");
    scratch.write(|tx| tx.computer_set_groups(2, MemberSource::Manual, &[]));
    assert_eq!(changed(&scratch, moved), [2]);
}

#[test]
fn another_release_of_windows_is_a_change() {
    let (scratch, mut version) = filled();
    let mut registers = |build| {
        let registration = Registration { os_major_version: 10, os_build_number: build, ..Registration::default() };
        scratch.write(|tx| tx.computer_register(2, &registration));
        let found = changed(&scratch, version);
        version = scratch.store.read(|tx| tx.feed_version()).expect("reads");
        found
    };
    assert_eq!(registers(22_631), [2], "it registered");
    assert_eq!(registers(22_631), [0_u32; 0]);
    assert_eq!(registers(26_100), [2]);
}

#[test]
fn a_computer_is_read_as_it_is() {
    let (scratch, _) = filled();
    let read = |no| scratch.store.read(|tx| tx.feed_computer(no)).expect("reads");
    assert_eq!(read(1), Some(FedComputer { no: 1, site: 1, groups: Vec::new(), status: Vec::new() }));
    scratch.write(|tx| tx.computer_status_put(1, &status(4)));
    scratch.write(|tx| tx.computer_set_groups(1, MemberSource::Manual, &[RING]));
    assert_eq!(read(1), Some(FedComputer { no: 1, site: 1, groups: vec![RING], status: vec![4; 3] }));
    let mut seen = Vec::new();
    scratch.store.read(|tx| tx.feed_status_each(&mut |no, bytes| seen.push((no, bytes.to_vec())))).expect("reads");
    assert_eq!(seen, [(1, vec![4; 3])]);
    let many: Vec<u32> = (1..=200).rev().collect();
    let found = scratch.store.read(|tx| tx.feed_computers(&many)).expect("reads");
    assert_eq!(found.get(&1).cloned(), read(1));
    assert_eq!((found.len(), found.get(&2).cloned()), (2, read(2)), "and nobody who is not there");
}

#[test]
fn computers_that_leave_are_told_until_nobody_can_be_behind() {
    let (scratch, start) = filled();
    scratch.write(|tx| tx.computer_status_put(1, &status(1)));
    scratch.write(|tx| tx.computer_set_groups(1, MemberSource::Manual, &[RING]));
    scratch.write(|tx| tx.computer_delete(1));
    assert_eq!(changed(&scratch, start), [1]);
    assert_eq!(scratch.store.read(|tx| tx.feed_computer(1)).expect("reads"), None);
    assert_eq!(scratch.write(|tx| tx.feed_prune(start)), 0, "followers may not have heard of it");
    let now = scratch.store.read(|tx| tx.feed_version()).expect("reads");
    assert_eq!(scratch.write(|tx| tx.feed_prune(now)), 1);
    assert_eq!(changed(&scratch, 0), [2], "who is here stays");
}

#[test]
fn members_hear_when_their_collection_becomes_one_by_rule() {
    let (scratch, _) = filled();
    scratch.write(|tx| tx.computer_set_groups(2, MemberSource::Manual, &[RING]));
    let before = scratch.store.read(|tx| tx.feed_version()).expect("reads");
    scratch.write(|tx| tx.collection_become_rule(RING));
    assert_eq!(changed(&scratch, before), [2], "it is in Unassigned Computers as well now");
}
