//! Schedules of reports, and what reports read of computers.

use std::collections::BTreeMap;

use uuid::Uuid;
use weir_model::{report::Format, status::ComputerStatus};

use super::{Scratch, time};
use crate::{
    StoreError,
    computer::{Contact, ContactTimes, StatusRow},
    report_schedule::{ReportRun, ReportSchedule},
};

pub(super) fn wanted(name: &str) -> ReportSchedule {
    ReportSchedule {
        name: name.to_owned(),
        enabled: true,
        report: "clients-silent".to_owned(),
        parameters: BTreeMap::from([("days".to_owned(), "14".to_owned())]),
        limit: 500,
        recurrence: "weekly monday at 06:00 Europe/Amsterdam".parse().expect("a schedule"),
        format: Format::Html,
        addresses: vec!["a@example.org".to_owned(), "b@example.org".to_owned()],
        folder: Some("weekly".to_owned()),
        keep: 12,
    }
}

#[test]
fn a_schedule_comes_back_as_it_went_in() {
    let scratch = Scratch::new();
    let id = Uuid::from_u128(1);
    scratch.write(|tx| tx.report_schedule_put(id, &wanted("Silent"), time(5)));
    let row = scratch.store.read(|tx| tx.report_schedule_find(" SILENT ")).expect("reads").expect("is there");
    assert_eq!((row.id, &row.wanted, row.since), (id, &wanted("Silent"), time(5)));
    assert_eq!((row.attempts, row.again_at, row.last), (0, None, ReportRun::default()));
    let mut changed = wanted("Quiet");
    (changed.addresses, changed.folder, changed.enabled) = (Vec::new(), None, false);
    scratch.write(|tx| tx.report_schedule_put(id, &changed, time(6)));
    scratch.write(|tx| tx.report_schedule_put(Uuid::from_u128(2), &wanted("Another"), time(6)));
    let names: Vec<String> = scratch
        .store
        .read(|tx| tx.report_schedule_list())
        .expect("reads")
        .into_iter()
        .map(|row| row.wanted.name)
        .collect();
    assert_eq!(names, ["Another", "Quiet"]);
    assert_eq!(scratch.store.read(|tx| tx.report_schedule_show(id)).expect("reads").expect("there").wanted, changed);
    let twice = scratch
        .store
        .write(&super::actor(0), |tx| tx.report_schedule_put(Uuid::from_u128(3), &wanted("QUIET"), time(6)));
    assert!(
        matches!(&twice, Err(StoreError::Constraint { rule, .. }) if rule.contains("schedules of reports")),
        "{twice:?}"
    );
    assert!(scratch.write(|tx| tx.report_schedule_delete(id)));
    assert!(!scratch.write(|tx| tx.report_schedule_delete(id)));
}

#[test]
fn one_takes_a_report_up_and_notes_what_became_of_it() {
    let scratch = Scratch::new();
    let id = Uuid::from_u128(1);
    scratch.write(|tx| tx.report_schedule_put(id, &wanted("Silent"), time(5)));
    assert!(scratch.write(|tx| tx.report_schedule_take(id, "one", time(100))));
    assert!(!scratch.write(|tx| tx.report_schedule_take(id, "two", time(100))), "it is taken");
    assert!(!scratch.write(|tx| tx.report_schedule_done(id, "two", time(9), 1, 1, None)), "it is another's");
    assert!(scratch.write(|tx| tx.report_schedule_failed(id, "one", time(9), Some(time(50)), "no server", None)));
    let row = scratch.store.read(|tx| tx.report_schedule_show(id)).expect("reads").expect("there");
    assert_eq!((row.since, row.again_at, row.attempts), (time(9), Some(time(50)), 1));
    assert_eq!(row.last.error.as_deref(), Some("no server"));
    // again for the same occurrence, then for another one
    for (since, attempts, file) in [(9, 2, Some("a.csv")), (10, 1, None)] {
        assert!(scratch.write(|tx| tx.report_schedule_take(id, "one", time(100))));
        assert!(scratch.write(|tx| tx.report_schedule_failed(id, "one", time(since), None, "no server", file)));
        let row = scratch.store.read(|tx| tx.report_schedule_show(id)).expect("reads").expect("there");
        assert_eq!((row.since, row.attempts, row.last.file.as_deref()), (time(since), attempts, file));
    }
    // an earlier process died with it
    assert!(scratch.write(|tx| tx.report_schedule_take(id, "one", time(100))));
    scratch.write(|tx| tx.report_schedule_give_back());
    assert!(scratch.write(|tx| tx.report_schedule_take(id, "three", time(100))));
    assert!(scratch.write(|tx| tx.report_schedule_done(id, "three", time(8), 3, 7, Some("a.csv"))));
    let row = scratch.store.read(|tx| tx.report_schedule_show(id)).expect("reads").expect("there");
    assert_eq!((row.since, row.again_at, row.attempts), (time(10), None, 0), "what is done stays done");
    assert_eq!((row.last.rows, row.last.total, row.last.file.as_deref()), (Some(3), Some(7), Some("a.csv")));
    assert_eq!((row.last.error, row.lease_until), (None, None));
}

#[test]
fn computers_come_one_after_the_other_with_what_they_reported() {
    let scratch = Scratch::new();
    let mut numbers = Vec::new();
    for name in ["b", "a"] {
        let contact = Contact {
            id: name.parse().expect("id"),
            dns_name: format!("{name}.example.org"),
            ip_address: None,
            plain_http: false,
            requested_groups: None,
        };
        numbers.push(scratch.write(|tx| tx.computer_contact(&contact)).0);
    }
    let mut status = ComputerStatus::default();
    status.reported = Some(time(3));
    let status = status.encode();
    let row = StatusRow { status: status.clone(), ..StatusRow::default() };
    scratch.write(|tx| tx.computer_status_put(numbers[1], &row));
    let times = ContactTimes { last_sync: Some((time(4), false, Some(-5))), ..ContactTimes::default() };
    scratch.write(|tx| tx.computer_touch(numbers[1], &times));
    let read = |of: &[u32], with: bool| {
        let mut found = Vec::new();
        let each = &mut |row: crate::report::ReportComputer, status: &[u8]| {
            found.push((row.no, row.dns_name, row.last_sync_error, status.len()));
            Ok(())
        };
        scratch.store.read(|tx| tx.report_computers_of(of, with, each)).expect("reads");
        found
    };
    let name = |name: &str| format!("{name}.example.org");
    let all = [(numbers[0], name("b"), None, 0), (numbers[1], name("a"), Some(-5), status.len())];
    assert_eq!(read(&numbers, true), all);
    assert!(read(&numbers, false).iter().all(|(.., status)| *status == 0));
    assert_eq!(read(&numbers[1..], true), all[1..], "what nobody asked for is left out");
    let gone = [numbers[1], numbers[1] + 1, numbers[1] + 1_000];
    assert_eq!(read(&gone, true), all[1..], "and what is gone");
    assert!(read(&[], true).is_empty());
}
