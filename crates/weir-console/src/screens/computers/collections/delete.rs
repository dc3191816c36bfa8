//! Deleting a collection, with what goes with it and what stands in the way.

use axum::{Form, extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::{
    List, Reference,
    access::Role,
    collection::Collection,
    deployment::{Deployment, DeploymentQuery},
    window::{Window, WindowQuery},
};

use super::super::{collection_at, collection_links, rest};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{collections as t, computers},
    ui::{
        confirm::{Confirm, matches},
        form::Errors,
    },
};

/// Things that are named of each kind.
const NAMED: u32 = 20;

/// Asks for confirmation.
pub(super) async fn ask(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let known: Collection = cx.api.get(&path(&["collections", &name]), &()).await?;
    page(&cx, &known, &Errors::default(), None).await
}

/// What the form sends.
#[derive(serde::Deserialize)]
pub(super) struct Sent {
    typed: String,
}

/// Deletes it.
pub(super) async fn delete(cx: Cx, Path(name): Path<String>, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let known: Collection = cx.api.get(&path(&["collections", &name]), &()).await?;
    if !matches(&sent.typed, &known.name) {
        return page(&cx, &known, &Errors::default(), Some(computers::typed_wrong(&cx).to_owned())).await;
    }
    match cx.api.delete::<()>(&path(&["collections", &known.id.to_string()])).await {
        Ok(()) => Ok(t::flash_deleted(known.name).to("/computers/collections")),
        Err(failure) => page(&cx, &known, &Errors::of(&failure.into_problem()?, &[]), None).await,
    }
}

fn at(known: &Collection) -> String {
    collection_at(&Reference { id: known.id, name: known.name.clone() })
}

async fn page(cx: &Cx, known: &Collection, errors: &Errors, wrong: Option<String>) -> Result<Response, Failure> {
    if known.built_in || !cx.may(Role::SoftwareUpdateManager) {
        let body = html! { section.panel { p { (t::may_not_delete(cx)) } p { a href=(at(known)) { (known.name) } } } };
        return Page::new(cx, t::delete_title(cx, &known.name)).body(body).render().await;
    }
    let back = at(known);
    let sentence = t::delete_sentence(cx, &known.name);
    let confirm = Confirm::new(sentence, t::delete_undo(cx), t::delete(cx), format!("{back}/delete"), back)
        .details(html! { (errors.summary(cx)) (consequences(cx, known).await) })
        .typed(&known.name, wrong);
    Page::new(cx, t::delete_title(cx, &known.name))
        .crumb(computers::collections(cx), "/computers/collections")
        .body(confirm.render(cx))
        .render()
        .await
}

/// Who is in it, and what uses it.
async fn consequences(cx: &Cx, known: &Collection) -> Markup {
    let id = known.id.to_string();
    let deployments =
        DeploymentQuery { collection: Some(id.clone()), limit: Some(NAMED), ..DeploymentQuery::default() };
    let windows = WindowQuery { collection: Some(id.clone()), cursor: None, limit: Some(NAMED) };
    let (deployments, windows, collections) = tokio::join!(
        cx.api.get::<List<Deployment>>("/deployments", &deployments),
        cx.api.get::<List<Window>>("/windows", &windows),
        rest::collections(cx),
    );
    let collections = collections.unwrap_or_default();
    let reference = |one: &Collection| Reference { id: one.id, name: one.name.clone() };
    let names = |known_in: fn(&Collection, uuid::Uuid) -> bool| -> Vec<Reference> {
        collections.iter().filter(|one| known_in(one, known.id)).map(reference).collect()
    };
    let below = names(|one, id| one.parent.as_ref().is_some_and(|parent| parent.id == id));
    let users = names(|one, id| {
        one.includes.iter().chain(&one.excludes).chain(&one.limiting).any(|reference| reference.id == id)
    });
    html! {
        ul.cites {
            li { (t::gone_members(cx, known.members)) }
            @if let Ok(list) = &deployments {
                @if !list.items.is_empty() {
                    li {
                        (t::gone_deployments(cx, known.deployments)) " "
                        @for (at, one) in list.items.iter().enumerate() {
                            @if at > 0 { ", " }
                            a href=(path(&["deployments", &one.id.to_string()])) { (if one.name.is_empty() { format!("#{}", one.id) } else { one.name.clone() }) }
                        }
                    }
                }
            }
            @if let Ok(list) = &windows {
                @if !list.items.is_empty() { li { (t::gone_windows(cx, list.items.len() as u64)) " " (list.items.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ")) } }
            }
            @if !below.is_empty() { li { (t::gone_below(cx, below.len() as u64)) " " (collection_links(cx, &below)) } }
            @if !users.is_empty() { li { (t::gone_users(cx, users.len() as u64)) " " (collection_links(cx, &users)) } }
        }
        @if deployments.is_err() || windows.is_err() { p.quiet { (t::gone_unknown(cx)) } }
        p { (t::refuses(cx)) }
    }
}
