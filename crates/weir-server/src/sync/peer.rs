//! An authorised session with an upstream server (MS-WSUSSS 3.2.4): cookies got and renewed, faults reacted to, answers
//! bounded.

mod bounds;
mod call;
mod error;
mod session;
mod transport;
mod upstream;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

pub use self::{
    call::Authorised,
    error::PeerError,
    transport::{Room, Rooms},
    upstream::Upstream,
};
use self::{session::Session, transport::Transport};
use super::{outbound, progress::Progress};
use crate::admin::App;

/// The version of the protocol that this server speaks (that of Windows Server 2016 and later).
pub const PROTOCOL: &str = "1.20";

/// A session with an upstream server. Clones share it, and calls may be made at once.
#[derive(Clone)]
pub struct Peer {
    inner: Arc<Inner>,
}

struct Inner {
    upstream: Upstream,
    transport: Transport,
    session: tokio::sync::Mutex<Session>,
    account: Account,
    progress: Progress,
    calls: AtomicU64,
}

/// How this server introduces itself.
struct Account {
    name: String,
    guid: String,
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peer").field("upstream", &self.inner.upstream.base.as_str()).finish_non_exhaustive()
    }
}

impl Peer {
    /// Authorises: GetAuthConfig, GetAuthorizationCookie, GetCookie. A cancelled `progress` ends this and every call.
    pub async fn connect(app: &App, upstream: &Upstream, progress: &Progress) -> Result<Self, PeerError> {
        let client = outbound::client(app, upstream.terms.clone()).await?;
        let proxy = outbound::proxy(app, upstream.terms.purpose).await?;
        let bounds = app.read(bounds::Bounds::read).await?;
        let account =
            Account { name: outbound::host_name(app).await?, guid: app.state.server.0.as_hyphenated().to_string() };
        let inner = Inner {
            upstream: upstream.clone(),
            transport: Transport::new(client, bounds, proxy),
            session: tokio::sync::Mutex::new(Session::default()),
            account,
            progress: progress.clone(),
            calls: AtomicU64::new(0),
        };
        let peer = Self { inner: Arc::new(inner) };
        peer.cookie(None).await?;
        Ok(peer)
    }

    /// The server.
    pub fn upstream(&self) -> &Upstream {
        &self.inner.upstream
    }

    /// Calls that were answered, faults included.
    pub fn calls(&self) -> u64 {
        self.inner.calls.load(Ordering::Relaxed)
    }

    /// The progress that cancels this session.
    pub fn progress(&self) -> &Progress {
        &self.inner.progress
    }
}
