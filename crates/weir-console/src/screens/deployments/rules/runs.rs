//! One run of a rule: what it made, and what it said of each update.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::{
    List,
    list::ListQuery,
    rule::{Rule, RuleRun, RuleRunUpdate, RuleRunUpdatesQuery},
};

use super::{address, resource, result};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::deployments::names,
    texts::{deployments as d, deployments_rules as t},
    ui::{
        self,
        badge::{Tone, badge},
        grid::{CSV_ROWS, Column, Grid, wants_csv},
        tabs::Tab,
    },
};

/// A page of the runs of a rule, newest first.
pub(super) async fn page(cx: &Cx, rule: &str, cursor: Option<String>, limit: u32) -> Result<List<RuleRun>, Failure> {
    cx.api.get(&path(&["rules", rule, "runs"]), &ListQuery { cursor, limit: Some(limit) }).await
}

/// The page of one run.
pub(super) async fn show(cx: Cx, Path((name, no)): Path<(String, String)>) -> Result<Response, Failure> {
    let (rule, rest) = (resource(&name), path(&["rule-runs", &no]));
    let (rule, run) = tokio::join!(cx.api.get::<Rule>(&rule, &()), cx.api.get::<RuleRun>(&rest, &()));
    let (rule, run) = (rule?, run?);
    let matched = match cx.address.value("tab") {
        None => Some(true),
        Some("rejected") => Some(false),
        Some(_) => return Err(Failure::NotFound),
    };
    if wants_csv(&cx.address) {
        let rows = cx.api.all(CSV_ROWS, |cursor| updates(&cx, &no, matched, cursor, 1000)).await?;
        return Ok(grid(&cx, &run, &List { items: rows, next: None }).csv());
    }
    let list = updates(&cx, &no, matched, cx.address.value("cursor").map(str::to_owned), 100).await?;
    let body = html! {
        (names::warnings(&run.warnings))
        @if let Some(error) = &run.error {
            div.panel.warn lang="en" { p { (error) } @if let Some(next) = &run.next_step { p { (next) } } }
        }
        section.panel { (facts(&cx, &run)) }
        (grid(&cx, &run, &list).render())
    };
    Page::new(&cx, t::run_title(&cx, run.no))
        .crumb(d::rules(&cx), "/deployments/rules")
        .crumb(&rule.name, cx.to(address(&rule)).with("tab", "runs"))
        .fact(t::col_result(&cx), result(&cx, run.result))
        .fact(t::col_matched(&cx), html! { (ui::number(&cx, run.matched)) })
        .fact(t::col_started(&cx), ui::time(&cx, run.started_at))
        .tabs(vec![
            Tab::new(&cx, "matched", true, t::col_matched(&cx)).number(run.matched),
            Tab::new(&cx, "rejected", false, t::col_rejected(&cx)).number(run.rejected),
        ])
        .body(body)
        .render()
        .await
}

fn facts(cx: &Cx, run: &RuleRun) -> Markup {
    ui::facts([
        (t::col_trigger(cx).to_owned(), html! { (t::trigger(cx, &run.trigger)) " · " (run.by) }),
        (t::base(cx).to_owned(), ui::time(cx, run.base)),
        (t::ended(cx).to_owned(), ui::time(cx, run.ended_at)),
        (d::update_group(cx).to_owned(), run.group.as_ref().map_or_else(|| ui::none(cx), names::group_link)),
        (
            d::title(cx).to_owned(),
            html! { @for id in &run.deployments { a href=(names::address(*id)) { (id) } " " } @if run.deployments.is_empty() { (ui::none(cx)) } },
        ),
        (t::terms(cx).to_owned(), html! { (ui::number(cx, run.accepted_terms)) }),
    ])
}

async fn updates(
    cx: &Cx,
    no: &str,
    matched: Option<bool>,
    cursor: Option<String>,
    limit: u32,
) -> Result<List<RuleRunUpdate>, Failure> {
    let query = RuleRunUpdatesQuery { matched, cursor, limit: Some(limit) };
    cx.api.get(&path(&["rule-runs", no, "updates"]), &query).await
}

fn grid<'a>(cx: &'a Cx, run: &RuleRun, list: &'a List<RuleRunUpdate>) -> Grid<'a, RuleRunUpdate> {
    let columns = vec![
        Column::new("update", d::col_update(cx), |row: &RuleRunUpdate| {
            html! { a href=(path(&["updates", &row.id.to_string()])) { (if row.title.is_empty() { row.id.to_string() } else { row.title.clone() }) } }
        })
        .text(|row| row.title.clone())
        .wide()
        .narrow(),
        Column::new("matched", t::col_matched(cx), |row: &RuleRunUpdate| {
            let (tone, word) = if row.matched { (Tone::Good, d::yes(cx)) } else { (Tone::Plain, d::no(cx)) };
            badge(tone, word)
        })
        .text(|row| row.matched.to_string()),
        Column::new("reason", d::col_why(cx), |row: &RuleRunUpdate| html! { span lang="en" { (row.reason) } })
            .text(|row| row.reason.clone())
            .wide()
            .narrow(),
        Column::new("id", d::col_id(cx), |row: &RuleRunUpdate| html! { code { (row.id) } })
            .text(|row| row.id.to_string())
            .hidden(),
    ];
    let empty = if run.detailed { t::updates_none(cx) } else { t::updates_gone(cx) };
    Grid::new(cx, "rule-run-updates", t::updates(cx), columns, &list.items)
        .next(list.next.as_deref())
        .empty(html! { p { (empty) } })
}
