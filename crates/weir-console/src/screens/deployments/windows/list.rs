//! The list of windows.

use maud::html;
use weir_api::{access::Role, window::Window};

use super::{address, calendar::duration};
use crate::{
    cx::Cx,
    screens::deployments::names,
    texts::{deployments as d, deployments_windows as t},
    ui::{
        self,
        badge::{Tone, badge},
        grid::{Column, Grid},
    },
};

/// The clock that a window is read by.
pub(super) fn clock(cx: &Cx, one: &Window) -> String {
    match &one.zone {
        Some(zone) if !one.local => zone.clone(),
        _ => t::clock(cx, "local"),
    }
}

/// All windows, by collection and name.
pub(super) fn grid<'a>(cx: &'a Cx, rows: &'a [Window]) -> Grid<'a, Window> {
    let columns = vec![
        Column::new("name", d::col_name(cx), |one: &Window| {
            html! { a href=(address(one)) { (one.name) } @if one.from_parent { " " (badge(Tone::Plain, d::from_parent(cx))) } }
        })
        .text(|one| one.name.clone())
        .wide()
        .narrow(),
        Column::new("collection", d::col_collection(cx), |one: &Window| names::collection_link(&one.collection))
            .text(|one| one.collection.name.clone())
            .narrow(),
        Column::new("schedule", d::schedule(cx), |one: &Window| html! { span lang="en" { (one.description) } })
            .text(|one| one.schedule.clone()),
        Column::new("minutes", t::col_duration(cx), |one: &Window| html! { (duration(cx, one.minutes)) })
            .text(|one| one.minutes.to_string()),
        Column::new("clock", t::col_zone(cx), |one: &Window| html! { (clock(cx, one)) })
            .text(|one| one.zone.clone().unwrap_or_default()),
        Column::new("next", t::col_next(cx), |one: &Window| ui::time_or(cx, one.next))
            .text(|one| one.next.map(|at| at.to_string()).unwrap_or_default())
            .narrow(),
        Column::new("kind", t::col_kind(cx), |one: &Window| html! { (t::kind(cx, &ui::word(&one.kind))) })
            .text(|one| ui::word(&one.kind)),
        Column::new("state", d::col_state(cx), |one: &Window| standing(cx, one)).text(|one| one.enabled.to_string()),
        Column::new("changed", d::col_changed(cx), |one: &Window| ui::time(cx, one.changed_at))
            .text(|one| one.changed_at.to_string())
            .hidden(),
        Column::new("by", d::col_by(cx), |one: &Window| html! { (one.changed_by) })
            .text(|one| one.changed_by.clone())
            .hidden(),
    ];
    let new = cx.may(Role::SoftwareUpdateManager).then(|| (t::new(cx), "/deployments/windows/new"));
    Grid::new(cx, "windows", d::windows(cx), columns, rows).empty(ui::empty(t::empty(cx), new))
}

/// Whether it counts.
pub(super) fn standing(cx: &Cx, one: &Window) -> maud::Markup {
    if one.enabled { badge(Tone::Good, t::counts(cx)) } else { badge(Tone::Plain, &d::state(cx, "disabled")) }
}
