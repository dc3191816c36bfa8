//! Automatic Updates: whether it runs, how often it looks, when it installs and restarts.

use super::{Finding, Severity, view::View};
use crate::client_settings::Resultant;

pub(super) fn check(view: &View<'_>, settings: &Resultant, findings: &mut Vec<Finding>) {
    if view.is("NoAutoUpdate", 1) {
        let breaks = "Automatic Updates is off: the policies of server and frequency have no effect, and nothing is scanned \
                      or installed by itself";
        findings.push(view.finding(Severity::Error, "automatic.off", "NoAutoUpdate", breaks, "set NoAutoUpdate to 0"));
    }
    options(view, findings);
    schedule(view, findings);
    restarts(view, settings, findings);
    let pinning = "DoNotEnforceEnterpriseTLSCertPinningForUpdateDetection";
    if let Some(number) = view.number(pinning)
        && (number == 0) != settings.flag("scan.tls_pinning")
    {
        differs(view, pinning, "scan.tls_pinning", findings);
    }
    let proxy = "SetProxyBehaviorForUpdateDetection";
    if let Some(number) = view.number(proxy)
        && (number == 1) != settings.flag("scan.user_proxy")
    {
        differs(view, proxy, "scan.user_proxy", findings);
    }
    if settings.is_set("updates.enabled") && !settings.flag("updates.enabled") && view.is("UseWUServer", 1) {
        differs(view, "UseWUServer", "updates.enabled", findings);
    }
}

fn differs(view: &View<'_>, name: &'static str, key: &str, findings: &mut Vec<Finding>) {
    let breaks = format!("it says something else than the client setting {key}");
    let next = format!("render the policy anew, or change the setting: weir client-settings show {key}");
    findings.push(view.finding(Severity::Note, "setting.differs", name, breaks, next));
}

fn options(view: &View<'_>, findings: &mut Vec<Finding>) {
    let mut found = |severity, code, breaks: &str, next: &str| {
        findings.push(view.finding(severity, code, "AUOptions", breaks, next));
    };
    match view.number("AUOptions") {
        Some(1) => found(
            Severity::Error,
            "options.off",
            "Automatic Updates is off, as with NoAutoUpdate 1",
            "set AUOptions to 3 or 4",
        ),
        Some(5) => found(
            Severity::Warning,
            "options.gone",
            "Windows 10 and later do not know 5 and do as they do without a policy",
            "set AUOptions to 3 or 4",
        ),
        Some(7) => found(
            Severity::Note,
            "options.servers",
            "7 is for Windows Server 2016 and later; other computers do as they do without a policy",
            "use it for servers only",
        ),
        _ => {}
    }
}

fn schedule(view: &View<'_>, findings: &mut Vec<Finding>) {
    const WEEKS: [&str; 4] = [
        "ScheduledInstallFirstWeek",
        "ScheduledInstallSecondWeek",
        "ScheduledInstallThirdWeek",
        "ScheduledInstallFourthWeek",
    ];
    let options = view.number("AUOptions");
    let given = ["ScheduledInstallDay", "ScheduledInstallTime", "ScheduledInstallEveryWeek"]
        .into_iter()
        .chain(WEEKS)
        .filter(|name| view.data(name).is_some());
    if options.is_some_and(|options| options != 4) {
        for name in given {
            let breaks = "a schedule counts only with AUOptions 4";
            let next = format!("set AUOptions to 4, or remove {name}");
            findings.push(view.finding(Severity::Warning, "schedule.unused", name, breaks, next));
        }
        return;
    }
    if options == Some(4) && view.data("ScheduledInstallDay").is_none() && view.data("ScheduledInstallTime").is_none() {
        let breaks = "without a schedule computers install every day at 03:00, whatever windows there are";
        let next = "set ScheduledInstallDay and ScheduledInstallTime, or AUOptions to 3";
        findings.push(view.finding(Severity::Note, "schedule.none", "AUOptions", breaks, next));
    }
    if view.is("ScheduledInstallEveryWeek", 1) {
        for name in WEEKS.into_iter().filter(|name| view.is(name, 1)) {
            let breaks = "every week is chosen, so that single weeks mean nothing";
            let next = "set ScheduledInstallEveryWeek to 0, or remove the single weeks";
            findings.push(view.finding(Severity::Warning, "schedule.weeks", name, breaks, next));
        }
    }
    if view.is("AutomaticMaintenanceEnabled", 1) && view.data("ScheduledInstallTime").is_some() {
        let breaks = "with automatic maintenance the schedule has no effect";
        let next = "remove one of the two";
        findings.push(view.finding(Severity::Warning, "schedule.maintenance", "ScheduledInstallTime", breaks, next));
    }
}

fn restarts(view: &View<'_>, settings: &Resultant, findings: &mut Vec<Finding>) {
    let (always, never) = ("AlwaysAutoRebootAtScheduledTime", "NoAutoRebootWithLoggedOnUsers");
    if view.is(always, 1) && view.is(never, 1) {
        let breaks = "the two contradict each other; while users are signed in no restart happens";
        let next = format!("set one of {always} and {never} to 0");
        findings.push(view.finding(Severity::Warning, "restart.conflict", always, breaks, next));
    }
    if settings.is_set("restart.force") {
        let force = settings.flag("restart.force");
        if !force && view.is(always, 1) {
            differs(view, always, "restart.force", findings);
        }
        if force && view.is(never, 1) {
            differs(view, never, "restart.force", findings);
        }
    }
    if let Some(hours) = view.number("DetectionFrequency").filter(|_| view.is("DetectionFrequencyEnabled", 1))
        && settings.is_set("scan.schedule")
        && hours > settings.scan_interval_hours()
    {
        differs(view, "DetectionFrequency", "scan.schedule", findings);
    }
    let (start, end) = (view.number("ActiveHoursStart"), view.number("ActiveHoursEnd"));
    if let (Some(start), Some(end)) = (start, end)
        && (end + 24 - start) % 24 > 18
    {
        let breaks = "more than 18 active hours are not taken";
        let next = "choose at most 18 hours";
        findings.push(view.finding(Severity::Warning, "restart.active_hours", "ActiveHoursEnd", breaks, next));
    }
}
