//! HTTP/1.1 over one connection at a time: little memory per agent, one TCP connection per scan as native agents have it.

use std::{io::ErrorKind, net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, client::conn::http1::SendRequest};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpSocket, TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::{
    address::Address,
    failure::{Code, Failure},
    trouble::Trouble,
};

/// How connections are made.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// How long making a connection may take, TLS included.
    pub connect: Duration,
    /// How long a whole answer to a call may take, or a pause in a download.
    pub answer: Duration,
    /// Bytes of an answer, as they come over the network.
    pub body: usize,
    /// Bytes of an answer, decoded.
    pub decoded: usize,
    /// Whom to trust with TLS; none: `https` is not spoken.
    pub tls: Option<Arc<ClientConfig>>,
    /// The local address of connections, for simulated fleets that need more than one has ports for.
    pub local: Option<IpAddr>,
    /// Troubles of connections, for simulated networks; none: connections are as they are.
    pub trouble: Option<Trouble>,
}

impl Default for HttpSettings {
    /// Room for the largest answers that servers give without a byte budget (a page of 50 MB), and for slow lines.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            answer: Duration::from_secs(120),
            body: 256 << 20,
            decoded: 256 << 20,
            tls: None,
            local: None,
            trouble: None,
        }
    }
}

/// The connection to one server: opened when it is needed, and again after the server closed it.
#[derive(Debug)]
pub struct Connection {
    address: Address,
    settings: Arc<HttpSettings>,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// To the server of an address; its path does not matter.
    pub fn new(address: Address, settings: Arc<HttpSettings>) -> Self {
        Self { address, settings, sender: None }
    }

    /// The server.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// How it is made.
    pub fn settings(&self) -> &Arc<HttpSettings> {
        &self.settings
    }

    /// Closes it.
    pub fn close(&mut self) {
        self.sender = None;
    }

    /// Sends a request and gives the head of the answer. A request that meets a connection which the server closed
    /// meanwhile is sent once more on a new one, as every HTTP client does.
    ///
    /// # Errors
    ///
    /// No connection, no answer, or none in time.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Failure> {
        let again = request.clone();
        let reused = self.sender.is_some();
        match self.attempt(request).await {
            Err(Failure::Cut(_)) if reused => {
                self.sender = None;
                self.attempt(again).await
            }
            result => result,
        }
    }

    async fn attempt(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Failure> {
        let patience = self.settings.answer;
        let sender = self.open().await?;
        match timeout(patience, sender.send_request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => {
                self.sender = None;
                Err(cut(&error))
            }
            Err(_) => {
                self.sender = None;
                Err(Failure::Timeout(patience.as_secs()))
            }
        }
    }

    async fn open(&mut self) -> Result<&mut SendRequest<Full<Bytes>>, Failure> {
        let usable = match &mut self.sender {
            Some(sender) => sender.ready().await.is_ok(),
            None => false,
        };
        if !usable {
            let connect = timeout(self.settings.connect, connect(&self.address, &self.settings));
            let sender = connect.await.map_err(|_| Failure::Timeout(self.settings.connect.as_secs()))??;
            return Ok(self.sender.insert(sender));
        }
        self.sender.as_mut().ok_or_else(|| Failure::Cut("there is no connection".to_owned()))
    }
}

/// Reads a whole body, bounded in size and time.
///
/// # Errors
///
/// It is too long, too slow, or cut.
pub(crate) async fn read_body(body: Incoming, settings: &HttpSettings) -> Result<Vec<u8>, Failure> {
    let read = async {
        let mut body = body;
        let mut bytes: Vec<u8> = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| cut(&error))?;
            let Some(data) = frame.data_ref() else { continue };
            if bytes.len().saturating_add(data.len()) > settings.body {
                return Err(Failure::Cut(format!("it has more than {} bytes", settings.body)));
            }
            bytes.extend_from_slice(data);
        }
        Ok(bytes)
    };
    timeout(settings.answer, read).await.map_err(|_| Failure::Timeout(settings.answer.as_secs()))?
}

/// A connection that ended early, with what is behind it.
pub(crate) fn cut(error: &hyper::Error) -> Failure {
    let cause = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
    Failure::Cut(format!("{error}{cause}"))
}

async fn connect(address: &Address, settings: &HttpSettings) -> Result<SendRequest<Full<Bytes>>, Failure> {
    let stream = dial(address, settings).await?;
    // an answer comes at once or not at all; waiting for more to send only delays
    let _ = stream.set_nodelay(true);
    match &settings.trouble {
        Some(trouble) => speak(address, settings, trouble.wrap(stream)).await,
        None => speak(address, settings, stream).await,
    }
}

async fn speak(
    address: &Address,
    settings: &HttpSettings,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<SendRequest<Full<Bytes>>, Failure> {
    let failed = |code: Code, reason: String| Failure::Connect { server: address.authority(), reason, code };
    if !address.tls {
        return handshake(stream).await;
    }
    let Some(tls) = &settings.tls else {
        return Err(failed(Code::TLS, "no certificate authority is trusted: name one".to_owned()));
    };
    let name = ServerName::try_from(address.host.clone())
        .map_err(|_| failed(Code::TLS, format!("{} is no name for a certificate", address.host)))?;
    let connector = TlsConnector::from(Arc::clone(tls));
    let stream = connector.connect(name, stream).await.map_err(|error| failed(Code::TLS, error.to_string()))?;
    handshake(stream).await
}

async fn dial(address: &Address, settings: &HttpSettings) -> Result<TcpStream, Failure> {
    let failed = |code: Code, reason: String| Failure::Connect { server: address.authority(), reason, code };
    let found = lookup_host((address.host.as_str(), address.port)).await;
    let addresses = found.map_err(|error| failed(Code::NAME_NOT_RESOLVED, error.to_string()))?;
    let mut last = failed(Code::NAME_NOT_RESOLVED, "the name has no address".to_owned());
    for target in addresses {
        let socket = if target.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let attempt = async {
            let socket = socket?;
            if let Some(local) = settings.local {
                socket.bind((local, 0).into())?;
            }
            socket.connect(target).await
        };
        match attempt.await {
            Ok(stream) => return Ok(stream),
            Err(error) => {
                let off = matches!(error.kind(), ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown);
                last = failed(if off { Code::DISCONNECTED } else { Code::CANNOT_CONNECT }, error.to_string());
            }
        }
    }
    Err(last)
}

async fn handshake(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<SendRequest<Full<Bytes>>, Failure> {
    let mut builder = hyper::client::conn::http1::Builder::new();
    // small buffers: a simulated fleet has thousands of connections at one time
    builder.max_buf_size(64 << 10);
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|error| cut(&error))?;
    tokio::spawn(async move {
        // its end shows at the sender
        let _ = connection.await;
    });
    Ok(sender)
}
