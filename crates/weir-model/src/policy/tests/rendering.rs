use std::collections::{BTreeMap, BTreeSet};

use crate::{
    client_settings::{DEFAULT_SET_ID, Resultant, Set, definition, resultant},
    ids::CollectionId,
    policy::{
        Address, Branch, Csp, CspFormat, Options, Policy, RenderError, Severity, Shape, Site, check, known, known_at,
        known_values,
        registry::{Change, Data},
        render,
    },
};

pub(super) fn settings(given: &[(&str, &str)]) -> Resultant {
    let read = |(key, text): &(&str, &str)| {
        ((*key).to_owned(), definition(key).expect("a setting").read(text).expect("a value"))
    };
    let set = Set {
        id: DEFAULT_SET_ID,
        name: "Default".to_owned(),
        priority: 0,
        settings: given.iter().map(read).collect(),
        collections: Vec::new(),
    };
    resultant(&[set], &BTreeSet::<CollectionId>::new())
}

pub(super) fn address(text: &str) -> Address {
    text.parse().expect(text)
}

pub(super) fn site() -> Site {
    Site {
        addresses: vec![address("http://wsus.example.org:8530"), address("https://wsus.example.org:8531")],
        client_targeting: false,
        collections: vec!["All Computers".to_owned(), "Pilot".to_owned()],
    }
}

fn shown(policy: &Policy) -> BTreeMap<&'static str, String> {
    let text = |data: &Option<Data>| data.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    policy.values.iter().map(|value| (value.known.name, text(&value.data))).collect()
}

fn rendered(given: &[(&str, &str)]) -> BTreeMap<&'static str, String> {
    shown(&render(&Options::new(address("https://wsus.example.org:8531")), &settings(given)).expect("renders"))
}

/// The names of features.md, section 26.
const INVENTORY: &str = "WUServer WUStatusServer UseWUServer AcceptTrustedPublisherCerts SetProxyBehaviorForUpdateDetection \
    DoNotEnforceEnterpriseTLSCertPinningForUpdateDetection UpdateServiceUrlAlternate FillEmptyContentUrls TargetGroupEnabled \
    TargetGroup DoNotConnectToWindowsUpdateInternetLocations DisableDualScan SetPolicyDrivenUpdateSourceForFeatureUpdates \
    SetPolicyDrivenUpdateSourceForQualityUpdates SetPolicyDrivenUpdateSourceForDriverUpdates \
    SetPolicyDrivenUpdateSourceForOtherUpdates UseUpdateClassPolicySource DetectionFrequencyEnabled DetectionFrequency \
    NoAutoUpdate AUOptions ScheduledInstallDay ScheduledInstallTime ScheduledInstallEveryWeek ScheduledInstallFirstWeek \
    ScheduledInstallSecondWeek ScheduledInstallThirdWeek ScheduledInstallFourthWeek AutomaticMaintenanceEnabled \
    AllowMUUpdateService RescheduleWaitTime RescheduleWaitTimeEnabled NoAutoRebootWithLoggedOnUsers RebootWarningTimeout \
    RebootWarningTimeoutEnabled RebootRelaunchTimeout RebootRelaunchTimeoutEnabled AutoInstallMinorUpdates \
    IncludeRecommendedUpdates EnableFeaturedSoftware AlwaysAutoRebootAtScheduledTime AlwaysAutoRebootAtScheduledTimeMinutes \
    NoAUShutdownOption NoAUAsDefaultShutdownOption AUPowerManagement ElevateNonAdmins DisableWindowsUpdateAccess \
    SetDisableUXWUAccess SetDisablePauseUXAccess ExcludeWUDriversInQualityUpdate SetUpdateNotificationLevel \
    UpdateNotificationLevel BranchReadinessLevel DeferFeatureUpdates DeferFeatureUpdatesPeriodInDays DeferQualityUpdates \
    DeferQualityUpdatesPeriodInDays PauseFeatureUpdatesStartTime PauseQualityUpdatesStartTime PauseFeatureUpdates \
    PauseQualityUpdates TargetReleaseVersion TargetReleaseVersionInfo ProductVersion ManagePreviewBuilds \
    ManagePreviewBuildsPolicyValue SetComplianceDeadline ConfigureDeadlineForFeatureUpdates \
    ConfigureDeadlineForQualityUpdates ConfigureDeadlineGracePeriod ConfigureDeadlineGracePeriodForFeatureUpdates \
    ConfigureDeadlineNoAutoReboot SetActiveHours ActiveHoursStart ActiveHoursEnd SetActiveHoursMaxRange ActiveHoursMaxRange \
    SetAutoRestartNotificationConfig AutoRestartNotificationSchedule SetAutoRestartRequiredNotificationDismissal \
    AutoRestartRequiredNotificationDismissal SetAutoRestartNotificationDisable AllowOptionalContent \
    AllowTemporaryEnterpriseFeatureControl DisableWUfBSafeguards AllowAutoWindowsUpdateDownloadOverMeteredNetwork \
    DODownloadMode DOGroupId DOGroupIdSource DOCacheHost";

#[test]
fn every_value_of_the_inventory_is_in_the_table_once() {
    for name in INVENTORY.split_whitespace() {
        assert_eq!(known(name).expect("known").name, name);
    }
    let mut names = BTreeSet::new();
    for value in known_values() {
        assert!(names.insert(value.name.to_lowercase()), "{} is there twice", value.name);
        assert!(
            !value.meaning.is_empty() && !value.meaning.contains("  ") && !value.policy.is_empty(),
            "{}",
            value.name
        );
        let path = value.branch.path().to_uppercase();
        assert_eq!(known_at(&path, &value.name.to_lowercase()).expect("found by its place").name, value.name);
        match (value.csp, value.shape) {
            (Csp::None(why), _) => assert!(!why.is_empty()),
            (Csp::Setting(setting, CspFormat::Text), Shape::Date | Shape::Text(_) | Shape::Url) => {
                assert!(setting.starts_with("Update/") || setting.starts_with("DeliveryOptimization/"), "{setting}");
            }
            (Csp::Setting(setting, _), Shape::Choice(_) | Shape::Flag | Shape::Number(..)) => {
                assert!(setting.contains('/'), "{setting}");
            }
            other => panic!("{}: {other:?}", value.name),
        }
    }
    let unknown = known("DetectionFrequenzy").expect_err("no such value");
    assert_eq!(unknown.near.as_deref(), Some("DetectionFrequency"));
}

#[test]
fn without_options_a_computer_scans_here_and_nowhere_else() {
    let all = rendered(&[]);
    let expected: BTreeMap<&str, &str> = [
        ("WUServer", "https://wsus.example.org:8531"),
        ("WUStatusServer", "https://wsus.example.org:8531"),
        ("UseWUServer", "1"),
        ("NoAutoUpdate", "0"),
        ("AUOptions", "3"),
        ("DetectionFrequencyEnabled", "1"),
        ("DetectionFrequency", "22"),
        ("SetProxyBehaviorForUpdateDetection", "0"),
        ("DoNotEnforceEnterpriseTLSCertPinningForUpdateDetection", "0"),
        ("UseUpdateClassPolicySource", "1"),
        ("SetPolicyDrivenUpdateSourceForFeatureUpdates", "1"),
        ("SetPolicyDrivenUpdateSourceForQualityUpdates", "1"),
        ("SetPolicyDrivenUpdateSourceForDriverUpdates", "1"),
        ("SetPolicyDrivenUpdateSourceForOtherUpdates", "1"),
    ]
    .into();
    assert_eq!(all.iter().map(|(name, text)| (*name, text.as_str())).collect::<BTreeMap<_, _>>(), expected);
    let policy = render(&Options::new(address("https://wsus.example.org:8531")), &settings(&[])).expect("renders");
    assert_eq!(check(&policy.entries(), &site(), &settings(&[])), [], "and nothing is found wrong with it");
    assert_eq!(policy.entries().len(), policy.values.len());
    assert!(policy.entries().iter().any(|entry| entry.key() == Branch::Automatic.path()));
}

/// Settings, or values of the policy, with their texts.
type Pairs = &'static [(&'static str, &'static str)];

#[test]
fn settings_that_were_set_become_values() {
    let cases: &[(Pairs, Pairs)] = &[
        (&[("scan.user_proxy", "true")], &[("SetProxyBehaviorForUpdateDetection", "1")]),
        (&[("scan.tls_pinning", "false")], &[("DoNotEnforceEnterpriseTLSCertPinningForUpdateDetection", "1")]),
        (&[("third_party.enabled", "true")], &[("AcceptTrustedPublisherCerts", "1")]),
        (&[("third_party.enabled", "false")], &[("AcceptTrustedPublisherCerts", "0")]),
        (&[("feature.off_by_default", "yes")], &[("AllowTemporaryEnterpriseFeatureControl", "1")]),
        (&[("install.permission", "no_users")], &[("SetDisableUXWUAccess", "1")]),
        (
            &[("notify.new_deployments", "false")],
            &[("SetUpdateNotificationLevel", "1"), ("UpdateNotificationLevel", "1")],
        ),
        (&[("install.external", "true")], &[("AUOptions", "2")]),
        (&[("network.metered", "block")], &[("AllowAutoWindowsUpdateDownloadOverMeteredNetwork", "0")]),
        (
            &[("transfer.throttle", "true"), ("transfer.kbps", "500")],
            &[
                ("EnableBITSMaxBandwidth", "1"),
                ("MaxBandwidthValidFrom", "9"),
                ("MaxBandwidthValidTo", "17"),
                ("MaxTransferRateOnSchedule", "500"),
                ("UseSystemMaximum", "1"),
            ],
        ),
        (
            &[("restart.force", "false")],
            &[("NoAutoRebootWithLoggedOnUsers", "1"), ("AlwaysAutoRebootAtScheduledTime", "0")],
        ),
        (
            &[("restart.minutes", "500")],
            &[("AlwaysAutoRebootAtScheduledTime", "1"), ("AlwaysAutoRebootAtScheduledTimeMinutes", "180")],
        ),
        (
            &[("restart.countdown_minutes", "20"), ("restart.reminder_minutes", "2000")],
            &[
                ("RebootWarningTimeoutEnabled", "1"),
                ("RebootWarningTimeout", "20"),
                ("RebootRelaunchTimeoutEnabled", "1"),
                ("RebootRelaunchTimeout", "1440"),
            ],
        ),
        (&[("install.permission", "administrators")], &[]),
        (&[("deadline.grace_hours", "5")], &[]),
    ];
    let plain = rendered(&[]);
    for (given, values) in cases {
        let all = rendered(given);
        for (name, text) in *values {
            assert_eq!(all.get(name).map(String::as_str), Some(*text), "{given:?}: {name}");
        }
        let more = all.keys().filter(|name| !plain.contains_key(*name)).count();
        let wanted = values.iter().filter(|(name, _)| !plain.contains_key(name)).count();
        assert_eq!(more, wanted, "{given:?} adds nothing else: {all:?}");
        for (name, text) in all {
            let known = known(name).expect("of the table");
            assert!(known.shape.read(&text).is_some(), "{name} {text} is within its range");
        }
    }
    let notes = |given| {
        render(&Options::new(address("https://wsus.example.org:8531")), &settings(given))
            .expect("renders")
            .notes
            .join("\n")
    };
    assert!(notes(&[("restart.minutes", "500")]).contains("restart.minutes is 500; Windows takes 15 to 180"));
    assert!(notes(&[("scan.schedule", "every 7 days at 02:00")]).contains("every 168 hours"));
    assert!(notes(&[("install.permission", "administrators")]).contains("no form in Windows"));
}

#[test]
fn computers_without_management_lose_the_server() {
    let all = rendered(&[("updates.enabled", "false")]);
    assert!(all.values().all(|text| text == "-"), "{all:?}");
    assert!(["WUServer", "WUStatusServer", "UseWUServer"].into_iter().all(|name| all.contains_key(name)));
}

fn with(change: impl FnOnce(&mut Options)) -> Result<Policy, RenderError> {
    let mut options = Options::new(address("http://10.1.2.3:8530"));
    change(&mut options);
    render(&options, &settings(&[]))
}

fn asked(set: &[(&str, Option<&str>)]) -> Result<Policy, RenderError> {
    with(|options| {
        options.set = set.iter().map(|(name, text)| ((*name).to_owned(), text.map(str::to_owned))).collect();
    })
}

#[test]
fn options_add_and_replace_values() {
    let policy = with(|options| {
        options.status = Some(address("http://other:8530"));
        options.alternate = Some(address("http://cache:80"));
        options.groups = vec!["Pilot".to_owned(), " Second floor ".to_owned()];
        options.sources = false;
        options.no_internet = true;
        options.remove_conflicts = true;
    });
    let all = shown(&policy.expect("renders"));
    for (name, text) in [
        ("WUServer", "http://10.1.2.3:8530"),
        ("WUStatusServer", "http://other:8530"),
        ("UpdateServiceUrlAlternate", "http://cache:80"),
        ("TargetGroupEnabled", "1"),
        ("TargetGroup", "Pilot;Second floor"),
        ("DoNotConnectToWindowsUpdateInternetLocations", "1"),
        ("DeferQualityUpdates", "-"),
        ("DisableWindowsUpdateAccess", "-"),
        ("FillEmptyContentUrls", "-"),
    ] {
        assert_eq!(all.get(name).map(String::as_str), Some(text), "{name}");
    }
    assert!(!all.contains_key("UseUpdateClassPolicySource"));

    let all = shown(
        &asked(&[("auoptions", Some("4")), ("ScheduledInstallTime", Some("0x03")), ("UseWUServer", None)])
            .expect("renders"),
    );
    assert_eq!(all["AUOptions"], "4");
    assert_eq!(all["ScheduledInstallTime"], "3");
    assert_eq!(all["UseWUServer"], "-");
    let all = shown(&asked(&[("ActiveHoursStart", Some("8")), ("ActiveHoursEnd", Some("18"))]).expect("renders"));
    assert_eq!(all["SetActiveHours"], "1", "what switches a value on comes with it");
    let all = shown(&asked(&[("ActiveHoursStart", Some("8")), ("SetActiveHours", Some("0"))]).expect("renders"));
    assert_eq!(all["SetActiveHours"], "0", "unless it is given");
}

#[test]
fn values_out_of_range_are_refused_with_their_name_and_range() {
    for (name, text, range) in [
        ("DetectionFrequency", "23", "1 to 22 (REG_DWORD)"),
        ("DetectionFrequency", "0", "1 to 22"),
        ("AUOptions", "6", "1, 2, 3, 4, 5, 7"),
        ("ScheduledInstallDay", "8", "0 to 7"),
        ("UseWUServer", "2", "0 or 1"),
        ("UseWUServer", "yes", "0 or 1"),
        ("UseWUServer", "4294967297", "0 or 1"),
        ("WUServer", "http://wsus", "http://HOST:PORT"),
        ("WUServer", "http://wsus:8530/", "http://HOST:PORT"),
        ("PauseQualityUpdatesStartTime", "tomorrow", "2026-12-31"),
        ("PauseQualityUpdatesStartTime", "2026-02-30", "2026-12-31"),
        ("TargetReleaseVersionInfo", "", "1 to 64 characters"),
        ("DODownloadMode", "4", "0, 1, 2, 3, 99, 100"),
    ] {
        let error = asked(&[(name, Some(text))]).expect_err(text).to_string();
        assert!(error.contains(name) && error.contains(range), "{error}");
    }
    assert!(asked(&[("PauseQualityUpdatesStartTime", Some("2026-02-28"))]).is_ok());
    assert!(matches!(asked(&[("Nonsense", Some("1"))]), Err(RenderError::Unknown(_))));
    assert_eq!(asked(&[("AUOptions", Some("4")), ("AUOPTIONS", None)]), Err(RenderError::Twice("AUOptions")));
    for group in ["", "a;b", "a\nb"] {
        assert!(
            matches!(with(|options| options.groups = vec![group.to_owned()]), Err(RenderError::Group(_))),
            "{group:?}"
        );
    }
    assert!(matches!(with(|options| options.groups = vec!["x".to_owned(); 21]), Err(RenderError::Group(_))));
    let twice = with(|options| {
        options.groups = vec!["Pilot".to_owned()];
        options.set = vec![("TargetGroup".to_owned(), Some("Other".to_owned()))];
    });
    assert!(matches!(twice, Err(RenderError::Conflict(_))));
}

#[test]
fn every_value_can_be_asked_for_at_both_ends_of_its_range() {
    for value in known_values() {
        let (good, bad): (Vec<String>, Vec<String>) = match value.shape {
            Shape::Choice(numbers) => (numbers.iter().map(ToString::to_string).collect(), vec!["77777".to_owned()]),
            Shape::Date => (vec!["2026-12-31".to_owned()], vec!["31.12.2026".to_owned()]),
            Shape::Flag => (vec!["0".to_owned(), "1".to_owned()], vec!["2".to_owned()]),
            Shape::Number(least, most) => (vec![least.to_string(), most.to_string()], vec![(most + 1).to_string()]),
            Shape::Text(most) => (vec!["x".repeat(most)], vec!["x".repeat(most + 1)]),
            Shape::Url => (vec!["https://wsus:8531".to_owned()], vec!["wsus".to_owned()]),
        };
        for text in good {
            let policy = asked(&[(value.name, Some(&text))]).expect(value.name);
            let Some(Data::Dword(_) | Data::Text(_)) = policy.find(value.name).expect("it is there").data else {
                panic!("{} has no data", value.name)
            };
            let entry = policy
                .entries()
                .into_iter()
                .find(|entry| matches!(entry.change(), Change::Set(name, _) if name == value.name));
            assert_eq!(entry.expect("an instruction").key(), value.branch.path());
        }
        for text in bad {
            assert!(asked(&[(value.name, Some(&text))]).is_err(), "{} {text}", value.name);
        }
    }
}

#[test]
fn what_is_asked_for_against_the_server_is_found() {
    let policy = asked(&[("DeferQualityUpdatesPeriodInDays", Some("5")), ("DisableWindowsUpdateAccess", Some("1"))]);
    let mut here = site();
    here.addresses.push(address("http://10.1.2.3:8530"));
    let findings = check(&policy.expect("renders").entries(), &here, &settings(&[]));
    assert!(findings.iter().any(|one| one.code == "access.off" && one.severity == Severity::Error));
    assert!(findings.iter().any(|one| one.code == "dual_scan.none"), "the sources are set: {findings:?}");
}
