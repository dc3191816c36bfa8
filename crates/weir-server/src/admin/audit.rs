//! The audit log.

use serde_json::json;
use weir_api::{List, audit::AuditRow, list::ListQuery};

use super::{AdminError, App, list};

/// Writes, newest first.
pub(crate) async fn list(app: &App, query: ListQuery) -> Result<List<AuditRow>, AdminError> {
    let limit = list::limit(query.limit)?;
    let page = app.read(move |tx| tx.audit_list(query.cursor.as_deref(), limit)).await?;
    let items = page.items.into_iter().map(|row| AuditRow {
        id: row.no,
        at: row.at,
        actor: row.actor,
        action: row.action,
        subject: row.subject,
        detail: json!({ "before": row.before, "after": row.after }).to_string(),
    });
    Ok(List { items: items.collect(), next: page.next })
}
