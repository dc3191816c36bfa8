//! What is a state and not an event: it is looked at when metrics are asked for.
//!
//! A look costs a few indexed questions to the database. Counting computers by freshness takes a pass over all of them, and is
//! done once a minute at most.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::time::timeout;
use weir_api::{
    freshness::{FreshnessCounts, FreshnessQuery},
    job::{JobQuery, JobState},
};
use weir_model::{alert::AlertSeverity, rights::Scope};
use weir_store::{ReadTx, StoreError, job::JobState as Stored};

use super::{Cache, meters::set, process};
use crate::{
    admin::{AdminError, App, blocking, chain, freshness, job_list, measure_certificates},
    content, jobs,
    sync::history,
};

/// How long the counts by freshness serve.
const KEPT: Duration = Duration::from_mins(1);

/// Computers by freshness, as they were counted last.
#[derive(Debug, Default)]
pub(crate) struct Counted(Mutex<Option<(Instant, FreshnessCounts)>>);

/// How long the database may take: what else is known is wanted most when it does not answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sets every gauge that is a state. What cannot be looked at keeps its last value.
pub(crate) async fn measure(app: &App) {
    memory(app);
    measure_certificates(app);
    let stored = async {
        database(app).await?;
        computers(app).await
    };
    match timeout(PATIENCE, stored).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(error = chain(&error), "metrics of the database could not be looked at"),
        Err(_) => tracing::warn!("the database takes too long: its metrics are those of before"),
    }
    let read = blocking(|| {
        process::measure();
        Ok(())
    });
    if let Err(error) = read.await {
        tracing::warn!(error = chain(&error), "metrics of the process could not be looked at");
    }
}

fn memory(app: &App) {
    let state = &app.state;
    let published = state.live.current();
    set("weir_snapshot_revisions", &[], published.snapshot.len() as f64);
    set("weir_snapshot_change", &[], published.change().0 as f64);
    set("weir_snapshot_age_seconds", &[], published.compiled.elapsed().as_secs_f64());
    let fragments = &state.live.fragments;
    set("weir_fragment_cache_bytes", &[], fragments.weight() as f64);
    set("weir_cache_entries", &[Cache::Fragments.word()], fragments.entries() as f64);
    for (cache, entries) in published.entries() {
        set("weir_cache_entries", &[cache.word()], entries as f64);
    }
    set("weir_cache_entries", &[Cache::Signed.word()], state.signed.entries() as f64);
    let unreachable = content::objects::trouble(state).is_some();
    set("weir_content_reachable", &[], if unreachable { 0.0 } else { 1.0 });
    set("weir_computers", &[], state.live.directory.len() as f64);
    let (entries, bytes) = state.ingest.waiting();
    set("weir_ingest_waiting", &[], entries as f64);
    set("weir_ingest_waiting_bytes", &[], bytes as f64);
    state.admission.measure();
    set("weir_giant_answers_in_flight", &[], state.giants_taken() as f64);
    set("weir_event_streams_open", &[], app.shared().changes.followers() as f64);
    let running = app.shared().downloads.running();
    set("weir_content_downloads_in_flight", &[], running.map_or(0, |running| running.active.len()) as f64);
    set("weir_build_info", &[env!("CARGO_PKG_VERSION")], 1.0);
    set("process_start_time_seconds", &[], app.started_at.as_second() as f64);
}

/// When the last run of a kind that ended well did.
fn last_done(tx: &ReadTx<'_>, kind: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(tx.job_last_of(kind, Stored::Done)?.and_then(|row| row.ended_at))
}

async fn database(app: &App) -> Result<(), AdminError> {
    let now = Timestamp::now();
    let (change, alerts, deliveries, synchronized, backed_up) = app
        .read(move |tx| {
            let deliveries: u64 = tx.delivery_waiting()?.iter().map(|(_, count)| count).sum();
            let (synchronized, backed_up) = (last_done(tx, history::KIND)?, last_done(tx, jobs::backup::KIND)?);
            Ok((tx.catalogue_version()?.0, tx.alert_counts(now)?, deliveries, synchronized, backed_up))
        })
        .await?;
    set("weir_catalogue_change", &[], change as f64);
    set("weir_deliveries_waiting", &[], deliveries as f64);
    set("weir_sync_last_success_timestamp_seconds", &[], synchronized.map_or(0, Timestamp::as_second) as f64);
    set("weir_backup_last_success_timestamp_seconds", &[], backed_up.map_or(0, Timestamp::as_second) as f64);
    for severity in AlertSeverity::ALL {
        let open: u64 = alerts.iter().filter(|row| row.severity == severity).map(|row| row.open).sum();
        set("weir_alerts_open", &[severity.word()], open as f64);
    }
    let waiting = JobQuery { state: Some(JobState::Waiting), limit: Some(1_000), ..JobQuery::default() };
    set("weir_jobs_waiting", &[], job_list(app, waiting).await?.items.len() as f64);
    let store = app.state.store.clone();
    let sizes = blocking(move || Ok((store.size()?, store.log_size()?, store.free()?.0, store.disk_free()?)));
    let (bytes, log, unused, free) = sizes.await?;
    set("weir_database_bytes", &[], bytes as f64);
    set("weir_database_wal_bytes", &[], log as f64);
    set("weir_database_unused_bytes", &[], unused as f64);
    set("weir_disk_free_bytes", &[], free as f64);
    Ok(())
}

async fn computers(app: &App) -> Result<(), AdminError> {
    let kept = &app.shared().counted_by_freshness.0;
    let fresh = kept.lock().filter(|(at, _)| at.elapsed() < KEPT).map(|(_, counts)| counts);
    let counts = match fresh {
        Some(counts) => counts,
        None => {
            let counts = freshness::summary(app, Scope::Everything, FreshnessQuery::default()).await?.classes;
            *kept.lock() = Some((Instant::now(), counts));
            counts
        }
    };
    let FreshnessCounts { silent, scan_failed, never_scanned, never_reported, not_reporting, current } = counts;
    for (class, computers) in [
        ("silent", silent),
        ("scan_failed", scan_failed),
        ("never_scanned", never_scanned),
        ("never_reported", never_reported),
        ("not_reporting", not_reporting),
        ("current", current),
    ] {
        set("weir_computers_by_freshness", &[class], computers as f64);
    }
    Ok(())
}
