//! Routes of saved searches.

use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::{
    List,
    list::ListQuery,
    search::{SavedSearch, SavedSearchChange, SavedSearchCreate, SearchField, SearchFieldQuery},
};

use super::{
    AdminError, App, Caller,
    extract::{Body, Path, Query},
    search,
};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(searches_list, searches_create))
        .routes(routes!(searches_show, searches_change, searches_delete))
        .routes(routes!(searches_fields))
}

/// Saved searches, by name.
#[utoipa::path(get, path = "/searches", tag = "searches", params(ListQuery), responses((status = 200, body = List<SavedSearch>)))]
async fn searches_list(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer<List<SavedSearch>> {
    search::list(&app, query).await.map(Json)
}

/// Saves a search.
#[utoipa::path(post, path = "/searches", tag = "searches", request_body = SavedSearchCreate, responses((status = 201, body = SavedSearch)))]
async fn searches_create(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<SavedSearchCreate>,
) -> Result<(StatusCode, Json<SavedSearch>), AdminError> {
    Ok((StatusCode::CREATED, Json(search::create(&app, &caller, new).await?)))
}

/// One saved search, by name or id.
#[utoipa::path(get, path = "/searches/{name}", tag = "searches", params(("name" = String, Path)), responses((status = 200, body = SavedSearch)))]
async fn searches_show(State(app): State<App>, Path(name): Path<String>) -> Answer<SavedSearch> {
    search::show(&app, name).await.map(Json)
}

/// Changes a saved search.
#[utoipa::path(patch, path = "/searches/{name}", tag = "searches", params(("name" = String, Path)), request_body = SavedSearchChange, responses((status = 200, body = SavedSearch)))]
async fn searches_change(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Body(change): Body<SavedSearchChange>,
) -> Answer<SavedSearch> {
    search::change(&app, &caller, name, change).await.map(Json)
}

/// Deletes a saved search.
#[utoipa::path(delete, path = "/searches/{name}", tag = "searches", params(("name" = String, Path)), responses((status = 204)))]
async fn searches_delete(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, AdminError> {
    search::delete(&app, &caller, name).await.map(|()| StatusCode::NO_CONTENT)
}

/// What filters may ask of updates, or of computers.
#[utoipa::path(get, path = "/searches-fields", tag = "searches", params(SearchFieldQuery), responses((status = 200, body = List<SearchField>)))]
async fn searches_fields(Query(query): Query<SearchFieldQuery>) -> Answer<List<SearchField>> {
    search::fields(&query).map(Json)
}
