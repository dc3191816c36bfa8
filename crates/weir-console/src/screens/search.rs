//! Global search: updates by title, article and CVE; computers by name, address and id. The module shows the same results as
//! one types.

use axum::{Router, response::Response, routing::get};
use maud::{Markup, html};
use serde::Serialize;
use weir_api::{
    List,
    computer::ComputerRow,
    exposure::{Cve, CveQuery},
    update::{UpdateList, UpdateQuery},
};

use crate::{
    Console,
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::top as t,
    ui::badge,
};

/// Pages.
pub(crate) fn routes() -> Router<Console> {
    Router::new().route("/search", get(show))
}

/// Results of each kind.
const RESULTS: u32 = 8;

/// Computers whose name, address or id has a text.
#[derive(Serialize)]
struct ComputerText<'a> {
    text: &'a str,
    limit: u32,
}

async fn show(cx: Cx) -> Result<Response, Failure> {
    let text: String = cx.address.value("q").unwrap_or_default().trim().chars().take(256).collect();
    let results = if text.is_empty() {
        html! { p { (t::search_empty(&cx)) } }
    } else {
        results(&cx, &text).await
    };
    Page::new(&cx, t::search_title(&cx)).body(html! { div data-results { (results) } }).render().await
}

async fn results(cx: &Cx, text: &str) -> Markup {
    let updates = UpdateQuery {
        text: Some(text.to_owned()),
        filter: Some("type in (software, driver)".to_owned()),
        language: cx.titles(),
        limit: Some(RESULTS),
        ..UpdateQuery::default()
    };
    let is_cve = text.to_ascii_lowercase().starts_with("cve-");
    let cves = CveQuery { text: Some(text.to_owned()), limit: Some(RESULTS), ..CveQuery::default() };
    let computers = ComputerText { text, limit: RESULTS };
    let (updates, cves, computers) = tokio::join!(
        cx.api.get::<UpdateList>("/updates", &updates),
        async { if is_cve { cx.api.get::<List<Cve>>("/exposure/cves", &cves).await.ok() } else { None } },
        cx.api.get::<List<ComputerRow>>("/computers", &computers),
    );
    let all = Address::new("/updates").with("view", "all").with("text", text);
    let nothing = updates.as_ref().is_ok_and(|list| list.items.is_empty())
        && computers.as_ref().is_ok_and(|list| list.items.is_empty())
        && cves.as_ref().is_none_or(|list| list.items.is_empty());
    html! {
        @if let Ok(list) = updates.as_ref() {
            @if !list.items.is_empty() {
                (group(t::found_updates(cx), &html! {
                    @for row in &list.items {
                        li {
                            a href=(path(&["updates", &row.id.to_string()])) { (row.title) }
                            span.quiet { @for kb in &row.kb { " KB" (kb) } }
                            @if row.declined { " " (badge::badge(badge::Tone::Plain, t::declined(cx))) }
                        }
                    }
                    @if list.updates > list.items.len() as u64 { li { a href=(all) { (t::all_found(cx, list.updates)) } } }
                }))
            }
        }
        @if let Some(list) = cves.filter(|list| !list.items.is_empty()) {
            (group(t::found_cves(cx), &html! {
                @for row in &list.items {
                    li { a href=(path(&["updates", "exposure", &row.cve])) { (row.cve) } " " (row.title) " " (badge::severity(cx, row.severity.as_deref())) }
                }
            }))
        }
        @match &computers {
            Ok(list) if !list.items.is_empty() => (group(t::found_computers(cx), &html! {
                @for row in &list.items {
                    li {
                        a href=(path(&["computers", &row.id])) { (if row.name.is_empty() { &row.id } else { &row.name }) }
                        span.quiet { " " (row.address.as_deref().unwrap_or_default()) " · " (row.os) }
                    }
                }
            })),
            Ok(_) => {},
            Err(_) => p.quiet { (t::computers_unsearched(cx)) " " a href=(cx.to("/computers")) { (t::computers_list(cx)) } },
        }
        @if nothing { p { (t::search_nothing(cx, text)) } }
    }
}

fn group(title: &str, items: &Markup) -> Markup {
    html! { section.results { h2 { (title) } ul { (items) } } }
}
