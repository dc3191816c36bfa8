//! Routes of backups.

use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;
use weir_api::{
    List,
    backup::{Backup, BackupCreate, BackupRun, BackupStatus},
    list::ListQuery,
};

use super::{
    AdminError, App, Caller, backup,
    extract::{Body, Path, Query},
};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(backups_list, backups_create))
        .routes(routes!(backup_status))
        .routes(routes!(backup_runs))
        .routes(routes!(backup_run, backup_cancel))
}

/// Backups in the folder of this server, newest first.
#[utoipa::path(get, path = "/backups", tag = "backups", params(ListQuery), responses((status = 200, body = List<Backup>)))]
async fn backups_list(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer<List<Backup>> {
    backup::list(&app, query).await.map(Json)
}

/// Asks for a backup, or gives the run that is under way.
#[utoipa::path(post, path = "/backups", tag = "backups", request_body = BackupCreate, responses((status = 202, body = BackupRun)))]
async fn backups_create(
    State(app): State<App>,
    caller: Caller,
    Body(wanted): Body<BackupCreate>,
) -> Result<(StatusCode, Json<BackupRun>), AdminError> {
    Ok((StatusCode::ACCEPTED, Json(backup::create(&app, &caller, wanted).await?)))
}

/// How backups stand: the schedule, the run under way, the last good and the last failed one.
#[utoipa::path(get, path = "/backups/status", tag = "backups", responses((status = 200, body = BackupStatus)))]
async fn backup_status(State(app): State<App>) -> Answer<BackupStatus> {
    backup::status(&app).await.map(Json)
}

/// Runs, newest first.
#[utoipa::path(get, path = "/backups/runs", tag = "backups", params(ListQuery), responses((status = 200, body = List<BackupRun>)))]
async fn backup_runs(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer<List<BackupRun>> {
    backup::runs(&app, query).await.map(Json)
}

/// One run.
#[utoipa::path(get, path = "/backups/runs/{id}", tag = "backups", params(("id" = Uuid, Path)), responses((status = 200, body = BackupRun)))]
async fn backup_run(State(app): State<App>, Path(id): Path<Uuid>) -> Answer<BackupRun> {
    backup::one(&app, id).await.map(Json)
}

/// Stops a run; what it wrote is removed.
#[utoipa::path(delete, path = "/backups/runs/{id}", tag = "backups", params(("id" = Uuid, Path)), responses((status = 200, body = BackupRun)))]
async fn backup_cancel(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Answer<BackupRun> {
    backup::cancel(&app, &caller, id).await.map(Json)
}
