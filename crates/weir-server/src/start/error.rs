use std::{net::SocketAddr, path::PathBuf};

use weir_store::StoreError;

use crate::{config::ConfigError, sites::JoinError};

/// Why the server did not start, or stopped badly.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener's address cannot be used.
    #[error("cannot listen on {address} ({listener}); stop what uses it, or choose another address with {flag}")]
    Bind {
        /// `client plane`, ...
        listener: &'static str,
        /// The flag that changes the address.
        flag: &'static str,
        /// The address.
        address: SocketAddr,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// The process settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database is empty in a folder that a site has used.
    #[error(
        "the database {} is empty, and the folder is that of a site ({trace} is there); nothing was changed. Restore the \
         database from a backup, or move the folder away to begin a new site",
        data.join(weir_store::DATABASE).display()
    )]
    Emptied {
        /// The folder.
        data: PathBuf,
        /// What shows that it was used.
        trace: &'static str,
    },
    /// This server could not enrol below a parent.
    #[error(transparent)]
    Enrol(Box<JoinError>),
    /// A file or folder of the data folder cannot be used.
    #[error("{action} {} failed", path.display())]
    File {
        /// What was being done.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A restore into the data folder was cut short.
    #[error(
        "a restore into {} was not finished, so that what is there may be half of each; give the weir restore command again",
        .0.display()
    )]
    Restoring(PathBuf),
    /// The system gave no random bytes.
    #[error("the system's random generator failed")]
    Random,
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The catalogue could not be compiled.
    #[error("publishing the catalogue failed: {0}")]
    Publish(String),
    /// A certificate or key cannot be used.
    #[error("{subject} cannot be used: {reason}")]
    Tls {
        /// The file, or what was being made.
        subject: String,
        /// Why not.
        reason: String,
    },
    /// A part of the server panicked.
    #[error("{0} stopped unexpectedly; see the log")]
    Task(&'static str),
}
