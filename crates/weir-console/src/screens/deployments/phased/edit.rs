//! Changing a phased deployment: its name, and phases that have not started.

use axum::{Form, extract::Path, response::Response};
use maud::html;
use weir_api::{
    collection::Collection,
    deployment_template::DeploymentTemplate,
    phased::{Phased, PhasedChange},
};

use super::{address, form, resource};
use crate::{
    address::Address,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::deployments::{filled::Filled, names, templates},
    texts::{common, deployments as d, deployments_phased as t},
    ui::{
        confirm::Confirm,
        form::{Errors, Field, group},
    },
};

/// The form.
pub(super) async fn show(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let one: Phased = cx.api.get(&resource(&name), &()).await?;
    let sent = Filled::new(cx.address.pairs().to_vec());
    let filled = if sent.on("filled") { sent } else { before(&one) };
    page(&cx, &one, &filled, &Errors::default()).await
}

fn before(one: &Phased) -> Filled {
    let mut filled = Filled::default();
    filled.set("name", &one.name);
    filled.set("description", &one.description);
    filled.set("phases", one.phases.len().to_string());
    for (at, phase) in one.phases.iter().enumerate() {
        form::fill(&mut filled, at + 1, &phase.spec, phase.started_at.is_some());
    }
    filled
}

async fn page(cx: &Cx, one: &Phased, filled: &Filled, errors: &Errors) -> Result<Response, Failure> {
    let (collections, templates) = tokio::join!(names::collections(cx), templates::all(cx));
    let (collections, templates): (Vec<Collection>, Vec<DeploymentTemplate>) =
        (collections?, templates.unwrap_or_default());
    let body = html! {
        form method="post" action={ (address(one)) "/edit" } {
            (errors.summary(cx))
            (group(d::group_what(cx), &html! {
                (Field::new("name", d::col_name(cx), errors).help(t::name_help(cx)).required().input("text", filled.text("name")))
                (Field::new("description", d::col_description(cx), errors).input("text", filled.text("description")))
            }))
            (form::fields(cx, filled, errors, &collections, &templates))
            div.buttons {
                button.primary type="submit" { (d::go_on(cx)) }
                a.button.plain href=(address(one)) { (common::cancel(cx)) }
            }
        }
    };
    Page::new(cx, d::edit_title(cx, &one.name))
        .crumb(d::phased(cx), "/deployments/phased")
        .crumb(&one.name, address(one))
        .body(body)
        .render()
        .await
}

/// Another number of phases, a confirmation, or the act.
pub(super) async fn change(
    cx: Cx,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let one: Phased = cx.api.get(&resource(&name), &()).await?;
    let mut filled = Filled::new(pairs);
    filled.set("filled", "1");
    if form::resize(&mut filled) {
        return page(&cx, &one, &filled, &Errors::default()).await;
    }
    let phases = match form::read(&cx, &filled) {
        Ok(phases) => phases,
        Err(errors) => return page(&cx, &one, &filled, &errors).await,
    };
    let asked = PhasedChange {
        name: filled.some("name").filter(|name| *name != one.name),
        description: Some(filled.text("description").trim().to_owned()).filter(|text| *text != one.description),
        phases: Some(phases),
    };
    if !filled.on("sure") {
        return confirm(&cx, &one, &filled, &asked).await;
    }
    match cx.api.patch::<Phased>(&resource(&one.id.to_string()), &asked).await {
        Ok(one) => Ok(t::flash_changed().to(address(&one))),
        Err(failure) => page(&cx, &one, &filled, &form::refused(&failure.into_problem()?)).await,
    }
}

async fn confirm(cx: &Cx, one: &Phased, filled: &Filled, asked: &PhasedChange) -> Result<Response, Failure> {
    let to = format!("{}/edit", address(one));
    let mut back = Address::new(&to);
    for (name, value) in filled.kept() {
        back = back.and(name, value);
    }
    let started = one.phases.iter().filter(|phase| phase.started_at.is_some()).count();
    let details = html! {
        ol.rings {
            @for (at, phase) in asked.phases.iter().flatten().enumerate() {
                li {
                    (phase.name.as_deref().unwrap_or(&phase.collection)) " · " (phase.collection)
                    @if at < started { " · " span.quiet { (t::stays(cx)) } }
                }
            }
        }
    };
    let sentence = t::edit_sentence(cx, &one.name);
    let mut confirm =
        Confirm::new(sentence, t::edit_undo(cx), d::edit_now_button(cx), to, back.to_string()).details(details);
    for (name, value) in filled.kept() {
        confirm = confirm.field(name, value);
    }
    Page::new(cx, d::edit_title(cx, &one.name))
        .crumb(d::phased(cx), "/deployments/phased")
        .crumb(&one.name, address(one))
        .body(confirm.field("sure", "1").render(cx))
        .render()
        .await
}
