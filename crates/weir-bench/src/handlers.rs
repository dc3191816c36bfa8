//! The measured server: the real client plane, and beside it the handlers that ratios are taken against, on the same
//! listener and in the same process.
//!
//! * `/bench/null/N` drains the request and returns a stored body of N bytes.
//! * `/bench/stream/N` drains the request and streams N bytes in pieces; `/bench/stream` as many as the request asks for at its end.
//! * `/bench/tokenise/N` drains the request, runs the general XML reader over it and returns a stored body of N bytes.
//! * `/bench/timed` answers like the client plane and notes how long that took once the request was there.
//! * `/bench/timings` gives those times and forgets them.
//! * `/bench/publish` makes a change and publishes it.

use std::{
    convert::Infallible,
    io,
    path::Path,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use parking_lot::Mutex;
use weir_model::{ids::CollectionId, targeting::CollectionKind};
use weir_server::{
    client::{Body, ClientService, body::Source},
    config::Limits,
    start::listen::{Plane, Terms, bind, serve},
    state::{AppState, ClientSettings, Connection},
};
use weir_store::{Actor, Options, Store, collection::NewCollection, content::ContentStore};

use crate::server::DATABASE;

/// Most bytes of a stored body.
const STORED: usize = 1 << 20;
/// Bytes of a piece of what is streamed, as the calibration has them.
const PIECE: usize = 128 << 10;

/// Runs the measured server on a data folder until it is killed.
pub async fn run(data: &Path) -> anyhow::Result<()> {
    // it is told by the process that measures, and by nobody else
    let database = std::env::var(DATABASE).ok().filter(|url| !url.is_empty());
    let store = Store::open(data, &Options { database, ..Options::default() })?;
    let content = ContentStore::open(&data.join("content"))?;
    weir_server::telemetry::install();
    let state = AppState::open(store, content, ClientSettings::default()).await?;
    let bound = bind("client", "--client-http", "127.0.0.1:0".parse()?)?;
    let address = bound.address;
    state.set_content_port(address.port());
    let endpoints = serde_json::json!({ "pid": std::process::id(), "client_http": format!("http://{address}") });
    let file = data.join("endpoints.json");
    std::fs::write(file.with_extension("new"), endpoints.to_string())?;
    std::fs::rename(file.with_extension("new"), &file)?;
    let plane = BenchPlane {
        client: ClientService::new(Arc::clone(&state)),
        state,
        stored: Bytes::from(vec![b'x'; STORED]),
        timings: Arc::default(),
    };
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    serve(bound, plane, Terms::plain(Limits::default()), stopped).await;
    Ok(())
}

#[derive(Clone)]
struct BenchPlane {
    client: ClientService,
    state: Arc<AppState>,
    stored: Bytes,
    timings: Arc<Mutex<Vec<Duration>>>,
}

impl Plane for BenchPlane {
    type Body = Body;
    type Service = OnConnection;

    fn on(&self, connection: Connection) -> OnConnection {
        OnConnection { plane: self.clone(), connection }
    }
}

/// [`BenchPlane`] on one connection.
struct OnConnection {
    plane: BenchPlane,
    connection: Connection,
}

impl<B> hyper::service::Service<Request<B>> for OnConnection
where
    B: http_body::Body<Data = Bytes> + Unpin + Send + 'static,
    B::Error: std::fmt::Debug + Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        let (plane, connection) = (self.plane.clone(), self.connection);
        Box::pin(async move {
            let path = request.uri().path();
            if !path.starts_with("/bench/") && !request.headers().contains_key("x-bench-timed") {
                return Ok(plane.client.handle(request, connection).await);
            }
            Ok(plane.bench(request, connection).await.unwrap_or_else(|error| {
                let mut response = Response::new(Body::from(format!("{error:#}").into_bytes()));
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                response
            }))
        })
    }
}

impl BenchPlane {
    async fn bench<B>(&self, request: Request<B>, connection: Connection) -> anyhow::Result<Response<Body>>
    where
        B: http_body::Body<Data = Bytes> + Unpin,
        B::Error: std::fmt::Debug,
    {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(|error| anyhow::anyhow!("{error:?}"))?.to_bytes();
        let segments: Vec<&str> = parts.uri.path().split('/').skip(1).collect();
        match segments.as_slice() {
            ["bench", "null", size] => Ok(self.stored(size.parse()?)),
            ["bench", "stream"] => Ok(self.streamed(asked(&body)?)),
            ["bench", "stream", size] => Ok(self.streamed(size.parse()?)),
            ["bench", "tokenise", size] => {
                tokenise(&body)?;
                Ok(self.stored(size.parse()?))
            }
            ["bench", "timings"] => {
                let timings: Vec<f64> =
                    std::mem::take(&mut *self.timings.lock()).iter().map(|time| time.as_secs_f64() * 1e6).collect();
                Ok(Response::new(Body::from(serde_json::to_vec(&timings)?)))
            }
            ["bench", "publish"] => {
                let actor = Actor::system("bench", jiff::Timestamp::now());
                let name = format!("bench {}", uuid::Uuid::new_v4());
                let started = Instant::now();
                self.state
                    .write(actor, move |tx| {
                        let id = CollectionId(uuid::Uuid::new_v4());
                        let new = NewCollection { id, name, parent: None, kind: CollectionKind::TargetGroup };
                        tx.collection_create(&new).map(drop)
                    })
                    .await?;
                self.state.live.republish().await?;
                Ok(Response::new(Body::from(serde_json::to_vec(&(started.elapsed().as_secs_f64() * 1e3))?)))
            }
            _ => {
                let request = Request::from_parts(parts, Full::new(body));
                let started = Instant::now();
                let response = self.client.handle(request, connection).await;
                self.timings.lock().push(started.elapsed());
                Ok(response)
            }
        }
    }

    fn stored(&self, size: usize) -> Response<Body> {
        Self::answer(Body::from(self.stored.slice(..size.min(STORED))))
    }

    fn streamed(&self, length: u64) -> Response<Body> {
        let source = Repeated { piece: self.stored.slice(..PIECE), left: length };
        Self::answer(Body::streamed(length, Box::new(source)))
    }

    /// An answer with the headers of a real one.
    fn answer(body: Body) -> Response<Body> {
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8"));
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        response
    }
}

/// The same piece over and over.
struct Repeated {
    piece: Bytes,
    left: u64,
}

impl Repeated {
    fn take(&mut self) -> Option<Bytes> {
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(self.piece.len());
        self.left -= length as u64;
        (length > 0).then(|| self.piece.slice(..length))
    }
}

impl Source for Repeated {
    fn next(&mut self) -> io::Result<Option<Bytes>> {
        Ok(self.take())
    }

    fn next_ready(&mut self) -> Option<io::Result<Option<Bytes>>> {
        Some(Ok(self.take()))
    }
}

/// What stands before the number of bytes that are to be streamed, behind the request.
const ASKED: char = '#';

/// A request that `/bench/stream` answers with so many bytes: the baseline of this request.
pub(crate) fn asking(mut body: Vec<u8>, bytes: u64) -> Vec<u8> {
    body.extend_from_slice(format!("{ASKED}{bytes}").as_bytes());
    body
}

/// How many bytes a request asks for.
fn asked(body: &[u8]) -> anyhow::Result<u64> {
    let last = body.rsplit(|byte| *byte == ASKED as u8).next().unwrap_or_default();
    std::str::from_utf8(last)?.parse::<u64>().context("the request ends without a number of bytes")
}

/// Reads the whole request with the general XML reader, as a server without a scanner of its own would have to.
fn tokenise(body: &[u8]) -> anyhow::Result<usize> {
    let text = std::str::from_utf8(body).context("the request is not UTF-8")?;
    let mut reader = quick_xml::Reader::from_str(text);
    let mut events = 0;
    loop {
        match reader.read_event()? {
            quick_xml::events::Event::Eof => return Ok(events),
            event => {
                std::hint::black_box(&event);
                events += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_asks_for_bytes_at_its_end() {
        let body = asking(b"<a b='#17'/>".to_vec(), 4_711);
        assert_eq!(asked(&body).expect("a number"), 4_711);
        assert!(asked(b"<a/>").is_err());
    }

    #[tokio::test]
    async fn as_many_bytes_are_streamed_as_were_asked_for() {
        for length in [0, 1, PIECE as u64, 3 * PIECE as u64 + 17] {
            let source = Repeated { piece: Bytes::from(vec![b'x'; PIECE]), left: length };
            let body = Body::streamed(length, Box::new(source));
            let bytes = body.collect().await.expect("whole").to_bytes();
            assert_eq!(bytes.len() as u64, length);
        }
    }
}
