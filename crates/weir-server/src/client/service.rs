//! The client plane as a service for listeners.

use std::{convert::Infallible, panic::AssertUnwindSafe, pin::Pin, sync::Arc, time::Instant};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use uuid::Uuid;
use weir_model::{admission::Class, ids::ContentDigest};
use weir_wire::{
    soap::{ErrorCode, Fault, Hints},
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
    admission::Busy,
    content,
    state::{AppState, Connection},
    telemetry::{CONTENT, ROLL_UP, Reason, SELF_UPDATE, UNREAD, meters, note, refused},
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
            Target::SelfUpdate(path) => {
                let answer = self_update::answer(&self.state, path, &parts.method, &parts.headers);
                self.file(&parts, connection, measured(SELF_UPDATE, answer)).await
            }
            Target::Nothing | Target::Server(_) => nothing(),
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
            Target::Nothing | Target::SelfUpdate(_) | Target::Soap(_) => nothing(),
        }
    }

    async fn content(&self, digest: ContentDigest, parts: &Parts, connection: Connection) -> Response<Body> {
        // what it takes to read from an object store would be a part of every request
        let answer = Box::pin(content::answer(&self.state, digest, &parts.method, &parts.headers, connection));
        self.file(parts, connection, measured(CONTENT, answer)).await
    }

    /// Answers with a file, which takes its place until it is sent.
    async fn file(
        &self,
        parts: &Parts,
        connection: Connection,
        answer: impl Future<Output = Response<Body>> + Send,
    ) -> Response<Body> {
        if let Some(refused) = self.refuse_file(parts, connection) {
            return refused;
        }
        match self.state.admission.turn(Class::Content, connection).place().await {
            Ok(place) => answer.await.map(|body| body.keep(place)),
            Err(busy) => busy.mark(transport::status(StatusCode::SERVICE_UNAVAILABLE)),
        }
    }

    /// Files are for GET and HEAD, and limited by address like every call without a cookie, eight times as generously
    /// since a download consists of many.
    fn refuse_file(&self, parts: &Parts, connection: Connection) -> Option<Response<Body>> {
        if parts.method != Method::GET && parts.method != Method::HEAD {
            refused(Reason::Method);
            return Some(with_header(StatusCode::METHOD_NOT_ALLOWED, header::ALLOW, "GET, HEAD"));
        }
        let burst = self.state.configuration.load().settings.anonymous_burst.saturating_mul(8);
        let granted = self.state.files.take(connection.limit_key(), burst, Instant::now());
        (!granted).then(|| {
            refused(Reason::Files);
            with_header(StatusCode::TOO_MANY_REQUESTS, header::RETRY_AFTER, "1")
        })
    }

    async fn soap<B>(&self, service: Service, parts: Parts, mut body: B, connection: Connection) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Unpin,
    {
        if parts.method != Method::POST {
            refused(Reason::Method);
            return with_header(StatusCode::METHOD_NOT_ALLOWED, header::ALLOW, "POST");
        }
        let plain = !connection.tls && self.state.configuration.load().settings.https_required;
        if plain && !(service == Service::Reporting && self.state.upstream.is_on()) {
            return plain_refused(service);
        }
        let limit = match service {
            // reports of computers are short; whose a longer one is has to be looked up
            Service::Reporting if self.state.upstream.is_on() && !is_short(&parts.headers) => {
                upstream::report_limit(&self.state, connection).await
            }
            _ => call::BODY_LIMIT,
        };
        // of a request that was not read
        let fault = |code: ErrorCode, message: String| {
            let hints = hints(&parts.headers);
            let method = hints.soap_action.unwrap_or_default().chars().take(200).collect();
            let fault = Fault { code, message, method, id: Uuid::new_v4() };
            transport::fault(&fault, service, hints.version(), &url(&parts, connection), &parts.headers)
        };
        let refuse = |busy: Busy| busy.mark(fault(ErrorCode::ServerBusy, String::new()));
        let turn = self.state.admission.turn(class(service, &parts.headers), connection);
        let _room = match turn.body(transport::size(&parts.headers, limit)).await {
            Ok(room) => room,
            Err(busy) => {
                transport::forget(&mut body, &parts.headers, limit).await;
                return refuse(busy);
            }
        };
        let body = match transport::read_body(body, &parts.headers, limit).await {
            Ok(body) => body,
            Err(status @ StatusCode::PAYLOAD_TOO_LARGE) => {
                let message = format!("the request has more than {limit} bytes");
                let mut response = fault(ErrorCode::InvalidParameters, message);
                *response.status_mut() = status;
                return response;
            }
            Err(status) => return transport::status(status),
        };
        let _place = match turn.place().await {
            Ok(place) => place,
            Err(busy) => return refuse(busy),
        };
        // a roll-up of a server is none of a computer, and no computer's call can be read as one
        if plain && call::is_of_computer(service, hints(&parts.headers), &body) {
            return plain_refused(service);
        }
        let started = Instant::now();
        let answer = AssertUnwindSafe(self.call(service, &parts, &body, connection)).catch_unwind().await;
        let response = answer.map_or_else(
            |_| {
                tracing::error!(peer = %connection.peer, ?service, "answering a client failed unexpectedly");
                fault(ErrorCode::InternalServerError, String::new())
            },
            |(response, operation)| {
                meters().client_calls.of(operation).record(started.elapsed().as_secs_f64());
                response
            },
        );
        turn.hold(response).await.unwrap_or_else(refuse)
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
                    return (upstream::report(&self.state, parts, body, connection).await, ROLL_UP);
                }
                (failed.version, failed.fault, UNREAD)
            }
        };
        (transport::fault(&failed, service, version, &url(parts, connection), headers), operation)
    }
}

/// What is said where nothing is.
fn nothing() -> Response<Body> {
    refused(Reason::NotFound);
    transport::status(StatusCode::NOT_FOUND)
}

/// Answers a request for a file, and counts it among the calls.
async fn measured(operation: &'static str, answered: impl Future<Output = Response<Body>>) -> Response<Body> {
    note(|seen| seen.call(operation));
    let started = Instant::now();
    let response = answered.await;
    meters().client_calls.of(operation).record(started.elapsed().as_secs_f64());
    response
}

/// What a computer is told that comes without TLS where it is required: the status that IIS answers with in that case (403.4),
/// which the agent shows as 0x80244018.
fn plain_refused(service: Service) -> Response<Body> {
    refused(Reason::Plain);
    let word = match service {
        Service::Client => "Client",
        Service::Reporting => "Reporting",
        Service::SimpleAuth => "SimpleAuth",
    };
    meters().plain_refused.of(word).increment(1);
    let text = "This update server answers computers over HTTPS only. In the policy \"Specify intranet Microsoft update service \
                location\" use its https address.\n";
    let mut response = Response::new(Body::from(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = StatusCode::FORBIDDEN;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(text.len()));
    response
}

/// What kind of work a call is.
fn class(service: Service, headers: &HeaderMap) -> Class {
    let hints = hints(headers);
    // of SOAP 1.2 it is a parameter of the content type (RFC 3902)
    let parameter = || hints.content_type?.split(';').find_map(|part| part.trim().strip_prefix("action="));
    let action = hints.soap_action.or_else(parameter);
    match service {
        Service::Client => Class::of_client(action),
        Service::Reporting => Class::of_reporting(action),
        Service::SimpleAuth => Class::Cheap,
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
