//! What holds for a computer, or for one that is in a collection alone, and which set each value comes from.

use axum::response::Response;
use maud::{Markup, html};
use weir_api::client_settings::{ResultantClientSetting, ResultantClientSettings};

use super::HERE;
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::settings::{collections, control::shown, limit, limit_text},
    texts::{client_settings as t, settings as s},
    ui::{
        form::{Errors, Field},
        grid::{Column, Grid, wants_csv},
    },
};

/// The page: who is asked about, and the answer.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    let (computer, collection) = (cx.address.value("computer"), cx.address.value("collection"));
    let (asked, answer) = match (computer, collection) {
        (Some(id), _) => (Some(id), Some(path(&["computers", id.trim(), "client-settings"]))),
        (None, Some(name)) => (None, Some(path(&["collections", name, "client-settings"]))),
        (None, None) => (None, None),
    };
    let mut errors = Errors::default();
    let mut found = None;
    if let Some(resource) = answer {
        match cx.api.get::<ResultantClientSettings>(&resource, &()).await {
            Ok(answer) => found = Some(answer),
            Err(failure) => {
                let problem = failure.into_problem()?;
                let field = if asked.is_some() { "computer" } else { "collection" };
                errors = Errors::default().field(field, problem.detail);
            }
        }
    }
    let grid = found.as_ref().map(|found| grid(&cx, &found.settings));
    if let (true, Some(grid)) = (wants_csv(&cx.address), &grid) {
        return Ok(grid.csv());
    }
    let listed = grid.as_ref().map(Grid::render);
    drop(grid);
    let question = question(&cx, computer, collection, &errors).await;
    let body = html! {
        (question)
        @if let Some(found) = &found {
            @if !found.collections.is_empty() { p { (t::within(&cx)) " " (limit(&cx, &found.collections, true)) } }
            @for warning in &found.warnings { div.panel.warn { p lang="en" { code { (warning.key) } " " (warning.message) } } }
        }
        @if let Some(listed) = listed { (listed) }
        @else if errors.is_empty() { div.empty { p { (t::resulting_empty(&cx)) } } }
    };
    Page::new(&cx, t::resulting(&cx)).crumb(s::places(&cx, "client_settings"), HERE).body(body).render().await
}

async fn question(cx: &Cx, computer: Option<&str>, collection: Option<&str>, errors: &Errors) -> Markup {
    let none = std::iter::once((String::new(), String::new()));
    let options: Vec<(String, String)> =
        none.chain(collections(cx).await.into_iter().map(|one| (one.id.to_string(), one.name))).collect();
    html! {
        form.panel method="get" action={ (HERE) "/resulting" } {
            (errors.summary(cx))
            (Field::new("computer", t::computer(cx), errors).help(t::computer_help(cx)).input("text", computer.unwrap_or_default()))
            (Field::new("collection", t::or_collection(cx), errors).help(t::or_collection_help(cx)).choice(&options, collection.unwrap_or_default()))
            div.buttons { button.primary type="submit" { (t::show(cx)) } }
        }
    }
}

fn grid<'a>(cx: &'a Cx, settings: &'a [ResultantClientSetting]) -> Grid<'a, ResultantClientSetting> {
    let columns = vec![
        Column::new("key", t::setting(cx), |one: &ResultantClientSetting| html! { code { (one.key) } })
            .text(|one| one.key.clone())
            .narrow(),
        Column::new("value", t::value(cx), |one: &ResultantClientSetting| shown(cx, &one.value))
            .text(|one| super::super::control::plain(&one.value))
            .narrow(),
        Column::new("origin", t::origin(cx), |one: &ResultantClientSetting| {
            html! {
                @match (&one.set, one.origin.as_str()) {
                    (Some(set), "custom_set") => {
                        a href=(path(&["settings", "client-settings", &set.id.to_string()])) { (set.name) }
                        @if let Some(priority) = one.priority { span.quiet { " " (t::with_priority(cx, priority)) } }
                    },
                    (_, origin) => span.quiet[origin == "built_in"] { (t::origins(cx, origin)) },
                }
            }
        })
        .text(|one| one.set.as_ref().map_or_else(|| one.origin.clone(), |set| set.name.clone()))
        .narrow(),
        Column::new("collections", t::by_collections(cx), |one: &ResultantClientSetting| {
            html! { @if !one.collections.is_empty() { (limit(cx, &one.collections, true)) } }
        })
        .text(|one| limit_text(&one.collections)),
        Column::new("beat", t::beat(cx), |one: &ResultantClientSetting| {
            html! {
                @for beaten in &one.beat {
                    div.quiet { (beaten.set) @if let Some(priority) = beaten.priority { " (" (priority) ")" } ": " (shown(cx, &beaten.value)) }
                }
            }
        })
        .text(|one| {
            let beaten = one.beat.iter().map(|beaten| format!("{}: {}", beaten.set, super::super::control::plain(&beaten.value)));
            beaten.collect::<Vec<_>>().join("; ")
        })
        .wide(),
    ];
    Grid::new(cx, "resulting", t::resulting(cx), columns, settings)
}
