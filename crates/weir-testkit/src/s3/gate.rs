//! What stands before the S3 server, and can be in the way.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// How often a held connection looks whether it may go on.
const GLANCE: Duration = Duration::from_millis(20);
/// How long a refused client may take to send what nobody reads.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a store that has too much to do says.
const BUSY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>SlowDown</Code><Message>Please reduce your \
                    request rate.</Message></Error>";

/// What the gate does with connections, each of which has one request.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Mode {
    /// Answers end after so many bytes, so many times; later ones pass.
    Cut { after: u64, times: usize },
    /// Requests that write wait; they end without an answer when that is over. Others pass.
    HoldWrites,
    /// Everything passes.
    #[default]
    Pass,
    /// Every request is answered with 503.
    Refuse,
    /// None comes about.
    Shut,
    /// Answers come so much later, or when that is over.
    Slow(Duration),
}

#[derive(Debug, Default)]
struct State {
    mode: Mode,
    server: Option<SocketAddr>,
    held: usize,
    /// Both ends of the connections that pass.
    open: Vec<TcpStream>,
}

impl State {
    /// Counts an answer that was cut; shorter ones do not count.
    fn has_cut(&mut self) {
        if let Mode::Cut { times, .. } = &mut self.mode {
            *times = times.saturating_sub(1);
        }
    }
}

#[derive(Debug)]
pub(super) struct Gate {
    address: SocketAddr,
    state: Mutex<State>,
}

impl Gate {
    /// Listens on a free port; until a server is named every connection ends.
    pub(super) fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let gate = Arc::new(Self { address: listener.local_addr().expect("an address"), state: Mutex::default() });
        let shared = Arc::clone(&gate);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let gate = Arc::clone(&shared);
                // whatever goes wrong between the two ends both connections
                thread::spawn(move || drop(gate.serve(client)));
            }
        });
        gate
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where requests go.
    pub(super) fn lead_to(&self, server: SocketAddr) {
        self.with(|state| state.server = Some(server));
    }

    pub(super) fn set(&self, mode: Mode) {
        self.with(|state| {
            state.mode = mode;
            if mode == Mode::Shut {
                for stream in state.open.drain(..) {
                    let _ = stream.shutdown(Shutdown::Both);
                }
            }
        });
    }

    /// Requests that wait in [`Mode::HoldWrites`].
    pub(super) fn held(&self) -> usize {
        self.with(|state| state.held)
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn mode(&self) -> Mode {
        self.with(|state| state.mode)
    }

    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let mut first = [0; 4];
        let seen = client.peek(&mut first)?;
        let writes = matches!(&first[..seen], b"PUT " | b"POST");
        if writes && self.mode() == Mode::HoldWrites {
            self.with(|state| state.held += 1);
            while self.mode() == Mode::HoldWrites {
                thread::sleep(GLANCE);
            }
            // half a request of a process that is gone must not reach the server
            self.with(|state| state.held -= 1);
            return Ok(());
        }
        if self.mode() == Mode::Refuse {
            return refuse(&mut client);
        }
        let server = self.with(|state| state.server).ok_or(io::ErrorKind::NotConnected)?;
        let mut upstream = TcpStream::connect(server)?;
        let (shares, limit, wait) = self.with(|state| {
            // under the lock: what is added after it was shut would stay open
            let ends = [client.try_clone()?, upstream.try_clone()?];
            let (limit, wait) = match state.mode {
                Mode::Shut => return Ok((false, 0, Duration::ZERO)),
                Mode::Cut { after, times: 1.. } => (after, Duration::ZERO),
                Mode::Slow(by) => (u64::MAX, by),
                _ => (u64::MAX, Duration::ZERO),
            };
            state.open.extend(ends);
            Ok::<_, io::Error>((true, limit, wait))
        })?;
        if !shares {
            return Ok(());
        }
        let (mut from, mut to) = (client.try_clone()?, upstream.try_clone()?);
        let there = thread::spawn(move || {
            let copied = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
            copied
        });
        let until = Instant::now() + wait;
        while Instant::now() < until && matches!(self.mode(), Mode::Slow(_)) {
            thread::sleep(GLANCE);
        }
        let back = io::copy(&mut (&mut upstream).take(limit), &mut client);
        if matches!(back, Ok(bytes) if bytes == limit) {
            self.with(State::has_cut);
        }
        for end in [&client, &upstream] {
            let _ = end.shutdown(Shutdown::Both);
        }
        let _ = there.join();
        back.map(drop)
    }
}

/// Answers that it is too much, and reads what else comes, so that the answer is not lost with the connection.
fn refuse(client: &mut TcpStream) -> io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    let head = format!(
        "HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{BUSY}",
        BUSY.len()
    );
    client.write_all(head.as_bytes())?;
    client.shutdown(Shutdown::Write)?;
    io::copy(client, &mut io::sink()).map(drop)
}
