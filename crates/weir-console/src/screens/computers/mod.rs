//! Computers: the list, one in full, collections, errors, duplicates, those that are gone.

mod change;
mod collections;
mod detail;
mod duplicates;
mod errors;
mod facets;
mod list;
mod rest;
mod stale;
#[cfg(test)]
mod tests;

use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use maud::{Markup, html};
use weir_api::{
    List, Reference,
    computer::ComputerRow,
    freshness::{ComputerFreshness, Freshness},
};

use crate::{
    Console,
    address::path,
    cx::Cx,
    failure::Failure,
    nav::Entry,
    texts::computers as t,
    ui::{
        self,
        badge::{State, Tone, badge},
        grid::{CSV_ROWS, Grid, wants_csv},
    },
};

/// Its pages and forms.
pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/computers", get(list::show))
        .route("/computers/change", post(change::change))
        .route("/computers/{id}", get(detail::show))
        .route("/computers/{id}/zone", post(detail::zone))
        .route("/computers/errors", get(errors::show))
        .route("/computers/errors/{code}", get(errors::code::show))
        .route("/computers/duplicates", get(duplicates::show).post(duplicates::act))
        .route("/computers/duplicates/new-id.ps1", get(duplicates::script))
        .route("/computers/stale", get(stale::show).post(stale::retirement::act))
        .merge(collections::routes())
}

/// What the rail lists of it.
pub(crate) fn entries(cx: &Cx) -> Vec<Entry> {
    vec![
        Entry::new("/computers", t::all_computers(cx)),
        Entry::new("/computers/collections", t::collections(cx)),
        Entry::new("/computers/errors", t::errors(cx)),
        Entry::new("/computers/duplicates", t::duplicates(cx)),
        Entry::new("/computers/stale", t::stale(cx)),
    ]
}

/// What a tab shows, or its list as CSV.
enum Part {
    Page(Markup),
    Csv(Response),
}

impl Part {
    /// A grid that is all or a piece of a page, or its rows if the address asks for CSV.
    fn of<R>(cx: &Cx, grid: &Grid<'_, R>, page: impl FnOnce(Markup) -> Markup) -> Self {
        if wants_csv(&cx.address) { Self::Csv(grid.csv()) } else { Self::Page(page(grid.render())) }
    }
}

/// A page of a list, or all of it where the address asks for CSV. `ask` asks for one page after a cursor, of so many rows.
async fn listed<T, F>(cx: &Cx, mut ask: impl FnMut(Option<String>, Option<u32>) -> F) -> Result<List<T>, Failure>
where
    F: Future<Output = Result<List<T>, Failure>>,
{
    if !wants_csv(&cx.address) {
        return ask(cx.address.value("cursor").map(str::to_owned), None).await;
    }
    let items = cx.api.all(CSV_ROWS, |cursor| ask(cursor, Some(1000))).await?;
    Ok(List { items, next: None })
}

/// Where a computer is.
fn at(id: &str) -> String {
    path(&["computers", id])
}

/// A computer by its name, by its id until it told a name.
fn link(name: &str, id: &str) -> Markup {
    html! { a href=(at(id)) { (called(name, id)) } }
}

/// What people call it.
fn called<'a>(name: &'a str, id: &'a str) -> &'a str {
    if name.is_empty() { id } else { name }
}

/// Where a collection is: below its name, or below its id if the name is that of another page.
fn collection_at(collection: &Reference) -> String {
    let taken = ["new", "preview"].contains(&collection.name.to_lowercase().as_str());
    let id = collection.id.to_string();
    path(&["computers", "collections", if taken || collection.name.is_empty() { &id } else { &collection.name }])
}

/// Collections as links.
fn collection_links(cx: &Cx, collections: &[Reference]) -> Markup {
    html! {
        @if collections.is_empty() { (ui::none(cx)) }
        @for (at, one) in collections.iter().enumerate() {
            @if at > 0 { ", " }
            a href=(collection_at(one)) { (one.name) }
        }
    }
}

/// Names, for CSV.
fn names(references: &[Reference]) -> String {
    references.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join("; ")
}

/// The worst state of a computer's updates; not known before its first report.
fn state(row: &ComputerRow) -> State {
    const WORST_FIRST: [State; 7] = [
        State::Failed,
        State::Required,
        State::Downloaded,
        State::PendingRestart,
        State::Unknown,
        State::Installed,
        State::NotApplicable,
    ];
    if row.last_report.is_none() {
        return State::Unknown;
    }
    let nothing = if row.compliant { State::NotApplicable } else { State::Unknown };
    WORST_FIRST.into_iter().find(|state| state.of(&row.counts) > 0).unwrap_or(nothing)
}

/// Updates that a computer needs: required, downloaded, or waiting for a restart.
fn needed(row: &ComputerRow) -> u64 {
    row.counts.required + row.counts.downloaded + row.counts.pending_restart
}

/// All classes of freshness, the worst first.
const CLASSES: [Freshness; 6] = [
    Freshness::Silent,
    Freshness::ScanFailed,
    Freshness::NeverScanned,
    Freshness::NeverReported,
    Freshness::NotReporting,
    Freshness::Current,
];

/// How good or bad a class of freshness is.
fn freshness_tone(class: Freshness) -> Tone {
    match class {
        Freshness::Current => Tone::Good,
        Freshness::Silent | Freshness::ScanFailed => Tone::Bad,
        Freshness::NeverScanned | Freshness::NeverReported | Freshness::NotReporting => Tone::Warn,
    }
}

/// What a computer's reports are worth.
fn freshness(cx: &Cx, known: Option<&ComputerFreshness>) -> Markup {
    match known {
        None => ui::none(cx),
        Some(known) => badge(freshness_tone(known.class), &t::freshness(cx, &ui::word(&known.class))),
    }
}

/// An error code that leads to what it means.
fn code(cx: &Cx, error: Option<&str>) -> Markup {
    match error {
        None => ui::none(cx),
        Some(error) => html! { a href=(path(&["computers", "errors", error])) { code { (error) } } },
    }
}

/// A JSON value as people write it: texts without quotes.
fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
