//! Routes of finding things and of looking closer: search, counts and timelines of computers, relations and documents of updates,
//! the health of the server.

use axum::{Json, extract::State, response::Response};
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::{
    computer::{ComputerCounts, ComputerQuery, ComputerTimeline},
    find::{FindQuery, Found},
    health::HealthReport,
    list::ListQuery,
    update_graph::{RelationsQuery, UpdateGraph},
};

use super::{
    AdminError, App, Caller, computer_search, computer_timeline,
    extract::{Path, Query},
    find, health_report,
    update::Named,
    update_graph,
};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(search_all))
        .routes(routes!(computers_counts))
        .routes(routes!(computers_timeline))
        .routes(routes!(updates_relations))
        .routes(routes!(updates_document))
        .routes(routes!(health_report_show))
}

/// One box for everything: the best updates, computers, collections, groups and deployments for a text.
#[utoipa::path(get, path = "/search", tag = "searches", params(FindQuery), responses((status = 200, body = Found)))]
async fn search_all(State(app): State<App>, caller: Caller, Query(query): Query<FindQuery>) -> Answer<Found> {
    find::find(&app, caller.grant.scope, query).await.map(Json)
}

/// How many computers a filter leaves, by the worst state of their updates.
#[utoipa::path(get, path = "/computers-counts", tag = "computers", params(ComputerQuery), responses((status = 200, body = ComputerCounts)))]
async fn computers_counts(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ComputerQuery>,
) -> Answer<ComputerCounts> {
    computer_search::counts(&app, caller.grant.scope, query).await.map(Json)
}

/// What a computer told over time, newest first.
#[utoipa::path(get, path = "/computers/{id}/timeline", tag = "computers", params(("id" = String, Path), ListQuery), responses((status = 200, body = ComputerTimeline)))]
async fn computers_timeline(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<ListQuery>,
) -> Answer<ComputerTimeline> {
    computer_timeline::show(&app, caller.grant.scope, &id, query).await.map(Json)
}

/// How an update hangs together with others: supersedence, bundles, prerequisites, in both directions.
#[utoipa::path(get, path = "/updates/{id}/relations", tag = "updates", params(("id" = String, Path), RelationsQuery), responses((status = 200, body = UpdateGraph)))]
async fn updates_relations(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<RelationsQuery>,
) -> Answer<UpdateGraph> {
    update_graph::show(&app, Named::parse(&id)?, query).await.map(Json)
}

/// The document of an update as its publisher made it; `{id}` is a GUID or GUID@revision.
#[utoipa::path(get, path = "/updates/{id}/document", tag = "updates", params(("id" = String, Path)), responses((status = 200, body = String, content_type = "application/xml")))]
async fn updates_document(State(app): State<App>, Path(id): Path<String>) -> Result<Response, AdminError> {
    update_graph::document(&app, Named::parse(&id)?).await
}

/// How the server is: listeners, certificates, database, disks, memory, jobs.
#[utoipa::path(get, path = "/health-report", tag = "status", responses((status = 200, body = HealthReport)))]
async fn health_report_show(State(app): State<App>) -> Answer<HealthReport> {
    health_report::show(&app).await.map(Json)
}
