//! Routes of phased deployments.

use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::{
    List,
    list::ListQuery,
    phased::{Phased, PhasedChange, PhasedCreate, PhasedEvent, PhasedNote},
};
use weir_model::phase::Command;

use super::{
    AdminError, App, Caller,
    extract::{Body, Path, Query},
    phased,
};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(phased_list, phased_create))
        .routes(routes!(phased_show, phased_change, phased_delete))
        .routes(routes!(phased_events))
        .routes(routes!(phased_refresh))
        .routes(routes!(phased_pause))
        .routes(routes!(phased_resume))
        .routes(routes!(phased_advance))
        .routes(routes!(phased_approve))
        .routes(routes!(phased_stop))
}

/// Phased deployments.
#[utoipa::path(get, path = "/phased", tag = "phased", params(ListQuery), responses((status = 200, body = List<Phased>)))]
async fn phased_list(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer<List<Phased>> {
    phased::list(&app, query).await.map(Json)
}

/// Makes a phased deployment; its first phase starts at once.
#[utoipa::path(post, path = "/phased", tag = "phased", request_body = PhasedCreate, responses((status = 201, body = Phased)))]
async fn phased_create(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<PhasedCreate>,
) -> Result<(StatusCode, Json<Phased>), AdminError> {
    Ok((StatusCode::CREATED, Json(phased::create(&app, &caller, new).await?)))
}

/// One phased deployment; `{name}` is its name or id.
#[utoipa::path(get, path = "/phased/{name}", tag = "phased", params(("name" = String, Path)), responses((status = 200, body = Phased)))]
async fn phased_show(State(app): State<App>, Path(name): Path<String>) -> Answer<Phased> {
    phased::show(&app, name).await.map(Json)
}

/// Changes name, description, and phases that have not started.
#[utoipa::path(patch, path = "/phased/{name}", tag = "phased", params(("name" = String, Path)), request_body = PhasedChange, responses((status = 200, body = Phased)))]
async fn phased_change(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Body(change): Body<PhasedChange>,
) -> Answer<Phased> {
    phased::change(&app, &caller, name, change).await.map(Json)
}

/// Deletes one that is over, with its history. Its group and deployments stay.
#[utoipa::path(delete, path = "/phased/{name}", tag = "phased", params(("name" = String, Path)), responses((status = 204)))]
async fn phased_delete(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, AdminError> {
    phased::delete(&app, &caller, name).await.map(|()| StatusCode::NO_CONTENT)
}

/// What happened, newest first.
#[utoipa::path(get, path = "/phased/{name}/events", tag = "phased", params(("name" = String, Path), ListQuery), responses((status = 200, body = List<PhasedEvent>)))]
async fn phased_events(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(query): Query<ListQuery>,
) -> Answer<List<PhasedEvent>> {
    phased::events(&app, name, query).await.map(Json)
}

/// Looks at computers now, and moves on if that allows it.
#[utoipa::path(post, path = "/phased/{name}/refresh", tag = "phased", params(("name" = String, Path)), responses((status = 200, body = Phased)))]
async fn phased_refresh(State(app): State<App>, caller: Caller, Path(name): Path<String>) -> Answer<Phased> {
    phased::refresh(&app, &caller, name).await.map(Json)
}

macro_rules! command {
    ($path:literal, $name:ident, $command:ident, $doc:literal) => {
        #[doc = $doc]
        #[utoipa::path(post, path = $path, tag = "phased", params(("name" = String, Path)), request_body = PhasedNote, responses((status = 200, body = Phased)))]
        async fn $name(
            State(app): State<App>,
            caller: Caller,
            Path(name): Path<String>,
            Body(note): Body<PhasedNote>,
        ) -> Answer<Phased> {
            phased::command(&app, &caller, name, Command::$command, note).await.map(Json)
        }
    };
}

command!(
    "/phased/{name}/pause",
    phased_pause,
    Pause,
    "Pauses: deployments of phases that are not complete are switched off."
);
command!("/phased/{name}/resume", phased_resume, Resume, "Goes on; failures so far are accepted.");
command!("/phased/{name}/advance", phased_advance, Advance, "Starts the next phase, whatever its gate says.");
command!("/phased/{name}/approve", phased_approve, Approve, "Approves the current phase.");
command!("/phased/{name}/stop", phased_stop, Stop, "Ends it for good. Deployments stay as they are.");
