//! `/healthz`, `/readyz` and `/metrics`.
//!
//! Names are `weir_<subsystem>_<what>_total` for counters. Where something happens, it is counted with the `metrics`
//! macros; what is a state is set here when it is asked for.

use std::sync::OnceLock;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use weir_store::{ReadTx, StoreError};

use super::{AdminError, App};

/// Upper bounds in seconds: from a page's handler to a publish of a large catalogue.
const SECONDS: [f64; 14] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

static METRICS: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Makes the process collect metrics; later calls change nothing.
pub fn install_metrics() {
    METRICS.get_or_init(|| {
        let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS);
        let recorder = match builder {
            Ok(builder) => builder.build_recorder(),
            Err(error) => {
                tracing::error!(%error, "metrics are not collected");
                return None;
            }
        };
        let handle = recorder.handle();
        if let Err(error) = metrics::set_global_recorder(recorder) {
            tracing::error!(%error, "metrics are not collected");
            return None;
        }
        describe();
        Some(handle)
    });
}

fn describe() {
    metrics::describe_histogram!(
        "weir_publish_seconds",
        "Time from a committed change to the catalogue that scans read."
    );
    metrics::describe_counter!(
        "weir_admin_refused_total",
        "Requests to the admin plane without a valid token or session."
    );
    metrics::describe_counter!(
        "weir_rollup_left_out_total",
        "Servers, computers and status that downstream servers told of without being above them."
    );
    metrics::describe_counter!("weir_import_revisions_total", "Revisions that imports added.");
    metrics::describe_counter!("weir_content_downloads_total", "Content files fetched and verified.");
    metrics::describe_counter!("weir_content_download_failures_total", "Attempts to fetch a content file that failed.");
    metrics::describe_gauge!("weir_snapshot_revisions", "Revisions of the catalogue that scans read.");
    metrics::describe_gauge!("weir_snapshot_change", "Newest change of the catalogue that scans read.");
    metrics::describe_gauge!("weir_fragment_cache_bytes", "Bytes of metadata fragments kept in memory.");
    metrics::describe_gauge!("weir_computers", "Known computers.");
    metrics::describe_gauge!("weir_database_bytes", "Bytes of the database on disk.");
}

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
    let Some(Some(handle)) = METRICS.get() else {
        return Err(AdminError::Unavailable("metrics are not collected".to_owned()));
    };
    let published = app.state.live.current();
    metrics::gauge!("weir_snapshot_revisions").set(published.snapshot.len() as f64);
    metrics::gauge!("weir_snapshot_change").set(published.change().0 as f64);
    metrics::gauge!("weir_fragment_cache_bytes").set(app.state.live.fragments.weight() as f64);
    metrics::gauge!("weir_computers").set(app.state.live.directory.len() as f64);
    let store = app.state.store.clone();
    let bytes = super::app::blocking(move || Ok(store.size()?)).await?;
    metrics::gauge!("weir_database_bytes").set(bytes as f64);
    handle.run_upkeep();
    let text = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((text, handle.render()).into_response())
}
