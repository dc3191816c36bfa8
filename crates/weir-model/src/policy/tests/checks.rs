use super::rendering::{address, settings, site};
use crate::policy::{
    Branch, Finding, Severity, Site, check,
    registry::{Change, Data, Entry, Root},
};

const GOOD: &[(&str, &str)] = &[
    ("WUServer", "https://wsus.example.org:8531"),
    ("WUStatusServer", "https://wsus.example.org:8531"),
    ("UseWUServer", "1"),
];

fn entry(name: &str, text: &str) -> Entry {
    let known = crate::policy::known(name);
    let branch = known.as_ref().map_or(Branch::Update, |known| known.branch);
    let data = match text.parse() {
        Ok(number) if known.is_ok_and(|known| known.shape.kind_name() == "REG_DWORD") => Data::Dword(number),
        _ => Data::Text(text.to_owned()),
    };
    Entry::new(Root::LocalMachine, branch.path(), Change::Set(name.to_owned(), data)).expect("an entry")
}

/// Good values, with these in their place or besides; an empty text takes one out.
fn changed(values: &[(&str, &str)]) -> Vec<Entry> {
    let replaced = |name: &&(&str, &str)| values.iter().all(|(other, _)| other != &name.0);
    let good = GOOD.iter().filter(replaced).chain(values).filter(|(_, text)| !text.is_empty());
    good.map(|(name, text)| entry(name, text)).collect()
}

fn codes(findings: &[Finding]) -> Vec<(&'static str, &str, Severity)> {
    findings.iter().map(|one| (one.code, one.value.as_str(), one.severity)).collect()
}

fn found(values: &[(&str, &str)], site: &Site) -> Vec<Finding> {
    check(&changed(values), site, &settings(&[]))
}

const E: Severity = Severity::Error;
const W: Severity = Severity::Warning;
const N: Severity = Severity::Note;

type Case = (&'static [(&'static str, &'static str)], &'static [(&'static str, &'static str, Severity)]);

#[test]
fn each_kind_of_conflict_is_found_and_nothing_else() {
    let cases: &[Case] = &[
        (&[], &[]),
        (&[("WUServer", "https://WSUS.example.org:8531"), ("WUStatusServer", "https://WSUS.example.org:8531")], &[]),
        (&[("WUServer", "")], &[("server.missing", "WUServer", E)]),
        (&[("WUServer", "https://wsus.example.org")], &[("server.no_port", "WUServer", E)]),
        (&[("WUServer", "https://wsus.example.org:8531/")], &[("server.path", "WUServer", E)]),
        (&[("WUServer", "wsus")], &[("server.address", "WUServer", E)]),
        (
            &[("WUServer", "https://old.example.org:8531")],
            &[("server.other", "WUServer", E), ("status.differs", "WUStatusServer", W)],
        ),
        (
            &[("WUServer", "https://wsus.example.org:443"), ("WUStatusServer", "https://wsus.example.org:443")],
            &[("server.port", "WUServer", E), ("server.port", "WUStatusServer", E)],
        ),
        (
            &[("WUServer", "http://wsus.example.org:8531"), ("WUStatusServer", "http://wsus.example.org:8531")],
            &[("server.scheme", "WUServer", E), ("server.scheme", "WUStatusServer", E)],
        ),
        (
            &[("WUServer", "http://wsus.example.org:8530"), ("WUStatusServer", "http://wsus.example.org:8530")],
            &[("server.http", "WUServer", W), ("server.http", "WUStatusServer", W)],
        ),
        (
            &[("WUServer", "https://wsus:8531"), ("WUStatusServer", "https://wsus:8531")],
            &[("server.name", "WUServer", W), ("server.name", "WUStatusServer", W)],
        ),
        (
            &[("WUStatusServer", "http://wsus.example.org:8530")],
            &[("server.http", "WUStatusServer", W), ("status.differs", "WUStatusServer", W)],
        ),
        (&[("UseWUServer", "")], &[("server.unused", "UseWUServer", E)]),
        (&[("UseWUServer", "0")], &[("server.unused", "UseWUServer", E)]),
        (&[("NoAutoUpdate", "1")], &[("automatic.off", "NoAutoUpdate", E)]),
        (&[("AUOptions", "1")], &[("options.off", "AUOptions", E)]),
        (&[("AUOptions", "4")], &[("schedule.none", "AUOptions", N)]),
        (&[("AUOptions", "4"), ("ScheduledInstallTime", "3")], &[]),
        (&[("AUOptions", "5")], &[("options.gone", "AUOptions", W)]),
        (&[("AUOptions", "7")], &[("options.servers", "AUOptions", N)]),
        (&[("AUOptions", "6")], &[("value.range", "AUOptions", W)]),
        (&[("AUOptions", "3"), ("ScheduledInstallDay", "1")], &[("schedule.unused", "ScheduledInstallDay", W)]),
        (
            &[
                ("AUOptions", "4"),
                ("ScheduledInstallTime", "3"),
                ("ScheduledInstallEveryWeek", "1"),
                ("ScheduledInstallFirstWeek", "1"),
            ],
            &[("schedule.weeks", "ScheduledInstallFirstWeek", W)],
        ),
        (
            &[("AUOptions", "4"), ("ScheduledInstallTime", "3"), ("AutomaticMaintenanceEnabled", "1")],
            &[("schedule.maintenance", "ScheduledInstallTime", W)],
        ),
        (
            &[("DeferQualityUpdates", "1"), ("DeferQualityUpdatesPeriodInDays", "7")],
            &[("dual_scan", "DeferQualityUpdates", E), ("dual_scan", "DeferQualityUpdatesPeriodInDays", E)],
        ),
        (&[("DeferFeatureUpdates", "0")], &[]),
        (&[("BranchReadinessLevel", "16")], &[("dual_scan", "BranchReadinessLevel", E)]),
        (&[("PauseQualityUpdatesStartTime", "2026-01-01")], &[("dual_scan", "PauseQualityUpdatesStartTime", E)]),
        (
            &[("BranchReadinessLevel", "16"), ("DisableDualScan", "1")],
            &[("dual_scan.newer", "BranchReadinessLevel", W)],
        ),
        (
            &[
                ("BranchReadinessLevel", "16"),
                ("UseUpdateClassPolicySource", "1"),
                ("SetPolicyDrivenUpdateSourceForFeatureUpdates", "1"),
                ("SetPolicyDrivenUpdateSourceForQualityUpdates", "1"),
                ("SetPolicyDrivenUpdateSourceForDriverUpdates", "1"),
                ("SetPolicyDrivenUpdateSourceForOtherUpdates", "1"),
            ],
            &[("dual_scan.none", "BranchReadinessLevel", N)],
        ),
        (
            &[
                ("SetPolicyDrivenUpdateSourceForFeatureUpdates", "0"),
                ("SetPolicyDrivenUpdateSourceForQualityUpdates", "1"),
                ("SetPolicyDrivenUpdateSourceForDriverUpdates", "1"),
                ("SetPolicyDrivenUpdateSourceForOtherUpdates", "1"),
            ],
            &[
                ("source.elsewhere", "SetPolicyDrivenUpdateSourceForFeatureUpdates", E),
                ("source.unused", "UseUpdateClassPolicySource", W),
            ],
        ),
        (
            &[("SetPolicyDrivenUpdateSourceForFeatureUpdates", "1"), ("UseUpdateClassPolicySource", "1")],
            &[("source.partial", "SetPolicyDrivenUpdateSourceForFeatureUpdates", W)],
        ),
        (&[("DisableWindowsUpdateAccess", "1")], &[("access.off", "DisableWindowsUpdateAccess", E)]),
        (&[("SetDisableUXWUAccess", "1")], &[]),
        (
            &[("DoNotConnectToWindowsUpdateInternetLocations", "1")],
            &[("internet.off", "DoNotConnectToWindowsUpdateInternetLocations", W)],
        ),
        (&[("TargetGroupEnabled", "1"), ("TargetGroup", "Pilot")], &[("group.unused", "TargetGroup", N)]),
        (
            &[("DetectionFrequencyEnabled", "1"), ("DetectionFrequency", "48")],
            &[("value.range", "DetectionFrequency", W)],
        ),
        (&[("DetectionFrequency", "4")], &[("value.off", "DetectionFrequency", W)]),
        (&[("FillEmptyContentUrls", "1")], &[("content.fill", "FillEmptyContentUrls", W)]),
        (
            &[("FillEmptyContentUrls", "1"), ("UpdateServiceUrlAlternate", "http://cache:80")],
            &[("content.elsewhere", "UpdateServiceUrlAlternate", W), ("content.fill", "FillEmptyContentUrls", N)],
        ),
        (
            &[("SetProxyBehaviorForUpdateDetection", "1")],
            &[
                ("proxy.user", "SetProxyBehaviorForUpdateDetection", N),
                ("setting.differs", "SetProxyBehaviorForUpdateDetection", N),
            ],
        ),
        (
            &[("AlwaysAutoRebootAtScheduledTime", "1"), ("NoAutoRebootWithLoggedOnUsers", "1")],
            &[("restart.conflict", "AlwaysAutoRebootAtScheduledTime", W)],
        ),
        (
            &[("AlwaysAutoRebootAtScheduledTime", "1"), ("AlwaysAutoRebootAtScheduledTimeMinutes", "300")],
            &[("value.range", "AlwaysAutoRebootAtScheduledTimeMinutes", W)],
        ),
        (
            &[("SetActiveHours", "1"), ("ActiveHoursStart", "2"), ("ActiveHoursEnd", "23")],
            &[("restart.active_hours", "ActiveHoursEnd", W)],
        ),
        (
            &[("DoNotEnforceEnterpriseTLSCertPinningForUpdateDetection", "1")],
            &[("setting.differs", "DoNotEnforceEnterpriseTLSCertPinningForUpdateDetection", N)],
        ),
        (&[("WUServr", "x")], &[("value.unknown", "WUServr", N)]),
        (&[("UseWUServer", "yes")], &[("server.unused", "UseWUServer", E), ("value.type", "UseWUServer", W)]),
    ];
    for (values, expected) in cases {
        let findings = found(values, &site());
        assert_eq!(codes(&findings), *expected, "{values:?}: {findings:#?}");
        for finding in &findings {
            assert!(!finding.breaks.is_empty() && !finding.next_step.is_empty(), "{finding:?}");
            assert!(finding.key.starts_with("HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\"), "{finding:?}");
            let given = values.iter().chain(GOOD).find(|(name, _)| *name == finding.value).map(|(_, text)| *text);
            assert_eq!(finding.found.as_deref(), given.filter(|text| !text.is_empty()), "{finding:?}");
        }
    }
}

#[test]
fn computers_that_choose_collections_must_name_known_ones() {
    let client = Site { client_targeting: true, ..site() };
    for (values, expected) in [
        (&[][..], &[("group.none", "TargetGroup", W)][..]),
        (&[("TargetGroupEnabled", "1"), ("TargetGroup", "pilot;ALL computers")], &[]),
        (&[("TargetGroupEnabled", "1"), ("TargetGroup", "Pilot; Nobody")], &[("group.unknown", "TargetGroup", E)]),
        (
            &[("TargetGroupEnabled", "0"), ("TargetGroup", "Pilot")],
            &[("value.off", "TargetGroup", W), ("group.none", "TargetGroup", W)],
        ),
    ] {
        assert_eq!(codes(&found(values, &client)), expected, "{values:?}");
    }
}

#[test]
fn what_administrators_set_is_compared() {
    let given = settings(&[("restart.force", "false"), ("updates.enabled", "false")]);
    let entries = changed(&[("AlwaysAutoRebootAtScheduledTime", "1")]);
    let findings = check(&entries, &site(), &given);
    let expected = [("setting.differs", "AlwaysAutoRebootAtScheduledTime", N), ("setting.differs", "UseWUServer", N)];
    assert_eq!(codes(&findings), expected);
    assert!(findings[1].breaks.contains("updates.enabled"));
}

fn at(root: Root, key: &str, name: &str) -> Entry {
    Entry::new(root, key, Change::Set(name.to_owned(), Data::Dword(1))).expect("an entry")
}

#[test]
fn values_in_the_wrong_place_are_found() {
    let update = Branch::Update.path();
    let wow = "SOFTWARE\\Wow6432Node\\Policies\\Microsoft\\Windows\\WindowsUpdate\\AU";
    let cases = [
        (at(Root::CurrentUser, &update.to_lowercase(), "SetDisableUXWUAccess"), "place.user", E),
        (at(Root::Users, &format!("S-1-5-21-1\\{update}"), "SetDisableUXWUAccess"), "place.user", E),
        (at(Root::LocalMachine, wow, "UseWUServer"), "place.wow64", E),
        (at(Root::LocalMachine, update, "UseWUServer"), "place.key", W),
        (at(Root::LocalMachine, Branch::Automatic.path(), "DisableDualScan"), "place.key", W),
    ];
    for (entry, code, severity) in cases {
        let mut entries = changed(&[]);
        entries.push(entry);
        let findings = check(&entries, &site(), &settings(&[]));
        assert_eq!(findings.iter().map(|one| (one.code, one.severity)).collect::<Vec<_>>(), [(code, severity)]);
    }
    let elsewhere =
        [at(Root::CurrentUser, "Software\\Weir", "x"), at(Root::LocalMachine, "SOFTWARE\\Weir", "UseWUServer")];
    let entries: Vec<Entry> = changed(&[]).into_iter().chain(elsewhere).collect();
    assert_eq!(check(&entries, &site(), &settings(&[])), [], "what is none of ours is left alone");
}

#[test]
fn what_is_removed_later_does_not_count() {
    let key = Branch::Update.path();
    for (change, gone) in [
        (Change::DeleteValue("wuserver".to_owned()), Some("WUServer")),
        (Change::DeleteValues, Some("WUServer")),
        (Change::DeleteKey, None),
        (Change::CreateKey, Some("")),
    ] {
        let mut entries = changed(&[]);
        entries.push(Entry::new(Root::LocalMachine, key.to_uppercase(), change).expect("an entry"));
        let findings = check(&entries, &site(), &settings(&[]));
        match gone {
            Some("") => assert_eq!(findings, []),
            Some(name) => assert!(findings.iter().any(|one| one.code == "server.missing" && one.value == name)),
            None => assert_eq!(findings.iter().map(|one| one.code).collect::<Vec<_>>(), ["nothing"]),
        }
    }
}

#[test]
fn without_a_known_address_servers_are_not_compared() {
    let nowhere = Site::default();
    let values = [("WUServer", "http://anywhere:8530"), ("WUStatusServer", "http://anywhere:8530")];
    assert_eq!(found(&values, &nowhere), []);
    let plain = Site { addresses: vec![address("http://wsus.example.org:8530")], ..Site::default() };
    let values = [("WUServer", "https://wsus.example.org:8530"), ("WUStatusServer", "https://wsus.example.org:8530")];
    assert!(
        found(&values, &plain).iter().all(|one| one.code == "server.scheme" && one.breaks.contains("expects http "))
    );
}
