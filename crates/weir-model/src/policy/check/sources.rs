//! What makes a computer scan Windows Update as well, or in place of the site ("dual scan").

use super::{super::render::SOURCES, Finding, Severity, view::View};

/// Policies of deferral that count as soon as they are there.
const PRESENT: [&str; 3] = ["BranchReadinessLevel", "PauseFeatureUpdatesStartTime", "PauseQualityUpdatesStartTime"];
/// Those that count if they are above 0.
const ABOVE_ZERO: [&str; 6] = [
    "DeferFeatureUpdates",
    "DeferFeatureUpdatesPeriodInDays",
    "DeferQualityUpdates",
    "DeferQualityUpdatesPeriodInDays",
    "PauseFeatureUpdates",
    "PauseQualityUpdates",
];
const SWITCH: &str = "UseUpdateClassPolicySource";

pub(super) fn check(view: &View<'_>, findings: &mut Vec<Finding>) {
    let given: Vec<&'static str> = SOURCES.into_iter().filter(|name| view.data(name).is_some()).collect();
    for name in &given {
        if view.is(name, 0) {
            let breaks = "updates of this class come from Windows Update, whatever is deployed here";
            findings.push(view.finding(Severity::Error, "source.elsewhere", name, breaks, format!("set {name} to 1")));
        }
    }
    if !given.is_empty() && !view.is(SWITCH, 1) {
        let breaks = "the four values of sources are not in force: Group Policy and Intune set this value with them, who \
                      writes the registry has to";
        findings.push(view.finding(Severity::Warning, "source.unused", SWITCH, breaks, format!("set {SWITCH} to 1")));
    }
    if !given.is_empty() && given.len() < SOURCES.len() {
        let missing: Vec<&str> = SOURCES.into_iter().filter(|name| !given.contains(name)).collect();
        let breaks = format!("all four belong together, and there is no {}", missing.join(", "));
        let next = "set all four to 1";
        findings.push(view.finding(
            Severity::Warning,
            "source.partial",
            given.first().unwrap_or(&SWITCH),
            breaks,
            next,
        ));
    }
    let in_force = view.is(SWITCH, 1) && SOURCES.iter().all(|name| view.is(name, 1));
    let deferring = PRESENT
        .into_iter()
        .filter(|name| view.data(name).is_some())
        .chain(ABOVE_ZERO.into_iter().filter(|name| view.number(name).is_some_and(|number| number > 0)));
    for name in deferring {
        if in_force {
            let breaks = "it has no effect on updates that come from this server";
            findings.push(view.finding(Severity::Note, "dual_scan.none", name, breaks, format!("remove {name}")));
        } else if view.is("DisableDualScan", 1) {
            let breaks = "DisableDualScan counts up to Windows 10 only; later versions scan Windows Update as well";
            let next = format!("remove {name}, or add the values of sources: weir policy render");
            findings.push(view.finding(Severity::Warning, "dual_scan.newer", name, breaks, next));
        } else {
            let breaks = "with a policy of deferral computers scan Windows Update as well, and install from there what was \
                          not deployed here";
            let next = format!("remove {name}, or add the values of sources: weir policy render");
            findings.push(view.finding(Severity::Error, "dual_scan", name, breaks, next));
        }
    }
    if view.is("DisableWindowsUpdateAccess", 1) {
        let breaks = "everything of Windows Update is off, scans of this server, too";
        let next = "remove it; to hide Windows Update from users set SetDisableUXWUAccess to 1";
        findings.push(view.finding(Severity::Error, "access.off", "DisableWindowsUpdateAccess", breaks, next));
    }
    if view.is("DoNotConnectToWindowsUpdateInternetLocations", 1) {
        let name = "DoNotConnectToWindowsUpdateInternetLocations";
        let (severity, breaks) = if view.is("UseWUServer", 1) {
            (Severity::Warning, "the Microsoft Store, Delivery Optimization and features on demand may stop")
        } else {
            (Severity::Note, "it counts only with an update server")
        };
        findings.push(view.finding(severity, "internet.off", name, breaks, "remove it unless that is meant"));
    }
}
