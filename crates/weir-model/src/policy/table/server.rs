//! Which server, and how it is asked (features 26.1 and 26.2).

use super::super::known::{
    Branch::{Automatic, Update},
    Known,
    Shape::{Choice, Flag, Number, Text, Url},
};
use super::value;

const LOCATION: &str = "Specify intranet Microsoft update service location";
const SOURCES: &str = "Specify source service for specific classes of Windows Updates";
const SINCE_SOURCES: &str = "Windows 10 2004 with KB5005101, Windows Server 2022, and later";
const TARGETING: &str = "Enable client-side targeting";
const FREQUENCY: &str = "Automatic Updates detection frequency";

pub(super) const TABLE: &[Known] = &[
    value(Update, "WUServer", Url, LOCATION, "The server that is scanned: its full address with its port.")
        .csp("Update/UpdateServiceUrl"),
    value(Update, "WUStatusServer", Url, LOCATION, "The server that reports go to, normally the same.")
        .no_csp("the agent reports to the server of Update/UpdateServiceUrl"),
    value(Automatic, "UseWUServer", Flag, LOCATION, "1: WUServer is used. Absent or 0: Windows Update is scanned.")
        .no_csp("Update/UpdateServiceUrl implies it"),
    value(
        Update,
        "AcceptTrustedPublisherCerts",
        Flag,
        "Allow signed updates from an intranet Microsoft update service location",
        "1: updates count that are signed by a certificate in Trusted Publishers, not Microsoft's only.",
    )
    .csp("Update/AllowNonMicrosoftSignedUpdate"),
    value(
        Update,
        "SetProxyBehaviorForUpdateDetection",
        Flag,
        LOCATION,
        "0: scans use the system's proxy only. 1: the signed-in user's, too, if that fails.",
    )
    .csp("Update/SetProxyBehaviorForUpdateDetection")
    .windows("since the updates of September 2020"),
    value(
        Update,
        "DoNotEnforceEnterpriseTLSCertPinningForUpdateDetection",
        Flag,
        LOCATION,
        "1: a server's certificate need not be in the store WindowsServerUpdateServices.",
    )
    .csp("Update/DoNotEnforceEnterpriseTLSCertPinningForUpdateDetection")
    .windows("since the updates of January 2021"),
    value(Update, "UpdateServiceUrlAlternate", Url, LOCATION, "Another server that files are fetched from.")
        .csp("Update/UpdateServiceUrlAlternate")
        .windows("Windows 10 1607 and later"),
    value(
        Update,
        "FillEmptyContentUrls",
        Flag,
        LOCATION,
        "1: files without an address in their metadata are fetched from UpdateServiceUrlAlternate.",
    )
    .csp("Update/FillEmptyContentUrls")
    .windows("Windows 10 1607 and later"),
    value(Update, "TargetGroupEnabled", Flag, TARGETING, "1: TargetGroup is sent to the server."),
    value(
        Update,
        "TargetGroup",
        Text(1_024),
        TARGETING,
        "Collections that the computer asks to be in, separated by semicolons.",
    ),
    value(
        Update,
        "DoNotConnectToWindowsUpdateInternetLocations",
        Flag,
        "Do not connect to any Windows Update Internet locations",
        "1: public services are never asked. The Store, Delivery Optimization and features on demand may stop.",
    )
    .no_csp("Update/AllowUpdateService is not the same: it forbids this server, too")
    .windows("Windows 8.1, Windows Server 2012 R2 and later"),
    value(
        Update,
        "DisableDualScan",
        Flag,
        "Do not allow update deferral policies to cause scans against Windows Update",
        "1: policies of deferral do not make the computer scan Windows Update.",
    )
    .csp("Update/DisableDualScan")
    .windows("Windows 10 1607 to 21H2; where the policy of sources is in force it counts no more"),
    value(
        Update,
        "SetPolicyDrivenUpdateSourceForFeatureUpdates",
        Flag,
        SOURCES,
        "Feature updates come from 0 Windows Update, 1 this server.",
    )
    .csp("Update/SetPolicyDrivenUpdateSourceForFeatureUpdates")
    .windows(SINCE_SOURCES),
    value(
        Update,
        "SetPolicyDrivenUpdateSourceForQualityUpdates",
        Flag,
        SOURCES,
        "Quality updates come from 0 Windows Update, 1 this server.",
    )
    .csp("Update/SetPolicyDrivenUpdateSourceForQualityUpdates")
    .windows(SINCE_SOURCES),
    value(
        Update,
        "SetPolicyDrivenUpdateSourceForDriverUpdates",
        Flag,
        SOURCES,
        "Drivers come from 0 Windows Update, 1 this server.",
    )
    .csp("Update/SetPolicyDrivenUpdateSourceForDriverUpdates")
    .windows(SINCE_SOURCES),
    value(
        Update,
        "SetPolicyDrivenUpdateSourceForOtherUpdates",
        Flag,
        SOURCES,
        "Updates of other products come from 0 Windows Update, 1 this server.",
    )
    .csp("Update/SetPolicyDrivenUpdateSourceForOtherUpdates")
    .windows(SINCE_SOURCES),
    value(
        Automatic,
        "UseUpdateClassPolicySource",
        Flag,
        SOURCES,
        "1: the four values of sources are in force. Group Policy and Intune set it themselves.",
    )
    .no_csp("the four settings of sources imply it")
    .windows(SINCE_SOURCES)
    .reported(),
    value(Automatic, "DetectionFrequencyEnabled", Flag, FREQUENCY, "1: DetectionFrequency is used.")
        .no_csp("Update/DetectionFrequency implies it"),
    value(
        Automatic,
        "DetectionFrequency",
        Number(1, 22),
        FREQUENCY,
        "Hours between two scans, which the agent varies. Without it: 22.",
    )
    .csp("Update/DetectionFrequency"),
    value(Update, "SetAllowOptionalContent", Flag, "Enable optional updates", "1: AllowOptionalContent is used.")
        .no_csp("Update/AllowOptionalContent implies it")
        .windows("Windows 10 21H2, Windows 11 22H2 and later"),
    value(
        Update,
        "AllowOptionalContent",
        Choice(&[1, 2, 3]),
        "Enable optional updates",
        "Optional updates: 1 with gradual features, 2 without, 3 the user chooses.",
    )
    .csp("Update/AllowOptionalContent")
    .windows("Windows 10 21H2, Windows 11 22H2 and later"),
];
