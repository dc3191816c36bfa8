//! Routes of freshness, of computers that are not what their ids say, and of retiring computers.

use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::{
    List,
    freshness::{ClonedComputer, DuplicateName, FreshnessQuery, FreshnessSummary},
    list::ListQuery,
    retirement::{RetiredComputer, RetirementDone, RetirementPreview, RetirementQuery, RetirementRun},
};

use super::{
    AdminError, App, Caller,
    extract::{Body, Path, Query},
    freshness, identity, retirement,
};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(compliance_freshness))
        .routes(routes!(computers_clones))
        .routes(routes!(computers_prints_delete))
        .routes(routes!(computers_duplicates))
        .routes(routes!(computers_retirement, computers_retire))
        .routes(routes!(computers_retirement_preview))
        .routes(routes!(computers_retired))
}

/// How fresh the reports of a collection's computers are, and how their last scans ended.
#[utoipa::path(get, path = "/compliance/freshness", tag = "compliance", params(FreshnessQuery), responses((status = 200, body = FreshnessSummary)))]
async fn compliance_freshness(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<FreshnessQuery>,
) -> Answer<FreshnessSummary> {
    freshness::summary(&app, caller.grant.scope, query).await.map(Json)
}

/// Ids that several machines share.
#[utoipa::path(get, path = "/computers/clones", tag = "computers", params(ListQuery), responses((status = 200, body = List<ClonedComputer>)))]
async fn computers_clones(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Answer<List<ClonedComputer>> {
    identity::clones(&app, caller.grant.scope, query).await.map(Json)
}

/// Forgets what a computer was seen as, such as after its copies were repaired.
#[utoipa::path(delete, path = "/computers/{id}/prints", tag = "computers", params(("id" = String, Path)), responses((status = 204)))]
async fn computers_prints_delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, AdminError> {
    identity::forget(&app, &caller, &id).await.map(|()| StatusCode::NO_CONTENT)
}

/// Names that several computers have.
#[utoipa::path(get, path = "/computers/duplicates", tag = "computers", params(ListQuery), responses((status = 200, body = List<DuplicateName>)))]
async fn computers_duplicates(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Answer<List<DuplicateName>> {
    identity::duplicates(&app, caller.grant.scope, query).await.map(Json)
}

/// Who would be retired. Nothing is changed.
#[utoipa::path(get, path = "/computers/retirement", tag = "computers", params(RetirementQuery), responses((status = 200, body = RetirementPreview)))]
async fn computers_retirement(
    State(app): State<App>,
    Query(query): Query<RetirementQuery>,
) -> Answer<RetirementPreview> {
    retirement::preview(&app, query).await.map(Json)
}

/// Who would be retired by such a request, chosen computers included. Nothing is changed.
#[utoipa::path(post, path = "/computers/retirement/preview", tag = "computers", request_body = RetirementRun, responses((status = 200, body = RetirementPreview)))]
async fn computers_retirement_preview(
    State(app): State<App>,
    Body(run): Body<RetirementRun>,
) -> Answer<RetirementPreview> {
    retirement::preview_run(&app, run).await.map(Json)
}

/// Retires computers that do not call any more, or chosen ones. One that calls again is what it was, and reports anew.
#[utoipa::path(post, path = "/computers/retirement", tag = "computers", request_body = RetirementRun, responses((status = 200, body = RetirementDone)))]
async fn computers_retire(
    State(app): State<App>,
    caller: Caller,
    Body(run): Body<RetirementRun>,
) -> Answer<RetirementDone> {
    retirement::create(&app, &caller, run).await.map(Json)
}

/// Retired computers, the last one first.
#[utoipa::path(get, path = "/computers/retired", tag = "computers", params(ListQuery), responses((status = 200, body = List<RetiredComputer>)))]
async fn computers_retired(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer<List<RetiredComputer>> {
    retirement::retired(&app, query).await.map(Json)
}
