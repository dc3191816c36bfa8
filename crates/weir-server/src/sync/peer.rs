//! An authorised session with an upstream server (MS-WSUSSS 3.2.4.1): cookies got and renewed, faults reacted to, answers
//! bounded.

use reqwest::Url;

use super::{
    outbound::{ClientTerms, OutboundError, Purpose, UntrustedChain},
    progress::{Cancelled, Progress},
};
use crate::admin::{AdminError, App};

/// The server that this one synchronizes from.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// What its anchors belong to: when this changes, what was fetched from the old one and not yet stored is dropped.
    pub identity: String,
    /// Its root, to which the paths of the services are joined.
    pub base: Url,
    /// How it is reached and trusted.
    pub terms: ClientTerms,
    /// This server mirrors it (groups, deployments, declines), rather than choosing for itself.
    pub replica: bool,
}

impl Upstream {
    /// The parent that this server is enrolled at, else what the setting `source` names; none for `none`.
    pub async fn load(app: &App) -> Result<Option<Self>, PeerError> {
        let _ = app;
        unimplemented!()
    }
}

/// Why a call to the upstream server did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The run was cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// No client can be made from the settings.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// The server's certificate is not trusted.
    #[error(transparent)]
    Untrusted(UntrustedChain),
    /// Our own database.
    #[error(transparent)]
    Here(#[from] AdminError),
}

/// A session with an upstream server. Clones share it, and calls may be made at once.
#[derive(Clone, Debug)]
pub struct Peer {
    upstream: Upstream,
}

impl Peer {
    /// Authorises: GetAuthConfig, GetAuthorizationCookie, GetCookie.
    pub async fn connect(app: &App, upstream: &Upstream, progress: &Progress) -> Result<Self, PeerError> {
        let _ = (app, upstream, progress, Purpose::Sync);
        unimplemented!()
    }

    /// The server.
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }
}
