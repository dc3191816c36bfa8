//! What this server reports to its upstream (MS-WSUSSS 3.2.4.5).

use jiff::Timestamp;

use crate::{
    admin::{AdminError, App},
    sync::peer::Peer,
};

/// What a roll-up told.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct RollupOutcome {
    /// The upstream takes no roll-ups (Microsoft's own service): nothing was sent.
    pub skipped: bool,
    /// Servers, this one included.
    pub servers: u64,
    /// The upstream takes computers and their status, too.
    pub detailed: bool,
    /// Computers that were told of.
    pub computers: u64,
    /// Computers whose status was told.
    pub statuses: u64,
    /// Computers that the upstream deleted and that were deleted here.
    pub deleted: u64,
}

/// Why a roll-up ended before its time. What was acknowledged is not sent again; the next roll-up goes on.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// A call failed or was answered with a fault.
    #[error("the roll-up to the upstream server failed at {step}")]
    Step {
        /// The operation.
        step: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The upstream was busy each time.
    #[error("the upstream server was too busy for the status of computers, {tries} times; the next roll-up goes on")]
    Busy {
        /// How often it was asked.
        tries: u32,
    },
    /// Our own database.
    #[error("the roll-up cannot be prepared")]
    Here(#[source] AdminError),
}

/// Reports to the upstream server after a synchronization that began at `started`.
pub async fn send(app: &App, peer: &Peer, started: Timestamp) -> Result<RollupOutcome, SendError> {
    let _ = (app, peer, started);
    unimplemented!()
}
