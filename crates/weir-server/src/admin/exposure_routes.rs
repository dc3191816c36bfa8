//! Routes of exposure.

use axum::{
    Json,
    extract::{Multipart, State},
    http::StatusCode,
};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;
use weir_api::{
    List,
    exposure::{
        CollectionQuery, ComputerCveList, ComputerCveQuery, ComputerList, ComputerQuery, CveComputerList, CveDetail,
        CveList, CveQuery, Document, Fetch, Imported, Summary,
    },
    exposure_level::{Exception, ExceptionCreate, ExceptionQuery, Levels, LevelsChange},
    list::ListQuery,
};

use super::{
    AdminError, App, Caller, exposure,
    extract::{Body, Path, Query},
};

type Answer<T> = Result<Json<T>, AdminError>;

/// Those with small bodies.
pub(super) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(exposure_fetch))
        .routes(routes!(exposure_documents))
        .routes(routes!(exposure_document_delete))
        .routes(routes!(exposure_cves))
        .routes(routes!(exposure_cve))
        .routes(routes!(exposure_cve_computers))
        .routes(routes!(exposure_computers))
        .routes(routes!(exposure_computer))
        .routes(routes!(exposure_summary))
        .routes(routes!(exposure_levels, exposure_levels_change, exposure_levels_propose))
        .routes(routes!(exposure_exceptions, exposure_exception_create))
        .routes(routes!(exposure_exception_remove))
}

/// The one that takes files.
pub(super) fn upload() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(exposure_import))
}

/// Imports documents about vulnerabilities from `multipart/form-data` with parts named `file`. Each file stands for itself.
#[utoipa::path(
    post, path = "/exposure/imports", tag = "exposure",
    request_body(content = String, content_type = "multipart/form-data"),
    responses((status = 200, body = Imported))
)]
async fn exposure_import(State(app): State<App>, caller: Caller, form: Multipart) -> Answer<Imported> {
    exposure::upload(&app, &caller, form).await.map(Json)
}

/// Lets the server fetch and import a document.
#[utoipa::path(post, path = "/exposure/fetches", tag = "exposure", request_body = Fetch, responses((status = 200, body = Imported)))]
async fn exposure_fetch(State(app): State<App>, caller: Caller, Body(wanted): Body<Fetch>) -> Answer<Imported> {
    exposure::fetch(&app, &caller, wanted).await.map(Json)
}

/// Documents about vulnerabilities, the one that was released last first.
#[utoipa::path(get, path = "/exposure/documents", tag = "exposure", params(ListQuery), responses((status = 200, body = List<Document>)))]
async fn exposure_documents(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer<List<Document>> {
    exposure::documents(&app, query).await.map(Json)
}

/// Forgets a document and what it said.
#[utoipa::path(delete, path = "/exposure/documents/{no}", tag = "exposure", params(("no" = u32, Path)), responses((status = 204)))]
async fn exposure_document_delete(
    State(app): State<App>,
    caller: Caller,
    Path(no): Path<u32>,
) -> Result<StatusCode, AdminError> {
    exposure::document_delete(&app, &caller, no).await.map(|()| StatusCode::NO_CONTENT)
}

/// Vulnerabilities with computers counted: those with breaches of service levels first unless asked otherwise.
#[utoipa::path(get, path = "/exposure/cves", tag = "exposure", params(CveQuery), responses((status = 200, body = CveList)))]
async fn exposure_cves(State(app): State<App>, caller: Caller, Query(query): Query<CveQuery>) -> Answer<CveList> {
    exposure::cves(&app, caller.grant.scope, query).await.map(Json)
}

/// One vulnerability in full.
#[utoipa::path(get, path = "/exposure/cves/{cve}", tag = "exposure", params(("cve" = String, Path), CollectionQuery), responses((status = 200, body = CveDetail)))]
async fn exposure_cve(
    State(app): State<App>,
    caller: Caller,
    Path(cve): Path<String>,
    Query(query): Query<CollectionQuery>,
) -> Answer<CveDetail> {
    exposure::cve(&app, caller.grant.scope, cve, query).await.map(Json)
}

/// Computers, as one vulnerability has them, and why.
#[utoipa::path(get, path = "/exposure/cves/{cve}/computers", tag = "exposure", params(("cve" = String, Path), ComputerQuery), responses((status = 200, body = CveComputerList)))]
async fn exposure_cve_computers(
    State(app): State<App>,
    caller: Caller,
    Path(cve): Path<String>,
    Query(query): Query<ComputerQuery>,
) -> Answer<CveComputerList> {
    exposure::computers_of_cve(&app, caller.grant.scope, cve, query).await.map(Json)
}

/// Computers with vulnerabilities counted: those with most breaches of service levels first.
#[utoipa::path(get, path = "/exposure/computers", tag = "exposure", params(ComputerQuery), responses((status = 200, body = ComputerList)))]
async fn exposure_computers(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ComputerQuery>,
) -> Answer<ComputerList> {
    exposure::computers(&app, caller.grant.scope, query).await.map(Json)
}

/// Vulnerabilities, as one computer has them, and why.
#[utoipa::path(get, path = "/exposure/computers/{id}", tag = "exposure", params(("id" = String, Path), ComputerCveQuery), responses((status = 200, body = ComputerCveList)))]
async fn exposure_computer(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<ComputerCveQuery>,
) -> Answer<ComputerCveList> {
    exposure::cves_of(&app, caller.grant.scope, id, query).await.map(Json)
}

/// How exposed the computers of a collection are.
#[utoipa::path(get, path = "/exposure/summary", tag = "exposure", params(CollectionQuery), responses((status = 200, body = Summary)))]
async fn exposure_summary(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<CollectionQuery>,
) -> Answer<Summary> {
    exposure::summary(&app, caller.grant.scope, query).await.map(Json)
}

/// Days of service levels.
#[utoipa::path(get, path = "/exposure/levels", tag = "exposure", responses((status = 200, body = Levels)))]
async fn exposure_levels(State(app): State<App>) -> Answer<Levels> {
    exposure::levels(&app).await.map(Json)
}

/// Changes days of service levels.
#[utoipa::path(patch, path = "/exposure/levels", tag = "exposure", request_body = LevelsChange, responses((status = 200, body = Levels)))]
async fn exposure_levels_change(
    State(app): State<App>,
    caller: Caller,
    Body(change): Body<LevelsChange>,
) -> Answer<Levels> {
    exposure::levels_change(&app, &caller, change).await.map(Json)
}

/// Goes back to the proposed service levels.
#[utoipa::path(delete, path = "/exposure/levels", tag = "exposure", responses((status = 200, body = Levels)))]
async fn exposure_levels_propose(State(app): State<App>, caller: Caller) -> Answer<Levels> {
    exposure::levels_propose(&app, &caller).await.map(Json)
}

/// Exceptions from service levels, by their end.
#[utoipa::path(get, path = "/exposure/exceptions", tag = "exposure", params(ExceptionQuery), responses((status = 200, body = List<Exception>)))]
async fn exposure_exceptions(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ExceptionQuery>,
) -> Answer<List<Exception>> {
    exposure::exceptions(&app, caller.grant.scope, query).await.map(Json)
}

/// Makes an exception from service levels.
#[utoipa::path(post, path = "/exposure/exceptions", tag = "exposure", request_body = ExceptionCreate, responses((status = 201, body = Exception)))]
async fn exposure_exception_create(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<ExceptionCreate>,
) -> Result<(StatusCode, Json<Exception>), AdminError> {
    Ok((StatusCode::CREATED, Json(exposure::exception_create(&app, &caller, new).await?)))
}

/// Removes an exception from service levels.
#[utoipa::path(delete, path = "/exposure/exceptions/{id}", tag = "exposure", params(("id" = Uuid, Path)), responses((status = 204)))]
async fn exposure_exception_remove(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, AdminError> {
    exposure::exception_remove(&app, &caller, id).await.map(|()| StatusCode::NO_CONTENT)
}
