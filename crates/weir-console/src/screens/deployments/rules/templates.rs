//! What rules can begin with.

use axum::{Form, extract::Path, response::Response};
use maud::html;
use weir_api::{List, list::ListQuery, rule::RuleTemplate};

use super::schedule;
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::deployments::{filled::Filled, names},
    texts::{deployments as d, deployments_rules as t},
    ui::{
        badge::{Tone, badge},
        confirm::{Confirm, matches},
        grid::{Column, Grid, wants_csv},
    },
};

/// Templates that are looked at.
const MOST: usize = 1_000;

/// All of them: those that came with the program, then saved ones.
pub(super) async fn all(cx: &Cx) -> Result<Vec<RuleTemplate>, Failure> {
    cx.api
        .all(MOST, |cursor| {
            let query = ListQuery { cursor, limit: Some(1000) };
            async move { cx.api.get::<List<RuleTemplate>>("/rule-templates", &query).await }
        })
        .await
}

/// The list.
pub(super) async fn list(cx: Cx) -> Result<Response, Failure> {
    let rows = all(&cx).await?;
    let may = names::may_everywhere(&cx);
    let columns = vec![
        Column::new("name", d::col_name(&cx), |one: &RuleTemplate| {
            html! { strong { (one.name) } @if one.built_in { " " (badge(Tone::Plain, t::built_in(&cx))) } div.quiet { (one.description) } }
        })
        .text(|one| one.name.clone())
        .wide()
        .narrow(),
        Column::new("criteria", t::criteria(&cx), |one: &RuleTemplate| html! { code { (one.criteria_text) } })
            .text(|one| one.criteria_text.clone()),
        Column::new("schedule", d::schedule(&cx), |one: &RuleTemplate| html! { (schedule(&cx, &one.schedule)) })
            .text(|one| one.schedule.clone()),
        Column::new("use", d::col_use(&cx), |one: &RuleTemplate| {
            html! {
                @if may {
                    a href=(Address::new("/deployments/rules/new").with("template", &one.name)) { (t::template_use(&cx)) }
                    @if !one.built_in { " · " a href=(path(&["deployments", "rules", "templates", &one.name, "delete"])) { (d::acts(&cx, "delete")) } }
                }
            }
        })
        .narrow(),
    ];
    let grid = Grid::new(&cx, "rule-templates", t::templates(&cx), columns, &rows);
    if wants_csv(&cx.address) {
        return Ok(grid.csv());
    }
    let body = grid.render();
    drop(grid);
    Page::new(&cx, t::templates(&cx)).crumb(d::rules(&cx), "/deployments/rules").body(body).render().await
}

/// Asks before one is deleted.
pub(super) async fn ask_delete(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    confirm(&cx, &name, None).await
}

async fn confirm(cx: &Cx, name: &str, wrong: Option<String>) -> Result<Response, Failure> {
    let to = path(&["deployments", "rules", "templates", name, "delete"]);
    let label = d::acts(cx, "delete");
    let sentence = t::template_delete_sentence(cx, name);
    let confirm = Confirm::new(sentence, t::template_delete_undo(cx), &label, to, "/deployments/rules/templates");
    Page::new(cx, label)
        .crumb(d::rules(cx), "/deployments/rules")
        .crumb(t::templates(cx), "/deployments/rules/templates")
        .body(confirm.typed(name, wrong).render(cx))
        .render()
        .await
}

/// Deletes one.
pub(super) async fn delete(
    cx: Cx,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    if !matches(Filled::new(pairs).text("typed"), &name) {
        return confirm(&cx, &name, Some(d::error_typed(&cx).to_owned())).await;
    }
    cx.api.delete::<()>(&path(&["rule-templates", &name])).await?;
    Ok(t::flash_template_deleted(&name).to("/deployments/rules/templates"))
}
