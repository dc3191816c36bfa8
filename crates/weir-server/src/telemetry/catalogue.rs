//! Every metric of this server: its name, what it is, in which unit it counts, and the values that its labels may have.
//!
//! What is not here is not registered: handles are made from this list (`meters`), and tests hold the sources, the
//! guide, the dashboard and the rules for alerts to it. Names follow the conventions of Prometheus: base units, `_total` for
//! counters; `process_` is what every program has.

use weir_model::{alert::AlertSeverity, freshness::Freshness};
use weir_wire::{soap::ErrorCode, wsss, wusp};

use super::{Cache, Job, PlaneName, Reason, Unit};
use crate::{admission, start};

/// What a metric is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Only goes up while the process lives.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts values by size.
    Histogram,
}

impl Kind {
    /// As Prometheus writes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// In which unit a metric counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Measure {
    /// Bytes.
    Bytes,
    /// Things.
    Count,
    /// Seconds.
    Seconds,
    /// Seconds since 1970.
    Timestamp,
}

/// A label.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// The values that it may have.
    pub values: Values,
}

/// The values that a label may have: always few, never what somebody sent.
#[derive(Clone, Copy, Debug)]
pub enum Values {
    /// These.
    Known(fn() -> Vec<&'static str>),
    /// Those that the program has in another list.
    Listed,
}

impl Values {
    /// The values, if they are known here.
    pub fn all(self) -> Option<Vec<&'static str>> {
        match self {
            Self::Known(all) => Some(all()),
            Self::Listed => None,
        }
    }
}

/// A metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// In which unit.
    pub measure: Measure,
    /// Its labels.
    pub labels: &'static [Label],
    /// What it says, as `/metrics` tells it.
    pub help: &'static str,
}

impl Metric {
    /// The metric of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        CATALOGUE.iter().find(|metric| metric.name == name)
    }
}

const BACKUPS: Values = Values::Known(|| vec!["cancelled", "done", "failed"]);
const CACHES: Values = Values::Known(|| Cache::ALL.iter().map(|cache| cache.word()).collect());
const CERTIFICATES: Values = Values::Known(|| vec![start::ADMIN, start::CLIENT, start::OWN]);
const CLIENT_OPERATIONS: Values = Values::Known(|| {
    // beside the operations: files, what could not be read, and what was one of a server
    let others = [super::CONTENT, super::SELF_UPDATE, super::UNREAD, super::ROLL_UP];
    wusp::Operation::ALL.iter().map(|operation| operation.name()).chain(others).collect()
});
const DELIVERED_FAILED: Values = Values::Known(|| vec!["delivered", "failed"]);
const DONE_FAILED: Values = Values::Known(|| vec!["done", "failed"]);
const FAULTS: Values = Values::Known(|| ErrorCode::ALL.iter().map(|code| code.name()).collect());
const FRESHNESS: Values = Values::Known(|| Freshness::ALL.iter().map(|class| class.word()).collect());
const GATES: Values = Values::Known(|| admission::GATES.to_vec());
const GATE_REASONS: Values = Values::Known(|| admission::REFUSALS.to_vec());
const HANDSHAKES: Values = Values::Known(|| start::HANDSHAKE_FAILURES.to_vec());
const JOBS: Values = Values::Known(|| Job::ALL.iter().map(|job| job.word()).collect());
const LEFT_OUT: Values = Values::Known(|| vec!["computers", "servers", "status"]);
const LEFT_OUT_REASONS: Values = Values::Known(|| vec!["elsewhere", "enrolled", "future", "outside", "stale"]);
const LISTENERS: Values = Values::Known(|| vec!["admin", "client", "link", "server"]);
const LINK_OPERATIONS: Values = Values::Known(|| super::LINK_OPERATIONS.to_vec());
const METHODS: Values = Values::Known(|| super::METHODS.to_vec());
const PLANES: Values = Values::Known(|| PlaneName::ALL.iter().map(|plane| plane.word()).collect());
const REASONS: Values = Values::Known(|| Reason::ALL.iter().map(|reason| reason.word()).collect());
// beside what is shown, the file that names it
const RELOADED: Values = Values::Known(|| vec![start::ADMIN, start::CLIENT, start::OWN, "settings"]);
const ROUTES: Values = Values::Listed;
const SERVER_OPERATIONS: Values =
    Values::Known(|| wsss::Operation::ALL.iter().map(|operation| operation.name()).collect());
const SERVICES: Values = Values::Known(|| vec!["Client", "Reporting", "SimpleAuth"]);
const SEVERITIES: Values = Values::Known(|| AlertSeverity::ALL.iter().map(|severity| severity.word()).collect());
const SPANS: Values = Values::Known(|| vec!["dropped", "exported", "failed"]);
const STATUSES: Values = Values::Known(|| super::STATUSES.to_vec());
const SYNC_RESULTS: Values = Values::Known(|| vec!["cancelled", "done", "done_with_warnings", "failed"]);
const SYNC_WHAT: Values = Values::Known(|| vec!["added", "expired", "revised"]);
const UNITS: Values = Values::Known(|| Unit::ALL.iter().map(|unit| unit.word()).collect());
const VERSION: Values = Values::Known(|| vec![env!("CARGO_PKG_VERSION")]);

macro_rules! catalogue {
    ($($kind:ident $name:literal $measure:ident [$($label:ident: $values:ident),*] = $help:literal;)*) => {
        /// All of them.
        pub const CATALOGUE: &[Metric] = &[$(Metric {
            name: $name,
            kind: Kind::$kind,
            measure: Measure::$measure,
            labels: &[$(Label { name: stringify!($label), values: $values }),*],
            help: $help,
        }),*];
    };
}

catalogue! {
    // Requests, by plane
    Counter "weir_requests_total" Count [plane: PLANES, status: STATUSES]
        = "Requests, by the class of their answer; aborted: the other side left before there was one.";
    Histogram "weir_request_seconds" Seconds [plane: PLANES]
        = "Time from complete headers to the head of the answer, the body of the request included. Requests that wait \
           for news are left out.";
    Gauge "weir_requests_in_flight" Count [listener: LISTENERS]
        = "Requests that are being answered, until the last byte is taken.";
    Counter "weir_request_bytes_total" Bytes [plane: PLANES]
        = "Bytes of bodies of requests.";
    Counter "weir_response_bytes_total" Bytes [plane: PLANES]
        = "Bytes of bodies of answers that were handed to connections.";
    Counter "weir_refused_total" Count [plane: PLANES, reason: REASONS]
        = "Requests that were refused, by reason.";
    Counter "weir_slow_requests_total" Count [plane: PLANES]
        = "Requests that took this server as long as log.slow_ms or longer.";
    Counter "weir_slow_requests_unlogged_total" Count []
        = "Slow requests that the limit of the log left out.";
    Gauge "weir_connections_open" Count [listener: LISTENERS]
        = "Open connections.";
    Counter "weir_connections_total" Count [listener: LISTENERS]
        = "Connections that were accepted.";
    // Computers (client plane)
    Histogram "weir_client_call_seconds" Seconds [operation: CLIENT_OPERATIONS]
        = "Time in the handler of each operation of the client plane, without the arrival of the request.";
    Counter "weir_client_faults_total" Count [code: FAULTS]
        = "Faults that computers were answered.";
    Counter "weir_client_events_total" Count []
        = "Events that computers reported, each counted once.";
    Counter "weir_client_plain_refused_total" Count [service: SERVICES]
        = "Calls of computers without TLS that were refused (clients.https).";
    // Downstream servers (server plane)
    Histogram "weir_server_call_seconds" Seconds [operation: SERVER_OPERATIONS]
        = "Time in the handler of each operation of the server plane.";
    Counter "weir_server_faults_total" Count [code: FAULTS]
        = "Faults that downstream servers were answered.";
    Histogram "weir_link_call_seconds" Seconds [operation: LINK_OPERATIONS]
        = "Time in the handler of each operation between sites of one tree, waiting for news left out.";
    Counter "weir_rollup_left_out_total" Count [what: LEFT_OUT, reason: LEFT_OUT_REASONS]
        = "Servers, computers and status that downstream servers told of without being above them.";
    // Administrators (admin plane)
    Histogram "weir_admin_request_seconds" Seconds [method: METHODS, route: ROUTES]
        = "Time in the handler of each route of the admin plane, by its template.";
    Counter "weir_admin_refused_total" Count []
        = "Requests to the admin plane without a valid token, session or certificate.";
    Counter "weir_admin_foreign_total" Count []
        = "Changes that a session asked for from a page of another site.";
    Gauge "weir_event_streams_open" Count []
        = "Streams of server-sent events that are followed.";
    // Certificates and handshakes
    Counter "weir_tls_handshake_failures_total" Count [listener: LISTENERS, reason: HANDSHAKES]
        = "Failed TLS handshakes, by listener and reason.";
    Counter "weir_tls_reloads_total" Count [certificate: RELOADED, result: DONE_FAILED]
        = "Certificates that were replaced while the server runs, or could not be, by what is shown and result.";
    Gauge "weir_tls_certificate_expiry_seconds" Seconds [certificate: CERTIFICATES]
        = "Seconds until a certificate ends, by what is shown.";
    // The database
    Gauge "weir_store_waiting" Count [unit: UNITS]
        = "Units of work that wait for a connection of the database.";
    Histogram "weir_store_wait_seconds" Seconds [unit: UNITS]
        = "Time that a unit of work waited for a connection of the database.";
    Histogram "weir_store_unit_seconds" Seconds [unit: UNITS]
        = "Time that a unit of work had its connection, the commit included.";
    Counter "weir_store_failures_total" Count [unit: UNITS]
        = "Units of work that ended without effect, refusals of their own included.";
    Gauge "weir_database_bytes" Bytes []
        = "Bytes of the database on disk, its write-ahead log included; of PostgreSQL, what its server says.";
    Gauge "weir_database_wal_bytes" Bytes []
        = "Bytes of the write-ahead log of the embedded database; 0 with PostgreSQL.";
    Gauge "weir_database_unused_bytes" Bytes []
        = "Bytes of the database file that nothing uses; 0 with PostgreSQL.";
    Gauge "weir_disk_free_bytes" Bytes []
        = "Bytes that the disk of the data folder has left.";
    // Queues
    Gauge "weir_ingest_waiting" Count []
        = "What computers said and is not stored yet: first contacts, registrations, reports.";
    Gauge "weir_ingest_waiting_bytes" Bytes []
        = "Bytes of reports that are not stored yet.";
    Histogram "weir_ingest_wait_seconds" Seconds []
        = "Time from the entrance of that queue to the transaction.";
    Histogram "weir_ingest_commit_seconds" Seconds []
        = "Time of a transaction of that queue, until it is durable.";
    Histogram "weir_ingest_group_entries" Count []
        = "Entries that were made durable by one transaction.";
    Counter "weir_ingest_skipped_total" Count []
        = "Notes of contacts and builds that found the queue full; the next call brings them again.";
    Gauge "weir_admission_capacity" Count [gate: GATES]
        = "Requests, or bytes of them, that a gate lets in at once.";
    Gauge "weir_admission_in_use" Count [gate: GATES]
        = "Requests, or bytes of them, that it has let in.";
    Gauge "weir_admission_waiting" Count [gate: GATES]
        = "Requests that wait before it.";
    Gauge "weir_admission_networks" Count [gate: GATES]
        = "Networks that it has let in or that wait.";
    Histogram "weir_admission_wait_seconds" Seconds [gate: GATES]
        = "Time that requests waited that had to.";
    Counter "weir_admission_refused_total" Count [gate: GATES, reason: GATE_REASONS]
        = "Requests that were refused with ServerBusy or 503.";
    Counter "weir_admission_connections_refused_total" Count [listener: LISTENERS]
        = "Connections that were closed since their address has its share.";
    Counter "weir_admission_slow_readers_total" Count []
        = "Connections that were cut off since the other side took too little of an answer.";
    Gauge "weir_giant_answers_in_flight" Count []
        = "Answers with large fragments that are being sent, of at most 128.";
    Gauge "weir_deliveries_waiting" Count []
        = "Notifications that wait to be sent.";
    Counter "weir_notifications_total" Count [result: DELIVERED_FAILED]
        = "Attempts to send a notification.";
    // Caches
    Counter "weir_cache_hits_total" Count [cache: CACHES]
        = "Questions that a cache answered.";
    Counter "weir_cache_misses_total" Count [cache: CACHES]
        = "Questions that it could not answer.";
    Counter "weir_cache_evictions_total" Count [cache: CACHES]
        = "Entries that made room for others.";
    Gauge "weir_cache_entries" Count [cache: CACHES]
        = "Entries of a cache.";
    Gauge "weir_fragment_cache_bytes" Bytes []
        = "Bytes of metadata fragments kept in memory.";
    // Catalogue and index
    Histogram "weir_publish_seconds" Seconds []
        = "Time from a committed change to the catalogue that scans read.";
    Gauge "weir_snapshot_revisions" Count []
        = "Revisions of the catalogue that scans read.";
    Gauge "weir_snapshot_change" Count []
        = "Newest change of the catalogue that scans read.";
    Gauge "weir_snapshot_age_seconds" Seconds []
        = "Time since that catalogue was compiled.";
    Gauge "weir_catalogue_change" Count []
        = "Newest change that is stored; scans follow it.";
    Gauge "weir_compliance_index_bytes" Bytes []
        = "Bytes of the index that counts compliance.";
    // Computers as they stand
    Gauge "weir_computers" Count []
        = "Known computers.";
    Gauge "weir_computers_by_freshness" Count [class: FRESHNESS]
        = "Computers by how much their reports are worth, at most a minute old.";
    Gauge "weir_alerts_open" Count [severity: SEVERITIES]
        = "Open alerts.";
    // Jobs
    Counter "weir_job_runs_total" Count [task: JOBS, result: DONE_FAILED]
        = "Runs of each job that ended.";
    Histogram "weir_job_seconds" Seconds [task: JOBS]
        = "Time of a run.";
    Gauge "weir_job_running" Count [task: JOBS]
        = "Runs under way.";
    Gauge "weir_job_last_success_timestamp_seconds" Timestamp [task: JOBS]
        = "When a run of this process ended well last.";
    Gauge "weir_jobs_waiting" Count []
        = "Long work that waits for its turn: synchronizations, clean-up, work on content, imports.";
    Counter "weir_sync_runs_total" Count [result: SYNC_RESULTS]
        = "Synchronizations, by how they ended.";
    Counter "weir_sync_revisions_total" Count [what: SYNC_WHAT]
        = "Revisions that synchronizations added, revised and expired.";
    Gauge "weir_sync_last_success_timestamp_seconds" Timestamp []
        = "When a synchronization ended well last, of whatever process; 0 if none did.";
    Counter "weir_backups_total" Count [result: BACKUPS]
        = "Backups, by how they ended.";
    Gauge "weir_backup_last_success_timestamp_seconds" Timestamp []
        = "When a backup was made last, by whatever process; 0 if none was.";
    Counter "weir_import_revisions_total" Count []
        = "Revisions that imports added.";
    Counter "weir_reports_total" Count [result: DONE_FAILED]
        = "Scheduled reports that were made and delivered, or not.";
    // Content
    Counter "weir_content_downloads_total" Count []
        = "Content files fetched and verified.";
    Counter "weir_content_download_failures_total" Count []
        = "Attempts to fetch a content file that failed.";
    Counter "weir_content_download_bytes_total" Bytes []
        = "Bytes of content files that came over the wire.";
    Gauge "weir_content_downloads_in_flight" Count []
        = "Content files on their way.";
    Gauge "weir_content_missing_files" Count []
        = "Content files that are awaited.";
    Gauge "weir_content_missing_bytes" Bytes []
        = "Bytes of the content files that are awaited.";
    Gauge "weir_content_resting_files" Count []
        = "Awaited files that rest after a failure.";
    Gauge "weir_content_stored_bytes" Bytes []
        = "Bytes of content that is here and verified.";
    Gauge "weir_content_free_bytes" Bytes []
        = "Bytes that the disk of the content folder has left.";
    Gauge "weir_content_reachable" Count []
        = "1 while files can be read; 0 while the object store that has them is out of reach, or not this site's.";
    // The process
    Gauge "weir_build_info" Count [version: VERSION]
        = "1, with the version of the program.";
    Gauge "process_start_time_seconds" Timestamp []
        = "When the server started.";
    Counter "process_cpu_seconds_total" Seconds []
        = "Processor time of the process, in whole seconds.";
    Gauge "process_resident_memory_bytes" Bytes []
        = "Memory of the process that is in RAM.";
    Gauge "process_threads" Count []
        = "Threads of the process.";
    Gauge "process_open_fds" Count []
        = "Files and connections that the process has open.";
    Gauge "process_max_fds" Count []
        = "Files and connections that it may have open.";
    Counter "weir_trace_spans_total" Count [result: SPANS]
        = "Spans of traces that were exported, dropped since the queue was full, or not taken by the collector.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_say_what_they_count() {
        let names: BTreeSet<_> = CATALOGUE.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), CATALOGUE.len());
        for Metric { name, kind, measure, labels, help } in CATALOGUE {
            assert!(name.starts_with("weir_") || name.starts_with("process_"), "{name}");
            assert_eq!(*kind == Kind::Counter, name.ends_with("_total"), "{name}");
            let stem = name.strip_suffix("_total").unwrap_or(name);
            match measure {
                Measure::Bytes => assert!(stem.ends_with("_bytes"), "{name}"),
                Measure::Seconds | Measure::Timestamp => assert!(stem.ends_with("_seconds"), "{name}"),
                Measure::Count => assert!(!stem.ends_with("_seconds"), "{name}"),
            }
            assert!(help.ends_with('.') && !help.contains('\n'), "{name}: {help}");
            for label in *labels {
                assert!(!["le", "quantile", "job", "instance"].contains(&label.name), "{name}");
                if let Some(values) = label.values.all() {
                    let distinct: BTreeSet<_> = values.iter().collect();
                    assert!(!values.is_empty() && values.len() <= 64 && distinct.len() == values.len(), "{name}");
                }
            }
        }
        assert!(Metric::find("weir_computers").is_some() && Metric::find("weir").is_none());
    }
}
