//! Who is in which state of an update, and how that went.

use axum::response::Response;
use maud::{Markup, html};
use weir_api::{
    List,
    compliance::{ComputerStanding, ComputerStandingQuery, ComputerState},
    history::{HistoryQuery, TimeToQuery},
};

use super::progress;
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    screens::current,
    texts::{common, current as c, updates as t},
    ui::{
        self,
        badge::State,
        grid::{CSV_ROWS, Column, Grid},
    },
};

/// The tab of an update.
pub(super) async fn show(cx: &Cx, id: &str) -> Result<Markup, Failure> {
    let history = HistoryQuery { update: Some(id.to_owned()), ..HistoryQuery::default() };
    let time_to = TimeToQuery { update: Some(id.to_owned()), ..TimeToQuery::default() };
    let query = query(cx, Some(id), None);
    let (list, history, time_to) = tokio::join!(
        cx.api.get::<List<ComputerStanding>>("/compliance/computers", &query),
        progress::history(cx, &history),
        progress::time_to(cx, &time_to),
    );
    let list = list?;
    let table = grid(cx, &list.items, true).next(list.next.as_deref()).render();
    Ok(html! {
        (ui::live("progress-live", "compliance", html! { (history) (time_to) }))
        (ui::live("results-live", "compliance", table))
    })
}

/// All computers of the tab as CSV.
pub(super) async fn csv(cx: &Cx, id: &str) -> Result<Response, Failure> {
    let rows = all(cx, query(cx, Some(id), None)).await?;
    Ok(grid(cx, &rows, true).csv())
}

/// What REST is asked for: of an update, or of a group, narrowed as the address says.
pub(super) fn query(cx: &Cx, update: Option<&str>, group: Option<&str>) -> ComputerStandingQuery {
    ComputerStandingQuery {
        update: update.map(str::to_owned),
        group: group.map(str::to_owned),
        state: cx.address.value("state").and_then(|word| serde_json::from_value::<ComputerState>(word.into()).ok()),
        server: cx.server(),
        cursor: cx.address.value("cursor").map(str::to_owned),
        ..ComputerStandingQuery::default()
    }
}

/// Follows the list to its end.
pub(super) async fn all(cx: &Cx, query: ComputerStandingQuery) -> Result<Vec<ComputerStanding>, Failure> {
    let query = ComputerStandingQuery { limit: Some(1000), ..query };
    cx.api
        .all(CSV_ROWS, |cursor| {
            let query = ComputerStandingQuery { cursor, ..query.clone() };
            async move { cx.api.get("/compliance/computers", &query).await }
        })
        .await
}

/// Computers with their states; with since when and the error, where REST tells these of one update.
pub(super) fn grid<'a>(cx: &'a Cx, rows: &'a [ComputerStanding], of_update: bool) -> Grid<'a, ComputerStanding> {
    let mut columns = vec![
        Column::new("name", t::computer(cx), |one: &ComputerStanding| {
            html! {
                a href=(path(&["computers", &one.id])) { (if one.name.is_empty() { &one.id } else { &one.name }) }
            }
        })
        .text(|one| if one.name.is_empty() { one.id.clone() } else { one.name.clone() })
        .wide()
        .narrow(),
        Column::new("state", t::state(cx), |one: &ComputerStanding| State::from(one.state).badge(cx))
            .text(|one| ui::word(&one.state))
            .narrow(),
        Column::new("reason", c::because(cx), |one: &ComputerStanding| {
            html! { @if let Some(reason) = one.reason { (current::reason(cx, reason)) } }
        })
        .text(|one| one.reason.as_ref().map(ui::word).unwrap_or_default()),
    ];
    if of_update {
        columns.push(
            Column::new("error", t::error(cx), |one: &ComputerStanding| {
                html! { @if let Some(error) = &one.error {
                    a href=(path(&["computers", "errors", error])) { code { (error) } }
                } }
            })
            .text(|one| one.error.clone().unwrap_or_default())
            .narrow(),
        );
        columns.push(
            Column::new("since", t::since(cx), |one: &ComputerStanding| ui::time_or(cx, one.since))
                .text(|one| one.since.map(|at| at.to_string()).unwrap_or_default()),
        );
    }
    columns.push(
        Column::new("contact", t::contact(cx), |one: &ComputerStanding| ui::ago(cx, one.last_contact))
            .text(|one| one.last_contact.to_string()),
    );
    columns.push(
        Column::new("report", t::report(cx), |one: &ComputerStanding| {
            one.last_report.map_or_else(|| ui::none(cx), |at| ui::ago(cx, at))
        })
        .text(|one| one.last_report.map(|at| at.to_string()).unwrap_or_default())
        .hidden(),
    );
    let filters = html! {
        label { (t::state(cx)) " "
            select name="state" data-submit {
                option value="" { (t::any_state(cx)) }
                @for each in State::ALL { option value=(each.key()) selected[cx.address.value("state") == Some(each.key())] { (each.label(cx)) } }
            }
        }
    };
    Grid::new(cx, "results", t::tab_results(cx), columns, rows).filters(filters).empty(html! {
        p { (t::no_results(cx)) }
        @if cx.address.value("state").is_some() { p { a.button href=(cx.address.first().without("state")) { (common::facets_clear(cx)) } } }
    })
}
