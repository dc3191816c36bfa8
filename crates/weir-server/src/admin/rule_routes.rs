//! Routes of automatic deployment rules.

use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::{
    List,
    list::ListQuery,
    rule::{
        Rule, RuleChange, RuleCreate, RuleDeployment, RulePreview, RulePreviewQuery, RuleRun, RuleRunUpdate,
        RuleRunUpdatesQuery, RuleTemplate, RuleTemplateCreate,
    },
};

use super::{
    AdminError, App, Caller,
    extract::{Body, Path, Query},
    rule,
};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(rules_list, rules_create))
        .routes(routes!(rules_preview))
        .routes(routes!(rules_show, rules_change, rules_delete))
        .routes(routes!(rules_deployment_add))
        .routes(routes!(rules_deployment_remove))
        .routes(routes!(rules_run))
        .routes(routes!(rules_runs))
        .routes(routes!(rule_runs_show))
        .routes(routes!(rule_runs_updates))
        .routes(routes!(rule_templates_list, rule_templates_create))
        .routes(routes!(rule_templates_delete))
}

/// Automatic deployment rules.
#[utoipa::path(get, path = "/rules", tag = "rules", params(ListQuery), responses((status = 200, body = List<Rule>)))]
async fn rules_list(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer<List<Rule>> {
    rule::list(&app, query).await.map(Json)
}

/// Makes a rule, and runs it once if asked to.
#[utoipa::path(post, path = "/rules", tag = "rules", request_body = RuleCreate, responses((status = 201, body = Rule)))]
async fn rules_create(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<RuleCreate>,
) -> Result<(StatusCode, Json<Rule>), AdminError> {
    Ok((StatusCode::CREATED, Json(rule::create(&app, &caller, new).await?)))
}

/// What a run would come to now. Nothing is changed.
#[utoipa::path(post, path = "/rules/preview", tag = "rules", request_body = RulePreviewQuery, responses((status = 200, body = RulePreview)))]
async fn rules_preview(State(app): State<App>, Body(query): Body<RulePreviewQuery>) -> Answer<RulePreview> {
    rule::run::preview(&app, query).await.map(Json)
}

/// One rule; `{name}` is its name or id.
#[utoipa::path(get, path = "/rules/{name}", tag = "rules", params(("name" = String, Path)), responses((status = 200, body = Rule)))]
async fn rules_show(State(app): State<App>, Path(name): Path<String>) -> Answer<Rule> {
    rule::show(&app, name).await.map(Json)
}

/// Changes a rule.
#[utoipa::path(patch, path = "/rules/{name}", tag = "rules", params(("name" = String, Path)), request_body = RuleChange, responses((status = 200, body = Rule)))]
async fn rules_change(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Body(change): Body<RuleChange>,
) -> Answer<Rule> {
    rule::change(&app, &caller, name, change).await.map(Json)
}

/// Deletes a rule with its history. What it made stays.
#[utoipa::path(delete, path = "/rules/{name}", tag = "rules", params(("name" = String, Path)), responses((status = 204)))]
async fn rules_delete(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, AdminError> {
    rule::delete(&app, &caller, name).await.map(|()| StatusCode::NO_CONTENT)
}

/// Adds a deployment to those that each run makes.
#[utoipa::path(post, path = "/rules/{name}/deployments", tag = "rules", params(("name" = String, Path)), request_body = RuleDeployment, responses((status = 200, body = Rule)))]
async fn rules_deployment_add(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Body(new): Body<RuleDeployment>,
) -> Answer<Rule> {
    rule::deployment_add(&app, &caller, name, new).await.map(Json)
}

/// Takes a deployment away from those that each run makes. What earlier runs made stays.
#[utoipa::path(delete, path = "/rules/{name}/deployments/{collection}", tag = "rules", params(("name" = String, Path), ("collection" = String, Path)), responses((status = 200, body = Rule)))]
async fn rules_deployment_remove(
    State(app): State<App>,
    caller: Caller,
    Path((name, collection)): Path<(String, String)>,
) -> Answer<Rule> {
    rule::deployment_remove(&app, &caller, name, collection).await.map(Json)
}

/// Runs a rule now.
#[utoipa::path(post, path = "/rules/{name}/run", tag = "rules", params(("name" = String, Path)), responses((status = 200, body = RuleRun)))]
async fn rules_run(State(app): State<App>, caller: Caller, Path(name): Path<String>) -> Answer<RuleRun> {
    rule::run::now(&app, &caller, name).await.map(Json)
}

/// Runs of a rule, newest first.
#[utoipa::path(get, path = "/rules/{name}/runs", tag = "rules", params(("name" = String, Path), ListQuery), responses((status = 200, body = List<RuleRun>)))]
async fn rules_runs(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(query): Query<ListQuery>,
) -> Answer<List<RuleRun>> {
    rule::runs(&app, name, query).await.map(Json)
}

/// One run.
#[utoipa::path(get, path = "/rule-runs/{no}", tag = "rules", params(("no" = i64, Path)), responses((status = 200, body = RuleRun)))]
async fn rule_runs_show(State(app): State<App>, Path(no): Path<i64>) -> Answer<RuleRun> {
    rule::run_show(&app, no).await.map(Json)
}

/// What a run said of each update: those that matched first.
#[utoipa::path(get, path = "/rule-runs/{no}/updates", tag = "rules", params(("no" = i64, Path), RuleRunUpdatesQuery), responses((status = 200, body = List<RuleRunUpdate>)))]
async fn rule_runs_updates(
    State(app): State<App>,
    Path(no): Path<i64>,
    Query(query): Query<RuleRunUpdatesQuery>,
) -> Answer<List<RuleRunUpdate>> {
    rule::run_updates(&app, no, query).await.map(Json)
}

/// What a rule can begin with: templates that came with the program, then saved ones.
#[utoipa::path(get, path = "/rule-templates", tag = "rules", params(ListQuery), responses((status = 200, body = List<RuleTemplate>)))]
async fn rule_templates_list(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer<List<RuleTemplate>> {
    rule::templates(&app, query).await.map(Json)
}

/// Saves a template, made of a rule.
#[utoipa::path(post, path = "/rule-templates", tag = "rules", request_body = RuleTemplateCreate, responses((status = 201, body = RuleTemplate)))]
async fn rule_templates_create(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<RuleTemplateCreate>,
) -> Result<(StatusCode, Json<RuleTemplate>), AdminError> {
    Ok((StatusCode::CREATED, Json(rule::template_create(&app, &caller, new).await?)))
}

/// Deletes a saved template.
#[utoipa::path(delete, path = "/rule-templates/{name}", tag = "rules", params(("name" = String, Path)), responses((status = 204)))]
async fn rule_templates_delete(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, AdminError> {
    rule::template_delete(&app, &caller, name).await.map(|()| StatusCode::NO_CONTENT)
}
