//! What is done with a rule: applied to the catalogue as it is, switched, deleted.

use axum::{Form, extract::Path, response::Response};
use maud::html;
use serde::Deserialize;
use weir_api::criteria::{Criterion, CriterionApplied, CriterionChange, CriterionPreview};

use super::{
    HERE, address, find,
    form::{figures, page},
};
use crate::{
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{criteria as t, settings as s},
    ui::{
        confirm::{Confirm, matches},
        form::Errors,
    },
};

/// Asks whether a rule is to be applied.
pub(super) async fn applying(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    application(&cx, &find(&cx, &name).await?, &Errors::default()).await
}

async fn application(cx: &Cx, criterion: &Criterion, errors: &Errors) -> Result<Response, Failure> {
    let preview: CriterionPreview = cx.api.get(&format!("/criteria/{}/preview", criterion.id), &()).await?;
    let fresh = preview.matched.saturating_sub(preview.declined + preview.taken_back);
    let details = html! { (errors.summary(cx)) (figures(cx, &preview)) };
    let own = address(criterion);
    let confirm =
        Confirm::new(t::apply_sentence(cx, fresh), t::apply_undo(cx), t::apply(cx), format!("{own}/apply"), &own)
            .details(details)
            .nothing(fresh == 0);
    Page::new(cx, t::apply(cx))
        .crumb(s::places(cx, "criteria"), HERE)
        .crumb(&criterion.rule.name, own)
        .body(confirm.render(cx))
        .render()
        .await
}

/// Declines what it declines.
pub(super) async fn apply(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let criterion = find(&cx, &name).await?;
    match cx.api.post::<CriterionApplied>(&format!("/criteria/{}/apply", criterion.id), &()).await {
        Ok(applied) => Ok(t::flash_applied(applied.declined).to(address(&criterion))),
        Err(failure) => application(&cx, &criterion, &Errors::of(&failure.into_problem()?, &[])).await,
    }
}

#[derive(Deserialize)]
pub(super) struct Switch {
    #[serde(default)]
    on: String,
}

/// Switches it on or off.
pub(super) async fn switch(cx: Cx, Path(name): Path<String>, Form(sent): Form<Switch>) -> Result<Response, Failure> {
    let criterion = find(&cx, &name).await?;
    let on = sent.on == "1";
    let change = CriterionChange { enabled: Some(on), ..CriterionChange::default() };
    match cx.api.patch::<Criterion>(&format!("/criteria/{}", criterion.id), &change).await {
        Ok(changed) => {
            let name = changed.rule.name.clone();
            Ok(if on { t::flash_on(name) } else { t::flash_off(name) }.to(address(&changed)))
        }
        Err(failure) => page(&cx, &criterion, None, &Errors::of(&failure.into_problem()?, &[])).await,
    }
}

/// Asks for the name of a rule that is to be deleted.
pub(super) async fn deleting(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    deletion(&cx, &find(&cx, &name).await?, None, &Errors::default()).await
}

async fn deletion(cx: &Cx, criterion: &Criterion, wrong: Option<String>, errors: &Errors) -> Result<Response, Failure> {
    let own = address(criterion);
    let name = &criterion.rule.name;
    let details = html! { (errors.summary(cx)) p lang="en" { (criterion.description) } };
    let confirm =
        Confirm::new(t::delete_sentence(cx, name), t::delete_undo(cx), t::delete(cx), format!("{own}/delete"), &own)
            .details(details)
            .typed(name, wrong);
    Page::new(cx, t::delete(cx))
        .crumb(s::places(cx, "criteria"), HERE)
        .crumb(name, own)
        .body(confirm.render(cx))
        .render()
        .await
}

#[derive(Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    typed: String,
}

/// Deletes it when its name was typed.
pub(super) async fn delete(cx: Cx, Path(name): Path<String>, Form(sent): Form<Typed>) -> Result<Response, Failure> {
    let criterion = find(&cx, &name).await?;
    let name = &criterion.rule.name;
    if !matches(&sent.typed, name) {
        return deletion(&cx, &criterion, Some(s::wrong_name(&cx, name)), &Errors::default()).await;
    }
    match cx.api.delete::<()>(&format!("/criteria/{}", criterion.id)).await {
        Ok(()) => Ok(t::flash_deleted(name).to(HERE)),
        Err(failure) => deletion(&cx, &criterion, None, &Errors::of(&failure.into_problem()?, &[])).await,
    }
}
