//! Members found by rules over what computers are, on a store of each test's own.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use uuid::Uuid;
use weir_model::{ids::CollectionId, targeting::CollectionKind};
use weir_store::{
    Actor, Options, Store, StoreError, WriteTx,
    collection::{MemberSource, NewCollection},
    computer::{Contact, ContactTimes, Registration},
    membership::{CollectionDefinition, MembershipRow},
};

use super::*;
use crate::live::Live;

const PATIENCE: Duration = Duration::from_secs(60);

fn id(number: u128) -> CollectionId {
    CollectionId(Uuid::from_u128(number))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("time")
}

fn open() -> (Store, TempDir) {
    let folder = tempfile::tempdir().expect("folder");
    let options = Options { database: weir_testkit::engine::database(folder.path()), ..Options::default() };
    (Store::open(folder.path(), &options).expect("opens"), folder)
}

fn write<T>(store: &Store, work: impl FnOnce(&WriteTx<'_>) -> Result<T, StoreError>) -> T {
    store.write(&Actor::system("test", at(0)), work).expect("writes")
}

fn contact(name: &str, address: &str) -> Contact {
    Contact {
        id: name.parse().expect("id"),
        dns_name: format!("{name}.Berlin.example.com"),
        ip_address: Some(address.to_owned()),
        plain_http: false,
        requested_groups: Some("Ring 1; Kiosk".to_owned()),
    }
}

fn server_2019() -> Registration {
    Registration {
        os_major_version: 10,
        os_build_number: 17_763,
        os_locale: Some("de-DE".to_owned()),
        computer_manufacturer: Some("Contoso ".to_owned()),
        computer_model: Some("R 740".to_owned()),
        bios_version: Some("1.2".to_owned()),
        processor_architecture: Some("AMD64".to_owned()),
        old_product_type: 3,
        client_version_major_number: 10,
        client_version_build_number: 17_763,
        client_version_qfe_number: 1,
        os_description: Some("Windows Server Datacenter".to_owned()),
        ..Registration::default()
    }
}

fn rule(store: &Store, number: u128, text: &str) {
    write(store, |tx| {
        tx.collection_create(&NewCollection {
            id: id(number),
            name: format!("Rule {number}"),
            parent: None,
            kind: CollectionKind::Rule,
        })?;
        let rule = (!text.is_empty()).then(|| text.to_owned());
        tx.collection_define(id(number), &CollectionDefinition { rule, ..CollectionDefinition::default() })
    });
}

fn row(store: &Store, no: u32) -> MembershipRow {
    store.read(|tx| tx.membership_of(no, true)).expect("reads").expect("scans here")
}

fn compiled(store: &Store) -> Compiled {
    store.read(Compiled::read).expect("reads")
}

#[test]
fn a_table_of_rules() {
    let (store, _folder) = open();
    let (known, stranger) = write(&store, |tx| {
        let (no, _) = tx.computer_contact(&contact("srv-1", "10.1.2.3"))?;
        tx.computer_register(no, &server_2019())?;
        tx.computer_set_time_zone(no, Some("Europe/Amsterdam"))?;
        let times = ContactTimes {
            last_sync: Some((at(-60), false, Some(0x8024_4022_u32 as i32))),
            last_report_at: Some(at(-3_600)),
            ..ContactTimes::default()
        };
        tx.computer_touch(no, &times)?;
        let (stranger, _) = tx.computer_contact(&contact("new", "2001:db8::7"))?;
        Ok((no, stranger))
    });
    let both = true;
    let table: [(&str, bool, bool); 44] = [
        ("os ~ \"server 2019\"", true, false),
        ("os ~ datacenter and ip in 10.0.0.0/8", true, false),
        ("ip in 10.0.0.0/8", true, false),
        ("ip = 2001:db8::/32", false, both),
        ("ip in (10.1.2.3, 2001:db8::7)", true, both),
        ("server", true, false),
        ("workstation", false, false),
        ("not server", false, both),
        ("role = server", true, false),
        ("role = dc", false, false),
        ("role is empty", false, both),
        ("architecture = x64", true, false),
        ("architecture != x64", false, both),
        ("build = 17763", true, false),
        ("build >= 17000 and build < 18000", true, false),
        ("build < 17763", false, false),
        ("os_version = 10.0.17763", true, false),
        ("os_version > 10.0", false, false),
        ("os_version < 10.1", true, false),
        ("client_version >= 10.0.17763.1", true, false),
        ("service_pack = 0", true, false),
        ("name = srv-1", true, false),
        ("name = srv-1.berlin.example.com", true, false),
        ("name ~ new", false, both),
        ("domain = berlin.example.com", true, both),
        ("domain ~ munich", false, false),
        ("locale = DE-de", true, false),
        ("manufacturer = contoso", true, false),
        ("model ~ 740", true, false),
        ("bios_version = 1.2", true, false),
        ("requested_group = kiosk", true, both),
        ("requested_group = ring", false, false),
        ("plain_http", false, false),
        ("zone = europe/amsterdam", true, false),
        ("scan_error = 0x80244022", true, false),
        ("scan_error is empty", false, both),
        ("never_reported", false, both),
        ("last_scan < 2 minutes", true, false),
        ("last_scan > 2 minutes", false, false),
        ("last_report < 2 hours and last_report > 30 minutes", true, false),
        ("first_seen < 1 days", true, both),
        ("last_contact > 1 days", false, false),
        ("needed > 0 or failed > 0 or installed > 0 or restart_pending", false, false),
        ("needed is empty", true, both),
    ];
    for (text, first, second) in table {
        let (store, _folder) = (&store, ());
        rule(store, 10, text);
        let compiled = compiled(store);
        let member = |no| !compiled.evaluate(&row(store, no), &StatusView::default(), at(0)).members.is_empty();
        assert_eq!((member(known), member(stranger)), (first, second), "{text}");
        write(store, |tx| tx.collection_delete(id(10)));
    }
}

#[test]
fn rules_follow_groups_collections_and_time() {
    let (store, _folder) = open();
    let no = write(&store, |tx| {
        for (number, parent) in [(1, None), (2, Some(id(1)))] {
            let kind = CollectionKind::TargetGroup;
            tx.collection_create(&NewCollection { id: id(number), name: format!("G{number}"), parent, kind })?;
        }
        let (no, _) = tx.computer_contact(&contact("a", "10.0.0.1"))?;
        tx.computer_register(no, &server_2019())?;
        tx.collection_add(id(2), no, MemberSource::Manual)?;
        Ok(no)
    });
    rule(&store, 10, "server");
    rule(&store, 11, &format!("collection = {}", id(10)));
    rule(&store, 12, &format!("collection = {} or not collection = {}", id(1), id(2)));
    rule(&store, 13, "last_contact > 30 days");
    write(&store, |tx| {
        let mut named = tx.collection_definition(id(11))?.unwrap_or_default();
        named.named.insert(id(10));
        tx.collection_define(id(11), &named)?;
        let mut below = tx.collection_definition(id(12))?.unwrap_or_default();
        below.named.extend([id(1), id(2)]);
        tx.collection_define(id(12), &below)
    });
    let compiled = compiled(&store);
    let found = |now| compiled.evaluate(&row(&store, no), &StatusView::default(), now);
    let early = found(at(1));
    let members: BTreeSet<_> = early.members.iter().map(|(id, _)| *id).collect();
    assert_eq!(members, BTreeSet::from([id(10), id(11)]), "a rule asks for the group itself, not for what is above");
    let turn = early.next.expect("it grows older");
    assert_eq!(turn, at(0) + SignedDuration::from_secs(30 * 86_400 + 1));
    assert_eq!(found(turn - SignedDuration::from_secs(1)).members.len(), 2);
    let late = found(turn);
    assert!(late.members.contains(&(id(13), MemberSource::Rule)), "{late:?}");
    assert_eq!(late.next, None, "it stays old until it calls");
}

/// Groups that scans see of a computer.
fn shown(live: &Live, name: &str) -> Vec<CollectionId> {
    live.directory.find(&name.parse().expect("id")).expect("known").groups.collections().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_reaches_every_computer_and_later_ones_those_whose_facts_it_looks_at() {
    let (store, _folder) = open();
    write(&store, |tx| {
        for number in 0..2_300 {
            let (no, _) = tx.computer_contact(&contact(&format!("c{number}"), &format!("10.0.{}.7", number % 200)))?;
            if number % 3 == 0 {
                tx.computer_register(no, &server_2019())?;
            }
        }
        Ok(())
    });
    let live = Live::new(store.clone());
    live.open().await.expect("opens");
    rule(&store, 10, "server");
    rule(&store, 11, "ip in 10.0.199.0/24");
    live.republish().await.expect("publishes");
    assert!(live.membership.settle(PATIENCE).await);
    let members = |number| store.read(move |tx| Ok(tx.collection_members(id(number))?.len())).expect("reads");
    assert_eq!((members(10), members(11)), (767, 11));
    let unassigned = CollectionId::UNASSIGNED_COMPUTERS;
    assert_eq!(shown(&live, "c0"), BTreeSet::from([id(10), unassigned]).into_iter().collect::<Vec<_>>());
    assert_eq!(shown(&live, "c1"), [unassigned]);
    let (version, done) = store.read(|tx| tx.membership_version()).expect("reads");
    assert_eq!(version, done);
    assert_eq!(live.membership.evaluating(id(10), version), None);

    // what was found is in memory: nothing is to be loaded
    let loaded = live.directory.version().map(|version| version.directory);
    assert_eq!(loaded, Some(store.read(|tx| tx.computer_directory_version()).expect("reads")));

    // a group is joined behind the server's back
    write(&store, |tx| {
        tx.collection_create(&NewCollection {
            id: id(1),
            name: "Ring".to_owned(),
            parent: None,
            kind: CollectionKind::TargetGroup,
        })?;
        let mut all = tx.collection_definition(id(11))?.unwrap_or_default();
        all.includes.insert(id(1));
        tx.collection_define(id(11), &all)
    });
    assert!(live.membership.settle(PATIENCE).await);
    assert_eq!(members(11), 11);
    let one = store.read(|tx| tx.computer_find(&"c1".parse().expect("id"))).expect("reads").expect("there");
    write(&store, |tx| tx.collection_add(id(1), one.no, MemberSource::Manual));
    assert!(live.membership.settle(PATIENCE).await);
    assert_eq!(members(11), 12);
    assert_eq!(shown(&live, "c1"), [id(1), id(11)]);

    // and a collection goes
    write(&store, |tx| tx.collection_delete(id(10)));
    live.republish().await.expect("publishes");
    assert!(live.membership.settle(PATIENCE).await);
    assert_eq!(shown(&live, "c0"), [unassigned]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ages_are_reached_without_anybody_asking() {
    let (store, _folder) = open();
    let now = Timestamp::now();
    // a contact that turns 1 minute and 1 second old in two seconds
    let actor = Actor::system("test", now - SignedDuration::from_secs(59));
    store.write(&actor, |tx| tx.computer_contact(&contact("a", "10.0.0.1"))).expect("writes");
    rule(&store, 10, "last_contact > 1 minutes");
    let live = Live::new(store.clone());
    live.open().await.expect("opens");
    assert!(live.membership.settle(PATIENCE).await);
    let unassigned = CollectionId::UNASSIGNED_COMPUTERS;
    let began = Timestamp::now();
    while shown(&live, "a") == [unassigned] {
        assert!(Timestamp::now().duration_since(began) < SignedDuration::from_secs(60), "it never became old");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(shown(&live, "a").len(), 2);
    assert!(Timestamp::now() >= now + SignedDuration::from_secs(2), "and not too early");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_process_left_half_done_is_finished_by_the_next() {
    let (store, _folder) = open();
    write(&store, |tx| {
        let (no, _) = tx.computer_contact(&contact("a", "10.0.0.1"))?;
        tx.computer_register(no, &server_2019())?;
        tx.computer_contact(&contact("b", "10.0.0.2")).map(drop)
    });
    rule(&store, 10, "server");
    // the wrong computer, from the definition before
    write(&store, |tx| tx.computer_decide(2, &[], &[(id(10), MemberSource::Rule)]));
    let live = Live::new(store.clone());
    live.republish().await.expect("publishes");
    let version = store.read(|tx| tx.membership_version()).expect("reads").0;
    assert!(live.membership.evaluating(id(10), version).is_some(), "nobody looked yet");
    live.open().await.expect("opens");
    assert!(live.membership.settle(PATIENCE).await);
    assert_eq!(store.read(|tx| tx.collection_members(id(10))).expect("reads"), [1]);
    let sources: BTreeMap<u32, Vec<MemberSource>> =
        [1, 2].into_iter().map(|no| (no, store.read(|tx| tx.member_sources(id(10), no)).expect("reads"))).collect();
    assert_eq!(sources[&1], [MemberSource::Rule]);
    assert_eq!(sources[&2], []);
    assert_eq!(shown(&live, "b"), [CollectionId::UNASSIGNED_COMPUTERS]);
}
