//! Templates: what deployments begin with.

use axum::{Form, extract::Path, response::Response};
use jiff::Timestamp;
use maud::html;
use weir_api::{
    List,
    deployment::{Deployment, DeploymentSettings},
    deployment_template::{DeploymentTemplate, TemplateBody},
    list::ListQuery,
};

use super::{fields, filled::Filled, names, terms, when};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{common, deployments as t},
    ui::{
        self,
        badge::{Tone, badge},
        confirm::{Confirm, matches},
        form::{Errors, Field, group},
        grid::{Column, Grid, wants_csv},
    },
};

/// Templates that a site may have.
const MOST: usize = 1_000;

/// All templates, by name.
pub(super) async fn all(cx: &Cx) -> Result<Vec<DeploymentTemplate>, Failure> {
    cx.api
        .all(MOST, |cursor| {
            let query = ListQuery { cursor, limit: Some(1000) };
            async move { cx.api.get::<List<DeploymentTemplate>>("/deployment-templates", &query).await }
        })
        .await
}

/// Templates to choose from.
pub(super) fn options(cx: &Cx, templates: &[DeploymentTemplate]) -> Vec<(String, String)> {
    let rows = templates.iter().map(|one| (one.name.clone(), one.name.clone()));
    std::iter::once((String::new(), t::no_template(cx).to_owned())).chain(rows).collect()
}

/// Fills the form of a new deployment in with what a template says.
pub(super) fn apply(cx: &Cx, filled: &mut Filled, one: &DeploymentTemplate) -> Result<(), Failure> {
    let says = &one.template;
    if let Some(action) = says.action {
        filled.set("action", ui::word(&action));
    }
    if let Some(collection) = says.collection.as_ref().filter(|_| one.problem.is_none()) {
        filled.set("collection", collection);
    }
    terms::fill(filled, &says.settings)?;
    let local = says.settings.local_time == Some(true);
    // an offset counts from the making of the deployment: as a moment it can be seen and changed
    for (field, offset) in [("available", &says.available), ("deadline", &says.deadline)] {
        match offset.as_deref().map(|offset| after(cx.now, offset)) {
            Some(Some(at)) => when::fill(cx, filled, field, Some(at), local),
            Some(None) => {}
            None => filled.set(&format!("{field}_when"), if field == "deadline" { "none" } else { "soon" }),
        }
    }
    Ok(())
}

/// The moment so long after another: weeks, days, hours, minutes, seconds, as templates have them.
fn after(now: Timestamp, offset: &str) -> Option<Timestamp> {
    let (mut seconds, mut number) = (0_i64, String::new());
    for sign in offset.trim().trim_start_matches('+').chars() {
        let size = match sign {
            '0'..='9' => {
                number.push(sign);
                continue;
            }
            'w' => 7 * 86_400,
            'd' => 86_400,
            'h' => 3_600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(number.parse::<i64>().ok()?.checked_mul(size)?)?;
        number.clear();
    }
    if number.is_empty() { now.checked_add(jiff::SignedDuration::from_secs(seconds)).ok() } else { None }
}

/// The list.
pub(super) async fn list(cx: Cx) -> Result<Response, Failure> {
    let rows = all(&cx).await?;
    let may = names::may_everywhere(&cx);
    let new = may.then(|| (t::template_new(&cx), "/deployments/templates/new"));
    let grid = Grid::new(&cx, "deployment-templates", t::templates(&cx), columns(&cx), &rows)
        .empty(ui::empty(t::templates_empty(&cx), new));
    if wants_csv(&cx.address) {
        return Ok(grid.csv());
    }
    let body = grid.render();
    drop(grid);
    Page::new(&cx, t::templates(&cx))
        .actions(html! { @if may { a.button.primary href="/deployments/templates/new" { (t::template_new(&cx)) } } })
        .body(body)
        .render()
        .await
}

fn columns(cx: &Cx) -> Vec<Column<'_, DeploymentTemplate>> {
    let words = |text: Option<&String>| html! { (text.map(String::as_str).unwrap_or_default()) };
    vec![
        Column::new("name", t::col_name(cx), |one: &DeploymentTemplate| {
            html! {
                a href=(path(&["deployments", "templates", &one.name])) { (one.name) }
                @if one.from_parent { " " (badge(Tone::Plain, t::from_parent(cx))) }
                @if let Some(problem) = &one.problem { div.quiet lang="en" { (problem) } }
            }
        })
        .text(|one| one.name.clone())
        .wide()
        .narrow(),
        Column::new("action", t::col_action(cx), |one: &DeploymentTemplate| {
            html! { @if let Some(action) = one.template.action { (names::action(cx, action)) } }
        })
        .text(|one| one.template.action.map(|action| ui::word(&action)).unwrap_or_default()),
        Column::new("collection", t::col_collection(cx), move |one: &DeploymentTemplate| {
            words(one.template.collection.as_ref())
        })
        .text(|one| one.template.collection.clone().unwrap_or_default())
        .narrow(),
        Column::new("available", t::col_available(cx), move |one: &DeploymentTemplate| {
            words(one.template.available.as_ref())
        })
        .text(|one| one.template.available.clone().unwrap_or_default()),
        Column::new("deadline", t::col_deadline(cx), move |one: &DeploymentTemplate| {
            words(one.template.deadline.as_ref())
        })
        .text(|one| one.template.deadline.clone().unwrap_or_default()),
        Column::new("changed", t::col_changed(cx), |one: &DeploymentTemplate| ui::time(cx, one.changed_at))
            .text(|one| one.changed_at.to_string()),
        Column::new("by", t::col_by(cx), |one: &DeploymentTemplate| html! { (one.changed_by) })
            .text(|one| one.changed_by.clone()),
        Column::new("use", t::col_use(cx), |one: &DeploymentTemplate| {
            html! {
                @if names::may_everywhere(cx) && one.problem.is_none() {
                    a href=(Address::new("/deployments/new").with("template", &one.name)) { (t::template_use(cx)) }
                }
            }
        }),
    ]
}

/// The form of a new template, with the settings of the deployment `from`.
pub(super) async fn new(cx: Cx) -> Result<Response, Failure> {
    let mut filled = Filled::default();
    let mut settings = DeploymentSettings::default();
    if let Some(id) = cx.address.value("from") {
        let one: Deployment = cx.api.get(&path(&["deployments", id]), &()).await?;
        filled.set("action", ui::word(&one.action));
        settings = one.settings;
    }
    terms::fill(&mut filled, &settings)?;
    form(&cx, None, &filled, &Errors::default()).await
}

/// One template: what it says, to be changed.
pub(super) async fn show(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let one: DeploymentTemplate = cx.api.get(&path(&["deployment-templates", &name]), &()).await?;
    let mut filled = Filled::default();
    filled.set("action", one.template.action.map(|action| ui::word(&action)).unwrap_or_default());
    for (field, text) in [
        ("collection", &one.template.collection),
        ("available", &one.template.available),
        ("deadline", &one.template.deadline),
    ] {
        filled.set(field, text.clone().unwrap_or_default());
    }
    terms::fill(&mut filled, &one.template.settings)?;
    form(&cx, Some(&one), &filled, &Errors::default()).await
}

async fn form(
    cx: &Cx,
    one: Option<&DeploymentTemplate>,
    filled: &Filled,
    errors: &Errors,
) -> Result<Response, Failure> {
    let (collections, known) = tokio::join!(names::collections(cx), terms::known(cx));
    let collections = names::collection_options(cx, &collections?, t::left_open(cx), true);
    let open = std::iter::once((String::new(), t::left_open(cx).to_owned()));
    let actions: Vec<(String, String)> =
        open.chain(fields::ACTIONS.iter().map(|action| ((*action).to_owned(), t::action(cx, action)))).collect();
    let zones = [("here", t::zone_moment(cx)), ("local", t::zone_local(cx))];
    let zones: Vec<(String, String)> =
        zones.iter().map(|(key, name)| ((*key).to_owned(), (*name).to_owned())).collect();
    let to = one.map_or_else(|| "/deployments/templates/new".to_owned(), |one| address(&one.name));
    let may = names::may_everywhere(cx) && one.is_none_or(|one| !one.from_parent);
    let body = html! {
        @if let Some(problem) = one.and_then(|one| one.problem.as_ref()) { div.panel.warn { p lang="en" { (problem) } } }
        form method="post" action=(to) {
            (errors.summary(cx))
            (group(t::group_what(cx), &html! {
                @if one.is_none() { (Field::new("name", t::col_name(cx), errors).help(t::template_name_help(cx)).required().input("text", filled.text("name"))) }
                (Field::new("action", t::col_action(cx), errors).help(t::template_open_help(cx)).choice(&actions, filled.text("action")))
                (Field::new("collection", t::col_collection(cx), errors).choice(&collections, filled.text("collection")))
            }))
            (group(t::group_when(cx), &html! {
                (Field::new("zone", t::zone(cx), errors).help(t::zone_help(cx)).choice(&zones, filled.text("zone")))
                (Field::new("available", t::col_available(cx), errors).help(t::offset_help(cx)).input("text", filled.text("available")))
                (Field::new("deadline", t::col_deadline(cx), errors).help(t::offset_help(cx)).input("text", filled.text("deadline")))
            }))
            (terms::fields(cx, filled, errors, &known))
            @if may {
                div.buttons {
                    button.primary type="submit" { (t::save(cx)) }
                    a.button.plain href="/deployments/templates" { (common::cancel(cx)) }
                }
            }
        }
    };
    let title = one.map_or_else(|| t::template_new(cx).to_owned(), |one| one.name.clone());
    let acts = html! {
        @if let Some(one) = one.filter(|_| may) {
            a.button.primary href=(Address::new("/deployments/new").with("template", &one.name)) { (t::template_use(cx)) }
            a.button href=(path(&["deployments", "templates", &one.name, "delete"])) { (t::acts(cx, "delete")) }
        }
    };
    Page::new(cx, title).crumb(t::templates(cx), "/deployments/templates").actions(acts).body(body).render().await
}

fn address(name: &str) -> String {
    path(&["deployments", "templates", name])
}

fn body(cx: &Cx, filled: &Filled) -> Result<TemplateBody, Errors> {
    Ok(TemplateBody {
        action: fields::action(filled),
        collection: filled.some("collection"),
        available: filled.some("available"),
        deadline: filled.some("deadline"),
        settings: terms::read(cx, filled, false)?,
    })
}

/// Makes a template; one that is there is not replaced by it.
pub(super) async fn make(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let filled = Filled::new(pairs);
    let name = filled.text("name").trim().to_owned();
    let taken = cx.api.get::<DeploymentTemplate>(&path(&["deployment-templates", &name]), &()).await.is_ok();
    if name.is_empty() || taken {
        let why = if taken { t::error_name_taken(&cx) } else { t::error_name(&cx) };
        return form(&cx, None, &filled, &Errors::default().field("name", why)).await;
    }
    put(&cx, None, &name, &filled).await
}

/// Changes a template.
pub(super) async fn change(
    cx: Cx,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let one: DeploymentTemplate = cx.api.get(&path(&["deployment-templates", &name]), &()).await?;
    put(&cx, Some(&one), &one.name, &Filled::new(pairs)).await
}

async fn put(cx: &Cx, one: Option<&DeploymentTemplate>, name: &str, filled: &Filled) -> Result<Response, Failure> {
    let asked = match body(cx, filled) {
        Ok(asked) => asked,
        Err(errors) => return form(cx, one, filled, &errors).await,
    };
    match cx.api.put::<DeploymentTemplate>(&path(&["deployment-templates", name]), &asked).await {
        Ok(kept) => Ok(t::flash_template_kept(&kept.name).to(address(&kept.name))),
        Err(failure) => form(cx, one, filled, &fields::refused(&failure.into_problem()?)).await,
    }
}

/// Asks before a template is deleted.
pub(super) async fn ask_delete(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let one: DeploymentTemplate = cx.api.get(&path(&["deployment-templates", &name]), &()).await?;
    confirm(&cx, &one, None).await
}

async fn confirm(cx: &Cx, one: &DeploymentTemplate, wrong: Option<String>) -> Result<Response, Failure> {
    let action = path(&["deployments", "templates", &one.name, "delete"]);
    let sentence = t::template_delete_sentence(cx, &one.name);
    let confirm =
        Confirm::new(sentence, t::template_delete_undo(cx), t::acts(cx, "delete"), action, address(&one.name));
    Page::new(cx, t::acts(cx, "delete"))
        .crumb(t::templates(cx), "/deployments/templates")
        .body(confirm.typed(&one.name, wrong).render(cx))
        .render()
        .await
}

/// Deletes a template.
pub(super) async fn delete(
    cx: Cx,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let one: DeploymentTemplate = cx.api.get(&path(&["deployment-templates", &name]), &()).await?;
    if !matches(Filled::new(pairs).text("typed"), &one.name) {
        return confirm(&cx, &one, Some(t::error_typed(&cx).to_owned())).await;
    }
    cx.api.delete::<()>(&path(&["deployment-templates", &one.name])).await?;
    Ok(t::flash_template_deleted(&one.name).to("/deployments/templates"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_from_now() {
        let now: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let read = |text: &str| after(now, text).map(|at| at.to_string());
        assert_eq!(read("+1w3d4h").as_deref(), Some("2026-03-11T04:00:00Z"));
        assert_eq!(read("+0s").as_deref(), Some("2026-03-01T00:00:00Z"));
        assert_eq!([read("+3"), read("+d"), read("3x")], [None, None, None]);
    }
}
