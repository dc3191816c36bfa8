//! Whose bundles are taken.

use axum::{Form, extract::Path, response::Response};
use maud::{Markup, html};
use serde::Deserialize;
use weir_api::{
    List,
    access::Role,
    bundle::{TrustAdd, TrustedSigner},
};

use super::{import, may};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{infrastructure as t, infrastructure_files as f},
    ui::{
        self,
        confirm::{Confirm, matches},
        form::{Errors, Field},
        grid::{Column, Grid},
    },
};

/// The tab.
const TAB: &str = "/infrastructure/import?tab=signers";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    key: String,
    name: String,
    typed: String,
}

/// The signers, and the form that adds one.
pub(super) fn tab(cx: &Cx, signers: &[TrustedSigner], errors: &Errors) -> Markup {
    html! {
        @if may(cx, Role::FullAdministrator) {
            section.panel {
                h2 { (f::trust_one(cx)) }
                p { (f::trust_help(cx)) }
                form method="post" action="/infrastructure/import/signers" {
                    (errors.summary(cx))
                    (Field::new("key", f::signer_key(cx), errors).help(f::signer_key_help(cx)).required().lines(cx.address.value("key").unwrap_or_default(), 2))
                    (Field::new("name", f::signer_name(cx), errors).help(f::signer_name_help(cx)).input("text", cx.address.value("name").unwrap_or_default()))
                    div.buttons { button.primary type="submit" { (f::trust(cx)) } }
                }
            }
        }
        (grid(cx, signers).render())
    }
}

/// The grid of signers.
pub(super) fn grid<'a>(cx: &'a Cx, signers: &'a [TrustedSigner]) -> Grid<'a, TrustedSigner> {
    let removes = may(cx, Role::FullAdministrator);
    let mut columns = vec![
        Column::new("name", f::signer_name(cx), |one: &TrustedSigner| html! { (one.name) })
            .text(|one| one.name.clone())
            .narrow(),
        Column::new("fingerprint", t::fingerprint(cx), |one: &TrustedSigner| html! { code { (one.fingerprint) } })
            .text(|one| one.fingerprint.clone())
            .wide()
            .narrow(),
        Column::new(
            "since",
            t::since(cx),
            |one: &TrustedSigner| html! { (one.added_by) " " (ui::time(cx, one.added_at)) },
        )
        .text(|one| one.added_at.to_string()),
    ];
    if removes {
        columns.push(
            Column::new("act", f::acts_label(cx), |one: &TrustedSigner| {
                html! { a href=(path(&["infrastructure", "import", "signers", &one.fingerprint, "remove"])) { (f::distrust(cx)) } }
            })
            .narrow(),
        );
    }
    Grid::new(cx, "signers", f::import_tabs(cx, "signers"), columns, signers).empty(html! { p { (f::no_signers(cx)) } })
}

/// Trusts one.
pub(super) async fn trust(cx: Cx, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let name = Some(sent.name.trim().to_owned()).filter(|name| !name.is_empty());
    let add = TrustAdd { key: sent.key.trim().to_owned(), name };
    match cx.api.post::<TrustedSigner>("/bundles/trust", &add).await {
        Ok(_) => Ok(f::flash_trusted().to(TAB)),
        Err(failure) => {
            let problem = failure.into_problem()?;
            let errors = match problem.code.as_str() {
                field @ ("key" | "name") => Errors::default().field(field, problem.detail),
                _ => Errors::of(&problem, &["key", "name"]),
            };
            // what was filled in stays
            let filled = cx.address.with("key", &sent.key).with("name", &sent.name);
            import::page(&cx.at(filled), &errors).await
        }
    }
}

async fn find(cx: &Cx, key: &str) -> Result<TrustedSigner, Failure> {
    let list: List<TrustedSigner> = cx.api.get("/bundles/trust", &()).await?;
    list.items.into_iter().find(|one| one.fingerprint == key).ok_or(Failure::NotFound)
}

/// Asks before one is trusted no longer.
pub(super) async fn removing(cx: Cx, Path(key): Path<String>) -> Result<Response, Failure> {
    let one = find(&cx, &key).await?;
    asked(&cx, &one, None).await
}

fn called(one: &TrustedSigner) -> String {
    if one.name.is_empty() { one.fingerprint.chars().take(8).collect() } else { one.name.clone() }
}

async fn asked(cx: &Cx, one: &TrustedSigner, wrong: Option<String>) -> Result<Response, Failure> {
    let action = path(&["infrastructure", "import", "signers", &one.fingerprint, "remove"]);
    let details = html! { p { code { (one.fingerprint) } } };
    let confirm =
        Confirm::new(f::distrust_sentence(cx, called(one)), f::distrust_undo(cx), f::distrust(cx), action, TAB)
            .details(details)
            .typed(called(one), wrong);
    Page::new(cx, f::distrust(cx)).crumb(t::import(cx), TAB).body(confirm.render(cx)).render().await
}

/// Trusts one no longer.
pub(super) async fn remove(cx: Cx, Path(key): Path<String>, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let one = find(&cx, &key).await?;
    if !matches(&sent.typed, &called(&one)) {
        return asked(&cx, &one, Some(t::wrong_name(&cx).to_owned())).await;
    }
    cx.api.delete::<()>(&path(&["bundles", "trust", &one.fingerprint])).await?;
    Ok(f::flash_distrusted(called(&one)).to(TAB))
}
