//! A new site: its name, what it is, and below which one it stands.

use axum::{Form, response::Response};
use maud::html;
use serde::Deserialize;
use serde_json::json;
use weir_api::site::{Site, SiteCreated};

use super::sites::Known;
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{common, infrastructure as t},
    ui::form::{Errors, Field},
};

/// What a site can be.
const KINDS: [&str; 4] = ["primary", "secondary", "replica", "central"];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    name: String,
    kind: String,
    under: String,
    here: String,
}

/// The form.
pub(super) async fn form(cx: Cx) -> Result<Response, Failure> {
    let sent = Sent {
        kind: cx.address.value("kind").unwrap_or("primary").to_owned(),
        under: cx.address.value("under").unwrap_or_default().to_owned(),
        ..Sent::default()
    };
    page(&cx, &sent, &Errors::default()).await
}

async fn page(cx: &Cx, sent: &Sent, errors: &Errors) -> Result<Response, Failure> {
    let known = Known::load(cx).await?;
    let kinds: Vec<(String, String)> = KINDS.iter().map(|kind| ((*kind).to_owned(), t::kind(cx, kind))).collect();
    let above = |site: &Site| (site.id.to_string(), format!("{} ({})", site.name, t::kind(cx, site.kind.as_str())));
    let room = |site: &&Site| site.kind.as_str() == "central" || site.kind.as_str() == "primary";
    let under = std::iter::once((String::new(), t::this_server(cx).to_owned()));
    let under: Vec<(String, String)> =
        under.chain(known.sites.iter().filter(room).filter(|site| !site.here).map(above)).collect();
    let body = html! {
        div.form-preview {
            form.panel method="post" action="/infrastructure/sites/new" {
                (errors.summary(cx))
                (Field::new("name", t::site_name(cx), errors).help(t::site_name_help(cx)).required().input("text", &sent.name))
                (Field::new("kind", t::kind_label(cx), errors).help(t::kind_help(cx)).choice(&kinds, &sent.kind))
                (Field::new("under", t::under(cx), errors).help(t::under_help(cx)).choice(&under, &sent.under))
                (Field::new("here", t::is_here(cx), errors).help(t::is_here_help(cx)).switch(sent.here == "1"))
                div.buttons {
                    button.primary type="submit" { (t::site_new(cx)) }
                    a.plain.button href="/infrastructure" { (common::cancel(cx)) }
                }
            }
            aside.preview {
                h2 { (t::how_trees_grow(cx)) }
                ol.stack { @for step in ["define", "code", "serve", "follow"] { li { (t::growing(cx, step)) } } }
            }
        }
    };
    Page::new(cx, t::site_new(cx)).body(body).render().await
}

/// Defines it, or says beside the fields why not.
pub(super) async fn create(cx: Cx, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let mut create = json!({"name": sent.name.trim(), "kind": sent.kind, "here": sent.here == "1"});
    if !sent.under.is_empty() {
        create["under"] = sent.under.clone().into();
    }
    match cx.api.post::<SiteCreated>("/sites", &create).await {
        Ok(made) => {
            let own = path(&["infrastructure", "sites", &made.id.to_string()]);
            Ok(t::flash_site_made(&made.name).to(own))
        }
        Err(failure) => {
            let problem = failure.into_problem()?;
            let errors = match problem.code.as_str() {
                "name" | "exists" => Errors::default().field("name", problem.detail),
                "nesting" | "full" | "second_top" => Errors::default().field("kind", problem.detail),
                "under" => Errors::default().field("under", problem.detail),
                _ => Errors::of(&problem, &["name", "kind", "under", "here"]),
            };
            page(&cx, &sent, &errors).await
        }
    }
}
