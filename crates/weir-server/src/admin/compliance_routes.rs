//! Routes of compliance.

use axum::{Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::{
    List,
    compliance::{
        ComputerStanding, ComputerStandingQuery, ServerSummary, ServerSummaryQuery, Summary, SummaryQuery,
        UpdateCompliance, UpdateComplianceQuery,
    },
    deployment_compliance::{
        DeploymentCompliance, DeploymentComplianceQuery, DeploymentStanding, DeploymentStandingQuery,
    },
};

use super::{
    AdminError, App, Caller, compliance, deployment_compliance,
    extract::{Path, Query},
    standing,
};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(compliance_summary))
        .routes(routes!(compliance_updates))
        .routes(routes!(compliance_computers))
        .routes(routes!(compliance_servers))
        .routes(routes!(compliance_deployments))
        .routes(routes!(compliance_deployment))
        .routes(routes!(compliance_deployment_computers))
}

/// How the computers of a collection stand.
#[utoipa::path(get, path = "/compliance/summary", tag = "compliance", params(SummaryQuery), responses((status = 200, body = Summary)))]
async fn compliance_summary(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<SummaryQuery>,
) -> Answer<Summary> {
    compliance::summary(&app, caller.grant.scope, query).await.map(Json)
}

/// Updates that some computer of a collection is asked about, most needed first.
#[utoipa::path(get, path = "/compliance/updates", tag = "compliance", params(UpdateComplianceQuery), responses((status = 200, body = List<UpdateCompliance>)))]
async fn compliance_updates(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<UpdateComplianceQuery>,
) -> Answer<List<UpdateCompliance>> {
    compliance::updates(&app, caller.grant.scope, query).await.map(Json)
}

/// Which computers are in which state: of an update, of an update group, of everything.
#[utoipa::path(get, path = "/compliance/computers", tag = "compliance", params(ComputerStandingQuery), responses((status = 200, body = List<ComputerStanding>)))]
async fn compliance_computers(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ComputerStandingQuery>,
) -> Answer<List<ComputerStanding>> {
    standing::computers(&app, caller.grant.scope, query).await.map(Json)
}

/// How the computers of each server of the tree stand, and how old what is told of them is.
#[utoipa::path(get, path = "/compliance/servers", tag = "compliance", params(ServerSummaryQuery), responses((status = 200, body = List<ServerSummary>)))]
async fn compliance_servers(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ServerSummaryQuery>,
) -> Answer<List<ServerSummary>> {
    standing::servers(&app, caller.grant.scope, query).await.map(Json)
}

/// Deployments with how their computers stand.
#[utoipa::path(get, path = "/compliance/deployments", tag = "compliance", params(DeploymentComplianceQuery), responses((status = 200, body = List<DeploymentCompliance>)))]
async fn compliance_deployments(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<DeploymentComplianceQuery>,
) -> Answer<List<DeploymentCompliance>> {
    deployment_compliance::list(&app, caller.grant.scope, query).await.map(Json)
}

/// How the computers of a deployment stand.
#[utoipa::path(get, path = "/compliance/deployments/{id}", tag = "compliance", params(("id" = i32, Path)), responses((status = 200, body = DeploymentCompliance)))]
async fn compliance_deployment(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i32>,
) -> Answer<DeploymentCompliance> {
    deployment_compliance::show(&app, caller.grant.scope, id).await.map(Json)
}

/// The computers of a deployment, one by one.
#[utoipa::path(get, path = "/compliance/deployments/{id}/computers", tag = "compliance", params(("id" = i32, Path), DeploymentStandingQuery), responses((status = 200, body = List<DeploymentStanding>)))]
async fn compliance_deployment_computers(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i32>,
    Query(query): Query<DeploymentStandingQuery>,
) -> Answer<List<DeploymentStanding>> {
    deployment_compliance::computers(&app, caller.grant.scope, id, query).await.map(Json)
}
