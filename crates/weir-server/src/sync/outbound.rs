//! HTTP clients for calls to other servers: proxy, own trust, timeouts, from the site settings.

use std::{path::Path, sync::Arc};

use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::admin::{AdminError, App};

mod chain;
mod terms;

pub use chain::{UntrustedChain, untrusted};
pub(crate) use terms::Terms;

/// What a client is for: which proxy flag and which timeouts hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// Webhooks about alerts: `alerts.proxy`, `alerts.ca_file`.
    Alert,
    /// Files of updates: `proxy.content`.
    Content,
    /// The site link to a parent: `proxy.sync`; no limit of time for an answer as a whole.
    Link,
    /// Metadata and roll-ups: `proxy.sync`.
    Sync,
}

/// Which servers are trusted over HTTPS.
#[derive(Clone, Debug, Default)]
pub enum Trust {
    /// The authorities of this PEM text alone, in place of the system's and of `sync.ca_file`.
    Authority(String),
    /// The server whose own certificate, or one of those it shows with it, has this SHA-256; its names and authority do
    /// not matter then.
    Fingerprint([u8; 32]),
    /// What the system trusts, and the roots of `sync.ca_file`.
    #[default]
    System,
}

/// The certificate that a client shows.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its chain, leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The leaf's key.
    pub key: Arc<PrivateKeyDer<'static>>,
}

/// A client to be made.
#[derive(Clone, Debug)]
pub struct ClientTerms {
    /// What it is for.
    pub purpose: Purpose,
    /// Whom it trusts.
    pub trust: Trust,
    /// What it shows.
    pub identity: Option<Identity>,
    /// ALPN protocols that it offers; none by default.
    pub alpn: Vec<Vec<u8>>,
}

impl From<Purpose> for ClientTerms {
    fn from(purpose: Purpose) -> Self {
        Self { purpose, trust: Trust::System, identity: None, alpn: Vec::new() }
    }
}

/// Why no client can be made.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// `sync.ca_file` or `alerts.ca_file` cannot be read or holds no certificate.
    #[error("the certificates in {path} (setting {key}) cannot be used: {why}")]
    CaFile {
        /// The setting.
        key: &'static str,
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// The HTTP library refused the settings.
    #[error("no HTTP client can be made from the settings")]
    Client(#[source] reqwest::Error),
    /// `proxy.url` is no address of a proxy.
    #[error("proxy.url cannot be used")]
    Proxy(#[source] reqwest::Error),
    /// The settings cannot be read.
    #[error(transparent)]
    Settings(#[from] AdminError),
    /// The trust or identity given by the caller.
    #[error("the TLS settings cannot be used: {0}")]
    Tls(String),
}

/// A client as the site settings want it. Settings are read now; a change of them needs a new client.
pub async fn client(app: &App, terms: impl Into<ClientTerms>) -> Result<reqwest::Client, OutboundError> {
    let settings = app.read(Terms::read).await?;
    settings.client(&terms.into())
}

/// The proxy that calls for this purpose go through, if they do. Without its password.
pub(crate) async fn proxy(app: &App, purpose: Purpose) -> Result<Option<String>, AdminError> {
    Ok(app.read(Terms::read).await?.proxy_of(purpose).map(|proxy| proxy.url.clone()))
}

/// Checks a file for `sync.ca_file`. Blocks.
pub(crate) fn check_roots(path: &Path) -> Result<(), String> {
    terms::roots(path).map(drop)
}

/// The fully qualified name by which this server introduces itself to others: `server.name`, else the system's.
pub async fn host_name(app: &App) -> Result<String, AdminError> {
    Ok(app.read(Terms::read).await?.host_name())
}
