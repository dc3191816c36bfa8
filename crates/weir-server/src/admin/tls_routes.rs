//! Routes of certificates, and of how computers come.

use axum::{Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::tls::{TlsCheck, TlsChecked, TlsReloaded, TlsStatus, TransportQuery, TransportSummary};

use super::{
    AdminError, App, Caller,
    extract::{Body, Query},
    tls, transport,
};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(tls_show))
        .routes(routes!(tls_reload))
        .routes(routes!(tls_check))
        .routes(routes!(computers_transport))
}

/// What the listeners show, and how computers come.
#[utoipa::path(get, path = "/tls", tag = "tls", responses((status = 200, body = TlsStatus)))]
async fn tls_show(State(app): State<App>) -> Answer<TlsStatus> {
    tls::show(&app).await.map(Json)
}

/// Reads certificates and what is said of them again, at once.
#[utoipa::path(post, path = "/tls/reload", tag = "tls", responses((status = 200, body = TlsReloaded)))]
async fn tls_reload(State(app): State<App>, caller: Caller) -> Answer<TlsReloaded> {
    tls::reload(&app, &caller).await.map(Json)
}

/// Connects to this server's own listeners as a client would, and says what it sees. Nothing else is called.
#[utoipa::path(post, path = "/tls/check", tag = "tls", request_body = TlsCheck, responses((status = 200, body = TlsChecked)))]
async fn tls_check(State(app): State<App>, Body(check): Body<TlsCheck>) -> Answer<TlsChecked> {
    tls::check::run(&app, check).await.map(Json)
}

/// How computers come that scan at this server: with TLS or without, all and by collection.
#[utoipa::path(get, path = "/computers/transport", tag = "computers", params(TransportQuery), responses((status = 200, body = TransportSummary)))]
async fn computers_transport(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<TransportQuery>,
) -> Answer<TransportSummary> {
    transport::summary(&app, caller.scope().clone(), query).await.map(Json)
}
