//! HTTP around the calls of downstream servers, and the server plane as a service for a listener of its own.

use std::{convert::Infallible, future::Future, panic::AssertUnwindSafe, pin::Pin, sync::Arc, time::Instant};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, Method, Request, Response, StatusCode, header, request::Parts};
use jiff::Timestamp;
use uuid::Uuid;
use weir_model::admission::Class;
use weir_wire::{
    soap::{ErrorCode, Fault, SoapVersion},
    wsss::{self, Service},
    xpress,
};

use super::{Call, Refusal, Reply, admission};
use crate::{
    admission::Busy,
    client::{self, Body, ClientService, coding::Coding},
    state::{AppState, Connection},
    telemetry::{Reason, meters, note, refused},
};

/// Bytes of a roll-up of a server that is known: status of hundreds of computers with thousands of updates each.
const REPORT_LIMIT: usize = 64 << 20;

/// Answers requests of the server plane and for Content, and nothing else. A listener makes one, and for each connection
/// [`UpstreamService::on`].
#[derive(Clone)]
pub struct UpstreamService(ClientService);

impl UpstreamService {
    /// A service over this state.
    pub fn new(state: Arc<AppState>) -> Self {
        Self(ClientService::new(state))
    }

    /// The service of one connection.
    pub fn on(&self, connection: Connection) -> UpstreamConnection {
        UpstreamConnection { service: self.0.clone(), connection }
    }
}

/// [`UpstreamService`] on one connection.
#[derive(Clone)]
pub struct UpstreamConnection {
    service: ClientService,
    connection: Connection,
}

impl<B> hyper::service::Service<Request<B>> for UpstreamConnection
where
    B: http_body::Body<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        let Self { service, connection } = self.clone();
        Box::pin(async move { Ok(service.handle_server(request, connection).await) })
    }
}

/// Answers a request of the server plane.
pub(crate) async fn respond<B>(
    state: &Arc<AppState>,
    service: Service,
    parts: &Parts,
    mut body: B,
    connection: Connection,
) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    if parts.method != Method::POST {
        refused(Reason::Method);
        return client::with_header(StatusCode::METHOD_NOT_ALLOWED, header::ALLOW, "POST");
    }
    let limit = match service {
        Service::Reporting => report_limit(state, connection).await,
        Service::DssAuth | Service::ServerSync => client::BODY_LIMIT,
    };
    let refuse = |busy: Busy| busy.mark(busy_fault(service, parts, connection));
    let turn = state.admission.turn(Class::Servers, connection);
    let _room = match turn.body(client::size(&parts.headers, limit)).await {
        Ok(room) => room,
        Err(busy) => {
            client::forget(&mut body, &parts.headers, limit).await;
            return refuse(busy);
        }
    };
    let body = match client::read_body(body, &parts.headers, limit).await {
        Ok(body) => body,
        Err(status) => return client::status(status),
    };
    let _place = match turn.place().await {
        Ok(place) => place,
        Err(busy) => return refuse(busy),
    };
    let response = answer(state, service, parts, &body, connection).await;
    turn.hold(response).await.unwrap_or_else(refuse)
}

/// What a server is told while there is too much to do: it may come again (MS-WSUSSS 2.2.2.1).
fn busy_fault(service: Service, parts: &Parts, connection: Connection) -> Response<Body> {
    let hints = client::hints(&parts.headers);
    let method = hints.soap_action.unwrap_or_default().chars().take(200).collect();
    let busy = Fault { code: ErrorCode::ServerBusy, message: String::new(), method, id: Uuid::new_v4() };
    fault(&busy, service, hints.version(), &client::url(parts, connection), &parts.headers)
}

/// Answers a request at the path of reports that is none of a computer.
pub(crate) async fn report(
    state: &Arc<AppState>,
    parts: &Parts,
    body: &Bytes,
    connection: Connection,
) -> Response<Body> {
    answer(state, Service::Reporting, parts, body, connection).await
}

/// Bytes of a request at the path of reports: more for servers that are known.
pub(crate) async fn report_limit(state: &Arc<AppState>, connection: Connection) -> usize {
    match admission::reporter(state, connection, Timestamp::now()).await {
        Ok(Some(_)) => REPORT_LIMIT,
        _ => client::BODY_LIMIT,
    }
}

async fn answer(
    state: &Arc<AppState>,
    service: Service,
    parts: &Parts,
    body: &Bytes,
    connection: Connection,
) -> Response<Body> {
    let started = Instant::now();
    let headers = &parts.headers;
    let hints = client::hints(headers);
    let url = client::url(parts, connection);
    let parsed = wsss::parse(service, hints, body, &wsss::request_limits(body.len().max(client::BODY_LIMIT)));
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(rejection) => {
            tracing::debug!(peer = %connection.peer, reason = %rejection.reason, "a server's request was refused");
            let version = rejection.version;
            return fault(&rejection.into_fault(Uuid::new_v4()), service, version, &url, headers);
        }
    };
    let (version, operation) = (parsed.version, parsed.request.operation());
    note(|seen| seen.server_call(operation.name()));
    let coding = Coding::of(headers);
    let call = Call {
        state,
        connection,
        now: Timestamp::now(),
        version,
        service,
        agent: headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()),
        xpress: coding == Coding::Xpress,
    };
    let ran = AssertUnwindSafe(call.run(parsed.request)).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(peer = %connection.peer, %operation, "answering a server failed unexpectedly");
        Err(Refusal::new(ErrorCode::InternalServerError))
    });
    meters().server_calls.of(operation.name()).record(started.elapsed().as_secs_f64());
    match ran {
        Ok(reply) => {
            let body = match reply {
                Reply::Text(text) if coding == Coding::Xpress => Body::from(xpress::compress_greedy(text.as_bytes())),
                Reply::Text(text) => Body::from(text.into_bytes()),
                Reply::Stream(source) => Body::unmeasured(source),
            };
            soap(StatusCode::OK, version, coding, headers, body)
        }
        Err(Refusal { code, message }) => {
            let id = Uuid::new_v4();
            tracing::debug!(peer = %connection.peer, %operation, %code, message, %id, "a server was answered with a fault");
            meters().server_faults.of(code.name()).increment(1);
            fault(&wsss::fault(operation, code, message, id), service, version, &url, headers)
        }
    }
}

fn soap(status: StatusCode, version: SoapVersion, coding: Coding, request: &HeaderMap, body: Body) -> Response<Body> {
    // as recorded
    let cache = if status == StatusCode::OK { "private, max-age=0" } else { "private" };
    client::envelope(status, cache, version, request, coding, body)
}

/// A fault, which is never compressed.
fn fault(fault: &Fault, service: Service, version: SoapVersion, url: &str, request: &HeaderMap) -> Response<Body> {
    let mut text = String::with_capacity(1_024);
    fault.write(&mut text, service, version, url);
    soap(StatusCode::INTERNAL_SERVER_ERROR, version, Coding::Identity, request, Body::from(text.into_bytes()))
}
