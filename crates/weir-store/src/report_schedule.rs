//! Reports that are made by themselves, and how the last attempts went.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{report::Format, schedule::Recurrence};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    sql::statements,
};

/// What was decided of a schedule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReportSchedule {
    /// Its name, unique without regard to case.
    pub name: String,
    /// It runs by itself.
    pub enabled: bool,
    /// Id of the report.
    pub report: String,
    /// What the report is asked, as it was given.
    pub parameters: BTreeMap<String, String>,
    /// Rows at most.
    pub limit: u32,
    /// When.
    pub recurrence: Recurrence,
    /// In which format.
    pub format: Format,
    /// Who gets it by e-mail; none: nobody.
    pub addresses: Vec<String>,
    /// The folder below that of the process settings; none: no file is written.
    pub folder: Option<String>,
    /// Files that stay.
    pub keep: u32,
}

/// How the last attempt went.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ReportRun {
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Rows that were given.
    pub rows: Option<u64>,
    /// Rows that there were.
    pub total: Option<u64>,
    /// The file that was written; also if the report could not be sent then.
    pub file: Option<String>,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

/// A stored schedule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReportScheduleRow {
    /// Its id.
    pub id: Uuid,
    /// What was decided.
    pub wanted: ReportSchedule,
    /// Occurrences up to here are done with.
    pub since: Timestamp,
    /// A failed attempt is made again then.
    pub again_at: Option<Timestamp>,
    /// Attempts that failed in a row for the last occurrence.
    pub attempts: u32,
    /// It is made now, and somebody else may take it up after this.
    pub lease_until: Option<Timestamp>,
    /// How the last attempt went.
    pub last: ReportRun,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
}

statements! {
    LIST: "listing schedules of reports" =
        "SELECT schedule_id, name, enabled, report, parameters, row_limit, recurrence, format, addresses, folder, keep, since,
             again_at, attempts, lease_until, last_started_at, last_ended_at, last_rows, last_total, last_file, last_error,
             created_at, created_by, changed_at, changed_by
         FROM report_schedule ORDER BY name_key";
    SHOW: "reading a schedule of reports" =
        "SELECT schedule_id, name, enabled, report, parameters, row_limit, recurrence, format, addresses, folder, keep, since,
             again_at, attempts, lease_until, last_started_at, last_ended_at, last_rows, last_total, last_file, last_error,
             created_at, created_by, changed_at, changed_by
         FROM report_schedule WHERE schedule_id = ?1";
    FIND: "looking for a schedule of reports" =
        "SELECT schedule_id, name, enabled, report, parameters, row_limit, recurrence, format, addresses, folder, keep, since,
             again_at, attempts, lease_until, last_started_at, last_ended_at, last_rows, last_total, last_file, last_error,
             created_at, created_by, changed_at, changed_by
         FROM report_schedule WHERE name_key = ?1";
    PUT: "storing a schedule of reports" =
        "INSERT INTO report_schedule (schedule_id, name, name_key, enabled, report, parameters, row_limit, recurrence, format,
             addresses, folder, keep, since, created_at, created_by, changed_at, changed_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?14, ?15)
         ON CONFLICT (schedule_id) DO UPDATE SET name = excluded.name, name_key = excluded.name_key,
             enabled = excluded.enabled, report = excluded.report, parameters = excluded.parameters,
             row_limit = excluded.row_limit, recurrence = excluded.recurrence, format = excluded.format,
             addresses = excluded.addresses, folder = excluded.folder, keep = excluded.keep, since = excluded.since,
             again_at = NULL, attempts = 0, changed_at = excluded.changed_at, changed_by = excluded.changed_by";
    DELETE: "deleting a schedule of reports" = "DELETE FROM report_schedule WHERE schedule_id = ?1";
    SINCE: "noting up to when a schedule of reports is done" =
        "UPDATE report_schedule SET since = ?2 WHERE schedule_id = ?1";
    TAKE: "taking up a scheduled report" =
        "UPDATE report_schedule SET lease_owner = ?2, lease_until = ?3, last_started_at = ?4
         WHERE schedule_id = ?1 AND (lease_until IS NULL OR lease_until <= ?4)";
    DONE: "noting a scheduled report that was made" =
        "UPDATE report_schedule SET lease_owner = NULL, lease_until = NULL,
             since = CASE WHEN since > ?3 THEN since ELSE ?3 END, again_at = NULL, attempts = 0,
             last_ended_at = ?4, last_rows = ?5, last_total = ?6, last_file = ?7, last_error = NULL
         WHERE schedule_id = ?1 AND lease_owner = ?2";
    FAILED: "noting a scheduled report that failed" =
        "UPDATE report_schedule SET lease_owner = NULL, lease_until = NULL,
             since = CASE WHEN since > ?3 THEN since ELSE ?3 END, again_at = ?4,
             attempts = CASE WHEN since < ?3 THEN 1 ELSE attempts + 1 END, last_ended_at = ?5, last_rows = NULL,
             last_total = NULL, last_file = ?7, last_error = ?6
         WHERE schedule_id = ?1 AND lease_owner = ?2";
    GIVE_BACK: "giving scheduled reports of an earlier process back" =
        "UPDATE report_schedule SET lease_owner = NULL, lease_until = NULL WHERE lease_until IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM front_end f WHERE f.front_id = substr(report_schedule.lease_owner, 1, 36))";
}

fn schedule(row: &Row<'_>) -> Result<ReportScheduleRow, StoreError> {
    let damaged =
        |error: &dyn std::fmt::Display| StoreError::Corrupt { what: format!("a schedule of reports: {error}") };
    Ok(ReportScheduleRow {
        id: row.uuid(0)?,
        wanted: ReportSchedule {
            name: row.text(1)?,
            enabled: row.bool(2)?,
            report: row.text(3)?,
            parameters: serde_json::from_str(row.str(4)?).map_err(|error| damaged(&error))?,
            limit: row.int(5)?,
            recurrence: row.str(6)?.parse().map_err(|error| damaged(&error))?,
            format: row.coded(7)?,
            addresses: row.lines(8)?,
            folder: row.opt_text(9)?,
            keep: row.int(10)?,
        },
        since: row.time(11)?,
        again_at: row.opt_time(12)?,
        attempts: row.int(13)?,
        lease_until: row.opt_time(14)?,
        last: ReportRun {
            started_at: row.opt_time(15)?,
            ended_at: row.opt_time(16)?,
            rows: row.opt_int(17)?,
            total: row.opt_int(18)?,
            file: row.opt_text(19)?,
            error: row.opt_text(20)?,
        },
        created_at: row.time(21)?,
        created_by: row.text(22)?,
        changed_at: row.time(23)?,
        changed_by: row.text(24)?,
    })
}

impl ReadTx<'_> {
    /// Schedules of reports, by name.
    pub fn report_schedule_list(&self) -> Result<Vec<ReportScheduleRow>, StoreError> {
        self.all(&LIST, args![], schedule)
    }

    /// One schedule.
    pub fn report_schedule_show(&self, id: Uuid) -> Result<Option<ReportScheduleRow>, StoreError> {
        self.first(&SHOW, args![id], schedule)
    }

    /// The schedule of that name, without regard to case.
    pub fn report_schedule_find(&self, name: &str) -> Result<Option<ReportScheduleRow>, StoreError> {
        self.first(&FIND, args![&weir_model::name::key(name)], schedule)
    }
}

impl WriteTx<'_> {
    /// Stores a schedule under its id. The caller has checked that no other has the name. Occurrences up to `since` are done
    /// with; what failed before is forgotten.
    pub fn report_schedule_put(&self, id: Uuid, wanted: &ReportSchedule, since: Timestamp) -> Result<(), StoreError> {
        let (actor, key) = (self.actor(), weir_model::name::key(&wanted.name));
        let parameters = serde_json::to_string(&wanted.parameters)
            .map_err(|error| StoreError::Corrupt { what: format!("parameters of a report: {error}") })?;
        let (recurrence, addresses) = (wanted.recurrence.to_string(), wanted.addresses.join("\n"));
        let values = args![
            id,
            &wanted.name,
            &key,
            wanted.enabled,
            &wanted.report,
            &parameters,
            wanted.limit,
            &recurrence,
            wanted.format,
            &addresses,
            wanted.folder.as_deref(),
            wanted.keep,
            since,
            actor.at,
            &actor.name,
        ];
        self.run(&PUT, values)?;
        Ok(())
    }

    /// Deletes a schedule. True if it was there. Files that it wrote stay.
    pub fn report_schedule_delete(&self, id: Uuid) -> Result<bool, StoreError> {
        Ok(self.run(&DELETE, args![id])? > 0)
    }

    /// Notes that occurrences up to then are done with.
    pub fn report_schedule_since(&self, id: Uuid, since: Timestamp) -> Result<(), StoreError> {
        self.run(&SINCE, args![id, since])?;
        Ok(())
    }

    /// Takes a schedule up until then, if nobody else has it. True if it is ours now.
    pub fn report_schedule_take(&self, id: Uuid, owner: &str, until: Timestamp) -> Result<bool, StoreError> {
        Ok(self.run(&TAKE, args![id, owner, until, self.actor().at])? > 0)
    }

    /// Notes that a report was made for the occurrence at `since`. False if it was not ours any more.
    pub fn report_schedule_done(
        &self,
        id: Uuid,
        owner: &str,
        since: Timestamp,
        rows: u64,
        total: u64,
        file: Option<&str>,
    ) -> Result<bool, StoreError> {
        let values = args![id, owner, since, self.actor().at, rows, total, file];
        Ok(self.run(&DONE, values)? > 0)
    }

    /// Notes that a report for the occurrence at `since` failed, when it is tried again, and the file that was written all the
    /// same. False if it was not ours any more.
    pub fn report_schedule_failed(
        &self,
        id: Uuid,
        owner: &str,
        since: Timestamp,
        again_at: Option<Timestamp>,
        error: &str,
        file: Option<&str>,
    ) -> Result<bool, StoreError> {
        Ok(self.run(&FAILED, args![id, owner, since, again_at, self.actor().at, error, file])? > 0)
    }

    /// Gives back what processes that ended had taken up: whose name does not begin with the id of a front end that is there.
    pub fn report_schedule_give_back(&self) -> Result<(), StoreError> {
        self.run(&GIVE_BACK, args![])?;
        Ok(())
    }
}
