//! `/metrics`: what a scrape after real traffic has.

use std::collections::{BTreeMap, BTreeSet};

use weir_server::telemetry::{CATALOGUE, Kind, Metric};
use weir_testkit::{Computer, Document, Payload, ScriptedAgent};

use crate::{
    harness::{Server, id},
    tls::until,
};

/// A series: its name, its labels, its value.
struct Series {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// What a scrape says: types by name, and all series.
struct Scrape {
    text: String,
    types: BTreeMap<String, String>,
    series: Vec<Series>,
}

fn read(text: String) -> Scrape {
    let (mut types, mut series) = (BTreeMap::new(), Vec::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} is there twice");
        } else if !line.is_empty() && !line.starts_with('#') {
            let (key, value) = line.rsplit_once(' ').expect("a value");
            let (name, labels) = match key.split_once('{') {
                Some((name, labels)) => (name, labels.strip_suffix('}').expect("the end of labels")),
                None => (key, ""),
            };
            // values of labels have neither commas nor quotes
            let pairs = labels.split(',').filter(|pair| !pair.is_empty()).map(|pair| {
                let (label, value) = pair.split_once('=').expect("a label");
                (label.to_owned(), value.trim_matches('"').to_owned())
            });
            let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
            series.push(Series { name: name.to_owned(), labels: pairs.collect(), value });
        }
    }
    Scrape { text, types, series }
}

async fn scrape(server: &Server) -> Scrape {
    let request = server.http.get(server.admin("/metrics")).bearer_auth(&server.token);
    let answer = request.send().await.expect("answer");
    assert_eq!(answer.status(), 200);
    read(answer.text().await.expect("text"))
}

impl Scrape {
    /// The sum of the series of that name that have these labels.
    fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |series: &&Series| {
            series.name == name
                && labels.iter().all(|(label, value)| series.labels.get(*label).is_some_and(|is| is == value))
        };
        self.series.iter().filter(has).map(|series| series.value).sum()
    }

    /// Metrics of the list that are not here.
    fn missing(&self) -> Vec<&'static str> {
        let is_there = |metric: &Metric| self.types.get(metric.name).is_some_and(|kind| kind == metric.kind.word());
        CATALOGUE.iter().filter(|metric| !is_there(metric)).map(|metric| metric.name).collect()
    }
}

/// The metric that a series belongs to: histograms have three kinds of series.
fn metric(name: &str) -> &'static Metric {
    Metric::find(name).unwrap_or_else(|| {
        let stem = ["_bucket", "_count", "_sum"].into_iter().find_map(|end| name.strip_suffix(end));
        let found = stem.and_then(Metric::find).filter(|metric| metric.kind == Kind::Histogram);
        found.unwrap_or_else(|| panic!("{name} is in no list"))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_after_real_traffic_has_every_metric_of_the_list() {
    let server = Server::start().await;
    server.import_documents(&[Document::software(id(1), 1).file(&Payload::random("fix.cab", 50_000, 3))]).await;
    let mut agent = ScriptedAgent::new(server.client(), Computer::numbered(1)).expect("agent");
    agent.scan().await.expect("scan");
    agent.report_scan().await.expect("reported");
    let update = format!("updates/{}", id(1));
    server.get(&update).await.ok();
    let nothing = reqwest::get(format!("{}/secret-path-of-somebody", server.client())).await.expect("answer");
    assert_eq!(nothing.status(), 404);

    // jobs and the queue of content say what they know when they have looked for the first time
    let retained = [("task", "retention"), ("result", "done")];
    until(async || {
        let scrape = scrape(&server).await;
        scrape.missing().is_empty() && scrape.sum("weir_job_runs_total", &retained) >= 1.0
    })
    .await;
    let scrape = scrape(&server).await;

    let sum = |name: &str, labels: &[(&str, &str)]| scrape.sum(name, labels);
    for operation in ["GetConfig", "GetCookie", "SyncUpdates", "ReportEventBatch"] {
        assert!(sum("weir_client_call_seconds_count", &[("operation", operation)]) >= 1.0, "{operation}");
    }
    assert!(sum("weir_requests_total", &[("plane", "client"), ("status", "2xx")]) >= 5.0);
    assert!(sum("weir_refused_total", &[("plane", "client"), ("reason", "not_found")]) >= 1.0);
    assert!(sum("weir_request_bytes_total", &[("plane", "client")]) > 1_000.0);
    assert!(sum("weir_response_bytes_total", &[("plane", "client")]) > 1_000.0);
    assert!(sum("weir_request_seconds_count", &[("plane", "admin")]) >= 2.0);
    assert!(sum("weir_client_events_total", &[]) >= 1.0);
    assert!(sum("weir_ingest_group_entries_count", &[]) >= 1.0);
    for unit in ["read", "write"] {
        assert!(sum("weir_store_unit_seconds_count", &[("unit", unit)]) >= 1.0, "{unit}");
    }
    assert!(sum("weir_cache_hits_total", &[]) + sum("weir_cache_misses_total", &[]) >= 1.0);
    let route = [("method", "GET"), ("route", "/api/v1/updates/{id}")];
    assert!(sum("weir_admin_request_seconds_count", &route) >= 1.0);
    // this one is under way
    assert!(sum("weir_requests_in_flight", &[("listener", "admin")]) >= 1.0);
    assert!(sum("weir_connections_open", &[("listener", "client")]) >= 1.0);
    assert!(sum("weir_computers", &[]) >= 1.0 && sum("weir_computers_by_freshness", &[]) >= 1.0);
    assert!(sum("weir_database_bytes", &[]) > sum("weir_database_wal_bytes", &[]));
    assert!(sum("process_resident_memory_bytes", &[]) > 1e6 && sum("process_threads", &[]) >= 2.0);
    assert!(sum("process_open_fds", &[]) < sum("process_max_fds", &[]));
    assert!(sum("weir_build_info", &[("version", env!("CARGO_PKG_VERSION"))]) >= 1.0);

    // nothing that somebody sent is in a label
    for sent in ["secret-path-of-somebody", &id(1).to_string(), &server.token] {
        assert!(!scrape.text.contains(sent), "{sent}");
    }
    for Series { name, labels, .. } in &scrape.series {
        let metric = metric(name);
        let known: BTreeSet<&str> = metric.labels.iter().map(|label| label.name).collect();
        let is: BTreeSet<&str> = labels.keys().map(String::as_str).filter(|label| *label != "le").collect();
        assert_eq!(is, known, "{name}");
        for label in metric.labels {
            let all = label.values.all();
            let value = labels[label.name].as_str();
            assert!(all.is_none_or(|all| all.contains(&value)), "{name}: {value} is none of {}", label.name);
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn metrics_are_told_with_proof_and_on_the_plane_of_administrators_alone() {
    let server = Server::start().await;
    let refused = server.http.get(server.admin("/metrics")).send().await.expect("answer");
    assert_eq!(refused.status(), 401);
    let wrong = server.http.get(server.admin("/metrics")).bearer_auth("guess").send().await.expect("answer");
    assert_eq!(wrong.status(), 401);
    let elsewhere = reqwest::Client::new().get(format!("{}/metrics", server.client())).bearer_auth(&server.token);
    assert_eq!(elsewhere.send().await.expect("answer").status(), 404);
    server.stop().await;
}
