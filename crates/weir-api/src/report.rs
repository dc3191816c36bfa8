//! `reports`: named questions with a table as the answer.
//!
//! * `GET reports` answers a [`crate::List`] of [`Report`]: everything that can be asked.
//! * `GET reports/{id}` runs one. Its parameters are query parameters by their names; beside them it takes a [`ReportQuery`]. The
//!   answer is a [`ReportResult`], or a file in the format that `format` or `Accept` asks for.
//! * `GET report-definitions/{id}` answers one [`Report`].
//! * `GET report-schedules` answers a [`crate::List`] of [`ReportSchedule`]; `POST` takes a [`ReportScheduleCreate`].
//! * `GET report-schedules/{name}` answers a [`ReportSchedule`], `PATCH` takes a [`ReportScheduleChange`], `DELETE` removes it;
//!   `{name}` is a name or an id. `POST report-schedules/{name}/run` makes the report now and answers the [`ReportSchedule`].
//! * `GET compliance/export?format=parquet&collection=&site=&group=&rows=&states=` ([`ComplianceExportQuery`]) answers a Parquet file.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Names the rows that there would be without a limit, in the header of a report's file.
pub const TOTAL_HEADER: &str = "weir-report-total";
/// Names the rows that a report's file has.
pub const ROWS_HEADER: &str = "weir-report-rows";

/// What can be asked.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// By which it is asked for.
    pub id: String,
    /// Its number: a letter for its group, and a number.
    pub number: String,
    /// `compliance`, `management`, `states`, `scan`, `troubleshooting`, `further`.
    pub group: String,
    /// What it is called.
    pub title: String,
    /// What it says, and what it cannot say.
    pub description: String,
    /// What it is asked.
    pub parameters: Vec<ReportParameter>,
    /// What its rows hold.
    pub columns: Vec<ReportColumn>,
    /// Reports that go into detail about a row.
    pub drill: Vec<ReportDrill>,
}

/// Something that a report is asked.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportParameter {
    /// Its name.
    pub name: String,
    /// `choice`, `code`, `collection`, `computer`, `deployment`, `number`, `server`, `text`, `update`, `update_group`.
    pub kind: String,
    /// It must be given.
    pub required: bool,
    /// What it is if it is not given.
    pub default: Option<String>,
    /// The words of a choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// The smallest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least: Option<u32>,
    /// The largest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u32>,
    /// What it means.
    pub description: String,
}

/// A column of a report.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportColumn {
    /// Its key in rows, and its heading in CSV.
    pub id: String,
    /// Its heading for people.
    pub title: String,
    /// `bytes`, `count`, `duration`, `id`, `percent`, `state`, `text`, `time`.
    pub kind: String,
    /// The unit of its numbers.
    pub unit: Option<String>,
}

/// A report that goes into detail about a row of another one.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportDrill {
    /// Its id.
    pub report: String,
    /// Its parameters, with the column that each is taken from. Parameters that both reports have go along.
    pub from: BTreeMap<String, String>,
}

/// What every report takes beside its own parameters.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReportQuery {
    /// `json` (the default), `csv`, `html` or `txt`; without it `Accept` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// At most this many rows, 1 to 50,000; default 1,000. The answer says how many there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// The answer to a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportResult {
    /// Id of the report.
    pub report: String,
    /// Its title.
    pub title: String,
    /// What it was asked, defaults included.
    pub parameters: BTreeMap<String, String>,
    /// The server that answered.
    pub server: String,
    /// Of when it is: of the oldest that it was made from. That may be some seconds ago where there are many computers, a minute at most.
    pub as_of: Timestamp,
    /// When the oldest of what servers below reported, and that is part of it, arrived; null if nothing is.
    pub rolled_up: Option<Timestamp>,
    /// What to know of this answer.
    pub notes: Vec<String>,
    /// Columns, in order.
    pub columns: Vec<ReportColumn>,
    /// Rows: an object each, with the ids of columns as keys.
    #[schema(value_type = Vec<Object>)]
    pub rows: Vec<Map<String, Value>>,
    /// Rows that there would be without a limit.
    pub total: u64,
    /// Rows are missing.
    pub truncated: bool,
}

/// A report that is to be made by itself.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportScheduleCreate {
    /// 1 to 100 characters, unique without regard to case.
    pub name: String,
    /// Id of the report.
    pub report: String,
    /// What it is asked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// When, such as `weekly monday at 06:00` or `monthly second tuesday +7 at 06:00 Europe/Amsterdam`.
    pub schedule: String,
    /// `csv`, `html` (the default), `json` or `txt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Rows at most, 1 to 50,000; default 50,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Who gets it by e-mail, at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// A folder below the folder of reports of the server; empty is that folder itself. Absent: no file, unless nobody gets it by
    /// e-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Files of it that stay in the folder, 1 to 1,000; default 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<u32>,
    /// It runs by itself; default true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// A change of a schedule; what is absent stays.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReportScheduleChange {
    /// Another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Another report; its parameters are to be given, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// Other parameters, in place of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<BTreeMap<String, String>>,
    /// Another time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// Another format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Other rows at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Other receivers, in place of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Vec<String>>,
    /// Another folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Writes no file any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_folder: bool,
    /// Other files that stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<u32>,
    /// Switches it on or off. What was missed while it was off is not made up for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// A schedule, and how it goes.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportSchedule {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// It runs by itself.
    pub enabled: bool,
    /// Id of the report.
    pub report: String,
    /// What it is asked.
    pub parameters: BTreeMap<String, String>,
    /// When.
    pub schedule: String,
    /// When, in words.
    pub description: String,
    /// Its format.
    pub format: String,
    /// Rows at most.
    pub limit: u32,
    /// Who gets it by e-mail.
    pub addresses: Vec<String>,
    /// The folder, below the one that the settings of the process allow; null: no file.
    pub folder: Option<String>,
    /// Where that is on the server.
    pub path: Option<String>,
    /// Files that stay.
    pub keep: u32,
    /// When it is made next; null if never.
    pub next: Option<Timestamp>,
    /// It is made now.
    pub running: bool,
    /// Attempts that failed in a row.
    pub failures: u32,
    /// How the last attempt went; null before the first.
    pub last: Option<ReportRun>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
}

/// How an attempt went.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportRun {
    /// When it ended.
    pub at: Timestamp,
    /// Rows that were given; null if it failed.
    pub rows: Option<u64>,
    /// Rows that there were; more than `rows` if some are missing.
    pub total: Option<u64>,
    /// The file that was written.
    pub file: Option<String>,
    /// Why it failed; null if it did not.
    pub error: Option<String>,
}

/// Query parameters of `GET compliance/export`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ComplianceExportQuery {
    /// `parquet` (the default); there is no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Name or id of a collection; All Computers by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// Only computers that this server reports, by name or GUID; `this` for those that scan here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Only the updates of this update group, by name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// `updates` (the default): a row for each computer and update. `computers`: a row for each computer, with its states counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<String>,
    /// Of rows of updates: `listed` (the default), or `all` with those that are unknown or do not apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub states: Option<String>,
}
