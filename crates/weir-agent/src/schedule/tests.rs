//! Tables of features sections 10 and 11.

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn kinds_are_those_of_the_table() {
    for (trigger, online, forced) in [
        (Trigger::Schedule, true, false),
        (Trigger::Action, true, true),
        (Trigger::Reevaluation, true, false),
        (Trigger::BeforeDownload, true, false),
        (Trigger::BeforeInstall, true, false),
        (Trigger::AfterInstall, false, true),
        (Trigger::AfterRestart, false, true),
    ] {
        assert_eq!(trigger.kind(), Kind { online, forced }, "{trigger:?}");
    }
}

#[test]
fn the_server_is_asked_when_metadata_is_old() {
    let now = at("2026-05-02T12:00:00Z");
    let (fresh, old, future) = (at("2026-05-01T12:00:01Z"), at("2026-05-01T12:00:00Z"), at("2026-05-02T12:00:01Z"));
    for (trigger, metadata, asked) in [
        (Trigger::Schedule, None, true),
        (Trigger::Schedule, Some(fresh), false),
        (Trigger::Schedule, Some(old), true),
        (Trigger::Schedule, Some(future), true),
        (Trigger::BeforeInstall, Some(fresh), false),
        (Trigger::Action, Some(fresh), true),
        (Trigger::AfterInstall, None, false),
        (Trigger::AfterRestart, Some(old), false),
    ] {
        assert_eq!(trigger.asks_server(metadata, now), asked, "{trigger:?} {metadata:?}");
    }
}

#[test]
fn retried_codes_are_the_36_and_their_neighbours_are_not() {
    let codes: std::collections::BTreeSet<u32> = RETRY_CODES.into_iter().collect();
    assert_eq!(codes.len(), 36);
    for retried in [0x8007_2EFD, 0x8024_4022, 0x8024_4010, 0x8024_F004, 0x8004_0693, 0x8024_402C] {
        assert!(is_retried(Code(retried)), "{retried:x}");
    }
    for not in [0x8024_4017, 0x8024_401B, 0x8007_2EE2, 0x8007_0057, 0x8007_2F8F, 0] {
        assert!(!is_retried(Code(not)), "{not:x}");
    }
}

#[test]
fn the_first_scan_is_within_two_hours() {
    let now = at("2026-05-01T12:00:00Z");
    for (chance, next) in [(0.0, "2026-05-01T12:00:00Z"), (0.5, "2026-05-01T13:00:00Z"), (1.0, "2026-05-01T14:00:00Z")]
    {
        let mut memory = Memory::default();
        memory.begin(now, SCAN_EVERY, chance);
        assert_eq!(memory.next, Some(at(next)), "{chance}");
    }
    // one that is known stays, also if it is past; one of a wrong clock does not
    for (known, stays) in
        [("2026-05-02T09:59:59Z", true), ("2026-04-01T00:00:00Z", true), ("2027-01-01T00:00:00Z", false)]
    {
        let mut memory = Memory { next: Some(at(known)), ..Memory::default() };
        memory.begin(now, SCAN_EVERY, 0.0);
        assert_eq!(memory.next == Some(at(known)), stays, "{known}");
    }
}

#[test]
fn scans_are_apart_by_four_to_five_fifths() {
    let now = at("2026-05-01T00:00:00Z");
    for (chance, next) in [(0.0, "2026-05-01T17:36:00Z"), (0.5, "2026-05-01T19:48:00Z"), (1.0, "2026-05-01T22:00:00Z")]
    {
        let mut memory = Memory { failures: 3, failing_since: Some(now), ..Memory::default() };
        memory.ended(Ended::Well, &list(&["a", "b"]), now, SCAN_EVERY, chance);
        assert_eq!(memory.next, Some(at(next)), "{chance}");
        assert_eq!((memory.known_good.as_deref(), memory.failures, memory.failing_since), (Some("a"), 0, None));
    }
}

/// Lets every scan fail and gives (minutes since the first failure, server) of each try.
fn tries(memory: &mut Memory, servers: &[String], code: u32, count: usize) -> Vec<(i64, String)> {
    let begin = at("2026-05-01T00:00:00Z");
    let mut now = begin;
    let mut tries = Vec::new();
    for _ in 0..count {
        let server = memory.server(servers).expect("a server").to_owned();
        tries.push((now.duration_since(begin).as_mins(), server));
        memory.ended(Ended::Failed(Code(code)), servers, now, SCAN_EVERY, 0.0);
        now = memory.next.expect("a time");
    }
    tries
}

#[test]
fn a_server_that_never_worked_is_left_after_four_tries() {
    let servers = list(&["a", "b"]);
    let found = tries(&mut Memory::default(), &servers, 0x8007_2EFD, 9);
    let expected =
        [(0, "a"), (30, "a"), (60, "a"), (90, "a"), (92, "b"), (122, "b"), (152, "b"), (182, "b"), (184, "a")];
    assert_eq!(found, expected.map(|(minute, server)| (minute, server.to_owned())));
}

#[test]
fn the_known_good_server_is_tried_for_two_hours() {
    let servers = list(&["a", "b"]);
    let mut memory = Memory { server: Some("b".into()), known_good: Some("b".into()), ..Memory::default() };
    let found = tries(&mut memory, &servers, 0x8024_4022, 6);
    let expected = [(0, "b"), (30, "b"), (60, "b"), (90, "b"), (120, "b"), (122, "a")];
    assert_eq!(found, expected.map(|(minute, server)| (minute, server.to_owned())));
}

#[test]
fn other_codes_are_neither_retried_nor_a_reason_to_switch() {
    let servers = list(&["a", "b"]);
    let mut memory = Memory::default();
    let found = tries(&mut memory, &servers, 0x8024_4017, 5);
    assert!(found.iter().all(|(_, server)| server == "a"), "{found:?}");
    assert_eq!(found[1].0, 1056, "the next scheduled scan");
}

#[test]
fn off_the_network_nothing_counts() {
    let servers = list(&["a", "b"]);
    let now = at("2026-05-01T00:00:00Z");
    let mut memory = Memory { server: Some("a".into()), failures: 3, failing_since: Some(now), ..Memory::default() };
    let before = memory.clone();
    memory.ended(Ended::Interrupted, &servers, now, SCAN_EVERY, 0.0);
    assert_eq!(memory, Memory { next: Some(at("2026-05-01T00:30:00Z")), ..before });
}

#[test]
fn affinity_outlasts_the_order_of_the_list() {
    let mut memory = Memory { server: Some("b".into()), ..Memory::default() };
    assert_eq!(memory.server(&list(&["a", "b"])), Some("b"));
    assert_eq!(memory.server(&list(&["a", "c"])), Some("a"), "b is gone");
    assert_eq!(memory.server(&[]), None);
    memory.switch(&list(&["a", "b"]));
    assert_eq!(memory.server.as_deref(), Some("a"));
    memory.switch(&[]);
    assert_eq!(memory.server, None);
}
