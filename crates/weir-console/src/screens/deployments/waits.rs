//! What a deployment waits for: its time, its content, and of a group each of its updates.

use axum::response::Response;
use maud::{Markup, html};
use weir_api::{
    List,
    deployment::{Deployment, DeploymentState, MemberStates},
    list::ListQuery,
};

use super::{names, when};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    texts::deployments as t,
    ui::{
        self, chart,
        chart::Part,
        grid::{CSV_ROWS, Column, Grid},
    },
};

/// Rows of a page.
const ROWS: u32 = 100;

/// The tab.
pub(super) async fn show(cx: &Cx, one: &Deployment) -> Result<Markup, Failure> {
    let members = match one.group {
        Some(_) => {
            let list = page(cx, one.id, cx.address.value("cursor").map(str::to_owned), ROWS).await?;
            Some(grid(cx, &list).render())
        }
        None => None,
    };
    Ok(html! {
        (ui::live("waits", "deployments content", html! {
            div.columns {
                section.panel { h2 { (t::waits_title(cx)) } (reasons(cx, one)) }
                section.panel { h2 { (t::group_content(cx)) } (content(cx, one)) }
            }
            @if let Some(states) = &one.members { section.panel { (chart::stacked(cx, t::members(cx), &parts(cx, states))) (not_sent(cx, states)) } }
        }))
        @if let Some(members) = members { (ui::live("waits-members", "deployments content", members)) }
    })
}

fn reasons(cx: &Cx, one: &Deployment) -> Markup {
    let local = one.settings.local_time == Some(true);
    html! {
        p { (names::state(cx, one.state)) }
        p lang="en" { (one.state_text) }
        @match one.state {
            DeploymentState::Active => p { (t::waits_nothing(cx)) },
            DeploymentState::Disabled => p { (t::waits_disabled(cx)) },
            DeploymentState::NotSent => p { (t::waits_not_sent(cx)) },
            DeploymentState::WaitingForAvailableTime => p { (t::waits_time(cx)) " " (when::show(cx, one.available, local)) },
            DeploymentState::WaitingForContent => p { (t::waits_content(cx)) " " a href="/infrastructure/content" { (t::to_content(cx)) } },
        }
    }
}

fn content(cx: &Cx, one: &Deployment) -> Markup {
    let content = &one.content;
    if content.files == 0 && content.files_left_out == 0 {
        return html! { p { (t::content_none(cx)) } };
    }
    html! {
        @if content.bytes > 0 {
            (chart::meter(cx, t::group_content(cx), content.bytes_present as f64 * 100.0 / content.bytes as f64, None))
        }
        (ui::facts([
            (t::content_files(cx).to_owned(), html! { (ui::number(cx, content.files_present)) " / " (ui::number(cx, content.files)) }),
            (t::content_bytes(cx).to_owned(), html! { (ui::bytes(cx, content.bytes_present)) " / " (ui::bytes(cx, content.bytes)) }),
            (t::content_elsewhere(cx).to_owned(), html! { (ui::number(cx, content.files_elsewhere)) }),
            (t::content_left_out(cx).to_owned(), html! { (ui::number(cx, content.files_left_out)) }),
        ]))
        @if content.without_source > 0 { div.panel.warn { p { (t::content_no_source(cx, content.without_source)) } (ui::command(cx, "weir content add FILE")) } }
    }
}

fn parts(cx: &Cx, states: &MemberStates) -> Vec<Part> {
    let part = |class: &str, state: &str, count: u64| Part {
        class: class.to_owned(),
        label: t::state(cx, state),
        count,
        link: None,
    };
    vec![
        part("tone-good", "active", states.active),
        part("tone-busy", "waiting_for_available_time", states.waiting_for_available_time),
        part("tone-warn", "waiting_for_content", states.waiting_for_content),
        part("tone-bad", "not_sent", states.not_sent),
    ]
}

fn not_sent(cx: &Cx, states: &MemberStates) -> Markup {
    html! {
        @if !states.reasons.is_empty() {
            h3 { (t::not_sent_why(cx)) }
            ul { @for reason in &states.reasons { li { span lang="en" { (reason.reason) } " " span.number { (ui::number(cx, reason.updates)) } } } }
        }
    }
}

async fn page(cx: &Cx, id: i32, cursor: Option<String>, limit: u32) -> Result<List<Deployment>, Failure> {
    let query = ListQuery { cursor, limit: Some(limit) };
    cx.api.get(&path(&["deployments", &id.to_string(), "members"]), &query).await
}

/// The updates of a group as CSV.
pub(super) async fn csv(cx: &Cx, one: &Deployment) -> Result<Response, Failure> {
    let rows = cx.api.all(CSV_ROWS, |cursor| page(cx, one.id, cursor, 1000));
    let list = List { items: rows.await?, next: None };
    Ok(grid(cx, &list).csv())
}

fn grid<'a>(cx: &'a Cx, list: &'a List<Deployment>) -> Grid<'a, Deployment> {
    Grid::new(cx, "deployment-updates", t::members(cx), columns(cx), &list.items)
        .next(list.next.as_deref())
        .empty(html! { p { (t::members_none(cx)) } })
}

fn columns(cx: &Cx) -> Vec<Column<'_, Deployment>> {
    vec![
        Column::new("update", t::col_update(cx), |one: &Deployment| names::what(one))
            .text(|one| one.update.as_ref().map(|update| update.name.clone()).unwrap_or_default())
            .wide()
            .narrow(),
        Column::new("state", t::col_state(cx), |one: &Deployment| names::state(cx, one.state))
            .text(|one| ui::word(&one.state))
            .narrow(),
        Column::new("why", t::col_why(cx), |one: &Deployment| html! { span lang="en" { (one.state_text) } })
            .text(|one| one.state_text.clone()),
        Column::number(cx, "missing", t::col_missing(cx), |one: &Deployment| {
            one.content.files.saturating_sub(one.content.files_present)
        }),
        Column::new("bytes", t::col_content(cx), |one: &Deployment| {
            html! { (ui::bytes(cx, one.content.bytes.saturating_sub(one.content.bytes_present))) }
        })
        .numeric()
        .text(|one| one.content.bytes.saturating_sub(one.content.bytes_present).to_string()),
    ]
}
