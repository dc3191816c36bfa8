//! Routes of update groups, templates, simulations and stops, and of what deployments have beyond making and changing them.

use axum::{Json, extract::State};
use http::StatusCode;
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::{
    List,
    deployment::{Deployment, DeploymentCreate, DeploymentSettingInfo},
    deployment_template::{DeploymentTemplate, TemplateBody},
    list::ListQuery,
    simulation::{Explanation, ExplanationQuery, Simulation},
    update_group::{
        GroupDeleteQuery, GroupMembersChanged, MembersChange, UpdateGroup, UpdateGroupChange, UpdateGroupCreate,
        UpdateGroupCreated, UpdateGroupList, UpdateGroupMember, UpdateGroupQuery,
    },
    update_stop::{StoppedUpdate, UpdateStop, UpdateStopRequest},
};

use super::{
    AdminError, App, Caller, deployment,
    extract::{Body, Path, Query},
    group, group_list, stop,
    update::Named,
};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(deployments_simulate))
        .routes(routes!(deployments_explain))
        .routes(routes!(deployments_members))
        .routes(routes!(deployment_settings))
        .routes(routes!(templates_list))
        .routes(routes!(templates_show, templates_put, templates_delete))
        .routes(routes!(groups_list, groups_create))
        .routes(routes!(groups_show, groups_change, groups_delete))
        .routes(routes!(group_members_list, group_members_add, group_members_remove))
        .routes(routes!(stops_list))
        .routes(routes!(stops_show, stops_put, stops_delete))
}

/// What a deployment would do. Nothing is deployed.
#[utoipa::path(post, path = "/deployments/simulation", tag = "deployments", request_body = DeploymentCreate, responses((status = 200, body = Simulation)))]
async fn deployments_simulate(State(app): State<App>, Body(new): Body<DeploymentCreate>) -> Answer<Simulation> {
    deployment::simulate(&app, new).await.map(Json)
}

/// Why a computer is offered an update, or is not.
#[utoipa::path(get, path = "/deployments/explanation", tag = "deployments", params(ExplanationQuery), responses((status = 200, body = Explanation)))]
async fn deployments_explain(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ExplanationQuery>,
) -> Answer<Explanation> {
    deployment::explain(&app, caller.grant.scope, query).await.map(Json)
}

/// What follows from the deployment of a group, one for each of its updates.
#[utoipa::path(get, path = "/deployments/{id}/members", tag = "deployments", params(("id" = i32, Path), ListQuery), responses((status = 200, body = List<Deployment>)))]
async fn deployments_members(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i32>,
    Query(query): Query<ListQuery>,
) -> Answer<List<Deployment>> {
    deployment::members(&app, caller.grant.scope, id, query).await.map(Json)
}

/// Every setting of a deployment, and who follows it.
#[utoipa::path(get, path = "/deployment-settings", tag = "deployments", responses((status = 200, body = List<DeploymentSettingInfo>)))]
async fn deployment_settings() -> Json<List<DeploymentSettingInfo>> {
    Json(deployment::settings_list())
}

/// Templates of deployments.
#[utoipa::path(get, path = "/deployment-templates", tag = "deployments", params(ListQuery), responses((status = 200, body = List<DeploymentTemplate>)))]
async fn templates_list(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer<List<DeploymentTemplate>> {
    deployment::template_list(&app, query).await.map(Json)
}

/// One template, by name or id.
#[utoipa::path(get, path = "/deployment-templates/{name}", tag = "deployments", params(("name" = String, Path)), responses((status = 200, body = DeploymentTemplate)))]
async fn templates_show(State(app): State<App>, Path(name): Path<String>) -> Answer<DeploymentTemplate> {
    deployment::template_show(&app, name).await.map(Json)
}

/// Makes a template, or replaces what one says.
#[utoipa::path(put, path = "/deployment-templates/{name}", tag = "deployments", params(("name" = String, Path)), request_body = TemplateBody, responses((status = 200, body = DeploymentTemplate)))]
async fn templates_put(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Body(body): Body<TemplateBody>,
) -> Answer<DeploymentTemplate> {
    deployment::template_put(&app, &caller, name, body).await.map(Json)
}

/// Deletes a template.
#[utoipa::path(delete, path = "/deployment-templates/{name}", tag = "deployments", params(("name" = String, Path)), responses((status = 204)))]
async fn templates_delete(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, AdminError> {
    deployment::template_delete(&app, &caller, name).await.map(|()| StatusCode::NO_CONTENT)
}

/// Update groups, with how computers stand with each if asked for.
#[utoipa::path(get, path = "/groups", tag = "groups", params(UpdateGroupQuery), responses((status = 200, body = UpdateGroupList)))]
async fn groups_list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<UpdateGroupQuery>,
) -> Answer<UpdateGroupList> {
    group_list::list(&app, caller.grant.scope, query).await.map(Json)
}

/// Makes an update group.
#[utoipa::path(post, path = "/groups", tag = "groups", request_body = UpdateGroupCreate, responses((status = 201, body = UpdateGroupCreated)))]
async fn groups_create(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<UpdateGroupCreate>,
) -> Result<(StatusCode, Json<UpdateGroupCreated>), AdminError> {
    Ok((StatusCode::CREATED, Json(group::create(&app, &caller, new).await?)))
}

/// One update group, by name or id.
#[utoipa::path(get, path = "/groups/{name}", tag = "groups", params(("name" = String, Path)), responses((status = 200, body = UpdateGroup)))]
async fn groups_show(State(app): State<App>, caller: Caller, Path(name): Path<String>) -> Answer<UpdateGroup> {
    group::show(&app, caller.grant.scope, name).await.map(Json)
}

/// Changes name or description of an update group.
#[utoipa::path(patch, path = "/groups/{name}", tag = "groups", params(("name" = String, Path)), request_body = UpdateGroupChange, responses((status = 200, body = UpdateGroup)))]
async fn groups_change(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Body(change): Body<UpdateGroupChange>,
) -> Answer<UpdateGroup> {
    group::change(&app, &caller, name, change).await.map(Json)
}

/// Deletes an update group.
#[utoipa::path(delete, path = "/groups/{name}", tag = "groups", params(("name" = String, Path), GroupDeleteQuery), responses((status = 204)))]
async fn groups_delete(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<GroupDeleteQuery>,
) -> Result<StatusCode, AdminError> {
    group::delete(&app, &caller, name, query).await.map(|()| StatusCode::NO_CONTENT)
}

/// Members of an update group.
#[utoipa::path(get, path = "/groups/{name}/members", tag = "groups", params(("name" = String, Path), ListQuery), responses((status = 200, body = List<UpdateGroupMember>)))]
async fn group_members_list(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<ListQuery>,
) -> Answer<List<UpdateGroupMember>> {
    group::members(&app, caller.grant.scope, name, query).await.map(Json)
}

/// Adds updates to a group; where it is deployed, they are deployed.
#[utoipa::path(post, path = "/groups/{name}/members", tag = "groups", params(("name" = String, Path)), request_body = MembersChange, responses((status = 200, body = GroupMembersChanged)))]
async fn group_members_add(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Body(change): Body<MembersChange>,
) -> Answer<GroupMembersChanged> {
    group::members_change(&app, &caller, name, change, true).await.map(Json)
}

/// Takes updates out of a group; where it is deployed, they are offered no longer by it.
#[utoipa::path(delete, path = "/groups/{name}/members", tag = "groups", params(("name" = String, Path)), request_body = MembersChange, responses((status = 200, body = GroupMembersChanged)))]
async fn group_members_remove(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Body(change): Body<MembersChange>,
) -> Answer<GroupMembersChanged> {
    group::members_change(&app, &caller, name, change, false).await.map(Json)
}

/// Stopped updates.
#[utoipa::path(get, path = "/update-stops", tag = "updates", params(ListQuery), responses((status = 200, body = List<StoppedUpdate>)))]
async fn stops_list(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer<List<StoppedUpdate>> {
    stop::list(&app, query).await.map(Json)
}

/// The stop of an update, and which computers have heard of it.
#[utoipa::path(get, path = "/updates/{id}/stop", tag = "updates", params(("id" = String, Path)), responses((status = 200, body = UpdateStop)))]
async fn stops_show(State(app): State<App>, Path(id): Path<String>) -> Answer<UpdateStop> {
    stop::show(&app, Named::parse(&id)?).await.map(Json)
}

/// Stops an update: from the next scan on no computer is offered it.
#[utoipa::path(put, path = "/updates/{id}/stop", tag = "updates", params(("id" = String, Path)), request_body = UpdateStopRequest, responses((status = 200, body = UpdateStop)))]
async fn stops_put(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<UpdateStopRequest>,
) -> Answer<UpdateStop> {
    stop::put(&app, &caller, Named::parse(&id)?, request).await.map(Json)
}

/// Takes the stop of an update back.
#[utoipa::path(delete, path = "/updates/{id}/stop", tag = "updates", params(("id" = String, Path)), responses((status = 204)))]
async fn stops_delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, AdminError> {
    stop::delete(&app, &caller, Named::parse(&id)?).await.map(|()| StatusCode::NO_CONTENT)
}
