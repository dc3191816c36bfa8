//! Every route of the admin plane. Handlers extract, call one function, and convert.

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Multipart, State},
    http::{StatusCode, Uri},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::Timestamp;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::{
    List, PREFIX, Problem,
    access::SignInLink,
    computer::{ComputerChange, ComputerChanged, ComputerDetail, ComputerQuery, ComputerRow, Transport},
    deployment::{
        Deployment, DeploymentChange, DeploymentCreate, DeploymentCreated, DeploymentList, DeploymentPreview,
        DeploymentQuery,
    },
    import::{Import, ImportQuery},
    selection::LanguageQuery,
    setting::{Setting, SettingChange, SettingChanged},
    status::Status,
    update::{UpdateDetail, UpdateList, UpdateQuery},
};

use super::{
    AdminError, App, Caller,
    access::{self, rights},
    alert_routes, audit, auth, backup_routes, bulk_routes, cleanup_routes, client_settings_routes, collection_routes,
    compliance_routes, computer, console, content_routes,
    conventions::{self, Conventions},
    deployment, deployment_routes, describe, downstream_routes, event_routes, export_routes, exposure_routes,
    extract::{Body, JSON_BYTES, Path, Query},
    failure_routes, find_routes, freshness_routes, headers, health, history_routes, import, page, phased_routes,
    policy_routes, report_routes, rule_routes, search_routes, selection_routes, setting, sites, status, sync_routes,
    tls_routes,
    update::{self, Named},
    update_list, update_routes, window_routes,
};
use crate::telemetry;

type Answer<T> = Result<Json<T>, AdminError>;

/// The routes of the admin plane.
pub fn router(app: App) -> Router {
    let (api, mut document) = api(&app).split_for_parts();
    let inside: Router = Router::new().nest(PREFIX, api.clone()).with_state(app.clone());
    let conventions = Conventions::new(app.clone(), inside, &document);
    describe::complete(&mut document);
    let document = Json(document);
    let described = get(move || async move { document });
    let metrics = Router::new().route("/metrics", get(health::render)).route_layer(middleware::from_fn(rights::site));
    let protected = Router::new()
        .nest(PREFIX, api)
        .route(&format!("{PREFIX}/openapi.json"), described)
        .merge(metrics)
        .route_layer(middleware::from_fn_with_state(conventions, conventions::keep))
        .route_layer(middleware::from_fn_with_state(app.clone(), auth::require));
    Router::new()
        .merge(protected)
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/sign-in/oidc", get(page::oidc))
        .route("/sign-in/oidc/callback", get(page::oidc_callback))
        .route("/style.css", get(page::style))
        .fallback_service(console::pages(&app))
        .method_not_allowed_fallback(not_allowed)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(headers::add))
        .layer(middleware::from_fn(telemetry::observe))
        .with_state(app)
}

/// The REST interface for callers inside this process, below the same prefix: they put the [`Caller`] of their own request into
/// the extensions of each request, which is held to the table of rights as if it came from outside.
pub fn rest(app: &App) -> Router {
    let (api, _) = api(app).split_for_parts();
    Router::new().nest(PREFIX, api).fallback(nothing).method_not_allowed_fallback(not_allowed).with_state(app.clone())
}

/// The OpenAPI document of the REST interface.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = api_routes(OpenApiRouter::with_openapi(Document::openapi())).into_openapi();
    describe::complete(&mut document);
    document
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Weir",
        description = "Administration of a Weir software update point. Every refusal is a problem (RFC 9457) with a stable `code`. \
            Lists are `{items, next}`: pass `next` as `cursor`; with `Accept: text/csv` or `format=csv` they come whole as CSV. \
            Answers to GET have an ETag; changes take `If-Match`. POST takes an `Idempotency-Key`. `GET /events` tells what \
            changes. The guide is docs/api.md."
    ),
    servers((url = "/api/v1")),
    components(schemas(Problem, Transport)),
    security(("token" = [])),
    modifiers(&Token)
)]
struct Document;

struct Token;

impl Modify for Token {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The secret of an API token, or the text of the file admin.token in the data folder."))
            .build();
        openapi.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::Http(bearer));
    }
}

fn api(app: &App) -> OpenApiRouter<App> {
    let limits = app.process.limits;
    let uploads = |router: OpenApiRouter<App>, bytes: u64| {
        router.layer(DefaultBodyLimit::max(usize::try_from(bytes).unwrap_or(usize::MAX)))
    };
    let small = small_routes(OpenApiRouter::with_openapi(Document::openapi())).layer(DefaultBodyLimit::max(JSON_BYTES));
    small
        .merge(uploads(import_route(), limits.import_bytes))
        .merge(uploads(content_routes::upload(), limits.content_bytes))
        .merge(uploads(exposure_routes::upload(), limits.import_bytes))
        .route_layer(middleware::from_fn_with_state(app.clone(), rights::require))
}

fn api_routes(router: OpenApiRouter<App>) -> OpenApiRouter<App> {
    small_routes(router).merge(import_route()).merge(content_routes::upload()).merge(exposure_routes::upload())
}

fn import_route() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(import_create))
}

fn small_routes(router: OpenApiRouter<App>) -> OpenApiRouter<App> {
    router
        .routes(routes!(status_show))
        .routes(routes!(sign_in_link_create))
        .routes(routes!(import_show))
        .merge(content_routes::all())
        .merge(search_routes::all())
        .merge(selection_routes::all())
        .merge(downstream_routes::all())
        .merge(sync_routes::all())
        .merge(export_routes::all())
        .merge(exposure_routes::all())
        .merge(window_routes::all())
        .merge(deployment_routes::all())
        .merge(phased_routes::all())
        .merge(rule_routes::all())
        .merge(cleanup_routes::all())
        .merge(update_routes::all())
        .merge(client_settings_routes::all())
        .merge(policy_routes::all())
        .routes(routes!(updates_list))
        .routes(routes!(updates_show))
        .routes(routes!(updates_decline))
        .routes(routes!(updates_undecline))
        .merge(collection_routes::all())
        .routes(routes!(deployments_list, deployments_create))
        .routes(routes!(deployments_preview))
        .routes(routes!(deployments_show, deployments_change, deployments_delete))
        .routes(routes!(computers_list))
        .routes(routes!(computers_show, computers_change, computers_delete))
        .merge(compliance_routes::all())
        .merge(history_routes::all())
        .merge(failure_routes::all())
        .merge(freshness_routes::all())
        .merge(tls_routes::all())
        .merge(report_routes::all())
        .merge(sites::all())
        .routes(routes!(settings_list))
        .routes(routes!(settings_show, settings_set))
        .merge(alert_routes::all())
        .merge(access::routes::all())
        .merge(audit::routes())
        .merge(backup_routes::all())
        .merge(bulk_routes::all())
        .merge(event_routes::all())
        .merge(find_routes::all())
}

async fn nothing(uri: Uri) -> AdminError {
    no_page(&uri)
}

/// What is said of an address that does not exist.
pub(super) fn no_page(uri: &Uri) -> AdminError {
    AdminError::NotFound { kind: "page", id: uri.path().chars().take(200).collect(), next_step: None }
}

async fn not_allowed() -> Response {
    let problem = Problem {
        status: StatusCode::METHOD_NOT_ALLOWED.as_u16(),
        code: "method".to_owned(),
        title: "The method is not allowed".to_owned(),
        detail: "this resource does not take this method".to_owned(),
        next_step: Some(format!("see {PREFIX}/openapi.json")),
    };
    let media = [(http::header::CONTENT_TYPE, weir_api::problem::MEDIA_TYPE)];
    (StatusCode::METHOD_NOT_ALLOWED, media, serde_json::to_string(&problem).unwrap_or_default()).into_response()
}

pub(super) fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    AdminError::Internal(format!("a request panicked: {}", text.unwrap_or("no message"))).into_response()
}

/// What runs here, and what to do next.
#[utoipa::path(get, path = "/status", tag = "status", responses((status = 200, body = Status)))]
async fn status_show(State(app): State<App>) -> Answer<Status> {
    status::show(&app).await.map(Json)
}

/// Makes a link that signs the built-in administrator in, once.
#[utoipa::path(post, path = "/sign-in-links", tag = "status", responses((status = 201, body = SignInLink)))]
async fn sign_in_link_create(
    State(app): State<App>,
    caller: Caller,
) -> Result<(StatusCode, Json<SignInLink>), AdminError> {
    caller.check_person()?;
    Ok((StatusCode::CREATED, Json(auth::sign_in_link(&app, &caller, Timestamp::now()).await?)))
}

/// Imports update metadata from `multipart/form-data` with parts named `file`.
#[utoipa::path(
    post, path = "/imports", tag = "imports", params(ImportQuery),
    request_body(content = String, content_type = "multipart/form-data"),
    responses((status = 200, body = Import, description = "Over (wait)"), (status = 202, body = Import, description = "Under way"))
)]
async fn import_create(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ImportQuery>,
    form: Multipart,
) -> Result<(StatusCode, Json<Import>), AdminError> {
    let import = import::create(&app, &caller, query, form).await?;
    let status = if query.wait { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(import)))
}

/// How far an import is.
#[utoipa::path(get, path = "/imports/{id}", tag = "imports", params(("id" = u64, Path)), responses((status = 200, body = Import)))]
async fn import_show(State(app): State<App>, Path(id): Path<u64>) -> Answer<Import> {
    import::show(&app, id).await.map(Json)
}

/// Updates that a filter leaves, with facets if asked for.
#[utoipa::path(get, path = "/updates", tag = "updates", params(UpdateQuery), responses((status = 200, body = UpdateList)))]
async fn updates_list(State(app): State<App>, caller: Caller, Query(query): Query<UpdateQuery>) -> Answer<UpdateList> {
    update_list::list(&app, caller.grant.scope, query).await.map(Json)
}

/// One update in full; `{id}` is a GUID or GUID@revision.
#[utoipa::path(get, path = "/updates/{id}", tag = "updates", params(("id" = String, Path), LanguageQuery), responses((status = 200, body = UpdateDetail)))]
async fn updates_show(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<LanguageQuery>,
) -> Answer<UpdateDetail> {
    update::show(&app, caller.grant.scope, Named::parse(&id)?, query.language.as_deref()).await.map(Json)
}

/// Declines an update: no computer is sent it.
#[utoipa::path(post, path = "/updates/{id}/decline", tag = "updates", params(("id" = String, Path)), responses((status = 200, body = UpdateDetail)))]
async fn updates_decline(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<UpdateDetail> {
    update::decline(&app, &caller, Named::parse(&id)?, true).await.map(Json)
}

/// Takes a decline back.
#[utoipa::path(post, path = "/updates/{id}/undecline", tag = "updates", params(("id" = String, Path)), responses((status = 200, body = UpdateDetail)))]
async fn updates_undecline(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<UpdateDetail> {
    update::decline(&app, &caller, Named::parse(&id)?, false).await.map(Json)
}

/// Deployments, narrowed, in the order asked for, with how their computers stand if asked for.
#[utoipa::path(get, path = "/deployments", tag = "deployments", params(DeploymentQuery), responses((status = 200, body = DeploymentList)))]
async fn deployments_list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<DeploymentQuery>,
) -> Answer<DeploymentList> {
    deployment::list(&app, caller.grant.scope, query).await.map(Json)
}

/// What a deployment would need. Nothing is deployed.
#[utoipa::path(post, path = "/deployments/preview", tag = "deployments", request_body = DeploymentCreate, responses((status = 200, body = DeploymentPreview)))]
async fn deployments_preview(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<DeploymentCreate>,
) -> Answer<DeploymentPreview> {
    deployment::preview(&app, caller.grant.scope, new).await.map(Json)
}

/// Deploys an update to a collection.
#[utoipa::path(post, path = "/deployments", tag = "deployments", request_body = DeploymentCreate, responses((status = 201, body = DeploymentCreated)))]
async fn deployments_create(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<DeploymentCreate>,
) -> Result<(StatusCode, Json<DeploymentCreated>), AdminError> {
    Ok((StatusCode::CREATED, Json(deployment::create(&app, &caller, new).await?)))
}

/// One deployment, and what it waits for.
#[utoipa::path(get, path = "/deployments/{id}", tag = "deployments", params(("id" = i32, Path)), responses((status = 200, body = Deployment)))]
async fn deployments_show(State(app): State<App>, caller: Caller, Path(id): Path<i32>) -> Answer<Deployment> {
    deployment::show(&app, caller.grant.scope, id).await.map(Json)
}

/// Changes a deployment.
#[utoipa::path(patch, path = "/deployments/{id}", tag = "deployments", params(("id" = i32, Path)), request_body = DeploymentChange, responses((status = 200, body = Deployment)))]
async fn deployments_change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i32>,
    Body(change): Body<DeploymentChange>,
) -> Answer<Deployment> {
    deployment::change(&app, &caller, id, change).await.map(Json)
}

/// Deletes a deployment.
#[utoipa::path(delete, path = "/deployments/{id}", tag = "deployments", params(("id" = i32, Path)), responses((status = 204)))]
async fn deployments_delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i32>,
) -> Result<StatusCode, AdminError> {
    deployment::delete(&app, &caller, id).await.map(|()| StatusCode::NO_CONTENT)
}

/// Computers.
#[utoipa::path(get, path = "/computers", tag = "computers", params(ComputerQuery), responses((status = 200, body = List<ComputerRow>)))]
async fn computers_list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ComputerQuery>,
) -> Answer<List<ComputerRow>> {
    computer::list(&app, caller.grant.scope, query).await.map(Json)
}

/// One computer: what it needs, and why.
#[utoipa::path(get, path = "/computers/{id}", tag = "computers", params(("id" = String, Path), LanguageQuery), responses((status = 200, body = ComputerDetail)))]
async fn computers_show(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<LanguageQuery>,
) -> Answer<ComputerDetail> {
    computer::show(&app, caller.grant.scope, &id, query.language.as_deref()).await.map(Json)
}

/// Changes a computer.
#[utoipa::path(patch, path = "/computers/{id}", tag = "computers", params(("id" = String, Path)), request_body = ComputerChange, responses((status = 200, body = ComputerChanged)))]
async fn computers_change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(change): Body<ComputerChange>,
) -> Answer<ComputerChanged> {
    computer::change(&app, &caller, &id, change).await.map(Json)
}

/// Forgets a computer.
#[utoipa::path(delete, path = "/computers/{id}", tag = "computers", params(("id" = String, Path)), responses((status = 204)))]
async fn computers_delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, AdminError> {
    computer::delete(&app, &caller, &id).await.map(|()| StatusCode::NO_CONTENT)
}

/// Site settings.
#[utoipa::path(get, path = "/settings", tag = "settings", responses((status = 200, body = List<Setting>)))]
async fn settings_list(State(app): State<App>) -> Answer<List<Setting>> {
    setting::list(&app).await.map(Json)
}

/// One site setting.
#[utoipa::path(get, path = "/settings/{key}", tag = "settings", params(("key" = String, Path)), responses((status = 200, body = Setting)))]
async fn settings_show(State(app): State<App>, Path(key): Path<String>) -> Answer<Setting> {
    setting::show(&app, &key).await.map(Json)
}

/// Sets a site setting.
#[utoipa::path(put, path = "/settings/{key}", tag = "settings", params(("key" = String, Path)), request_body = SettingChange, responses((status = 200, body = SettingChanged)))]
async fn settings_set(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<String>,
    Body(change): Body<SettingChange>,
) -> Answer<SettingChanged> {
    setting::set(&app, &caller, &key, &change.value, change.force).await.map(Json)
}
