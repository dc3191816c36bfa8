//! The routes of the admin plane, by their templates.

use std::time::Instant;

use axum::{body::Body, extract::MatchedPath, http::Request, middleware::Next, response::Response};

use super::{meters::meters, observation::note};

/// Notes which route a request is for, and how long its handler takes.
pub(crate) async fn observe(request: Request<Body>, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let (method, begun) = (request.method().clone(), Instant::now());
    if let Some(route) = &matched {
        note(|seen| seen.route(route.clone()));
    }
    let response = next.run(request).await;
    meters().routes.record(&method, matched.as_ref(), begun.elapsed().as_secs_f64());
    response
}
