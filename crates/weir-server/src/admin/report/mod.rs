//! Named reports: what there is, and their answers. [`weir_model::report`] has the registry and writes tables; `source` is where
//! the data are from, and a file for each group says how its reports are made of them.

mod compliance;
pub(crate) mod export;
mod further;
mod management;
mod scan;
pub(crate) mod schedule;
mod shown;
mod source;
mod states;
#[cfg(test)]
mod tests;
mod troubleshooting;

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tokio::sync::{Notify, Semaphore};
use weir_api::{
    List,
    report::{Report as ApiReport, ReportColumn, ReportDrill, ReportParameter, ReportResult},
};
use weir_model::{
    report::{
        self as model, Arguments, Column, Format, MOST_ROWS, ParameterError, ParameterKind, REPORTS, ROWS, Report, Row,
        Table,
    },
    rights::Scope,
};

use self::source::{Beside, Source};
use super::{AdminError, App, computer_roster::Roster, exposure::Breaches, index::Index};
use crate::notify;

/// Reports that are made at once: each looks at all computers, and may read a row of each.
const AT_ONCE: usize = 2;

/// Of fewer computers than these their rows say what they are called.
const MANY: usize = 10_000;
/// Reports that list computers by name.
const BY_NAME: [&str; 8] = ["A7", "A8", "B8", "C4", "C6", "D3", "D4", "E3"];

/// What reports share with the rest of the server.
#[derive(Debug)]
pub(crate) struct Reports {
    gate: Semaphore,
    /// One bulk export is written at a time.
    exporting: tokio::sync::Mutex<()>,
    /// Tells that a schedule was made or changed.
    pub(crate) nudged: Notify,
}

impl Default for Reports {
    fn default() -> Self {
        Self { gate: Semaphore::new(AT_ONCE), exporting: tokio::sync::Mutex::default(), nudged: Notify::new() }
    }
}

/// The report of that id.
fn named(id: &str) -> Result<&'static Report, AdminError> {
    let missing = || AdminError::missing("report", format!("{:?}", shortened(id.trim())), "weir reports list");
    model::named(id).ok_or_else(missing)
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

fn invalid(error: &ParameterError) -> AdminError {
    let report = match error {
        ParameterError::Missing { report, .. } | ParameterError::Unknown { report, .. } => Some(*report),
        ParameterError::Twice(_) | ParameterError::Value { .. } => None,
    };
    AdminError::Invalid {
        code: "parameter",
        detail: error.to_string(),
        next_step: Some(format!("weir reports show {}", report.unwrap_or("ID"))),
    }
}

/// Rows at most.
fn limit(asked: Option<u32>, default: u32) -> Result<u32, AdminError> {
    match asked {
        None => Ok(default),
        Some(limit @ 1..=MOST_ROWS) => Ok(limit),
        Some(limit) => Err(AdminError::invalid("limit", format!("limit is {limit}; it must be 1 to {MOST_ROWS}"))),
    }
}

/// A format by its word.
pub(super) fn format(word: &str) -> Result<Format, AdminError> {
    Format::of(word).ok_or_else(|| {
        AdminError::invalid("format", format!("format is {:?}; it must be json, csv, html or txt", shortened(word)))
    })
}

/// What can be asked.
pub(crate) fn list() -> List<ApiReport> {
    List { items: REPORTS.iter().copied().map(shown).collect(), next: None }
}

fn shown(report: &Report) -> ApiReport {
    let parameter = |it: &model::Parameter| {
        let (least, most) = match it.kind {
            ParameterKind::Count(least, most) => (Some(least), Some(most)),
            _ => (None, None),
        };
        ReportParameter {
            name: it.name.to_owned(),
            kind: it.kind.word().to_owned(),
            required: it.required,
            default: it.default.map(str::to_owned),
            choices: match it.kind {
                ParameterKind::Choice(words) => words.iter().map(|word| (*word).to_owned()).collect(),
                _ => Vec::new(),
            },
            least,
            most,
            description: it.description.to_owned(),
        }
    };
    let drill = |it: &model::Drill| ReportDrill {
        report: it.report.to_owned(),
        from: it.from.iter().map(|(name, column)| ((*name).to_owned(), (*column).to_owned())).collect(),
    };
    ApiReport {
        id: report.id.to_owned(),
        number: report.number.to_owned(),
        group: report.group.word().to_owned(),
        title: report.title.to_owned(),
        description: report.description.to_owned(),
        parameters: report.parameters.iter().map(parameter).collect(),
        columns: report.columns.iter().map(column).collect(),
        drill: report.drill.iter().map(drill).collect(),
    }
}

fn column(column: &Column) -> ReportColumn {
    ReportColumn {
        id: column.id.to_owned(),
        title: column.title.to_owned(),
        kind: column.kind.word().to_owned(),
        unit: column.kind.unit().map(str::to_owned),
    }
}

/// Runs a report, of the computers within a scope. `given` are its parameters as they came.
pub(crate) async fn run(
    app: &App,
    scope: Scope,
    id: &str,
    given: &[(String, String)],
    rows: Option<u32>,
) -> Result<Table, AdminError> {
    let report = named(id)?;
    let limit = limit(rows, ROWS)?;
    let given = given.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let asked = Arguments::read(report, given).map_err(|error| invalid(&error))?;
    let server = notify::site_name(app).await?;
    let index = Index::current(app).await?;
    let _turn = app.shared().reports.gate.acquire().await.map_err(|error| AdminError::Internal(error.to_string()))?;
    let breaches = match report.number {
        "F4" => Some(Breaches::current(app).await?),
        _ => None,
    };
    let by_name = app.state.live.directory.len() >= MANY && BY_NAME.contains(&report.number);
    let roster = if by_name { Some(Roster::current(app).await?) } else { None };
    let (live, shared) = (app.state.live.clone(), app.clone());
    app.try_read(move |tx| {
        let beside = Beside { roster, failures: &shared.shared().reported_failures };
        let source = Source::new(tx, &live, &index, &asked, limit, &scope, beside)?;
        let rows = answer(&source, breaches.as_ref())?;
        Ok(Table {
            report,
            asked: asked.shown().to_vec(),
            server,
            as_of: source.as_of(),
            rolled_up: source.rolled_up()?,
            notes: source.notes(),
            total: source.total.get(),
            rows,
        })
    })
    .await
}

/// Makes the rows. Breaches are judged before, and only for the report of them.
fn answer(source: &Source<'_>, breaches: Option<&Breaches>) -> Result<Vec<Row>, AdminError> {
    let report = source.asked.report();
    match report.number {
        "A1" => compliance::overall(source),
        "A2" => compliance::update(source),
        "A3" => compliance::group_updates(source),
        "A4" => compliance::vendor_month(source),
        "A5" => compliance::computer(source),
        "A6" => compliance::update_states(source),
        "A7" => compliance::group_computers(source),
        "A8" => compliance::update_computers(source),
        "A9" => compliance::health(source),
        "B1" => management::of_group(source),
        "B2" => management::not_deployed(source),
        "B3" => management::updates_of(source),
        "B4" => management::to_collection(source),
        "B5" => management::to_computer(source),
        "B6" => management::of_update(source),
        "B7" => management::missing_content(source),
        "B8" => management::missing_content_computers(source),
        "C1" => states::enforcement(source),
        "C2" => states::evaluation(source),
        "C3" => states::computer(source),
        "C4" => states::computers(source),
        "C5" => states::update(source),
        "C6" => states::enforcement_computers(source),
        "D1" => scan::collections(source),
        "D2" => scan::sites(source),
        "D3" | "D4" => scan::computers(source),
        "E1" => troubleshooting::scan_errors(source),
        "E2" => troubleshooting::deployment_errors(source),
        "E3" => troubleshooting::scan_error_computers(source),
        "E4" => troubleshooting::deployment_error_computers(source),
        "F1" => further::not_installed(source),
        "F2" => further::silent(source),
        "F3" => further::failing_updates(source),
        "F4" => match breaches {
            Some(breaches) => further::breaches(source, breaches),
            None => Err(AdminError::Internal("nobody judged what is breached".to_owned())),
        },
        other => Err(AdminError::Internal(format!("the report {other} is in the registry and nobody makes it"))),
    }
}

/// A table as REST gives it.
pub(crate) fn result(table: &Table) -> Result<ReportResult, AdminError> {
    let columns = table.report.columns;
    let row = |row: &Row| -> Result<Map<String, Value>, AdminError> {
        let cells = row.iter().zip(columns).map(|(cell, column)| {
            let value = serde_json::to_value(cell).map_err(|error| AdminError::Internal(error.to_string()))?;
            Ok((column.id.to_owned(), value))
        });
        cells.collect()
    };
    let asked = table.asked.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    Ok(ReportResult {
        report: table.report.id.to_owned(),
        title: table.report.title.to_owned(),
        parameters: asked.collect::<BTreeMap<_, _>>(),
        server: table.server.clone(),
        as_of: table.as_of,
        rolled_up: table.rolled_up,
        notes: table.notes.clone(),
        columns: columns.iter().map(column).collect(),
        rows: table.rows.iter().map(row).collect::<Result<_, _>>()?,
        total: table.total,
        truncated: table.is_cut(),
    })
}

/// A table as a file.
pub(crate) fn written(table: &Table, format: Format) -> Result<String, AdminError> {
    let failed = |error: std::fmt::Error| AdminError::Internal(error.to_string());
    let mut out = String::new();
    match format {
        Format::Csv => model::csv::write(table, &mut out).map_err(failed)?,
        Format::Html => model::html::write(table, &mut out).map_err(failed)?,
        Format::Text => model::text::write(table, &mut out).map_err(failed)?,
        Format::Json => {
            out = serde_json::to_string(&result(table)?).map_err(|error| AdminError::Internal(error.to_string()))?;
        }
    }
    Ok(out)
}
