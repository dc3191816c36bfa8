//! Extractors whose refusals are problems, too.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path as AxumPath, Request, rejection::PathRejection},
};
use http::{StatusCode, header, request::Parts};
use serde::de::DeserializeOwned;

use super::AdminError;

/// Bytes of a JSON body: the largest names 10,000 computers.
pub(crate) const JSON_BYTES: usize = 4 << 20;

/// The query of a request, checked.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AdminError> {
        axum::extract::Query::<T>::from_request_parts(parts, state)
            .await
            .map(|query| Self(query.0))
            .map_err(|rejection| AdminError::invalid("query", rejection.body_text()))
    }
}

/// A part of the path, checked.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AdminError> {
        AxumPath::<T>::from_request_parts(parts, state)
            .await
            .map(|path| Self(path.0))
            .map_err(|rejection: PathRejection| AdminError::invalid("path", rejection.body_text()))
    }
}

/// A JSON body, bounded and checked. A request of another media type is refused, so that a form of a foreign page
/// cannot reach an operation.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = AdminError;

    async fn from_request(request: Request, state: &S) -> Result<Self, AdminError> {
        let media =
            request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !media.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
            return Err(AdminError::invalid("media_type", "the body must be application/json"));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                AdminError::TooLarge(format!("the body exceeds {JSON_BYTES} bytes"))
            } else {
                AdminError::invalid("body", rejection.body_text())
            }
        })?;
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| AdminError::invalid("body", format!("the body does not fit: {error}")))
    }
}
