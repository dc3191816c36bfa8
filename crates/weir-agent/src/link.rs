//! Calls over HTTP: the thin part between the machines of [`crate::scan`] and [`crate::session`] and a server.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::Full;
use weir_wire::{
    soap::Limits,
    wusp::{Operation, Service},
    xpress,
};

use crate::{
    address::Address,
    exchange::{Answer, Request},
    failure::Failure,
    http::{Connection, HttpSettings, read_body},
    session::PROTOCOL,
};

/// What was sent and received for one operation.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Traffic {
    /// Calls, failed ones included.
    pub calls: u64,
    /// Bytes of request bodies.
    pub sent: u64,
    /// Bytes of answers as they came over the network, without heads.
    pub received: u64,
    /// Bytes of answers, decoded.
    pub decoded: u64,
    /// Time from sending to the end of the answer, over all calls.
    pub time: Duration,
}

impl std::ops::AddAssign for Traffic {
    fn add_assign(&mut self, more: Self) {
        self.calls += more.calls;
        self.sent += more.sent;
        self.received += more.received;
        self.decoded += more.decoded;
        self.time += more.time;
    }
}

/// A conversation partner: one server.
#[derive(Debug)]
pub struct Link {
    connection: Connection,
    /// Paths are below this one, which has no slash at its end.
    base: String,
    service_url: String,
    limits: Arc<Limits>,
    traffic: BTreeMap<Operation, Traffic>,
    buffer: String,
    tap: Option<Tap>,
    observer: Option<Observer>,
}

/// A call that came to its end.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// What was called.
    pub operation: Operation,
    /// What was sent and received.
    pub traffic: Traffic,
    /// Why there is no answer; none if there is one.
    pub failure: Option<&'a Failure>,
}

/// Hears of every call: for figures.
struct Observer(Box<dyn FnMut(&Seen<'_>) + Send>);

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observer")
    }
}

type See = dyn FnMut(Operation, &str, &[u8]) + Send;

/// Sees every request and answer, decoded: for tests and diagnosis.
pub struct Tap(Box<See>);

impl Tap {
    /// Calls `see` with the operation, the request and the decoded answer.
    pub fn new(see: impl FnMut(Operation, &str, &[u8]) + Send + 'static) -> Self {
        Self(Box::new(see))
    }
}

impl std::fmt::Debug for Tap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tap")
    }
}

impl Link {
    /// To the server at an address. No connection is made yet.
    pub fn new(address: Address, settings: Arc<HttpSettings>) -> Self {
        let base = address.path.trim_end_matches('/').to_owned();
        let decoded = settings.decoded;
        let limits = Limits {
            body: decoded,
            depth: 64,
            elements: 50_000_000,
            text: decoded,
            ids: Limits::IDS,
            list: 1_000_000,
            ..Limits::default()
        };
        Self {
            connection: Connection::new(address, settings),
            base,
            service_url: String::new(),
            limits: Arc::new(limits),
            traffic: BTreeMap::new(),
            buffer: String::new(),
            tap: None,
            observer: None,
        }
    }

    /// The server: what RevisionIDs and cookies belong to.
    pub fn server(&self) -> String {
        format!("{}{}", self.connection.address().server(), self.base)
    }

    /// Its address.
    pub fn address(&self) -> &Address {
        self.connection.address()
    }

    /// How connections are made.
    pub fn settings(&self) -> &Arc<HttpSettings> {
        self.connection.settings()
    }

    /// Lets `tap` see what goes by.
    pub fn set_tap(&mut self, tap: Option<Tap>) {
        self.tap = tap;
    }

    /// Lets `hear` hear of every call that comes to its end, failed ones too.
    pub fn set_observer(&mut self, hear: impl FnMut(&Seen<'_>) + Send + 'static) {
        self.observer = Some(Observer(Box::new(hear)));
    }

    /// Where GetAuthorizationCookie goes, as GetConfig said: relative to the server.
    pub fn set_service_url(&mut self, url: &str) {
        if self.service_url != url {
            url.clone_into(&mut self.service_url);
        }
    }

    /// What went over it so far, by operation.
    pub fn traffic(&self) -> &BTreeMap<Operation, Traffic> {
        &self.traffic
    }

    /// What went over it since the last time.
    pub fn take_traffic(&mut self) -> BTreeMap<Operation, Traffic> {
        std::mem::take(&mut self.traffic)
    }

    /// Closes the connection; the next call opens another.
    pub fn close(&mut self) {
        self.connection.close();
        self.buffer = String::new();
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    ///
    /// [`Failure`] says what came instead of an answer.
    pub async fn call(&mut self, request: &Request) -> Result<Answer, Failure> {
        let operation = request.operation();
        let mut traffic = Traffic { calls: 1, ..Traffic::default() };
        let begun = Instant::now();
        let result = self.exchange(request, &mut traffic).await;
        traffic.time = begun.elapsed();
        *self.traffic.entry(operation).or_default() += traffic;
        if let Some(observer) = &mut self.observer {
            (observer.0)(&Seen { operation, traffic, failure: result.as_ref().err() });
        }
        if matches!(result, Err(Failure::Cut(_) | Failure::Timeout(_) | Failure::Malformed { .. })) {
            // whatever else comes over that connection is not to be trusted
            self.connection.close();
        }
        result
    }

    async fn exchange(&mut self, request: &Request, traffic: &mut Traffic) -> Result<Answer, Failure> {
        let operation = request.operation();
        self.buffer.clear();
        request.encode(&mut self.buffer);
        traffic.sent = self.buffer.len() as u64;
        let body = Bytes::copy_from_slice(self.buffer.as_bytes());
        let http = hyper::Request::post(self.path(operation.service()))
            .header("Cache-Control", "no-cache")
            .header("Connection", "Keep-Alive")
            .header("Pragma", "no-cache")
            .header("Content-Type", "text/xml; charset=utf-8")
            .header("Accept-Encoding", "xpress")
            .header("User-Agent", user_agent())
            .header("SOAPAction", operation.quoted_action())
            .header("Host", self.connection.address().authority())
            .body(Full::new(body))
            .map_err(|error| Failure::malformed(operation, error))?;
        let response = self.connection.send(http).await?;
        let status = response.status().as_u16();
        let encoded = match response.headers().get("content-encoding").map(|value| value.as_bytes()) {
            None | Some(b"" | b"identity") => false,
            Some(name) if name.eq_ignore_ascii_case(b"xpress") => true,
            Some(_) => return Err(Failure::malformed(operation, "it has a Content-Encoding that was not asked for")),
        };
        if status != 200 && status != 500 {
            return Err(Failure::Status { operation, status });
        }
        let body = read_body(response.into_body(), self.connection.settings()).await?;
        traffic.received = body.len() as u64;
        let body = if encoded {
            let limit = self.connection.settings().decoded;
            xpress::decompress(&body, limit).map_err(|error| Failure::malformed(operation, error))?
        } else {
            body
        };
        traffic.decoded = body.len() as u64;
        if let Some(tap) = &mut self.tap {
            (tap.0)(operation, &self.buffer, &body);
        }
        match (request.decode(&body, &self.limits), status) {
            // a page of a web server or a proxy, not of the service
            (Err(Failure::Malformed { .. }) | Ok(_), 500) => Err(Failure::Status { operation, status }),
            (result, _) => result,
        }
    }

    fn path(&self, service: Service) -> String {
        let base = &self.base;
        match service {
            Service::Client => format!("{base}/ClientWebService/client.asmx"),
            Service::Reporting => format!("{base}/ReportingWebService/ReportingWebService.asmx"),
            Service::SimpleAuth => {
                let plain = |byte: u8| byte.is_ascii_graphic();
                let told = self.service_url.trim_start_matches('/');
                if told.is_empty() || told.contains("://") || !told.bytes().all(plain) {
                    format!("{base}/SimpleAuthWebService/SimpleAuth.asmx")
                } else {
                    format!("{base}/{told}")
                }
            }
        }
    }
}

/// What the agent calls itself: servers log it, none needs it.
fn user_agent() -> String {
    format!("Weir-Agent/{} Client-Protocol/{PROTOCOL}", env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests;
