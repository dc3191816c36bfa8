//! The planes as services of listeners.

use std::{convert::Infallible, future::Future, pin::Pin};

use axum::{Router, body::Body};
use http::{Request, Response};
use hyper::{body::Incoming, service::Service};

use super::{listen::Plane, watch::Timed};
use crate::{
    client::{self, ClientService, ConnectionService},
    state::Connection,
    telemetry::PlaneName,
    upstream::{UpstreamConnection, UpstreamService},
};

impl Plane for ClientService {
    type Body = client::Body;
    type Service = ConnectionService;

    fn on(&self, connection: Connection) -> ConnectionService {
        Self::on(self, connection)
    }
}

impl Plane for UpstreamService {
    const NAME: PlaneName = PlaneName::Server;

    type Body = client::Body;
    type Service = UpstreamConnection;

    fn on(&self, connection: Connection) -> UpstreamConnection {
        Self::on(self, connection)
    }
}

/// The admin plane's routes.
#[derive(Clone)]
pub(super) struct AdminPlane(Router);

impl AdminPlane {
    pub(super) fn new(router: Router) -> Self {
        Self(router)
    }
}

impl Plane for AdminPlane {
    const NAME: PlaneName = PlaneName::Admin;

    type Body = Body;
    type Service = AdminConnection;

    fn on(&self, connection: Connection) -> AdminConnection {
        AdminConnection { router: self.0.clone(), connection }
    }
}

/// The admin plane on one connection.
pub(super) struct AdminConnection {
    router: Router,
    connection: Connection,
}

impl Service<Request<Timed<Incoming>>> for AdminConnection {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<Timed<Incoming>>) -> Self::Future {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(self.connection);
        let mut router = self.router.clone();
        Box::pin(async move { tower::Service::call(&mut router, request).await })
    }
}
