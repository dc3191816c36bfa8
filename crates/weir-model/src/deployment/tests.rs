use jiff::ToSpan as _;
use proptest::prelude::*;

use super::*;
use DeploymentAction::{Block, Detect, Install, Optional, Uninstall};

const ALL: [DeploymentAction; 5] = [Block, Install, Optional, Uninstall, Detect];

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn with(change: impl FnOnce(&mut Terms)) -> Terms {
    let mut terms = Terms::default();
    change(&mut terms);
    terms
}

fn alert(below_percent: u8, minutes_after_deadline: u32) -> Terms {
    with(|terms| terms.settings.alert = Some(ComplianceAlert { below_percent, minutes_after_deadline }))
}

/// Terms, and the actions with which they go together when there is a deadline, and when there is none.
type Row = (&'static str, Terms, &'static [DeploymentAction], &'static [DeploymentAction]);

#[test]
fn which_settings_go_with_which_action() {
    const REQUIRED: &[DeploymentAction] = &[Install, Uninstall];
    let rows: [Row; 17] = [
        ("", Terms::default(), &ALL, &ALL),
        ("name", with(|it| it.name = Some("x".repeat(256))), &ALL, &ALL),
        ("name", with(|it| it.name = Some("x".repeat(257))), &[], &[]),
        ("name", with(|it| it.name = Some("  ".to_owned())), &[], &[]),
        ("description", with(|it| it.description = "a\nb".to_owned()), &[], &[]),
        ("outside_windows", with(|it| it.outside_windows = true), REQUIRED, REQUIRED),
        ("hold_until_window", with(|it| it.hold_until_window = true), REQUIRED, REQUIRED),
        ("restart_outside_windows", with(|it| it.settings.restart_outside_windows = true), REQUIRED, REQUIRED),
        ("suppress_restart_servers", with(|it| it.settings.suppress_restart_servers = true), REQUIRED, REQUIRED),
        ("metered", with(|it| it.settings.metered = true), REQUIRED, REQUIRED),
        ("grace", with(|it| it.settings.grace = true), REQUIRED, &[]),
        ("wake_on_lan", with(|it| it.settings.wake_on_lan = true), REQUIRED, &[]),
        ("alert", alert(95, 60), REQUIRED, &[]),
        ("alert", alert(101, 60), &[], &[]),
        ("alert", alert(95, LONGEST_ALERT_OFFSET + 1), &[], &[]),
        ("pre_download", with(|it| it.settings.pre_download = true), &[Optional], &[Optional]),
        (
            "notifications",
            with(|it| it.settings.notifications = Notifications::None),
            &[Block, Install, Uninstall, Detect],
            &[Block, Install, Uninstall, Detect],
        ),
    ];
    for (field, terms, with_deadline, without) in rows {
        for action in ALL {
            for (deadline, fits) in [(Some(at(5)), with_deadline), (None, without)] {
                let checked = terms.check(action, deadline);
                assert_eq!(checked.is_ok(), fits.contains(&action), "{field} {action:?} {deadline:?}: {checked:?}");
                if let Err(error) = checked {
                    assert_eq!(error.field, field);
                    assert!(!error.detail.is_empty() && !error.next_step.is_empty());
                }
            }
        }
    }
}

#[test]
fn deadlines_belong_to_what_is_required_and_come_last() {
    for action in ALL {
        assert_eq!(check_times(action, Some(at(1)), Some(at(2))).is_ok(), is_required(action));
        assert!(check_times(action, Some(at(1)), None).is_ok());
    }
    assert!(check_times(Install, Some(at(2)), Some(at(2))).is_ok(), "as soon as possible is the available time");
    assert_eq!(check_times(Install, Some(at(3)), Some(at(2))).expect_err("too early").field, "deadline");
    assert!(check_times(Install, None, Some(at(-5))).is_ok(), "in the past: at the next contact");
}

#[test]
fn a_removal_stays_one() {
    for from in ALL {
        for to in ALL {
            let fits = from == to || matches!(to, Block | Detect) || (from != Uninstall && to != Uninstall);
            assert_eq!(check_change(from, to).is_ok(), fits, "{from:?} to {to:?}");
        }
    }
    assert!(check_change(Detect, Install).is_ok() && check_change(Install, Uninstall).is_err());
}

#[test]
fn a_name_is_made_up_and_free() {
    let now = at(0) + 3.hours();
    let mut taken = BTreeSet::new();
    let first = default_name(now, &taken);
    assert_eq!(first, "Microsoft Software Updates - 1970-01-01 03:00:00");
    taken.insert(first.to_lowercase());
    let second = default_name(now, &taken);
    assert_eq!(second, format!("{first} (2)"));
    taken.insert(second.to_lowercase());
    assert_eq!(default_name(now, &taken), format!("{first} (3)"));
}

#[test]
fn template_names_are_of_letters() {
    for name in ["Ring 0", "O'Brien\\night", "a", " trimmed "] {
        assert_eq!(template_name(name), Ok(name.trim()));
    }
    for name in ["", " ", "Tür", "a/b", "..", "a\tb", &"x".repeat(129)] {
        assert!(template_name(name).is_err(), "{name:?}");
    }
}

#[test]
fn a_template_is_checked_as_far_as_it_says() {
    let template = Template { settings: Settings { grace: true, ..Settings::default() }, ..Template::default() };
    assert!(template.check().is_ok(), "the action comes later");
    assert!(Template { action: Some(Install), ..template.clone() }.check().is_ok());
    assert_eq!(Template { action: Some(Optional), ..template.clone() }.check().expect_err("no").field, "grace");
    let late = Template { action: Some(Detect), deadline: Some("+3d".to_owned()), ..Template::default() };
    assert_eq!(late.check().expect_err("no").field, "deadline");
    assert_eq!(template.terms().settings, template.settings);
}

#[test]
fn every_setting_has_its_row() {
    let names: BTreeSet<&str> = SETTINGS.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), SETTINGS.len());
    for name in field_names() {
        assert!(names.contains(name.as_str()), "{name} is in no row");
    }
    for row in SETTINGS {
        assert!(!row.meaning.is_empty());
    }
}

/// Names of the fields of terms and of their settings. A new setting does not compile here until it is named.
fn field_names() -> Vec<String> {
    let terms = ["name", "description", "local_time", "outside_windows", "hold_until_window"];
    let Settings {
        notifications: _,
        detail: _,
        restart_outside_windows: _,
        suppress_restart_servers: _,
        suppress_restart_workstations: _,
        grace: _,
        metered: _,
        fallback: _,
        pre_download: _,
        wake_on_lan: _,
        commit_write_filter: _,
        evaluate_after_restart: _,
        alert: _,
    } = Settings::default();
    let settings = [
        "notifications",
        "detail",
        "restart_outside_windows",
        "suppress_restart_servers",
        "suppress_restart_workstations",
        "grace",
        "metered",
        "fallback",
        "pre_download",
        "wake_on_lan",
        "commit_write_filter",
        "evaluate_after_restart",
        "alert",
    ];
    terms.iter().chain(&settings).map(|name| (*name).to_owned()).collect()
}

fn terms() -> impl Strategy<Value = Terms> {
    let switches = prop::collection::vec(any::<bool>(), 9);
    let notifications = prop::sample::select(vec![Notifications::All, Notifications::Restarts, Notifications::None]);
    let alert = prop::option::of((1..=100_u8, 0..100_u32));
    (switches, notifications, alert).prop_map(|(switches, notifications, alert)| {
        let mut switches = switches.into_iter();
        let mut on = || switches.next().unwrap_or_default();
        let alert = alert
            .map(|(below_percent, minutes_after_deadline)| ComplianceAlert { below_percent, minutes_after_deadline });
        Terms {
            outside_windows: on(),
            hold_until_window: on(),
            settings: Settings {
                notifications,
                restart_outside_windows: on(),
                suppress_restart_servers: on(),
                suppress_restart_workstations: on(),
                grace: on(),
                metered: on(),
                pre_download: on(),
                wake_on_lan: on(),
                alert,
                ..Settings::default()
            },
            ..Terms::default()
        }
    })
}

proptest! {
    /// What goes together with one action goes on with every other one, and stays as it is where nothing is against it.
    #[test]
    fn a_deployment_can_always_be_softened(terms in terms(), to in prop::sample::select(ALL.to_vec())) {
        for from in ALL {
            let (before, deadline) = terms.fitting(from, Some(at(9)));
            prop_assert!(before.check(from, deadline).is_ok(), "{:?}", before.check(from, deadline));
            prop_assert_eq!(before.fitting(from, deadline), (before.clone(), deadline));
            let (after, left) = before.fitting(to, deadline);
            prop_assert!(after.check(to, left).is_ok(), "{:?} to {:?}: {:?}", from, to, after.check(to, left));
            prop_assert!(check_times(to, None, left).is_ok());
            prop_assert_eq!(left, deadline.filter(|_| is_required(to)));
            if before.check(to, left).is_ok() {
                prop_assert_eq!(after, before);
            }
        }
    }

    #[test]
    fn made_up_names_are_never_taken(count in 0_usize..20, second in 0_i64..4_000_000_000) {
        let mut taken = BTreeSet::new();
        for _ in 0..count {
            let name = default_name(at(second), &taken);
            prop_assert!(name.chars().count() <= LONGEST_TEXT);
            prop_assert!(taken.insert(name.to_lowercase()));
        }
    }
}
