//! Routes of synchronization and criteria.

use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;
use weir_api::{
    List,
    criteria::{Criterion, CriterionApplied, CriterionChange, CriterionPreview, CriterionRule},
    list::ListQuery,
    sync::{RolledUp, Schedule, ScheduleChange, SyncRun, SyncStart, SyncStarted, SyncStatus},
};

use super::{
    AdminError, App, Caller, criteria,
    extract::{Body, Path, Query},
    setting::OFF,
    sync,
};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(super) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sync_show, sync_start, sync_cancel))
        .routes(routes!(sync_roll_up))
        .routes(routes!(sync_runs))
        .routes(routes!(sync_run))
        .routes(routes!(schedule_show, schedule_set, schedule_off))
        .routes(routes!(criteria_list, criteria_create))
        .routes(routes!(criteria_preview))
        .routes(routes!(criteria_show, criteria_change, criteria_delete))
        .routes(routes!(criteria_preview_stored))
        .routes(routes!(criteria_apply))
}

/// How synchronization stands.
#[utoipa::path(get, path = "/sync", tag = "sync", responses((status = 200, body = SyncStatus)))]
async fn sync_show(State(app): State<App>) -> Answer<SyncStatus> {
    sync::status(&app).await.map(Json)
}

/// Starts a synchronization, or gives the one that is under way.
#[utoipa::path(post, path = "/sync", tag = "sync", request_body = SyncStart, responses((status = 202, body = SyncStarted)))]
async fn sync_start(
    State(app): State<App>,
    caller: Caller,
    Body(start): Body<SyncStart>,
) -> Result<(StatusCode, Json<SyncStarted>), AdminError> {
    Ok((StatusCode::ACCEPTED, Json(sync::start(&app, &caller, start).await?)))
}

/// Stops the synchronization that is under way; what it fetched is kept for the next one.
#[utoipa::path(delete, path = "/sync", tag = "sync", responses((status = 200, body = SyncRun)))]
async fn sync_cancel(State(app): State<App>, caller: Caller) -> Answer<SyncRun> {
    sync::cancel(&app, &caller).await.map(Json)
}

/// Tells the server above now what computers reported.
#[utoipa::path(post, path = "/sync/roll-up", tag = "sync", responses((status = 200, body = RolledUp)))]
async fn sync_roll_up(State(app): State<App>, caller: Caller) -> Answer<RolledUp> {
    sync::roll_up(&app, &caller).await.map(Json)
}

/// Synchronizations, newest first.
#[utoipa::path(get, path = "/sync/runs", tag = "sync", params(ListQuery), responses((status = 200, body = List<SyncRun>)))]
async fn sync_runs(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer<List<SyncRun>> {
    sync::list(&app, query).await.map(Json)
}

/// One synchronization.
#[utoipa::path(get, path = "/sync/runs/{id}", tag = "sync", params(("id" = Uuid, Path)), responses((status = 200, body = SyncRun)))]
async fn sync_run(State(app): State<App>, Path(id): Path<Uuid>) -> Answer<SyncRun> {
    sync::show(&app, id).await.map(Json)
}

/// When synchronization runs by itself.
#[utoipa::path(get, path = "/sync/schedule", tag = "sync", responses((status = 200, body = Schedule)))]
async fn schedule_show(State(app): State<App>) -> Answer<Schedule> {
    sync::schedule(&app).await.map(Json)
}

/// Sets when synchronization runs by itself.
#[utoipa::path(put, path = "/sync/schedule", tag = "sync", request_body = ScheduleChange, responses((status = 200, body = Schedule)))]
async fn schedule_set(State(app): State<App>, caller: Caller, Body(change): Body<ScheduleChange>) -> Answer<Schedule> {
    sync::schedule_set(&app, &caller, change).await.map(Json)
}

/// Synchronization no longer runs by itself.
#[utoipa::path(delete, path = "/sync/schedule", tag = "sync", responses((status = 200, body = Schedule)))]
async fn schedule_off(State(app): State<App>, caller: Caller) -> Answer<Schedule> {
    sync::schedule_set(&app, &caller, ScheduleChange { text: OFF.to_owned() }).await.map(Json)
}

/// Rules by which updates are skipped or declined, by name.
#[utoipa::path(get, path = "/criteria", tag = "criteria", params(ListQuery), responses((status = 200, body = List<Criterion>)))]
async fn criteria_list(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer<List<Criterion>> {
    criteria::list(&app, query).await.map(Json)
}

/// Adds a rule. It holds for what is synchronized from now on.
#[utoipa::path(post, path = "/criteria", tag = "criteria", request_body = CriterionRule, responses((status = 201, body = Criterion)))]
async fn criteria_create(
    State(app): State<App>,
    caller: Caller,
    Body(rule): Body<CriterionRule>,
) -> Result<(StatusCode, Json<Criterion>), AdminError> {
    Ok((StatusCode::CREATED, Json(criteria::create(&app, &caller, rule).await?)))
}

/// What a rule would do to the catalogue as it is, without storing it.
#[utoipa::path(post, path = "/criteria-preview", tag = "criteria", request_body = CriterionRule, responses((status = 200, body = CriterionPreview)))]
async fn criteria_preview(State(app): State<App>, Body(rule): Body<CriterionRule>) -> Answer<CriterionPreview> {
    criteria::preview(&app, rule).await.map(Json)
}

/// One rule.
#[utoipa::path(get, path = "/criteria/{name}", tag = "criteria", params(("name" = String, Path)), responses((status = 200, body = Criterion)))]
async fn criteria_show(State(app): State<App>, Path(name): Path<String>) -> Answer<Criterion> {
    criteria::show(&app, name).await.map(Json)
}

/// Changes a rule.
#[utoipa::path(patch, path = "/criteria/{name}", tag = "criteria", params(("name" = String, Path)), request_body = CriterionChange, responses((status = 200, body = Criterion)))]
async fn criteria_change(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Body(change): Body<CriterionChange>,
) -> Answer<Criterion> {
    criteria::change(&app, &caller, name, change).await.map(Json)
}

/// Deletes a rule. What it declined stays declined.
#[utoipa::path(delete, path = "/criteria/{name}", tag = "criteria", params(("name" = String, Path)), responses((status = 204)))]
async fn criteria_delete(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, AdminError> {
    criteria::delete(&app, &caller, name).await.map(|()| StatusCode::NO_CONTENT)
}

/// What a stored rule would do to the catalogue as it is.
#[utoipa::path(get, path = "/criteria/{name}/preview", tag = "criteria", params(("name" = String, Path)), responses((status = 200, body = CriterionPreview)))]
async fn criteria_preview_stored(State(app): State<App>, Path(name): Path<String>) -> Answer<CriterionPreview> {
    criteria::preview_stored(&app, name).await.map(Json)
}

/// Declines what a stored rule declines, in the catalogue as it is.
#[utoipa::path(post, path = "/criteria/{name}/apply", tag = "criteria", params(("name" = String, Path)), responses((status = 200, body = CriterionApplied)))]
async fn criteria_apply(State(app): State<App>, caller: Caller, Path(name): Path<String>) -> Answer<CriterionApplied> {
    criteria::apply(&app, &caller, name).await.map(Json)
}
