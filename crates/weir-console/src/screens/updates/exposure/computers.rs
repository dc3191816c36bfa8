//! Computers with the vulnerabilities that they are exposed to.

use axum::response::Response;
use maud::html;
use weir_api::{
    List,
    exposure::{Computer, ComputerList, ComputerQuery},
};

use super::{
    tabs,
    words::{LEVELS, STATES, choice, chosen, options},
};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::exposure as t,
    ui::{
        self,
        grid::{CSV_ROWS, Column, Grid, wants_csv},
    },
};

/// The list, or its CSV.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    if wants_csv(&cx.address) {
        let rows = cx.api.all(CSV_ROWS, |cursor| {
            let page = page(&cx, cursor, 1000);
            async move { page.await.map(|list| List { items: list.items, next: list.next }) }
        });
        return Ok(grid(&cx, &rows.await?).csv());
    }
    let list = page(&cx, cx.address.value("cursor").map(str::to_owned), 100).await?;
    let table = grid(&cx, &list.items).next(list.next.as_deref()).total(list.total).render();
    let body = ui::live("exposed-live", "exposure compliance computers", table);
    Page::new(&cx, t::computers(&cx))
        .crumb(t::title(&cx), cx.to("/updates/exposure"))
        .tabs(tabs(&cx))
        .body(body)
        .render()
        .await
}

async fn page(cx: &Cx, cursor: Option<String>, limit: u32) -> Result<ComputerList, Failure> {
    let query = ComputerQuery {
        state: chosen(cx, "state"),
        level: chosen(cx, "level"),
        text: cx.address.value("text").map(|text| text.chars().take(256).collect()),
        sort: cx.address.value("sort").map(str::to_owned),
        collection: cx.address.value("collection").map(str::to_owned),
        cursor,
        limit: Some(limit),
    };
    cx.api.get("/exposure/computers", &query).await
}

fn grid<'a>(cx: &'a Cx, rows: &'a [Computer]) -> Grid<'a, Computer> {
    let columns = vec![
        Column::new("name", t::computer(cx), |row: &Computer| {
            html! { a href=(path(&["computers", &row.id])) { (if row.name.is_empty() { &row.id } else { &row.name }) } }
        })
        .text(|row| if row.name.is_empty() { row.id.clone() } else { row.name.clone() })
        .sort("name")
        .wide()
        .narrow(),
        Column::number(cx, "breached", t::breached(cx), |row: &Computer| row.levels.breached).sort("breached").narrow(),
        Column::number(cx, "due_soon", t::due_soon(cx), |row: &Computer| row.levels.due_soon).sort("due_soon"),
        Column::number(cx, "exposed", t::exposed_cves(cx), |row: &Computer| row.cves.exposed).sort("exposed").narrow(),
        Column::number(cx, "exploited", t::exploited(cx), |row: &Computer| row.exploited).sort("exploited").narrow(),
        Column::number(cx, "no_data", t::no_data(cx), |row: &Computer| row.cves.no_data).sort("no_data"),
        Column::number(cx, "excepted", t::excepted_head(cx), |row: &Computer| row.levels.excepted)
            .sort("excepted")
            .hidden(),
        Column::number(cx, "fixed", t::fixed(cx), |row: &Computer| row.cves.fixed).sort("fixed").hidden(),
        Column::new("id", t::id(cx), |row: &Computer| html! { code { (row.id) } }).text(|row| row.id.clone()).hidden(),
    ];
    let named = crate::texts::computers::filter_text(cx);
    let filters = html! {
        label.hide for="text" { (named) }
        input #text type="search" name="text" value=[cx.address.value("text")] placeholder=(named) maxlength="256";
        (choice(cx, "state", t::state_head(cx), t::any_state(cx), &options(&STATES, |word| t::state(cx, word))))
        (choice(cx, "level", t::level_head(cx), t::any_level(cx), &options(&LEVELS, |word| t::level(cx, word))))
        label { (t::filter_collection(cx)) " " input type="text" name="collection" value=[cx.address.value("collection")] size="24"; }
    };
    let narrowed = ["state", "level", "collection", "text"].into_iter().any(|name| cx.address.value(name).is_some());
    let empty = if narrowed {
        ui::empty(t::computers_empty(cx), Some((t::empty_widen_computers(cx), "/updates/exposure/computers")))
    } else {
        ui::empty(t::computers_none(cx), Some((t::to_computers(cx), "/computers")))
    };
    Grid::new(cx, "exposed", t::computers(cx), columns, rows).filters(filters).empty(empty)
}
