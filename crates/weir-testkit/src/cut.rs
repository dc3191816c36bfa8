//! A proxy that cuts a connection at one HTTP request, so that a test can walk through all of them.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::{
    raw::{End, Incoming},
    service::Loopback,
};

/// Where in a request the connection is cut.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Moment {
    /// The request arrives and goes nowhere.
    BeforeRequest,
    /// Half of the request reaches the server.
    MidRequest,
    /// The server answers, and nothing of the answer comes back.
    BeforeAnswer,
    /// Half of the answer comes back.
    MidAnswer,
    /// All of the answer comes back, then the connection is gone.
    AfterAnswer,
}

impl Moment {
    /// Every moment, in order.
    pub const ALL: &[Self] =
        &[Self::BeforeRequest, Self::MidRequest, Self::BeforeAnswer, Self::MidAnswer, Self::AfterAnswer];
}

#[derive(Debug, Default)]
struct State {
    requests: usize,
    cut: Option<(usize, Moment)>,
    has_cut: bool,
}

impl State {
    /// Counts a request, and says where it is to be cut.
    fn count(&mut self) -> Option<Moment> {
        self.requests += 1;
        let moment = self.cut.filter(|(request, _)| *request == self.requests).map(|(_, moment)| moment);
        self.has_cut |= moment.is_some();
        moment
    }
}

/// A running proxy for plain HTTP/1.1. It serves on a thread of its own until it is dropped.
///
/// It counts the requests of all connections together. Every connection of a client has one of its own to the server.
#[derive(Debug)]
pub struct CuttingProxy {
    server: Loopback,
    state: Arc<Mutex<State>>,
}

impl CuttingProxy {
    /// Passes everything to the server at this address, `host:port` or `http://host:port`.
    pub fn to(server: &str) -> Self {
        let target = server.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        let server = Loopback::start("cutting proxy", move |client| {
            let (target, state) = (target.clone(), Arc::clone(&shared));
            async move {
                // Whatever goes wrong between the two ends both connections.
                let _ = pass(client, &target, &state).await;
            }
        });
        Self { server, state }
    }

    /// Cuts the n-th request from now on (from 1) at this moment, and passes all others.
    pub fn cut(&self, request: usize, moment: Moment) {
        *lock(&self.state) = State { requests: 0, cut: Some((request, moment)), has_cut: false };
    }

    /// How many requests came since the last [`Self::cut`] or the start, cut ones included.
    pub fn requests(&self) -> usize {
        lock(&self.state).requests
    }

    /// Whether the cut that was ordered last has happened.
    pub fn has_cut(&self) -> bool {
        lock(&self.state).has_cut
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Passes the messages of one connection on, one request after the other.
async fn pass(client: TcpStream, target: &str, state: &Mutex<State>) -> io::Result<()> {
    let mut client = Incoming::new(client);
    let mut server: Option<Incoming<TcpStream>> = None;
    while let Some(request) = client.head().await? {
        let moment = lock(state).count();
        let body = client.body(request.end_of_request()).await?;
        if moment == Some(Moment::BeforeRequest) {
            return Ok(());
        }
        let upstream = match &mut server {
            Some(upstream) => upstream,
            None => server.insert(Incoming::new(TcpStream::connect(target).await?)),
        };
        let mut message = request.bytes.clone();
        message.extend_from_slice(&body);
        if moment == Some(Moment::MidRequest) {
            upstream.stream().write_all(&message[..message.len() / 2]).await?;
            return Ok(());
        }
        upstream.stream().write_all(&message).await?;
        let Some(answer) = upstream.head().await? else { return Ok(()) };
        let end = answer.end_of_answer(&request);
        let body = upstream.body(end).await?;
        let mut message = answer.bytes.clone();
        message.extend_from_slice(&body);
        match moment {
            Some(Moment::BeforeAnswer) => return Ok(()),
            Some(Moment::MidAnswer) => {
                // Where there is a body, at least its head and its first byte get through.
                let half = answer.bytes.len() + body.len().div_ceil(2);
                let half = if body.len() < 2 { message.len() / 2 } else { half };
                client.stream().write_all(&message[..half]).await?;
                return Ok(());
            }
            _ => client.stream().write_all(&message).await?,
        }
        if moment == Some(Moment::AfterAnswer) || end == End::Connection || answer.closes() || request.closes() {
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Connection;

    /// A server that counts and repeats the bodies it gets.
    fn echo() -> (Loopback, Arc<Mutex<usize>>) {
        let count = Arc::<Mutex<usize>>::default();
        let shared = Arc::clone(&count);
        let server = Loopback::start("echo", move |stream| {
            let count = Arc::clone(&shared);
            async move {
                let mut stream = Incoming::new(stream);
                while let Ok(Some(head)) = stream.head().await {
                    let Ok(body) = stream.body(head.end_of_request()).await else { return };
                    *count.lock().expect("no panic") += 1;
                    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                    let _ = stream.stream().write_all(&[answer.as_bytes(), &body].concat()).await;
                }
            }
        });
        (server, count)
    }

    #[tokio::test]
    async fn one_request_is_cut_and_the_others_pass() {
        for &moment in Moment::ALL {
            let (server, count) = echo();
            let proxy = CuttingProxy::to(&server.address.to_string());
            proxy.cut(2, moment);
            let mut results = Vec::new();
            for _ in 0..3 {
                // A connection each: the plain client would repeat a request on one that was closed.
                let mut connection = Connection::to(&proxy.url()).expect("an address");
                let answer = connection.send("POST", "/", &[], b"0123456789").await;
                results.push(answer.is_ok_and(|answer| answer.body == b"0123456789"));
            }
            assert_eq!(results, [true, moment == Moment::AfterAnswer, true], "{moment:?}");
            assert!(proxy.has_cut());
            assert_eq!(proxy.requests(), 3);
            let reached = if moment < Moment::BeforeAnswer { 2 } else { 3 };
            assert_eq!(*count.lock().expect("no panic"), reached, "{moment:?}");
        }
    }

    #[tokio::test]
    async fn connections_are_kept() {
        let (server, count) = echo();
        let proxy = CuttingProxy::to(&format!("http://{}", server.address));
        let mut connection = Connection::to(&proxy.url()).expect("an address");
        for _ in 0..5 {
            let answer = connection.send("POST", "/", &[], b"x").await.expect("passed");
            assert_eq!(answer.body, b"x");
        }
        assert_eq!((proxy.requests(), *count.lock().expect("no panic")), (5, 5));
        assert!(!proxy.has_cut());
    }
}
