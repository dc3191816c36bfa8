//! Routes of clean-up.

use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;
use weir_api::{
    List,
    cleanup::{Cleanup, CleanupPreview, CleanupPreviewQuery, CleanupRun, RemovedRevision},
    list::ListQuery,
};

use super::{
    AdminError, App, Caller, cleanup,
    extract::{Path, Query},
};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(cleanup_show))
        .routes(routes!(cleanup_preview))
        .routes(routes!(cleanup_runs, cleanup_start))
        .routes(routes!(cleanup_run, cleanup_cancel))
        .routes(routes!(cleanup_removed))
}

/// How clean-up stands: its rules, and how the last run ended.
#[utoipa::path(get, path = "/cleanup", tag = "cleanup", responses((status = 200, body = Cleanup)))]
async fn cleanup_show(State(app): State<App>) -> Answer<Cleanup> {
    cleanup::show(&app).await.map(Json)
}

/// What a run would do now, under the rules or under others.
#[utoipa::path(get, path = "/cleanup/preview", tag = "cleanup", params(CleanupPreviewQuery), responses((status = 200, body = CleanupPreview)))]
async fn cleanup_preview(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<CleanupPreviewQuery>,
) -> Answer<CleanupPreview> {
    cleanup::preview(&app, caller.grant.scope, query).await.map(Json)
}

/// Runs, newest first.
#[utoipa::path(get, path = "/cleanup/runs", tag = "cleanup", params(ListQuery), responses((status = 200, body = List<CleanupRun>)))]
async fn cleanup_runs(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer<List<CleanupRun>> {
    cleanup::runs(&app, query).await.map(Json)
}

/// Starts a run, or gives the one that is under way.
#[utoipa::path(post, path = "/cleanup/runs", tag = "cleanup", responses((status = 202, body = CleanupRun)))]
async fn cleanup_start(State(app): State<App>, caller: Caller) -> Result<(StatusCode, Json<CleanupRun>), AdminError> {
    Ok((StatusCode::ACCEPTED, Json(cleanup::start(&app, &caller).await?)))
}

/// One run.
#[utoipa::path(get, path = "/cleanup/runs/{id}", tag = "cleanup", params(("id" = Uuid, Path)), responses((status = 200, body = CleanupRun)))]
async fn cleanup_run(State(app): State<App>, Path(id): Path<Uuid>) -> Answer<CleanupRun> {
    cleanup::one(&app, id).await.map(Json)
}

/// Stops a run; what it did stays.
#[utoipa::path(delete, path = "/cleanup/runs/{id}", tag = "cleanup", params(("id" = Uuid, Path)), responses((status = 200, body = CleanupRun)))]
async fn cleanup_cancel(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Answer<CleanupRun> {
    cleanup::cancel(&app, &caller, id).await.map(Json)
}

/// Revisions that were removed. Lists that name them do not bring them back.
#[utoipa::path(get, path = "/cleanup/removed", tag = "cleanup", params(ListQuery), responses((status = 200, body = List<RemovedRevision>)))]
async fn cleanup_removed(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer<List<RemovedRevision>> {
    cleanup::removed(&app, query).await.map(Json)
}
