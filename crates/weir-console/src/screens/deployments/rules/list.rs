//! The list of rules.

use axum::response::Response;
use maud::html;
use weir_api::{List, list::ListQuery, rule::Rule};

use super::{address, result, schedule};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::deployments::names,
    texts::{deployments as d, deployments_rules as t},
    ui::{
        self,
        badge::{Tone, badge},
        grid::{CSV_ROWS, Column, Grid, wants_csv},
    },
};

/// The list, or its CSV.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    let csv = wants_csv(&cx.address);
    let list = if csv {
        List { items: cx.api.all(CSV_ROWS, |cursor| page(&cx, cursor, 1000)).await?, next: None }
    } else {
        page(&cx, cx.address.value("cursor").map(str::to_owned), 100).await?
    };
    let may = names::may_everywhere(&cx);
    let new = may.then(|| (t::new(&cx), "/deployments/rules/new"));
    let grid = Grid::new(&cx, "rules", d::rules(&cx), columns(&cx), &list.items)
        .next(list.next.as_deref())
        .empty(ui::empty(t::empty(&cx), new));
    if csv {
        return Ok(grid.csv());
    }
    let body = ui::live("rules-live", "rules", grid.render());
    drop(grid);
    Page::new(&cx, d::rules(&cx))
        .actions(html! {
            a.button.plain href="/deployments/rules/templates" { (t::templates(&cx)) }
            @if may { a.button.primary href="/deployments/rules/new" { (t::new(&cx)) } }
        })
        .body(body)
        .render()
        .await
}

async fn page(cx: &Cx, cursor: Option<String>, limit: u32) -> Result<List<Rule>, Failure> {
    cx.api.get("/rules", &ListQuery { cursor, limit: Some(limit) }).await
}

/// Whether it is evaluated.
pub(super) fn standing(cx: &Cx, one: &Rule) -> maud::Markup {
    match (one.from_parent, one.enabled) {
        (true, _) => badge(Tone::Plain, d::from_parent(cx)),
        (false, true) => badge(Tone::Good, d::enabled(cx)),
        (false, false) => badge(Tone::Plain, &d::state(cx, "disabled")),
    }
}

fn columns(cx: &Cx) -> Vec<Column<'_, Rule>> {
    let targets =
        |one: &Rule| one.deployments.iter().map(|target| target.collection.as_str()).collect::<Vec<_>>().join(", ");
    vec![
        Column::new("name", d::col_name(cx), |one: &Rule| {
            html! { a href=(address(one)) { (one.name) } @if !one.description.is_empty() { div.quiet { (one.description) } } }
        })
        .text(|one| one.name.clone())
        .wide()
        .narrow(),
        Column::new("state", d::col_state(cx), |one: &Rule| standing(cx, one))
            .text(|one| one.enabled.to_string())
            .narrow(),
        Column::new("schedule", d::schedule(cx), |one: &Rule| html! { (schedule(cx, &one.schedule)) })
            .text(|one| one.schedule.clone()),
        Column::new("next", t::col_next(cx), |one: &Rule| ui::time_or(cx, one.next_run))
            .text(|one| one.next_run.map(|at| at.to_string()).unwrap_or_default())
            .narrow(),
        Column::new("last", t::col_last(cx), |one: &Rule| match &one.last_run {
            None => ui::none(cx),
            Some(run) => html! {
                a href=(path(&["deployments", "rules", &one.id.to_string(), "runs", &run.no.to_string()])) { (ui::ago(cx, run.started_at)) }
                " " (result(cx, run.result))
            },
        })
        .text(|one| one.last_run.as_ref().map(|run| run.started_at.to_string()).unwrap_or_default())
        .narrow(),
        Column::number(cx, "matched", t::col_matched(cx), |one: &Rule| one.last_run.as_ref().map_or(0, |run| run.matched)),
        Column::new("targets", t::col_targets(cx), move |one: &Rule| html! { (targets(one)) }).text(targets),
        Column::new("criteria", t::criteria(cx), |one: &Rule| html! { code { (one.criteria_text) } })
            .text(|one| one.criteria_text.clone())
            .hidden(),
        Column::new("changed", d::col_changed(cx), |one: &Rule| ui::time(cx, one.changed_at))
            .text(|one| one.changed_at.to_string())
            .hidden(),
        Column::new("by", d::col_by(cx), |one: &Rule| html! { (one.changed_by) })
            .text(|one| one.changed_by.clone())
            .hidden(),
    ]
}
