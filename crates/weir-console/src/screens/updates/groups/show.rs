//! One group: members with how computers stand with them, deployments, compliance, computers.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::{
    List,
    access::Role,
    compliance::{ComputerStanding, Summary, SummaryQuery},
    deployment::{Deployment, DeploymentQuery},
    history::{HistoryQuery, TimeToQuery},
    update_group::UpdateGroup,
};

use super::{address, find, key, list::deployed, members};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::{
        current::Current,
        updates::{detail, may_here, progress, results},
    },
    texts::update_groups as t,
    ui::{self, chart, grid::wants_csv, tabs::Tab},
};

/// The page, with the tab of the address.
pub(super) async fn show(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let query = SummaryQuery { group: Some(name.clone()), server: cx.server(), ..SummaryQuery::default() };
    let (group, summary) = tokio::join!(find(&cx, &name), cx.api.get::<Summary>("/compliance/summary", &query));
    let group = group?;
    let id = group.id.to_string();
    let tab = cx.address.value("tab");
    if wants_csv(&cx.address) {
        return match tab {
            None => members::csv(&cx, &group).await,
            Some("deployments") => Ok(detail::deployments(&cx, &deployments(&cx, &id).await?).csv()),
            Some("computers") => {
                let rows = results::all(&cx, results::query(&cx, None, Some(&id))).await?;
                Ok(results::grid(&cx, &rows, false).csv())
            }
            Some(_) => Err(Failure::NotFound),
        };
    }
    let summary = summary.ok();
    let body = match tab {
        None => members::show(&cx, &group).await?,
        Some("deployments") => {
            let rows = deployments(&cx, &id).await?;
            let grid = detail::deployments(&cx, &rows);
            let grid = if rows.is_empty() { grid.empty(html! { (t::not_deployed_help(&cx)) }) } else { grid };
            ui::live("group-deployments", "deployments groups", grid.render())
        }
        Some("compliance") => compliance(&cx, &group, summary.as_ref()).await,
        Some("computers") => computers(&cx, &id).await?,
        Some(_) => return Err(Failure::NotFound),
    };
    let percent = summary.as_ref().filter(|summary| summary.computers > 0 && group.members > 0);
    let tabs = vec![
        Tab::new(&cx, "members", true, t::members(&cx)).number(group.members),
        Tab::new(&cx, "deployments", false, t::deployments(&cx)).number(group.deployments.len() as u64),
        Tab::new(&cx, "compliance", false, t::compliance(&cx)),
        Tab::new(&cx, "computers", false, t::computers(&cx)),
    ];
    let body = html! {
        @if !group.description.is_empty() { p.description { (group.description) } }
        (body)
    };
    Page::new(&cx, &group.name)
        .crumb(t::title(&cx), cx.to("/updates/groups"))
        .fact(t::members(&cx), html! { (ui::number(&cx, group.members)) })
        .fact(
            t::compliance(&cx),
            percent.map_or_else(|| ui::none(&cx), |summary| html! { (ui::percent(&cx, summary.percent)) }),
        )
        .fact(t::deployments(&cx), deployed(&cx, &group))
        .tabs(tabs)
        .actions(acts(&cx, &group))
        .body(body)
        .render()
        .await
}

fn acts(cx: &Cx, group: &UpdateGroup) -> Markup {
    let base = address(group);
    html! {
        @if group.members > 0 && cx.may(Role::SoftwareUpdateManager) {
            a.button.primary href=(Address::new("/deployments/new").with("group", &group.name)) { (t::deploy(cx)) }
        }
        @if may_here(cx, Role::SoftwareUpdateManager) {
            a.button href={ (base) "/add" } { (t::add(cx)) }
            a.button href={ (base) "/edit" } { (t::edit(cx)) }
            form.inline method="post" action={ (base) "/delete" } data-dialog { button type="submit" { (t::delete(cx)) } }
        }
    }
}

async fn deployments(cx: &Cx, id: &str) -> Result<Vec<Deployment>, Failure> {
    cx.api
        .all(1000, |cursor| {
            let query = DeploymentQuery { group: Some(id.to_owned()), cursor, ..DeploymentQuery::default() };
            async move { cx.api.get::<List<Deployment>>("/deployments", &query).await }
        })
        .await
}

async fn compliance(cx: &Cx, group: &UpdateGroup, summary: Option<&Summary>) -> Markup {
    let id = group.id.to_string();
    let history = HistoryQuery { group: Some(id.clone()), ..HistoryQuery::default() };
    let time_to = TimeToQuery { group: Some(id.clone()), ..TimeToQuery::default() };
    // links of the states of the last record lead to the tab of computers
    let computers = cx.at(Address::new(path(&["updates", "groups", &key(group)])).with("tab", "computers"));
    let (history, time_to, rings) = tokio::join!(
        progress::history(&computers, &history),
        progress::time_to(cx, &time_to),
        progress::rings(cx, &id),
    );
    let now = html! {
        @if let Some(summary) = summary {
            section.panel {
                (chart::states(cx, t::states(cx), &summary.counts, |state| Some(computers.address.with("state", state).to_string())))
                p.quiet { (t::compliant_of(cx, summary.computers, ui::number(cx, summary.compliant))) " · " (ui::time(cx, summary.as_of)) }
                (Current::from(summary).show(cx, &cx.to("/computers")))
            }
        }
    };
    ui::live("group-compliance", "compliance groups deployments", html! { (now) (history) (time_to) (rings) })
}

async fn computers(cx: &Cx, id: &str) -> Result<Markup, Failure> {
    let query = results::query(cx, None, Some(id));
    let list: List<ComputerStanding> = cx.api.get("/compliance/computers", &query).await?;
    let table = results::grid(cx, &list.items, false).next(list.next.as_deref()).render();
    Ok(ui::live("group-computers", "compliance groups", table))
}
