//! What is done with a phased deployment: pause, resume, advance, approve, stop, look again, delete.

use axum::{Form, extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::{
    collection::Collection,
    phased::{Phase, Phased, PhasedNote},
};

use super::{address, current, resource};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::deployments::filled::Filled,
    texts::{deployments as d, deployments_phased as t},
    ui::{
        self,
        confirm::{Confirm, matches},
        form::{Errors, Field},
    },
};

/// Acts that are confirmed.
const ACTS: [&str; 5] = ["pause", "resume", "advance", "approve", "stop"];

async fn load(cx: &Cx, name: &str) -> Result<Phased, Failure> {
    cx.api.get(&resource(name), &()).await
}

/// Asks for confirmation.
pub(super) async fn ask(cx: Cx, Path((name, act)): Path<(String, String)>) -> Result<Response, Failure> {
    if !ACTS.contains(&act.as_str()) {
        return Err(Failure::NotFound);
    }
    let one = load(&cx, &name).await?;
    confirm(&cx, &one, &act, &Filled::default(), None, &Errors::default()).await
}

async fn confirm(
    cx: &Cx,
    one: &Phased,
    act: &str,
    filled: &Filled,
    wrong: Option<String>,
    errors: &Errors,
) -> Result<Response, Failure> {
    let (sentence, undo) = match act {
        "pause" => (t::pause_sentence(cx, &one.name), t::pause_undo(cx)),
        "resume" => (t::resume_sentence(cx, &one.name), t::resume_undo(cx)),
        "advance" => (t::advance_sentence(cx, &one.name), t::advance_undo(cx)),
        "approve" => (t::approve_sentence(cx, &one.name), t::approve_undo(cx)),
        _ => (t::stop_sentence(cx, &one.name), t::stop_undo(cx)),
    };
    let details = html! {
        (errors.summary(cx))
        (about(cx, one, act).await)
        (Field::new("note", t::note(cx), errors).help(t::note_help(cx)).input("text", filled.text("note")))
    };
    let label = t::acts(cx, act);
    let to = format!("{}/{act}", address(one));
    let confirm = Confirm::new(sentence, undo, &label, to, address(one)).details(details);
    let confirm = if act == "stop" { confirm.typed(&one.name, wrong) } else { confirm };
    Page::new(cx, label)
        .crumb(d::phased(cx), "/deployments/phased")
        .crumb(&one.name, address(one))
        .body(confirm.render(cx))
        .render()
        .await
}

/// Whom it concerns.
async fn about(cx: &Cx, one: &Phased, act: &str) -> Markup {
    let next = current(one).map_or(0, |phase| phase.number as usize);
    let line = |phase: &Phase| {
        html! {
            p { strong { (phase.number) " · " (phase.spec.name.as_deref().unwrap_or(&phase.spec.collection)) ":" }
                " " (t::counts(cx, phase.computers.targeted.into(), ui::number(cx, phase.computers.succeeded.into()), ui::number(cx, phase.computers.failed.into()), ui::number(cx, phase.computers.unknown.into()))) }
        }
    };
    let following = match one.phases.get(next).filter(|_| matches!(act, "advance" | "approve")) {
        Some(phase) => {
            let found = cx.api.get::<Collection>(&path(&["collections", &phase.spec.collection]), &()).await;
            Some((phase, found.ok().map(|collection| collection.members_below)))
        }
        None => None,
    };
    html! {
        @if let Some(phase) = current(one) { (line(phase)) @if let Some(gate) = &phase.gate { p.quiet lang="en" { (gate) } } }
        @if let Some((phase, members)) = following {
            p {
                strong { (t::next_phase(cx)) } " " (phase.spec.collection) @if let Some(name) = phase.spec.name.as_ref().filter(|name| **name != phase.spec.collection) { " (" (name) ")" }
                @if let Some(members) = members { ": " (d::computers_of(cx, members)) }
            }
        }
    }
}

/// Acts.
pub(super) async fn act(
    cx: Cx,
    Path((name, act)): Path<(String, String)>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let rest = path(&["phased", &name, &act]);
    let filled = Filled::new(pairs);
    if act == "refresh" {
        let one: Phased = cx.api.post(&rest, &()).await?;
        return Ok(t::flash_refreshed().to(address(&one)));
    }
    if !ACTS.contains(&act.as_str()) {
        return Err(Failure::NotFound);
    }
    let one = load(&cx, &name).await?;
    if act == "stop" && !matches(filled.text("typed"), &one.name) {
        let wrong = Some(d::error_typed(&cx).to_owned());
        return confirm(&cx, &one, &act, &filled, wrong, &Errors::default()).await;
    }
    let note = PhasedNote { note: filled.text("note").trim().to_owned() };
    match cx.api.post::<Phased>(&rest, &note).await {
        Ok(one) => Ok(t::flash_done(t::done(&cx, &act)).to(address(&one))),
        Err(failure) => {
            let errors = Errors::of(&failure.into_problem()?, &["note"]);
            confirm(&cx, &one, &act, &filled, None, &errors).await
        }
    }
}

/// Asks before one is deleted.
pub(super) async fn ask_delete(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let one = load(&cx, &name).await?;
    confirm_delete(&cx, &one, None, &Errors::default()).await
}

async fn confirm_delete(cx: &Cx, one: &Phased, wrong: Option<String>, errors: &Errors) -> Result<Response, Failure> {
    let to = format!("{}/delete", address(one));
    let confirm =
        Confirm::new(t::delete_sentence(cx, &one.name), t::delete_undo(cx), d::acts(cx, "delete"), to, address(one))
            .details(errors.summary(cx))
            .typed(&one.name, wrong);
    Page::new(cx, d::acts(cx, "delete"))
        .crumb(d::phased(cx), "/deployments/phased")
        .crumb(&one.name, address(one))
        .body(confirm.render(cx))
        .render()
        .await
}

/// Deletes one that is over.
pub(super) async fn delete(
    cx: Cx,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let one = load(&cx, &name).await?;
    if !matches(Filled::new(pairs).text("typed"), &one.name) {
        return confirm_delete(&cx, &one, Some(d::error_typed(&cx).to_owned()), &Errors::default()).await;
    }
    match cx.api.delete::<()>(&resource(&name)).await {
        Ok(()) => Ok(t::flash_deleted(&one.name).to("/deployments/phased")),
        Err(failure) => confirm_delete(&cx, &one, None, &Errors::of(&failure.into_problem()?, &[])).await,
    }
}
