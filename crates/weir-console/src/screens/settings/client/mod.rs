//! Client settings: named sets by priority, what each sets, where it is deployed, and what holds for a computer.

mod about;
mod places;
mod resulting;
mod set;

use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use maud::{Markup, html};
use weir_api::{
    List,
    access::Role,
    client_settings::{ClientSettingDefinition, ClientSettingsSet},
    status::Status,
};

use super::{large, may};
use crate::{
    Console,
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{client_settings as t, settings as s},
    ui::{
        self,
        badge::{Tone, badge},
        grid::{Column, Grid, wants_csv},
        tabs::Tab,
    },
};

/// The list.
const HERE: &str = "/settings/client-settings";

/// Pages and forms.
pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route(HERE, get(show))
        .route("/settings/client-settings/new", get(about::new).post(about::create))
        .route("/settings/client-settings/resulting", get(resulting::show))
        .route("/settings/client-settings/{set}", get(one).post(set::save))
        .route("/settings/client-settings/{set}/about", post(about::save))
        .route("/settings/client-settings/{set}/deploy", post(places::deploy))
        .route("/settings/client-settings/{set}/take-back", post(places::take_back))
        .route("/settings/client-settings/{set}/delete", get(about::deleting).post(about::delete))
}

/// Where a set is.
fn address(set: &ClientSettingsSet) -> String {
    path(&["settings", "client-settings", &set.id.to_string()])
}

async fn find(cx: &Cx, name: &str) -> Result<ClientSettingsSet, Failure> {
    cx.api.get(&path(&["client-settings", name]), &()).await
}

async fn definitions(cx: &Cx) -> Result<Vec<ClientSettingDefinition>, Failure> {
    cx.api
        .all(2000, |cursor| async move {
            cx.api.get::<List<ClientSettingDefinition>>("/client-setting-definitions", &large(cursor)).await
        })
        .await
}

async fn sets(cx: &Cx) -> Result<Vec<ClientSettingsSet>, Failure> {
    cx.api
        .all(
            1000,
            |cursor| async move { cx.api.get::<List<ClientSettingsSet>>("/client-settings", &large(cursor)).await },
        )
        .await
}

/// Whether the visitor may change a set.
fn open(cx: &Cx, set: &ClientSettingsSet) -> bool {
    may(cx, Role::FullAdministrator) && !set.from_parent
}

async fn show(cx: Cx) -> Result<Response, Failure> {
    let sets = sets(&cx).await?;
    let grid = grid(&cx, &sets);
    if wants_csv(&cx.address) {
        return Ok(grid.csv());
    }
    let body = html! {
        p.lead { (t::lead(&cx)) }
        (ui::live("client-settings-live", "settings collections", grid.render()))
    };
    drop(grid);
    let acts = html! {
        a.button href={ (HERE) "/resulting" } { (t::resulting(&cx)) }
        @if may(&cx, Role::FullAdministrator) { a.button.primary href={ (HERE) "/new" } { (t::new(&cx)) } }
    };
    Page::new(&cx, s::places(&cx, "client_settings")).actions(acts).body(body).render().await
}

fn grid<'a>(cx: &'a Cx, sets: &'a [ClientSettingsSet]) -> Grid<'a, ClientSettingsSet> {
    let columns = vec![
        Column::new("priority", t::priority(cx), |set: &ClientSettingsSet| priority(cx, set))
            .text(|set| set.priority.map(|priority| priority.to_string()).unwrap_or_default())
            .numeric()
            .narrow(),
        Column::new("name", t::name(cx), |set: &ClientSettingsSet| {
            html! {
                a href=(address(set)) { (set.name) }
                @if set.from_parent { " " (badge(Tone::Plain, t::from_parent(cx))) }
                @if !set.description.is_empty() { div.quiet { (set.description) } }
            }
        })
        .text(|set| set.name.clone())
        .wide()
        .narrow(),
        Column::number(cx, "sets", t::sets(cx), |set: &ClientSettingsSet| set.settings.len() as u64).narrow(),
        Column::new("collections", t::collections(cx), |set: &ClientSettingsSet| whom(cx, set))
            .text(|set| super::limit_text(&set.collections))
            .narrow(),
        Column::new("warnings", t::warnings(cx), |set: &ClientSettingsSet| {
            html! { @if !set.warnings.is_empty() { (badge(Tone::Warn, &ui::number(cx, set.warnings.len() as u64))) } }
        })
        .text(|set| set.warnings.len().to_string()),
        Column::new("changed", t::changed(cx), |set: &ClientSettingsSet| ui::time_or(cx, set.changed_at))
            .text(|set| set.changed_at.map(|at| at.to_string()).unwrap_or_default()),
        Column::new(
            "by",
            t::by(cx),
            |set: &ClientSettingsSet| html! { (set.changed_by.as_deref().unwrap_or_default()) },
        )
        .text(|set| set.changed_by.clone().unwrap_or_default())
        .hidden(),
    ];
    Grid::new(cx, "client-settings", s::places(cx, "client_settings"), columns, sets)
        .empty(html! { p { (t::empty(cx)) } })
}

fn priority(cx: &Cx, set: &ClientSettingsSet) -> Markup {
    html! { @match set.priority { Some(priority) => (priority), None => span.quiet { (t::weakest(cx)) } } }
}

/// Whom a set reaches.
fn whom(cx: &Cx, set: &ClientSettingsSet) -> Markup {
    match (set.default, set.collections.is_empty()) {
        (true, _) => html! { (t::every_computer(cx)) },
        (false, true) => html! { span.quiet { (t::nowhere(cx)) } },
        (false, false) => super::limit(cx, &set.collections, true),
    }
}

/// One set, with the tab of the address.
async fn one(cx: Cx, axum::extract::Path(name): axum::extract::Path<String>) -> Result<Response, Failure> {
    let set = find(&cx, &name).await?;
    let body = match cx.address.value("tab") {
        None => set::show(&cx, &set, &set::Again::default()).await?,
        Some("collections") => places::show(&cx, &set, &ui::form::Errors::default()).await?,
        Some("about") => about::show(&cx, &set, None, &ui::form::Errors::default()),
        Some(_) => return Err(Failure::NotFound),
    };
    frame(&cx, &set, cx.address.value("tab"), body).await
}

/// The page of a set around one of its tabs.
async fn frame(cx: &Cx, set: &ClientSettingsSet, tab: Option<&str>, body: Markup) -> Result<Response, Failure> {
    let own = cx.to(address(set));
    let acts =
        html! { @if open(cx, set) && !set.default { a.button href={ (address(set)) "/delete" } { (t::delete(cx)) } } };
    let body = html! {
        @if !set.description.is_empty() { p.lead { (set.description) } }
        @for warning in &set.warnings { div.panel.warn { p lang="en" { code { (warning.key) } " " (warning.message) } } }
        (body)
    };
    Page::new(cx, &set.name)
        .crumb(s::places(cx, "client_settings"), HERE)
        .fact(t::priority(cx), priority(cx, set))
        .fact(t::sets(cx), html! { (ui::number(cx, set.settings.len() as u64)) })
        .fact(t::collections(cx), whom(cx, set))
        .actions(acts)
        .tabs(vec![
            Tab::link(t::tab_settings(cx), own.clone(), tab.is_none()).number(set.settings.len() as u64),
            Tab::link(t::collections(cx), own.with("tab", "collections"), tab == Some("collections"))
                .number(set.collections.len() as u64),
            Tab::link(t::tab_about(cx), own.with("tab", "about"), tab == Some("about")),
        ])
        .body(body)
        .render()
        .await
}

/// Whom a change of a set reaches: a collection and its computers each. Where collections overlap, a computer counts in each.
async fn reach(cx: &Cx, set: &ClientSettingsSet) -> Vec<(String, u64)> {
    if set.default {
        let status = cx.api.get::<Status>("/status", &()).await;
        return status.map(|status| (t::every_computer(cx).to_owned(), status.counts.computers)).into_iter().collect();
    }
    let mut found = Vec::new();
    for collection in set.collections.iter().take(20) {
        let of = path(&["collections", &collection.id.to_string()]);
        if let Ok(one) = cx.api.get::<weir_api::collection::Collection>(&of, &()).await {
            found.push((one.name, one.members_below));
        }
    }
    found
}

/// The same for people.
fn reached(cx: &Cx, set: &ClientSettingsSet, reach: &[(String, u64)]) -> Markup {
    html! {
        @if reach.is_empty() { p { (t::reaches_nobody(cx)) } }
        @else {
            p { strong { (t::reaches(cx)) } }
            ul.samples { @for (name, computers) in reach { li { (name) ": " (t::computers(cx, *computers)) } } }
            @if set.collections.len() > reach.len() { p.quiet { (crate::texts::common::more(cx, (set.collections.len() - reach.len()) as u64)) } }
        }
    }
}
