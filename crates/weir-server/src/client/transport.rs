//! HTTP around the calls: reading bodies, and the headers of answers as recorded.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
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

/// Requests up to this size need no room: scans of real agents have some 50 kB.
const USUAL: usize = 128 << 10;

/// An answer without a body.
pub(crate) fn status(status: StatusCode) -> Response<Body> {
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
    let cache = match service {
        Service::Client => "private",
        Service::Reporting | Service::SimpleAuth => "private, max-age=0",
    };
    envelope(status, cache, version, request, coding, body)
}

/// An answer in SOAP with its headers; `cache` is that of the recorded server.
pub(crate) fn envelope(
    status: StatusCode,
    cache: &'static str,
    version: SoapVersion,
    request: &HeaderMap,
    coding: Coding,
    body: Body,
) -> Response<Body> {
    let length = body.len().map(HeaderValue::from);
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(version.content_type()));
    if coding == Coding::Xpress {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("xpress"));
    }
    if request.contains_key(header::ACCEPT_ENCODING) {
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    if let Some(length) = length {
        headers.insert(header::CONTENT_LENGTH, length);
    }
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

/// Waits for room for a request that is larger than real ones are: what comes in without a cookie must not fill the
/// memory. The room is free again when the permit is dropped; the error is the status to answer.
pub(crate) async fn room(
    bodies: &Arc<Semaphore>,
    headers: &HeaderMap,
    limit: usize,
) -> Result<Option<OwnedSemaphorePermit>, StatusCode> {
    let unknown = if headers.contains_key(header::TRANSFER_ENCODING) { limit } else { 0 };
    let size = announced(headers).unwrap_or(unknown);
    if size <= USUAL || size > limit {
        // what is too large is refused without being read
        return Ok(None);
    }
    let room = Arc::clone(bodies).acquire_many_owned(u32::try_from(size >> 10).unwrap_or(u32::MAX));
    let room = tokio::time::timeout(BODY_TIME, room).await;
    room.ok().and_then(Result::ok).map(Some).ok_or(StatusCode::SERVICE_UNAVAILABLE)
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok())
}

/// Reads a whole body of at most `limit` bytes; the error is the status to answer.
pub(crate) async fn read_body<B>(body: B, headers: &HeaderMap, limit: usize) -> Result<Bytes, StatusCode>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let announced = announced(headers);
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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const LIMIT: usize = 8 << 20;

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[tokio::test]
    async fn only_large_requests_wait_for_room() {
        let bodies = Arc::new(Semaphore::new(1_024));
        let usual = room(&bodies, &headers(header::CONTENT_LENGTH, "131072"), LIMIT).await;
        assert!(matches!(usual, Ok(None)));
        assert!(matches!(room(&bodies, &HeaderMap::new(), LIMIT).await, Ok(None)));
        let large = headers(header::CONTENT_LENGTH, "1048576");
        let first = room(&bodies, &large, LIMIT).await.expect("there is room").expect("it is taken");
        assert_eq!(bodies.available_permits(), 0);
        assert!(room(&bodies, &large, LIMIT).now_or_never().is_none(), "it waits");
        drop(first);
        assert!(room(&bodies, &large, LIMIT).await.expect("there is room").is_some());
        let of_unknown_length = headers(header::TRANSFER_ENCODING, "chunked");
        assert!(room(&bodies, &of_unknown_length, LIMIT).now_or_never().is_none(), "it counts as the largest");
    }
}
