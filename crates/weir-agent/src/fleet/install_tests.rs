//! What installing does to modelled computers.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{Fleet, FleetComputer, Profile};
use crate::{
    computer::{Computer as _, Installable, Installed},
    library::{Holds, Library, Update},
};

/// An update with rules of its own.
fn update(library: &Library, number: usize, installed: &str) -> Arc<Update> {
    let text = format!(
        "<UpdateIdentity UpdateID=\"{number:08x}-0000-4000-8000-000000000000\" RevisionNumber=\"1\" />\
         <Properties UpdateType=\"Software\" ExplicitlyDeployable=\"true\" /><ApplicabilityRules><IsInstalled>{installed}\
         </IsInstalled><IsInstallable><True /></IsInstallable></ApplicabilityRules>"
    );
    library.update(&text).expect("a fragment")
}

/// Rules as updates have them: versions of files and of registry values, keys, products, packages, and combinations.
fn catalogue(library: &Library) -> Vec<Arc<Update>> {
    const WINDOWS: &str = "Subkey=\"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\"";
    let rules = [
        "<b.RegKeyExists Key=\"HKEY_LOCAL_MACHINE\" Subkey=\"SOFTWARE\\Weir\\One\" />".to_owned(),
        format!("<b.RegDword Key=\"HKEY_LOCAL_MACHINE\" {WINDOWS} Value=\"UBR\" Comparison=\"GreaterThanOrEqualTo\" Data=\"99000\" />"),
        format!("<b.RegDword Key=\"HKEY_LOCAL_MACHINE\" {WINDOWS} Value=\"UBR\" Comparison=\"GreaterThanOrEqualTo\" Data=\"98000\" />"),
        "<b.FileVersion Csidl=\"37\" Path=\"ntoskrnl.exe\" Comparison=\"GreaterThanOrEqualTo\" Version=\"10.0.30000.1\" />"
            .to_owned(),
        "<m.MsiProductInstalled ProductCode=\"{90160000-0011-0000-0000-0000000FF1CE}\" VersionMin=\"16.0.5000.0\" />"
            .to_owned(),
        "<b.RegSzToVersion Key=\"HKEY_LOCAL_MACHINE\" \
         Subkey=\"SOFTWARE\\Microsoft\\Office\\ClickToRun\\Configuration\" Value=\"VersionToReport\" \
         Comparison=\"GreaterThanOrEqualTo\" Data=\"16.0.30000.1\" />"
            .to_owned(),
        "<CbsPackageInstalledByIdentity PackageIdentity=\"Package_for_KB1~31bf3856ad364e35~amd64~~1.0.0.0\" />".to_owned(),
        "<And><b.RegValueExists Key=\"HKEY_LOCAL_MACHINE\" Subkey=\"SOFTWARE\\Weir\\Two\" Value=\"A\" />\
         <Not><b.RegKeyExists Key=\"HKEY_LOCAL_MACHINE\" Subkey=\"SOFTWARE\\Weir\\Three\" /></Not></And>"
            .to_owned(),
        "<b.RegKeyExists Key=\"HKEY_LOCAL_MACHINE\" Subkey=\"SOFTWARE\\Weir\\Four\" RegType32=\"true\" />".to_owned(),
        "<b.FileExists Path=\"C:\\Program Files\\Weir\\weir.exe\" />".to_owned(),
    ];
    rules.iter().enumerate().map(|(number, rule)| update(library, number, rule)).collect()
}

fn fleet(failure_rate: f64, restart_share: f64) -> Arc<Fleet> {
    Fleet::new(3, 1_000, Profile { failure_rate, restart_share, ..Profile::default() })
}

fn installable(update: &Update) -> Installable<'_> {
    Installable { update, members: &[], title: None, files: &[] }
}

fn installed(computer: &FleetComputer, update: &Update) -> Holds {
    let remembered = computer.evaluate(update);
    // what is remembered is what the rules say
    assert_eq!(remembered, update.evaluate(computer.facts()), "{}", update.text());
    remembered.installed.expect("a rule")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever is installed in whatever order, its rule holds afterwards, what was installed before stays installed, and
    /// removing it makes its rule false again.
    #[test]
    fn rules_of_installed_updates_hold(
        number in 0_u64..1_000,
        order in Just((0..10_usize).collect::<Vec<_>>()).prop_shuffle(),
        restart_share in prop::sample::select(vec![0.0, 0.5, 1.0]),
    ) {
        let library = Library::new();
        let updates = catalogue(&library);
        let mut computer = fleet(0.0, restart_share).computer(number);
        let mut holding: Vec<usize> =
            (0..updates.len()).filter(|at| installed(&computer, &updates[*at]) == Holds::Yes).collect();
        for at in order {
            let before = installed(&computer, &updates[at]);
            match computer.install(&installable(&updates[at])) {
                Installed::Done => {}
                Installed::AfterRestart => {
                    prop_assert_eq!(installed(&computer, &updates[at]), before);
                    prop_assert!(computer.waits_for_restart());
                    prop_assert!(computer.restart());
                }
                other => prop_assert!(false, "{:?}: {}", other, updates[at].text()),
            }
            holding.push(at);
            for at in &holding {
                prop_assert_eq!(installed(&computer, &updates[*at]), Holds::Yes, "{}", updates[*at].text());
            }
        }
        let removed = &updates[0];
        let _ = computer.uninstall(&installable(removed));
        computer.restart();
        prop_assert_eq!(installed(&computer, removed), Holds::No);
        for at in holding.iter().filter(|at| **at != 0) {
            prop_assert_eq!(installed(&computer, &updates[*at]), Holds::Yes);
        }
    }
}

#[test]
fn several_updates_become_effective_with_one_restart() {
    let library = Library::new();
    let updates = catalogue(&library);
    let fleet = fleet(0.0, 1.0);
    let mut computer = fleet.computer(5);
    for update in &updates[..3] {
        assert_eq!(computer.install(&installable(update)), Installed::AfterRestart);
    }
    assert_eq!(installed(&computer, &updates[0]), Holds::No);
    assert!(computer.restart());
    for update in &updates[..3] {
        assert_eq!(installed(&computer, update), Holds::Yes);
    }
    // another computer of the same image has nothing of it
    let twin =
        (6..1_000).map(|number| fleet.computer(number)).find(|it| it.archetype().number == computer.archetype().number);
    assert_eq!(installed(&twin.expect("images are on many computers"), &updates[0]), Holds::No);
}

#[test]
fn a_computer_that_knows_the_time_restarts_when_its_user_lets_it() {
    let library = Library::new();
    let updates = catalogue(&library);
    let morning: Timestamp = "2026-11-04T09:00:00Z".parse().expect("a time");
    let (mut at_once, mut later) = (0, 0);
    for number in 0..200 {
        let mut computer = fleet(0.0, 1.0).computer(number);
        computer.set_time(morning);
        assert_eq!(computer.install(&installable(&updates[0])), Installed::AfterRestart);
        let restart = computer.restart_at().expect("it waits");
        if restart == morning {
            at_once += 1;
            assert!(computer.restart());
        } else {
            later += 1;
            assert!(!computer.restart());
            computer.set_time(restart + SignedDuration::from_secs(1));
            assert!(computer.restart());
        }
        assert_eq!(installed(&computer, &updates[0]), Holds::Yes);
        assert!(!computer.waits_for_restart());
    }
    assert!(at_once > 10 && later > 100, "{at_once} {later}");
}

#[test]
fn a_failed_installation_changes_nothing_and_may_pass() {
    let library = Library::new();
    let updates = catalogue(&library);
    let (mut failed, mut passed) = (0, 0);
    for number in 0..300 {
        let mut computer = fleet(0.4, 0.0).computer(number);
        if let Installed::Failed(code) = computer.install(&installable(&updates[0])) {
            failed += 1;
            assert!(code < 0, "an HRESULT of a failure");
            assert_eq!(installed(&computer, &updates[0]), Holds::No);
            let attempts = (0..3).any(|_| computer.install(&installable(&updates[0])) == Installed::Done);
            passed += usize::from(attempts);
            assert_eq!(installed(&computer, &updates[0]) == Holds::Yes, attempts);
        }
    }
    assert!(failed > 60 && passed > 20 && passed < failed, "{failed} {passed}");
}

#[test]
fn a_rule_that_nothing_satisfies_cannot_be_installed() {
    let library = Library::new();
    let impossible = update(&library, 1, "<b.WindowsVersion Comparison=\"EqualTo\" ProductType=\"7\" />");
    let mut computer = fleet(0.0, 0.0).computer(1);
    assert!(matches!(computer.install(&installable(&impossible)), Installed::Failed(_)));
}
