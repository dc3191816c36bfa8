//! The REST interface, called in process. What the layers outside the console put into the request (who calls) goes along, so
//! that REST refuses what the caller may not do; the console decides nothing of that.

use axum::body::Body;
use http::{Extensions, HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use serde::{Serialize, de::DeserializeOwned};
use tower::ServiceExt as _;
use weir_api::{PREFIX, Problem};

use crate::failure::Failure;

/// Answers are read up to this many bytes.
const LONGEST_ANSWER: usize = 64 << 20;

/// What came with the outer request, before any route of the console added to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outer {
    /// Who calls, over which connection.
    pub(crate) extensions: Extensions,
    /// Its headers, of which the cookie goes along.
    pub(crate) headers: HeaderMap,
}

/// The REST interface on behalf of one request.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    router: axum::Router,
    outer: Outer,
}

#[allow(dead_code, reason = "the set of methods is complete")]
impl Api {
    /// On behalf of this request.
    pub(crate) fn new(router: axum::Router, outer: Outer) -> Self {
        Self { router, outer }
    }

    /// `GET`, with a query made of a type of [`weir_api`], or `&()`.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str, query: &impl Serialize) -> Result<T, Failure> {
        let query = serde_urlencoded::to_string(query).map_err(|error| Failure::internal(path, &error))?;
        let address = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        self.ask::<T, ()>(Method::GET, &address, None).await
    }

    /// `POST` with a JSON body. `T` is `()` where the answer has no content.
    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// `PUT` with a JSON body.
    pub(crate) async fn put<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        self.ask(Method::PUT, path, Some(body)).await
    }

    /// `PATCH` with a JSON body.
    pub(crate) async fn patch<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        self.ask(Method::PATCH, path, Some(body)).await
    }

    /// `DELETE` without a body.
    pub(crate) async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.ask::<T, ()>(Method::DELETE, path, None).await
    }

    /// `DELETE` with a JSON body.
    pub(crate) async fn delete_with<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        self.ask(Method::DELETE, path, Some(body)).await
    }

    /// Follows a list to its end, or to this many entries. `page` asks for one page after a cursor.
    pub(crate) async fn all<T, F>(
        &self,
        most: usize,
        mut page: impl FnMut(Option<String>) -> F,
    ) -> Result<Vec<T>, Failure>
    where
        F: Future<Output = Result<weir_api::List<T>, Failure>>,
    {
        let (mut items, mut cursor) = (Vec::new(), None);
        loop {
            let list = page(cursor).await?;
            items.extend(list.items);
            cursor = list.next;
            if cursor.is_none() || items.len() >= most {
                items.truncate(most);
                return Ok(items);
            }
        }
    }

    /// Sends a request as it is (files up and down) and gives the answer as it is, refusals included. The address is below
    /// [`PREFIX`].
    pub(crate) async fn send(&self, mut request: Request<Body>) -> Response<Body> {
        *request.extensions_mut() = self.outer.extensions.clone();
        if let Some(cookie) = self.outer.headers.get(header::COOKIE) {
            request.headers_mut().insert(header::COOKIE, cookie.clone());
        }
        match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// The status and headers of an answer, too: for `Set-Cookie`.
    pub(crate) async fn post_for(&self, path: &str, body: &impl Serialize) -> Result<Response<Vec<u8>>, Failure> {
        self.ask_for(Method::POST, path, body).await
    }

    /// The same of `PUT`.
    pub(crate) async fn put_for(&self, path: &str, body: &impl Serialize) -> Result<Response<Vec<u8>>, Failure> {
        self.ask_for(Method::PUT, path, body).await
    }

    async fn ask_for(&self, method: Method, path: &str, body: &impl Serialize) -> Result<Response<Vec<u8>>, Failure> {
        let request = request(method, path, Some(body))?;
        let (parts, body) = self.send(request).await.into_parts();
        let bytes = read(path, body).await?;
        if let Some(number) = waits(&parts) {
            return Err(Failure::Waits(number));
        }
        if parts.status.is_success() {
            Ok(Response::from_parts(parts, bytes))
        } else {
            Err(refusal(path, &parts, &bytes))
        }
    }

    async fn ask<T: DeserializeOwned, B: Serialize>(
        &self,
        method: Method,
        address: &str,
        body: Option<&B>,
    ) -> Result<T, Failure> {
        let request = request(method, address, body)?;
        let (parts, body) = self.send(request).await.into_parts();
        let bytes = read(address, body).await?;
        if !parts.status.is_success() {
            return Err(refusal(address, &parts, &bytes));
        }
        if let Some(number) = waits(&parts) {
            return Err(Failure::Waits(number));
        }
        let text: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
        serde_json::from_slice(text).map_err(|error| Failure::internal(address, &error))
    }
}

fn request<B: Serialize>(method: Method, address: &str, body: Option<&B>) -> Result<Request<Body>, Failure> {
    let builder = Request::builder().method(method).uri(format!("{PREFIX}{address}"));
    let request = match body {
        Some(body) => {
            let json = serde_json::to_vec(body).map_err(|error| Failure::internal(address, &error))?;
            builder.header(header::CONTENT_TYPE, "application/json").body(Body::from(json))
        }
        None => builder.body(Body::empty()),
    };
    request.map_err(|error| Failure::internal(address, &error))
}

/// The number under which a request waits for a second person, if it does: it is not done then.
fn waits(parts: &http::response::Parts) -> Option<i64> {
    let number = parts.headers.get("weir-approval").filter(|_| parts.status == StatusCode::ACCEPTED)?;
    number.to_str().ok()?.parse().ok()
}

async fn read(address: &str, body: Body) -> Result<Vec<u8>, Failure> {
    let collected = Limited::new(body, LONGEST_ANSWER).collect().await;
    Ok(collected.map_err(|error| Failure::internal(address, &*error))?.to_bytes().to_vec())
}

fn refusal(address: &str, parts: &http::response::Parts, bytes: &[u8]) -> Failure {
    let problem = serde_json::from_slice(bytes).unwrap_or_else(|_| Problem {
        status: parts.status.as_u16(),
        code: "answer".to_owned(),
        title: parts.status.canonical_reason().unwrap_or_default().to_owned(),
        detail: format!("{address}: {}", parts.status),
        next_step: None,
    });
    Failure::refused(problem)
}
