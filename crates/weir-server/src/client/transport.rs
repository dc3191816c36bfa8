//! HTTP around the calls: reading bodies, and the headers of answers as recorded.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use weir_wire::{
    soap::{Fault, SoapVersion},
    wusp::Service,
    xpress,
};

use super::{
    body::Body,
    call::{Refusal, Reply},
    coding::Coding,
};
use crate::state::AppState;

/// A request body must arrive within this time.
const BODY_TIME: Duration = Duration::from_mins(1);

/// An answer without a body.
pub(super) fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    response
}

/// The answer of a service.
pub(super) fn soap(
    status: StatusCode,
    service: Service,
    version: SoapVersion,
    request: &HeaderMap,
    coding: Coding,
    body: Body,
) -> Response<Body> {
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let cache = match service {
        Service::Client => "private",
        Service::Reporting | Service::SimpleAuth => "private, max-age=0",
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(version.content_type()));
    if coding == Coding::Xpress {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("xpress"));
    }
    if request.contains_key(header::ACCEPT_ENCODING) {
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    headers.insert(header::CONTENT_LENGTH, length);
    response
}

/// A fault, which is never compressed.
pub(super) fn fault(
    fault: &Fault,
    service: Service,
    version: SoapVersion,
    url: &str,
    request: &HeaderMap,
) -> Response<Body> {
    let mut text = String::with_capacity(1_024);
    fault.write(&mut text, service, version, url);
    let body = Body::from(text.into_bytes());
    soap(StatusCode::INTERNAL_SERVER_ERROR, service, version, request, Coding::Identity, body)
}

/// Codes a reply.
pub(super) async fn encode(state: &Arc<AppState>, reply: Reply, coding: Coding) -> Result<(Coding, Body), Refusal> {
    match reply {
        Reply::Page(page) => page.body(state, coding).await,
        Reply::Text(text) => Ok(match coding {
            Coding::Identity => (coding, Body::from(text.into_bytes())),
            Coding::Xpress => (coding, Body::from(xpress::compress_greedy(text.as_bytes()))),
        }),
    }
}

/// Reads a whole body of at most `limit` bytes; the error is the status to answer.
pub(super) async fn read_body<B>(body: B, headers: &HeaderMap, limit: usize) -> Result<Bytes, StatusCode>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        // requests are never compressed (MS-WUSP 2.1.1)
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let whole = collect(body, announced.unwrap_or(0), limit);
    tokio::time::timeout(BODY_TIME, whole).await.unwrap_or(Err(StatusCode::REQUEST_TIMEOUT))
}

async fn collect<B>(mut body: B, announced: usize, limit: usize) -> Result<Bytes, StatusCode>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| StatusCode::BAD_REQUEST)?.into_data() else { continue };
        if first.len() + rest.len() + data.len() > limit {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.reserve(announced.max(first.len() + data.len()));
                rest.extend_from_slice(&std::mem::take(&mut first));
            }
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}
