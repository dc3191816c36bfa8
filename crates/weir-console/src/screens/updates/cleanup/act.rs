//! Starting and stopping a run.

use axum::{Form, extract::Path, response::Response};
use maud::html;
use serde::Deserialize;
use weir_api::cleanup::{CleanupAction, CleanupPreview, CleanupPreviewQuery, CleanupRun};

use super::preview::figures;
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{cleanup as t, common},
    ui::{self, confirm::Confirm, form::Errors},
};

/// Items that the confirmation shows.
const SHOWN: u32 = 20;

#[derive(Deserialize)]
pub(super) struct Sent {
    sure: Option<String>,
}

/// Says what a run would do and asks for confirmation, or starts it.
pub(super) async fn run(cx: Cx, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let back = "/updates/cleanup";
    let mut errors = Errors::default();
    if sent.sure.is_some() {
        match cx.api.post::<CleanupRun>("/cleanup/runs", &()).await {
            Ok(_) => return Ok(t::flash_started().to(back)),
            Err(failure) => errors = Errors::of(&failure.into_problem()?, &[]),
        }
    }
    // under the rules that are set: a run knows no others
    let query = CleanupPreviewQuery { limit: Some(SHOWN), ..CleanupPreviewQuery::default() };
    let preview: CleanupPreview = cx.api.get("/cleanup/preview", &query).await?;
    let meant: Vec<_> = preview.items.iter().filter(|item| item.action != CleanupAction::Keep).collect();
    let all = preview.declines + preview.revisions;
    let details = html! {
        (errors.summary(&cx))
        (figures(&cx, &preview))
        @if !meant.is_empty() {
            ul.samples { @for item in &meant { li { (t::actions(&cx, &ui::word(&item.action))) ": " (item.title) } } }
            @if all > meant.len() as u64 { p.quiet { (common::more(&cx, all - meant.len() as u64)) } }
        }
        p.quiet { (t::run_when(&cx)) }
    };
    let sentence =
        t::run_sentence(&cx, preview.declines, ui::number(&cx, preview.revisions), ui::bytes(&cx, preview.bytes));
    let confirm = Confirm::new(sentence, t::run_undo(&cx), t::run_now(&cx), "/updates/cleanup/run", back)
        .details(details)
        .field("sure", "1")
        .danger();
    Page::new(&cx, t::run_now(&cx)).body(confirm.render(&cx)).render().await
}

/// Stops a run; what it did stays.
pub(super) async fn stop(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    cx.api.delete::<CleanupRun>(&path(&["cleanup", "runs", &id])).await?;
    Ok(t::flash_stopping().to("/updates/cleanup"))
}
