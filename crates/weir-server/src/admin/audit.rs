//! The audit log.

use std::fmt::Write as _;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::header;
use serde_json::json;
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::{
    List,
    audit::{AuditQuery, AuditRow},
};
use weir_store::audit::{AuditFilter, AuditRow as Stored};

use super::{AdminError, App, extract::Query, list};

/// Rows of the largest table.
const MOST_ROWS: usize = 100_000;

/// Routes of the audit log.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(audit_list)).routes(routes!(audit_csv))
}

/// The audit log, newest first.
#[utoipa::path(get, path = "/audit", tag = "audit", params(AuditQuery), responses((status = 200, body = List<AuditRow>)))]
async fn audit_list(
    State(app): State<App>,
    Query(query): Query<AuditQuery>,
) -> Result<Json<List<AuditRow>>, AdminError> {
    list(&app, query).await.map(Json)
}

/// The audit log as CSV, newest first: at most 100,000 rows, or `limit`.
#[utoipa::path(get, path = "/audit.csv", tag = "audit", params(AuditQuery), responses((status = 200, body = String, content_type = "text/csv")))]
async fn audit_csv(State(app): State<App>, Query(query): Query<AuditQuery>) -> Result<Response, AdminError> {
    let text = csv(&app, query).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
    ];
    Ok((headers, text).into_response())
}

fn filter(query: &AuditQuery) -> AuditFilter {
    let text =
        |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    AuditFilter {
        actor: text(&query.actor),
        action: text(&query.action),
        subject: text(&query.subject),
        since: query.since,
        until: query.until,
    }
}

fn shown(row: Stored) -> AuditRow {
    AuditRow {
        id: row.no,
        at: row.at,
        actor: row.actor,
        action: row.action,
        subject: row.subject,
        detail: json!({ "before": row.before, "after": row.after }).to_string(),
        from: row.from,
        proof: row.proof,
        approved_by: row.approved_by,
    }
}

/// Writes, newest first.
async fn list(app: &App, query: AuditQuery) -> Result<List<AuditRow>, AdminError> {
    let limit = list::limit(query.limit)?;
    let filter = filter(&query);
    let page = app.read(move |tx| tx.audit_search(&filter, query.cursor.as_deref(), limit)).await?;
    Ok(List { items: page.items.into_iter().map(shown).collect(), next: page.next })
}

/// The same as a table.
async fn csv(app: &App, query: AuditQuery) -> Result<String, AdminError> {
    let most = match query.limit {
        Some(limit) => list::limit(Some(limit))? as usize,
        None => MOST_ROWS,
    };
    let filter = filter(&query);
    app.try_read(move |tx| {
        let mut out = String::from("id,at,actor,action,subject,from,proof,approved_by,before,after\r\n");
        let (mut cursor, mut rows) = (query.cursor, 0);
        while rows < most {
            let limit = u32::try_from(most - rows).unwrap_or(u32::MAX).min(list::LARGEST);
            let page = tx.audit_search(&filter, cursor.as_deref(), limit)?;
            rows += page.items.len();
            for row in page.items {
                line(&mut out, row);
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        Ok(out)
    })
    .await
}

fn line(out: &mut String, row: Stored) {
    let value = |value: Option<serde_json::Value>| value.map(|value| value.to_string()).unwrap_or_default();
    let fields = [
        row.actor,
        row.action,
        row.subject,
        row.from.unwrap_or_default(),
        row.proof.unwrap_or_default(),
        row.approved_by.unwrap_or_default(),
        value(row.before),
        value(row.after),
    ];
    // writing to a text does not fail
    let _ = write!(out, "{},{}", row.no, row.at);
    for field in fields {
        out.push(',');
        quoted(out, &field);
    }
    out.push_str("\r\n");
}

/// A field that is read as text, also by a spreadsheet: what it would take for a formula begins with an apostrophe.
fn quoted(out: &mut String, field: &str) {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if !formula && !field.contains(['"', ',', '\r', '\n']) {
        out.push_str(field);
        return;
    }
    out.push('"');
    if formula {
        out.push('\'');
    }
    out.push_str(&field.replace('"', "\"\""));
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_text_in_every_program() {
        let of = |field: &str| {
            let mut out = String::new();
            quoted(&mut out, field);
            out
        };
        assert_eq!(of("deployment.create"), "deployment.create");
        assert_eq!(of("a,b"), "\"a,b\"");
        assert_eq!(of("{\"n\":1}"), "\"{\"\"n\"\":1}\"");
        assert_eq!(of("=1+1"), "\"'=1+1\"");
        assert_eq!(of("-1"), "\"'-1\"");
        assert_eq!(of(""), "");
    }
}
