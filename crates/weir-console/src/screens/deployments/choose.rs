//! What is to be deployed: the choice of it, and a group of several updates.

use axum::response::Response;
use maud::{Markup, html};
use weir_api::{
    update::{UpdateList, UpdateQuery, UpdateRow},
    update_group::{MembersChange, UpdateGroupCreate, UpdateGroupCreated},
};

use super::{filled::Filled, names, new};
use crate::{
    address::Address,
    cx::Cx,
    failure::Failure,
    flash::go,
    layout::Page,
    texts::deployments as t,
    ui::{
        self,
        badge::severity,
        form::{Errors, Field},
    },
};

/// Updates that a search shows.
const FOUND: u32 = 20;
/// Only what can be deployed is found.
const DEPLOYABLE: &str = "type in (software, driver) and deployable and not declined and not expired";

/// The choice of an update or a group.
pub(super) async fn show(cx: &Cx) -> Result<Response, Failure> {
    let body = picker(cx, "/deployments/new", "update", true).await?;
    Page::new(cx, t::new(cx)).body(body).render().await
}

/// A search for an update that goes on at `to` with `name=ID`, and groups to choose from.
pub(super) async fn picker(cx: &Cx, to: &str, name: &str, with_groups: bool) -> Result<Markup, Failure> {
    let text: String = cx.address.value("text").unwrap_or_default().trim().chars().take(256).collect();
    let found = if text.is_empty() { None } else { Some(search(cx, &text).await?) };
    let groups = if with_groups { names::groups(cx).await? } else { Vec::new() };
    let kept: Vec<&(String, String)> =
        cx.address.pairs().iter().filter(|(known, _)| known == "template" || known == "collection").collect();
    let goes_to = |row: &UpdateRow| {
        let address = kept.iter().fold(Address::new(to), |address, (name, value)| address.with(name, value));
        address.with(name, row.id)
    };
    Ok(html! {
        div.two {
            div {
                h2 { (t::choose_update(cx)) }
                form method="get" action=(to) role="search" {
                    @for (name, value) in &kept { input type="hidden" name=(name) value=(value); }
                    (Field::new("text", t::choose_text(cx), &Errors::default()).help(t::choose_text_help(cx)).input("search", &text))
                    button.primary type="submit" { (t::search(cx)) }
                }
                @if let Some(found) = &found {
                    @if found.items.is_empty() { p { (t::choose_nothing(cx)) } }
                    @else {
                        ul.found-list { @for row in &found.items {
                            li {
                                a href=(goes_to(row)) { (row.title) } " " (severity(cx, row.custom_severity.as_deref().or(row.severity.as_deref())))
                                span.quiet { " " (t::needed_by(cx, row.needed)) }
                            }
                        } }
                        @if found.updates > found.items.len() as u64 { p.quiet { (crate::texts::common::more(cx, found.updates - found.items.len() as u64)) } }
                    }
                }
            }
            @if with_groups {
                div {
                    h2 { (t::choose_group(cx)) }
                    @if groups.is_empty() { p { (t::choose_no_group(cx)) } p { a.button href="/updates" { (t::to_updates(cx)) } } }
                    @else {
                        form method="get" action=(to) {
                            @for (name, value) in &kept { input type="hidden" name=(name) value=(value); }
                            (Field::new("group", t::update_group(cx), &Errors::default()).help(t::choose_group_help(cx)).required()
                                .choice(&names::group_options(cx, &groups, t::choose(cx)), ""))
                            button.primary type="submit" { (t::go_on(cx)) }
                        }
                    }
                }
            }
        }
    })
}

async fn search(cx: &Cx, text: &str) -> Result<UpdateList, Failure> {
    let query = UpdateQuery {
        filter: Some(DEPLOYABLE.to_owned()),
        text: Some(text.to_owned()),
        language: cx.titles(),
        limit: Some(FOUND),
        ..UpdateQuery::default()
    };
    cx.api.get("/updates", &query).await
}

/// Several updates are deployed as a group: the form that makes it.
pub(super) async fn gather(cx: &Cx, updates: &[&str], name: &str, errors: &Errors) -> Result<Response, Failure> {
    let ids = new::ids(updates);
    if ids.is_empty() {
        return Err(Failure::NotFound);
    }
    let listed: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let query = UpdateQuery {
        filter: Some(format!("id in ({})", listed.join(", "))),
        language: cx.titles(),
        limit: Some(1000),
        ..UpdateQuery::default()
    };
    let list: UpdateList = cx.api.get("/updates", &query).await?;
    let body = html! {
        form method="post" action="/deployments/new/group" {
            (errors.summary(cx))
            p { (t::gather_sentence(cx, ids.len() as u64)) }
            ul.samples { @for row in &list.items { li { (row.title) " " span.quiet { (ui::bytes(cx, row.size)) } } } }
            @for id in &ids { input type="hidden" name="update" value=(id); }
            (Field::new("name", t::gather_name(cx), errors).help(t::gather_name_help(cx)).required().input("text", name))
            div.buttons {
                button.primary type="submit" { (t::gather_make(cx)) }
                a.button.plain href="/updates" { (crate::texts::common::cancel(cx)) }
            }
        }
    };
    Page::new(cx, t::new(cx)).body(body).render().await
}

/// Makes the group, which affects no computer yet, and goes on to its deployment.
pub(super) async fn gathered(cx: &Cx, filled: &Filled) -> Result<Response, Failure> {
    let updates: Vec<&str> = filled.all("update").collect();
    let members = MembersChange { updates: new::ids(&updates), ..MembersChange::default() };
    let name = filled.text("name").trim().to_owned();
    let asked = UpdateGroupCreate { name: name.clone(), description: None, members };
    match cx.api.post::<UpdateGroupCreated>("/groups", &asked).await {
        Ok(made) => Ok(go(&Address::new("/deployments/new").with("group", made.name))),
        Err(failure) => {
            let errors = Errors::of(&failure.into_problem()?, &["name"]);
            gather(cx, &updates, &name, &errors).await
        }
    }
}
