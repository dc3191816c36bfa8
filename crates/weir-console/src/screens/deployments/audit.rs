//! What was done with a deployment, and by whom.

use axum::response::Response;
use maud::{Markup, html};
use weir_api::{
    List,
    audit::{AuditQuery, AuditRow},
};

use crate::{
    cx::Cx,
    failure::Failure,
    texts::deployments as t,
    ui::{
        self,
        grid::{CSV_ROWS, Column, Grid},
    },
};

/// Rows of a page.
const ROWS: u32 = 100;

fn query(id: i32, cursor: Option<String>, limit: u32) -> AuditQuery {
    AuditQuery {
        action: Some("deployment.".to_owned()),
        subject: Some(id.to_string()),
        cursor,
        limit: Some(limit),
        ..AuditQuery::default()
    }
}

/// The tab.
pub(super) async fn show(cx: &Cx, id: i32) -> Result<Markup, Failure> {
    let query = query(id, cx.address.value("cursor").map(str::to_owned), ROWS);
    match cx.api.get::<List<AuditRow>>("/audit", &query).await {
        Ok(list) => Ok(ui::live("deployment-audit-live", "deployments", grid(cx, &list).render())),
        // not everybody may read the log
        Err(Failure::Refused(problem)) => {
            Ok(html! { section.panel { p { (t::audit_refused(cx)) } p.quiet lang="en" { (problem.detail) } } })
        }
        Err(failure) => Err(failure),
    }
}

/// The same as CSV.
pub(super) async fn csv(cx: &Cx, id: i32) -> Result<Response, Failure> {
    let rows = cx.api.all(CSV_ROWS, |cursor| {
        let query = query(id, cursor, 1000);
        async move { cx.api.get::<List<AuditRow>>("/audit", &query).await }
    });
    let list = List { items: rows.await?, next: None };
    Ok(grid(cx, &list).csv())
}

fn grid<'a>(cx: &'a Cx, list: &'a List<AuditRow>) -> Grid<'a, AuditRow> {
    let columns = vec![
        Column::new("at", t::col_at(cx), |row: &AuditRow| ui::time(cx, row.at)).text(|row| row.at.to_string()).narrow(),
        Column::new("actor", t::col_by(cx), |row: &AuditRow| html! { (row.actor) })
            .text(|row| row.actor.clone())
            .narrow(),
        Column::new("action", t::col_done(cx), |row: &AuditRow| html! { (t::audited(cx, &row.action)) })
            .text(|row| row.action.clone())
            .narrow(),
        Column::new("detail", t::col_detail(cx), |row: &AuditRow| {
            html! { details { summary { (t::audit_detail(cx)) } pre { (pretty(&row.detail)) } } }
        })
        .text(|row| row.detail.clone())
        .wide(),
        Column::new("from", t::col_from(cx), |row: &AuditRow| html! { (row.from.as_deref().unwrap_or_default()) })
            .text(|row| row.from.clone().unwrap_or_default()),
        Column::new("proof", t::col_proof(cx), |row: &AuditRow| html! { (row.proof.as_deref().unwrap_or_default()) })
            .text(|row| row.proof.clone().unwrap_or_default())
            .hidden(),
        Column::new("approved", t::col_approved(cx), |row: &AuditRow| {
            html! { (row.approved_by.as_deref().unwrap_or_default()) }
        })
        .text(|row| row.approved_by.clone().unwrap_or_default()),
    ];
    Grid::new(cx, "deployment-audit", t::tab_audit(cx), columns, &list.items)
        .next(list.next.as_deref())
        .empty(html! { p { (t::audit_none(cx)) } })
}

/// JSON over several lines; other words as they are.
fn pretty(detail: &str) -> String {
    let value = serde_json::from_str::<serde_json::Value>(detail).ok();
    value.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| detail.to_owned())
}
