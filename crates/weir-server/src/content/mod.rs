//! Answers GET and HEAD for content files (MS-WUSP 2.2.2.5; RFC 9110 sections 13 and 14).
//!
//! *Invariant:* a file is sent only if the database says that its digest was verified. Never compressed.

mod file;
pub(crate) mod objects;
mod policy;
pub mod range;
mod space;
pub(crate) mod upstream;

use std::{fs::File, sync::Arc};

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use jiff::Timestamp;
use weir_model::ids::ContentDigest;
use weir_store::content_file::ContentState;

pub(crate) use self::{
    file::read_at,
    objects::Signed,
    policy::{policy, settings_changed, wanted},
    space::{Lack, Space},
};
use crate::{
    client::Body,
    content::{
        file::{Part, Ranges},
        range::{Answer, Selection},
    },
    ingest::Chain,
    state::{AppState, Connection, blocking},
};

const KIND: &str = "application/octet-stream";

/// What HTTP says of a file.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Strong entity tag with its quotes.
    pub tag: String,
    /// Last-Modified.
    pub modified: Timestamp,
    /// Length in bytes.
    pub size: u64,
}

/// Answers a request for the content file of that digest: 404 unless it is here and verified.
pub async fn answer(
    state: &Arc<AppState>,
    digest: ContentDigest,
    method: &Method,
    headers: &HeaderMap,
    connection: Connection,
) -> Response<Body> {
    if let Some(objects) = state.content.objects() {
        // a site below trusts the certificate of this server and no other
        let redirect = objects.redirect().filter(|_| connection.certificate.is_none());
        return objects::answer(state, objects, digest, method, headers, redirect).await;
    }
    let (store, content) = (state.store.clone(), state.content.clone());
    let opened = blocking(move || {
        let row = store.read(|tx| tx.content_file_show(digest))?;
        let Some(row) = row.filter(|row| row.state == ContentState::Verified) else { return Ok(None) };
        let opened = content.open_file(digest, &row.extension)?;
        Ok(opened.filter(|(_, size)| *size == row.size).map(|(file, size)| (file, size, row.verified_at)))
    });
    match opened.await {
        Ok(Some((file, size, modified))) => {
            let facts = Facts { tag: format!("\"{digest}\""), modified, size };
            respond(method, headers, file, &facts)
        }
        Ok(None) => empty(StatusCode::NOT_FOUND),
        Err(error) => {
            tracing::error!(%digest, error = %Chain(&error), "a content file cannot be read");
            empty(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

/// Answers a request for an open file.
pub fn respond(method: &Method, headers: &HeaderMap, file: File, facts: &Facts) -> Response<Body> {
    let Plan { mut response, length, parts } = planned(method, headers, facts);
    if !parts.is_empty() {
        *response.body_mut() = Body::streamed(length, Box::new(Ranges::new(file, parts)));
    }
    response
}

/// An answer without its bytes, and what those are.
struct Plan {
    response: Response<Body>,
    /// Bytes of the body.
    length: u64,
    /// The body; empty if there is none.
    parts: Vec<Part>,
}

/// How to answer a request for a file.
fn planned(method: &Method, headers: &HeaderMap, facts: &Facts) -> Plan {
    let mut plan = match range::answer(method, headers, &facts.tag, facts.modified, facts.size) {
        Answer::Condition(status) => without(empty(status)),
        Answer::Send(Selection::Unsatisfiable) => {
            let mut response = empty(StatusCode::RANGE_NOT_SATISFIABLE);
            set(&mut response, header::CONTENT_RANGE, format!("bytes */{}", facts.size));
            without(response)
        }
        Answer::Send(Selection::Whole) => sent(method, StatusCode::OK, KIND, vec![Part::File(0..facts.size)]),
        Answer::Send(Selection::One(range)) => {
            let shown = content_range(&range, facts.size);
            let mut plan = sent(method, StatusCode::PARTIAL_CONTENT, KIND, vec![Part::File(range)]);
            set(&mut plan.response, header::CONTENT_RANGE, shown);
            plan
        }
        Answer::Send(Selection::Many(ranges)) => {
            let boundary = boundary(facts);
            let mut parts = Vec::with_capacity(ranges.len() * 2 + 1);
            for range in ranges {
                let shown = content_range(&range, facts.size);
                let before = if parts.is_empty() { "" } else { "\r\n" };
                let head = format!("{before}--{boundary}\r\nContent-Type: {KIND}\r\nContent-Range: {shown}\r\n\r\n");
                parts.extend([Part::Bytes(head.into()), Part::File(range)]);
            }
            parts.push(Part::Bytes(format!("\r\n--{boundary}--\r\n").into()));
            let kind = format!("multipart/byteranges; boundary={boundary}");
            sent(method, StatusCode::PARTIAL_CONTENT, &kind, parts)
        }
    };
    set(&mut plan.response, header::ACCEPT_RANGES, "bytes".to_owned());
    set(&mut plan.response, header::ETAG, facts.tag.clone());
    set(&mut plan.response, header::LAST_MODIFIED, range::format_date(facts.modified));
    plan
}

fn without(response: Response<Body>) -> Plan {
    Plan { response, length: 0, parts: Vec::new() }
}

fn sent(method: &Method, status: StatusCode, kind: &str, parts: Vec<Part>) -> Plan {
    let length: u64 = parts.iter().map(Part::len).sum();
    let parts = if method == Method::HEAD { Vec::new() } else { parts };
    let mut response = Response::new(Body::default());
    *response.status_mut() = status;
    set(&mut response, header::CONTENT_LENGTH, length.to_string());
    set(&mut response, header::CONTENT_TYPE, kind.to_owned());
    Plan { response, length, parts }
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = status;
    if status != StatusCode::NOT_MODIFIED {
        set(&mut response, header::CONTENT_LENGTH, "0".to_owned());
    }
    response
}

fn content_range(range: &std::ops::Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1))
}

/// Stable for a file; long enough that no content holds it by chance.
fn boundary(facts: &Facts) -> String {
    let tag = facts.tag.chars().filter(char::is_ascii_alphanumeric).take(40);
    format!("weir-part-{}-{}", tag.collect::<String>(), facts.modified.as_nanosecond())
}

fn set(response: &mut Response<Body>, name: header::HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(name, value);
    }
}
