//! Every page of the area with a sentence, and the number that matters where REST tells one.

use axum::response::Response;
use maud::{Markup, html};
use weir_api::{
    List,
    approval::{Approval, ApprovalQuery},
    status::Status,
};

use super::{may, whole};
use crate::{
    address::Address,
    cx::Cx,
    failure::Failure,
    flash::go,
    layout::Page,
    screens::help,
    texts::settings as t,
    ui::{
        self,
        badge::{Tone, badge},
    },
};

/// A page of the area.
pub(super) struct Place {
    /// Its address.
    pub(super) path: &'static str,
    /// Its name among the texts.
    pub(super) key: &'static str,
    /// It concerns the whole site: who is limited to collections does not see it.
    whole: bool,
}

const fn place(path: &'static str, key: &'static str, whole: bool) -> Place {
    Place { path, key, whole }
}

/// The pages by what they are about.
static PARTS: [(&str, &[Place]); 4] = [
    (
        "catalogue",
        &[
            place("/settings/products", "products", false),
            place("/settings/classifications", "classifications", false),
            place("/settings/languages", "languages", false),
            place("/settings/criteria", "criteria", false),
        ],
    ),
    (
        "computers",
        &[
            place("/settings/client-settings", "client_settings", true),
            place("/settings/policy", "policy", true),
            place("/settings/tls", "tls", true),
        ],
    ),
    ("site", &[place("/settings/site", "site", true), place("/settings/notifications", "notifications", true)]),
    (
        "access",
        &[
            place("/settings/access", "access", false),
            place("/settings/users", "users", true),
            place("/settings/oidc", "oidc", true),
            place("/settings/tokens", "tokens", false),
            place("/settings/sessions", "sessions", false),
            place("/settings/approvals", "approvals", true),
            place("/settings/audit", "audit", true),
        ],
    ),
];

/// The pages that the visitor may see.
pub(super) fn open(cx: &Cx) -> impl Iterator<Item = &'static Place> {
    let whole = whole(cx);
    PARTS.iter().flat_map(|(_, places)| places.iter()).filter(move |place| whole || !place.whole)
}

/// The page. With a text it is a search of the site's settings.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    if let Some(text) = cx.address.value("text") {
        return Ok(go(&Address::new("/settings/site").with("text", text)));
    }
    let waiting = ApprovalQuery { waiting: Some(true), limit: Some(1000), ..ApprovalQuery::default() };
    let (status, waiting) = tokio::join!(cx.api.get::<Status>("/status", &()), async {
        if whole(&cx) { cx.api.get::<List<Approval>>("/approvals", &waiting).await.ok() } else { None }
    });
    let status = status?;
    let waiting = waiting.map_or(0, |list| list.items.len() as u64);
    let seen = |place: &&Place| whole(&cx) || !place.whole;
    let body = html! {
        @for (part, places) in &PARTS {
            @if places.iter().any(|place| seen(&place)) {
                section.panel {
                    h2 { (t::parts(&cx, part)) }
                    ul.places {
                        @for place in places.iter().filter(seen) {
                            li {
                                h3 { a href=(cx.to(place.path)) { (t::places(&cx, place.key)) } }
                                p.quiet { (t::sentences(&cx, place.key)) }
                                (figure(&cx, place.key, &status, waiting))
                            }
                        }
                    }
                }
            }
        }
        p.quiet { (t::process_settings(&cx)) @if let Some(guide) = help::guide("operations") { " " a href=(guide) { (t::process_guide(&cx)) } } }
    };
    let page = Page::new(&cx, t::title(&cx)).body(ui::live("settings-index", "settings alerts", body));
    let page = if may(&cx, weir_api::access::Role::FullAdministrator) {
        page
    } else {
        page.fact(t::reading(&cx), html! { (t::reading_only(&cx)) })
    };
    page.render().await
}

/// The number of a page.
fn figure(cx: &Cx, key: &str, status: &Status, waiting: u64) -> Markup {
    let counts = &status.counts;
    html! {
        @match key {
            "products" => p { (t::chosen(cx, counts.products_selected)) },
            "classifications" => p { (t::chosen(cx, counts.classifications_selected)) },
            "tls" if counts.computers_plain_http > 0 => p { (badge(Tone::Warn, &t::plain_http(cx, counts.computers_plain_http))) },
            "approvals" if waiting > 0 => p { (badge(Tone::Warn, &t::waiting(cx, waiting))) },
            _ => {}
        }
    }
}
