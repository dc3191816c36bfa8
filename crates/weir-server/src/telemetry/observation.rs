//! What is noted of a request while it is answered, for metrics, the log and traces.
//!
//! A listener begins an [`Observation`] with the head of a request and lets everything that answers it run within
//! [`Observation::around`]; whoever learns something of the request says so with [`note`], without being handed anything. It is
//! counted when the last byte of the answer was taken, or the other side left.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::extract::MatchedPath;
use http::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use tracing::{Instrument as _, Span, field::Empty};
use weir_model::ids::ComputerId;

use super::{PlaneName, Reason, correlation::Correlation, meters::meters, slow, words::class};

/// The operation of a request that came to none.
const UNNAMED: &str = "-";

tokio::task_local! {
    static CURRENT: Arc<Observation>;
}

/// Notes something of the request that is answered here; nothing outside of one.
pub(crate) fn note(each: impl FnOnce(&Observation)) {
    // what runs beside a request has none
    let _ = CURRENT.try_with(|seen| each(seen));
}

/// Counts that the request is refused.
pub(crate) fn refused(reason: Reason) {
    let plane = CURRENT.try_with(|seen| seen.noted.lock().plane).unwrap_or(PlaneName::Client);
    meters().refused.of((plane.word(), reason.word())).increment(1);
}

/// A request that is answered.
#[derive(Debug)]
pub(crate) struct Observation {
    /// Of the connection.
    plane: PlaneName,
    peer: SocketAddr,
    began: Instant,
    correlation: Option<Correlation>,
    span: Span,
    received: AtomicU64,
    sent: AtomicU64,
    noted: Mutex<Noted>,
}

#[derive(Debug)]
struct Noted {
    /// Of the operation: servers may come where computers do.
    plane: PlaneName,
    operation: Option<Operation>,
    computer: Option<ComputerId>,
    /// Time in queues.
    waited: Duration,
    /// When the body was here.
    arrived: Option<Duration>,
    answered: Option<(Duration, StatusCode)>,
    /// It waits for news on purpose.
    lasting: bool,
}

#[derive(Debug)]
enum Operation {
    Call(&'static str),
    Route(MatchedPath),
}

impl Operation {
    fn as_str(&self) -> &str {
        match self {
            Self::Call(name) => name,
            Self::Route(path) => path.as_str(),
        }
    }
}

impl Observation {
    /// Begins with the head of a request.
    pub(crate) fn begin(plane: PlaneName, peer: SocketAddr, headers: &HeaderMap) -> Arc<Self> {
        meters().requests_in_flight.of(plane.word()).increment(1.0);
        let correlation = Correlation::of(headers);
        let span = tracing::info_span!(
            "request",
            plane = plane.word(),
            %peer,
            cv = correlation.as_ref().map(Correlation::as_str),
            operation = Empty,
            computer = Empty,
            status = Empty,
            failed = Empty,
        );
        let noted = Noted {
            plane,
            operation: None,
            computer: None,
            waited: Duration::ZERO,
            arrived: None,
            answered: None,
            lasting: false,
        };
        let (received, sent) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self {
            plane,
            peer,
            began: Instant::now(),
            correlation,
            span,
            received,
            sent,
            noted: Mutex::new(noted),
        })
    }

    /// Lets what answers the request run, so that it can note things.
    pub(crate) async fn around<T>(self: &Arc<Self>, answered: impl Future<Output = T>) -> T {
        CURRENT.scope(Arc::clone(self), answered).instrument(self.span.clone()).await
    }

    /// Bytes of the body came in.
    pub(crate) fn received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes of the answer's body were handed to the connection.
    pub(crate) fn sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// It is a call of this operation.
    pub(crate) fn call(&self, name: &'static str) {
        self.span.record("operation", name);
        self.noted.lock().operation = Some(Operation::Call(name));
    }

    /// It is a call of this operation between servers.
    pub(crate) fn server_call(&self, name: &'static str) {
        self.call(name);
        self.noted.lock().plane = PlaneName::Server;
    }

    /// It is for this route.
    pub(crate) fn route(&self, route: MatchedPath) {
        self.span.record("operation", route.as_str());
        self.noted.lock().operation = Some(Operation::Route(route));
    }

    /// It is from this computer.
    pub(crate) fn computer(&self, computer: &ComputerId) {
        self.span.record("computer", computer.as_str());
        self.noted.lock().computer = Some(computer.clone());
    }

    /// It waited so long for its turn.
    pub(crate) fn waited(&self, time: Duration) {
        self.noted.lock().waited += time;
    }

    /// Its body is here as a whole.
    pub(crate) fn arrived(&self) {
        self.noted.lock().arrived = Some(self.began.elapsed());
    }

    /// It waits for news on purpose: how long it takes says nothing.
    pub(crate) fn lasts(&self) {
        self.noted.lock().lasting = true;
    }

    /// The head of its answer is ready.
    pub(crate) fn answered(&self, status: StatusCode) {
        self.span.record("status", status.as_u16());
        if status.is_server_error() {
            self.span.record("failed", true);
        }
        self.noted.lock().answered = Some((self.began.elapsed(), status));
    }

    fn end(&self) {
        let (meters, took) = (meters(), self.began.elapsed());
        let noted = self.noted.lock();
        let plane = noted.plane.word();
        let status = noted.answered.map(|(_, status)| status);
        let head = noted.answered.map_or(took, |(at, _)| at);
        meters.requests_in_flight.of(self.plane.word()).decrement(1.0);
        meters.requests.of((plane, class(status))).increment(1);
        let (received, sent) = (self.received.load(Ordering::Relaxed), self.sent.load(Ordering::Relaxed));
        meters.request_bytes.of(plane).increment(received);
        meters.response_bytes.of(plane).increment(sent);
        if noted.lasting {
            return;
        }
        meters.request_seconds.of(plane).record(head.as_secs_f64());
        let times = Times::of(head, noted.arrived, noted.waited);
        tracing::debug!(
            plane,
            operation = noted.operation.as_ref().map_or(UNNAMED, Operation::as_str),
            computer = noted.computer.as_ref().map(ComputerId::as_str),
            cv = self.correlation.as_ref().map(Correlation::as_str),
            peer = %self.peer,
            status = status.map(|status| status.as_u16()),
            handler_us = times.handler.as_micros() as u64,
            "answered"
        );
        if !slow::is_slow(times.own()) {
            return;
        }
        meters.slow.of(plane).increment(1);
        let Some(left_out) = slow::line(Instant::now()) else {
            return meters.slow_unlogged.increment(1);
        };
        tracing::warn!(
            plane,
            operation = noted.operation.as_ref().map_or(UNNAMED, Operation::as_str),
            computer = noted.computer.as_ref().map(ComputerId::as_str),
            cv = self.correlation.as_ref().map(Correlation::as_str),
            peer = %self.peer,
            status = status.map(|status| status.as_u16()),
            queue_ms = times.queue.as_millis() as u64,
            handler_ms = times.handler.as_millis() as u64,
            receive_ms = times.receive.as_millis() as u64,
            send_ms = took.saturating_sub(head).as_millis() as u64,
            bytes_in = received,
            bytes_out = sent,
            left_out,
            "a slow request"
        );
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        self.end();
    }
}

/// Where the time to the head of an answer went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Times {
    /// Until the body was here, without queues.
    receive: Duration,
    /// In queues.
    queue: Duration,
    /// The rest.
    handler: Duration,
}

impl Times {
    /// `arrived` and `waited` as noted, of `head` in all. Whether a wait was before the arrival or behind it is not known: it is
    /// taken from the handler first.
    fn of(head: Duration, arrived: Option<Duration>, waited: Duration) -> Self {
        let receive = arrived.unwrap_or_default().min(head);
        let behind = head.saturating_sub(receive);
        let queue = waited.min(head);
        let handler = behind.saturating_sub(queue);
        Self { receive: receive.saturating_sub(queue.saturating_sub(behind)), queue, handler }
    }

    /// What this server took: without the time in which the other side sends.
    fn own(&self) -> Duration {
        self.queue + self.handler
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(receive: u64, queue: u64, handler: u64) -> Times {
        let seconds = Duration::from_secs;
        Times { receive: seconds(receive), queue: seconds(queue), handler: seconds(handler) }
    }

    #[test]
    fn time_is_the_others_or_ours_and_never_counted_twice() {
        let s = Duration::from_secs;
        assert_eq!(Times::of(s(10), None, s(0)), seconds(0, 0, 10));
        assert_eq!(Times::of(s(10), Some(s(9)), s(0)), seconds(9, 0, 1), "a sender that is slow");
        assert_eq!(Times::of(s(10), Some(s(2)), s(7)), seconds(2, 7, 1), "a queue behind the body");
        assert_eq!(Times::of(s(10), Some(s(9)), s(8)), seconds(2, 8, 0), "a queue before the body");
        assert_eq!(Times::of(s(1), Some(s(5)), s(5)), seconds(0, 1, 0), "never more than there was");
        for times in [Times::of(s(10), Some(s(9)), s(8)), Times::of(s(10), Some(s(2)), s(7))] {
            assert_eq!(times.receive + times.queue + times.handler, s(10));
        }
    }

    #[tokio::test]
    async fn notes_reach_the_request_and_nothing_outside_of_one() {
        note(|_| unreachable!("there is no request here"));
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        let seen = Observation::begin(PlaneName::Client, peer, &HeaderMap::new());
        seen.around(async {
            note(|seen| seen.server_call("Ping"));
            note(|seen| seen.waited(Duration::from_secs(1)));
            let inside = tokio::spawn(async { CURRENT.try_with(|_| ()).is_ok() });
            assert!(!inside.await.expect("no panic"), "other tasks are not of the request");
        })
        .await;
        let noted = seen.noted.lock();
        assert_eq!((noted.plane, noted.waited), (PlaneName::Server, Duration::from_secs(1)));
        assert_eq!(noted.operation.as_ref().map(Operation::as_str), Some("Ping"));
    }
}
