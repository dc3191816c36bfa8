//! Handles of metrics, found once: counting on the way of a request is a look into a small table, and allocates nothing.

use std::{collections::HashMap, hash::Hash, sync::LazyLock};

use axum::extract::MatchedPath;
use http::Method;
use metrics::{Counter, Gauge, Histogram};
use parking_lot::RwLock;

use super::{
    Metric, recorder,
    words::{METHODS, method},
};

/// Where administrators are without a route of their own: pages of the console, and what is not there.
const PAGES: &str = "(pages)";

/// The series of one metric, by the values of its labels.
pub(crate) struct Family<K, T> {
    series: HashMap<K, T>,
    /// Takes what no list has. Tests fail then; a server goes on.
    none: T,
}

impl<K: Eq + Hash, T> Family<K, T> {
    /// The series with these values.
    pub(crate) fn of(&self, values: K) -> &T {
        let found = self.series.get(&values);
        debug_assert!(found.is_some(), "a label has a value that the list of metrics does not have");
        found.unwrap_or(&self.none)
    }
}

/// What can be made into the key of a [`Family`].
pub(crate) trait Values: Eq + Hash + Sized {
    /// From as many values as it takes.
    fn read(values: &[&'static str]) -> Option<Self>;
}

impl Values for &'static str {
    fn read(values: &[&'static str]) -> Option<Self> {
        values.first().copied()
    }
}

impl Values for (&'static str, &'static str) {
    fn read(values: &[&'static str]) -> Option<Self> {
        Some((values.first().copied()?, values.get(1).copied()?))
    }
}

fn family<K: Values, T>(name: &str, none: T, series: impl Fn(&Metric, &[&'static str]) -> T) -> Family<K, T> {
    let metric = Metric::find(name);
    debug_assert!(metric.is_some(), "{name} is not in the list of metrics");
    let all = metric.and_then(|metric| Some((metric, recorder::combinations(metric)?)));
    let series = all.into_iter().flat_map(|(metric, all)| {
        let each = all.into_iter().filter_map(|values| Some((K::read(&values)?, series(metric, &values))));
        each.collect::<Vec<_>>()
    });
    Family { series: series.collect(), none }
}

fn counters<K: Values>(name: &str) -> Family<K, Counter> {
    family(name, Counter::noop(), recorder::counter)
}

fn gauges<K: Values>(name: &str) -> Family<K, Gauge> {
    family(name, Gauge::noop(), recorder::gauge)
}

fn histograms<K: Values>(name: &str) -> Family<K, Histogram> {
    family(name, Histogram::noop(), recorder::histogram)
}

fn counter(name: &str) -> Counter {
    Metric::find(name).map_or_else(Counter::noop, |metric| recorder::counter(metric, &[]))
}

fn histogram(name: &str) -> Histogram {
    Metric::find(name).map_or_else(Histogram::noop, |metric| recorder::histogram(metric, &[]))
}

type One = &'static str;
type Two = (&'static str, &'static str);

/// Metrics that are counted where something happens often.
pub(crate) struct Meters {
    pub(crate) cache_evictions: Family<One, Counter>,
    pub(crate) cache_hits: Family<One, Counter>,
    pub(crate) cache_misses: Family<One, Counter>,
    pub(crate) client_calls: Family<One, Histogram>,
    pub(crate) client_faults: Family<One, Counter>,
    pub(crate) connections: Family<One, Counter>,
    pub(crate) connections_open: Family<One, Gauge>,
    pub(crate) group_entries: Histogram,
    pub(crate) ingest_commit: Histogram,
    pub(crate) ingest_skipped: Counter,
    pub(crate) ingest_wait: Histogram,
    pub(crate) job_last_success: Family<One, Gauge>,
    pub(crate) job_running: Family<One, Gauge>,
    pub(crate) job_runs: Family<Two, Counter>,
    pub(crate) job_seconds: Family<One, Histogram>,
    pub(crate) link_calls: Family<One, Histogram>,
    pub(crate) plain_refused: Family<One, Counter>,
    pub(crate) refused: Family<Two, Counter>,
    pub(crate) request_bytes: Family<One, Counter>,
    pub(crate) request_seconds: Family<One, Histogram>,
    pub(crate) requests: Family<Two, Counter>,
    pub(crate) requests_in_flight: Family<One, Gauge>,
    pub(crate) response_bytes: Family<One, Counter>,
    pub(crate) routes: Routes,
    pub(crate) server_calls: Family<One, Histogram>,
    pub(crate) server_faults: Family<One, Counter>,
    pub(crate) slow: Family<One, Counter>,
    pub(crate) slow_unlogged: Counter,
    pub(crate) store_failures: Family<One, Counter>,
    pub(crate) store_unit: Family<One, Histogram>,
    pub(crate) store_wait: Family<One, Histogram>,
    pub(crate) store_waiting: Family<One, Gauge>,
    pub(crate) trace_spans: Family<One, Counter>,
}

static METERS: LazyLock<Meters> = LazyLock::new(|| {
    recorder::install();
    Meters {
        cache_evictions: counters("weir_cache_evictions_total"),
        cache_hits: counters("weir_cache_hits_total"),
        cache_misses: counters("weir_cache_misses_total"),
        client_calls: histograms("weir_client_call_seconds"),
        client_faults: counters("weir_client_faults_total"),
        connections: counters("weir_connections_total"),
        connections_open: gauges("weir_connections_open"),
        group_entries: histogram("weir_ingest_group_entries"),
        ingest_commit: histogram("weir_ingest_commit_seconds"),
        ingest_skipped: counter("weir_ingest_skipped_total"),
        ingest_wait: histogram("weir_ingest_wait_seconds"),
        job_last_success: gauges("weir_job_last_success_timestamp_seconds"),
        job_running: gauges("weir_job_running"),
        job_runs: counters("weir_job_runs_total"),
        job_seconds: histograms("weir_job_seconds"),
        link_calls: histograms("weir_link_call_seconds"),
        plain_refused: counters("weir_client_plain_refused_total"),
        refused: counters("weir_refused_total"),
        request_bytes: counters("weir_request_bytes_total"),
        request_seconds: histograms("weir_request_seconds"),
        requests: counters("weir_requests_total"),
        requests_in_flight: gauges("weir_requests_in_flight"),
        response_bytes: counters("weir_response_bytes_total"),
        routes: Routes::default(),
        server_calls: histograms("weir_server_call_seconds"),
        server_faults: counters("weir_server_faults_total"),
        slow: counters("weir_slow_requests_total"),
        slow_unlogged: counter("weir_slow_requests_unlogged_total"),
        store_failures: counters("weir_store_failures_total"),
        store_unit: histograms("weir_store_unit_seconds"),
        store_wait: histograms("weir_store_wait_seconds"),
        store_waiting: gauges("weir_store_waiting"),
        trace_spans: counters("weir_trace_spans_total"),
    }
});

/// The handles. The first look makes the process collect metrics.
pub(crate) fn meters() -> &'static Meters {
    &METERS
}

/// Sets a gauge that is a state, by the values of its labels. For what is looked at when metrics are asked for.
pub(crate) fn set(name: &str, values: &[&'static str], value: f64) {
    let metric = Metric::find(name);
    debug_assert!(metric.is_some_and(|metric| metric.labels.len() == values.len()), "{name}: {values:?}");
    if let Some(metric) = metric {
        recorder::gauge(metric, values).set(value);
    }
}

/// The series of the routes of the admin plane. There are as many as routes that somebody used, each with few methods: a
/// template is the router's own text, never a path that was sent.
#[derive(Default)]
pub(crate) struct Routes {
    known: RwLock<HashMap<String, Vec<(&'static str, Histogram)>>>,
}

impl Routes {
    /// Notes how long a route took.
    pub(crate) fn record(&self, asked: &Method, matched: Option<&MatchedPath>, seconds: f64) {
        let (method, route) = (method(asked), matched.map_or(PAGES, MatchedPath::as_str));
        let of = |all: &[(&'static str, Histogram)]| {
            all.iter().find(|(known, _)| *known == method).map(|(_, series)| series.record(seconds)).is_some()
        };
        if self.known.read().get(route).is_some_and(|all| of(all)) {
            return;
        }
        let Some(metric) = Metric::find("weir_admin_request_seconds") else { return };
        let mut known = self.known.write();
        let all = known.entry(route.to_owned()).or_default();
        // another request may have made it meanwhile
        if !of(all) && all.len() < METHODS.len() {
            let series = recorder::histogram_of(metric, vec![method.to_owned(), route.to_owned()]);
            series.record(seconds);
            all.push((method, series));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_list_has_its_series() {
        let meters = meters();
        for operation in weir_wire::wusp::Operation::ALL {
            meters.client_calls.of(operation.name()).record(0.001);
        }
        for code in weir_wire::soap::ErrorCode::ALL {
            meters.client_faults.of(code.name()).increment(0);
            meters.server_faults.of(code.name()).increment(0);
        }
        for operation in weir_wire::wsss::Operation::ALL {
            meters.server_calls.of(operation.name()).record(0.001);
        }
        for plane in super::super::PlaneName::ALL {
            for reason in super::super::Reason::ALL {
                meters.refused.of((plane.word(), reason.word())).increment(0);
            }
            meters.requests_in_flight.of(plane.word()).increment(0.0);
        }
    }

    #[test]
    fn a_route_is_counted_by_its_template_and_method() {
        let routes = Routes::default();
        for _ in 0..3 {
            routes.record(&Method::GET, None, 0.1);
        }
        routes.record(&Method::from_bytes(b"BREW").expect("a method"), None, 0.1);
        let known = routes.known.read();
        let methods: Vec<_> = known[PAGES].iter().map(|(method, _)| *method).collect();
        assert_eq!((known.len(), methods), (1, vec!["GET", "other"]));
    }
}
