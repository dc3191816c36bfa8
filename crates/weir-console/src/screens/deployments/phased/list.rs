//! The list of phased deployments.

use axum::response::Response;
use maud::html;
use weir_api::{List, list::ListQuery, phased::Phased};

use super::{address, current, shares, status};
use crate::{
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::deployments::names,
    texts::{deployments as d, deployments_phased as t},
    ui::{
        self, chart,
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
    let new = may.then(|| (t::new(&cx), "/deployments/phased/new"));
    let grid = Grid::new(&cx, "phased-deployments", d::phased(&cx), columns(&cx), &list.items)
        .next(list.next.as_deref())
        .empty(ui::empty(t::empty(&cx), new));
    if csv {
        return Ok(grid.csv());
    }
    let body = ui::live("phased-live", "rules deployments", grid.render());
    drop(grid);
    Page::new(&cx, d::phased(&cx))
        .actions(html! { @if may { a.button.primary href="/deployments/phased/new" { (t::new(&cx)) } } })
        .body(body)
        .render()
        .await
}

async fn page(cx: &Cx, cursor: Option<String>, limit: u32) -> Result<List<Phased>, Failure> {
    cx.api.get("/phased", &ListQuery { cursor, limit: Some(limit) }).await
}

fn columns(cx: &Cx) -> Vec<Column<'_, Phased>> {
    let at =
        |one: &Phased| current(one).map(|phase| format!("{} / {}", phase.number, one.phases.len())).unwrap_or_default();
    let share = |one: &Phased| current(one).and_then(|phase| shares(phase).0);
    vec![
        Column::new("name", d::col_name(cx), |one: &Phased| html! { a href=(address(one)) { (one.name) } })
            .text(|one| one.name.clone())
            .wide()
            .narrow(),
        Column::new("status", d::col_state(cx), |one: &Phased| status(cx, one.status))
            .text(|one| ui::word(&one.status))
            .narrow(),
        Column::new("group", d::update_group(cx), |one: &Phased| names::group_link(&one.group))
            .text(|one| one.group.name.clone()),
        Column::new("phase", t::col_phase(cx), move |one: &Phased| {
            html! { (at(one)) @if let Some(phase) = current(one) { " · " (phase.spec.name.as_deref().unwrap_or(&phase.spec.collection)) } }
        })
        .text(at)
        .narrow(),
        Column::new("share", t::col_succeeded(cx), move |one: &Phased| match (share(one), current(one)) {
            (Some(percent), Some(phase)) => html! {
                div.mini { (chart::meter(cx, t::col_succeeded(cx), percent, shares(phase).1)) span.number { (ui::percent(cx, percent)) } }
            },
            _ => ui::none(cx),
        })
        .text(move |one| share(one).map(|percent| format!("{percent:.1}")).unwrap_or_default()),
        Column::new("gate", t::col_gate(cx), |one: &Phased| {
            html! { span lang="en" { (current(one).and_then(|phase| phase.gate.as_deref()).unwrap_or_default()) } }
        })
        .text(|one| current(one).and_then(|phase| phase.gate.clone()).unwrap_or_default()),
        Column::new("created", d::col_created(cx), |one: &Phased| ui::time(cx, one.created_at))
            .text(|one| one.created_at.to_string()),
        Column::new("by", d::col_by(cx), |one: &Phased| html! { (one.created_by) })
            .text(|one| one.created_by.clone())
            .hidden(),
    ]
}
