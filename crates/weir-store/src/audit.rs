//! The audit log: append only.

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    page::{Page, cursor_number, page_rows},
    sql::statements,
};

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

statements! {
    AUDIT_LIST: "reading the audit log" =
        "SELECT audit_no, at, actor, origin, action, subject, before, after FROM audit
         WHERE audit_no < ?1 ORDER BY audit_no DESC LIMIT ?2";
    AUDIT_INSERT: "writing the audit log" =
        "INSERT INTO audit (at, actor, origin, action, subject, before, after) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
}

impl ReadTx<'_> {
    /// Acts, newest first.
    pub fn audit_list(&self, cursor: Option<&str>, limit: u32) -> Result<Page<AuditRow>, StoreError> {
        let before = cursor_number(cursor, i64::MAX)?;
        let items = self.all(&AUDIT_LIST, args![before, page_rows(limit)], |row| {
            Ok(AuditRow {
                no: row.int(0)?,
                at: row.time(1)?,
                actor: row.text(2)?,
                from: row.opt_text(3)?,
                action: row.text(4)?,
                subject: row.text(5)?,
                before: row.opt(6, Row::json)?,
                after: row.opt(7, Row::json)?,
            })
        })?;
        Ok(Page::cut(items, limit, |row| row.no.to_string()))
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
        let actor = self.actor();
        let (before, after) = (before.map(Value::to_string), after.map(Value::to_string));
        let values =
            args![actor.at, &actor.name, actor.from.as_deref(), action, subject, before.as_deref(), after.as_deref(),];
        self.run(&AUDIT_INSERT, values)?;
        Ok(())
    }
}
