//! What the items share: messages written by hand, bytes as they come over the wire, and everything that is stored.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use weir_model::ids::{RevisionId, UpdateIdentity};
use weir_testkit::{ScriptedAgent, engine::Direct};
use weir_wire::{
    soap::{ErrorCode, SoapVersion},
    wusp::{
        Cookie, SyncInfo, SyncUpdateParameters, SyncUpdates,
        client::{Call, CallError, ReceivedFault},
    },
};

use crate::common::Server;

pub(crate) const NS_C: &str = "http://www.microsoft.com/SoftwareDistribution/Server/ClientWebService";
pub(crate) const NS_A: &str = "http://www.microsoft.com/SoftwareDistribution/Server/SimpleAuthWebService";
pub(crate) const NS_R: &str = "http://www.microsoft.com/SoftwareDistribution";
pub(crate) const CLIENT: &str = "/ClientWebService/client.asmx";
pub(crate) const AUTH: &str = "/SimpleAuthWebService/SimpleAuth.asmx";
pub(crate) const REPORTING: &str = "/ReportingWebService/ReportingWebService.asmx";
pub(crate) const SOAP11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
pub(crate) const SOAP12: &str = "http://www.w3.org/2003/05/soap-envelope";

/// An envelope of SOAP 1.1 around an operation of any service.
pub(crate) fn message(namespace: &str, operation: &str, payload: &str) -> String {
    message_in(SOAP11, namespace, operation, payload)
}

/// An envelope of either version.
pub(crate) fn message_in(soap: &str, namespace: &str, operation: &str, payload: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"{soap}\"><s:Body><{operation} xmlns=\"{namespace}\">{payload}</{operation}></s:Body>\
         </s:Envelope>"
    )
}

/// `<cookie>` as an agent echoes it.
pub(crate) fn cookie_xml(cookie: &Cookie) -> String {
    let sealed = BASE64.encode(cookie.sealed().expect("sealed"));
    let expiration = cookie.expiration.expect("expiration");
    format!("<cookie><Expiration>{expiration}</Expiration><EncryptedData>{sealed}</EncryptedData></cookie>")
}

/// An agent that has scanned, and its cookie.
pub(crate) async fn ready(server: &Server) -> (ScriptedAgent, Cookie) {
    let mut agent = server.agent(1);
    agent.scan().await.expect("scan");
    let cookie = agent.state.cookie.clone().expect("cookie");
    (agent, cookie)
}

/// The fault in an error; anything else fails the test.
pub(crate) fn fault_of(error: &anyhow::Error) -> ReceivedFault {
    match error.downcast_ref() {
        Some(CallError::Fault { fault, .. }) => (**fault).clone(),
        _ => panic!("not a fault: {error:#}"),
    }
}

/// Calls, and gives the fault's code and message; None if it was answered.
pub(crate) async fn refused<C: Call>(agent: &mut ScriptedAgent, request: &C) -> Option<(ErrorCode, String)> {
    let error = agent.call(request).await.err()?;
    let fault = fault_of(&error);
    Some((fault.code().expect("a known code"), fault.message.unwrap_or_default()))
}

/// The fault's code alone.
pub(crate) async fn code<C: Call>(agent: &mut ScriptedAgent, request: &C) -> Option<ErrorCode> {
    refused(agent, request).await.map(|(code, _)| code)
}

/// A software pass that names nothing.
pub(crate) fn sync(cookie: &Cookie) -> SyncUpdates {
    SyncUpdates { cookie: Some(cookie.clone()), parameters: Some(SyncUpdateParameters::new()) }
}

/// One software pass.
pub(crate) async fn pass(agent: &mut ScriptedAgent, cookie: &Cookie) -> SyncInfo {
    agent.call(&sync(cookie)).await.expect("answered").result.expect("result")
}

/// The agent's number of a revision.
pub(crate) fn rid(agent: &ScriptedAgent, identity: UpdateIdentity) -> RevisionId {
    RevisionId(agent.revision_id(identity).expect("in the cache"))
}

/// An answer before anything is undone.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Raw {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A connection that sends bytes and reads whole answers, by their Content-Length, without interpreting them.
pub(crate) struct Wire(pub(crate) TcpStream);

impl Wire {
    pub(crate) async fn to(base: &str) -> Self {
        let stream = TcpStream::connect(base.strip_prefix("http://").expect("http")).await.expect("connection");
        stream.set_nodelay(true).expect("option");
        Self(stream)
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("sent");
    }

    /// None if the other side closed first.
    pub(crate) async fn answer(&mut self) -> Option<Raw> {
        self.answer_to("GET").await
    }

    pub(crate) async fn answer_to(&mut self, method: &str) -> Option<Raw> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).expect("text");
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().expect("status");
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut raw = Raw { status, headers, body: Vec::new() };
        if method != "HEAD" && status != 304 {
            let length = raw.header("content-length").expect("Content-Length").parse().expect("a number");
            raw.body = vec![0; length];
            self.0.read_exact(&mut raw.body).await.ok()?;
        }
        Some(raw)
    }

    /// One POST on this connection.
    pub(crate) async fn post(&mut self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Raw {
        let mut head = format!("POST {path} HTTP/1.1\r\nHost: weir.test\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n").expect("written");
        }
        head.push_str("\r\n");
        self.send(head.as_bytes()).await;
        self.send(body).await;
        self.answer().await.expect("answer")
    }
}

/// Encodes a request as the agent does.
pub(crate) fn encoded<C: Call>(request: &C) -> String {
    let mut body = String::new();
    request.encode(&mut body, SoapVersion::V11);
    body
}

/// Every row of every table, in words: what is stored, to the last byte.
pub(crate) fn stored(server: &Server) -> BTreeMap<String, Vec<String>> {
    stored_in(server.folder())
}

/// The same of a data folder.
pub(crate) fn stored_in(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let database = Direct::of(folder);
    let tables = database.tables();
    assert!(tables.len() > 20, "{tables:?}");
    let rows = |table: &String| {
        let rows = database.query(&format!("SELECT * FROM \"{table}\""), &[]);
        let mut rows: Vec<String> = rows.iter().map(|row| row.join(";")).collect();
        rows.sort_unstable();
        rows
    };
    tables.iter().map(|table| (table.clone(), rows(table))).collect()
}
