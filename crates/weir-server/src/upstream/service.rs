//! The server plane as a service for a listener of its own.

use std::{convert::Infallible, future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};

use crate::{
    client::Body,
    state::{AppState, Connection},
};

/// Answers requests of the server plane and for Content, and nothing else. A listener makes one, and for each connection
/// [`UpstreamService::on`].
#[derive(Clone)]
pub struct UpstreamService {
    state: Arc<AppState>,
}

impl UpstreamService {
    /// A service over this state.
    pub fn new(state: Arc<AppState>) -> Self {
        Self { state }
    }

    /// The service of one connection.
    pub fn on(&self, connection: Connection) -> UpstreamConnection {
        UpstreamConnection { service: self.clone(), connection }
    }
}

/// [`UpstreamService`] on one connection.
#[derive(Clone)]
pub struct UpstreamConnection {
    service: UpstreamService,
    connection: Connection,
}

impl<B> hyper::service::Service<Request<B>> for UpstreamConnection
where
    B: http_body::Body<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, _request: Request<B>) -> Self::Future {
        let Self { service, connection } = self.clone();
        Box::pin(async move {
            let _ = (service.state, connection);
            unimplemented!()
        })
    }
}
