//! Alerts.

use weir_api::{List, alert::Alert, list::ListQuery};
use weir_store::alert::AlertSeverity;

use super::{AdminError, App, list};

/// Open alerts, then closed ones, newest first.
pub(crate) async fn list(app: &App, query: ListQuery) -> Result<List<Alert>, AdminError> {
    let limit = list::limit(query.limit)?;
    let rows = app.read(|tx| tx.alert_list(true, 10_000)).await?;
    let (open, closed): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.closed_at.is_none());
    let all = open.into_iter().chain(closed);
    let page = list::page(all, |row| row.no.to_string(), query.cursor.as_deref(), limit)?;
    let items = page.items.into_iter().map(|row| Alert {
        key: format!("{}:{}", row.kind, row.subject),
        severity: match row.severity {
            AlertSeverity::Information => "information",
            AlertSeverity::Warning => "warning",
            AlertSeverity::Critical => "critical",
        }
        .to_owned(),
        message: row.message,
        opened_at: row.opened_at,
        closed_at: row.closed_at,
    });
    Ok(List { items: items.collect(), next: page.next })
}
