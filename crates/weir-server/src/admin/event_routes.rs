//! Routes of what changes: events, and long work.

use axum::{
    Extension, Json,
    extract::State,
    response::{IntoResponse, Response, sse::Sse},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::{
    List,
    event::{EventQuery, EventTopic},
    job::{Job, JobQuery},
};

use super::{AdminError, App, Caller, changes, extract::Query, inside::Inside, job};

/// Tells a proxy to pass events on as they come.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// All of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(events)).routes(routes!(event_topics)).routes(routes!(jobs_list))
}

/// What changes from now on, as server-sent events: `event: change` with a `Change` as JSON, at most one each second.
#[utoipa::path(get, path = "/events", tag = "events", params(EventQuery), responses((status = 200, body = String, content_type = "text/event-stream")))]
async fn events(
    State(app): State<App>,
    inside: Option<Extension<Inside>>,
    caller: Caller,
    Query(query): Query<EventQuery>,
) -> Result<Response, AdminError> {
    let wanted = changes::wanted(query.topics.as_deref())?;
    let Some(Extension(inside)) = inside else {
        // HEAD: there is nothing to follow
        let media = HeaderValue::from_static("text/event-stream");
        return Ok((StatusCode::OK, [(header::CONTENT_TYPE, media)]).into_response());
    };
    let events = changes::follow(&app, &caller.name, wanted, inside).await?;
    let mut response = Sse::new(events).into_response();
    response.headers_mut().insert(UNBUFFERED, HeaderValue::from_static("no"));
    Ok(response)
}

/// What events can be about.
#[utoipa::path(get, path = "/event-topics", tag = "events", responses((status = 200, body = List<EventTopic>)))]
async fn event_topics() -> Json<List<EventTopic>> {
    Json(changes::topics())
}

/// Long work of every kind: what waits or runs, then what ended, newest first.
#[utoipa::path(get, path = "/jobs", tag = "jobs", params(JobQuery), responses((status = 200, body = List<Job>)))]
async fn jobs_list(State(app): State<App>, Query(query): Query<JobQuery>) -> Result<Json<List<Job>>, AdminError> {
    job::list(&app, query).await.map(Json)
}
