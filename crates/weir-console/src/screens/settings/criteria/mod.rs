//! Criteria: rules by which a synchronization skips or declines updates.

mod act;
mod filled;
mod form;

use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use maud::html;
use weir_api::{List, access::Role, criteria::Criterion};

use super::{large, may};
use crate::{
    Console,
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{criteria as t, settings as s},
    ui::{
        self,
        badge::{Tone, badge},
        grid::{Column, Grid, wants_csv},
    },
};

/// The list.
const HERE: &str = "/settings/criteria";

/// Pages and forms.
pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route(HERE, get(show))
        .route("/settings/criteria/new", get(form::new).post(form::create))
        .route("/settings/criteria/preview", post(form::preview))
        .route("/settings/criteria/{name}", get(form::show).post(form::save))
        .route("/settings/criteria/{name}/apply", get(act::applying).post(act::apply))
        .route("/settings/criteria/{name}/switch", post(act::switch))
        .route("/settings/criteria/{name}/delete", get(act::deleting).post(act::delete))
}

/// Where a rule is.
fn address(criterion: &Criterion) -> String {
    path(&["settings", "criteria", &criterion.id.to_string()])
}

async fn find(cx: &Cx, name: &str) -> Result<Criterion, Failure> {
    cx.api.get(&path(&["criteria", name]), &()).await
}

async fn show(cx: Cx) -> Result<Response, Failure> {
    let rules = cx.api.all(1000, |cursor| {
        let cx = &cx;
        async move { cx.api.get::<List<Criterion>>("/criteria", &large(cursor)).await }
    });
    let rules = rules.await?;
    let grid = grid(&cx, &rules);
    if wants_csv(&cx.address) {
        return Ok(grid.csv());
    }
    let open = may(&cx, Role::SoftwareUpdateManager);
    let body = html! {
        p.lead { (t::lead(&cx)) }
        (ui::live("criteria-live", "settings synchronization", grid.render()))
    };
    drop(grid);
    Page::new(&cx, s::places(&cx, "criteria"))
        .actions(html! { @if open { a.button.primary href={ (HERE) "/new" } { (t::new(&cx)) } } })
        .body(body)
        .render()
        .await
}

fn grid<'a>(cx: &'a Cx, rules: &'a [Criterion]) -> Grid<'a, Criterion> {
    let columns = vec![
        Column::new("name", t::name(cx), |rule: &Criterion| {
            html! {
                a href=(address(rule)) { (rule.rule.name) }
                @if rule.from_parent { " " (badge(Tone::Plain, t::from_parent(cx))) }
            }
        })
        .text(|rule| rule.rule.name.clone())
        .narrow(),
        Column::new(
            "action",
            t::action(cx),
            |rule: &Criterion| html! { (t::actions(cx, &ui::word(&rule.rule.action))) },
        )
        .text(|rule| ui::word(&rule.rule.action))
        .narrow(),
        Column::new("asks", t::asks_for(cx), |rule: &Criterion| html! { span lang="en" { (rule.description) } })
            .text(|rule| rule.description.clone())
            .wide()
            .narrow(),
        Column::number(cx, "except", t::exceptions(cx), |rule: &Criterion| rule.rule.except.len() as u64),
        Column::new("state", t::state(cx), |rule: &Criterion| form::state(cx, rule.rule.enabled))
            .text(|rule| rule.rule.enabled.to_string())
            .narrow(),
        Column::new("changed", t::changed(cx), |rule: &Criterion| ui::time(cx, rule.changed_at))
            .text(|rule| rule.changed_at.to_string()),
        Column::new("by", t::by(cx), |rule: &Criterion| html! { (rule.changed_by) })
            .text(|rule| rule.changed_by.clone())
            .hidden(),
    ];
    let next = may(cx, Role::SoftwareUpdateManager).then(|| (t::new(cx), "/settings/criteria/new"));
    Grid::new(cx, "criteria", s::places(cx, "criteria"), columns, rules).empty(ui::empty(t::empty(cx), next))
}
