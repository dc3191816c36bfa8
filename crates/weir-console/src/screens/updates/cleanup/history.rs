//! Runs that were, and revisions that are gone.

use axum::response::Response;
use maud::{Markup, html};
use weir_api::{
    List,
    cleanup::{CleanupRun, RemovedRevision},
    list::ListQuery,
};

use super::state;
use crate::{
    cx::Cx,
    failure::Failure,
    texts::cleanup as t,
    ui::{
        self,
        grid::{CSV_ROWS, Column, Grid},
    },
};

fn query(cursor: Option<String>, limit: u32) -> ListQuery {
    ListQuery { cursor, limit: Some(limit) }
}

/// The tab of runs.
pub(super) async fn runs(cx: &Cx) -> Result<Markup, Failure> {
    let asked = query(cx.address.value("cursor").map(str::to_owned), 100);
    let list: List<CleanupRun> = cx.api.get("/cleanup/runs", &asked).await?;
    let table = runs_grid(cx, &list.items).next(list.next.as_deref()).render();
    Ok(ui::live("cleanup-runs", "jobs", table))
}

/// Runs as CSV.
pub(super) async fn runs_csv(cx: &Cx) -> Result<Response, Failure> {
    let rows =
        cx.api
            .all(CSV_ROWS, |cursor| async move {
                cx.api.get::<List<CleanupRun>>("/cleanup/runs", &query(cursor, 1000)).await
            })
            .await?;
    Ok(runs_grid(cx, &rows).csv())
}

fn runs_grid<'a>(cx: &'a Cx, rows: &'a [CleanupRun]) -> Grid<'a, CleanupRun> {
    let at = |at: Option<jiff::Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let columns = vec![
        Column::new("asked", t::asked(cx), |run: &CleanupRun| ui::time(cx, run.asked_at))
            .text(|run| run.asked_at.to_string())
            .narrow(),
        Column::new("state", t::state(cx), |run: &CleanupRun| state(cx, run.state))
            .text(|run| ui::word(&run.state))
            .narrow(),
        Column::new("by", t::asked_by(cx), |run: &CleanupRun| html! { (run.asked_by) })
            .text(|run| run.asked_by.clone()),
        Column::number(cx, "declined", t::declined(cx), |run: &CleanupRun| run.counts.declined).narrow(),
        Column::number(cx, "revisions", t::revisions(cx), |run: &CleanupRun| run.counts.revisions).narrow(),
        Column::number(cx, "updates", t::updates_gone(cx), |run: &CleanupRun| run.counts.updates),
        Column::new("bytes", t::bytes(cx), |run: &CleanupRun| html! { (ui::bytes(cx, run.counts.bytes)) })
            .numeric()
            .text(|run| run.counts.bytes.to_string()),
        Column::new(
            "given_back",
            t::given_back(cx),
            |run: &CleanupRun| html! { (ui::bytes(cx, run.counts.given_back)) },
        )
        .numeric()
        .text(|run| run.counts.given_back.to_string()),
        Column::number(cx, "leaving", t::leaving(cx), |run: &CleanupRun| run.counts.leaving).hidden(),
        Column::new("ended", t::ended(cx), |run: &CleanupRun| ui::time_or(cx, run.ended_at))
            .text(move |run| at(run.ended_at)),
        Column::new("error", t::error(cx), |run: &CleanupRun| {
            html! { span lang="en" { (run.error.as_deref().unwrap_or_default()) } }
        })
        .text(|run| run.error.clone().unwrap_or_default())
        .wide(),
    ];
    Grid::new(cx, "cleanup-history", t::runs(cx), columns, rows).empty(html! { p { (t::runs_empty(cx)) } })
}

/// The tab of what was removed.
pub(super) async fn removed(cx: &Cx) -> Result<Markup, Failure> {
    let asked = query(cx.address.value("cursor").map(str::to_owned), 100);
    let list: List<RemovedRevision> = cx.api.get("/cleanup/removed", &asked).await?;
    let table = removed_grid(cx, &list.items).next(list.next.as_deref()).render();
    Ok(html! { p.quiet { (t::removed_help(cx)) } (ui::live("cleanup-removed", "updates", table)) })
}

/// What was removed, as CSV.
pub(super) async fn removed_csv(cx: &Cx) -> Result<Response, Failure> {
    let rows = cx
        .api
        .all(CSV_ROWS, |cursor| async move {
            cx.api.get::<List<RemovedRevision>>("/cleanup/removed", &query(cursor, 1000)).await
        })
        .await?;
    Ok(removed_grid(cx, &rows).csv())
}

fn removed_grid<'a>(cx: &'a Cx, rows: &'a [RemovedRevision]) -> Grid<'a, RemovedRevision> {
    let columns = vec![
        Column::new("title", t::update(cx), |row: &RemovedRevision| html! { (row.title) })
            .text(|row| row.title.clone())
            .wide()
            .narrow(),
        Column::new("id", t::id(cx), |row: &RemovedRevision| html! { code { (row.id) "@" (row.revision) } })
            .text(|row| format!("{}@{}", row.id, row.revision)),
        Column::new("removed", t::removed_at(cx), |row: &RemovedRevision| ui::time(cx, row.removed_at))
            .text(|row| row.removed_at.to_string())
            .narrow(),
    ];
    Grid::new(cx, "removed", t::removed(cx), columns, rows).empty(html! { p { (t::removed_empty(cx)) } })
}
