//! HTTP/1.1 messages as bytes, for servers and proxies that must be able to do it wrong.

use std::io;

use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    net::TcpStream,
};

/// Longest start line and headers.
const HEAD: usize = 64 << 10;
/// Longest body.
const BODY: usize = 1 << 30;

/// Start line and headers of a message.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    /// As received, with the empty line.
    pub(crate) bytes: Vec<u8>,
    /// The start line.
    pub(crate) start: String,
    /// In order, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
}

/// Where a body ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    Chunked,
    Length(usize),
    Connection,
}

impl Head {
    fn parse(bytes: Vec<u8>) -> Self {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut lines = text.lines();
        let start = lines.next().unwrap_or_default().to_owned();
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers = lines.filter_map(header).collect();
        Self { bytes, start, headers }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn end(&self, without: End) -> End {
        let chunked = self.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
        let length = || self.header("content-length").and_then(|value| value.parse().ok());
        if chunked { End::Chunked } else { length().map_or(without, End::Length) }
    }

    /// Where the body of a request ends.
    pub(crate) fn end_of_request(&self) -> End {
        self.end(End::Length(0))
    }

    /// Where the body of an answer to this request ends.
    pub(crate) fn end_of_answer(&self, request: &Self) -> End {
        let status = self.start.split(' ').nth(1).unwrap_or_default();
        let bodiless = request.start.starts_with("HEAD ") || status.starts_with('1') || matches!(status, "204" | "304");
        if bodiless { End::Length(0) } else { self.end(End::Connection) }
    }

    /// Whether the sender closes the connection behind its message.
    pub(crate) fn closes(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

/// The reading side of a connection.
#[derive(Debug)]
pub(crate) struct Incoming<R> {
    source: R,
    buffer: Vec<u8>,
}

impl Incoming<TcpStream> {
    /// The connection, to write to.
    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        &mut self.source
    }
}

impl<R: AsyncRead + Unpin> Incoming<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { source, buffer: Vec::new() }
    }

    /// Reads more; false at the end.
    async fn more(&mut self) -> io::Result<bool> {
        let mut chunk = vec![0; 64 << 10];
        let count = self.source.read(&mut chunk).await?;
        self.buffer.extend_from_slice(&chunk[..count]);
        Ok(count > 0)
    }

    /// Start line and headers of the next message; none if the peer is done.
    pub(crate) async fn head(&mut self) -> io::Result<Option<Head>> {
        loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                let rest = self.buffer.split_off(at + 4);
                return Ok(Some(Head::parse(std::mem::replace(&mut self.buffer, rest))));
            }
            if self.buffer.len() > HEAD {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "endless headers"));
            }
            if !self.more().await? {
                return if self.buffer.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        }
    }

    /// The body of a message as it is on the wire, chunk sizes included.
    pub(crate) async fn body(&mut self, end: End) -> io::Result<Vec<u8>> {
        loop {
            if self.buffer.len() > BODY {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "endless body"));
            }
            let length = match end {
                End::Length(length) => (self.buffer.len() >= length).then_some(length),
                End::Chunked => end_of_chunks(&self.buffer),
                End::Connection => None,
            };
            if let Some(length) = length {
                let rest = self.buffer.split_off(length);
                return Ok(std::mem::replace(&mut self.buffer, rest));
            }
            if !self.more().await? {
                let complete = end == End::Connection;
                let all = std::mem::take(&mut self.buffer);
                return if complete { Ok(all) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// One chunk at a place: where its data is, and where the next begins.
fn chunk(bytes: &[u8], at: usize) -> Option<(std::ops::Range<usize>, usize)> {
    let line = find(bytes.get(at..)?, b"\r\n")?;
    let text = std::str::from_utf8(bytes.get(at..at + line)?).ok()?;
    let size = usize::from_str_radix(text.split(';').next()?.trim(), 16).ok()?;
    let data = at + line + 2..at + line + 2 + size;
    let next = data.end + 2;
    (bytes.len() >= next).then_some((data, next))
}

/// How long a complete chunked body at the start of `bytes` is. Trailers are not expected.
fn end_of_chunks(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let (data, next) = chunk(bytes, at)?;
        if data.is_empty() {
            return Some(next);
        }
        at = next;
    }
}

/// The content of a body that is on the wire like this.
pub(crate) fn content(end: End, wire: Vec<u8>) -> Vec<u8> {
    if end != End::Chunked {
        return wire;
    }
    let (mut all, mut at) = (Vec::with_capacity(wire.len()), 0);
    while let Some((data, next)) = chunk(&wire, at) {
        if data.is_empty() {
            break;
        }
        all.extend_from_slice(&wire[data]);
        at = next;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined() {
        let wire = b"5\r\nhello\r\n1;x=y\r\n \r\n5\r\nworld\r\n0\r\n\r\n".to_vec();
        assert_eq!(end_of_chunks(&wire), Some(wire.len()));
        for cut in 0..wire.len() {
            assert_eq!(end_of_chunks(&wire[..cut]), None, "{cut}");
        }
        assert_eq!(content(End::Chunked, wire), b"hello world");
    }
}
