//! Shared ids and rows left behind.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).expect("in range")
}

fn rule() -> Rule {
    Rule::new(SignedDuration::from_hours(1))
}

/// A computer as a server follows it: what its row says, and what is remembered.
struct Followed {
    memory: Memory,
    print: Print,
    seen: Timestamp,
    writes: usize,
}

impl Followed {
    fn new(name: &str) -> Self {
        Self { memory: Memory::default(), print: Print::of_name(name), seen: at(0), writes: 0 }
    }

    fn calls(&mut self, name: &str, seconds: i64) {
        self.shows(Channel::Name, Print::of_name(name), seconds);
    }

    fn shows(&mut self, channel: Channel, print: Print, seconds: i64) {
        let before =
            Seen { print: self.print.clone(), since: at(0), until: self.seen, address: Some("192.0.2.1".to_owned()) };
        let changed = self.memory.observe(channel, &before, &print, Some("192.0.2.2"), &rule(), at(seconds));
        self.writes += usize::from(changed);
        (self.print, self.seen) = (print, at(seconds));
    }

    fn verdict(&self, seconds: i64) -> Option<(Certainty, Vec<Evidence>)> {
        self.memory.judge(at(seconds)).map(|cloned| (cloned.certainty, cloned.evidence))
    }
}

#[test]
fn what_stays_costs_nothing() {
    let mut one = Followed::new("a");
    for day in 1..400 {
        one.calls("A", day * DAY);
    }
    assert_eq!((one.writes, one.memory.sightings().len()), (0, 0));
    assert_eq!(one.verdict(400 * DAY), None);
}

#[test]
fn a_rename_is_no_clone_and_neither_is_one_that_is_undone() {
    let mut one = Followed::new("a");
    one.calls("a", DAY);
    one.calls("b", 2 * DAY);
    assert_eq!(one.verdict(2 * DAY), None);
    one.calls("a", 4 * DAY);
    assert_eq!(one.verdict(4 * DAY), None, "one return");
}

#[test]
fn names_that_take_turns_are_a_clone() {
    let mut one = Followed::new("a");
    for (name, seconds) in [("b", DAY), ("a", 2 * DAY), ("b", 2 * DAY + HOUR)] {
        assert_eq!(one.verdict(seconds), None);
        one.calls(name, seconds);
    }
    let cloned = one.memory.judge(at(3 * DAY)).expect("a clone");
    assert_eq!((cloned.certainty, &cloned.evidence[..]), (Certainty::Certain, &[Evidence::NamesTakeTurns][..]));
    assert_eq!((cloned.since, cloned.last), (at(DAY), at(2 * DAY + HOUR)), "since the second came");
    let mut names: Vec<_> = one.memory.sightings().iter().map(|seen| seen.print.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["a", "b"]);
    assert!(one.memory.sightings().iter().all(|seen| seen.address.is_some()), "so that they can be found");
    // once both have ids of their own it is over by itself
    assert!(one.memory.judge(at(16 * DAY)).is_some());
    assert_eq!(one.memory.judge(at(17 * DAY)), None);
}

/// After a rename the cookie of before is good until it expires: both names are seen in turn for that long.
#[test]
fn cookies_of_before_a_rename_are_no_returns() {
    let mut one = Followed::new("a");
    for minute in 0..6 {
        one.calls(if minute % 2 == 0 { "b" } else { "a" }, DAY + minute * 10 * 60);
    }
    one.calls("b", DAY + 7 * 600);
    assert_eq!(one.verdict(DAY + HOUR), None);
    assert!(one.memory.sightings().iter().all(|seen| seen.returns == 0));
    // a site whose cookies live for a week waits for longer
    let patient = Rule::new(SignedDuration::from_hours(24 * 7));
    let mut memory = Memory::default();
    let seen = |name: &str| Seen { print: Print::of_name(name), since: at(0), until: at(DAY), address: None };
    for (day, (before, now)) in [("a", "b"), ("b", "a"), ("a", "b"), ("b", "a")].into_iter().enumerate() {
        memory.observe(Channel::Name, &seen(before), &Print::of_name(now), None, &patient, at(day as i64 * DAY));
    }
    assert_eq!(memory.judge(at(4 * DAY)), None);
}

#[test]
fn a_crowd_is_a_clone_although_none_returns() {
    let mut one = Followed::new("pc0");
    for number in 1..4 {
        one.calls(&format!("pc{number}"), number * HOUR);
    }
    assert_eq!(one.verdict(4 * HOUR), Some((Certainty::Certain, vec![Evidence::ManyNames])));
    for number in 4..1_000 {
        one.calls(&format!("pc{}", number % 200), number * HOUR);
        assert!(one.memory.sightings().len() <= KEPT);
        assert!(one.memory.sightings().iter().any(|seen| seen.print == one.print), "the newest stays");
    }
    assert!(one.verdict(1_000 * HOUR).is_some());
}

#[test]
fn sheets_that_take_turns_under_one_name_are_a_suspicion() {
    let sheet = |bios: &str| Print::of_sheet(["VMware, Inc.", "VMware7,1", bios, ""], "10.0.26100");
    let mut one = Followed::new("a");
    one.print = sheet("one");
    for turn in 1..=5 {
        let bios = if turn % 2 == 0 { "one" } else { "two" };
        one.shows(Channel::Sheet, sheet(bios), turn * DAY);
        let expected = (turn == 5).then(|| (Certainty::Suspected, vec![Evidence::SheetsTakeTurns]));
        assert_eq!(one.verdict(turn * DAY), expected, "{turn}");
    }
    assert_eq!(sheet(" one ").hardware, "VMware, Inc., VMware7,1, one");
}

#[test]
fn anchors_that_step_back_are_a_suspicion() {
    let mut memory = Memory::default();
    assert!(memory.step_back(None, &rule(), at(0)));
    assert!(!memory.step_back(None, &rule(), at(60)), "one backlog is one step");
    assert!(memory.step_back(None, &rule(), at(DAY)));
    assert_eq!(memory.judge(at(DAY)), None);
    assert!(memory.step_back(Some("192.0.2.9"), &rule(), at(2 * DAY)));
    let cloned = memory.judge(at(2 * DAY)).expect("suspected");
    assert_eq!((cloned.certainty, &cloned.evidence[..]), (Certainty::Suspected, &[Evidence::AnchorsStepBack][..]));
    // so rarely it is something else
    for month in 2..12 {
        memory.step_back(None, &rule(), at(month * 31 * DAY));
    }
    assert_eq!(memory.judge(at(11 * 31 * DAY)), None);
}

#[test]
fn a_name_that_was_not_told_yet_is_no_change() {
    let mut one = Followed::new("");
    one.calls("a", DAY);
    one.calls("", 2 * DAY);
    one.calls("a", 3 * DAY);
    assert_eq!(one.writes, 0);
}

#[test]
fn prints_are_bounded() {
    let print = Print::of_name(&"\u{130}".repeat(10_000));
    assert!(print.name.chars().count() <= 3 * 256);
    assert_eq!(Print::of_sheet(["x".repeat(9_999).as_str()], "").hardware.len(), 256);
}

fn known(no: u32, name: &str, hardware: &str, first: i64, last: i64) -> Known {
    Known {
        no,
        name: name.to_owned(),
        hardware: hardware.to_owned(),
        first_contact: at(first * DAY),
        last_contact: at(last * DAY),
    }
}

#[test]
fn a_machine_that_was_installed_anew_leaves_a_row_behind() {
    let rows = [
        known(1, "PC1.example.com", "box", 0, 100),
        known(2, "pc1.example.com", "box", 101, 200),
        known(3, "pc2.example.com", "box", 0, 200),
        known(4, "", "box", 0, 1),
        known(5, "", "box", 2, 3),
    ];
    let [found] = &duplicates(rows, at(200 * DAY))[..] else { panic!("one name") };
    assert_eq!(found.name, "pc1.example.com");
    let standing: Vec<_> = found.members.iter().map(|member| (member.no, member.standing, member.retires())).collect();
    assert_eq!(standing, [(2, Standing::Newest, false), (1, Standing::LeftBehind, true)]);
}

#[test]
fn who_still_calls_is_never_left_behind() {
    let now = at(200 * DAY);
    let member = |older: Known, newer: Known| {
        let found = duplicates([older, newer], now);
        found.first().and_then(|found| found.members.last().copied()).expect("two")
    };
    let other = member(known(1, "pc", "old box", 0, 100), known(2, "pc", "new box", 101, 200));
    assert_eq!((other.likeness, other.standing, other.retires()), (Likeness::Name, Standing::LeftBehind, false));
    let unknown = member(known(1, "pc", "", 0, 100), known(2, "pc", "", 101, 200));
    assert_eq!(unknown.likeness, Likeness::Name, "no hardware is like no other");
    let overlapping = member(known(1, "pc", "box", 0, 150), known(2, "pc", "box", 101, 200));
    assert_eq!((overlapping.standing, overlapping.retires()), (Standing::InUse, false));
    let lately = member(known(1, "pc", "box", 0, 195), known(2, "pc", "box", 196, 200));
    assert_eq!(lately.standing, Standing::InUse, "called within a week");
}

proptest! {
    /// Whatever happens, what is remembered is bounded, times are in order, and no verdict comes of fewer than two prints.
    #[test]
    fn memory_is_bounded_and_verdicts_have_two_sides(
        turns in proptest::collection::vec((0..12_u8, 0..40_i64 * HOUR, 0..3_u8), 0..80),
    ) {
        let mut one = Followed::new("pc0");
        let mut clock = 0;
        for (name, wait, what) in turns {
            clock += wait;
            if what == 0 {
                one.memory.step_back(None, &rule(), at(clock));
            } else {
                one.calls(&format!("pc{name}"), clock);
            }
            let sightings = one.memory.sightings();
            prop_assert!(sightings.len() <= 2 * KEPT + 1);
            for seen in sightings {
                prop_assert!(seen.first_seen <= seen.last_seen && seen.last_seen <= at(clock));
                prop_assert_eq!(seen.returns > 0, seen.returned_at.is_some());
            }
            if let Some(cloned) = one.memory.judge(at(clock)) {
                prop_assert!(!cloned.evidence.is_empty() && cloned.since <= cloned.last);
                let names = sightings.iter().filter(|seen| seen.channel == Channel::Name).count();
                prop_assert!(cloned.certainty == Certainty::Suspected || names >= 2);
            }
        }
    }

    /// Two machines that scan once a day each under one id are found within three days, whenever in the day they scan.
    #[test]
    fn two_machines_are_found_within_three_days(first in 0..DAY, second in 0..DAY) {
        let mut one = Followed::new("a");
        let mut calls: Vec<(i64, &str)> =
            (0..3).flat_map(|day| [(day * DAY + first, "a"), (day * DAY + second, "b")]).collect();
        calls.sort_unstable();
        for (seconds, name) in calls {
            one.calls(name, seconds);
        }
        prop_assert!(one.verdict(3 * DAY).is_some());
    }

    /// Names that change but never come back are never a clone unless there are many within a month.
    #[test]
    fn renames_that_rest_are_no_clone(waits in proptest::collection::vec(16 * DAY..100 * DAY, 0..20)) {
        let mut one = Followed::new("pc");
        let mut clock = 0;
        for (number, wait) in waits.into_iter().enumerate() {
            clock += wait;
            one.calls(&format!("pc{number}"), clock);
            prop_assert_eq!(one.verdict(clock), None);
        }
    }

    /// The newest row is never retired, nor is one that called within a week.
    #[test]
    fn no_row_in_use_retires(rows in proptest::collection::vec((0..3_u8, 0..3_u8, 0..300_i64, 0..300_i64), 0..12)) {
        let rows: Vec<Known> = rows
            .into_iter()
            .enumerate()
            .map(|(no, (name, box_no, first, length))| {
                let last = (first + length).min(300);
                known(no as u32, &format!("pc{name}"), &format!("box{box_no}"), first, last)
            })
            .collect();
        for found in duplicates(rows.clone(), at(300 * DAY)) {
            prop_assert!(found.members.len() > 1);
            prop_assert!(!found.members[0].retires());
            for member in found.members.iter().filter(|member| member.retires()) {
                let row = rows.iter().find(|row| row.no == member.no).expect("of the rows");
                prop_assert!(row.last_contact < at(293 * DAY));
                prop_assert!(rows.iter().any(|other| other.name == row.name && other.hardware == row.hardware
                    && other.first_contact > row.last_contact));
            }
        }
    }
}
