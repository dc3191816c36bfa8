//! A scripted mail server (SMTP, RFC 5321; STARTTLS, RFC 3207; AUTH, RFC 4954) that keeps what it is given.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use crate::{certificate::Certificate, service::Loopback};

/// Bytes of a message that are kept.
const LONGEST: usize = 16 << 20;

/// How the way to the server is encrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MailTls {
    /// From the first byte on.
    Implicit,
    /// Never.
    None,
    /// After STARTTLS; nothing else is taken before.
    StartTls,
}

/// What the server does instead of what it should, with one connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MailFault {
    /// Takes the message and closes the connection without an answer.
    Cut,
    /// Greets with this code.
    Greeting(u16),
    /// Answers the message with this code.
    Message(u16),
    /// Says nothing at all.
    Silent,
}

/// A message that the server took.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReceivedMail {
    /// Who sent it (the envelope).
    pub from: String,
    /// Who gets it (the envelope).
    pub to: Vec<String>,
    /// Headers and body, without the dots of the transfer.
    pub text: String,
    /// The connection was encrypted.
    pub encrypted: bool,
    /// Who signed in.
    pub user: Option<String>,
}

impl ReceivedMail {
    /// A header, unfolded, if it is there once.
    pub fn header(&self, name: &str) -> Option<String> {
        let (head, _) = self.text.split_once("\r\n\r\n")?;
        let unfolded = head.replace("\r\n ", " ");
        let mut found =
            unfolded.split("\r\n").filter_map(|line| line.split_once(": ")).filter(|(known, _)| *known == name);
        let value = found.next()?.1.to_owned();
        found.next().is_none().then_some(value)
    }

    /// The decoded part of this type, such as `text/plain`.
    pub fn part(&self, kind: &str) -> Option<String> {
        let at = self.text.find(&format!("Content-Type: {kind}"))?;
        let (_, body) = self.text.get(at..)?.split_once("\r\n\r\n")?;
        let (body, _) = body.split_once("\r\n--")?;
        let bytes = STANDARD.decode(body.replace("\r\n", "")).ok()?;
        String::from_utf8(bytes).ok()
    }
}

#[derive(Debug, Default)]
struct State {
    received: Vec<ReceivedMail>,
    faults: VecDeque<MailFault>,
    refused: HashMap<String, u16>,
    account: Option<(String, String)>,
    connections: u64,
}

#[derive(Debug)]
struct Shared {
    tls: MailTls,
    certificate: Certificate,
    state: Mutex<State>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server; it ends when it is dropped.
#[derive(Debug)]
pub struct MailServer {
    shared: Arc<Shared>,
    service: Loopback,
}

impl MailServer {
    /// Listens on a free port of 127.0.0.1.
    pub fn start(tls: MailTls) -> Self {
        let shared = Arc::new(Shared { tls, certificate: Certificate::new(), state: Mutex::default() });
        let serving = Arc::clone(&shared);
        let service = Loopback::start("scripted-mail", move |stream| serve(Arc::clone(&serving), stream));
        Self { shared, service }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.service.address.port()
    }

    /// The authority of its certificate, as PEM.
    pub fn authority(&self) -> String {
        self.shared.certificate.authority.clone()
    }

    /// Wants this user and password before it takes anything.
    pub fn account(&self, user: &str, password: &str) {
        self.shared.state().account = Some((user.to_owned(), password.to_owned()));
    }

    /// Does this with one of the next connections.
    pub fn fault(&self, fault: MailFault) {
        self.shared.state().faults.push_back(fault);
    }

    /// Answers this code for a receiver.
    pub fn refuse(&self, receiver: &str, code: u16) {
        self.shared.state().refused.insert(receiver.to_owned(), code);
    }

    /// Messages that it took so far.
    pub fn received(&self) -> Vec<ReceivedMail> {
        self.shared.state().received.clone()
    }

    /// Connections that were made so far.
    pub fn connections(&self) -> u64 {
        self.shared.state().connections
    }
}

async fn serve(shared: Arc<Shared>, stream: TcpStream) {
    let fault = {
        let mut state = shared.state();
        state.connections += 1;
        state.faults.pop_front()
    };
    if fault == Some(MailFault::Silent) {
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        return;
    }
    // who goes away early is of no interest
    let _ = match shared.tls {
        MailTls::Implicit => match shared.certificate.acceptor().accept(stream).await {
            Ok(stream) => talk(&shared, stream, fault.as_ref(), true, true).await.map(drop),
            Err(error) => Err(error),
        },
        MailTls::None | MailTls::StartTls => match talk(&shared, stream, fault.as_ref(), false, true).await {
            Ok(Some(stream)) => match shared.certificate.acceptor().accept(stream).await {
                Ok(stream) => talk(&shared, stream, fault.as_ref(), true, false).await.map(drop),
                Err(error) => Err(error),
            },
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        },
    };
}

/// A conversation. Gives the connection back when it is to be encrypted.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    shared: &Shared,
    stream: S,
    fault: Option<&MailFault>,
    encrypted: bool,
    greet: bool,
) -> std::io::Result<Option<S>> {
    let mut stream = BufReader::new(stream);
    if greet {
        if let Some(MailFault::Greeting(code)) = fault {
            say(&mut stream, &format!("{code} not now")).await?;
            return Ok(None);
        }
        say(&mut stream, "220 scripted.example ESMTP").await?;
    }
    let (mut from, mut to, mut user) = (String::new(), Vec::new(), None::<String>);
    loop {
        let Some(line) = line(&mut stream).await? else { return Ok(None) };
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let bare = shared.tls == MailTls::StartTls && !encrypted;
        let locked = shared.state().account.is_some() && user.is_none();
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" => {
                say(&mut stream, "250-scripted.example").await?;
                if bare {
                    say(&mut stream, "250-STARTTLS").await?;
                } else if shared.state().account.is_some() {
                    say(&mut stream, "250-AUTH PLAIN LOGIN").await?;
                }
                say(&mut stream, "250 SIZE 16777216").await?;
            }
            "STARTTLS" if bare => {
                say(&mut stream, "220 go on").await?;
                return Ok(Some(stream.into_inner()));
            }
            "QUIT" => {
                say(&mut stream, "221 bye").await?;
                return Ok(None);
            }
            "RSET" | "NOOP" => say(&mut stream, "250 ok").await?,
            _ if bare => say(&mut stream, "530 5.7.0 Must issue a STARTTLS command first").await?,
            "AUTH" => {
                let given = rest.split_once(' ').map(|(_, response)| response).unwrap_or_default();
                let text = STANDARD.decode(given).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                let text = text.unwrap_or_default();
                let mut parts = text.split('\0').skip(1);
                let pair = (parts.next().unwrap_or_default().to_owned(), parts.next().unwrap_or_default().to_owned());
                if shared.state().account.as_ref() == Some(&pair) {
                    user = Some(pair.0);
                    say(&mut stream, "235 2.7.0 welcome").await?;
                } else {
                    say(&mut stream, "535 5.7.8 wrong user or password").await?;
                }
            }
            _ if locked => say(&mut stream, "530 5.7.0 sign in first").await?,
            "MAIL" => {
                from = address(rest);
                to.clear();
                say(&mut stream, "250 ok").await?;
            }
            "RCPT" => {
                let receiver = address(rest);
                let code = shared.state().refused.get(&receiver).copied();
                match code {
                    Some(code) => say(&mut stream, &format!("{code} 5.1.1 not {receiver}")).await?,
                    None => {
                        to.push(receiver);
                        say(&mut stream, "250 ok").await?;
                    }
                }
            }
            "DATA" => {
                say(&mut stream, "354 go on").await?;
                let Some(text) = message(&mut stream).await? else { return Ok(None) };
                match fault {
                    Some(MailFault::Message(code)) => say(&mut stream, &format!("{code} not this")).await?,
                    other => {
                        let mail =
                            ReceivedMail { from: from.clone(), to: to.clone(), text, encrypted, user: user.clone() };
                        shared.state().received.push(mail);
                        if other == Some(&MailFault::Cut) {
                            return Ok(None);
                        }
                        say(&mut stream, "250 2.0.0 kept").await?;
                    }
                }
            }
            _ => say(&mut stream, "502 5.5.1 what?").await?,
        }
    }
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>, text: &str) -> std::io::Result<()> {
    stream.get_mut().write_all(format!("{text}\r\n").as_bytes()).await?;
    stream.get_mut().flush().await
}

async fn line<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>) -> std::io::Result<Option<String>> {
    let mut text = String::new();
    if stream.read_line(&mut text).await? == 0 {
        return Ok(None);
    }
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// A message up to its dot; leading dots are undone.
async fn message<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>) -> std::io::Result<Option<String>> {
    let mut text = String::new();
    while text.len() < LONGEST {
        let Some(next) = line(stream).await? else { return Ok(None) };
        if next == "." {
            return Ok(Some(text));
        }
        text.push_str(next.strip_prefix('.').unwrap_or(&next));
        text.push_str("\r\n");
    }
    Ok(None)
}

/// What stands between the angle brackets.
fn address(text: &str) -> String {
    let inner = text.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or_else(String::new, |(address, _)| address.to_owned())
}
