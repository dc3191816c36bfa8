//! Freshness of computers.

use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_790_000_000;
const DAY: i64 = 86_400;

/// So many days before now.
fn ago(days: i64) -> Timestamp {
    Timestamp::from_second(NOW - days * DAY).expect("in range")
}

fn now() -> Timestamp {
    ago(0)
}

fn facts(contact: i64, detection: Option<(i64, i32)>, report: Option<i64>) -> Facts {
    Facts {
        first_contact: ago(400),
        last_contact: ago(contact),
        detection: detection.map(|(days, hresult)| Detection { at: ago(days), hresult }),
        last_report: report.map(ago),
    }
}

const UNREACHABLE: i32 = 0x8024_4022_u32.cast_signed();

#[test]
fn each_class_has_its_case() {
    let verdict = |facts: Facts| {
        let verdict = judge(&facts, &Rule::default(), now());
        (verdict.class, (now().duration_since(verdict.since).as_hours() / 24), verdict.error)
    };
    assert_eq!(verdict(facts(0, Some((0, 0)), Some(1))), (Freshness::Current, 1, None));
    assert_eq!(verdict(facts(30, Some((30, 0)), Some(30))), (Freshness::Current, 30, None), "not longer than the rule");
    assert_eq!(verdict(facts(31, Some((31, 0)), Some(31))), (Freshness::Silent, 31, None));
    assert_eq!(verdict(facts(0, Some((2, UNREACHABLE)), Some(1))), (Freshness::ScanFailed, 2, Some(UNREACHABLE)));
    assert_eq!(verdict(facts(0, Some((2, UNREACHABLE)), None)), (Freshness::ScanFailed, 2, Some(UNREACHABLE)));
    assert_eq!(verdict(facts(0, Some((2, 0)), Some(45))), (Freshness::NotReporting, 45, None));
    assert_eq!(verdict(facts(0, None, Some(45))), (Freshness::NotReporting, 45, None));
    assert_eq!(verdict(facts(0, Some((2, 0)), None)), (Freshness::NeverReported, 400, None));
    assert_eq!(verdict(facts(0, None, None)), (Freshness::NeverScanned, 400, None));
    assert_eq!(verdict(facts(0, None, Some(1))), (Freshness::Current, 1, None), "a report follows a scan");
    // what is silent is silent, whatever it said before
    // and the code of its last failure stays known
    let silent = verdict(facts(60, Some((60, UNREACHABLE)), None));
    assert_eq!(silent, (Freshness::Silent, 60, Some(UNREACHABLE)));
}

#[test]
fn a_code_of_success_is_no_failure() {
    let odd = judge(&facts(0, Some((1, 0x0024_0005)), Some(1)), &Rule::default(), now());
    assert_eq!((odd.class, odd.scan, odd.error), (Freshness::Current, ScanState::CompletedWithErrors, None));
    assert_eq!(ScanState::of(None), ScanState::Unknown);
    assert_eq!(ScanState::of(Some(Detection { at: now(), hresult: -1 })), ScanState::Failed);
    assert_eq!(ScanState::of(Some(Detection { at: now(), hresult: 0 })), ScanState::Completed);
}

#[test]
fn the_clock_of_the_computer_decides_nothing() {
    // it detected in 2005, as it says, and reported an hour ago, as the server saw
    let odd = Facts {
        detection: Some(Detection { at: "2005-01-01T00:00:00Z".parse().expect("time"), hresult: 0 }),
        ..facts(0, None, Some(0))
    };
    assert_eq!(judge(&odd, &Rule::default(), now()).class, Freshness::Current);
}

#[test]
fn a_server_whose_clock_was_set_back_makes_nobody_silent() {
    let ahead = Facts { last_contact: ago(-500), last_report: Some(ago(-500)), ..facts(0, None, None) };
    assert_eq!(judge(&ahead, &Rule::days(1), now()).class, Freshness::Current);
    let extreme = Facts { first_contact: Timestamp::MIN, last_contact: Timestamp::MIN, ..ahead };
    assert_eq!(judge(&extreme, &Rule::days(3_650), Timestamp::MAX).class, Freshness::Silent);
}

#[test]
fn words_are_read_back() {
    for class in Freshness::ALL {
        assert_eq!(Freshness::parse(class.word()), Some(class));
    }
    assert_eq!(Freshness::parse("Silent"), None);
    let words: std::collections::BTreeSet<_> = ScanState::ALL.into_iter().map(ScanState::word).collect();
    assert_eq!(words.len(), ScanState::ALL.len());
}

prop_compose! {
    fn any_facts()(
        contact in -5..100_i64,
        detection in proptest::option::of((0..100_i64, prop_oneof![Just(0), any::<i32>()])),
        report in proptest::option::of(0..100_i64),
    ) -> Facts {
        facts(contact, detection, report)
    }
}

proptest! {
    #[test]
    fn a_tally_is_a_recount(all in proptest::collection::vec(any_facts(), 0..40), days in 1..60_u32) {
        let verdicts: Vec<Verdict> = all.iter().map(|facts| judge(facts, &Rule::days(days), now())).collect();
        let mut tally = Tally::default();
        for verdict in &verdicts {
            tally.add(verdict);
        }
        prop_assert_eq!(tally.total(), all.len() as u64);
        for class in Freshness::ALL {
            let count = verdicts.iter().filter(|verdict| verdict.class == class).count();
            prop_assert_eq!(tally.of(class), count as u64);
        }
        for state in ScanState::ALL {
            let count = verdicts.iter().filter(|verdict| verdict.scan == state).count();
            prop_assert_eq!(tally.scans(state), count as u64);
        }
    }

    /// Waiting longer before one is called silent never makes more computers silent, and never less current ones.
    #[test]
    fn a_longer_rule_is_kinder(facts in any_facts(), days in 1..60_u32, more in 0..60_u32) {
        let [strict, kind] = [days, days + more].map(|days| judge(&facts, &Rule::days(days), now()).class);
        prop_assert!(kind != Freshness::Silent || strict == Freshness::Silent);
        prop_assert!(strict != Freshness::Current || kind == Freshness::Current);
    }

    #[test]
    fn only_a_failed_scan_has_an_error(facts in any_facts()) {
        let verdict = judge(&facts, &Rule::default(), now());
        prop_assert_eq!(verdict.error.is_some(), verdict.scan == ScanState::Failed);
        if verdict.class == Freshness::ScanFailed {
            prop_assert!(verdict.error.is_some_and(|error| error < 0));
        }
    }
}

#[test]
fn why_nothing_is_known() {
    let why =
        |asked, reported, facts: Facts| UnknownReason::of(asked, reported, &judge(&facts, &Rule::default(), now()));
    let (fine, failed) = (Some((1, 0)), Some((1, UNREACHABLE)));
    assert_eq!(why(false, true, facts(1, fine, Some(1))), UnknownReason::NotAsked);
    assert_eq!(why(false, false, facts(90, failed, None)), UnknownReason::NotAsked, "no report would tell");
    assert_eq!(why(true, false, facts(90, failed, None)), UnknownReason::Silent);
    assert_eq!(why(true, true, facts(1, failed, Some(1))), UnknownReason::ScanFailed);
    assert_eq!(why(true, false, facts(1, failed, None)), UnknownReason::ScanFailed);
    assert_eq!(why(true, false, facts(1, fine, None)), UnknownReason::NeverReported);
    assert_eq!(why(true, true, facts(1, fine, Some(60))), UnknownReason::NotReporting);
    assert_eq!(why(true, true, facts(1, fine, Some(1))), UnknownReason::NewerThanLastReport);
    let words: std::collections::BTreeSet<_> = UnknownReason::ALL.into_iter().map(UnknownReason::word).collect();
    assert_eq!(words.len(), UnknownReason::ALL.len());
    assert!(
        Freshness::ALL.into_iter().filter(|class| class.is_stale()).eq([Freshness::Silent, Freshness::NotReporting])
    );
}
