//! The collection of metrics of this process, and its text form.

use std::{sync::OnceLock, time::Duration};

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use super::{
    Kind, Metric,
    catalogue::{CATALOGUE, Measure},
};

/// Upper bounds in seconds: from a page's handler to a publish of a large catalogue.
const SECONDS: [f64; 14] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];
/// The same for routes of administrators, of which there are many.
const ROUTE_SECONDS: [f64; 8] = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0];
/// The same for work in the background, from a look to a synchronization of a night.
const JOB_SECONDS: [f64; 10] = [0.001, 0.01, 0.1, 1.0, 10.0, 60.0, 300.0, 1_800.0, 7_200.0, 28_800.0];
/// Upper bounds of entries that share a transaction: at most 512 do.
const ENTRIES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 64.0, 128.0, 256.0, 512.0];

/// How often the values of histograms are put into their buckets: until then each takes eight bytes, scraped or not.
const UPKEEP: Duration = Duration::from_secs(5);

const METADATA: Metadata<'static> = Metadata::new("weir", Level::INFO, None);

static METRICS: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Makes the process collect metrics; later calls change nothing.
pub fn install() {
    handle();
}

/// Everything collected, in the text form of Prometheus; none if nothing is collected.
pub(crate) fn render() -> Option<String> {
    handle().map(PrometheusHandle::render)
}

fn handle() -> Option<&'static PrometheusHandle> {
    METRICS.get_or_init(begin).as_ref()
}

fn begin() -> Option<PrometheusHandle> {
    let recorder = match recorder() {
        Ok(recorder) => recorder,
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
    for metric in CATALOGUE {
        describe(metric);
        begin_at_zero(metric);
    }
    let kept = handle.clone();
    let spawned = std::thread::Builder::new().name("metrics".to_owned()).spawn(move || keep(&kept));
    if let Err(error) = spawned {
        tracing::error!(%error, "the thread that looks after metrics cannot be started; scrape often");
    }
    Some(handle)
}

/// Empties histograms for as long as the process lives.
fn keep(handle: &PrometheusHandle) {
    loop {
        std::thread::sleep(UPKEEP);
        handle.run_upkeep();
    }
}

fn recorder() -> Result<PrometheusRecorder, BuildError> {
    let full = |name: &str| Matcher::Full(name.to_owned());
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(full("weir_admin_request_seconds"), &ROUTE_SECONDS)?
        .set_buckets_for_metric(full("weir_job_seconds"), &JOB_SECONDS)?
        .set_buckets_for_metric(full("weir_ingest_group_entries"), &ENTRIES)?;
    Ok(builder.build_recorder())
}

fn describe(metric: &'static Metric) {
    let unit = match metric.measure {
        Measure::Bytes => metrics::Unit::Bytes,
        Measure::Count => metrics::Unit::Count,
        Measure::Seconds | Measure::Timestamp => metrics::Unit::Seconds,
    };
    metrics::with_recorder(|recorder| {
        let (name, help) = (metric.name.into(), metric.help.into());
        match metric.kind {
            Kind::Counter => recorder.describe_counter(name, Some(unit), help),
            Kind::Gauge => recorder.describe_gauge(name, Some(unit), help),
            Kind::Histogram => recorder.describe_histogram(name, Some(unit), help),
        }
    });
}

/// Makes every series of a counter or histogram whose labels are known: what never happened is 0 and not absent, so that a
/// rate is right from the first time on. Gauges are absent until they are known.
fn begin_at_zero(metric: &'static Metric) {
    for values in combinations(metric).unwrap_or_default() {
        match metric.kind {
            Kind::Counter => drop(counter(metric, &values)),
            Kind::Gauge => {}
            Kind::Histogram => drop(histogram(metric, &values)),
        }
    }
}

/// Every combination of the values of a metric's labels; none if they are not all known.
pub(super) fn combinations(metric: &Metric) -> Option<Vec<Vec<&'static str>>> {
    metric.labels.iter().try_fold(vec![Vec::new()], |some, label| {
        let values = label.values.all()?;
        let with = |begun: &Vec<&'static str>| {
            let begun = begun.clone();
            values.clone().into_iter().map(move |value| [begun.as_slice(), &[value]].concat())
        };
        Some(some.iter().flat_map(with).collect())
    })
}

fn key(metric: &Metric, values: &[&'static str]) -> Key {
    let labels = metric.labels.iter().zip(values).map(|(label, value)| Label::new(label.name, *value));
    Key::from_parts(metric.name, labels.collect::<Vec<_>>())
}

/// The series of a counter.
pub(super) fn counter(metric: &Metric, values: &[&'static str]) -> Counter {
    metrics::with_recorder(|recorder| recorder.register_counter(&key(metric, values), &METADATA))
}

/// The series of a gauge.
pub(super) fn gauge(metric: &Metric, values: &[&'static str]) -> Gauge {
    metrics::with_recorder(|recorder| recorder.register_gauge(&key(metric, values), &METADATA))
}

/// The series of a histogram.
pub(super) fn histogram(metric: &Metric, values: &[&'static str]) -> Histogram {
    metrics::with_recorder(|recorder| recorder.register_histogram(&key(metric, values), &METADATA))
}

/// The same with the value of a label that is kept by its owner.
pub(super) fn histogram_of(metric: &Metric, values: Vec<String>) -> Histogram {
    let labels = metric.labels.iter().zip(values).map(|(label, value)| Label::new(label.name, value));
    let key = Key::from_parts(metric.name, labels.collect::<Vec<_>>());
    metrics::with_recorder(|recorder| recorder.register_histogram(&key, &METADATA))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_is_made_once() {
        let runs = Metric::find("weir_job_runs_total").expect("a metric");
        let all = combinations(runs).expect("known");
        let values = |at: usize| runs.labels[at].values.all().expect("known").len();
        assert_eq!(all.len(), values(0) * values(1));
        assert!(all.iter().all(|values| values.len() == 2));
        let plain = Metric::find("weir_computers").expect("a metric");
        assert_eq!(combinations(plain), Some(vec![Vec::new()]));
        let routes = Metric::find("weir_admin_request_seconds").expect("a metric");
        assert_eq!(combinations(routes), None);
    }

    #[test]
    fn buckets_ascend() {
        for bounds in [&SECONDS[..], &ROUTE_SECONDS, &JOB_SECONDS, &ENTRIES] {
            assert!(bounds.is_sorted() && bounds.first().is_some_and(|first| *first > 0.0));
        }
        recorder().expect("buckets");
    }
}
