//! What lists of failures read: of computers that could not scan, and of some computers among many.

use weir_model::exposure::OsBuild;

use super::{Scratch, time};
use crate::{
    computer::{Contact, ContactTimes, Registration, StatusRow},
    failure::{FailedScan, OperatingSystem},
};

/// Computers with the numbers 1 to `count`.
fn with_computers(count: u32) -> Scratch {
    let scratch = Scratch::new();
    scratch.write(|tx| {
        for number in 1..=count {
            let name = format!("pc-{number}");
            let contact = Contact {
                id: name.parse().expect("a computer id"),
                dns_name: name,
                ip_address: None,
                plain_http: false,
                requested_groups: None,
            };
            assert_eq!(tx.computer_contact(&contact)?, (number, true));
        }
        Ok(())
    });
    scratch
}

#[test]
fn computers_whose_last_scan_failed_are_found() {
    let scratch = with_computers(4);
    let found = || scratch.store.read(|tx| tx.failed_scans()).expect("reads");
    let scans = |no, second, succeeded, error| {
        let times = ContactTimes { last_sync: Some((time(second), succeeded, error)), ..ContactTimes::default() };
        scratch.write(|tx| tx.computer_touch(no, &times));
    };
    let failed = |no, second, error| FailedScan { no, at: time(second), error };
    assert!(found().is_empty(), "nobody scanned");
    scans(4, 1, false, Some(-7));
    scans(2, 2, false, None);
    scans(1, 3, true, None);
    assert_eq!(found(), [failed(2, 2, None), failed(4, 1, Some(-7))]);
    scans(4, 5, true, None);
    assert_eq!(found(), [failed(2, 2, None)]);
    scans(2, 6, false, Some(-8));
    assert_eq!(found(), [failed(2, 6, Some(-8))]);
    assert!(scratch.write(|tx| tx.computer_delete(2)));
    assert!(found().is_empty());
}

#[test]
fn some_computers_are_read_among_many() {
    // more than one statement takes, and not a multiple of that
    let scratch = with_computers(150);
    scratch.write(|tx| {
        for no in (1..=150).filter(|no| no % 3 == 0) {
            let status = StatusRow { status: vec![no as u8; 4], ..StatusRow::default() };
            tx.computer_status_put(no, &status)?;
            let registration = Registration {
                os_major_version: 10,
                os_build_number: no as i32,
                os_description: (no.is_multiple_of(2)).then(|| " Windows 11 Pro ".to_owned()),
                ..Registration::default()
            };
            tx.computer_register(no, &registration)?;
        }
        Ok(())
    });
    for asked in [vec![], vec![3], vec![4], (1..=200).collect(), (10..=140).step_by(2).collect::<Vec<u32>>()] {
        let known: Vec<u32> = asked.iter().copied().filter(|no| *no <= 150 && no % 3 == 0).collect();
        let (mut statuses, mut builds) = (Vec::new(), Vec::new());
        let systems = scratch.store.read(|tx| {
            tx.feed_status_of(&asked, &mut |no, status| {
                statuses.push((no, status.to_vec()));
                Ok(())
            })?;
            tx.computer_builds_of(&asked, &mut |no, build| builds.push((no, build)))?;
            tx.computer_systems_of(&asked)
        });
        assert_eq!(statuses, known.iter().map(|no| (*no, vec![*no as u8; 4])).collect::<Vec<_>>());
        let build = |no: u32| OsBuild { release: [10, 0, no], revision: None };
        assert_eq!(builds, known.iter().map(|no| (*no, build(*no))).collect::<Vec<_>>());
        let system = |no: u32| OperatingSystem {
            name: if no.is_multiple_of(2) { "Windows 11 Pro".to_owned() } else { String::new() },
            major: 10,
            minor: 0,
            build: no as i32,
        };
        let expected: Vec<_> = known.iter().map(|no| (*no, system(*no))).collect();
        assert_eq!(systems.expect("reads"), expected);
    }
}
