//! `/healthz`, `/readyz` and `/metrics`.
//!
//! Which metrics there are is in [`crate::telemetry`]. They are told to who may see the whole site, on this plane alone.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};

use weir_store::{ReadTx, StoreError};

use super::{AdminError, App};
use crate::telemetry;

/// The process answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

fn answers(tx: &ReadTx<'_>) -> Result<(), StoreError> {
    tx.catalogue_version().map(drop)
}

/// The database answers and a catalogue is published: computers can scan.
pub(super) async fn readyz(State(app): State<App>) -> Response {
    match app.read(answers).await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
        }
    }
}

/// Everything counted, in the text form of Prometheus.
pub(super) async fn render(State(app): State<App>) -> Result<Response, AdminError> {
    telemetry::measure(&app).await;
    let text = telemetry::render().ok_or_else(|| AdminError::Unavailable("metrics are not collected".to_owned()))?;
    let media = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((media, text).into_response())
}
