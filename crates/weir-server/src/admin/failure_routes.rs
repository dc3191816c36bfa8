//! Routes of errors.

use axum::{Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::{
    List,
    failure::{ErrorDetail, ErrorGroup, ErrorQuery, ErrorsQuery},
};

use super::{
    AdminError, App, Caller,
    extract::{Path, Query},
    failure,
};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(errors_list)).routes(routes!(errors_show))
}

/// Errors of installations and scans in groups, those of most computers first.
#[utoipa::path(get, path = "/compliance/errors", tag = "compliance", params(ErrorsQuery), responses((status = 200, body = List<ErrorGroup>)))]
async fn errors_list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ErrorsQuery>,
) -> Answer<List<ErrorGroup>> {
    failure::errors(&app, caller.grant.scope, query).await.map(Json)
}

/// What an error code means, and where it occurs.
#[utoipa::path(get, path = "/compliance/errors/{code}", tag = "compliance", params(("code" = String, Path), ErrorQuery), responses((status = 200, body = ErrorDetail)))]
async fn errors_show(
    State(app): State<App>,
    caller: Caller,
    Path(code): Path<String>,
    Query(query): Query<ErrorQuery>,
) -> Answer<ErrorDetail> {
    failure::error(&app, caller.grant.scope, &code, query).await.map(Json)
}
