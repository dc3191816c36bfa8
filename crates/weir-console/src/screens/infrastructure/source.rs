//! Where updates come from.

use axum::{Form as Posted, response::Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};
use weir_api::setting::SettingChange;

use super::{
    sync::{Form, HERE, page},
    waits,
};
use crate::{
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::infrastructure as t,
    ui::{
        confirm::Confirm,
        form::{Errors, Field},
    },
};

/// The tab that the form is on.
const TAB: &str = "/infrastructure/synchronization?tab=settings";

/// The name of a source for people; an address is its own.
pub(super) fn name(cx: &Cx, source: &str) -> String {
    t::source_names(cx, source)
}

/// What the form holds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    kind: String,
    url: String,
    sure: String,
}

impl Sent {
    /// What REST says of the source.
    pub(super) fn read(source: &str) -> Self {
        match source {
            "microsoft" | "none" => Self { kind: source.to_owned(), ..Self::default() },
            url => Self { kind: "url".to_owned(), url: url.to_owned(), ..Self::default() },
        }
    }

    fn value(&self) -> String {
        if self.kind == "url" { self.url.trim().to_owned() } else { self.kind.clone() }
    }
}

/// The form.
pub(super) fn form(cx: &Cx, sent: &Sent, errors: &Errors) -> Markup {
    let kinds = ["microsoft", "url", "none"].map(|kind| (kind.to_owned(), t::source_kinds(cx, kind)));
    html! {
        form method="post" action={ (HERE) "/source" } {
            (errors.summary(cx))
            (Field::new("kind", t::source(cx), errors).help(t::source_help(cx)).choice(&kinds, &sent.kind))
            (Field::new("url", t::source_url(cx), errors).help(t::source_url_help(cx)).input("text", &sent.url))
            div.buttons {
                button.primary type="submit" { (t::save(cx)) }
                a.plain.button href="/settings" { (t::more_settings(cx)) }
            }
        }
    }
}

/// Sets the source. What would give up decisions is confirmed first.
pub(super) async fn set(cx: Cx, Posted(sent): Posted<Sent>) -> Result<Response, Failure> {
    let value = sent.value();
    if sent.kind == "url" && value.is_empty() {
        let errors = Errors::default().field("url", t::source_url_missing(&cx));
        return page(&cx, Form::Source(&sent, &errors)).await;
    }
    let change = SettingChange { value: json!(value), force: sent.sure == "1" };
    match cx.api.put::<Value>("/settings/source", &change).await {
        Ok(answer) => Ok(match waits(&answer) {
            Some(number) => t::flash_waits(number).to(TAB),
            None => t::flash_source_set(name(&cx, &value)).to(TAB),
        }),
        Err(failure) => {
            let problem = failure.into_problem()?;
            if problem.code == "loses" && sent.sure != "1" {
                return confirm(&cx, &sent, &problem.detail).await;
            }
            let errors = match problem.code.as_str() {
                "setting_value" => Errors::default().field("url", t::source_url_wrong(&cx)),
                _ => Errors::of(&problem, &[]),
            };
            page(&cx, Form::Source(&sent, &errors)).await
        }
    }
}

async fn confirm(cx: &Cx, sent: &Sent, lost: &str) -> Result<Response, Failure> {
    let details = html! { p lang="en" { (lost) } };
    let confirm = Confirm::new(
        t::source_sentence(cx, name(cx, &sent.value())),
        t::source_undo(cx),
        t::source_anyway(cx),
        format!("{HERE}/source"),
        TAB,
    )
    .details(details)
    .field("kind", &sent.kind)
    .field("url", &sent.url)
    .field("sure", "1")
    .danger();
    Page::new(cx, t::source(cx)).crumb(t::synchronization(cx), HERE).body(confirm.render(cx)).render().await
}
