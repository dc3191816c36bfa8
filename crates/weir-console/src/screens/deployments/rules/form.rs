//! The form of a rule: which updates, when, into which group, to whom.

use axum::{
    Form,
    extract::Path,
    response::{IntoResponse as _, Response},
};
use maud::{Markup, html};
use weir_api::rule::{Rule, RuleChange, RuleCreate, RuleLicences, RuleTemplate};

use super::{
    address,
    criteria::{self, Choices},
    preview, resource, targets, templates as rule_templates,
};
use crate::{
    address::Address,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::deployments::{filled::Filled, names, templates},
    texts::{common, deployments as d, deployments_rules as t},
    ui::{
        confirm::Confirm,
        form::{Errors, Field, group, with_preview},
        schedule::{self, Schedule},
    },
};

const HERE: &str = "/deployments/rules/new";
/// When a rule runs.
const REPEATS: [&str; 8] = ["manual", "after_sync", "hours", "days", "weeks", "month_weekday", "month_day", "text"];

/// What a new rule begins with.
fn defaults() -> Filled {
    let mut filled = Filled::default();
    filled.overlay(&Schedule::read("monthly second tuesday +1 at 02:00").pairs());
    for (name, value) in
        [("c_released", "1"), ("c_released_unit", "months"), ("group", "new"), ("licences", "without_terms")]
    {
        filled.set(name, value);
    }
    filled.set("new_group", "{name} {month}");
    for name in ["c_not_superseded", "enabled", "enable_deployments", "alert_on_failure"] {
        filled.switch(name, true);
    }
    filled.set("targets", "1");
    filled.set(&targets::key(1, "action"), "install");
    filled.set(&targets::key(1, "deadline"), "7d");
    filled
}

/// A form that says what a template says.
fn of_template(one: &RuleTemplate) -> Filled {
    let mut filled = defaults();
    for name in ["c_released", "c_released_unit", "c_not_superseded", "new_group"] {
        filled.set(name, "");
    }
    filled.set("description", &one.description);
    criteria::fill(&mut filled, &one.criteria);
    filled.overlay(&Schedule::read(&one.schedule).pairs());
    kept_group(&mut filled, one.new_group.as_ref(), one.keep_group.as_ref());
    filled.set("licences", crate::ui::word(&one.licences));
    filled.set(&targets::key(1, "deadline"), one.deadline.clone().unwrap_or_default());
    filled
}

fn of_rule(one: &Rule) -> Filled {
    let mut filled = Filled::default();
    filled.set("name", &one.name);
    filled.set("description", &one.description);
    criteria::fill(&mut filled, &one.criteria);
    filled.overlay(&Schedule::read(&one.schedule).pairs());
    kept_group(&mut filled, one.new_group.as_ref(), one.keep_group.as_ref());
    filled.set("licences", crate::ui::word(&one.licences));
    filled.switch("enabled", one.enabled);
    filled.switch("enable_deployments", one.enable_deployments);
    filled.switch("alert_on_failure", one.alert_on_failure);
    filled
}

fn kept_group(filled: &mut Filled, new: Option<&String>, keep: Option<&String>) {
    filled.set("group", if keep.is_some() { "keep" } else { "new" });
    filled.set("new_group", new.cloned().unwrap_or_default());
    filled.set("keep_group", keep.cloned().unwrap_or_default());
}

/// The rule of a form, as a new one.
fn rule(cx: &Cx, filled: &Filled) -> Result<RuleCreate, Errors> {
    let keeps = filled.text("group") == "keep";
    let accepts = filled.text("licences") == "accept_all";
    Ok(RuleCreate {
        name: filled.text("name").trim().to_owned(),
        template: None,
        description: filled.some("description"),
        enabled: Some(filled.on("enabled")),
        criteria: Some(criteria::compose(filled)),
        schedule: Some(Schedule::sent(filled.pairs()).checked(cx)?),
        new_group: filled.some("new_group").filter(|_| !keeps),
        keep_group: if keeps { Some(filled.text("keep_group").trim().to_owned()) } else { None },
        deployments: if filled.some("targets").is_some() { targets::read(cx, filled)? } else { Vec::new() },
        enable_deployments: Some(filled.on("enable_deployments")),
        licences: Some(if accepts { RuleLicences::AcceptAll } else { RuleLicences::WithoutTerms }),
        alert_on_failure: Some(filled.on("alert_on_failure")),
        run: filled.on("run"),
    })
}

fn refused(problem: &weir_api::Problem) -> Errors {
    let field = match problem.code.as_str() {
        "criteria" | "name" | "description" => Some(problem.code.as_str()),
        "exists" => Some("name"),
        "schedule" => Some(schedule::FIELD),
        "group" => Some("new_group"),
        _ => None,
    };
    match field {
        Some(field) => Errors::default().field(field, problem.detail.clone()),
        None => targets::refused(problem).unwrap_or_else(|| {
            Errors::of(problem, &["criteria", schedule::NAMED, "new_group=group", "d1-collection=collection", "name"])
        }),
    }
}

/// The form of a new rule.
pub(super) async fn show_new(cx: Cx) -> Result<Response, Failure> {
    let sent = Filled::new(cx.address.pairs().to_vec());
    if sent.on("filled") {
        return page(&cx, None, &sent, &Errors::default()).await;
    }
    let mut filled = match sent.some("template") {
        None => defaults(),
        Some(name) => {
            let templates = rule_templates::all(&cx).await?;
            of_template(templates.iter().find(|one| one.name == name).ok_or(Failure::NotFound)?)
        }
    };
    filled.overlay(cx.address.pairs());
    page(&cx, None, &filled, &Errors::default()).await
}

/// The form of a rule that is there.
pub(super) async fn show_edit(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let one: Rule = cx.api.get(&resource(&name), &()).await?;
    let sent = Filled::new(cx.address.pairs().to_vec());
    let filled = if sent.on("filled") { sent } else { of_rule(&one) };
    page(&cx, Some(&one), &filled, &Errors::default()).await
}

async fn page(cx: &Cx, one: Option<&Rule>, filled: &Filled, errors: &Errors) -> Result<Response, Failure> {
    let (choices, beginnings, beside) =
        tokio::join!(Choices::load(cx), rule_templates::all(cx), preview::beside(cx, previewed(cx, one, filled)));
    let to = one.map_or_else(|| HERE.to_owned(), |one| format!("{}/edit", address(one)));
    let back = one.map_or_else(|| "/deployments/rules".to_owned(), address);
    let targets = if one.is_none() { new_targets(cx, filled, errors).await? } else { Markup::default() };
    let form = html! {
        form method="post" action=(to) data-preview="/deployments/rules/preview" {
            (errors.summary(cx))
            @if let Some(one) = one { input type="hidden" name="rule" value=(one.id); }
            (group(d::group_what(cx), &html! {
                (Field::new("name", d::col_name(cx), errors).help(t::name_help(cx)).required().input("text", filled.text("name")))
                (Field::new("description", d::col_description(cx), errors).input("text", filled.text("description")))
            }))
            (group(t::criteria(cx), &criteria::fields(cx, filled, errors, &choices)))
            (Schedule::sent(filled.pairs()).fields(cx, errors, &REPEATS, true))
            (group(d::update_group(cx), &groups(cx, filled, errors)))
            (targets)
            (group(d::group_other(cx), &switches(cx, filled, errors, one.is_none())))
            div.buttons {
                button.primary type="submit" { (if one.is_some() { d::go_on(cx) } else { d::save(cx) }) }
                a.button.plain href=(back) { (common::cancel(cx)) }
            }
        }
    };
    let body = html! {
        @if one.is_none() { (beginning(cx, filled, &beginnings.unwrap_or_default())) }
        (with_preview(&form, &beside?))
    };
    let title = one.map_or_else(|| t::new(cx).to_owned(), |one| d::edit_title(cx, &one.name));
    let page = Page::new(cx, title).crumb(d::rules(cx), "/deployments/rules");
    let page = match one {
        Some(one) => page.crumb(&one.name, address(one)),
        None => page,
    };
    page.body(body).render().await
}

/// A template fills the form in.
fn beginning(cx: &Cx, filled: &Filled, templates: &[RuleTemplate]) -> Markup {
    html! {
        @if !templates.is_empty() {
            form.inline.begin method="get" action=(HERE) {
                label { (d::begin_with(cx)) " "
                    select name="template" {
                        @for one in templates { option value=(one.name) selected[one.name == filled.text("template")] { (one.name) ": " (one.description) } }
                    }
                }
                button type="submit" { (d::fill_in(cx)) }
            }
        }
    }
}

fn groups(cx: &Cx, filled: &Filled, errors: &Errors) -> Markup {
    let kinds = ["new", "keep"].map(|kind| (kind.to_owned(), t::group_kind(cx, kind)));
    html! {
        div.either {
            (Field::new("group", t::group_title(cx), errors).choice(&kinds, filled.text("group")))
            div data-for="new" { (Field::new("new_group", t::group_pattern(cx), errors).help(t::group_pattern_help(cx, "{name}", "{month}")).input("text", filled.text("new_group"))) }
            div data-for="keep" { (Field::new("keep_group", d::gather_name(cx), errors).help(t::group_keep_help(cx)).input("text", filled.text("keep_group"))) }
        }
    }
}

async fn new_targets(cx: &Cx, filled: &Filled, errors: &Errors) -> Result<Markup, Failure> {
    let (collections, templates) = tokio::join!(names::collections(cx), templates::all(cx));
    let options = names::collection_options(cx, &collections?, d::choose(cx), true);
    let (templates, count) = (templates.unwrap_or_default(), targets::count(filled));
    Ok(html! {
        input type="hidden" name="targets" value=(count);
        @for target in 1..=count {
            (group(&t::target_number(cx, target), &html! {
                (targets::fields(cx, filled, errors, target, &options, &templates))
                button.plain type="submit" name="act" value={ "remove-" (target) } formnovalidate { (t::target_remove(cx)) }
            }))
        }
        p { button type="submit" name="act" value="add" formnovalidate { (t::target_add(cx)) } }
    })
}

fn switches(cx: &Cx, filled: &Filled, errors: &Errors, new: bool) -> Markup {
    let licences = ["without_terms", "accept_all"].map(|word| (word.to_owned(), t::licences(cx, word)));
    html! {
        (Field::new("licences", t::licences_title(cx), errors).choice(&licences, filled.text("licences")))
        (Field::new("enable_deployments", t::enable_deployments(cx), errors).help(t::enable_deployments_help(cx)).switch(filled.on("enable_deployments")))
        (Field::new("alert_on_failure", t::alert_on_failure(cx), errors).switch(filled.on("alert_on_failure")))
        (Field::new("enabled", t::enabled(cx), errors).help(t::enabled_help(cx)).switch(filled.on("enabled")))
        @if new { (Field::new("run", t::run_too(cx), errors).help(t::run_too_help(cx)).switch(filled.on("run"))) }
    }
}

/// What the preview is asked for: of a rule that is there with the deployments that it has. A deployment whose collection is
/// not chosen yet does not keep the updates from being shown.
fn previewed(cx: &Cx, one: Option<&Rule>, filled: &Filled) -> Result<RuleCreate, Errors> {
    let alone = one.is_some() || targets::read(cx, filled).is_err();
    let filled = if alone { without_targets(filled) } else { filled.clone() };
    let asked = rule(cx, &filled)?;
    Ok(match one {
        Some(one) => RuleCreate { deployments: one.deployments.clone(), run: false, ..asked },
        None => RuleCreate { run: false, ..asked },
    })
}

fn without_targets(filled: &Filled) -> Filled {
    let mut filled = filled.clone();
    filled.set("targets", "");
    filled
}

/// What stands beside the form, after each change.
pub(super) async fn preview(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let filled = Filled::new(pairs);
    let one: Option<Rule> = match filled.some("rule") {
        Some(id) => Some(cx.api.get(&resource(&id), &()).await?),
        None => None,
    };
    let beside = preview::beside(&cx, previewed(&cx, one.as_ref(), &filled)).await?;
    Ok(html! { div id="preview" { (beside) } }.into_response())
}

/// Another number of deployments, or the act. A rule affects computers when it runs: running it at once is confirmed.
pub(super) async fn make(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let mut filled = Filled::new(pairs);
    filled.set("filled", "1");
    if targets::resize(&mut filled) {
        return page(&cx, None, &filled, &Errors::default()).await;
    }
    let new = match rule(&cx, &filled) {
        Ok(new) => new,
        Err(errors) => return page(&cx, None, &filled, &errors).await,
    };
    if new.run && !filled.on("sure") {
        return confirm_run(&cx, &filled, new).await;
    }
    match cx.api.post::<Rule>("/rules", &new).await {
        Ok(one) => Ok(t::flash_made(&one.name).to(address(&one))),
        Err(failure) => page(&cx, None, &filled, &refused(&failure.into_problem()?)).await,
    }
}

async fn confirm_run(cx: &Cx, filled: &Filled, new: RuleCreate) -> Result<Response, Failure> {
    let beside = preview::beside(cx, Ok(RuleCreate { run: false, ..new.clone() })).await?;
    let back = back(HERE, filled);
    let confirm = Confirm::new(t::make_sentence(cx, &new.name), t::run_undo(cx), t::make_and_run(cx), HERE, back)
        .details(html! { div.panel { (beside) } });
    let confirm = carried(confirm, filled);
    Page::new(cx, t::new(cx)).crumb(d::rules(cx), "/deployments/rules").body(confirm.render(cx)).render().await
}

fn back(to: &str, filled: &Filled) -> String {
    filled.kept().fold(Address::new(to), |address, (name, value)| address.and(name, value)).to_string()
}

fn carried(confirm: Confirm, filled: &Filled) -> Confirm {
    filled.kept().fold(confirm, |confirm, (name, value)| confirm.field(name, value)).field("sure", "1")
}

/// The change that a form asks for: what is other than before.
fn changed(cx: &Cx, one: &Rule, filled: &Filled) -> Result<RuleChange, Errors> {
    let (before, after) = (rule(cx, &without_targets(&of_rule(one))), rule(cx, &without_targets(filled))?);
    let before = before.unwrap_or_default();
    let group = (&before.new_group, &before.keep_group) != (&after.new_group, &after.keep_group);
    Ok(RuleChange {
        name: Some(after.name).filter(|name| *name != one.name),
        description: Some(after.description.unwrap_or_default()).filter(|text| *text != one.description),
        enabled: after.enabled.filter(|on| *on != one.enabled),
        criteria: after.criteria.filter(|text| Some(text) != before.criteria.as_ref()),
        schedule: after.schedule.filter(|text| Some(text) != before.schedule.as_ref()),
        new_group: after.new_group.filter(|_| group),
        keep_group: after.keep_group.filter(|_| group),
        deployments: None,
        enable_deployments: after.enable_deployments.filter(|on| *on != one.enable_deployments),
        licences: after.licences.filter(|licences| *licences != one.licences),
        alert_on_failure: after.alert_on_failure.filter(|on| *on != one.alert_on_failure),
    })
}

/// Asks for confirmation, or changes it.
pub(super) async fn change(
    cx: Cx,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let one: Rule = cx.api.get(&resource(&name), &()).await?;
    let mut filled = Filled::new(pairs);
    filled.set("filled", "1");
    let asked = match changed(&cx, &one, &filled) {
        Ok(asked) => asked,
        Err(errors) => return page(&cx, Some(&one), &filled, &errors).await,
    };
    if asked == RuleChange::default() {
        return Ok(d::flash_same().to(address(&one)));
    }
    if !filled.on("sure") {
        let to = format!("{}/edit", address(&one));
        let beside = preview::beside(&cx, previewed(&cx, Some(&one), &filled)).await?;
        let back = back(&to, &filled);
        let confirm =
            Confirm::new(t::edit_sentence(&cx, &one.name), d::edit_undo(&cx), d::edit_now_button(&cx), to, back)
                .details(html! { div.panel { (beside) } });
        let page = Page::new(&cx, d::edit_title(&cx, &one.name)).crumb(d::rules(&cx), "/deployments/rules");
        return page.crumb(&one.name, address(&one)).body(carried(confirm, &filled).render(&cx)).render().await;
    }
    match cx.api.patch::<Rule>(&resource(&name), &asked).await {
        Ok(one) => Ok(t::flash_changed(&one.name).to(address(&one))),
        Err(failure) => page(&cx, Some(&one), &filled, &refused(&failure.into_problem()?)).await,
    }
}
