//! What is done with a rule: run it, switch it on or off, keep it as a template, delete it.

use axum::{Form, extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::rule::{Rule, RuleChange, RuleRun, RuleRunState, RuleTemplate, RuleTemplateCreate};

use super::{address, preview, resource};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::deployments::filled::Filled,
    texts::{deployments as d, deployments_rules as t},
    ui::{
        confirm::{Confirm, matches},
        form::{Errors, Field},
    },
};

/// Updates that the confirmation of a run names.
const NAMED: u32 = 10;

async fn load(cx: &Cx, name: &str) -> Result<Rule, Failure> {
    cx.api.get(&resource(name), &()).await
}

async fn confirmation(cx: &Cx, one: &Rule, title: &str, confirm: &Confirm) -> Result<Response, Failure> {
    Page::new(cx, title)
        .crumb(d::rules(cx), "/deployments/rules")
        .crumb(&one.name, address(one))
        .body(confirm.render(cx))
        .render()
        .await
}

/// What a run would do, before it does.
pub(super) async fn ask_run(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let one = load(&cx, &name).await?;
    confirm_run(&cx, &one, &Errors::default()).await
}

async fn confirm_run(cx: &Cx, one: &Rule, errors: &Errors) -> Result<Response, Failure> {
    let seen = preview::stored(cx, &one.id.to_string(), NAMED).await?;
    let sentence = match &seen.group {
        Some(group) if seen.problem.is_none() && seen.matched > 0 => t::run_sentence(cx, seen.matched, group),
        _ if seen.problem.is_some() => t::run_sentence_fails(cx).to_owned(),
        _ => t::run_sentence_nothing(cx).to_owned(),
    };
    let details = html! { (errors.summary(cx)) div.panel { h2 { (t::tab_preview(cx)) } (preview::show(cx, &seen)) (preview::updates(cx, &seen, true)) } };
    let to = format!("{}/run", address(one));
    let confirm = Confirm::new(sentence, t::run_undo(cx), t::run_now(cx), to, address(one)).details(details);
    confirmation(cx, one, t::run_now(cx), &confirm).await
}

/// Runs it.
pub(super) async fn run(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let one = load(&cx, &name).await?;
    match cx.api.post::<RuleRun>(&path(&["rules", &name, "run"]), &()).await {
        Ok(run) => {
            let page = format!("{}/runs/{}", address(&one), run.no);
            Ok(match run.result {
                RuleRunState::Done => t::flash_ran(run.matched).to(page),
                RuleRunState::Nothing => t::flash_ran_nothing().to(page),
                RuleRunState::Failed | RuleRunState::Skipped => t::flash_ran_not().to(page),
            })
        }
        Err(failure) => confirm_run(&cx, &one, &Errors::of(&failure.into_problem()?, &[])).await,
    }
}

/// Switches it on or off.
pub(super) async fn switch(
    cx: Cx,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let enabled = Filled::new(pairs).on("on");
    let change = RuleChange { enabled: Some(enabled), ..RuleChange::default() };
    let one: Rule = cx.api.patch(&resource(&name), &change).await?;
    let said = if enabled { t::flash_on(&one.name) } else { t::flash_off(&one.name) };
    Ok(said.to(address(&one)))
}

/// Asks before it is deleted.
pub(super) async fn ask_delete(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let one = load(&cx, &name).await?;
    confirm_delete(&cx, &one, None).await
}

async fn confirm_delete(cx: &Cx, one: &Rule, wrong: Option<String>) -> Result<Response, Failure> {
    let to = format!("{}/delete", address(one));
    let label = d::acts(cx, "delete");
    let confirm = Confirm::new(t::delete_sentence(cx, &one.name), t::delete_undo(cx), &label, to, address(one));
    confirmation(cx, one, &label, &confirm.typed(&one.name, wrong)).await
}

/// Deletes it.
pub(super) async fn delete(
    cx: Cx,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let one = load(&cx, &name).await?;
    if !matches(Filled::new(pairs).text("typed"), &one.name) {
        return confirm_delete(&cx, &one, Some(d::error_typed(&cx).to_owned())).await;
    }
    cx.api.delete::<()>(&resource(&name)).await?;
    Ok(t::flash_deleted(&one.name).to("/deployments/rules"))
}

/// The form that keeps a rule as a template.
pub(super) fn template_form(cx: &Cx, one: &Rule, name: &str, errors: &Errors) -> Markup {
    html! {
        details.more open[!errors.is_empty()] {
            summary { (t::template_keep(cx)) }
            form method="post" action={ (address(one)) "/template" } {
                (errors.summary(cx))
                (Field::new("name", d::col_name(cx), errors).help(t::template_keep_help(cx)).required().input("text", name))
                button type="submit" { (d::save(cx)) }
            }
        }
    }
}

/// Keeps it as a template.
pub(super) async fn keep_template(
    cx: Cx,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let one = load(&cx, &name).await?;
    let wanted = Filled::new(pairs).text("name").trim().to_owned();
    let asked = RuleTemplateCreate { name: wanted.clone(), rule: one.id.to_string() };
    match cx.api.post::<RuleTemplate>("/rule-templates", &asked).await {
        Ok(kept) => Ok(t::flash_template_kept(&kept.name).to("/deployments/rules/templates")),
        Err(failure) => {
            // whatever is wrong is wrong with the name
            let errors = Errors::default().field("name", failure.into_problem()?.detail);
            Page::new(&cx, t::template_keep(&cx))
                .crumb(d::rules(&cx), "/deployments/rules")
                .crumb(&one.name, address(&one))
                .body(html! { section.panel { (template_form(&cx, &one, &wanted, &errors)) } })
                .render()
                .await
        }
    }
}
