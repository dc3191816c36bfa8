//! Routes of exports and bundles.

use axum::{
    Json,
    body::Body as Raw,
    extract::State,
    http::{HeaderMap, Method, StatusCode},
    response::Response,
};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;
use weir_api::{
    List,
    bundle::{Bundle, BundleKey, BundleOffer, BundleQuery, TrustAdd, TrustedSigner},
    export::{Export, ExportQuery},
};

use super::{
    AdminError, App, Caller, export,
    extract::{Body, Path, Query},
};
use crate::bundle::{apply, receive};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them. Bodies that are streamed have bounds of their own.
pub(super) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(export_create))
        .routes(routes!(export_show, export_remove))
        .routes(routes!(export_file, export_fetched))
        .routes(routes!(bundles_list, bundle_offer))
        .routes(routes!(bundle_show, bundle_forget))
        .routes(routes!(bundle_part))
        .routes(routes!(bundle_apply))
        .routes(routes!(bundle_key))
        .routes(routes!(bundle_trusted, bundle_trust))
        .routes(routes!(bundle_distrust))
        .routes(routes!(bundle_inventory))
}

/// Begins an export. For a bundle the body may be the manifest of an earlier one, or the receiver's inventory.
#[utoipa::path(
    post, path = "/exports", tag = "exports", params(ExportQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 202, body = Export))
)]
async fn export_create(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ExportQuery>,
    body: Raw,
) -> Result<(StatusCode, Json<Export>), AdminError> {
    Ok((StatusCode::ACCEPTED, Json(export::create(&app, &caller, query, body).await?)))
}

/// How far an export is, and which of its files can be fetched.
#[utoipa::path(get, path = "/exports/{id}", tag = "exports", params(("id" = Uuid, Path)), responses((status = 200, body = Export)))]
async fn export_show(State(app): State<App>, Path(id): Path<Uuid>) -> Answer<Export> {
    export::show(&app, id).map(Json)
}

/// Ends an export and forgets its files.
#[utoipa::path(delete, path = "/exports/{id}", tag = "exports", params(("id" = Uuid, Path)), responses((status = 204)))]
async fn export_remove(
    State(app): State<App>,
    _caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, AdminError> {
    export::remove(&app, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The bytes of a file of an export; ranges are answered.
#[utoipa::path(
    get, path = "/exports/{id}/files/{name}", tag = "exports", params(("id" = Uuid, Path), ("name" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"))
)]
async fn export_file(
    State(app): State<App>,
    Path((id, name)): Path<(Uuid, String)>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, AdminError> {
    export::file(&app, id, name, method, headers).await
}

/// A file of an export has arrived: room for further ones is made.
#[utoipa::path(
    delete, path = "/exports/{id}/files/{name}", tag = "exports", params(("id" = Uuid, Path), ("name" = String, Path)),
    responses((status = 204))
)]
async fn export_fetched(
    State(app): State<App>,
    _caller: Caller,
    Path((id, name)): Path<(Uuid, String)>,
) -> Result<StatusCode, AdminError> {
    export::fetched(&app, id, name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Bundles that came here.
#[utoipa::path(get, path = "/bundles", tag = "bundles", responses((status = 200, body = List<Bundle>)))]
async fn bundles_list(State(app): State<App>) -> Answer<List<Bundle>> {
    receive::list(&app).await.map(Json)
}

/// Checks a manifest with its signature and remembers it: parts may come then.
#[utoipa::path(
    post, path = "/bundles", tag = "bundles", params(BundleQuery), request_body = BundleOffer,
    responses((status = 200, body = Bundle))
)]
async fn bundle_offer(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<BundleQuery>,
    Body(offer): Body<BundleOffer>,
) -> Answer<Bundle> {
    receive::offer(&app, &caller, query.force, offer).await.map(Json)
}

/// One bundle.
#[utoipa::path(get, path = "/bundles/{id}", tag = "bundles", params(("id" = Uuid, Path)), responses((status = 200, body = Bundle)))]
async fn bundle_show(State(app): State<App>, Path(id): Path<Uuid>) -> Answer<Bundle> {
    receive::show(&app, id).await.map(Json)
}

/// Forgets a bundle of which nothing was applied.
#[utoipa::path(delete, path = "/bundles/{id}", tag = "bundles", params(("id" = Uuid, Path)), responses((status = 204)))]
async fn bundle_forget(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<StatusCode, AdminError> {
    receive::forget(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a part of a bundle, in any order.
#[utoipa::path(
    put, path = "/bundles/{id}/parts/{number}", tag = "bundles", params(("id" = Uuid, Path), ("number" = u32, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Bundle))
)]
async fn bundle_part(
    State(app): State<App>,
    caller: Caller,
    Path((id, number)): Path<(Uuid, u32)>,
    body: Raw,
) -> Answer<Bundle> {
    receive::part(&app, &caller, id, number, body).await.map(Json)
}

/// Begins to apply a bundle whose parts are all here.
#[utoipa::path(
    post, path = "/bundles/{id}/apply", tag = "bundles", params(("id" = Uuid, Path), BundleQuery),
    responses((status = 202, body = Bundle))
)]
async fn bundle_apply(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(query): Query<BundleQuery>,
) -> Result<(StatusCode, Json<Bundle>), AdminError> {
    Ok((StatusCode::ACCEPTED, Json(apply::begin(&app, &caller, id, query.force).await?)))
}

/// The key that this site signs bundles with.
#[utoipa::path(get, path = "/bundles/key", tag = "bundles", responses((status = 200, body = BundleKey)))]
async fn bundle_key(State(app): State<App>, caller: Caller) -> Answer<BundleKey> {
    export::bundle_key(&app, &caller).await.map(Json)
}

/// Signers whose bundles are taken.
#[utoipa::path(get, path = "/bundles/trust", tag = "bundles", responses((status = 200, body = List<TrustedSigner>)))]
async fn bundle_trusted(State(app): State<App>) -> Answer<List<TrustedSigner>> {
    export::trusted(&app).await.map(Json)
}

/// Trusts a signer.
#[utoipa::path(post, path = "/bundles/trust", tag = "bundles", request_body = TrustAdd, responses((status = 201, body = TrustedSigner)))]
async fn bundle_trust(
    State(app): State<App>,
    caller: Caller,
    Body(add): Body<TrustAdd>,
) -> Result<(StatusCode, Json<TrustedSigner>), AdminError> {
    Ok((StatusCode::CREATED, Json(export::trust(&app, &caller, add).await?)))
}

/// Trusts a signer no longer.
#[utoipa::path(
    delete, path = "/bundles/trust/{fingerprint}", tag = "bundles", params(("fingerprint" = String, Path)),
    responses((status = 204))
)]
async fn bundle_distrust(
    State(app): State<App>,
    caller: Caller,
    Path(fingerprint): Path<String>,
) -> Result<StatusCode, AdminError> {
    export::distrust(&app, &caller, fingerprint).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What this site has, for a bundle that builds on it.
#[utoipa::path(
    get, path = "/bundles/inventory", tag = "bundles",
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"))
)]
async fn bundle_inventory(State(app): State<App>, method: Method, headers: HeaderMap) -> Result<Response, AdminError> {
    export::inventory(&app, method, headers).await
}
