//! Group E: errors.

use super::{
    super::{Group, Parameter, ParameterKind, Report},
    ARTICLE, COLLECTION, COMPUTER_ID, COMPUTERS, LAST_CONTACT, NAME, SITE, SITE_NAME, TITLE, UPDATE_ID, count, drill,
    id, optional, required, time,
};

const CODE: Parameter = required("code", ParameterKind::Code, "the error, such as 0x80240022");
const ONE_DEPLOYMENT: Parameter = optional(
    "deployment",
    ParameterKind::Deployment,
    "only updates of this deployment on computers of its collection, by number or name",
);

pub(super) const SCAN_ERRORS: Report = Report {
    id: "scan-errors",
    number: "E1",
    group: Group::Troubleshooting,
    title: "Scan errors",
    description: "Errors with which the last scan of computers failed, most frequent first. A failure without a code has none here.",
    parameters: &[COLLECTION, SITE],
    columns: &[id("code", "Error"), COMPUTERS, time("first", "Earliest scan"), time("last", "Latest scan")],
    drill: &[drill("scan-error-computers", &[("code", "code")])],
};

pub(super) const DEPLOYMENT_ERRORS: Report = Report {
    id: "deployment-errors",
    number: "E2",
    group: Group::Troubleshooting,
    title: "Deployment errors",
    description: "Errors with which updates failed to install and that hold now, most frequent first: on how many computers, with how \
                  many updates. Failures that a later success replaced do not count. Without a deployment all updates count.",
    parameters: &[ONE_DEPLOYMENT, COLLECTION, SITE],
    columns: &[
        id("code", "Error"),
        COMPUTERS,
        count("updates", "Updates"),
        count("failures", "Failures"),
        time("last", "Latest"),
    ],
    drill: &[drill("deployment-error-computers", &[("code", "code")])],
};

pub(super) const SCAN_ERROR_COMPUTERS: Report = Report {
    id: "scan-error-computers",
    number: "E3",
    group: Group::Troubleshooting,
    title: "Computers with a scan error",
    description: "Computers whose last scan failed with this error, by name.",
    parameters: &[CODE, COLLECTION, SITE],
    columns: &[COMPUTER_ID, NAME, SITE_NAME, time("last_scan", "Last scan"), LAST_CONTACT],
    drill: &[drill("compliance-computer", &[("computer", "computer")])],
};

pub(super) const DEPLOYMENT_ERROR_COMPUTERS: Report = Report {
    id: "deployment-error-computers",
    number: "E4",
    group: Group::Troubleshooting,
    title: "Computers with a deployment error",
    description: "Updates that failed to install with this error, by the name of the computer, one row for each.",
    parameters: &[CODE, ONE_DEPLOYMENT, COLLECTION, SITE],
    columns: &[COMPUTER_ID, NAME, SITE_NAME, UPDATE_ID, ARTICLE, TITLE, time("since", "Since"), LAST_CONTACT],
    drill: &[drill("compliance-computer", &[("computer", "computer")])],
};
