//! The listeners: one accept loop per address, each with the routes of one plane.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use parking_lot::Mutex;
use rustls::{ServerConfig, server::Acceptor};
use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{Semaphore, watch},
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor, server::TlsStream};
use weir_model::{
    admission::{Connections, Network},
    ids::Sha256Digest,
};

pub use super::watch::Timed;
use super::{
    LINK_PROTOCOL, StartError, tls,
    watch::{Exchange, Patience, Sent, Watched},
};
use crate::{
    admission::Pressure,
    config::Limits,
    sites::LinkPlane,
    state::Connection,
    telemetry::{Observation, PlaneName, meters},
};

/// Connections that the system queues while none is accepted: a scan storm connects within seconds.
const BACKLOG: u32 = 4_096;

/// A bound address, not served yet.
#[derive(Debug)]
pub struct Bound {
    socket: TcpListener,
    /// Where it really listens.
    pub address: SocketAddr,
    name: &'static str,
}

/// Binds an address. `name` and `flag` are for messages.
pub fn bind(name: &'static str, flag: &'static str, address: SocketAddr) -> Result<Bound, StartError> {
    let bind = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    let (socket, address) = bind().map_err(|source| StartError::Bind { listener: name, flag, address, source })?;
    Ok(Bound { socket, address, name })
}

/// How a listener treats connections.
#[derive(Clone)]
pub struct Terms {
    /// With TLS, how.
    pub(crate) tls: Option<Tls>,
    /// With TLS and without on one address: the first byte tells.
    pub(crate) plain_too: bool,
    /// Bounds.
    pub limits: Limits,
    /// Whether others wait for what slow readers hold.
    pub(crate) pressure: Option<Pressure>,
}

impl Terms {
    /// Without TLS.
    pub fn plain(limits: Limits) -> Self {
        Self { tls: None, plain_too: false, limits, pressure: None }
    }
}

/// How a listener speaks TLS.
#[derive(Clone)]
pub(crate) struct Tls {
    /// For everyone: nobody is asked for a certificate.
    pub(crate) config: Arc<ServerConfig>,
    /// For those who ask for the site link.
    pub(crate) link: Option<Link>,
}

/// The site link on a listener of another plane.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) plane: LinkPlane,
}

/// Answers the requests of one plane: makes a service for each connection.
pub trait Plane: Clone + Send + 'static {
    /// The body of answers.
    type Body: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Unpin + Send + 'static;
    /// What it is called where it is counted.
    const NAME: PlaneName = PlaneName::Client;

    /// The service of one connection.
    type Service: Service<Request<Timed<Incoming>>, Response = Response<Self::Body>, Error = Infallible, Future: Send>
        + Send
        + 'static;

    /// The service of this connection.
    fn on(&self, connection: Connection) -> Self::Service;
}

/// Accepts until `stop` turns true, then lets requests under way finish, at most for the drain time.
pub async fn serve<P: Plane>(bound: Bound, plane: P, terms: Terms, mut stop: watch::Receiver<bool>) {
    let limits = terms.limits;
    let slots = Arc::new(Semaphore::new(terms.limits.connections));
    let open = Arc::new(Mutex::new(Connections::new(terms.limits.connections)));
    let graceful = GracefulShutdown::new();
    loop {
        let slot = tokio::select! {
            slot = slots.clone().acquire_owned() => slot,
            () = stopped(&mut stop) => break,
        };
        let Ok(slot) = slot else { break };
        let (stream, peer) = tokio::select! {
            accepted = bound.socket.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // out of file descriptors, most likely: connections that end give some back
                    tracing::warn!(listener = bound.name, %error, "a connection could not be accepted");
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = stopped(&mut stop) => break,
        };
        let Some(place) = Place::take(&open, peer) else {
            // closed at once: a connection that waits takes the place of another
            metrics::counter!("weir_admission_connections_refused_total", "listener" => word(bound.name)).increment(1);
            tracing::debug!(listener = bound.name, %peer, "an address has its share of the connections");
            continue;
        };
        let (plane, terms, watcher, name) = (plane.clone(), terms.clone(), graceful.watcher(), bound.name);
        let open = Open::new(name);
        tokio::spawn(async move {
            accepted(stream, peer, plane, terms, watcher, name).await;
            drop((slot, place, open));
        });
    }
    drop(bound.socket);
    if timeout(limits.drain_time, graceful.shutdown()).await.is_err() {
        tracing::warn!(listener = bound.name, "requests were still under way when the drain time was over");
    }
}

/// The place of a connection among those of its address, given back when it is dropped.
struct Place {
    open: Arc<Mutex<Connections>>,
    address: Network,
}

impl Place {
    fn take(open: &Arc<Mutex<Connections>>, peer: SocketAddr) -> Option<Self> {
        let address = Network::address(peer.ip());
        open.lock().open(address).then(|| Self { open: Arc::clone(open), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.lock().close(self.address);
    }
}

/// Ready when the server stops.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // an error means that nobody can say so any more
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn accepted<P: Plane>(
    stream: TcpStream,
    peer: SocketAddr,
    plane: P,
    terms: Terms,
    watcher: Watcher,
    name: &'static str,
) {
    // answers are written whole; waiting for more to send would only add latency
    let _ = stream.set_nodelay(true);
    let bounds = (terms.limits, terms.pressure);
    let mut connection = Connection { peer, tls: false, certificate: None };
    let Some(tls) = terms.tls else {
        return answer::<_, P>(stream, connection, plane.on(connection), bounds, watcher).await;
    };
    let until = Instant::now() + bounds.0.header_time;
    if terms.plain_too {
        match timeout_at(until, is_tls(&stream)).await {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => return answer::<_, P>(stream, connection, plane.on(connection), bounds, watcher).await,
            Ok(Err(error)) => return tracing::debug!(%peer, %error, "a connection ended before its first byte"),
            Err(_) => return tracing::debug!(%peer, "a connection sent nothing"),
        }
    }
    connection.tls = true;
    match timeout_at(until, handshake(stream, &tls)).await {
        Ok(Ok((stream, None))) => {
            // only the admin plane asks for one, and only where it has an authority for them
            connection.certificate = shown(&stream);
            answer::<_, P>(stream, connection, plane.on(connection), bounds, watcher).await;
        }
        Ok(Ok((stream, Some(link)))) => {
            connection.certificate = shown(&stream);
            answer::<_, LinkPlane>(stream, connection, link.on(connection), bounds, watcher).await;
        }
        Ok(Err(error)) => {
            refused(name, tls::reason(&error));
            tracing::debug!(%peer, %error, "the TLS handshake failed");
        }
        Err(_) => {
            refused(name, tls::TIMEOUT);
            tracing::debug!(%peer, "the TLS handshake took too long");
        }
    }
}

/// The plane of a listener: the first word of its name.
fn word(listener: &'static str) -> &'static str {
    listener.split(' ').next().unwrap_or(listener)
}

/// An open connection, which is counted.
struct Open(&'static str);

impl Open {
    fn new(listener: &'static str) -> Self {
        let plane = word(listener);
        // names of listeners that only programs of ours give
        let known = PlaneName::ALL.iter().map(|plane| plane.word()).find(|known| *known == plane);
        let plane = known.unwrap_or(PlaneName::Client.word());
        meters().connections.of(plane).increment(1);
        meters().connections_open.of(plane).increment(1.0);
        Self(plane)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        meters().connections_open.of(self.0).decrement(1.0);
    }
}

/// Counts a failed handshake.
fn refused(listener: &'static str, reason: &'static str) {
    let plane = word(listener);
    metrics::counter!("weir_tls_handshake_failures_total", "listener" => plane, "reason" => reason).increment(1);
}

/// The certificate that the other side showed and proved to have the key of, by its fingerprint.
fn shown(stream: &TlsStream<TcpStream>) -> Option<Sha256Digest> {
    let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    shown.map(|der| Sha256Digest(Sha256::digest(der).into()))
}

/// Whether a connection begins as TLS does: with a handshake record (RFC 8446 5.1). No HTTP method begins so.
async fn is_tls(stream: &TcpStream) -> std::io::Result<bool> {
    let mut first = [0];
    match stream.peek(&mut first).await? {
        0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(first == [22]),
    }
}

/// Shakes hands: those who name the protocol of the site link must show a certificate, all others are not asked for one.
async fn handshake(stream: TcpStream, tls: &Tls) -> std::io::Result<(TlsStream<TcpStream>, Option<&LinkPlane>)> {
    let Some(link) = tls.link.as_ref().filter(|link| link.plane.is_open()) else {
        return Ok((TlsAcceptor::from(Arc::clone(&tls.config)).accept(stream).await?, None));
    };
    let begun = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let asks = begun.client_hello().alpn().is_some_and(|mut names| names.any(|name| name == LINK_PROTOCOL));
    if asks {
        Ok((begun.into_stream(Arc::clone(&link.config)).await?, Some(&link.plane)))
    } else {
        Ok((begun.into_stream(Arc::clone(&tls.config)).await?, None))
    }
}

async fn answer<S, P>(
    stream: S,
    connection: Connection,
    service: P::Service,
    (limits, pressure): (Limits, Option<Pressure>),
    watcher: Watcher,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    P: Plane,
{
    let exchange = Exchange::default();
    let patience = Patience { header: limits.header_time, write: limits.idle_time };
    let stream = TokioIo::new(Watched::new(stream, exchange.clone(), patience, pressure));
    let service = service_fn(move |request: Request<Incoming>| {
        exchange.begin();
        let exchange = exchange.clone();
        let seen = Observation::begin(P::NAME, connection.peer, request.headers());
        // the time between two pieces of a request's body
        let answered = service.call(request.map(|body| Timed::new(body, limits.header_time, Arc::clone(&seen))));
        async move {
            let answer: Result<Response<P::Body>, Infallible> = seen.around(answered).await;
            answer.map(|answer| {
                seen.answered(answer.status());
                answer.map(|body| -> Sent<P::Body> { exchange.until_sent(body, seen) })
            })
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle_time)
        .max_header_size(limits.header_bytes)
        .serve_connection(stream, service);
    if let Err(error) = watcher.watch(served).await {
        tracing::debug!(peer = %connection.peer, %error, "a connection ended badly");
    }
}
