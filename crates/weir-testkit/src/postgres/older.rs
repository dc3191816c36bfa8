//! A server that says it is of an older release.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{Cluster, Link};
use crate::service::Loopback;

/// Requests for TLS and for GSSAPI, which come before anything else.
const ENCRYPTED: [u32; 2] = [80_877_103, 80_877_104];
/// No message of the tests is longer.
const LONGEST: usize = 64 << 20;

/// Stands before a cluster: whoever asks it for its release is told that it is PostgreSQL 13, by whatever way of asking.
#[derive(Debug)]
pub struct OlderServer {
    loopback: Loopback,
}

impl OlderServer {
    /// Begins it.
    ///
    /// # Panics
    ///
    /// If the cluster does not say which release it is.
    pub fn before(cluster: &Cluster) -> Self {
        let asked = Link::open(&cluster.url("postgres")).and_then(|link| {
            link.query("SELECT current_setting('server_version_num'), current_setting('server_version')")
        });
        let (_, rows) = asked.expect("its release");
        let (number, text) = (rows[0][0].clone(), rows[0][1].clone());
        let text = text.split(' ').next().expect("a word").to_owned();
        let older = |text: &str| format!("13{}", &text[2..]);
        let binary = |text: &str| text.parse::<u32>().expect("a number").to_be_bytes().to_vec();
        let pairs = vec![
            (number.clone().into_bytes(), older(&number).into_bytes()),
            (text.clone().into_bytes(), older(&text).into_bytes()),
            (binary(&number), binary(&older(&number))),
        ];
        let server = cluster.address();
        let loopback = Loopback::start("an older PostgreSQL", move |client| {
            let pairs = pairs.clone();
            async move {
                // either side may go away
                let _ = pass(client, server, &pairs).await;
            }
        });
        Self { loopback }
    }

    /// The address of a database of it.
    pub fn url(&self, name: &str) -> String {
        format!("postgres://postgres@{}/{name}", self.loopback.address)
    }
}

/// Passes messages on, those of the server with the second of each pair in place of the first.
async fn pass(client: TcpStream, server: SocketAddr, pairs: &[(Vec<u8>, Vec<u8>)]) -> io::Result<()> {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = TcpStream::connect(server).await?.into_split();
    let mut first = message(&mut from_client).await?;
    while ENCRYPTED.iter().any(|code| code.to_be_bytes()[..] == first[..]) {
        to_client.write_all(b"N").await?;
        first = message(&mut from_client).await?;
    }
    send(&mut to_server, &first).await?;
    tokio::select! {
        asked = tokio::io::copy(&mut from_client, &mut to_server) => asked.map(drop),
        answered = answer(&mut from_server, &mut to_client, pairs) => answered,
    }
}

/// Passes the server's messages on.
async fn answer(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    pairs: &[(Vec<u8>, Vec<u8>)],
) -> io::Result<()> {
    loop {
        let kind = from.read_u8().await?;
        let mut body = message(from).await?;
        for (release, older) in pairs {
            replace(&mut body, release, older);
        }
        to.write_u8(kind).await?;
        send(to, &body).await?;
    }
}

/// A message behind its length.
async fn message(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let length = (from.read_u32().await? as usize).saturating_sub(4);
    if length > LONGEST {
        return Err(io::Error::other("a message is too long"));
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).await?;
    Ok(body)
}

async fn send(to: &mut (impl AsyncWrite + Unpin), body: &[u8]) -> io::Result<()> {
    to.write_u32(body.len() as u32 + 4).await?;
    to.write_all(body).await
}

/// Writes `to`, which is as long, wherever `from` is.
fn replace(body: &mut [u8], from: &[u8], to: &[u8]) {
    let mut at = 0;
    while at + from.len() <= body.len() {
        if body[at..].starts_with(from) {
            body[at..at + to.len()].copy_from_slice(to);
            at += to.len();
        } else {
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_that_it_is_of_another_release() {
        let cluster = Cluster::start();
        let older = OlderServer::before(&cluster);
        let link = Link::open(&older.url("postgres")).expect("a connection");
        let ask = "SELECT current_setting('server_version_num'), current_setting('server_version_num')::int, version()";
        let (_, rows) = link.query(ask).expect("rows");
        assert!(rows[0][0].starts_with("130") && rows[0][1].starts_with("130"), "{rows:?}");
        assert!(rows[0][2].starts_with("PostgreSQL 13."), "{rows:?}");
    }
}
