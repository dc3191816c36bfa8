//! The client plane as a service for listeners.

use std::{convert::Infallible, panic::AssertUnwindSafe, pin::Pin, sync::Arc, time::Instant};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use uuid::Uuid;
use weir_model::ids::ContentDigest;
use weir_wire::{
    soap::{ErrorCode, Fault, Hints, SoapVersion},
    wsss,
    wusp::Service,
};

use super::{
    Body, call,
    coding::Coding,
    path::{Target, target},
    self_update, transport,
};
use crate::{
    content,
    state::{AppState, Connection},
    upstream,
};

/// Answers requests of the client plane. A listener makes one, and for each connection [`ClientService::on`].
#[derive(Clone)]
pub struct ClientService {
    state: Arc<AppState>,
}

impl ClientService {
    /// A service over this state.
    pub fn new(state: Arc<AppState>) -> Self {
        Self { state }
    }

    /// The service of one connection.
    pub fn on(&self, connection: Connection) -> ConnectionService {
        ConnectionService { service: self.clone(), connection }
    }

    /// Answers one request. Never fails: what goes wrong is an answer too.
    pub async fn handle<B>(&self, request: Request<B>, connection: Connection) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Unpin,
    {
        let (parts, body) = request.into_parts();
        match target(parts.uri.path()) {
            Target::Soap(service) => self.soap(service, parts, body, connection).await,
            Target::Server(service) if self.state.upstream.is_on() => {
                upstream::respond(&self.state, service, &parts, body, connection).await
            }
            Target::Content(digest) => self.content(digest, &parts, connection).await,
            Target::SelfUpdate(path) => match self.refuse_file(&parts, connection) {
                Some(refused) => refused,
                None => self_update::answer(&self.state, path, &parts.method, &parts.headers).await,
            },
            Target::Nothing | Target::Server(_) => transport::status(StatusCode::NOT_FOUND),
        }
    }

    /// Answers one request on a listener of the server plane: that plane, on or not, and Content.
    pub(crate) async fn handle_server<B>(&self, request: Request<B>, connection: Connection) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Unpin,
    {
        let (parts, body) = request.into_parts();
        match target(parts.uri.path()) {
            Target::Server(service) => upstream::respond(&self.state, service, &parts, body, connection).await,
            Target::Soap(Service::Reporting) => {
                upstream::respond(&self.state, wsss::Service::Reporting, &parts, body, connection).await
            }
            Target::Content(digest) => self.content(digest, &parts, connection).await,
            Target::Nothing | Target::SelfUpdate(_) | Target::Soap(_) => transport::status(StatusCode::NOT_FOUND),
        }
    }

    async fn content(&self, digest: ContentDigest, parts: &Parts, connection: Connection) -> Response<Body> {
        match self.refuse_file(parts, connection) {
            Some(refused) => refused,
            None => content::answer(&self.state, digest, &parts.method, &parts.headers).await,
        }
    }

    /// Files are for GET and HEAD, and limited by address like every call without a cookie, eight times as generously
    /// since a download consists of many.
    fn refuse_file(&self, parts: &Parts, connection: Connection) -> Option<Response<Body>> {
        if parts.method != Method::GET && parts.method != Method::HEAD {
            return Some(with_header(StatusCode::METHOD_NOT_ALLOWED, header::ALLOW, "GET, HEAD"));
        }
        let burst = self.state.configuration.load().settings.anonymous_burst.saturating_mul(8);
        let granted = self.state.files.take(connection.limit_key(), burst, Instant::now());
        (!granted).then(|| with_header(StatusCode::TOO_MANY_REQUESTS, header::RETRY_AFTER, "1"))
    }

    async fn soap<B>(&self, service: Service, parts: Parts, body: B, connection: Connection) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Unpin,
    {
        if parts.method != Method::POST {
            return with_header(StatusCode::METHOD_NOT_ALLOWED, header::ALLOW, "POST");
        }
        let limit = match service {
            // reports of computers are short; whose a longer one is has to be looked up
            Service::Reporting if self.state.upstream.is_on() && !is_short(&parts.headers) => {
                upstream::report_limit(&self.state, connection).await
            }
            _ => call::BODY_LIMIT,
        };
        let _room = match transport::room(&self.state.bodies, &parts.headers, limit).await {
            Ok(room) => room,
            Err(status) => return transport::status(status),
        };
        let body = match transport::read_body(body, &parts.headers, limit).await {
            Ok(body) => body,
            Err(status) => return transport::status(status),
        };
        let started = Instant::now();
        let answer = AssertUnwindSafe(self.call(service, &parts, &body, connection)).catch_unwind().await;
        answer.map_or_else(
            |_| {
                tracing::error!(peer = %connection.peer, ?service, "answering a client failed unexpectedly");
                let hints = hints(&parts.headers);
                let method = hints.soap_action.unwrap_or_default().chars().take(200).collect();
                let fault =
                    Fault { code: ErrorCode::InternalServerError, message: String::new(), method, id: Uuid::new_v4() };
                let url = url(&parts, connection);
                transport::fault(&fault, service, SoapVersion::V11, &url, &parts.headers)
            },
            |(response, operation)| {
                metrics::histogram!("weir_client_call_seconds", "operation" => operation)
                    .record(started.elapsed().as_secs_f64());
                response
            },
        )
    }

    async fn call(
        &self,
        service: Service,
        parts: &Parts,
        body: &Bytes,
        connection: Connection,
    ) -> (Response<Body>, &'static str) {
        let headers = &parts.headers;
        let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
        let answer = call::answer(&self.state, connection, service, hints(headers), host, body).await;
        let (version, failed, operation) = match answer {
            Ok((version, operation, reply)) => match transport::encode(&self.state, reply, Coding::of(headers)).await {
                Ok((coding, body)) => {
                    let response = transport::soap(StatusCode::OK, service, version, headers, coding, body);
                    return (response, operation.name());
                }
                Err(refusal) => {
                    let method = operation.quoted_action();
                    let fault = Fault { code: refusal.code, message: refusal.message, method, id: Uuid::new_v4() };
                    (version, fault, operation.name())
                }
            },
            Err(failed) => {
                if failed.foreign && service == Service::Reporting && self.state.upstream.is_on() {
                    return (upstream::report(&self.state, parts, body, connection).await, "roll-up");
                }
                (failed.version, failed.fault, "fault")
            }
        };
        (transport::fault(&failed, service, version, &url(parts, connection), headers), operation)
    }
}

/// Whether a body is announced that any computer may send.
fn is_short(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    !headers.contains_key(header::CONTENT_ENCODING) && length.is_some_and(|length| length <= call::BODY_LIMIT)
}

pub(crate) fn hints(headers: &HeaderMap) -> Hints<'_> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    Hints { content_type: text("content-type"), soap_action: text("soapaction") }
}

/// The address of the request as the client gave it.
pub(crate) fn url(parts: &Parts, connection: Connection) -> String {
    let scheme = if connection.tls { "https" } else { "http" };
    let host = parts.headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    format!("{scheme}://{host}{}", parts.uri.path())
}

pub(crate) fn with_header(status: StatusCode, name: header::HeaderName, value: &'static str) -> Response<Body> {
    let mut response = transport::status(status);
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}

/// [`ClientService`] on one connection.
#[derive(Clone)]
pub struct ConnectionService {
    service: ClientService,
    connection: Connection,
}

impl<B> hyper::service::Service<Request<B>> for ConnectionService
where
    B: http_body::Body<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        let Self { service, connection } = self.clone();
        Box::pin(async move { Ok(service.handle(request, connection).await) })
    }
}
