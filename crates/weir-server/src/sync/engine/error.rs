//! Why a synchronization failed, in words for the administrator.

use crate::{
    admin::AdminError,
    sync::{peer::PeerError, progress::Cancelled},
};

/// Why a synchronization failed. The catalogue is as it was.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// It was asked to end.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The source is `none`.
    #[error("no source is set, so there is nothing to synchronize from")]
    NoSource,
    /// The upstream server, or the way to it.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// Our own database.
    #[error(transparent)]
    Here(#[from] AdminError),
}

impl SyncError {
    /// Stable, for programs.
    pub fn code(&self) -> &'static str {
        unimplemented!()
    }

    /// What the administrator can do.
    pub fn next_step(&self) -> String {
        unimplemented!()
    }

    /// Whether the same may succeed later without anyone doing something.
    pub fn is_transient(&self) -> bool {
        unimplemented!()
    }
}
