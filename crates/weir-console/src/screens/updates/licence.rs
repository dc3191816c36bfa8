//! The licence of an update, and accepting it.

use axum::{Form, extract::Path, response::Response};
use maud::{Markup, html};
use serde::Deserialize;
use weir_api::{access::Role, selection::LanguageQuery, update_edit::Licence};

use super::{may_here, rtf};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::updates as t,
    ui::{
        self,
        badge::{Tone, badge},
        confirm::Confirm,
        form::Errors,
    },
};

fn address(id: &str) -> String {
    Address::new(path(&["updates", id])).with("tab", "licence").to_string()
}

/// The tab.
pub(super) async fn show(cx: &Cx, id: &str) -> Result<Markup, Failure> {
    let query = LanguageQuery { language: cx.titles() };
    let licence: Licence = cx.api.get(&path(&["updates", id, "eula"]), &query).await?;
    let language = licence.language.clone();
    Ok(html! {
        div.columns {
            section.panel {
                h2 { (t::licence_text(cx)) }
                @match &licence.text {
                    Some(text) => pre.source lang=[language] tabindex="0" role="region" aria-label=(t::licence_text(cx)) { (rtf::plain(text)) },
                    None => {
                        p { (t::licence_no_text(cx)) }
                        @if let Some(next) = &licence.next_step { p.quiet lang="en" { (next) } }
                    },
                }
            }
            section.panel {
                h2 { (t::licence(cx)) }
                (ui::facts([
                    (t::deployment_state(cx).to_owned(), html! {
                        @if licence.accepted { (badge(Tone::Good, t::licence_accepted(cx))) } @else { (badge(Tone::Warn, t::licence_awaited(cx))) }
                    }),
                    (t::licence_by(cx).to_owned(), licence.accepted_by.as_ref().map_or_else(|| ui::none(cx), |by| html! { (by) })),
                    (t::languages(cx).to_owned(), html! { (licence.languages.join(", ")) }),
                    (t::file_name(cx).to_owned(), licence.file.as_ref().map_or_else(|| ui::none(cx), |file| html! { (file) })),
                    (t::col_id(cx).to_owned(), html! { code { (licence.eula) } }),
                ]))
                @if !licence.accepted && may_here(cx, Role::SoftwareUpdateManager) {
                    form method="post" action=(path(&["updates", id, "licence"])) data-dialog {
                        div.buttons { button.primary type="submit" { (t::licence_accept(cx)) } }
                    }
                }
            }
        }
    })
}

#[derive(Deserialize)]
pub(super) struct Sent {
    sure: Option<String>,
}

/// Asks for confirmation, or accepts.
pub(super) async fn accept(cx: Cx, Path(id): Path<String>, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let eula = path(&["updates", &id, "eula"]);
    let mut errors = Errors::default();
    if sent.sure.is_some() {
        match cx.api.post::<Licence>(&eula, &()).await {
            Ok(_) => return Ok(t::flash_licence().to(address(&id))),
            Err(failure) => errors = Errors::of(&failure.into_problem()?, &[]),
        }
    }
    let licence: Licence = cx.api.get(&eula, &()).await?;
    let sentence = t::licence_sentence(&cx, &licence.update.name);
    let confirm = Confirm::new(
        sentence,
        t::licence_undo(&cx),
        t::licence_accept(&cx),
        path(&["updates", &id, "licence"]),
        address(&id),
    )
    .details(errors.summary(&cx))
    .field("sure", "1")
    .nothing(licence.accepted);
    Page::new(&cx, t::licence_accept(&cx)).body(confirm.render(&cx)).render().await
}
