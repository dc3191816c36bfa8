//! Routes of collections.

use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::{
    List,
    collection::{
        Collection, CollectionChange, CollectionCreate, CollectionCreated, CollectionPreview, CollectionPreviewQuery,
        CollectionWhy, Member, MemberChange, MembersChanged, WhyQuery,
    },
    list::ListQuery,
};

use super::{
    AdminError, App, Caller, collection,
    extract::{Body, Path, Query},
};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(collections_list, collections_create))
        .routes(routes!(collections_preview))
        .routes(routes!(collections_show, collections_change, collections_delete))
        .routes(routes!(members_list, members_add, members_remove))
        .routes(routes!(collections_why))
}

/// All collections, by name.
#[utoipa::path(get, path = "/collections", tag = "collections", params(ListQuery), responses((status = 200, body = List<Collection>)))]
async fn collections_list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Answer<List<Collection>> {
    collection::list(&app, caller.grant.scope, query).await.map(Json)
}

/// Makes a collection.
#[utoipa::path(post, path = "/collections", tag = "collections", request_body = CollectionCreate, responses((status = 201, body = CollectionCreated)))]
async fn collections_create(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<CollectionCreate>,
) -> Result<(StatusCode, Json<CollectionCreated>), AdminError> {
    Ok((StatusCode::CREATED, Json(collection::create(&app, &caller, new).await?)))
}

/// Who would be in a collection if it were defined like this, and what that would change. Nothing is changed.
#[utoipa::path(post, path = "/collections/preview", tag = "collections", request_body = CollectionPreviewQuery, responses((status = 200, body = CollectionPreview)))]
async fn collections_preview(
    State(app): State<App>,
    Body(query): Body<CollectionPreviewQuery>,
) -> Answer<CollectionPreview> {
    collection::preview(&app, query).await.map(Json)
}

/// One collection, by id or name.
#[utoipa::path(get, path = "/collections/{collection}", tag = "collections", params(("collection" = String, Path)), responses((status = 200, body = Collection)))]
async fn collections_show(State(app): State<App>, caller: Caller, Path(name): Path<String>) -> Answer<Collection> {
    collection::show(&app, caller.grant.scope, name).await.map(Json)
}

/// Changes a collection.
#[utoipa::path(patch, path = "/collections/{collection}", tag = "collections", params(("collection" = String, Path)), request_body = CollectionChange, responses((status = 200, body = Collection)))]
async fn collections_change(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Body(change): Body<CollectionChange>,
) -> Answer<Collection> {
    collection::change(&app, &caller, name, change).await.map(Json)
}

/// Deletes a collection that nothing uses.
#[utoipa::path(delete, path = "/collections/{collection}", tag = "collections", params(("collection" = String, Path)), responses((status = 204)))]
async fn collections_delete(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, AdminError> {
    collection::delete(&app, &caller, name).await.map(|()| StatusCode::NO_CONTENT)
}

/// Computers of a collection and of those below it, with what puts each there.
#[utoipa::path(get, path = "/collections/{collection}/members", tag = "collections", params(("collection" = String, Path), ListQuery), responses((status = 200, body = List<Member>)))]
async fn members_list(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<ListQuery>,
) -> Answer<List<Member>> {
    collection::members(&app, caller.grant.scope, name, query).await.map(Json)
}

/// Adds computers to a collection.
#[utoipa::path(post, path = "/collections/{collection}/members", tag = "collections", params(("collection" = String, Path)), request_body = MemberChange, responses((status = 200, body = MembersChanged)))]
async fn members_add(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Body(change): Body<MemberChange>,
) -> Answer<MembersChanged> {
    collection::members_change(&app, &caller, name, change, true).await.map(Json)
}

/// Removes computers from a collection.
#[utoipa::path(delete, path = "/collections/{collection}/members", tag = "collections", params(("collection" = String, Path)), request_body = MemberChange, responses((status = 200, body = MembersChanged)))]
async fn members_remove(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Body(change): Body<MemberChange>,
) -> Answer<MembersChanged> {
    collection::members_change(&app, &caller, name, change, false).await.map(Json)
}

/// Whether a computer is in a collection, and why.
#[utoipa::path(get, path = "/collections/{collection}/why", tag = "collections", params(("collection" = String, Path), WhyQuery), responses((status = 200, body = CollectionWhy)))]
async fn collections_why(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<WhyQuery>,
) -> Answer<CollectionWhy> {
    collection::why(&app, caller.grant.scope, name, query.computer).await.map(Json)
}
