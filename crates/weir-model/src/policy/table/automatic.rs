//! How Automatic Updates behaves (features 26.3).

use super::super::known::{
    Branch::{Automatic, Update},
    Known,
    Shape::{Choice, Flag, Number},
};
use super::value;

const CONFIGURE: &str = "Configure Automatic Updates";
const WEEKS: &str = "Windows 10 1709 and later";
const RESTART: &str = "Always automatically restart at the scheduled time";
const WARNING: &str = "Delay restart for scheduled installations";
const RELAUNCH: &str = "Re-prompt for restart with scheduled installations";
const MISSED: &str = "Reschedule Automatic Updates scheduled installations";
const OLD: &str = "without effect on Windows 10 and later";

/// `AUOptions` as `Update/AllowAutoUpdate` numbers it: 3 (download, notify to install) has no form there.
const AUTO_UPDATE: &[(u32, u32)] = &[(2, 0), (4, 3)];

/// `Update/ScheduledInstallTime` has hours only; that Windows chooses has no form there.
#[rustfmt::skip]
const HOURS: &[(u32, u32)] = &[
    (0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7),
    (8, 8), (9, 9), (10, 10), (11, 11), (12, 12), (13, 13), (14, 14), (15, 15),
    (16, 16), (17, 17), (18, 18), (19, 19), (20, 20), (21, 21), (22, 22), (23, 23),
];

pub(super) const TABLE: &[Known] = &[
    value(
        Automatic,
        "NoAutoUpdate",
        Flag,
        CONFIGURE,
        "1: Automatic Updates is off, and the policies of server and frequency have no effect.",
    )
    .mapped("Update/AllowAutoUpdate", &[(1, 5)]),
    value(
        Automatic,
        "AUOptions",
        Choice(&[1, 2, 3, 4, 5, 7]),
        CONFIGURE,
        "1 disabled, 2 notify before download, 3 download and notify, 4 download and install as scheduled, 5 the local \
         administrator chooses, 7 servers: download, notify to install and to restart.",
    )
    .mapped("Update/AllowAutoUpdate", AUTO_UPDATE)
    .windows("5 is gone since Windows 10; 7 is for Windows Server 2016 and later"),
    value(
        Automatic,
        "ScheduledInstallDay",
        Number(0, 7),
        CONFIGURE,
        "With AUOptions 4: 0 every day, 1 Sunday to 7 Saturday.",
    )
    .csp("Update/ScheduledInstallDay"),
    value(
        Automatic,
        "ScheduledInstallTime",
        Number(0, 24),
        CONFIGURE,
        "With AUOptions 4: the hour, 0 to 23; 24 lets Windows choose.",
    )
    .mapped("Update/ScheduledInstallTime", HOURS)
    .windows("24 since Windows 10 1809"),
    value(Automatic, "ScheduledInstallEveryWeek", Flag, CONFIGURE, "1: in every week.")
        .csp("Update/ScheduledInstallEveryWeek")
        .windows(WEEKS),
    value(Automatic, "ScheduledInstallFirstWeek", Flag, CONFIGURE, "1: in the first week of the month.")
        .csp("Update/ScheduledInstallFirstWeek")
        .windows(WEEKS),
    value(Automatic, "ScheduledInstallSecondWeek", Flag, CONFIGURE, "1: in the second week of the month.")
        .csp("Update/ScheduledInstallSecondWeek")
        .windows(WEEKS),
    value(Automatic, "ScheduledInstallThirdWeek", Flag, CONFIGURE, "1: in the third week of the month.")
        .csp("Update/ScheduledInstallThirdWeek")
        .windows(WEEKS),
    value(Automatic, "ScheduledInstallFourthWeek", Flag, CONFIGURE, "1: in the fourth week of the month.")
        .csp("Update/ScheduledInstallFourthWeek")
        .windows(WEEKS),
    value(
        Automatic,
        "AutomaticMaintenanceEnabled",
        Flag,
        CONFIGURE,
        "1: install in automatic maintenance in place of a schedule.",
    )
    .windows("Windows 8 and later"),
    value(Automatic, "AllowMUUpdateService", Flag, CONFIGURE, "1: also updates of other Microsoft products.")
        .csp("Update/AllowMUUpdateService")
        .windows("Windows 10 and later"),
    value(Automatic, "RescheduleWaitTimeEnabled", Flag, MISSED, "1: RescheduleWaitTime is used.").windows(OLD),
    value(
        Automatic,
        "RescheduleWaitTime",
        Number(1, 60),
        MISSED,
        "Minutes after the start of the computer at which a missed installation begins.",
    )
    .windows(OLD),
    value(
        Automatic,
        "NoAutoRebootWithLoggedOnUsers",
        Flag,
        "No auto-restart with logged on users for scheduled automatic updates installations",
        "1: no restart while users are signed in.",
    ),
    value(Automatic, "RebootWarningTimeoutEnabled", Flag, WARNING, "1: RebootWarningTimeout is used.").windows(OLD),
    value(
        Automatic,
        "RebootWarningTimeout",
        Number(1, 30),
        WARNING,
        "Minutes of the countdown to a restart after a scheduled installation.",
    )
    .windows(OLD),
    value(Automatic, "RebootRelaunchTimeoutEnabled", Flag, RELAUNCH, "1: RebootRelaunchTimeout is used.").windows(OLD),
    value(
        Automatic,
        "RebootRelaunchTimeout",
        Number(1, 1_440),
        RELAUNCH,
        "Minutes until a restart that was put off is asked for again.",
    )
    .windows(OLD),
    value(
        Automatic,
        "AutoInstallMinorUpdates",
        Flag,
        "Allow Automatic Updates immediate installation",
        "1: what needs no restart is installed at once.",
    )
    .windows(OLD),
    value(
        Automatic,
        "IncludeRecommendedUpdates",
        Flag,
        "Turn on recommended updates via Automatic Updates",
        "1: recommended updates, too.",
    )
    .windows(OLD),
    value(
        Automatic,
        "EnableFeaturedSoftware",
        Flag,
        "Turn on Software Notifications",
        "1: notices of featured software.",
    )
    .windows(OLD)
    .reported(),
    value(
        Automatic,
        "AlwaysAutoRebootAtScheduledTime",
        Flag,
        RESTART,
        "1: the computer restarts after an installation, whoever is signed in. Not with NoAutoRebootWithLoggedOnUsers.",
    ),
    value(
        Automatic,
        "AlwaysAutoRebootAtScheduledTimeMinutes",
        Number(15, 180),
        RESTART,
        "Minutes of warning before that.",
    ),
    value(
        Automatic,
        "NoAUShutdownOption",
        Flag,
        "Do not display 'Install Updates and Shut Down' option in Shut Down Windows dialog box",
        "1: installing at shut-down is not offered.",
    )
    .windows(OLD),
    value(
        Automatic,
        "NoAUAsDefaultShutdownOption",
        Flag,
        "Do not adjust default option to 'Install Updates and Shut Down' in Shut Down Windows dialog box",
        "1: installing at shut-down is not proposed.",
    )
    .windows(OLD),
    value(
        Update,
        "AUPowerManagement",
        Flag,
        "Enabling Windows Update Power Management to automatically wake up the system to install scheduled updates",
        "1: the computer is woken for an installation.",
    )
    .windows("before Windows 10"),
    value(
        Update,
        "ElevateNonAdmins",
        Flag,
        "Allow non-administrators to receive update notifications",
        "1: users without administrative rights are told.",
    )
    .windows(OLD),
];
