//! One window: when it comes, whose computers it is for, and what fits into it.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::{
    List,
    access::Role,
    deployment::{Deployment, DeploymentCreate, DeploymentQuery},
    window::{CalendarQuery, NextWindow, Window, WindowChange, WindowChanged, WindowOccurrence},
};

use super::{address, calendar::duration, list, next, resource};
use crate::{
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::deployments::{
        names,
        preview::{self, Foreseen},
    },
    texts::{common, deployments as d, deployments_windows as t},
    ui::{
        self,
        badge::{Tone, badge},
        form::{Errors, Field},
    },
};

/// Times that are shown.
const TIMES: usize = 8;

/// The page.
pub(super) async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let one: Window = cx.api.get(&resource(&id), &()).await?;
    let collection = one.collection.id.to_string();
    let (next, times, fit) = tokio::join!(next(&cx, &collection), times(&cx, &one), fit(&cx, &one));
    let (times, fit) = (times, fit?);
    let may = cx.may(Role::SoftwareUpdateManager) && !one.from_parent;
    let body = html! {
        (ui::live("window-live", "collections", html! {
            div.columns {
                section.panel { h2 { (d::facts(&cx)) } (facts(&cx, &one)) }
                section.panel {
                    h2 { (t::next_times(&cx)) }
                    @if times.is_empty() { p { (t::times_none(&cx)) } }
                    @else {
                        ul { @for row in &times { li { (row.local_start) " " span.quiet { (row.zone) } } } }
                    }
                    @if let Some(next) = &next { (of_collection(&cx, next)) }
                }
            }
        }))
        (fit)
    };
    let acts = html! {
        @if may {
            a.button href={ (address(&one)) "/edit" } { (d::edit(&cx)) }
            a.button href={ (address(&one)) "/delete" } { (d::acts(&cx, "delete")) }
        }
    };
    Page::new(&cx, &one.name)
        .crumb(d::windows(&cx), "/deployments/windows")
        .fact(d::col_collection(&cx), names::collection_link(&one.collection))
        .fact(t::col_next(&cx), ui::time_or(&cx, one.next))
        .fact(t::col_duration(&cx), html! { (duration(&cx, one.minutes)) })
        .actions(acts)
        .body(body)
        .render()
        .await
}

fn facts(cx: &Cx, one: &Window) -> Markup {
    ui::facts([
        (
            d::schedule(cx).to_owned(),
            html! { span lang="en" { (one.description) } div.quiet { code { (one.schedule) } } },
        ),
        (t::col_duration(cx).to_owned(), html! { (duration(cx, one.minutes)) }),
        (t::col_zone(cx).to_owned(), html! { (list::clock(cx, one)) }),
        (
            t::col_kind(cx).to_owned(),
            html! { (t::kind(cx, &ui::word(&one.kind))) div.quiet { (t::kind_help(cx, &ui::word(&one.kind))) } },
        ),
        (
            d::col_state(cx).to_owned(),
            html! { (list::standing(cx, one)) @if one.from_parent { " " (badge(Tone::Plain, d::from_parent(cx))) } },
        ),
        (d::col_changed(cx).to_owned(), html! { (ui::time(cx, one.changed_at)) " · " (one.changed_by) }),
    ])
}

/// When the computers of its collection may install, whichever window lets them.
pub(super) fn of_collection(cx: &Cx, next: &NextWindow) -> Markup {
    html! {
        h3 { (t::collection_next(cx)) }
        p {
            @if next.unrestricted { (d::window_none(cx)) }
            @else {
                @match (next.starts_at, next.minutes) {
                    (Some(at), Some(minutes)) => { (ui::time(cx, at)) ", " (duration(cx, minutes)) @if next.open { " · " (d::window_open(cx)) } },
                    _ => (d::window_never(cx)),
                }
            }
        }
        @if !next.windows.is_empty() { p.quiet { (t::collection_windows(cx)) " " (next.windows.join(", ")) } }
    }
}

/// When it comes in this month and the next.
async fn times(cx: &Cx, one: &Window) -> Vec<WindowOccurrence> {
    let today = cx.now.to_zoned(cx.zone.clone()).date();
    let months = [Some(today), today.last_of_month().tomorrow().ok()];
    let mut times = Vec::new();
    for month in months.into_iter().flatten() {
        let query = CalendarQuery {
            month: Some(month.strftime("%Y-%m").to_string()),
            collection: Some(one.collection.id.to_string()),
            limit: Some(1000),
            ..CalendarQuery::default()
        };
        let list = cx.api.get::<List<WindowOccurrence>>("/windows-calendar", &query).await;
        let list = list.map(|list| list.items).unwrap_or_default();
        times.extend(list.into_iter().filter(|row| row.window.id == one.id && row.ends_at > cx.now));
    }
    times.truncate(TIMES);
    times
}

/// What fits: all that is required for these computers, or one deployment.
async fn fit(cx: &Cx, one: &Window) -> Result<Markup, Failure> {
    let query = DeploymentQuery {
        collection: Some(one.collection.id.to_string()),
        limit: Some(1000),
        ..DeploymentQuery::default()
    };
    let list: List<Deployment> = cx.api.get("/deployments", &query).await?;
    let options: Vec<(String, String)> = std::iter::once((String::new(), d::choose(cx).to_owned()))
        .chain(list.items.iter().map(|deployment| (deployment.id.to_string(), names::title(deployment))))
        .collect();
    let chosen = cx.address.value("deployment").unwrap_or_default();
    let answer = match list.items.iter().find(|deployment| deployment.id.to_string() == chosen) {
        Some(deployment) => Some(of_deployment(cx, one, deployment).await?),
        None => None,
    };
    let may = cx.may(Role::SoftwareUpdateManager) && !one.from_parent;
    let checked = if may && cx.address.value("check") == Some("1") { Some(check(cx, one).await?) } else { None };
    Ok(html! {
        section.panel id="fit" {
            h2 { (t::fit(cx)) }
            @match &checked {
                Some(Ok(warnings)) if warnings.is_empty() => p { (badge(Tone::Good, t::fit_all(cx))) },
                Some(Ok(warnings)) => (names::warnings(warnings)),
                Some(Err(detail)) => p.error lang="en" { (detail) },
                None => @if may { p { a.button href={ (address(one)) "?check=1#fit" } { (t::fit_check(cx)) } } },
            }
            @if list.items.is_empty() { p.quiet { (t::fit_no_deployments(cx)) } }
            @else {
                form.inline method="get" action={ (address(one)) "#fit" } {
                    (Field::new("deployment", t::fit_deployment(cx), &Errors::default()).choice(&options, chosen))
                    button type="submit" { (common::show(cx)) }
                }
            }
        }
        @if let Some(answer) = answer { section.panel { (answer) } }
    })
}

/// What REST says of everything required: a change that changes nothing is answered with it.
async fn check(cx: &Cx, one: &Window) -> Result<Result<Vec<String>, String>, Failure> {
    match cx.api.patch::<WindowChanged>(&resource(&one.id.to_string()), &WindowChange::default()).await {
        Ok(changed) => Ok(Ok(changed.warnings)),
        Err(failure) => Ok(Err(failure.into_problem()?.detail)),
    }
}

/// When one deployment would be installed in the windows of this collection.
async fn of_deployment(cx: &Cx, one: &Window, deployment: &Deployment) -> Result<Markup, Failure> {
    let new = DeploymentCreate {
        update: deployment.update.as_ref().map(|update| match deployment.revision {
            Some(revision) => format!("{}@{revision}", update.id),
            None => update.id.to_string(),
        }),
        group: deployment.group.as_ref().map(|group| group.id.to_string()),
        collection: Some(one.collection.id.to_string()),
        action: Some(deployment.action),
        available: Some(deployment.available.to_string()),
        deadline: deployment.deadline.map(|at| at.to_string()),
        settings: deployment.settings.clone(),
        ..DeploymentCreate::default()
    };
    Ok(match Foreseen::load(cx, &new).await {
        Ok(foreseen) => html! {
            h2 { (names::title(deployment)) }
            p.quiet { (t::fit_help(cx)) }
            (preview::show(cx, &foreseen))
        },
        Err(failure) => html! { p.error lang="en" { (failure.into_problem()?.detail) } },
    })
}
