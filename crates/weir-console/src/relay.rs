//! Files on their way between the browser and REST: down as REST gives them, up as the browser sends them. None is held in memory.

use std::io;

use axum::{body::Body, extract::multipart::Field, response::Response};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Method, Request, header};
use http_body_util::{BodyExt as _, Limited};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use weir_api::{PREFIX, Problem};

use crate::{address::Address, cx::Cx, failure::Failure};

/// Answers to an upload are read up to this many bytes.
const LONGEST_ANSWER: usize = 8 << 20;
/// Pieces of an upload that wait for REST.
const PIECES: usize = 4;

/// A file that REST has at this address. With a name it is kept under that, without one the browser shows it.
pub(crate) async fn down(
    cx: &Cx,
    address: &Address,
    name: Option<&str>,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let mut builder = Request::get(format!("{PREFIX}{address}"));
    for wanted in [header::RANGE, header::IF_RANGE] {
        if let Some(value) = headers.get(&wanted) {
            builder = builder.header(wanted, value);
        }
    }
    let subject = address.to_string();
    let request = builder.body(Body::empty()).map_err(|error| Failure::internal(&subject, &error))?;
    let mut response = cx.api.send(request).await;
    if !response.status().is_success() {
        return Err(refusal(&subject, response).await);
    }
    let plain = |name: &str| name.chars().map(|c| if safe(c) { c } else { '-' }).collect::<String>();
    let kept = name.map(|name| format!("attachment; filename=\"{}\"", plain(name)));
    if let Some(kept) = kept.and_then(|kept| HeaderValue::from_str(&kept).ok()) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, kept);
    }
    Ok(response)
}

/// What a file may be called everywhere.
fn safe(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-".contains(c)
}

/// Sends a body to REST while it comes.
pub(crate) async fn up<T: DeserializeOwned>(
    cx: &Cx,
    method: Method,
    address: &Address,
    media: &HeaderValue,
    body: Body,
) -> Result<T, Failure> {
    let subject = address.to_string();
    let builder = Request::builder().method(method).uri(format!("{PREFIX}{address}"));
    let request = builder.header(header::CONTENT_TYPE, media).body(body);
    let request = request.map_err(|error| Failure::internal(&subject, &error))?;
    let response = cx.api.send(request).await;
    if !response.status().is_success() {
        return Err(refusal(&subject, response).await);
    }
    let bytes = read(&subject, response).await?;
    let text: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
    serde_json::from_slice(text).map_err(|error| Failure::internal(&subject, &error))
}

/// Sends a file of a form to REST while it comes; `first` is what was read of it.
pub(crate) async fn pipe<T: DeserializeOwned>(
    cx: &Cx,
    method: Method,
    address: &Address,
    first: Bytes,
    field: &mut Field<'_>,
) -> Result<T, Failure> {
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(PIECES);
    let pieces = stream::unfold(receiver, |mut receiver| async move {
        let piece = receiver.recv().await?;
        Some((piece, receiver))
    });
    let filling = async move {
        if !first.is_empty() && sender.send(Ok(first)).await.is_err() {
            return;
        }
        loop {
            let piece = match field.chunk().await {
                Ok(Some(bytes)) => Ok(bytes),
                Ok(None) => return,
                Err(error) => Err(io::Error::other(error.body_text())),
            };
            let ended = piece.is_err();
            // REST may have refused it meanwhile
            if sender.send(piece).await.is_err() || ended {
                return;
            }
        }
    };
    let media = HeaderValue::from_static("application/octet-stream");
    let (answer, ()) = tokio::join!(up(cx, method, address, &media, Body::from_stream(pieces)), filling);
    answer
}

async fn read(subject: &str, response: Response) -> Result<Vec<u8>, Failure> {
    let collected = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await;
    Ok(collected.map_err(|error| Failure::internal(subject, &*error))?.to_bytes().to_vec())
}

async fn refusal(subject: &str, response: Response) -> Failure {
    let status = response.status();
    let bytes = match read(subject, response).await {
        Ok(bytes) => bytes,
        Err(failure) => return failure,
    };
    let problem = serde_json::from_slice(&bytes).unwrap_or_else(|_| Problem {
        status: status.as_u16(),
        code: "answer".to_owned(),
        title: status.canonical_reason().unwrap_or_default().to_owned(),
        detail: format!("{subject}: {status}"),
        next_step: None,
    });
    Failure::refused(problem)
}
