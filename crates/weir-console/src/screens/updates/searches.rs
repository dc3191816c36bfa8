//! Saved searches: saving what the list shows, opening, changing, deleting.

use axum::{
    Form, Router,
    extract::Path,
    response::Response,
    routing::{get, post},
};
use maud::{Markup, html};
use serde::Deserialize;
use weir_api::{
    List,
    access::Role,
    list::ListQuery,
    search::{SavedSearch, SavedSearchChange, SavedSearchCreate},
};

use super::{filter::expression, given, may_here, refused};
use crate::{
    Console,
    address::{Address, local, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{common, updates as t},
    ui::{
        self,
        badge::{Tone, badge},
        confirm::Confirm,
        form::{Errors, Field},
        grid::{Column, Grid, wants_csv},
    },
};

/// Searches that the menu of the list shows.
const IN_MENU: usize = 20;

/// Pages and forms.
pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/updates/searches", get(show))
        .route("/updates/searches/new", get(blank).post(create))
        .route("/updates/searches/{id}/edit", get(form).post(change))
        .route("/updates/searches/{id}/delete", post(delete))
}

/// All of them, by name; none where REST does not say.
pub(super) async fn load(cx: &Cx) -> Vec<SavedSearch> {
    let query = ListQuery { cursor: None, limit: Some(1000) };
    cx.api.get::<List<SavedSearch>>("/searches", &query).await.map(|list| list.items).unwrap_or_default()
}

/// The list as a search has it.
pub(super) fn open(search: &SavedSearch) -> Address {
    Address::new("/updates").with("view", "all").with("saved", &search.name)
}

/// The search that the list shows, by its name or id.
pub(super) fn current<'a>(cx: &Cx, searches: &'a [SavedSearch]) -> Option<&'a SavedSearch> {
    let name = cx.address.value("saved")?;
    searches.iter().find(|search| search.name.to_lowercase() == name.to_lowercase() || search.id.to_string() == name)
}

/// What the list has in its title bar: searches to open, and saving this one.
pub(super) fn menu(cx: &Cx, searches: &[SavedSearch]) -> Markup {
    html! {
        details.menu {
            summary.button { (t::searches(cx)) }
            div.sheet {
                @if searches.is_empty() { p.quiet { (t::searches_none(cx)) } }
                ul.plain-list {
                    @for search in searches.iter().take(IN_MENU) { li { a href=(open(search)) { (search.name) } } }
                }
                @if searches.len() > IN_MENU { p.quiet { (common::more(cx, (searches.len() - IN_MENU) as u64)) } }
                @if may_here(cx, Role::SoftwareUpdateManager) {
                    p { a.button href=(Address::new("/updates/searches/new").with("from", &cx.address)) { (t::search_save(cx)) } }
                }
                p { a href="/updates/searches" { (t::searches_all(cx)) } }
            }
        }
    }
}

async fn show(cx: Cx) -> Result<Response, Failure> {
    let searches = load(&cx).await;
    let grid = grid(&cx, &searches);
    if wants_csv(&cx.address) {
        return Ok(grid.csv());
    }
    let body = ui::live("searches-live", "updates", grid.render());
    Page::new(&cx, t::searches(&cx)).body(body).render().await
}

fn grid<'a>(cx: &'a Cx, rows: &'a [SavedSearch]) -> Grid<'a, SavedSearch> {
    let columns = vec![
        Column::new("name", t::search_name(cx), |row: &SavedSearch| {
            html! {
                a href=(open(row)) { (row.name) }
                @if row.from_parent { " " (badge(Tone::Plain, t::search_from_parent(cx))) }
                @if !row.description.is_empty() { div.quiet { (row.description) } }
            }
        })
        .text(|row| row.name.clone())
        .wide()
        .narrow(),
        Column::new("filter", t::filter_expression(cx), |row: &SavedSearch| {
            html! { @if let Some(filter) = &row.filter { code { (filter) } } }
        })
        .text(|row| row.filter.clone().unwrap_or_default())
        .wide(),
        Column::new(
            "text",
            t::search_text(cx),
            |row: &SavedSearch| html! { (row.text.as_deref().unwrap_or_default()) },
        )
        .text(|row| row.text.clone().unwrap_or_default()),
        Column::new(
            "sort",
            t::search_sort(cx),
            |row: &SavedSearch| html! { (row.sort.as_deref().unwrap_or_default()) },
        )
        .text(|row| row.sort.clone().unwrap_or_default())
        .hidden(),
        Column::new("changed", t::search_changed(cx), |row: &SavedSearch| ui::time(cx, row.changed_at))
            .text(|row| row.changed_at.to_string()),
        Column::new("by", t::search_by(cx), |row: &SavedSearch| html! { (row.changed_by) })
            .text(|row| row.changed_by.clone()),
        Column::new("acts", t::search_acts(cx), |row: &SavedSearch| acts(cx, row)).narrow(),
    ];
    Grid::new(cx, "searches", t::searches(cx), columns, rows)
        .empty(ui::empty(t::searches_empty(cx), Some((t::all_updates(cx), "/updates"))))
}

fn acts(cx: &Cx, row: &SavedSearch) -> Markup {
    let id = row.id.to_string();
    html! {
        @if !row.from_parent && may_here(cx, Role::SoftwareUpdateManager) {
            form.inline method="post" action=(path(&["updates", "searches", &id, "delete"])) data-dialog {
                a.button href=(path(&["updates", "searches", &id, "edit"])) { (t::search_edit(cx)) }
                button type="submit" { (t::search_delete(cx)) }
            }
        }
    }
}

/// What the forms send.
#[derive(Clone, Debug, Default, Deserialize)]
struct Sent {
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    filter: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    sort: String,
}

impl Sent {
    fn of(search: &SavedSearch) -> Self {
        Self {
            name: search.name.clone(),
            description: search.description.clone(),
            filter: search.filter.clone().unwrap_or_default(),
            text: search.text.clone().unwrap_or_default(),
            sort: search.sort.clone().unwrap_or_default(),
        }
    }
}

/// The form, filled with what the list shows that one comes from.
async fn blank(cx: Cx) -> Result<Response, Failure> {
    let from = local(cx.address.value("from"));
    let from = from.parse().map_err(|error: http::uri::InvalidUri| Failure::internal("from", &error))?;
    let listed = cx.at(Address::of(&from));
    let searches = if listed.address.value("saved").is_some() { load(&cx).await } else { Vec::new() };
    let base = current(&listed, &searches);
    let filters = [base.and_then(|search| search.filter.clone()), expression(&listed.address)];
    let filters: Vec<String> = filters.into_iter().flatten().collect();
    let value = |name: &str, saved: Option<&String>| {
        listed.address.value(name).map(str::to_owned).or(saved.cloned()).unwrap_or_default()
    };
    let sent = Sent {
        filter: if filters.len() > 1 { format!("({})", filters.join(") and (")) } else { filters.concat() },
        text: value("text", base.and_then(|search| search.text.as_ref())),
        sort: value("sort", base.and_then(|search| search.sort.as_ref())),
        ..Sent::default()
    };
    new(&cx, &sent, &Errors::default()).await
}

async fn new(cx: &Cx, sent: &Sent, errors: &Errors) -> Result<Response, Failure> {
    let body = body(cx, "/updates/searches/new", sent, errors);
    Page::new(cx, t::search_save(cx)).crumb(t::searches(cx), "/updates/searches").body(body).render().await
}

fn body(cx: &Cx, action: &str, sent: &Sent, errors: &Errors) -> Markup {
    html! {
        (errors.summary(cx))
        form method="post" action=(action) {
            (Field::new("name", t::search_name(cx), errors).help(t::search_name_help(cx)).required().input("text", &sent.name))
            (Field::new("description", t::search_description(cx), errors).input("text", &sent.description))
            (Field::new("filter", t::filter_expression(cx), errors).help(t::filter_help(cx)).lines(&sent.filter, 3))
            (Field::new("text", t::search_text(cx), errors).help(t::search_text_help(cx)).input("text", &sent.text))
            (Field::new("sort", t::search_sort(cx), errors).help(t::search_sort_help(cx)).input("text", &sent.sort))
            @if may_here(cx, Role::SoftwareUpdateManager) {
                div.buttons { button.primary type="submit" { (t::search_save(cx)) } a.button.plain href="/updates/searches" { (common::cancel(cx)) } }
            }
        }
    }
}

fn errors(problem: &weir_api::Problem) -> Errors {
    refused(problem, &["filter", "text", "sort", "description", "name", "name=exists"])
}

async fn create(cx: Cx, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let search = SavedSearchCreate {
        name: sent.name.trim().to_owned(),
        description: sent.description.trim().to_owned(),
        filter: given(&sent.filter),
        text: given(&sent.text),
        sort: given(&sent.sort),
    };
    match cx.api.post::<SavedSearch>("/searches", &search).await {
        Ok(made) => Ok(t::flash_search_saved(&made.name).to(open(&made))),
        Err(failure) => {
            let errors = errors(&failure.into_problem()?);
            new(&cx, &sent, &errors).await
        }
    }
}

async fn find(cx: &Cx, id: &str) -> Result<SavedSearch, Failure> {
    cx.api.get(&path(&["searches", id]), &()).await
}

async fn form(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let search = find(&cx, &id).await?;
    ask(&cx, &search, &Sent::of(&search), &Errors::default()).await
}

async fn ask(cx: &Cx, search: &SavedSearch, sent: &Sent, errors: &Errors) -> Result<Response, Failure> {
    let action = path(&["updates", "searches", &search.id.to_string(), "edit"]);
    let body = html! {
        @if !search.by_text.is_empty() {
            p.quiet { (t::search_by_text(cx)) " " @for term in &search.by_text { code { (term) } " " } }
        }
        (body(cx, &action, sent, errors))
    };
    Page::new(cx, &search.name).crumb(t::searches(cx), "/updates/searches").body(body).render().await
}

async fn change(cx: Cx, Path(id): Path<String>, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    // an empty text takes away
    let change = SavedSearchChange {
        name: Some(sent.name.trim().to_owned()),
        description: Some(sent.description.trim().to_owned()),
        filter: Some(sent.filter.trim().to_owned()),
        text: Some(sent.text.trim().to_owned()),
        sort: Some(sent.sort.trim().to_owned()),
    };
    match cx.api.patch::<SavedSearch>(&path(&["searches", &id]), &change).await {
        Ok(changed) => Ok(t::flash_search_saved(&changed.name).to("/updates/searches")),
        Err(failure) => {
            let errors = errors(&failure.into_problem()?);
            let search = find(&cx, &id).await?;
            ask(&cx, &search, &sent, &errors).await
        }
    }
}

#[derive(Deserialize)]
struct Deletion {
    sure: Option<String>,
}

async fn delete(cx: Cx, Path(id): Path<String>, Form(sent): Form<Deletion>) -> Result<Response, Failure> {
    let search = find(&cx, &id).await?;
    let address = path(&["searches", &search.id.to_string()]);
    let mut errors = Errors::default();
    if sent.sure.is_some() {
        match cx.api.delete::<()>(&address).await {
            Ok(()) => return Ok(t::flash_search_deleted(&search.name).to("/updates/searches")),
            Err(failure) => errors = Errors::of(&failure.into_problem()?, &[]),
        }
    }
    let sentence = t::search_delete_sentence(&cx, &search.name);
    let action = path(&["updates", "searches", &search.id.to_string(), "delete"]);
    let details = html! {
        (errors.summary(&cx))
        @if let Some(filter) = &search.filter { p { code { (filter) } } }
        @if let Some(text) = &search.text { p { (text) } }
    };
    let undo = t::search_delete_undo(&cx);
    let confirm = Confirm::new(sentence, undo, t::search_delete(&cx), action, "/updates/searches");
    let confirm = confirm.details(details).field("sure", "1").danger();
    Page::new(&cx, t::search_delete(&cx)).body(confirm.render(&cx)).render().await
}
