//! Why a synchronization failed, in words for the administrator.

use weir_store::StoreError;
use weir_wire::soap::ErrorCode;

use crate::{
    admin::AdminError,
    sync::{peer::PeerError, progress::Cancelled},
};

/// Why a synchronization failed. The catalogue is as it was; what was fetched is kept for the next run.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// It was asked to end.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Our own database.
    #[error(transparent)]
    Here(#[from] AdminError),
    /// The source is `none`.
    #[error("no source is set, so there is nothing to synchronize from")]
    NoSource,
    /// None of the updates that were asked for by name is to be had.
    #[error("the upstream server does not have {names}")]
    NotThere {
        /// Which.
        names: String,
    },
    /// Question after question is answered with nothing.
    #[error("the upstream server lists revisions and sends none of them")]
    NothingSent,
    /// Not one of many revisions can be used: something is wrong with the server, or on the way.
    #[error("none of the {count} revisions that the upstream server lists can be had from it; the last one: {last}")]
    NothingUsable {
        /// How many.
        count: usize,
        /// Why the last one.
        last: String,
    },
    /// The upstream server, or the way to it.
    #[error(transparent)]
    Peer(PeerError),
    /// So many single revisions cannot be used that something is wrong with all of them.
    #[error("{count} revisions of the upstream server cannot be used; the last one: {last}")]
    TooManyDropped {
        /// How many.
        count: u64,
        /// Why the last one.
        last: String,
    },
}

impl From<PeerError> for SyncError {
    fn from(error: PeerError) -> Self {
        match error {
            PeerError::Cancelled(cancelled) => Self::Cancelled(cancelled),
            PeerError::Here(error) => Self::Here(error),
            error => Self::Peer(error),
        }
    }
}

impl SyncError {
    /// Stable, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Cancelled(_) => "cancelled",
            Self::Here(AdminError::Store(StoreError::DiskFailed { .. })) => "disk_failed",
            Self::Here(AdminError::Store(StoreError::DiskFull { .. })) => "disk_full",
            Self::Here(AdminError::Store(StoreError::Busy { .. })) => "busy",
            Self::Here(AdminError::Store(StoreError::Unconfirmed { .. } | StoreError::Unreachable { .. })) => {
                "database_unreachable"
            }
            Self::Here(_) => "internal",
            Self::NoSource => "no_source",
            Self::NotThere { .. } => "not_there",
            Self::NothingSent => "nothing_sent",
            Self::NothingUsable { .. } => "nothing_usable",
            Self::Peer(error) => error.code(),
            Self::TooManyDropped { .. } => "too_many_dropped",
        }
    }

    /// What the administrator can do.
    pub fn next_step(&self) -> String {
        match self {
            Self::Cancelled(_) => "start it again, it goes on where it was: weir sync now".to_owned(),
            Self::Here(AdminError::Store(StoreError::DiskFull { .. })) => {
                "free some space, then go on where it was: weir sync now".to_owned()
            }
            Self::Here(AdminError::Store(StoreError::DiskFailed { .. })) => {
                "see what the system says of the disk; when it is well, go on where it was: weir sync now".to_owned()
            }
            Self::Here(_) => "see the server's log".to_owned(),
            Self::NoSource => "set one: weir settings set source microsoft, or the URL of a WSUS or Weir".to_owned(),
            Self::NotThere { .. } => {
                "see whether the ids are right and the upstream server has them; name a revision as ID@REVISION if it lists them \
                 no longer; a document that you have: weir import FILE"
                    .to_owned()
            }
            Self::NothingSent | Self::NothingUsable { .. } | Self::TooManyDropped { .. } => {
                "see whether the upstream server is healthy; if it has removed these since, ask for everything anew: weir \
                 sync now --full"
                    .to_owned()
            }
            Self::Peer(error) => error.next_step(),
        }
    }

    /// Whether the same may succeed later without anyone doing something.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Cancelled(_) | Self::NoSource | Self::NotThere { .. } => false,
            Self::Here(AdminError::Store(error)) => {
                error.is_passing() || matches!(error, StoreError::DiskFailed { .. } | StoreError::DiskFull { .. })
            }
            Self::Here(_) => false,
            Self::NothingSent | Self::NothingUsable { .. } | Self::TooManyDropped { .. } => true,
            Self::Peer(error) => error.is_transient(),
        }
    }

    /// Single revisions are to blame, or may be, rather than the server or the way to it.
    pub(super) fn is_about_items(&self) -> bool {
        match self {
            Self::NothingSent | Self::NothingUsable { .. } | Self::TooManyDropped { .. } => true,
            Self::Peer(error) => error.may_be_an_item(),
            Self::Cancelled(_) | Self::Here(_) | Self::NoSource | Self::NotThere { .. } => false,
        }
    }

    /// The upstream server says that it is another one, or was restored: anchors mean nothing to it.
    pub(super) fn is_server_changed(&self) -> bool {
        matches!(self, Self::Peer(error) if error.fault_code() == Some(ErrorCode::ServerChanged))
    }
}
