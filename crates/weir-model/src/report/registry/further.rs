//! Reports that the groups of the replaced product leave out.

use super::{
    super::{ColumnKind, Group, ParameterKind, Report},
    ARTICLE, COLLECTION, COMPUTER_ID, COMPUTERS, DOWNLOADED, FAILED, INSTALLED, LAST_CONTACT, LAST_REPORT, NAME,
    PENDING, REQUIRED, SITE, SITE_NAME, TITLE, UNKNOWN, UPDATE_ID, column, count, defaulted, drill, id, optional,
    state, text, time,
};

pub(super) const NOT_INSTALLED: Report = Report {
    id: "approved-not-installed",
    number: "F1",
    group: Group::Further,
    title: "Approved and not installed",
    description: "Updates that an active deployment brings to computers to be installed, required or optional, and that some of \
                  these have not: by deployment and update, those that most computers lack first.",
    parameters: &[
        optional("deployment", ParameterKind::Deployment, "only this deployment, by number or name"),
        COLLECTION,
        SITE,
    ],
    columns: &[
        id("deployment", "Deployment"),
        text("collection_name", "To"),
        state("action", "Action"),
        time("deadline", "Deadline"),
        UPDATE_ID,
        ARTICLE,
        TITLE,
        COMPUTERS,
        count("missing", "Missing"),
        REQUIRED,
        DOWNLOADED,
        PENDING,
        FAILED,
        INSTALLED,
        UNKNOWN,
    ],
    drill: &[drill("deployment-update-states", &[("deployment", "deployment"), ("update", "update")])],
};

pub(super) const SILENT: Report = Report {
    id: "clients-silent",
    number: "F2",
    group: Group::Further,
    title: "Clients that stopped reporting",
    description: "Computers that have not reported in full for so many days, or never: those that are silent for the longest first. A \
                  computer that calls and does not report is among them; the last contact tells them apart.",
    parameters: &[defaulted("days", ParameterKind::Count(1, 3_650), "30", "for how many days"), COLLECTION, SITE],
    columns: &[
        COMPUTER_ID,
        NAME,
        SITE_NAME,
        column("silent", "Silent for", ColumnKind::Duration),
        LAST_CONTACT,
        LAST_REPORT,
        time("last_scan", "Last scan"),
        time("first_contact", "First contact"),
    ],
    drill: &[drill("compliance-computer", &[("computer", "computer")])],
};

pub(super) const FAILING_UPDATES: Report = Report {
    id: "failing-updates",
    number: "F3",
    group: Group::Further,
    title: "Top failing updates",
    description: "Updates by the number of computers on which they failed to install, with the most frequent error.",
    parameters: &[COLLECTION, SITE],
    columns: &[
        UPDATE_ID,
        ARTICLE,
        TITLE,
        FAILED,
        count("needed", "Needed"),
        INSTALLED,
        column("failed_percent", "% failed", ColumnKind::Percent),
        id("error", "Most frequent error"),
        count("errors", "Errors"),
    ],
    drill: &[drill("compliance-update-computers", &[("update", "update")])],
};

pub(super) const SERVICE_LEVEL_BREACHES: Report = Report {
    id: "service-level-breaches",
    number: "F4",
    group: Group::Further,
    title: "Service-level breaches",
    description: "Computers that are exposed to a vulnerability for longer than its service level allows: one row for each computer \
                  and CVE, with the update that the computer needs, the longest overdue first. The service level is the severity that \
                  it goes by, or exploited, where known exploitation makes the earlier end. Exceptions that hold are left out.",
    parameters: &[COLLECTION, SITE],
    columns: &[
        COMPUTER_ID,
        NAME,
        SITE_NAME,
        id("cve", "CVE"),
        UPDATE_ID,
        ARTICLE,
        TITLE,
        text("service_level", "Service level"),
        time("due", "Due"),
        column("overdue", "Overdue", ColumnKind::Duration),
    ],
    drill: &[drill("compliance-computer", &[("computer", "computer")])],
};
