//! Front ends and their duties, what tells them of changes, and the computers that changed.

use jiff::SignedDuration;
use uuid::Uuid;
use weir_model::{
    ids::{ChangeNumber, CollectionId},
    targeting::CollectionKind,
};

use super::{Scratch, actor, time};
use crate::{
    StoreError,
    collection::{MemberSource, NewCollection},
    computer::{Contact, DirectoryRow, Registration, StatusRow},
    front_end::FrontEnd,
};

const ONE: Uuid = Uuid::from_u128(1);
const TWO: Uuid = Uuid::from_u128(2);
const LONG: SignedDuration = SignedDuration::from_hours(1);
/// Over as soon as it is given.
const OVER: SignedDuration = SignedDuration::ZERO;

fn front(id: Uuid, name: &str) -> FrontEnd {
    FrontEnd {
        id,
        name: name.to_owned(),
        version: "1.0.0".to_owned(),
        content: "s3://bucket".to_owned(),
        authority: "01".to_owned(),
        admin: None,
        started_at: time(0),
    }
}

#[test]
fn front_ends_come_and_go() {
    let scratch = Scratch::new();
    scratch.write(|tx| {
        tx.front_end_put(&front(TWO, "b:8530"))?;
        tx.front_end_put(&front(ONE, "a:8530"))
    });
    let list = || scratch.store.read(|tx| tx.front_end_list(time(0))).expect("reads");
    assert_eq!(list().iter().map(|row| row.front.id).collect::<Vec<_>>(), [ONE, TWO]);
    assert!(list()[0].silent.abs() < LONG, "{:?}", list());
    let renamed = FrontEnd { admin: Some("https://a:8540".to_owned()), ..front(ONE, "a:8531") };
    scratch.write(|tx| tx.front_end_put(&renamed));
    assert_eq!(list()[0].front, renamed);
    assert_eq!(scratch.write(|tx| tx.front_end_prune(LONG)), 0);
    scratch.write(|tx| tx.front_end_leave(TWO));
    assert_eq!(list().len(), 1);
    assert_eq!(scratch.write(|tx| tx.front_end_prune(OVER)), 1);
    assert!(list().is_empty());
}

#[test]
fn one_has_a_duty_at_a_time() {
    let scratch = Scratch::new();
    let take = |id, lease| scratch.write(|tx| tx.duty_take("rules", id, lease));
    let keeps = |id, term| scratch.write(|tx| tx.duty_keep("rules", id, term));
    assert!(!keeps(ONE, 1), "nobody has it");
    assert_eq!(take(ONE, LONG), Some(1));
    assert_eq!(take(TWO, LONG), None);
    assert!(keeps(ONE, 1) && !keeps(TWO, 1));
    // its lease is over, and nobody has taken it
    assert_eq!(scratch.write(|tx| tx.duty_renew(ONE, OVER)), 1);
    assert!(keeps(ONE, 1));
    assert_eq!(take(TWO, LONG), Some(2), "another number");
    assert!(!keeps(ONE, 1) && keeps(TWO, 2));
    assert_eq!(scratch.write(|tx| tx.duty_renew(ONE, LONG)), 0);
    let had = scratch.store.read(|tx| tx.duty_list(time(0))).expect("reads");
    assert_eq!((had.len(), had[0].front, had[0].term), (1, TWO, 2));
    assert!(had[0].left.is_positive());
    // who leaves gives up what he has, and does not get it back by a late word
    scratch.write(|tx| tx.front_end_leave(TWO));
    assert_eq!(scratch.write(|tx| tx.duty_renew(TWO, LONG)), 0);
    assert_eq!(take(ONE, LONG), Some(3));
    assert_eq!(scratch.write(|tx| tx.duty_take("watch", TWO, LONG)), Some(1), "others do not matter");
    // given up and taken again by the same one it has another number, too: what is left of before is told apart
    scratch.write(|tx| tx.duty_give_up(ONE));
    assert_eq!(take(ONE, LONG), Some(4));
    assert!(!keeps(ONE, 3) && keeps(ONE, 4));
    // no lease is so long: a clock was set back
    assert_eq!(take(TWO, LONG / 4), Some(5));
}

#[test]
fn what_is_written_aside_is_stored_and_what_fails_is_not() {
    let scratch = Scratch::new();
    scratch.store.write_aside(&actor(0), |tx| tx.front_end_put(&front(ONE, "a"))).expect("written");
    let failed = scratch.store.write_aside(&actor(0), |tx| {
        tx.front_end_put(&front(TWO, "b"))?;
        Err::<(), _>(StoreError::Exhausted("nothing"))
    });
    assert!(failed.is_err());
    let list = scratch.store.read(|tx| tx.front_end_list(time(0))).expect("reads");
    assert_eq!(list.iter().map(|row| row.front.id).collect::<Vec<_>>(), [ONE]);
}

#[test]
fn a_report_that_another_front_end_makes_is_not_given_back() {
    let scratch = Scratch::new();
    let id = Uuid::from_u128(7);
    scratch.write(|tx| {
        tx.front_end_put(&front(ONE, "a"))?;
        tx.report_schedule_put(id, &super::report_schedules::wanted("Weekly"), time(0))
    });
    let take = |owner: Uuid| {
        let owner = format!("{owner}/{}", Uuid::from_u128(9));
        scratch.write(|tx| tx.report_schedule_take(id, &owner, time(3_600)))
    };
    assert!(take(ONE));
    scratch.write(|tx| tx.report_schedule_give_back());
    assert!(!take(TWO), "the one who makes it is there");
    scratch.write(|tx| {
        tx.front_end_leave(ONE)?;
        tx.report_schedule_give_back()
    });
    assert!(take(TWO));
}

#[test]
fn marks_move_with_what_is_written() {
    let scratch = Scratch::new();
    let marks = || scratch.store.read(|tx| tx.marks()).expect("reads");
    let first = marks();
    assert_eq!(first, marks());
    scratch.write(|tx| tx.change_next().map(drop));
    assert_eq!(marks().change, ChangeNumber(first.change.0 + 1));
    scratch.write(|tx| tx.computer_contact(&contact("a")).map(drop));
    let came = marks();
    assert!(came.directory > first.directory && came.feed > first.feed);
    scratch.write(|tx| {
        tx.keys_insert([7; 32])?;
        tx.site_create(Uuid::from_u128(1))?;
        tx.job_create(Uuid::from_u128(3), "backup", &serde_json::json!({}))?;
        tx.audit("backup.create", "all", None, None)
    });
    let now = marks();
    assert_ne!(now.keys, came.keys);
    assert_ne!(now.configured, came.configured);
    assert!(now.job > came.job && now.audit > came.audit);
    assert_eq!(now.open, came.open + 1);
    assert_eq!((now.change.0, now.directory, now.feed), (first.change.0 + 1, came.directory, came.feed));
}

fn contact(name: &str) -> Contact {
    Contact {
        id: name.parse().expect("a computer id"),
        dns_name: name.to_owned(),
        ip_address: None,
        plain_http: false,
        requested_groups: None,
    }
}

/// The promise: who follows the feed has the same directory as who reads all of it.
#[test]
fn computers_that_changed_are_read_as_all_of_them_are() {
    let scratch = Scratch::new();
    let ring = CollectionId(Uuid::from_u128(7));
    scratch.write(|tx| {
        tx.collection_create(&NewCollection {
            id: ring,
            name: "Ring".into(),
            parent: None,
            kind: CollectionKind::TargetGroup,
        })?;
        for name in ["a", "b", "c", "d"] {
            tx.computer_contact(&contact(name))?;
        }
        Ok(())
    });
    let all = || scratch.store.read(|tx| tx.computer_directory_of(1)).expect("reads");
    let feed = || scratch.store.read(|tx| tx.feed_version()).expect("reads");
    let (mut known, mut seen): (Vec<DirectoryRow>, u64) = (all(), feed());
    let mut follow = |what: &str| {
        let changes = scratch.store.read(|tx| tx.computer_directory_since(seen)).expect("reads");
        known.retain(|row| !changes.gone.contains(&row.no) && !changes.rows.iter().any(|new| new.no == row.no));
        known.extend(changes.rows.into_iter().filter(|row| row.site == 1));
        known.sort_by_key(|row| row.no);
        assert_eq!(known, all(), "{what}");
        seen = feed();
    };
    follow("nothing changed");
    scratch.write(|tx| tx.collection_add(ring, 1, MemberSource::Manual).map(drop));
    follow("one joined");
    scratch.write(|tx| tx.computer_register(2, &Registration::default()));
    follow("one registered");
    scratch.write(|tx| tx.computer_set_time_zone(3, Some("Asia/Kathmandu")));
    follow("one has a zone");
    scratch.write(|tx| tx.computer_contact(&contact("e")).map(drop));
    follow("one came");
    scratch.write(|tx| tx.computer_status_put(4, &StatusRow { status: vec![1], ..StatusRow::default() }));
    follow("one reported");
    scratch.write(|tx| tx.computer_delete(4).map(drop));
    follow("one left");
    scratch.write(|tx| tx.collection_delete(ring));
    follow("a group went");
}
