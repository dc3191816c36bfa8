//! What a computer told, newest first.

use axum::http::StatusCode;
use maud::html;
use weir_api::{
    List,
    computer::{ComputerDetail, TimelineEntry},
    list::ListQuery,
};

use super::super::{Part, code};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    texts::computers as t,
    ui::{
        self,
        badge::State,
        grid::{Column, Grid},
    },
};

/// A page of it.
pub(super) async fn show(cx: &Cx, computer: &ComputerDetail) -> Result<Part, Failure> {
    let here = path(&["computers", &computer.row.id, "timeline"]);
    let asked = super::super::listed(cx, |cursor, limit| {
        let (query, here) = (ListQuery { cursor, limit }, here.as_str());
        async move { cx.api.get::<List<TimelineEntry>>(here, &query).await }
    });
    let list = match asked.await {
        Ok(list) => list,
        // the computer is here, so it is the resource that is not
        Err(failure) if failure.status() == StatusCode::NOT_FOUND => {
            return Ok(Part::Page(ui::empty(t::timeline_absent(cx), None)));
        }
        Err(failure) => return Err(failure),
    };
    let columns = vec![
        Column::new("what", t::col_what(cx), |row: &TimelineEntry| {
            html! {
                span lang="en" { (row.text) }
                @if let Some(update) = &row.update { div { a href=(path(&["updates", &update.id.to_string()])) { (update.name) } } }
                @if let Some(meaning) = &row.error_meaning { div.quiet lang="en" { (meaning) } }
            }
        })
        .text(|row| match &row.update {
            None => row.text.clone(),
            Some(update) => format!("{}: {}", row.text, update.name),
        })
        .wide()
        .narrow(),
        Column::new("state", t::col_state(cx), |row: &TimelineEntry| {
            row.state.map_or_else(|| ui::none(cx), |state| State::from(state).badge(cx))
        })
        .text(|row| row.state.map(|state| ui::word(&state)).unwrap_or_default())
        .narrow(),
        Column::new("error", t::col_error(cx), |row: &TimelineEntry| code(cx, row.error.as_deref()))
            .text(|row| row.error.clone().unwrap_or_default())
            .narrow(),
        Column::new("at", t::col_when(cx), |row: &TimelineEntry| ui::time(cx, row.at))
            .text(|row| row.at.to_string())
            .narrow(),
        Column::new("received", t::col_received(cx), |row: &TimelineEntry| ui::time(cx, row.received_at))
            .text(|row| row.received_at.to_string()),
        Column::new("event", t::col_event(cx), |row: &TimelineEntry| html! { code { (row.event) } })
            .text(|row| row.event.to_string())
            .hidden(),
    ];
    let grid = Grid::new(cx, "timeline", t::tab_timeline(cx), columns, &list.items)
        .next(list.next.as_deref())
        .empty(html! { p { (t::timeline_none(cx)) } });
    Ok(Part::of(cx, &grid, |grid| ui::live("timeline-live", "computers", grid)))
}
