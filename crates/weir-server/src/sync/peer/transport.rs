//! One exchange over HTTP: bounded in size and time, tried again where that is safe.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use http::{HeaderValue, StatusCode, header};
use reqwest::{Client, Response, Url};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time,
};
use weir_wire::{
    soap::{ErrorCode, SoapVersion},
    wsss::{
        Operation,
        client::{self, Call, CallError},
    },
    xpress,
};

use super::{
    Peer, PeerError,
    bounds::{Bounds, Extent},
};
use crate::{
    admin::AdminError,
    sync::{outbound::untrusted, progress::Cancelled},
};

/// Waits after a broken connection: the first, and how much longer each is than the one before.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGER: u32 = 4;
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Times that a busy server is asked again, and the first wait; each is twice the one before.
const BUSY_TIMES: u32 = 5;
const BUSY_WAIT: Duration = Duration::from_secs(1);
/// Answers from this size on are parsed on a thread of their own.
const LARGE: usize = 64 << 10;

/// The content coding of answers that this server understands beside none (dossier, section 1).
const XPRESS: &str = "xpress";

/// When a call may be sent again after the connection broke.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Repeat {
    /// Whenever: it changes nothing on the other side.
    Any,
    /// Only if no connection came about.
    Unsent,
}

/// Memory for answers under way: each call has a share, and one at a time may take more.
#[derive(Clone, Debug)]
pub struct Rooms {
    share: usize,
    large: Arc<Semaphore>,
}

impl Rooms {
    /// `memory` bytes for `calls` at once.
    pub fn new(memory: usize, calls: usize) -> Self {
        Self { share: memory / calls.max(1), large: Arc::new(Semaphore::new(1)) }
    }

    /// Memory for one call and what is made of its answer; given back when it is dropped.
    pub fn room(&self) -> Room {
        Room { share: self.share, large: Some(Arc::clone(&self.large)), permit: None }
    }
}

/// Memory of one call.
#[derive(Debug)]
pub struct Room {
    share: usize,
    large: Option<Arc<Semaphore>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// For answers that are known to be small, or come one at a time.
    pub fn free() -> Self {
        Self { share: usize::MAX, large: None, permit: None }
    }

    /// Waits until `bytes` fit. Who has more than a share waits for nobody, so this ends.
    async fn grow(&mut self, bytes: usize) {
        if bytes <= self.share || self.permit.is_some() {
            return;
        }
        if let Some(large) = &self.large {
            // closing never happens; without the permit the answer is merely not counted
            self.permit = Arc::clone(large).acquire_owned().await.ok();
        }
    }
}

/// Sends envelopes.
pub(super) struct Transport {
    client: Client,
    bounds: Bounds,
    /// The proxy that calls go through, if they do.
    proxy: Option<String>,
}

impl Transport {
    pub(super) fn new(client: Client, bounds: Bounds, proxy: Option<String>) -> Self {
        Self { client, bounds, proxy }
    }
}

impl Peer {
    /// Calls an operation at an address. A busy server and a broken connection are tried again.
    pub(super) async fn exchange<C: Call>(
        &self,
        url: &Url,
        request: &C,
        repeat: Repeat,
        room: &mut Room,
    ) -> Result<C::Answer, PeerError>
    where
        C::Answer: Send + 'static,
    {
        let progress = &self.inner.progress;
        let body = bytes::Bytes::from(client::write(request, SoapVersion::V11));
        let (mut broken, mut busy) = (0, 0);
        loop {
            progress.check()?;
            let once = self.once::<C>(url, body.clone(), room);
            let outcome = tokio::select! {
                outcome = once => outcome,
                () = progress.cancelled() => return Err(Cancelled.into()),
            };
            let error = match outcome {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let wait = if error.fault_code() == Some(ErrorCode::ServerBusy) && busy < BUSY_TIMES {
                busy += 1;
                BUSY_WAIT * 2_u32.pow(busy - 1)
            } else if broken < self.inner.transport.bounds.retries && may_repeat(&error, repeat) {
                broken += 1;
                (FIRST_WAIT * LONGER.saturating_pow(broken - 1)).min(LONGEST_WAIT)
            } else {
                return Err(error);
            };
            tracing::info!(
                operation = %C::OPERATION,
                error = crate::admin::chain(&error),
                wait_ms = wait.as_millis() as u64,
                "a call to the upstream server is tried again"
            );
            tokio::select! {
                () = time::sleep(wait) => {}
                () = progress.cancelled() => return Err(Cancelled.into()),
            }
        }
    }

    async fn once<C: Call>(&self, url: &Url, body: bytes::Bytes, room: &mut Room) -> Result<C::Answer, PeerError>
    where
        C::Answer: Send + 'static,
    {
        let operation = C::OPERATION;
        let (status, answer) = self.transfer(operation, url, body, room).await?;
        let limits = client::answer_limits(self.inner.transport.bounds.bytes(Extent::of(operation)));
        let large = answer.len() >= LARGE;
        let parse = move || client::read::<C>(&answer, &limits);
        let parsed = if large {
            let parsed = tokio::task::spawn_blocking(parse).await;
            parsed.map_err(|error| AdminError::Internal(format!("reading an answer ended: {error}")))?
        } else {
            parse()
        };
        match parsed {
            Ok(answer) => {
                self.inner.calls.fetch_add(1, Ordering::Relaxed);
                Ok(answer)
            }
            Err(CallError::Fault { operation, fault }) => {
                self.inner.calls.fetch_add(1, Ordering::Relaxed);
                Err(PeerError::Fault { operation, fault })
            }
            // something else answered: a proxy's page, another program
            Err(CallError::Malformed { .. }) if status != StatusCode::OK => {
                Err(PeerError::Status { operation, url: url.to_string(), status })
            }
            Err(reason @ CallError::Malformed { .. }) => Err(PeerError::Malformed { operation, reason }),
        }
    }
}

impl Peer {
    /// Sends a request and takes the whole answer, decoded.
    async fn transfer(
        &self,
        operation: Operation,
        url: &Url,
        body: bytes::Bytes,
        room: &mut Room,
    ) -> Result<(StatusCode, Vec<u8>), PeerError> {
        let begun = Instant::now();
        let failed = |source: reqwest::Error| {
            if let Some(chain) = untrusted(&source) {
                return PeerError::Untrusted(chain);
            }
            match &self.inner.transport.proxy {
                Some(proxy) if source.is_connect() => PeerError::Proxy {
                    operation,
                    url: url.to_string(),
                    proxy: proxy.clone(),
                    source: source.without_url(),
                },
                _ => PeerError::Network { operation, url: url.to_string(), source: source.without_url() },
            }
        };
        let request = self.inner.transport.client.post(url.clone()).body(body);
        let request = request
            .header(header::CONTENT_TYPE, "text/xml; charset=utf-8")
            .header(header::ACCEPT_ENCODING, XPRESS)
            .header("SOAPAction", operation.quoted_action());
        let first = self.inner.transport.bounds.time(Extent::of(operation), 0);
        let response = time::timeout(first, request.send()).await;
        let response = response.map_err(|_| PeerError::TooLong { operation, seconds: first.as_secs() })?;
        let response = response.map_err(failed)?;
        let status = response.status();
        // faults come as 500; anything else is no answer of this protocol
        if status != StatusCode::OK && status != StatusCode::INTERNAL_SERVER_ERROR {
            return Err(PeerError::Status { operation, url: url.to_string(), status });
        }
        let coding = response.headers().get(header::CONTENT_ENCODING).cloned();
        let received = self.body(operation, begun, response, room).await?.map_err(failed)?;
        let decoded = self.decode(operation, coding.as_ref(), received, room).await?;
        Ok((status, decoded))
    }

    async fn body(
        &self,
        operation: Operation,
        begun: Instant,
        mut response: Response,
        room: &mut Room,
    ) -> Result<Result<Vec<u8>, reqwest::Error>, PeerError> {
        let (extent, bounds) = (Extent::of(operation), self.inner.transport.bounds);
        let limit = bounds.bytes(extent);
        let too_large = || PeerError::TooLarge { operation, limit };
        let announced = response.content_length().unwrap_or_default();
        if announced > limit as u64 {
            return Err(too_large());
        }
        let mut body = Vec::new();
        // waiting for memory is our doing
        let mut waited = Duration::ZERO;
        loop {
            let allowed = bounds.time(extent, body.len());
            let left = (allowed + waited).saturating_sub(begun.elapsed());
            let chunk = match time::timeout(left, response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => return Ok(Ok(body)),
                Ok(Err(error)) => return Ok(Err(error)),
                Err(_) => return Err(PeerError::TooLong { operation, seconds: allowed.as_secs() }),
            };
            if body.len() + chunk.len() > limit {
                return Err(too_large());
            }
            self.inner.progress.received(chunk.len() as u64);
            let waiting = Instant::now();
            room.grow(body.len() + chunk.len()).await;
            waited += waiting.elapsed();
            body.extend_from_slice(&chunk);
        }
    }

    async fn decode(
        &self,
        operation: Operation,
        coding: Option<&HeaderValue>,
        body: Vec<u8>,
        room: &mut Room,
    ) -> Result<Vec<u8>, PeerError> {
        let limit = self.inner.transport.bounds.bytes(Extent::of(operation));
        let coding = coding.map_or("", |coding| coding.to_str().unwrap_or("?")).trim().to_ascii_lowercase();
        match coding.as_str() {
            "" | "identity" => Ok(body),
            XPRESS => {
                let damaged = |error: xpress::XpressError| match error {
                    xpress::XpressError::Limit { .. } => PeerError::TooLarge { operation, limit },
                    error => PeerError::Coding { operation, why: error.to_string() },
                };
                let blocks = xpress::Blocks::from_bytes(body).map_err(damaged)?;
                room.grow(blocks.plain_len()).await;
                let decode = move || xpress::decompress(blocks.as_bytes(), limit);
                let decoded = tokio::task::spawn_blocking(decode).await;
                let decoded = decoded.map_err(|error| AdminError::Internal(format!("decoding ended: {error}")))?;
                decoded.map_err(damaged)
            }
            other => {
                let why = format!("it has the content coding {:?}", other.chars().take(40).collect::<String>());
                Err(PeerError::Coding { operation, why })
            }
        }
    }
}

/// Whether a call that failed so may be sent again.
fn may_repeat(error: &PeerError, repeat: Repeat) -> bool {
    match (error, repeat) {
        (PeerError::Network { source, .. }, Repeat::Unsent) => source.is_connect(),
        (PeerError::Proxy { .. }, _) => true,
        (PeerError::Network { .. } | PeerError::Coding { .. }, Repeat::Any) => true,
        (PeerError::Status { status, .. }, Repeat::Any) => matches!(
            *status,
            StatusCode::BAD_GATEWAY
                | StatusCode::GATEWAY_TIMEOUT
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::TOO_MANY_REQUESTS
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_call_at_a_time_takes_more_than_its_share() {
        let rooms = Rooms::new(100, 4);
        let (mut one, mut two, mut small) = (rooms.room(), rooms.room(), rooms.room());
        one.grow(1_000).await;
        small.grow(25).await;
        let waits = tokio::spawn(async move {
            two.grow(26).await;
            two
        });
        tokio::task::yield_now().await;
        assert!(!waits.is_finished());
        one.grow(10_000).await;
        drop(one);
        assert!(waits.await.expect("gets the place").permit.is_some());
        Room::free().grow(usize::MAX).await;
    }
}
