//! One rule: what it does, what it would do now, what it did.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::{
    List,
    rule::{Rule, RuleLicences, RuleRun},
};

use super::{act, address, list, preview, resource, result, runs, schedule, targets};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::deployments::{filled::Filled, names},
    texts::{deployments as d, deployments_rules as t},
    ui::{
        self,
        form::Errors,
        grid::{CSV_ROWS, Column, Grid, wants_csv},
        tabs::Tab,
    },
};

/// Updates that a dry run names.
const NAMED: u32 = 500;

/// The page, with the tab of the address.
pub(super) async fn show(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let one: Rule = cx.api.get(&resource(&name), &()).await?;
    page(&cx, &one, &Filled::default(), &Errors::default()).await
}

/// The same with what was filled in to add a deployment.
pub(super) async fn page(cx: &Cx, one: &Rule, filled: &Filled, errors: &Errors) -> Result<Response, Failure> {
    let tab = cx.address.value("tab");
    let id = one.id.to_string();
    if wants_csv(&cx.address) && tab == Some("runs") {
        let rows = cx.api.all(CSV_ROWS, |cursor| runs::page(cx, &id, cursor, 1000)).await?;
        return Ok(grid(cx, &id, &List { items: rows, next: None }).csv());
    }
    let may = names::may_everywhere(cx) && !one.from_parent;
    let body = match tab {
        None => html! {
            section.panel { (facts(cx, one)) }
            (ui::panel(t::col_targets(cx), &targets::show(cx, one, may, filled, errors).await?))
            @if may { section.panel { (act::template_form(cx, one, "", &Errors::default())) } }
        },
        Some("preview") => dry_run(cx, &id).await?,
        Some("runs") => {
            let list = runs::page(cx, &id, cx.address.value("cursor").map(str::to_owned), 100).await?;
            ui::live("rule-runs-live", "rules", grid(cx, &id, &list).render())
        }
        Some(_) => return Err(Failure::NotFound),
    };
    Page::new(cx, &one.name)
        .crumb(d::rules(cx), "/deployments/rules")
        .fact(d::col_state(cx), list::standing(cx, one))
        .fact(t::col_next(cx), ui::time_or(cx, one.next_run))
        .fact(
            t::col_last(cx),
            match &one.last_run {
                Some(run) => html! { (ui::ago(cx, run.started_at)) " " (result(cx, run.result)) },
                None => ui::none(cx),
            },
        )
        .tabs(vec![
            tab_of(cx, one, "", t::tab_what(cx)),
            tab_of(cx, one, "preview", t::tab_preview(cx)),
            tab_of(cx, one, "runs", t::tab_runs(cx)),
        ])
        .actions(acts(cx, one, may))
        .body(body)
        .render()
        .await
}

/// A tab of the page, from wherever a form came back.
fn tab_of(cx: &Cx, one: &Rule, key: &str, label: &str) -> Tab {
    let base = cx.to(address(one));
    let current = cx.address.value("tab").unwrap_or_default() == key;
    Tab::link(label, if key.is_empty() { base } else { base.with("tab", key) }, current)
}

fn acts(cx: &Cx, one: &Rule, may: bool) -> Markup {
    let to = |act: &str| format!("{}/{act}", address(one));
    let (word, on) = if one.enabled { ("disable", "0") } else { ("enable", "1") };
    html! {
        @if may {
            a.button.primary href=(to("run")) { (t::run_now(cx)) }
            form.inline method="post" action=(to("switch")) { button type="submit" name="on" value=(on) { (d::acts(cx, word)) } }
            a.button href=(to("edit")) { (d::edit(cx)) }
            a.button href=(to("delete")) { (d::acts(cx, "delete")) }
        }
    }
}

fn facts(cx: &Cx, one: &Rule) -> Markup {
    let yes = |on: bool| if on { d::yes(cx) } else { d::no(cx) };
    let licences = match one.licences {
        RuleLicences::WithoutTerms => t::licences(cx, "without_terms"),
        RuleLicences::AcceptAll => t::licences(cx, "accept_all"),
    };
    let group = match (&one.new_group, &one.keep_group) {
        (Some(pattern), _) => t::group_new(cx, pattern),
        (None, Some(name)) => t::group_keep(cx, name),
        (None, None) => String::new(),
    };
    html! {
        @if !one.description.is_empty() { p.description { (one.description) } }
        (ui::facts([
            (t::criteria(cx).to_owned(), html! { code { (one.criteria_text) } }),
            (d::schedule(cx).to_owned(), html! { (schedule(cx, &one.schedule)) }),
            (d::update_group(cx).to_owned(), html! { (group) }),
            (t::licences_title(cx).to_owned(), html! { (licences) }),
            (t::enable_deployments(cx).to_owned(), html! { (yes(one.enable_deployments)) }),
            (t::alert_on_failure(cx).to_owned(), html! { (yes(one.alert_on_failure)) }),
            (d::col_changed(cx).to_owned(), html! { (ui::time(cx, one.changed_at)) " · " (one.changed_by) }),
        ]))
    }
}

/// What a run would come to now, update by update.
async fn dry_run(cx: &Cx, id: &str) -> Result<Markup, Failure> {
    Ok(match preview::stored(cx, id, NAMED).await {
        Ok(preview) => html! {
            div.columns {
                section.panel { h2 { (t::updates(cx)) } (preview::updates(cx, &preview, false)) @if preview.matched == 0 { p { (t::matched_none(cx)) } } }
                section.panel { h2 { (t::tab_preview(cx)) } (preview::show(cx, &preview)) }
            }
        },
        Err(failure) => {
            let problem = failure.into_problem()?;
            html! { section.panel { p lang="en" { (problem.detail) } @if let Some(next) = &problem.next_step { p.quiet lang="en" { (next) } } } }
        }
    })
}

fn grid<'a>(cx: &'a Cx, id: &'a str, list: &'a List<RuleRun>) -> Grid<'a, RuleRun> {
    let columns = vec![
        Column::new("started", t::col_started(cx), move |run: &RuleRun| {
            html! { a href=(path(&["deployments", "rules", id, "runs", &run.no.to_string()])) { (ui::time(cx, run.started_at)) } }
        })
        .text(|run| run.started_at.to_string())
        .narrow(),
        Column::new("result", t::col_result(cx), |run: &RuleRun| result(cx, run.result))
            .text(|run| ui::word(&run.result))
            .narrow(),
        Column::new("trigger", t::col_trigger(cx), |run: &RuleRun| html! { (t::trigger(cx, &run.trigger)) })
            .text(|run| run.trigger.clone()),
        Column::number(cx, "matched", t::col_matched(cx), |run: &RuleRun| run.matched).narrow(),
        Column::number(cx, "rejected", t::col_rejected(cx), |run: &RuleRun| run.rejected),
        Column::new("group", d::update_group(cx), |run: &RuleRun| {
            html! { @if let Some(group) = &run.group { (names::group_link(group)) } }
        })
        .text(|run| run.group.as_ref().map(|group| group.name.clone()).unwrap_or_default()),
        Column::number(cx, "deployments", d::title(cx), |run: &RuleRun| run.deployments.len() as u64),
        Column::new("error", d::col_why(cx), |run: &RuleRun| {
            html! { span lang="en" { (run.error.as_deref().unwrap_or_default()) } }
        })
        .text(|run| run.error.clone().unwrap_or_default())
        .wide(),
        Column::new("by", d::col_by(cx), |run: &RuleRun| html! { (run.by) }).text(|run| run.by.clone()),
    ];
    Grid::new(cx, "rule-runs", t::tab_runs(cx), columns, &list.items)
        .next(list.next.as_deref())
        .empty(html! { p { (t::runs_none(cx)) } })
}
