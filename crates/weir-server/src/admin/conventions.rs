//! What every route of REST keeps without knowing of it: tags and conditions ([`super::etag`]), keys of requests
//! ([`super::idempotency`]), lists as CSV ([`super::csv`]).
//!
//! *Invariant:* this stands behind the door ([`super::auth::require`]); what it asks by itself it asks as the caller of the request
//! ([`Inside`]).

use std::{
    collections::{BTreeMap, HashMap},
    error::Error as _,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{MatchedPath, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body::Body as _;
use http_body_util::LengthLimitError;
use tokio::sync::RwLock;
use utoipa::openapi::OpenApi;
use weir_api::PREFIX;

use super::{
    AdminError, App, csv,
    etag::{self, Condition, Tag},
    extract::JSON_BYTES,
    idempotency,
    inside::Inside,
    routes::panicked,
};

/// How long a JSON body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the conventions need to know. Clones share it.
#[derive(Clone)]
pub(super) struct Conventions {
    pub(super) app: App,
    /// The routes without the door and without these conventions.
    pub(super) inside: Router,
    /// Lists that can be had as CSV, by route.
    lists: Arc<HashMap<String, csv::Columns>>,
    /// Changes of one kind of resource: those with a condition go alone, all others together. By route and not by address, since
    /// an object has several (its name, its id).
    turns: Arc<BTreeMap<&'static str, Arc<RwLock<()>>>>,
}

impl Conventions {
    pub(super) fn new(app: App, inside: Router, document: &OpenApi) -> Self {
        let turns = etag::templates().map(|template| (template, Arc::default())).collect();
        Self { app, inside, lists: Arc::new(csv::lists(document)), turns: Arc::new(turns) }
    }
}

/// Keeps them for one request.
pub(super) async fn keep(State(conventions): State<Conventions>, mut request: Request<Body>, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let Some(template) = matched.strip_prefix(PREFIX) else { return next.run(request).await };
    let method = request.method().clone();
    if method == Method::GET {
        if let Some(columns) = conventions.lists.get(template).filter(|_| csv::is_asked(&request)) {
            let inside = Inside::of(&conventions.app, &conventions.inside, &request);
            return csv::answer(inside, request.uri(), columns.clone()).await;
        }
        if template == "/events" {
            let inside = Inside::of(&conventions.app, &conventions.inside, &request);
            request.extensions_mut().insert(inside);
            return next.run(request).await;
        }
        let condition = Condition::read(request.headers());
        return tagged(template, condition.as_ref(), next.run(request).await).await;
    }
    if matches!(method, Method::HEAD | Method::OPTIONS) {
        return next.run(request).await;
    }
    // before anything is held for it: who sends slowly keeps nobody else waiting
    let request = match arrived(request, PATIENCE).await {
        Ok(request) => request,
        Err(error) => return error.into_response(),
    };
    let condition = Condition::read(request.headers());
    if let Some((template, moving)) = etag::versioned(template).filter(|_| method != Method::POST) {
        return change(&conventions, template, moving, condition, request, next).await;
    }
    if condition.is_some() {
        let refusal = AdminError::Invalid {
            code: "if_match",
            detail: "what is at this address has no tag that a change could depend on".to_owned(),
            next_step: Some("leave If-Match and If-None-Match out".to_owned()),
        };
        return refusal.into_response();
    }
    if method == Method::POST && request.headers().contains_key(idempotency::HEADER) {
        return match idempotency::answer(&conventions, template, request, next).await {
            Ok(response) => response,
            Err(error) => idempotency::refused(error),
        };
    }
    next.run(request).await
}

/// The request with its body in memory if that is JSON. A body without a type is read if there is a key, which is kept with its
/// digest. Uploads are left to come.
///
/// # Errors
///
/// The body is larger than [`JSON_BYTES`], breaks off, or takes longer than `patience`.
async fn arrived(request: Request<Body>, patience: Duration) -> Result<Request<Body>, AdminError> {
    let media = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    let keyed = media.is_empty() && request.headers().contains_key(idempotency::HEADER);
    if !keyed && !media.eq_ignore_ascii_case("application/json") {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    let Ok(read) = tokio::time::timeout(patience, to_bytes(body, JSON_BYTES)).await else {
        return Err(AdminError::Convention {
            status: StatusCode::REQUEST_TIMEOUT,
            code: "body_timeout",
            detail: format!("the body did not arrive within {} s", patience.as_secs()),
            next_step: Some("send the request again".to_owned()),
        });
    };
    let bytes = read.map_err(|error| {
        if error.source().is_some_and(|source| source.is::<LengthLimitError>()) {
            AdminError::TooLarge(format!("the body exceeds {JSON_BYTES} bytes"))
        } else {
            AdminError::invalid("body", "the body did not arrive whole")
        }
    })?;
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// A JSON answer that is whole in memory; the answer as it is otherwise.
pub(super) async fn whole(response: Response) -> Result<(http::response::Parts, Bytes), Box<Response>> {
    let (parts, body) = response.into_parts();
    if !is_json(&parts.headers) || body.size_hint().exact().is_none() {
        return Err(Box::new(Response::from_parts(parts, body)));
    }
    // its size is known and it is here already
    match to_bytes(body, usize::MAX).await {
        Ok(bytes) => Ok((parts, bytes)),
        Err(error) => {
            let failure = AdminError::Internal(format!("an answer could not be read back: {error}"));
            Err(Box::new(failure.into_response()))
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    matches!(media.split(';').next().unwrap_or_default().trim(), "application/json" | "application/problem+json")
}

/// The answer of a GET with its tag, or that the caller has it.
async fn tagged(template: &str, condition: Option<&Condition>, response: Response) -> Response {
    if response.status() != StatusCode::OK || response.headers().contains_key(header::ETAG) {
        return response;
    }
    let (mut parts, bytes) = match whole(response).await {
        Ok(whole) => whole,
        Err(response) => return *response,
    };
    let tag = Tag::of(&bytes, etag::versioned(template).map(|(_, moving)| moving));
    let Some(value) = tag.header() else { return Response::from_parts(parts, Body::from(bytes)) };
    parts.headers.insert(header::ETAG, value);
    if condition.is_some_and(|condition| condition.is_held(&tag)) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// A change of a resource that has a tag. It goes on to its end when the caller goes away, so that its turn lasts as long as it
/// does.
async fn change(
    conventions: &Conventions,
    template: &'static str,
    moving: &'static [&'static str],
    condition: Option<Condition>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let Some(turn) = conventions.turns.get(template).cloned() else { return next.run(request).await };
    let inside = Inside::of(&conventions.app, &conventions.inside, &request);
    let work = tokio::spawn(async move {
        let Some(condition) = condition else {
            let _together = turn.read_owned().await;
            return next.run(request).await;
        };
        let _alone = turn.write_owned().await;
        let address = request.uri().clone();
        let before = inside.get(&address).await;
        let tag = match before.status() {
            StatusCode::OK => match whole(before).await {
                Ok((_, bytes)) => Some(Tag::of(&bytes, Some(moving))),
                Err(response) => return *response,
            },
            StatusCode::NOT_FOUND if matches!(condition, Condition::NoneMatch(_)) => None,
            // without the condition it would be refused all the same (RFC 9110 13.2.1)
            _ => return before,
        };
        if !condition.allows(tag.as_ref()) {
            return failed(tag.as_ref());
        }
        let deletes = request.method() == Method::DELETE;
        let mut response = next.run(request).await;
        if response.status().is_success() && !deletes {
            if let Ok((_, bytes)) = whole(inside.get(&address).await).await {
                if let Some(value) = Tag::of(&bytes, Some(moving)).header() {
                    response.headers_mut().insert(header::ETAG, value);
                }
            }
        }
        response
    });
    ended(work).await
}

/// The answer of work on a task of its own.
pub(super) async fn ended(work: tokio::task::JoinHandle<Response>) -> Response {
    match work.await {
        Ok(response) => response,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => panicked(panic),
            Err(error) => AdminError::Internal(format!("a request ended: {error}")).into_response(),
        },
    }
}

fn failed(tag: Option<&Tag>) -> Response {
    let refusal = AdminError::Convention {
        status: StatusCode::PRECONDITION_FAILED,
        code: "precondition",
        detail: if tag.is_some() {
            "it is not any more what the request says: somebody changed it meanwhile".to_owned()
        } else {
            "it is not there".to_owned()
        },
        next_step: Some("get it again, and make the change to what it is now".to_owned()),
    };
    let mut response = refusal.into_response();
    if let Some(value) = tag.and_then(Tag::header) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn request(media: &str, body: Body) -> Request<Body> {
        Request::put("/").header(header::CONTENT_TYPE, media).body(body).expect("a request")
    }

    async fn refusal(media: &str, body: Body) -> Option<u16> {
        arrived(request(media, body), Duration::ZERO).await.err().map(|error| error.problem().status)
    }

    fn endless() -> Body {
        Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>())
    }

    #[tokio::test]
    async fn a_json_body_is_whole_before_anything_waits_for_it() {
        assert_eq!(refusal("application/json", Body::from("{}")).await, None);
        assert_eq!(refusal("Application/JSON; charset=utf-8", endless()).await, Some(408));
        assert_eq!(refusal("application/json", Body::from(vec![b' '; JSON_BYTES + 1])).await, Some(413));
        let broken = stream::iter([Err::<Bytes, _>(std::io::Error::other("gone"))]);
        assert_eq!(refusal("application/json", Body::from_stream(broken)).await, Some(400));
        // uploads come as they come
        assert_eq!(refusal("application/octet-stream", endless()).await, None);
        let kept = arrived(request("application/json", Body::from("[1]")), Duration::ZERO).await.expect("it is here");
        assert_eq!(to_bytes(kept.into_body(), 10).await.expect("bytes"), "[1]");
    }
}
