//! Settings of software updates (features 9.1).

use super::definition::{Definition, Honoured, Kind, Mark};

/// Three states of what Windows decides unless it is told.
const TRISTATE: Kind = Kind::Choice(&["not_configured", "yes", "no"]);
const SETUP_CONFIG: Honoured =
    Honoured::Stored("it belongs into setupconfig.ini of the computer, which no protocol of updates carries");
const DELTA: Honoured =
    Honoured::Stored("express files need no service on the computer; see the setting content.express");

/// In the order of the inventory.
pub(super) const TABLE: &[Definition] = &[
    Definition {
        key: "updates.enabled",
        id: "CS-1",
        kind: Kind::Flag,
        default: "true",
        meaning: "Software updates are managed on these computers. false: the rendered policy takes the update server away, \
                  so that they scan here no longer.",
        mark: Mark::Core,
        honoured: &[Honoured::Policy(&["WUServer", "WUStatusServer", "UseWUServer"])],
    },
    Definition {
        key: "scan.schedule",
        id: "CS-2",
        kind: Kind::Schedule,
        default: "every 7 days at 00:00",
        meaning: "When computers look for updates. Less than a day counts as one day. Windows' own agent looks at least \
                  every 22 hours, whatever is longer here.",
        mark: Mark::Core,
        honoured: &[
            Honoured::Policy(&["DetectionFrequencyEnabled", "DetectionFrequency"]),
            Honoured::Server("how long before a window a deployment is offered that is held until it"),
        ],
    },
    Definition {
        key: "deployments.reevaluation",
        id: "CS-3",
        kind: Kind::Schedule,
        default: "every 7 days at 00:00",
        meaning: "When deployed updates that are missing again are installed again. Less than a day counts as one day.",
        mark: Mark::Core,
        honoured: &[Honoured::Stored("Windows' own agent does so at each scan, which is more often")],
    },
    Definition {
        key: "scan.user_proxy",
        id: "CS-4",
        kind: Kind::Flag,
        default: "false",
        meaning: "A scan over plain HTTP may fall back to the proxy of the signed-in user.",
        mark: Mark::Expected,
        honoured: &[Honoured::Policy(&["SetProxyBehaviorForUpdateDetection"])],
    },
    Definition {
        key: "scan.tls_pinning",
        id: "CS-5",
        kind: Kind::Flag,
        default: "true",
        meaning: "A scan over TLS wants the server's certificate from the computer's store WindowsServerUpdateServices, if \
                  that store has any.",
        mark: Mark::Expected,
        honoured: &[Honoured::Policy(&["DoNotEnforceEnterpriseTLSCertPinningForUpdateDetection"])],
    },
    Definition {
        key: "deadline.install_others",
        id: "CS-6",
        kind: Kind::Flag,
        default: "false",
        meaning: "When a deadline is reached, install also what is due within deadline.install_others_within.",
        mark: Mark::Core,
        honoured: &[Honoured::Stored(
            "Windows' own agent keeps each deadline; deployments with one deadline go together",
        )],
    },
    Definition {
        key: "deadline.install_others_within",
        id: "CS-7",
        kind: Kind::Period,
        default: "7 days",
        meaning: "How far ahead deadline.install_others looks.",
        mark: Mark::Core,
        honoured: &[Honoured::Stored("it goes with deadline.install_others")],
    },
    Definition {
        key: "delta.enabled",
        id: "CS-8",
        kind: Kind::Flag,
        default: "false",
        meaning: "Computers fetch delta content through a service of their own.",
        mark: Mark::Beyond,
        honoured: &[DELTA],
    },
    Definition {
        key: "delta.port",
        id: "CS-9",
        kind: Kind::Number { least: 1, most: 65_535, unit: "" },
        default: "8005",
        meaning: "Local port of that service, on loopback.",
        mark: Mark::Beyond,
        honoured: &[DELTA],
    },
    Definition {
        key: "delta.fall_back",
        id: "CS-10",
        kind: Kind::Flag,
        default: "false",
        meaning: "Without delta content go on at once with whole files from elsewhere.",
        mark: Mark::Beyond,
        honoured: &[DELTA],
    },
    Definition {
        key: "windows.all_deployments",
        id: "CS-13",
        kind: Kind::Flag,
        default: "false",
        meaning: "Install in a window for all deployments although there is one for software updates.",
        mark: Mark::Expected,
        honoured: &[Honoured::Server("which windows of a computer count for updates")],
    },
    Definition {
        key: "feature.thread_priority",
        id: "CS-14",
        kind: Kind::Choice(&["not_configured", "normal", "low"]),
        default: "not_configured",
        meaning: "Priority of the setup of feature updates.",
        mark: Mark::Beyond,
        honoured: &[SETUP_CONFIG],
    },
    Definition {
        key: "third_party.enabled",
        id: "CS-15",
        kind: Kind::Flag,
        default: "false",
        meaning: "Take updates that another publisher signed whose certificate is in the store Trusted Publishers. Putting \
                  it there is for the administrator.",
        mark: Mark::Expected,
        honoured: &[Honoured::Policy(&["AcceptTrustedPublisherCerts"])],
    },
    Definition {
        key: "feature.dynamic_update",
        id: "CS-16",
        kind: TRISTATE,
        default: "not_configured",
        meaning: "Setup of feature updates looks for newer files of its own.",
        mark: Mark::Beyond,
        honoured: &[SETUP_CONFIG],
    },
    Definition {
        key: "feature.off_by_default",
        id: "CS-17",
        kind: TRISTATE,
        default: "not_configured",
        meaning: "Switch on features that came with a quality update and are off on managed computers.",
        mark: Mark::Beyond,
        honoured: &[Honoured::Policy(&["AllowTemporaryEnterpriseFeatureControl"])],
    },
];
