//! Jobs: rows with a lease, progress and result.

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::{ReadTx, StoreError, WriteTx};

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

impl ReadTx<'_> {
    /// One job.
    pub fn job_show(&self, id: Uuid) -> Result<Option<JobRow>, StoreError> {
        let _ = id;
        unimplemented!()
    }

    /// The newest jobs of a kind.
    pub fn job_list(&self, kind: &str, limit: u32) -> Result<Vec<JobRow>, StoreError> {
        let _ = (kind, limit);
        unimplemented!()
    }
}

impl WriteTx<'_> {
    /// Asks for a job.
    pub fn job_create(&self, id: Uuid, kind: &str, input: &Value) -> Result<(), StoreError> {
        let _ = (id, kind, input);
        unimplemented!()
    }

    /// Takes the oldest waiting job of a kind, or one whose lease ran out, until `until`.
    pub fn job_take(&self, kind: &str, owner: &str, until: Timestamp) -> Result<Option<JobRow>, StoreError> {
        let _ = (kind, owner, until);
        unimplemented!()
    }

    /// Renews a lease and notes progress. False if the lease was lost or the job cancelled: stop working on it.
    pub fn job_renew(&self, id: Uuid, owner: &str, until: Timestamp, progress: &Value) -> Result<bool, StoreError> {
        let _ = (id, owner, until, progress);
        unimplemented!()
    }

    /// Ends a job as `state`. False if the lease was lost.
    pub fn job_end(&self, id: Uuid, owner: &str, state: JobState, result: &Value) -> Result<bool, StoreError> {
        let _ = (id, owner, state, result);
        unimplemented!()
    }

    /// Cancels a job that has not ended. True if it had not.
    pub fn job_cancel(&self, id: Uuid) -> Result<bool, StoreError> {
        let _ = id;
        unimplemented!()
    }
}
