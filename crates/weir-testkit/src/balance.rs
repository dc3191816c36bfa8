//! A balancer in front of several servers, which gives each request to the next one: nothing sticks.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpSocket, TcpStream},
};

use crate::{
    raw::{End, Head, Incoming},
    service::Loopback,
};

/// A running balancer for plain HTTP/1.1. It serves on a thread of its own until it is dropped.
///
/// Requests go round, also those of one connection. A server that cannot be connected to is passed over; one that ends within a
/// request ends the connection of the client with it, since nobody knows how far the request came. Servers see the loopback
/// address that a client has, as they do behind a balancer that keeps addresses.
#[derive(Debug)]
pub struct Balancer {
    server: Loopback,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    servers: Vec<Server>,
    /// Whose turn it is.
    next: usize,
}

#[derive(Debug, Default)]
struct Server {
    address: Option<SocketAddr>,
    answered: u64,
}

impl Balancer {
    /// One in front of so many servers, none of which is there yet.
    pub fn over(servers: usize) -> Self {
        let servers = (0..servers).map(|_| Server::default()).collect();
        let state = Arc::new(Mutex::new(State { servers, next: 0 }));
        let shared = Arc::clone(&state);
        let server = Loopback::start("balancer", move |client| {
            let state = Arc::clone(&shared);
            async move {
                // whatever goes wrong between the two ends both connections
                let _ = pass(client, &state).await;
            }
        });
        Self { server, state }
    }

    /// Says where a server is from now on, `http://127.0.0.1:PORT`; none: it is gone, and no request is tried on it.
    ///
    /// # Panics
    ///
    /// If there is no server of that number, or this is no such address.
    pub fn set(&self, server: usize, url: Option<&str>) {
        let address = url.map(|url| {
            let text = url.trim_start_matches("http://").trim_end_matches('/');
            text.parse().unwrap_or_else(|error| panic!("{url}: {error}"))
        });
        let mut state = lock(&self.state);
        let count = state.servers.len();
        let server = state.servers.get_mut(server).unwrap_or_else(|| panic!("there are {count} servers"));
        server.address = address;
    }

    /// How many requests each server has answered, whole.
    pub fn answered(&self) -> Vec<u64> {
        lock(&self.state).servers.iter().map(|server| server.answered).collect()
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Servers to be tried for a request, the one whose turn it is first.
fn turn(state: &Mutex<State>) -> Vec<(usize, SocketAddr)> {
    let mut state = lock(state);
    let count = state.servers.len().max(1);
    let first = state.next % count;
    state.next = first + 1;
    let order = (first..count).chain(0..first);
    order.filter_map(|at| Some((at, state.servers.get(at)?.address?))).collect()
}

/// Connects from the address of the client, which is a loopback address like the server's.
async fn connect(server: SocketAddr, from: Option<IpAddr>) -> io::Result<TcpStream> {
    let Some(IpAddr::V4(from)) = from.filter(|_| cfg!(target_os = "linux")) else {
        return TcpStream::connect(server).await;
    };
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    socket.connect(server).await
}

/// Passes the requests of one connection on.
async fn pass(client: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let from = client.peer_addr().ok().map(|peer| peer.ip());
    let mut client = Incoming::new(client);
    while let Some(request) = client.head().await? {
        let body = client.body(request.end_of_request()).await?;
        let mut answered = None;
        for (at, address) in turn(state) {
            let Ok(stream) = connect(address, from).await else { continue };
            let _ = stream.set_nodelay(true);
            answered = Some((at, ask(stream, &request, &body).await?));
            break;
        }
        let Some((at, (answer, is_last))) = answered else { return Ok(()) };
        client.stream().write_all(&answer).await?;
        if let Some(server) = lock(state).servers.get_mut(at) {
            server.answered += 1;
        }
        if is_last || request.closes() {
            return Ok(());
        }
    }
    Ok(())
}

/// One request to a server; its answer, and whether the connection of the client ends behind it.
async fn ask(stream: TcpStream, request: &Head, body: &[u8]) -> io::Result<(Vec<u8>, bool)> {
    let mut server = Incoming::new(stream);
    server.stream().write_all(&[&request.bytes, body].concat()).await?;
    let head = server.head().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let end = head.end_of_answer(request);
    let rest = server.body(end).await?;
    let is_last = end == End::Connection || head.closes();
    Ok(([head.bytes, rest].concat(), is_last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Connection;

    /// A server that says who it is, and where the client is; it takes no second request on a connection.
    fn named(name: &'static str) -> Loopback {
        Loopback::start(name, move |stream| async move {
            let from = stream.peer_addr().map(|peer| peer.ip().to_string()).unwrap_or_default();
            let mut stream = Incoming::new(stream);
            let Ok(Some(head)) = stream.head().await else { return };
            let Ok(body) = stream.body(head.end_of_request()).await else { return };
            if body == b"die" {
                return;
            }
            let text = format!("{name} {from}");
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len());
            let _ = stream.stream().write_all(answer.as_bytes()).await;
        })
    }

    async fn send(connection: &mut Connection, body: &[u8]) -> Option<String> {
        let answer = connection.send("POST", "/", &[], body).await.ok()?;
        Some(String::from_utf8_lossy(&answer.body).into_owned())
    }

    #[tokio::test]
    async fn requests_go_round_and_pass_over_what_is_gone() {
        let servers = [named("a"), named("b"), named("c")];
        let balancer = Balancer::over(servers.len());
        for (at, server) in servers.iter().enumerate() {
            balancer.set(at, Some(&format!("http://{}", server.address)));
        }
        let mut connection = Connection::to(&balancer.url()).expect("an address");
        let mut heard = Vec::new();
        for _ in 0..6 {
            heard.push(send(&mut connection, b"x").await.expect("an answer"));
        }
        let wanted = ["a", "b", "c", "a", "b", "c"].map(|name| format!("{name} 127.0.0.1"));
        assert_eq!(heard, wanted, "one connection, every server");
        // the last is counted when its answer is on its way
        while balancer.answered().iter().sum::<u64>() < 6 {
            tokio::task::yield_now().await;
        }
        assert_eq!(balancer.answered(), [2, 2, 2]);
        // one is gone without a word, another one is said to be gone
        let [first, _second, _third] = servers;
        drop(first);
        balancer.set(1, None);
        for _ in 0..3 {
            assert_eq!(send(&mut connection, b"x").await.as_deref(), Some("c 127.0.0.1"));
        }
        let mut cut = Connection::to(&balancer.url()).expect("an address");
        assert_eq!(send(&mut cut, b"die").await, None, "whoever asked has to ask again");
        balancer.set(0, None);
        balancer.set(2, None);
        let mut none = Connection::to(&balancer.url()).expect("an address");
        assert_eq!(send(&mut none, b"x").await, None);
    }
}
