//! The deployments that each run of a rule makes: fields, and changes of one rule's.

use axum::{Form, extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::{
    deployment::Action,
    deployment_template::DeploymentTemplate,
    rule::{Rule, RuleDeployment},
};

use super::{address, detail, resource};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::deployments::{filled::Filled, names, templates},
    texts::{deployments as d, deployments_rules as t},
    ui::{
        confirm::Confirm,
        form::{Errors, Field},
    },
};

/// Fields of a deployment.
const FIELDS: [&str; 5] = ["collection", "action", "available", "deadline", "template"];
/// Deployments that a form has at most; more are added one by one.
const MOST: usize = 10;

/// The name of a field of a deployment, counted from 1.
pub(super) fn key(target: usize, field: &str) -> String {
    format!("d{target}-{field}")
}

/// How many deployments a form has.
pub(super) fn count(filled: &Filled) -> usize {
    filled.text("targets").parse().unwrap_or(1).min(MOST)
}

/// One more or one less: what the buttons of the form say.
pub(super) fn resize(filled: &mut Filled) -> bool {
    let (act, targets) = (filled.text("act").to_owned(), count(filled));
    if act == "add" && targets < MOST {
        filled.set(&key(targets + 1, "action"), "install");
        filled.set("targets", (targets + 1).to_string());
    } else if let Some(gone) = act.strip_prefix("remove-").and_then(|number| number.parse::<usize>().ok()) {
        if (1..=targets).contains(&gone) {
            for (to, field) in (gone..=targets).flat_map(|to| FIELDS.map(|field| (to, field))) {
                // the last one is followed by nothing
                let next = if to < targets { filled.text(&key(to + 1, field)).to_owned() } else { String::new() };
                filled.set(&key(to, field), next);
            }
            filled.set("targets", (targets - 1).to_string());
        }
    } else {
        return false;
    }
    true
}

/// The deployments of a form.
pub(super) fn read(cx: &Cx, filled: &Filled) -> Result<Vec<RuleDeployment>, Errors> {
    (1..=count(filled)).map(|target| read_one(cx, filled, target)).collect()
}

fn read_one(cx: &Cx, filled: &Filled, target: usize) -> Result<RuleDeployment, Errors> {
    let some = |field: &str| filled.some(&key(target, field));
    let wrong = || Errors::default().field(&key(target, "collection"), t::error_collection(cx));
    let optional = filled.text(&key(target, "action")) == "optional";
    Ok(RuleDeployment {
        collection: some("collection").ok_or_else(wrong)?,
        action: Some(if optional { Action::Optional } else { Action::Install }),
        available: some("available"),
        deadline: some("deadline").filter(|_| !optional),
        template: some("template"),
        settings: weir_api::deployment::DeploymentSettings::default(),
    })
}

/// The fields of one deployment.
pub(super) fn fields(
    cx: &Cx,
    filled: &Filled,
    errors: &Errors,
    target: usize,
    collections: &[(String, String)],
    templates: &[DeploymentTemplate],
) -> Markup {
    let [collection, action, available, deadline, template] = FIELDS.map(|field| key(target, field));
    let actions = ["install", "optional"].map(|word| (word.to_owned(), d::action(cx, word)));
    html! {
        (Field::new(&collection, d::col_collection(cx), errors).required().choice(collections, filled.text(&collection)))
        (Field::new(&action, d::col_action(cx), errors).choice(&actions, filled.text(&action)))
        div.pair {
            (Field::new(&available, d::col_available(cx), errors).help(t::available_help(cx)).input("text", filled.text(&available)))
            (Field::new(&deadline, d::col_deadline(cx), errors).help(t::deadline_help(cx)).input("text", filled.text(&deadline)))
        }
        @if !templates.is_empty() {
            (Field::new(&template, t::settings_of(cx), errors).help(t::settings_of_help(cx)).choice(&templates::options(cx, templates), filled.text(&template)))
        }
    }
}

/// A refusal of REST beside its field: `deadline of deployment 2: ...` says where.
pub(super) fn refused(problem: &weir_api::Problem) -> Option<Errors> {
    let (_, rest) = problem.detail.split_once("deployment ")?;
    let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let number: usize = number.parse().ok()?;
    let field = FIELDS.into_iter().find(|field| problem.code == *field).unwrap_or("collection");
    Some(Errors::default().field(&key(number, field), problem.detail.clone()))
}

/// What each run of a rule deploys, with what can be done about it.
pub(super) async fn show(cx: &Cx, one: &Rule, may: bool, filled: &Filled, errors: &Errors) -> Result<Markup, Failure> {
    let form = if may {
        let (collections, templates) = tokio::join!(names::collections(cx), templates::all(cx));
        let options = names::collection_options(cx, &collections?, d::choose(cx), true);
        html! {
            details.more open[!errors.is_empty()] {
                summary { (t::target_add(cx)) }
                form method="post" action={ (address(one)) "/deployments" } {
                    (errors.summary(cx))
                    input type="hidden" name="targets" value="1";
                    (fields(cx, filled, errors, 1, &options, &templates.unwrap_or_default()))
                    button.primary type="submit" { (t::target_add(cx)) }
                }
            }
        }
    } else {
        Markup::default()
    };
    let heads = [d::col_collection(cx), d::col_action(cx), d::col_available(cx), d::col_deadline(cx)];
    Ok(html! {
        @if one.deployments.is_empty() { p { (t::targets_none(cx)) } }
        @else {
            div.scroll {
                table {
                    caption.hide { (t::col_targets(cx)) }
                    thead { tr { @for head in heads { th scope="col" { (head) } } @if may { th scope="col" { span.hide { (t::target_remove(cx)) } } } } }
                    tbody {
                        @for target in &one.deployments {
                            tr {
                                th scope="row" { (target.collection) }
                                td { @if let Some(action) = target.action { (names::action(cx, action)) } }
                                td { (after(cx, target.available.as_deref())) }
                                td { (after(cx, target.deadline.as_deref())) }
                                @if may {
                                    td {
                                        form.inline method="post" action={ (address(one)) "/deployments/remove" } data-dialog {
                                            button.plain type="submit" name="collection" value=(target.collection) { (t::target_remove(cx)) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        p.quiet { (t::targets_help(cx)) }
        (form)
    })
}

/// A span after the scheduled start.
fn after(cx: &Cx, span: Option<&str>) -> String {
    match span {
        None => d::none(cx).to_owned(),
        // "0", "0m": nothing but zeroes with units
        Some(span) if !span.contains(|c: char| c.is_ascii_digit() && c != '0') => t::at_start(cx).to_owned(),
        Some(span) => t::after_start(cx, span),
    }
}

/// Adds one to a rule.
pub(super) async fn add(
    cx: Cx,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let one: Rule = cx.api.get(&resource(&name), &()).await?;
    let filled = Filled::new(pairs);
    let new = match read_one(&cx, &filled, 1) {
        Ok(new) => new,
        Err(errors) => return detail::page(&cx, &one, &filled, &errors).await,
    };
    match cx.api.post::<Rule>(&path(&["rules", &name, "deployments"]), &new).await {
        Ok(one) => Ok(t::flash_target_added(&new.collection).to(address(&one))),
        Err(failure) => {
            let problem = failure.into_problem()?;
            let field = FIELDS.into_iter().find(|field| problem.code == *field).unwrap_or("collection");
            let errors = Errors::default().field(&key(1, field), problem.detail);
            detail::page(&cx, &one, &filled, &errors).await
        }
    }
}

/// Asks before one is taken away, or takes it away.
pub(super) async fn remove(
    cx: Cx,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let one: Rule = cx.api.get(&resource(&name), &()).await?;
    let filled = Filled::new(pairs);
    let collection = filled.text("collection");
    if filled.on("sure") {
        let one: Rule = cx.api.delete(&path(&["rules", &name, "deployments", collection])).await?;
        return Ok(t::flash_target_removed(collection).to(address(&one)));
    }
    let to = format!("{}/deployments/remove", address(&one));
    let sentence = t::target_remove_sentence(&cx, &one.name, collection);
    let confirm = Confirm::new(sentence, t::target_remove_undo(&cx), t::target_remove(&cx), to, address(&one));
    Page::new(&cx, t::target_remove(&cx))
        .crumb(d::rules(&cx), "/deployments/rules")
        .crumb(&one.name, address(&one))
        .body(confirm.field("collection", collection).field("sure", "1").render(&cx))
        .render()
        .await
}
