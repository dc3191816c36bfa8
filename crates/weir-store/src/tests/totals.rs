//! What the status counts.

use rusqlite::Connection;
use weir_model::ids::ComputerId;

use super::{Scratch, actor, category, software, time};
use crate::{
    computer::{Contact, ContactTimes},
    list::UpdateFilter,
    sql,
};

fn call(scratch: &Scratch, name: &str, plain_http: bool) -> u32 {
    let id: ComputerId = name.parse().expect("a computer id");
    let dns_name = format!("{name}.example.com");
    let contact = Contact { id, dns_name, ip_address: None, plain_http, requested_groups: None };
    scratch.store.write(&actor(1), |tx| tx.computer_contact(&contact)).expect("writes").0
}

#[test]
fn updates_are_counted_as_lists_count_them() {
    let scratch = Scratch::new();
    let counts = || scratch.store.read(|tx| Ok((tx.search_count()?, tx.update_count()?))).expect("reads");
    assert_eq!(counts(), (0, 0));
    let product = category(100, weir_model::update::CategoryKind::Product, None);
    scratch.import(vec![software(1, 1), software(1, 2), software(2, 1), product]);
    // an update that is known without a revision does not count
    scratch.write(|tx| tx.update_decline(super::update(77)));
    assert_eq!(counts(), (4, 3));
    let facets = scratch.store.read(|tx| tx.update_facets(&UpdateFilter::default())).expect("reads");
    assert_eq!((facets.total(), facets.updates), (4, 3));
}

#[test]
fn computers_are_counted_by_their_last_call() {
    let scratch = Scratch::new();
    let plain = || scratch.store.read(|tx| tx.computer_count_plain_http()).expect("reads");
    let share = || scratch.store.read(|tx| tx.computer_transport_share()).expect("reads");
    assert_eq!((plain(), share()), (0, (0, 0)));
    for (name, plain_http) in [("one", true), ("two", true), ("three", false)] {
        call(&scratch, name, plain_http);
    }
    assert_eq!((plain(), share()), (2, (3, 2)));
    let two = call(&scratch, "two", false);
    assert_eq!((plain(), share()), (1, (3, 1)), "the last call counts");
    scratch.execute("UPDATE computer SET site_no = 2 WHERE computer_no = ?1", &[two.into()]);
    assert_eq!((plain(), share()), (1, (2, 1)), "of other servers it is not known");
    scratch.execute("UPDATE computer SET site_no = 2", &[]);
    assert_eq!((plain(), share()), (1, (0, 0)));
}

#[test]
fn one_report_is_enough() {
    let scratch = Scratch::new();
    let reported = || scratch.store.read(|tx| tx.computer_any_reported()).expect("reads");
    assert!(!reported());
    call(&scratch, "one", false);
    let two = call(&scratch, "two", false);
    assert!(!reported());
    let times = ContactTimes { last_report_at: Some(time(30)), ..ContactTimes::default() };
    scratch.write(|tx| tx.computer_touch(two, &times));
    assert!(reported());
}

/// What pages wait for reads no rows of computers. (A plan of the embedded engine.)
#[test]
fn counts_of_computers_read_indexes_alone() {
    let scratch = Scratch::sqlite();
    let connection = Connection::open(scratch.folder.path().join("weir.db")).expect("opens");
    let actions = [
        "counting computers",
        "counting computers without TLS",
        "counting the computers that scan here",
        "counting computers that scan here without TLS",
    ];
    let mut found = 0;
    for statement in sql::all().filter(|statement| actions.contains(&statement.action)) {
        found += 1;
        let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.text)).expect("prepares");
        let mut plan = explain.query([]).expect("explains");
        let step: String = plan.next().expect("explains").expect("a step").get(3).expect("text");
        assert!(step.contains("COVERING INDEX"), "{}: {step}", statement.action);
    }
    assert_eq!(found, actions.len());
}
