//! Making, changing and deleting a group.

use axum::{Form, extract::Path, response::Response};
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;
use weir_api::{
    access::Role,
    update_group::{MembersChange, UpdateGroup, UpdateGroupChange, UpdateGroupCreate, UpdateGroupCreated},
};

use super::{
    add::{found, options},
    address, find, fitting, named,
};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::updates::{given, may_here, refused, searches},
    texts::{common, update_groups as t, updates},
    ui::{
        confirm::{Confirm, matches},
        form::{Errors, Field, with_preview},
    },
};

/// What the forms send.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Sent {
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    filter: String,
    #[serde(default)]
    saved: String,
}

/// The form of a new group; a filter or a saved search can be in the address.
pub(super) async fn blank(cx: Cx) -> Result<Response, Failure> {
    let value = |name: &str| cx.address.value(name).unwrap_or_default().to_owned();
    let sent =
        Sent { name: value("name"), description: value("description"), filter: value("filter"), saved: value("saved") };
    new(&cx, &sent, &Errors::default()).await
}

/// The same with another preview, for the module.
pub(super) async fn preview(cx: Cx, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    new(&cx, &sent, &Errors::default()).await
}

async fn new(cx: &Cx, sent: &Sent, errors: &Errors) -> Result<Response, Failure> {
    if !may_here(cx, Role::SoftwareUpdateManager) {
        return Page::new(cx, t::new(cx))
            .body(html! { section.panel { p { (common::forbidden_help(cx)) } } })
            .render()
            .await;
    }
    let options = options(cx, &searches::load(cx).await);
    let form = html! {
        form method="post" action="/updates/groups/new" data-preview="/updates/groups/new/preview" {
            (fields(cx, sent, errors))
            (Field::new("filter", updates::filter_expression(cx), errors).help(t::filter_help(cx)).input("text", &sent.filter))
            @if options.len() > 1 {
                (Field::new("saved", t::from_search(cx), errors).help(t::from_search_help(cx)).choice(&options, &sent.saved))
            }
            div.buttons { button.primary type="submit" { (t::new(cx)) } a.button.plain href="/updates/groups" { (common::cancel(cx)) } }
        }
    };
    let body = html! { (errors.summary(cx)) (with_preview(&form, &first(cx, sent).await)) };
    Page::new(cx, t::new(cx)).crumb(t::title(cx), "/updates/groups").body(body).render().await
}

fn fields(cx: &Cx, sent: &Sent, errors: &Errors) -> Markup {
    html! {
        (Field::new("name", t::name(cx), errors).help(t::name_help(cx)).required().input("text", &sent.name))
        (Field::new("description", t::description(cx), errors).help(t::description_help(cx)).input("text", &sent.description))
    }
}

/// What would be in the group at first.
async fn first(cx: &Cx, sent: &Sent) -> Markup {
    let (filter, saved) = (given(&sent.filter), given(&sent.saved));
    if filter.is_none() && saved.is_none() {
        return html! { h2 { (t::preview(cx)) } p { (t::preview_empty(cx)) } };
    }
    match fitting(cx, filter, saved).await {
        Ok(list) => {
            html! { h2 { (t::preview(cx)) } p { strong { (t::preview_updates(cx, list.updates)) } } (found(cx, &list)) }
        }
        Err(Failure::Refused(problem)) => html! { h2 { (t::preview(cx)) } p.error lang="en" { (problem.detail) } },
        Err(_) => html! { h2 { (t::preview(cx)) } },
    }
}

fn errors(problem: &weir_api::Problem) -> Errors {
    refused(problem, &["name", "name=exists", "description", "filter", "saved"])
}

/// Makes a group.
pub(super) async fn create(cx: Cx, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let members = MembersChange { filter: given(&sent.filter), saved: given(&sent.saved), ..MembersChange::default() };
    let group = UpdateGroupCreate { name: sent.name.trim().to_owned(), description: given(&sent.description), members };
    match cx.api.post::<UpdateGroupCreated>("/groups", &group).await {
        Ok(made) => {
            Ok(t::flash_made(made.members, &made.name).to(path(&["updates", "groups", &named(&made.name, made.id)])))
        }
        Err(failure) => {
            let errors = errors(&failure.into_problem()?);
            new(&cx, &sent, &errors).await
        }
    }
}

/// The form of a group.
pub(super) async fn form(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let group = find(&cx, &name).await?;
    let sent = Sent { name: group.name.clone(), description: group.description.clone(), ..Sent::default() };
    ask(&cx, &group, &sent, &Errors::default()).await
}

async fn ask(cx: &Cx, group: &UpdateGroup, sent: &Sent, errors: &Errors) -> Result<Response, Failure> {
    let body = html! {
        (errors.summary(cx))
        form method="post" action={ (address(group)) "/edit" } {
            (fields(cx, sent, errors))
            @if may_here(cx, Role::SoftwareUpdateManager) {
                div.buttons { button.primary type="submit" { (t::edit(cx)) } a.button.plain href=(address(group)) { (common::cancel(cx)) } }
            }
        }
    };
    Page::new(cx, t::edit(cx))
        .crumb(t::title(cx), "/updates/groups")
        .crumb(&group.name, address(group))
        .body(body)
        .render()
        .await
}

/// Changes name or description.
pub(super) async fn change(cx: Cx, Path(name): Path<String>, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let change = UpdateGroupChange {
        name: Some(sent.name.trim().to_owned()),
        description: Some(sent.description.trim().to_owned()),
    };
    match cx.api.patch::<UpdateGroup>(&path(&["groups", &name]), &change).await {
        Ok(group) => Ok(t::flash_changed(&group.name).to(address(&group))),
        Err(failure) => {
            let errors = errors(&failure.into_problem()?);
            let group = find(&cx, &name).await?;
            ask(&cx, &group, &sent, &errors).await
        }
    }
}

/// What the confirmation of a deletion sends.
#[derive(Debug, Deserialize)]
pub(super) struct Deletion {
    typed: Option<String>,
}

/// Asks for the name to be typed, or deletes the group with its deployments.
pub(super) async fn delete(cx: Cx, Path(name): Path<String>, Form(sent): Form<Deletion>) -> Result<Response, Failure> {
    let group = find(&cx, &name).await?;
    let (mut wrong, mut errors) = (None, Errors::default());
    if let Some(typed) = &sent.typed {
        if matches(typed, &group.name) {
            let force = !group.deployments.is_empty();
            match cx.api.delete::<()>(&removal(group.id, force)).await {
                Ok(()) => return Ok(t::flash_deleted(&group.name).to("/updates/groups")),
                Err(failure) => errors = Errors::of(&failure.into_problem()?, &[]),
            }
        } else {
            wrong = Some(t::typed_wrong(&cx, &group.name));
        }
    }
    let details = html! {
        (errors.summary(&cx))
        @if group.deployments.is_empty() { p { (t::delete_undeployed(&cx)) } }
        @else { p { (t::delete_deployed(&cx, group.deployments.len() as u64)) } }
    };
    let sentence = t::delete_sentence(&cx, group.members, &group.name);
    let action = format!("{}/delete", address(&group));
    let confirm = Confirm::new(sentence, t::delete_undo(&cx), t::delete(&cx), action, address(&group));
    let confirm = confirm.details(details).typed(&group.name, wrong);
    Page::new(&cx, t::delete(&cx)).crumb(&group.name, address(&group)).body(confirm.render(&cx)).render().await
}

fn removal(id: Uuid, force: bool) -> String {
    let address = Address::new(path(&["groups", &id.to_string()]));
    if force { address.with("force", true).to_string() } else { address.to_string() }
}
