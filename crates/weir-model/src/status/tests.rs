//! Checklist 51 to 53 of the client-server protocol (50 and 54 concern the server), design section 7, and the stored form.

use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::ids::{UpdateId, UpdateIdentity};

/// Updates 1 to 99 are known, the rest is not.
pub(super) fn guid(number: u32) -> UpdateId {
    UpdateId(Uuid::from_u128(0xabcd_0000_0000_4000_8000_0000_0000_0000 + u128::from(number)))
}

pub(super) fn number(id: UpdateId) -> Option<UpdateNumber> {
    (1..100).map(UpdateNumber).find(|number| guid(number.0) == id)
}

/// Seconds of an arbitrary day.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).expect("in range")
}

pub(super) fn event(event_id: i32, seconds: i64) -> Event {
    Event {
        instance_id: Uuid::from_u128(7),
        event_id,
        source_id: 101,
        update: None,
        hresult: 0,
        at: at(seconds),
        app_name: String::new(),
        replacement_strings: vec![],
        misc: MiscData::default(),
    }
}

/// A list as agents write it: `V=GUID;GUID` in upper case.
pub(super) fn list(tag: &str, numbers: &[u32]) -> String {
    let ids: Vec<_> = numbers.iter().map(|number| guid(*number).to_string().to_uppercase()).collect();
    format!("{tag}={}", ids.join(";"))
}

pub(super) fn report(seconds: i64, misc: &[String]) -> Event {
    Event { misc: MiscData::parse(misc), ..event(156, seconds) }
}

pub(super) fn about(event_id: i32, update: u32, seconds: i64) -> Event {
    Event { update: Some(UpdateIdentity::new(guid(update), 200)), ..event(event_id, seconds) }
}

pub(super) fn failed(update: u32, seconds: i64, hresult: i32) -> Event {
    Event { hresult, ..about(182, update, seconds) }
}

pub(super) fn bring(status: &mut ComputerStatus, batch: &[Event]) -> Effects {
    apply(status, batch, &Context { now: at(100_000), anchor: Some(ChangeNumber(50)), number: &number })
}

pub(super) fn after(batches: &[&[Event]]) -> ComputerStatus {
    let mut status = ComputerStatus::default();
    for batch in batches {
        bring(&mut status, batch);
    }
    status
}

/// Number, state and seconds of change of every entry.
pub(super) fn shown(status: &ComputerStatus) -> Vec<(u32, State, i64)> {
    status
        .entries()
        .iter()
        .map(|entry| (entry.update.0, entry.state, entry.changed.as_second() - 1_790_000_000))
        .collect()
}

pub(super) fn state(status: &ComputerStatus, update: u32) -> Option<State> {
    status.entry(UpdateNumber(update)).map(|entry| entry.state)
}

#[test]
fn checklist_51_the_lists_of_a_client_status_are_mapped() {
    let lists = [list("U", &[5, 1]), list("V", &[2]), list("W", &[3]), list("g", &[4]), list("h", &[6]), "D=6".into()];
    let status = after(&[&[report(10, &lists)]]);
    assert_eq!(
        shown(&status),
        [
            (1, State::Required, 10),
            (2, State::Installed, 10),
            (3, State::PendingRestart, 10),
            (4, State::Failed, 10),
            (5, State::Required, 10),
            (6, State::Downloaded, 10)
        ]
    );
    assert_eq!((status.as_of, status.reported, status.anchor), (Some(at(10)), Some(at(100_000)), ChangeNumber(50)));
}

#[test]
fn checklist_51_a_status_replaces_the_set_and_keeps_unchanged_times() {
    let mut status = after(&[&[report(10, &[list("U", &[1, 2]), list("V", &[3])])]]);
    let effects = bring(&mut status, &[report(20, &[list("U", &[1]), list("V", &[2, 4])])]);
    assert_eq!(shown(&status), [(1, State::Required, 10), (2, State::Installed, 20), (4, State::Installed, 20)]);
    let change = |update, before, after| Change { update: UpdateNumber(update), before, after };
    assert_eq!(
        effects.changes,
        [
            change(2, Some(State::Required), Some(State::Installed)),
            change(3, Some(State::Installed), None),
            change(4, None, Some(State::Installed))
        ]
    );
    assert!(effects.stored && !effects.anchor_changed);
}

#[test]
fn checklist_51_no_keys_are_an_empty_set() {
    for misc in [&[][..], &["V=".to_owned()], &["V".to_owned(), "U=;".to_owned()]] {
        let mut status = after(&[&[report(10, &[list("U", &[1])])]]);
        let effects = bring(&mut status, &[report(20, misc)]);
        assert_eq!(shown(&status), [], "{misc:?}");
        assert_eq!(effects.changes.len(), 1);
        assert_eq!(status.state_of(UpdateNumber(1), Some(ChangeNumber(50))), State::NotApplicable);
    }
}

#[test]
fn checklist_51_of_two_at_one_time_the_last_counts_and_times_are_kept() {
    let full = [list("U", &[1])];
    let status = after(&[&[report(10, &full)], &[event(147, 20), report(20, &[]), event(147, 20), report(20, &full)]]);
    assert_eq!(shown(&status), [(1, State::Required, 10)]);
    let status = after(&[&[report(10, &full)], &[report(20, &full), report(20, &[])]]);
    assert_eq!(shown(&status), []);
}

#[test]
fn checklist_51_and_53_tags_are_whole_and_case_sensitive() {
    let id = guid(1).to_string();
    let odd = [
        "WUfBOn=0".to_owned(),
        format!("WUfBOn={id}"),
        format!("u={id}"),
        format!("G={id}"),
        format!("H={id}"),
        format!("VV={id}"),
    ];
    assert_eq!(shown(&after(&[&[report(10, &odd)]])), []);
    let misc = MiscData::parse(["WUfBOn=0", "cc=1=2", "bare", ""]);
    assert_eq!(
        (misc.value("W"), misc.value("cc"), misc.value("bare"), misc.value("CC")),
        (None, Some("1=2"), Some(""), None)
    );
}

#[test]
fn checklist_52_a_failed_installation_shows_at_once_with_its_error() {
    let mut status = after(&[&[report(10, &[list("U", &[1])])]]);
    let effects =
        bring(&mut status, &[about(167, 1, 15), about(162, 1, 16), about(181, 1, 17), failed(1, 20, -2_145_124_329)]);
    assert_eq!(shown(&status), [(1, State::Failed, 20)]);
    assert_eq!(status.entry(UpdateNumber(1)).expect("listed").error, Some(-2_145_124_329));
    assert_eq!(effects.changes.len(), 1);
    // The next status corrects it; the error is kept until the update is installed.
    bring(&mut status, &[report(30, &[list("U", &[1])])]);
    assert_eq!(shown(&status), [(1, State::Required, 30)]);
    assert_eq!(status.entry(UpdateNumber(1)).expect("listed").error, Some(-2_145_124_329));
    bring(&mut status, &[report(40, &[list("V", &[1])])]);
    assert_eq!(shown(&status), [(1, State::Installed, 40)]);
    assert_eq!(status.entry(UpdateNumber(1)).expect("listed").error, None);
}

#[test]
fn checklist_52_events_of_bundle_members_change_nothing() {
    let mut status = after(&[&[report(10, &[list("U", &[1, 2])])]]);
    let member = Event { misc: MiscData::parse([format!("M={};200", guid(1)), "Q=1".into()]), ..failed(2, 20, -1) };
    assert_eq!(bring(&mut status, std::slice::from_ref(&member)), Effects::default());
    let bundle = Event { misc: MiscData::parse(["Q=2"]), ..failed(1, 20, -1) };
    bring(&mut status, &[member, bundle]);
    assert_eq!(shown(&status), [(1, State::Failed, 20), (2, State::Required, 10)]);
}

#[test]
fn checklist_52_every_event_with_an_effect_has_it() {
    let table = [
        (182, Some(State::Failed)),
        (195, Some(State::Failed)),
        (198, Some(State::Failed)),
        (204, Some(State::Failed)),
        (221, Some(State::Failed)),
        (183, Some(State::Installed)),
        (190, Some(State::Installed)),
        (197, Some(State::Installed)),
        (184, Some(State::PendingRestart)),
        (191, Some(State::PendingRestart)),
        (199, Some(State::PendingRestart)),
        (222, Some(State::Required)),
    ];
    for event_id in -1..600 {
        if [147, 148, 156, 202].contains(&event_id) {
            continue;
        }
        let expected = table.iter().find(|row| row.0 == event_id).and_then(|row| row.1);
        assert_eq!(state(&after(&[&[about(event_id, 1, 5)]]), 1), expected, "{event_id}");
    }
}

#[test]
fn the_error_may_stand_in_the_replacement_strings() {
    let with = |hresult, text: &str| {
        let strings = vec![text.to_owned(), "Title".to_owned()];
        let event = Event { replacement_strings: strings, hresult, ..about(182, 1, 5) };
        after(&[&[event]]).entry(UpdateNumber(1)).expect("listed").error
    };
    assert_eq!(with(0, "0x80070643"), Some(0x8007_0643_u32.cast_signed()));
    assert_eq!(with(0, "-5"), Some(-5));
    assert_eq!(with(-7, "0x80070643"), Some(-7));
    assert_eq!(with(0, "0x0"), None);
    assert_eq!(with(0, "words"), None);
}

#[test]
fn older_events_do_not_overwrite() {
    let full = [list("U", &[1, 2])];
    // A failure after the scan, whose status arrives later.
    let status = after(&[&[failed(1, 30, -1)], &[report(20, &full)]]);
    assert_eq!(shown(&status), [(1, State::Failed, 30), (2, State::Required, 20)]);
    // It stays even if the older status does not list it.
    assert_eq!(shown(&after(&[&[failed(3, 30, -1)], &[report(20, &[])]])), [(3, State::Failed, 30)]);
    // An older event after a newer status, whether listed or not.
    let status = after(&[&[report(20, &full)], &[failed(1, 10, -1), failed(3, 10, -1)]]);
    assert_eq!(shown(&status), [(1, State::Required, 20), (2, State::Required, 20)]);
    // An older status after a newer one.
    let mut status = after(&[&[report(20, &full)]]);
    assert_eq!(bring(&mut status, &[report(10, &[list("V", &[1])])]), Effects::default());
    // An event that confirms the state protects it against an older status, too.
    let status = after(&[&[report(10, &full)], &[failed(1, 20, -1), failed(1, 30, -2), report(25, &[])]]);
    assert_eq!(shown(&status), [(1, State::Failed, 30)]);
    // At one time the later in the batch counts.
    let both = after(&[&[failed(1, 20, -1), about(183, 1, 20)]]);
    assert_eq!(state(&both, 1), Some(State::Installed));
    let both = after(&[&[about(183, 1, 20), failed(1, 20, -1)]]);
    assert_eq!(state(&both, 1), Some(State::Failed));
}

#[test]
fn a_clock_that_ran_ahead_does_not_freeze_the_status() {
    let mut status = after(&[&[report(9_000_000, &[list("U", &[1])])]]);
    assert_eq!(status.as_of, Some(at(100_000)));
    let context = Context { now: at(100_060), anchor: None, number: &number };
    apply(&mut status, &[report(100_050, &[list("V", &[1])])], &context);
    assert_eq!(shown(&status), [(1, State::Installed, 100_050)]);
    assert_eq!(status.anchor, ChangeNumber(50), "kept without a new one");
}

#[test]
fn checklist_53_synchronization_and_restart_are_noted() {
    let sync =
        |batch: &[Event]| after(&[batch]).last_sync.map(|sync| (sync.at.as_second() - 1_790_000_000, sync.hresult));
    let failure = |seconds, hresult| Event { hresult, ..event(148, seconds) };
    let elsewhere = 0x8024_0438_u32.cast_signed();
    assert_eq!(sync(&[event(147, 5)]), Some((5, 0)));
    assert_eq!(sync(&[failure(5, -9)]), Some((5, -9)));
    assert_eq!(sync(&[failure(5, 0)]), Some((5, -2_147_467_259)), "never taken for a success");
    assert_eq!(sync(&[event(147, 5), failure(6, -9)]), Some((6, -9)));
    assert_eq!(sync(&[failure(5, -9), event(147, 6)]), Some((6, 0)));
    assert_eq!(sync(&[failure(5, elsewhere), event(147, 5), failure(5, elsewhere)]), Some((5, 0)));
    assert_eq!(sync(&[event(147, 5), failure(6, elsewhere)]), Some((5, 0)));
    assert_eq!(sync(&[failure(6, elsewhere)]), Some((6, elsewhere)));
    assert_eq!(after(&[&[event(202, 9), event(202, 7)]]).last_reboot, Some(at(9)));
}

#[test]
fn checklist_53_unknown_updates_and_empty_identities_are_tolerated() {
    let mut status = ComputerStatus::default();
    assert_eq!(bring(&mut status, &[failed(1000, 5, -1), event(182, 5), event(9999, 5)]), Effects::default());
    let three_hundred: Vec<u32> = (1..=300).collect();
    bring(&mut status, &[report(5, &[list("V", &three_hundred), "U=nonsense;;{}".into()])]);
    assert_eq!(status.entries().len(), 99);
}

#[test]
fn unlisted_is_not_applicable_only_if_it_could_be_evaluated() {
    let mut status = ComputerStatus::default();
    let seven = UpdateNumber(7);
    assert_eq!(status.state_of(seven, Some(ChangeNumber(1))), State::Unknown, "never reported");
    let effects = bring(&mut status, &[report(10, &[list("V", &[1])])]);
    assert!(effects.anchor_changed);
    assert_eq!(status.state_of(seven, Some(ChangeNumber(50))), State::NotApplicable);
    assert_eq!(status.state_of(seven, Some(ChangeNumber(51))), State::Unknown, "entered the scope after the scan");
    assert_eq!(status.state_of(seven, None), State::Unknown, "outside the scope");
    assert_eq!(status.state_of(UpdateNumber(1), None), State::Installed);
}

#[test]
fn summaries_follow_the_definition() {
    let counts: Counts = State::ALL.into_iter().chain([State::Installed]).collect();
    let summary = counts.summary();
    assert_eq!((summary.computers, summary.compliant, counts.needed(), counts.failed), (8, 3, 3, 1));
    assert!(summary.percent.is_some_and(|percent| (percent - 37.5).abs() < 1e-9));
    assert_eq!(Counts::default().summary().percent, None);

    assert_eq!(computer_state(false, [State::Installed]), State::Unknown);
    assert_eq!(computer_state(true, []), State::NotApplicable);
    assert_eq!(computer_state(true, [State::NotApplicable, State::Installed]), State::Installed);
    assert_eq!(computer_state(true, [State::Installed, State::Unknown]), State::Unknown);
    assert_eq!(computer_state(true, [State::Unknown, State::PendingRestart]), State::PendingRestart);
    assert_eq!(computer_state(true, [State::PendingRestart, State::Required, State::Downloaded]), State::Required);
    assert_eq!(computer_state(true, [State::Failed, State::Required]), State::Failed);
    assert_eq!(narrowed_state(true, []), State::Unknown, "nobody asked it about these updates");
    assert_eq!(narrowed_state(true, [State::NotApplicable]), State::NotApplicable);
    assert_eq!(narrowed_state(false, [State::Installed]), State::Unknown);
}

#[test]
fn states_have_their_protocol_numbers() {
    assert!(State::ALL.into_iter().map(State::protocol_number).eq(0..7));
}

/// 1,500 entries of 5,000 numbers: 95 % installed, changed at a dozen times with one favourite.
fn typical() -> ComputerStatus {
    let mut seed = 88_172_645_463_325_252_u64;
    let mut random = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    let mut status = ComputerStatus { reported: Some(at(5)), as_of: Some(at(4)), ..ComputerStatus::default() };
    for update in 1..=5000 {
        if random(10) >= 3 {
            continue;
        }
        let state = match random(100) {
            0..95 => State::Installed,
            95..98 => State::Required,
            98 => State::Failed,
            _ => State::Downloaded,
        };
        let time = if random(10) < 7 { 0 } else { random(12) as i64 * 2_600_000 };
        let error = (state == State::Failed).then_some(-5);
        status.entries.push(Entry { update: UpdateNumber(update), state, changed: at(time), error });
    }
    status
}

#[test]
fn a_typical_status_takes_about_a_kilobyte() {
    let status = typical();
    let bytes = status.encode();
    assert!((1400..1600).contains(&status.entries.len()));
    assert!(bytes.len() < 1200, "{} bytes for {} entries", bytes.len(), status.entries.len());
    assert_eq!(ComputerStatus::decode(&bytes), Ok(status));
}

#[test]
fn the_stored_form_does_not_change_unnoticed() {
    let status = after(&[&[event(147, 9), report(10, &[list("U", &[2]), list("V", &[1, 9])]), failed(2, 11, -2)]]);
    let golden: Vec<u8> =
        (0..GOLDEN.len()).step_by(2).map(|i| u8::from_str_radix(&GOLDEN[i..i + 2], 16).expect("hexadecimal")).collect();
    assert_eq!(status.encode(), golden);
    assert_eq!(ListedStates::decode(&golden), Ok(ListedStates::from(&status)));
    assert_eq!(ComputerStatus::decode(&golden), Ok(status.clone()));
    // what versions before 0.5.0 wrote: nothing is told of errors ahead
    let mut older = golden;
    older[1] &= 0x0f;
    assert_eq!(ListedStates::decode(&older), Ok(ListedStates::from(&status)));
    assert_eq!(ComputerStatus::decode(&older), Ok(status));
}

/// Version 1. Readers of every released version must keep reading it.
const GOLDEN: &str = "013780b4b2a49968a0cc84c59868d0bc84c59868000000003202a0cc84c59868d00f\
    02015e00000100030000010001010001feffffff";

#[test]
fn damaged_bytes_are_errors() {
    let bytes = typical().encode();
    for cut in 0..bytes.len() {
        assert!(ComputerStatus::decode(&bytes[..cut]).is_err(), "{cut}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(matches!(ComputerStatus::decode(&longer), Err(StatusDecodeError::Damaged(_))));
    let mut newer = bytes;
    newer[0] = 2;
    assert_eq!(ComputerStatus::decode(&newer), Err(StatusDecodeError::Version(2)));
}

/// In the order of their numbers.
fn sorted(mut states: ListedStates) -> ListedStates {
    states.others.sort_unstable_by_key(|(update, _)| *update);
    states
}

fn any_instant() -> impl Strategy<Value = Timestamp> {
    (0..4_000_000_000_000_i64).prop_map(|ms| Timestamp::from_millisecond(ms).expect("in range"))
}

prop_compose! {
    fn any_status()(
        entries in proptest::collection::btree_map(
            prop_oneof![0..200_u32, any::<u32>()],
            (2..7_usize, prop_oneof![any_instant(), Just(at(0))], proptest::option::of(any::<i32>())),
            0..80,
        ),
        reported in proptest::option::of(any_instant()),
        as_of in proptest::option::of(any_instant()),
        anchor in any::<u64>(),
        last_sync in proptest::option::of((any_instant(), any::<i32>())),
        last_reboot in proptest::option::of(any_instant()),
    ) -> ComputerStatus {
        let entry = |(update, (state, changed, error))| Entry { update: UpdateNumber(update), state: State::ALL[state], changed, error };
        ComputerStatus {
            entries: entries.into_iter().map(entry).collect(),
            reported,
            as_of,
            anchor: ChangeNumber(anchor),
            last_sync: last_sync.map(|(at, hresult)| SyncResult { at, hresult }),
            last_reboot,
        }
    }
}

prop_compose! {
    /// Few updates and few times, so that events meet.
    fn any_event()(
        event_id in prop_oneof![Just(156), Just(182), Just(183), Just(184), Just(222), Just(147), Just(148), Just(202), Just(181)],
        update in proptest::option::of(1..5_u32),
        seconds in 0..6_i64,
        hresult in -2..1_i32,
        lists in proptest::collection::vec((0..5_usize, proptest::collection::vec(1..6_u32, 0..4)), 0..4),
        member in proptest::bool::weighted(0.1),
    ) -> Event {
        let mut misc: Vec<String> =
            lists.iter().map(|(tag, numbers)| list(["U", "V", "W", "g", "h"][*tag], numbers)).collect();
        misc.extend(member.then(|| "M=x;1".to_owned()));
        Event {
            update: update.map(|update| UpdateIdentity::new(guid(update), 1)),
            hresult,
            misc: MiscData::parse(misc),
            ..event(event_id, seconds)
        }
    }
}

proptest! {
    #[test]
    fn what_is_encoded_decodes(status in any_status()) {
        prop_assert_eq!(ComputerStatus::decode(&status.encode()), Ok(status));
    }

    #[test]
    fn listed_states_are_those_of_the_entries(status in any_status()) {
        let states = sorted(ListedStates::from(&status));
        let mut bytes = status.encode();
        prop_assert_eq!(ListedStates::decode(&bytes).map(sorted), Ok(states.clone()));
        // as versions before 0.5.0 wrote it
        bytes[1] &= 0x0f;
        prop_assert_eq!(ListedStates::decode(&bytes).map(sorted), Ok(states));
        prop_assert_eq!(ComputerStatus::decode(&bytes), Ok(status));
    }

    #[test]
    fn decoding_noise_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut versioned = bytes;
        if let Some(first) = versioned.first_mut() {
            *first = 1;
        }
        if let Ok(status) = ComputerStatus::decode(&versioned) {
            prop_assert_eq!(ListedStates::decode(&versioned).map(sorted), Ok(sorted(ListedStates::from(&status))));
            prop_assert_eq!(ComputerStatus::decode(&status.encode()), Ok(status));
        }
    }

    #[test]
    fn a_batch_applied_again_changes_nothing(
        first in proptest::collection::vec(any_event(), 0..8),
        second in proptest::collection::vec(any_event(), 0..8),
    ) {
        let mut status = after(&[&first]);
        let before = status.clone();
        let effects = bring(&mut status, &second);
        prop_assert_eq!(effects.stored, status != before);
        for change in &effects.changes {
            prop_assert_ne!(change.before, change.after);
            prop_assert_eq!(before.entry(change.update).map(|entry| entry.state), change.before);
            prop_assert_eq!(status.entry(change.update).map(|entry| entry.state), change.after);
        }
        let unchanged = before.entries().iter().chain(status.entries()).filter(|entry| !effects.changes.iter().any(|change| change.update == entry.update));
        for entry in unchanged {
            prop_assert_eq!(state(&before, entry.update.0), state(&status, entry.update.0));
        }
        let once = status.clone();
        prop_assert_eq!(bring(&mut status, &second), Effects::default());
        prop_assert_eq!(&status, &once);
        prop_assert!(status.entries().windows(2).all(|pair| pair[0].update < pair[1].update));
        prop_assert_eq!(ComputerStatus::decode(&status.encode()), Ok(status));
    }
}
