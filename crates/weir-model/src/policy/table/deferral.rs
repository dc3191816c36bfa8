//! Deferral, versions and deadlines of Windows Update for Business (features 26.5). With an update server most of them
//! are not wanted: they make computers scan Windows Update as well.

use super::super::known::{
    Branch::Update,
    Known,
    Shape::{Choice, Date, Flag, Number, Text},
};
use super::value;

const FEATURE: &str = "Select when Preview Builds and Feature Updates are received";
const QUALITY: &str = "Select when Quality Updates are received";
const TARGET: &str = "Select the target Feature Update version";
const PREVIEW: &str = "Manage preview builds";
const DEADLINE: &str = "Specify deadlines for automatic updates and restarts";
const ACTIVE: &str = "Turn off auto-restart for updates during active hours";
const RANGE: &str = "Specify active hours range for auto-restarts";
const NOTICE: &str = "Configure auto-restart reminder notifications for updates";
const DISMISSAL: &str = "Configure auto-restart required notification for updates";
const TEN: &str = "Windows 10 and later";
const DEADLINES: &str = "Windows 10 1709 and later";

pub(super) const TABLE: &[Known] = &[
    value(
        Update,
        "BranchReadinessLevel",
        Choice(&[2, 4, 8, 16, 32, 64, 128]),
        PREVIEW,
        "The channel: 2, 4, 8, 64, 128 previews, 16 and 32 releases.",
    )
    .csp("Update/BranchReadinessLevel")
    .windows(TEN),
    value(Update, "DeferFeatureUpdates", Flag, FEATURE, "1: DeferFeatureUpdatesPeriodInDays is used.")
        .no_csp("Update/DeferFeatureUpdatesPeriodInDays implies it")
        .windows(TEN),
    value(Update, "DeferFeatureUpdatesPeriodInDays", Number(0, 365), FEATURE, "Days that feature updates wait.")
        .csp("Update/DeferFeatureUpdatesPeriodInDays")
        .windows(TEN),
    value(Update, "DeferQualityUpdates", Flag, QUALITY, "1: DeferQualityUpdatesPeriodInDays is used.")
        .no_csp("Update/DeferQualityUpdatesPeriodInDays implies it")
        .windows(TEN),
    value(Update, "DeferQualityUpdatesPeriodInDays", Number(0, 30), QUALITY, "Days that quality updates wait.")
        .csp("Update/DeferQualityUpdatesPeriodInDays")
        .windows(TEN),
    value(Update, "PauseFeatureUpdatesStartTime", Date, FEATURE, "From this day on feature updates pause for 35 days.")
        .csp("Update/PauseFeatureUpdatesStartTime")
        .windows("Windows 10 1703 and later"),
    value(Update, "PauseQualityUpdatesStartTime", Date, QUALITY, "From this day on quality updates pause for 35 days.")
        .csp("Update/PauseQualityUpdatesStartTime")
        .windows("Windows 10 1703 and later"),
    value(Update, "PauseFeatureUpdates", Flag, FEATURE, "1: feature updates pause.")
        .csp("Update/PauseFeatureUpdates")
        .windows("Windows 10 1607"),
    value(Update, "PauseQualityUpdates", Flag, QUALITY, "1: quality updates pause.")
        .csp("Update/PauseQualityUpdates")
        .windows("Windows 10 1607"),
    value(Update, "TargetReleaseVersion", Flag, TARGET, "1: ProductVersion and TargetReleaseVersionInfo are used.")
        .no_csp("Update/TargetReleaseVersion implies it")
        .windows("Windows 10 1803 and later"),
    value(Update, "TargetReleaseVersionInfo", Text(64), TARGET, "The version to stay at, such as 24H2.")
        .csp("Update/TargetReleaseVersion")
        .windows("Windows 10 1803 and later"),
    value(Update, "ProductVersion", Text(64), TARGET, "The product to stay at, such as Windows 11.")
        .csp("Update/ProductVersion")
        .windows("Windows 10 2004 and later"),
    value(Update, "ManagePreviewBuilds", Flag, PREVIEW, "1: ManagePreviewBuildsPolicyValue is used.")
        .no_csp("Update/ManagePreviewBuilds implies it")
        .windows("Windows 10 1709 and later"),
    value(
        Update,
        "ManagePreviewBuildsPolicyValue",
        Number(0, 3),
        PREVIEW,
        "0 no preview builds, 1 none from the next release on, 2 allowed, 3 the user chooses.",
    )
    .csp("Update/ManagePreviewBuilds")
    .windows("Windows 10 1709 and later"),
    value(Update, "SetComplianceDeadline", Flag, DEADLINE, "1: the values of deadlines are used.")
        .no_csp("the settings of deadlines imply it")
        .windows(DEADLINES)
        .reported(),
    value(
        Update,
        "ConfigureDeadlineForFeatureUpdates",
        Number(0, 30),
        DEADLINE,
        "Days after which feature updates must be installed.",
    )
    .csp("Update/ConfigureDeadlineForFeatureUpdates")
    .windows(DEADLINES),
    value(
        Update,
        "ConfigureDeadlineForQualityUpdates",
        Number(0, 30),
        DEADLINE,
        "Days after which quality updates must be installed.",
    )
    .csp("Update/ConfigureDeadlineForQualityUpdates")
    .windows(DEADLINES),
    value(Update, "ConfigureDeadlineGracePeriod", Number(0, 7), DEADLINE, "Least days until a restart is forced.")
        .csp("Update/ConfigureDeadlineGracePeriod")
        .windows(DEADLINES),
    value(
        Update,
        "ConfigureDeadlineGracePeriodForFeatureUpdates",
        Number(0, 7),
        DEADLINE,
        "The same for feature updates.",
    )
    .csp("Update/ConfigureDeadlineGracePeriodForFeatureUpdates")
    .windows("Windows 11 and later"),
    value(
        Update,
        "ConfigureDeadlineNoAutoReboot",
        Flag,
        DEADLINE,
        "1: no restart by itself before deadline and grace period are over.",
    )
    .csp("Update/ConfigureDeadlineNoAutoReboot")
    .windows(DEADLINES),
    value(Update, "SetActiveHours", Flag, ACTIVE, "1: ActiveHoursStart and ActiveHoursEnd are used.")
        .no_csp("Update/ActiveHoursStart implies it")
        .windows("Windows 10 1607 and later"),
    value(Update, "ActiveHoursStart", Number(0, 23), ACTIVE, "Hour from which no restart happens by itself.")
        .csp("Update/ActiveHoursStart")
        .windows("Windows 10 1607 and later"),
    value(Update, "ActiveHoursEnd", Number(0, 23), ACTIVE, "Hour until which no restart happens by itself.")
        .csp("Update/ActiveHoursEnd")
        .windows("Windows 10 1607 and later"),
    value(Update, "SetActiveHoursMaxRange", Flag, RANGE, "1: ActiveHoursMaxRange is used.")
        .no_csp("Update/ActiveHoursMaxRange implies it")
        .windows("Windows 10 1703 and later"),
    value(Update, "ActiveHoursMaxRange", Number(8, 18), RANGE, "Most active hours that users may choose.")
        .csp("Update/ActiveHoursMaxRange")
        .windows("Windows 10 1703 and later"),
    value(Update, "SetAutoRestartNotificationConfig", Flag, NOTICE, "1: AutoRestartNotificationSchedule is used.")
        .no_csp("Update/AutoRestartNotificationSchedule implies it")
        .windows("Windows 10 1703 to 22H2"),
    value(
        Update,
        "AutoRestartNotificationSchedule",
        Choice(&[15, 30, 60, 120, 240]),
        NOTICE,
        "Minutes before a restart at which users are reminded.",
    )
    .csp("Update/AutoRestartNotificationSchedule")
    .windows("Windows 10 1703 to 22H2"),
    value(
        Update,
        "SetAutoRestartRequiredNotificationDismissal",
        Flag,
        DISMISSAL,
        "1: AutoRestartRequiredNotificationDismissal is used.",
    )
    .no_csp("Update/AutoRestartRequiredNotificationDismissal implies it")
    .windows("Windows 10 1703 to 22H2"),
    value(
        Update,
        "AutoRestartRequiredNotificationDismissal",
        Choice(&[1, 2]),
        DISMISSAL,
        "The notice of a restart goes 1 by itself, 2 when the user closes it.",
    )
    .csp("Update/AutoRestartRequiredNotificationDismissal")
    .windows("Windows 10 1703 to 22H2"),
    value(
        Update,
        "SetAutoRestartNotificationDisable",
        Flag,
        "Turn off auto-restart notifications for update installations",
        "1: no notices of restarts.",
    )
    .csp("Update/SetAutoRestartNotificationDisable")
    .windows("Windows 10 1703 and later"),
    value(
        Update,
        "AllowTemporaryEnterpriseFeatureControl",
        Flag,
        "Enable features introduced via servicing that are off by default",
        "1: features that came with a quality update and are off on managed computers are on.",
    )
    .csp("Update/AllowTemporaryEnterpriseFeatureControl")
    .windows("Windows 11 22H2 and later"),
    value(
        Update,
        "DisableWUfBSafeguards",
        Flag,
        "Disable safeguards for Feature Updates",
        "1: feature updates come although Microsoft holds them back.",
    )
    .csp("Update/DisableWUfBSafeguards")
    .windows("Windows 10 1809 and later"),
    value(
        Update,
        "AllowAutoWindowsUpdateDownloadOverMeteredNetwork",
        Flag,
        "Allow updates to be downloaded automatically over metered connections",
        "1: downloads over networks that cost per volume.",
    )
    .csp("Update/AllowAutoWindowsUpdateDownloadOverMeteredNetwork")
    .windows("Windows 10 1709 and later"),
];
