//! Traces: spans of requests, of units of work of the database and of jobs, brought to a collector by OTLP over HTTP.
//!
//! One request in so many is traced, and every run of a job; what belongs to one that is not traced costs a look. Off-spec: no
//! context is taken from requests (`traceparent`), since who sends one would decide what is traced.
//!
//! The exporter is ours, since the libraries for it bring a dozen crates and a thread of their own, and keep data for every span,
//! traced or not; what is sent is held to what another implementation writes.

mod export;
mod otlp;

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

use tokio::sync::mpsc;
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};
use uuid::Uuid;

pub use self::export::Exporter;
use self::otlp::{Span, Value};
use crate::{config::Traces, start::install_provider, telemetry::meters};

/// Spans that begin a trace: one of so many requests, and every run of a job.
const REQUEST: &str = "request";
const JOB: &str = "job";
/// The field that says that something failed; it is the status of the span.
const FAILED: &str = "failed";
/// Characters of a value that are kept.
const LONGEST: usize = 256;

/// Why no traces can be exported.
#[derive(Debug, thiserror::Error)]
#[error("no client for the collector of traces can be made")]
pub struct TraceError(#[source] reqwest::Error);

/// Begins to export spans to the collector of these settings. The layer belongs into the subscriber of the process; it sees spans
/// of the targets that the subscriber lets through to it. Must run inside a Tokio runtime.
///
/// # Errors
///
/// A client for HTTP cannot be made.
pub fn start(settings: &Traces) -> Result<(TraceLayer, Exporter), TraceError> {
    install_provider();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().map_err(TraceError)?;
    let (sender, spans) = mpsc::channel(export::QUEUE);
    let exporter = Exporter::start(client, settings.url.clone(), spans);
    Ok((TraceLayer { spans: sender, one_in: settings.one_in, requests: AtomicU64::new(0) }, exporter))
}

/// Follows spans and hands those that are traced to the exporter when they end.
#[derive(Debug)]
pub struct TraceLayer {
    spans: mpsc::Sender<Span>,
    one_in: u64,
    /// Requests so far.
    requests: AtomicU64,
}

impl TraceLayer {
    /// Whether a span without a traced one around it begins a trace.
    fn begins(&self, name: &str) -> bool {
        match name {
            JOB => true,
            REQUEST => self.requests.fetch_add(1, Ordering::Relaxed).is_multiple_of(self.one_in.max(1)),
            _ => false,
        }
    }
}

impl<S: Subscriber + for<'l> LookupSpan<'l>> Layer<S> for TraceLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let around =
            span.parent().and_then(|parent| parent.extensions().get::<Open>().map(|open| (open.0.trace, open.0.id)));
        let name = span.name();
        let (trace, parent) = match around {
            Some((trace, parent)) => (trace, Some(parent)),
            None if self.begins(name) => (Uuid::new_v4().into_bytes(), None),
            None => return,
        };
        let began = SystemTime::now();
        let mut open = Open(Span {
            trace,
            id: span_id(),
            parent,
            name,
            serves: name == REQUEST,
            began,
            ended: began,
            attributes: Vec::new(),
            failed: false,
        });
        attributes.record(&mut open);
        span.extensions_mut().insert(open);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(open) = span.extensions_mut().get_mut::<Open>() {
            values.record(open);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let open = span.extensions_mut().remove::<Open>();
        if let Some(Open(mut ended)) = open {
            ended.ended = SystemTime::now();
            if self.spans.try_send(ended).is_err() {
                meters().trace_spans.of("dropped").increment(1);
            }
        }
    }
}

/// Eight random bytes; never all zero, which would be no id (the version of the UUID is among them).
fn span_id() -> [u8; 8] {
    let [_, _, _, _, first, second, third, fourth, fifth, sixth, seventh, eighth, ..] = Uuid::new_v4().into_bytes();
    [first, second, third, fourth, fifth, sixth, seventh, eighth]
}

/// A traced span that is not over.
#[derive(Debug)]
struct Open(Span);

impl Open {
    fn put(&mut self, field: &Field, value: Value) {
        let name = field.name();
        match self.0.attributes.iter_mut().find(|(known, _)| *known == name) {
            Some((_, before)) => *before = value,
            None => self.0.attributes.push((name, value)),
        }
    }
}

impl Visit for Open {
    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == FAILED {
            self.0.failed = value;
        } else {
            self.put(field, Value::Flag(value));
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, Value::Real(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Value::Number(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, Value::Number(i64::try_from(value).unwrap_or(i64::MAX)));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, Value::Text(value.chars().take(LONGEST).collect()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use tracing::{debug_span, field::Empty, info_span, subscriber::with_default};
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    fn traced(one_in: u64, queue: usize, work: impl FnOnce()) -> Vec<Span> {
        let (sender, mut spans) = mpsc::channel(queue);
        let layer = TraceLayer { spans: sender, one_in, requests: AtomicU64::new(0) };
        with_default(tracing_subscriber::registry().with(layer), work);
        std::iter::from_fn(|| spans.try_recv().ok()).collect()
    }

    #[test]
    fn a_request_and_its_units_of_work_are_one_trace() {
        let spans = traced(1, 16, || {
            let request = info_span!("request", plane = "client", operation = Empty, status = Empty, failed = Empty);
            request.in_scope(|| debug_span!("store.read").in_scope(|| ()));
            request.record("operation", "SyncUpdates");
            request.record("status", 500_u16);
            request.record("failed", true);
            // of no request and of no job
            debug_span!("store.read").in_scope(|| ());
        });
        let [unit, request] = spans.as_slice() else { panic!("{spans:?}") };
        assert_eq!((unit.name, request.name), ("store.read", "request"));
        assert_eq!((unit.trace, unit.parent, request.parent), (request.trace, Some(request.id), None));
        assert_ne!(unit.id, request.id);
        assert!(request.serves && request.failed && !unit.serves && !unit.failed);
        assert!(request.ended >= request.began);
        assert_eq!(
            request.attributes,
            vec![
                ("plane", Value::Text("client".to_owned())),
                ("operation", Value::Text("SyncUpdates".to_owned())),
                ("status", Value::Number(500)),
            ]
        );
    }

    #[test]
    fn one_request_in_so_many_is_traced_and_every_job() {
        let spans = traced(10, 1_024, || {
            for _ in 0..95 {
                info_span!("request").in_scope(|| debug_span!("store.write").in_scope(|| ()));
            }
            for _ in 0..3 {
                debug_span!("job", task = "retention").in_scope(|| ());
            }
        });
        let count = |name: &str| spans.iter().filter(|span| span.name == name).count();
        assert_eq!((count("request"), count("store.write"), count("job")), (10, 10, 3));
        let traces: std::collections::BTreeSet<_> = spans.iter().map(|span| span.trace).collect();
        assert_eq!(traces.len(), 13);
    }

    #[test]
    fn what_finds_the_queue_full_is_dropped_and_waits_for_nobody() {
        let spans = traced(1, 2, || {
            for _ in 0..10 {
                info_span!("request").in_scope(|| ());
            }
        });
        assert_eq!(spans.len(), 2);
    }

    #[test]
    fn long_values_are_cut_and_ids_are_ids() {
        let spans = traced(1, 2, || drop(info_span!("request", peer = "x".repeat(10_000))));
        assert!(matches!(&spans[0].attributes[0].1, Value::Text(text) if text.len() == LONGEST));
        assert!((0..100).all(|_| span_id() != [0; 8]));
    }
}
