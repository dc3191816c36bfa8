//! Computers, memberships, status and events.

use uuid::Uuid;
use weir_model::ids::{ChangeNumber, CollectionId, ComputerId, UpdateIdentity};

use super::{Scratch, actor, time, update};
use crate::{
    StoreError,
    collection::{MemberSource, NewCollection},
    computer::{ComputerFilter, Contact, ContactTimes, Registration, StatusRow},
    event::EventRow,
};

fn id(text: &str) -> ComputerId {
    text.parse().expect("a computer id")
}

fn contact(name: &str) -> Contact {
    Contact {
        id: id(name),
        dns_name: format!("{name}.Example.com"),
        ip_address: Some("192.0.2.7".to_owned()),
        plain_http: true,
        requested_groups: Some("Pilot;Berlin".to_owned()),
    }
}

fn registration() -> Registration {
    Registration {
        dns_name: "renamed.example.com".to_owned(),
        os_major_version: 10,
        os_minor_version: -1,
        os_build_number: 26_100,
        os_service_pack_major_number: 1,
        os_service_pack_minor_number: 2,
        os_locale: Some("en-US".to_owned()),
        computer_manufacturer: Some("<script>".to_owned()),
        computer_model: Some(String::new()),
        bios_version: None,
        bios_name: Some("bios".to_owned()),
        bios_release_date: Some(time(-5)),
        processor_architecture: Some("AMD64".to_owned()),
        suite_mask: -256,
        old_product_type: 255,
        new_product_type: 48,
        system_metrics: 0,
        client_version_major_number: 1507,
        client_version_minor_number: 2601,
        client_version_build_number: 30_012,
        client_version_qfe_number: 0,
        os_description: Some("Windows 10 Pro".to_owned()),
        oem: None,
        device_type: Some("d".to_owned()),
        firmware_version: Some("f".to_owned()),
        mobile_operator: Some("m".to_owned()),
    }
}

fn event(instance: u128, computer: u32, update_number: Option<u128>, at: i64) -> EventRow {
    EventRow {
        instance_id: Uuid::from_u128(instance),
        computer,
        update: update_number.map(|number| UpdateIdentity::new(update(number), 200)),
        event_id: 156,
        source_id: 102,
        at_target: time(at),
        received_at: time(at + 1),
        hresult: -2_145_124_329,
        detail: Some("x".to_owned()),
    }
}

pub(super) fn fill(scratch: &Scratch) {
    scratch.write(|tx| {
        let (no, _) = tx.computer_contact(&contact("a"))?;
        tx.computer_register(no, &registration())?;
        tx.computer_status_put(
            no,
            &StatusRow { status: vec![1], anchor: ChangeNumber(1), recent_events: vec![0; 16] },
        )?;
        tx.event_insert(&event(1, no, Some(1), 0))?;
        tx.event_insert(&event(2, no, None, 0))?;
        let pilot = NewCollection {
            id: CollectionId(Uuid::from_u128(1)),
            name: "Pilot".to_owned(),
            parent: None,
            kind: weir_model::targeting::CollectionKind::TargetGroup,
        };
        tx.collection_create(&pilot)?;
        tx.collection_add(pilot.id, no, MemberSource::Manual)
    });
}

#[test]
fn a_computer_is_made_once_and_keeps_its_number() {
    let scratch = Scratch::new();
    let (no, new) = scratch.write(|tx| tx.computer_contact(&contact("A-1")));
    assert!(new);
    let second = scratch.store.write(&actor(60), |tx| tx.computer_contact(&contact("a-1"))).expect("writes");
    assert_eq!(second, (no, false));
    let row = scratch.store.read(|tx| tx.computer_find(&id("a-1"))).expect("reads").expect("there");
    assert_eq!((row.no, row.dns_name.as_str()), (no, "a-1.Example.com"));
    assert_eq!((row.first_contact_at, row.last_contact_at), (time(0), time(60)));
    assert_eq!(row.registration, None);
    assert!(scratch.write(|tx| tx.computer_delete(no)));
    let (again, new) = scratch.write(|tx| tx.computer_contact(&contact("a-1")));
    assert!(new && again > no, "numbers are never given again");
}

#[test]
fn all_26_fields_are_kept() {
    let scratch = Scratch::new();
    let (no, _) = scratch.write(|tx| tx.computer_contact(&contact("a")));
    scratch.write(|tx| tx.computer_register(no, &registration()));
    let scratch = scratch.reopen();
    let row = scratch.store.read(|tx| tx.computer_show(no)).expect("reads").expect("there");
    assert_eq!(row.registration, Some(registration()));
    assert_eq!(row.dns_name, "renamed.example.com");
    assert_eq!(row.requested_groups.as_deref(), Some("Pilot;Berlin"));
    let missing = scratch.store.write(&actor(0), |tx| tx.computer_register(no + 1, &registration()));
    assert!(matches!(missing, Err(StoreError::Missing { .. })), "{missing:?}");
}

#[test]
fn times_change_only_where_given() {
    let scratch = Scratch::new();
    let (no, _) = scratch.write(|tx| tx.computer_contact(&contact("a")));
    let failed = ContactTimes { last_sync: Some((time(1), false, Some(-7))), ..ContactTimes::default() };
    scratch.write(|tx| tx.computer_touch(no, &failed));
    let report =
        ContactTimes { last_report_at: Some(time(2)), last_reboot_at: Some(time(3)), ..ContactTimes::default() };
    scratch.write(|tx| tx.computer_touch(no, &report));
    let row = scratch.store.read(|tx| tx.computer_show(no)).expect("reads").expect("there");
    assert_eq!(
        (row.last_sync_at, row.last_sync_succeeded, row.last_sync_error),
        (Some(time(1)), Some(false), Some(-7))
    );
    assert_eq!((row.last_report_at, row.last_reboot_at), (Some(time(2)), Some(time(3))));
    let success = ContactTimes { last_sync: Some((time(4), true, None)), ..ContactTimes::default() };
    scratch.write(|tx| tx.computer_touch(no, &success));
    let row = scratch.store.read(|tx| tx.computer_show(no)).expect("reads").expect("there");
    assert_eq!((row.last_sync_at, row.last_sync_succeeded, row.last_sync_error), (Some(time(4)), Some(true), None));
}

#[test]
fn events_are_kept_once_and_pruned_in_order() {
    let scratch = Scratch::new();
    let (no, _) = scratch.write(|tx| tx.computer_contact(&contact("a")));
    scratch.write(|tx| {
        assert!(tx.event_insert(&event(1, no, Some(1), 10))?);
        assert!(!tx.event_insert(&event(1, no, Some(1), 10))?, "the same instance");
        assert!(tx.event_insert(&event(2, no, Some(2), 20))?);
        assert!(tx.event_insert(&event(3, no, None, 20))?);
        assert!(!tx.event_insert(&event(3, no, None, 20))?, "the same instance");
        assert!(!tx.event_insert(&event(4, no, None, 19))?, "older than the latest");
        assert!(tx.event_insert(&event(5, no, None, 20))?, "at equal times the later one");
        Ok(())
    });
    let known = scratch.store.read(|tx| tx.update_no(update(1))).expect("reads");
    assert_eq!(known, None, "what computers name gets no number");
    let page = scratch.store.read(|tx| tx.event_list(no, None, 1)).expect("reads");
    assert_eq!(page.items, [event(2, no, Some(2), 20)]);
    let rest = scratch.store.read(|tx| tx.event_list(no, page.next.as_deref(), 10)).expect("reads");
    assert_eq!((rest.items, rest.next), (vec![event(1, no, Some(1), 10)], None));
    assert_eq!(scratch.store.read(|tx| tx.event_latest(no)).expect("reads"), [event(5, no, None, 20)]);
    assert_eq!(scratch.write(|tx| tx.event_prune(time(100), 1)), 1);
    let left = scratch.store.read(|tx| tx.event_list(no, None, 10)).expect("reads");
    assert_eq!(left.items, [event(2, no, Some(2), 20)]);
    assert_eq!(scratch.write(|tx| tx.event_prune(time(0), 10)), 0);
    assert_eq!(scratch.store.read(|tx| tx.event_count()).expect("reads"), 1);
    let cursor = scratch.store.read(|tx| tx.event_list(no, Some("x"), 10));
    assert!(matches!(cursor, Err(StoreError::Cursor(_))), "{cursor:?}");
}

#[test]
fn events_that_come_together_are_kept_as_one_after_the_other() {
    let scratch = Scratch::new();
    let (no, _) = scratch.write(|tx| tx.computer_contact(&contact("a")));
    scratch.write(|tx| {
        assert!(tx.event_insert(&event(1, no, Some(1), 10))?);
        let all =
            [event(1, no, Some(1), 10), event(2, no, None, 20), event(3, no, Some(2), 20), event(3, no, Some(2), 21)];
        assert_eq!(tx.event_insert_all(&all)?, [false, false, true, false]);
        assert!(tx.event_insert_all(&[])?.is_empty());
        assert_eq!(tx.event_insert_all(&[event(4, no, None, 30)])?, [false]);
        assert!(!tx.event_insert(&event(4, no, None, 30))?, "it is there");
        Ok(())
    });
    assert_eq!(scratch.store.read(|tx| tx.event_count()).expect("reads"), 2);
    assert_eq!(scratch.store.read(|tx| tx.event_latest(no)).expect("reads"), [event(4, no, None, 30)]);
    // more than are on their way at one time
    let many: Vec<_> = (0..1_500).map(|number| event(2 + number % 1_000, no, Some(number), 40)).collect();
    let new = scratch.write(|tx| tx.event_insert_all(&many));
    assert_eq!((new.len(), new.iter().filter(|new| **new).count()), (1_500, 999), "3 was there");
    assert!(new[0] && !new[1] && new[2] && !new[1_000] && !new[1_001]);
}

#[test]
fn status_is_replaced_as_a_whole() {
    let scratch = Scratch::new();
    let (no, _) = scratch.write(|tx| tx.computer_contact(&contact("a")));
    assert_eq!(scratch.store.read(|tx| tx.computer_status(no)).expect("reads"), StatusRow::default());
    assert_eq!(scratch.store.read(|tx| tx.computer_reported(no)).expect("reads"), Some((1, StatusRow::default())));
    let status = StatusRow { status: vec![1, 2], anchor: ChangeNumber(9), recent_events: vec![7; 32] };
    scratch.write(|tx| tx.computer_status_put(no, &StatusRow { status: vec![9; 9], ..status.clone() }));
    scratch.write(|tx| tx.computer_status_put(no, &status));
    assert_eq!(scratch.store.read(|tx| tx.computer_reported(no)).expect("reads"), Some((1, status.clone())));
    assert_eq!(scratch.store.read(|tx| tx.computer_reported(no + 1)).expect("reads"), None);
    let mut all = Vec::new();
    let each = &mut |no, row| {
        all.push((no, row));
        Ok(())
    };
    scratch.store.read(|tx| tx.computer_status_each(each)).expect("reads");
    assert_eq!(all, [(no, status)]);
}

#[test]
fn the_directory_and_lists_know_groups() {
    let scratch = Scratch::new();
    let group = |number: u128| CollectionId(Uuid::from_u128(number));
    scratch.write(|tx| {
        for number in [2, 1] {
            tx.collection_create(&NewCollection {
                id: group(number),
                name: format!("Group {number}"),
                parent: None,
                kind: weir_model::targeting::CollectionKind::TargetGroup,
            })?;
        }
        let mut numbers = Vec::new();
        for name in ["a", "b", "c"] {
            numbers.push(tx.computer_contact(&contact(name))?.0);
        }
        tx.computer_register(numbers[1], &registration())?;
        let built_in = CollectionId::ALL_COMPUTERS;
        assert!(tx.computer_set_groups(numbers[1], MemberSource::Requested, &[group(2), group(1), built_in])?);
        assert!(!tx.computer_set_groups(numbers[1], MemberSource::Requested, &[group(1), group(2)])?, "nothing new");
        assert!(tx.collection_add(group(1), numbers[1], MemberSource::Manual)?);
        assert!(!tx.collection_add(group(1), numbers[1], MemberSource::Manual)?, "already");
        tx.collection_add(group(1), numbers[2], MemberSource::Manual)
    });
    scratch
        .store
        .read(|tx| {
            let rows = tx.computer_directory()?;
            let seen: Vec<_> = rows.iter().map(|row| (row.id.as_str(), row.registered, row.groups.clone())).collect();
            let (one, two) = (group(1), group(2));
            assert_eq!(seen, [("a", false, vec![]), ("b", true, vec![one, two]), ("c", false, vec![one])]);
            assert_eq!(tx.collection_members(one)?, [rows[1].no, rows[2].no]);
            assert_eq!(tx.collection_members(CollectionId::UNASSIGNED_COMPUTERS)?, [rows[0].no]);
            assert_eq!(tx.collection_members(CollectionId::ALL_COMPUTERS)?.len(), 3);
            assert_eq!(tx.collection_find("GROUP 1")?.expect("there").id, one);
            assert_eq!(
                (tx.computer_count()?, tx.computer_count_since(time(0))?, tx.computer_count_since(time(1))?),
                (3, 3, 0)
            );

            let in_one = ComputerFilter { collection: Some(one), ..ComputerFilter::default() };
            let page = tx.computer_list(&in_one, None, 1)?;
            assert_eq!((page.items[0].id.as_str(), page.items.len()), ("b", 1));
            let page = tx.computer_list(&in_one, page.next.as_deref(), 1)?;
            assert_eq!((page.items[0].id.as_str(), page.next), ("c", None));
            let named = ComputerFilter { text: Some("RENAMED".to_owned()), ..ComputerFilter::default() };
            let page = tx.computer_list(&named, None, 10)?;
            assert_eq!((page.items[0].id.as_str(), page.items.len()), ("b", 1));
            assert_eq!(tx.computer_groups(rows[2].no)?, [(one, MemberSource::Manual)]);
            Ok(())
        })
        .expect("reads");
    scratch.write(|tx| tx.collection_delete(group(1)));
    let rows = scratch.store.read(|tx| tx.computer_directory()).expect("reads");
    assert_eq!(rows[1].groups, [group(2)]);
}

#[test]
fn the_directory_version_moves_with_the_directory_and_with_nothing_else() {
    let scratch = Scratch::new();
    let group = CollectionId(Uuid::from_u128(7));
    let version = || scratch.store.read(|tx| tx.computer_directory_version()).expect("reads");
    let mut last = version();
    let mut moved = || {
        let now = version();
        std::mem::replace(&mut last, now) != now
    };
    let no = scratch.write(|tx| Ok(tx.computer_contact(&contact("a"))?.0));
    assert!(moved(), "a computer came");
    scratch.write(|tx| tx.computer_contact(&contact("a")));
    assert!(!moved(), "it called again");
    scratch.write(|tx| tx.computer_register(no, &registration()));
    assert!(moved(), "it registered");
    scratch.write(|tx| tx.computer_register(no, &registration()));
    assert!(!moved(), "it registered again");
    let new = NewCollection {
        id: group,
        name: "G".to_owned(),
        parent: None,
        kind: weir_model::targeting::CollectionKind::TargetGroup,
    };
    scratch.write(|tx| tx.collection_create(&new));
    assert!(!moved(), "an empty collection");
    scratch.write(|tx| tx.collection_add(group, no, MemberSource::Manual));
    assert!(moved(), "it became a member");
    scratch.write(|tx| tx.collection_delete(group));
    assert!(moved(), "its collection went");
    scratch.write(|tx| tx.computer_delete(no));
    assert!(moved(), "it went");
}
