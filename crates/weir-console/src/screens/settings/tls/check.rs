//! What a client sees that connects: every listener, or one address, with what is well, what is not, and what to do.

use axum::{Form, response::Response};
use maud::{Markup, html};
use serde::Deserialize;
use weir_api::{
    access::Role,
    tls::{TlsCheck, TlsChecked, TlsCheckedAddress},
};

use super::{chain, facts, left, tabs};
use crate::{
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::settings::{given, may},
    texts::{certificates as t, common, settings as s},
    ui::{
        badge::{Tone, badge},
        form::{Errors, Field},
    },
};

/// The page.
pub(super) const HERE: &str = "/settings/tls/check";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    url: String,
    root: String,
}

/// The form.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    page(&cx, &Sent::default(), &Errors::default(), None).await
}

async fn page(cx: &Cx, sent: &Sent, errors: &Errors, checked: Option<&TlsChecked>) -> Result<Response, Failure> {
    let body = html! {
        p.lead { (t::check_lead(cx)) }
        div.generator {
            div {
                @if may(cx, Role::FullAdministrator) { form.panel method="post" action=(HERE) {
                    (errors.summary(cx))
                    (Field::new("url", t::url(cx), errors).help(t::url_help(cx)).input("text", &sent.url))
                    (Field::new("root", t::root(cx), errors).help(t::root_help(cx)).lines(&sent.root, 5))
                    div.buttons { button.primary type="submit" { (t::check(cx)) } }
                } }
            }
            div.stack aria-live="polite" {
                @match checked {
                    None => section.panel { p.quiet { (t::check_hint(cx)) } },
                    Some(checked) => (result(cx, checked)),
                }
            }
        }
    };
    Page::new(cx, s::places(cx, "tls")).tabs(tabs(cx, "check")).body(body).render().await
}

fn result(cx: &Cx, checked: &TlsChecked) -> Markup {
    let verdict = match (checked.errors, checked.warnings) {
        (0, 0) => badge(Tone::Good, t::check_good(cx)),
        (0, warnings) => badge(Tone::Warn, &t::check_warnings(cx, warnings)),
        (errors, _) => badge(Tone::Bad, &t::check_errors(cx, errors)),
    };
    html! {
        section.panel { h2 { (verdict) } }
        @for address in &checked.addresses { (one(cx, address)) }
    }
}

fn one(cx: &Cx, address: &TlsCheckedAddress) -> Markup {
    html! {
        section.panel {
            h2 { code { (address.url) } }
            p.quiet { (t::planes(cx, &address.plane)) " · " (t::called(cx)) " " code { (address.connected_to) } }
            @for finding in &address.findings {
                div.finding {
                    p { (badge(tone(&finding.severity), &t::severities(cx, &finding.severity))) " " span lang="en" { (finding.text) } " " span.quiet { (finding.code) } }
                    @if let Some(next) = &finding.next_step { p lang="en" { strong { (common::next_step(cx)) } " " (next) } }
                }
            }
            @if !address.windows.is_empty() {
                h3 { (t::windows(cx)) }
                div.scroll {
                    table {
                        caption.hide { (t::windows(cx)) }
                        thead { tr { @for head in [t::version(cx), t::fits(cx), t::why(cx)] { th scope="col" { (head) } } } }
                        tbody {
                            @for version in &address.windows {
                                tr {
                                    th scope="row" { (version.name) }
                                    td { (badge(fit(&version.fits), &t::fit(cx, &version.fits))) }
                                    td lang="en" {
                                        (version.why.as_deref().unwrap_or_default())
                                        @if version.source.starts_with("https://") { " " a href=(version.source) rel="noopener noreferrer" { (t::source(cx)) } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            @if let Some(first) = address.chain.first() {
                details { summary { (t::seen(cx)) " " (left(cx, first)) } (facts(cx, first)) (chain(cx, address.chain.get(1..).unwrap_or_default())) }
            }
        }
    }
}

fn tone(severity: &str) -> Tone {
    match severity {
        "error" => Tone::Bad,
        "warning" => Tone::Warn,
        "ok" => Tone::Good,
        _ => Tone::Plain,
    }
}

fn fit(fits: &str) -> Tone {
    match fits {
        "yes" => Tone::Good,
        "prepared" => Tone::Warn,
        _ => Tone::Bad,
    }
}

/// Connects as a client would.
pub(super) async fn check(cx: Cx, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let check = TlsCheck { url: given(&sent.url), root: given(&sent.root) };
    match cx.api.post::<TlsChecked>("/tls/check", &check).await {
        Ok(checked) => page(&cx, &sent, &Errors::default(), Some(&checked)).await,
        Err(failure) => {
            let problem = failure.into_problem()?;
            let detail = match &problem.next_step {
                Some(next) => format!("{}. {next}", problem.detail),
                None => problem.detail.clone(),
            };
            let errors = match problem.code.as_str() {
                "url" | "no_tls" => Errors::default().field("url", detail),
                "root" => Errors::default().field("root", detail),
                _ => Errors::of(&problem, &["url", "root"]),
            };
            page(&cx, &sent, &errors, None).await
        }
    }
}
