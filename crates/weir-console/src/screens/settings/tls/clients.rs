//! Whether computers use TLS: off, on, or required, with who would get no answer any more.

use axum::{Form, response::Response};
use maud::html;
use serde::Deserialize;
use serde_json::{Value, json};
use weir_api::{
    access::Role,
    setting::{Setting, SettingChange},
    tls::TransportSummary,
};

use super::{counts, tabs};
use crate::{
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::settings::{control::plain, may},
    texts::{certificates as t, settings as s},
    ui::{
        confirm::{Confirm, matches},
        form::{self, Errors, Field},
    },
};

const HERE: &str = "/settings/tls/clients";
const SETTING: &str = "/settings/clients.https";
const MODES: [&str; 3] = ["off", "on", "required"];

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    mode: String,
    sure: String,
    typed: String,
    force: String,
}

/// The form.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    page(&cx, None, &Errors::default()).await
}

async fn page(cx: &Cx, again: Option<&str>, errors: &Errors) -> Result<Response, Failure> {
    let (setting, transport) =
        tokio::join!(cx.api.get::<Setting>(SETTING, &()), cx.api.get::<TransportSummary>("/computers/transport", &()),);
    let (setting, transport) = (setting?, transport?);
    let now = plain(&setting.value);
    let modes = MODES.map(|mode| (mode.to_owned(), t::mode_choices(cx, mode)));
    let fields = html! {
        (errors.summary(cx))
        p.help lang="en" { (setting.description) }
        @if may(cx, Role::FullAdministrator) {
            form.panel method="post" action=(HERE) {
                (Field::new("mode", t::clients(cx), errors).help(t::clients_help(cx)).choice(&modes, again.unwrap_or(&now)))
                div.buttons { button.primary type="submit" { (t::review(cx)) } }
            }
        } @else { section.panel { p { (t::mode_choices(cx, &now)) } } }
    };
    let beside = html! { h2 { (t::how_they_come(cx)) } (counts(cx, &transport.total, transport.silent_days)) };
    Page::new(cx, s::places(cx, "tls"))
        .fact(t::clients(cx), html! { (t::modes(cx, &now)) })
        .tabs(tabs(cx, "clients"))
        .body(form::with_preview(&fields, &beside))
        .render()
        .await
}

/// Asks whether it is meant, and a second time if REST says who would get no answer; then sets it.
pub(super) async fn save(cx: Cx, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    if !MODES.contains(&sent.mode.as_str()) {
        return Err(Failure::NotFound);
    }
    let force = sent.force == "1";
    if sent.sure != "1" {
        return confirm(&cx, &sent, None, None).await;
    }
    if force && !matches(&sent.typed, &sent.mode) {
        return confirm(&cx, &sent, Some(String::new()), Some(s::wrong_name(&cx, &sent.mode))).await;
    }
    match cx.api.put::<Value>(SETTING, &SettingChange { value: json!(sent.mode), force }).await {
        Ok(_) => Ok(t::flash_mode(t::modes(&cx, &sent.mode)).to(HERE)),
        Err(failure) => {
            let problem = failure.into_problem()?;
            if problem.code == "plain_http" && !force {
                return confirm(&cx, &sent, Some(problem.detail), None).await;
            }
            let detail = match problem.next_step {
                Some(next) => format!("{}. {next}", problem.detail),
                None => problem.detail,
            };
            page(&cx, Some(&sent.mode), &Errors::default().field("mode", detail)).await
        }
    }
}

/// The question; `lost` is what REST says of those who would get no answer.
async fn confirm(cx: &Cx, sent: &Sent, lost: Option<String>, wrong: Option<String>) -> Result<Response, Failure> {
    let (setting, transport) =
        tokio::join!(cx.api.get::<Setting>(SETTING, &()), cx.api.get::<TransportSummary>("/computers/transport", &()),);
    let (setting, transport) = (setting?, transport?);
    let now = plain(&setting.value);
    if now == sent.mode {
        return Ok(s::flash_nothing_changed().to(HERE));
    }
    let details = html! {
        @if let Some(lost) = lost.as_ref().filter(|lost| !lost.is_empty()) { div.panel.warn { p lang="en" { (lost) } } }
        (counts(cx, &transport.total, transport.silent_days))
        p { (t::mode_then(cx, &sent.mode)) }
    };
    let confirm = Confirm::new(
        t::mode_sentence(cx, t::modes(cx, &now), t::modes(cx, &sent.mode)),
        t::mode_undo(cx, t::modes(cx, &now)),
        t::set_mode(cx),
        HERE,
        HERE,
    )
    .details(details)
    .field("mode", &sent.mode)
    .field("sure", "1");
    let confirm = if lost.is_some() { confirm.field("force", "1").typed(&sent.mode, wrong) } else { confirm };
    Page::new(cx, t::review(cx)).crumb(s::places(cx, "tls"), super::HERE).body(confirm.render(cx)).render().await
}
