//! HTTP around the calls: reading bodies, and the headers of answers as recorded.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout_at};
use weir_model::admission;
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
use crate::{
    state::AppState,
    telemetry::{Reason, note, refused},
};

/// A request body must arrive within this time.
const BODY_TIME: Duration = Duration::from_mins(1);

/// So much of a body that is too large is read all the same, in units of the limit, and for so long: whoever still sends while
/// the connection is closed mostly sees a reset in place of the answer.
const DRAINED: usize = 4;
const DRAIN_TIME: Duration = Duration::from_secs(20);

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

/// Bytes of memory that a request may take: what is announced, and if nothing is, as much as it may have. Nothing for what is
/// too large, since that is refused without being kept.
pub(crate) fn size(headers: &HeaderMap, limit: usize) -> usize {
    let unknown = if headers.contains_key(header::TRANSFER_ENCODING) { limit } else { 0 };
    let size = announced(headers).unwrap_or(unknown);
    if size > limit { 0 } else { size }
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok())
}

/// Reads a whole body of at most `limit` bytes; the error is the status to answer. Of what is too large, some more is read and
/// thrown away, so that its sender comes to read the answer.
pub(crate) async fn read_body<B>(body: B, headers: &HeaderMap, limit: usize) -> Result<Bytes, StatusCode>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let read = whole_body(body, headers, limit).await;
    note(|seen| seen.arrived());
    if let Err(status) = &read {
        refused(match *status {
            StatusCode::PAYLOAD_TOO_LARGE => Reason::BodyLarge,
            StatusCode::REQUEST_TIMEOUT => Reason::BodySlow,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Reason::BodyCoding,
            _ => Reason::BodyBroken,
        });
    }
    read
}

async fn whole_body<B>(mut body: B, headers: &HeaderMap, limit: usize) -> Result<Bytes, StatusCode>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let announced = announced(headers);
    if announced.is_some_and(|length| length > limit) {
        return too_large(&mut body, headers, limit).await;
    }
    if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        // requests are never compressed (MS-WUSP 2.1.1)
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    match collect(&mut body, announced, limit).await {
        Err(StatusCode::PAYLOAD_TOO_LARGE) => too_large(&mut body, headers, limit).await,
        read => read,
    }
}

/// What is said of a body that is too large, once some more of it was read.
async fn too_large<B>(body: &mut B, headers: &HeaderMap, limit: usize) -> Result<Bytes, StatusCode>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    forget(body, headers, limit).await;
    Err(StatusCode::PAYLOAD_TOO_LARGE)
}

/// Lets the sender of a request that is refused unread come to read the answer: most of it has arrived, or soon will.
pub(crate) async fn forget<B>(body: &mut B, headers: &HeaderMap, limit: usize)
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let most = limit.saturating_mul(DRAINED);
    // who asks before it sends (RFC 9110 10.1.1) reads the answer first; what is far too large is not waited for
    if !headers.contains_key(header::EXPECT) && announced(headers).is_none_or(|length| length <= most) {
        // it is refused in any case
        let _ = tokio::time::timeout(DRAIN_TIME, drain(body, most)).await;
    }
}

/// Reads on, at most so many bytes, and forgets them.
async fn drain<B>(body: &mut B, most: usize)
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let mut read = 0_usize;
    while let Some(Ok(frame)) = body.frame().await {
        read = read.saturating_add(frame.data_ref().map_or(0, Bytes::len));
        if read > most {
            return;
        }
    }
}

async fn collect<B>(body: &mut B, announced: Option<usize>, limit: usize) -> Result<Bytes, StatusCode>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let begun = Instant::now();
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    loop {
        // a body that trickles holds room that others wait for
        let by = begun + admission::due(first.len() + rest.len(), announced, BODY_TIME);
        let frame = timeout_at(by, body.frame()).await.map_err(|_| StatusCode::REQUEST_TIMEOUT)?;
        let Some(frame) = frame else { break };
        let Ok(data) = frame.map_err(|_| StatusCode::BAD_REQUEST)?.into_data() else { continue };
        if first.len() + rest.len() + data.len() > limit {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.reserve(announced.unwrap_or(0).max(first.len() + data.len()));
                rest.extend_from_slice(&std::mem::take(&mut first));
            }
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 8 << 20;

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn a_request_is_as_large_as_it_may_be() {
        let announced = |value| size(&headers(header::CONTENT_LENGTH, value), LIMIT);
        assert_eq!(announced("131072"), 131_072);
        assert_eq!(announced("8388608"), LIMIT);
        assert_eq!(announced("8388609"), 0, "it is not kept");
        assert_eq!(announced("many"), 0);
        assert_eq!(size(&HeaderMap::new(), LIMIT), 0, "it has no body");
        assert_eq!(size(&headers(header::TRANSFER_ENCODING, "chunked"), LIMIT), LIMIT, "nobody knows");
    }
}
