//! A scripted receiver of webhooks: keeps what it is sent, and answers what it is told to.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{certificate::Certificate, service::Loopback};

/// Bytes of a request that are kept.
const LONGEST: usize = 16 << 20;

/// How a call is answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    /// HTTP status; 0 closes the connection without an answer.
    pub status: u16,
    /// The body.
    pub body: String,
    /// Where a redirect goes.
    pub location: Option<String>,
    /// How long it takes.
    pub delay: Duration,
}

impl Reply {
    /// A status with a short body.
    pub fn status(status: u16) -> Self {
        Self { status, body: "scripted".to_owned(), location: None, delay: Duration::ZERO }
    }
}

/// A call that the receiver got.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReceivedCall {
    /// The request line.
    pub line: String,
    /// Headers in the order of arrival, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// What it was answered.
    pub status: u16,
}

impl ReceivedCall {
    /// The first header of this name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Debug, Default)]
struct State {
    calls: Vec<ReceivedCall>,
    replies: VecDeque<Reply>,
    always: Option<Reply>,
}

/// The receiver; it ends when it is dropped.
#[derive(Debug)]
pub struct Receiver {
    state: Arc<Mutex<State>>,
    certificate: Option<Certificate>,
    service: Loopback,
}

impl Receiver {
    /// Plain HTTP on a free port of 127.0.0.1.
    pub fn plain() -> Self {
        Self::start(None)
    }

    /// HTTPS on a free port of 127.0.0.1.
    pub fn secure() -> Self {
        Self::start(Some(Certificate::new()))
    }

    fn start(certificate: Option<Certificate>) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let (shared, shown) = (Arc::clone(&state), certificate.clone());
        let service = Loopback::start("scripted-receiver", move |stream| {
            let (state, certificate) = (Arc::clone(&shared), shown.clone());
            async move {
                // who goes away early is of no interest
                let _ = serve(&state, certificate, stream).await;
            }
        });
        Self { state, certificate, service }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/hooks/weir", self.service.address)
    }

    /// The authority of its certificate, as PEM.
    pub fn authority(&self) -> String {
        self.certificate.as_ref().map(|certificate| certificate.authority.clone()).unwrap_or_default()
    }

    /// Answers one of the next calls so; without any it answers 200.
    pub fn reply(&self, reply: Reply) {
        lock(&self.state).replies.push_back(reply);
    }

    /// Answers all calls so that have no reply of their own.
    pub fn always(&self, reply: Option<Reply>) {
        lock(&self.state).always = reply;
    }

    /// Calls so far.
    pub fn calls(&self) -> Vec<ReceivedCall> {
        lock(&self.state).calls.clone()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(state: &Mutex<State>, certificate: Option<Certificate>, stream: TcpStream) -> std::io::Result<()> {
    match certificate {
        Some(certificate) => exchange(state, certificate.acceptor().accept(stream).await?).await,
        None => exchange(state, stream).await,
    }
}

/// One request and its answer; the connection ends with it.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(state: &Mutex<State>, mut stream: S) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = length(&head);
            if bytes.len() >= end + 4 + length {
                break (head, String::from_utf8_lossy(&bytes[end + 4..end + 4 + length]).into_owned());
            }
        }
        if bytes.len() > LONGEST || stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    };
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap_or_default().to_owned();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    let reply = {
        let mut state = lock(state);
        let reply = state.replies.pop_front().or_else(|| state.always.clone()).unwrap_or_else(|| Reply::status(200));
        state.calls.push(ReceivedCall { line, headers, body, status: reply.status });
        reply
    };
    tokio::time::sleep(reply.delay).await;
    if reply.status > 0 {
        let location = reply.location.map(|location| format!("Location: {location}\r\n")).unwrap_or_default();
        let answer = format!(
            "HTTP/1.1 {} Scripted\r\nContent-Length: {}\r\n{location}Connection: close\r\n\r\n{}",
            reply.status,
            reply.body.len(),
            reply.body
        );
        stream.write_all(answer.as_bytes()).await?;
    }
    stream.shutdown().await
}

fn length(head: &str) -> usize {
    let lines = head.split("\r\n").filter_map(|line| line.split_once(": "));
    let found = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).map(|(_, value)| value.parse());
    found.last().and_then(Result::ok).unwrap_or_default()
}
