//! Connections, and what goes wrong on them.

use std::{
    future,
    sync::{Arc, Mutex},
};

use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use uuid::Uuid;
use weir_wire::{
    soap::{ErrorCode, Fault, Hints, SoapVersion},
    wsss::{self, Operation, Request, Service, request_limits},
};

use super::{At, Received, Served, Trouble, answer, content, lock, replay::Recording};
use crate::raw::{self, Head, Incoming};

/// Everything that the connections share.
#[derive(Debug)]
pub(super) struct State {
    pub(super) served: Served,
    pub(super) recording: Option<Recording>,
    pub(super) troubles: Vec<(At, Trouble)>,
    pub(super) log: Vec<Received>,
}

/// What to do about a request.
enum Reply {
    /// Send this.
    Send(Vec<u8>),
    /// Send this and close the connection.
    SendAndClose(Vec<u8>),
    /// Send this, then the second text again and again.
    Endless(Vec<u8>, Vec<u8>),
    /// Close the connection.
    Close,
    /// Do nothing.
    Hang,
}

/// Serves one connection.
pub(super) async fn connection(stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut incoming = Incoming::new(stream);
    while let Ok(Some(head)) = incoming.head().await {
        let end = head.end_of_request();
        let Ok(body) = incoming.body(end).await else { return };
        let body = raw::content(end, body);
        let reply = lock(&state).receive(&head, &body);
        let stream = incoming.stream();
        match reply {
            Reply::Send(bytes) => {
                if stream.write_all(&bytes).await.is_err() || head.closes() {
                    return;
                }
            }
            Reply::SendAndClose(bytes) => {
                let _ = stream.write_all(&bytes).await;
                return;
            }
            Reply::Endless(first, again) => {
                let mut sent = stream.write_all(&first).await;
                while sent.is_ok() {
                    sent = stream.write_all(&again).await;
                }
                return;
            }
            Reply::Close => return,
            Reply::Hang => future::pending().await,
        }
    }
}

/// An answer as it should be.
pub(super) struct Right {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Right {
    pub(super) fn soap(status: u16, version: SoapVersion, body: String) -> Self {
        Self { status, headers: vec![("Content-Type", version.content_type().to_owned())], body: body.into_bytes() }
    }

    pub(super) fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    fn head(&self, length: Option<usize>) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(length) = length {
            head.push_str(&format!("Content-Length: {length}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    fn bytes(&self) -> Vec<u8> {
        [self.head(Some(self.body.len())), self.body.clone()].concat()
    }
}

impl State {
    pub(super) fn new(served: Served, recording: Option<Recording>) -> Self {
        Self { served, recording, troubles: Vec::new(), log: Vec::new() }
    }

    /// Takes a request in.
    fn receive(&mut self, head: &Head, body: &[u8]) -> Reply {
        let mut words = head.start.split(' ').map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let hints = Hints { content_type: head.header("content-type"), soap_action: head.header("soapaction") };
        let service = Service::of_path(&path).filter(|_| method == "POST");
        let parsed = service.map(|service| wsss::parse(service, hints, body, &request_limits(256 << 20)));
        let (version, request, rejection) = match parsed {
            Some(Ok(parsed)) => (parsed.version, Some(parsed.request), None),
            Some(Err(rejection)) => (rejection.version, None, Some(rejection)),
            None => (SoapVersion::V11, None, None),
        };
        let received = Received {
            number: self.log.len() + 1,
            method,
            path,
            headers: head.headers.clone(),
            body: String::from_utf8_lossy(body).into_owned(),
            request,
            status: None,
        };
        self.log.push(received);
        let trouble = self.next_trouble();
        let base = format!("http://{}", head.header("host").unwrap_or("127.0.0.1"));
        let Some(received) = self.log.last().cloned() else { return Reply::Close };
        let right = match (&received.request, rejection) {
            (Some(request), _) => self.answer(request, version, &base, &received.path),
            (None, Some(rejection)) => {
                let fault = rejection.into_fault(Uuid::from_u128(1));
                write_fault(&fault, service.unwrap_or(Service::ServerSync), version, &base)
            }
            (None, None) => content::answer(&self.served, &received, head.header("range")),
        };
        let operation = received.operation().unwrap_or(Operation::GetAuthConfig);
        let (reply, status) = spoil(trouble, right, operation, version, &base);
        if let Some(received) = self.log.last_mut() {
            received.status = status;
        }
        reply
    }

    fn answer(&mut self, request: &Request, version: SoapVersion, base: &str, path: &str) -> Right {
        let operation = request.operation();
        let recorded = self.recording.as_ref().and_then(|recording| recording.answer(request, version));
        match recorded.unwrap_or_else(|| answer::answer(&mut self.served, request, version, base)) {
            Ok(body) => Right::soap(200, version, body),
            Err((code, message)) => {
                let fault = wsss::fault(operation, code, message, Uuid::from_u128(self.log.len() as u128));
                write_fault(&fault, operation.service(), version, &format!("{base}{path}"))
            }
        }
    }

    /// Carries out the changes due at the request that was logged last, and takes the trouble that befalls it.
    fn next_trouble(&mut self) -> Option<Trouble> {
        let last = self.log.last()?;
        let is_content = |received: &Received| received.request.is_none() && received.method != "POST";
        let count = |wanted: &dyn Fn(&Received) -> bool| self.log.iter().filter(|received| wanted(received)).count();
        let (number, operation) = (self.log.len(), last.operation());
        let of_operation = count(&|received| received.operation() == operation);
        let of_content = is_content(last).then(|| count(&is_content));
        let due = |at: &At| match *at {
            At::Content(n) => of_content == Some(n),
            At::Every(wanted) => operation == Some(wanted),
            At::Operation(wanted, n) => operation == Some(wanted) && of_operation == n,
            At::Request(n) => number == n,
        };
        let (mut changes, mut found) = (Vec::new(), None);
        let mut kept = Vec::new();
        for (at, trouble) in std::mem::take(&mut self.troubles) {
            match (due(&at), trouble) {
                (true, Trouble::Change(change)) => changes.push(change),
                (true, trouble) if found.is_none() => {
                    if matches!(at, At::Every(_)) {
                        kept.extend(trouble.again().map(|again| (at, again)));
                    }
                    found = Some(trouble);
                }
                (_, trouble) => kept.push((at, trouble)),
            }
        }
        self.troubles = kept;
        for change in changes {
            change(&mut self.served);
        }
        found
    }
}

fn write_fault(fault: &Fault, service: Service, version: SoapVersion, url: &str) -> Right {
    let mut body = String::new();
    fault.write(&mut body, service, version, url);
    Right::soap(500, version, body)
}

/// Turns the right answer into what is sent, and says with which status.
fn spoil(
    trouble: Option<Trouble>,
    mut right: Right,
    operation: Operation,
    version: SoapVersion,
    base: &str,
) -> (Reply, Option<u16>) {
    let send = |right: Right| (Reply::Send(right.bytes()), Some(right.status));
    match trouble {
        None | Some(Trouble::Change(_)) => send(right),
        Some(Trouble::Answer(body)) => send(Right::soap(200, version, body)),
        Some(Trouble::Close) => (Reply::Close, None),
        Some(Trouble::Endless) => {
            let again = "<ServerSyncUpdateData><Unknown>text</Unknown></ServerSyncUpdateData>".repeat(1_000);
            let first = endless_head(operation, version);
            let right = Right::soap(200, version, String::new());
            (Reply::Endless([right.head(None), first.into_bytes()].concat(), again.into_bytes()), Some(200))
        }
        Some(Trouble::Fault(code)) => {
            // Any code may be wanted, so a genuine fault gets another text.
            let fault = wsss::fault(operation, ErrorCode::ServerBusy, String::new(), Uuid::from_u128(2));
            let mut right = write_fault(&fault, operation.service(), version, base);
            let text = String::from_utf8_lossy(&right.body).replace(ErrorCode::ServerBusy.name(), &code);
            right.body = text.into_bytes();
            send(right)
        }
        Some(Trouble::Garbage) => {
            let page = "<!DOCTYPE html><html><body><h1>It works!</h1><br></body></html>";
            send(Right { status: 200, headers: vec![("Content-Type", "text/html".to_owned())], body: page.into() })
        }
        Some(Trouble::Hang) => (Reply::Hang, None),
        Some(Trouble::Status(status)) => send(Right::status(status)),
        Some(Trouble::Truncated) => {
            let half = right.body.len() / 2;
            let bytes = [&right.head(Some(right.body.len())), &right.body[..half]].concat();
            (Reply::SendAndClose(bytes), Some(right.status))
        }
        Some(Trouble::WrongContent) => {
            if let Some(byte) = right.body.last_mut() {
                *byte ^= 0xFF;
            }
            send(right)
        }
    }
}

/// An answer down to its first list.
fn endless_head(operation: Operation, version: SoapVersion) -> String {
    let namespace = match version {
        SoapVersion::V11 => "http://schemas.xmlsoap.org/soap/envelope/",
        SoapVersion::V12 => "http://www.w3.org/2003/05/soap-envelope",
    };
    format!(
        "<soap:Envelope xmlns:soap=\"{namespace}\"><soap:Body><{operation}Response xmlns=\"{}\"><{operation}Result><updates>",
        operation.namespace()
    )
}
