//! A plain HTTP/1.1 client over one connection at a time, which does what it is told and nothing more.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, client::conn::http1::SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpSocket, TcpStream};
use weir_wire::xpress;

/// Largest body that is accepted, decoded.
const LIMIT: usize = 512 << 20;

/// An answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers in the order of arrival, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body, `Content-Encoding: xpress` undone.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of this name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A keep-alive connection to one server, opened when first needed and again after the server closed it.
#[derive(Debug)]
pub struct Connection {
    authority: String,
    /// Where it comes from; else the system chooses.
    local: Option<Ipv4Addr>,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// To the server of `url`, such as `http://127.0.0.1:8530/anything`.
    ///
    /// # Errors
    ///
    /// It is not an `http` address.
    pub fn to(url: &str) -> Result<Self> {
        let (authority, _) = split(url)?;
        Ok(Self { authority: authority.to_owned(), local: None, sender: None })
    }

    /// The same from another address of this machine: every one of 127.0.0.0/8 is one.
    #[must_use]
    pub fn from(mut self, local: Ipv4Addr) -> Self {
        self.local = Some(local);
        self.sender = None;
        self
    }

    /// `host:port`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Sends a request and reads the whole answer. `Host` is added unless given. A request that meets a connection
    /// which the server closed meanwhile is sent once more.
    pub async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
        let reused = self.sender.is_some();
        match self.exchange(method, path, headers, body).await {
            Err(_) if reused => {
                self.sender = None;
                self.exchange(method, path, headers, body).await
            }
            result => result,
        }
        .with_context(|| format!("{method} {path} at {}", self.authority))
    }

    async fn exchange(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            request = request.header("Host", &self.authority);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body)))?;
        let response = self.open().await?.send_request(request).await?;
        let status = response.status().as_u16();
        let headers: Vec<_> = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let mut answer = Answer { status, headers, body: response.into_body().collect().await?.to_bytes().into() };
        match answer.header("content-encoding") {
            None => {}
            Some("xpress") => {
                answer.body = xpress::decompress(&answer.body, LIMIT).context("the body is not Xpress")?;
            }
            Some(other) => bail!("Content-Encoding {other} was not asked for"),
        }
        Ok(answer)
    }

    async fn open(&mut self) -> Result<&mut SendRequest<Full<Bytes>>> {
        let usable = match &mut self.sender {
            Some(sender) => sender.ready().await.is_ok(),
            None => false,
        };
        if !usable {
            let stream = match self.local {
                None => TcpStream::connect(&self.authority).await,
                Some(local) => {
                    let socket = TcpSocket::new_v4()?;
                    socket.bind((local, 0).into())?;
                    socket.connect(self.authority.parse().context("an address and a port are wanted")?).await
                }
            };
            let stream = stream.with_context(|| format!("cannot connect to {}", self.authority))?;
            stream.set_nodelay(true)?;
            let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(async move {
                // its end shows at the sender
                let _ = connection.await;
            });
            self.sender = Some(sender);
        }
        self.sender.as_mut().context("no connection")
    }
}

/// Authority and path of an `http` address.
pub(crate) fn split(url: &str) -> Result<(&str, &str)> {
    let Some(rest) = url.strip_prefix("http://") else { bail!("{url} is not an http address") };
    let (authority, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
    if authority.is_empty() {
        bail!("{url} has no host");
    }
    Ok((authority, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_split() {
        assert_eq!(split("http://h:1/a/b").expect("valid"), ("h:1", "/a/b"));
        assert_eq!(split("http://h:1").expect("valid"), ("h:1", "/"));
        assert!(split("https://h").is_err() && split("http:///x").is_err());
    }
}
