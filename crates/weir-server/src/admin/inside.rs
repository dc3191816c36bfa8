//! Asking the routes from inside: what a GET by the same caller is answered now.

use axum::{Router, body::Body, response::Response};
use http::{Request, Uri};

use super::{App, Caller, auth};
use crate::state::Connection;

/// The routes as one caller may ask them.
#[derive(Clone)]
pub(super) struct Inside {
    app: App,
    router: Router,
    caller: Option<Caller>,
    connection: Option<Connection>,
}

impl Inside {
    /// As the caller of a request that came through the door. `router` has the routes without the door.
    pub(super) fn of(app: &App, router: &Router, request: &Request<Body>) -> Self {
        let extensions = request.extensions();
        Self {
            app: app.clone(),
            router: router.clone(),
            caller: extensions.get::<Caller>().cloned(),
            connection: extensions.get::<Connection>().copied(),
        }
    }

    /// What a GET of an address is answered.
    pub(super) async fn get(&self, address: &Uri) -> Response {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = address.clone();
        if let Some(caller) = &self.caller {
            request.extensions_mut().insert(caller.clone());
        }
        if let Some(connection) = self.connection {
            request.extensions_mut().insert(connection);
        }
        let mut router = self.router.clone();
        let answer: Result<Response, std::convert::Infallible> = tower::Service::call(&mut router, request).await;
        match answer {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// Whether the proof that the request came with still holds: the token is known, the session has not ended. A failure to find
    /// out is no.
    pub(super) async fn is_open(&self) -> bool {
        let Some(caller) = &self.caller else { return false };
        auth::holds(&self.app, caller, self.connection).await.unwrap_or(false)
    }
}
