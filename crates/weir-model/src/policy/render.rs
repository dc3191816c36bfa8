//! The policy of a site.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    address::Address,
    known::{Known, Shape, UnknownValue, known, known_values},
    registry::{Change, Data, Entry, Root},
};
use crate::client_settings::{Origin, Resolved, Resultant, Value};

/// Names of collections in `TargetGroup`.
const MOST_GROUPS: usize = 20;

/// What is asked for beside the client settings.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server that is scanned.
    pub server: Address,
    /// The server that reports go to; none is the same.
    pub status: Option<Address>,
    /// Another server for files.
    pub alternate: Option<Address>,
    /// Collections that the computers ask to be in.
    pub groups: Vec<String>,
    /// Say for each class of updates that it comes from this server; computers that do not know of that pass it over.
    pub sources: bool,
    /// Keep computers from public services of updates.
    pub no_internet: bool,
    /// Remove values of others that keep computers from scanning here, or make them scan elsewhere as well.
    pub remove_conflicts: bool,
    /// Values in their text form by name; none removes the value. They replace what would be there otherwise.
    pub set: Vec<(String, Option<String>)>,
}

impl Options {
    /// Those of a policy with which a computer scans at a server.
    pub fn new(server: Address) -> Self {
        Self {
            server,
            status: None,
            alternate: None,
            groups: Vec::new(),
            sources: true,
            no_internet: false,
            remove_conflicts: false,
            set: Vec::new(),
        }
    }
}

/// Why a value is in a policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// It was asked for by its name.
    Asked,
    /// An option, or what every policy has.
    Policy,
    /// A client setting, by its key, and the set that it comes from.
    Setting(&'static str, Origin),
}

/// A value of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyValue {
    /// Which.
    pub known: &'static Known,
    /// Its data; none: it is removed.
    pub data: Option<Data>,
    /// Why it is there.
    pub source: Source,
}

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        (self.branch, self.name) == (other.branch, other.name)
    }
}

/// A policy: values to set and to remove, in the order of the table, and what an administrator should know of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// The values.
    pub values: Vec<PolicyValue>,
    /// Sentences.
    pub notes: Vec<String>,
}

impl Policy {
    /// The policy as instructions below `HKEY_LOCAL_MACHINE`.
    pub fn entries(&self) -> Vec<Entry> {
        let entry = |value: &PolicyValue| {
            let name = value.known.name.to_owned();
            let change = match &value.data {
                Some(data) => Change::Set(name, data.clone()),
                None => Change::DeleteValue(name),
            };
            // keys and names of the table can all be written, which a test goes through
            Entry::new(Root::LocalMachine, value.known.branch.path(), change).ok()
        };
        self.values.iter().filter_map(entry).collect()
    }

    /// The value of that name.
    pub fn find(&self, name: &str) -> Option<&PolicyValue> {
        self.values.iter().find(|value| value.known.name == name)
    }
}

/// Why a policy cannot be made.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RenderError {
    /// Two options that exclude each other.
    #[error("{0}")]
    Conflict(&'static str),
    /// A name that cannot be in `TargetGroup`.
    #[error(
        "{0:?} cannot be in TargetGroup: give at most {MOST_GROUPS} names without semicolons and control characters"
    )]
    Group(String),
    /// The same value twice.
    #[error("{0} is given twice")]
    Twice(&'static str),
    /// No such value.
    #[error(transparent)]
    Unknown(#[from] UnknownValue),
    /// Out of range.
    #[error("{value:?} is no value of {name}: it takes {} ({})", shape.describe(), shape.kind_name())]
    Value {
        /// Its name.
        name: &'static str,
        /// What was given.
        value: String,
        /// What it takes.
        shape: Shape,
    },
}

/// Values that make computers scan elsewhere, or not at all, if others set them.
pub(super) const CONFLICTING: &[&str] = &[
    "DisableWindowsUpdateAccess",
    "BranchReadinessLevel",
    "DeferFeatureUpdates",
    "DeferFeatureUpdatesPeriodInDays",
    "DeferQualityUpdates",
    "DeferQualityUpdatesPeriodInDays",
    "PauseFeatureUpdatesStartTime",
    "PauseQualityUpdatesStartTime",
    "PauseFeatureUpdates",
    "PauseQualityUpdates",
    "TargetReleaseVersion",
    "TargetReleaseVersionInfo",
    "ProductVersion",
    "FillEmptyContentUrls",
    "UpdateServiceUrlAlternate",
];

/// The classes of updates whose source is chosen.
pub(super) const SOURCES: [&str; 4] = [
    "SetPolicyDrivenUpdateSourceForFeatureUpdates",
    "SetPolicyDrivenUpdateSourceForQualityUpdates",
    "SetPolicyDrivenUpdateSourceForDriverUpdates",
    "SetPolicyDrivenUpdateSourceForOtherUpdates",
];

/// Makes the policy of a site. Settings that nobody set write nothing, so that Windows' own behaviour stays, but for the
/// interval of scans, the proxy and the pinning of certificates.
pub fn render(options: &Options, settings: &Resultant) -> Result<Policy, RenderError> {
    let mut work = Work { values: BTreeMap::new(), notes: Vec::new() };
    if settings.is_set("updates.enabled") && !settings.flag("updates.enabled") {
        let source = source_of(settings, "updates.enabled");
        for name in ["WUServer", "WUStatusServer", "UseWUServer", "UseUpdateClassPolicySource"].iter().chain(&SOURCES) {
            work.put(name, None, source.clone());
        }
        work.note(
            "updates.enabled is false: the policy takes the update server away, and computers scan here no longer",
        );
    } else {
        server(&mut work, options)?;
        scanning(&mut work, settings, options);
        behaviour(&mut work, settings);
    }
    if options.remove_conflicts {
        for name in CONFLICTING {
            if !work.has(name) {
                work.put(name, None, Source::Policy);
            }
        }
    }
    asked(&mut work, options)?;
    Ok(work.done())
}

struct Work {
    values: BTreeMap<&'static str, (Option<Data>, Source)>,
    notes: Vec<String>,
}

impl Work {
    fn put(&mut self, name: &'static str, data: Option<Data>, source: Source) {
        self.values.insert(name, (data, source));
    }

    fn number(&mut self, name: &'static str, number: u32, source: Source) {
        self.put(name, Some(Data::Dword(number)), source);
    }

    fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    fn note(&mut self, sentence: impl Into<String>) {
        self.notes.push(sentence.into());
    }

    fn done(mut self) -> Policy {
        let value = |known: &'static Known| {
            let (data, source) = self.values.remove(known.name)?;
            Some(PolicyValue { known, data, source })
        };
        Policy { values: known_values().filter_map(value).collect(), notes: self.notes }
    }
}

fn server(work: &mut Work, options: &Options) -> Result<(), RenderError> {
    let text = |address: &Address| Some(Data::Text(address.to_string()));
    let status = options.status.as_ref().unwrap_or(&options.server);
    work.put("WUServer", text(&options.server), Source::Policy);
    work.put("WUStatusServer", text(status), Source::Policy);
    work.number("UseWUServer", 1, Source::Policy);
    work.number("NoAutoUpdate", 0, Source::Policy);
    // download and notify: what has a deadline is installed at it, the rest when the user says so
    work.number("AUOptions", 3, Source::Policy);
    if let Some(alternate) = &options.alternate {
        work.put("UpdateServiceUrlAlternate", text(alternate), Source::Policy);
    }
    if !options.groups.is_empty() {
        work.number("TargetGroupEnabled", 1, Source::Policy);
        work.put("TargetGroup", Some(Data::Text(groups(&options.groups)?)), Source::Policy);
    }
    if options.no_internet {
        work.number("DoNotConnectToWindowsUpdateInternetLocations", 1, Source::Policy);
        work.note(
            "DoNotConnectToWindowsUpdateInternetLocations also stops the Microsoft Store, Delivery Optimization with other \
             computers, and features on demand",
        );
    }
    if options.sources {
        work.number("UseUpdateClassPolicySource", 1, Source::Policy);
        for name in SOURCES {
            work.number(name, 1, Source::Policy);
        }
    }
    if options.server.is_loopback() {
        work.note(format!(
            "{} is reached by the server's own machine only: give the address for others",
            options.server
        ));
    }
    if options.server.tls() {
        work.note(
            "computers must trust the server's certificate: put the certificate that signed it into their Trusted Root \
             store (for the server's own, tls/ca.pem in the data folder)",
        );
    } else {
        work.note("scans over plain HTTP can be read and changed on their way: prefer HTTPS");
    }
    Ok(())
}

/// `TargetGroup`: names with semicolons between ("Enable client-side targeting").
fn groups(names: &[String]) -> Result<String, RenderError> {
    let wrong = |name: &String| {
        let name = name.trim();
        name.is_empty() || name.contains(';') || name.chars().any(char::is_control)
    };
    if let Some(name) = names.iter().find(|name| wrong(name)) {
        return Err(RenderError::Group(name.chars().take(80).collect()));
    }
    let joined = names.iter().map(|name| name.trim()).collect::<Vec<_>>().join(";");
    let shape = known("TargetGroup")?.shape;
    if names.len() > MOST_GROUPS || !shape.fits(&Data::Text(joined.clone())) {
        return Err(RenderError::Group(joined.chars().take(80).collect()));
    }
    Ok(joined)
}

fn scanning(work: &mut Work, settings: &Resultant, options: &Options) {
    let source = source_of(settings, "scan.schedule");
    let hours = settings.scan_interval_hours();
    // the range of the policy ends below a day, and a scan schedule begins at one
    let taken = hours.min(22);
    work.number("DetectionFrequencyEnabled", 1, source.clone());
    work.number("DetectionFrequency", taken, source);
    if hours > taken && settings.is_set("scan.schedule") {
        work.note(format!(
            "scan.schedule asks for a scan every {hours} hours; Windows' agent scans every {taken} hours at the latest. For \
             less: --set DetectionFrequency=HOURS"
        ));
    }
    let flag = |key| u32::from(settings.flag(key));
    let proxy = source_of(settings, "scan.user_proxy");
    work.number("SetProxyBehaviorForUpdateDetection", flag("scan.user_proxy"), proxy);
    let pinning = source_of(settings, "scan.tls_pinning");
    work.number("DoNotEnforceEnterpriseTLSCertPinningForUpdateDetection", 1 - flag("scan.tls_pinning"), pinning);
    if settings.flag("scan.user_proxy") && options.server.tls() {
        work.note("scan.user_proxy matters for plain HTTP only; this server is scanned over TLS");
    }
}

/// A setting that somebody set.
fn set<'r>(settings: &'r Resultant, key: &str) -> Option<&'r Resolved> {
    settings.find(key).filter(|resolved| resolved.is_set())
}

fn behaviour(work: &mut Work, settings: &Resultant) {
    if let Some(Resolved { value: Value::Flag(on), .. }) = set(settings, "third_party.enabled") {
        let source = source_of(settings, "third_party.enabled");
        work.number("AcceptTrustedPublisherCerts", u32::from(*on), source);
        if *on {
            work.note(
                "third_party.enabled: the publisher's certificate must be in Trusted Publishers of each computer",
            );
        }
    }
    if let Some(Resolved { value: Value::Choice(word), .. }) = set(settings, "feature.off_by_default") {
        let number = match *word {
            "yes" => Some(1),
            "no" => Some(0),
            _ => None,
        };
        let source = source_of(settings, "feature.off_by_default");
        if let Some(number) = number {
            work.number("AllowTemporaryEnterpriseFeatureControl", number, source);
        }
    }
    if set(settings, "install.permission").is_some() {
        let source = source_of(settings, "install.permission");
        match settings.choice("install.permission") {
            "all_users" => work.number("SetDisableUXWUAccess", 0, source),
            "no_users" => work.number("SetDisableUXWUAccess", 1, source),
            word => work.note(format!("install.permission {word} has no form in Windows and is left out")),
        }
    }
    if set(settings, "notify.new_deployments").is_some() {
        let source = source_of(settings, "notify.new_deployments");
        let level = u32::from(!settings.flag("notify.new_deployments"));
        work.number("SetUpdateNotificationLevel", 1, source.clone());
        work.number("UpdateNotificationLevel", level, source);
    }
    if settings.flag("install.external") {
        let source = source_of(settings, "install.external");
        work.number("AUOptions", 2, source);
        work.note("install.external: a deployment with a deadline still installs at it; give none to these computers");
    }
    if set(settings, "network.metered").is_some() {
        let source = source_of(settings, "network.metered");
        match settings.choice("network.metered") {
            "allow" => work.number("AllowAutoWindowsUpdateDownloadOverMeteredNetwork", 1, source),
            "block" => work.number("AllowAutoWindowsUpdateDownloadOverMeteredNetwork", 0, source),
            "limit" => work.note("network.metered limit has no form in Windows and is left out"),
            _ => {}
        }
    }
    transfers(work, settings);
    restarts(work, settings);
}

fn transfers(work: &mut Work, settings: &Resultant) {
    if set(settings, "transfer.throttle").is_none() {
        return;
    }
    let source = |key| source_of(settings, key);
    work.number("EnableBITSMaxBandwidth", u32::from(settings.flag("transfer.throttle")), source("transfer.throttle"));
    if !settings.flag("transfer.throttle") {
        return;
    }
    for (name, key) in [
        ("MaxBandwidthValidFrom", "transfer.from_hour"),
        ("MaxBandwidthValidTo", "transfer.to_hour"),
        ("MaxTransferRateOnSchedule", "transfer.kbps"),
    ] {
        work.number(name, settings.number(key), source(key));
    }
    let outside = settings.number("transfer.outside_kbps");
    work.number("UseSystemMaximum", u32::from(outside == 0), source("transfer.outside_kbps"));
    if outside > 0 {
        work.number("MaxTransferRateOffSchedule", outside, source("transfer.outside_kbps"));
    }
}

fn source_of(settings: &Resultant, key: &'static str) -> Source {
    Source::Setting(key, settings.find(key).map_or(Origin::BuiltIn, |resolved| resolved.origin.clone()))
}

/// Client settings of restarts (features 18.3) as far as Windows has them.
fn restarts(work: &mut Work, settings: &Resultant) {
    let force = settings.flag("restart.force");
    if set(settings, "restart.force").is_some() {
        let source = source_of(settings, "restart.force");
        work.number("NoAutoRebootWithLoggedOnUsers", u32::from(!force), source.clone());
        if !force {
            work.number("AlwaysAutoRebootAtScheduledTime", 0, source);
        }
    }
    let mut bounded = |name: &'static str, key: &'static str, switch: &'static str, least: u32, most: u32| {
        let wanted = settings.number(key);
        let taken = wanted.clamp(least, most);
        work.number(switch, 1, source_of(settings, key));
        work.number(name, taken, source_of(settings, key));
        if taken != wanted {
            work.note(format!("{key} is {wanted}; Windows takes {least} to {most}, so {name} is {taken}"));
        }
    };
    if force && set(settings, "restart.minutes").is_some() {
        let name = "AlwaysAutoRebootAtScheduledTimeMinutes";
        bounded(name, "restart.minutes", "AlwaysAutoRebootAtScheduledTime", 15, 180);
    }
    if force && set(settings, "restart.countdown_minutes").is_some() {
        bounded("RebootWarningTimeout", "restart.countdown_minutes", "RebootWarningTimeoutEnabled", 1, 30);
    }
    if set(settings, "restart.reminder_minutes").is_some() {
        bounded("RebootRelaunchTimeout", "restart.reminder_minutes", "RebootRelaunchTimeoutEnabled", 1, 1_440);
    }
    let old = ["restart.countdown_minutes", "restart.reminder_minutes"];
    if old.into_iter().any(|key| set(settings, key).is_some()) {
        work.note("RebootWarningTimeout and RebootRelaunchTimeout have no effect on Windows 10 and later");
    }
}

/// What was asked for by name, last.
fn asked(work: &mut Work, options: &Options) -> Result<(), RenderError> {
    let mut seen = BTreeSet::new();
    for (name, text) in &options.set {
        let known = known(name)?;
        if !seen.insert(known.name) {
            return Err(RenderError::Twice(known.name));
        }
        let data = match text {
            Some(text) => Some(known.shape.read(text).ok_or_else(|| RenderError::Value {
                name: known.name,
                value: text.chars().take(80).collect(),
                shape: known.shape,
            })?),
            None => None,
        };
        if !options.groups.is_empty() && matches!(known.name, "TargetGroup" | "TargetGroupEnabled") {
            return Err(RenderError::Conflict("TargetGroup is given by name and as a group; leave one of them out"));
        }
        work.put(known.name, data, Source::Asked);
    }
    // pairs of a switch and a value: one without the other does nothing
    for (switch, name) in SWITCHES {
        let given = |name: &str| seen.contains(name);
        let on = |work: &Work, name: &str| work.values.get(name).is_some_and(|(data, _)| data.is_some());
        if given(name) && on(work, name) && !given(switch) && !on(work, switch) {
            work.number(switch, 1, Source::Asked);
        }
    }
    Ok(())
}

/// Values that count only if another is 1.
pub(super) const SWITCHES: &[(&str, &str)] = &[
    ("TargetGroupEnabled", "TargetGroup"),
    ("DetectionFrequencyEnabled", "DetectionFrequency"),
    ("RescheduleWaitTimeEnabled", "RescheduleWaitTime"),
    ("RebootWarningTimeoutEnabled", "RebootWarningTimeout"),
    ("RebootRelaunchTimeoutEnabled", "RebootRelaunchTimeout"),
    ("AlwaysAutoRebootAtScheduledTime", "AlwaysAutoRebootAtScheduledTimeMinutes"),
    ("SetUpdateNotificationLevel", "UpdateNotificationLevel"),
    ("SetAllowOptionalContent", "AllowOptionalContent"),
    ("DeferFeatureUpdates", "DeferFeatureUpdatesPeriodInDays"),
    ("DeferQualityUpdates", "DeferQualityUpdatesPeriodInDays"),
    ("TargetReleaseVersion", "TargetReleaseVersionInfo"),
    ("ManagePreviewBuilds", "ManagePreviewBuildsPolicyValue"),
    ("SetComplianceDeadline", "ConfigureDeadlineForFeatureUpdates"),
    ("SetComplianceDeadline", "ConfigureDeadlineForQualityUpdates"),
    ("SetActiveHours", "ActiveHoursStart"),
    ("SetActiveHours", "ActiveHoursEnd"),
    ("SetActiveHoursMaxRange", "ActiveHoursMaxRange"),
    ("SetAutoRestartNotificationConfig", "AutoRestartNotificationSchedule"),
    ("SetAutoRestartRequiredNotificationDismissal", "AutoRestartRequiredNotificationDismissal"),
];
