//! Synchronizations that were: the list, and one of them in full.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::{List, list::ListQuery, sync::SyncRun};

use super::{
    source, span,
    sync::{HERE, fault, result},
};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::infrastructure as t,
    ui::{
        self,
        grid::{CSV_ROWS, Column, Grid},
    },
};

/// Rows of a page.
const ROWS: u32 = 50;

/// The list, as the tab of the page.
pub(super) async fn list(cx: &Cx) -> Result<Markup, Failure> {
    let query = ListQuery { cursor: cx.address.value("cursor").map(str::to_owned), limit: Some(ROWS) };
    let list: List<SyncRun> = cx.api.get("/sync/runs", &query).await?;
    let grid = Grid::new(cx, "synchronizations", t::history(cx), columns(cx), &list.items)
        .next(list.next.as_deref())
        .empty(html! { p { (t::never_ran(cx)) } });
    Ok(ui::live("sync-history", "synchronization", grid.render()))
}

/// The whole history.
pub(super) async fn csv(cx: &Cx) -> Result<Response, Failure> {
    let runs = cx
        .api
        .all(CSV_ROWS, |cursor| async move {
            cx.api.get::<List<SyncRun>>("/sync/runs", &ListQuery { cursor, limit: Some(1000) }).await
        })
        .await?;
    Ok(Grid::new(cx, "synchronizations", t::history(cx), columns(cx), &runs).csv())
}

fn columns(cx: &Cx) -> Vec<Column<'_, SyncRun>> {
    vec![
        Column::new("asked", t::began(cx), |run: &SyncRun| {
            html! { a href=(path(&["infrastructure", "synchronization", "runs", &run.id.to_string()])) { (ui::time(cx, run.started_at.unwrap_or(run.asked_at))) } }
        })
        .text(|run| run.started_at.unwrap_or(run.asked_at).to_string())
        .narrow(),
        Column::new("result", t::result(cx), |run: &SyncRun| {
            html! {
                (result(cx, run))
                @if let Some(fault) = &run.error { div.quiet lang="en" { (fault.explanation) } }
            }
        })
        .text(|run| run.result.clone())
        .wide()
        .narrow(),
        Column::number(cx, "added", t::added(cx), |run: &SyncRun| run.added).narrow(),
        Column::number(cx, "revised", t::revised(cx), |run: &SyncRun| run.revised).narrow(),
        Column::number(cx, "expired", t::expired(cx), |run: &SyncRun| run.expired).narrow(),
        Column::number(cx, "skipped", t::skipped(cx), |run: &SyncRun| run.skipped).hidden(),
        Column::number(cx, "declined", t::declined(cx), |run: &SyncRun| run.declined),
        Column::new("took", t::took(cx), |run: &SyncRun| html! { (span(cx, run.seconds as u64)) })
            .text(|run| run.seconds.to_string())
            .numeric(),
        Column::new("bytes", t::received_label(cx), |run: &SyncRun| html! { (ui::bytes(cx, run.bytes)) })
            .text(|run| run.bytes.to_string())
            .numeric(),
        Column::new("trigger", t::trigger(cx), |run: &SyncRun| html! { (t::triggers(cx, &ui::word(&run.trigger))) })
            .text(|run| ui::word(&run.trigger)),
        Column::new("by", t::asked_by(cx), |run: &SyncRun| html! { (run.asked_by) })
            .text(|run| run.asked_by.clone())
            .hidden(),
        Column::new("source", t::source(cx), |run: &SyncRun| html! { (source::name(cx, &run.source)) })
            .text(|run| run.source.clone())
            .hidden(),
        Column::number(cx, "warnings", t::warnings(cx), |run: &SyncRun| run.warnings.len() as u64),
    ]
}

/// What a run did.
pub(super) fn facts(cx: &Cx, run: &SyncRun) -> Markup {
    let number = |number: u64| html! { (ui::number(cx, number)) };
    ui::facts([
        (t::result(cx).to_owned(), result(cx, run)),
        (t::began(cx).to_owned(), ui::time_or(cx, run.started_at)),
        (t::ended(cx).to_owned(), ui::time_or(cx, run.ended_at)),
        (t::took(cx).to_owned(), html! { (span(cx, run.seconds as u64)) }),
        (t::added(cx).to_owned(), number(run.added)),
        (t::revised(cx).to_owned(), number(run.revised)),
        (t::expired(cx).to_owned(), number(run.expired)),
        (t::skipped(cx).to_owned(), number(run.skipped)),
        (t::declined(cx).to_owned(), number(run.declined)),
        (t::received_label(cx).to_owned(), html! { (ui::bytes(cx, run.bytes)) }),
    ])
}

/// A next step that the fault of the run does not say already.
pub(super) fn unsaid<'n>(run: &SyncRun, next: Option<&'n str>) -> Option<&'n str> {
    next.filter(|next| run.error.as_ref().is_none_or(|fault| fault.next_step != *next))
}

/// One run.
pub(super) async fn one(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let run: SyncRun = cx.api.get(&path(&["sync", "runs", &id]), &()).await?;
    let body = html! {
        (fault(&cx, &run))
        @if let Some(next) = unsaid(&run, run.next_step.as_deref()) { div.panel.warn { p lang="en" { (next) } } }
        section.panel {
            (facts(&cx, &run))
            (ui::facts([
                (t::trigger(&cx).to_owned(), html! { (t::triggers(&cx, &ui::word(&run.trigger))) @if run.full { " · " (t::sync_full(&cx)) } }),
                (t::asked_by(&cx).to_owned(), html! { (run.asked_by) " " (ui::time(&cx, run.asked_at)) }),
            ]))
        }
        @if !run.warnings.is_empty() {
            (ui::panel(t::warnings(&cx), &html! { ul.error-list lang="en" { @for warning in &run.warnings { li { (warning) } } } }))
        }
    };
    Page::new(&cx, t::run_title(&cx, source::name(&cx, &run.source)))
        .crumb(t::synchronization(&cx), HERE)
        .crumb(t::history(&cx), format!("{HERE}?tab=history"))
        .fact(t::result(&cx), result(&cx, &run))
        .fact(t::began(&cx), ui::time_or(&cx, run.started_at))
        .body(ui::live("sync-run", "synchronization", body))
        .render()
        .await
}
