//! Fetching updates by their id, whatever is chosen to be synchronized.

use axum::{Form, response::Response};
use maud::html;
use serde::Deserialize;
use weir_api::{access::Role, sync::SyncStarted, update_edit::UpdatesFetch};

use super::{may_here, refused};
use crate::{
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::updates as t,
    ui::form::{Errors, Field},
};

/// The form.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    form(&cx, "", &Errors::default()).await
}

async fn form(cx: &Cx, ids: &str, errors: &Errors) -> Result<Response, Failure> {
    let body = html! {
        (errors.summary(cx))
        section.panel {
            p { (t::fetch_help(cx)) }
            @if may_here(cx, Role::Operator) {
                form method="post" action="/updates/fetch" {
                    (Field::new("updates", t::fetch_ids(cx), errors).help(t::fetch_ids_help(cx)).required().lines(ids, 5))
                    div.buttons { button.primary type="submit" { (t::fetch_go(cx)) } a.button.plain href="/updates" { (crate::texts::common::cancel(cx)) } }
                }
            }
        }
    };
    Page::new(cx, t::fetch_title(cx)).body(body).render().await
}

#[derive(Deserialize)]
pub(super) struct Sent {
    #[serde(default)]
    updates: String,
}

/// Starts a synchronization of these only.
pub(super) async fn fetch(cx: Cx, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let updates: Vec<String> =
        sent.updates.split([' ', ',', ';', '\r', '\n', '\t']).filter(|id| !id.is_empty()).map(str::to_owned).collect();
    let count = updates.len() as u64;
    match cx.api.post::<SyncStarted>("/updates-fetch", &UpdatesFetch { updates }).await {
        Ok(_) => Ok(t::flash_fetching(count).to("/jobs")),
        Err(failure) => {
            let problem = failure.into_problem()?;
            form(&cx, &sent.updates, &refused(&problem, &["updates", "updates=update"])).await
        }
    }
}
