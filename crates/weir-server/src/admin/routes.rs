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
    audit::AuditRow,
    computer::{ComputerChange, ComputerChanged, ComputerDetail, ComputerQuery, ComputerRow},
    deployment::{
        Deployment, DeploymentChange, DeploymentCreate, DeploymentCreated, DeploymentPreview, DeploymentQuery,
    },
    import::{Import, ImportQuery},
    list::ListQuery,
    selection::LanguageQuery,
    setting::{Setting, SettingChange, SettingChanged},
    status::Status,
    update::{UpdateDetail, UpdateList, UpdateQuery},
};

use super::{
    AdminError, App, Caller, alert_routes, audit, auth, cleanup_routes, client_settings_routes, collection_routes,
    compliance_routes, computer, content_routes, deployment, deployment_routes, downstream_routes, export_routes,
    exposure_routes,
    extract::{Body, JSON_BYTES, Path, Query},
    failure_routes, freshness_routes, headers, health, history_routes, import, page, phased_routes, policy_routes,
    report_routes, rule_routes, search_routes, selection_routes, setting, sites, status, sync_routes,
    update::{self, Named},
    update_list, update_routes, window_routes,
};

type Answer<T> = Result<Json<T>, AdminError>;

/// The routes of the admin plane.
pub fn router(app: App) -> Router {
    let (api, document) = api(&app).split_for_parts();
    let document = Json(document);
    let described = get(move || async move { document });
    let protected = Router::new()
        .nest(PREFIX, api)
        .route(&format!("{PREFIX}/openapi.json"), described)
        .route("/metrics", get(health::render))
        .route_layer(middleware::from_fn_with_state(app.clone(), auth::require));
    let page =
        Router::new().route("/", get(page::show)).route_layer(middleware::from_fn_with_state(app.clone(), signed_in));
    Router::new()
        .merge(protected)
        .merge(page)
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/sign-in", get(page::sign_in))
        .route("/style.css", get(page::style))
        .fallback(nothing)
        .method_not_allowed_fallback(not_allowed)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(headers::add))
        .with_state(app)
}

/// The OpenAPI document of the REST interface.
pub fn openapi() -> utoipa::openapi::OpenApi {
    api_routes(OpenApiRouter::with_openapi(Document::openapi())).into_openapi()
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Weir", description = "Administration of a Weir software update point."),
    servers((url = "/api/v1")),
    components(schemas(Problem)),
    security(("token" = [])),
    modifiers(&Token)
)]
struct Document;

struct Token;

impl Modify for Token {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The text of the file admin.token in the data folder."))
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
        .merge(report_routes::all())
        .merge(sites::all())
        .routes(routes!(settings_list))
        .routes(routes!(settings_show, settings_set))
        .merge(alert_routes::all())
        .routes(routes!(audit_list))
}

async fn nothing(uri: Uri) -> AdminError {
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

fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    AdminError::Internal(format!("a request panicked: {}", text.unwrap_or("no message"))).into_response()
}

/// The page's own refusal, for people.
async fn signed_in(state: State<App>, request: http::Request<axum::body::Body>, next: middleware::Next) -> Response {
    match auth::require(state, request, next).await {
        Ok(response) => response,
        Err(AdminError::Unauthorized(_)) => page::signed_out(),
        Err(error) => error.into_response(),
    }
}

/// What runs here, and what to do next.
#[utoipa::path(get, path = "/status", tag = "status", responses((status = 200, body = Status)))]
async fn status_show(State(app): State<App>) -> Answer<Status> {
    status::show(&app).await.map(Json)
}

/// Makes a link that opens the status page in a browser, once.
#[utoipa::path(post, path = "/sign-in-links", tag = "status", responses((status = 201, body = SignInLink)))]
async fn sign_in_link_create(
    State(app): State<App>,
    caller: Caller,
) -> Result<(StatusCode, Json<SignInLink>), AdminError> {
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
    import::show(&app, id).map(Json)
}

/// Updates that a filter leaves, with facets if asked for.
#[utoipa::path(get, path = "/updates", tag = "updates", params(UpdateQuery), responses((status = 200, body = UpdateList)))]
async fn updates_list(State(app): State<App>, Query(query): Query<UpdateQuery>) -> Answer<UpdateList> {
    update_list::list(&app, query).await.map(Json)
}

/// One update in full; `{id}` is a GUID or GUID@revision.
#[utoipa::path(get, path = "/updates/{id}", tag = "updates", params(("id" = String, Path), LanguageQuery), responses((status = 200, body = UpdateDetail)))]
async fn updates_show(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<LanguageQuery>,
) -> Answer<UpdateDetail> {
    update::show(&app, Named::parse(&id)?, query.language.as_deref()).await.map(Json)
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

/// Deployments.
#[utoipa::path(get, path = "/deployments", tag = "deployments", params(DeploymentQuery), responses((status = 200, body = List<Deployment>)))]
async fn deployments_list(State(app): State<App>, Query(query): Query<DeploymentQuery>) -> Answer<List<Deployment>> {
    deployment::list(&app, query).await.map(Json)
}

/// What a deployment would need. Nothing is deployed.
#[utoipa::path(post, path = "/deployments/preview", tag = "deployments", request_body = DeploymentCreate, responses((status = 200, body = DeploymentPreview)))]
async fn deployments_preview(State(app): State<App>, Body(new): Body<DeploymentCreate>) -> Answer<DeploymentPreview> {
    deployment::preview(&app, new).await.map(Json)
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
async fn deployments_show(State(app): State<App>, Path(id): Path<i32>) -> Answer<Deployment> {
    deployment::show(&app, id).await.map(Json)
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
async fn computers_list(State(app): State<App>, Query(query): Query<ComputerQuery>) -> Answer<List<ComputerRow>> {
    computer::list(&app, query).await.map(Json)
}

/// One computer: what it needs, and why.
#[utoipa::path(get, path = "/computers/{id}", tag = "computers", params(("id" = String, Path), LanguageQuery), responses((status = 200, body = ComputerDetail)))]
async fn computers_show(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<LanguageQuery>,
) -> Answer<ComputerDetail> {
    computer::show(&app, &id, query.language.as_deref()).await.map(Json)
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

/// The audit log, newest first.
#[utoipa::path(get, path = "/audit", tag = "audit", params(ListQuery), responses((status = 200, body = List<AuditRow>)))]
async fn audit_list(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer<List<AuditRow>> {
    audit::list(&app, query).await.map(Json)
}
