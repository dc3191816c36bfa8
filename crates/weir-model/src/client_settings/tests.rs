use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::ids::CollectionId;

fn read(key: &str, text: &str) -> Value {
    definition(key).expect("a setting").read(text).expect("a value")
}

fn set(number: u128, priority: u32, settings: &[(&str, &str)], collections: &[u128]) -> Set {
    Set {
        id: if priority == 0 { DEFAULT_SET_ID } else { Uuid::from_u128(number) },
        name: format!("Set {number}"),
        priority,
        settings: settings.iter().map(|(key, text)| ((*key).to_owned(), read(key, text))).collect(),
        collections: collections.iter().map(|number| CollectionId(Uuid::from_u128(*number))).collect(),
    }
}

fn within(numbers: &[u128]) -> BTreeSet<CollectionId> {
    numbers.iter().map(|number| CollectionId(Uuid::from_u128(*number))).collect()
}

/// features.md, sections 9.1, 9.2 and 18.3: number and default of every setting with one.
const INVENTORY: &[(&str, &str, &str)] = &[
    ("CS-1", "updates.enabled", "true"),
    ("CS-2", "scan.schedule", "every 7 days at 00:00"),
    ("CS-3", "deployments.reevaluation", "every 7 days at 00:00"),
    ("CS-4", "scan.user_proxy", "false"),
    ("CS-5", "scan.tls_pinning", "true"),
    ("CS-6", "deadline.install_others", "false"),
    ("CS-7", "deadline.install_others_within", "7 days"),
    ("CS-8", "delta.enabled", "false"),
    ("CS-9", "delta.port", "8005"),
    ("CS-10", "delta.fall_back", "false"),
    ("CS-13", "windows.all_deployments", "false"),
    ("CS-14", "feature.thread_priority", "not_configured"),
    ("CS-15", "third_party.enabled", "false"),
    ("CS-16", "feature.dynamic_update", "not_configured"),
    ("CS-17", "feature.off_by_default", "not_configured"),
    ("CS-20", "agent.state_minutes", "15"),
    ("CS-21", "agent.policy_minutes", "60"),
    ("CS-22", "reminder.far_hours", "48"),
    ("CS-22", "reminder.near_hours", "4"),
    ("CS-22", "reminder.last_minutes", "15"),
    ("CS-23", "install.permission", "all_users"),
    ("CS-24", "notify.new_deployments", "true"),
    ("CS-25", "deadline.no_randomization", "true"),
    ("CS-26", "deadline.grace_hours", "0"),
    ("CS-27", "restart.suspend_bitlocker", "never"),
    ("CS-28", "install.external", "false"),
    ("CS-29", "organization.name", ""),
    ("CS-30", "restart.force", "true"),
    ("CS-30", "restart.minutes", "90"),
    ("CS-30", "restart.countdown_minutes", "15"),
    ("CS-30", "restart.reminder_minutes", "240"),
    ("CS-30", "restart.dialog", "false"),
    ("CS-30", "restart.low_rights_servers", "false"),
    ("CS-32", "transfer.throttle", "false"),
    ("CS-32", "network.metered", "not_configured"),
    ("CS-33", "powershell.policy", "all_signed"),
];

#[test]
fn every_setting_of_the_inventory_is_there_with_its_default() {
    for (id, key, default) in INVENTORY {
        let known = definition(key).expect("a setting");
        assert_eq!((known.id, known.default), (*id, *default), "{key}");
    }
    // Office and boundary groups, which the design leaves out
    let left_out = ["CS-11", "CS-12", "CS-18", "CS-19", "CS-31"];
    for number in 1..=33 {
        let id = format!("CS-{number}");
        let there = definitions().any(|known| known.id == id);
        assert_ne!(there, left_out.contains(&id.as_str()), "{id}");
    }
}

#[test]
fn the_table_is_consistent() {
    let mut keys = BTreeSet::new();
    for known in definitions() {
        assert!(keys.insert(known.key), "{} is there twice", known.key);
        let value = known.read(known.default).expect("a default is a value");
        assert_eq!(value.to_string(), known.default, "{}: its text form comes back", known.key);
        assert_eq!(value, known.default_value());
        assert!(!known.meaning.is_empty() && !known.meaning.contains("  "), "{}", known.key);
        assert!(!known.honoured.is_empty(), "{}", known.key);
        for name in known.honoured.iter().flat_map(|honoured| match honoured {
            Honoured::Policy(values) => values.to_vec(),
            _ => Vec::new(),
        }) {
            assert!(crate::policy::known(name).is_ok(), "{}: {name} is a value of the policy", known.key);
        }
    }
    assert_eq!(definition("Scan.Schedule").expect("without regard to case").key, "scan.schedule");
    let unknown = definition("scan.shedule").expect_err("no such setting");
    assert_eq!(unknown.to_string(), "there is no client setting \"scan.shedule\"; did you mean scan.schedule?");
}

#[test]
fn values_out_of_range_are_refused_in_words() {
    let cases = [
        ("updates.enabled", "perhaps", "true or false"),
        ("scan.schedule", "sometimes", "scan.schedule"),
        ("deadline.install_others_within", "24 hours", "1 to 23 hours, or 1 to 365 days"),
        ("deadline.install_others_within", "0 days", "1 to 23 hours, or 1 to 365 days"),
        ("deadline.install_others_within", "366 days", "1 to 23 hours, or 1 to 365 days"),
        ("deadline.install_others_within", "7", "1 to 23 hours"),
        ("deadline.grace_hours", "121", "0 to 120 hours"),
        ("deadline.grace_hours", "-1", "0 to 120 hours"),
        ("restart.minutes", "20161", "1 to 20160 minutes"),
        ("restart.minutes", "99999999999999999999", "1 to 20160 minutes"),
        ("install.permission", "everyone", "no_users"),
        ("organization.name", "a\nb", "at most 256"),
        ("delta.port", "+80", "1 to 65535"),
    ];
    for (key, text, part) in cases {
        let error = definition(key).expect("a setting").read(text).expect_err(text).to_string();
        assert!(error.contains(part) && error.contains(key), "{key} {text}: {error}");
    }
    assert!(definition("organization.name").expect("a setting").read(&"x".repeat(257)).is_err());
    assert_eq!(read("deadline.install_others_within", " 1 Day "), read("deadline.install_others_within", "1d"));
    assert_eq!(read("updates.enabled", "No"), Value::Flag(false));
    let Value::Period(period) = read("deadline.install_others_within", "2 days") else { panic!("a period") };
    assert_eq!(period.hours(), 48);
}

#[test]
fn a_scan_is_at_most_daily() {
    for (text, hours, at_least_a_day) in [
        ("every 4 hours", 4, 24),
        ("daily at 02:00", 24, 24),
        ("every 7 days at 00:00", 168, 168),
        ("weekly monday,wednesday at 02:00", 48, 48),
        ("weekly monday,sunday at 02:00", 24, 24),
        ("every 2 weeks friday at 02:00", 336, 336),
        ("weekly at 02:00", 168, 168),
        ("monthly second tuesday +1 at 02:00", 672, 672),
        ("every 3 months 31 at 02:00", 2016, 2016),
    ] {
        let Value::Schedule(schedule) = read("scan.schedule", text) else { panic!("a schedule") };
        assert_eq!(value::shortest_hours(&schedule), hours, "{text}");
        assert_eq!(scan_interval_hours(&schedule), at_least_a_day, "{text}");
    }
}

#[test]
fn the_strongest_set_of_the_computers_collections_wins_setting_by_setting() {
    let sets = [
        set(0, 0, &[("scan.schedule", "daily at 01:00"), ("restart.minutes", "60")], &[]),
        set(1, 2, &[("scan.schedule", "daily at 02:00"), ("restart.minutes", "50")], &[10, 11]),
        set(2, 1, &[("scan.schedule", "daily at 03:00")], &[11]),
        set(3, 3, &[("scan.schedule", "daily at 04:00"), ("scan.user_proxy", "true")], &[10]),
    ];
    let all = resultant(&sets, &within(&[9, 10, 11]));
    let scan = all.find("scan.schedule").expect("a setting");
    assert_eq!(scan.value.to_string(), "every day at 03:00");
    assert_eq!(
        scan.origin,
        Origin::Custom {
            set: Uuid::from_u128(2),
            name: "Set 2".to_owned(),
            priority: 1,
            collections: within(&[11]).into_iter().collect()
        }
    );
    let beaten: Vec<_> = scan.beat.iter().map(|one| (one.set.as_str(), one.priority)).collect();
    assert_eq!(beaten, [("Set 1", Some(2)), ("Set 3", Some(3)), ("Default", None)]);
    let Origin::Custom { collections, .. } = &all.find("restart.minutes").expect("a setting").origin else {
        panic!("of a custom set")
    };
    assert_eq!(collections.len(), 2, "both collections that bring it");
    assert!(all.flag("scan.user_proxy"));
    assert_eq!(all.find("scan.tls_pinning").expect("a setting").origin, Origin::BuiltIn);

    let elsewhere = resultant(&sets, &within(&[9]));
    assert_eq!(elsewhere.find("scan.schedule").expect("a setting").origin, Origin::DefaultSet);
    assert_eq!(elsewhere.number("restart.minutes"), 60);
    assert!(!elsewhere.is_set("scan.user_proxy") && elsewhere.is_set("restart.minutes"));
    assert_eq!(elsewhere.scan_interval_hours(), 24);
    assert_eq!(resultant(&[], &within(&[])).scan_interval_hours(), 168);
    assert!(!resultant(&[], &within(&[])).all_deployment_windows());
}

/// Settings with their values.
type Given = &'static [(&'static str, &'static str)];

fn warned(settings: &[(&str, &str)], window: Option<u32>) -> Vec<(&'static str, String)> {
    let found = warnings(&resultant(&[set(0, 0, settings, &[])], &within(&[])), window);
    found.into_iter().map(|warning| (warning.key, warning.message)).collect()
}

#[test]
fn what_is_probably_not_meant_is_said() {
    assert_eq!(warned(&[], Some(10)), [], "the defaults are nobody's mistake");
    let cases: &[(Given, &[&str])] = &[
        (&[("scan.schedule", "every 6 hours")], &["scan.schedule"]),
        (&[("scan.schedule", "daily at 02:00")], &[]),
        (&[("deployments.reevaluation", "hourly")], &["deployments.reevaluation"]),
        (&[("updates.enabled", "false")], &["updates.enabled"]),
        (&[("scan.user_proxy", "true")], &["scan.user_proxy"]),
        (&[("deadline.install_others_within", "2 days")], &["deadline.install_others_within"]),
        (&[("deadline.install_others_within", "2 days"), ("deadline.install_others", "true")], &[]),
        (&[("deadline.no_randomization", "false")], &["deadline.no_randomization"]),
        (&[("transfer.kbps", "500")], &["transfer.kbps"]),
        (&[("transfer.throttle", "true"), ("transfer.kbps", "500")], &[]),
        (&[("transfer.throttle", "true"), ("transfer.from_hour", "17")], &["transfer.to_hour"]),
        // 240 is not less than 200 - 15
        (&[("restart.minutes", "200")], &["restart.reminder_minutes"]),
        (&[("restart.minutes", "255")], &["restart.reminder_minutes"]),
        (&[("restart.minutes", "256")], &[]),
        (&[("restart.minutes", "10"), ("restart.reminder_minutes", "1")], &["restart.countdown_minutes"]),
        (&[("restart.minutes", "500"), ("restart.force", "false")], &["restart.minutes"]),
    ];
    for (settings, keys) in cases {
        let found = warned(settings, None);
        assert_eq!(&found.iter().map(|(key, _)| *key).collect::<Vec<_>>(), keys, "{settings:?}: {found:?}");
    }
    let windows = warned(&[("restart.minutes", "300")], Some(300));
    assert_eq!(windows.iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["restart.minutes"]);
    assert_eq!(warned(&[("restart.minutes", "300")], Some(301)), []);
    assert!(warned(&[("scan.schedule", "every 6 hours")], None)[0].1.contains("counts as one day"));
}

#[test]
fn a_countdown_longer_than_the_time_until_the_restart_is_refused() {
    let map = |minutes: &str, countdown: &str| -> BTreeMap<String, Value> {
        set(0, 0, &[("restart.minutes", minutes), ("restart.countdown_minutes", countdown)], &[]).settings
    };
    assert!(refusal(&map("10", "11")).expect("refused").contains("restart.countdown_minutes is 11"));
    assert_eq!(refusal(&map("10", "10")), None);
    let one = set(0, 0, &[("restart.countdown_minutes", "10000")], &[]).settings;
    assert_eq!(refusal(&one), None, "the other value may come from another set");
}

#[test]
fn names_are_bounded() {
    assert_eq!(checked_name("  Laptops "), Some("Laptops".to_owned()));
    assert_eq!(checked_name(&"x".repeat(256)).map(|name| name.len()), Some(256));
    for wrong in ["", "  ", "a\tb", ".", "..", "0b1f9a5e-7f4e-4a66-9c0a-5f6a3f3d1a11"] {
        assert_eq!(checked_name(wrong), None, "{wrong:?}");
    }
    assert_eq!(checked_name(&"x".repeat(257)), None);
    assert!(checked_description("two\nlines") && !checked_description("\u{1b}[2J"));
}

proptest! {
    #[test]
    fn priorities_stay_a_permutation_without_gaps(
        sets in prop::collection::btree_map(0u128..40, 0u32..50, 0..12), moved in 0u128..40,
        priority in prop::option::of(0u32..60)
    ) {
        let current: Vec<(Uuid, u32)> = sets.iter().map(|(id, priority)| (Uuid::from_u128(*id), *priority)).collect();
        let moved = Uuid::from_u128(moved);
        let after = reorder(&current, moved, priority);
        let numbers: Vec<u32> = after.iter().map(|(_, number)| *number).collect();
        prop_assert_eq!(numbers, (1..=after.len() as u32).collect::<Vec<_>>());
        let mut wanted: BTreeSet<Uuid> = current.iter().map(|(id, _)| *id).collect();
        wanted.insert(moved);
        prop_assert_eq!(after.iter().map(|(id, _)| *id).collect::<BTreeSet<_>>(), wanted);
        let place = after.iter().find(|(id, _)| *id == moved).expect("it is there").1;
        prop_assert_eq!(place, priority.map_or(after.len() as u32, |at| at.clamp(1, after.len() as u32)));
        // the others keep their order
        let mut others: Vec<(u32, Uuid)> =
            current.iter().filter(|(id, _)| *id != moved).map(|(id, at)| (*at, *id)).collect();
        others.sort_unstable();
        let kept: Vec<Uuid> = after.iter().filter(|(id, _)| *id != moved).map(|(id, _)| *id).collect();
        prop_assert_eq!(kept, others.into_iter().map(|(_, id)| id).collect::<Vec<_>>());
        prop_assert_eq!(reorder(&after, moved, Some(place)), after, "it is so already");
    }

    #[test]
    fn any_text_is_a_value_or_refused_and_values_come_back(text in "\\PC{0,40}") {
        for known in definitions() {
            if let Ok(value) = known.read(&text) {
                prop_assert_eq!(known.read(&value.to_string()), Ok(value));
            }
        }
    }
}
