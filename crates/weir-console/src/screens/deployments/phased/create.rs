//! Making a phased deployment: the update group, the phases with their gates, and what the first one does at once.

use axum::{
    Form,
    response::{IntoResponse as _, Response},
};
use maud::{Markup, html};
use uuid::Uuid;
use weir_api::{
    collection::Collection,
    deployment::DeploymentCreate,
    phased::{PhaseSpec, Phased, PhasedCreate},
};

use super::{address, form};
use crate::{
    address::Address,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::deployments::{
        filled::Filled,
        names,
        preview::{self, Foreseen},
        templates,
    },
    texts::{common, deployments as d, deployments_phased as t},
    ui::{
        confirm::Confirm,
        form::{Errors, Field, group, with_preview},
    },
};

const HERE: &str = "/deployments/phased/new";

/// The form.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    let mut filled = Filled::new(cx.address.pairs().to_vec());
    if !filled.on("filled") {
        let phases = form::count(&filled).max(3);
        for phase in 1..=phases {
            form::begin(&mut filled, phase);
        }
        filled.set("phases", phases.to_string());
    }
    page(&cx, &filled, &Errors::default()).await
}

async fn page(cx: &Cx, filled: &Filled, errors: &Errors) -> Result<Response, Failure> {
    let (collections, groups, templates) = tokio::join!(names::collections(cx), names::groups(cx), templates::all(cx));
    let (collections, groups) = (collections?, groups?);
    let updates: Vec<&str> = filled.all("update").collect();
    let body = html! {
        form method="post" action=(HERE) data-preview="/deployments/phased/new/preview" {
            (errors.summary(cx))
            (group(d::group_what(cx), &html! {
                (Field::new("name", d::col_name(cx), errors).help(t::name_help(cx)).required().input("text", filled.text("name")))
                (Field::new("description", d::col_description(cx), errors).input("text", filled.text("description")))
                @if updates.is_empty() {
                    (Field::new("group", d::update_group(cx), errors).help(t::group_help(cx)).required().choice(&names::group_options(cx, &groups, d::choose(cx)), filled.text("group")))
                } @else {
                    p { (d::gather_sentence(cx, updates.len() as u64)) }
                    @for id in &updates { input type="hidden" name="update" value=(id); }
                }
            }))
            (form::fields(cx, filled, errors, &collections, &templates.unwrap_or_default()))
            (group(d::group_end(cx), &html! {
                (Field::new("accept_eula", d::accept_eula(cx), errors).help(d::accept_eula_help(cx)).switch(filled.on("accept_eula")))
            }))
            div.buttons {
                button.primary type="submit" { (d::go_on(cx)) }
                a.button.plain href="/deployments/phased" { (common::cancel(cx)) }
            }
        }
    };
    let beside = beside(cx, filled, &collections).await?;
    Page::new(cx, t::new(cx))
        .crumb(d::phased(cx), "/deployments/phased")
        .body(with_preview(&body, &beside))
        .render()
        .await
}

/// What the first phase is as a deployment.
fn first(group: &str, phase: &PhaseSpec) -> DeploymentCreate {
    DeploymentCreate {
        group: Some(group.to_owned()),
        collection: Some(phase.collection.clone()),
        action: phase.action,
        template: phase.template.clone(),
        settings: phase.settings.clone(),
        available: None,
        deadline: phase.deadline_days.map(|days| if days == 0 { "asap".to_owned() } else { format!("+{days}d") }),
        ..DeploymentCreate::default()
    }
}

/// What stands beside the form: whom each phase is for, and what the first one does.
async fn beside(cx: &Cx, filled: &Filled, collections: &[Collection]) -> Result<Markup, Failure> {
    let rings = (1..=form::count(filled)).map(|phase| filled.text(&format!("p{phase}-collection")).to_owned());
    let rings: Vec<(String, Option<u64>)> = rings
        .map(|name| {
            let known = collections.iter().find(|collection| collection.name == name);
            (name, known.map(|collection| collection.members_below))
        })
        .collect();
    let foreseen = match (filled.some("group"), form::read(cx, filled)) {
        (Some(group), Ok(phases)) => match phases.first() {
            Some(phase) => preview::beside(cx, Ok(first(&group, phase))).await?,
            None => Markup::default(),
        },
        _ => html! { h2 { (d::preview(cx)) } p { (t::preview_fill(cx)) } },
    };
    Ok(html! {
        h2 { (t::steps(cx)) }
        ol.rings { @for (name, members) in &rings {
            li { @if name.is_empty() { span.quiet { (d::none(cx)) } } @else { (name) } @if let Some(members) = members { " · " (d::computers_of(cx, *members)) } }
        } }
        p.quiet { (t::preview_first(cx)) }
        (foreseen)
    })
}

/// The same after each change.
pub(super) async fn preview(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let collections = names::collections(&cx).await?;
    let beside = beside(&cx, &Filled::new(pairs), &collections).await?;
    Ok(html! { div id="preview" { (beside) } }.into_response())
}

fn asked(cx: &Cx, filled: &Filled) -> Result<PhasedCreate, Errors> {
    Ok(PhasedCreate {
        name: filled.text("name").trim().to_owned(),
        description: filled.text("description").trim().to_owned(),
        group: filled.some("group"),
        updates: filled.all("update").filter_map(|id| Uuid::parse_str(id).ok()).collect(),
        phases: form::read(cx, filled)?,
        accept_eula: filled.on("accept_eula"),
    })
}

/// Another number of phases, a confirmation, or the act.
pub(super) async fn make(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let mut filled = Filled::new(pairs);
    filled.set("filled", "1");
    if form::resize(&mut filled) {
        return page(&cx, &filled, &Errors::default()).await;
    }
    let new = match asked(&cx, &filled) {
        Ok(new) => new,
        Err(errors) => return page(&cx, &filled, &errors).await,
    };
    if !filled.on("sure") {
        return confirm(&cx, &filled, &new).await;
    }
    match cx.api.post::<Phased>("/phased", &new).await {
        Ok(one) => Ok(t::flash_made(&one.name).to(address(&one))),
        Err(failure) => page(&cx, &filled, &form::refused(&failure.into_problem()?)).await,
    }
}

async fn confirm(cx: &Cx, filled: &Filled, new: &PhasedCreate) -> Result<Response, Failure> {
    let Some(phase) = new.phases.first() else { return Err(Failure::NotFound) };
    // of updates that are no group yet REST foresees nothing
    let foreseen = match &new.group {
        None => None,
        Some(group) => match Foreseen::load(cx, &first(group, phase)).await {
            Ok(foreseen) => Some(foreseen),
            Err(failure) => return page(cx, filled, &form::refused(&failure.into_problem()?)).await,
        },
    };
    let computers = foreseen.as_ref().and_then(Foreseen::computers);
    let sentence = match computers {
        Some(computers) => t::new_sentence(cx, computers, &new.name, &phase.collection),
        None => t::new_sentence_plain(cx, &new.name, &phase.collection),
    };
    let mut back = Address::new(HERE);
    for (name, value) in filled.kept() {
        back = back.and(name, value);
    }
    let details = html! {
        ol.rings { @for phase in &new.phases { li { (phase.name.as_deref().unwrap_or(&phase.collection)) " · " (phase.collection) } } }
        @if let Some(foreseen) = &foreseen { div.panel { (preview::show(cx, foreseen)) } }
    };
    let mut confirm =
        Confirm::new(sentence, t::new_undo(cx), t::start_now(cx), HERE, back.to_string()).details(details);
    for (name, value) in filled.kept() {
        confirm = confirm.field(name, value);
    }
    Page::new(cx, t::new(cx))
        .crumb(d::phased(cx), "/deployments/phased")
        .body(confirm.field("sure", "1").render(cx))
        .render()
        .await
}
