//! The audit log: append only. Triggers of the schema refuse to change or delete a row, and nothing prunes it.

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
    /// How the actor proved who it is; none for the server itself and for what releases before 0.6.0 noted.
    pub proof: Option<String>,
    /// Who approved it, where a second person had to.
    pub approved_by: Option<String>,
}

/// Which acts are looked for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AuditFilter {
    /// Of this actor, without regard to the case of ASCII letters.
    pub actor: Option<String>,
    /// Whose action begins so.
    pub action: Option<String>,
    /// On exactly this.
    pub subject: Option<String>,
    /// At this instant or later.
    pub since: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
}

statements! {
    AUDIT_SEARCH: "reading the audit log" =
        "SELECT audit_no, at, actor, origin, action, subject, before, after, proof, approved_by FROM audit
         WHERE audit_no < ?1 AND (CAST(?2 AS TEXT) IS NULL OR lower(actor) = ?2)
             AND (CAST(?3 AS TEXT) IS NULL OR substr(action, 1, length(?3)) = ?3)
             AND (CAST(?4 AS TEXT) IS NULL OR subject = ?4)
             AND (CAST(?5 AS BIGINT) IS NULL OR at >= ?5) AND (CAST(?6 AS BIGINT) IS NULL OR at < ?6)
         ORDER BY audit_no DESC LIMIT ?7";
    AUDIT_INSERT: "writing the audit log" =
        "INSERT INTO audit (at, actor, origin, action, subject, before, after, proof, approved_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
}

impl ReadTx<'_> {
    /// Acts, newest first.
    pub fn audit_list(&self, cursor: Option<&str>, limit: u32) -> Result<Page<AuditRow>, StoreError> {
        self.audit_search(&AuditFilter::default(), cursor, limit)
    }

    /// Acts that a filter leaves, newest first.
    pub fn audit_search(
        &self,
        filter: &AuditFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<AuditRow>, StoreError> {
        let before = cursor_number(cursor, i64::MAX)?;
        // lower() of the engine: ASCII only
        let actor = filter.actor.as_deref().map(str::to_ascii_lowercase);
        let values = args![
            before,
            actor.as_deref(),
            filter.action.as_deref(),
            filter.subject.as_deref(),
            filter.since,
            filter.until,
            page_rows(limit)
        ];
        let items = self.all(&AUDIT_SEARCH, values, |row| {
            Ok(AuditRow {
                no: row.int(0)?,
                at: row.time(1)?,
                actor: row.text(2)?,
                from: row.opt_text(3)?,
                action: row.text(4)?,
                subject: row.text(5)?,
                before: row.opt(6, Row::json)?,
                after: row.opt(7, Row::json)?,
                proof: row.opt_text(8)?,
                approved_by: row.opt_text(9)?,
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
        let values = args![
            actor.at,
            &actor.name,
            actor.from.as_deref(),
            action,
            subject,
            before.as_deref(),
            after.as_deref(),
            actor.proof.as_deref(),
            actor.approved_by.as_deref(),
        ];
        self.send(&AUDIT_INSERT, values)?;
        Ok(())
    }
}
