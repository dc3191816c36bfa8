//! Routes of changing many updates, of licences, and of fetching updates by name.

use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::{
    List,
    list::ListQuery,
    selection::LanguageQuery,
    sync::SyncStarted,
    update_edit::{AwaitedLicence, Licence, UpdatesChange, UpdatesChanged, UpdatesFetch},
};

use super::{
    AdminError, App, Caller,
    extract::{Body, Path, Query},
    sync,
    update::Named,
    update_bulk as bulk,
};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(updates_change))
        .routes(routes!(updates_fetch))
        .routes(routes!(updates_licences))
        .routes(routes!(updates_eula, updates_eula_accept))
}

/// Declines many updates, takes declines back, or sets maximum run times and severities; or says what that would change.
#[utoipa::path(post, path = "/updates-change", tag = "updates", request_body = UpdatesChange, responses((status = 200, body = UpdatesChanged)))]
async fn updates_change(
    State(app): State<App>,
    caller: Caller,
    Body(change): Body<UpdatesChange>,
) -> Answer<UpdatesChanged> {
    bulk::change(&app, &caller, change).await.map(Json)
}

/// Fetches updates from the upstream server, whatever is chosen there and whatever criteria say.
#[utoipa::path(post, path = "/updates-fetch", tag = "updates", request_body = UpdatesFetch, responses((status = 202, body = SyncStarted)))]
async fn updates_fetch(
    State(app): State<App>,
    caller: Caller,
    Body(fetch): Body<UpdatesFetch>,
) -> Result<(StatusCode, Json<SyncStarted>), AdminError> {
    Ok((StatusCode::ACCEPTED, Json(sync::fetch(&app, &caller, &fetch).await?)))
}

/// Licences of live updates that nobody accepted, newest first.
#[utoipa::path(get, path = "/updates-licences", tag = "updates", params(ListQuery), responses((status = 200, body = List<AwaitedLicence>)))]
async fn updates_licences(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer<List<AwaitedLicence>> {
    bulk::licences(&app, query).await.map(Json)
}

/// The licence of an update, with its text if that is here.
#[utoipa::path(get, path = "/updates/{id}/eula", tag = "updates", params(("id" = String, Path), LanguageQuery), responses((status = 200, body = Licence)))]
async fn updates_eula(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<LanguageQuery>,
) -> Answer<Licence> {
    bulk::licence(&app, Named::parse(&id)?, query.language.as_deref()).await.map(Json)
}

/// Accepts the licence of an update, for every update that has it. That cannot be taken back.
#[utoipa::path(post, path = "/updates/{id}/eula", tag = "updates", params(("id" = String, Path)), responses((status = 200, body = Licence)))]
async fn updates_eula_accept(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<Licence> {
    bulk::accept(&app, &caller, Named::parse(&id)?).await.map(Json)
}
