//! What several screens of the area share: names, links, badges, and lists to choose from.

use maud::{Markup, html};
use weir_api::{
    List, Reference,
    access::Role,
    collection::Collection,
    deployment::{Action, Deployment, DeploymentState},
    list::ListQuery,
    update_group::UpdateGroup,
};

use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    texts::deployments as t,
    ui::{
        self,
        badge::{Tone, badge},
    },
};

/// Entries of a list to choose from.
const MOST: usize = 5_000;

/// Whether the visitor is not limited to collections, and so may see what concerns the whole site.
pub(super) fn everywhere(cx: &Cx) -> bool {
    cx.session.as_ref().is_none_or(|session| session.collections.is_empty())
}

/// Whether the visitor may deploy, and what concerns the whole site at that.
pub(super) fn may_everywhere(cx: &Cx) -> bool {
    cx.may(Role::SoftwareUpdateManager) && everywhere(cx)
}

/// The name of a deployment; of one that an older version made the name of what it deploys.
pub(super) fn title(one: &Deployment) -> String {
    let named = [&one.update, &one.group].into_iter().flatten().next().map(|what| what.name.as_str());
    match (one.name.trim(), named) {
        ("", Some(name)) if !name.is_empty() => name.to_owned(),
        ("", _) => one.id.to_string(),
        (name, _) => name.to_owned(),
    }
}

/// The page of a deployment.
pub(super) fn address(id: i32) -> String {
    path(&["deployments", &id.to_string()])
}

/// What is deployed, as a link.
pub(super) fn what(one: &Deployment) -> Markup {
    html! {
        @if let Some(update) = &one.update { (update_link(update)) @if let Some(revision) = one.revision { "@" (revision) } }
        @if let Some(group) = &one.group { (group_link(group)) }
    }
}

/// An update, as a link.
pub(super) fn update_link(update: &Reference) -> Markup {
    let name = if update.name.is_empty() { update.id.to_string() } else { update.name.clone() };
    html! { a href=(path(&["updates", &update.id.to_string()])) { (name) } }
}

/// An update group, as a link. By its id: a name may be that of another page.
pub(super) fn group_link(group: &Reference) -> Markup {
    html! { a href=(path(&["updates", "groups", &group.id.to_string()])) { (group.name) } }
}

/// A collection, as a link.
pub(super) fn collection_link(collection: &Reference) -> Markup {
    html! { a href=(path(&["computers", "collections", &collection.id.to_string()])) { (collection.name) } }
}

/// What a deployment is for.
pub(super) fn action(cx: &Cx, action: Action) -> String {
    t::action(cx, &ui::word(&action))
}

/// How a deployment stands.
pub(super) fn state(cx: &Cx, state: DeploymentState) -> Markup {
    let tone = match state {
        DeploymentState::Active => Tone::Good,
        DeploymentState::Disabled => Tone::Plain,
        DeploymentState::NotSent => Tone::Bad,
        DeploymentState::WaitingForAvailableTime | DeploymentState::WaitingForContent => Tone::Busy,
    };
    badge(tone, &t::state(cx, &ui::word(&state)))
}

/// All collections, by name.
pub(super) async fn collections(cx: &Cx) -> Result<Vec<Collection>, Failure> {
    cx.api
        .all(MOST, |cursor| {
            let query = ListQuery { cursor, limit: Some(1000) };
            async move { cx.api.get::<List<Collection>>("/collections", &query).await }
        })
        .await
}

/// Collections to choose from, each with how many computers are in it. The first entry says that none is chosen.
pub(super) fn collection_options(
    cx: &Cx,
    collections: &[Collection],
    none: &str,
    built_in: bool,
) -> Vec<(String, String)> {
    let rows = collections.iter().filter(|row| built_in || !row.built_in);
    let rows = rows.map(|row| (row.name.clone(), t::collection_option(cx, row.members_below, &row.name)));
    std::iter::once((String::new(), none.to_owned())).chain(rows).collect()
}

/// All update groups, by name.
pub(super) async fn groups(cx: &Cx) -> Result<Vec<UpdateGroup>, Failure> {
    cx.api
        .all(MOST, |cursor| {
            let query = ListQuery { cursor, limit: Some(1000) };
            async move { cx.api.get::<List<UpdateGroup>>("/groups", &query).await }
        })
        .await
}

/// Update groups to choose from.
pub(super) fn group_options(cx: &Cx, groups: &[UpdateGroup], none: &str) -> Vec<(String, String)> {
    let rows = groups.iter().map(|row| (row.name.clone(), t::group_option(cx, row.members, &row.name)));
    std::iter::once((String::new(), none.to_owned())).chain(rows).collect()
}

/// What is said in English by REST, a line each.
pub(super) fn warnings(lines: &[String]) -> Markup {
    html! { @if !lines.is_empty() { div.panel.warn lang="en" { @for line in lines { p { (line) } } } } }
}
