//! The site link as a service of listeners: its own routes, and on the same connections those of the server plane.

use std::{convert::Infallible, future::Future, pin::Pin, sync::Arc};

use axum::{Router, body::Body};
use http::{Request, Response};
use hyper::{body::Incoming, service::Service};
use tokio::sync::watch;

use super::{PATH, serve};
use crate::{
    admin::App,
    start::{Plane, Timed},
    state::Connection,
    telemetry::PlaneName,
    upstream::{UpstreamConnection, UpstreamService},
};

/// What connections of the site link reach.
#[derive(Clone)]
pub(crate) struct LinkPlane {
    app: App,
    link: Router,
    server: UpstreamService,
}

impl LinkPlane {
    /// Long polls end when `stop` turns true.
    pub(crate) fn new(app: &App, stop: &watch::Receiver<bool>) -> Self {
        let server = UpstreamService::new(Arc::clone(&app.state));
        Self { app: app.clone(), link: serve::router(app.clone(), stop.clone()), server }
    }

    /// Whether the link is offered at all.
    pub(crate) fn is_open(&self) -> bool {
        self.app.serves_downstream()
    }
}

impl Plane for LinkPlane {
    const NAME: PlaneName = PlaneName::Link;

    type Body = Body;
    type Service = LinkConnection;

    fn on(&self, connection: Connection) -> LinkConnection {
        LinkConnection { link: self.link.clone(), server: self.server.on(connection), connection }
    }
}

/// The site link on one connection.
pub(crate) struct LinkConnection {
    link: Router,
    server: UpstreamConnection,
    connection: Connection,
}

impl Service<Request<Timed<Incoming>>> for LinkConnection {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<Timed<Incoming>>) -> Self::Future {
        let is_link = request.uri().path().strip_prefix(PATH).is_some_and(|rest| rest.starts_with('/'));
        if !is_link {
            let answer = self.server.call(request);
            return Box::pin(async move { Ok(answer.await?.map(Body::new)) });
        }
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(self.connection);
        let mut link = self.link.clone();
        Box::pin(async move { tower::Service::call(&mut link, request).await })
    }
}
