//! Collections by rule: definitions, who uses them, what is looked at, and when there is something to look at.

use std::collections::BTreeSet;

use uuid::Uuid;
use weir_model::{
    ids::{ChangeNumber, CollectionId},
    membership::Assigned,
    targeting::CollectionKind,
};

use super::{Scratch, actor};
use crate::{
    StoreError,
    collection::{MemberSource, NewCollection},
    computer::{Contact, StatusRow},
    membership::{CollectionDefinition, CollectionLink},
};

fn id(number: u128) -> CollectionId {
    CollectionId(Uuid::from_u128(number))
}

fn collection(number: u128, name: &str, kind: CollectionKind) -> NewCollection {
    NewCollection { id: id(number), name: name.to_owned(), parent: None, kind }
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

/// Group 1, collections by rule 10 and 11, computers 1 to 3.
fn filled() -> Scratch {
    let scratch = Scratch::new();
    scratch.write(|tx| {
        tx.collection_create(&collection(1, "Ring", CollectionKind::TargetGroup))?;
        tx.collection_create(&collection(10, "Servers", CollectionKind::Rule))?;
        tx.collection_create(&collection(11, "Pilot", CollectionKind::Rule))?;
        for name in ["a", "b", "c"] {
            tx.computer_contact(&contact(name))?;
        }
        Ok(())
    });
    scratch
}

#[test]
fn a_definition_is_kept_and_says_who_uses_what() {
    let scratch = filled();
    let definition = CollectionDefinition {
        rule: Some("server and not build < 17763".to_owned()),
        named: BTreeSet::from([id(1)]),
        includes: BTreeSet::from([id(1), id(10)]),
        excludes: BTreeSet::from([CollectionId::UNASSIGNED_COMPUTERS]),
        limiting: Some(id(1)),
    };
    let (before, _) = scratch.store.read(|tx| tx.membership_version()).expect("reads");
    assert!(scratch.write(|tx| tx.collection_define(id(11), &definition)));
    let (after, done) = scratch.store.read(|tx| tx.membership_version()).expect("reads");
    assert!(after > before && done < after);
    assert!(!scratch.write(|tx| tx.collection_define(id(11), &definition)), "so already");
    assert_eq!(scratch.store.read(|tx| tx.membership_version()).expect("reads"), (after, done));
    scratch.write(|tx| tx.membership_done(after));
    let scratch = scratch.reopen();
    let read = scratch.store.read(|tx| {
        assert_eq!(tx.membership_version()?, (after, after));
        assert_eq!(tx.collection_definition(id(1))?, None, "a target group has none");
        let all = tx.collection_definitions()?;
        assert_eq!(all.len(), 2);
        assert_eq!(all[&id(11)], definition);
        assert_eq!(tx.collection_groups()?.len(), 3, "with the built-in ones");
        assert_eq!(
            tx.collection_users(id(1))?,
            [
                (CollectionLink::Includes, vec!["Pilot".to_owned()]),
                (CollectionLink::Names, vec!["Pilot".to_owned()]),
                (CollectionLink::LimitedBy, vec!["Pilot".to_owned()]),
            ]
        );
        tx.collection_definition(id(11))
    });
    assert_eq!(read.expect("reads"), Some(definition));
    let delete = |number| scratch.store.write(&actor(0), |tx| tx.collection_delete(id(number)));
    let error = delete(1).expect_err("it is used").to_string();
    assert!(error.contains("it is included by \"Pilot\"") && error.contains("limits \"Pilot\""), "{error}");
    assert!(delete(10).expect_err("it is included").to_string().contains("included by \"Pilot\""));
    scratch.write(|tx| tx.collection_define(id(11), &CollectionDefinition::default()));
    for number in [10, 1, 11] {
        delete(number).expect("nothing uses it any more");
    }
    let unknown = scratch.store.write(&actor(0), |tx| tx.collection_define(id(11), &CollectionDefinition::default()));
    assert!(matches!(unknown, Err(StoreError::UnknownCollection(_))), "{unknown:?}");
}

#[test]
fn computers_come_in_pages_with_what_decides_about_them() {
    let scratch = filled();
    scratch.write(|tx| {
        tx.collection_add(id(1), 1, MemberSource::Manual)?;
        tx.collection_add(id(1), 1, MemberSource::Requested)?;
        assert!(tx.collection_add(id(10), 2, MemberSource::Manual)?);
        assert!(!tx.collection_add(id(10), 2, MemberSource::Manual)?, "already");
        tx.computer_set_time_zone(2, Some("Europe/Amsterdam"))?;
        let status = StatusRow { status: vec![7], anchor: ChangeNumber(3), recent_events: vec![] };
        tx.computer_status_put(3, &status)
    });
    let pages = scratch.store.read(|tx| {
        let first = tx.membership_page(0, 2, false)?;
        let second = tx.membership_page(first[1].computer.no, 2, true)?;
        assert_eq!(tx.membership_page(second[0].computer.no, 2, true)?, []);
        assert_eq!(tx.membership_computers()?, 3);
        assert_eq!(tx.membership_of(3, true)?.as_ref(), second.first());
        assert_eq!(tx.membership_of(4, true)?, None);
        assert_eq!(tx.computer_time_zone(2)?.as_deref(), Some("Europe/Amsterdam"));
        Ok((first, second))
    });
    let (first, second) = pages.expect("reads");
    assert_eq!(first[0].assigned, Assigned { groups: vec![id(1)], direct: vec![] });
    assert_eq!(first[1].assigned, Assigned { groups: vec![], direct: vec![id(10)] });
    assert_eq!(first[1].time_zone.as_deref(), Some("Europe/Amsterdam"));
    assert_eq!((second.len(), second[0].status.status.as_slice()), (1, &[7_u8][..]));

    let wanted = [(id(10), MemberSource::Manual), (id(10), MemberSource::Rule), (id(11), MemberSource::Include)];
    assert!(scratch.write(|tx| tx.computer_decide(2, &[], &wanted)));
    let row = scratch.store.read(|tx| tx.membership_of(2, false)).expect("reads").expect("there");
    assert_eq!(row.decided, wanted);
    assert!(!scratch.write(|tx| tx.computer_decide(2, &row.decided, &wanted)), "nothing new");
    let read = scratch.store.read(|tx| {
        assert_eq!(tx.member_sources(id(10), 2)?, [MemberSource::Manual, MemberSource::Rule]);
        let unassigned = CollectionId::UNASSIGNED_COMPUTERS;
        assert_eq!(tx.computer_collections(2)?, [id(10), id(11), unassigned], "it is in no target group");
        assert_eq!(tx.computer_collections(1)?, [id(1)]);
        assert_eq!(tx.computer_collections(3)?, []);
        let rows = tx.computer_directory()?;
        assert_eq!(rows[1].groups, [id(10), id(11), unassigned]);
        assert_eq!(tx.collection_members(unassigned)?, [2, 3]);
        assert_eq!(tx.collection_members(id(11))?, [2]);
        tx.collection_direct_count(id(10))
    });
    assert_eq!(read.expect("reads"), 1);
    assert!(scratch.write(|tx| tx.computer_decide(2, &wanted, &wanted[..1])));
    assert_eq!(scratch.store.read(|tx| tx.computer_groups(2)).expect("reads"), wanted[..1]);
}

#[test]
fn what_changes_groups_leaves_something_to_look_at() {
    let scratch = filled();
    let todo = || scratch.store.read(|tx| tx.membership_todo(10)).expect("reads");
    assert_eq!(todo(), [0_u32; 0]);
    scratch.write(|tx| tx.collection_add(id(1), 1, MemberSource::Manual));
    scratch.write(|tx| tx.collection_add(id(10), 3, MemberSource::Manual));
    assert_eq!(todo(), [1, 3]);
    scratch.write(|tx| tx.computer_decide(1, &[], &[(id(10), MemberSource::Rule)]));
    scratch.write(|tx| tx.membership_todo_done(3));
    assert_eq!(todo(), [0_u32; 0], "what was found is nothing to look at");
    scratch.write(|tx| tx.collection_remove(id(1), 1, MemberSource::Manual));
    assert_eq!(todo(), [1]);
    scratch.write(|tx| tx.computer_delete(1));
    assert_eq!(todo(), [0_u32; 0]);
    let without = Scratch::new();
    without.write(|tx| {
        tx.collection_create(&collection(1, "Ring", CollectionKind::TargetGroup))?;
        let (no, _) = tx.computer_contact(&contact("a"))?;
        tx.collection_add(id(1), no, MemberSource::Manual)
    });
    assert_eq!(without.store.read(|tx| tx.membership_todo(10)).expect("reads"), [0_u32; 0], "nobody has rules");
}

#[test]
fn a_mirrored_group_becomes_the_collection_by_rule_that_it_is() {
    let scratch = filled();
    scratch.write(|tx| {
        tx.collection_create(&NewCollection {
            parent: Some(id(1)),
            ..collection(2, "Inner", CollectionKind::TargetGroup)
        })?;
        tx.collection_add(id(1), 1, MemberSource::Manual)?;
        tx.collection_become_rule(id(1))
    });
    let read = scratch.store.read(|tx| {
        let row = tx.collection_show(id(1))?.expect("there");
        assert_eq!((row.kind, row.parent), (CollectionKind::Rule, Some(CollectionId::ALL_COMPUTERS)));
        assert_eq!(tx.collection_show(id(2))?.and_then(|row| row.parent), Some(CollectionId::ALL_COMPUTERS));
        assert_eq!(tx.collection_definition(id(1))?, Some(CollectionDefinition::default()));
        tx.membership_of(1, false)
    });
    assert_eq!(read.expect("reads").expect("there").assigned.direct, [id(1)]);
}
