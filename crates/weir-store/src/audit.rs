//! The audit log: append only.

use jiff::Timestamp;
use serde_json::Value;

use crate::{Page, ReadTx, StoreError, WriteTx};

/// One act.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRow {
    /// Position in the log.
    pub no: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// Address of the request.
    pub from: Option<String>,
    /// What was done, for example `deployment.create`.
    pub action: String,
    /// To what, for example an id.
    pub subject: String,
    /// The state before.
    pub before: Option<Value>,
    /// The state after.
    pub after: Option<Value>,
}

impl ReadTx<'_> {
    /// Acts, newest first.
    pub fn audit_list(&self, cursor: Option<&str>, limit: u32) -> Result<Page<AuditRow>, StoreError> {
        let _ = (cursor, limit);
        unimplemented!()
    }
}

impl WriteTx<'_> {
    /// Notes an act of this transaction's actor.
    pub fn audit(
        &self,
        action: &str,
        subject: &str,
        before: Option<&Value>,
        after: Option<&Value>,
    ) -> Result<(), StoreError> {
        let _ = (action, subject, before, after);
        unimplemented!()
    }
}
