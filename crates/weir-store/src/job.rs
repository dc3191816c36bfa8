//! Jobs: rows with a lease, progress and result.

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Page, ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    page::{cursor_number, page_rows},
    sql::statements,
};

/// Where a job is in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum JobState {
    /// Waiting for someone to take it.
    Waiting,
    /// Someone has its lease.
    Running,
    /// It ended well.
    Done,
    /// It ended badly.
    Failed,
    /// Someone stopped it.
    Cancelled,
}

/// A job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRow {
    /// Its place among all jobs, in the order in which they were asked for.
    pub no: i64,
    /// Its id.
    pub id: Uuid,
    /// What it does, for example `content.download`.
    pub kind: String,
    /// Where it is.
    pub state: JobState,
    /// What it was asked.
    pub input: Value,
    /// How far it is.
    pub progress: Option<Value>,
    /// How it ended.
    pub result: Option<Value>,
    /// Who works on it.
    pub lease_owner: Option<String>,
    /// Until when, if it does not renew.
    pub lease_until: Option<Timestamp>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it was first taken.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

statements! {
    JOB_SHOW: "reading a job" =
        "SELECT job_id, kind, state, input, progress, result, lease_owner, lease_until, created_at, created_by,
             started_at, ended_at, job_no
         FROM job WHERE job_id = ?1";
    JOB_OF_NO: "reading a job by its number" =
        "SELECT job_id, kind, state, input, progress, result, lease_owner, lease_until, created_at, created_by,
             started_at, ended_at, job_no
         FROM job WHERE job_no = ?1 AND kind = ?2";
    JOB_LIST: "listing jobs" =
        "SELECT job_id, kind, state, input, progress, result, lease_owner, lease_until, created_at, created_by,
             started_at, ended_at, job_no
         FROM job WHERE kind = ?1 ORDER BY job_no DESC LIMIT ?2";
    JOB_PAGE: "listing jobs by page" =
        "SELECT job_id, kind, state, input, progress, result, lease_owner, lease_until, created_at, created_by,
             started_at, ended_at, job_no
         FROM job WHERE kind = ?1 AND job_no < ?2 ORDER BY job_no DESC LIMIT ?3";
    JOB_LAST_OF: "looking for the last job in a state" =
        "SELECT job_id, kind, state, input, progress, result, lease_owner, lease_until, created_at, created_by,
             started_at, ended_at, job_no
         FROM job WHERE kind = ?1 AND state = ?2 ORDER BY job_no DESC LIMIT 1";
    JOB_INTERRUPT: "ending the job of a process that is gone" =
        "UPDATE job SET state = 3, result = ?2, ended_at = ?3, lease_owner = NULL, lease_until = NULL
         WHERE job_id = ?1 AND state = 1";
    JOB_PRUNE: "deleting old jobs" =
        "DELETE FROM job WHERE kind = ?1 AND state IN (2, 3, 4) AND (created_at < ?2 OR job_no <=
             (SELECT o.job_no FROM job o WHERE o.kind = ?1 ORDER BY o.job_no DESC LIMIT 1 OFFSET ?3))";
    JOB_CREATE: "asking for a job" =
        "INSERT INTO job (job_id, kind, state, input, created_at, created_by) VALUES (?1, ?2, 0, ?3, ?4, ?5)";
    JOB_WAITING: "looking for a waiting job" =
        "SELECT job_id FROM job WHERE kind = ?1 AND state = 0 ORDER BY job_no LIMIT 1";
    JOB_ABANDONED: "looking for an abandoned job" =
        "SELECT job_id FROM job WHERE kind = ?1 AND state = 1 AND lease_until <= ?2 ORDER BY job_no LIMIT 1";
    JOB_LEASE: "taking a job" =
        "UPDATE job SET state = 1, lease_owner = ?2, lease_until = ?3, started_at = coalesce(started_at, ?4)
         WHERE job_id = ?1";
    JOB_RENEW: "renewing the lease of a job" =
        "UPDATE job SET lease_until = ?3, progress = ?4 WHERE job_id = ?1 AND state = 1 AND lease_owner = ?2";
    JOB_END: "ending a job" =
        "UPDATE job SET state = ?3, result = ?4, ended_at = ?5, lease_owner = NULL, lease_until = NULL
         WHERE job_id = ?1 AND state = 1 AND lease_owner = ?2";
    JOB_GIVE_BACK: "giving back the leases of a process that is gone" =
        "UPDATE job SET lease_until = ?2 WHERE kind = ?1 AND state = 1 AND lease_until > ?2";
    JOB_CANCEL: "cancelling a job" =
        "UPDATE job SET state = 4, ended_at = ?2, lease_owner = NULL, lease_until = NULL
         WHERE job_id = ?1 AND state IN (0, 1)";
}

fn job(row: &Row<'_>) -> Result<JobRow, StoreError> {
    Ok(JobRow {
        id: row.uuid(0)?,
        kind: row.text(1)?,
        state: row.coded(2)?,
        input: row.json(3)?,
        progress: row.opt(4, Row::json)?,
        result: row.opt(5, Row::json)?,
        lease_owner: row.opt_text(6)?,
        lease_until: row.opt_time(7)?,
        created_at: row.time(8)?,
        created_by: row.text(9)?,
        started_at: row.opt_time(10)?,
        ended_at: row.opt_time(11)?,
        no: row.int(12)?,
    })
}

impl ReadTx<'_> {
    /// One job.
    pub fn job_show(&self, id: Uuid) -> Result<Option<JobRow>, StoreError> {
        self.first(&JOB_SHOW, args![id], job)
    }

    /// The job of a kind that has this number.
    pub fn job_of_no(&self, no: i64, kind: &str) -> Result<Option<JobRow>, StoreError> {
        self.first(&JOB_OF_NO, args![no, kind], job)
    }

    /// The newest jobs of a kind.
    pub fn job_list(&self, kind: &str, limit: u32) -> Result<Vec<JobRow>, StoreError> {
        self.all(&JOB_LIST, args![kind, limit], job)
    }

    /// Jobs of a kind, newest first.
    pub fn job_page(&self, kind: &str, cursor: Option<&str>, limit: u32) -> Result<Page<JobRow>, StoreError> {
        let before: i64 = cursor_number(cursor, i64::MAX)?;
        let rows = self.all(&JOB_PAGE, args![kind, before, page_rows(limit)], job)?;
        Ok(Page::cut(rows, limit, |row| row.no.to_string()))
    }

    /// The newest job of a kind that is in a state.
    pub fn job_last_of(&self, kind: &str, state: JobState) -> Result<Option<JobRow>, StoreError> {
        self.first(&JOB_LAST_OF, args![kind, state], job)
    }
}

impl WriteTx<'_> {
    /// Ends a job whose process is gone as failed, whoever had its lease. True if it was running.
    pub fn job_interrupt(&self, id: Uuid, result: &Value) -> Result<bool, StoreError> {
        Ok(self.run(&JOB_INTERRUPT, args![id, &result.to_string(), self.actor().at])? > 0)
    }

    /// Gives back the leases of a kind: for whoever begins with it and knows that no other works on it, by the lock of the folder
    /// or because the duty is his. Returns how many.
    pub fn job_give_back(&self, kind: &str) -> Result<u64, StoreError> {
        Ok(self.run(&JOB_GIVE_BACK, args![kind, self.actor().at])? as u64)
    }

    /// Deletes jobs of a kind that ended and were asked for before a time, or that are older than the newest `keep`.
    /// Returns how many.
    pub fn job_prune(&self, kind: &str, before: Timestamp, keep: u32) -> Result<u64, StoreError> {
        Ok(self.run(&JOB_PRUNE, args![kind, before, keep])? as u64)
    }

    /// Asks for a job.
    pub fn job_create(&self, id: Uuid, kind: &str, input: &Value) -> Result<(), StoreError> {
        let actor = self.actor();
        self.run(&JOB_CREATE, args![id, kind, &input.to_string(), actor.at, &actor.name])?;
        Ok(())
    }

    /// Takes the oldest waiting job of a kind, else one whose lease ran out at the actor's time, and holds it until
    /// `until`.
    pub fn job_take(&self, kind: &str, owner: &str, until: Timestamp) -> Result<Option<JobRow>, StoreError> {
        let now = self.actor().at;
        let waiting = self.first(&JOB_WAITING, args![kind], |row| row.uuid(0))?;
        let found = match waiting {
            Some(id) => Some(id),
            None => self.first(&JOB_ABANDONED, args![kind, now], |row| row.uuid(0))?,
        };
        let Some(id) = found else { return Ok(None) };
        self.run(&JOB_LEASE, args![id, owner, until, now])?;
        self.job_show(id)
    }

    /// Takes this very job, which waits, and holds it until `until`. True if it waited.
    pub fn job_hold(&self, id: Uuid, owner: &str, until: Timestamp) -> Result<bool, StoreError> {
        if self.job_show(id)?.is_none_or(|row| row.state != JobState::Waiting) {
            return Ok(false);
        }
        Ok(self.run(&JOB_LEASE, args![id, owner, until, self.actor().at])? > 0)
    }

    /// Renews a lease and notes progress. False if the lease was lost or the job cancelled: stop working on it.
    pub fn job_renew(&self, id: Uuid, owner: &str, until: Timestamp, progress: &Value) -> Result<bool, StoreError> {
        Ok(self.run(&JOB_RENEW, args![id, owner, until, &progress.to_string()])? > 0)
    }

    /// Ends a job as `state`. False if the lease was lost.
    pub fn job_end(&self, id: Uuid, owner: &str, state: JobState, result: &Value) -> Result<bool, StoreError> {
        Ok(self.run(&JOB_END, args![id, owner, state, &result.to_string(), self.actor().at])? > 0)
    }

    /// Cancels a job that has not ended. True if it had not.
    pub fn job_cancel(&self, id: Uuid) -> Result<bool, StoreError> {
        Ok(self.run(&JOB_CANCEL, args![id, self.actor().at])? > 0)
    }
}
