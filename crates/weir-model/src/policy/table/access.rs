//! What users may do (features 26.4).

use super::super::known::{
    Branch::Update,
    Known,
    Shape::{Flag, Number},
};
use super::value;

const NOTICES: &str = "Display options for update notifications";

pub(super) const TABLE: &[Known] = &[
    value(
        Update,
        "DisableWindowsUpdateAccess",
        Flag,
        "Turn off access to all Windows Update features",
        "1: everything of Windows Update is off, scans, too. Never set it on a managed computer.",
    ),
    value(
        Update,
        "SetDisableUXWUAccess",
        Flag,
        "Remove access to use all Windows Update features",
        "1: users cannot look for updates in Settings; scans in the background go on.",
    )
    .csp("Update/SetDisableUXWUAccess")
    .windows("Windows 10 and later"),
    value(
        Update,
        "SetDisablePauseUXAccess",
        Flag,
        "Remove access to \"Pause updates\" feature",
        "1: users cannot pause updates.",
    )
    .csp("Update/SetDisablePauseUXAccess")
    .windows("Windows 10 1809 and later"),
    value(
        Update,
        "ExcludeWUDriversInQualityUpdate",
        Flag,
        "Do not include drivers with Windows Updates",
        "1: no drivers.",
    )
    .csp("Update/ExcludeWUDriversInQualityUpdate")
    .windows("Windows 10 and later"),
    value(Update, "SetUpdateNotificationLevel", Flag, NOTICES, "1: UpdateNotificationLevel is used.")
        .no_csp("Update/UpdateNotificationLevel implies it")
        .windows("Windows 10 1809 and later"),
    value(
        Update,
        "UpdateNotificationLevel",
        Number(0, 2),
        NOTICES,
        "0 all notices, 1 none but warnings of restarts, 2 none at all.",
    )
    .csp("Update/UpdateNotificationLevel")
    .windows("Windows 10 1809 and later"),
];
