//! Brings spans to a collector, in batches. Nobody waits for it: what finds the queue full is dropped and counted.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};

use super::otlp::{self, Span};
use crate::telemetry::meters;

/// Spans that may wait: some megabytes.
pub(super) const QUEUE: usize = 8_192;
/// Spans of one export.
const BATCH: usize = 512;
/// What there is goes out after so long.
const EVERY: Duration = Duration::from_secs(5);
/// A collector that takes longer has not taken it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Exports spans until it is told to stop.
#[derive(Debug)]
pub struct Exporter {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Exporter {
    pub(super) fn start(client: reqwest::Client, url: String, spans: mpsc::Receiver<Span>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(run(Collector { client, url, fails: false }, spans, stopped));
        Self { stop, task }
    }

    /// Exports what is left, for at most a few seconds.
    pub async fn finish(self) {
        // an error means that it has ended
        let _ = self.stop.send(true);
        if timeout(PATIENCE, self.task).await.is_err() {
            tracing::warn!("the last spans of traces did not reach their collector");
        }
    }
}

async fn run(mut collector: Collector, mut spans: mpsc::Receiver<Span>, mut stop: watch::Receiver<bool>) {
    let mut batch = Vec::with_capacity(2 * BATCH);
    let mut due = Instant::now() + EVERY;
    loop {
        tokio::select! {
            count = spans.recv_many(&mut batch, BATCH) => {
                if count == 0 {
                    break;
                }
            }
            () = sleep_until(due) => {
                collector.take(&mut batch).await;
                due = Instant::now() + EVERY;
            }
            () = stopped(&mut stop) => break,
        }
        if batch.len() >= BATCH {
            collector.take(&mut batch).await;
            due = Instant::now() + EVERY;
        }
    }
    while let Ok(span) = spans.try_recv() {
        batch.push(span);
    }
    collector.take(&mut batch).await;
}

/// Ready when there is nothing more to come.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // an error means that nobody can say so any more
    let _ = stop.wait_for(|stop| *stop).await;
}

struct Collector {
    client: reqwest::Client,
    url: String,
    /// The last export failed: the log says so once.
    fails: bool,
}

impl Collector {
    /// Exports a batch, which is empty then.
    async fn take(&mut self, batch: &mut Vec<Span>) {
        if batch.is_empty() {
            return;
        }
        let body = otlp::request(env!("CARGO_PKG_VERSION"), std::process::id(), batch);
        let sent = self.send(body).await;
        let result = if sent.is_ok() { "exported" } else { "failed" };
        meters().trace_spans.of(result).increment(batch.len() as u64);
        batch.clear();
        match sent {
            Ok(()) if self.fails => tracing::info!(url = self.url, "traces reach their collector again"),
            Err(error) if !self.fails => {
                tracing::warn!(url = self.url, error, "traces do not reach their collector; they are given up");
                self.fails = true;
                return;
            }
            _ => {}
        }
        self.fails = result == "failed";
    }

    async fn send(&self, body: Vec<u8>) -> Result<(), String> {
        let request = self.client.post(&self.url).header(CONTENT_TYPE, "application/x-protobuf").body(body);
        let answer = request.timeout(PATIENCE).send().await.map_err(|error| error.without_url().to_string())?;
        let status = answer.status();
        if status.is_success() { Ok(()) } else { Err(format!("it answers {status}")) }
    }
}
