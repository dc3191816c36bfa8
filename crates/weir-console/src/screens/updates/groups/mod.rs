//! Update groups: the list, one in full, making, filling, changing and deleting them.

mod add;
mod edit;
mod join;
mod list;
mod members;
mod show;

use axum::{
    Router,
    routing::{get, post},
};
use uuid::Uuid;
use weir_api::{
    List,
    list::ListQuery,
    update::{UpdateList, UpdateQuery},
    update_group::UpdateGroup,
};

pub(super) use join::join;

use crate::{Console, address::path, cx::Cx, failure::Failure};

/// Pages and forms.
pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/updates/groups", get(list::show))
        .route("/updates/groups/new", get(edit::blank).post(edit::create))
        .route("/updates/groups/new/preview", post(edit::preview))
        .route("/updates/groups/members", post(members::remove))
        .route("/updates/groups/{name}", get(show::show))
        .route("/updates/groups/{name}/add", get(add::form).post(add::add))
        .route("/updates/groups/{name}/edit", get(edit::form).post(edit::change))
        .route("/updates/groups/{name}/delete", post(edit::delete))
}

/// Words that are pages of their own here: a group of such a name is found by its id.
const TAKEN: [&str; 2] = ["members", "new"];

/// What stands for a group in addresses.
fn key(group: &UpdateGroup) -> String {
    named(&group.name, group.id)
}

/// The same of a name and an id.
fn named(name: &str, id: Uuid) -> String {
    if TAKEN.contains(&name.to_lowercase().as_str()) { id.to_string() } else { name.to_owned() }
}

/// Where a group is.
fn address(group: &UpdateGroup) -> String {
    path(&["updates", "groups", &key(group)])
}

async fn find(cx: &Cx, name: &str) -> Result<UpdateGroup, Failure> {
    cx.api.get(&path(&["groups", name]), &()).await
}

/// Groups, by name, as many as a choice can show.
async fn choice(cx: &Cx) -> Result<Vec<UpdateGroup>, Failure> {
    let query = ListQuery { cursor: None, limit: Some(1000) };
    let list: List<UpdateGroup> = cx.api.get("/groups", &query).await?;
    Ok(list.items)
}

/// What a filter leaves: how many, and the first of them.
async fn fitting(cx: &Cx, filter: Option<String>, saved: Option<String>) -> Result<UpdateList, Failure> {
    let query = UpdateQuery { filter, saved, language: cx.titles(), limit: Some(10), ..UpdateQuery::default() };
    cx.api.get("/updates", &query).await
}
