//! One import: how far it is, and what came of it.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::import::{Import, ImportResult, ImportState};

use super::{import::job_state, span};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{infrastructure as t, infrastructure_files as f},
    ui,
};

/// The page.
pub(super) async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let import: Import = cx.api.get(&path(&["imports", &id]), &()).await?;
    let running = import.state == ImportState::Running;
    let body = html! {
        @if running {
            section.panel {
                (ui::progress(&cx, &f::import_phases(&cx, &ui::word(&import.phase)), import.done, import.total))
                p.quiet { (f::import_goes_on(&cx)) }
            }
        }
        @if let Some(result) = &import.result { (outcome(&cx, &import, result)) }
    };
    let took = import.finished_at.map(|at| at.as_second().saturating_sub(import.started_at.as_second()));
    Page::new(&cx, f::import_title(&cx, import.id))
        .crumb(t::import(&cx), "/infrastructure/import")
        .fact(t::state(&cx), job_state(&cx, &ui::word(&import.state)))
        .fact(t::began(&cx), ui::time(&cx, import.started_at))
        .fact(t::took(&cx), took.map_or_else(|| ui::none(&cx), |seconds| html! { (span(&cx, seconds.unsigned_abs())) }))
        .body(ui::live("import-live", "jobs updates", body))
        .render()
        .await
}

fn outcome(cx: &Cx, import: &Import, result: &ImportResult) -> Markup {
    let number = |number: u64| html! { (ui::number(cx, number)) };
    html! {
        @if import.state == ImportState::Failed {
            div.panel.failure role="alert" { p { strong { (f::import_failed(cx)) } } }
        }
        section.panel {
            (ui::facts([
                (t::added(cx).to_owned(), number(result.added)),
                (f::unchanged(cx).to_owned(), number(result.unchanged)),
                (f::refused(cx).to_owned(), number(result.rejected)),
                (f::passed_over(cx).to_owned(), number(result.skipped)),
                (f::unresolved(cx).to_owned(), number(result.unresolved)),
            ]))
            @if result.unresolved > 0 { p.quiet { (f::unresolved_help(cx)) } }
            @if import.state == ImportState::Done && result.added > 0 {
                p { a.button.primary href="/updates" { (f::see_updates(cx)) } " " a.button href="/infrastructure/content?state=waiting&tab=files" { (f::see_missing(cx)) } }
            }
        }
        @if !result.errors.is_empty() {
            (ui::panel(f::why_refused(cx), &html! {
                ul.error-list {
                    @for error in &result.errors {
                        li {
                            @if !error.file.is_empty() { code { (error.file) } " " }
                            @if let Some(record) = error.record { (f::record(cx, record)) " " }
                            span lang="en" { (error.message) }
                        }
                    }
                }
                @if result.rejected > result.errors.len() as u64 { p { (crate::texts::common::more(cx, result.rejected - result.errors.len() as u64)) } }
            }))
        }
    }
}
