//! Routes of content.

use axum::{
    Json,
    extract::{Multipart, State},
    http::StatusCode,
};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;
use weir_api::{
    List,
    content::{
        CollectQuery, ContentAdded, ContentForecast, ContentJob, ContentList, ContentQuery, ContentStatus, ContentTask,
        WaitQuery,
    },
};

use super::{
    AdminError, App, Caller, content,
    extract::{Path, Query},
};

type Answer<T> = Result<Json<T>, AdminError>;
type Begun = Result<(StatusCode, Json<ContentJob>), AdminError>;

/// Those with small bodies.
pub(super) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(content_status))
        .routes(routes!(content_forecast))
        .routes(routes!(content_verify))
        .routes(routes!(content_repair))
        .routes(routes!(content_collect))
        .routes(routes!(content_jobs))
        .routes(routes!(content_job, content_job_cancel))
}

/// The one that takes files.
pub(super) fn upload() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(content_list, content_add))
}

/// Content files.
#[utoipa::path(get, path = "/content", tag = "content", params(ContentQuery), responses((status = 200, body = ContentList)))]
async fn content_list(State(app): State<App>, Query(query): Query<ContentQuery>) -> Answer<ContentList> {
    content::list(&app, query).await.map(Json)
}

/// Adds content files from `multipart/form-data` with parts named `file`.
#[utoipa::path(
    post, path = "/content", tag = "content",
    request_body(content = String, content_type = "multipart/form-data"),
    responses((status = 200, body = ContentAdded))
)]
async fn content_add(State(app): State<App>, caller: Caller, form: Multipart) -> Answer<ContentAdded> {
    content::add(&app, &caller, form).await.map(Json)
}

/// How fetching content stands.
#[utoipa::path(get, path = "/content/status", tag = "content", responses((status = 200, body = ContentStatus)))]
async fn content_status(State(app): State<App>) -> Answer<ContentStatus> {
    content::status(&app).await.map(Json)
}

/// What keeping content would need, in each mode.
#[utoipa::path(get, path = "/content/forecast", tag = "content", responses((status = 200, body = List<ContentForecast>)))]
async fn content_forecast(State(app): State<App>) -> Answer<List<ContentForecast>> {
    content::forecast(&app).await.map(Json)
}

async fn begin(app: &App, caller: &Caller, task: ContentTask, collect: CollectQuery, wait: bool) -> Begun {
    let job = content::start(app, caller, task, collect, wait).await?;
    Ok((if wait { StatusCode::OK } else { StatusCode::ACCEPTED }, Json(job)))
}

/// Reads all content again.
#[utoipa::path(
    post, path = "/content/verify", tag = "content", params(WaitQuery),
    responses((status = 200, body = ContentJob, description = "Over (wait)"), (status = 202, body = ContentJob, description = "Under way"))
)]
async fn content_verify(State(app): State<App>, caller: Caller, Query(query): Query<WaitQuery>) -> Begun {
    begin(&app, &caller, ContentTask::Verify, CollectQuery::default(), query.wait).await
}

/// Reads all content again, takes in what lies in the content folder under other names, and fetches what is missing.
#[utoipa::path(
    post, path = "/content/repair", tag = "content", params(WaitQuery),
    responses((status = 200, body = ContentJob, description = "Over (wait)"), (status = 202, body = ContentJob, description = "Under way"))
)]
async fn content_repair(State(app): State<App>, caller: Caller, Query(query): Query<WaitQuery>) -> Begun {
    begin(&app, &caller, ContentTask::Repair, CollectQuery::default(), query.wait).await
}

/// Removes content that nobody needs.
#[utoipa::path(
    post, path = "/content/gc", tag = "content", params(CollectQuery),
    responses((status = 200, body = ContentJob, description = "Over (wait)"), (status = 202, body = ContentJob, description = "Under way"))
)]
async fn content_collect(State(app): State<App>, caller: Caller, Query(query): Query<CollectQuery>) -> Begun {
    begin(&app, &caller, ContentTask::Gc, query, query.wait).await
}

/// The newest jobs on content.
#[utoipa::path(get, path = "/content/jobs", tag = "content", responses((status = 200, body = List<ContentJob>)))]
async fn content_jobs(State(app): State<App>) -> Answer<List<ContentJob>> {
    content::jobs(&app).await.map(Json)
}

/// One job on content.
#[utoipa::path(get, path = "/content/jobs/{id}", tag = "content", params(("id" = Uuid, Path)), responses((status = 200, body = ContentJob)))]
async fn content_job(State(app): State<App>, Path(id): Path<Uuid>) -> Answer<ContentJob> {
    content::job(&app, id).await.map(Json)
}

/// Cancels a job on content; what it has done stays.
#[utoipa::path(delete, path = "/content/jobs/{id}", tag = "content", params(("id" = Uuid, Path)), responses((status = 200, body = ContentJob)))]
async fn content_job_cancel(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Answer<ContentJob> {
    content::cancel(&app, &caller, id).await.map(Json)
}
