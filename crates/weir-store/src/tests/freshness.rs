//! Freshness, prints and retired computers.

use jiff::SignedDuration;
use weir_model::{
    freshness::Detection,
    identity::{Channel, Memory, Print, Rule, Seen},
    ids::{CollectionId, ComputerId},
    retirement::Reason,
    targeting::CollectionKind,
};

use super::{Scratch, actor, time};
use crate::{
    collection::{MemberSource, NewCollection},
    computer::{Contact, ContactTimes, Registration, StatusRow},
};

fn id(name: &str) -> ComputerId {
    name.parse().expect("a computer id")
}

/// A computer that called first and last at these times.
fn computer(scratch: &Scratch, name: &str, first: i64, last: i64) -> u32 {
    let contact = Contact {
        id: id(name),
        dns_name: format!("{name}.Example.com"),
        ip_address: Some("192.0.2.7".to_owned()),
        plain_http: false,
        requested_groups: None,
    };
    let mut no = 0;
    for at in [first, last] {
        no = scratch.store.write(&actor(at), |tx| tx.computer_contact(&contact)).expect("writes").0;
    }
    no
}

fn sheet(model: &str) -> Registration {
    Registration {
        computer_manufacturer: Some(" Maker ".to_owned()),
        computer_model: Some(model.to_owned()),
        bios_name: Some("BIOS".to_owned()),
        bios_version: Some("1.2".to_owned()),
        bios_release_date: Some(time(0)),
        processor_architecture: Some("AMD64".to_owned()),
        os_major_version: 10,
        os_build_number: 26_100,
        ..Registration::default()
    }
}

#[test]
fn the_last_call_tells_who_comes_without_tls() {
    let scratch = Scratch::new();
    let contact = |name: &str, plain_http: bool| Contact {
        id: id(name),
        dns_name: name.to_owned(),
        ip_address: None,
        plain_http,
        requested_groups: None,
    };
    for (name, plain_http, at) in [("one", true, 10), ("two", true, 20), ("two", false, 30), ("three", true, 40)] {
        scratch.store.write(&actor(at), |tx| tx.computer_contact(&contact(name, plain_http))).expect("writes");
    }
    let numbers = scratch.store.read(|tx| tx.computers_plain_http()).expect("reads");
    let of = |name: &str| scratch.store.read(|tx| tx.computer_find(&id(name))).expect("reads").expect("it is there").no;
    assert_eq!(numbers, [of("one"), of("three")]);
}

#[test]
fn one_pass_tells_when_all_were_heard_of() {
    let scratch = Scratch::new();
    let [one, two] = ["one", "two"].map(|name| computer(&scratch, name, 0, 50));
    let failed = ContactTimes {
        last_sync: Some((time(40), false, Some(-5))),
        last_report_at: Some(time(30)),
        ..ContactTimes::default()
    };
    scratch.write(|tx| tx.computer_touch(two, &failed));
    let mut rows = Vec::new();
    scratch.store.read(|tx| tx.computer_heard_each(|row| rows.push(row))).expect("reads");
    assert_eq!(rows.iter().map(|row| (row.no, row.site)).collect::<Vec<_>>(), [(one, 1), (two, 1)]);
    assert_eq!((rows[0].facts.first_contact, rows[0].facts.last_contact), (time(0), time(50)));
    assert_eq!((rows[0].facts.detection, rows[0].facts.last_report), (None, None));
    assert_eq!(rows[1].facts.detection, Some(Detection { at: time(40), hresult: -5 }));
    assert_eq!(rows[1].facts.last_report, Some(time(30)));
    assert_eq!(scratch.store.read(|tx| tx.computer_heard(two)).expect("reads"), Some(rows[1]));
    let ended = ContactTimes { last_sync: Some((time(45), true, None)), ..ContactTimes::default() };
    scratch.write(|tx| tx.computer_touch(two, &ended));
    let row = scratch.store.read(|tx| tx.computer_heard(two)).expect("reads").expect("known");
    assert_eq!(row.facts.detection, Some(Detection { at: time(45), hresult: 0 }));
    // a failure without a code never reads as a success
    let bare = ContactTimes { last_sync: Some((time(46), false, None)), ..ContactTimes::default() };
    scratch.write(|tx| tx.computer_touch(two, &bare));
    let row = scratch.store.read(|tx| tx.computer_heard(two)).expect("reads").expect("known");
    assert!(row.facts.detection.is_some_and(|detection| detection.hresult < 0));
}

#[test]
fn the_name_in_the_cookie_is_kept_apart_from_that_of_the_registration() {
    let scratch = Scratch::new();
    let no = computer(&scratch, "one", 0, 5);
    scratch.write(|tx| tx.computer_register(no, &Registration { dns_name: "ONE".to_owned(), ..sheet("box") }));
    let last = scratch.store.read(|tx| tx.computer_last_call(&id("one"))).expect("reads").expect("known");
    assert_eq!(last.cookie_name.as_deref(), Some("one.Example.com"));
    assert_eq!((last.no, last.first_contact_at, last.last_contact_at), (no, time(0), time(5)));
    assert_eq!(scratch.store.read(|tx| tx.computer_show(no)).expect("reads").expect("known").dns_name, "ONE");
}

#[test]
fn what_is_remembered_comes_back_and_goes_with_the_computer() {
    let scratch = Scratch::new();
    let [one, two] = ["one", "two"].map(|name| computer(&scratch, name, 0, 0));
    let mut memory = Memory::default();
    let rule = Rule::new(SignedDuration::from_hours(1));
    let before =
        Seen { print: Print::of_name("a"), since: time(0), until: time(10), address: Some("192.0.2.1".to_owned()) };
    assert!(memory.observe(Channel::Name, &before, &Print::of_name("b"), Some("2001:db8::1"), &rule, time(20)));
    assert!(memory.step_back(None, &rule, time(30)));
    scratch.write(|tx| tx.computer_prints_put(two, &memory));
    let sorted = |memory: &Memory| {
        let mut all = memory.sightings().to_vec();
        all.sort_by(|a, b| (a.channel, &a.print).cmp(&(b.channel, &b.print)));
        all
    };
    let read = |no: u32| scratch.store.read(|tx| tx.computer_prints(no)).expect("reads");
    assert_eq!(sorted(&read(two)), sorted(&memory));
    assert!(read(one).sightings().is_empty());
    let all = scratch.store.read(|tx| tx.computer_prints_all()).expect("reads");
    assert_eq!(all.iter().map(|(no, memory)| (*no, memory.sightings().len())).collect::<Vec<_>>(), [(two, 3)]);
    scratch.write(|tx| tx.computer_prints_put(two, &memory));
    assert_eq!(sorted(&read(two)), sorted(&memory), "stored again, not twice");
    assert_eq!(scratch.write(|tx| tx.computer_prints_prune(time(15))), 1);
    scratch.write(|tx| tx.computer_delete(two));
    assert!(scratch.store.read(|tx| tx.computer_prints_all()).expect("reads").is_empty());
}

#[test]
fn a_row_and_a_registration_describe_the_same_machine_alike() {
    let scratch = Scratch::new();
    let [one, two] = ["one", "two"].map(|name| computer(&scratch, name, 0, 9));
    scratch.write(|tx| tx.computer_register(one, &sheet("box")));
    let mut known = Vec::new();
    scratch.store.read(|tx| tx.computer_known_each(|row| known.push(row))).expect("reads");
    assert_eq!(known.iter().map(|row| row.no).collect::<Vec<_>>(), [one, two]);
    assert_eq!(known[0].hardware, sheet("box").print().hardware);
    assert_eq!(known[0].hardware, "Maker, box, AMD64, BIOS, 1.2, 2020-09-13");
    assert_eq!(known[1].hardware, "", "it has not registered");
    assert_eq!(sheet("box").print().system, "10.0.26100");
    assert_ne!(sheet("box").print(), sheet("bag").print());
}

#[test]
fn a_retired_computer_is_gone_and_has_what_it_had_when_it_calls_again() {
    let scratch = Scratch::new();
    let [one, two, here] =
        [("one", 10), ("two", 99), ("here", 10)].map(|(name, last)| computer(&scratch, name, 0, last));
    let group = CollectionId(uuid::Uuid::from_u128(7));
    let gone = CollectionId(uuid::Uuid::from_u128(8));
    scratch.write(|tx| {
        for (id, name) in [(group, "Kept"), (gone, "Gone")] {
            let kind = CollectionKind::TargetGroup;
            tx.collection_create(&NewCollection { id, name: name.to_owned(), parent: None, kind })?;
            tx.collection_add(id, one, MemberSource::Manual)?;
        }
        tx.computer_set_time_zone(one, Some("Europe/Amsterdam"))?;
        tx.computer_status_put(one, &StatusRow { status: vec![1], ..StatusRow::default() })
    });
    assert_eq!(scratch.store.read(|tx| tx.computer_retirement_counts(time(50))).expect("reads"), (3, 2));
    let due = |after, most| scratch.store.read(|tx| tx.computer_retirement_due(time(50), after, most)).expect("reads");
    assert_eq!((due(0, 10), due(one, 10), due(0, 1)), (vec![one, here], vec![here], vec![one]));

    let retire = |no| scratch.store.write(&actor(200), |tx| tx.computer_retire(no, time(50), Reason::Silent));
    assert_eq!(retire(two).expect("writes"), None, "it called meanwhile");
    assert_eq!(retire(one).expect("writes"), Some(id("one")));
    assert_eq!(retire(one).expect("writes"), None, "it is gone");
    assert_eq!(scratch.store.read(|tx| tx.computer_count()).expect("reads"), 2);
    let row = scratch.store.read(|tx| tx.computer_retired_find(&id("one"))).expect("reads").expect("retired");
    assert_eq!((row.collections.clone(), row.reason), (vec![group, gone], Reason::Silent));
    assert_eq!((row.first_contact_at, row.last_contact_at, row.retired_at), (time(0), time(10), time(200)));
    let list = scratch.store.read(|tx| tx.computer_retired_list(None, 10)).expect("reads");
    assert_eq!((list.items, list.next), (vec![row.clone()], None));

    scratch.write(|tx| tx.collection_delete(gone));
    let again = computer(&scratch, "one", 300, 300);
    assert_ne!(again, one, "numbers are given once");
    assert_eq!(scratch.write(|tx| tx.computer_restore(again, &row)), 1);
    let groups = scratch.store.read(|tx| tx.computer_groups(again)).expect("reads");
    assert_eq!(groups, [(group, MemberSource::Manual)]);
    let shown = scratch.store.read(|tx| tx.computer_show(again)).expect("reads").expect("known");
    assert_eq!((shown.first_contact_at, shown.last_contact_at), (time(0), time(300)));
    let zone = scratch.store.read(|tx| tx.computer_time_zone(again)).expect("reads");
    assert_eq!(zone.as_deref(), Some("Europe/Amsterdam"));
    assert_eq!(scratch.store.read(|tx| tx.computer_retired_count(time(0))).expect("reads"), 0);
    assert!(
        scratch.store.read(|tx| tx.computer_status(again)).expect("reads").status.is_empty(),
        "it must report anew"
    );

    retire(here).expect("writes");
    let counts = [200, 201].map(|at| scratch.store.read(|tx| tx.computer_retired_count(time(at))).expect("reads"));
    assert_eq!(counts, [1, 0]);
    assert_eq!(scratch.write(|tx| tx.computer_retired_prune(time(199))), 0);
    assert_eq!(scratch.write(|tx| tx.computer_retired_prune(time(201))), 1);
}

#[test]
fn a_computer_of_a_server_below_is_not_retired_here() {
    let scratch = Scratch::new();
    let no = computer(&scratch, "one", 0, 1);
    // as the server below tells of it
    scratch.execute("UPDATE computer SET site_no = 2", &[]);
    assert_eq!(scratch.store.read(|tx| tx.computer_retirement_counts(time(50))).expect("reads"), (0, 0));
    assert_eq!(scratch.write(|tx| tx.computer_retire(no, time(50), Reason::Silent)), None);
}

/// What one pass costs: `cargo test --release -p weir-store what_one_pass_costs -- --ignored --nocapture`.
#[test]
#[ignore = "a measure, not a test: it says nothing about right or wrong"]
#[expect(clippy::print_stdout, reason = "it is read by people")]
fn what_one_pass_costs() {
    use std::time::Instant;
    let (mut sizes, mut times) = (Vec::new(), Vec::new());
    for size in [15_000_i64, 50_000, 150_000] {
        let scratch = Scratch::sqlite();
        let connection = rusqlite::Connection::open(scratch.folder.path().join("weir.db")).expect("opens");
        let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
            INSERT INTO computer (computer_id, dns_name, search, ip_address, plain_http, first_contact_at, last_contact_at,
                last_sync_at, last_sync_succeeded, last_report_at, registered_at, os_major_version, os_minor_version,
                os_build_number, os_service_pack_major_number, os_service_pack_minor_number, os_locale,
                computer_manufacturer, computer_model, bios_version, bios_name, bios_release_date,
                processor_architecture, suite_mask, old_product_type, new_product_type, system_metrics,
                client_version_major_number, client_version_minor_number, client_version_build_number,
                client_version_qfe_number, os_description)
            SELECT printf('6f9e2c1a-0000-4000-8000-%012x', i), printf('pc%06d.berlin.example.com', i),
                printf('pc%06d.berlin.example.com', i), '192.0.2.1', 0, 1, 1600000000000000 + i, 1600000000000000, 1,
                1600000000000000, 1, 10, 0, 26100, 0, 0, 'en-US', 'Contoso Ltd.', printf('Model %d', i % 40), '1.20.0',
                'Contoso BIOS', 1600000000000000, 'AMD64', 256, 1, 48, 0, 10, 0, 26100, 1742, 'Windows 11 Enterprise'
            FROM n";
        connection.execute(fill, [size]).expect("fills");
        let best = |work: &dyn Fn()| {
            let once = || {
                let began = Instant::now();
                work();
                began.elapsed().as_secs_f64() * 1e3
            };
            let mut times: Vec<f64> = (0..7).map(|_| once()).collect();
            times.sort_by(f64::total_cmp);
            times[3]
        };
        let rule = weir_model::freshness::Rule::days(30);
        let judged = best(&|| {
            let mut tally = weir_model::freshness::Tally::default();
            let each = |row: crate::freshness::HeardRow| {
                tally.add(&weir_model::freshness::judge(&row.facts, &rule, time(0)));
            };
            scratch.store.read(|tx| tx.computer_heard_each(each)).expect("reads");
            assert_eq!(tally.total(), size.unsigned_abs());
        });
        let twins = best(&|| {
            let mut known = Vec::new();
            scratch.store.read(|tx| tx.computer_known_each(|row| known.push(row))).expect("reads");
            assert!(weir_model::identity::duplicates(known, time(0)).is_empty());
        });
        let due = best(&|| {
            let counts = scratch.store.read(|tx| tx.computer_retirement_counts(time(0))).expect("reads");
            assert_eq!(counts.0, size.unsigned_abs());
        });
        println!("{size} computers: freshness {judged:.1} ms, duplicates {twins:.1} ms, due to be retired {due:.1} ms");
        sizes.push((size as f64).ln());
        times.push(judged.ln());
    }
    let exponent = (times[2] - times[0]) / (sizes[2] - sizes[0]);
    println!("growth exponent of freshness: {exponent:.2}");
}
