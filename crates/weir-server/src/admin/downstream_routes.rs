//! Routes of downstream servers.

use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::{List, downstream::DownstreamServer, list::ListQuery, rollup::DownstreamReport};

use super::{
    AdminError, App, Caller, downstream,
    extract::{Path, Query},
    rollup,
};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(super) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(downstream_list))
        .routes(routes!(downstream_show, downstream_remove))
        .routes(routes!(downstream_allow))
        .routes(routes!(downstream_refuse))
}

/// Servers that synchronize from this one, or want to.
#[utoipa::path(get, path = "/downstream", tag = "downstream", params(ListQuery), responses((status = 200, body = List<DownstreamServer>)))]
async fn downstream_list(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer<List<DownstreamServer>> {
    downstream::list(&app, query).await.map(Json)
}

/// A server with what it reported of itself last; `{server}` is its GUID or its name.
#[utoipa::path(get, path = "/downstream/{server}", tag = "downstream", params(("server" = String, Path)), responses((status = 200, body = DownstreamReport)))]
async fn downstream_show(State(app): State<App>, Path(server): Path<String>) -> Answer<DownstreamReport> {
    rollup::show(&app, server).await.map(Json)
}

/// Lets a server synchronize; `{server}` is its GUID, known or not yet, or its name.
#[utoipa::path(post, path = "/downstream/{server}/allow", tag = "downstream", params(("server" = String, Path)), responses((status = 200, body = DownstreamServer)))]
async fn downstream_allow(
    State(app): State<App>,
    caller: Caller,
    Path(server): Path<String>,
) -> Answer<DownstreamServer> {
    downstream::allow(&app, &caller, server).await.map(Json)
}

/// Lets a server synchronize no longer.
#[utoipa::path(post, path = "/downstream/{server}/refuse", tag = "downstream", params(("server" = String, Path)), responses((status = 200, body = DownstreamServer)))]
async fn downstream_refuse(
    State(app): State<App>,
    caller: Caller,
    Path(server): Path<String>,
) -> Answer<DownstreamServer> {
    downstream::refuse(&app, &caller, server).await.map(Json)
}

/// Forgets a server, the servers below it and the computers that they report.
#[utoipa::path(delete, path = "/downstream/{server}", tag = "downstream", params(("server" = String, Path)), responses((status = 204)))]
async fn downstream_remove(
    State(app): State<App>,
    caller: Caller,
    Path(server): Path<String>,
) -> Result<StatusCode, AdminError> {
    downstream::remove(&app, &caller, server).await.map(|()| StatusCode::NO_CONTENT)
}
