//! Routes of client settings.

use axum::{Json, extract::State};
use http::StatusCode;
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::{
    List,
    client_settings::{
        ClientSettingDefinition, ClientSettingsChange, ClientSettingsCollections, ClientSettingsCreate,
        ClientSettingsSet, ResultantClientSettings,
    },
    list::ListQuery,
};

use super::{
    AdminError, App, Caller, client_settings,
    extract::{Body, Path, Query},
};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(client_settings_list, client_settings_create))
        .routes(routes!(client_settings_show, client_settings_change, client_settings_delete))
        .routes(routes!(client_settings_assign, client_settings_unassign))
        .routes(routes!(client_setting_definitions))
        .routes(routes!(client_settings_of_computer))
        .routes(routes!(client_settings_of_collection))
}

/// Sets of client settings: the default one, then by priority.
#[utoipa::path(get, path = "/client-settings", tag = "client settings", params(ListQuery), responses((status = 200, body = List<ClientSettingsSet>)))]
async fn client_settings_list(
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> Answer<List<ClientSettingsSet>> {
    client_settings::list(&app, query).await.map(Json)
}

/// Makes a set of client settings.
#[utoipa::path(post, path = "/client-settings", tag = "client settings", request_body = ClientSettingsCreate, responses((status = 201, body = ClientSettingsSet)))]
async fn client_settings_create(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<ClientSettingsCreate>,
) -> Result<(StatusCode, Json<ClientSettingsSet>), AdminError> {
    Ok((StatusCode::CREATED, Json(client_settings::create(&app, &caller, new).await?)))
}

/// One set, by id or name.
#[utoipa::path(get, path = "/client-settings/{set}", tag = "client settings", params(("set" = String, Path)), responses((status = 200, body = ClientSettingsSet)))]
async fn client_settings_show(State(app): State<App>, Path(name): Path<String>) -> Answer<ClientSettingsSet> {
    client_settings::show(&app, name).await.map(Json)
}

/// Changes a set: its name, its place, what it sets.
#[utoipa::path(patch, path = "/client-settings/{set}", tag = "client settings", params(("set" = String, Path)), request_body = ClientSettingsChange, responses((status = 200, body = ClientSettingsSet)))]
async fn client_settings_change(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Body(change): Body<ClientSettingsChange>,
) -> Answer<ClientSettingsSet> {
    client_settings::change(&app, &caller, name, change).await.map(Json)
}

/// Deletes a set.
#[utoipa::path(delete, path = "/client-settings/{set}", tag = "client settings", params(("set" = String, Path)), responses((status = 204)))]
async fn client_settings_delete(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, AdminError> {
    client_settings::delete(&app, &caller, name).await.map(|()| StatusCode::NO_CONTENT)
}

/// Deploys a set to collections.
#[utoipa::path(post, path = "/client-settings/{set}/collections", tag = "client settings", params(("set" = String, Path)), request_body = ClientSettingsCollections, responses((status = 200, body = ClientSettingsSet)))]
async fn client_settings_assign(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Body(change): Body<ClientSettingsCollections>,
) -> Answer<ClientSettingsSet> {
    client_settings::collections_change(&app, &caller, name, change, true).await.map(Json)
}

/// Takes a set back from collections.
#[utoipa::path(delete, path = "/client-settings/{set}/collections", tag = "client settings", params(("set" = String, Path)), request_body = ClientSettingsCollections, responses((status = 200, body = ClientSettingsSet)))]
async fn client_settings_unassign(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Body(change): Body<ClientSettingsCollections>,
) -> Answer<ClientSettingsSet> {
    client_settings::collections_change(&app, &caller, name, change, false).await.map(Json)
}

/// Every client setting: which values it takes, what it does, who acts upon it.
#[utoipa::path(get, path = "/client-setting-definitions", tag = "client settings", params(ListQuery), responses((status = 200, body = List<ClientSettingDefinition>)))]
async fn client_setting_definitions(Query(query): Query<ListQuery>) -> Answer<List<ClientSettingDefinition>> {
    client_settings::definition_list(&query).map(Json)
}

/// What holds for a computer, and where each value comes from.
#[utoipa::path(get, path = "/computers/{id}/client-settings", tag = "client settings", params(("id" = String, Path)), responses((status = 200, body = ResultantClientSettings)))]
async fn client_settings_of_computer(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<ResultantClientSettings> {
    client_settings::of_computer(&app, caller.grant.scope, &id).await.map(Json)
}

/// What holds for a computer that is in this collection alone.
#[utoipa::path(get, path = "/collections/{collection}/client-settings", tag = "client settings", params(("collection" = String, Path)), responses((status = 200, body = ResultantClientSettings)))]
async fn client_settings_of_collection(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Answer<ResultantClientSettings> {
    client_settings::of_collection(&app, caller.grant.scope, name).await.map(Json)
}
