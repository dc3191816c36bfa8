//! Routes of maintenance windows.

use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::{
    List,
    window::{
        CalendarQuery, NextWindow, NextWindowQuery, Window, WindowChange, WindowChanged, WindowCreate, WindowNamed,
        WindowOccurrence, WindowQuery,
    },
};

use super::{
    AdminError, App, Caller,
    extract::{Body, Path, Query},
    window, window_calendar,
};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(windows_list, windows_create))
        .routes(routes!(windows_show, windows_change, windows_delete))
        .routes(routes!(windows_next))
        .routes(routes!(windows_calendar))
}

/// Maintenance windows, by collection and name.
#[utoipa::path(get, path = "/windows", tag = "windows", params(WindowQuery), responses((status = 200, body = List<Window>)))]
async fn windows_list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<WindowQuery>,
) -> Answer<List<Window>> {
    window::list(&app, caller.grant.scope, query).await.map(Json)
}

/// Makes a maintenance window. Computers hear of it with their next scan.
#[utoipa::path(post, path = "/windows", tag = "windows", request_body = WindowCreate, responses((status = 201, body = WindowChanged)))]
async fn windows_create(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<WindowCreate>,
) -> Result<(StatusCode, Json<WindowChanged>), AdminError> {
    Ok((StatusCode::CREATED, Json(window::create(&app, &caller, new).await?)))
}

/// One maintenance window, by id or name.
#[utoipa::path(get, path = "/windows/{id}", tag = "windows", params(("id" = String, Path), WindowNamed), responses((status = 200, body = Window)))]
async fn windows_show(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Query(named): Query<WindowNamed>,
) -> Answer<Window> {
    window::show(&app, caller.grant.scope, id, named.collection).await.map(Json)
}

/// Changes a maintenance window. Computers hear of it with their next scan.
#[utoipa::path(patch, path = "/windows/{id}", tag = "windows", params(("id" = String, Path), WindowNamed), request_body = WindowChange, responses((status = 200, body = WindowChanged)))]
async fn windows_change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Query(named): Query<WindowNamed>,
    Body(change): Body<WindowChange>,
) -> Answer<WindowChanged> {
    window::change(&app, &caller, id, named.collection, change).await.map(Json)
}

/// Deletes a maintenance window. Without any, computers install at the deadlines of their deployments.
#[utoipa::path(delete, path = "/windows/{id}", tag = "windows", params(("id" = String, Path), WindowNamed), responses((status = 204)))]
async fn windows_delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Query(named): Query<WindowNamed>,
) -> Result<StatusCode, AdminError> {
    window::delete(&app, &caller, id, named.collection).await.map(|()| StatusCode::NO_CONTENT)
}

/// When updates may install next: on a computer, in a collection, or in each collection that has windows.
#[utoipa::path(get, path = "/windows-next", tag = "windows", params(NextWindowQuery), responses((status = 200, body = List<NextWindow>)))]
async fn windows_next(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<NextWindowQuery>,
) -> Answer<List<NextWindow>> {
    window::next(&app, caller.grant.scope, query).await.map(Json)
}

/// When maintenance windows come in a month, or between two days, by time.
#[utoipa::path(get, path = "/windows-calendar", tag = "windows", params(CalendarQuery), responses((status = 200, body = List<WindowOccurrence>)))]
async fn windows_calendar(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<CalendarQuery>,
) -> Answer<List<WindowOccurrence>> {
    window_calendar::calendar(&app, caller.grant.scope, query).await.map(Json)
}
