//! The list of updates.

use axum::response::Response;
use maud::{Markup, html};
use weir_api::{
    access::Role,
    update::{FacetCounts, UpdateList, UpdateQuery, UpdateRow},
};

use super::{
    filter::{View, expression},
    may_here, searches,
};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{top, updates as t},
    ui::{
        self,
        badge::{Tone, badge, severity},
        form::Errors,
        grid::{Action, CSV_ROWS, Column, FacetGroup, Grid, wants_csv},
        icon::Icon,
        tabs::Tab,
    },
};

/// Rows of a page.
const ROWS: u32 = 100;
/// Values of a facet when all are asked for.
const FACET_VALUES: u32 = 200;

/// The list, or its CSV.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    let query = query(&cx);
    if wants_csv(&cx.address) {
        let asked = UpdateQuery { facets: false, cursor: None, limit: Some(1000), ..query };
        let rows = all(&cx, asked, CSV_ROWS).await?;
        return Ok(Grid::new(&cx, "updates", t::title(&cx), columns(&cx), &rows).csv());
    }
    let (list, saved) = tokio::join!(cx.api.get::<UpdateList>("/updates", &query), searches::load(&cx));
    let (list, errors) = match list {
        Ok(list) => (list, Errors::default()),
        // a filter that cannot be read is said beside it, and the page stays
        Err(failure) => (UpdateList::default(), Errors::of(&failure.into_problem()?, &["filter", "text", "cursor"])),
    };
    let view = View::of(&cx.address);
    let tabs = View::EACH.into_iter().map(|each| {
        let address = cx.address.first().without("view");
        let address = if each == View::Current { address } else { address.with("view", each.key()) };
        let tab = Tab::link(t::views(&cx, each.key()), address, each == view);
        if each == view && errors.is_empty() { tab.number(list.updates) } else { tab }
    });
    let body = html! {
        (errors.summary(&cx))
        @if let Some(search) = searches::current(&cx, &saved) {
            p.quiet { (t::search_open(&cx, &search.name)) " " a href=(cx.address.first().without("saved")) { (t::search_close(&cx)) } }
        }
        (grid(&cx, &list).render())
    };
    let actions = html! {
        (searches::menu(&cx, &saved))
        @if may_here(&cx, Role::Operator) { a.button href="/updates/fetch" { (t::fetch_title(&cx)) } }
    };
    Page::new(&cx, t::title(&cx)).tabs(tabs.collect()).actions(actions).body(body).render().await
}

/// What REST is asked for.
pub(super) fn query(cx: &Cx) -> UpdateQuery {
    UpdateQuery {
        filter: expression(&cx.address),
        text: cx.address.value("text").map(|text| text.chars().take(256).collect()),
        saved: cx.address.value("saved").map(str::to_owned),
        sort: cx.address.value("sort").map(str::to_owned),
        facets: true,
        facet_values: (cx.address.value("facets") == Some("all")).then_some(FACET_VALUES),
        language: cx.titles(),
        cursor: cx.address.value("cursor").map(str::to_owned),
        limit: Some(ROWS),
    }
}

/// Follows the list to its end, or to this many rows.
pub(super) async fn all(cx: &Cx, query: UpdateQuery, most: usize) -> Result<Vec<UpdateRow>, Failure> {
    cx.api
        .all(most, |cursor| {
            let query = UpdateQuery { cursor, ..query.clone() };
            async move {
                let list: UpdateList = cx.api.get("/updates", &query).await?;
                Ok(weir_api::List { items: list.items, next: list.next })
            }
        })
        .await
}

fn grid<'a>(cx: &'a Cx, list: &'a UpdateList) -> Grid<'a, UpdateRow> {
    let grid = Grid::new(cx, "updates", t::title(cx), columns(cx), &list.items)
        .next(list.next.as_deref())
        .total(list.updates)
        .filters(filters(cx, list))
        .facets(list.counts.iter().flatten().filter_map(|counts| facet(cx, counts)).collect())
        .empty(empty(cx));
    if may_here(cx, Role::SoftwareUpdateManager) { grid.select(|row| row.id.to_string(), actions(cx)) } else { grid }
}

fn actions(cx: &Cx) -> Vec<Action> {
    ["deploy", "group", "decline", "undecline", "severity", "run_time"]
        .into_iter()
        .map(|act| Action { label: t::acts(cx, act), to: "/updates/change", act })
        .collect()
}

fn columns(cx: &Cx) -> Vec<Column<'_, UpdateRow>> {
    vec![
        Column::new("title", t::col_title(cx), |row: &UpdateRow| {
            html! {
                a href=(path(&["updates", &row.id.to_string()])) { (row.title) }
                (marks(cx, row))
                // titles have it as a rule
                @for kb in row.kb.iter().filter(|kb| !row.title.contains(kb.as_str())) { div.quiet { "KB" (kb) } }
                a.quick href=(path(&["updates", &row.id.to_string()])) title=(t::quick_look(cx)) data-panel=(top::close(cx)) { (Icon::Search.show()) span.hide { (t::quick_look(cx)) } }
            }
        })
        .text(|row| row.title.clone())
        .sort("title")
        .wide()
        .narrow(),
        Column::new("kb", t::col_kb(cx), |row: &UpdateRow| html! { @for kb in &row.kb { "KB" (kb) " " } })
            .text(|row| row.kb.iter().map(|kb| format!("KB{kb}")).collect::<Vec<_>>().join(" "))
            .sort("article")
            .hidden(),
        Column::new("severity", t::col_severity(cx), |row: &UpdateRow| {
            severity(cx, row.custom_severity.as_deref().or(row.severity.as_deref()))
        })
        .text(|row| row.custom_severity.clone().or_else(|| row.severity.clone()).unwrap_or_default())
        .sort("severity")
        .narrow(),
        Column::new("classification", t::col_classification(cx), |row: &UpdateRow| {
            html! {
                (row.classification.as_ref().map_or("", |classification| classification.name.as_str()))
            }
        })
        .text(|row| row.classification.as_ref().map(|classification| classification.name.clone()).unwrap_or_default())
        .sort("classification"),
        Column::new("products", t::col_products(cx), |row: &UpdateRow| html! { (products(row)) })
            .text(products)
            .hidden(),
        Column::number(cx, "needed", t::col_needed(cx), |row: &UpdateRow| row.needed).sort("needed").narrow(),
        Column::number(cx, "installed", t::col_installed(cx), |row: &UpdateRow| row.installed).sort("installed"),
        Column::number(cx, "failed", t::col_failed(cx), |row: &UpdateRow| row.failed).sort("failed").narrow(),
        Column::number(cx, "deployments", t::col_deployments(cx), |row: &UpdateRow| row.deployments)
            .sort("deployments"),
        Column::new("size", t::col_size(cx), |row: &UpdateRow| html! { (ui::bytes(cx, row.size)) })
            .numeric()
            .text(|row| row.size.to_string())
            .sort("size")
            .hidden(),
        Column::new("released", t::col_released(cx), |row: &UpdateRow| ui::time_or(cx, row.created_at))
            .text(|row| row.created_at.map(|at| at.to_string()).unwrap_or_default())
            .sort("released"),
        Column::new("revised", t::col_revised(cx), |row: &UpdateRow| ui::time_or(cx, row.revised_at))
            .text(|row| row.revised_at.map(|at| at.to_string()).unwrap_or_default())
            .sort("revised")
            .hidden(),
        Column::new("id", t::col_id(cx), |row: &UpdateRow| html! { code { (row.id) } })
            .text(|row| row.id.to_string())
            .hidden(),
    ]
}

fn products(row: &UpdateRow) -> String {
    row.products.iter().map(|product| product.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// What one should know before one uses it.
pub(super) fn marks(cx: &Cx, row: &UpdateRow) -> Markup {
    let marks = [
        (row.declined, Tone::Plain, t::mark_declined(cx)),
        (row.expired, Tone::Bad, t::mark_expired(cx)),
        (row.superseded, Tone::Warn, t::mark_superseded(cx)),
        (row.unresolved, Tone::Warn, t::mark_unresolved(cx)),
    ];
    html! { @for (_, tone, word) in marks.into_iter().filter(|(holds, ..)| *holds) { " " (badge(tone, word)) } }
}

fn filters(cx: &Cx, list: &UpdateList) -> Markup {
    let more: u64 = list.counts.iter().flatten().map(|counts| counts.more).sum();
    html! {
        label.hide for="text" { (t::filter_text(cx)) }
        input #text type="search" name="text" value=[cx.address.value("text")] placeholder=(t::filter_text(cx)) maxlength="256";
        details.advanced open[cx.address.value("filter").is_some()] {
            summary { (t::filter_expression(cx)) }
            label.hide for="filter" { (t::filter_expression(cx)) }
            input #filter.wide type="text" name="filter" value=[cx.address.value("filter")] placeholder="released < 30 days and needed > 0" spellcheck="false";
            p.help { (t::filter_help(cx)) }
        }
        @if more > 0 { a.button.plain href=(cx.address.first().with("facets", "all")) { (t::facets_more(cx, more)) } }
    }
}

fn facet(cx: &Cx, counts: &FacetCounts) -> Option<FacetGroup> {
    let plain = counts.values.iter().all(|value| value.value == "false");
    (!counts.values.is_empty() && !plain).then(|| FacetGroup {
        label: t::facet(cx, &counts.field),
        field: counts.field.clone(),
        values: counts
            .values
            .iter()
            .map(|value| {
                let name = if value.name.is_empty() || value.name == value.value {
                    t::facet_value(cx, &value.value)
                } else {
                    value.name.clone()
                };
                (value.value.clone(), name, value.updates)
            })
            .collect(),
    })
}

fn empty(cx: &Cx) -> Markup {
    let narrowed = ["text", "filter", "f", "saved"].into_iter().any(|name| cx.address.value(name).is_some());
    if narrowed {
        return ui::empty(t::empty_narrowed(cx), Some((t::empty_widen(cx), "/updates?view=all")));
    }
    match View::of(&cx.address) {
        View::Needed => ui::empty(t::empty_needed(cx), Some((t::empty_coverage(cx), "/computers/stale"))),
        View::Failed => ui::empty(t::empty_failed(cx), None),
        View::Declined => ui::empty(t::empty_declined(cx), None),
        View::Current | View::All => ui::empty(t::empty_all(cx), Some((t::empty_first_day(cx), "/"))),
    }
}
