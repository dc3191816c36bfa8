//! Extractors whose refusals are problems, too.

use axum::{
    body::Bytes,
    extract::{
        FromRequest, FromRequestParts, Path as AxumPath, RawPathParams, Request, path::ErrorKind,
        rejection::PathRejection,
    },
};
use http::{StatusCode, header, request::Parts};
use serde::de::DeserializeOwned;

use super::{AdminError, json};

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
        match AxumPath::<T>::from_request_parts(parts, state).await {
            Ok(path) => Ok(Self(path.0)),
            Err(rejection) => {
                let raw = RawPathParams::from_request_parts(parts, state).await.ok();
                let named = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
                let known: Vec<(String, String)> = raw.iter().flatten().map(named).collect();
                Err(AdminError::invalid("path", wrong_part(rejection, &known)))
            }
        }
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
        json::read(&bytes).map(Self).map_err(|wrong| AdminError::invalid("body", wrong))
    }
}

/// What is wrong with the path. `parts` are its parts with their names.
fn wrong_part(rejection: PathRejection, parts: &[(String, String)]) -> String {
    let PathRejection::FailedToDeserializePathParams(failed) = rejection else {
        return "the address lacks a part".to_owned();
    };
    let name = |at: usize| parts.get(at).map_or("a part", |(name, _)| name.as_str());
    let wrong = |name: &str, value: &str, rule: &str| format!("{name} in the address is {value:?}: {rule}");
    match failed.into_kind() {
        ErrorKind::ParseErrorAtKey { key, value, expected_type } => wrong(&key, &value, kind_of(expected_type)),
        ErrorKind::ParseErrorAtIndex { index, value, expected_type } => {
            wrong(name(index), &value, kind_of(expected_type))
        }
        ErrorKind::ParseError { value, expected_type } => wrong(name(0), &value, kind_of(expected_type)),
        ErrorKind::InvalidUtf8InPathParam { key } => format!("{key} in the address is not UTF-8"),
        ErrorKind::DeserializeError { key, value, message } => wrong(&key, &value, rule_of(&message)),
        other => {
            let message = other.to_string();
            match parts {
                [(name, value)] => wrong(name, value, rule_of(&message)),
                _ => format!("the address does not fit: {}", rule_of(&message)),
            }
        }
    }
}

fn kind_of(expected: &str) -> &'static str {
    match expected {
        "i8" | "i16" | "i32" | "i64" => "it must be a whole number",
        "u8" | "u16" | "u32" | "u64" => "it must be a whole number of 0 or more",
        _ => "it does not fit",
    }
}

fn rule_of(message: &str) -> &str {
    if message.starts_with("UUID parsing failed") { "it must be a GUID" } else { message }
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body as Content, routing::get};
    use tower::ServiceExt as _;
    use uuid::Uuid;

    use super::*;

    async fn ask(path: &str) -> String {
        let one = |Path(id): Path<i64>| async move { id.to_string() };
        let guid = |Path(id): Path<Uuid>| async move { id.to_string() };
        let two = |Path((id, no)): Path<(Uuid, u32)>| async move { format!("{id} {no}") };
        let router: Router =
            Router::new().route("/one/{id}", get(one)).route("/guid/{id}", get(guid)).route("/two/{id}/{no}", get(two));
        let request = http::Request::get(path).body(Content::empty()).expect("a request");
        let answer = router.oneshot(request).await.expect("an answer");
        let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
        String::from_utf8(bytes.to_vec()).expect("text")
    }

    #[tokio::test]
    async fn a_wrong_part_of_the_path_is_named() {
        let id = "00000000-0000-0000-0000-000000000001";
        assert_eq!(ask("/one/7").await, "7");
        assert_eq!(ask(&format!("/two/{id}/7")).await, format!("{id} 7"));
        for (path, detail) in [
            ("/one/abc".to_owned(), r#"id in the address is \"abc\": it must be a whole number"#),
            ("/guid/abc".to_owned(), r#"id in the address is \"abc\": it must be a GUID"#),
            (format!("/two/{id}/x"), r#"no in the address is \"x\": it must be a whole number of 0 or more"#),
            ("/two/x/7".to_owned(), "it must be a GUID"),
        ] {
            let answer = ask(&path).await;
            assert!(answer.contains(detail), "{path}: {answer}");
            assert!(answer.contains(r#""code":"path""#), "{answer}");
        }
    }
}
