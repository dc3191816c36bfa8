//! The list of groups.

use axum::response::Response;
use maud::{Markup, html};
use weir_api::{
    List,
    access::Role,
    update_group::{ListedUpdateGroup, UpdateGroup, UpdateGroupList, UpdateGroupQuery},
};

use super::address;
use crate::{
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::updates::may_here,
    texts::update_groups as t,
    ui::{
        self,
        badge::{Tone, badge},
        chart,
        form::Errors,
        grid::{Column, Grid, wants_csv},
    },
};

/// Groups of a page: each is counted over all computers.
const ROWS: u32 = 25;
/// Groups of a CSV file.
const MOST: usize = 1_000;

/// The list, or its CSV.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    let sort = cx.address.value("sort").map(str::to_owned);
    let query = UpdateGroupQuery { sort, compliance: true, server: cx.server(), ..UpdateGroupQuery::default() };
    if wants_csv(&cx.address) {
        let rows = cx.api.all(MOST, |cursor| {
            let query = UpdateGroupQuery { cursor, limit: Some(1000), ..query.clone() };
            let api = &cx.api;
            async move { api.get::<List<ListedUpdateGroup>>("/groups", &query).await }
        });
        return Ok(grid(&cx, &rows.await?).csv());
    }
    let cursor = cx.address.value("cursor").map(str::to_owned);
    let asked = UpdateGroupQuery { cursor, limit: Some(ROWS), ..query };
    let (list, errors) = match cx.api.get::<UpdateGroupList>("/groups", &asked).await {
        Ok(list) => (list, Errors::default()),
        Err(failure) => (UpdateGroupList::default(), Errors::of(&failure.into_problem()?, &["sort", "cursor"])),
    };
    let table = grid(&cx, &list.items).next(list.next.as_deref()).total(list.total).render();
    let actions = html! {
        @if may_here(&cx, Role::SoftwareUpdateManager) { a.button.primary href="/updates/groups/new" { (t::new(&cx)) } }
    };
    Page::new(&cx, t::title(&cx))
        .actions(actions)
        .body(html! { (errors.summary(&cx)) (ui::live("groups-live", "groups compliance deployments", table)) })
        .render()
        .await
}

fn grid<'a>(cx: &'a Cx, rows: &'a [ListedUpdateGroup]) -> Grid<'a, ListedUpdateGroup> {
    let columns = vec![
        Column::new("name", t::name(cx), |row: &ListedUpdateGroup| {
            html! {
                a href=(address(&row.group)) { (row.group.name) }
                @if !row.group.description.is_empty() { div.quiet { (row.group.description) } }
            }
        })
        .text(|row| row.group.name.clone())
        .sort("name")
        .wide()
        .narrow(),
        Column::number(cx, "members", t::members(cx), |row: &ListedUpdateGroup| row.group.members)
            .sort("members")
            .narrow(),
        Column::new("deployed", t::deployed(cx), |row: &ListedUpdateGroup| deployed(cx, &row.group))
            .text(|row| row.group.deployments.len().to_string())
            .sort("deployments")
            .narrow(),
        Column::new("compliance", t::compliance(cx), |row: &ListedUpdateGroup| compliance(cx, row))
            .text(|row| row.compliance.as_ref().and_then(|it| it.percent).map(|it| it.to_string()).unwrap_or_default())
            .narrow(),
        Column::new("failed", t::failed(cx), |row: &ListedUpdateGroup| {
            row.compliance
                .as_ref()
                .map_or_else(|| ui::none(cx), |summary| html! { (ui::number(cx, summary.counts.failed)) })
        })
        .text(|row| row.compliance.as_ref().map(|summary| summary.counts.failed.to_string()).unwrap_or_default()),
        Column::new("created", t::created(cx), |row: &ListedUpdateGroup| ui::time(cx, row.group.created_at))
            .text(|row| row.group.created_at.to_string())
            .sort("created"),
        Column::new("by", t::created_by(cx), |row: &ListedUpdateGroup| html! { (row.group.created_by) })
            .text(|row| row.group.created_by.clone())
            .hidden(),
        Column::new("id", t::id(cx), |row: &ListedUpdateGroup| html! { code { (row.group.id) } })
            .text(|row| row.group.id.to_string())
            .hidden(),
    ];
    let next = may_here(cx, Role::SoftwareUpdateManager).then(|| (t::new(cx), "/updates/groups/new"));
    Grid::new(cx, "groups", t::title(cx), columns, rows).empty(ui::empty(t::empty(cx), next))
}

/// Whether a group is deployed, and how often.
pub(super) fn deployed(cx: &Cx, group: &UpdateGroup) -> Markup {
    if group.deployments.is_empty() {
        badge(Tone::Plain, t::not_deployed(cx))
    } else {
        badge(Tone::Good, &t::deployed_times(cx, group.deployments.len() as u64))
    }
}

fn compliance(cx: &Cx, row: &ListedUpdateGroup) -> Markup {
    let Some(summary) = row.compliance.as_ref().filter(|summary| summary.computers > 0) else { return ui::none(cx) };
    html! {
        (chart::meter(cx, t::compliance(cx), summary.percent, None))
        (ui::percent(cx, summary.percent))
    }
}
