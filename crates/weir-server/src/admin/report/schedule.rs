//! Reports that are made by themselves: what administrators decide. Making and delivering them is the job's
//! ([`crate::jobs::reports`]).

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use uuid::Uuid;
use weir_api::{
    List,
    list::ListQuery,
    report::{ReportRun, ReportSchedule, ReportScheduleChange, ReportScheduleCreate},
};
use weir_model::{
    alert::address::EmailAddress,
    report::{
        Arguments, Format, MOST_ROWS,
        file::Folder,
        schedule::{Decision, SoFar, due},
    },
    schedule::Recurrence,
};
use weir_store::{
    ReadTx, WriteTx,
    report_schedule::{ReportSchedule as Wanted, ReportScheduleRow},
};

use super::{
    super::{AdminError, App, Caller, collection::Tree, group, list, rollup, setting::Current},
    format, invalid, limit, named,
};
use crate::jobs;

/// Kind of the alert that a scheduled report is not made; its subject is the name of the schedule.
pub(crate) const FAILED: &str = "report.failed";

/// Schedules that a site may have.
const MOST: usize = 200;
/// Receivers of one.
const MOST_ADDRESSES: usize = 50;
/// Characters of a name.
const LONGEST_NAME: usize = 100;
/// Files that stay unless said otherwise.
const KEEP: u32 = 30;
/// Files that may stay.
const MOST_KEPT: u32 = 1_000;
const LIST: &str = "weir reports schedules list";

/// Schedules, by name.
pub(crate) async fn list(app: &App, query: ListQuery) -> Result<List<ReportSchedule>, AdminError> {
    let limit = list::limit(query.limit)?;
    let shared = app.clone();
    app.try_read(move |tx| {
        let zone = Current::read(tx)?.zone();
        let rows = tx.report_schedule_list()?;
        let page = list::page(rows, |row| row.wanted.name.to_lowercase(), query.cursor.as_deref(), limit)?;
        let items = page.items.into_iter().map(|row| shown(&shared, row, &zone)).collect();
        Ok(List { items, next: page.next })
    })
    .await
}

/// One schedule.
pub(crate) async fn show(app: &App, name: String) -> Result<ReportSchedule, AdminError> {
    let shared = app.clone();
    app.try_read(move |tx| {
        let zone = Current::read(tx)?.zone();
        Ok(shown(&shared, find(tx, &name)?, &zone))
    })
    .await
}

/// The schedule of that name or id.
fn find(tx: &ReadTx<'_>, name: &str) -> Result<ReportScheduleRow, AdminError> {
    let row = match tx.report_schedule_find(name)? {
        Some(row) => Some(row),
        None => name.trim().parse::<Uuid>().ok().map(|id| tx.report_schedule_show(id)).transpose()?.flatten(),
    };
    row.ok_or_else(|| AdminError::missing("schedule of reports", format!("{name:?}"), LIST))
}

fn shown(app: &App, row: ReportScheduleRow, zone: &TimeZone) -> ReportSchedule {
    let (now, wanted) = (Timestamp::now(), row.wanted);
    let so_far = SoFar { since: row.since, again_at: row.again_at };
    let next = match due(&wanted.recurrence, so_far, now, zone) {
        _ if !wanted.enabled => None,
        Decision::Run { .. } => Some(now),
        Decision::Wait { until } => until,
    };
    let path = wanted.folder.as_deref().and_then(|folder| folder.parse::<Folder>().ok()).map(|folder| {
        let root = app.process.reports.clone();
        folder.parts().iter().fold(root, |path, part| path.join(part)).display().to_string()
    });
    ReportSchedule {
        id: row.id,
        enabled: wanted.enabled,
        report: wanted.report,
        parameters: wanted.parameters,
        schedule: wanted.recurrence.to_string(),
        description: wanted.recurrence.describe(),
        format: wanted.format.word().to_owned(),
        limit: wanted.limit,
        addresses: wanted.addresses,
        folder: wanted.folder,
        path,
        keep: wanted.keep,
        name: wanted.name,
        next,
        running: row.lease_until.is_some_and(|until| until > now),
        failures: row.attempts,
        last: row.last.ended_at.map(|at| ReportRun {
            at,
            rows: row.last.rows,
            total: row.last.total,
            file: row.last.file,
            error: row.last.error,
        }),
        created_at: row.created_at,
        created_by: row.created_by,
        changed_at: row.changed_at,
        changed_by: row.changed_by,
    }
}

/// Makes a schedule. Its first report is that of the next occurrence.
pub(crate) async fn create(
    app: &App,
    caller: &Caller,
    new: ReportScheduleCreate,
) -> Result<ReportSchedule, AdminError> {
    let folder = match (new.folder, new.addresses.is_empty()) {
        (Some(folder), _) => Some(folder),
        (None, true) => Some(String::new()),
        (None, false) => None,
    };
    let wanted = Unchecked {
        name: new.name,
        enabled: new.enabled.unwrap_or(true),
        report: new.report,
        parameters: new.parameters,
        limit: new.limit,
        schedule: new.schedule,
        format: new.format.as_deref().map_or(Ok(Format::Html), format)?,
        addresses: new.addresses,
        folder,
        keep: new.keep.unwrap_or(KEEP),
    };
    let shared = app.clone();
    let made = app
        .write(caller, move |tx| {
            let zone = Current::read(tx)?.zone();
            let wanted = wanted.checked(tx, &zone)?;
            free(tx, &wanted.name)?;
            if tx.report_schedule_list()?.len() >= MOST {
                return Err(AdminError::Conflict {
                    code: "too_many",
                    detail: format!("there are {MOST} schedules of reports already"),
                    next_step: Some("delete some: weir reports schedules delete NAME".to_owned()),
                });
            }
            let id = Uuid::new_v4();
            tx.report_schedule_put(id, &wanted, tx.actor().at)?;
            tx.audit("report_schedule.create", &wanted.name, None, Some(&audited(&wanted)))?;
            Ok(shown(&shared, find(tx, &id.to_string())?, &zone))
        })
        .await?;
    app.shared().reports.nudged.notify_one();
    Ok(made)
}

/// Changes a schedule.
pub(crate) async fn change(
    app: &App,
    caller: &Caller,
    schedule: String,
    change: ReportScheduleChange,
) -> Result<ReportSchedule, AdminError> {
    if change.no_folder && change.folder.is_some() {
        return Err(AdminError::invalid("folder", "folder and no_folder exclude each other"));
    }
    let shared = app.clone();
    let made = app
        .write(caller, move |tx| {
            let zone = Current::read(tx)?.zone();
            let row = find(tx, &schedule)?;
            let before = row.wanted.clone();
            let other_report =
                change.report.as_ref().is_some_and(|report| named(report).is_ok_and(|it| it.id != before.report));
            let parameters = change
                .parameters
                .unwrap_or_else(|| if other_report { BTreeMap::new() } else { before.parameters.clone() });
            let wanted = Unchecked {
                name: change.name.unwrap_or_else(|| before.name.clone()),
                enabled: change.enabled.unwrap_or(before.enabled),
                report: change.report.unwrap_or_else(|| before.report.clone()),
                parameters,
                limit: Some(change.limit.unwrap_or(before.limit)),
                schedule: change.schedule.unwrap_or_else(|| before.recurrence.to_string()),
                format: change.format.as_deref().map_or(Ok(before.format), format)?,
                addresses: change.addresses.unwrap_or_else(|| before.addresses.clone()),
                folder: if change.no_folder { None } else { change.folder.or_else(|| before.folder.clone()) },
                keep: change.keep.unwrap_or(before.keep),
            };
            let wanted = wanted.checked(tx, &zone)?;
            if weir_model::name::key(&wanted.name) != weir_model::name::key(&before.name) {
                free(tx, &wanted.name)?;
            }
            if wanted != before {
                // what was missed while it was off, or by the schedule before, is not made up for
                let anew = wanted.recurrence != before.recurrence || (wanted.enabled && !before.enabled);
                let since = if anew { tx.actor().at } else { row.since };
                tx.report_schedule_put(row.id, &wanted, since)?;
                // the next attempt says whether it still fails
                tx.alert_close(FAILED, &before.name)?;
                let (old, new) = (audited(&before), audited(&wanted));
                tx.audit("report_schedule.change", &wanted.name, Some(&old), Some(&new))?;
            }
            Ok(shown(&shared, find(tx, &row.id.to_string())?, &zone))
        })
        .await?;
    app.shared().reports.nudged.notify_one();
    Ok(made)
}

/// Deletes a schedule. Files that it wrote stay.
pub(crate) async fn delete(app: &App, caller: &Caller, named: String) -> Result<(), AdminError> {
    app.write(caller, move |tx| {
        let row = find(tx, &named)?;
        tx.report_schedule_delete(row.id)?;
        tx.alert_close(FAILED, &row.wanted.name)?;
        tx.audit("report_schedule.delete", &row.wanted.name, Some(&audited(&row.wanted)), None)?;
        Ok(())
    })
    .await
}

/// Makes the report of a schedule now, whether it is on or not, and says how that went.
pub(crate) async fn run(app: &App, caller: &Caller, name: String) -> Result<ReportSchedule, AdminError> {
    let row = app
        .write(caller, move |tx| {
            let row = find(tx, &name)?;
            tx.audit("report_schedule.run", &row.wanted.name, None, None)?;
            Ok(row)
        })
        .await?;
    let id = row.id;
    jobs::reports::now(app, row).await?;
    show(app, id.to_string()).await
}

fn free(tx: &ReadTx<'_>, name: &str) -> Result<(), AdminError> {
    match tx.report_schedule_find(name)? {
        None => Ok(()),
        Some(row) => Err(AdminError::Conflict {
            code: "exists",
            detail: format!("there is a schedule of reports named {:?} already", row.wanted.name),
            next_step: Some(format!("give another name; {LIST} shows those that are taken")),
        }),
    }
}

/// What the audit log keeps of a schedule.
fn audited(wanted: &Wanted) -> Value {
    json!({
        "name": wanted.name,
        "enabled": wanted.enabled,
        "report": wanted.report,
        "parameters": wanted.parameters,
        "limit": wanted.limit,
        "schedule": wanted.recurrence.to_string(),
        "format": wanted.format.word(),
        "addresses": wanted.addresses,
        "folder": wanted.folder,
        "keep": wanted.keep,
    })
}

/// A schedule as it was written.
struct Unchecked {
    name: String,
    enabled: bool,
    report: String,
    parameters: BTreeMap<String, String>,
    limit: Option<u32>,
    schedule: String,
    format: Format,
    addresses: Vec<String>,
    folder: Option<String>,
    keep: u32,
}

impl Unchecked {
    fn checked(self, tx: &WriteTx<'_>, zone: &TimeZone) -> Result<Wanted, AdminError> {
        let report = named(&self.report)?;
        let given = self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let arguments = Arguments::read(report, given).map_err(|error| invalid(&error))?;
        named_things(tx, &arguments)?;
        let recurrence: Recurrence = self.schedule.parse().map_err(|error| AdminError::Invalid {
            code: "schedule",
            detail: format!("schedule: {error}"),
            next_step: Some("weir schedule set --help shows the forms of schedules".to_owned()),
        })?;
        if !(1..=MOST_KEPT).contains(&self.keep) {
            let detail = format!("keep is {}; it must be 1 to {MOST_KEPT}", self.keep);
            return Err(AdminError::invalid("keep", detail));
        }
        let addresses = addresses(&self.addresses)?;
        let folder = self.folder.as_deref().map(str::parse::<Folder>).transpose();
        let folder = folder.map_err(|error| AdminError::invalid("folder", error.to_string()))?;
        if addresses.is_empty() && folder.is_none() {
            return Err(AdminError::Invalid {
                code: "addresses",
                detail: "a scheduled report goes to addresses, to a folder, or both; here is neither".to_owned(),
                next_step: Some("weir reports schedules change NAME --to ADDRESS, or --folder FOLDER".to_owned()),
            });
        }
        Ok(Wanted {
            name: checked_name(&self.name)?,
            enabled: self.enabled,
            report: report.id.to_owned(),
            parameters: self.parameters.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect(),
            limit: limit(self.limit, MOST_ROWS)?,
            recurrence: recurrence.anchored(tx.actor().at, zone),
            format: self.format,
            addresses,
            folder: folder.map(|folder| folder.to_string()),
            keep: self.keep,
        })
    }
}

fn checked_name(name: &str) -> Result<String, AdminError> {
    let name = name.trim();
    let fits = (1..=LONGEST_NAME).contains(&name.chars().count()) && weir_model::name::is_printable(name);
    if fits && name.parse::<Uuid>().is_err() && !matches!(name, "." | "..") {
        return Ok(name.to_owned());
    }
    Err(AdminError::Invalid {
        code: "name",
        detail: format!("{:?} cannot be the name of a schedule", super::shortened(name)),
        next_step: Some(format!("give 1 to {LONGEST_NAME} characters, no GUID, and not . or ..")),
    })
}

fn addresses(given: &[String]) -> Result<Vec<String>, AdminError> {
    let mut addresses: Vec<String> = Vec::new();
    for text in given {
        let address: EmailAddress =
            text.parse().map_err(|error| AdminError::invalid("addresses", format!("addresses: {error}")))?;
        if !addresses.iter().any(|known| known == address.as_str()) {
            addresses.push(address.as_str().to_owned());
        }
    }
    if addresses.len() > MOST_ADDRESSES {
        let detail = format!("there are {} addresses; at most {MOST_ADDRESSES} get a report", addresses.len());
        return Err(AdminError::invalid("addresses", detail));
    }
    Ok(addresses)
}

/// Refuses what names nothing: a report that can only fail helps nobody.
fn named_things(tx: &ReadTx<'_>, asked: &Arguments) -> Result<(), AdminError> {
    if let Some(name) = asked.text("collection") {
        Tree::read(tx)?.find(name)?;
    }
    if let Some(name) = asked.text("group") {
        group::find(tx, name)?;
    }
    rollup::narrowed(tx, asked.text("site"))?;
    if let Some(id) = asked.computer("computer") {
        tx.computer_find(id)?.ok_or_else(|| AdminError::missing("computer", id, "weir computers list"))?;
    }
    if let Some(id) = asked.update("update") {
        tx.update_show(id)?.ok_or_else(|| AdminError::missing("update", id, "weir updates list"))?;
    }
    if let Some(name) = asked.text("deployment") {
        let number = name.parse().ok().map(weir_model::ids::DeploymentId);
        let known = match number {
            Some(id) => tx.deployment_show(id)?.is_some(),
            None => false,
        };
        if !known && tx.deployment_named(name)?.is_none() {
            return Err(AdminError::missing("deployment", format!("{name:?}"), "weir deployments list"));
        }
    }
    Ok(())
}
