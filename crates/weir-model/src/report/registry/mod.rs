//! The registry of reports.

mod compliance;
mod further;
mod management;
mod scan;
mod states;
mod troubleshooting;

use super::{Column, ColumnKind, Drill, Parameter, ParameterKind, Report};

/// Every report, by group and number.
pub const REPORTS: &[&Report] = &[
    &compliance::OVERALL,
    &compliance::UPDATE,
    &compliance::GROUP_UPDATES,
    &compliance::VENDOR_MONTH,
    &compliance::COMPUTER,
    &compliance::UPDATE_STATES,
    &compliance::GROUP_COMPUTERS,
    &compliance::UPDATE_COMPUTERS,
    &compliance::HEALTH,
    &management::OF_GROUP,
    &management::NOT_DEPLOYED,
    &management::UPDATES_OF,
    &management::TO_COLLECTION,
    &management::TO_COMPUTER,
    &management::OF_UPDATE,
    &management::MISSING_CONTENT,
    &management::MISSING_CONTENT_COMPUTERS,
    &states::ENFORCEMENT,
    &states::EVALUATION,
    &states::COMPUTER,
    &states::COMPUTERS,
    &states::UPDATE,
    &states::ENFORCEMENT_COMPUTERS,
    &scan::COLLECTIONS,
    &scan::SITES,
    &scan::COLLECTION_COMPUTERS,
    &scan::SITE_COMPUTERS,
    &troubleshooting::SCAN_ERRORS,
    &troubleshooting::DEPLOYMENT_ERRORS,
    &troubleshooting::SCAN_ERROR_COMPUTERS,
    &troubleshooting::DEPLOYMENT_ERROR_COMPUTERS,
    &further::NOT_INSTALLED,
    &further::SILENT,
    &further::FAILING_UPDATES,
    &further::SERVICE_LEVEL_BREACHES,
];

/// The report of that id, or of that number such as `A1`.
pub fn named(id: &str) -> Option<&'static Report> {
    let id = id.trim();
    let is_meant = |report: &&Report| report.id.eq_ignore_ascii_case(id) || report.number.eq_ignore_ascii_case(id);
    REPORTS.iter().copied().find(is_meant)
}

/// The words of the states of an update on a computer (design, section 7).
const UPDATE_STATES: &[&str] =
    &["unknown", "not_applicable", "required", "downloaded", "installed", "failed", "pending_restart"];

/// The words of the states of a scan, as far as a server knows them (features.md, topic 501).
const SCAN_STATES: &[&str] = &["unknown", "completed", "completed_with_errors", "failed"];

/// The words of compliance with a deployment (features.md, topic 300).
const DEPLOYMENT_STATES: &[&str] = &["compliant", "in_progress", "error", "unknown"];

/// The words of enforcement of a deployment (features.md, topics 301 and 402, as far as a server of unmodified agents knows them).
const ENFORCEMENT_STATES: &[&str] = &[
    "success",
    "not_applicable",
    "nothing_to_enforce",
    "pending_restart",
    "downloaded",
    "pending_installation",
    "waiting_for_window",
    "waiting_for_content",
    "not_yet_available",
    "disabled",
    "overdue",
    "failed",
    "not_evaluated",
    "never_reported",
    "not_asked",
];

const fn optional(name: &'static str, kind: ParameterKind, description: &'static str) -> Parameter {
    Parameter { name, kind, required: false, default: None, description }
}

const fn required(name: &'static str, kind: ParameterKind, description: &'static str) -> Parameter {
    Parameter { name, kind, required: true, default: None, description }
}

const fn defaulted(
    name: &'static str,
    kind: ParameterKind,
    default: &'static str,
    description: &'static str,
) -> Parameter {
    Parameter { name, kind, required: false, default: Some(default), description }
}

const COLLECTION: Parameter = defaulted(
    "collection",
    ParameterKind::Collection,
    "All Computers",
    "only computers of this collection and of those below it",
);
const SITE: Parameter = optional(
    "site",
    ParameterKind::Site,
    "only computers that this server reports, by name or id; this for those that scan here",
);
const GROUP: Parameter = required("group", ParameterKind::Group, "the update group, by name or id");
const UPDATE: Parameter = required("update", ParameterKind::Update, "the update, by id");
const COMPUTER: Parameter = required("computer", ParameterKind::Computer, "the computer, by id");
const DEPLOYMENT: Parameter = required("deployment", ParameterKind::Deployment, "the deployment, by number or name");

const fn column(id: &'static str, title: &'static str, kind: ColumnKind) -> Column {
    Column { id, title, kind }
}

const fn text(id: &'static str, title: &'static str) -> Column {
    column(id, title, ColumnKind::Text)
}

const fn id(name: &'static str, title: &'static str) -> Column {
    column(name, title, ColumnKind::Id)
}

const fn count(id: &'static str, title: &'static str) -> Column {
    column(id, title, ColumnKind::Count)
}

const fn time(id: &'static str, title: &'static str) -> Column {
    column(id, title, ColumnKind::Time)
}

const fn state(id: &'static str, title: &'static str) -> Column {
    column(id, title, ColumnKind::State)
}

const PERCENT: Column = column("percent", "% compliant", ColumnKind::Percent);
const SHARE: Column = column("percent", "%", ColumnKind::Percent);
const COMPUTERS: Column = count("computers", "Computers");

/// The columns by which an update is known.
const UPDATE_ID: Column = id("update", "Update");
const ARTICLE: Column = text("article", "Article");
const TITLE: Column = text("title", "Title");

/// The columns by which a computer is known.
const COMPUTER_ID: Column = id("computer", "Computer");
const NAME: Column = text("name", "Name");
const SITE_NAME: Column = text("site", "Site");
const LAST_CONTACT: Column = time("last_contact", "Last contact");
const LAST_REPORT: Column = time("last_report", "Last report");

/// The columns of how many computers are in which state.
const REQUIRED: Column = count("required", "Required");
const DOWNLOADED: Column = count("downloaded", "Downloaded");
const PENDING: Column = count("pending_restart", "Pending restart");
const FAILED: Column = count("failed", "Failed");
const INSTALLED: Column = count("installed", "Installed");
const NOT_APPLICABLE: Column = count("not_applicable", "Not applicable");
const UNKNOWN: Column = count("unknown", "Unknown");

const fn drill(report: &'static str, from: &'static [(&'static str, &'static str)]) -> Drill {
    Drill { report, from }
}
