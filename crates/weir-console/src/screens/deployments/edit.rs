//! Changing a deployment: what changes is confirmed before it does.

use axum::{Form, extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::{deployment::Deployment, deployment_compliance::DeploymentCompliance};

use super::{
    fields::{self, Around},
    filled::Filled,
    names, terms, when,
};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{common, deployments as t},
    ui::{
        confirm::Confirm,
        form::{Errors, with_preview},
    },
};

/// The form as the deployment is now.
fn before(cx: &Cx, one: &Deployment) -> Result<Filled, Failure> {
    let local = one.settings.local_time == Some(true);
    let mut filled = Filled::default();
    filled.set("name", &one.name);
    filled.set("description", &one.description);
    filled.set("action", crate::ui::word(&one.action));
    when::fill(cx, &mut filled, "available", Some(one.available), local);
    when::fill(cx, &mut filled, "deadline", one.deadline, local);
    terms::fill(&mut filled, &one.settings)?;
    Ok(filled)
}

async fn load(cx: &Cx, id: &str) -> Result<Deployment, Failure> {
    let id: i32 = id.parse().map_err(|_| Failure::NotFound)?;
    cx.api.get(&names::address(id), &()).await
}

/// The form.
pub(super) async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let one = load(&cx, &id).await?;
    // one comes back from the confirmation with what was filled in
    let sent = Filled::new(cx.address.pairs().to_vec());
    let filled = if sent.on("filled") { sent } else { before(&cx, &one)? };
    form(&cx, &one, &filled, &Errors::default()).await
}

async fn form(cx: &Cx, one: &Deployment, filled: &Filled, errors: &Errors) -> Result<Response, Failure> {
    let known = terms::known(cx).await;
    let around = Around { collections: None, known: &known, licence: true, new: false, force: false };
    let back = names::address(one.id);
    let form = html! {
        form method="post" action=(path(&["deployments", &one.id.to_string(), "edit"])) {
            (errors.summary(cx))
            (fields::fields(cx, filled, errors, &around))
            div.buttons {
                button.primary type="submit" { (t::go_on(cx)) }
                a.button.plain href=(back) { (common::cancel(cx)) }
            }
        }
    };
    Page::new(cx, t::edit_title(cx, names::title(one)))
        .crumb(names::title(one), &back)
        .body(with_preview(&form, &beside(cx, one).await))
        .render()
        .await
}

/// Whom it concerns as it is. What a change comes to REST does not foresee.
async fn beside(cx: &Cx, one: &Deployment) -> Markup {
    let standing: Option<DeploymentCompliance> =
        cx.api.get(&path(&["compliance", "deployments", &one.id.to_string()]), &()).await.ok();
    html! {
        h2 { (t::edit_now(cx)) }
        p { (names::what(one)) " → " (names::collection_link(&one.collection)) }
        p { (names::state(cx, one.state)) }
        @if let Some(standing) = &standing {
            p.figure { (t::computers_of(cx, standing.computers)) }
            (super::bar::small(cx, Some(&standing.into())))
        }
        p.quiet { (t::edit_help(cx)) }
    }
}

/// Asks for confirmation, or changes it.
pub(super) async fn change(
    cx: Cx,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let one = load(&cx, &id).await?;
    let mut filled = Filled::new(pairs);
    filled.set("filled", "1");
    let before = before(&cx, &one)?;
    let asked = match fields::change(&cx, &before, &filled) {
        Ok(asked) => asked,
        Err(errors) => return form(&cx, &one, &filled, &errors).await,
    };
    let rows = fields::differences(&cx, &before, &filled);
    if rows.is_empty() {
        return Ok(t::flash_same().to(names::address(one.id)));
    }
    if !filled.on("sure") {
        return confirm(&cx, &one, &filled, &rows).await;
    }
    match cx.api.patch::<Deployment>(&names::address(one.id), &asked).await {
        Ok(_) => Ok(t::flash_changed().to(names::address(one.id))),
        Err(failure) => form(&cx, &one, &filled, &fields::refused(&failure.into_problem()?)).await,
    }
}

async fn confirm(
    cx: &Cx,
    one: &Deployment,
    filled: &Filled,
    rows: &[(String, String, String)],
) -> Result<Response, Failure> {
    let action = path(&["deployments", &one.id.to_string(), "edit"]);
    let standing: Option<DeploymentCompliance> =
        cx.api.get(&path(&["compliance", "deployments", &one.id.to_string()]), &()).await.ok();
    let sentence = match &standing {
        Some(standing) => t::edit_sentence(cx, standing.computers, &one.collection.name),
        None => t::edit_sentence_limited(cx, &one.collection.name),
    };
    let mut back = Address::new(&action);
    for (name, value) in filled.kept() {
        back = back.and(name, value);
    }
    let mut confirm = Confirm::new(sentence, t::edit_undo(cx), t::edit_now_button(cx), action, back.to_string())
        .details(fields::changes(cx, rows));
    for (name, value) in filled.kept() {
        confirm = confirm.field(name, value);
    }
    Page::new(cx, t::edit_title(cx, names::title(one)))
        .crumb(names::title(one), names::address(one.id))
        .body(confirm.field("sure", "1").render(cx))
        .render()
        .await
}
