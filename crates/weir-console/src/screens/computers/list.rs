//! The list of computers.

use axum::response::Response;
use maud::{Markup, html};
use weir_api::{List, access::Role, computer::ComputerRow};

use super::{collection_links, facets, freshness, link, names, needed, rest, state};
use crate::{
    address::Address,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::updates::may_here,
    texts::computers as t,
    ui::{
        self,
        badge::{Tone, badge},
        form::Errors,
        grid::{Action, CSV_ROWS, Column, Grid, wants_csv},
    },
};

/// The list, or its CSV.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    let cx = facets::settled(&cx);
    let query = facets::query(&cx);
    if wants_csv(&cx.address) {
        let rows = rest::computers(&cx, &rest::ComputersQuery { cursor: None, ..query }, CSV_ROWS).await?;
        return Ok(Grid::new(&cx, "computers", t::title(&cx), columns(&cx, |row| row), &rows).csv());
    }
    // the pages that follow are asked for their rows only
    let counts = async {
        if query.cursor.is_some() { facets::Counts::default() } else { facets::Counts::load(&cx, &query).await }
    };
    let (list, counts) = tokio::join!(cx.api.get::<List<ComputerRow>>("/computers", &query), counts);
    let (list, errors) = match list {
        Ok(list) => (list, Errors::default()),
        Err(failure) => {
            let fields = ["filter", "text", "sort", "cursor"];
            (List { items: Vec::new(), next: None }, Errors::of(&failure.into_problem()?, &fields))
        }
    };
    let total = counts.total(&query);
    let grid = Grid::new(&cx, "computers", t::title(&cx), columns(&cx, |row| row), &list.items)
        .next(list.next.as_deref())
        .filters(filters(&cx))
        .facets(counts.groups(&cx))
        .empty(empty(&cx));
    let grid = match total {
        Some(total) => grid.total(total),
        None => grid,
    };
    let grid = selected(&cx, grid, |row| row.id.clone());
    let body = html! { (errors.summary(&cx)) (grid.render()) };
    let mut page = Page::new(&cx, t::title(&cx)).body(body);
    if let Some(filter) = query.filter.as_deref().filter(|_| cx.may(Role::SoftwareUpdateManager)) {
        let new = Address::new("/computers/collections/new").with("kind", "rule").with("rule", filter);
        page = page.actions(html! { a.button href=(new) { (t::filter_collection(&cx)) } });
    }
    if let (Some(all), None) = (counts.all.as_ref().filter(|all| all.computers > 0), &query.state) {
        let percent = all.compliant as f64 * 100.0 / all.computers as f64;
        page = page
            .fact(t::fact_compliant(&cx), html! { (ui::percent(&cx, percent)) })
            .fact(t::fact_needing(&cx), html! { (ui::number(&cx, all.states.required + all.states.downloaded)) })
            .fact(t::fact_failing(&cx), html! { (ui::number(&cx, all.states.failed)) });
    }
    page.render().await
}

/// What can be done with the rows that are selected.
pub(super) fn selected<'a, R>(
    cx: &Cx,
    grid: Grid<'a, R>,
    key: impl Fn(&R) -> String + Send + Sync + 'a,
) -> Grid<'a, R> {
    let manages = cx.may(Role::SoftwareUpdateManager);
    let acts = ["add", "move", "remove", "delete"].into_iter().filter(|_| manages);
    let acts = acts.chain(may_here(cx, Role::Operator).then_some("retire"));
    let actions: Vec<Action> =
        acts.map(|act| Action { label: t::acts(cx, act), to: "/computers/change", act }).collect();
    if actions.is_empty() { grid } else { grid.select(key, actions) }
}

/// The columns of a list of computers; `of` finds the computer of a row.
pub(super) fn columns<'a, R: 'a>(cx: &'a Cx, of: fn(&R) -> &ComputerRow) -> Vec<Column<'a, R>> {
    vec![
        Column::new("name", t::col_name(cx), move |row: &R| {
            let row = of(row);
            html! { (link(&row.name, &row.id)) div.quiet { (row.address.as_deref().unwrap_or_default()) } }
        })
        .text(move |row| of(row).name.clone())
        .sort("name")
        .wide()
        .narrow(),
        Column::new("state", t::col_state(cx), move |row: &R| state(of(row)).badge(cx))
            .text(move |row| state(of(row)).key().to_owned())
            .narrow(),
        Column::number(cx, "needed", t::col_needed(cx), move |row: &R| needed(of(row))).narrow(),
        Column::number(cx, "failed", t::col_failed(cx), move |row: &R| of(row).counts.failed).narrow(),
        Column::new("os", t::col_os(cx), move |row: &R| html! { (of(row).os) }).text(move |row| of(row).os.clone()),
        Column::new("freshness", t::col_freshness(cx), move |row: &R| freshness(cx, of(row).freshness.as_ref()))
            .text(move |row| of(row).freshness.as_ref().map(|known| ui::word(&known.class)).unwrap_or_default())
            .narrow(),
        Column::new("contact", t::col_contact(cx), move |row: &R| ui::ago(cx, of(row).last_contact))
            .text(move |row| of(row).last_contact.to_string())
            .sort("last_contact")
            .narrow(),
        Column::new("scan", t::col_scan(cx), move |row: &R| ago_or(cx, of(row).last_sync))
            .text(move |row| of(row).last_sync.map(|at| at.to_string()).unwrap_or_default())
            .hidden(),
        Column::new("report", t::col_report(cx), move |row: &R| ago_or(cx, of(row).last_report))
            .text(move |row| of(row).last_report.map(|at| at.to_string()).unwrap_or_default())
            .sort("last_report")
            .hidden(),
        Column::new("collections", t::collections(cx), move |row: &R| collection_links(cx, &of(row).collections))
            .text(move |row| names(&of(row).collections)),
        Column::new("site", t::col_site(cx), move |row: &R| html! { (site(cx, of(row))) })
            .text(move |row| of(row).server.as_ref().map(|server| server.name.clone()).unwrap_or_default()),
        Column::new("transport", t::col_transport(cx), move |row: &R| transport(cx, of(row)))
            .text(move |row| told_transport(of(row)).unwrap_or_default().to_owned())
            .hidden(),
        Column::new(
            "address",
            t::col_address(cx),
            move |row: &R| html! { (of(row).address.as_deref().unwrap_or_default()) },
        )
        .text(move |row| of(row).address.clone().unwrap_or_default())
        .sort("address")
        .hidden(),
        Column::new("model", t::col_model(cx), move |row: &R| html! { (of(row).model) })
            .text(move |row| of(row).model.clone())
            .hidden(),
        Column::new("architecture", t::col_architecture(cx), move |row: &R| html! { (of(row).architecture) })
            .text(move |row| of(row).architecture.clone())
            .hidden(),
        Column::number(cx, "installed", t::col_installed(cx), move |row: &R| of(row).counts.installed).hidden(),
        Column::new("first", t::col_first(cx), move |row: &R| ui::time(cx, of(row).first_seen))
            .text(move |row| of(row).first_seen.to_string())
            .sort("first_seen")
            .hidden(),
        Column::new("id", t::col_id(cx), move |row: &R| html! { code { (of(row).id) } })
            .text(move |row| of(row).id.clone())
            .hidden(),
    ]
}

fn ago_or(cx: &Cx, at: Option<jiff::Timestamp>) -> Markup {
    at.map_or_else(|| ui::none(cx), |at| ui::ago(cx, at))
}

/// The server that a computer scans against.
pub(super) fn site<'a>(cx: &'a Cx, row: &'a ComputerRow) -> &'a str {
    row.server.as_ref().map_or_else(|| t::this_server(cx), |server| server.name.as_str())
}

/// How the last call came; of computers of other servers that is not told.
fn told_transport(row: &ComputerRow) -> Option<&'static str> {
    row.server.is_none().then_some(if row.plain_http { "HTTP" } else { "HTTPS" })
}

/// The same as a badge.
pub(super) fn transport(cx: &Cx, row: &ComputerRow) -> Markup {
    match told_transport(row) {
        None => ui::none(cx),
        Some(word) => badge(if row.plain_http { Tone::Warn } else { Tone::Plain }, word),
    }
}

/// The fields above the list.
pub(super) fn filters(cx: &Cx) -> Markup {
    html! {
        label.hide for="text" { (t::filter_text(cx)) }
        input #text type="search" name="text" value=[cx.address.value("text")] placeholder=(t::filter_text(cx)) maxlength="256";
        details.advanced open[cx.address.value("filter").is_some()] {
            summary { (t::filter_expression(cx)) }
            label.hide for="f-filter" { (t::filter_expression(cx)) }
            input #f-filter.wide type="text" name="filter" value=[cx.address.value("filter")] spellcheck="false"
                placeholder="os ~ \"server 2022\" and last_contact < 7 days" aria-describedby="h-filter";
            p.help id="h-filter" { (t::filter_help(cx)) @if cx.may(Role::SoftwareUpdateManager) { " " a href="/computers/collections/new?kind=rule" { (t::filter_builder(cx)) } } }
        }
    }
}

fn empty(cx: &Cx) -> Markup {
    let narrowed = ["text", "f", "site", "filter"].into_iter().any(|name| cx.address.value(name).is_some());
    if narrowed {
        ui::empty(t::empty_narrowed(cx), Some((t::empty_widen(cx), "/computers")))
    } else {
        ui::empty(t::empty_all(cx), Some((t::empty_policy(cx), "/settings/policy")))
    }
}
